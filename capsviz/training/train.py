"""Training a CapsNet on MNIST: ``python -m capsviz train``, by several processes under ``torchrun``.

Every choice is made on 5,000 images held out of the training set; the test set is read when
the last epoch is over, with the half-precision weights that are written to disk.
"""

import csv
import io
import math
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch
from numpy.random import SeedSequence
from safetensors.torch import load as load_tensors
from torch import Tensor, nn
from tqdm import tqdm

from capsviz.errors import DataError, TrainingError, WeightsError
from capsviz.figures.training import training_html
from capsviz.inputs.augment import Strength, add_noise, augment
from capsviz.inputs.data import NO_CLASS, Digits, split_validation
from capsviz.layers import fast
from capsviz.layers.capsules import (
    RECONSTRUCTION_WEIGHT,
    CapsNet,
    dynamic_routing,
    margin_loss,
    mask,
    reconstruction_loss,
)
from capsviz.measures.unsure import unsure_below
from capsviz.models.card import averaged_error, command, earlier_epochs
from capsviz.models.weights import (
    FILE,
    Weights,
    check_architecture,
    pack,
    save_weights,
    write_atomically,
)
from capsviz.networks.base import find
from capsviz.traces.base import MARGIN_PRESENT
from capsviz.training import checkpoints
from capsviz.training.distributed import ALONE, Team
from capsviz.training.pool import Pool, load_pool
from capsviz.training.settings import Settings

ADAM = ("exp_avg", "exp_avg_sq")
# A network all of whose capsules are 0 has a margin loss of 0.81 (Eq. 4). Lengths stay below 1 and pixels between 0
# and 1: a run that has lost its way shows it here, hardly ever in a number that is not finite.
DIVERGED = 1.1 * MARGIN_PRESENT**2
LOG_FIELDS = ["epoch", "margin_loss", "reconstruction_loss", "train_error", "validation_error", "seconds"]


class Stream(IntEnum):
    """What a run's random numbers are for; 0 and 1 are the pool's digits and other things."""

    WEIGHTS = 2
    ORDER = 3
    CHANGES = 4
    MADE_UP = 5
    NOISE = 6


def stream(seed: int, kind: Stream, number: int = 0) -> torch.Generator:
    """A generator for each ``seed``, ``kind`` and step or epoch, which neighbouring seeds do not share.

    PyTorch's generator on the CPU takes 32 bits of what NumPy mixes of the three.
    """
    mixed = SeedSequence([seed, kind, number]).generate_state(1, np.uint32)
    return torch.Generator().manual_seed(int(mixed[0]))


