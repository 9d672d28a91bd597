"""The convolutions of Efficient-CapsNet (Mazzia, Salvetti & Chiaberge 2021, arXiv:2101.12491), of any size.

Four convolutions, each followed by ReLU and then by batch normalisation, and one that sees all that is left of the
image, a kernel for each map: its outputs are grouped into the primary capsules, or, in a plain network, are what a dense
layer reads.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Of the published network: maps, side of the kernel, stride.
CONVOLUTIONS = ((32, 5, 1), (64, 3, 1), (64, 3, 1), (128, 3, 2))
_EPSILON, _MOMENTUM = 1e-3, 0.01  # of the batch normalisation, as published (there: a momentum of 0.99)


class Trunk(nn.Module):
    """Images to features; 141,184 parameters in the published size, with the kernels that see the whole image.

    Args:
        size: pixels along a side of the image.
        convolutions: maps, side of the kernel and stride of each.

    Raises:
        ValueError: if nothing is left of so small an image.
    """

    def __init__(self, size: int, convolutions: Sequence[tuple[int, int, int]] = CONVOLUTIONS) -> None:
        super().__init__()
        before = 1
        self.convolutions, self.normalisations = nn.ModuleList(), nn.ModuleList()
        for maps, kernel, stride in convolutions:
            self.convolutions.append(nn.Conv2d(before, maps, kernel, stride))
            self.normalisations.append(Normalisation(maps))
            before, size = maps, (size - kernel) // stride + 1
        if size < 1:
            raise ValueError(f"the convolutions leave {size} places of the image.")
        self.whole = nn.Conv2d(before, before, size, groups=before)
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and not module.weight.is_meta:
                nn.init.kaiming_normal_(module.weight)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, S, S] to the first convolution's maps [B, F, h, w], after ReLU, and the last one's outputs [B, N].

        In training the batch's own mean and variance normalise, after it those that were seen in training.
        """
        x = images.unsqueeze(1)
        features = None
        for convolution, normalisation in zip(self.convolutions, self.normalisations, strict=True):
            x = F.relu(convolution(x.contiguous(memory_format=torch.channels_last)))
            features = x if features is None else features
            x = normalisation(x)
        assert features is not None
        return features.float(), self.whole(x).flatten(1).float()


class Normalisation(nn.BatchNorm2d):
    """Batch normalisation whose state is what it computes with: it does not count the batches that it has seen.

    A count of training steps has no place among weights in half precision, which hold no number above 65,504.
    """

    def __init__(self, maps: int) -> None:
        super().__init__(maps, eps=_EPSILON, momentum=_MOMENTUM)
        self.num_batches_tracked = None

    def _load_from_state_dict(self, state: Any, prefix: str, metadata: Mapping[str, Any], *rest: Any) -> None:
        # Of a state without a version PyTorch thinks that the count was left out, and puts it in.
        super()._load_from_state_dict(state, prefix, {**metadata, "version": self._version}, *rest)
