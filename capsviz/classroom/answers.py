"""What a network makes of a drawing that a phone has sent."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from capsviz.classroom.refusals import Busy
from capsviz.errors import CapsvizError, ImageError
from capsviz.figures.reading import named, verdict
from capsviz.figures.theme import ink
from capsviz.inputs.drawings import Drawing, encode
from capsviz.models.weights import load_card, locate
from capsviz.networks.base import find
from capsviz.texts import say
from capsviz.traces.base import Shape

if TYPE_CHECKING:
    from capsviz.models.model import Model

MOST_IMAGES = 500  # 3 kB each


@dataclass(frozen=True, eq=False)
class Read:
    """The answer to one drawing.

    Attributes:
        scores: float32 [J] in 0..1.
        seen: uint8 [S, S] the pixels seen.
        names: of the classes that are claimed, the surest first: one, or of a network for several up to so many.
        verdict: what may be said of it, as ``figures.verdict``.
    """

    scores: np.ndarray
    seen: np.ndarray
    names: tuple[str, ...]
    verdict: str


class Answers:
    """Networks to ask, one of each for all phones.

    Args:
        model_of: loads a network by its name, or gives the one that is loaded; raises ``CapsvizError`` where it cannot.
    """

    def __init__(self, model_of: "Callable[[str], Model]") -> None:
        self._model_of = model_of
        self._images: OrderedDict[tuple[int, int, str], np.ndarray] = (
            OrderedDict()
        )  # the latest that were prepared
        self._remembering = threading.Lock()

    def read(self, network: str, drawing: Drawing) -> Read:
        """Read a drawing, computing in this thread and no other.

        Raises:
            ImageError: if nothing can be made out.
            Busy: if the network cannot be loaded, or cannot compute.
        """
        return self._read(network, [self._prepare(drawing, find(network).shape)])[0]

    def read_all(self, network: str, drawings: Sequence[Drawing]) -> list[Read | None]:
        """Read drawings in one pass, which costs a third of one for each; None where nothing can be made out.

        Raises:
            Busy: as ``read``.
        """
        shape = find(network).shape
        images: list[np.ndarray | None] = []
        for drawing in drawings:
            try:
                images.append(self._prepared(drawing, shape))
            except ImageError:
                images.append(None)
        found = iter(self._read(network, [image for image in images if image is not None]))
        return [None if image is None else next(found) for image in images]

    def _prepare(self, drawing: Drawing, shape: Shape) -> np.ndarray:
        """A phone's drawing as a network sees it; other networks are soon asked about it too."""
        image = drawing.image(shape.size, shape.answers)
        with self._remembering:
            self._images[shape.size, shape.answers, encode(drawing)] = image
            if len(self._images) > MOST_IMAGES:
                self._images.popitem(last=False)
        return image

    def _prepared(self, drawing: Drawing, shape: Shape) -> np.ndarray:
        """The same, if it was prepared lately as it was then."""
        with self._remembering:
            image = self._images.get((shape.size, shape.answers, encode(drawing)))
        return self._prepare(drawing, shape) if image is None else image

    def _read(self, network: str, images: Sequence[np.ndarray]) -> list[Read]:
        if not images:
            return []
        try:
            model = self._model_of(network)
            scores = _alone(model).predict(np.stack(images))
        except (CapsvizError, RuntimeError) as error:
            print(f"capsviz: a class's network {network}: {error}", flush=True)
            raise Busy(say("class.refused.network"), 20) from error
        limit = model.card["unsure_below"]
        return [
            Read(
                of_one, ink(image), claimed(of_one, model.shape, limit), _verdict(of_one, model.shape, limit)
            )
            for of_one, image in zip(scores, images, strict=True)
        ]


def claimed(scores: np.ndarray, shape: Shape, limit: float) -> tuple[str, ...]:
    """Names of the classes that an answer claims, as ``figures.named``; none of a drawing that is removed."""
    if not len(scores):
        return ()
    return tuple(shape.classes[place] for place in named(scores, limit, shape.answers))


def _verdict(scores: np.ndarray, shape: Shape, limit: float) -> str:
    """As ``figures.verdict``; and unsure where more reach the limit than can be there, as the app's card has it."""
    crowded = shape.answers > 1 and int((scores >= limit).sum()) > shape.answers
    return "unsure" if crowded else verdict(scores, limit, shape.score)


def _alone(model: "Model") -> "Model":
    """The same network without threads of its own: many small passes at once do best with one each."""
    import torch

    torch.set_num_threads(1)  # of this thread
    return model.without_workers()


@lru_cache(maxsize=64)
def unsure_below(network: str) -> float:
    """The highest score below which the network claims nothing; 0 where its card cannot be read."""
    try:
        return float(load_card(locate(network))["unsure_below"])
    except CapsvizError:
        return 0.0


def shape_of(network: str) -> Shape:
    """Of a network, without loading it."""
    return find(network).shape
