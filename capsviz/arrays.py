"""Arrays of any kind into those that the network computes with."""

import numpy as np
from numpy.typing import ArrayLike

from capsviz.errors import ImageError


def real_array(values: ArrayLike) -> np.ndarray:
    """What stands for an array of real numbers, of any type and in any order of bytes, as float32 in C order.

    Raises:
        ValueError: with a reason on one line, if it is ragged, has masked values, or is not of real numbers.
    """
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:  # PyTorch's: of a tensor that is elsewhere, say
        raise ValueError(str(error).partition("\n")[0].rstrip(".")) from error
    if array.dtype.kind not in "biuf":
        raise ValueError("these are no real numbers")
    if np.ma.is_masked(values):
        raise ValueError("some of them are masked")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which callers look for
        return np.asarray(array, np.float32, order="C")


def pixels_of(array: ArrayLike, shape: tuple[int | None, ...], what: str) -> np.ndarray:
    """Images as contiguous float32, if they are of ``shape``, None for any number, and within 0..1.

    Raises:
        ImageError: naming ``what``, if not.
    """
    wanted = " x ".join("N" if size is None else str(size) for size in shape)
    try:
        pixels = real_array(array)
    except ValueError as error:
        raise ImageError(f"{what} must be {wanted} numbers in 0..1 ({error}).") from error
    fits = pixels.ndim == len(shape) and all(
        size in (None, found) for size, found in zip(shape, pixels.shape, strict=True)
    )
    if not fits:
        raise ImageError(
            f"{what} must be {wanted}, not of shape {pixels.shape}: pass it through canvas_to_mnist first."
        )
    if pixels.size and not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
        raise ImageError(
            f"{what} must have finite values in 0..1: divide grey levels by 255, or pass it through "
            "canvas_to_mnist first."
        )
    return pixels
