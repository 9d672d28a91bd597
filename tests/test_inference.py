"""The model as the library's user meets it."""

import copy
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import reference
import torch

from capsviz import canvas_to_mnist, load_model
from capsviz.errors import CapsvizError, DeviceError, ImageError, WeightsError
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.layers import fast
from capsviz.layers.capsules import CapsNet
from capsviz.models import model as inference
from capsviz.models.devices import Workers
from capsviz.models.model import Model
from capsviz.models.weights import load_weights

# Python does not even write down the second.
HUGE = [pytest.param(10**400, id="400 digits"), pytest.param(10**5000, id="5000 digits")]


def test_trace_equals_slow_numpy_routing_at_every_iteration(model: Model, seven: np.ndarray) -> None:
    trace = model.trace(seven, iterations=4)
    steps = reference.routing(trace.u_hat, 4)
    for r, (b, c, s, v) in enumerate(steps):
        np.testing.assert_allclose(trace.b[r], b, atol=1e-5)
        np.testing.assert_allclose(trace.c[r], c, atol=1e-5)
        np.testing.assert_allclose(trace.s[r], s, atol=1e-5)
        np.testing.assert_allclose(trace.v[r], v, atol=1e-5)


def test_trace_has_the_documented_shapes(model: Model, seven: np.ndarray) -> None:
    trace = model.trace(seven)
    assert trace.features.shape == (256, 20, 20)
    assert trace.u.shape == (1152, 8)
    assert trace.u_hat.shape == (1152, 10, 16)
    assert trace.b.shape == trace.c.shape == (3, 1152, 10)
    assert trace.s.shape == trace.v.shape == (3, 10, 16)


def test_reads_a_hand_made_seven(model: Model, seven: np.ndarray) -> None:
    assert model.trace(seven).prediction == 7


def test_predict_agrees_with_trace_for_one_and_for_many(model: Model, seven: np.ndarray) -> None:
    # 40 images go another way through the arithmetic than one does.
    many = model.predict(np.repeat(seven[None], 40, axis=0), batch_size=25)
    expected = model.trace(seven).lengths[-1]
    assert many.shape == (40, 10)
    np.testing.assert_allclose(many, np.repeat(expected[None], 40, axis=0), atol=1e-5)
    np.testing.assert_allclose(model.predict(seven[None]), expected[None], atol=1e-5)


def test_answers_and_votes_of_many_are_those_of_single_traces(model: Model, seven: np.ndarray) -> None:
    """Of few images and of many, which go another way through the arithmetic."""
    for images in (seven[None], np.stack([seven * k / 9 for k in range(1, 10)])):
        scores, poses = model.answers(images, 2)
        votes = model.votes(images)
        assert poses is not None
        for k, image in enumerate(images):
            trace = model.trace(image, 2)
            np.testing.assert_allclose(scores[k], trace.scores[-1], atol=1e-5)
            np.testing.assert_allclose(poses[k], trace.v[-1], atol=1e-5)
            np.testing.assert_allclose(votes[k], trace.u_hat, atol=1e-5)
    np.testing.assert_allclose(model.answers(seven[None])[0], model.predict(seven[None]), atol=1e-6)
    with pytest.raises(ImageError):
        model.answers(seven)
    with pytest.raises(CapsvizError, match="1 to 100"):
        model.answers(seven[None], 101)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """Seventy images, all different, [70, 28, 28]."""
    return (reference.synthetic_digits(70)[0] / 255).astype(np.float32)


@pytest.fixture(scope="module")
def net() -> CapsNet:
    """The shipped weights in the network as the paper has it, apart from any model."""
    return load_weights().net


@pytest.mark.parametrize("count", [1, 7, 8, 9, 17])
def test_predict_gives_what_the_network_as_it_is_written_gives(
    model: Model, net: CapsNet, digits: np.ndarray, count: int
) -> None:
    with torch.no_grad():
        expected = net(torch.tensor(digits[:count])).lengths.numpy()
    for size in (1, 3, 8, 250, 10**400):
        np.testing.assert_allclose(model.predict(digits[:count], size), expected, atol=1e-5)


def test_trace_gives_what_the_network_as_it_is_written_gives(
    model: Model, net: CapsNet, digits: np.ndarray
) -> None:
    with torch.no_grad():
        expected = net(torch.tensor(digits[37:38]), 2)
    trace = model.trace(digits[37], 2)
    np.testing.assert_allclose(trace.features, expected.features[0], atol=1e-5)
    np.testing.assert_allclose(trace.u, expected.u[0], atol=1e-5)
    np.testing.assert_allclose(trace.u_hat, expected.u_hat[0].transpose(0, 1), atol=1e-5)
    np.testing.assert_allclose(trace.v[1], expected.v[0], atol=1e-5)


