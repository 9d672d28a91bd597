"""Self-attention routing: one trace packed for the browser, which draws it (browser/attention.js).

There is one pass, so all of it is sent as the trace has it: the browser derives nothing but the products of two votes'
components, and where the votes lie on their principal axes.
"""

from collections.abc import Mapping

import numpy as np

from capsviz.figures.packing import pack
from capsviz.figures.routing import view_header, vote_cloud
from capsviz.traces.attention import AttentionTrace

# The lines of the algorithm, in their order: each is a step that the view shows.
STEPS = ("votes", "attention", "score", "softmax", "prior", "sum", "squash")
SCALES = ("weight", "c", "score", "share")  # of the map of all classes
LEAST_LIMIT = 0.001  # no scale ends nearer to its middle: rounding would have full colour


def attention_limits(trace: AttentionTrace) -> dict[str, float]:
    """How far each quantity goes from its neutral middle, in any class: {name: limit}.

    The middle is 0, but 1/J for c, where every class counts alike.
    """
    quantities = {
        "votes": trace.u_hat,
        "attention": trace.attention,
        "score": trace.b,
        "c": trace.c - 1 / len(trace.classes),
        "prior": trace.prior,
        "weight": trace.weight,
        "share": trace.share,
    }
    return {name: max(float(np.abs(values).max()), LEAST_LIMIT) for name, values in quantities.items()}


def attention_payload(
    trace: AttentionTrace,
    drawings: np.ndarray,
    *,
    link: Mapping[str, tuple[int, ...] | tuple[str, ...]] | None = None,
) -> bytes:
    """Everything the view of attention draws, packed.

    Args:
        trace: one image's trace.
        drawings: [1, J, S, S] what each class capsule alone draws, in 0..1.
        link: the parameters of the address that the view reads and writes, {name: (least, most)}; of some
            how many as well, of others all words.

    Returns:
        What ``pack`` makes of it.
    """
    _, classes, pose = trace.u_hat.shape
    clouds = [vote_cloud(trace, j) for j in range(classes)]
    arrays = {
        "image": trace.image,
        "u": trace.u,
        "u_hat": trace.u_hat,
        "attention": trace.attention,
        "score": trace.b[0],
        "c": trace.c[0],
        "prior": trace.prior,
        "weight": trace.weight[0],
        "share": trace.share[0],
        "s": trace.s[0],
        "v": trace.v[0],
        "axes": np.stack([cloud.axes for cloud in clouds]),
        "drawings": np.rint(drawings[-1] * 255).astype(np.uint8),
    }
    header = view_header(trace, clouds, link, "attention") | {
        "pose": pose,
        "steps": STEPS,
        "scales": SCALES,
        "limits": attention_limits(trace),
    }
    return pack(arrays, header)
