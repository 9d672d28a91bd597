"""What a link can say: one table of parameters, read and written here for Python and for the scripts alike.

A value that cannot be used gives way to its default, and one sentence says so. A name that was once public stays one.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from capsviz.checks import quoted, whole_of_text
from capsviz.errors import MessageError, NetworkError
from capsviz.figures.attention import STEPS
from capsviz.figures.pose import pose_limit
from capsviz.models.weights import available
from capsviz.networks.base import find, networks
from capsviz.texts import languages, say
from capsviz.traces.base import Shape
from capsviz.traces.surgery import MOST_ITERATIONS

LONGEST = 60_000  # characters of a value that are looked at: 160 numbers of a pose take 3,000

MOST_NAMED = 2  # parameters that are none, which a sentence names
MOST_CHOICES = 3  # choices that a sentence names
OTHERS = ("embed", "utm_")  # how the names of parameters begin that are Streamlit's, or of who counts visits

NAMED = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")  # a name that a file can have too
MOST_STOPS = 40  # of a lesson

Range = tuple[int, int]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a link.

    Attributes:
        name: in the address.
        pages: names of the pages that read it; none for all.
        range: the least and the most that it can be, for a network and R routing iterations, or None of a network
            that has nothing for it to say; None for a parameter that is no number.
        choices: what it can be, if it is a word.
        named: whether it is the name of something that is looked up elsewhere, ``NAMED``.
        script: whether the page's script reads and writes it; else Python does.
        aliases: names that it once had.
    """

    name: str
    pages: tuple[str, ...] = ()
    range: Callable[[Shape, int], Range | None] | None = None
    choices: Callable[[], Iterable[str]] | None = None
    named: bool = False
    script: bool = False
    aliases: tuple[str, ...] = ()


def _last_capsule(shape: Shape) -> int:
    return shape.grid.capsules - 1 if shape.grid else 0


def _last_step(shape: Shape, count: int) -> int:
    return (4 * count if shape.iterates else len(STEPS)) - 1


NETWORK, LANGUAGE, ITERATIONS, LESSON, STOP = "network", "lang", "R", "lesson", "stop"
PARAMETERS = (
    Parameter(NETWORK, choices=available),
    Parameter(LANGUAGE, choices=languages),
    Parameter(ITERATIONS, range=lambda shape, count: (1, MOST_ITERATIONS) if shape.iterates else None),
    Parameter(
        "digit", ("routing", "pose"), range=lambda shape, count: (0, len(shape.classes) - 1), script=True
    ),
    Parameter("capsule", ("routing",), range=lambda shape, count: (0, _last_capsule(shape)), script=True),
    Parameter("step", ("routing",), range=lambda shape, count: (0, _last_step(shape, count)), script=True),
    Parameter("pose", ("pose",), script=True),
    Parameter(LESSON, named=True),
    Parameter(STOP, range=lambda shape, count: (1, MOST_STOPS)),
)
_BY_NAME = {name: parameter for parameter in PARAMETERS for name in (parameter.name, *parameter.aliases)}


@dataclass(frozen=True)
class Asked:
    """What a link asks of Python; None where it says nothing, or nothing that can be done.

    Attributes:
        network: name of a network whose weights are here.
        language: code of a language that there is.
        iterations: routing iterations.
        lesson: what may be a lesson's name.
        stop: number of its step, from 1.
        bad: the parameters that could not be used.
        problem: one sentence about these; "" without any.
    """

    network: str | None = None
    language: str | None = None
    iterations: int | None = None
    lesson: str | None = None
    stop: int | None = None
    bad: tuple[str, ...] = ()
    problem: str = ""


def read(query: Mapping[str, str], shape: Callable[[str | None], Shape]) -> Asked:
    """What the parameters of a link that Python reads say.

    Args:
        query: the link's parameters, as they came.
        shape: of the network that is asked for, or with None of the session's.
    """
    found: dict[str, str | int] = {}
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
            found[parameter.name] = _value(parameter, text[:LONGEST], shape, found)
        except MessageError as error:
            bad[name] = str(error)
    said = list(bad.values())
    if unknown:
        names = ", ".join(map(quoted, unknown[:MOST_NAMED]))
        known = ", ".join(parameter.name for parameter in PARAMETERS)
        said.append(say("address.unknown", names=names, known=known))
    network, language, lesson = (_word(found.get(name)) for name in (NETWORK, LANGUAGE, LESSON))
    count, stop = (_number(found.get(name)) for name in (ITERATIONS, STOP))
    return Asked(
        network,
        language,
        count,
        lesson,
        stop,
        (*bad, *unknown),
        say("address.problem", problem=" ".join(said)) if said else "",
    )


def _word(value: str | int | None) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: str | int | None) -> int | None:
    return value if isinstance(value, int) else None


def _value(
    parameter: Parameter, text: str, shape: Callable[[str | None], Shape], found: Mapping[str, str | int]
) -> str | int:
    if parameter.choices:
        known = list(parameter.choices())
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
    if parameter.named:
        if NAMED.fullmatch(text):
            return text
        raise MessageError(say(f"address.{parameter.name}.unnamed", asked=quoted(text)))
    assert parameter.range is not None
    network = found.get(NETWORK)
    ends = parameter.range(shape(network if isinstance(network, str) else None), 1)
    if ends is None:
        raise MessageError(say(f"address.{parameter.name}.lacks"))
    return whole_of_text(text, *ends, say(f"address.{parameter.name}.name"))


def for_script(page: str, shape: Shape, iterations: int) -> dict[str, Range]:
    """The parameters that a page's script reads and writes, {name: (least, most)}; those that are no number are left out."""
    ends = {
        parameter.name: parameter.range(shape, iterations)
        for parameter in PARAMETERS
        if parameter.script and page in parameter.pages and parameter.range
    }
    return {name: found for name, found in ends.items() if found}


def documentation(shape: Shape) -> str:
    """The table of docs/links.md, as Markdown."""
    rows = []
    for parameter in PARAMETERS:
        ends = parameter.range(shape, shape.trained) if parameter.range else None
        if ends:
            values = f"{ends[0]} to {ends[1]}"
        elif parameter.name == NETWORK:
            values = f"{', '.join(f'`{name}`' for name in networks())}: those whose weights are here"
        elif parameter.choices:
            values = ", ".join(f"`{word}`" for word in parameter.choices())
        elif parameter.named:
            values = say(f"address.{parameter.name}.values")
        else:
            limit = pose_limit(shape)
            values = (
                f"{shape.pose} numbers from −{limit:g} to {limit:g}, or all {len(shape.classes) * shape.pose}"
            )
        where = ", ".join(parameter.pages) or "all"
        rows.append(f"| `{parameter.name}` | {where} | {values} | {say(f'address.{parameter.name}.does')} |")
    return "\n".join(["| Parameter | Pages | Values | What it does |", "|---|---|---|---|", *rows, ""])
