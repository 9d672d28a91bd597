"""What pose components do: measured in drawings of known shape, and of a fake network whose poses mean known things."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import reference

from capsviz.errors import CapsvizError, DataError, ImageError, WeightsError
from capsviz.measures.poses import (
    PROPERTIES,
    Effect,
    PoseMeasurements,
    Settings,
    _parse,
    describe,
    load_poses,
    measure_images,
    measure_poses,
    poses_path,
    save_poses,
    standard,
)
from capsviz.measures.properties import usual
from capsviz.models import weights
from capsviz.models.model import Model
from capsviz.networks.base import find
from capsviz.traces.base import PROBABILITY, Shape

# --- drawings of known shape ----------------------------------------------------------------------------

FINE = 8  # samples a pixel, along a side
_places = (np.arange(28 * FINE) + 0.5) / FINE - 14
X, Y = np.meshgrid(_places, _places)  # pixels from the centre, to the right and down


def drawn(inside: np.ndarray) -> np.ndarray:
    """The share of each pixel [28, 28] that is inside, where that is known for each sample."""
    image: np.ndarray = inside.reshape(28, FINE, 28, FINE).mean(axis=(1, 3))
    return image


def sheared(degrees: float) -> np.ndarray:
    """x of what stood upright before its top was pushed to the right."""
    sheared: np.ndarray = X + math.tan(math.radians(degrees)) * Y
    return sheared


def box(width: float, height: float, x: float = 0, y: float = 0) -> np.ndarray:
    return drawn((abs(X - x) < width / 2) & (abs(Y - y) < height / 2))


def ring(radius: float, stroke: float, x: float = 0, y: float = 0) -> np.ndarray:
    """The radius is that of the stroke's middle."""
    return drawn(abs(np.hypot(X - x, Y - y) - radius) < stroke / 2)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    if sigma == 0:
        return image
    distance = np.subtract.outer(np.arange(28), np.arange(28))
    bell = np.exp(-0.5 * (distance / sigma) ** 2)
    bell /= bell[14].sum()
    smooth: np.ndarray = bell @ image @ bell.T
    return smooth


def measure(image: np.ndarray) -> dict[str, float]:
    return {name: float(values[0]) for name, values in measure_images(image[None]).items()}


BLUR = pytest.mark.parametrize("sigma", [0, 0.7, 1], ids=["sharp", "blurred", "soft"])


@BLUR
@pytest.mark.parametrize("degrees", [-40, -20, -5, 0, 10, 30])
def test_slant_is_the_angle_of_the_shear(degrees: float, sigma: float) -> None:
    line = drawn((abs(sheared(degrees)) < 1.5) & (abs(Y) < 9))
    loop = drawn(abs(np.hypot(sheared(degrees), Y) - 6) < 1.5)
    # Variance along y of a line of 18 is 18²/12, of a ring with radii 4.5 and 7.5 (4.5² + 7.5²)/4; a blur adds to
    # it, and not to the covariance.
    for image, variance in ((line, 27), (loop, 19.125)):
        expected = math.degrees(math.atan(math.tan(math.radians(degrees)) / (1 + sigma**2 / variance)))
        assert measure(blurred(image, sigma))["slant"] == pytest.approx(expected, abs=0.3)


def test_a_mirror_turns_slant_and_position_round() -> None:
    image = drawn((abs(sheared(20) - 2) < 1.5) & (abs(Y) < 9))
    plain, mirrored, upside_down = measure(image), measure(image[:, ::-1]), measure(image[::-1])
    assert plain["slant"] > 15
    assert plain["x"] == pytest.approx(2, abs=0.01)
    for name in ("slant", "x"):
        assert mirrored[name] == pytest.approx(-plain[name], abs=1e-4)
    assert upside_down["slant"] == pytest.approx(-plain["slant"], abs=1e-4)
    for name in ("thickness", "width", "height", "loop", "brightness", "ink"):
        assert mirrored[name] == pytest.approx(plain[name], abs=1e-3)


@pytest.mark.parametrize("stroke", [2, 2.5, 3, 4, 5])
def test_thickness_of_a_ring_is_its_strokes(stroke: float) -> None:
    for radius in (5, 7, 9.25):
        assert measure(ring(radius, stroke))["thickness"] == pytest.approx(stroke, abs=0.2)


@pytest.mark.parametrize("stroke", [2, 2.5, 3, 4, 5])
def test_thickness_of_a_line_is_a_little_less_than_its_strokes(stroke: float) -> None:
    """Area t L over half of the outline, L + t."""
    for length in (12, 20):
        expected = stroke * length / (length + stroke)
        assert measure(box(stroke, length))["thickness"] == pytest.approx(expected, abs=0.2)
        assert measure(box(length, stroke))["thickness"] == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("degrees", [0, 15, 30, 45, 70])
def test_thickness_does_not_depend_on_direction(degrees: float) -> None:
    """Of a line of 3 by 18 that is turned, and not sheared."""
    along = X * math.sin(math.radians(degrees)) - Y * math.cos(math.radians(degrees))
    across = X * math.cos(math.radians(degrees)) + Y * math.sin(math.radians(degrees))
    image = drawn((abs(along) < 9) & (abs(across) < 1.5))
    assert measure(image)["thickness"] == pytest.approx(3 * 18 / 21, abs=0.15)


