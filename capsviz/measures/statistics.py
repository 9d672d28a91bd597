"""How well scores answer labels, and how sure that is: errors, intervals, calibration; no network is asked.

Scores are lengths of capsules or probabilities; where a result says "length", it is the highest score of an image.

Everything comes back as plain numbers, fit for JSON.
"""

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.random import default_rng

from capsviz.models.rates import wilson

SEED = 20171026  # of places, sizes, noise, resamples and other things: not the seed of any training
RESAMPLES = 2_000  # of writers, for an interval
BINS = 20
# Of Student's distribution, what 95% lie within: for 2, 3, ... values; of more, the last is wide enough.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def interval(right: np.ndarray, clusters: Sequence[str], seed: int = SEED) -> tuple[float, float]:
    """95% interval (low, high) of a mean whose terms come in clusters: one writer's drawings resemble each other.

    Args:
        right: [N] what each term counts, 0..1.
        clusters: [N] which terms belong together.
        seed: of the bootstrap.

    Returns:
        The 2.5th and 97.5th percentile of the mean over as many clusters drawn with replacement; at least as
        wide as Wilson's interval, since a bootstrap of a few clusters may see no spread at all. Where none or all
        count there is none to see: Wilson's interval of as many clusters.
    """
    low, high = wilson(round(float(right.sum())), len(right))
    names, which = np.unique(np.asarray(clusters), return_inverse=True)
    if len(right) and (right.min() == 1 or right.max() == 0):
        return wilson(len(names) * int(right[0]), len(names))
    if len(names) < 2:
        return low, high
    sums, sizes = np.bincount(which, right), np.bincount(which)
    least, most = _resampled(sums, sizes, seed)
    return min(low, least), max(high, most)


def interval_of_drawings(counted: np.ndarray, drawings: Sequence[str]) -> tuple[float, float]:
    """95% interval (low, high) of a share of pictures [N], 0..1 each, of which several are of one drawing.

    The union of two: Wilson's formula of that share with as many trials as there are drawings, as if the pictures of one
    always agreed, and a bootstrap of the drawings. Of more that counts no end is ever lower.
    """
    names, which = np.unique(np.asarray(drawings), return_inverse=True)
    low, high = wilson(float(np.mean(counted)) * len(names), len(names))
    least, most = _resampled(np.bincount(which, counted), np.bincount(which), SEED)
    return min(low, least), max(high, most)


def interval_of_means(means: np.ndarray) -> tuple[float, float]:
    """95% interval (low, high) of the mean of the drawings' means [M]: a bootstrap of them. One alone tells nothing."""
    if len(means) < 2:
        return -math.inf, math.inf
    return _resampled(means, np.ones(len(means)), SEED)


def _resampled(sums: np.ndarray, sizes: np.ndarray, seed: int) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the mean over as many clusters, [M] sums of [M] terms, drawn with replacement."""
    drawn = default_rng([seed, 3]).integers(len(sums), size=(RESAMPLES, len(sums)))
    means = sums[drawn].sum(1) / sizes[drawn].sum(1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def newcombe_paired(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """95% interval (low, high) of the share of ``one`` [N] less that of ``other`` [N], which are of the same things.

    Newcombe, Statistics in Medicine 17 (1998) 2635, method 10: Wilson's of both, with their correlation.
    """
    count = len(one)
    both, first = int((one & other).sum()), int((one & ~other).sum())
    second, neither = int((~one & other).sum()), int((~one & ~other).sum())
    product = both * neither - first * second
    above = max(product - count / 2, 0) if product > 0 else product
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    correlation = above / math.sqrt(margins) if margins else 0.0
    (low, high), (least, most) = wilson(both + first, count), wilson(both + second, count)
    p, q = (both + first) / count, (both + second) / count

    def half(a: float, b: float) -> float:
        return math.sqrt(max(a * a - 2 * correlation * a * b + b * b, 0.0))

    return p - q - half(p - low, most - q), p - q + half(high - p, q - least)


def error(scores: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """How many of the highest scores [N, J] are not the label's [N], as a rate with its 95% interval."""
    wrong, total = int((scores.argmax(1) != labels).sum()), len(labels)
    return {
        "images": total,
        "wrong": wrong,
        "error_rate": wrong / total if total else 0.0,
        "interval": wilson(wrong, total),
    }


