"""The model card says what its files say, and the shipped one what the shipped weights do."""

import hashlib
import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
from numpy.random import default_rng

from capsviz.__main__ import build_parser, main
from capsviz.errors import WeightsError
from capsviz.inputs.augment import NOISY
from capsviz.inputs.data import load_mnist
from capsviz.inputs.recorded import read_strokes
from capsviz.inputs.strokes import make_image, other_of_kind
from capsviz.measures.changes import CHANGES, change
from capsviz.measures.drawings import made_up_digits, read_drawings
from capsviz.measures.statistics import SEED
from capsviz.models import weights
from capsviz.models.card import (
    all_epochs,
    card_markdown,
    card_table,
    command,
    departures,
    earlier_epochs,
    limits,
    loss,
    measured_tables,
    side_by_side,
)
from capsviz.models.model import Model
from capsviz.networks.base import Spec, find
from capsviz.texts import speaking

REAL = Path(__file__).resolve().parents[2] / "shared" / "data"
STROKES = REAL / "strokes" / "dev_strokes.jsonl.gz"
FEW = 40  # drawings of each kind: seconds instead of minutes


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return weights.load_card(weights.locate(weights.DEFAULT))


@pytest.fixture(scope="module")
def evaluation(card: dict[str, Any]) -> dict[str, Any]:
    return weights.load_evaluation(weights.DEFAULT, card)


# --- the shipped card -----------------------------------------------------------------------------------


def test_the_shipped_card_describes_the_shipped_weights(card: dict[str, Any], evaluation: dict[str, Any]):
    """SHA-256 as any tool computes it; the card for people is made of the two files for machines."""
    path = weights.locate(weights.DEFAULT)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == card["sha256"] == evaluation["sha256"]
    assert path.with_name("card.md").read_text("utf-8") == card_markdown(card, evaluation)
    assert re.fullmatch("[0-9a-f]{40}", card["commit"])
    assert len(card["log"]) == card["settings"]["epochs"]
    # Training computes in batches of another size: an image on the border may fall to the other side.
    assert card["log"][-1]["validation_error"] == pytest.approx(card["validation_error"], abs=0.001)


def test_the_two_files_agree(card: dict[str, Any], evaluation: dict[str, Any]):
    assert evaluation["images"] == 10_000
    assert evaluation["wrong"] == len(evaluation["misread"])
    assert card["test_error"] == pytest.approx(evaluation["error_rate"], abs=0.0002)
    assert card["unsure_below"] == evaluation["unsure"]["threshold"]
    assert evaluation["unsure"]["digits"]["below"] <= 0.01
    bins = evaluation["calibration"]["bins"]
    assert sum(row["images"] for row in bins) == 10_000
    right = sum(round(row["accuracy"] * row["images"]) for row in bins)
    assert right == 10_000 - evaluation["wrong"]
    counts = np.array(evaluation["confusion"])
    assert counts.sum() - np.trace(counts) == evaluation["wrong"]
    for row in [*evaluation["made_up"]["widths"], *evaluation["drawings"]["widths"]]:
        assert row["right"] == row["drawings"] - len(row["misread"])
        assert row["rate"] == pytest.approx(row["right"] / row["drawings"])


def test_the_shipped_weights_misread_the_made_up_drawings_that_the_card_counts(
    model: Model, evaluation: dict[str, Any]
):
    """The first of the very drawings: which ones are misread, not only how many."""
    found = read_drawings(model.predict, made_up_digits(FEW), threshold=0)
    for now, kept in zip(found["widths"], evaluation["made_up"]["widths"], strict=True):
        assert now["width"] == kept["width"]
        assert now["misread"] == [k for k in kept["misread"] if k < FEW]


def test_the_shipped_weights_call_unsure_what_the_card_counts(model: Model, evaluation: dict[str, Any]):
    for k, row in enumerate(evaluation["unsure"]["kinds"]):
        rng = default_rng([SEED, 1, k])
        drawn = np.array([make_image(other_of_kind(row["kind"]), rng)[0] for _ in range(FEW)])
        longest = model.predict(drawn / np.float32(255)).max(1)
        answered = np.flatnonzero(longest >= evaluation["unsure"]["threshold"])
        assert answered.tolist() == [k for k in row["answered"] if k < FEW], row["kind"]
        assert row["below"] == pytest.approx(1 - len(row["answered"]) / row["images"])


