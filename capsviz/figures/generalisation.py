"""What parts of the network are good for, and what it makes of what it has not seen: tables and charts of our trainings."""

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from capsviz.errors import NetworkError
from capsviz.figures.charts import BLUE, GREY, ORANGE, figure_of, hover
from capsviz.figures.comparison import NOTHING, Cell, aligned, cell_html, cell_text, duration, millions
from capsviz.measures.ablations import Result
from capsviz.measures.generalisation import PUBLISHED, Runs, Stopped
from capsviz.models.own import family
from capsviz.networks.base import DEFAULT, find
from capsviz.texts import say
from capsviz.texts.numbers import grouped, number, per_cent, short

if TYPE_CHECKING:
    import plotly.graph_objects as go

Row = Sequence[Cell]
Table = tuple[Sequence[str], Sequence[Row]]  # the heads of the columns, and the rows
TICKS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)  # per cent, along logarithmic axes
COLOURS = (BLUE, ORANGE, GREY)


def table_html(table: Table, name: str) -> str:
    """HTML of a table, which ``name`` is known by to tests."""
    heads, rows = table
    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in heads)
    body = ""
    for first, *rest in rows:
        values = "".join(
            f'<td data-column="{html.escape(text)}"><span>{cell_html(cell)}</span></td>'
            for text, cell in zip(heads[1:], rest, strict=True)
        )
        body += f'<tr><th scope="row">{cell_html(first)}</th>{values}</tr>'
    return (
        f'<div class="cv-frame"><table class="cv-table cv-networks" data-testid="{name}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def table_text(table: Table) -> str:
    """The same as Markdown."""
    heads, rows = table
    return aligned([list(heads), *([cell_text(cell) for cell in row] for row in rows)])


def ablations_table(results: Sequence[Result]) -> Table:
    """A row for each variant; with times only if there are some."""
    timed = ["answer"] if any(result.answer for result in results) else []
    columns = ["variant", "error", "published", "parameters", "multiplyAdds", *timed, "training"]
    rows = [_ablation(result) for result in results]
    return [say(f"ablation.head.{column}") for column in columns], [
        [row[column] for column in columns] for row in rows
    ]


def _ablation(result: Result) -> dict[str, Cell]:
    variant = result.variant
    published, paper = per_cent(variant.published / 100), find(DEFAULT).source
    if variant.deviation is not None:
        published = say("ablation.spread", mean=published, deviation=number(variant.deviation, 3))
    answer, *others = [
        (number(milliseconds, 1), device) for device, milliseconds in sorted(result.answer.items())
    ] or [(NOTHING, "")]
    theirs = paper.paper if variant.network == DEFAULT else say("ablation.theirs")
    epochs = say("model.all.epochs", count=result.epochs)
    return {
        "variant": Cell(variant_name(result), variant.name),
        "error": error_cell(result.error),
        "published": Cell(published, theirs, paper.link),
        "parameters": Cell(grouped(result.parameters)),
        "multiplyAdds": Cell(millions(result.multiply_adds)),
        "answer": Cell(answer[0], "; ".join([answer[1], *(f"{time} {device}" for time, device in others)])),
        "training": Cell(duration(result.seconds), f"{epochs}, {result.device}"),
    }


def variant_name(result: Result) -> str:
    """What a variant is, in words."""
    variant = result.variant
    spec = find(variant.network)
    if not spec.shape.iterates:
        return say("ablation.cnn")
    drawn = "drawn" if variant.reconstruction else "undrawn"
    return say(f"ablation.{drawn}", count=variant.iterations)


def error_cell(error: Mapping[str, Any]) -> Cell:
    """The mean error of several trainings, and below it their spread and its interval."""
    low, high = map(per_cent, error["interval"])
    spread, within = error["deviation"], say("model.all.range", low=low, high=high)
    below = [] if spread is None else [say("ablation.deviation", deviation=number(100 * spread, 2))]
    return Cell(
        per_cent(error["mean"]),
        ", ".join([*below, say("ablation.within", count=len(error["errors"]), within=within)]),
    )


def verdict(errors: Mapping[str, Mapping[str, Any]], of: str) -> str:
    """Whether the best and the worst of several are told apart by their intervals, in a sentence; "" for one alone.

    Args:
        errors: by the names of what they are of, as ``statistics.of_seeds`` has them.
        of: table of the texts "apart" and "alike".
    """
    if len(errors) < 2:
        return ""
    best, *_, worst = sorted(errors, key=lambda name: errors[name]["mean"])
    apart = errors[best]["interval"][1] < errors[worst]["interval"][0]
    return say(
        f"{of}.{'apart' if apart else 'alike'}",
        best=best,
        worst=worst,
        least=per_cent(errors[best]["mean"]),
        most=per_cent(errors[worst]["mean"]),
    )


def network_name(name: str) -> str:
    """What people call a network, without its data."""
    try:
        return family(find(name))
    except NetworkError:  # of rows of another version
        return name


def placed_table(stopped: Sequence[Stopped]) -> Table:
    """A row for each network whose trainings were stopped at equal accuracy, then what was published."""
    columns = ("network", "placed", "affine", "steps", "parameters", "multiplyAdds")
    rows: list[Row] = [
        (
            Cell(network_name(one.network), one.network),
            _right(one.placed),
            _right(one.affine),
            Cell(", ".join(map(grouped, one.steps)), one.device),
            Cell(grouped(one.parameters)),
            Cell(millions(one.multiply_adds)),
        )
        for one in stopped
    ]
    rows += [
        (
            Cell(say(f"generalise.{one.name}"), one.source, one.link),
            Cell(NOTHING if one.placed is None else per_cent(one.placed)),
            Cell(per_cent(one.affine, 1 if one.placed is None else 0), say("generalise.affnist")),
            *[Cell(NOTHING)] * 3,
        )
        for one in PUBLISHED
    ]
    return [say(f"generalise.head.{column}") for column in columns], rows


def _right(error: Mapping[str, Any]) -> Cell:
    """What was read correctly, of an error."""
    low, high = error["interval"]
    turned = {**error, "mean": 1 - error["mean"], "interval": (1 - high, 1 - low)}
    return error_cell(turned)


def placed_figure(runs: Runs, stopped: Sequence[Stopped]) -> "go.Figure":
    """How much each network misreads of changed digits over how much it misreads of placed ones, at every look.

    Large points are where the trainings were stopped.
    """
    import plotly.graph_objects as go

    traces = []
    for place, one in enumerate(stopped):
        seen: dict[float, list[tuple[float, bool]]] = {}
        ends = set(zip(one.seeds, one.steps, strict=True))
        for looks in runs[one.network].values():
            for row in looks:
                point = (100 * row.affine_wrong / row.images, (row.seed, row.step) in ends)
                seen.setdefault(100 * row.placed_wrong / row.images, []).append(point)
        x = sorted(seen)
        large = [any(stop for _, stop in seen[at]) for at in x]
        traces.append(
            go.Scatter(
                x=x,
                # Looks at which as many placed digits are misread are one point: their mean.
                y=[sum(y for y, _ in seen[at]) / len(seen[at]) for at in x],
                mode="markers",
                name=network_name(one.network),
                marker={
                    "color": COLOURS[place % len(COLOURS)],
                    "size": [16 if stop else 7 for stop in large],
                    "symbol": ("circle", "square", "diamond")[place % 3],
                },
                hovertemplate=hover("chart.placed.hover", placed="%{x:.2f}", affine="%{y:.1f}"),
            )
        )
    figure = figure_of(traces, say("chart.placed.x"), say("chart.placed.y"))
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(type="log", tickmode="array", tickvals=TICKS, ticktext=[short(tick) for tick in TICKS])
    return figure.update_layout(showlegend=True)


def few_figure(found: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> "go.Figure":
    """The error over how many examples of each class a network learnt from, with 95% intervals over the trainings."""
    import plotly.graph_objects as go

    traces = []
    for place, (network, of) in enumerate(found.items()):
        y = [100 * of[examples]["mean"] for examples in of]
        ends = [of[examples]["interval"] for examples in of]
        traces.append(
            go.Scatter(
                x=list(of),
                y=y,
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * high - at for (_, high), at in zip(ends, y, strict=True)],
                    "arrayminus": [at - 100 * low for (low, _), at in zip(ends, y, strict=True)],
                },
                mode="lines+markers",
                name=network_name(network),
                line={"color": COLOURS[place % len(COLOURS)], "dash": ("solid", "dash", "dot")[place % 3]},
                hovertemplate=hover("chart.few.hover", examples="%{x}", rate="%{y:.1f}"),
            )
        )
    figure = figure_of(traces, say("chart.few.x"), say("chart.few.y"))
    places = sorted({examples for of in found.values() for examples in of})
    figure.update_xaxes(type="log", tickmode="array", tickvals=places, ticktext=list(map(grouped, places)))
    figure.update_yaxes(rangemode="tozero")
    return figure.update_layout(showlegend=True)


def few_table(found: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> Table:
    """A row for each network, a column for each number of examples."""
    places = sorted({examples for of in found.values() for examples in of})
    heads = [say("generalise.head.network"), *(say("generalise.examples", count=count) for count in places)]
    return heads, [
        (
            Cell(network_name(network), network),
            *(error_cell(of[count]) if count in of else Cell(NOTHING) for count in places),
        )
        for network, of in found.items()
    ]
