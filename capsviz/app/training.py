"""The Training page: what there is to train, how the training of this machine comes along, and what it can be told.

Every session sees the same run: its process writes how far it has come, and a part of the page reads that every few
seconds. Whoever sits at the machine steers it; with CAPSVIZ_TRAINING=everyone, all do.
"""

import html
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from capsviz import figures
from capsviz.app import frame, session, trained
from capsviz.app.pages import FOLDER
from capsviz.app.training_rights import OFF, mode, steers
from capsviz.errors import CapsvizError, MessageError, TrainingError
from capsviz.figures import live
from capsviz.models.size import sizes, together
from capsviz.networks.base import find
from capsviz.texts import say
from capsviz.texts.numbers import grouped, per_cent, short
from capsviz.training import live_process
from capsviz.training.live_networks import spec_of
from capsviz.training.live_plan import (
    ENDED,
    KINDS,
    KNOWN,
    MOST_ITERATIONS,
    MOST_SECONDS,
    OWN,
    PAUSED,
    RATES,
    TYPES,
    WEIGHTS,
    Controls,
    Place,
    Plan,
    Story,
    Told,
    offered,
    parse_controls,
    parse_plan,
    root,
    source,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

CHOSEN_KEY = "training_chosen"  # step of the checkpoint that is looked at; none for the latest picture
PROBLEM_KEY = "training_problem"  # what became of the last wish, if it could not be followed
AGAIN, IDLE = 2.0, 6.0  # seconds from one look at the run to the next, while it goes on and otherwise
NOW = 0  # among the steps of checkpoints: the latest picture


def view() -> None:
    """All of the page."""
    if mode() == OFF:
        session.stop(say("training.off"))
    try:
        there = root()
        going = live_process.going(there)
    except (CapsvizError, OSError) as error:
        print(f"capsviz: {error}", file=sys.stderr, flush=True)
        session.stop(say("training.unstarted"))
    st.fragment(_view, run_every=AGAIN if going else IDLE)(there, going)


def _view(there: Path, went: bool) -> None:
    story, place = live_process.look(there), live_process.place(there)
    going = live_process.going(there)
    if going != went:
        st.rerun()  # of the whole page, which then looks more often, or less
    plan = place.plan()
    with st.container(key="training"):
        may = steers()
        if not may:
            _note(say("training.sees" if story else "training.sits"))
        problem = st.session_state.pop(PROBLEM_KEY, "")
        if problem:
            st.warning(problem)
        if story is not None and plan is not None:
            _standing(story, place, going, may)
            if story.told is not None:
                _pictures(story, place, plan, story.told, going, may)
        if not going and may:
            _form(story is not None)


def _note(text: str) -> None:
    st.html(f'<p class="cv-note">{html.escape(text)}</p>')


# --- what stands --------------------------------------------------------------------------------------------


def _standing(story: Story, place: Place, going: bool, may: bool) -> None:
    """How far it has come, why it has ended, and what it can be told."""
    minutes, seconds = divmod(round(story.seconds), 60)
    parts = [
        f"<b>{html.escape(say(f'training.state.{story.state}'))}</b>",
        say("training.steps", count=story.step),
        say("training.time", minutes=minutes, seconds=f"{seconds:02}"),
    ]
    if story.rows:
        parts.append(html.escape(say("training.misread", error=per_cent(story.rows[-1].error, 1))))
    if story.told:
        told, plan = story.told, place.plan() or Plan()
        name = told.name if plan.data == OWN else say(f"training.data.{plan.data}")
        of = say("training.of", data=name, train=grouped(told.train), held=grouped(told.held))
        parts.append(html.escape(of))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<p class="cv-note" data-testid="training-state" data-state="{story.state}" data-step="{story.step}">'
            f"{' · '.join(parts)}</p>"
        )
        if may and going:
            if story.state == PAUSED:
                _button("resume", ":material/play_arrow:", _tell, {"paused": False})
            else:
                _button("pause", ":material/pause:", _tell, {"paused": True})
            _button("end", ":material/stop:", _tell, {"ended": True})
        elif may and story.checkpoints:
            _button("goOn", ":material/play_arrow:", _go_on)
    if story.state == ENDED:
        st.info(say(f"training.reason.{story.reason or 'failed'}"))
    if may and going:
        _controls(story, place.controls(), place.plan() or Plan())


