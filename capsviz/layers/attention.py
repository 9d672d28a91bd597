"""Efficient-CapsNet with self-attention routing (Mazzia, Salvetti & Chiaberge 2021, arXiv:2101.12491), of any size.

One pass in place of iterations: for each class, the votes of the primary capsules attend to each other, and those that
agree with all together count for more. Axes are those of ``layers/capsules.py``; the published network has I = 16 primary
capsules of K = 8 components, each of which sees the whole image, and J = 10 class capsules of D = 16.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from capsviz.layers.capsules import ClassCapsules, Decoder, Outcome
from capsviz.layers.trunk import CONVOLUTIONS, Trunk
from capsviz.traces.attention import AttentionTrace
from capsviz.traces.base import Shape


def squash(s: Tensor, dim: int = -1) -> Tensor:
    """Shrink vectors to a length below 1 and keep their direction: |s| becomes 1 - exp(-|s|) (Eq. 3).

    It rises with slope 1 at 0, where the squash of 2017, |s|^2 / (1 + |s|^2), is flat.

    Args:
        s: vectors of any length along ``dim``.
    """
    tiny = torch.finfo(s.dtype).tiny  # a vector of zeros stays one, with a gradient that is a number
    norm = s.square().sum(dim, keepdim=True).clamp_min(tiny).sqrt()
    return s * (-torch.expm1(-norm) / norm)


class Attention(NamedTuple):
    """What the routing read and made, for a batch."""

    score: Tensor  # [B, J, I] how much the votes attend to this one, all together
    c: Tensor  # [B, J, I] coupling coefficients; over J they sum to 1
    weight: Tensor  # [B, J, I] c and the learnt prior: what a vote counts
    s: Tensor  # [B, J, D] weighted sums
    v: Tensor  # [B, J, D] squashed outputs


def attention_routing(u_hat: Tensor, prior: Tensor) -> Attention:
    """Self-attention routing (Eq. 5 to 7): one pass, without iterations.

    For a class j with the votes U [I, D] the attention is A = U U^T / sqrt(D); its sum over the second axis is the
    score, so that score_i = u_hat_i . (sum of all votes) / sqrt(D). The prior is added after the softmax: then the
    weights of a capsule need not sum to 1, and may be negative.

    Args:
        u_hat: prediction vectors, [B, J, I, D].
        prior: learnt, [J, I].
    """
    total = u_hat.sum(2, keepdim=True)
    score = (u_hat @ total.transpose(2, 3)).squeeze(3) / math.sqrt(u_hat.shape[3])
    c = score.softmax(dim=1)  # over the class capsules J, not over the children I
    weight = c + prior
    s = (weight.unsqueeze(2) @ u_hat).squeeze(2)
    return Attention(score, c, weight, s, squash(s))


class AttentionCapsules(ClassCapsules):
    """One matrix and one prior for each pair of primary and class capsule."""

    def __init__(self, primary: int, classes: int, pose: int, components: int) -> None:
        super().__init__(primary, classes, pose, components)
        self.prior = nn.Parameter(torch.zeros(classes, primary))


class AttentionNet(nn.Module):
    """The network and its decoder; 161,824 parameters in the published size, and 1,411,344 of the decoder.

    Args:
        shape: what it is to tell apart; its grid is one place that sees the whole image.
        convolutions: maps, side of the kernel and stride of each.
        hidden: widths of the decoder's hidden layers.

    Raises:
        ValueError: if the last convolution's maps are not as many as the primary capsules' components.
    """

    def __init__(
        self,
        shape: Shape,
        convolutions: Sequence[tuple[int, int, int]] = CONVOLUTIONS,
        hidden: Sequence[int] = (512, 1024),
    ) -> None:
        super().__init__()
        grid, maps = shape.grid, convolutions[-1][0]
        if grid is None or (grid.types * shape.components, grid.places, grid.field) != (maps, 1, shape.size):
            raise ValueError(
                f"{maps} maps are {maps} components of capsules at one place that sees the whole image, not those of "
                f"{grid} of {shape.components}."
            )
        self.shape, self.grid = shape, grid
        self.trunk = Trunk(shape.size, convolutions)
        self.capsules = AttentionCapsules(grid.types, len(shape.classes), shape.pose, shape.components)
        self.decoder = Decoder(len(shape.classes) * shape.pose, hidden, shape.size)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, S, S] to the first convolution's maps [B, F, h, w] and primary capsules u [B, I, K], squashed."""
        features, whole = self.trunk(images)
        return features, squash(whole.unflatten(1, (self.grid.types, self.shape.components)))

    def route(self, u: Tensor) -> tuple[Tensor, Attention]:
        """Primary capsules [B, I, K] to their votes [B, J, I, D] and what attention makes of these."""
        u_hat = self.capsules(u)
        return u_hat, attention_routing(u_hat, self.capsules.prior)

    def outcome(self, images: Tensor, iterations: int, mixed_precision: bool = False) -> Outcome:
        """Lengths and poses of the class capsules of images [B, S, S]; there is one pass, whatever ``iterations``."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=mixed_precision):
            _, whole = self.trunk(images)
        u = squash(whole.unflatten(1, (self.grid.types, self.shape.components)))
        return Outcome.of_capsules(self.route(u)[1].v)

    def scores(self, images: Tensor, iterations: int) -> Tensor:
        """Lengths [B, J] of the class capsules of images [B, S, S]."""
        return self.outcome(images, iterations).evidence

    def scores_by_iteration(self, images: Tensor, iterations: int) -> Tensor:
        """Lengths [1, B, J] after the one pass."""
        return self.scores(images, iterations)[None]

    def transforms(self) -> Tensor:
        """[I, J, D, K] W_ij, which make of each u_i its votes."""
        return self.capsules.W

    def trace(self, image: Tensor, iterations: int, shape: Shape) -> AttentionTrace:
        """Everything that was computed on the way of one image [S, S], for ``shape``."""
        features, u = self.encode(image[None])
        u_hat, routed = self.route(u)

        def array(tensor: Tensor) -> np.ndarray:
            return np.asarray(tensor.cpu())

        return AttentionTrace(
            image=array(image),
            features=array(features[0]),
            u=array(u[0]),
            u_hat=array(u_hat[0].transpose(0, 1)),  # [J, I, D] -> [I, J, D]
            b=array(routed.score.transpose(1, 2)),  # [1, J, I] -> [1, I, J]
            c=array(routed.c.transpose(1, 2)),
            s=array(routed.s),
            v=array(routed.v),
            shape=shape,
            prior=array(self.capsules.prior.T),
        )
