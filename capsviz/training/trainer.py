"""One run of training as it goes: network, optimiser, step, and what a checkpoint keeps of them."""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from capsviz.checks import listed
from capsviz.errors import TrainingError, WeightsError
from capsviz.inputs.augment import Strength, add_noise, augment, random_shift
from capsviz.inputs.data import Digits
from capsviz.inputs.pairs import overlay
from capsviz.models.size import DECODER
from capsviz.models.weights import check_architecture
from capsviz.networks.base import Spec, find
from capsviz.traces.base import INDEPENDENT, LENGTH, MARGIN_PRESENT, PROBABILITY
from capsviz.training import checkpoints
from capsviz.training.distributed import ALONE, Team
from capsviz.training.folder import LOSSES
from capsviz.training.objective import Objective, to_draw
from capsviz.training.overlaid import Bank, shrink
from capsviz.training.pool import Pool
from capsviz.training.precision import instructions
from capsviz.training.schedule import Stream, learning_rate, stream
from capsviz.training.settings import Settings
from capsviz.training.validation import error_rate, to_pixels

ADAM = ("exp_avg", "exp_avg_sq")
# Times the loss of a network that does not look: 0.81 a class with capsules that are all 0 (Eq. 4), log J with equal
# probabilities, J log 2 where each class has one of its own. Lengths stay below 1 and pixels between 0 and 1: a run that has lost its way shows it here, hardly ever
# in a number that is not finite.
DIVERGED = 1.1
_UNSAID = {"reconstruction": Settings.reconstruction}
SETTLED = 100  # steps, before which a loss above that says nothing but that training has just begun


