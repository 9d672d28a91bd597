"""The comparison along a change: what is measured, what a browser and a link may ask, what the view is sent."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scripting
from reference import assert_one_sentence
from scripting import evaluate
from test_slides import assert_room

from capsviz import texts
from capsviz.app import address, compare
from capsviz.app.experiments import Trial, trial, trial_text
from capsviz.app.panels import views_of
from capsviz.errors import CapsvizError, MessageError
from capsviz.figures.bundle import bundle
from capsviz.figures.compare import Column, axes, compare_json, compare_table, failing, worded
from capsviz.figures.slides import compare_slide
from capsviz.inputs.changes import CHANGES, Changes, change
from capsviz.measures.along import Coupling, Course, Measuring, course
from capsviz.measures.changes import means, measured
from capsviz.measures.rules import evenness, mean_coupling, packed, row_of, rules, unpacked
from capsviz.models.model import Model
from capsviz.networks.base import find
from capsviz.texts.numbers import number
from capsviz.traces.base import Shape
from capsviz.traces.rules import BIAS
from capsviz.traces.surgery import COUPLINGS, reroute

OFFERED = ["attention.mnist", "cnn.mnist", "cnn.decoder.mnist"]


# --- measured along a change ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "routed"),
    [
        (Coupling(), {}),
        (Coupling(iterations=7), {}),
        (Coupling("maxmin", 2), {"coupling": "maxmin"}),
        (Coupling(bias=True), {"bias": BIAS}),
    ],
)
def test_a_course_is_its_pictures_answered_one_by_one(
    model: Model, seven: np.ndarray, how: Coupling, routed: dict[str, Any]
) -> None:
    others = Changes(rotation=30, noise=0.1)
    found = course(model, seven, "occlusion", others, how)
    assert found.poses is not None
    for place in (0, 5, 40):
        image = change(seven, Changes(rotation=30, noise=0.1, occlusion=place * 0.025))
        np.testing.assert_array_equal(found.images[place], image)
        votes = model.trace(image, 1).u_hat
        expected = reroute(votes, how.iterations or 3, **routed)
        np.testing.assert_allclose(found.poses[place], expected.v[-1], atol=1e-5)
        np.testing.assert_allclose(found.scores[place], expected.lengths, atol=1e-5)


def test_without_a_change_a_course_has_the_live_answer(model: Model, seven: np.ndarray) -> None:
    found = course(model, seven, "scale")
    np.testing.assert_allclose(found.scores[found.same], model.trace(seven).scores[-1], atol=1e-5)


def answering(*answers: int, name: str = "rotation") -> Course:
    shape = Shape(size=1, classes=("a", "b", "c"), kind="shape")
    count = len(CHANGES[name].values)
    all_ = [*answers, *[answers[-1]] * (count - len(answers))]
    return Course(name, np.zeros((count, 1, 1)), np.eye(3)[all_], None, shape)


def test_where_each_first_fails() -> None:
    """61 values of rotation: the thirtieth changes nothing."""
    turned = [1] * 25 + [0] * 10 + [2] * 26
    assert answering(*turned).first_wrong(0) == (-6, 5)
    assert answering(*turned).first_wrong(1) == (0, 0)  # even unchanged
    assert answering(*[0] * 35 + [2]).first_wrong(0) == (None, 5)
    assert answering(0).first_wrong(0) == (None, None)
    assert answering(0, 0, 0, 1, 0, name="noise").first_wrong(0) == (None, 3)


def test_the_axes_of_a_path_are_the_two_that_move_most() -> None:
    poses = np.zeros((4, 5))
    poses[:, 3] = [0, 1, 2, 3]
    poses[:, 1] = [0.5, -0.5, 0.5, -0.5]
    poses[:, 0] = 9  # far away, but still
    assert axes(poses) == (3, 1)


def test_means_are_of_the_true_class_over_the_whole_range() -> None:
    """A reader whose score of class 1 is the mean brightness, of images that are wholly grey."""

    def predict(images: np.ndarray) -> np.ndarray:
        bright = images.mean(axis=(1, 2))
        return np.stack([1 - bright, bright], axis=1)

    images = np.broadcast_to(np.array([0.1, 0.2, 0.3, 0.4])[:, None, None], (4, 8, 8)).astype(np.float32)
    found = means(predict, images, np.array([1, 1, 1, 0]))
    points = {p["amount"]: p for p in found["contrast"]["points"]}
    assert points[1] == {"amount": 1, "mean": 0.3, "low": 0.175, "high": 0.375, "right": 0.25}
    assert points[2] == {
        "amount": 2,
        "mean": 0.35,
        "low": 0.2,
        "high": 0.45,
        "right": 0.25,
    }  # the third, of 0.6
    assert points[0]["mean"] == 0.25
    for name, kind in CHANGES.items():
        at = [p["amount"] for p in found[name]["points"]]
        assert at == sorted(at)
        assert {kind.low, kind.same, kind.high} <= set(at) <= set(kind.values)
        assert at == [kind.at(steps) for steps in measured(name)]
    json.dumps(found)


# --- rules, measured --------------------------------------------------------------------------------------


def test_rules_are_measured_on_the_networks_own_votes(tiny_model: Model) -> None:
    test = tiny_model.spec.data.load("", "test")
    images, labels = test.images.numpy()[:12] / np.float32(255), test.labels.numpy()[:12]
    found = rules(tiny_model, images[:5], images, labels)
    mean = np.mean([tiny_model.trace(image).c[-1] for image in images[:5]], axis=0)
    np.testing.assert_allclose(mean_coupling(tiny_model, images[:5]), mean, atol=1e-5)
    back = unpacked(found["mean"], *mean.shape)
    np.testing.assert_allclose(back, mean, atol=1e-3)
    answers = tiny_model.predict(images).argmax(1)
    own = row_of(found, "routing", False, tiny_model.shape.trained)
    assert own is not None
    assert (own["wrong"], own["images"], own["same"]) == ((answers != labels).sum(), 12, 1)
    for name, bias in (("maxmin", 0.0), ("distance", BIAS)):
        told = [reroute(votes, 10, name, bias=bias).lengths.argmax() for votes in tiny_model.votes(images)]
        row = row_of(found, name, bias > 0, 10)
        assert row is not None
        assert row["wrong"] == (told != labels).sum()
        assert row["same"] == pytest.approx((told == answers).mean())
    assert row_of(found, "maxmin", False, 4) is None
    still = row_of(found, "uniform", False, 4)  # the same after any number of iterations
    assert still is not None
    assert (still["iterations"], still["entropy"], still["averaged"]) == (4, 1, 5)
    assert row_of(None, "routing", False, 3) is None


def test_evenness_is_entropy_as_a_share_of_the_most() -> None:
    c = np.array([[[0.5, 0.5], [1, 0]], [[2, 2], [3, 1]]], float)  # of max-min, they need not sum to 1
    quarter = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(2)
    np.testing.assert_allclose(evenness(c), [0.5, (1 + quarter) / 2])


def test_a_mean_that_is_none_is_refused() -> None:
    mean = np.full((4, 3), 1 / 3)
    np.testing.assert_allclose(unpacked(packed(mean), 4, 3), mean, atol=1e-3)
    for text in ("", "!!!", packed(mean)[:8], packed(mean - 1), packed(mean * np.nan)):
        with pytest.raises(ValueError):  # noqa: PT011 # of base64 or of the size
            unpacked(text, 4, 3)


# --- asked for --------------------------------------------------------------------------------------------


def test_a_comparison_is_what_was_asked_for() -> None:
    asked = {
        "number": 4.0,
        "change": "noise",
        "steps": {"noise": 3, "rotation": -5.0},
        "beside": ["cnn.mnist", "nobody"],
        "coupling": "leaky",
        "iterations": 50,
        "bias": True,
    }
    wanted = Trial(
        4, "noise", Changes(noise=0.075, rotation=-30), ("cnn.mnist",), Coupling("leaky", 50, True)
    )
    assert trial(asked, OFFERED) == wanted
    assert trial(asked | {"ahead": True, "more": 1}, OFFERED) == replace(wanted, ahead=True)
    assert trial(asked | {"ahead": "yes", "more": True}, OFFERED) == replace(wanted, more=True)
    assert trial({}, OFFERED) == Trial()


@pytest.mark.parametrize(
    ("asked", "mentions"),
    [
        (None, "comparison"),
        ([], "comparison"),
        ({"steps": [1]}, "comparison"),
        ({"steps": dict.fromkeys("abcdefghij", 1)}, "comparison"),
        ({"change": "colour"}, "colour"),
        ({"change": None}, "something else"),
        ({"steps": {"<b>": 1}}, "?b?"),
        ({"steps": {"rotation": 31}}, "-30 to 30"),
        ({"steps": {"scale": 0.5}}, "-14 to 14"),
        ({"steps": {"noise": True}}, "0 to 40"),
        ({"beside": "cnn.mnist"}, "2"),
        ({"beside": ["a", "b", "c"]}, "2"),
        ({"coupling": "carried"}, "carried"),
        ({"iterations": 51}, "1 to 50"),
        ({"bias": 2}, "0 to 1"),
        ({"number": -1}, "request"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_sentence(asked: Any, mentions: str) -> None:
    with pytest.raises(MessageError) as caught:
        trial(asked, OFFERED)
    assert_one_sentence(caught.value, mentions)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rotation",
        "rotation.",
        "rotation.31",
        "rotation.5_rotation.6",
        "rotation.1e1",
        "colour.3",
        "a" * 500,
        "rule.x",
        "R.99",
        "bias.2",
        "rotation.5_rule.leaky_rule.leaky",
        "with.a_with.b_with.c",
        "rotation.٣",
    ],
)
def test_a_link_to_no_comparison_says_so(text: str) -> None:
    found = address.read({"compare": text}, lambda name: find(name or "dynamic.mnist").shape)
    assert (found.compare, found.bad) == (None, ("compare",))
    assert 0 < len(found.problem) < 400


def test_networks_beside_tell_the_same_classes_apart() -> None:
    of_digits = compare.candidates(find("dynamic.mnist"))
    assert {"attention.mnist", "cnn.mnist", "cnn.decoder.mnist"} <= set(of_digits)
    assert not {"dynamic.mnist", "attention.letters"} & set(of_digits)
    assert compare.steps("scale", Changes(scale=0.85)) == -3


# --- the page ---------------------------------------------------------------------------------------------


def test_without_a_mean_of_c_a_sentence_says_what_to_do(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    from capsviz.app import measurements, session

    monkeypatch.setattr(session, "model_of", lambda name: model)
    monkeypatch.setattr(measurements, "load_evaluation", lambda name, card: {})
    measurements.measured_of.cache_clear()
    try:
        with pytest.raises(CapsvizError) as caught:
            measurements.mean_coupling("dynamic.mnist")
        assert_one_sentence(caught.value, "evaluate --save")
    finally:
        measurements.measured_of.cache_clear()


def test_a_message_measures_no_more_than_a_hand_waits_for(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = tiny_model.shape.size
    image = np.random.default_rng(1).random((size, size), dtype=np.float32)
    monkeypatch.setattr(compare.session, "model_of", lambda name: tiny_model)
    monkeypatch.setattr(compare.session, "network", lambda: "other")
    monkeypatch.setattr(compare.session, "spec", lambda: SimpleNamespace(shape=tiny_model.shape))
    monkeypatch.setattr(compare.measurements, "measured_of", lambda name: {})
    made: list[tuple[int, int]] = []
    drawing = SimpleNamespace(image=lambda size, digits: made.append((size, digits)) or image)
    now = SimpleNamespace(trace=SimpleNamespace(image=image), drawing=drawing)
    asked = Trial(change="pen", changes=Changes(pen=0.2))

    def known(trial: Trial) -> list[int]:
        course = compare._column("dynamic.mnist", now, trial, whole=False).course  # type: ignore[arg-type]
        for place in np.flatnonzero(course.known):
            seen = change(image, Changes(pen=CHANGES["pen"].values[place]))
            np.testing.assert_allclose(course.scores[place], tiny_model.predict(seen[None])[0], atol=1e-5)
        return np.flatnonzero(course.known).tolist()

    compare._measuring.cache_clear()
    try:
        assert known(asked) == [12]
        assert known(replace(asked, ahead=True)) == [12]  # nobody waits for what is known
        assert known(replace(asked, changes=Changes(pen=-0.5), ahead=True)) == [4, 5, 6, 12]
        assert len(known(replace(asked, more=True))) == 4 + compare.AT_ONCE
        assert not made  # what the page's own network has seen will do
        other = replace(tiny_model.shape, size=size + 1)
        monkeypatch.setattr(compare.session, "spec", lambda: SimpleNamespace(shape=other))
        known(asked)
        assert made == [(size, 1)]
    finally:
        compare._measuring.cache_clear()


# --- in other forms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        Trial(),
        Trial(0, "noise", Changes(noise=0.1, rotation=-30, scale=0.85), ("cnn.mnist",)),
        Trial(0, "down", Changes(), (), Coupling("maxmin", 50, True)),
        Trial(0, "pen", Changes(pen=-1), ("cnn.mnist", "attention.mnist"), Coupling(iterations=3)),
    ],
)
def test_a_comparison_stands_in_a_link_as_it_was(asked: Trial) -> None:
    found = address.read({"compare": trial_text(asked)}, lambda name: find(name or "dynamic.mnist").shape)
    assert (found.compare, found.problem) == (asked, "")


def column(found: Course, name: str = "some") -> Column:
    return Column(name, name.capitalize(), found, None, None, 0.5, 1)


def test_the_answers_are_what_goes_on_stage_first() -> None:
    assert views_of("compare", find("dynamic.mnist"), "networks")[:2] == ("columns", "changes")


def test_networks_share_the_pictures_of_a_change(model: Model, seven: np.ndarray) -> None:
    one, other = (
        Measuring(model, seven, "noise", Changes(rotation=6), Coupling(name)) for name in ("routing", "leaky")
    )
    assert one.course().images is other.course().images
    np.testing.assert_array_equal(one.course().images[4], change(seven, Changes(rotation=6, noise=0.1)))
    for others in (
        (seven, "noise", Changes(rotation=12)),
        (seven, "pen", Changes(rotation=6)),
        (seven * 0.5, "noise", Changes(rotation=6)),
    ):
        assert (Measuring(model, *others).course().images[4] != one.course().images[4]).any()


def test_where_it_fails_is_said_as_it_is() -> None:
    turned = [1] * 25 + [0] * 10 + [2] * 26
    assert failing(answering(*turned), 0) == "First wrong at −36° and at 30°."
    assert failing(answering(*turned), 1) == "Not b, even unchanged."
    assert failing(answering(*[0] * 35 + [2]), 0) == "First wrong at 30°, never below."
    assert failing(answering(*[1] * 25 + [0]), 0) == "First wrong at −36°, never above."
    assert failing(answering(0), 0) == "Right over the whole range."
    assert failing(answering(0, 0, 0, 1, 0, name="noise"), 0) == "First wrong at σ\N{NO-BREAK SPACE}0.075."
    assert [worded("scale", 0.85), worded("occlusion", 0.025), worded("across", -0.5)] == [
        "×\N{NO-BREAK SPACE}0.85",
        "2.5%",
        "−0.5\N{NO-BREAK SPACE}px",
    ]


def test_the_table_has_a_row_for_each_network_and_value() -> None:
    found = answering(0, 0, 0, 1, 0, name="noise")
    head, rows = compare_table([column(found), column(found, "other")])
    assert head == ["network", "noise", "answer", "score is", "score of a", "score of b", "score of c"]
    assert len(rows) == 2 * 41
    assert rows[3] == ["some", 0.075, "b", "length", 0, 1, 0]
    assert rows[41][:3] == ["other", 0, "a"]


def test_the_file_for_people_has_the_changes_that_stay() -> None:
    told = json.loads(
        compare_json([column(answering(0, name="noise"))], Changes(rotation=6, noise=1), {"page": "x"})
    )
    assert (told["change"], told["values"][3], told["origin"]) == ("noise", 0.075, {"page": "x"})
    assert told["changes"]["rotation"] == 6
    assert "noise" not in told["changes"]
    assert told["networks"][0]["scores"][0] == [1, 0, 0]
    assert told["networks"][0]["poses"] is None


@pytest.mark.parametrize("count", [1, 3])
def test_the_slide_says_what_each_network_answers(count: int) -> None:
    points = [
        {"amount": amount, "mean": 0.5, "low": 0.2, "high": 0.8, "right": 0.5} for amount in (0, 0.5, 1)
    ]
    of = answering(*[0] * 10 + [1], name="noise")
    columns = [
        replace(column(of), means={"images": 3, "points": points}),
        replace(column(of), unsure_below=1.0),
        column(of),
    ][:count]
    slide = compare_slide(columns, Changes(noise=0.5, scale=0.85), 0, origin="here")
    written = [text.get_text() for text in slide.axes[0].texts]
    assert written.count("b, 1.00") == count  # noise of 0.5 is the twentieth value
    assert {"noise: σ 0.500", "scale: × 0.85", "lengths, each for itself"} <= set(written)
    assert sum("First wrong at σ 0.250." in text for text in written) == count
    assert written.count("Score of a") == count
    assert "·" not in "".join(written)
    assert_room(slide)


@pytest.mark.parametrize("language", texts.languages())
def test_the_slide_has_room_for_every_change_and_every_name(language: str) -> None:
    """Of three networks with names of two lines, whose sentences have two, too."""
    each = [{"amount": amount, "mean": 0.5, "low": 0.2, "high": 0.8, "right": 0.5} for amount in (-180, 180)]
    turned = answering(*[1] * 25 + [0] * 10 + [2] * 26)
    of = replace(
        column(turned),
        title=find("dynamic.mnist").title,
        means={"images": 1000, "points": each},
        unsure_below=1.01,
    )
    every = Changes(6, 0.2, 1.1, -1, -1, 0.5, 1.2, 0.1, 0.1)
    with texts.speaking(language):
        slide = compare_slide([of, of, of], every, 0, origin="here")
        assert_room(slide)
        written = [text.get_text() for text in slide.axes[0].texts]
        assert written.count(f"a, {number(1.0)} · {texts.say('compare.unsure')}") == 3
        assert " ".join(written).count("digits") == 3


# --- the view's script --------------------------------------------------------------------------------------


def test_a_point_of_a_curve_is_the_nearest_value(tmp_path: Path) -> None:
    """Of 41 values between 100 and 300 pixels, each five from the next; runs of the same answer from value to value."""
    found = evaluate(
        scripting.write(tmp_path, "compare_plot"),
        'import { placeAt, runs } from "./compare_plot.mjs";',
        "const at = (x) => placeAt(x, { left: 100, right: 300 }, { first: -20, last: 20 });"
        "return [[0, 100, 102, 103, 200, 299, 999].map(at), runs([3, 3, 1, 3]), runs([])];",
    )
    assert found == [[0, 0, 0, 1, 20, 40, 40], [[3, 0, 1], [1, 2, 2], [3, 3, 3]], []]


def test_a_path_s_frame_ends_where_its_axes_say(tmp_path: Path) -> None:
    """Numbers from -1 to 1 across and 0 to 0.5 up in 204 x 104 pixels: 200 and 100 of them for 2.24 and as much."""
    found = evaluate(
        scripting.write(tmp_path, "compare_plot"),
        'import { pathScale } from "./compare_plot.mjs";',
        "const of = (points, ...sizes) => Object.values(pathScale(points, ...sizes)).flat(2);"
        "return [of([[-1, 0], [1, 0.5]], 204, 104), of([[3, 5], [3, 5.01]], 104, 104), of([[-20, 0], [10, 1]], 9, 9).at(-1)];",
    )
    unit = 100 / 2.24
    half = [204 / 2 / unit, 104 / 2 / unit]
    assert found[0] == pytest.approx([0, 0.25, unit, -half[0], half[0], 0.25 - half[1], 0.25 + half[1], 1])
    half = 104 / 100 * 0.0112 / 2  # of what moves by a hundredth, with decimals that say so
    assert found[1][3:] == pytest.approx([3 - half, 3 + half, 5.005 - half, 5.005 + half, 3])
    assert found[2] == 0


def test_the_entropy_of_c_says_where_it_is_of_shares(tmp_path: Path) -> None:
    """Of rules by which the coefficients of a primary capsule do not sum to 1, and only of these."""
    votes = np.random.default_rng(0).normal(size=(6, 3, 4)).astype(np.float32)
    sums = {
        name: reroute(votes, 3, name, mean=np.full((6, 3), 1 / 3)).c[-1].sum(axis=1) for name in COUPLINGS
    }
    row = {"wrong": 1, "images": 9, "error_rate": 0.1, "iterations": 3, "same": 1, "entropy": 0.893}
    script = f"{bundle('couplings')} $texts.speak({json.dumps(texts.for_script('coupling'))});"
    (tmp_path / "couplings.mjs").write_text(script, "utf-8")
    found = evaluate(
        tmp_path,
        'import { couplingMeasured } from "./couplings.mjs";',
        f"return {json.dumps([row | {'coupling': name} for name in sums])}.map((row) => couplingMeasured(row, ''));",
    )
    for said, each in zip(found, sums.values(), strict=True):
        assert said.endswith(": 89.3% of the most there can be.")
        assert ("divided by their sum" in said) == (not np.allclose(each, 1, atol=1e-5))


def test_questions_go_one_at_a_time_and_the_latest_waits(tmp_path: Path) -> None:
    found = evaluate(
        scripting.write(tmp_path, "questions"),
        'import { Questions } from "./questions.mjs";',
        """const sent = [];
        const questions = new Questions((number) => sent.push([number, wish]));
        let wish = "a"; questions.ask();
        wish = "b"; questions.ask();
        wish = "c"; questions.ask();
        const before = sent.length;
        questions.answered(0, false);  // of somebody else, earlier
        const still = sent.length;
        questions.answered(1, false);
        questions.answered(2, false);
        wish = "d"; questions.ask();
        questions.unmount();
        return [before, still, sent];""",
    )
    assert found == [1, 1, [[1, "a"], [2, "c"], [3, "d"]]]
