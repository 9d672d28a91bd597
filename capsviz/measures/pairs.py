"""How a network of two digits at once reads pairs of them, digits alone, two of one class, and drawings over each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator, default_rng

from capsviz.errors import ImageError
from capsviz.inputs.data import Digits
from capsviz.inputs.drawn import WIDTHS
from capsviz.inputs.pairs import BOX, SEED, SHIFT, SIZE, fixed_pairs
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.inputs.spread import hidden, merged, spread_pairs
from capsviz.inputs.strokes import Drawing, Strokes, fit, make_image, random_digit, render_anywhere
from capsviz.measures.changes import Predict
from capsviz.measures.drawings import SIZES
from capsviz.measures.statistics import interval, wilson

ALIKE = 1_000  # pairs of one class
SPREAD = 4_000  # pairs that lie over each other by more and by less
BINS = 10  # into which these are sorted


def read_pairs(
    predict: Predict, digits: Digits, threshold: float, limit: int | None = None
) -> dict[str, Any]:
    """How the fixed pairs of digits are read, whose two longest capsules are the answer.

    Args:
        predict: images to lengths.
        digits: [N] of the test set, with room to move.
        threshold: a capsule below it is not long enough to be an answer.
        limit: at most so many pairs, evenly spaced.

    Returns:
        "images"; "wrong", of which the two are not both right, as a set, as "error_rate" with its "interval"; the share of
        all digits that is among the two ("found"); "misread", which pairs; "seed" and "shift" of the pairs; and "alike",
        what ``by_itself`` gives for pairs of one class; and "spread", what ``read_spread`` gives of 4,000 pairs that lie
        over each other by more and by less.
    """
    pairs, _ = fixed_pairs(digits)
    count = len(pairs.labels)
    places = np.arange(count) if not limit or limit >= count else np.arange(limit) * count // limit
    labels = pairs.labels.numpy()[places]
    found = among_the_longest(predict(_pixels(pairs, places)), labels)
    wrong = int((~found.all(1)).sum())
    some = places[: min(ALIKE, len(places))]
    alike, _ = fixed_pairs(digits, alike=True)
    images = digits.images.numpy()
    return {
        "images": len(places),
        "wrong": wrong,
        "error_rate": wrong / len(places),
        "interval": wilson(wrong, len(places)),
        "found": float(found.mean()),
        "misread": places[~found.all(1)].tolist(),
        "seed": SEED,
        "shift": SHIFT,
        "alike": by_itself(predict(_pixels(alike, some)), alike.labels.numpy()[some, 0], threshold),
        "spread": read_spread(
            predict, images, digits.labels.numpy(), min(limit or SPREAD, SPREAD), images.shape[1]
        ),
    }


def read_spread(
    predict: Predict, images: np.ndarray, labels: np.ndarray, count: int, size: int = SIZE
) -> dict[str, Any]:
    """How the error grows with how much the two digits of a pair hide of each other.

    Args:
        predict: images to scores.
        images: uint8 [N, s, s] digits, each in the middle.
        labels: [N].
        count: of pairs that are made of them (``inputs.spread.spread_pairs``).
        size: side of the images that are predicted.

    Returns:
        "seed", "pairs", and "bins", as ``by_overlap`` gives them.
    """
    parts, classes = spread_pairs(images, labels, count, default_rng([SEED, 5]), size)
    found = among_the_longest(predict(merged(parts) / np.float32(255)), classes)
    return {"seed": SEED, "pairs": count, "bins": by_overlap(found, hidden(parts))}


def made_up_for_pairs(count: int, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Made-up digits, uint8 [count, 28, 28], as large as MNIST's, and their labels."""
    made = [make_image(random_digit, rng) for _ in range(count)]
    return np.stack([image for image, _ in made]), np.array([label for _, label in made])


def by_overlap(found: np.ndarray, overlap: np.ndarray) -> list[dict[str, Any]]:
    """Errors by overlap, in steps of a tenth.

    Args:
        found: [N, 2] whether each digit of a pair is among the two that are named.
        overlap: [N] in 0..1, as ``inputs.spread.hidden`` has it.

    Returns:
        Of each tenth in which there are pairs, from no overlap on: "low" and "high" borders, "pairs", "wrong" (not both
        are found), "error_rate" with its "interval", and the share of digits "found".
    """
    places = np.minimum((overlap * BINS).astype(int), BINS - 1)
    rows = []
    for place in np.unique(places):
        inside = places == place
        count, wrong = int(inside.sum()), int((~found[inside].all(1)).sum())
        rows.append(
            {
                "low": int(place) / BINS,
                "high": (int(place) + 1) / BINS,
                "pairs": count,
                "wrong": wrong,
                "error_rate": wrong / count,
                "interval": wilson(wrong, count),
                "found": float(found[inside].mean()),
            }
        )
    return rows


