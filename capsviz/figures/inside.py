"""Inside a network: its first layer's kernels and their maps, its primary capsules, and how large each of its layers is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from capsviz import texts
from capsviz.figures.layers import does
from capsviz.figures.packing import pack
from capsviz.figures.theme import AGAINST_COLOUR, FOR_COLOUR, class_colours
from capsviz.models.kernels import FirstLayer
from capsviz.models.size import Size
from capsviz.networks.base import Spec
from capsviz.texts import capital, noun, say
from capsviz.texts.numbers import grouped
from capsviz.traces.attention import AttentionTrace
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import RoutingTrace

SCOPES = ("map", "layer", "all")  # of which values the largest has full colour; the first is the usual one
MOST_MAPS, MOST_OUTPUTS = 256, 4096  # that a link tells apart
LEAST_LIMIT = 1e-6  # the bars of votes end no nearer to 0
# What the microscope of each kind of routing says.
_WORDS = {"dynamic": ("routing.microscope",), "attention": ("attention.capsule", "attention.column")}


def limits(
    kernels: np.ndarray, features: np.ndarray | None, outputs: np.ndarray | None
) -> dict[str, tuple[float, float]]:
    """Where the colour scales of whole layers begin and end: {"kernels", "maps", "outputs", "all"}.

    Args:
        kernels: [F, k, k] weights of the first layer; their scale is even on both sides of 0.
        features: [F, h, w] its maps; None without a drawing.
        outputs: [N] lengths of the primary capsules, or what a network without reads in their place.

    Returns:
        The least and the largest of each. Primary capsules are nearly all about 1 long, so that their scale does not begin
        at 0. "all" is that of maps and outputs together: a weight is no activation.
    """
    most = float(np.abs(kernels).max())
    found = {
        name: (0.0, 0.0) if values is None else (float(values.min()), float(values.max()))
        for name, values in (("maps", features), ("outputs", outputs))
    }
    both = min(low for low, _ in found.values()), max(high for _, high in found.values())
    return {"kernels": (-most, most), **found, "all": both}


def layer_rows(spec: Spec, sizes: Mapping[str, Size], made: Mapping[str, int]) -> list[dict[str, Any]]:
    """Name, work, output, parameters and memory of each layer, in the order in which an image passes them.

    Args:
        spec: of the network.
        sizes: of each layer, by ``Layer.part``.
        made: bytes that each layer makes of one image, by ``Layer.part``.

    Returns:
        Of each layer the words, and as parts of the largest layer how many parameters it has (``weighs``) and how many bytes
        it makes (``fills``), in 0..1.
    """
    kind = noun(spec.shape.kind)
    most, largest = max(size.parameters for size in sizes.values()), max(made.values())
    routed = say("layers.routed", count=spec.shape.trained) if spec.shape.iterates else say("layers.routing")
    return [
        {
            "part": layer.part,
            "name": capital(say(f"layers.{layer.part}.name", kind=kind)),
            "does": say(does(layer, spec), **layer.facts, routing=routed, kind=kind),
            "output": " × ".join(map(str, layer.size)),
            "parameters": grouped(sizes[layer.part].parameters),
            "weighs": sizes[layer.part].parameters / most,
            "bytes": grouped(made[layer.part]),
            "fills": made[layer.part] / largest,
        }
        for layer in spec.layers
    ]


def maps_table(features: np.ndarray, first: FirstLayer) -> tuple[list[str], list[list[Any]]]:
    """A row for each kernel of the first layer and its map [h, w]: what the map has, then the weights, row by row."""
    side = first.kernels.shape[1]
    head = ["map", "largest", "mean", "above 0", "bias"]
    head += [f"weight {row} {column}" for row in range(side) for column in range(side)]
    return head, [
        [
            index,
            float(made.max()),
            float(made.mean()),
            int((made > 0).sum()),
            float(bias),
            *map(float, kernel.flat),
        ]
        for index, (made, bias, kernel) in enumerate(zip(features, first.biases, first.kernels, strict=True))
    ]


def inside_payload(
    spec: Spec,
    first: FirstLayer,
    trace: RoutingTrace | PlainTrace | None,
    *,
    rows: Sequence[Mapping[str, Any]],
    totals: tuple[int, int],
    transforms: str | None = None,
    waiting: str = "",
    link: Mapping[str, tuple[int, ...] | tuple[str, ...]] | None = None,
) -> bytes:
    """Everything the Inside page draws, packed.

    Args:
        spec: of the network.
        first: its first layer.
        trace: of the drawing; None without one.
        rows: of ``layer_rows``.
        totals: parameters of all layers, and bytes that all of them make of one image.
        transforms: name of the weights whose ``transforms_payload`` the browser has: it makes the votes itself.
        waiting: a sentence in place of what needs a drawing.
        link: the parameters of the address that the view reads and writes, {name: (least, most)}, or all words.

    Returns:
        What ``pack`` makes of it.
    """
    shape, arrays = spec.shape, {"kernels": first.kernels, "biases": first.biases}
    outputs, about = None, {}
    if trace is not None:
        arrays |= {"image": trace.image, "features": trace.features}
    if isinstance(trace, RoutingTrace):
        outputs = np.linalg.norm(trace.u, axis=1)
        arrays |= {"outputs": outputs, "u": trace.u, **_votes(trace, transforms)}
        about = {"iterations": trace.iterations, "votes": float(max(np.abs(trace.u_hat).max(), LEAST_LIMIT))}
    elif isinstance(trace, PlainTrace):
        outputs = trace.whole
        arrays |= {"outputs": outputs}
    header = {
        "network": spec.name,
        "size": shape.size,
        "classes": shape.classes,
        "digits": len(shape.classes),
        "kind": shape.kind,
        "grid": None if shape.grid is None else asdict(shape.grid),
        "primary": 0 if shape.grid is None else shape.grid.capsules,
        "components": shape.components,
        "pose": shape.pose,
        "trained": shape.trained,
        "routing": shape.routing,
        "prediction": None if trace is None else trace.prediction,
        "stride": first.stride,
        "scopes": SCOPES,
        "limits": limits(first.kernels, None if trace is None else trace.features, outputs),
        "rows": list(rows),
        "parameters": grouped(totals[0]),
        "bytes": grouped(totals[1]),
        "transforms": transforms,
        "waiting": waiting,
        "link": dict(link or {}),
        "texts": texts.for_script("common", "inside", "address.outside", *_WORDS.get(shape.routing, ())),
        "digitColours": class_colours(len(shape.classes)),
        "forColour": FOR_COLOUR,
        "againstColour": AGAINST_COLOUR,
        **about,
    }
    return pack(arrays, header)


def _votes(trace: RoutingTrace, transforms: str | None) -> dict[str, np.ndarray]:
    """What the microscope of a kind of routing looks at."""
    votes = {} if transforms else {"u_hat": trace.u_hat}
    if isinstance(trace, AttentionTrace):
        told = {"score": trace.b, "c": trace.c, "weight": trace.weight, "share": trace.share}
        return {**votes, "prior": trace.prior, **{name: array[0] for name, array in told.items()}}
    return {**votes, "v": trace.v}
