"""Ablations and generalisation: rows are kept, nothing is trained twice, and the tables say what the rows say."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import reference
import torch
from reference import assert_one_sentence

from capsviz.__main__ import main
from capsviz.errors import DataError, WeightsError
from capsviz.figures import generalisation as figures
from capsviz.inputs import data
from capsviz.inputs.data import Digits
from capsviz.measures import ablations, findings, generalisation, runs
from capsviz.measures.ablations import VARIANTS
from capsviz.measures.generalisation import enlarged
from capsviz.measures.price import processor
from capsviz.measures.runs import Ablation, Few, Placed, Timing
from capsviz.measures.statistics import of_seeds
from capsviz.models.rates import wilson
from capsviz.models.size import sizes, together
from capsviz.networks.base import Spec, find
from capsviz.training import ablate, experiment, generalise
from capsviz.training.generalise import able, few, looks, repeated
from capsviz.training.settings import Settings
from capsviz.training.trainer import Trainer

CPU = torch.device("cpu")


def synthetic(count: int, size: int = 28) -> Digits:
    images, labels = reference.synthetic_digits(count)
    return Digits(torch.tensor(images), torch.tensor(labels))


@dataclass(frozen=True)
class Small(Settings):
    """Settings of batches of 25."""

    batch_size: int = 25


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hundred digits to train on, and batches of 25, whatever is asked for."""
    few_of, names = {"train": 120, "test": 30}, able()
    mnist = replace(data.MNIST, load=lambda folder, half: synthetic(few_of[half]))
    monkeypatch.setattr(experiment, "MNIST", mnist)
    monkeypatch.setattr(experiment, "split_validation", lambda digits: data.split_validation(digits, 20))
    monkeypatch.setattr(experiment, "is_quicker", lambda device: False)
    for module in (ablate, generalise):
        monkeypatch.setattr(module, "Settings", Small)
    monkeypatch.setattr(generalise, "able", lambda: names)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def row(**more: Any) -> Ablation:
    known = {
        "variant": "r3",
        "seed": 0,
        "epochs": 5,
        "held_out": 5_000,
        "held_out_wrong": 20,
        "images": 10_000,
    }
    known |= {"wrong": 40, "seconds": 12.5, "device": "cpu", "mixed_precision": 0}
    return Ablation(**{**known, "parameters": 100, "multiply_adds": 200, **more})


def look(network: str, seed: int, step: int, held: int, placed: int, affine: int, steps: int = 30) -> Placed:
    return Placed(network, seed, step, steps, 1_000, held, 1_000, placed, affine, 1.0, "cpu", 100, 200)


# --- rows -------------------------------------------------------------------------------------------------


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.csv"
    assert runs.begin(path, Ablation) == []
    rows = [row(), row(seed=1, device="a, b", seconds=0.25)]
    for one in rows:
        runs.append(path, one)
    assert runs.begin(path, Ablation) == runs.read(path, Ablation) == rows
    with path.open(newline="") as file:
        assert [line["device"] for line in csv.DictReader(file)] == ["cpu", "a, b"]


@pytest.mark.parametrize(
    "line",
    [
        "r3,0,5",
        "r3,0,5,5000,20,10000,40,12.5,cpu,0,100,200,7",
        "r3,-1,5,5000,20,10000,40,12.5,cpu,0,100,200",
        "r3,0,5,5000,20,10000,nan,12.5,cpu,0,100,200",
        "r3,0,5,5000,20,10000,40,nan,cpu,0,100,200",
        "r3,0,5,5000,20,10000,40,inf,cpu,0,100,200",
        ",0,5,5000,20,10000,40,12.5,cpu,0,100,200",
        f"{'r' * 101},0,5,5000,20,10000,40,12.5,cpu,0,100,200",
        "r\x1b3,0,5,5000,20,10000,40,12.5,cpu,0,100,200",
    ],
)
def test_what_is_no_row_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.csv"
    runs.begin(path, Ablation)
    runs.append(path, row())
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match="line 3") as error:
        runs.read(path, Ablation)
    assert_one_sentence(str(error.value))


