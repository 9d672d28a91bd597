"""What stands on the Pose page, computed again in Python: every number, mark, picture and file.

No server and no network: the page's own scripts in an empty page, with a decoder of three small layers and measurements
whose numbers are all different, so that a digit, a dimension or an end taken for another shows.
"""

import base64
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from capsviz.figures import decoder_payload, pose_payload, theme
from capsviz.figures.bundle import browser_assets
from capsviz.figures.packing import pack
from capsviz.measures.poses import (
    PROPERTIES,
    Component,
    DigitPoses,
    Effect,
    PoseMeasurements,
    Range,
    Settings,
)
from capsviz.networks.base import find
from capsviz.traces.base import CapsuleGrid
from capsviz.traces.routing import RoutingTrace
from tests.e2e.looking import failing_no_script
from tests.e2e.native import ADDRESS, importing, offer

SHAPE = replace(find("dynamic.mnist").shape, grid=CapsuleGrid(types=1, rows=6, columns=6, field=17, stride=2))
WINNER = 6
NAME = "0123456789abcdef"  # of the weights

rng = np.random.default_rng(0)


def half(*shape: int, scale: float) -> np.ndarray:
    """Random numbers that half precision holds."""
    return rng.normal(0, scale, shape).astype(np.float16).astype(np.float32)


LAYERS = [
    (half(24, 160, scale=1), half(24, scale=0.3)),
    (half(20, 24, scale=0.4), half(20, scale=0.3)),
    (half(784, 20, scale=0.8), half(784, scale=0.8)),
]


def decoded(inputs: np.ndarray) -> np.ndarray:
    """Grey levels [28, 28] of inputs [10, 16]: two layers with ReLU, one with a sigmoid."""
    values = np.asarray(inputs, float).reshape(160)
    for weight, bias in LAYERS[:2]:
        values = np.maximum(weight.astype(float) @ values + bias, 0)
    weight, bias = LAYERS[2]
    values = 1 / (1 + np.exp(-(weight.astype(float) @ values + bias)))
    return 255 * values.reshape(28, 28)


def alone(pose: np.ndarray, digit: int = WINNER) -> np.ndarray:
    """Grey levels of one capsule's pose, all others being fed as 0."""
    fed = np.zeros((10, 16))
    fed[digit] = pose
    return decoded(fed)


def poses_of(winner: int, seed: int) -> np.ndarray:
    """[10, 16] in single precision: the winner is 0.8 long, digit 0 0.05, the others a little more each."""
    v = np.random.default_rng(seed).normal(0, 1, (10, 16))
    lengths = np.linspace(0.05, 0.4, 10)
    lengths[winner] = 0.8
    return (v / np.linalg.norm(v, axis=1, keepdims=True) * lengths[:, None]).astype(np.float32)


V = poses_of(WINNER, 1)


def component(digit: int, index: int) -> Component:
    """What was measured lies round the encoded value, further down than up, and is of another strength each."""
    origin = float(V[digit, index])
    low, high = origin - 0.11 - 0.004 * index, origin + 0.09 + 0.003 * digit
    strength = ((7 * index + 3 * digit) % 16 + 1) / 100
    effects = dict.fromkeys(PROPERTIES, Effect(0.0, 0.0, 0.0, 0.0))
    effects["slant"] = Effect(digit + 1.0, 0.5, 2.0, 1.0)
    effects["width"] = Effect((index + 1) / 10, 0.5, 1.5, 1.0)
    stored = "as it was said when it was measured"
    return Component(origin + 0.013 * (index - 7), 0.05, low, high, strength, effects, stored)


def caption(digit: int, index: int) -> str:
    """What the page says of a component; a number stays on one line with its unit."""
    return f"leans right (+{digit + 1}°), wider (+{(index + 1) / 10:.1f}\u00a0px)"


MEASURED = PoseMeasurements(
    "5" * 64,
    Settings("hands", 20, 300, reach=0.125),
    tuple(
        DigitPoses(
            Range(0.9, 0.1, 0.5, 0.99),
            dict.fromkeys(PROPERTIES, 1.0),
            tuple(component(digit, index) for index in range(16)),
        )
        for digit in range(10)
    ),
)
EXAMPLE = {"name": "“eight”", "digit": 8, "pose": [round(0.03 * index - 0.2, 4) for index in range(16)]}
DRAWN = np.linspace(0, 1, 784).reshape(28, 28)


def payload(v: np.ndarray = V, measured: PoseMeasurements | None = MEASURED, **other: Any) -> dict[str, Any]:
    """What the server sends of a drawing with the poses v [10, 16]."""
    steps = np.stack([np.zeros_like(v), v])
    trace = RoutingTrace(
        image=np.zeros((28, 28)),
        features=np.zeros((256, 20, 20)),
        u=np.zeros((36, 8)),
        u_hat=np.zeros((36, 10, 16)),
        b=np.zeros((2, 36, 10)),
        c=np.full((2, 36, 10), 0.1),
        s=steps,
        v=steps,
        shape=SHAPE,
    )
    data = pose_payload(trace, DRAWN, EXAMPLE, measured, NAME)
    return {**data, "megabytes": 2.84, **other}


MOUNT = """([data, decoder]) => {
    window.reports ??= [];
    if (decoder) {
        const bytes = Uint8Array.from(atob(decoder), (letter) => letter.charCodeAt(0));
        const packed = lab.unpack(bytes);
        (window.capsvizDecoder ??= {})[packed.name] = new lab.Decoder(packed);
    }
    window.leave = lab.mount({
        data, parentElement: document.getElementById("root"), setStateValue: (...what) => reports.push(what),
    });
    window.posing = lab.posingIn(document.getElementById("root"));
}"""
# What a resting hand has drawn, at once instead of a piece each frame.
SETTLE = "() => { posing.rest(); while (posing.chores.length) posing.work(); }"
# What moves by itself, at the times that a test wants: frame(seconds).
BY_HAND = "() => { posing.move = (name, frame) => { window.moved = name; window.frame = frame; }; }"
PACKED = base64.b64encode(decoder_payload(LAYERS, NAME)).decode()


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 900}, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(10_000)
    _, style = browser_assets("pose", "pose")
    given = importing(
        {
            "pose": "default as mount, posingIn",
            "decoder": "Decoder",
            "packing": "unpack, widened",
            "drawing": "fixed, signedText",
        }
    )
    html = (
        f'<!doctype html><meta charset="utf-8"><style>body {{ margin: 0; background: Canvas }} {style}</style>'
        f'<div id="root"></div><script type="module">{given}</script>'
    )
    offer(page, html)
    yield page
    context.close()


@pytest.fixture
def pose(tab: Page) -> Iterator[Page]:
    """The page with its drawing, everything drawn."""
    with failing_no_script(tab):
        opened(tab)
        yield tab


def opened(page: Page, query: str = "", data: dict[str, Any] | None = None, decoder: bool = True) -> None:
    page.goto(f"{ADDRESS}?{query}")
    page.wait_for_function("window.lab")
    mount(page, data or payload(), decoder)


def mount(page: Page, data: dict[str, Any], decoder: bool = False) -> None:
    page.evaluate(MOUNT, [data, PACKED if decoder else None])
    settle(page)


def settle(page: Page) -> None:
    page.evaluate(SETTLE)


def pixels(canvas: Locator) -> np.ndarray:
    """Red, green and blue of a canvas, [H, W, 3] in 0..255."""
    size, text = canvas.evaluate(
        """(canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let bytes = "";
            for (const byte of data) bytes += String.fromCharCode(byte);
            return [[canvas.height, canvas.width, 4], btoa(bytes)];
        }"""
    )
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(size)[..., :3].astype(int)


def assert_drawn(canvas: Locator, expected: np.ndarray) -> None:
    # Rounded: half a level off, and what single precision adds.
    assert np.abs(pixels(canvas)[..., 0] - expected).max() <= 0.51


def clay(page: Page) -> Locator:
    return page.get_by_test_id("clay")


