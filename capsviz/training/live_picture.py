"""The picture that a training on the page draws of itself, and what else its network says as it answers."""

import io
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch

from capsviz.inputs.data import Digits
from capsviz.layers.capsules import mask
from capsviz.training import objective

T = TypeVar("T")


def as_it_answers(net: Any, compute: Callable[[], T]) -> T:
    """What ``compute`` makes with a network as it answers, not as it trains."""
    net.eval()
    with torch.inference_mode():
        made = compute()
    net.train()
    return made


def draw(net: Any, seen: Digits, pixels: torch.Tensor, iterations: int, step: int) -> bytes:
    """The first layer's kernels, and what some images are drawn again as, each from its own class's pose.

    Args:
        net: of capsules, with a decoder.
        seen: the images, uint8 [N, S, S], and their labels.
        pixels: the same as the network takes them, float32.
        iterations: of routing.
        step: of the training.

    Returns:
        A file that ``figures.live.read_picture`` reads.
    """

    def drawn() -> tuple[torch.Tensor, torch.Tensor]:
        made = objective.outcome(net, pixels, iterations)
        assert made.poses is not None  # of capsules
        return net.decoder(mask(made.poses, seen.labels)), made.evidence.argmax(1)

    redrawn, answers = as_it_answers(net, drawn)
    first = net.conv1 if hasattr(net, "conv1") else net.trunk.convolutions[0]
    content = io.BytesIO()
    np.savez(
        content,
        seen=seen.images.numpy(),
        redrawn=(redrawn * 255).round().to(torch.uint8).numpy(),
        filters=first.weight.detach()[:, 0].numpy(),
        labels=seen.labels.numpy(),
        answers=answers.numpy(),
        step=step,
    )
    return content.getvalue()