def test_what_holds_other_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    runs.begin(path, Few)
    with pytest.raises(DataError, match="does not begin with variant,seed"):
        runs.begin(path, Ablation)
    with pytest.raises(DataError, match="cannot be read"):
        runs.read(tmp_path / "none.csv", Ablation)
    with pytest.raises(DataError, match="cannot be"):
        runs.begin(path / "below.csv", Ablation)
    with pytest.raises(DataError, match="cannot be written to"):
        runs.append(tmp_path / "no" / "rows.csv", row())


def test_the_rows_that_ship_can_be_read() -> None:
    for kind in findings.FILES:
        findings.found(kind)


# --- what they come to ------------------------------------------------------------------------------------


def test_the_error_of_several_trainings_by_hand() -> None:
    found = of_seeds([40, 50, 60], 10_000)
    assert found["errors"] == [0.004, 0.005, 0.006]
    assert found["mean"] == pytest.approx(0.005)
    assert found["deviation"] == pytest.approx(0.001)
    # Student's 4.303 times 0.001 over the root of 3 is 0.00248, wider than Wilson's of 50 in 10,000.
    assert found["interval"] == pytest.approx((0.005 - 0.002484, 0.005 + 0.002484), abs=1e-6)
    alike = of_seeds([50, 50, 50], 10_000)
    assert (alike["deviation"], alike["interval"]) == (0, wilson(50, 10_000))
    alone = of_seeds([50], 10_000)
    assert (alone["deviation"], alone["interval"]) == (None, wilson(50, 10_000))
    assert of_seeds([0, 9_999], 10_000)["interval"] == (0, 1)
    two = of_seeds([48, 52], 10_000)  # 12.706 x 0.000283 / sqrt(2)
    assert two["interval"][1] == pytest.approx(0.005 + 0.002541, abs=1e-6)


def test_an_ablation_is_of_its_longest_trainings_and_of_the_last_row_of_a_seed() -> None:
    rows = [
        row(wrong=99, epochs=2),
        row(wrong=90),
        row(seed=1, wrong=50, seconds=90.0),
        row(wrong=40),
        row(variant="cnn", wrong=70, device="other"),
        row(variant="gone"),
    ]
    times = [Timing("r3", "cpu", 9.0), Timing("r3", "gpu", 1.0), Timing("r3", "cpu", 9.5)]
    first, second = ablations.results(rows, times)
    assert (first.variant.name, first.seeds, first.epochs) == ("r3", 2, 5)
    assert first.error["errors"] == [0.004, 0.005]
    assert first.answer == {"cpu": 9.0, "gpu": 1.0}
    assert first.seconds == {"cpu": pytest.approx((12.5 + 90) / 2)}
    assert (second.variant.name, second.answer, second.seconds) == ("cnn", {}, {"other": 12.5})


def test_seconds_are_of_each_device_that_of_most_trainings_first() -> None:
    rows = [
        row(device="cpu", seconds=900.0),
        row(seed=1, device="gpu", seconds=50.0),
        row(seed=2, device="gpu", seconds=60.0, mixed_precision=1),
    ]
    (found,) = ablations.results(rows)
    assert list(found.seconds.items()) == [("gpu", 55.0), ("cpu", 900.0)]
    heads, lines = figures.ablations_table([found])
    assert lines[0][heads.index("Training")][:2] == ("55 s", "5 epochs, gpu, bfloat16; 15 min cpu")


def test_the_variants_are_those_of_table_1() -> None:
    """Test error in per cent, iterations, reconstruction (arXiv:1710.09829)."""
    table = {(one.iterations, one.reconstruction > 0): one.published for one in VARIANTS[:4]}
    assert table == {(1, False): 0.34, (1, True): 0.29, (3, False): 0.35, (3, True): 0.25}
    assert VARIANTS[4].published == 0.39
    assert {one.reconstruction for one in VARIANTS} == {0, 0.0005}


