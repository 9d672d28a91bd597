"""Self-attention routing in slow NumPy, written from the equations of arXiv:2101.12491, and a made-up trace of it."""

import math
from dataclasses import dataclass

import numpy as np

from capsviz.traces.attention import AttentionTrace
from capsviz.traces.base import CapsuleGrid, Shape


@dataclass
class Pass:
    """What one pass makes of votes: score, c and weight [I, J], attention [J, I, I], s and v [J, D]."""

    attention: np.ndarray
    score: np.ndarray
    c: np.ndarray
    weight: np.ndarray
    s: np.ndarray
    v: np.ndarray


def attend(
    u_hat: np.ndarray, prior: np.ndarray, c: float | None = None, with_c: bool = True, with_prior: bool = True
) -> Pass:
    """Loops where the paper has indices, in float64; ``c`` stands for every coefficient if it is given."""
    I, J, D = u_hat.shape
    votes = u_hat.astype(float)
    attention = np.zeros((J, I, I))
    for j in range(J):
        for i in range(I):
            for k in range(I):
                attention[j, i, k] = sum(votes[i, j, d] * votes[k, j, d] for d in range(D)) / math.sqrt(D)
    score = np.array([[sum(attention[j, i]) for j in range(J)] for i in range(I)])
    coefficients = np.array([[math.exp(e) for e in row] for row in score])
    coefficients /= coefficients.sum(axis=1, keepdims=True)
    if c is not None:
        coefficients = np.full((I, J), c)
    weight = with_c * coefficients + with_prior * prior.astype(float)
    s = np.array([sum(weight[i, j] * votes[i, j] for i in range(I)) for j in range(J)])
    v = np.zeros_like(s)
    for j in range(J):
        length = math.sqrt(sum(s[j] ** 2))
        if length:
            v[j] = (1 - math.exp(-length)) * s[j] / length
    return Pass(attention, score, coefficients, weight, s, v)


def made_up(classes: tuple[str, ...] = ("ash", "b", "c"), primary: int = 5, seed: int = 4) -> AttentionTrace:
    """A trace in which the second class wins, every number is another, and weights of both signs occur."""
    rng = np.random.default_rng(seed)
    components, pose, size, J = 3, 4, 8, len(classes)
    towards = rng.normal(0, 1, (J, pose))
    u_hat = 0.4 * rng.normal(0, 1, (primary, J, pose)) + 0.2 * towards
    u_hat[:, 1] += 0.2 * towards[1]
    u_hat = u_hat.astype(np.float32)
    prior = rng.normal(0, 0.3, (primary, J)).astype(np.float32)
    made = attend(u_hat, prior)
    shape = Shape(
        size=size,
        classes=classes,
        kind="shape",
        grid=CapsuleGrid(types=primary, rows=1, columns=1, field=size, stride=1),
        components=components,
        pose=pose,
        routing="attention",
    )
    return AttentionTrace(
        image=rng.random((size, size)),
        features=np.zeros((1, 2, 2)),
        u=rng.normal(0, 0.4, (primary, components)),
        u_hat=u_hat,
        b=made.score[None],
        c=made.c[None],
        s=made.s[None],
        v=made.v[None],
        shape=shape,
        prior=prior,
    )
