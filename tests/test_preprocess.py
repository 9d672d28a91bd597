"""Preprocessing against boxes computed by hand, and against what a drawing's place and pen must not change."""

from itertools import combinations
from pathlib import Path

import numpy as np
import papers
import pytest
from PIL import Image

from capsviz.errors import ImageError
from capsviz.inputs import preprocess
from capsviz.inputs.examples import EXAMPLES, examples_for, render
from capsviz.inputs.images import read_image
from capsviz.inputs.preprocess import canvas_to_mnist, luminance, prepare
from capsviz.models.model import load_model

PHOTOS = Path(__file__).parents[2] / "shared/data/photos"
MNIST_IMAGES = Path(__file__).parents[2] / "shared/data/MNIST/raw/t10k-images-idx3-ubyte"
DRAWINGS = pytest.mark.parametrize("example", examples_for("digit"), ids=lambda example: example.name)


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


@pytest.mark.parametrize("flip", [(), (0,), (1,), (0, 1)], ids=["", "rows", "columns", "both"])
def test_nothing_beyond_the_frame_comes_into_it(flip):
    """A digit that reaches the frame is resampled as in a field that goes on for ever."""
    ink = np.zeros((100, 100), np.float32)
    ink[:30, :30] = 1  # the mass lies at one end, so the other reaches the frame
    ink[np.arange(100), np.arange(100)] = ink[np.arange(99), np.arange(1, 100)] = 0.9
    ink = np.flip(ink, flip)
    scale, margin = 100 / 20, 300
    places = (np.arange(100) + 0.5, ink.sum(1), ink.sum(0))
    top, left = (
        np.clip(places[0] @ mass / mass.sum() - 14.5 * scale, 100 - 28 * scale, 0) + margin
        for mass in places[1:]
    )
    wide = Image.fromarray(np.pad(ink, margin))
    box = (left, top, left + 28 * scale, top + 28 * scale)
    expected = np.asarray(wide.resize((28, 28), Image.Resampling.HAMMING, box=box)).clip(0, 1)
    (found,) = preprocess._frame([ink], 28)
    np.testing.assert_allclose(found, expected / expected.max(), atol=2e-5)


@DRAWINGS
def test_drawings_are_scaled_and_centred_and_reach_white(example):
    image = canvas_to_mnist(draw(example))
    top, bottom, left, right = box(image)
    assert max(bottom - top, right - left) + 1 in (19, 20, 21)  # twenty, on no particular pixel edges
    assert centre_of_mass(image) == pytest.approx((14.5, 14.5), abs=0.1)
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


