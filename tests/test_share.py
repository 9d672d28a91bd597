"""The QR code of a link: read back module by module, by hand."""

import re

import numpy as np
import segno

from capsviz.app.share import MOST_MODULES, qr_code


def test_the_path_draws_the_modules_that_the_code_has() -> None:
    text = "http://192.168.0.7:8501/routing?drawing=AWNgVGGewfSBsYOFYT_TClYA&digit=8&step=3"
    found = qr_code(text)
    assert found is not None
    side = found["side"]
    drawn = np.zeros((side, side), int)
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", found["path"])
    assert "".join(f"M{x} {y}h{n}v1h-{back}z" for x, y, n, back in runs) == found["path"]
    for x, y, length, back in runs:
        assert length == back
        drawn[int(y), int(x) : int(x) + int(length)] += 1
    assert drawn.max() == 1
    # Three finder patterns, dark lines between which dark and light change (ISO/IEC 18004, 6.3).
    finder = np.pad(np.pad(np.pad(np.ones((3, 3), int), 1), 1, constant_values=1), 0)
    for corner in (drawn[:7, :7], drawn[:7, -7:], drawn[-7:, :7]):
        np.testing.assert_array_equal(corner, finder)
    np.testing.assert_array_equal(drawn[6, 8:-8], [1, 0] * ((side - 16) // 2) + [1])
    assert (side - 17) % 4 == 0
    assert drawn.tolist() == [list(row) for row in segno.make(text, error="l", micro=False).matrix]


def test_a_text_too_long_for_a_phone_has_no_code() -> None:
    assert qr_code("x" * 3_000) is None  # more than any code holds
    assert qr_code("x" * 1_300) is None  # version 25 holds 1273 bytes
    found = qr_code("x" * 1_273)
    assert found is not None
    assert found["side"] == MOST_MODULES == 17 + 4 * 25
