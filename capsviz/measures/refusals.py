"""What networks refuse by the error of what their decoders draw again, where so much of what is to be read is refused by mistake."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import default_rng

from capsviz.measures.samples import Measured
from capsviz.measures.statistics import SEED, newcombe_paired
from capsviz.models.rates import wilson

RESAMPLES = 1_000


class Refusals(NamedTuple):
    """What networks refuse.

    Attributes:
        points: of each network by its title, the share of the others that it refuses at each share of false alarms.
        behind: at one of these, the share of the best plain network less that of the best that has capsules; None where
            there are not both.
    """

    points: Mapping[str, Sequence[Measured]]
    behind: Measured | None


def refusals(
    errors: Mapping[str, tuple[np.ndarray, np.ndarray]],
    drawings: Sequence[str],
    plain: Sequence[str],
    alarms: Sequence[float],
    judged: int,
) -> Refusals:
    """What is refused, with intervals that know how few images a threshold comes from.

    An interval is the union of two: one of the others alone (Wilson's of a share; of a difference Newcombe's for pairs, since
    all networks see the same ones), and a bootstrap in which drawings and others are drawn anew, the same ones for all
    networks, and each threshold is taken anew.

    Args:
        errors: of each network by its title, [N] of the images that are to be read, and [M] of the others.
        drawings: [N] which drawing each image is of.
        plain: titles of the networks without capsules.
        alarms: shares of the images that are refused by mistake.
        judged: the place in ``alarms`` of the one at which networks are compared.
    """
    kept = [1 - alarm for alarm in alarms]
    caught = {title: there[:, None] > np.quantile(true, kept) for title, (true, there) in errors.items()}
    again = _again(errors, drawings, kept)
    count = len(next(iter(caught.values())))
    points = {}
    for title, some in caught.items():
        shares = some.mean(0)
        ends = np.quantile(again[title], [0.025, 0.975], axis=0)
        points[title] = [
            _wider(float(share), wilson(float(share) * count, count), (low, high), count)
            for share, low, high in zip(shares, *ends, strict=True)
        ]
    if not set(plain) or not set(errors) - set(plain):
        return Refusals(points, None)
    one, other = (
        max(
            (title for title in errors if (title in plain) == wanted),
            key=lambda title: points[title][judged].value,
        )
        for wanted in (True, False)
    )
    pair = caught[one][:, judged], caught[other][:, judged]
    apart = again[one][:, judged] - again[other][:, judged]
    ends = np.quantile(apart, [0.025, 0.975])
    value = points[one][judged].value - points[other][judged].value
    return Refusals(points, _wider(value, newcombe_paired(*pair), tuple(ends), count))


def _again(
    errors: Mapping[str, tuple[np.ndarray, np.ndarray]], drawings: Sequence[str], kept: Sequence[float]
) -> dict[str, np.ndarray]:
    """[RESAMPLES, K] of each network: what is refused of others drawn anew, by thresholds from drawings drawn anew."""
    rng = default_rng([SEED, 8])
    _, which = np.unique(np.asarray(drawings), return_inverse=True)
    members = [np.flatnonzero(which == one) for one in range(which.max() + 1)]
    count = len(next(iter(errors.values()))[1])
    found: dict[str, list[np.ndarray]] = {title: [] for title in errors}
    for _ in range(RESAMPLES):
        images = np.concatenate([members[one] for one in rng.integers(len(members), size=len(members))])
        others = rng.integers(count, size=count)
        for title, (true, there) in errors.items():
            limits = np.quantile(true[images], kept)
            found[title].append((there[others, None] > limits).mean(0))
    return {title: np.array(some) for title, some in found.items()}


def _wider(value: float, one: Sequence[float], other: Sequence[float], count: int) -> Measured:
    """The union of two intervals, of so many signs."""
    return Measured(value, min(one[0], float(other[0])), max(one[1], float(other[1])), count, count)
