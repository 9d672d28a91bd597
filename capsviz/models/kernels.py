"""The first convolution of a network, which sees the image itself."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from torch import nn


class FirstLayer(NamedTuple):
    """Its numbers: of each square of the image a map holds what is above 0 of the sum of its products with a kernel, and a bias.

    Attributes:
        kernels: [F, k, k] float32.
        biases: [F] float32.
        stride: pixels from one square to the next.
    """

    kernels: np.ndarray
    biases: np.ndarray
    stride: int


def first_layer(net: "nn.Module") -> FirstLayer:
    """The first convolution of a module, in the order in which its parts were made; imports PyTorch."""
    from torch import nn

    layer = next(part for part in net.modules() if isinstance(part, nn.Conv2d))
    assert layer.bias is not None
    weight, bias = (part.detach().float().cpu().numpy() for part in (layer.weight, layer.bias))
    return FirstLayer(weight[:, 0], bias, layer.stride[0])
