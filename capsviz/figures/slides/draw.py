"""The Draw page as a slide: the drawing, what is seen of it, the scores, and what is redrawn."""

from typing import TYPE_CHECKING

import numpy as np

from capsviz.figures.reading import EN_DASH, named, together, verdict
from capsviz.figures.reconstructions import squared_error
from capsviz.figures.slides.base import MARGIN, RIGHT, SMALL, TEXT, Slide, fitting
from capsviz.figures.theme import ink
from capsviz.texts import capital, noun, say, spelled
from capsviz.texts.numbers import number
from capsviz.traces.base import MARGIN_ABSENT, MARGIN_PRESENT, Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP, SIDE, GAP = 292, 392, 48


def draw_slide(
    trace: Trace,
    drawing: np.ndarray,
    redrawn: np.ndarray | None = None,
    *,
    unsure_below: float = 0.0,
    judged: np.ndarray | None = None,
    dark: bool = False,
    origin: str = "",
) -> "Figure":
    """The way of a drawing from the pad to the answer, and back.

    Args:
        trace: of the drawing.
        drawing: uint8 [P, P] the pad, white ink on black.
        redrawn: [S, S] in 0..1 what the pose of the answer draws; None of a network without poses.
        unsure_below: the highest score below which no class is claimed.
        judged: [J] scores to hold against it, where they are others than the trace's last.
        dark: whether it is light on dark.
        origin: a line for the bottom.
    """
    shape, scores = trace.shape, trace.scores[-1]
    kind = noun(shape.kind)
    slide = Slide(say("draw.question"), dark, origin)
    found = verdict(scores if judged is None else judged, unsure_below, shape.score)
    said = {
        "digit": say(f"frame.{shape.score}"),
        "unsure": say("frame.unsure"),
        "no digit": say("frame.none", kind=kind),
    }
    places = named(scores, unsure_below, shape.answers)
    name = together(trace.classes, places)
    lengths = "  ".join(number(float(scores[place])) for place in places)
    slide.answer(EN_DASH if found == "no digit" else name, f"{said[found]} {lengths}")
    x = MARGIN
    _head(slide, x, say("export.drawing"), "")
    slide.picture(drawing, x, TOP, SIDE, SIDE)
    x += SIDE + GAP
    _head(slide, x, say("draw.pixels.title"), say("draw.pixels.size", size=shape.size))
    slide.picture(ink(trace.image), x, TOP, SIDE, SIDE)
    slide.text(x, TOP + SIDE + 16, say("draw.pixels.caption"), soft=True, width=SIDE, lines=4)
    x += SIDE + GAP
    width = (RIGHT if redrawn is None else RIGHT - SIDE - GAP) - x
    count = len(scores)
    _head(
        *(slide, x, capital(say(f"draw.ten.title.{shape.score}", count=spelled(count)))),
        say(f"draw.ten.operation.{shape.routing or shape.score}", count=len(trace.scores)),
    )
    below = slide.scores(scores, shape, x, TOP, width, 468)
    caption = say(
        f"draw.ten.caption.{shape.score}",
        sum=number(float(scores.sum())),
        kind=kind,
        present=number(MARGIN_PRESENT, 1),
        absent=number(MARGIN_ABSENT, 1),
    )
    slide.text(x, below + 16, caption, soft=True, width=width, lines=7)
    if redrawn is not None:
        x = RIGHT - SIDE
        plain = "" if shape.grid else "Plain"
        _head(slide, x, say("draw.redrawn.title"), say("draw.redrawn.operation"))
        slide.picture(ink(redrawn), x, TOP, SIDE, SIDE)
        said_of = say(f"draw.redrawn.caption{plain}", count=shape.pose, kind=kind, name=name)
        below = slide.text(x, TOP + SIDE + 16, said_of, soft=True, width=SIDE, lines=4)
        error = number(squared_error(trace.image, redrawn), 1)
        slide.text(x, below + 8, say("export.error", error=error), soft=True, width=SIDE, lines=3)
    return slide.figure


def _head(slide: Slide, x: float, title: str, operation: str) -> None:
    width = SIDE + GAP - 12
    slide.text(x, TOP - 84, title, fitting(title, TEXT, width, True), bold=True, width=width)
    slide.text(x, TOP - 42, operation, SMALL, soft=True, width=width)