def _controls(story: Story, now: Controls, plan: Plan) -> None:
    """What is changed while it trains; the run takes it up before its next step."""
    iterates = plan.kind == "dynamic"
    with st.container(key="training_controls", horizontal=True, vertical_alignment="bottom", gap="medium"):
        _slider("rate", RATES, now.rate, short)
        _slider("weight", WEIGHTS, now.weight, short, say("training.weightTip"))
        if iterates:
            _slider("iterations", range(1, MOST_ITERATIONS + 1), now.iterations, str)
        classes = len(story.told.classes) if story.told else 10
        st.session_state["training_routed"] = now.routed
        st.toggle(
            say("training.routed"),
            key="training_routed",
            help=say("training.routedTip", classes=classes),
            on_change=_changed,
            args=("routed",),
        )


def _slider(name: str, values: Any, now: Any, words: Callable[[Any], str], help: str | None = None) -> None:
    """A control of the values that can be chosen, at what is in force: other sessions may have changed it."""
    key, label = f"training_{name}", "label.iterations" if name == "iterations" else name
    st.session_state[key] = min(values, key=lambda value: abs(value - now))
    st.select_slider(
        say(f"training.{label}"),
        values,
        key=key,
        format_func=words,
        help=help,
        width=200,
        on_change=_changed,
        args=(name,),
    )


def _button(name: str, icon: str, act: Callable[..., None], *values: Any, primary: bool = False) -> None:
    st.button(
        say(f"training.{name}"),
        key=f"training_{name}",
        icon=icon,
        on_click=act,
        args=values,
        type="primary" if primary else "secondary",
        help=say(f"training.{name}Tip") if name in ("anew", "back", "download") else None,
    )


# --- pictures -----------------------------------------------------------------------------------------------


def _pictures(story: Story, place: Place, plan: Plan, told: Told, going: bool, may: bool) -> None:
    """The curves, and the same digits as they form, now or at the checkpoint that is looked at."""
    chosen = _chosen(story)
    folder = place.checkpoint(chosen) if chosen else place.folder
    at = next((row.seconds for row in story.rows if row.step == chosen), None)
    left, right = st.columns([4, 3], gap="large")
    with left, st.container(key="training_curves"):
        for name, figure in (
            ("losses", live.losses_figure(story.rows, at)),
            ("shares", live.shares_figure(story.rows, told.held, at)),
        ):
            frame.heading(say(f"training.{name}"))
            _chart(figure, f"training_{name}", say(f"training.{name}"), going)
    with right, st.container(key="training_forming"):
        try:
            picture = live.read_picture(folder / "picture.npz", len(told.classes))
        except CapsvizError:  # before the first one, or of a checkpoint that has just gone
            return
        frame.heading(say("training.forming.title"))
        st.html(live.forming(picture, told.classes))
        _note(say("training.forming.caption"))
        _checkpoints(story, chosen, may)
        frame.heading(say("training.filters.title", count=len(picture.filters)))
        st.html(live.filters(picture))


def _chart(figure: "go.Figure", key: str, title: str, going: bool) -> None:
    """A chart; the table of its numbers below it only once they stand still, or it would close again and again."""
    if going:
        config = {"displayModeBar": False}
        st.plotly_chart(figure, key=key, config=config, alt=figures.chart_words(figure, title))
    else:
        frame.chart(figure, key, title)


def _chosen(story: Story) -> int:
    """Step of the checkpoint that is looked at, or ``NOW``."""
    step: int = st.session_state.get(CHOSEN_KEY, NOW)
    return step if step in story.checkpoints else NOW


def _checkpoints(story: Story, chosen: int, may: bool) -> None:
    """A way back to any checkpoint, to the pages that show its network, and to go on from it."""
    if not story.checkpoints:
        return
    key = "training_checkpoint"
    st.session_state[key] = chosen
    st.select_slider(
        say("training.checkpoint.title"),
        [*story.checkpoints, NOW],
        key=key,
        format_func=lambda step: (
            say("training.checkpoint.step", step=grouped(step)) if step else say("training.checkpoint.now")
        ),
        on_change=lambda: st.session_state.update({CHOSEN_KEY: st.session_state[key]}),
    )
    step = chosen or story.checkpoints[-1]
    with st.container(horizontal=True, gap="small"):
        for page in ("routing", "pose"):
            if st.button(
                say(f"training.open.{page}"), key=f"training_open_{page}", icon=":material/arrow_forward:"
            ):
                _open(step, page)
        if may and chosen:
            _button("back", ":material/undo:", _go_on, chosen)


