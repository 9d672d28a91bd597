"""The frame around every page: bar of pages, rail with pad and answer, question and doors, charts."""

import html
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from capsviz import figures
from capsviz.app import (
    export,
    follow,
    guess,
    keys,
    languages,
    menu,
    pad,
    prepared,
    session,
    share,
    talk,
    tour,
    versus,
)
from capsviz.app.follow import Ended, follows
from capsviz.app.pad import PROBLEM_KEY
from capsviz.app.pages import FOLDER, Page, pages
from capsviz.app.panels import PAGE_LOCK
from capsviz.inputs.drawings import PAD
from capsviz.models.weights import available
from capsviz.networks.base import Spec, find
from capsviz.texts import noun, say, spelled
from capsviz.texts.numbers import number
from capsviz.traces.base import POSES

if TYPE_CHECKING:
    import plotly.graph_objects as go

STYLES = ("frame", "phone", "paper", "talk")  # a later one's rules go before an earlier one's
SAID_KEY = "problem_said"  # (sentence, when it was first shown) of PROBLEM_KEY
LASTS = 5.0  # seconds
# The page to which this one belongs is lit in the bar, as if it were open.
UNDER = """<style>:is([data-testid="stTopNavLink"], [data-testid="stSidebarNavLink"])[href$="/{}"] {{
    background: color-mix(in srgb, currentColor 12%, transparent);
    box-shadow: inset 0 var(--lit-edge, 0px) currentColor;
    & :is(span, p) {{ font-weight: 600; }}
    @media (forced-colors: active) {{ border-bottom: 3px solid Highlight; }}
}}</style>"""
MOST_OFFERED = 4  # networks that a page names which lacks what it shows; the menu has all


@contextmanager
def frame(page: Page) -> Iterator[None]:
    """Draw the pad rail on the left of a page; the page itself is drawn inside the ``with``."""
    follow.begin(page.name)
    with suppress(Ended), _around(page):
        yield
    _way_out(page)
    tour.strip(page.name)
    follow.settle(session.stop_of_lesson() is None and not guess.predicting())


@contextmanager
def _around(page: Page) -> Iterator[None]:
    prepared.declare()
    st.html(figures.STYLE)
    for name in STYLES:
        st.html(Path(__file__).with_name(f"{name}.css"))
    if page.under:
        st.html(UNDER.format(page.under))
    first = pad.begin()
    with st.container(key="controls", horizontal=True, vertical_alignment="center", gap="xsmall"):
        keys.keys(page.name)
        tour.control()
        presenting = st.container(key="presenting")
        guess.control()
        copying = st.container(key="copying")
        exporting = st.container(key="exporting")
        menu.menu(first)
        languages.choice(first)
    both = st.container(horizontal=True, key="frame", gap="large")
    rail = both.container(width=PAD, key="rail", gap="small")
    main = both.container(key="page")
    waiting = main.empty()
    if "torch" not in sys.modules:  # only the first visitor of a fresh server waits
        waiting.html(f'<div class="cv-waiting">{say("frame.loading")}</div>')
    # None of these inside another: each part that follows the drawing copies, at each run, all that it stands in.
    with rail:
        pad.pad(first, session.spec().shape.kind)
    with copying:  # once the tab has brought what it kept; the answer may take a while
        share.share(page.name)
    with presenting:
        talk.control(page.name)
    with rail:
        _card()
        _as_trained()
    with exporting:  # of the answer, which may take a while
        export.control(page.name)
    waiting.empty()
    with main:
        problem = _problem()
        if problem:
            with st.container(key="problem"):
                st.error(problem, icon=":material/error:")
        yield


def _way_out(page: Page) -> None:
    """Below a page that was prepared: that it was, and a way to all that there is."""
    found = prepared.now()
    if found == prepared.Prepared() or page.name == "lesson":  # where such pages are made
        return
    said = say("prepared.says") if found.hide or found.lock else say("prepared.asks")
    with st.container(key="prepared", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f"<p>{html.escape(said)}</p>")
        st.button(say("prepared.leave"), key="prepared_leave", type="tertiary", on_click=_everything)


def _everything() -> None:
    prepared.leave()
    st.session_state.pop(session.COVERED_KEY, None)
    guess.set_predicting(False)


def _problem() -> str:
    """The sentence that is to be shown, if any: it outlasts runs that come on the heels of the one it came in."""
    problem = st.session_state.get(PROBLEM_KEY, "")
    said, since = st.session_state.get(SAID_KEY, ("", 0.0))
    if problem != said:
        st.session_state[SAID_KEY] = (problem, time.monotonic())
    elif problem and time.monotonic() - since >= LASTS:
        del st.session_state[PROBLEM_KEY], st.session_state[SAID_KEY]
        return ""
    return str(problem)


