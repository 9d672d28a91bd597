"""How far images can be turned, moved, scaled or made noisy before they are misread."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator, default_rng

from capsviz.inputs import changes
from capsviz.inputs.changes import Changes, moved
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


MEANS = 1_000  # images at most, for the means
EVERY = {"rotation": 5}  # of a change's values so many steps apart are measured; of the others
STEPS = 4


def means(predict: Predict, images: np.ndarray, labels: np.ndarray, seed: int = SEED) -> dict[str, Any]:
    """The score of the true class over the whole range of each of ``inputs.changes.CHANGES``.

    Args:
        predict: images to scores.
        images: float32 [N, S, S] in 0..1.
        labels: [N].
        seed: of the noise, of which each image has its own.

    Returns:
        For each change "images", how many, and its "points": "amount", the "mean" of the scores, the quarter of them "low"
        below which and "high" above which another quarter lies, and the share "right" of the answers.
    """
    seeds = seed + np.arange(len(images))
    return {
        name: {
            "images": len(images),
            "points": [
                {
                    "amount": kind.at(steps),
                    **_true(predict(_all(images, name, kind.at(steps), seeds)), labels),
                }
                for steps in measured(name)
            ],
        }
        for name, kind in changes.CHANGES.items()
    }


def measured(name: str) -> list[int]:
    """How many steps from the unchanged picture the means are measured at, in order; both ends are among them."""
    kind, every = changes.CHANGES[name], EVERY.get(name, STEPS)
    between = range(every * (kind.first // every), kind.last + 1, every)
    return sorted({kind.first, *(steps for steps in between if steps >= kind.first), kind.last})


def _all(images: np.ndarray, name: str, amount: float, seeds: np.ndarray) -> np.ndarray:
    return changes.change(images, Changes(**{name: amount}), seeds)


def _true(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    true = scores[np.arange(len(labels)), labels]
    low, high = np.quantile(true, (0.25, 0.75))
    right = (scores.argmax(1) == labels).mean()
    found = {"mean": true.mean(), "low": low, "high": high, "right": right}
    return {name: round(float(value), 4) for name, value in found.items()}
