"""Every number that a lesson says of a drawing, a network or a measurement is what the shipped weights give, in each language."""

import json

import numpy as np
import pytest

from capsviz.app.lessons import shelf
from capsviz.inputs.drawings import Drawing, Stroke, decode
from capsviz.inputs.examples import EXAMPLES
from capsviz.measures.along import course
from capsviz.measures.poses import load_poses
from capsviz.models.model import Model, load_model
from capsviz.models.weights import beside, locate
from capsviz.texts import languages
from capsviz.traces.routing import RoutingTrace


def said(lesson: str, step: int, *numbers: str) -> None:
    """A lesson's step, from 1, says these numbers, given as in English, in every language; of its question as well."""
    here = shelf().lessons[lesson].steps[step - 1]
    for language in languages():
        words = f"{here.text[language]} {here.ask.get(language, '')}"
        for number in numbers:
            written = number if language == "en" else number.replace(".", ",")
            assert written in words, (lesson, step, written, words)


def drawing(lesson: str, step: int) -> Drawing:
    """What is on the pad when a lesson's step is gone to."""
    steps = shelf().lessons[lesson].steps[:step]
    return decode([step.address["drawing"] for step in steps if "drawing" in step.address][-1])


def example(name: str, kind: str) -> Drawing:
    return Drawing(
        example=next(at for at, found in enumerate(EXAMPLES) if (found.name, found.kind) == (name, kind))
    )


@pytest.fixture(scope="module")
def four(model: Model) -> RoutingTrace:
    trace = model.trace(drawing("agreement", 1).image(28))
    assert isinstance(trace, RoutingTrace)
    return trace


def test_the_four_and_its_strongest_capsule(four: RoutingTrace) -> None:
    lengths = np.linalg.norm(four.v[-1], axis=1)
    assert lengths.argmax() == 4
    said("what-is-a-capsule", 3, f"{lengths[4]:.2f}", "0.1")
    assert np.sort(lengths)[-2] < 0.1
    said("does-routing-help", 1, f"{lengths[4]:.2f}")
    # The capsule whose vote adds most to |s| of the 4, along v.
    weighted = four.c[-1, :, 4, None] * four.u_hat[:, 4]
    strongest = int((weighted @ four.v[-1, 4]).argmax())
    first, second, last = four.c[:, strongest, 4]
    said("agreement", 1, f"{first:.4f}")
    agreement = four.u_hat[strongest] @ four.v[0].T
    assert agreement.diagonal().argmax() == 4
    said("agreement", 3, f"{agreement[4, 4]:.3f}", f"{second:.2f}")
    said("agreement", 4, f"{first:.2f}", f"{second:.2f}", f"{last:.2f}")


def test_lengths_of_drawings(model: Model) -> None:
    first = drawing("why-did-it-win", 1)
    lengths = model.predict(first.image(28)[None])[0]
    assert list(lengths.argsort()[:-3:-1]) == [7, 1]
    assert max(lengths) < model.card["unsure_below"]  # "unsure"
    said("why-did-it-win", 1, f"{lengths[7]:.3f}", f"{lengths[1]:.3f}")
    said("lengths-are-no-probabilities", 1, f"{lengths[7]:.2f}", f"{lengths.sum():.2f}")
    assert f"{lengths[7]:.2f}" == f"{lengths[1]:.2f}"  # "each"
    said("three-networks", 1, f"{lengths[7]:.2f}")
    said("does-routing-help", 4, "R = 1", "R = 3")
    answers = [model.trace(first.image(28), iterations).answer for iterations in (1, 3)]
    assert answers == ["1", "7"]
    for step in (1, 2):
        three = model.predict(drawing("what-it-really-sees", step).image(28)[None])[0]
        assert three.argmax() == 3
        said("what-it-really-sees", 2, f"{three[3]:.3f}")
    for lesson in ("lengths-are-no-probabilities", "three-networks"):
        assert drawing(lesson, 3).image(28).tolist() == first.image(28).tolist()


def test_what_can_be_taken_for_a_digit(model: Model) -> None:
    lengths = model.predict(drawing("fool-it", 1).image(28)[None])[0]
    assert lengths.argmax() == 4
    said("fool-it", 1, f"{lengths[4]:.2f}")
    for letter, digit in (("S", 5), ("B", 8)):
        lengths = model.predict(example(letter, "letter").image(28)[None])[0]
        assert lengths.argmax() == digit
        said("fool-it", 2, f"{lengths[digit]:.2f}", letter)


