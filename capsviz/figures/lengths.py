"""Ten capsule lengths as ten independent bars."""

import numpy as np

from capsviz.figures.theme import class_colours, number


def lengths_bars(lengths: np.ndarray) -> str:
    """HTML of ten horizontal bars from 0 to 1, the margins 0.1 and 0.9 of the loss (Eq. 4) marked.

    Args:
        lengths: [10] capsule lengths in 0..1.
    """
    longest = int(np.argmax(lengths))
    rows = "\n".join(
        f'<li class="cv-bar{" cv-longest" if digit == longest else ""}" '
        f'title="|v| of digit {digit} is {length:.4f}">'
        f'<span class="cv-numeral">{digit}</span>'
        f'<span class="cv-track"><span class="cv-fill" '
        f'style="width:{100 * length:.2f}%;background:{CLASS_COLOURS[digit]}"></span></span>'
        f'<span class="cv-value">{number(length)}</span></li>'
        for digit, length in enumerate(lengths.tolist())
    )
    return (
        f'<div class="cv-lengths"><ol aria-label="Capsule lengths">{rows}</ol>'
        '<div class="cv-scale" aria-hidden="true"><span></span><span class="cv-ticks">'
        '<i style="left:0">0</i><i style="left:10%">0.1</i><i style="left:90%">0.9</i></span>'
        "<span></span></div></div>"
    )
