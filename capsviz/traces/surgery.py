"""Experiments on routing, by agreement or by attention: the same votes û, coupled in another way.

The network itself is left as it is: each function starts from the prediction vectors that one image has
already made, so that whatever changes is the doing of routing alone.
"""

from collections.abc import Iterable
from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from capsviz.arrays import real_array
from capsviz.checks import shown, whole_number
from capsviz.errors import CapsvizError
from capsviz.traces.base import CapsuleGrid
from capsviz.traces.rules import RULES, Outputs, softmax

MOST_ITERATIONS = 10  # of what the pages offer; a trace can have more
MOST_ROUNDS = 50  # of an experiment
# In the order in which they are offered: those of ``rules.RULES``, and those whose c stays as it is.
COUPLINGS = ("routing", "uniform", "mean", "random", "maxmin", "leaky", "distance", "inverted", "children")
WEIGHTINGS = ("attention", "uniform", "coupling", "prior")  # of attention routing
_FARTHEST = 1e6  # of votes and logits: far beyond any network's, and no sum or square of float32 overflows
_SEEDS = 2**63


class Routing(NamedTuple):
    """What every iteration read and made; R iterations, I primary and J digit capsules, D components."""

    b: np.ndarray  # [R, I, J] logits on entering the iteration
    c: np.ndarray  # [R, I, J] coupling coefficients
    s: np.ndarray  # [R, J, D] weighted sums
    v: np.ndarray  # [R, J, D] squashed outputs

    @property
    def lengths(self) -> np.ndarray:
        """[J] lengths |v| of the digit capsules after the last iteration."""
        return np.linalg.norm(self.v[-1], axis=1)


def reroute(
    u_hat: ArrayLike,
    iterations: int = 3,
    coupling: str = "routing",
    *,
    seed: int = 0,
    start: ArrayLike | None = None,
    silenced: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    bias: float = 0.0,
) -> Routing:
    """Procedure 1 on given votes, or with another rule.

    Args:
        u_hat: [I, J, D] prediction vectors of one image.
        iterations: 1 to 50; 1 is uniform coupling, unless ``start`` is given.
        coupling: one of ``COUPLINGS``. "routing" is the paper's; "maxmin", "leaky", "distance", "inverted" and "children"
            are those of ``rules.RULES``. "uniform" never leaves 1/J. "mean" stays with ``mean``. "random" draws each
            primary capsule's J coefficients evenly from all that sum to 1, once for all iterations.
        seed: of "random", 0 to 2**63 - 1.
        start: [I, J] logits to begin with instead of 0, as if b had not been reset after another image;
            "uniform", "mean" and "random" do not look at b.
        silenced: [I] True for every primary capsule whose votes are taken for 0.
        mean: [I, J] coefficients, of "mean".
        bias: added to each number of a sum before it is squashed; the authors' code begins with ``rules.BIAS``.

    Returns:
        All iterations, in float32.

    Raises:
        CapsvizError: if any of these is out of range, or of another kind.
    """
    count = whole_number(iterations)
    if count is None or not 1 <= count <= MOST_ROUNDS:
        raise CapsvizError(f"Routing can run 1 to {MOST_ROUNDS} iterations, not {shown(iterations)}.")
    if not isinstance(coupling, str) or coupling not in COUPLINGS:
        raise CapsvizError(f"There is no coupling {shown(coupling)}: choose {', '.join(COUPLINGS)}.")
    start_of_draws = whole_number(seed)
    if start_of_draws is None or not 0 <= start_of_draws < _SEEDS:
        raise CapsvizError(f"A seed is a whole number from 0 to 2**63 - 1, not {shown(seed)}.")
    if not isinstance(bias, Real) or isinstance(bias, bool) or not abs(bias) <= 1:
        raise CapsvizError(f"A bias is a number from -1 to 1, not {shown(bias)}.")
    given = _votes(u_hat)
    primary, digits, _ = given.shape
    votes = np.array(given.transpose(1, 0, 2), order="C")  # [J, I, D], a copy
    if silenced is not None:
        votes[:, _mask(silenced, primary)] = 0
    b = np.zeros((digits, primary), np.float32)
    if start is not None:
        b += _numbers(
            start, f"The logits to start from must be {primary} x {digits} numbers", (primary, digits)
        ).T
    match coupling:
        case "uniform":
            kept = np.full_like(b, 1 / digits)
        case "mean":
            wanted = f"The mean of c must be {primary} x {digits} numbers"
            kept = _numbers([] if mean is None else mean, wanted, (primary, digits)).T
        case "random":
            drawn = np.random.default_rng(start_of_draws).dirichlet(np.ones(digits), primary)
            kept = drawn.T.astype(np.float32)
        case _:
            kept = None
    rule = RULES.get(coupling, RULES["routing"])
    steps = []
    for _ in range(count):
        c = rule.couple(b) if kept is None else kept
        s = (c[:, None] @ votes)[:, 0] + np.float32(bias)  # [J, 1, I] @ [J, I, D] -> [J, D]
        squared = np.square(s).sum(axis=1, keepdims=True)
        v = s * (np.sqrt(squared) / (1 + squared))
        steps.append((b.T, c.T, s, v))
        b = rule.agree(b, votes, Outputs(s, v))
    return Routing(*(np.stack(part) for part in zip(*steps, strict=True)))


