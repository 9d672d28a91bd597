"""What a training step makes smaller: the paper's loss of a part of a batch."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from capsviz.inputs.data import NO_CLASS
from capsviz.layers import fast
from capsviz.layers.capsules import RECONSTRUCTION_WEIGHT, margin_loss, mask, reconstruction_loss


def class_capsules(
    net: Any,
    images: Tensor,
    iterations: int,
    mixed_precision: bool = False,
    spectra: fast.Spectra | None = None,
) -> Tensor:
    """Class capsules v [B, J, D] in the way that is fastest on the device of ``images`` [B, S, S].

    Args:
        net: any module whose ``net(images, iterations, mixed_precision).v`` these are.
        images: pixels in 0..1.
        iterations: routing iterations.
        mixed_precision: whether the large convolutions multiply in bfloat16.
        spectra: ``fast.kernel_spectra(net)``, if it is known already.
    """
    if images.device.type == "cpu" and fast.serves(net):
        return fast.class_capsules(net, images, iterations, spectra, mixed_precision)
    v: Tensor = net(images, iterations, mixed_precision).v
    return v


class Losses(NamedTuple):
    """What a process makes of its part of a batch."""

    total: Tensor  # [] the loss to follow
    parts: Tensor  # [3] margin loss, reconstruction loss, digits misread


class Objective(nn.Module):
    """The loss of a part of a batch. A module, since DDP wraps nothing else."""

    def __init__(self, net: Any, iterations: int, mixed_precision: bool) -> None:
        super().__init__()
        self.net = net
        self.iterations = iterations
        self.mixed_precision = mixed_precision

    def forward(self, images: Tensor, targets: Tensor, labels: Tensor, digits: float) -> Losses:
        """The losses of images [B, S, S] with labels [B], int64.

        DDP takes the mean over the processes. That of the parts' mean margin losses is the batch's, since
        all parts are of one size; what is no digit is not, so ``digits`` says what to divide by.

        Args:
            images: pixels in 0..1.
            targets: the same without noise, which is what the decoder is to draw.
            labels: classes from 0, or ``NO_CLASS``.
            digits: how many digits a part of this batch holds on average.
        """
        v = class_capsules(self.net, images, self.iterations, self.mixed_precision)
        lengths = v.norm(dim=-1)
        margin = margin_loss(lengths, labels)
        # Masked with the true label while training (section 4.1), not with the prediction; what is no digit has no
        # capsule to be drawn from, and is not compared.
        digit = labels != NO_CLASS
        drawn = self.net.decoder(mask(v, labels))
        reconstruction = reconstruction_loss(
            drawn * digit[:, None, None], targets * digit[:, None, None], digits
        )
        wrong = (digit & (lengths.argmax(1) != labels)).sum()
        total = margin + RECONSTRUCTION_WEIGHT * reconstruction
        return Losses(total, torch.stack([margin, reconstruction, wrong]).detach())
