"""Training: what it does to images and weights, that it resumes exactly, and the command from end to end."""

import ast
import csv
import errno
import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import reference
import tiny
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import load_file
from safetensors.torch import save as save_tensors
from torch import Tensor

from capsviz.__main__ import main
from capsviz.errors import DataError, TrainingError, WeightsError
from capsviz.inputs import data
from capsviz.inputs.augment import Strength, random_shift
from capsviz.inputs.data import NO_CLASS, Digits, load_mnist, split_validation
from capsviz.inputs.strokes import make_image, random_digit, random_other
from capsviz.layers import fast
from capsviz.layers.capsules import CapsNet
from capsviz.models.weights import FILE, load_weights
from capsviz.networks.base import DEFAULT, find, register, unregister
from capsviz.training import checkpoints, objective, result, train, validation
from capsviz.training import pool as pool_module
from capsviz.training import trainer as trainer_module
from capsviz.training.distributed import Team
from capsviz.training.objective import Losses
from capsviz.training.pool import Pool, load_pool
from capsviz.training.schedule import Stream, learning_rate, stream
from capsviz.training.settings import Settings
from capsviz.training.trainer import Trainer
from capsviz.training.validation import error_rate, evidence, measured, to_pixels

CPU = torch.device("cpu")
SMALL = Settings(epochs=2, batch_size=2)
CUDA = pytest.param(
    "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """For batches of two, threads cost more than they bring."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def by_the_book(
    net: CapsNet, images: Tensor, iterations: int, spectra: Any = None, mixed_precision: bool = False
) -> Tensor:
    """What ``fast.class_capsules`` equals."""
    return net(images, iterations, mixed_precision).v


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train with the readable formulation: equal (``test_fast.py``), and quicker for batches of two."""
    monkeypatch.setattr(fast, "class_capsules", by_the_book)


@pytest.fixture(scope="module", autouse=True)
def single() -> Iterator[None]:
    """Whatever is quicker on the machine that tests, what is said below is of single precision, but for some tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "is_quicker", lambda device: False)
        yield


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that does not outlive the test: checkpoints have 100 MB each."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def paper_network() -> CapsNet:
    """The default network, with its initial values."""
    spec = find(DEFAULT)
    return spec.build(spec)


def synthetic(count: int) -> Digits:
    images, labels = reference.synthetic_digits(count)
    return Digits(torch.tensor(images), torch.tensor(labels))


def run(trainer: Trainer, until: int) -> None:
    """Train up to step ``until``, closing every epoch that ends on the way; two digits validate."""
    while trainer.step < until:
        for _ in trainer.run_epoch():
            if trainer.step == until:
                break
        if trainer.step % trainer.steps_per_epoch == 0:
            trainer.end_epoch(synthetic(2))


# --- images and rates -----------------------------------------------------------------------------------


