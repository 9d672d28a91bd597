"""Experiments on routing: each one against the paper's loops, or against sums done by hand."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import reference
import torch

from capsviz.errors import CapsvizError
from capsviz.models.model import Model
from capsviz.traces.base import CapsuleGrid
from capsviz.traces.surgery import COUPLINGS, Routing, carried_over, reroute, silence

PRIMARY, DIGITS = 72, 10
# Those that add agreement to b, as Procedure 1 does; tests/test_rules.py has the others.
ADDING = [name for name in COUPLINGS if name not in ("mean", "distance", "inverted")]

TWO_TYPES = replace(reference.PAPER.grid, types=2)


@pytest.fixture
def u_hat() -> np.ndarray:
    """Votes [72, 10, 16] that agree enough on digits 2 and 7 for routing to move away from uniform."""
    rng = np.random.default_rng(3)
    votes = rng.normal(0, 0.15, (PRIMARY, DIGITS, 16))
    votes[:, 2] += rng.normal(0, 0.1, 16)
    votes[:50, 7] += rng.normal(0, 0.2, 16)
    votes = votes.astype(np.float32)
    votes.flags.writeable = False  # as in a trace
    return votes


@pytest.fixture
def start() -> np.ndarray:
    logits = np.random.default_rng(4).normal(0, 2, (PRIMARY, DIGITS))
    logits.flags.writeable = False
    return logits


def assert_follows(routing: Routing, steps: list[reference.Step], atol: float = 1e-5) -> None:
    """Every iteration's b, c, s and v are those of the slow routing."""
    assert len(routing.b) == len(routing.c) == len(routing.s) == len(routing.v) == len(steps)
    for r, (b, c, s, v) in enumerate(steps):
        np.testing.assert_allclose(routing.b[r], b, atol=atol)
        np.testing.assert_allclose(routing.c[r], c, atol=atol)
        np.testing.assert_allclose(routing.s[r], s, atol=atol)
        np.testing.assert_allclose(routing.v[r], v, atol=atol)


@pytest.mark.parametrize("iterations", [1, 3, 10])
def test_routing_equals_slow_numpy_at_every_iteration(u_hat: np.ndarray, iterations: int) -> None:
    steps = reference.routing(u_hat, iterations)
    assert_follows(reroute(u_hat, iterations), steps)
    if iterations > 1:  # the votes tell couplings apart, else the comparison would prove little
        assert np.abs(steps[-1].c - 0.1).max() > 0.05


@pytest.mark.parametrize("iterations", [1, 3, 10])
def test_routing_gives_back_what_the_network_made(model: Model, seven: np.ndarray, iterations: int) -> None:
    trace = model.trace(seven, iterations)
    routing = reroute(trace.u_hat, iterations)
    for name in ("b", "c", "s", "v"):
        np.testing.assert_allclose(getattr(routing, name), getattr(trace, name), atol=1e-5)
    np.testing.assert_allclose(routing.lengths, trace.lengths[-1], atol=1e-5)


@pytest.mark.parametrize("coupling", ADDING)
def test_every_coupling_sums_squashes_and_adds_agreement(u_hat: np.ndarray, coupling: str) -> None:
    """Whatever c is, s, v and the next b follow from it as in Procedure 1, in float32."""
    routing = reroute(u_hat, 3, coupling)
    votes = u_hat.astype(float)
    for r, j in product(range(3), range(DIGITS)):
        s = sum(routing.c[r, i, j] * votes[i, j] for i in range(PRIMARY))
        np.testing.assert_allclose(routing.s[r, j], s, atol=1e-5)
        np.testing.assert_allclose(routing.v[r, j], reference.squash(s), atol=1e-5)
        if r > 0:
            agreement = [votes[i, j] @ routing.v[r - 1, j] for i in range(PRIMARY)]
            np.testing.assert_allclose(routing.b[r, :, j] - routing.b[r - 1, :, j], agreement, atol=1e-5)
    assert not routing.b[0].any()
    assert all(part.dtype == np.float32 for part in routing)


