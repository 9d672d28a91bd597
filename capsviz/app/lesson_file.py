"""One lesson's file, read and checked into a frozen value: TOML, as docs/lessons.md describes it."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from capsviz.app import panels, parameters
from capsviz.app.conditions import CONDITIONS, Wanted, can_be_done, shortened
from capsviz.app.pages import pages
from capsviz.checks import one_line, real, whole, whole_of_text
from capsviz.errors import CapsvizError, MessageError, NetworkError
from capsviz.figures.pose import pose_limit
from capsviz.networks.base import DEFAULT, Spec, find
from capsviz.texts import FIRST, languages, say

MOST_STEPS = parameters.MOST_STOPS
MOST_MINUTES = 180
MOST_SAID, MOST_ASKED, MOST_WORDS = 340, 150, 400  # characters: half a phone's screen has room for a step's
MOST_LISTED = 6  # questions, or sources
# Parameters that no step sets: a person's own, and the experiment, with which none begins.
NO_STEPS = (
    parameters.LANGUAGE,
    parameters.PEN,
    parameters.SURGERY,
    parameters.LESSON,
    parameters.STOP,
    parameters.PRESENT,
)

Words = Mapping[str, str]  # a text by its language's code


@dataclass(frozen=True)
class Step:
    """One step of a lesson.

    Attributes:
        page: name of the page.
        network: name of the network that answers.
        address: what its link asks for, by the names of ``parameters.PARAMETERS``, the network aside.
        text: what is said.
        lit: name of a panel (``panels.PANELS``); "" for nothing.
        ask: what is to be done, in words; empty for nothing.
        do: what is noticed as done, by the names of ``CONDITIONS``.
    """

    page: str
    network: str
    address: Mapping[str, str]
    text: Words
    lit: str = ""
    ask: Words = field(default_factory=dict)
    do: Mapping[str, Wanted] = field(default_factory=dict)


@dataclass(frozen=True)
class Lesson:
    """A lesson, as its file has it.

    Attributes:
        name: of the file, without its ending; also in links.
        minutes: that it takes.
        title: its title.
        questions: that it answers, by language.
        notice: what to notice.
        sources: where what it says can be read: arXiv numbers, or in words.
        steps: at least one.
    """

    name: str
    minutes: int
    title: Words
    questions: Mapping[str, tuple[str, ...]]
    notice: Words
    sources: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the networks that it needs, in their order."""
        return tuple(dict.fromkeys(step.network for step in self.steps))


class Fault(NamedTuple):
    """Why a file is no lesson; the line is counted from 1."""

    file: str
    line: int
    problem: str

    @property
    def sentence(self) -> str:
        """For the shelf."""
        return say("lessons.left", file=self.file, line=self.line, problem=self.problem)


class _Wrong(Exception):  # noqa: N818 # no error of the program: of a file
    """What is wrong, and the way to it from the top of the file: keys, and numbers of steps."""

    def __init__(self, problem: str, *way: str | int) -> None:
        super().__init__(problem)
        self.way = way


def parse(name: str, source: str) -> Lesson | Fault:
    """The lesson of a file's text, or what is wrong with it.

    Args:
        name: of the file, without its ending.
        source: TOML.
    """
    file = f"{one_line(name)}.toml"
    if not parameters.NAMED.fullmatch(name):
        return Fault(file, 1, say("lessons.fault.name"))
    try:
        return _lesson(name, tomllib.loads(source))
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        return Fault(file, int(at[1]) if at else source.count("\n") + 1, say("lessons.fault.toml"))
    except RecursionError:
        return Fault(file, 1, say("lessons.fault.toml"))
    except _Wrong as wrong:
        return Fault(file, line_of(source, wrong.way), str(wrong))


def line_of(source: str, way: tuple[str | int, ...]) -> int:
    """The line of a file in which a key stands, or else of what it stands in; from 1.

    Args:
        source: TOML.
        way: keys from the top, and the number of a step from 0 behind "steps".
    """
    lines = source.splitlines()
    heads = [at for at, line in enumerate(lines) if re.match(r"\s*\[\[\s*steps\s*\]\]", line)]
    begin, end = 0, len(lines)
    keys = list(way)
    if len(keys) > 1 and keys[0] == "steps" and isinstance(keys[1], int):
        number = keys[1]
        if number >= len(heads):  # written in another way
            return 1
        begin, end = heads[number], heads[number + 1] if number + 1 < len(heads) else end
        keys = keys[2:]
    elif heads and keys[:1] != ["steps"]:
        end = heads[0]
    for key in keys:
        quoted = re.escape(str(key))
        here = re.compile(rf"""(?:^|[\[{{.,\s])["']?{quoted}["']?\s*[.=\]]""")
        begin = next((at for at in range(begin, end) if here.search(lines[at])), begin)
    return begin + 1


