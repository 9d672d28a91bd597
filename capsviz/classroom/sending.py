"""A drawing that a phone sends: read by the class's network, and kept.

It is what a server does most. So each statement is put together once, which takes as long as to run it, and few are asked.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from capsviz.classroom import rows
from capsviz.classroom.answers import Answers, shape_of
from capsviz.classroom.comparing import Comparing
from capsviz.classroom.limits import MOST_ALL_DRAWINGS, MOST_DRAWINGS, Buckets
from capsviz.classroom.messages import Sent, parse_class
from capsviz.classroom.records import Phone, Standing, Tile
from capsviz.classroom.refusals import Over, TooOften, Waits
from capsviz.classroom.schema import drawings, phones, rooms
from capsviz.classroom.store import Store
from capsviz.inputs.drawings import encode
from capsviz.texts import say, speak_of

_now = rooms.c.ends > bindparam("now")
_of_phone = drawings.c.phone == bindparam("phone")
_ROOM = (
    select(rooms, phones.c.dismissed, phones.c.nickname)
    .join(phones, phones.c.room == rooms.c.id)
    .where(phones.c.id == bindparam("phone"), rooms.c.id == bindparam("room"), _now)
)
_KNOWN = rows.TILES.where(_of_phone, drawings.c.mark == bindparam("mark"))
_CHANGE = (
    update(rooms)
    .where(rooms.c.id == bindparam("room"), _now)
    .values(revision=rooms.c.revision + 1)
    .returning(rooms)
)
_count = select(func.count()).select_from(drawings)
_PHONE = select(phones.c.dismissed, _count.where(_of_phone).scalar_subquery().label("sent")).where(
    phones.c.id == bindparam("phone"), phones.c.room == bindparam("room")
)
_ALL = _count.where(drawings.c.room == bindparam("room"))
_KEEP = insert(drawings)


def room_of_phone(connection: Connection, phone: Phone, now: float) -> Row[Any]:
    """The row of a phone's class, with the phone's ``dismissed`` and ``nickname``.

    Raises:
        Over: if the class is gone, or the phone is not in it.
    """
    asked = {"phone": phone.id, "room": phone.room, "now": now}
    room = connection.execute(_ROOM, asked).one_or_none()
    if room is None:
        raise Over(say("class.refused.over"))
    return room


def tile_of_phone(connection: Connection, phone: Phone, mark: str) -> Tile | None:
    """A phone's drawing by its mark."""
    found = connection.execute(_KNOWN, {"phone": phone.id, "mark": mark}).one_or_none()
    return None if found is None else rows.tile_of(found)


class Sending:
    """Takes drawings.

    Args:
        store: where they are kept.
        answers: reads them.
        comparing: is told while a phone waits.
        clock: seconds since 1970.
    """

    def __init__(
        self, store: Store, answers: Answers, comparing: Comparing, clock: Callable[[], float]
    ) -> None:
        self._store, self._answers, self._comparing, self._clock = store, answers, comparing, clock
        self._pace = Buckets(6, 0.5)  # of a phone

    def send(self, phone: Phone, sent: Sent) -> Tile:
        """As ``Classroom.send``."""
        with self._store.reading() as connection:
            known = tile_of_phone(connection, phone, sent.mark)
            if known is not None:
                return known
            room = room_of_phone(connection, phone, self._clock())
        _check_open(room, room.dismissed)
        shape = shape_of(room.network)
        said = parse_class(sent.said, shape.classes)
        wait = self._pace.take(phone.id)
        if wait:
            raise TooOften(say("class.refused.fast"), wait)
        speak_of(shape.kind)
        with self._comparing.answering():
            read = self._answers.read(room.network, sent.drawing)
        values = {
            "mark": sent.mark,
            "strokes": encode(sent.drawing),
            "said": said,
            "guess": "",
            "network": room.network,
            "read": read.names[0],
            "verdict": read.verdict,
            "sent": self._clock(),
        }
        try:
            kept = self._keep(phone, values | rows.kept(read.scores, read.seen))
        except IntegrityError:  # the same mark, in two requests at once: the first one counts
            with self._store.reading() as connection:
                first = tile_of_phone(connection, phone, sent.mark)
            if first is None:
                raise Over(say("class.refused.over")) from None
            return first
        there = values | kept | {"scores": read.scores, "seen": read.seen}
        return Tile(phone=room.nickname, reads=read.names, others=None, **there)

    def _keep(self, phone: Phone, values: dict[str, Any]) -> dict[str, Any]:
        """Keep a drawing; what the class, as it is now and perhaps was not before, has made of it."""
        asked = {"room": phone.room, "now": self._clock()}
        with self._store.writing() as connection:
            room = connection.execute(_CHANGE, asked).one_or_none()
            own = connection.execute(_PHONE, {"phone": phone.id, "room": phone.room}).one_or_none()
            if room is None or own is None:
                raise Over(say("class.refused.over"))
            _check_open(room, own.dismissed)
            if own.sent >= MOST_DRAWINGS:
                raise TooOften(say("class.refused.many", most=MOST_DRAWINGS))
            # Each drawing is a revision: thousands need not be counted for each one before there are as many of those.
            if (
                room.revision > MOST_ALL_DRAWINGS
                and connection.execute(_ALL, {"room": phone.room}).scalar_one() >= MOST_ALL_DRAWINGS
            ):
                raise TooOften(say("class.refused.all"))
            made = {
                "covered": room.guess_first,
                "standing": Standing.WAITING if room.let_through else Standing.SHOWN,
                "task": room.task,
                "revision": room.revision,
            }
            row = values | made | {"room": phone.room, "phone": phone.id}
            number = connection.execute(_KEEP, row).inserted_primary_key
            assert number is not None
            return made | {"id": number[0]}


def _check_open(room: Row[Any], dismissed: bool) -> None:
    if dismissed:
        raise Over(say("class.refused.dismissed"))
    if room.closed:
        raise Over(say("class.refused.ended"))
    if room.paused:
        raise Waits(say("class.refused.paused"), 5)