def shifted(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """The image moved, with zeros where nothing came from."""
    moved = np.roll(image, (down, right), (0, 1))
    rows, columns = np.arange(28) - down, np.arange(28) - right
    moved[(rows < 0) | (rows > 27)] = 0
    moved[:, (columns < 0) | (columns > 27)] = 0
    return moved


def test_shifts_reach_every_place_within_two_pixels_and_no_other():
    image = np.random.default_rng(0).uniform(0.1, 1, (28, 28)).astype(np.float32)  # ink up to the edges
    batch = torch.tensor(image).repeat(400, 1, 1)
    moved = random_shift(batch, 2, torch.Generator().manual_seed(0)).numpy()
    places = {(y, x): shifted(image, y, x) for y in range(-2, 3) for x in range(-2, 3)}
    found = [[place for place, truth in places.items() if np.array_equal(one, truth)] for one in moved]
    assert all(len(matches) == 1 for matches in found)
    assert {matches[0] for matches in found} == set(places)
    assert torch.equal(batch[0], torch.tensor(image))  # the batch itself is left alone
    # First the numbers of all ways up, from 2 down to 2 up, then those of all ways to the left.
    numbers = torch.randint(5, (2, 400), generator=torch.Generator().manual_seed(0))
    assert [matches[0] for matches in found] == [tuple(place) for place in (2 - numbers).T.tolist()]


def test_each_image_is_shifted_on_its_own_and_no_shift_is_possible():
    images = torch.rand(6, 28, 28)
    assert torch.equal(random_shift(images, 0, torch.Generator()), images)
    one, other = (random_shift(images, 2, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert not torch.equal(one, other)


def test_what_is_not_chosen_is_as_in_the_paper():
    """Section 5: shifts of up to 2 pixels, 3 iterations, Adam at its default rate. Its schedule is ours."""
    settings = Settings()
    assert (settings.shift, settings.iterations, settings.learning_rate) == (2, 3, 0.001)
    assert (settings.warmup_steps, settings.final_learning_rate) == (200, 0.00001)


@pytest.mark.parametrize(("steps", "warmup"), [(6_000, 200), (1_000, 100), (5, 1)])
def test_learning_rate(steps: int, warmup: int):
    settings = Settings(learning_rate=1e-3, final_learning_rate=1e-5, warmup_steps=200)
    rates = [learning_rate(settings, step, steps) for step in range(steps + 1)]
    assert rates[0] == pytest.approx(1e-3 / warmup)
    assert rates[-1] == pytest.approx(1e-5)
    assert rates[warmup - 1] == max(rates) <= 1e-3
    assert max(rates) > 0.97e-3 or steps == 5
    assert rates[warmup - 1 :] == sorted(rates[warmup - 1 :], reverse=True)
    assert all(map(math.isfinite, rates))


@pytest.mark.parametrize(
    ("step", "steps", "rate"),
    [
        (0, 1000, 0.01 / 100),  # up within a tenth of the steps
        (0, 3000, 0.01 / 200),  # but no more than 200
        (250, 1000, 0.002 + 0.008 * (1 + 0.5**0.5) / 2),
        (500, 1000, 0.006),
    ],
)
def test_learning_rates_by_hand(step: int, steps: int, rate: float):
    settings = Settings(learning_rate=0.01, final_learning_rate=0.002, warmup_steps=200)
    assert learning_rate(settings, step, steps) == pytest.approx(rate)


def test_pixels_are_in_0_to_1_and_every_image_is_seen_once_an_epoch(monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[Tensor, Tensor]] = []
    monkeypatch.setattr(Trainer, "_update", lambda self, *batch: seen.append(batch))
    trainer = Trainer(Settings(epochs=2, batch_size=3), synthetic(10), CPU)
    assert trainer.steps_per_epoch == 3
    assert trainer.steps == 6
    epochs = []
    for _ in range(2):
        seen.clear()
        assert sum(1 for _ in trainer.run_epoch()) == 3
        images, labels = (torch.cat(parts) for parts in zip(*seen, strict=True))
        assert images.dtype == torch.float32
        assert images.min() == 0
        assert images.max() == 1
        assert len(set(labels.tolist())) == 9
        epochs.append(labels.tolist())
    assert epochs[0] != epochs[1]
    assert to_pixels(torch.tensor([0, 51, 255], dtype=torch.uint8), CPU).tolist() == pytest.approx(
        [0, 0.2, 1]
    )


# --- one step -------------------------------------------------------------------------------------------


def test_step_follows_the_loss_of_the_paper(plain: None):
    """Margin loss on the lengths themselves plus 0.0005 x summed squares, masked with the *true* digit."""
    trainer = Trainer(Settings(batch_size=3), synthetic(10), CPU)
    with torch.no_grad():
        trainer.net.primary.conv.weight.mul_(10)  # capsules as long as a trained network's
    before = deepcopy(trainer.net)
    images = to_pixels(trainer.training.images[:3], CPU)
    labels = (before(images).lengths.argmax(1) + 1) % 10  # every prediction is wrong

    v = before(images, 3).v
    lengths = v.norm(dim=2)
    kept = torch.zeros_like(v)
    for n, digit in enumerate(labels.tolist()):
        kept[n, digit] = v[n, digit]
    errors = (before.decoder(kept) - images).square().sum((1, 2))
    present = torch.eye(10)[labels]
    margins = present * (0.9 - lengths).relu() ** 2 + 0.5 * (1 - present) * (lengths - 0.1).relu() ** 2
    assert margins.sum(1).mean().item() == pytest.approx(
        reference.margin_loss(lengths.detach().numpy(), labels.numpy()), rel=1e-5
    )
    (margins.sum(1).mean() + 0.0005 * errors.mean()).backward()

    trainer._update(images, labels)
    assert trainer.sums == pytest.approx([margins.sum(1).mean().item(), errors.mean().item(), 3], rel=1e-5)
    for (name, ours), theirs in zip(trainer.net.named_parameters(), before.parameters(), strict=True):
        assert (ours.grad - theirs.grad).norm() <= 1e-5 * theirs.grad.norm(), name
        assert not torch.equal(ours, theirs), name


def test_first_step_of_adam(plain: None):
    """Each weight goes by the rate, against its gradient's sign: bias correction makes both moments its own."""
    trainer = Trainer(Settings(epochs=20, batch_size=1, warmup_steps=4), synthetic(10), CPU)
    before = trainer.net.decoder[4].bias.detach().clone()
    trainer._update(to_pixels(trainer.training.images[:1], CPU), torch.tensor([0]))
    bias = trainer.net.decoder[4].bias
    moments = trainer.optimizer.state[bias]
    rate = 1e-3 / 4  # after the first of four steps of warm-up
    steep = bias.grad.abs() > 1e-5
    assert steep.sum() > 100
    torch.testing.assert_close((bias - before)[steep], -rate * bias.grad.sign()[steep], rtol=0.01, atol=0)
    torch.testing.assert_close(moments["exp_avg"][steep], 0.1 * bias.grad[steep], rtol=1e-3, atol=0)
    torch.testing.assert_close(moments["exp_avg_sq"][steep], 0.001 * bias.grad[steep] ** 2, rtol=1e-3, atol=0)


def test_step_of_one_of_two_processes(plain: None, monkeypatch: pytest.MonkeyPatch):
    """It has the first two of four images, with one of their three digits; the other's losses are the same."""
    monkeypatch.setattr("torch.distributed.all_reduce", lambda values: values.mul_(2))
    trainer = Trainer(Settings(batch_size=4), synthetic(10), CPU)
    trainer.team = Team(0, 2)
    images = to_pixels(trainer.training.images[:4], CPU)
    with torch.no_grad():
        v = trainer.net(images[:2], 3).v
        lengths = v.norm(dim=2)
        digit = (int(lengths[0].argmax()) + 1) % 10  # misread
        kept = torch.zeros(1, 10, 16)
        kept[0, digit] = v[0, digit]
        error = (trainer.net.decoder(kept) - images[:1]).square().sum().item()
    present = torch.zeros(2, 10)
    present[0, digit] = 1
    margins = present * (0.9 - lengths).relu() ** 2 + 0.5 * (1 - present) * (lengths - 0.1).relu() ** 2
    trainer._update(images, torch.tensor([digit, NO_CLASS, 1, 2]))
    assert trainer.sums == pytest.approx([margins.sum(1).mean().item(), error / 1.5, 2], rel=1e-5)


def test_losses_and_seconds_of_an_epoch_add_up(monkeypatch: pytest.MonkeyPatch):
    trainer = Trainer(SMALL, synthetic(4), CPU)
    bias = trainer.net.decoder[4].bias
    parts = iter([[0.1, 30, 1], [0.2, 40, 2]])
    monkeypatch.setattr(trainer, "objective", lambda *_: Losses(bias.sum(), torch.tensor(next(parts))))
    clock = iter([10.0, 13.0, 20.0, 24.0])
    monkeypatch.setattr(trainer_module, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    list(trainer.run_epoch())
    assert trainer.sums == pytest.approx([0.3, 70, 3])
    assert trainer.seconds == 7


def test_step_shows_noise_and_lets_the_picture_without_it_be_drawn(
    plain: None, monkeypatch: pytest.MonkeyPatch
):
    trainer = Trainer(Settings(batch_size=3, noise=0.3), synthetic(10), CPU)
    net = deepcopy(trainer.net)
    images, labels = to_pixels(trainer.training.images[:3], CPU), torch.tensor([0, 1, 2])
    noisy = (images + 0.1).clamp(0, 1)
    monkeypatch.setattr(
        trainer_module, "add_noise", lambda clean, most, generator: noisy if most == 0.3 else clean
    )
    v = net(noisy, 3).v
    kept = torch.zeros_like(v)
    kept[range(3), labels] = v[range(3), labels]
    errors = (net.decoder(kept) - images).square().sum((1, 2))
    margin = reference.margin_loss(v.norm(dim=2).detach().numpy(), labels.numpy())
    trainer._update(images, labels)
    assert trainer.sums[:2] == pytest.approx([margin, errors.mean().item()], rel=1e-5)


def test_noise_is_another_at_every_step(plain: None, monkeypatch: pytest.MonkeyPatch):
    states: list[bytes] = []

    def spy(images: Tensor, most: float, generator: torch.Generator) -> Tensor:
        states.append(generator.get_state().numpy().tobytes())
        return images

    monkeypatch.setattr(trainer_module, "add_noise", spy)
    for settings in (Settings(epochs=1, batch_size=3, noise=0.3), Settings(epochs=1, batch_size=3)):
        list(Trainer(settings, synthetic(10), CPU).run_epoch())
    assert len(set(states)) == len(states) == 3  # the steps of the run that has noise


def test_an_endless_error_of_the_picture_ends_the_run(plain: None, monkeypatch: pytest.MonkeyPatch):
    """The margin loss is always finite."""
    trainer = Trainer(Settings(batch_size=3), synthetic(10), CPU)
    monkeypatch.setattr(objective, "reconstruction_loss", lambda *arguments: torch.tensor(math.inf))
    with pytest.raises(TrainingError) as caught:
        trainer._update(to_pixels(trainer.training.images[:3], CPU), torch.tensor([0, 1, 2]))
    reference.assert_one_sentence(caught.value, "The loss is inf at step 1", "--out")


@pytest.mark.parametrize("shift", [0, 3])
def test_images_are_shifted_as_far_as_was_asked(shift: int, monkeypatch: pytest.MonkeyPatch):
    asked: list[float] = []

    def spy(images: Tensor, generator: torch.Generator, strength: Strength) -> Tensor:
        asked.append(strength.shift)
        return images

    def spy_shift(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
        asked.append(most)
        return images

    monkeypatch.setattr(trainer_module, "augment", spy)
    monkeypatch.setattr(trainer_module, "random_shift", spy_shift)
    monkeypatch.setattr(Trainer, "_update", lambda self, *batch: None)
    for augmented in (True, False):
        settings = Settings(epochs=1, batch_size=4, shift=shift, augment=augmented)
        list(Trainer(settings, synthetic(4), CPU).run_epoch())
    assert asked == [shift, shift]


def test_a_few_steps_lower_the_loss(plain: None):
    trainer = Trainer(Settings(epochs=3, batch_size=5, learning_rate=3e-4), synthetic(10), CPU)
    run(trainer, until=6)
    first, last = trainer.log[0], trainer.log[-1]
    assert [row["epoch"] for row in trainer.log] == [1, 2, 3]
    assert last["margin_loss"] < first["margin_loss"]
    assert last["reconstruction_loss"] < first["reconstruction_loss"]
    assert all(parameter.isfinite().all() for parameter in trainer.net.parameters())


def test_error_rate_is_that_of_the_unchanged_images():
    """Test images are neither shifted nor otherwise made up: twice the same, and as classified directly."""
    torch.manual_seed(0)
    net, digits = paper_network(), synthetic(4)
    with torch.no_grad():
        answers = net(digits.images / 255).lengths.argmax(1)
    # Labels under which exactly two of the four answers are wrong.
    labels = answers.clone()
    labels[[1, 3]] = (labels[[1, 3]] + 1) % 10
    rates = [error_rate(net, Digits(digits.images, labels), 3, batch_size=size) for size in (3, 4, 4)]
    assert rates == [0.5, 0.5, 0.5]


def test_what_is_measured_for_a_card():
    """One of four validation digits is misread, and both test digits."""
    torch.manual_seed(0)
    net, digits = paper_network(), synthetic(4)
    with torch.no_grad():
        net.primary.conv.weight.mul_(10)  # capsules as long as a trained network's
        lengths = net(digits.images / 255).lengths
    answers = lengths.argmax(1)
    wrong = (answers + 1) % 10
    validation = Digits(digits.images, torch.cat([wrong[:1], answers[1:]]))
    found = measured(net, validation, Digits(digits.images[:2], wrong[:2]), 3)
    loss = reference.margin_loss(lengths.numpy(), validation.labels.numpy())
    assert list(found)[-1] == "test_error"
    assert (found["validation_error"], found["test_error"]) == (0.25, 1)
    assert found["validation_loss"] == pytest.approx(loss, rel=1e-4)
    # 1 % of four is none.
    assert found["unsure_below"] == pytest.approx(float(lengths.amax(1).min()), rel=1e-4)


# --- random numbers -------------------------------------------------------------------------------------


def test_neighbouring_seeds_share_no_random_numbers():
    """Nor do a seed's kinds and steps; 32 bits of 3,600 streams fall together once in seven hundred times."""
    seeds = [
        stream(seed, kind, step).initial_seed() for seed in range(6) for kind in Stream for step in range(100)
    ]
    assert len(set(seeds)) == len(seeds) == 3_600
    assert not {0, 1} & set(Stream)  # the pool's


def test_a_stream_is_numpys_mixture_of_its_three_numbers():
    expected = np.random.SeedSequence((3, 4, 7)).generate_state(4)[0]
    assert Stream.CHANGES == 4
    assert stream(3, Stream.CHANGES, 7).initial_seed() == expected
    assert stream(3, Stream.CHANGES).initial_seed() == np.random.SeedSequence((3, 4, 0)).generate_state(4)[0]


def test_every_use_of_chance_has_its_own_stream(plain: None, pool: Pool, monkeypatch: pytest.MonkeyPatch):
    """Two epochs of two steps: the order changes with the epoch, all else with the step."""
    asked: list[tuple[int, ...]] = []

    def spy(seed: int, kind: Stream, number: int = 0) -> torch.Generator:
        asked.append((seed, kind, number))
        return stream(seed, kind, number)

    monkeypatch.setattr(trainer_module, "stream", spy)
    run(Trainer(replace(MIXED, seed=9), synthetic(10), CPU, pool), until=4)
    steps = [(kind, step) for step in range(4) for kind in (Stream.CHANGES, Stream.MADE_UP, Stream.NOISE)]
    expected = {(Stream.WEIGHTS, 0), (Stream.ORDER, 0), (Stream.ORDER, 1), *steps}
    assert sorted(asked) == sorted((9, *use) for use in expected)


def test_the_callers_random_numbers_are_left_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, second, other = (
        Trainer(Settings(seed=seed), synthetic(2), CPU).net.digits.W for seed in (0, 0, 1)
    )
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


# --- made-up images and other starts -------------------------------------------------------------------


MIXED = Settings(epochs=2, batch_size=5, augment=True, noise=0.3, synthetic=0.4, others=0.2, pool=6)


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Four made-up digits, two other things."""
    with tempfile.TemporaryDirectory() as folder:
        return load_pool(Path(folder) / "pool.safetensors", *MIXED.pool_sizes, seed=0)


@pytest.mark.parametrize(
    ("settings", "batch", "sizes"),
    [
        (Settings(), (128, 0, 0), (0, 0)),
        (Settings(synthetic=0.2, others=0.06), (94, 26, 8), (36_706, 11_294)),
        (Settings(synthetic=0.25, pool=100), (96, 32, 0), (100, 0)),
        (Settings(others=0.25, pool=100), (96, 0, 32), (0, 100)),
        (MIXED, (2, 2, 1), (4, 2)),
    ],
)
def test_shares_of_batch_and_pool(settings: Settings, batch: tuple[int, int, int], sizes: tuple[int, int]):
    assert settings.batch == batch
    assert settings.pool_sizes == sizes


def test_batches_are_mixed_and_an_epoch_has_as_many_steps(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[Tensor, Tensor]] = []
    monkeypatch.setattr(Trainer, "_update", lambda self, *batch: seen.append(batch))
    trainer = Trainer(MIXED, synthetic(10), CPU, pool)
    assert trainer.steps_per_epoch == 2
    list(trainer.run_epoch())
    real = [labels[:2].tolist() for _, labels in seen]
    assert len({*real[0], *real[1]}) == 4  # four different digits of the ten
    for images, labels in seen:
        assert images.shape == (5, 28, 28)
        assert images.min() >= 0
        assert images.max() <= 1
        assert set(labels[2:4].tolist()) <= set(pool.digits.labels.tolist())
        assert labels[4] == NO_CLASS
    again = Trainer(MIXED, synthetic(10), CPU, pool)
    first = [*seen]
    seen.clear()
    list(again.run_epoch())
    for (ours, _), (theirs, _) in zip(seen, first, strict=True):
        assert torch.equal(ours, theirs)


def test_step_gives_what_is_no_digit_no_picture_to_draw(plain: None):
    """The margin loss is the mean over all images, the squared error over those of digits alone."""
    trainer = Trainer(Settings(batch_size=3), synthetic(10), CPU)
    before = deepcopy(trainer.net)
    images, labels = to_pixels(trainer.training.images[:3], CPU), torch.tensor([0, NO_CLASS, 2])
    v = before(images, 3).v
    lengths = v.norm(dim=2)
    kept = torch.zeros(2, 10, 16)
    kept[0, 0], kept[1, 2] = v[0, 0], v[2, 2]
    errors = (before.decoder(kept) - images[[0, 2]]).square().sum((1, 2))
    present = torch.zeros(3, 10)
    present[0, 0] = present[2, 2] = 1
    margins = present * (0.9 - lengths).relu() ** 2 + 0.5 * (1 - present) * (lengths - 0.1).relu() ** 2
    (margins.sum(1).mean() + 0.0005 * errors.mean()).backward()

    trainer._update(images, labels)
    assert trainer.sums[:2] == pytest.approx([margins.sum(1).mean().item(), errors.mean().item()], rel=1e-5)
    assert trainer.sums[2] == (lengths.argmax(1)[[0, 2]] != torch.tensor([0, 2])).sum()
    for (name, ours), theirs in zip(trainer.net.named_parameters(), before.parameters(), strict=True):
        assert (ours.grad - theirs.grad).norm() <= 1e-5 * theirs.grad.norm(), name


def test_a_row_of_the_log(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    """After an epoch of two steps, each with two digits of MNIST, two made-up ones and something else."""
    trainer = Trainer(MIXED, synthetic(10), CPU, pool)
    trainer.step, trainer.sums, trainer.seconds = 4, [1.0, 60.0, 4.0], 7.5
    monkeypatch.setattr(trainer_module, "error_rate", lambda net, digits, iterations: len(digits.labels) / 8)
    expected = {
        "epoch": 2,
        "margin_loss": 0.5,
        "reconstruction_loss": 30,
        "train_error": 4 / 8,
        "validation_error": 0.25,
        "seconds": 7.5,
    }
    assert trainer.end_epoch(synthetic(2)) == expected
    assert trainer.log == [expected]
    assert (trainer.sums, trainer.seconds) == ([0, 0, 0], 0)


def test_an_epoch_worse_than_no_capsule_at_all_ends_the_run(monkeypatch: pytest.MonkeyPatch):
    """Capsules of length 0 have a loss of 0.9 squared; a tenth more is too much."""
    trainer = Trainer(SMALL, synthetic(4), CPU)
    monkeypatch.setattr(trainer_module, "error_rate", lambda *arguments: 0.0)
    trainer.step, trainer.sums = 2, [2 * 0.8909, 0.0, 0.0]
    trainer.end_epoch(synthetic(2))
    trainer.step, trainer.sums = 4, [2 * 0.8911, 0.0, 0.0]
    with pytest.raises(TrainingError) as caught:
        trainer.end_epoch(synthetic(2))
    reference.assert_one_sentence(caught.value, "epoch 2 is 0.89", "--learning-rate", "--out")
    assert len(trainer.log) == 1


def test_mixed_runs_resume_bit_for_bit(plain: None, folder: Path, pool: Pool):
    whole, first, second = (Trainer(MIXED, synthetic(10), CPU, pool) for _ in range(3))
    run(whole, until=4)
    run(first, until=3)
    first.save(folder / "checkpoint")
    second.load(folder / "checkpoint")
    run(second, until=4)
    for (name, ours), theirs in zip(second.net.named_parameters(), whole.net.parameters(), strict=True):
        assert torch.equal(ours, theirs), name


def test_resume_with_another_pool(plain: None, folder: Path, pool: Pool):
    trainer = Trainer(MIXED, synthetic(10), CPU, pool)
    run(trainer, until=1)
    trainer.save(folder / "checkpoint")
    changed = Pool(Digits(pool.digits.images.flip(2), pool.digits.labels), pool.others)
    assert_refused(
        Trainer(MIXED, synthetic(10), CPU, changed), folder / "checkpoint", "other synthetic images"
    )


def test_a_pool_is_drawn_once(folder: Path, monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    path = folder / "pool.safetensors"
    drawn = load_pool(path, 3, 2, 0, say=said.append)
    assert drawn.digits.images.shape == (3, 28, 28)
    assert drawn.others.labels.tolist() == [NO_CLASS] * 2
    assert load_pool(path, 3, 2, 0, say=said.append).sha256 == drawn.sha256
    assert len(said) == 1
    # Another seed, more images or a damaged file: drawn anew.
    other = load_pool(path, 3, 2, 1, say=said.append)
    assert other.sha256 != drawn.sha256
    more = load_pool(path, 4, 2, 0, say=said.append)
    assert torch.equal(more.digits.images[:3], drawn.digits.images)
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)
    assert load_pool(path, 4, 2, 0, say=said.append).sha256 == more.sha256
    path.write_bytes(b"")
    assert load_pool(path, 4, 2, 0, say=said.append).sha256 == more.sha256
    assert len(said) == 5


def test_each_image_of_a_pool_has_random_numbers_of_its_own(folder: Path):
    """Mixed of the seed, 0 for digits and 1 for other things, and its place."""
    drawn = load_pool(folder / "pool.safetensors", 3, 2, 7)
    for made, make, kind in ((drawn.digits, random_digit, 0), (drawn.others, random_other, 1)):
        for place, (image, label) in enumerate(zip(*made, strict=True)):
            expected = make_image(make, np.random.default_rng([7, kind, place]))
            assert np.array_equal(image, expected[0])
            assert label == expected[1]


def test_a_pool_knows_all_code_that_drew_it(monkeypatch: pytest.MonkeyPatch):
    """That is what ``strokes`` imports of the package, and what that imports; errors, words and a label draw nothing."""
    package = Path(pool_module.__file__).parents[1]
    drawing, new = set(), {"inputs.strokes"}
    while new:
        drawing |= new
        files = [package / f"{name.replace('.', '/')}.py" for name in new]
        trees = [ast.parse(file.read_text("utf-8")) for file in files]
        imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        modules = {node.module for node in imports} - {"capsviz.inputs", "capsviz.texts"}
        modules |= {
            f"{node.module}.{alias.name}"
            for node in imports
            if node.module == "capsviz.inputs"
            for alias in node.names
        }
        names = {name.removeprefix("capsviz.") for name in modules if name.startswith("capsviz.")}
        new = names - drawing - {"errors", "inputs.data"}
    read: list[str] = []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.stem) or read_bytes(path))
    pool_module._code()
    assert sorted(f"inputs.{name}" for name in read) == sorted(drawing)


def test_a_pool_that_a_run_began_with_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch):
    path = folder / "pool.safetensors"
    drawn = load_pool(path, 3, 2, 0)
    kept = path.read_bytes()
    with pytest.raises(WeightsError) as caught:
        load_pool(path, 3, 2, 1, begun=True)
    reference.assert_one_sentence(caught.value, path, "other settings", "--out")
    monkeypatch.setattr(pool_module, "_code", lambda: "later code")
    assert load_pool(path, 3, 2, 0, begun=True).sha256 == drawn.sha256
    assert path.read_bytes() == kept
    load_pool(path, 3, 2, 0)  # a run that begins takes what this version draws
    assert path.read_bytes() != kept


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (Settings(batch_size=128, others=0.003), "--others"),
        (Settings(batch_size=8, synthetic=0.06), "--synthetic"),
        (Settings(batch_size=128, synthetic=0.499, others=0.499), "no room for MNIST"),
        (Settings(synthetic=0.25, others=0.25, pool=1), "--pool"),
    ],
)
def test_shares_that_come_to_nothing(settings: Settings, named: str, tmp_path: Path):
    with pytest.raises(DataError) as caught:
        train.train(tmp_path, tmp_path / "out", settings, CPU)
    reference.assert_one_sentence(caught.value, named, "give")
    assert not (tmp_path / "out").exists()


def test_without_shares_there_is_no_pool(folder: Path):
    assert load_pool(folder / "pool.safetensors", 0, 0, 0).sha256 == ""
    assert not list(folder.iterdir())
    for digits, others in ((2, 0), (0, 2)):  # with one share there is one
        pool = load_pool(folder / "pool.safetensors", digits, others, 0)
        assert (len(pool.digits.labels), len(pool.others.labels)) == (digits, others)


# --- checkpoints ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["cpu", CUDA])
@pytest.mark.parametrize("stop", [1, 2, 3], ids=["within the first epoch", "between", "within the second"])
def test_resumes_bit_for_bit(plain: None, folder: Path, stop: int, device: str):
    whole, first = (Trainer(SMALL, synthetic(4), torch.device(device)) for _ in range(2))
    run(whole, until=4)
    run(first, until=stop)
    first.save(folder / "checkpoint")

    torch.manual_seed(12345)  # another process would be in another state
    second = Trainer(SMALL, synthetic(4), torch.device(device))
    torch.rand(7)
    second.load(folder / "checkpoint")
    run(second, until=4)

    assert second.step == whole.step == 4
    for (name, ours), theirs in zip(second.net.named_parameters(), whole.net.parameters(), strict=True):
        assert torch.equal(ours, theirs), name
        for key, value in whole.optimizer.state[theirs].items():
            assert torch.equal(second.optimizer.state[ours][key], value), (name, key)
    logs = [[{**row, "seconds": 0} for row in trainer.log] for trainer in (second, whole)]
    assert logs[0] == logs[1]
    assert len(logs[0]) == 2


def test_a_mixed_run_resumes_bit_for_bit(folder: Path):
    """In the formulation that a CPU trains with: whole, and in two parts."""
    settings = replace(SMALL, mixed_precision=True)
    whole, first, second, single = (
        Trainer(replace(settings, mixed_precision=mixed), synthetic(4), CPU)
        for mixed in (True, True, True, False)
    )
    run(whole, until=2)
    run(first, until=1)
    first.save(folder / "checkpoint")
    assert second.load(folder / "checkpoint") == []
    run(second, until=2)
    run(single, until=1)
    for (name, ours), theirs in zip(second.net.named_parameters(), whole.net.parameters(), strict=True):
        assert torch.equal(ours, theirs), name
        assert ours.dtype == torch.float32
        assert {value.dtype for value in whole.optimizer.state[theirs].values()} == {torch.float32}
    gradients = [trainer.net.primary.conv.weight.grad for trainer in (first, single)]
    assert not torch.equal(*gradients)  # it was mixed


def test_the_machine_says_what_multiplies_in_bfloat16(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "ABACUS")
    monkeypatch.setattr(trainer_module, "instructions", lambda: ["amx_bf16", "avx512_bf16"])
    for mixed, said in ((True, "cpu with ABACUS and amx_bf16 and avx512_bf16"), (False, "cpu with ABACUS")):
        assert Trainer(replace(SMALL, mixed_precision=mixed), synthetic(4), CPU).machine["device"] == said


@pytest.fixture(scope="module")
def checkpoint() -> Iterator[Path]:
    """A checkpoint of ``SMALL`` on four digits, after one of four steps."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "class_capsules", by_the_book)
        trainer = Trainer(SMALL, synthetic(4), CPU)
        run(trainer, until=1)
        trainer.save(Path(folder) / "checkpoint.safetensors")
        yield Path(folder) / "checkpoint.safetensors"


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    """A run of ``SMALL`` on four digits that has not begun."""
    return Trainer(SMALL, synthetic(4), CPU)


def assert_refused(trainer: Trainer, path: Path, *mentioned: object) -> None:
    with pytest.raises(WeightsError) as caught:
        trainer.load(path)
    reference.assert_one_sentence(caught.value, path, "--out", *mentioned)


@pytest.mark.parametrize(
    ("settings", "images", "named"),
    [
        (Settings(epochs=1, batch_size=4), 4, "epochs 2, not 1"),
        (Settings(epochs=3, batch_size=2), 4, "epochs 2, not 3"),
        (Settings(epochs=2, batch_size=1), 4, "batch_size 2, not 1"),
        (Settings(epochs=2, batch_size=2, seed=1), 4, "seed 0, not 1"),
        (Settings(epochs=2, batch_size=2, shift=1), 4, "shift 2, not 1"),
        (Settings(epochs=2, batch_size=2, iterations=1), 4, "iterations 3, not 1"),
        (Settings(epochs=2, batch_size=2, learning_rate=0.1), 4, "learning_rate 0.001, not 0.1"),
        (Settings(epochs=2, batch_size=2, mixed_precision=True), 4, "mixed_precision False, not True"),
        (SMALL, 6, "images 4, not 6"),
    ],
)
def test_resume_with_other_settings(checkpoint: Path, settings: Settings, images: int, named: str):
    assert_refused(Trainer(settings, synthetic(images), CPU), checkpoint, named)


@pytest.mark.parametrize(
    "content", [b"", bytes(500), b"no tensors at all\n" * 50], ids=["empty", "zeros", "text"]
)
def test_resume_from_what_is_no_checkpoint(trainer: Trainer, folder: Path, content: bytes):
    (folder / "checkpoint").write_bytes(content)
    assert_refused(trainer, folder / "checkpoint", "cannot be resumed from")


@pytest.mark.parametrize("share", [0.0001, 0.5, 0.9999])
def test_resume_from_a_truncated_checkpoint(trainer: Trainer, checkpoint: Path, folder: Path, share: float):
    whole = checkpoint.read_bytes()
    (folder / "checkpoint").write_bytes(whole[: int(share * len(whole))])
    assert_refused(trainer, folder / "checkpoint", "cannot be resumed from")


@pytest.mark.parametrize("place", [0.2, 0.9])
def test_resume_from_a_checkpoint_with_a_flipped_bit(
    trainer: Trainer, checkpoint: Path, folder: Path, place: float
):
    whole = bytearray(checkpoint.read_bytes())
    whole[int(place * len(whole))] ^= 0b0100
    (folder / "checkpoint").write_bytes(whole)
    assert_refused(trainer, folder / "checkpoint")


Change = Callable[[dict[str, Tensor], dict[str, Any]], object]


def rewritten(checkpoint: Path, path: Path, change: Change, fitting: bool = True) -> Path:
    """A checkpoint with other tensors or another state, at ``path``; its checksum fits, or is the one before."""
    whole = checkpoint.read_bytes()
    header = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])["__metadata__"]
    tensors, state = load_tensors(whole), json.loads(header["state"])
    change(tensors, state)
    text = json.dumps(state)
    digest = checkpoints.checksum(text, tensors) if fitting else header["sha256"]
    path.write_bytes(save_tensors(tensors, metadata={"state": text, "sha256": digest}))
    return path


def test_a_checkpoint_is_read_as_it_stands(trainer: Trainer, checkpoint: Path, folder: Path):
    """What the tests below change is all that is wrong with theirs."""
    assert trainer.load(rewritten(checkpoint, folder / "same", lambda tensors, state: None)) == []


W = "digits.W"
CHANGES: list[tuple[Change, str]] = [
    (lambda t, s: s.pop("step"), "lacks step"),
    (lambda t, s: s.pop("settings"), "lacks settings"),
    (lambda t, s: s.pop("machine"), "lacks machine"),
    (lambda t, s: s["settings"].pop("noise"), "settings lacks noise"),
    (lambda t, s: s.update(step=-1), "step must be a whole number"),
    (lambda t, s: s.update(step="1"), "step must be a whole number"),
    (lambda t, s: s.update(step=99), "step 99 of"),
    (lambda t, s: s.update(step=5), "step 5 of 4"),
    (lambda t, s: s.update(step=2), "step 2 of 4, with 0 epochs in its log"),
    (lambda t, s: s.update(log=[EPOCH]), "step 1 of 4, with 1 epochs in its log"),
    (lambda t, s: s.update(step=2, log=[EPOCH | {"epoch": 2}]), "with 1 epochs in its log"),
    (lambda t, s: s.update(log=[EPOCH | {"train_error": 2}]), "log[0].train_error"),
    (lambda t, s: s.update(sums=[0, math.nan, 0]), "sums[1]"),
    (lambda t, s: s.update(sums=[0, 0]), "sums"),
    (lambda t, s: s.update(seconds=-1), "seconds"),
    (lambda t, s: s.update(pool_sha256="x"), "pool_sha256"),
    (lambda t, s: t.pop(f"exp_avg.{W}"), f"exp_avg.{W} is missing"),
    (
        lambda t, s: t.update({f"exp_avg.{W}": torch.zeros(1152)}),
        f"exp_avg.{W} is [1152] instead of [1152, 10",
    ),
    (
        lambda t, s: t.update({"exp_avg_sq.conv1.bias": torch.zeros(1, 256)}),
        "exp_avg_sq.conv1.bias is [1, 256]",
    ),
    (lambda t, s: t.pop("net.decoder.4.bias"), "decoder.4.bias"),
    (
        lambda t, s: t.update({f"net.{W}": torch.zeros(1152, 11, 16, 8)}),
        "digits.W is [1152, 11, 16, 8] instead of [1152, 10, 16, 8]",
    ),
    (lambda t, s: t.update({"net.capsules.W": t.pop(f"net.{W}")}), "digits.W is missing instead of"),
    (lambda t, s: t.clear(), "another network"),
]
EPOCH = {
    **dict.fromkeys(("epoch", "train_error", "validation_error"), 1),
    **dict.fromkeys(("margin_loss", "reconstruction_loss", "seconds"), 0.5),
}


@pytest.mark.parametrize(("change", "named"), CHANGES, ids=[named for _, named in CHANGES])
def test_resume_from_a_checkpoint_of_something_else(
    trainer: Trainer, checkpoint: Path, folder: Path, change: Change, named: str
):
    assert_refused(trainer, rewritten(checkpoint, folder / "checkpoint", change), named)


@pytest.mark.parametrize(
    "change",
    [
        lambda t, s: s.update(step=0),
        lambda t, s: s.update(seconds=s["seconds"] + 1),
        lambda t, s: s["sums"].reverse(),
        lambda t, s: s["settings"].update(seed=1),
        lambda t, s: s["machine"].update(threads=7),
        lambda t, s: t["net.conv1.bias"].neg_(),
        lambda t, s: t["exp_avg.conv1.bias"].neg_(),
        lambda t, s: t["exp_avg_sq.decoder.4.bias"][-1].mul_(2),
        lambda t, s: t.update({"exp_avg.conv1.bias": t["exp_avg.conv1.bias"][None]}),
        lambda t, s: t.update(more=torch.zeros(1)),
        lambda t, s: t.update(
            {
                "exp_avg.conv1.bias": t["exp_avg.primary.conv.bias"],
                "exp_avg.primary.conv.bias": t["exp_avg.conv1.bias"],
            }
        ),
    ],
)
def test_resume_from_a_checkpoint_that_was_edited(
    trainer: Trainer, checkpoint: Path, folder: Path, change: Change
):
    path = rewritten(checkpoint, folder / "checkpoint", change, fitting=False)
    assert_refused(trainer, path, "cannot be resumed from", "checksum")


def test_a_checksum_covers_state_names_types_shapes_and_values():
    tensors = {"b": torch.tensor([[3, 4]], dtype=torch.int16), "a": torch.tensor([0.5, 2.0])}
    floats, integers = np.float32([0.5, 2]).tobytes(), np.int16([3, 4]).tobytes()
    named = b"\na torch.float32 [2]\n" + floats + b"\nb torch.int16 [1, 2]\n" + integers
    assert (
        checkpoints.checksum('{"ä": 1}', tensors) == hashlib.sha256('{"ä": 1}'.encode() + named).hexdigest()
    )


@pytest.mark.parametrize("place", [0, 31, 63])
def test_a_checksum_of_a_checkpoint_of_which_one_digit_is_another(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, place: int
):
    content = checkpoint.read_bytes()
    kept = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]["sha256"]
    other = kept[:place] + ("1" if kept[place] == "0" else "0") + kept[place + 1 :]
    monkeypatch.setattr(checkpoints, "checksum", lambda state, tensors: other)
    with pytest.raises(WeightsError, match="checksum"):
        checkpoints.parse(content, checkpoint)


@pytest.mark.parametrize("version", [None, 1, 2, 4, "3"])
def test_resume_from_a_checkpoint_of_another_version(
    trainer: Trainer, checkpoint: Path, folder: Path, version: object
):
    """The first ones had no number, and their checksum was of the tensors' values alone."""

    def change(tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        state["format"] = version
        if version is None:
            del state["format"]
            state["sha256"] = "0" * 64

    path = rewritten(checkpoint, folder / "checkpoint", change)
    assert_refused(trainer, path, "another version of capsviz", "end the run with that version")


def test_resuming_elsewhere_is_said(checkpoint: Path, folder: Path, monkeypatch: pytest.MonkeyPatch):
    trainer = Trainer(SMALL, synthetic(4), CPU)
    assert trainer.load(checkpoint) == []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    monkeypatch.setattr(torch, "__version__", "9.9")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "ABACUS")
    was = trainer.machine | {"threads": 1}
    found = Trainer(SMALL, synthetic(4), CPU, team=Team(0, 1)).load(checkpoint)
    assert len(found) == 3
    assert found[0].endswith("(now cpu with ABACUS)")
    assert found[1] == f"threads {was['threads']} (now 5)"
    assert found[2].endswith("(now 9.9)")
    path = rewritten(checkpoint, folder / "two", lambda t, s: s["machine"].update(processes=2))
    assert "processes 2 (now 1)" in trainer.load(path)


def test_a_deeply_nested_state(trainer: Trainer, folder: Path):
    (folder / "deep").write_bytes(save_tensors({"net.x": torch.zeros(2)}, {"state": "[" * 100_000}))
    assert_refused(trainer, folder / "deep", "cannot be resumed from")


@pytest.mark.parametrize("metadata", [None, {}, {"state": "{"}, {"state": "[]"}, {"other": "{}"}])
def test_resume_from_a_checkpoint_without_its_state(trainer: Trainer, folder: Path, metadata: dict | None):
    (folder / "checkpoint").write_bytes(save_tensors({"net.x": torch.zeros(2)}, metadata=metadata))
    assert_refused(trainer, folder / "checkpoint", "cannot be resumed from")


def test_failed_write_leaves_the_last_good_checkpoint(
    checkpoint: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    path = folder / "checkpoint"
    shutil.copy(checkpoint, path)
    trainer = Trainer(SMALL, synthetic(4), CPU)
    trainer.load(path)
    with monkeypatch.context() as patch:
        full = DiskFull(0)
        patch.setattr(Path, "write_bytes", lambda path, content: full(path, content))
        with pytest.raises(OSError, match="No space left"):
            trainer.save(path)
    assert list(folder.iterdir()) == [path]
    assert path.read_bytes() == checkpoint.read_bytes()


class DiskFull:
    """Stands in for ``Path.write_bytes``: the disk is full after ``whole`` files."""

    def __init__(self, whole: int) -> None:
        self.whole = whole
        self.write_bytes = Path.write_bytes

    def __call__(self, path: Path, content: bytes) -> int:
        self.whole -= 1
        if self.whole >= 0:
            return self.write_bytes(path, content)
        self.write_bytes(path, content[:1000])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))


# --- the command ----------------------------------------------------------------------------------------


class Run(NamedTuple):
    """A finished ``python -m capsviz train``."""

    data: Path  # MNIST of 8 and 5 digits
    out: Path
    events: list[str]  # what was read, trained on and measured, in order


def command(data: Path, out: Path, *more: str) -> list[str]:
    return ["train", "--data", str(data), "--out", str(out), "--epochs", "2", "--batch-size", "2", *more]


@pytest.fixture(scope="module")
def finished() -> Iterator[Run]:
    """Two epochs of two steps, by the command itself, on MNIST shrunk to 4 + 4 + 5 digits."""
    events = []

    def load(directory: Path, split: str) -> Digits:
        events.append(f"read {split}")
        return load_mnist(directory, split)

    def measure(net: Any, digits: Digits, iterations: int, batch_size: int = 250) -> Tensor:
        events.append(f"measure {len(digits.labels)}")
        return evidence(net, digits, iterations, batch_size)

    class Spied(Trainer):
        def _update(self, images: Tensor, labels: Tensor) -> None:
            events.append("step")
            super()._update(images, labels)

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "SIZES", {"train": 8, "test": 5})
        patch.setitem(vars(data.MNIST), "held_out", 4)
        patch.setitem(vars(data.MNIST), "load", load)
        patch.setattr(validation, "evidence", measure)
        patch.setattr(train, "Trainer", Spied)
        reference.write_mnist(Path(folder), 8, 5)
        run = Run(Path(folder), Path(folder) / "out", events)
        assert main(command(run.data, run.out, "--device", "cpu", "--seed", "3")) == 0
        yield run._replace(events=events.copy())


