"""The frame around every page, and what lasts from one run of the script to the next.

With ``ui_routing`` and ``ui_pose`` the package's only import of Streamlit. PyTorch is imported only once the frame stands, so that a
person sees the page while it loads.
"""

import gc
import html
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from capsviz import figures
from capsviz.app import pad as ui_pad
from capsviz.app.pad import PROBLEM_KEY
from capsviz.checks import whole_of_text
from capsviz.errors import CapsvizError, MessageError
from capsviz.inputs.drawings import PAD, Drawing
from capsviz.inputs.preprocess import FIELD
from capsviz.traces.surgery import MOST_ITERATIONS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from capsviz.models.model import Model
    from capsviz.traces.routing import RoutingTrace

PAGES, DOCS = (Path(__file__).resolve().parents[2] / folder for folder in ("pages", "docs"))

# Keys of the session's state. Streamlit deletes a widget's value when its page is left, so what must
# last is kept under keys of its own.
SEEN_KEY = "seen"  # Seen: what the network is to see of the current drawing
ITERATIONS_KEY = "iterations"  # routing iterations R of every reading
ITERATIONS = figures.TRAINED
ADDRESS_ITERATIONS = "R"  # their name in the address bar
SAID_KEY = "problem_said"  # (sentence, when it was first shown) of PROBLEM_KEY
LASTS = 2.0  # seconds
ANSWERS = 24  # traces that are kept for all sessions together, some 1.6 MB each

LOADING = '<div class="cv-waiting">The network is being loaded: a few seconds, once.</div>'


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network is to see of a drawing, or why there is nothing to be seen."""

    drawing: Drawing
    image: np.ndarray | None = None  # [28, 28] in 0..1
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Answer:
    """What the network makes of one image; the same for every session that asks."""

    trace: "RoutingTrace"
    reconstructions: np.ndarray  # [R, 10, 28, 28]
    milliseconds: float  # for the trace alone
    # [10] lengths with the routing iterations of training, which the limit for unsure is for; None if the trace has as many.
    judged: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Reading:
    """The network's answer to one drawing, or why there is none."""

    drawing: Drawing
    iterations: int
    answer: Answer | None = None
    problem: str = ""

    @property
    def trace(self) -> "RoutingTrace | None":
        """The answer's trace."""
        return None if self.answer is None else self.answer.trace

    @property
    def reconstructions(self) -> np.ndarray | None:
        """[R, 10, 28, 28] the answer's reconstructions."""
        return None if self.answer is None else self.answer.reconstructions


_loading = threading.Lock()


def model() -> "Model":
    """The one model that all sessions share."""
    with _loading:  # two first visitors wait for one model
        return _load()


# What all sessions share is kept here and not by Streamlit, whose caches any visitor's message can empty for all.


@cache
def _load() -> "Model":
    from capsviz.models.devices import Workers, keep_large_blocks
    from capsviz.models.model import load_model

    keep_large_blocks()
    loaded = load_model(device=os.environ.get("CAPSVIZ_DEVICE", "auto"), workers=Workers())
    # Streamlit collects garbage after every run of a script, which with all of PyTorch's objects to look at
    # takes an eighth of a second, before the answer is sent. What is loaded now is never garbage.
    gc.collect()
    gc.freeze()
    return loaded


def reading() -> Reading:
    """The reading of the current drawing; every page works from this one.

    A session keeps what is to be seen, a few kilobytes. The answer, a thousand times as large, is kept for all sessions
    together, and computed again if others have taken its place.
    """
    now, count = _seen(), iterations()
    if now.image is None:
        return Reading(now.drawing, count, problem=now.problem)
    try:
        return Reading(now.drawing, count, _answer(now.image.tobytes(), count))
    except CapsvizError as error:
        return Reading(now.drawing, count, problem=without_network(error))
    except RuntimeError as error:  # what PyTorch raises when a device or a library of it fails
        return Reading(now.drawing, count, problem=failure(error))


def answered() -> tuple["RoutingTrace", np.ndarray]:
    """Trace and reconstructions [R, 10, 28, 28] of the current drawing; without one, say so and end the page."""
    now = reading()
    if now.answer is None:
        st.html(f'<div class="cv-waiting" data-testid="waiting">{html.escape(now.problem)}</div>')
        st.stop()
    return now.answer.trace, now.answer.reconstructions


def network() -> "Model":
    """The model, for a page that can do without a drawing; without weights, say so and end the page."""
    try:
        return model()
    except CapsvizError as error:
        st.html(f'<div class="cv-waiting" data-testid="waiting">{html.escape(without_network(error))}</div>')
        st.stop()


@contextmanager
def frame() -> Iterator[None]:
    """Draw the pad rail on the left of the page; the page itself is drawn inside the ``with``."""
    st.html(figures.STYLE)
    st.html(Path(__file__).with_name("frame.css"))
    first = ui_pad.begin()
    _read_address()
    with st.container(horizontal=True, key="frame", gap="large"):
        rail = st.container(width=PAD, key="rail", gap="small")
        page = st.container(key="page")
        waiting = page.empty()
        if "torch" not in sys.modules:  # only the first visitor of a fresh server waits
            waiting.html(LOADING)
        with rail:
            ui_pad.pad(first)
            _card()
        waiting.empty()
        with page:
            problem = _problem()
            if problem:
                with st.container(key="problem"):
                    st.error(problem, icon=":material/error:")
            yield


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


