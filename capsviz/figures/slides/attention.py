"""Self-attention routing as a slide: the attention of the votes to each other, and what became of each capsule."""

from typing import TYPE_CHECKING

import numpy as np

from capsviz.figures.slides.base import AGAINST, FOR, MARGIN, RIGHT, SMALL, TEXT, Slide, fitting
from capsviz.figures.theme import ink, signed
from capsviz.texts import say
from capsviz.texts.numbers import number
from capsviz.traces.attention import AttentionTrace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP, SIDE, IMAGE = 250, 640, 280
MOST = 16  # capsules in the picture: of more, those with the largest shares
COLUMNS = ("c", "w", "share")


def attention_slide(
    trace: AttentionTrace, digit: int | None = None, *, dark: bool = False, origin: str = ""
) -> "Figure":
    """The one pass, for one class.

    Args:
        trace: of attention routing.
        digit: the class that is looked at; the answer if not given.
        dark: whether it is light on dark.
        origin: a line for the bottom.
    """
    place = trace.prediction if digit is None else digit
    name = trace.classes[place]
    slide = Slide(say("routing.question"), dark, origin)
    length = number(float(trace.scores[-1].max()))
    slide.answer(trace.answer, f"{say('frame.length')} {length}")
    share = trace.share[0, :, place]
    chosen = np.sort(np.argsort(-np.abs(share), kind="stable")[:MOST])
    slide.picture(ink(trace.image), MARGIN, TOP, IMAGE, IMAGE)
    slide.scores(trace.scores[-1], trace.shape, MARGIN, TOP + IMAGE + 28, 360, 440)
    left = MARGIN + 360 + 84
    title = say("export.attention.title", name=name)
    room = SIDE + 20
    slide.text(left, TOP - 60, title, fitting(title, TEXT, room, True), bold=True, width=room)
    step = SIDE // len(chosen)
    attention = trace.attention[place][np.ix_(chosen, chosen)]
    limit = max(float(np.abs(attention).max()), 1e-9)
    whole = step * len(chosen)
    slide.picture(signed(attention, limit), left, TOP, whole, whole)
    for at, capsule in enumerate(chosen.tolist()):
        middle = (at + 0.5) * step
        slide.text(left - 12, TOP + middle - SMALL / 2, str(capsule), align="right", soft=True)
    said = say("export.attention.scale", limit=number(limit))
    slide.text(left, TOP + whole + 18, said, soft=True, width=SIDE, lines=3)
    _table(slide, trace, place, chosen, (left + whole + 36, step))
    return slide.figure


def _table(
    slide: Slide, trace: AttentionTrace, place: int, chosen: np.ndarray, where: tuple[float, float]
) -> None:
    """In the rows of the attention: c, weight and share of each capsule, as bars to both sides of 0."""
    left, step = where
    wide = (RIGHT - left) / len(COLUMNS)
    columns = (trace.c[0], trace.weight[0], trace.share[0])
    for column, (head, every) in enumerate(zip(COLUMNS, columns, strict=True)):
        values = every[chosen, place]
        x = left + column * wide
        slide.text(x + 8, TOP - 60, say(f"export.attention.{head}"), SMALL, bold=True, width=wide - 16)
        limit = max(float(np.abs(values).max()), 1e-9)
        zero, span = x + 0.36 * wide, 0.26 * wide
        for at, value in enumerate(values.tolist()):
            top = TOP + at * step
            long = span * value / limit
            colour = FOR if value >= 0 else AGAINST
            slide.box(min(zero, zero + long), top + 0.22 * step, abs(long), 0.56 * step, colour)
            slide.text(x + wide - 12, top + step / 2 - SMALL / 2, number(value), align="right")
        slide.curve((zero, zero), (TOP, TOP + step * len(values)))
    said = say("export.attention.look", name=trace.classes[place])
    below = TOP + step * len(chosen) + 18
    slide.text(left + 8, below, said, soft=True, width=RIGHT - left - 8, lines=4)
