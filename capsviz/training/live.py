"""The process that trains a small network for the Training page: ``python -m capsviz.training.live FOLDER SOURCE``.

It meets the server in a folder (``live_plan.Place``): before each step it reads what it is told, every few seconds it
writes a picture of how far it has come. It ends with the server, whose end of its standard input then closes.
"""

import json
import os
import shutil
import sys
import threading
import time
import traceback
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from capsviz.checks import one_line
from capsviz.errors import CapsvizError, DataError, TrainingError
from capsviz.layers.switched import Switched, coefficients
from capsviz.measures.rules import evenness
from capsviz.models.facts import TEXT
from capsviz.models.weights import CHECKPOINT, FILE, pack, save_weights, write_atomically
from capsviz.networks.base import register
from capsviz.training import checkpoints
from capsviz.training.live_card import card
from capsviz.training.live_images import images
from capsviz.training.live_networks import spec_of
from capsviz.training.live_picture import as_it_answers, draw
from capsviz.training.live_plan import (
    ENDED,
    FREE,
    KNOWN,
    MOST_CHECKPOINTS,
    MOST_PAUSE,
    MOST_ROWS,
    MOST_SECONDS,
    PAUSED,
    PREPARING,
    RUNNING,
    Controls,
    Place,
    Row,
    Story,
)
from capsviz.training.result import current_commit
from capsviz.training.settings import Settings, sensible
from capsviz.training.trainer import Trainer
from capsviz.training.validation import error_rate, measured, to_pixels

PICTURE = 2.0  # seconds of training from one picture to the next
LOOK = 0.1  # seconds from one look at what it is told to the next, while it waits
BATCH = 32
WARM_UP = 20  # steps
TEN = 10  # images that are drawn again
ENDLESS = 10_000  # epochs: time ends a run before


def steer(trainer: Trainer, controls: Controls) -> None:
    """Have the next step follow the controls."""
    iterates = trainer.spec.shape.iterates
    iterations = controls.iterations if iterates and controls.routed else 1
    trainer.settings = replace(
        trainer.settings,
        learning_rate=controls.rate,
        final_learning_rate=controls.rate,
        iterations=iterations,
    )
    trainer.objective.iterations = iterations  # type: ignore[assignment] # a module's attributes are tensors to mypy
    if isinstance(trainer.net, Switched):
        trainer.net.routed = controls.routed
    trainer.objective.reconstruction = controls.weight  # type: ignore[assignment]


class Over(Exception):  # noqa: N818 # no error
    """The run ends, for one of ``live_plan.REASONS``."""


