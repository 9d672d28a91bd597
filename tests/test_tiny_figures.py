"""Every figure of a network of another shape: its own sizes and names, and nothing of the shipped network's."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from capsviz import figures
from capsviz.figures.evaluation import evaluation_figures
from capsviz.measures.evaluate import evaluate
from capsviz.models.model import Model
from capsviz.models.size import sizes
from capsviz.traces.routing import RoutingTrace
from capsviz.traces.surgery import reroute
from tests import tiny

LEFT = re.compile(r"(?<![\d.,])(1152|784|160|28 × 28|28 by 28|17 × 17|16 numbers|ten|sixteen)(?![\d.,]|\w)")


@pytest.fixture
def trace(tiny_model: Model) -> RoutingTrace:
    images, _ = tiny.draw("test")
    return tiny_model.trace(images[1] / np.float32(255))  # a ring


@pytest.fixture
def drawn(tiny_model: Model, trace: RoutingTrace) -> np.ndarray:
    return tiny_model.reconstructions(trace)


def words(html: str) -> str:
    """What is read in a figure: its text, alternative texts and titles."""
    said = re.findall(r'(?:alt|title|aria-label)="([^"]*)"', html)
    return " ".join([re.sub(r"<[^>]*>", " ", html), *said])


def test_html_has_its_sizes_and_names(tiny_model: Model, trace: RoutingTrace, drawn: np.ndarray) -> None:
    shape = trace.shape
    htmls = {
        "strip": figures.pipeline_strip(trace, drawn[-1, trace.prediction]),
        "panels": figures.reconstruction_panels(trace, drawn[-1]),
        "card": figures.reading_card(trace.image, trace.lengths[-1], shape, 0.99, data="Shapes"),
        "layers": figures.layers_table(trace, drawn[-1], sizes(tiny_model.spec), tiny_model.spec),
        "bars": figures.lengths_bars(trace.lengths[-1], trace.classes, shape.kind),
    }
    for name, html in htmls.items():
        assert not LEFT.search(words(html)), name
        assert "ring" in html, name
    strip = words(htmls["strip"])
    assert "20 × 20, 0 to 1" in strip
    assert "12 filters, 7 × 7" in strip
    assert "5 × 5, stride 2" in strip
    assert "100: 4 at each of 5 × 5 places" in strip
    assert "From nothing but the 5 numbers of capsule ring." in strip
    assert re.findall(r'cv-numeral">(\w+)<', htmls["bars"]) == list(tiny.CLASSES)
    assert "400 pixels" in words(htmls["panels"])
    assert "over 99% of the Shapes shapes held out" in htmls["card"]
    assert "Shape capsules" in htmls["layers"]
    assert "fed one shape’s 5 numbers and 10 zeros" in htmls["layers"]
    assert f"{sum(tiny_model.parameters.values()):,}" in htmls["layers"]


def test_what_browsers_are_sent_has_its_sizes_and_names(
    tiny_model: Model, trace: RoutingTrace, drawn: np.ndarray
) -> None:
    packed = figures.routing_payload(trace, drawn)
    header: dict[str, Any] = json.loads(packed[4 : 4 + int.from_bytes(packed[:4], "little")])
    assert header["classes"] == list(tiny.CLASSES)
    assert header["grid"] == {"types": 4, "rows": 5, "columns": 5, "field": 11, "stride": 2}
    assert (header["size"], header["primary"], header["digits"], header["trained"]) == (20, 100, 3, 2)
    assert header["arrays"]["drawings"]["shape"] == [2, 3, 20, 20]
    assert header["arrays"]["axes"]["shape"] == [3, 2, 5]
    before = drawn[-1, trace.prediction]
    sent = figures.surgery_payload(trace, before, reroute(trace.u_hat, 1), before)
    assert (len(sent["places"]), len(sent["types"]), len(sent["image"])) == (25, 4, 400)
    assert sent["classes"] == tiny.CLASSES
    html = figures.routing_html(trace, drawn)
    payload = base64.b64decode(re.findall(r'id="payload">([^<]*)<', html)[0])
    assert b'"classes":["kite","ring","zigzag"]' in payload


def test_charts_have_its_names(tiny_model: Model, tmp_path: Path) -> None:
    tiny_evaluation = evaluate(tiny_model, tmp_path)
    charts = evaluation_figures(tiny_evaluation)
    shown = figures.measurements(tiny_evaluation, tiny.DATA.name)
    assert set(charts) == set(shown)
    assert "drawings" not in shown
    assert list(charts["confusion"].layout.xaxis.ticktext) == list(tiny.CLASSES)
    assert charts["confusion"].layout.yaxis.title.text == "shape"
    assert "test shapes" in shown["confusion"].says
    for name, chart in charts.items():
        assert shown[name].title in figures.chart_words(chart, shown[name].title)
        assert figures.chart_table(chart, shown[name].title).count("<tr>") > 1
    log = [
        {"epoch": 1, "train_error": 0.2, "validation_error": 0.1, "margin_loss": 1, "reconstruction_loss": 2}
    ]
    chart = figures.training_figure(log, 0.1, data=tiny.DATA)
    assert [curve.name for curve in chart.data][1:] == ["validation (60 held out)", "test (90)"]
