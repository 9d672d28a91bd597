"""A lesson on the screen: where a session is in it, how it goes to a stop, and the strip that says what a stop is about.

To go to a stop is to open its link: network, iterations and drawing are set here, the page is changed by the router, and
what scripts read of an address they are told (figures/browser/lesson.js). The place is kept in the link.
"""

import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from capsviz import texts
from capsviz.app import address, pad, session
from capsviz.app.address import Asked
from capsviz.app.lesson_file import DRAWING, Lesson
from capsviz.app.lessons import TOUR, shelf, spoken
from capsviz.checks import quoted, whole
from capsviz.errors import MessageError
from capsviz.figures.bundle import browser_assets
from capsviz.figures.reading import verdict
from capsviz.inputs import drawings
from capsviz.models.weights import available
from capsviz.networks.base import find
from capsviz.texts import say

RUNNING_KEY = "lesson"  # Running
PLACES_KEY = "lesson_places"  # {lesson: number of the stop at which it was left}
PAGE_KEY = "lesson_page"  # name of the page that a stop leads to, until it is shown
MOVED_KEY = "lesson_moved"  # when the session went to its stop, or left
VISITS_KEY = "lesson_visits"  # so many stops were gone to
STRIP_KEY = "tour_strip"  # the component; what it sends: "go"
SETTLES = 1.0  # seconds in which what a browser sends may still have the address of the stop before

_script, _style = browser_assets("tour", "tour")
_strip = st.components.v2.component("capsviz_tour", js=_script, css=_style)


@dataclass(frozen=True)
class Running:
    """Where a session is in a lesson.

    Attributes:
        lesson: its name.
        stop: number of its step, from 1.
        visit: so many stops the session has gone to; a stop that is gone to again is another visit.
        search: what the scripts of the page are to read as the address.
    """

    lesson: str
    stop: int
    visit: int
    search: str


def running() -> Running | None:
    """Where the session is; None without a lesson."""
    now: Running | None = st.session_state.get(RUNNING_KEY)
    return now


def begin(asked: Asked) -> None:
    """Follow the link, at the beginning of a run: to the lesson and stop that it names.

    Args:
        asked: what the link says, of which the session has done its part.
    """
    now = running()
    if asked.lesson is None:
        if now is not None:
            _write(now)
    elif now is None or (asked.lesson, asked.stop or 1) != (now.lesson, now.stop):
        if time.monotonic() - st.session_state.get(MOVED_KEY, -SETTLES) >= SETTLES:
            _follow(asked.lesson, asked.stop or 1)
        elif now is not None:
            _write(now)


def _write(now: Running) -> None:
    """Say in the address where the lesson is: a page that was chosen from the bar begins without."""
    for name, value in ((address.LESSON, now.lesson), (address.STOP, str(now.stop))):
        if st.query_params.get(name) != value:
            st.query_params[name] = value


def _follow(name: str, stop: int) -> None:
    lesson = shelf().lessons.get(name)
    problem = ""
    if lesson is None:
        problem = say("tour.unknown", name=quoted(name))
    elif lacks := lacking(lesson):
        problem = say("tour.lacks", title=spoken(lesson.title), networks=", ".join(lacks))
    elif stop > len(lesson.steps):
        problem = say("tour.beyond", title=spoken(lesson.title), stops=len(lesson.steps))
        stop = len(lesson.steps)
    if lesson is None or lacking(lesson):
        leave()
    else:
        _go(lesson, stop, st.query_params.to_dict())
    if problem:
        st.session_state[pad.PROBLEM_KEY] = problem


def lacking(lesson: Lesson) -> list[str]:
    """Titles of the networks that a lesson needs, and whose weights are not here."""
    here = available()
    return [find(name).title for name in lesson.networks if name not in here]


def place(name: str) -> int:
    """The stop at which a lesson was left, from 1; 1 if it was not."""
    kept: int = st.session_state.get(PLACES_KEY, {}).get(name, 1)
    return kept


def start(name: str, stop: int | None = None) -> None:
    """Go to a stop of a lesson, or to where it was left."""
    lesson = shelf().lessons.get(name)
    if lesson is not None and not lacking(lesson):
        _go(lesson, min(stop or place(name), len(lesson.steps)), {})


