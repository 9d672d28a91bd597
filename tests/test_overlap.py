"""Two digits in one picture, on the page: what is said of them, who voted, what is laid over, and what each part is."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
import scripting
import torch
from streamlit.testing.v1 import AppTest
from test_pages import ROOT, shown
from torch.nn import functional as F

from capsviz.app import growth, guess, overlap, pages, session
from capsviz.app.growth import RUN_KEY, Run
from capsviz.app.messages import Laid, parse_laid
from capsviz.app.pad import HISTORY_KEY
from capsviz.errors import MessageError
from capsviz.figures import named, reading_card, together
from capsviz.figures.overlap import Apart, apart, carriers, seen_words, sees, voters
from capsviz.figures.theme import added
from capsviz.inputs import spread
from capsviz.inputs.drawings import Drawing, encode, stroke_of
from capsviz.inputs.examples import examples_for
from capsviz.inputs.preprocess import canvas_to_mnist, separate
from capsviz.layers.capsules import binary_cross_entropy, scores_of
from capsviz.measures.pairs import by_overlap, read_spread
from capsviz.models import weights
from capsviz.models.card import card_table, departures, limits, loss
from capsviz.models.model import Model, load_model
from capsviz.networks.base import find
from capsviz.traces.base import INDEPENDENT, PROBABILITY, Shape
from tests import untrained

OVERLAP, CNN = "overlap.mnist", "cnn.overlap"
SHAPE = find(OVERLAP).shape


def lengths(**of: float) -> np.ndarray:
    """Ten lengths, those that are named as d3=0.9 and else 0.05."""
    found = np.full(10, 0.05, np.float32)
    for name, value in of.items():
        found[int(name[1:])] = value
    return found


# --- what is said ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "means", "says"),
    [
        (lengths(), "none", ("No digit", "0.1")),
        (lengths(d4=0.1), "none", ("No digit",)),
        (lengths(d4=0.29, d2=0.2), "unsure", ("Unsure", "**4** (0.29)", "2 (0.20)", "0.3")),
        (
            lengths(d3=0.9, d7=0.29),
            "one",
            ("One digit", "**3** (0.90)", "7, is too short", "(0.29, below 0.30)", "one class"),
        ),
        (lengths(d3=0.9, d7=0.3), "two", ("**3** (0.90) and **7** (0.30)", "third", "0.05")),
        (lengths(d3=0.9, d7=0.8, d1=0.31), "more", ("More than two", "**1** (0.31)", "uncertain")),
        (np.full(10, 0.9, np.float32), "more", ("More than two",)),
    ],
)
def test_a_sentence_for_what_is_there_and_never_a_pair_without_its_doubt(
    found: np.ndarray, means: str, says: tuple[str, ...]
) -> None:
    assert sees(found, 0.3) == means
    said = seen_words(found, 0.3, SHAPE.classes, "digit")
    assert all(part in said for part in says), said
    assert len(said.split(". ")) <= 4
    assert "None" not in said
    assert seen_words(found, 0.3, SHAPE.classes, "digit", np.argsort(-found, kind="stable")[:2]) == said
    # Named in the order in which they were drawn, each with its own length, only where two are said to be there.
    turned = seen_words(found, 0.3, SHAPE.classes, "digit", np.argsort(-found, kind="stable")[1::-1])
    if means in ("two", "more"):
        one, other = (f"**{place}** ({found[place]:.2f})" for place in np.argsort(-found, kind="stable")[:2])
        assert said.index(one) < said.index(other)
        assert turned.index(other) < turned.index(one)
    else:
        assert turned == said


def test_as_many_are_named_as_are_long_enough() -> None:
    scores = np.array([0.2, 0.9, 0.5, 0.7])
    assert named(scores, 0.6) == (1,)
    assert named(scores, 0.6, 2) == (1, 3)
    assert named(scores, 0.6, 4) == (1, 3)
    assert named(scores, 0.7, 2) == (1, 3)
    assert named(scores, 0.95, 2) == (1,)  # the longest, whatever it is worth
    assert together("abcd", (3, 1)) == "d + b"


def test_the_rail_names_two_and_says_what_comes_next() -> None:
    image = np.zeros((36, 36), np.float32)
    card = reading_card(image, lengths(d3=0.9, d7=0.8, d1=0.2), SHAPE, 0.3)
    assert 'data-testid="answer"><span>3</span> + <span>7</span></span>' in card
    assert 'data-testid="length">0.90<' in card
    assert 'data-testid="length-1">0.80<' in card
    assert "The next, 1, has 0.20." in card
    assert "cv-unsure" not in card
    one = reading_card(image, lengths(d3=0.9, d7=0.2), SHAPE, 0.3)
    assert 'data-testid="answer">3<' in one
    assert "The next, 7, has 0.20." in one
    crowded = reading_card(image, lengths(d3=0.9, d7=0.8, d1=0.4), SHAPE, 0.3)
    assert "cv-unsure" in crowded
    assert "1 has 0.40 too" in crowded
    usual = reading_card(image, lengths(d3=0.9, d7=0.8), replace(SHAPE, answers=1), 0.3)
    assert 'data-testid="answer">3<' in usual
    assert "next" not in usual


# --- who voted ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "carry"),
    [
        ([0.5, 0.3, 0.2], [0]),
        ([0.3, 0.45, 0.25], [0, 1]),
        ([1.0, -0.5, 0.1], [0]),
        ([0.1, 0.1, 0.1, 0.1], [0, 1]),
        ([0.0, 0.0], []),
    ],
)
def test_the_fewest_capsules_that_carry_half(shares: list[float], carry: list[int]) -> None:
    assert np.flatnonzero(carriers(np.array(shares))).tolist() == carry


def test_voters_are_counted_at_their_places(tiny_model: Model) -> None:
    from tests.tiny import draw

    trace = tiny_model.trace(draw("test")[0][4] / np.float32(255))
    first, second = np.argsort(-trace.lengths[-1])[:2]
    found = voters(trace, int(first), int(second))
    chosen = []
    for digit in (first, second):
        # Shares once more, from c, û and v; then the largest until half of |s| is there.
        direction = trace.v[-1, digit] / np.linalg.norm(trace.v[-1, digit])
        share = [
            float(trace.c[-1, i, digit] * trace.u_hat[i, digit] @ direction)
            for i in range(trace.grid.capsules)
        ]
        assert sum(share) == pytest.approx(np.linalg.norm(trace.s[-1, digit]), rel=1e-4)
        order, sum_of = sorted(range(len(share)), key=lambda i, share=share: -share[i]), 0.0
        carry = {}
        for i in order:
            if sum_of >= sum(share) / 2:
                break
            carry[i] = share[i]
            sum_of += share[i]
        chosen.append((carry, share))
    counts = np.zeros((trace.grid.places, 3))
    amounts = np.zeros((trace.grid.places, 3))
    for i in range(trace.grid.capsules):
        one, other = (i in carry for carry, _ in chosen)
        if not one and not other:
            continue
        side = 1 if one and other else 0 if one else 2
        place = i % trace.grid.places
        counts[place, side] += 1
        amounts[place, side] += (chosen[0][1][i] if one else 0) + (chosen[1][1][i] if other else 0)
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_allclose(found.amounts, amounts, atol=1e-5)
    assert found.capsules == tuple(counts.sum(0))
    assert sum(found.capsules) > 2


def test_the_two_are_told_apart_by_the_ink_that_is_more_like_them() -> None:
    """Class 2 is longer and draws the right pixel, class 1 the left one; three parts, each a pixel."""
    lengths = np.array([0.1, 0.7, 0.9])
    drawings = np.array([[[0, 0, 0]], [[0.8, 0, 0]], [[0, 0, 1]]])
    parts = np.array([[[1, 0, 0]], [[0, 0, 1]], [[0, 0.4, 0.2]]])
    told = apart(
        lengths, drawings, parts, 0b110
    )  # the first part is of the first digit: class 1 was drawn first
    assert told.pair == (1, 2)
    assert told.errors == pytest.approx((0.2**2, 0.4**2), abs=1e-6)
    turned = apart(lengths, drawings, parts, 0b001)
    assert turned.pair == (2, 1)
    assert turned.errors == pytest.approx((0.4**2, 0.2**2), abs=1e-6)
    for nothing in (0, 0b111):  # all ink is of one digit: the longest comes first
        assert apart(lengths, drawings, parts, nothing) == Apart((2, 1), None)
    assert overlap.settings_of(told, "abc") == {"digits": ["b", "c"], "squared_errors": [0.04, 0.16]}
    assert overlap.settings_of(Apart((2, 1), None), "abc") == {"digits": ["c", "b"]}


def test_two_colours_are_added() -> None:
    drawings = np.array([[[1.0, 0.5, 0.0]], [[1.0, 0.0, 0.2]]])
    mixed = added(drawings, ["#ff8000", "#0080ff"])
    assert mixed.tolist() == [[[255, 255, 255], [128, 64, 0], [0, 26, 51]]]


# --- what a picture is made of --------------------------------------------------------------------------


def test_strokes_are_where_they_are_in_the_picture_of_all() -> None:
    left = stroke_of(np.array([(70, 60), (75, 210)]), 4)
    right = stroke_of(np.array([(190, 60), (200, 210)]), 28)
    drawing = Drawing((left, right))
    whole = drawing.image(36, 2)
    first, second = separate(drawing.layers(), 36, 2)
    # They lie apart: each half of the picture is one of them.
    np.testing.assert_allclose(first + second, whole, atol=3e-3)  # but for what is fainter than any ink
    assert not first[:, 20:].any()
    assert not second[:, :16].any()
    assert 0.5 < first.max() < 0.99 < second.max()  # as light as it is in the picture of both
    crossing = Drawing((left, stroke_of(np.array([(60, 130), (210, 140)]), 18)))
    parts = separate(crossing.layers(), 36, 2)
    np.testing.assert_allclose(parts.max(0), crossing.image(36, 2), atol=0.26)  # but where they cross
    assert np.abs(parts.max(0) - crossing.image(36, 2)).mean() < 0.004
    np.testing.assert_allclose(separate(crossing.layers()[:1])[0], Drawing((left,)).image(), atol=3e-3)


def test_more_strokes_than_can_be_told_go_with_the_last() -> None:
    turn = [2 * math.pi * k / 15 for k in range(16)]
    ring = [(140 + 80 * math.cos(angle), 140 + 80 * math.sin(angle)) for angle in turn]
    drawing = Drawing(tuple(stroke_of(np.array(ring[k : k + 2]), 12) for k in range(15)))
    parts = overlap.strokes_apart(drawing, SHAPE, np.zeros((36, 36)))
    assert len(parts) == 12
    assert parts[11].sum() > 2.5 * parts[10].sum()  # four of fifteen
    picture = np.full((28, 28), 7, np.uint8)
    seen = np.full((36, 36), 0.5)
    assert overlap.strokes_apart(Drawing(picture=picture), SHAPE, seen).tolist() == [seen.tolist()]


def test_a_picture_is_placed_and_what_leaves_the_field_is_cut_off() -> None:
    image = np.arange(1, 10).reshape(3, 3)
    for right, down in ((0, 0), (2, -1), (-3, 3), (9, 9)):
        wanted = np.zeros((7, 7), int)
        for y in range(3):
            for x in range(3):
                if 0 <= y + 2 + down < 7 and 0 <= x + 2 + right < 7:
                    wanted[y + 2 + down, x + 2 + right] = image[y, x]
        assert spread.placed(image, 7, right, down).tolist() == wanted.tolist()


def test_spread_pairs_lie_from_0_to_8_pixels_apart_and_lose_nothing() -> None:
    images = np.zeros((20, 28, 28), np.uint8)
    images[:, 4, 4] = images[:, 23, 23] = 200  # the corners of the box that digits fill
    labels = np.arange(20) % 10
    parts, classes = spread.spread_pairs(images, labels, 400, np.random.default_rng(3))
    assert (classes[:, 0] != classes[:, 1]).all()
    assert (parts == 200).sum((2, 3)).tolist() == [[2, 2]] * 400  # both corners are still there
    where = np.array([[np.argwhere(part)[0] for part in pair] for pair in parts])
    apart = np.abs(where[:, 0] - where[:, 1]).max(1)
    counts = np.bincount(apart, minlength=9)
    assert len(counts) == 9
    assert counts.min() > 25  # of 400 / 9, all are as frequent
    again, _ = spread.spread_pairs(images, labels, 400, np.random.default_rng(3))
    assert (again == parts).all()


def test_how_much_two_hide_of_each_other_by_hand() -> None:
    parts = np.zeros((3, 2, 4, 4), np.uint8)
    parts[0, 0, :2, :2], parts[0, 1, 1:3, 1:3] = 100, 100  # one pixel of four
    parts[1, 0, 0, 0], parts[1, 1, 3, 3] = 100, 100
    parts[2, 0, :, :], parts[2, 1, 1, :2] = 100, 200  # all that it has lies under the other, half as light
    assert spread.hidden(parts).tolist() == [0.25, 0, 0.5]
    assert spread.merged(parts)[2, 1].tolist() == [255, 255, 100, 100]


def test_errors_by_overlap_by_hand() -> None:
    found = np.array([[True, True], [True, False], [True, True], [False, False]])
    rows = by_overlap(found, np.array([0.0, 0.05, 0.31, 1.0]))
    assert [(row["low"], row["high"], row["pairs"], row["wrong"]) for row in rows] == [
        (0, 0.1, 2, 1),
        (0.3, 0.4, 1, 0),
        (0.9, 1, 1, 1),
    ]
    assert [row["error_rate"] for row in rows] == [0.5, 0, 1]
    assert [row["found"] for row in rows] == [0.75, 1, 0]
    low, high = rows[0]["interval"]
    assert (low, high) == pytest.approx((0.0945, 0.9055), abs=1e-3)  # Wilson's, of 1 of 2


def test_what_sees_only_what_is_not_hidden_errs_by_how_much_is() -> None:
    images = np.zeros((60, 28, 28), np.uint8)
    labels = np.arange(60) % 10
    for image, label in zip(images, labels, strict=True):
        image[4:24, 4:24] = 20 + 10 * label  # its level says which it is

    def predict(shown: np.ndarray) -> np.ndarray:
        """How much of each level is there by itself: nothing counts of a digit that lies over another for the most part."""
        lengths = np.zeros((len(shown), 10))
        for k, image in enumerate(np.rint(255 * shown).astype(int)):
            for label in range(10):
                lengths[k, label] = max(0, (image == 20 + 10 * label).sum() - 150)
        return lengths

    result = read_spread(predict, images, labels, 300)
    assert result["pairs"] == sum(row["pairs"] for row in result["bins"]) == 300
    rates = [row["error_rate"] for row in result["bins"]]
    assert rates[0] < 0.2
    assert rates[-1] > 0.8


# --- the plain network -----------------------------------------------------------------------------------


def test_the_plain_networks_sizes_by_hand() -> None:
    spec = find(CNN)
    assert (spec.shape.size, spec.shape.answers, spec.shape.score, spec.offers) == (
        36,
        2,
        INDEPENDENT,
        frozenset(),
    )
    with torch.device("meta"):
        net = spec.build(spec)
    side = 36
    for kernel, stride in ((5, 1), (3, 2), (3, 1), (3, 2)):
        side = (side - kernel) // stride + 1
    assert side == spec.layers[0].facts["whole"] == net.trunk.whole.kernel_size[0] == 6
    convolutions = 32 * 26 + 64 * (32 * 9 + 1) + 64 * (64 * 9 + 1) + 128 * (64 * 9 + 1)
    normalised = 2 * (32 + 64 + 64 + 128)
    count = convolutions + normalised + 128 * 37 + 10 * 129
    assert sum(p.numel() for p in net.parameters()) == count
    assert 2 * count < 6e6  # bytes in half precision


def test_each_probability_is_by_itself() -> None:
    logits = torch.tensor([[0.0, 2.0, -1.0], [3.0, 3.0, 3.0]])
    shape = Shape(36, ("a", "b", "c"), "shape", score=INDEPENDENT, answers=2)
    wanted = [[1 / (1 + math.exp(-value)) for value in row] for row in logits.tolist()]
    torch.testing.assert_close(scores_of(logits, shape), torch.tensor(wanted))
    alone = replace(shape, score=PROBABILITY, answers=1)
    torch.testing.assert_close(scores_of(logits, alone), logits.softmax(1))
    # -log of what is there, -log(1 - p) of what is not: the first image shows b and c, the second nothing.
    loss = 0.0
    for row, there in zip(wanted, ({1, 2}, set()), strict=True):
        loss += sum(-math.log(p if k in there else 1 - p) for k, p in enumerate(row))
    found = binary_cross_entropy(logits, torch.tensor([[1, 2], [-1, -1]]))
    assert float(found) == pytest.approx(loss / 2, rel=1e-5)
    twice = binary_cross_entropy(logits[:1], torch.tensor([[1, 1]]))
    target = torch.tensor([[0.0, 1.0, 0.0]])
    assert float(twice) == pytest.approx(
        float(F.binary_cross_entropy(scores_of(logits[:1], shape), target, reduction="sum"))
    )


def test_what_its_card_says_of_it(kept: Path) -> None:
    card = weights.load_card(kept / CNN / "weights.safetensors")
    said = " ".join((loss(card), departures(card), card_table(card), *limits(card)))
    assert r"\sigma(z_k)" in said
    assert "as many second highest are lower as third highest are higher" in said
    assert "the second with stride 2 as well" in said
    assert not [
        word for word in ("softmax", "longest", "equally probable", "capsules are shorter") if word in said
    ]


def test_several_answers_need_scores_that_need_not_sum_to_1() -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        Shape(36, ("a", "b"), "shape", score=PROBABILITY, answers=2)


# --- what a browser sends --------------------------------------------------------------------------------


def test_what_is_laid_over_is_read() -> None:
    sent = {"example": 3, "right": -8, "down": 8, "number": 5}
    assert parse_laid(sent, 19) == Laid(3, -8, 8, 5)
    assert parse_laid(sent | {"example": None}, 19).example is None


@pytest.mark.parametrize(
    "change",
    [
        {"example": 19},
        {"example": -1},
        {"example": "3"},
        {"example": True},
        {"right": 9},
        {"right": 0.5},
        {"down": -9},
        {"down": None},
        {"number": -1},
        {"number": "1"},
    ],
)
def test_what_cannot_be_laid_over_is_refused(change: dict[str, Any]) -> None:
    sent = {"example": 3, "right": 0, "down": 0, "number": 5}
    with pytest.raises(MessageError) as caught:
        parse_laid(sent | change, 19)
    reference.assert_one_sentence(caught.value)
    for strange in (None, [], "x", {}, {"example": 1}):
        with pytest.raises(MessageError):
            parse_laid(strange, 19)


# --- in the app -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    for name in (OVERLAP, CNN):
        untrained.write(folder, name)
    return folder


@pytest.fixture
def with_weights(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server that has weights of the networks of pairs alone."""
    for name in (OVERLAP, CNN):
        session._loaded.pop(name, None)
    monkeypatch.setattr(weights, "DIRECTORY", kept)
    yield kept
    for name in (OVERLAP, CNN):
        session._loaded.pop(name, None)


