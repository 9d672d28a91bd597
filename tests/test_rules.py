"""Rules of routing on the same votes: each against its paper in slow loops, and against numbers worked out by hand."""

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import reference

from capsviz.errors import CapsvizError
from capsviz.traces.rules import FIXED, RULES, SOURCES
from capsviz.traces.surgery import COUPLINGS, reroute

I, J, D = 30, 10, 16


@pytest.fixture
def u_hat() -> np.ndarray:
    """Votes [30, 10, 16] that agree on class 2, and most of them on 7."""
    rng = np.random.default_rng(8)
    votes = rng.normal(0, 0.2, (I, J, D))
    votes[:, 2] += rng.normal(0, 0.15, D)
    votes[:20, 7] += rng.normal(0, 0.3, D)
    return votes.astype(np.float32)


Couple = Callable[[np.ndarray], np.ndarray]
Agree = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def slow(votes: np.ndarray, iterations: int, couple: Couple, agree: Agree, bias: float = 0) -> list[Any]:
    """c [I, J] and v [J, D] of each iteration, in loops; ``agree`` of b, votes, s and v gives the next b."""
    votes, b, steps = votes.astype(float), np.zeros(votes.shape[:2]), []
    for _ in range(iterations):
        c = couple(b)
        s = np.array([sum(c[i, j] * votes[i, j] for i in range(len(votes))) + bias for j in range(len(b[0]))])
        v = np.array([reference.squash(row) for row in s])
        steps.append((c, v))
        b = agree(b, votes, s, v)
    return steps


