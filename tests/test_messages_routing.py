"""What the Routing page's views send: a checked value, or one sentence."""

import math
from typing import Any

import pytest
from reference import assert_one_sentence

from capsviz.app.experiments import Operation, operation, routing_iterations
from capsviz.errors import MessageError
from capsviz.networks.base import find
from capsviz.traces.surgery import COUPLINGS

EXAMPLES = ("two", "seven")
GRID = find("dynamic.mnist").shape.grid


def asked(**fields: Any) -> Operation:
    return operation(fields, GRID, EXAMPLES)


@pytest.mark.parametrize("sent", [1, 3, 10, 7.0])
def test_routing_can_be_asked_for_one_to_ten_iterations(sent: object) -> None:
    found = routing_iterations(sent)
    assert found == sent
    assert type(found) is int


@pytest.mark.parametrize(
    "sent", [0, 11, 2000, -1, 2.5, True, "3", None, [3], {}, math.nan, math.inf, 10**400, 1e300]
)
def test_other_iterations_are_refused(sent: object) -> None:
    with pytest.raises(MessageError) as caught:
        routing_iterations(sent)
    assert_one_sentence(caught.value, "from 1 to 10")
    if sent != 11:  # of an experiment there can be more
        with pytest.raises(MessageError, match="from 1 to 50"):
            asked(iterations=51 if sent is None else sent)  # None stands for those of the drawing


def test_an_operation_is_what_was_asked_for() -> None:
    assert asked(
        number=5.0,
        coupling="carried",
        iterations=10,
        seed=0,
        example="seven",
        types=[31, 0.0, 31],
        places=[35, 2],
        unknown="left alone",
    ) == Operation(5, "carried", 10, 0, "seven", (0, 31), (2, 35))


def test_what_is_silenced_comes_in_order() -> None:
    assert asked(types=[31, 8, 1], places=[32, 9]).types == (1, 8, 31)
    assert asked(types=[31, 8, 1], places=[32, 9]).places == (9, 32)


def test_what_is_left_out_is_routing_as_it_was() -> None:
    assert asked() == asked(iterations=None, example=None) == Operation(0, "routing", None, 1, "", (), ())


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_every_experiment_can_be_asked_for(coupling: str) -> None:
    assert asked(coupling=coupling).coupling == coupling


@pytest.mark.parametrize(
    ("fields", "mentioned"),
    [
        ({"coupling": "telepathy"}, "telepathy"),
        ({"coupling": None}, "something else"),
        ({"coupling": ["routing"]}, "something else"),
        ({"coupling": "Routing"}, "Routing"),
        ({"coupling": "carried"}, "example"),
        ({"coupling": "carried", "example": "nonsense"}, "nonsense"),
        ({"example": "nonsense"}, "nonsense"),
        ({"example": 7}, "7"),
        ({"example": ["two"]}, "something else"),
        ({"example": {"a": 1}}, "something else"),
        ({"seed": -1}, "from 0 to 2147483647"),
        ({"seed": 2**31}, "2147483648"),
        ({"seed": "1"}, "seed"),
        ({"seed": None}, "seed"),
        ({"seed": 0.5}, "0.5"),
        ({"number": -1}, "number of the request"),
        ({"number": "many"}, "many"),
        ({"types": [32]}, "from 0 to 31"),
        ({"types": [-1]}, "from 0 to 31"),
        ({"types": [True]}, "capsule type"),
        ({"types": ["1"]}, "capsule type"),
        ({"types": [None]}, "capsule type"),
        ({"types": [[1]]}, "capsule type"),
        ({"types": 3}, "list"),
        ({"types": "123"}, "list"),
        ({"types": None}, "list"),
        ({"types": {"0": 1}}, "list"),
        ({"types": [0] * 33}, "at most 32"),
        ({"places": [36]}, "from 0 to 35"),
        ({"places": [math.nan]}, "place"),
        ({"places": [1.5]}, "1.5"),
        ({"places": [0] * 37}, "at most 36"),
    ],
)
def test_what_there_is_not_is_refused_with_one_sentence(fields: dict[str, Any], mentioned: str) -> None:
    with pytest.raises(MessageError) as caught:
        asked(**fields)
    assert_one_sentence(caught.value, mentioned)


@pytest.mark.parametrize("sent", [None, 5, "routing", [], [1, 2], True])
def test_a_message_that_is_no_operation_is_refused(sent: object) -> None:
    with pytest.raises(MessageError) as caught:
        operation(sent, GRID, EXAMPLES)
    assert_one_sentence(caught.value, "load the page again")


def test_a_sentence_repeats_little_and_nothing_that_could_be_markup() -> None:
    with pytest.raises(MessageError) as caught:
        asked(coupling="![](//a.b/c)<img>" + "x" * 5000)
    sentence = str(caught.value)
    assert len(sentence) < 150
    assert not set(sentence) & set("![]()<>/")


def test_all_types_and_all_places_can_be_silenced() -> None:
    found = asked(types=list(range(32)), places=list(range(36)))
    assert (found.types, found.places) == (tuple(range(32)), tuple(range(36)))


def test_an_operation_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        asked().seed = 2  # type: ignore[misc]
