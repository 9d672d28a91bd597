"""Preset drawings, written by hand as strokes, so that every page opens with something real."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

Stroke = tuple[tuple[float, float], ...]  # a polyline of (x, y), x right, y down, canvas = 0..1

CURVE_STEPS = 12  # points of the polyline for each span between two control points
OVERSAMPLING = 4  # subpixels a side, averaged into one antialiased pixel


@dataclass(frozen=True)
class Example:
    """One drawing: what it is called, what it is meant to be, and how it is drawn.

    Attributes:
        name: among the texts, under "example".
        kind: what it is one of, as ``Shape.kind``: for these networks it is an example.
        shows: name of the class that it is meant to be.
        strokes: polylines.
        width: of the pen, as a fraction of the canvas.
    """

    name: str
    kind: str
    shows: str
    strokes: tuple[Stroke, ...]
    width: float

    @property
    def digit(self) -> int | None:
        """The digit that it is meant to be, of an example of one."""
        return int(self.shows) if self.kind == "digit" else None


def smooth(points: list[list[float]]) -> Stroke:
    """Lay a Catmull-Rom spline through control points.

    Two equal points in a row make a sharp corner there, as a pen does that stops and turns.

    Args:
        points: at least two (x, y), in 0..1 of the canvas.

    Returns:
        A polyline through all of them, with ``CURVE_STEPS`` points a span.
    """
    corners = [k for k in range(1, len(points)) if points[k] == points[k - 1]]
    pieces = [points[i:j] for i, j in zip([0, *corners], [*corners, len(points)], strict=True)]
    return sum(map(_spline, pieces), ())


def _spline(points: list[list[float]]) -> Stroke:
    p = np.array([points[0], *points, points[-1]])
    before, start, end, after = p[:-3, None], p[1:-2, None], p[2:-1, None], p[3:, None]  # [spans, 1, 2]
    t = np.linspace(0, 1, CURVE_STEPS, endpoint=False)[:, None]  # [steps, 1]
    linear, quadratic = end - before, 2 * before - 5 * start + 4 * end - after
    cubic = 3 * (start - end) + after - before
    curve = start + (linear * t + quadratic * t**2 + cubic * t**3) / 2  # [spans, steps, 2]
    return tuple((x, y) for x, y in np.vstack([curve.reshape(-1, 2), p[-1:]]).round(4).tolist())


def render(strokes: tuple[Stroke, ...], width: float, size: int = 280) -> np.ndarray:
    """Draw strokes as an HTML canvas does with round caps and joins: white on black, antialiased.

    Args:
        strokes: polylines in 0..1 of the canvas; one point alone makes a dot.
        width: of the pen, as a fraction of the canvas.
        size: side of the canvas in pixels.

    Returns:
        uint8 [size, size], 0 for the canvas, 255 for ink.
    """
    scale = size * OVERSAMPLING
    radius = width * scale / 2
    # Nothing lies beyond where the pen comes to. The origin stays: Pillow rounds by where a place is, not only by where it is to others.
    reach = width * size / 2 + 1
    spans = [
        _span([point[axis] * size for stroke in strokes for point in stroke], reach, size) for axis in (0, 1)
    ]
    (left, right), (top, bottom) = spans
    canvas = np.zeros((size, size), np.uint8)
    if left >= right or top >= bottom:
        return canvas
    image = Image.new("L", (OVERSAMPLING * right, OVERSAMPLING * bottom))
    draw = ImageDraw.Draw(image)
    # Pillow counts pixel centres, a canvas counts pixel edges: half a subpixel between them.
    for stroke in strokes:
        points = [(x * scale - 0.5, y * scale - 0.5) for x, y in stroke]
        draw.line(points, fill=255, width=round(2 * radius))
        for point in points:
            draw.circle(point, radius - 0.5, fill=255)  # to the centre of the outermost subpixel
    box = (OVERSAMPLING * left, OVERSAMPLING * top, *image.size)
    canvas[top:bottom, left:right] = np.asarray(image.reduce(OVERSAMPLING, box))
    return canvas


def _span(places: list[float], reach: float, size: int) -> tuple[int, int]:
    """First and last whole pixel, that one excluded, that a pen comes to within a canvas; the same twice if none."""
    low, high = (math.floor(min(places) - reach), math.ceil(max(places) + reach)) if places else (0, 0)
    return min(max(low, 0), size), min(max(high, 0), size)


def _load() -> tuple[Example, ...]:
    entries = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return tuple(
        Example(entry["name"], kind, str(entry[kind]), tuple(map(smooth, entry["strokes"])), entry["width"])
        for entry in entries
        for kind in ("digit", "letter")
        if kind in entry
    )


EXAMPLES = _load()


def examples_for(kind: str) -> tuple[Example, ...]:
    """The examples for networks of a kind of classes; those of digits for one that has none of its own."""
    return tuple(example for example in EXAMPLES if example.kind == kind) or examples_for("digit")
