"""How the answer to a drawing came about while it was drawn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capsviz.inputs import replay as drawn
from capsviz.inputs.drawings import Drawing
from capsviz.inputs.replay import Moment
from capsviz.traces.base import LENGTH, MARGIN_ABSENT, Shape

if TYPE_CHECKING:
    from capsviz.models.model import Model

NONE = -1  # in place of an answer, where nothing can be made out


@dataclass(frozen=True, eq=False)
class Replay:
    """The answer to a drawing at each moment of it.

    A moment is answered as a drawing of its own: cropped, scaled and centred by the ink that it has.

    Attributes:
        moments: M of them, in their order; the last is the whole drawing.
        images: float32 [M, S, S] in 0..1, what the network sees of them.
        scores: float32 [M, J] in 0..1, what it answers; NaN where nothing can be made out.
        shape: of the network.
    """

    moments: tuple[Moment, ...]
    images: np.ndarray
    scores: np.ndarray
    shape: Shape

    @property
    def answers(self) -> np.ndarray:
        """[M] place among the classes of the highest score; ``NONE`` where nothing can be made out."""
        return np.where(np.isnan(self.scores[:, 0]), NONE, np.nan_to_num(self.scores).argmax(axis=1))

    @property
    def claims(self) -> np.ndarray:
        """[M] the answers that say that a class is there; ``NONE`` also where every capsule is as short as absent ones.

        Of probabilities, which sum to 1, every answer says so.
        """
        if self.shape.score != LENGTH:
            return self.answers
        return np.where(np.nan_to_num(self.scores).max(axis=1) > MARGIN_ABSENT, self.answers, NONE)

    @property
    def decided(self) -> int:
        """The moment of decision: the first from which what is claimed stays the final claim to the end."""
        claims = self.claims
        others = np.flatnonzero(claims != claims[-1])
        return int(others[-1]) + 1 if len(others) else 0

    @property
    def changes(self) -> int:
        """How often a claim is another one than that before it."""
        claims = self.claims[self.claims != NONE]
        return int((claims[1:] != claims[:-1]).sum())


def replay(model: "Model", drawing: Drawing, iterations: int | None = None) -> Replay:
    """Answer a drawing as it was at each of its moments, all in one batch.

    Args:
        model: who answers.
        drawing: with strokes, of a person or an example.
        iterations: of routing, 1 to 100; as many as in training if not given.

    Raises:
        ImageError: if the drawing has no strokes, or nothing can be made out in it.
        CapsvizError: if the network cannot route for as many iterations.
    """
    moments = drawn.moments(drawing)
    images, made_out = drawn.images(moments, model.shape.size, model.shape.answers)
    scores = np.full((len(moments), len(model.classes)), np.nan, np.float32)
    if iterations is None or iterations == model.shape.trained:
        scores[made_out] = model.predict(images[made_out])
    else:
        scores[made_out] = model.scores_by_iteration(images[made_out], iterations)[-1]
    return Replay(moments, images, scores, model.shape)
