"""What was measured of a network, as figures: see ``capsviz.measures.evaluate`` for the numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from capsviz.figures.charts import BLUE, GREY, ORANGE, TEXT, figure_of, hover
from capsviz.figures.growth import LEAST, Curve, overlap_figure
from capsviz.figures.theme import FOR_COLOUR
from capsviz.inputs.data import MNIST
from capsviz.inputs.strokes import CANVAS
from capsviz.models.card import by_score
from capsviz.texts import noun, say
from capsviz.texts.numbers import grouped, number, per_cent
from capsviz.traces.base import LENGTH, MARGIN_PRESENT

if TYPE_CHECKING:
    import plotly.graph_objects as go


def confusion_figure(
    counts: Sequence[Sequence[int]], classes: Sequence[str] | None = None, kind: str = "digit"
) -> "go.Figure":
    """Which class was read as which.

    Args:
        counts: [J][J], a row for each true class, a column for each answer. What was read correctly is left
            without colour: beside thousands, no mistake would show.
        classes: names of the J classes; if not given they are counted from 0.
        kind: what a class is, as ``Shape.kind``.
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
        hovertemplate=hover("chart.confusion.hover", answer="%{x}", true="%{y}", times="%{z}"),
    )
    names, last = classes or [str(place) for place in range(len(counts))], len(counts) - 0.5
    figure = figure_of([trace], say("chart.confusion.x"), say("chart.confusion.y", kind=noun(kind)))
    figure.update_xaxes(range=[-0.5, last])
    figure.update_yaxes(range=[last, -0.5], scaleanchor="x")
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(constrain="domain", showgrid=False, zeroline=False)
        update(tickmode="array", tickvals=list(range(len(names))), ticktext=list(names))
    # A heatmap's own text has a colour that not every theme's cells let through. Four figures without a comma are as
    # wide as a cell has room for in half of a small screen's page, or on a phone.
    written = [
        {"x": j, "y": i, "text": str(count), "showarrow": False, "font": TEXT}
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        if count
    ]
    return figure.update_layout(height=480, margin={"t": 10, "l": 42, "r": 4}, annotations=written)


def calibration_figure(calibration: Mapping[str, Any], score: str = LENGTH) -> "go.Figure":
    """Share of right answers over the highest score, with 95% intervals; large points are many images.

    Args:
        calibration: "bins" with "length", "accuracy" and "interval" (0..1) and "images", and "ece".
        score: what a score is, as ``Shape.score``.
    """
    import plotly.graph_objects as go

    rows = calibration["bins"]
    points = _rates(
        rows,
        "length",
        "accuracy",
        hover(
            by_score("chart.calibration.hover", score),
            length="%{x:.2f}",
            right="%{y:.1f}",
            images="%{customdata:,}",
        ),
        [r["images"] for r in rows],
    )
    most = max([row["images"] for row in rows], default=1)
    # No line between them: it would join a thousand images to a single one.
    points.update(
        mode="markers", name=say("chart.calibration.measured", distance=number(calibration["ece"], 3))
    )
    points.update(marker={"size": [8 + 22 * (row["images"] / most) ** 0.5 for row in rows], "color": BLUE})
    points.update(cliponaxis=False)  # the largest points lie at the very top
    ideal = go.Scatter(
        x=[0, 1],
        y=[0, 100],
        mode="lines",
        name=say(by_score("chart.calibration.ideal", score)),
        line={"color": GREY, "dash": "dot"},
        hoverinfo="skip",
    )
    figure = figure_of(
        [ideal, points], say(by_score("chart.calibration.x", score)), say("chart.calibration.y")
    )
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
        hovertemplate=hover,
    )


def curve_figure(kind: str, curve: Mapping[str, Any]) -> "go.Figure":
    """Error over the amount of one change, with 95% intervals.

    Args:
        kind: what was done to the digits, such as "rotated".
        curve: its "points" with "amount", "error_rate" and "interval" (0..1).
    """
    trace = _rates(
        curve["points"],
        "amount",
        "error_rate",
        hover("chart.curves.hover", amount="%{x:g}", rate="%{y:.2f}"),
    )
    figure = figure_of([trace], say(f"chart.{kind}.x"), say("chart.curves.y"))
    return figure.update_yaxes(rangemode="tozero")


def drawings_figure(drawings: Mapping[str, Any]) -> "go.Figure":
    """Share of drawings read correctly for each width of the pen, with 95% intervals.

    Args:
        drawings: "widths" with "width" in pixels, "rate" and "interval" (0..1).
    """
    trace = _rates(
        drawings["widths"], "width", "rate", hover("chart.drawings.hover", width="%{x}", rate="%{y:.2f}")
    )
    return figure_of([trace], say("chart.drawings.x", size=CANVAS), say("chart.drawings.y"))


def unsure_figure(unsure: Mapping[str, Any], kind: str = "digit", score: str = LENGTH) -> "go.Figure":
    """Shares of digits and of other drawings whose highest score is below another one.

    Args:
        unsure: "threshold", and "below" with "length", "digits" and "others" (0..1).
        kind: what a class is, as ``Shape.kind``.
        score: what a score is, as ``Shape.score``.
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
            hovertemplate=hover("chart.unsure.hover", rate="%{y:.1f}", length="%{x:.2f}"),
        )
        for key, name, colour in (
            ("digits", say("chart.unsure.digits", kinds=noun(kind, 2, "pictured")), BLUE),
            ("others", say("chart.unsure.others", kinds=noun(kind, 2)), ORANGE),
        )
        if key in below
    ]
    limit = go.Scatter(
        x=[unsure["threshold"]] * 2,
        y=[0, 100],
        mode="lines",
        name=say("chart.unsure.limit", threshold=number(unsure["threshold"])),
        line={"color": GREY, "dash": "dot"},
        hoverinfo="skip",
    )
    return figure_of(
        [*traces, limit], say(by_score("chart.unsure.x", score)), say(by_score("chart.unsure.y", score))
    )


class Measurement(NamedTuple):
    """What a figure shows: in a word, and in a sentence made of the evaluation's numbers."""

    title: str
    says: str