@pytest.mark.skipif(not (REAL / "MNIST").is_dir(), reason="MNIST is not in ../shared/data")
def test_the_shipped_weights_misread_the_mnist_digits_that_the_card_counts(
    model: Model, evaluation: dict[str, Any]
):
    """All that it says were misread, and a twentieth of the others."""
    digits = load_mnist(REAL, "test")
    places = np.union1d(evaluation["misread"], np.arange(0, 10_000, 20)).astype(int)
    answers = model.predict(digits.images.numpy()[places] / np.float32(255)).argmax(1)
    assert places[answers != digits.labels.numpy()[places]].tolist() == evaluation["misread"]


@pytest.mark.skipif(not (REAL / "MNIST").is_dir(), reason="MNIST is not in ../shared/data")
def test_routing_iterations_change_as_many_answers_as_the_card_says(model: Model, evaluation: dict[str, Any]):
    """Of what was misread with three, which another number may read, and a hundredth of the others."""
    digits, rows = load_mnist(REAL, "test"), evaluation["iterations"]["rows"]
    assert [row["iterations"] for row in rows] == list(range(1, 11))
    assert rows[2]["wrong"] == evaluation["wrong"]
    assert rows[2]["same"] == 1
    assert rows[2]["winner"] == pytest.approx(evaluation["calibration"]["length"], abs=1e-5)
    places = np.arange(0, 10_000, 100)
    traces = [model.trace(digits.images.numpy()[place] / np.float32(255), 10) for place in places]
    ordered = np.sort([trace.lengths for trace in traces], axis=2)
    for r in range(10):  # a hundred digits of ten thousand
        assert ordered[:, r, -1].mean() == pytest.approx(rows[r]["winner"], abs=0.03)
        assert ordered[:, r, -2].mean() == pytest.approx(rows[r]["runner_up"], abs=0.06)
        other = sum(trace.lengths[r].argmax() != trace.prediction for trace in traces)
        assert other <= 3
        assert rows[r]["same"] > 0.99


@pytest.mark.skipif(not (REAL / "MNIST").is_dir(), reason="MNIST is not in ../shared/data")
@pytest.mark.parametrize(("kind", "amount"), [("rotated", 30), ("noised", 0.2)])
def test_the_shipped_weights_misread_as_many_changed_digits_as_the_card_counts(
    model: Model, evaluation: dict[str, Any], kind: str, amount: float
):
    (point,) = [p for p in evaluation["curves"][kind]["points"] if p["amount"] == amount]
    digits = load_mnist(REAL, "test")
    places = np.arange(point["images"]) * (10_000 // point["images"])
    k = CHANGES[kind][1].index(amount)
    images = digits.images.numpy()[places] / np.float32(255)
    changed = change(images, kind, amount, default_rng([SEED, k]))
    wrong = (model.predict(changed).argmax(1) != digits.labels.numpy()[places]).sum()
    # Another machine adds up in another order, and a few digits lie between two answers.
    assert wrong == pytest.approx(point["wrong"], abs=2)


@pytest.mark.skipif(not STROKES.is_file(), reason="the recorded drawings are not in ../shared/data")
def test_the_shipped_weights_misread_the_recorded_drawings_that_the_card_counts(
    model: Model, evaluation: dict[str, Any]
):
    """The first of them: which ones are misread, not only how many."""
    kept = evaluation["drawings"]
    assert hashlib.sha256(STROKES.read_bytes()).hexdigest() == kept["file_sha256"]
    found = read_drawings(model.predict, read_strokes(STROKES)[: 5 * FEW], threshold=0)
    for now, row in zip(found["widths"], kept["widths"], strict=True):
        assert now["misread"] == [k for k in row["misread"] if k < 5 * FEW]


# --- what it says ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "nothing else"),
        ({"others": 0.06}, "scribbles as none of them"),
        ({}, "MNIST alone"),
        ({"synthetic": 0.2}, "made-up ones"),
        ({}, "a hand’s slant"),
        ({"augment": True}, "15 degrees"),
    ],
)
def test_limits_follow_from_the_training(settings: dict[str, float], said: str):
    assert sum(said in limit for limit in limits({"settings": settings})) == 1


