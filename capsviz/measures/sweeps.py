"""Poses moved in a line, and what the decoder draws on the way: sweeps of one dimension, and morphs.

Each is computed with PyTorch by the model; as pictures: ``grid_picture`` and ``gif``.
"""

import io
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from capsviz.arrays import real_array
from capsviz.checks import shown, whole_number
from capsviz.errors import CapsvizError
from capsviz.traces.base import Shape

if TYPE_CHECKING:
    from capsviz.models.model import Model

SPAN, STEPS = 0.25, 11  # of Figure 4: eleven poses from -0.25 to 0.25
MOST_FRAMES = 200
MOST = 100  # of any number of a pose; a capsule itself is shorter than 1
MOST_SECONDS, MOST_SCALE = 600, 20  # of a picture or a film


def sweep(model: "Model", pose: ArrayLike, digit: int, span: float = SPAN, steps: int = STEPS) -> np.ndarray:
    """Figure 4 of the paper: every dimension of a pose moved, one at a time.

    Args:
        model: whose decoder draws.
        pose: [D] the pose to start from, all others being fed as 0; or [J, D] to feed all, unmasked.
        digit: the class capsule it belongs to, or whose pose of all is moved.
        span: how far a component is moved down and up, above 0; the paper's 0.25.
        steps: how many poses in a row, from -span to +span.

    Returns:
        Images [D, steps, S, S] in 0..1.

    Raises:
        CapsvizError: if the pose or the digit is none, or span or steps are out of range.
    """
    moves = np.linspace(-_positive(span), span, _count(steps), dtype=np.float32)
    start = _poses(model.shape, pose, digit)
    poses = np.tile(start, (model.shape.pose, len(moves), 1, 1))  # [D, steps, J, D]
    each = np.arange(model.shape.pose)
    poses[each, :, digit, each] += moves
    return model.decode(poses)


def morph(
    model: "Model", first: ArrayLike, second: ArrayLike, digits: tuple[int, int], steps: int = 25
) -> np.ndarray:
    """The way from one pose to another, of the same digit or of two.

    The decoder's inputs move in a straight line: on the way between two digits, both poses are fed, each
    in part.

    Args:
        model: whose decoder draws.
        first: [D] the pose at the beginning, or [J, D] for all capsules.
        second: the same at the end.
        digits: the class capsules that the two belong to.
        steps: how many images, the two ends included.

    Returns:
        Images [steps, S, S] in 0..1.

    Raises:
        CapsvizError: if a pose or a digit is none, or steps are out of range.
    """
    try:
        start, end = digits
    except (TypeError, ValueError) as error:
        raise CapsvizError(f"A morph is between two digits, not {shown(digits)}: name both.") from error
    ends = _poses(model.shape, first, start), _poses(model.shape, second, end)
    way = np.linspace(0, 1, _count(steps), dtype=np.float32)[:, None, None]
    return model.decode((1 - way) * ends[0] + way * ends[1])


def grid_picture(images: ArrayLike, scale: int = 2, gap: int = 2) -> np.ndarray:
    """A grid of images as one picture.

    Args:
        images: [rows, columns, height, width], at least one, ink in 0..1; what is beyond is cut off.
        scale: side of one pixel, 1 to 20.
        gap: pixels between two images, 0 to 100.

    Returns:
        Grey pixels [H, W], uint8.

    Raises:
        CapsvizError: if one of these is of another kind, or NaN.
    """
    scale, gap = _whole(scale, "scale", 1, MOST_SCALE), _whole(gap, "gap", 0, 100)
    large = _enlarged(images, 4, scale)
    rows, columns, height, width = large.shape
    picture = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), 90, np.uint8)
    for row in range(rows):
        for column in range(columns):
            top, left = row * (height + gap), column * (width + gap)
            picture[top : top + height, left : left + width] = large[row, column]
    return picture


