"""The files of Export: what is offered, what is asked for, and what is in them, held against the library's own numbers."""

import base64
import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attending
import numpy as np
import pytest
from PIL import Image
from reference import assert_one_sentence

from capsviz.app import export as ui
from capsviz.app import files, pose, replay
from capsviz.app.experiments import Trial
from capsviz.app.files import MORPH, PAGE, REPLAY, SWEEP, Wanted
from capsviz.app.messages import Laid, Looked, Morph, Sweep
from capsviz.app.session import Answer, Reading
from capsviz.errors import MessageError
from capsviz.figures import export, slides
from capsviz.figures.handout import replay_html
from capsviz.inputs import replay as drawn
from capsviz.inputs.drawings import Drawing, Stroke, encode
from capsviz.models.model import Model
from capsviz.networks.base import find
from capsviz.traces.base import PROBABILITY, Shape

# --- what is offered and asked for ------------------------------------------------------------------------

SHAPE = Shape(size=8, classes=("a", "b"), kind="shape", pose=2, score=PROBABILITY)
WISH = {"number": 3, "thing": "page", "kind": "png", "dark": True}
OFFERED = {PAGE: ("png", "gif"), SWEEP: ("gif",), MORPH: ("mp4",)}
SWEPT = {"kind": "sweep", "digit": 1, "pose": [0.5, -1], "dimension": 0, "span": 0.25}
MORPHED = {"kind": "morph", "a": {"digit": 1, "pose": [0.5, -1]}, "b": {"digit": 0, "pose": [0, 0]}}


def test_a_request_is_read_with_what_the_view_tells() -> None:
    assert files.parse_request(WISH, SHAPE, OFFERED) == files.Request(3, "png", True)
    on_pose = {**WISH, "digit": 1, "pose": "0.5,-1"}
    assert files.parse_request(on_pose, SHAPE, OFFERED) == files.Request(3, "png", True, 1, (0.5, -1.0))
    assert files.parse_request({**WISH, "digit": 0, "pose": None}, SHAPE, OFFERED).pose is None
    assert files.parse_request({**WISH, "digit": 0, "pose": "1,2,3,4"}, SHAPE, OFFERED).pose == (1, 2, 3, 4)
    found = files.parse_request({**WISH, "thing": "sweep", "kind": "gif", "motion": SWEPT}, SHAPE, OFFERED)
    assert (found.thing, found.motion) == ("sweep", Sweep(1, (0.5, -1.0), 0, 0.25))
    found = files.parse_request({**WISH, "thing": "morph", "kind": "mp4", "motion": MORPHED}, SHAPE, OFFERED)
    assert found.motion == Morph((1, 0), ((0.5, -1.0), (0.0, 0.0)))


def test_which_strokes_are_of_the_second_is_read() -> None:
    assert files.parse_request({**WISH, "second": 5}, SHAPE, OFFERED).parts == 5
    assert files.parse_request(WISH, SHAPE, OFFERED).parts == 0
    for wrong in (-1, 2**12, "1", 1.5, None):
        with pytest.raises(MessageError) as caught:
            files.parse_request({**WISH, "second": wrong}, SHAPE, OFFERED)
        assert_one_sentence(caught.value)


