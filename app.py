"""capsviz: router and shared frame. Run with ``make app`` or ``streamlit run app.py``."""

from pathlib import Path

import streamlit as st

from capsviz import ui

DOCS = Path(__file__).with_name("docs")

st.set_page_config(page_title="capsviz", page_icon=str(DOCS / "icon.png"), layout="wide")
st.logo(str(DOCS / "logo.svg"), size="large")
# The scripts' folder is not called pages: of such a one Streamlit makes a list of its own, and shows it until
# this file has run.
page = st.navigation(
    [
        st.Page("views/draw.py", title="Draw", default=True),
        st.Page("views/routing.py", title="Routing"),
        st.Page("views/pose.py", title="Pose"),
        st.Page("views/model.py", title="Model"),
    ],
    position="top",
)
with ui.frame():
    page.run()
