"""Many people drawing at once, without browsers: ``python -m benchmarks.load --sessions 30 --seconds 60``, or ``--phones 200``.

Each session speaks Streamlit's protocol over a websocket as a browser does: it opens the app, then clears the canvas
and draws a digit, every few seconds. Every answer that comes back is held against what the library says of that
drawing. Only a server on this machine is asked, by a bounded number of sessions for a bounded time. How phones of a class
do it, phones.py says.
"""

import argparse
import asyncio
import ipaddress
import json
import os
import random
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from websockets.asyncio.client import ClientConnection

from capsviz import load_model
from capsviz.errors import CapsvizError
from capsviz.inputs.drawings import PAD, Drawing, stroke_of
from capsviz.inputs.examples import EXAMPLES
from capsviz.models.weights import load_card, locate
from capsviz.networks.base import DEFAULT
from tests.e2e.protocol import Session, connected
from tests.e2e.serving import serve

MOST_SESSIONS, MOST_PHONES, MOST_SECONDS = 100, 2_000, 600
EVERY = 5.0  # seconds from one drawing to the next, on average
SHIFTS = (-0.04, 0, 0.04)  # of an example, as shares of the canvas: each shift is another drawing
ANSWER = re.compile(r'data-testid="answer">(.)<')
LENGTH = re.compile(r"\|v\| of digit (\d) is (\d\.\d{3})")


@dataclass(frozen=True)
class Task:
    """Strokes as the canvas sends them, and what the library answers."""

    paths: list[dict[str, Any]]
    answer: str  # a digit, or a dash for "no digit"
    lengths: tuple[float, ...]


@dataclass
class Counts:
    """What the sessions together have seen."""

    waits: list[float] = field(default_factory=list)  # seconds from a drawing to its answer on the wire
    sent: list[int] = field(default_factory=list)  # bytes on the wire from a drawing to the end of its run
    wrong: list[str] = field(default_factory=list)


def drawings() -> list[Task]:
    """The examples, each at several places, with the library's answers."""
    model = load_model(device="cpu")
    made = []
    for example in EXAMPLES:
        for shift in SHIFTS:
            ways = [PAD * (np.array(stroke) + shift) for stroke in example.strokes]
            strokes = tuple(stroke_of(way, PAD * example.width) for way in ways)
            try:
                lengths = model.trace(Drawing(strokes).image()).lengths[-1]
            except CapsvizError:
                continue  # moved out of the canvas
            if lengths.max() < model.card["unsure_below"]:
                continue
            # As a hand draws them: simplified by the server alone, and not a second time, which leaves out more.
            paths = [{"type": "Path", "path": path(way), "strokeWidth": PAD * example.width} for way in ways]
            made.append(Task(paths, str(int(lengths.argmax())), tuple(lengths.tolist())))
    return made


def path(points: np.ndarray) -> list[list[Any]]:
    """A polyline [N, 2] as the canvas has it."""
    first, *rest = points.tolist()
    return [["M", *first], *(["L", *point] for point in rest)]


def wrong(card: str, drawing: Task) -> str:
    """What differs in an answer from the library's; "" if nothing does."""
    answer, lengths = ANSWER.search(card), dict(LENGTH.findall(card))
    if answer is None or answer[1] != drawing.answer:
        return f"answered {answer[1] if answer else 'nothing'} instead of {drawing.answer}"
    for digit, length in enumerate(drawing.lengths):
        if abs(float(lengths.get(str(digit), "nan")) - length) <= 0.00051:  # it comes with three decimals
            continue
        return f"length of {digit} is {lengths.get(str(digit))} instead of {length:.3f}"
    return ""


async def opened_page(socket: ClientConnection, page: str) -> Session:
    """A session that has opened the app and gone to a page; "" for the first."""
    session = Session(socket)
    await session.run()
    if page:
        session.page = page
        await session.run()
    if page == "routing":
        # As its script says once it has them: they are sent no more.
        name = load_card(locate(DEFAULT))["sha256"][:16]
        await session.tell_once("transforms", json.dumps({"stored": name}))
    return session


async def person(
    url: str,
    page: str,
    chosen: list[Task],
    seconds: float,
    counts: Counts,
    ready: asyncio.Barrier,
    seed: int,
) -> None:
    """Open the app, wait for the others, then draw until it is time to leave."""
    rng = random.Random(seed)
    async with connected(url) as socket:
        session = await opened_page(socket, page)
        await ready.wait()
        await ready.wait()  # memory is read in between
        end = time.perf_counter() + seconds
        await asyncio.sleep(rng.uniform(0, min(EVERY, seconds)))
        while time.perf_counter() < end:
            drawing = rng.choice(chosen)
            await session.run("clear")
            began = time.perf_counter()
            await session.draw(*drawing.paths)
            counts.waits.append(session.answered - began)
            counts.sent.append(session.bytes)
            if problem := wrong(session.card, drawing):
                counts.wrong.append(problem)
            await asyncio.sleep(rng.expovariate(1 / EVERY))
        await ready.wait()