def question(text: str, *doors: tuple[str, str]) -> None:
    """The one-line question that the page answers, and doors (name of the page, label) to where more is said."""
    with st.container(horizontal=True, vertical_alignment="center", key="question"):
        st.html(f'<h1 class="cv-question">{text}</h1>')
        for page, label in doors:
            st.page_link(
                PAGES / f"{page}.py", label=label, icon=":material/arrow_forward:", icon_position="right"
            )


def heading(text: str) -> None:
    """The heading of one view on a page."""
    st.html(f'<h2 class="cv-heading">{text}</h2>')


@lru_cache(maxsize=1)
def evaluation_charts(evaluation: str) -> dict[str, "go.Figure"]:
    """The figures of an evaluation, given as JSON: drawn once, not at every stroke of a pen."""
    return figures.evaluation_figures(json.loads(evaluation))


def chart(figure: "go.Figure", key: str, title: str) -> None:
    """A Plotly figure with a name and a table of its numbers, without the tools that float over it."""
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=figures.chart_words(figure, title))
    script = Path(__file__).with_name("frame.js").read_text("utf-8")
    st.html(f"{figures.chart_table(figure, title)}<script>{script}</script>", unsafe_allow_javascript=True)


def iterations() -> int:
    """Routing iterations R of every reading, 1 to 10."""
    chosen: int = st.session_state.get(ITERATIONS_KEY, ITERATIONS)
    return chosen


def set_iterations(count: int) -> None:
    """Read every drawing with ``count`` routing iterations from now on, and say so in the address bar."""
    st.session_state[ITERATIONS_KEY] = count
    st.session_state.pop(PROBLEM_KEY, None)
    st.query_params[ADDRESS_ITERATIONS] = str(count)


def _read_address() -> None:
    """A link may say with how many routing iterations to open; an address says it where it is not as in training."""
    asked = st.query_params.get(ADDRESS_ITERATIONS)
    if asked is None:
        if iterations() != ITERATIONS:
            st.query_params[ADDRESS_ITERATIONS] = str(iterations())
        return
    try:
        st.session_state[ITERATIONS_KEY] = whole_of_text(asked, 1, MOST_ITERATIONS, "Routing iterations R")
    except MessageError as error:
        st.session_state[PROBLEM_KEY] = f"The link: {error} Shown with {iterations()}."
        del st.query_params[ADDRESS_ITERATIONS]


def _card() -> None:
    """The answer, below the pad."""
    now = reading()
    if now.answer is None:
        st.html(figures.reading_card(None, None))
    else:
        trace = now.answer.trace
        limit = model().card["unsure_below"]
        st.html(
            figures.reading_card(trace.image, trace.lengths[-1], limit, ui_pad.advice(), now.answer.judged)
        )
        _status(now.answer)
    if iterations() != ITERATIONS:
        st.button(
            f"R = {iterations()}: back to {ITERATIONS}, as trained",
            key="trained",
            icon=":material/restart_alt:",
            on_click=set_iterations,
            args=(ITERATIONS,),
        )


def _status(now: Answer) -> None:
    """One line under the answer: where and how fast it was computed."""
    device = {"cpu": "the CPU", "cuda": "the GPU (CUDA)", "mps": "the GPU (MPS)"}[model().device]
    count = now.trace.iterations
    routed = "" if count == ITERATIONS else f", R = {count} (trained with {ITERATIONS})"
    st.html(
        '<p class="cv-device" data-testid="device" title="The trace of this image: encoding and routing, without '
        f'preparing the canvas or drawing the page">Computed on {device} in {now.milliseconds:.1f} ms{routed}</p>'
    )
    if model().notice:
        st.warning(model().notice.partition(":")[0] + ".")  # what follows is for who runs the server


def _seen() -> Seen:
    """What is to be seen of the current drawing, made out once for each."""
    drawing = ui_pad.current()
    known: Seen | None = st.session_state.get(SEEN_KEY)
    if known is None or known.drawing is not drawing:
        try:
            known = Seen(drawing, drawing.image())
        except CapsvizError as error:
            known = Seen(drawing, problem=str(error))
        st.session_state[SEEN_KEY] = known
    return known


@lru_cache(maxsize=ANSWERS)
def _answer(image: bytes, count: int) -> Answer:
    pixels = np.frombuffer(image, np.float32).reshape(FIELD, FIELD)
    network = model()
    began = time.perf_counter()
    trace = network.trace(pixels, count)
    milliseconds = 1000 * (time.perf_counter() - began)
    judged = None
    if count > ITERATIONS:  # training's iterations are the first of these
        judged = trace.lengths[ITERATIONS - 1]
    elif count < ITERATIONS:
        judged = network.predict(pixels[None])[0]
    return Answer(trace, network.reconstructions(trace), milliseconds, judged)


def without_network(error: CapsvizError) -> str:
    """One sentence about a network that cannot be loaded; what can be done about it is for who runs the server."""
    print(f"capsviz: {error}", file=sys.stderr, flush=True)
    return "The network on this server cannot be loaded: whoever runs it finds in its log what is wrong and what to do."


def failure(error: RuntimeError) -> str:
    """One sentence about a device that failed while it computed."""
    reason = str(error).partition("\n")[0]
    return (
        f"The network could not compute this drawing ({reason}): draw again, and if that does not help, tell whoever "
        "runs this server to start it again."
    )
