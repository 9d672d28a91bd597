"""What all experiments share: trainings that are measured and then forgotten; no weights are kept."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from capsviz.inputs.data import MNIST, Digits, split_validation
from capsviz.models.size import Size, sizes, together
from capsviz.networks.base import Spec
from capsviz.training.objective import misread
from capsviz.training.precision import is_quicker
from capsviz.training.trainer import Trainer
from capsviz.training.validation import evidence


def mnist(data: Path, device: torch.device) -> tuple[Digits, Digits, Digits, bool]:
    """What every experiment begins with: MNIST's digits to train on, to hold out and to test on, and how to multiply.

    Returns:
        The three, and whether the large convolutions are to multiply in bfloat16: where that is quicker.
    """
    training, held_out = split_validation(MNIST.load(data, "train"))
    return training, held_out, MNIST.load(data, "test"), is_quicker(device)


def steps(trainer: Trainer, held_out: Digits, what: str) -> Iterator[None]:
    """Train to the end, yielding after each step; ``what`` is said beside the bar."""
    with tqdm(total=trainer.steps, desc=what, mininterval=1.0, leave=False) as bar:
        while trainer.step < trainer.steps:
            for _ in trainer.run_epoch():
                bar.update()
                yield
            trainer.end_epoch(held_out)


def count_wrong(trainer: Trainer, digits: Digits) -> int:
    """How many digits the network misreads, with as many iterations as it is trained with."""
    found = evidence(trainer.net, digits, trainer.settings.iterations)
    return int(misread(found, digits.labels).sum())


def seconds(trainer: Trainer) -> float:
    """Of training so far, without what was measured in between."""
    return float(sum(row["seconds"] for row in trainer.log) + trainer.seconds)


def size(spec: Spec, iterations: int, decoder: bool) -> Size:
    """Parameters that are trained, with those of its decoder or without, and multiply-adds of one answer."""
    parts = sizes(replace(spec, shape=replace(spec.shape, trained=iterations)))
    return Size(together(parts, decoder).parameters, together(parts, decoder=False).multiply_adds)


def name_of(device: torch.device) -> str:
    """What a device is called in the rows."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
