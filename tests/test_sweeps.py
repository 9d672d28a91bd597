"""Poses moved in a line: every picture is the one that the decoder draws of a pose moved by hand."""

import io
import math
from typing import Any

import numpy as np
import pytest
import reference
import torch
from PIL import Image

from capsviz.errors import CapsvizError
from capsviz.measures.sweeps import gif, grid_picture, morph, sweep
from capsviz.models.model import Model
from capsviz.traces.routing import RoutingTrace

DIGIT, OTHER = 7, 3


@pytest.fixture(scope="module")
def trace(model: Model, seven: np.ndarray) -> RoutingTrace:
    return model.trace(seven)


@pytest.fixture(scope="module")
def pose(trace: RoutingTrace) -> np.ndarray:
    """[16] of the digit 7."""
    return trace.v[-1, DIGIT]


@pytest.fixture(scope="module")
def other() -> np.ndarray:
    """[16] a pose of the digit 3, of length 0.9."""
    pose = np.random.default_rng(1).normal(0, 1, 16)
    return pose / np.linalg.norm(pose) * 0.9


def test_figure_4_moves_one_component_at_a_time(model: Model, pose: np.ndarray) -> None:
    images = sweep(model, pose, DIGIT)
    assert images.shape == (16, 11, 28, 28)
    for dimension in range(16):
        for step in range(11):
            moved = [float(value) for value in pose]
            moved[dimension] += -0.25 + 0.05 * step
            np.testing.assert_allclose(images[dimension, step], model.decode(moved, DIGIT), atol=1e-4)
    assert np.abs(images[:, 0] - images[:, -1]).max(axis=(1, 2)).min() > 0.01  # each of them is moved


def test_unmasked_only_the_digits_own_pose_is_moved(model: Model, trace: RoutingTrace) -> None:
    images = sweep(model, trace.v[-1], OTHER, span=0.5, steps=3)
    assert images.shape == (16, 3, 28, 28)
    for dimension in range(16):
        for step, move in enumerate((-0.5, 0, 0.5)):
            moved = trace.v[-1].tolist()
            moved[OTHER][dimension] += move
            np.testing.assert_allclose(images[dimension, step], model.decode(moved), atol=1e-4)


def test_the_middle_column_is_the_pose_itself(model: Model, trace: RoutingTrace, pose: np.ndarray) -> None:
    for start, own in ((pose, model.decode(pose, DIGIT)), (trace.v[-1], model.decode(trace.v[-1]))):
        middle = sweep(model, start, DIGIT, span=0.4, steps=5)[:, 2]
        np.testing.assert_allclose(middle, np.broadcast_to(own, (16, 28, 28)), atol=1e-5)


@pytest.mark.parametrize(("span", "steps"), [(0.25, 2), (1, 4), (0.01, 6), (np.float32(0.5), np.int64(3))])
def test_the_first_and_last_column_are_the_span_away(
    model: Model, pose: np.ndarray, span: float, steps: int
) -> None:
    images = sweep(model, pose, DIGIT, span, steps)
    assert images.shape == (16, steps, 28, 28)
    for column, move in ((0, -span), (-1, span)):
        expected = model.decode(pose + move * np.eye(16), DIGIT)
        np.testing.assert_allclose(images[:, column], expected, atol=1e-4)


def test_a_sweep_does_not_change_what_it_is_given(
    model: Model, pose: np.ndarray, trace: RoutingTrace
) -> None:
    for given in (pose.copy(), trace.v[-1].copy()):
        before = given.copy()
        sweep(model, given, DIGIT, steps=2)
        morph(model, given, given, (DIGIT, DIGIT), steps=2)
        np.testing.assert_array_equal(given, before)
    assert sweep(model, pose.tolist(), DIGIT, steps=2).shape == (16, 2, 28, 28)


# --- morphs ---------------------------------------------------------------------------------------------


