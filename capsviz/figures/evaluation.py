"""What was measured of a network, as figures: see ``capsviz.evaluate`` for the numbers."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from capsviz.card import percent
from capsviz.figures.theme import AGAINST_COLOUR, FOR_COLOUR

if TYPE_CHECKING:
    import plotly.graph_objects as go

TEXT = {"size": 15}  # said of each part: a theme's template would make them smaller
BLUE, ORANGE = (f"rgb{colour}" for colour in (AGAINST_COLOUR, FOR_COLOUR))
GREY = "#8a8f98"
LINE = 34  # characters of an axis's title that a phone has room for


def _figure(traces: Sequence[Any], x: str, y: str) -> "go.Figure":
    import plotly.graph_objects as go  # half a second that only these figures should cost

    figure = go.Figure(list(traces))
    figure.update_layout(
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": TEXT},
        margin={"l": 70, "r": 20, "t": 40, "b": 60},
        height=420,
        dragmode=False,  # a finger that begins on a chart scrolls the page
    )
    title = "<br>".join(textwrap.wrap(x, LINE))
    figure.update_xaxes(title={"text": title, "font": TEXT}, tickfont=TEXT, automargin=True)
    figure.update_yaxes(title={"text": y, "font": TEXT}, tickfont=TEXT)
    return figure


def confusion_figure(counts: Sequence[Sequence[int]]) -> "go.Figure":
    """Which digit was read as which.

    Args:
        counts: [10][10], a row for each true digit, a column for each answer. What was read correctly is left
            without colour: beside thousands, no mistake would show.
    """
    import plotly.graph_objects as go

    wrong = [[None if i == j else count for j, count in enumerate(row)] for i, row in enumerate(counts)]
    trace = go.Heatmap(
        z=wrong,
        colorscale=[[0, "rgba(138,143,152,0.1)"], [1, f"rgba{(*FOR_COLOUR, 0.6)}"]],
        zmin=0,
        zmax=max(1, *(count or 0 for row in wrong for count in row)),  # without a mistake, no colour
        showscale=False,
        xgap=1,
        ygap=1,
        hovertemplate="%{y} read as %{x}: %{z}<extra></extra>",
    )
    figure = _figure([trace], "read as", "digit")
    figure.update_xaxes(range=[-0.5, 9.5])
    figure.update_yaxes(range=[9.5, -0.5], scaleanchor="x")
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(dtick=1, constrain="domain", showgrid=False, zeroline=False)
    # A heatmap's own text has a colour that not every theme's cells let through. Four figures without a comma are as
    # wide as a cell has room for in half of a small screen's page, or on a phone.
    written = [
        {"x": j, "y": i, "text": str(count), "showarrow": False, "font": TEXT}
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        if count
    ]
    return figure.update_layout(height=480, margin={"t": 10, "l": 42, "r": 4}, annotations=written)


def calibration_figure(calibration: Mapping[str, Any]) -> "go.Figure":
    """Share of right answers over the length of the longest capsule, with 95% intervals; large points are many images.

    Args:
        calibration: "bins" with "length", "accuracy" and "interval" (0..1) and "images", and "ece".
    """
    import plotly.graph_objects as go

    rows = calibration["bins"]
    points = _rates(
        rows,
        "length",
        "accuracy",
        "length %{x:.2f}: %{y:.1f}% right of %{customdata:,}",
        [r["images"] for r in rows],
    )
    most = max([row["images"] for row in rows], default=1)
    # No line between them: it would join a thousand images to a single one.
    points.update(mode="markers", name=f"measured (mean distance {calibration['ece']:.3f})")
    points.update(marker={"size": [8 + 22 * (row["images"] / most) ** 0.5 for row in rows], "color": BLUE})
    points.update(cliponaxis=False)  # the largest points lie at the very top
    ideal = go.Scatter(
        x=[0, 1],
        y=[0, 100],
        mode="lines",
        name="if a length were a probability",
        line={"color": GREY, "dash": "dot"},
        hoverinfo="skip",
    )
    figure = _figure([ideal, points], "length of the longest capsule", "right answers, %")
    figure.update_xaxes(range=[0, 1.02])
    return figure.update_yaxes(range=[0, 104])


def _rates(
    rows: Sequence[Mapping[str, Any]], x: str, rate: str, hover: str, more: Sequence[Any] | None = None
) -> "go.Scatter":
    """A line of per cents with 95% error bars; rows hold ``x``, ``rate`` and "interval" (0..1), ``more`` is to hover."""
    import plotly.graph_objects as go

    y = [100 * row[rate] for row in rows]
    error_bars = {
        "type": "data",
        "symmetric": False,
        "array": [100 * row["interval"][1] - at for row, at in zip(rows, y, strict=True)],
        "arrayminus": [at - 100 * row["interval"][0] for row, at in zip(rows, y, strict=True)],
    }
    return go.Scatter(
        x=[row[x] for row in rows],
        y=y,
        mode="lines+markers",
        line={"color": BLUE},
        error_y=error_bars,
        customdata=more,
        hovertemplate=f"{hover}<extra></extra>",
    )


def curve_figure(kind: str, curve: Mapping[str, Any]) -> "go.Figure":
    """Error over the amount of one change, with 95% intervals.

    Args:
        kind: what was done to the digits, such as "rotated".
        curve: its "unit" and "points" with "amount", "error_rate" and "interval" (0..1).
    """
    trace = _rates(curve["points"], "amount", "error_rate", "%{x:g}: %{y:.2f}% wrong")
    figure = _figure([trace], f"{kind}, {curve['unit']}", "error, %")
    return figure.update_yaxes(rangemode="tozero")


def drawings_figure(drawings: Mapping[str, Any]) -> "go.Figure":
    """Share of drawings read correctly for each width of the pen, with 95% intervals.

    Args:
        drawings: "widths" with "width" in pixels, "rate" and "interval" (0..1).
    """
    trace = _rates(drawings["widths"], "width", "rate", "%{x} pixels: %{y:.2f}% correct")
    return _figure([trace], "width of the pen, pixels of 280", "read correctly, %")


def unsure_figure(unsure: Mapping[str, Any]) -> "go.Figure":
    """Shares of digits and of other drawings whose longest capsule is shorter than a length.

    Args:
        unsure: "threshold", and "below" with "length", "digits" and "others" (0..1).
    """
    import plotly.graph_objects as go

    below = unsure["below"]
    traces = [
        go.Scatter(
            x=below["length"],
            y=[100 * share for share in below[key]],
            mode="lines",
            name=name,
            line={"color": colour},
            hovertemplate="%{y:.1f}% below %{x:.2f}<extra></extra>",
        )
        for key, name, colour in (("digits", "digits", BLUE), ("others", "no digits", ORANGE))
    ]
    limit = go.Scatter(
        x=[unsure["threshold"]] * 2,
        y=[0, 100],
        mode="lines",
        name=f"unsure below {unsure['threshold']:.2f}",
        line={"color": GREY, "dash": "dot"},
        hoverinfo="skip",
    )
    return _figure([*traces, limit], "length of the longest capsule", "shorter than that, %")


class Measurement(NamedTuple):
    """What a figure shows: in a word, and in a sentence made of the evaluation's numbers."""

    title: str
    says: Callable[[Mapping[str, Any]], str]


