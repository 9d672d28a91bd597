"""The fast formulation equals the network of the paper, in values and in gradients."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import reference
import tiny
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.formulations import FORMULATIONS
from capsviz.layers import fast
from capsviz.layers.capsules import CapsNet, squash
from capsviz.models.weights import load_weights
from capsviz.networks.base import DEFAULT, find
from capsviz.traces.base import CapsuleGrid, Shape

# Float32 sums of 20,736 products in another order: 3e-6 was measured, a wrong term gives 1e-3 and more.
RELATIVE = 1e-5
# Bfloat16 keeps 8 binary digits, so a number is rounded by 2^-9 of itself at most. On the way to a capsule that happens
# 16 times: to image, kernel and result of the first convolution; matrix and result of both transforms; kernel, matrix
# and result of the spectra; four sums of products; matrix and result of the way back. A gradient goes both ways.
ROUNDED = 16 * 2**-9


@pytest.fixture(scope="module")
def net() -> CapsNet:
    """An untrained network whose primary capsules are as long as a trained one's."""
    torch.manual_seed(0)
    net = find(DEFAULT).build(find(DEFAULT))
    with torch.no_grad():
        net.primary.conv.weight.mul_(10)
    return net


def difference(ours: Tensor, theirs: Tensor) -> float:
    """Length of the difference, as a share of the length of ``theirs``."""
    return ((ours - theirs).norm() / theirs.norm()).item()


def batch(size: int) -> Tensor:
    """Noise, synthetic digits and, in a batch of five, an empty image."""
    images = torch.tensor(reference.synthetic_digits(size)[0]) / 255
    images[0] = torch.rand(28, 28, generator=torch.Generator().manual_seed(1))
    if size == 5:
        images[4] = 0
    return images


@pytest.mark.parametrize("iterations", [1, 3])
@pytest.mark.parametrize("size", [1, 5])
def test_equals_the_reference_in_values_and_gradients(net: CapsNet, size: int, iterations: int):
    images = batch(size)
    gradient = torch.randn(size, 10, 16, generator=torch.Generator().manual_seed(2))  # of the loss by v
    names, parameters = zip(*[(n, p) for n, p in net.named_parameters() if "decoder" not in n], strict=True)

    theirs = net(images, iterations).v
    ours = fast.class_capsules(net, images, iterations)
    assert ours.shape == theirs.shape == (size, 10, 16)
    assert difference(ours, theirs) < RELATIVE
    with torch.no_grad():
        assert difference(net(images, iterations + 1).v, theirs) > 1e-3  # a pass too many would be seen

    expected = torch.autograd.grad((theirs * gradient).sum(), parameters)
    found = torch.autograd.grad((ours * gradient).sum(), parameters)
    assert names == ("conv1.weight", "conv1.bias", "primary.conv.weight", "primary.conv.bias", "digits.W")
    for name, a, b in zip(names, found, expected, strict=True):
        assert difference(a, b) < RELATIVE, name


def test_trains_after_a_first_use_in_inference_mode(net: CapsNet):
    """Its constants are made at the first call; made in inference mode they must serve gradients too."""
    fast._transforms.cache_clear()
    with torch.inference_mode():
        fast.class_capsules(net, batch(1), 3)
    (gradient,) = torch.autograd.grad(fast.class_capsules(net, batch(1), 3).sum(), [net.conv1.weight])
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("iterations", [0, -1])
def test_needs_an_iteration_like_the_reference(net: CapsNet, iterations: int):
    with pytest.raises(ValueError, match="at least 1"), torch.no_grad():
        fast.class_capsules(net, batch(1), iterations)


def test_kept_spectra_change_nothing(net: CapsNet):
    images = batch(2)
    with torch.no_grad():
        kept = fast.class_capsules(net, images, 3, fast.kernel_spectra(net))
    torch.testing.assert_close(kept, fast.class_capsules(net, images, 3).detach(), rtol=0, atol=0)


@pytest.mark.parametrize("name", list(FORMULATIONS))
def test_what_it_is_timed_against_is_the_same_network(net: CapsNet, name: str):
    images = batch(5)
    parameters = [net.conv1.weight, net.primary.conv.weight, net.digits.W]
    v = FORMULATIONS[name](net, images, None)
    expected = net(images, 3).v
    assert difference(v, expected) < RELATIVE
    found, truth = (torch.autograd.grad(capsules.square().sum(), parameters) for capsules in (v, expected))
    for ours, theirs in zip(found, truth, strict=True):
        assert difference(ours, theirs) < 1e-4


