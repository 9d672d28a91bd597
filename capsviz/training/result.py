"""The end of a run: weights in half precision, what is measured of them, and their card."""

import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from torch import nn

from capsviz.figures.training import training_html
from capsviz.inputs.data import Digits
from capsviz.models.card import averaged_error, command, earlier_epochs
from capsviz.models.rates import FEW, wilson
from capsviz.models.weights import FILE, Weights, pack, save_weights, write_atomically
from capsviz.training.folder import log_as_csv, saving
from capsviz.training.settings import Settings
from capsviz.training.trainer import Trainer
from capsviz.training.validation import measured


def finish(
    trainer: Trainer,
    validation: Digits,
    test: Digits,
    out: Path,
    told: str,
    commit: str,
    start: Weights | None,
    say: Callable[[str], None],
    more: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Round the weights to half precision, measure them on the test digits and write them with their card.

    ``told`` is what the card says of the data, ``commit`` of the code; ``more`` are facts that not every card has.
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
        **more,
    }
    weights = out / FILE
    with saving(out):
        # Again, for a run that was cut off between its last checkpoint and its log.
        write_atomically(out / "log.csv", log_as_csv(trainer.log).encode())
        write_atomically(
            out / "curves.html",
            training_html(
                trainer.log,
                facts["test_error"],
                earlier_epochs(facts),
                averaged_error(facts),
                trainer.spec.data,
            ).encode(),
        )
        save_weights(weights, packed, facts)
    error, images = facts["test_error"], len(test.labels)
    low, high = wilson(round(error * images), images)
    # One drawing's pictures are misread together: ``evaluate`` tells how far that rate may be off.
    within = "" if trainer.spec.data.drawings else f"95% interval {low:.2%} to {high:.2%}, "
    if within and images < FEW:
        say("few images to test on: what is measured on them is no surer than the interval says")
    say(f"test error {error:.2%} ({within}{images:,} images) with the weights in {weights}")
    say(f"to see it: make app NETWORKS={shlex.quote(str(out))}")
    return facts


@torch.no_grad()
def mean_into(net: nn.Module, others: Sequence[nn.Module]) -> None:
    """Make ``net`` the mean of itself and ``others``, number by number.

    What a small learning rate leads to lies at the rim of a wide minimum, the ends of two trainings at two places
    of it; their mean lies further inside (Izmailov et al., 2018, arXiv:1803.05407). The means and variances that
    batch normalisation has learnt are among the numbers. So near to each other activations are nearly linear in the
    weights, and with them their means; what variances lose is of second order, as is what the mean of weights rests
    on. Estimated anew they would need the images of the training, turned, noisy and made up, as it had them.
    """
    states = (one.state_dict().values() for one in (net, *others))
    for ours, *theirs in zip(*states, strict=True):
        ours.copy_(torch.stack([ours, *(part.to(ours.device) for part in theirs)]).mean(0))


def settle(net: nn.Module) -> bytes:
    """Round the weights of ``net`` to the half precision that they are kept in; returns their file."""
    packed = pack(net)
    net.load_state_dict({key: tensor.float() for key, tensor in load_tensors(packed).items()})
    return packed


def describe_data(
    settings: Settings, training: Digits, validation: Digits, test: Digits, *unlike: str, name: str
) -> str:
    """What was trained on, for the card; ``unlike`` is what ``DataSet.unlike`` says of both halves, ``name`` theirs."""
    text = (
        f"{name}: {len(training.labels):,} images to train on, "
        f"{len(validation.labels):,} to choose by, {len(test.labels):,} to test on"
    )
    names = ("made-up digits", "made-up pictures of no digit")
    made = [
        f"{count:,} {name} ({part / settings.batch_size:.0%} of a batch)"
        for count, name, part in zip(settings.pool_sizes, names, settings.batch[1:], strict=True)
        if count
    ]
    return "; ".join([text, *made, *filter(None, unlike)])


def current_commit() -> str:
    """The commit of this source tree, with "+changes" if files differ from it; "unknown" without git."""

    def git(*arguments: str) -> str:
        package = Path(__file__).parents[1]
        return subprocess.run(
            ["git", *arguments], cwd=package, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
