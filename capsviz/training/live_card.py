"""The card of a network in the middle of a training on the page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from capsviz.training.live_plan import Row, Told, drawing_weight
from capsviz.training.trainer import Trainer


def card(
    trainer: Trainer, told: Told, rows: Sequence[Row], found: Mapping[str, float], commit: str
) -> dict[str, Any]:
    """The facts of the weights as they are now; an epoch that has begun counts as one.

    Args:
        trainer: at the step that the weights are of.
        told: of the data.
        rows: measured until then, the last one at that step.
        found: what ``validation.measured`` says of the network.
        commit: of the code.
    """
    row = rows[-1]
    log, within = list(trainer.log), trainer.step % trainer.steps_per_epoch
    if within or not log:
        begun = {
            "epoch": len(log) + 1,
            trainer.loss: row.loss or 0.0,
            "reconstruction_loss": row.reconstruction or 0.0,
            "train_error": trainer.sums[2] / (max(1, within) * trainer.settings.batch_size),
            "validation_error": row.error,
            "seconds": trainer.seconds,
        }
        log.append(begun)
    return {
        "name": trainer.spec.name,
        "paper": trainer.spec.source.paper,
        "parameters": sum(p.numel() for p in trainer.net.parameters()),
        "data": f"{told.name}: {told.train:,} images to train on, {told.held:,} held out, {told.test:,} to test on",
        "settings": {
            **asdict(trainer.settings),
            "epochs": len(log),
            "reconstruction": drawing_weight(rows, trainer.step),
        },
        **({"tested": told.test} if told.alone else {}),
        "command": "the Training page",
        "commit": commit,
        "device": "cpu",
        "torch": str(torch.__version__),
        **found,
        "log": log,
    }