def test_limits_count_what_the_weights_started_from():
    settings = {"epochs": 3, "start_from": "ab"}
    card = {"settings": settings, "started_from": [{"epochs": 14, "synthetic": 0.2, "augment": True}]}
    text = " ".join(limits(card))
    assert "made-up ones" in text
    assert "15 degrees" in text
    text = departures(card)
    assert "| one training | 2, each from the weights of the one before |" in text
    assert "| number of epochs not given | 14 + 3 |" in text
    assert earlier_epochs(card) == all_epochs(card) - 3 == 14


def test_trainings_side_by_side_are_counted_and_told_apart(card: dict[str, Any]):
    """The shipped weights are the mean of the fifth training's and of two that both began with those."""
    said = departures(card)
    assert (
        "| one training | 7, each from the weights of the one before; those side by side from the same"
        in said
    )
    assert "not given | 14 + 30 + 20 + 14 + 24 + (10 and 10 side by side, then the mean of 3) |" in said
    assert (side_by_side(card), earlier_epochs(card), all_epochs(card)) == (2, 102, 122)
    pairs = weights.load_card(weights.locate("overlap.mnist"))  # which began with these
    said = departures(pairs)
    assert "| 9, each from" in said
    assert "24 + (10 and 10 side by side, then the mean of 3) + 100 + 105 |" in said
    assert (side_by_side(pairs), earlier_epochs(pairs), all_epochs(pairs)) == (1, 222, 327)
    part = {"trainings": [{"epochs": 4, "start_from": "x"}, {"epochs": 5}]}
    apart = {"epochs": 6, "start_from": "y", "averaged": [{"trainings": []}, part, {"trainings": []}]}
    said = departures({"settings": apart})
    assert "| 3, some of them side by side, the others" in said
    assert "| (4 + 5 and 6 side by side, then the mean of 3) |" in said


def test_the_card_names_the_command_of_every_training(card: dict[str, Any]):
    first = {"epochs": 14, "batch_size": 128, "seed": 0, "learning_rate": 0.001, "final_learning_rate": 1e-05}
    second = {**first, "seed": 2, "augment": True, "others": 0.08, "pool": 9000, "start_from": "1st"}
    third = {**card["settings"], "start_from": "2nd"}
    table = card_table({**card, "settings": third, "started_from": [first, second]})
    said = "python -m capsviz train --data DIR --out DIR --epochs 14 --batch-size 128 --seed "
    rates = "--learning-rate 0.001 --final-learning-rate 1e-05"
    assert (
        f"| Started from | weights with the SHA-256 `2nd`, made by `{said}2 {rates} --others 0.08 --pool 9000 "
        "--augment --start-from WEIGHTS` |" in table
    )
    assert f"| Before that | weights with the SHA-256 `1st`, made by `{said}0 {rates}` |" in table
    # What it names can be run.
    words = command(second).replace("WEIGHTS", "capsnet-mnist").split()[3:]
    parsed = build_parser().parse_args(words)
    assert (parsed.seed, parsed.others, parsed.pool, parsed.augment) == (2, 0.08, 9000, True)


def test_the_card_says_that_weights_are_a_mean(card: dict[str, Any]):
    settings = {**card["settings"], "start_from": "1st", "average_start": True}
    settings.pop("averaged", None)  # of the shipped weights: another kind of mean
    mean = {**card, "settings": settings, "started_from": [card["settings"]], "validation_error": 0.0024}
    table = card_table(mean)
    assert "| Weights | the mean of those started from and those trained to |" in table
    assert re.search(
        r"\| Validation error \| 0\.24%, margin loss 0\.00\d+, of the mean; no epoch was picked \|", table
    )
    assert "their mean with those that the last training began with" in departures(mean)
    words = command(settings).replace("WEIGHTS", "capsnet-mnist").split()[3:]
    assert build_parser().parse_args(words).average_start
    assert "mean" not in departures({**card, "settings": {**settings, "average_start": False}})


