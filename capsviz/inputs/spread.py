"""Digits over each other by more and by less: how far apart they are put, and how much they hide of each other."""

import numpy as np
from numpy.random import Generator

from capsviz.inputs.pairs import SHIFT, SIZE


def placed(image: np.ndarray, size: int, right: int = 0, down: int = 0) -> np.ndarray:
    """A picture [s, s] in the middle of a larger field [size, size], moved by whole pixels; what leaves the field is cut off."""
    edge = (size - len(image)) // 2
    field = np.zeros((3 * size, 3 * size), image.dtype)
    top, left = size + edge + down, size + edge + right
    field[top : top + len(image), left : left + len(image)] = image
    return field[size : 2 * size, size : 2 * size]


def apart(rng: Generator) -> tuple[int, int, int, int]:
    """How far two digits are moved, right and down of the one and of the other: 0 to 8 pixels from each other.

    The larger of the two distances is any of these with equal chance, so that pairs that hide each other, and pairs that
    hardly touch, are as frequent as others. Neither is moved by more than 4 pixels, as in training: farther out it would be
    the place that is hard, and not the overlap.
    """
    far = int(rng.integers(2 * SHIFT + 1))
    near = int(rng.integers(-far, far + 1))
    ways = [far * int(rng.choice([-1, 1])), near]
    rng.shuffle(ways)
    right, down = ways
    return -(right // 2), -(down // 2), right - right // 2, down - down // 2


def spread_pairs(
    images: np.ndarray, labels: np.ndarray, count: int, rng: Generator, size: int = SIZE
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of digits of different classes, ``apart`` by more and by less.

    Args:
        images: uint8 [N, s, s], each digit in the middle, as MNIST has it.
        labels: [N], of two classes at least.
        count: of pairs.
        rng: its state alone decides.
        size: S of the pictures, 36.

    Returns:
        uint8 [count, 2, S, S] each digit alone, and labels [count, 2].
    """
    parts, classes = np.empty((count, 2, size, size), np.uint8), np.empty((count, 2), np.int64)
    for k in range(count):
        first = int(rng.integers(len(labels)))
        second = int(rng.choice(np.flatnonzero(labels != labels[first])))
        moves = apart(rng)
        parts[k, 0] = placed(images[first], size, *moves[:2])
        parts[k, 1] = placed(images[second], size, *moves[2:])
        classes[k] = labels[first], labels[second]
    return parts, classes


def hidden(parts: np.ndarray) -> np.ndarray:
    """How much two digits [N, 2, S, S] hide of each other: [N] the ink they share, over that of the one that has less, 0..1."""
    ink = parts.astype(np.float64)
    least: np.ndarray = ink.min(1).sum((1, 2)) / ink.sum((2, 3)).min(1)
    return least


def merged(parts: np.ndarray) -> np.ndarray:
    """Images [N, S, S] of digits [N, 2, S, S], uint8: their sum, at most white."""
    return parts.sum(1, dtype=np.uint16).clip(max=255).astype(np.uint8)
