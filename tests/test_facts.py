"""What stands in a card or an evaluation is of its type and in its range, or one sentence names it."""

import json
import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields
from typing import Any

import pytest
import reference

from capsviz.errors import MessageError
from capsviz.models import facts, weights
from capsviz.networks.base import find
from capsviz.training.settings import Settings

SHA = "0123456789abcdef" * 4
ROW = {
    "epoch": 1,
    "margin_loss": 0.1,
    "reconstruction_loss": 30.5,
    "train_error": 0.5,
    "validation_error": 1,
    "seconds": 9,
}
PART = {"sha256": SHA, "validation_error": 0, "test_error": 0.25, "trainings": []}


def parse_evaluation(value: object) -> dict[str, Any]:
    return facts.parse_evaluation(value, find("dynamic.mnist"))


@pytest.fixture
def card() -> dict[str, Any]:
    return deepcopy(reference.CARD) | {"sha256": SHA}


def put(data: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy of ``data`` with ``value`` at a path such as "settings.seed"."""
    changed = deepcopy(data)
    *way, last = path.split(".")
    inner = changed
    for name in way:
        inner = inner[int(name) if name.isdecimal() else name]
    inner[last] = value
    return changed


def assert_refused(parse: Callable[[object], Any], value: object, *mentioned: object) -> None:
    with pytest.raises(MessageError) as caught:
        parse(value)
    reference.assert_one_sentence(caught.value, *mentioned)
    assert len(str(caught.value)) < 200


def test_a_card_comes_back_as_it_was(card: dict[str, Any]):
    whole = card | {
        "log": [ROW, ROW | {"epoch": 2}],
        "validation_loss": 0.0125,
        "started_from": [card["settings"] | {"start_from": SHA}],
    }
    whole["settings"] = card["settings"] | {"averaged": [PART, PART | {"trainings": [card["settings"]]}]}
    assert facts.parse_card(whole) == whole


def test_the_shipped_files_are_of_the_form():
    folder = weights.locate(weights.DEFAULT).parent
    for name, parse in (("card.json", facts.parse_card), ("evaluation.json", parse_evaluation)):
        data = json.loads((folder / name).read_text("utf-8"))
        assert json.dumps(parse(data)) == json.dumps(data)


def test_what_nothing_here_reads_is_left_out(card: dict[str, Any]):
    more = put(card | {"note": "by hand"}, "settings.colour", {"deep": [[]]})
    assert facts.parse_card(more) == card


@pytest.mark.parametrize("name", ["sha256", *reference.CARD])
def test_a_card_that_lacks_something(card: dict[str, Any], name: str):
    del card[name]
    assert_refused(facts.parse_card, card, f"it lacks {name}")


@pytest.mark.parametrize("name", ["epochs", "learning_rate", "warmup_steps", "iterations"])
def test_settings_that_lack_something(card: dict[str, Any], name: str):
    del card["settings"][name]
    assert_refused(facts.parse_card, card, f"settings lacks {name}")


def test_every_setting_has_its_check():
    assert {field.name for field in fields(Settings)} == facts.SETTINGS.keys() | facts.LATER_SETTINGS.keys()


@pytest.mark.parametrize("value", [None, 7, "card", [], math.nan, True])
def test_what_is_no_card(value: object):
    assert_refused(facts.parse_card, value, "it must be an object")


NO_COUNT = [-1, 0.5, "3", None, True, [3], math.nan, 10**13, 10**400]
NO_SHARE = [-1e-9, 1.000001, math.nan, math.inf, "0.5", None, True, [0.5], 10**400]
NO_TEXT = [None, 7, ["a"], "two\nlines", "a\x1b[31m", "\ud800", "x" * 2001]
NO_SHA = [5, None, "", SHA[:-1], SHA + "0", SHA.upper(), "g" * 64, [SHA]]
WRONG = {
    "sha256": NO_SHA,
    "name": NO_TEXT,
    "command": NO_TEXT,
    "torch": NO_TEXT,
    "parameters": [*NO_COUNT, 0],
    "validation_error": NO_SHARE,
    "unsure_below": NO_SHARE,
    "test_error": NO_SHARE,
    "validation_loss": [-0.1, math.nan, math.inf, "0", 2e12],
    "log": [None, {}, "log", [7], [None]],
    "log.0.epoch": [*NO_COUNT, 0],
    "log.0.margin_loss": [-0.1, math.nan, None],
    "log.0.train_error": NO_SHARE,
    "log.0.seconds": [-1, math.inf],
    "settings": [None, 7, []],
    "settings.epochs": [*NO_COUNT, 0],
    "settings.seed": NO_COUNT,
    "settings.learning_rate": NO_SHARE,
    "settings.noise": NO_SHARE,
    "settings.augment": [0, 1, "yes", None],
    "settings.start_from": [None, "x", 0],
    "settings.averaged": [None, {}, [], [PART]],
    "started_from": [None, {}, [7], [{}]],
}


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, values in WRONG.items() for value in values]
)
def test_a_fact_of_another_type_or_range(card: dict[str, Any], path: str, value: object):
    card["log"] = [ROW]
    assert_refused(facts.parse_card, put_in_log(card, path, value), path.split(".")[-1])


def put_in_log(card: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    if not path.startswith("log.0."):
        return put(card, path, value)
    return card | {"log": [ROW | {path.removeprefix("log.0."): value}]}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("validation_error", 0),
        ("validation_error", 1),
        ("parameters", 1),
        ("parameters", 10**12),
        ("settings.seed", 0),
        ("settings.start_from", SHA),
        ("name", "x" * 2000),
        ("name", "Kapseln – für Ziffern ≥ 0"),
        ("commit", ""),
    ],
)
def test_the_edges_of_what_is_valid(card: dict[str, Any], path: str, value: object):
    assert facts.parse_card(put(card, path, value)) == put(card, path, value)


def test_a_sentence_names_the_place_in_a_list(card: dict[str, Any]):
    card["log"] = [ROW, ROW | {"train_error": 2}]
    assert_refused(facts.parse_card, card, "log[1].train_error must be a number from 0 to 1, not “2”")


def nested(deep: int) -> dict[str, Any]:
    """The settings of a mean of means, so many deep."""
    settings = deepcopy(reference.CARD["settings"])
    for _ in range(deep):
        settings = reference.CARD["settings"] | {"averaged": [PART, PART | {"trainings": [settings]}]}
    return settings


def test_means_of_means_end_somewhere(card: dict[str, Any]):
    assert facts.parse_card(card | {"settings": nested(19)})["settings"] == nested(19)
    for deep in (20, 100):
        assert_refused(facts.parse_card, card | {"settings": nested(deep)}, "means of means")


# --- evaluations ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def evaluation() -> dict[str, Any]:
    return json.loads(weights.evaluation_path().read_text("utf-8"))


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("sha256", NO_SHA),
        ("data", NO_TEXT),
        ("kind", [*NO_TEXT, "letter"]),
        ("classes", [None, [], list("012345678"), list("0123456798"), [*"012345678", 9]]),
        ("iterations.trained", [*NO_COUNT, 0, 11]),
        ("images", NO_COUNT),
        ("error_rate", NO_SHARE),
        ("interval", [None, [0.1], [0.1, 0.2, 0.3], [0.1, 2]]),
        ("confusion", [None, [], [[0] * 10] * 9, [[0] * 10] * 11, [[0] * 9] * 10, [[-1] * 10] * 10]),
        ("calibration.ece", NO_SHARE),
        ("calibration.bins", [None, [7], [{}]]),
        ("curves.rotated.points", [[], None, [{}]]),
        ("curves.noised.unit", NO_TEXT),
        ("unsure.threshold", NO_SHARE),
        ("unsure.digits.misread", NO_COUNT),
        ("unsure.kinds", [7, [7]]),
        ("unsure.others.below", NO_SHARE),
        ("unsure.below.digits", [None, [0.5], [2] * 101]),
        ("unsure.below.length", [[k / 107 for k in range(101)], [k / 100 for k in range(100)]]),
        ("made_up.widths", [[], [{}]]),
        ("made_up.drawings", [*NO_COUNT, 0]),
        ("drawings.file", NO_TEXT),
        ("drawings.file_sha256", NO_SHA),
        ("drawings.unsure", NO_SHARE),
    ],
)
def test_a_measurement_of_another_type_or_range(evaluation: dict[str, Any], path: str, values: list[object]):
    for value in values:
        assert_refused(parse_evaluation, put(evaluation, path, value), path.split(".")[-2:][0])


@pytest.mark.parametrize("kind", ["rotated", "shifted", "scaled", "noised"])
def test_an_evaluation_without_a_curve(evaluation: dict[str, Any], kind: str):
    changed = deepcopy(evaluation)
    del changed["curves"][kind]
    assert_refused(parse_evaluation, changed, f"curves lacks {kind}")


def test_drawings_may_be_missing(evaluation: dict[str, Any]):
    without = {key: value for key, value in evaluation.items() if key != "drawings"}
    assert parse_evaluation(without) == without


def test_what_does_not_iterate_has_no_iterations(evaluation: dict[str, Any]):
    """A network's scores are what its evaluation says they are; those of older versions were lengths."""
    plain = {key: value for key, value in evaluation.items() if key != "iterations"}
    spec = find("cnn.mnist")
    probable = plain | {"score": "probability"}
    assert facts.parse_evaluation(probable, spec) == probable
    for wrong in (plain, plain | {"score": "length"}, plain | {"score": 7}):
        assert_refused(lambda value: facts.parse_evaluation(value, spec), wrong, "score must be")
    assert_refused(parse_evaluation, plain, "it lacks iterations")
    assert_refused(parse_evaluation, evaluation | {"score": "probability"}, "score must be length")
    assert parse_evaluation(evaluation | {"score": "length"})["score"] == "length"


def test_drawings_of_the_test_set_have_no_file(evaluation: dict[str, Any]):
    drawn = {
        key: value
        for key, value in evaluation["drawings"].items()
        if key not in ("file", "file_sha256", "confusion")
    }
    assert parse_evaluation(evaluation | {"drawings": drawn})["drawings"] == drawn


def test_a_list_is_no_longer_than_any_is():
    read = facts.listed(facts.count)
    assert len(read([0] * 100_000, "misread")) == 100_000
    with pytest.raises(MessageError) as caught:
        read([0] * 100_001, "misread")
    reference.assert_one_sentence(caught.value, "misread", "0 to 100,000")
