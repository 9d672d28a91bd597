"""How sure a rate is that was counted."""

import math
from collections.abc import Mapping
from typing import Any

from capsviz.inputs.own import STROKES

FEW = 100  # images; of fewer, one more that is misread moves the rate by more than 1%


def wilson(wrong: float, total: int) -> tuple[float, float]:
    """95% interval (low, high) of a rate of which ``wrong`` of ``total`` were counted (Wilson 1927); no need to be whole."""
    if not total:
        return 0.0, 1.0
    z = 1.959964
    rate, spread = wrong / total, z**2 / total
    middle = (rate + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(rate * (1 - rate) / total + spread / (4 * total))
    # Rounding must not leave the true bounds 0 and 1.
    return max(0.0, middle - half), min(1.0, middle + half)


def of_card(card: Mapping[str, Any]) -> tuple[int, tuple[float, float]] | None:
    """How many test images the error of a card was counted on, and its 95% interval.

    None where the card does not say how many, or several images are one drawing's, which are misread together: then
    ``evaluate`` tells how far that rate may be off.
    """
    own = card.get("own")
    if own is not None and own["source"] == STROKES:
        return None
    count = own["test"] if own else card.get("tested")
    return (count, wilson(round(card["test_error"] * count), count)) if count else None
