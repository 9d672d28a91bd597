"""Evaluation: statistics by hand, known pictures changed, and the command from end to end."""

import errno
import gzip
import json
import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import reference
import torch
from numpy.random import default_rng

from capsviz.__main__ import main
from capsviz.errors import CapsvizError
from capsviz.inputs import data
from capsviz.inputs.data import DataSet
from capsviz.inputs.strokes import Drawing, random_digit
from capsviz.measures import evaluate
from capsviz.measures.changes import CHANGES, change, curves
from capsviz.measures.drawings import by_width, others, read_drawings
from capsviz.measures.statistics import calibration, confusion, error, interval, iterations, wilson
from capsviz.measures.unsure import apart, unsure, unsure_below
from capsviz.models.card import routing_measured
from capsviz.models.facts import parse_evaluation
from capsviz.models.model import Model
from capsviz.networks.cnn import cnn


def lengths(*answers: tuple[int, float]) -> np.ndarray:
    """Lengths [N, 10] whose longest is the given one; all others are 0.01."""
    made = np.full((len(answers), 10), 0.01)
    for row, (digit, length) in zip(made, answers, strict=True):
        row[digit] = length
    return made


# --- statistics -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "total", "low", "high"),
    [
        # The bounds p solve (p - wrong/total)^2 = z^2 p (1 - p) / total; those at the ends in closed form.
        (0, 10, 0, 1.959964**2 / (10 + 1.959964**2)),
        (10, 10, 10 / (10 + 1.959964**2), 1),
        (1, 10, 0.01787, 0.40415),
        (42, 10_000, 0.003110, 0.005672),
    ],
)
def test_wilson_interval(wrong: int, total: int, low: float, high: float):
    assert wilson(wrong, total) == pytest.approx((low, high), rel=1e-3, abs=1e-12)
    for bound in wilson(wrong, total):
        deviation = (bound - wrong / total) ** 2
        assert deviation == pytest.approx(1.959964**2 * bound * (1 - bound) / total, abs=1e-12)


def test_wilson_knows_nothing_of_nothing():
    assert wilson(0, 0) == (0, 1)


def test_interval_of_independent_terms_is_that_of_wilson():
    right = np.array([1.0] * 90 + [0.0] * 10)
    alone = interval(right, ["one"] * 100)
    assert alone == wilson(90, 100)
    low, high = interval(right, [str(k) for k in range(100)])
    assert (low, high) == pytest.approx(wilson(90, 100), abs=0.02)
    assert low <= alone[0]
    assert high >= alone[1]


