"""Fixtures that several test files share."""

import numpy as np
import pytest

from capsviz.models.model import Model, load_model


@pytest.fixture(scope="session")
def model() -> Model:
    """The shipped weights on the CPU."""
    return load_model(device="cpu")


@pytest.fixture(scope="session")
def seven() -> np.ndarray:
    """A hand-made 7 as the network sees one: [28, 28] in 0..1."""
    image = np.zeros((28, 28), np.float32)
    image[5:8, 7:20] = 1
    for row in range(8, 24):
        left = round(18 - 0.5 * (row - 8))
        image[row, left - 2 : left + 1] = 1
    return image