@pytest.mark.parametrize("iterations", [1, 3])
def test_mixed_precision_is_off_by_its_roundings_alone(net: CapsNet, iterations: int):
    images = batch(5)
    gradient = torch.randn(5, 10, 16, generator=torch.Generator().manual_seed(2))  # of the loss by v
    parameters = [p for n, p in net.named_parameters() if "decoder" not in n]
    theirs = net(images, iterations).v
    ours = fast.class_capsules(net, images, iterations, mixed_precision=True)
    assert ours.dtype == torch.float32
    assert 1e-3 < difference(ours, theirs) < ROUNDED
    expected = torch.autograd.grad((theirs * gradient).sum(), parameters)
    found = torch.autograd.grad((ours * gradient).sum(), parameters)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == torch.float32
        assert 1e-3 < difference(ours, theirs) < 2 * ROUNDED


def test_mixed_precision_squashes_and_routes_in_single(net: CapsNet, monkeypatch: pytest.MonkeyPatch):
    types: list[torch.dtype] = []

    def spy(s: Tensor, dim: int = -1) -> Tensor:
        types.append(s.dtype)
        return squash(s, dim)

    monkeypatch.setattr(fast, "squash", spy)
    spectra = fast.kernel_spectra(net, mixed_precision=True)
    assert {part.dtype for part in spectra} == {torch.bfloat16}
    kept = fast.class_capsules(net, batch(2), 3, spectra)
    assert types == 4 * [torch.float32]  # primary capsules, and those of each iteration
    assert torch.equal(kept, fast.class_capsules(net, batch(2), 3, mixed_precision=True))


def test_single_precision_is_as_exact_after_mixed(net: CapsNet):
    """Each has constants of its own, whichever is asked for first."""
    fast._transforms.cache_clear()
    with torch.no_grad():
        fast.class_capsules(net, batch(2), 3, mixed_precision=True)
        assert difference(fast.class_capsules(net, batch(2), 3), net(batch(2), 3).v) < RELATIVE


def test_it_serves_networks_of_its_sizes_alone(net: CapsNet):
    assert fast.serves(net)
    assert not fast.serves(tiny.build(tiny.SPEC))
    assert not fast.serves(torch.nn.Linear(28, 10))
    grid = CapsuleGrid(types=2, rows=6, columns=6, field=17, stride=2)
    shape = Shape(28, ("a", "b", "c"), "digit", grid, components=3, pose=5, routing="dynamic", trained=2)
    other = CapsNet(shape, channels=4)  # of any number of filters, types, components and classes
    assert fast.serves(other)
    images = batch(2)
    assert difference(fast.class_capsules(other, images, 2), other(images, 2).v) < RELATIVE
    assert not fast.serves(
        CapsNet(replace(shape, grid=replace(grid, rows=8, columns=8, field=14)), 4, (7, 8))
    )


@pytest.mark.parametrize("iterations", [1, 3])
def test_the_trace_of_one_image_is_that_of_double_precision(iterations: int):
    """Of the shipped weights: the formulas of the paper, each written out, with a sum of 20,736 products in 53 bits."""
    weights = load_weights()
    net, shape = weights.net, weights.spec.shape
    exact = {name: parameter.detach().double() for name, parameter in net.named_parameters()}
    quick = fast.Quick(net)
    for image in batch(3):
        trace = quick.trace(image, iterations, shape)
        features = F.conv2d(image[None, None].double(), exact["conv1.weight"], exact["conv1.bias"]).relu()
        out = F.conv2d(features, exact["primary.conv.weight"], exact["primary.conv.bias"], stride=2)[0]
        s = out.view(32, 8, 36).transpose(1, 2).reshape(1152, 8)
        squared = s.square().sum(1, keepdim=True)
        u = s * squared.sqrt() / (1 + squared)
        u_hat = torch.einsum("ijdk,ik->ijd", exact["digits.W"], u)
        b = torch.zeros(1152, 10, dtype=torch.float64)
        for r in range(iterations):
            c = b.softmax(1)
            s = torch.einsum("ij,ijd->jd", c, u_hat)
            squared = s.square().sum(1, keepdim=True)
            v = s * squared.sqrt() / (1 + squared)
            for found, expected in ((trace.c[r], c), (trace.v[r], v)):
                assert np.abs(found - expected.numpy()).max() < 1e-6
            for found, expected in ((trace.b[r], b), (trace.s[r], s)):  # which are no shares of 1
                assert np.abs(found - expected.numpy()).max() < 3e-6
            b = b + torch.einsum("ijd,jd->ij", u_hat, v)
        for found, expected in ((trace.features, features[0]), (trace.u, u), (trace.u_hat, u_hat)):
            assert np.abs(found - expected.numpy()).max() < 3e-6


def test_laying_out_changes_the_order_in_memory_alone(net: CapsNet):
    other = copy.deepcopy(net)
    fast.lay_out(other)
    for name, parameter in net.named_parameters():
        assert torch.equal(parameter, other.get_parameter(name))
    # Outputs innermost: else each image would have them put so.
    assert other.primary.conv.weight.permute(2, 3, 1, 0).is_contiguous()
    assert other.digits.W.permute(0, 3, 1, 2).is_contiguous()
    assert difference(other(batch(2), 3).v, net(batch(2), 3).v) < RELATIVE
