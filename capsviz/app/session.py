"""What a session is about: its drawing, its network, its routing iterations, and the answer that every page reads.

PyTorch is imported only when the first answer is computed, so that a person sees the page while it loads.
"""

import gc
import html
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from capsviz.app import address, pad, parameters, prepared
from capsviz.app.address import Asked
from capsviz.app.answers import Answer, Reading, Seen
from capsviz.app.experiments import Operation, Weighting
from capsviz.app.follow import Ended
from capsviz.app.training_choice import Choice
from capsviz.errors import CapsvizError
from capsviz.inputs.drawings import Drawing
from capsviz.models.weights import available
from capsviz.networks.base import DEFAULT, Spec, find
from capsviz.texts import ask, ask_kind, languages, say, speaking
from capsviz.traces.base import POSES, Shape

if TYPE_CHECKING:
    from capsviz.models.devices import Workers
    from capsviz.models.model import Model

# Keys of the session's state. Streamlit deletes a widget's value when its page is left, so what must
# last is kept under keys of its own.
SEEN_KEY = "seen"  # Seen: what the network is to see of the current drawing
NETWORK_KEY = "network"  # name of the network that answers
ITERATIONS_KEY = "iterations"  # {network: R of every reading}; none: as many as in training
LANGUAGE_KEY = "language"  # code of the language that was chosen, by the address or from the list
SPOKEN_KEY = "spoken"  # code of the language that is spoken
WRITTEN_KEY = "address_written"  # set[int]: marks of the addresses that were followed or written
STOP_KEY = "lesson_stop"  # (name of the lesson, number of its stop) at which the session is
PREDICTING_KEY = "predicting"  # True while each new answer begins covered
COVERED_KEY = "begins_covered"  # True where a prepared link covered answers: loaded again, it does too
DRAFT_KEY = "draft"  # the lesson link that is being made, as its page's address has it
TRAINING_KEY = "training_choice"  # Choice: what a training is to begin with
CHECKPOINT_KEY = "training_chosen"  # Checkpoint: the one that is looked at; none for the latest picture
SECTION_KEY = "lab_section"  # the part of the Lab that is open, of panels.SECTIONS
SURGERY_KEY = "surgery_of_link"  # the experiment that the address asked for, until its view takes it
ANSWERS = 24  # traces that are kept for all sessions together, some 1.6 MB each


# --- what was chosen --------------------------------------------------------------------------------------


def begin() -> Asked:
    """Follow the address, at the beginning of a run: what it asks for goes before what was chosen before.

    Returns:
        What it asks for; of a tab that comes back, its own drawing.
    """
    state = st.session_state
    asked, returned = _asked()
    if asked.language is not None:
        state[LANGUAGE_KEY] = asked.language
    state[SPOKEN_KEY] = state.get(LANGUAGE_KEY) or _of_browser()
    if asked.network is not None:
        state[NETWORK_KEY] = asked.network
    if asked.iterations is not None:
        _chosen_iterations()[network()] = asked.iterations
    if asked.surgery is not None:
        state[SURGERY_KEY] = asked.surgery
    if asked.answer is not None:
        state[PREDICTING_KEY] = True
        state[COVERED_KEY] = prepared.prepares(asked)
    of_pages = (
        *((DRAFT_KEY, asked.draft), (SECTION_KEY, asked.section)),
        *((TRAINING_KEY, asked.training), (CHECKPOINT_KEY, asked.checkpoint)),
    )
    state.update({key: value for key, value in of_pages if value is not None})
    prepared.begin(asked)
    # A new session's drawing: with it goes what was said of an earlier one. A tab that comes back brings its own.
    pad.begin(spec().shape.kind, None if returned else asked.drawing)
    if asked.pen is not None and not returned:
        state[pad.WIDTH_KEY] = asked.pen
    if asked.problem:
        state[pad.PROBLEM_KEY] = asked.problem
    return replace(asked, drawing=pad.current()) if returned else asked


def _asked() -> tuple[Asked, bool]:
    """What the address asks for, and whether it is one that a tab comes back with, whose server has started again.

    An address is followed once. The browser sends it along with every run, as it was when the page was opened or as a
    script wrote it since: what this session has followed or has had written is no new wish.
    """
    state = st.session_state
    first = WRITTEN_KEY not in state
    written: set[int] = state.setdefault(WRITTEN_KEY, set())
    returned = pad.RETURNED_KEY in state
    query = address.query_of(state.pop(pad.RETURNED_KEY)) if returned else st.query_params.to_dict()
    if not first and not returned and _mark(query) in written:
        return Asked(), False
    written.add(_mark(query))
    # What is wrong with it is said in the language that it asks for, which nobody speaks yet.
    linked = query.get(parameters.LANGUAGE, "")
    spoken = linked if linked in languages() else state.get(LANGUAGE_KEY) or _of_browser()
    with speaking(spoken):
        return address.read(query, lambda name: find(name or network()).shape), returned


