"""The network against the paper: by hand, and against slow NumPy (``reference.py``).

One test stands guard over each mistake made in well-known implementations. Those made in training (decoder
masked with the prediction, loss on softmaxed lengths, test images augmented) are in ``test_train.py``.
"""

from dataclasses import replace

import numpy as np
import pytest
import reference
import torch
from torch import Tensor, nn

from capsviz.layers import capsules, fast
from capsviz.layers.capsules import (
    NO_CLASS,
    CapsNet,
    ClassCapsules,
    Decoder,
    PrimaryCapsules,
    dynamic_routing,
    margin_loss,
    mask,
    reconstruction_loss,
    squash,
)
from capsviz.traces.base import RECONSTRUCTION_WEIGHT, Shape


@pytest.fixture(scope="module")
def net() -> CapsNet:
    """An untrained network whose primary capsules are as long as a trained one's (median 0.93)."""
    torch.manual_seed(0)
    net = CapsNet(reference.PAPER)
    with torch.no_grad():
        net.primary.conv.weight.mul_(10)
    return net


@pytest.fixture(scope="module")
def images() -> Tensor:
    pixels, _ = reference.synthetic_digits(3)
    return torch.tensor(pixels) / 255


@pytest.fixture(scope="module")
def u_and_weights() -> tuple[Tensor, Tensor]:
    """Primary capsules [2, I, K] and W [I, J, D, K] that route as a trained network's do.

    Nearly all capsules are long; a few dozen of each image agree on one digit (7, then 2) and pull their
    couplings far from 1/10, the rest hardly vote.
    """
    random = np.random.default_rng(0)
    u = random.normal(size=(2, 1152, 8))
    u *= random.uniform(0.84, 0.99, (2, 1152, 1)) / np.linalg.norm(u, axis=2, keepdims=True)
    W = random.normal(scale=0.05, size=(1152, 10, 16, 8))
    for image, digit in enumerate((7, 2)):
        direction = random.normal(size=16)
        direction /= np.linalg.norm(direction)
        for i in range(100 * image, 100 * image + 60):
            W[i, digit] += random.exponential(0.4) * np.outer(direction, u[image, i])
    return torch.tensor(u, dtype=torch.float32), torch.tensor(W, dtype=torch.float32)


@pytest.fixture(scope="module")
def u_hat(u_and_weights: tuple[Tensor, Tensor]) -> Tensor:
    """Prediction vectors [2, J, I, D] of ``u_and_weights``, by the layer itself."""
    u, W = u_and_weights
    layer = ClassCapsules(1152, 10, 16, 8)
    with torch.no_grad():
        layer.W.copy_(W)
        return layer(u)


# --- squash ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("s", "v"),
    [
        ([3.0, 4.0], [0.6 * 25 / 26, 0.8 * 25 / 26]),
        ([0.0, -1.0], [0.0, -0.5]),
        ([0.1, 0.0], [0.01 / 1.01, 0.0]),
        ([0.0, 0.0], [0.0, 0.0]),
        ([6e4, 8e4], [0.6, 0.8]),
    ],
)
def test_squash_by_hand(s: list[float], v: list[float]):
    np.testing.assert_allclose(squash(torch.tensor(s)), v, rtol=1e-6)
    np.testing.assert_allclose(reference.squash(np.array(s)), v, rtol=1e-6)


def test_squash_along_another_axis():
    s = torch.tensor([[3.0, 0.0], [4.0, 1.0]])
    np.testing.assert_allclose(squash(s, dim=0), [[0.6 * 25 / 26, 0], [0.8 * 25 / 26, 0.5]], rtol=1e-6)


def test_zero_vector_has_finite_gradient():
    s = torch.zeros(16, requires_grad=True)
    squash(s).sum().backward()
    np.testing.assert_allclose(s.grad, 0, atol=1e-18)