def carried_over(routing: Routing, u_hat: ArrayLike) -> np.ndarray:
    """[I, J] the logits that one image's routing, of all its votes, leaves behind where nobody resets them.

    Args:
        routing: of that image.
        u_hat: [I, J, D] the prediction vectors that it was made of.

    Raises:
        CapsvizError: if the votes are none, or not those of the routing by their number.
    """
    votes = _votes(u_hat)
    if not isinstance(routing, Routing) or votes.shape != (*routing.b[-1].shape, routing.v.shape[-1]):
        raise CapsvizError(
            "Logits are carried over from a routing and the votes that it was made of: give both."
        )
    logits: np.ndarray = routing.b[-1] + np.einsum("ijd,jd->ij", votes, routing.v[-1])
    return logits


class Attended(NamedTuple):
    """What self-attention routing read and made, in its one pass; axes as in ``Routing``."""

    score: np.ndarray  # [I, J] how much the votes for a class attend to this one, all together
    c: np.ndarray  # [I, J] coupling coefficients
    weight: np.ndarray  # [I, J] what a vote counts in the sum
    s: np.ndarray  # [J, D] weighted sums
    v: np.ndarray  # [J, D] squashed outputs

    @property
    def lengths(self) -> np.ndarray:
        """[J] lengths |v| of the class capsules."""
        return np.linalg.norm(self.v, axis=1)


def reattend(
    u_hat: ArrayLike, prior: ArrayLike, weighting: str = "attention", *, silenced: ArrayLike | None = None
) -> Attended:
    """Self-attention routing (Eq. 5 to 7 and 3 of arXiv:2101.12491) on given votes, or with other weights.

    Args:
        u_hat: [I, J, D] prediction vectors of one image.
        prior: [I, J] what the network has learnt to add to c.
        weighting: one of ``WEIGHTINGS``. "attention" is the paper's: c + prior, c being the softmax of the scores over
            the J classes. "uniform" has 1/J for every c, and adds the prior. "coupling" leaves the prior out, "prior"
            leaves c out.
        silenced: [I] True for every primary capsule whose votes are taken for 0: nothing attends to them either.

    Returns:
        The one pass, in float32.

    Raises:
        CapsvizError: if any of these is out of range, or of another kind.
    """
    if not isinstance(weighting, str) or weighting not in WEIGHTINGS:
        raise CapsvizError(f"There is no weighting {shown(weighting)}: choose {', '.join(WEIGHTINGS)}.")
    votes = np.array(_votes(u_hat))  # a copy
    primary, classes, components = votes.shape
    learnt = _numbers(prior, f"The prior must be {primary} x {classes} numbers", (primary, classes))
    if silenced is not None:
        votes[_mask(silenced, primary)] = 0
    # The attention of all votes to one is its product with their sum.
    score = np.einsum("ijd,jd->ij", votes, votes.sum(axis=0)) / np.sqrt(np.float32(components))
    c = np.full_like(score, 1 / classes) if weighting == "uniform" else softmax(score, axis=1)
    match weighting:
        case "coupling":
            weight = c
        case "prior":
            weight = learnt
        case _:
            weight = c + learnt
    s = np.einsum("ij,ijd->jd", weight, votes)
    length = np.linalg.norm(s, axis=1, keepdims=True)
    v = s * (-np.expm1(-length) / np.maximum(length, np.finfo(np.float32).tiny))
    return Attended(score, c, weight, s, v)


def silence(grid: CapsuleGrid, types: Iterable[int] = (), places: Iterable[int] = ()) -> np.ndarray:
    """Which primary capsules are of given types or at given places.

    Args:
        grid: where they sit (``RoutingTrace.grid``).
        types: capsule types, from 0 (to 31 in the paper's network).
        places: places of the grid, row * columns + column.

    Returns:
        [I] True for each capsule of one of the types, or at one of the places.

    Raises:
        CapsvizError: if there is no such type or place.
    """
    if not isinstance(grid, CapsuleGrid):
        raise CapsvizError(
            f"Capsules are silenced by where they sit: give a trace's grid, not {shown(grid)}."
        )
    silenced = np.zeros((grid.types, grid.places), bool)
    for name, chosen, capsules in (
        ("capsule type", types, silenced),
        ("place of the grid", places, silenced.T),
    ):
        if not isinstance(chosen, Iterable) or isinstance(chosen, str | bytes):
            raise CapsvizError(f"Give a list of every {name} to silence, not {shown(chosen)}.")
        for given in chosen:
            index = whole_number(given)
            if index is None or not 0 <= index < len(capsules):
                raise CapsvizError(
                    f"There is no {name} {shown(given)}: they are counted from 0 to {len(capsules) - 1}."
                )
            capsules[index] = True
    return silenced.ravel()


def _votes(u_hat: ArrayLike) -> np.ndarray:
    """float32 [I, J, D] of any size, of prediction vectors."""
    return _numbers(u_hat, "Votes must be an array of primary capsules x classes x components")


def _numbers(values: ArrayLike, wanted: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """float32 of an array of ``shape``, or without one of three axes; ``wanted`` says in words which."""
    try:
        array = real_array(values)
    except ValueError as error:
        raise CapsvizError(f"{wanted}: {error}.") from error
    fits = array.shape == shape if shape else array.ndim == 3 and array.size
    if not fits:
        raise CapsvizError(f"{wanted}, not of shape {array.shape}.")
    if not (np.abs(array) <= _FARTHEST).all():
        raise CapsvizError(f"{wanted}, finite and at most {_FARTHEST:,.0f}: these are not.")
    return array


def _mask(silenced: ArrayLike, primary: int) -> np.ndarray:
    try:
        mask = np.asarray(silenced)
    except (TypeError, ValueError, RuntimeError):
        mask = np.empty(0)
    if mask.dtype != bool or mask.shape != (primary,):
        raise CapsvizError(
            f"Say True or False for each of the {primary} primary capsules, whether it is silenced."
        )
    return mask
