"""RoutingTrace: shapes, read-only arrays, and the quantities derived from them."""

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from capsviz.trace import RoutingTrace


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Two primary capsules, two digit capsules, two iterations: small enough to compute by hand."""
    u_hat = np.zeros((2, 2, 16), np.float32)
    u_hat[0, 0, :2] = [3, 4]
    u_hat[1, 0, :2] = [0, -2]
    u_hat[0, 1, 2] = 1
    c = np.full((2, 2, 2), 0.5, np.float32)
    c[1, 0] = [0.75, 0.25]
    s = np.einsum("rij,ijd->rjd", c, u_hat)
    squared = (s**2).sum(-1, keepdims=True)
    v = squared / (1 + squared) * s / np.sqrt(np.maximum(squared, 1e-30))
    return {
        "image": np.zeros((28, 28)),
        "features": np.zeros((256, 20, 20)),
        "u": np.zeros((2, 8)),
        "u_hat": u_hat,
        "b": np.zeros((2, 2, 2)),
        "c": c,
        "s": s,
        "v": v,
    }


@pytest.fixture
def trace(arrays: dict[str, np.ndarray]) -> RoutingTrace:
    return RoutingTrace(**arrays)


def test_derived_quantities_by_hand(trace: RoutingTrace) -> None:
    # s of digit 0 in the first iteration is (1.5, 1): |s|^2 = 3.25, so |v| = 3.25 / 4.25.
    assert trace.iterations == 2
    assert trace.lengths[0, 0] == pytest.approx(3.25 / 4.25, abs=1e-6)
    assert trace.prediction == 0
    direction = np.array([1.5, 1]) / np.sqrt(3.25)
    assert trace.agreement[0, 0, 0] == pytest.approx(3.25 / 4.25 * direction @ [3, 4], abs=1e-5)
    assert trace.agreement[0, 1, 0] == pytest.approx(3.25 / 4.25 * direction @ [0, -2], abs=1e-5)
    assert trace.share[0, 1, 0] == pytest.approx(0.5 * direction @ [0, -2], abs=1e-5)


def test_shares_sum_to_the_length_of_s(trace: RoutingTrace) -> None:
    np.testing.assert_allclose(trace.share.sum(axis=1), np.linalg.norm(trace.s, axis=2), atol=1e-5)


def test_shares_of_a_dead_capsule_are_zero(arrays: dict[str, np.ndarray]) -> None:
    arrays["v"] = np.zeros_like(arrays["v"])
    assert not RoutingTrace(**arrays).share.any()


@pytest.mark.parametrize(
    ("name", "shape"),
    [("image", (27, 28)), ("u", (2, 9)), ("u_hat", (3, 2, 16)), ("c", (3, 2, 2)), ("v", (2, 16))],
)
def test_shapes_that_do_not_belong_together_are_refused(
    arrays: dict[str, np.ndarray], name: str, shape: tuple[int, ...]
) -> None:
    # Another number of iterations, primary or digit capsules in one array than in the others.
    with pytest.raises(ValueError, match="has the shape"):
        RoutingTrace(**{**arrays, name: np.zeros(shape)})


def test_arrays_are_copies_and_stay_read_only(arrays: dict[str, np.ndarray], trace: RoutingTrace) -> None:
    arrays["u"][0, 0] = 7
    assert trace.u[0, 0] == 0
    for again in (trace, pickle.loads(pickle.dumps(trace)), replace(trace)):
        for field in fields(again):
            array = getattr(again, field.name)
            assert array.dtype == np.float32
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 1