@pytest.mark.parametrize("side", [12, 16, 20])
def test_a_filled_square_is_half_as_thick_as_wide(side: float) -> None:
    """Area a² over half of the outline, 2 a; wherever its edges lie between the pixels."""
    for place, tolerance in ((0, 0.1), (0.25, 0.18), (0.5, 0.2)):
        assert measure(box(side, side, place, place))["thickness"] == pytest.approx(side / 2, abs=tolerance)


@pytest.mark.parametrize("stroke", [3, 4, 5])
def test_a_blurred_stroke_is_about_as_thick_as_a_sharp_one(stroke: float) -> None:
    for image in (ring(7, stroke), box(stroke, 18)):
        sharp = measure(image)["thickness"]
        assert measure(blurred(image, 0.7))["thickness"] == pytest.approx(sharp, abs=0.35)


@pytest.mark.parametrize("share", [0.75, 0.25])
def test_a_dim_drawing_has_the_same_shape(share: float) -> None:
    image = ring(6, 2.5, 1.5, -2)
    bright, dim = measure(image), measure(share * image)
    for name in PROPERTIES:
        factor = share if name in ("brightness", "ink") else 1
        assert dim[name] == pytest.approx(factor * bright[name], rel=1e-4, abs=1e-4), name


@BLUR
@pytest.mark.parametrize(("x", "y"), [(0, 0), (0.25, -0.5), (-2.375, 3.125)])
@pytest.mark.parametrize(("width", "height"), [(4, 16), (10.5, 12.25), (15, 5)])
def test_size_and_position_of_a_box(width: float, height: float, x: float, y: float, sigma: float) -> None:
    found = measure(blurred(box(width, height, x, y), sigma))
    assert found["width"] == pytest.approx(width, abs=0.25)
    assert found["height"] == pytest.approx(height, abs=0.25)
    # What covers half of a pixel is seen in its middle, an eighth of a pixel off; less, as part of it all.
    assert found["x"] == pytest.approx(x, abs=0.03)
    assert found["y"] == pytest.approx(y, abs=0.03)


@pytest.mark.parametrize("x", [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875])
def test_a_fraction_of_a_pixel_moves_a_drawing_and_does_not_widen_it(x: float) -> None:
    still, moved = measure(ring(6, 3)), measure(ring(6, 3, x, -x))
    assert (moved["x"], moved["y"]) == pytest.approx((x, -x), abs=0.01)
    for name, tolerance in (
        ("width", 0.2),
        ("height", 0.2),
        ("thickness", 0.15),
        ("slant", 0.2),
        ("loop", 3.5),
    ):
        assert moved[name] == pytest.approx(still[name], abs=tolerance), name


@pytest.mark.parametrize("radius", [4, 6.5, 9])
@pytest.mark.parametrize("sigma", [0, 0.5])
def test_a_ring_is_as_wide_as_its_outside_and_encloses_its_inside(radius: float, sigma: float) -> None:
    found = measure(blurred(ring(radius, 3), sigma))
    assert found["width"] == pytest.approx(2 * radius + 3, abs=0.25)
    assert found["height"] == pytest.approx(2 * radius + 3, abs=0.25)
    # A tenth of a pixel of radius either way.
    assert math.sqrt(found["loop"] / math.pi) == pytest.approx(radius - 1.5, abs=0.1)


def pixels(*rows: str) -> np.ndarray:
    """Rows of # and blanks, from the image's top left corner."""
    image = np.zeros((28, 28))
    for y, row in enumerate(rows):
        for x, mark in enumerate(row):
            image[y, x] = mark == "#"
    return image


def test_all_that_ink_encloses_is_loop() -> None:
    eight = np.maximum(ring(4, 2, y=-4.5), ring(4, 2, y=4.5))
    assert measure(eight)["loop"] == pytest.approx(2 * math.pi * 3**2, rel=0.08)
    target = np.maximum(ring(9, 2), ring(3, 2))  # radii 2, 4, 8: a disc, and what is between the rings
    assert measure(target)["loop"] == pytest.approx(math.pi * (2**2 + 8**2 - 4**2), rel=0.05)
    square = np.zeros((28, 28))
    square[5:15, 8:20] = 1
    square[8:12, 11:17] = 0
    assert measure(square)["loop"] == pytest.approx(4 * 6, abs=1.5)


def test_what_is_open_encloses_nothing() -> None:
    gap = ring(7, 3)
    gap[:, 12:16][:10] = 0
    assert measure(gap)["loop"] == 0
    bay = np.roll(gap, -4, axis=0)  # the gap is at the border of the image
    assert measure(bay)["loop"] == 0
    closed = pixels("#####", "#...#", "#...#", "#####")
    assert measure(closed)["loop"] == pytest.approx(6, abs=1)  # ink at the border is ink all the same
    assert measure(closed[1:][[*range(27), 0]])["loop"] == 0  # its lid is cut off by the border


def test_a_long_way_out_is_a_way_out() -> None:
    """A spiral: from its centre to the border there are six corners to be turned."""
    image = np.zeros((28, 28))
    for inset in (0, 6):
        low, high = 2 + inset, 26 - inset
        image[low : low + 2, low:high] = 1
        image[low:high, high - 2 : high] = 1
        image[high - 2 : high, low:high] = 1
        image[low + 4 : high, low : low + 2] = 1
        image[low + 4 : low + 6, low : low + 6] = 1
    assert measure(image)["loop"] == 0
    image[8:10, 2:10] = 1  # a wall across it
    image[2:10, 2:4] = 1
    assert measure(image)["loop"] > 20


