"""Routing, step by step: one trace packed for the browser, and the script that draws it there.

The browser gets u and, for each iteration, s and v. From u and the matrices W, which it is sent once, it makes the
votes û (Eq. 2); from them it derives b, c, agreement and shares (the sums that Procedure 1 asks for, held to the
trace by a test), so that 1 or 10 iterations weigh the same. A page of its own is given û instead of W, a quarter
of its size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from capsviz import texts
from capsviz.figures.packing import pack
from capsviz.figures.theme import AGAINST_COLOUR, FOR_COLOUR, class_colours
from capsviz.traces.attention import AttentionTrace
from capsviz.traces.routing import RoutingTrace

SCALES = ("c", "uniform", "last", "share")
# The four steps of an iteration, in the order of Procedure 1.
STEPS = ("softmax", "sum", "squash", "agreement")
LINKS = 120  # strongest links drawn for all digits together,
LINKS_OF_ONE = 60  # and for one digit alone
# No scale ends nearer to its middle, or with one iteration, where nothing differs, rounding (1e-7 of c, some 1e-6
# octaves) would have full colour. So far from it, an end also reads otherwise than the middle in the decimals that it
# is written with: 0.02 octaves are 1.4% of c, 0.101 beside 0.100; all others are written with four below 0.01.
LEAST_LIMIT = {"c": 0.02, "uniform": 0.001, "last": 0.001, "share": 0.001}
CLIPPED = 0.001  # of all single capsules lie beyond the colour scale: else a handful would leave it empty


class Frame(NamedTuple):
    """What stands on the screen after one step: an index into each quantity, -1 where there is none yet."""

    iteration: int  # r, from 0
    step: int  # index in STEPS
    c: int
    s: int
    v: int


def routing_frames(iterations: int) -> list[Frame]:
    """The 4 R frames of routing, one for each step of each iteration."""
    return [
        Frame(r, step, c=r, s=r if step >= 1 else r - 1, v=r if step >= 2 else r - 1)
        for r in range(iterations)
        for step in range(len(STEPS))
    ]


def scale_values(trace: RoutingTrace, scale: str, level: str = "capsule") -> np.ndarray:
    """What a scale shows of every coupling; 0 is its neutral middle.

    Args:
        trace: one image's trace.
        scale: "c" for log2(c J), octaves above or below the uniform 1/J; "uniform" for c - 1/J; "last" for
            the change since the iteration before; "share" for the signed share of |s_j|.
        level: "capsule" for each; "place" or "type" for the mean c, or the sum of shares, of all capsules at a
            place of the grid or of a type.

    Returns:
        [R, I, J], or [R, places, J], or [R, types, J].
    """
    values = trace.share if scale == "share" else trace.c
    digits = values.shape[2]
    if level != "capsule":
        values = values.reshape(len(values), trace.grid.types, trace.grid.places, digits)
        axis = 1 if level == "place" else 2
        values = values.sum(axis=axis) if scale == "share" else values.mean(axis=axis)
    match scale:
        case "c":
            return np.log2(np.maximum(values * digits, np.finfo(np.float32).tiny))
        case "uniform":
            return values - 1 / digits
        case "last":
            return np.diff(values, axis=0, prepend=values[:1])
        case "share":
            return values
    raise ValueError(f"there is no scale {scale!r}: choose one of {', '.join(SCALES)}.")


def scale_limits(trace: RoutingTrace) -> dict[str, dict[str, float]]:
    """Where each scale ends, the same for all iterations: {scale: {"capsule", "place", "type"}}.

    Of single capsules all but ``CLIPPED`` lie within; of places and types all do. None is below ``LEAST_LIMIT``.
    """
    return {
        scale: {
            level: max(
                float(np.quantile(np.abs(scale_values(trace, scale, level)), within, method="higher")), least
            )
            for level, within in (("capsule", 1 - CLIPPED), ("place", 1), ("type", 1))
        }
        for scale, least in LEAST_LIMIT.items()
    }


class Cloud(NamedTuple):
    """The votes for one digit on their two principal axes."""

    axes: np.ndarray  # [2, D] orthonormal; v points to the right and up
    votes: np.ndarray  # [I, 2]
    s: np.ndarray  # [R, 2]
    v: np.ndarray  # [R, 2]
    kept: float  # share of the votes' variance that the two axes keep, 0..1


def vote_cloud(trace: RoutingTrace, digit: int) -> Cloud:
    """The prediction vectors û_{j|i} for one digit, projected on axes that do not depend on the iteration.

    The axes are the first two principal axes of the votes (eigenvectors of their covariance). The votes are
    not moved: the origin of the picture is the origin of pose space, where s and v begin too.
    """
    votes = trace.u_hat[:, digit].astype(np.float64)
    variances, vectors = np.linalg.eigh(np.cov(votes.T))
    axes = vectors[:, ::-1][:, :2].T
    # The sign of an eigenvector is arbitrary: let v point to the right and up.
    axes = axes * np.where(axes @ trace.v[-1, digit] < 0, -1, 1)[:, None]
    return Cloud(
        axes=axes,
        votes=votes @ axes.T,
        s=trace.s[:, digit] @ axes.T,
        v=trace.v[:, digit] @ axes.T,
        kept=float(variances[-2:].sum() / max(variances.sum(), np.finfo(float).tiny)),
    )


def strongest_links(trace: RoutingTrace, digit: int | None = None) -> np.ndarray:
    """The links whose share of |s_j| is largest in any iteration, strongest first.

    Args:
        trace: one image's trace.
        digit: only links to this digit capsule; None for all.

    Returns:
        Flat indices i * J + j, ``LINKS`` of them or, for one digit, ``LINKS_OF_ONE``; fewer if there are fewer.
    """
    strength = np.abs(trace.share).max(axis=0)  # [I, J]
    if digit is None:
        chosen = _largest(strength.ravel(), LINKS)
    else:
        chosen = _largest(strength[:, digit], LINKS_OF_ONE) * strength.shape[1] + digit
    return chosen.astype(np.int32)


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Where the largest ``count`` of values [N] are, largest first, of equal ones the first first."""
    count = min(count, len(values))
    found = np.flatnonzero(
        values >= np.partition(values, -count)[-count]
    )  # a few of many need no sorting of all
    return found[np.argsort(-values[found], kind="stable")[:count]]


