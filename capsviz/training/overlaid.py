"""The batches of a network that is shown two digits at once: each digit of a batch with another laid over it."""

import torch
from torch import Tensor

from capsviz.inputs.augment import warp
from capsviz.inputs.data import NO_CLASS, Digits
from capsviz.inputs.pairs import ALIKE, ALONE, MIXED, SMALLEST, draw_partners


class Bank:
    """All the digits that can be laid over one of a batch: those of the data set, then the made-up ones."""

    def __init__(self, real: Digits, made_up: Digits) -> None:
        self.real = len(real.labels)
        self.images = torch.cat([real.images, made_up.images]) if len(made_up.labels) else real.images
        self.labels = torch.cat([real.labels, made_up.labels])

    def pair(self, first: Digits, real: int, generator: torch.Generator) -> tuple[Digits, Tensor]:
        """Find a partner for each digit of a batch.

        Args:
            first: the batch [B, S, S]: so many of the data set, then made-up digits, then what is no digit.
            real: how many of the data set.
            generator: on the CPU; its state alone decides.

        Returns:
            Digits [B, 2, S, S] with labels [B, 2], black and ``NO_CLASS`` where a picture stays alone, as those of no digit
            all do; and which of them are made up, [B, 2].
        """
        count, every = len(first.labels), len(self.labels)
        chance, mixed = torch.rand(2, count, generator=generator)
        made_up = torch.arange(count) >= real
        from_made_up = made_up ^ (mixed < MIXED) if every > self.real else torch.zeros_like(made_up)
        ranges = torch.tensor([[0, self.real], [self.real, every]])
        alone = (first.labels == NO_CLASS) | (chance < ALONE)
        alike = ~alone & (chance >= 1 - ALIKE)
        partner = draw_partners(first.labels, self.labels, ranges[from_made_up.long()], alike, generator)
        second = torch.where(alone, NO_CLASS, self.labels[partner])
        images = torch.stack([first.images, self.images[partner] * ~alone[:, None, None]], 1)
        return Digits(images, torch.stack([first.labels, second], 1)), torch.stack([made_up, from_made_up], 1)


def shrink(images: Tensor, generator: torch.Generator) -> Tensor:
    """Make each image [N, S, S] in 0..1 smaller about its middle, by a factor of its own between ``SMALLEST`` and 1."""
    factors = 1 - (1 - SMALLEST) * torch.rand(len(images), generator=generator)
    matrices = torch.zeros(len(images), 2, 3)
    matrices[:, 0, 0] = matrices[:, 1, 1] = 1 / factors
    return warp(images, matrices.to(images.device), images.new_zeros(len(images), 2, 2, 2))