def leave(over: bool = False) -> None:
    """Take the strip away; the lesson keeps its place, unless it is over."""
    state = st.session_state
    now: Running | None = state.pop(RUNNING_KEY, None)
    if now is not None:
        state.setdefault(PLACES_KEY, {})[now.lesson] = 1 if over else now.stop
    state[MOVED_KEY] = time.monotonic()
    for name in (address.LESSON, address.STOP):
        st.query_params.pop(name, None)


def _go(lesson: Lesson, stop: int, link: Mapping[str, str]) -> None:
    """Show a stop; what the link says with which a lesson is opened goes before what the stop says."""
    state, step = st.session_state, lesson.steps[stop - 1]
    count = step.address.get(address.ITERATIONS)
    session.take(
        session.network() if address.NETWORK in link else step.network,
        session.iterations() if address.ITERATIONS in link else int(count) if count else None,
    )
    if DRAWING in step.address and DRAWING not in link:
        pad.show(drawings.decode(step.address[DRAWING]))
    script = {
        name: link.get(name, value)
        for name, value in step.address.items()
        if name not in (DRAWING, address.ITERATIONS)
    }
    visit = state[VISITS_KEY] = state.get(VISITS_KEY, 0) + 1
    state[RUNNING_KEY] = Running(lesson.name, stop, visit, f"?{urlencode(script)}")
    state.setdefault(PLACES_KEY, {})[lesson.name] = stop
    state[PAGE_KEY], state[MOVED_KEY] = step.page, time.monotonic()
    kept = {name: value for name, value in link.items() if name not in (address.LESSON, address.STOP)}
    place = {address.LESSON: lesson.name, address.STOP: str(stop)}
    st.query_params.from_dict({**kept, **session.chosen(), **script, **place})


def page() -> str:
    """Name of the page that a stop leads to, once; "" where the session stays on its page."""
    name: str = st.session_state.pop(PAGE_KEY, "")
    return name


def control() -> None:
    """The button that starts the tour, or takes it up where it was left."""
    if running() is None and TOUR in shelf().lessons:
        with st.container(width="content", key="start"):
            st.button(
                say("tour.start"),
                key="tour_start",
                type="tertiary",
                icon=":material/explore:",
                on_click=start,
                args=(TOUR,),
            )


def strip(page: str) -> None:
    """The lesson's strip, if there is a lesson; drawn last, when every view has what belongs to the stop.

    Args:
        page: name of the page that is shown.
    """
    now = running()
    lesson = shelf().lessons.get(now.lesson) if now else None
    if now is None or lesson is None or now.stop > len(lesson.steps):
        if now is not None:  # its file has been changed, or taken away
            leave()
        return
    step = lesson.steps[now.stop - 1]
    data = {
        "visit": now.visit,
        "title": spoken(lesson.title),
        "stop": now.stop,
        "stops": len(lesson.steps),
        "text": spoken(step.text),
        "ask": spoken(step.ask),
        "wanted": dict(step.do),
        "lit": step.lit,
        "search": now.search,
        "page": say(f"{step.page}.title"),
        "here": step.page == page,
        "facts": _facts(),
        "texts": texts.for_script("tour"),
    }
    with st.container(key="tour"):
        _strip(key=STRIP_KEY, data=data, on_go_change=_gone)


def _facts() -> dict[str, object]:
    """What Python knows of what can be asked for: see ``conditions.CONDITIONS``."""
    now, drawing = session.reading(), pad.current()
    facts: dict[str, object] = {
        "drawing": zlib.crc32(drawings.encode(drawing).encode("ascii")),
        "strokes": len(drawing.strokes),
        "network": session.network(),
        "iterations": session.iterations(),
        "answer": "",
    }
    if now.answer is not None:
        scores, judged = now.trace.scores[-1], now.answer.judged
        limit = session.model().card["unsure_below"]
        shown = verdict(scores if judged is None else judged, limit, now.trace.shape.score)
        facts |= {"longest": float(scores.max()), "sum": float(scores.sum())}
        facts["answer"] = "" if shown == "no digit" else now.trace.answer
    return facts


def _gone() -> None:
    """Back, Next or Leave was pressed."""
    now, sent = running(), st.session_state[STRIP_KEY].get("go")
    if now is None or not isinstance(sent, Mapping):
        return
    try:
        stop = whole(sent.get("stop"), 0, address.MOST_STOPS, say("address.stop.name"))
    except MessageError as error:
        st.session_state[pad.PROBLEM_KEY] = str(error)
        return
    if stop:
        start(now.lesson, stop)
    else:
        leave(over=sent.get("over") is True)