def test_dead_capsule_leaves_its_neighbours_gradients_alone():
    alive = torch.tensor([[3.0, 4.0], [0.5, -0.5]])
    gradients = []
    for dead in (alive[:0], torch.zeros(1, 2)):
        s = torch.cat([alive, dead]).requires_grad_()
        squash(s).sum().backward()
        gradients.append(s.grad)
    assert torch.equal(gradients[0], gradients[1][:2])
    np.testing.assert_allclose(gradients[1][2], 0, atol=1e-18)


def test_dead_capsules_in_the_network_make_no_nan(net: CapsNet, images: Tensor):
    conv, W = net.primary.conv, net.digits.W
    saved = conv.weight.detach().clone(), conv.bias.detach().clone(), W.detach().clone()
    try:
        with torch.no_grad():
            conv.weight[:8] = 0  # all primary capsules of the first type
            conv.bias[:8] = 0
            W[:, 3] = 0  # digit capsule 3
        out = net(images)
        assert out.u[:, :36].abs().max() == 0
        assert out.lengths[:, 3].max() == 0
        margin_loss(out.lengths, torch.tensor([3, 4, 5])).backward()
        for name, parameter in net.named_parameters():
            if not name.startswith("decoder"):
                assert parameter.grad.isfinite().all(), name
    finally:
        with torch.no_grad():
            for parameter, value in zip((conv.weight, conv.bias, W), saved, strict=True):
                parameter.copy_(value)
        net.zero_grad()


# --- layers ---------------------------------------------------------------------------------------------


def test_parameter_counts(net: CapsNet):
    # Other implementations count 8,227,088 = 8,215,568 + 1152 x 10: they also train the priors of the
    # routing logits, one for each pair of capsules. Procedure 1 starts every image from b = 0.
    assert sum(p.numel() for p in net.parameters()) == 8_215_568
    assert net.digits.W.numel() == 1_474_560
    assert 8_215_568 + 1152 * 10 == 8_227_088


def test_shapes_of_the_convolutions(net: CapsNet):
    assert net.conv1.weight.shape == (256, 1, 9, 9)
    assert net.conv1.stride == (1, 1)
    assert net.primary.conv.weight.shape == (256, 256, 9, 9)
    assert net.primary.conv.stride == (2, 2)
    assert net.digits.W.shape == (1152, 10, 16, 8)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (replace(reference.PAPER, grid=replace(reference.PAPER.grid, rows=5)), "to 6 x 6 places"),
        (replace(reference.PAPER, grid=replace(reference.PAPER.grid, columns=5)), "not to 6 x 5"),
        (replace(reference.PAPER, grid=replace(reference.PAPER.grid, field=16)), "fields of 17"),
        (replace(reference.PAPER, grid=replace(reference.PAPER.grid, stride=1)), "to 12 x 12 places"),
        (replace(reference.PAPER, size=29), "on 29 pixels lead to 7 x 7"),
        (Shape(28, ("0", "1"), "digit"), "has a grid"),
    ],
)
def test_convolutions_that_do_not_lead_to_the_grid(shape: Shape, said: str):
    with pytest.raises(ValueError, match=said) as caught:
        CapsNet(shape)
    reference.assert_one_sentence(caught.value)


def test_primary_capsule_is_taken_across_filters_at_one_position():
    """Filter f looks at one pixel of one map and scales it by a[f], so every capsule is known."""
    layer = PrimaryCapsules(reference.PAPER.grid, 8, 256, 9)
    a = np.arange(1, 257) / 100
    image = np.random.default_rng(1).normal(size=(20, 20))
    features = torch.zeros(1, 256, 20, 20)
    features[0, 5] = torch.tensor(image)
    with torch.no_grad():
        layer.conv.weight.zero_()
        layer.conv.bias.zero_()
        layer.conv.weight[:, 5, 0, 0] = torch.tensor(a)
        u = layer(features)[0].numpy()
    for kind, row, column in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (17, 3, 2), (31, 5, 5)]:
        expected = reference.squash(image[2 * row, 2 * column] * a[8 * kind : 8 * kind + 8])
        np.testing.assert_allclose(u[36 * kind + 6 * row + column], expected, rtol=1e-5, atol=1e-6)


