"""What several modules ask of what they are given, by a caller or from outside; without NumPy, which --help does not wait for."""

import math
import numbers
from collections.abc import Sequence

from capsviz.errors import MessageError
from capsviz.texts import say
from capsviz.texts.numbers import short

QUOTED = 20  # characters of what came from outside that a sentence repeats at most
SHOWN = 40  # of what a caller gave


def whole_number(value: object) -> int | None:
    """The value as an int if it is a whole number, of NumPy's too; a bool is none."""
    return int(value) if isinstance(value, numbers.Integral) and not isinstance(value, bool) else None


def shown(value: object) -> str:
    """A value on one line and not too long, as a sentence may quote it."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # an int of more digits than Python writes
        return f"so large an {type(value).__name__}"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


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
    return (
        say("check.quoted", text=f"{plain[:QUOTED]}{'…' if len(text) > QUOTED else ''}")
        if text
        else say("check.other")
    )


def whole(value: object, low: int, high: int, what: str) -> int:
    """A whole number from ``low`` to ``high``; a float is one if it has no fraction, as JavaScript sends them.

    Raises:
        MessageError: naming ``what`` and the range, if it is anything else.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    number = whole_number(value)
    if number is None or not low <= number <= high:
        raise MessageError(say("check.whole", what=what, low=low, high=high, found=quoted(value)))
    return number


def whole_of_text(text: str, low: int, high: int, what: str) -> int:
    """The same of digits as a link has them: ASCII only, and no more of them than ``high`` has.

    Raises:
        MessageError: naming ``what`` and the range, if it is anything else.
    """
    if len(text) <= len(str(high)) and text.isascii() and text.isdecimal() and low <= int(text) <= high:
        return int(text)
    raise MessageError(say("check.whole", what=what, low=low, high=high, found=quoted(text)))


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
    raise MessageError(say("check.real", what=what, low=short(low), high=short(high), found=quoted(value)))


def listed(names: Sequence[object], most: int = 5) -> str:
    """Names for a sentence: the first ones, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more
