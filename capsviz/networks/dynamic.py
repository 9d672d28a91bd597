"""CapsNet with dynamic routing, of "Dynamic Routing Between Capsules"."""

from typing import TYPE_CHECKING

from capsviz.inputs.data import MNIST
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

_SHAPE = Shape(
    size=28,
    classes=MNIST.classes,
    kind="digit",
    grid=_GRID,
    components=8,
    pose=16,
    routing="dynamic",
    trained=3,
)

NETWORKS = (
    Spec(
        name="dynamic.mnist",
        title="CapsNet, dynamic routing, digits",
        source=Source(
            authors="Sara Sabour, Nicholas Frosst and Geoffrey Hinton",
            title="Dynamic Routing Between Capsules",
            year=2017,
            venue="NeurIPS 2017",
            paper="arXiv:1710.09829",
            link="https://arxiv.org/abs/1710.09829",
            accuracy="99.75%",
            of="mean",
        ),
        data=MNIST,
        shape=_SHAPE,
        offers=frozenset({COUPLING, POSES}),
        layers=(
            Layer("conv1", (_FILTERS, 20, 20), {"filters": _FILTERS, "kernel": _KERNEL}),
            Layer(
                "primary",
                (_GRID.capsules, _SHAPE.components),
                {
                    "filters": _GRID.types * _SHAPE.components,
                    "kernel": _KERNEL,
                    "stride": _GRID.stride,
                    "components": _SHAPE.components,
                },
            ),
            Layer(
                "digits",
                (len(_SHAPE.classes), _SHAPE.pose),
                {"pose": _SHAPE.pose, "components": _SHAPE.components},
            ),
            Layer(
                "decoder",
                (_SHAPE.size, _SHAPE.size),
                {
                    "hidden": ", ".join(map(str, _HIDDEN)),
                    "pixels": _SHAPE.size**2,
                    "pose": _SHAPE.pose,
                    "zeros": (len(_SHAPE.classes) - 1) * _SHAPE.pose,
                },
            ),
        ),
        build=_build,
        quick=_quick,
        aliases=("dynamic", "capsnet-mnist"),
    ),
)
