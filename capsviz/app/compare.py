"""The Compare page's live view in Streamlit: which networks stand side by side, and what each answers along a change."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache

import numpy as np
import streamlit as st

from capsviz.app import address, assets, experiments, measurements, prepared, session
from capsviz.app.address import Asked
from capsviz.app.experiments import MOST_BESIDE, Trial
from capsviz.errors import CapsvizError, MessageError
from capsviz.figures.compare import Column, compare_payload
from capsviz.inputs.changes import CHANGES, Changes
from capsviz.measures.along import Coupling, Course, course
from capsviz.measures.rules import row_of
from capsviz.models.weights import available
from capsviz.networks.base import Spec, find

VIEW_KEY = "compare"  # the component; its state: "asked", a comparison as compare.js makes it
TRIAL_KEY = (
    "compare_trial"  # the last comparison that could be read, which outlasts the page and its component
)
LINKED_KEY = (
    "compare_linked"  # True until what the address asked for is shown, before what the view asked for earlier
)
COURSES = 96  # that are kept for all sessions together, of 0.25 MB

_view = assets.component("capsviz_compare", "compare")


def begin(asked: Asked) -> None:
    """Follow an address that asks for a comparison."""
    if asked.compare is not None:
        st.session_state[TRIAL_KEY] = asked.compare
        st.session_state[LINKED_KEY] = True


@st.fragment
def view() -> None:
    """The drawing changed by measure, and what up to three networks make of it; only this part runs again for a change."""
    now = session.reading()
    if now.answer is None:
        return  # the page has been left, or says what to do
    offered = candidates(session.spec())
    trial, problem = _asked(offered)
    columns = []
    for name in (session.network(), *beside(trial, offered)):
        try:
            columns.append(_column(name, now, trial))
        except CapsvizError as error:
            problem = problem or str(error)
        except RuntimeError as error:  # what PyTorch raises when a device fails
            problem = problem or session.failure(error)
    data = compare_payload(
        columns,
        trial.change,
        {name: steps(name, trial.changes) for name in CHANGES},
        now.answer.trace.prediction,
        asked=asdict(trial.coupling) | {"number": trial.number, "problem": problem},
        offered={name: find(name).title for name in offered},
        chosen=trial.beside is not None,
        link=address.for_script("compare", session.spec().shape, 1),
    )
    _view(key=VIEW_KEY, data=data, on_asked_change=lambda: None)


def current() -> Trial:
    """The comparison that is shown."""
    trial: Trial = st.session_state.get(TRIAL_KEY, Trial())
    return trial


def columns_of(trial: Trial, now: session.Reading) -> list[Column]:
    """All networks of a comparison.

    Raises:
        CapsvizError: if one of them cannot be loaded, or lacks what is asked for.
    """
    names = (session.network(), *beside(trial, candidates(session.spec())))
    return [_column(name, now, trial) for name in names]


def candidates(spec: Spec) -> list[str]:
    """Names of the networks that can stand beside one: they tell the same classes apart."""
    others = (find(name) for name in available() if name != spec.name)
    return [other.name for other in others if other.shape.classes == spec.shape.classes]


def beside(trial: Trial, offered: list[str]) -> tuple[str, ...]:
    """Those that do: as chosen; else one of each other kind of routing, and of each the one that has poses."""
    if trial.beside is not None:
        return tuple(name for name in trial.beside if name in offered)
    own, found = session.spec().shape, dict[str, str]()
    for name in sorted(offered, key=lambda name: not find(name).shape.pose):
        shape = find(name).shape
        if shape.routing != own.routing and shape.answers == own.answers:
            found.setdefault(shape.routing, name)
    return tuple(sorted(found.values(), key=offered.index))[:MOST_BESIDE]


def steps(name: str, changes: Changes) -> int:
    """How many steps of a change a picture is away from none."""
    kind = CHANGES[name]
    return round((getattr(changes, name) - kind.same) / kind.step)


def _asked(offered: list[str]) -> tuple[Trial, str]:
    """The comparison to show: the one just asked for or, if it cannot be read, the one before and why."""
    last = current()
    if st.session_state.pop(LINKED_KEY, False):
        return last, ""
    sent = st.session_state.get(VIEW_KEY, {}).get("asked")
    if sent is None or prepared.locked("compare"):
        return last, ""
    try:
        asked = experiments.trial(sent, offered)
    except MessageError as error:
        return last, str(error)
    if not isinstance(sent, Mapping) or sent.get("ahead") is not True:  # else nobody has asked for it yet
        st.session_state[TRIAL_KEY] = asked
    return asked, ""


def _column(name: str, now: session.Reading, trial: Trial) -> Column:
    model = session.model_of(name)
    image = np.asarray(now.drawing.image(model.shape.size), np.float32)
    own = name == session.network()
    how = trial.coupling if model.shape.iterates else Coupling()
    if how.iterations is None and own:
        how = replace(how, iterations=now.iterations)
    elsewhere = replace(trial.changes, **{trial.change: CHANGES[trial.change].same})
    measured = measurements.measured_of(name)
    return Column(
        name=name,
        title=model.spec.title,
        course=_course(name, image.tobytes(), trial.change, elsewhere, how),
        means=measured.get("changes", {}).get(trial.change),
        rule=row_of(measured.get("rules"), how.name, how.bias, how.iterations or model.shape.trained),
        unsure_below=float(model.card["unsure_below"]),
        iterations=how.iterations or model.shape.trained,
    )


@lru_cache(maxsize=COURSES)
def _course(name: str, image: bytes, change: str, others: Changes, how: Coupling) -> Course:
    model = session.model_of(name)
    pixels = np.frombuffer(image, np.float32).reshape(model.shape.size, model.shape.size)
    mean = measurements.mean_coupling(name) if how.name == "mean" else None
    return course(model, pixels, change, others, how, mean)
