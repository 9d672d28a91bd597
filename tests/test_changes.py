"""Changes of a picture: against PyTorch's resampling and by hand; bounded, the same there and back."""

import math
from typing import Any

import numpy as np
import pytest
import reference
import torch
from torch.nn import functional as F

from capsviz.errors import CapsvizError, ImageError
from capsviz.inputs.augment import change_pen
from capsviz.inputs.changes import CHANGES, Changes, along, change

MIXED = Changes(rotation=-42, shear=0.35, scale=1.2, across=2.5, down=-1.5)


@pytest.fixture
def image() -> np.ndarray:
    """A stroke with soft edges that leans and has a foot, [28, 28]."""
    picture = torch.zeros(28, 28)
    picture[6:22, 12:15] = 1
    picture[19:22, 12:20] = 0.8
    soft = F.avg_pool2d(picture[None, None], 3, 1, 1)[0, 0].numpy()
    soft.flags.writeable = False
    return soft


def resampled(image: np.ndarray, changes: Changes) -> np.ndarray:
    """The same with homogeneous matrices, each change by itself, and PyTorch's ``grid_sample``."""
    angle, size = math.radians(changes.rotation), image.shape[-1]
    cos, sin = math.cos(angle), math.sin(angle)
    scale = np.diag([changes.scale, changes.scale, 1.0])
    shear = np.array([[1, -changes.shear, 0], [0, 1, 0], [0, 0, 1.0]])  # y goes down
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]])
    shift = np.array([[1, 0, changes.across], [0, 1, changes.down], [0, 0, 1.0]])
    units = np.diag([size / 2, size / 2, 1.0])  # grid_sample's -1..1 from edge to edge
    back = np.linalg.inv(units) @ np.linalg.inv(shift @ turn @ shear @ scale) @ units
    pixels = torch.from_numpy(np.array(image)).double()[None, None]
    grid = F.affine_grid(torch.from_numpy(back[None, :2]), list(pixels.shape), align_corners=False)
    found: np.ndarray = F.grid_sample(pixels, grid, "bicubic", align_corners=False)[0, 0].clamp(0, 1).numpy()
    return found


@pytest.mark.parametrize(
    "changes",
    [
        *(Changes(rotation=degrees) for degrees in (-180, -90, -30, 6, 90)),
        *(Changes(shear=shear) for shear in (-1, 0.05)),
        *(Changes(scale=scale) for scale in (0.3, 0.85, 1.7)),
        Changes(across=2),
        Changes(across=-12, down=0.5),
        MIXED,
    ],
)
def test_ink_moves_as_pytorch_moves_it(image: np.ndarray, changes: Changes) -> None:
    np.testing.assert_allclose(change(image, changes), resampled(image, changes), atol=1e-5)


def test_which_way_each_change_goes() -> None:
    dot = np.zeros((29, 29), np.float32)
    dot[14 - 4, 14 + 6] = 1  # 6 to the right of the middle, 4 above it
    for changes, (across, down) in {
        Changes(rotation=90): (-4, -6),  # to the left: what was on the right is above
        Changes(shear=0.5): (8, -4),
        Changes(across=3): (9, -4),
        Changes(down=3): (6, -1),
        Changes(scale=1.5): (9, -6),
    }.items():
        row, column = np.unravel_index(change(dot, changes).argmax(), dot.shape)
        assert (column - 14, row - 14) == (across, down), changes


@pytest.mark.parametrize("amount", [-1, -0.4, 0.3, 1])
def test_the_pen_is_that_of_training(image: np.ndarray, amount: float) -> None:
    expected = change_pen(torch.from_numpy(np.array(image))[None], torch.tensor([amount]))[0]
    np.testing.assert_allclose(change(image, Changes(pen=amount)), expected, atol=1e-6)


def test_a_pen_of_several_pixels_grows_a_diamond() -> None:
    dot = np.zeros((9, 9), np.float32)
    dot[4, 4] = 0.5
    y, x = np.mgrid[-4:5, -4:5]
    distance = abs(y) + abs(x)
    np.testing.assert_allclose(change(dot, Changes(pen=2)), np.where(distance <= 2, 0.5, 0))
    np.testing.assert_allclose(
        change(dot, Changes(pen=2.5)), np.where(distance <= 2, 0.5, np.where(distance == 3, 0.25, 0))
    )


