"""A drawing as it grew: its moments by hand, the answers one by one, the moment of decision, what the browser is sent."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from reference import assert_one_sentence

from capsviz import figures
from capsviz.errors import ImageError
from capsviz.figures.replay import named_classes
from capsviz.inputs.drawings import Drawing, Stroke, decode, encode
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.inputs.replay import cut, images, moments, strokes_of, way_of
from capsviz.measures.replay import Replay, replay
from capsviz.models.model import Model
from capsviz.traces.base import LENGTH, PROBABILITY, Shape


def stroke(*points: tuple[int, int], width: int = 36) -> Stroke:
    """Points in half pixels."""
    return Stroke(np.array(points, np.int16), width)


LINE = stroke((40, 100), (240, 100))  # 100 pixels to the right
HOOK = stroke((100, 100), (100, 160), (180, 220))  # 30 pixels down, then 50 to the right and down
DOT = stroke((300, 300), width=20)


def points(drawing: Drawing) -> list[list[list[int]]]:
    return [own.points.tolist() for own in drawing.strokes]


# --- moments ----------------------------------------------------------------------------------------------


def test_a_line_is_cut_at_half_of_its_way() -> None:
    assert way_of(LINE) == 100
    assert points(cut(Drawing((LINE,)), 50)) == [[[40, 100], [140, 100]]]
    assert points(cut(Drawing((LINE,)), 0)) == [[[40, 100]]]  # the pen has been set down
    assert points(cut(Drawing((LINE,)), 33.4)) == [[[40, 100], [107, 100]]]  # 66.8 half pixels, on the grid


def test_strokes_are_cut_one_after_the_other() -> None:
    both = Drawing((LINE, HOOK))
    whole = LINE.points.tolist()
    assert way_of(HOOK) == 80
    assert points(cut(both, 100)) == [whole]  # at the end of a stroke, the next has not begun
    assert points(cut(both, 110)) == [whole, [[100, 100], [100, 120]]]
    assert points(cut(both, 130)) == [whole, [[100, 100], [100, 160]]]  # at a corner, which is there once
    # 25 of the 50 pixels after the corner: half of (80, 60) half pixels.
    assert points(cut(both, 155)) == [whole, [[100, 100], [100, 160], [140, 190]]]
    assert [own.width for own in cut(both, 155).strokes] == [36, 36]
    assert cut(both, 180) is both
    assert cut(both, 1e9) is both


def test_a_dot_counts_as_far_as_its_pen_is_wide_and_is_there_at_once() -> None:
    assert way_of(DOT) == 10
    dotted = Drawing((LINE, DOT, LINE))
    assert len(cut(dotted, 100).strokes) == 1
    assert points(cut(dotted, 100.5)) == [LINE.points.tolist(), [[300, 300]]]
    assert points(cut(dotted, 111)) == [LINE.points.tolist(), [[300, 300]], [[40, 100], [42, 100]]]


def test_what_is_below_the_strokes_stays() -> None:
    picture = np.full((28, 28), 7, np.uint8)
    on_picture = cut(Drawing((LINE,), picture=picture), 50)
    assert on_picture.picture is picture
    on_example = Drawing((LINE,), example=0)
    example = strokes_of(on_example)[:-1]
    way = sum(map(way_of, example))
    assert cut(on_example, way + 100) is on_example
    assert points(cut(on_example, way + 50)) == [
        *(own.points.tolist() for own in example),
        [[40, 100], [140, 100]],
    ]


@pytest.mark.parametrize("index", range(len(EXAMPLES)))
def test_an_example_is_strokes_within_half_a_step_of_the_grid(index: int) -> None:
    example = EXAMPLES[index]
    found = strokes_of(Drawing(example=index))
    for own, expected in zip(found, example.strokes, strict=True):
        assert np.abs(own.points / 560 - np.array(expected)).max() <= 0.5 / 560
        assert abs(own.width / 560 - example.width) <= 0.5 / 560


def test_moments_are_equally_far_apart_with_the_ends_of_strokes_among_them() -> None:
    drawing = Drawing((LINE, HOOK))
    found = moments(drawing)
    ways = [moment.way for moment in found]
    # 62 steps of 180 pixels, and the end of the first stroke, which is none of them.
    assert ways == pytest.approx(sorted([180 * k / 62 for k in range(63)] + [100]), abs=1e-9)
    assert found[-1].drawing is drawing
    assert len(found[ways.index(100)].drawing.strokes) == 1
    for moment in found[:-1]:
        assert encode(decode(encode(moment.drawing))) == encode(moment.drawing)  # a drawing as any other


def test_moments_are_not_closer_than_two_pixels() -> None:
    short = moments(Drawing((stroke((0, 0), (21, 0)),)))  # 10.5 pixels
    assert [moment.way for moment in short] == pytest.approx([0, 2.1, 4.2, 6.3, 8.4, 10.5])
    assert [moment.way for moment in moments(Drawing((stroke((5, 5), width=1),)))] == [0, 0.5]


@pytest.mark.parametrize(("strokes", "ends"), [(1, True), (33, True), (34, False), (200, False)])
def test_there_are_64_moments_at_most(strokes: int, ends: bool) -> None:
    found = moments(Drawing((LINE,) * strokes))
    assert len(found) <= 64
    assert found[-1].way == 100 * strokes
    ways = {round(moment.way, 6) for moment in found}
    assert ({100.0 * n for n in range(1, strokes + 1)} <= ways) == ends


def test_a_picture_has_no_moments() -> None:
    for drawing in (Drawing(picture=np.zeros((28, 28), np.uint8)), Drawing()):
        with pytest.raises(ImageError) as caught:
            moments(drawing)
        assert_one_sentence(caught.value, "no strokes", "draw")


def test_where_nothing_can_be_made_out_there_is_no_image() -> None:
    drawing = Drawing((stroke((100, 100), (100, 420)),))
    of = moments(drawing)
    seen, made_out = images(of, 20)
    assert seen.shape == (len(of), 20, 20)
    assert not made_out[0]  # a dot
    assert not seen[~made_out].any()
    assert made_out[-1]
    assert (seen[-1] == drawing.image(20)).all()
    with pytest.raises(ImageError):
        images(moments(Drawing((DOT,))), 28)


# --- answers ----------------------------------------------------------------------------------------------


def test_answers_in_one_batch_are_those_to_each_moment_alone(model: Model) -> None:
    found = replay(model, Drawing(example=0))
    assert found.scores.shape == (64, 10)
    answered = np.flatnonzero(~np.isnan(found.scores[:, 0]))
    assert 50 < len(answered) < 64
    assert found.answers[-1] == EXAMPLES[0].digit
    for m in answered[::9]:
        alone = model.trace(found.moments[m].drawing.image()).lengths[-1]
        assert found.scores[m] == pytest.approx(alone, abs=1e-6)
    # As a reader of the library would do it: 30 pixels down and 25 on, drawn, prepared and answered by itself.
    drawing = Drawing((LINE, HOOK))
    at = next(m for m, moment in enumerate(moments(drawing)) if moment.way == 100)
    by_hand = canvas_to_mnist(render((((40 / 560, 100 / 560), (240 / 560, 100 / 560)),), 36 / 560), "light")
    assert replay(model, drawing).scores[at] == pytest.approx(model.trace(by_hand).lengths[-1], abs=1e-6)


def test_with_other_iterations_the_answers_are_those_with_as_many(model: Model) -> None:
    drawing = Drawing((stroke((100, 100), (100, 300)),))
    one = replay(model, drawing, iterations=1)
    assert one.scores[-1] == pytest.approx(model.trace(drawing.image(), 1).lengths[-1], abs=1e-6)
    trained = replay(model, drawing, iterations=model.shape.trained)
    assert trained.scores[-1] == pytest.approx(model.trace(drawing.image()).lengths[-1], abs=1e-6)
    assert np.abs(one.scores[-1] - trained.scores[-1]).max() > 0.01


SHAPE = Shape(28, ("a", "b", "c"), "letter", score=PROBABILITY)
GAP = (np.nan, np.nan, np.nan)
A, B, C = (0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.05, 0.25, 0.7)


def played(*scores: Sequence[float]) -> Replay:
    """A replay of a line and a hook in so many moments."""
    drawing = Drawing((LINE, HOOK))
    of = moments(drawing)
    of = (*of[: len(scores) - 1], of[-1])
    return Replay(of, np.full((len(of), 28, 28), 0.5, np.float32), np.array(scores, np.float32), SHAPE)


@pytest.mark.parametrize(
    ("scores", "answers", "decided", "changes"),
    [
        ((A, A, A), [0, 0, 0], 0, 0),
        ((GAP, A, A), [-1, 0, 0], 1, 0),
        ((GAP, B, A, B, B), [-1, 1, 0, 1, 1], 3, 2),
        ((A, B, C), [0, 1, 2], 2, 2),
        ((C, A, GAP, A), [2, 0, -1, 0], 3, 1),  # no answer stays over a moment without one
        ((B,), [1], 0, 0),
    ],
)
def test_the_decision_is_where_the_final_answer_begins_to_stay(
    scores: tuple[Any, ...], answers: list[int], decided: int, changes: int
) -> None:
    found = played(*scores)
    assert found.answers.tolist() == answers
    assert (found.decided, found.changes) == (decided, changes)


def test_capsules_as_short_as_absent_ones_claim_nothing() -> None:
    """The paper trains absent ones to at most 0.1 (Eq. 4); probabilities, which sum to 1, always claim one."""
    short, b, a = (0.09, 0.05, 0.01), (0.1, 0.3, 0.1), (0.101, 0.05, 0.05)
    found = replace(played(GAP, short, b, short, a), shape=replace(SHAPE, score=LENGTH))
    assert found.answers.tolist() == [-1, 0, 1, 0, 0]
    assert found.claims.tolist() == [-1, -1, 1, -1, 0]
    assert (found.decided, found.changes) == (4, 1)
    never = replace(played(b, short, (0.1, 0.1, 0.1)), shape=replace(SHAPE, score=LENGTH))
    assert (never.claims.tolist(), never.decided, never.changes) == ([1, -1, -1], 1, 0)
    header, arrays = unpacked(figures.replay_payload(found))
    assert (arrays["claims"].tolist(), header["decided"]) == ([-1, -1, 1, -1, 0], 4)
    assert played(GAP, A, B).claims.tolist() == [-1, 0, 1]


# --- what is shown ----------------------------------------------------------------------------------------


def test_named_are_those_that_led_and_those_that_came_near() -> None:
    assert named_classes(played(GAP, A, A)) == [0]
    assert named_classes(played(A, A, C)) == [0, 1, 2]  # b came second with 0.25
    assert named_classes(played(A, C, (0.19, 0.05, 0.76))) == [0, 1, 2]
    assert named_classes(played(C, (0.19, 0.05, 0.76))) == [1, 2]  # a came second with less than 0.2


def test_of_many_those_are_named_that_led_longest() -> None:
    scores = np.full((25, 14), 0.01, np.float32)
    for m in range(24):
        scores[m, m // 2] = 0.5  # twelve classes lead twice each
    scores[24, 13] = 0.9  # and one once, at the end
    scores[:2, 12] = 0.4  # second
    found = Replay((), np.empty(0), scores, Shape(28, tuple("abcdefghijklmn"), "letter", score=PROBABILITY))
    assert named_classes(found) == [*range(9), 13]
    scores[24, :2] = 0.95, 0.94
    assert named_classes(found) == list(range(10))


def unpacked(payload: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    length = int.from_bytes(payload[:4], "little")
    header = json.loads(payload[4 : 4 + length])
    arrays = {}
    for name, entry in header.pop("arrays").items():
        count = int(np.prod(entry["shape"]))
        begin = 4 + length + entry["offset"]
        arrays[name] = np.frombuffer(payload, entry["type"], count, begin).reshape(entry["shape"])
    return header, arrays


def test_the_browser_is_sent_every_moment() -> None:
    found = played(GAP, A, C, B, B)
    header, arrays = unpacked(figures.replay_payload(found, key="k", unsure_below=0.6))
    assert (header["key"], header["moments"], header["decided"], header["changes"]) == ("k", 5, 3, 2)
    assert (header["classes"], header["named"], header["unsureBelow"]) == (["a", "b", "c"], [0, 1, 2], 0.6)
    assert (header["size"], header["side"], header["ticks"]) == (28, 280, [0, 0.5, 1])
    assert header["kind"] == "letter"
    np.testing.assert_array_equal(arrays["scores"], found.scores)
    assert arrays["answers"].tolist() == [-1, 0, 2, 1, 1]
    assert arrays["ways"] == pytest.approx([0, 180 / 62, 360 / 62, 540 / 62, 180])
    assert (arrays["seen"] == 128).all()
    # The drawing in pixels of the pad, a stroke after the other; the cut ones are its beginning and a point.
    assert arrays["points"].tolist() == [[20, 50], [120, 50], [50, 50], [50, 80], [90, 110]]
    assert (arrays["starts"].tolist(), arrays["widths"].tolist()) == ([0, 2], [18, 18])
    assert arrays["counts"].tolist() == [1, 2, 2, 2, 5]
    assert arrays["tips"].tolist() == [[20, 50], [23, 50], [26, 50], [28.5, 50], [90, 110]]
    assert "picture" not in arrays


def test_a_picture_below_the_strokes_is_sent_and_lengths_have_their_margins() -> None:
    picture = np.arange(784, dtype=np.uint8).reshape(28, 28)
    last = moments(Drawing((LINE,), picture=picture))[-1:]
    shape = Shape(28, ("a", "b"), "letter")
    found = Replay(last, np.zeros((1, 28, 28), np.float32), np.array([[0.9, 0.1]], np.float32), shape)
    header, arrays = unpacked(figures.replay_payload(found))
    assert (arrays["picture"] == picture).all()
    assert header["ticks"] == [0, 0.1, 0.9]


def test_only_a_drawing_s_key_asks_for_a_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    from capsviz.app import replay as page

    for sent, kept in (("0123456789abcdef", "0123456789abcdef"), ("0123456789abcde", None), (3, None)):
        state = {page.VIEW_KEY: {"asked": sent}}
        monkeypatch.setattr(page.st, "session_state", state)
        page._asked()
        assert state[page.ASKED_KEY] == kept
