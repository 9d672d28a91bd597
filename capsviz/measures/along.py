"""What a network answers to one picture at every value of one change, by its own routing or by another rule on its votes."""

from dataclasses import dataclass
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
    """The answers along one change; P values of it.

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
    def answers(self) -> np.ndarray:
        """[P] place among the classes of the highest score."""
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


def course(
    model: "Model",
    image: np.ndarray,
    name: str,
    changes: Changes | None = None,
    coupling: Coupling | None = None,
    mean: np.ndarray | None = None,
    seed: int = 0,
) -> Course:
    """Answer one picture at each value of one change, all in one batch.

    Args:
        model: who answers.
        image: [S, S] in 0..1, as it was prepared.
        name: of ``CHANGES``.
        changes: the others.
        coupling: of a network that iterates; any other goes its own way.
        mean: [I, J] the mean of c, of the coupling "mean".
        seed: of the noise.

    Raises:
        CapsvizError: if the image, the change or the coupling is none, or ``mean`` is wanted.
    """
    images, how = along(image, name, changes, seed), coupling or Coupling()
    if not model.shape.iterates:
        return Course(name, images, *model.answers(images), model.shape)
    if how.own:
        return Course(name, images, *model.answers(images, how.iterations), model.shape)
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
    return Course(name, images, np.linalg.norm(v, axis=2), v, model.shape)
