"""Files to take along: each is opened again by another reader, and says where it comes from."""

import csv
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import attending
import numpy as np
import pytest
from PIL import Image
from reference import assert_one_sentence

from capsviz.errors import CapsvizError
from capsviz.figures import export, slides
from capsviz.figures.export import Origin
from capsviz.figures.handout import routing_html
from capsviz.figures.slides import base
from capsviz.models.model import Model
from capsviz.traces.attention import AttentionTrace
from capsviz.traces.base import PROBABILITY, Shape
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import RoutingTrace

NASTY = ("<script>alert(1)</script>", "$x^2$ & \"'", "=1+1\n\U0001f600")
ORIGIN = Origin("own.net", "My <net> & $co$", "ab" * 32, "/routing?drawing=AbC-_&R=2", {"R": 2})


@pytest.fixture(scope="module")
def trace(model: Model) -> RoutingTrace:
    image = np.zeros((28, 28), np.float32)
    image[5:8, 7:20] = image[8:24, 13:17] = 1
    found: RoutingTrace = model.trace(image)
    return found


@pytest.fixture(scope="module")
def attention() -> AttentionTrace:
    return attending.made_up(NASTY)


def plain_trace() -> PlainTrace:
    shape = Shape(size=8, classes=NASTY, kind="shape", score=PROBABILITY)
    logits = np.array([1.0, -2.5, 0.25])
    return PlainTrace(np.zeros((8, 8)), np.zeros((1, 2, 2)), np.arange(4.0), logits, None, shape)


def test_a_png_has_the_size_of_a_slide_and_its_origin_in_text(attention: AttentionTrace) -> None:
    made = export.png(
        slides.draw_slide(attention, np.zeros((280, 280), np.uint8), origin=ORIGIN.line()), ORIGIN
    )
    with Image.open(io.BytesIO(made)) as image:
        assert (image.format, image.size) == ("PNG", (1920, 1080))
        facts = json.loads(image.info["Description"])
        assert image.info["Source"] == ORIGIN.link
    assert facts["weights_sha256"] == "ab" * 32
    assert (facts["network"], facts["settings"], facts["link"]) == ("own.net", {"R": 2}, ORIGIN.link)
    assert re.fullmatch(r"capsviz \d+\.\d+\.\d+", facts["software"])
    assert b"tEXt" in made


def test_light_and_dark_differ_in_their_paper(attention: AttentionTrace) -> None:
    corners = [
        export.pixels(slides.attention_slide(attention, dark=dark), 108)[0, 0].tolist()
        for dark in (False, True)
    ]
    assert corners == [[0xFD, 0xFD, 0xFB], [0x10, 0x13, 0x17]]


def test_an_svg_parses_and_asks_for_nothing_from_elsewhere(attention: AttentionTrace) -> None:
    made = export.svg(slides.attention_slide(attention, origin=ORIGIN.line()), ORIGIN)
    root = ET.fromstring(made)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert float(root.attrib["width"].removesuffix("pt")) / float(
        root.attrib["height"].removesuffix("pt")
    ) == (pytest.approx(16 / 9))
    assert b"<!DOCTYPE" not in made
    for node in root.iter():
        assert not node.tag.endswith(("script", "foreignObject"))
        for name, value in node.attrib.items():
            assert not name.lower().startswith("on")
            if name.endswith("href"):
                assert value.startswith(("#", "data:image/png;base64,"))
    described = [node.text for node in root.iter() if node.tag.endswith("description")]
    assert json.loads(str(described[0])) == ORIGIN.facts()


def films(trace: RoutingTrace) -> list[np.ndarray]:
    return export.frames(slides.routing_slide(trace, iteration=at) for at in (1, 2, 3))


@pytest.fixture(scope="module")
def film(trace: RoutingTrace) -> list[np.ndarray]:
    return films(trace)


def test_a_gif_has_an_image_for_each_iteration_and_they_differ(film: list[np.ndarray]) -> None:
    with Image.open(io.BytesIO(export.film_gif(film, 1.2, ORIGIN))) as image:
        assert (image.n_frames, image.size, image.info["duration"]) == (3, (1280, 720), 1200)
        assert json.loads(image.info["comment"]) == ORIGIN.facts()
        shown = []
        for at in range(3):
            image.seek(at)
            shown.append(np.asarray(image.convert("RGB")).astype(int))
    for one, wanted in zip(shown, np.array(film).astype(int), strict=True):
        assert np.abs(one - wanted).mean() < 2  # a palette's colours
    assert all((one != other).any() for one, other in pairwise(shown))


def test_an_mp4_has_as_many_seconds_and_its_origin(film: list[np.ndarray]) -> None:
    av = pytest.importorskip("av")
    with av.open(io.BytesIO(export.film_mp4(film, 0.5, ORIGIN))) as container:
        assert json.loads(container.metadata["comment"]) == ORIGIN.facts()
        images = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert len(images) == 3 * 5
    for at, wanted in zip((0, 5, 10), np.array(film).astype(int), strict=True):
        assert np.abs(images[at] - wanted).mean() < 4


