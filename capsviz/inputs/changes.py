"""Changing a prepared picture by measure: turned, sheared, scaled, moved, of another pen, fainter, noisy, partly covered.

Every change starts from the picture as it was prepared, so that there and back gives the same numbers; nothing is centred
again afterwards. Several at once come in one order: the pen, then all that moves ink, in one resampling, then contrast,
noise, and what covers the picture.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.random import default_rng
from numpy.typing import ArrayLike

from capsviz.arrays import real_array
from capsviz.checks import real, shown, whole_number
from capsviz.errors import CapsvizError, ImageError, MessageError

_A = -0.75  # of the cubic convolution (Keys 1981), as PyTorch has it


@dataclass(frozen=True)
class Change:
    """One way to change a picture, in steps.

    Attributes:
        low, high: the least and the most of it.
        step: from one of its values to the next.
        same: the value that leaves a picture as it is.
    """

    low: float
    high: float
    step: float
    same: float = 0.0

    @property
    def values(self) -> tuple[float, ...]:
        """All its values, in their order."""
        return tuple(self.at(place) for place in range(self.first, self.last + 1))

    @property
    def first(self) -> int:
        """How many steps the least lies from ``same``; 0 or less."""
        return round((self.low - self.same) / self.step)

    @property
    def last(self) -> int:
        """How many steps the most lies from ``same``."""
        return round((self.high - self.same) / self.step)

    def at(self, steps: int) -> float:
        """The value so many steps from ``same``."""
        return round(self.same + steps * self.step, 6)


CHANGES = {
    "rotation": Change(-180, 180, 6),  # degrees to the left
    "shear": Change(-1, 1, 0.05),  # pixels to the right, for each pixel farther up
    "scale": Change(0.3, 1.7, 0.05, same=1),  # times as large
    "across": Change(-12, 12, 0.5),  # pixels to the right
    "down": Change(-12, 12, 0.5),  # pixels
    "pen": Change(-1, 3, 0.1),  # pixels of a dilation, below 0 of an erosion
    "contrast": Change(0, 2, 0.05, same=1),  # what ink is multiplied with
    "noise": Change(0, 1, 0.025),  # standard deviation, black being 0 and white 1
    "occlusion": Change(0, 1, 0.025),  # share of the picture that is black, from the left
}


@dataclass(frozen=True)
class Changes:
    """How a picture is changed: a value of each of ``CHANGES``; without any, not at all.

    Raises:
        CapsvizError: if a value is no number, or out of its range.
    """

    rotation: float = 0.0
    shear: float = 0.0
    scale: float = 1.0
    across: float = 0.0
    down: float = 0.0
    pen: float = 0.0
    contrast: float = 1.0
    noise: float = 0.0
    occlusion: float = 0.0

    def __post_init__(self) -> None:
        for name, change in CHANGES.items():
            try:
                value = real(getattr(self, name), change.low, change.high, name)
            except MessageError as error:
                raise CapsvizError(str(error)) from error
            object.__setattr__(self, name, value)

    def without(self, name: str) -> "Changes":
        """The same but for one of them, which is left out."""
        return replace(self, **{name: CHANGES[name].same})


def change(images: ArrayLike, changes: Changes, seeds: ArrayLike = 0) -> np.ndarray:
    """Images [S, S] or [N, S, S] in 0..1, all changed in the same way.

    Args:
        images: white ink on black.
        changes: how.
        seeds: of the noise: one for all images, which then have the same, or [N].

    Raises:
        ImageError: if the images have another shape, values outside 0..1, or NaN.
        CapsvizError: if a seed is no whole number from 0 up.
    """
    pixels = _checked(images)
    single = pixels.ndim == 2
    some = pixels[None] if single else pixels
    amounts = {field.name: np.full(1, getattr(changes, field.name)) for field in fields(changes)}
    changed = _changed(some, amounts, _seeds(seeds, len(some)))
    return changed[0] if single else changed


def along(image: ArrayLike, name: str, changes: Changes | None = None, seed: int = 0) -> np.ndarray:
    """One image [S, S] with one change at each of its values, [P, S, S], the others being as they are.

    Args:
        image: white ink on black, in 0..1.
        name: of ``CHANGES``.
        changes: the others; what it says of this one does not count.
        seed: of the noise, the same in all.

    Raises:
        ImageError: if the image has another shape, values outside 0..1, or NaN.
        CapsvizError: if there is no such change, or the seed is no whole number from 0 up.
    """
    if name not in CHANGES:
        raise CapsvizError(f"There is no change {shown(name)}: choose one of {', '.join(CHANGES)}.")
    pixels = _checked(image)
    if pixels.ndim != 2:
        raise ImageError(f"An image must be S x S, not of shape {pixels.shape}: give one.")
    values = np.array(CHANGES[name].values)
    others = changes or Changes()
    amounts = {field.name: np.full(1, getattr(others, field.name)) for field in fields(others)}
    return _changed(pixels[None], amounts | {name: values}, _seeds(seed, len(values)))


def moved(images: np.ndarray, amounts: Mapping[str, np.ndarray]) -> np.ndarray:
    """Images [N, S, S] turned, sheared, scaled and moved in one resampling, each by its own amounts [N], or all by [1].

    One image is changed by each of several amounts. Bicubic, since bilinear sampling would blur thin strokes; what comes
    from outside is 0.
    """
    size = images.shape[-1]
    still = {
        name: np.full(1, CHANGES[name].same) for name in ("rotation", "shear", "scale", "across", "down")
    }
    given = still | dict(amounts)
    if all((given[name] == CHANGES[name].same).all() for name in still):
        return images.astype(float)
    angle = np.radians(given["rotation"])
    cos, sin = np.cos(angle), np.sin(angle)
    middle = (size - 1) / 2
    y, x = np.mgrid[:size, :size] - middle
    # From places in the new image back to the old one: not moved, not turned, not sheared, not scaled.
    right, below = x - given["across"][:, None, None], y - given["down"][:, None, None]
    cos, sin, shear, scale = (part[:, None, None] for part in (cos, sin, given["shear"], given["scale"]))
    x, y = cos * right - sin * below, sin * right + cos * below
    return _sampled(images, (x + shear * y) / scale + middle, y / scale + middle)


def _changed(images: np.ndarray, amounts: Mapping[str, np.ndarray], seeds: np.ndarray) -> np.ndarray:
    """Images [N, S, S], or [1, S, S], changed by amounts [N], or [1]: what is the same for all N is done once."""
    count, size = len(seeds), images.shape[-1]
    changed = _of_pen(images, amounts["pen"])
    changed = moved(
        changed, {name: amounts[name] for name in ("rotation", "shear", "scale", "across", "down")}
    )
    changed = np.broadcast_to(changed, (count, size, size))
    changed = (changed * amounts["contrast"][:, None, None]).clip(0, 1)
    noisiness = np.broadcast_to(amounts["noise"], count)
    for at in np.flatnonzero(noisiness):
        noise = default_rng(int(seeds[at])).standard_normal((size, size))
        changed[at] = (changed[at] + noisiness[at] * noise).clip(0, 1)
    # A column that is covered in part keeps the rest of its light.
    left = np.arange(size)[None, :] + 1 - size * amounts["occlusion"][:, None]
    return np.asarray(changed * left.clip(0, 1)[:, None, :], np.float32)


def _sampled(images: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Images [N, S, S] at places x and y [N, S, S], in pixels from the middle of the first, by cubic convolution.

    Any of the three may be one for all.
    """
    size = images.shape[-1]
    wide = size + 4
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    begins = wide * wide * np.arange(len(images))[:, None, None]
    rows, columns = np.floor(y), np.floor(x)
    down, across = _weights(y - rows), _weights(x - columns)
    # All outside is 0, wherever it lies.
    above, beside = (
        [((places + i).clip(-2, size + 1) + 2).astype(np.intp) for i in range(-1, 3)]
        for places in (rows, columns)
    )
    found = np.zeros(np.broadcast_shapes(begins.shape, x.shape, y.shape))
    for row, row_weight in zip(above, down, strict=True):
        line = begins + wide * row
        for column, weight in zip(beside, across, strict=True):
            found += row_weight * weight * padded.take(line + column)
    return found.clip(0, 1)