def status(page: Page) -> str:
    return page.get_by_test_id("pose-status").inner_text()


def warning(page: Page) -> str:
    return page.get_by_test_id("pose-warning").inner_text()


def numbers(page: Page, digit: int = WINNER) -> np.ndarray:
    """The pose of a capsule, exactly."""
    return np.array(page.evaluate(f"Array.from(posing.poses[{digit}])"))


def set_pose(page: Page, pose: np.ndarray) -> None:
    page.evaluate("(pose) => posing.take(pose)", np.asarray(pose, float).tolist())
    settle(page)


def track(page: Page, dimension: int) -> Locator:
    return page.get_by_test_id(f"slider-{dimension}")


def query(page: Page) -> str:
    return str(page.evaluate("location.search"))


def ends(digit: int, dimension: int) -> tuple[float, float]:
    known = MEASURED.digits[digit].components[dimension]
    return known.low, known.high


def number(value: float, digits: int = 3) -> str:
    """With its sign, a real minus; what rounds to 0 has none."""
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text[1:] if float(text[1:]) == 0 else text


# --- numbers and bytes ------------------------------------------------------------------------------------


def test_every_half_precision_number_is_widened_exactly(pose: Page) -> None:
    halves = np.arange(65536, dtype=np.uint16)
    found = pose.evaluate(
        """() => {
            const wide = lab.widened(Uint16Array.from({ length: 65536 }, (_, bits) => bits));
            return Array.from(new Uint32Array(wide.buffer));
        }"""
    )
    wide = np.array(found, np.uint32).view(np.float32)
    expected = halves.view(np.float16).astype(np.float32)
    np.testing.assert_array_equal(np.isnan(wide), np.isnan(expected))
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(wide[known].view(np.uint32), expected[known].view(np.uint32))  # −0 too


def test_what_was_packed_is_unpacked(pose: Page) -> None:
    arrays = {
        "halves": np.array([[1, -2.5, 2**-24]], np.float16),  # six bytes, and two of padding
        "bytes": np.array([7, 255, 0], np.uint8),
        "wholes": np.array([[-(2**31)], [5]], np.int32),
        "floats": np.array([0.1, 1e30, -3], np.float32),
    }
    packed = base64.b64encode(pack(arrays, {"name": "ü"})).decode()
    found = pose.evaluate(
        """(text) => {
            const bytes = Uint8Array.from(atob("AA" + text.slice(0, 0)) + atob(text), (letter) => letter.charCodeAt(0));
            // One byte into its buffer, as messages come: no array begins on a multiple of four.
            const { name, id, arrays } = lab.unpack(bytes.subarray(1));
            return [name, id, Object.entries(arrays).map(([key, values]) => [key, values.constructor.name, Array.from(values)])];
        }""",
        packed,
    )
    name, identity, unpacked = found
    assert name == "ü"
    assert re.fullmatch("[0-9a-f]{16}", identity)
    kinds = {
        "halves": "Float32Array",
        "bytes": "Uint8Array",
        "wholes": "Int32Array",
        "floats": "Float32Array",
    }
    assert [(key, kind) for key, kind, _ in unpacked] == list(kinds.items())
    for key, _, values in unpacked:
        assert values == arrays[key].astype(float).ravel().tolist()


def test_numbers_are_written_with_signs_that_are_real(pose: Page) -> None:
    shown = pose.evaluate(
        "[[0.1254, 3], [-0.1254, 3], [-0.0004, 3], [0.0004, 3], [12, 0], [-2, 2]].map(([v, d]) => [lab.fixed(v, d), lab.signedText(v, d)])"
    )
    assert shown == [
        ["0.125", "+0.125"],
        ["−0.125", "−0.125"],
        ["0.000", "0.000"],
        ["0.000", "0.000"],
        ["12", "+12"],
        ["−2.00", "−2.00"],
    ]


def test_the_decoder_feeds_forward_as_the_paper_s(pose: Page) -> None:
    """A net of two inputs, by hand: ReLU of (3, -1) is (3, 0), and 3 * 0.5 - 2 + 0.25 = -0.25."""
    drawn = pose.evaluate(
        """() => {
            const layer = (weight, bias, n) => ({ [`weight${n}`]: Float32Array.from(weight), [`bias${n}`]: Float32Array.from(bias) });
            const arrays = { ...layer([1, 2, 2, -3], [0, 0], 0), ...layer([0.5, 1, 4, 8], [-2, 0.5], 1) };
            const decoder = new lab.Decoder({ name: "net", layers: 2, arrays });
            const first = Array.from(decoder.decode([1, 1]));
            return [decoder.name, first, Array.from(decoder.decode([0, 0]))];
        }"""
    )

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    # (1, 1) through [in, out]: (1 + 2, 2 - 3) = (3, -1); then (1.5 - 2, 3 + 0.5).
    assert drawn[0] == "net"
    assert drawn[1] == pytest.approx([sigmoid(-0.5), sigmoid(3.5)], abs=1e-6)
    assert drawn[2] == pytest.approx([sigmoid(-2), sigmoid(0.5)], abs=1e-6)


# --- what is decoded --------------------------------------------------------------------------------------


def test_the_picture_is_the_decoder_s_of_the_chosen_capsule(pose: Page) -> None:
    assert_drawn(clay(pose), alone(V[WINNER]))
    assert status(pose) == "capsule 6, |v| = 0.800"
    expect(clay(pose)).to_have_attribute("aria-label", "What the decoder draws from capsule 6")
    for digit in (0, 9):
        pose.get_by_test_id(f"capsule-{digit}").click()
        settle(pose)
        assert_drawn(clay(pose), alone(V[digit], digit))
        assert status(pose) == f"capsule {digit}, |v| = {np.linalg.norm(V[digit]):.3f}"
    pose.locator(".choice", has_text="all ten, unmasked").click()
    settle(pose)
    assert_drawn(clay(pose), decoded(V))
    assert status(pose).startswith("all ten; the sliders move capsule 9")
    assert "one capsule alone" in warning(pose)
    pose.locator(".choice", has_text="winner").click()
    settle(pose)
    assert_drawn(clay(pose), alone(V[WINNER]))


def test_capsules_show_lengths_colours_and_which_is_chosen(pose: Page) -> None:
    for digit in range(10):
        button = pose.get_by_test_id(f"capsule-{digit}")
        length = f"{np.linalg.norm(V[digit]):.2f}"
        assert button.inner_text().split() == [str(digit), length]
        expect(button).to_have_attribute("aria-label", f"Decode capsule {digit}, length {length}")
        expect(button).to_have_attribute("aria-pressed", str(digit == WINNER).lower())
        assert button.evaluate("(node) => node.classList.contains('longest')") == (digit == WINNER)
        assert (
            button.evaluate("(node) => node.style.getPropertyValue('--digit')") == theme.CLASS_COLOURS[digit]
        )
    checked = "[...document.querySelectorAll('[name=mask]')].map((input) => input.checked)"
    assert pose.evaluate(checked) == [True, False, False]
    pose.get_by_test_id("capsule-2").click()
    settle(pose)
    assert pose.evaluate(checked) == [False, True, False]
    expect(pose.get_by_test_id("capsule-2")).to_have_attribute("aria-pressed", "true")
    expect(pose.get_by_test_id("capsule-6")).to_have_attribute("aria-pressed", "false")
    assert pose.locator(".capsules .longest b").all_inner_texts() == ["6"]


