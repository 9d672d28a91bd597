"""Digits in a larger black picture: placed anywhere, as networks learn them there, and changed, as they are tested.

In the manner of section 5 of arXiv:1710.09829, which learns from digits placed at random in 40 x 40 pixels and tests on
affNIST (Tieleman 2013, https://www.cs.toronto.edu/~tijmen/affNIST/). The changes are drawn anew here: they are like
affNIST's, not the same.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from capsviz.inputs.augment import random_shift, warp
from capsviz.inputs.data import Digits

SIZE = 40  # pixels a side
SPACE = 6  # pixels around a digit of 28 x 28 in the middle: how far it can be placed from there
SEED = 20171026  # of places and changes: not the seed of any training


@dataclass(frozen=True)
class Ranges:
    """How far digits are changed at most, each change uniform."""

    degrees: float = 20.0
    shear: float = 0.2  # pixels across, for each pixel up
    least: float = 0.8  # times as wide and, drawn apart, times as high
    most: float = 1.2
    shift: float = 8.0  # pixels, in both directions; less where ink would leave the picture


def padded(digits: Digits) -> Digits:
    """Digits [N, 28, 28] in the middle of ``SIZE`` x ``SIZE`` black pixels."""
    return Digits(F.pad(digits.images, (SPACE,) * 4), digits.labels)


def placed(digits: Digits, seed: int = SEED) -> Digits:
    """Digits [N, 28, 28], each anywhere in a picture of ``SIZE`` x ``SIZE``, by whole pixels."""
    generator = torch.Generator().manual_seed(seed)
    return Digits(random_shift(padded(digits).images, SPACE, generator), digits.labels)


def affine(digits: Digits, seed: int = SEED, ranges: Ranges | None = None) -> Digits:
    """Digits [N, 28, 28], each scaled, sheared, turned and moved in its own way, in one resampling, [N, 40, 40]."""
    ranges = ranges or Ranges()
    images = padded(digits).images.float() / 255
    r = torch.rand(6, len(images), generator=torch.Generator().manual_seed(seed))
    spread = 2 * r - 1
    width, height = ranges.least + (ranges.most - ranges.least) * r[2:4]
    maps = linear_maps(spread[0] * ranges.degrees, spread[1] * ranges.shear, width, height)
    low, high = room(images, maps, ranges.shift)
    moved = changed(images, maps, low + (high - low) * r[4:].T)
    return Digits((255 * moved).round().to(torch.uint8), digits.labels)


def linear_maps(degrees: Tensor, shear: Tensor, width: Tensor, height: Tensor) -> Tensor:
    """[N, 2, 2] from a place (x to the right, y down, from the middle) in the old picture to that in the new one.

    Args:
        degrees: [N] to the left, turned last.
        shear: [N] pixels to the right for each pixel up, before that.
        width: [N] times as wide, first of all.
        height: [N] times as high.
    """
    angle, one, zero = degrees.deg2rad(), torch.ones_like(shear), torch.zeros_like(shear)
    cos, sin = angle.cos(), angle.sin()

    def matrices(*entries: Tensor) -> Tensor:
        return torch.stack(entries, 1).view(-1, 2, 2)

    turned, sheared = matrices(cos, sin, -sin, cos), matrices(one, -shear, zero, one)
    return turned @ sheared @ matrices(width, zero, zero, height)


def room(images: Tensor, maps: Tensor, most: float) -> tuple[Tensor, Tensor]:
    """How far images [N, S, S] can be moved once they are mapped, with all their ink inside: least and most, [N, 2].

    At most ``most`` pixels; where ink reaches beyond both sides it is not moved.
    """
    size = images.shape[-1]
    along = torch.arange(size) - (size - 1) / 2
    y, x = torch.meshgrid(along, along, indexing="ij")
    places = torch.stack([x.flatten(), y.flatten()])  # [2, S * S]
    ink = images.flatten(1)[:, None] > 0
    reached = maps @ places  # [N, 2, S * S]
    first = reached.masked_fill(~ink, torch.inf).amin(2).clamp_max(0)  # without any ink, the middle
    last = reached.masked_fill(~ink, -torch.inf).amax(2).clamp_min(0)
    edge = (size - 1) / 2
    return (-edge - first).clamp(-most, 0), (edge - last).clamp(0, most)


def changed(images: Tensor, maps: Tensor, moves: Tensor) -> Tensor:
    """Images [N, S, S] in 0..1 mapped by ``linear_maps`` and then moved by [N, 2] pixels to the right and down."""
    back = torch.linalg.inv(maps)
    half = images.shape[-1] / 2  # pixels to one unit of the sampling grid
    matrices = torch.cat([back, -back @ moves[:, :, None] / half], dim=2)
    return warp(images, matrices, images.new_zeros(len(images), 2, 2, 2))
