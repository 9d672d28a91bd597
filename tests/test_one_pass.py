"""The networks that do not iterate, against NumPy written from the paper (arXiv:2101.12491), and what they add up to."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load as load_tensors

from capsviz.inputs.data import NO_CLASS
from capsviz.layers.attention import AttentionNet, attention_routing, squash
from capsviz.layers.capsules import cross_entropy, reconstruction_loss
from capsviz.layers.plain import PlainNet
from capsviz.layers.trunk import Trunk
from capsviz.models.weights import pack
from capsviz.networks.base import find
from capsviz.traces.base import PROBABILITY, CapsuleGrid, Shape
from capsviz.training.objective import Objective
from capsviz.training.result import mean_into
from capsviz.training.validation import evidence

CONVOLUTIONS = ((4, 5, 1), (6, 3, 1), (6, 3, 1), (8, 3, 2))  # 16 -> 12 -> 10 -> 8 -> 3 pixels
SIZE, CLASSES, POSE = 16, ("one", "two", "three"), 5
ATTENTION = Shape(
    SIZE, CLASSES, "shape", CapsuleGrid(4, 1, 1, SIZE, 1), components=2, pose=POSE, routing="attention"
)
PLAIN = Shape(SIZE, CLASSES, "shape", score=PROBABILITY)
DRAWING = replace(PLAIN, pose=POSE)


def shaken(net: torch.nn.Module) -> torch.nn.Module:
    """The net with numbers everywhere that are not those it begins with, ready to answer."""
    generator = torch.Generator().manual_seed(3)
    for name, tensor in net.state_dict().items():
        noise = torch.rand(tensor.shape, generator=generator)
        tensor.copy_(0.5 + noise if name.endswith("running_var") else 0.6 * (noise - 0.4))
    return net.eval().requires_grad_(False)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def correlate(maps: np.ndarray, kernels: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    """A convolution layer by its definition: maps [C, H, W], kernels [F, C, k, k] -> [F, h, w]."""
    side = kernels.shape[2]
    places = (maps.shape[1] - side) // stride + 1
    out = np.empty((len(kernels), places, places))
    for y in range(places):
        for x in range(places):
            window = maps[:, y * stride : y * stride + side, x * stride : x * stride + side]
            out[:, y, x] = (kernels * window).sum((1, 2, 3)) + bias
    return out


def trunk_by_hand(trunk: Trunk, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First maps after ReLU and the last convolution's outputs: ReLU first, then the normalisation."""
    state = {name: tensor.double().numpy() for name, tensor in trunk.state_dict().items()}
    maps, first = image[None].astype(float), None
    for at, (_, _, stride) in enumerate(CONVOLUTIONS):
        maps = correlate(
            maps, state[f"convolutions.{at}.weight"], state[f"convolutions.{at}.bias"], stride
        ).clip(0)
        first = maps if first is None else first
        mean, var, gain, bias = (
            state[f"normalisations.{at}.{name}"][:, None, None]
            for name in ("running_mean", "running_var", "weight", "bias")
        )
        maps = gain * (maps - mean) / np.sqrt(var + 1e-3) + bias
    whole = (maps * state["whole.weight"][:, 0]).sum((1, 2)) + state["whole.bias"]
    return first, whole


def squashed(s: np.ndarray) -> np.ndarray:
    norm = np.linalg.norm(s, axis=-1, keepdims=True)
    return (1 - np.exp(-norm)) * s / norm


def test_attention_is_that_of_the_paper(images: torch.Tensor) -> None:
    net = shaken(AttentionNet(ATTENTION, CONVOLUTIONS, (7,)))
    image = images[0].numpy()
    first, whole = trunk_by_hand(net.trunk, image)
    u = squashed(whole.reshape(4, 2))
    W, prior = (tensor.detach().double().numpy() for tensor in (net.capsules.W, net.capsules.prior))
    votes, v = np.empty((3, 4, POSE)), np.empty((3, POSE))
    score = np.empty((3, 4))
    for j in range(3):
        for i in range(4):
            votes[j, i] = W[i, j] @ u[i]
        attention = votes[j] @ votes[j].T / math.sqrt(POSE)
        score[j] = attention.sum(axis=1)
    c = np.exp(score) / np.exp(score).sum(axis=0)
    for j in range(3):
        v[j] = squashed(sum((c[j, i] + prior[j, i]) * votes[j, i] for i in range(4)))

    trace = net.trace(images[0], 1, ATTENTION)
    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(trace.features, first, **close)
    np.testing.assert_allclose(trace.u, u, **close)
    np.testing.assert_allclose(trace.u_hat, votes.transpose(1, 0, 2), **close)
    np.testing.assert_allclose(trace.b[0], score.T, **close)
    np.testing.assert_allclose(trace.c[0], c.T, **close)
    np.testing.assert_allclose(trace.weight[0], (c + prior).T, **close)
    np.testing.assert_allclose(trace.v[0], v, **close)
    np.testing.assert_allclose(trace.attention[1], votes[1] @ votes[1].T / math.sqrt(POSE), **close)
    np.testing.assert_allclose(trace.scores, np.linalg.norm(v, axis=1)[None], **close)
    np.testing.assert_allclose(trace.share.sum(1), np.linalg.norm(trace.s, axis=2), **close)
    np.testing.assert_allclose(net.scores(images, 1)[0].detach().numpy(), trace.scores[0], **close)
    assert net.scores_by_iteration(images, 7).shape == (1, 2, 3)


