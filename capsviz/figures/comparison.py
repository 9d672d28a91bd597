"""All networks side by side in one table, for the Model page and as text."""

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from capsviz.inputs.data import MNIST
from capsviz.models.card import side_by_side
from capsviz.models.comparison import Entry, tested_on_drawings
from capsviz.models.rates import of_card
from capsviz.models.size import together
from capsviz.networks.base import Source, Spec
from capsviz.texts import say
from capsviz.texts.numbers import grouped, number, per_cent
from capsviz.traces.base import LENGTH

NOTHING = "–"
COLUMNS = ("network", "parameters", "multiplyAdds", "error", "drawings", "calibration", "training", "source")
TIMED = (*COLUMNS[:-2], "milliseconds", *COLUMNS[-2:])


class Cell(NamedTuple):
    """What stands in one place of the table: the figure, what is said of it below, where it leads, and how that is named."""

    figure: str
    below: str = ""
    link: str = ""
    name: str = ""


def cells(entry: Entry, milliseconds: float | None = None) -> dict[str, Cell]:
    """One network's row, by ``TIMED``."""
    spec, measured, source = entry.spec, entry.evaluation, entry.spec.source
    answer, every = together(entry.parts, decoder=False), together(entry.parts)
    draws = every != answer
    counted = of_card(entry.card)
    row = {
        "network": Cell(spec.title, spec.name),
        "parameters": Cell(
            grouped(answer.parameters),
            say("model.all.with", count=grouped(every.parameters)) if draws else say("model.all.without"),
        ),
        "multiplyAdds": Cell(
            millions(answer.multiply_adds),
            say("model.all.more", count=millions(every.multiply_adds - answer.multiply_adds))
            if draws
            else "",
        ),
        "error": Cell(
            per_cent(entry.card["test_error"]), _error(spec, counted[1]) if counted else spec.data.name
        ),
        "drawings": Cell(NOTHING),
        "calibration": Cell(NOTHING),
        "milliseconds": Cell(NOTHING if milliseconds is None else number(milliseconds, 1)),
        "training": Cell(
            duration(entry.seconds),
            f"{_epochs(entry)}, {entry.card['device']}",
        ),
        "source": Cell(
            published_error(source) or say("model.all.architecture", paper=source.paper),
            f"{source.paper}, {say(f'model.published.{source.of}')}" if source.accuracy and source.of else "",
            source.link,
            ""
            if source.accuracy
            else say("model.all.architectureOf", paper=source.paper, network=spec.title),
        ),
    }
    if measured:
        row["error"] = Cell(per_cent(entry.error["error_rate"]), _error(spec, entry.error["interval"]))
        score = "lengths" if spec.shape.score == LENGTH else "probabilities"
        row["calibration"] = Cell(number(measured["calibration"]["ece"], 3), say(f"model.all.{score}"))
    if measured and "drawings" in measured:
        drawn = measured["drawings"]
        low, high = drawn["interval"]
        by = say("model.all.people", count=drawn["writers"]) if drawn["writers"] else ""
        if tested_on_drawings(measured):  # one measurement, which is shown once
            below = row["error"].below
            row["error"] = row["error"]._replace(below=f"{below}, {by}" if by else below)
            return {**row, "drawings": Cell(NOTHING, say("model.all.isTest"))}
        shown = say("model.all.range", low=per_cent(low, 1), high=per_cent(high, 1))
        row["drawings"] = Cell(per_cent(drawn["rate"]), f"{shown}, {by}" if by else shown)
    return row


def published_error(source: Source) -> str:
    """What a paper reports, as an error with as many decimals: "99.75%" is 0.25%; "" if it reports nothing."""
    if not source.accuracy:
        return ""
    right = source.accuracy.rstrip("%")
    return per_cent(1 - float(right) / 100, len(right.partition(".")[2]))


def networks_table(entries: Sequence[Entry], chosen: str, milliseconds: Mapping[str, float]) -> str:
    """HTML table with a row for each network.

    Args:
        entries: the networks.
        chosen: name of the one that answers, whose row is marked.
        milliseconds: an answer of each network takes here, by name, of those that were timed.
    """
    columns = TIMED if milliseconds else COLUMNS
    heads = "".join(f'<th scope="col">{html.escape(_head(column))}</th>' for column in columns)
    body = ""
    for entry in entries:
        row = cells(entry, milliseconds.get(entry.spec.name))
        mark = ' class="cv-chosen" aria-current="true"' if entry.spec.name == chosen else ""
        values = "".join(
            f'<td data-column="{html.escape(_head(column))}"><span>{cell_html(row[column])}</span></td>'
            for column in columns[1:]
        )
        name = f"<span data-verbatim>{cell_html(row[columns[0]])}</span>"  # which no language translates
        body += f'<tr{mark}><th scope="row">{name}</th>{values}</tr>'
    return (
        '<div class="cv-frame"><table class="cv-table cv-networks" data-testid="networks">'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def cell_html(cell: Cell) -> str:
    """A cell's figure, which leads to where its link does, and below it what is said of it."""
    figure = html.escape(cell.figure)
    if cell.link:
        name = f' aria-label="{html.escape(cell.name)}"' if cell.name else ""
        figure = f'<a href="{html.escape(cell.link)}"{name} target="_blank" rel="noopener">{figure}</a>'
    return f"<b>{figure}</b>" + (f"<small>{html.escape(cell.below)}</small>" if cell.below else "")


def networks_text(entries: Sequence[Entry], milliseconds: Mapping[str, float] | None = None) -> str:
    """The same table as Markdown whose columns stand below each other; with times only if there are some."""
    columns = TIMED if milliseconds else COLUMNS
    rows = [[_head(column) for column in columns]]
    for entry in entries:
        row = cells(entry, (milliseconds or {}).get(entry.spec.name))
        rows.append([cell_text(row[column]) for column in columns])
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows as Markdown whose columns stand below each other; the first row is the head."""
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"| {' | '.join(text.ljust(size) for text, size in zip(row, wide, strict=True))} |" for row in rows
    ]
    return "\n".join([lines[0], f"|{'|'.join('-' * (size + 2) for size in wide)}|", *lines[1:]])


def cell_text(cell: Cell) -> str:
    """The same on one line."""
    return f"{cell.figure} ({cell.below})" if cell.below else cell.figure


def _error(spec: Spec, interval: Sequence[float]) -> str:
    low, high = map(per_cent, interval)
    if spec.shape.answers > 1:
        return say("model.all.errorPairs", low=low, high=high, data=MNIST.name)
    return say("model.all.error", low=low, high=high, data=spec.data.name)


def _epochs(entry: Entry) -> str:
    """How long the last training was, of how many epochs in all."""
    (last, epochs), beside = entry.epochs, side_by_side(entry.card)
    if last == epochs:
        return say("model.all.epochs", count=last)
    if beside == 1:
        return say("model.all.lastEpochs", last=last, all=epochs)
    return say("model.all.lastEpochsBeside", last=last, all=epochs, beside=beside)


def _head(column: str) -> str:
    return say(f"model.all.head.{column}")


def millions(count: int) -> str:
    """A count in millions."""
    return say("model.all.millions", count=number(count / 1e6, 1))


def duration(seconds: float) -> str:
    """A time in words, as exactly as anyone asks for it."""
    if round(seconds) < 60:
        return say("model.all.seconds", seconds=max(round(seconds), 1))
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return (
        say("model.all.hours", hours=hours, minutes=f"{rest:02}")
        if hours
        else say("model.all.minutes", minutes=minutes)
    )