def test_trainings_are_stopped_at_the_first_look_that_is_good_enough() -> None:
    looked = [
        *(look("cnn.mnist", 0, 10 * k, held, 2 * held, 9 * held) for k, held in enumerate((50, 7, 9), 1)),
        *(look("dynamic.mnist", 0, 10 * k, held, held, 5 * held) for k, held in enumerate((40, 30, 6), 1)),
        *(look("dynamic.mnist", 1, 10 * k, held, held, 6 * held) for k, held in enumerate((8, 7, 6), 1)),
    ]
    found = generalisation.runs_of(looked)
    assert list(found) == ["dynamic.mnist", "cnn.mnist"]  # in the order of all networks
    assert generalisation.level(found) == 0.0078
    dynamic, cnn = generalisation.stopped(found, generalisation.level(found))
    assert dynamic.steps == [30, 20]
    assert dynamic.affine["errors"] == [0.03, 0.042]
    assert cnn.steps == [20]
    assert (cnn.placed["mean"], cnn.affine["mean"]) == (0.014, 0.063)


def test_all_stop_where_the_least_of_them_came_to() -> None:
    looked = [look("a", 0, 10, 20, 1, 1, 20), look("a", 0, 20, 30, 2, 2, 20), look("b", 0, 10, 5, 3, 3, 10)]
    found = generalisation.runs_of(looked)
    assert generalisation.level(found) == 0.02
    assert [one.steps for one in generalisation.stopped(found, 0.02)] == [[10], [10]]


def test_a_training_that_was_cut_off_counts_only_if_it_came_so_far() -> None:
    found = generalisation.runs_of(
        [look("a", 0, 30, 9, 9, 9), look("a", 1, 10, 50, 1, 1), look("a", 2, 10, 8, 7, 7)]
    )
    assert generalisation.level(found) == 0.009
    (one,) = generalisation.stopped(found, 0.009)
    assert (one.seeds, one.steps, one.affine["errors"]) == ([0, 2], [30, 10], [0.009, 0.007])
    assert generalisation.stopped(found, 0.001) == []


def test_the_longest_training_of_a_seed_counts_and_of_a_look_the_last_row() -> None:
    looked = [
        look("a", 0, 10, 1, 1, 1, steps=10),
        look("a", 0, 20, 2, 2, 2),
        look("a", 0, 10, 3, 3, 3),
        look("a", 0, 10, 4, 4, 4),
    ]
    assert [(one.step, one.held_out_wrong) for one in generalisation.runs_of(looked)["a"][0]] == [
        (10, 4),
        (20, 2),
    ]