def test_command_reads_the_test_set_once_when_training_is_over(finished: Run):
    epoch = ["step", "step", "measure 4"]
    assert finished.events == ["read train", *epoch, *epoch, "read test", "measure 4", "measure 5"]


def test_command_writes_weights_with_card_and_log(finished: Run):
    weights = load_weights(finished.out / FILE)
    card = weights.card
    assert card["settings"]["epochs"] == 2
    assert card["settings"]["seed"] == 3
    assert "--epochs 2 --batch-size 2 --seed 3" in card["command"]
    assert card["parameters"] == 8_215_568
    assert card["device"] == "cpu"
    assert "4 images to train on, 4 to choose by, 5 to test on" in card["data"]
    assert card["data"].count("; train-images") == card["data"].count("; t10k-images") == 1  # no originals

    images, labels = reference.synthetic_digits(5)
    with torch.no_grad():
        answers = weights.net(torch.tensor(images) / 255).lengths.argmax(1).numpy()
    assert card["test_error"] == np.mean(answers != labels)

    with (finished.out / "log.csv").open(newline="") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert rows == card["log"]
    assert [row["epoch"] for row in rows] == [1, 2]
    curves = (finished.out / "curves.html").read_text("utf-8")
    assert curves.count("Plotly.newPlot(") == 2
    assert '<script src="http' not in curves  # it must open without a network
    assert all(row["margin_loss"] > 0 and row["seconds"] > 0 for row in rows)
    assert 0 <= card["validation_error"] <= 1
    held_out = split_validation(load_mnist(finished.data, "train"), 4)[1]
    with torch.no_grad():
        longest = weights.net(held_out.images / 255).lengths.amax(1)
    assert card["unsure_below"] == pytest.approx(float(longest.min()), abs=1e-5)  # 1 % of four is none


