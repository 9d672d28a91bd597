"""The lengths of the class capsules as independent bars."""

import html
from collections.abc import Sequence

import numpy as np

from capsviz.figures.theme import class_colours, number
from capsviz.texts import noun, say
from capsviz.traces.base import MARGIN_ABSENT, MARGIN_PRESENT


def lengths_bars(lengths: np.ndarray, classes: Sequence[str] | None = None, kind: str = "digit") -> str:
    """HTML of a horizontal bar from 0 to 1 for each class, the margins 0.1 and 0.9 of the loss (Eq. 4) marked.

    Args:
        lengths: [J] capsule lengths in 0..1.
        classes: names of the J classes; if not given they are counted from 0.
        kind: what a class is, as ``Shape.kind``.
    """
    longest = int(np.argmax(lengths))
    names = [html.escape(name) for name in classes or map(str, range(len(lengths)))]
    rows = "\n".join(
        f'<li class="cv-bar{" cv-longest" if place == longest else ""}" '
        f'title="{say("draw.length", kind=noun(kind), name=name, length=f"{length:.4f}")}">'
        f'<span class="cv-numeral">{name}</span>'
        f'<span class="cv-track"><span class="cv-fill" '
        f'style="width:{100 * length:.2f}%;background:{colour}"></span></span>'
        f'<span class="cv-value">{number(length)}</span></li>'
        for place, (name, length, colour) in enumerate(
            zip(names, lengths.tolist(), class_colours(len(names)), strict=True)
        )
    )
    ticks = "".join(
        f'<i style="left:{f"{100 * tick:g}%" if tick else 0}">{tick:g}</i>'
        for tick in (0, MARGIN_ABSENT, MARGIN_PRESENT)
    )
    named = " cv-named" if max(map(len, names)) > 2 else ""
    return (
        f'<div class="cv-lengths{named}"><ol aria-label="{say("draw.lengths")}">{rows}</ol>'
        f'<div class="cv-scale" aria-hidden="true"><span></span><span class="cv-ticks">{ticks}</span>'
        "<span></span></div></div>"
    )
