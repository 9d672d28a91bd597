"""The Model page without a browser: what it says of the network is what was measured."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from capsviz.app import model as model_page
from capsviz.models.weights import load_card, load_evaluation, locate
from capsviz.networks.base import find

ROOT = Path(__file__).resolve().parent.parent
CARD, MEASURED = (
    json.loads((ROOT / "weights" / "dynamic.mnist" / f"{name}.json").read_text("utf-8"))
    for name in ("card", "evaluation")
)


@pytest.fixture(scope="module")
def page() -> AppTest:
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60).run()
    app.switch_page("../../pages/model.py").run()
    assert not app.exception
    return app


def shown(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.get("html"))


def test_the_headline_is_measured(page: AppTest) -> None:
    confusion, drawn = (np.array(result["confusion"]) for result in (MEASURED, MEASURED["drawings"]))
    read, rate = np.trace(confusion) / confusion.sum(), np.trace(drawn) / drawn.sum()
    assert re.findall(r"<b>([\d.,]+%?)</b>", shown(page))[-3:] == [
        f"{100 * read:.2f}%",
        f"{100 * rate:.2f}%",
        # Two convolutions, the transformations, and the decoder's three layers, with biases.
        f"{256 * 82 + 256 * (256 * 81 + 1) + 1152 * 10 * 128 + 161 * 512 + 513 * 1024 + 1025 * 784:,}",
    ]
    assert f"of {MEASURED['drawings']['drawings']:,} digits drawn" in shown(page)


def test_mistakes_stand_on_the_left_and_each_chart_has_its_table(page: AppTest) -> None:
    titles = ["MNIST", "Drawings", "Pen width", "Unsure", "Calibration", "Turned", "Moved", "Scaled", "Noise"]
    assert [tab.label for tab in page.tabs] == [*titles, "Errors", "Losses"]
    assert [chart.proto.alt.partition(":")[0] for chart in page.get("plotly_chart")] == [
        *titles,
        "Errors",
        "Losses",
    ]
    assert re.findall("<summary>(.*?) in numbers</summary>", shown(page)) == [*titles, "Errors", "Losses"]


def test_training_is_told_from_the_card(page: AppTest) -> None:
    tables = re.findall("<details.*?</details>", shown(page))
    rows = re.findall("<tr>(.*?)</tr>", tables[-2])
    last = re.findall(">([^<]*)</t[hd]>", rows[-1])
    log = CARD["log"][-1]
    assert last[0] == str(log["epoch"])
    assert [float(cell) for cell in last[1:3]] == [
        pytest.approx(100 * log[key], rel=1e-3) for key in ("train_error", "validation_error")
    ]
    assert float(last[-1]) == pytest.approx(100 * CARD["test_error"], rel=1e-3)


def headline(name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What stands first of a network, without loading its weights."""
    said: list[str] = []
    monkeypatch.setattr(model_page.st, "html", said.append)
    spec, card = find(name), load_card(locate(name))
    answers = SimpleNamespace(spec=spec, shape=spec.shape, card=card, parameters={"all": card["parameters"]})
    model_page._headline(answers, load_evaluation(name, card))
    (text,) = said
    return text


def test_of_letters_the_test_set_is_drawn_and_told_once(monkeypatch: pytest.MonkeyPatch):
    drawn = load_evaluation("attention.letters", load_card(locate("attention.letters")))["drawings"]
    text = headline("attention.letters", monkeypatch)
    assert text.count("<b>") == 2  # and the parameters
    assert f"<b>{drawn['rate']:.2%}</b>of UNIPEN’s test letters, {drawn['drawings']:,} drawn by " in text


@pytest.mark.parametrize(("name", "paper"), [("overlap.mnist", " (the paper: 94.8%, "), ("cnn.overlap", "<")])
def test_of_two_digits_the_headline_is_of_pairs(name: str, paper: str, monkeypatch: pytest.MonkeyPatch):
    pairs = load_evaluation(name, load_card(locate(name)))["pairs"]
    right = f"{1 - pairs['wrong'] / pairs['images']:.2%}"
    said = (
        f"of {pairs['images']:,} pairs of MNIST’s test digits over each other read correctly, both of the two"
    )
    assert f"<b>{right}</b>{said}{paper}" in headline(name, monkeypatch)