def test_brightness_and_ink_by_hand() -> None:
    image = np.zeros((28, 28))
    image[4:24, 10:13] = 0.6
    assert measure(image)["brightness"] == pytest.approx(60, abs=1e-4)
    assert measure(image)["ink"] == pytest.approx(60 * 0.6, abs=1e-4)
    image[4:24, 13:16] = 0.3
    # As much ink at 0.6 as three times 0.3: (60 * 0.36 + 60 * 0.09) / (60 * 0.6 + 60 * 0.3).
    assert measure(image)["brightness"] == pytest.approx(50, abs=1e-4)
    assert measure(image)["ink"] == pytest.approx(54, abs=1e-4)


def test_a_blank_image_has_no_ink_and_nothing_else() -> None:
    found = measure_images(np.zeros((2, 28, 28)))
    assert found.keys() == PROPERTIES.keys()
    np.testing.assert_array_equal(found.pop("ink"), [0, 0])
    for values in found.values():
        np.testing.assert_array_equal(values, [np.nan, np.nan])


def test_a_haze_without_ink_is_as_good_as_blank() -> None:
    for peak, seen in ((0.19, False), (0.2, True), (0.21, True)):
        found = measure(peak * box(6, 6))
        assert found.pop("ink") == pytest.approx(36 * peak, rel=1e-4)
        assert all(math.isfinite(value) == seen for value in found.values())


def test_each_image_is_measured_as_if_alone() -> None:
    images = np.stack([ring(6, 2), np.zeros((28, 28)), box(3, 18, 2.5), ring(7, 5) / 2])
    together = measure_images(images)
    for name, values in together.items():
        assert values.shape == (4,)
        np.testing.assert_allclose(values, [measure(image)[name] for image in images], rtol=1e-4, atol=1e-4)
    assert all(values.shape == (0,) for values in measure_images(images[:0]).values())
    assert all(values.shape == (1,) for values in measure_images(images[:1].tolist()).values())


def test_the_smallest_and_the_largest_drawing_are_finite() -> None:
    dot = np.zeros((28, 28))
    dot[20, 3] = 1
    found = measure(dot)
    assert all(map(math.isfinite, found.values()))
    assert (found["x"], found["y"], found["slant"], found["loop"]) == pytest.approx(
        (3 - 13.5, 20 - 13.5, 0, 0)
    )
    full = measure(np.ones((28, 28)))
    assert (full["width"], full["height"], full["ink"]) == pytest.approx((28, 28, 784))
    assert all(map(math.isfinite, full.values()))


def test_lengths_and_areas_are_compared_in_proportion_to_the_image() -> None:
    assert [usual(name, 28) for name in PROPERTIES] == [what.usual for what in PROPERTIES.values()]
    assert (usual("width", 56), usual("loop", 14), usual("slant", 56), usual("brightness", 14)) == (
        4,
        2,
        10,
        10,
    )


@pytest.mark.parametrize("shape", [(28, 28), (1, 27, 28), (1, 28, 28, 1), (28,), ()])
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError) as caught:
        measure_images(np.zeros(shape))
    reference.assert_one_sentence(caught.value, "N x S x S", shape)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.01, 1.01, 255])
def test_values_that_are_no_grey_are_refused(value: float) -> None:
    images = np.zeros((3, 28, 28))
    images[1, 4, 5] = value
    with pytest.raises(ImageError) as caught:
        measure_images(images)
    reference.assert_one_sentence(caught.value, "0..1", "divide grey levels by 255")


# --- captions -------------------------------------------------------------------------------------------


def effects(**named: tuple[float, float] | tuple[float, float, float]) -> dict[str, Effect]:
    """Of each named property its change and standardised change, and the share of images (1) with that sign."""
    none = dict.fromkeys(PROPERTIES, Effect(0.0, 0.0, 0.0, 0.0))
    return none | {
        name: Effect(change, 1.0, standardised, *(same or [1.0]))
        for name, (change, standardised, *same) in named.items()
    }


@pytest.mark.parametrize(
    ("name", "change", "caption"),
    [
        ("thickness", 0.94, "thicker strokes (+0.9 px)"),
        ("thickness", -1.26, "thinner strokes (−1.3 px)"),
        ("slant", 14.2, "leans right (+14°)"),
        ("slant", -9.6, "leans left (−10°)"),
        ("width", 2.24, "wider (+2.2 px)"),
        ("width", -11.8, "narrower (−11.8 px)"),
        ("height", 3.0, "taller (+3.0 px)"),
        ("height", -3.0, "shorter (−3.0 px)"),
        ("x", 1.5, "ink moves right (+1.5 px)"),
        ("x", -1.5, "ink moves left (−1.5 px)"),
        ("y", 1.5, "ink moves down (+1.5 px)"),
        ("y", -1.5, "ink moves up (−1.5 px)"),
        ("loop", 12.4, "larger loop (+12 px²)"),
        ("loop", -20.0, "smaller loop (−20 px²)"),
        ("brightness", 33.3, "brighter (+33% of white)"),
        ("brightness", -8.8, "fainter (−9% of white)"),
        ("ink", 40.0, "more ink (+40 px²)"),
        ("ink", -31.0, "less ink (−31 px²)"),
    ],
)
def test_the_words_for_every_property_and_direction(name: str, change: float, caption: str) -> None:
    assert describe(effects(**{name: (change, math.copysign(2, change))})) == caption