def test_the_inputs_of_the_decoder_are_shown_in_their_rows(pose: Page) -> None:
    def assert_fed(fed: np.ndarray, chosen: int) -> None:
        canvas = pose.get_by_test_id("fed")
        picture = pixels(canvas)
        ratio = picture.shape[1] / canvas.evaluate("(node) => node.clientWidth")
        width, height = picture.shape[1] / ratio, picture.shape[0] / ratio
        cell, row = (width - 20) / 16, (height - 20) / 10
        for digit in range(10):
            for index in range(16):
                x, y = 20 + (index + 0.5) * cell, 20 + (digit + 0.5) * row
                value = fed[digit, index] / 0.6
                colour = theme.FOR_COLOUR if value > 0 else theme.AGAINST_COLOUR
                strength = round(32 * min(abs(value), 1)) / 32
                found = picture[int(y * ratio), int(x * ratio)]
                assert np.abs(found - strength * np.array(colour)).max() <= 9, (digit, index)
        rows = [
            picture[int((20 + digit * row + 0.5) * ratio), int((20 + 0.97 * cell) * ratio)]
            for digit in range(10)
        ]
        assert [int(colour.min() > 100) for colour in rows] == [int(digit == chosen) for digit in range(10)]

    fed = np.zeros((10, 16))
    fed[WINNER] = V[WINNER]
    assert_fed(fed, WINNER)
    strong = np.linspace(-0.75, 0.6, 16)
    set_pose(pose, strong)
    fed[WINNER] = strong
    assert_fed(fed, WINNER)
    pose.locator(".choice", has_text="all ten, unmasked").click()
    settle(pose)
    fed = V.copy()
    fed[WINNER] = strong
    assert_fed(fed, WINNER)


def test_what_lies_outside_of_training_is_said(pose: Page) -> None:
    assert warning(pose) == ""
    where = V[WINNER].astype(float)

    def with_beyond(*dimensions: int, high: bool = True) -> str:
        moved = where.copy()
        for dimension in dimensions:
            moved[dimension] = ends(WINNER, dimension)[high] + (0.001 if high else -0.001)
        set_pose(pose, moved)
        return warning(pose)

    assert with_beyond(15) == "Outside the middle 99% of training images in dimension 15."
    assert with_beyond(0, high=False) == "Outside the middle 99% of training images in dimension 0."
    assert with_beyond(1, 4, 9).endswith("in dimension 1, 4, 9.")
    assert with_beyond(1, 4, 9, 12).endswith("in 4 dimensions.")
    expect(pose.get_by_test_id("pose-status")).to_contain_text("capsule 6")
    # Digit 0 is 0.05 long, digit 1 0.089, digit 2 0.128.
    for digit, nearly in ((0, True), (1, True), (2, False)):
        pose.get_by_test_id(f"capsule-{digit}").click()
        settle(pose)
        assert warning(pose).startswith("Nearly 0") == nearly


