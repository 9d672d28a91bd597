"""What the Pose view sends, and a link says: taken as it is, or refused with one sentence."""

import math
from dataclasses import FrozenInstanceError
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from reference import assert_one_sentence
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest

from capsviz.app import messages
from capsviz.app import pose as ui_pose
from capsviz.app import session as ui
from capsviz.app.messages import Morph, Sweep
from capsviz.errors import MessageError
from capsviz.inputs.examples import EXAMPLES
from capsviz.measures.poses import (
    PROPERTIES,
    Component,
    DigitPoses,
    Effect,
    PoseMeasurements,
    Range,
    Settings,
)
from capsviz.networks.base import find
from capsviz.traces.base import CapsuleGrid, Shape
from capsviz.traces.routing import RoutingTrace

POSE = [index / 16 for index in range(16)]
SWEEP: dict[str, Any] = {
    "kind": "sweep",
    "digit": 9,
    "pose": POSE,
    "dimension": 15,
    "span": 0.25,
}
MORPH: dict[str, Any] = {
    "kind": "morph",
    "a": {"digit": 3, "pose": POSE, "name": "kept"},
    "b": {"digit": 0, "pose": POSE[::-1], "name": "“a nine”"},
    "digit": "of the view: not of a morph",
}


def parsed(sent: object) -> Sweep | Morph:
    """As the shipped network reads it, with ten capsules of sixteen numbers."""
    return messages.parse_motion(sent, find("dynamic.mnist").shape)


def test_a_sweep_by_hand() -> None:
    assert parsed(SWEEP) == Sweep(9, tuple(POSE), 15, 0.25)
    whole = parsed(SWEEP | {"digit": 0.0, "dimension": 0, "span": 1, "pose": [1] * 16})
    assert whole == Sweep(0, (1.0,) * 16, 0, 1.0)
    every = [[digit / 10 + index / 1000 for index in range(16)] for digit in range(10)]
    unmasked = parsed(SWEEP | {"pose": every})
    assert isinstance(unmasked, Sweep)
    np.testing.assert_array_equal(unmasked.pose, every)


def test_a_morph_by_hand() -> None:
    assert parsed(MORPH) == Morph((3, 0), (tuple(POSE), tuple(POSE[::-1])))


def test_what_was_read_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        parsed(SWEEP).digit = 5  # type: ignore[misc]


@pytest.mark.parametrize("value", [-2, 2, 0, 1e-300])
def test_the_ends_of_the_range_are_taken(value: float) -> None:
    request = parsed(SWEEP | {"pose": [value] * 16, "span": 0.01, "dimension": 0})
    assert request == Sweep(9, (float(value),) * 16, 0, 0.01)


def with_pose(value: object, place: int = 15) -> list[object]:
    pose: list[object] = list(POSE)
    pose[place] = value
    return pose


WRONG: list[tuple[dict[str, Any], str]] = [
    *(({"digit": value}, "0 to 9") for value in (None, -1, 10, 3.5, "3", True, [3], math.inf, 1e300)),
    *(({"dimension": value}, "0 to 15") for value in (None, -1, 16, 99, 3.5, "3", False, {}, math.nan)),
    *(
        ({"span": value}, "0.01 to 1")
        for value in (None, 0, 0.009, 1.01, -0.25, "x", True, [0.25], math.nan, math.inf)
    ),
    *(
        ({"pose": value}, "16 numbers")
        for value in (None, [], POSE[:15], [*POSE, 0], [0.1] * 10_000, "0123456789abcdef", {}, 5, [POSE] * 9)
    ),
    *(
        ({"pose": with_pose(value)}, "−2 to 2")
        for value in (2.01, -2.01, "0.1", None, True, math.nan, -math.inf, 10**400, [0], 1e308)
    ),
    ({"pose": with_pose(3, 0)}, "“3”"),
    ({"pose": [POSE] * 9 + [POSE[:15]]}, "16 numbers"),
    ({"pose": [POSE] * 9 + [with_pose("x")]}, "“x”"),
    ({"pose": [0.1] * 10}, "16 numbers"),
    *(
        ({"kind": value}, "load the page again")
        for value in (None, "gif", "SWEEP", ["sweep"], 5, {}, "morphs")
    ),
]


@pytest.mark.parametrize(("wrong", "mentioned"), WRONG)
def test_a_sweep_with_a_wrong_part_is_refused(wrong: dict[str, Any], mentioned: str) -> None:
    with pytest.raises(MessageError) as caught:
        parsed(SWEEP | wrong)
    assert_one_sentence(caught.value, mentioned)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("field", list(SWEEP))
