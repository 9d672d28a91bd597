"""Router and shared frame of every page."""

from pathlib import Path

import streamlit as st

from capsviz.app import compare, follow, frame, prepared, session, talk, tour, versus
from capsviz.app.pages import FOLDER, offered
from capsviz.texts import say

DOCS = Path(__file__).resolve().parents[2] / "docs"

st.set_page_config(page_title="capsviz", page_icon=str(DOCS / "icon.png"), layout="wide")
st.logo(str(DOCS / "logo.svg"), size="large")
asked = session.begin()
compare.begin(asked)
versus.begin(asked)
tour.begin(asked)
talk.begin(asked)
known = {
    page.name: (
        page,
        st.Page(
            FOLDER / f"{page.name}.py",
            title=say(f"{page.name}.title"),
            url_path=page.name,
            default=not page.place,
            visibility="hidden" if page.under else "visible",
        ),
    )
    for page in offered()
}
led_back = follow.back()
if led_back in known:
    st.switch_page(known[led_back][1])  # before the address is that of the page that was left
chosen = st.navigation([of_streamlit for _, of_streamlit in known.values()], position="top")
page = next(page for page, of_streamlit in known.values() if of_streamlit is chosen)
wanted = prepared.opened(page.name) or tour.page()
if wanted in known and wanted != page.name:
    st.switch_page(known[wanted][1])
with frame.frame(page):
    frame.opened(page)
    chosen.run()
