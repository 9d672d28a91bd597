"""The Routing view of one trace as a web page that needs nothing else."""

import base64
import html
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from capsviz.figures.attention import attention_payload
from capsviz.figures.bundle import browser_assets
from capsviz.figures.routing import routing_payload
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


def routing_html(trace: RoutingTrace, drawings: np.ndarray, title: str = "Routing by agreement") -> str:
    """The Routing view of one trace as a web page that needs nothing else: for a notebook, or to hand out.

    Args:
        trace: one image's trace, of dynamic routing or of attention.
        drawings: [R, J, S, S] what each class capsule alone draws after each iteration, in 0..1.
        title: of the page.

    Raises:
        ValueError: if there is no view of the trace's kind of routing.
    """
    view = _VIEWS.get(trace.shape.routing)
    if view is None:
        raise ValueError(f"there is no view of {trace.shape.routing} routing: only of {', '.join(_VIEWS)}.")
    script, style = browser_assets(view.script, *view.styles)
    payload = base64.b64encode(view.payload(trace, drawings)).decode("ascii")
    return f"""<!doctype html>
<html lang="{html.escape(language())}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(title)}</title>
<style>
:root {{ color-scheme: light dark; font-family: system-ui, sans-serif; }}
body {{ margin: 16px; }}
{style}</style></head><body><div id="routing"></div>
<script type="application/octet-stream" id="payload">{payload}</script>
<script type="module">
{script}
const text = document.getElementById("payload").textContent;
const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
${view.script}.default({{ data, parentElement: document.getElementById("routing") }});
</script></body></html>
"""
