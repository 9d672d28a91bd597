"""Plain convolutional networks, to compare capsules with: the attention network's trunk and a dense layer."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from capsviz.inputs.data import MNIST, DataSet
from capsviz.inputs.pairs import PAIRS, SIZE
from capsviz.networks.attention import SOURCE, TRUNK
from capsviz.networks.base import Layer, Spec
from capsviz.traces.base import INDEPENDENT, POSES, PROBABILITY, Shape

if TYPE_CHECKING:
    from capsviz.layers.plain import PlainNet

_SIZE, _MAPS, _POSE, _HIDDEN = 28, 128, 16, (512, 1024)
_ACCURACY, _ACCURACY_WITH_DECODER = "99.52%", "99.60%"  # of a twin of 173,000 parameters (table 2)


def _build(spec: Spec) -> "PlainNet":
    from capsviz.layers.plain import PlainNet

    return PlainNet(spec.shape, hidden=_HIDDEN)


def _build_for_pairs(spec: Spec) -> "PlainNet":
    from capsviz.layers.plain import PlainNet

    # Images are larger, and there are more to learn from: a stride of 2 early makes a pass four times as quick.
    return PlainNet(spec.shape, ((32, 5, 1), (64, 3, 2), (64, 3, 1), (128, 3, 2)))


def cnn(
    name: str,
    title: str,
    data: DataSet,
    aliases: tuple[str, ...] = (),
    pose: int = 0,
    size: int = _SIZE,
    answers: int = 1,
) -> Spec:
    """The network for whatever ``data`` holds; with ``pose`` numbers for each class it has a decoder too.

    Where an image of ``size`` x ``size`` shows several classes, each has a probability of its own.
    """
    score = PROBABILITY if answers == 1 else INDEPENDENT
    shape = Shape(size=size, classes=data.classes, kind=data.kind, pose=pose, score=score, answers=answers)
    # Places along a side that the convolutions leave.
    left = (size - 11) // 2 + 1 if answers == 1 else (((size - 7) // 2 + 1) - 5) // 2 + 1
    layers = [
        Layer("trunk", (_MAPS,), {**TRUNK, "whole": left}),
        Layer(
            "dense",
            (len(shape.classes), pose) if pose else (len(shape.classes),),
            {"inputs": _MAPS, "classes": len(shape.classes), "pose": pose},
        ),
    ]
    accuracy = _ACCURACY_WITH_DECODER if pose else _ACCURACY
    if pose:
        layers.append(
            Layer(
                "decoder",
                (size, size),
                {
                    "hidden": ", ".join(map(str, _HIDDEN)),
                    "pixels": size**2,
                    "pose": pose,
                    "zeros": (len(shape.classes) - 1) * pose,
                },
            )
        )
    return Spec(
        name=name,
        title=title,
        source=replace(SOURCE, accuracy=accuracy, of="twin")
        if data is MNIST
        else replace(SOURCE, accuracy="", of=""),
        data=data,
        shape=shape,
        offers=frozenset({POSES}) if pose else frozenset(),
        layers=tuple(layers),
        build=_build if answers == 1 else _build_for_pairs,
        aliases=aliases,
        of=partial(cnn, pose=pose)
        if answers == 1
        else None,  # nobody has pictures of their own with two in each
    )


NETWORKS = (
    cnn("cnn.mnist", "Plain CNN, digits", MNIST, ("cnn",)),
    cnn("cnn.decoder.mnist", "Plain CNN with decoder, digits", MNIST, ("cnn-decoder",), _POSE),
    cnn("cnn.overlap", "Plain CNN, overlapping digits", PAIRS, ("cnn-overlap",), size=SIZE, answers=2),
)