class Trainer:
    """One run: the network, Adam's moments, and the step they have come to."""

    def __init__(
        self,
        settings: Settings,
        training: Digits,
        device: torch.device,
        pool: Pool | None = None,
        team: Team = ALONE,
        spec: Spec | None = None,
    ) -> None:
        spec = spec or find(settings.network)
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
        shape = spec.shape
        self.loss = LOSSES[0] if shape.score == LENGTH else LOSSES[1]
        self._lost = (
            DIVERGED
            * {
                LENGTH: shape.answers * MARGIN_PRESENT**2,
                PROBABILITY: math.log(len(shape.classes)),
                INDEPENDENT: len(shape.classes) * math.log(2),
            }[shape.score]
        )
        self._bank = Bank(training, self.pool.digits) if spec.shape.answers > 1 else None
        self._normalisations = [
            (module, module.momentum) for module in self.net.modules() if isinstance(module, nn.BatchNorm2d)
        ]
        if not settings.reconstruction and hasattr(self.net, DECODER):
            self.net.decoder.requires_grad_(False)  # or processes would wait for gradients that never come
        self.objective = team.average_gradients(
            Objective(self.net, settings.iterations, settings.mixed_precision, settings.reconstruction)
        )
        self.optimizer = torch.optim.Adam(self.net.parameters(), fused=True)
        self.step = 0
        self.log: list[dict[str, float]] = []
        self.sums = [0.0, 0.0, 0.0]  # class loss, reconstruction loss and errors since the epoch began
        self.seconds = 0.0  # spent in this epoch

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over the data set alone; made-up images take the places of some of its images in them.

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
            if self._bank:
                self._update(*self._overlaid(self._bank, batch, changes))
            else:
                self._update(self._changed(to_pixels(batch.images, self.device), changes), batch.labels)
            self.step += 1
            self.seconds += time.perf_counter() - began
            yield

    def _batch(self, order: Tensor, index: int) -> Digits:
        """The epoch's batch ``index``: the data set's images in the epoch's order, then some of the pool."""
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

    def _changed(self, images: Tensor, changes: torch.Generator) -> Tensor:
        """Images [N, S, S] as the settings say that they are changed before each step."""
        if self.settings.augment:
            return augment(images, changes, Strength(shift=self.settings.shift))
        return random_shift(images, self.settings.shift, changes)

    def _overlaid(self, bank: Bank, batch: Digits, changes: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Images [B, S, S] of a batch's digits, each under another; labels [B, 2]; each of the two alone [B, 2, S, S]."""
        pairs, made_up = bank.pair(
            batch, self.settings.batch[0], stream(self.settings.seed, Stream.PAIRS, self.step)
        )
        parts = to_pixels(pairs.images.flatten(0, 1), self.device)
        drawn = made_up.flatten().to(self.device)
        if drawn.any():
            parts[drawn] = shrink(parts[drawn], changes)
        parts = self._changed(parts, changes).view(pairs.images.shape)
        return overlay(parts), pairs.labels, parts

    def _update(self, images: Tensor, labels: Tensor, targets: Tensor | None = None) -> None:
        """One step on the batch of all processes: images on the device, labels on the CPU.

        ``targets``, on the device, are what is to be drawn, if it is not the images.
        """
        targets = images if targets is None else targets
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.settings, self.step, self.steps)
        for module, momentum in self._normalisations:
            module.momentum = self._momentum(momentum or 0.0)
        part, count = self.team.share(len(labels)), self.team.size
        digits = int(to_draw(labels.view(len(labels), -1)).any(1).sum())
        seen = images
        if self.settings.noise:
            noise = stream(self.settings.seed, Stream.NOISE, self.step)
            seen = add_noise(images, self.settings.noise, noise)
        losses = self.objective(seen[part], targets[part], labels[part].to(self.device), digits / count)
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        self.optimizer.step()
        loss, reconstruction, wrong = self.team.sum(losses.parts).tolist()
        if not math.isfinite(loss + reconstruction):
            self._stop(f"The loss is {loss + reconstruction} at step {self.step + 1:,} of {self.steps:,}")
        for i, value in enumerate((loss / count, reconstruction / count, wrong)):
            self.sums[i] += value

    def _momentum(self, momentum: float) -> float:
        """What this step counts in the means that batch normalisation keeps, of what it does where a run is long.

        A mean over the last hundred steps is not yet one at the end of so few: it then is over a tenth of the run. Of a
        new network the first step counts all, and not the values that stand there before.
        """
        momentum = max(momentum, min(0.1, 10 / self.steps))
        return momentum if self.settings.start_from else max(momentum, 1 / (self.step + 1))

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
            self.loss: self.sums[0] / steps,
            "reconstruction_loss": self.sums[1] / steps,
            "train_error": self.sums[2] / (steps * (real + synthetic)),
            "validation_error": self.team.from_first(
                lambda: error_rate(self.net, validation, self.settings.iterations)
            ),
            "seconds": self.seconds,
        }
        if row[self.loss] > self._lost and (self.step >= SETTLED or self.loss == LOSSES[0]):
            self._stop(
                f"The {self.loss.replace('_', ' ')} of epoch {row['epoch']:.0f} is {row[self.loss]:.2f}"
            )
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
        for name, parameter in self._trained():
            for moment in ADAM:
                tensors[f"{moment}.{name}"] = self.optimizer.state[parameter][moment]
        if not all(tensor.isfinite().all() for tensor in tensors.values()):
            self._stop(f"The weights are not finite after step {self.step:,} of {self.steps:,}")
        state = {
            "settings": asdict(self.settings),
            "images": len(self.training.labels),
            "classes": list(self.spec.shape.classes),
            "pool_sha256": self.pool.sha256,
            "step": self.step,
            "log": self.log,
            "sums": self.sums,
            "seconds": self.seconds,
            "machine": self.machine,
        }
        checkpoints.write(path, tensors, state)

    def _trained(self) -> list[tuple[str, nn.Parameter]]:
        """The parameters that steps change, by their names."""
        return [(name, one) for name, one in self.net.named_parameters() if one.requires_grad]

    @property
    def machine(self) -> dict[str, Any]:
        """What the last digits of a run depend on beside its settings: where sums are made, in which order."""
        kind = self.device.type
        if kind == "cpu":
            products = instructions() if self.settings.mixed_precision else []
            kind = " and ".join([f"cpu with {torch.backends.cpu.get_cpu_capability()}", *products])
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
        classes = state.get("classes", list(self.spec.shape.classes))
        if classes != list(self.spec.shape.classes):
            raise WeightsError(
                f"{path} was made with the classes {listed(classes)}, not {listed(self.spec.shape.classes)}: resume with "
                "the same data, or give another folder to --out."
            )
        net = {key.removeprefix("net."): t for key, t in tensors.items() if key.startswith("net.")}
        check_architecture(self.net, self.spec, net, path, "give another folder to --out")
        now = {**asdict(self.settings), "images": len(self.training.labels)}
        # What a checkpoint of an older version lacks was as it is where nobody says.
        for key, value in {**_UNSAID, **state["settings"], "images": state["images"]}.items():
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
        for name, parameter in self._trained():
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
        for name, parameter in self._trained():
            self.optimizer.state[parameter] = {
                # Fused Adam keeps its step count on the parameter's device.
                "step": torch.tensor(float(self.step), device=self.device),
                **{moment: tensors[f"{moment}.{name}"].to(self.device, torch.float32) for moment in ADAM},
            }
        was = state["machine"]
        return [f"{key} {was[key]} (now {value})" for key, value in self.machine.items() if was[key] != value]
