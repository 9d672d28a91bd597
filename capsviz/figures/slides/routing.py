"""Dynamic routing as a slide: where the votes for one class come from, its c by place, lengths, iteration by iteration."""

from typing import TYPE_CHECKING

import numpy as np

from capsviz.figures.routing import scale_limits, scale_values
from capsviz.figures.slides.base import AGAINST, FOR, MARGIN, RIGHT, SMALL, TEXT, Slide, spread
from capsviz.figures.theme import class_colours, ink, signed
from capsviz.texts import say
from capsviz.texts.numbers import number
from capsviz.traces.routing import RoutingTrace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP, SIDE = 232, 588
LEFT = MARGIN + SIDE + 84  # of what stands beside the drawing
NAMED = 4  # curves with a name and a colour; the others are grey where there are more than ten


def routing_slide(
    trace: RoutingTrace,
    digit: int | None = None,
    iteration: int | None = None,
    *,
    dark: bool = False,
    origin: str = "",
) -> "Figure":
    """The state after one iteration, with those before it.

    Args:
        trace: of dynamic routing.
        digit: the class that is looked at; the answer if not given.
        iteration: 1 to R; the last if not given.
        dark: whether it is light on dark.
        origin: a line for the bottom.
    """
    place = trace.prediction if digit is None else digit
    now = trace.iterations if iteration is None else iteration
    name = trace.classes[place]
    slide = Slide(say("routing.question"), dark, origin)
    longest = int(trace.scores[now - 1].argmax())
    length = number(float(trace.scores[now - 1, longest]))
    said = say("export.routing.now", iteration=now, iterations=trace.iterations, length=length)
    slide.answer(trace.classes[longest], said)
    _marks(slide, trace, place, now)
    _maps(slide, trace, place, now, name)
    lengths_chart(slide, trace.scores, trace.classes, now, (LEFT, 640, RIGHT - LEFT, 300))
    return slide.figure


def _marks(slide: Slide, trace: RoutingTrace, place: int, now: int) -> None:
    """The drawing, and over it a disc for each place of the grid: its share in the length of s."""
    grid, size = trace.grid, trace.shape.size
    side = size * max(1, SIDE // size)
    slide.picture(np.rint(0.6 * ink(trace.image)).astype(np.uint8), MARGIN, TOP, side, side)
    shares = trace.share[:, :, place].reshape(-1, grid.types, grid.places).sum(axis=1)  # [R, places]
    rows, columns = np.divmod(np.arange(grid.places), grid.columns)
    scale = side / size
    x = MARGIN + scale * (columns * grid.stride + grid.field / 2)
    y = TOP + scale * (rows * grid.stride + grid.field / 2)
    most = np.pi * (0.55 * scale * grid.stride if grid.places > 1 else 40) ** 2  # of the strongest disc
    shown = shares[now - 1]
    areas = most * np.abs(shown) / max(float(np.abs(shares).max()), 1e-9)
    slide.dots(x, y, areas, [FOR if share >= 0 else AGAINST for share in shown.tolist()])
    said = say("export.routing.marks", types=grid.types, name=trace.classes[place])
    slide.text(MARGIN, TOP + side + 18, said, soft=True, width=SIDE, lines=4)


def _maps(slide: Slide, trace: RoutingTrace, place: int, now: int, name: str) -> None:
    """c to the class by place, a map for each iteration."""
    grid, count = trace.grid, trace.iterations
    slide.text(LEFT, TOP - 20, say("export.routing.maps", name=name), TEXT, bold=True, width=RIGHT - LEFT)
    limit = scale_limits(trace)["c"]["place"]
    values = scale_values(trace, "c", "place")[:, :, place].reshape(count, grid.rows, grid.columns)
    gap, long = 20, max(grid.rows, grid.columns)
    cell = max(2, int(min(216, (RIGHT - LEFT - gap * (count - 1)) / count)) // long)
    wide, high, top = cell * grid.columns, cell * grid.rows, TOP + 34
    for at in range(count):
        x = LEFT + at * (wide + gap)
        if at < now:
            slide.picture(signed(values[at], limit), x, top, wide, high)
        thick, line = (4, slide.look.ink) if at == now - 1 else (2, slide.look.line)
        slide.box(x, top, wide, high, line=line, thick=thick)
        slide.text(x + wide / 2, top + high + 12, str(at + 1), align="center", bold=at == now - 1)
    uniform = 1 / len(trace.classes)
    said = say(
        "export.routing.scale",
        uniform=number(uniform, 3),
        high=number(uniform * 2**limit, 3),
        low=number(uniform * 2**-limit, 3),
    )
    slide.text(LEFT, top + high + 50, said, soft=True, width=RIGHT - LEFT, lines=2)


def lengths_chart(
    slide: Slide,
    scores: np.ndarray,
    classes: tuple[str, ...],
    now: int,
    where: tuple[float, float, float, float],
) -> None:
    """Curves of scores [R, J] over the iterations as far as ``now``, in a rectangle (left, top, width, height)."""
    left, top, width, height = where
    count = len(scores)
    slide.text(left, top - 62, say("export.routing.lengths"), TEXT, bold=True, width=width)
    inner, span = left + 60, width - 60 - 170
    x = inner + span * (np.arange(count) / (count - 1) if count > 1 else np.array([0.5]))
    y = top + height * (1 - scores)
    for tick in (0, 0.5, 1):
        at = top + height * (1 - tick)
        slide.curve((inner - 12, inner + span + 12), (at, at))
        slide.text(inner - 24, at - SMALL / 2, number(tick, 1), align="right", soft=True)
    for at in range(count):
        slide.text(x[at], top + height + 14, str(at + 1), align="center", soft=True)
    slide.text(inner + span + 30, top + height + 14, say("export.routing.axis"), soft=True, width=150)
    colours = class_colours(len(classes))
    order = np.argsort(-scores[now - 1], kind="stable")
    named = order[:NAMED]
    for place in order[::-1]:  # the longest lies on top
        grey = len(classes) > len(set(colours)) and place not in named
        colour = slide.look.line if grey else colours[place]
        slide.curve(x[:now], y[:now, place], colour, 6 if place == order[0] else 3, 12)
    ends = spread([float(y[now - 1, place]) for place in named], SMALL * 1.25, top, top + height)
    for place, at in zip(named, ends, strict=True):
        text = f"{classes[place]}  {number(float(scores[now - 1, place]))}"
        left = float(x[now - 1]) + 22
        slide.text(left, at - SMALL / 2, text, bold=bool(place == order[0]), width=RIGHT - left)
