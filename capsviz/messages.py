"""What a browser sends and what a link says, parsed into checked values or refused with one sentence.

Nothing from outside is used before a function of this module has turned it into a frozen value: its type, its
size and its range are checked here and nowhere else. Sentences never quote more than a few characters, and nothing
that could be taken for markup.
"""

import math
import numbers

from capsviz.checks import whole_number
from capsviz.errors import MessageError

QUOTED = 20  # characters of what was sent that a sentence repeats at most


def quoted(value: object) -> str:
    """What was sent, short enough and plain enough to stand in a sentence: letters, digits, a few signs."""
    text = value if isinstance(value, str) else repr(value) if isinstance(value, (bool, int, float)) else ""
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
