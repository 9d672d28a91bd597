"""A lesson on the screen: where a session is in it, how it goes to a stop, and the strip that says what a stop is about.

To go to a stop is to open its link: network, iterations and drawing are set here, the page is changed by the router, and
scripts are told what they would read in the address (figures/browser/lesson.js). The place is kept in the address.
"""

import time
import zlib
from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from capsviz.app import (
    address,
    assets,
    compare,
    guess,
    pad,
    panels,
    parameters,
    prepared,
    session,
    talk_links,
    versus,
)
from capsviz.app.address import Asked
from capsviz.app.lesson_file import Lesson
from capsviz.app.lessons import TOUR, shelf, spoken
from capsviz.app.panels import PAGE_LOCK
from capsviz.checks import quoted, whole
from capsviz.errors import MessageError
from capsviz.figures.reading import verdict
from capsviz.inputs import drawings
from capsviz.models.weights import available
from capsviz.networks.base import find
from capsviz.texts import say

PLACES_KEY = "lesson_places"  # {lesson: number of the stop at which it was left}
PAGE_KEY = "lesson_page"  # name of the page that a stop leads to, until it is shown
VISIT_KEY = "lesson_visit"  # when the stop was gone to, in ms: again is another visit, after a restart of the server too
LINKED_KEY = "lesson_linked"  # whether the session's address led to the stop
SETS = ("network", "iterations", "drawing", PAGE_LOCK)  # of what can be fixed, what a step may set
STRIP_KEY = "tour_strip"  # the component; what it sends: "go"

_strip = assets.component("capsviz_tour", "tour")


def begin(asked: Asked) -> None:
    """Follow the link, at the beginning of a run: to the lesson and stop that it names.

    Args:
        asked: what the link says, of which the session has done its part; what it says goes before what the stop says.
    """
    if asked.lesson is None:
        return
    if asked.lesson == talk_links.LINKS and talk_links.text() is None:
        talk_links.wait(asked)
        return
    lesson, stop = found(asked.lesson), asked.stop or 1
    problem = asked.problem
    if lesson is None and asked.lesson == talk_links.LINKS:
        problem = say("talk.links.lost")
    elif lesson is None:
        problem = say("tour.unknown", name=quoted(asked.lesson))
    elif lacks := lacking(lesson):
        problem = say("tour.lacks", title=spoken(lesson.title), networks=", ".join(lacks))
    elif stop > len(lesson.steps):
        problem = say("tour.beyond", title=spoken(lesson.title), stops=len(lesson.steps))
        stop = len(lesson.steps)
    if lesson is None or lacking(lesson):
        leave()
    else:
        if asked.drawing is None:
            _lay_out(lesson, stop)
        _go(lesson, stop, asked)
    if problem:
        st.session_state[pad.PROBLEM_KEY] = problem


def _lay_out(lesson: Lesson, stop: int) -> None:
    """Put on the pad what the stops before one have put there: whoever opens a lesson at it has not been at these."""
    before = [
        step.address[parameters.DRAWING]
        for step in lesson.steps[: stop - 1]
        if parameters.DRAWING in step.address
    ]
    if before and not drawings.decode(before[-1]).blank:
        pad.show(drawings.decode(before[-1]))


def found(name: str) -> Lesson | None:
    """A lesson by its name: of the shelf, or the session's own list of links."""
    return talk_links.lesson() if name == talk_links.LINKS else shelf().lessons.get(name)


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
    lesson = found(name)
    if lesson is not None and not lacking(lesson) and not barred():
        _go(lesson, min(stop or place(name), len(lesson.steps)), Asked())


def barred() -> bool:
    """Whether no lesson can begin: what its steps set is fixed."""
    return session.stop_of_lesson() is None and any(map(prepared.locked, SETS))


def leave(over: bool = False) -> None:
    """Take the strip away; the lesson keeps its place, unless it is over."""
    state = st.session_state
    now = session.stop_of_lesson()
    state.pop(session.STOP_KEY, None)
    if now is not None:
        name, stop = now
        state.setdefault(PLACES_KEY, {})[name] = 1 if over else stop


