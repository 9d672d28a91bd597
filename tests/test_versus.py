"""Two drawings before one network: what follows from both traces, what a browser and a link may ask, what the view is sent."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scripting
from reference import assert_one_sentence
from scripting import evaluate
from streamlit.testing.v1 import AppTest
from test_attention import unpacked
from test_pages import shown
from test_prepared import opened
from test_slides import assert_room

from capsviz.app import address, asked, compare, versus
from capsviz.app.lessons import shelf
from capsviz.app.versus import Second, second
from capsviz.errors import MessageError
from capsviz.figures.slides import versus_slide
from capsviz.figures.theme import AGAINST_COLOUR, FOR_COLOUR
from capsviz.figures.versus import (
    Carried,
    Side,
    Versus,
    by_cell,
    cell_words,
    versus_json,
    versus_payload,
    versus_table,
    voting,
)
from capsviz.inputs.changes import CHANGES
from capsviz.inputs.drawings import Drawing, encode
from capsviz.inputs.examples import EXAMPLES
from capsviz.measures.along import Coupling, Measuring, course
from capsviz.models.model import Model, load_model
from capsviz.models.weights import available
from capsviz.networks.base import find
from capsviz.texts import languages, speaking
from capsviz.texts.numbers import number
from capsviz.traces.base import CapsuleGrid, Shape
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import RoutingTrace

PAGE = "../../pages/compare.py"  # from the router
FOUR, NINE = (
    Drawing(example=next(at for at, found in enumerate(EXAMPLES) if found.name == name))
    for name in ("four, closed", "four or nine?")
)


def side(model: Model, drawing: Drawing) -> Side:
    trace = model.trace(drawing.image(model.shape.size))
    drawn = model.reconstructions(trace) if trace.offers else None
    return Side(drawing.pixels(), trace, drawn)


@pytest.fixture(scope="module")
def four_and_nine(model: Model) -> Versus:
    return Versus(side(model, FOUR), side(model, NINE))


# --- what follows from two traces -------------------------------------------------------------------------


def test_capsules_are_gathered_where_they_look() -> None:
    """Two types at two places: capsules 0 and 2 look at the first place, 1 and 3 at the second."""
    values = np.array([[[1.0], [2], [10], [20]]])
    grid = CapsuleGrid(types=2, rows=1, columns=2, field=3, stride=1)
    assert by_cell(values, grid, total=True).tolist() == [[[11], [22]]]
    assert by_cell(values, grid, total=False).tolist() == [[[5.5], [11]]]
    alone = CapsuleGrid(
        types=4, rows=1, columns=1, field=3, stride=1
    )  # of one place each capsule is its own cell
    assert by_cell(values, alone, total=True).tolist() == values.tolist()
    assert cell_words(alone, 3) == "capsule 3"
    assert cell_words(CapsuleGrid(types=1, rows=2, columns=3, field=3, stride=1), 4) == "row 1, column 1"


@pytest.mark.parametrize("name", ["dynamic.mnist", "attention.mnist"])
def test_what_a_place_votes_is_what_its_capsules_do(name: str) -> None:
    trace = load_model(name, "cpu").trace(FOUR.image(28))
    assert isinstance(trace, RoutingTrace)
    found, grid = voting(trace), trace.grid
    # All shares of a class sum to |s|.
    np.testing.assert_allclose(found["share"].sum(1), np.linalg.norm(trace.s, axis=2), atol=1e-4)
    cell, klass, r = min(5, grid.capsules - 1), 4, len(trace.v) - 1
    mine = [
        i
        for i in range(grid.capsules)
        if (grid.places == 1 and i == cell) or (grid.places > 1 and i % grid.places == cell)
    ]
    v = trace.v[r, klass].astype(float)
    along = [float(trace.u_hat[i, klass] @ v / np.sqrt(v @ v)) for i in mine]
    np.testing.assert_allclose(found["vote"][r, cell, klass], np.mean(along), atol=1e-5)
    np.testing.assert_allclose(
        found["c"][r, cell, klass], np.mean([trace.c[r, i, klass] for i in mine]), atol=1e-6
    )
    told = sum(trace.weight[r, i, klass] * one for i, one in zip(mine, along, strict=True))
    np.testing.assert_allclose(found["share"][r, cell, klass], told, atol=1e-5)


def test_the_classes_in_question(four_and_nine: Versus) -> None:
    assert four_and_nine.classes == (4, 9)
    assert Versus(*reversed(four_and_nine.sides)).classes == (9, 4)
    alike = Versus(four_and_nine.sides[0], four_and_nine.sides[0])
    lengths = np.linalg.norm(four_and_nine.traces[0].v[-1], axis=1)  # type: ignore[attr-defined]
    assert alike.classes == (4, int(np.argsort(lengths)[-2]))


def made_up(lengths: list[float], shares: list[list[float]]) -> Side:
    """A trace of one iteration: two places with a capsule each, three classes of one number, so that shares are c times votes."""
    shape = Shape(
        size=2,
        classes=("a", "b", "c"),
        kind="shape",
        grid=CapsuleGrid(types=1, rows=1, columns=2, field=1, stride=1),
        components=1,
        pose=1,
        routing="dynamic",
    )
    third = np.full((1, 2, 3), 1 / 3)
    votes = 3 * np.array(shares)[..., None]
    v = np.array(lengths)[None, :, None]
    trace = RoutingTrace(
        np.full((2, 2), lengths[0]),
        np.zeros((1, 1, 1)),
        np.zeros((2, 1)),
        votes,
        0 * third,
        third,
        v,
        v,
        shape,
    )
    return Side(np.zeros((280, 280), np.uint8), trace, None)


def test_what_is_in_question_by_hand() -> None:
    one = made_up([0.9, 0.1, 0.2], [[0.4, 0, 0], [0.5, 0.3, 0]])
    # At the second place much changes, though what a loses there b gains, and more; at the first a loses a little.
    other = made_up([0.8, 0.5, 0.2], [[0.3, 0, 0], [0, 0.9, 0]])
    found = Versus(one, other)
    assert found.classes == (0, 1)  # the highest other of either: b has 0.5 in the second, c 0.2 in the first
    assert found.change is not None
    assert found.change.cell == 1
    np.testing.assert_allclose(found.change.shares, [[0.5, 0.3], [0, 0.9]], atol=1e-6)
    assert found.carried == (1, 1, 0)  # the second place 0.5 of 0.9, the first 0.3 of 0.3


def test_who_carries_half_and_where_they_differ_most(four_and_nine: Versus) -> None:
    """By adding one share after another, and by looking at every place."""
    assert four_and_nine.routed is not None
    assert four_and_nine.carried is not None
    assert four_and_nine.change is not None
    sets = []
    for trace, klass in zip(four_and_nine.routed, (4, 9), strict=True):
        shares = trace.share[-1][:, klass].astype(float)
        taken: list[int] = []
        for i in sorted(range(len(shares)), key=lambda i: -shares[i]):
            taken.append(i)
            if shares[taken].sum() >= shares.sum() / 2:
                break
        sets.append(set(taken))
    assert four_and_nine.carried == (len(sets[0]), len(sets[1]), len(sets[0] & sets[1]))
    gaps = []
    for place in range(36):
        one, other = (
            [sum(trace.share[-1][place::36, klass].astype(float)) for klass in (4, 9)]
            for trace in four_and_nine.routed
        )
        gaps.append((abs(one[0] - other[0]) + abs(one[1] - other[1]), place, one, other))
    _, place, one, other = max(gaps)
    assert four_and_nine.change.cell == place
    np.testing.assert_allclose(four_and_nine.change.shares, [one, other], atol=1e-4)
    assert four_and_nine.apart is not None
    v = [trace.v[-1] for trace in four_and_nine.routed]
    np.testing.assert_array_equal(four_and_nine.apart, v[1][9] - v[0][4])


def test_what_differs_is_said_from_what_was_measured(four_and_nine: Versus) -> None:
    lengths = [np.linalg.norm(trace.v[-1], axis=1) for trace in four_and_nine.traces]  # type: ignore[attr-defined]
    assert four_and_nine.carried is not None
    assert four_and_nine.change is not None
    mine, theirs, both = four_and_nine.carried
    said = four_and_nine.said()
    assert said.endswith(".")
    assert ". " not in said
    assert f"read as 4 ({lengths[0][4]:.2f}; 9: {lengths[0][9]:.2f})" in said
    assert f"second as 9 ({lengths[1][9]:.2f}; 4: {lengths[1][4]:.2f})" in said
    assert (mine > 1, theirs > 1, both) == (True, True, 1)
    why = four_and_nine.why()
    assert f"from {mine} primary capsules for **4** in the first drawing" in why
    assert f"from {theirs} primary capsules for **9** in the second; 1 is among both." in why
    (a, b), (c, d) = ([number(share) for share in shares] for shares in four_and_nine.change.shares)
    assert f"**4** has {a} there in the first and {c} in the second, **9** {b} and {d}." in why
    with speaking("de"):
        german = four_and_nine.said()
    assert f"{lengths[0][4]:.2f}".replace(".", ",") in german


@pytest.mark.parametrize(
    ("count", "said"), [(1, "from 1 primary capsule for"), (3, "from 3 primary capsules")]
)
def test_one_capsule_is_one(four_and_nine: Versus, count: int, said: str) -> None:
    one = Versus(*four_and_nine.sides)
    one.carried = Carried(count, count, 0)
    assert one.why().count(said) == 2
    assert "0 are among both" in one.why()


def test_two_that_are_the_same_are_said_to_be_and_differ_nowhere(model: Model, four_and_nine: Versus) -> None:
    one = four_and_nine.sides[0]
    same = Versus(one, one)
    assert (same.same, four_and_nine.same, same.change) == (True, False, None)
    score = f"{one.trace.scores[-1][4]:.2f}"
    said = f"Both drawings are the same, read as 4 ({score}): now draw another one to see what differs."
    assert (same.said(), same.why()) == (said, "")
    with speaking("de"):
        assert same.said().startswith("Beide Zeichnungen sind gleich, gelesen als 4 (")
    assert (payload(model, FOUR)[0]["same"], payload(model, NINE)[0]["same"]) == (True, False)
    assert versus_slide(same).axes[0].images
    assert json.loads(versus_json(same, {}))["change"] is None


def test_a_picture_read_as_two_is_said_as_both() -> None:
    """By the rule of the rail's card: the second where it is as sure as the card asks for."""
    shape = Shape(size=2, classes=("a", "b", "c"), kind="shape", answers=2, score="independent")

    def read(scores: list[float], pixel: float = 0) -> Side:
        logits = np.log(np.array(scores) / (1 - np.array(scores)))
        trace = PlainTrace(np.full((2, 2), pixel), np.zeros((1, 1, 1)), np.zeros(1), logits, None, shape)
        return Side(np.zeros((280, 280), np.uint8), trace, None, 0.5)

    two, one, turned = read([0.9, 0.2, 0.8]), read([0.9, 0.2, 0.3], 0.5), read([0.7, 0.1, 0.8], 1)
    assert (two.read(), one.read(), turned.read()) == ((0, 2), (0,), (2, 0))
    assert two.words(two.read()) == ("a + c", "0.90 and 0.80")
    said = Versus(two, one).said()
    assert said.startswith(
        "The first is read as a + c (0.90 and 0.80; b: 0.20), the second as a (0.90; c: 0.30)"
    )
    assert (
        Versus(two, turned)
        .said()
        .startswith("Both are read as a + c: the first with 0.90 and 0.80 (b: 0.20)")
    )
    assert "the second with 0.70 and 0.80 (b: 0.10)" in Versus(two, turned).said()
    header, _ = unpacked(versus_payload(two, one, asked={}, examples=[], link={}))
    assert header["read"] == [[[0, 2]], [[0]]]


