"""What a network makes of a drawing that a phone has sent."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from capsviz.classroom.refusals import Busy
from capsviz.errors import CapsvizError, ImageError
from capsviz.figures.reading import verdict
from capsviz.figures.theme import ink
from capsviz.inputs.drawings import Drawing
from capsviz.models.weights import load_card, locate
from capsviz.networks.base import find
from capsviz.texts import say
from capsviz.traces.base import Shape

if TYPE_CHECKING:
    from capsviz.models.model import Model


@dataclass(frozen=True, eq=False)
class Read:
    """The answer to one drawing.

    Attributes:
        scores: float32 [J] in 0..1.
        seen: uint8 [S, S] the pixels seen.
        name: of the class with the highest score.
        verdict: what may be said of it, as ``figures.verdict``.
    """

    scores: np.ndarray
    seen: np.ndarray
    name: str
    verdict: str


class Answers:
    """Networks to ask, one of each for all phones.

    Args:
        model_of: loads a network by its name, or gives the one that is loaded; raises ``CapsvizError`` where it cannot.
    """

    def __init__(self, model_of: "Callable[[str], Model]") -> None:
        self._model_of = model_of

    def read(self, network: str, drawing: Drawing) -> Read:
        """Read a drawing, computing in this thread and no other.

        Raises:
            ImageError: if nothing can be made out.
            Busy: if the network cannot be loaded, or cannot compute.
        """
        shape = find(network).shape
        image = drawing.image(shape.size, shape.answers)
        try:
            model = self._model_of(network)
            scores = _alone(model).predict(image[None])[0]
        except ImageError:
            raise
        except (CapsvizError, RuntimeError) as error:
            print(f"capsviz: a class's network {network}: {error}", flush=True)
            raise Busy(say("class.refused.network"), 20) from error
        found = verdict(scores, model.card["unsure_below"], model.shape.score)
        return Read(scores, ink(image), model.classes[int(scores.argmax())], found)


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