def transforms_payload(transforms: np.ndarray, name: str) -> bytes:
    """The matrices W in half precision, which is what the weights are stored in: nothing is lost.

    Args:
        transforms: [I, J, D, K] W_ij.
        name: of the weights, as given to ``routing_payload``.

    Raises:
        ValueError: if a number does not survive half precision.
    """
    halves = transforms.astype(np.float16)
    if not np.array_equal(halves, transforms):
        raise ValueError("the transformation matrices are not in half precision.")
    return pack({"W": halves}, {"name": name})


def view_header(
    trace: RoutingTrace | AttentionTrace,
    clouds: Sequence[Cloud],
    link: Mapping[str, tuple[int, ...] | tuple[str, ...]] | None,
    words: str,
) -> dict[str, Any]:
    """What every view of a routing is told, whatever its kind.

    Args:
        trace: one image's trace.
        clouds: of its votes, one for each class.
        link: as given to ``routing_payload``.
        words: the view's part of the texts.
    """
    primary, classes, _ = trace.u_hat.shape
    order = np.argsort(-trace.lengths[-1], kind="stable")
    return {
        "primary": primary,
        "digits": classes,
        "size": trace.shape.size,
        "classes": trace.classes,
        "kind": trace.shape.kind,
        "grid": asdict(trace.grid),
        "trained": trace.shape.trained,
        "prediction": trace.prediction,
        "runnerUp": int(order[1]),
        "answers": trace.shape.answers,
        "kept": [cloud.kept for cloud in clouds],
        "link": dict(link or {}),
        "texts": texts.for_script("common", words, "address.outside"),
        "digitColours": class_colours(classes),
        "forColour": FOR_COLOUR,
        "againstColour": AGAINST_COLOUR,
    }


def routing_payload(
    trace: RoutingTrace,
    drawings: np.ndarray,
    transforms: str | None = None,
    *,
    measured: str = "",
    link: Mapping[str, tuple[int, ...] | tuple[str, ...]] | None = None,
) -> bytes:
    """Everything the Routing page draws, packed.

    Args:
        trace: one image's trace, R iterations.
        drawings: [R, J, S, S] what each digit capsule alone draws after each iteration, in 0..1.
        transforms: name of the weights whose ``transforms_payload`` the browser has: it makes û itself.
        measured: what routing changes of the answers (``card.routing_measured``), if that is known.
        link: the parameters of the address that the view reads and writes, {name: (least, most)}; of some
            how many as well, of others all words.

    Returns:
        What ``pack`` makes of it.
    """
    clouds = [vote_cloud(trace, j) for j in range(len(trace.classes))]
    arrays = {
        "image": trace.image,
        "u": trace.u,
        **({} if transforms else {"u_hat": trace.u_hat}),
        "s": trace.s,
        "v": trace.v,
        "axes": np.stack([cloud.axes for cloud in clouds]),
        "links": strongest_links(trace),
        "links_of": np.stack([strongest_links(trace, j) for j in range(len(trace.classes))]),
        "drawings": np.rint(drawings * 255).astype(np.uint8),
    }
    header = view_header(trace, clouds, link, "routing") | {
        "iterations": trace.iterations,
        "frames": [frame._asdict() for frame in routing_frames(trace.iterations)],
        "limits": scale_limits(trace),
        "widest": float(max(np.abs(trace.share).max(), 1e-6)),
        "transforms": transforms,
        "entropy": [
            {"mean": float(row.mean()), "least": float(row.min())} for row in trace.entropy.astype(np.float64)
        ],
        "measured": measured,
    }
    return pack(arrays, header)
