"""Every word of every slide has its room: in each language, for each network that is shipped."""

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure

from capsviz import load_model, texts
from capsviz.figures import slides
from capsviz.figures.slides.base import Slide
from capsviz.inputs import replay as drawn
from capsviz.inputs.drawings import Drawing
from capsviz.inputs.examples import EXAMPLES, examples_for
from capsviz.measures.poses import load_poses
from capsviz.measures.replay import replay
from capsviz.models.comparison import entries
from capsviz.models.model import Model
from capsviz.models.weights import available
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
    limits = {"unsure_below": 1.01}
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
    assert_room(slides.networks_slide(entries(), available()[0], origin=ORIGIN))
