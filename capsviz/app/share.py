"""Copy link, in the frame of every page: what the session says goes into the address, and a link of it with its QR code.

A script writes into the address bar. If Python did (``st.query_params``), Streamlit would put every stroke into the
browser's history, and what the views wrote beside it would be lost.
"""

from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import streamlit as st
from streamlit import config, net_util

from capsviz.app import address, assets, draft, pad, parameters, session, tour
from capsviz.app.follow import follows
from capsviz.errors import MessageError
from capsviz.inputs.preprocess import FIELD
from capsviz.texts import say

SHARE_KEY = "share"  # the component; its trigger: "wanted", a link of which a code is wanted
MOST_MODULES = 117  # of a code's side (version 25): more are too small for a phone that looks at a screen
LOCAL = ("localhost", "127.0.0.1", "::1")  # what every machine calls itself
CODES = 64  # that are kept for all sessions together

_share = assets.component("capsviz_share", "share")


@follows("share")
def share(page: str) -> None:
    """The control; only this part runs again for a code.

    Args:
        page: its name: on another one, Streamlit has emptied the address.
    """
    drawing = pad.current()
    carried = address.drawing_text(drawing)
    notes = [say("share.carries")]
    if carried is None:
        notes = [say("share.large", most=f"{parameters.LONGEST_DRAWING:,}")]
    elif drawing.picture is not None:
        notes.append(say("share.picture", size=FIELD))
    wanted = st.session_state.get(SHARE_KEY, {}).get("wanted")
    data = {
        "page": page,
        "says": session.said(page),
        "drawing": carried,  # in a link even where it is the first example: a tab may have kept another
        "notes": notes,
        "reach": _reach(),
        "code": None if wanted is None else _answer(wanted),
        "prepares": page != "lesson",
        "texts": assets.words("share"),
    }
    _share(key=SHARE_KEY, data=data, on_wanted_change=lambda: None, on_prepare_change=_prepare)
    if tour.PAGE_KEY in st.session_state:
        st.rerun()  # of the whole page, which then is another


def _prepare() -> None:
    """The page's link is to become one for a class."""
    try:
        draft.begin(address.link_of(st.session_state[SHARE_KEY].get("prepare")))
    except MessageError as error:
        st.session_state[pad.PROBLEM_KEY] = str(error)
    else:
        st.session_state[tour.PAGE_KEY] = "lesson"


def _answer(wanted: object) -> dict[str, Any]:
    """The code of a link that the page asks for, or one sentence about why there is none."""
    try:
        link = address.link_of(wanted)
    except MessageError as error:
        return {"problem": str(error)}
    found = qr_code(link)
    return {"problem": say("share.long")} if found is None else {"link": link} | found


@lru_cache(maxsize=CODES)
def qr_code(text: str) -> dict[str, Any] | None:
    """A text's QR code (ISO/IEC 18004), as strong against damage as its size allows.

    Returns:
        {"side": modules without the quiet zone, "path": its dark modules as an SVG path, 1 a module}; None of a text that
        would need more than ``MOST_MODULES``.
    """
    import segno

    try:
        rows = segno.make(text, error="l", micro=False).matrix
    except segno.DataOverflowError:
        return None
    if len(rows) > MOST_MODULES:
        return None
    path = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                path.append(f"M{x} {y}h{end - x}v1h{x - end}z")
            x = end + 1
    return {"side": len(rows), "path": "".join(path)}


def from_outside(link: str) -> str:
    """The same link as other devices of the network can open it; where the page was opened as localhost, theirs is another."""
    parts = urlsplit(link)
    if not _reach() or parts.hostname not in LOCAL:
        return link
    there = urlsplit(_reach())
    return urlunsplit((there.scheme, there.netloc, parts.path, parts.query, ""))


@cache
def _reach() -> str:
    """Where other devices of the network find this server, "http://192.168.0.7:8501"; "" where they cannot."""
    if config.get_option("server.address") not in (None, "0.0.0.0", "::"):
        return ""
    machine = net_util.get_internal_ip()
    return f"http://{machine}:{config.get_option('server.port')}" if machine else ""