def test_lengths_are_those_after_the_last_iteration() -> None:
    v = np.zeros((2, 2, 4))
    v[0] = 0.7
    v[1, 0, :2] = [0.3, 0.4]
    v[1, 1, 3] = -0.25
    routing = Routing(np.zeros((2, 1, 2)), np.zeros((2, 1, 2)), v, v)
    np.testing.assert_allclose(routing.lengths, [0.5, 0.25])


def test_uniform_coupling_is_the_first_iteration_over_and_over(u_hat: np.ndarray) -> None:
    (first,) = reference.routing(u_hat, 1)
    routing = reroute(u_hat, 4, "uniform")
    assert routing.c.shape == (4, PRIMARY, DIGITS)
    for r in range(4):
        np.testing.assert_allclose(routing.c[r], 0.1, atol=1e-7)
        np.testing.assert_allclose(routing.s[r], first.s, atol=1e-5)
        np.testing.assert_allclose(routing.v[r], first.v, atol=1e-5)


def test_random_couplings_are_shares_that_stay(u_hat: np.ndarray) -> None:
    c = reroute(u_hat, 5, "random", seed=1).c
    assert c.min() >= 0
    np.testing.assert_allclose(c.sum(axis=2), 1, atol=1e-6)
    for later in c[1:]:
        np.testing.assert_array_equal(later, c[0])
    assert len({row.tobytes() for row in c[0]}) == PRIMARY  # each primary capsule has its own


def test_random_couplings_depend_on_the_seed_alone(u_hat: np.ndarray) -> None:
    first = reroute(u_hat, 2, "random", seed=1).c
    np.testing.assert_array_equal(reroute(-u_hat, 2, "random", seed=1).c, first)
    assert (reroute(u_hat, 2, "random", seed=2).c != first).mean() > 0.99


def test_random_couplings_are_drawn_evenly_from_all_that_sum_to_one() -> None:
    """Uniform on the simplex of J = 10: each share has the mean 1/J and P(share > x) = (1 - x)^(J - 1)."""
    c = reroute(np.zeros((20_000, DIGITS, 1)), 1, "random").c[0]
    np.testing.assert_allclose(c.mean(axis=0), 0.1, atol=0.005)
    for x in (0.05, 0.1, 0.3):
        np.testing.assert_allclose((c > x).mean(axis=0), (1 - x) ** 9, atol=0.02)


