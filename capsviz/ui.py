"""The frame around every page, and what lasts from one run of the script to the next.

With ``ui_routing`` and ``ui_pose`` the package's only import of Streamlit. PyTorch is imported only once the frame stands, so that a
person sees the page while it loads.
"""

import base64
import gc
import html
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from PIL import Image

from capsviz import figures
from capsviz.errors import CapsvizError
from capsviz.examples import EXAMPLES, Example, render
from capsviz.surgery import MOST_ITERATIONS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from capsviz.inference import Model
    from capsviz.trace import RoutingTrace

PAD = 280  # side of the canvas, CSS pixels
HISTORY = 30  # drawings that undo can go back through
FILLED = 3.5  # a drawing not as many times as large as its pen is wide has hardly a hole left
INK = "#ffffff"

# Keys of the session's state. Streamlit deletes a widget's value when its page is left, so what must
# last is kept under keys of its own.
HISTORY_KEY = "drawings"  # list[Drawing], the current one last
CANVAS_KEY = "canvas"  # the canvas component
INITIAL_KEY = "canvas_initial"  # what the canvas was last told to show
READING_KEY = "reading"  # Reading of the current drawing
PROBLEM_KEY = "problem"  # one sentence about a file or a link that could not be used
UPLOAD_KEY = "upload"
UPLOADS_KEY = "uploads"  # files taken so far; part of the uploader's key, which empties it
WIDTH_KEY = "stroke_width"
ITERATIONS_KEY = "iterations"  # routing iterations R of every reading
ITERATIONS = figures.TRAINED
ADDRESS_ITERATIONS = "R"  # their name in the address bar

# A faint word in the canvas as long as nothing is drawn, and below an example.
HINT = """<style>.st-key-canvas::after {
    content: "draw a digit"; position: absolute; inset: 0; display: grid; place-content: center;
    color: #8b8f96; font-size: 20px; pointer-events: none; z-index: 30;
}</style>"""
EXAMPLE_HINT = """<style>.st-key-canvas::after {
    content: "an example: Clear, then draw"; position: absolute; inset: auto 0 4px; text-align: center;
    color: #b9bec6; font-size: 16px; pointer-events: none; z-index: 30;
}</style>"""
# The canvas's own toolbar would open over the navigation, and doubles undo and clear; it stands in a shadow
# root, which a style sheet of the page does not reach.
HIDE_TOOLBAR = """<script>
(function hide() {
    const host = [...document.querySelectorAll(".st-key-canvas *")].find((element) => element.shadowRoot);
    if (!host) return requestAnimationFrame(hide);
    const style = document.createElement("style");
    style.textContent = ".dc-toolbar { display: none !important; }";
    host.shadowRoot.append(style);
})();
</script>"""
LOADING = '<div class="cv-waiting">The network is being loaded: a few seconds, once.</div>'
NO_HINT = "<style>.st-key-canvas::after { content: none; }</style>"


@dataclass(frozen=True, eq=False)
class Drawing:
    """What is on the canvas: pixels for the network, and objects for the canvas to show again."""

    pixels: np.ndarray
    ink: str  # of the pixels, as canvas_to_mnist takes it
    objects: list[dict[str, Any]]  # in the canvas's own format (Fabric.js)
    example: bool = False  # shown untouched
    over_example: bool = False  # drawn on top of one


@dataclass(frozen=True, eq=False)
class Reading:
    """The network's answer to one drawing, or why there is none."""

    drawing: Drawing
    iterations: int
    trace: "RoutingTrace | None" = None
    reconstructions: np.ndarray | None = None  # [R, 10, 28, 28]
    milliseconds: float = 0.0  # for the trace alone
    problem: str = ""
    # [10] lengths with the routing iterations of training, which the limit for unsure is for; None if the trace has as many.
    judged: np.ndarray | None = None


