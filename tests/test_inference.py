"""The model as the library's user meets it."""

import copy

import numpy as np
import pytest
import reference
import torch

from capsviz import canvas_to_mnist, inference, load_model
from capsviz.capsules import CapsNet
from capsviz.errors import CapsvizError, DeviceError, ImageError, WeightsError
from capsviz.examples import EXAMPLES, render
from capsviz.inference import Model


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


def test_predict_of_no_images_is_empty(model: Model) -> None:
    assert model.predict(np.zeros((0, 28, 28))).shape == (0, 10)


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
        "seven",
        None,
    ],
    ids=["narrow", "batch", "nan", "inf", "0..255", "negative", "text", "none"],
)
def test_images_that_cannot_be_read_are_refused_in_one_sentence(model: Model, image: object) -> None:
    for call in (model.trace, lambda array: model.predict([array])):
        with pytest.raises(ImageError) as caught:
            call(image)
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith(".")


@pytest.mark.parametrize("iterations", [0, -1, 2.5, True, "3"])
def test_iterations_must_be_a_whole_number_above_zero(
    model: Model, seven: np.ndarray, iterations: object
) -> None:
    with pytest.raises(CapsvizError, match="1 or more iterations"):
        model.trace(seven, iterations)


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
        ([[1.0], [2.0, 3.0]], 3),
        ("upright", 3),
    ],
)
def test_poses_that_cannot_be_decoded_are_refused(model: Model, pose: np.ndarray, digit: int | None) -> None:
    with pytest.raises(CapsvizError):
        model.decode(pose, digit)


def test_numpy_integers_are_whole_numbers(model: Model, seven: np.ndarray) -> None:
    assert model.trace(seven, np.int64(2)).iterations == 2
    np.testing.assert_array_equal(model.decode(np.zeros(16), np.int64(3)), model.decode(np.zeros(16), 3))


def test_when_the_device_is_full_the_cpu_takes_over_and_says_so(
    monkeypatch: pytest.MonkeyPatch, seven: np.ndarray
) -> None:
    expected = load_model(device="cpu").trace(seven).lengths
    model = load_model(device="cpu")
    on_device = model._net
    on_cpu = copy.deepcopy(on_device)
    forward = CapsNet.forward

    def full_on_the_device(self: CapsNet, *arguments: object) -> object:
        if self is on_device:
            raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB.")
        return forward(self, *arguments)

    # No device but the CPU is to be had everywhere, so one is played by "meta", whose values cannot be read.
    monkeypatch.setattr(CapsNet, "forward", full_on_the_device)
    monkeypatch.setattr(copy, "deepcopy", lambda net: on_cpu)
    model._net = on_device.to("meta")
    with pytest.warns(RuntimeWarning, match="ran out of memory, so the CPU"):
        trace = model.trace(seven)
    np.testing.assert_array_equal(trace.lengths, expected)
    assert "the CPU computes from here on" in model.notice
    assert model.device == "cpu"
    assert next(on_device.parameters()).device.type == "meta"  # others may be computing with it


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

    monkeypatch.setattr(CapsNet, "forward", broken)
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
