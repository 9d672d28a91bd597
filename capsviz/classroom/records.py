"""What is known of a class: frozen values, as the store gives them and the presenter's pages read them."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from capsviz.inputs.drawings import Drawing, decode


class Standing(StrEnum):
    """Where a drawing stands: on the wall, waiting to be let through, taken off it, or gone for good."""

    SHOWN = "shown"
    WAITING = "waiting"
    HIDDEN = "hidden"
    REMOVED = "removed"


@dataclass(frozen=True)
class Rules:
    """What the presenter has set.

    Attributes:
        let_through: whether a drawing is on the wall only once the presenter has let it through.
        guess_first: whether a phone is answered only once it has said what the network will read.
        paused: whether no drawing is taken at the moment.
    """

    let_through: bool = False
    guess_first: bool = False
    paused: bool = False


@dataclass(frozen=True)
class Task:
    """What the class is asked to draw.

    Attributes:
        number: from 1, in the order in which they were set.
        text: as the phones show it.
        drawn: name of the class that is to be drawn; "" for any.
        read: name of the class that the network is to read; "" for any.
    """

    number: int
    text: str
    drawn: str = ""
    read: str = ""


@dataclass(frozen=True)
class Poll:
    """A question with choices.

    Attributes:
        number: from 1.
        question: as the phones show it.
        choices: 2 or more.
        truth: place of the right one; None where there is none.
        open: whether votes are taken.
        told: whether the phones are told how the class has voted, and the truth.
        tally: votes for each choice.
    """

    number: int
    question: str
    choices: tuple[str, ...]
    truth: int | None
    open: bool
    told: bool
    tally: tuple[int, ...]


@dataclass(frozen=True)
class Room:
    """A class.

    Attributes:
        id: in the database; random.
        code: by which phones join.
        network: name of the one that answers.
        language: code of the one in which nicknames are given.
        opened: when, in seconds since 1970.
        ends: when it ends by itself and is removed for good.
        closed: whether the presenter has ended it: nobody joins or draws, all else is still there.
        rules: that the presenter has set.
        task: that the class is asked for now.
        poll: that is open, or was last.
        phones: how many have joined.
        state: goes up whenever something changes that the phones are told of.
        revision: goes up whenever anything changes, a drawing too.
    """

    id: int
    code: str
    network: str
    language: str
    opened: float
    ends: float
    closed: bool
    rules: Rules
    task: Task | None
    poll: Poll | None
    phones: int
    state: int
    revision: int


@dataclass(frozen=True)
class Other:
    """What another network than the class's makes of a drawing.

    Attributes:
        network: its name.
        reads: as of ``Tile``.
        verdict: "digit", "unsure" or "no digit", as ``figures.verdict``.
        score: the highest one, 0..1.
    """

    network: str
    reads: tuple[str, ...]
    verdict: str
    score: float


@dataclass(frozen=True, eq=False)
class Tile:
    """A drawing that was sent, with what the network made of it.

    Attributes:
        id: in the database, going up in the order of sending.
        phone: nickname of who drew it.
        mark: by which its phone knows it.
        strokes: as ``inputs.drawings.encode`` writes them, and as a link carries them; "" of one that is removed.
        said: name of the class that it was meant to be; "" where nobody said.
        guess: name of the class that its phone said the network would read; "" without.
        network: name of the one that answered.
        read: name of the class with the highest score.
        reads: names of the classes that are claimed, the surest first: that one alone, or of a network that tells
            several in one image up to so many.
        verdict: "digit", "unsure" or "no digit", as ``figures.verdict``.
        scores: float32 [J] in 0..1; empty of one that is removed.
        seen: uint8 [S, S] the pixels that the network saw; empty of one that is removed.
        standing: where it stands.
        sent: when, in seconds since 1970.
        task: number of the task that it was drawn for; 0 without.
        covered: whether its phone has still to say what the network will read.
        others: what other networks make of it; None as long as none has been asked.
        revision: of the class, when it last changed.
    """

    id: int
    phone: str
    mark: str
    strokes: str
    said: str
    guess: str
    network: str
    read: str
    reads: tuple[str, ...]
    verdict: str
    scores: np.ndarray
    seen: np.ndarray
    standing: Standing
    sent: float
    task: int
    covered: bool
    others: tuple[Other, ...] | None
    revision: int

    @property
    def drawing(self) -> Drawing:
        """The drawing as the pad has it; one that is removed is blank."""
        return decode(self.strokes) if self.strokes else Drawing()

    @property
    def fooled(self) -> bool:
        """Whether the network read something else than it was meant to be; of several, whether that is none of them."""
        return bool(self.said) and self.verdict != "no digit" and self.said not in self.reads

    @property
    def disputed(self) -> int:
        """How many of the other networks say something else than the class's: other classes, or that it is none."""
        return sum(_said(other) != _said(self) for other in self.others or ())


def _said(answer: Tile | Other) -> set[str]:
    return set() if answer.verdict == "no digit" else set(answer.reads)


@dataclass(frozen=True)
class Glance:
    """What tells whether anything has changed in a class."""

    state: int
    revision: int
    over: bool


@dataclass(frozen=True)
class Opened:
    """A class that has just been opened.

    Attributes:
        code: by which phones join.
        secret: on which the presenter's rights hang; it is kept nowhere else.
        ends: when it ends by itself, in seconds since 1970.
    """

    code: str
    secret: str
    ends: float


@dataclass(frozen=True)
class Phone:
    """A phone that has joined: numbers of its class and of itself."""

    room: int
    id: int


@dataclass(frozen=True)
class Joined:
    """What a phone is given to keep.

    Attributes:
        token: by which it is known again.
        nickname: two words.
    """

    token: str
    nickname: str
