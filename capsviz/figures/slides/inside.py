"""The first layer of a network, with its maps of the drawing, and how large each layer is, on one slide."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from capsviz.figures.inside import SCOPES, limits
from capsviz.figures.slides.base import AGAINST, FOR, MARGIN, RIGHT, SMALL, TEXT, Slide
from capsviz.figures.theme import ink, signed
from capsviz.models.kernels import FirstLayer
from capsviz.texts import say
from capsviz.texts.numbers import number
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import RoutingTrace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP, HIGH, GAP = 176, 500, 60  # of the pictures
SIZES, ROW, NAMES, BAR = 800, 44, 480, 400  # where the bars begin, a row's height, widths of names and bars
LEAST = 1e-9  # of a scale
FRAME = "#ffffff"  # of the map that is looked at


def inside_slide(
    trace: RoutingTrace | PlainTrace,
    first: FirstLayer,
    rows: Sequence[Mapping[str, Any]],
    *,
    scope: str = SCOPES[0],
    map: int | None = None,
    dark: bool = False,
    origin: str = "",
) -> "Figure":
    """The drawing, all kernels and maps, and parameters and memory of each layer.

    Args:
        trace: of the drawing.
        first: the network's first layer.
        rows: of ``figures.inside.layer_rows``.
        scope: of one colour scale, of ``figures.inside.SCOPES``.
        map: the kernel and the map that are framed; None for none.
    """
    slide = Slide(say("inside.question"), dark, origin)
    outputs = np.linalg.norm(trace.u, axis=1) if isinstance(trace, RoutingTrace) else trace.whole
    ends = limits(first.kernels, trace.features, outputs)
    scales = {"kernels": ends["kernels"], "maps": ends["all" if scope == "all" else "maps"]}
    own = scope == SCOPES[0]
    words = {
        name: say("inside.ownScale") if own else say("inside.scale", low=_signed(low), high=_signed(high))
        for name, (low, high) in scales.items()
    }
    kernels = sheet(first.kernels, None if own else scales["kernels"][1])
    maps = sheet(trace.features, None if own else scales["maps"][1])
    pictures = [
        (ink(trace.image), say("draw.compared.seen"), 0),
        (kernels, say("inside.kernelsSay", scale=words["kernels"]), len(first.kernels)),
        (maps, say("inside.mapsSay", scale=words["maps"]), len(first.kernels)),
    ]
    x = float(MARGIN)
    for pixels, says, count in pictures:
        width = (RIGHT - MARGIN - 2 * GAP) / len(pictures)
        side = min(HIGH, width)
        height = side * pixels.shape[0] / pixels.shape[1]
        slide.picture(pixels, x, TOP, side, height)
        if count and map is not None:
            columns = columns_of(count)
            wide, high = side / columns, height / -(-count // columns)
            slide.box(x + map % columns * wide, TOP + map // columns * high, wide, high, line=FRAME, thick=3)
        slide.text(x, TOP + height + 12, says, SMALL, soft=True, width=width, lines=2)
        x += width + GAP
    places = {"weighs": MARGIN + NAMES, "fills": MARGIN + NAMES + (RIGHT - MARGIN - NAMES) / 2}
    for name, said in (("weighs", "parameters"), ("fills", "bytes")):
        slide.text(places[name], SIZES - TEXT - 10, say(f"inside.sizes.{said}"), SMALL, bold=True)
    for at, row in enumerate(rows):
        y = SIZES + at * ROW
        slide.text(MARGIN, y, row["name"], SMALL, width=NAMES - 20)
        for name, said, colour in (("weighs", "parameters", FOR), ("fills", "bytes", AGAINST)):
            slide.box(places[name], y, max(2, BAR * row[name]), SMALL, colour)
            slide.text(places[name] + BAR + 16, y, row[said], SMALL)
    return slide.figure


def _signed(value: float) -> str:
    return number(value, 3)


def columns_of(count: int) -> int:
    """In how many columns so many pictures stand."""
    return math.ceil(math.sqrt(count))


def sheet(pictures: np.ndarray, limit: float | None = None) -> np.ndarray:
    """Pictures [F, h, w] in rows, a black pixel between them; uint8 [H, W, 3].

    Args:
        pictures: whose values 0 is black.
        limit: the amount that has full colour; None for the largest of each.
    """
    count, height, width = pictures.shape
    columns = columns_of(count)
    rows = math.ceil(count / columns)
    whole = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), np.uint8)
    for index, values in enumerate(pictures):
        y, x = index // columns * (height + 1), index % columns * (width + 1)
        whole[y : y + height, x : x + width] = signed(
            values, max(float(np.abs(values).max()) if limit is None else limit, LEAST)
        )
    return whole
