"""Figures of an evaluation: what they plot is what was measured."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from capsviz.figures import evaluation


@pytest.fixture
def result() -> dict[str, Any]:
    """A result made by hand: two sevens in ten read as ones, one drawing in four wrong."""
    counts = np.diag([10] * 10)
    counts[7, 7], counts[7, 1] = 1_008, 2
    point = {"images": 100, "wrong": 4, "error_rate": 0.04, "interval": (0.02, 0.09)}
    return {
        "images": 1_100,
        "wrong": 2,
        "error_rate": 2 / 1_100,
        "interval": (0.0005, 0.0066),
        "confusion": counts.tolist(),
        "calibration": {
            "bins": [
                {
                    "low": 0.5,
                    "high": 0.55,
                    "images": 4,
                    "length": 0.52,
                    "accuracy": 0.75,
                    "interval": (0.3, 0.95),
                },
                {
                    "low": 0.9,
                    "high": 0.95,
                    "images": 100,
                    "length": 0.93,
                    "accuracy": 1.0,
                    "interval": (0.96, 1),
                },
            ],
            "length": 0.914,
            "accuracy": 0.9904,
            "ece": 0.076,
        },
        "unsure": {
            "threshold": 0.42,
            "digits": {"images": 5, "below": 0.0},
            "others": {"images": 5, "below": 0.8},
            "below": {"length": [0.0, 0.5, 1.0], "digits": [0, 0.1, 1], "others": [0, 0.8, 1]},
        },
        "curves": {
            "rotated": {"unit": "degrees", "points": [{"amount": -10, **point}, {"amount": 0, **point}]}
        },
        "drawings": {
            "drawings": 1_234,
            "writers": 7,
            "rate": 0.75,
            "interval": (0.5, 0.9),
            "unsure": 0.25,
            "widths": [{"width": 8, "rate": 0.75, "interval": (0.5, 0.9)}],
            "confusion": np.eye(10, dtype=int).tolist(),
        },
    }


def test_confusion_colours_mistakes_alone_and_writes_all_counts(result: dict[str, Any]):
    figure = evaluation.confusion_figure(result["confusion"])
    (heat,) = figure.data
    assert heat.z[7][1] == 2
    assert all(heat.z[digit][digit] is None for digit in range(10))
    assert (heat.zmin, heat.zmax) == (0, 2)
    assert evaluation.confusion_figure(np.eye(10, dtype=int).tolist()).data[0].zmax == 1
    written = {(note.y, note.x): note.text for note in figure.layout.annotations}
    assert (written[7, 7], written[7, 1]) == ("1,008", "2")
    assert (7, 2) not in written
    assert figure.layout.yaxis.range == (9.5, -0.5)  # zero in the first row
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("read as", "digit")


def test_calibration_plots_accuracy_over_length(result: dict[str, Any]):
    ideal, points = evaluation.calibration_figure(result["calibration"]).data
    assert (list(ideal.x), list(ideal.y)) == ([0, 1], [0, 100])
    assert (list(points.x), list(points.y)) == ([0.52, 0.93], [75, 100])
    assert "0.076" in points.name
    small, large = points.marker.size
    assert small < large
    np.testing.assert_allclose(points.error_y.array, [20, 0], atol=1e-9)
    np.testing.assert_allclose(points.error_y.arrayminus, [45, 4], atol=1e-9)
    assert evaluation.calibration_figure({"bins": [], "ece": 0}).layout.xaxis.title.text


def test_curves_have_intervals_around_each_rate(result: dict[str, Any]):
    figure = evaluation.curve_figure("rotated", result["curves"]["rotated"])
    (curve,) = figure.data
    assert (list(curve.x), list(curve.y)) == ([-10, 0], [4, 4])
    np.testing.assert_allclose(curve.error_y.array, 5)
    np.testing.assert_allclose(curve.error_y.arrayminus, 2)
    assert figure.layout.xaxis.title.text == "rotated, degrees"
    long = evaluation.curve_figure(
        "noised", {**result["curves"]["rotated"], "unit": "a unit of many more words"}
    )
    assert long.layout.xaxis.title.text == "noised, a unit of many more words"
    longer = evaluation.curve_figure(
        "noised", {**result["curves"]["rotated"], "unit": "a unit of words on two lines"}
    )
    assert longer.layout.xaxis.title.text == "noised, a unit of words on two<br>lines"


def test_drawings_are_plotted_by_width(result: dict[str, Any]):
    (curve,) = evaluation.drawings_figure(result["drawings"]).data
    assert (list(curve.x), list(curve.y)) == ([8], [75])
    np.testing.assert_allclose([curve.error_y.array[0], curve.error_y.arrayminus[0]], [15, 25])


def test_unsure_shows_both_shares_and_the_threshold(result: dict[str, Any]):
    figure = evaluation.unsure_figure(result["unsure"])
    digits, others, limit = figure.data
    np.testing.assert_allclose(digits.y, [0, 10, 100])
    np.testing.assert_allclose(others.y, [0, 80, 100])
    assert (list(limit.x), list(limit.y)) == ([0.42, 0.42], [0, 100])
    assert limit.name == "unsure below 0.42"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "confusion",
            "MNIST’s 1,100 test digits were read as which: 2 wrong, 0.18% (95% interval 0.05% to 0.66%)",
        ),
        ("drawings-confusion", "1,234 drawings were read as which, each counted once for each of 1 pens"),
        ("drawings", "1,234 drawings by 7 people"),
        (
            "unsure",
            "below 0.42: 0.0% of 5 test digits are, 25.0% of people’s drawings, and 80.0% of 5 letters",
        ),
        ("calibration", "0.914 on average, with 99.04% right"),
        ("rotated", "100 test digits turned"),
    ],
)
def test_the_words_beside_a_figure_say_how_many_were_measured(result: dict[str, Any], name: str, said: str):
    assert said in evaluation.EVALUATION[name].says(result)


def test_all_figures_are_named_and_what_was_not_measured_is_left_out(result: dict[str, Any], tmp_path: Path):
    names = ["confusion", "calibration", "unsure", "rotated", "drawings", "drawings-confusion"]
    assert list(evaluation.evaluation_figures(result)) == names
    del result["drawings"]
    written = evaluation.write_figures(result, tmp_path / "new" / "folder")
    assert [path.stem for path in written] == names[:4]
    assert all(path.stat().st_size > 1e6 for path in written)  # Plotly itself is inside