def test_what_is_looked_at_inside_is_read() -> None:
    looked = {"map": 7, "capsule": 3, "scope": "all"}
    grid = find("dynamic.mnist").shape
    assert files.parse_request({**WISH, "looked": looked}, grid, OFFERED).looked == Looked(7, 3, "all")
    plain = find("cnn.mnist").shape
    found = files.parse_request({**WISH, "looked": {"map": 0, "output": 81, "scope": "map"}}, plain, OFFERED)
    assert found.looked == Looked(0, 81, "map")
    for wrong in (
        *(7, {}, {**looked, "scope": "x"}, {**looked, "map": 256}, {**looked, "map": "1"}),
        *({**looked, "capsule": 1152}, {**looked, "capsule": None}, {"map": 0, "output": 1, "scope": "map"}),
    ):
        with pytest.raises(MessageError) as caught:
            files.parse_request({**WISH, "looked": wrong}, grid, OFFERED)
        assert_one_sentence(caught.value)
    with pytest.raises(MessageError):
        files.parse_request({**WISH, "looked": {"map": 0, "output": 4096, "scope": "map"}}, plain, OFFERED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "exe"},
        {"kind": ["png"]},
        {"kind": "svg"},  # which the page does not offer
        {"thing": "replay"},
        {"thing": ["page"]},
        {"thing": None},
        {"thing": "sweep", "kind": "gif"},
        {"thing": "sweep", "kind": "gif", "motion": MORPHED},
        {"thing": "sweep", "kind": "png", "motion": SWEPT},
        {"thing": "morph", "kind": "mp4", "motion": SWEPT},
        {"dark": 1},
        {"dark": None},
        *({"number": value} for value in (None, -1, 2**53 + 2, 0.5, "1", True, float("nan"))),
        {"digit": 2},
        {"digit": "0"},
        {"digit": 0, "pose": "1"},
        {"digit": 0, "pose": "1,x"},
        {"digit": 0, "pose": "1,nan"},
        {"digit": 0, "pose": "1,1e9"},
        {"digit": 0, "pose": "1,2,3"},
        {"digit": 0, "pose": ["1", "2"]},
    ],
)
def test_a_request_that_is_none_is_refused_with_one_sentence(wrong: dict[str, object]) -> None:
    with pytest.raises(MessageError) as caught:
        files.parse_request({**WISH, **wrong}, SHAPE, OFFERED)
    assert_one_sentence(caught.value)
    with pytest.raises(MessageError):
        files.parse_request(None, SHAPE, OFFERED)


STROKES = (
    Stroke(np.array([(200, 120), (380, 120), (280, 460)], np.int16), 40),
    Stroke(np.array([(220, 300), (340, 300)], np.int16), 40),
)
SEVEN = Drawing(STROKES)


@pytest.fixture(scope="module")
def now(model: Model) -> Reading:
    trace = model.trace(SEVEN.image(), 2)
    answer = Answer(trace, model.reconstructions(trace), 1.0, model.predict(SEVEN.image()[None])[0])
    return Reading(SEVEN, 2, answer)


def test_a_page_offers_what_there_is_of_it(now: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "makes_mp4", lambda: True)
    monkeypatch.setattr(pose.st, "session_state", {})
    pictures, films, numbers = ("png", "svg"), ("gif", "mp4"), ("npz", "json", "csv")
    assert files.offer("model", None, now) == {PAGE: ("png", "svg", "json", "csv")}
    assert files.offer("draw", None, now) == files.offer("lessons", now.answer, now) == {}
    assert files.offer("draw", now.answer, now) == {
        PAGE: (*pictures, *numbers),
        REPLAY: (*films, "html", *numbers),
    }
    picture = replace(now, drawing=Drawing(picture=np.zeros((28, 28), np.uint8)))
    assert files.offer("draw", now.answer, picture) == {PAGE: (*pictures, *numbers)}
    assert files.offer("routing", now.answer, now) == {PAGE: (*pictures, *films, "html", *numbers)}
    once = Answer(attending.made_up(("a", "b")), None, 1.0, None)
    assert files.offer("routing", once, now) == {PAGE: (*pictures, *numbers)}
    several, one = (SimpleNamespace(offers=find(name).offers) for name in ("overlap.mnist", "dynamic.mnist"))
    monkeypatch.setattr(files.session, "spec", lambda: one)
    assert files.offer("overlap", now.answer, now) == {}  # the page refuses
    monkeypatch.setattr(files.session, "spec", lambda: several)
    assert files.offer("overlap", now.answer, now) == {PAGE: (*pictures, *numbers)}
    poseless = Answer(SimpleNamespace(shape=SHAPE, offers=frozenset()), None, 1.0, None)
    assert files.offer("pose", poseless, now) == files.offer("routing", poseless, now) == {}
    whole = {PAGE: (*pictures, *numbers), SWEEP: (*pictures, *films), MORPH: films}
    assert files.offer("pose", now.answer, now) == whole
    assert ui.groups(whole) == [
        ("picture", PAGE, ["png", "svg"]),
        ("numbers", PAGE, ["npz", "json", "csv"]),
        (SWEEP, SWEEP, ["png", "svg", "gif", "mp4"]),
        (MORPH, MORPH, ["gif", "mp4"]),
    ]
    monkeypatch.setattr(export, "makes_mp4", lambda: False)
    assert files.offer("draw", now.answer, now)[REPLAY][:2] == ("gif", "html")
    monkeypatch.setattr(pose.st, "session_state", {pose.PLAIN_KEY: True})  # nobody tells what moves
    assert files.offer("pose", now.answer, now) == {PAGE: (*pictures, *numbers)}


