"""The Routing page's two live views in Streamlit, and what they send back."""

from dataclasses import asdict
from functools import lru_cache

import numpy as np
import streamlit as st

from capsviz.app import address, assets, experiments, measurements, pad, prepared, session
from capsviz.app.experiments import CARRIED, Operation
from capsviz.app.fetched import array_asset
from capsviz.app.follow import follows
from capsviz.errors import CapsvizError, MessageError, WeightsError
from capsviz.figures import routing_payload, surgery_payload
from capsviz.inputs.examples import EXAMPLES, Example, examples_for, render
from capsviz.measures.rules import row_of
from capsviz.models.card import routing_measured
from capsviz.models.weights import load_evaluation
from capsviz.texts import language, say
from capsviz.traces.base import CapsuleGrid
from capsviz.traces.routing import RoutingTrace
from capsviz.traces.rules import BIAS
from capsviz.traces.surgery import Routing, carried_over, reroute, silence

EXPLORER_KEY = "routing"  # the component; its state: "iterations", as chosen there
SURGERY_KEY = "surgery"  # the component; its state: "operation", as surgery.js makes it
TRANSFORMS_KEY = "transforms"  # the component that keeps W in the browser; its state: "stored"
STORED_KEY = "transforms_stored"  # name of the weights whose W the browser has
OPERATION_KEY = (
    "operation"  # (grid, Operation): the last that could be read, which outlasts the page and its component
)
PAYLOADS = 8  # that are kept for all sessions together, of up to 1.1 MB

_explorer = assets.component("capsviz_routing", "explorer")
_surgery = assets.component("capsviz_surgery", "surgery")
_transforms = assets.component("capsviz_transforms", "transforms")


def explorer() -> None:
    """Routing of the current drawing, step by step, every view on one clock."""
    now = session.reading()
    if now.answer is not None:
        payload = _payload(now.answer, stored(), language())
        _explorer(key=EXPLORER_KEY, data=payload, on_iterations_change=_iterations_chosen)


@lru_cache(maxsize=PAYLOADS)
def _payload(answer: session.Answer, transforms: str | None, spoken: str) -> bytes:
    assert answer.reconstructions is not None  # what is routed has poses
    return routing_payload(
        answer.trace,
        answer.reconstructions,
        transforms,
        measured=_measured(session.network(), _weights(), spoken),
        link=address.for_script("routing", answer.trace.shape, answer.trace.iterations),
    )


@lru_cache(maxsize=16)
def _measured(network: str, weights: str, spoken: str) -> str:
    """What routing changes of the answers of these weights, if that was measured."""
    try:
        return routing_measured(load_evaluation(network, session.model().card))
    except WeightsError:
        return ""


def transforms() -> None:
    """Once a session, after the first picture, which comes with its votes: W, to make all later votes of."""
    name = _weights()
    if st.session_state.get(STORED_KEY) != name:
        data = {"name": name, "address": array_asset("transforms", session.network()).address}
        _transforms(key=TRANSFORMS_KEY, data=data, on_stored_change=_stored, height=1)


def stored() -> str | None:
    """Name of the weights that answer, if the browser has their W."""
    return _weights() if st.session_state.get(STORED_KEY) == _weights() else None


def _weights() -> str:
    return session.model().sha256[:16]


def _iterations_chosen() -> None:
    try:
        session.set_iterations(
            experiments.routing_iterations(st.session_state[EXPLORER_KEY].get("iterations"))
        )
    except MessageError as error:
        st.session_state[pad.PROBLEM_KEY] = str(error)
    st.rerun()  # of the whole page


def _stored() -> None:
    st.session_state[STORED_KEY] = st.session_state[TRANSFORMS_KEY].get("stored")


@follows("surgery")
def surgery() -> None:
    """Experiments on the routing of the current drawing; only this part runs again for one."""
    now = session.reading()
    if now.trace is None or now.reconstructions is None:
        return  # the page has been left, or says what to do
    operation, problem = _asked(now.trace.grid)
    after, before = reroute(now.trace.u_hat, now.iterations), now.reconstructions[-1, now.trace.prediction]
    try:
        after = _operate(now.trace, operation)
        digit = int(after.lengths.argmax())
        # What the network drew of the same pose stays: drawn again, a grey level might be rounded the other way.
        same = digit == now.trace.prediction and np.allclose(after.v[-1], now.trace.v[-1], rtol=0, atol=1e-5)
        redrawn = before if same else session.model().decode(after.v[-1, digit], digit)
    except CapsvizError as error:  # of a mean that nobody has measured
        redrawn, problem = before, str(error)
    except RuntimeError as error:  # what PyTorch raises when a device fails
        redrawn, problem = np.zeros_like(before), session.failure(error)
    iterations = operation.iterations or now.iterations
    data = surgery_payload(
        now.trace,
        before,
        after,
        redrawn,
        measured=_measured(session.network(), _weights(), language()),
        rule=row_of(
            measurements.measured_of(session.network()).get("rules"),
            operation.coupling,
            operation.bias,
            iterations,
        ),
    )
    data |= {
        "operation": asdict(operation),
        "problem": problem,
        "examples": [example.name for example in _examples()],
        "exampleNames": {example.name: say(f"example.{example.name}") for example in _examples()},
        "texts": assets.words("surgery"),
    }
    _surgery(key=SURGERY_KEY, data=data, on_operation_change=lambda: None)


def _examples() -> tuple[Example, ...]:
    """The drawings whose b can be carried over."""
    return examples_for(session.spec().shape.kind)


def _asked(grid: CapsuleGrid) -> tuple[Operation, str]:
    """The experiment to show: the one just asked for or, if it cannot be read, the one before and why."""
    kept, last = st.session_state.get(OPERATION_KEY, (grid, Operation()))
    if kept != grid:
        last = Operation()  # of another network: its types and places are others
    linked = session.surgery_of_link()
    if isinstance(linked, Operation):
        last = linked
        st.session_state[OPERATION_KEY] = (grid, linked)
    sent = st.session_state.get(SURGERY_KEY, {}).get("operation")
    if sent is None or prepared.locked("surgery"):
        return last, ""
    try:
        asked = experiments.operation(sent, grid, [example.name for example in _examples()])
    except MessageError as error:
        return last, str(error)
    st.session_state[OPERATION_KEY] = (grid, asked)
    return asked, ""


def _operate(trace: RoutingTrace, operation: Operation) -> Routing:
    iterations = operation.iterations or trace.iterations
    coupling, start = operation.coupling, None
    if coupling == CARRIED:
        coupling, start = "routing", _left_behind(session.network(), operation.example, iterations)
    silenced = silence(trace.grid, operation.types, operation.places)
    return reroute(
        trace.u_hat,
        iterations,
        coupling,
        seed=operation.seed,
        start=start,
        silenced=silenced,
        mean=measurements.mean_coupling(session.network()) if coupling == "mean" else None,
        bias=BIAS if operation.bias else 0.0,
    )


@lru_cache(maxsize=64)
def _left_behind(network: str, name: str, iterations: int) -> np.ndarray:
    """The logits that routing an example leaves behind, [I, J]."""
    from capsviz.inputs.preprocess import canvas_to_mnist

    model = session.model()
    example = next(example for example in EXAMPLES if example.name == name)
    image = canvas_to_mnist(render(example.strokes, example.width), "light", model.shape.size)
    u_hat = model.trace(image, 1).u_hat
    return carried_over(reroute(u_hat, iterations), u_hat)