@pytest.mark.parametrize("count", [3, 50, 70])
def test_lengths_by_iteration_are_those_of_traces_of_so_many(
    model: Model, digits: np.ndarray, count: int
) -> None:
    found = model.lengths_by_iteration(digits[:count], 4)
    assert found.shape == (4, count, 10)
    for place in {0, 2, count // 2, count - 1}:
        for r in (1, 2, 3, 4):
            expected = model.trace(digits[place], r).lengths[-1]
            np.testing.assert_allclose(found[r - 1, place], expected, atol=1e-5)
    assert len(model.lengths_by_iteration(digits[:1])) == 10


def test_kernels_are_transformed_once_whoever_asks(
    monkeypatch: pytest.MonkeyPatch, digits: np.ndarray
) -> None:
    transform, made = fast.kernel_spectra, []

    def counted(net: CapsNet) -> fast.Spectra:
        made.append(net)
        return transform(net)

    monkeypatch.setattr(fast, "kernel_spectra", counted)
    models = [load_model(device="cpu") for _ in range(2)]
    models[0].predict(digits[:7])
    models[0].trace(digits[0])
    assert not made  # a few images do without
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(models[0].predict, [digits[:20]] * 4))
    assert len(made) == 1
    models[0].lengths_by_iteration(digits[:8], 1)
    assert len(made) == 1
    for lengths in found:
        np.testing.assert_allclose(lengths, found[0], atol=1e-6)
    models[1].predict(digits[:8])
    assert len(made) == 2
    assert made[0] is not made[1]


# --- threads --------------------------------------------------------------------------------------------


@pytest.fixture
def threads() -> Iterator[int]:
    """PyTorch's number of threads, as it is found and left."""
    found = torch.get_num_threads()
    yield found
    torch.set_num_threads(found)


def test_values_do_not_depend_on_the_number_of_threads(
    model: Model, digits: np.ndarray, threads: int
) -> None:
    torch.set_num_threads(1)
    trace, lengths = model.trace(digits[3]), model.predict(digits[:16])
    drawn = model.reconstructions(trace)
    for count in (2, 3):
        torch.set_num_threads(count)
        again = model.trace(digits[3])
        for name in ("features", "u", "u_hat", "b", "c", "s", "v"):
            np.testing.assert_allclose(getattr(again, name), getattr(trace, name), atol=1e-6)
        np.testing.assert_allclose(model.predict(digits[:16]), lengths, atol=1e-6)
        np.testing.assert_allclose(model.reconstructions(trace), drawn, atol=1e-6)


def test_workers_answer_many_at_once_as_one_is_answered(
    model: Model, digits: np.ndarray, threads: int
) -> None:
    expected = model.predict(digits[:12])
    shared = load_model(device="cpu", workers=Workers(2))
    with ThreadPoolExecutor(12) as pool:
        for _ in range(2):
            found = list(pool.map(shared.trace, digits[:12]))
            np.testing.assert_allclose([trace.lengths[-1] for trace in found], expected, atol=1e-5)
            drawn = list(pool.map(shared.reconstructions, found[:3]))
    np.testing.assert_allclose(drawn[2], model.reconstructions(found[2]), atol=1e-5)
    np.testing.assert_allclose(shared.predict(digits[:12]), expected, atol=1e-5)
    with pytest.raises(ImageError):
        shared.trace(np.zeros((3, 3)))
    assert torch.get_num_threads() == threads  # those of this thread


def test_workers_compute_in_threads_of_their_own_and_a_model_without_in_the_callers(
    monkeypatch: pytest.MonkeyPatch, seven: np.ndarray, model: Model, threads: int
) -> None:
    encode, seen = fast.encode, []

    def noted(*arguments: Any) -> Any:
        seen.append(threading.current_thread().name)
        return encode(*arguments)

    monkeypatch.setattr(fast, "encode", noted)
    shared = load_model(device="cpu", workers=Workers(1))  # which tries it
    shared.trace(seven)
    model.trace(seven)
    assert [name.startswith("capsviz") for name in seen] == [True, True, False]
    assert seen[2] == threading.current_thread().name


