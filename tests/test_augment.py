"""Augmentation: where known points go, what a pen does, and that seeds alone decide."""

import math

import numpy as np
import pytest
import reference
import torch
from torch import Tensor

from capsviz.inputs.augment import (
    NOISY,
    Strength,
    add_noise,
    augment,
    change_pen,
    random_affine,
    random_pens,
    warp,
)

STILL = Strength(degrees=0, scale=0, shear=0, shift=0, bend=0, pen=0)
NO_BEND = torch.zeros(1, 2, 5, 5)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spot(x: float, y: float) -> Tensor:
    """A soft spot around (x, y), in pixels from the image's middle."""
    grid = torch.arange(28) - 13.5
    return torch.exp(-((grid - x) ** 2 + (grid[:, None] - y) ** 2) / 4)[None]


def centre(image: Tensor) -> tuple[float, float]:
    grid = torch.arange(28) - 13.5
    return tuple((image[0].sum(k) @ grid / image.sum()).item() for k in (0, 1))


def digits(count: int = 6) -> Tensor:
    return torch.tensor(reference.synthetic_digits(count)[0]) / 255


def test_without_strength_nothing_changes():
    torch.testing.assert_close(augment(digits(), generator(), STILL), digits(), atol=1e-5, rtol=0)


def test_only_the_generator_decides_and_each_image_goes_its_own_way():
    images = digits(1).repeat(4, 1, 1)
    one, same, other = (augment(images, generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert len({image.numpy().tobytes() for image in one}) == 4


def test_what_comes_out_is_an_image_again():
    made = augment(digits(60), generator())
    assert made.shape == (60, 28, 28)
    assert made.dtype == torch.float32
    assert made.min() >= 0
    assert made.max() <= 1
    assert made.amax((1, 2)).min() > 0.9  # a thin pen is no faint one
    assert torch.equal(augment(torch.zeros(3, 28, 28), generator()), torch.zeros(3, 28, 28))


@pytest.mark.parametrize("place", [(0, 0), (5, -4), (-6, 2)])
def test_a_point_is_turned_scaled_and_shifted(place: tuple[float, float]):
    """The map goes from the new image to the old: a spot at M p + t comes to p."""
    matrix = [[1.1 * math.cos(0.3), -math.sin(0.3)], [math.sin(0.3), 0.9 * math.cos(0.3)]]
    shift = (1.5, -0.75)
    source = np.array(matrix) @ place + shift
    affine = torch.tensor([[[*matrix[0], shift[0] / 14], [*matrix[1], shift[1] / 14]]])
    made = warp(spot(*source), affine, NO_BEND)
    assert centre(made) == pytest.approx(place, abs=0.05)


def test_a_bend_moves_by_pixels():
    bend = torch.zeros(1, 2, 5, 5)
    bend[0, 0], bend[0, 1] = 2, -1
    made = warp(spot(3, 3), torch.eye(2, 3)[None], bend)
    assert centre(made) == pytest.approx((1, 4), abs=0.05)


def test_a_bend_of_one_side_moves_that_side():
    """By 2 pixels to the left in the right half: a spot there, but none below the middle."""
    bend = torch.zeros(1, 2, 5, 5)
    bend[0, 0, :, 3:] = 2
    right, below = (warp(spot(*place), torch.eye(2, 3)[None], bend) for place in ((9, 0), (-9, 9)))
    assert centre(right) == pytest.approx((7, 0), abs=0.4)
    assert centre(below) == pytest.approx((-9, 9), abs=0.4)


def test_a_bend_moves_by_pixels_in_an_image_of_any_form():
    image = torch.zeros(1, 28, 20)
    image[0, 10, 9] = 1
    bend = torch.zeros(1, 2, 5, 5)
    bend[0, 0], bend[0, 1] = 2, -1
    (made,) = warp(image, torch.eye(2, 3)[None], bend)
    assert divmod(int(made.argmax()), 20) == (11, 7)


def test_images_are_bent_a_little_on_a_coarse_grid(monkeypatch: pytest.MonkeyPatch):
    """Five by five points, moved by normal numbers of a deviation of 0.6 pixels."""
    asked: list[Tensor] = []
    monkeypatch.setattr(
        "capsviz.inputs.augment.warp", lambda images, maps, bends: asked.append(bends) or images
    )
    augment(torch.zeros(400, 28, 28), generator())
    assert asked[0].shape == (400, 2, 5, 5)
    assert asked[0].std() == pytest.approx(0.6, rel=0.03)


def test_how_far_images_are_changed_where_nobody_says():
    assert Strength() == Strength(
        degrees=15, scale=0.13, shear=0.25, shift=2, bend=0.6, pen=0.7, pen_share=0.4
    )
    assert NOISY == 0.25


@pytest.mark.parametrize(
    ("strength", "index", "expected"),
    [
        (Strength(degrees=15, scale=0, shear=0, shift=0), (1, 0), math.sin(math.radians(15))),
        (Strength(degrees=0, scale=0.13, shear=0, shift=0), (0, 0), 1 / 0.87),
        (Strength(degrees=0, scale=0, shear=0.25, shift=0), (0, 1), 0.25),
        (Strength(degrees=0, scale=0, shear=0, shift=2), (0, 2), 2 / 14),
        (Strength(degrees=0, scale=0, shear=0, shift=2), (1, 2), 2 / 14),
    ],
)
def test_maps_reach_their_strength_and_not_beyond(
    strength: Strength, index: tuple[int, int], expected: float
):
    values = random_affine(4000, torch.Size([28, 28]), strength, generator())[:, *index]
    assert values.max() <= expected + 1e-6
    assert values.max() == pytest.approx(expected, rel=0.02)
    assert values.shape == (4000,)


def test_a_map_shears_then_turns_then_zooms(monkeypatch: pytest.MonkeyPatch):
    """In an image of 28 rows and 20 columns; the six random numbers, -1 to 1, are all others."""
    numbers = [0.5, -0.4, 0.3, -0.2, 0.8, -0.6]
    monkeypatch.setattr(torch, "rand", lambda *size, generator: (torch.tensor(numbers)[:, None] + 1) / 2)
    strength = Strength(degrees=20, scale=0.1, shear=0.5, shift=3)
    (found,) = random_affine(1, torch.Size([28, 20]), strength, generator())
    angle, shear = math.radians(10), -0.2
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = np.diag([1 / 1.03, 1 / 0.98]) @ turn @ [[1, shear], [0, 1]]
    np.testing.assert_allclose(found[:, :2], matrix, atol=1e-6)
    np.testing.assert_allclose(found[:, 2], [2.4 / 10, -1.8 / 14], atol=1e-6)  # of half a side


def test_some_pens_change_both_ways():
    amounts = random_pens(4000, Strength(pen=0.7, pen_share=0.4), generator())
    assert (amounts != 0).float().mean() == pytest.approx(0.4, abs=0.03)
    assert amounts.abs().max() <= 0.7
    assert amounts.mean() == pytest.approx(0, abs=0.02)


def test_a_pen_grows_and_shrinks_by_a_pixel():
    image = torch.zeros(1, 28, 28)
    image[0, 10:15, 10:20] = 1
    grown = change_pen(image, torch.tensor([1.0]))
    assert grown.sum() == 5 * 10 + 2 * (5 + 10)  # a plus sign: one more on each side, no corners
    shrunk = change_pen(image, torch.tensor([-1.0]))
    assert shrunk.sum() == 3 * 8
    half = change_pen(image, torch.tensor([0.5]))
    assert half[0, 9, 12] == 0.5
    assert torch.equal(change_pen(image, torch.tensor([0.0])), image)


def test_a_thin_line_does_not_fade():
    image = torch.zeros(1, 28, 28)
    image[0, 5:20, 14] = 0.8
    thin = change_pen(image, torch.tensor([-0.7]))
    assert thin.max() == pytest.approx(0.8)


def test_ink_at_the_border_is_not_eroded_from_outside():
    full = torch.ones(1, 6, 6)
    assert torch.equal(change_pen(full, torch.tensor([-1.0])), full)


@pytest.mark.parametrize(
    ("ink", "amount", "left"), [(0.8, -0.5, 0.8), (0.8, -0.9, 0.32), (0.05, -0.5, 0.05), (0.004, 0.7, 0.004)]
)
def test_a_thin_line_is_made_brighter_fourfold_at_most_and_never_fainter(
    ink: float, amount: float, left: float
):
    """Of a line one pixel wide an erosion by 0.9 leaves a tenth, four times which is kept."""
    image = torch.zeros(1, 28, 28)
    image[0, 5:20, 14] = ink
    assert change_pen(image, torch.tensor([amount])).max() == pytest.approx(left)


def test_each_image_has_a_pen_of_its_own():
    images, amounts = torch.zeros(3, 28, 28), torch.tensor([-0.7, 0.3, -0.4])
    images[:, 5:20, 14] = torch.tensor([0.8, 0.6, 0.4])[:, None]
    alone = [change_pen(image[None], amount[None])[0] for image, amount in zip(images, amounts, strict=True)]
    torch.testing.assert_close(change_pen(images, amounts), torch.stack(alone))


def test_noise_comes_to_some_images_with_deviations_of_their_own():
    grey = torch.full((4000, 28, 28), 0.5)
    noisy = add_noise(grey, 0.1, generator())  # 5 deviations from black and white: nothing to clip
    errors = (noisy - grey).flatten(1)
    hit = errors.abs().amax(1) > 0
    assert hit.float().mean() == pytest.approx(NOISY, abs=0.03)
    deviations = errors[hit].std(1)
    assert deviations.max() == pytest.approx(0.1, rel=0.05)
    # Uniform from 0: a mean of half the largest, a deviation of it over the root of 12.
    assert deviations.mean() == pytest.approx(0.05, rel=0.05)
    assert deviations.std() == pytest.approx(0.1 / math.sqrt(12), rel=0.05)
    assert errors.mean() == pytest.approx(0, abs=1e-4)
    assert torch.equal(noisy, add_noise(grey, 0.1, generator()))
    assert not torch.equal(noisy, add_noise(grey, 0.1, generator(1)))


def test_noise_leaves_pixels_between_black_and_white():
    noisy = add_noise(digits(60), 0.5, generator())
    assert noisy.min() == 0
    assert noisy.max() == 1