@st.cache_resource(show_spinner=False)
def model() -> "Model":
    """The one model that all sessions share."""
    from capsviz.devices import keep_large_blocks
    from capsviz.inference import load_model

    keep_large_blocks()
    loaded = load_model(device=os.environ.get("CAPSVIZ_DEVICE", "auto"))
    # Streamlit collects garbage after every run of a script, which with all of PyTorch's objects to look at
    # takes an eighth of a second, before the answer is sent. What is loaded now is never garbage.
    gc.collect()
    gc.freeze()
    return loaded


def reading() -> Reading:
    """The reading of the current drawing; every page works from this one."""
    current: Reading = st.session_state[READING_KEY]
    return current


def answered() -> tuple["RoutingTrace", np.ndarray]:
    """Trace and reconstructions [R, 10, 28, 28] of the current drawing; without one, say so and end the page."""
    now = reading()
    if now.trace is None or now.reconstructions is None:
        st.html(f'<div class="cv-waiting" data-testid="waiting">{html.escape(now.problem)}</div>')
        st.stop()
    return now.trace, now.reconstructions


def network() -> "Model":
    """The model, for a page that can do without a drawing; without weights, say so and end the page."""
    try:
        return model()
    except CapsvizError as error:
        st.html(f'<div class="cv-waiting" data-testid="waiting">{html.escape(str(error))}</div>')
        st.stop()


@contextmanager
def frame() -> Iterator[None]:
    """Draw the pad rail on the left of the page; the page itself is drawn inside the ``with``."""
    st.html(figures.STYLE)
    st.html(Path(__file__).with_name("frame.css"))
    if HISTORY_KEY not in st.session_state:
        st.session_state[HISTORY_KEY] = []
        _show_example(EXAMPLES[0])
    _read_address()
    with st.container(horizontal=True, key="frame", gap="large"):
        rail = st.container(width=PAD, key="rail", gap="small")
        page = st.container(key="page")
        waiting = page.empty()
        if "torch" not in sys.modules:  # only the first visitor of a fresh server waits
            waiting.html(LOADING)
        with rail:
            _pad()
        waiting.empty()
        with page:
            problem = st.session_state.pop(PROBLEM_KEY, "")
            if problem:
                st.error(problem, icon=":material/error:")
            yield


def question(text: str, *doors: tuple[str, str]) -> None:
    """The one-line question that the page answers, and doors (page, label) to where more is said."""
    with st.container(horizontal=True, vertical_alignment="center", key="question"):
        st.html(f'<h1 class="cv-question">{text}</h1>')
        for page, label in doors:
            st.page_link(page, label=label, icon=":material/arrow_forward:", icon_position="right")


def heading(text: str) -> None:
    """The heading of one view on a page."""
    st.html(f'<h2 class="cv-heading">{text}</h2>')


@st.cache_resource(show_spinner=False, max_entries=1)
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
    st.query_params[ADDRESS_ITERATIONS] = str(count)


def _read_address() -> None:
    """A link may say with how many routing iterations to open."""
    asked = st.query_params.get(ADDRESS_ITERATIONS)
    if asked is None:
        return
    if asked.isdecimal() and 1 <= int(asked) <= MOST_ITERATIONS:
        st.session_state[ITERATIONS_KEY] = int(asked)
        return
    st.session_state[PROBLEM_KEY] = (
        f"The link asks for R = {asked[:20]} routing iterations: choose 1 to {MOST_ITERATIONS}; "
        f"shown with {iterations()}."
    )
    del st.query_params[ADDRESS_ITERATIONS]


