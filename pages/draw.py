import streamlit as st

from capsviz import figures
from capsviz.app import session
from capsviz.app.pages import Page
from capsviz.traces.base import POSES

PAGE = Page(0, doors=("routing", "pose", "model"), needs=frozenset({POSES}))


def show() -> None:
    trace, reconstructions = session.answered()
    st.html(figures.pipeline_strip(trace, reconstructions[-1, trace.prediction]))
    st.html(figures.reconstruction_panels(trace, reconstructions[-1]))


if __name__ == "__main__":
    show()
