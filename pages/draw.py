import html

import streamlit as st

from capsviz import figures
from capsviz.app import guess, prepared, replay, session
from capsviz.app.follow import PAGE_PART, follows
from capsviz.app.pages import Page
from capsviz.texts import say

PAGE = Page(0, doors=("routing", "pose", "overlap", "compare"))


@follows(PAGE_PART)
def show() -> None:
    now, without = session.answered(), prepared.now().hide
    if guess.covered():
        _html(figures.pipeline_strip(now.trace, covered=True, without=without))
        return
    if now.reconstructions is None:
        _html(figures.pipeline_strip(now.trace, without=without))
        said = say("draw.nothingRedrawn", network=session.spec().title)
        st.html(f'<p class="cv-note">{html.escape(said)}</p>')
    else:
        drawn, shape = now.reconstructions[-1], now.trace.shape
        places = figures.named(
            now.trace.scores[-1], session.model().card["unsure_below"], answers=shape.answers
        )
        redrawn = drawn[list(places)] if shape.answers > 1 else drawn[now.trace.prediction]
        _html(figures.pipeline_strip(now.trace, redrawn, without=without, places=places))
        _html(figures.reconstruction_panels(now.trace, drawn, without, places))
    if "replay" not in without:
        replay.replay()


def _html(what: str) -> None:
    if what:  # not all of it was taken away
        st.html(what)


if __name__ == "__main__":
    show()