def test_a_card_names_every_training_before(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """The first one first; the curves begin where they ended."""
    drawn: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        result, "measured", lambda *arguments: {"validation_error": 0.125, "test_error": 0.25}
    )
    monkeypatch.setattr(result, "save_weights", lambda *arguments: None)
    monkeypatch.setattr(result, "training_html", lambda *arguments: drawn.append(arguments) or "")
    start = SimpleNamespace(card={"started_from": [{"epochs": 5}], "settings": {"epochs": 7}})
    trainer = Trainer(SMALL, synthetic(4), CPU)
    trainer.team = Team(0, 2)
    said: list[str] = []
    facts = result.finish(trainer, synthetic(2), synthetic(2), folder, "MNIST", "0123", start, said.append)
    assert facts["started_from"] == [{"epochs": 5}, {"epochs": 7}]
    assert drawn == [([], 0.25, 12, None, data.MNIST)]
    assert (facts["data"], facts["commit"], facts["parameters"]) == ("MNIST", "0123", 8_215_568)
    assert facts["device"] == "2 x cpu"
    # Half of one image: the interval of 0 of 2 (Wilson 1927).
    assert said == [
        "few images to test on: what is measured on them is no surer than the interval says",
        f"test error 25.00% (95% interval 0.00% to 65.76%, 2 images) with the weights in {folder / FILE}",
        f"to see it: make app NETWORKS={folder}",
    ]


