"""Surgery on routing: what one experiment did to lengths and reconstruction."""

from dataclasses import asdict
from typing import Any

import numpy as np

from capsviz import texts
from capsviz.figures.theme import AGAINST_COLOUR, FOR_COLOUR, class_colours, levels
from capsviz.traces.routing import RoutingTrace
from capsviz.traces.surgery import Routing


def surgery_payload(
    trace: RoutingTrace, before: np.ndarray, after: Routing, redrawn: np.ndarray, *, measured: str = ""
) -> dict[str, Any]:
    """Everything the surgery view draws of one experiment, ready for JSON.

    Args:
        trace: one image's trace, as the network made it.
        before: [S, S] what the longest digit capsule of the trace draws, in 0..1.
        after: routing on the same votes, after the operation.
        redrawn: [S, S] what the longest digit capsule draws after the operation.
        measured: what routing changes of the answers (``card.routing_measured``), if that is known.
    """
    shares = trace.share[-1, :, trace.prediction].reshape(trace.grid.types, trace.grid.places)
    rows = after.c[-1].sum(axis=1)
    return {
        "image": levels(trace.image),
        "size": trace.shape.size,
        "classes": trace.classes,
        "kind": trace.shape.kind,
        "texts": texts.for_script("common", "surgery"),
        "grid": asdict(trace.grid),
        "places": shares.sum(axis=0).tolist(),
        "types": shares.sum(axis=1).tolist(),
        "before": {
            "digit": trace.prediction,
            "lengths": trace.lengths[-1].tolist(),
            "drawing": levels(before),
            "iterations": trace.iterations,
        },
        "after": {
            "digit": int(after.lengths.argmax()),
            "lengths": after.lengths.tolist(),
            "drawing": levels(redrawn),
            "iterations": len(after.v),
        },
        "measured": measured,
        "rowSums": [float(rows.min()), float(rows.max())],
        "digitColours": class_colours(len(trace.classes)),
        "forColour": FOR_COLOUR,
        "againstColour": AGAINST_COLOUR,
    }