def test_decode_masks_all_but_one_digit(model: Model, seven: np.ndarray) -> None:
    pose = model.trace(seven).v[-1, 7]
    masked = np.zeros((10, 16), np.float32)
    masked[7] = pose
    image = model.decode(pose, digit=7)
    assert image.shape == (28, 28)
    assert image.min() >= 0
    assert image.max() <= 1
    np.testing.assert_array_equal(image, model.decode(masked))
    both = model.decode(np.stack([pose, 0 * pose]), digit=7)
    np.testing.assert_allclose(both[0], image, atol=1e-6)
    assert np.abs(both[1] - image).max() > 0.1


def test_reconstruction_of_the_winner_is_closest_to_the_image(model: Model, seven: np.ndarray) -> None:
    reconstructions = model.reconstructions(model.trace(seven))[-1]
    errors = np.square(reconstructions - seven).sum(axis=(1, 2))
    assert errors.argmin() == 7


def test_reconstructions_are_what_each_capsule_draws_after_each_iteration(
    model: Model, seven: np.ndarray
) -> None:
    trace = model.trace(seven, iterations=2)
    reconstructions = model.reconstructions(trace)
    assert reconstructions.shape == (2, 10, 28, 28)
    for r in range(2):
        for j in range(10):
            # 20 images at once take another way through the arithmetic than one does.
            np.testing.assert_allclose(reconstructions[r, j], model.decode(trace.v[r, j], j), atol=1e-5)
    assert np.abs(reconstructions[0] - reconstructions[1]).max() > 0.01


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((28, 27)),
        np.zeros((1, 28, 28)),
        np.full((28, 28), np.nan),
        np.full((28, 28), np.inf),
        np.full((28, 28), 255.0),
        np.full((28, 28), -0.5),
        np.full((28, 28), 1.001),
        np.full((28, 28), -0.001),
        "seven",
        None,
    ],
    ids=["narrow", "batch", "nan", "inf", "0..255", "negative", "just above", "just below", "text", "none"],
)
def test_images_that_cannot_be_read_are_refused_in_one_sentence(model: Model, image: object) -> None:
    for call in (model.trace, lambda array: model.predict([array])):
        with pytest.raises(ImageError) as caught:
            call(image)
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith(".")


@pytest.mark.parametrize("iterations", [0, -1, 101, 3000, *HUGE, 2.5, 3.0, True, "3", [3], np.ones(2)])
def test_iterations_are_one_to_a_hundred(model: Model, seven: np.ndarray, iterations: object) -> None:
    for call in (model.trace, lambda image, count: model.lengths_by_iteration(image[None], count)):
        with pytest.raises(CapsvizError) as caught:
            call(seven, iterations)
        reference.assert_one_sentence(caught.value, "1 to 100 iterations")
        assert len(str(caught.value)) < 200


def test_a_hundred_iterations_are_the_most(model: Model, seven: np.ndarray) -> None:
    trace = model.trace(seven, 100)
    assert trace.iterations == 100
    np.testing.assert_allclose(trace.c.sum(axis=2), 1, atol=1e-5)


@pytest.mark.parametrize(
    "size", [0, -1, pytest.param(-(10**400), id="400 digits below 0"), 2.5, 8.0, True, "3", None, [3]]
)
def test_a_batch_is_a_whole_number_above_zero(model: Model, seven: np.ndarray, size: object) -> None:
    with pytest.raises(CapsvizError) as caught:
        model.predict(seven[None], batch_size=size)
    reference.assert_one_sentence(caught.value, "1 image or more")


# --- arrays at the edge of what is valid ----------------------------------------------------------------


def disguises(array: np.ndarray) -> dict[str, Any]:
    """The same numbers, each exact in half precision, in all forms that an array can come in."""
    spread = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), np.float32)
    spread[..., ::2] = array
    locked = array.astype(np.float32)
    locked.flags.writeable = False
    return {
        "float64": array.astype(np.float64),
        "half": array.astype(np.float16),
        "long double": array.astype(np.longdouble),
        "big-endian": array.astype(">f4"),
        "columns first": np.asfortranarray(array, np.float32),
        "every second": spread[..., ::2],
        "backwards": np.ascontiguousarray(array[..., ::-1])[..., ::-1],
        "read-only": locked,
        "lists": array.tolist(),
        "torch": torch.tensor(array.astype(np.float32)),
        "torch, double": torch.tensor(array.astype(np.float64)),
    }


