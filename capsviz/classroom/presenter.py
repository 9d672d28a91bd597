"""What the presenter of a class can see and do."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from capsviz.classroom import rows
from capsviz.classroom.answers import shape_of
from capsviz.classroom.handout import handout
from capsviz.classroom.limits import MOST_TASKS
from capsviz.classroom.messages import parse_choices, parse_class, parse_place, parse_text
from capsviz.classroom.records import Poll, Room, Rules, Standing, Task, Tile
from capsviz.classroom.refusals import NotThere, Over, TooOften, Waits
from capsviz.classroom.schema import drawings, phones, polls, rooms, tasks
from capsviz.classroom.store import Store, changed, next_number
from capsviz.inputs.drawings import GRID
from capsviz.networks.base import find
from capsviz.texts import say

FORMULA = ("=", "+", "-", "@", "\t")  # with which a spreadsheet would take a text for a formula
PART = 100  # drawings that are read at once


@dataclass(frozen=True)
class Wall:
    """A class, and its drawings that have changed since somebody looked.

    Attributes:
        room: the class.
        tiles: in the order in which they changed; those that are removed too, empty.
        revision: to ask with the next time.
        more: whether there are more to ask for at once.
    """

    room: Room
    tiles: tuple[Tile, ...]
    revision: int
    more: bool


class Presenter:
    """The rights to one class; ``Classroom.presenter`` gives them for its secret.

    Every method raises ``Over`` if the class is gone, and ``Busy`` if the database cannot be asked now.
    """

    def __init__(self, store: Store, room: int, clock: Callable[[], float]) -> None:
        self._store, self.room_id, self._clock = store, room, clock

    def room(self) -> Room:
        """The class as it is now."""
        with self._store.reading() as connection:
            return self._room(connection)

    def wall(self, since: int = 0, most: int = PART) -> Wall:
        """The drawings that have changed since a revision, ``most`` of them at once.

        Args:
            since: 0 for all that there are.
            most: at least 1.
        """
        with self._store.reading() as connection:
            room = self._room(connection)
            here = [drawings.c.room == room.id, drawings.c.revision > since]
            if not since:
                here.append(drawings.c.standing != Standing.REMOVED)
            tiles = rows.tiles_of(connection, *here, most=most + 1)
            if len(tiles) <= most:
                return Wall(room, tuple(tiles), room.revision, False)
            # What changed together, such as all that were let through at once, is not torn apart.
            last = tiles[-1].revision
            whole = [tile for tile in tiles if tile.revision < last]
            if whole:
                return Wall(room, tuple(whole), whole[-1].revision, True)
            return Wall(
                room,
                tuple(rows.tiles_of(connection, *here, drawings.c.revision == last)),
                last,
                last < room.revision,
            )

    def tasks(self) -> list[Task]:
        """All that the class has been asked for, in their order."""
        return self._all(tasks, rows.task_of)

    def polls(self) -> list[Poll]:
        """All polls, in their order."""
        return self._all(polls, rows.poll_of)

    def _all(self, table: Any, record: Callable[[Connection, int, int], Any]) -> list[Any]:
        with self._store.reading() as connection:
            numbers = select(table.c.number).where(table.c.room == self.room_id).order_by(table.c.number)
            return [record(connection, self.room_id, n) for n in connection.execute(numbers).scalars()]

    # --- changes ------------------------------------------------------------------------------------------

    def rule(self, **changes: bool) -> Rules:
        """Change some of the class's rules: let_through, guess_first, paused. What waits stays as it is."""
        with self._store.writing() as connection:
            room = self._room(connection)
            rules = replace(room.rules, **changes)
            if changes:
                self._change(connection, **changes)
        return rules

    def set_network(self, name: str) -> None:
        """Have another network answer from now on; the answers that were given stay.

        Raises:
            NetworkError: if there is none of this name.
        """
        found = find(name)
        with self._store.writing() as connection:
            self._room(connection)
            self._change(connection, network=found.name)

    def set_task(self, text: str, drawn: str = "", read: str = "") -> Task | None:
        """Ask the class for something; with an empty text, for nothing more.

        Args:
            text: one line.
            drawn: name of the class that is to be drawn; "" for any.
            read: name of the class that the network is to read; "" for any.

        Raises:
            MessageError: if the text is too long, or the network tells no such class apart.
        """
        line = parse_text(text)
        with self._store.writing() as connection:
            room = self._room(connection)
            if not line:
                self._change(connection, task=0)
                return None
            classes = shape_of(room.network).classes
            task = Task(
                self._number(connection, tasks), line, parse_class(drawn, classes), parse_class(read, classes)
            )
            connection.execute(
                insert(tasks).values(
                    room=room.id, number=task.number, text=line, drawn=task.drawn, read=task.read
                )
            )
            self._change(connection, task=task.number)
        return task

    def ask(self, question: str, choices: Sequence[str], truth: int | None = None) -> Poll:
        """Open a poll; one that was open is closed.

        Args:
            question: one line.
            choices: 2 to 12 short lines, all different.
            truth: place of the right one; None where there is none.

        Raises:
            MessageError: if they are anything else.
        """
        line, lines = parse_text(question), parse_choices(choices)
        right = None if truth is None else parse_place(truth, len(lines))
        if not line:
            raise Waits(say("class.refused.question"))
        with self._store.writing() as connection:
            room = self._room(connection)
            number = self._number(connection, polls)
            connection.execute(update(polls).where(polls.c.room == room.id).values(open=False))
            connection.execute(
                insert(polls).values(
                    room=room.id,
                    number=number,
                    question=line,
                    choices=json.dumps(lines),
                    truth=right,
                    open=True,
                    told=False,
                )
            )
            self._change(connection, poll=number)
        return Poll(number, line, lines, right, True, False, (0,) * len(lines))

    def end_poll(self, told: bool = False) -> None:
        """Close the poll; with ``told`` the phones see how the class has voted, and the truth.

        Raises:
            NotThere: if there is none.
        """
        with self._store.writing() as connection:
            room = self._room(connection)
            if room.poll is None:
                raise NotThere(say("class.refused.poll"))
            this = (polls.c.room == room.id) & (polls.c.number == room.poll.number)
            connection.execute(update(polls).where(this).values(open=False, told=told or room.poll.told))
            self._change(connection)

    def drop_poll(self) -> None:
        """Take the poll off the phones; its votes are kept."""
        with self._store.writing() as connection:
            room = self._room(connection)
            connection.execute(update(polls).where(polls.c.room == room.id).values(open=False))
            self._change(connection, poll=0)

    def place(self, ids: Sequence[int], standing: Standing) -> int:
        """Let drawings through, hide them, or remove them for good; how many of them have changed.

        Args:
            ids: of tiles; of another class's none is touched.
            standing: ``SHOWN``, ``HIDDEN`` or ``REMOVED``; what is removed does not come back.
        """
        return self._place(standing, drawings.c.id.in_(ids))

    def let_all_through(self) -> int:
        """Let all drawings through that wait; how many they were."""
        return self._place(Standing.SHOWN, drawings.c.standing == Standing.WAITING)

    def clear(self) -> int:
        """Remove all drawings for good; how many they were."""
        return self._place(Standing.REMOVED)

    def _place(self, standing: Standing, *which: Any) -> int:
        with self._store.writing() as connection:
            self._room(connection)
            revision = self._change(connection)
            values: dict[str, Any] = {"standing": standing, "revision": revision}
            if standing is Standing.REMOVED:
                values |= rows.EMPTY | {"covered": False}
            here = [drawings.c.room == self.room_id, drawings.c.standing.not_in([standing, Standing.REMOVED])]
            count = connection.execute(update(drawings).where(*here, *which).values(values)).rowcount
        if standing is Standing.REMOVED:
            self._store.wipe()
        return count

    def dismiss(self, nickname: str) -> int:
        """Send a phone away: its drawings are removed for good, and no more are taken of it; how many they were.

        Raises:
            NotThere: if nobody in the class is called so.
        """
        with self._store.writing() as connection:
            self._room(connection)
            this = (phones.c.room == self.room_id) & (phones.c.nickname == nickname)
            if connection.execute(update(phones).where(this).values(dismissed=True)).rowcount == 0:
                raise NotThere(say("class.refused.nobody"))
        return self._place(
            Standing.REMOVED, drawings.c.phone.in_(select(phones.c.id).where(this).scalar_subquery())
        )

    def close(self) -> None:
        """End the class: nobody joins or draws any more. All that was drawn is there until its day is over."""
        with self._store.writing() as connection:
            self._room(connection)
            connection.execute(update(polls).where(polls.c.room == self.room_id).values(open=False))
            self._change(connection, closed=True)

    def delete(self) -> None:
        """Remove the class and all that belongs to it for good."""
        with self._store.writing() as connection:
            connection.execute(delete(rooms).where(rooms.c.id == self.room_id))
        self._store.wipe()

    def _room(self, connection: Connection) -> Room:
        room = rows.room_of(connection, rooms.c.id == self.room_id, rooms.c.ends > self._clock())
        if room is None:
            raise Over(say("class.refused.over"))
        return room

    def _change(self, connection: Connection, **values: Any) -> int:
        """Set columns of the class, and have the phones told; the new revision."""
        revision = changed(connection, self.room_id, phones=True)
        if values:
            connection.execute(update(rooms).where(rooms.c.id == self.room_id).values(values))
        return revision

    def _number(self, connection: Connection, table: Any) -> int:
        number = next_number(connection, table, self.room_id)
        if number > MOST_TASKS:
            raise TooOften(say("class.refused.tasks", most=MOST_TASKS))
        return number

    # --- what is taken along ------------------------------------------------------------------------------

    def strokes_file(self) -> str:
        """The drawings of which somebody said what they are, as ``evaluate --strokes`` reads them: one JSON object a line."""
        lines = []
        for tile in self._tiles():
            if tile.said:
                ways = [(stroke.points / GRID).tolist() for stroke in tile.drawing.strokes]
                entry = {"label": tile.said, "strokes": ways, "writer": tile.phone}
                lines.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
        return "".join(f"{line}\n" for line in lines)

    def table(self) -> str:
        """All drawings as CSV, a line each: when, by whom, for which task, what was said, guessed and read, all scores."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        tiles = self._tiles()
        asked = {task.number: task.text for task in self.tasks()}
        networks = {tile.network: shape_of(tile.network).classes for tile in tiles}
        columns = list(dict.fromkeys(name for classes in networks.values() for name in classes))
        first = ("sent", "nickname", "task", "said", "guess", "network", "read", "verdict", "standing")
        writer.writerow([*first, *(f"score {name}" for name in columns), "strokes"])
        for tile in tiles:
            scores = dict(zip(networks[tile.network], tile.scores.tolist(), strict=True))
            writer.writerow(
                [
                    datetime.fromtimestamp(tile.sent, UTC).isoformat(timespec="milliseconds"),
                    *map(_harmless, (tile.phone, asked.get(tile.task, ""), tile.said, tile.guess)),
                    *(tile.network, " + ".join(tile.reads), tile.verdict, str(tile.standing)),
                    *(f"{scores[name]:.6f}" if name in scores else "" for name in columns),
                    _harmless(tile.strokes),
                ]
            )
        return out.getvalue()

    def page(self) -> str:
        """What is on the wall, with tasks, polls and tables, as one page of HTML in the language that is spoken."""
        return handout(self.room(), self._tiles(), self.tasks(), self.polls())

    def _tiles(self) -> list[Tile]:
        with self._store.reading() as connection:
            room = self._room(connection)
            found = rows.tiles_of(
                connection, drawings.c.room == room.id, drawings.c.standing != Standing.REMOVED
            )
        return sorted(found, key=lambda tile: tile.id)


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
