"""Every word of every slide has its room: in each language, for each network that is shipped."""

from collections.abc import Callable, Iterator
from itertools import combinations
from types import SimpleNamespace

import attending
import numpy as np
import pytest
from matplotlib.figure import Figure

from capsviz import load_model, texts
from capsviz.figures import slides
from capsviz.figures.inside import layer_rows
from capsviz.figures.overlap import Apart
from capsviz.figures.slides.base import LIGHT, Slide
from capsviz.figures.theme import class_colours
from capsviz.inputs import replay as drawn
from capsviz.inputs.drawings import Drawing
from capsviz.inputs.examples import EXAMPLES, examples_for
from capsviz.inputs.pairs import PAIRS
from capsviz.measures.poses import load_poses
from capsviz.measures.replay import replay
from capsviz.models.comparison import entries
from capsviz.models.model import Model
from capsviz.models.size import activations, sizes
from capsviz.models.weights import available
from capsviz.networks.base import find
from capsviz.texts.numbers import number
from capsviz.traces.base import POSES

ORIGIN = "My network, with a long name, for letters and digits · weights 01234567 · R = 10 · capsviz 0.1.0"
SHARED = 0.25  # of the lower of two texts: so much of their lines may lie beside each other


@pytest.fixture(params=texts.languages())
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    code: str = request.param
    monkeypatch.setattr(texts, "_asked", lambda: code)
    return code


def assert_room(figure: Figure) -> None:
    """No text is cut short, leaves the slide, or lies on another."""
    boxes = []
    for text in figure.axes[0].texts:
        said = text.get_text()
        assert not said.endswith("…"), said
        box = text.get_window_extent()
        assert min(box.x0, box.y0) >= 0, said
        assert box.x1 <= 1920, said
        assert box.y1 <= 1080, said
        boxes.append((said, box))
    for (one, first), (other, second) in combinations(boxes, 2):
        wide = min(first.x1, second.x1) - max(first.x0, second.x0)
        high = min(first.y1, second.y1) - max(first.y0, second.y0)
        lowest = min(first.height, second.height)
        assert wide <= 1 or high <= SHARED * lowest, f"{one!r} lies on {other!r}"


def network_slides(model: Model, name: str) -> Iterator[Figure]:
    shape = model.shape
    example = EXAMPLES.index(examples_for(shape.kind)[0])
    drawing = Drawing(example=example)
    trace = model.trace(drawing.image(shape.size))
    redrawn = None
    if POSES in trace.offers:
        every = model.reconstructions(trace)[-1]
        redrawn = every[trace.prediction]
        poses = load_poses(name=name, sha256=model.sha256)
        for digit in (trace.prediction, 0):
            measured = poses.digits[digit]
            yield slides.pose_slide(trace, every[digit], None, digit, measured, moved=3, origin=ORIGIN)
        moved = trace.v[-1, 0] + 0.1
        yield slides.pose_slide(trace, every[0], moved, 0, poses.digits[0], origin=ORIGIN)
        grid = np.zeros((shape.pose, 11, shape.size, shape.size))
        yield slides.sweep_slide(shape, grid, len(shape.classes) - 1, 12.5, origin=ORIGIN)
        yield next(slides.morph_slides(shape, grid[0], (0, 3), origin=ORIGIN))
    if shape.answers > 1 and POSES in trace.offers:
        poses = trace.v[-1][:, None] * np.eye(len(shape.classes), dtype=np.float32)[:, :, None]
        for limit in (0.0, 0.5, 1.01):  # said of more than two, of some, of none
            yield slides.overlap_slide(trace, model.decode(poses), limit, origin=ORIGIN)
    limits = {"unsure_below": 1.01}
    rows = layer_rows(model.spec, sizes(model.spec), activations(model.spec))
    yield slides.inside_slide(trace, model.first_layer(), rows, origin=ORIGIN)
    yield slides.draw_slide(trace, drawing.pixels(), redrawn, origin=ORIGIN)
    yield slides.draw_slide(trace, drawing.pixels(), redrawn, **limits, origin=ORIGIN)
    if shape.routing == "dynamic":
        yield slides.routing_slide(model.trace(trace.image, 10), 3, origin=ORIGIN)
        yield slides.routing_slide(trace, origin=ORIGIN)
    elif shape.routing == "attention":
        yield slides.attention_slide(trace, origin=ORIGIN)


