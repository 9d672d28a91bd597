"""An address, read into checked values and written: what stands in it says parameters.py.

A value that cannot be used gives way to its default, and one sentence says so. A name that was once public stays one.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from capsviz.app.experiments import Operation, Trial, Weighting
from capsviz.app.parameters import (
    ANSWER,
    ASK,
    CHECKPOINT,
    COMPARE,
    DRAFT,
    DRAWING,
    HIDE,
    ITERATIONS,
    LANGUAGE,
    LESSON,
    LOCK,
    LONGEST_DRAWING,
    NETWORK,
    ON,
    PARAMETERS,
    PEN,
    PRESENT,
    SECTION,
    STOP,
    SURGERY,
    TRAINING,
    VERSUS,
    Parameter,
    Partly,
    Range,
)
from capsviz.app.training_choice import Checkpoint, Choice
from capsviz.checks import quoted, whole_of_text
from capsviz.errors import MessageError, NetworkError
from capsviz.inputs.drawings import Drawing, encode
from capsviz.models.own_networks import called
from capsviz.networks.base import find
from capsviz.texts import say
from capsviz.traces.base import Shape
from capsviz.training.live_plan import LIVE

LONGEST = 8_000  # characters of a whole address: 160 numbers of a pose take 3,000
MOST_NAMED = 4  # parameters that are none, which a sentence names
MOST_CHOICES = 12  # choices that a sentence names
MOST_KNOWN = 9  # parameters that there are, which a sentence names
MOST_SAID = 2  # faults of a link that are explained, of others the parameters are named
OTHERS = ("embed", "utm_")  # how the names of parameters begin that are Streamlit's, or of who counts visits
# What a session says in the address; the others are the scripts'.
WRITTEN = (
    *(NETWORK, LANGUAGE, ITERATIONS, DRAWING, PEN, LESSON, STOP),
    *(HIDE, LOCK, ASK, ON, ANSWER, DRAFT),
    *(TRAINING, CHECKPOINT, SECTION),
)

_BY_NAME = {name: parameter for parameter in PARAMETERS for name in (parameter.name, *parameter.aliases)}


# --- reading ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What a link asks of Python; None where it says nothing, or nothing that can be done.

    Attributes:
        network: name of a network whose weights are here.
        language: code of a language that there is.
        iterations: routing iterations.
        drawing: what is to be on the pad.
        pen: its width in pixels.
        surgery: the experiment on routing, of the network's kind.
        compare: the comparison to be shown.
        versus: the drawing that is compared with the one on the pad.
        training: what a training is to begin with.
        checkpoint: the step of a training that is looked at.
        section: the part of the Lab that is opened, of ``panels.SECTIONS``.
        lesson: what may be a lesson's name.
        stop: number of its step, from 1.
        present: view that presenter mode begins with, or ``parameters.PRESENT_ANY``.
        hide: names of panels that are taken away.
        lock: names of controls that are fixed.
        ask: the question in the heading, one line.
        on: name of the page whose heading that is.
        answer: ``parameters.HIDDEN`` if answers begin covered.
        draft: the lesson link that is being made, still to be read.
        bad: the parameters that could not be used.
        problem: one sentence about these; "" without any.
    """

    network: str | None = None
    language: str | None = None
    iterations: int | None = None
    drawing: Drawing | None = None
    pen: int | None = None
    surgery: Operation | Weighting | None = None
    compare: Trial | None = None
    versus: Drawing | None = None
    training: Choice | None = None
    checkpoint: Checkpoint | None = None
    section: str | None = None
    lesson: str | None = None
    stop: int | None = None
    present: str | None = None
    hide: tuple[str, ...] | None = None
    lock: tuple[str, ...] | None = None
    ask: str | None = None
    on: str | None = None
    answer: str | None = None
    draft: str | None = None
    bad: tuple[str, ...] = ()
    problem: str = ""


_FIELDS = {
    NETWORK: "network",
    LANGUAGE: "language",
    ITERATIONS: "iterations",
    DRAWING: "drawing",
    PEN: "pen",
    SURGERY: "surgery",
    COMPARE: "compare",
    VERSUS: "versus",
    TRAINING: "training",
    CHECKPOINT: "checkpoint",
    SECTION: "section",
    LESSON: "lesson",
    STOP: "stop",
    PRESENT: "present",
} | {name: name for name in (HIDE, LOCK, ASK, ON, ANSWER, DRAFT)}


