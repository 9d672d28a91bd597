"""The Overlap page as a slide: two digits in one picture, each drawn again in its own colour."""

from typing import TYPE_CHECKING

import numpy as np

from capsviz.figures.overlap import Apart, seen_words
from capsviz.figures.reading import named, together
from capsviz.figures.slides.base import MARGIN, RIGHT, SMALL, Slide
from capsviz.figures.theme import added, class_colours, ink
from capsviz.texts import noun, say
from capsviz.texts.numbers import number
from capsviz.traces.routing import RoutingTrace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP, LARGE, SIDE, GAP = 232, 612, 288, 24
SECOND_ROW = TOP + SIDE + 92


def overlap_slide(
    trace: RoutingTrace,
    drawings: np.ndarray,
    limit: float,
    told: Apart | None = None,
    *,
    dark: bool = False,
    origin: str = "",
) -> "Figure":
    """The two longest capsules, what each of them draws, and the two added.

    Args:
        trace: of the picture.
        drawings: [J, S, S] in 0..1 what the pose of each class alone draws.
        limit: a capsule below it is too short to be claimed.
        told: which of the two comes first, and how near each is drawn to its own ink; without, the longest does.
        dark: whether it is light on dark.
        origin: a line for the bottom.
    """
    shape, lengths = trace.shape, trace.lengths[-1]
    pair = list(told.pair if told else np.argsort(-lengths, kind="stable")[:2])
    every = class_colours(len(shape.classes))
    colours = [every[place] for place in pair]
    slide = Slide(say("overlap.question", kind=noun(shape.kind)), dark, origin)
    claimed = named(lengths, limit, shape.answers)
    places = [place for place in pair if place in claimed]
    slide.answer(
        together(trace.classes, places), "  ".join(number(float(lengths[place])) for place in places)
    )
    slide.picture(added(drawings[pair], colours), MARGIN, TOP, LARGE, LARGE)
    composite = say("overlap.composite", kind=noun(shape.kind))
    slide.text(MARGIN, TOP + LARGE + 16, composite, soft=True, width=LARGE, lines=3)
    left = MARGIN + LARGE + 2 * GAP
    for at, (place, colour) in enumerate(zip(pair, colours, strict=True)):
        x = left + at * (SIDE + GAP)
        slide.picture(added(drawings[[place]], [colour]), x, TOP, SIDE, SIDE)
        redrawn = say("overlap.redrawn", name=shape.classes[place])
        y = slide.text(x, TOP + SIDE + 12, redrawn, SMALL, bold=True, width=SIDE)
        if told and told.errors:
            slide.text(x, y, say("overlap.error", error=number(told.errors[at], 1)), SMALL, width=SIDE)
    slide.picture(ink(trace.image), left, SECOND_ROW, SIDE, SIDE)
    slide.text(left, SECOND_ROW + SIDE + 12, say("overlap.seen"), SMALL, bold=True, width=SIDE)
    bars = left + 2 * (SIDE + GAP) + GAP
    below = slide.scores(lengths, shape, bars, TOP, RIGHT - bars, 440, places, limit)
    said = seen_words(lengths, limit, shape.classes, shape.kind, pair)
    dashed = say("overlap.limit", limit=number(limit))
    below = slide.text(bars, below + 8, dashed, soft=True, width=RIGHT - bars, lines=2)
    slide.text(bars, below + 16, said, SMALL, width=RIGHT - bars, lines=9)
    return slide.figure
