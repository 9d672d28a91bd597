"""What two digits over each other take: an answer with its trace, and the slider between the two in Chromium.

How long it takes does not depend on what was learnt: where there are no weights yet, those of no training do.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.browser import opened
from benchmarks.routing import INSIDE
from benchmarks.trace import Quantiles, canvas, quantiles, timed
from capsviz import canvas_to_mnist, load_model
from capsviz.app.messages import Laid
from capsviz.figures.overlap import overlap_payload
from capsviz.inputs.spread import placed
from capsviz.models.model import Model
from capsviz.models.weights import DIRECTORY, available
from tests import untrained

NAME = "overlap.mnist"
SLIDES = 120  # frames of a slide from end to end

# Whether each frame of the screen has a new picture while the slider is moved once a frame.
SLIDE = """async (count) => {
    const [slider, picture] = [inside('[data-testid=between]'), inside('[data-testid=composite]')];
    const drawn = [];
    let before = picture.dataset.painted;
    for (let k = 0; k <= count; k++) {
        slider.value = String((100 * k) / count);
        slider.dispatchEvent(new Event('input'));
        await new Promise(requestAnimationFrame);
        await new Promise((after) => setTimeout(after));
        drawn.push(picture.dataset.painted !== before);
        before = picture.dataset.painted;
    }
    return drawn;
}"""


@contextmanager
def folder() -> Iterator[Path]:
    """Weights of all networks, those of this one too."""
    with tempfile.TemporaryDirectory() as kept:
        path = Path(kept)
        for name in available():
            (path / name).symlink_to(DIRECTORY / name)
        if NAME not in available():
            untrained.write(path, NAME)
        yield path


@cache
def _model() -> Model:
    with folder() as path:
        return load_model(path / NAME, "cpu")


def _image() -> np.ndarray:
    return placed(canvas_to_mnist(canvas()), 36)


def one_trace() -> Quantiles:
    model, image = _model(), _image()
    return timed(lambda: model.trace(image), repeats=100)


def one_payload() -> Quantiles:
    """Ten drawings, the voters, and all of it packed."""
    model, image = _model(), _image()
    trace = model.trace(image)
    poses = trace.v[-1][:, None] * np.eye(10, dtype=np.float32)[:, :, None]

    def packed() -> bytes:
        drawn = model.decode(poses)
        return overlap_payload(
            trace, drawn, image[None], below=False, limit=0.3, laid=asdict(Laid()), examples=[], link={}
        )

    return timed(packed, repeats=100)


def frames() -> Quantiles:
    """Percent of the frames that have a new picture, of ten slides."""
    with folder() as path, opened("tests/e2e/tiny_app.py", TINY_WEIGHTS=str(path)) as page:
        page.goto(f"{page.url.rstrip('/')}/overlap?network={NAME}")
        page.get_by_test_id("between").wait_for()
        page.wait_for_timeout(2000)
        page.evaluate(INSIDE)
        return quantiles([100 * float(np.mean(page.evaluate(SLIDE, SLIDES))) for _ in range(10)])