def random_shift(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Move each image [B, H, W] by up to ``most`` pixels in both directions, filling with 0."""
    size = images.shape[1:]
    dy, dx = torch.randint(2 * most + 1, (2, len(images)), generator=generator).to(images.device)
    padded = nn.functional.pad(images, (most, most, most, most))
    windows = padded.unfold(1, size[0], 1).unfold(2, size[1], 1)  # [B, 2*most+1, 2*most+1, H, W]
    return windows[torch.arange(len(images), device=images.device), dy, dx]


def learning_rate(settings: Settings, step: int, steps: int) -> float:
    """Linear warm-up, then a half cosine down to the final rate."""
    warm = min(1.0, (step + 1) / max(1, min(settings.warmup_steps, steps // 10)))
    cosine = (1 + math.cos(math.pi * step / steps)) / 2
    span = settings.learning_rate - settings.final_learning_rate
    return warm * (settings.final_learning_rate + span * cosine)


def class_capsules(
    net: CapsNet,
    images: Tensor,
    iterations: int,
    mixed_precision: bool = False,
    spectra: fast.Spectra | None = None,
) -> Tensor:
    """Class capsules v [B, J, D] in the way that is fastest on the device of ``images`` [B, S, S]."""
    if images.device.type == "cpu" and fast.serves(net):
        return fast.class_capsules(net, images, iterations, spectra)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=mixed_precision):
        _, u = net.encode(images)
    return dynamic_routing(net.digits(u), iterations)[-1].v


@torch.inference_mode()
def capsule_lengths(net: CapsNet, digits: Digits, iterations: int, batch_size: int = 250) -> Tensor:
    """Lengths [N, J] of the class capsules, on the CPU."""
    device = next(net.parameters()).device
    lengths = [torch.empty(0, len(net.shape.classes))]
    spectra = fast.kernel_spectra(net) if device.type == "cpu" and fast.serves(net) else None
    for start in range(0, len(digits.labels), batch_size):
        pixels = to_pixels(digits.take(slice(start, start + batch_size)).images, device)
        lengths.append(class_capsules(net, pixels, iterations, spectra=spectra).norm(dim=-1).cpu())
    return torch.cat(lengths)


def error_rate(net: CapsNet, digits: Digits, iterations: int, batch_size: int = 250) -> float:
    """Share of ``digits`` (0..1) whose longest capsule is not that of their label."""
    return share_wrong(capsule_lengths(net, digits, iterations, batch_size), digits)


def share_wrong(lengths: Tensor, digits: Digits) -> float:
    """Share (0..1) of the longest capsules of lengths [N, J] that are not those of the labels."""
    wrong = lengths.argmax(1) != digits.labels
    return int(wrong.sum()) / len(wrong)


def to_pixels(images: Tensor, device: torch.device) -> Tensor:
    """Grey levels 0..255 as float32 in 0..1 on ``device``."""
    return images.to(device).float() / 255


class Losses(NamedTuple):
    """What a process makes of its part of a batch."""

    total: Tensor  # [] the loss to follow
    parts: Tensor  # [3] margin loss, reconstruction loss, digits misread


class Objective(nn.Module):
    """The loss of a part of a batch. A module, since DDP wraps nothing else."""

    def __init__(self, net: CapsNet, iterations: int, mixed_precision: bool) -> None:
        super().__init__()
        self.net = net
        self.iterations = iterations
        self.mixed_precision = mixed_precision

    def forward(self, images: Tensor, targets: Tensor, labels: Tensor, digits: float) -> Losses:
        """The losses of images [B, S, S] with labels [B], int64.

        DDP takes the mean over the processes. That of the parts' mean margin losses is the batch's, since
        all parts are of one size; what is no digit is not, so ``digits`` says what to divide by.

        Args:
            images: pixels in 0..1.
            targets: the same without noise, which is what the decoder is to draw.
            labels: classes from 0, or ``NO_CLASS``.
            digits: how many digits a part of this batch holds on average.
        """
        v = class_capsules(self.net, images, self.iterations, self.mixed_precision)
        lengths = v.norm(dim=-1)
        margin = margin_loss(lengths, labels)
        # Masked with the true label while training (section 4.1), not with the prediction; what is no digit has no
        # capsule to be drawn from, and is not compared.
        digit = labels != NO_CLASS
        drawn = self.net.decoder(mask(v, labels))
        reconstruction = reconstruction_loss(
            drawn * digit[:, None, None], targets * digit[:, None, None], digits
        )
        wrong = (digit & (lengths.argmax(1) != labels)).sum()
        total = margin + RECONSTRUCTION_WEIGHT * reconstruction
        return Losses(total, torch.stack([margin, reconstruction, wrong]).detach())


class Trainer:
    """One run: the network, Adam's moments, and the step they have come to."""

    def __init__(
        self,
        settings: Settings,
        training: Digits,
        device: torch.device,
        pool: Pool | None = None,
        team: Team = ALONE,
    ) -> None:
        spec = find(settings.network)
        self.settings = settings
        self.spec = spec
        self.training = training
        self.device = device
        self.pool = pool or Pool.empty()
        self.team = team
        torch.backends.cudnn.deterministic = True  # or a resumed run would not be the uninterrupted one
        with torch.random.fork_rng(devices=[]):  # whoever trains keeps their own random numbers
            torch.manual_seed(stream(settings.seed, Stream.WEIGHTS).initial_seed())
            self.net: Any = spec.build(spec).to(device)
        self.objective = team.average_gradients(
            Objective(self.net, settings.iterations, mixed_precision=device.type == "cuda")
        )
        self.optimizer = torch.optim.Adam(self.net.parameters(), fused=True)
        self.step = 0
        self.log: list[dict[str, float]] = []
        self.sums = [0.0, 0.0, 0.0]  # margin loss, reconstruction loss and errors since the epoch began
        self.seconds = 0.0  # spent in this epoch

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over MNIST alone; made-up images take the places of some of its images in them.

        The last, incomplete batch is left out (its images differ each epoch).
        """
        return len(self.training.labels) // self.settings.batch_size

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.steps_per_epoch * self.settings.epochs

    def run_epoch(self) -> Iterator[None]:
        """Train to the end of the epoch that ``step`` is in, yielding after every step.

        Order, changes and made-up images follow from seed, epoch and step alone: no generator's state
        has to be saved for a resumed run to go on exactly as it would have. Every process makes the whole
        batch and then takes its part, so that their number changes nothing.

        Raises:
            TrainingError: if the loss is no longer a finite number.
        """
        settings = self.settings
        epoch, done = divmod(self.step, self.steps_per_epoch)
        shuffle = stream(settings.seed, Stream.ORDER, epoch)
        order = torch.randperm(len(self.training.labels), generator=shuffle)
        for index in range(done, self.steps_per_epoch):
            began = time.perf_counter()
            batch = self._batch(order, index)
            changes = stream(settings.seed, Stream.CHANGES, self.step)
            images = to_pixels(batch.images, self.device)
            if settings.augment:
                images = augment(images, changes, Strength(shift=settings.shift))
            else:
                images = random_shift(images, settings.shift, changes)
            self._update(images, batch.labels)
            self.step += 1
            self.seconds += time.perf_counter() - began
            yield

    def _batch(self, order: Tensor, index: int) -> Digits:
        """The epoch's batch ``index``: MNIST images in the epoch's order, then some of the pool."""
        real, synthetic, others = self.settings.batch
        chosen = self.training.take(order[index * real : (index + 1) * real])
        if not synthetic + others:
            return chosen
        draws = stream(self.settings.seed, Stream.MADE_UP, self.step)
        parts = [chosen]
        for digits, count in ((self.pool.digits, synthetic), (self.pool.others, others)):
            if count:
                parts.append(digits.take(torch.randint(len(digits.labels), (count,), generator=draws)))
        return Digits(torch.cat([part.images for part in parts]), torch.cat([part.labels for part in parts]))

    def _update(self, images: Tensor, labels: Tensor) -> None:
        """One step on the batch of all processes: images on the device, labels on the CPU."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.settings, self.step, self.steps)
        part, count = self.team.share(len(labels)), self.team.size
        digits = int((labels != NO_CLASS).sum())
        seen = images
        if self.settings.noise:
            noise = stream(self.settings.seed, Stream.NOISE, self.step)
            seen = add_noise(images, self.settings.noise, noise)
        losses = self.objective(seen[part], images[part], labels[part].to(self.device), digits / count)
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        self.optimizer.step()
        margin, reconstruction, wrong = self.team.sum(losses.parts).tolist()
        if not math.isfinite(margin + reconstruction):
            self._stop(f"The loss is {margin + reconstruction} at step {self.step + 1:,} of {self.steps:,}")
        for i, value in enumerate((margin / count, reconstruction / count, wrong)):
            self.sums[i] += value

    def _stop(self, what: str) -> NoReturn:
        raise TrainingError(
            f"{what}, so training has diverged: the last checkpoint is kept, but would lead there again; begin "
            "anew with a smaller --learning-rate and another --out."
        )

    def end_epoch(self, validation: Digits) -> dict[str, float]:
        """Measure on the validation digits and enter a row into the log.

        Raises:
            TrainingError: if the network has come to less in this epoch than one whose capsules are all 0.
        """
        steps = self.steps_per_epoch
        real, synthetic, _ = self.settings.batch
        row = {
            "epoch": self.step // steps,
            "margin_loss": self.sums[0] / steps,
            "reconstruction_loss": self.sums[1] / steps,
            "train_error": self.sums[2] / (steps * (real + synthetic)),
            "validation_error": self.team.from_first(
                lambda: error_rate(self.net, validation, self.settings.iterations)
            ),
            "seconds": self.seconds,
        }
        if row["margin_loss"] > DIVERGED:
            self._stop(f"The margin loss of epoch {row['epoch']:.0f} is {row['margin_loss']:.2f}")
        self.log.append(row)
        self.sums, self.seconds = [0.0, 0.0, 0.0], 0.0
        return row

    def save(self, path: Path) -> None:
        """Write everything a resumed run needs; never leaves a half-written file behind.

        Raises:
            TrainingError: if a number is not finite: then nothing is written.
            OSError: if the file cannot be written; the one before it is kept.
        """
        tensors = {f"net.{key}": value for key, value in self.net.state_dict().items()}
        for name, parameter in self.net.named_parameters():
            for moment in ADAM:
                tensors[f"{moment}.{name}"] = self.optimizer.state[parameter][moment]
        if not all(tensor.isfinite().all() for tensor in tensors.values()):
            self._stop(f"The weights are not finite after step {self.step:,} of {self.steps:,}")
        state = {
            "settings": asdict(self.settings),
            "images": len(self.training.labels),
            "pool_sha256": self.pool.sha256,
            "step": self.step,
            "log": self.log,
            "sums": self.sums,
            "seconds": self.seconds,
            "machine": self.machine,
        }
        checkpoints.write(path, tensors, state)

    @property
    def machine(self) -> dict[str, Any]:
        """What the last digits of a run depend on beside its settings: where sums are made, in which order."""
        kind = self.device.type
        if kind == "cpu":
            kind = f"cpu with {torch.backends.cpu.get_cpu_capability()}"
        elif kind == "cuda":
            kind = torch.cuda.get_device_name(self.device)
        return {
            "device": kind,
            "threads": torch.get_num_threads() if self.device.type == "cpu" else 0,
            "processes": self.team.size,
            "torch": str(torch.__version__),
        }

    def load(self, path: Path) -> list[str]:
        """Go back to the state that ``save`` wrote, with whatever number of processes.

        Returns:
            What is no longer as it was then, in words; where there is anything, the run does not go on bit for bit.

        Raises:
            WeightsError: if the file is damaged, of another network or version, or of a run with other settings.
        """
        try:
            content = self.team.from_first(path.read_bytes)
        except OSError as error:
            raise checkpoints.not_resumable(path, error) from error
        tensors, state = checkpoints.parse(content, path)
        net = {key.removeprefix("net."): t for key, t in tensors.items() if key.startswith("net.")}
        check_architecture(self.net, self.spec, net, path, "give another folder to --out")
        now = {**asdict(self.settings), "images": len(self.training.labels)}
        for key, value in {**state["settings"], "images": state["images"]}.items():
            if now[key] != value:
                raise WeightsError(
                    f"{path} was made with {key} {value}, not {now[key]}: resume with the same settings, "
                    "or give another folder to --out."
                )
        step, log = state["step"], state["log"]
        if step > self.steps or [row["epoch"] for row in log] != list(
            range(1, step // self.steps_per_epoch + 1)
        ):
            raise checkpoints.not_resumable(
                path, f"it is at step {step} of {self.steps}, with {len(log)} epochs in its log"
            )
        for name, parameter in self.net.named_parameters():
            for moment in (f"{moment}.{name}" for moment in ADAM):
                found = tensors.get(moment)
                if found is None or found.shape != parameter.shape:
                    what = "missing" if found is None else list(found.shape)
                    raise checkpoints.not_resumable(
                        path, f"{moment} is {what} instead of {list(parameter.shape)}"
                    )
        if state["pool_sha256"] != self.pool.sha256:
            raise WeightsError(
                f"{path} was made with other synthetic images than this version draws: give another folder to "
                "--out."
            )
        self.net.load_state_dict(net)
        self.step, self.log, self.sums, self.seconds = step, log, state["sums"], state["seconds"]
        for name, parameter in self.net.named_parameters():
            self.optimizer.state[parameter] = {
                # Fused Adam keeps its step count on the parameter's device.
                "step": torch.tensor(float(self.step), device=self.device),
                **{moment: tensors[f"{moment}.{name}"].to(self.device, torch.float32) for moment in ADAM},
            }
        was = state["machine"]
        return [f"{key} {was[key]} (now {value})" for key, value in self.machine.items() if was[key] != value]


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
) -> dict[str, Any]:
    """Train a network on its data and write its weights, card and log.

    Args:
        data: folder that holds the network's data; MNIST is downloaded there if it is empty.
        out: folder for ``checkpoint.safetensors``, ``log.csv`` and, at the end, ``curves.html``, the weights and their card.
        settings: what decides the outcome.
        device: where to compute; mixed precision on CUDA.
        resume: go on from ``out``'s checkpoint, if it has one.
        start: weights to start from, whatever ``settings.start_from`` says; needed to resume, too.
        checkpoint_seconds: least time between two checkpoints within an epoch.
        say: called with each line to show, in the first process.
        team: the processes that share the work; ``data`` and ``out`` are the first one's.

    Returns:
        The card's facts.

    Raises:
        DataError: if the data are incomplete, a share leaves nothing, the batch cannot be shared out, ``out`` cannot be written to, or
            it holds a run and ``resume`` is not set; or there is nothing to average with.
        TrainingError: if the run diverges.
        WeightsError: if the checkpoint cannot be resumed from.
    """
    check_shares(settings)
    settings = replace(settings, start_from=start.sha256 if start else "")
    if settings.average_start and start is None:
        raise DataError(
            "There are no weights to average with: give --start-from as well, or no --average-start."
        )
    spec = find(settings.network)
    if start is not None and start.spec is not spec:
        raise DataError(
            f"The weights to start from are of {start.spec.name}, not of {spec.name}: give --network {start.spec.name}, or "
            "other weights."
        )
    checkpoint = out / "checkpoint.safetensors"
    if settings.batch_size % team.size:
        raise DataError(
            f"A batch of {settings.batch_size:,} images cannot be shared out equally to {team.size} processes: "
            f"give a --batch-size that is a multiple of {team.size}."
        )
    begun = team.from_first(lambda: check_folder(out, resume))
    training, validation = split_validation(
        team.from_first(lambda: spec.data.load(data, "train")), spec.data.held_out
    )
    if settings.batch_size > len(training.labels):
        raise DataError(
            f"A batch of {settings.batch_size:,} is more than the {len(training.labels):,} images there are to "
            "train on: give a smaller --batch-size."
        )
    if not team.first:
        say = _be_silent
    unlike = team.from_first(lambda: spec.data.unlike(data, "train"))
    if unlike:
        say(unlike)
    commit = team.from_first(current_commit)

    pool = team.from_first(lambda: prepare(out, settings, begun, say))
    trainer = Trainer(settings, training, device, pool, team)
    if start is not None:
        trainer.net.load_state_dict(start.net.state_dict())
    if begun:
        changed = trainer.load(checkpoint)
        say(f"resumed at step {trainer.step:,} of {trainer.steps:,}")
        if changed:
            say(f"it was written with {', '.join(changed)}: the run goes on, but not bit for bit")
    elif resume:
        say(f"{out} holds no checkpoint to go on from: beginning at the first step")
    while trainer.step < trainer.steps:
        run_epoch(trainer, checkpoint, checkpoint_seconds)
        row = trainer.end_epoch(validation)
        if team.first:
            with saving(out):
                trainer.save(checkpoint)
                write_atomically(out / "log.csv", log_as_csv(trainer.log).encode())
        say(
            f"epoch {row['epoch']:.0f}: margin loss {row['margin_loss']:.5f}, training error "
            f"{row['train_error']:.2%}, validation error {row['validation_error']:.2%}, {row['seconds']:.0f} s"
        )

    def end() -> dict[str, Any]:
        test = spec.data.load(data, "test")
        told = describe_data(settings, training, validation, test, unlike, spec.data.unlike(data, "test"))
        return finish(trainer, validation, test, out, told, commit, start, say)

    return team.from_first(end)


def check_shares(settings: Settings) -> None:
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
        raise DataError("--synthetic and --others leave no room for MNIST in a batch: give smaller shares.")


def check_folder(out: Path, resume: bool) -> bool:
    """Whether ``out`` holds a run to go on with.

    Raises:
        DataError: if it is a file, holds a finished run, or an unfinished one and ``resume`` is not set.
    """
    if out.is_file():
        raise DataError(f"{out} is a file: give a folder to --out.")
    if (out / FILE).exists():
        raise DataError(f"{out} holds a finished run: give another folder to --out.")
    begun = (out / "checkpoint.safetensors").exists()
    if begun and not resume:
        raise DataError(f"{out} holds an unfinished run: add --resume, or give another folder to --out.")
    return begun


def make_folder(out: Path, option: str = "--out") -> None:
    """Make ``out``, if it is not there; a ``DataError`` that names its ``option`` if it cannot be made."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"The folder {out} could not be made ({error.strerror or error}): give another to {option}."
        ) from error


def prepare(out: Path, settings: Settings, begun: bool, say: Callable[[str], None]) -> Pool:
    """Make the folder of a run and the made-up images in it."""
    make_folder(out)
    with saving(out):
        return load_pool(out / "pool.safetensors", *settings.pool_sizes, settings.seed, begun, say)


def run_epoch(trainer: Trainer, checkpoint: Path, seconds: float) -> None:
    """Train to the end of the epoch, with a checkpoint whenever ``seconds`` have passed since the last."""
    epoch, done = divmod(trainer.step, trainer.steps_per_epoch)
    bar = tqdm(
        trainer.run_epoch(),
        desc=f"epoch {epoch + 1}/{trainer.settings.epochs}",
        total=trainer.steps_per_epoch,
        initial=done,
        mininterval=1.0,
        disable=not trainer.team.first,
    )
    saved = time.monotonic()
    for _ in bar:
        within = trainer.step % trainer.steps_per_epoch
        if trainer.team.first and within and time.monotonic() - saved > seconds:
            with saving(checkpoint.parent):
                trainer.save(checkpoint)
            saved = time.monotonic()


def finish(
    trainer: Trainer,
    validation: Digits,
    test: Digits,
    out: Path,
    told: str,
    commit: str,
    start: Weights | None,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Round the weights to half precision, measure them on the test digits and write them with their card.

    ``told`` is what the card says of the data, ``commit`` of the code.
    """
    settings, device = trainer.settings, trainer.device.type
    if settings.average_start and start is not None:
        mean_into(trainer.net, [start.net])
    packed = settle(trainer.net)
    facts: dict[str, Any] = {
        "name": trainer.spec.name,
        "paper": trainer.spec.source.paper,
        "parameters": sum(p.numel() for p in trainer.net.parameters()),
        "data": told,
        "settings": asdict(settings),
        # The settings of all trainings before this one, the first one first.
        "started_from": [*start.card.get("started_from", []), start.card["settings"]] if start else [],
        "command": command(asdict(settings)),
        "commit": commit,
        "device": device if trainer.team.size == 1 else f"{trainer.team.size} x {device}",
        "torch": torch.__version__,
        **measured(trainer.net, validation, test, settings.iterations),
        "log": trainer.log,
    }
    weights = out / FILE
    with saving(out):
        # Again, for a run that was cut off between its last checkpoint and its log.
        write_atomically(out / "log.csv", log_as_csv(trainer.log).encode())
        write_atomically(
            out / "curves.html",
            training_html(
                trainer.log, facts["test_error"], earlier_epochs(facts), averaged_error(facts)
            ).encode(),
        )
        save_weights(weights, packed, facts)
    say(f"test error {facts['test_error']:.2%} with the weights in {weights}")
    return facts


@torch.no_grad()
def mean_into(net: nn.Module, others: Sequence[nn.Module]) -> None:
    """Make ``net`` the mean of itself and ``others``, parameter by parameter.

    What a small learning rate leads to lies at the rim of a wide minimum, the ends of two trainings at two places
    of it; their mean lies further inside (Izmailov et al., 2018, arXiv:1803.05407).
    """
    for ours, *theirs in zip(net.parameters(), *(other.parameters() for other in others), strict=True):
        ours.copy_(torch.stack([ours, *(part.to(ours.device) for part in theirs)]).mean(0))


def settle(net: nn.Module) -> bytes:
    """Round the weights of ``net`` to the half precision that they are kept in; returns their file."""
    packed = pack(net)
    net.load_state_dict({key: tensor.float() for key, tensor in load_tensors(packed).items()})
    return packed


def measured(net: CapsNet, validation: Digits, test: Digits, iterations: int) -> dict[str, float]:
    """What a card says of ``net``: "validation_error", its margin loss as "validation_loss", "unsure_below" and, last, "test_error"."""
    torch.backends.cudnn.allow_tf32 = False  # as the app computes: TF32 has three decimal digits
    lengths = capsule_lengths(net, validation, iterations)
    return {
        "validation_error": share_wrong(lengths, validation),
        "validation_loss": float(margin_loss(lengths, validation.labels)),
        "unsure_below": unsure_below(lengths.amax(1).numpy()),
        "test_error": error_rate(net, test, iterations),
    }


@contextmanager
def saving(out: Path) -> Iterator[None]:
    """Say in a sentence that a file in ``out`` could not be written.

    Raises:
        DataError: for an OSError; ``write_atomically`` has left the file that was there before.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{out} could not be written to ({error.strerror or error}): what was saved there before is whole; "
            "make room and add --resume, or give another folder to --out."
        ) from error


def _be_silent(line: str) -> None:
    pass


def describe_data(
    settings: Settings, training: Digits, validation: Digits, test: Digits, *unlike: str
) -> str:
    """What was trained on, for the card; ``unlike`` is what ``DataSet.unlike`` says of both halves."""
    text = (
        f"{find(settings.network).data.name}: {len(training.labels):,} images to train on, {len(validation.labels):,} to choose by, "
        f"{len(test.labels):,} to test on"
    )
    names = ("made-up digits", "made-up pictures of no digit")
    made = [
        f"{count:,} {name} ({part / settings.batch_size:.0%} of a batch)"
        for count, name, part in zip(settings.pool_sizes, names, settings.batch[1:], strict=True)
        if count
    ]
    return "; ".join([text, *made, *filter(None, unlike)])


def log_as_csv(log: list[dict[str, float]]) -> str:
    """The log as CSV, a line for each epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, LOG_FIELDS)
    writer.writeheader()
    writer.writerows(log)
    return text.getvalue()


def current_commit() -> str:
    """The commit of this source tree, with "+changes" if files differ from it; "unknown" without git."""

    def git(*arguments: str) -> str:
        here = Path(__file__).parent
        return subprocess.run(
            ["git", *arguments], cwd=here, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
