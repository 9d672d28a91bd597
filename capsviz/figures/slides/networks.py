"""All networks as a slide: the table of the Model page, with the error of each and its interval drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from capsviz.figures.comparison import cells
from capsviz.figures.slides.base import FOR, MARGIN, RIGHT, SMALL, Slide, fitting, plain, width_of
from capsviz.models.comparison import Entry
from capsviz.texts import say

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP = 190
MOST = 7  # networks that have room
COLUMNS = {"network": 466, "parameters": 338, "multiplyAdds": 294, "error": 330, "drawings": 348}


def networks_slide(
    entries: Sequence[Entry], chosen: str = "", *, dark: bool = False, origin: str = ""
) -> "Figure":
    """A row for each network.

    Args:
        entries: the networks; of many the first ones, with the chosen one among them.
        chosen: name of the one that answers, whose row is marked.
        dark: whether it is light on dark.
        origin: a line for the bottom.
    """
    shown = list(entries)[:MOST]
    if len(entries) > MOST and chosen not in [one.spec.name for one in shown]:
        shown[-1:] = [one for one in entries if one.spec.name == chosen] or shown[-1:]
    slide = Slide(say("model.all.title"), dark, origin)
    x = MARGIN
    for column, width in COLUMNS.items():
        slide.text(x, TOP, say(f"model.all.head.{column}"), SMALL, soft=True, width=width - 20)
        x += width
    step = min(128.0, 720 / max(len(shown), 1))
    ends = [one.evaluation["interval"][1] for one in shown if one.evaluation]
    most = max([*ends, *(one.card["test_error"] for one in shown), 1e-6])
    name = min((fitting(one.spec.title, 26, COLUMNS["network"] - 20, True) for one in shown), default=SMALL)
    lines = 2 if step >= 120 else 1
    for row, one in enumerate(shown):
        top = TOP + 44 + row * step
        if one.spec.name == chosen:
            slide.box(MARGIN - 24, top, RIGHT - MARGIN + 48, step - 8, slide.look.panel)
        x, values = MARGIN, cells(one)
        for column, width in COLUMNS.items():
            cell = values[column]
            room = width - 20
            size = name if column == "network" else fitting(cell.figure, 28, room, True)
            slide.text(x, top + 14, cell.figure, size, bold=True, width=room)
            below = cell.below
            if lines == 1 and width_of(plain(below), SMALL) > room:
                below = below.rpartition(", ")[0] or below  # without what it was measured on
            slide.text(x, top + 54, below, SMALL, soft=True, width=room, lines=lines)
            x += width
        left = MARGIN + sum(list(COLUMNS.values())[:3])
        _error(slide, one, left, top + step - 30, COLUMNS["error"] - 60, most)
        slide.curve((MARGIN, RIGHT), (top + step - 4, top + step - 4), thick=1)
    return slide.figure


def _error(slide: Slide, one: Entry, left: float, y: float, width: float, most: float) -> None:
    """The error as a bar from 0, and its interval as a line."""
    long = width * one.card["test_error"] / most
    slide.box(left, y, long, 12, FOR)
    if one.evaluation:
        low, high = (left + width * end / most for end in one.evaluation["interval"])
        slide.curve((low, high), (y + 6, y + 6), slide.look.ink, 3)
