"""What is measured of a network after each epoch of its training, and once at the end."""

from typing import Any

import torch
from torch import Tensor

from capsviz.inputs.data import Digits
from capsviz.layers import fast
from capsviz.layers.capsules import margin_loss
from capsviz.measures.unsure import unsure_below
from capsviz.training.objective import class_capsules


@torch.inference_mode()
def capsule_lengths(net: Any, digits: Digits, iterations: int, batch_size: int = 250) -> Tensor:
    """Lengths [N, J] of the class capsules, on the CPU."""
    device = next(net.parameters()).device
    lengths = [torch.empty(0, len(net.shape.classes))]
    spectra = fast.kernel_spectra(net) if device.type == "cpu" and fast.serves(net) else None
    for start in range(0, len(digits.labels), batch_size):
        pixels = to_pixels(digits.take(slice(start, start + batch_size)).images, device)
        lengths.append(class_capsules(net, pixels, iterations, spectra=spectra).norm(dim=-1).cpu())
    return torch.cat(lengths)


def error_rate(net: Any, digits: Digits, iterations: int, batch_size: int = 250) -> float:
    """Share of ``digits`` (0..1) whose longest capsule is not that of their label."""
    return share_wrong(capsule_lengths(net, digits, iterations, batch_size), digits)


def share_wrong(lengths: Tensor, digits: Digits) -> float:
    """Share (0..1) of the longest capsules of lengths [N, J] that are not those of the labels."""
    wrong = lengths.argmax(1) != digits.labels
    return int(wrong.sum()) / len(wrong)


def to_pixels(images: Tensor, device: torch.device) -> Tensor:
    """Grey levels 0..255 as float32 in 0..1 on ``device``."""
    return images.to(device).float() / 255


def measured(net: Any, validation: Digits, test: Digits, iterations: int) -> dict[str, float]:
    """What a card says of ``net``: "validation_error", "validation_loss" (margin), "unsure_below" and, last, "test_error"."""
    torch.backends.cudnn.allow_tf32 = False  # as the app computes: TF32 has three decimal digits
    lengths = capsule_lengths(net, validation, iterations)
    return {
        "validation_error": share_wrong(lengths, validation),
        "validation_loss": float(margin_loss(lengths, validation.labels)),
        "unsure_below": unsure_below(lengths.amax(1).numpy()),
        "test_error": error_rate(net, test, iterations),
    }
