"""What other networks make of a class's drawings: asked when nobody waits for an answer."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import bindparam, select, update

from capsviz.classroom.answers import Answers
from capsviz.classroom.schema import drawings, unasked
from capsviz.classroom.store import Store, changed
from capsviz.errors import CapsvizError
from capsviz.inputs.drawings import Drawing, decode
from capsviz.models.weights import available
from capsviz.networks.base import find

AT_ONCE = 32  # drawings that a network is asked about in one pass, and that are kept together
MOST_OTHERS = 3  # networks that are asked
PATIENCE = 0.5  # seconds that a pass, of some 20 ms, waits at most for a moment in which no phone waits


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
        self._phones = threading.Condition()
        self._waited_for = 0  # answers that phones wait for now

    @contextmanager
    def answering(self) -> Iterator[None]:
        """A phone waits for what is computed here."""
        with self._phones:
            self._waited_for += 1
        try:
            yield
        finally:
            with self._phones:
                self._waited_for -= 1
                self._phones.notify_all()

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
        found: dict[int, str] = {}
        for network in {row.network for row in rows}:
            asked = [row for row in rows if row.network == network]
            answers = self._ask(network, [decode(row.strokes) for row in asked])
            found |= {row.id: json.dumps(those) for row, those in zip(asked, answers, strict=True)}
        for room in sorted({row.room for row in rows}):
            here = [{"this": row.id, "answers": found[row.id]} for row in rows if row.room == room]
            with self._store.writing() as connection:
                revision = changed(connection, room)
                # Not those that were removed meanwhile.
                of_one = update(drawings).where(drawings.c.id == bindparam("this"), unasked)
                connection.execute(of_one.values(others=bindparam("answers"), revision=revision), here)
        return len(rows)

    def _ask(self, network: str, drawn: list[Drawing]) -> list[list[list[Any]]]:
        """For each drawing what each of the other networks says, as ``Other`` has it."""
        found: list[list[list[Any]]] = [[] for _ in drawn]
        for name in others_of(network):
            with self._phones:
                self._phones.wait_for(lambda: not self._waited_for, PATIENCE)
            try:
                answers = self._answers.read_all(name, drawn)
            except CapsvizError:  # without its weights, say: it says nothing
                continue
            for those, read in zip(found, answers, strict=True):
                if read is not None:
                    those.append([name, read.names, read.verdict, round(float(read.scores.max()), 4)])
        return found
