"""The scores of the classes as bars: lengths of capsules, each for itself, or the shares of a softmax."""

import html
from collections.abc import Sequence

import numpy as np

from capsviz.figures.theme import class_colours
from capsviz.texts import noun, say
from capsviz.texts.numbers import number, short
from capsviz.traces.base import LENGTH, MARGIN_ABSENT, MARGIN_PRESENT, PROBABILITY

MOST_IN_A_COLUMN = 13  # bars; more stand in two columns


def lengths_bars(
    lengths: np.ndarray, classes: Sequence[str] | None = None, kind: str = "digit", score: str = LENGTH
) -> str:
    """HTML of a horizontal bar from 0 to 1 for each class; of lengths with the margins 0.1 and 0.9 of the loss (Eq. 4).

    Args:
        lengths: [J] scores in 0..1.
        classes: names of the J classes; if not given they are counted from 0.
        kind: what a class is, as ``Shape.kind``.
        score: what the scores are, as ``Shape.score``.
    """
    longest = int(np.argmax(lengths))
    names = [html.escape(name) for name in classes or map(str, range(len(lengths)))]
    rows = "\n".join(
        f'<li class="cv-bar{" cv-longest" if place == longest else ""}" '
        f'title="{say(f"draw.{score}", kind=noun(kind), name=name, score=number(value, 4))}">'
        f'<span class="cv-numeral">{name}</span>'
        f'<span class="cv-track"><span class="cv-fill" '
        f'style="width:{100 * value:.2f}%;background:{colour}"></span></span>'
        f'<span class="cv-value">{number(value)}</span></li>'
        for place, (name, value, colour) in enumerate(
            zip(names, lengths.tolist(), class_colours(len(names)), strict=True)
        )
    )
    ticks = "".join(
        f'<i style="left:{f"{100 * tick:g}%" if tick else 0}">{short(tick)}</i>'
        for tick in ((0, MARGIN_ABSENT, MARGIN_PRESENT) if score == LENGTH else (0, 0.5, 1))
    )
    columns = 1 if len(names) <= MOST_IN_A_COLUMN else 2
    look = " cv-named" if max(map(len, names)) > 2 else ""
    look += "" if score != PROBABILITY else " cv-shared"
    many = "" if columns == 1 else f' style="--rows:{-(-len(names) // columns)}"'
    look += " cv-many" if many else ""
    scale = f'<div class="cv-scale"><span></span><span class="cv-ticks">{ticks}</span><span></span></div>'
    return (
        f'<div class="cv-lengths{look}"{many}><ol aria-label="{say(f"draw.scores.{score}")}">{rows}</ol>'
        f'<div class="cv-scales" aria-hidden="true">{scale * columns}</div></div>'
    )
