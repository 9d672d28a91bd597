"""From a drawing or a photo to the picture that the makers of MNIST would have made of it, of 28x28 pixels or others.

They scaled each digit to fit a box of 20x20 pixels, with antialiasing and its aspect kept, and moved it so
that its centre of mass lay in the middle of a field of 28x28 (LeCun et al., 1998). The same is done here
in one resampling from a square with real-valued borders, so that where and how large a digit was drawn
leaves no trace. A picture of another size is made in the same proportions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from capsviz.errors import ImageError
from capsviz.inputs.ink import INK_LEVEL, MIN_CONTRAST, find_ink
from capsviz.inputs.parts import box_of, dilate
from capsviz.texts import drawn, say

Crop = tuple[float, float, float, float]  # left, top, right, bottom, as fractions of a picture

FIELD, BOX = 28, 20
# MNIST's centres of mass lie, uniformly, within half a pixel of pixel index (14, 14): of its centre, half a pixel
# beyond the field's own.
BEYOND = 0.5

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow's mode L
WORKING_SIZE = 400  # larger pictures are first averaged down to at most this many pixels a side

MAX_COVER = 0.8  # of the square around the ink, by ink
MAX_WAY = 5.5  # of the pen, in sides of that square; an 8 takes about 3
MIN_SIDE = 6  # pixels
DOT_SPREAD = 1.06  # second moment over that of a disc of the same area: no digit is so nearly a disc
DOT_ASPECT = 1.35  # larger side over stroke width: below this a pen was set down, hardly moved

# Of the strokes of MNIST's digits, in its pixels. Half of them lie between the first two.
MIN_WIDTH, MAX_WIDTH = 2.4, 3.4
BROADEST = 7.5  # what is broader is a painted shape and not the trace of a pen
DETAIL = 6  # subpixels of a MNIST pixel, in which a stroke's width is changed


@dataclass(frozen=True, eq=False)
class Preparation:
    """A picture like MNIST's, and what of the picture before was taken for its ink.

    The masks have the shape of the picture that was worked on: the crop, averaged down to at most
    ``WORKING_SIZE`` pixels a side. Stretched over the crop, they lie where the ink does.
    """

    image: np.ndarray  # float32 [S, S] in 0..1, ink 1 on background 0; read-only
    kept: np.ndarray  # bool [H, W], taken for the digit's ink; read-only
    left_out: np.ndarray  # bool [H, W], like ink, but not the digit's: rulings, shadows, neighbours, specks
    polarity: str  # "light" or "dark": what the ink is
    doubts: tuple[str, ...]  # a sentence each: what may be wrong, and what to do about it


def canvas_to_mnist(pixels: np.ndarray, ink: str = "auto", size: int = FIELD, digits: int = 1) -> np.ndarray:
    """The picture that ``prepare`` makes: float32 [size, size] in 0..1, ink 1 on background 0."""
    return prepare(pixels, ink, size=size, digits=digits).image


def prepare(
    pixels: np.ndarray,
    ink: str = "auto",
    crop: Crop | None = None,
    without: Sequence[tuple[float, float]] = (),
    size: int = FIELD,
    digits: int = 1,
) -> Preparation:
    """Turn a canvas or a photo into a picture like MNIST's.

    A picture that is made like MNIST's already comes back as it was, but for its faintest grey.

    Args:
        pixels: [H, W], or [H, W, C] with C = 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA); bool, uint8,
            uint16, or floats that go up to 1 (if none is above 1) or to 255 (otherwise). What is
            transparent is background.
        ink: "light" on dark, "dark" on light, or "auto": whichever stands out from the background.
        crop: the part to look at: left, top, right, bottom as fractions of the picture, 0..1; None for all of it.
        without: points (x, y) that lie on what is no ink, as fractions of the whole picture, also with a crop.
            What was found there, or within a few pixels, is left out.
        size: side of the picture to make, in pixels: what the network's ``shape.size`` is.
        digits: how many may lie over each other in it, the network's ``shape.answers``: of more ink is no scribble.

    Returns:
        The picture and what was taken for its ink.

    Raises:
        ImageError: if the array is of another kind, or there is no digit in it: no ink, a dot, or ink
            all over.
        ValueError: if ``ink`` is none of the three words, or ``crop`` or ``without`` are no such fractions.
    """
    if ink not in ("light", "dark", "auto"):
        raise ValueError(f'ink must be "light", "dark" or "auto", not {ink!r}.')
    white = _check(pixels)
    part = _cut(pixels, crop)
    if part.ndim == 3 and part.shape[2] == 3 and part.dtype == np.uint8:
        part = _shrink(part)  # of colours, three times as much is saved
    grey = _shrink(_to_grey(part, white))
    found = find_ink(grey, ink, _within(without, crop or (0, 0, 1, 1)))
    (image,) = _framed([found.amount], size, digits)
    for array in (image, found.kept, found.left_out):
        array.flags.writeable = False
    return Preparation(image, found.kept, found.left_out, found.polarity, found.doubts)


def separate(layers: Sequence[np.ndarray], size: int = FIELD, digits: int = 1) -> np.ndarray:
    """Each layer of a canvas by itself, where and as large as it is in the picture of all of them.

    Args:
        layers: uint8 [H, W] each, white ink on black; the canvas has the lightest of all.
        size: as ``prepare`` takes it.
        digits: likewise.

    Returns:
        float32 [len(layers), size, size] in 0..1: the picture of all is as light as the lightest of them, but for what
        resampling does where they cross.

    Raises:
        ImageError: if there is no digit in the picture of all.
    """
    found = find_ink(_shrink(_to_grey(np.maximum.reduce(layers), 255)), "light", [])
    inks = [found.amount, *(_shrink(_to_grey(layer, 255)) for layer in layers)]
    _, *parts = _framed(inks, size, digits)
    return np.stack(parts)


def _framed(inks: Sequence[np.ndarray], size: int, digits: int) -> list[np.ndarray]:
    """Amounts of ink [H, W] as pictures like MNIST's [size, size]; where and how large decides the first, for all."""
    return _frame(_crop(_with_usual_width(_crop(inks), digits)), size)


