"""The menu of networks, in the frame of every page: what each is, how often it is wrong, and how large it is."""

import re
from functools import lru_cache
from pathlib import Path

import streamlit as st

from capsviz.app import prepared, session
from capsviz.errors import WeightsError
from capsviz.models.weights import available, beside, load_card, locate
from capsviz.networks.base import Spec, find
from capsviz.texts import noun, say
from capsviz.texts.numbers import grouped, per_cent
from capsviz.traces.base import INDEPENDENT

MENU_KEY = "network_menu"
_MARKS = re.compile(r"([\\`*_{}\[\]()#+!:|~<>$])")


def menu(first: bool) -> None:
    """A button with the name of the network that answers, which opens a list of all; nothing where there is but one.

    Args:
        first: whether this is the session's first run, for which Streamlit does not call for a known control.
    """
    names = available()
    if len(names) < 2 or prepared.hidden("network"):
        return
    with st.container(width="content", key="networks"):
        chosen = st.menu_button(
            say("network.menu", network=plain(session.spec().title)),
            names,
            key=MENU_KEY,
            format_func=lambda name: entry(find(name), name == session.network()),
            on_click=_choose,
            **prepared.sign("network"),
        )
    if first and chosen:
        _choose()
        st.rerun()


def _choose() -> None:
    name = st.session_state[MENU_KEY]
    if name in available():
        session.set_network(name)


def entry(spec: Spec, answers: bool) -> str:
    """What the list says of a network, as a Markdown label: title, what it is, what its card says of it."""
    shape = spec.shape
    kind = (
        shape.routing
        or f"plain{'Independent' if shape.score == INDEPENDENT else 'Poses' if shape.pose else ''}"
    )
    mark = ":material/check: " if answers else ""
    line = say(
        f"network.line.{kind}", classes=len(shape.classes), kinds=noun(shape.kind, 2), count=shape.pose
    )
    return f"**{mark}{plain(spec.title)}** {plain(line)} *{plain(_facts(spec))}*"


def _facts(spec: Spec) -> str:
    """Error and parameters; they come from the card, so that PyTorch need not be loaded for a list."""
    path = locate(spec.name)
    try:
        error, parameters = _card(path, beside(path, "card.json").stat().st_mtime_ns)
    except (OSError, WeightsError):
        return say("network.noCard")
    kinds = noun(spec.shape.kind, 2, "pictured")
    return say("network.facts", error=per_cent(error), kinds=kinds, parameters=grouped(parameters))


@lru_cache(maxsize=256)
def _card(path: Path, changed: int) -> tuple[float, int]:
    """Test error and parameters of the card beside ``path``, read again when its file has ``changed``."""
    card = load_card(path)
    return card["test_error"], card["parameters"]


def plain(text: str) -> str:
    """A text as a label shows it, whatever Markdown it may hold."""
    return _MARKS.sub(r"\\\1", text)
