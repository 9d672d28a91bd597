import streamlit as st

from capsviz import ui, ui_routing

ui.question("Why did this capsule win?", ("pages/draw.py", "The whole way of the image"))
trace, reconstructions = ui.answered()
ui_routing.explorer(trace, reconstructions)
ui.heading("Surgery: what if routing went another way?")
st.markdown(
    "The same votes, coupled in another way. Routing often leaves the class as it was: take it away (c uniform), "
    "or half of the capsules, and see."
)
ui_routing.surgery()
