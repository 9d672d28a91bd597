"""Properties of drawn images, each a number that a person can see: thickness, slant, width, place, loops, brightness."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from capsviz.errors import ImageError


class Property(NamedTuple):
    """Something that is measured in an image."""

    name: str
    unit: str
    less: str  # what happens to the drawing where it falls,
    more: str  # and where it rises
    usual: float  # the spread between images of a class, 28 pixels a side, where its own is less


PROPERTIES = {
    "thickness": Property("stroke thickness", "px", "thinner strokes", "thicker strokes", 0.6),
    "slant": Property("slant", "°", "leans left", "leans right", 10),
    "width": Property("width", "px", "narrower", "wider", 2),
    "height": Property("height", "px", "shorter", "taller", 2),
    "x": Property("horizontal position", "px", "ink moves left", "ink moves right", 1.5),
    "y": Property("vertical position", "px", "ink moves up", "ink moves down", 1.5),
    "loop": Property("loop size", "px²", "smaller loop", "larger loop", 8),
    "brightness": Property("brightness", "% of white", "fainter", "brighter", 10),
    "ink": Property("amount of ink", "px²", "less ink", "more ink", 25),
}

LEAST_PEAK = 0.2  # an image without a pixel as bright as this shows no ink
_DETAIL = 2  # times as many pixels a side, on which shape is measured


def usual(name: str, size: int) -> float:
    """The ``usual`` spread of a property in images of ``size`` pixels a side: lengths and areas are in pixels."""
    scale = size / 28
    measured = PROPERTIES[name]
    return measured.usual * {"px": scale, "px²": scale**2}.get(measured.unit, 1)


@cache
def _finer(size: int) -> np.ndarray:
    """Pillow's bicubic interpolation of ``size`` pixels, as a matrix [_DETAIL * size, size]."""
    pixels = Image.fromarray(np.eye(size, dtype=np.float32))
    return np.asarray(pixels.resize((size, _DETAIL * size), Image.Resampling.BICUBIC))


def measure_images(images: ArrayLike) -> dict[str, np.ndarray]:
    """Measure every property in ``PROPERTIES`` in grey images, sharp or blurred.

    Strokes, outlines and loops are those of the image at half of its brightest pixel, so that a blurred or a
    dim stroke is about as thick as a sharp and a bright one.

    Args:
        images: [N, S, S], white ink on black in 0..1.

    Returns:
        For each property [N] floats, NaN (but ``ink``) where no pixel reaches 0.2:

        - thickness: pixels; twice the inked area over the length of its outline. Of a ring that is its
          stroke's width t, of an open stroke of length L t * L / (L + t), a tenth or so less.
        - slant: degrees from upright, positive leaning right (its top to the right); from second moments,
          the angle of the shear that undoes the correlation of x and y.
        - width, height: pixels between the outermost columns and rows that are lit, to a part of a pixel.
        - x, y: pixels from the image's centre to the ink's, positive to the right and down.
        - loop: square pixels of background that ink encloses.
        - brightness: percent of full white, a mean in which each pixel counts by its own brightness.
        - ink: the sum of all pixels, in square pixels of full white.

    Raises:
        ImageError: if the images have another shape, or values outside 0..1 or NaN.
    """
    pixels = np.asarray(images, np.float32)
    if pixels.ndim != 3 or pixels.shape[1] != pixels.shape[2]:
        raise ImageError(f"Images to measure must be N x S x S, not of shape {pixels.shape}.")
    if not ((pixels >= 0) & (pixels <= 1)).all():
        raise ImageError("Images to measure must have finite values in 0..1: divide grey levels by 255.")
    inked = pixels.max(axis=(1, 2), initial=0) >= LEAST_PEAK
    measured = {name: np.full(len(pixels), np.nan) for name in PROPERTIES}
    for name, values in {**_moments(pixels[inked]), **_shape(pixels[inked])}.items():
        measured[name][inked] = values
    measured["ink"] = pixels.sum(axis=(1, 2), dtype=float)
    return measured


def _moments(images: np.ndarray) -> dict[str, np.ndarray]:
    """Centre and slant of images [N, S, S]."""
    ink = images.sum(axis=(1, 2), dtype=float)
    size = images.shape[1]
    places = np.arange(size) - (size - 1) / 2
    rows, columns = images.sum(axis=2), images.sum(axis=1)
    x, y = columns @ places / ink, rows @ places / ink
    dx, dy = places - x[:, None], places - y[:, None]
    xy = np.einsum("nyx,ny,nx->n", images, dy, dx) / ink
    yy = (rows * dy**2).sum(axis=1) / ink + 1 / 12  # of a pixel's own height; never 0
    return {
        "x": x,
        "y": y,
        "slant": np.degrees(np.arctan2(-xy, yy)),  # y points down
        "brightness": 100 * np.square(images).sum(axis=(1, 2)) / ink,
    }


def _shape(images: np.ndarray) -> dict[str, np.ndarray]:
    """Thickness, width, height and loop of images [N, S, S] at half of their brightest pixel."""
    size = images.shape[1]
    fine = _finer(size) @ images @ _finer(size).T
    fine /= fine.max(axis=(1, 2), keepdims=True)
    # The middle half of the grey levels, or the slopes of a blurred stroke would add to it.
    middle = np.clip(2 * fine - 0.5, 0, 1)
    # The steepness, summed, is the length of the outline. Taken between four pixels each: alike in all directions.
    padded = np.pad(middle, [(0, 0), (1, 1), (1, 1)])
    a, b = padded[:, :-1, :-1], padded[:, :-1, 1:]
    c, d = padded[:, 1:, :-1], padded[:, 1:, 1:]
    outline = np.hypot(b + d - a - c, c + d - a - b).sum(axis=(1, 2)) / 2
    columns, rows = fine.max(axis=1), fine.max(axis=2)
    ground = fine < 0.5
    enclosed = ground & ~_from_border(ground)
    return {
        "thickness": 2 * middle.sum(axis=(1, 2)) / outline / _DETAIL,
        "width": size - _first_edge(columns) - _first_edge(columns[:, ::-1]),
        "height": size - _first_edge(rows) - _first_edge(rows[:, ::-1]),
        "loop": enclosed.sum(axis=(1, 2)) / _DETAIL**2,
    }


def _first_edge(profile: np.ndarray) -> np.ndarray:
    """[N] pixels from the border to where a profile [N, _DETAIL * S], at most 1, first rises through a half."""
    first = (profile >= 0.5).argmax(axis=1)
    images = np.arange(len(profile))
    after = profile[images, first]
    before = np.where(first > 0, profile[images, first - 1], 0)
    # A value stands at its pixel's centre.
    edges: np.ndarray = (first + 0.5 - (after - 0.5) / (after - before)) / _DETAIL
    return edges


def _from_border(ground: np.ndarray) -> np.ndarray:
    """Which pixels of masks [N, H, W] are joined to the border, through sides and not corners."""
    reached = np.zeros_like(ground)
    for border in (np.s_[:, 0], np.s_[:, -1], np.s_[:, :, 0], np.s_[:, :, -1]):
        reached[border] = ground[border]
    # Sweep down, up, to the right and to the left, across the whole image at a time, until nothing is added.
    sweeps = [
        (flood[:, ::step], free[:, ::step])
        for flood, free in ((reached, ground), (reached.swapaxes(1, 2), ground.swapaxes(1, 2)))
        for step in (1, -1)
    ]
    before = -1
    while before != (before := int(np.count_nonzero(reached))):
        for flood, free in sweeps:
            for line in range(1, flood.shape[1]):
                flood[:, line] |= flood[:, line - 1] & free[:, line]
    return reached