@pytest.mark.parametrize("form", disguises(np.zeros(16)))
def test_numbers_of_any_form_are_the_same_numbers(model: Model, seven: np.ndarray, form: str) -> None:
    image = seven / 2
    expected = model.trace(image)
    given = disguises(image)[form]
    np.testing.assert_array_equal(model.trace(given).image, image)
    np.testing.assert_allclose(model.trace(given).v, expected.v, atol=1e-6)
    several = disguises(np.stack([image, 0 * image]))[form]
    np.testing.assert_allclose(model.predict(several)[0], expected.lengths[-1], atol=1e-5)
    np.testing.assert_allclose(model.lengths_by_iteration(several, 3)[:, 0], expected.lengths, atol=1e-5)
    pose = np.arange(-8, 8) / 16
    np.testing.assert_allclose(model.decode(disguises(pose)[form], 3), model.decode(pose, 3), atol=1e-6)


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint64, ">i4", ">u2"])
def test_whole_numbers_are_pixels_too(model: Model, kind: Any) -> None:
    image = np.zeros((28, 28))
    image[4:24, 13:15] = 1
    trace = model.trace(image.astype(kind))
    assert trace.prediction == 1
    np.testing.assert_array_equal(trace.image, image)
    np.testing.assert_array_equal(trace.v, model.trace(image).v)


def test_nothing_and_one_are_numbers_of_images_too(model: Model, seven: np.ndarray) -> None:
    for none in (np.zeros((0, 28, 28)), np.zeros((0, 28, 28), ">f8"), torch.zeros(0, 28, 28)):
        assert model.predict(none).shape == (0, 10)
        assert model.lengths_by_iteration(none, 4).shape == (4, 0, 10)
    assert model.predict(seven[None]).shape == (1, 10)
    assert model.lengths_by_iteration(seven[None], 4).shape == (4, 1, 10)
    assert model.decode(np.zeros((0, 16)), 3).shape == (0, 28, 28)
    assert model.decode(np.zeros((0, 10, 16))).shape == (0, 28, 28)
    assert model.decode(np.zeros((2, 3, 1, 16)), 3).shape == (2, 3, 1, 28, 28)


def test_what_was_given_is_left_as_it_was(model: Model, seven: np.ndarray) -> None:
    images, pose = np.stack([seven] * 9), np.full(16, 0.1, np.float32)
    model.predict(images)
    model.trace(images[0])
    model.decode(pose, 2)
    np.testing.assert_array_equal(images, np.stack([seven] * 9))
    np.testing.assert_array_equal(pose, np.full(16, 0.1, np.float32))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((28, 28), complex),
        np.full((28, 28), "0.5"),
        np.full((28, 28), None),
        np.zeros((28, 28), "M8[s]"),
        np.ma.masked_array(np.zeros((28, 28)), np.eye(28)),
        [[0.0] * 28] * 27 + [[0.0] * 27],
        torch.zeros(28, 28, requires_grad=True),
        torch.zeros(28, 28, dtype=torch.bfloat16),
        torch.zeros(28, 28, device="meta"),
        np.full((28, 28), 1e300),
        {},
        object(),
    ],
)
def test_what_is_no_array_of_real_numbers_is_refused(model: Model, wrong: Any) -> None:
    for call in (
        model.trace,
        lambda image: model.predict([image]) if isinstance(image, list) else model.predict(image),
    ):
        with pytest.raises(ImageError) as caught:
            call(wrong)
        reference.assert_one_sentence(caught.value)
        assert len(str(caught.value)) < 400
    with pytest.raises(CapsvizError) as caught:
        model.decode(wrong)
    reference.assert_one_sentence(caught.value, "pose")


@pytest.mark.parametrize(
    ("pose", "digit"),
    [
        (np.zeros(15), 3),
        (np.zeros(16), None),
        (np.zeros((9, 16)), None),
        (np.full(16, np.nan), 3),
        (np.zeros(16), 10),
        (np.zeros(16), -1),
        (np.zeros(16), True),
        (np.zeros(16), 3.0),
        pytest.param(np.zeros(16), 10**5000, id="5000 digits"),
        (np.full(16, 1.1e6), 3),
        (np.full(16, 3e38), 3),
        (np.full(16, -1e300), 3),
        (np.full(16, np.inf), 3),
        (1.0, 3),
        (np.zeros((16, 10)), None),
        ([[1.0], [2.0, 3.0]], 3),
        ("upright", 3),
    ],
)
def test_poses_that_cannot_be_decoded_are_refused(model: Model, pose: np.ndarray, digit: int | None) -> None:
    with pytest.raises(CapsvizError) as caught:
        model.decode(pose, digit)
    reference.assert_one_sentence(caught.value)


