"""What several modules ask of their arguments."""

import math
import numbers
from typing import TYPE_CHECKING

from capsviz.errors import MessageError

if TYPE_CHECKING:  # the command line's --help does without NumPy
    import numpy as np
    from numpy.typing import ArrayLike

# Characters of a value that a sentence repeats at most: of a caller's, and of what was sent from outside.
_SHOWN, QUOTED = 40, 20


def whole_number(value: object) -> int | None:
    """The value as an int if it is a whole number, of NumPy's too; a bool is none."""
    return int(value) if isinstance(value, numbers.Integral) and not isinstance(value, bool) else None


def real_array(values: "ArrayLike") -> "np.ndarray":
    """What stands for an array of real numbers, of any type and in any order of bytes, as float32 in C order.

    Raises:
        ValueError: with a reason on one line, if it is ragged, has masked values, or is not of real numbers.
    """
    import numpy as np

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
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def one_line(text: str) -> str:
    """The text with an escape for each character that does not print: a file's name may hold a line break or worse."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def quoted(value: object) -> str:
    """What was sent, short enough and plain enough to stand in a sentence: letters, digits, a few signs."""
    text = ""
    if isinstance(value, str):
        text = value
    elif isinstance(value, float) or (
        isinstance(value, int) and abs(value) < 10**QUOTED
    ):  # Python writes no longer ones
        text = repr(value)
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " .,+-") else "?" for c in text[: QUOTED + 1])
    return f"“{plain[:QUOTED]}{'…' if len(text) > QUOTED else ''}”" if text else "something else"


def whole(value: object, low: int, high: int, what: str) -> int:
    """A whole number from ``low`` to ``high``; a float is one if it has no fraction, as JavaScript sends them.

    Raises:
        MessageError: naming ``what`` and the range, if it is anything else.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    number = whole_number(value)
    if number is None or not low <= number <= high:
        raise MessageError(f"{what} must be a whole number from {low} to {high}, not {quoted(value)}.")
    return number


def whole_of_text(text: str, low: int, high: int, what: str) -> int:
    """The same of digits as a link has them: ASCII only, and no more of them than ``high`` has.

    Raises:
        MessageError: naming ``what`` and the range, if it is anything else.
    """
    if len(text) <= len(str(high)) and text.isascii() and text.isdecimal() and low <= int(text) <= high:
        return int(text)
    raise MessageError(f"{what} must be a whole number from {low} to {high}, not {quoted(text)}.")


def real(value: object, low: float, high: float, what: str) -> float:
    """A finite number from ``low`` to ``high``; a bool is none.

    Raises:
        MessageError: naming ``what`` and the range, if it is anything else.
    """
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if low <= number <= high:
            return number
    raise MessageError(f"{what} must be a number from {low:g} to {high:g}, not {quoted(value)}.")