def _check(pixels: np.ndarray) -> float:
    """What white is in an array, once it is one that can be read."""
    if not isinstance(pixels, np.ndarray):
        raise ImageError(f"An image must be a NumPy array, not {type(pixels).__name__}: convert it first.")
    if isinstance(pixels, np.ma.MaskedArray):
        raise ImageError("An image must have a value everywhere, and this one is masked: fill it first.")
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 2, 3, 4)):
        shape = " x ".join(map(str, pixels.shape)) or "a single number"
        raise ImageError(
            f"An image must have the shape H x W or H x W x C with 1 to 4 channels, not {shape}: pass one image."
        )
    if pixels.size == 0:
        raise ImageError("This image has no pixels: pass one that has a height and a width.")

    if pixels.dtype.kind == "b":
        return 1
    if pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2:
        return float(np.iinfo(pixels.dtype).max)
    if pixels.dtype.kind != "f":
        raise ImageError(f"Pixels must be bool, uint8, uint16 or float, not {pixels.dtype}: convert them.")
    low, high = pixels.min(), pixels.max()
    if not np.isfinite([low, high]).all():
        raise ImageError("This image holds NaN or infinite values: replace them by numbers in 0..1.")
    if low < 0 or high > 255:
        raise ImageError(f"Pixels must lie in 0..1 or 0..255, not {low:g}..{high:g}: rescale them.")
    return 1 if high <= 1 else 255


def _cut(pixels: np.ndarray, crop: Crop | None) -> np.ndarray:
    """The part of a picture [H, W, ...] within left, top, right, bottom, widened to whole pixels."""
    if crop is None:
        return pixels
    left, top, right, bottom = crop
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(f"crop must be left, top, right, bottom in 0..1, not {crop}.")
    height, width = pixels.shape[:2]
    rows = slice(math.floor(top * height), math.ceil(bottom * height))
    return pixels[rows, math.floor(left * width) : math.ceil(right * width)]


def _within(points: Sequence[tuple[float, float]], crop: Crop) -> list[tuple[float, float]]:
    """Points of a picture as fractions of its crop; those that lie outside of it are left out."""
    left, top, right, bottom = crop
    moved = []
    for x, y in points:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise ValueError(f"without must hold points (x, y) in 0..1, not ({x}, {y}).")
        if left <= x <= right and top <= y <= bottom:
            moved.append(((x - left) / (right - left), (y - top) / (bottom - top)))
    return moved


