"""Measuring a trained network: on MNIST, on drawings, on what is no digit, and how far it can be pushed.

Everything is seeded and comes back as plain numbers, fit for JSON and for ``figures.evaluation``.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator, default_rng

from capsviz.checks import one_line, shown, whole_number
from capsviz.errors import CapsvizError, ImageError
from capsviz.inputs.augment import warp
from capsviz.inputs.data import load_mnist, unlike_mnist
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.inputs.strokes import (
    NO_CLASS,
    OTHER_KINDS,
    Drawing,
    make_image,
    other_of_kind,
    random_digit,
    read_strokes,
    render_anywhere,
)
from capsviz.models.card import FORMAT, SHARE_UNSURE, TEST_SET, percent, routing_measured, unsure_digits
from capsviz.models.model import Model

Predict = Callable[[np.ndarray], np.ndarray]  # images [N, 28, 28] in 0..1 to lengths [N, 10]

SEED = 20171026  # of places, sizes, noise and other things: not the seed of any training
WIDTHS = (8, 12, 18, 26)  # of the pen, in pixels of the app's canvas
SIZES = (90, 200)  # of a drawing's larger side, in the same
CURVE_IMAGES = 1_000
RESAMPLES = 2_000  # of writers, for an interval
OTHERS = 300  # of each kind
MADE_UP = 500
BINS = 20
ITERATIONS = 10  # of routing: with 1 to so many

CHANGES: dict[str, tuple[str, tuple[float, ...]]] = {
    "rotated": ("degrees to the left", (-60, -45, -30, -20, -10, 0, 10, 20, 30, 45, 60)),
    "shifted": ("pixels", (0, 1, 2, 3, 4, 5, 6)),
    "scaled": ("times as large", (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4)),
    "noised": ("standard deviation, black being 0 and white 1", (0, 0.1, 0.2, 0.3, 0.4, 0.5)),
}


def wilson(wrong: int, total: int) -> tuple[float, float]:
    """95% interval (low, high) of a rate of which ``wrong`` of ``total`` were counted (Wilson 1927)."""
    if not total:
        return 0.0, 1.0
    z = 1.959964
    rate, spread = wrong / total, z**2 / total
    middle = (rate + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(rate * (1 - rate) / total + spread / (4 * total))
    # Rounding must not leave the true bounds 0 and 1.
    return max(0.0, middle - half), min(1.0, middle + half)


def interval(right: np.ndarray, clusters: Sequence[str], seed: int = SEED) -> tuple[float, float]:
    """95% interval (low, high) of a mean whose terms come in clusters: one writer's drawings resemble each other.

    Args:
        right: [N] what each term counts, 0..1.
        clusters: [N] which terms belong together.
        seed: of the bootstrap.

    Returns:
        The 2.5th and 97.5th percentile of the mean over as many clusters drawn with replacement; at least as
        wide as Wilson's interval, since a bootstrap of a few clusters may see no spread at all.
    """
    low, high = wilson(round(float(right.sum())), len(right))
    names, which = np.unique(np.asarray(clusters), return_inverse=True)
    if len(names) < 2:
        return low, high
    sums, sizes = np.bincount(which, right), np.bincount(which)
    drawn = default_rng([seed, 3]).integers(len(names), size=(RESAMPLES, len(names)))
    means = sums[drawn].sum(1) / sizes[drawn].sum(1)
    return min(low, float(np.quantile(means, 0.025))), max(high, float(np.quantile(means, 0.975)))


def error(lengths: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """How many of the longest capsules [N, 10] are not the label's [N], as a rate with its 95% interval."""
    wrong, total = int((lengths.argmax(1) != labels).sum()), len(labels)
    return {
        "images": total,
        "wrong": wrong,
        "error_rate": wrong / total if total else 0.0,
        "interval": wilson(wrong, total),
    }


def confusion(labels: np.ndarray, answers: np.ndarray) -> list[list[int]]:
    """Counts [10][10]: how often each digit (row) was answered as which (column)."""
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (labels, answers), 1)
    return counts.tolist()