def test_poses_as_far_as_a_million_are_drawn(model: Model) -> None:
    for far in (1e6, -1e6):
        image = model.decode(np.full(16, far), 3)
        assert image.min() >= 0
        assert image.max() <= 1


def test_numpy_integers_are_whole_numbers(model: Model, seven: np.ndarray) -> None:
    assert model.trace(seven, np.int64(2)).iterations == 2
    np.testing.assert_array_equal(model.decode(np.zeros(16), np.int64(3)), model.decode(np.zeros(16), 3))


def test_when_the_device_is_full_the_cpu_takes_over_and_says_so(
    monkeypatch: pytest.MonkeyPatch, seven: np.ndarray
) -> None:
    expected = load_model(device="cpu").trace(seven).lengths
    model = load_model(device="cpu")
    on_device = model._way.net
    on_cpu = copy.deepcopy(on_device)

    def full(self: CapsNet, *arguments: object) -> object:
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB.")

    # No device but the CPU is to be had everywhere, so one is played by "meta", whose values cannot be read.
    monkeypatch.setattr(CapsNet, "encode", full)
    monkeypatch.setattr(copy, "deepcopy", lambda net: on_cpu)
    model._way = inference.Plain(on_device.to("meta"))
    with pytest.warns(RuntimeWarning, match="ran out of memory, so the CPU"):
        trace = model.trace(seven)
    np.testing.assert_array_equal(trace.lengths, expected)
    assert "the CPU computes from here on" in model.notice
    assert model.device == "cpu"
    assert next(on_device.parameters()).device.type == "meta"  # others may be computing with it
    many = model.predict(np.stack([seven] * 9))  # with spectra of the network on the CPU
    np.testing.assert_allclose(many, np.stack([expected[-1]] * 9), atol=1e-5)


@pytest.mark.parametrize(
    ("error", "device", "notice"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), "cuda", "ran out of memory"),
        (RuntimeError("CUDA error: no kernel image is available"), "auto", "does not work"),
    ],
)
def test_a_device_that_fails_at_once_leaves_the_cpu(
    monkeypatch: pytest.MonkeyPatch, seven: np.ndarray, error: RuntimeError, device: str, notice: str
) -> None:
    broken_device(monkeypatch, error)
    with pytest.warns(RuntimeWarning, match=notice):
        model = load_model(device=device)
    assert model.device == "cpu"
    assert notice in model.notice
    assert model.trace(seven).prediction == 7


def test_a_device_that_was_asked_for_and_does_not_work_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    broken_device(monkeypatch, RuntimeError("CUDA error: no kernel image is available\nfor execution"))
    with pytest.raises(DeviceError, match=r"does not work .*available\): use --device cpu"):
        load_model(device="cuda")


def broken_device(monkeypatch: pytest.MonkeyPatch, error: RuntimeError) -> None:
    """A CUDA device that is there, and fails as soon as a network is moved to it."""
    move = CapsNet.to

    def fail(self: CapsNet, device: torch.device) -> CapsNet:
        if torch.device(device).type == "cuda":
            raise error
        return move(self, device)

    monkeypatch.setattr(
        inference, "choose_device", lambda name: torch.device("cuda" if name == "auto" else name)
    )
    monkeypatch.setattr(CapsNet, "to", fail)


def test_other_failures_of_the_device_are_not_hidden(
    monkeypatch: pytest.MonkeyPatch, seven: np.ndarray
) -> None:
    model = load_model(device="cpu")

    def broken(*arguments: object) -> None:
        raise RuntimeError("device-side assert triggered")

    monkeypatch.setattr(fast, "encode", broken)
    with pytest.raises(RuntimeError, match="device-side assert"):
        model.trace(seven)


def test_load_model_refuses_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="There are no weights"):
        load_model("capsnet-klingon")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(DeviceError, match="--device cpu"):
        load_model(device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cuda_gives_the_same_trace(model: Model, seven: np.ndarray) -> None:
    expected, found = model.trace(seven), load_model(device="cuda").trace(seven)
    for name in ("u", "u_hat", "b", "c", "s", "v"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-4)


def test_reads_its_own_plain_examples(model: Model) -> None:
    """The ten digits in a plain hand, one of each, are read right; hard ones may be misread."""
    for digit in range(10):
        plain = next(example for example in EXAMPLES if example.digit == digit)
        image = canvas_to_mnist(render(plain.strokes, plain.width), ink="light")
        assert model.trace(image).prediction == digit, plain.name