def test_a_network_without_votes_is_compared_by_its_answers() -> None:
    plain = load_model("cnn.mnist", "cpu")
    found = Versus(side(plain, FOUR), side(plain, NINE))
    assert (found.routed, found.carried, found.change, found.apart) == (None, None, None, None)
    assert found.said().count(";") == 2  # within the brackets alone
    assert found.why() == ""
    told = json.loads(versus_json(found, {}))
    assert told["drawings"][0]["votes"] is told["drawings"][1]["poses"] is told["carried"] is None
    assert versus_slide(found).axes[0].images  # both drawings


# --- in other forms ---------------------------------------------------------------------------------------


def test_table_and_file_have_both_drawings_by_iteration(four_and_nine: Versus) -> None:
    head, rows = versus_table(four_and_nine)
    assert head == ["iteration", "class", "score is", "first", "second", "second less first"]
    assert len(rows) == 3 * 10
    one, other = (trace.scores for trace in four_and_nine.traces)
    assert rows[14] == [
        2,
        "4",
        "length",
        float(one[1, 4]),
        float(other[1, 4]),
        float(other[1, 4] - one[1, 4]),
    ]
    told = json.loads(versus_json(four_and_nine, {"page": "x"}))
    assert (told["origin"], told["inQuestion"]) == ({"page": "x"}, ["4", "9"])
    np.testing.assert_allclose(told["drawings"][1]["poses"], four_and_nine.traces[1].v, atol=1e-6)  # type: ignore[attr-defined]
    assert np.shape(told["drawings"][0]["votes"]["share"]) == (3, 36, 10)
    assert told["said"] == four_and_nine.said()


