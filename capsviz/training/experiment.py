"""What all experiments share: trainings that are measured and then forgotten; no weights are kept."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from tqdm import tqdm

from capsviz.inputs.data import Digits
from capsviz.models.size import Size, sizes, together
from capsviz.networks.base import Spec
from capsviz.training.objective import misread
from capsviz.training.trainer import Trainer
from capsviz.training.validation import evidence


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
