"""Training a network on its data: ``python -m capsviz train``, by several processes under ``torchrun``.

Every choice is made on images held out of the training set; the test set is read when
the last epoch is over, with the half-precision weights that are written to disk.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import torch
from tqdm import tqdm

from capsviz.checks import listed
from capsviz.errors import DataError
from capsviz.inputs.data import split_validation
from capsviz.inputs.own import Own
from capsviz.inputs.pairs import SHIFT
from capsviz.models.own import alike, card_facts, own_name, own_spec
from capsviz.models.weights import CHECKPOINT, Weights, write_atomically
from capsviz.networks.base import Spec, find
from capsviz.training import checkpoints
from capsviz.training.distributed import ALONE, Team
from capsviz.training.folder import check_folder, log_as_csv, make_folder, saving
from capsviz.training.pool import Pool, load_pool
from capsviz.training.precision import is_quicker
from capsviz.training.result import current_commit, describe_data, finish
from capsviz.training.settings import Settings
from capsviz.training.trainer import Trainer
from capsviz.training.validation import as_measured


def train(
    data: Path,
    out: Path,
    settings: Settings,
    device: torch.device,
    resume: bool = False,
    start: Weights | None = None,
    checkpoint_seconds: float = 120.0,
    say: Callable[[str], None] = tqdm.write,
    team: Team = ALONE,
    own: Own | None = None,
) -> dict[str, Any]:
    """Train a network on its data and write its weights, card and log.

    Args:
        data: folder that holds the network's data; MNIST is downloaded there if it is empty.
        out: folder for ``checkpoint.safetensors``, ``log.csv`` and, at the end, ``curves.html``, the weights and their
            card.
        settings: what decides the outcome.
        device: where to compute.
        resume: go on from ``out``'s checkpoint, if it has one.
        start: weights to start from, whatever ``settings.start_from`` says; needed to resume, too.
        checkpoint_seconds: least time between two checkpoints within an epoch.
        say: called with each line to show, in the first process.
        team: the processes that share the work; ``data`` and ``out`` are the first one's.
        own: what is known of ``data``, where they are one's own and not the network's.

    Returns:
        The card's facts.

    Raises:
        DataError: if the network cannot be trained, the data are incomplete, a share leaves nothing, the batch cannot
            be shared out, ``out`` cannot be written to, or it holds a run and ``resume`` is not set; or there is nothing
            to average with.
        TrainingError: if the run diverges.
        WeightsError: if the checkpoint cannot be resumed from.
    """
    base = find(settings.network)
    spec = own_spec(base, own, own_name(out)) if own else base
    check_network(spec, settings)
    check_shares(settings, spec)
    settings = replace(
        settings,
        network=base.name,
        start_from=start.sha256 if start else "",
        iterations=settings.iterations if spec.shape.iterates else 1,
        shift=SHIFT if spec.shape.answers > 1 else settings.shift,
    )
    if settings.average_start and start is None:
        raise DataError(
            "There are no weights to average with: give --start-from as well, or no --average-start."
        )
    enlarges = start is not None and is_smaller(start.spec, spec)
    if start is not None and not enlarges and not alike(start.spec, spec):
        _refuse_start(start.spec, spec)
    if enlarges and settings.average_start:
        raise DataError("Weights of another size cannot be averaged with: leave out --average-start.")
    checkpoint = out / CHECKPOINT
    if settings.batch_size % team.size:
        raise DataError(
            f"A batch of {settings.batch_size:,} images cannot be shared out equally to {team.size} processes: "
            f"give a --batch-size that is a multiple of {team.size}."
        )
    begun = team.from_first(lambda: check_folder(out, resume))
    training, validation = split_validation(
        team.from_first(lambda: spec.data.load(data, "train")), spec.data.held_out, spec.data.last
    )
    if settings.batch_size > len(training.labels):
        raise DataError(
            f"A batch of {settings.batch_size:,} is more than the {len(training.labels):,} images there are to "
            "train on: give a smaller --batch-size."
        )
    if not team.first:
        say = _be_silent
    shown = as_measured(spec, validation)
    unlike = team.from_first(lambda: spec.data.unlike(data, "train"))
    if unlike:
        say(unlike)
    if settings.mixed_precision:
        say("the large convolutions multiply in bfloat16; --no-mixed-precision turns that off")
    commit = team.from_first(current_commit)

    pool = team.from_first(lambda: prepare(out, settings, begun, say))
    trainer = Trainer(settings, training, device, pool, team, spec)
    if start is not None:
        if enlarges:
            trainer.net.enlarge(start.net)
        else:
            trainer.net.load_state_dict(start.net.state_dict())
    if begun:
        changed = trainer.load(checkpoint)
        say(f"resumed at step {trainer.step:,} of {trainer.steps:,}")
        if changed:
            say(f"it was written with {', '.join(changed)}: the run goes on, but not bit for bit")
    elif resume:
        say(f"{out} holds no checkpoint to go on from: beginning at the first step")
    with tqdm(total=trainer.steps, initial=trainer.step, mininterval=1.0, disable=not team.first) as bar:
        while trainer.step < trainer.steps:
            run_epoch(trainer, checkpoint, checkpoint_seconds, bar)
            row = trainer.end_epoch(shown)
            if team.first:
                with saving(out):
                    trainer.save(checkpoint)
                    write_atomically(out / "log.csv", log_as_csv(trainer.log).encode())
            say(
                f"epoch {row['epoch']:.0f}: {trainer.loss.replace('_', ' ')} {row[trainer.loss]:.5f}, training error "
                f"{row['train_error']:.2%}, validation error {row['validation_error']:.2%}, {row['seconds']:.0f} s"
            )

    def end() -> dict[str, Any]:
        test = spec.data.load(data, "test")
        unlikes = (unlike, spec.data.unlike(data, "test"))
        told = describe_data(settings, training, validation, test, *unlikes, name=spec.data.name)
        more = {"own": card_facts(base, own)} if own else {}
        return finish(trainer, shown, as_measured(spec, test), out, told, commit, start, say, more)

    return team.from_first(end)


def mixed_precision(out: Path, device: torch.device) -> bool:
    """Whether a run in ``out`` is in mixed precision where nobody says: as it began, a new one if that is quicker."""
    began = checkpoints.mixed_precision(out / CHECKPOINT)
    return is_quicker(device) if began is None else began


def check_network(spec: Spec, settings: Settings, own: bool = False) -> None:
    """Raise a ``DataError`` if there are no made-up images for such a network, or for data of one's ``own``."""
    if (own or not spec.data.made_up) and (settings.synthetic or settings.others):
        name = "data of your own" if own else spec.data.name
        raise DataError(
            f"Nothing can be made up that goes with {name}, only with digits: leave out --synthetic and --others."
        )