def test_two_meanings_the_stronger_first() -> None:
    assert describe(effects(width=(-2.2, -0.9), slant=(14, 1.5))) == "leans right (+14°), narrower (−2.2 px)"
    assert describe(effects(width=(-2.2, -2.1), slant=(14, 1.5))) == "narrower (−2.2 px), leans right (+14°)"


def test_never_more_than_two_meanings() -> None:
    caption = describe(effects(slant=(14, 2), y=(-3, -1.9), width=(4, 1.8), thickness=(2, 1.7)))
    assert caption == "leans right (+14°), ink moves up (−3.0 px)"


@pytest.mark.parametrize(
    ("standardised", "same_sign", "clear"),
    [
        (0.75, 0.8, True),
        (-0.75, 0.8, True),
        (0.7499, 1, False),
        (-0.7499, 1, False),
        (5, 0.7999, False),
        (0.75, 1, True),
        (0, 1, False),
    ],
)
def test_what_is_clear(standardised: float, same_sign: float, clear: bool) -> None:
    change = math.copysign(12, standardised)
    words = "leans right (+12°)" if change > 0 else "leans left (−12°)"
    expected = words if clear else "no clear meaning"
    assert describe(effects(slant=(change, standardised, same_sign))) == expected


@pytest.mark.parametrize(("second", "named"), [(1.0, True), (0.9999, False), (-1.0, True), (-0.9999, False)])
def test_a_second_meaning_is_at_least_half_of_the_first(second: float, named: bool) -> None:
    change = math.copysign(3, second)
    caption = describe(effects(slant=(-30, -2), y=(change, second)))
    words = "ink moves down (+3.0 px)" if second > 0 else "ink moves up (−3.0 px)"
    assert caption == "leans left (−30°)" + (f", {words}" if named else "")


def test_what_is_large_but_not_clear_does_not_count_as_the_first() -> None:
    caption = describe(effects(width=(9, 9, 0.6), slant=(14, 2), y=(2, 1)))
    assert caption == "leans right (+14°), ink moves down (+2.0 px)"


def test_equal_meanings_are_named_in_the_order_of_the_properties() -> None:
    assert (
        describe(effects(height=(4, 2), width=(4, 2), slant=(20, 2))) == "leans right (+20°), wider (+4.0 px)"
    )


def test_ink_is_named_only_where_nothing_else_is_clear() -> None:
    assert describe(effects(ink=(99, 9), thickness=(0.5, 0.75, 0.8))) == "thicker strokes (+0.5 px)"
    assert describe(effects(ink=(99, 9), thickness=(0.5, 0.74))) == "more ink (+99 px²)"
    assert describe(effects(ink=(99, 9, 0.7), thickness=(0.5, 0.74))) == "no clear meaning"


def test_nothing_changes_nothing_is_clear() -> None:
    assert describe(effects()) == "no clear meaning"


# --- poses ----------------------------------------------------------------------------------------------

SMALL = Settings(data="fakes", per_digit=5, range_per_digit=8, seed=1)
PER_DIGIT = 12  # images of each digit that there are

# What pose component k + digit (modulo 16) does: the property, and its units from 0.25 below to 0.25 above.
MEANINGS: list[tuple[str, float]] = [
    ("thickness", 1.2),
    ("slant", -24),
    ("width", 4),
    ("height", -5),
    ("x", 3),
    ("y", -3),
    ("brightness", -40),
]
NORMAL = {"thickness": 3, "slant": 0, "width": 12, "height": 16, "x": 0, "y": 0, "brightness": 70}


def component(property: str, digit: int) -> int:
    return ([name for name, _ in MEANINGS].index(property) + digit) % 16


class Fake:
    """A network that draws two upright strokes; each image holds two pixels, for its digit and for its number."""

    sha256 = "5" * 64
    shape = reference.PAPER

    def __init__(self) -> None:
        rng = np.random.default_rng(2)
        self.poses = rng.normal(0, 0.03, (10, PER_DIGIT, 16)).astype(np.float32)
        for digit in range(10):
            self.poses[digit, :, (digit + 8) % 16] += 0.9  # nothing that is drawn
        self.misread: set[tuple[int, int]] = set()
        self.seen: list[tuple[int, int]] = []  # digit and number of the images
        self.places: list[tuple[int, int]] = []  # and where their first pixel was
        self.iterations: set[int] = set()

    def trace(self, image: np.ndarray, iterations: int) -> SimpleNamespace:
        rows, columns = np.nonzero(image)
        digit, number = (round(float(pixel) * 64) - 1 for pixel in image[rows, columns])
        self.seen.append((digit, number))
        self.places.append((int(rows[0]), int(columns[0])))
        self.iterations.add(iterations)
        v = np.zeros((iterations, 10, 16), np.float32)
        v[:-1, (digit + 1) % 10] = 2  # another answer before the last iteration
        v[-1, digit] = self.poses[digit, number]
        if (digit, number) in self.misread:
            v[-1, (digit + 3) % 10] = 2
        return SimpleNamespace(v=v, prediction=np.linalg.norm(v[-1], axis=1).argmax())

    def decode(self, pose: np.ndarray, digit: int) -> np.ndarray:
        return np.array([self.draw(values, digit) for values in pose])

    def draw(self, pose: np.ndarray, digit: int) -> np.ndarray:
        is_ = {
            name: NORMAL[name] + 2 * change * float(pose[component(name, digit)]) for name, change in MEANINGS
        }
        middle = (is_["width"] - is_["thickness"]) / 2  # of a stroke, from the middle of both
        places = np.arange(28) - 13.5
        across = places - is_["x"] + math.tan(math.radians(is_["slant"])) * (places - is_["y"])[:, None]
        columns = np.clip(is_["thickness"] / 2 - abs(abs(across) - middle) + 0.5, 0, 1)
        rows = np.clip(is_["height"] / 2 - abs(places - is_["y"]) + 0.5, 0, 1)
        drawing: np.ndarray = columns * rows[:, None] * is_["brightness"] / 100
        return drawing


