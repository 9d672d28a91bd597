"""The Model page: what the network is, layer by layer, how good it is, how it was trained, what it cannot do."""

import html
import json
import sys
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from capsviz import figures
from capsviz.app import frame, guess, session
from capsviz.app.prepared import hidden
from capsviz.errors import CapsvizError, WeightsError
from capsviz.inputs.data import MNIST
from capsviz.models.card import (
    averaged_error,
    card_table,
    changed,
    departures,
    earlier_epochs,
    limits,
    loss,
    measured_tables,
)
from capsviz.models.comparison import Entry, entry, milliseconds, tested_on_drawings
from capsviz.models.rates import of_card
from capsviz.models.size import sizes
from capsviz.models.weights import available, load_evaluation
from capsviz.texts import language, localised, noun, say
from capsviz.texts.numbers import grouped, per_cent
from capsviz.training.live_plan import LIVE

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from capsviz.models.model import Model


def overview() -> None:
    """All of the page, of the network that answers."""
    model, now = session.loaded(), session.reading()
    trace = None if guess.covered() else now.trace  # what each layer makes of the drawing would tell
    drawings = None if trace is None or now.reconstructions is None else now.reconstructions[-1]
    evaluation: dict[str, Any] | None = None
    try:
        evaluation = load_evaluation(session.network(), model.card)
    except WeightsError as error:
        print(f"capsviz: {error}", file=sys.stderr, flush=True)  # a visitor can do nothing about it
    if not hidden("networks"):
        _networks(model)
    if not (hidden("headline") and hidden("layers")):
        frame.heading(say("model.chosen", network=model.spec.title))
    if not hidden("headline"):
        _headline(model, evaluation)
    if not hidden("layers"):
        st.html(figures.layers_table(trace, drawings, sizes(model.spec), model.spec))
    if not hidden("measured"):
        with st.container(key="part_measured"):
            frame.heading(say("model.good"))
            if evaluation:
                _charts(model, evaluation)
            elif _learnt_here(model):
                st.info(say("model.measuredHere", page=say("training.title")))
            else:
                st.info(say("model.unmeasured"))
    below = {"training": partial(_training, model), "limits": partial(_limits, model, evaluation)}
    shown = [name for name in below if not hidden(name)]
    widths = [{"training": 4, "limits": 3}[name] for name in shown]
    for column, name in zip(st.columns(widths, gap="large") if shown else (), shown, strict=True):
        with column, st.container(key=f"part_{name}"):
            below[name]()
    if not hidden("facts"):
        with st.container(key="part_facts"), st.expander(say("model.facts")):
            st.markdown(card_table(model.card))
            if evaluation:
                st.markdown(measured_tables(evaluation))
    source, two = model.spec.source, model.shape.answers > 1
    st.markdown(
        say(
            f"model.source{'' if model.shape.routing else 'OfConvolutions' if two else 'OfTwin'}",
            authors=source.authors,
            title=source.title,
            venue=source.venue,
            paper=source.paper,
            link=source.link,
        )
    )


@st.fragment
def _networks(model: "Model") -> None:
    """All networks side by side, of their cards; how quick they are here only once somebody asks."""
    frame.heading(say("model.all.title"))
    compared = []
    for name in available():
        try:
            compared.append(entry(name))
        except WeightsError as error:  # the others are compared all the same
            print(f"capsviz: {error}", file=sys.stderr, flush=True)
    known = {one.spec.name: _times[one.card["sha256"]] for one in compared if one.card["sha256"] in _times}
    st.html(figures.networks_table(compared, model.spec.name, known))
    if len(known) < len(compared) and st.button(say("model.measure"), icon=":material/timer:"):
        with st.spinner(say("model.measuring")):
            for one in compared:
                try:
                    _time(one, model)
                except CapsvizError as error:
                    print(f"capsviz: {error}", file=sys.stderr, flush=True)
        st.rerun(scope="fragment")
    st.html(f'<p class="cv-said">{html.escape(say("model.all.says"))}</p>')


# Milliseconds of an answer of the weights with a checksum, for all sessions.
_times: dict[str, float] = {}


def _time(one: Entry, model: "Model") -> None:
    """Time a network's answers, once; one that nobody has chosen is loaded for as long."""
    from capsviz.models.model import load_model

    sha256 = one.card["sha256"]
    if sha256 not in _times:
        timed = model if model.sha256 == sha256 else load_model(one.spec.name, model.device)
        _times[sha256] = milliseconds(timed)


