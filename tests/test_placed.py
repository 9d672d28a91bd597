"""Digits in 40 x 40 pixels: placed by whole pixels, and changed as another formulation of the same maps says."""

import math

import numpy as np
import pytest
import reference
import torch

from capsviz.inputs.changes import moved
from capsviz.inputs.data import Digits
from capsviz.inputs.placed import SIZE, Ranges, affine, changed, linear_maps, padded, placed, room


def digits(count: int = 30) -> Digits:
    images, labels = reference.synthetic_digits(count)
    return Digits(torch.tensor(images), torch.tensor(labels))


def corner(image: np.ndarray) -> tuple[int, int]:
    """The row and the column in which ink begins."""
    return int(image.any(1).argmax()), int(image.any(0).argmax())


def test_a_digit_is_padded_to_the_middle():
    given = digits(2)
    wide = padded(given).images
    assert wide.shape == (2, 40, 40)
    assert torch.equal(wide[:, 6:34, 6:34], given.images)
    assert wide.sum() == given.images.sum()


def test_digits_are_placed_by_whole_pixels_anywhere_with_all_of_their_square_inside():
    given = digits(1)
    many = Digits(given.images.repeat(600, 1, 1), given.labels.repeat(600))
    found = placed(many, seed=3).images.numpy()
    top, left = corner(given.images[0].numpy())
    places = set()
    for image in found:
        row, column = (at - start for at, start in zip(corner(image), (top, left), strict=True))
        assert np.array_equal(image[row : row + 28, column : column + 28], given.images[0].numpy())
        places.add((row, column))
    assert {row for row, _ in places} == {column for _, column in places} == set(range(13))
    assert torch.equal(placed(many, seed=3).images, torch.tensor(found))
    assert not torch.equal(placed(many, seed=4).images, torch.tensor(found))


def test_maps_by_hand():
    """Turned to the left by 90 degrees what is to the right goes up; sheared, what is above goes to the right."""
    one, none = torch.ones(1), torch.zeros(1)
    x, y = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])  # y is down
    turned = linear_maps(90 * one, none, one, one)[0]
    torch.testing.assert_close(turned @ x, -y)
    torch.testing.assert_close(turned @ y, x)
    sheared = linear_maps(none, 0.5 * one, one, one)[0]
    torch.testing.assert_close(sheared @ -y, torch.tensor([0.5, -1.0]))
    torch.testing.assert_close(sheared @ x, x)
    scaled = linear_maps(none, none, 2 * one, 3 * one)[0]
    torch.testing.assert_close(scaled @ (x + y), torch.tensor([2.0, 3.0]))
    # Scaled before it is sheared, and turned last: (0, -1) is 2 high, then 1 to the right, then to the left of it.
    both = linear_maps(90 * one, 0.5 * one, one, 2 * one)[0]
    torch.testing.assert_close(both @ -y, torch.tensor([-2.0, -1.0]))


def test_changes_are_those_of_the_compare_page():
    """NumPy's own cubic convolution, which other tests hold to a third formulation."""
    images = padded(digits(12)).images.float() / 255
    random = np.random.default_rng(0)
    degrees, shear, scale, across, down = (
        random.uniform(*ends, 12) for ends in ((-20, 20), (-0.2, 0.2), (0.8, 1.2), (-4, 4), (-4, 4))
    )
    maps = linear_maps(*(torch.tensor(part) for part in (degrees, shear, scale, scale))).float()
    found = changed(images, maps, torch.tensor(np.stack([across, down], 1)).float())
    amounts = {"rotation": degrees, "shear": shear, "scale": scale, "across": across, "down": down}
    np.testing.assert_allclose(found, moved(images.numpy(), amounts), atol=2e-4)


def test_ink_has_room_to_move_as_far_as_the_edge_and_no_farther_than_asked():
    images = torch.zeros(3, 40, 40)
    images[0, 10, 4] = images[0, 20, 30] = (
        1  # 4 pixels from the left, 9 from the right, 10 from the top, 19 from below
    )
    images[1, 19:21, 19:21] = 1
    still = torch.eye(2).repeat(3, 1, 1)
    low, high = room(images, still, 8)
    assert low.tolist() == [[-4, -8], [-8, -8], [-8, -8]]
    assert high.tolist() == [[8, 8], [8, 8], [8, 8]]
    # Twice as large it reaches beyond both sides, to within half a pixel of the top, and to the middle below.
    low, high = room(images[:1], 2 * still[:1], 8)
    assert low.tolist() == [[0, -0.5]]
    assert high.tolist() == [[0, 8]]


def test_affine_digits_are_within_their_ranges_and_keep_their_ink():
    given = digits()
    found = affine(given, seed=1)
    assert found.images.shape == (30, SIZE, SIZE)
    assert found.images.dtype == torch.uint8
    assert torch.equal(found.labels, given.labels)
    # An area grows by width times height, which the ink follows.
    ratio = found.images.float().sum((1, 2)) / given.images.float().sum((1, 2))
    assert 0.6 < ratio.min() < 0.9 < 1.1 < ratio.max() < 1.5
    assert torch.equal(affine(given, seed=1).images, found.images)
    assert not torch.equal(affine(given, seed=2).images, found.images)


def test_without_ranges_a_digit_stays_in_the_middle():
    still = affine(digits(3), ranges=Ranges(degrees=0, shear=0, least=1, most=1, shift=0))
    assert (still.images.int() - padded(digits(3)).images.int()).abs().max() <= 1


def test_each_range_is_reached_and_kept(monkeypatch: pytest.MonkeyPatch):
    """The maps that are drawn, taken apart again: of A = R S D, by its columns."""
    drawn = []

    def keep(*amounts: torch.Tensor) -> torch.Tensor:
        drawn.append(torch.stack(amounts))
        return linear_maps(*amounts)

    monkeypatch.setattr("capsviz.inputs.placed.linear_maps", keep)
    affine(digits(400))
    degrees, shear, width, height = drawn[0].numpy()
    for values, low, high in ((degrees, -20, 20), (shear, -0.2, 0.2), (width, 0.8, 1.2), (height, 0.8, 1.2)):
        span = high - low
        assert low <= values.min() < low + 0.03 * span
        assert high - 0.03 * span < values.max() <= high
        assert abs(values.mean() - (low + high) / 2) < span / math.sqrt(12 * 400) * 4
    assert abs(np.corrcoef(width, height)[0, 1]) < 0.2
