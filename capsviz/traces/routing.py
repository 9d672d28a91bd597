"""What the network made of one image, as arrays: all that figures and pages are drawn from."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from capsviz.traces.base import COUPLING, POSES, SEVERAL, CapsuleGrid, Shape, Trace

MOST_ITERATIONS = 100  # of routing: a trace of so many takes 11 MB with 1152 capsules and ten classes

# Axes: S pixels, F feature maps of height and width h and w, I primary capsules of K components, J class capsules of
# D components, R routing iterations.
_AXES = {
    "image": "SS",
    "features": "Fhw",
    "u": "IK",
    "u_hat": "IJD",
    "b": "RIJ",
    "c": "RIJ",
    "s": "RJD",
    "v": "RJD",
}


@dataclass(frozen=True, eq=False)
class RoutingTrace(Trace):
    """One image's way through a capsule network, with every iteration of routing-by-agreement.

    All arrays are float32 and read-only. Symbols are those of the paper (arXiv:1710.09829, section 2); sizes in
    brackets are those of its network.

    Attributes:
        image: [S, S] the pixels seen, in 0..1 (28).
        features: [F, h, w] first convolution after its ReLU (256 maps of 20 x 20).
        u: [I, K] primary capsules, squashed, in the order of ``shape.grid`` (1152 with 8 components).
        u_hat: [I, J, D] prediction vectors, the primary capsules' votes for every class (Eq. 2; ten with 16 components).
        b: [R, I, J] routing logits on entering each iteration; 0 in the first.
        c: [R, I, J] coupling coefficients, softmax of ``b`` over the J classes (Eq. 3).
        s: [R, J, D] weighted sums of the votes (Eq. 2).
        v: [R, J, D] class capsules, squashed ``s`` (Eq. 1); the paper's digit capsules.
        shape: of the network, with the names of its classes and the grid of its primary capsules.

    Raises:
        ValueError: if an array has another shape than the network's and its fellows' ask for.
    """

    image: np.ndarray
    features: np.ndarray
    u: np.ndarray
    u_hat: np.ndarray
    b: np.ndarray
    c: np.ndarray
    s: np.ndarray
    v: np.ndarray
    shape: Shape

    def __post_init__(self) -> None:
        shape = self.shape
        if shape.grid is None:
            raise ValueError("a routing starts at primary capsules: the shape has no grid.")
        sizes = {
            "S": shape.size,
            "I": shape.grid.capsules,
            "J": len(shape.classes),
            "K": shape.components,
            "D": shape.pose,
        }
        for name, axes in _AXES.items():
            array = np.array(getattr(self, name), np.float32)
            fits = array.ndim == len(axes) and all(
                size == sizes.setdefault(axis, size) for size, axis in zip(array.shape, axes, strict=True)
            )
            if not fits:
                wanted = ", ".join(str(sizes.get(axis, axis)) for axis in axes)
                raise ValueError(f"{name} has the shape {array.shape} instead of ({wanted}).")
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor, so that the arrays are checked and read-only after unpickling too.
        return type(self), tuple(getattr(self, field.name) for field in fields(self))

    @property
    def offers(self) -> frozenset[str]:  # type: ignore[override]
        """Votes and poses; of several classes at once, if the network names several."""
        return frozenset({COUPLING, POSES, *([SEVERAL] if self.shape.answers > 1 else [])})

    @property
    def grid(self) -> CapsuleGrid:
        """Where the primary capsules sit."""
        assert self.shape.grid is not None  # the constructor has seen to it
        return self.shape.grid

    @property
    def iterations(self) -> int:
        """R, the number of routing iterations."""
        return len(self.v)

    @property
    def weight(self) -> np.ndarray:
        """[R, I, J] what the votes are weighted with in the sum: ``c``.

        Another kind of routing may weight them otherwise: EM multiplies c by the primary capsule's activation.
        """
        return self.c

    @cached_property
    def lengths(self) -> np.ndarray:
        """[R, J] lengths |v| of the class capsules in 0..1: how surely each class is there."""
        return frozen(np.linalg.norm(self.v, axis=2))

    @property
    def scores(self) -> np.ndarray:
        """The ``lengths``."""
        return self.lengths

    @cached_property
    def agreement(self) -> np.ndarray:
        """[R, I, J] scalar products u_hat . v of each iteration (Procedure 1, line 7)."""
        return frozen(np.einsum("ijd,rjd->rij", self.u_hat, self.v, optimize=True))

    @cached_property
    def entropy(self) -> np.ndarray:
        """[R, I] entropy of each primary capsule's coupling coefficients, in nats: log J where uniform."""
        c = np.maximum(self.c, np.finfo(np.float32).tiny)  # 0 log 0 is 0
        return frozen(-(self.c * np.log(c)).sum(axis=2))

    @cached_property
    def share(self) -> np.ndarray:
        """[R, I, J] signed share of each primary capsule in a class capsule: weight (u_hat . v) / |v|.

        Because ``v`` points where ``s`` does, the shares of all primary capsules sum to |s|.
        """
        direction = self.v / np.maximum(self.lengths, np.finfo(np.float32).tiny)[..., None]
        return frozen(self.weight * np.einsum("ijd,rjd->rij", self.u_hat, direction, optimize=True))


def frozen(array: np.ndarray) -> np.ndarray:
    """The array itself, read-only from now on."""
    array.flags.writeable = False
    return array