def _go(lesson: Lesson, stop: int, asked: Asked) -> None:
    """Show a stop; what the link says with which a lesson is opened goes before what the stop says."""
    state, step = st.session_state, lesson.steps[stop - 1]
    count = step.address.get(parameters.ITERATIONS)
    session.take(asked.network or step.network, asked.iterations or (int(count) if count else None))
    if parameters.DRAWING in step.address and asked.drawing is None:
        pad.show(drawings.decode(step.address[parameters.DRAWING]))
    if parameters.PEN in step.address:
        state[pad.WIDTH_KEY] = int(step.address[parameters.PEN])
    shape = find(step.network).shape
    link = address.read(step.address, lambda _: shape)
    if link.surgery is not None:
        state[session.SURGERY_KEY] = link.surgery
    if asked.compare is None and asked.versus is None:
        compare.begin(link)
        versus.begin(link)
    state[VISIT_KEY] = time.time_ns() // 1_000_000
    state[LINKED_KEY] = asked.lesson is not None
    state[session.STOP_KEY] = lesson.name, stop
    state.setdefault(PLACES_KEY, {})[lesson.name] = stop
    state[PAGE_KEY] = step.page


def page() -> str:
    """Name of the page that a stop leads to, once; "" where the session stays on its page."""
    name: str = st.session_state.pop(PAGE_KEY, "")
    return name


def control() -> None:
    """The button that starts the tour, or takes it up where it was left."""
    # The container is there in any case: if the controls after it moved up, those of the run before would be drawn once
    # more in their old places, and write into the address what was so then.
    with st.container(width="content", key="start"):
        if not barred() and session.stop_of_lesson() is None and TOUR in shelf().lessons:
            st.button(
                say("tour.start"),
                key="tour_start",
                icon=":material/explore:",
                on_click=start,
                args=(TOUR,),
            )


def strip(page: str) -> None:
    """The lesson's strip, if there is a lesson; drawn last, when every view has what belongs to the stop.

    Args:
        page: name of the page that is shown.
    """
    now = session.stop_of_lesson()
    if now is None:
        return
    name, stop = now
    lesson = found(name)
    if lesson is None or stop > len(lesson.steps):  # its file has been changed, or taken away
        leave()
        return
    step = lesson.steps[stop - 1]
    data = {
        "visit": st.session_state[VISIT_KEY],
        "title": spoken(lesson.title),
        "stop": stop,
        "stops": len(lesson.steps),
        "text": spoken(step.text),
        "ask": spoken(step.ask),
        "wanted": dict(step.do),
        "lit": step.lit,
        "selector": panels.SELECTORS.get(step.lit, ""),
        "search": f"?{urlencode(step.address)}",
        "linked": st.session_state[LINKED_KEY],
        "page": say(f"{step.page}.title"),
        "here": step.page == page,
        "facts": _facts(),
        "texts": assets.words("tour"),
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
    if now.answer is not None and not guess.covered():
        scores, judged = now.trace.scores[-1], now.answer.judged
        limit = session.model().card["unsure_below"]
        shown = verdict(scores if judged is None else judged, limit, now.trace.shape.score)
        facts |= {"longest": float(scores.max()), "sum": float(scores.sum())}
        facts["answer"] = "" if shown == "no digit" else now.trace.answer
    return facts


def _gone() -> None:
    """Back, Next or Leave was pressed."""
    now, sent = session.stop_of_lesson(), st.session_state[STRIP_KEY].get("go")
    if now is None or not isinstance(sent, Mapping):
        return
    try:
        stop = whole(sent.get("stop"), 0, parameters.MOST_STOPS, say("address.stop.name"))
    except MessageError as error:
        st.session_state[pad.PROBLEM_KEY] = str(error)
        return
    if stop:
        start(now[0], stop)
    else:
        leave(over=sent.get("over") is True)