# --- one file -----------------------------------------------------------------------------------------------


def _lesson(name: str, found: Mapping[str, Any]) -> Lesson:
    _only(found, ("minutes", "network", "sources", "title", "questions", "notice", "steps"), ())
    network = _network(found.get("network", DEFAULT), ("network",))
    minutes = _checked(
        lambda: whole(found.get("minutes"), 1, MOST_MINUTES, say("lessons.fault.minutes")), "minutes"
    )
    steps = found.get("steps")
    if not isinstance(steps, list) or not 0 < len(steps) <= MOST_STEPS:
        raise _Wrong(say("lessons.fault.steps", most=MOST_STEPS), "steps")
    questions = found.get("questions")
    if not isinstance(questions, dict):
        raise _Wrong(say("lessons.fault.lacks", key="questions", language=FIRST), "questions")
    _languages(questions, ("questions",))
    return Lesson(
        name,
        minutes,
        _words(found, "title", MOST_ASKED),
        MappingProxyType({code: _list(words, "questions", code) for code, words in questions.items()}),
        _words(found, "notice", MOST_WORDS),
        _list(found.get("sources", []), "sources"),
        tuple(_step(step, number, network) for number, step in enumerate(steps)),
    )


def _step(found: object, number: int, network: Spec) -> Step:
    way = ("steps", number)
    if not isinstance(found, dict):
        raise _Wrong(say("lessons.fault.table"), *way)
    _only(found, ("page", "address", "lit", "text", "ask", "do"), way)
    known = {page.name: page for page in pages()}
    page = found.get("page")
    if not isinstance(page, str) or page not in known:
        raise _choice("page", page, known, *way, "page")
    asked = _table(found, "address", way)
    if parameters.NETWORK in asked:
        network = _network(asked[parameters.NETWORK], (*way, "address", parameters.NETWORK))
    if not known[page].needs <= network.offers:
        raise _Wrong(say("lessons.fault.needs", page=page, network=network.name), *way, "page")
    lit = found.get("lit", "")
    here = [panel.name for panel in panels.of_page(page, network)]
    if lit != "" and lit not in here:
        raise _choice("lit", lit, here, *way, "lit")
    do = {}
    for name, value in _table(found, "do", way).items():
        able = [known for known in CONDITIONS if can_be_done(known, page, network)]
        if name not in able:
            raise _choice("do", name, able, *way, "do", name)
        do[name] = _checked(
            lambda name=name, value=value: CONDITIONS[name].wanted(value, network), *way, "do", name
        )
    ask = _words(found, "ask", MOST_ASKED, way) if "ask" in found else {}
    if do and not ask:
        raise _Wrong(say("lessons.fault.unasked"), *way, "do")
    values = {
        key: _parameter(key, value, page, network, asked, way)
        for key, value in asked.items()
        if key != parameters.NETWORK
    }
    return Step(
        page,
        network.name,
        MappingProxyType(values),
        _words(found, "text", MOST_SAID, way),
        lit,
        MappingProxyType(ask),
        MappingProxyType(do),
    )


def of_link(key: str, value: str, page: str, network: Spec, asked: Mapping[str, Any]) -> str:
    """The value of a parameter of a link, as a script reads it.

    Raises:
        MessageError: if it cannot be used on this page, with this network.
    """
    try:
        return _parameter(key, value, page, network, asked, ())
    except _Wrong as wrong:
        raise MessageError(str(wrong)) from wrong


