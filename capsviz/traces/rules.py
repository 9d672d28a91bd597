"""Rules of routing: how coupling coefficients come of agreement, and agreement of votes; each as its paper has it.

All of them start from the same votes û of a network that was trained with Procedure 1. What of a paper is no matter of
routing is left out, and said so. Arrays are [J, I], class capsules before primary capsules; votes are [J, I, D].
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

BIAS = 0.1  # what the authors' code begins with and adds to each number of a sum (Sarasra/models, research/capsules)
_SURE = 0.9  # of scaled distance agreement: the share that a vote at half the mean distance is to get
_NEAR = 1e-9  # no distance and no deviation is divided by less
_TINY = np.finfo(np.float32).tiny


class Outputs(NamedTuple):
    """What one iteration made of its coupling coefficients."""

    s: np.ndarray  # [J, D] weighted sums
    v: np.ndarray  # [J, D] squashed


class Rule(NamedTuple):
    """One rule of routing.

    Attributes:
        source: where it was published.
        couple: coupling coefficients c of the logits b; at first, b is 0.
        agree: the next logits b, of the last ones, the votes and what the iteration made of them.
    """

    source: str
    couple: Callable[[np.ndarray], np.ndarray]
    agree: Callable[[np.ndarray, np.ndarray, Outputs], np.ndarray]


def softmax(b: np.ndarray, axis: int) -> np.ndarray:
    """The shares that logits stand for; along ``axis`` they sum to 1."""
    e = np.exp(b - b.max(axis=axis, keepdims=True))
    shares: np.ndarray = e / e.sum(axis=axis, keepdims=True)
    return shares


def over_classes(b: np.ndarray) -> np.ndarray:
    """Softmax over the classes (Eq. 3): what a primary capsule gives sums to 1."""
    return softmax(b, axis=0)


def over_children(b: np.ndarray) -> np.ndarray:
    """Softmax over the primary capsules: the mistake of many a reimplementation."""
    return softmax(b, axis=1)


def max_min(b: np.ndarray) -> np.ndarray:
    """Each primary capsule's logits stretched to 0..1; 1 where all are alike, as at first. They sum to more than 1."""
    low, high = b.min(axis=0), b.max(axis=0)
    spread = high - low
    return np.where(spread > 0, (b - low) / np.maximum(spread, _TINY), 1).astype(b.dtype)


def leaky(b: np.ndarray) -> np.ndarray:
    """Softmax over the classes and one logit more, 0, which stands for none of them: its share is lost."""
    top = np.maximum(b.max(axis=0), 0)
    e = np.exp(b - top)
    shares: np.ndarray = e / (e.sum(axis=0) + np.exp(-top))
    return shares


def accumulated(b: np.ndarray, votes: np.ndarray, made: Outputs) -> np.ndarray:
    """The scalar products û . v are added to the logits (Procedure 1, line 7)."""
    return b + (votes @ made.v[:, :, None])[:, :, 0]


def by_distance(b: np.ndarray, votes: np.ndarray, made: Outputs) -> np.ndarray:
    """Logits in place of the last ones: the distance of a vote from v, times a factor below 0.

    By that factor a vote at half the mean distance gets a share of 0.9 where all others lie at the mean. The mean is of this
    image alone, of capsules that vote; the published code takes it over a whole batch.
    """
    distances = np.linalg.norm(votes - made.v[:, None], axis=2)
    voting = votes.any(axis=2)
    mean = distances[voting].mean() if voting.any() else 0.0
    wanted = np.log(_SURE * (len(b) - 1)) - np.log(1 - _SURE)
    logits: np.ndarray = (wanted / (-0.5 * max(mean, _NEAR)) * distances).astype(b.dtype)
    return logits


def by_normalised(b: np.ndarray, votes: np.ndarray, made: Outputs) -> np.ndarray:
    """Logits in place of the last ones: û . LayerNorm(s) / sqrt(D)."""
    s = made.s - made.s.mean(axis=1, keepdims=True)
    normalised = s / np.sqrt(s.var(axis=1, keepdims=True) + 1e-5)
    return (votes @ normalised[:, :, None])[:, :, 0] / np.sqrt(np.float32(votes.shape[2]))


RULES = {
    "routing": Rule("Sabour, Frosst & Hinton 2017, arXiv:1710.09829", over_classes, accumulated),
    "maxmin": Rule("Zhao et al. 2019, arXiv:1903.09662", max_min, accumulated),
    "leaky": Rule(
        "Sabour, Frosst & Hinton 2017, code: Sarasra/models, research/capsules", leaky, accumulated
    ),
    # Without the shortening of votes to their capsules' lengths, and without its bias: these would be other votes.
    "distance": Rule("Peer, Stabinger & Rodríguez-Sánchez 2018, arXiv:1812.09707", over_classes, by_distance),
    # With lengths of squashed sums in place of the classifier on normalised ones, which would need training.
    "inverted": Rule("Tsai et al. 2020, arXiv:2002.04764", over_classes, by_normalised),
    "children": Rule("", over_children, accumulated),
}
# Coefficients that no vote has a say in.
FIXED = {
    "uniform": "Gu & Tresp 2020, arXiv:1911.07968",
    "mean": "Mitterreiter, Koch, Giesen & Laue 2023, arXiv:2301.01583",
    "random": "Paik, Kwak & Kim 2019, arXiv:1907.13327",
}
SOURCES = {name: rule.source for name, rule in RULES.items()} | FIXED