def test_without_pyav_an_mp4_is_one_sentence(film: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    with pytest.raises(CapsvizError) as caught:
        export.film_mp4(film, 1, ORIGIN)
    assert_one_sentence(caught.value, "pip install av")


def test_a_film_is_bounded_and_comes_back() -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    assert len(export.frames(iter([image] * 64))) == 64
    with pytest.raises(CapsvizError, match="at most 64"):
        export.frames(iter([image] * 65))
    steps = list(np.arange(4))
    assert export.there_and_back(steps) == [0, 1, 2, 3, 2, 1]


def test_the_page_asks_for_nothing_and_says_where_it_comes_from(trace: RoutingTrace, model: Model) -> None:
    page = routing_html(trace, model.reconstructions(trace), "t", ORIGIN.line(), ORIGIN.text())
    assert "http" not in page.replace('"http://www.w3.org/2000/svg"', "")
    assert "<net>" not in page
    assert "<footer>My &lt;net&gt; &amp; $co$ · weights abababab · R = 2 · capsviz" in page
    assert "&quot;weights_sha256&quot;: &quot;" + "ab" * 32 in page


@pytest.mark.parametrize("which", ["dynamic", "attention", "plain"])
def test_numpy_alone_computes_the_numbers_again(
    which: str, trace: RoutingTrace, attention: AttentionTrace, tmp_path: Path
) -> None:
    chosen = {"dynamic": trace, "attention": attention, "plain": plain_trace()}[which]
    path = tmp_path / "numbers.npz"
    path.write_bytes(export.npz(chosen, ORIGIN, {"pose": np.arange(3.0)}))
    with np.load(path) as kept:
        assert json.loads(str(kept["origin"])) == ORIGIN.facts()
        assert tuple(kept["classes"]) == chosen.classes
        assert np.array_equal(kept["scores"], chosen.scores)
        assert np.array_equal(kept["pose"], np.arange(3.0))
        script = kept["recompute.py"].decode()
        numbers = {name: kept[name] for name in kept.files if name != "recompute.py"}
    assert set(re.findall(r"^import (\w+)", script, re.M)) == {"sys", "numpy"}
    (tmp_path / "recompute.py").write_text(script, "utf-8")

    def run(file: Path) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-I", str(tmp_path / "recompute.py"), str(file)]
        return subprocess.run(command, capture_output=True, text=True)

    done = run(path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert float(done.stdout.rpartition(" ")[2]) <= 1e-6
    name = "scores" if which == "plain" else "c"
    numbers[name] = numbers[name] + 2e-6  # a difference is found
    np.savez(tmp_path / "other.npz", **numbers)
    assert run(tmp_path / "other.npz").returncode == 1


def test_json_and_csv_hold_the_trace_s_numbers(trace: RoutingTrace) -> None:
    content = json.loads(export.trace_json(trace, ORIGIN))
    assert content["origin"] == ORIGIN.facts()
    assert content["answer"] == trace.answer
    for name in ("c", "v", "scores", "image"):
        assert np.abs(np.array(content[name]) - getattr(trace, name)).max() <= 1e-6
    text = export.table_csv(*export.coupling_table(trace), ORIGIN).decode("utf-8-sig")
    assert f"# weights_sha256: {'ab' * 32}\r\n" in text
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    assert rows[0][:6] == ["iteration", "capsule", "type", "row", "column", "c to 0"]
    numbers = np.array(rows[1:], float)
    assert np.abs(numbers[:, 5:].reshape(trace.c.shape) - trace.c).max() <= 1e-6
    assert numbers[36 + 7, :5].tolist() == [1, 43, 1, 1, 1]  # type 1, place 7 of 6 x 6
    scores = export.scores_table(trace)
    assert scores[0] == ["class", "length 1", "length 2", "length 3"]
    assert scores[1][7] == ["7", *trace.scores[:, 7].tolist()]


def test_no_spreadsheet_computes_a_name() -> None:
    text = export.table_csv(*export.scores_table(plain_trace()), ORIGIN).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text[text.index("class,") :])))
    assert [row[0] for row in rows[1:]] == [NASTY[0], NASTY[1], f"'{NASTY[2]}"]
    assert float(rows[1][1]) == pytest.approx(plain_trace().scores[0, 0], abs=1e-6)


def test_names_are_words_on_a_slide_and_nothing_else() -> None:
    assert base.plain("a\nb $x$") == "a\\nb $x$"
    assert base.plain("漢 û") == "\N{REPLACEMENT CHARACTER} û"
    figure = slides.draw_slide(plain_trace(), np.zeros((280, 280), np.uint8))
    words = [text.get_text() for text in figure.axes[0].texts]
    assert any("$x^2$" in word for word in words)
    assert not any(text.get_parse_math() for text in figure.axes[0].texts)
    export.pixels(figure, 108)


def test_all_words_stand_within_the_slide(
    trace: RoutingTrace, attention: AttentionTrace, model: Model
) -> None:
    many = replace(plain_trace().shape, classes=tuple(f"class number {at}" for at in range(60)))
    wide = PlainTrace(np.zeros((8, 8)), np.zeros((1, 2, 2)), np.arange(4.0), np.arange(60.0) / 9, None, many)
    drawing = np.zeros((280, 280), np.uint8)
    drawn = model.reconstructions(trace)[-1, trace.prediction]
    for figure in (
        slides.draw_slide(trace, drawing, drawn, origin=ORIGIN.line()),
        slides.draw_slide(wide, drawing),
        slides.routing_slide(trace, 3, 2),
        slides.routing_slide(model.trace(trace.image, 10)),
        slides.routing_slide(model.trace(trace.image, 1)),
        slides.attention_slide(attention),
        slides.pose_slide(trace, drawn),
    ):
        for text in figure.axes[0].texts:
            found = text.get_window_extent()
            assert found.x0 >= 0, text
            assert found.x1 <= 1920, text
            assert found.y0 >= 0, text
            assert found.y1 <= 1080, text
            assert text.get_fontsize() * 100 / 72 >= 24


def test_labels_are_spread_as_little_as_they_can_be() -> None:
    assert base.spread([10, 50, 90], 20, 0, 100) == [10, 50, 90]
    assert base.spread([50, 10, 12], 20, 0, 100) == [50, 10, 30]
    assert base.spread([99, 98], 20, 0, 100) == [100, 80]