def as_model(fake: Fake) -> Model:
    return cast(Model, fake)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Image 12 d + n is that of the digit d and of the number n."""
    images = np.zeros((10 * PER_DIGIT, 28, 28), np.float32)
    for index, image in enumerate(images):
        digit, number = divmod(index, PER_DIGIT)
        image[13, 10] = (digit + 1) / 64
        image[13, 18] = (number + 1) / 64
    return images


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    return np.repeat(np.arange(10), PER_DIGIT)


@pytest.fixture(scope="module")
def asked() -> Fake:
    """The fake that ``measured`` has asked."""
    return Fake()


@pytest.fixture(scope="module")
def measured(asked: Fake, images: np.ndarray, labels: np.ndarray) -> PoseMeasurements:
    return measure_poses(as_model(asked), images, labels, SMALL)


@pytest.fixture
def three_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much as a test needs that looks at no more of them."""
    monkeypatch.setattr(Fake, "shape", replace(reference.PAPER, classes=tuple("012")))


def used(fake: Fake, digit: int) -> list[np.ndarray]:
    """The poses of a digit that were asked for, in order."""
    return [fake.poses[d, number] for d, number in fake.seen if d == digit]


@pytest.mark.parametrize("digit", [0, 4, 9])
@pytest.mark.parametrize(
    ("name", "words", "change", "tolerance"),
    [
        # Of strokes of 16 pixels that grow from 2.4 to 3.6, as measured: t L / (L + t).
        ("thickness", "thicker strokes", 3.6 * 16 / 19.6 - 2.4 * 16 / 18.4, 0.15),
        ("slant", "leans left", -24, 1),
        ("width", "wider", 4, 0.35),
        ("height", "shorter", -5, 0.35),
        ("x", "ink moves right", 3, 0.1),
        ("y", "ink moves up", -3, 0.1),
        ("brightness", "fainter", -40 * (1 - 1 / 9), 3),  # a third of a pixel in three is lost at soft edges
    ],
)
def test_the_caption_names_what_a_component_does(
    measured: PoseMeasurements, digit: int, name: str, words: str, change: float, tolerance: float
) -> None:
    found = measured.digits[digit].components[component(name, digit)]
    first = found.caption.split(", ")[0]
    parsed = re.fullmatch(rf"{words} \(([+−])([\d.]+)(°| px|% of white)\)", first)
    assert parsed, found.caption
    size = float(parsed[2]) if parsed[1] == "+" else -float(parsed[2])
    assert size == pytest.approx(change, abs=tolerance + 0.5 * (parsed[3] != " px"))
    assert found.effects[name].change == pytest.approx(change, abs=tolerance)
    assert found.effects[name].same_sign == 1
    assert found.strength > 0.001


def test_components_that_do_nothing_have_no_clear_meaning(measured: PoseMeasurements) -> None:
    for digit, poses_of in enumerate(measured.digits):
        meaningful = {component(name, digit) for name, _ in MEANINGS}
        for index, found in enumerate(poses_of.components):
            assert (found.caption != "no clear meaning") == (index in meaningful)
            if index not in meaningful:
                assert found.strength == 0
                assert set(found.effects.values()) == {Effect(0, 0, 0, 1)}


def test_effects_are_those_of_every_image_one_by_one(measured: PoseMeasurements, asked: Fake) -> None:
    """By loops: each of five drawings at both ends, measured alone."""
    digit, index = 3, component("slant", 3)
    some = used(asked, digit)[:5]
    natural = [measure(asked.draw(pose, digit)) for pose in some]
    ends: list[list[np.ndarray]] = []
    for pose in some:
        moved = np.tile(pose, (2, 1))
        moved[:, index] += [-0.25, 0.25]
        ends.append([asked.draw(end, digit) for end in moved])
    found = measured.digits[digit].components[index]
    for name, what in PROPERTIES.items():
        changes = [measure(high)[name] - measure(low)[name] for low, high in ends]
        mean = sum(changes) / 5
        std = math.sqrt(sum((change - mean) ** 2 for change in changes) / 5)
        centre = sum(values[name] for values in natural) / 5
        spread = math.sqrt(sum((values[name] - centre) ** 2 for values in natural) / 5)
        effect = found.effects[name]
        assert effect.change == pytest.approx(mean, rel=1e-3, abs=1e-4)
        assert effect.std == pytest.approx(std, rel=1e-3, abs=1e-4)
        assert effect.standardised == pytest.approx(mean / max(spread, what.usual), rel=1e-3, abs=1e-4)
        assert measured.digits[digit].spread[name] == pytest.approx(spread, rel=1e-3, abs=1e-4)
        same = sum(change * mean > 0 or change == mean == 0 for change in changes)
        assert effect.same_sign == pytest.approx(same / 5)
    squares = [float(((high - low) ** 2).mean()) for low, high in ends]
    assert found.strength == pytest.approx(sum(squares) / 5, rel=1e-3)