def test_the_card_says_how_far_the_parts_of_a_mean_are_apart(card: dict[str, Any]):
    """From a mean of 0.6 % they are 0.2, 0.1 and 0.3 away: the root of 0.14 over two."""
    parts = [
        {"sha256": "ab", "validation_error": 0.01, "test_error": error, "trainings": []}
        for error in (0.004, 0.005, 0.009)
    ]
    table = card_table({**card, "settings": {**card["settings"], "averaged": parts}})
    assert "| Parts, test error | 0.60% on average, standard deviation 0.26% |" in table


def test_a_part_of_a_mean_was_made_by_its_last_training(card: dict[str, Any]):
    first = {"epochs": 14, "batch_size": 128, "seed": 4, "learning_rate": 0.001, "final_learning_rate": 1e-05}
    part = {"sha256": "ab", "validation_error": 0.01, "test_error": 0.02}
    parts = [{**part, "trainings": [first, {**first, "seed": 5}]}, {**part, "trainings": []}]
    table = card_table({**card, "settings": {**card["settings"], "averaged": parts}})
    said = "SHA-256 `ab`, validation error 1.00%, test error 2.00%"
    assert f"| Part 1 | {said}, made by `{command({**first, 'seed': 5})}` |" in table
    assert f"| Part 2 | {said} |" in table


def test_limits_say_how_badly_turned_digits_are_read(evaluation: dict[str, Any]):
    changed = deepcopy(evaluation)
    for point in changed["curves"]["rotated"]["points"]:
        point["error_rate"] = {-45: 0.3, 45: 0.5}.get(point["amount"], 0)
    assert "misreads 40% of those turned by 45 degrees" in " ".join(limits({"settings": {}}, changed))


def test_limits_say_how_badly_noisy_digits_are_read(evaluation: dict[str, Any]):
    changed = deepcopy(evaluation)
    for point in changed["curves"]["noised"]["points"]:
        point["error_rate"] = 0.7 if point["amount"] == 0.2 else 0
    assert (
        "misreads 70% of digits with noise of standard deviation 0.2" in limits({"settings": {}}, changed)[-1]
    )
    changed["curves"]["noised"]["points"][-1]["error_rate"] = 0.4
    card = {"settings": {"noise": 0.0}, "started_from": [{"noise": 0.3}, {}]}
    said = limits(card, changed)[-1]
    assert "with noise on at most a quarter of the pictures, of a standard deviation of up to 0.3" in said
    assert "misreads 40% of digits with noise of standard deviation 0.5" in said


def test_the_card_says_that_there_was_noise(card: dict[str, Any]):
    assert NOISY == 0.25  # the quarter of which it speaks
    noisy = {**card, "settings": {**card["settings"], "augment": True, "noise": 0.3}}
    assert (
        "shifts of up to 2 pixels; noise on a quarter, of a standard deviation of up to 0.3 |"
        in card_table(noisy)
    )
    assert "| clean images | noise on a quarter of them" in departures(noisy)
    words = command(noisy["settings"]).split()[3:]
    assert build_parser().parse_args(words).noise == 0.3
    assert "noise" not in card_table(card) + departures(card)


def test_tables_state_the_figures(evaluation: dict[str, Any]):
    changed = {**deepcopy(evaluation), "wrong": 31, "error_rate": 0.0031, "interval": (0.00218, 0.0044)}
    changed["unsure"]["digits"] = {"images": 5000, "below": 0.0094, "misread": 17}
    changed["unsure"]["kinds"][0] = {"kind": "letters", "images": 300, "below": 0.913}
    text = measured_tables(changed)
    assert "| MNIST, test error | 0.31% (95% interval 0.22% to 0.44%): 31 of 10,000 |" in text
    assert "0.9% of 5,000 (17 of these 47 misread)" in text
    assert "| Unsure: letters | 91.3% of 300 |" in text
    rows = changed["iterations"]["rows"]
    assert "10,000 test digits, by routing iterations:\n\n| | 1 | 2 | 3 |" in text
    assert f"| Error | {rows[0]['wrong'] / 100:.2f}% | {rows[1]['wrong'] / 100:.2f}% | 0.30% |" in text
    assert f"| Same answer as trained | {100 * rows[0]['same']:.2f}% |" in text
    assert f" {rows[8]['winner']:.3f} | {rows[9]['winner']:.3f} |\n| Second longest |" in text
    assert "| Recorded drawings | 2,993, each rendered with pens of four widths, by 77 writers" in text
    del changed["drawings"]
    assert "Recorded" not in measured_tables(changed)


