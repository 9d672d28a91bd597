"""Two digits laid over each other, as in section 6.1 of "Dynamic Routing Between Capsules" (MultiMNIST).

Each digit is put into a field of 36 x 36 pixels, moved by up to 4 pixels in both directions, and both are added, at
most to white. The paper says that the boxes of 20 x 20 pixels then overlap by 80% on average. Of their sides they
share 85%, of their area 72.6%, by arithmetic (``shared``): 80% is neither.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from capsviz.errors import DataError
from capsviz.inputs.data import MNIST, Digits, load_mnist

if TYPE_CHECKING:
    from torch import Generator, Tensor

SIZE, SHIFT = 36, 4
FARTHEST = 8  # pixels that a digit of MNIST can be moved without leaving the field
BOX = 20  # that a digit of MNIST fills
SEED = 2017  # of the pairs that are measured on
# Of the digits trained on (the paper has pairs of two classes only): so many lie alone, so many over one of their own
# class, and so many over one that came from elsewhere, a made-up digit over one of MNIST or the other way round.
ALONE, ALIKE, MIXED = 0.1, 0.03, 0.2
# Made-up digits are as large as the app makes what is drawn: with both in its frame, each is smaller.
SMALLEST = 0.7
_DRAWS = 1000


def load_padded(directory: str | Path, split: str) -> Digits:
    """One half of MNIST, each digit in the middle of a field of 36 x 36 pixels; raises as ``load_mnist`` does."""
    from torch.nn.functional import pad

    digits = load_mnist(directory, split)
    edge = (SIZE - digits.images.shape[1]) // 2
    return Digits(pad(digits.images, (edge, edge, edge, edge)), digits.labels)


PAIRS = replace(MNIST, name="MNIST, two digits over each other", load=load_padded)


def draw_partners(
    labels: "Tensor", bank: "Tensor", among: "Tensor", alike: "Tensor", generator: "Generator"
) -> "Tensor":
    """For each digit the place in a bank of one of another class, or of its own.

    Args:
        labels: [B] of the digits.
        bank: [N] labels of those there are to choose from.
        among: [B, 2] the first place that each may be paired with, and the one after the last.
        alike: [B] whether it is to be of the same class.
        generator: on the CPU; its state alone decides.

    Returns:
        Places [B], int64; uniform among those that fit.

    Raises:
        DataError: if there seem to be none that fit.
    """
    import torch

    chosen = among[:, 0].clone()
    left = torch.arange(len(labels))
    for _ in range(_DRAWS):
        low, end = among[left].T
        chosen[left] = low + (torch.rand(len(left), generator=generator) * (end - low)).long()
        left = left[(bank[chosen[left]] == labels[left]) != alike[left]]
        if not len(left):
            return chosen
    raise DataError(
        "Two digits of different classes are to be laid over each other: give data that has them."
    )


def overlay(parts: "Tensor") -> "Tensor":
    """Images [B, S, S] in 0..1 of digits [B, 2, S, S] in 0..1: their sum, at most white."""
    return parts.sum(1).clamp(max=1)


def fixed_pairs(digits: Digits, seed: int = SEED, alike: bool = False) -> tuple[Digits, "Tensor"]:
    """The pairs that a network is measured on: each digit, moved, with one of another class laid over it.

    Args:
        digits: N images [N, S, S] with room for a shift of 4 pixels, uint8.
        seed: of partners and shifts.
        alike: whether those laid over each other are of one class, and not of two.

    Returns:
        The pairs [N, S, S], uint8, with labels [N, 2], the digit's own one first; and each digit alone, [N, 2, S, S].
    """
    import torch

    from capsviz.inputs.augment import random_shift

    generator = torch.Generator().manual_seed(seed)
    count = len(digits.labels)
    among = torch.tensor([0, count]).expand(count, 2)
    same = torch.full((count,), alike)
    second = draw_partners(digits.labels, digits.labels, among, same, generator)
    both = torch.stack([digits.images, digits.images[second]], 1)
    parts = random_shift(both.flatten(0, 1), SHIFT, generator).view(both.shape)
    merged = parts.int().sum(1).clamp(max=255).to(torch.uint8)
    return Digits(merged, torch.stack([digits.labels, digits.labels[second]], 1)), parts


def shared(size: int, most: int) -> tuple[float, float]:
    """By how much two boxes overlap on average, each moved by -most..most whole pixels: shares of a side and of an area."""
    moves = range(-most, most + 1)
    common = [max(0, size - abs(one - other)) / size for one in moves for other in moves]
    side = sum(common) / len(common)
    return side, side**2  # the two directions are independent of each other
