"""The network layer by layer, as a table, with what each layer made of the drawing."""

from collections.abc import Mapping

import numpy as np

from capsviz.figures.reconstructions import squared_error
from capsviz.figures.theme import number
from capsviz.trace import RoutingTrace

COLUMNS = ("Layer", "What it does", "Output", "For this drawing", "Parameters")


def layers_table(
    trace: RoutingTrace | None, reconstructions: np.ndarray | None, parameters: Mapping[str, int]
) -> str:
    """HTML table of the four layers of Figures 1 and 2 of the paper.

    Args:
        trace: one image's trace; None where there is no drawing.
        reconstructions: [10, 28, 28] what each digit capsule draws; None where there is no drawing.
        parameters: number of parameters of "conv1", "primary", "digits" and "decoder".
    """
    active, primary, longest, error = _made(trace, reconstructions)
    routed = "routing" if trace is None else f"{trace.iterations} routing iterations"
    rows = [
        (
            "Convolution",
            "256 filters of 9 × 9, ReLU",
            "256 × 20 × 20",
            active,
            "conv1",
        ),
        (
            "Primary capsules",
            "256 filters of 9 × 9, stride 2; 8 filters make a capsule; squash (Eq. 1)",
            "1152 × 8",
            primary,
            "primary",
        ),
        (
            "Digit capsules",
            f"û = W u with a W of 16 × 8 for each pair (Eq. 2), {routed}",
            "10 × 16",
            longest,
            "digits",
        ),
        (
            "Decoder",
            "dense 512, 1024 (ReLU), 784 (sigmoid), fed one digit’s 16 numbers and 144 zeros",
            "28 × 28",
            error,
            "decoder",
        ),
    ]
    _, what, output, here, count = (
        f' data-column="{column}"' for column in COLUMNS
    )  # said where there is no head
    body = "".join(
        f"<tr><th scope='row'>{name}</th><td{what}>{does}</td><td{output}>{shape}</td><td{here}>{made}</td>"
        f"<td{count} class='cv-count'>{parameters[key]:,}</td></tr>"
        for name, does, shape, made, key in rows
    )
    heads = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS[:-1])
    return (
        f'<div class="cv-frame"><table class="cv-table"><thead><tr>{heads}'
        f'<th scope="col" class="cv-count">{COLUMNS[-1]}</th></tr></thead>'
        f"<tbody>{body}</tbody><tfoot><tr><th scope='row' colspan='4'>All trained numbers</th>"
        f"<td{count} class='cv-count'>{sum(parameters.values()):,}</td></tr></tfoot></table></div>"
    )


def _made(trace: RoutingTrace | None, reconstructions: np.ndarray | None) -> tuple[str, str, str, str]:
    """What each of the four layers made of the drawing."""
    if trace is None or reconstructions is None:
        return ("–",) * 4
    digit = trace.prediction
    lengths = np.linalg.norm(trace.u, axis=1)
    # Three digits: nearly all are about 1 long, over empty paper too.
    shortest, longest, mean = (number(float(pick(lengths)), 3) for pick in (np.min, np.max, np.mean))
    return (
        f"{(trace.features > 0).mean():.0%} of the values are above 0",
        f"lengths {shortest} to {longest}, mean {mean}",
        f"the longest is {digit}: {number(float(trace.lengths[-1, digit]))}",
        f"squared error {number(squared_error(trace.image, reconstructions[digit]), 1)}",
    )