def test_a_learning_rate_that_stays_is_not_said_to_fall(card: dict[str, Any]):
    assert ", cosine to 1e-06 |" in card_table(card)
    stays = {**card, "settings": {**card["settings"], "learning_rate": 0.002, "final_learning_rate": 0.002}}
    table = card_table(stays)
    assert "Adam, 0.002 after 200 steps of warm-up (a tenth of a short run), the same to the end |" in table
    assert "cosine" not in table


def test_a_card_without_measurements_has_none(card: dict[str, Any]):
    text = card_markdown(card)
    assert "measured" not in text
    assert "evaluation" not in text
    assert "## Known limits" in text


# --- networks of other kinds ----------------------------------------------------------------------------


def of(card: dict[str, Any], name: str, **settings: Any) -> dict[str, Any]:
    """The card as if it were another network's, of one training alone."""
    kept = {key: value for key, value in card["settings"].items() if key not in ("averaged", "start_from")}
    spec = find(name)
    return {
        **{key: value for key, value in card.items() if key != "started_from"},
        **{"name": spec.name, "paper": spec.source.paper, "parameters": 1_573_168},
        "settings": {**kept, "iterations": 1, "network": spec.name, "batch_size": 128, **settings},
    }


def test_a_card_of_attention_says_what_differs_from_its_paper(card: dict[str, Any]):
    other = of(card, "attention", epochs=30)
    text = card_markdown(other)
    assert "CapsNet of arXiv:2101.12491, 1,573,168 parameters, 1,411,344 of them the decoder’s" in text
    assert "self-attention routing in one pass" in text
    assert "| batches of 16 | of 128 |" in text
    assert "| 150 epochs | 30 |" in text
    assert "best test error" in departures(other)
    assert "161,824; with the decoder’s 1,411,344" in departures(other)
    assert "4 × 4 erased | turned, scaled" in departures(other)
    assert "4 × 4 erased | shifted by up to 2 pixels" in departures(of(card, "attention", augment=False))
    assert "4 × 4 erased | as they are" in departures(of(card, "attention", augment=False, shift=0))
    same = {"augment": False, "shift": 0, "learning_rate": 0.002, "final_learning_rate": 0.002}
    plain = departures(of(card, "dynamic.mnist", **same))
    assert "| images shifted by up to 2 pixels | as they are |" in plain
    assert "exponentially | one that warms up, then stays until" in plain
    assert "| as they are |" not in departures(of(card, "dynamic.mnist", augment=False))
    assert "follows a cosine" in departures(of(card, "dynamic.mnist"))
    assert "iterations" not in text
    assert r"\|v_k\|" in loss(other)
    with speaking("de"):  # a bare comma would be one between two numbers
        assert r"0{,}9 - \|v_k\|" in loss(other)
        assert not re.search(r"\d[.,]\d", loss(other).split("$$")[1])
    assert r"0.9 - \|v_k\|" in loss(other)
    assert "The loss is the paper’s" not in loss(other)


def test_a_card_of_letters_says_whose_they_are(card: dict[str, Any]):
    text = card_markdown(of(card, "letters"))
    assert "UNIPEN train_r01_v07" in text
    assert "CC BY 4.0" in text
    assert "26 letters" in text
    assert "49,365 of UNIPEN" in text
    assert "digit" not in text.partition("## Known limits")[2].partition("## Training")[0]
    assert "CC BY" not in card_markdown(of(card, "attention"))