def test_a_morph_between_two_digits_feeds_both(model: Model, pose: np.ndarray, other: np.ndarray) -> None:
    images = morph(model, pose, other, (DIGIT, OTHER), steps=5)
    assert images.shape == (5, 28, 28)
    np.testing.assert_allclose(images[0], model.decode(pose, DIGIT), atol=1e-5)
    np.testing.assert_allclose(images[-1], model.decode(other, OTHER), atol=1e-5)
    for step in range(5):
        inputs = np.zeros((10, 16))
        inputs[DIGIT] = (1 - step / 4) * pose
        inputs[OTHER] = step / 4 * other
        np.testing.assert_allclose(images[step], model.decode(inputs), atol=1e-5)


def test_a_morph_within_a_digit_is_a_line_of_poses(model: Model, pose: np.ndarray) -> None:
    images = morph(model, pose, -pose, (DIGIT, DIGIT), steps=3)
    assert np.abs(images[0] - images[2]).max() > 0.1
    np.testing.assert_allclose(images[1], model.decode(np.zeros(16), DIGIT), atol=1e-5)


def test_a_morph_of_all_capsules(model: Model, trace: RoutingTrace, other: np.ndarray) -> None:
    images = morph(model, trace.v[-1], other, (DIGIT, OTHER), steps=3)
    average = trace.v[-1] / 2
    average[OTHER] += other / 2
    for image, inputs in zip(images[:2], (trace.v[-1], average), strict=True):
        np.testing.assert_allclose(image, model.decode(inputs), atol=1e-5)
    np.testing.assert_allclose(images[2], model.decode(other, OTHER), atol=1e-5)


def test_a_morph_has_25_steps_unless_told(model: Model, pose: np.ndarray) -> None:
    assert morph(model, pose, pose, (DIGIT, DIGIT)).shape == (25, 28, 28)


# --- mistakes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        [math.nan] * 16,
        [0.1] * 15 + [math.inf],
        [0.1] * 15,
        np.zeros((10, 15)),
        np.zeros((9, 16)),
        np.zeros((1, 10, 16)),
        [],
        0.5,
        None,
        ["a"] * 16,
        [0.1] * 15 + [[1, 2]],
        ["0.5"] * 16,
        [1j] * 16,
        [100.5] * 16,
        [-1e300] * 16,
        np.ma.masked_array(np.zeros(16), [True] + [False] * 15),
        torch.zeros(16, requires_grad=True),
        {},
    ],
)
def test_what_is_no_pose_is_refused(model: Model, pose: np.ndarray, wrong: Any) -> None:
    for attempt in (
        lambda: sweep(model, wrong, DIGIT),
        lambda: morph(model, wrong, pose, (DIGIT, OTHER)),
        lambda: morph(model, pose, wrong, (DIGIT, OTHER)),
    ):
        with pytest.raises(CapsvizError, match="pose") as caught:
            attempt()
        reference.assert_one_sentence(caught.value, "16")


@pytest.mark.parametrize("digit", [10, -1, 1.0, "3", None, True, [3]])
def test_what_is_no_digit_is_refused(model: Model, pose: np.ndarray, digit: Any) -> None:
    for attempt in (
        lambda: sweep(model, pose, digit),
        lambda: sweep(model, np.zeros((10, 16)), digit),
        lambda: morph(model, pose, pose, (digit, DIGIT)),
        lambda: morph(model, pose, pose, (DIGIT, digit)),
    ):
        with pytest.raises(CapsvizError) as caught:
            attempt()
        reference.assert_one_sentence(caught.value, repr(digit), "0 to 9")


