"""How far images can be turned, moved, scaled or made noisy before they are misread."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator, default_rng

from capsviz.inputs.changes import moved
from capsviz.measures.statistics import SEED, error

Predict = Callable[[np.ndarray], np.ndarray]  # images [N, S, S] in 0..1 to lengths [N, J]

CHANGES: dict[str, tuple[str, tuple[float, ...]]] = {
    "rotated": ("degrees to the left", (-60, -45, -30, -20, -10, 0, 10, 20, 30, 45, 60)),
    "shifted": ("pixels", (0, 1, 2, 3, 4, 5, 6)),
    "scaled": ("times as large", (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4)),
    "noised": ("standard deviation, black being 0 and white 1", (0, 0.1, 0.2, 0.3, 0.4, 0.5)),
}


def change(images: np.ndarray, kind: str, amount: float, rng: Generator) -> np.ndarray:
    """Images [N, S, S] in 0..1 changed by one amount of one of ``CHANGES``.

    Positive degrees turn to the left; a shift goes in a random direction, by whole or part pixels.
    """
    if kind == "noised":
        return (images + rng.normal(0, amount, images.shape)).clip(0, 1).astype(np.float32)
    each = np.full(len(images), float(amount))
    if kind == "shifted":
        angles = rng.uniform(0, 2 * math.pi, len(images))
        changed = moved(images, {"across": -np.cos(angles) * amount, "down": -np.sin(angles) * amount})
    else:
        changed = moved(images, {"rotation" if kind == "rotated" else "scale": each})
    return changed.astype(np.float32)


def curves(predict: Predict, images: np.ndarray, labels: np.ndarray, seed: int = SEED) -> dict[str, Any]:
    """The error on images that are turned, moved, scaled or noisy.

    Args:
        predict: images to lengths.
        images: float32 [N, S, S] in 0..1.
        labels: [N].
        seed: of directions and noise.

    Returns:
        For each kind of change its "unit" and its "points": "amount" and what ``error`` gives there.
    """
    return {
        kind: {
            "unit": unit,
            "points": [
                {
                    "amount": amount,
                    **error(predict(change(images, kind, amount, default_rng([seed, k]))), labels),
                }
                for k, amount in enumerate(amounts)
            ],
        }
        for kind, (unit, amounts) in CHANGES.items()
    }
