"""Two drawings before one network, on one clock: who voted for what in each, packed for the browser (browser/versus.js)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property, reduce
from typing import Any, NamedTuple, cast

import numpy as np

from capsviz import texts
from capsviz.figures.overlap import carriers
from capsviz.figures.packing import pack
from capsviz.figures.reading import named, together
from capsviz.figures.routing import routing_frames
from capsviz.figures.theme import AGAINST_COLOUR, FOR_COLOUR, class_colours, ink
from capsviz.inputs.drawings import PAD
from capsviz.texts import say
from capsviz.texts.numbers import number
from capsviz.traces.base import COUPLING, CapsuleGrid, Trace
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import RoutingTrace

SHARE, COUPLED, VOTE = "share", "c", "vote"
QUANTITIES = (SHARE, COUPLED, VOTE)  # what is shown of the votes at a place
SMALLER = 2  # times, a drawing as it lies on the pad
LEAST = 1e-6  # that a colour scale reaches


class Side(NamedTuple):
    """One of two drawings.

    Attributes:
        pixels: uint8 [280, 280] as it lies on the pad.
        trace: what the network made of it.
        drawn: [R, J, S, S] in 0..1 what each class capsule alone draws after each iteration; None without poses.
        unsure_below: the score below which no other class is claimed beside the highest.
    """

    pixels: np.ndarray
    trace: Trace
    drawn: np.ndarray | None
    unsure_below: float = 0.0

    def read(self, iteration: int = -1) -> tuple[int, ...]:
        """Places of the classes that it is read as after an iteration, the surest first, as the rail's card has them."""
        return named(self.trace.scores[iteration], self.unsure_below, self.trace.shape.answers)

    def words(self, places: Sequence[int]) -> tuple[str, str]:
        """Classes by name, "7 + 3", and their scores, "0.94 and 0.91"."""
        numbers = [number(float(self.trace.scores[-1][place])) for place in places]
        scores = reduce(lambda first, second: say("versus.and", first=first, second=second), numbers)
        return together(self.trace.shape.classes, places), scores


class Change(NamedTuple):
    """Where the votes for two classes differ most: a cell of the grid, and the shares of |s| there, [drawing][class]."""

    cell: int
    shares: tuple[tuple[float, float], tuple[float, float]]


class Carried(NamedTuple):
    """The fewest primary capsules that carry half of |s|: of the first drawing's answer, of the second's, of both."""

    first: int
    second: int
    both: int


def by_cell(values: np.ndarray, grid: CapsuleGrid, *, total: bool) -> np.ndarray:
    """Values [R, I, J] of capsules gathered at each place of the grid, or at each capsule where it has but one place.

    Args:
        total: the sum of what lies there; else the mean.

    Returns:
        [R, cells, J].
    """
    each = values.reshape(len(values), grid.types, grid.places, -1)
    axis = 1 if grid.places > 1 else 2
    return np.asarray(each.sum(axis=axis) if total else each.mean(axis=axis))


def voting(trace: RoutingTrace) -> dict[str, np.ndarray]:
    """[R, cells, J] of each of ``QUANTITIES``: what a cell's capsules add to |s|; their mean c; their mean vote along v."""
    along = trace.agreement / np.maximum(trace.lengths, np.finfo(np.float32).tiny)[:, None]
    return {
        SHARE: by_cell(trace.share, trace.grid, total=True),
        COUPLED: by_cell(trace.c, trace.grid, total=False),
        VOTE: by_cell(along, trace.grid, total=False),
    }


def rooted(parts: np.ndarray) -> np.ndarray:
    """How strong the colours of a map are, in -1..1, of parts of what the scale reaches: weak places are seen too."""
    return np.asarray(np.sign(parts) * np.sqrt(np.clip(np.abs(parts), 0, 1)))


def poses_of(trace: Trace) -> np.ndarray:
    """[R, J, D] of a trace that has poses."""
    return np.asarray(cast(RoutingTrace | PlainTrace, trace).v)


