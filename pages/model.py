import json
import sys
from typing import Any

import streamlit as st

from capsviz import figures
from capsviz.app import ui
from capsviz.errors import WeightsError
from capsviz.models.card import (
    averaged_error,
    card_table,
    departures,
    earlier_epochs,
    limits,
    loss,
    measured_tables,
)
from capsviz.models.weights import DEFAULT, load_evaluation

ui.question("What is this network, and how good is it?")
now, model = ui.reading(), ui.network()
drawings = None if now.reconstructions is None else now.reconstructions[-1]
card = model.card
evaluation: dict[str, Any] | None = None
try:
    evaluation = load_evaluation(DEFAULT, card)
except WeightsError as error:
    print(f"capsviz: {error}", file=sys.stderr, flush=True)  # a visitor can do nothing about it

numbers = [
    (
        f"{1 - card['test_error']:.2%}",
        "of MNIST’s 10,000 test digits read correctly (the paper: 99.75%, the mean of three networks)",
    ),
    (f"{sum(model.parameters.values()):,}", "parameters, the paper’s architecture"),
]
if evaluation and "drawings" in evaluation:
    drawn = evaluation["drawings"]
    who = f" by {drawn['writers']} people" if drawn["writers"] else ""
    what = f"of {drawn['drawings']:,} digits drawn{who}, each shown with {len(drawn['widths'])} pens, read correctly"
    numbers.insert(1, (f"{drawn['rate']:.1%}", what))
st.html(
    '<div class="cv-headline">'
    + "".join(f"<div><b>{number}</b>{what}</div>" for number, what in numbers)
    + "</div>"
)
st.html(figures.layers_table(now.trace, drawings, model.parameters))

ui.heading("How good it is")
if evaluation:
    charts = ui.evaluation_charts(json.dumps(evaluation))
    names = [name for name in figures.EVALUATION if name in charts]
    mistakes = [name for name in names if "confusion" in name]
    left, right = st.columns(2, gap="large")
    for column, shown in ((left, mistakes), (right, [name for name in names if name not in mistakes])):
        with column:
            for tab, name in zip(
                st.tabs([figures.EVALUATION[name].title for name in shown]), shown, strict=True
            ):
                with tab:
                    st.markdown(figures.EVALUATION[name].says(evaluation))
                    ui.chart(charts[name], name, figures.EVALUATION[name].title)
else:
    st.info("How good these weights are has not been measured on this server.")

left, right = st.columns([4, 3], gap="large")
with left:
    ui.heading("How it was trained")
    before = earlier_epochs(card)
    errors, losses = st.tabs(["Errors", "Losses"])
    with errors:
        errors_figure = figures.training_figure(card["log"], card["test_error"], before, averaged_error(card))
        ui.chart(errors_figure, "training", "Errors")
    with losses:
        ui.chart(figures.loss_figure(card["log"], before), "losses", "Losses")
    ui.heading("How that differs from the paper")
    st.markdown(departures(card))
with right:
    ui.heading("What it was trained for")
    st.markdown(loss(card))
    ui.heading("What it cannot do")
    st.markdown("\n".join(f"- {limit}" for limit in limits(card, evaluation)))

with st.expander("Every fact about these weights"):
    st.markdown(card_table(card))
    if evaluation:
        st.markdown(measured_tables(evaluation))
st.markdown(
    "The network is that of Sara Sabour, Nicholas Frosst and Geoffrey Hinton, *Dynamic Routing Between Capsules* "
    "(NeurIPS 2017, [arXiv:1710.09829](https://arxiv.org/abs/1710.09829)). capsviz and its weights are free to use, in courses too, under the MIT licence."
)
