"""A page as somebody prepared it for a class: a link takes panels away, fixes controls, and asks a question of its own.

What is taken away is not drawn, or by a rule that stands before it is; scripts read both on the document
(figures/browser/prepared.js). What is fixed is refused here too, whatever a browser sends.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from capsviz.app.address import Asked
from capsviz.app.panels import PAGE_LOCK
from capsviz.app.parameters import ASK, HIDE, LOCK, ON
from capsviz.texts import say

PREPARED_KEY = "prepared"  # Prepared: none of a session whose link has nothing of it
# Of what Python draws and yet must be there: pad.js looks whether the page has come. Each stands in a box of the rail.
BOXES = {
    "pad": (".st-key-canvas", ".st-key-tools", ".st-key-inputs", ".st-key-crop"),
    "answer": (".cv-reading", ".cv-device"),
}
# What no script of a view fixes: the canvas, which is another's, and the bar of pages with the doors.
FIXED = {
    "drawing": ".st-key-canvas { pointer-events: none; }",
    PAGE_LOCK: (
        ':is([data-testid="stTopNavLinkContainer"], [data-testid="stSidebarNav"], .st-key-start, .stLogo) '
        "{ display: none !important; }"
    ),
}
SCRIPT = (
    "if (window.name === 'capsviz-preview') document.documentElement.dataset.preview = ''; "
    "Object.assign(document.documentElement.dataset, %s); window.dispatchEvent(new Event('capsviz-prepared'));"
)


@dataclass(frozen=True)
class Prepared:
    """What a link prepared.

    Attributes:
        hide: names of panels (``panels.HIDEABLE``) that are taken away.
        lock: names of controls (``panels.LOCKS``) that are fixed.
        ask: the question in the heading; "" for the page's own.
        page: name of the page whose heading it is, and which ``PAGE_LOCK`` keeps to; "" until one is opened.
    """

    hide: tuple[str, ...] = ()
    lock: tuple[str, ...] = ()
    ask: str = ""
    page: str = ""


def now() -> Prepared:
    """What is prepared in this session."""
    found: Prepared = st.session_state.get(PREPARED_KEY, Prepared())
    return found


def prepares(asked: Asked) -> bool:
    """Whether a link prepares a page."""
    return (asked.hide, asked.lock, asked.ask) != (None, None, None)


def begin(asked: Asked) -> None:
    """Follow a link that prepares a page: what another one prepared is over."""
    if prepares(asked):
        st.session_state[PREPARED_KEY] = Prepared(
            asked.hide or (), asked.lock or (), asked.ask or "", asked.on or ""
        )


def said() -> dict[str, str]:
    """What the address says of it."""
    found = now()
    keeps = found.ask or PAGE_LOCK in found.lock
    values = {
        HIDE: ".".join(found.hide),
        LOCK: ".".join(found.lock),
        ASK: found.ask,
        ON: found.page if keeps else "",
    }
    return {name: value for name, value in values.items() if value}


def leave() -> None:
    """Show everything, and let go of everything."""
    st.session_state.pop(PREPARED_KEY, None)


def hidden(panel: str) -> bool:
    """Whether a panel is taken away."""
    return panel in now().hide


def locked(control: str) -> bool:
    """Whether a control is fixed."""
    return control in now().lock


def sign(
    control: str, icon: str | None = None, help: str | None = None
) -> dict[str, Any]:  # Streamlit's word
    """What a button of Streamlit's is given besides: nothing can be done with one that is fixed, and it says so.

    Args:
        control: of ``panels.LOCKS``.
        icon: that it has otherwise.
        help: its tooltip otherwise.
    """
    if not locked(control):
        return {"icon": icon, "help": help, "disabled": False}
    return {"icon": ":material/lock:", "help": say("common.fixed"), "disabled": True}


def opened(page: str) -> str:
    """A page is about to be shown; the name of the one that must be shown in its place, or "".

    Args:
        page: its name.
    """
    found = now()
    if found == Prepared():
        return ""
    if not found.page:
        st.session_state[PREPARED_KEY] = replace(found, page=page)
        return ""
    return found.page if locked(PAGE_LOCK) and page != found.page else ""


def question(page: str) -> str:
    """The question that was prepared for a page; "" for none."""
    found = now()
    return found.ask if page == found.page else ""


def declare() -> None:
    """Say on the document what is taken away and fixed; first of all on a page, before any view stands."""
    found = now()
    gone = [box for name, boxes in BOXES.items() if name in found.hide for box in boxes]
    rules = [f".st-key-rail > :is({box}, :has({box})) {{ display: none !important; }}" for box in gone]
    if set(BOXES) <= set(found.hide):
        rules.append(":has(> .st-key-rail) { display: none !important; }")
    rules += [FIXED[name] for name in FIXED if name in found.lock]
    st.html(f"<style>{' '.join(rules)}</style>")
    said = json.dumps({"hide": " ".join(found.hide), "lock": " ".join(found.lock)})
    with st.container(key="declared"):
        st.html(f"<script>{SCRIPT % said}</script>", unsafe_allow_javascript=True)