def test_a_card_says_what_was_trained_on():
    settings = Settings(batch_size=10, synthetic=0.2, others=0.1, pool=30)
    parts = (synthetic(5), synthetic(4), synthetic(3))
    assert result.describe_data(settings, *parts, "", "odd", name="Digits") == (
        "Digits: 5 images to train on, 4 to choose by, 3 to test on; 20 made-up digits (20% of a batch); "
        "10 made-up pictures of no digit (10% of a batch); odd"
    )


@pytest.mark.parametrize(("changed", "said"), [("", "0123abc"), (" M train.py\n", "0123abc+changes")])
def test_the_commit_says_whether_files_differ_from_it(
    changed: str, said: str, monkeypatch: pytest.MonkeyPatch
):
    answers = {"rev-parse": "0123abc\n", "status": changed}
    monkeypatch.setattr(
        result.subprocess, "run", lambda words, **options: SimpleNamespace(stdout=answers[words[1]])
    )
    assert result.current_commit() == said


def test_the_commit_is_that_of_the_whole_package(monkeypatch: pytest.MonkeyPatch):
    """Not of the folder alone that asks for it."""
    asked: list[Path] = []
    monkeypatch.setattr(
        result.subprocess, "run", lambda words, cwd, **_: asked.append(cwd) or SimpleNamespace(stdout="")
    )
    result.current_commit()
    assert set(asked) == {Path(train.__file__).parent.parent}


