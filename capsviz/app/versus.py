"""Two drawings before one network, on the Compare page: which is the second, and what is sent of both."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from capsviz.app import address, asked, assets, prepared, session
from capsviz.app.address import Asked
from capsviz.app.follow import follows
from capsviz.app.messages import LARGEST
from capsviz.app.panels import WAYS
from capsviz.checks import whole
from capsviz.errors import MessageError
from capsviz.figures.versus import Side, Versus, versus_payload
from capsviz.inputs.drawings import Drawing, decode, encode
from capsviz.inputs.examples import EXAMPLES, examples_for
from capsviz.texts import say

VIEW_KEY = "versus"  # the component; its state: "asked", a Second as versus.js makes it
SECOND_KEY = "versus_second"  # Second: the last that could be read, which outlasts the page and its component
OVERTAKEN_KEY = "versus_overtaken"  # what the view had asked for before an address asked for something else
SHOWN_KEY = "versus_shown"  # whether the page shows two drawings, not several networks
CHOICE_KEY = "versus_choice"  # the control that says so

_view = assets.component("capsviz_versus", "versus")


@dataclass(frozen=True)
class Second:
    """The drawing beside the current one, as a text; "" for none."""

    drawing: str = ""
    number: int = 0  # of the request: the answer carries it


def second(sent: object) -> Second:
    """The second drawing that a browser asks for.

    Raises:
        MessageError: if it is none.
    """
    if not isinstance(sent, Mapping) or not isinstance(sent.get("drawing"), str):
        raise MessageError(say("versus.strange"))
    number = whole(sent.get("number", 0), 0, LARGEST, say("message.request"))
    drawing = decode(sent["drawing"])
    return Second("" if drawing.blank else encode(drawing), number)


def begin(link: Asked) -> None:
    """Follow an address, or a lesson, that asks for two drawings, or for several networks."""
    if link.versus is not None:
        st.session_state[SECOND_KEY] = Second("" if link.versus.blank else encode(link.versus))
        st.session_state[OVERTAKEN_KEY] = asked.sent(VIEW_KEY, "asked")
        st.session_state[SHOWN_KEY] = True
    elif link.compare is not None:
        st.session_state[SHOWN_KEY] = False


def shown() -> bool:
    """Whether the page shows two drawings."""
    return bool(st.session_state.get(SHOWN_KEY))


def way() -> str:
    """Which of ``WAYS`` the page shows."""
    return WAYS[shown()]


def choice() -> None:
    """The switch between several networks and two drawings."""
    st.session_state[CHOICE_KEY] = way()
    st.segmented_control(
        say("versus.choice"),
        WAYS,
        format_func=lambda way: say(f"versus.way.{way}"),
        key=CHOICE_KEY,
        label_visibility="collapsed",
        disabled=prepared.locked("compare"),
        on_change=_chosen,
    )


def _chosen() -> None:
    chosen = st.session_state[CHOICE_KEY]
    if chosen in WAYS and not prepared.locked("compare"):  # pressed again, it would be none
        st.session_state[SHOWN_KEY] = chosen == WAYS[1]
        st.rerun()  # of the whole page: presenter mode has other views now


@follows("versus")
def view() -> None:
    """Both drawings on one clock; only this part runs again for another second one."""
    now = session.reading()
    if now.answer is None:
        return  # the page has been left, or says what to do
    kept, problem = _asked()
    other = None
    if kept.drawing:
        beside = session.reading_of(decode(kept.drawing))
        other, problem = (None if beside.answer is None else _side(beside)), problem or beside.problem
    else:
        problem = problem or say("versus.nothing")
    kind = session.spec().shape.kind
    data = versus_payload(
        _side(now),
        other,
        asked={
            "number": kept.number,
            "second": kept.drawing,
            "first": encode(now.drawing),
            "problem": problem,
            "link": address.drawing_text(decode(kept.drawing) if kept.drawing else Drawing()),
        },
        examples=[
            (encode(Drawing(example=EXAMPLES.index(example))), say(f"example.{example.name}"))
            for example in examples_for(kind)
        ],
        link=address.for_script("compare", now.answer.trace.shape, len(now.answer.trace.scores)),
    )
    _view(key=VIEW_KEY, data=data, on_asked_change=lambda: None)


def current() -> str | None:
    """The second drawing as a text, "" where there is none yet; None where several networks are shown."""
    kept: Second = st.session_state.get(SECOND_KEY, Second())
    return kept.drawing if shown() else None


def both(now: session.Reading, drawing: str | None) -> Versus:
    """The current drawing and another.

    Raises:
        MessageError: if there is no other, or none that can be read.
    """
    if not drawing:
        raise MessageError(say("versus.nothing"))
    beside = session.reading_of(decode(drawing))
    if beside.answer is None:
        raise MessageError(beside.problem)
    return Versus(_side(now), _side(beside))


def _asked() -> tuple[Second, str]:
    """The second drawing to show, and why it is not the one just asked for, if it is not."""
    last: Second = st.session_state.get(SECOND_KEY, Second())
    sent = asked.sent(VIEW_KEY, "asked")
    if sent == st.session_state.get(OVERTAKEN_KEY):
        return last, ""
    return asked.latest(sent, second, last, SECOND_KEY, "compare")


def _side(now: session.Reading) -> Side:
    assert now.answer is not None
    limit = float(session.model().card["unsure_below"])
    return Side(now.drawing.pixels(), now.answer.trace, now.answer.reconstructions, limit)