def calibration(lengths: np.ndarray, labels: np.ndarray, bins: int = BINS) -> dict[str, Any]:
    """What the longest capsule's length says about being right.

    Args:
        lengths: [N, 10] in 0..1.
        labels: [N] true digits.
        bins: equal intervals of length.

    Returns:
        "length" and "accuracy": means over all images; "bins": for each one that is not empty its borders, count,
        mean length, accuracy and its 95% "interval"; "ece": the expected calibration error, the mean over all images
        of the distance between length and accuracy in an image's bin.
    """
    longest, right = lengths.max(1), lengths.argmax(1) == labels
    which = np.minimum((longest * bins).astype(int), bins - 1)
    rows: list[dict[str, Any]] = []
    for k in np.unique(which).tolist():
        inside = which == k
        count, correct = int(inside.sum()), int(right[inside].sum())
        rows.append(
            {
                "low": k / bins,
                "high": (k + 1) / bins,
                "images": count,
                "length": float(longest[inside].mean()),
                "accuracy": correct / count,
                "interval": wilson(correct, count),
            }
        )
    apart = sum(row["images"] * abs(row["accuracy"] - row["length"]) for row in rows)
    count = max(len(labels), 1)
    return {
        "length": float(longest.sum() / count),
        "accuracy": float(right.sum() / count),
        "bins": rows,
        "ece": apart / count,
    }


def iterations(lengths: np.ndarray, labels: np.ndarray, trained: int) -> dict[str, Any]:
    """What more or fewer routing iterations than in training do to the answers.

    Args:
        lengths: [R, N, 10] after each iteration, R at least ``trained``.
        labels: [N] true digits.
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


def read_drawings(
    predict: Predict, drawings: Sequence[Drawing], threshold: float, seed: int = SEED
) -> dict[str, Any]:
    """How many drawings are read correctly, each at a random size and place, with pens of four widths.

    Args:
        predict: images to lengths.
        drawings: digits, fit into boxes of side 1.
        threshold: a longest capsule below it is called unsure.
        seed: of sizes and places; each width has its own.

    Returns:
        "drawings" and "writers" (0 if unknown): how many; "widths": one row a width with "width", "drawings",
        "right", "refused" (no digit found in it, which counts as wrong), "rate", its "interval", the share
        called "unsure", and which drawings were not read correctly ("misread", counted from 0); over all widths
        "rate", "interval" and "unsure"; "confusion" [10][10] over all widths of what was not refused, so that
        each drawing counts up to four times.
    """
    labels = np.array([drawing.label for drawing in drawings], np.int64)
    named = all(drawing.writer for drawing in drawings)
    # What belongs together: a writer's drawings, or at least one drawing's four pictures.
    clusters = [drawing.writer if named else str(k) for k, drawing in enumerate(drawings)]
    total, counts = len(drawings), np.zeros((10, 10), np.int64)
    rows: list[dict[str, Any]] = []
    all_right = np.zeros((len(WIDTHS), total))
    for width, is_right in zip(WIDTHS, all_right, strict=True):
        rng = default_rng([seed, width])
        images = [_seen(drawing, width, rng) for drawing in drawings]
        read = np.array([image is not None for image in images], bool)
        shown = np.array([image for image in images if image is not None], np.float32)
        lengths = predict(shown.reshape(-1, 28, 28))
        answers = np.full(total, NO_CLASS)
        answers[read] = lengths.argmax(1)
        is_right[:] = answers == labels
        right = int(is_right.sum())
        counts += confusion(labels[read], answers[read])
        rows.append(
            {
                "width": width,
                "drawings": total,
                "right": right,
                "refused": total - len(shown),
                "rate": right / total,
                "interval": interval(is_right, clusters),
                "unsure": float((lengths.max(1) < threshold).sum()) / total,
                "misread": np.flatnonzero(answers != labels).tolist(),
            }
        )
    return {
        "drawings": total,
        "writers": len(set(clusters)) if named else 0,
        "widths": rows,
        "rate": float(all_right.mean()),
        "interval": interval(all_right.mean(0), clusters),
        "unsure": float(np.mean([row["unsure"] for row in rows])),
        "confusion": counts.tolist(),
    }


def _seen(drawing: Drawing, width: float, rng: Generator) -> np.ndarray | None:
    """What the network is shown of a drawing; None where the app would refuse it."""
    pixels = render_anywhere(drawing.strokes, width, rng.uniform(*SIZES), rng)
    try:
        return canvas_to_mnist(pixels, "light")
    except ImageError:
        return None


def change(images: np.ndarray, kind: str, amount: float, rng: Generator) -> np.ndarray:
    """Images [N, 28, 28] in 0..1 changed by one amount of one of ``CHANGES``.

    Positive degrees turn to the left; a shift goes in a random direction, by whole or part pixels.
    """
    if kind == "noised":
        return (images + rng.normal(0, amount, images.shape)).clip(0, 1).astype(np.float32)
    matrices = np.tile(np.eye(2, 3), (len(images), 1, 1))  # from places in the new image to the old one
    if kind == "rotated":
        angle = math.radians(amount)
        matrices[:, :, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    elif kind == "scaled":
        matrices[:, :, :2] /= amount
    else:
        angles = rng.uniform(0, 2 * math.pi, len(images))
        # Two units from edge to edge.
        matrices[:, :, 2] = np.stack([np.cos(angles), np.sin(angles)], axis=1) * amount * 2 / images.shape[1]
    still = torch.zeros(len(images), 2, 2, 2)
    moved = warp(torch.from_numpy(images), torch.from_numpy(matrices.astype(np.float32)), still)
    return moved.numpy()


def curves(predict: Predict, images: np.ndarray, labels: np.ndarray, seed: int = SEED) -> dict[str, Any]:
    """The error on digits that are turned, moved, scaled or noisy.

    Args:
        predict: images to lengths.
        images: float32 [N, 28, 28] in 0..1.
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