class Versus:
    """Two drawings before one network; what follows from their traces.

    Args:
        first, second: of the same network, with as many iterations.
    """

    def __init__(self, first: Side, second: Side) -> None:
        self.sides = first, second
        self.traces = first.trace, second.trace
        self.shape = first.trace.shape
        self.scores = first.trace.scores[-1], second.trace.scores[-1]

    @cached_property
    def same(self) -> bool:
        """Whether the network sees the same in both, so that nothing can differ."""
        return np.array_equal(self.traces[0].image, self.traces[1].image)

    @cached_property
    def classes(self) -> tuple[int, int]:
        """The two classes in question: both answers or, where these are one, that and the highest other of either drawing."""
        one, other = (trace.prediction for trace in self.traces)
        if one != other:
            return one, other
        rest = np.maximum(*self.scores)
        return one, int(np.where(np.arange(len(rest)) == one, -1, rest).argmax())

    @cached_property
    def routed(self) -> tuple[RoutingTrace, RoutingTrace] | None:
        """Both traces, of a network with votes."""
        if not all(COUPLING in trace.offers for trace in self.traces):
            return None
        return cast(tuple[RoutingTrace, RoutingTrace], self.traces)

    @cached_property
    def voting(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]] | None:
        """Of each drawing what ``voting`` gives."""
        return self.routed and (voting(self.routed[0]), voting(self.routed[1]))

    @cached_property
    def carried(self) -> Carried | None:
        """Who carries half of each answer, after the last iteration."""
        if self.routed is None:
            return None
        one, other = (carriers(trace.share[-1][:, trace.prediction]) for trace in self.routed)
        return Carried(int(one.sum()), int(other.sum()), int((one & other).sum()))

    @cached_property
    def change(self) -> Change | None:
        """Where the votes for the two classes differ most, after the last iteration; None where they nowhere do."""
        if self.voting is None or self.same:
            return None
        one, other = (found[SHARE][-1][:, self.classes] for found in self.voting)
        cell = int(np.abs(one - other).sum(axis=1).argmax())
        (a, b), (c, d) = one[cell].tolist(), other[cell].tolist()
        return Change(cell, ((a, b), (c, d)))

    @cached_property
    def apart(self) -> np.ndarray | None:
        """[D] the second's winning pose less the first's; None of a network without poses."""
        if not self.shape.pose:
            return None
        one, other = (poses_of(trace)[-1, trace.prediction] for trace in self.traces)
        return np.asarray(other - one)

    def said(self) -> str:
        """What differs, in one sentence, with the numbers that were measured."""
        one, other = (trace.prediction for trace in self.traces)
        a, b = self.classes
        reads = [side.read() for side in self.sides]
        if self.same:
            name, score = self.sides[0].words(reads[0])
            return say("versus.same", name=name, score=score)
        alike = set(reads[0]) == set(reads[1])
        words: dict[str, str] = {}
        for key, side, read, own in zip(("first", "second"), self.sides, reads, (one, other), strict=True):
            rival = b if own == a else a
            if rival in read:
                rival = next(int(place) for place in np.argsort(-side.trace.scores[-1]) if place not in read)
            name, score = side.words(reads[0] if alike else read)
            words |= {key: name, f"{key}Score": score}
            words[f"{key}Rival"], words[f"{key}RivalScore"] = side.words((rival,))
        return say("versus.alike" if alike else "versus.differ", **words)

    def why(self) -> str:
        """Who carries the answers, and where the votes differ most, with the numbers; "" of a network without votes."""
        if self.carried is None or self.change is None:
            return ""
        assert self.routed is not None
        names = self.shape.classes
        first, second = (names[trace.prediction] for trace in self.traces)
        said = say(
            "versus.carried",
            first=first,
            mine=say("versus.capsules", count=self.carried.first),
            second=second,
            theirs=say("versus.capsules", count=self.carried.second),
            both=say("versus.common", count=self.carried.both),
        )
        (a, b), (c, d) = self.change.shares
        changed = say(
            "versus.changed",
            where=cell_words(self.routed[0].grid, self.change.cell),
            one=names[self.classes[0]],
            other=names[self.classes[1]],
            **dict(zip(("a", "b", "c", "d"), map(number, (a, b, c, d)), strict=True)),
        )
        return f"{said} {changed}"


def cell_words(grid: CapsuleGrid, cell: int) -> str:
    """Where a cell is: a place of the grid, or a capsule where there is but one place."""
    if grid.places == 1:
        return say("versus.capsule", capsule=cell)
    row, column = divmod(cell, grid.columns)
    return say("versus.place", row=row, column=column)


# --- in other forms ---------------------------------------------------------------------------------------


def versus_table(versus: Versus) -> tuple[list[str], list[list[Any]]]:
    """A row for each iteration and class: its score in both drawings, and how far apart these are."""
    one, other = (trace.scores for trace in versus.traces)
    rows: list[list[Any]] = [
        [r + 1, name, versus.shape.score, float(a), float(b), float(b - a)]
        for r in range(len(one))
        for name, a, b in zip(versus.shape.classes, one[r], other[r], strict=True)
    ]
    return ["iteration", "class", "score is", "first", "second", "second less first"], rows


