"""The answer in a few square centimetres: pixels seen, class, its score, a small bar for each class."""

import html
from collections.abc import Sequence

import numpy as np

from capsviz.figures.theme import class_colours, data_uri, ink
from capsviz.texts import markup, noun, say
from capsviz.texts.numbers import number
from capsviz.traces.base import LENGTH, MARGIN_ABSENT, PROBABILITY, Shape

EN_DASH = "\N{EN DASH}"
ABREAST = 13  # small bars in a row: a letter below each needs 16 pixels


def verdict(scores: np.ndarray, unsure_below: float, score: str = LENGTH) -> str:
    """What may be said of an image: "digit", "unsure", or "no digit" where all capsules are as short as absent ones.

    Args:
        scores: [J] in 0..1.
        unsure_below: the highest score below which no class is claimed; 0 always claims one.
        score: what they are, as ``Shape.score``. Probabilities sum to 1: they never say that nothing is there.
    """
    highest = float(scores.max())
    if highest >= unsure_below:
        return "digit"
    return "no digit" if score != PROBABILITY and highest <= MARGIN_ABSENT else "unsure"


def named(scores: np.ndarray, unsure_below: float, answers: int = 1) -> tuple[int, ...]:
    """Places of the classes that are claimed, the surest first: at most ``answers``, and at least the highest.

    Args:
        scores: [J] in 0..1.
        unsure_below: the score below which no other class is claimed beside the highest.
        answers: how many an image may show, as ``Shape.answers``.
    """
    order = np.argsort(-scores, kind="stable")[:answers]
    return tuple(int(place) for at, place in enumerate(order) if at == 0 or scores[place] >= unsure_below)


def together(classes: Sequence[str], places: Sequence[int]) -> str:
    """Names of classes that are there together, "3 + 7"."""
    return " + ".join(classes[place] for place in places)


def reading_card(
    image: np.ndarray | None,
    scores: np.ndarray | None,
    shape: Shape,
    unsure_below: float = 0.0,
    advice: str = "",
    judged: np.ndarray | None = None,
    data: str = "",
) -> str:
    """HTML of the answer to one drawing; without scores the same card with the answer covered, or waiting for a drawing.

    Args:
        image: [S, S] pixels seen, in 0..1; None without a drawing.
        scores: [J] in 0..1: lengths of capsules or probabilities, as the shape says; None where they must not be seen.
        shape: of the network.
        unsure_below: the highest score below which no class is claimed.
        advice: a sentence on the drawing, that goes before what an unsure answer usually means.
        judged: [J] scores to hold against ``unsure_below`` where it was not measured for ``scores``: those after
            the routing iterations of training.
        data: name of what the network was trained on.
    """
    names = [html.escape(name) for name in shape.classes]
    kind = noun(shape.kind)
    thing = noun(shape.kind, sense="drawn")
    doubt = ""
    seen = '<span class="cv-seen cv-empty"></span>'
    if image is not None:
        seen = f'<img class="cv-seen" src="{data_uri(ink(image))}" alt="{say("frame.seenAlt", size=shape.size)}">'
    if image is None or scores is None:
        mark, waits = (
            (EN_DASH, say("frame.waiting", kind=thing)) if image is None else ("?", say("frame.covered"))
        )
        answer = f'<span class="cv-digit">{mark}</span><span class="cv-length">{waits}</span>'
    else:
        places = named(scores, unsure_below, shape.answers)
        held = scores if judged is None else judged
        found = verdict(held, unsure_below, shape.score)
        crowded = shape.answers > 1 and int((held >= unsure_below).sum()) > shape.answers
        if crowded:
            found = "unsure"
        style = {"digit": "", "unsure": " cv-unsure", "no digit": " cv-none"}[found]
        none = found == "no digit"
        said = {
            "digit": say(f"frame.{shape.score}"),
            "unsure": say("frame.unsure"),
            "no digit": say("frame.none", kind=kind),
        }
        long = " cv-long" if max(map(len, shape.classes)) > 2 or len(places) > 1 else ""
        # The surest comes first. Where a view tells which was drawn first, a rule exchanges them (style.css).
        answers = together([f"<span>{name}</span>" for name in names] if len(places) > 1 else names, places)
        lengths = "".join(
            f'<b data-testid="{"length" if at == 0 else f"length-{at}"}">{number(scores[place])}</b>'
            for at, place in enumerate(places)
        )
        lengths = f'<span class="cv-two">{lengths}</span>' if len(places) > 1 else lengths
        answer = (
            f'<span class="cv-digit{style}{long}" data-testid="answer">'
            f"{EN_DASH if none else answers}</span>"
            f'<span class="cv-length">{said[found]}{lengths}</span>'
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
            doubt = say("frame.absent", length=MARGIN_ABSENT, kinds=noun(shape.kind, 2))
        elif advice:
            doubt = advice
        elif shape.answers > 1 and (crowded or found == "digit"):
            after = int(np.argsort(-scores, kind="stable")[len(places)])
            doubt = say(
                "frame.crowded" if crowded else "frame.next",
                name=names[after],
                length=number(scores[after]),
                count=shape.answers,
            )
        elif found == "unsure":
            kinds = noun(shape.kind, 2, "pictured")
            words = {"data": data, "kind": thing, "kinds": kinds, "limit": number(unsure_below)}
            doubt = say(f"frame.doubt.{shape.score}", **words)
        elif shape.score == PROBABILITY:
            doubt = say("frame.softmax")
    # Of other lengths than the bars' it would be no limit.
    dashed = unsure_below and judged is None
    tip = say("frame.dashed", limit=number(unsure_below))
    legend = f'<p class="cv-dashed" data-testid="dashed">{tip}</p>' if dashed else ""
    limit = f";--unsure:{100 * unsure_below:.1f}%" if dashed else ""
    rows = -(-len(names) // ABREAST)
    many = " cv-many" if rows > 1 else ""
    mark = f' style="--classes:{-(-len(names) // rows)}{limit}"' + (f' title="{tip}"' if dashed else "")
    heights = [0.0] * len(names) if scores is None else scores.tolist()
    bars = "".join(
        f'<span class="cv-mini"{"" if scores is None else _tip(shape, name, score)}>'
        f'<span class="cv-column"><span style="height:{100 * score:.1f}%;background:{colour}"></span></span>'
        f"<i>{name}</i></span>"
        for name, score, colour in zip(names, heights, class_colours(len(names)), strict=True)
    )
    return (
        f'<div class="cv-reading" role="status"><div class="cv-answer"><figure>{seen}'
        f"<figcaption>{say('frame.seen', size=shape.size)}</figcaption></figure>{answer}</div>"
        f'<div class="cv-minis{many}"{mark} aria-hidden="true">{bars}</div>{legend}'
        f'<p class="cv-doubt" data-testid="doubt">{doubt}</p></div>'
    )


def _tip(shape: Shape, name: str, score: float) -> str:
    said = say(f"draw.{shape.score}", kind=noun(shape.kind), name=name, score=number(score, 3))
    return f' title="{said}"'
