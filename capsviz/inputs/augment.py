"""Making training images anew at every step: turned, scaled, sheared, moved, bent, by a thicker or thinner pen; noisy.

A departure from the paper, which only shifts. All random numbers come from a ``torch.Generator`` on the
CPU, so that they are the same whatever the device.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

COARSE = 5  # points a side of the grid on which images are bent
NOISY = 0.25  # share of the images that noise is added to, where any is


@dataclass(frozen=True)
class Strength:
    """How far images are changed at most."""

    degrees: float = 15.0
    scale: float = 0.13
    shear: float = 0.25
    shift: float = 2.0  # pixels
    bend: float = 0.6  # pixels, standard deviation at the points of the coarse grid
    pen: float = 0.7  # of a dilation or erosion by one pixel
    pen_share: float = 0.4  # of the images whose strokes change their width


def augment(images: Tensor, generator: torch.Generator, strength: Strength | None = None) -> Tensor:
    """Change each image in its own way.

    Args:
        images: [B, H, W] in 0..1, ink 1 on background 0, on any device.
        generator: a generator on the CPU; its state alone decides what is done.
        strength: how much is done; the default is what a hand does to a digit.

    Returns:
        [B, H, W] in 0..1 on the same device.
    """
    strength = strength or Strength()
    size = images.shape[1:]
    matrices = random_affine(len(images), size, strength, generator)
    bends = torch.randn(len(images), 2, COARSE, COARSE, generator=generator) * strength.bend
    amounts = random_pens(len(images), strength, generator)
    moved = warp(images, matrices.to(images.device), bends.to(images.device))
    return change_pen(moved, amounts.to(images.device))


def random_shift(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Move each image [B, H, W] by up to ``most`` pixels in both directions, filling with 0."""
    size = images.shape[1:]
    dy, dx = torch.randint(2 * most + 1, (2, len(images)), generator=generator).to(images.device)
    padded = F.pad(images, (most, most, most, most))
    windows = padded.unfold(1, size[0], 1).unfold(2, size[1], 1)  # [B, 2*most+1, 2*most+1, H, W]
    return windows[torch.arange(len(images), device=images.device), dy, dx]


def random_affine(count: int, size: torch.Size, strength: Strength, generator: torch.Generator) -> Tensor:
    """Random maps from a place in the new image to the place in the old one.

    Returns:
        [count, 2, 3], for (x, y, 1) in ``grid_sample``'s coordinates, -1..1 from edge to edge.
    """
    r = 2 * torch.rand(6, count, generator=generator) - 1
    angle = r[0] * math.radians(strength.degrees)
    cos, sin, shear = angle.cos(), angle.sin(), r[1] * strength.shear
    zoom_x, zoom_y = 1 / (1 + r[2] * strength.scale), 1 / (1 + r[3] * strength.scale)
    rows = [
        torch.stack([cos * zoom_x, (shear * cos - sin) * zoom_x, r[4] * 2 * strength.shift / size[1]], 1),
        torch.stack([sin * zoom_y, (shear * sin + cos) * zoom_y, r[5] * 2 * strength.shift / size[0]], 1),
    ]
    return torch.stack(rows, dim=1)


def random_pens(count: int, strength: Strength, generator: torch.Generator) -> Tensor:
    """By how much each image's pen grows (above 0) or shrinks (below 0): [count], mostly 0."""
    r = torch.rand(2, count, generator=generator)
    return torch.where(r[0] < strength.pen_share, (2 * r[1] - 1) * strength.pen, 0.0)


def warp(images: Tensor, matrices: Tensor, bends: Tensor) -> Tensor:
    """Resample images [B, H, W], once, through affine maps [B, 2, 3] and bends [B, 2, n, n] in pixels.

    Bicubic, since bilinear sampling would blur thin strokes; what comes from outside is 0.
    """
    height, width = images.shape[1:]
    grid = F.affine_grid(matrices, [len(images), 1, height, width], align_corners=False)
    fields = F.interpolate(bends, (height, width), mode="bicubic", align_corners=True)
    pixel = torch.tensor([2 / width, 2 / height], device=images.device)
    grid = grid + fields.permute(0, 2, 3, 1) * pixel
    return F.grid_sample(images[:, None], grid, "bicubic", align_corners=False)[:, 0].clamp(0, 1)


def change_pen(images: Tensor, amounts: Tensor) -> Tensor:
    """Blend images [B, H, W] with their dilation (amount 1) or erosion (amount -1) by a 3 x 3 plus sign.

    The brightest pixel of an image stays as bright: a thin pen is no faint one.
    """
    sign = torch.where(amounts < 0, -1.0, 1.0)[:, None, None]
    signed = sign * images  # the erosion is the dilation of the negative
    padded = F.pad(signed[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    grown = torch.maximum(padded[:, :-2, 1:-1], padded[:, 2:, 1:-1])
    grown = torch.maximum(grown, torch.maximum(padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]))
    grown = sign * torch.maximum(grown, signed)
    blended = images + amounts.abs()[:, None, None] * (grown - images)
    brightest, now = images.amax((1, 2), keepdim=True), blended.amax((1, 2), keepdim=True)
    return blended * (brightest / now.clamp_min(0.01)).clamp(1, 4)


def add_noise(images: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Add normal noise to the pixels of some images, each of its own deviation, and clip to 0..1.

    Args:
        images: [B, H, W] in 0..1, on any device.
        most: the largest standard deviation, black being 0 and white 1; those of the images are uniform below it.
        generator: a generator on the CPU; its state alone decides which images, how much and where.

    Returns:
        [B, H, W] in 0..1 on the same device; all but a share ``NOISY`` as they were.
    """
    r = torch.rand(2, len(images), generator=generator)
    deviations = torch.where(r[0] < NOISY, r[1] * most, 0.0)
    noise = torch.randn(images.shape, generator=generator) * deviations[:, None, None]
    return (images + noise.to(images.device)).clamp(0, 1)
