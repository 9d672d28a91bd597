"""The Class page: opens a class, and says where phones find it. All else its script asks the routes below /c for.

The presenter's secret is sent to the browser that has opened the class, which keeps it (figures/browser/wall_kept.js).
"""

from functools import lru_cache
from typing import Any

import streamlit as st

from capsviz.app import assets, messages, reach, session, share
from capsviz.app.classes import classroom
from capsviz.app.pages import pages
from capsviz.classroom.messages import MOST_CHOICE, MOST_CHOICES, MOST_TEXT
from capsviz.classroom.names import plain_code
from capsviz.classroom.refusals import Refused
from capsviz.classroom.web import ROOT
from capsviz.errors import CapsvizError
from capsviz.figures.theme import class_colours
from capsviz.models.weights import available
from capsviz.networks.base import find
from capsviz.texts import language, say

WALL_KEY = "wall"  # the component; it sends: "open", "code"
OPENED_KEY = (
    "wall_opened"  # what became of opening a class: {"number", and "code" with "secret", or "problem"}
)
DOORS = (
    "routing",
    "pose",
    "compare",
)  # pages in which a drawing can be opened, of those that its network fills

_wall = assets.component("capsviz_wall", "wall")


@st.fragment
def wall() -> None:
    """All of the page."""
    code = plain_code(str(st.session_state.get(WALL_KEY, {}).get("code", "")))
    data = {
        "network": session.network(),
        "networks": {name: _known(name) for name in available()},
        "opened": st.session_state.get(OPENED_KEY),
        "code": code,
        "links": []
        if code is None
        else [_link(base, code) for base in reach.addresses(st.context.url or "")],
        "root": ROOT,
        "most": {"text": MOST_TEXT, "choice": MOST_CHOICE, "choices": MOST_CHOICES},
        "texts": assets.words("wall"),
    }
    _wall(key=WALL_KEY, data=data, on_open_change=_open, on_code_change=lambda: None)


def _known(name: str) -> dict[str, Any]:
    """What the script needs to know of a network."""
    spec = find(name)
    able = {page.name for page in pages() if page.needs <= spec.offers}
    return {
        "title": spec.title,
        "classes": spec.shape.classes,
        "colours": class_colours(len(spec.shape.classes)),
        "kind": spec.shape.kind,
        "score": spec.shape.score,
        "size": spec.shape.size,
        "doors": {door: say(f"{door}.title") for door in DOORS if door in able},
    }


@lru_cache(maxsize=256)
def _link(base: str, code: str) -> dict[str, Any]:
    """Where phones join by one of the server's addresses, and its QR code."""
    link = f"{base}/{ROOT}/{code}"
    return {"link": link, "local": reach.is_local(link), **(share.qr_code(link) or {})}


def _open() -> None:
    try:
        number = messages.parse_number(st.session_state[WALL_KEY].get("open"))
    except CapsvizError:
        return
    if st.session_state.get(OPENED_KEY, {}).get("number") == number:
        return
    try:
        opened = classroom().open(session.network(), language())
        found = {"code": opened.code, "secret": opened.secret}
    except Refused as error:
        found = {"problem": str(error)}
    except CapsvizError as error:  # what it says is for who runs the server
        print(f"capsviz: {error}", flush=True)
        found = {"problem": say("class.wall.unopened")}
    st.session_state[OPENED_KEY] = {"number": number, **found}
