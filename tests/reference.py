"""What the tests hold the package to: the paper in slow NumPy, MNIST's file format, fit error messages.

Nothing here is computed by ``capsviz``. Loops stand where the paper has indices, everything is float64, and the
axes are in the paper's order: primary capsule i before class capsule j.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from capsviz.traces.base import CapsuleGrid, Shape

# The paper's network (section 4): 32 types of capsules at 6 x 6 places, each of which sees 9 + 8 pixels.
PAPER = Shape(
    size=28,
    classes=tuple("0123456789"),
    kind="digit",
    grid=CapsuleGrid(types=32, rows=6, columns=6, field=17, stride=2),
    components=8,
    pose=16,
    routing="dynamic",
    trained=3,
)

# What a card says, but for the checksum.
CARD = {
    "name": "dynamic.mnist",
    "paper": "arXiv:1710.09829",
    "parameters": 8_215_568,
    "data": "55,000 images",
    "settings": {
        **{"epochs": 14, "batch_size": 128, "seed": 3, "warmup_steps": 200, "shift": 2, "iterations": 3},
        **{"learning_rate": 1e-3, "final_learning_rate": 1e-5, "noise": 0.0, "synthetic": 0.0, "others": 0.0},
        **{"pool": 48_000, "augment": False, "start_from": "", "average_start": False},
    },
    "command": "python -m capsviz train",
    "commit": "0123abc",
    "device": "cpu",
    "torch": "2.0",
    "validation_error": 0.005,
    "unsure_below": 0.7,
    "test_error": 0.0041,
    "log": [],
}


class Step(NamedTuple):
    """One iteration of Procedure 1 for one image: b and c [I, J], s and v [J, D]."""

    b: np.ndarray
    c: np.ndarray
    s: np.ndarray
    v: np.ndarray


def squash(s: np.ndarray) -> np.ndarray:
    """Eq. 1 for one vector; the zero vector, of which Eq. 1 makes 0/0, stays zero."""
    length = np.sqrt(np.sum(s**2))
    if length == 0:
        return np.zeros_like(s)
    return (length**2 / (1 + length**2)) * (s / length)


def primary_capsules(maps: np.ndarray) -> np.ndarray:
    """Capsules u [I, 8] of the second convolution's maps [256, 6, 6]: 8 filters at one position each."""
    filters, rows, columns = maps.shape
    u = []
    for kind in range(filters // 8):
        for row in range(rows):
            for column in range(columns):
                u.append(squash(np.array([maps[8 * kind + k, row, column] for k in range(8)], float)))
    return np.array(u)


def prediction_vectors(u: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Eq. 2: û [I, J, D] of u [I, K] and W [I, J, D, K]."""
    W, u = W.astype(float), u.astype(float)
    return np.array([[W[i, j] @ u[i] for j in range(W.shape[1])] for i in range(W.shape[0])])


def over_digits(b: np.ndarray) -> np.ndarray:
    """Eq. 3: coupling coefficients [I, J] of logits [I, J]; each primary capsule's sum to 1."""
    return np.array([np.exp(row) / np.sum(np.exp(row)) for row in b])


def over_children(b: np.ndarray) -> np.ndarray:
    """The mistake of many a reimplementation: each digit capsule's coefficients sum to 1."""
    return np.array([np.exp(column) / np.sum(np.exp(column)) for column in b.T]).T


def routing(
    u_hat: np.ndarray,
    iterations: int,
    couple: Callable[[np.ndarray], np.ndarray] = over_digits,
    start: np.ndarray | None = None,
) -> list[Step]:
    """Procedure 1 for one image's û [I, J, D], with what every iteration read and made.

    The logits [I, J] begin with ``start``, or with 0 as in the paper; ``couple`` makes c of them.
    """
    u_hat = u_hat.astype(float)
    primary, digits, _ = u_hat.shape
    b = np.zeros((primary, digits)) if start is None else start.astype(float)
    steps = []
    for _ in range(iterations):
        c = couple(b)
        s = np.array([sum(c[i, j] * u_hat[i, j] for i in range(primary)) for j in range(digits)])
        v = np.array([squash(s[j]) for j in range(digits)])
        steps.append(Step(b.copy(), c, s, v))
        for i in range(primary):
            for j in range(digits):
                b[i, j] += u_hat[i, j] @ v[j]
    return steps


def margin_loss(lengths: np.ndarray, target: np.ndarray) -> float:
    """Eq. 4 for lengths [B, J] and true digits [B]: summed over the digits, mean over the images."""
    losses = []
    for image, digit in zip(lengths, target, strict=True):
        loss = 0.0
        for k, length in enumerate(image):
            loss += max(0, 0.9 - length) ** 2 if k == digit else 0.5 * max(0, length - 0.1) ** 2
        losses.append(loss)
    return float(np.mean(losses))


def write_idx(path: Path, array: np.ndarray) -> None:
    """An array of bytes as an IDX file: 0, 0, 8 for bytes, the number of axes, their lengths, the values."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def synthetic_digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images [count, 28, 28] of bytes and their labels: digit d is a bright block at a place of its own."""
    labels = np.arange(count) % 10
    images = np.zeros((count, 28, 28), np.uint8)
    for n, digit in enumerate(labels):
        top, left = 3 + 11 * (digit // 5), 3 + 4 * (digit % 5)
        images[n, top : top + 10, left : left + 5] = 255 - 5 * (n // 10)
    return images, labels


def write_mnist(folder: Path, train: int, test: int) -> None:
    """The four files of an MNIST of ``train`` and ``test`` synthetic digits, where torchvision wants them."""
    for name, count in (("train", train), ("t10k", test)):
        images, labels = synthetic_digits(count)
        write_idx(folder / "MNIST" / "raw" / f"{name}-images-idx3-ubyte", images)
        write_idx(folder / "MNIST" / "raw" / f"{name}-labels-idx1-ubyte", labels)


def assert_one_sentence(message: object, *mentioned: object) -> None:
    """Fail unless the message is a single line that ends as a sentence and names all of ``mentioned``."""
    text = str(message)
    assert "\n" not in text
    assert text.endswith(".")
    for part in mentioned:
        assert str(part) in text
