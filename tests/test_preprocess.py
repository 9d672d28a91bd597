"""Preprocessing against boxes computed by hand, and against what a drawing's place and pen must not change."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from capsviz.errors import ImageError
from capsviz.examples import EXAMPLES, render
from capsviz.preprocess import CENTRE, canvas_to_mnist

MNIST_IMAGES = Path(__file__).parents[2] / "shared/data/MNIST/raw/t10k-images-idx3-ubyte"
DRAWINGS = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


def rectangle(height: int, width: int, top: int = 30, left: int = 50, size: int = 280) -> np.ndarray:
    canvas = np.zeros((size, size), np.uint8)
    canvas[top : top + height, left : left + width] = 255
    return canvas


def box(image: np.ndarray) -> tuple[int, int, int, int]:
    """First and last row, first and last column that are at least half inked."""
    rows, columns = np.flatnonzero((image >= 0.5).any(1)), np.flatnonzero((image >= 0.5).any(0))
    return rows[0], rows[-1], columns[0], columns[-1]


def centre_of_mass(image: np.ndarray) -> tuple[float, float]:
    """Row and column, in pixels from the upper left *edge*."""
    y, x = np.indices(image.shape) + 0.5
    return (image * y).sum() / image.sum(), (image * x).sum() / image.sum()


def draw(example, scale: float = 1, x: float = 0.5, y: float = 0.5, width: float | None = None) -> np.ndarray:
    """An example ``scale`` times as large, its middle at (x, y), by a pen of ``width`` pixels of 280."""
    points = np.array([point for stroke in example.strokes for point in stroke])
    middle = (points.min(0) + points.max(0)) / 2
    strokes = [tuple(map(tuple, (np.array(s) - middle) * scale + (x, y))) for s in example.strokes]
    return render(tuple(strokes), example.width * scale if width is None else width / 280)


def photo(drawing: np.ndarray, contrast: float = 0.5, noise: float = 0.02) -> np.ndarray:
    """Dark ink on light paper, lit from the left, with a grain: RGB uint8."""
    y, x = np.mgrid[0:1:280j, 0:1:280j]
    grain = np.random.default_rng(0).normal(0, noise, drawing.shape)
    grey = (0.9 - 0.4 * x - 0.15 * y**2) * (1 - contrast * drawing / 255) + grain
    return (np.dstack([grey, 0.97 * grey, 0.9 * grey]) * 255).clip(0, 255).astype(np.uint8)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(canvas_to_mnist(a) - canvas_to_mnist(b)).mean())


# --- what MNIST's makers made ---


def test_a_rectangle_fills_twenty_pixels_and_is_centred():
    image = canvas_to_mnist(rectangle(height=80, width=40))
    assert image.shape == (28, 28)
    assert image.dtype == np.float32
    # 80 x 40 becomes 20 x 10 around 14.5: rows 4.5 to 24.5, columns 9.5 to 19.5, in pixel edges.
    expected = np.zeros((28, 28))
    expected[4:25, 9:20] = 1
    expected[[4, 24]] *= 0.5
    expected[:, [9, 19]] *= 0.5
    np.testing.assert_allclose(image, expected, atol=0.02)


def test_the_box_stays_inside_the_frame_when_the_mass_lies_at_one_end():
    canvas = rectangle(height=12, width=200, top=20, left=20)
    canvas[20:80, 20:80] = 255  # 60 x 60 at the left end of a thin line: the centre at 4.6 of 20
    image = canvas_to_mnist(canvas)
    assert image[:, 27].max() > 0.5  # clamped: the line ends at the frame, and not beyond
    assert box(image)[2:] == (8, 27)


@DRAWINGS
def test_drawings_are_scaled_and_centred_and_reach_white(example):
    image = canvas_to_mnist(draw(example))
    top, bottom, left, right = box(image)
    assert max(bottom - top, right - left) + 1 in (19, 20, 21)  # twenty, on no particular pixel edges
    assert centre_of_mass(image) == pytest.approx((CENTRE, CENTRE), abs=0.1)
    assert image.min() >= 0
    assert image.max() == 1


@pytest.mark.skipif(not MNIST_IMAGES.exists(), reason="MNIST is not at ../shared/data/MNIST/raw")
def test_mnist_comes_back_as_it_was():
    images = np.frombuffer(MNIST_IMAGES.read_bytes(), np.uint8, offset=16).reshape(-1, 28, 28)[::25]
    made = np.stack([canvas_to_mnist(image) for image in images])
    change = np.abs(made - images / 255).mean(axis=(1, 2))
    assert np.median(change) < 0.002
    assert change.mean() < 0.008
    enlarged = [canvas_to_mnist(image.repeat(10, 0).repeat(10, 1)) for image in images[:100]]
    correlation = [
        np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(enlarged, images[:100], strict=True)
    ]
    assert np.median(correlation) > 0.9  # MNIST is centred to whole pixels only


@DRAWINGS
def test_what_is_made_is_not_made_anew(example):
    once = canvas_to_mnist(draw(example))
    again = canvas_to_mnist(once)
    assert np.corrcoef(once.ravel(), again.ravel())[0, 1] > 0.9
    np.testing.assert_allclose(canvas_to_mnist(again), again, atol=0.1)


# --- what must make no difference ---


@DRAWINGS
@pytest.mark.parametrize(("x", "y"), [(0.3, 0.3), (0.3, 0.7), (0.7, 0.3), (0.7, 0.7)])
def test_place_makes_no_difference(example, x, y):
    assert difference(draw(example, 0.5), draw(example, 0.5, x, y)) < 0.01


@DRAWINGS
def test_size_makes_no_difference(example):
    tall = 0.7 / np.ptp([y for stroke in example.strokes for _, y in stroke])
    large, small = draw(example, tall), draw(example, tall / 2.5)
    assert difference(large, small) < 0.02


@DRAWINGS
def test_the_pen_makes_little_difference(example):
    tall = 0.75 / np.ptp([y for stroke in example.strokes for _, y in stroke])
    images = [canvas_to_mnist(draw(example, tall, width=width)) for width in (8, 16, 28)]
    for a, b in combinations(images, 2):
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.95
        assert np.abs(a - b).mean() < 0.035


def test_layouts_types_and_polarities_agree():
    grey = draw(EXAMPLES[0])
    opaque = np.full_like(grey, 255)
    expected = canvas_to_mnist(grey)
    same = {
        "channel": grey[:, :, None],
        "RGB": np.dstack([grey] * 3),
        "RGBA": np.dstack([grey] * 3 + [opaque]),
        "grey and alpha": np.dstack([grey, opaque]),
        "uint16": grey.astype(np.uint16) * 257,
        "0..1": grey / 255,
        "0..255": grey.astype(np.float32),
        "dark on light": 255 - grey,
        "dark grey on light grey": 200 - grey // 2,
        "columns first in memory": np.asfortranarray(grey),
    }
    for name, pixels in same.items():
        np.testing.assert_allclose(canvas_to_mnist(pixels), expected, atol=0.02, err_msg=name)
    np.testing.assert_allclose(canvas_to_mnist(grey > 127), expected, atol=0.1)
    np.testing.assert_array_equal(canvas_to_mnist(grey, "light"), expected)
    np.testing.assert_allclose(canvas_to_mnist(255 - grey, "dark"), expected, atol=1e-5)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (30, 60, 200), (250, 220, 80)])
def test_what_is_transparent_is_background(colour):
    grey = draw(EXAMPLES[0])
    strokes = np.dstack([np.full((*grey.shape, 3), colour, np.uint8), grey])
    np.testing.assert_allclose(canvas_to_mnist(strokes), canvas_to_mnist(grey), atol=0.02)


def test_transparent_corners_around_opaque_paper():
    grey = draw(EXAMPLES[0])
    alpha = np.full_like(grey, 255)
    alpha[:30, :30] = alpha[-30:, -30:] = 0
    page = np.dstack([255 - grey, alpha])
    np.testing.assert_allclose(canvas_to_mnist(page), canvas_to_mnist(grey), atol=0.02)


@DRAWINGS
def test_uneven_light_makes_little_difference(example):
    large = draw(example, min(3, 0.6 / np.ptp([y for stroke in example.strokes for _, y in stroke])))
    image, seen = canvas_to_mnist(large), canvas_to_mnist(photo(large))
    assert np.corrcoef(image.ravel(), seen.ravel())[0, 1] > 0.94
    chalk = canvas_to_mnist(255 - photo(large))
    assert np.corrcoef(image.ravel(), chalk.ravel())[0, 1] > 0.94


def test_dust_makes_no_difference():
    clean = draw(EXAMPLES[0])
    dusty = clean.copy()
    for y, x in ((3, 3), (270, 8), (12, 262), (262, 271)):
        dusty[y : y + 6, x : x + 6] = 255
    assert difference(clean, dusty) < 1e-3


def test_a_part_that_stands_apart_is_no_dust():
    five = next(example for example in EXAMPLES if example.name == "five")
    body, hat = five.strokes
    apart = render((body, tuple((x + 0.06, y - 0.06) for x, y in hat)), 0.05)
    without = render((body,), 0.05)
    assert difference(apart, without) > 0.05


def test_large_pictures_are_read():
    small = draw(EXAMPLES[0])
    assert difference(small, small.repeat(9, 0).repeat(9, 1)) < 0.01


# --- what cannot be read ---


@pytest.mark.parametrize("ink", ["auto", "light", "dark"])
def test_blank(ink):
    level = {"auto": 128, "light": 0, "dark": 255}[ink]
    with pytest.raises(ImageError, match="no ink"):
        canvas_to_mnist(np.full((280, 280), level, np.uint8), ink)


def test_blank_paper_has_no_ink_in_it():
    with pytest.raises(ImageError, match="no ink"):
        canvas_to_mnist(photo(np.zeros((280, 280))))


def test_a_transparent_canvas_is_blank():
    with pytest.raises(ImageError, match="no ink"):
        canvas_to_mnist(np.zeros((280, 280, 4), np.uint8))


@pytest.mark.parametrize("width", [4, 8, 20, 30, 60])
def test_a_tap_of_the_pen_is_a_dot(width):
    with pytest.raises(ImageError, match="just a dot"):
        canvas_to_mnist(render((((0.4, 0.6),),), width / 280))


@pytest.mark.parametrize("seed", range(30))
def test_a_tap_is_a_dot_wherever_it_falls_between_the_pixels(seed):
    x, y, width = np.random.default_rng(seed).uniform([0.2, 0.2, 6], [0.8, 0.8, 30])
    with pytest.raises(ImageError, match="just a dot"):
        canvas_to_mnist(render((((x, y),),), width / 280))


def test_a_small_digit_in_a_broad_pen_is_no_dot():
    ring = [(0.5 + 0.14 * np.cos(t), 0.5 + 0.16 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 40)]
    assert canvas_to_mnist(render((tuple(ring),), 28 / 280)).shape == (28, 28)


def test_one_pixel_is_a_dot():
    with pytest.raises(ImageError, match="just a dot"):
        canvas_to_mnist(rectangle(1, 1))


def zigzag(turns: int, width: int) -> np.ndarray:
    points = tuple((0.04 + 0.92 * (k % 2), 0.04 + 0.92 * k / turns) for k in range(turns + 1))
    return render((points,), width / 280)


@pytest.mark.parametrize("ink", ["auto", "light"])
@pytest.mark.parametrize(("turns", "width"), [(10, 12), (14, 16), (24, 12), (40, 8)])
def test_a_scribble_over_everything(turns, width, ink):
    with pytest.raises(ImageError, match="more than one digit"):
        canvas_to_mnist(zigzag(turns, width), ink)


@pytest.mark.parametrize("left_over", [0, 1, 20, 60])
def test_a_canvas_painted_all_over(left_over):
    canvas = 255 - rectangle(left_over, left_over)
    with pytest.raises(ImageError, match="more than one digit"):
        canvas_to_mnist(canvas, "light")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(value):
    pixels = draw(EXAMPLES[0]) / 255
    pixels[5, 5] = value
    with pytest.raises(ImageError, match="NaN or infinite"):
        canvas_to_mnist(pixels)


@pytest.mark.parametrize("factor", [-1, 2])
def test_values_out_of_range(factor):
    with pytest.raises(ImageError, match="must lie in"):
        canvas_to_mnist(draw(EXAMPLES[0]) * float(factor))


@pytest.mark.parametrize("shape", [(), (784,), (28, 28, 5), (1, 28, 28, 1), (3, 28, 28)])
def test_wrong_shapes(shape):
    with pytest.raises(ImageError, match="shape H x W"):
        canvas_to_mnist(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(0, 28), (28, 0), (0, 0, 3)])
def test_no_pixels(shape):
    with pytest.raises(ImageError, match="no pixels"):
        canvas_to_mnist(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("dtype", [np.int64, np.complex64, object, "U1"])
def test_wrong_types(dtype):
    with pytest.raises(ImageError, match="bool, uint8, uint16 or float"):
        canvas_to_mnist(np.zeros((28, 28), dtype))


@pytest.mark.parametrize("thing", [None, [[0, 1], [1, 0]], "seven.png"])
def test_no_array(thing):
    with pytest.raises(ImageError, match="NumPy array"):
        canvas_to_mnist(thing)


def test_a_polarity_there_is_not():
    with pytest.raises(ValueError, match="ink must be"):
        canvas_to_mnist(draw(EXAMPLES[0]), ink="blue")


def test_noise_is_answered_or_refused_and_nothing_else():
    rng = np.random.default_rng(0)
    for _ in range(60):
        shape = rng.integers(1, 60, 2)
        pixels = rng.random(shape) ** rng.integers(1, 40)
        try:
            image = canvas_to_mnist(pixels)
        except ImageError:
            continue
        assert image.shape == (28, 28)
        assert image.min() >= 0
        assert image.max() == 1