def _parameter(
    key: str, value: object, page: str, network: Spec, asked: Mapping[str, Any], way: tuple[str | int, ...]
) -> str:
    """A parameter's value as a link has it."""
    here = (*way, "address", key)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _Wrong(say("lessons.fault.plain", key=key), *here)
    text = str(value)
    able = {
        parameter.name: parameter
        for parameter in parameters.PARAMETERS
        if parameter.name not in NO_STEPS and (not parameter.pages or page in parameter.pages)
    }
    if key not in able:
        raise _choice("address", key, able, *here)
    shape = network.shape
    parameter = able[key]
    range_ = parameter.range
    if parameter.parse:
        parse = parameter.parse
        _checked(lambda: parse(text, shape), *here)
        return text
    if parameter.choices:
        words = tuple(parameter.choices(shape))
        if text not in words:
            raise _choice(key, text, words, *here)
        return text
    if range_:
        count = shape.trained
        if shape.iterates and str(asked.get(parameters.ITERATIONS, "")).isdecimal():
            count = int(asked[parameters.ITERATIONS])
        ends = range_(shape, count)
        if ends is None:
            raise _Wrong(say(f"address.{key}.lacks"), *here)
        low, high, *count_of = ends
        numbers = text.split(".") if count_of else [text]
        if count_of and len(numbers) != count_of[0]:
            raise _Wrong(say("lessons.fault.number"), *here)
        for number in numbers:
            _checked(
                lambda number=number: whole_of_text(number, low, high, say("lessons.fault.value")), *here
            )
    elif key == "pose":
        limit, numbers = pose_limit(shape), text.split(",")
        if len(numbers) != shape.pose:
            raise _Wrong(say("message.pose", count=shape.pose), *here)
        for number in numbers:
            _checked(
                lambda number=number: real(float(number), -limit, limit, say("lessons.fault.value")), *here
            )
    return text


# --- parts of a file ------------------------------------------------------------------------------------------


def _checked(read: Any, *way: str | int) -> Any:
    """What a check lets through, or what it says with the way to where that stands."""
    try:
        return read()
    except CapsvizError as error:
        raise _Wrong(str(error), *way) from error
    except ValueError as error:  # of float
        raise _Wrong(say("lessons.fault.number"), *way) from error


def _choice(key: str, found: object, known: Any, *way: str | int) -> _Wrong:
    names = ", ".join(known)
    return _Wrong(say("lessons.fault.unknown", key=key, found=shortened(found), known=names), *way)


def _only(found: Mapping[str, Any], known: tuple[str, ...], way: tuple[str | int, ...]) -> None:
    for key in found:
        if key not in known:
            raise _Wrong(say("lessons.fault.key", found=shortened(key), known=", ".join(known)), *way, key)


def _network(found: object, way: tuple[str | int, ...]) -> Spec:
    try:
        return find(str(found))
    except NetworkError as error:
        raise _Wrong(str(error), *way) from error


def _table(found: Mapping[str, Any], key: str, way: tuple[str | int, ...]) -> dict[str, Any]:
    value = found.get(key, {})
    if not isinstance(value, dict):
        raise _Wrong(say("lessons.fault.table"), *way, key)
    return value


def _languages(words: Mapping[str, Any], way: tuple[str | int, ...]) -> None:
    if FIRST not in words:
        raise _Wrong(say("lessons.fault.lacks", key=way[-1], language=FIRST), *way)
    for code in words:
        if not re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", code):
            raise _Wrong(
                say("lessons.fault.language", found=shortened(code), known=", ".join(languages())), *way, code
            )


def _words(found: Mapping[str, Any], key: str, most: int, way: tuple[str | int, ...] = ()) -> Words:
    """A text by language."""
    words = found.get(key)
    if not isinstance(words, dict):
        raise _Wrong(say("lessons.fault.lacks", key=key, language=FIRST), *way, key)
    _languages(words, (*way, key))
    for code, text in words.items():
        if not isinstance(text, str) or not 0 < len(text.strip()) <= most:
            raise _Wrong(say("lessons.fault.text", most=most), *way, key, code)
    return MappingProxyType({code: " ".join(text.split()) for code, text in words.items()})


def _list(found: object, *way: str) -> tuple[str, ...]:
    """A few short texts."""
    if not isinstance(found, list) or len(found) > MOST_LISTED:
        raise _Wrong(say("lessons.fault.list", most=MOST_LISTED), *way)
    for text in found:
        if not isinstance(text, str) or not 0 < len(text.strip()) <= MOST_ASKED:
            raise _Wrong(say("lessons.fault.text", most=MOST_ASKED), *way)
    return tuple(" ".join(text.split()) for text in found)