@pytest.mark.usefixtures("three_digits")
def test_a_change_is_compared_with_how_much_drawings_differ(images: np.ndarray, labels: np.ndarray) -> None:
    fake = Fake()
    # 2.4 pixels to the left or to the right, more than the usual 1.5.
    fake.poses[1, :, component("x", 1)] = np.where(np.arange(PER_DIGIT) % 2, 0.4, -0.4)
    everything = replace(SMALL, per_digit=PER_DIGIT, range_per_digit=PER_DIGIT)
    found = measure_poses(as_model(fake), images, labels, everything).digits
    for digit, spread in ((1, 2.4), (2, 1.5)):
        effect = found[digit].components[component("x", digit)].effects["x"]
        assert effect.change == pytest.approx(3, abs=0.05)
        assert effect.standardised == pytest.approx(3 / spread, rel=0.03)
    assert found[1].spread["x"] == pytest.approx(2.4, abs=0.05)
    assert found[2].spread["x"] < 0.5


def test_ranges_are_those_of_all_poses(measured: PoseMeasurements, asked: Fake) -> None:
    for digit in (0, 7):
        all_poses = used(asked, digit)
        assert len(all_poses) == SMALL.range_per_digit
        columns = [[float(pose[index]) for pose in all_poses] for index in range(16)]
        columns.append([math.sqrt(sum(float(x) ** 2 for x in pose)) for pose in all_poses])
        ranges = [*measured.digits[digit].components, measured.digits[digit].length]
        for values, found in zip(columns, ranges, strict=True):
            values.sort()
            # 0.5 % of the way along seven steps from the least to the greatest
            assert found.low == pytest.approx(values[0] + 0.035 * (values[1] - values[0]), rel=1e-3)
            assert found.high == pytest.approx(values[7] - 0.035 * (values[7] - values[6]), rel=1e-3)
            mean = sum(values) / 8
            assert found.mean == pytest.approx(mean, rel=1e-3, abs=1e-6)
            assert found.std == pytest.approx(math.sqrt(sum((x - mean) ** 2 for x in values) / 8), rel=1e-3)


def test_images_are_shifted_as_in_training(measured: PoseMeasurements, asked: Fake) -> None:
    rows, columns = ({place[axis] for place in asked.places} for axis in range(2))
    assert rows == {11, 12, 13, 14, 15}
    assert columns == {8, 9, 10, 11, 12}
    assert asked.iterations == {3}


@pytest.mark.usefixtures("three_digits")
def test_settings_are_followed_and_kept(images: np.ndarray, labels: np.ndarray) -> None:
    settings = Settings("x", 2, 3, seed=0, reach=0.125, shift=0, iterations=2)
    fake = Fake()
    found = measure_poses(as_model(fake), images, labels, settings)
    assert (found.sha256, found.settings) == (Fake.sha256, settings)
    assert set(fake.places) == {(13, 10)}
    assert fake.iterations == {2}
    assert len(fake.seen) == len(set(fake.seen)) == 9
    # Half as far: half the change.
    assert found.digits[2].components[component("x", 2)].effects["x"].change == pytest.approx(1.5, abs=0.05)


@pytest.mark.usefixtures("three_digits")
def test_the_same_seed_measures_the_same_and_another_does_not(images: np.ndarray, labels: np.ndarray) -> None:
    settings = replace(SMALL, per_digit=2, range_per_digit=3)
    first, second, third = Fake(), Fake(), Fake()
    found = measure_poses(as_model(first), images, labels, settings)
    assert measure_poses(as_model(second), images, labels, settings) == found
    assert (second.seen, second.places) == (first.seen, first.places)
    other = measure_poses(as_model(third), images, labels, replace(settings, seed=2))
    assert third.seen != first.seen
    assert other.digits != found.digits


@pytest.mark.usefixtures("three_digits")
def test_misread_images_tell_nothing(images: np.ndarray, labels: np.ndarray) -> None:
    fake = Fake()
    fake.misread = {(digit, number) for digit in range(10) for number in range(PER_DIGIT) if number % 2}
    few = replace(SMALL, per_digit=6, range_per_digit=8)
    found = measure_poses(as_model(fake), images, labels, few)
    assert len(fake.seen) == 3 * PER_DIGIT  # all were tried
    even = fake.poses[1, ::2]
    assert found.digits[1].components[0].mean == pytest.approx(even[:, 0].mean(), rel=1e-3)


@pytest.mark.usefixtures("three_digits")
def test_too_few_images_are_refused(images: np.ndarray, labels: np.ndarray) -> None:
    fake = Fake()
    fake.misread = {(1, number) for number in range(8)}
    with pytest.raises(DataError) as caught:
        measure_poses(as_model(fake), images, labels, SMALL)
    reference.assert_one_sentence(caught.value, "Only 4 images of the digit 1", "of 5")
    with pytest.raises(DataError, match="Only 0 images of the digit 0"):
        measure_poses(as_model(Fake()), images[labels > 0], labels[labels > 0], SMALL)


def test_each_image_has_a_label(images: np.ndarray, labels: np.ndarray) -> None:
    for wrong in (labels[1:], labels[:, None], labels[0]):
        with pytest.raises(DataError) as caught:
            measure_poses(as_model(Fake()), images, wrong, SMALL)
        reference.assert_one_sentence(caught.value, "120 images", wrong.shape)


