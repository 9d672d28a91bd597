"""A drawing as it grew: what was on the pad at moments along the way of the pen."""

from typing import NamedTuple

import numpy as np

from capsviz.errors import ImageError
from capsviz.inputs.drawings import GRID, PAD, Drawing, Stroke
from capsviz.inputs.examples import EXAMPLES
from capsviz.texts import say

MOST = 64  # moments of a drawing
MOST_ENDS = MOST // 2  # of strokes that are moments of their own; where there are more, none is
LEAST = 2  # pixels of the pen's way from one moment to the next


class Moment(NamedTuple):
    """A drawing while it was drawn.

    Attributes:
        way: of the pen until then, in pixels of the pad.
        drawing: what was there.
    """

    way: float
    drawing: Drawing


def strokes_of(drawing: Drawing) -> tuple[Stroke, ...]:
    """All strokes of a drawing in their order: first an example's, put on the grid, then the person's own."""
    if drawing.example is None:
        return drawing.strokes
    example, scale = EXAMPLES[drawing.example], GRID * PAD
    width = round(scale * example.width)
    placed = [np.rint(scale * np.array(points)).astype(np.int16) for points in example.strokes]
    return (*(Stroke(points, width) for points in placed), *drawing.strokes)


def way_of(stroke: Stroke) -> float:
    """Pixels that the pen goes; a dot, where it goes nowhere, counts as far as the pen is wide."""
    return float(_along(stroke.points)[-1] or stroke.width) / GRID


def cut(drawing: Drawing, way: float) -> Drawing:
    """What a drawing was when the pen had gone ``way`` pixels; 0 is when it was first set down.

    Returns:
        A drawing of strokes, on the picture that they are on if any. The last point lies on the grid of half pixels as
        all do: the pen was within 0.36 pixels of it. From the end of the last stroke on, ``drawing`` itself.
    """
    strokes = strokes_of(drawing)
    if way >= sum(map(way_of, strokes)):
        return drawing
    done: list[Stroke] = []
    for stroke in strokes:
        done.append(_beginning(stroke, way))
        way -= way_of(stroke)
        if way <= 0:
            break
    return Drawing(tuple(done), picture=drawing.picture)


def moments(drawing: Drawing) -> tuple[Moment, ...]:
    """At most 64 moments: equally spaced along the pen's way, its beginning and the end of every stroke among them.

    They are 2 pixels apart or more, but for the ends. A drawing of over 33 strokes has no moments at their ends but the
    last, which is the drawing itself.

    Raises:
        ImageError: if it has no strokes, as an uploaded picture has none.
    """
    strokes = strokes_of(drawing)
    if not strokes:
        raise ImageError(say("replay.noStrokes"))
    ends = np.cumsum([way_of(stroke) for stroke in strokes])
    inner, whole = ends[:-1], float(ends[-1])
    if len(inner) > MOST_ENDS:
        inner = inner[:0]
    steps = max(1, min(MOST - 1 - len(inner), int(whole // LEAST)))
    ways = np.union1d(whole * np.arange(steps) / steps, inner)
    return (*(Moment(way, cut(drawing, way)) for way in ways.tolist()), Moment(whole, drawing))


def images(of: tuple[Moment, ...], size: int, digits: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """What a network sees of each moment.

    Args:
        of: moments of a drawing.
        size: side S of the network's images in pixels.
        digits: how many may lie over each other in one.

    Returns:
        float32 [M, S, S] in 0..1, and bool [M]: where nothing can be made out yet, False, and the image is 0.

    Raises:
        ImageError: if nothing can be made out in the last one.
    """
    seen, made_out = np.zeros((len(of), size, size), np.float32), np.ones(len(of), bool)
    for index, moment in enumerate(of):
        try:
            seen[index] = moment.drawing.image(size, digits)
        except ImageError:
            if index == len(of) - 1:
                raise
            made_out[index] = False
    return seen, made_out


def _beginning(stroke: Stroke, way: float) -> Stroke:
    """A stroke as far as the pen had drawn it after ``way`` pixels."""
    along = _along(stroke.points)
    passed = int(np.searchsorted(along, GRID * way, side="right"))
    if passed == len(along):
        return stroke
    start, end = stroke.points[passed - 1 : passed + 1].astype(np.float64)
    share = (GRID * way - along[passed - 1]) / (along[passed] - along[passed - 1])
    tip = np.rint(start + share * (end - start)).astype(np.int16)
    points = stroke.points[:passed]
    if (tip != points[-1]).any():
        points = np.vstack([points, tip])
    return Stroke(points, stroke.width)


def _along(points: np.ndarray) -> np.ndarray:
    """[N] how far along a stroke each of its points lies, in half pixels."""
    return np.concatenate([[0], np.hypot(*np.diff(points.astype(np.float64), axis=0).T).cumsum()])
