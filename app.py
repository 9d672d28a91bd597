"""capsviz: router and shared frame. Run with ``make app`` or ``streamlit run app.py``."""

import streamlit as st

from capsviz import ui

st.set_page_config(page_title="capsviz", page_icon="docs/icon.png", layout="wide")
st.logo("docs/logo.svg", size="large")
page = st.navigation(
    [
        st.Page("pages/draw.py", title="Draw", default=True),
        st.Page("pages/model.py", title="Model"),
    ],
    position="top",
)
with ui.frame():
    page.run()