def read(query: Mapping[str, str], shape: Callable[[str | None], Shape]) -> Asked:
    """What the parameters of a link that Python reads say.

    Args:
        query: the link's parameters, as they came.
        shape: of the network that is asked for, or with None of the session's.
    """
    found: dict[str, Any] = {}
    bad: dict[str, str] = {}
    unknown: list[str] = []
    # The network first: what the others can be depends on it.
    for name, text in sorted(query.items(), key=lambda entry: entry[0] != NETWORK):
        parameter = _BY_NAME.get(name)
        if parameter is None:
            if not name.startswith(OTHERS):
                unknown.append(name)
            continue
        if parameter.script or not isinstance(text, str):
            continue
        try:
            found[_FIELDS[parameter.name]] = _value(parameter, text[:LONGEST], shape(found.get("network")))
        except MessageError as error:
            bad[name] = str(error)
            if isinstance(error, Partly):
                found[_FIELDS[parameter.name]] = error.found
    said, others = list(bad.values())[:MOST_SAID], list(bad)[MOST_SAID:]
    if others:
        said.append(say("address.more", names=", ".join(others)))
    if unknown:
        names = ", ".join([*map(quoted, unknown[:MOST_NAMED]), *(["…"] if len(unknown) > MOST_NAMED else [])])
        known = ", ".join([*(parameter.name for parameter in PARAMETERS[:MOST_KNOWN]), "…"])
        said.append(say("address.unknown", names=names, known=known))
    problem = say("address.problem", problem=" ".join(said)) if said else ""
    return Asked(**found, bad=(*bad, *unknown), problem=problem)


def _value(parameter: Parameter, text: str, shape: Shape) -> object:
    if parameter.parse:
        return parameter.parse(text, shape)
    if parameter.choices:
        known = list(parameter.choices(shape))
        if parameter.name == NETWORK:
            with suppress(NetworkError):
                text = find(called(text) or text).name  # of an alias
        if text in known:
            return text
        if parameter.name == NETWORK and text.startswith(LIVE):
            raise MessageError(say("address.network.trained", page=say("training.title")))
        raise MessageError(
            say(
                "address.choice",
                what=say(f"address.{parameter.name}.name"),
                asked=quoted(text),
                known=", ".join(known[:MOST_CHOICES]) + (", …" if len(known) > MOST_CHOICES else ""),
            )
        )
    assert parameter.range is not None
    ends = parameter.range(shape, 1)
    if ends is None:
        raise MessageError(say(f"address.{parameter.name}.lacks"))
    return whole_of_text(text, ends[0], ends[1], say(f"address.{parameter.name}.name"))


def query_of(text: object) -> dict[str, str]:
    """The parameters of a link, or of the part of it after its question mark; none of what is no such text, or too long.

    Of a parameter that is there more than once, the last one counts.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        return {}
    try:
        return dict(parse_qsl(text.rpartition("?")[2], keep_blank_values=True, max_num_fields=100))
    except ValueError:  # more fields than any address has
        return {}


def link_of(sent: object) -> str:
    """The link that a page wants a code of.

    Raises:
        MessageError: if it is none that a page of this app can have: of another scheme, with other parameters, too long.
    """
    try:
        plain = isinstance(sent, str) and len(sent) <= LONGEST and sent.isascii() and sent.isprintable()
        parts = urlsplit(str(sent) if plain else "")
    except ValueError:
        parts = urlsplit("")
    strange = (
        parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.fragment
    )
    if strange or any(name not in _BY_NAME for name in query_of(f"?{parts.query}")):
        raise MessageError(say("share.strange"))
    return parts.geturl()


# --- writing ----------------------------------------------------------------------------------------------


def drawing_text(drawing: Drawing) -> str | None:
    """A drawing as a link carries it; None of one that is too large for that."""
    text = encode(drawing)
    return text if len(text) <= LONGEST_DRAWING else None


def names() -> tuple[str, ...]:
    """All names that a parameter may have in an address."""
    return tuple(_BY_NAME)


def of_views(name: str) -> bool:
    """Whether the page's views write this parameter, or others have put it there."""
    known = _BY_NAME.get(name)
    return name.startswith(OTHERS) if known is None else known.name not in WRITTEN


def for_script(page: str, shape: Shape, iterations: int) -> dict[str, Range | tuple[str, ...]]:
    """The parameters that a page's script reads and writes, {name: values}.

    Of a number the least and the most, of several how many as well, of a word all that it can be. What is of another form,
    or the network has nothing for, is left out.
    """
    found: dict[str, Range | tuple[str, ...]] = {}
    for parameter in PARAMETERS:
        if not parameter.script or page not in parameter.pages:
            continue
        ends = parameter.range(shape, iterations) if parameter.range else None
        words = tuple(parameter.choices(shape)) if parameter.choices else ()
        if ends or words:
            found[parameter.name] = ends or words
    return found
