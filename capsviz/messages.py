"""What a browser sends and what a link says, parsed into checked values or refused with one sentence.

Nothing from outside is used before a function of this module has turned it into a frozen value: its type, its
size and its range are checked here and nowhere else. Sentences never quote more than a few characters, and nothing
that could be taken for markup.
"""

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass

from capsviz.checks import whole_number
from capsviz.errors import MessageError

# Of a pose. (PyTorch, which capsviz.capsules imports, would keep the first page waiting.)
DIGITS, POSE_DIM = 10, 16
POSE_LIMIT = 2.0  # of any number of a pose; a capsule itself is shorter than 1
SPAN_LIMIT = 1.0  # of a sweep
LATE = "late"  # why a browser cannot decode: the weights did not arrive
UNSUPPORTED = {LATE: "the decoder’s weights did not arrive"}
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


@dataclass(frozen=True)
class SweepGif:
    """A GIF of one dimension of a pose on the move."""

    number: int  # of the request: the answer carries it
    digit: int
    pose: tuple[float, ...] | tuple[tuple[float, ...], ...]  # [16], or [10][16] to feed all capsules
    dimension: int
    span: float  # how far it moves, down and up


@dataclass(frozen=True)
class MorphGif:
    """A GIF of the way from one pose [16] to another."""

    number: int
    digits: tuple[int, int]
    poses: tuple[tuple[float, ...], tuple[float, ...]]


def gif_request(sent: object) -> SweepGif | MorphGif:
    """The GIF that the Pose view asks for.

    Raises:
        MessageError: if a field is missing, has a wrong type, or is out of range.
    """
    if not isinstance(sent, Mapping) or sent.get("kind") not in ("sweep", "morph"):
        raise MessageError("This request for a GIF cannot be read: load the page again.")
    number = whole(sent.get("number"), 0, 2**53, "The number of the request")
    if sent["kind"] == "morph":
        first, second = sent.get("a"), sent.get("b")
        if not isinstance(first, Mapping) or not isinstance(second, Mapping):
            raise MessageError("A morph needs two poses, A and B: load the page again.")
        return MorphGif(
            number,
            digits=(_digit(first.get("digit")), _digit(second.get("digit"))),
            poses=(_pose(first.get("pose")), _pose(second.get("pose"))),
        )
    pose = sent.get("pose")
    if isinstance(pose, (list, tuple)) and len(pose) == DIGITS:
        poses: tuple[float, ...] | tuple[tuple[float, ...], ...] = tuple(_pose(own) for own in pose)
    else:
        poses = _pose(pose)
    return SweepGif(
        number,
        digit=_digit(sent.get("digit")),
        pose=poses,
        dimension=whole(sent.get("dimension"), 0, POSE_DIM - 1, "A sweep’s dimension"),
        span=real(sent.get("span"), 0.01, SPAN_LIMIT, "A sweep’s range"),
    )


def _digit(sent: object) -> int:
    return whole(sent, 0, DIGITS - 1, "A digit capsule")


def _pose(sent: object) -> tuple[float, ...]:
    if not isinstance(sent, (list, tuple)) or len(sent) != POSE_DIM:
        raise MessageError(f"A pose must be a list of {POSE_DIM} numbers: load the page again.")
    return tuple(real(value, -POSE_LIMIT, POSE_LIMIT, "Each number of a pose") for value in sent)


def stored(sent: object, name: str) -> str:
    """The name of the weights whose decoder a browser says it has: those that it was sent.

    Raises:
        MessageError: if it names others, or none.
    """
    if sent != name:
        raise MessageError(f"The browser has kept {quoted(sent)} instead of the decoder {name}.")
    return name


def unsupported(sent: object) -> str:
    """Why a browser cannot decode, in words.

    Raises:
        MessageError: if that is no reason that a view gives.
    """
    if not isinstance(sent, str) or sent not in UNSUPPORTED:
        raise MessageError(f"There is no reason {quoted(sent)}.")
    return UNSUPPORTED[sent]
