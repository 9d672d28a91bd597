"""Figures of an evaluation: what they plot is what was measured."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from capsviz.figures import chart_table, chart_words, evaluation, training_figure
from capsviz.figures.charts import figure_of
from capsviz.figures.growth import Curve, gathered, overlap_figure
from capsviz.models.rates import wilson


@pytest.fixture
def result() -> dict[str, Any]:
    """A result made by hand: two sevens in ten read as ones, one drawing in four wrong."""
    counts = np.diag([10] * 10)
    counts[7, 7], counts[7, 1] = 1_008, 2
    point = {"images": 100, "wrong": 4, "error_rate": 0.04, "interval": (0.02, 0.09)}
    return {
        "kind": "digit",
        "classes": list("0123456789"),
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
    assert (written[7, 7], written[7, 1]) == ("1008", "2")
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
    assert figure.layout.xaxis.title.text == "rotated, degrees to the left"
    long = evaluation.curve_figure("noised", result["curves"]["rotated"])
    assert long.layout.xaxis.title.text == "noised, standard deviation, black<br>being 0 and white 1"
    # A line has 34 characters; a word goes to the next one whole.
    for title, lines in (
        ("noised, a unit of many more words", 1),
        ("noised, a unit of words on two lines", 2),
    ):
        assert figure_of([], title, "y").layout.xaxis.title.text.count("<br>") == lines - 1


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
    assert said in evaluation.measurements(result, "MNIST")[name].says


def test_of_pairs_what_is_confused_are_single_digits(result: dict[str, Any]):
    result["pairs"] = {"spread": {"pairs": 5, "bins": []}}
    confused = evaluation.measurements(result, "MNIST, two digits over each other")["confusion"]
    assert confused.title == "Single digits"
    assert confused.says.startswith(
        "Which of MNIST’s 1,100 test digits, each by itself, were read as which: 2 "
    )


def test_all_figures_are_named_and_what_was_not_measured_is_left_out(result: dict[str, Any], tmp_path: Path):
    names = ["confusion", "calibration", "unsure", "rotated", "drawings", "drawings-confusion"]
    assert list(evaluation.evaluation_figures(result)) == names
    del result["drawings"]
    written = evaluation.write_figures(result, tmp_path / "new" / "folder")
    assert [path.stem for path in written] == names[:4]
    assert all(path.stat().st_size > 1e6 for path in written)  # Plotly itself is inside


def table(html: str) -> list[list[str]]:
    """The cells of a table, row by row."""
    return [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", html, re.DOTALL)
    ]


def test_a_confusions_table_has_a_row_for_each_digit(result: dict[str, Any]):
    result["confusion"][2][5] = 31
    figure = evaluation.confusion_figure(result["confusion"])
    rows = table(chart_table(figure, "MNIST"))
    assert rows[0] == ["digit ↓, read as →", *"0123456789"]
    assert [row[0] for row in rows[1:]] == [*"0123456789"]
    assert rows[1 + 7][1 + 7] == "1,008"
    assert (rows[1 + 7][1 + 1], rows[1 + 1][1 + 7]) == ("2", "0")
    assert (rows[1 + 2][1 + 5], rows[1 + 5][1 + 2]) == ("31", "0")
    assert sum(int(cell.replace(",", "")) for row in rows[1:] for cell in row[1:]) == 1_131
    assert chart_words(figure, "MNIST") == "MNIST: a row for each digit, a column for each it was read as"


def test_a_curves_table_has_its_intervals_and_its_numbers_of_images(result: dict[str, Any]):
    figure = evaluation.curve_figure("rotated", result["curves"]["rotated"])
    html = chart_table(figure, "Turned")
    assert table(html) == [
        ["rotated, degrees to the left", "error, %", "95% interval"],
        ["−10", "4", "2 to 9"],
        ["0", "4", "2 to 9"],
    ]
    assert "<summary>Turned in numbers</summary>" in html
    assert chart_words(figure, "Turned") == "Turned: error, %, by rotated, degrees to the left"
    assert table(chart_table(evaluation.calibration_figure(result["calibration"]), "Calibration")) == [
        ["length of the longest capsule", "measured (mean distance 0.076)", "95% interval", "images"],
        ["0.52", "75", "30 to 95", "4"],
        ["0.93", "100", "96 to 100", "100"],
    ]
    # The limit is a line to compare with; no digits were measured at it.
    assert table(chart_table(evaluation.unsure_figure(result["unsure"]), "Unsure")) == [
        ["length of the longest capsule", "digits", "no digits"],
        ["0", "0", "0"],
        ["0.5", "10", "80"],
        ["1", "100", "100"],
    ]


def test_a_table_leaves_open_what_a_curve_does_not_have():
    log = [
        {"epoch": 1, "train_error": 0.1, "validation_error": 0.02},
        {"epoch": 2, "train_error": 0.031237, "validation_error": 0.0000123},
    ]
    assert table(chart_table(training_figure(log, test_error=0.005), "Errors")) == [
        ["epoch", "training (augmented images)", "validation (5,000 held out)", "test (10,000)"],
        ["1", "10", "2", ""],
        ["2", "3.124", "0.00123", "0.5"],
    ]
    figure = training_figure(log[:1])
    figure.add_scatter(x=[3, 2], y=[7, -8], name="later")
    assert [[row[0], row[-1]] for row in table(chart_table(figure, "Errors"))] == [
        ["epoch", "later"],
        ["1", ""],
        ["2", "−8"],
        ["3", "7"],
    ]


def test_every_chart_of_an_evaluation_has_a_name_and_a_table(result: dict[str, Any]):
    for name, figure in evaluation.evaluation_figures(result).items():
        assert len(table(chart_table(figure, name))) > 1
        assert chart_words(figure, name).startswith(f"{name}: ")
    assert "&lt;b&gt; in numbers" in chart_table(figure, "<b>")


def test_curves_of_each_kind_are_named_and_counted(result: dict[str, Any]):
    made = evaluation.evaluation_figures(result)
    assert made["rotated"].layout.xaxis.title.text == "rotated, degrees to the left"
    assert made["drawings-confusion"].data[0].z[0][1] == 0  # of people's drawings, not of MNIST's
    assert {note.text for note in made["drawings-confusion"].layout.annotations} == {"1"}
    widths = result["drawings"]["widths"]
    widths.append({"width": 18, "rate": 0.9, "interval": (0.85, 0.97)})
    (curve,) = evaluation.drawings_figure(result["drawings"]).data
    assert (list(curve.x), list(curve.y)) == ([8, 18], [75, 90])
    np.testing.assert_allclose(curve.error_y.array, [15, 7])
    np.testing.assert_allclose(curve.error_y.arrayminus, [25, 5])
    says = evaluation.measurements(result, "MNIST")["drawings"].says
    assert "with pens of 2 widths. All: 75.00% (95% interval 50.00% to 90.00%)" in says
    result["drawings"]["writers"] = 0
    assert evaluation.measurements(result, "MNIST")["drawings"].says.startswith(
        "1,234 drawings, at random sizes"
    )


def test_a_large_point_is_many_digits(result: dict[str, Any]):
    points = evaluation.calibration_figure(result["calibration"]).data[1]
    # Areas beside a smallest point of 8 pixels: 4 digits of 100 have a fifth of the diameter.
    np.testing.assert_allclose(points.marker.size, [8 + 22 / 5, 30])
    assert list(points.customdata) == [4, 100]
    figure = evaluation.confusion_figure(result["confusion"])
    assert (figure.layout.yaxis.scaleanchor, figure.layout.xaxis.range) == ("x", (-0.5, 9.5))
    assert figure.layout.dragmode is False  # a finger scrolls the page


def test_probabilities_are_not_called_lengths(result: dict[str, Any]):
    result["score"] = "probability"
    made = evaluation.evaluation_figures(result)
    said = [measurement.says for measurement in evaluation.measurements(result, "MNIST").values()]
    for figure in made.values():
        said += [str(figure.layout.xaxis.title.text), str(figure.layout.yaxis.title.text)]
        said += [f"{trace.name} {trace.hovertemplate}" for trace in figure.data]
    assert not [text for text in said if "length" in text or "longest" in text or "capsule" in text]
    assert made["calibration"].layout.xaxis.title.text == made["unsure"].layout.xaxis.title.text
    assert made["calibration"].layout.xaxis.title.text == "highest probability"
    says = evaluation.measurements(result, "MNIST")
    assert "0.914 on average, with 99.04% right" in says["calibration"].says
    assert "its probability is below 0.42: 0.0% of 5 test digits are" in says["unsure"].says


def test_drawings_of_the_test_set_are_confused_as_it_is(result: dict[str, Any]):
    del result["drawings"]["confusion"], result["unsure"]["others"]
    assert "drawings-confusion" not in evaluation.evaluation_figures(result)
    says = evaluation.measurements(result, "UNIPEN")
    assert "drawings-confusion" not in says
    assert says["drawings"].says.startswith("1,234 drawings by 7 people")
    assert says["unsure"].says.endswith("below 0.42: 0.0% of 5 test digits are.")


def test_few_pairs_are_counted_with_the_next() -> None:
    """Of 5, 30, 12, 9, 21 and 19 pairs in tenths, of which the third has none: 35, 21, and 21 with the last 19."""
    counts, wrong, lows = [5, 30, 12, 9, 21, 19], [1, 3, 3, 3, 7, 7], [0, 1, 3, 4, 5, 6]
    rows = [
        {"low": low / 10, "high": (low + 1) / 10, "pairs": n, "error_rate": k / n, "interval": wilson(k, n)}
        for n, k, low in zip(counts, wrong, lows, strict=True)
    ]
    found = gathered(rows)
    assert [(row["low"], row["high"], row["pairs"]) for row in found] == [
        (0, 0.2, 35),
        (0.3, 0.5, 21),
        (0.5, 0.7, 40),
    ]
    assert [row["error_rate"] for row in found] == [4 / 35, 6 / 21, 14 / 40]
    assert [row["interval"] for row in found] == [wilson(4, 35), wilson(6, 21), wilson(14, 40)]
    assert gathered(rows[1:2]) == rows[1:2]
    assert [row["pairs"] for row in gathered(rows[1::4])] == [49]  # the last of two to the first
    assert gathered(rows[:1]) == rows[:1]  # there is nothing to put it to
    assert [row["pairs"] for row in gathered([{**rows[0], "pairs": 20}, rows[1]])] == [20, 30]
    assert gathered([]) == []


def test_the_figure_of_overlap_has_a_curve_of_each_with_its_intervals() -> None:
    row = {"low": 0.2, "high": 0.3, "pairs": 1200, "error_rate": 0.25, "interval": (0.2, 0.32)}
    curves = [Curve("one", [row]), Curve("again", [row], pairs=1), Curve("other", [row], network=1)]
    first, again, other = overlap_figure(curves).data
    assert (list(first.x), list(first.y)) == ([pytest.approx(25)], [25])
    assert (first.error_y.array[0], first.error_y.arrayminus[0]) == (pytest.approx(7), pytest.approx(5))
    assert first.customdata[0] == 1200
    assert "1,200" in chart_table(overlap_figure(curves), "Overlap")
    assert list(overlap_figure(curves).layout.xaxis.ticktext) == ["20–30: 1,200"]
    assert first.line.color == again.line.color != other.line.color
    assert first.line.dash == other.line.dash != again.line.dash
