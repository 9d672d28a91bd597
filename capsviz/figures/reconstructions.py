"""What was seen beside what was redrawn, and what every digit capsule would have drawn."""

import numpy as np

from capsviz.figures.theme import CLASS_COLOURS, data_uri, ink, number, signed
from capsviz.traces.routing import RoutingTrace


def squared_error(image: np.ndarray, reconstruction: np.ndarray) -> float:
    """Sum of squared differences over the 784 pixels, the reconstruction loss of section 4.1."""
    return float(np.square(image - reconstruction).sum())


def reconstruction_panels(trace: RoutingTrace, reconstructions: np.ndarray) -> str:
    """HTML of two panels: input, reconstruction and difference with the error; and all ten drawings.

    Args:
        trace: one image's trace.
        reconstructions: [10, 28, 28] what each digit capsule alone draws, in 0..1.
    """
    digit = trace.prediction
    lengths = trace.lengths[-1]
    difference = reconstructions[digit] - trace.image
    error = squared_error(trace.image, reconstructions[digit])
    compared = "".join(
        f'<figure><img src="{data_uri(pixels)}" alt="{alt}"><figcaption>{label}</figcaption></figure>'
        for pixels, alt, label in (
            (ink(trace.image), "pixels seen", "seen"),
            (ink(reconstructions[digit]), f"redrawn by digit capsule {digit}", f"redrawn by {digit}"),
            (signed(difference, 1.0), "difference of the two", "difference"),
        )
    )
    drawings = "".join(
        f'<figure class="{"cv-longest" if d == digit else ""}" style="--digit:{CLASS_COLOURS[d]}" '
        f'title="capsule {d}: length {lengths[d]:.3f}, squared error '
        f'{squared_error(trace.image, reconstructions[d]):.1f}">'
        f'<img src="{data_uri(ink(reconstructions[d]))}" alt="what digit capsule {d} would have drawn">'
        f"<figcaption><b>{d}</b> {number(float(lengths[d]))}</figcaption></figure>"
        for d in range(len(reconstructions))
    )
    return (
        '<div class="cv-frame"><div class="cv-panels"><section><h2>How well is it redrawn?</h2>'
        f'<div class="cv-row">{compared}</div>'
        f'<p>Squared error <b data-testid="error">{number(error, 1)}</b>, summed over 784 pixels; '
        f'<b class="cv-for">orange</b>: ink added, <b class="cv-against">blue</b>: ink left out.</p></section>'
        '<section class="cv-ten"><h2>What would each digit capsule have drawn?</h2>'
        f'<div class="cv-row">{drawings}</div>'
        "<p>Each of the ten poses, decoded alone, with its capsule’s length. A short pose says little: near 0 the "
        "decoder draws nearly the same grey shape, whatever was drawn.</p></section></div></div>"
    )
