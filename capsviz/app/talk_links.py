"""A talk made of links: one a line, and after each what is to be said; checked, and made a lesson of.

The session keeps the list, and the browser for sessions that come after it (figures/browser/talk.js).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import urlsplit

import streamlit as st

from capsviz.app import address, parameters
from capsviz.app.address import Asked
from capsviz.app.lesson_file import MOST_SAID, MOST_STEPS, Lesson, Step, of_link
from capsviz.app.lessons import shelf
from capsviz.app.pages import pages
from capsviz.app.panels import views_of
from capsviz.errors import MessageError
from capsviz.networks.base import DEFAULT, find
from capsviz.texts import FIRST, say

LINKS = "links"  # the lesson's name; in the address too
LONGEST = 100_000  # characters of a list
TALK_KEY = "talk_links"  # Links: the talk of this session
WANTED_KEY = "talk_links_wanted"  # Asked: what the address asks for of a list that the browser may have kept
BAD_KEY = "talk_links_bad"  # sentences about what is no link, of the list that was pasted last


@dataclass(frozen=True)
class Links:
    """A list of links.

    Attributes:
        text: as it was pasted.
        lesson: the talk; None where no line is a link.
        faults: a sentence for each line that is none.
    """

    text: str
    lesson: Lesson | None
    faults: tuple[str, ...]


def parse(text: object) -> Links:
    """The talk that a list of links makes; lines that are empty do not count.

    Raises:
        MessageError: if this is no text, or more than any list.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        raise MessageError(say("talk.links.long", most=f"{LONGEST:,}"))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    steps, faults = [], []
    for number, line in enumerate(lines[:MOST_STEPS], 1):
        try:
            steps.append(_step(line))
        except MessageError as error:
            faults.append(say("talk.links.fault", number=number, problem=error))
    if len(lines) > MOST_STEPS:
        faults.append(say("talk.links.many", most=MOST_STEPS))
    title = MappingProxyType({FIRST: say("talk.links.title")})
    lesson = Lesson(LINKS, 1, title, {}, {}, (), tuple(steps)) if steps else None
    return Links(text, lesson, tuple(faults))


def _step(line: str) -> Step:
    """What a line's link leads to, and what is to be said there.

    Raises:
        MessageError: saying what is wrong with it.
    """
    link, _, note = line.partition(" ")
    note = " ".join(note.split())
    if len(note) > MOST_SAID:
        raise MessageError(say("lessons.fault.text", most=MOST_SAID))
    parts = urlsplit(address.link_of(link))
    query = address.query_of(f"?{parts.query}")
    known = {page.name: page for page in pages()}
    name = parts.path.rstrip("/").rpartition("/")[2] or pages()[0].name
    asked = address.read(query, lambda name: find(name or DEFAULT).shape)
    if asked.problem:
        raise MessageError(asked.problem)
    step = _of_lesson(asked) if asked.lesson else Step(name, DEFAULT, {}, {})
    if step.page not in known:
        raise MessageError(say("talk.links.page", known=", ".join(known)))
    network = find(asked.network or step.network)
    if not known[step.page].needs <= network.offers:
        raise MessageError(say("lessons.fault.needs", page=step.page, network=network.name))
    said = dict(step.address)
    for parameter in parameters.PARAMETERS:
        value = query.get(parameter.name)
        if value is None or (parameter.pages and step.page not in parameter.pages):
            continue
        if parameter.name in (parameters.ITERATIONS, parameters.DRAWING, parameters.PEN, parameters.SURGERY):
            said[parameter.name] = value
        elif parameter.script and parameter.pages:
            said[parameter.name] = of_link(parameter.name, value, step.page, network, query)
    view = query.get(parameters.PRESENT, "")
    lit = view if view in views_of(step.page, network) else step.lit
    words = {FIRST: note} if note else step.text
    ask = {FIRST: asked.ask} if asked.ask else step.ask
    return replace(
        step, network=network.name, address=MappingProxyType(said), text=words, lit=lit, ask=ask, do={}
    )


def _of_lesson(asked: Asked) -> Step:
    """The step of a lesson that a link leads to."""
    lesson = shelf().lessons.get(asked.lesson or "")
    if lesson is None:
        raise MessageError(say("tour.unknown", name=asked.lesson))
    return lesson.steps[min(asked.stop or 1, len(lesson.steps)) - 1]


# --- of a session -----------------------------------------------------------------------------------------


def lesson() -> Lesson | None:
    """The session's own talk."""
    links: Links | None = st.session_state.get(TALK_KEY)
    return None if links is None else links.lesson


def text() -> str | None:
    """The list as it was pasted, for the browser to keep; None if this session has none."""
    links: Links | None = st.session_state.get(TALK_KEY)
    return None if links is None else links.text


def faults() -> tuple[str, ...]:
    """What is wrong with the list that was pasted last."""
    found: tuple[str, ...] = st.session_state.get(BAD_KEY, ())
    return found


def take(pasted: object) -> Lesson | None:
    """Make a talk of what was pasted; None, and sentences, where no line of it is a link."""
    state = st.session_state
    try:
        links = parse(pasted)
    except MessageError as error:
        state[BAD_KEY] = (str(error),)
        return None
    state[BAD_KEY] = links.faults
    state[TALK_KEY] = links
    return links.lesson


def wait(asked: Asked) -> None:
    """Follow this link once the browser has said what list it has kept."""
    st.session_state[WANTED_KEY] = asked


def wanted() -> bool:
    """Whether such a link waits."""
    return WANTED_KEY in st.session_state


def waited() -> Asked | None:
    """The link that has waited, once."""
    asked: Asked | None = st.session_state.pop(WANTED_KEY, None)
    return asked


def take_kept(sent: object) -> bool:
    """Take the list that the browser has kept, for a session that has none; whether this is one."""
    state = st.session_state
    if TALK_KEY in state or not isinstance(sent, Mapping):
        return False
    take(sent.get("links"))
    state.setdefault(TALK_KEY, Links("", None, ()))
    return True
