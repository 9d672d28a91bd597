"""What a view asks for, as its component's state has it: the last that could be read stays, whatever becomes of the component."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from capsviz.app import prepared
from capsviz.errors import MessageError

T = TypeVar("T")


def sent(component: str, state: str) -> object:
    """What a component's script has reported last; None if nothing."""
    found: object = st.session_state.get(component, {}).get(state)
    return found


def latest(found: object, parse: Callable[[object], T], last: T, kept: str, lock: str) -> tuple[T, str]:
    """What is to be shown: what was asked for or, if that cannot be read, what was shown before, and why.

    Args:
        found: what the script sent; None if nothing.
        parse: makes a checked value of it, or raises MessageError.
        last: what was shown before.
        kept: key of the session's state, under which a value that could be read outlasts the page and its component.
        lock: of ``panels.LOCKS``: fixed, nothing new is shown.
    """
    if found is None or prepared.locked(lock):
        return last, ""
    try:
        asked = parse(found)
    except MessageError as error:
        return last, str(error)
    st.session_state[kept] = asked
    return asked, ""
