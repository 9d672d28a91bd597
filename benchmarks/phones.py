"""Many phones in one class: ``python -m benchmarks.load --phones 200 --seconds 60``.

Each phone joins, listens to its stream and sends a drawing every ten seconds, spread over them; where the server is
busy it waits and sends the same again, and now and then it sends one again as if the answer had been lost. A wall
listens. Every answer is held against the library's, and at the end the database against what was accepted: none lost,
none there twice.
"""

import asyncio
import gzip
import json
import random
import secrets
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from benchmarks.load import SHIFTS, Server, served
from benchmarks.two_servers import two_served
from capsviz import load_model
from capsviz.classroom.records import Opened
from capsviz.classroom.rooms import Classroom
from capsviz.classroom.settings import Settings
from capsviz.errors import CapsvizError
from capsviz.inputs.drawings import PAD, Drawing, stroke_of
from capsviz.inputs.examples import EXAMPLES

EVERY = 10.0  # seconds from one drawing of a phone to the next
AGAIN = 0.05  # of the drawings are sent twice
EXACT = 5e-6  # by which a score may differ: six decimals, and the order of sums
JOINING = 50  # phones that join at once


@dataclass(frozen=True)
class Drawn:
    """A drawing as a phone sends it, written once for all that send it, and the library's scores."""

    body: str  # JSON but for its mark and the bracket before that
    scores: np.ndarray


@dataclass
class Seen:
    """What all phones together have seen."""

    waits: list[float] = field(default_factory=list)  # seconds from sending to the answer
    accepted: list[str] = field(default_factory=list)
    answers: list[tuple[bytes, Drawn]] = field(default_factory=list)  # they are looked at afterwards
    busy: int = 0
    again: int = 0
    wrong: list[str] = field(default_factory=list)
    sent: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # when, by nickname
    shown: list[tuple[float, bytes]] = field(default_factory=list)  # when, and what the wall was told
    share: float = 0.0  # of a core, that the server took
    own: float = 0.0  # and that asking it took
    lasted: float = 0.0  # seconds


class Connection:
    """Asks one server; a connection for each question: the server closes those that rest for 5 seconds."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._common = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of an answer."""
        reader, headers, status = await self._send(method, path, body)
        if "content-length" in headers:
            answer = await reader.readexactly(int(headers["content-length"]))
        else:  # what a proxy passes on as it comes has no length
            answer = b"".join([chunk async for chunk in _chunks(reader)])
        self.close()
        return status, gzip.decompress(answer) if headers.get("content-encoding") == "gzip" else answer

    async def listen(self, path: str) -> AsyncIterator[bytes]:
        """What a stream tells."""
        reader, _, status = await self._send("GET", path, b"")
        assert status == 200, status
        text = b""
        async for chunk in _chunks(reader):
            text += chunk
            *whole, text = text.split(b"\n\n")
            for part in whole:
                if part.startswith(b"data: "):
                    yield part[6:]

    async def _send(
        self, method: str, path: str, body: bytes
    ) -> tuple[asyncio.StreamReader, dict[str, str], int]:
        reader, self._writer = await asyncio.open_connection(self._host, self._port)
        kind = "Content-Type: application/json\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAccept-Encoding: gzip\r\n{self._common}{kind}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)
        }
        return reader, headers, int(lines[0].split()[1])

    def close(self) -> None:
        if self._writer:
            self._writer.close()


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readline()) or b"0", 16):
        yield (await reader.readexactly(size + 2))[:-2]


def drawings() -> list[Drawn]:
    """The examples, each at several places, with the library's scores."""
    model = load_model(device="cpu")
    made = []
    for example in EXAMPLES:
        for shift in SHIFTS:
            ways = [PAD * (np.array(stroke) + shift) for stroke in example.strokes]
            strokes = tuple(stroke_of(way, PAD * example.width) for way in ways)
            try:
                scores = model.predict(Drawing(strokes).image()[None])[0]
            except CapsvizError:
                continue
            sent = {
                "strokes": [way.ravel().tolist() for way in ways],
                "width": PAD * example.width,
                "said": "",
            }
            made.append(Drawn(json.dumps(sent)[1:], scores))
    return made


async def phone(
    url: str, code: str, chosen: list[Drawn], seconds: float, seen: Seen, joining: asyncio.Semaphore, ready: asyncio.Barrier, seed: int
) -> None:  # fmt: skip
    """Join, wait for the others, draw until it is time to leave."""
    rng = random.Random(seed)
    async with joining:
        guest = Connection(url, {})
        status, answer = await guest.ask("POST", "/c/api/join", json.dumps({"code": code}).encode())
        assert status == 200, answer
    joined = json.loads(answer)
    headers = {"Authorization": f"Bearer {joined['token']}"}
    own, stream = Connection(url, headers), Connection(url, headers)
    listening = asyncio.create_task(swallow(stream))
    await ready.wait()
    end = time.perf_counter() + seconds
    await asyncio.sleep(rng.uniform(0, min(EVERY, seconds)))
    while time.perf_counter() < end:
        began = time.perf_counter()
        await send(own, rng.choice(chosen), seen, joined["own"]["nickname"], rng.random() < AGAIN)
        await asyncio.sleep(max(0.0, began + EVERY - time.perf_counter()))
    await ready.wait()
    listening.cancel()
    stream.close()


async def swallow(stream: Connection) -> None:
    async for _ in stream.listen("/c/api/stream"):
        pass


