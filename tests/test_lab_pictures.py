"""The Lab's pictures: what there is to take along, room for every word, and points where the numbers say."""

from typing import Any

import numpy as np
import pytest
from test_slides import assert_room

from capsviz.app import lab_files, lab_found, measured_files, session
from capsviz.app.lab_files import lab_slide, offer
from capsviz.figures.claims import claim_figure
from capsviz.figures.comparison import Cell
from capsviz.figures.slides.measured import charts_slide, table_slide
from capsviz.measures.claims import Curve, Found
from capsviz.measures.price import Cost, points
from capsviz.measures.samples import Measured, Of
from capsviz.models.model import Model, load_model
from capsviz.texts import languages, speaking

RATE = Measured(0.25, 0.1, 0.4, 76, 19)
SAMPLE = Of("examples", 76, 19)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    """A network of which claims were tried and routing was measured."""
    made = load_model(device="cpu")
    measured = dict.fromkeys(
        ["once", "long", "wrongOnce", "wrong", "changed", "before", "after", "fall", "read", "ink", "own"],
        RATE,
    )
    numbers = {"trained": 3, "most": 50, "alarms": 5.0, "others": 200, "size": 28}
    curve = Curve("", (1, 5, 10), [RATE] * 3)
    kept: Any = {
        "fewAnswers": Found(measured, numbers, curves=[curve]),
        "polarises": Found(measured, numbers, curves=[curve]),
        "absent": Found(measured, numbers),
        "refused": Found(
            {"behind": RATE},
            numbers,
            {"A": RATE, "B": RATE},
            [Curve("CapsNet, dynamic routing, digits", (0, 0.1, 0.2), [RATE] * 3)] * 2,
            plain=["B"],
        ),
    }
    results = {(made.sha256, name): ((SAMPLE, found),) for name, found in kept.items()}
    monkeypatch.setattr(lab_found, "claims", type(lab_found.claims)(results))
    costs: dict[str, list[Cost]] = {}
    for axis, sizes in points():
        costs.setdefault(axis, []).append(Cost(sizes, 0.004, 10**6, 25, 0.003, 0.02))
    monkeypatch.setattr(lab_found, "price", costs)
    return made


def test_what_was_measured_can_be_taken_along(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = ("png", "svg")
    assert offer(model.sha256) == {
        "page": (*pictures, "csv", "json"),
        **dict.fromkeys(
            ["fewAnswers", "polarises", "refused", "ablations", "placed", "few", "price", "memory"], pictures
        ),
    }
    assert list(offer("another")) == ["page", "ablations", "placed", "few", "price", "memory"]
    monkeypatch.setattr(session, "model", lambda: model)
    assert measured_files.offer("lab") == offer(model.sha256)
    monkeypatch.setattr(lab_files, "hidden", lambda name: name in ("claims", "price"))
    assert list(offer(model.sha256)) == ["page", "ablations", "placed", "few"]
    assert offer(model.sha256)["page"] == ("csv", "json")
    lab_found.price.clear()
    monkeypatch.setattr(lab_files, "hidden", lambda name: False)
    assert "memory" not in offer(model.sha256)


@pytest.mark.parametrize("spoken", languages())
def test_every_picture_has_room_for_its_words(model: Model, spoken: str) -> None:
    alone = Found(
        {}, {"alarms": 5.0, "others": 200, "size": 36}, {"A": RATE}, [Curve("A", (0, 0.1), [RATE] * 2)]
    )
    with speaking(spoken):
        lab_found.keep((model.sha256, "refused"), ((SAMPLE, alone), (SAMPLE._replace(name="test"), alone)))
        assert_room(lab_slide(model, "page", dark=False, origin="x"))
        assert_room(lab_slide(model, "refused", dark=False, origin="x"))
        judged = Found({"behind": RATE}, alone.numbers, {"A": RATE}, alone.curves)
        lab_found.keep((model.sha256, "refused"), ((SAMPLE, judged),))
        for thing in offer(model.sha256):
            figure = lab_slide(model, thing, dark=thing == "few", origin="x")
            assert_room(figure)
            said = " ".join(text.get_text() for text in figure.axes[0].texts)
            if spoken == "en":
                assert {
                    "page": "Not borne out here" in said or "Cannot be told" in said,
                    "polarises": "25.0% (10.0% to 40.0%)" in said and "arXiv:1907.13327" in said,
                    "ablations": "± 0.04" in said,
                    "placed": "21%" in said and "stopped here" in said,
                    "few": "n = " in said and "seeds" in said,
                    "price": "PyTorch" in said and "(logarithmic)" in said,
                }.get(thing, True), thing


def test_points_stand_where_their_numbers_say() -> None:
    """Of a chart whose axes go from 0 on, by hand: the highest bar is 0.8, the ends of x lie 4% beyond the points."""
    points_ = [Measured(0.2, 0.1, 0.4, 9, 9), Measured(0.6, 0.4, 0.8, 9, 9)]
    chart = claim_figure("polarises", [Curve("", (11, 19), points_)])
    lines = charts_slide("t", [chart]).axes[0].lines
    curve = next(line for line in lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 4 * 0.72)
    x, y = np.array(curve.get_xdata(), float), np.array(curve.get_ydata(), float)
    left, right = 72 + 96, 1920 - 72
    np.testing.assert_allclose(x, [left + (right - left) * part / 1.08 for part in (0.04, 1.04)])
    texts = {text.get_text(): text for text in charts_slide("t", [chart]).axes[0].texts}
    # The label of a tick stands beside its line: the curve's ends by the lines of 0 and 40 per cent.
    low, high = (texts[name].get_position()[1] for name in ("0", "40"))
    np.testing.assert_allclose(np.diff(y), 40 * (high - low) / 40, rtol=1e-6)
    np.testing.assert_allclose(y[0] - texts["20"].get_position()[1], y[1] - texts["60"].get_position()[1])
    assert y[0] > y[1]  # from the top
    bars = [line for line in lines if list(line.get_xdata()) == [x[0], x[0]]]
    assert len(bars) == 1
    ends = np.array(bars[0].get_ydata(), float)
    np.testing.assert_allclose(ends - y[0], np.array([-10, 20]) * (high - low) / 40)


def test_what_stands_beside_another_on_the_page_does_on_the_slide() -> None:
    chart = claim_figure("refused", [Curve(name, (0, 0.1), [RATE] * 2) for name in ("one", "two")])
    lines = [line for line in charts_slide("t", [chart]).axes[0].lines if line.get_linewidth() == 4 * 0.72]
    first, second = (np.asarray(line.get_xdata(), float) for line in lines)
    # 1.2% of the x axis's 10 per cent, of which the slide shows 10.8.
    np.testing.assert_allclose(second - first, (1920 - 72 - 72 - 96) * 0.12 / 10.8)


def test_two_charts_share_their_legend_and_a_table_its_cells() -> None:
    chart = claim_figure("refused", [Curve(name, (0, 0.1), [RATE] * 2) for name in ("one", "two")])
    said = [text.get_text() for text in charts_slide("t", [chart, chart]).axes[0].texts]
    assert [said.count(name) for name in ("one", "two")] == [1, 1]
    table = (["Head", "Error"], [(Cell("Row", "of it"), Cell("1%", "± 2"))])
    said = [text.get_text() for text in table_slide("t", table, ["note"]).axes[0].texts]
    assert {"Head", "Error", "Row", "of it", "1%", "± 2", "note"} <= set(said)
