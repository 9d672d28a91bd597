"""How a training on the page comes along: its curves, its first filters, and the same digits drawn again."""

import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from capsviz.errors import CapsvizError
from capsviz.figures.charts import BLUE, GREY, ORANGE, TEXT, figure_of
from capsviz.figures.theme import class_colours, data_uri, signed
from capsviz.texts import say
from capsviz.texts.numbers import grouped, number, percent_sign

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT = 230  # pixels of a chart
ABREAST = 8  # filters in a row
MOST_SIDE, MOST_FILTERS, MOST_IMAGES = 64, 256, 10
LARGEST = 2**20  # bytes of a picture's file


class Picture(NamedTuple):
    """What a training drew at one step.

    Attributes:
        seen: [N, S, S] uint8, the images.
        redrawn: [N, S, S] uint8, each drawn of the pose of its own class.
        filters: [F, k, k] float32, the first layer's kernels.
        labels: [N] their classes.
        answers: [N] the classes that they are read as.
        step: of the training.
    """

    seen: np.ndarray
    redrawn: np.ndarray
    filters: np.ndarray
    labels: np.ndarray
    answers: np.ndarray
    step: int


def read_picture(path: Path, classes: int) -> Picture:
    """A picture as the training wrote it, of so many classes.

    Raises:
        CapsvizError: if it is missing, or is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            named = {name: arrays[name] for name in Picture._fields}
            found = Picture(**{**named, "step": int(named["step"])})
        count, side = found.seen.shape[:2]
        kernels = found.filters.shape
        whole = (
            found.seen.shape == found.redrawn.shape == (count, side, side)
            and found.seen.dtype == found.redrawn.dtype == np.uint8
            and 0 < count <= MOST_IMAGES
            and 0 < side <= MOST_SIDE
            and len(kernels) == 3
            and kernels[0] <= MOST_FILTERS
            and max(kernels[1:]) <= MOST_SIDE
            and all(
                places.shape == (count,) and places.min() >= 0 and places.max() < classes
                for places in (found.labels, found.answers)
            )
            and bool(np.isfinite(found.filters).all())
        )
    except Exception as error:  # NumPy and zipfile raise anything of a file that was cut short
        raise CapsvizError(f"{path} is no picture of a training ({error}).") from error
    if not whole:
        raise CapsvizError(f"{path} is no picture of a training.")
    return found


def forming(picture: Picture, classes: Sequence[str]) -> str:
    """HTML of the images, and below each what it is drawn again as, and what it is read as where that is wrong."""
    colours = class_colours(len(classes))
    tiles = []
    for seen, redrawn, label, answer in zip(*picture[:2], picture.labels, picture.answers, strict=True):
        name = html.escape(classes[label])
        read = say("training.forming.read", name=html.escape(classes[answer])) if answer != label else ""
        tiles.append(
            f'<figure style="--digit:{colours[label]}">'
            f'<img src="{data_uri(seen)}" alt="{say("training.forming.seen", name=name)}">'
            f'<img src="{data_uri(redrawn)}" alt="'
            f'{say("training.forming.redrawn", name=name, step=grouped(picture.step))}">'
            f"<figcaption><b>{name}</b> <span>{read}</span></figcaption></figure>"
        )
    return f'<div class="cv-forming">{"".join(tiles)}</div>'


def filters(picture: Picture) -> str:
    """HTML of the first layer's kernels, side by side as one picture, and its scale."""
    kernels = picture.filters
    count, side = kernels.shape[:2]
    limit = float(np.abs(kernels).max())
    words = {"count": count, "side": side, "step": grouped(picture.step), "limit": number(limit, 2)}
    alt, caption = (html.escape(say(f"training.filters.{name}", **words)) for name in ("alt", "caption"))
    pixels = signed(mosaic(kernels), limit or 1.0)
    return f'<div class="cv-filters"><img src="{data_uri(pixels)}" alt="{alt}"><p>{caption}</p></div>'


