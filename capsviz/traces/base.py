"""What every trace has, whatever network made it, and the shape of that network."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

if TYPE_CHECKING:
    import numpy as np

MARGIN_PRESENT, MARGIN_ABSENT = (
    0.9,
    0.1,
)  # m+ and m- of Eq. 4: how long training makes capsules that are there, or not
RECONSTRUCTION_WEIGHT = 0.0005  # of the *summed* squared error in the loss (section 4.1)
# What a trace, or a network, can offer to a view.
COUPLING = "coupling"  # votes of primary capsules, and how they are shared out
POSES = "poses"  # a pose for each class, of which a decoder draws
SEVERAL = "several"  # several classes in one image, and a pose for each
OFFERS = (COUPLING, POSES, SEVERAL)
# What a score is: of a capsule; of a softmax over the classes; or of each class by itself, whatever the others say.
LENGTH, PROBABILITY, INDEPENDENT = "length", "probability", "independent"

MOST_CAPSULES = 36_000  # of a layer: their votes, for one image, take a quarter of a gigabyte
MOST_CLASSES = 200
MOST_SIDE = 256  # pixels


class Spot(NamedTuple):
    """Where one primary capsule sits."""

    type: int
    row: int
    column: int


@dataclass(frozen=True)
class CapsuleGrid:
    """Where the primary capsules sit: capsule (type * rows + row) * columns + column sees one square of the image.

    Attributes:
        types: how many capsules there are at each place.
        rows: of places, from the top.
        columns: of places, from the left.
        field: side in pixels of the square that a capsule sees.
        stride: pixels from one place to the next, in both directions; the first field begins in the image's corner.
    """

    types: int
    rows: int
    columns: int
    field: int
    stride: int

    def __post_init__(self) -> None:
        sizes = (self.types, self.rows, self.columns, self.field, self.stride)
        if not all(isinstance(size, int) and size >= 1 for size in sizes) or self.capsules > MOST_CAPSULES:
            raise ValueError(f"there is no grid of {self.types} x {self.rows} x {self.columns} capsules.")

    @property
    def places(self) -> int:
        """How many places there are: rows times columns; place = row * columns + column."""
        return self.rows * self.columns

    @property
    def capsules(self) -> int:
        """How many primary capsules there are, I."""
        return self.types * self.places

    def spot(self, capsule: int) -> Spot:
        """Where a capsule sits."""
        type_, place = divmod(capsule, self.places)
        return Spot(type_, *divmod(place, self.columns))

    def capsule(self, type_: int, row: int, column: int) -> int:
        """Which capsule sits there."""
        return (type_ * self.rows + row) * self.columns + column


@dataclass(frozen=True)
class Shape:
    """What is as large as it is in every trace of one network.

    Attributes:
        size: side of the image in pixels.
        classes: names of what it tells apart, in the order of its scores.
        kind: what a class is, "digit" say; the texts have a word for it.
        grid: of its primary capsules; None for a network without.
        components: K of a primary capsule; 0 without.
        pose: D of a class capsule; 0 without.
        routing: kind of routing: "dynamic" (Procedure 1 of arXiv:1710.09829), "attention" (arXiv:2101.12491); "" without.
        trained: routing iterations of training; 1 where nothing iterates.
        score: what its scores are, ``LENGTH``, ``PROBABILITY`` or ``INDEPENDENT``.
        answers: how many classes an image shows, as it is trained: so many of the highest scores are the answer.
    """

    size: int
    classes: tuple[str, ...]
    kind: str
    grid: CapsuleGrid | None = None
    components: int = 0
    pose: int = 0
    routing: str = ""
    trained: int = 1
    score: str = LENGTH
    answers: int = 1

    def __post_init__(self) -> None:
        names = self.classes
        if not 1 <= self.size <= MOST_SIDE:
            raise ValueError(f"an image has 1 to {MOST_SIDE} pixels a side, not {self.size}.")
        if not 2 <= len(names) <= MOST_CLASSES or len(set(names)) < len(names) or not all(names):
            raise ValueError(
                f"a network tells 2 to {MOST_CLASSES} classes apart, each with a name of its own."
            )
        if self.grid:
            end = (max(self.grid.rows, self.grid.columns) - 1) * self.grid.stride + self.grid.field
            if end > self.size:
                raise ValueError(f"the last capsules see as far as pixel {end} of {self.size}.")
            if self.components < 1 or self.pose < 1 or self.trained < 1 or not self.routing:
                raise ValueError("capsules have components, poses and a routing with 1 iteration or more.")
        scores = (LENGTH, PROBABILITY, INDEPENDENT)
        if self.score not in scores or (self.trained != 1 and not self.iterates):
            raise ValueError(f"scores are {', '.join(scores)}, and only dynamic routing iterates.")
        if not 1 <= self.answers <= (1 if self.score == PROBABILITY else len(names)):
            raise ValueError("an image shows 1 class, or several of those whose scores need not sum to 1.")

    @property
    def iterates(self) -> bool:
        """Whether its routing goes on for a number of iterations that can be chosen."""
        return self.routing == "dynamic"


class Trace(ABC):
    """What a network made of one image.

    Attributes:
        image: [S, S] the pixels seen, in 0..1.
        shape: of the network.
    """

    offers: ClassVar[frozenset[str]] = frozenset()  # of ``OFFERS``: what a view may ask it for
    image: "np.ndarray"
    shape: Shape

    @property
    @abstractmethod
    def scores(self) -> "np.ndarray":
        """[R, J] how surely each class is there, in 0..1, after each of R steps; the last is the answer's."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the J classes."""
        return self.shape.classes

    @property
    def prediction(self) -> int:
        """Place among ``classes`` of the one with the highest score after the last step."""
        return int(self.scores[-1].argmax())

    @property
    def answer(self) -> str:
        """Name of the class with the highest score after the last step."""
        return self.classes[self.prediction]
