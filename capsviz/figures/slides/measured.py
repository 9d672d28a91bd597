"""What the Lab measured, as slides: verdicts on claims, charts as on the page, and tables."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from capsviz.figures.comparison import Cell
from capsviz.figures.generalisation import Table
from capsviz.figures.slides.base import (
    HEAD,
    LEADING,
    MARGIN,
    RIGHT,
    SMALL,
    TEXT,
    Slide,
    fitting,
    plain,
    width_of,
    wrapped,
)
from capsviz.texts.numbers import short

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

TOP, BOTTOM, GAP = 160, 1000, 56  # of what is shown, and from one chart to the next
NAMES, LABELS = 40, 96  # pixels that a line of the legend takes, and the numbers left of a chart
TICKS = 6  # at most, where a chart does not say which
LARGE = 12  # size of a marker on the page, from which its points are large
EDGE = 0.04  # of a range of values, at each of its ends


class Line(NamedTuple):
    """A claim, what came of it, and where it was published."""

    title: str
    outcome: str
    number: str
    source: str


def claims_slide(title: str, lines: Sequence[Line], *, dark: bool = False, origin: str = "") -> "Figure":
    """A row for each claim: what it says and who said so; the verdict, and the number that decides, with its rule."""
    slide = _titled(title, dark, origin)
    step = (BOTTOM - TOP) / max(len(lines), 1)
    for at, line in enumerate(lines):
        y = TOP + at * step
        slide.curve((MARGIN, RIGHT), (y, y))
        below = slide.text(MARGIN, y + 10, line.title, TEXT, bold=True, width=760, lines=2)
        slide.text(MARGIN, below + 2, line.source, SMALL, soft=True, width=760)
        below = slide.text(880, y + 10, line.outcome, SMALL, bold=True, width=RIGHT - 880)
        slide.text(880, below, line.number, SMALL, soft=True, width=RIGHT - 880, lines=3)
    return slide.figure


def charts_slide(
    title: str,
    charts: "Sequence[go.Figure]",
    says: Sequence[str] = (),
    table: Table | None = None,
    *,
    dark: bool = False,
    origin: str = "",
) -> "Figure":
    """Up to four charts.

    Args:
        title: of the slide.
        charts: curves or points, as the page has them.
        says: lines below them.
        table: left of them, if there is one.
        dark: whether it is light on dark.
        origin: a line for the bottom.
    """
    slide = _titled(title, dark, origin)
    bottom = _say(slide, says)
    left = float(MARGIN)
    if table:
        _table(slide, table, left, TOP, 0.47 * (RIGHT - MARGIN))
        left += 0.5 * (RIGHT - MARGIN)
    columns, top = min(2, len(charts)), TOP
    rows = -(-len(charts) // columns)
    if len(charts) > 1:  # which say the same of their lines
        x = left
        for curve in charts[0].data:
            _key(slide, curve, x, top, RIGHT - x)
            x += 48 + width_of(plain(curve.name), SMALL) + GAP
        top += NAMES
    wide, high = (RIGHT - left - GAP * (columns - 1)) / columns, (bottom - top - GAP * (rows - 1)) / rows
    for at, chart in enumerate(charts):
        row, column = divmod(at, columns)
        x, y = left + column * (wide + GAP), top + row * (high + GAP)
        _Chart(slide, chart, x, y, wide, high, keys=len(charts) == 1).draw()
    return slide.figure


def table_slide(
    title: str, table: Table, says: Sequence[str] = (), *, dark: bool = False, origin: str = ""
) -> "Figure":
    """A table over the whole width, and lines below it."""
    slide = _titled(title, dark, origin)
    _say(slide, says)
    _table(slide, table, MARGIN, TOP, RIGHT - MARGIN)
    return slide.figure


def _titled(title: str, dark: bool, origin: str) -> Slide:
    """An empty slide whose title has all of its width."""
    slide, width = Slide("", dark, origin), RIGHT - MARGIN
    slide.text(MARGIN, MARGIN, title, fitting(title, HEAD, width, True), bold=True, width=width)
    return slide


def _say(slide: Slide, says: Sequence[str]) -> float:
    """Put sentences at the bottom, each on lines of its own; the y above them."""
    width = RIGHT - MARGIN
    counts = [len(wrapped(plain(sentence), SMALL, width)) for sentence in says]
    y = top = BOTTOM - LEADING * SMALL * sum(counts)
    for sentence, count in zip(says, counts, strict=True):
        y = slide.text(MARGIN, y, sentence, SMALL, soft=True, width=width, lines=count)
    return top - 12


def _table(slide: Slide, table: Table, x: float, y: float, width: float) -> None:
    heads, rows = table
    # A column has room for its head's longest word. One that says more is wider, but not as many times: it has several lines.
    said = [[head, *(text for row in rows for text in row[at][:2])] for at, head in enumerate(heads)]
    wants = [math.sqrt(max(width_of(plain(text, True), SMALL, True) for text in some)) for some in said]
    least = [max(width_of(word, SMALL, False) for word in head.split()) for head in heads]
    rooms = [width * want / sum(wants) - 20 for want in wants]
    lacks = sum(max(0, word - room) for word, room in zip(least, rooms, strict=True))
    spare = sum(max(0, room - word) for word, room in zip(least, rooms, strict=True))
    rooms = [
        max(word, room - max(0, room - word) * lacks / spare) for word, room in zip(least, rooms, strict=True)
    ]
    places = [x + sum(rooms[:at]) + 20 * at for at in range(len(rooms))]
    for place, room, head in zip(places, rooms, heads, strict=True):
        slide.text(place, y, head, SMALL, soft=True, width=room, lines=2)
    y += 2 * LEADING * SMALL + 8
    for row in rows:
        slide.curve((x, x + width), (y, y))
        cells = zip(row, places, rooms, strict=True)
        y = max(_cell(slide, cell, place, y + 10, room) for cell, place, room in cells) + 8


def _cell(slide: Slide, cell: Cell, x: float, y: float, room: float) -> float:
    below = slide.text(x, y, cell.figure, SMALL, bold=True, width=room, lines=3)
    return slide.text(x, below, cell.below, SMALL, soft=True, width=room, lines=3) if cell.below else below


def _key(slide: Slide, curve: Any, x: float, y: float, width: float) -> None:
    """One line of a legend."""
    if _large(curve):
        _discs(slide, curve, [x + 18], [y + 11])
    else:
        slide.box(x, y + 6, 36, 10, _colour(curve))
    slide.text(x + 48, y, curve.name, SMALL, width=width - 60)


def _large(curve: Any) -> bool:
    return curve.mode == "markers" and bool(curve.marker.size) and curve.marker.size > LARGE


def _discs(slide: Slide, curve: Any, x: Sequence[float], y: Sequence[float]) -> None:
    """Large points, which have a rim."""
    areas, colours = np.full(len(x), math.pi * 11**2), [_colour(curve)] * len(x)
    slide.dots(np.array(x), np.array(y), areas, colours)


class _Chart:
    """One of Plotly's charts of curves and points, drawn again."""

    def __init__(
        self,
        slide: Slide,
        figure: "go.Figure",
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        keys: bool,
    ) -> None:
        self.slide, self.figure = slide, figure
        keys = keys and figure.layout.showlegend is not False
        self.named = [curve for curve in figure.data if keys and curve.showlegend is not False and curve.name]
        self.left, self.right = x + LABELS, x + width
        self.head = y
        self.top = y + NAMES * (len(self.named) + 1)
        self.bottom = y + height - 2.8 * SMALL
        self.across, self.up = figure.layout.xaxis, figure.layout.yaxis
        xs = [value for curve in figure.data for value in curve.x]
        ys = [end for curve in figure.data for at in range(len(curve.x)) for end in _ends(curve, at)]
        self.x_ends = _reach(self.across, xs)
        self.y_ends = _reach(self.up, ys)

    def draw(self) -> None:
        slide = self.slide
        for row, curve in enumerate(self.named):
            _key(slide, curve, self.left, self.head + row * NAMES, self.right - self.left)
        y = self.head + len(self.named) * NAMES
        slide.text(self.left, y, _plain(self.up), SMALL, soft=True, width=self.right - self.left)
        for value, said in _ticks(self.up, self.y_ends):
            at = self._y(value)
            slide.curve((self.left, self.right), (at, at), thick=1)
            slide.text(self.left - 12, at - SMALL / 2, said, SMALL, soft=True, align="right")
        last = -math.inf
        for value, said in _ticks(self.across, self.x_ends):
            at = self._x(value)
            if at - last < 20 * len(said):
                continue  # no room beside the one before
            slide.text(at, self.bottom + 10, said, SMALL, soft=True, align="center")
            last = at
        middle, width = (self.left + self.right) / 2, self.right - self.left
        below = self.bottom + 10 + LEADING * SMALL
        slide.text(middle, below, _plain(self.across), SMALL, soft=True, align="center", width=width)
        for curve in self.figure.data:
            self._curve(curve)

    def _curve(self, curve: Any) -> None:
        slide, colour = self.slide, _colour(curve)
        own = self.figure.layout[f"xaxis{(curve.xaxis or 'x')[1:]}"]
        # An axis of its own is moved by so much, in its own terms.
        moved = 0.0 if own.range is None else self.across.range[0] - own.range[0]
        x = [self._x(value, moved) for value in curve.x]
        y = [self._y(value) for value in curve.y]
        if "lines" in curve.mode:
            slide.curve(x, y, colour, 4, dashed=curve.line.dash not in (None, "solid"))
        for at, place in enumerate(x):
            low, high = (self._y(end) for end in _ends(curve, at))
            if low != high:
                slide.curve((place, place), (low, high), colour, 3)
                for end in (low, high):
                    slide.curve((place - 8, place + 8), (end, end), colour, 3)
        if "markers" not in curve.mode:
            return
        symbol = curve.marker.symbol or "circle"
        if symbol.startswith("line"):
            for place, height in zip(x, y, strict=True):
                slide.curve((place - 10, place + 10), (height, height), colour, 3)
        elif _large(curve):
            _discs(slide, curve, x, y)
        else:
            for place, height in zip(x, y, strict=True):
                slide.curve((place,), (height,), colour, dot=12)

    def _x(self, value: float, moved: float = 0) -> float:
        low, high = self.x_ends
        return self.left + (self.right - self.left) * (_on(self.across, value) + moved - low) / (high - low)

    def _y(self, value: float) -> float:
        low, high = self.y_ends
        part = (_on(self.up, value) - low) / (high - low)
        return self.bottom - (self.bottom - self.top) * min(max(part, 0), 1)


