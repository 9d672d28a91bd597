"""Networks that route in one pass, or have no capsules: through the library, and as figures say what they made of an image."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reference import assert_one_sentence
from safetensors.numpy import load_file

from capsviz import figures
from capsviz.app.messages import Sweep, parse_motion
from capsviz.app.pose import status
from capsviz.errors import CapsvizError, MessageError
from capsviz.figures.pose import pose_payload, pose_unit
from capsviz.figures.reading import verdict
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.models.model import Model, load_model
from capsviz.networks.base import find
from capsviz.texts import texts
from capsviz.traces.attention import AttentionTrace
from capsviz.traces.base import PROBABILITY
from capsviz.traces.plain import PlainTrace
from tests import untrained

NAMES = ("attention.mnist", "attention.letters", "cnn.mnist", "cnn.decoder.mnist")
TWO = canvas_to_mnist(render(EXAMPLES[0].strokes, EXAMPLES[0].width))
PLAIN, DECODER = find("cnn.mnist").shape, find("cnn.decoder.mnist").shape
ATTENTION, LETTERS = find("attention.mnist").shape, find("attention.letters").shape


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    for name in NAMES:
        untrained.write(folder, name)
    return folder


@pytest.fixture(scope="module")
def models(folder: Path) -> dict[str, Model]:
    return {name: load_model(folder / name, "cpu") for name in NAMES}


def plain_trace(logits: list[float], v: np.ndarray | None = None) -> PlainTrace:
    """A trace with these logits; the second of its three maps is the brightest, and so is the third of its six numbers."""
    features = np.zeros((3, 24, 24), np.float32)
    features[1] = 4
    whole = np.array([0, 1, 5, 0, 0, 2.5], np.float32)
    shape = PLAIN if v is None else DECODER
    return PlainTrace(TWO, features, whole, np.array(logits, np.float32), v, shape)


def attention_trace() -> AttentionTrace:
    """Capsule 3 votes for class 2 with 0.6, capsule 5 against it with 0.2; all others say nothing."""
    u_hat = np.zeros((16, 10, 16), np.float32)
    u_hat[3, 2, 0], u_hat[5, 2, 0] = 6, -2
    c = np.full((1, 16, 10), 0.1, np.float32)
    s = np.zeros((1, 10, 16), np.float32)
    s[0, 2, 0] = 0.4
    v = s.copy()
    v[0, 2, 0] = 0.5
    return AttentionTrace(
        **{"image": TWO, "features": np.zeros((32, 24, 24)), "u": np.zeros((16, 8)), "u_hat": u_hat},
        **{"b": np.zeros((1, 16, 10)), "c": c, "s": s, "v": v, "shape": ATTENTION},
        prior=np.zeros((16, 10)),
    )


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())


def pictures(html: str) -> list[np.ndarray]:
    found = re.findall(r"data:image/png;base64,([\w+/=]+)", html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


def words(html: str) -> str:
    said = re.findall(r'(?:alt|title|aria-label)="([^"]*)"', html)
    return " ".join([re.sub(r"<[^>]*>", " ", html), *said])


# --- the library ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_iterates_one_iteration_is_all_there_is(models: dict[str, Model], name: str) -> None:
    model = models[name]
    trace, scores = model.trace(TWO), model.predict(TWO[None])
    np.testing.assert_allclose(trace.scores, scores, atol=1e-5)
    np.testing.assert_array_equal(model.trace(TWO, 1).scores, trace.scores)
    for asked in (None, 1):
        np.testing.assert_allclose(model.scores_by_iteration(TWO[None], asked)[:, 0], scores, atol=1e-5)
    for call in (lambda: model.trace(TWO, 3), lambda: model.lengths_by_iteration(TWO[None], 2)):
        with pytest.raises(CapsvizError, match=re.escape(name)) as caught:
            call()
        assert_one_sentence(str(caught.value), "1 iteration")
    if model.shape.score == PROBABILITY:
        assert scores.sum() == pytest.approx(1, abs=1e-6)


def test_a_network_without_a_decoder_says_that_it_draws_nothing(models: dict[str, Model]) -> None:
    model = models["cnn.mnist"]
    for call in (lambda: model.decode(np.zeros(16), 3), lambda: model.reconstructions(model.trace(TWO))):
        with pytest.raises(CapsvizError, match="no decoder") as caught:
            call()
        assert_one_sentence(str(caught.value), "dynamic.mnist")


def test_what_a_network_without_capsules_draws_follows_from_the_numbers_of_one_class(
    models: dict[str, Model], folder: Path
) -> None:
    model = models["cnn.decoder.mnist"]
    trace = model.trace(TWO)
    np.testing.assert_allclose(trace.v[0].sum(1), trace.logits, atol=1e-4)
    kept = load_file(folder / "cnn.decoder.mnist" / "weights.safetensors")
    layers = sorted({name.rpartition(".")[0] for name in kept if name.startswith("decoder")})
    values = np.zeros(160)
    values[7 * 16 : 8 * 16] = trace.v[0, 7]
    for place, layer in enumerate(layers):
        values = kept[f"{layer}.weight"].astype(float) @ values + kept[f"{layer}.bias"]
        values = 1 / (1 + np.exp(-values)) if place == 2 else np.maximum(values, 0)
    assert len(layers) == 3
    np.testing.assert_allclose(model.reconstructions(trace)[0, 7].ravel(), values, atol=1e-4)
    np.testing.assert_allclose(model.decode(trace.v[0, 7], 7).ravel(), values, atol=1e-4)


# --- the card of the answer -------------------------------------------------------------------------------


def test_a_softmax_is_said_to_be_one() -> None:
    shares = softmax(np.arange(10.0))
    sure = figures.reading_card(TWO, shares, PLAIN, 0.5)
    assert re.search(r'>probability<b data-testid="length">0\.63<', sure)  # 1 - 1/e of the last, nearly
    assert 'data-testid="doubt">No lengths: a softmax shares 100% out' in sure
    assert 'title="p of digit 9 is 0.632"' in sure
    unsure = figures.reading_card(TWO, shares, PLAIN, 0.7, data="MNIST")
    assert re.search(r'cv-unsure.*>unsure<b data-testid="length">0\.63<', unsure)
    assert "over 99% of the MNIST digits held out, the highest probability reaches 0.70" in unsure
    assert not re.search(r"capsule|\|v\|", words(sure + unsure))


def test_a_softmax_never_says_that_nothing_is_there() -> None:
    even = np.full(26, 1 / 26, np.float32)  # below what absent capsules have
    assert verdict(even, 0.7, PROBABILITY) == "unsure"
    assert verdict(even, 0.7) == "no digit"
    shape = replace(LETTERS, grid=None, components=0, pose=0, routing="", score=PROBABILITY)
    html = figures.reading_card(TWO, even, shape, 0.7)
    assert 'data-testid="answer">A<' in html
    assert "no letter<" not in html


def test_letters_have_two_rows_of_bars_and_digits_one() -> None:
    assert "--classes:13" in figures.reading_card(TWO, np.zeros(26), LETTERS, 0.5)
    assert "--classes:10" in figures.reading_card(TWO, np.zeros(10), ATTENTION, 0.5)
    assert "Perhaps no letter" in figures.reading_card(TWO, np.full(26, 0.3), LETTERS, 0.5)
    bars = figures.lengths_bars(np.linspace(0, 1, 26), LETTERS.classes, "letter")
    assert "--rows:13" in bars
    assert bars.count('class="cv-scale"') == 2
    assert figures.lengths_bars(np.zeros(13)).count('class="cv-scale"') == 1
    # Of an odd number the first row, or column, has one more.
    odd = replace(LETTERS, classes=LETTERS.classes[:15])
    assert "--classes:8;" in figures.reading_card(TWO, np.zeros(15), odd, 0.5)
    assert "--rows:8" in figures.lengths_bars(np.zeros(15), odd.classes, "letter")


def test_names_of_more_than_two_characters_are_written_smaller() -> None:
    for names, long in ((("10", "11"), False), (("cat", "10"), True)):
        shape = replace(ATTENTION, classes=names, kind="class")
        html = figures.reading_card(TWO, np.array([0.9, 0.1]), shape, 0.5)
        assert ("cv-long" in html) == long


# --- the way of the image ---------------------------------------------------------------------------------


def test_the_strip_of_a_plain_network_has_numbers_and_probabilities_and_redraws_nothing() -> None:
    html = figures.pipeline_strip(plain_trace([0, 0, 3, 0, 0, 0, 0, 0, 0, 0]))
    _, mosaic, numbers = pictures(html)
    assert tuple(mosaic[0, ::25]) == (255, 0, 0)  # 3 x 3 maps of 24 x 24 with a gap of 1
    np.testing.assert_array_equal(numbers, [[0, 51, 255], [0, 0, 128]])
    assert "3 of 6 are above 0; white is 5.0." in html
    assert re.search(r'cv-longest".*?cv-numeral">2<.*?cv-value">0\.69<', html, re.DOTALL)  # e^3 / (e^3 + 9)
    assert "left:50%" in html
    assert "left:10%" not in html
    said = words(html)
    assert "Ten probabilities" in said
    assert "dense layer, softmax" in said
    assert not re.search(r"[Cc]apsule|length|Redrawn|\|s\|", said)


def test_the_strip_of_attention_has_a_bar_for_each_capsule() -> None:
    html = figures.pipeline_strip(attention_trace(), np.zeros((28, 28)))
    bars = re.findall(
        r'<li title="capsule (\d+): (\S+)% of \|s\|"><span class="(\S+)" style="width:(\S+)%', html
    )
    assert len(bars) == 16
    # 0.1 * 6 and 0.1 * -2 of |s| = 0.4; the longest bar takes its half of the width.
    assert bars[3] == ("3", "150", "cv-makes", "50.0")
    assert bars[5] == ("5", "−50", "cv-takes", "16.7")
    said = words(html)
    assert "vote for 2," in said
    assert "the strongest makes 150% of |s|." in said
    assert "attention, one pass" in said
    assert "iteration" not in said
    assert "places" not in said
    assert "From nothing but the 16 numbers of capsule 2." in said
    # Capsule 5 against it with more than the others for it: |s| = 0.4 of 0.6 - 0.8 + 0.6.
    trace = attention_trace()
    u_hat = trace.u_hat.copy()
    u_hat[5, 2, 0], u_hat[7, 2, 0] = -8, 6
    said = words(figures.pipeline_strip(replace(trace, u_hat=u_hat), np.zeros((28, 28))))
    assert "the strongest takes 200% of |s| away." in said


def test_a_plain_trace_has_poses_where_its_shape_has_some() -> None:
    with pytest.raises(ValueError, match="without poses made some"):
        replace(plain_trace([0.0] * 10), v=np.zeros((1, 10, 16)))


def test_what_a_plain_network_redraws_is_of_no_capsule() -> None:
    v = np.zeros((1, 10, 16), np.float32)
    v[0, 4] = 0.25
    trace = plain_trace(v.sum(2)[0].tolist(), v)
    drawn = np.zeros((10, 28, 28), np.float32)
    html = figures.pipeline_strip(trace, drawn[4]) + figures.reconstruction_panels(trace, drawn)
    said = words(html)
    assert "From nothing but the 16 numbers of digit 4, whose sum is its logit." in said
    assert "What would each digit’s numbers have drawn?" in said
    assert re.search(r'title="4: probability 0\.858, squared error', html)  # e^4 / (e^4 + 9)
    assert not re.search(r"[Cc]apsule|length", said)


class Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_of_every_kind_is_well_formed(models: dict[str, Model], name: str) -> None:
    model = models[name]
    trace = model.trace(TWO)
    drawn = model.reconstructions(trace)[-1] if trace.shape.pose else None
    htmls = [figures.pipeline_strip(trace, None if drawn is None else drawn[trace.prediction])]
    htmls.append(figures.reading_card(trace.image, trace.scores[-1], trace.shape, 0.5))
    if drawn is not None:
        htmls.append(figures.reconstruction_panels(trace, drawn))
    for html in htmls:
        balance = Balance()
        balance.feed(html)
        assert not balance.open
        kinds = {"digit", "letter"} - {trace.shape.kind}
        assert not re.search(rf"\b({'|'.join(kinds)})s?\b", words(html).replace("MNIST’s digits", ""))


# --- poses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("largest", "unit"), [(0.01, 0.2), (0.19, 0.2), (0.7, 1), (1.0, 1), (1.3, 2), (4.9, 5), (7, 10), (11, 20)]
)
def test_moves_of_unbounded_numbers_are_as_large_as_the_numbers(largest: float, unit: float) -> None:
    v = np.zeros((1, 10, 16), np.float32)
    v[0, 3, 2] = largest
    v[0, 5] = -50  # of another class than the answer
    payload = pose_payload(plain_trace(v.sum(2)[0].tolist(), v), np.zeros((28, 28)), {}, None, "weights")
    assert (payload["unit"], payload["score"], payload["farthest"]) == (pytest.approx(unit), PROBABILITY, 100)
    assert payload["scores"] == pytest.approx(softmax(v.sum(2)[0]).tolist(), abs=1e-6)
    assert pose_unit(attention_trace()) == 1


def test_the_status_of_a_pose_is_its_length_or_its_logit() -> None:
    v = np.zeros((1, 10, 16), np.float32)
    v[0, 3, 2] = 2
    trace = plain_trace(v.sum(2)[0].tolist(), v)
    pose = np.zeros(16)
    pose[:2] = 1.5, 2.5
    share = softmax(np.array([0, 0, 0, 4.0, 0, 0, 0, 0, 0, 0]))[3]
    assert status(trace, pose) == f"digit 3: logit 4.00 (their sum), p = {share:.3f}"
    pose[:2] = 0.3, 0.4
    assert status(attention_trace(), pose) == "capsule 2, |v| = 0.500"


def test_a_request_may_have_numbers_that_no_capsule_has() -> None:
    sweep = {"kind": "sweep", "number": 1, "digit": 3, "pose": [60.0] * 16, "dimension": 2, "span": 30}
    found = parse_motion(sweep, DECODER)
    assert isinstance(found, Sweep)
    assert (found.pose[0], found.span) == (60.0, 30.0)
    for shape, pose, span in ((DECODER, 101, 1), (DECODER, 1, 51), (ATTENTION, 2.1, 1), (ATTENTION, 1, 1.1)):
        with pytest.raises(MessageError):
            parse_motion(sweep | {"pose": [float(pose)] * 16, "span": span}, shape)


def test_every_text_of_capsules_on_pose_has_its_fellow_without() -> None:
    """One that names no capsule serves both."""
    known = texts("en")
    for name, text in known.items():
        forms = [text] if isinstance(text, str) else list(text.values())
        if (
            not name.startswith("pose.")
            or name.endswith("Plain")
            or name in ("pose.note.long", "pose.note.short")
        ):
            continue
        if any("capsule" in form or "|v|" in form for form in forms):
            assert f"{name}Plain" in known or name.startswith("pose.link."), name
