"""capsviz: router and shared frame. Run with ``make app`` or ``streamlit run app.py``."""

from pathlib import Path

import streamlit as st

from capsviz import ui

DOCS = Path(__file__).with_name("docs")

st.set_page_config(page_title="capsviz", page_icon=str(DOCS / "icon.png"), layout="wide")
st.logo(str(DOCS / "logo.svg"), size="large")
page = st.navigation(
    [
        st.Page("pages/draw.py", title="Draw", default=True),
        st.Page("pages/routing.py", title="Routing"),
        st.Page("pages/pose.py", title="Pose"),
        st.Page("pages/model.py", title="Model"),
    ],
    position="top",
)
with ui.frame():
    page.run()
