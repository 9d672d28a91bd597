import streamlit as st

from capsviz import figures, ui
from capsviz.weights import LOSS, card_table, departures, limits

ui.question("What is this network, and how good is it?")
now, model = ui.reading(), ui.network()
drawings = None if now.reconstructions is None else now.reconstructions[-1]
card = model.card

st.html(
    '<div class="cv-headline">'
    f"<div><b>{1 - card['test_error']:.2%}</b>of MNIST’s 10,000 test digits read right "
    "(the paper’s own network: 99.75%)</div>"
    f"<div><b>{sum(model.parameters.values()):,}</b>parameters, exactly the paper’s network</div></div>"
)
st.html(figures.layers_table(now.trace, drawings, model.parameters))

left, right = st.columns([3, 2], gap="large")
with left:
    ui.heading("How it was trained")
    st.plotly_chart(
        figures.training_figure(card["log"], card["test_error"]),
        key="training",
        config={"displayModeBar": False},
    )
    ui.heading("What it was trained for")
    st.markdown(f"{LOSS} {departures(card)}")
with right:
    ui.heading("What it cannot do")
    st.markdown("\n".join(f"- {limit}" for limit in limits(card)))

with st.expander("Every fact about these weights"):
    st.markdown(card_table(card))
st.markdown(
    "The network is that of Sara Sabour, Nicholas Frosst and Geoffrey Hinton, *Dynamic Routing Between Capsules* "
    "(NeurIPS 2017, [arXiv:1710.09829](https://arxiv.org/abs/1710.09829)). capsviz and its weights are free to use, in courses too, under the MIT licence."
)
