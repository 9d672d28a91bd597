"""What the network made of one image, as arrays: all that figures and pages are drawn from."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

# Where a primary capsule sits: index = (type * GRID + row) * GRID + column.
GRID = 6  # rows, and columns, of the grid of primary capsules
FIELD = 17  # side of the square of pixels that one of them sees: a 9 x 9 convolution after another
STRIDE = 2  # pixels from one place of the grid to the next

MOST_ITERATIONS = 100  # of routing: a trace of so many takes 11 MB

# Axes: R routing iterations, I = 1152 primary capsules, J = 10 digit capsules.
_SHAPES: dict[str, tuple[str | int, ...]] = {
    "image": (28, 28),
    "features": (256, 20, 20),
    "u": ("I", 8),
    "u_hat": ("I", "J", 16),
    "b": ("R", "I", "J"),
    "c": ("R", "I", "J"),
    "s": ("R", "J", 16),
    "v": ("R", "J", 16),
}


@dataclass(frozen=True, eq=False)
class RoutingTrace:
    """One image's way through the CapsNet, with every iteration of routing-by-agreement.

    All arrays are float32 and read-only. Symbols are those of the paper (arXiv:1710.09829, section 2).

    Attributes:
        image: [28, 28] the pixels seen, in 0..1.
        features: [256, 20, 20] first convolution after its ReLU.
        u: [1152, 8] primary capsules, squashed; index = (type * 6 + row) * 6 + column, 32 types.
        u_hat: [1152, 10, 16] prediction vectors, the primary capsules' votes for every digit (Eq. 2).
        b: [R, 1152, 10] routing logits on entering each iteration; 0 in the first.
        c: [R, 1152, 10] coupling coefficients, softmax of ``b`` over the ten digits (Eq. 3).
        s: [R, 10, 16] weighted sums of the votes (Eq. 2).
        v: [R, 10, 16] digit capsules, squashed ``s`` (Eq. 1).

    Raises:
        ValueError: if an array has another shape than its fellows ask for.
    """

    image: np.ndarray
    features: np.ndarray
    u: np.ndarray
    u_hat: np.ndarray
    b: np.ndarray
    c: np.ndarray
    s: np.ndarray
    v: np.ndarray

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        for field in fields(self):
            array = np.array(getattr(self, field.name), np.float32)
            expected = _SHAPES[field.name]
            fits = array.ndim == len(expected) and all(
                size == (sizes.setdefault(axis, size) if isinstance(axis, str) else axis)
                for size, axis in zip(array.shape, expected, strict=True)
            )
            if not fits:
                wanted = ", ".join(str(sizes.get(a, a) if isinstance(a, str) else a) for a in expected)
                raise ValueError(f"{field.name} has the shape {array.shape} instead of ({wanted}).")
            array.flags.writeable = False
            object.__setattr__(self, field.name, array)

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor, so that the arrays are checked and read-only after unpickling too.
        return type(self), tuple(getattr(self, field.name) for field in fields(self))

    @property
    def iterations(self) -> int:
        """R, the number of routing iterations."""
        return len(self.v)

    @cached_property
    def lengths(self) -> np.ndarray:
        """[R, J] lengths |v| of the digit capsules in 0..1: how surely each digit is there."""
        return _frozen(np.linalg.norm(self.v, axis=2))

    @cached_property
    def prediction(self) -> int:
        """The digit whose capsule is longest after the last iteration."""
        return int(self.lengths[-1].argmax())

    @cached_property
    def agreement(self) -> np.ndarray:
        """[R, I, J] scalar products u_hat . v of each iteration (Procedure 1, line 7)."""
        return _frozen(np.einsum("ijd,rjd->rij", self.u_hat, self.v, optimize=True))

    @cached_property
    def entropy(self) -> np.ndarray:
        """[R, I] entropy of each primary capsule's coupling coefficients, in nats: log J where uniform."""
        c = np.maximum(self.c, np.finfo(np.float32).tiny)  # 0 log 0 is 0
        return _frozen(-(self.c * np.log(c)).sum(axis=2))

    @cached_property
    def share(self) -> np.ndarray:
        """[R, I, J] signed share of each primary capsule in a digit capsule: c (u_hat . v) / |v|.

        Because ``v`` points where ``s`` does, the shares of all primary capsules sum to |s|.
        """
        direction = self.v / np.maximum(self.lengths, np.finfo(np.float32).tiny)[..., None]
        return _frozen(self.c * np.einsum("ijd,rjd->rij", self.u_hat, direction, optimize=True))


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
