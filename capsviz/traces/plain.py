"""What a plain convolutional network made of one image."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from capsviz.traces.base import INDEPENDENT, POSES, Shape, Trace
from capsviz.traces.routing import frozen


@dataclass(frozen=True, eq=False)
class PlainTrace(Trace):
    """One image's way through a network without capsules. All arrays are float32 and read-only.

    Attributes:
        image: [S, S] the pixels seen, in 0..1.
        features: [F, h, w] first convolution after its ReLU.
        whole: [N] what the last convolution makes of the whole image, after ReLU: what the dense layer reads.
        logits: [J] one for each class.
        v: [1, J, D] the numbers whose sum is each class's logit, of which a decoder draws; None without.
        shape: of the network.

    Raises:
        ValueError: if an array has another shape than the network's asks for.
    """

    image: np.ndarray
    features: np.ndarray
    whole: np.ndarray
    logits: np.ndarray
    v: np.ndarray | None
    shape: Shape

    def __post_init__(self) -> None:
        classes, pose = len(self.shape.classes), self.shape.pose
        wanted: dict[str, tuple[int | None, ...]] = {
            "image": (self.shape.size, self.shape.size),
            "features": (None, None, None),
            "whole": (None,),
            "logits": (classes,),
        }
        if pose:
            wanted["v"] = (1, classes, pose)
        elif self.v is not None:
            raise ValueError("a network without poses made some.")
        for name, sizes in wanted.items():
            array = np.array(getattr(self, name), np.float32)
            if array.ndim != len(sizes) or any(
                size not in (None, found) for size, found in zip(sizes, array.shape, strict=True)
            ):
                raise ValueError(f"{name} has the shape {array.shape} instead of {sizes}.")
            object.__setattr__(self, name, frozen(array))

    def __reduce__(self) -> tuple[Any, ...]:
        values = (self.image, self.features, self.whole, self.logits, self.v, self.shape)
        return type(self), values

    @property
    def offers(self) -> frozenset[str]:  # type: ignore[override]
        """Poses, if there are any."""
        return frozenset() if self.v is None else frozenset({POSES})

    @property
    def scores(self) -> np.ndarray:
        """[1, J] probabilities: softmax of the logits, or of each by itself its sigmoid."""
        if self.shape.score == INDEPENDENT:
            return frozen(1 / (1 + np.exp(-self.logits[None])))
        powers = np.exp(self.logits - self.logits.max())
        return frozen((powers / powers.sum())[None])