async def send(own: Connection, drawn: Drawn, seen: Seen, nickname: str, twice: bool) -> None:
    mark = secrets.token_hex(16)
    body = f'{{"mark":"{mark}",{drawn.body}'.encode()
    began = time.perf_counter()
    seen.sent[nickname].append(began)
    status, answer = await until_answered(own, body, seen)
    seen.waits.append(time.perf_counter() - began)
    if status != 200:
        seen.wrong.append(f"answered {status}: {answer[:300]!r}")
        return
    seen.accepted.append(mark)
    seen.answers.append((answer, drawn))
    if twice:
        seen.again += 1
        status, again = await until_answered(own, body, seen)
        if (status, again) != (200, answer):
            seen.wrong.append(f"sent again, answered {status}: {again[:300]!r}")


async def until_answered(own: Connection, body: bytes, seen: Seen) -> tuple[int, bytes]:
    """Status and answer; where the server is busy, the same again when it says."""
    while True:
        status, answer = await own.ask("POST", "/c/api/send", body)
        if status not in (429, 503):
            return status, answer
        seen.busy += 1
        await asyncio.sleep(json.loads(answer)["retry"] or 1)


def check_answers(seen: Seen) -> None:
    """Hold each answer against the library's."""
    for text, drawn in seen.answers:
        answer = json.loads(text)
        off = np.abs(np.array(answer["scores"]) - drawn.scores).max()
        if off > EXACT or answer["read"] != str(int(drawn.scores.argmax())):
            seen.wrong.append(f"read {answer['read']}, off by {off:.2g}")


async def watch_wall(url: str, secret: str, seen: Seen) -> None:
    wall = Connection(url, {"Authorization": f"Bearer {secret}"})
    async for message in wall.listen("/c/api/class/stream?since=0"):
        seen.shown.append((time.perf_counter(), message))


def to_the_wall(seen: Seen) -> list[float]:
    """Seconds from sending to the wall, of each drawing; those of a phone come in the order of sending."""
    shown: dict[str, list[float]] = defaultdict(list)
    known: set[int] = set()  # they come again once other networks have been asked
    for when, message in seen.shown:
        for tile in json.loads(message)["tiles"]:
            if tile["id"] not in known:
                known.add(tile["id"])
                shown[tile["phone"]].append(when)
    return [
        there - sent for name in seen.sent for sent, there in zip(seen.sent[name], shown[name], strict=False)
    ]


async def run(url: str, opened: Opened, server: Server, phones: int, seconds: float, seen: Seen) -> None:
    """Have them all draw."""
    chosen, joining, ready = drawings(), asyncio.Semaphore(JOINING), asyncio.Barrier(phones + 1)
    await send_first(url, opened.code, chosen[0])
    async with asyncio.TaskGroup() as tasks:  # where one fails, all do
        wall = tasks.create_task(watch_wall(url, opened.secret, seen))
        for seed in range(phones):
            tasks.create_task(phone(url, opened.code, chosen, seconds, seen, joining, ready, seed))
        await ready.wait()
        began, before, own = time.perf_counter(), server.seconds(), time.process_time()
        await ready.wait()
        seen.lasted = time.perf_counter() - began
        seen.share, seen.own = (
            (server.seconds() - before) / seen.lasted,
            (time.process_time() - own) / seen.lasted,
        )
        await asyncio.sleep(2)  # the wall's last ones
        wall.cancel()


async def send_first(url: str, code: str, drawn: Drawn) -> None:
    """The network is loaded for the first."""
    guest = Connection(url, {})
    _, joined = await guest.ask("POST", "/c/api/join", json.dumps({"code": code}).encode())
    own = Connection(url, {"Authorization": f"Bearer {json.loads(joined)['token']}"})
    await send(own, drawn, Seen(), "", False)


@contextmanager
def serving(folder: Path, two: bool) -> Iterator[tuple[str, Server, Settings]]:
    """A server, or two, of its own: address, processes, and where classes are kept."""
    if two:
        with two_served() as (url, database, key, processes):
            yield url, Server(*processes), Settings(folder, database, key=key)
    else:
        with served(None, CAPSVIZ_DATA=str(folder)) as (url, server):
            yield url, server, Settings(folder)


def load_phones(phones: int, seconds: float, two: bool = False) -> int:
    """Run it on servers of its own and print what was seen; how much was wrong, lost or there twice."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), two) as (url, server, settings):
        room, seen = Classroom(settings, load_model), Seen()
        opened = room.open()
        asyncio.run(run(url, opened, server, phones, seconds, seen))
        kept = Counter(
            tile.mark
            for tile in room.presenter(opened.secret).wall(most=50_000).tiles
            if tile.phone in seen.sent
        )
        room.close()
        memory = server.megabytes()
    lost, twice = set(seen.accepted) - kept.keys(), sum(count - 1 for count in kept.values())
    if not seen.waits:
        raise SystemExit("Nobody came to draw: give more --seconds.")
    low, median, high = (1000 * np.quantile(seen.waits, [0.05, 0.5, 0.95])).tolist()
    late = to_the_wall(seen)
    check_answers(seen)
    print(
        f"{phones} phones for {seconds:g} s: {len(seen.waits)} drawings, {len(seen.wrong)} wrong, {len(lost)} lost, "
        f"{twice} there twice; {seen.again} sent again, {seen.busy} times busy"
    )
    print(f"sent to answered: p50 {median:.0f} ms, p95 {high:.0f} ms, p5 {low:.0f} ms")
    print(
        f"sent to the wall: p50 {np.median(late):.2f} s, p95 {np.quantile(late, 0.95):.2f} s, at most {max(late):.2f} s"
    )
    print(
        f"processor time of the server: {seen.share:.2f} of a core, "
        f"{1000 * seen.share * seen.lasted / len(seen.waits):.1f} ms a drawing; of asking it: {seen.own:.2f} of a core; "
        f"memory {memory:.0f} MB"
    )
    for problem in seen.wrong[:5]:
        print(f"wrong: {problem}", file=sys.stderr)
    return len(seen.wrong) + len(lost) + twice
