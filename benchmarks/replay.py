"""What the moments of a drawing take, all of them in one batch."""

import numpy as np

from benchmarks.trace import Quantiles, timed
from capsviz import load_model
from capsviz.figures import replay_payload
from capsviz.inputs.drawings import PAD, Drawing, stroke_of
from capsviz.inputs.examples import EXAMPLES
from capsviz.measures.replay import replay
from capsviz.models.devices import keep_large_blocks


def replayed() -> Quantiles:
    """From the strokes of a loopy two to what the browser is sent: 64 moments drawn, prepared, answered and packed."""
    keep_large_blocks()  # as the app does
    model, example = load_model(device="cpu"), EXAMPLES[0]
    strokes = (stroke_of(PAD * np.array(points), PAD * example.width) for points in example.strokes)
    drawing = Drawing(tuple(strokes))
    return timed(lambda: replay_payload(replay(model, drawing)), repeats=10)
