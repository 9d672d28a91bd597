"""What a network answers to one picture at every value of one change, by its own routing or by another rule on its votes."""

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from capsviz.inputs.changes import CHANGES, Changes, along
from capsviz.traces.base import Shape
from capsviz.traces.rules import BIAS
from capsviz.traces.surgery import reroute

if TYPE_CHECKING:
    from capsviz.models.model import Model

_AT_ONCE = 50  # images whose votes, 0.7 MB each, are kept


@dataclass(frozen=True)
class Coupling:
    """How votes are coupled: as trained, or otherwise.

    Attributes:
        name: of ``surgery.COUPLINGS``.
        iterations: of routing; as many as in training if None.
        bias: whether that of the authors' code is added.
        seed: of "random".
    """

    name: str = "routing"
    iterations: int | None = None
    bias: bool = False
    seed: int = 1

    @property
    def own(self) -> bool:
        """Whether it is Procedure 1, which a network runs by itself."""
        return self.name == "routing" and not self.bias


@dataclass(frozen=True, eq=False)
class Course:
    """The answers along one change; P values of it, of which some may not be measured yet: their numbers are NaN.

    Attributes:
        name: of ``CHANGES``.
        images: float32 [P, S, S] in 0..1, what the network sees.
        scores: float32 [P, J] in 0..1.
        poses: float32 [P, J, D]; None of a network without.
        shape: of the network.
    """

    name: str
    images: np.ndarray
    scores: np.ndarray
    poses: np.ndarray | None
    shape: Shape

    @property
    def known(self) -> np.ndarray:
        """bool [P] which values have been measured."""
        return np.asarray(~np.isnan(self.scores[:, 0]))

    @property
    def answers(self) -> np.ndarray:
        """[P] place among the classes of the highest score, of what is known."""
        return np.asarray(self.scores.argmax(axis=1))

    @property
    def same(self) -> int:
        """The place of the value that changes nothing."""
        return -CHANGES[self.name].first

    def first_wrong(self, true: int) -> tuple[int | None, int | None]:
        """How many steps from the unchanged picture the answer is first another than ``true``: below it, and above.

        None to a side where it never is, or where there is none. Where it is another without any change, 0 to both.
        """
        wrong = self.answers != true
        below, above = np.flatnonzero(wrong[self.same :: -1]), np.flatnonzero(wrong[self.same :])
        return (-int(below[0]) if len(below) else None, int(above[0]) if len(above) else None)


class Measuring:
    """A course in the making: its pictures at once, the answers value by value.

    Args:
        model: who answers.
        image: [S, S] in 0..1, as it was prepared.
        name: of ``CHANGES``.
        changes: the others.
        coupling: of a network that iterates; any other goes its own way.
        mean: [I, J] the mean of c, of the coupling "mean".
        seed: of the noise.

    Raises:
        CapsvizError: if the image or the change is none.
    """

    def __init__(
        self,
        model: "Model",
        image: np.ndarray,
        name: str,
        changes: Changes | None = None,
        coupling: Coupling | None = None,
        mean: np.ndarray | None = None,
        seed: int = 0,
    ) -> None:
        self._model, self._name, self._mean = model, name, mean
        self._how = coupling or Coupling()
        pixels = np.asarray(image, np.float32)
        self._images = _pictures(pixels.tobytes(), pixels.shape, name, changes, seed)
        shape, count = model.shape, len(self._images)
        self._scores = np.full((count, len(shape.classes)), np.nan, np.float32)
        self._poses = np.full((*self._scores.shape, shape.pose), np.nan, np.float32) if shape.pose else None
        self._one = threading.Lock()  # sessions share it

    def course(self) -> Course:
        """What is known by now."""
        with self._one:
            poses = None if self._poses is None else self._poses.copy()
            return Course(self._name, self._images, self._scores.copy(), poses, self._model.shape)

    def measure(self, around: int, count: int | None = None) -> None:
        """Measure values that are not known yet, in one batch.

        Args:
            around: place among the values, whose own comes first.
            count: how many, those nearest to it; None for all.

        Raises:
            CapsvizError: if the coupling is none, or the mean of c is wanted.
        """
        with self._one:
            left = np.flatnonzero(np.isnan(self._scores[:, 0]))
            places = left[np.argsort(np.abs(left - around), kind="stable")][:count]
            if len(places):
                self._scores[places], poses = _answers(
                    self._model, self._images[places], self._how, self._mean
                )
                if self._poses is not None:
                    self._poses[places] = poses


@lru_cache(maxsize=16)
def _pictures(
    image: bytes, shape: tuple[int, ...], name: str, changes: Changes | None, seed: int
) -> np.ndarray:
    """The pictures along a change, which all networks that see images of this size share."""
    images = along(np.frombuffer(image, np.float32).reshape(shape), name, changes, seed)
    images.flags.writeable = False
    return images


def course(
    model: "Model",
    image: np.ndarray,
    name: str,
    changes: Changes | None = None,
    coupling: Coupling | None = None,
    mean: np.ndarray | None = None,
    seed: int = 0,
) -> Course:
    """Answer one picture at each value of one change, all in one batch: ``Measuring`` says what of."""
    measuring = Measuring(model, image, name, changes, coupling, mean, seed)
    measuring.measure(0)
    return measuring.course()


def _answers(
    model: "Model", images: np.ndarray, how: Coupling, mean: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Scores [N, J] of images, and poses [N, J, D] if there are any."""
    if how.own or not model.shape.iterates:
        return model.answers(images, how.iterations) if model.shape.iterates else model.answers(images)
    poses = [
        reroute(
            votes,
            how.iterations or model.shape.trained,
            how.name,
            seed=how.seed,
            mean=mean,
            bias=BIAS if how.bias else 0.0,
        ).v[-1]
        for start in range(0, len(images), _AT_ONCE)
        for votes in model.votes(images[start : start + _AT_ONCE])
    ]
    v = np.stack(poses)
    return np.linalg.norm(v, axis=2), v
