"""What a network is to see of a drawing, and what it makes of it; or why there is nothing."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from capsviz.inputs.drawings import Drawing
from capsviz.traces.base import Shape


@dataclass(frozen=True, eq=False)
class Seen:
    """What a network is to see of a drawing, or why there is nothing to be seen."""

    drawing: Drawing
    shape: Shape  # of the network
    image: np.ndarray | None = None  # [S, S] in 0..1
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network makes of one image; the same for every session that asks."""

    trace: Any  # a Trace, of the kind that the network makes: what a page needs of it, its PAGE has declared
    reconstructions: np.ndarray | None  # [R, J, S, S]; None of a network without poses
    milliseconds: float  # for the trace alone
    # [J] scores with the routing iterations of training, which the limit for unsure is for; None if the trace has as many.
    judged: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Reading:
    """The network's answer to one drawing, or why there is none."""

    drawing: Drawing
    iterations: int
    answer: Answer | None = None
    problem: str = ""

    @property
    def trace(self) -> Any:
        """The answer's trace; None without an answer."""
        return None if self.answer is None else self.answer.trace

    @property
    def reconstructions(self) -> np.ndarray | None:
        """[R, J, S, S] the answer's reconstructions, of a network with poses."""
        return None if self.answer is None else self.answer.reconstructions
