"""A small folder of pictures to train on."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_pictures(folder: Path) -> None:
    """Forty pictures of each of two classes, a bar that lies and one that stands, in ``folder``/CLASS."""
    rng = np.random.default_rng(0)
    for label in (0, 1):
        (folder / str(label)).mkdir(parents=True)
        for number in range(40):
            pixels = rng.integers(0, 40, (28, 28)).astype(np.uint8)
            pixels[(slice(12, 16), slice(4, 24))[:: 1 - 2 * label]] = 255
            Image.fromarray(pixels).save(folder / str(label) / f"{number}.png")
