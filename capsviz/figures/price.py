"""What routing costs by one size of its layer, measured beside the arithmetic; the paper's layer is marked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capsviz.figures.charts import BLUE, GREY, ORANGE, figure_of, hover
from capsviz.measures.price import PAPER, Cost
from capsviz.texts import say
from capsviz.texts.numbers import short

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT = 360
POWERS, STEPS, MANY = range(-5, 6), (1, 2, 5), 300  # of ticks on a logarithmic axis; the span that has fewer
LINEAR = frozenset({"iterations"})  # 1 to 10; all else is doubled and doubled


def price_figure(axis: str, costs: Sequence[Cost], what: str) -> "go.Figure":
    """Time or memory of layers that differ in one size.

    Args:
        axis: that size, of ``measures.price.AXES``.
        costs: from the least size on; the paper's is among them.
        what: "time", in milliseconds, or "memory", in megabytes of 10**6 bytes.
    """
    import plotly.graph_objects as go

    x = [getattr(cost.sizes, axis) for cost in costs]
    measured = [measured_of(cost, what) for cost in costs]
    paper = x.index(getattr(PAPER, axis))
    unit = {"x": "%{x:,}", "y": "%{y:,.2f}"}
    traces = [
        go.Scatter(
            x=x,
            y=expected(costs, paper, what),
            mode="lines",
            name=say(f"chart.price.{what}Expected"),
            line={"color": GREY, "dash": "dash"},
            hovertemplate=hover(f"chart.price.{what}Hover", **unit),
        ),
        go.Scatter(
            x=x,
            y=measured,
            error_y=_spread(costs, measured) if what == "time" else None,
            meta=say("chart.price.spread") if what == "time" else None,
            mode="lines+markers",
            name=say(f"chart.price.{what}Measured"),
            line={"color": BLUE},
            hovertemplate=hover(f"chart.price.{what}Hover", **unit),
        ),
        go.Scatter(
            x=[x[paper]],
            y=[measured[paper]],
            mode="markers",
            name=say("chart.price.paper"),
            marker={"color": ORANGE, "size": 15, "symbol": "circle-open", "line": {"width": 3}},
            hoverinfo="skip",
        ),
    ]
    linear = axis in LINEAR
    titles = [say(f"chart.price.{name}") for name in (axis, what)]
    if not linear:
        titles = [say("chart.price.logarithmic", title=title) for title in titles]
    figure = figure_of(traces, titles[0], titles[1].replace(" (", "<br>("))  # higher than the chart else
    figure.update_layout(height=HEIGHT)
    figure.update_xaxes(tickvals=x, ticktext=[f"{size}" for size in x])
    if linear:
        return figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(type="log")
    values = [*measured, *expected(costs, paper, what)]
    ticks = [step * 10.0**power for power in POWERS for step in STEPS]
    if max(values) / min(values) > MANY:  # one for each power of ten is enough
        ticks = [10.0**power for power in POWERS]
    return figure.update_yaxes(type="log", tickvals=ticks, ticktext=[short(tick) for tick in ticks])


def _spread(costs: Sequence[Cost], measured: Sequence[float]) -> dict[str, Any]:
    """Bars of times, in milliseconds, from the 10th to the 90th percentile of the passes."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [1000 * cost.high - at for cost, at in zip(costs, measured, strict=True)],
        "arrayminus": [at - 1000 * cost.low for cost, at in zip(costs, measured, strict=True)],
    }


def measured_of(cost: Cost, what: str) -> float:
    """Milliseconds or megabytes that were measured."""
    return 1000 * cost.seconds if what == "time" else cost.made / 1e6


def expected(costs: Sequence[Cost], paper: int, what: str) -> list[float]:
    """What arithmetic says: memory by its formula, and time by multiply-adds, each as long as in the paper's layer.

    Args:
        costs: of layers.
        paper: place of the paper's among them.
        what: as of ``price_figure``.
    """
    if what == "memory":
        return [cost.sizes.bytes / 1e6 for cost in costs]
    one = costs[paper]
    return [1000 * one.seconds * cost.sizes.multiply_adds / one.sizes.multiply_adds for cost in costs]
