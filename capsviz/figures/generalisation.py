"""What parts of the network are good for, and what it makes of what it has not seen: tables and charts of our trainings."""

import html
import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from capsviz.errors import NetworkError
from capsviz.figures.charts import BLUE, GREY, ORANGE, figure_of, hover
from capsviz.figures.comparison import NOTHING, Cell, aligned, cell_html, cell_text, duration, millions
from capsviz.measures.ablations import Result
from capsviz.measures.generalisation import PUBLISHED, Runs, Stopped, enlarged, ran_on
from capsviz.measures.runs import CPU, Few, Placed
from capsviz.models.own import family
from capsviz.models.size import sizes, together
from capsviz.networks.base import DEFAULT, Spec, find
from capsviz.texts import say
from capsviz.texts.numbers import grouped, number, per_cent, short

if TYPE_CHECKING:
    import plotly.graph_objects as go

Row = Sequence[Cell]
Table = tuple[Sequence[str], Sequence[Row]]  # the heads of the columns, and the rows
TICKS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)  # per cent, along logarithmic axes
COLOURS, SYMBOLS = (BLUE, ORANGE, GREY), ("circle", "square", "diamond")
SURE = 2  # milliseconds, from which their decimals are noise
APART = 0.035  # of a power of ten, from one network's points to the next one's


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
        (number(milliseconds, 0 if milliseconds >= SURE else 1), _where(device))
        for device, milliseconds in sorted(result.answer.items())
    ] or [(NOTHING, "")]
    theirs = paper.paper if variant.network == DEFAULT else say("ablation.theirs")
    epochs = say("model.all.epochs", count=result.epochs)
    mixed = ", bfloat16" if result.mixed_precision else ""
    (trained, seconds), *slower = result.seconds.items()
    return {
        "variant": Cell(variant_name(result), variant.name),
        "error": error_cell(result.error),
        "published": Cell(published, theirs, paper.link),
        "parameters": parameters_cell(result.parameters, variant.network, find),
        "multiplyAdds": Cell(millions(result.multiply_adds)),
        "answer": Cell(answer[0], "; ".join([answer[1], *(f"{time} {device}" for time, device in others)])),
        "training": Cell(
            duration(seconds),
            "; ".join(
                [f"{epochs}, {trained}{mixed}", *(f"{duration(mean)} {device}" for device, mean in slower)]
            ),
        ),
    }


def _where(device: str) -> str:
    return say("ablation.core", device=device) if device.startswith(CPU) else device


def variant_name(result: Result) -> str:
    """What a variant is, in words."""
    variant = result.variant
    spec = find(variant.network)
    if not spec.shape.iterates:
        return say("ablation.cnn")
    drawn = "drawn" if variant.reconstruction else "undrawn"
    return say(f"ablation.{drawn}", count=variant.iterations)


def parameters_cell(trained: int, network: str, spec: Callable[[str], Spec]) -> Cell:
    """How many parameters an answer needs, and below it how many with the decoder, if all of them were trained.

    Args:
        trained: how many were.
        network: its name.
        spec: what is found by that name: the network as it was trained.
    """
    try:
        parts = sizes(spec(network))
    except NetworkError:  # of rows of another version
        return Cell(grouped(trained))
    every, answer = together(parts).parameters, together(parts, decoder=False).parameters
    if trained != every:
        return Cell(grouped(trained))
    draws = every != answer
    below = say("model.all.with", count=grouped(every)) if draws else say("model.all.without")
    return Cell(grouped(answer), below)


def error_cell(error: Mapping[str, Any]) -> Cell:
    """The mean error of several trainings, and below it their spread and its interval."""
    low, high = map(per_cent, error["interval"])
    spread, within = error["deviation"], say("model.all.range", low=low, high=high)
    below = [] if spread is None else [say("ablation.deviation", deviation=number(100 * spread, 2))]
    return Cell(
        per_cent(error["mean"]),
        ", ".join([*below, say("ablation.within", count=len(error["errors"]), within=within)]),
    )