def test_interval_is_wider_where_one_writer_makes_all_mistakes():
    """Ten writers of ten drawings; one has all ten wrong. The share of wrong is Binomial(10, 1/10) / 10."""
    right = np.array([0.0] * 10 + [1.0] * 90)
    low, high = interval(right, [str(k // 10) for k in range(100)])
    assert low == pytest.approx(0.7, abs=0.001)  # P(more than 3 of 10) = 0.013, P(more than 2) = 0.07
    assert high == 1
    assert interval(right, [str(k // 10) for k in range(100)]) == (low, high)


def test_interval_leaves_a_fortieth_on_either_side():
    """Forty writers, half of them always right: Binomial(40, 1/2), P(<= 13) = 0.019 and P(<= 14) = 0.040."""
    right = np.repeat([0.0, 1.0], 200)
    low, high = interval(right, [str(k // 10) for k in range(400)])
    assert low == pytest.approx(14 / 40)
    assert high == pytest.approx(26 / 40)


def test_interval_of_none_or_all_counts_groups_not_terms():
    """19 drawings of 4 pens each: Wilson's of 0 of 19 is 0 to z² / (19 + z²) = 3.8415 / 22.8415 = 16.8%."""
    drawings = [str(k // 4) for k in range(76)]
    assert interval(np.zeros(76), drawings) == pytest.approx((0, 0.16818), abs=1e-5)
    assert interval(np.ones(76), drawings) == pytest.approx((1 - 0.16818, 1), abs=1e-5)
    assert interval(np.zeros(4), ["one"] * 4) == pytest.approx((0, 3.841459 / 4.841459), abs=1e-5)
    assert (
        interval(np.array([1.0] + [0.0] * 75), drawings)[1] < 0.16818
    )  # one of them leaves it to the bootstrap


def test_errors_are_counted():
    counted = error(lengths((3, 0.9), (5, 0.8), (5, 0.7), (1, 0.2)), np.array([3, 5, 6, 1]))
    assert (counted["images"], counted["wrong"], counted["error_rate"]) == (4, 1, 0.25)
    assert counted["interval"] == wilson(1, 4)
    assert error(np.empty((0, 10)), np.empty(0))["error_rate"] == 0


def test_confusion_counts_answers_in_the_row_of_the_truth():
    counts = np.array(confusion(np.array([7, 7, 7, 1]), np.array([7, 1, 1, 1]), 10))
    assert counts[7, 7] == 1
    assert counts[7, 1] == 2
    assert counts[1, 1] == 1
    assert counts.sum() == 4


def test_calibration_by_hand():
    found = calibration(
        lengths((1, 0.95), (1, 0.93), (1, 0.55), (1, 1.0)), labels=np.array([1, 1, 2, 1]), bins=10
    )
    low, high = found["bins"]
    assert (low["low"], low["high"], low["images"], low["accuracy"]) == (0.5, 0.6, 1, 0)
    assert low["length"] == pytest.approx(0.55)
    assert (high["low"], high["high"], high["images"], high["accuracy"]) == (0.9, 1.0, 3, 1)
    assert high["length"] == pytest.approx(0.96)
    # Wilson's interval at its ends, with z^2 = 3.8415: z^2 / (n + z^2) and n / (n + z^2).
    assert low["interval"] == pytest.approx((0, 3.8415 / 4.8415), abs=1e-4)
    assert high["interval"] == pytest.approx((3 / 6.8415, 1), abs=1e-4)
    assert found["ece"] == pytest.approx((1 * 0.55 + 3 * 0.04) / 4)
    assert found["length"] == pytest.approx((0.95 + 0.93 + 0.55 + 1) / 4)
    assert found["accuracy"] == 0.75
    nothing = calibration(np.empty((0, 10)), np.empty(0))
    assert nothing == {"length": 0, "accuracy": 0, "bins": [], "ece": 0}


def test_iterations_by_hand():
    """Three images after 1, 2 and 3 iterations: 4, 4, 1, then 4, 5, 1, then 4, 5, 5; the truth is 4, 5, 1."""
    after = np.stack(
        [
            lengths((4, 0.2), (4, 0.4), (1, 0.6)),
            lengths((4, 0.5), (5, 0.4), (1, 0.6)),
            lengths((4, 0.9), (5, 0.8), (5, 0.7)),
        ]
    )
    after[2, :, 0] = [0.1, 0.3, 0.5]  # the second longest
    after[2, :, 9] = 0.05
    found = iterations(after, np.array([4, 5, 1]), trained=2)
    assert found["trained"] == 2
    rows = found["rows"]
    assert [row["iterations"] for row in rows] == [1, 2, 3]
    assert [row["images"] for row in rows] == [3, 3, 3]
    assert [row["wrong"] for row in rows] == [1, 0, 1]
    assert [row["error_rate"] for row in rows] == pytest.approx([1 / 3, 0, 1 / 3])
    assert rows[1]["interval"] == wilson(0, 3)
    assert [row["same"] for row in rows] == pytest.approx([2 / 3, 1, 2 / 3])
    assert [row["winner"] for row in rows] == pytest.approx([0.4, 0.5, 0.8])
    assert [row["runner_up"] for row in rows] == pytest.approx([0.01, 0.01, 0.3])
    nothing = iterations(np.empty((2, 0, 10)), np.empty(0), trained=1)["rows"]
    assert [(row["images"], row["same"], row["winner"]) for row in nothing] == [(0, 0, 0)] * 2


def test_what_routing_changes_is_one_sentence_with_its_numbers():
    """With one iteration against those of training, here two: not against the last of all."""
    row = {"images": 12_345, "same": 0.1, "winner": 0.99, "runner_up": 0.98}
    rows = [
        {**row, "same": 0.98766, "winner": 0.444, "runner_up": 0.036},
        {**row, "same": 1.0, "winner": 0.936, "runner_up": 0.054},
        row,
    ]
    said = routing_measured({"kind": "digit", "iterations": {"trained": 2, "rows": rows}})
    reference.assert_one_sentence(said, "12,345 test digits 98.77%", "1 iteration as with 2", "answer")
    assert "from 0.44 to 0.94" in said
    assert "from 0.04 to 0.05" in said
    for same, share in ((1.0, "100.00%"), (0.99999, "99.99%"), (0.9999, "99.99%"), (0.99985, "99.98%")):
        rows[0]["same"] = same
        assert f" {share} get " in routing_measured(
            {"kind": "digit", "iterations": {"trained": 2, "rows": rows}}
        )
    assert routing_measured(None) == routing_measured({}) == routing_measured({"wrong": 3}) == ""


# --- pictures -------------------------------------------------------------------------------------------


@pytest.fixture
def spot() -> np.ndarray:
    """A soft spot 6 pixels right of the middle and 3 above it, [1, 28, 28]."""
    grid = np.arange(28) - 13.5
    return np.exp(-((grid - 6) ** 2 + (grid[:, None] + 3) ** 2) / 4).astype(np.float32)[None]


def centre(image: np.ndarray) -> np.ndarray:
    """(x, y) from the middle."""
    grid = np.arange(28) - 13.5
    return np.array([image[0].sum(0) @ grid, image[0].sum(1) @ grid]) / image.sum()


def test_rotation_turns_to_the_left(spot: np.ndarray):
    turned = change(spot, "rotated", 90, default_rng(0))
    np.testing.assert_allclose(centre(turned), [-3, -6], atol=0.05)  # right goes up, up goes left


def test_scaling_moves_away_from_the_middle(spot: np.ndarray):
    np.testing.assert_allclose(centre(change(spot, "scaled", 1.4, default_rng(0))), [8.4, -4.2], atol=0.05)
    np.testing.assert_allclose(centre(change(spot, "scaled", 0.5, default_rng(0))), [3, -1.5], atol=0.05)


def test_shifts_go_as_far_as_asked_in_many_directions(spot: np.ndarray):
    moved = change(spot.repeat(40, 0), "shifted", 4, default_rng(0))
    ways = np.array([centre(image[None]) for image in moved]) - (6, -3)
    np.testing.assert_allclose(np.hypot(*ways.T), 4, atol=0.1)
    assert (ways > 2).any(0).all()
    assert (ways < -2).any(0).all()


def test_noise_has_the_deviation_asked_for():
    grey = np.full((20, 28, 28), 0.5, np.float32)
    noisy = change(grey, "noised", 0.1, default_rng(0))
    assert noisy.dtype == np.float32
    assert noisy.std() == pytest.approx(0.1, rel=0.03)
    assert change(grey, "noised", 2, default_rng(0)).min() == 0


@pytest.mark.parametrize("kind", CHANGES)
def test_every_curve_has_a_point_without_change(kind: str, spot: np.ndarray):
    amounts = CHANGES[kind][1]
    nothing = 1 if kind == "scaled" else 0
    assert nothing in amounts
    np.testing.assert_allclose(change(spot, kind, nothing, default_rng(0)), spot, atol=1e-5)


def test_curves_hold_the_error_at_every_amount(spot: np.ndarray):
    """A reader that says 1 as long as the spot is right of the middle, and 0 otherwise."""

    def predict(images: np.ndarray) -> np.ndarray:
        return lengths(*((int(centre(image[None])[0] > 0), 0.9) for image in images))

    found = curves(predict, spot.repeat(3, 0), np.array([1, 1, 0]))
    wrong = {p["amount"]: p["wrong"] for p in found["rotated"]["points"]}
    assert wrong[0] == wrong[10] == wrong[-60] == 1  # the one that is labelled 0
    assert wrong[60] == 1  # 60 + 27 degrees: just still on the right
    assert found["rotated"]["unit"] == "degrees to the left"
    assert all(p["images"] == 3 for curve in found.values() for p in curve["points"])


# --- drawings -------------------------------------------------------------------------------------------


def test_drawings_are_read_with_four_pens_and_refusals_are_wrong():
    """Three lines and a dense scribble, which the app refuses, to a reader that always says 1."""
    stick = [np.array([[0, 0], [0, 1.0]])]
    scribble = [np.array([[k % 2, k / 40] for k in range(41)], float)]
    drawings = [Drawing(1, stick), Drawing(7, stick), Drawing(1, stick), Drawing(1, scribble)]
    shown: list[np.ndarray] = []

    def predict(images: np.ndarray) -> np.ndarray:
        shown.append(images)
        return lengths(*[(1, 0.9)] * len(images))

    found = read_drawings(predict, drawings, threshold=0.5)
    assert [row["width"] for row in found["widths"]] == [8, 12, 18, 26]
    for row in found["widths"]:
        assert (row["drawings"], row["right"], row["refused"], row["rate"]) == (4, 2, 1, 0.5)
        assert row["interval"][0] <= wilson(2, 4)[0]
        assert row["misread"] == [1, 3]
        assert row["unsure"] == 0
    assert (found["drawings"], found["writers"]) == (4, 0)
    assert found["rate"] == 0.5
    assert found["confusion"][7][1] == 4
    assert found["confusion"][1][1] == 8
    first = shown.copy()
    shown.clear()
    by_two = [drawing._replace(writer="ab"[k % 2]) for k, drawing in enumerate(drawings)]
    again = read_drawings(predict, by_two, threshold=0.95)
    assert again["writers"] == 2
    assert again["unsure"] == again["widths"][0]["unsure"] == 0.75  # the refused one got no answer at all
    assert again["interval"] == (0, 1)  # one of the two has all right, the other all wrong
    assert all(np.array_equal(a, b) for a, b in zip(first, shown, strict=True))


def test_drawings_are_shown_in_the_networks_size():
    """The same drawings, smaller: in the same order, at the same places, of the same proportions."""
    sizes = []

    def predict(images: np.ndarray) -> np.ndarray:
        sizes.append(images.shape)
        return lengths(*[(1, 0.9)] * len(images))

    read_drawings(predict, [Drawing(1, [np.array([[0, 0], [0.4, 1.0]])])], threshold=0.5, size=20)
    assert sizes == [(1, 20, 20)] * 4
    for small, large in zip(others(2, size=20).values(), others(2).values(), strict=True):
        assert (small.shape, large.shape) == ((2, 20, 20), (2, 28, 28))
        np.testing.assert_allclose(small.mean(axis=(1, 2)), large.mean(axis=(1, 2)), atol=0.05)


def test_what_was_answered_all_the_same_is_told_kind_by_kind():
    """A reader for which the second thing of each kind is as long as a digit."""

    def predict(images: np.ndarray) -> np.ndarray:
        if len(images) == 50:
            return lengths(*[(4, 0.8)] * 50)
        return lengths((4, 0.1), (4, 0.8), (4, 0.79))

    images, labels = np.zeros((50, 28, 28), np.float32), np.array([4] * 49 + [9])
    found = unsure(predict, images, labels, threshold=0.8, others=others(3))
    assert found["threshold"] == 0.8
    assert found["digits"] == {"images": 50, "below": 0, "misread": 0}
    assert [kind["answered"] for kind in found["kinds"]] == [[1]] * 6
    assert found["kinds"][0]["below"] == found["others"]["below"] == pytest.approx(2 / 3)


def test_of_two_a_capsule_is_unsure_below_where_both_mistakes_are_as_frequent():
    there, absent = np.array([0.9, 0.3, 0.7, 0.5, 0.8]), np.array([0.1, 0.6, 0.2, 0.4, 0.05])
    # Below 0.5 lies 0.3, above it 0.6: one of each. At 0.3 none would be missed and two claimed.
    assert apart(there, absent) == pytest.approx(0.5)
    assert apart(there, absent / 10) == pytest.approx(0.3)  # clear of each other: none of either
    assert apart(there, there + 0.05) == pytest.approx(0.8)  # most are longer: missed 3, claimed 2
    assert apart(there, there + 1) == pytest.approx(0.9)  # all are longer: as many are missed as can be
    assert apart(np.empty(0), np.empty(0)) == 0


def test_unsure_is_below_what_all_but_eight_in_a_thousand_of_the_digits_reach():
    """Digits of lengths 0.001 to 0.2 in steps of 0.001; other things at 0.0025."""

    def predict(images: np.ndarray) -> np.ndarray:
        if images.ndim == 1:
            return lengths(*((4, float(length)) for length in images))
        return np.full((len(images), 10), 0.0025)

    digits = 0.2 * np.arange(1, 201) / 200
    assert unsure_below(digits) == pytest.approx(0.002)  # one of 200 is shorter; two would be too many
    labels = np.array([4] * 199 + [9])
    labels[1] = 0  # the second shortest is no 4
    found = unsure(predict, digits + 0.5, labels, threshold=0.5025, others=others(3))
    assert found["digits"] == {"images": 200, "below": 0.01, "misread": 1}
    assert found["others"] == {"images": 18, "below": 1}
    assert [kind["images"] for kind in found["kinds"]] == [3] * 6
    assert all(kind["below"] == 1 and kind["answered"] == [] for kind in found["kinds"])
    below = found["below"]
    assert below["length"][50] == 0.5
    assert below["digits"][60] == pytest.approx(0.5, abs=0.01)
    assert below["digits"][0] == below["others"][0] == 0
    assert below["others"][1] == 1


def test_drawings_are_counted_by_width_and_by_writer():
    """Three drawings by two people with four pens; -1 is what the app would refuse."""
    stick = [np.array([[0, 0], [0, 1.0]])]
    drawings = [Drawing(0, stick, "a"), Drawing(1, stick, "a"), Drawing(2, stick, "b")]
    answers = np.array([[0, 1, 2], [0, 1, 0], [1, 1, -1], [0, 0, 0]])
    highest = np.array([[0.9, 0.9, 0.9], [0.9, 0.2, 0.9], [0.3, 0.9, 0.0], [0.9, 0.9, 0.9]])
    found = by_width(answers, highest, drawings, 3, threshold=0.5)
    assert [row["width"] for row in found["widths"]] == [8, 12, 18, 26]
    assert [row["right"] for row in found["widths"]] == [3, 2, 1, 1]
    assert [row["refused"] for row in found["widths"]] == [0, 0, 1, 0]
    assert [row["misread"] for row in found["widths"]] == [[], [2], [0, 2], [1, 2]]
    assert [row["unsure"] for row in found["widths"]] == pytest.approx([0, 1 / 3, 1 / 3, 0])
    assert (found["drawings"], found["writers"], found["rate"]) == (3, 2, pytest.approx(7 / 12))
    assert found["unsure"] == pytest.approx(1 / 6)
    assert found["confusion"] == [[3, 1, 0], [1, 3, 0], [2, 0, 1]]
    # Of two people one has six of eight right, the other one of four: a resample has a quarter at the least.
    assert found["interval"][0] <= 0.25
    assert found["interval"][1] >= 0.75


# --- networks of other kinds ----------------------------------------------------------------------------


class Plain:
    """A network of two classes without capsules, that reads the middle pixel; all that ``evaluate`` asks of one."""

    def __init__(self, folder: Path) -> None:
        """Six drawings by three people, of each four pictures; of the last drawing the last picture is empty."""
        stick = [np.array([[0, 0], [0, 1.0]])]
        self.drawings = [Drawing(k % 2, stick, "abc"[k // 2]) for k in range(6)]
        labels = np.repeat([k % 2 for k in range(6)], 4)
        images = np.full((24, 28, 28), 40, np.uint8)
        images[:, 14, 14] = 55 + 200 * labels
        images[[4, 8], 14, 14] = 55, 255  # read as the other one, with the first pen
        images[23] = 0
        digits = data.Digits(torch.from_numpy(images), torch.from_numpy(labels))
        held = DataSet(
            *("Sticks", ("left", "right"), {"train": 9, "test": 24}, 3, False),
            *(lambda folder, half: digits, lambda folder, half: ""),
            drawings=lambda folder: self.drawings,
        )
        self.spec = cnn("plain.sticks", "Plain CNN, sticks", held)
        self.shape = self.spec.shape
        self.card, self.device, self.sha256 = {"unsure_below": 0.75}, "cpu", "0" * 64

    def predict(self, images: np.ndarray) -> np.ndarray:
        right = np.where(images[:, 14, 14] > 0.5, 0.8, 0.3)
        return np.stack([1 - right, right], axis=1)


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    return Plain(tmp_path)


def test_a_network_that_does_not_iterate_is_measured_on_drawings_by_their_widths(
    plain: Plain, tmp_path: Path
):
    result = evaluate.evaluate(cast(Model, plain), tmp_path)
    assert "iterations" not in result
    assert (result["score"], result["images"], result["wrong"]) == ("probability", 24, 3)
    assert result["misread"] == [4, 8, 23]
    assert result["confusion"] == [[11, 1], [2, 10]]
    # 11 + 10 at 0.7 or 0.8 right, and three wrong: by hand from the two bins that there are.
    bins = {row["low"]: (row["images"], row["accuracy"]) for row in result["calibration"]["bins"]}
    assert {round(low, 2): count for low, (count, _) in bins.items()} == {0.7: 13, 0.8: 11}
    drawn = result["drawings"]
    assert [row["right"] for row in drawn["widths"]] == [4, 6, 6, 5]
    assert [row["refused"] for row in drawn["widths"]] == [0, 0, 0, 1]
    assert (drawn["drawings"], drawn["writers"], drawn["rate"]) == (6, 3, 21 / 24)
    assert "confusion" not in drawn
    assert "file" not in drawn
    assert result["interval"] == pytest.approx((1 - drawn["interval"][1], 1 - drawn["interval"][0]))
    assert result["interval"][1] > wilson(3, 24)[1] - 1e-9  # pictures of one person are not independent
    kept = json.loads(json.dumps(result))
    assert parse_evaluation(kept, plain.spec) == kept
    said = evaluate.summary(result)
    assert "the highest probability is 0.7" in said
    assert "- probability 0.80 to 0.85" in said
    assert not [word for word in ("length", "longest", "iteration", "digit") if word in said]
    assert "drawings, pen of 26 pixels: correct 83.33%" in said


def test_of_drawings_a_limit_takes_all_pictures_or_none(plain: Plain, tmp_path: Path):
    result = evaluate.evaluate(cast(Model, plain), tmp_path, limit=9)
    assert result["images"] == 8
    assert result["misread"] == []  # of the first and the fourth: none of the pictures that are misread
    assert result["drawings"]["drawings"] == 2
    assert evaluate.evaluate(cast(Model, plain), tmp_path, limit=1)["images"] == 4


def test_drawings_of_a_file_take_the_place_of_the_test_set_s(plain: Plain, tmp_path: Path):
    """What is said of the test set stays: its error is by its own writers."""
    file = tmp_path / "some.jsonl"
    row = {"label": "left", "strokes": [[[0, 0], [0, 1]]]}
    file.write_text("\n".join(json.dumps(row) for _ in range(2)))
    without = evaluate.evaluate(cast(Model, plain), tmp_path)
    result = evaluate.evaluate(cast(Model, plain), tmp_path, strokes=file)
    assert (result["drawings"]["file"], result["drawings"]["drawings"], result["drawings"]["writers"]) == (
        "some.jsonl",
        2,
        0,
    )
    assert result["interval"] == without["interval"]
    assert parse_evaluation(json.loads(json.dumps(result)), plain.spec)


# --- the command ----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MNIST shrunk to eight digits to choose by and seven to test on, and two drawings."""
    monkeypatch.setattr(data, "SIZES", {"train": 8, "test": 7})
    monkeypatch.setattr(evaluate, "OTHERS", 2)
    monkeypatch.setattr(evaluate, "MADE_UP", 3)
    reference.write_mnist(tmp_path, 8, 7)
    rng = default_rng(0)
    entries = [
        {"label": digit, "strokes": [s.tolist() for s in random_digit(rng, digit).strokes]}
        for digit in (2, 8)
    ]
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    (tmp_path / "some.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


@pytest.mark.slow
def test_command_measures_everything(folder: Path, capsys: pytest.CaptureFixture[str]):
    out, figures = folder / "result.json", folder / "new" / "figures"
    arguments = ["--strokes", str(folder / "some.jsonl.gz"), "--json", str(out), "--figures", str(figures)]
    assert main(["evaluate", "--data", str(folder), "--device", "cpu", *arguments]) == 0
    printed = capsys.readouterr().out
    result = json.loads(out.read_text())
    assert result["images"] == 7
    assert result["wrong"] == len(result["misread"])
    assert np.sum(result["confusion"]) == 7
    assert np.trace(result["confusion"]) == 7 - result["wrong"]
    assert f"{result['wrong']} of 7 wrong" in printed
    words = [line.split() for line in printed.splitlines()]
    for digit, row in enumerate(result["confusion"]):
        assert [str(digit), *map(str, row)] in words
    for row in result["calibration"]["bins"]:
        assert (
            f"{row['low']:.2f} to {row['high']:.2f}: {row['accuracy']:.1%} of {row['images']} right"
            in printed
        )
    assert [row["width"] for row in result["drawings"]["widths"]] == [8, 12, 18, 26]
    assert "drawings, all pens" in printed
    assert result["made_up"]["widths"][0]["drawings"] == 3
    assert "made-up digits, all pens" in printed
    assert result["unsure"]["others"]["images"] == 12
    rows = result["iterations"]["rows"]
    assert result["iterations"]["trained"] == 3
    assert [row["iterations"] for row in rows] == list(range(1, 11))
    assert rows[2]["wrong"] == result["wrong"]
    assert rows[2]["same"] == 1
    assert rows[2]["winner"] == pytest.approx(result["calibration"]["length"], abs=1e-5)
    assert rows[0]["winner"] < rows[2]["winner"] < rows[9]["winner"]
    assert "Of 7 test digits" in printed
    assert f"10 iterations: {rows[9]['wrong']} wrong, {rows[9]['same']:.2%} as trained" in printed
    assert set(result["curves"]) == {"rotated", "shifted", "scaled", "noised"}
    written = {path.stem for path in figures.iterdir()}
    assert written == {
        *("confusion", "calibration", "unsure", "rotated", "shifted", "scaled", "noised"),
        *("drawings", "drawings-confusion"),
    }
    for path in figures.iterdir():
        page = path.read_text()
        assert "Plotly.newPlot" in page
        assert '<script src="http' not in page  # it must open without a network


@pytest.mark.slow
def test_command_with_a_limit(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["evaluate", "--data", str(folder), "--device", "cpu", "--limit", "3", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["images"] == 3
    # Of the digits 0 to 6, evenly spaced.
    assert np.flatnonzero(np.sum(result["confusion"], axis=1)).tolist() == [0, 2, 4]
    assert result["unsure"]["digits"]["images"] == 3
    assert {row["images"] for row in result["iterations"]["rows"]} == {3}
    assert result["curves"]["scaled"]["points"][0]["images"] == 3
    assert "drawings" not in result
    assert all(math.isfinite(bin_["accuracy"]) for bin_ in result["calibration"]["bins"])


@pytest.mark.slow
def test_command_prints_what_it_measured_before_a_full_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    out = folder / "result.json"
    out.write_text("kept")

    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert main(["evaluate", "--data", str(folder), "--device", "cpu", "--json", str(out)]) == 2
    said = capsys.readouterr()
    assert "of 7 wrong" in said.out
    reference.assert_one_sentence(said.err.splitlines()[-1], "stands above", "No space left", "make room")
    assert out.read_text() == "kept"


@pytest.mark.parametrize(
    ("option", "where"), [("--json", ""), ("--json", "none/result.json"), ("--figures", "file")]
)
def test_a_place_to_write_to_is_looked_at_before_measuring(
    option: str, where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").touch()
    where = str(tmp_path / where)
    assert main(["evaluate", "--data", str(tmp_path), "--device", "cpu", option, where]) == 2
    reference.assert_one_sentence(capsys.readouterr().err.strip(), where, option)


@pytest.mark.parametrize("content", ["{", '{"label": 12}'])
def test_command_with_broken_strokes(folder: Path, content: str, capsys: pytest.CaptureFixture[str]):
    path = folder / "broken.jsonl"
    path.write_text(content)
    assert main(["evaluate", "--data", str(folder), "--device", "cpu", "--strokes", str(path)]) == 2
    reference.assert_one_sentence(capsys.readouterr().err.rstrip("\n"), "capsviz: Line 1 of", path)


def test_command_with_files_that_are_not_mnist(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(data, "SIZES", {"train": 8, "test": 10})
    assert main(["evaluate", "--data", str(folder), "--device", "cpu"]) == 2
    message = capsys.readouterr().err.rstrip("\n").splitlines()[-1]
    reference.assert_one_sentence(message, "7 x 28 x 28 pixels and 7 labels up to 6", "10 x 28 x 28")


def test_command_with_empty_mnist_files(folder: Path, capsys: pytest.CaptureFixture[str]):
    reference.write_mnist(folder, 8, 0)
    assert main(["evaluate", "--data", str(folder), "--device", "cpu"]) == 2
    message = capsys.readouterr().err.rstrip("\n").splitlines()[-1]
    reference.assert_one_sentence(message, "capsviz: ", folder, "delete that folder")


@pytest.mark.parametrize("limit", [0, -1, 2.5, True, "3", [3], pytest.param(-(10**5000), id="huge")])
def test_a_limit_is_a_whole_number_above_zero(model: Model, folder: Path, limit: Any):
    with pytest.raises(CapsvizError) as caught:
        evaluate.evaluate(model, folder, limit=limit)
    reference.assert_one_sentence(caught.value, "whole number from 1")