def luminance(pixels: np.ndarray) -> np.ndarray:
    """float32 [H, W] in 0..1: how light a picture is, whatever it is made of; what is transparent is background.

    Args:
        pixels: as ``canvas_to_mnist`` takes them.

    Raises:
        ImageError: if the array is of another kind.
    """
    return _to_grey(pixels, _check(pixels))


def _to_grey(pixels: np.ndarray, white: float) -> np.ndarray:
    """Reduce an array to luminance, float32 [H, W] in 0..1."""
    channels = np.atleast_3d(np.asarray(pixels))
    colours = channels.shape[2] - (channels.shape[2] in (2, 4))
    weights = (LUMINANCE if colours == 3 else np.ones(1, np.float32)) / np.float32(white)
    grey = sum(channels[:, :, k] * weights[k] for k in range(colours)).astype(np.float32, copy=False)
    if colours == channels.shape[2]:
        return grey
    return _flatten(grey, channels[:, :, -1].astype(np.float32) / np.float32(white))


def _flatten(grey: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lay a transparent picture on a background of the kind that it has itself."""
    opaque = grey[alpha > 0.5]
    if opaque.size == 0:
        return np.zeros_like(grey)
    middle = np.median(opaque)
    if 2 * opaque.size < grey.size or np.ptp(opaque) < MIN_CONTRAST:
        # Only the strokes are opaque: whatever their colour, they must differ from what lies below.
        paper = np.float32(middle < 0.5)
    else:
        paper = middle  # the paper is opaque too
    return paper + (grey - paper) * alpha


def _shrink(picture: np.ndarray) -> np.ndarray:
    """Average a large picture, float32 [H, W] or uint8 [H, W, 3], down to at most ``WORKING_SIZE`` pixels a side."""
    factor = -(-max(picture.shape[:2]) // WORKING_SIZE)
    return picture if factor == 1 else np.asarray(Image.fromarray(picture).reduce(factor))


def _crop(inks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Cut images to the bounding box of the first one's ink."""
    box = box_of(inks[0] >= INK_LEVEL)
    if not inks[0][box].size:
        raise ImageError(
            say("image.blank", kind=drawn())
        )  # a line too thin and faint to outlast a change of scale
    return [ink[box] for ink in inks]


def _measure_stroke(ink: np.ndarray) -> tuple[float, float]:
    """Measure the width of a stroke and the length of the pen's way, in pixels.

    A round pen of diameter w that goes a way of length l covers an area A = l w + pi w^2 / 4 within a
    perimeter P = 2 l + pi w. This is solved for w and l.
    """
    area = ink.sum(dtype=np.float64)
    perimeter = np.hypot(*np.gradient(_with_margin(ink, 2))).sum(dtype=np.float64)
    width = (perimeter - np.sqrt(max(perimeter**2 - 4 * np.pi * area, 0))) / np.pi
    return width, (perimeter - np.pi * width) / 2


def _spread(ink: np.ndarray) -> float:
    """Second moment of ink [H, W] about its centre over that of a disc of the same area; 1 or more."""
    area = ink.sum(dtype=np.float64)
    moment = 0.0
    for axis, size in enumerate(ink.shape):
        profile, places = ink.sum(axis=1 - axis, dtype=np.float64), np.arange(size)
        moment += profile @ (places - profile @ places / area) ** 2
    return float(2 * np.pi * moment / area**2)  # a disc's is area squared / 2 pi


def _with_usual_width(inks: list[np.ndarray], digits: int) -> list[np.ndarray]:
    """Redraw strokes thinner or thicker than most of MNIST's with a pen of the nearest usual width.

    Args:
        inks: [H, W] in 0..1, cropped to what was drawn: to the first, which decides for all.
        digits: how many may be drawn there.

    Returns:
        The same arrays if the strokes are as wide as usual, else the digit drawn at another scale.

    Raises:
        ImageError: if the ink is a dot, or more than a digit.
    """
    ink = inks[0]
    side = max(ink.shape)
    scale = BOX * DETAIL / side
    fine = min(scale, 1)
    stroke = _scale(ink, fine) if fine < 1 else ink  # paper has a grain, and grain would count as perimeter
    width, way = (length / fine for length in _measure_stroke((2 * stroke - 0.5).clip(0, 1)))
    if side < MIN_SIDE or side < DOT_ASPECT * width or _spread(ink) < DOT_SPREAD:
        raise ImageError(say("image.dot", kind=drawn()))
    if ink.sum() > MAX_COVER * side**2 or way > digits * MAX_WAY * side:
        raise ImageError(say("image.scribble", kind=drawn()))
    if side <= FIELD or width * BOX / side > BROADEST:
        return inks  # too coarse to be redrawn, or no stroke
    usual = np.clip(width * BOX / side, MIN_WIDTH, MAX_WIDTH)
    # The pen's radius must grow by d, and with it all four borders of the box, so that afterwards
    # (width + 2 d) / (side + 2 d) = usual / BOX.
    grow = (usual * side - width * BOX) / (2 * (BOX - usual))
    steps = round(grow * scale)
    if steps == 0:
        return inks
    scaled = [stroke if fine < 1 else _scale(ink, scale), *(_scale(other, scale) for other in inks[1:])]
    return [_grown(_with_margin(part, abs(steps) + 1), steps) for part in scaled]


def _with_margin(image: np.ndarray, *margins: int) -> np.ndarray:
    """An image [H, W] with so many pixels of 0 more on each side: above, below, left, right, or the same on all."""
    above, below, left, right = margins if len(margins) == 4 else 4 * margins
    height, width = image.shape
    wide = np.zeros((above + height + below, left + width + right), image.dtype)
    wide[above : above + height, left : left + width] = image
    return wide


def _grown(image: np.ndarray, steps: int) -> np.ndarray:
    """Ink with so many pixels more all around, or less."""
    image = image if steps > 0 else 1 - image
    for k in range(abs(steps)):
        image = dilate(image, square=k % 2 == 1)  # a square and a plus in turn: an octagon, nearly a disc
    return image if steps > 0 else 1 - image


def _scale(image: np.ndarray, factor: float) -> np.ndarray:
    height, width = (max(1, round(size * factor)) for size in image.shape)
    return _resize(image, (height, width))


def _resize(
    image: np.ndarray, shape: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> np.ndarray:
    """Resample with antialiasing, from a box (left, top, right, bottom) in pixels if one is given."""
    resized = Image.fromarray(image).resize(shape[::-1], Image.Resampling.HAMMING, box=box)
    return np.asarray(resized).clip(0, 1)


def _frame(inks: list[np.ndarray], size: int) -> list[np.ndarray]:
    """Scale cropped digits [H, W] to a box of 20 pixels of 28 and centre the first one's mass in the field of size x size."""
    ink = inks[0]
    side = max(ink.shape)
    box = BOX * size / FIELD
    # A digit of the right size already is only moved, and by whole pixels, as MNIST's makers did: to scale
    # it, or to move it by a fraction of a pixel, would blur it.
    right_size = abs(side - box) <= 1
    scale = 1 if right_size else side / box  # pixels of the drawing for one of the field's
    field = size * scale
    origin = []
    for axis, length in enumerate(ink.shape):
        profile = ink.sum(axis=1 - axis, dtype=np.float64)
        centre = (profile @ (np.arange(length) + 0.5)) / profile.sum()
        start = np.clip(
            centre - (size / 2 + BEYOND) * scale, length - field, 0
        )  # the whole box stays in the field
        origin.append(np.rint(start) if right_size else start)
    # Pillow takes the field's place in single precision: rounded with a margin in which every field lies, whatever the ink.
    widest = math.ceil(field - min(ink.shape)) + 1
    corners = np.add(origin, widest), np.add(origin, widest + field)
    (top, left), (bottom, right) = np.array(corners, np.float32).astype(np.float64) - widest
    # But nothing counts beyond the field and the reach of the filter of its outermost pixels.
    margins = []
    for start, end, length in zip((top, left), (bottom, right), ink.shape, strict=True):
        reach = math.ceil(scale - start) + 1, math.ceil(end + scale - length) + 1
        margins += [min(pixels, widest) for pixels in reach]
    place = (left + margins[2], top + margins[0], right + margins[2], bottom + margins[0])
    images = [_resize(_with_margin(ink, *margins), (size, size), box=place) for ink in inks]
    return [image / images[0].max() for image in images]