def test_a_card_of_a_plain_network_speaks_of_probabilities(card: dict[str, Any], evaluation: dict[str, Any]):
    measured = {key: value for key, value in evaluation.items() if key != "iterations"}
    measured["score"] = "probability"
    for name, size in (("cnn", "142,474"), ("cnn-decoder", "161,824")):
        text = card_markdown(of(card, name), measured)
        assert "with the highest probability" not in text
        assert "where the highest probability is below" in text
        assert "Calibration of the highest probability" in text
        assert "cross-entropy 0.0" in text
        assert f"161,824 parameters without the decoder | {size} |" in text
        assert "equally probable" in limits(of(card, name, others=0.06), measured)[0]
        limits_said = " ".join(limits(of(card, name), measured))
        assert not [word for word in ("longest", "length", "capsule", "all below 0.1") if word in limits_said]
        assert "by routing iterations" not in text
        assert r"\log" in loss(of(card, name))
        assert ("reconstruction" in loss(of(card, name))) == (name == "cnn-decoder")
        assert ("equally probable" in loss(of(card, name, others=0.06))) is True
        assert "equally probable" not in loss(of(card, name, others=0.0))
        assert "equally probable" in departures(of(card, name, others=0.06, synthetic=0.0))
        assert "equally probable" not in departures(of(card, name, others=0.0, synthetic=0.2))
    assert "16 without bound" in departures(of(card, "cnn-decoder"))
    assert "16 without bound" not in departures(of(card, "cnn"))


def test_a_plain_network_of_pairs_is_set_against_the_capsules_of_pairs():
    """9 x 9 kernels on 36 x 36 leave 28, with stride 2 10 places a side of 32 capsules; the parameters by the formula."""
    plain = weights.load_card(weights.locate("cnn.overlap"))
    said = departures(plain)
    assert "| The capsule network that it is set against (overlap.mnist) | Here |" in said
    assert (
        "| convolutions of 256 maps and 9 × 9 pixels | those of the CapsNet of arXiv:2101.12491, the" in said
    )
    assert "| 3,200 capsules of 8 numbers, their votes and dynamic routing | one dense layer on 128" in said
    size = 256 * 82 + 256 * (256 * 81 + 1) + 3200 * 10 * 128
    assert f"| {size:,} parameters without the decoder | {plain['parameters']:,} |" in said
    assert "attention" not in said
    assert "161,824" not in said


def test_a_copy_of_the_data_is_explained(card: dict[str, Any]):
    pairs = weights.load_card(weights.locate("overlap.mnist"))
    assert "not its original bytes (a copy of MNIST’s pictures with another checksum" in card_table(pairs)
    assert "a copy of MNIST’s" not in card_table({**pairs, "data": "MNIST"})
    assert "a copy of MNIST’s" not in card_table(card)


# --- the file of measurements ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "have not been measured"),
        (b"", "damaged"),
        (b"\xff", "damaged"),
        (b"[]", "damaged"),
        (b"7", "damaged"),
        (b'{"sha256": "x"}', "damaged"),
        (b'{"sha256": 5}', "sha256"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"sha256": NaN}', "NaN"),
    ],
    ids=lambda value: repr(value[:16]) if value else "none",
)
def test_missing_or_damaged_measurements(
    content: bytes | None, said: str, card: dict[str, Any], tmp_path: Path
):
    path = tmp_path / "net.safetensors"
    if content is not None:
        (tmp_path / "net.evaluation.json").write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        weights.load_evaluation(path, card)
    reference.assert_one_sentence(caught.value, said, tmp_path / "net.evaluation.json", "evaluate", "--save")


@pytest.mark.parametrize("key", ["unsure", "curves", "calibration", "made_up", "iterations"])
def test_measurements_of_another_form(
    key: str, card: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path
):
    (tmp_path / "net.evaluation.json").write_text(json.dumps({**evaluation, key: [7]}))
    with pytest.raises(WeightsError, match="damaged"):
        weights.load_evaluation(tmp_path / "net.safetensors", card)


