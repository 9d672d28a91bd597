"""Images that an experiment is tried on, and what is counted on them, with its interval."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from capsviz.errors import ImageError
from capsviz.inputs.data import Digits
from capsviz.inputs.drawn import WIDTHS
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.measures.statistics import interval_of_drawings, interval_of_means
from capsviz.traces.base import Shape

MOST = 200  # images of a test set
CANVAS = 280  # pixels along a side of the app's canvas, on which pens are so wide


class Of(NamedTuple):
    """What something was measured on.

    Attributes:
        name: "examples", "test", or "evaluated": what is kept beside the weights.
        images: how many.
        drawings: of how many drawings.
    """

    name: str
    images: int
    drawings: int


class Sample(NamedTuple):
    """Images that an experiment is made on.

    Attributes:
        name: "examples" or "test".
        images: [N, S, S] in 0..1.
        labels: [N] places of their classes.
        drawings: [N] which drawing each one is of: those of one resemble each other.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    drawings: Sequence[str]

    @property
    def of(self) -> Of:
        """What it is, without its images."""
        return Of(self.name, len(self.labels), len(set(self.drawings)))

    def take(self, most: int) -> "Sample":
        """At most so many of them, evenly spaced."""
        count = len(self.labels)
        places = np.arange(count) if count <= most else np.arange(most) * count // most
        drawings = [self.drawings[place] for place in places.tolist()]
        return Sample(self.name, self.images[places], self.labels[places], drawings)


class Measured(NamedTuple):
    """A share, or a mean, with its 95% interval, and of how many images it is, and these of how many drawings."""

    value: float
    low: float
    high: float
    images: int
    drawings: int


@lru_cache(maxsize=8)
def of_examples(shape: Shape) -> Sample:
    """The example drawings of a network's classes, each with pens of four widths; empty where none is of them."""
    images, labels, drawings = [], [], []
    for example in EXAMPLES:
        if example.kind != shape.kind or example.shows not in shape.classes:
            continue
        for width in WIDTHS:
            try:
                images.append(canvas_to_mnist(render(example.strokes, width / CANVAS), size=shape.size))
            except ImageError:  # of a pen too broad for a small drawing
                continue
            labels.append(shape.classes.index(example.shows))
            drawings.append(example.name)
    found = np.array(images, np.float32).reshape(-1, shape.size, shape.size)
    return Sample("examples", found, np.array(labels, np.int64), drawings)


def of_test(digits: Digits, most: int = MOST) -> Sample:
    """At most so many images of a test set, evenly spaced: the same ones each time."""
    count = len(digits.labels)
    places = np.arange(min(most, count)) * max(count, 1) // max(min(most, count), 1)
    images = digits.images.numpy()[places] / np.float32(255)
    return Sample("test", images, digits.labels.numpy()[places], [str(place) for place in places])


def share(counted: np.ndarray, drawings: Sequence[str]) -> Measured:
    """The share of what counts [N], with the interval for images of which several may be of one drawing."""
    values = np.asarray(counted, float)
    low, high = interval_of_drawings(values, drawings)
    return Measured(float(values.mean()), low, high, len(values), len(set(drawings)))


def mean(values: np.ndarray, drawings: Sequence[str]) -> Measured:
    """The mean of values [N]; its interval is 1.96 standard errors wide to each side, of the drawings' means."""
    _, which = np.unique(np.asarray(drawings), return_inverse=True)
    means = np.bincount(which, values) / np.bincount(which)
    middle = float(np.mean(values))
    half = 1.96 * float(means.std(ddof=1)) / len(means) ** 0.5 if len(means) > 1 else float("inf")
    return Measured(middle, middle - half, middle + half, len(values), len(means))


def change(before: np.ndarray, after: np.ndarray, drawings: Sequence[str]) -> Measured:
    """The mean over drawings by which values [N] have grown, of the same images, with the interval of a bootstrap of drawings."""
    _, which = np.unique(np.asarray(drawings), return_inverse=True)
    means = np.bincount(which, np.asarray(after, float) - before) / np.bincount(which)
    return Measured(float(means.mean()), *interval_of_means(means), len(which), len(means))
