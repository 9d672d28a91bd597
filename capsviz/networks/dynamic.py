"""CapsNet with dynamic routing, of "Dynamic Routing Between Capsules"."""

from dataclasses import replace
from typing import TYPE_CHECKING

from capsviz.inputs.data import MNIST, DataSet
from capsviz.networks.base import Layer, Source, Spec
from capsviz.traces.base import COUPLING, POSES, CapsuleGrid, Shape

if TYPE_CHECKING:
    from capsviz.layers.capsules import CapsNet
    from capsviz.layers.fast import Quick

_FILTERS, _KERNEL, _HIDDEN = 256, 9, (512, 1024)


def _build(spec: Spec) -> "CapsNet":
    from capsviz.layers.capsules import CapsNet

    return CapsNet(spec.shape, _FILTERS, (_KERNEL, _KERNEL), _HIDDEN)


def _quick(net: "CapsNet") -> "Quick":
    from capsviz.layers.fast import Quick

    return Quick(net)


_GRID = CapsuleGrid(types=32, rows=6, columns=6, field=17, stride=2)

SOURCE = Source(
    authors="Sara Sabour, Nicholas Frosst and Geoffrey Hinton",
    title="Dynamic Routing Between Capsules",
    year=2017,
    venue="NeurIPS 2017",
    paper="arXiv:1710.09829",
    link="https://arxiv.org/abs/1710.09829",
    accuracy="99.75%",
    of="mean",
)


def dynamic(name: str, title: str, data: DataSet, aliases: tuple[str, ...] = ()) -> Spec:
    """The network for whatever ``data`` holds."""
    shape = Shape(
        size=28,
        classes=data.classes,
        kind=data.kind,
        grid=_GRID,
        components=8,
        pose=16,
        routing="dynamic",
        trained=3,
    )
    return Spec(
        name=name,
        title=title,
        source=SOURCE if data is MNIST else replace(SOURCE, accuracy="", of=""),
        data=data,
        shape=shape,
        offers=frozenset({COUPLING, POSES}),
        layers=(
            Layer("conv1", (_FILTERS, 20, 20), {"filters": _FILTERS, "kernel": _KERNEL}),
            Layer(
                "primary",
                (_GRID.capsules, shape.components),
                {
                    "filters": _GRID.types * shape.components,
                    "kernel": _KERNEL,
                    "stride": _GRID.stride,
                    "components": shape.components,
                },
            ),
            Layer(
                "digits",
                (len(shape.classes), shape.pose),
                {"pose": shape.pose, "components": shape.components},
            ),
            Layer(
                "decoder",
                (shape.size, shape.size),
                {
                    "hidden": ", ".join(map(str, _HIDDEN)),
                    "pixels": shape.size**2,
                    "pose": shape.pose,
                    "zeros": (len(shape.classes) - 1) * shape.pose,
                },
            ),
        ),
        build=_build,
        quick=_quick,
        aliases=aliases,
        of=dynamic,
    )


NETWORKS = (
    dynamic("dynamic.mnist", "CapsNet, dynamic routing, digits", MNIST, ("dynamic", "capsnet-mnist")),
)