def among_the_longest(lengths: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """[N, n] whether each of n labels [N, n] is among the n longest of the capsules [N, J]."""
    answers = lengths.argsort(1)[:, -labels.shape[1] :]
    return (labels[:, :, None] == answers[:, None]).any(2)


def by_itself(lengths: np.ndarray, labels: np.ndarray, threshold: float) -> dict[str, Any]:
    """How images of one class are read by a network that may name two.

    Args:
        lengths: [N, J] of the capsules.
        labels: [N].
        threshold: a capsule below it is not long enough to be an answer.

    Returns:
        "images"; the share whose longest capsule is the label's ("right"), and of those where it is also the only one
        that is long enough ("only").
    """
    right = lengths.argmax(1) == labels
    only = right & ((lengths >= threshold).sum(1) == 1)
    return {"images": len(labels), "right": float(right.mean()), "only": float(only.mean())}


def read_drawn_pairs(predict: Predict, drawings: Sequence[Drawing], size: int) -> dict[str, Any]:
    """How drawings are read that are laid over each other as MNIST's digits are, on one canvas, with pens of four widths.

    Args:
        predict: images to lengths.
        drawings: of the network's classes, of two at least.
        size: side of the images that are predicted.

    Returns:
        "pairs", one for each drawing; "writers" of the drawings (0 if unknown); "widths": one row for each with the "width",
        how many the app would have "refused", which count as wrong, the "rate" of those whose two longest capsules are the
        two, its "interval" and the share of digits "found"; and over all of these "rate", "interval" and "found".
    """
    labels = np.array([drawing.label for drawing in drawings])
    rng = default_rng([SEED, 4])
    partners = np.array([rng.choice(np.flatnonzero(labels != label)) for label in labels])
    found = np.zeros((len(WIDTHS), len(drawings), 2), bool)
    refused = []
    for k, width in enumerate(WIDTHS):
        rng = default_rng([SEED, width])
        images = [
            _seen(overlaid(drawings[one].strokes, drawings[other].strokes, rng), width, rng, size)
            for one, other in enumerate(partners)
        ]
        read = np.array([image is not None for image in images])
        shown = np.array([image for image in images if image is not None], np.float32).reshape(-1, size, size)
        both = np.stack([labels, labels[partners]], 1)[read]
        found[k, read] = among_the_longest(predict(shown), both)
        refused.append(int((~read).sum()))
    right = found[:, :, 0] & found[:, :, 1]
    named = all(drawing.writer for drawing in drawings)
    clusters = [drawing.writer if named else str(k) for k, drawing in enumerate(drawings)]
    return {
        "pairs": len(drawings),
        "writers": len(set(clusters)) if named else 0,
        "widths": [
            {
                "width": width,
                "pairs": len(drawings),
                "refused": refused[k],
                **_rates(right[k], found[k], clusters),
            }
            for k, width in enumerate(WIDTHS)
        ],
        **_rates(right.mean(0), found, clusters),
    }


def overlaid(one: Strokes, other: Strokes, rng: Generator) -> Strokes:
    """Two drawings, each fit into a box of side 1, over each other: moved as far, of its size, as MNIST's digits are."""
    strokes = []
    for drawing in (one, other):
        points = np.concatenate(drawing)
        middle = (points.min(0) + points.max(0)) / 2
        move = rng.uniform(-SHIFT, SHIFT, 2) / BOX - middle
        strokes += [stroke + move for stroke in drawing]
    return fit(strokes)


def _rates(right: np.ndarray, found: np.ndarray, clusters: Sequence[str]) -> dict[str, Any]:
    return {
        "rate": float(right.mean()),
        "interval": interval(right, clusters),
        "found": float(found.mean()),
    }


def _seen(strokes: Strokes, width: float, rng: Generator, size: int) -> np.ndarray | None:
    """What the network is shown of two drawings; None where the app would refuse them."""
    pixels = render_anywhere(strokes, width, rng.uniform(*SIZES), rng)
    try:
        return canvas_to_mnist(pixels, "light", size, digits=2)
    except ImageError:
        return None


def _pixels(digits: Digits, places: np.ndarray) -> np.ndarray:
    return digits.images.numpy()[places] / np.float32(255)
