"""How much is taken of anybody, and the clock that classes go by."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

MOST_ROOMS = 100  # classes at once on a server
MOST_PHONES = 2_000  # in a class
MOST_DRAWINGS = 300  # of a phone in a class
MOST_ALL_DRAWINGS = 50_000  # of a class
MOST_TASKS = 500  # of a class; as many polls
KEYS = 20_000  # buckets that are kept at once


class Buckets:
    """For each key a bucket of tokens that fills up again: whoever finds it empty waits.

    Args:
        size: tokens of a full bucket.
        per_second: by which it fills.
    """

    def __init__(
        self, size: float, per_second: float, clock: Callable[[], float] = time.monotonic, keys: int = KEYS
    ) -> None:
        self._size, self._speed, self._clock, self._keys = size, per_second, clock, keys
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # tokens, and when
        self._lock = threading.Lock()

    def wait(self, key: Hashable) -> float:
        """Seconds until there is a token; 0 if there is one. None is taken."""
        with self._lock:
            return max(0.0, (1 - self._now(key)) / self._speed)

    def take(self, key: Hashable) -> float:
        """Take a token; seconds until there will be one if there is none, else 0."""
        with self._lock:
            tokens = self._now(key)
            if tokens < 1:
                return (1 - tokens) / self._speed
            self._left[key] = (tokens - 1, self._clock())
            self._left.move_to_end(key)
            if len(self._left) > self._keys:
                self._left.popitem(last=False)
            return 0.0

    def _now(self, key: Hashable) -> float:
        tokens, since = self._left.get(key, (self._size, self._clock()))
        return min(self._size, tokens + self._speed * (self._clock() - since))


class Clock:
    """Seconds since 1970, as the machine's clock said when this began: it may be set meanwhile, no class ends of that."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] | None = None
    ) -> None:
        self._steady = steady or _steady
        self._began = wall() - self._steady()

    def __call__(self) -> float:
        """Now."""
        return self._began + self._steady()


def _steady() -> float:
    """Seconds that went by, those in which a laptop slept too, where the system counts them."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)