def _weights(part: np.ndarray) -> tuple[np.ndarray, ...]:
    """What the four pixels around a place count that lies ``part`` of the way from the second to the third."""

    def near(t: np.ndarray) -> np.ndarray:
        return ((_A + 2) * t - (_A + 3)) * t * t + 1

    def far(t: np.ndarray) -> np.ndarray:
        return ((_A * t - 5 * _A) * t + 8 * _A) * t - 4 * _A

    return far(part + 1), near(part), near(1 - part), far(2 - part)


def _of_pen(images: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Images [N, S, S] dilated, or below 0 eroded, by a 3 x 3 plus sign so many times [N]; of a part of one, blended.

    Either may be one for all. The brightest pixel of an image stays as bright: a thin pen is no faint one.
    """
    brightest = images.max(axis=(1, 2), keepdims=True)
    signs = np.where(amounts < 0, -1.0, 1.0)[:, None, None]
    signed, left = (
        signs * images,
        np.abs(amounts)[:, None, None],
    )  # the erosion is the dilation of the negative
    for _ in range(math.ceil(left.max(initial=0))):
        padded = np.pad(signed, ((0, 0), (1, 1), (1, 1)), mode="edge")
        neighbours = (padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:])
        grown = np.maximum.reduce([signed, *neighbours])
        signed, left = signed + left.clip(0, 1) * (grown - signed), left - 1
    blended = signs * signed
    now = blended.max(axis=(1, 2), keepdims=True)
    return np.asarray(blended * (brightest / np.maximum(now, 0.01)).clip(1, 4))


def _checked(images: ArrayLike) -> np.ndarray:
    try:
        pixels = real_array(images)
    except ValueError as error:
        raise ImageError(f"Images must be numbers in 0..1 ({error}).") from error
    if pixels.ndim not in (2, 3) or pixels.shape[-1] != pixels.shape[-2] or not pixels.shape[-1]:
        raise ImageError(f"Images must be S x S or N x S x S, not of shape {pixels.shape}.")
    if not ((pixels >= 0) & (pixels <= 1)).all():
        raise ImageError("Images must have finite values in 0..1: divide grey levels by 255.")
    return pixels


def _seeds(seeds: ArrayLike, count: int) -> np.ndarray:
    given = np.asarray(seeds)
    fits = given.shape in ((), (count,)) and given.dtype.kind in "iu" and bool((given >= 0).all())
    if not fits or (given.ndim == 0 and whole_number(given[()]) is None):
        raise CapsvizError(
            f"A seed is a whole number from 0, for all images or for each, not {shown(seeds)}."
        )
    return np.broadcast_to(given, (count,))
