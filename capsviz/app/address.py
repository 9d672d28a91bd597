"""What a link can say: one table of parameters, read and written here for Python and for the scripts alike.

A value that cannot be used gives way to its default, and one sentence says so. A name that was once public stays one.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from capsviz.app.experiments import Operation, Weighting, operation, weighting
from capsviz.checks import quoted, whole_of_text
from capsviz.errors import MessageError, NetworkError
from capsviz.figures.attention import SCALES as ATTENTION_SCALES
from capsviz.figures.attention import STEPS
from capsviz.figures.pose import pose_limit
from capsviz.figures.routing import SCALES as COUPLING_SCALES
from capsviz.inputs.drawings import WIDTHS, Drawing, decode, encode
from capsviz.inputs.examples import examples_for
from capsviz.models.weights import available
from capsviz.networks.base import find, networks
from capsviz.texts import languages, say
from capsviz.traces.base import Shape
from capsviz.traces.surgery import MOST_ITERATIONS

LONGEST = 8_000  # characters of a whole address: 160 numbers of a pose take 3,000
LONGEST_DRAWING = 2_000  # characters of a drawing: a usual digit takes 100 to 200, a picture 250
LONGEST_SURGERY = 400  # characters of an experiment, of all types and places of the paper's network 250

MOST_NAMED = 2  # parameters that are none, which a sentence names
MOST_CHOICES = 3  # choices that a sentence names
MOST_KNOWN = 9  # parameters that there are, which a sentence names
MOST_SAID = 2  # faults of a link that are named, of others how many there are
OTHERS = ("embed", "utm_")  # how the names of parameters begin that are Streamlit's, or of who counts visits

NAMED = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")  # a name that a file can have too
MOST_STOPS = 40  # of a lesson

Range = tuple[int, ...]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a link.

    Attributes:
        name: in the address.
        pages: names of the pages that read it; none for all.
        range: the least and the most that it can be, for a network and R routing iterations, or None of a network
            that has nothing for it to say; None for a parameter that is no number. A third number says how many such
            numbers it is, with dots between them.
        choices: what it can be, of a network, if it is a word.
        parse: what reads a text of another form, of a network.
        script: whether the page's script reads and writes it; else Python reads it.
        aliases: names that it once had.
    """

    name: str
    pages: tuple[str, ...] = ()
    range: Callable[[Shape, int], Range | None] | None = None
    choices: Callable[[Shape], Iterable[str]] | None = None
    parse: Callable[[str, Shape], object] | None = None
    script: bool = False
    aliases: tuple[str, ...] = ()


# --- the values of each -----------------------------------------------------------------------------------


def _last_capsule(shape: Shape) -> int:
    return shape.grid.capsules - 1 if shape.grid else 0


def _last_step(shape: Shape, count: int) -> int:
    return (4 * count if shape.iterates else len(STEPS)) - 1


def _scales(shape: Shape) -> Iterable[str]:
    return {"dynamic": COUPLING_SCALES, "attention": ATTENTION_SCALES}.get(shape.routing or "", ())


def _drawing(text: str, shape: Shape) -> Drawing:
    if len(text) > LONGEST_DRAWING:
        raise MessageError(say("address.drawing.long", most=f"{LONGEST_DRAWING:,}"))
    try:
        return decode(text)
    except MessageError as error:
        raise MessageError(say("address.drawing.unreadable")) from error


# The parts of an experiment after its name, "random_seed.3_R.5_types.0.7": whether each is one number or several.
_PARTS = {
    "R": ("iterations", False),
    "seed": ("seed", False),
    "of": ("example", False),
    "types": ("types", True),
    "places": ("places", True),
    "capsules": ("capsules", True),
}


def _surgery(text: str, shape: Shape) -> Operation | Weighting:
    if shape.grid is None or shape.routing not in ("dynamic", "attention"):
        raise MessageError(say("address.surgery.lacks"))
    unreadable = MessageError(say("address.surgery.unreadable", asked=quoted(text)))
    if len(text) > LONGEST_SURGERY:
        raise unreadable
    coupling, *parts = text.split("_")
    sent: dict[str, Any] = {"coupling": coupling}
    for part in parts:
        name, *numbers = part.split(".")
        field, several = _PARTS.get(name, ("", False))
        plain = all(digits.isascii() and digits.isdecimal() for digits in numbers)
        if not field or field in sent or not plain or not (several or len(numbers) == 1):
            raise unreadable
        sent[field] = [int(digits) for digits in numbers] if several else int(numbers[0])
    if shape.routing == "attention":
        return weighting(sent, shape.grid.capsules)
    names = [example.name for example in examples_for(shape.kind)]
    if "example" in sent:
        sent["example"] = names[sent["example"]] if sent["example"] < len(names) else "?"
    return operation(sent, shape.grid, names)


def _lesson(text: str, shape: Shape) -> str:
    if not NAMED.fullmatch(text):
        raise MessageError(say("address.lesson.unnamed", asked=quoted(text)))
    return text


