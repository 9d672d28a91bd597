"""The parts of a page that follow its drawing: a new one has these run again, and not the whole page around them.

A part is a fragment of Streamlit's. What else depends on the drawing (whether there is one to undo, a lesson's strip, an
answer that is covered) changes seldom: then the whole page runs, as it does after anything else.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec

import streamlit as st

from capsviz.texts import language, speaking

P = ParamSpec("P")
PARTS_KEY = "parts"  # {name: None} of the parts that the page has had in its last whole run, in their order
KNOWN_KEY = "parts_known"  # True once that run is through, if nothing else on the page follows its drawing
PAGE_PART = "page"  # the part that is all of a page but its frame


class Ended(Exception):  # noqa: N818 # no error
    """A page has said all that it has to say; the frame goes on."""


def follows(name: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make of a function a part of the page that follows its drawing.

    A control in it has this part alone run again; where more depends on one, its callback says so (``st.rerun``).

    Args:
        name: of the part.
    """

    def made(show: Callable[P, None]) -> Callable[P, None]:
        @wraps(show)
        def shown(*args: P.args, **kwargs: P.kwargs) -> None:
            with suppress(Ended), speaking(language()):
                show(*args, **kwargs)

        part = st.fragment(shown, key=name)

        @wraps(show)
        def noted(*args: P.args, **kwargs: P.kwargs) -> None:
            st.session_state.setdefault(PARTS_KEY, {})[name] = None
            part(*args, **kwargs)

        return noted

    return made


def begin() -> None:
    """At the beginning of a run of the whole page: which parts it has is not known yet."""
    st.session_state[PARTS_KEY] = {}
    st.session_state[KNOWN_KEY] = False


def settle(nothing_else: bool) -> None:
    """At its end.

    Args:
        nothing_else: whether nothing on the page but its parts follows the drawing.
    """
    st.session_state[KNOWN_KEY] = nothing_else and PAGE_PART in st.session_state[PARTS_KEY]


def run_parts(without: str = "") -> None:
    """Last in a callback that has put another drawing on the pad: have the parts run and no more, where that is enough.

    Args:
        without: name of a part that knows of the drawing already.
    """
    if st.session_state.get(KNOWN_KEY):
        st.rerun([name for name in st.session_state[PARTS_KEY] if name != without])
