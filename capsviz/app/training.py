"""The Training page: what there is to train, how the training of this machine comes along, and what it can be told.

Every session sees the same run: its process writes how far it has come, and a part of the page reads that every few
seconds. Whoever sits at the machine steers it; with CAPSVIZ_TRAINING=everyone, all do.
"""

import html
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from capsviz import figures
from capsviz.app import frame, session, trained, training_form
from capsviz.app.pages import FOLDER
from capsviz.app.prepared import hidden
from capsviz.app.training_acts import (
    CHOSEN_KEY,
    PROBLEM_KEY,
    button,
    changed,
    complain,
    go_on,
    routing,
    slider,
    tell,
)
from capsviz.app.training_rights import OFF, mode, steers
from capsviz.errors import CapsvizError
from capsviz.figures import live
from capsviz.texts import say
from capsviz.texts.numbers import grouped, per_cent, short
from capsviz.training import live_process
from capsviz.training.live_plan import (
    ENDED,
    MOST_ITERATIONS,
    OWN,
    PAUSED,
    RATES,
    WEIGHTS,
    Controls,
    Place,
    Plan,
    Story,
    Told,
    drawing_weight,
    root,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

AGAIN, IDLE = 2.0, 6.0  # seconds from one look at the run to the next, while it goes on and otherwise
SIDES = {
    4: ("curves", "filters"),
    3: ("forming", "checkpoints"),
}  # of the page, by their widths: the panels on each
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
    st.html(Path(__file__).with_suffix(".css"))
    st.fragment(_view, run_every=AGAIN if going else IDLE, key=training_form.PART)(there, going)


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
            heard = may and not (going and story.state == ENDED)  # its process is only leaving
            _standing(story, place, going, heard)
            if story.told is not None:
                _pictures(story, place, story.told, going, heard)
        if not going and may and not hidden("plan"):
            training_form.form(story is not None)


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
                button("resume", ":material/play_arrow:", tell, {"paused": False})
            else:
                button("pause", ":material/pause:", tell, {"paused": True})
            button("end", ":material/stop:", tell, {"ended": True})
        elif may and story.checkpoints:
            button("goOn", ":material/play_arrow:", go_on)
    if story.state == ENDED:
        st.info(say(f"training.reason.{story.reason or 'failed'}"))
    if may and going and not hidden("controls"):
        _controls(story, place.controls(), place.plan() or Plan())


def _controls(story: Story, now: Controls, plan: Plan) -> None:
    """What is changed while it trains; the run takes it up before its next step."""
    with st.container(key="training_controls", horizontal=True, vertical_alignment="bottom", gap="medium"):
        slider("rate", RATES, now.rate, changed, short)
        slider("weight", WEIGHTS, now.weight, changed, short, say("training.weightTip"))
        if plan.kind == "dynamic":
            slider("iterations", range(1, MOST_ITERATIONS + 1), now.iterations, changed)
        routing(now.routed, len(story.told.classes) if story.told else 10, changed)


# --- pictures -----------------------------------------------------------------------------------------------


def _pictures(story: Story, place: Place, told: Told, going: bool, may: bool) -> None:
    """The curves, and the same digits as they form, now or at the checkpoint that is looked at."""
    chosen = _chosen(story)
    at = next((row.seconds for row in story.rows if row.step == chosen), None)
    try:
        file = (place.checkpoint(chosen) if chosen else place.folder) / "picture.npz"
        picture = live.read_picture(file, len(told.classes))
    except CapsvizError:  # before the first one, or of a checkpoint that has just gone
        picture = None
    panels = {"curves": partial(_curves, story, told, at, going)}
    if picture is not None:
        panels |= {
            "filters": partial(_filters, picture),
            "forming": partial(_forming, picture, told),
            "checkpoints": partial(_checkpoints, story, chosen, may),
        }
    sides = {width: [name for name in names if not hidden(name)] for width, names in SIDES.items()}
    shown = [width for width, names in sides.items() if names]
    for width, column in zip(shown, st.columns(shown, gap="large") if shown else (), strict=True):
        with column:
            for name in sides[width]:
                if name in panels:
                    with st.container(key=f"training_{name}"):
                        panels[name]()


def _curves(story: Story, told: Told, at: float | None, going: bool) -> None:
    for name, figure in (
        ("losses", live.losses_figure(story.rows, at)),
        ("shares", live.shares_figure(story.rows, told.held, at)),
    ):
        frame.heading(say(f"training.{name}"))
        _chart(figure, f"training_{name}", say(f"training.{name}"), going)


def _filters(picture: live.Picture) -> None:
    frame.heading(say("training.filters.title", count=len(picture.filters)))
    st.html(live.filters(picture))


def _forming(picture: live.Picture, told: Told) -> None:
    frame.heading(say("training.forming.title"))
    st.html(live.forming(picture, told.classes))
    _note(say("training.forming.caption"))


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
            if page == "pose" and not drawing_weight(story.rows, step):
                continue  # its decoder has learnt nothing
            label, icon = say(f"training.open.{page}"), ":material/arrow_forward:"
            if st.button(label, key=f"training_open_{page}", icon=icon):
                _open(step, page)
        if may and chosen:
            button("back", ":material/undo:", go_on, chosen)


def _open(step: int, page: str) -> None:
    """Have the network of a checkpoint answer, and show a page of it."""
    place = live_process.place(root())
    plan = place.plan()
    try:
        if plan is None or not place.has(step):
            raise CapsvizError(f"The checkpoint of step {step} is gone.")
        name = trained.keep(place, plan, step)
    except (CapsvizError, OSError) as error:
        complain(error)
        st.rerun()
    session.set_network(name)
    st.switch_page(FOLDER / f"{page}.py")
