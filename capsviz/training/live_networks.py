"""The small networks of trainings on the page, of the architectures of the published ones."""

from dataclasses import replace
from typing import Any

from capsviz.networks.attention import attention
from capsviz.networks.base import Layer, Spec
from capsviz.networks.dynamic import dynamic
from capsviz.traces.base import CapsuleGrid
from capsviz.training.live_plan import LIVE, Plan, Told

HIDDEN = (256, 512)  # of the decoder: half of the published network's
CONVOLUTIONS = ((16, 5, 2), (32, 3, 1))  # of attention; a third leads to the capsules
FILTERS, KERNEL = 32, 9  # of the first convolution of dynamic routing
_MAKERS = {
    "attention": (attention, "CapsNet, self-attention"),
    "dynamic": (dynamic, "CapsNet, dynamic routing"),
}


def name_of(plan: Plan) -> str:
    """The name of a run's network; that of a checkpoint begins with it."""
    return f"{LIVE}r{plan.number}"


def spec_of(plan: Plan, told: Told, name: str = "") -> Spec:
    """The small network of a plan, of the same architecture as the published ones.

    Args:
        plan: kind and number of capsule types.
        told: of the data.
        name: of one of its checkpoints; else of the run.
    """
    make, family = _MAKERS[plan.kind]
    whole_size = make(name or name_of(plan), f"{family}, trained here, {told.name}", told.data_set())
    shape = whole_size.shape
    assert shape.grid is not None
    grid = replace(shape.grid, types=plan.types)
    trained = plan.iterations if shape.iterates else 1
    return replace(
        whole_size,
        source=replace(
            whole_size.source, accuracy="", of=""
        ),  # which are of a larger network, longer trained
        shape=replace(shape, grid=grid, trained=trained),
        layers=tuple(_smaller(layer, grid, shape.components) for layer in whole_size.layers),
        build=_build_attention if plan.kind == "attention" else _build_dynamic,
        quick=None,
        of=None,
    )


def _smaller(layer: Layer, grid: CapsuleGrid, components: int) -> Layer:
    """A layer's line in the table of layers, in this size."""
    if layer.part == "trunk":
        maps = ", ".join(str(maps) for maps, _, _ in _convolutions(grid.types * components))
        sizes: dict[str, int | str] = {"maps": maps, "kernels": "5, 3, 3", "whole": 4}
        return replace(layer, size=(grid.capsules, components), facts={**layer.facts, **sizes})
    if layer.part == "conv1":
        return replace(layer, size=(FILTERS, *layer.size[1:]), facts={**layer.facts, "filters": FILTERS})
    if layer.part == "primary":
        filters = {"filters": grid.types * components}
        return replace(layer, size=(grid.capsules, components), facts={**layer.facts, **filters})
    if layer.part == "decoder":
        return replace(layer, facts={**layer.facts, "hidden": ", ".join(map(str, HIDDEN))})
    return layer


def _convolutions(maps: int) -> tuple[tuple[int, int, int], ...]:
    return (*CONVOLUTIONS, (maps, 3, 2))


def _build_attention(spec: Spec) -> Any:
    from capsviz.layers.switched import Switched

    shape = spec.shape
    assert shape.grid is not None
    return Switched(shape, _convolutions(shape.grid.types * shape.components), HIDDEN)


def _build_dynamic(spec: Spec) -> Any:
    from capsviz.layers.capsules import CapsNet

    return CapsNet(spec.shape, FILTERS, (KERNEL, KERNEL), HIDDEN)
