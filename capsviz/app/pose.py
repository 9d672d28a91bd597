"""The Pose page's live view in Streamlit, and what it asks of Python."""

import base64
from contextlib import suppress
from typing import Any

import numpy as np
import streamlit as st

from capsviz import figures
from capsviz.app import messages
from capsviz.app import session as ui
from capsviz.app.messages import MorphGif
from capsviz.errors import CapsvizError, MessageError
from capsviz.figures import decoder_payload, pose_payload
from capsviz.figures.bundle import browser_assets
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.measures.poses import PoseMeasurements, load_poses
from capsviz.measures.sweeps import gif, morph, sweep
from capsviz.traces.routing import RoutingTrace

POSE_KEY = "pose"  # the component; its state: "gif" (a request), "unsupported" (messages.LATE)
DECODER_KEY = "decoder"  # the component that keeps the decoder in the browser; its state: "stored"
STORED_KEY = "decoder_stored"  # name of the weights that the browser has
PLAIN_KEY = "plain_sliders"
REASON_KEY = "unsupported"  # why the browser cannot decode, in words; outlasts the component that said so
ASKED_KEY = "gif_asked"  # a request for a GIF that nobody has looked at yet
GIF_STEPS = 25

_script, _style = browser_assets("pose", "pose")
_pose = st.components.v2.component("capsviz_pose", js=_script, css=_style)
_script, _ = browser_assets("store")
_decoder = st.components.v2.component("capsviz_decoder", js=_script)


def sliders(trace: RoutingTrace, reconstruction: np.ndarray) -> None:
    """Sixteen sliders on the current drawing's digit capsules, decoded in the browser.

    Args:
        trace: of the drawing.
        reconstruction: [28, 28] in 0..1, of its longest capsule.
    """
    name = ui.model().sha256[:16]
    plain = st.session_state.get(PLAIN_KEY, False)
    if plain:
        _plain_sliders(trace, st.session_state.get(REASON_KEY, ""))
    else:
        _live_sliders(trace, reconstruction, name)
    st.toggle(
        "Plain sliders, decoded on the server",
        key=PLAIN_KEY,
        on_change=_toggled,
        persist_state="session",
        help="For a browser in which the live ones do not work: they answer when they are let go.",
    )
    if not plain and st.session_state.get(STORED_KEY) != name:
        # Last: on a slow line all that stands above is seen while it comes.
        _decoder(key=DECODER_KEY, data=_decoder_bytes(name), on_stored_change=_stored, height=1)


def _toggled() -> None:
    st.session_state.pop(REASON_KEY, None)  # whoever asks for the live ones again has them try again


def _stored() -> None:
    with suppress(MessageError):  # then it is sent again
        said = st.session_state[DECODER_KEY].get("stored")
        st.session_state[STORED_KEY] = messages.stored(said, ui.model().sha256[:16])


def _unsupported() -> None:
    with suppress(MessageError):  # then the live ones stay
        reason = messages.unsupported(st.session_state[POSE_KEY].get("unsupported"))
        st.session_state[REASON_KEY], st.session_state[PLAIN_KEY] = reason, True


def _gif_asked() -> None:
    st.session_state[ASKED_KEY] = st.session_state[POSE_KEY].get("gif")


@st.cache_data(max_entries=2, show_spinner=False)
def _decoder_bytes(name: str) -> bytes:
    return decoder_payload(ui.model().decoder_layers(), name)


@st.fragment
def _live_sliders(trace: RoutingTrace, reconstruction: np.ndarray, name: str) -> None:
    if st.session_state.get(PLAIN_KEY):
        st.rerun()  # of the whole page, which then shows the plain sliders
    sha256 = ui.model().sha256
    data = pose_payload(trace, reconstruction, _example(sha256, trace.prediction), _measured(sha256), name)
    asked = st.session_state.pop(ASKED_KEY, None)
    data["gif"] = None if asked is None else _gif(asked)
    data["megabytes"] = len(_decoder_bytes(name)) / 1e6
    _pose(key=POSE_KEY, data=data, on_gif_change=_gif_asked, on_unsupported_change=_unsupported)


def _gif(asked: object) -> dict[str, Any]:
    """The GIF that the browser asked for, or one sentence about why there is none."""
    try:
        request = messages.gif_request(asked, ui.model().shape)
        if isinstance(request, MorphGif):
            answer: dict[str, Any] = {"number": request.number, "kind": "morph"}
            images = morph(ui.model(), *request.poses, request.digits, GIF_STEPS)
        else:
            answer = {"number": request.number, "kind": "sweep", "dimension": request.dimension}
            rows = sweep(ui.model(), request.pose, request.digit, request.span, GIF_STEPS)
            images = rows[request.dimension]
    except MessageError as error:
        return {"problem": str(error)}
    except RuntimeError as error:  # what PyTorch raises when a device fails
        return {"problem": ui.failure(error)}
    return answer | {"data": base64.b64encode(gif(images)).decode("ascii")}


@st.cache_data(max_entries=2, show_spinner=False)
def _measured(sha256: str) -> PoseMeasurements | None:
    """What each component was measured to do; None if nobody has measured these weights."""
    try:
        return load_poses(sha256=sha256)
    except CapsvizError:
        return None


@st.cache_data(max_entries=20, show_spinner=False)
def _example(sha256: str, prediction: int) -> dict[str, Any]:
    """Pose of an example to morph to: 0 to 5, 1 to 6, 2 to 7, 3 to 8 and 4 to 9, or back, which look alike."""
    digit = (prediction + 5) % 10
    example = next(example for example in EXAMPLES if example.digit == digit)
    trace = ui.model().trace(canvas_to_mnist(render(example.strokes, example.width)))
    return {"name": f"“{example.name}”", "digit": digit, "pose": trace.v[-1, digit].tolist()}


def _plain_sliders(trace: RoutingTrace, reason: str) -> None:
    """The same without the browser's help: Streamlit's sliders, which answer when they are let go."""
    if reason:
        st.warning(
            f"This browser cannot decode by itself ({reason}): these sliders answer when they are let go."
        )
    digit = trace.prediction
    measured = _measured(ui.model().sha256)
    drawing = hash(trace.v.tobytes())  # a new one starts at its own pose
    picture, columns = st.columns([2, 5], gap="large")
    halves = columns.columns(2)
    pose = []
    for dimension, origin in enumerate(trace.v[-1, digit].tolist()):
        low, high, label = origin, origin, str(dimension)
        if measured:
            known = measured.digits[digit].components[dimension]
            low, high, label = known.low, known.high, f"{dimension} {known.caption}"
        low, high, key = min(low, origin) - 0.1, max(high, origin) + 0.1, f"plain_{dimension}_{drawing}"
        pose.append(halves[dimension // 8].slider(label, low, high, origin, step=0.01, key=key))
    try:
        drawn = ui.model().decode(np.array(pose), digit)
    except RuntimeError as error:  # what PyTorch raises when a device fails
        picture.error(ui.failure(error))
        return
    picture.image(figures.theme.ink(drawn).repeat(12, axis=0).repeat(12, axis=1))
    picture.markdown(f"capsule {digit}, |v| = {np.linalg.norm(pose):.3f}")
