"""The app's components, whose scripts and styles never change and lie behind addresses that hold a hash of them.

A browser asks for such a file once and keeps it for all its sessions; over a session's websocket it would come with
every message. The addresses are relative to the app's, so that they hold below any prefix (routes: fetched.py).
"""

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import streamlit as st

from capsviz.figures.bundle import browser_assets

ROOT = "assets"

# The scripts of the app's components, and their style sheets.
SCRIPTS: dict[str, tuple[str, ...]] = {
    "attention": ("routing", "attention"),
    "attention_surgery": ("surgery",),
    "compare": ("compare",),
    "explorer": ("routing",),
    "exporting": ("panel", "exporting"),
    "inside": ("routing", "attention", "inside"),
    "keys": ("keys",),
    "lesson_link": ("panel", "lesson_link"),
    "overlap": ("overlap",),
    "pad": (),
    "picture": ("picture",),
    "pose": ("pose",),
    "replay": ("replay",),
    "share": ("panel", "share"),
    "store": (),
    "surgery": ("surgery",),
    "talk": ("talk",),
    "tour": ("tour",),
    "transforms": (),
    "wall": ("wall",),
}
# What a component's message has in place of its script. While that comes, a page may ask for the component more than
# once: of these the last is mounted. A fragment of the address, which no server sees, makes the browser try again.
_LOADER = """\
const address = new URL(%s, document.baseURI).href;
const come = (times) => import(`${address}#${times}`).catch(async (error) => {
  if (times === 5) throw error;
  await new Promise((wait) => setTimeout(wait, 1000));
  return come(times + 1);
});
const wanted = new WeakMap();
let script;
export default async (component) => {
  wanted.set(component.parentElement, component);
  script ??= await come(1);
  if (wanted.get(component.parentElement) === component) return script.default(component);
};
"""
# The script as it is fetched, with its style, which is put beside what it mounts.
_STYLED = """\
%s
const $style = %s;
export default (component) => {
  if ($style && !component.parentElement.querySelector("style.capsviz")) {
    const sheet = document.createElement("style");
    sheet.className = "capsviz";
    sheet.textContent = $style;
    component.parentElement.prepend(sheet);
  }
  return $%s.default(component);
};
"""


@dataclass(frozen=True)
class Asset:
    """A file.

    Attributes:
        name: with a hash of what is in it.
        packed: its content, in gzip's format.
        type: of its content.
    """

    name: str
    packed: bytes
    type: str

    @property
    def address(self) -> str:
        """Where it is, from any page of the app."""
        return f"{ROOT}/{self.name}"


def component(name: str, script: str) -> Any:
    """Declare a component of the page whose script and style the browser fetches, and keeps.

    Args:
        name: of the component.
        script: one of ``SCRIPTS``.
    """
    return st.components.v2.component(name, js=_LOADER % json.dumps(script_asset(script).address))


@cache
def script_asset(script: str) -> Asset:
    """One of ``SCRIPTS``, with its style."""
    source, style = browser_assets(script, *SCRIPTS[script])
    # It has but one default export, which is that of the script.
    source = source.replace(f"export default ${script}.default;\n", "")
    content = (_STYLED % (source, json.dumps(style), script)).encode()
    return hashed(script, "js", content, "text/javascript; charset=utf-8")


def hashed(stem: str, ending: str, content: bytes, kind: str) -> Asset:
    """A file of this content; its name is ``stem-HASH.ending``."""
    name = f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
    return Asset(name, gzip.compress(content, 6, mtime=0), kind)
