"""A server's classes: opening one, joining it, drawing, voting. What a presenter can do with one is in presenter.py."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, select, update

from capsviz.classroom import rows
from capsviz.classroom.answers import Answers, shape_of
from capsviz.classroom.comparing import Comparing
from capsviz.classroom.limits import (
    MOST_PHONES,
    MOST_ROOMS,
    Buckets,
    Clock,
)
from capsviz.classroom.messages import Sent, parse_class, parse_place
from capsviz.classroom.names import (
    Tokens,
    digest,
    key_of,
    new_code,
    new_id,
    new_nickname,
    new_secret,
    plain_code,
)
from capsviz.classroom.presenter import Presenter
from capsviz.classroom.records import Glance, Joined, Opened, Phone, Room, Rules, Tile
from capsviz.classroom.refusals import NotAllowed, NotThere, Over, TooOften, Waits
from capsviz.classroom.schema import drawings, phones, polls, rooms, votes
from capsviz.classroom.sending import Sending, room_of_phone, tile_of_phone
from capsviz.classroom.settings import Settings
from capsviz.classroom.store import Store, again, changed
from capsviz.networks.base import DEFAULT
from capsviz.texts import say

if TYPE_CHECKING:
    from capsviz.models.model import Model


class Classroom:
    """All classes of a database.

    Args:
        settings: where they are kept.
        model_of: gives a network by its name, for ``Answers``.
        clock: seconds since 1970.

    Raises:
        CapsvizError: if the database or the server's key cannot be used.
    """

    def __init__(
        self, settings: Settings, model_of: "Callable[[str], Model]", clock: Callable[[], float] | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock or Clock()
        self._answers = Answers(model_of)
        self._store = Store(settings)
        self._comparing = Comparing(self._store, self._answers)
        self._sending = Sending(self._store, self._answers, self._comparing, self._clock)
        self._tokens = Tokens(key_of(settings))
        self._joining = threading.Lock()
        # Whoever tries codes: 24 bits at five a second, with a hundred classes open, take two days for one.
        self._wrong_of_all = Buckets(300, 5)
        self._wrong = Buckets(40, 0.5)

    def close(self) -> None:
        """Give the database back; a classroom on the same settings goes on with everything."""
        self._store.close()

    # --- the presenter ------------------------------------------------------------------------------------

    def open(self, network: str = DEFAULT, language: str = "en", rules: Rules | None = None) -> Opened:
        """Open a class.

        Args:
            network: name of the one that answers.
            language: code of the one in which nicknames are given.
            rules: that hold at first.

        Raises:
            TooOften: if there are too many classes.
            Busy: if nothing can be kept now.
        """
        rules, now, secret = rules or Rules(), self._clock(), new_secret()
        ends = now + 3600 * self._settings.hours

        def attempt() -> str:
            code = new_code()
            with self._store.writing() as connection:
                if (
                    connection.execute(select(func.count()).select_from(rooms)).scalar_one() >= MOST_ROOMS
                ):  # until a day is over
                    raise TooOften(say("class.refused.rooms"))
                connection.execute(
                    insert(rooms).values(
                        id=new_id(),
                        code=code,
                        secret=digest(secret),
                        network=network,
                        language=language,
                        opened=now,
                        ends=ends,
                        closed=False,
                        let_through=rules.let_through,
                        guess_first=rules.guess_first,
                        paused=rules.paused,
                        state=1,
                        revision=1,
                        task=0,
                        poll=0,
                    )
                )
            return code

        self.sweep()
        return Opened(again(8, attempt), secret, ends)

    def presenter(self, secret: str) -> Presenter:
        """The presenter's rights.

        Raises:
            NotAllowed: if this is no presenter's secret, or its class is gone.
        """
        with self._store.reading() as connection:
            found = connection.execute(
                select(rooms.c.id).where(rooms.c.secret == digest(secret), rooms.c.ends > self._clock())
            ).scalar_one_or_none()
        if found is None:
            raise NotAllowed(say("class.refused.secret"))
        return Presenter(self._store, found, self._clock)

    def sweep(self) -> int:
        """Remove the classes whose day is over, for good; how many they were."""
        gone = rooms.c.ends <= self._clock()
        with self._store.reading() as connection:  # hardly ever any: nobody waits for a writer
            if connection.execute(select(rooms.c.id).where(gone).limit(1)).first() is None:
                return 0
        with self._store.writing() as connection:
            count = connection.execute(delete(rooms).where(gone)).rowcount
        self._store.wipe()
        return count

    def compare(self) -> int:
        """Ask other networks about some drawings, as ``Comparing.step``; how many they were."""
        return self._comparing.step()

    # --- the phones ---------------------------------------------------------------------------------------

    def join(self, text: str, who: object = None) -> Joined:
        """Take a phone into the class whose code somebody has typed.

        Args:
            text: the code, in small letters or with spaces too.
            who: something that tells whoever asks from others, such as an address: it is kept in memory for a while, to
                count the wrong codes.

        Raises:
            NotThere: if there is no such class.
            Over: if it has ended.
            TooOften: after too many wrong codes, or if the class is full.
        """
        wait = max(self._wrong.wait(who), self._wrong_of_all.wait(""))
        if wait:
            raise TooOften(say("class.refused.codes"), wait)
        code = plain_code(text)
        room = None
        if code is not None:
            with self._store.reading() as connection:
                room = rows.room_of(connection, rooms.c.code == code)
        if room is None or room.ends <= self._clock():
            self._wrong.take(who)
            self._wrong_of_all.take("")
            raise NotThere(say("class.refused.code"))
        if room.closed:
            raise Over(say("class.refused.ended"))
        with self._joining:
            phone, nickname = again(8, lambda: self._add_phone(room))
        return Joined(self._tokens.token(room.id, phone), nickname)

    def _add_phone(self, room: Room) -> tuple[int, str]:
        with self._store.writing() as connection:
            taken = set(
                connection.execute(select(phones.c.nickname).where(phones.c.room == room.id)).scalars()
            )
            if len(taken) >= MOST_PHONES:
                raise TooOften(say("class.refused.full"))
            phone, nickname = new_id(), new_nickname(room.language, taken)
            connection.execute(insert(phones).values(id=phone, room=room.id, nickname=nickname))
            changed(connection, room.id)
        return phone, nickname

    def phone(self, token: str) -> Phone:
        """The phone that was given a token.

        Raises:
            NotAllowed: if it is none of this server's.
        """
        return Phone(*self._tokens.read(token))

    def room(self, phone: Phone) -> Room:
        """The class of a phone.

        Raises:
            Over: if it is gone.
        """
        with self._store.reading() as connection:
            return self._room(connection, phone.room)

    def _room(self, connection: Connection, number: int) -> Room:
        room = rows.room_of(connection, rooms.c.id == number, rooms.c.ends > self._clock())
        if room is None:
            raise Over(say("class.refused.over"))
        return room

    def told(self, phone: Phone) -> tuple[Room, dict[str, Any]]:
        """The class, and what the phone is told of itself: its nickname, where its last drawing stands, its vote.

        Raises:
            Over: if the class is gone, or the phone is not in it.
        """
        with self._store.reading() as connection:
            room = self._room(connection, phone.room)
            nickname = self._nickname(connection, phone)
            return room, {"nickname": nickname} | rows.own_of(connection, [phone.id], room)[phone.id]

    def _nickname(self, connection: Connection, phone: Phone) -> str:
        found = connection.execute(
            select(phones.c.nickname).where(phones.c.id == phone.id, phones.c.room == phone.room)
        ).scalar_one_or_none()
        if found is None:
            raise Over(say("class.refused.over"))
        return found

    def glance(self, number: int) -> Glance:
        """Whether anything has changed in a class: of what streams ask several times a second, the cheapest."""
        with self._store.reading() as connection:
            found = connection.execute(
                select(rooms.c.state, rooms.c.revision, rooms.c.ends).where(rooms.c.id == number)
            ).one_or_none()
        if found is None or found.ends <= self._clock():
            return Glance(-1, -1, True)
        return Glance(found.state, found.revision, False)

    def send(self, phone: Phone, sent: Sent) -> Tile:
        """Have a drawing read, and keep it: the same mark again is given what the first was, and nothing is added.

        Raises:
            MessageError: if the network tells no class apart of the name that it is meant to be.
            ImageError: if nothing can be made out in it.
            Waits: while the class pauses.
            Over: if it has ended, or is gone.
            TooOften: if this phone has sent too many, or too fast.
            Busy: if it cannot be read or kept now.
        """
        return self._sending.send(phone, sent)

    def guess(self, phone: Phone, mark: str, said: str) -> Tile:
        """Uncover the answer to a drawing, for a guess of what it is; "" without. The first guess is kept.

        Raises:
            NotThere: if the phone has sent no such drawing.
            MessageError: if the network tells no such class apart.
        """
        with self._store.writing() as connection:
            known = tile_of_phone(connection, phone, mark)
            if known is None:
                raise NotThere(say("class.refused.noDrawing"))
            if known.covered:
                guess = parse_class(said, shape_of(known.network).classes)
                values = {"guess": guess, "covered": False, "revision": changed(connection, phone.room)}
                connection.execute(update(drawings).where(drawings.c.id == known.id).values(values))
            tile = tile_of_phone(connection, phone, mark)
        assert tile is not None
        return tile

    def vote(self, phone: Phone, number: object, choice: object) -> int:
        """Vote in the poll that is open, or change one's vote; the place of the choice.

        Raises:
            Waits: if that poll is not open.
            MessageError: if there is no such choice.
        """
        with self._store.writing() as connection:
            room = self._room(connection, phone.room)
            if room_of_phone(connection, phone, self._clock()).dismissed:
                raise Over(say("class.refused.dismissed"))
            poll = room.poll
            if room.closed or poll is None or not poll.open or number != poll.number:
                raise Waits(say("class.refused.poll"))
            place = parse_place(choice, len(poll.choices))
            changed(connection, room.id)
            of_poll = select(polls.c.id).where(polls.c.room == room.id, polls.c.number == poll.number)
            own = (votes.c.poll == of_poll.scalar_subquery()) & (votes.c.phone == phone.id)
            if connection.execute(update(votes).where(own).values(choice=place)).rowcount == 0:
                poll_id = connection.execute(of_poll).scalar_one()
                connection.execute(insert(votes).values(poll=poll_id, phone=phone.id, choice=place))
        return place

    def everybody(self, number: int) -> tuple[Room, dict[int, dict[str, Any]]]:
        """A class, and what each of its phones is told of itself, but for its nickname, by their ids."""
        with self._store.reading() as connection:
            room = self._room(connection, number)
            there = connection.execute(select(phones.c.id).where(phones.c.room == number)).scalars().all()
            return room, rows.own_of(connection, there, room)