def _pad() -> None:
    # Its component can only be declared while an app runs; imported at the top, this module could not be
    # imported anywhere else.
    from streamlit_drawable_canvas import st_canvas

    st_canvas(
        stroke_width=st.session_state.get(WIDTH_KEY, 18),
        stroke_color=INK,
        background_color="#000000",
        width=PAD,
        height=PAD,
        initial_drawing=st.session_state[INITIAL_KEY],
        return_image_data=True,
        key=CANVAS_KEY,
        on_change=_drawn,
    )
    now: Drawing = st.session_state[HISTORY_KEY][-1]
    st.html(EXAMPLE_HINT if now.example else NO_HINT if now.objects else HINT)
    # Without help: its tooltips would lie over the canvas, in the pen's way.
    with st.container(horizontal=True, gap="xsmall", key="tools"):
        st.button(
            "Undo",
            icon=":material/undo:",
            key="undo",
            on_click=_undo,
            disabled=len(st.session_state[HISTORY_KEY]) < 2,
        )
        st.button("Clear", icon=":material/delete:", key="clear", on_click=_clear)
        st.menu_button(
            "Examples",
            [example.name for example in EXAMPLES],
            key="example",
            on_click=_choose_example,
        )
    with st.container(horizontal=True, gap="xsmall", key="inputs"):
        st.slider("Stroke width", 6, 30, 18, key=WIDTH_KEY, persist_state="session")
        taken = st.session_state.get(UPLOADS_KEY, 0)
        # Another key is another popover: a closed one, out of the picture's way.
        with st.popover("Image", icon=":material/upload:", key=f"image{taken}"):
            st.file_uploader(
                "PNG, JPEG or WebP, or a photo, of one digit",
                type=["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"],
                key=f"{UPLOAD_KEY}{taken}",
                on_change=_upload,
            )
    read = _read()
    if read.trace is None:
        st.html(figures.reading_card(None, None))
    else:
        st.html(
            figures.reading_card(
                read.trace.image,
                read.trace.lengths[-1],
                model().card["unsure_below"],
                _advice(read.drawing),
                read.judged,
            )
        )
    _status(read)
    st.html(HIDE_TOOLBAR, unsafe_allow_javascript=True)


def _advice(drawing: Drawing) -> str:
    """What to do about a drawing on an example, or so small that its own lines fill it; "" about any other."""
    if drawing.over_example:
        return "Drawn on top of the example: Clear begins a drawing of your own."
    widths = [shape["strokeWidth"] for shape in drawing.objects if shape["type"] == "Path"]
    places = np.argwhere(drawing.pixels)
    if not widths or not len(places) or np.ptp(places, axis=0).max() >= FILLED * max(widths):
        return ""
    return "Small for so wide a pen: draw it larger, or with a smaller stroke width."


def _status(now: Reading) -> None:
    """One line under the answer: where and how fast it was computed."""
    if now.trace is None:
        return  # the page says what to do
    device = {"cpu": "the CPU", "cuda": "the GPU (CUDA)", "mps": "the GPU (MPS)"}[model().device]
    routed = "" if now.iterations == ITERATIONS else f", R = {now.iterations} (trained with {ITERATIONS})"
    st.html(
        '<p class="cv-device" data-testid="device" title="The trace of this image: encoding and routing, without '
        f'preparing the canvas or drawing the page">Computed on {device} in {now.milliseconds:.1f} ms{routed}</p>'
    )
    if model().notice:
        st.warning(model().notice)


def _read() -> Reading:
    """The current drawing's reading, computed once for each drawing and number of iterations."""
    drawing: Drawing = st.session_state[HISTORY_KEY][-1]
    known: Reading | None = st.session_state.get(READING_KEY)
    if known is None or known.drawing is not drawing or known.iterations != iterations():
        known = _compute(drawing, iterations())
        st.session_state[READING_KEY] = known
    return known


def _compute(drawing: Drawing, count: int) -> Reading:
    from capsviz.preprocess import canvas_to_mnist

    try:
        image = canvas_to_mnist(drawing.pixels, drawing.ink)
        network = model()
        began = time.perf_counter()
        trace = network.trace(image, count)
        milliseconds = 1000 * (time.perf_counter() - began)
        judged = None
        if count > ITERATIONS:  # training's iterations are the first of these
            judged = trace.lengths[ITERATIONS - 1]
        elif count < ITERATIONS:
            judged = network.predict(image[None])[0]
        return Reading(drawing, count, trace, network.reconstructions(trace), milliseconds, judged=judged)
    except CapsvizError as error:
        return Reading(drawing, count, problem=str(error))
    except RuntimeError as error:  # what PyTorch raises when a device or a library of it fails
        return Reading(drawing, count, problem=failure(error))


