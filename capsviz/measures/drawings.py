"""How drawings are read, by people or made up, with pens of four widths; and what is no digit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator, default_rng

from capsviz.errors import ImageError
from capsviz.inputs.drawn import WIDTHS
from capsviz.inputs.preprocess import FIELD, canvas_to_mnist
from capsviz.inputs.strokes import (
    NO_CLASS,
    OTHER_KINDS,
    Drawing,
    make_image,
    other_of_kind,
    random_digit,
    render_anywhere,
)
from capsviz.measures.changes import Predict
from capsviz.measures.statistics import SEED, confusion, interval

SIZES = (90, 200)  # of a drawing's larger side, in the same
OTHERS = 300  # of each kind


def read_drawings(
    predict: Predict, drawings: Sequence[Drawing], threshold: float, seed: int = SEED, size: int = FIELD
) -> dict[str, Any]:
    """How many drawings are read correctly, each at a random size and place, with pens of four widths.

    Args:
        predict: images to scores.
        drawings: of the network's classes, fit into boxes of side 1.
        threshold: an answer whose score is below it is called unsure.
        seed: of sizes and places; each width has its own.
        size: side of the images that are predicted.

    Returns:
        What ``by_width`` gives.
    """
    answers = np.full((len(WIDTHS), len(drawings)), NO_CLASS)
    highest = np.zeros(answers.shape, np.float32)
    for k, width in enumerate(WIDTHS):
        rng = default_rng([seed, width])
        images = [_seen(drawing, width, rng, size) for drawing in drawings]
        read = np.array([image is not None for image in images], bool)
        shown = np.array([image for image in images if image is not None], np.float32)
        scores = predict(shown.reshape(-1, size, size))
        answers[k, read], highest[k, read] = scores.argmax(1), scores.max(1)
    return by_width(answers, highest, drawings, scores.shape[1], threshold)


def by_width(
    answers: np.ndarray, highest: np.ndarray, drawings: Sequence[Drawing], classes: int, threshold: float
) -> dict[str, Any]:
    """How many drawings were read correctly, with the pen of each width and with all.

    Args:
        answers: [W, N] how each was read with each of ``WIDTHS``; ``NO_CLASS`` where nothing was found in it, which
            counts as wrong and as not called unsure.
        highest: [W, N] the answers' scores.
        drawings: N, with their labels and perhaps their writers.
        classes: J.
        threshold: an answer whose score is below it is called unsure.

    Returns:
        "drawings" and "writers" (0 if unknown): how many; "widths": one row a width with "width", "drawings",
        "right", "refused", "rate", its "interval", the share called "unsure", and which drawings were not read
        correctly ("misread", counted from 0); over all widths "rate", "interval" and "unsure"; "confusion" [J][J] over
        all widths of what was not refused, so that each drawing counts up to four times.
    """
    labels = np.array([drawing.label for drawing in drawings], np.int64)
    named = all(drawing.writer for drawing in drawings)
    # What belongs together: a writer's drawings, or at least one drawing's four pictures.
    clusters = [drawing.writer if named else str(k) for k, drawing in enumerate(drawings)]
    total, counts = len(drawings), np.zeros((classes, classes), np.int64)
    right, read = answers == labels, answers != NO_CLASS
    rows: list[dict[str, Any]] = []
    for k, width in enumerate(WIDTHS):
        counts += confusion(labels[read[k]], answers[k, read[k]], classes)
        rows.append(
            {
                "width": width,
                "drawings": total,
                "right": int(right[k].sum()),
                "refused": total - int(read[k].sum()),
                "rate": int(right[k].sum()) / total,
                "interval": interval(right[k], clusters),
                "unsure": float((highest[k, read[k]] < threshold).sum()) / total,
                "misread": np.flatnonzero(~right[k]).tolist(),
            }
        )
    return {
        "drawings": total,
        "writers": len(set(clusters)) if named else 0,
        "widths": rows,
        "rate": float(right.mean()),
        "interval": interval(right.mean(0), clusters),
        "unsure": float(np.mean([row["unsure"] for row in rows])),
        "confusion": counts.tolist(),
    }


def _seen(drawing: Drawing, width: float, rng: Generator, size: int) -> np.ndarray | None:
    """What the network is shown of a drawing; None where the app would refuse it."""
    pixels = render_anywhere(drawing.strokes, width, rng.uniform(*SIZES), rng)
    try:
        return canvas_to_mnist(pixels, "light", size)
    except ImageError:
        return None


def made_up_digits(count: int, seed: int = SEED) -> list[Drawing]:
    """Digits drawn by ``strokes``: of the kind that training may have seen, but not the same ones."""
    rng = default_rng([seed, 2])
    return [random_digit(rng) for _ in range(count)]


def others(count: int = OTHERS, seed: int = SEED, size: int = FIELD) -> dict[str, np.ndarray]:
    """Pictures [count, size, size] in 0..1 of each of ``OTHER_KINDS``: what is no digit, and the app does not refuse.

    Args:
        count: how many of each kind.
        seed: of these; each kind has its own.
        size: side of the pictures.
    """
    found = {}
    for k, kind in enumerate(OTHER_KINDS):
        rng = default_rng([seed, 1, k])
        drawn = np.array([make_image(other_of_kind(kind), rng, size=size)[0] for _ in range(count)])
        found[kind] = drawn.reshape(-1, size, size) / np.float32(255)
    return found
