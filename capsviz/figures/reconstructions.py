"""What was seen beside what was redrawn, and what every class capsule would have drawn."""

import html

import numpy as np

from capsviz.figures.theme import class_colours, data_uri, ink, number, signed
from capsviz.texts import markup, noun, say, spelled
from capsviz.traces.routing import RoutingTrace


def squared_error(image: np.ndarray, reconstruction: np.ndarray) -> float:
    """Sum of squared differences over all pixels, the reconstruction loss of section 4.1."""
    return float(np.square(image - reconstruction).sum())


def reconstruction_panels(trace: RoutingTrace, reconstructions: np.ndarray) -> str:
    """HTML of two panels: input, reconstruction and difference with the error; and the drawings of all capsules.

    Args:
        trace: one image's trace.
        reconstructions: [J, S, S] what each class capsule alone draws, in 0..1.
    """
    place = trace.prediction
    lengths = trace.lengths[-1]
    names = [html.escape(name) for name in trace.classes]
    kind, count = noun(trace.shape.kind), len(names)
    difference = reconstructions[place] - trace.image
    error = squared_error(trace.image, reconstructions[place])
    compared = "".join(
        f'<figure><img src="{data_uri(pixels)}" alt="{alt}"><figcaption>{label}</figcaption></figure>'
        for pixels, alt, label in (
            (ink(trace.image), say("draw.compared.seenAlt"), say("draw.compared.seen")),
            (
                ink(reconstructions[place]),
                say("draw.compared.redrawnAlt", kind=kind, name=names[place]),
                say("draw.compared.redrawn", name=names[place]),
            ),
            (signed(difference, 1.0), say("draw.compared.differenceAlt"), say("draw.compared.difference")),
        )
    )
    drawings = "".join(
        f'<figure class="{"cv-longest" if d == place else ""}" style="--digit:{colour}" '
        f'title="{_tip(names[d], lengths[d], squared_error(trace.image, reconstructions[d]))}">'
        f'<img src="{data_uri(ink(reconstructions[d]))}" alt="{say("draw.each.alt", kind=kind, name=names[d])}">'
        f"<figcaption><b>{names[d]}</b> {number(float(lengths[d]))}</figcaption></figure>"
        for d, colour in enumerate(class_colours(count))
    )
    measured = markup("draw.compared.error", error=number(error, 1), count=trace.shape.size**2)
    measured = measured.replace("<b>", '<b data-testid="error">', 1)
    return (
        f'<div class="cv-frame"><div class="cv-panels"><section><h2>{say("draw.compared.title")}</h2>'
        f'<div class="cv-row">{compared}</div><p>{measured}</p></section>'
        f'<section class="cv-ten"><h2>{say("draw.each.title", kind=kind)}</h2>'
        f'<div class="cv-row">{drawings}</div>'
        f"<p>{say('draw.each.caption', count=spelled(count))}</p></section></div></div>"
    )


def _tip(name: str, length: float, error: float) -> str:
    return say("draw.each.tip", name=name, length=f"{length:.3f}", error=f"{error:.1f}")
