"""capsviz's server: ``make app``, or ``streamlit run app.py``. What it serves begins in capsviz/app/main.py."""

import streamlit as st

from capsviz.app.classes import class_routes
from capsviz.app.fetched import asset_routes
from capsviz.app.server import ask_nobody_outside, started, unreadable

ask_nobody_outside()
# Streamlit finds this assignment in the text of the file. The router stands elsewhere: beside it, the folder pages/
# would pass for one of Streamlit's own kind, whose list of pages it shows until the router has run.
routes = [*asset_routes(), *class_routes()]
app = st.App("capsviz/app/main.py", routes=routes, lifespan=started, on_script_error=unreadable)
