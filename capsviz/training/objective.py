"""What a training step makes smaller: the paper's loss of a part of a batch."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from capsviz.inputs.data import NO_CLASS
from capsviz.layers import fast
from capsviz.layers.capsules import (
    Outcome,
    binary_cross_entropy,
    cross_entropy,
    margin_loss,
    mask,
    present,
    reconstruction_loss,
)
from capsviz.traces.base import INDEPENDENT, LENGTH, PROBABILITY, RECONSTRUCTION_WEIGHT, Shape

_LOSSES = {LENGTH: margin_loss, PROBABILITY: cross_entropy, INDEPENDENT: binary_cross_entropy}


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
    """The loss of a network's answers: margin loss of lengths, cross-entropy of logits [B, J].

    Labels are [B], or [B, n] where an image shows n.
    """
    return _LOSSES[shape.score](evidence, labels)


def misread(evidence: Tensor, labels: Tensor) -> Tensor:
    """Which images [B] show a class that evidence [B, J] does not put before all that are not there.

    Of an image with one class that is what its highest evidence says; of one with two, whether the two highest, as a
    set, are the two. What shows no class is not misread.

    Args:
        evidence: lengths or logits.
        labels: [B], or [B, n] where an image shows n.
    """
    there = present(labels, evidence.shape[1]).bool()
    least = evidence.masked_fill(~there, torch.inf).amin(1)
    most = evidence.masked_fill(there, -torch.inf).amax(1)
    return there.any(1) & ~(least > most)


def to_draw(labels: Tensor) -> Tensor:
    """Which of the n things in an image [B, n] its decoder is to draw: each that is alone of its class.

    What is of no class has no capsule to be drawn from, and two of one class have but one.
    """
    alike = (labels[:, :, None] == labels[:, None]).sum(2)
    return (labels != NO_CLASS) & (alike == 1)


class Losses(NamedTuple):
    """What a process makes of its part of a batch."""

    total: Tensor  # [] the loss to follow
    parts: Tensor  # [3] class loss, reconstruction loss, images misread


class Objective(nn.Module):
    """The loss of a part of a batch. A module, since DDP wraps nothing else."""

    def __init__(
        self, net: Any, iterations: int, mixed_precision: bool, reconstruction: float = RECONSTRUCTION_WEIGHT
    ) -> None:
        super().__init__()
        self.net = net
        self.iterations = iterations
        self.mixed_precision = mixed_precision
        self.reconstruction = reconstruction

    def forward(self, images: Tensor, targets: Tensor, labels: Tensor, digits: float) -> Losses:
        """The losses of images [B, S, S] with labels [B], or [B, n] where an image shows n, int64.

        DDP takes the mean over the processes. That of the parts' mean class losses is the batch's, since
        all parts are of one size; what is no digit is not, so ``digits`` says what to divide by.

        Args:
            images: pixels in 0..1.
            targets: what the decoder is to draw: the same without noise, or of n [B, n, S, S] each by itself.
            labels: classes from 0, or ``NO_CLASS``.
            digits: how many images with something ``to_draw`` a part of this batch holds on average.
        """
        labels = labels.view(len(labels), -1)
        made = outcome(self.net, images, self.iterations, self.mixed_precision)
        loss = class_loss(self.net.shape, made.evidence, labels)
        wrong = misread(made.evidence, labels).sum()
        if made.poses is None or not self.reconstruction:
            return Losses(loss, torch.stack([loss, torch.zeros_like(loss), wrong]).detach())
        # Masked with the true label while training (section 4.1), not with the prediction; of several, with one after
        # the other (section 6.1).
        compared = to_draw(labels).flatten()[:, None, None]
        poses = made.poses.repeat_interleave(labels.shape[1], 0)
        drawn = self.net.decoder(mask(poses, labels.flatten()))
        reconstruction = reconstruction_loss(drawn * compared, targets.view(drawn.shape) * compared, digits)
        total = loss + self.reconstruction * reconstruction
        return Losses(total, torch.stack([loss, reconstruction, wrong]).detach())
