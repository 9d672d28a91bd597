"""What several modules ask of their arguments."""

import numbers

import numpy as np
from numpy.typing import ArrayLike

_QUOTED = 40  # characters of a value that a sentence repeats at most


def whole_number(value: object) -> int | None:
    """The value as an int if it is a whole number, of NumPy's too; a bool is none."""
    return int(value) if isinstance(value, numbers.Integral) and not isinstance(value, bool) else None


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


def shown(value: object) -> str:
    """A value on one line and not too long, as a sentence may quote it."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # an int of more digits than Python writes
        return f"so large an {type(value).__name__}"
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def one_line(text: str) -> str:
    """The text with an escape for each character that does not print: a file's name may hold a line break or worse."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
