"""The app's components, whose scripts, styles and words never change and lie behind addresses that hold a hash of them.

A browser asks for such a file once and keeps it for all its sessions; over a session's websocket it would come with
every message. The addresses are relative to the app's, so that they hold below any prefix (routes: fetched.py).
"""

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import streamlit as st

from capsviz import texts
from capsviz.app import address
from capsviz.figures.bundle import FOLDER, browser_assets, bundle

ROOT = "assets"
SCRIPT_TYPE = "text/javascript; charset=utf-8"

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
    "versus": ("routing", "versus"),
    "wall": ("wall",),
}
# The tables of texts that a script is sent to speak with (texts.js), where it is no live view with words in its payload.
WORDS: dict[str, tuple[str, ...]] = {
    "attention_surgery": ("common", "surgery", "attention.surgery"),
    "exporting": ("common", "export"),
    "keys": ("common", "keys"),
    "lesson_link": ("common", "share", "lesson"),
    "pad": ("common", "pad"),
    "picture": ("common", "picture"),
    "replay": ("common", "replay"),
    "share": ("common", "share"),
    "surgery": ("common", "surgery", "coupling"),
    "talk": ("common", "talk"),
    "tour": ("tour",),
    "wall": ("common", "share", "class.wall", "guess"),
}
# What a script is given with its words, and needs in no message: names of the address's parameters.
FIXED: dict[str, dict[str, Any]] = {
    "share": {"written": address.WRITTEN, "known": address.names(), "others": address.OTHERS},
}
SPEAKER = "speaker"  # its page's name
NOTES = (
    "window",
    "gone",
    "ahead",
    "last",
    "noteless",
    "next",
    "back",
    "blank",
    "start",
    "clock",
)  # its words
# Brings a component's script and, where "texts" is their address, its words. While these come, a page may ask for the
# component more than once: of these the last is mounted. A fragment of the address, which no server sees, makes the
# browser try again.
_LOADING = """\
const come = (address, times = 1) => import(`${new URL(address, document.baseURI).href}#${times}`).catch(async (error) => {
  if (times === 5) throw error;
  await new Promise((wait) => setTimeout(wait, 1000));
  return come(address, times + 1);
});
const wanted = new WeakMap();
export default async (address, component) => {
  const { data, parentElement } = component;
  wanted.set(parentElement, component);
  const [script, words] = await Promise.all([come(address), typeof data?.texts === "string" && come(data.texts)]);
  if (wanted.get(parentElement) !== component) return;
  return script.default(words ? { ...component, data: { ...words.fixed, ...data, texts: words.default } } : component);
};
"""
LOADING = "loading"  # its name
# What a component's message has in place of all that.
_LOADER = """\
const come = (times) => import(new URL("%s", document.baseURI).href + "#" + times).catch(async (error) => {
  if (times === 5) throw error;
  await new Promise((wait) => setTimeout(wait, 1000));
  return come(times + 1);
});
export default async (component) => (await come(1)).default("%s", component);
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
    return st.components.v2.component(name, js=loader(script_asset(script).address))


def loader(address: str) -> str:
    """A module that mounts the script at an address."""
    return _LOADER % (loading_asset().address, address)


@cache
def loading_asset() -> Asset:
    """The module that all of these share."""
    return hashed(LOADING, "js", _LOADING.encode(), SCRIPT_TYPE)


@cache
def script_asset(script: str) -> Asset:
    """One of ``SCRIPTS``, with its style."""
    source, style = browser_assets(script, *SCRIPTS[script])
    # It has but one default export, which is that of the script.
    source = source.replace(f"export default ${script}.default;\n", "")
    content = (_STYLED % (source, json.dumps(style), script)).encode()
    return hashed(script, "js", content, SCRIPT_TYPE)


def words(script: str) -> str:
    """Where the words of one of ``WORDS`` are, in the language of now: what its component has as "texts"."""
    return words_asset(script, texts.language()).address


@lru_cache(maxsize=64)
def words_asset(script: str, language: str) -> Asset:
    """The words of one of ``WORDS`` in a language, as a module."""
    with texts.speaking(language):
        said = texts.for_script(*WORDS[script])
    content = f"export default {json.dumps(said, ensure_ascii=False)};\n"
    if script in FIXED:
        content += f"export const fixed = {json.dumps(FIXED[script])};\n"
    return hashed(f"{script}.{language}", "js", content.encode(), SCRIPT_TYPE)


@lru_cache(maxsize=8)
def speaker_asset(language: str) -> Asset:
    """The page of the speaker's window (figures/browser/speaker.js) in a language."""
    with texts.speaking(language):
        said = json.dumps({name: texts.say(f"talk.notes.{name}") for name in NOTES}).replace("<", "\\u003c")
    style = (FOLDER / f"{SPEAKER}.css").read_text("utf-8")
    content = (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title></title>\n<style>\n{style}</style></head>\n'
        f'<body><script type="module">\n{bundle(SPEAKER)}'
        f"${SPEAKER}.speaker(document, window.name, {said});\n</script></body></html>\n"
    )
    return hashed(f"{SPEAKER}.{language}", "html", content.encode(), "text/html; charset=utf-8")


def hashed(stem: str, ending: str, content: bytes, kind: str) -> Asset:
    """A file of this content; its name is ``stem-HASH.ending``."""
    name = f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
    return Asset(name, gzip.compress(content, 6, mtime=0), kind)