def gif(images: ArrayLike, seconds: float = 2.0, scale: int = 10, there_and_back: bool = True) -> bytes:
    """An endless GIF.

    Args:
        images: [N, height, width], 1 to 200 of them, ink in 0..1; what is beyond is cut off.
        seconds: from the first to the last, 0 to 600.
        scale: side of one pixel, 1 to 20.
        there_and_back: then back again to the first.

    Raises:
        CapsvizError: if one of these is of another kind, or NaN.
    """
    if not isinstance(seconds, Real) or isinstance(seconds, bool) or not 0 <= seconds <= MOST_SECONDS:
        raise CapsvizError(f"A film takes 0 to {MOST_SECONDS} seconds, not {shown(seconds)}.")
    large = _enlarged(images, 3, _whole(scale, "scale", 1, MOST_SCALE))
    if len(large) > MOST_FRAMES:
        raise CapsvizError(f"A film has 1 to {MOST_FRAMES} images, not {len(large)}: leave some out.")
    order = [*range(len(large)), *(range(len(large) - 2, 0, -1) if there_and_back else ())]
    frames = [Image.fromarray(large[index]) for index in order]
    buffer = io.BytesIO()
    # A GIF's clock counts in hundredths of a second, and browsers take less than 2 of them for 10.
    duration = max(20, round(100 * seconds / max(len(large) - 1, 1)) * 10)
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=duration, loop=0)
    return buffer.getvalue()


def _poses(shape: Shape, pose: ArrayLike, digit: int) -> np.ndarray:
    """[J, D] what is fed to the decoder: a pose [D] in its class's row, or all of [J, D]."""
    classes, size = len(shape.classes), shape.pose
    capsule = whole_number(digit)
    if capsule not in range(classes):
        raise CapsvizError(
            f"There is no {shape.kind} capsule {shown(digit)}: give one from 0 to {classes - 1}."
        )
    try:
        values = real_array(pose)
    except ValueError as error:
        raise CapsvizError(f"A pose must be {size} numbers ({error}).") from error
    if values.shape not in ((size,), (classes, size)):
        raise CapsvizError(
            f"A pose is {size} numbers, or {classes} x {size} for all capsules, not of shape {values.shape}."
        )
    if not (np.abs(values) <= MOST).all():
        raise CapsvizError(f"A pose is {size} numbers from -{MOST} to {MOST}: this one has others, or NaN.")
    if values.ndim == 2:
        return values
    fed = np.zeros((classes, size), np.float32)
    fed[capsule] = values
    return fed


def _positive(span: float) -> float:
    if not isinstance(span, Real) or isinstance(span, bool) or not 0 < span <= MOST:
        raise CapsvizError(f"A sweep's span is a number above 0, at most {MOST}, not {shown(span)}.")
    return float(span)


def _count(steps: int) -> int:
    count = whole_number(steps)
    if count is None or not 2 <= count <= MOST_FRAMES:
        raise CapsvizError(f"Choose 2 to {MOST_FRAMES} steps, not {shown(steps)}.")
    return count


def _whole(value: int, what: str, low: int, high: int) -> int:
    number = whole_number(value)
    if number is None or not low <= number <= high:
        raise CapsvizError(f"A picture's {what} is a whole number from {low} to {high}, not {shown(value)}.")
    return number


def _enlarged(images: ArrayLike, axes: int, scale: int) -> np.ndarray:
    """Grey levels, uint8, of images with ``axes`` axes in all, their last two ``scale`` times as long."""
    wanted = f"{'Rows and columns of images' if axes == 4 else 'Images'} of numbers in 0..1 are needed"
    try:
        levels = real_array(images)
    except ValueError as error:
        raise CapsvizError(f"{wanted} ({error}).") from error
    if levels.ndim != axes or not levels.size or np.isnan(levels).any():
        raise CapsvizError(f"{wanted}, not NaN nor an array of shape {levels.shape}.")
    grey = np.rint(np.clip(levels, 0, 1) * 255).astype(np.uint8)
    return grey.repeat(scale, axis=-2).repeat(scale, axis=-1)
