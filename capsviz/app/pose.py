"""The Pose page's live view in Streamlit, and what it asks of Python."""

from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from capsviz import figures
from capsviz.app import address, assets, messages, session
from capsviz.app.fetched import array_asset
from capsviz.app.follow import follows
from capsviz.errors import CapsvizError, MessageError
from capsviz.figures import pose_payload
from capsviz.figures.pose import pose_unit
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.measures.poses import PoseMeasurements, describe, load_poses
from capsviz.texts import noun, say
from capsviz.texts.numbers import number
from capsviz.traces.base import LENGTH
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import RoutingTrace

POSE_KEY = "pose"  # the component; its state: "unsupported" (messages.LATE)
DECODER_KEY = "decoder"  # the component that keeps the decoder in the browser; its state: "stored"
STORED_KEY = "decoder_stored"  # names of the weights that the browser has
PLAIN_KEY = "plain_sliders"
REASON_KEY = "unsupported"  # why the browser cannot decode, in words; outlasts the component that said so
PLAIN_SIDE = 336  # pixels of the plain sliders' image, or as many as whole times its own are
PLAIN_MARGIN = 0.1  # units of a plain slider, beyond what training showed and the encoded value

_pose = assets.component("capsviz_pose", "pose")
_decoder = assets.component("capsviz_decoder", "store")


Posed = RoutingTrace | PlainTrace  # a trace with poses


def sliders(trace: Posed, reconstruction: np.ndarray) -> None:
    """A slider for each number of the poses of the current drawing, decoded in the browser.

    Args:
        trace: of the drawing.
        reconstruction: [S, S] in 0..1, of the pose of its answer.
    """
    name = session.model().sha256[:16]
    plain = st.session_state.get(PLAIN_KEY, False)
    if plain:
        _plain_sliders(trace, st.session_state.get(REASON_KEY, ""))
    else:
        _live_sliders(trace, reconstruction, name)
    st.toggle(
        say("pose.plain.toggle"),
        key=PLAIN_KEY,
        on_change=_toggled,
        persist_state="session",
        help=say("pose.plain.tip"),
    )
    if not plain and name not in st.session_state.get(STORED_KEY, ()):
        # Last: on a slow line all that stands above is seen while it comes.
        data = {"name": name, "address": array_asset("decoder", session.network()).address}
        _decoder(key=DECODER_KEY, data=data, on_stored_change=_stored, height=1)


def plain() -> bool:
    """Whether Streamlit's sliders stand there, without the browser's help."""
    return bool(st.session_state.get(PLAIN_KEY))


def _toggled() -> None:
    st.session_state.pop(REASON_KEY, None)  # whoever asks for the live ones again has them try again
    st.rerun()  # of the whole page: what can be exported is another


def _stored() -> None:
    with suppress(MessageError):  # then it is sent again
        name = messages.stored(st.session_state[DECODER_KEY].get("stored"), session.model().sha256[:16])
        st.session_state[STORED_KEY] = {*st.session_state.get(STORED_KEY, ()), name}


def _unsupported() -> None:
    with suppress(MessageError):  # then the live ones stay
        reason = messages.unsupported(st.session_state[POSE_KEY].get("unsupported"))
        st.session_state[REASON_KEY], st.session_state[PLAIN_KEY] = reason, True


@follows("sliders")
def _live_sliders(trace: Posed, reconstruction: np.ndarray, name: str) -> None:
    if st.session_state.get(PLAIN_KEY):
        st.rerun()  # of the whole page, which then shows the plain sliders
    sha256 = session.model().sha256
    measured, limit = measurements(session.network(), sha256), session.model().card["unsure_below"]
    places = figures.named(trace.scores[-1], limit, trace.shape.answers)
    data = pose_payload(trace, reconstruction, _example(trace), measured, name, places=places)
    links = address.for_script("pose", trace.shape, 1)
    data["link"] = {name: values for name, values in links.items() if name != "digit"}  # read with the pose
    data["megabytes"] = len(array_asset("decoder", session.network()).packed) / 1e6
    _pose(key=POSE_KEY, data=data, on_unsupported_change=_unsupported)