NETWORK, LANGUAGE, ITERATIONS, DRAWING, PEN = "network", "lang", "R", "drawing", "pen"
SURGERY, LESSON, STOP = "surgery", "lesson", "stop"
CONTRASTS = 16  # quarters of a doubling that the scales' contrast can be raised by
SPANS = 12  # twentieths of a pose's unit that a sweep goes to both sides
PARAMETERS = (
    Parameter(NETWORK, choices=lambda shape: available()),
    Parameter(LANGUAGE, choices=lambda shape: languages()),
    Parameter(ITERATIONS, range=lambda shape, count: (1, MOST_ITERATIONS) if shape.iterates else None),
    Parameter(DRAWING, parse=_drawing),
    Parameter(PEN, range=lambda shape, count: WIDTHS),
    Parameter(
        "digit", ("routing", "pose"), range=lambda shape, count: (0, len(shape.classes) - 1), script=True
    ),
    Parameter("capsule", ("routing",), range=lambda shape, count: (0, _last_capsule(shape)), script=True),
    Parameter("step", ("routing",), range=lambda shape, count: (0, _last_step(shape, count)), script=True),
    Parameter("scale", ("routing",), choices=_scales, script=True),
    Parameter("contrast", ("routing",), range=lambda shape, count: (0, CONTRASTS), script=True),
    Parameter(
        "only",
        ("routing",),
        range=lambda shape, count: (0, 1) if shape.routing == "dynamic" else None,
        script=True,
    ),
    Parameter(
        "clouds",
        ("routing",),
        range=lambda shape, count: (0, len(shape.classes) - 1, 2) if shape.routing == "dynamic" else None,
        script=True,
    ),
    Parameter(
        "other",
        ("routing",),
        range=lambda shape, count: (0, _last_capsule(shape)) if shape.routing == "attention" else None,
        script=True,
    ),
    Parameter(SURGERY, ("routing",), parse=_surgery),
    Parameter("pose", ("pose",), script=True),
    Parameter(
        "dimension",
        ("pose",),
        range=lambda shape, count: (0, shape.pose - 1) if shape.pose else None,
        script=True,
    ),
    Parameter("span", ("pose",), range=lambda shape, count: (1, SPANS) if shape.pose else None, script=True),
    Parameter(LESSON, parse=_lesson),
    Parameter(STOP, range=lambda shape, count: (1, MOST_STOPS)),
)
_BY_NAME = {name: parameter for parameter in PARAMETERS for name in (parameter.name, *parameter.aliases)}
# What a session says in the address; the others are the scripts'.
WRITTEN = (NETWORK, LANGUAGE, ITERATIONS, DRAWING, PEN, LESSON, STOP)


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
        lesson: what may be a lesson's name.
        stop: number of its step, from 1.
        bad: the parameters that could not be used.
        problem: one sentence about these; "" without any.
    """

    network: str | None = None
    language: str | None = None
    iterations: int | None = None
    drawing: Drawing | None = None
    pen: int | None = None
    surgery: Operation | Weighting | None = None
    lesson: str | None = None
    stop: int | None = None
    bad: tuple[str, ...] = ()
    problem: str = ""


_FIELDS = {
    NETWORK: "network",
    LANGUAGE: "language",
    ITERATIONS: "iterations",
    DRAWING: "drawing",
    PEN: "pen",
    SURGERY: "surgery",
    LESSON: "lesson",
    STOP: "stop",
}


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
    said = list(bad.values())
    if unknown:
        names = ", ".join(map(quoted, unknown[:MOST_NAMED]))
        known = ", ".join([*(parameter.name for parameter in PARAMETERS[:MOST_KNOWN]), "…"])
        said.append(say("address.unknown", names=names, known=known))
    if len(said) > MOST_SAID:
        said[MOST_SAID:] = [say("address.more", count=len(said) - MOST_SAID)]
    problem = say("address.problem", problem=" ".join(said)) if said else ""
    return Asked(**found, bad=(*bad, *unknown), problem=problem)


def _value(parameter: Parameter, text: str, shape: Shape) -> object:
    if parameter.parse:
        return parameter.parse(text, shape)
    if parameter.choices:
        known = list(parameter.choices(shape))
        if parameter.name == NETWORK:
            with suppress(NetworkError):
                text = find(text).name  # of an alias
        if text in known:
            return text
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


def documentation(shape: Shape) -> str:
    """The table of docs/links.md, as Markdown."""
    rows = []
    for parameter in PARAMETERS:
        where = ", ".join(parameter.pages) or "all"
        rows.append(
            f"| `{parameter.name}` | {where} | {_documented(parameter, shape)} | {say(f'address.{parameter.name}.does')} |"
        )
    return "\n".join(["| Parameter | Pages | Values | What it does |", "|---|---|---|---|", *rows, ""])


def _documented(parameter: Parameter, shape: Shape) -> str:
    """The values of a parameter, in words."""
    words = partial(map, "`{}`".format)
    if parameter.name == NETWORK:
        return f"{', '.join(words(networks()))}: those whose weights are here"
    if parameter.name == DRAWING:
        return f"letters, digits, `-` and `_`, at most {LONGEST_DRAWING:,}"
    if parameter.name == LESSON:
        return say("address.lesson.values")
    if parameter.name == SURGERY:
        return "an experiment and its parts: `random_seed.3_R.5_types.0.7_places.14`, `uniform_capsules.3`"
    if parameter.name == "scale":
        return f"{', '.join(words(COUPLING_SCALES))}; with attention {', '.join(words(ATTENTION_SCALES))}"
    if parameter.choices:
        return ", ".join(words(parameter.choices(shape)))
    if parameter.name == "pose":
        limit = pose_limit(shape)
        return f"{shape.pose} numbers from −{limit:g} to {limit:g}, or all {len(shape.classes) * shape.pose}"
    assert parameter.range is not None
    ends = parameter.range(shape, shape.trained)
    if ends is None:
        return "0 to the last, with attention"
    return (
        f"{ends[0]} to {ends[1]}"
        if len(ends) < 3
        else f"{ends[2]} of them from {ends[0]} to {ends[1]}, with a dot"
    )