def test_other_networks_of_the_same_drawing() -> None:
    image = drawing("three-networks", 1).image(28)[None]
    attention, plain = load_model("attention", "cpu"), load_model("cnn", "cpu")
    lengths, shares = attention.predict(image)[0], plain.predict(image)[0]
    assert lengths.argmax() == shares.argmax() == 1
    said("three-networks", 2, f"{lengths[1]:.2f}", f"{lengths[7]:.2f}")
    said("three-networks", 3, f"{shares[1]:.2f}", f"{shares[7]:.2f}")
    said("lengths-are-no-probabilities", 3, f"{shares.sum():.2f}")
    said("lengths-are-no-probabilities", 4, "1.5")
    sums = [attention.predict(example.image(28)[None])[0].sum() for example in _digits()]
    assert 1.4 < np.median(sums) < 1.6
    sizes = {name: sum(load_model(name, "cpu").parameters.values()) for name in ("dynamic", "attention")}
    decoder = {name: load_model(name, "cpu").parameters["decoder"] for name in sizes}
    without = {name: sizes[name] - decoder[name] for name in sizes}
    said("three-networks", 1, f"{without['dynamic'] / 1e6:.1f}")
    said("three-networks", 2, f"{without['attention'] / 1e6:.2f}")
    assert round(without["dynamic"] / without["attention"], -1) == 40  # "a fortieth"
    for name in ("dynamic", "attention", "cnn"):  # "right on over 99.5%"
        assert load_model(name, "cpu").card["test_error"] < 0.005


def test_a_four_beside_a_nine(model: Model) -> None:
    name = "four-or-nine"
    steps = shelf().lessons[name].steps
    nine = decode(steps[0].address["versus"])
    traces = [model.trace(one.image(28)) for one in (drawing(name, 1), nine)]
    lengths = [np.linalg.norm(trace.v, axis=2) for trace in traces]
    assert [trace.prediction for trace in traces] == [4, 9]
    said(name, 1, f"{lengths[0][-1, 4]:.2f}", f"{lengths[1][-1, 9]:.2f}")
    others = lengths[0][-1, 9], lengths[1][-1, 4]
    said(name, 1, f"{max(others):.2f}")
    assert steps[1].address["step"] == "2"  # the first squash
    said(name, 2, f"{lengths[0][0, 4]:.2f}", f"{lengths[1][0, 9]:.2f}")
    halves = []
    for trace, klass in zip(traces, (4, 9), strict=True):
        shares = np.sort(trace.share[-1, :, klass])[::-1]
        halves.append(int(np.searchsorted(np.cumsum(shares), shares.sum() / 2)) + 1)
    said(name, 3, f" {halves[0]} ", f" {halves[1]} ")
    networks = [model, load_model("attention", "cpu"), load_model("cnn", "cpu")]
    image = drawing(name, 1).image(28)
    for network in networks:
        low, high = course(network, image, "rotation").first_wrong(4)
        assert low is not None
        assert high is not None
        said(name, 4, f"−{-6 * low}°", f"{6 * high}°")


def test_letters() -> None:
    lengths = load_model("letters", "cpu").predict(drawing("letters", 1).image(28)[None])[0]
    assert lengths.argmax() == 0
    said("letters", 1, f"{lengths[0]:.3f}", f"{np.sort(lengths)[-2]:.2f}", f"{lengths.sum():.1f}")


def test_what_evaluation_measured() -> None:
    found = json.loads(beside(locate("dynamic.mnist"), "evaluation.json").read_text("utf-8"))
    rows = {row["iterations"]: row for row in found["iterations"]["rows"]}
    one, three, ten = rows[1], rows[3], rows[10]
    winners = f"{one['winner']:.2f}", f"{three['winner']:.2f}", f"{ten['winner']:.3f}"
    seconds = [f"{row['runner_up']:.2f}" for row in (one, three, ten)]
    said("does-routing-help", 2, *winners, *seconds)
    said(
        "does-routing-help", 3, f"{100 * one['same']:.2f}", *(str(row["wrong"]) for row in (one, three, ten))
    )


def test_what_dimension_7_does() -> None:
    digits = load_poses("dynamic.mnist").digits
    assert load_poses("dynamic.mnist").settings.reach == 0.25  # "0.5 more"
    said("dimension-7", 1, f"{abs(digits[2].components[7].effects['thickness'].change):.1f}", "0.5")
    assert digits[2].components[7].effects["thickness"].change < 0  # "thinner"
    strengths = [component.strength for component in digits[2].components]
    assert sorted(strengths, reverse=True).index(strengths[7]) < 3  # "among the strongest"
    said("dimension-7", 2, f"{digits[0].components[7].effects['slant'].change:.0f}°", "0.5")
    wider = digits[8].components[7].effects
    said("dimension-7", 3, f"+{wider['width'].change:.1f}", f"+{wider['slant'].change:.0f}°")


def test_lengths_that_steps_wait_for_can_be_reached(model: Model) -> None:
    """A star leaves every capsule short, as two lessons say: "a star leaves every capsule short", "a star, say"."""
    image = _star().image(28)[None]
    assert model.predict(image)[0].max() < 0.5


def _digits() -> list[Drawing]:
    return [
        Drawing(example=at)
        for at, found in enumerate(EXAMPLES)
        if found.kind == "digit" and "?" not in found.name
    ]


def _star() -> Drawing:
    """Five points, joined in one stroke."""
    angles = -np.pi / 2 + np.arange(6) * 4 * np.pi / 5
    points = np.stack([140 + 100 * np.cos(angles), 140 + 100 * np.sin(angles)], 1)
    return Drawing((Stroke(np.round(2 * points).astype(np.int16), 36),))
