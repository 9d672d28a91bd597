"""Records as scripts are sent them: what a phone may know of its class and its drawings, and what its presenter."""

import base64
from typing import Any

from capsviz.classroom.answers import shape_of, unsure_below
from capsviz.classroom.ink import pen_of, svg_path
from capsviz.classroom.presenter import Wall
from capsviz.classroom.records import Room, Standing, Tile
from capsviz.figures.theme import class_colours


def told(room: Room, own: dict[str, Any]) -> dict[str, Any]:
    """What a phone is told of its class and of itself; of a poll's tally and truth only when the presenter says so."""
    shape, poll, task = shape_of(room.network), room.poll, room.task
    return {
        "code": room.code,
        "closed": room.closed,
        "paused": room.rules.paused,
        "guessFirst": room.rules.guess_first,
        "letThrough": room.rules.let_through,
        "network": {
            "name": room.network,
            "classes": shape.classes,
            "colours": class_colours(len(shape.classes)),
            "kind": shape.kind,
            "score": shape.score,
            "size": shape.size,
            "unsureBelow": unsure_below(room.network),
        },
        "task": task and {"number": task.number, "text": task.text, "drawn": task.drawn, "read": task.read},
        "poll": poll
        and {
            "number": poll.number,
            "question": poll.question,
            "choices": poll.choices,
            "open": poll.open,
            "tally": poll.tally if poll.told else None,
            "truth": poll.truth if poll.told else None,
        },
        "own": own,
    }


def answered(tile: Tile) -> dict[str, Any]:
    """What a phone is told of a drawing of its own; while it has not guessed, nothing of the answer."""
    known = {
        "mark": tile.mark,
        "standing": tile.standing,
        "covered": tile.covered,
        "said": tile.said,
        "seen": _text(tile),
    }
    if tile.covered or tile.standing is Standing.REMOVED:
        return known
    scores = [round(score, 6) for score in tile.scores.tolist()]
    return known | {
        "network": tile.network,
        "read": tile.read,
        "reads": tile.reads,
        "verdict": tile.verdict,
        "scores": scores,
        "guess": tile.guess,
    }


def presented(room: Room) -> dict[str, Any]:
    """A class as its presenter is told of it."""
    poll = room.poll
    shown = told(room, {})
    if poll and shown["poll"]:
        shown["poll"] |= {"tally": poll.tally, "truth": poll.truth, "told": poll.told}
    return shown | {
        "phones": room.phones,
        "opened": room.opened,
        "ends": room.ends,
        "revision": room.revision,
        "language": room.language,
    }


def walled(wall: Wall) -> dict[str, Any]:
    """A class and its drawings."""
    return {
        "room": presented(wall.room),
        "tiles": [tiled(tile) for tile in wall.tiles],
        "revision": wall.revision,
        "more": wall.more,
    }


def tiled(tile: Tile) -> dict[str, Any]:
    """A drawing as the wall is told of it."""
    drawing = tile.drawing
    return {
        "id": tile.id,
        "phone": tile.phone,
        "strokes": tile.strokes,
        "path": svg_path(drawing),
        "width": pen_of(drawing),
        "said": tile.said,
        "guess": tile.guess,
        "network": tile.network,
        "read": tile.read,
        "reads": tile.reads,
        "verdict": tile.verdict,
        "scores": [round(score, 4) for score in tile.scores.tolist()],
        "seen": _text(tile),
        "standing": tile.standing,
        "sent": tile.sent,
        "task": tile.task,
        "covered": tile.covered,
        "fooled": tile.fooled,
        "others": tile.others
        and [
            {"network": other.network, "reads": other.reads, "verdict": other.verdict, "score": other.score}
            for other in tile.others
        ],
        "disputed": tile.disputed,
    }


def _text(tile: Tile) -> str:
    """The pixels seen, row by row, in base64."""
    return base64.b64encode(tile.seen.tobytes()).decode("ascii")
