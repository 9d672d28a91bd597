"""What was measured of the networks that sessions use, once read."""

from functools import lru_cache
from typing import Any

import numpy as np

from capsviz.app import session
from capsviz.errors import CapsvizError, WeightsError
from capsviz.measures.rules import unpacked
from capsviz.models.weights import load_evaluation
from capsviz.networks.base import find
from capsviz.texts import say


@lru_cache(maxsize=16)
def measured_of(name: str) -> dict[str, Any]:
    """What was measured of a network that is loaded; nothing where nobody has."""
    try:
        return load_evaluation(name, session.model_of(name).card)
    except WeightsError:
        return {}


def mean_coupling(name: str) -> np.ndarray:
    """[I, J] the mean of a network's c.

    Raises:
        CapsvizError: if nobody has measured it.
    """
    found, shape = measured_of(name).get("rules"), session.model_of(name).shape
    assert shape.grid is not None
    try:
        if found:
            return unpacked(found["mean"], shape.grid.capsules, len(shape.classes))
    except ValueError:  # of a file that was cut
        pass
    raise CapsvizError(say("compare.noMean", network=find(name).title))
