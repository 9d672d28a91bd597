"""What a network is unsure of: of images of its classes few, of everything else all, if it were perfect."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from capsviz.measures.changes import Predict
from capsviz.models.card import SHARE_UNSURE


def unsure_below(longest: np.ndarray) -> float:
    """The length below which to say "unsure": at most ``SHARE_UNSURE`` of these images have a shorter capsule.

    Args:
        longest: [N] lengths of the longest capsules of images that were held out of training.

    Returns:
        A length that one of them has; 0 without any.
    """
    return float(np.sort(longest)[int(SHARE_UNSURE * len(longest))]) if len(longest) else 0.0


def apart(there: np.ndarray, absent: np.ndarray) -> float:
    """The length that tells what is there from what is not, where images show several things: one below it is unsure.

    As many of those that are there lie below it as lie above it of those that are not: neither mistake is made more often.

    Args:
        there: [N] lengths of capsules of what images show, held out of training.
        absent: [N] of these images the next shorter ones.

    Returns:
        The least such length of those in ``there``; 0 without any.
    """
    if not len(there):
        return 0.0
    there, absent = np.sort(there), np.sort(absent)
    missed = np.arange(len(there))  # with the limit at each of ``there``
    claimed = len(absent) - np.searchsorted(absent, there)
    return float(there[np.argmax(missed >= claimed)] if (missed >= claimed).any() else there[-1])


def unsure(
    predict: Predict,
    images: np.ndarray,
    labels: np.ndarray,
    threshold: float,
    others: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """What is called unsure, of images of the network's classes and of things that are of none.

    Args:
        predict: images to lengths.
        images: of the network's classes, [N, S, S] in 0..1, others than those that the threshold was set on.
        labels: [N] which they are.
        threshold: a longest capsule below it is called unsure.
        others: pictures [M, S, S] of what is of no class, by kind; None if there are none.

    Returns:
        "threshold"; "digits": how many images there are, the share "below" it, and how many of these were "misread"
        as well; and for lengths from 0 to 1 in hundredths the share of them that lies below ("below"). With ``others``
        also "kinds": likewise how many and the share below, with the "kind" and which were answered all the
        same ("answered", counted from 0); "others": all kinds together; and their shares in "below".
    """
    lengths = predict(images)
    longest = {"digits": lengths.max(1)}
    misread = lengths.argmax(1) != labels
    result: dict[str, Any] = {
        "threshold": threshold,
        "digits": {
            **_below(longest["digits"], threshold),
            "misread": int((misread & (longest["digits"] < threshold)).sum()),
        },
    }
    if others is not None:
        found = {kind: predict(pictures).max(1) for kind, pictures in others.items()}
        longest["others"] = np.concatenate(list(found.values()))
        result["kinds"] = [
            {
                "kind": kind,
                **_below(some, threshold),
                "answered": np.flatnonzero(some >= threshold).tolist(),
            }
            for kind, some in found.items()
        ]
        result["others"] = _below(longest["others"], threshold)
    limits = [k / 100 for k in range(101)]
    shares = {name: [_below(some, limit)["below"] for limit in limits] for name, some in longest.items()}
    return {**result, "below": {"length": limits, **shares}}


def _below(longest: np.ndarray, length: float) -> dict[str, Any]:
    """How many there are, and the share of them that is shorter than ``length``."""
    return {"images": len(longest), "below": float((longest < length).mean()) if len(longest) else 0.0}
