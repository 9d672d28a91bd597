"""What a training step makes smaller: the paper's loss of a part of a batch."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from capsviz.inputs.data import NO_CLASS
from capsviz.layers import fast
from capsviz.layers.capsules import (
    RECONSTRUCTION_WEIGHT,
    Outcome,
    cross_entropy,
    margin_loss,
    mask,
    reconstruction_loss,
)
from capsviz.traces.base import LENGTH, Shape


def outcome(
    net: Any,
    images: Tensor,
    iterations: int,
    mixed_precision: bool = False,
    spectra: fast.Spectra | None = None,
) -> Outcome:
    """What ``net`` makes of ``images`` [B, S, S], in the way that is fastest on their device.

    Args:
        net: any module with ``outcome(images, iterations, mixed_precision)``.
        images: pixels in 0..1.
        iterations: routing iterations.
        mixed_precision: whether the large convolutions multiply in bfloat16.
        spectra: ``fast.kernel_spectra(net)``, if it is known already.
    """
    if images.device.type == "cpu" and fast.serves(net):
        return Outcome.of_capsules(fast.class_capsules(net, images, iterations, spectra, mixed_precision))
    made: Outcome = net.outcome(images, iterations, mixed_precision)
    return made


def class_loss(shape: Shape, evidence: Tensor, labels: Tensor) -> Tensor:
    """The loss of a network's answers: margin loss of lengths, cross-entropy of logits [B, J]; labels are [B]."""
    return (margin_loss if shape.score == LENGTH else cross_entropy)(evidence, labels)


class Losses(NamedTuple):
    """What a process makes of its part of a batch."""

    total: Tensor  # [] the loss to follow
    parts: Tensor  # [3] class loss, reconstruction loss, digits misread


class Objective(nn.Module):
    """The loss of a part of a batch. A module, since DDP wraps nothing else."""

    def __init__(self, net: Any, iterations: int, mixed_precision: bool) -> None:
        super().__init__()
        self.net = net
        self.iterations = iterations
        self.mixed_precision = mixed_precision

    def forward(self, images: Tensor, targets: Tensor, labels: Tensor, digits: float) -> Losses:
        """The losses of images [B, S, S] with labels [B], int64.

        DDP takes the mean over the processes. That of the parts' mean class losses is the batch's, since
        all parts are of one size; what is no digit is not, so ``digits`` says what to divide by.

        Args:
            images: pixels in 0..1.
            targets: the same without noise, which is what the decoder is to draw.
            labels: classes from 0, or ``NO_CLASS``.
            digits: how many digits a part of this batch holds on average.
        """
        made = outcome(self.net, images, self.iterations, self.mixed_precision)
        loss = class_loss(self.net.shape, made.evidence, labels)
        digit = labels != NO_CLASS
        wrong = (digit & (made.evidence.argmax(1) != labels)).sum()
        if made.poses is None:
            return Losses(loss, torch.stack([loss, torch.zeros_like(loss), wrong]).detach())
        # Masked with the true label while training (section 4.1), not with the prediction; what is no digit has no
        # capsule to be drawn from, and is not compared.
        drawn = self.net.decoder(mask(made.poses, labels))
        reconstruction = reconstruction_loss(
            drawn * digit[:, None, None], targets * digit[:, None, None], digits
        )
        total = loss + RECONSTRUCTION_WEIGHT * reconstruction
        return Losses(total, torch.stack([loss, reconstruction, wrong]).detach())
