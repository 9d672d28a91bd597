"""The parameters of a link: one table, by which Python and the scripts read and write them and docs/links.md lists them."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from capsviz.app.experiments import Operation, Trial, Weighting, operation, trial, weighting
from capsviz.app.pages import pages
from capsviz.app.panels import FILLING, HIDEABLE, LOCKS, SECTIONS
from capsviz.app.training_choice import checkpoint_of, of_text
from capsviz.checks import quoted
from capsviz.errors import MessageError
from capsviz.figures.attention import SCALES as ATTENTION_SCALES
from capsviz.figures.attention import STEPS
from capsviz.figures.inside import MOST_MAPS, MOST_OUTPUTS, SCOPES
from capsviz.figures.pose import pose_limit
from capsviz.figures.routing import SCALES as COUPLING_SCALES
from capsviz.inputs.drawings import WIDTHS, Drawing, decode
from capsviz.inputs.examples import examples_for
from capsviz.inputs.pairs import FARTHEST
from capsviz.models.weights import available
from capsviz.networks.base import networks
from capsviz.texts import languages, say
from capsviz.traces.base import Shape
from capsviz.traces.surgery import MOST_ITERATIONS

LONGEST_DRAWING = 2_000  # characters of a drawing: a usual digit takes 100 to 200, a picture 250
LONGEST_NAMES = 400  # characters of names with dots between them: all that there are take 300
LONGEST_DRAFT = 4_000  # characters of a lesson link that is being made: 160 numbers of a pose take 3,000
MOST_ASKED = 150  # characters of a question
LONGEST_SURGERY = 400  # characters of an experiment, of all types and places of the paper's network 250

NAMED = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")  # a name that a file can have too
MOST_STOPS = 40  # of a lesson

Range = tuple[int, ...]


class Partly(MessageError):  # noqa: N818 # the rest of it is used
    """A value of which a part can be used, ``found``."""

    def __init__(self, problem: str, found: object) -> None:
        super().__init__(problem)
        self.found = found


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
    "bias": ("bias", False),
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


def _compare(text: str, shape: Shape) -> Trial:
    """Changes in steps, networks and a rule, "rotation.-5_noise.3_with.cnn.mnist_rule.maxmin"; the first change is tried."""
    unreadable = MessageError(say("address.compare.unreadable", asked=quoted(text)))
    if len(text) > LONGEST_SURGERY:
        raise unreadable
    sent: dict[str, Any] = {"steps": {}}
    for part in text.split("_"):
        name, _, value = part.partition(".")
        number = int(value) if re.fullmatch(r"-?[0-9]{1,3}", value) else None
        if name == "with":
            sent.setdefault("beside", []).extend([value] if value else [])
        elif name == "rule" and "coupling" not in sent:
            sent["coupling"] = value
        elif name in ("R", "bias") and number is not None:
            sent["iterations" if name == "R" else "bias"] = number
        elif name and name not in sent["steps"] and number is not None:
            sent.setdefault("change", name)
            sent["steps"][name] = number
        else:
            raise unreadable
    return trial(sent, available())


def _lesson(text: str, shape: Shape) -> str:
    if not NAMED.fullmatch(text):
        raise MessageError(say("address.lesson.unnamed", asked=quoted(text)))
    return text


def _names(what: str, known: Collection[str], text: str) -> tuple[str, ...]:
    """Those of the ``known`` names that a text has, with dots between them, in the order in which they are known."""
    asked = dict.fromkeys(text[:LONGEST_NAMES].split("."))
    found = tuple(name for name in known if name in asked)
    strange = [name for name in asked if name not in known]
    if strange:
        names = ", ".join(map(quoted, strange[:MOST_STRANGE])) + (
            ", …" if len(strange) > MOST_STRANGE else ""
        )
        raise Partly(say(f"address.{what}.unknown", names=names), found)
    return found


def question(text: str) -> str:
    """A question for a heading: one line of what prints.

    Raises:
        MessageError: if nothing is left of it, or it is too long.
    """
    line = "".join(c for c in " ".join(text.split()) if c.isprintable())
    if not 0 < len(line) <= MOST_ASKED:
        raise MessageError(say("address.ask.long", most=MOST_ASKED))
    return line


def draft(text: str) -> str:
    """A lesson link that is being made, as an address or a tab has it; what it says is read by ``draft.of_link``.

    Raises:
        MessageError: if it is too long, or has characters that no link has.
    """
    if len(text) > LONGEST_DRAFT or not (text.isascii() and text.isprintable()):
        raise MessageError(say("address.draft.unreadable"))
    return text


NETWORK, LANGUAGE, ITERATIONS, DRAWING, PEN = "network", "lang", "R", "drawing", "pen"
SURGERY, COMPARE, VERSUS, LESSON, STOP, PRESENT = "surgery", "compare", "versus", "lesson", "stop", "present"
TRAINING, CHECKPOINT, SECTION = "training", "checkpoint", "section"
PRESENT_ANY = "1"  # whatever view there is
HIDE, LOCK, ASK, ON, ANSWER, DRAFT = "hide", "lock", "ask", "on", "answer", "draft"
MOST_PARTS = (
    12  # strokes that can each be told to be of the one digit or of the other; those after go with the last
)
HIDDEN = "hidden"  # the answer, until it is guessed
MOST_STRANGE = 3  # names that are none, which a sentence names
CONTRASTS = 16  # quarters of a doubling that the scales' contrast can be raised by
SPANS = 12  # twentieths of a pose's unit that a sweep goes to both sides
PARAMETERS = (
    Parameter(NETWORK, choices=lambda shape: available()),
    Parameter(LANGUAGE, choices=lambda shape: languages()),
    Parameter(ITERATIONS, range=lambda shape, count: (1, MOST_ITERATIONS) if shape.iterates else None),
    Parameter(DRAWING, parse=_drawing),
    Parameter(PEN, range=lambda shape, count: WIDTHS),
    Parameter(
        "digit",
        ("routing", "pose", "overlap", "compare"),
        range=lambda shape, count: (0, len(shape.classes) - 1),
        script=True,
    ),
    Parameter(
        "capsule", ("routing", "inside"), range=lambda shape, count: (0, _last_capsule(shape)), script=True
    ),
    Parameter(
        "step", ("routing", "compare"), range=lambda shape, count: (0, _last_step(shape, count)), script=True
    ),
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
    Parameter(COMPARE, ("compare",), parse=_compare),
    Parameter(VERSUS, ("compare",), parse=_drawing),
    Parameter(
        "classes", ("compare",), range=lambda shape, count: (0, len(shape.classes) - 1, 2), script=True
    ),
    Parameter("pose", ("pose",), script=True),
    Parameter(
        "dimension",
        ("pose",),
        range=lambda shape, count: (0, shape.pose - 1) if shape.pose else None,
        script=True,
    ),
    Parameter("span", ("pose",), range=lambda shape, count: (1, SPANS) if shape.pose else None, script=True),
    Parameter("second", ("overlap",), range=lambda shape, count: (0, 2**MOST_PARTS - 1), script=True),
    Parameter("between", ("overlap",), range=lambda shape, count: (0, 100), script=True),
    Parameter(
        "over", ("overlap",), range=lambda shape, count: (0, len(examples_for(shape.kind)) - 1), script=True
    ),
    # Less so many pixels: an address has no signs.
    Parameter("moved", ("overlap",), range=lambda shape, count: (0, 2 * FARTHEST, 2), script=True),
    Parameter("map", ("inside",), range=lambda shape, count: (0, MOST_MAPS - 1), script=True),
    Parameter(
        "output",
        ("inside",),
        range=lambda shape, count: None if shape.grid else (0, MOST_OUTPUTS - 1),
        script=True,
    ),
    Parameter("scope", ("inside",), choices=lambda shape: SCOPES, script=True),
    Parameter(TRAINING, ("training",), parse=lambda text, shape: of_text(text)),
    Parameter(CHECKPOINT, ("training",), parse=lambda text, shape: checkpoint_of(text)),
    Parameter(SECTION, ("lab",), choices=lambda shape: SECTIONS),
    Parameter(LESSON, parse=_lesson),
    Parameter(STOP, range=lambda shape, count: (1, MOST_STOPS)),
    Parameter(PRESENT, choices=lambda shape: (PRESENT_ANY, *FILLING)),
    Parameter(HIDE, parse=lambda text, shape: _names(HIDE, HIDEABLE, text)),
    Parameter(LOCK, parse=lambda text, shape: _names(LOCK, LOCKS, text)),
    Parameter(ASK, parse=lambda text, shape: question(text)),
    Parameter(ON, choices=lambda shape: [page.name for page in pages()]),
    Parameter(ANSWER, choices=lambda shape: (HIDDEN,)),
    Parameter(DRAFT, ("lesson",), parse=lambda text, shape: draft(text)),
)


# --- in words ---------------------------------------------------------------------------------------------


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
    if parameter.name in (DRAWING, VERSUS):
        return f"letters, digits, `-` and `_`, at most {LONGEST_DRAWING:,}"
    if parameter.name == LESSON:
        return say("address.lesson.values")
    if parameter.name == SURGERY:
        return "an experiment and its parts: `random_seed.3_R.5_types.0.7_places.14`, `uniform_capsules.3`"
    if parameter.name == COMPARE:
        return "changes and parts: `rotation.-5_noise.3_with.cnn.mnist_rule.maxmin_R.10_bias.1`"
    if parameter.name == TRAINING:
        return "a kind of network and parts: `dynamic_types.4_R.2_data.mnist_rate.0.005_weight.0.02_routed.0`"
    if parameter.name == CHECKPOINT:
        return "a training and its step: `r1764217000.s450`"
    if parameter.name in (HIDE, LOCK):
        names = HIDEABLE if parameter.name == HIDE else LOCKS
        return f"{', '.join(words(names))}; several with dots between them"
    if parameter.name == ASK:
        return say("address.ask.values", most=MOST_ASKED)
    if parameter.name == DRAFT:
        return say("address.draft.values")
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
        return (
            "0 to the last, without capsules"
            if parameter.name == "output"
            else "0 to the last, with attention"
        )
    return (
        f"{ends[0]} to {ends[1]}"
        if len(ends) < 3
        else f"{ends[2]} of them from {ends[0]} to {ends[1]}, with a dot"
    )
