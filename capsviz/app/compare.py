"""The Compare page's live view in Streamlit: which networks stand side by side, and what each answers along a change."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache

import numpy as np
import streamlit as st

from capsviz.app import address, asked, assets, experiments, measurements, prepared, session
from capsviz.app.address import Asked
from capsviz.app.experiments import MOST_BESIDE, Trial
from capsviz.app.follow import follows
from capsviz.errors import CapsvizError
from capsviz.figures.compare import Column, compare_payload
from capsviz.inputs.changes import CHANGES, Changes
from capsviz.measures.along import Coupling, Measuring
from capsviz.measures.rules import row_of
from capsviz.models.weights import available
from capsviz.networks.base import Spec, find

VIEW_KEY = "compare"  # the component; its state: "asked", a comparison as compare.js makes it
TRIAL_KEY = (
    "compare_trial"  # the last comparison that could be read, which outlasts the page and its component
)
AHEAD_KEY = "compare_ahead"  # the last that was asked for ahead
OVERTAKEN_KEY = "compare_overtaken"  # what the view had asked for before an address asked for something else
COURSES = 96  # that are kept for all sessions together, of 0.25 MB
# Values along a change that are measured for one message: first its own alone, or ahead of a hand those that one step leads
# to as well; then so many for the rest of the curve that a slider which is moved on meanwhile waits for no more.
FIRST, AHEAD, AT_ONCE = 1, 3, 6

_view = assets.component("capsviz_compare", "compare")


def begin(link: Asked) -> None:
    """Follow an address, or a lesson, that asks for a comparison."""
    if link.compare is not None:
        st.session_state[TRIAL_KEY] = link.compare
        st.session_state[OVERTAKEN_KEY] = asked.sent(VIEW_KEY, "asked")


@follows("compare")
def view() -> None:
    """The drawing changed by measure, and what up to three networks make of it; only this part runs again for a change.

    The value that the picture has now is measured first; the script then asks for the others, a few at a time.
    """
    now = session.reading()
    if now.answer is None:
        return  # the page has been left, or says what to do
    offered = candidates(session.spec())
    trial, problem = _asked(offered)
    columns = []
    for name in (session.network(), *beside(trial, offered)):
        try:
            columns.append(_column(name, now, trial, prepared.locked("compare")))
        except CapsvizError as error:
            problem = problem or str(error)
        except RuntimeError as error:  # what PyTorch raises when a device fails
            problem = problem or session.failure(error)
    data = compare_payload(
        columns,
        trial.change,
        {name: steps(name, trial.changes) for name in CHANGES},
        now.answer.trace.prediction,
        image=now.answer.trace.image,
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
    return [_column(name, now, trial, whole=True) for name in names]


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
    """The comparison to show, and why it is not the one just asked for, if it is not."""
    last, sent = current(), asked.sent(VIEW_KEY, "asked")
    if sent == st.session_state.get(OVERTAKEN_KEY):
        return last, ""
    # What is asked for ahead nobody has asked for yet.
    ahead = isinstance(sent, Mapping) and sent.get("ahead") is True
    kept = AHEAD_KEY if ahead else TRIAL_KEY
    return asked.latest(sent, lambda sent: experiments.trial(sent, offered), last, kept, "compare")


def _column(name: str, now: session.Reading, trial: Trial, whole: bool) -> Column:
    model, shape = session.model_of(name), session.spec().shape
    alike = (model.shape.size, model.shape.answers) == (shape.size, shape.answers)
    seen = now.trace.image if alike else now.drawing.image(model.shape.size, model.shape.answers)
    image = np.asarray(seen, np.float32)
    own = name == session.network()
    how = trial.coupling if model.shape.iterates else Coupling()
    if how.iterations is None and own:
        how = replace(how, iterations=now.iterations)
    measuring = _measuring(name, image.tobytes(), trial.change, trial.changes.without(trial.change), how)
    place = steps(trial.change, trial.changes) - CHANGES[trial.change].first
    if whole:
        measuring.measure(place)
    elif not measuring.course().known[place]:
        measuring.measure(place, AHEAD if trial.ahead else FIRST)
    elif trial.more:
        measuring.measure(place, AT_ONCE)
    measured = measurements.measured_of(name)
    return Column(
        name=name,
        title=model.spec.title,
        course=measuring.course(),
        means=measured.get("changes", {}).get(trial.change),
        rule=row_of(measured.get("rules"), how.name, how.bias, how.iterations or model.shape.trained),
        unsure_below=float(model.card["unsure_below"]),
        iterations=how.iterations or model.shape.trained,
    )


@lru_cache(maxsize=COURSES)
def _measuring(name: str, image: bytes, change: str, others: Changes, how: Coupling) -> Measuring:
    model = session.model_of(name)
    pixels = np.frombuffer(image, np.float32).reshape(model.shape.size, model.shape.size)
    mean = measurements.mean_coupling(name) if how.name == "mean" else None
    return Measuring(model, pixels, change, others, how, mean)
