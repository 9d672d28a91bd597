"""Surgery on routing: what one experiment did to lengths and reconstruction."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from capsviz import texts
from capsviz.figures.theme import AGAINST_COLOUR, FOR_COLOUR, class_colours, levels
from capsviz.traces.attention import AttentionTrace
from capsviz.traces.routing import RoutingTrace
from capsviz.traces.rules import SOURCES
from capsviz.traces.surgery import COUPLINGS, Attended, Routing


def surgery_payload(
    trace: RoutingTrace,
    before: np.ndarray,
    after: Routing,
    redrawn: np.ndarray,
    *,
    measured: str = "",
    rule: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything the surgery view draws of one experiment, ready for JSON.

    Args:
        trace: one image's trace, as the network made it.
        before: [S, S] what the longest digit capsule of the trace draws, in 0..1.
        after: routing on the same votes, after the operation.
        redrawn: [S, S] what the longest digit capsule draws after the operation.
        measured: what routing changes of the answers (``card.routing_measured``), if that is known.
        rule: what the experiment's coupling does to test images (``measures.rules.row_of``), if that is known.
    """
    shares = trace.share[-1, :, trace.prediction].reshape(trace.grid.types, trace.grid.places)
    compared = _compared(trace, before, after, redrawn, after.c[-1])
    compared["before"]["iterations"] = trace.iterations
    compared["after"]["iterations"] = len(after.v)
    return compared | {
        "texts": texts.for_script("common", "surgery", "coupling"),
        "couplings": {name: SOURCES[name] for name in COUPLINGS},
        "rule": rule,
        "places": shares.sum(axis=0).tolist(),
        "types": shares.sum(axis=1).tolist(),
        "measured": measured,
    }


def attention_surgery_payload(
    trace: AttentionTrace, before: np.ndarray, after: Attended, redrawn: np.ndarray
) -> dict[str, Any]:
    """The same of one experiment on attention; arguments as those of ``surgery_payload``."""
    return _compared(trace, before, after, redrawn, after.weight) | {
        "texts": texts.for_script("common", "surgery", "attention.surgery"),
        "capsules": trace.share[0, :, trace.prediction].tolist(),
    }


def _compared(
    trace: RoutingTrace,
    before: np.ndarray,
    after: Routing | Attended,
    redrawn: np.ndarray,
    weights: np.ndarray,
) -> dict[str, Any]:
    """Lengths, answer and drawing before and after, and what a capsule's ``weights`` [I, J] sum to."""
    rows = weights.sum(axis=1)
    return {
        "image": levels(trace.image),
        "size": trace.shape.size,
        "classes": trace.classes,
        "kind": trace.shape.kind,
        "grid": asdict(trace.grid),
        "before": {
            "digit": trace.prediction,
            "lengths": trace.lengths[-1].tolist(),
            "drawing": levels(before),
        },
        "after": {
            "digit": int(after.lengths.argmax()),
            "lengths": after.lengths.tolist(),
            "drawing": levels(redrawn),
        },
        "rowSums": [float(rows.min()), float(rows.max())],
        "digitColours": class_colours(len(trace.classes)),
        "forColour": FOR_COLOUR,
        "againstColour": AGAINST_COLOUR,
    }