@pytest.mark.parametrize("name", available())
def test_every_slide_of_a_network_has_room_for_its_words(
    language: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(name, device="cpu")
    shape = model.shape
    monkeypatch.setattr(texts, "_reads", lambda: shape.kind)
    for figure in network_slides(model, name):
        assert_room(figure)
    monkeypatch.setattr(drawn, "MOST", 4)  # moments
    looked = []

    def film(slide: Slide, put: Callable[[int], None], count: int, height: int) -> Iterator[np.ndarray]:
        for at in range(count):
            before = set(slide.figure.axes[0].get_children())
            put(at)
            assert_room(slide.figure)
            looked.append(at)
            for artist in set(slide.figure.axes[0].get_children()) - before:
                artist.remove()
        return iter(())

    monkeypatch.setattr(Slide, "film", film)
    example = EXAMPLES.index(examples_for(shape.kind)[0])
    found = replay(model, Drawing(example=example))
    list(slides.replay_film(found, unsure_below=1.01, origin=ORIGIN))
    assert len(looked) == len(found.moments) >= 4


def test_the_table_of_networks_has_room_for_its_words(language: str) -> None:
    every = entries()
    figure = slides.networks_slide(every, available()[0], origin=ORIGIN)
    assert_room(figure)
    axes = figure.axes[0]
    bars = [box for box in axes.patches if box.get_height() == 12]
    lines = [line for line in axes.lines if line.get_color() == LIGHT.ink]
    written = " ".join(text.get_text() for text in axes.texts)
    assert len(bars) == len(lines) == len(every) == len(available())
    # Each interval lies around the end of its bar, on one scale, as far as it was measured: of pairs, if two are read.
    scale = bars[0].get_width() / every[0].error["error_rate"]
    for one, bar, line in zip(every, bars, lines, strict=True):
        assert bar.get_width() == pytest.approx(scale * one.error["error_rate"])
        assert line.get_xdata() - bar.get_x() == pytest.approx(scale * np.array(one.error["interval"]))
        assert written.count(f"{one.spec.name}, ") == 1
        box = bar.get_window_extent()
        assert not any(box.overlaps(text.get_window_extent()) for text in axes.texts), one.spec.name
    assert written.count(PAIRS.name) == sum(one.spec.shape.answers > 1 for one in every) > 0


# --- where the marks stand --------------------------------------------------------------------------------


def test_what_moves_in_a_film_is_taken_off_again() -> None:
    slide = Slide("", False, "")
    frames = list(slide.film(lambda at: slide.box(96 * at, 540, 96, 96, "#000000"), 3, 540))
    assert [frame.shape for frame in frames] == [(540, 960, 3)] * 3
    for at, frame in enumerate(frames):
        dark = np.argwhere(frame[:, :, 0] < 20)
        assert abs(dark.mean(axis=0) - [270 + 24, 48 * at + 24]).max() <= 1
        assert len(dark) == pytest.approx(48 * 48, rel=0.1)


def test_two_digits_on_a_slide_are_added_in_their_colours_the_longest_first() -> None:
    shape = find("overlap.mnist").shape
    lengths = np.full(10, 0.02, np.float32)
    lengths[[7, 3]] = 0.9, 0.8
    drawings = np.zeros((10, 36, 36), np.float32)
    drawings[7, :18], drawings[3, 9:] = 1, 0.5
    trace = SimpleNamespace(
        shape=shape, lengths=lengths[None], image=drawings.sum(0).clip(max=1), classes=shape.classes
    )
    slide = slides.overlap_slide(trace, drawings, 0.85)  # type: ignore[arg-type]
    large, first, second, seen = (image.get_array() for image in slide.axes[0].images)
    every = [np.array([int(c[at : at + 2], 16) for at in (1, 3, 5)]) for c in class_colours(10)]
    both = np.minimum(255, every[7] + 0.5 * every[3])
    for picture, rows in (
        (large, (every[7], both, 0.5 * every[3])),
        (first, (every[7], every[7], 0 * every[7])),
        (second, (0 * every[3], 0.5 * every[3], 0.5 * every[3])),
        (seen, (np.full(3, 255), np.full(3, 255), np.full(3, 127.5))),
    ):
        side = len(picture) / 36
        for row, colour in zip((4, 13, 30), rows, strict=True):
            np.testing.assert_allclose(picture[int(side * (row + 0.5)), 0], colour, atol=1)
    said = " ".join(text.get_text() for text in slide.axes[0].texts)
    for words in ("7 redrawn 3 redrawn", "One digit: 7 (0.90)", "below 0.85"):
        assert words in said
    # As the page has them: the one that was drawn first comes first, with how near it is drawn.
    turned = slides.overlap_slide(trace, drawings, 0.6, Apart((3, 7), (1.25, 20)))  # type: ignore[arg-type]
    np.testing.assert_array_equal(turned.axes[0].images[1].get_array(), second)
    said = " ".join(text.get_text() for text in turned.axes[0].texts)
    for words in (
        "3 + 7 0.80  0.90",
        "3 redrawn squared error 1.2 7 redrawn squared error 20.0",
        "dashed: below 0.60",
    ):
        assert words in said
    assert_room(turned)
    for limit, strong in ((0.85, ["7"]), (0.6, ["3", "7"])):
        axes = slides.overlap_slide(trace, drawings, limit).axes[0]  # type: ignore[arg-type]
        figures = [text for text in axes.texts if text.get_text() in ("0.90", "0.80", "0.02")]
        bold = [t.get_text() for t in figures if "Bold" in str(t.get_fontproperties().get_file())]
        assert bold == [f"{lengths[int(name)]:.2f}" for name in strong]
        (mark,) = (line for line in axes.lines if line.get_linestyle() == "--")
        widths = [box.get_width() for box in axes.patches]
        scale = next(box for box in axes.patches if widths.count(box.get_width()) == 10)
        assert mark.get_xdata()[0] == pytest.approx(scale.get_x() + limit * scale.get_width())
        assert ("7 + 3" in [text.get_text() for text in axes.texts]) == (len(strong) == 2)


def test_the_marks_of_a_replay_stand_where_its_scores_are(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn, "MOST", 12)  # moments
    found = replay(model, Drawing(example=0))
    kept = []
    monkeypatch.setattr(Slide, "film", lambda slide, put, *rest: kept.append((slide, put)))
    slides.replay_film(found)
    ((slide, put),) = kept
    axes = slide.figure.axes[0]
    ways = np.array([moment.way for moment in found.moments])
    x = 132 + (1618 - 132) * ways / ways[-1]
    (decision,) = [line for line in axes.lines if line.get_linestyle() == "--"]
    answers = np.nan_to_num(found.scores, nan=-1).argmax(axis=1)
    decided = max(np.flatnonzero(answers != answers[-1])) + 1
    assert decision.get_xdata()[0] == pytest.approx(x[decided])
    still = len(axes.lines)
    put(7)
    curves = [line for line in axes.lines[still:] if len(line.get_xdata()) == 8]
    highest = curves[-1]  # lies on top
    np.testing.assert_allclose(highest.get_xdata(), x[:8])
    np.testing.assert_allclose(highest.get_ydata(), 920 - 260 * found.scores[:8, answers[7]])


def test_a_slider_s_mark_is_where_it_was_encoded(model: Model) -> None:
    trace = model.trace(Drawing(example=0).image())
    encoded = trace.v[-1, trace.prediction]
    axes = slides.pose_slide(trace, trace.image, encoded + 0.05).axes[0]
    marks = [line.get_xdata()[0] for line in axes.lines if np.ptp(line.get_xdata()) == 0]
    discs = [float(disc.get_offsets()[0, 0]) for disc in axes.collections]
    assert len(marks) == len(discs) == 16
    # From 0.1 below the encoded value to 0.1 above the other one, in 520 pixels.
    assert np.array(discs) - marks == pytest.approx(520 * 0.05 / 0.25, abs=0.1)


def test_routing_s_maps_are_those_so_far(model: Model) -> None:
    trace = model.trace(Drawing(example=0).image())
    for iteration in (1, 2, 3):
        assert len(slides.routing_slide(trace, None, iteration).axes[0].images) == 1 + iteration


def test_attention_s_table_is_of_the_class_that_is_looked_at() -> None:
    trace = attending.made_up(("a", "b", "c"))
    for place in range(3):
        said = [text.get_text() for text in slides.attention_slide(trace, place).axes[0].texts]
        expected = [number(value) for value in trace.c[0][:, place].tolist()]
        assert [text for text in said if text in expected][: len(expected)] == expected
