"""How the error of a network that names two grows with how much the two hide of each other."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from capsviz.figures.charts import BLUE, GREY, ORANGE, figure_of, hover
from capsviz.models.rates import wilson
from capsviz.texts import say
from capsviz.texts.numbers import grouped

if TYPE_CHECKING:
    import plotly.graph_objects as go


LEAST = 20  # pairs of which a share is shown: of fewer an interval would fill the chart, and say nothing


class Curve(NamedTuple):
    """One curve of ``overlap_figure``.

    Attributes:
        name: what it is of.
        bins: of ``measures.pairs.by_overlap``.
        network: number of the network, from 0, which has a colour.
        pairs: number of the kind of pairs, from 0, which has a dash.
    """

    name: str
    bins: Sequence[Mapping[str, Any]]
    network: int = 0
    pairs: int = 0


def gathered(bins: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same bins, those with fewer than ``LEAST`` pairs put together with the next, the last with the one before."""
    groups: list[list[Mapping[str, Any]]] = []
    for row in bins:
        if groups and _pairs(groups[-1]) < LEAST:
            groups[-1].append(row)
        else:
            groups.append([row])
    if len(groups) > 1 and _pairs(groups[-1]) < LEAST:
        last = groups.pop()
        groups[-1] += last
    return [dict(group[0]) if len(group) == 1 else _together(group) for group in groups]


def _pairs(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(int(row["pairs"]) for row in rows)


def _together(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    pairs, wrong = _pairs(rows), round(sum(row["error_rate"] * row["pairs"] for row in rows))
    return {
        "low": rows[0]["low"],
        "high": rows[-1]["high"],
        "pairs": pairs,
        "error_rate": wrong / pairs,
        "interval": wilson(wrong, pairs),
    }


def overlap_figure(curves: Sequence[Curve]) -> "go.Figure":
    """Share of pairs that are not read as their two classes, over how much the two hide of each other; 95% intervals.

    Below each tenth, or what was gathered, stands how many pairs of the first curve it is of.
    """
    import plotly.graph_objects as go

    traces = []
    for curve in curves:
        bins = gathered(curve.bins)
        colour, dash = (BLUE, ORANGE, GREY)[curve.network % 3], ("solid", "dash", "dot")[curve.pairs % 3]
        rates = [100 * row["error_rate"] for row in bins]
        high, low = ([100 * row["interval"][end] for row in bins] for end in (1, 0))
        traces.append(
            go.Scatter(
                x=[_middle(row) for row in bins],
                y=rates,
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [end - rate for end, rate in zip(high, rates, strict=True)],
                    "arrayminus": [rate - end for end, rate in zip(low, rates, strict=True)],
                    "thickness": 1.5,
                    "width": 3,
                },
                mode="lines+markers",
                name=curve.name,
                line={"color": colour, "dash": dash},
                customdata=[row["pairs"] for row in bins],
                hovertemplate=hover(
                    "chart.overlap.hover", overlap="%{x:.0f}", rate="%{y:.1f}", pairs="%{customdata:,}"
                ),
            )
        )
    figure = figure_of(traces, say("chart.overlap.x"), say("chart.overlap.y"))
    figure.update_layout(showlegend=True)  # of one curve too: of which pairs it is
    first = gathered(curves[0].bins) if curves else []
    figure.update_xaxes(
        range=[0, 100],
        tickvals=[_middle(row) for row in first],
        ticktext=[
            f"{100 * row['low']:.0f}–{100 * row['high']:.0f}: {grouped(row['pairs'])}" for row in first
        ],
    )
    figure.update_yaxes(rangemode="tozero")
    return figure


def _middle(row: Mapping[str, Any]) -> float:
    return 50.0 * (row["low"] + row["high"])