def _on(axis: Any, value: float) -> float:
    """Where a value lies on an axis, in its terms: logarithms where it is logarithmic."""
    return math.log10(max(value, 1e-12)) if axis.type == "log" else value


def _ends(curve: Any, at: int) -> tuple[float, float]:
    """Of a point's bar, or the point itself twice."""
    bars, y = curve.error_y, curve.y[at]
    return (y, y) if bars.array is None else (y - bars.arrayminus[at], y + bars.array[at])


def _reach(axis: Any, values: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis, in its terms: as it says, or a little beyond all values."""
    if axis.range is not None:
        return float(axis.range[0]), float(axis.range[1])
    if axis.type == "log":
        values = [value for value in values if value > 0]
    placed = [_on(axis, value) for value in values] or [0.0]
    low, high = min(placed), max(placed)
    edge = EDGE * (high - low) or 1.0
    return (0.0 if axis.rangemode == "tozero" and low >= 0 else low - edge), high + edge


def _ticks(axis: Any, ends: tuple[float, float]) -> list[tuple[float, str]]:
    """Values that an axis names, between its ends."""
    from matplotlib.ticker import MaxNLocator

    if axis.tickvals is not None:
        named = list(zip(axis.tickvals, axis.ticktext, strict=True))
    else:
        named = [
            (value, short(float(value)))
            for value in MaxNLocator(TICKS, steps=[1, 2, 5, 10]).tick_values(*ends)
        ]
    return [(value, said) for value, said in named if ends[0] <= _on(axis, value) <= ends[1]]


def _plain(axis: Any) -> str:
    return str(axis.title.text).replace("<br>", " ")


def _colour(curve: Any) -> str:
    """As Matplotlib writes it: Plotly's "rgb(1, 2, 3)" as "#010203"."""
    mark: Mapping[str, Any] = curve.marker if curve.mode == "markers" else curve.line
    colour = str(mark["color"])
    if not colour.startswith("rgb"):
        return colour
    parts = colour[4:-1].split(",")
    return "#{:02x}{:02x}{:02x}".format(*(int(part) for part in parts))