def unsure_below(longest: np.ndarray) -> float:
    """The length below which to say "unsure": at most ``SHARE_UNSURE`` of these digits have a shorter capsule.

    Args:
        longest: [N] lengths of the longest capsules of digits that were held out of training.

    Returns:
        A length that one of them has; 0 without any.
    """
    return float(np.sort(longest)[int(SHARE_UNSURE * len(longest))]) if len(longest) else 0.0


def unsure(
    predict: Predict,
    images: np.ndarray,
    labels: np.ndarray,
    threshold: float,
    count: int = OTHERS,
    seed: int = SEED,
) -> dict[str, Any]:
    """What is called unsure, of real digits and of things that are no digits.

    Args:
        predict: images to lengths.
        images: real digits [N, 28, 28] in 0..1, others than those that the threshold was set on.
        labels: [N] which they are.
        threshold: a longest capsule below it is called unsure.
        count: how many things of each of ``OTHER_KINDS`` to draw, of those that the app does not refuse.
        seed: of these; each kind has its own.

    Returns:
        "threshold"; "digits": how many there are, the share "below" it, and how many of these were "misread"
        as well; "kinds": likewise how many and the share below, with the "kind" and which were answered all the
        same ("answered", counted from 0); "others": all kinds together; and for lengths from 0 to 1 in
        hundredths the shares of digits and others that lie below ("below").
    """
    lengths = predict(images)
    digits = lengths.max(1)
    misread = lengths.argmax(1) != labels
    found = []
    for k, kind in enumerate(OTHER_KINDS):
        rng = default_rng([seed, 1, k])
        drawn = np.array([make_image(other_of_kind(kind), rng)[0] for _ in range(count)])
        found.append(predict(drawn.reshape(-1, 28, 28) / np.float32(255)).max(1))
    others = np.concatenate(found)
    limits = [k / 100 for k in range(101)]

    def below(longest: np.ndarray, length: float) -> float:
        return float((longest < length).mean()) if len(longest) else 0.0

    return {
        "threshold": threshold,
        "digits": {
            "images": len(digits),
            "below": below(digits, threshold),
            "misread": int((misread & (digits < threshold)).sum()),
        },
        "kinds": [
            {
                "kind": kind,
                "images": len(longest),
                "below": below(longest, threshold),
                "answered": np.flatnonzero(longest >= threshold).tolist(),
            }
            for kind, longest in zip(OTHER_KINDS, found, strict=True)
        ],
        "others": {"images": len(others), "below": below(others, threshold)},
        "below": {
            "length": limits,
            "digits": [below(digits, length) for length in limits],
            "others": [below(others, length) for length in limits],
        },
    }


def made_up_digits(count: int, seed: int = SEED) -> list[Drawing]:
    """Digits drawn by ``strokes``: of the kind that training may have seen, but not the same ones."""
    rng = default_rng([seed, 2])
    return [random_digit(rng) for _ in range(count)]


