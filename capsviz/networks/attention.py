"""Efficient-CapsNet, with self-attention routing in one pass, for digits and for letters."""

from dataclasses import replace
from typing import TYPE_CHECKING

from capsviz.inputs.data import MNIST, DataSet
from capsviz.inputs.letters import LETTERS
from capsviz.networks.base import Layer, Source, Spec
from capsviz.traces.base import COUPLING, POSES, CapsuleGrid, Shape

if TYPE_CHECKING:
    from capsviz.layers.attention import AttentionNet

_SIZE, _COMPONENTS, _POSE, _HIDDEN = 28, 8, 16, (512, 1024)
# Sixteen capsules, each of which sees the whole image.
_GRID = CapsuleGrid(types=16, rows=1, columns=1, field=_SIZE, stride=1)
# What the texts name of the trunk: of its convolutions, then of the kernels that each see all of one map.
TRUNK: dict[str, int | str] = {"maps": "32, 64, 64, 128", "kernels": "5, 3, 3, 3", "stride": 2, "whole": 9}

SOURCE = Source(
    authors="Vittorio Mazzia, Francesco Salvetti and Marcello Chiaberge",
    title="Efficient-CapsNet: capsule network with self-attention routing",
    year=2021,
    venue="Scientific Reports 11",
    paper="arXiv:2101.12491",
    link="https://arxiv.org/abs/2101.12491",
    accuracy="99.74%",
    of="best",
)


def _build(spec: Spec) -> "AttentionNet":
    from capsviz.layers.attention import AttentionNet

    return AttentionNet(spec.shape, hidden=_HIDDEN)


def attention(name: str, title: str, data: DataSet, aliases: tuple[str, ...] = (), size: int = _SIZE) -> Spec:
    """The network for whatever ``data`` holds, of images of ``size`` x ``size``."""
    shape = Shape(
        size=size,
        classes=data.classes,
        kind=data.kind,
        grid=replace(_GRID, field=size),
        components=_COMPONENTS,
        pose=_POSE,
        routing="attention",
    )
    return Spec(
        name=name,
        title=title,
        source=SOURCE if data is MNIST else replace(SOURCE, accuracy="", of=""),
        data=data,
        shape=shape,
        offers=frozenset({COUPLING, POSES}),
        layers=(
            Layer(
                "trunk",
                (_GRID.capsules, _COMPONENTS),
                {**TRUNK, "whole": (size - 11) // 2 + 1, "components": _COMPONENTS},
            ),
            Layer("capsules", (len(shape.classes), _POSE), {"pose": _POSE, "components": _COMPONENTS}),
            Layer(
                "decoder",
                (size, size),
                {
                    "hidden": ", ".join(map(str, _HIDDEN)),
                    "pixels": size**2,
                    "pose": _POSE,
                    "zeros": (len(shape.classes) - 1) * _POSE,
                },
            ),
        ),
        build=_build,
        aliases=aliases,
        of=attention,
    )


NETWORKS = (
    attention("attention.mnist", "CapsNet, self-attention, digits", MNIST, ("attention",)),
    attention("attention.letters", "CapsNet, self-attention, letters", LETTERS, ("letters",)),
)
