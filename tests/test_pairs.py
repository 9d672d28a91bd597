"""Two digits over each other: how pairs are made, what is learnt of them, and the network for them, of its paper."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import reference
import tiny
import torch

from capsviz.errors import DataError, ImageError
from capsviz.inputs import pairs
from capsviz.inputs.data import NO_CLASS, Digits, split_validation
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.inputs.strokes import random_digit, render
from capsviz.layers import fast
from capsviz.layers.capsules import CapsNet, margin_loss
from capsviz.measures.evaluate import evaluate, summary
from capsviz.measures.pairs import among_the_longest, by_itself, overlaid, read_drawn_pairs, read_pairs
from capsviz.models.model import load_model
from capsviz.models.weights import load_evaluation, save_evaluation
from capsviz.networks.base import DEFAULT, Spec, find, register, unregister
from capsviz.training.objective import Objective, misread, to_draw
from capsviz.training.overlaid import Bank, shrink
from capsviz.training.pool import Pool
from capsviz.training.settings import Settings
from capsviz.training.train import is_smaller, train
from capsviz.training.trainer import Trainer

OVERLAP = "overlap.mnist"


def digits(count: int, classes: int = 10) -> Digits:
    """Pictures of 36 x 36 pixels with ink in the middle 20 x 20, and labels in turn."""
    generator = torch.Generator().manual_seed(count)
    images = torch.zeros(count, 36, 36, dtype=torch.uint8)
    images[:, 8:28, 8:28] = torch.randint(256, (count, 20, 20), generator=generator, dtype=torch.uint8)
    return Digits(images, torch.arange(count) % classes)


# --- the network ----------------------------------------------------------------------------------------


def test_the_network_is_of_the_papers_size() -> None:
    spec = find("overlap")
    assert spec is find(OVERLAP)
    assert (spec.shape.size, spec.shape.answers, find(DEFAULT).shape.answers) == (36, 2, 1)
    # 36 - 9 + 1 = 28 pixels of features, (28 - 9) // 2 + 1 = 10 places a side.
    assert (spec.shape.grid.rows, spec.shape.grid.columns, spec.shape.grid.capsules) == (10, 10, 3200)
    with torch.device("meta"):
        net = spec.build(spec)
    parts = {name: sum(p.numel() for p in child.parameters()) for name, child in net.named_children()}
    assert parts == {
        "conv1": 256 * 81 + 256,
        "primary": 256 * 256 * 81 + 256,
        "digits": 3200 * 10 * 16 * 8,
        "decoder": 160 * 512 + 512 + 512 * 1024 + 1024 + 1024 * 1296 + 1296,
    }
    assert sum(parts.values()) == 11_361_808  # "11.36M" (section 6)
    assert 2 * sum(parts.values()) < 24e6  # bytes in half precision


def test_the_fast_formulation_serves_this_size_too() -> None:
    shape = find(OVERLAP).shape
    small = replace(shape, grid=replace(shape.grid, types=2), components=3, pose=4)
    torch.manual_seed(0)
    net = CapsNet(small, channels=6)
    assert fast.serves(net)
    images = torch.rand(3, 36, 36)
    theirs, ours = net(images, 3).v, fast.class_capsules(net, images, 3)
    parameters = [net.conv1.weight, net.primary.conv.weight, net.digits.W]
    gradient = torch.randn(theirs.shape)
    made = [torch.autograd.grad((v * gradient).sum(), parameters) for v in (ours, theirs)]
    for one, other in zip((ours, *made[0]), (theirs, *made[1]), strict=True):
        assert (one - other).norm() < 1e-5 * other.norm()


def test_it_begins_with_what_a_smaller_network_knows() -> None:
    assert is_smaller(find(DEFAULT), find(OVERLAP))
    assert not is_smaller(find(OVERLAP), find(DEFAULT))
    assert not is_smaller(find("attention.mnist"), find(OVERLAP))
    large, small = (
        replace(shape, grid=replace(shape.grid, types=2), components=3, pose=4)
        for shape in (find(OVERLAP).shape, find(DEFAULT).shape)
    )
    torch.manual_seed(0)
    net, before = CapsNet(large, 6, hidden=(7, 8)), CapsNet(small, 6, hidden=(7, 8))
    net.enlarge(before)
    image = torch.rand(2, 36, 36)
    torch.testing.assert_close(net(image, 3).v, before(image[:, 4:32, 4:32], 3).v, atol=1e-6, rtol=1e-4)
    assert torch.equal(net.decoder[2].weight, before.decoder[2].weight)
    assert net.digits.W.is_leaf


# --- pairs ----------------------------------------------------------------------------------------------


def test_how_far_boxes_overlap_by_counting() -> None:
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(4000):
        one, other = np.zeros((2, 36, 36), bool)
        for field in (one, other):
            y, x = 8 + rng.integers(-4, 5, 2)
            field[y : y + 20, x : x + 20] = True
        shares.append((one & other).sum() / 400)
    side, area = pairs.shared(20, pairs.SHIFT)
    assert side == pytest.approx(0.8519, abs=1e-4)  # 1 - (8 * 2 * 1 + 7 * 2 * 2 + ... + 1 * 2 * 8) / 81 / 20
    assert area == pytest.approx(0.7257, abs=1e-4)
    assert area == pytest.approx(np.mean(shares), abs=4 * np.std(shares) / np.sqrt(len(shares)))


def test_fixed_pairs_are_made_as_the_paper_says() -> None:
    alone = digits(400)
    made, parts = pairs.fixed_pairs(alone)
    assert made.images.shape == (400, 36, 36)
    assert torch.equal(made.labels[:, 0], alone.labels)
    assert (made.labels[:, 0] != made.labels[:, 1]).all()
    of = {
        image.tobytes(): int(label)
        for image, label in zip(alone.images[:, 8:28, 8:28].numpy(), alone.labels, strict=True)
    }
    moves = []
    for k in range(400):
        merged = np.zeros((36, 36), int)
        for part, label in zip(parts[k].numpy(), made.labels[k], strict=True):
            # Slowly: the one move by -4..4 that makes one of the digits of it.
            (move,) = (
                (y, x)
                for y in range(-4, 5)
                for x in range(-4, 5)
                if of.get(part[8 + y : 28 + y, 8 + x : 28 + x].tobytes()) == label
            )
            assert (
                part.astype(int).sum()
                == part[8 + move[0] : 28 + move[0], 8 + move[1] : 28 + move[1]].astype(int).sum()
            )
            moves.append(move)
            merged += part
        assert (made.images[k].numpy() == np.minimum(255, merged)).all()
    counts = np.unique(np.array(moves), axis=None, return_counts=True)
    assert counts[0].tolist() == list(range(-4, 5))
    assert (abs(counts[1] - 1600 / 9) < 4 * np.sqrt(1600 * 8 / 81)).all()
    again, _ = pairs.fixed_pairs(alone)
    other, _ = pairs.fixed_pairs(alone, seed=1)
    assert torch.equal(again.images, made.images)
    assert not torch.equal(other.images, made.images)


def test_partners_are_uniform_among_those_that_fit() -> None:
    bank = torch.tensor([0, 1, 1, 2, 0, 2, 2])
    labels = torch.zeros(6000, dtype=torch.int64)
    among = torch.tensor([1, 6]).expand(6000, 2)
    alike = torch.arange(6000) >= 5000
    places = pairs.draw_partners(labels, bank, among, alike, torch.Generator().manual_seed(0))
    assert set(places[5000:].tolist()) == {4}
    values, counts = places[:5000].unique(return_counts=True)
    assert values.tolist() == [1, 2, 3, 5]
    assert (abs(counts - 1250) < 4 * np.sqrt(5000 * 3 / 16)).all()
    with pytest.raises(DataError, match="different classes") as caught:
        pairs.draw_partners(labels, bank[:1], torch.tensor([0, 1]).expand(6000, 2), ~alike, torch.Generator())
    reference.assert_one_sentence(caught.value)


def test_a_batch_has_pairs_alone_and_alike_in_their_shares() -> None:
    real, made_up = digits(300), digits(200)
    first = Digits(
        torch.cat([real.images[:300], made_up.images[:100], real.images[:20] * 0 + 9]),
        torch.cat([real.labels, made_up.labels[:100], torch.full((20,), NO_CLASS)]),
    )
    counts = np.zeros(4)
    bank = Bank(real, made_up)
    for seed in range(20):
        pair, drawn = bank.pair(first, 300, torch.Generator().manual_seed(seed))
        assert torch.equal(pair.images[:, 0], first.images)
        assert torch.equal(pair.labels[:, 0], first.labels)
        assert torch.equal(drawn[:, 0], torch.arange(420) >= 300)
        alone = pair.labels[:, 1] == NO_CLASS
        assert torch.equal(alone, (pair.images[:, 1] == 0).flatten(1).all(1))
        assert alone[400:].all()
        shown = {image.numpy().tobytes() for image in made_up.images}
        assert all(
            (image.numpy().tobytes() in shown) == bool(mixed)
            for image, mixed in zip(pair.images[:400, 1], drawn[:400, 1], strict=True)
            if image.any()
        )
        both = pair.labels[:400][~alone[:400]]
        mixed = drawn[:, 0] != drawn[:, 1]
        counts += [
            int(alone[:400].sum()),
            int((both[:, 0] == both[:, 1]).sum()),
            int(mixed[:300].sum()),
            int(mixed[300:400].sum()),
        ]
    shares = (pairs.ALONE, pairs.ALIKE, pairs.MIXED, pairs.MIXED)
    for count, share, total in zip(counts, shares, (8000, 8000, 6000, 2000), strict=True):
        assert abs(count - total * share) < 4 * np.sqrt(total * share)
    only, drawn = Bank(real, Digits(made_up.images[:0], made_up.labels[:0])).pair(
        real, 300, torch.Generator()
    )
    assert not drawn.any()
    assert len(only.labels) == 300


def test_a_network_learns_from_what_lies_over_each_other() -> None:
    settings = Settings(
        **{"batch_size": 40, "synthetic": 0.5, "others": 0.1, "shift": pairs.SHIFT, "iterations": 2},
        network="over.shapes",
    )
    spec = replace(tiny.SPEC, name="over.shapes", shape=replace(tiny.SHAPE, answers=2))
    field = torch.zeros(60, 20, 20, dtype=torch.uint8)
    field[:, 6:14, 6:14] = 255
    bank = Digits(field, torch.arange(60) % 3)
    none = Digits(field[:6], torch.full((6,), NO_CLASS))
    trainer = Trainer(settings, bank, torch.device("cpu"), Pool(bank, none), spec=spec)
    batch = trainer._batch(torch.arange(60), 0)
    assert trainer._bank
    images, labels, parts = trainer._overlaid(trainer._bank, batch, torch.Generator().manual_seed(0))
    assert torch.equal(labels[:, 0], batch.labels)
    assert torch.equal(images, torch.minimum(parts[:, 0] + parts[:, 1], torch.tensor(1.0)))
    assert torch.equal(labels[:, 1] == NO_CLASS, parts[:, 1].flatten(1).amax(1) == 0)
    area = parts[:, 0].flatten(1).sum(1)
    assert (area[:16] == 64).all()  # of the data set: only moved
    assert area[16:].min() < 0.7 * 64  # made up: smaller as well
    assert area[16:].max() < 66


def test_made_up_digits_are_shrunk_about_their_middle() -> None:
    images = torch.zeros(50, 36, 36)
    images[:, 5:31, 5:31] = 1  # 26 pixels, as the app makes them
    small = shrink(images, torch.Generator().manual_seed(0))
    sides = small.amax(1).sum(1)
    assert 26 * pairs.SMALLEST - 1 < sides.min() < sides.max() < 27
    assert sides.max() - sides.min() > 5
    torch.testing.assert_close(small, small.flip(1, 2), atol=1e-4, rtol=0)


def test_drawings_lie_over_each_other_as_mnists_do() -> None:
    square = [np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])]
    upright = [np.array([[0, 0], [0, 1]])]
    rng = np.random.default_rng(0)
    moves = []
    for _ in range(300):
        one, other = overlaid(square, upright, rng)
        side = np.ptp(one, axis=0)[0]
        moves.append(((other.min(0) + other.max(0)) - (one.min(0) + one.max(0))) / 2 / side)
        assert np.concatenate([one, other]).min() == pytest.approx(0)
        assert np.ptp(np.concatenate([one, other]), axis=0).max() == pytest.approx(1)
    # Of both, at most 4 pixels of 20 each, in both directions.
    assert 0.3 < np.abs(moves).max() <= 0.4
    assert abs(np.mean(moves)) < 0.03


# --- the loss -------------------------------------------------------------------------------------------


def test_the_margin_loss_of_two_that_are_there_by_hand() -> None:
    lengths = torch.tensor([[0.5, 0.95, 0.3, 0.05]])
    # 0 is missed by 0.4, 1 by nothing; 2 is claimed by 0.2, 3 by nothing: 0.16 + 0.5 * 0.04.
    assert margin_loss(lengths, torch.tensor([[0, 1]])).item() == pytest.approx(0.18)
    # Twice the same is there once: 0.4^2 + 0.5 (0.85^2 + 0.2^2).
    assert margin_loss(lengths, torch.tensor([[0, 0]])).item() == pytest.approx(0.54125)
    # With nothing over it: as ever.
    alone = margin_loss(lengths, torch.tensor([[0, NO_CLASS]]))
    assert alone.item() == pytest.approx(0.54125)
    assert alone == margin_loss(lengths, torch.tensor([0]))
    # Nothing at all: 0.5 (0.4^2 + 0.85^2 + 0.2^2).
    assert margin_loss(lengths, torch.tensor([[NO_CLASS] * 2])).item() == pytest.approx(0.46125)


def test_who_is_misread_and_what_is_drawn() -> None:
    evidence = torch.tensor([[0.5, 0.9, 0.6, 0.1]]).expand(6, 4)
    labels = torch.tensor([[1, 2], [2, 1], [0, 1], [1, 1], [2, NO_CLASS], [NO_CLASS, NO_CLASS]])
    assert misread(evidence, labels).tolist() == [False, False, True, False, True, False]
    assert misread(evidence, torch.tensor([1, 2, 0, 1, NO_CLASS, 3])).tolist() == [
        False,
        True,
        True,
        False,
        False,
        True,
    ]
    assert to_draw(labels).tolist() == [[True, True]] * 3 + [[False, False], [True, False], [False, False]]


def test_each_of_two_is_drawn_by_itself() -> None:
    torch.manual_seed(0)
    net = CapsNet(tiny.SHAPE, 12, (7, 5), (24, 40))
    with torch.no_grad():  # else all poses are short, and drawn alike
        net.digits.W.mul_(40)
        net.decoder[0].weight.mul_(10)
    images, parts = torch.rand(3, 20, 20), torch.rand(3, 2, 20, 20)
    labels = torch.tensor([[0, 2], [1, NO_CLASS], [2, 2]])
    found = Objective(net, 2, False)(images, parts, labels, 2.0)
    v = net(images, 2).v
    squares = []
    for image, place in ((0, 0), (0, 1), (1, 0)):  # not the two of one class, nor what is not there
        masked = torch.zeros(1, 3, 5)
        masked[0, labels[image, place]] = v[image, labels[image, place]]
        squares.append((net.decoder(masked)[0] - parts[image, place]).square().sum())
    assert found.parts[1].item() == pytest.approx(sum(squares).item() / 2, rel=1e-5)
    assert found.total.item() == pytest.approx(
        (margin_loss(v.norm(dim=-1), labels) + 0.0005 * sum(squares) / 2).item(), rel=1e-5
    )


# --- measures -------------------------------------------------------------------------------------------


def test_pairs_are_counted_as_sets_by_hand() -> None:
    lengths = np.array([[0.1, 0.9, 0.8, 0.2], [0.9, 0.1, 0.3, 0.2], [0.6, 0.1, 0.2, 0.9]])
    labels = np.array([[2, 1], [0, 1], [1, 2]])
    assert among_the_longest(lengths, labels).tolist() == [[True, True], [True, False], [False, False]]
    found = by_itself(lengths, np.array([1, 0, 0]), 0.5)
    # The first has a second one that is long, the third is read as 3.
    assert found == {"images": 3, "right": pytest.approx(2 / 3), "only": pytest.approx(1 / 3)}


def test_what_reads_by_the_ink_is_measured_so() -> None:
    """Of 40 digits, each with a level of grey by its class, a reader that looks for levels is right in most pairs."""
    images = torch.zeros(40, 36, 36, dtype=torch.uint8)
    labels = torch.arange(40) % 4
    for image, label in zip(images, labels, strict=True):
        image[12:20, 12 + 4 * int(label) : 16 + 4 * int(label)] = 60

    def predict(shown: np.ndarray) -> np.ndarray:
        assert shown.dtype == np.float32
        assert shown.max() <= 120 / 255
        columns = shown.sum(1)  # in columns 8 to 32, moved by -4 to 4
        return np.stack([columns[:, 12 + 4 * k : 16 + 4 * k].sum(1) for k in range(4)], 1) / 40

    found = read_pairs(predict, Digits(images, labels), 0.5, limit=30)
    pair, _ = pairs.fixed_pairs(Digits(images, labels))
    places = np.arange(30) * 40 // 30
    two = [set(np.argsort(row)[-2:]) for row in predict(pair.images.numpy()[places] / np.float32(255))]
    truth = [set(row) for row in pair.labels.numpy()[places]]
    wrong = [k for k, (one, other) in enumerate(zip(two, truth, strict=True)) if one != other]
    assert found["misread"] == places[wrong].tolist()
    assert (found["images"], found["wrong"]) == (30, len(wrong))
    assert found["error_rate"] == len(wrong) / 30
    hits = sum(len(one & other) for one, other in zip(two, truth, strict=True))
    assert found["found"] == pytest.approx(hits / 60)
    assert (found["seed"], found["shift"], found["alike"]["images"]) == (2017, 4, 30)


def test_drawn_pairs_are_rendered_on_one_canvas() -> None:
    rng = np.random.default_rng(0)
    drawings = [random_digit(rng, k % 3) for k in range(6)]
    seen: list[np.ndarray] = []

    def predict(shown: np.ndarray) -> np.ndarray:
        seen.extend(shown)
        return np.tile(np.array([0.9, 0.8, 0.1]), (len(shown), 1))

    found = read_drawn_pairs(predict, drawings, 36)
    assert (found["pairs"], found["writers"], len(found["widths"])) == (6, 0, 4)
    assert len(seen) == 24 - sum(row["refused"] for row in found["widths"])
    assert all(image.shape == (36, 36) and image.max() == 1 for image in seen)
    # Of its two labels everybody has at least one of 0 and 1.
    assert found["found"] == pytest.approx((found["rate"] + 1) / 2, abs=0.1)


def test_of_two_digits_more_ink_is_no_scribble() -> None:
    # Down, across, up and so on: a way of 6 sides and another one across.
    drawing = [np.array([(0.2 * k, y) for k in range(6) for y in ((0, 1) if k % 2 else (1, 0))])]
    pixels = render(drawing, 8, 200, (40, 40))
    with pytest.raises(ImageError):
        canvas_to_mnist(pixels, "light", 36)
    assert canvas_to_mnist(pixels, "light", 36, digits=2).shape == (36, 36)


# --- training -------------------------------------------------------------------------------------------


@pytest.fixture
def over_shapes() -> Iterator[Spec]:
    """The tiny network, of two shapes over each other."""
    spec = replace(tiny.SPEC, name="over.shapes", shape=replace(tiny.SHAPE, answers=2))
    register(spec, "tests/test_pairs.py")
    yield spec
    unregister(spec.name)


def test_a_training_goes_on_where_it_was_cut_off_and_learns(over_shapes: Spec, tmp_path: Path) -> None:
    settings = Settings(
        **{"epochs": 6, "batch_size": 20, "learning_rate": 4e-3, "warmup_steps": 10, "pool": 0},
        **{"iterations": 2, "network": over_shapes.name},
    )
    said: list[str] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        whole = train(tmp_path, tmp_path / "whole", settings, torch.device("cpu"), say=said.append)

        def stop(line: str) -> None:
            if line.startswith("epoch 2"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, tmp_path / "cut", settings, torch.device("cpu"), say=stop)
        cut = train(tmp_path, tmp_path / "cut", settings, torch.device("cpu"), resume=True, say=said.append)
    finally:
        torch.set_num_threads(threads)
    assert cut["validation_error"] == whole["validation_error"]
    assert (tmp_path / "cut/weights.safetensors").read_bytes() == (
        tmp_path / "whole/weights.safetensors"
    ).read_bytes()
    assert whole["settings"]["shift"] == pairs.SHIFT
    # As many second capsules of pairs held out are shorter as third ones are longer, or one more.
    held_out, _ = pairs.fixed_pairs(split_validation(tiny.load(tmp_path, "train"), 60)[1])
    model = load_model(tmp_path / "whole", device="cpu")
    ranked = np.sort(model.predict(held_out.images.numpy() / np.float32(255)))
    limit = whole["unsure_below"] - 1e-5
    missed, claimed = (ranked[:, -2] < limit).sum(), (ranked[:, -3] >= limit).sum()
    assert 0 <= missed - claimed <= 1
    assert whole["log"][-1]["margin_loss"] < 0.8 * whole["log"][0]["margin_loss"]
    assert whole["test_error"] < 2 / 3  # of three pairs that are equally likely
    shown, _ = pairs.fixed_pairs(tiny.load(tmp_path, "test"))
    scores = torch.from_numpy(model.predict(shown.images.numpy() / np.float32(255)))
    assert misread(scores, shown.labels).float().mean().item() == pytest.approx(whole["test_error"])
    measured = evaluate(model, tmp_path)
    assert measured["pairs"]["error_rate"] == pytest.approx(whole["test_error"])
    save_evaluation(tmp_path / "whole", model.card, measured)
    assert load_evaluation(tmp_path / "whole", model.card)["pairs"]["alone"]["images"] == 90
    text = (tmp_path / "whole/card.md").read_text("utf-8")
    for part in (
        "share 85% of a side and 72.6% of the area",
        "each of the two shapes",
        "of 90 pairs",
        "over each other",
    ):
        assert part in text
    assert "of 90 pairs wrong" in summary(measured)
