"""How the error of a network that names two grows with how much the two hide of each other."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from capsviz.figures.charts import BLUE, GREY, ORANGE, figure_of, hover
from capsviz.texts import say
from capsviz.texts.numbers import grouped

if TYPE_CHECKING:
    import plotly.graph_objects as go


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


def overlap_figure(curves: Sequence[Curve]) -> "go.Figure":
    """Share of pairs that are not read as their two classes, over how much the two hide of each other; 95% intervals."""
    import plotly.graph_objects as go

    traces = []
    for curve in curves:
        colour, dash = (BLUE, ORANGE, GREY)[curve.network % 3], ("solid", "dash", "dot")[curve.pairs % 3]
        rates = [100 * row["error_rate"] for row in curve.bins]
        traces.append(
            go.Scatter(
                x=[50 * (row["low"] + row["high"]) for row in curve.bins],
                y=rates,
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [
                        100 * row["interval"][1] - rate for row, rate in zip(curve.bins, rates, strict=True)
                    ],
                    "arrayminus": [
                        rate - 100 * row["interval"][0] for row, rate in zip(curve.bins, rates, strict=True)
                    ],
                },
                mode="lines+markers",
                name=curve.name,
                line={"color": colour, "dash": dash},
                customdata=[grouped(row["pairs"]) for row in curve.bins],
                hovertemplate=hover(
                    "chart.overlap.hover", overlap="%{x:.0f}", rate="%{y:.1f}", pairs="%{customdata}"
                ),
            )
        )
    figure = figure_of(traces, say("chart.overlap.x"), say("chart.overlap.y"))
    figure.update_xaxes(range=[0, 100])
    figure.update_yaxes(rangemode="tozero")
    return figure