class Server:
    """What the system says of the processes that serve."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids

    def seconds(self) -> float:
        """Processor time so far; NaN of a server that is not ours."""
        # Linux has a clock for each process's own time: its number inverted, and 2 for its clock of the scheduler.
        clocks = [time.clock_gettime((~pid << 3) | 2) for pid in self._pids]
        return sum(clocks) if clocks else float("nan")

    def megabytes(self) -> float:
        """Memory that they have now, likewise."""
        found = [re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()) for pid in self._pids]
        return sum(int(size[1]) for size in found if size) / 1024 if found else float("nan")


async def load(url: str, server: Server, sessions: int, seconds: float, page: str, rest: float) -> int:
    """Run it and print what was seen; how many answers were wrong."""
    chosen, counts = drawings(), Counts()
    async with connected(url) as socket:
        await Session(socket).run()  # the network is loaded for the first
    await asyncio.sleep(1)
    before = server.megabytes()
    ready = asyncio.Barrier(sessions + 1)
    people = asyncio.gather(
        *(person(url, page, chosen, seconds, counts, ready, seed) for seed in range(sessions))
    )

    async def watch() -> tuple[float, float, float, float]:
        await ready.wait()
        opened, began = server.megabytes(), server.seconds()
        await ready.wait()
        await asyncio.sleep(seconds / 2)
        half = server.megabytes()
        await ready.wait()
        return opened, half, server.megabytes(), server.seconds() - began

    opened, half, after, spent = (await asyncio.gather(watch(), people))[0]
    await asyncio.sleep(rest)
    if not counts.waits:
        raise SystemExit("Nobody came to draw: give more --seconds.")
    low, median, high = (1000 * np.quantile(counts.waits, [0.05, 0.5, 0.95])).tolist()
    answers = len(counts.waits)
    print(
        f"{sessions} sessions for {seconds:g} s on {page or 'draw'}: {answers} answers, {len(counts.wrong)} wrong"
    )
    print(f"pen-up to answer on the wire: p50 {median:.0f} ms, p95 {high:.0f} ms, p5 {low:.0f} ms")
    print(f"processor time of the server, for a Clear and an answer: {1000 * spent / answers:.0f} ms")
    print(f"sent for an answer, on the wire: {np.mean(counts.sent) / 1000:.1f} kB")
    print(
        f"memory: {before:.0f} MB before, {(opened - before) / sessions:.1f} MB a session when opened, "
        f"{(half - before) / sessions:.1f} MB after half the time, {(after - before) / sessions:.1f} MB at its end; "
        f"{server.megabytes():.0f} MB {rest:g} s after they left"
    )
    for problem in counts.wrong[:5]:
        print(f"wrong: {problem}", file=sys.stderr)
    return len(counts.wrong)


@contextmanager
def served(url: str | None, **environment: str) -> Iterator[tuple[str, Server]]:
    """The server that was named, or one of its own."""
    if url:
        yield url, Server()
        return
    with serve("app.py", **environment) as own:
        (child,) = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        yield own, Server(int(child))


def local(url: str) -> str:
    """An address on this machine; any other is refused."""
    host = urlsplit(url).hostname or ""
    if host != "localhost" and not (
        re.fullmatch(r"[\d.]+|[\da-f:]+", host) and ipaddress.ip_address(host).is_loopback
    ):
        raise argparse.ArgumentTypeError("only a server on this machine is asked: http://127.0.0.1:PORT")
    return url.rstrip("/")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=4, choices=range(1, MOST_SESSIONS + 1), metavar="M")
    parser.add_argument("--seconds", type=int, default=30, choices=range(1, MOST_SECONDS + 1), metavar="S")
    parser.add_argument("--page", default="draw", choices=["draw", "routing"])
    parser.add_argument(
        "--rest",
        type=int,
        default=5,
        choices=range(MOST_SECONDS + 1),
        metavar="S",
        help="until they are gone; Streamlit forgets sessions after 120 (%(default)s)",
    )
    parser.add_argument("--url", type=local, help="of a server that runs here already (else one is started)")
    parser.add_argument(
        "--phones",
        type=int,
        choices=range(1, MOST_PHONES + 1),
        metavar="N",
        help="of a class on a server of its own, instead of sessions",
    )
    parser.add_argument(
        "--two", action="store_true", help="two servers, with Caddy and PostgreSQL, for the phones"
    )
    options = parser.parse_args()
    if options.phones:
        from benchmarks.phones import load_phones

        return int(load_phones(options.phones, options.seconds, options.two) > 0)
    with served(options.url) as (url, server):
        page = "" if options.page == "draw" else options.page
        return int(asyncio.run(load(url, server, options.sessions, options.seconds, page, options.rest)) > 0)


if __name__ == "__main__":
    sys.exit(main())
