import streamlit as st

from capsviz import figures, ui

ui.question("What does it see, and how sure is it?")
trace, reconstructions = ui.answered()
st.html(figures.pipeline_strip(trace, reconstructions[trace.prediction]))
st.page_link("pages/model.py", label="Every layer in numbers", icon=":material/arrow_forward:")
st.html(figures.reconstruction_panels(trace, reconstructions))