class Run:
    """A training as it goes.

    Args:
        place: its folder, with a plan; what an earlier process has left there is gone on with.
        source: where MNIST or data of one's own are.
        gone: set once the server has gone.
    """

    def __init__(self, place: Place, source: Path, gone: threading.Event) -> None:
        self.place, self.source, self.gone = place, source, gone
        plan = place.plan()
        if plan is None:
            raise DataError(
                f"{place.folder} holds no plan of a training that can be read: begin one on the page."
            )
        self.plan = plan
        self.story = replace(place.story() or Story(PREPARING), state=PREPARING, reason="", detail="")
        self.controls = place.controls()
        self.saved = 0.0  # seconds of training at the last checkpoint
        self.sums = np.zeros(2)  # of both losses, over the steps since the last row
        self.before = np.zeros(2)  # those of the trainer, after the last step
        self.steps = 0  # since the last row

    def go(self) -> None:
        """Train until it is told to end, time is up, or it cannot go on; say why."""
        reason, detail = "failed", ""
        try:
            self._go()
        except Over as over:
            reason = str(over)
        except TrainingError as error:
            reason = "diverged"
            _complain(error)
        except DataError as error:
            reason = "download" if self.plan.data == KNOWN else "data"
            detail = one_line(str(error))[:TEXT]
            _complain(error)
        except OSError as error:
            reason = "disk"
            _complain(error)
        except CapsvizError as error:
            _complain(error)
        except Exception:
            traceback.print_exc()
        try:
            self._tell(state=ENDED, reason=reason, detail=detail)
        except OSError as error:  # no room even for that: the server sees it by the disk
            _complain(error)

    def _go(self) -> None:
        self._tell()
        if shutil.disk_usage(self.place.folder).free < FREE:
            raise Over("disk")
        self.images = images(self.plan, self.place.folder.parent, self.source)
        told = self.images.told
        self.commit = current_commit()
        self.spec = spec_of(self.plan, told)
        register(self.spec, "the Training page")  # cards tell of it by its name
        batch = sensible(told.train, BATCH)[1]
        settings = Settings(
            epochs=ENDLESS,
            batch_size=batch,
            seed=self.plan.seed,
            warmup_steps=WARM_UP,
            shift=0,
            iterations=self.spec.shape.trained,
            network=self.spec.name,
            pool=0,
        )
        self.trainer = Trainer(settings, self.images.training, torch.device("cpu"), spec=self.spec)
        held = self.images.held
        shown = held.labels.unique()[:TEN]
        self.ten = held.take(torch.tensor([int((held.labels == label).nonzero()[0, 0]) for label in shown]))
        self.pixels = to_pixels(self.ten.images, torch.device("cpu"))
        self._tell(told=told)
        self._take_up()
        self._go_back()
        steer(self.trainer, self.controls)
        until = self.story.seconds + MOST_SECONDS
        self._row()
        self._tell(state=RUNNING)
        drawn = self.story.seconds
        while True:
            for _ in self._steps():
                if self.story.seconds - drawn >= PICTURE:
                    self._row()
                    drawn = self.story.seconds
                    if drawn - self.saved >= self.story.interval:
                        self._save()
                    self._tell()
                    if drawn >= until:
                        self._end("time")
                if self._listen():
                    drawn = self.story.seconds
                    break  # gone back: another step of perhaps another epoch comes next

    def _steps(self) -> Any:
        """The steps to the end of the epoch; the losses and the time of each are added up.

        The last one has ended the epoch: a checkpoint of that step is one of a whole epoch, or it could not be resumed.
        """
        trainer, steps = self.trainer, self.trainer.run_epoch()
        while True:
            began = time.perf_counter()
            if next(steps, self) is self:  # which is no step
                return
            now = np.array(trainer.sums[:2])
            self.sums += now - self.before
            self.before = now
            self.steps += 1
            if trainer.step % trainer.steps_per_epoch == 0:
                trainer.end_epoch(self.images.held)
                self.before[:] = 0
            self.story = replace(
                self.story, step=trainer.step, seconds=self.story.seconds + time.perf_counter() - began
            )
            yield

    # --- what it is told -----------------------------------------------------------------------------------

    def _listen(self) -> bool:
        """Follow what it is told, and wait while it is to; whether it has gone back to a checkpoint."""
        back, waited = False, 0.0
        while True:
            if self.gone.is_set():
                self._end("server")
            told = self.place.controls()
            if told != self.controls:
                self.controls = told
                if told.ended:
                    self._end("asked")
                back |= self._go_back()
                steer(self.trainer, told)
                if self.story.state == PAUSED and told.paused:
                    self._tell()
            if not told.paused:
                if self.story.state == PAUSED:
                    self._tell(state=RUNNING)
                return back
            if self.story.state != PAUSED:
                if not back:
                    self._row()
                    self._save()
                self._tell(state=PAUSED)
            if waited >= MOST_PAUSE:
                self._end("waited")
            waited += LOOK
            self.gone.wait(LOOK)

    def _go_back(self) -> bool:
        """Go back to the checkpoint that it is told to, once; whether it did."""
        step, number = self.controls.back, self.controls.number
        if number == self.story.number:
            return False
        self.story = replace(self.story, number=number)
        if step not in self.story.checkpoints:
            return False
        self._forget_after(step)
        self._load(step)
        self._show()
        self._tell()
        return True

    def _take_up(self) -> None:
        """Go on from the last checkpoint that an earlier process has left whole, if there is one."""
        for step in reversed(self.story.checkpoints):
            try:
                self._load(step)
            except CapsvizError as error:  # cut off while it was written, or damaged since
                _complain(error)
            else:
                self._forget_after(step)
                return
        self._forget_after(0)

    def _load(self, step: int) -> None:
        path = self.place.checkpoint(step) / CHECKPOINT
        try:
            settings = checkpoints.parse(path.read_bytes(), path)[1]["settings"]
        except OSError as error:
            raise checkpoints.not_resumable(path, error) from error
        self.trainer.settings = Settings(**settings)  # which the controls may have changed since
        self.trainer.load(path)
        self.before = np.array(self.trainer.sums[:2])
        self.sums[:], self.steps = 0, 0

    def _forget_after(self, step: int) -> None:
        """Leave out what came after a step."""
        for later in (other for other in self.story.checkpoints if other > step):
            shutil.rmtree(self.place.checkpoint(later), ignore_errors=True)
        rows = tuple(row for row in self.story.rows if row.step <= step)
        known = tuple(other for other in self.story.checkpoints if other <= step)
        self.saved = rows[-1].seconds if rows else 0.0
        self.story = replace(self.story, step=step, seconds=self.saved, rows=rows, checkpoints=known)

    # --- what it says --------------------------------------------------------------------------------------

    def _tell(self, **changes: Any) -> None:
        self.story = replace(self.story, **changes)
        self.place.write(self.story)

    def _end(self, reason: str) -> None:
        """Keep what there is and end."""
        if self.story.step not in (0, *self.story.checkpoints):
            self._row()
            self._save()
        raise Over(reason)

    def _row(self) -> None:
        """Measure, draw the picture, and enter a row; one for each step."""
        began = time.perf_counter()
        trainer, held = self.trainer, self.images.held
        self._show()
        c = as_it_answers(
            trainer.net, lambda: coefficients(trainer.net, self.pixels, trainer.settings.iterations)
        )
        loss, squared = (self.sums / self.steps).tolist() if self.steps else (None, None)
        row = Row(
            step=trainer.step,
            seconds=round(self.story.seconds, 2),
            loss=loss,
            reconstruction=squared,
            error=error_rate(trainer.net, held, trainer.settings.iterations),
            entropy=min(1.0, float(np.mean([evenness(one[None])[0] for one in c.numpy()]))),
            controls={
                "rate": self.controls.rate,
                "iterations": trainer.settings.iterations,
                "weight": self.controls.weight,
                "routed": self.controls.routed,
            },
        )
        self.sums[:], self.steps = 0, 0
        rows = [other for other in self.story.rows if other.step < row.step]
        if len(rows) >= MOST_ROWS:
            rows = [
                other for place, other in enumerate(rows) if place % 2 or other.step in self.story.checkpoints
            ]
        spent = time.perf_counter() - began
        self.story = replace(self.story, rows=(*rows, row), seconds=self.story.seconds + spent)

    def _show(self) -> None:
        """Draw the picture."""
        trainer = self.trainer
        self.drawn = draw(trainer.net, self.ten, self.pixels, trainer.settings.iterations, trainer.step)
        write_atomically(self.place.picture, self.drawn)

    def _save(self) -> None:
        """Keep a checkpoint: its state, its picture, and its weights with a card, which the app can choose as a network."""
        if shutil.disk_usage(self.place.folder).free < FREE:
            raise Over("disk")
        trainer, step = self.trainer, self.trainer.step
        if step in (0, *self.story.checkpoints):
            return
        folder = self.place.checkpoint(step)
        folder.mkdir(exist_ok=True)
        trainer.save(folder / CHECKPOINT)
        write_atomically(folder / "picture.npz", self.drawn)
        write_atomically(folder / "told.json", json.dumps(asdict(self.images.told)).encode())
        found = measured(trainer.net, self.images.held, self.images.test, trainer.settings.iterations)
        facts = card(trainer, self.images.told, self.story.rows, found, self.commit)
        save_weights(folder / FILE, pack(trainer.net), facts)
        self.saved = self.story.seconds
        known, interval = [*self.story.checkpoints, step], self.story.interval
        if len(known) > MOST_CHECKPOINTS:
            for other in known[-2::-2]:
                shutil.rmtree(self.place.checkpoint(other), ignore_errors=True)
            known, interval = known[::-2][::-1], 2 * interval
        self.story = replace(self.story, checkpoints=tuple(known), interval=interval)


def _complain(error: Exception) -> None:
    """Say on the server's terminal what is for who runs it; visitors are told which of ``REASONS`` it is."""
    print(f"capsviz: training: {error}", file=sys.stderr, flush=True)


def watch(gone: threading.Event) -> None:
    """Set ``gone`` once the server has gone: nothing but its end closes the pipe."""
    while os.read(0, 1):  # not sys.stdin, whose lock Python wants as it ends
        pass
    gone.set()
    time.sleep(20)
    os._exit(1)  # whatever it hangs in


def main(folder: str, source: str) -> None:
    """Train as the plan in ``folder`` says, beside everything else that this machine does."""
    gone = threading.Event()
    threading.Thread(target=watch, args=(gone,), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(10)
    torch.set_num_threads(1)
    Run(Place(Path(folder)), Path(source), gone).go()


if __name__ == "__main__":
    main(*sys.argv[1:])
