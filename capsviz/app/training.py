"""The Training page: what there is to train, how the training of this machine comes along, and what it can be told.

Every session sees the same run: its process writes how far it has come, and a part of the page reads that every few
seconds. Whoever sits at the machine steers it; with CAPSVIZ_TRAINING=everyone, all do.
"""

import html
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from capsviz import figures
from capsviz.app import frame, prepared, session, trained, training_form
from capsviz.app.pages import FOLDER
from capsviz.app.prepared import hidden
from capsviz.app.training_acts import (
    LOCK,
    PART,
    button,
    changed,
    complain,
    complain_of,
    go_on,
    look_at,
    problem,
    routing,
    slider,
    smaller,
    tell,
)
from capsviz.app.training_choice import Checkpoint, of_run
from capsviz.app.training_rights import OFF, mode, sits, steers
from capsviz.errors import CapsvizError
from capsviz.figures import live
from capsviz.models.rates import wilson
from capsviz.models.weights import FILE, load_card
from capsviz.texts import FIRST, language, say
from capsviz.texts.numbers import grouped, per_cent, short
from capsviz.training import live_process
from capsviz.training.live_networks import name_of
from capsviz.training.live_plan import (
    ENDED,
    MOST_ITERATIONS,
    MOST_PAUSE,
    MOST_SECONDS,
    OWN,
    PAUSED,
    PREPARING,
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
NO_IMAGES = ("data", "download")  # reasons to end that going on would only meet again
NO_FAULT = ("time", "waited", "server")  # reasons to end that nobody need mend
TO_KEY = "training_to"  # name of the page that is to be opened
NOW = 0  # among the steps of checkpoints: the latest picture


def view() -> None:
    """All of the page."""
    if to := st.session_state.pop(TO_KEY, ""):
        # Here, in a run of the whole page: left from the part that runs by itself, the next page was sometimes empty.
        st.switch_page(FOLDER / f"{to}.py")
    if mode() == OFF:
        session.stop(say("training.off"))
    try:
        there = root()
        going = live_process.going(there)
    except (CapsvizError, OSError) as error:
        print(f"capsviz: {error}", file=sys.stderr, flush=True)
        session.stop(say("training.unstarted"))
    st.html(Path(__file__).with_suffix(".css"))
    st.fragment(_view, run_every=AGAIN if going else IDLE, key=PART)(there, going)


def _view(there: Path, went: bool) -> None:
    story, place = live_process.look(there), live_process.place(there)
    going = live_process.going(there)
    if going != went:
        st.rerun()  # of the whole page, which then looks more often, or less
    plan = place.plan()
    _follow_link(story, plan)
    with st.container(key="training"):
        may = steers()
        if not may:
            _note(say("training.sees" if story else "training.sits"))
        if wrong := problem():
            st.warning(wrong)
        if story is not None and plan is not None:
            heard = may and not (going and story.state == ENDED)  # its process is only leaving
            _standing(story, place, plan, going, heard)
            if story.told is not None:
                _pictures(story, place, plan, story.told, going, heard)
        if not going and may and not hidden("plan"):
            training_form.form(len(story.checkpoints) if story else 0)


def _note(text: str) -> None:
    st.html(f'<p class="cv-note">{html.escape(text)}</p>')


def _follow_link(story: Story | None, plan: Plan | None) -> None:
    """Say so where the checkpoint that is to be looked at is not there, and look at the latest picture."""
    looked: Checkpoint | None = st.session_state.get(session.CHECKPOINT_KEY)
    if looked is None:
        return
    if story is None or plan is None or looked.run != plan.number:
        complain_of(say("training.checkpoint.gone"))
    elif looked.step not in story.checkpoints:
        complain_of(say("training.checkpoint.thinned", step=grouped(looked.step)))
    else:
        return
    del st.session_state[session.CHECKPOINT_KEY]
    st.rerun()  # of the whole page, whose address says no more of it


# --- what stands --------------------------------------------------------------------------------------------


def _standing(story: Story, place: Place, plan: Plan, going: bool, may: bool) -> None:
    """What learns and how far it has come, why it has ended, and what it can be told."""
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        st.html(_in_words(story, plan))
        if may and going:
            if story.state == PAUSED:
                button("resume", ":material/play_arrow:", tell, {"paused": False})
            else:
                button("pause", ":material/pause:", tell, {"paused": True})
            button("end", ":material/stop:", tell, {"ended": True})
        elif may and (story.checkpoints or story.reason not in NO_IMAGES):
            button("goOn", ":material/play_arrow:", go_on)
    if story.state == ENDED and story.reason != "asked":  # of that, the state says all
        detail = story.detail if sits() else ""
        (st.info if story.reason in NO_FAULT else st.warning)(_why(story, place, bool(detail)))
        if detail:
            st.code(detail, language=None, wrap_lines=True)
    if story.told is not None and story.told.left_out:
        st.html(_left_out(story.told, may))
    if may and going and not hidden("controls"):
        _controls(story, place.controls(), plan)


def _why(story: Story, place: Place, more: bool) -> str:
    """Why it has ended, and what can be done; whether there is ``more`` to read than where it stands."""
    reason = story.reason or "failed"
    if reason == "diverged":
        return say("training.reason.diverged", rate=short(smaller(place.controls().rate)))
    seconds = {"time": MOST_SECONDS, "waited": MOST_PAUSE}.get(reason, 0)
    return say(f"training.reason.{reason}{'Why' if more else ''}", minutes=int(seconds / 60))


def _left_out(told: Told, named: bool) -> str:
    """HTML of how many pictures cannot be read and, where they may be named, of the first of them and why not."""
    count = told.left_out
    head = html.escape(say("training.unread", count=count, number=grouped(count)))
    if not named:
        return f'<p class="cv-note">{head}</p>'
    lines = [f"{one.file}: {one.why.get(language(), one.why[FIRST])}" for one in told.unread]
    if rest := count - len(lines):
        lines.append(say("training.unreadMore", count=rest, number=grouped(rest)))
    listed = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f'<details class="cv-note cv-unread"><summary>{head}</summary><ul>{listed}</ul></details>'


def _in_words(story: Story, plan: Plan) -> str:
    """HTML of which network learns, how far it has come, what it misreads, and which one reads the drawing beside."""
    minutes, seconds = divmod(round(story.seconds), 60)
    title = say("training.learns", kind=say(f"training.kind.{plan.kind}"), types=plan.types)
    parts = [f"<b>{html.escape(say(f'training.state.{story.state}'))}</b>"]
    if story.step or story.state != PREPARING:
        parts.append(say("training.steps", count=story.step, number=grouped(story.step)))
        parts.append(say("training.time", minutes=minutes, seconds=f"{seconds:02}"))
    misread = ""
    if (told := story.told) is not None:
        data = told.name if plan.data == OWN else say(f"training.data.{plan.data}")
        parts.append(html.escape(say("training.of", data=data, train=grouped(told.train))))
        if story.rows:
            wrong = round(story.rows[-1].error * told.held)
            counts = {"wrong": grouped(wrong), "held": grouped(told.held)}
            misread = say("training.misread", rate=_rate(wrong, told.held, told.alone), **counts)
    answers = session.network()
    if answers.startswith(f"{name_of(plan)}.s"):
        beside = say("training.this", step=grouped(int(answers.rpartition(".s")[2])))
    else:
        beside = say("training.other", network=session.spec().title)
    return (
        f'<div class="cv-learning" data-testid="training-state" data-state="{story.state}" data-step="{story.step}">'
        f'<div><h2 class="cv-heading">{html.escape(title)}</h2><p>{html.escape(beside)}</p></div>'
        f"<p>{' · '.join(parts)}</p><p>{html.escape(misread)}</p></div>"
    )


def _rate(wrong: int, count: int, alone: bool) -> str:
    """A share in per cent, with its 95% interval where each image is a drawing of its own."""
    rate, (low, high) = per_cent(wrong / count, 1), wilson(wrong, count)
    return say("card.percent", rate=rate, low=per_cent(low, 1), high=per_cent(high, 1)) if alone else rate


def _controls(story: Story, now: Controls, plan: Plan) -> None:
    """What is changed while it trains; the run takes it up before its next step."""
    with st.container(key="training_controls", horizontal=True, vertical_alignment="bottom", gap="medium"):
        slider("rate", RATES, now.rate, changed, short)
        slider("weight", WEIGHTS, now.weight, changed, short, say("training.weightTip"))
        if plan.kind == "dynamic":
            slider("iterations", range(1, MOST_ITERATIONS + 1), now.iterations, changed)
        routing(now.routed, len(story.told.classes) if story.told else 10, changed)


# --- pictures -----------------------------------------------------------------------------------------------


def _pictures(story: Story, place: Place, plan: Plan, told: Told, going: bool, may: bool) -> None:
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
            "checkpoints": partial(_checkpoints, story, place, plan, told, chosen, may),
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
    looked: Checkpoint | None = st.session_state.get(session.CHECKPOINT_KEY)
    return looked.step if looked and looked.step in story.checkpoints else NOW


def _checkpoints(story: Story, place: Place, plan: Plan, told: Told, chosen: int, may: bool) -> None:
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
        on_change=lambda: _look(story, plan, st.session_state[key]),
    )
    step = chosen or story.checkpoints[-1]
    with suppress(CapsvizError):  # of one that has just gone
        wrong = round(load_card(place.checkpoint(step) / FILE)["test_error"] * told.test)
        counts = {"test": grouped(told.test), "step": grouped(step), "page": say("model.title")}
        _note(say("training.tested", rate=_rate(wrong, told.test, told.alone), **counts))
    with st.container(horizontal=True, gap="small"):
        for page in () if prepared.locked("network") else ("here", "routing", "pose"):
            if page == "pose" and not drawing_weight(story.rows, step):
                continue  # its decoder has learnt nothing
            label, icon = (
                say(f"training.open.{page}"),
                f":material/{'visibility' if page == 'here' else 'arrow_forward'}:",
            )
            here = page == "here"
            does, tip = session.network() == f"{name_of(plan)}.s{step}", say("training.open.hereTip")
            st.button(
                label,
                key=f"training_open_{page}",
                icon=icon,
                help=tip if here else None,
                disabled=here and does,
                on_click=_open,
                args=(step, page),
            )
        if may and chosen:
            button("back", ":material/undo:", go_on, chosen, help=say("training.backTip"))


def _look(story: Story, plan: Plan, step: int) -> None:
    """Look at a checkpoint, or with ``NOW`` at the latest picture; its link has what the training began with, too."""
    if story.rows and not prepared.locked(LOCK):
        st.session_state.setdefault(session.TRAINING_KEY, of_run(plan, story.rows[0]))
    look_at(Checkpoint(plan.number, step) if step else None)


def _open(step: int, page: str) -> None:
    """Have the network of a checkpoint answer, here or on a page of it."""
    place = live_process.place(root())
    plan = place.plan()
    try:
        if plan is None or not place.has(step):
            raise CapsvizError(f"The checkpoint of step {step} is gone.")
        name = trained.keep(place, plan, step)
    except (CapsvizError, OSError) as error:
        complain(error)
    else:
        session.set_network(name)
        if page != "here":
            st.session_state[TO_KEY] = page
    st.rerun()  # of the whole page
