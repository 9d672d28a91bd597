"""The answer in a few square centimetres: pixels seen, class, length, a small bar for each class."""

import html

import numpy as np

from capsviz.figures.theme import class_colours, data_uri, ink, number
from capsviz.texts import markup, noun, say
from capsviz.traces.base import MARGIN_ABSENT, Shape

EN_DASH = "\N{EN DASH}"


def verdict(lengths: np.ndarray, unsure_below: float) -> str:
    """What may be said of an image: "digit", "unsure", or "no digit" where all are as short as absent ones.

    Args:
        lengths: [J] capsule lengths in 0..1.
        unsure_below: the length of the longest capsule below which no digit is claimed; 0 always claims one.
    """
    longest = float(lengths.max())
    if longest >= unsure_below:
        return "digit"
    return "no digit" if longest <= MARGIN_ABSENT else "unsure"


def reading_card(
    image: np.ndarray | None,
    lengths: np.ndarray | None,
    shape: Shape,
    unsure_below: float = 0.0,
    advice: str = "",
    judged: np.ndarray | None = None,
    data: str = "",
) -> str:
    """HTML of the answer to one drawing; with None, the same card waiting for one.

    Args:
        image: [S, S] pixels seen, in 0..1.
        lengths: [J] capsule lengths in 0..1.
        shape: of the network.
        unsure_below: the length of the longest capsule below which no class is claimed.
        advice: a sentence on the drawing, that goes before what an unsure answer usually means.
        judged: [J] lengths to hold against ``unsure_below`` where it was not measured for ``lengths``: those after
            the routing iterations of training.
        data: name of what the network was trained on.
    """
    names = [html.escape(name) for name in shape.classes]
    kind, kinds = noun(shape.kind), noun(shape.kind, 2)
    doubt = ""
    if image is None or lengths is None:
        seen = '<span class="cv-seen cv-empty"></span>'
        answer = f'<span class="cv-digit">{EN_DASH}</span><span class="cv-length">{say("frame.waiting", kind=kind)}</span>'
        lengths = np.zeros(len(names))
    else:
        longest = int(np.argmax(lengths))
        seen = f'<img class="cv-seen" src="{data_uri(ink(image))}" alt="{say("frame.seenAlt", size=shape.size)}">'
        found = verdict(lengths if judged is None else judged, unsure_below)
        style = {"digit": "", "unsure": " cv-unsure", "no digit": " cv-none"}[found]
        none = found == "no digit"
        said = {
            "digit": say("frame.length"),
            "unsure": say("frame.unsure"),
            "no digit": say("frame.none", kind=kind),
        }
        long = " cv-long" if max(map(len, shape.classes)) > 2 else ""
        answer = (
            f'<span class="cv-digit{style}{long}" data-testid="answer">'
            f"{EN_DASH if none else names[longest]}</span>"
            f'<span class="cv-length">{said[found]}'
            f'<b data-testid="length">{number(lengths[longest])}</b></span>'
        )
        if judged is not None:
            # Beside other bars, what the limit was held against needs a word.
            means = {"digit": "sure", "unsure": "unsure", "no digit": "none"}[found]
            doubt = markup(
                f"frame.judged.{means}",
                count=shape.trained,
                name=shape.classes[int(judged.argmax())],
                length=number(judged.max()),
                limit=number(unsure_below),
                kind=kind,
            )
        elif none:
            doubt = say("frame.absent", length=MARGIN_ABSENT, kinds=kinds)
        elif advice:
            doubt = advice
        elif found == "unsure":
            doubt = say("frame.doubt", data=data, kind=kind, kinds=kinds, limit=number(unsure_below))
    # Of other lengths than the bars' it would be no limit.
    dashed = unsure_below and judged is None
    tip = say("frame.dashed", limit=f"{unsure_below:.2f}")
    limit = f";--unsure:{100 * unsure_below:.1f}%" if dashed else ""
    mark = f' style="--classes:{len(names)}{limit}"' + (f' title="{tip}"' if dashed else "")
    bars = "".join(
        f'<span class="cv-mini" title="{say("draw.length", kind=kind, name=name, length=f"{length:.3f}")}">'
        f'<span class="cv-column"><span style="height:{100 * length:.1f}%;background:{colour}"></span></span>'
        f"<i>{name}</i></span>"
        for name, length, colour in zip(names, lengths.tolist(), class_colours(len(names)), strict=True)
    )
    return (
        f'<div class="cv-reading" role="status"><div class="cv-answer"><figure>{seen}'
        f"<figcaption>{say('frame.seen', size=shape.size)}</figcaption></figure>{answer}</div>"
        f'<div class="cv-minis"{mark} aria-hidden="true">{bars}</div>'
        f'<p class="cv-doubt" data-testid="doubt">{doubt}</p></div>'
    )
