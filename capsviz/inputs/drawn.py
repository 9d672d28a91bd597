"""Data sets of drawings that people made with a pen, rendered as if they came from the app's canvas."""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from capsviz.errors import ImageError
from capsviz.inputs.data import Digits
from capsviz.inputs.own import in_order
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.inputs.strokes import FIELD, Drawing, render_anywhere

COPIES = 3  # pictures of each drawing to train on: each with another pen, size and place
WIDTHS = (8, 12, 18, 26)  # of the pen of the pictures to test on, in pixels of the app's canvas
_PENS, _SIZES = (
    (6, 28),
    (85, 230),
)  # of those to train on: smallest and largest pen, and larger side of a drawing
_TEST_SIZES = (90, 200)
_TRIES = 20  # of places and pens, until the app would not refuse what is drawn
_SEED = 1995


def by_writer(drawings: Sequence[Drawing]) -> dict[str, list[Drawing]]:
    """Drawings in parts that share no writer.

    Every fifth writer, from the fifth on, is to "test", of the others every eighth to "choose" by, the rest to "train".
    Writers are in the order of their numbers, or names; a drawing without one is a writer of its own.
    """
    names = {drawing.writer or f"drawing {place:09}" for place, drawing in enumerate(drawings)}
    part = {}
    others = 0
    for place, name in enumerate(in_order(names)):
        if place % 5 == 4:
            part[name] = "test"
            continue
        part[name] = "choose" if others % 8 == 7 else "train"
        others += 1
    parts: dict[str, list[Drawing]] = {"train": [], "choose": [], "test": []}
    for place, drawing in enumerate(drawings):
        parts[part[drawing.writer or f"drawing {place:09}"]].append(drawing)
    return parts


def pictures(drawings: Sequence[Drawing], half: str, size: int = FIELD) -> Digits:
    """Images of drawings: to "train" on, ``COPIES`` of each; to "test" on, one for each of ``WIDTHS``.

    What the app would refuse at ``_TRIES`` places is left out of the first, and black in the second: so it counts as
    misread.
    """
    import torch

    images, labels = [], []
    watched = tqdm(drawings, desc="drawing", mininterval=1.0, disable=len(drawings) < 500)
    for place, drawing in enumerate(watched):
        for copy in range(COPIES if half == "train" else len(WIDTHS)):
            rng = np.random.default_rng([_SEED, half == "test", place, copy])
            pens, sides = (_PENS, _SIZES) if half == "train" else ((WIDTHS[copy],) * 2, _TEST_SIZES)
            image = _picture(drawing, rng, pens, sides, size)
            if image is not None or half == "test":
                images.append(np.zeros((size, size), np.uint8) if image is None else image)
                labels.append(drawing.label)
    return Digits(
        torch.from_numpy(np.array(images, np.uint8).reshape(-1, size, size)),
        torch.tensor(labels, dtype=torch.int64),
    )


def _picture(
    drawing: Drawing,
    rng: np.random.Generator,
    pens: tuple[float, float],
    sides: tuple[float, float],
    size: int,
) -> np.ndarray | None:
    for _ in range(_TRIES):
        pixels = render_anywhere(drawing.strokes, rng.uniform(*pens), rng.uniform(*sides), rng)
        try:
            return np.rint(canvas_to_mnist(pixels, "light", size) * 255).astype(np.uint8)
        except ImageError:
            continue
    return None