@pytest.mark.parametrize("digits", [None, 3, (), (3,), (3, 7, 1), np.array([3])])
def test_a_morph_names_two_digits(model: Model, pose: np.ndarray, digits: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        morph(model, pose, pose, digits)
    reference.assert_one_sentence(caught.value, "two digits", repr(digits))


def test_numbers_too_large_to_write_are_refused_in_words(model: Model, pose: np.ndarray) -> None:
    for attempt in (
        lambda: sweep(model, pose, 10**5000),
        lambda: sweep(model, pose, 3, 10**5000),
        lambda: sweep(model, pose, 3, steps=10**5000),
        lambda: morph(model, pose, pose, (10**5000, 3)),
        lambda: morph(model, pose, pose, (3, 4), 10**5000),
        lambda: gif(np.zeros((2, 28, 28)), 10**5000),
        lambda: gif(np.zeros((2, 28, 28)), scale=10**5000),
        lambda: grid_picture(np.zeros((1, 2, 28, 28)), 10**5000),
        lambda: grid_picture(np.zeros((1, 2, 28, 28)), gap=10**5000),
    ):
        with pytest.raises(CapsvizError, match="so large an int") as caught:
            attempt()
        reference.assert_one_sentence(caught.value)


def test_poses_of_any_form_are_the_same_poses(model: Model) -> None:
    """A hundred is the farthest; the numbers of this pose are exact in half precision."""
    pose = np.arange(-8, 8) / 16
    expected, way = sweep(model, pose, DIGIT, steps=3), morph(model, pose, -pose, (DIGIT, OTHER), 3)
    locked = pose.copy()
    locked.flags.writeable = False
    every_second = np.repeat(pose, 2)[::2]
    forms = (
        pose.astype(">f4"),
        pose.astype(np.float16),
        locked,
        every_second,
        pose.tolist(),
        torch.tensor(pose),
    )
    for form in forms:
        np.testing.assert_allclose(sweep(model, form, DIGIT, steps=3), expected, atol=1e-6)
        np.testing.assert_allclose(morph(model, form, -pose, (DIGIT, OTHER), 3), way, atol=1e-6)
    ints = np.ones(16, int)
    np.testing.assert_allclose(
        sweep(model, ints, 2, steps=2), sweep(model, ints * 1.0, 2, steps=2), atol=1e-6
    )
    assert np.isfinite(sweep(model, np.full(16, 100), DIGIT, 100, 2)).all()


@pytest.mark.parametrize("span", [0, -1, -0.25, math.nan, math.inf, "a", None, True, 100.5, [1]])
def test_what_is_no_span_is_refused(model: Model, pose: np.ndarray, span: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        sweep(model, pose, DIGIT, span)
    reference.assert_one_sentence(caught.value, repr(span), "above 0")


@pytest.mark.parametrize("steps", [1, 0, -3, 201, 2.5, 11.0, "11", None, True])
def test_what_is_no_number_of_steps_is_refused(model: Model, pose: np.ndarray, steps: Any) -> None:
    for attempt in (
        lambda: sweep(model, pose, DIGIT, steps=steps),
        lambda: morph(model, pose, pose, (DIGIT, OTHER), steps=steps),
    ):
        with pytest.raises(CapsvizError) as caught:
            attempt()
        reference.assert_one_sentence(caught.value, repr(steps), "2 to 200")


def test_two_hundred_steps_are_the_most(model: Model, pose: np.ndarray) -> None:
    assert morph(model, pose, -pose, (DIGIT, DIGIT), steps=200).shape == (200, 28, 28)


# --- pictures -------------------------------------------------------------------------------------------


def test_a_grid_picture_pixel_by_pixel() -> None:
    """Two rows of three images, four times as large and three pixels apart."""
    levels = np.arange(6).reshape(2, 3) / 10
    images = np.tile(levels[:, :, None, None], (28, 28))
    images[0, 1, 2, 5] = 1
    picture = grid_picture(images, scale=4, gap=3)
    assert picture.dtype == np.uint8
    assert picture.shape == (2 * 112 + 3, 3 * 112 + 2 * 3)
    for y, x in np.ndindex(*picture.shape):
        (row, inner_y), (column, inner_x) = divmod(y, 115), divmod(x, 115)
        if inner_y >= 112 or inner_x >= 112:
            expected = 90
        elif (row, column, inner_y // 4, inner_x // 4) == (0, 1, 2, 5):
            expected = 255
        else:
            expected = round(255 * (3 * row + column) / 10)
        assert picture[y, x] == pytest.approx(expected, abs=0.5), (y, x)


def test_a_grid_picture_of_a_sweep_has_a_row_for_each_component() -> None:
    assert grid_picture(np.zeros((16, 11, 28, 28))).shape == (16 * 58 - 2, 11 * 58 - 2)
    alone = grid_picture(np.full((1, 1, 28, 28), 0.2), scale=1, gap=5)
    np.testing.assert_array_equal(alone, np.full((28, 28), 51))
    beyond = grid_picture(np.array([[[[-0.5, 1.5]]]]), scale=1, gap=0)
    np.testing.assert_array_equal(beyond, [[0, 255]])


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    """Five images that have all grey levels."""
    return np.random.default_rng(4).random((5, 28, 28))


def opened(data: bytes) -> tuple[Image.Image, list[np.ndarray], list[int]]:
    """A GIF, its frames as grey levels, and for how many milliseconds each is shown."""
    picture = Image.open(io.BytesIO(data))
    frames, durations = [], []
    for index in range(getattr(picture, "n_frames", 1)):
        picture.seek(index)
        frames.append(np.asarray(picture.convert("L")))
        durations.append(picture.info["duration"])
    return picture, frames, durations


def assert_shows(frame: np.ndarray, image: np.ndarray, scale: int) -> None:
    """Each pixel is a square with its own level, but for what a palette of 256 colours may cost."""
    large = np.kron(image, np.ones((scale, scale)))
    np.testing.assert_allclose(frame.astype(float), 255 * large, atol=2)


def test_a_gif_goes_there_and_back_for_ever(film: np.ndarray) -> None:
    picture, frames, durations = opened(gif(film))
    assert picture.format == "GIF"
    assert picture.size == (280, 280)
    assert picture.info["loop"] == 0
    assert len(frames) == 8
    for frame, index in zip(frames, [0, 1, 2, 3, 4, 3, 2, 1], strict=True):
        assert_shows(frame, film[index], 10)
    assert durations == [500] * 8  # two seconds for the four steps to the last


@pytest.mark.parametrize(("seconds", "duration"), [(1, 250), (0.5, 130), (0.08, 20), (0.01, 20), (0, 20)])
def test_a_gif_takes_its_time(film: np.ndarray, seconds: float, duration: int) -> None:
    """In hundredths of a second, and never fewer than two, which browsers would not believe."""
    _, frames, durations = opened(gif(film, seconds, scale=2, there_and_back=False))
    assert len(frames) == 5
    for frame, image in zip(frames, film, strict=True):
        assert_shows(frame, image, 2)
    assert all(abs(found - duration) <= 10 for found in durations)
    assert set(durations) == {duration} or seconds == 0.5  # 125 rounds either way
    assert all(found % 10 == 0 for found in durations)


def test_a_gif_of_one_or_two_images(film: np.ndarray) -> None:
    picture, frames, _ = opened(gif(film[:1], scale=3))
    assert picture.size == (84, 84)
    assert len(frames) == 1
    assert_shows(frames[0], film[0], 3)
    _, frames, durations = opened(gif(film[:2], 1.5, scale=1))
    assert durations == [1500, 1500]
    for frame, image in zip(frames, film[:2], strict=True):
        assert_shows(frame, image, 1)


def test_images_that_do_not_change_last_as_long(film: np.ndarray) -> None:
    """A file may hold them as one."""
    still = np.concatenate([film[:1], film[:1], film[:3]])
    _, frames, durations = opened(gif(still, 1, scale=1, there_and_back=False))
    assert sum(durations) == 5 * 250
    assert_shows(frames[-1], film[2], 1)


def test_a_gif_of_a_real_morph(model: Model, pose: np.ndarray, other: np.ndarray) -> None:
    images = morph(model, pose, other, (DIGIT, OTHER))
    data = gif(images)
    picture, frames, durations = opened(data)
    assert len(frames) == 48
    assert sum(durations[:24]) == pytest.approx(2000, abs=24 * 5)
    for index in (0, 12, 24):
        assert_shows(frames[index], images[index], 10)
    assert len(data) < 1_500_000
    assert picture.size == (280, 280)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((0, 28, 28)),
        np.zeros((28, 28)),
        np.zeros((1, 1, 1, 28, 28)),
        np.full((2, 28, 28), np.nan),
        np.full((2, 28, 28), "1"),
        np.zeros((2, 28, 28), complex),
        torch.zeros(2, 28, 28, requires_grad=True),
        [],
        "film",
        None,
        3,
    ],
)
def test_what_are_no_images_make_no_picture(images: Any) -> None:
    for attempt in (lambda: gif(images), lambda: grid_picture(images)):
        with pytest.raises(CapsvizError) as caught:
            attempt()
        reference.assert_one_sentence(caught.value, "mages of numbers in 0..1")


def test_a_grid_has_two_axes_of_images_and_a_film_one() -> None:
    with pytest.raises(CapsvizError, match="Rows and columns"):
        grid_picture(np.zeros((2, 28, 28)))
    with pytest.raises(CapsvizError, match=r"^Images"):
        gif(np.zeros((2, 2, 28, 28)))


@pytest.mark.parametrize("seconds", [-0.1, 600.5, math.nan, math.inf, "2", None, True, [2]])
def test_what_is_no_time_for_a_film_is_refused(film: np.ndarray, seconds: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        gif(film, seconds)
    reference.assert_one_sentence(caught.value, "0 to 600 seconds", repr(seconds))


@pytest.mark.parametrize("scale", [0, -1, 21, 2.5, 2.0, "2", None, True])
def test_what_is_no_scale_is_refused(film: np.ndarray, scale: Any) -> None:
    for attempt in (lambda: gif(film, scale=scale), lambda: grid_picture(film[None], scale)):
        with pytest.raises(CapsvizError) as caught:
            attempt()
        reference.assert_one_sentence(caught.value, "scale", "1 to 20", repr(scale))


@pytest.mark.parametrize("gap", [-1, 101, 0.5, "2", None, True])
def test_what_is_no_gap_is_refused(film: np.ndarray, gap: Any) -> None:
    with pytest.raises(CapsvizError) as caught:
        grid_picture(film[None], gap=gap)
    reference.assert_one_sentence(caught.value, "gap", "0 to 100", repr(gap))


def test_the_longest_film_and_the_largest_picture() -> None:
    still = np.zeros((200, 2, 2))
    still[::2] = 1
    _, frames, _ = opened(gif(still, scale=1, there_and_back=False))
    assert len(frames) == 200
    with pytest.raises(CapsvizError, match="1 to 200 images, not 201"):
        gif(np.zeros((201, 2, 2)))
    assert opened(gif(still[:1], 600, scale=20))[0].size == (40, 40)
    assert opened(gif(still[:2], 600, there_and_back=False, scale=1))[2] == [600_000] * 2
    assert grid_picture(still[None, :2], 20, 100).shape == (40, 180)


def test_pictures_of_any_form_are_the_same_pictures() -> None:
    images = np.arange(8).reshape(2, 2, 2) / 8
    film, grid = gif(images, scale=3), grid_picture(images[None])
    forms = (images.astype(">f4"), np.asfortranarray(images), images.tolist(), torch.tensor(images))
    for form in (*forms, images.astype(np.float16)):
        assert gif(form, scale=3) == film
        np.testing.assert_array_equal(grid_picture(np.asarray(form)[None]), grid)
    dark = images > 0.5
    assert gif(dark, scale=3) == gif(dark * 1.0, scale=3)
