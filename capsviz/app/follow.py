"""The parts of a page that follow its drawing: a new one has these run again, and not the whole page around them.

A part is a fragment of Streamlit's. What else depends on the drawing (whether there is one to undo, a lesson's strip, an
answer that is covered) changes seldom: then the whole page runs, as it does after anything else.

A browser goes on sending from the page that it shows until it hears of the one that was asked for. What it sends then
comes to the server as of the page that has been left, behind the run of the new one.
"""

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from capsviz.texts import language, speaking

P = ParamSpec("P")
PARTS_KEY = "parts"  # {name: name of the part in which it stands, or ""} of the parts that the page has now
KNOWN_KEY = "parts_known"  # True once its whole run is through, if nothing else on it follows its drawing
PAGE_KEY = "parts_page"  # (its name, Streamlit's names of its script)
BACK_KEY = "parts_back"  # name of the page to which a run of one that has been left is to lead back
PAGE_PART = "page"  # the part that is all of a page but its frame
_around: ContextVar[str] = ContextVar("around", default="")  # name of the part that is being run


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
            state = st.session_state
            if _left():
                state[BACK_KEY], _ = state[PAGE_KEY]
                st.rerun()
            parts = state.setdefault(PARTS_KEY, {})
            for inner in [inner for inner, around in parts.items() if around == name]:
                del parts[inner]  # which may not come again
            outer = _around.set(name)
            try:
                with suppress(Ended), speaking(language()):
                    show(*args, **kwargs)
            finally:
                _around.reset(outer)

        part = st.fragment(shown, key=name)

        @wraps(show)
        def noted(*args: P.args, **kwargs: P.kwargs) -> None:
            part(*args, **kwargs)
            st.session_state[PARTS_KEY][name] = _around.get()

        return noted

    return made


def begin(page: str) -> None:
    """At the beginning of a run of the whole page: which parts it has is not known yet.

    Args:
        page: its name.
    """
    state, context = st.session_state, get_script_run_ctx()
    if context is not None:
        if _left():
            # A message for a part of the page before would have that page run again. Streamlit refuses one for a part
            # that it does not know; left to itself, it forgets the parts of a page only once the next has run.
            parts = state[PARTS_KEY].items()
            frame = [name for name, around in parts if not around and name != PAGE_PART]
            with suppress(StreamlitAPIException):  # one has no place yet: that run was cut off
                kept = context.fragment_storage.resolve_target(frame)
                context.fragment_storage.clear(frozenset(kept))
        # A page that is opened by its address is run under the name of the app; the browser then calls it by its own.
        names = {context.page_script_hash, context.pages_manager.current_page_script_hash}
        state[PAGE_KEY] = page, names
    state[PARTS_KEY] = {}
    state[KNOWN_KEY] = False


def back() -> str:
    """Name of the page that this run is to lead to, for it is one of a page that has been left; once."""
    return str(st.session_state.pop(BACK_KEY, ""))


def _left() -> bool:
    """Whether the page of this run is another than the one whose whole run began last."""
    context = get_script_run_ctx()
    _, scripts = st.session_state.get(PAGE_KEY, ("", ()))
    return context is not None and bool(scripts) and context.page_script_hash not in scripts


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
    if st.session_state.get(KNOWN_KEY) and not _left():  # on the way to another page, that runs as a whole
        # All of them, those within others too: of a part that is not named here, what the last run has said may still
        # be on its way, for a place that this run has yet to make again.
        st.rerun([name for name in st.session_state[PARTS_KEY] if name != without])
