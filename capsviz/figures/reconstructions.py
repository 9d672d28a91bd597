"""What was seen beside what was redrawn, and what the pose of every class would have drawn."""

import html
from collections.abc import Collection, Sequence

import numpy as np

from capsviz.figures.reading import together
from capsviz.figures.theme import class_colours, data_uri, ink, shaded, signed
from capsviz.texts import markup, noun, say, spelled
from capsviz.texts.numbers import number
from capsviz.traces.base import POSES, Trace

ABREAST = 10  # drawings in one row; more stand in several


def squared_error(image: np.ndarray, reconstruction: np.ndarray) -> float:
    """Sum of squared differences over all pixels, the reconstruction loss of section 4.1."""
    return float(np.square(image - reconstruction).sum())


def reconstruction_panels(
    trace: Trace, reconstructions: np.ndarray, without: Collection[str] = (), places: Sequence[int] = ()
) -> str:
    """HTML of two panels: input, reconstruction and difference with the error; and the drawings of all classes.

    Args:
        trace: one image's trace, with poses.
        reconstructions: [J, S, S] what the pose of each class alone draws, in 0..1.
        without: names of panels to leave out, "compared" or "each".
        places: of the classes that are redrawn together, added and at most white; the answer's alone if not given.
    """
    assert POSES in trace.offers
    places = places or (trace.prediction,)
    redrawn = reconstructions[list(places)].sum(0).clip(max=1)
    scores = trace.scores[-1]
    plain = "" if trace.shape.grid else "Plain"  # whether the poses are of capsules
    names = [html.escape(name) for name in trace.classes]
    kind, count = noun(trace.shape.kind), len(names)
    answer = together(names, places)
    difference = redrawn - trace.image
    error = squared_error(trace.image, redrawn)
    compared = "".join(
        f'<figure><img src="{data_uri(pixels)}" alt="{alt}"><figcaption>{label}</figcaption></figure>'
        for pixels, alt, label in (
            (ink(trace.image), say("draw.compared.seenAlt"), say("draw.compared.seen")),
            (
                ink(shaded(redrawn)),
                say(f"draw.compared.redrawnAlt{plain}", kind=kind, name=answer),
                say("draw.compared.redrawn", name=answer),
            ),
            (
                signed(shaded(difference), 1.0),
                say("draw.compared.differenceAlt"),
                say("draw.compared.difference"),
            ),
        )
    )
    drawings = "".join(
        f'<figure class="{"cv-longest" if d in places else ""}" style="--digit:{colour};--at:{d}" '
        f'title="{_tip(trace, d, squared_error(trace.image, reconstructions[d]))}">'
        f'<span role="img" aria-label="{say(f"draw.each.alt{plain}", kind=kind, name=names[d])}"></span>'
        f"<figcaption><b>{names[d]}</b> {number(float(scores[d]))}</figcaption></figure>"
        for d, colour in enumerate(class_colours(count))
    )
    each = data_uri(
        ink(shaded(np.hstack(list(reconstructions))))
    )  # side by side: one picture has fewer bytes than many
    many = " cv-many" if count > ABREAST else ""
    measured = markup("draw.compared.error", error=number(error, 1), count=trace.shape.size**2)
    measured = measured.replace("<b>", '<b data-testid="error">', 1)
    panels = {
        "compared": f'<section data-panel="compared"><h2>{say("draw.compared.title")}</h2>'
        f'<div class="cv-row">{compared}</div><p>{measured}</p></section>',
        "each": f'<section class="cv-ten{many}" data-panel="each"><h2>{say(f"draw.each.title{plain}", kind=kind)}</h2>'
        f'<div class="cv-row" style="--last:{count - 1};--each:url({each})">{drawings}</div>'
        f"<p>{say(f'draw.each.caption{plain}', count=spelled(count))}</p></section>",
    }
    shown = "".join(panel for name, panel in panels.items() if name not in without)
    return f'<div class="cv-frame"><div class="cv-panels">{shown}</div></div>' if shown else ""


def _tip(trace: Trace, place: int, error: float) -> str:
    return say(
        f"draw.each.tip.{trace.shape.score}",
        name=html.escape(trace.classes[place]),
        score=number(trace.scores[-1, place], 3),
        error=number(error, 1),
    )
