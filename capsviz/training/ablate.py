"""Training the capsule network without some of its parts: ``python -m capsviz ablate``."""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from capsviz.measures.ablations import Variant
from capsviz.measures.findings import FILES
from capsviz.measures.price import processor
from capsviz.measures.runs import CPU, Ablation, Timing, append, begin
from capsviz.networks.base import find
from capsviz.training.experiment import count_wrong, mnist, name_of, seconds, size, steps
from capsviz.training.settings import Settings
from capsviz.training.trainer import Trainer

_ANSWERS = 50  # that are timed: the quickest has waited for nobody


def ablate(
    data: Path,
    out: Path,
    variants: Sequence[Variant],
    seeds: int,
    epochs: int,
    device: torch.device,
    say: Callable[[str], None],
) -> None:
    """Train each variant with each seed by the same recipe and write a row of each into ``out``/ablations.csv.

    What has a row there is not trained again.

    Args:
        data: folder that holds MNIST.
        out: folder of the rows.
        variants: what to train.
        seeds: 0, 1, ... so many.
        epochs: of each training.
        device: where to compute.
        say: called with a line after each training.

    Raises:
        DataError: if the data are incomplete, or ``out`` cannot be used.
        TrainingError: if a training diverges.
    """
    path = out / FILES[Ablation]
    done = {(row.variant, row.seed, row.epochs) for row in begin(path, Ablation)}
    training, held_out, test, mixed = mnist(data, device)
    for seed in range(seeds):
        for variant in variants:
            if (variant.name, seed, epochs) in done:
                continue
            spec = find(variant.network)
            trainer = Trainer(settings_of(variant, seed, epochs, mixed), training, device)
            for _ in steps(trainer, held_out, f"{variant.name}, seed {seed}"):
                pass
            torch.backends.cudnn.allow_tf32 = False  # as the app computes: TF32 has three decimal digits
            wrong, held_out_wrong = count_wrong(trainer, test), count_wrong(trainer, held_out)
            torch.backends.cudnn.allow_tf32 = True
            counted = size(spec, variant.iterations, variant.reconstruction > 0)
            row = Ablation(
                variant=variant.name,
                seed=seed,
                epochs=epochs,
                held_out=len(held_out.labels),
                held_out_wrong=held_out_wrong,
                images=len(test.labels),
                wrong=wrong,
                seconds=round(seconds(trainer), 2),
                device=name_of(device),
                mixed_precision=int(mixed),
                parameters=counted.parameters,
                multiply_adds=counted.multiply_adds,
            )
            append(path, row)
            say(f"{variant.name}, seed {seed}: {wrong:,} of {row.images:,} misread, {row.seconds:.0f} s")


def time_variants(
    out: Path, variants: Sequence[Variant], device: torch.device, say: Callable[[str], None]
) -> None:
    """Time an answer of each variant, as its module is written, and write a row of each into ``out``/times.csv.

    The quickest of many, on a CPU on one core; what has been timed on this device is timed again, and the quickest row
    counts.
    """
    on = f"{CPU}: {processor()}" if device.type == CPU else name_of(device)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    path = out / FILES[Timing]
    begin(path, Timing)
    for variant in variants:
        spec = find(variant.network)
        net: Any = spec.build(spec).to(device).eval()
        image = torch.rand(1, spec.shape.size, spec.shape.size).to(device)
        taken = []
        with torch.inference_mode():
            for _ in range(_ANSWERS):
                began = perf_counter()
                net.scores(image, variant.iterations).cpu()  # waits for a GPU
                taken.append(1000 * (perf_counter() - began))
        row = Timing(variant.name, on, round(min(taken), 3))
        append(path, row)
        say(f"{variant.name}: {row.answer:.1f} ms")
    torch.set_num_threads(threads)


def settings_of(variant: Variant, seed: int, epochs: int, mixed: bool) -> Settings:
    """How a variant is trained."""
    return Settings(
        epochs=epochs,
        seed=seed,
        network=variant.network,
        iterations=variant.iterations,
        reconstruction=variant.reconstruction,
        mixed_precision=mixed,
    )
