import html

import streamlit as st

from capsviz import figures
from capsviz.app import guess, replay, session
from capsviz.app.pages import Page
from capsviz.texts import say

PAGE = Page(0, doors=("routing", "pose", "model"))


def show() -> None:
    now = session.answered()
    if guess.covered():
        st.html(figures.pipeline_strip(now.trace, covered=True))
        return
    if now.reconstructions is None:
        st.html(figures.pipeline_strip(now.trace))
        said = say("draw.nothingRedrawn", network=session.spec().title)
        st.html(f'<p class="cv-note">{html.escape(said)}</p>')
    else:
        drawn = now.reconstructions[-1]
        st.html(figures.pipeline_strip(now.trace, drawn[now.trace.prediction]))
        st.html(figures.reconstruction_panels(now.trace, drawn))
    replay.replay()


if __name__ == "__main__":
    show()
