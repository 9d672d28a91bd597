"""A class as one page of HTML that needs nothing else: to hand out, to print, to keep."""

import html
from collections.abc import Sequence
from datetime import UTC, datetime

from capsviz.classroom.answers import shape_of
from capsviz.classroom.ink import pen_of, svg_path
from capsviz.classroom.records import Other, Poll, Room, Standing, Task, Tile
from capsviz.figures.theme import data_uri
from capsviz.inputs.drawings import PAD
from capsviz.networks.base import find
from capsviz.texts import language, say
from capsviz.texts.numbers import grouped, number, per_cent

MOST = 1_000  # drawings on a page: the last ones
NONE = "–"  # what is read where nothing is claimed
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = """
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
body { max-width: 1100px; margin: 0 auto; padding: 24px; }
h1, h2, p, ol, figure { margin: 0; padding: 0; }
h2 { padding: 28px 0 6px; font-size: 20px; }
table { border-collapse: collapse; text-align: center; }
th, td { min-width: 2.2em; padding: 3px 6px; border: 1px solid #8886; }
td.agreed { background: #3a86e055; }
td.other { background: #f08a2455; font-weight: 700; }
li.right { font-weight: 700; }
ol { list-style: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, 132px); gap: 10px; padding-top: 8px; }
figure { width: 132px; font-size: 14px; line-height: 1.25; break-inside: avoid; overflow-wrap: anywhere; }
svg { display: block; width: 132px; height: 132px; background: #000; fill: none; stroke: #fff; stroke-linecap: round; stroke-linejoin: round; }
.read { display: flex; gap: 8px; align-items: center; padding: 4px 0; }
.read img { width: 44px; height: 44px; image-rendering: pixelated; }
.read b { font-size: 30px; line-height: 1; }
.fooled svg { outline: 3px solid #f08a24; outline-offset: -3px; }
@media print { body { padding: 0; } svg, .read img, td { print-color-adjust: exact; } }
"""


def handout(room: Room, tiles: Sequence[Tile], tasks: Sequence[Task], polls: Sequence[Poll]) -> str:
    """The page, in the language that is spoken.

    Args:
        room: the class.
        tiles: its drawings, in the order of sending; those that are on the wall are shown, the last ``MOST`` of them.
        tasks, polls: all of them.
    """
    shown = [tile for tile in tiles if tile.standing is Standing.SHOWN and not tile.covered]
    title = say("class.wall.class", code=room.code)
    when = datetime.fromtimestamp(room.opened, UTC).strftime("%Y-%m-%d")
    network = say("class.wall.answers", network=find(room.network).title)
    many = f"{say('class.wall.phones', count=room.phones)} · {say('class.wall.drawings', count=len(shown))}"
    parts = [
        f"<h1>{_text(title)}</h1><p>{when} · {_text(many)} · {_text(network)}</p>",
        *map(_task, tasks),
        *map(_poll, polls),
        _table(shown, shape_of(room.network).classes),
        f"<h2>{_text(say('class.wall.order.newest'))}</h2>",
        _more(len(shown)),
        f'<div class="tiles">{"".join(map(_tile, reversed(shown[-MOST:])))}</div>',
    ]
    return (
        f'<!doctype html>\n<html lang="{_text(language())}"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width"><title>capsviz: {_text(title)}</title>\n'
        f"<style>{STYLE}</style></head>\n<body>{''.join(parts)}</body></html>\n"
    )


def _text(text: str) -> str:
    return html.escape(text)


def _more(count: int) -> str:
    return f"<p>{say('class.wall.more', shown=grouped(MOST), all=grouped(count))}</p>" if count > MOST else ""


def _task(task: Task) -> str:
    return f"<h2>{_text(say('class.wall.task.now'))} {_text(task.text)}</h2>"


def _poll(poll: Poll) -> str:
    rows = []
    for place, (choice, count) in enumerate(zip(poll.choices, poll.tally, strict=True)):
        right = place == poll.truth
        mark = f" ✓ {_text(say('class.wall.poll.right'))}" if right else ""
        rows.append(f"<li{' class=right' if right else ''}>{_text(choice)}: {count}{mark}</li>")
    return f"<h2>{_text(poll.question)}</h2><ol>{''.join(rows)}</ol>"


def _table(tiles: Sequence[Tile], classes: Sequence[str]) -> str:
    """A row for each class that was said, a column for each that was read; what was read altogether below."""
    columns = [*classes, NONE]
    cells = {(said, read): 0 for said in classes for read in columns}
    everything = dict.fromkeys(columns, 0)
    for tile in tiles:
        reads = (NONE,) if tile.verdict == "no digit" else tile.reads
        for read in everything.keys() & reads:
            everything[read] += 1
        # Of several that are read, the one that was said; a drawing counts once.
        read = tile.said if tile.said in reads else reads[0]
        if (tile.said, read) in cells:
            cells[tile.said, read] += 1
    told, agreed = sum(cells.values()), sum(cells[name, name] for name in classes)
    if told:
        share = per_cent(agreed / told, 0)
        said = say("class.wall.agreed", count=told, agreed=agreed, share=share)
    else:
        said = say("class.wall.drawings", count=len(tiles))
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in columns)
    rows = [_row(name, [_cell(name, read, cells[name, read]) for read in columns]) for name in classes]
    rows.append(_row(say("class.wall.all"), [f"<td>{everything[read]}</td>" for read in columns]))
    return (
        f"<h2>{_text(say('class.wall.table'))}</h2><p>{_text(said)}</p><table><thead><tr>"
        f'<th scope="col">{_text(say("class.wall.saidRead"))}</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def _row(name: str, cells: Sequence[str]) -> str:
    return f'<tr><th scope="row">{_text(name)}</th>{"".join(cells)}</tr>'


def _cell(said: str, read: str, count: int) -> str:
    look = "agreed" if said == read else "other"
    return f'<td class="{look}">{count}</td>' if count else "<td>·</td>"


def _read(answer: Tile | Other) -> str:
    return NONE if answer.verdict == "no digit" else " + ".join(answer.reads)


def _tile(tile: Tile) -> str:
    drawing = tile.drawing
    said = say("class.wall.meantBy", said=tile.said) if tile.said else ""
    others = sorted(set(map(_read, tile.others or ())))
    other = say("class.wall.otherwise", reads=", ".join(others)) if tile.disputed else ""
    words = say("class.wall.tile", name=tile.phone, read=_read(tile), score=number(float(tile.scores.max())))
    unsure = "?" if tile.verdict == "unsure" else ""
    below = "".join(f"<p>{_text(line)}</p>" for line in (tile.phone, said, other) if line)
    return (
        f'<figure{" class=fooled" if tile.fooled else ""}><svg viewBox="0 0 {PAD} {PAD}" role="img" '
        f'aria-label="{_text(words)}"><path d="{svg_path(drawing)}" stroke-width="{pen_of(drawing):g}"/></svg>'
        f'<div class="read"><img src="{data_uri(tile.seen)}" alt=""><b>{_text(_read(tile))}{unsure}</b> '
        f"{number(float(tile.scores.max()))}</div><figcaption>{below}</figcaption></figure>"
    )