def test_changed_digits_are_compared_where_as_many_placed_ones_are_misread() -> None:
    """Along its own course, on the line in logarithms between two looks, where it first comes down so far."""
    course = [
        look("cnn.mnist", 0, 10 * k, 0, placed, affine)
        for k, (placed, affine) in enumerate([(400, 900), (100, 400), (200, 700), (25, 100), (0, 4)], 1)
    ]
    at = generalisation.at_error
    assert at(course, 0.2) == pytest.approx(0.6)  # the geometric means of 400 and 100, 900 and 400
    assert at(course, 0.1) == pytest.approx(0.4)  # a look itself
    assert at(course, 0.05) == pytest.approx(0.1 * 7 ** (1 / 3))  # two thirds of the way
    assert at(course, 0.025) == pytest.approx(0.1)
    assert at(course, 0.4) is at(course, 0.5) is None  # it was there at its first look
    assert at(course[:4], 0.02) is None  # it never came there
    assert at(course, 0.0005) == pytest.approx(0.004)  # none misread counts as half of one
    other = [replace(row, network="dynamic.mnist", seed=seed) for seed in (0, 1) for row in course[:3]]
    runs = generalisation.runs_of([*course, *other])
    cnn, dynamic = sorted(generalisation.stopped(runs, 1.0), key=lambda one: one.network)
    assert (cnn.at, dynamic.at, cnn.equal) == (0.4, 0.4, None)
    good = [replace(row, held_out_wrong=0 if row.step > 20 else 500) for row in (*course, *other)]
    cnn, dynamic = sorted(
        generalisation.stopped(generalisation.runs_of(good), 0.1), key=lambda one: one.network
    )
    assert cnn.at == dynamic.at == 0.2
    assert cnn.equal is not None
    assert cnn.equal == of_seeds([1_000 * cnn.equal["mean"]], 1_000)
    assert cnn.equal["mean"] == pytest.approx(0.6)
    assert dynamic.equal is not None
    assert dynamic.equal["errors"] == pytest.approx([0.6, 0.6])
    said = figures.placed_says([cnn, dynamic], 2)
    assert said[0].startswith("Where each misreads 20.00% of the placed digits, ")
    assert "they misread 20.00% to 20.00% of the placed test digits" in said[1]
    assert said[2].startswith("Of 2 trainings each, fewer stand here of Plain CNN (1): ")
    assert len(figures.placed_says([cnn, dynamic], 1)) == 2


def test_few_by_network_and_number() -> None:
    rows = [Few("cnn.mnist", n, s, 600, 64, 100, 10 * n + s, 1.0, "cpu") for n in (10, 1) for s in (0, 2)]
    found = generalisation.by_examples([*rows, replace(rows[0], wrong=50)])
    assert list(found["cnn.mnist"]) == [1, 10]
    assert found["cnn.mnist"][1]["errors"] == [0.1, 0.12]
    assert found["cnn.mnist"][10]["errors"] == [0.5, 1.02]


# --- trainings --------------------------------------------------------------------------------------------


def test_networks_for_larger_pictures_by_the_formula() -> None:
    """(40 - 9 + 1 - 9) // 2 + 1 = 12 places a side of 32 capsules; a trunk that leaves (40 - 11) // 2 + 1 = 15."""
    dynamic, attention, cnn = (enlarged(name) for name in ("dynamic.mnist", "attention.mnist", "cnn.mnist"))
    assert dynamic.shape.grid is not None
    assert dynamic.shape.grid.capsules == 32 * 12 * 12 == 4608
    parts = {name: size.parameters for name, size in sizes(dynamic).items()}
    assert parts["digits"] == 4608 * 10 * 16 * 8
    assert parts["conv1"] + parts["primary"] == 256 * 82 + 256 * (256 * 81 + 1)
    assert parts["decoder"] == 161 * 512 + 513 * 1024 + 1025 * 1600
    plain = (1 * 25 + 1) * 32 + (32 * 9 + 1) * 64 + (64 * 9 + 1) * 64 + (64 * 9 + 1) * 128
    plain += 2 * (32 + 64 + 64 + 128) + 128 * (15 * 15 + 1)
    assert sizes(attention)["trunk"].parameters == sizes(cnn)["trunk"].parameters == plain
    assert attention.shape.grid is not None
    assert attention.shape.grid.field == 40
    assert together(sizes(find("attention.mnist")), decoder=False).parameters == 161_824  # as before


def test_ablations_are_counted_by_the_formula() -> None:
    """Each further iteration makes sums of 1152 x 10 x 16 products, and as many of agreement."""
    from capsviz.training.experiment import size

    one, three = (size(find("dynamic.mnist"), rounds, decoder=False) for rounds in (1, 3))
    assert three.multiply_adds - one.multiply_adds == 4 * 1152 * 10 * 16
    assert one.parameters == three.parameters == 6_804_224
    assert size(find("dynamic.mnist"), 3, decoder=True).parameters == 8_215_568