@pytest.mark.parametrize(("side", "moved"), [(18, False), (19, True), (20, True), (21, True), (22, False)])
def test_a_digit_of_the_right_size_is_moved_by_whole_pixels_and_not_scaled(side, moved):
    pixels = np.zeros((28, 28), np.float32)
    pixels[1 : 1 + side, 3:8] = 1
    image = canvas_to_mnist(pixels)
    assert (set(np.unique(image)) == {0, 1} and image.sum() == 5 * side) == moved


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


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, ">u2", np.float32, np.float16])
def test_white_is_the_most_that_a_type_holds(dtype):
    most = {"u": 65535 if np.dtype(dtype).itemsize == 2 else 255, "f": 255}[np.dtype(dtype).kind]
    pixels = np.array([[0, most // 5], [most // 5 * 2, most]], dtype)
    np.testing.assert_allclose(luminance(pixels), [[0, 0.2], [0.4, 1]], atol=1e-6)
    np.testing.assert_allclose(luminance(pixels[:1] // 52), [[0, most // 5 // 52 / most]], atol=1e-6)


def test_floats_up_to_one_are_shares_and_booleans_are_black_and_white():
    np.testing.assert_allclose(luminance(np.array([[0, 0.2], [0.4, 1]])), [[0, 0.2], [0.4, 1]], atol=1e-6)
    np.testing.assert_allclose(luminance(np.array([[0.1, 1.02]])), [[0.1 / 255, 0.004]], atol=1e-6)
    np.testing.assert_array_equal(luminance(np.array([[False, True]])), [[0, 1]])


def test_colours_are_weighed_as_the_eye_does():
    # ITU-R BT.601: 0.299 of red, 0.587 of green, 0.114 of blue.
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [10, 20, 30]]], np.uint8)
    expected = [[0.299, 0.587, 0.114, 1, (2.99 + 11.74 + 3.42) / 255]]
    np.testing.assert_allclose(luminance(colours), expected, atol=1e-6)


def test_large_colour_pictures_are_averaged_to_the_working_size():
    """801 x 500 is averaged in blocks of 3 x 3: 267 x 167 remain, whatever the pixels are made of."""
    grey = np.zeros((801, 500), np.uint8)
    grey[300:600, 150:351] = 255
    for pixels in (grey, np.dstack([grey] * 3), np.dstack([grey] * 3 + [np.full_like(grey, 255)])):
        kept = prepare(pixels).kept
        assert kept.shape == (267, 167)
        rows, columns = np.flatnonzero(kept.any(1)), np.flatnonzero(kept.any(0))
        assert [*rows[[0, -1]], *columns[[0, -1]]] == [100, 199, 50, 116]


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


def test_what_shows_through_is_the_paper_s_own_grey():
    # Of ten pixels six are paper of 204, two ink, and two are transparent.
    grey, alpha = [204] * 6 + [0] * 2 + [77] * 2, [255] * 8 + [0] * 2
    np.testing.assert_allclose(
        luminance(np.array([list(zip(grey, alpha, strict=True))], np.uint8)),
        [[0.8] * 6 + [0] * 2 + [0.8] * 2],
        atol=1e-6,
    )


def test_what_is_less_than_half_opaque_does_not_tell_what_the_paper_is_like():
    # Four black pixels of ten are opaque, so that they are strokes, on white; six greys cover two fifths of it.
    pixels = np.array([[(0, 255)] * 4 + [(127.5, 102)] * 6], np.float32)
    np.testing.assert_allclose(luminance(pixels), [[0] * 4 + [1 - 0.5 * 0.4] * 6], atol=1e-6)


@pytest.mark.parametrize(("width", "low", "high"), [(25, 3.2, 4.2), (45, 8.5, 9.5)])
def test_broad_strokes_become_usual_ones_and_painted_shapes_stay(width, low, high):
    """A hundred pixels long, and so 5 or 9 of MNIST's broad: at most 3.4 are usual, from 7.5 it is no stroke."""
    image = canvas_to_mnist(rectangle(100, width))
    assert low < image[14].sum() < high


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


def test_what_covers_nearly_all_of_its_square_is_no_digit():
    canvas = rectangle(100, 100)
    for left in (70, 95, 120):
        canvas[35:125, left : left + 5] = 0  # slits: 0.87 of the square remain
    with pytest.raises(ImageError, match="more than one digit"):
        canvas_to_mnist(canvas, "light")


@pytest.mark.parametrize("left_over", [0, 1, 20, 60])
def test_a_canvas_painted_all_over(left_over):
    canvas = 255 - rectangle(left_over, left_over)
    with pytest.raises(ImageError, match="more than one digit"):
        canvas_to_mnist(canvas, "light")


@pytest.mark.parametrize(("level", "ink"), [(0.8, "light"), (0.2, "dark")])
def test_a_canvas_of_nothing_but_what_ink_looks_like_is_painted_over(level, ink):
    with pytest.raises(ImageError, match="more than one digit"):
        canvas_to_mnist(np.full((280, 280), level), ink)
    with pytest.raises(ImageError, match="no ink"):
        canvas_to_mnist(np.full((280, 280), 0.5), ink)


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


@pytest.mark.parametrize("byte_order", ["<u2", ">u2", "=u2"])
def test_integers_of_any_byte_order_are_the_same_values(byte_order):
    grey = draw(EXAMPLES[0])
    np.testing.assert_array_equal(
        canvas_to_mnist((grey.astype(np.uint16) * 257).astype(byte_order)),
        canvas_to_mnist(grey.astype(np.uint16) * 257),
    )


def test_floats_of_any_byte_order_are_the_same_values():
    grey = draw(EXAMPLES[0]) / 255
    for dtype in (">f4", "<f4", ">f8", "<f2"):
        np.testing.assert_allclose(
            canvas_to_mnist(grey.astype(dtype)), canvas_to_mnist(grey), atol=0.02, err_msg=dtype
        )


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_is_read_as_the_array_it_is():
    grey = draw(EXAMPLES[0])
    np.testing.assert_array_equal(canvas_to_mnist(np.matrix(grey)), canvas_to_mnist(grey))


@pytest.mark.parametrize("mask", [False, True])
def test_masked_arrays_are_to_be_filled_first(mask):
    masked = np.ma.masked_array(draw(EXAMPLES[0]), mask=mask)
    with pytest.raises(ImageError, match="masked: fill it first"):
        canvas_to_mnist(masked)


# --- what was taken ---


def test_what_was_taken_lies_where_the_ink_is():
    canvas = rectangle(height=80, width=40, top=30, left=50)
    canvas[250:254, 250:254] = 255  # dust
    made = prepare(canvas, "light")
    assert made.polarity == "light"
    assert made.doubts == ()
    expected = np.zeros((280, 280), bool)
    expected[30:110, 50:90] = True
    np.testing.assert_array_equal(made.kept, expected)
    dust = np.zeros((280, 280), bool)
    dust[250:254, 250:254] = True
    np.testing.assert_array_equal(made.left_out, dust)
    np.testing.assert_array_equal(made.image, canvas_to_mnist(canvas, "light"))


def test_what_is_handed_out_cannot_be_written():
    made = prepare(draw(EXAMPLES[0]))
    for array in (made.image, made.kept, made.left_out):
        assert not array.flags.writeable
    with pytest.raises(AttributeError):
        made.polarity = "dark"


@pytest.mark.parametrize(("ink", "polarity"), [("auto", "dark"), ("dark", "dark")])
def test_polarity_is_what_the_ink_is(ink, polarity):
    assert prepare(255 - draw(EXAMPLES[0]), ink).polarity == polarity


@DRAWINGS
def test_drawings_leave_no_doubt(example):
    for ink in ("light", "auto"):
        made = prepare(render(example.strokes, example.width), ink)
        assert made.doubts == ()
        assert not made.left_out.any()


@pytest.mark.parametrize(("size", "working"), [(400, 400), (401, 201), (800, 400), (1000, 334)])
def test_masks_have_the_working_size(size, working):
    canvas = np.zeros((size, size // 2), np.uint8)
    canvas[size // 4 : size // 2, size // 8 : size // 4] = 255
    made = prepare(canvas)
    assert made.kept.shape[0] == made.left_out.shape[0] == working
    rows, columns = np.flatnonzero(made.kept.any(1)), np.flatnonzero(made.kept.any(0))
    assert rows[[0, -1]] / working == pytest.approx((0.25, 0.5), abs=0.01)
    assert columns[[0, -1]] / working == pytest.approx((0.125, 0.25), abs=0.01)


# --- crop, and what is no ink ---


def two_rectangles() -> np.ndarray:
    """A tall one at the left of a wide canvas, a broad one at its right."""
    canvas = np.zeros((200, 400), np.uint8)
    canvas[40:160, 60:100] = 255
    canvas[80:120, 230:350] = 255
    return canvas


def test_a_crop_is_the_same_as_a_picture_cut_by_hand():
    canvas = two_rectangles()
    for crop, part in {
        (0, 0, 0.5, 1): canvas[:, :200],
        (0.5, 0, 1, 1): canvas[:, 200:],
        (0.125, 0.1, 0.3, 0.9): canvas[20:180, 50:120],
        (0, 0, 1, 1): canvas,
        # A pixel that is touched belongs to it.
        (0.1261, 0.1049, 0.2976, 0.8951): canvas[20:180, 50:120],
    }.items():
        made = prepare(canvas, "light", crop)
        assert made.kept.shape == part.shape
        np.testing.assert_array_equal(made.image, canvas_to_mnist(part, "light"))


def test_a_crop_counts_x_from_the_left_and_y_from_the_top():
    canvas = two_rectangles()
    assert box(prepare(canvas, crop=(0, 0, 0.5, 1)).image)[:2] == (4, 24)  # tall: all twenty rows, and a half
    left, right = box(prepare(canvas, crop=(0.5, 0, 1, 1)).image)[2:]
    assert right - left + 1 in (20, 21)  # broad


def test_the_range_of_floats_is_the_whole_picture_s():
    canvas = two_rectangles().astype(np.float32)
    canvas[:, :200] = 0
    canvas[40:160, 60:100] = 1  # black, seen against the rest
    with pytest.raises(ImageError, match="no ink"):
        prepare(canvas, crop=(0, 0, 0.5, 1))


@pytest.mark.parametrize(
    "crop",
    [
        *((0.5, 0, 0.5, 1), (0.6, 0, 0.5, 1), (0, 0.5, 1, 0.5), (0, 0.7, 1, 0.5), (-0.1, 0, 1, 1)),
        *((0, -0.1, 1, 1), (0, 0, 1.1, 1), (0, 0, 1, 1.1), (0, 0, float("nan"), 1)),
    ],
)
def test_a_crop_that_is_none(crop):
    with pytest.raises(ValueError, match="crop must be left, top, right, bottom"):
        prepare(draw(EXAMPLES[0]), crop=crop)


def test_what_is_no_ink_is_left_out():
    canvas = two_rectangles()
    # x 80 of 400, y 100 of 200: on the tall one.
    made = prepare(canvas, "light", without=[(0.2, 0.5)])
    np.testing.assert_array_equal(made.kept, np.pad(np.ones((40, 120), bool), ((80, 80), (230, 50))))
    assert made.left_out[100, 80]
    assert not made.left_out[100, 300]
    left, right = box(made.image)[2:]
    assert right - left + 1 in (20, 21)
    # x 290, y 100: on the broad one.
    assert prepare(canvas, "light", without=[(0.725, 0.5)]).kept[100, 80]
    with pytest.raises(ImageError, match="no ink"):
        prepare(canvas, "light", without=[(0.2, 0.5), (0.725, 0.5)])


def test_a_point_beside_the_ink_counts_and_one_far_off_does_not():
    canvas = two_rectangles()
    assert not prepare(canvas, "light", without=[(52 / 400, 0.5)]).kept[100, 80]
    assert prepare(canvas, "light", without=[(20 / 400, 0.5)]).kept[100, 80]


def test_points_are_those_of_the_whole_picture_also_with_a_crop():
    canvas = two_rectangles()
    canvas[170:190, 60:100] = 255
    crop = (0.1, 0.1, 0.5, 1)
    both, one = prepare(canvas, "light", crop), prepare(canvas, "light", crop, [(0.2, 0.9)])
    assert both.kept[160, 40]  # row 180 less 20, column 80 less 40
    assert not one.kept[160, 40]
    assert one.left_out[160, 40]
    assert one.kept[80, 40]
    # A point outside of the crop says nothing about it.
    np.testing.assert_array_equal(prepare(canvas, "light", crop, [(0.725, 0.5)]).kept, both.kept)


@pytest.mark.parametrize("point", [(-0.01, 0.5), (0.5, 1.01), (float("nan"), 0.5)])
def test_a_point_that_is_none(point):
    with pytest.raises(ValueError, match="without must hold points"):
        prepare(draw(EXAMPLES[0]), without=[point])


# --- paper: the ink that was drawn is known ---


def alike(image: np.ndarray, ink: np.ndarray) -> float:
    """Correlation with what is made of the ink alone, white on black."""
    clean = canvas_to_mnist((255 * ink).astype(np.uint8), "light")
    return float(np.corrcoef(image.ravel(), clean.ravel())[0, 1])


ON_PAPER = {**papers.KINDS, **papers.CELLS, **papers.HELD_OUT}


@pytest.mark.parametrize("kind", ON_PAPER)
def test_the_digit_is_found_whatever_else_is_in_the_picture(kind):
    """Median over a few examples, of 240 pixels: single ones may touch what lies beside them."""
    rng = np.random.default_rng(5)
    found = []
    for example in (EXAMPLES[0], EXAMPLES[7], EXAMPLES[12]):
        strokes = [
            np.array(stroke) / np.ptp(np.concatenate(example.strokes), axis=0).max()
            for stroke in example.strokes
        ]
        pixels, ink = papers.paper(ON_PAPER[kind], strokes, rng, 240)
        try:
            found.append(alike(canvas_to_mnist(pixels), ink))
        except ImageError:
            found.append(0.0)
    assert np.median(found) > 0.9


@pytest.mark.skipif(not PHOTOS.exists(), reason="there are no photos at ../shared/data/photos")
@pytest.mark.slow
def test_photos_of_paper_are_read():
    model = load_model(device="cpu")
    paths = sorted(PHOTOS.iterdir())
    images = np.stack([canvas_to_mnist(read_image(path.read_bytes())) for path in paths])
    answers = model.predict(images).argmax(1)
    wrong = [path.name for path, answer in zip(paths, answers, strict=True) if path.name[0] != str(answer)]
    assert not wrong
