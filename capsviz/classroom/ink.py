"""A drawing as a picture without pixels: the path of an SVG of ``PAD`` by ``PAD``."""

from capsviz.inputs.drawings import GRID, Drawing


def svg_path(drawing: Drawing) -> str:
    """All strokes as one path, for a round pen; "" of a blank pad."""
    return "".join(_way(stroke.points.tolist()) for stroke in drawing.strokes)


def pen_of(drawing: Drawing) -> float:
    """Width of the pen in pixels of the pad: a phone has one for all strokes; 0 without any."""
    return drawing.strokes[0].width / GRID if drawing.strokes else 0.0


def _way(points: list[list[int]]) -> str:
    """One stroke: its first point, and lines to the next ones; a dot is a line to itself."""
    places = [f"{x / GRID:g} {y / GRID:g}" for x, y in points]
    return f"M{places[0]}L{' '.join(places[1:] or places)}"