def added(b: np.ndarray, votes: np.ndarray, s: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.array([[b[i, j] + votes[i, j] @ v[j] for j in range(len(v))] for i in range(len(votes))])


def stretched(b: np.ndarray) -> np.ndarray:
    """Zhao et al., with p = 0 and q = 1."""
    rows = []
    for row in b:
        low, high = min(row), max(row)
        rows.append([1.0 if high == low else (value - low) / (high - low) for value in row])
    return np.array(rows)


def leaking(b: np.ndarray) -> np.ndarray:
    """The authors' code: a class more, whose logit is 0, then the softmax, of which that class is dropped."""
    return reference.over_digits(np.hstack([np.zeros((len(b), 1)), b]))[:, 1:]


def distant(b: np.ndarray, votes: np.ndarray, s: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Peer et al. with J = 10: t = ln(81) / (d / 2 - d) with the mean distance d."""
    distances = np.array([[math.dist(votes[i, j], v[j]) for j in range(J)] for i in range(len(votes))])
    return -2 * math.log(81) / distances.mean() * distances


def normalised(b: np.ndarray, votes: np.ndarray, s: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Tsai et al.: the product with the sum after layer normalisation, over the root of its dimension."""
    rows = [(row - row.mean()) / math.sqrt(((row - row.mean()) ** 2).mean() + 1e-5) for row in s]
    return np.array([[votes[i, j] @ rows[j] / 4 for j in range(J)] for i in range(len(votes))])


SLOW: dict[str, tuple[Couple, Agree]] = {
    "routing": (reference.over_digits, added),
    "maxmin": (stretched, added),
    "leaky": (leaking, added),
    "distance": (reference.over_digits, distant),
    "inverted": (reference.over_digits, normalised),
    "children": (reference.over_children, added),
}


@pytest.mark.parametrize("bias", [0, 0.1])
@pytest.mark.parametrize("name", RULES)
def test_each_rule_is_its_papers_at_every_iteration(u_hat: np.ndarray, name: str, bias: float) -> None:
    found = reroute(u_hat, 6, name, bias=bias)
    for r, (c, v) in enumerate(slow(u_hat, 6, *SLOW[name], bias)):
        np.testing.assert_allclose(found.c[r], c, atol=2e-5)
        np.testing.assert_allclose(found.v[r], v, atol=2e-5)
    assert all(part.dtype == np.float32 for part in found)


def test_rules_tell_each_other_apart(u_hat: np.ndarray) -> None:
    found = {name: reroute(u_hat, 3, name, mean=np.full((I, J), 0.3)).c[-1] for name in COUPLINGS}
    for one, other in product(COUPLINGS, COUPLINGS):
        assert one == other or np.abs(found[one] - found[other]).max() > 1e-3, (one, other)


def test_every_rule_is_offered_and_has_its_source() -> None:
    assert set(COUPLINGS) == RULES.keys() | FIXED.keys()
    assert all(
        "arXiv" in source or "code" in source for name, source in SOURCES.items() if name != "children"
    )


def test_coefficients_by_hand() -> None:
    b = np.log(np.array([[1.0, 2.0], [3.0, 2.0], [4.0, 2.0]], np.float32))  # [J, I]
    np.testing.assert_allclose(RULES["leaky"].couple(b)[:, 0], [1 / 9, 3 / 9, 4 / 9], atol=1e-6)
    np.testing.assert_allclose(RULES["maxmin"].couple(b)[:, 0], [0, math.log(3) / math.log(4), 1], atol=1e-6)
    np.testing.assert_array_equal(RULES["maxmin"].couple(b)[:, 1], 1)
    # Logits beyond any exponential: far above the leak all is shared, far below it all is lost.
    np.testing.assert_allclose(RULES["leaky"].couple(np.full((2, 1), 1000.0)), 0.5)
    np.testing.assert_allclose(RULES["leaky"].couple(np.full((2, 1), -1000.0)), 0)


def test_a_vote_at_half_the_mean_distance_gets_nine_tenths() -> None:
    """Ten classes; all other votes of the capsule lie at the mean distance from their class's v."""
    votes = np.zeros((J, 2, 2), np.float32)
    votes[:, 0, 0] = 1.0
    votes[0, 0, 0] = 0.5  # of the first capsule: near class 0
    votes[:, 1, 0] = 1.0
    votes[0, 1, 0] = 1.5  # of the second: far from it, so that the mean is 1
    made: Any = type("Made", (), {"s": np.zeros((J, 2)), "v": np.zeros((J, 2))})
    c = RULES["distance"].couple(RULES["distance"].agree(np.zeros((J, 2)), votes, made))
    assert c[0, 0] == pytest.approx(0.9)
    np.testing.assert_allclose(c[1:, 0], 0.1 / 9, rtol=1e-5)


def test_distances_of_silenced_capsules_do_not_count(u_hat: np.ndarray) -> None:
    silenced = np.arange(I) % 3 == 0
    found = reroute(u_hat, 4, "distance", silenced=silenced)
    np.testing.assert_allclose(found.v, reroute(u_hat[~silenced], 4, "distance").v, atol=1e-5)


def test_the_frozen_mean_stays_whatever_the_votes(u_hat: np.ndarray) -> None:
    mean = np.random.default_rng(1).dirichlet(np.ones(J), I)
    found = reroute(u_hat, 3, "mean", mean=mean)
    for c, v in zip(found.c, found.v, strict=True):
        np.testing.assert_allclose(c, mean, atol=1e-7)
        expected = [reference.squash(mean[:, j] @ u_hat[:, j].astype(float)) for j in range(J)]
        np.testing.assert_allclose(v, expected, atol=1e-5)


def test_without_a_bias_votes_with_the_other_sign_are_as_long(u_hat: np.ndarray) -> None:
    """Peer et al. 2021, arXiv:1905.08744: a network of capsules cannot tell x from -x unless its sums have a bias."""
    np.testing.assert_allclose(reroute(-u_hat, 3).v, -reroute(u_hat, 3).v, atol=1e-6)
    told = reroute(-u_hat, 3, bias=0.1).lengths - reroute(u_hat, 3, bias=0.1).lengths
    assert np.abs(told).max() > 0.05


@pytest.mark.parametrize("name", COUPLINGS)
def test_fifty_iterations_and_votes_alike_stay_finite(u_hat: np.ndarray, name: str) -> None:
    mean = np.full((I, J), 0.1)
    for votes in (u_hat, 30 * u_hat, np.zeros_like(u_hat), np.ones_like(u_hat)):
        found = reroute(votes, 50, name, mean=mean)
        assert len(found.v) == 50
        assert all(np.isfinite(part).all() for part in found)
        assert (found.lengths <= 1).all()


def test_what_a_rule_needs_is_asked_for(u_hat: np.ndarray) -> None:
    for mean in (None, np.zeros((J, I)), np.full((I, J), np.nan)):
        with pytest.raises(CapsvizError) as caught:
            reroute(u_hat, 3, "mean", mean=mean)
        reference.assert_one_sentence(caught.value, "30 x 10")
    for bias in (None, "0.1", True, math.nan, 1.5):
        with pytest.raises(CapsvizError, match="bias"):
            reroute(u_hat, 3, bias=bias)  # type: ignore[arg-type]
