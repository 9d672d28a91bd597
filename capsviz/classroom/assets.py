"""The phone's page: its HTML, and the script and style that it loads under names that change with what is in them."""

import gzip
import hashlib
import html
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from capsviz import texts
from capsviz.figures.bundle import FOLDER, bundle
from capsviz.inputs.drawings import PAD, WIDTH
from capsviz.texts import say

ICON = Path(__file__).resolve().parents[2] / "docs" / "logo.svg"
TABLES = ("class.phone", "common")
# Words that the app has for the same things.
SHARED = (
    *("frame.length", "frame.probability", "frame.unsure", "frame.none", "frame.softmax", "frame.dashed"),
    *("draw.scores.length", "draw.scores.probability", "pad.undo", "pad.clear", "guess.ask", "guess.show"),
    *("guess.right", "guess.wrong", "guess.none"),
)


@dataclass(frozen=True)
class Asset:
    """A file of the page.

    Attributes:
        name: with a hash of what is in it: it never changes.
        content: as it is, and packed.
        type: of its content.
    """

    name: str
    content: bytes
    packed: bytes
    type: str


@cache
def assets() -> dict[str, Asset]:
    """All files of the page by their names."""
    files = {
        "phone.js": (bundle("phone").encode(), "text/javascript; charset=utf-8"),
        "phone.css": ((FOLDER / "phone.css").read_bytes(), "text/css; charset=utf-8"),
        "icon.svg": (ICON.read_bytes(), "image/svg+xml"),
    }
    made = {}
    for name, (content, kind) in files.items():
        stem, _, ending = name.partition(".")
        hashed = f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
        made[hashed] = Asset(hashed, content, gzip.compress(content, 9, mtime=0), kind)
    return made


def page() -> str:
    """The page's HTML in the language that is spoken; all addresses in it are relative to the folder that it is in."""
    said = texts.for_script(*TABLES)
    said["texts"] = said["texts"] | {name: texts.texts(texts.language())[name] for name in SHARED}
    given = _in_script({"words": said, "side": PAD, "width": WIDTH})
    title = html.escape(say("class.phone.title"))
    return f"""<!doctype html>
<html lang="{texts.language()}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="#101317">
<title>{title}</title>
<link rel="icon" href="assets/{_named("icon.svg")}">
<link rel="stylesheet" href="assets/{_named("phone.css")}">
<script type="application/json" id="given">{given}</script>
<script type="module" src="assets/{_named("phone.js")}"></script>
</head>
<body><main id="phone"></main><noscript>{html.escape(say("class.phone.noScript"))}</noscript></body>
</html>
"""


def _named(name: str) -> str:
    stem, _, ending = name.partition(".")
    return next(found for found in assets() if found.startswith(f"{stem}-") and found.endswith(f".{ending}"))


def _in_script(value: Any) -> str:
    """JSON that no text in it can end."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
