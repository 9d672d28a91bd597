"""What a browser sends and what a link says, parsed into checked values or refused with one sentence.

Nothing from outside is used before a function of this module has turned it into a frozen value: its type, its
size and its range are checked here and nowhere else. Sentences never quote more than a few characters, and nothing
that could be taken for markup.
"""

import math
import numbers
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from capsviz.checks import whole_number
from capsviz.errors import MessageError
from capsviz.surgery import COUPLINGS, MOST_ITERATIONS
from capsviz.trace import GRID

CARRIED = "carried"  # the experiment that starts routing with the b that another drawing left behind
LARGEST = 2**31 - 1  # of a seed, and of a request's number
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


def routing_iterations(sent: object) -> int:
    """R as the Routing view asks for it.

    Raises:
        MessageError: if it is anything but a whole number that routing can run for.
    """
    return whole(sent, 1, MOST_ITERATIONS, "The number of routing iterations")


@dataclass(frozen=True)
class Operation:
    """One experiment on routing, as surgery.js asks for it; without any, routing as it was."""

    number: int = 0  # of the request: the answer carries it
    coupling: str = "routing"  # one of COUPLINGS, or CARRIED
    iterations: int | None = None  # None: as many as the drawing was routed with
    seed: int = 1  # of "random"
    example: str = ""  # whose b is carried over
    types: tuple[int, ...] = ()  # silenced capsule types, and
    places: tuple[int, ...] = ()  # places of the grid, row * 6 + column


def operation(sent: object, types: int, examples: Collection[str]) -> Operation:
    """The experiment that a browser asks for; what it leaves out is as in ``Operation``.

    Args:
        sent: the message.
        types: how many capsule types there are.
        examples: names of the drawings whose b can be carried over.

    Raises:
        MessageError: if a field has a wrong type, or names what there is not.
    """
    if not isinstance(sent, Mapping):
        raise MessageError("This experiment cannot be read: load the page again.")
    coupling, iterations = sent.get("coupling", "routing"), sent.get("iterations")
    example = sent.get("example") or ""
    if not isinstance(coupling, str) or coupling not in (*COUPLINGS, CARRIED):
        raise MessageError(
            f"There is no experiment {quoted(coupling)}: choose {', '.join((*COUPLINGS, CARRIED))}."
        )
    if not isinstance(example, str) or example not in (*examples, *(() if coupling == CARRIED else ("",))):
        raise MessageError(f"There is no example {quoted(example)} to take b from: choose one of the list.")
    return Operation(
        number=whole(sent.get("number", 0), 0, LARGEST, "The number of the request"),
        coupling=coupling,
        iterations=None if iterations is None else routing_iterations(iterations),
        seed=whole(sent.get("seed", 1), 0, LARGEST, "The seed"),
        example=example,
        types=_silenced(sent.get("types", ()), types, "capsule type"),
        places=_silenced(sent.get("places", ()), GRID**2, "place of the grid"),
    )


def _silenced(sent: object, count: int, what: str) -> tuple[int, ...]:
    """Which of ``count`` are silenced, in order."""
    if not isinstance(sent, (list, tuple)) or len(sent) > count:
        raise MessageError(f"Silence each {what} by a list of at most {count} numbers.")
    return tuple(sorted({whole(index, 0, count - 1, f"A silenced {what}") for index in sent}))
