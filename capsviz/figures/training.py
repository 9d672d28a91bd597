"""Errors and losses over the epochs of a training run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capsviz.inputs.data import MNIST, DataSet
from capsviz.texts import say
from capsviz.texts.numbers import grouped, percent_sign, separators, short

if TYPE_CHECKING:
    import plotly.graph_objects as go

TICKS = (0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 20, 50, 100)  # per cent, on a logarithmic axis


def training_figure(
    log: Sequence[dict[str, float]],
    test_error: float | None = None,
    before: int = 0,
    averaged: float | None = None,
    data: DataSet = MNIST,
    changed: bool = True,
) -> "go.Figure":
    """Training and validation error of each epoch, and the final test error as a point.

    Args:
        log: rows with "epoch", "train_error" and "validation_error" (0..1).
        test_error: error on the test set after the last epoch (0..1), if it was measured.
        before: epochs of earlier trainings, whose weights this one started from.
        averaged: validation error (0..1) of the mean of the weights after the last epoch and of others, if it is
            that mean whose test error was measured.
        data: what was trained on.
        changed: whether images were shifted or changed otherwise for that.
    """
    import plotly.graph_objects as go  # half a second that only this figure should cost

    epochs = [row["epoch"] for row in log]

    def curve(key: str, name: str, **style: Any) -> go.Scatter:
        values = [100 * row[key] for row in log]
        return go.Scatter(
            x=epochs,
            y=values,
            name=name,
            mode="lines+markers",
            hovertemplate=f"%{{y:.2f}}{percent_sign()}",
            **style,
        )

    figure = go.Figure(
        [
            curve(
                "train_error",
                say(f"chart.training.{'training' if changed else 'unchanged'}"),
                line={"color": "#8a8f98", "dash": "dot"},
            ),
            curve(
                "validation_error",
                say("chart.training.validation", images=grouped(data.held_out)),
                line={"color": "#1f78c8"},
            ),
        ]
    )
    tested = "test" if averaged is None else "testOfMean"
    ends = (
        # Open and larger: it is seen around the star where both errors are the same.
        (
            averaged,
            say("chart.training.validationOfMean"),
            {"symbol": "diamond-open", "size": 24, "color": "#1f78c8", "line_width": 3},
        ),
        (
            test_error,
            say(f"chart.training.{tested}", images=grouped(data.sizes["test"])),
            {"symbol": "star", "size": 12, "color": "#c8551b"},
        ),
    )
    for error, name, marker in ends:
        if error is not None and epochs:
            figure.add_scatter(
                x=[epochs[-1]],
                y=[100 * error],
                name=name,
                mode="markers",
                marker=marker,
                hovertemplate=f"%{{y:.2f}}{percent_sign()}",
                cliponaxis=False,  # on a phone, an epoch is narrower than a mark
            )
    figure.update_yaxes(
        title=say("chart.training.y"), type="log", tickvals=TICKS, ticktext=[short(tick) for tick in TICKS]
    )
    return _laid_out(figure, len(epochs), before)


def loss_figure(log: Sequence[dict[str, float]], before: int = 0) -> "go.Figure":
    """Both parts of the training loss over the epochs; the first alone of a network that draws nothing.

    Args:
        log: rows with "epoch", "margin_loss" (Eq. 4, summed over the classes) or "cross_entropy", and
            "reconstruction_loss" (squared error summed over all pixels, before its weight of 0.0005; 0 throughout of a
            network that draws nothing); each a mean over an epoch's images.
        before: epochs of earlier trainings, whose weights this one started from.
    """
    import plotly.graph_objects as go

    epochs = [row["epoch"] for row in log]
    loss = "cross_entropy" if any("cross_entropy" in row for row in log) else "margin_loss"
    draws = any(row["reconstruction_loss"] for row in log)
    figure = go.Figure(
        [
            go.Scatter(
                x=epochs,
                y=[row.get(key) for row in log],
                name=name,
                mode="lines+markers",
                line={"color": colour},
                yaxis=axis,
                hovertemplate="%{y:.4g}",
            )
            for key, name, colour, axis in (
                (loss, say(f"chart.losses.{loss}"), "#1f78c8", "y"),
                ("reconstruction_loss", say("chart.losses.reconstruction"), "#c8551b", "y2"),
            )
            if key == loss or draws
        ]
    )
    figure.update_layout(yaxis={"title": say(f"chart.losses.{loss}"), "rangemode": "tozero"})
    if not draws:
        return _laid_out(figure, len(epochs), before)
    figure.update_layout(
        yaxis2={
            "title": say("chart.losses.y2"),
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "rangemode": "tozero",
            "tickmode": "auto",  # its own round numbers, not those opposite the left axis's
        },
    )
    return _laid_out(figure, len(epochs), before).update_layout(margin_r=70)


def training_html(
    log: Sequence[dict[str, float]],
    test_error: float | None = None,
    before: int = 0,
    averaged: float | None = None,
    data: DataSet = MNIST,
) -> str:
    """Errors and losses, as ``training_figure`` takes them, as one HTML page that needs no network."""
    errors = training_figure(log, test_error, before, averaged, data).to_html(
        include_plotlyjs=True, full_html=False
    )
    losses = loss_figure(log, before).to_html(include_plotlyjs=False, full_html=False)
    return (
        f'<!doctype html><meta charset="utf-8"><title>{say("chart.training.title")}</title>{errors}{losses}'
    )


def _laid_out(figure: "go.Figure", epochs: int, before: int) -> "go.Figure":
    text = {"size": 15}  # said of each part: a theme's template would make them smaller
    figure.update_layout(
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": text},
        margin={"l": 70, "r": 20, "t": 40, "b": 50},
        height=400,
        dragmode=False,  # a finger that begins on a chart scrolls the page
        separators=separators(),
    )
    figure.update_xaxes(
        title={
            "text": say("chart.training.after", count=before) if before else say("chart.training.x"),
            "font": text,
        },
        tickfont=text,
        dtick=max(1, round(epochs / 9)),
        tickangle=0,
        range=[0.5, epochs + 0.5],
    )
    return figure.update_yaxes(title_font=text, tickfont=text)