def failure(error: RuntimeError) -> str:
    """One sentence about a device that failed while it computed."""
    reason = str(error).partition("\n")[0]
    return (
        f"The network could not compute this drawing ({reason}): draw again, and if that does not "
        "help, start the app again."
    )


def _push(drawing: Drawing) -> None:
    history = st.session_state[HISTORY_KEY]
    history.append(drawing)
    del history[:-HISTORY]


def _show(objects: list[dict[str, Any]]) -> None:
    """Have the canvas show ``objects``; it confirms them as if they had just been drawn."""
    revision = st.session_state.get(INITIAL_KEY, {}).get("revision", 0) + 1
    # An invisible object carries the revision: it makes two showings of the same objects differ (the
    # canvas acts on a change only), and it comes back in every message, which so tells what it follows.
    tag = {"type": "Rect", "width": revision, "height": 0, "visible": False}
    st.session_state[INITIAL_KEY] = {"objects": [tag, *objects], "revision": revision}


def _drawn() -> None:
    """The canvas changed, by a stroke or because it was told to."""
    sent, told = st.session_state[CANVAS_KEY]["drawing"], st.session_state[INITIAL_KEY]
    objects = sent["raw"]["objects"]
    follows = objects[0].get("width") if objects else None
    if follows != told["revision"] or len(objects) <= len(told["objects"]):
        # Sent before the canvas heard of its new content, or only to confirm it. Without this, a quick
        # second click on undo would bring back what the first one took away.
        return
    _, encoded = sent["data"].split(",", 1)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("L"))
    before: Drawing = st.session_state[HISTORY_KEY][-1]
    _push(Drawing(pixels, "light", objects[1:], over_example=before.example or before.over_example))


def _undo() -> None:
    history = st.session_state[HISTORY_KEY]
    if len(history) > 1:
        history.pop()
        _show(history[-1].objects)


def _clear() -> None:
    _push(Drawing(np.zeros((PAD, PAD), np.uint8), "light", []))
    _show([])


def _choose_example() -> None:
    chosen = st.session_state["example"]
    _show_example(next(example for example in EXAMPLES if example.name == chosen))


def _show_example(example: Example) -> None:
    objects = [_path(stroke, example.width * PAD) for stroke in example.strokes]
    _push(Drawing(render(example.strokes, example.width, PAD), "light", objects, example=True))
    _show(objects)


def _path(stroke: Any, width: float) -> dict[str, Any]:
    """A stroke in 0..1 as the canvas keeps one."""
    (x, y), *rest = [(round(PAD * x, 2), round(PAD * y, 2)) for x, y in stroke]
    return {
        "type": "Path",
        "path": [["M", x, y], *(["L", *point] for point in rest)],
        "fill": None,
        "stroke": INK,
        "strokeWidth": round(width, 2),
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
    }


def _upload() -> None:
    from capsviz.images import read_image
    from capsviz.preprocess import canvas_to_mnist

    taken = st.session_state.get(UPLOADS_KEY, 0)
    file = st.session_state[f"{UPLOAD_KEY}{taken}"]
    if file is None:
        return
    st.session_state[UPLOADS_KEY] = taken + 1
    try:
        pixels = read_image(file.getvalue())
        seen = canvas_to_mnist(pixels)
    except CapsvizError as error:
        st.session_state[PROBLEM_KEY] = f"`{file.name.replace('`', '')}`: {error}"
        return
    objects = [_picture(seen)]
    _push(Drawing(pixels, "auto", objects))
    _show(objects)


def _picture(image: np.ndarray) -> dict[str, Any]:
    """An image in 0..1 as an object that fills the canvas."""
    return {
        "type": "Image",
        "src": figures.theme.data_uri(figures.theme.ink(image)),
        "originX": "left",
        "originY": "top",
        "left": 0,
        "top": 0,
        "scaleX": PAD / image.shape[1],
        "scaleY": PAD / image.shape[0],
    }