@lru_cache(maxsize=4)  # Streamlit's own would hand out a copy each time, of thousands of numbers
def measurements(network: str, sha256: str) -> PoseMeasurements | None:
    """What each component was measured to do; None if nobody has measured these weights."""
    try:
        return load_poses(name=network, sha256=sha256)
    except CapsvizError:
        return None


def _example(trace: Posed) -> dict[str, Any]:
    """A pose to morph to, of the class half of them further on (0 to 5, 1 to 6, ..., which look alike), or back.

    That of an example, of the next class that has one; where none has, what the drawing itself has of that class.
    """
    classes, kind = trace.classes, trace.shape.kind
    half = trace.prediction + len(classes) // 2
    others = [(half + step) % len(classes) for step in range(len(classes))]
    drawn = {example.shows: at for at, example in reversed(list(enumerate(EXAMPLES))) if example.kind == kind}
    other = next((place for place in others if classes[place] in drawn), others[0])
    if classes[other] not in drawn:
        assert trace.v is not None
        return {"name": say("pose.morph.same"), "digit": other, "pose": trace.v[-1, other].tolist()}
    found = drawn[classes[other]]
    name = say("pose.morph.example", drawing=say(f"example.{EXAMPLES[found].name}"))
    return {"name": name, "digit": other, "pose": _example_pose(session.model().sha256, found, other)}


@st.cache_data(max_entries=20, show_spinner=False)
def _example_pose(sha256: str, example: int, digit: int) -> list[float]:
    drawn = EXAMPLES[example]
    trace = session.model().trace(
        canvas_to_mnist(render(drawn.strokes, drawn.width), size=session.model().shape.size)
    )
    pose: list[float] = trace.v[-1, digit].tolist()
    return pose


def _plain_sliders(trace: Posed, reason: str) -> None:
    """The same without the browser's help: Streamlit's sliders, which answer when they are let go."""
    if reason:
        st.warning(say("pose.plain.reason", reason=reason))
    assert trace.v is not None
    digit, size, unit = trace.prediction, trace.shape.size, pose_unit(trace)
    measured = measurements(session.network(), session.model().sha256)
    drawing = hash(trace.v.tobytes())  # a new one starts at its own pose
    picture, columns = st.columns([2, 5], gap="large")
    halves = columns.columns(2)
    pose = []
    origins = trace.v[-1, digit].tolist()
    column = -(-len(origins) // 2)  # sliders in the first of the two
    for dimension, origin in enumerate(origins):
        low, high, label = origin, origin, str(dimension)
        if measured:
            known = measured.digits[digit].components[dimension]
            low, high = known.low, known.high
            label = say("pose.plain.slider", dimension=dimension, caption=describe(known.effects))
        low, high = min(low, origin) - PLAIN_MARGIN * unit, max(high, origin) + PLAIN_MARGIN * unit
        key = f"plain_{dimension}_{drawing}"
        pose.append(halves[dimension // column].slider(label, low, high, origin, step=0.01, key=key))
    try:
        drawn = session.model().decode(np.array(pose), digit)
    except RuntimeError as error:  # what PyTorch raises when a device fails
        picture.error(session.failure(error))
        return
    times = max(1, PLAIN_SIDE // size)
    picture.image(figures.theme.ink(drawn).repeat(times, axis=0).repeat(times, axis=1))
    picture.markdown(status(trace, np.array(pose)))


def status(trace: Posed, pose: np.ndarray) -> str:
    """What the pose [D] of the answer says of its class: its length, or the logit and the probability that it comes to."""
    assert trace.v is not None
    name = trace.answer
    if trace.shape.score == LENGTH:
        return say("pose.status.one", **{"class": name, "length": number(float(np.linalg.norm(pose)), 3)})
    logits = trace.v[-1].sum(axis=1, dtype=np.float64)
    logits[trace.prediction] = pose.sum()
    powers = np.exp(logits - logits.max())
    share = powers[trace.prediction] / powers.sum()
    words = {"class": name, "kind": noun(trace.shape.kind), "logit": number(float(pose.sum()))}
    return say("pose.status.onePlain", **words, probability=number(share, 3))
