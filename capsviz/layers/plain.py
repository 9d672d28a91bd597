"""A plain convolutional network: the trunk of ``layers/attention.py`` with a dense layer in place of the capsules.

With everything else the same, what the two networks do differently is due to the capsules. The dense layer's numbers
either are the classes' logits, or D for each class, whose sum is its logit: then a decoder draws from them as from a pose
(the comparison "CNN-R" of Gu, Tresp & Hu, 2021, arXiv:2103.15459).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from capsviz.layers.capsules import Decoder, Outcome, scores_of
from capsviz.layers.trunk import CONVOLUTIONS, Trunk
from capsviz.traces.base import Shape
from capsviz.traces.plain import PlainTrace


class PlainNet(nn.Module):
    """The network: 142,474 parameters in the published trunk's size; with poses 161,824, and a decoder.

    Args:
        shape: what it is to tell apart; D = ``shape.pose`` numbers for each class, or one if it is 0.
        convolutions: maps, side of the kernel and stride of each.
        hidden: widths of the decoder's hidden layers, if there are poses.
    """

    def __init__(
        self,
        shape: Shape,
        convolutions: Sequence[tuple[int, int, int]] = CONVOLUTIONS,
        hidden: Sequence[int] = (512, 1024),
    ) -> None:
        super().__init__()
        self.shape = shape
        numbers = len(shape.classes) * max(1, shape.pose)
        self.trunk = Trunk(shape.size, convolutions)
        self.dense = nn.Linear(convolutions[-1][0], numbers)
        if shape.pose:
            self.decoder = Decoder(numbers, hidden, shape.size)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, S, S] to the first convolution's maps [B, F, h, w] and the last one's outputs [B, N], after ReLU."""
        features, whole = self.trunk(images)
        return features, F.relu(whole)

    def outcome(self, images: Tensor, iterations: int, mixed_precision: bool = False) -> Outcome:
        """Logits [B, J], and poses [B, J, D] if there are any, of images [B, S, S]; nothing iterates."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=mixed_precision):
            _, whole = self.trunk(images)
        return self._classified(F.relu(whole))

    def _classified(self, whole: Tensor) -> Outcome:
        numbers = self.dense(whole)
        if not self.shape.pose:
            return Outcome(numbers, None)
        poses = numbers.unflatten(1, (len(self.shape.classes), self.shape.pose))
        return Outcome(poses.sum(2), poses)

    def scores(self, images: Tensor, iterations: int) -> Tensor:
        """Probabilities [B, J] of images [B, S, S]: softmax of the logits, or of each by itself its sigmoid."""
        return scores_of(self.outcome(images, iterations).evidence, self.shape)

    def scores_by_iteration(self, images: Tensor, iterations: int) -> Tensor:
        """Probabilities [1, B, J]: nothing iterates."""
        return self.scores(images, iterations)[None]

    def trace(self, image: Tensor, iterations: int, shape: Shape) -> PlainTrace:
        """What was computed on the way of one image [S, S], for ``shape``."""
        features, whole = self.encode(image[None])
        logits, poses = self._classified(whole)

        def array(tensor: Tensor) -> np.ndarray:
            return np.asarray(tensor[0].cpu())

        return PlainTrace(
            image=np.asarray(image.cpu()),
            features=array(features),
            whole=array(whole),
            logits=array(logits),
            v=None if poses is None else np.asarray(poses.cpu()),
            shape=shape,
        )
