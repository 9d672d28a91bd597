"""Records from rows of the database."""

import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, select

from capsviz.classroom.answers import claimed, shape_of, unsure_below
from capsviz.classroom.records import Other, Poll, Room, Rules, Standing, Task, Tile
from capsviz.classroom.schema import drawings, phones, polls, rooms, tasks, votes
from capsviz.errors import CapsvizError


def room_of(connection: Connection, *where: Any) -> Room | None:
    """The class that a condition on ``rooms`` finds."""
    row = connection.execute(select(rooms).where(*where)).one_or_none()
    if row is None:
        return None
    joined = connection.execute(
        select(func.count()).select_from(phones).where(phones.c.room == row.id)
    ).scalar_one()
    return Room(
        row.id,
        row.code,
        row.network,
        row.language,
        row.opened,
        row.ends,
        row.closed,
        Rules(row.let_through, row.guess_first, row.paused),
        task_of(connection, row.id, row.task),
        poll_of(connection, row.id, row.poll),
        joined,
        row.state,
        row.revision,
    )


def task_of(connection: Connection, room: int, number: int) -> Task | None:
    """A task of a class."""
    found = connection.execute(
        select(tasks).where(tasks.c.room == room, tasks.c.number == number)
    ).one_or_none()
    return None if found is None else Task(found.number, found.text, found.drawn, found.read)


def poll_of(connection: Connection, room: int, number: int) -> Poll | None:
    """A poll of a class, with its tally."""
    found = connection.execute(
        select(polls).where(polls.c.room == room, polls.c.number == number)
    ).one_or_none()
    if found is None:
        return None
    choices = tuple(json.loads(found.choices))
    of_choice = select(votes.c.choice, func.count()).where(votes.c.poll == found.id).group_by(votes.c.choice)
    counted = {row[0]: int(row[1]) for row in connection.execute(of_choice)}
    tally = tuple(counted.get(place, 0) for place in range(len(choices)))
    return Poll(found.number, found.question, choices, found.truth, found.open, found.told, tally)


TILES = select(drawings, phones.c.nickname).join(phones, phones.c.id == drawings.c.phone)


def tiles_of(connection: Connection, *where: Any, most: int | None = None) -> list[Tile]:
    """Drawings that a condition finds, in the order in which they last changed."""
    wanted = TILES.where(*where).order_by(drawings.c.revision, drawings.c.id).limit(most)
    rows = connection.execute(wanted)
    return [tile_of(row) for row in rows]


def tile_of(row: Row[Any]) -> Tile:
    """A drawing with its phone's nickname."""
    seen = np.frombuffer(zlib.decompress(row.seen), np.uint8) if row.seen else np.empty(0, np.uint8)
    side = round(len(seen) ** 0.5)
    scores = np.frombuffer(row.scores, "<f4")
    return Tile(
        row.id,
        row.nickname,
        row.mark,
        row.strokes,
        row.said,
        row.guess,
        row.network,
        row.read,
        _reads(row, scores),
        row.verdict,
        scores,
        seen.reshape(side, side),
        Standing(row.standing),
        row.sent,
        row.task,
        row.covered,
        None if row.others is None else tuple(map(_other, json.loads(row.others))),
        row.revision,
    )


def _reads(row: Row[Any], scores: np.ndarray) -> tuple[str, ...]:
    try:
        return claimed(scores, shape_of(row.network), unsure_below(row.network))
    except CapsvizError:  # of a network that is not here any more
        return (row.read,)


def _other(kept: list[Any]) -> Other:
    network, reads, verdict, score = kept
    # One name alone is of a database from before some networks told several.
    return Other(network, (reads,) if isinstance(reads, str) else tuple(reads), verdict, score)


EMPTY = {
    **dict.fromkeys(("strokes", "said", "guess", "read", "verdict"), ""),
    **{"scores": b"", "seen": b"", "others": "[]"},
}


def kept(scores: np.ndarray, seen: np.ndarray) -> dict[str, bytes]:
    """How arrays are kept: float32 [J] scores, uint8 [S, S] pixels."""
    return {"scores": scores.astype("<f4").tobytes(), "seen": zlib.compress(seen.tobytes())}


def own_of(connection: Connection, phone_ids: Sequence[int], room: Room) -> dict[int, dict[str, Any]]:
    """What each of some phones is told of itself: whether it was sent away, where its last drawing stands, its vote."""
    own: dict[int, dict[str, Any]] = {
        phone: {"dismissed": False, "last": None, "vote": None} for phone in phone_ids
    }
    away = select(phones.c.id).where(phones.c.room == room.id, phones.c.dismissed)
    for phone in connection.execute(away).scalars():
        if phone in own:
            own[phone]["dismissed"] = True
    last = select(func.max(drawings.c.id)).where(drawings.c.room == room.id).group_by(drawings.c.phone)
    if len(own) == 1:
        last = last.where(drawings.c.phone == next(iter(own)))
    for row in connection.execute(
        select(drawings.c.phone, drawings.c.mark, drawings.c.standing).where(drawings.c.id.in_(last))
    ):
        if row.phone in own:
            own[row.phone]["last"] = {"mark": row.mark, "standing": row.standing}
    if room.poll:
        chosen = select(votes.c.phone, votes.c.choice).join(polls, polls.c.id == votes.c.poll)
        of_poll = chosen.where(polls.c.room == room.id, polls.c.number == room.poll.number)
        for phone, choice in connection.execute(of_poll):
            if phone in own:
                own[phone]["vote"] = choice
    return own