def test_exactly_at_an_end_is_inside_and_a_length_of_one_is_impossible(tab: Page) -> None:
    v = V.copy()
    v[WINNER] = 0
    v[WINNER, 3] = 0.5
    data = payload(v)
    data["measured"][WINNER] = [{**known, "low": -0.25, "high": 0.75} for known in data["measured"][WINNER]]
    opened(tab, data=data)
    at_ends = np.zeros(16)
    at_ends[0], at_ends[1] = -0.25, 0.75  # single precision holds both
    set_pose(tab, at_ends)
    assert warning(tab) == ""
    at_ends[1] = 0.7500001
    set_pose(tab, at_ends)
    assert warning(tab) == "Outside the middle 99% of training images in dimension 1."
    for first, impossible in ((0.7, False), (0.75, True)):  # 0.75² + 0.66144² = 1
        set_pose(tab, np.array([first, math.sqrt(1 - 0.75**2) + 1e-6, *[0] * 14]))
        assert ("No capsule can be this long" in warning(tab)) == impossible
    set_pose(tab, np.array([0.6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) * (0.1 / 0.6))
    assert "Nearly 0" not in warning(tab)  # 0.1 is not below 0.1


# --- the sliders ------------------------------------------------------------------------------------------


def order(page: Page) -> list[int]:
    return [int(text) for text in page.locator(".slider b").all_inner_texts()]


def test_the_strongest_come_first_and_every_digit_has_its_own_captions(pose: Page) -> None:
    for digit in (WINNER, 2):
        pose.get_by_test_id(f"capsule-{digit}").click()
        settle(pose)
        components = MEASURED.digits[digit].components
        assert order(pose) == sorted(range(16), key=lambda d: -components[d].strength)
        captions = pose.locator(".slider-caption").all_inner_texts()
        assert captions == [caption(digit, d) for d in order(pose)]
    pose.get_by_label("strongest effect first").uncheck()
    assert order(pose) == list(range(16))
    # The first of them is what play and the GIF are about, when the page opens.
    opened(pose)
    first = order(pose)[0]
    expect(pose.get_by_role("button", name=f"play dimension {first}")).to_be_visible()
    assert pose.locator(".slider.selected b").all_inner_texts() == [str(first)]
    assert pose.locator(".sweep-labels .marked").all_inner_texts() == [str(first)]


def test_a_slider_goes_beyond_what_training_showed(pose: Page) -> None:
    for digit in (WINNER, 3):
        pose.get_by_test_id(f"capsule-{digit}").click()
        settle(pose)
        for dimension in range(16):
            low, high = ends(digit, dimension)
            margin, origin = 0.3 * (high - low), float(V[digit, dimension])
            least, most = min(low - margin, origin - 0.1), max(high + margin, origin + 0.1)
            box = track(pose, dimension)
            found = [float(box.get_attribute(name) or "nan") for name in ("min", "max")]
            assert least - 0.0011 < found[0] <= least
            assert most <= found[1] < most + 0.0011
            assert float(box.input_value()) == pytest.approx(origin, abs=5.1e-4)
            assert box.get_attribute("aria-valuetext") == number(origin)
            assert box.get_attribute("aria-label") == (f"Dimension {dimension}: {caption(digit, dimension)}")
            marks = box.evaluate(
                "(node) => ['--low', '--high', '--origin'].map((name) => Number(node.style.getPropertyValue(name)))"
            )
            scale = found[1] - found[0]
            wanted = [(value - found[0]) / scale for value in (low, high, origin)]
            assert marks == pytest.approx(wanted, abs=1e-4)
            tip = (
                pose.locator(".slider-head").nth(order(pose).index(dimension)).get_attribute("data-tip") or ""
            )
            assert tip.startswith(
                f"The middle 99% of training images lie from {number(low)} to {number(high)}; encoded is {number(origin)}. "
            )


def test_a_range_widens_for_a_pose_beyond_it_and_keeps_it_exactly(pose: Page) -> None:
    far = V[WINNER].astype(float)
    far[4], far[5] = 1.2345678, -0.98765432
    set_pose(pose, far)
    assert float(track(pose, 4).get_attribute("max") or "nan") == 1.235
    assert float(track(pose, 5).get_attribute("min") or "nan") == -0.988
    assert numbers(pose)[[4, 5]] == pytest.approx(far[[4, 5]], abs=1e-7)
    assert_drawn(clay(pose), alone(far))


def test_thumbnails_are_drawn_from_the_two_ends(pose: Page) -> None:
    bent = V[WINNER].astype(float) + 0.02
    set_pose(pose, bent)
    for dimension in range(16):
        for end, value in zip(("low", "high"), ends(WINNER, dimension), strict=True):
            moved = bent.copy()
            moved[dimension] = value
            picture = pose.get_by_test_id(f"{end}-{dimension}")
            assert_drawn(picture, alone(moved))
            expect(picture).to_have_attribute(
                "aria-label", f"Dimension {dimension} at its {end} end, {number(value)}"
            )


@pytest.mark.parametrize("beyond", [0.05, 0.9], ids=["near", "far"])
def test_marks_stand_where_their_values_are(pose: Page, tmp_path: Path, beyond: float) -> None:
    """On the track itself: the mark above and below the thumb, the thick part through its middle."""
    dimension = order(pose)[0]
    low, high = ends(WINNER, dimension)
    moved = V[WINNER].astype(float)
    moved[dimension] = high + beyond  # the thumb out of their way; far beyond, they stand near the left end
    set_pose(pose, moved)
    box = track(pose, dimension)
    box.scroll_into_view_if_needed()
    least, most = (float(box.get_attribute(name) or "nan") for name in ("min", "max"))
    box.screenshot(path=tmp_path / "track.png")
    picture = np.asarray(Image.open(tmp_path / "track.png").convert("L")).astype(int)
    dark = picture < 255 - 40

    def place(value: float) -> float:
        return 9 + (value - least) / (most - least) * (picture.shape[1] - 18)

    mark = np.flatnonzero(dark[1])
    assert (mark[0] + mark[-1] + 1) / 2 == pytest.approx(place(float(V[WINNER, dimension])), abs=1.2)
    assert 2 <= len(mark) <= 5
    thick = np.flatnonzero(dark[len(picture) // 2 - 3])
    thick = thick[thick < place(high) + 3]  # beyond it, the thumb
    assert thick[0] == pytest.approx(place(low), abs=1.5)
    assert thick[-1] + 1 == pytest.approx(place(high), abs=1.5)


def test_keys_move_by_steps(pose: Page) -> None:
    dimension = 7
    origin = float(V[WINNER, dimension])
    box = track(pose, dimension)
    box.focus()
    assert pose.locator(".slider.selected b").all_inner_texts() == [str(dimension)]
    at = origin
    for key, step in [
        ("ArrowRight", 0.01),
        ("ArrowUp", 0.01),
        ("ArrowLeft", -0.01),
        ("ArrowDown", -0.01),
        ("Shift+ArrowRight", 0.05),
        ("Shift+ArrowDown", -0.05),
        ("PageUp", 0.05),
        ("PageDown", -0.05),
    ]:
        pose.keyboard.press(key)
        moved = numbers(pose)[dimension]
        assert moved - at == pytest.approx(step, abs=1e-6), key
        assert box.get_attribute("aria-valuetext") == number(moved)
        assert pose.locator(".slider.selected .slider-value").inner_text() == number(moved)
        assert query(pose).count(f"{moved:.9g}") >= 1  # in the address, too
        at = moved
    settle(pose)
    expected = V[WINNER].astype(float)
    expected[dimension] = at
    np.testing.assert_allclose(numbers(pose), expected, atol=1e-7)
    assert_drawn(clay(pose), alone(expected))
    for key, name in (("End", "max"), ("ArrowUp", "max"), ("Home", "min"), ("PageDown", "min")):
        pose.keyboard.press(key)
        assert numbers(pose)[dimension] == pytest.approx(float(box.get_attribute(name) or "nan"), abs=1e-6)
    for key in ("Delete", "Backspace"):
        pose.keyboard.press("ArrowRight")
        pose.keyboard.press(key)
        np.testing.assert_array_equal(numbers(pose), V[WINNER])


def test_one_goes_back_by_its_number_or_a_double_click_and_all_by_reset(pose: Page) -> None:
    bent = V[WINNER].astype(float) + 0.03
    for back in ("number", "double-click"):
        set_pose(pose, bent)
        if back == "number":
            pose.get_by_role("button", name="Dimension 5 is").click()
        else:
            track(pose, 5).dispatch_event("dblclick")
        expected = bent.copy()
        expected[5] = V[WINNER, 5]
        np.testing.assert_allclose(numbers(pose), expected, atol=1e-7)
    pose.get_by_role("button", name="reset all").first.click()
    np.testing.assert_array_equal(numbers(pose), V[WINNER])
    # Unmasked, all ten capsules go back; masked, only the one whose sliders are shown.
    pose.evaluate("posing.poses.forEach((own) => own.fill(0.125))")
    pose.get_by_role("button", name="reset all").first.click()
    np.testing.assert_array_equal(numbers(pose), V[WINNER])
    np.testing.assert_array_equal(numbers(pose, 4), [0.125] * 16)
    pose.locator(".choice", has_text="all ten, unmasked").click()
    pose.get_by_role("button", name="reset all").first.click()
    for digit in range(10):
        np.testing.assert_array_equal(numbers(pose, digit), V[digit])


def test_the_mean_pose_is_that_of_the_chosen_capsule(pose: Page) -> None:
    pose.get_by_test_id("capsule-4").click()
    pose.get_by_role("button", name="mean 4").click()
    settle(pose)
    mean = [known.mean for known in MEASURED.digits[4].components]
    np.testing.assert_allclose(numbers(pose, 4), mean, atol=1e-7)
    np.testing.assert_array_equal(numbers(pose), V[WINNER])
    assert_drawn(clay(pose), alone(np.array(mean), 4))


def test_what_nobody_measured_has_no_captions_and_claims_nothing(tab: Page) -> None:
    opened(tab, data=payload(measured=None))
    assert order(tab) == list(range(16))
    assert not tab.get_by_role("checkbox").is_visible()  # there is nothing to sort by
    expect(tab.locator(".posing .look").first).to_contain_text(
        "python -m capsviz poses --network RUN --data DATA"
    )
    assert tab.get_by_role("button", name=re.compile("mean")).count() == 0
    assert "training" not in tab.locator(".posing").inner_text().replace("never saw in training", "").replace(
        "decoder is trained", ""
    )
    assert track(tab, 3).get_attribute("aria-label") == "Dimension 3"
    moved = V[WINNER].astype(float)
    moved[9] -= 0.25
    assert_drawn(tab.get_by_test_id("low-9"), alone(moved))
    moved[9] += 0.5
    assert_drawn(tab.get_by_test_id("high-9"), alone(moved))
    set_pose(tab, np.array([0.9, *[0] * 15]))
    assert warning(tab) == ""


def test_the_legend_tells_what_was_measured_and_how(pose: Page) -> None:
    text = pose.locator(".pose-top .look").inner_text()
    assert "the middle 99% of training images" in text
    assert "the mean effect of +0.25, from 0.125 below the encoded value to 0.125 above" in text
    expect(pose.get_by_test_id("how-measured")).to_have_attribute("data-tip", MEASURED.explanation("digit"))
    different = payload()
    different["middle"] = 95.0
    opened(pose, data=different)
    assert "the middle 95% of training images" in pose.locator(".pose-top .look").inner_text()
    assert "middle 95%" in (pose.locator(".slider-head").first.get_attribute("data-tip") or "")
    set_pose(pose, V[WINNER] + np.eye(16)[2])
    assert "middle 95%" in warning(pose)


# --- a finger ---------------------------------------------------------------------------------------------


def swipe(page: Page, box: Locator, *moves: tuple[float, float]) -> None:
    """Touch the track a quarter from its right end, move through points relative to that, and let go."""
    box.scroll_into_view_if_needed()
    place = box.bounding_box()
    assert place is not None
    x, y = place["x"] + 0.75 * place["width"], place["y"] + place["height"] / 2
    touch = page.context.new_cdp_session(page)
    points = [("touchStart", (0.0, 0.0)), *(("touchMove", move) for move in moves), ("touchEnd", None)]
    for kind, point in points:
        at = [] if point is None else [{"x": x + point[0], "y": y + point[1]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
        page.wait_for_timeout(20)


def test_only_a_sideways_move_of_a_finger_bends_the_digit(pose: Page) -> None:
    box = track(pose, order(pose)[5])
    assert box.evaluate("(input) => getComputedStyle(input).touchAction") == "pan-y"
    pose.evaluate("() => { window.bent = 0; posing.touch = () => { bent += 1; }; }")
    for down in (1, -1):
        swipe(pose, box, *((2.0 * n, down * 8.0 * n) for n in range(1, 9)))
        assert pose.evaluate("bent") == 0
        np.testing.assert_array_equal(numbers(pose), V[WINNER])
    swipe(pose, box)  # a tap
    pose.wait_for_timeout(100)
    np.testing.assert_array_equal(numbers(pose), V[WINNER])
    assert float(box.input_value()) == pytest.approx(V[WINNER, order(pose)[5]], abs=6e-4)
    assert "pose=" not in query(pose)
    dimension, place = order(pose)[5], box.bounding_box()
    assert place is not None
    least, most = (float(box.get_attribute(name) or "nan") for name in ("min", "max"))
    swipe(pose, box, *((-4.0 * n, 2.0 * n) for n in range(1, 8)))
    share = (0.75 * place["width"] - 28 - 9) / (place["width"] - 18)  # where the finger is
    assert numbers(pose)[dimension] == pytest.approx(least + share * (most - least), abs=0.004)
    assert pose.evaluate("bent") > 0
    assert pose.locator(".slider.selected b").all_inner_texts() == [str(dimension)]
    assert "pose=" in query(pose)
    # Keys move it as ever.
    box.focus()
    pose.keyboard.press("End")
    assert numbers(pose)[dimension] == pytest.approx(float(box.get_attribute("max") or "nan"), abs=1e-6)


def test_a_finger_that_the_browser_takes_for_scrolling_leaves_the_pose(pose: Page) -> None:
    dimension = order(pose)[2]
    box = track(pose, dimension)
    found = box.evaluate(
        """(input) => {
            const send = (name, x, y) => input.dispatchEvent(new PointerEvent(name, { pointerType: "touch", clientX: x, clientY: y }));
            const set = (value) => { input.value = value; input.dispatchEvent(new Event("input")); };
            const at = () => posing.pose[posing.sliders.find((slider) => slider.input === input).dimension];
            const seen = [];
            send("pointerdown", 100, 100); set(input.max); seen.push(at());
            send("pointermove", 105, 100); set(input.max); seen.push(at()); // not far enough to tell
            send("pointermove", 106, 105); set(input.max); seen.push(at()); // sideways
            send("pointercancel", 130, 100); seen.push(at(), Number(input.value));
            send("pointerdown", 100, 100);
            send("pointermove", 106, 106); set(input.max); seen.push(at()); // as far down as across
            return seen;
        }"""
    )
    origin, most = float(V[WINNER, dimension]), float(box.get_attribute("max") or "nan")
    assert found == pytest.approx([origin, origin, most, origin, round(origin, 3), origin], abs=6e-4)


# --- sweep and morph --------------------------------------------------------------------------------------


def cells(page: Page) -> np.ndarray:
    """[16, 11, 30, 30, 3] the sweep grid, cut up."""
    picture = pixels(page.get_by_test_id("sweep"))
    return picture.reshape(16, 30, 11, 30, 3).swapaxes(1, 2)


def test_every_cell_of_the_sweep_is_its_dimension_at_its_step(pose: Page) -> None:
    bent = V[WINNER].astype(float)
    bent[2] += 0.1  # the others follow; its own row stays around the encoded value
    set_pose(pose, bent)
    for span in (0.25, 0.4):
        pose.get_by_label("Range of the sweep").fill(str(span))
        settle(pose)
        grid = cells(pose)
        for dimension in range(16):
            for step in range(11):
                moved = bent.copy()
                moved[dimension] = V[WINNER, dimension] + span * (step - 5) / 5
                if dimension == 2 and abs(span * (step - 5) / 5 - 0.1) < span / 5:
                    continue  # the frame of the pose of now lies over it
                found = grid[dimension, step, 1:29, 1:29, 0]
                assert np.abs(found - alone(moved)).max() <= 1, (dimension, step)
        expect(pose.get_by_label("Range of the sweep")).to_have_attribute("aria-valuetext", f"±{span:.2f}")
        assert pose.locator(".span output").inner_text() == f"±{span:.2f}"
        ends_and_middle = [f"−{span:.2f}", "0.00", f"+{span:.2f}"]
        columns = pose.locator(".sweep-columns span").all_inner_texts()
        assert [columns[0], columns[5], columns[10]] == ends_and_middle
        assert not any(text for at, text in enumerate(columns) if at % 5)


def test_the_pose_of_now_is_framed_in_the_sweep(pose: Page) -> None:
    orange = np.array(theme.FOR_COLOUR)

    def framed() -> list[tuple[int, int]]:
        """Rows, and pixels from the left, where an orange frame begins."""
        picture = pixels(pose.get_by_test_id("sweep"))
        frames = []
        for row in range(16):
            line = np.abs(picture[30 * row + 15] - orange).max(axis=1) < 40
            if line.any():
                frames.append((row, int(np.flatnonzero(line)[0])))
        return frames

    assert framed() == []
    for move, left in ((0.25, 300), (-0.25, 0), (0.1, 210)):
        moved = V[WINNER].astype(float)
        moved[9] += move
        set_pose(pose, moved)
        assert [row for row, _ in framed()] == [9]
        assert framed()[0][1] == pytest.approx(left, abs=1)
    moved[9] = V[WINNER, 9] + 0.26  # outside of the grid
    set_pose(pose, moved)
    assert framed() == []


def test_a_click_in_the_sweep_takes_the_pose_under_it(pose: Page) -> None:
    grid = pose.get_by_test_id("sweep")
    box = grid.bounding_box()
    assert box is not None
    for dimension, step in ((15, 0), (3, 10), (8, 6)):
        pose.get_by_role("button", name="reset all").first.click()
        place = {"x": (step + 0.5) / 11 * box["width"], "y": (dimension + 0.5) / 16 * box["height"]}
        grid.hover(position=place)
        move = 0.25 * (step - 5) / 5
        tip = f"dimension {dimension}, {number(move)}: click to take this pose"
        assert pose.locator(".tip").inner_text() == tip
        grid.click(position=place)
        expected = V[WINNER].astype(float)
        expected[dimension] += move
        np.testing.assert_allclose(numbers(pose), expected, atol=1e-6)
        assert pose.locator(".slider.selected b").all_inner_texts() == [str(dimension)]
        assert pose.locator(".sweep-labels .marked").all_inner_texts() == [str(dimension)]


def fed_of(*parts: tuple[int, Any, float]) -> np.ndarray:
    """[10, 16] of digits, their poses and the weight of each."""
    fed = np.zeros((10, 16))
    for digit, values, weight in parts:
        fed[digit] += weight * np.asarray(values, float)
    return fed


def test_a_morph_goes_in_a_straight_line_from_a_to_b(pose: Page) -> None:
    captions = pose.locator(".morph figcaption")
    assert captions.all_inner_texts() == ["A: this pose, a 6", "50% of the way", "B: “eight”, an 8"]
    pictures = pose.locator(".morph canvas")
    assert_drawn(pictures.nth(0), alone(V[WINNER]))
    assert_drawn(pictures.nth(2), alone(np.array(EXAMPLE["pose"]), 8))
    expect(pictures.nth(0)).to_have_attribute("aria-label", "Pose A, capsule 6")
    expect(pictures.nth(2)).to_have_attribute("aria-label", "Pose B, capsule 8")
    scrubber = pose.get_by_label("From A to B")
    for share, text in ((0, "0%"), (0.25, "25%"), (0.876, "88%"), (1, "100%")):
        scrubber.fill(str(share))
        fed = fed_of((WINNER, V[WINNER], 1 - share), (8, EXAMPLE["pose"], share))
        assert_drawn(pose.get_by_test_id("morph"), decoded(fed))
        assert captions.nth(1).inner_text() == f"{text} of the way"
        expect(scrubber).to_have_attribute("aria-valuetext", f"{text} of the way")


def test_a_and_b_can_be_kept_and_b_is_the_drawing_before(pose: Page) -> None:
    captions = pose.locator(".morph figcaption")
    bent = V[WINNER] + 0.02  # kept as it is now, not as it was encoded
    set_pose(pose, bent)
    pose.get_by_role("button", name="keep this pose as A").click()
    other = poses_of(8, 5)
    mount(pose, payload(other))
    assert captions.nth(0).inner_text() == "A: kept, a 6"
    assert_drawn(pose.locator(".morph canvas").nth(0), alone(bent))
    assert captions.nth(2).inner_text() == "B: the drawing before, a 6"
    assert_drawn(pose.locator(".morph canvas").nth(2), alone(V[WINNER]))
    pose.get_by_role("button", name="keep this pose as B").click()
    assert captions.nth(2).inner_text() == "B: kept, an 8"
    pose.get_by_label("From A to B").fill("0.25")
    assert_drawn(pose.get_by_test_id("morph"), decoded(fed_of((WINNER, bent, 0.75), (8, other[8], 0.25))))
    pose.get_by_role("button", name="let A go").click()
    assert captions.nth(0).inner_text() == "A: this pose, an 8"
    pose.get_by_label("From A to B").fill("0.25")  # of the same digit: in the same row
    assert_drawn(pose.get_by_test_id("morph"), alone(other[8], 8))
    pose.get_by_role("button", name="let B go").click()
    assert captions.nth(2).inner_text() == "B: the drawing before, a 6"


# --- what moves by itself ---------------------------------------------------------------------------------


def test_play_goes_between_the_ends_from_where_it_is(pose: Page) -> None:
    pose.evaluate(BY_HAND)
    track(pose, 11).focus()
    pose.get_by_role("button", name="play dimension 11").click()
    assert pose.evaluate("moved") == "play 11"
    low, high = ends(WINNER, 11)
    origin, middle, swing = float(V[WINNER, 11]), (low + high) / 2, (high - low) / 2
    phase = math.asin((origin - middle) / swing)
    for seconds in (0, 0.4, 1.1, 3, 40.25):
        pose.evaluate(f"frame({seconds})")
        wanted = middle + swing * math.sin(phase + 2 * math.pi * seconds / 3)
        expected = V[WINNER].astype(float)
        expected[11] = wanted
        np.testing.assert_allclose(numbers(pose), expected, atol=1e-6)
        assert pose.locator(".slider.selected .slider-value").inner_text() == number(numbers(pose)[11])
    assert numbers(pose)[11] <= high
    # From beyond the thick part it comes back: that is an end too.
    beyond = V[WINNER].astype(float)
    beyond[11] = high + 0.2
    set_pose(pose, beyond)
    pose.evaluate(BY_HAND)
    pose.evaluate("posing.play(11)")
    seen = []
    for seconds in (0, 1.5, 3):
        pose.evaluate(f"frame({seconds})")
        seen.append(numbers(pose)[11])
    assert seen == pytest.approx([high + 0.2, low, high + 0.2], abs=1e-6)


def test_a_walk_stays_near_and_within_what_a_capsule_can_be(pose: Page) -> None:
    pose.evaluate(BY_HAND)
    pose.evaluate("() => { let n = 0; Math.random = () => (n += 1) / 33; }")
    start = numbers(pose)
    pose.get_by_role("button", name="random walk").click()
    assert pose.evaluate("moved") == "walk"
    for seconds, fade in ((0, 0), (1, 0.5), (2, 1), (9.7, 1)):
        pose.evaluate(f"frame({seconds})")
        expected = start.copy()
        for d in range(16):
            period, phase = 4 + 6 * (2 * d + 1) / 33, (2 * d + 2) / 33
            low, high = ends(WINNER, d)
            expected[d] += fade * 0.18 * (high - low) * math.sin(2 * math.pi * (seconds / period + phase))
        np.testing.assert_allclose(numbers(pose), expected, atol=1e-6)
        texts = [float(track(pose, d).input_value()) for d in range(16)]
        np.testing.assert_allclose(texts, expected, atol=6e-4)
    # A pose almost as long as can be: in no direction is more left, and the others are kept as they are.
    long = start / np.linalg.norm(start) * 0.9989
    set_pose(pose, long)
    pose.evaluate("() => { let n = 0; Math.random = () => (n += 1) / 33; }")
    pose.evaluate(BY_HAND)
    pose.evaluate("posing.walk()")
    lengths = []
    for seconds in np.arange(0, 60, 0.7):
        pose.evaluate(f"frame({seconds})")
        walked = numbers(pose)
        free = long.copy()
        fade = min(seconds / 2, 1)
        for d in range(16):
            period, phase = 4 + 6 * (2 * d + 1) / 33, (2 * d + 2) / 33
            low, high = ends(WINNER, d)
            free[d] += fade * 0.18 * (high - low) * math.sin(2 * math.pi * (seconds / period + phase))
        length = np.linalg.norm(free)
        np.testing.assert_allclose(walked, free * min(1, 0.999 / length), atol=1e-6)
        lengths.append(np.linalg.norm(walked))
    assert max(lengths) < 1
    assert max(lengths) == pytest.approx(0.999, abs=1e-5)
    settle(pose)
    assert "No capsule can be this long" not in warning(pose)


def test_a_loop_goes_there_and_back_in_four_seconds(pose: Page) -> None:
    pose.evaluate(BY_HAND)
    pose.get_by_role("button", name="loop").click()
    assert pose.evaluate("moved") == "morph"
    for seconds, share in ((0, 0), (2, 1), (1, 0.5), (4, 0), (0.5, 0.5 - math.sqrt(0.125))):
        pose.evaluate(f"frame({seconds})")
        assert float(pose.get_by_label("From A to B").input_value()) == pytest.approx(share, abs=6e-4)
    assert pose.locator(".morph figcaption").nth(1).inner_text() == "15% of the way"


def test_one_thing_at_a_time_moves_and_says_how_to_stop_it(pose: Page) -> None:
    first = order(pose)[0]
    play = pose.get_by_role("button", name=f"play dimension {first}")
    walk = pose.get_by_role("button", name="random walk")
    stop = pose.get_by_role("button", name="■ stop")
    play.click()
    assert stop.count() == 1
    expect(stop).to_have_attribute("aria-pressed", "true")
    walk.click()
    assert stop.count() == 1
    expect(play).to_be_visible()
    pose.get_by_role("button", name="loop").click()
    assert stop.count() == 1
    stop.click()
    assert stop.count() == 0
    assert pose.evaluate("posing.motion") is None
    for end in ("Escape", "ArrowRight"):
        walk.click()
        track(pose, 3).focus()
        pose.keyboard.press(end)
        assert stop.count() == 0
    before = pose.evaluate("posing.painted")
    play.first.click() if play.count() else pose.get_by_role("button", name="play dimension").click()
    pose.wait_for_timeout(300)
    assert pose.evaluate("posing.painted") > before + 3
    pose.keyboard.press("Escape")


# --- the address ------------------------------------------------------------------------------------------


def joined(values: Any) -> str:
    return ",".join(f"{value:g}" for value in np.ravel(values))


GIVEN = np.round(np.linspace(-0.5, 0.4, 16), 3)


def notice(page: Page) -> str:
    return page.locator(".notice").inner_text() if page.locator(".notice").is_visible() else ""


def test_a_link_opens_its_pose(tab: Page) -> None:
    opened(tab, f"digit=3&pose={joined(GIVEN)}")
    np.testing.assert_allclose(numbers(tab, 3), GIVEN, atol=1e-7)
    np.testing.assert_array_equal(numbers(tab), V[WINNER])
    assert_drawn(clay(tab), alone(GIVEN, 3))
    assert "capsule 3" in status(tab)
    assert "comes with the link" in notice(tab)
    tab.get_by_role("button", name="reset all").first.click()
    np.testing.assert_array_equal(numbers(tab, 3), V[3])
    assert notice(tab) == ""
    opened(tab, f"pose={joined(GIVEN)}")  # without a digit: of the drawing's own
    np.testing.assert_allclose(numbers(tab), GIVEN, atol=1e-7)
    opened(tab, "digit=9")
    assert_drawn(clay(tab), alone(V[9], 9))
    assert notice(tab) == ""
    every = np.round(np.linspace(-2, 2, 160), 3).reshape(10, 16)
    opened(tab, f"digit=0&pose={joined(every)}")
    assert_drawn(clay(tab), decoded(every))
    assert "all ten; the sliders move capsule 0" in status(tab)
    opened(tab, "pose=" + ",".join(["-2", "2", "1e-7", " 0.5", "-1.5e-2", *["0"] * 11]))
    np.testing.assert_allclose(numbers(tab)[:5], [-2, 2, 1e-7, 0.5, -0.015], rtol=1e-6)


LONG = "9" * 5000
WRONG = [
    ("digit=12", "digit “12” is none of 0 to 9:"),
    ("digit=12345678901234567890", "digit “12345678901234567890” is none of 0 to 9:"),
    ("digit=", "digit nothing is none of 0 to 9:"),
    ("digit=٣", "digit “?” is none of 0 to 9:"),
    ("digit=-1", "digit “-1” is none of 0 to 9:"),
    (f"digit={LONG}", f"digit “{'9' * 20}…” is none of 0 to 9:"),
    ("digit=![](//a.b/c)<b>", "digit “??????a.b?c??b?” is none of 0 to 9:"),
    (f"digit=x&pose={joined(GIVEN)}", "digit “x” is none of 0 to 9:"),
    (f"digit=3&pose={joined(GIVEN[1:])}", "pose holds 15 instead of 16 numbers (or 160 for all capsules):"),
    (f"pose={joined([*GIVEN, 0])}", "pose holds 17 instead"),
    (f"pose={joined([0] * 161)}", "pose holds more than 160 instead"),
    (f"pose={'0,' * 2500}", "pose holds more than 160 instead"),
    ("pose=", "pose holds 1 instead"),
    (f"digit=x&pose={LONG}", "digit “x” is none of 0 to 9, and its pose holds 1 instead"),
    *(
        (f"digit=3&pose={joined(GIVEN[:15])},{bad}", f"pose has {said}, which is no number from −2 to 2:")
        for bad, said in [
            ("NaN", "“NaN”"),
            ("", "nothing"),
            ("2.001", "“2.001”"),
            ("-2.001", "“-2.001”"),
            ("1e99", "“1e99”"),
            ("0x1", "“0x1”"),
            ("Infinity", "“Infinity”"),
            ("٠.١", "“?.?”"),
            ("1e1", "“1e1”"),
            (LONG, f"“{'9' * 20}…”"),
        ]
    ),
]


@pytest.mark.parametrize(("asked", "said"), WRONG, ids=[asked[:30] for asked, _ in WRONG])
def test_a_bad_part_of_a_link_is_refused_and_none_of_it_taken(tab: Page, asked: str, said: str) -> None:
    opened(tab, asked)
    assert said in notice(tab)
    assert notice(tab).startswith("The link’s ")
    assert notice(tab).endswith("the drawing’s own pose is shown instead.")
    assert len(notice(tab)) < 200
    assert "capsule 6" in status(tab)
    for digit in (3, WINNER):
        np.testing.assert_array_equal(numbers(tab, digit), V[digit])


def test_the_address_carries_the_pose_exactly(pose: Page) -> None:
    assert query(pose) == ""
    awkward = np.float32(np.random.default_rng(3).normal(0, 0.3, 16) * 10.0 ** -np.arange(16))
    pose.get_by_test_id("capsule-2").click()
    set_pose(pose, awkward)
    asked = query(pose)
    assert asked.startswith("?digit=2&pose=")
    carried = [np.float32(float(text)) for text in asked.split("pose=")[1].split(",")]
    np.testing.assert_array_equal(carried, awkward)
    assert "%2C" not in asked
    opened(pose, asked[1:])
    np.testing.assert_array_equal(np.float32(numbers(pose, 2)), awkward)
    pose.locator(".choice", has_text="all ten, unmasked").click()
    every = [np.float32(float(text)) for text in query(pose).split("pose=")[1].split(",")]
    expected = V.copy()
    expected[2] = awkward
    np.testing.assert_array_equal(np.reshape(every, (10, 16)), expected)
    # A link goes on to say how many iterations, and what else other pages keep in it.
    opened(pose, f"R=5&digit=2&pose={joined(GIVEN)}")
    mount(pose, payload(poses_of(4, 9)))
    assert query(pose) == "?R=5"


# --- other drawings, other pages --------------------------------------------------------------------------


def test_another_drawing_brings_its_winner_unless_a_digit_was_pinned(pose: Page) -> None:
    pose.get_by_test_id("capsule-2").click()  # chosen, and not asked to stay
    third = poses_of(4, 9)
    mount(pose, payload(third))
    assert "capsule 4, |v| = 0.800" in status(pose)
    assert_drawn(clay(pose), alone(third[4], 4))
    pose.get_by_test_id("capsule-2").click()
    pose.locator(".choice", has_text="chosen by hand").click()
    fourth = poses_of(7, 10)
    mount(pose, payload(fourth))
    assert_drawn(clay(pose), alone(fourth[2], 2))
    pose.locator(".choice", has_text="winner").click()
    settle(pose)
    assert_drawn(clay(pose), alone(fourth[7], 7))


def test_whoever_comes_back_finds_the_page_as_it_was(pose: Page) -> None:
    pose.get_by_test_id("capsule-2").click()
    set_pose(pose, GIVEN)
    pose.get_by_label("Range of the sweep").fill("0.4")
    pose.get_by_label("From A to B").fill("0.75")
    track(pose, 13).focus()
    pose.wait_for_function("location.search.includes('dimension=13')")  # the address follows a little later
    asked = query(pose)
    pose.evaluate("leave()")
    assert pose.locator(".posing").count() == 0
    pose.evaluate("history.replaceState(null, '', '/')")
    mount(pose, payload())
    np.testing.assert_allclose(numbers(pose, 2), GIVEN, atol=1e-7)
    assert_drawn(clay(pose), alone(GIVEN, 2))
    pose.wait_for_function("(asked) => location.search === asked", arg=asked)
    assert pose.get_by_label("Range of the sweep").input_value() == "0.4"
    assert pose.get_by_label("From A to B").input_value() == "0.75"
    assert pose.locator(".span output").inner_text() == "±0.40"
    assert pose.locator(".slider.selected b").all_inner_texts() == ["13"]
    pose.evaluate("leave()")
    other = poses_of(4, 9)
    mount(pose, payload(other))
    assert_drawn(clay(pose), alone(other[4], 4))
    # What is looked at stays; the pose of another drawing goes.
    pose.wait_for_function("location.search === '?dimension=13&span=8'")
    assert pose.get_by_label("Range of the sweep").input_value() == "0.4"


# --- waiting for the decoder ------------------------------------------------------------------------------


def test_until_the_decoder_comes_the_server_s_picture_is_shown_and_said_what_is_missing(tab: Page) -> None:
    tab.goto(ADDRESS)
    tab.wait_for_function("window.lab")
    mount(tab, payload())
    assert_drawn(clay(tab), np.rint(255 * DRAWN))
    assert status(tab) == "capsule 6, |v| = 0.800"
    assert "on its way" in warning(tab)
    assert "2.8 MB" in warning(tab)
    assert tab.locator(".posing.waiting").count() == 1
    # Everything in its place, and nothing to be moved.
    assert order(tab)[0] == max(range(16), key=lambda d: MEASURED.digits[WINNER].components[d].strength)
    assert tab.locator(".slider-value").first.inner_text() == number(float(V[WINNER, order(tab)[0]]))
    assert tab.locator(".morph figcaption").first.inner_text() == "A: this pose, a 6"
    for part in (".sliders", ".pose-left .pose-tools", ".pose-middle"):
        assert tab.locator(part).evaluate("(node) => node.inert")
    size = tab.locator(".posing").bounding_box()
    tab.evaluate(MOUNT, [payload(), PACKED])  # the decoder is there now, and says so
    tab.evaluate("window.dispatchEvent(new Event('capsviz-decoder'))")
    settle(tab)
    assert_drawn(clay(tab), alone(V[WINNER]))
    assert warning(tab) == ""
    assert tab.locator(".posing.waiting").count() == 0
    assert not tab.locator(".sliders").evaluate("(node) => node.inert")
    assert tab.locator(".posing").bounding_box() == size  # nothing has jumped
    assert tab.evaluate("reports") == []


def test_a_decoder_is_fetched_once_and_stored_beside_that_of_another_network(pose: Page) -> None:
    pose.add_script_tag(content='import store from "/store.js"; window.store = store;', type="module")
    pose.wait_for_function("typeof window.store === 'function'")
    other, asked = "fedcba9876543210", []

    def serve(route: Route) -> None:
        asked.append(route.request.url.rpartition("/")[2])
        route.fulfill(body=decoder_payload(LAYERS, asked[-1]))

    pose.route("**/decoders/*", serve)
    seen = pose.evaluate(
        """async (rounds) => {
            const seen = [];
            window.addEventListener("capsviz-decoder", () => seen.push(Object.keys(window.capsvizDecoder).join()));
            window.capsvizDecoder = undefined;
            for (const names of rounds) {
                await Promise.all(names.map((name) => new Promise((done) => {
                    const setStateValue = (...what) => done(seen.push(what));
                    store({ data: { name, address: `decoders/${name}` }, setStateValue });
                })));
            }
            return seen;
        }""",
        [[NAME, NAME], [other], [NAME]],
    )
    assert asked == [NAME, other]
    assert seen == [
        NAME,
        ["stored", NAME],
        ["stored", NAME],
        f"{NAME},{other}",
        ["stored", other],
        ["stored", NAME],
    ]


# --- what is taken along ----------------------------------------------------------------------------------


TOLD = """() => {
    const asked = new CustomEvent("capsviz-taking", { detail: {} });
    window.dispatchEvent(asked);
    return asked.detail;
}"""


def told(page: Page) -> dict[str, Any]:
    """What the view tells when a file is asked for."""
    found: dict[str, Any] = page.evaluate(TOLD)
    return found


def test_what_a_file_is_made_of(pose: Page) -> None:
    bent = np.float32(V[WINNER] + 0.0123456)
    set_pose(pose, bent)
    track(pose, 12).focus()
    pose.get_by_label("Range of the sweep").fill("0.35")
    found = told(pose)
    assert found["page"]["digit"] == found["sweep"]["digit"] == 6
    np.testing.assert_array_equal(
        [float(part) for part in found["page"]["pose"].split(",")], bent.astype(float)
    )
    sweep = found["sweep"]["motion"]
    around = bent.astype(float)
    around[12] = V[WINNER, 12]  # as in the grid, around the encoded value
    assert (sweep["kind"], sweep["digit"], sweep["dimension"], sweep["span"]) == ("sweep", 6, 12, 0.35)
    np.testing.assert_array_equal(sweep["pose"], around)
    morph = found["morph"]["motion"]
    assert (morph["kind"], morph["a"]["digit"], morph["b"]["digit"]) == ("morph", 6, 8)
    np.testing.assert_array_equal(morph["a"]["pose"], bent.astype(float))
    assert morph["b"]["pose"] == EXAMPLE["pose"]
    pose.locator(".choice", has_text="all ten, unmasked").click()
    found, every = told(pose), V.astype(float)
    every[WINNER] = around
    np.testing.assert_array_equal(found["sweep"]["motion"]["pose"], every)
    every[WINNER] = bent
    numbers = [float(part) for part in found["page"]["pose"].split(",")]
    np.testing.assert_array_equal(numbers, every.ravel())


# --- for eyes and hands of every kind ---------------------------------------------------------------------


def accessible(page: Page) -> list[tuple[str, str, str, str]]:
    """Role, name, what is read out as its value, and level, of all that a screen reader meets."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    found = []
    for node in tree:
        if node.get("ignored"):
            continue
        extra = {item["name"]: str(item["value"].get("value")) for item in node.get("properties", [])}
        name = str(node.get("name", {}).get("value", ""))
        found.append((node["role"]["value"], name, extra.get("valuetext", ""), extra.get("level", "")))
    return found


def test_a_screen_reader_meets_names_and_short_numbers(pose: Page) -> None:
    met = accessible(pose)
    sliders = [(name, value) for role, name, value, _ in met if role == "slider"]
    assert len(sliders) == 18
    assert len({name for name, _ in sliders}) == 18
    assert all(len(value) <= 6 for _, value in sliders)
    pictures = [name for role, name, _, _ in met if role in ("image", "img", "Canvas", "graphics-document")]
    thumbnails = [
        name for name in pictures if re.fullmatch(r"Dimension \d+ at its (low|high) end, [−+]?0\.\d{3}", name)
    ]
    assert len(set(thumbnails)) == len(thumbnails) == 32
    assert all(pictures)
    assert len(set(pictures)) == len(pictures) == 32 + 6  # clay, inputs, grid, A, B and what is between
    levels = [int(level) for role, _, _, level in met if role == "heading"]
    assert levels == [2] * 3  # below the page's own h1


def test_under_forced_colours_nothing_told_by_a_background_is_lost(pose: Page, tmp_path: Path) -> None:
    pose.emulate_media(forced_colors="active", color_scheme="light")
    try:
        dimension = order(pose)[0]
        moved = V[WINNER].astype(float)
        moved[dimension] = ends(WINNER, dimension)[1] + 0.05
        set_pose(pose, moved)
        pose.screenshot(path=tmp_path / "page.png")
        picture = np.asarray(Image.open(tmp_path / "page.png").convert("RGB")).astype(int)

        def seen(box: Locator) -> np.ndarray:
            place = box.bounding_box()
            assert place is not None
            top, left = round(place["y"]), round(place["x"])
            return picture[top : top + round(place["height"]), left : left + round(place["width"])]

        lines = seen(track(pose, dimension)).max(axis=2)
        assert (lines[1] < 60).sum() in range(2, 6)  # the mark
        middle = len(lines) // 2
        assert (lines[middle] < 150).mean() > 0.8  # the track
        assert (lines[middle - 3] < 200).sum() > 20  # the thick part
        for chosen, other in (
            (pose.get_by_test_id("capsule-6"), pose.get_by_test_id("capsule-5")),
            (pose.locator(".choice span").nth(0), pose.locator(".choice span").nth(1)),
        ):
            chosen.scroll_into_view_if_needed()
            styles = [
                box.evaluate("(node) => getComputedStyle(node).backgroundColor") for box in (chosen, other)
            ]
            assert styles[0] != styles[1]
        outline = "(node) => getComputedStyle(node).outlineStyle"
        assert pose.locator(".slider.selected").evaluate(outline) == "solid"
        assert pose.locator(".slider:not(.selected)").first.evaluate(outline) == "none"
    finally:
        pose.emulate_media(forced_colors="none", color_scheme=None)


def test_with_more_contrast_lines_and_notes_are_as_dark_as_text(pose: Page) -> None:
    colour = "(node) => getComputedStyle(node).color"
    soft = pose.locator(".slider-caption").first
    text = pose.locator(".posing").evaluate(colour)
    assert soft.evaluate(colour) != text
    pose.emulate_media(contrast="more")
    try:
        assert soft.evaluate(colour) == text
    finally:
        pose.emulate_media(contrast=None)


@pytest.mark.parametrize(
    ("width", "height", "most"),
    [(872, 600, 16), (772, 700, 16), (616, 650, 8), (503, 356, 3), (358, 560, 3)],
    ids=["1280x720", "1180x820", "1024x768", "911x512", "390x844"],
)
def test_picture_and_sliders_are_in_sight_together(tab: Page, width: int, height: int, most: int) -> None:
    """In the room that the frame leaves of such a screen, below the page's question."""
    try:
        tab.set_viewport_size({"width": width, "height": height})
        opened(tab)

        def inside(box: Locator) -> bool:
            place = box.bounding_box()
            assert place is not None
            return place["y"] >= -1 and place["y"] + place["height"] <= height + 1

        sliders = [track(tab, dimension) for dimension in order(tab)]
        assert inside(clay(tab))
        assert sum(map(inside, sliders)) >= most
        for box in sliders:  # the digit stays, wherever one has scrolled
            box.scroll_into_view_if_needed()
            assert inside(clay(tab))
            ours, other = box.bounding_box(), clay(tab).bounding_box()
            assert ours is not None
            assert other is not None
            assert ours["y"] > other["y"] + other["height"] or ours["x"] > other["x"] + other["width"]
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        tab.set_viewport_size({"width": 1200, "height": 900})
