"""The answer in a few square centimetres: pixels seen, digit, length, ten small bars."""

import numpy as np

from capsviz.figures.theme import CLASS_COLOURS, data_uri, ink, number
from capsviz.models.card import ABSENT

EN_DASH = "\N{EN DASH}"
TRAINED = 3  # routing iterations, with which the limit for unsure is measured


def verdict(lengths: np.ndarray, unsure_below: float) -> str:
    """What may be said of an image: "digit", "unsure", or "no digit" where all ten are as short as absent ones.

    Args:
        lengths: [10] capsule lengths in 0..1.
        unsure_below: the length of the longest capsule below which no digit is claimed; 0 always claims one.
    """
    longest = float(lengths.max())
    if longest >= unsure_below:
        return "digit"
    return "no digit" if longest <= ABSENT else "unsure"


def reading_card(
    image: np.ndarray | None,
    lengths: np.ndarray | None,
    unsure_below: float = 0.0,
    advice: str = "",
    judged: np.ndarray | None = None,
) -> str:
    """HTML of the answer to one drawing; with None, the same card waiting for one.

    Args:
        image: [28, 28] pixels seen, in 0..1.
        lengths: [10] capsule lengths in 0..1.
        unsure_below: the length of the longest capsule below which no digit is claimed.
        advice: a sentence on the drawing, that goes before what an unsure answer usually means.
        judged: [10] lengths to hold against ``unsure_below`` where it was not measured for ``lengths``: those after
            the routing iterations of training.
    """
    doubt = ""
    if image is None or lengths is None:
        seen = '<span class="cv-seen cv-empty"></span>'
        answer = f'<span class="cv-digit">{EN_DASH}</span><span class="cv-length">no digit yet</span>'
        lengths = np.zeros(10)
    else:
        longest = int(np.argmax(lengths))
        seen = f'<img class="cv-seen" src="{data_uri(ink(image))}" alt="the 28 by 28 pixels seen">'
        found = verdict(lengths if judged is None else judged, unsure_below)
        style = {"digit": "", "unsure": " cv-unsure", "no digit": " cv-none"}[found]
        none = found == "no digit"
        answer = (
            f'<span class="cv-digit{style}" data-testid="answer">'
            f"{EN_DASH if none else longest}</span>"
            f'<span class="cv-length">{"length" if found == "digit" else found}'
            f'<b data-testid="length">{number(lengths[longest])}</b></span>'
        )
        if judged is not None:
            # Beside other bars, what the limit was held against needs a word.
            means = {
                "digit": "sure",
                "unsure": f"unsure, below {number(unsure_below)}",
                "no digit": "no digit",
            }
            doubt = (
                f"After the {TRAINED} iterations of training the longest is {int(judged.argmax())}, "
                f"{number(judged.max())}: {means[found]}."
            )
        elif none:
            doubt = (
                f"No capsule is longer than {ABSENT}, as training makes those of digits that are not there."
            )
        elif advice:
            doubt = advice
        elif found == "unsure":
            doubt = (
                "Perhaps no digit, or an unusual one: in over 99% of the MNIST digits held out, the longest capsule "
                f"reaches {number(unsure_below)}."
            )
    # Of other lengths than the bars' it would be no limit.
    dashed = unsure_below and judged is None
    mark = (
        f' style="--unsure:{100 * unsure_below:.1f}%" title="dashed: unsure below {unsure_below:.2f}"'
        if dashed
        else ""
    )
    bars = "".join(
        f'<span class="cv-mini" title="|v| of digit {digit} is {length:.3f}"><span class="cv-column">'
        f'<span style="height:{100 * length:.1f}%;background:{CLASS_COLOURS[digit]}"></span></span>'
        f"<i>{digit}</i></span>"
        for digit, length in enumerate(lengths.tolist())
    )
    return (
        f'<div class="cv-reading" role="status"><div class="cv-answer"><figure>{seen}'
        f"<figcaption>seen: 28 × 28</figcaption></figure>{answer}</div>"
        f'<div class="cv-minis"{mark} aria-hidden="true">{bars}</div>'
        f'<p class="cv-doubt" data-testid="doubt">{doubt}</p></div>'
    )
