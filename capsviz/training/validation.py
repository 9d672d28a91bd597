"""What is measured of a network after each epoch of its training, and once at the end."""

from typing import Any

import torch
from torch import Tensor

from capsviz.inputs.data import Digits
from capsviz.inputs.pairs import fixed_pairs
from capsviz.layers import fast
from capsviz.layers.capsules import scores_of
from capsviz.measures.unsure import apart, unsure_below
from capsviz.networks.base import Spec
from capsviz.training.objective import class_loss, misread, outcome


@torch.inference_mode()
def evidence(net: Any, digits: Digits, iterations: int, batch_size: int = 250) -> Tensor:
    """Lengths of class capsules, or logits, [N, J], on the CPU; as the network will answer, not as it trains."""
    device = next(net.parameters()).device
    made = [torch.empty(0, len(net.shape.classes))]
    spectra = fast.kernel_spectra(net) if device.type == "cpu" and fast.serves(net) else None
    training = net.training
    net.eval()  # batch normalisation then uses what it has learnt, not this batch
    for start in range(0, len(digits.labels), batch_size):
        pixels = to_pixels(digits.take(slice(start, start + batch_size)).images, device)
        made.append(outcome(net, pixels, iterations, spectra=spectra).evidence.cpu())
    net.train(training)
    return torch.cat(made)


def error_rate(net: Any, digits: Digits, iterations: int, batch_size: int = 250) -> float:
    """Share of ``digits`` (0..1) that are ``misread``."""
    return share_wrong(evidence(net, digits, iterations, batch_size), digits)


def share_wrong(evidence: Tensor, digits: Digits) -> float:
    """Share (0..1) of evidence [N, J] by which the digits are ``misread``."""
    return int(misread(evidence, digits.labels).sum()) / len(digits.labels)


def as_measured(spec: Spec, digits: Digits) -> Digits:
    """What a network is measured on, of images of one class each: these, or pairs of them."""
    return fixed_pairs(digits)[0] if spec.shape.answers > 1 else digits


def to_pixels(images: Tensor, device: torch.device) -> Tensor:
    """Grey levels 0..255 as float32 in 0..1 on ``device``."""
    return images.to(device).float() / 255


def measured(net: Any, validation: Digits, test: Digits, iterations: int) -> dict[str, float]:
    """What a card says of ``net``: "validation_error", "validation_loss", "unsure_below" and, last, "test_error"."""
    torch.backends.cudnn.allow_tf32 = False  # as the app computes: TF32 has three decimal digits
    found = evidence(net, validation, iterations)
    answers = net.shape.answers
    longest = scores_of(found, net.shape).sort(-1, descending=True).values.numpy()
    return {
        "validation_error": share_wrong(found, validation),
        "validation_loss": float(class_loss(net.shape, found, validation.labels)),
        "unsure_below": apart(longest[:, answers - 1], longest[:, answers])
        if answers > 1
        else unsure_below(longest[:, 0]),
        "test_error": error_rate(net, test, iterations),
    }
