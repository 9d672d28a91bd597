"""What comes from a browser or a link: parsed into checked values, or refused with one short sentence."""

import json
import math
from typing import Any

import numpy as np
import pytest
from reference import assert_one_sentence

from capsviz import checks
from capsviz.app import messages
from capsviz.app.messages import parse_canvas, parse_framing, parse_kept, tag_object
from capsviz.errors import MessageError
from capsviz.inputs import drawings
from capsviz.inputs.drawings import Drawing, encode

# --- numbers and words ----------------------------------------------------------------------------------


def refusal(parse: Any, *arguments: object) -> str:
    with pytest.raises(MessageError) as refused:
        parse(*arguments)
    assert_one_sentence(str(refused.value), "")
    assert len(str(refused.value)) < 250
    return str(refused.value)


@pytest.mark.parametrize(("value", "number"), [(1, 1), (10, 10), (3.0, 3), (np.int64(4), 4)])
def test_whole_numbers_are_taken_from_the_first_to_the_last(value: object, number: int) -> None:
    found = checks.whole(value, 1, 10, "R")
    assert found == number
    assert type(found) is int


@pytest.mark.parametrize(
    "value",
    [0, 11, 2.5, True, False, None, "3", [3], {}, math.nan, math.inf, -math.inf, 10**400, 1e300, 3 + 0j],
)
def test_what_is_no_whole_number_in_range_is_refused(value: object) -> None:
    assert "R must be a whole number from 1 to 10" in refusal(checks.whole, value, 1, 10, "R")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "11",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "1e0",
        "٣",
        "３",
        "²",
        "many",
        "9" * 5000,
        "010",
        "1\n",
        "1\x00",
        "001",
    ],
)
def test_what_a_link_says_is_a_number_of_plain_digits_or_refused(text: str) -> None:
    refusal(checks.whole_of_text, text, 1, 10, "R")
    assert checks.whole_of_text("7", 1, 10, "R") == 7
    assert checks.whole_of_text("10", 1, 10, "R") == 10


@pytest.mark.parametrize("value", [-2.5, 2.5, 0, np.float32(1.5)])
def test_numbers_are_taken_from_the_least_to_the_most(value: float) -> None:
    found = checks.real(value, -2.5, 2.5, "x")
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize("value", [-2.51, 2.51, math.nan, math.inf, True, None, "1", [1], 10**400])
def test_what_is_no_number_in_range_is_refused(value: object) -> None:
    assert "x must be a number from −2.5 to 2.5" in refusal(checks.real, value, -2.5, 2.5, "x")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ab-1.5, +2", "“ab-1.5, +2”"),
        ("x" * 20, f"“{'x' * 20}”"),
        ("x" * 21, f"“{'x' * 20}…”"),
        ("![](//a.b/c)", "“????//a.b/c?”".replace("/", "?")),
        ("<b>&amp;`$x$", "“?b??amp???x?”"),
        ("a\nb\u202ec", "“a?b?c”"),
        ("", "something else"),
        (None, "something else"),
        ([1], "something else"),
        (True, "“True”"),
        (12.5, "“12.5”"),
        (-7, "“-7”"),
        (10**19, "“10000000000000000000”"),
    ],
)
def test_a_sentence_repeats_little_of_what_was_sent_and_nothing_that_could_be_markup(
    value: object, shown: str
) -> None:
    assert checks.quoted(value) == shown


def test_a_number_longer_than_python_writes_is_not_repeated() -> None:
    assert checks.quoted(10**5000) == "something else"
    assert "R must be a whole number" in refusal(checks.whole, -(10**5000), 1, 10, "R")


# --- the canvas -----------------------------------------------------------------------------------------

LINE = {"type": "Path", "path": [["M", 40, 50], ["L", 200, 50]], "strokeWidth": 18}


def canvas(*objects: object) -> dict[str, Any]:
    return {"drawing": {"raw": {"objects": list(objects)}, "data": "data:image/png;base64,%!PS"}}


def test_the_canvas_says_what_it_was_told_and_what_came_after() -> None:
    sent = parse_canvas(canvas(tag_object((7, 3)), {"type": "Image"}, LINE, {**LINE, "strokeWidth": 8.5}), 2)
    assert sent.tag == (7, 3)
    assert sent.objects == 3
    (stroke,) = sent.strokes
    assert stroke.width == 17
    np.testing.assert_array_equal(stroke.points, [[80, 100], [400, 100]])
    assert len(parse_canvas(canvas(tag_object((7, 3)), {"type": "Image"}, LINE, LINE), None).strokes) == 2