def test_a_single_measurement_of_another_form_is_named(
    card: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path
):
    changed = deepcopy(evaluation)
    changed["unsure"]["digits"]["below"] = "few"
    (tmp_path / "net.evaluation.json").write_text(json.dumps(changed))
    with pytest.raises(WeightsError) as caught:
        weights.load_evaluation(tmp_path / "net.safetensors", card)
    reference.assert_one_sentence(caught.value, "damaged", "unsure.digits.below", "“few”", "--save")


def test_the_tables_say_what_was_measured_on(evaluation: dict[str, Any]):
    other = evaluation | {"data": "MNIST test set (t10k-images-idx3-ubyte: not its own)"}
    assert "| MNIST test set (t10k-images-idx3-ubyte: not its own), error | 0.30%" in measured_tables(other)
    assert "| MNIST, test error | 0.30%" in measured_tables(evaluation)


def test_the_spread_of_the_parts_is_that_of_a_sample(card: dict[str, Any]):
    """Of 0.1%, 0.2% and 0.6%: 0.3% on average, the root of 14/2 of 0.1% around it."""
    parts = [
        {"sha256": "a" * 64, "validation_error": 0.0, "test_error": error, "trainings": []}
        for error in (0.001, 0.002, 0.006)
    ]
    table = card_table({**card, "settings": {**card["settings"], "averaged": parts}})
    assert "| Parts, test error | 0.30% on average, standard deviation 0.26% |" in table


def test_departures_count_what_is_held_out(card: dict[str, Any], tiny_network: Spec):
    assert "| 60,000 images of MNIST | 55,000: the rest is held out" in departures(card)
    other = card | {"settings": card["settings"] | {"network": tiny_network.name}}
    assert "| 60,000 images of MNIST | 300 of Shapes: the rest is held out" in departures(other)


def test_measurements_of_other_weights(card: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path):
    (tmp_path / "net.evaluation.json").write_text(json.dumps({**evaluation, "sha256": "0" * 64}))
    with pytest.raises(WeightsError) as caught:
        weights.load_evaluation(tmp_path / "net.safetensors", card)
    reference.assert_one_sentence(caught.value, "on other weights", "--save")


def test_saved_measurements_come_back_with_a_card_that_states_them(
    card: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path
):
    name = tmp_path / "net.safetensors"
    assert weights.save_evaluation(name, card, evaluation) == tmp_path / "net.evaluation.json"
    assert weights.load_evaluation(name, card) == evaluation
    assert (tmp_path / "net.md").read_text("utf-8") == card_markdown(card, evaluation)


def test_measuring_again_without_drawings_keeps_those_of_the_same_weights(
    card: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path
):
    name = tmp_path / "net.safetensors"
    weights.save_evaluation(name, card, evaluation)
    without = {key: value for key, value in evaluation.items() if key != "drawings"}
    weights.save_evaluation(name, card, {**without, "wrong": 7})
    kept = weights.load_evaluation(name, card)
    assert (kept["wrong"], kept["drawings"]) == (7, evaluation["drawings"])
    newer = {**evaluation, "drawings": {**evaluation["drawings"], "writers": 3}}
    weights.save_evaluation(name, card, newer)
    assert weights.load_evaluation(name, card)["drawings"]["writers"] == 3
    other = {**card, "sha256": "0" * 64}
    weights.save_evaluation(name, other, {**without, "sha256": "0" * 64})
    assert "drawings" not in weights.load_evaluation(name, other)


def test_measurements_of_another_version(card: dict[str, Any], evaluation: dict[str, Any], tmp_path: Path):
    (tmp_path / "net.evaluation.json").write_text(json.dumps({**evaluation, "format": 0}))
    with pytest.raises(WeightsError) as caught:
        weights.load_evaluation(tmp_path / "net.safetensors", card)
    reference.assert_one_sentence(caught.value, "another version", "--save")


def test_a_sample_is_not_kept(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert main(["evaluate", "--data", str(tmp_path), "--device", "cpu", "--limit", "9", "--save"]) == 2
    reference.assert_one_sentence(capsys.readouterr().err.strip(), "--save", "--limit")
