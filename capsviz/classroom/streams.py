"""Streams: a phone or a wall holds one connection, and is told of what changes.

Nothing is passed on within the server. One look at the class's row of the database, some times a second, finds what has
changed, whoever changed it: a page of this server, or another server on the same database.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from starlette.responses import Response, StreamingResponse

from capsviz.classroom.records import Glance
from capsviz.classroom.refusals import Busy, TooOften
from capsviz.texts import say

MOST_STREAMS = 3_000
LOOK = 0.35  # seconds from one look to the next
BEAT = 10.0  # seconds without news after which something is sent, so that everybody knows that the connection stands
HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-store, no-transform"}
BEATING = ": \n\n"


@dataclass
class _Watched:
    glance: Glance | None = None
    listeners: int = 0
    state: asyncio.Event = field(default_factory=asyncio.Event)
    revision: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None


class Watcher:
    """Looks after the classes that somebody listens to.

    Args:
        look: gives a class's ``Glance``.
    """

    def __init__(self, look: Callable[[int], Awaitable[Glance]]) -> None:
        self._look = look
        self._rooms: dict[int, _Watched] = {}
        self.closing = False  # the server stops: every stream ends
        self.streams = 0

    async def changes(self, room: int, drawings: bool = False) -> AsyncIterator[Glance | None]:
        """What a class has come to each time that something changed; None from time to time, when nothing has.

        Args:
            room: id of the class.
            drawings: whether each drawing counts, or only what the phones are told of.
        """
        watched = self._rooms.setdefault(room, _Watched())
        watched.listeners += 1
        self.streams += 1
        if watched.task is None:
            watched.task = asyncio.create_task(self._watch(room, watched))
        known: Glance | None = None
        try:
            while not self.closing:
                event = watched.revision if drawings else watched.state
                now = watched.glance
                if now is not None and (
                    known is None or now.over or _number(now, drawings) != _number(known, drawings)
                ):
                    known = now
                    yield now
                    if now.over:
                        return
                    continue
                try:
                    await asyncio.wait_for(event.wait(), BEAT)
                except TimeoutError:
                    yield None
        finally:
            self.streams -= 1
            watched.listeners -= 1
            if not watched.listeners:
                if watched.task is not None:
                    watched.task.cancel()
                self._rooms.pop(room, None)

    async def _watch(self, room: int, watched: _Watched) -> None:
        while True:
            try:
                now = await self._look(room)
            except Busy:  # the database comes back, or does not
                await asyncio.sleep(LOOK)
                continue
            before, watched.glance = watched.glance, now
            if now != before:
                if before is None or now.state != before.state or now.over:
                    watched.state.set()
                    watched.state = asyncio.Event()
                watched.revision.set()
                watched.revision = asyncio.Event()
            await asyncio.sleep(LOOK)

    def response(self, events: AsyncIterator[str]) -> Response:
        """A response that sends events as they come.

        Raises:
            TooOften: if there are too many already.
        """
        if self.streams >= MOST_STREAMS:
            raise TooOften(say("class.refused.streams"), 20)
        return StreamingResponse(events, 200, dict(HEADERS), "text/event-stream; charset=utf-8")

    def close(self) -> None:
        """Let every stream end: a server that stops waits for them."""
        self.closing = True
        for watched in self._rooms.values():
            watched.state.set()
            watched.revision.set()


def _number(glance: Glance, drawings: bool) -> int:
    return glance.revision if drawings else glance.state


def message(value: Any) -> str:
    """A server-sent event."""
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n"


def on_stop(tell: Callable[[], None]) -> None:
    """Call ``tell`` as soon as the server is asked to stop: it waits for connections to end, and only then says so."""
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)

        def handle(
            received: int, frame: FrameType | None, before: Any = before, number: signal.Signals = number
        ) -> None:
            tell()
            if callable(before):
                before(received, frame)
            else:
                signal.signal(number, before)
                signal.raise_signal(number)

        signal.signal(number, handle)