def test_a_canvas_without_a_tag_has_none() -> None:
    assert parse_canvas(canvas(), 0) == messages.Canvas(None, 0, ())
    sent = parse_canvas(canvas(LINE), 0)
    assert (sent.tag, sent.objects, len(sent.strokes)) == (None, 1, 1)


def test_curves_are_followed_to_a_tenth_of_a_pixel() -> None:
    """A quarter of a circle, nearly: its point for t = 1/2 is (p0 + 2 p1 + p2) / 4."""
    curve = messages._curve((0, 0), (50, 0), (50, 50))
    assert curve[-1] == (50, 50)
    line = np.array([(0.0, 0.0), *curve])
    t = np.linspace(0, 1, 500)[:, None]
    true = 2 * t * (1 - t) * [50, 0] + t * t * np.array([50, 50])
    for point in true[::7]:
        a, b = line[:-1], line[1:]
        along = np.clip(((point - a) * (b - a)).sum(1) / ((b - a) ** 2).sum(1), 0, 1)
        assert np.hypot(*(a + along[:, None] * (b - a) - point).T).min() <= 0.1001
    assert any(np.allclose(point, (37.5, 12.5)) for point in curve)
    assert messages._curve((0, 0), (5, 0), (10, 0)) == [(10, 0)]  # no curve
    assert len(messages._curve((0, 0), (8000, -8000), (0, 0))) == messages.MOST_PIECES


def test_a_stroke_of_the_canvas_goes_through_its_curves() -> None:
    path = [["M", 0, 100], ["Q", 100, 0, 200, 100], ["L", 200, 200]]
    (stroke,) = parse_canvas(canvas({"type": "Path", "path": path, "strokeWidth": 18}), 0).strokes
    assert stroke.points[0].tolist() == [0, 200]
    assert stroke.points[-1].tolist() == [400, 400]
    top = stroke.points[:, 1].min()
    assert abs(top - 2 * 50) <= 1  # the curve's highest point, half way to its control point


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "state",
    [
        None,
        7,
        "text",
        [],
        {},
        {"drawing": None},
        {"drawing": {}},
        {"drawing": {"raw": None}},
        {"drawing": {"raw": {"objects": {}}}},
        {"drawing": {"raw": {"objects": "many"}}},
        canvas(None),
        canvas("Path"),
        canvas(LINE, 7),
        canvas(*[LINE] * (messages.MOST_OBJECTS + 1)),
        canvas({"type": "Rect", "width": "1", "height": 2}),
        canvas({"type": "Rect", "width": 2**31 + 1, "height": 2}),
        canvas({"type": "Rect", "width": -1, "height": 2}),
        canvas({"type": "Path"}),
        canvas({"type": "Path", "path": [["M", 1, 2]]}),
        canvas({"type": "Path", "strokeWidth": 18}),
        *(
            canvas({"type": "Path", "path": path, "strokeWidth": 18})
            for path in (
                None,
                [],
                {},
                "M 1 2",
                [None],
                [[]],
                [["M"]],
                [["M", 1]],
                [["M", 1, 2, 3]],
                [["M", "1", 2]],
                [["M", None, 2]],
                [["M", True, 2]],
                [["M", math.nan, 2]],
                [["M", math.inf, 2]],
                [["M", 8001, 2]],
                [["M", 1, -8001]],
                [["L", 1, 2]],
                [["M", 1, 2], ["M", 1, 2]],
                [["M", 1, 2], ["Q", 1, 2]],
                [["M", 1, 2], ["C", 1, 2, 3, 4, 5, 6]],
                [["M", 1, 2], [nested(50), 1, 2]],
                [["M", 1, 2], ["L", nested(50), 2]],
                [["M", 1, 2], *[["L", 1, 2]] * drawings.MOST_POINTS],
            )
        ),
        *(
            canvas({"type": "Path", "path": [["M", 1, 2]], "strokeWidth": width})
            for width in (None, "18", 0, 0.99, 40.01, -1, math.nan, math.inf, True, [18])
        ),
    ],
)
def test_what_no_canvas_sends_is_refused_with_one_sentence(state: object) -> None:
    refusal(parse_canvas, state, 0)