def test_the_score_is_dynamic_routings_second_logit(images: torch.Tensor) -> None:
    """With all children weighted equally and nothing squashed, the agreement is that with the sum of the votes."""
    u_hat = torch.randn(2, 3, 4, POSE, generator=torch.Generator().manual_seed(2))
    agreement = torch.einsum("bjid,bjd->bji", u_hat, u_hat.sum(2))
    routed = attention_routing(u_hat, torch.zeros(3, 4))
    torch.testing.assert_close(routed.score, agreement / math.sqrt(POSE))
    torch.testing.assert_close(routed.c.sum(1), torch.ones(2, 4))


def test_a_prior_is_added_after_the_softmax() -> None:
    u_hat = torch.randn(1, 3, 4, POSE, generator=torch.Generator().manual_seed(2))
    prior = torch.zeros(3, 4)
    prior[1, 2] = -2.0
    before, after = attention_routing(u_hat, torch.zeros(3, 4)), attention_routing(u_hat, prior)
    torch.testing.assert_close(after.c, before.c, rtol=0, atol=0)
    torch.testing.assert_close(
        after.s - before.s, torch.stack([torch.zeros(POSE), -2 * u_hat[0, 1, 2], torch.zeros(POSE)])[None]
    )


def test_squash_of_some_lengths() -> None:
    vectors = torch.tensor([[3.0, 4.0], [0.0, 1e-3], [0.0, 0.0]], requires_grad=True)
    lengths = squash(vectors).norm(dim=1)
    assert lengths.tolist() == pytest.approx([1 - math.exp(-5), 1 - math.exp(-1e-3), 0.0], abs=1e-7)
    squash(vectors).sum().backward()
    assert vectors.grad is not None
    assert vectors.grad.isfinite().all()


@pytest.mark.parametrize("shape", [PLAIN, DRAWING], ids=["plain", "with poses"])
def test_the_plain_network_by_hand(images: torch.Tensor, shape: Shape) -> None:
    net = shaken(PlainNet(shape, CONVOLUTIONS, (7,)))
    first, whole = trunk_by_hand(net.trunk, images[0].numpy())
    seen = whole.clip(0)
    numbers = net.dense.weight.detach().double().numpy() @ seen + net.dense.bias.detach().double().numpy()
    logits = numbers.reshape(3, POSE).sum(1) if shape.pose else numbers
    trace = net.trace(images[0], 1, shape)
    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(trace.features, first, **close)
    np.testing.assert_allclose(trace.whole, seen, **close)
    np.testing.assert_allclose(trace.logits, logits, **close)
    powers = np.exp(logits)
    np.testing.assert_allclose(trace.scores[0], powers / powers.sum(), **close)
    np.testing.assert_allclose(net.scores(images, 1)[0].detach().numpy(), trace.scores[0], **close)
    if shape.pose:
        np.testing.assert_allclose(trace.v[0], numbers.reshape(3, POSE), **close)
    else:
        assert trace.v is None
        assert not trace.offers


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        # Mazzia et al., section 5: 161,824 without the decoder; Sabour et al.: 160 x 512 x 1024 x 784.
        ("attention", {"trunk": 141_184, "capsules": 20_640, "decoder": 1_411_344}),
        ("letters", {"trunk": 141_184, "capsules": 53_664, "decoder": 1_542_416}),
        ("cnn", {"trunk": 141_184, "dense": 1_290}),
        ("cnn-decoder", {"trunk": 141_184, "dense": 20_640, "decoder": 1_411_344}),
    ],
)
def test_parameters(name: str, parts: dict[str, int]) -> None:
    spec = find(name)
    with torch.device("meta"):
        net = spec.build(spec)
    assert {part: sum(p.numel() for p in child.parameters()) for part, child in net.named_children()} == parts
    assert sum(parts.values()) - parts.get("decoder", 0) in {161_824, 142_474, 194_848}


