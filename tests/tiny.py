"""A network of another shape than the shipped one, to take the whole way: small enough to be trained within a test.

It tells three shapes apart in pictures of 20 x 20 pixels that NumPy draws. Nothing of it is in the package: ``registered``
makes it known for as long as it is needed, ``train`` gives it weights. Fixtures in conftest.py: ``tiny_network`` (the
spec, registered), ``tiny_weights`` (the folder of its weights, in one named as ``capsviz.models.weights.DIRECTORY`` has
them) and ``tiny_model``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from capsviz.inputs.data import DataSet, Digits
from capsviz.networks.base import Layer, Source, Spec, register, unregister
from capsviz.traces.base import COUPLING, POSES, CapsuleGrid, Shape

if TYPE_CHECKING:
    from capsviz.layers.capsules import CapsNet

CLASSES = ("kite", "ring", "zigzag")
SIZE = 20
IMAGES = {"train": 360, "test": 90}
FILTERS, KERNELS, HIDDEN = 12, (7, 5), (24, 40)
GRID = CapsuleGrid(types=4, rows=5, columns=5, field=11, stride=2)
SHAPE = Shape(
    **{"size": SIZE, "classes": CLASSES, "kind": "shape", "grid": GRID, "components": 4, "pose": 5},
    **{"routing": "dynamic", "trained": 2},
)


def draw(half: str) -> tuple[np.ndarray, np.ndarray]:
    """Images [N, 20, 20], uint8, and labels [N] of "train" or "test": the same ones each time, no two halves alike."""
    rng = np.random.default_rng([20, sorted(IMAGES).index(half)])
    labels = np.arange(IMAGES[half]) % len(CLASSES)
    y, x = np.mgrid[:SIZE, :SIZE]
    images = []
    for label in labels:
        across, down = rng.uniform(4.5, 6.5, 2)
        dx, dy = (x - rng.uniform(8.5, 10.5)) / across, (y - rng.uniform(8.5, 10.5)) / down
        zigzag = np.abs((2 * dx + 2) % 2 - 1) - 0.5
        away = (np.abs(dx) + np.abs(dy) - 1, np.hypot(dx, dy) - 1, np.where(np.abs(dx) < 1, dy - zigzag, 1))[
            label
        ]
        images.append(np.exp(-((3 * away) ** 2)))  # of a stroke: white where it runs, grey beside it
    return np.rint(255 * np.array(images)).astype(np.uint8), labels


def load(folder: str | Path, half: str) -> Digits:
    """What ``DataSet.load`` gives; nothing is read from the folder."""
    import torch

    images, labels = draw(half)
    return Digits(torch.from_numpy(images), torch.from_numpy(labels))


DATA = DataSet("Shapes", CLASSES, IMAGES, 60, made_up=False, load=load, unlike=lambda folder, half: "")


def build(spec: Spec) -> "CapsNet":
    """The module, with its initial values."""
    from capsviz.layers.capsules import CapsNet

    return CapsNet(spec.shape, FILTERS, KERNELS, HIDDEN)


SPEC = Spec(
    name="tiny.shapes",
    title="CapsNet, dynamic routing, three shapes",
    source=Source("Sara Sabour and others", "Dynamic Routing Between Capsules", 2017, "arXiv:1710.09829", ""),
    data=DATA,
    shape=SHAPE,
    offers=frozenset({COUPLING, POSES}),
    layers=(
        Layer("conv1", (FILTERS, 14, 14), {"filters": FILTERS, "kernel": KERNELS[0]}),
        Layer("primary", (100, 4), {"filters": 16, "kernel": KERNELS[1], "stride": 2, "components": 4}),
        Layer("digits", (3, 5), {"pose": 5, "components": 4}),
        Layer("decoder", (SIZE, SIZE), {"first": HIDDEN[0], "second": HIDDEN[1], "pixels": SIZE * SIZE}),
    ),
    build=build,
)


@contextmanager
def registered() -> Iterator[Spec]:
    """The network, known by its name while the block lasts."""
    register(SPEC, "tests/tiny.py")
    try:
        yield SPEC
    finally:
        unregister(SPEC.name)


def train(folder: Path) -> Path:
    """Train it for some seconds, into ``folder / "tiny.shapes"``, which is returned; it must be registered."""
    import torch

    from capsviz.training.settings import Settings
    from capsviz.training.train import train as train_network

    settings = Settings(
        **{"epochs": 12, "batch_size": 20, "learning_rate": 4e-3, "warmup_steps": 10, "shift": 1, "pool": 0},
        **{"iterations": SHAPE.trained, "network": SPEC.name},
    )
    train_network(folder, folder / SPEC.name, settings, torch.device("cpu"), say=lambda line: None)
    return folder / SPEC.name