def test_a_sweep_without_a_part_is_refused(field: str) -> None:
    with pytest.raises(MessageError):
        parsed({name: value for name, value in SWEEP.items() if name != field})


@pytest.mark.parametrize("end", ["a", "b"])
def test_a_morph_with_a_wrong_end_is_refused(end: str) -> None:
    for wrong, mentioned in (
        (None, "two poses"),
        ([3, POSE], "two poses"),
        ({}, "0 to 9"),
        ({"digit": 10, "pose": POSE}, "“10”"),
        ({"digit": 3}, "16 numbers"),
        ({"digit": 3, "pose": POSE[1:]}, "16 numbers"),
        ({"digit": 3, "pose": [POSE] * 10}, "16 numbers"),
        ({"digit": 3, "pose": with_pose(2.5)}, "“2.5”"),
    ):
        with pytest.raises(MessageError) as caught:
            parsed(MORPH | {end: wrong})
        assert_one_sentence(caught.value, mentioned)


@pytest.mark.parametrize("sent", [None, 5, "sweep", [], ["kind"], True, b"kind"])
def test_what_is_no_request_is_refused(sent: object) -> None:
    with pytest.raises(MessageError) as caught:
        parsed(sent)
    assert_one_sentence(caught.value, "load the page again")


def test_sentences_quote_little_and_no_markup() -> None:
    with pytest.raises(MessageError) as caught:
        parsed(SWEEP | {"span": "![](//a.b/c)" * 1000})
    assert_one_sentence(caught.value, "…")
    assert not set("![]()/") & set(str(caught.value))


def test_the_decoder_that_a_browser_says_it_has_is_the_one_that_was_sent() -> None:
    assert messages.stored("0123456789abcdef", "0123456789abcdef") == "0123456789abcdef"
    for wrong in (None, "", "0123456789abcdeF", "0123456789abcde", 5, ["0123456789abcdef"], {}):
        with pytest.raises(MessageError) as caught:
            messages.stored(wrong, "0123456789abcdef")
        assert_one_sentence(caught.value, "0123456789abcdef")


def test_why_a_browser_cannot_decode_is_one_of_the_known_reasons() -> None:
    assert messages.unsupported("late") == "the decoder’s weights did not arrive"
    for wrong in (None, "", "lat", "LATE", 5, True, ["late"], {}, "<b>" * 1000):
        with pytest.raises(MessageError) as caught:
            messages.unsupported(wrong)
        assert len(str(caught.value)) < 60


# --- what becomes of them -------------------------------------------------------------------------------


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A session's state, in which the two components have said what a test puts there."""
    state: dict[str, Any] = {}
    monkeypatch.setattr(ui_pose.st, "session_state", state)
    monkeypatch.setattr(ui, "model", lambda: SimpleNamespace(sha256="0123456789abcdef" + "5" * 48))
    return state


@pytest.mark.parametrize("said", ["0123456789abcdef", "fedcba9876543210", None, ["x"]])
def test_a_decoder_counts_as_stored_if_it_is_the_one_that_was_sent(
    session: dict[str, Any], said: object
) -> None:
    session[ui_pose.DECODER_KEY] = {"stored": said}
    ui_pose._stored()
    stored = said == "0123456789abcdef"
    assert session.get(ui_pose.STORED_KEY, set()) == ({"0123456789abcdef"} if stored else set())


def test_a_browser_keeps_the_decoders_of_two_networks(session: dict[str, Any]) -> None:
    session[ui_pose.STORED_KEY] = {"fedcba9876543210"}
    session[ui_pose.DECODER_KEY] = {"stored": "0123456789abcdef"}
    ui_pose._stored()
    assert session[ui_pose.STORED_KEY] == {"fedcba9876543210", "0123456789abcdef"}


def test_a_browser_without_decoder_gets_plain_sliders_until_they_are_switched_off(
    session: dict[str, Any],
) -> None:
    for said in ("because", None, 5):
        session[ui_pose.POSE_KEY] = {"unsupported": said}
        ui_pose._unsupported()
        assert ui_pose.PLAIN_KEY not in session
    session[ui_pose.POSE_KEY] = {"unsupported": "late"}
    ui_pose._unsupported()
    assert session[ui_pose.PLAIN_KEY] is True
    assert session[ui_pose.REASON_KEY] == "the decoder’s weights did not arrive"
    ui_pose._toggled()
    assert ui_pose.REASON_KEY not in session


# --- a network of another shape -------------------------------------------------------------------------

GRID = CapsuleGrid(types=1, rows=5, columns=5, field=11, stride=2)
KITES = Shape(
    20, ("kite", "ring", "zigzag"), "shape", GRID, components=4, pose=5, routing="dynamic", trained=2
)
ENDS = Range(0.0, 0.1, -0.5, 0.75)