def test_without_git_no_commit_is_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert result.current_commit() == "unknown"


@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_command_refuses_a_finished_run(finished: Run, more: list[str], capsys: pytest.CaptureFixture[str]):
    before = (finished.out / FILE).stat().st_mtime_ns
    assert main(command(finished.data, finished.out, *more)) == 2
    reference.assert_one_sentence(capsys.readouterr().err.rstrip("\n"), finished.out, "finished", "--out")
    assert (finished.out / FILE).stat().st_mtime_ns == before


def test_command_refuses_what_is_no_folder(finished: Run, folder: Path, capsys: pytest.CaptureFixture[str]):
    file = folder / "notes.txt"
    file.write_text("kept")
    for out, reason in ((file, "is a file"), (file / "run", "could not be made")):
        assert main(command(finished.data, out, "--device", "cpu")) == 2
        message = capsys.readouterr().err.rstrip("\n").splitlines()[-1]
        reference.assert_one_sentence(message, out, reason, "--out")
    assert file.read_text() == "kept"


def test_command_refuses_then_resumes_an_interrupted_run(
    finished: Run, monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
):
    """Interrupted in the middle of the second epoch, it ends with the same bytes as without."""
    arguments = command(finished.data, folder, "--device", "cpu", "--seed", "3")
    update = Trainer._update

    def interrupted(self: Trainer, images: Tensor, labels: Tensor) -> None:
        if self.step == 3:
            raise KeyboardInterrupt
        update(self, images, labels)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_update", interrupted)
        assert main([*arguments, "--resume"]) == 130
    assert "holds no checkpoint to go on from" in capsys.readouterr().out
    assert main(arguments) == 2
    message = capsys.readouterr().err.rstrip("\n").splitlines()[-1]
    reference.assert_one_sentence(message, folder, "--resume", "--out")

    assert main([*arguments, "--resume"]) == 0
    said = capsys.readouterr().out
    assert "resumed at step 2 of 4" in said
    assert "bit for bit" not in said
    weights = FILE
    assert (folder / weights).read_bytes() == (finished.out / weights).read_bytes()
    cards = [load_weights(out / weights).card for out in (folder, finished.out)]
    for card in cards:
        for row in card["log"]:
            del row["seconds"]
    assert cards[0] == cards[1]


