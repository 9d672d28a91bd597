"""The Routing page's two live views in Streamlit, and what they send back."""

from typing import Any

import numpy as np
import streamlit as st

from capsviz import ui
from capsviz.errors import CapsvizError
from capsviz.examples import EXAMPLES, render
from capsviz.figures import routing_payload, surgery_payload
from capsviz.figures.packing import browser_assets
from capsviz.figures.routing import ROUTING_SCRIPTS, SURGERY_SCRIPTS
from capsviz.surgery import Routing, carried_over, reroute, silence
from capsviz.trace import RoutingTrace

EXPLORER_KEY = "routing"  # the component; its state: "iterations", as chosen there
SURGERY_KEY = "surgery"  # the component; its state: "operation", as surgery.js makes it
PAYLOAD_KEY = "routing_payload"  # (Reading, bytes) of the drawing shown last
CARRIED = "carried"  # the experiment that does not reset b

_script, _style = browser_assets(ROUTING_SCRIPTS)
_explorer = st.components.v2.component("capsviz_routing", js=_script, css=_style)
_script, _style = browser_assets(SURGERY_SCRIPTS)
_surgery = st.components.v2.component("capsviz_surgery", js=_script, css=_style)


def explorer(trace: RoutingTrace, reconstructions: np.ndarray) -> None:
    """Routing of the current drawing, step by step, every view on one clock."""
    now, (known, payload) = ui.reading(), st.session_state.get(PAYLOAD_KEY, (None, b""))
    if known is not now:
        payload = routing_payload(trace, reconstructions)
        st.session_state[PAYLOAD_KEY] = (now, payload)
    _explorer(key=EXPLORER_KEY, data=payload, on_iterations_change=_iterations_chosen)


def _iterations_chosen() -> None:
    ui.set_iterations(st.session_state[EXPLORER_KEY]["iterations"])


@st.fragment
def surgery() -> None:
    """Experiments on the routing of the current drawing; only this part runs again for one."""
    operation = dict(st.session_state.get(SURGERY_KEY, {}).get("operation") or {})
    now = ui.reading()
    if now.trace is None or now.reconstructions is None:
        return  # the page has been left, or says what to do
    try:
        after = _operate(now.trace, operation)
        problem = ""
    except CapsvizError as error:
        after, problem = reroute(now.trace.u_hat, now.iterations), str(error)
    digit, before = int(after.lengths.argmax()), now.reconstructions[-1, now.trace.prediction]
    try:
        # What the network drew of the same pose stays: drawn again, a grey level might be rounded the other way.
        same = digit == now.trace.prediction and np.allclose(after.v[-1], now.trace.v[-1], rtol=0, atol=1e-5)
        redrawn = before if same else ui.model().decode(after.v[-1, digit], digit)
    except RuntimeError as error:  # what PyTorch raises when a device fails
        redrawn, problem = np.zeros((28, 28)), ui.failure(error)
    data = surgery_payload(now.trace, before, after, redrawn)
    data |= {
        "operation": operation,
        "answers": operation.get("number", 0),
        "problem": problem,
        "examples": [example.name for example in EXAMPLES],
    }
    _surgery(key=SURGERY_KEY, data=data, on_operation_change=lambda: None)


def _operate(trace: RoutingTrace, operation: dict[str, Any]) -> Routing:
    """The experiment that was asked for; without any, routing as it was.

    Raises:
        CapsvizError: if there is no such experiment, example, type or place.
    """
    iterations = operation.get("iterations") or trace.iterations
    coupling = operation.get("coupling", "routing")
    start = None
    if coupling == CARRIED:
        coupling, start = "routing", _left_behind(operation.get("example"), iterations)
    return reroute(
        trace.u_hat,
        iterations,
        coupling,
        seed=operation.get("seed", 0),
        start=start,
        silenced=silence(
            len(trace.u_hat), tuple(operation.get("types", ())), tuple(operation.get("places", ()))
        ),
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _left_behind(name: str | None, iterations: int) -> np.ndarray:
    """The logits that routing an example leaves behind, [1152, 10]."""
    from capsviz.preprocess import canvas_to_mnist

    example = next((example for example in EXAMPLES if example.name == name), None)
    if example is None:
        raise CapsvizError(f"There is no example {name!r} to take b from.")
    image = canvas_to_mnist(render(example.strokes, example.width, ui.PAD), "light")
    u_hat = ui.model().trace(image, 1).u_hat
    return carried_over(reroute(u_hat, iterations), u_hat)
