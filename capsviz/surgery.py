"""Experiments on routing-by-agreement: the same votes û, coupled in another way.

The network itself is left as it is: each function starts from the prediction vectors that one image has
already made, so that whatever changes is the doing of routing alone.
"""

from typing import NamedTuple

import numpy as np

from capsviz.checks import whole_number
from capsviz.errors import CapsvizError
from capsviz.trace import GRID

MOST_ITERATIONS = 10
COUPLINGS = ("routing", "uniform", "random", "children")


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
    u_hat: np.ndarray,
    iterations: int = 3,
    coupling: str = "routing",
    *,
    seed: int = 0,
    start: np.ndarray | None = None,
    silenced: np.ndarray | None = None,
) -> Routing:
    """Procedure 1 on given votes, or one of its well-known distortions.

    Args:
        u_hat: [I, J, D] prediction vectors of one image.
        iterations: 1 to 10; 1 is uniform coupling, unless ``start`` is given.
        coupling: one of ``COUPLINGS``. "routing" is the paper's. "uniform" never leaves 1/J. "random" draws
            each primary capsule's J coefficients evenly from all that sum to 1, once for all iterations.
            "children" takes the softmax over the I primary capsules instead of the J digits.
        seed: of "random".
        start: [I, J] logits to begin with instead of 0, as if b had not been reset after another image;
            "uniform" and "random" do not look at b.
        silenced: [I] True for every primary capsule whose votes are taken for 0.

    Returns:
        All iterations, in float32.

    Raises:
        CapsvizError: if ``iterations``, ``coupling``, ``seed``, ``start`` or ``silenced`` is out of range.
    """
    count = whole_number(iterations)
    if count is None or not 1 <= count <= MOST_ITERATIONS:
        raise CapsvizError(f"Routing can run 1 to {MOST_ITERATIONS} iterations, not {iterations!r}.")
    if coupling not in COUPLINGS:
        raise CapsvizError(f"There is no coupling {coupling!r}: choose {', '.join(COUPLINGS)}.")
    start_of_draws = whole_number(seed)
    if start_of_draws is None or start_of_draws < 0:
        raise CapsvizError(f"A seed is a whole number from 0, not {seed!r}.")
    primary, digits, _ = u_hat.shape
    if silenced is not None and np.shape(silenced) != (primary,):
        raise CapsvizError(f"Say for each of the {primary} primary capsules whether it is silenced.")
    if start is not None and np.shape(start) != (primary, digits):
        raise CapsvizError(f"The logits to start from must be {primary} x {digits} numbers.")

    votes = np.array(u_hat.transpose(1, 0, 2), np.float32, order="C")  # [J, I, D], a copy
    if silenced is not None:
        votes[:, np.asarray(silenced, bool)] = 0
    b = np.zeros((digits, primary), np.float32) if start is None else np.array(start, np.float32).T
    if coupling == "random":
        drawn = np.random.default_rng(start_of_draws).dirichlet(np.ones(digits), primary).T.astype(np.float32)
    steps = []
    for _ in range(count):
        match coupling:
            case "routing":
                c = _softmax(b, axis=0)
            case "uniform":
                c = np.full_like(b, 1 / digits)
            case "random":
                c = drawn
            case "children":
                c = _softmax(b, axis=1)
        s = (c[:, None] @ votes)[:, 0]  # [J, 1, I] @ [J, I, D] -> [J, D]
        squared = np.square(s).sum(axis=1, keepdims=True)
        v = s * (np.sqrt(squared) / (1 + squared))
        steps.append((b.T, c.T, s, v))
        b = b + (votes @ v[:, :, None])[:, :, 0]
    return Routing(*(np.stack(part) for part in zip(*steps, strict=True)))


def carried_over(routing: Routing, u_hat: np.ndarray) -> np.ndarray:
    """[I, J] the logits that one image's routing, of all its votes, leaves behind where nobody resets them."""
    agreement = np.einsum("ijd,jd->ij", u_hat, routing.v[-1])
    logits: np.ndarray = routing.b[-1] + agreement
    return logits


def silence(primary: int, types: tuple[int, ...] = (), places: tuple[int, ...] = ()) -> np.ndarray:
    """Which primary capsules are of given types or at given places.

    Args:
        primary: their number I.
        types: capsule types, 0 to I / 36 - 1 (31 in the paper's network).
        places: places of the grid, row * 6 + column.

    Returns:
        [I] True for each capsule of one of the types, or at one of the places.

    Raises:
        CapsvizError: if there is no such type or place.
    """
    silenced = np.zeros((primary // GRID**2, GRID**2), bool)
    for axis, (name, chosen) in enumerate((("capsule type", types), ("place of the grid", places))):
        for index in chosen:
            if whole_number(index) not in range(silenced.shape[axis]):
                raise CapsvizError(
                    f"There is no {name} {index!r}: they are counted from 0 to {silenced.shape[axis] - 1}."
                )
    silenced[list(types)] = True
    silenced[:, list(places)] = True
    return silenced.ravel()


def _softmax(b: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(b - b.max(axis=axis, keepdims=True))
    shares: np.ndarray = e / e.sum(axis=axis, keepdims=True)
    return shares