def test_contrast_noise_and_cover_by_hand() -> None:
    grey = np.full((200, 10, 10), 0.5, np.float32)
    np.testing.assert_allclose(change(grey, Changes(contrast=0.3)), 0.15, atol=1e-6)
    assert change(grey, Changes(contrast=2)).max() == 1
    np.testing.assert_allclose(
        change(grey[0], Changes(occlusion=0.25))[0], [0, 0, 0.25, *[0.5] * 7], atol=1e-6
    )
    noisy = change(grey, Changes(noise=0.1), np.arange(200))
    assert noisy.std() == pytest.approx(0.1, rel=0.02)
    assert noisy.mean() == pytest.approx(0.5, abs=0.002)


def test_noise_is_its_seeds(image: np.ndarray) -> None:
    some = np.stack([image, image])
    noise = Changes(noise=0.4)
    same, others = change(some, noise, 7), change(some, noise, [7, 8])
    np.testing.assert_array_equal(same[0], same[1])
    np.testing.assert_array_equal(others[0], same[0])
    assert (others[1] != others[0]).mean() > 0.3
    # More of it is more of the same noise.
    grey = np.full((10, 10), 0.5, np.float32)
    little, much = (change(grey, Changes(noise=amount), 3) - 0.5 for amount in (0.025, 0.1))
    np.testing.assert_allclose(much[abs(much) < 0.5], 4 * little[abs(much) < 0.5], atol=1e-6)


@pytest.mark.parametrize("name", CHANGES)
def test_a_curve_is_its_single_pictures_and_there_and_back_is_the_same(image: np.ndarray, name: str) -> None:
    others = Changes(rotation=12, noise=0.1, contrast=0.8)
    values = CHANGES[name].values
    curve = along(image, name, others, seed=5)
    assert curve.shape == (len(values), 28, 28)
    assert curve.dtype == np.float32
    for place in (0, 1, len(values) // 2, len(values) - 1, 0):  # there, and back again
        alone = change(image, Changes(**{**vars(others), name: values[place]}), 5)
        np.testing.assert_array_equal(curve[place], alone)
    assert np.isfinite(curve).all()
    assert 0 <= curve.min() <= curve.max() <= 1


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_has_a_value_that_changes_nothing(image: np.ndarray, name: str) -> None:
    kind = CHANGES[name]
    assert (kind.values[0], kind.values[-1]) == (kind.low, kind.high)
    assert kind.values[-kind.first] == kind.same == getattr(Changes(), name)
    np.testing.assert_array_equal(along(image, name)[-kind.first], image)
    assert all(b - a == pytest.approx(kind.step) for a, b in zip(kind.values, kind.values[1:], strict=False))
    assert (along(image, name)[-1] != image).any()


def test_extremes_and_nothing_stay_within_bounds(image: np.ndarray) -> None:
    most = Changes(**{name: kind.high for name, kind in CHANGES.items() if name != "occlusion"})
    least = Changes(**{name: kind.low for name, kind in CHANGES.items()})
    for picture in (image, np.zeros_like(image), np.ones_like(image)):
        for changes in (most, least):
            found = change(picture, changes)
            assert np.isfinite(found).all()
            assert 0 <= found.min() <= found.max() <= 1
    assert not change(image, Changes(occlusion=1)).any()
    assert not change(image, Changes(contrast=0)).any()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", 0),
        ("scale", -1),
        ("rotation", 181),
        ("noise", 1.01),
        ("pen", float("nan")),
        ("across", math.inf),
        ("contrast", "1"),
        ("occlusion", None),
        ("shear", True),
    ],
)
def test_values_out_of_range_are_refused_with_the_range(name: str, value: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        Changes(**{name: value})
    reference.assert_one_sentence(caught.value, name, f"{CHANGES[name].high:g}")


@pytest.mark.parametrize(
    "images", [np.zeros((28, 27)), np.zeros(28), np.zeros((0, 0)), [[2.0]], [[-0.1]], [[math.nan]], "x"]
)
def test_what_is_no_picture_is_refused(images: Any) -> None:
    with pytest.raises(ImageError):
        change(images, Changes())


def test_unknown_changes_and_seeds_are_refused(image: np.ndarray) -> None:
    with pytest.raises(CapsvizError) as caught:
        along(image, "colour")
    reference.assert_one_sentence(caught.value, "colour", "rotation")
    for seed in (-1, 1.5, True, [1, 2]):
        with pytest.raises(CapsvizError, match="seed"):
            change(image, MIXED, seed)
    with pytest.raises(ImageError, match="S x S"):
        along(np.stack([image, image]), "scale")
