"""Arrays of any kind into those that the network computes with."""

import numpy as np
from numpy.typing import ArrayLike


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
