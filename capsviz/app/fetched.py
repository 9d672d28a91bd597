"""What browsers fetch and keep for ever: scripts and words of components (assets.py), the speaker's page, large arrays.

Each file is made of its name alone, by whichever server is asked for it.
"""

import gzip
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from streamlit import config

from capsviz.app.assets import (
    LOADING,
    ROOT,
    SCRIPTS,
    SPEAKER,
    WORDS,
    Asset,
    hashed,
    loading_asset,
    script_asset,
    speaker_asset,
    words_asset,
)
from capsviz.errors import CapsvizError
from capsviz.figures.pose import decoder_payload
from capsviz.figures.routing import transforms_payload
from capsviz.models.weights import available
from capsviz.networks.base import Spec, find
from capsviz.texts import languages
from capsviz.traces.base import POSES

if TYPE_CHECKING:
    from capsviz.models.model import Model

FOR_EVER = "public, max-age=31536000, immutable"
HEADERS = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
MOST_ARRAYS = 8  # files of networks that are kept, of up to 3 MB; others are made again

# What a browser computes with itself, of the networks that have it; packed under the name of their weights.
ARRAYS: "dict[str, tuple[Callable[[Spec], bool], Callable[[Model, str], bytes]]]" = {
    "decoder": (
        lambda spec: POSES in spec.offers,
        lambda model, name: decoder_payload(model.decoder_layers(), name),
    ),
    "transforms": (
        lambda spec: spec.shape.iterates,
        lambda model, name: transforms_payload(model.transforms(), name),
    ),
}


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

    content = ARRAYS[what][1](session.model_of(network), weights)
    return hashed(f"{what}.{network}", "bin", content, "application/octet-stream")


def found(name: str) -> Asset | None:
    """The file of that name; None if there is none, or no longer.

    Raises:
        CapsvizError: if it is a network's whose weights cannot be loaded.
    """
    stem = name.rpartition("-")[0]
    what, _, network = stem.partition(".")  # of words, their language
    asset = None
    if stem in SCRIPTS:
        asset = script_asset(stem)
    elif stem == LOADING:
        asset = loading_asset()
    elif what in WORDS and network in languages():
        asset = words_asset(what, network)
    elif what == SPEAKER and network in languages():
        asset = speaker_asset(network)
    elif what in ARRAYS and network in available() and ARRAYS[what][0](find(network)):
        asset = array_asset(what, network)
    return asset if asset is not None and asset.name == name else None


def answer(request: Request) -> Response:
    """A file; as it is a function and no coroutine, Starlette has it made beside the event loop."""
    try:
        asset = found(request.path_params["name"])
    except (CapsvizError, ValueError) as error:  # of weights that are missing, or not in half precision
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
