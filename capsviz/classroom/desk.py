"""Work beside the event loop: a few threads, and a queue that says "busy" instead of growing."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

from capsviz.classroom.refusals import Busy
from capsviz.texts import say

T = TypeVar("T")


LATEST = 60.0  # seconds that one who was refused is asked to wait, at most
FIRST_PACE = 0.02  # seconds a job, until it is known


class Desk:
    """Threads that work through a queue.

    Whoever is refused is told a time of its own to ask again, one after the other as fast as jobs are done: were all told
    the same, more work would go into refusing than into what is refused.

    Args:
        threads: that work at the same time.
        most: jobs that are worked on or wait; one more is refused.
        retry: seconds after which whoever was refused may ask again, at least.
    """

    def __init__(self, threads: int, most: int, retry: float = 2.0) -> None:
        self._pool = ThreadPoolExecutor(threads, "capsviz-class")
        self._threads, self._most, self._retry = threads, most, retry
        # All of these are changed on the event loop only.
        self._here = 0
        self._pace = FIRST_PACE  # seconds from the end of one job to that of the next, while others wait
        self._done = 0.0  # when the last one was
        self._turn = 0.0  # when the last one who was refused may ask again

    async def run(self, job: Callable[[], T]) -> T:
        """What ``job`` returns or raises, run in a thread of the desk, in the language that is spoken here.

        Raises:
            Busy: if too many wait.
        """
        if self._here >= self._most:
            raise Busy(say("class.refused.busy"), self._next_turn())
        self._here += 1
        try:
            context = contextvars.copy_context()
            return await asyncio.wrap_future(self._pool.submit(context.run, job))
        finally:
            self._here -= 1
            self._count(monotonic())

    def _next_turn(self) -> float:
        now = monotonic()
        self._turn = min(max(self._turn, now + self._retry) + self._pace, now + LATEST)
        return round(self._turn - now, 1)

    def _count(self, now: float) -> None:
        if self._here >= self._threads:  # all were at work
            self._pace += 0.1 * (min(now - self._done, 1.0) - self._pace)
        self._done = now

    def close(self) -> None:
        """Let the threads go, once they have done what waits."""
        self._pool.shutdown()
