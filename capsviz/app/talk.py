"""Presenter mode: a lesson given as a talk, or a list of links that a person has pasted (talk_links.py).

The screen is the script's (figures/browser/talk.js): one view as large as the window, a clicker's keys, the speaker's
window. Here is what a talk says at each place, and how it moves: as a lesson does.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from capsviz.app import assets, guess, keys, pad, parameters, prepared, session, talk_links, tour, versus
from capsviz.app.address import Asked
from capsviz.app.lesson_file import Step
from capsviz.app.lessons import spoken
from capsviz.app.panels import SELECTORS, views_of
from capsviz.checks import whole
from capsviz.errors import MessageError
from capsviz.inputs import drawings
from capsviz.texts import language, say

TALK_KEY = "talk"  # the component; what it sends: "go", "kept", "back"
ASKED_KEY = "talk_asked"  # so many times a button or a link has asked for presenter mode,
VIEW_KEY = "talk_view"  # and the view with which the last one wanted it to begin; "" for any
BEGAN_KEY = (
    "talk_began"  # the drawing that was on the pad when the talk began, as a text; the browser keeps it too
)

RAIL = ("pad", "answer")  # views that stand beside the page
BY_DRAWING = ("drawn", "changed", "longest", "sum", "answer")  # what a step asks for that is done on the pad
BY_NETWORK = "network"  # and in the menu of networks

_talk = assets.component("capsviz_talk", "talk")


def begin(asked: Asked) -> None:
    """Follow the link, at the beginning of a run: into presenter mode, if that is where it leads."""
    if asked.present is not None:
        state = st.session_state
        state[VIEW_KEY] = "" if asked.present == parameters.PRESENT_ANY else asked.present
        state[ASKED_KEY] = state.get(ASKED_KEY, 0) + 1


def present(name: str) -> None:
    """Give a lesson as a talk, from its first step."""
    state = st.session_state
    state[BEGAN_KEY] = drawings.encode(pad.current())
    state[ASKED_KEY] = state.get(ASKED_KEY, 0) + 1
    state[VIEW_KEY] = ""
    tour.start(name, 1)


def control(page: str) -> None:
    """Presenter mode, in the frame of every page.

    Args:
        page: its name.
    """
    state = st.session_state
    now = session.stop_of_lesson()
    lesson = None if now is None else tour.found(now[0])
    at = 0 if lesson is None or now is None else min(now[1], len(lesson.steps))
    steps = () if lesson is None else lesson.steps
    views = views_of(page, session.spec(), versus.way())
    kept = _talk(
        key=TALK_KEY,
        data={
            "asked": state.get(ASKED_KEY, 0),
            "visit": state.get(tour.VISIT_KEY, 0),
            "opening": state.get(BEGAN_KEY),
            "title": "" if lesson is None else spoken(lesson.title),
            "stop": at,
            "stops": len(steps),
            "now": _place(steps[at - 1], lesson) if at else PLACE,
            "next": _place(steps[at], lesson) if at and at < len(steps) else None,
            "ask": (spoken(steps[at - 1].ask) if at else "") or prepared.question(page),
            "lit": _stage(steps[at - 1]) if at else "",
            "hands": _hands(steps[at - 1]) if at else "",
            "views": views,
            "view": state.get(VIEW_KEY, ""),
            "selectors": SELECTORS,
            "rail": RAIL,
            "names": {name: say(f"panel.{name}") for name in views},
            "links": talk_links.text(),
            "wanting": talk_links.wanted(),
            "keys": keys.for_script(key for key in keys.KEYS if key.talk),
            "speaker": assets.speaker_asset(language()).address,
            "texts": assets.words("talk"),
        },
        on_go_change=_gone,
        on_kept_change=lambda: None,
        on_back_change=lambda: None,  # a run is all that is wanted
        width="content",
        height="content",
    ).get("kept")
    if kept is not None and talk_links.take_kept(kept):
        if waited := talk_links.waited():
            tour.begin(waited)
        st.rerun()


def _stage(step: Step) -> str:
    """The view that a step speaks of; of the menu of networks, what the network answers."""
    return RAIL[0] if step.lit == BY_NETWORK else step.lit


def _hands(step: Step) -> str:
    """What must be at hand beside a step's view, for what it asks to be done: "pad", "network", both with a space, or ""."""
    drawn = any(name in step.do for name in BY_DRAWING)
    return " ".join(["pad"] * drawn + ["network"] * (BY_NETWORK in step.do))


PLACE = {"title": "", "page": "", "note": "", "ask": ""}


def _place(step: Step, lesson: Any) -> dict[str, str]:
    """What the speaker's window says of a step."""
    return {
        "title": spoken(lesson.title),
        "page": say(f"{step.page}.title"),
        "note": spoken(step.text),
        "ask": spoken(step.ask),
    }


def _gone() -> None:
    now, sent = session.stop_of_lesson(), st.session_state[TALK_KEY].get("go")
    if now is None or not isinstance(sent, Mapping):
        return
    again = sent.get("again") is True
    try:
        stop = whole(sent.get("stop"), 1, parameters.MOST_STOPS, say("address.stop.name"))
        opening = st.session_state.get(BEGAN_KEY, sent.get("drawing")) if again else None
        drawing = None if opening is None else drawings.decode(opening)
    except MessageError as error:
        st.session_state[pad.PROBLEM_KEY] = str(error)
        return
    if again:
        guess.afresh()
    if drawing is not None:
        pad.show(drawing)
        st.session_state[BEGAN_KEY] = opening
    tour.start(now[0], stop)
