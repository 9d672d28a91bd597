"""The network of "Dynamic Routing Between Capsules" (Sabour, Frosst & Hinton 2017, arXiv:1710.09829).

Axes, in the order in which they stand in a shape:

    B images of a batch,  R routing iterations,
    I primary capsules (1152 = 32 types x 6 rows x 6 columns, in that order),
    K components of a primary capsule (8),
    J digit capsules (10),  D components of a digit capsule (16).

Inside the network the primary capsules stand last, ``[B, J, I]``: a softmax over a trailing axis of
ten is many times slower on a CPU than one over a leading axis with 1152 values side by side.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

IMAGE_SIZE = 28
TYPES, GRID, PRIMARY_DIM = 32, 6, 8
PRIMARY_CAPSULES = TYPES * GRID * GRID
DIGITS, POSE_DIM = 10, 16
NO_DIGIT = -1  # the label of a picture of something else

MARGIN_PRESENT, MARGIN_ABSENT, ABSENT_WEIGHT = 0.9, 0.1, 0.5  # m+, m- and lambda of Eq. 4
RECONSTRUCTION_WEIGHT = 0.0005  # of the *summed* squared error (section 4.1)


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
        c = b.softmax(dim=1)  # over the digit capsules J, not over the children I
        s = (c.unsqueeze(2) @ votes).squeeze(2)  # [B, J, 1, I] @ [B, J, I, D] -> [B, J, D]
        v = squash(s)
        steps.append(RoutingStep(b, c, s, v))
        if not last:
            b = b + (votes @ v.unsqueeze(3)).squeeze(3)  # agreement u_hat . v -> [B, J, I]
    return steps


class PrimaryCapsules(nn.Module):
    """Convolution whose 256 filters are read as 32 types of 8-D capsules at each grid position."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(256, TYPES * PRIMARY_DIM, kernel_size=9, stride=2)

    def forward(self, features: Tensor) -> Tensor:
        """Turn feature maps [B, 256, 20, 20] into primary capsules u [B, I, K], squashed."""
        x = self.conv(features).float()  # [B, 256, 6, 6]; float: only the convolutions may run in bf16
        # A capsule is taken *across* 8 neighbouring filters at one position, never across positions.
        x = x.unflatten(1, (TYPES, PRIMARY_DIM))  # [B, 32, 8, 6, 6]
        x = x.permute(0, 1, 3, 4, 2)  # [B, 32, 6, 6, 8]
        return squash(x.flatten(1, 3))


class DigitCapsules(nn.Module):
    """One matrix for each pair of primary and digit capsule; nothing is shared over the grid."""

    def __init__(self) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(PRIMARY_CAPSULES, DIGITS, POSE_DIM, PRIMARY_DIM))
        if not self.W.is_meta:  # to fill nothing, PyTorch would import its compiler, for seconds
            nn.init.normal_(self.W, std=0.05)

    def forward(self, u: Tensor) -> Tensor:
        """Predict every digit capsule from every primary capsule (Eq. 2): [B, I, K] -> [B, J, I, D]."""
        # One product [B, K] @ [K, J*D] for each primary capsule; broadcasting W over the batch would
        # copy it B times.
        W = self.W.flatten(1, 2).transpose(1, 2)  # [I, K, J*D]
        u_hat = u.transpose(0, 1) @ W  # [I, B, J*D]
        return u_hat.unflatten(2, (DIGITS, POSE_DIM)).permute(1, 2, 0, 3).contiguous()


class Decoder(nn.Sequential):
    """Three dense layers from the 160 masked pose components to 784 pixels (Figure 2)."""

    def __init__(self) -> None:
        super().__init__(
            nn.Linear(DIGITS * POSE_DIM, 512),
            nn.ReLU(),
            nn.Linear(512, 1024),
            nn.ReLU(),
            nn.Linear(1024, IMAGE_SIZE * IMAGE_SIZE),
            nn.Sigmoid(),
        )

    def forward(self, masked: Tensor) -> Tensor:
        """Draw images [N, 28, 28], pixels in 0..1, from poses [N, J, D] already masked."""
        return super().forward(masked.flatten(1)).unflatten(1, (IMAGE_SIZE, IMAGE_SIZE))


class Activations(NamedTuple):
    """Everything one forward pass computes, from the first layer to the digit capsules."""

    features: Tensor  # [B, 256, 20, 20] first convolution, after ReLU
    u: Tensor  # [B, I, K] primary capsules
    u_hat: Tensor  # [B, J, I, D] prediction vectors
    steps: list[RoutingStep]  # one for each routing iteration

    @property
    def v(self) -> Tensor:
        """Digit capsules after the last iteration, [B, J, D]."""
        return self.steps[-1].v

    @property
    def lengths(self) -> Tensor:
        """Length of each digit capsule, [B, J], in 0..1: how surely the digit is there."""
        return self.v.norm(dim=-1)


class CapsNet(nn.Module):
    """The three-layer capsule network and its decoder: 8,215,568 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 256, kernel_size=9)
        self.primary = PrimaryCapsules()
        self.digits = DigitCapsules()
        self.decoder = Decoder()

    def forward(self, images: Tensor, iterations: int = 3) -> Activations:
        """Classify images [B, 28, 28] with pixels in 0..1; the decoder is called separately."""
        features, u = self.encode(images)
        u_hat = self.digits(u)
        return Activations(features, u, u_hat, dynamic_routing(u_hat, iterations))

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Run the two convolutions: images [B, 28, 28] to features and primary capsules u."""
        features = F.relu(self.conv1(images.unsqueeze(1)))
        return features, self.primary(features)


def mask(v: Tensor, digit: Tensor) -> Tensor:
    """Zero every pose of v [B, J, D] but that of ``digit`` [B]; what the decoder is fed."""
    return v * one_hot(digit).to(v.dtype).unsqueeze(-1)


def one_hot(digit: Tensor) -> Tensor:
    """Digits [B], int64, as 0s and 1s [B, J]; what is no digit, ``NO_DIGIT``, is all 0."""
    return F.one_hot(digit - NO_DIGIT, DIGITS + 1)[:, 1:]


def margin_loss(lengths: Tensor, target: Tensor) -> Tensor:
    """Margin loss (Eq. 4), summed over the digits, mean over the batch.

    An image of no digit has T_k = 0 for all k: every length above m- costs. (The paper has none of these.)

    Args:
        lengths: [B, J] capsule lengths in 0..1.
        target: [B] true digits, int64; ``NO_DIGIT`` for what is none.
    """
    present = one_hot(target).to(lengths.dtype)
    missed = (MARGIN_PRESENT - lengths).clamp_min(0).square()
    claimed = (lengths - MARGIN_ABSENT).clamp_min(0).square()
    return (present * missed + ABSENT_WEIGHT * (1 - present) * claimed).sum(1).mean()


def reconstruction_loss(reconstructions: Tensor, images: Tensor, count: float | None = None) -> Tensor:
    """Squared error *summed* over the pixels (section 4.1), mean over the batch; unscaled.

    Args:
        reconstructions: [N, 28, 28].
        images: [N, 28, 28].
        count: what to divide the sum over the images by, where these are but a part; N if not given.
    """
    squares = (reconstructions - images).square().flatten(1).sum(1)
    return squares.sum() / (len(images) if count is None else count)
