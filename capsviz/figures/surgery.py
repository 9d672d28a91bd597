"""Surgery on routing: what one experiment did to lengths and reconstruction."""

from typing import Any

import numpy as np

from capsviz.figures.theme import AGAINST_COLOUR, DIGIT_COLOURS, FOR_COLOUR, levels
from capsviz.surgery import Routing
from capsviz.trace import GRID, RoutingTrace


def surgery_payload(
    trace: RoutingTrace, before: np.ndarray, after: Routing, redrawn: np.ndarray, *, measured: str = ""
) -> dict[str, Any]:
    """Everything the surgery view draws of one experiment, ready for JSON.

    Args:
        trace: one image's trace, as the network made it.
        before: [28, 28] what the longest digit capsule of the trace draws, in 0..1.
        after: routing on the same votes, after the operation.
        redrawn: [28, 28] what the longest digit capsule draws after the operation.
        measured: what routing changes of the answers (``card.routing_measured``), if that is known.
    """
    shares = trace.share[-1, :, trace.prediction].reshape(-1, GRID**2)
    rows = after.c[-1].sum(axis=1)
    return {
        "image": levels(trace.image),
        "grid": GRID,
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
        "digitColours": DIGIT_COLOURS,
        "forColour": FOR_COLOUR,
        "againstColour": AGAINST_COLOUR,
    }