def mosaic(kernels: np.ndarray) -> np.ndarray:
    """[H, W] kernels [F, k, k] in rows of ``ABREAST``, with a gap of one pixel of 0."""
    count, side = kernels.shape[:2]
    rows = -(-count // ABREAST)
    picture = np.zeros((rows * (side + 1) - 1, min(count, ABREAST) * (side + 1) - 1), kernels.dtype)
    for place, kernel in enumerate(kernels):
        top, left = (side + 1) * (place // ABREAST), (side + 1) * (place % ABREAST)
        picture[top : top + side, left : left + side] = kernel
    return picture


def losses_figure(rows: Sequence[Any], at: float | None = None) -> "go.Figure":
    """The loss of the answers and the squared error of the pictures over the seconds of training.

    Args:
        rows: with "seconds", "loss" and "reconstruction", means over the steps since the row before; None before the
            first, and "controls", where a change is marked.
        at: the second that is looked at; None for the last.
    """
    import plotly.graph_objects as go  # half a second that only this figure should cost

    known = [row for row in rows if row.loss is not None]
    seconds = [row.seconds for row in known]
    margin, squared = say("training.chart.margin"), say("training.chart.reconstruction")
    figure = figure_of(
        [
            go.Scatter(
                x=seconds, y=[row.loss for row in known], name=margin, line={"color": BLUE}, mode="lines"
            ),
            go.Scatter(
                x=seconds,
                y=[row.reconstruction for row in known],
                name=squared,
                line={"color": ORANGE},
                mode="lines",
                yaxis="y2",
            ),
        ],
        say("training.chart.x"),
        margin,
    )
    figure.update_layout(
        yaxis={"rangemode": "tozero"},
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "rangemode": "tozero",
            "tickmode": "auto",
            "tickfont": TEXT,
        },
    )
    return _laid_out(figure, rows, at)


def shares_figure(rows: Sequence[Any], held: int, at: float | None = None) -> "go.Figure":
    """The error on held-out images, and the entropy of c, in per cent over the seconds of training.

    Args:
        rows: with "seconds", "error" and "entropy", shares from 0 to 1, and "controls", where a change is marked.
        held: how many images are held out.
        at: the second that is looked at; None for the last.
    """
    import plotly.graph_objects as go

    seconds = [row.seconds for row in rows]
    curves = [
        go.Scatter(
            x=seconds,
            y=[100 * getattr(row, key) for row in rows],
            name=name,
            line={"color": colour},
            mode="lines",
            hovertemplate=f"%{{y:.1f}}{percent_sign()}",
        )
        for key, name, colour in (
            ("error", say("training.chart.error", held=grouped(held)), BLUE),
            ("entropy", say("training.chart.entropy"), ORANGE),
        )
    ]
    figure = figure_of(curves, say("training.chart.x"), say("training.chart.share"))
    figure.update_yaxes(range=[0, 102])
    return _laid_out(figure, rows, at)


def changes(rows: Sequence[Any]) -> list[float]:
    """The seconds at which another learning rate, weight, number of iterations or routing was in force first."""
    told: list[Mapping[str, Any]] = [row.controls for row in rows]
    return [row.seconds for row, before, now in zip(rows[1:], told, told[1:], strict=False) if now != before]


def _laid_out(figure: "go.Figure", rows: Sequence[Any], at: float | None) -> "go.Figure":
    # The names at the top of the chart and room for two rows of them: on a stage, which enlarges what Plotly measures of
    # them, they would lie over the curves.
    legend = {"yref": "container", "y": 1, "yanchor": "top"}
    margin = {"l": 60, "r": 45, "t": 56, "b": 40}
    figure.update_layout(height=HEIGHT, margin=margin, legend=legend, hovermode="x unified")
    figure.update_xaxes(range=[0, max(10.0, rows[-1].seconds if rows else 0.0)])
    for second in changes(rows):
        figure.add_vline(x=second, line={"color": GREY, "width": 1, "dash": "dot"})
    if at is not None:
        figure.add_vline(x=at, line={"color": GREY, "width": 2})
    return figure
