"""The list of languages, in the frame of every page, each by its own name; there is none where there is but one."""

import json

import streamlit as st

from capsviz.app import prepared, session
from capsviz.texts import language, languages, name_of

LIST_KEY = "language_list"


def choice(first: bool) -> None:
    """A button with the name of the language that is spoken, which opens the list; the document's language follows.

    Args:
        first: whether this is the session's first run, for which Streamlit does not call for a known control.
    """
    spoken = language()
    # Screen readers pronounce by it, and browsers hyphenate.
    script = f"<script>document.documentElement.lang = {json.dumps(spoken)};</script>"
    with st.container(key="languages"):
        st.html(script, unsafe_allow_javascript=True)
        if len(languages()) < 2:
            return
        chosen = st.menu_button(
            name_of(spoken),
            languages(),
            key=LIST_KEY,
            format_func=lambda code: f"{':material/check: ' if code == spoken else ''}{name_of(code)}",
            on_click=_choose,
            **prepared.sign("language", ":material/translate:"),
        )
    if first and chosen:
        _choose()
        st.rerun()


def _choose() -> None:
    code = st.session_state[LIST_KEY]
    if code in languages():
        session.set_language(code)