def opened(network: str = OVERLAP, page: str = "overlap", **asked: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.query_params["network"] = network
    for name, value in asked.items():
        app.query_params[name] = value
    app.run()
    app.switch_page(f"../../pages/{page}.py").run()
    assert not app.exception
    return app


def test_the_page_is_there_only_with_a_network_that_names_two(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = [page.name for page in pages.pages()]
    assert "overlap" in everywhere
    monkeypatch.setattr(weights, "DIRECTORY", tmp_path)  # no weights at all: pages say so
    assert [page.name for page in pages.offered()] == [name for name in everywhere if name != "overlap"]
    (tmp_path / CNN).symlink_to(kept / CNN)  # names two, and draws nothing
    assert "overlap" not in [page.name for page in pages.offered()]
    (tmp_path / OVERLAP).symlink_to(kept / OVERLAP)
    assert [page.name for page in pages.offered()] == everywhere


def test_another_network_is_offered_the_one_that_can(with_weights: Path) -> None:
    app = opened(CNN)
    assert "need a network that has learnt to read two" in shown(app)
    assert app.button(key=f"choose_{OVERLAP}").label == f"Switch to “{find(OVERLAP).title}”"


def test_the_page_shows_what_the_network_says_and_two_are_guessed(with_weights: Path) -> None:
    app = opened()
    payload = component(app)
    assert payload["size"] == 36
    assert payload["sees"] in ("none", "unsure", "one", "two", "more")
    assert len(payload["lengths"]) == 10
    assert payload["order"] == np.argsort(-np.array(payload["lengths"]), kind="stable").tolist()
    # Before anybody has drawn or chosen: an example of another class lies over it, so that two are seen.
    drawn, laid = (examples_for("digit")[place] for place in (0, payload["laid"]["example"]))
    assert drawn.shows != laid.shows
    assert payload["suggested"]
    assert payload["link"]["moved"] == [0, 16, 2]
    assert "not been measured" in shown(app)
    # What a link says of the drawing stays as it is, and so does what somebody draws or chooses.
    with_link = opened(drawing=encode(Drawing(example=0)))
    drawn_on = opened()
    drawn_on.session_state[HISTORY_KEY][-1] = Drawing(
        (stroke_of(np.array([(0, 0), (90, 90)]), 9),), example=0
    )
    chosen = opened()
    chosen.session_state[overlap.LAID_KEY] = Laid()
    for other in (with_link, drawn_on.run(), chosen.run(), opened(lock="drawing"), opened(hide="laid")):
        own = component(other)
        assert own["laid"]["example"] is None
        assert not own["suggested"]
    app = opened(answer="hidden")
    assert not components(app)  # nothing that tells
    assert guess.SEVERAL_KEY in [element.key for element in app.button_group]


@pytest.mark.parametrize(
    ("name", "page"), [(OVERLAP, "draw"), (OVERLAP, "routing"), (OVERLAP, "pose"), (CNN, "draw")]
)
def test_each_page_opens_with_networks_that_name_two(name: str, page: str, with_weights: Path) -> None:
    html = shown(opened(name, page))
    assert "Traceback" not in html


def component(app: AppTest) -> dict[str, Any]:
    """The header of what the page's view is sent."""
    (found,) = components(app)
    data = found.proto.bytes if hasattr(found.proto, "bytes") else b""
    size = int.from_bytes(data[:4], "little")
    header: dict[str, Any] = json.loads(data[4 : 4 + size])
    return header


def components(app: AppTest) -> list[Any]:
    return [one for one in app.get("bidi_component") if one.proto.component_name == "capsviz_overlap"]


def test_two_guesses_are_held_against_the_two_that_are_read(with_weights: Path) -> None:
    app = opened(page="draw", answer="hidden")
    scores = load_model(OVERLAP, "cpu").predict(Drawing(example=0).image(36, 2)[None])[0]
    # Of no training all are short, and the limit is 0: the two longest are the answer.
    read = sorted(np.argsort(-scores, kind="stable")[:2].tolist())
    (pills,) = [element for element in app.button_group if element.key == guess.SEVERAL_KEY]
    pills.set_value([str(read[1])]).run()
    assert "covered" in shown(app)  # one may not be all
    (pills,) = [element for element in app.button_group if element.key == guess.SEVERAL_KEY]
    pills.set_value([str(place) for place in reversed(read)]).run()
    said = " + ".join(map(str, read))
    assert f"You said {said}, and it reads {said}." in shown(app) or "names no digit" in shown(app)


def test_how_large_both_networks_are_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth.session, "spec", lambda: find(CNN))
    sizes = ["Plain CNN, overlapping digits 136,714", "CapsNet, overlapping digits 9,425,664"]
    assert growth._sentences()[-1] == f"Parameters without a decoder: {'; '.join(sizes)}."


def test_new_pairs_that_have_been_read_are_drawn(with_weights: Path) -> None:
    app = opened()
    found = {name: [np.ones((20, 2), bool)] for name in (OVERLAP, CNN)}
    app.session_state[RUN_KEY] = Run(1, stopped=True, found=found)
    app.run()
    assert not app.exception
    assert shown(app).count("20 new pairs, seed 1") >= 2  # of each network, in the table below the chart too
    assert app.button(key="growth_repeat").label == "Repeat it on 500 new pairs"
    app.session_state[RUN_KEY] = Run(1, found={OVERLAP: found[OVERLAP], CNN: []})
    app.run()
    assert app.button(key="growth_stop").label == "Stop"
    assert len(app.session_state[RUN_KEY].found[CNN]) == 1  # the one that is behind has read on
    app.button(key="growth_stop").click().run()
    assert app.session_state[RUN_KEY].stopped


def test_a_run_goes_on_until_all_networks_have_read_all() -> None:
    run = Run(1, found={"a": [np.zeros((20, 2))], "b": []})
    assert (run.done, run.goes_on) == (0, True)
    run.found["b"].append(np.zeros((500, 2)))
    assert run.done == 20
    run.found["a"].append(np.zeros((480, 2)))
    assert (run.done, run.goes_on) == (500, False)
    assert not Run(1, stopped=True, found={"a": []}).goes_on


def test_the_library_loads_it_by_its_short_name(with_weights: Path) -> None:
    model = load_model("overlap", "cpu")
    assert model.predict(np.zeros((2, 36, 36), np.float32)).shape == (2, 10)
    trace = load_model("cnn-overlap", "cpu").trace(canvas_to_mnist(Drawing(example=0).pixels(), size=36))
    np.testing.assert_allclose(trace.scores[0], 1 / (1 + np.exp(-trace.logits)), rtol=1e-6)


# --- in the browser -------------------------------------------------------------------------------------


def test_the_scripts_numbers_by_hand(tmp_path: Path) -> None:
    scripting.write(tmp_path, "overlaps", "pens")
    page = 'import * as o from "./overlaps.mjs"; import * as p from "./pens.mjs"; globalThis.window = { addEventListener() {} };'
    found = scripting.evaluate(
        tmp_path,
        page,
        """
        const pixels = new Uint8ClampedArray(8);
        o.mix(pixels, [
          { picture: [255, 51], colour: [255, 128, 0], weight: 1 },
          { picture: [255, 0], colour: [0, 128, 255], weight: 0.5 },
        ]);
        const pens = [{ down: 0, up: 300 }, { down: 900, up: 1200 }, { down: 2200, up: 2500 }];
        return {
          weights: [0, 25, 50, 75, 100].map(o.weightsOf),
          pixels: [...pixels],
          colour: o.channels("#ff6eba"),
          error: o.squaredError([255, 0, 51], [0, 0, 0]),
          ink: o.inkOf([255, 51, 0]),
          both: [...o.together([[1, 9], [5, 2], [7, 7]], (at) => at < 2)],
          none: o.together([[1]], () => false),
          crossed: [o.crossed([[9, 0], [0, 9]], [[8, 0], [0, 8]]), o.crossed([[9, 0], [0, 9]], [[0, 8], [8, 0]])],
          usual: [
            o.usualSecond({ count: 3, below: true, pause: null }),
            o.usualSecond({ count: 4, below: false, pause: 3 }),
            o.usualSecond({ count: 2, below: false, pause: null }),
            o.usualSecond({ count: 3, below: false, pause: null }),
            o.usualSecond({ count: 1, below: false, pause: null }),
            o.usualSecond({ count: 12, below: false, pause: 14 }),
          ],
          extended: [o.extended(0b10, 2, 4), o.extended(0b01, 2, 4), o.extended(0b111, 2, 2)],
          pause: [p.beforePause(pens, 3), p.beforePause(pens.slice(0, 2), 2), p.beforePause(pens, 2), p.beforePause([], 0)],
        };
        """,
    )
    assert found == {
        "weights": [[1, 0], [1, 0.5], [1, 1], [0.5, 1], [0, 1]],
        "pixels": [255, 192, 128, 255, 51, 26, 0, 255],
        "colour": [255, 110, 186],
        "error": pytest.approx(1.04),
        "ink": pytest.approx(1.2),
        "both": [5, 9],
        "none": None,
        "crossed": [False, True],
        "usual": [0b110, 0b1000, 0b10, 0, 0, 0],
        "extended": [0b1110, 0b0001, 0b11],
        "pause": [2, None, None, None],
    }


def test_pens_that_were_set_down_are_kept_and_let_go_of(tmp_path: Path) -> None:
    scripting.write(tmp_path, "pens")
    page = """
        const on = {};
        globalThis.window = { addEventListener: (name, act) => (on[name] = act), removeEventListener() {} };
        const { Pens, drawnStrokes } = await import("./pens.mjs");
    """
    found = scripting.evaluate(
        tmp_path,
        page,
        """
        const canvas = { addEventListener: (name, act) => (canvas[name] = act), removeEventListener: (name) => delete canvas[name] };
        const pens = new Pens();
        pens.watch(canvas);
        pens.told("1", 0);
        for (let k = 0; k < 3; k++) { canvas.pointerdown(); on.pointerup(); }
        const seen = [drawnStrokes().length, drawnStrokes().every(({ down, up }) => up >= down && up < Infinity)];
        pens.told("1", 1); // said again: the last ones are on their way
        seen.push(drawnStrokes().length);
        pens.told("2", 2); // undone
        seen.push(drawnStrokes().length);
        pens.unmount();
        seen.push("pointerdown" in canvas);
        return seen;
        """,
    )
    assert found == [3, True, 3, 2, False]