def _mark(query: Mapping[str, str]) -> int:
    """Tells addresses apart by what a session writes in them, and by what nobody knows."""
    return hash(frozenset((name, text) for name, text in query.items() if not address.of_views(name)))


def _of_browser() -> str:
    """Code of the language that the browser asks for, "de-CH" or, without its region, "de"."""
    locale = st.context.locale or ""
    return locale if locale in languages() else locale.partition("-")[0]


def said(page: str = "") -> dict[str, str]:
    """What the address says of the session, for a script to write: all that is not as it would be without.

    Args:
        page: name of the page of which it is the address.
    """
    drawing, kind = pad.current(), spec().shape.kind
    lesson, stop = stop_of_lesson() or (None, None)
    found = {
        parameters.NETWORK: network() if network() != DEFAULT else None,
        parameters.LANGUAGE: st.session_state.get(LANGUAGE_KEY),
        parameters.ITERATIONS: None if iterations() == trained() else str(iterations()),
        parameters.DRAWING: None if pad.untouched(kind) else address.drawing_text(drawing),
        parameters.PEN: None if pad.width() == pad.WIDTH else str(pad.width()),
        parameters.LESSON: lesson,
        parameters.STOP: None if stop is None else str(stop),
        parameters.ANSWER: parameters.HIDDEN if begins_covered() else None,
        **_said_of(page),
    }
    said = {name: value for name, value in found.items() if value is not None} | prepared.said()
    st.session_state[WRITTEN_KEY].add(_mark(said))
    return said


def _said_of(page: str) -> dict[str, str | None]:
    """What the address says of one page alone."""
    state = st.session_state
    if page == "training":
        looked = state.get(CHECKPOINT_KEY)
        return {
            parameters.TRAINING: state.get(TRAINING_KEY, Choice()).text() or None,
            parameters.CHECKPOINT: looked and looked.text(),
        }
    own = {"lesson": (parameters.DRAFT, DRAFT_KEY), "lab": (parameters.SECTION, SECTION_KEY)}.get(page)
    return {own[0]: state.get(own[1])} if own else {}


def begins_covered() -> bool:
    """Whether answers begin covered where the session's link is opened: as it was prepared, or as they are here."""
    return bool(st.session_state.get(PREDICTING_KEY) or st.session_state.get(COVERED_KEY))


def stop_of_lesson() -> tuple[str, int] | None:
    """Name of the lesson and number of its stop, from 1, at which the session is; None without a lesson."""
    place: tuple[str, int] | None = st.session_state.get(STOP_KEY)
    return place


def surgery_of_link() -> Operation | Weighting | None:
    """The experiment that the address asked for, once."""
    found: Operation | Weighting | None = st.session_state.pop(SURGERY_KEY, None)
    return found


def _spoken() -> str:
    """The session's language: callbacks and fragments run without ``begin``; "" outside of any session."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ""
    code: str = st.session_state.get(SPOKEN_KEY, "")
    return code


ask(_spoken)


def _kind() -> str:
    """What the session's network reads; outside of any session, digits."""
    return spec().shape.kind if get_script_run_ctx(suppress_warning=True) else "digit"


ask_kind(_kind)


def network() -> str:
    """Name of the network that answers."""
    name: str = st.session_state.get(NETWORK_KEY, DEFAULT)
    return name


def set_network(name: str) -> None:
    """Have another network answer from now on, unless it is fixed; the drawing stays."""
    if not prepared.locked("network"):
        _answer_by(name)


def _answer_by(name: str) -> None:
    st.session_state[NETWORK_KEY] = name
    st.session_state.pop(pad.PROBLEM_KEY, None)


def set_language(code: str) -> None:
    """Speak another language from now on, unless it is fixed, and say so in the address bar."""
    if prepared.locked("language"):
        return
    st.session_state[LANGUAGE_KEY] = st.session_state[SPOKEN_KEY] = code
    st.session_state.pop(pad.PROBLEM_KEY, None)  # said in the language before
    st.query_params[parameters.LANGUAGE] = code


def take(name: str, count: int | None) -> None:
    """Have a network answer, as a lesson asks for it, with so many routing iterations; None for as many as in training."""
    _answer_by(name)
    _chosen_iterations()[name] = count or trained()


def spec() -> Spec:
    """What the network that answers is; of its weights, once they are loaded: a decoder may not have been trained."""
    name = network()
    return _loaded[name].spec if name in _loaded else find(name)


def trained() -> int:
    """Routing iterations that the network was trained with, 1 where nothing iterates; of its spec, until it is loaded."""
    name = network()
    return _loaded[name].shape.trained if name in _loaded else find(name).shape.trained


def iterations() -> int:
    """Routing iterations R of every reading, 1 to 10."""
    return _chosen_iterations().get(network()) or trained()


def set_iterations(count: int) -> None:
    """Read every drawing with ``count`` routing iterations from now on, unless that is fixed."""
    if prepared.locked("iterations"):
        return
    _chosen_iterations()[network()] = count
    st.session_state.pop(pad.PROBLEM_KEY, None)