def versus_json(versus: Versus, facts: Mapping[str, Any]) -> bytes:
    """Scores, poses and what places voted, of both drawings by iteration; ``facts`` are of the origin."""

    def told(values: np.ndarray) -> Any:
        return np.round(values.astype(float), 7).tolist()

    content = {
        "origin": dict(facts),
        "classes": list(versus.shape.classes),
        "inQuestion": [versus.shape.classes[place] for place in versus.classes],
        "said": versus.said(),
        "why": versus.why().replace("**", ""),  # as people read it
        "carried": versus.carried and versus.carried._asdict(),
        "change": versus.change and versus.change._asdict(),
        "drawings": [
            {
                "answer": trace.answer,
                "read": [versus.shape.classes[place] for place in versus.sides[at].read()],
                "score": versus.shape.score,
                "scores": told(trace.scores),
                "poses": told(poses_of(trace)) if versus.shape.pose else None,
                "votes": versus.voting and {name: told(values) for name, values in versus.voting[at].items()},
            }
            for at, trace in enumerate(versus.traces)
        ],
    }
    return json.dumps(content, ensure_ascii=False).encode("utf-8")


def versus_payload(
    first: Side,
    second: Side | None,
    *,
    asked: Mapping[str, Any],
    examples: Sequence[tuple[str, str]],
    link: Mapping[str, Any],
) -> bytes:
    """Everything that the view draws, packed.

    Args:
        first: the drawing on the pad.
        second: the one beside it; None without, or if nothing can be made of it: ``asked`` then says why.
        asked: for the script: the second drawing as a text, as an address has it, and what is wrong with it, the number of the
            request, and the first drawing as a text, to be kept as the second.
        examples: drawings that can be the second, each as a text and what it is called.
        link: the parameters that the script reads of the address.
    """
    shape, trace = first.trace.shape, first.trace
    sides = [first] if second is None else [first, second]
    arrays: dict[str, np.ndarray] = {}
    for at, side in enumerate(sides):
        arrays[f"pad{at}"] = _smaller(side.pixels)
        arrays[f"image{at}"] = ink(side.trace.image)
        arrays[f"scores{at}"] = side.trace.scores
        if shape.pose:
            arrays[f"v{at}"] = poses_of(side.trace)
        if side.drawn is not None:
            arrays[f"drawn{at}"] = ink(side.drawn)
    header: dict[str, Any] = {
        "size": shape.size,
        "pad": PAD // SMALLER,
        "classes": shape.classes,
        "kind": shape.kind,
        "score": shape.score,
        "routing": shape.routing,
        "pose": shape.pose,
        "iterations": len(trace.scores),
        "frames": [frame._asdict() for frame in routing_frames(len(trace.scores))] if shape.iterates else [],
        "grid": None,
        "whole": second is not None,
        "question": [0, 1],
        "answers": [side.trace.prediction for side in sides],
        "read": [[side.read(r) for r in range(len(side.trace.scores))] for side in sides],
        "same": False,
        "said": "",
        "why": "",
        "asked": dict(asked),
        "examples": list(examples),
        "digitColours": class_colours(len(shape.classes)),
        "forColour": FOR_COLOUR,
        "againstColour": AGAINST_COLOUR,
        "link": dict(link),
        "texts": texts.for_script("common", "address.outside", "compare", "routing.clock", "versus"),
    }
    if second is not None:
        versus = Versus(first, second)
        header |= {"question": list(versus.classes), "said": versus.said(), "same": versus.same}
        header["why"] = versus.why()
        if versus.voting is not None and shape.grid is not None:
            header |= {"grid": asdict(shape.grid), "limits": _limits(versus.voting, len(shape.classes))}
            for at, found in enumerate(versus.voting):
                arrays |= {f"{name}{at}": values for name, values in found.items()}
    return pack(arrays, header)


def _smaller(pixels: np.ndarray) -> np.ndarray:
    """A drawing with a pixel for each square of some."""
    side = PAD // SMALLER
    return np.rint(pixels.reshape(side, SMALLER, side, SMALLER).mean(axis=(1, 3))).astype(np.uint8)


def _limits(both: tuple[dict[str, np.ndarray], dict[str, np.ndarray]], classes: int) -> dict[str, float]:
    """How far each scale goes from its neutral middle, the same for both drawings: 1/J for c, else 0."""
    return {
        name: float(
            max(
                LEAST,
                *(np.abs(found[name] - (1 / classes if name == COUPLED else 0)).max() for found in both),
            )
        )
        for name in QUANTITIES
    }
