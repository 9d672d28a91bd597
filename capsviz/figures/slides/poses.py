"""Poses on the move as slides: Figure 4 of the paper for a drawing, and the way from one pose to another."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from capsviz.figures.slides.base import FOR, MARGIN, RIGHT, SMALL, TEXT, Slide
from capsviz.figures.theme import ink
from capsviz.measures.sweeps import grid_picture
from capsviz.texts import capital, noun, say
from capsviz.texts.numbers import number
from capsviz.traces.base import LENGTH, Shape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP, BOTTOM = 204, 930
GAP = 1  # pixel of the network's image, around each image of the grid
BLOCK = 8  # rows one below the other: of more, a second block stands beside
SIDE, LARGE = 392, 560  # of the ends of a way, and of what is between


def sweep_slide(
    shape: Shape, images: np.ndarray, digit: int, span: float, *, dark: bool = False, origin: str = ""
) -> "Figure":
    """A row for each number of a pose, moved by -span to +span.

    Args:
        shape: of the network.
        images: [D, steps, S, S] in 0..1, as of ``sweep``.
        digit: the class whose pose it is.
        span: to both sides.
        dark: whether it is light on dark.
        origin: a line for the bottom.
    """
    slide = Slide(say("pose.sweep.heading"), dark, origin)
    count, steps = images.shape[:2]
    plain = "" if shape.score == LENGTH else "Plain"
    Kind = capital(noun(shape.kind))
    told = say(f"pose.sweep.title{plain}", **{"Kind": Kind, "class": shape.classes[digit], "numbers": count})
    slide.text(MARGIN, MARGIN + 68, told, TEXT, soft=True, width=RIGHT - MARGIN)
    blocks = -(-count // BLOCK)
    rows = -(-count // blocks)
    gap, beside = 72, 56  # between blocks, and for what a row is
    room = (RIGHT - MARGIN - gap * (blocks - 1)) / blocks - beside
    cell = min(room / steps, (BOTTOM - TOP) / rows)
    for block in range(blocks):
        left = MARGIN + block * (room + beside + gap) + beside
        own = images[block * rows : (block + 1) * rows]
        slide.picture(grid_picture(own, 1, 2 * GAP), left, TOP, cell * steps, cell * len(own))
        for row in range(len(own)):
            middle = TOP + (row + 0.5) * cell
            slide.text(left - 14, middle - SMALL / 2, str(block * rows + row), align="right", soft=True)
        for at, step in ((0, -span), (steps // 2, 0.0), (steps - 1, span)):
            said = ("+" if step > 0 else "") + number(step)
            slide.text(left + (at + 0.5) * cell, TOP + cell * len(own) + 12, said, align="center", soft=True)
    return slide.figure


def morph_slides(
    shape: Shape, images: np.ndarray, digits: tuple[int, int], *, dark: bool = False, origin: str = ""
) -> Iterator["Figure"]:
    """The way from one pose to another, a slide for each image.

    Args:
        shape: of the network.
        images: [N, S, S] in 0..1, as of ``morph``.
        digits: the classes whose poses the two ends are.
        dark: whether it is light on dark.
        origin: a line for the bottom.
    """
    middle, lower = (MARGIN + RIGHT) / 2, TOP + (LARGE - SIDE) / 2
    plain = "" if shape.score == LENGTH else "Plain"
    for at, image in enumerate(images):
        share = at / (len(images) - 1)
        slide = Slide(say("pose.morph.heading"), dark, origin)
        ends = zip((MARGIN, RIGHT - SIDE), "AB", (images[0], images[-1]), digits, strict=True)
        for left, letter, end, digit in ends:
            slide.picture(ink(end), left, lower, SIDE, SIDE)
            words = {"letter": letter, "kind": noun(shape.kind), "class": shape.classes[digit]}
            told = say(f"pose.morph.picture{plain}", **words)
            slide.text(left, lower + SIDE + 16, told, TEXT, soft=True, width=SIDE)
        slide.picture(ink(image), middle - LARGE / 2, TOP, LARGE, LARGE)
        y, first, last = TOP + LARGE + 60, MARGIN + SIDE + 60, RIGHT - SIDE - 60
        slide.curve((first, last), (y, y), thick=4)
        slide.dots(np.array([first + share * (last - first)]), np.array([y]), np.array([450.0]), [FOR])
        way = say("pose.morph.way", percent=round(100 * share))
        slide.text(middle, y + 28, way, TEXT, align="center", width=last - first)
        yield slide.figure