def _chosen_iterations() -> dict[str, int]:
    """Of each network what was chosen: whoever comes back to it finds the same numbers."""
    chosen: dict[str, int] = st.session_state.setdefault(ITERATIONS_KEY, {})
    return chosen


# --- the network and its answer ---------------------------------------------------------------------------

# What all sessions share is kept here and not by Streamlit, whose caches any visitor's message can empty for all.
_loading = threading.Lock()
_loaded: "dict[str, Model]" = {}


def model() -> "Model":
    """The network that answers: ``model_of`` the session's."""
    return model_of(network())


def model_of(name: str) -> "Model":
    """A network by its name, one for all sessions and for the phones of classes.

    Raises:
        CapsvizError: if its weights cannot be loaded, or the device does not work.
    """
    with _loading:  # two first visitors wait for one model
        if name not in _loaded:
            _loaded[name] = _load(name)
        return _loaded[name]


def _load(name: str) -> "Model":
    from capsviz.models.devices import keep_large_blocks
    from capsviz.models.model import load_model

    keep_large_blocks()
    loaded = load_model(name, os.environ.get("CAPSVIZ_DEVICE", "auto"), _workers())
    # Streamlit collects garbage after every run of a script, which with all of PyTorch's objects to look at
    # takes an eighth of a second, before the answer is sent. What is loaded now is never garbage.
    gc.collect()
    gc.freeze()
    return loaded


@cache
def _workers() -> "Workers":
    from capsviz.models.devices import Workers

    return Workers()


def reading() -> Reading:
    """The reading of the current drawing; every page works from this one.

    A session keeps what is to be seen, a few kilobytes. The answer, a thousand times as large, is kept for all sessions
    together, and computed again if others have taken its place.
    """
    return _read(_seen())


def reading_of(drawing: Drawing) -> Reading:
    """The same of another drawing, which is not on the pad."""
    return _read(_see(drawing, spec().shape))


def _read(now: Seen) -> Reading:
    if now.image is None:
        return Reading(now.drawing, iterations(), problem=now.problem)
    try:
        network = model()  # whose weights may have been trained with other iterations than the spec says
        return Reading(now.drawing, iterations(), _answer(network, now.image.tobytes(), iterations()))
    except CapsvizError as error:
        return Reading(now.drawing, iterations(), problem=without_network(error))
    except RuntimeError as error:  # what PyTorch raises when a device or a library of it fails
        return Reading(now.drawing, iterations(), problem=failure(error))


def answered() -> Answer:
    """What the network makes of the current drawing; without an answer, say so and end the page."""
    now = reading()
    if now.answer is None:
        stop(now.problem)
    return now.answer


def loaded() -> "Model":
    """The model, for a page that can do without a drawing; without weights, say so and end the page."""
    try:
        return model()
    except CapsvizError as error:
        stop(without_network(error))


def stop(problem: str) -> NoReturn:
    """End the page with a sentence in place of its views."""
    st.html(f'<div class="cv-waiting" data-testid="waiting">{html.escape(problem)}</div>')
    raise Ended


def _seen() -> Seen:
    """What is to be seen of the current drawing, made out once for each."""
    drawing, shape = pad.current(), spec().shape
    known: Seen | None = st.session_state.get(SEEN_KEY)
    if known is None or known.drawing is not drawing or known.shape != shape:
        known = st.session_state[SEEN_KEY] = _see(drawing, shape)
    return known


def _see(drawing: Drawing, shape: Shape) -> Seen:
    try:
        return Seen(drawing, shape, drawing.image(shape.size, shape.answers))
    except CapsvizError as error:
        return Seen(drawing, shape, problem=str(error))


@lru_cache(maxsize=ANSWERS)
def _answer(network: "Model", image: bytes, count: int) -> Answer:
    shape: Shape = network.shape
    pixels = np.frombuffer(image, np.float32).reshape(shape.size, shape.size)
    began = time.perf_counter()
    trace = network.trace(pixels, count)
    milliseconds = 1000 * (time.perf_counter() - began)
    judged = None
    if count > shape.trained:  # training's iterations are the first of these
        judged = trace.scores[shape.trained - 1]
    elif count < shape.trained:
        judged = network.predict(pixels[None])[0]
    drawn = network.reconstructions(trace) if POSES in trace.offers else None
    return Answer(trace, drawn, milliseconds, judged)


def without_network(error: CapsvizError) -> str:
    """One sentence about a network that cannot be loaded; what can be done about it is for who runs the server."""
    print(f"capsviz: {error}", file=sys.stderr, flush=True)
    return say("frame.oneNotLoaded", network=spec().title) if len(available()) > 1 else say("frame.noNetwork")


def failure(error: RuntimeError) -> str:
    """One sentence about a device that failed while it computed."""
    return say("frame.failure", reason=str(error).partition("\n")[0])
