"""The keyboard's shortcuts: one table, by which they work and by which they are listed behind "?"."""

from dataclasses import dataclass

import streamlit as st

from capsviz import texts
from capsviz.figures.bundle import browser_assets

_script, _style = browser_assets("keys", "keys")
_keys = st.components.v2.component("capsviz_keys", js=_script, css=_style)


@dataclass(frozen=True)
class Key:
    """One shortcut; its words are the text keys.NAME.

    Attributes:
        name: of what it does.
        keys: that do it, as ``KeyboardEvent.key`` has them.
        presses: key of the control that it stands for, on every page; "" where a view listens by itself.
        pages: names of the pages that have it; none for all.
        control: whether Control (on a Mac: Command) is held.
        shift: whether Shift is held.
    """

    name: str
    keys: tuple[str, ...]
    presses: str = ""
    pages: tuple[str, ...] = ()
    control: bool = False
    shift: bool = False


KEYS = (
    Key("predict", ("g",), presses="predict"),
    Key("undo", ("z",), control=True),
    Key("clear", ("Delete",)),
    Key("step", ("ArrowLeft", "ArrowRight"), pages=("routing",)),
    Key("ends", ("Home", "End"), pages=("routing",)),
    Key("play", (" ",), pages=("routing",)),
    Key("class", ("0", "9"), pages=("routing",)),
    Key("unchoose", ("Escape",), pages=("routing",)),
    Key("halt", ("Escape",), pages=("pose",)),
    Key("next", ("n",)),
    Key("back", ("n",), shift=True),
    Key("list", ("?",)),
)


def keys(page: str) -> None:
    """Listen for the shortcuts of every page, and list those of this one behind a button.

    Args:
        page: name of the page.
    """
    here = [key for key in KEYS if not key.pages or page in key.pages]
    _keys(
        key="keys",
        data={
            "keys": [
                {
                    "name": key.name,
                    "keys": key.keys,
                    "presses": key.presses,
                    "control": key.control,
                    "shift": key.shift,
                }
                for key in here
            ],
            "texts": texts.for_script("common", "keys"),
        },
        width="content",
        height="content",
    )
