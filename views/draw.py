import streamlit as st

from capsviz import figures, ui

ui.question(
    "What does it see, and how sure is it?",
    ("views/routing.py", "Why this digit?"),
    ("views/pose.py", "What its numbers mean"),
    ("views/model.py", "Every layer in numbers"),
)
trace, reconstructions = ui.answered()
st.html(figures.pipeline_strip(trace, reconstructions[-1, trace.prediction]))
st.html(figures.reconstruction_panels(trace, reconstructions[-1]))
