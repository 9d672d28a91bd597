import streamlit as st

from capsviz import figures, ui

ui.question("What does it see, and how sure is it?", door=("pages/model.py", "Every layer in numbers"))
trace, reconstructions = ui.answered()
st.html(figures.pipeline_strip(trace, reconstructions[trace.prediction]))
st.html(figures.reconstruction_panels(trace, reconstructions))