@pytest.mark.parametrize("whole", [2, 3, 5, 6, 8], ids=["checkpoint", "log", "curves", "card", "weights"])
def test_command_on_a_full_disk_then_resumed(
    finished: Run,
    plain: None,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    whole: int,
):
    """The files of a run: checkpoint and log after each of two epochs, then log, curves, cards and weights."""
    arguments = command(finished.data, folder / "out", "--device", "cpu")
    full = DiskFull(whole)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", lambda path, content: full(path, content))
        assert main(arguments) == 2
    message = capsys.readouterr().err.rstrip("\n").splitlines()[-1]
    reference.assert_one_sentence(message, "capsviz: ", folder / "out", "No space left", "--resume")
    assert {path.suffix for path in (folder / "out").iterdir()} <= {
        ".safetensors",
        ".csv",
        ".html",
        ".json",
        ".md",
    }
    assert main([*arguments, "--resume"]) == 0
    step = 2 if whole == 2 else 4
    assert f"resumed at step {step} of 4" in capsys.readouterr().out
    assert len(load_weights(folder / "out" / FILE).card["log"]) == 2
    assert len((folder / "out" / "log.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("bad", "said"),
    [(2, "The loss is nan at step 4 of 4"), (3, "The weights are not finite after step 4 of 4")],
)
def test_command_stops_when_training_diverges(
    finished: Run,
    plain: None,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    bad: int,
    said: str,
):
    """An endless step, seen in the next loss or, after an epoch's last, in the weights."""
    monkeypatch.setattr(
        trainer_module,
        "learning_rate",
        lambda s, step, n: math.inf if step == bad else learning_rate(s, step, n),
    )
    kept: list[bytes] = []
    save = Trainer.save

    def keep(trainer: Trainer, path: Path) -> None:
        save(trainer, path)
        kept.append(path.read_bytes())

    monkeypatch.setattr(Trainer, "save", keep)
    assert main(command(finished.data, folder / "out", "--device", "cpu")) == 2
    message = capsys.readouterr().err.rstrip("\n").splitlines()[-1]
    reference.assert_one_sentence(message, said, "last checkpoint is kept", "--learning-rate", "--out")
    assert [(folder / "out" / "checkpoint.safetensors").read_bytes()] == kept  # the first epoch's
    assert {path.name for path in (folder / "out").iterdir()} == {"checkpoint.safetensors", "log.csv"}


@pytest.mark.slow
def test_a_rate_that_is_too_large_is_told_though_every_number_is_finite(plain: None):
    """Capsules of digits that are not there get as long as they can: worse than no capsule at all, 0.9 squared."""
    settings = Settings(epochs=2, batch_size=5, learning_rate=0.05, final_learning_rate=0.05, warmup_steps=0)
    trainer = Trainer(settings, synthetic(40), CPU)

    def train_it() -> None:
        for _ in range(settings.epochs):
            list(trainer.run_epoch())
            trainer.end_epoch(synthetic(4))

    with pytest.raises(TrainingError) as caught:
        train_it()
    reference.assert_one_sentence(caught.value, "margin loss of epoch", "--learning-rate", "--out")


def test_checkpoints_are_written_within_an_epoch(
    finished: Run, plain: None, monkeypatch: pytest.MonkeyPatch, folder: Path
):
    saved = []
    monkeypatch.setattr(Trainer, "save", lambda self, path: saved.append(self.step))
    train.train(
        finished.data, folder / "new" / "out", SMALL, CPU, checkpoint_seconds=-1, say=lambda line: None
    )
    assert saved == [1, 2, 3, 4]


def test_command_mixes_and_starts_from_other_weights(
    finished: Run, plain: None, folder: Path, capsys: pytest.CaptureFixture[str]
):
    start = finished.out / FILE
    mixing = [
        "--augment",
        "--synthetic",
        "0.25",
        "--others",
        "0.25",
        "--pool",
        "6",
        "--learning-rate",
        "1e-9",
    ]
    arguments = ["--batch-size", "4", "--start-from", str(start), "--final-learning-rate", "1e-9"]
    assert main([*command(finished.data, folder / "out"), *mixing, *arguments, "--device", "cpu"]) == 0
    weights = load_weights(folder / "out" / FILE)
    began = load_weights(start)
    # One step at next to no learning rate: what was started from is still there.
    torch.testing.assert_close(weights.net.digits.W, began.net.digits.W, atol=1e-3, rtol=0)
    card = weights.card
    assert card["settings"]["start_from"] == began.sha256
    assert "--augment" in card["command"]
    assert "--synthetic 0.25 --others 0.25 --pool 6" in card["command"]
    assert (
        "3 made-up digits (25% of a batch); 3 made-up pictures of no digit (25% of a batch)" in card["data"]
    )
    text = (folder / "out" / "card.md").read_text()
    assert began.sha256 in text
    assert "turned" in text
    shutil.rmtree(folder / "out")
    assert main([*command(finished.data, folder / "out"), "--start-from", "klingon"]) == 2
    reference.assert_one_sentence(capsys.readouterr().err.rstrip("\n").splitlines()[-1], "klingon")


def test_command_ends_with_the_mean_of_both_ends(finished: Run, plain: None, folder: Path):
    start = finished.out / FILE
    options = ["--batch-size", "4", "--start-from", str(start), "--device", "cpu"]
    assert main([*command(finished.data, folder / "out"), *options, "--average-start"]) == 0
    found = load_weights(folder / "out" / FILE)
    began = load_file(start)
    # The checkpoint holds what was trained to: only what is written at the end is a mean.
    trained = load_file(folder / "out" / "checkpoint.safetensors")
    for name, parameter in found.net.named_parameters():
        mean = (began[name].double() + trained[f"net.{name}"].double()) / 2
        torch.testing.assert_close(parameter.double(), mean, atol=1e-6, rtol=2**-10)  # half precision
    assert (began["digits.W"] - trained["net.digits.W"]).abs().max() > 1e-4
    _, validation = split_validation(load_mnist(finished.data, "train"), 4)
    assert found.card["validation_error"] == error_rate(found.net, validation, 3)
    assert found.card["settings"]["average_start"] is True


def test_command_needs_weights_to_average_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([*command(tmp_path, tmp_path / "out"), "--average-start"]) == 2
    reference.assert_one_sentence(
        capsys.readouterr().err.rstrip("\n").removeprefix("capsviz: "), "--start-from"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--synthetic", "--others"])
@pytest.mark.parametrize("value", ["-0.1", "0.5", "nan", "much"])
def test_command_refuses_what_is_no_share(
    tmp_path: Path, option: str, value: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as caught:
        main([*command(tmp_path, tmp_path / "out"), option, value])
    assert caught.value.code == 2
    assert f"{option}: must be a share from 0 to below 0.5, not '{value}'." in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--epochs", "--batch-size"])
@pytest.mark.parametrize("value", ["0", "-2", "1.5", "many", "10000001"])
def test_command_refuses_what_is_no_number(
    tmp_path: Path, option: str, value: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as caught:
        main([*command(tmp_path, tmp_path / "out"), option, value])
    assert caught.value.code == 2
    assert f"{option}: must be a whole number from 1 to 10,000,000, not '{value}'." in capsys.readouterr().err


def test_command_refuses_batches_larger_than_the_training_set(
    finished: Run, folder: Path, capsys: pytest.CaptureFixture[str]
):
    """Otherwise an epoch would have no step, and untrained weights would be written."""
    assert main([*command(finished.data, folder / "out"), "--batch-size", "5"]) == 2
    reference.assert_one_sentence(capsys.readouterr().err.rstrip("\n"), "capsviz: ", "5")
    assert not (folder / "out").exists()


def test_command_with_half_of_mnist(finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    reference.write_mnist(tmp_path, 8, 5)
    (tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte").unlink()
    assert main(command(tmp_path, tmp_path / "out")) == 2
    message = capsys.readouterr().err.rstrip("\n")
    reference.assert_one_sentence(message, "capsviz: ", "t10k-images-idx3-ubyte missing")
    assert not (tmp_path / "out").exists()


# --- any network ----------------------------------------------------------------------------------------


SHAPES = ["--network", "tiny.shapes", "--epochs", "2", "--batch-size", "100", "--device", "cpu"]


def shapes(out: Path, *more: str) -> list[str]:
    return ["train", "--data", str(out.parent), "--out", str(out), *SHAPES, *more]


@pytest.fixture
def shapes_network() -> Iterator[None]:
    """The network of ``tiny.py``, of other sizes and classes than the paper's, known as long as the test runs."""
    with tiny.registered():
        yield


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.rstrip("\n").splitlines()[-1].removeprefix("capsviz: ")


def test_another_network_is_trained_by_its_name(shapes_network: None, folder: Path):
    assert main(shapes(folder / "out", "--no-mixed-precision", "--augment", "--noise", "0.2")) == 0
    found = load_weights(folder / "out")
    card = found.card
    assert found.spec is tiny.SPEC
    assert card["name"] == card["settings"]["network"] == "tiny.shapes"
    assert card["settings"]["iterations"] == 2
    assert card["parameters"] == sum(tensor.numel() for tensor in load_file(folder / "out" / FILE).values())
    assert card["data"] == "Shapes: 300 images to train on, 60 to choose by, 90 to test on"
    assert "--network tiny.shapes" in card["command"]
    assert [row["epoch"] for row in card["log"]] == [1, 2]
    images, labels = tiny.load(folder, "test")
    with torch.no_grad():
        answers = found.net(images / 255, 2).lengths.argmax(1)
    assert card["test_error"] == pytest.approx(float((answers != labels).float().mean()))


def test_another_network_learns(shapes_network: None, folder: Path):
    """Of three classes that are drawn alike, it soon reads more than nine tenths."""
    assert load_weights(tiny.train(folder)).card["test_error"] < 0.1


def test_a_card_says_what_multiplied_in_bfloat16(
    shapes_network: None, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """A run that is resumed goes on as it began, and is refused if somebody says otherwise."""
    save = Trainer.save

    def interrupted(trainer: Trainer, path: Path) -> None:
        save(trainer, path)
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "is_quicker", lambda device: True)
    assert main(shapes(folder / "whole")) == 0
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "save", interrupted)
        assert main(shapes(folder / "out")) == 130
    assert "multiply in bfloat16; --no-mixed-precision" in capsys.readouterr().out
    monkeypatch.setattr(train, "is_quicker", lambda device: False)
    assert main(shapes(folder / "out", "--resume", "--no-mixed-precision")) == 2
    reference.assert_one_sentence(last_line(capsys), "mixed_precision True, not False", "--out")
    assert main(shapes(folder / "out", "--resume")) == 0
    assert (folder / "out" / FILE).read_bytes() == (folder / "whole" / FILE).read_bytes()
    card = load_weights(folder / "out").card
    assert card["settings"]["mixed_precision"] is True
    assert "--mixed-precision" in card["command"].split()
    text = (folder / "out" / "card.md").read_text("utf-8")
    assert "| Precision | mixed: products of the large convolutions in bfloat16, all else in single" in text
    assert "| single precision | products of the large convolutions in bfloat16 |" in text

    capsys.readouterr()
    assert main(shapes(folder / "single", "--no-mixed-precision")) == 0
    assert "bfloat16" not in capsys.readouterr().out
    card = load_weights(folder / "single").card
    assert card["settings"]["mixed_precision"] is False
    assert "--no-mixed-precision" in card["command"].split()
    text = (folder / "single" / "card.md").read_text("utf-8")
    assert "| Precision | single |" in text
    assert "bfloat16" not in text
    assert (folder / "single" / FILE).read_bytes() != (folder / "whole" / FILE).read_bytes()


def test_losses_in_bfloat16_are_those_of_single_precision(folder: Path):
    """To about three digits, over two dozen steps from the same seed."""
    with tiny.registered() as spec:
        settings = Settings(epochs=8, batch_size=100, iterations=2, network=spec.name)
        logs = []
        for mixed in (False, True):
            trainer = Trainer(replace(settings, mixed_precision=mixed), tiny.load(folder, "train"), CPU)
            while trainer.step < trainer.steps:
                list(trainer.run_epoch())
                trainer.end_epoch(tiny.load(folder, "test").take(slice(3)))
            logs.append([(row["margin_loss"], row["reconstruction_loss"]) for row in trainer.log])
    single, mixed = map(np.array, logs)
    np.testing.assert_allclose(mixed, single, rtol=5e-3)
    assert not np.array_equal(mixed, single)


@pytest.mark.parametrize("option", ["--synthetic", "--others"])
def test_nothing_is_made_up_for_data_that_have_none(
    shapes_network: None, folder: Path, option: str, capsys: pytest.CaptureFixture[str]
):
    assert main(shapes(folder / "out", option, "0.25")) == 2
    reference.assert_one_sentence(last_line(capsys), "Shapes", "leave out --synthetic and --others")
    assert not (folder / "out").exists()


def test_weights_of_another_network_are_refused(
    shapes_network: None, folder: Path, capsys: pytest.CaptureFixture[str]
):
    """As a start, as a checkpoint, as a part of a mean."""
    assert main(shapes(folder / "out", "--start-from", "capsnet-mnist")) == 2
    reference.assert_one_sentence(
        last_line(capsys), "are of dynamic.mnist, not of tiny.shapes", "--network dynamic.mnist"
    )
    assert main(shapes(folder / "shapes")) == 0
    for name in ("dynamic.mnist", "capsnet-mnist"):
        words = ["average", name, str(folder / "shapes"), "--data", str(folder), "--out", str(folder / "out")]
        assert main([*words, "--device", "cpu"]) == 2
        reference.assert_one_sentence(last_line(capsys), "of dynamic.mnist, tiny.shapes: leave out")
    assert not (folder / "out").exists()

    (folder / "shapes" / FILE).unlink()
    register(replace(tiny.SPEC, name="tiny.twin", aliases=()), "this test")
    try:
        twin = ["--network", "tiny.twin", "--resume"]
        assert main([*shapes(folder / "shapes"), *twin]) == 2
    finally:
        unregister("tiny.twin")
    reference.assert_one_sentence(last_line(capsys), "network tiny.shapes, not tiny.twin", "--out")


def test_training_starts_from_a_folder_a_file_or_a_mean(shapes_network: None, folder: Path):
    for seed, start in ((0, []), (1, ["--start-from", str(folder / "0")])):
        more = ["--seed", str(seed), *start]
        assert main(shapes(folder / str(seed), *more)) == 0
    assert main(shapes(folder / "2", "--start-from", str(folder / "1" / FILE))) == 0
    parts = [load_weights(folder / name) for name in "012"]
    assert [part.card["settings"]["start_from"] for part in parts] == ["", parts[0].sha256, parts[1].sha256]
    words = ["average", *(str(folder / name) for name in "012"), "--data", str(folder), "--device", "cpu"]
    assert main([*words, "--out", str(folder / "mean")]) == 0
    mean = load_weights(folder / "mean")
    assert mean.spec is tiny.SPEC
    expected = torch.stack([part.net.digits.W.double() for part in parts]).mean(0)
    torch.testing.assert_close(mean.net.digits.W.double(), expected, atol=1e-6, rtol=2**-10)
    assert main(shapes(folder / "3", "--start-from", str(folder / "mean"))) == 0


def test_training_starts_from_files_of_older_versions(
    finished: Run, plain: None, folder: Path, capsys: pytest.CaptureFixture[str]
):
    """NAME.safetensors with NAME.json beside it, whose settings know neither network nor precision."""
    shutil.copy(finished.out / FILE, folder / "old.safetensors")
    card = json.loads((finished.out / "card.json").read_text())
    del card["settings"]["network"], card["settings"]["mixed_precision"]
    (folder / "old.json").write_text(json.dumps(card | {"name": "capsnet-mnist"}))
    start = ["--start-from", str(folder / "old.safetensors"), "--batch-size", "4", "--device", "cpu"]
    assert main([*command(finished.data, folder / "out"), *start]) == 0
    found = load_weights(folder / "out").card
    assert found["settings"]["start_from"] == card["sha256"]
    assert found["started_from"] == [card["settings"]]
    assert "precision" not in result.command(card["settings"])


def test_a_network_is_written_under_its_name_where_it_was_asked_for_by_another(folder: Path):
    register(replace(tiny.SPEC, name="tiny.named", aliases=("nickname",)), "this test")
    settings = Settings(epochs=1, batch_size=100, iterations=2, network="nickname")
    try:
        card = train.train(folder, folder / "out", settings, CPU, say=lambda line: None)
    finally:
        unregister("tiny.named")
    assert card["settings"]["network"] == "tiny.named"
    assert "--network tiny.named" in card["command"]
