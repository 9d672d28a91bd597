"""What the Training page has a run do: start, follow, go on; and the buttons and sliders by which it is told."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from capsviz.app import prepared, session
from capsviz.app.training_choice import Checkpoint
from capsviz.app.training_rights import steers
from capsviz.errors import CapsvizError, MessageError, TrainingError
from capsviz.texts import say
from capsviz.training import live_process
from capsviz.training.live_plan import RATES, Controls, Plan, nearest, parse_controls, root, source

PROBLEM_KEY = (
    "training_problem"  # (sentence, when it goes): what became of the last wish, if it could not be followed
)
PART = "training"  # of the page: runs again for a choice, and with it the address
LOCK = "training"  # of panels.LOCKS
LASTS = 30.0  # seconds that a sentence stays, however often the page looks again


def button(
    name: str,
    icon: str,
    act: Callable[..., None],
    *values: Any,
    primary: bool = False,
    help: str | None = None,  # Streamlit's word
) -> None:
    """A button that has the run do something."""
    st.button(
        say(f"training.{name}"),
        key=f"training_{name}",
        icon=icon,
        on_click=act,
        args=values,
        type="primary" if primary else "secondary",
        help=help,
    )


def asking(name: str, icon: str, kept: int, act: Callable[..., None], *values: Any) -> None:
    """A button of what throws a training of ``kept`` checkpoints away; it asks first."""
    with st.popover(say(f"training.{name}"), icon=icon, key=f"training_{name}_first"):
        st.write(say("training.anewAsk", count=kept))
        button(name, icon, act, *values)


def slider(
    name: str,
    values: Sequence[Any],
    now: float,
    changed: Callable[[str], None],
    words: Callable[[Any], str] = str,
    help: str | None = None,  # Streamlit's word
) -> None:
    """A choice of values, at what is in force: other sessions may have changed it."""
    key, fixed = f"training_{name}", prepared.locked(LOCK)
    st.session_state[key] = nearest(now, values)
    st.select_slider(
        say(f"training.{name}" if name in ("rate", "weight") else f"training.label.{name}"),
        values,
        key=key,
        format_func=words,
        help=say("common.fixed") if fixed else help,
        disabled=fixed,
        width=200,
        on_change=changed,
        args=(name,),
    )


def routing(now: bool, classes: int, changed: Callable[[str], None]) -> None:
    """Whether votes are routed."""
    fixed = prepared.locked(LOCK)
    st.session_state["training_routed"] = now
    st.toggle(
        say("training.routed"),
        key="training_routed",
        help=say("common.fixed") if fixed else say("training.routedTip", classes=classes),
        disabled=fixed,
        on_change=changed,
        args=("routed",),
    )


def told(name: str) -> Any:
    """What a slider, a choice or the switch stands at."""
    return st.session_state.get(f"training_{name}")


def start(plan: Plan | None, controls: Controls) -> None:
    """Begin a run of a plan, or go on with the one that is there, if this session may."""
    if not steers():
        return
    st.session_state.pop(session.CHECKPOINT_KEY, None)
    st.session_state.pop(PROBLEM_KEY, None)
    try:
        live_process.start(root(), plan, controls, source())
    except TrainingError:
        complain_of(say("training.busy"))
    except (CapsvizError, OSError) as error:
        complain(error)


def go_on(step: int | None = None) -> None:
    """Go on, from the last checkpoint or from one before."""
    there = root()
    if live_process.going(there):
        tell({"back": step, "paused": False})
    else:
        story, now = live_process.look(there), live_process.place(there).controls()
        if story is not None and story.reason == "diverged":
            now = replace(now, rate=smaller(now.rate))  # or it would lead there again
        start(None, now if step is None else parse_controls({"back": step}, now))
    look_at(None)


def smaller(rate: float) -> float:
    """The next smaller learning rate of those that can be chosen."""
    return max((other for other in RATES if other < rate), default=RATES[0])


def look_at(checkpoint: Checkpoint | None) -> None:
    """Look at a checkpoint, or at the latest picture, and have the address say so."""
    if checkpoint is None:
        st.session_state.pop(session.CHECKPOINT_KEY, None)
    else:
        st.session_state[session.CHECKPOINT_KEY] = checkpoint
    st.rerun(["share", PART])


def changed(name: str) -> None:
    """Tell the run what a slider or the switch now says, unless that is fixed."""
    if not prepared.locked(LOCK):
        tell({name: told(name)})


def tell(wish: dict[str, Any]) -> None:
    """Tell the run what is wished, if this session may and it can be."""
    if not steers():
        return
    st.session_state.pop(PROBLEM_KEY, None)
    place = live_process.place(root())
    try:
        place.write(parse_controls(wish, place.controls()))
    except MessageError as error:
        complain_of(str(error))
    except OSError as error:
        complain(error)


def complain(error: Exception) -> None:
    """A sentence on the page; why is for who runs the server."""
    print(f"capsviz: {error}", file=sys.stderr, flush=True)
    complain_of(say("training.unstarted"))


def complain_of(sentence: str) -> None:
    """Say a sentence on the page, for a while."""
    st.session_state[PROBLEM_KEY] = (sentence, time.monotonic() + LASTS)


def problem() -> str:
    """What is to be said of the last wish; "" if nothing is."""
    sentence, until = st.session_state.get(PROBLEM_KEY, ("", 0.0))
    return sentence if time.monotonic() < until else ""