def _open(step: int, page: str) -> None:
    """Have the network of a checkpoint answer, and show a page of it."""
    place = live_process.place(root())
    plan = place.plan()
    try:
        if plan is None or not place.has(step):
            raise CapsvizError(f"The checkpoint of step {step} is gone.")
        name = trained.keep(place, plan, step)
    except (CapsvizError, OSError) as error:
        _complain(error)
        st.rerun()
    session.set_network(name)
    st.switch_page(FOLDER / f"{page}.py")


# --- what is asked for --------------------------------------------------------------------------------------


def _form(again: bool) -> None:
    """What to train: a network, its size, and the images that there are."""
    known = offered(source())
    with st.container(key="training_form"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            kind = st.radio(
                say("training.label.kind"),
                KINDS,
                format_func=lambda kind: say(f"training.kind.{kind}"),
                horizontal=True,
                key="training_kind",
            )
            st.radio(
                say("training.label.data"),
                known,
                format_func=lambda data: _named(data),
                horizontal=True,
                key="training_data",
            )
            types = TYPES[kind]
            st.select_slider(
                say("training.label.types"),
                types,
                value=types[-1 if kind == "attention" else 2],
                key=f"training_types_{kind}",
                width=200,
            )
            if kind == "dynamic":
                st.select_slider(
                    say("training.label.iterations"),
                    range(1, MOST_ITERATIONS + 1),
                    value=3,
                    key="training_begins_with",
                    width=200,
                )
        with st.container(horizontal=True, gap="small"):
            _button("anew" if again else "begin", ":material/play_arrow:", _begin, known, primary=not again)
            if KNOWN not in known and OWN not in known:
                _button("download", ":material/download:", _begin, (KNOWN,))
        count = st.session_state[f"training_types_{kind}"]
        said = say(
            "training.small", parameters=grouped(_parameters(kind, count)), minutes=int(MOST_SECONDS / 60)
        )
        _note(said)


def _named(data: str) -> str:
    return source().name if data == OWN else say(f"training.data.{data}")


@cache
def _parameters(kind: str, types: int) -> int:
    told = Told("", find("dynamic.mnist").shape.classes, "digit", 2, 1, 1)
    return together(sizes(spec_of(Plan(kind, types=types), told))).parameters


def _begin(known: tuple[str, ...]) -> None:
    """Start what the form says, with the data that are chosen, or the only ones of ``known``."""
    state = st.session_state
    kind = state.get("training_kind")
    asked = {
        "kind": kind,
        "data": state.get("training_data") if len(known) > 1 else known[0],
        "types": state.get(f"training_types_{kind}"),
        "iterations": state.get("training_begins_with", Plan.iterations),
    }
    try:
        plan = replace(parse_plan(asked, known), number=int(time.time()))
    except MessageError as error:
        state[PROBLEM_KEY] = str(error)
        return
    state.pop(CHOSEN_KEY, None)
    _start(plan, Controls(iterations=plan.iterations))


def _go_on(step: int | None = None) -> None:
    """Go on, from the last checkpoint or from one before."""
    there = root()
    if live_process.going(there):
        _tell({"back": step})
    else:
        now = live_process.place(there).controls()
        _start(None, now if step is None else parse_controls({"back": step}, now))
    st.session_state.pop(CHOSEN_KEY, None)


def _start(plan: Plan | None, controls: Controls) -> None:
    if not steers():
        return
    try:
        live_process.start(root(), plan, controls, source())
    except TrainingError:
        st.session_state[PROBLEM_KEY] = say("training.busy")
    except (CapsvizError, OSError) as error:
        _complain(error)


def _changed(name: str) -> None:
    _tell({name: st.session_state[f"training_{name}"]})


def _tell(wish: dict[str, Any]) -> None:
    """Tell the run what is wished, if this session may and it can be."""
    if not steers():
        return
    place = live_process.place(root())
    try:
        place.write(parse_controls(wish, place.controls()))
    except MessageError as error:
        st.session_state[PROBLEM_KEY] = str(error)
    except OSError as error:
        _complain(error)


def _complain(error: Exception) -> None:
    """A sentence on the page; why is for who runs the server."""
    print(f"capsviz: {error}", file=sys.stderr, flush=True)
    st.session_state[PROBLEM_KEY] = say("training.unstarted")
