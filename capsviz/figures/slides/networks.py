"""All networks as a slide: the table of the Model page, with the error of each and its interval drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from capsviz.figures.comparison import cells
from capsviz.figures.slides.base import FOR, MARGIN, RIGHT, SMALL, Slide, fitting
from capsviz.models.comparison import Entry
from capsviz.models.rates import of_card
from capsviz.texts import say
from capsviz.texts.numbers import per_cent

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
    errors = [_measured(one) for one in shown]
    most = max([*(rate for rate, _ in errors), *(interval[1] for _, interval in errors if interval), 1e-6])
    name = min((fitting(one.spec.title, 26, COLUMNS["network"] - 20, True) for one in shown), default=SMALL)
    for row, (one, (rate, interval)) in enumerate(zip(shown, errors, strict=True)):
        top = TOP + 44 + row * step
        if one.spec.name == chosen:
            slide.box(MARGIN - 24, top, RIGHT - MARGIN + 48, step - 8, slide.look.panel)
        x, values = MARGIN, cells(one)
        # What it was measured on stands where it has room; below the error is its bar.
        below = {
            "network": f"{one.spec.name}, {one.spec.data.name}",
            "error": say("model.all.range", low=per_cent(interval[0]), high=per_cent(interval[1]))
            if interval
            else "",
        }
        for column, width in COLUMNS.items():
            cell = values[column]
            room = width - 20
            size = name if column == "network" else fitting(cell.figure, 28, room, True)
            slide.text(x, top + 4, cell.figure, size, bold=True, width=room)
            slide.text(x, top + 36, below.get(column, cell.below), SMALL, soft=True, width=room, lines=2)
            x += width
        left = MARGIN + sum(list(COLUMNS.values())[:3])
        _error(slide, rate, interval, (left, top + 72), (COLUMNS["error"] - 60) / most)
        slide.curve((MARGIN, RIGHT), (top + step - 4, top + step - 4), thick=1)
    return slide.figure


def _measured(one: Entry) -> tuple[float, tuple[float, float] | None]:
    """The error that the table has of a network, and its interval if it is known."""
    if one.evaluation:
        low, high = one.error["interval"]
        return one.error["error_rate"], (low, high)
    counted = of_card(one.card)
    return one.card["test_error"], counted and counted[1]


def _error(
    slide: Slide, rate: float, interval: tuple[float, float] | None, at: tuple[float, float], scale: float
) -> None:
    """The error as a bar from 0, and its interval as a line, so many pixels for an error of 1."""
    left, y = at
    slide.box(left, y, scale * rate, 12, FOR)
    if interval:
        low, high = (left + scale * end for end in interval)
        slide.curve((low, high), (y + 6, y + 6), slide.look.ink, 3)
