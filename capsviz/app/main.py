"""Router and shared frame of every page."""

import streamlit as st

from capsviz.app import ui

st.set_page_config(page_title="capsviz", page_icon=str(ui.DOCS / "icon.png"), layout="wide")
st.logo(str(ui.DOCS / "logo.svg"), size="large")
page = st.navigation(
    [
        st.Page(ui.PAGES / "draw.py", title="Draw", default=True),
        st.Page(ui.PAGES / "routing.py", title="Routing"),
        st.Page(ui.PAGES / "pose.py", title="Pose"),
        st.Page(ui.PAGES / "model.py", title="Model"),
    ],
    position="top",
)
with ui.frame():
    page.run()
