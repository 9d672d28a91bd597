"""Fixtures that several test files share."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny

from capsviz.models.model import Model, load_model
from capsviz.networks.base import Spec

# What is kept on this machine of trainings on the page is of whoever works on it.
_trainings = tempfile.TemporaryDirectory(prefix="capsviz-trainings-")
os.environ["CAPSVIZ_TRAINING_FOLDER"] = _trainings.name


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


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with weights of the tiny network, named as it is, trained once."""
    with tiny.registered():
        return tiny.train(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def tiny_network() -> Iterator[Spec]:
    """The tiny network's spec, registered while the test runs."""
    with tiny.registered() as spec:
        yield spec


@pytest.fixture
def tiny_model(tiny_network: Spec, tiny_weights: Path) -> Model:
    """The trained tiny network on the CPU."""
    return load_model(tiny_weights, device="cpu")
