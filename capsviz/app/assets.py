"""What never changes, behind addresses that hold a hash of it: the views' scripts and styles, a network's large arrays.

A browser asks for such a file once and keeps it for all its sessions; over a session's websocket it would come with
every message. The addresses are relative to the app's, so that they hold below any prefix. Each file is made of its
name alone, by whichever server is asked for it.
"""

import gzip
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from streamlit import config

from capsviz.errors import CapsvizError
from capsviz.figures.bundle import browser_assets
from capsviz.figures.pose import decoder_payload
from capsviz.figures.routing import transforms_payload
from capsviz.models.weights import available

if TYPE_CHECKING:
    from capsviz.models.model import Model

ROOT = "assets"
FOR_EVER = "public, max-age=31536000, immutable"
HEADERS = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
MOST_ARRAYS = 4  # files of networks that are kept, of up to 3 MB; others are made again

# The scripts of the app's components, and their style sheets.
SCRIPTS: dict[str, tuple[str, ...]] = {
    "attention": ("routing", "attention"),
    "attention_surgery": ("surgery",),
    "compare": ("compare",),
    "explorer": ("routing",),
    "exporting": ("panel", "exporting"),
    "keys": ("keys",),
    "lesson_link": ("panel", "lesson_link"),
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
}
# What a browser computes with itself, of a network, under the name of its weights.
ARRAYS: "dict[str, Callable[[Model, str], bytes]]" = {
    "decoder": lambda model, name: decoder_payload(model.decoder_layers(), name),
    "transforms": lambda model, name: transforms_payload(model.transforms(), name),
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
    return _asset(script, "js", content, "text/javascript; charset=utf-8")


def array_asset(what: str, network: str) -> Asset:
    """One of ``ARRAYS`` of a network.

    Raises:
        CapsvizError: if its weights cannot be loaded.
    """
    from capsviz.app import session  # which declares components: not before Streamlit runs

    model = session.model_of(network)
    return _array(what, network, model.sha256[:16])


@lru_cache(maxsize=MOST_ARRAYS)
def _array(what: str, network: str, weights: str) -> Asset:
    from capsviz.app import session

    content = ARRAYS[what](session.model_of(network), weights)
    return _asset(f"{what}.{network}", "bin", content, "application/octet-stream")


def _asset(stem: str, ending: str, content: bytes, kind: str) -> Asset:
    name = f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
    return Asset(name, gzip.compress(content, 6, mtime=0), kind)


def found(name: str) -> Asset | None:
    """The file of that name; None if there is none, or no longer.

    Raises:
        CapsvizError: if it is a network's whose weights cannot be loaded.
    """
    stem = name.rpartition("-")[0]
    what, _, network = stem.partition(".")
    asset = None
    if stem in SCRIPTS:
        asset = script_asset(stem)
    elif what in ARRAYS and network in available():
        asset = array_asset(what, network)
    return asset if asset is not None and asset.name == name else None


def answer(request: Request) -> Response:
    """A file; as it is a function and no coroutine, Starlette has it made beside the event loop."""
    try:
        asset = found(request.path_params["name"])
    except (CapsvizError, AttributeError, ValueError) as error:  # of a network without such arrays
        print(f"capsviz: {error}", file=sys.stderr, flush=True)
        asset = None
    if asset is None:
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    headers = HEADERS | {"ETag": f'"{asset.name}"'}
    if asset.name in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, 200, headers | {"Content-Encoding": "gzip"}, asset.type)
    return Response(gzip.decompress(asset.packed), 200, headers, asset.type)


def asset_routes() -> list[BaseRoute]:
    """What the server answers to browsers that fetch."""
    prefix = config.get_option("server.baseUrlPath").strip("/")
    return [Route(f"/{prefix}/{ROOT}/{{name}}".replace("//", "/"), answer, methods=["GET"])]
