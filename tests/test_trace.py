"""RoutingTrace: shapes, read-only arrays, and the quantities derived from them."""

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
import reference
import torch

from capsviz.layers.capsules import CapsNet
from capsviz.traces.base import CapsuleGrid
from capsviz.traces.routing import RoutingTrace


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Two primary capsules, two class capsules, two iterations: small enough to compute by hand."""
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


# Two classes; two primary capsules, one above the other.
SHAPE = replace(reference.PAPER, classes=("0", "1"), grid=CapsuleGrid(1, 2, 1, field=17, stride=2))


@pytest.fixture
def trace(arrays: dict[str, np.ndarray]) -> RoutingTrace:
    return RoutingTrace(**arrays, shape=SHAPE)


def test_derived_quantities_by_hand(trace: RoutingTrace) -> None:
    # s of digit 0 in the first iteration is (1.5, 1): |s|^2 = 3.25, so |v| = 3.25 / 4.25.
    assert trace.iterations == 2
    assert trace.lengths[0, 0] == pytest.approx(3.25 / 4.25, abs=1e-6)
    assert trace.prediction == 0
    direction = np.array([1.5, 1]) / np.sqrt(3.25)
    assert trace.agreement[0, 0, 0] == pytest.approx(3.25 / 4.25 * direction @ [3, 4], abs=1e-5)
    assert trace.agreement[0, 1, 0] == pytest.approx(3.25 / 4.25 * direction @ [0, -2], abs=1e-5)
    assert trace.share[0, 1, 0] == pytest.approx(0.5 * direction @ [0, -2], abs=1e-5)


def test_the_prediction_is_made_after_the_last_iteration(arrays: dict[str, np.ndarray]) -> None:
    v = np.zeros((2, 2, 16))
    v[0, 0, 3], v[0, 1, 3] = 0.9, 0.2
    v[1, 0, 3], v[1, 1, 5] = 0.4, -0.6
    trace = RoutingTrace(**{**arrays, "v": v}, shape=SHAPE)
    assert trace.prediction == 1
    np.testing.assert_allclose(trace.lengths, [[0.9, 0.2], [0.4, 0.6]], atol=1e-6)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 5), (2, 3), (5, 1), (5, 5)])
def test_a_primary_capsule_sees_the_field_of_its_place(row: int, column: int) -> None:
    """Which pixels the network's capsules at one place depend on: those with a gradient."""
    torch.manual_seed(0)
    image = torch.rand(1, 28, 28, requires_grad=True)
    _, u = CapsNet(reference.PAPER).encode(image)
    at_place = u[0].unflatten(0, (32, 6, 6))[:, row, column]
    (gradient,) = torch.autograd.grad(at_place.sum(), image)
    rows, columns = gradient[0].numpy().nonzero()
    assert (rows.min(), columns.min()) == (2 * row, 2 * column)
    assert (rows.max() + 1, columns.max() + 1) == (2 * row + 17, 2 * column + 17)


def test_shares_sum_to_the_length_of_s(trace: RoutingTrace) -> None:
    np.testing.assert_allclose(trace.share.sum(axis=1), np.linalg.norm(trace.s, axis=2), atol=1e-5)


def test_shares_of_a_dead_capsule_are_zero(arrays: dict[str, np.ndarray]) -> None:
    arrays["v"] = np.zeros_like(arrays["v"])
    assert not RoutingTrace(**arrays, shape=SHAPE).share.any()


def test_entropy_is_highest_where_uniform_and_zero_where_one_digit_takes_all(
    arrays: dict[str, np.ndarray],
) -> None:
    # One row a case: uniform, one-hot, and 1/2, 1/4, 1/4, whose entropy is 1.5 bits.
    rows = np.array([[1 / 3, 1 / 3, 1 / 3], [0, 1, 0], [0.5, 0.25, 0.25]])
    arrays.update(
        u=np.zeros((3, 8)),
        u_hat=np.zeros((3, 3, 16)),
        b=np.zeros((2, 3, 3)),
        c=np.stack([np.full((3, 3), 1 / 3), rows]),
        s=np.zeros((2, 3, 16)),
        v=np.zeros((2, 3, 16)),
    )
    shape = replace(SHAPE, classes=("0", "1", "2"), grid=CapsuleGrid(3, 1, 1, field=17, stride=2))
    entropy = RoutingTrace(**arrays, shape=shape).entropy
    assert entropy.shape == (2, 3)
    np.testing.assert_allclose(entropy[0], np.log(3), atol=1e-6)
    np.testing.assert_allclose(entropy[1], [np.log(3), 0, 1.5 * np.log(2)], atol=1e-6)


def test_entropy_of_ten_digits_by_hand(arrays: dict[str, np.ndarray]) -> None:
    c = np.full((1, 1, 10), 0.1)
    c[0, 0, :2] = [0.15, 0.05]
    arrays.update(u=np.zeros((1, 8)), u_hat=np.zeros((1, 10, 16)), b=np.zeros((1, 1, 10)), c=c)
    arrays.update(s=np.zeros((1, 10, 16)), v=np.zeros((1, 10, 16)))
    # 0.15 ln(1/0.15) + 0.05 ln(1/0.05) + 8 * 0.1 ln 10 = 0.284568 + 0.149787 + 1.842068
    shape = replace(reference.PAPER, grid=CapsuleGrid(1, 1, 1, field=17, stride=2))
    assert RoutingTrace(**arrays, shape=shape).entropy[0, 0] == pytest.approx(2.276423, abs=2e-6)


def test_entropy_of_a_trace_is_read_only(trace: RoutingTrace) -> None:
    # c is 1/2, 1/2 everywhere but in the second iteration of capsule 0, where it is 3/4, 1/4.
    mixed = 0.75 * np.log(4 / 3) + 0.25 * np.log(4)
    np.testing.assert_allclose(trace.entropy, [[np.log(2)] * 2, [mixed, np.log(2)]], atol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        trace.entropy[...] = 1


@pytest.mark.parametrize(
    ("name", "shape"),
    [("image", (27, 28)), ("u", (2, 9)), ("u_hat", (3, 2, 16)), ("c", (3, 2, 2)), ("v", (2, 16))],
)
def test_shapes_that_do_not_belong_together_are_refused(
    arrays: dict[str, np.ndarray], name: str, shape: tuple[int, ...]
) -> None:
    # Another number of iterations, primary or class capsules in one array than in the others.
    with pytest.raises(ValueError, match="has the shape"):
        RoutingTrace(**{**arrays, name: np.zeros(shape)}, shape=SHAPE)


def test_arrays_are_copies_and_stay_read_only(arrays: dict[str, np.ndarray], trace: RoutingTrace) -> None:
    arrays["u"][0, 0] = 7
    assert trace.u[0, 0] == 0
    for again in (trace, pickle.loads(pickle.dumps(trace)), replace(trace)):
        assert again.shape == SHAPE
        for field in fields(again):
            if field.name == "shape":
                continue
            array = getattr(again, field.name)
            assert array.dtype == np.float32
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 1
