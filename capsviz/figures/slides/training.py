"""A training on the page: how its losses and errors fell, the same digits drawn again, and its first filters, on one slide."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from capsviz.figures.live import Picture, mosaic
from capsviz.figures.slides.base import AGAINST, FOR, MARGIN, RIGHT, SMALL, TEXT, Slide
from capsviz.figures.theme import class_colours, signed
from capsviz.texts import say
from capsviz.texts.numbers import grouped, per_cent, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP, WIDE, HIGH = 230, 700, 170  # of the charts
BELOW = 420  # from one chart to the next
LEFT, TILE, GAP, ROW = 960, 128, 36, 340  # of the digits: their left end, width, and from row to row
ABREAST = 5
KERNELS = 84  # pixels that the filters are high


def training_slide(
    rows: Sequence[Any], picture: Picture, told: Any, *, dark: bool = False, origin: str = ""
) -> "Figure":
    """Curves on the left, pictures on the right.

    Args:
        rows: of ``live_plan.Row``, one at least.
        picture: of one of its steps.
        told: of its data, with "classes" and "held".
    """
    slide = Slide(say("training.question"), dark, origin)
    known = [row for row in rows if row.loss is not None]
    seconds = [row.seconds for row in known]
    last = max(10.0, rows[-1].seconds)
    losses = [(say("training.chart.margin"), seconds, [row.loss for row in known])]
    drawn = [(say("training.chart.reconstruction"), seconds, [row.reconstruction for row in known])]
    every = [row.seconds for row in rows]
    misread = (say("training.chart.error", held=grouped(told.held)), every, [row.error for row in rows])
    entropy = (say("training.chart.entropy"), every, [row.entropy for row in rows])
    _chart(slide, TOP, last, losses + drawn, ends=None)
    _chart(slide, TOP + BELOW, last, [misread, entropy], ends=1.0)
    _digits(slide, picture, told.classes)
    _filters(slide, picture)
    return slide.figure


def _chart(slide: Slide, y: float, last: float, curves: Sequence[Any], ends: float | None) -> None:
    """Two curves over the seconds of training, each from 0 to its largest value, or to ``ends``."""
    for at, ((name, x, values), colour) in enumerate(zip(curves, (AGAINST, FOR), strict=True)):
        most = ends or max([*values, 1e-6])
        top = per_cent(1, 0) if ends else short(float(f"{most:.3g}"))
        now = (per_cent(values[-1], 1) if ends else short(float(f"{values[-1]:.3g}"))) if values else ""
        line = y - 2.4 * SMALL + at * 1.3 * SMALL
        slide.box(MARGIN, line + 4, 20, SMALL - 8, colour)
        slide.text(MARGIN + 30, line, f"{name}: {now}", SMALL, width=LEFT - MARGIN - 60)
        slide.text(MARGIN + WIDE + 12, y + 16 + at * 1.3 * SMALL, top, SMALL, colour=colour)
        xs = [MARGIN + WIDE * second / last for second in x]
        slide.curve(xs, [y + 16 + HIGH * (1 - value / most) for value in values], colour, thick=4)
    slide.curve((MARGIN, MARGIN + WIDE), (y + 16 + HIGH,) * 2)
    slide.curve((MARGIN, MARGIN), (y + 16, y + 16 + HIGH))
    slide.text(MARGIN, y + 28 + HIGH, "0", SMALL, soft=True)
    end = f"{short(round(last, 1))} · {say('training.chart.x')}"
    slide.text(MARGIN + WIDE, y + 28 + HIGH, end, SMALL, soft=True, align="right")


def _digits(slide: Slide, picture: Picture, classes: Sequence[str]) -> None:
    """The images, and below each what it is drawn again as; in its class's colour, and what it is misread as."""
    colours = class_colours(len(classes))
    title = f"{say('training.forming.title')}: {say('training.checkpoint.step', step=grouped(picture.step))}"
    slide.text(LEFT, MARGIN + 64, title, TEXT, bold=True, width=RIGHT - LEFT)
    shown = zip(picture.seen, picture.redrawn, picture.labels, picture.answers, strict=True)
    for at, (seen, redrawn, label, answer) in enumerate(shown):
        x, y = LEFT + at % ABREAST * (TILE + GAP), MARGIN + 112 + at // ABREAST * ROW
        slide.picture(seen, x, y, TILE, TILE)
        slide.picture(redrawn, x, y + TILE + 4, TILE, TILE)
        slide.box(x, y + 2 * TILE + 4, TILE, 5, colours[label])
        read = "" if answer == label else say("training.forming.read", name=classes[answer])
        slide.text(
            x,
            y + 2 * TILE + 14,
            " ".join(filter(None, [classes[label], read])),
            SMALL,
            width=TILE + 20,
            lines=2,
        )


def _filters(slide: Slide, picture: Picture) -> None:
    kernels = mosaic(picture.filters)
    limit = float(np.abs(picture.filters).max()) or 1.0
    rows, columns = kernels.shape
    wide = min(RIGHT - LEFT, KERNELS * columns / rows)
    y = MARGIN + 112 + 2 * ROW
    slide.text(LEFT, y, say("training.filters.title", count=len(picture.filters)), SMALL, width=RIGHT - LEFT)
    slide.picture(signed(kernels, limit), LEFT, y + 1.4 * SMALL, wide, wide * rows / columns)