def test_primary_capsules_against_numpy(net: CapsNet, images: Tensor):
    with torch.no_grad():
        features, u = net.encode(images)
        maps = net.primary.conv(features)
    assert features.shape == (3, 256, 20, 20)
    assert features.min() == 0
    np.testing.assert_allclose(u[2], reference.primary_capsules(maps[2].numpy()), atol=1e-6)


def test_prediction_vectors_against_numpy(u_and_weights: tuple[Tensor, Tensor], u_hat: Tensor):
    u, W = u_and_weights
    expected = reference.prediction_vectors(u[1].numpy(), W.numpy())
    np.testing.assert_allclose(u_hat[1].transpose(0, 1), expected, atol=1e-6)


def test_weights_are_not_shared_over_the_grid(u_and_weights: tuple[Tensor, Tensor]):
    layer = ClassCapsules(1152, 10, 16, 8)
    u = u_and_weights[0][:1]
    with torch.no_grad():
        before = layer(u)
        layer.W[40, 7] += 1  # primary capsule 40: the second type, row 0, column 4
        changed = (layer(u) != before).any(dim=3)[0]  # [J, I]
    assert changed.nonzero().tolist() == [[7, 40]]


def test_decoder_layers():
    layers = list(Decoder(160, (512, 1024), 28))
    sizes = [(layer.in_features, layer.out_features) for layer in layers if isinstance(layer, nn.Linear)]
    assert sizes == [(160, 512), (512, 1024), (1024, 784)]
    assert [type(layer) for layer in layers[1::2]] == [nn.ReLU, nn.ReLU, nn.Sigmoid]


def test_decoder_draws_row_by_row():
    decoder = Decoder(160, (512, 1024), 28)
    with torch.no_grad():
        decoder[4].weight.zero_()
        decoder[4].bias.zero_()
        decoder[4].bias[28 * 3 + 5] = 100
        images = decoder(torch.zeros(2, 10, 16))
    assert images.shape == (2, 28, 28)
    assert images[1, 3, 5] == 1
    assert images[1].sum() == 1 + 783 * 0.5


def test_mask_keeps_one_pose():
    v = torch.rand(2, 10, 16) + 1
    masked = mask(v, torch.tensor([3, 0]))
    assert torch.equal(masked[0, 3], v[0, 3])
    assert torch.equal(masked[1, 0], v[1, 0])
    assert int((masked != 0).sum()) == 2 * 16


# --- routing --------------------------------------------------------------------------------------------


def test_routing_fixture_is_like_a_trained_network(u_hat: Tensor):
    """Else the comparisons below would prove little: couplings must leave 1/10, winners must be long."""
    last = dynamic_routing(u_hat, 3)[-1]
    lengths = last.v.norm(dim=2)
    assert lengths.argmax(1).tolist() == [7, 2]
    assert lengths.amax(1).min() > 0.8
    assert lengths.amax(1).max() < 0.99
    assert last.c.amax((1, 2)).min() > 0.3
    assert last.c.amax((1, 2)).max() < 0.6


@pytest.mark.parametrize("iterations", [1, 2, 3, 4, 5])
def test_routing_against_numpy_at_every_iteration(u_hat: Tensor, iterations: int):
    steps = dynamic_routing(u_hat, iterations)
    assert len(steps) == iterations
    for image in range(2):
        expected = reference.routing(u_hat[image].transpose(0, 1).numpy(), iterations)
        for ours, theirs in zip(steps, expected, strict=True):
            np.testing.assert_allclose(ours.b[image].T, theirs.b, atol=1e-5)
            np.testing.assert_allclose(ours.c[image].T, theirs.c, atol=1e-5)
            np.testing.assert_allclose(ours.s[image], theirs.s, atol=1e-5)
            np.testing.assert_allclose(ours.v[image], theirs.v, atol=1e-5)