def of_seeds(wrong: Sequence[float], images: int) -> dict[str, Any]:
    """The error of several trainings that differ in their seed, each measured on the same ``images``.

    Args:
        wrong: images that each misreads; between two measurements there may be parts of one.
        images: of the test set.

    Returns:
        "errors" of each, their "mean", their standard "deviation" (None of a single one), and an "interval" of 95% of the
        mean: Student's over the trainings, and at least as wide as Wilson's over the images. More trainings do not make
        more images.
    """
    errors = [count / images for count in wrong]
    middle, (low, high) = fmean(errors), wilson(round(fmean(wrong)), images)
    deviation = stdev(errors) if len(errors) > 1 else None
    if deviation is not None:
        half = STUDENT[min(len(errors), len(STUDENT) + 1) - 2] * deviation / math.sqrt(len(errors))
        low, high = min(low, max(0.0, middle - half)), max(high, min(1.0, middle + half))
    return {"errors": errors, "mean": middle, "deviation": deviation, "interval": (low, high)}


def confusion(labels: np.ndarray, answers: np.ndarray, classes: int) -> list[list[int]]:
    """Counts [J][J]: how often each of J classes (row) was answered as which (column)."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, answers), 1)
    return counts.tolist()


def calibration(scores: np.ndarray, labels: np.ndarray, bins: int = BINS) -> dict[str, Any]:
    """What the highest score says about being right.

    Args:
        scores: [N, J] in 0..1.
        labels: [N] true classes.
        bins: equal intervals of the highest score.

    Returns:
        "length" and "accuracy": means over all images; "bins": for each one that is not empty its borders, count,
        mean highest score, accuracy and its 95% "interval"; "ece": the expected calibration error, the mean over all
        images of the distance between score and accuracy in an image's bin.
    """
    highest, right = scores.max(1), scores.argmax(1) == labels
    which = np.minimum((highest * bins).astype(int), bins - 1)
    rows: list[dict[str, Any]] = []
    for k in np.unique(which).tolist():
        inside = which == k
        count, correct = int(inside.sum()), int(right[inside].sum())
        rows.append(
            {
                "low": k / bins,
                "high": (k + 1) / bins,
                "images": count,
                "length": float(highest[inside].mean()),
                "accuracy": correct / count,
                "interval": wilson(correct, count),
            }
        )
    apart = sum(row["images"] * abs(row["accuracy"] - row["length"]) for row in rows)
    count = max(len(labels), 1)
    return {
        "length": float(highest.sum() / count),
        "accuracy": float(right.sum() / count),
        "bins": rows,
        "ece": apart / count,
    }


def iterations(lengths: np.ndarray, labels: np.ndarray, trained: int) -> dict[str, Any]:
    """What more or fewer routing iterations than in training do to the answers.

    Args:
        lengths: [R, N, J] after each iteration, R at least ``trained``.
        labels: [N] true classes.
        trained: routing iterations of training.

    Returns:
        "trained", and "rows", one for each number of iterations from 1 up: "iterations", what ``error`` gives, the
        share of the images with the "same" answer as with ``trained``, and the mean lengths of the longest
        capsule, "winner", and of the second longest, "runner_up".
    """
    answers = lengths.argmax(2)
    ordered = np.sort(lengths.astype(np.float64), axis=2)
    total = max(len(labels), 1)
    return {
        "trained": trained,
        "rows": [
            {
                "iterations": r,
                **error(now, labels),
                "same": float((answer == answers[trained - 1]).sum() / total),
                "winner": float(longest[:, -1].sum() / total),
                "runner_up": float(longest[:, -2].sum() / total),
            }
            for r, (now, answer, longest) in enumerate(zip(lengths, answers, ordered, strict=True), 1)
        ],
    }