def is_smaller(one: Spec, other: Spec) -> bool:
    """Whether ``one`` is of the same architecture and classes, for smaller images."""
    same = replace(one.shape, size=other.shape.size, grid=other.shape.grid, answers=other.shape.answers)
    return one.build is other.build and same == other.shape and one.shape.size < other.shape.size


def _refuse_start(theirs: Spec, spec: Spec) -> NoReturn:
    """Say why weights of another network are none to start from."""
    if theirs.build is spec.build and theirs.shape.classes != spec.shape.classes:
        raise DataError(
            f"The weights to start from tell {listed(theirs.shape.classes)} apart, and the data have "
            f"{listed(spec.shape.classes)}: give weights or data of the same classes."
        )
    raise DataError(
        f"The weights to start from are of {theirs.name}, not of {spec.name}: give --network {theirs.name}, or other "
        "weights."
    )


def check_shares(settings: Settings, spec: Spec) -> None:
    """Raise a ``DataError`` if a part of the batch or of the pool that was asked for comes to nothing."""
    real, *parts = settings.batch
    for name, count, drawn in zip(("synthetic", "others"), parts, settings.pool_sizes, strict=True):
        if getattr(settings, name) and not count:
            raise DataError(
                f"--{name} {getattr(settings, name)} of a batch of {settings.batch_size} is less than one image: "
                "give a larger share, or a larger --batch-size."
            )
        if count and not drawn:
            raise DataError(
                f"A --pool of {settings.pool} leaves none of its images for --{name}: give a larger one."
            )
    if real < 1:
        raise DataError(
            f"--synthetic and --others leave no room for {spec.data.name} in a batch: give smaller shares."
        )


def prepare(out: Path, settings: Settings, begun: bool, say: Callable[[str], None]) -> Pool:
    """Make the folder of a run and the made-up images in it."""
    make_folder(out)
    with saving(out):
        size = find(settings.network).shape.size
        return load_pool(out / "pool.safetensors", *settings.pool_sizes, settings.seed, begun, say, size)


def run_epoch(trainer: Trainer, checkpoint: Path, seconds: float, bar: "tqdm[Any]") -> None:
    """Train to the end of the epoch, with a checkpoint whenever ``seconds`` have passed since the last."""
    bar.set_description(
        f"epoch {trainer.step // trainer.steps_per_epoch + 1}/{trainer.settings.epochs}", False
    )
    saved = time.monotonic()
    for _ in trainer.run_epoch():
        bar.update()
        within = trainer.step % trainer.steps_per_epoch
        if trainer.team.first and within and time.monotonic() - saved > seconds:
            with saving(checkpoint.parent):
                trainer.save(checkpoint)
            saved = time.monotonic()


def _be_silent(line: str) -> None:
    pass
