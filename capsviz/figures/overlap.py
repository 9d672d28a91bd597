"""Two digits that lie over each other: what the network sees, each digit drawn again, and who voted for which."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from capsviz import texts
from capsviz.figures.packing import pack
from capsviz.figures.theme import class_colours, ink
from capsviz.texts import noun, say
from capsviz.texts.numbers import number
from capsviz.traces.base import MARGIN_ABSENT
from capsviz.traces.routing import RoutingTrace

HALF = 0.5  # of |s|, that the voters of a class carry


class Voters(NamedTuple):
    """Which primary capsules carry half of the one class, of the other, of both; sides are first alone, both, second alone.

    Attributes:
        counts: int32 [places, 3] how many there are at each place.
        amounts: float32 [places, 3] what they add to |s| of the two classes.
        capsules: [3] how many there are in all.
    """

    counts: np.ndarray
    amounts: np.ndarray
    capsules: tuple[int, ...]


class Apart(NamedTuple):
    """The two longest, told apart, as overlap.js tells them.

    Attributes:
        pair: places of the two classes, the one that was drawn first before the other where that is known, else the longest.
        errors: what each is drawn again with, held against its own ink: squared errors of pixels in 0..1, summed; None where
            it is not known which ink is whose.
    """

    pair: tuple[int, int]
    errors: tuple[float, float] | None


def apart(lengths: np.ndarray, drawings: np.ndarray, parts: np.ndarray, second: int) -> Apart:
    """Which of the two longest was drawn first, and how near each is drawn to its own ink.

    Args:
        lengths: [J] of the class capsules.
        drawings: [J, S, S] what the pose of each class alone draws, in 0..1.
        parts: [N, S, S] in 0..1, as ``overlap_payload`` has them.
        second: bits of the parts that are of the second digit, the lowest the first part's.
    """
    one, other = map(int, np.argsort(-lengths, kind="stable")[:2])
    # With 255 levels, as the page has them.
    drawn, shown = ({place: ink(drawings[place]) / 255 for place in (one, other)}, ink(parts) / 255)
    sides = np.array([second >> at & 1 for at in range(len(shown))], bool)
    if sides.all() or not sides.any():
        return Apart((one, other), None)
    own = shown[~sides].max(0), shown[sides].max(0)

    def errors(first: int, then: int) -> tuple[float, float]:
        pairs = zip((first, then), own, strict=True)
        found = [float(np.square(drawn[place] - picture).sum()) for place, picture in pairs]
        return found[0], found[1]

    pair = (other, one) if sum(errors(other, one)) < sum(errors(one, other)) else (one, other)
    return Apart(pair, errors(*pair))


def carriers(shares: np.ndarray) -> np.ndarray:
    """Which capsules carry half of |s| of a class: the fewest whose shares [I] sum to that; bool [I]."""
    order = np.argsort(-shares, kind="stable")
    count = (
        int(np.searchsorted(np.cumsum(shares[order], dtype=np.float64), HALF * shares.sum(dtype=np.float64)))
        + 1
    )
    chosen = np.zeros(len(shares), bool)
    chosen[order[:count]] = shares[order[:count]] > 0
    return chosen


def voters(trace: RoutingTrace, first: int, second: int) -> Voters:
    """Who voted for two classes, after the last iteration."""
    share = trace.share[-1][:, [first, second]]
    one, other = (carriers(part) for part in share.T)
    sides = np.stack([one & ~other, one & other, ~one & other], 1)
    added = np.stack([share[:, 0], share.sum(1), share[:, 1]], 1)
    grid = (trace.grid.types, trace.grid.places, 3)
    counts = sides.reshape(grid).sum(0)
    amounts = np.where(sides, added, 0).reshape(grid).sum(0)
    return Voters(counts.astype(np.int32), amounts.astype(np.float32), tuple(map(int, counts.sum(0))))


def sees(lengths: np.ndarray, limit: float) -> str:
    """What may be said of lengths [J]: "none", "unsure", "one", "two", or "more" are there.

    Args:
        lengths: of the class capsules.
        limit: a capsule below it is too short to be claimed.
    """
    longest = np.sort(lengths)[::-1]
    if longest[0] <= MARGIN_ABSENT:
        return "none"
    return ("unsure", "one", "two", "more")[min(3, int((longest >= limit).sum()))]


def seen_words(
    lengths: np.ndarray, limit: float, classes: Sequence[str], kind: str, pair: Sequence[int] = ()
) -> str:
    """One sentence on what is there, with the lengths that it rests on; marks as in all texts.

    Args:
        lengths: of the class capsules.
        limit: a capsule below it is too short to be claimed.
        classes: their names.
        kind: what they are.
        pair: the two longest in the order in which they are named, if both are there; without, the longest comes first.
    """
    order = np.argsort(-lengths, kind="stable")[:3]
    if len(pair) and sees(lengths, limit) in ("two", "more"):
        order[:2] = pair
    names = dict(zip(("first", "second", "third"), (classes[place] for place in order), strict=False))
    said = dict(
        zip(("one", "two", "three"), (number(float(lengths[place])) for place in order), strict=False)
    )
    words = {"kind": noun(kind), "kinds": noun(kind, 2), "limit": number(limit), "absent": MARGIN_ABSENT}
    return say(f"overlap.sees.{sees(lengths, limit)}", **names, **said, **words)


def overlap_payload(
    trace: RoutingTrace,
    drawings: np.ndarray,
    parts: np.ndarray,
    *,
    below: bool,
    limit: float,
    laid: Mapping[str, Any],
    suggested: bool,
    examples: Sequence[str],
    link: Mapping[str, tuple[int, ...] | tuple[str, ...]],
    problem: str = "",
) -> bytes:
    """Everything the Overlap page draws, packed.

    Args:
        trace: of the picture.
        drawings: [J, S, S] what the pose of each class alone draws, in 0..1.
        parts: [N, S, S] in 0..1: each stroke by itself, in their order, or the drawing and what is laid over it.
        below: whether the first part lies below the strokes, as an example does.
        limit: a capsule below it is too short to be claimed.
        laid: what is laid over the drawing, as overlap.js asked for it.
        suggested: whether nobody has asked for that: it is there until somebody draws.
        examples: names of what can be.
        link: the parameters of the address that the view reads and writes, {name: (least, most)}.
        problem: a sentence about what was asked and cannot be shown; "" without.
    """
    shape, lengths = trace.shape, trace.lengths[-1]
    order = np.argsort(-lengths, kind="stable")
    first, second = map(int, order[:2])
    who = voters(trace, first, second)
    arrays = {
        "image": ink(trace.image),
        "drawings": ink(drawings),
        "parts": ink(parts),
        "counts": who.counts,
        "amounts": who.amounts,
    }
    header = {
        "size": shape.size,
        "classes": shape.classes,
        "kind": shape.kind,
        "grid": asdict(trace.grid),
        "trained": shape.trained,
        "lengths": lengths.tolist(),
        "order": order.tolist(),
        "long": np.linalg.norm(trace.s[-1][[first, second]], axis=1).tolist(),
        "below": below,
        "limit": limit,
        "sees": sees(lengths, limit),
        # The longest first, and the other way round: the script knows which of them was drawn first.
        "said": [
            seen_words(lengths, limit, shape.classes, shape.kind, pair)
            for pair in ((first, second), (second, first))
        ],
        "capsules": list(who.capsules),
        "laid": dict(laid),
        "suggested": suggested,
        "examples": list(examples),
        "problem": problem,
        "link": dict(link),
        "texts": texts.for_script("common", "overlap", "address.outside"),
        "digitColours": class_colours(len(shape.classes)),
    }
    return pack(arrays, header)
