"""What a phone or a presenter sends, parsed into checked values or refused with one sentence."""

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from capsviz.checks import quoted, real, whole
from capsviz.classroom.records import Standing
from capsviz.classroom.refusals import NoJson, Refused
from capsviz.errors import MessageError
from capsviz.inputs.drawings import FARTHEST, MOST_POINTS, WIDEST, Drawing, check_size, stroke_of
from capsviz.texts import say, spelled

MOST_TEXT = 200  # characters of a task or a question
MOST_CHOICE = 60  # of a choice
MOST_CHOICES = 12
MOST_SENT_POINTS = 2 * MOST_POINTS  # of a drawing, before it is simplified
MOST_IDS = 1_000
MOST_NICKNAME = 80
MARK = re.compile(r"[A-Za-z0-9_-]{16,40}")


def parse_json(body: bytes) -> Mapping[str, Any]:
    """An object from a body.

    Raises:
        NoJson: if it is anything else.
    """
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=lambda name: None)
    except (ValueError, RecursionError) as error:
        raise NoJson(say("class.refused.json")) from error
    if not isinstance(found, Mapping):
        raise NoJson(say("class.refused.json"))
    return found


@dataclass(frozen=True, eq=False)
class Sent:
    """A drawing that a phone sends.

    Attributes:
        mark: that the phone made up for it: the same one again is the same drawing.
        drawing: simplified and on the grid, as the pad would have it.
        said: name of the class that it is meant to be; "" where nobody said. Whether the network knows it, ``send`` sees.
    """

    mark: str
    drawing: Drawing
    said: str


def parse_sent(value: Mapping[str, Any]) -> Sent:
    """{"mark": text, "strokes": [[x, y, x, y, ...], ...] in pixels of the pad, "width": pixels, "said": class or ""}.

    Raises:
        MessageError: if it is anything else, or larger than a drawing can be.
    """
    mark, strokes = value.get("mark"), value.get("strokes")
    if not isinstance(mark, str) or not MARK.fullmatch(mark):
        raise _strange()
    if not isinstance(strokes, list) or not strokes or not all(isinstance(way, list) for way in strokes):
        raise _strange()
    if sum(map(len, strokes)) > 2 * MOST_SENT_POINTS:
        raise MessageError(say("class.refused.points", points=spelled(MOST_SENT_POINTS)))
    width = real(value.get("width"), 1, WIDEST, say("message.pen"))
    made = tuple(stroke_of(_points(way), width) for way in strokes)
    check_size(made)
    said = value.get("said", "")
    if not isinstance(said, str):
        raise _strange()
    return Sent(mark, Drawing(made), said)


def _points(way: Sequence[object]) -> np.ndarray:
    """[N, 2] from x, y, x, y, ..."""
    if not way or len(way) % 2:
        raise _strange()
    if set(map(type, way)) <= {int, float}:
        with contextlib.suppress(OverflowError):
            numbers = np.array(way, np.float64)
            if (np.abs(numbers) <= FARTHEST).all():
                return numbers.reshape(-1, 2)
    what = say("message.point")  # one of them is none, and is named
    return np.array([real(number, -FARTHEST, FARTHEST, what) for number in way]).reshape(-1, 2)


def parse_mark(value: Mapping[str, Any]) -> str:
    """By which a phone names one of its drawings."""
    mark = value.get("mark")
    if not isinstance(mark, str) or not MARK.fullmatch(mark):
        raise _strange()
    return mark


def parse_class(value: object, classes: Sequence[str]) -> str:
    """The name of one of the network's classes, or "" of none."""
    if value == "" or value in classes:
        return str(value)
    raise MessageError(say("class.refused.name", found=quoted(value)))


def parse_text(value: object, most: int = MOST_TEXT) -> str:
    """A line that a presenter wrote: no line breaks, nothing that does not print."""
    if not isinstance(value, str) or len(value) > most:
        raise MessageError(say("class.refused.text", most=most))
    line = " ".join(value.split())
    return "".join(sign for sign in line if sign.isprintable())


def parse_flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise _strange()
    return value


def parse_choices(value: object) -> tuple[str, ...]:
    """Of a poll: several, and all different."""
    if not isinstance(value, (list, tuple)) or not 2 <= len(value) <= MOST_CHOICES:
        raise MessageError(say("class.refused.choices", most=MOST_CHOICES))
    choices = tuple(parse_text(choice, MOST_CHOICE) for choice in value)
    if not all(choices) or len(set(choices)) < len(choices):
        raise MessageError(say("class.refused.choices", most=MOST_CHOICES))
    return choices


def parse_place(value: object, count: int) -> int:
    """Of one of ``count`` choices, from 0."""
    return whole(value, 0, count - 1, say("class.refused.choice"))


def parse_ids(value: object) -> tuple[int, ...]:
    """Numbers of drawings."""
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= MOST_IDS:
        raise _strange()
    return tuple(whole(one, 1, 2**31 - 1, say("class.refused.drawing")) for one in value)


def parse_nickname(value: object) -> str:
    """Of a phone."""
    if not isinstance(value, str) or not 0 < len(value) <= MOST_NICKNAME:
        raise _strange()
    return value


def parse_standing(value: object) -> Standing:
    """Where drawings are to stand: shown, hidden or removed."""
    if value in (Standing.SHOWN, Standing.HIDDEN, Standing.REMOVED):
        return Standing(str(value))
    raise _strange()


def _strange() -> Refused:
    return Refused(say("class.refused.strange"))
