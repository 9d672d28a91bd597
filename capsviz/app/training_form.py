"""The form of the Training page: a small network, its images, and how it is trained; what it says is in the link too."""

import os
import time
from functools import cache
from typing import Any

import streamlit as st

from capsviz.app import prepared, session
from capsviz.app.menu import plain
from capsviz.app.training_acts import LOCK, PART, asking, button, complain_of, routing, slider, start, told
from capsviz.app.training_choice import Choice, choice
from capsviz.app.training_rights import sits
from capsviz.checks import one_line
from capsviz.errors import MessageError
from capsviz.inputs.data import MNIST
from capsviz.models.size import sizes, together
from capsviz.networks.base import find
from capsviz.texts import say
from capsviz.texts.numbers import grouped, short
from capsviz.training.live_networks import spec_of
from capsviz.training.live_plan import (
    KINDS,
    KNOWN,
    MOST_ITERATIONS,
    MOST_SECONDS,
    OWN,
    RATES,
    SOURCE,
    TYPES,
    WEIGHTS,
    Plan,
    Told,
    nothing_at,
    offered,
    source,
)


def chosen() -> Choice:
    """What a training is to begin with, as the link or the form says."""
    found: Choice = st.session_state.get(session.TRAINING_KEY, Choice())
    return found


def form(kept: int) -> None:
    """What to train: a network, its size, the images that there are, and how it begins.

    Args:
        kept: checkpoints of a training that is there already, which goes.
    """
    now, known = chosen(), offered(source())
    with st.container(key="training_form"):
        if os.environ.get(SOURCE, "").strip() and (why := nothing_at(source())):
            st.info(say(f"training.nothing.{why}", place=_place()))
        if now.data and now.data not in known:
            st.info(say("training.absent", data=named(now.data)))
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            _radio("kind", KINDS, now.kind, lambda kind: say(f"training.kind.{kind}"))
            _radio("data", known, now.data if now.data in known else known[0], named)
            slider("types", TYPES[now.kind], now.shown_types, _choose)
            if now.kind == "dynamic":
                slider("iterations", range(1, MOST_ITERATIONS + 1), now.iterations, _choose)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            slider("rate", RATES, now.rate, _choose, short)
            slider("weight", WEIGHTS, now.weight, _choose, short, say("training.weightTip"))
            routing(now.routed, 10, _choose)
        with st.container(horizontal=True, gap="small"):
            starts = [("anew" if kept else "begin", ":material/play_arrow:", known)]
            if KNOWN not in known and OWN not in known and MNIST.holds(source()):
                starts.append(("download", ":material/download:", (KNOWN,)))
            for name, icon, data in starts:
                if kept:
                    asking(name, icon, kept, _begin, data)
                else:
                    tip = say("training.downloadTip", folder=_place()) if name == "download" else None
                    button(name, icon, _begin, data, primary=name == "begin", help=tip)
        said = say(
            "training.small",
            parameters=grouped(_parameters(now.kind, now.shown_types)),
            minutes=int(MOST_SECONDS / 60),
        )
        st.html(f'<p class="cv-note">{said}</p>')


def named(data: str) -> str:
    """What data are called on the page."""
    return source().name if data == OWN else say(f"training.data.{data}")


def _place() -> str:
    """Where images are looked for, as a label has it; only whoever sits there reads more than a name."""
    return plain(one_line(str(source()) if sits() else source().name))


def _radio(name: str, known: tuple[str, ...], now: str, words: Any) -> None:
    key, fixed = f"training_{name}", prepared.locked(LOCK)
    st.session_state[key] = now
    st.radio(
        say(f"training.label.{name}"),
        known,
        format_func=words,
        horizontal=True,
        key=key,
        disabled=fixed,
        help=say("common.fixed") if fixed else None,
        on_change=_choose,
        args=(name,),
    )


def _choose(name: str) -> None:
    """Take up what was chosen, and have it said in the address; what is fixed stays, whatever a browser sends."""
    if prepared.locked(LOCK):
        return
    now = chosen()
    known = {field: value for field, value in vars(now).items() if value}
    try:
        found = choice({**known, "routed": now.routed, "weight": now.weight, name: told(name)})
    except MessageError as error:
        complain_of(str(error))
        return
    st.session_state[session.TRAINING_KEY] = found
    st.rerun(["share", PART])


@cache
def _parameters(kind: str, types: int) -> int:
    data = Told("", find("dynamic.mnist").shape.classes, "digit", 2, 1, 1)
    return together(sizes(spec_of(Plan(kind, types=types), data))).parameters


def _begin(known: tuple[str, ...]) -> None:
    """Start what the form says, on the data that were chosen if they are here, else on the first of the ``known``."""
    now = chosen()
    try:
        usable = (
            now if now.data in known else choice({**vars(now), "types": now.shown_types, "data": known[0]})
        )
        plan = usable.plan(known, int(time.time()))
    except MessageError as error:
        complain_of(str(error))
    else:
        start(plan, usable.controls())
