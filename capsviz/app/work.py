"""Measurements that take seconds, in a thread of their own: one at a time on a server, which sessions look at and wait for."""

import threading
from collections.abc import Callable, Hashable

Told = Callable[[float], None]


class Stopped(Exception):  # noqa: N818 # no error
    """Whoever began it wants no more of it."""


class Work:
    """One measurement.

    Attributes:
        key: what is measured.
        share: how much of it is done, in 0..1.
        error: what ended it; None if nothing has.
    """

    def __init__(self, key: Hashable, compute: Callable[[Told], None]) -> None:
        self.key, self.share = key, 0.0
        self.error: Exception | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(compute,), name="capsviz-lab", daemon=True)

    @property
    def running(self) -> bool:
        """Whether it goes on; before it is begun, it does not."""
        return self._thread.is_alive()

    def begin(self) -> None:
        """Start it."""
        self._thread.start()

    def stop(self) -> None:
        """Have it end at its next look."""
        self._stopped.set()

    def wait(self, seconds: float) -> None:
        """Until it has ended, but no longer than so many seconds."""
        self._thread.join(seconds)

    def _told(self, share: float) -> None:
        if self._stopped.is_set():
            raise Stopped
        self.share = share

    def _run(self, compute: Callable[[Told], None]) -> None:
        try:
            compute(self._told)
        except Stopped:
            pass
        except Exception as error:  # what a device raises too; the session that looks says it
            self.error = error


_beginning = threading.Lock()
_now: Work | None = None


def running() -> Work | None:
    """What is being measured on this server."""
    return _now if _now is not None and _now.running else None


def begin(key: Hashable, compute: Callable[[Told], None]) -> Work | None:
    """Begin a measurement; None, and nothing is begun, while another one runs.

    Args:
        key: what is measured.
        compute: keeps what it finds by itself; what it calls with the share that is done may raise ``Stopped``.
    """
    global _now
    with _beginning:
        if running() is not None:
            return None
        _now = Work(key, compute)
        _now.begin()
        return _now