def test_what_has_a_row_is_not_trained_again(
    small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "ablate",
        "--data",
        "D",
        "--out",
        str(tmp_path),
        "--only",
        "cnn",
        "--epochs",
        "1",
        "--device",
        "cpu",
    ]
    assert main([*arguments, "--seeds", "1"]) == 0
    (first,) = runs.read(tmp_path / "ablations.csv", Ablation)
    assert (first.variant, first.seed, first.epochs, first.held_out, first.images) == ("cnn", 0, 1, 20, 30)
    assert first.parameters == 142_474
    assert main([*arguments, "--seeds", "2"]) == 0
    again, second = runs.read(tmp_path / "ablations.csv", Ablation)
    assert again == first
    assert second.seed == 1
    assert main([*arguments[:-1], "cpu", "--time"]) == 0
    (timed,) = runs.read(tmp_path / "times.csv", Timing)
    assert (timed.variant, timed.device) == ("cnn", f"cpu: {processor()}")
    assert timed.answer > 0
    capsys.readouterr()
    assert main(["findings", str(tmp_path)]) == 0
    head, _, line = capsys.readouterr().out.splitlines()
    assert "Test error" in head
    assert "142,474" in line


def test_the_document_has_the_tables_of_the_rows_that_ship(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["findings"]) == 0
    written = (Path(__file__).parents[1] / "docs" / "experiments.md").read_text("utf-8")
    tables = capsys.readouterr().out.strip().split("\n\n")
    assert len(tables) == 3
    for table in tables:
        assert table in written


def test_placed_digits_are_looked_at_again_and_again(small: None, tmp_path: Path) -> None:
    arguments = ["generalise", "--data", "D", "--out", str(tmp_path), "--network", "cnn", "--device", "cpu"]
    assert main([*arguments, "--part", "placed", "--epochs", "2", "--seeds", "1"]) == 0
    rows = runs.read(tmp_path / "placed.csv", Placed)
    assert [one.step for one in rows] == [
        2,
        3,
        4,
        6,
        7,
        8,
    ]  # a third, two thirds and all of each epoch of 4 steps
    assert {one.steps for one in rows} == {8}
    assert (rows[0].held_out, rows[0].images, rows[0].network) == (20, 30, "cnn.mnist")
    assert rows == sorted(rows, key=lambda one: one.seconds)
    assert main([*arguments, "--part", "placed", "--epochs", "2", "--seeds", "1"]) == 0
    assert runs.read(tmp_path / "placed.csv", Placed) == rows
    # What was cut off before its last look is trained again.
    lines = (tmp_path / "placed.csv").read_text().splitlines(keepends=True)
    (tmp_path / "placed.csv").write_text("".join(lines[:-1]))
    assert main([*arguments, "--part", "placed", "--epochs", "2", "--seeds", "1"]) == 0
    assert len(runs.read(tmp_path / "placed.csv", Placed)) == 11


def test_looks_are_evenly_spread_and_end_with_the_epoch() -> None:
    """429 steps of an epoch, by hand: 143, 286, 429, and so on."""
    assert [step for step in range(1, 859) if looks(step, 429)] == [143, 286, 429, 572, 715, 858]


def test_few_digits_are_the_same_for_all_and_nested() -> None:
    digits = Digits(torch.arange(400).view(400, 1, 1), torch.arange(400) % 10)
    ten, one = few(digits, 10, seed=1), few(digits, 1, seed=1)
    assert torch.bincount(ten.labels).tolist() == [10] * 10
    assert torch.equal(ten.images.flatten() % 10, ten.labels)  # each with its own label
    assert set(one.images.flatten().tolist()) < set(ten.images.flatten().tolist())
    assert set(one.images.flatten().tolist()) != set(few(digits, 1, seed=2).images.flatten().tolist())
    again = repeated(one, 25)
    assert torch.bincount(again.labels).tolist() == [3] * 5 + [2] * 5


