"""Training for what a network has not seen: other changes than in training, and few examples; ``python -m capsviz generalise``."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from capsviz.inputs.data import MNIST, Digits
from capsviz.inputs.placed import SPACE, affine, padded, placed
from capsviz.measures.findings import FILES
from capsviz.measures.generalisation import enlarged
from capsviz.measures.runs import Few, Placed, append, begin
from capsviz.networks.base import find, networks
from capsviz.training.experiment import count_wrong, mnist, name_of, seconds, size, steps
from capsviz.training.settings import Settings
from capsviz.training.trainer import Trainer

LOOKS = 3  # in an epoch, at how much is misread
EXAMPLES = (1, 5, 10, 100)  # of each class
BATCH = 64  # images a step, of few


def train_placed(
    data: Path,
    out: Path,
    names: Sequence[str],
    seeds: int,
    epochs: int,
    device: torch.device,
    say: Callable[[str], None],
) -> None:
    """Train networks on digits placed anywhere, and look at them again and again: rows in ``out``/placed.csv.

    The learning rate stays as it is once it is warm: a training can then be stopped anywhere, afterwards. What has all
    its rows is not trained again.

    Args:
        data: folder that holds MNIST.
        out: folder of the rows.
        names: of networks that are ``able``.
        seeds: 0, 1, ... so many.
        epochs: of each training.
        device: where to compute.
        say: called with a line after each training.

    Raises:
        DataError: if the data are incomplete, or ``out`` cannot be used.
        TrainingError: if a training diverges.
    """
    path = out / FILES[Placed]
    done = {(row.network, row.seed, row.steps) for row in begin(path, Placed) if row.step == row.steps}
    training, held_out, test, mixed = mnist(data, device)
    training, held_out = padded(training), placed(held_out)
    there, elsewhere = placed(test), affine(test)
    for seed in range(seeds):
        for name in names:
            spec = enlarged(name)
            settings = Settings(
                epochs=epochs,
                seed=seed,
                final_learning_rate=Settings.learning_rate,
                shift=SPACE,
                iterations=spec.shape.trained,
                network=name,
                mixed_precision=mixed,
            )
            trainer = Trainer(settings, training, device, spec=spec)
            if (name, seed, trainer.steps) in done:
                continue
            counted = size(spec, spec.shape.trained, decoder=True)
            for _ in steps(trainer, held_out, f"{name}, seed {seed}"):
                if not looks(trainer.step, trainer.steps_per_epoch):
                    continue
                row = Placed(
                    network=name,
                    seed=seed,
                    step=trainer.step,
                    steps=trainer.steps,
                    held_out=len(held_out.labels),
                    held_out_wrong=count_wrong(trainer, held_out),
                    images=len(test.labels),
                    placed_wrong=count_wrong(trainer, there),
                    affine_wrong=count_wrong(trainer, elsewhere),
                    seconds=round(seconds(trainer), 2),
                    device=name_of(device),
                    parameters=counted.parameters,
                    multiply_adds=counted.multiply_adds,
                )
                append(path, row)
            say(
                f"{name}, seed {seed}: of {row.images:,} placed {row.placed_wrong:,} misread, of as many changed "
                f"{row.affine_wrong:,}"
            )


def able() -> list[str]:
    """Names of the networks of digits whose architecture is there for larger pictures too."""
    return [name for name, spec in networks().items() if spec.data is MNIST and spec.of]


def looks(step: int, steps_per_epoch: int) -> bool:
    """Whether a network is looked at after a step: ``LOOKS`` times in an epoch, the last time at its end."""
    return step * LOOKS // steps_per_epoch > (step - 1) * LOOKS // steps_per_epoch


def train_few(
    data: Path,
    out: Path,
    names: Sequence[str],
    seeds: int,
    steps_each: int,
    device: torch.device,
    say: Callable[[str], None],
) -> None:
    """Train networks on a few images of each class, all by as many steps: rows in ``out``/few.csv.

    What has a row there is not trained again.

    Args:
        data: folder that holds MNIST.
        out: folder of the rows.
        names: of networks that are ``able``.
        seeds: 0, 1, ... so many; each draws its own images, the same for all networks.
        steps_each: of each training.
        device: where to compute.
        say: called with a line after each training.

    Raises:
        DataError: if the data are incomplete, or ``out`` cannot be used.
        TrainingError: if a training diverges.
    """
    path = out / FILES[Few]
    done = {(row.network, row.examples, row.seed, row.steps) for row in begin(path, Few)}
    training, _, test, mixed = mnist(data, device)
    for seed in range(seeds):
        for examples in EXAMPLES:
            chosen = few(training, examples, seed)
            for name in names:
                if (name, examples, seed, steps_each) in done:
                    continue
                settings = Settings(
                    epochs=1,
                    batch_size=BATCH,
                    seed=seed,
                    iterations=find(name).shape.trained,
                    network=name,
                    mixed_precision=mixed,
                )
                trainer = Trainer(settings, repeated(chosen, steps_each * BATCH), device)
                for _ in steps(trainer, chosen, f"{name}, {examples} of each class, seed {seed}"):
                    pass
                row = Few(
                    network=name,
                    examples=examples,
                    seed=seed,
                    steps=steps_each,
                    batch=BATCH,
                    images=len(test.labels),
                    wrong=count_wrong(trainer, test),
                    seconds=round(seconds(trainer), 2),
                    device=name_of(device),
                )
                append(path, row)
                say(f"{name}, {examples} of each class, seed {seed}: {row.wrong:,} of {row.images:,} misread")


def few(digits: Digits, examples: int, seed: int) -> Digits:
    """So many digits of each class, chosen by ``seed``; those of fewer are among those of more."""
    order = torch.randperm(len(digits.labels), generator=torch.Generator().manual_seed(seed))
    labels = digits.labels[order]
    chosen = [order[labels == label][:examples] for label in labels.unique()]
    return digits.take(torch.cat(chosen))


def repeated(digits: Digits, count: int) -> Digits:
    """``count`` digits: these, again and again."""
    return digits.take(torch.arange(count) % len(digits.labels))
