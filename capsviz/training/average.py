"""The mean of the weights that several trainings ended with, as weights of their own.

Where each training began with the weights of one before, and with a small learning rate, they lie in one wide
minimum, and their mean further inside it than any of them (Izmailov et al., 2018, arXiv:1803.05407).
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch

from capsviz.errors import DataError
from capsviz.inputs.data import split_validation
from capsviz.models.own import alike
from capsviz.models.weights import FILE, Weights, save_weights
from capsviz.training.folder import check_folder, make_folder, saving
from capsviz.training.result import current_commit, mean_into, settle
from capsviz.training.validation import measured


def average(
    parts: Sequence[Weights],
    data: Path,
    out: Path,
    device: torch.device,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Write the mean of weights, parameter by parameter, measured as a training's are at its end.

    Args:
        parts: two or more, each counting the same; the card tells of the last one's training, and which the others
            were.
        data: folder that holds the network's data; MNIST is downloaded there if it is empty.
        out: folder for the weights and their card.
        device: where to measure them.
        say: called with each line to show.

    Returns:
        The card's facts.

    Raises:
        DataError: if there are fewer than two parts, one is given twice or is of another network, the data are
            incomplete, ``out`` holds a run or cannot be written to.
    """
    sums = [part.sha256 for part in parts]
    if len(parts) < 2:
        raise DataError("A mean is of two or more: give the weights of another training as well.")
    if len(set(sums)) < len(sums):
        raise DataError("The same weights are given twice: give those of different trainings.")
    if check_folder(out, resume=True):
        raise DataError(f"{out} holds an unfinished run: give another folder to --out.")
    spec = parts[-1].spec
    if any(not alike(part.spec, spec) or part.spec.data.name != spec.data.name for part in parts):
        names = ", ".join(part.spec.name for part in parts)
        raise DataError(
            f"A mean is of weights of one network, and these are of {names}: leave out the others."
        )
    _, validation = split_validation(spec.data.load(data, "train"), spec.data.held_out, spec.data.last)
    test = spec.data.load(data, "test")
    for unlike in (spec.data.unlike(data, "train"), spec.data.unlike(data, "test")):
        if unlike:
            say(unlike)
    make_folder(out)

    *others, last = parts
    net = deepcopy(last.net).to(device)  # the parts stay what they are
    mean_into(net, [part.net for part in others])
    packed = settle(net)
    facts = {
        **{key: value for key, value in last.card.items() if key != "sha256"},
        "settings": {**last.card["settings"], "averaged": _told(parts)},
        "command": f"python -m capsviz average {'WEIGHTS ' * len(parts)}--data DIR --out DIR",
        "commit": current_commit(),
        "device": device.type,
        "torch": torch.__version__,
        **measured(net, validation, test, last.card["settings"]["iterations"]),
    }
    weights = out / FILE
    with saving(out):
        save_weights(weights, packed, facts)
    say(
        f"the mean of {len(parts)}: validation error {facts['validation_error']:.2%} (of the parts: "
        f"{', '.join(format(part.card['validation_error'], '.2%') for part in parts)}), test error "
        f"{facts['test_error']:.2%}, with the weights in {weights}"
    )
    return facts


def _told(parts: Sequence[Weights]) -> list[dict[str, Any]]:
    """What the mean's card says of each part: what it is, what was measured of it, and which "trainings" led to it.

    Of these it names only what the last part has not gone through: that is in the mean's card already.
    """
    last = parts[-1].card
    known = list(last.get("started_from", []))
    if "averaged" not in last["settings"]:  # else the mean's own parts take that place
        known.append(last["settings"])
    told = []
    for part in parts:
        trainings = [*part.card.get("started_from", []), part.card["settings"]]
        measurements = {key: part.card[key] for key in ("validation_error", "test_error")}
        new = [training for training in trainings if training not in known]
        told.append({"sha256": part.sha256, **measurements, "trainings": new})
    return told
