"""A chart in words and numbers, for who cannot see it or wants to copy it."""

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from capsviz.texts import localised, say
from capsviz.texts.numbers import grouped

if TYPE_CHECKING:
    import plotly.graph_objects as go


def chart_words(figure: "go.Figure", title: str) -> str:
    """One line that names a chart: its title, what it shows, and over what."""
    x, y = _axes(figure)
    if figure.data and figure.data[0].type == "heatmap":
        return say("chart.words.heatmap", title=title, x=x, y=y)
    return say("chart.words.curve", title=title, x=x, y=y)


def chart_table(figure: "go.Figure", title: str) -> str:
    """HTML of a table with every number of a chart, to be opened below it.

    Args:
        figure: curves or points over one x axis, each with a column of its own, and one for each curve's interval,
            which the curve's ``meta`` names if it is not of 95%;
            or one heatmap with its counts as annotations, whose rows and columns the table has.
        title: what the chart is called on its page.
    """
    x, y = _axes(figure)
    if figure.data and figure.data[0].type == "heatmap":
        head, rows = _counts(figure, x, y)
    else:
        head, rows = _curves(figure, x, y)
    columns = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{value}</td>" for value in rest)}</tr>'
        for first, *rest in rows
    )
    summary, name = (html.escape(say(f"chart.words.{part}", title=title)) for part in ("numbers", "table"))
    return (
        f'<details class="cv-numbers"><summary>{summary}</summary>'
        f'<div tabindex="0" role="region" aria-label="{name}"><table><thead><tr>{columns}</tr>'
        f"</thead><tbody>{body}</tbody></table></div></details>"
    )


def _axes(figure: "go.Figure") -> tuple[str, str]:
    """What stands along x and along y, each on one line."""
    x, y = (axis.title.text.replace("<br>", " ") for axis in (figure.layout.xaxis, figure.layout.yaxis))
    return x, y


def _counts(figure: "go.Figure", x: str, y: str) -> tuple[list[str], list[list[str]]]:
    written = {(note.y, note.x): grouped(int(note.text)) for note in figure.layout.annotations}
    places = range(len(figure.data[0].z))
    names = figure.layout.xaxis.ticktext
    return (
        [f"{y} ↓, {x} →", *names],
        [[names[row], *(written.get((row, column), "0") for column in places)] for row in places],
    )


def _curves(figure: "go.Figure", x: str, y: str) -> tuple[list[str], list[list[str]]]:
    curves = [
        curve for curve in figure.data if curve.hoverinfo != "skip"
    ]  # the others are lines to compare with
    head, cells = [x], [sorted({at for curve in curves for at in curve.x})]
    for curve in curves:
        head.append(curve.name or y)
        cells.append(_column(cells[0], curve.x, map(_number, curve.y)))
        bars = curve.error_y
        if bars.array is not None:
            ends = zip(curve.y, bars.arrayminus, bars.array, strict=True)
            head.append(curve.meta or say("chart.words.interval"))
            cells.append(
                _column(
                    cells[0],
                    curve.x,
                    (
                        say("chart.words.range", low=_number(at - low), high=_number(at + high))
                        for at, low, high in ends
                    ),
                )
            )
        if curve.customdata is not None:
            head.append(say("chart.words.images"))
            cells.append(_column(cells[0], curve.x, (grouped(count) for count in curve.customdata)))
    cells[0] = [_number(at) for at in cells[0]]
    return head, [list(row) for row in zip(*cells, strict=True)]


def _column(places: Sequence[float], x: Sequence[float], values: Iterable[str]) -> list[str]:
    """``values``, which stand at ``x``, one for each of ``places``; empty where there is none."""
    found = dict(zip(x, values, strict=True))
    return [found.get(at, "") for at in places]


def _number(value: float) -> str:
    """A number by at most four digits that count, without an exponent, as the language writes it."""
    short = np.format_float_positional(round(value, 6) + 0.0, 4, fractional=False, trim="-")
    return localised(short)
