"""All networks side by side: the figures of their cards, in the page's table, as text, in the README and for programs."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from capsviz import list_networks
from capsviz.__main__ import main
from capsviz.figures.comparison import COLUMNS, TIMED, cells, networks_table, networks_text
from capsviz.models.comparison import Entry, as_json, entries, entry
from capsviz.models.size import Size
from capsviz.models.weights import available
from capsviz.networks.base import find

README = Path(__file__).resolve().parents[1] / "README.md"
CARD = {
    "test_error": 0.0123,
    "device": "cpu",
    "settings": {"epochs": 3},
    "log": [{"seconds": 3000.0}, {"seconds": 4000.4}, {"seconds": 80.0}],
}
MEASURED = {
    "error_rate": 0.0125,
    "interval": [0.0101, 0.0155],
    "calibration": {"ece": 0.0305},
    "drawings": {"drawings": 9, "writers": 7, "rate": 0.98765, "interval": [0.97, 0.9911], "confusion": []},
}


def of(name: str, card: Mapping[str, Any] = CARD, measured: Mapping[str, Any] | None = MEASURED) -> Entry:
    spec = find(name)
    parts = {"trunk": Size(141_184, 30_109_824), "rest": Size(1_290, 1_280)}
    if spec.shape.pose:
        parts["decoder"] = Size(1_411_344, 1_409_024)
    return Entry(spec, card, measured, parts)


def test_a_row_says_what_the_files_say() -> None:
    row = cells(of("cnn-decoder"), milliseconds=2.345)
    assert tuple(row) == TIMED or set(row) == set(TIMED)
    assert row["network"][:2] == ("Plain CNN with decoder, digits", "cnn.decoder.mnist")
    assert row["parameters"][:2] == ("142,474", "1,553,818 with decoder")
    assert row["multiplyAdds"][:2] == ("30.1 M", "+ 1.4 M to redraw")
    assert row["error"][:2] == ("1.25%", "1.01% to 1.55%, MNIST")
    # The third digit is that of 0.98765, not of 98.8.
    assert row["drawings"][:2] == ("98.77%", "97.0% to 99.1%, 7 people’s")
    assert row["calibration"][1] == "of probabilities"
    assert row["milliseconds"].figure == "2.3"
    assert row["training"][:2] == ("1 h 58 min", "3 epochs, cpu")  # 7,080 seconds
    assert row["source"].figure == "0.40%"  # 99.60% right
    assert cells(of("overlap.mnist"))["source"].figure == "5.2%"
    assert "a twin of 173,000 parameters" in row["source"].below
    assert row["source"].link == "https://arxiv.org/abs/2101.12491"


def test_a_row_leaves_open_what_was_not_measured() -> None:
    before = {**CARD, "settings": {"epochs": 3}, "started_from": [{"epochs": 14}, {"epochs": 5}]}
    row = cells(of("letters", before, None))
    assert row["error"][:2] == ("1.23%", "UNIPEN")  # of the card
    assert row["drawings"].figure == row["calibration"].figure == row["milliseconds"].figure == "–"
    assert row["training"].below == "the last 3 of 22 epochs, cpu"
    part = {"trainings": [{"epochs": 3}]}
    mean = {**before, "settings": {"epochs": 4, "averaged": [part, {"trainings": []}]}}
    assert (
        cells(of("cnn", mean))["training"].below
        == "the last 4 of 26 epochs; 2 trainings ran side by side, cpu"
    )
    assert row["source"][:2] == ("architecture: arXiv:2101.12491", "")  # nothing is published of letters
    assert cells(of("letters"))["calibration"].below == "of lengths"
    assert cells(of("overlap.mnist"))["error"].below == "1.01% to 1.55%, MNIST, pairs not read as both"
    short = {**CARD, "log": [{"seconds": 61.0}]}
    assert cells(of("cnn", short))["training"].figure == "1 min"
    assert (
        cells(of("cnn", {**CARD, "log": [{"seconds": 21.3}, {"seconds": 1.5}]}))["training"].figure == "23 s"
    )
    assert cells(of("cnn", {**CARD, "log": [{"seconds": 59.6}]}))["training"].figure == "1 min"
    assert cells(of("cnn", {**CARD, "log": [{"seconds": 0.2}]}))["training"].figure == "1 s"
    assert cells(of("cnn", {**CARD, "log": [{"seconds": 3725.0}]}))["training"].figure == "1 h 02 min"
    assert cells(of("cnn"))["parameters"][:2] == ("142,474", "no decoder")
    assert cells(of("cnn"))["multiplyAdds"].below == ""


def test_drawings_that_are_the_test_set_are_told_once() -> None:
    drawn = {key: value for key, value in MEASURED["drawings"].items() if key != "confusion"}
    row = cells(of("letters", measured={**MEASURED, "drawings": drawn}))
    assert row["error"][:2] == ("1.25%", "1.01% to 1.55%, UNIPEN, 7 people’s")
    assert row["drawings"][:2] == ("–", "are the test set")


def test_the_table_marks_the_chosen_network_and_escapes() -> None:
    both = [of("cnn"), of("attention")]
    html = networks_table(both, "attention.mnist", {})
    rows = re.findall("<tr.*?</tr>", html)
    assert [("aria-current" in row) for row in rows] == [False, False, True]
    assert html.count('<th scope="col">') == len(COLUMNS)
    assert networks_table(both, "", {"cnn.mnist": 1.0}).count('<th scope="col">') == len(TIMED)
    heads = re.findall('<th scope="col">(.*?)</th>', html)
    assert re.findall('data-column="(.*?)"', rows[1]) == heads[1:]
    own = replace(both[0], spec=replace(both[0].spec, title="<b>me & you</b>"))
    assert "&lt;b&gt;me &amp; you&lt;/b&gt;" in networks_table([own], "", {})


def test_text_stands_in_columns() -> None:
    lines = networks_text([of("cnn"), of("attention")]).splitlines()
    assert len(lines) == 4
    assert len({len(line) for line in lines}) == 1
    assert [place for place, sign in enumerate(lines[0]) if sign == "|"] == [
        place for place, sign in enumerate(lines[3]) if sign == "|"
    ]
    assert "ms here" not in lines[0]
    assert "ms here" in networks_text([of("cnn")], {"cnn.mnist": 3.0})


def test_programs_get_the_same_figures() -> None:
    found = as_json(of("attention"), 3.14159)
    assert (found["parameters"], found["parameters_with_decoder"]) == (142_474, 1_553_818)
    assert (found["multiply_adds"], found["multiply_adds_with_decoder"]) == (30_111_104, 31_520_128)
    assert (found["error_rate"], found["interval"], found["ece"]) == (0.0125, [0.0101, 0.0155], 0.0305)
    assert found["drawings"] | {"confusion": []} == MEASURED["drawings"]
    assert found["training"] == {"seconds": 7080.4, "epochs": 3, "all_epochs": 3, "device": "cpu"}
    assert found["source"]["accuracy"] == "99.74%"
    assert found["milliseconds"] == 3.14
    nothing = as_json(of("letters", measured=None))
    assert nothing["error_rate"] is nothing["ece"] is nothing["drawings"] is None
    assert nothing["source"]["accuracy"] is None
    assert "milliseconds" not in nothing


def test_the_command_prints_all_networks_that_are_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found] == available() == list(list_networks())
    shipped = found[0]
    assert (shipped["error_rate"], shipped["parameters_with_decoder"]) == (0.003, 8_215_568)
    assert main(["networks"]) == 0
    assert capsys.readouterr().out == networks_text(entries()) + "\n"


def test_the_readme_has_the_table_that_the_command_prints() -> None:
    """Whatever is shipped; as long as the README says that figures are to come, not all of its rows."""
    text = README.read_text("utf-8")
    rows = {tuple(row) for row in _rows(text) if row[0].endswith(")") and len(row) == len(COLUMNS)}
    printed = [_rows(networks_text([entry(name)]))[-1] for name in available()]
    assert rows
    assert rows <= {tuple(row) for row in printed}
    assert "TODO-FIGURES" in text or len(rows) == len(printed)


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
