"""What networks make of what they have not seen: digits changed otherwise than in training, and after few examples."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from capsviz.measures.runs import CPU, Few, Placed
from capsviz.measures.statistics import of_seeds
from capsviz.networks.base import Spec, find, networks

TARGET = 0.0078  # error on placed digits at which trainings are stopped: the paper's CNN's, 99.22% right


@dataclass(frozen=True)
class Published:
    """One figure of others.

    Attributes:
        name: id of a text that says what of.
        placed: share right of placed digits; None where that is not told.
        affine: share right of affNIST.
        source: short name of the paper.
        link: to it.
    """

    name: str
    placed: float | None
    affine: float
    source: str
    link: str


PUBLISHED = (
    Published("capsules", 0.9923, 0.79, "arXiv:1710.09829", "https://arxiv.org/abs/1710.09829"),
    Published("cnn", 0.9922, 0.66, "arXiv:1710.09829", "https://arxiv.org/abs/1710.09829"),
    Published("unrouted", None, 0.932, "arXiv:1911.07968", "https://arxiv.org/abs/1911.07968"),
)


@dataclass(frozen=True)
class Stopped:
    """The trainings of one network on placed digits, each stopped when it first misread as little as the others.

    Attributes:
        network: its name.
        placed, affine: errors on the test digits, placed and changed, as ``statistics.of_seeds`` has them.
        seeds: of the trainings.
        steps: after how many each was stopped.
        images: of the test set.
        parameters: of the network, with its decoder.
        multiply_adds: of one answer.
        devices: that the trainings ran on.
        at: error on placed digits at which all are compared: the largest mean of ``placed``.
        equal: error on changed digits ``at_error`` ``at``, of all trainings that came to it; None if none did.
    """

    network: str
    placed: Mapping[str, Any]
    affine: Mapping[str, Any]
    seeds: Sequence[int]
    steps: Sequence[int]
    images: int
    parameters: int
    multiply_adds: int
    devices: Sequence[str]
    at: float = 0.0
    equal: Mapping[str, Any] | None = None


def enlarged(name: str) -> Spec:
    """The network of a name for pictures in which digits are placed; imports PyTorch."""
    from capsviz.inputs.placed import SIZE

    spec = find(name)
    assert spec.of
    return spec.of(spec.name, spec.title, spec.data, size=SIZE)


Runs = Mapping[str, Mapping[int, Sequence[Placed]]]  # by network and seed, its looks in their order


def runs_of(rows: Iterable[Placed]) -> Runs:
    """Rows by network and seed; of two looks at one step, the later row counts, and of each seed the longest training."""
    looks: dict[tuple[str, int], dict[tuple[int, int], Placed]] = defaultdict(dict)
    for row in rows:
        looks[row.network, row.seed][row.steps, row.step] = row
    found: dict[str, dict[int, list[Placed]]] = defaultdict(dict)
    for network, seed in sorted(looks, key=lambda run: (_place(run[0]), run)):
        of = looks[network, seed]
        longest = max(steps for steps, _ in of)
        found[network][seed] = [of[key] for key in sorted(of) if key[0] == longest]
    return found


def level(runs: Runs, target: float = TARGET) -> float:
    """The error on held-out placed digits that trainings are stopped at: ``target``, or the least that each came to.

    A training that was cut off does not count: it might have come farther.
    """
    least = [
        min(_held_out(row) for row in looks)
        for of in runs.values()
        for looks in of.values()
        if looks[-1].step == looks[-1].steps
    ]
    return max([target, *least])


def stopped(runs: Runs, at: float) -> list[Stopped]:
    """Each network's trainings at the first look at which they misread no more than ``at`` of the held-out digits.

    Without those that never came so far, and without networks that never did.
    """
    found = []
    for network, of in runs.items():
        looks = [next((row for row in of[seed] if _held_out(row) <= at), None) for seed in sorted(of)]
        rows = [row for row in looks if row]
        if not rows:
            continue
        images = rows[0].images
        found.append(
            Stopped(
                network=network,
                placed=of_seeds([row.placed_wrong for row in rows], images),
                affine=of_seeds([row.affine_wrong for row in rows], images),
                seeds=[row.seed for row in rows],
                steps=[row.step for row in rows],
                images=images,
                parameters=rows[0].parameters,
                multiply_adds=rows[0].multiply_adds,
                devices=list(dict.fromkeys(row.device for row in rows)),
            )
        )
    return _compared(found, runs)


def _compared(found: Sequence[Stopped], runs: Runs) -> list[Stopped]:
    """The same, with what they misread of changed digits where all misread as many placed ones."""
    at = max((one.placed["mean"] for one in found), default=0.0)
    compared = []
    for one in found:
        shares = [at_error(looks, at) for looks in runs[one.network].values()]
        wrong = [one.images * share for share in shares if share is not None]
        equal = of_seeds(wrong, one.images) if wrong else None
        compared.append(replace(one, at=at, equal=equal))
    return compared


def at_error(looks: Sequence[Placed], error: float) -> float | None:
    """Share of changed digits that a training misreads where it misreads a share ``error`` of the placed ones.

    On the line, in logarithms, from the look before to the first one at which it misreads no more than that; none misread
    counts as half of one. None if it never came so far, or was there at its first look.
    """
    for before, after in pairwise(looks):
        if _share(after.placed_wrong, after.images) <= error < _share(before.placed_wrong, before.images):
            (x0, y0), (x1, y1) = (
                [math.log(_share(wrong, row.images)) for wrong in (row.placed_wrong, row.affine_wrong)]
                for row in (before, after)
            )
            return math.exp(y0 + (y1 - y0) * (math.log(error) - x0) / (x1 - x0))
    return None


def _share(wrong: int, images: int) -> float:
    return max(wrong, 0.5) / images


def _held_out(row: Placed) -> float:
    return row.held_out_wrong / row.held_out


def by_examples(rows: Iterable[Few]) -> dict[str, dict[int, dict[str, Any]]]:
    """The error after so many examples of each class, by network and number, as ``statistics.of_seeds`` has it.

    Beside that: the "seeds" of its "errors", and those that ran on each of its "devices".
    """
    last = {(row.network, row.examples, row.seed): row for row in rows}
    found: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for network, examples, _ in sorted(last, key=lambda run: (_place(run[0]), run)):
        own = [row for (name, count, _), row in sorted(last.items()) if (name, count) == (network, examples)]
        devices: dict[str, list[int]] = defaultdict(list)
        for row in own:
            devices[row.device].append(row.seed)
        more = {"seeds": [row.seed for row in own], "devices": dict(devices)}
        found[network][examples] = of_seeds([row.wrong for row in own], own[0].images) | more
    return dict(found)


def ran_on(device: str) -> str:
    """What few examples were trained on, and how it multiplied: a GPU in bfloat16, as ``precision.is_quicker`` has it."""
    return device if device.startswith(CPU) else f"{device} (bfloat16)"


def _place(network: str) -> int:
    """Where a network stands among all; one that is no more, behind them."""
    names = list(networks())
    return names.index(network) if network in names else len(names)
