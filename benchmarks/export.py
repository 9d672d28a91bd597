"""What the files of Export take that take the longest."""

from functools import cache

from benchmarks.trace import Quantiles, timed
from capsviz import load_model
from capsviz.figures import export, slides
from capsviz.figures.export import Origin
from capsviz.inputs.drawings import Drawing
from capsviz.measures.replay import Replay, replay
from capsviz.models.model import Model

ORIGIN = Origin("dynamic.mnist", "CapsNet", "0" * 64, "/?drawing=AWNkYAAA")


@cache
def _model() -> Model:
    return load_model(device="cpu")


@cache
def _replay() -> Replay:
    return replay(_model(), Drawing(example=0))


def picture() -> Quantiles:
    """A slide of routing, as PNG."""
    trace = _model().trace(Drawing(example=0).image())
    return timed(lambda: export.png(slides.routing_slide(trace), ORIGIN), repeats=5, before=1)


def film_gif() -> Quantiles:
    """The replay of the first example, 64 images."""
    return timed(
        lambda: export.film_gif(export.frames(slides.replay_film(_replay())), 0.1, ORIGIN), repeats=3
    )


def film_mp4() -> Quantiles:
    return timed(
        lambda: export.film_mp4(export.frames(slides.replay_film(_replay())), 0.1, ORIGIN), repeats=3
    )