def test_a_stroke_of_very_many_curves_is_refused() -> None:
    path = [["M", 0, 0], *[["Q", 8000, -8000, 0, 0]] * 1000]
    assert "10,000 points" in refusal(
        parse_canvas, canvas({"type": "Path", "path": path, "strokeWidth": 18}), 0
    )


@pytest.mark.parametrize(
    ("path", "width"), [([["M", 8000, -8000]], 1), ([["M", 1, 2], ["L", 1, 2]], 40), ([["M", 1, 2]], 40.0)]
)
def test_the_last_that_is_allowed_is_taken(path: list[list[object]], width: float) -> None:
    (stroke,) = parse_canvas(canvas({"type": "Path", "path": path, "strokeWidth": width}), 0).strokes
    assert stroke.width == 2 * width
    assert len(stroke.points) == 1


# --- what the browser kept ------------------------------------------------------------------------------

KEPT = {
    "drawing": encode(Drawing(example=3)),
    "told": encode(Drawing(example=4)),
    "tag": [5, 6],
    "width": 24,
    "live": True,
    "search": "?R=5",
    "sent": 1.5,
}


def test_what_the_browser_kept_is_read() -> None:
    kept = parse_kept(json.loads(json.dumps(KEPT)), (6, 30))
    assert (kept.drawing.example, kept.told.example, kept.tag, kept.width, kept.live) == (
        3,
        4,
        (5, 6),
        24,
        True,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"drawing": "nonsense"},
        {"drawing": 5},
        {"drawing": None},
        {"told": "nonsense"},
        {"told": None},
        {"live": 1},
        {"live": None},
        {"search": None},
        {"search": 7},
        {"tag": None},
        {"tag": [1]},
        {"tag": [1, 2, 3]},
        {"tag": ["1", 2]},
        {"tag": [1, -1]},
        {"width": 5},
        {"width": 31},
        {"width": "18"},
        {"width": None},
    ],
)
def test_what_no_browser_kept_is_refused(change: dict[str, object]) -> None:
    refusal(parse_kept, {**KEPT, **change}, (6, 30))
    for name in change:
        refusal(parse_kept, {key: value for key, value in KEPT.items() if key != name}, (6, 30))


@pytest.mark.parametrize("value", [None, 1, "x", [], {}])
def test_no_mapping_is_refused_everywhere(value: object) -> None:
    refusal(parse_kept, value, (6, 30))
    refusal(parse_framing, value)


# --- the crop of a picture ------------------------------------------------------------------------------


def test_a_crop_and_points_are_read_in_their_order() -> None:
    found = parse_framing({"crop": [0.1, 0.2, 0.7, 0.9], "without": [[0.3, 0.4], [0, 1]]})
    assert found.crop == (0.1, 0.2, 0.7, 0.9)
    assert found.without == ((0.3, 0.4), (0.0, 1.0))
    assert parse_framing({"crop": None, "without": []}) == messages.Framing()


@pytest.mark.parametrize(
    "change",
    [
        {"crop": [0.1, 0.2, 0.7]},
        {"crop": [0.1, 0.2, 0.7, 1.01]},
        {"crop": [-0.1, 0.2, 0.7, 1]},
        {"crop": [0.7, 0.2, 0.1, 0.9]},
        {"crop": [0.1, 0.9, 0.7, 0.2]},
        {"crop": [0.1, 0.2, 0.11, 0.9]},
        {"crop": [0.1, 0.2, 0.9, 0.21]},
        {"crop": [0.1, math.nan, 0.9, 0.9]},
        {"crop": "all"},
        {"without": None},
        {"without": [[0.1]]},
        {"without": [[0.1, 0.2, 0.3]]},
        {"without": [[0.1, 1.2]]},
        {"without": [[-0.1, 0.2]]},
        {"without": [["a", 0.2]]},
        {"without": [0.1]},
        {"without": [[0.1, 0.2]] * (messages.MOST_WITHOUT + 1)},
    ],
)
def test_an_impossible_crop_is_refused(change: dict[str, object]) -> None:
    refusal(parse_framing, {"crop": None, "without": [], **change})
    assert len(parse_framing({"crop": None, "without": [[0.1, 0.2]] * messages.MOST_WITHOUT}).without) == 40