# --- what is in them --------------------------------------------------------------------------------------

Make = Callable[..., files._View]


@pytest.fixture
def view(now: Reading, model: Model, monkeypatch: pytest.MonkeyPatch) -> Make:
    """What a page shows of the drawing, read with two iterations."""
    monkeypatch.setattr(files.session, "model", lambda: model)
    monkeypatch.setattr(files.session, "trained", lambda: 3)
    replay.replayed.cache_clear()

    def make(page: str, kind: str = "png", thing: str = PAGE, **other: Any) -> files._View:
        chosen: dict[str, Any] = {"dark": False, "digit": None, "pose": None, "motion": None, **other}
        wanted = Wanted(page, "dynamic.mnist", model.sha256, encode(SEVEN), 2, "en", thing, kind, **chosen)
        return files._View(wanted, now)

    return make


def words(figure: Any) -> str:
    return " | ".join(text.get_text() for text in figure.axes[0].texts)


def test_routing_is_exported_for_the_class_that_is_looked_at(view: Make, now: Reading) -> None:
    answer = now.trace.prediction
    assert f"Mean c to {answer} at" in words(view("routing").slide())
    other = (answer + 3) % 10
    chosen = view("routing", digit=other)
    assert f"Mean c to {other} at" in words(chosen.slide())
    assert all(f"Mean c to {other} at" in words(figure) for figure in chosen.film())
    assert len(list(chosen.film())) == 2
    assert chosen.origin.settings == {"R": 2, "digit": other}
    assert chosen.origin.link == f"/routing?drawing={encode(SEVEN)}&R=2&digit={other}"