def traced(shape: Shape, winner: int) -> RoutingTrace:
    """A trace in which each class's pose is its place, in hundredths, and the winner's 0.5 in its first number."""
    assert shape.grid is not None
    count, classes, size = shape.grid.capsules, len(shape.classes), shape.pose
    v = np.repeat(np.arange(classes)[:, None] / 100, size, axis=1)[None]
    v[0, winner, 0] = 0.5
    return RoutingTrace(
        image=np.zeros((shape.size, shape.size)),
        features=np.zeros((2, 4, 4)),
        u=np.zeros((count, shape.components)),
        u_hat=np.zeros((count, classes, size)),
        b=np.zeros((1, count, classes)),
        c=np.full((1, count, classes), 1 / classes),
        s=v,
        v=v,
        shape=shape,
    )


@pytest.mark.parametrize(("winner", "other"), [(0, 1), (1, 2), (2, 0)])
def test_what_has_no_examples_is_morphed_to_another_capsule_of_the_drawing(winner: int, other: int) -> None:
    found = ui_pose._example(traced(KITES, winner))
    assert found == {"name": "this drawing", "digit": other, "pose": pytest.approx([other / 100] * 5)}


def test_digits_are_morphed_to_an_example_of_what_looks_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui, "model", lambda: SimpleNamespace(sha256="5" * 64))
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(
        ui_pose, "_example_pose", lambda sha, example, digit: asked.append((example, digit)) or [0.5]
    )
    shape = find("dynamic.mnist").shape
    for winner, other in ((0, 5), (3, 8), (4, 9), (5, 0), (9, 4)):
        found = ui_pose._example(traced(shape, winner))
        example, digit = asked.pop()
        assert (found["digit"], digit, EXAMPLES[example].digit) == (other, other, other)
        assert found["name"] == f"“{EXAMPLES[example].name}”"
        assert found["pose"] == [0.5]


def plain_page() -> None:
    """A page with nothing but the plain sliders."""
    from capsviz.app import pose

    pose._plain_sliders(pose.TRACE, "a reason")  # type: ignore[attr-defined] # put there by the test


@pytest.mark.parametrize("measured", [True, False])
def test_plain_sliders_of_a_network_of_another_shape(monkeypatch: pytest.MonkeyPatch, measured: bool) -> None:
    pictures: list[np.ndarray] = []
    effects = dict.fromkeys(PROPERTIES, Effect(0.0, 0.0, 0.0, 0.0)) | {"y": Effect(-2.0, 0.5, -2.0, 1.0)}
    component = Component(0.0, 0.1, -0.5, 0.75, 0.1, effects, "stored")
    poses = DigitPoses(ENDS, dict.fromkeys(PROPERTIES, 1.0), (component,) * 5)
    found = PoseMeasurements("5" * 64, Settings(), (poses,) * 3) if measured else None
    model = SimpleNamespace(sha256="5" * 64, decode=lambda pose, digit: np.full((20, 20), pose[digit]))
    monkeypatch.setattr(ui_pose, "TRACE", traced(KITES, 1), raising=False)
    monkeypatch.setattr(ui_pose, "measurements", lambda network, sha256: found)
    monkeypatch.setattr(ui, "model", lambda: model)
    monkeypatch.setattr(DeltaGenerator, "image", lambda self, pixels: pictures.append(pixels))
    app = AppTest.from_function(plain_page, default_timeout=60).run()
    assert not app.exception
    assert sorted(len(column.slider) for column in app.columns) == [
        0,
        2,
        3,
        5,
    ]  # two columns beside the picture
    caption = " ink moves up (−2.0 px)" if measured else ""
    assert [slider.label for slider in app.slider] == [f"{d}{caption}" for d in range(5)]
    low, high = (-0.6, 0.85) if measured else (0.4, 0.6)
    assert (app.slider[0].min, app.slider[0].max) == pytest.approx((low, high))
    assert [slider.value for slider in app.slider] == pytest.approx([0.5, *[0.01] * 4])
    assert pictures[0].shape == (320, 320)
    assert (pictures[0] == round(255 * 0.01)).all()
    assert app.markdown[0].value == f"capsule ring, |v| = {math.hypot(0.5, *[0.01] * 4):.3f}"
    assert "a reason" in app.warning[0].value


def test_poses_are_those_that_were_measured_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(ui_pose, "load_poses", lambda **named: asked.append(named))
    ui_pose.measurements.cache_clear()
    ui_pose.measurements("tiny.shapes", "5" * 64)
    ui_pose.measurements.cache_clear()
    assert asked == [{"name": "tiny.shapes", "sha256": "5" * 64}]
