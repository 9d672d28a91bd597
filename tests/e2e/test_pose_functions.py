"""Each function of the Pose page, the pad and the picture dialog that computes a number or a place, by itself.

The modules are loaded as a browser loads them. What they should give is written by hand, or computed again in Python,
for a network of another shape than the shipped one: 20 pixels, three classes with names, five numbers in a pose.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from capsviz import texts
from tests.e2e.native import ADDRESS, importing, offer

MODULES = {
    "poses": "endsOf, rangeOf, strongestFirst, outside, feed, between, lengthOf, swing, readPose, linkTo",
    "decoder": "Decoder",
    "sweep": "moveOf, columnLabel",
    "morph": "endCaption",
    "picture": "withCorner, shifted, rounded",
    "drawing": "fixed, signedText, percent",
    "texts": "say, speak, spelled, kindWords, capital, number, percentSign, vector",
}
CLASSES, DIMENSIONS, PIXELS = 3, 5, 20 * 20


@pytest.fixture(scope="module")
def lab(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(10_000)
    offer(page, f'<!doctype html><meta charset="utf-8"><script type="module">{importing(MODULES)}</script>')
    page.goto(ADDRESS)
    page.wait_for_function("window.lab")
    page.evaluate("(sent) => lab.speak(sent)", texts.for_script("common", "pose", "picture"))
    yield page
    page.close()


def called(lab: Page, name: str, *arguments: Any) -> Any:
    """What a function gives; an array of numbers as a list."""
    return lab.evaluate(
        """([name, values]) => {
            const found = lab[name](...values);
            return ArrayBuffer.isView(found) ? Array.from(found) : found;
        }""",
        [name, arguments],
    )


# --- poses ------------------------------------------------------------------------------------------------


def test_ends_are_what_training_showed_or_a_quarter_to_either_side(lab: Page) -> None:
    known = {"low": -0.5, "high": 0.25, "mean": 0, "strength": 1, "caption": ""}
    found = called(lab, "endsOf", known, 3)
    assert (found["low"], found["high"]) == (-0.5, 0.25)
    assert called(lab, "endsOf", None, 0.125) == {"low": -0.125, "high": 0.375}


@pytest.mark.parametrize(
    ("low", "high", "origin", "now", "expected"),
    [
        (0, 1, 0.5, 0.5, [-0.3, 1.3]),  # 0.3 of what lies between
        (-1, 1, 0, 0, [-1.6, 1.6]),
        (0, 0.125, 0.0625, 0.0625, [-0.038, 0.163]),  # 0.1 round the encoded value is wider
        (0, 1, -0.5, 0.5, [-0.6, 1.3]),
        (0, 1, 1.5, 0.5, [-0.3, 1.6]),
        (0, 1, 0.5, -1.2345, [-1.235, 1.3]),  # whole thousandths, outwards
        (0, 1, 0.5, 1.9871, [-0.3, 1.988]),
    ],
)
def test_a_slider_s_range(
    lab: Page, low: float, high: float, origin: float, now: float, expected: list[float]
) -> None:
    assert called(lab, "rangeOf", {"low": low, "high": high}, origin, now) == pytest.approx(
        expected, abs=1e-9
    )


def test_the_strongest_come_first_and_equals_as_they_are(lab: Page) -> None:
    components = [{"strength": strength} for strength in (0.1, 0.3, 0.2, 0.3, 0.05)]
    assert called(lab, "strongestFirst", components) == [1, 3, 2, 0, 4]


def test_outside_is_beyond_an_end_and_not_at_it(lab: Page) -> None:
    components = [{"low": -0.5, "high": 0.5}] * DIMENSIONS
    assert called(lab, "outside", [-0.5, 0.5, -0.51, 0.51, 0], components) == [2, 3]
    assert called(lab, "outside", [9] * DIMENSIONS, None) == []


POSES = [[10 * capsule + d for d in range(DIMENSIONS)] for capsule in range(CLASSES)]


def test_what_the_decoder_is_fed(lab: Page) -> None:
    def fed(digit: int, pose: list[float], masked: bool) -> list[float]:
        found: list[float] = lab.evaluate(
            """([poses, digit, pose, masked]) => {
                const inputs = new Float32Array(15).fill(7); // of the picture before
                return Array.from(lab.feed(inputs, poses, { digit, pose }, masked));
            }""",
            [POSES, digit, pose, masked],
        )
        return found

    assert fed(1, POSES[1], True) == [0] * 5 + [10, 11, 12, 13, 14] + [0] * 5
    assert fed(2, [-1, -2, -3, -4, -5], True) == [0] * 10 + [-1, -2, -3, -4, -5]
    assert fed(0, [-1, -2, -3, -4, -5], False) == [-1, -2, -3, -4, -5, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24]


def test_what_is_fed_between_two_poses(lab: Page) -> None:
    a, b = {"digit": 0, "pose": [4, 0, 0, 0, 8]}, {"digit": 2, "pose": [0, 16, 0, 0, 0]}
    assert called(lab, "between", 15, a, b, 0.25) == [3, 0, 0, 0, 6, *[0] * 5, 0, 4, 0, 0, 0]
    assert called(lab, "between", 15, a, b, 0) == [4, 0, 0, 0, 8, *[0] * 10]
    assert called(lab, "between", 15, a, {**b, "digit": 0}, 0.5) == [2, 8, 0, 0, 4, *[0] * 10]


def test_a_pose_is_as_long_as_the_root_of_its_squares(lab: Page) -> None:
    assert called(lab, "lengthOf", [0.2, -0.4, 0.4, 0, 0]) == pytest.approx(0.6)


def test_a_swing_goes_from_where_it_is_between_the_ends_in_three_seconds(lab: Page) -> None:
    def swung(start: float, low: float, high: float, seconds: float) -> float:
        found: float = lab.evaluate(
            "([start, low, high, seconds]) => lab.swing(start, { low, high })(seconds)",
            [start, low, high, seconds],
        )
        return found

    # In its middle it rises at once; a quarter of the way on it is at its upper end.
    for seconds, value in ((0, 1), (0.75, 3), (1.5, 1), (2.25, -1), (3, 1), (0.25, 2)):
        assert swung(1, -1, 3, seconds) == pytest.approx(value)
    assert swung(2, -1, 3, 0.5) == pytest.approx(3)  # from 30 degrees, 60 more
    for seconds, value in ((0, 7), (1.5, -1), (3, 7)):
        assert swung(7, -1, 3, seconds) == pytest.approx(value)  # beyond an end: an end itself
    assert swung(0.5, 0.5, 0.5, 1) == 0.5  # nothing to swing between


# --- links ------------------------------------------------------------------------------------------------


def read(lab: Page, search: str) -> dict[str, Any]:
    """What a link asks for, without what it does not."""
    limits = {"classes": CLASSES, "dimensions": DIMENSIONS, "farthest": 2}
    return {
        name: value for name, value in called(lab, "readPose", search, limits).items() if value is not None
    }


def test_a_link_names_a_capsule_and_its_numbers_or_those_of_all(lab: Page) -> None:
    assert read(lab, "") == {}
    assert read(lab, "?R=5&digit=2") == {"digit": 2}
    found = read(lab, "?digit=0&pose=1,-2,1e-7,0.5, 0.25")
    assert found == {"digit": 0, "numbers": [1, -2, 1e-7, 0.5, 0.25]}
    found = read(lab, "?pose=" + ",".join(["0.5"] * 15))
    assert found == {"numbers": [0.5] * 15}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("digit=3", "digit “3” is none of 0 to 2:"),
        ("digit=kite", "digit “kite” is none of 0 to 2:"),
        ("digit=10", "digit “10” is none of 0 to 2:"),
        ("pose=1,2,1", "pose holds 3 instead of 5 numbers (or 15 for all capsules):"),
        ("pose=" + "0," * 16, "pose holds more than 15 instead of 5 numbers (or 15 for all capsules):"),
        ("pose=1,2,1,1,2.5", "pose has “2.5”, which is no number from −2 to 2:"),
        ("digit=&pose=1", "digit nothing is none of 0 to 2, and its pose holds 1 instead of 5 numbers"),
        ("digit=9&pose=1,2,1,1,", "is none of 0 to 2, and its pose has nothing, which is no number from"),
    ],
)
def test_a_link_beyond_what_the_network_has(lab: Page, asked: str, said: str) -> None:
    found = read(lab, f"?{asked}")
    assert list(found) == ["problem"]
    assert found["problem"].startswith("The link’s ")
    assert said in found["problem"]
    assert found["problem"].endswith(": the drawing’s own pose is shown instead.")


def test_an_address_carries_a_pose_and_keeps_what_else_it_says(lab: Page) -> None:
    numbers = np.float32([0.1, -1 / 3, 1e-9, 0, 2])
    address = called(
        lab,
        "linkTo",
        "http://a.test/pose?R=5&digit=9&pose=1,2",
        {"digit": 2, "numbers": numbers.astype(float).tolist()},
    )
    head, tail = address.split("&pose=")
    assert head == "http://a.test/pose?R=5&digit=2"
    np.testing.assert_array_equal(np.float32([float(text) for text in tail.split(",")]), numbers)
    assert called(lab, "linkTo", "http://a.test/pose?R=5&digit=9&pose=1", None) == "http://a.test/pose?R=5"


# --- decoder, sweep, words --------------------------------------------------------------------------------


def test_a_decoder_of_another_shape(lab: Page) -> None:
    """Fifteen inputs to 400 pixels in three layers: ReLU, ReLU, sigmoid, in double precision."""
    rng = np.random.default_rng(7)
    sizes = [CLASSES * DIMENSIONS, 7, 6, PIXELS]
    layers = [
        (rng.normal(0, 1, (inputs, outputs)), rng.normal(0, 0.5, outputs))
        for inputs, outputs in pairwise(sizes)
    ]
    arrays = {}
    for index, (weight, bias) in enumerate(layers):
        arrays |= {f"weight{index}": weight.ravel().tolist(), f"bias{index}": bias.tolist()}
    inputs = rng.normal(0, 0.5, sizes[0])
    inputs[5:] = 0
    drawn = lab.evaluate(
        """([arrays, inputs]) => {
            const typed = Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, Float32Array.from(values)]));
            return Array.from(new lab.Decoder({ name: "net", layers: 3, arrays: typed }).decode(inputs));
        }""",
        [arrays, inputs.tolist()],
    )
    values = inputs
    for weight, bias in layers[:2]:
        values = np.maximum(values @ weight + bias, 0)
    expected = 1 / (1 + np.exp(-(values @ layers[2][0] + layers[2][1])))
    assert len(drawn) == PIXELS
    np.testing.assert_allclose(drawn, expected, atol=1e-5)


def test_the_steps_of_a_sweep_and_what_stands_below_them(lab: Page) -> None:
    moves = [called(lab, "moveOf", 0.25, step) for step in range(11)]
    assert moves == pytest.approx([-0.25, -0.2, -0.15, -0.1, -0.05, 0, 0.05, 0.1, 0.15, 0.2, 0.25])
    labels = [called(lab, "columnLabel", 0.4, step) for step in range(11)]
    assert labels == ["−0.40", "", "", "", "", "0.00", "", "", "", "", "+0.40"]


def test_an_end_of_a_morph_in_words(lab: Page) -> None:
    def said(name: str) -> str:
        found: str = called(lab, "endCaption", "B", "kept", name)
        return found

    assert [said(name) for name in ("0", "8", "9", "kite")] == [
        "B: kept, a 0",
        "B: kept, an 8",
        "B: kept, a 9",
        "B: kept, a kite",
    ]


@pytest.mark.parametrize(
    ("language", "written"),
    [
        (
            "en",
            ["−1,234.57", "0.00", "0.1", "1,152", "0.50, −1.00", "+0.30", "12%", "3.2%", "eine Ziffer: 0.5"],
        ),
        (
            "de",
            [
                "−1.234,57",
                "0,00",
                "0,1",
                "1.152",
                "0,50; −1,00",
                "+0,30",
                "12~%",
                "3,2~%",
                "eine Ziffer: 0,5",
            ],
        ),
        (
            "xx",
            ["−1,234.57", "0.00", "0.1", "1,152", "0.50, −1.00", "+0.30", "12%", "3.2%", "eine Ziffer: 0.5"],
        ),
    ],
)
def test_numbers_and_forms_of_words_are_those_of_the_language(
    lab: Page, language: str, written: list[str]
) -> None:
    sent = texts.for_script("common", "pose", "picture")
    own = {"own": "{kind.einen}: {x}", "form.Ziffer.einen": "eine Ziffer"}
    lab.evaluate("(sent) => lab.speak(sent)", {"language": language, "texts": {**sent["texts"], **own}})
    try:
        assert [
            called(lab, "number", -1234.567, 2),
            called(lab, "fixed", -0.0049),
            called(lab, "number", 0.1),
            called(lab, "spelled", 1152),
            called(lab, "vector", [0.5, -1], 2),
            called(lab, "signedText", 0.3),
            called(lab, "percent", 0.12),
            called(lab, "percent", 0.032),
            called(lab, "say", "own", {"kind": "Ziffer", "x": 0.5}),
        ] == [text.replace("~", "\N{NO-BREAK SPACE}") for text in written]
        assert called(lab, "say", "own", {"kind": "Klecks", "x": 2}) == "Klecks: 2"
    finally:
        lab.evaluate("(sent) => lab.speak(sent)", sent)


def test_small_numbers_and_kinds_as_words(lab: Page) -> None:
    words = [called(lab, "spelled", n) for n in (2, 5, 10, 16, 17)]
    assert words == ["two", "five", "ten", "sixteen", "17"]
    assert called(lab, "kindWords", "shape") == {"kind": "shape", "kinds": "shapes", "Kind": "Shape"}
    assert called(lab, "capital", "sixteen") == "Sixteen"


# --- the picture's crop -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("corner", "x", "y", "expected"),
    [
        ("nw", 0.1, 0.15, [0.1, 0.15, 0.8, 0.9]),
        ("ne", 0.7, 0.1, [0.2, 0.1, 0.7, 0.9]),
        ("se", 0.95, 0.99, [0.2, 0.3, 0.95, 0.99]),
        ("sw", 0.3, 0.7, [0.3, 0.3, 0.8, 0.7]),
        ("nw", -1, -2, [0, 0, 0.8, 0.9]),  # no farther than the border
        ("se", 5, 3, [0.2, 0.3, 1, 1]),
        ("nw", 0.99, 0.99, [0.75, 0.85, 0.8, 0.9]),  # and never smaller than a twentieth
        ("se", 0, 0, [0.2, 0.3, 0.25, 0.35]),
    ],
)
def test_a_crop_with_a_corner_elsewhere(
    lab: Page, corner: str, x: float, y: float, expected: list[float]
) -> None:
    assert called(lab, "withCorner", [0.2, 0.3, 0.8, 0.9], corner, x, y) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("dx", "dy", "expected"),
    [
        (0.1, -0.2, [0.3, 0.1, 0.9, 0.7]),
        (1, 1, [0.4, 0.4, 1, 1]),
        (-1, -1, [0, 0, 0.6, 0.6]),
        (0, 0.05, [0.2, 0.35, 0.8, 0.95]),
    ],
)
def test_a_crop_elsewhere_stays_as_large_and_inside(
    lab: Page, dx: float, dy: float, expected: list[float]
) -> None:
    assert called(lab, "shifted", [0.2, 0.3, 0.8, 0.9], dx, dy) == pytest.approx(expected)


def test_places_are_sent_in_ten_thousandths(lab: Page) -> None:
    assert called(lab, "rounded", [0.12344, 0.12346, 1, 0, 1 / 3]) == [0.1234, 0.1235, 1, 0, 0.3333]


def test_nothing_of_the_scripts_stands_in_the_window_but_what_is_kept(lab: Page) -> None:
    names = lab.evaluate(
        "Object.keys(window).filter((name) => /decoder|pose|slider|sweep|morph|framing/i.test(name))"
    )
    assert [name for name in names if not re.match("on|PictureInPicture", name)] == []