def test_inside_is_exported_with_what_is_looked_at_and_its_colours(
    view: Make, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(slides, "inside_slide", lambda *shown, **look: seen.append(look))
    made = view("inside", looked=Looked(40, 506, "layer"))
    made.slide()
    assert (seen[0]["scope"], seen[0]["map"]) == ("layer", 40)
    assert made.origin.link.endswith("&map=40&capsule=506&scope=layer")
    assert (made.origin.settings["map"], made.origin.settings["scope"]) == (40, "layer")
    assert "scope" not in view("inside", looked=Looked(1, 2)).origin.link
    plain = replace(made.wanted, network="cnn.mnist")
    assert "map=40&output=506&scope=layer" in files.link(plain)


def test_two_digits_are_exported_with_what_is_laid_over(
    view: Make, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def pictured(now: Reading, laid: Laid) -> Any:
        asked.append(laid)
        trace = model.trace(np.ones((28, 28), np.float32), 2)
        parts = np.stack([np.ones((28, 28)), np.zeros((28, 28)), np.zeros((28, 28))])
        return SimpleNamespace(trace=trace, drawings=np.zeros((10, 28, 28)), parts=parts)

    monkeypatch.setattr(files.overlap, "pictured", pictured)
    shown = view("overlap", laid=Laid(3, right=4, down=-8))
    longest = [str(place) for place in np.argsort(-shown.trace.lengths[-1])[:2]]
    told = {"digits": longest, "squared_errors": [28**2, 0]}  # of drawings that are empty
    assert shown.origin.settings == {"R": 2, **told, "over": 3, "moved": [4, -8]}
    assert shown.origin.link == f"/overlap?drawing={encode(SEVEN)}&R=2&over=3&moved=12.0"
    assert (shown.trace.image == 1).all()  # in the numbers too it is what the page shows
    assert view("overlap").origin.link == f"/overlap?drawing={encode(SEVEN)}&R=2"
    assert view("overlap").origin.settings == {"R": 2, "digits": longest}
    assert "second" not in view("overlap", laid=Laid(3), parts=1).origin.link  # what lies over it is
    drawn = view("overlap", parts=0b110)  # without anything over it, as somebody has said
    assert drawn.origin.link == f"/overlap?drawing={encode(SEVEN)}&R=2&second=6"
    assert drawn.origin.settings == {"R": 2, **told}
    assert view("overlap", parts=1).origin.settings["squared_errors"] == [0, 28**2]
    assert asked == [Laid(3, right=4, down=-8), Laid(), Laid(), Laid(3), Laid(), Laid()]


def test_two_drawings_are_exported_with_what_differs(
    view: Make, model: Model, now: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    four = Drawing(example=9)
    trace = model.trace(four.image(), 2)
    beside = Reading(four, 2, Answer(trace, None, 1.0, None))
    asked: list[str] = []
    monkeypatch.setattr(files.session, "reading_of", lambda drawing: asked.append(encode(drawing)) or beside)
    shown = view("compare", "csv", second=encode(four))
    assert shown.origin.settings == {"R": 2}
    assert shown.origin.link == f"/compare?drawing={encode(SEVEN)}&R=2&versus={encode(four)}"
    rows = [row for row in csv.reader(io.StringIO(shown.file().decode("utf-8-sig"))) if row[:2] == ["2", "4"]]
    assert [float(cell) for cell in rows[0][3:5]] == pytest.approx(
        [now.trace.scores[1, 4], trace.scores[1, 4]]
    )
    assert "the second as 4" in words(shown.slide())
    told = json.loads(view("compare", "json", second=encode(four)).file())
    assert [one["answer"] for one in told["drawings"]] == [now.trace.answer, "4"]
    assert asked == [encode(four)] * 2
    with pytest.raises(MessageError) as caught:
        view("compare", second="").slide()
    assert_one_sentence(caught.value, "no second drawing")


def test_a_pose_is_exported_as_its_sliders_stand(view: Make, model: Model, now: Reading) -> None:
    moved = now.trace.v[-1, 4] + np.float32(0.1)
    shown = view("pose", digit=4, pose=tuple(moved.tolist()))
    with Image.open(io.BytesIO(shown.file())) as slide:
        assert json.loads(slide.info["Description"])["settings"]["digit"] == 4
        pixels = np.asarray(slide.convert("L")).astype(int)
    inside = pixels[232 + 11 : 232 + 616 : 22, 72 + 11 : 72 + 616 : 22]
    assert np.abs(inside - 255 * model.decode(moved, 4)).max() <= 1
    assert "moved by hand" in words(shown.slide())
    assert "as it was encoded" in words(view("pose").slide())
    rows = list(
        csv.reader(
            view("pose", "csv", digit=4, pose=tuple(moved.tolist())).file().decode("utf-8-sig").splitlines()
        )
    )
    numbers = np.array([row for row in rows if not row[0].startswith("#")][1:], float)
    np.testing.assert_allclose(numbers, np.stack([np.arange(16), now.trace.v[-1, 4], moved], 1), atol=1e-6)
    every = now.trace.v[-1] + np.float32(0.01)
    unmasked = view("pose", "npz", digit=4, pose=tuple(every.ravel().tolist()))
    with np.load(io.BytesIO(unmasked.file())) as kept:
        np.testing.assert_array_equal(kept["pose"], every)
    with Image.open(io.BytesIO(view("pose", digit=4, pose=tuple(every.ravel().tolist())).file())) as slide:
        pixels = np.asarray(slide.convert("L")).astype(int)
    inside = pixels[232 + 11 : 232 + 616 : 22, 72 + 11 : 72 + 616 : 22]
    assert np.abs(inside - 255 * model.decode(every)).max() <= 1


def test_a_sweep_s_grid_has_a_row_for_each_number(view: Make, model: Model, now: Reading) -> None:
    start = tuple(now.trace.v[-1, 7].tolist())
    shown = view("pose", "png", SWEEP, digit=7, motion=Sweep(7, start, 5, 0.25))
    figure = shown.slide()
    blocks = [image.get_array() for image in figure.axes[0].images]
    assert len(blocks) == 2  # of eight rows
    up = blocks[0].shape[0] // (8 * 30 - 2)
    grid = np.concatenate([np.pad(np.asarray(block)[::up, ::up, 0], ((0, 2), (0, 0))) for block in blocks])
    for dimension, step in ((0, 0), (5, 10), (9, 3), (15, 5)):
        pose = np.array(start, np.float32)
        pose[dimension] += 0.25 * (step - 5) / 5
        cell = grid[30 * dimension : 30 * dimension + 28, 30 * step : 30 * step + 28].astype(int)
        assert np.abs(cell - 255 * model.decode(pose, 7)).max() <= 1
    assert {"−0.25", "0.00", "+0.25", "0", "15"} <= set(words(figure).split(" | "))
    assert shown.origin.settings["dimension"] == 5


def test_a_sweep_s_film_moves_one_number_there_and_back(
    view: Make, model: Model, now: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOVES", 5)
    posed: list[tuple[Any, ...]] = []
    ramp = np.tile(np.arange(1280) // 5, (720, 3, 1)).transpose(0, 2, 1).astype(np.uint8)

    def keep(self: object, *shown: Any) -> np.ndarray:
        posed.append(shown)
        return np.roll(ramp, 100 * len(posed), axis=1)

    monkeypatch.setattr(files._View, "posed", keep)
    start = now.trace.v[-1].copy()
    for pose_ in (start[7], start):
        posed.clear()
        fed = tuple(map(tuple, pose_.tolist())) if pose_.ndim == 2 else tuple(pose_.tolist())
        shown = view("pose", "gif", SWEEP, digit=7, motion=Sweep(7, fed, 5, 0.25))
        with Image.open(io.BytesIO(shown.file())) as gif:
            assert gif.n_frames == 8
        for step, (numbers, drawn_, digit, moved) in enumerate(posed):
            expected = start[7] + 0.125 * (step - 2) * np.eye(16)[5]
            np.testing.assert_allclose(numbers, expected, atol=1e-6)
            fed_now = numbers if pose_.ndim == 1 else np.vstack([start[:7], numbers, start[8:]])
            decoded = model.decode(fed_now, 7 if pose_.ndim == 1 else None)
            np.testing.assert_allclose(drawn_, decoded, atol=1e-5)
            assert (digit, moved) == (7, 5)


def test_a_morph_goes_from_one_end_to_the_other(view: Make, model: Model, now: Reading) -> None:
    ends = tuple(now.trace.v[-1, digit] for digit in (7, 2))
    motion = Morph((7, 2), (tuple(ends[0].tolist()), tuple(ends[1].tolist())))
    figures = list(view("pose", "gif", MORPH, digit=7, motion=motion).film())
    assert len(figures) == files.MOVES
    fed = np.zeros((10, 16), np.float32)
    fed[7], fed[2] = 0.75 * ends[0], 0.25 * ends[1]
    first, last, between = (np.asarray(image.get_array())[..., 0] for image in figures[6].axes[0].images)
    for shown, expected in (
        (first, model.decode(ends[0], 7)),
        (last, model.decode(ends[1], 2)),
        (between, model.decode(fed)),
    ):
        assert np.abs(shown[:: shown.shape[0] // 28, :: shown.shape[1] // 28] - 255 * expected).max() <= 1
    assert {"Pose A, capsule 7", "Pose B, capsule 2", "25% of the way"} <= set(words(figures[6]).split(" | "))


def test_a_replay_s_numbers_are_the_library_s(view: Make, model: Model, tmp_path: Path) -> None:
    path = tmp_path / "replay.npz"
    path.write_bytes(view("draw", "npz", REPLAY).file())
    with np.load(path) as kept:
        numbers = {name: kept[name] for name in kept.files if name != "recompute.py"}
        (tmp_path / "recompute.py").write_text(kept["recompute.py"].decode(), "utf-8")
    way = np.hypot(90, 0) + np.hypot(50, 170) + 60  # pixels: half of the grid's steps
    assert numbers["ways"][-1] == pytest.approx(way)
    assert numbers["points"].tolist() == [[100, 60], [190, 60], [140, 230], [110, 150], [170, 150]]
    assert (numbers["starts"].tolist(), numbers["widths"].tolist()) == ([0, 3], [20, 20])
    for moment in (20, 40, -1):  # one by one
        expected = model.trace(numbers["images"][moment], 2).scores[-1]
        np.testing.assert_allclose(numbers["scores"][moment], expected, atol=1e-6)
        assert numbers["answers"][moment] == expected.argmax()
    np.testing.assert_allclose(numbers["images"][-1], SEVEN.image(), atol=1e-7)
    decided = int(numbers["decided"])
    longest = np.nan_to_num(numbers["scores"]).max(1)
    claims = np.where(longest > 0.1, numbers["answers"], -1)  # what training wants absent ones to be at most
    np.testing.assert_array_equal(numbers["claims"], claims)
    assert (claims[decided:] == claims[-1]).all()
    assert decided == 0 or claims[decided - 1] != claims[-1]
    origin = json.loads(str(numbers["origin"]))
    assert origin["weights_sha256"] == model.sha256
    assert (origin["settings"], origin["link"]) == ({"R": 2}, f"/?drawing={encode(SEVEN)}&R=2")

    def run(file: Path) -> int:
        command = [sys.executable, "-I", str(tmp_path / "recompute.py"), str(file)]
        return subprocess.run(command, capture_output=True).returncode

    assert run(path) == 0
    for name, wrong in (
        ("decided", numbers["decided"] + 1),
        ("widths", numbers["widths"]),
        ("points", numbers["points"] * 1.1),
    ):
        np.savez(tmp_path / "other.npz", **{**numbers, name: wrong})
        assert run(tmp_path / "other.npz") == int(name != "widths"), name  # no stroke is a dot

    said = json.loads(view("draw", "json", REPLAY).file())
    assert said["origin"] == origin
    assert said["decided"] == {"moment": decided, "way": pytest.approx(numbers["ways"][decided])}
    assert [stroke["width"] for stroke in said["strokes"]] == [20, 20]
    assert (
        np.concatenate([stroke["points"] for stroke in said["strokes"]]).tolist()
        == numbers["points"].tolist()
    )
    rows = list(csv.reader(view("draw", "csv", REPLAY).file().decode("utf-8-sig").splitlines()))
    head, *rows = [row for row in rows if not row[0].startswith("#")]
    assert head[:5] == ["moment", "way", "answer", "decided", "length of 0"]
    assert len(rows) == len(said["moments"]) == len(numbers["ways"])
    for at, (row, moment) in enumerate(zip(rows, said["moments"], strict=True)):
        seen = numbers["answers"][at] >= 0
        name = str(claims[at]) if claims[at] >= 0 else ""
        assert (row[0], row[2], row[3]) == (str(at), name, str(int(at >= decided)))
        assert float(row[1]) == pytest.approx(numbers["ways"][at], abs=1e-6) == moment["way"]
        assert moment["answer"] == (name or None)
        if seen:
            np.testing.assert_allclose(np.array(row[4:], float), numbers["scores"][at], atol=1e-6)
            np.testing.assert_allclose(moment["scores"], numbers["scores"][at], atol=1e-6)
        else:
            assert moment["scores"] is None
            assert set(row[4:]) == {""}


def test_a_replay_s_film_has_an_image_for_each_moment(view: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "MOST", 16)  # moments
    shown = view("draw", "gif", REPLAY, dark=True)
    count = len(shown.replay.moments)
    with Image.open(io.BytesIO(shown.file())) as gif:
        assert (gif.n_frames, gif.size) == (count, (1280, 720))
        assert json.loads(gif.info["comment"]) == shown.origin.facts()
        pens, seen, answers, durations = [], [], [], []
        for at in range(count):
            gif.seek(at)
            durations.append(gif.info["duration"])
            pixels = np.asarray(gif.convert("L")).astype(int)
            assert pixels[5, 5] < 40  # dark
            pens.append(pixels[138:340, 49:251])  # 306 of 1080 pixels, from (72, 206), at two thirds
            seen.append(pixels[138:340, 280:482])
            answers.append(pixels[24:80, 1000:1240])
    assert durations == [100] * (count - 1) + [2100]
    ink = [int((pen > 128).sum()) for pen in pens]
    assert all(more >= less for less, more in pairwise(ink))
    whole = np.asarray(Image.fromarray(SEVEN.pixels()).resize((204, 204))).astype(int)[1:203, 1:203]
    assert np.abs(pens[-1] - whole).mean() < 4
    assert ink[0] < 0.2 * ink[-1]
    for pen, own in zip(seen, shown.replay.images, strict=True):
        scaled = Image.fromarray(np.uint8(255 * own)).resize((204, 204), Image.Resampling.NEAREST)
        assert np.abs(pen - np.asarray(scaled).astype(int)[1:203, 1:203]).mean() < 6
    # The answer at the top right is another one exactly where the answer is.
    same = [bool(np.array_equal(one, other)) for one, other in pairwise(answers)]
    told = shown.replay.claims
    assert same == (told[1:] == told[:-1]).tolist()


def test_a_replay_s_film_is_seen_longer_at_its_end(
    view: Make, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    av = pytest.importorskip("av")
    monkeypatch.setattr(files._View, "film", lambda self: iter(np.zeros((3, 720, 1280, 3), np.uint8)))
    with av.open(io.BytesIO(view("draw", "mp4", REPLAY).file())) as container:
        assert json.loads(container.metadata["comment"])["weights_sha256"] == model.sha256
        assert len(list(container.decode(video=0))) == 2 + 21  # tenths of a second


def test_a_replay_s_page_needs_nothing_else(view: Make, model: Model) -> None:
    page = view("draw", "html", REPLAY).file().decode()
    assert "http" not in page.replace('"http://www.w3.org/2000/svg"', "")
    assert f"weights {model.sha256[:8]}" in page
    assert "<title>How the answer came about</title>" in page
    facts = re.search(r'<meta name="capsviz" content="([^"]*)">', page)
    assert facts is not None
    assert json.loads(facts[1].replace("&quot;", '"'))["settings"] == {"R": 2}
    kept = replay.replayed("dynamic.mnist", encode(SEVEN), 2)
    for text, limit in ((page, 0.0), (replay_html(kept, unsure_below=0.6), 0.6)):
        data = re.search(r'id="payload">([^<]*)<', text)
        assert data is not None
        assert re.search(rb'"unsureBelow": ?([0-9.]+)', base64.b64decode(data[1]))[1] == str(limit).encode()  # type: ignore[index]


def test_a_file_is_named_and_answered_or_its_problem_said(
    view: Make, model: Model, now: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui.session, "network", lambda: "dynamic.mnist")
    monkeypatch.setattr(ui.session, "reading", lambda: now)
    offered = {PAGE: ("csv",), REPLAY: ("csv",)}
    files.made.cache_clear()
    wish = {"number": 8, "thing": "replay", "kind": "csv", "dark": False}
    found = ui._file(wish, "draw", now, offered)
    assert (found["number"], found["name"]) == (8, "capsviz-draw-replay-dynamic.mnist.csv")
    assert (
        ui._file({**wish, "thing": "page"}, "draw", now, offered)["name"] == "capsviz-draw-dynamic.mnist.csv"
    )
    assert ui._file({**wish, "number": 9}, "draw", now, offered) == {**found, "number": 9}
    assert (files.made.cache_info().misses, files.made.cache_info().hits) == (2, 1)
    assert set(ui._file({**wish, "kind": "exe"}, "draw", now, offered)) == {"number", "problem"}
    files.made.cache_clear()
    for error, said in (
        (RuntimeError("CUDA error: out of memory\nmore"), "out of memory"),
        (OSError("disk"), "OSError"),
    ):

        def fail(*arguments: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(files._View, "file", fail)
        problem = ui._file(wish, "draw", now, offered)
        assert problem["number"] == 8
        assert_one_sentence(problem["problem"], said)


@pytest.mark.parametrize(
    ("page", "second", "compared"),
    [("compare", None, True), ("compare", "", False), ("compare", "AWNkYAAA", False), ("draw", None, False)],
)
def test_the_comparison_that_is_shown_is_the_file_s_and_no_other(
    page: str, second: str | None, compared: bool, now: Reading, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, asked = Trial(change="noise"), []
    monkeypatch.setattr(ui.session, "network", lambda: "dynamic.mnist")
    monkeypatch.setattr(ui.session, "model", lambda: model)
    monkeypatch.setattr(ui.compare, "current", lambda: trial)
    monkeypatch.setattr(ui.versus, "shown", lambda: second is not None)
    monkeypatch.setattr(ui.versus, "current", lambda: second)
    monkeypatch.setattr(ui, "made", lambda wanted: asked.append(wanted) or b"")
    ui._file({"number": 1, "thing": PAGE, "kind": "csv", "dark": False}, page, now, {PAGE: ("csv",)})
    (wanted,) = asked
    assert (wanted.trial, wanted.second) == (trial if compared else None, second)


def test_why_a_page_has_no_file_is_said(now: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui.guess, "covered", lambda: False)
    monkeypatch.setattr(ui, "drawn", lambda: "digit")
    without = replace(now, answer=None)
    assert "draw a digit" in ui._why_not("routing", without)
    assert "other pages" in ui._why_not("lessons", now)
    assert "start a training" in ui._why_not("training", now)
    monkeypatch.setattr(ui.guess, "covered", lambda: True)
    assert "Covered" in ui._why_not("routing", now)


def test_what_was_asked_for_is_made_once_and_forgotten_when_it_has_come(
    now: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    state: dict[str, Any] = {}
    made: list[object] = []
    monkeypatch.setattr(ui, "st", SimpleNamespace(session_state=state))
    monkeypatch.setattr(ui, "_file", lambda sent, *rest: made.append(sent) or {"number": sent["number"]})
    for number in (1, 1, 2):
        state[ui.EXPORT_KEY] = {"asked": {"number": number}}
        assert ui._answered("draw", now, {}) == {"number": number}
    assert [sent["number"] for sent in made] == [1, 2]  # type: ignore[index]
    state[ui.EXPORT_KEY] = {"asked": None}
    assert ui._answered("draw", now, {}) is None
    assert ui.MADE_KEY not in state