def evaluate(
    model: Model,
    data: Path,
    strokes: Path | None = None,
    limit: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measure everything there is to measure.

    Args:
        model: the network.
        data: folder with MNIST; downloaded if empty.
        strokes: file of drawings as strokes, if there is one.
        limit: at most so many images, drawings and other things of each kind, evenly spaced.
        say: called with a line before each part.

    Returns:
        A dictionary for JSON: its "format"; "data", "device" and "sha256" of the weights; "images", "wrong", "error_rate" and
        "interval" on MNIST's test set and which of its images were "misread" (their places there, from 0);
        "confusion", "calibration", "iterations", "curves", "unsure" (on the test set, with the threshold of the
        weights' card), "made_up" (what ``read_drawings`` gives for made-up digits), and with ``strokes`` "drawings"
        (likewise, with the "file" and its "file_sha256").

    Raises:
        DataError: if MNIST or the strokes are missing, incomplete or damaged.
        CapsvizError: if ``limit`` is no whole number from 1 up.
    """
    if limit is not None and (whole_number(limit) or 0) < 1:
        raise CapsvizError(f"A limit is a whole number from 1, not {shown(limit)}.")
    drawings = read_strokes(strokes) if strokes else None
    threshold = float(model.card["unsure_below"])
    say(TEST_SET)
    test = load_mnist(data, "test")
    unlike = unlike_mnist(data, "test")
    if unlike:
        say(unlike)
    places = _spaced(len(test.labels), limit)
    images, labels = test.images.numpy()[places] / np.float32(255), test.labels.numpy()[places]
    lengths = model.predict(images)
    result = {
        "format": FORMAT,
        **error(lengths, labels),
        "data": TEST_SET + (f" ({unlike})" if unlike else ""),
        "device": model.device,
        "sha256": model.sha256,
        "misread": places[lengths.argmax(1) != labels].tolist(),
        "confusion": confusion(labels, lengths.argmax(1)),
        "calibration": calibration(lengths, labels),
    }
    say(f"routing with 1 to {ITERATIONS} iterations")
    result["iterations"] = iterations(
        model.lengths_by_iteration(images, ITERATIONS), labels, model.card["settings"]["iterations"]
    )
    say("MNIST turned, moved, scaled, noisy")
    few = _spaced(len(labels), min(limit or CURVE_IMAGES, CURVE_IMAGES))
    result["curves"] = curves(model.predict, images[few], labels[few])
    say("what is no digit")
    result["unsure"] = unsure(model.predict, images, labels, threshold, min(limit or OTHERS, OTHERS))
    say("made-up digits")
    result["made_up"] = read_drawings(
        model.predict, made_up_digits(min(limit or MADE_UP, MADE_UP)), threshold
    )
    if strokes and drawings:
        say("drawings")
        chosen = [drawings[k] for k in _spaced(len(drawings), limit)]
        result["drawings"] = {
            "file": one_line(strokes.name),
            "file_sha256": hashlib.sha256(strokes.read_bytes()).hexdigest(),
            **read_drawings(model.predict, chosen, threshold),
        }
    return result


def _spaced(total: int, count: int | None) -> np.ndarray:
    """``count`` of ``total`` positions, evenly spaced; all of them if there are not more."""
    return np.arange(total) if not count or count >= total else np.arange(count) * total // count


def summary(result: dict[str, Any]) -> str:
    """What ``evaluate`` found, in words and tables."""
    doubt, found = result["unsure"], result["calibration"]
    lines = [
        f"{result['wrong']} of {result['images']:,} wrong, error rate "
        + percent(result["error_rate"], result["interval"]),
        "digits (rows) read as digits (columns):",
        "  " + "".join(f"{digit:6}" for digit in range(10)),
        *(f"{digit} " + "".join(f"{n:6}" for n in row) for digit, row in enumerate(result["confusion"])),
        f"calibration: the longest length is {found['length']:.3f} on average, {found['accuracy']:.2%} are right; "
        f"expected calibration error {found['ece']:.3f}",
        *(
            f"- length {row['low']:.2f} to {row['high']:.2f}: {row['accuracy']:.1%} of {row['images']:,} right"
            for row in found["bins"]
        ),
        routing_measured(result),
        *(
            f"- {row['iterations']:2} iterations: {row['wrong']} wrong, {row['same']:.2%} as trained, longest "
            f"{row['winner']:.3f}, next {row['runner_up']:.3f}"
            for row in result["iterations"]["rows"]
        ),
        f"unsure below {doubt['threshold']:.2f}: of test digits {unsure_digits(doubt['digits'])}, of drawings of no "
        f"digit {doubt['others']['below']:.1%} of {doubt['others']['images']:,}",
        *(f"- of {kind['images']:,} {kind['kind']}: {kind['below']:.1%}" for kind in doubt["kinds"]),
    ]
    for kind, curve in result["curves"].items():
        points = ", ".join(f"{p['amount']:g}: {p['error_rate']:.1%}" for p in curve["points"])
        lines.append(f"error when {kind} ({curve['unit']}): {points}")
    for key, name in (("made_up", "made-up digits"), ("drawings", "drawings")):
        if key in result:
            drawn = result[key]
            lines += [
                f"{name}, pen of {row['width']} pixels: correct {percent(row['rate'], row['interval'])}"
                for row in drawn["widths"]
            ]
            lines.append(
                f"{name}, all pens: correct {percent(drawn['rate'], drawn['interval'])}, "
                f"unsure {drawn['unsure']:.1%}"
            )
    return "\n".join(lines)