def test_the_slide_says_both_answers_and_what_differs(four_and_nine: Versus) -> None:
    slide = versus_slide(four_and_nine, dark=True, origin="here")
    written = [text.get_text() for text in slide.axes[0].texts]
    lengths = [trace.scores[-1].max() for trace in four_and_nine.traces]
    assert {f"4, {lengths[0]:.2f}", f"9, {lengths[1]:.2f}", "here", "v15"} <= set(written)
    assert len(slide.axes[0].images) == 2 + 4  # both drawings, and four maps
    marks = [len(found.get_paths()[0]) for found in slide.axes[0].collections]
    assert len(marks) == 2 * 16  # a disc and a diamond for each number, as the page has them
    assert set(marks[1::2]) == {5}
    assert 5 not in marks[::2]
    assert {
        "first",
        "second",
        *(f"{which}, for {name}" for which in ("first", "second") for name in "49"),
    } <= set(written)
    # The ends that are written hold every number of both poses, by less than a tenth.
    most = max(np.abs(trace.v[-1, trace.prediction]).max() for trace in four_and_nine.routed or ())
    limit = float(next(text for text in written if "±" in text).rpartition("±")[2])
    assert most <= limit < most + 0.1
    # The strongest cell has its full colour, and a cell of a quarter of it half of that.
    assert four_and_nine.voting is not None
    shares = np.stack([four_and_nine.voting[at]["share"][-1][:, klass] for klass in (4, 9) for at in (0, 1)])
    parts = shares / max(np.abs(found["share"][-1]).max() for found in four_and_nine.voting)
    for image, part in zip(slide.axes[0].images[2:], parts, strict=True):
        colours = np.asarray(image.get_array())[::4, ::4].astype(int)
        assert colours.shape[0] % 6 == colours.shape[1] % 6 == 0
        side = colours.shape[0] // 6
        red = colours[side // 2 :: side, side // 2 :: side]
        full = np.where(part.reshape(6, 6, 1) >= 0, FOR_COLOUR, AGAINST_COLOUR)
        np.testing.assert_allclose(red, full * np.sqrt(np.abs(part)).reshape(6, 6, 1), atol=1)


@pytest.mark.parametrize("language", languages())
def test_the_slide_has_room_for_what_it_says(four_and_nine: Versus, language: str) -> None:
    with speaking(language):
        assert_room(versus_slide(four_and_nine, origin="here"))


def payload(model: Model, other: Drawing | None, **said: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    beside = None if other is None else side(model, other)
    packed = versus_payload(side(model, FOUR), beside, asked=said, examples=[], link={})
    return unpacked(packed)


def test_the_view_is_sent_both_drawings_in_one_scale(model: Model, four_and_nine: Versus) -> None:
    header, arrays = payload(model, NINE, number=3)
    assert (header["question"], header["answers"], header["whole"]) == ([4, 9], [4, 9], True)
    assert [frame["v"] for frame in header["frames"][:4]] == [-1, -1, 0, 0]
    assert len(header["frames"]) == 12
    assert four_and_nine.voting is not None
    for at, found in enumerate(four_and_nine.voting):
        for name, values in found.items():
            np.testing.assert_allclose(arrays[f"{name}{at}"], values, atol=1e-6)
    for name, limit in header["limits"].items():
        both = np.concatenate([found[name].ravel() for found in four_and_nine.voting])
        assert limit == pytest.approx(np.abs(both - (0.1 if name == "c" else 0)).max())
    seen = np.rint(NINE.image(28) * 255)
    np.testing.assert_array_equal(arrays["image1"], seen)
    assert arrays["pad1"].shape == (140, 140)
    block = NINE.pixels()[100:102, 120:122].mean()
    assert arrays["pad1"][50, 60] == np.rint(block)

    header, arrays = payload(model, None, problem="x")
    assert (header["whole"], header["said"], header["asked"]) == (False, "", {"problem": "x"})
    assert "image1" not in arrays


# --- asked for --------------------------------------------------------------------------------------------


def test_the_second_drawing_is_the_one_that_was_asked_for() -> None:
    assert second({"drawing": encode(NINE), "number": 2}) == Second(encode(NINE), 2)
    assert second({"drawing": encode(Drawing())}) == Second()


@pytest.mark.parametrize(
    ("sent", "mentions"),
    [
        (None, "second drawing"),
        ({"number": 1}, "second drawing"),
        ({"drawing": 3}, "second drawing"),
        ({"drawing": ""}, "drawing"),
        ({"drawing": "<b>"}, "drawing"),
        ({"drawing": "A" * 100_000}, "drawing"),
        ({"drawing": encode(NINE), "number": -1}, "request"),
    ],
)
def test_what_is_no_drawing_is_refused_with_a_sentence(sent: Any, mentions: str) -> None:
    with pytest.raises(MessageError) as caught:
        second(sent)
    assert_one_sentence(caught.value, mentions)


@pytest.mark.parametrize("text", ["", "four", "A" * 2_001, encode(NINE)[:-2], "<script>"])
def test_a_link_to_no_second_drawing_says_so(text: str) -> None:
    found = address.read({"versus": text}, lambda name: find(name or "dynamic.mnist").shape)
    assert (found.versus, found.bad) == (None, ("versus",))
    assert 0 < len(found.problem) < 400


def test_what_was_asked_for_last_stays_where_the_next_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {"view": {"wish": "7"}}
    fixed: set[str] = set()
    monkeypatch.setattr(asked.st, "session_state", state)
    monkeypatch.setattr(asked.prepared, "locked", lambda name: name in fixed)

    def number(sent: Any) -> int:
        if not str(sent).isdecimal():
            raise MessageError("no number")
        return int(sent)

    assert asked.sent("nothing", "wish") is None
    assert asked.latest(None, number, 1, "kept", "pose") == (1, "")
    assert asked.latest(asked.sent("view", "wish"), number, 1, "kept", "pose") == (7, "")
    assert state["kept"] == 7
    assert asked.latest("x", number, 7, "kept", "pose") == (7, "no number")
    fixed.add("pose")
    assert asked.latest("8", number, 7, "kept", "pose") == (7, "")
    assert state["kept"] == 7


# --- the page ---------------------------------------------------------------------------------------------


def told(app: AppTest, name: str) -> dict[str, Any]:
    """What the view was sent last."""
    for element in app.get("bidi_component"):
        if element.proto.component_name.endswith(name):
            return unpacked(element.proto.bytes)[0]
    raise AssertionError(f"{name} is not on the page")


def test_the_page_shows_what_its_link_says_and_keeps_what_was_asked() -> None:
    app = opened(PAGE, versus=encode(NINE), drawing=encode(FOUR))
    assert told(app, "capsviz_versus")["answers"] == [4, 9]
    assert "What differs?</h1>" in shown(app)
    # Kept from the browser; what cannot be read leaves it as it is, and says so.
    app.session_state[versus.VIEW_KEY] = {"asked": {"drawing": encode(FOUR), "number": 1}}
    app.run()
    assert told(app, "capsviz_versus")["answers"] == [4, 4]
    app.session_state[versus.VIEW_KEY] = {"asked": {"drawing": "?", "number": 2}}
    app.run()
    found = told(app, "capsviz_versus")
    assert (found["answers"], bool(found["asked"]["problem"])) == ([4, 4], True)
    # Several networks again, and back: the second drawing has been kept.
    app.session_state[versus.SHOWN_KEY] = False
    app.run()
    assert told(app, "capsviz_compare")["columns"][0]["name"] == "dynamic.mnist"
    assert "Does it help?</h1>" in shown(app)
    app.session_state[versus.SHOWN_KEY] = True
    app.run()
    assert told(app, "capsviz_versus")["answers"] == [4, 4]


def test_without_a_second_drawing_a_sentence_says_what_to_do() -> None:
    found = told(opened(PAGE, versus=encode(Drawing())), "capsviz_versus")
    assert not found["whole"]
    assert_one_sentence(found["asked"]["problem"], "keep this one")


def test_a_lesson_s_step_takes_the_place_of_what_was_asked_before() -> None:
    """Of four-or-nine: two drawings, and three networks after them, whatever the view of these had asked for."""
    app = opened(PAGE, versus=encode(FOUR))
    app.session_state[compare.VIEW_KEY] = {"asked": {"change": "noise", "steps": {"noise": 3}, "number": 5}}
    steps = shelf().lessons["four-or-nine"].steps
    fourth = next(at for at, step in enumerate(steps, 1) if "compare" in step.address)
    app.query_params.clear()
    app.query_params.update({"lesson": "four-or-nine", "stop": str(fourth)})
    app.run()
    found = told(app, "capsviz_compare")
    assert (found["change"], found["beside"]) == ("rotation", ["attention.mnist", "cnn.mnist"])


def test_the_way_out_of_a_prepared_page_stands_on_pages_that_are_not_listed() -> None:
    app = opened(PAGE, lock="compare")
    assert any(button.key == "prepared_leave" for button in app.button)
    assert app.button_group(key=versus.CHOICE_KEY).disabled
    assert "Somebody prepared this page" in shown(app)


# --- value by value ---------------------------------------------------------------------------------------


def test_a_course_is_measured_from_its_picture_outwards(model: Model, seven: np.ndarray) -> None:
    measuring = Measuring(model, seven, "noise", coupling=Coupling("leaky"))
    assert not measuring.course().known.any()
    measuring.measure(10, 1)
    assert np.flatnonzero(measuring.course().known).tolist() == [10]
    measuring.measure(10, 4)
    part = measuring.course()
    assert np.flatnonzero(part.known).tolist() == [8, 9, 10, 11, 12]
    measuring.measure(0)
    measuring.measure(0)
    done, once = measuring.course(), course(model, seven, "noise", None, Coupling("leaky"))
    assert done.known.all()
    assert not part.known.all()  # what was told stays as it was
    np.testing.assert_allclose(done.scores, once.scores, atol=1e-5)
    np.testing.assert_allclose(done.poses, once.poses, atol=1e-5)


def test_the_page_measures_what_it_shows_first_and_more_when_it_is_asked_to() -> None:
    def known(app: AppTest) -> list[int]:
        element = next(e for e in app.get("bidi_component") if e.proto.component_name == "capsviz_compare")
        header, arrays = unpacked(element.proto.bytes)
        assert not any(column["whole"] or column["firstWrong"] for column in header["columns"])
        return np.flatnonzero(~np.isnan(arrays["scores0"][:, 0])).tolist()

    # An example that no other test has open here: courses are kept for all sessions.
    app = opened(PAGE, drawing=encode(Drawing(example=12)), compare="down.3_across.1")
    assert known(app) == [27]  # three steps from the middle of 49
    asking = {"change": "down", "steps": {"down": 3, "across": 1}, "number": 1}
    app.session_state[compare.VIEW_KEY] = {"asked": asking | {"more": True}}
    app.run()
    assert known(app) == list(range(24, 31))
    app.session_state[compare.VIEW_KEY] = {"asked": asking | {"number": 2}}
    app.run()
    assert known(app) == list(range(24, 31))


@pytest.mark.parametrize("name", available())
def test_where_the_change_is_none_each_network_gives_its_live_answer(name: str) -> None:
    """By the pictures and the scores that the frame shows: shares, lengths, or each for itself."""
    network = load_model(name, "cpu")
    drawing = FOUR if network.shape.kind == "digit" else Drawing(example=len(EXAMPLES) - 1)
    image = drawing.image(network.shape.size, network.shape.answers)
    measuring = Measuring(network, image, "shear")
    same = -CHANGES["shear"].first
    measuring.measure(same, 1)
    np.testing.assert_allclose(measuring.course().scores[same], network.trace(image).scores[-1], atol=1e-5)


# --- the view's scripts -----------------------------------------------------------------------------------


def test_scripts_find_what_differs(tmp_path: Path) -> None:
    found = evaluate(
        scripting.write(tmp_path, "versus_maps", "versus", "compare_plot"),
        'globalThis.window = { matchMedia: () => ({}) }; const { farthest, marksOf, ofClass, outward, strengthOf } = await import("./versus_maps.mjs");'
        'const { widestGap } = await import("./versus.mjs"); const { spans, runs } = await import("./compare_plot.mjs");',
        """// Two iterations, three cells, two classes.
        const values = Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        return [
          farthest([0.5, -3, 0, 2, 0], 3), farthest([0, 0], 3), farthest([1, -2, 3, -4], 2),
          Array.from(ofClass(values, 1, 1, { iterations: 2, classes: 2 })), Array.from(ofClass(values, 0, 0, { iterations: 2, classes: 2 })),
          widestGap([0.1, 0.9, 0.4], [0.2, 0.3, 0.9]),
          spans([-1, 2, 3, -1, -1, 3]), runs([-1, 2, 2, -1, 2]),
          [0.25, -0.25, 0, 1, -4].map(strengthOf),
          marksOf(0, 2, false).map(({ at, value }) => [at, value]),
          marksOf(0.1, 0.4, true).map(({ at, value }) => [at, value]),
          marksOf(0.1, 0.05, true).map(({ value }) => value),
          marksOf(0.1, 0.3, true).map(({ value }) => value), // 0.025 would stand on 0
          [0.1, 0.419, 0.95001, 12].map(outward),
        ];""",
    )
    assert found[:3] == [[1, 3, 0], [], [3, 2]]
    assert found[3:5] == [[7, 9, 11], [0, 2, 4]]
    assert found[5] == 1
    assert found[6:8] == [[[1, 2], [5, 5]], [[2, 1, 2], [2, 4, 4]]]
    # Strength grows with the square root: at half of it stands a quarter of the limit. c ends at 0.
    assert found[8] == [0.5, -0.5, 0, 1, -1]
    assert found[9] == [[-1, -2], [-0.5, -0.5], [0, 0], [0.5, 0.5], [1, 2]]
    assert found[10] == [[-0.5, 0], [0, 0.1], [0.5, pytest.approx(0.2)], [1, 0.5]]
    assert found[11] == pytest.approx([0.05, 0.0875, 0.1, 0.1125, 0.15])
    assert found[12] == pytest.approx([0, 0.1, 0.175, 0.4])
    assert found[13] == [0.1, 0.5, 1, 12]  # all that is measured lies within what is written