@pytest.mark.usefixtures("three_digits")
def test_drawings_that_vanish_have_no_direction(images: np.ndarray, labels: np.ndarray) -> None:
    class Vanishing(Fake):
        """Component 2 moves what is drawn to the right; it vanishes above 0.27, and component 9 up from 0.1."""

        def __init__(self) -> None:
            super().__init__()
            self.poses[:, :, 2] = np.where(np.arange(PER_DIGIT) % 2, 0.05, 0)
            self.poses[:, :, 9] = 0

        def draw(self, pose: np.ndarray, digit: int) -> np.ndarray:
            if pose[2] > 0.27 or pose[9] > 0.1:
                return np.zeros((28, 28))
            image = np.zeros((28, 28))
            left = 10 + round(8 * float(pose[2]))
            image[5:20, left : left + 3] = 1
            return image

    fake = Vanishing()
    everything = replace(SMALL, per_digit=PER_DIGIT, range_per_digit=PER_DIGIT)
    components = measure_poses(as_model(fake), images, labels, everything).digits[2].components
    moved = components[2].effects["x"]
    assert moved.change == pytest.approx(4)  # from -2 to +2 pixels, where there is ink at both ends
    assert moved.std == 0
    assert moved.same_sign == 0.5
    assert components[2].caption == "no clear meaning"
    gone = components[9].effects
    assert all(gone[name] == Effect(0, 0, 0, 0) for name in PROPERTIES if name != "ink")
    assert gone["ink"].change == -45
    assert components[9].caption == "less ink (−45 px²)"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"per_digit": 1}, "per_digit"),
        ({"per_digit": 2.5}, "per_digit"),
        ({"per_digit": 9, "range_per_digit": 8}, "range_per_digit"),
        ({"seed": -1}, "seed"),
        ({"shift": -1}, "shift"),
        ({"shift": "2"}, "shift"),
        ({"iterations": 0}, "iterations"),
        ({"iterations": True}, "iterations"),
        ({"reach": 0}, "reach"),
        ({"reach": -0.25}, "reach"),
        ({"reach": math.nan}, "reach"),
        ({"reach": math.inf}, "reach"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(CapsvizError) as caught:
        Settings(**wrong)
    reference.assert_one_sentence(caught.value, named, repr(wrong[named]))


def test_a_range_holds_the_middle_99_percent() -> None:
    assert PoseMeasurements("0", Settings(), ()).middle == 99


def test_the_explanation_states_the_settings() -> None:
    settings = Settings("images of cats", 34, 5678, reach=0.125)
    explanation = PoseMeasurements("0", settings, ()).explanation("digit")
    for fact in ("34 images", "images of cats", "5,678", "0.125", "0.75", "80%", "99%"):
        assert fact in explanation


# --- files ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, measured: PoseMeasurements) -> bytes:
    path = save_poses(measured, tmp_path_factory.mktemp("saved") / "net.safetensors")
    return path.read_bytes()


@pytest.fixture
def net(tmp_path: Path, measured: PoseMeasurements, saved: bytes) -> Path:
    """A weights file's path, with a card and measurements beside it."""
    path = tmp_path / "net.safetensors"
    card = reference.CARD | {"sha256": measured.sha256}
    path.with_suffix(".json").write_text(json.dumps(card))
    path.with_suffix(".poses.json").write_bytes(saved)
    return path


def test_round_trip(net: Path, measured: PoseMeasurements) -> None:
    poses_path(net).write_text("something older")
    assert save_poses(measured, net) == poses_path(net) == net.with_name("net.poses.json")
    assert load_poses(net) == load_poses(net, measured.sha256) == measured
    assert {file.name for file in net.parent.iterdir()} == {"net.json", "net.poses.json"}
    # A file that people can read in a diff: a line for each component, and signs as they are.
    lines = poses_path(net).read_text("utf-8").splitlines()
    assert sum(line.count('"caption"') == 1 for line in lines) == 160
    assert any("(−" in line for line in lines)


def test_found_by_name(net: Path, measured: PoseMeasurements, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "DIRECTORY", net.parent)
    (net.parent / "dynamic.mnist").mkdir()
    for before, after in (("net.json", "card.json"), ("net.poses.json", "poses.json")):
        net.with_name(before).rename(net.parent / "dynamic.mnist" / after)
    assert load_poses("dynamic.mnist") == load_poses("capsnet-mnist") == measured


def assert_refused(net: Path, *mentioned: object, sha256: str | None = None) -> None:
    """Loading fails with one sentence that names the file and the command that makes another."""
    with pytest.raises(WeightsError) as caught:
        load_poses(net, sha256)
    remedy = f"python -m capsviz poses --data DIR --weights {net}"
    reference.assert_one_sentence(caught.value, poses_path(net), remedy, *mentioned)


def test_measurements_of_other_weights(net: Path) -> None:
    assert_refused(net, "other weights", "555555555555", "abcdefabcdef", sha256="abcdef" * 10 + "0123")
    card = reference.CARD | {"sha256": "e" * 64}
    net.with_suffix(".json").write_text(json.dumps(card))
    assert_refused(net, "other weights", "eeeeeeeeeeee")


def test_missing_measurements(net: Path) -> None:
    poses_path(net).unlink()
    assert_refused(net, "no measurements")
    poses_path(net).mkdir()
    assert_refused(net, "damaged")


def test_missing_card(net: Path, measured: PoseMeasurements) -> None:
    net.with_suffix(".json").unlink()
    with pytest.raises(WeightsError, match=re.escape(str(net.with_suffix(".json")))):
        load_poses(net)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff\xfe\x00", b'{"sha256": "5', b"7"])
def test_damaged_measurements(net: Path, data: bytes) -> None:
    poses_path(net).write_bytes(data)
    assert_refused(net, "damaged")


def test_measurements_cut_short(net: Path) -> None:
    data = poses_path(net).read_bytes()
    for length in (len(data) // 2, len(data) - 2):
        poses_path(net).write_bytes(data[:length])
        assert_refused(net, "damaged")


def last(data: Any) -> Any:
    """Component 15 of digit 9."""
    return data["digits"][9]["components"][15]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda d: last(d).update(mean=math.nan), "NaN"),
        (lambda d: last(d)["effects"]["x"].update(change=math.inf), "Infinity"),
        (lambda d: d["digits"][2]["spread"].update(ink=-math.inf), "Infinity"),
        (lambda d: d["digits"][2]["components"].pop(3), "10 digits with 16 components"),
        (lambda d: d["digits"][9]["components"].append(last(d)), "10 digits with 16 components"),
        (lambda d: d["digits"].pop(), "10 digits with 16 components"),
        (lambda d: last(d)["effects"].pop("loop"), "properties"),
        (lambda d: last(d)["effects"].update(colour=last(d)["effects"]["x"]), "properties"),
        (lambda d: d["digits"][0]["spread"].pop("slant"), "properties"),
        (lambda d: last(d).pop("caption"), "caption"),
        (lambda d: last(d).pop("low"), "low"),
        (lambda d: last(d).update(lowest=0), "lowest"),
        (lambda d: last(d).update(low="little"), "little"),
        (lambda d: last(d).update(low=None), "None"),
        (lambda d: last(d).update(mean="nan"), "nan"),
        (lambda d: last(d).update(mean=10**400), "OverflowError"),
        (lambda d: last(d).update(caption=None), "caption"),
        (lambda d: last(d)["effects"]["y"].pop("std"), "std"),
        (lambda d: d["digits"][4].pop("length"), "length"),
        (lambda d: d["settings"].update(per_digit=0), "per_digit"),
        (lambda d: d["settings"].update(reach=None), "reach"),
        (lambda d: d["settings"].update(colour="red"), "colour"),
        (lambda d: d.pop("sha256"), "sha256"),
    ],
)
def test_measurements_of_another_kind(net: Path, change: Callable[[Any], Any], named: str) -> None:
    data = json.loads(poses_path(net).read_text("utf-8"))
    change(data)
    poses_path(net).write_text(json.dumps(data), "utf-8")
    assert_refused(net, "damaged", named)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"mean": 1e999}'])
