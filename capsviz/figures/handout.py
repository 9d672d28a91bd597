"""Live views as web pages that need nothing else: for a notebook, or to hand out."""

import base64
import html
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from capsviz.figures.attention import attention_payload
from capsviz.figures.bundle import browser_assets
from capsviz.figures.replay import replay_payload
from capsviz.figures.routing import routing_payload
from capsviz.measures.replay import Replay
from capsviz.texts import language
from capsviz.traces.routing import RoutingTrace


class _View(NamedTuple):
    script: str
    styles: tuple[str, ...]
    payload: Callable[..., bytes]


# By ``Shape.routing``.
_VIEWS = {
    "dynamic": _View("explorer", ("routing",), routing_payload),
    "attention": _View("attention", ("routing", "attention"), attention_payload),
}


def routing_html(
    trace: RoutingTrace,
    drawings: np.ndarray,
    title: str = "Routing by agreement",
    origin: str = "",
    facts: str = "",
) -> str:
    """The Routing view of one trace as a web page that needs nothing else: for a notebook, or to hand out.

    Args:
        trace: one image's trace, of dynamic routing or of attention.
        drawings: [R, J, S, S] what each class capsule alone draws after each iteration, in 0..1.
        title: of the page.
        origin: where it comes from, a line below the view.
        facts: the same in full, for programs: the content of <meta name="capsviz">.

    Raises:
        ValueError: if there is no view of the trace's kind of routing.
    """
    view = _VIEWS.get(trace.shape.routing)
    if view is None:
        raise ValueError(f"there is no view of {trace.shape.routing} routing: only of {', '.join(_VIEWS)}.")
    return _page(view.script, view.styles, view.payload(trace, drawings), title, origin, facts)


def replay_html(
    replay: Replay, title: str = "Replay", origin: str = "", facts: str = "", unsure_below: float = 0.0
) -> str:
    """The replay of one drawing as a web page that needs nothing else.

    Args:
        replay: of it.
        title, origin, facts: as of ``routing_html``.
        unsure_below: the highest score below which no class is claimed; 0 to say nothing of it.
    """
    payload = replay_payload(replay, unsure_below=unsure_below)
    return _page("replay", ("replay",), payload, title, origin, facts)


def _page(script: str, styles: tuple[str, ...], payload: bytes, title: str, origin: str, facts: str) -> str:
    """A page with nothing but the view of this script."""
    source, style = browser_assets(script, *styles)
    data = base64.b64encode(payload).decode("ascii")
    return f"""<!doctype html>
<html lang="{html.escape(language())}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="capsviz" content="{html.escape(facts)}">
<title>{html.escape(title)}</title>
<style>
:root {{ color-scheme: light dark; font-family: system-ui, sans-serif; }}
body {{ margin: 16px; }}
footer {{ padding-top: 16px; opacity: 0.75; }}
{style}</style></head><body><div id="view"></div>
<footer>{html.escape(origin)}</footer>
<script type="application/octet-stream" id="payload">{data}</script>
<script type="module">
{source}
const text = document.getElementById("payload").textContent;
const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
${script}.default({{ data, parentElement: document.getElementById("view") }});
</script></body></html>
"""