@pytest.mark.parametrize("iterations", [1, 3, 10])
def test_the_wrong_softmax_shares_out_digits_among_children(u_hat: np.ndarray, iterations: int) -> None:
    routing = reroute(u_hat, iterations, "children")
    assert_follows(routing, reference.routing(u_hat, iterations, couple=reference.over_children))
    np.testing.assert_allclose(routing.c.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(routing.c.sum(axis=(1, 2)), DIGITS, atol=1e-4)
    rows = routing.c.sum(axis=2)
    assert rows.max() < 0.5  # ten digits shared out among 72 children: 0.14 for each on average
    if iterations > 1:
        assert np.ptp(rows[-1]) > 0.001  # and not the same for all


def test_the_first_coupling_is_the_softmax_of_the_start() -> None:
    # Logits log 1, log 2, log 5 give 1/8, 2/8, 5/8, whatever is added to all three.
    start = np.log([[1.0, 2.0, 5.0], [1.0, 1.0, 2.0]]) + np.array([[0.0], [50.0]])
    routing = reroute(np.ones((2, 3, 4)), 1, start=start)
    np.testing.assert_allclose(routing.c[0], [[1 / 8, 2 / 8, 5 / 8], [1 / 4, 1 / 4, 2 / 4]], atol=1e-6)
    np.testing.assert_allclose(routing.b[0], start, atol=1e-5)
    # All votes are (1, 1, 1, 1): s is as often that as the couplings of the digit sum to.
    np.testing.assert_allclose(routing.s[0][:, 0], [3 / 8, 4 / 8, 9 / 8], atol=1e-6)


@pytest.mark.parametrize("coupling", ["routing", "children"])
def test_huge_logits_take_all_and_do_not_overflow(coupling: str) -> None:
    start = np.array([[1000.0, 0.0], [-1000.0, 0.0]])
    c = reroute(np.zeros((2, 2, 4)), 1, coupling, start=start).c[0]
    # Over digits, capsule 0 goes to digit 0 and capsule 1 to digit 1; over children, digit 1 is shared evenly.
    expected = [[1, 0], [0, 1]] if coupling == "routing" else [[1, 0.5], [0, 0.5]]
    np.testing.assert_allclose(c, expected, atol=1e-7)


@pytest.mark.parametrize("coupling", ["routing", "children"])
def test_routing_goes_on_from_the_start(u_hat: np.ndarray, start: np.ndarray, coupling: str) -> None:
    couple = reference.over_digits if coupling == "routing" else reference.over_children
    steps = reference.routing(u_hat, 3, couple, start)
    assert_follows(reroute(u_hat, 3, coupling, start=start), steps)


@pytest.mark.parametrize(("coupling", "value"), [("uniform", 0.1), ("random", None)])
def test_couplings_not_made_from_logits_do_not_heed_the_start(
    u_hat: np.ndarray, start: np.ndarray, coupling: str, value: float | None
) -> None:
    routing = reroute(u_hat, 2, coupling, start=start)
    np.testing.assert_allclose(routing.b[0], start, atol=1e-6)
    expected = reroute(u_hat, 2, coupling).c if value is None else value
    np.testing.assert_allclose(routing.c, expected, atol=1e-7)


@pytest.mark.parametrize("iterations", [1, 3])
def test_logits_left_behind_hold_the_last_agreement_too(u_hat: np.ndarray, iterations: int) -> None:
    last = reference.routing(u_hat, iterations)[-1]
    expected = np.empty((PRIMARY, DIGITS))
    for i, j in product(range(PRIMARY), range(DIGITS)):
        expected[i, j] = last.b[i, j] + sum(float(u_hat[i, j, d]) * last.v[j, d] for d in range(16))
    left = carried_over(reroute(u_hat, iterations), u_hat)
    np.testing.assert_allclose(left, expected, atol=1e-5)
    # Another iteration would have entered with the same: carrying over is going on.
    np.testing.assert_allclose(left, reference.routing(u_hat, iterations + 1)[-1].b, atol=1e-5)


def test_routing_carried_over_to_its_own_votes_is_more_iterations(u_hat: np.ndarray) -> None:
    left = carried_over(reroute(u_hat, 2), u_hat)
    assert_follows(reroute(u_hat, 3, start=left), reference.routing(u_hat, 5)[2:])


@pytest.mark.parametrize("coupling", ["routing", "children"])
def test_silenced_capsules_vote_for_nothing(u_hat: np.ndarray, coupling: str) -> None:
    silenced = np.arange(PRIMARY) % 3 == 1
    zeroed = u_hat.copy()
    for i in range(PRIMARY):
        if i % 3 == 1:
            zeroed[i] = 0
    couple = reference.over_digits if coupling == "routing" else reference.over_children
    assert_follows(reroute(u_hat, 3, coupling, silenced=silenced), reference.routing(zeroed, 3, couple))


def test_silencing_is_leaving_out(u_hat: np.ndarray) -> None:
    silenced = np.zeros(PRIMARY, bool)
    silenced[[0, 5, 40, 71]] = True
    left = np.array([u_hat[i] for i in range(PRIMARY) if i not in (0, 5, 40, 71)])
    routing = reroute(u_hat, 3, silenced=silenced)
    for r, step in enumerate(reference.routing(left, 3)):
        np.testing.assert_allclose(routing.s[r], step.s, atol=1e-5)
        np.testing.assert_allclose(routing.v[r], step.v, atol=1e-5)
        np.testing.assert_allclose(routing.c[r][~silenced], step.c, atol=1e-5)
    np.testing.assert_allclose(routing.c[:, silenced], 0.1, atol=1e-7)  # they agree with nobody


def test_with_all_silenced_nothing_is_there(u_hat: np.ndarray) -> None:
    routing = reroute(u_hat, 3, silenced=np.ones(PRIMARY, bool))
    assert not routing.v.any()
    np.testing.assert_array_equal(routing.lengths, np.zeros(DIGITS))


@pytest.mark.parametrize("coupling", ADDING)
def test_votes_of_zero_give_finite_zeros(coupling: str) -> None:
    routing = reroute(np.zeros((PRIMARY, DIGITS, 16), np.float32), 10, coupling)
    for part in (routing.b, routing.s, routing.v, routing.lengths):
        np.testing.assert_array_equal(part, np.zeros(part.shape))
    assert np.isfinite(routing.c).all()


def test_inputs_are_left_as_they_were(u_hat: np.ndarray, start: np.ndarray) -> None:
    votes, logits, silenced = u_hat.copy(), start.astype(np.float32), np.arange(PRIMARY) < 10
    before = votes.copy(), logits.copy(), silenced.copy()
    mean = np.full((PRIMARY, DIGITS), 0.1, np.float32)
    for coupling in COUPLINGS:
        routing = reroute(votes, 3, coupling, start=logits, silenced=silenced, mean=mean)
        carried_over(routing, votes)
        for found, expected in zip((votes, logits, silenced), before, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_results_share_no_memory_with_the_inputs(u_hat: np.ndarray, start: np.ndarray) -> None:
    logits = start.astype(np.float32)
    routing = reroute(u_hat, 2, start=logits)
    for part in routing:
        assert not np.shares_memory(part, logits)
        assert not np.shares_memory(part, u_hat)


@pytest.mark.parametrize("iterations", [0, -1, 51, 2.5, 3.0, True, float("nan"), "x", "3", None, [3]])
def test_iterations_are_one_to_fifty(u_hat: np.ndarray, iterations: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        reroute(u_hat, iterations)
    reference.assert_one_sentence(caught.value, "1 to 50", repr(iterations))


def test_numpy_integers_are_whole_numbers(u_hat: np.ndarray) -> None:
    assert len(reroute(u_hat, np.int64(2)).v) == 2


@pytest.mark.parametrize("coupling", ["x", "", "Routing", None, 3, ["routing"], {}, b"routing"])
def test_unknown_couplings_are_refused_with_those_there_are(u_hat: np.ndarray, coupling: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        reroute(u_hat, 3, coupling)
    reference.assert_one_sentence(caught.value, repr(coupling), *COUPLINGS)


@pytest.mark.parametrize(
    "silenced",
    [
        np.zeros(71, bool),
        np.zeros((72, 1), bool),
        np.zeros((72, 10), bool),
        [True],
        False,
        np.zeros(72, int),  # which might be meant as a list of capsules
        np.zeros(72),
        ["x"] * 72,
        "x",
        {},
        [[True], [True, False]],
    ],
)
def test_silencing_must_name_every_capsule(u_hat: np.ndarray, silenced: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        reroute(u_hat, silenced=silenced)
    reference.assert_one_sentence(caught.value, 72)


@pytest.mark.parametrize("shape", [(), (10,), (72,), (10, 72), (72, 9), (1, 72, 10)])
def test_logits_must_be_one_for_each_coupling(u_hat: np.ndarray, shape: tuple[int, ...]) -> None:
    with pytest.raises(CapsvizError) as caught:
        reroute(u_hat, start=np.zeros(shape))
    reference.assert_one_sentence(caught.value, "72 x 10")


@pytest.mark.parametrize(
    ("types", "places"),
    [
        ((), ()),
        ((0,), ()),
        ((31,), ()),
        ((), (0,)),
        ((), (35,)),
        ((3, 7), ()),
        ((), (1, 6, 17)),
        ((3, 3, 20), (2, 8)),
    ],
)
def test_silence_takes_all_of_a_type_or_at_a_place(types: tuple[int, ...], places: tuple[int, ...]) -> None:
    mask = silence(reference.PAPER.grid, types, places)
    assert mask.shape == (1152,)
    assert mask.dtype == bool
    for kind, row, column in product(range(32), range(6), range(6)):
        expected = kind in types or row * 6 + column in places
        assert mask[(kind * 6 + row) * 6 + column] == expected


def test_silence_by_hand() -> None:
    """Two types: 1 has the indices 36 to 71; row 2, column 3 is place 15, at 15 and 36 + 15."""
    assert list(np.flatnonzero(silence(TWO_TYPES, types=(1,)))) == list(range(36, 72))
    assert list(np.flatnonzero(silence(TWO_TYPES, places=(2 * 6 + 3,)))) == [15, 51]
    assert list(np.flatnonzero(silence(TWO_TYPES, types=(0,), places=(15,)))) == [*range(36), 51]


def test_silence_on_a_grid_that_is_no_square_by_hand() -> None:
    """Three types of 2 rows and 4 columns: type 1 begins at 8; row 1, column 2 is place 6, at 6, 14 and 22."""
    grid = CapsuleGrid(types=3, rows=2, columns=4, field=5, stride=3)
    assert list(np.flatnonzero(silence(grid, types=[1]))) == list(range(8, 16))
    assert list(np.flatnonzero(silence(grid, places=[1 * 4 + 2]))) == [6, 14, 22]
    for chosen, last in (({"types": [3]}, 2), ({"places": [8]}, 7)):
        with pytest.raises(CapsvizError, match=f"from 0 to {last}"):
            silence(grid, **chosen)


def test_lists_are_taken_as_arrays_are(u_hat: np.ndarray, start: np.ndarray) -> None:
    silenced = np.arange(PRIMARY) % 5 == 0
    expected = reroute(u_hat, 3, start=start, silenced=silenced)
    for votes in (u_hat.tolist(), u_hat.astype(">f8"), np.asfortranarray(u_hat), torch.tensor(u_hat.copy())):
        found = reroute(votes, 3, start=start.tolist(), silenced=silenced.tolist())
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
        np.testing.assert_allclose(carried_over(found, votes), carried_over(expected, u_hat), atol=1e-5)


@pytest.mark.parametrize(
    "votes",
    [
        None,
        3,
        "votes",
        {},
        [],
        np.zeros((72, 10)),
        np.zeros((1, 72, 10, 16)),
        np.zeros((0, 10, 16)),
        np.zeros((72, 0, 16)),
        np.full((2, 3, 4), np.nan),
        np.full((2, 3, 4), np.inf),
        np.full((2, 3, 4), -1.1e6),
        np.full((2, 3, 4), 1e300),
        np.zeros((2, 3, 4), complex),
        np.full((2, 3, 4), "1"),
        [[[1.0], [2.0, 3.0]]],
        torch.zeros(2, 3, 4, requires_grad=True),
    ],
)
def test_what_is_no_array_of_votes_is_refused(u_hat: np.ndarray, votes: Any) -> None:
    for attempt in (lambda: reroute(votes), lambda: carried_over(reroute(u_hat), votes)):
        with pytest.raises(CapsvizError) as caught:
            attempt()
        reference.assert_one_sentence(caught.value, "otes")


@pytest.mark.parametrize("start", [None, "x", np.nan, np.inf, 1.1e6, -1e300, 1j])
def test_what_are_no_logits_are_refused(u_hat: np.ndarray, start: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        reroute(u_hat, start=np.full((72, 10), start))
    reference.assert_one_sentence(caught.value, "72 x 10 numbers")


@pytest.mark.parametrize("far", [1e6, -1e6])
def test_a_million_is_no_overflow(far: float) -> None:
    for coupling in COUPLINGS:
        routing = reroute(
            np.full((72, 2, 4), far), 10, coupling, start=np.full((72, 2), far), mean=np.full((72, 2), 0.5)
        )
        assert all(np.isfinite(part).all() for part in routing)
        assert np.isfinite(carried_over(routing, np.full((72, 2, 4), far))).all()


@pytest.mark.parametrize("wrong", [None, "x", 3, (), (np.zeros(3),) * 4])
def test_logits_are_carried_over_from_a_routing(u_hat: np.ndarray, wrong: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        carried_over(wrong, u_hat)
    reference.assert_one_sentence(caught.value, "routing")


@pytest.mark.parametrize("shape", [(71, 10, 16), (72, 9, 16), (72, 10, 15), (10, 72, 16)])
def test_logits_are_carried_over_with_the_routings_own_votes(
    u_hat: np.ndarray, shape: tuple[int, ...]
) -> None:
    with pytest.raises(CapsvizError, match="votes that it was made of"):
        carried_over(reroute(u_hat), np.zeros(shape))


def test_the_largest_seed_draws_and_the_next_is_refused(u_hat: np.ndarray) -> None:
    np.testing.assert_allclose(reroute(u_hat, 1, "random", seed=2**63 - 1).c.sum(axis=2), 1, atol=1e-6)
    for seed in (2**63, 10**400, 10**5000, -(10**5000)):
        with pytest.raises(CapsvizError) as caught:
            reroute(u_hat, 1, "random", seed=seed)
        reference.assert_one_sentence(caught.value, "whole number from 0")
        assert len(str(caught.value)) < 200
    for iterations in (10**400, 10**5000):
        with pytest.raises(CapsvizError, match="1 to 50 iterations"):
            reroute(u_hat, iterations)


@pytest.mark.parametrize("seed", [-1, 1.5, "x", None, True, [1]])
def test_a_seed_is_a_whole_number_from_zero(u_hat: np.ndarray, seed: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        reroute(u_hat, 3, "random", seed=seed)
    reference.assert_one_sentence(caught.value, repr(seed))


@pytest.mark.parametrize(
    ("chosen", "last"),
    [
        ({"types": (32,)}, 31),
        ({"types": (-1,)}, 31),
        ({"types": (0, 1.5)}, 31),
        ({"types": ("1",)}, 31),
        ({"types": (None,)}, 31),
        ({"types": (True,)}, 31),
        ({"types": (1.0,)}, 31),
        ({"places": (False, 3)}, 35),
        ({"places": (36,)}, 35),
        ({"places": (-1,)}, 35),
        ({"places": (3, 2.5)}, 35),
        ({"types": (0,), "places": (99,)}, 35),
        ({"types": ([3],)}, 31),
        ({"places": np.array([2.0])}, 35),
    ],
)
def test_types_and_places_that_are_not_there_are_refused(
    chosen: dict[str, tuple[Any, ...]], last: int
) -> None:
    with pytest.raises(CapsvizError) as caught:
        silence(reference.PAPER.grid, **chosen)
    wrong = next(reversed(chosen.values()))[-1]
    reference.assert_one_sentence(caught.value, repr(wrong), f"0 to {last}")
    assert ("place" if "places" in chosen else "type") in str(caught.value)


def test_a_small_network_has_fewer_types() -> None:
    with pytest.raises(CapsvizError, match="capsule type 2: they are counted from 0 to 1"):
        silence(TWO_TYPES, types=(2,))


@pytest.mark.parametrize("grid", [1152, 72.0, True, "72", None, (32, 6, 6), reference.PAPER])
def test_capsules_are_silenced_on_a_grid(grid: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        silence(grid)
    reference.assert_one_sentence(caught.value, "trace's grid")


@pytest.mark.parametrize("types", [1, 32, 1000])
def test_a_grid_of_any_number_of_types_has_a_mask(types: int) -> None:
    grid = replace(reference.PAPER.grid, types=types)
    assert not silence(grid).any()
    assert silence(grid, places=[35]).sum() == types
    assert np.flatnonzero(silence(grid, [types - 1]))[0] == 36 * (types - 1)


@pytest.mark.parametrize("chosen", [3, None, "12", b"12", 1.5, True])
def test_types_and_places_come_in_lists(chosen: Any) -> None:
    for name, said in (("types", "every capsule type"), ("places", "every place of the grid")):
        with pytest.raises(CapsvizError) as caught:
            silence(reference.PAPER.grid, **{name: chosen})
        reference.assert_one_sentence(caught.value, said, repr(chosen))


@pytest.mark.parametrize("form", [list, set, np.array, iter, dict.fromkeys])
def test_lists_of_any_kind_name_types_and_places(form: Any) -> None:
    found = silence(TWO_TYPES, form([1]), form([0, 15]))
    assert list(np.flatnonzero(found)) == [0, 15, *range(36, 72)]
