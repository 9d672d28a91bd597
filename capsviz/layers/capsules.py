"""The network of "Dynamic Routing Between Capsules" (Sabour, Frosst & Hinton 2017, arXiv:1710.09829), of any size.

Axes, in the order in which they stand in a shape, and the paper's sizes:

    B images of a batch,  R routing iterations,  S pixels along a side of the image (28),
    I primary capsules (1152 = 32 types x 6 rows x 6 columns, in that order),
    K components of a primary capsule (8),
    J class capsules (10, one for each digit),  D components of a class capsule (16).

Inside the network the primary capsules stand last, ``[B, J, I]``: a softmax over a trailing axis of
ten is many times slower on a CPU than one over a leading axis with 1152 values side by side.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capsviz.inputs.data import NO_CLASS
from capsviz.traces.base import LENGTH, MARGIN_ABSENT, MARGIN_PRESENT, PROBABILITY, CapsuleGrid, Shape
from capsviz.traces.routing import RoutingTrace

ABSENT_WEIGHT = 0.5  # lambda of Eq. 4


def squash(s: Tensor, dim: int = -1) -> Tensor:
    """Shrink vectors to a length below 1 and keep their direction (Eq. 1).

    Eq. 1 divides by |s|, which has no gradient at zero. Written as ``s * |s| / (1 + |s|^2)`` with a
    guarded root, both the value and the gradient of a dead capsule are 0 and not NaN.

    Args:
        s: vectors of any length along ``dim``.

    Returns:
        Vectors of the same shape, of length |s|^2 / (1 + |s|^2).
    """
    squared = s.square().sum(dim, keepdim=True)
    # The smallest normal float32: below it |s| is not told apart from 0 anyway.
    norm = squared.clamp_min(torch.finfo(s.dtype).tiny).sqrt()
    return s * (norm / (1 + squared))


class RoutingStep(NamedTuple):
    """What one iteration of Procedure 1 read and made, for a batch."""

    b: Tensor  # [B, J, I] routing logits on entering the iteration
    c: Tensor  # [B, J, I] coupling coefficients; over J they sum to 1
    s: Tensor  # [B, J, D] weighted sums
    v: Tensor  # [B, J, D] squashed outputs


def dynamic_routing(u_hat: Tensor, iterations: int) -> list[RoutingStep]:
    """Routing by agreement (Procedure 1, Eq. 2 and 3).

    In all but the last iteration the prediction vectors are held constant, so that the gradient flows
    through the final weighted sum alone; values are not changed by this. (Our choice: the paper does not
    say, and its authors' code lets the gradient through every iteration.) The logits start at 0 for every
    image and are not parameters.

    Args:
        u_hat: prediction vectors, [B, J, I, D].
        iterations: r of Procedure 1, at least 1.

    Returns:
        The ``iterations`` steps in order; the last one's ``v`` is the answer of the layer.

    Raises:
        ValueError: if ``iterations`` is below 1.
    """
    if iterations < 1:
        raise ValueError(f"routing needs at least 1 iteration, not {iterations}.")
    constant = u_hat.detach()
    b = u_hat.new_zeros(u_hat.shape[:3])
    steps = []
    for r in range(iterations):
        last = r == iterations - 1
        votes = u_hat if last else constant
        c = b.softmax(dim=1)  # over the class capsules J, not over the children I
        s = (c.unsqueeze(2) @ votes).squeeze(2)  # [B, J, 1, I] @ [B, J, I, D] -> [B, J, D]
        v = squash(s)
        steps.append(RoutingStep(b, c, s, v))
        if not last:
            b = b + (votes @ v.unsqueeze(3)).squeeze(3)  # agreement u_hat . v -> [B, J, I]
    return steps


class PrimaryCapsules(nn.Module):
    """Convolution whose filters are read as ``types`` types of K-D capsules at each place of the grid."""

    def __init__(self, grid: CapsuleGrid, components: int, channels: int, kernel: int) -> None:
        super().__init__()
        self.grid, self.components = grid, components
        self.conv = nn.Conv2d(channels, grid.types * components, kernel_size=kernel, stride=grid.stride)

    def forward(self, features: Tensor) -> Tensor:
        """Turn feature maps [B, F, h, w] into primary capsules u [B, I, K], squashed."""
        x = self.conv(
            features
        ).float()  # [B, types * K, rows, columns]; float: only convolutions may run in bf16
        # A capsule is taken *across* K neighbouring filters at one position, never across positions.
        x = x.unflatten(1, (self.grid.types, self.components))  # [B, types, K, rows, columns]
        x = x.permute(0, 1, 3, 4, 2)  # [B, types, rows, columns, K]
        return squash(x.flatten(1, 3))


class ClassCapsules(nn.Module):
    """One matrix for each pair of primary and class capsule; nothing is shared over the grid."""

    def __init__(self, primary: int, classes: int, pose: int, components: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(primary, classes, pose, components))
        if not self.W.is_meta:  # to fill nothing, PyTorch would import its compiler, for seconds
            nn.init.normal_(self.W, std=0.05)

    def forward(self, u: Tensor) -> Tensor:
        """Predict every class capsule from every primary capsule (Eq. 2): [B, I, K] -> [B, J, I, D]."""
        # One product [B, K] @ [K, J*D] for each primary capsule; broadcasting W over the batch would
        # copy it B times.
        W = self.W.flatten(1, 2).transpose(1, 2)  # [I, K, J*D]
        u_hat = u.transpose(0, 1) @ W  # [I, B, J*D]
        return u_hat.unflatten(2, self.W.shape[1:3]).permute(1, 2, 0, 3).contiguous()


class Decoder(nn.Sequential):
    """Dense layers from the J * D masked pose components to S * S pixels (Figure 2: 160, 512, 1024, 784)."""

    def __init__(self, inputs: int, hidden: Sequence[int], size: int) -> None:
        self.size = size
        widths = [inputs, *hidden, size * size]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU()]
        super().__init__(*layers[:-1], nn.Sigmoid())

    def forward(self, masked: Tensor) -> Tensor:
        """Draw images [N, S, S], pixels in 0..1, from poses [N, J, D] already masked."""
        return super().forward(masked.flatten(1)).unflatten(1, (self.size, self.size))


class Activations(NamedTuple):
    """Everything one forward pass computes, from the first layer to the class capsules."""

    features: Tensor  # [B, F, h, w] first convolution, after ReLU
    u: Tensor  # [B, I, K] primary capsules
    u_hat: Tensor  # [B, J, I, D] prediction vectors
    steps: list[RoutingStep]  # one for each routing iteration

    @property
    def v(self) -> Tensor:
        """Class capsules after the last iteration, [B, J, D]."""
        return self.steps[-1].v

    @property
    def lengths(self) -> Tensor:
        """Length of each class capsule, [B, J], in 0..1: how surely the class is there."""
        return self.v.norm(dim=-1)


class Outcome(NamedTuple):
    """What a network's answer, its loss and its decoder are made of, for a batch."""

    evidence: Tensor  # [B, J] lengths of capsules, in 0..1, or logits
    poses: Tensor | None  # [B, J, D] what a decoder draws of

    @classmethod
    def of_capsules(cls, v: Tensor) -> "Outcome":
        """That of class capsules [B, J, D]."""
        return cls(v.norm(dim=-1), v)


Encode = Callable[[Tensor], tuple[Tensor, Tensor]]  # images [B, S, S] to features and u


class CapsNet(nn.Module):
    """The three-layer capsule network and its decoder; 8,215,568 parameters in the paper's size.

    Args:
        shape: what it is to tell apart, and how its capsules lie.
        channels: feature maps of the first convolution.
        kernels: sides of the kernels of the two convolutions; the first one's stride is 1, the second one's the grid's.
        hidden: widths of the decoder's hidden layers.

    Raises:
        ValueError: if such convolutions do not lead to the shape's grid.
    """

    def __init__(
        self,
        shape: Shape,
        channels: int = 256,
        kernels: tuple[int, int] = (9, 9),
        hidden: Sequence[int] = (512, 1024),
    ) -> None:
        super().__init__()
        grid = shape.grid
        if grid is None:
            raise ValueError("a capsule network has a grid of primary capsules.")
        side = (shape.size - kernels[0] + 1 - kernels[1]) // grid.stride + 1
        if (grid.rows, grid.columns, grid.field) != (side, side, sum(kernels) - 1):
            raise ValueError(
                f"kernels of {kernels[0]} and {kernels[1]} on {shape.size} pixels lead to {side} x {side} places with "
                f"fields of {sum(kernels) - 1}, not to {grid.rows} x {grid.columns} with {grid.field}."
            )
        self.shape, self.grid = shape, grid
        classes = len(shape.classes)
        self.conv1 = nn.Conv2d(1, channels, kernel_size=kernels[0])
        self.primary = PrimaryCapsules(grid, shape.components, channels, kernels[1])
        self.digits = ClassCapsules(grid.capsules, classes, shape.pose, shape.components)
        self.decoder = Decoder(classes * shape.pose, hidden, shape.size)

    @torch.no_grad()
    def enlarge(self, smaller: "CapsNet") -> None:
        """Begin with the weights of a network for smaller images: its answers to what is in the middle.

        Convolutions and the decoder's hidden layers are of one size in both; the decoder's last layer stays as it is.
        The smaller one's places are in the middle of the grid. Matrices of those around it begin with 0: with copies of
        the nearest, what they say of an empty border would outvote the digit.
        """
        same = ("conv1", "primary", *(f"decoder.{k}" for k in range(len(self.decoder) - 2)))
        for name in same:
            self.get_submodule(name).load_state_dict(smaller.get_submodule(name).state_dict())
        grid, before = self.grid, smaller.grid
        top, left = (grid.rows - before.rows) // 2, (grid.columns - before.columns) // 2
        W = self.digits.W.zero_().unflatten(0, (grid.types, grid.rows, grid.columns))
        middle = W[:, top : top + before.rows, left : left + before.columns]
        middle.copy_(smaller.digits.W.unflatten(0, (before.types, before.rows, before.columns)))

    def forward(
        self, images: Tensor, iterations: int | None = None, mixed_precision: bool = False
    ) -> Activations:
        """Classify images [B, S, S] with pixels in 0..1; the decoder is called separately.

        In mixed precision the convolutions multiply in bfloat16; all else stays in single precision.
        """
        with torch.autocast(images.device.type, torch.bfloat16, enabled=mixed_precision):
            features, u = self.encode(images)
        u_hat = self.digits(u)
        return Activations(features, u, u_hat, dynamic_routing(u_hat, iterations or self.shape.trained))

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Run the two convolutions: images [B, S, S] to features and primary capsules u."""
        features = F.relu(self.conv1(images.unsqueeze(1)))
        return features, self.primary(features)

    def outcome(self, images: Tensor, iterations: int, mixed_precision: bool = False) -> Outcome:
        """Lengths and poses of the class capsules of images [B, S, S]."""
        return Outcome.of_capsules(self(images, iterations, mixed_precision).v)

    def scores(self, images: Tensor, iterations: int) -> Tensor:
        """Lengths [B, J] of the class capsules of images [B, S, S]."""
        return self(images, iterations).lengths

    def transforms(self) -> Tensor:
        """[I, J, D, K] W_ij, which make of each u_i its votes (Eq. 2)."""
        return self.digits.W

    def scores_by_iteration(self, images: Tensor, iterations: int, encode: Encode | None = None) -> Tensor:
        """Lengths [R, B, J] after each of R iterations; ``encode`` in place of the network's own."""
        u_hat = self.votes(images, encode)
        return torch.stack([step.v.norm(dim=-1) for step in dynamic_routing(u_hat, iterations)])

    def votes(self, images: Tensor, encode: Encode | None = None) -> Tensor:
        """û [B, J, I, D] of images [B, S, S]; ``encode`` as above."""
        return self.digits((encode or self.encode)(images)[1])

    def trace(
        self, image: Tensor, iterations: int, shape: Shape, encode: Encode | None = None
    ) -> RoutingTrace:
        """Everything that was computed on the way of one image [S, S], for ``shape``; ``encode`` as above."""
        features, u = (encode or self.encode)(image[None])
        u_hat = self.digits(u)
        steps = dynamic_routing(u_hat, iterations)
        b, c, s, v = (torch.cat([getattr(step, name) for step in steps]).cpu().numpy() for name in "bcsv")
        return RoutingTrace(
            image=np.asarray(image.cpu()),
            features=features[0].cpu().numpy(),
            u=u[0].cpu().numpy(),
            u_hat=u_hat[0].cpu().numpy().transpose(1, 0, 2),  # [J, I, D] -> [I, J, D]
            b=b.transpose(0, 2, 1),  # [R, J, I] -> [R, I, J]
            c=c.transpose(0, 2, 1),
            s=s,
            v=v,
            shape=shape,
        )


def mask(v: Tensor, label: Tensor) -> Tensor:
    """Zero every pose of v [B, J, D] but that of ``label`` [B]; what the decoder is fed."""
    return v * one_hot(label, v.shape[1]).to(v.dtype).unsqueeze(-1)


def one_hot(label: Tensor, classes: int) -> Tensor:
    """Labels [...], int64, as 0s and 1s [..., J]; what is of no class, ``NO_CLASS``, is all 0."""
    return F.one_hot(label - NO_CLASS, classes + 1)[..., 1:]


def present(labels: Tensor, classes: int) -> Tensor:
    """Which classes are there, as 0s and 1s [B, J], where an image shows one, labels [B], or several, [B, n], int64."""
    return one_hot(labels.view(len(labels), -1), classes).amax(1)


def margin_loss(lengths: Tensor, target: Tensor) -> Tensor:
    """Margin loss (Eq. 4), summed over the classes, mean over the batch.

    An image of no class has T_k = 0 for all k: every length above m- costs. (The paper has none of these.) One that
    shows several has T_k = 1 for each, and once for two of the same.

    Args:
        lengths: [B, J] capsule lengths in 0..1.
        target: [B] true classes, or [B, n] those of n at once, int64; ``NO_CLASS`` for what is none.
    """
    there = present(target, lengths.shape[1]).to(lengths.dtype)
    missed = (MARGIN_PRESENT - lengths).clamp_min(0).square()
    claimed = (lengths - MARGIN_ABSENT).clamp_min(0).square()
    return (there * missed + ABSENT_WEIGHT * (1 - there) * claimed).sum(1).mean()


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of the softmax of logits [B, J], mean over the batch; of what is no class, to equal probabilities.

    Args:
        logits: one for each class.
        target: [B] or [B, 1] true classes, int64; ``NO_CLASS`` for what is none.
    """
    there = present(target, logits.shape[1]).to(logits.dtype)
    wanted = there + (1 - there.sum(1, keepdim=True)) / logits.shape[1]
    return -(wanted * logits.log_softmax(1)).sum(1).mean()


def binary_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of each class's own probability, sigmoid of logits [B, J]: summed over the classes, mean over the batch.

    Args:
        logits: one for each class.
        target: [B] true classes, or [B, n] those of n at once, int64; ``NO_CLASS`` for what is none.
    """
    there = present(target, logits.shape[1]).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, there, reduction="sum") / len(logits)


def scores_of(evidence: Tensor, shape: Shape) -> Tensor:
    """Scores [..., J] in 0..1 of evidence [..., J]: lengths as they are, probabilities of logits."""
    if shape.score == LENGTH:
        return evidence
    return evidence.softmax(-1) if shape.score == PROBABILITY else evidence.sigmoid()


def reconstruction_loss(reconstructions: Tensor, images: Tensor, count: float | None = None) -> Tensor:
    """Squared error *summed* over the pixels (section 4.1), mean over the batch; unscaled.

    Args:
        reconstructions: [N, S, S].
        images: [N, S, S].
        count: what to divide the sum over the images by, where these are but a part; N if not given.
    """
    squares = (reconstructions - images).square().flatten(1).sum(1)
    return squares.sum() / (len(images) if count is None else count)
