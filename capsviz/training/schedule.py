"""What happens at which step of a run: its random numbers, and its learning rate."""

import math
from enum import IntEnum

import numpy as np
import torch
from numpy.random import SeedSequence

from capsviz.training.settings import Settings


class Stream(IntEnum):
    """What a run's random numbers are for; 0 and 1 are the pool's digits and other things."""

    WEIGHTS = 2
    ORDER = 3
    CHANGES = 4
    MADE_UP = 5
    NOISE = 6
    PAIRS = 7


def stream(seed: int, kind: Stream, number: int = 0) -> torch.Generator:
    """A generator for each ``seed``, ``kind`` and step or epoch, which neighbouring seeds do not share.

    PyTorch's generator on the CPU takes 32 bits of what NumPy mixes of the three.
    """
    mixed = SeedSequence([seed, kind, number]).generate_state(1, np.uint32)
    return torch.Generator().manual_seed(int(mixed[0]))


def learning_rate(settings: Settings, step: int, steps: int) -> float:
    """Linear warm-up, then a half cosine down to the final rate."""
    warm = min(1.0, (step + 1) / max(1, min(settings.warmup_steps, steps // 10)))
    cosine = (1 + math.cos(math.pi * step / steps)) / 2
    span = settings.learning_rate - settings.final_learning_rate
    return warm * (settings.final_learning_rate + span * cosine)
