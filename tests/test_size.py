"""Parameters and multiply-adds of every network, against numbers worked out by hand from the papers' sizes."""

import pytest
import tiny

from capsviz.models.size import Size, activations, sizes, together
from capsviz.networks.base import Spec, find

# 28 -> 24 -> 22 -> 20 -> 9 pixels a side, and a kernel of 9 x 9 for each of the 128 maps.
CONVOLUTIONS = (
    24**2 * 32 * 25 + 22**2 * 64 * 32 * 9 + 20**2 * 64 * 64 * 9 + 9**2 * 128 * 64 * 9 + 128 * 81
)  # 30.1 million
DECODER = 512 * 1024 + 1024 * 784  # and its first layer, of so many numbers as are fed


def decoder(fed: int) -> Size:
    return Size((fed + 1) * 512 + 513 * 1024 + 1025 * 784, fed * 512 + DECODER)


TRUNK = Size(141_184, CONVOLUTIONS)
EXPECTED = {
    "dynamic.mnist": {
        "conv1": Size(256 * 82, 20**2 * 256 * 81),
        "primary": Size(256 * (256 * 81 + 1), 6**2 * 256 * 256 * 81),
        # Votes, three weighted sums of them, and two agreements: none is needed after the last sum.
        "digits": Size(1152 * 10 * 128, 1152 * 10 * 128 + 5 * 1152 * 10 * 16),
        "decoder": decoder(160),
    },
    "attention.mnist": {
        "trunk": TRUNK,
        # Votes, the product of each with their sum, the weighted sum.
        "capsules": Size(16 * 10 * 128 + 160, 16 * 10 * 128 + 2 * 16 * 10 * 16),
        "decoder": decoder(160),
    },
    "attention.letters": {
        "trunk": TRUNK,
        "capsules": Size(16 * 26 * 128 + 416, 16 * 26 * 128 + 2 * 16 * 26 * 16),
        "decoder": decoder(26 * 16),
    },
    "cnn.mnist": {"trunk": TRUNK, "dense": Size(129 * 10, 128 * 10)},
    "cnn.decoder.mnist": {"trunk": TRUNK, "dense": Size(129 * 160, 128 * 160), "decoder": decoder(160)},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_sizes_are_those_worked_out_by_hand(name: str) -> None:
    assert sizes(find(name)) == EXPECTED[name]


def test_sizes_together_are_the_published_ones() -> None:
    """8.2 million and 161 thousand in the papers; the twin with a decoder has exactly as many as the capsules."""
    every = {name: together(sizes(find(name))).parameters for name in EXPECTED}
    answers = {name: together(sizes(find(name)), decoder=False) for name in EXPECTED}
    assert every["dynamic.mnist"] == 8_215_568
    assert answers["attention.mnist"].parameters == answers["cnn.decoder.mnist"].parameters == 161_824
    assert answers["cnn.mnist"].parameters == every["cnn.mnist"] == 142_474
    assert answers["dynamic.mnist"].multiply_adds == pytest.approx(201.8e6, rel=1e-3)
    assert answers["attention.mnist"].multiply_adds == pytest.approx(30.1e6, rel=2e-3)


def test_sizes_of_a_network_of_another_shape(tiny_network: Spec) -> None:
    """Twelve maps of 14 x 14, 100 capsules of 4, three classes of 5, two iterations."""
    found = sizes(tiny_network)
    assert found["conv1"] == Size(12 * 50, 14**2 * 12 * 49)
    assert found["primary"] == Size(16 * (12 * 25 + 1), 5**2 * 16 * 12 * 25)
    assert found["digits"] == Size(100 * 3 * 20, 100 * 3 * 20 + 3 * 100 * 3 * 5)
    assert found["decoder"].multiply_adds == 15 * 24 + 24 * 40 + 40 * 400
    assert list(found) == [layer.part for layer in tiny.SPEC.layers]


MAPS = 4 * (24**2 * 32 + 22**2 * 64 + 20**2 * 64 + 9**2 * 128 + 128)
DRAWN = 4 * (512 + 1024 + 784)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        # Votes of 1152 capsules, three sums of them, and two agreements.
        (
            "dynamic.mnist",
            {
                **{"conv1": 4 * 256 * 20**2, "primary": 4 * 256 * 6**2, "decoder": DRAWN},
                "digits": 4 * (1152 * 10 * 16 + 3 * 10 * 16 + 2 * 1152 * 10),
            },
        ),
        # Votes, each one's product with their sum, the weighted sum.
        ("attention.mnist", {"trunk": MAPS, "capsules": 4 * (16 * 160 + 160 + 160), "decoder": DRAWN}),
        ("cnn.mnist", {"trunk": MAPS, "dense": 40}),
        ("cnn.decoder.mnist", {"trunk": MAPS, "dense": 640, "decoder": DRAWN}),
    ],
)
def test_bytes_of_what_layers_make_are_those_worked_out_by_hand(name: str, made: dict[str, int]) -> None:
    assert activations(find(name)) == made
