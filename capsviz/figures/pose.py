"""Pose: what the browser needs to decode, and to tell what each number of a pose does."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from capsviz import texts
from capsviz.figures.packing import pack
from capsviz.figures.theme import AGAINST_COLOUR, FOR_COLOUR, class_colours, levels
from capsviz.measures.poses import PoseMeasurements, describe
from capsviz.traces.base import LENGTH, Shape
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import RoutingTrace

POSE_LIMIT = 2.0  # of any number of a pose that the page makes; a capsule itself is shorter than 1
NUMBER_LIMIT = 100.0  # of the same where no squashing bounds it
LEAST_UNIT = 0.2


def pose_limit(shape: Shape) -> float:
    """How far from 0 the page, a link or a request may have a number of a pose."""
    return POSE_LIMIT if shape.score == LENGTH else NUMBER_LIMIT


def pose_unit(trace: RoutingTrace | PlainTrace) -> float:
    """What 1 is to a capsule: the scale of the page's moves.

    Squashing keeps a capsule shorter than 1. For numbers that nothing bounds it is the least of 0.2, 0.5, 1, 2, 5, 10, ...
    that none of those of the drawing's answer exceeds.
    """
    if trace.shape.score == LENGTH:
        return 1.0
    assert trace.v is not None
    largest = max(float(np.abs(trace.v[-1, trace.prediction]).max()), LEAST_UNIT)
    tens = 10.0 ** math.floor(math.log10(largest))
    return float(next(step * tens for step in (1, 2, 5, 10) if step * tens >= largest))


def decoder_payload(layers: Sequence[tuple[np.ndarray, np.ndarray]], name: str) -> bytes:
    """The decoder in half precision, which is what the weights are stored in: nothing is lost.

    Args:
        layers: weight [out, in] and bias [out] of each dense layer, in order.
        name: of the weights, for the browser to know whether it has them.

    Raises:
        ValueError: if a number does not survive half precision.
    """
    arrays = {}
    for index, (weight, bias) in enumerate(layers):
        # Input first: a zero input, and after ReLU half of them are, then costs nothing.
        for kind, values in (("weight", weight.T), ("bias", bias)):
            arrays[f"{kind}{index}"] = values.astype(np.float16)
            if not np.array_equal(arrays[f"{kind}{index}"], values):
                raise ValueError(f"the decoder's {kind} {index} is not in half precision.")
    return pack(arrays, {"name": name, "layers": len(layers)})


def pose_payload(
    trace: RoutingTrace | PlainTrace,
    reconstruction: np.ndarray,
    example: Mapping[str, Any],
    measurements: PoseMeasurements | None,
    decoder: str,
    *,
    places: Sequence[int] = (),
) -> dict[str, Any]:
    """Everything the Pose page draws but the decoder, ready for JSON.

    Args:
        trace: one image's trace, with poses.
        reconstruction: [S, S] in 0..1, what the decoder draws from the answer's pose: to be seen before the decoder
            has come.
        example: another drawing's pose, to morph to: {"name", "digit", "pose"}.
        measurements: what the components of these weights do, if that was measured.
        decoder: name of the decoder's weights, as given to ``decoder_payload``.
        places: of the classes that are there together: while one's pose is bent, the others' stand.
    """
    shape = trace.shape
    assert trace.v is not None
    return {
        "drawing": hashlib.sha256(trace.v.tobytes()).hexdigest()[:16],
        "decoder": decoder,
        "poses": trace.v[-1].tolist(),
        "score": shape.score,
        "scores": trace.scores[-1].tolist(),
        "prediction": trace.prediction,
        "together": list(places),
        "drawn": levels(reconstruction),
        "example": dict(example),
        "measured": measurements
        and [
            [
                {
                    "caption": describe(c.effects),
                    "low": c.low,
                    "high": c.high,
                    "mean": c.mean,
                    "strength": c.strength,
                }
                for c in digit.components
            ]
            for digit in measurements.digits
        ],
        "middle": measurements and measurements.middle,
        "reach": measurements and measurements.settings.reach,
        "farthest": pose_limit(shape),
        "unit": pose_unit(trace),
        "howMeasured": (
            measurements.explanation(shape.kind) if measurements else texts.say("pose.unmeasured")
        ),
        "size": shape.size,
        "classes": trace.classes,
        "kind": shape.kind,
        "texts": texts.for_script("common", "pose", "address.outside"),
        "digitColours": class_colours(len(trace.classes)),
        "forColour": FOR_COLOUR,
        "againstColour": AGAINST_COLOUR,
    }