def test_couplings_start_uniform_and_sum_to_one_over_the_digits(u_hat: Tensor):
    steps = dynamic_routing(u_hat, 5)
    assert steps[0].b.abs().max() == 0
    np.testing.assert_allclose(steps[0].c, 0.1, rtol=1e-6)
    for step in steps:
        np.testing.assert_allclose(step.c.sum(1), 1, rtol=1e-5)  # [B, J, I]: over J
    over_children = steps[-1].c.sum(2)
    assert (over_children - 1).abs().min() > 10  # about 115 each


def test_one_logit_for_each_pair_of_capsules(u_hat: Tensor):
    for step in dynamic_routing(u_hat, 3):
        assert step.b.shape == step.c.shape == (2, 10, 1152)
        assert step.s.shape == step.v.shape == (2, 10, 16)


@pytest.mark.parametrize("iterations", [1, 3])
def test_passes_are_counted_right(u_hat: Tensor, iterations: int, monkeypatch: pytest.MonkeyPatch):
    """Three iterations squash three times: no pass before the loop, none after it."""
    passes = []
    monkeypatch.setattr(capsules, "squash", lambda s: passes.append(s) or squash(s))
    dynamic_routing(u_hat, iterations)
    assert len(passes) == iterations


@pytest.mark.parametrize("iterations", [0, -1])
def test_routing_needs_an_iteration(u_hat: Tensor, iterations: int):
    with pytest.raises(ValueError, match="at least 1"):
        dynamic_routing(u_hat, iterations)


def test_an_image_is_routed_independently_of_its_batch_mates(u_hat: Tensor):
    together, alone = dynamic_routing(u_hat, 3), dynamic_routing(u_hat[:1], 3)
    assert (together[2].b[0] - together[2].b[1]).abs().max() > 0.1  # averaged logits would be equal
    for ours, theirs in zip(together, alone, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a[:1], b, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_the_network_answers_alike_in_batches_of_any_size(net: CapsNet, images: Tensor, batch: int):
    with torch.no_grad():
        whole, part = net(images), net(images[:batch])
    assert part.v.shape == (batch, 10, 16)
    assert part.lengths.shape == (batch, 10)
    np.testing.assert_allclose(part.v, whole.v[:batch], atol=1e-5)


def test_gradient_of_weights_takes_the_couplings_as_constants(u_and_weights: tuple[Tensor, Tensor]):
    """By hand: with c constant, dL/dW_ij = sum over the images of c_ij (dL/ds_j) u_i'."""
    u, W = u_and_weights
    layer = ClassCapsules(1152, 10, 16, 8)
    with torch.no_grad():
        layer.W.copy_(W)
    g = torch.randn(2, 10, 16, generator=torch.Generator().manual_seed(0))  # dL/dv
    steps = dynamic_routing(layer(u), 3)
    assert [step.v.requires_grad for step in steps] == [False, False, True]
    assert not steps[-1].c.requires_grad
    (steps[-1].v * g).sum().backward()

    c, s, g = steps[-1].c.double(), steps[-1].s.detach().double(), g.double()
    n = s.norm(dim=2, keepdim=True)
    # v = f(n) s with f = n / (1 + n^2), so dL/ds = f g + (f'/n) (s.g) s.
    slope = (1 - n**2) / (1 + n**2) ** 2
    ds = n / (1 + n**2) * g + slope / n * (s * g).sum(2, keepdim=True) * s
    expected = torch.einsum("bji,bjd,bik->ijdk", c, ds, u.double())
    assert (layer.W.grad - expected).norm() / expected.norm() < 1e-5

    # Through all iterations it would be another gradient: the test can tell the two apart.
    free = W.clone().requires_grad_()
    votes = torch.einsum("ijdk,bik->bjid", free, u)
    b = torch.zeros(2, 10, 1152)
    for _ in range(3):
        v = squash(torch.einsum("bji,bjid->bjd", b.softmax(1), votes))
        b = b + torch.einsum("bjid,bjd->bji", votes, v)
    np.testing.assert_allclose(v.detach(), steps[-1].v.detach(), atol=1e-5)  # same values
    (v * g).sum().backward()
    assert (free.grad - expected).norm() / expected.norm() > 0.01


def test_whole_network_against_numpy(net: CapsNet, images: Tensor):
    with torch.no_grad():
        features, _ = net.encode(images[:1])
        maps = net.primary.conv(features)[0].numpy()
        out = net(images[:1], iterations=3)
        quick = fast.class_capsules(net, images[:1], iterations=3)
    u = reference.primary_capsules(maps)
    W = net.digits.W.detach().numpy()
    v = reference.routing(reference.prediction_vectors(u, W), 3)[2].v
    np.testing.assert_allclose(out.v[0], v, atol=1e-5)
    np.testing.assert_allclose(quick[0], v, atol=1e-5)
    np.testing.assert_allclose(out.lengths[0], np.linalg.norm(v, axis=1), atol=1e-5)


# --- losses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lengths", "loss"),
    [
        ([0.9, 0.1, 0.0], 0.0),  # all within the margins: softmaxed or unsquared, it would not be 0
        ([0.5, 0.1, 0.0], 0.4**2),  # missed by 0.4
        ([1.0, 0.3, 0.0], 0.5 * 0.2**2),  # claimed 0.2 too much, with weight 0.5
        ([0.0, 0.6, 1.0], 0.9**2 + 0.5 * (0.5**2 + 0.9**2)),
    ],
)
def test_margin_loss_by_hand(lengths: list[float], loss: float):
    """The true digit is 0; the digits from 3 on have length 0."""
    row = torch.zeros(1, 10)
    row[0, :3] = torch.tensor(lengths)
    assert margin_loss(row, torch.tensor([0])).item() == pytest.approx(loss, abs=1e-7)
    assert reference.margin_loss(row.numpy(), np.array([0])) == pytest.approx(loss, abs=1e-7)


