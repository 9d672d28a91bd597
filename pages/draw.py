import streamlit as st

from capsviz import figures
from capsviz.app import ui

ui.question(
    "What does it see, and how sure is it?",
    ("routing", "Why this digit?"),
    ("pose", "What its numbers mean"),
    ("model", "Every layer in numbers"),
)
trace, reconstructions = ui.answered()
st.html(figures.pipeline_strip(trace, reconstructions[-1, trace.prediction]))
st.html(figures.reconstruction_panels(trace, reconstructions[-1]))