def test_few_digits_are_trained_on_for_as_many_steps(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generalise, "EXAMPLES", (1, 2))
    monkeypatch.setattr(generalise, "BATCH", 25)
    seen = []
    monkeypatch.setattr(
        generalise,
        "Trainer",
        lambda settings, digits, device: seen.append(len(digits.labels)) or Trainer(settings, digits, device),
    )
    arguments = ["generalise", "--data", "D", "--out", str(tmp_path), "--network", "cnn", "--device", "cpu"]
    for _ in range(2):
        assert main([*arguments, "--part", "few", "--steps", "3", "--seeds", "1"]) == 0
    rows = runs.read(tmp_path / "few.csv", Few)
    assert [(one.examples, one.steps, one.images) for one in rows] == [(1, 3, 30), (2, 3, 30)]
    assert seen == [75, 75]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["ablate", "--data", "D", "--out", "O", "--only", "r2"], "r1-reconstruction"),
        (["generalise", "--data", "D", "--out", "O", "--network", "attention.letters"], "cnn.mnist"),
        (["generalise", "--data", "D", "--out", "O", "--network", "nobody"], "nobody"),
        (["findings", "nowhere"], "ablations.csv"),
        (
            ["train", "--data", "D", "--out", "O", "--network", "attention", "--iterations", "2"],
            "--iterations",
        ),
        (
            ["train", "--data", "D", "--out", "O", "--network", "cnn", "--reconstruction", "0"],
            "--reconstruction",
        ),
        (["train", "--data", "D", "--out", "O", "--iterations", "0"], "from 1 to 50"),
        (["train", "--data", "D", "--out", "O", "--reconstruction", "nan"], "from 0 to 1"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    said = capsys.readouterr().err
    assert named in said
    assert_one_sentence(said.strip().removesuffix(" (--help shows how.)"))


# --- without reconstruction -------------------------------------------------------------------------------


def tiny_trainer(spec: Spec, **settings: Any) -> Trainer:
    given = {
        "epochs": 1,
        "batch_size": 20,
        "shift": 1,
        "iterations": spec.shape.trained,
        "network": spec.name,
    }
    digits = spec.data.load("", "train").take(slice(60))
    return Trainer(Settings(**{**given, **settings}), digits, CPU)


def test_without_reconstruction_the_decoder_stays_as_it_began(tiny_network: Spec, tmp_path: Path) -> None:
    trainer, usual = tiny_trainer(tiny_network, reconstruction=0.0), tiny_trainer(tiny_network)
    before = {name: value.clone() for name, value in trainer.net.state_dict().items()}
    for one in (trainer, usual):
        for _ in one.run_epoch():
            pass
    changed = {
        name for name, value in trainer.net.state_dict().items() if not torch.equal(value, before[name])
    }
    assert {name.split(".")[0] for name in changed} == {"conv1", "primary", "digits"}
    assert trainer.sums[1] == 0 < usual.sums[1]
    trainer.end_epoch(tiny_network.data.load("", "test").take(slice(10)))
    trainer.save(tmp_path / "checkpoint.safetensors")
    resumed = tiny_trainer(tiny_network, reconstruction=0.0)
    resumed.load(tmp_path / "checkpoint.safetensors")
    assert resumed.step == trainer.step
    with pytest.raises(WeightsError, match=r"reconstruction 0\.0, not 0\.0005"):
        tiny_trainer(tiny_network).load(tmp_path / "checkpoint.safetensors")


def test_the_weight_of_reconstruction_is_that_of_its_gradient(tiny_network: Spec) -> None:
    """The decoder's gradient is as many times as large as its weight: nothing else reaches it."""
    from capsviz.training.objective import Objective

    trainer = tiny_trainer(tiny_network)
    digits = trainer.training.take(slice(8))
    images = digits.images.float() / 255
    gradients = []
    for weight in (0.0005, 0.002):
        losses = Objective(trainer.net, 3, False, weight)(images, images, digits.labels, 8)
        trainer.net.zero_grad()
        losses.total.backward()
        gradients.append(trainer.net.decoder[0].weight.grad.clone())
        assert losses.total.item() == pytest.approx(
            (losses.parts[0] + weight * losses.parts[1]).item(), rel=1e-6
        )
    torch.testing.assert_close(gradients[1], 4 * gradients[0])


# --- what is shown ----------------------------------------------------------------------------------------


def test_the_tables_say_what_the_rows_say() -> None:
    rows = [
        row(variant=one.name, seed=seed, wrong=30 + 5 * k + 2 * seed)
        for k, one in enumerate(VARIANTS)
        for seed in (0, 1)
    ]
    found = ablations.results(
        rows, [Timing("r1", "cpu", 9.04), Timing("cnn", "cpu: A", 1.96), Timing("r3", "gpu", 2.6)]
    )
    heads, lines = figures.ablations_table(found)
    first = dict(zip(heads, lines[0], strict=True))
    assert first["Trained with"].figure == "1 iteration, no reconstruction"
    assert first["Test error"].figure == "0.31%"
    assert first["Test error"].below.startswith("± 0.01, ")
    assert first["Test error"].below.endswith(", of 2 trainings")
    assert first["Published error"][:2] == ("0.34% ± 0.032", "arXiv:1710.09829")
    times = [line[heads.index("ms an answer")][:3] for line in lines]
    assert times[0] == ("9", "1 core, cpu", "")
    assert times[2:] == [("3", "gpu", ""), ("–", "", ""), ("2.0", "1 core, cpu: A", "")]
    assert first["Training"][:2] == ("12 s", "5 epochs, cpu")
    assert lines[4][2].figure == "0.39%"
    page = figures.table_html((heads, lines), "ablations")
    assert page.count("<tr>") == 6
    assert figures.table_text((heads, lines)).count("\n") == 6


def test_a_verdict_follows_from_the_intervals() -> None:
    good, bad, near = (of_seeds([wrong], 10_000) for wrong in (20, 80, 25))
    assert figures.verdict({"a": good, "b": bad}, "ablation").startswith(
        "a misreads least (0.20%), b most (0.80%)"
    )
    assert "do not tell" in figures.verdict({"a": good, "b": near}, "ablation")
    assert "from a (0.20%) to b (0.25%)" in figures.verdict({"b": near, "a": good}, "ablation")
    assert figures.verdict({"a": good}, "ablation") == ""


def test_placed_digits_are_errors_in_the_table_and_in_the_chart() -> None:
    looked = [look("cnn.mnist", 0, 10, 5, 20, 200), look("cnn.mnist", 0, 20, 4, 10, 100)]
    looked += [replace(look("cnn.mnist", 1, 20, 3, 10, 140), device="gpu")]
    found = generalisation.runs_of(looked)
    stopped = generalisation.stopped(found, 0.0078)
    _, lines = figures.placed_table(stopped)
    # At 1.5% of the placed ones, of the first training alone: halfway in logarithms would be 1.41%.
    ratio = math.log(1.5 / 2) / math.log(1 / 2)
    equal = f"{20 * 0.5**ratio:.2f}%"
    assert [cell.figure for cell in lines[0]][:5] == ["Plain CNN", "1.50%", "17.00%", equal, "10, 20"]
    low, high = of_seeds([200, 140], 1_000)["interval"]
    assert lines[0][2].below == f"± 4.24, {low:.2%} to {high:.2%}, of 2 trainings"
    assert lines[0][4].below == "seeds 0, 1, cpu, gpu"
    assert [cell.figure for cell in lines[1]][1:3] == ["0.77%", "21%"]
    assert lines[1][2].below == "affNIST, 79% read"
    assert [cell.figure for cell in lines[3]][1:3] == ["–", "6.8%"]
    looks, ends = figures.placed_figure(found, stopped).data
    # Two looks have 10 of 1,000 placed digits misread: 100 and 140 changed ones.
    assert (list(looks.x), list(looks.y)) == ([1.0, 2.0], [12.0, 20.0])
    assert (list(ends.x), list(ends.y)) == ([1.0, 2.0], [14.0, 20.0])
    assert looks.marker.size < ends.marker.size
    assert ends.name == "Plain CNN: stopped here"


def test_few_examples_as_a_chart_and_a_table() -> None:
    found = generalisation.by_examples(
        [
            Few(network, n, s, 600, 64, 1_000, 300 // n + s, 1.0, "cpu")
            for network, n, s in [
                *(("cnn.mnist", n, s) for n in (1, 10) for s in (0, 2)),
                ("dynamic.mnist", 1, 0),
                ("dynamic.mnist", 10, 0),
                ("dynamic.mnist", 10, 1),
            ]
        ]
    )
    figure = figures.few_figure(found)
    other, drawn, _, single = figure.data
    assert (list(drawn.x), list(drawn.y)) == ([1, 10], pytest.approx([30.1, 3.1]))
    low, high = found["cnn.mnist"][1]["interval"]
    assert drawn.error_y.array[0] == pytest.approx(100 * high - 30.1)
    assert drawn.error_y.arrayminus[0] == pytest.approx(30.1 - 100 * low)
    assert (drawn.name, other.name) == ("Plain CNN (n = 2)", "CapsNet, dynamic routing (n = 1–2)")
    assert list(single.x) == [1, 1, 10, 10]
    assert list(single.y) == pytest.approx([30.0, 30.2, 3.0, 3.2])
    # Beside each other: the other network's axis begins and ends later, so that its points stand to the left.
    axes = {curve.name: figure.layout[f"xaxis{curve.xaxis[1:]}"] for curve in (drawn, other)}
    assert axes[drawn.name].visible is not False
    moved = [mine - its for mine, its in zip(axes[other.name].range, axes[drawn.name].range, strict=True)]
    assert moved == pytest.approx([figures.APART] * 2)
    assert single.xaxis == drawn.xaxis
    found.pop("dynamic.mnist")
    heads, lines = figures.few_table(found)
    assert heads[1:] == ["1 of each class", "10 of each class"]
    assert lines[0][1].below.endswith(", of 2 trainings; seeds 0, 2: cpu")
    assert [cell.figure for cell in lines[0]] == ["Plain CNN", "30.10%", "3.10%"]


def test_what_is_said_of_few_examples_names_seeds_and_devices() -> None:
    rows = [Few("cnn.mnist", 1, s, 600, 64, 1_000, 300, 1.0, of) for s, of in ((2, "b"), (0, "a"), (1, "b"))]
    assert figures.few_note(rows).endswith("Trainings: seeds 0, 1, 2; b (bfloat16), a (bfloat16).")
    rows += [replace(rows[0], seed=3, device="cpu")]
    _, lines = figures.few_table(generalisation.by_examples(rows))
    assert lines[0][1].below.endswith(
        ", of 4 trainings; seed 0: a (bfloat16); seeds 1, 2: b (bfloat16); seed 3: cpu"
    )


def test_parameters_are_told_with_the_decoder_and_without() -> None:
    """As they are counted by the formula above; of what has another size, or is no more, as the row says."""
    cell = figures.parameters_cell
    assert cell(8_215_568, "dynamic.mnist", find)[:2] == ("6,804,224", "8,215,568 with decoder")
    assert cell(6_804_224, "dynamic.mnist", find)[:2] == ("6,804,224", "")
    assert cell(142_474, "cnn.mnist", find)[:2] == ("142,474", "no decoder")
    assert cell(2_428_000, "attention.mnist", enlarged)[:2] == ("180,256", "2,428,000 with decoder")
    assert cell(5, "nobody", find)[:2] == ("5", "")
    assert figures.seeds_words([4]) == "seed 4"
