"""What other rules of routing do to the answers of a network that was trained with Procedure 1: the same votes, no training."""

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from capsviz.measures.statistics import SEED, error
from capsviz.traces.rules import BIAS, FIXED
from capsviz.traces.surgery import COUPLINGS, reroute

if TYPE_CHECKING:
    from capsviz.models.model import Model

IMAGES = 1_000  # of the test set, and as many training images for the mean of c
AT = (1, 2, 3, 5, 10, 20, 50)  # iterations, besides those of training
_BATCH = 50  # images whose votes, 0.7 MB each, are kept at once
MEAN = np.dtype("<f2")


def mean_coupling(model: "Model", images: np.ndarray) -> np.ndarray:
    """[I, J] mean of c after the iterations of training, over images [N, S, S] in 0..1."""
    total: np.ndarray | float = 0.0
    for start in range(0, len(images), _BATCH):
        for votes in model.votes(images[start : start + _BATCH]):
            total = total + reroute(votes, model.shape.trained).c[-1].astype(float)
    return np.asarray(total / len(images))


def rules(
    model: "Model", train: np.ndarray, images: np.ndarray, labels: np.ndarray, seed: int = SEED
) -> dict[str, Any]:
    """The error of each coupling, with the authors' bias too, after several numbers of iterations.

    Args:
        model: which routes by Procedure 1.
        train: [M, S, S] in 0..1 of its training data, over which the mean of c is.
        images: [N, S, S] of its test data.
        labels: [N].
        seed: of "random", whose coefficients each image has its own of.

    Returns:
        "trained", the iterations of training; "images"; "averaged", how many the mean of c is of, and "mean", that mean as
        ``packed``; and "rows", one for each coupling, bias and number of iterations: "coupling", "bias",
        "iterations", what ``error`` gives, the share "same" of the answers that routing as trained gives too, and the
        mean "entropy" of a primary capsule's coefficients as a share of the most there can be (1 where all are alike).
    """
    mean = mean_coupling(model, train)
    counts = sorted({*AT, model.shape.trained})
    kinds = [(coupling, bias) for bias in (0.0, BIAS) for coupling in COUPLINGS]
    lengths = np.empty((len(kinds), len(counts), len(images), len(model.shape.classes)))
    entropies = np.zeros((len(kinds), len(counts)))
    places = np.array(counts) - 1
    for start in range(0, len(images), _BATCH):
        for at, votes in enumerate(model.votes(images[start : start + _BATCH]), start):
            for k, (coupling, bias) in enumerate(kinds):
                found = reroute(votes, counts[-1], coupling, seed=seed + at, mean=mean, bias=bias)
                lengths[k, :, at] = np.linalg.norm(found.v[places], axis=2)
                entropies[k] += evenness(found.c[places]) / len(images)
    trained = lengths[0, counts.index(model.shape.trained)].argmax(1)
    rows = [
        {
            "coupling": coupling,
            "bias": bias,
            "iterations": iterations,
            **error(lengths[k, r], labels),
            "same": float((lengths[k, r].argmax(1) == trained).mean()),
            "entropy": round(float(entropies[k, r]), 4),
        }
        for k, (coupling, bias) in enumerate(kinds)
        for r, iterations in enumerate(counts)
    ]
    return {
        "trained": model.shape.trained,
        "images": len(images),
        "averaged": len(train),
        "mean": packed(mean),
        "rows": rows,
    }


def evenness(c: np.ndarray) -> np.ndarray:
    """[R] mean over primary capsules of the entropy of c [R, I, J], each scaled to sum to 1, as a share of log J."""
    shares = c / np.maximum(c.sum(axis=2, keepdims=True), np.finfo(np.float32).tiny)
    entropy = -(shares * np.log(np.maximum(shares, np.finfo(np.float32).tiny))).sum(axis=2)
    return np.asarray(entropy.mean(axis=1) / np.log(c.shape[2]))


def packed(mean: np.ndarray) -> str:
    """A mean of c as a file has it: half precision, little-endian, in base 64."""
    return base64.b64encode(mean.astype(MEAN).tobytes()).decode("ascii")


def unpacked(text: str, primary: int, classes: int) -> np.ndarray:
    """[I, J] of what ``packed`` made.

    Raises:
        ValueError: if it is of another size, or no coefficients.
    """
    mean = np.frombuffer(base64.b64decode(text, validate=True), MEAN).astype(np.float32)
    if mean.size != primary * classes or not ((mean >= 0) & (mean <= 1)).all():
        raise ValueError(f"there are no {primary} x {classes} coefficients.")
    return mean.reshape(primary, classes)


def row_of(
    rules: Mapping[str, Any] | None, coupling: str, bias: bool, iterations: int
) -> dict[str, Any] | None:
    """What was measured of one coupling; None where nobody has, or not after so many iterations.

    Args:
        rules: what ``rules`` gave.
        coupling: of ``COUPLINGS``; those that stay as they are give the same after any number of iterations.
        bias: whether that of the authors' code is added.
        iterations: of routing.
    """
    if rules is None:
        return None
    wanted = rules["trained"] if coupling in FIXED else iterations
    for row in rules["rows"]:
        if (row["coupling"], row["bias"] > 0, row["iterations"]) == (coupling, bias, wanted):
            return {**row, "iterations": iterations, "averaged": rules["averaged"]}
    return None