def test_margin_loss_of_what_is_no_digit_by_hand():
    """T_k = 0 for all k: 0.5 (0.3 - 0.1)^2 + 0.5 (0.9 - 0.1)^2, and nothing for what is at most 0.1."""
    row = torch.tensor([[0.3, 0.9, 0.1, 0.05] + [0.0] * 6])
    assert margin_loss(row, torch.tensor([NO_CLASS])).item() == pytest.approx(0.02 + 0.32, abs=1e-6)
    both = margin_loss(row.repeat(2, 1), torch.tensor([NO_CLASS, 1]))
    assert both.item() == pytest.approx((0.34 + 0.02) / 2, abs=1e-6)  # for the digit 1 only 0.3 costs


def test_no_digit_keeps_no_pose():
    v = torch.ones(2, 10, 16)
    kept = mask(v, torch.tensor([NO_CLASS, 9]))
    assert not kept[0].any()
    assert kept[1].sum() == 16


def test_margin_loss_is_the_mean_over_the_batch():
    lengths = torch.rand(6, 10, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([0, 9, 4, 4, 1, 7])
    expected = reference.margin_loss(lengths.numpy(), target.numpy())
    assert margin_loss(lengths, target).item() == pytest.approx(expected, rel=1e-6)


def test_reconstruction_error_is_summed_over_the_pixels():
    drawn, seen = torch.full((2, 28, 28), 0.5), torch.zeros(2, 28, 28)
    seen[1] = 1.0
    drawn[1, 0, 0] = 1.0
    assert reconstruction_loss(drawn, seen).item() == pytest.approx((784 * 0.25 + 783 * 0.25) / 2)
    assert RECONSTRUCTION_WEIGHT == 0.0005


def test_reconstructions_can_reach_what_they_are_compared_with(net: CapsNet):
    """The decoder ends in a sigmoid, so pixels must be in 0..1 and not normalised."""
    with torch.no_grad():
        drawn = net.decoder(100 * torch.randn(2, 10, 16))
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert drawn.max() - drawn.min() > 0.5
