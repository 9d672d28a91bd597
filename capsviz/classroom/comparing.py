"""What other networks make of a class's drawings: asked when nobody waits for an answer."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from sqlalchemy import select, update

from capsviz.classroom.answers import Answers
from capsviz.classroom.schema import drawings, unasked
from capsviz.classroom.store import Store, changed
from capsviz.errors import CapsvizError
from capsviz.inputs.drawings import decode
from capsviz.models.weights import available
from capsviz.networks.base import find

AT_ONCE = 8  # drawings that are kept together
MOST_OTHERS = 3  # networks that are asked
CALM = 0.1  # seconds in which no phone was answered, before another network is asked
PATIENCE = (
    0.5  # seconds that each asking waits for that at most: a hall that sends all the time has 2 in a second
)


def others_of(network: str) -> tuple[str, ...]:
    """Networks whose weights are here that tell the same classes apart, learned from the same pictures."""
    own = find(network)
    found = []
    for name in available():
        spec = find(name)
        alike = spec.shape.classes == own.shape.classes and spec.data.name == own.data.name
        if alike and name != own.name:
            found.append(name)
    return tuple(found[:MOST_OTHERS])


class Comparing:
    """Asks other networks about drawings that the class's own has answered.

    What is still to be done stands in the database: a server that starts again goes on where it was.
    """

    def __init__(self, store: Store, answers: Answers) -> None:
        self._store, self._answers = store, answers
        self._counting = threading.Lock()
        self._waited_for = 0  # answers that phones wait for now
        self._answered = 0.0  # when the last one came

    @contextmanager
    def answering(self) -> Iterator[None]:
        """A phone waits for what is computed here."""
        with self._counting:
            self._waited_for += 1
        try:
            yield
        finally:
            with self._counting:
                self._waited_for -= 1
                self._answered = monotonic()

    def step(self) -> int:
        """Ask about the last drawings that nothing is known of; how many they were.

        Raises:
            Busy: if the database cannot be asked now.
        """
        wanted = select(drawings.c.id, drawings.c.room, drawings.c.strokes, drawings.c.network)
        with self._store.reading() as connection:
            rows = connection.execute(
                wanted.where(unasked).order_by(drawings.c.id.desc()).limit(AT_ONCE)
            ).all()
        found = {row.id: self._ask(row.network, row.strokes) for row in rows}
        for room in sorted({row.room for row in rows}):
            with self._store.writing() as connection:
                revision = changed(connection, room)
                for row in rows:
                    if row.room == room:
                        here = (drawings.c.id == row.id) & unasked  # not one that was removed meanwhile
                        connection.execute(
                            update(drawings).where(here).values(others=found[row.id], revision=revision)
                        )
        return len(rows)

    def _let_phones_first(self) -> None:
        """Wait until none was answered for a moment; each asking, not each batch of them, or phones would wait for all."""
        end = monotonic() + PATIENCE
        while (now := monotonic()) < end and (self._waited_for or now - self._answered < CALM):
            sleep(min(CALM, end - now))

    def _ask(self, network: str, strokes: str) -> str:
        drawing, found = decode(strokes), []
        for name in others_of(network):
            self._let_phones_first()
            try:
                read = self._answers.read(name, drawing)
            except CapsvizError:  # without its weights, say: it says nothing
                continue
            found.append([name, read.name, read.verdict, round(float(read.scores.max()), 4)])
        return json.dumps(found)