def _says_confusion(result: Mapping[str, Any]) -> str:
    return (
        f"Which of MNIST’s {result['images']:,} test digits were read as which: {result['wrong']} wrong, "
        f"{percent(result['error_rate'], result['interval'])}. {COLOURED}"
    )


def _says_drawn_confusion(result: Mapping[str, Any]) -> str:
    drawn = result["drawings"]
    return (
        f"Which of people’s {drawn['drawings']:,} drawings were read as which, each counted once for each of "
        f"{len(drawn['widths'])} pens. {COLOURED}"
    )


def _says_drawings(result: Mapping[str, Any]) -> str:
    drawn = result["drawings"]
    who = f" by {drawn['writers']} people" if drawn["writers"] else ""
    return (
        f"{drawn['drawings']:,} drawings{who}, at random sizes and places, with pens of {len(drawn['widths'])} "
        f"widths. All: {percent(drawn['rate'], drawn['interval'])}. Bars are 95% intervals."
    )


def _says_unsure(result: Mapping[str, Any]) -> str:
    doubt = result["unsure"]
    digits, others = doubt["digits"], doubt["others"]
    drawn = f", {result['drawings']['unsure']:.1%} of people’s drawings" if "drawings" in result else ""
    return (
        f"An answer is called unsure where the longest capsule is below {doubt['threshold']:.2f}: "
        f"{digits['below']:.1%} of {digits['images']:,} test digits are{drawn}, and {others['below']:.1%} of "
        f"{others['images']:,} letters, symbols, scribbles and other drawings of no digit."
    )


def _says_calibration(result: Mapping[str, Any]) -> str:
    found = result["calibration"]
    return (
        "The paper means a length as the probability that the digit is there. Measured: how often the longest "
        "capsule is right, by its length; large points are many digits, bars 95% intervals. Training stops pushing "
        f"at 0.9, so sure answers are about that long: {found['length']:.3f} on average, with "
        f"{found['accuracy']:.2%} right."
    )


def _says_curve(kind: str, how: str) -> Callable[[Mapping[str, Any]], str]:
    def says(result: Mapping[str, Any]) -> str:
        count = result["curves"][kind]["points"][0]["images"]
        return f"{count:,} test digits {how}. Bars are 95% intervals."

    return says


COLOURED = "Colour shows mistakes only; what was read correctly stands on the diagonal."

# By the names that ``evaluation_figures`` gives; in the order of what people ask first.
EVALUATION = {
    "confusion": Measurement("MNIST", _says_confusion),
    "drawings-confusion": Measurement("Drawings", _says_drawn_confusion),
    "drawings": Measurement("Pen width", _says_drawings),
    "unsure": Measurement("Unsure", _says_unsure),
    "calibration": Measurement("Calibration", _says_calibration),
    "rotated": Measurement("Turned", _says_curve("rotated", "turned to the left (above 0) or right")),
    "shifted": Measurement("Moved", _says_curve("shifted", "moved in any direction, out of the middle")),
    "scaled": Measurement("Scaled", _says_curve("scaled", "made smaller and larger")),
    "noised": Measurement(
        "Noise",
        _says_curve("noised", "with normal noise added to every pixel, then cut off at black and white"),
    ),
}


def evaluation_figures(result: Mapping[str, Any]) -> dict[str, "go.Figure"]:
    """All figures of a result of ``capsviz.evaluate.evaluate``, by name."""
    figures = {
        "confusion": confusion_figure(result["confusion"]),
        "calibration": calibration_figure(result["calibration"]),
        "unsure": unsure_figure(result["unsure"]),
        **{kind: curve_figure(kind, curve) for kind, curve in result["curves"].items()},
    }
    if "drawings" in result:
        figures["drawings"] = drawings_figure(result["drawings"])
        figures["drawings-confusion"] = confusion_figure(result["drawings"]["confusion"])
    return figures


def write_figures(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write each figure as an HTML file that needs no network; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, figure in evaluation_figures(result).items():
        paths.append(folder / f"{name}.html")
        figure.write_html(paths[-1], include_plotlyjs=True)
    return paths
