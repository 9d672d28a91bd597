"""The keyboard's shortcuts: one table, by which they work and by which they are listed behind "?"."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from capsviz.app import assets, prepared

_keys = assets.component("capsviz_keys", "keys")


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
        talk: whether it is one of presenter mode.
        begins: whether it works outside of that too.
        lock: of ``panels.LOCKS``, what is fixed where it does nothing.
        panel: on which it works.
    """

    name: str
    keys: tuple[str, ...]
    presses: str = ""
    pages: tuple[str, ...] = ()
    control: bool = False
    shift: bool = False
    talk: bool = False
    begins: bool = False
    lock: str = ""
    panel: str = ""


KEYS = (
    Key("predict", ("g",), presses="predict", lock="predict"),
    Key("undo", ("z",), control=True, lock="drawing", panel="pad"),
    Key("clear", ("Delete",), lock="drawing", panel="pad"),
    Key("step", ("ArrowLeft", "ArrowRight"), pages=("routing",), lock="step"),
    Key("ends", ("Home", "End"), pages=("routing",), lock="step"),
    Key("play", (" ",), pages=("routing",), lock="step", panel="clock"),
    Key("stepTwo", ("ArrowLeft", "ArrowRight"), pages=("compare",), lock="compare"),
    Key("endsTwo", ("Home", "End"), pages=("compare",), lock="compare"),
    Key("playTwo", (" ",), pages=("compare",), lock="compare"),
    Key("unchange", ("Delete",), pages=("compare",), lock="compare"),
    Key("class", ("0", "9"), pages=("routing",)),
    Key("unchoose", ("Escape",), pages=("routing",)),
    Key("halt", ("Escape",), pages=("pose",)),
    Key("next", ("n",)),
    Key("back", ("n",), shift=True),
    Key("present", ("p",), talk=True, begins=True),
    Key("forward", ("PageDown",), talk=True),
    Key("backward", ("PageUp",), talk=True),
    Key("blank", ("b",), talk=True),
    Key("again", (".",), talk=True),
    Key("view", ("v",), talk=True),
    Key("viewBack", ("v",), shift=True, talk=True),
    Key("speaker", ("s",), talk=True),
    Key("leave", ("Escape",), talk=True),
    Key("list", ("?",)),
)


def for_script(keys: Iterable[Key]) -> list[dict[str, Any]]:
    """The shortcuts as keys.js has them."""
    wanted = ("name", "keys", "presses", "control", "shift", "begins")
    return [{name: getattr(key, name) for name in wanted} for key in keys]


def keys(page: str) -> None:
    """Listen for the shortcuts of every page, and list those of this one behind a button.

    Args:
        page: name of the page.
    """
    here = [
        key
        for key in KEYS
        if (not key.pages or page in key.pages)
        and not (prepared.locked(key.lock) or prepared.hidden(key.panel))
    ]
    _keys(
        key="keys",
        data={
            "keys": for_script(here),
            "texts": assets.words("keys"),
        },
        width="content",
        height="content",
    )
