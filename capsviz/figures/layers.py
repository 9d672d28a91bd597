"""The network layer by layer, as a table, with what each layer made of the drawing."""

from collections.abc import Mapping

import numpy as np

from capsviz.figures.reconstructions import squared_error
from capsviz.figures.theme import number
from capsviz.trace import RoutingTrace


def layers_table(trace: RoutingTrace, reconstruction: np.ndarray, parameters: Mapping[str, int]) -> str:
    """HTML table of the four layers of Figures 1 and 2 of the paper.

    Args:
        trace: one image's trace.
        reconstruction: [28, 28] what the longest digit capsule draws.
        parameters: number of parameters of "conv1", "primary", "digits" and "decoder".
    """
    digit = trace.prediction
    active = float((trace.features > 0).mean())
    rows = [
        (
            "Convolution",
            "256 filters of 9 × 9, ReLU",
            "256 × 20 × 20",
            f"{active:.0%} of the values are above 0",
            "conv1",
        ),
        (
            "Primary capsules",
            "256 filters of 9 × 9, stride 2; 8 filters make a capsule; squash (Eq. 1)",
            "1152 × 8",
            f"mean length {number(float(np.linalg.norm(trace.u, axis=1).mean()))}",
            "primary",
        ),
        (
            "Digit capsules",
            f"û = W u with a W of 16 × 8 for each pair (Eq. 2), {trace.iterations} routing iterations",
            "10 × 16",
            f"the longest is {digit}: {number(float(trace.lengths[-1, digit]))}",
            "digits",
        ),
        (
            "Decoder",
            "dense 512, 1024 (ReLU), 784 (sigmoid), fed one digit’s 16 numbers and 144 zeros",
            "28 × 28",
            f"squared error {number(squared_error(trace.image, reconstruction), 1)}",
            "decoder",
        ),
    ]
    body = "".join(
        f"<tr><th scope='row'>{name}</th><td>{what}</td><td>{shape}</td><td>{here}</td>"
        f"<td class='cv-count'>{parameters[key]:,}</td></tr>"
        for name, what, shape, here, key in rows
    )
    return (
        '<div class="cv-frame"><table class="cv-table"><thead><tr><th scope="col">Layer</th>'
        '<th scope="col">What it does</th><th scope="col">Output</th><th scope="col">For this drawing</th>'
        '<th scope="col" class="cv-count">Parameters</th></tr></thead>'
        f"<tbody>{body}</tbody><tfoot><tr><th scope='row' colspan='4'>All trained numbers</th>"
        f"<td class='cv-count'>{sum(parameters.values()):,}</td></tr></tfoot></table></div>"
    )