def _says(name: str, result: Mapping[str, Any], data: str) -> str:
    """The sentence of one figure of ``result``."""
    words = {"kind": noun(result["kind"]), "kinds": noun(result["kind"], 2, "pictured")}
    score = result.get("score", LENGTH)
    match name:
        case "confusion":
            alone = "pairs" in result  # what is confused are single ones, of a network whose data are pairs
            return say(
                f"chart.confusion.says{'Alone' if alone else ''}",
                **words,
                data=MNIST.name if alone else data,
                images=grouped(result["images"]),
                wrong=result["wrong"],
                rate=_percent(result),
            )
        case "drawings-confusion":
            drawn = result["drawings"]
            return say(
                "chart.drawings-confusion.says",
                drawings=grouped(drawn["drawings"]),
                count=len(drawn["widths"]),
            )
        case "drawings":
            drawn = result["drawings"]
            return say(
                f"chart.drawings.{'people' if drawn['writers'] else 'says'}",
                drawings=grouped(drawn["drawings"]),
                writers=drawn["writers"],
                count=len(drawn["widths"]),
                rate=_percent(drawn, "rate"),
            )
        case "unsure":
            doubt, drawn, others = result["unsure"], result.get("drawings"), result["unsure"].get("others")
            which = "alone" if not others else "drawn" if drawn else "says"
            return say(
                by_score(f"chart.unsure.{which}", score),
                **words,
                threshold=number(doubt["threshold"]),
                below=per_cent(doubt["digits"]["below"], 1),
                images=grouped(doubt["digits"]["images"]),
                drawn=per_cent(drawn["unsure"], 1) if drawn else "",
                othersBelow=per_cent(others["below"], 1) if others else "",
                others=grouped(others["images"]) if others else "",
            )
        case "calibration":
            found = result["calibration"]
            return say(
                by_score("chart.calibration.says", score),
                **words,
                margin=MARGIN_PRESENT,
                length=number(found["length"], 3),
                accuracy=per_cent(found["accuracy"]),
            )
        case "overlap":
            pairs = result["pairs"]
            return say("chart.overlap.says", **words, pairs=grouped(pairs["spread"]["pairs"]), least=LEAST)
    return say(f"chart.{name}.says", **words, images=grouped(result["curves"][name]["points"][0]["images"]))


def _percent(result: Mapping[str, Any], rate: str = "error_rate") -> str:
    """A rate with its 95% interval."""
    low, high = result["interval"]
    return say("card.percent", rate=per_cent(result[rate]), low=per_cent(low), high=per_cent(high))


# By the names that ``evaluation_figures`` gives; in the order of what people ask first.
EVALUATION = (
    "overlap",
    "confusion",
    "drawings-confusion",
    "drawings",
    "unsure",
    "calibration",
    "rotated",
    "shifted",
    "scaled",
    "noised",
)


def measurements(result: Mapping[str, Any], data: str) -> dict[str, Measurement]:
    """What the figures of a result show, by their names, in the order of what people ask first.

    Args:
        result: of ``measures.evaluate.evaluate``.
        data: name of what the network was trained on.
    """
    there = {"confusion", "unsure", "calibration", *result["curves"]}
    there |= {"overlap"} if "pairs" in result else set()
    there |= {"drawings"} if "drawings" in result else set()
    there |= {"drawings-confusion"} if "confusion" in result.get("drawings", {}) else set()
    kinds = noun(result["kind"], 2, "pictured")
    titles = {"confusion": say("chart.confusion.titleAlone", kinds=kinds)} if "pairs" in result else {}
    return {
        name: Measurement(
            titles.get(name) or say(f"chart.{name}.title", data=data), _says(name, result, data)
        )
        for name in EVALUATION
        if name in there
    }


def evaluation_figures(result: Mapping[str, Any]) -> dict[str, "go.Figure"]:
    """All figures of a result of ``capsviz.measures.evaluate.evaluate``, by name."""
    classes, kind, score = result["classes"], result["kind"], result.get("score", LENGTH)
    figures = {
        "confusion": confusion_figure(result["confusion"], classes, kind),
        "calibration": calibration_figure(result["calibration"], score),
        "unsure": unsure_figure(result["unsure"], kind, score),
        **{change: curve_figure(change, curve) for change, curve in result["curves"].items()},
    }
    if "pairs" in result:
        figures["overlap"] = overlap_figure(
            [Curve(say("chart.overlap.test"), result["pairs"]["spread"]["bins"])]
        )
    if "drawings" in result:
        figures["drawings"] = drawings_figure(result["drawings"])
    if "confusion" in result.get("drawings", {}):  # those that the test set is made of have the test set's
        figures["drawings-confusion"] = confusion_figure(result["drawings"]["confusion"], classes, kind)
    return figures


def write_figures(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write each of ``evaluation_figures`` as an HTML file that needs no network; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, figure in evaluation_figures(result).items():
        paths.append(folder / f"{name}.html")
        figure.write_html(paths[-1], include_plotlyjs=True)
    return paths