def test_normalisation_in_training_is_the_batchs_own(images: torch.Tensor) -> None:
    trunk = Trunk(SIZE, CONVOLUTIONS).train()
    seen: list[torch.Tensor] = []
    trunk.convolutions[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    features, _ = trunk(images)
    mean, var = features.mean((0, 2, 3)), features.var((0, 2, 3), unbiased=False)
    wanted = (features - mean[:, None, None]) / (var[:, None, None] + 1e-3).sqrt()
    torch.testing.assert_close(seen[0], wanted, rtol=1e-4, atol=1e-5)
    # Of what it has seen it keeps a hundredth.
    torch.testing.assert_close(trunk.normalisations[0].running_mean, 0.01 * mean, rtol=1e-4, atol=1e-6)


def test_a_state_survives_half_precision(images: torch.Tensor) -> None:
    net = shaken(AttentionNet(ATTENTION, CONVOLUTIONS, (7,)))
    again = AttentionNet(ATTENTION, CONVOLUTIONS, (7,))
    tensors = load_tensors(pack(net))
    assert not [name for name in tensors if "num_batches" in name]
    again.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    torch.testing.assert_close(again.eval().scores(images, 1), net.scores(images, 1), rtol=0, atol=5e-3)


def test_a_mean_is_also_of_what_normalises() -> None:
    nets = [shaken(PlainNet(PLAIN, CONVOLUTIONS)), PlainNet(PLAIN, CONVOLUTIONS)]
    wanted = sum(net.state_dict()["trunk.normalisations.2.running_var"].clone() for net in nets) / 2
    mean_into(nets[0], [nets[1]])
    torch.testing.assert_close(nets[0].state_dict()["trunk.normalisations.2.running_var"], wanted)


def test_cross_entropy_by_hand() -> None:
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 3.0]])
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    assert cross_entropy(logits, torch.tensor([0, 1])).item() == pytest.approx(
        -(math.log(p[0, 0]) + math.log(p[1, 1])) / 2
    )
    # What is no class is wanted to be as much of each.
    assert cross_entropy(logits, torch.tensor([0, NO_CLASS])).item() == pytest.approx(
        -(math.log(p[0, 0]) + np.log(p[1]).mean()) / 2
    )


def test_the_losses_of_a_plain_network(images: torch.Tensor) -> None:
    labels = torch.tensor([2, NO_CLASS])
    for shape in (PLAIN, DRAWING):
        net = shaken(PlainNet(shape, CONVOLUTIONS, (7,)))
        losses = Objective(net, 1, mixed_precision=False)(images, images, labels, 1.0)
        made = net.outcome(images, 1)
        loss = cross_entropy(made.evidence, labels)
        drawn = torch.zeros(())
        if made.poses is not None:
            masked = torch.zeros(1, 3, POSE)
            masked[0, 2] = made.poses[0, 2]
            drawn = reconstruction_loss(net.decoder(masked), images[:1])
        torch.testing.assert_close(losses.parts[0], loss.detach())
        torch.testing.assert_close(losses.parts[1], drawn.detach())
        torch.testing.assert_close(losses.total, loss + 0.0005 * drawn)


def test_what_is_measured_is_not_what_trains(images: torch.Tensor) -> None:
    """Among others in a batch a picture is answered as alone, and the network trains on afterwards."""
    from capsviz.inputs.data import Digits

    net = shaken(AttentionNet(ATTENTION, CONVOLUTIONS, (7,))).train()
    grey = (images * 255).round().to(torch.uint8)
    both = evidence(net, Digits(grey, torch.tensor([0, 1])), 1)
    alone = evidence(net, Digits(grey[:1], torch.tensor([0])), 1)
    torch.testing.assert_close(both[:1], alone, rtol=1e-4, atol=1e-6)
    assert net.training


def test_networks_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="at one place that sees the whole image"):
        AttentionNet(replace(ATTENTION, components=3), CONVOLUTIONS)
    with pytest.raises(ValueError, match="places of the image"):
        Trunk(10, CONVOLUTIONS)