def opened(page: Page) -> None:
    """The question that the page answers, and doors to where more is said; where the network lacks what it shows, say so."""
    network = session.spec()
    shape, able = network.shape, page.needs <= network.offers
    works = {other.name for other in pages() if other.needs <= network.offers}
    words = {"count": spelled(shape.pose), "kind": noun(shape.kind)}
    with st.container(horizontal=True, vertical_alignment="center", key="question"):
        asks = "versus.asks" if page.name == "compare" and versus.shown() else f"{page.name}.question"
        own = say(asks, **words) if able else say(f"{page.name}.title")
        question = prepared.question(page.name) or own
        st.html(f'<h1 class="cv-question">{html.escape(question)}</h1>')
        without = not able or prepared.hidden("doors") or prepared.locked(PAGE_LOCK)
        doors = [door for door in page.doors if door in works and not without]
        # Together, so that none wraps alone.
        with st.container(horizontal=True, width="content", key="doors") if doors else nullcontext():
            for door in doors:
                st.page_link(
                    FOLDER / f"{door}.py",
                    label=say(f"{page.name}.door.{door}", kind=noun(shape.kind)),
                    icon=":material/arrow_forward:",
                    icon_position="right",
                )
    if not able:
        _lacks(page, network)
        raise Ended
    if not guess.covered():
        guess.told()
        return
    guess.asked()
    if page.tells:
        session.stop(say("guess.covered"))


def _lacks(page: Page, network: Spec) -> None:
    """Why there is nothing to see, the networks that have what the page shows, and a page that this one can fill."""
    others = [find(name) for name in available()]
    able = [other for other in others if page.needs <= other.offers]
    able.sort(
        key=lambda other: other.shape.classes != network.shape.classes
    )  # what may read the same drawing first
    with st.container(key="lacks", horizontal_alignment="center"):
        poses = POSES in page.needs - network.offers and network.shape.pose
        untrained = poses and session.loaded().card["settings"].get("reconstruction") == 0
        lacks = f"{page.name}.{'untrained' if untrained else 'lacks'}"
        sentence = say(lacks, network=network.title, kind=noun(network.shape.kind))
        st.html(f'<p data-testid="waiting">{html.escape(sentence)}</p>')
        with st.container(horizontal=True, horizontal_alignment="center"):
            for other in able[:MOST_OFFERED]:
                st.button(
                    say("frame.switch", network=menu.plain(other.title)),
                    key=f"choose_{other.name}",
                    on_click=session.set_network,
                    args=(other.name,),
                    **prepared.sign("network", ":material/swap_horiz:"),
                )
        for there in () if prepared.locked(PAGE_LOCK) else pages()[:1]:
            st.page_link(
                FOLDER / f"{there.name}.py",
                label=say("frame.stay", page=say(f"{there.name}.title"), network=menu.plain(network.title)),
                icon=":material/arrow_forward:",
                icon_position="right",
            )


def heading(text: str) -> None:
    """The heading of one view on a page."""
    st.html(f'<h2 class="cv-heading">{html.escape(text)}</h2>')


def chart(figure: "go.Figure", key: str, title: str) -> None:
    """A Plotly figure with a name and a table of its numbers, without the tools that float over it."""
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=figures.chart_words(figure, title))
    script = Path(__file__).with_name("frame.js").read_text("utf-8")
    st.html(f"{figures.chart_table(figure, title)}<script>{script}</script>", unsafe_allow_javascript=True)


@follows("card")
def _card() -> None:
    """The answer, below the pad."""
    if pad.changed():  # by something else in the message for which the parts run
        st.rerun()
    now, network = session.reading(), session.spec()
    if now.answer is None:
        st.html(figures.reading_card(None, None, network.shape))
    elif guess.covered():
        st.html(figures.reading_card(now.answer.trace.image, None, network.shape))
        _status(now.answer)
    else:
        trace = now.answer.trace
        limit = session.model().card["unsure_below"]
        st.html(
            figures.reading_card(
                trace.image,
                trace.scores[-1],
                trace.shape,
                limit,
                pad.advice(),
                now.answer.judged,
                network.data.name,
            )
        )
        _status(now.answer)


def _as_trained() -> None:
    """A way back to the routing iterations of training, where there are others."""
    now, trained = session.iterations(), session.trained()
    if now != trained:
        st.button(
            say("frame.asTrained", now=now, trained=trained),
            key="trained",
            on_click=session.set_iterations,
            args=(trained,),
            **prepared.sign("iterations", ":material/restart_alt:"),
        )


def _status(now: session.Answer) -> None:
    """One line under the answer: where and how fast it was computed."""
    model, count = session.model(), len(now.trace.scores)
    which = "computed" if count == model.shape.trained else "routed"
    line = say(
        f"frame.{which}",
        device=say(f"frame.device.{model.device}"),
        milliseconds=number(now.milliseconds, 1),
        now=count,
        trained=model.shape.trained,
    )
    st.html(f'<p class="cv-device" data-testid="device" title="{say("frame.computedTip")}">{line}</p>')
    if model.notice:
        st.warning(model.notice.partition(":")[0] + ".")  # what follows is for who runs the server
