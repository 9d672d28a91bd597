"""Work beside the event loop: a few threads, and a queue that says "busy" instead of growing."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from capsviz.classroom.refusals import Busy
from capsviz.texts import say

T = TypeVar("T")


class Desk:
    """Threads that work through a queue.

    Args:
        threads: that work at the same time.
        most: jobs that are worked on or wait; one more is refused.
        retry: seconds after which whoever was refused may ask again.
    """

    def __init__(self, threads: int, most: int, retry: float = 2.0) -> None:
        self._pool = ThreadPoolExecutor(threads, "capsviz-class")
        self._most, self._retry = most, retry
        self._here = 0  # counted on the event loop only

    async def run(self, job: Callable[[], T]) -> T:
        """What ``job`` returns or raises, run in a thread of the desk, in the language that is spoken here.

        Raises:
            Busy: if too many wait.
        """
        if self._here >= self._most:
            raise Busy(say("class.refused.busy"), self._retry)
        self._here += 1
        try:
            context = contextvars.copy_context()
            return await asyncio.wrap_future(self._pool.submit(context.run, job))
        finally:
            self._here -= 1

    def close(self) -> None:
        """Let the threads go, once they have done what waits."""
        self._pool.shutdown()
