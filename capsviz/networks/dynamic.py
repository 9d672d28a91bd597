"""CapsNet with dynamic routing, of "Dynamic Routing Between Capsules"."""

from dataclasses import replace
from typing import TYPE_CHECKING

from capsviz.inputs.data import MNIST, DataSet
from capsviz.networks.base import Layer, Source, Spec
from capsviz.traces.base import COUPLING, POSES, SEVERAL, CapsuleGrid, Shape

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


def dynamic(
    name: str, title: str, data: DataSet, aliases: tuple[str, ...] = (), size: int = 28, answers: int = 1
) -> Spec:
    """The network for whatever ``data`` holds, of images of ``size`` x ``size`` with so many classes in each."""
    features = size - _KERNEL + 1
    side = (features - _KERNEL) // 2 + 1
    grid = CapsuleGrid(types=32, rows=side, columns=side, field=2 * _KERNEL - 1, stride=2)
    shape = Shape(
        size=size,
        classes=data.classes,
        kind=data.kind,
        grid=grid,
        components=8,
        pose=16,
        routing="dynamic",
        trained=3,
        answers=answers,
    )
    return Spec(
        name=name,
        title=title,
        source=SOURCE if data is MNIST else replace(SOURCE, accuracy="", of=""),
        data=data,
        shape=shape,
        offers=frozenset({COUPLING, POSES, *([SEVERAL] if answers > 1 else [])}),
        layers=(
            Layer("conv1", (_FILTERS, features, features), {"filters": _FILTERS, "kernel": _KERNEL}),
            Layer(
                "primary",
                (grid.capsules, shape.components),
                {
                    "filters": grid.types * shape.components,
                    "kernel": _KERNEL,
                    "stride": grid.stride,
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
        of=dynamic if answers == 1 else None,  # nobody has pictures of their own with two in each
    )


NETWORKS = (
    dynamic("dynamic.mnist", "CapsNet, dynamic routing, digits", MNIST, ("dynamic", "capsnet-mnist")),
)
