"""Which parts of the capsule network are taken away, to see what they are good for (Table 1 of arXiv:1710.09829)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from capsviz.measures.runs import Ablation, Timing
from capsviz.measures.statistics import of_seeds
from capsviz.traces.base import RECONSTRUCTION_WEIGHT

STEPS = 429  # of an epoch: of MNIST's 55,000 images to train on, 128 a step


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    One routing iteration is uniform c, in training and in use: the softmax of zeros. So these are one ablation.

    Attributes:
        name: for the command line and the rows.
        network: that is trained.
        iterations: of routing, in training and in use; 1 where nothing iterates.
        reconstruction: weight of the decoder's loss.
        published: test error in % of the paper's counterpart.
        deviation: of it over three trainings, in % of the images.
    """

    name: str
    network: str
    iterations: int
    reconstruction: float
    published: float
    deviation: float | None = None


VARIANTS = (
    Variant("r1", "dynamic.mnist", 1, 0.0, 0.34, 0.032),
    Variant("r1-reconstruction", "dynamic.mnist", 1, RECONSTRUCTION_WEIGHT, 0.29, 0.011),
    Variant("r3", "dynamic.mnist", 3, 0.0, 0.35, 0.036),
    Variant("r3-reconstruction", "dynamic.mnist", 3, RECONSTRUCTION_WEIGHT, 0.25, 0.005),
    Variant("cnn", "cnn.mnist", 1, 0.0, 0.39),
)


@dataclass(frozen=True)
class Result:
    """What the trainings of one variant came to.

    Attributes:
        error: of the test images, as ``statistics.of_seeds`` has it.
        images: of the test set.
        seeds, epochs: how many trainings, and how long each.
        parameters: that were trained.
        multiply_adds: of one answer.
        answer: milliseconds of an answer to one image, by device.
        seconds: mean of the trainings on each device, whatever ran beside them; the one with most of them first.
        mixed_precision: whether the large convolutions of one of them multiplied in bfloat16.
    """

    variant: Variant
    error: Mapping[str, Any]
    images: int
    seeds: int
    epochs: int
    parameters: int
    multiply_adds: int
    answer: Mapping[str, float]
    seconds: Mapping[str, float]
    mixed_precision: bool


def results(rows: Iterable[Ablation], times: Iterable[Timing] = ()) -> list[Result]:
    """A result for each variant that was trained, of its longest trainings, in the order of ``VARIANTS``.

    Args:
        rows: in any order; of two that differ in nothing but what was measured, the last counts.
        times: the quickest on a device counts.
    """
    known, timed = list(rows), list(times)
    found = []
    for variant in VARIANTS:
        own = [row for row in known if row.variant == variant.name]
        if not own:
            continue
        epochs = max(row.epochs for row in own)
        last = {row.seed: row for row in own if row.epochs == epochs}
        runs = [last[seed] for seed in sorted(last)]
        found.append(
            Result(
                variant=variant,
                error=of_seeds([row.wrong for row in runs], runs[0].images),
                images=runs[0].images,
                seeds=len(runs),
                epochs=epochs,
                parameters=runs[0].parameters,
                multiply_adds=runs[0].multiply_adds,
                answer=_quickest(time for time in timed if time.variant == variant.name),
                seconds=_means(runs),
                mixed_precision=any(row.mixed_precision for row in runs),
            )
        )
    return found


def _quickest(times: Iterable[Timing]) -> dict[str, float]:
    """Milliseconds by device: what is slower has waited for something else."""
    found: dict[str, float] = {}
    for time in times:
        found[time.device] = min(time.answer, found.get(time.device, time.answer))
    return found


def _means(runs: Sequence[Ablation]) -> dict[str, float]:
    """Mean seconds of trainings by device."""
    devices = Counter(row.device for row in runs)
    return {
        device: fmean(row.seconds for row in runs if row.device == device)
        for device, _ in devices.most_common()
    }