def _headline(model: "Model", evaluation: dict[str, Any] | None) -> None:
    """The few numbers that are asked for first."""
    data, kinds = model.spec.data, noun(model.shape.kind, 2, "pictured")
    source = model.spec.source
    two = model.shape.answers > 1  # then the card's error is of pairs
    right = say(
        f"model.right{'Pairs' if two else ''}{'AndPaper' if source.accuracy and source.of else ''}",
        data=MNIST.name if two else data.name,
        images=grouped(data.sizes["test"]),
        kinds=kinds,
        paper=localised(source.accuracy),
        of=say(f"model.published.{source.of}") if source.of else "",
    )
    if evaluation and tested_on_drawings(evaluation) and evaluation["drawings"]["writers"]:
        drawn = evaluation["drawings"]
        right = say(
            "model.drawnTest",
            data=data.name,
            kinds=kinds,
            drawings=grouped(drawn["drawings"]),
            writers=drawn["writers"],
            count=len(drawn["widths"]),
        )
    counted = of_card(model.card)
    if _learnt_here(model):
        right = say("model.rightHere", images=grouped(data.sizes["test"]))
    if counted:
        low, high = counted[1]
        right = say("model.rightWithin", right=right, low=per_cent(1 - high), high=per_cent(1 - low))
    if _learnt_here(model):
        held = {"held": grouped(data.held_out), "error": per_cent(model.card["validation_error"])}
        right = say("model.heldHere", right=right, page=say("training.title"), **held)
    numbers = [
        (per_cent(1 - model.card["test_error"]), right),
        (
            grouped(sum(model.parameters.values())),
            say(f"model.parameters{'OfPaper' if model.shape.routing and source.accuracy else ''}"),
        ),
    ]
    if evaluation and "drawings" in evaluation:
        drawn = evaluation["drawings"]
        what = say(
            "model.drawnBy" if drawn["writers"] else "model.drawn",
            drawings=grouped(drawn["drawings"]),
            kinds=kinds,
            writers=drawn["writers"],
            count=len(drawn["widths"]),
        )
        if not tested_on_drawings(evaluation):
            numbers.insert(1, (per_cent(drawn["rate"]), what))
    st.html(
        '<div class="cv-headline">'
        + "".join(f"<div><b>{number}</b>{what}</div>" for number, what in numbers)
        + "</div>"
    )


def _learnt_here(model: "Model") -> bool:
    """Whether it is a small network of the Training page."""
    return model.spec.name.startswith(LIVE)


def _charts(model: "Model", evaluation: dict[str, Any]) -> None:
    """What was measured, each figure in a tab of its own: mistakes on the left, all else on the right."""
    charts = _evaluation_charts(json.dumps(evaluation), language())
    shown = figures.measurements(evaluation, model.spec.data.name)
    mistakes = [name for name in shown if "confusion" in name]
    left, right = st.columns(2, gap="large")
    for column, part in ((left, mistakes), (right, [name for name in shown if name not in mistakes])):
        with column:
            for tab, name in zip(st.tabs([shown[name].title for name in part]), part, strict=True):
                with tab:
                    st.markdown(shown[name].says)
                    frame.chart(charts[name], name, shown[name].title)


@lru_cache(maxsize=4)
def _evaluation_charts(evaluation: str, spoken: str) -> dict[str, "go.Figure"]:
    """The figures of an evaluation, given as JSON: drawn once, not at every stroke of a pen."""
    return figures.evaluation_figures(json.loads(evaluation))


def _limits(model: "Model", evaluation: dict[str, Any] | None) -> None:
    """What it was trained for, and what it cannot do."""
    frame.heading(say("model.trainedFor"))
    st.markdown(loss(model.card))
    frame.heading(say("model.cannot"))
    st.markdown("\n".join(f"- {limit}" for limit in limits(model.card, evaluation)))


def _training(model: "Model") -> None:
    """How the network came to its weights."""
    card, data = model.card, model.spec.data
    frame.heading(say("model.training"))
    before = earlier_epochs(card)
    errors, losses = st.tabs([say("model.errors"), say("model.losses")])
    with errors:
        drawn = figures.training_figure(
            card["log"], card["test_error"], before, averaged_error(card), data, changed(card)
        )
        frame.chart(drawn, "training", say("model.errors"))
    with losses:
        frame.chart(figures.loss_figure(card["log"], before), "losses", say("model.losses"))
    frame.heading(say("model.departures" if model.shape.routing else "model.twin"))
    st.markdown(departures(card))
