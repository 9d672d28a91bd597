"""The first layer of a network, with its maps of the drawing, and how large each layer is, on one slide."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from capsviz.figures.slides.base import AGAINST, FOR, MARGIN, RIGHT, SMALL, TEXT, Slide
from capsviz.figures.theme import ink, signed
from capsviz.models.kernels import FirstLayer
from capsviz.texts import say
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import RoutingTrace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP, HIGH, GAP = 176, 500, 60  # of the pictures
SIZES, ROW, NAMES, BAR = 800, 44, 480, 400  # where the bars begin, a row's height, widths of names and bars
LEAST = 1e-9  # of a scale


def inside_slide(
    trace: RoutingTrace | PlainTrace,
    first: FirstLayer,
    rows: Sequence[Mapping[str, Any]],
    *,
    dark: bool = False,
    origin: str = "",
) -> "Figure":
    """The drawing, all kernels and maps, each with colours of its own, and parameters and memory of each layer.

    Args:
        trace: of the drawing.
        first: the network's first layer.
        rows: of ``figures.inside.layer_rows``.
    """
    slide = Slide(say("inside.question"), dark, origin)
    own = say("inside.ownScale")
    kernels, maps = sheet(first.kernels), sheet(trace.features)
    pictures = [
        (ink(trace.image), say("draw.compared.seen")),
        (kernels, say("inside.kernelsSay", scale=own)),
        (maps, say("inside.mapsSay", scale=own)),
    ]
    x = float(MARGIN)
    for pixels, words in pictures:
        width = (RIGHT - MARGIN - 2 * GAP) / len(pictures)
        side = min(HIGH, width)
        height = side * pixels.shape[0] / pixels.shape[1]
        slide.picture(pixels, x, TOP, side, height)
        slide.text(x, TOP + height + 12, words, SMALL, soft=True, width=width, lines=2)
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


def sheet(pictures: np.ndarray) -> np.ndarray:
    """Pictures [F, h, w] in rows, each with full colour at its largest amount, a black pixel between them; uint8 [H, W, 3]."""
    count, height, width = pictures.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    whole = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), np.uint8)
    for index, values in enumerate(pictures):
        y, x = index // columns * (height + 1), index % columns * (width + 1)
        whole[y : y + height, x : x + width] = signed(values, max(float(np.abs(values).max()), LEAST))
    return whole