def verdict(errors: Mapping[str, Mapping[str, Any]], of: str, **values: object) -> str:
    """Whether the best and the worst of several are told apart by their intervals, in a sentence; "" for one alone.

    Args:
        errors: by the names of what they are of, as ``statistics.of_seeds`` has them.
        of: table of the texts "apart" and "alike".
        values: what else these say.
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
        **values,
    )


def placed_says(stopped: Sequence[Stopped], seeds: int) -> list[str]:
    """What the table of placed digits comes to: which misreads least, why not where it was stopped, what is missing.

    Args:
        stopped: of the table.
        seeds: of how many trainings each was to be.
    """
    errors = {network_name(one.network): one.equal for one in stopped if one.equal}
    means, at = [one.placed["mean"] for one in stopped], per_cent(stopped[0].at)
    said = [verdict(errors, "generalise", at=at)]
    if len(stopped) > 1:
        said.append(say("generalise.equal", low=per_cent(min(means)), high=per_cent(max(means)), at=at))
    fewer = [f"{network_name(one.network)} ({len(one.seeds)})" for one in stopped if len(one.seeds) < seeds]
    if fewer:
        said.append(say("generalise.fewer", seeds=seeds, networks=", ".join(fewer)))
    return said


def network_name(name: str) -> str:
    """What people call a network, without its data."""
    try:
        return family(find(name))
    except NetworkError:  # of rows of another version
        return name


def placed_table(stopped: Sequence[Stopped]) -> Table:
    """A row for each network whose trainings were stopped at equal accuracy, then what was published."""
    columns = ("network", "placed", "affine", "equal", "steps", "parameters", "multiplyAdds")
    rows: list[Row] = [
        (
            Cell(network_name(one.network), one.network),
            error_cell(one.placed),
            error_cell(one.affine),
            error_cell(one.equal) if one.equal else Cell(NOTHING),
            Cell(", ".join(map(grouped, one.steps)), f"{seeds_words(one.seeds)}, {', '.join(one.devices)}"),
            parameters_cell(one.parameters, one.network, enlarged),
            Cell(millions(one.multiply_adds)),
        )
        for one in stopped
    ]
    rows += [
        (
            Cell(say(f"generalise.{one.name}"), one.source, one.link),
            Cell(NOTHING if one.placed is None else per_cent(1 - one.placed)),
            Cell(
                per_cent(1 - one.affine, 1 if one.placed is None else 0),
                say("generalise.affnist", right=per_cent(one.affine, 1 if one.placed is None else 0)),
            ),
            *[Cell(NOTHING)] * 4,
        )
        for one in PUBLISHED
    ]
    at = per_cent(stopped[0].at) if stopped else NOTHING
    return [say(f"generalise.head.{column}", at=at) for column in columns], rows


def seeds_words(seeds: Sequence[int]) -> str:
    """Which seeds trainings began from."""
    return say("generalise.seeds", seeds=", ".join(map(str, seeds)), count=len(seeds))


def placed_figure(runs: Runs, stopped: Sequence[Stopped]) -> "go.Figure":
    """How much each network misreads of changed digits over how much it misreads of placed ones, at every look.

    Large rims are where the trainings were stopped.
    """
    traces: list[go.Scatter] = []
    ends: list[go.Scatter] = []
    for place, one in enumerate(stopped):
        colour, symbol, name = COLOURS[place % 3], SYMBOLS[place % 3], network_name(one.network)
        looks = [row for of in runs[one.network].values() for row in of]
        stops = set(zip(one.seeds, one.steps, strict=True))
        small = {"color": colour, "symbol": symbol, "size": 7, "opacity": 0.6}
        # A rim alone: what lies below another is seen.
        large = {"color": colour, "symbol": f"{symbol}-open", "size": 16, "line": {"width": 3}}
        traces.append(_misread(looks, name, small))
        ends.append(
            _misread(
                [row for row in looks if (row.seed, row.step) in stops],
                say("chart.placed.stopped", network=name),
                large,
            )
        )
    figure = figure_of([*traces, *ends], say("chart.placed.x"), say("chart.placed.y"))
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(type="log", tickmode="array", tickvals=TICKS, ticktext=[short(tick) for tick in TICKS])
    return figure.update_layout(showlegend=True)


def _misread(looks: Sequence[Placed], name: str, marker: Mapping[str, Any]) -> "go.Scatter":
    """Points of looks; those at which as many placed digits are misread are one point: their mean."""
    import plotly.graph_objects as go

    seen: dict[float, list[float]] = {}
    for row in looks:
        affine = 100 * row.affine_wrong / row.images
        seen.setdefault(100 * row.placed_wrong / row.images, []).append(affine)
    return go.Scatter(
        x=sorted(seen),
        y=[fmean(seen[at]) for at in sorted(seen)],
        mode="markers",
        name=name,
        marker=marker,
        hovertemplate=hover("chart.placed.hover", placed="%{x:.2f}", affine="%{y:.1f}"),
    )


def few_figure(found: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> "go.Figure":
    """The error over how many examples of each class a network learnt from: means with 95% intervals, and each training.

    What stands at one place is moved apart a little: each network has an x axis of its own, of which one is seen.
    """
    import plotly.graph_objects as go

    places = sorted({examples for of in found.values() for examples in of}) or [1]
    first, last = math.log10(places[0]) - 0.2, math.log10(places[-1]) + 0.2
    middle, means, single, axes = len(found) // 2, [], [], {}
    for place, (network, of) in enumerate(found.items()):
        y = [100 * of[examples]["mean"] for examples in of]
        ends = [of[examples]["interval"] for examples in of]
        numbers = sorted({len(of[examples]["errors"]) for examples in of})
        # The one in the middle has the axis that is seen.
        colour, axis = COLOURS[place % 3], "" if place == middle else str(place + 2)
        moved = APART * (place - middle)
        axes[f"xaxis{axis}"] = {
            "type": "log",
            "range": [first - moved, last - moved],
            **({"overlaying": "x", "visible": False} if axis else {}),
        }
        means.append(
            go.Scatter(
                x=list(of),
                y=y,
                xaxis=f"x{axis}",
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * high - at for (_, high), at in zip(ends, y, strict=True)],
                    "arrayminus": [at - 100 * low for (low, _), at in zip(ends, y, strict=True)],
                },
                mode="lines+markers",
                name=say(
                    "chart.few.name", network=network_name(network), trainings="–".join(map(str, numbers))
                ),
                line={"color": colour, "dash": ("solid", "dash", "dot")[place % 3]},
                marker={"symbol": SYMBOLS[place % 3], "size": 9},
                hovertemplate=hover("chart.few.hover", examples="%{x}", rate="%{y:.1f}"),
            )
        )
        each = [(examples, 100 * error) for examples in of for error in of[examples]["errors"]]
        single.append(
            go.Scatter(
                x=[at for at, _ in each],
                y=[error for _, error in each],
                xaxis=f"x{axis}",
                mode="markers",
                name=say("chart.few.each"),
                marker={"symbol": "line-ew-open", "size": 12, "color": colour, "line": {"width": 2}},
                showlegend=not place,
                hoverinfo="skip",
            )
        )
    figure = figure_of([*means, *single], say("chart.few.x"), say("chart.few.y"))
    figure.update_xaxes(tickmode="array", tickvals=places, ticktext=list(map(grouped, places)))
    figure.update_yaxes(rangemode="tozero")
    return figure.update_layout(showlegend=True, **axes)


def few_note(rows: Sequence[Few]) -> str:
    """What the errors and their intervals are, and of which trainings."""
    devices = ", ".join(dict.fromkeys(ran_on(row.device) for row in rows))
    return say("generalise.few.note", seeds=seeds_words(sorted({row.seed for row in rows})), devices=devices)


def few_table(found: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> Table:
    """A row for each network, a column for each number of examples."""
    places = sorted({examples for of in found.values() for examples in of})
    heads = [say("generalise.head.network"), *(say("generalise.examples", count=count) for count in places)]
    return heads, [
        (
            Cell(network_name(network), network),
            *(_few_cell(of[count]) if count in of else Cell(NOTHING) for count in places),
        )
        for network, of in found.items()
    ]


def _few_cell(error: Mapping[str, Any]) -> Cell:
    """The error, and below it also which trainings ran on what."""
    cell = error_cell(error)
    ran = [f"{seeds_words(seeds)}: {ran_on(device)}" for device, seeds in error["devices"].items()]
    return cell._replace(below="; ".join([cell.below, *ran]))