def test_measurements_that_no_one_wrote(net: Path, text: str) -> None:
    poses_path(net).write_text(text, "utf-8")
    assert_refused(net, "damaged")


# --- what is shipped ------------------------------------------------------------------------------------


def test_the_shipped_measurements_are_of_the_shipped_weights(model: Model) -> None:
    assert load_poses().sha256 == model.sha256
    assert load_poses(sha256=model.sha256) == load_poses()


def test_the_shipped_captions_follow_from_the_shipped_numbers() -> None:
    shipped = load_poses()
    assert shipped.settings == Settings()
    assert shipped.settings.per_digit >= 200
    captions = [found.caption for digit in shipped.digits for found in digit.components]
    assert captions == [describe(found.effects) for digit in shipped.digits for found in digit.components]
    assert len(captions) == 160
    assert captions.count("no clear meaning") < 40


def test_the_shipped_numbers_make_sense() -> None:
    for digit in load_poses().digits:
        assert 0 < digit.length.low < digit.length.mean < digit.length.high < 1
        # |v| squared is the sum of the components squared: means and variances must add up.
        squares = sum(found.mean**2 + found.std**2 for found in digit.components)
        assert squares == pytest.approx(digit.length.mean**2 + digit.length.std**2, rel=1e-3)
        assert all(spread >= 0 for spread in digit.spread.values())
        for found in digit.components:
            assert -1 < found.low < found.mean < found.high < 1
            assert 0 < found.std < found.high - found.low
            assert 0 < found.strength < 1
            for name, effect in found.effects.items():
                assert effect.std >= 0
                assert 0 <= effect.same_sign <= 1
                spread = max(digit.spread[name], PROPERTIES[name].usual)
                assert effect.standardised == pytest.approx(effect.change / spread, rel=2e-3)


# --- networks without capsules --------------------------------------------------------------------------


def test_numbers_without_a_bound_have_no_length_and_are_moved_further(
    images: np.ndarray,
    labels: np.ndarray,
    three_digits: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    fake = Fake()
    monkeypatch.setattr(
        Fake, "shape", Shape(28, tuple("012"), "digit", pose=16, score=PROBABILITY), raising=False
    )
    data = SimpleNamespace(data=SimpleNamespace(name="Fakes"), name="cnn.decoder.mnist")
    monkeypatch.setattr(Fake, "spec", data, raising=False)
    assert standard(as_model(fake)) == Settings("Fakes training set", iterations=1, reach=1.0)
    found = measure_poses(as_model(fake), images, labels, SMALL)
    assert [digit.length for digit in found.digits] == [None] * 3
    again = _parse(json.loads(json.dumps(asdict(found))), Fake.shape)
    assert again == found


def test_a_network_that_draws_nothing_has_no_poses_to_measure(images: np.ndarray, labels: np.ndarray) -> None:
    fake = SimpleNamespace(shape=find("cnn").shape, spec=find("cnn"))
    with pytest.raises(CapsvizError) as caught:
        measure_poses(cast(Model, fake), images, labels, SMALL)
    reference.assert_one_sentence(caught.value, "cnn.mnist has no poses", "choose")
