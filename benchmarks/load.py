"""Many people drawing at once, without browsers: ``python -m benchmarks.load --sessions 30 --seconds 60``.

Each session speaks Streamlit's protocol over a websocket as a browser does: it opens the app, then clears the canvas
and draws a digit, every few seconds. Every answer that comes back is held against what the library says of that
drawing. Only a server on this machine is asked, by a bounded number of sessions for a bounded time.
"""

import argparse
import asyncio
import base64
import io
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
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets import Origin, Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from capsviz import canvas_to_mnist, load_model
from capsviz.errors import CapsvizError
from capsviz.examples import EXAMPLES, render
from capsviz.figures.reading import EN_DASH, verdict
from capsviz.ui import INK, PAD
from tests.e2e.serving import serve

MOST_SESSIONS, MOST_SECONDS = 100, 600
EVERY = 3.0  # seconds from one drawing to the next, on average
PATIENCE = 60.0  # seconds until an answer that does not come is an error
SHIFTS = (-0.04, 0, 0.04)  # of an example, as shares of the canvas: each shift is another drawing
ANSWER = re.compile(r'data-testid="answer">(.)<')
LENGTH = re.compile(r"\|v\| of digit (\d) is (\d\.\d{3})")


@dataclass(frozen=True)
class Drawing:
    """Strokes as the canvas sends them, and what the library answers."""

    message: dict[str, Any]  # ``canvas_message``, but for the revision
    answer: str  # a digit, or a dash for "no digit"
    lengths: tuple[float, ...]


@dataclass
class Counts:
    """What the sessions together have seen."""

    waits: list[float] = field(default_factory=list)  # seconds from a drawing to its answer on the wire
    sent: list[int] = field(default_factory=list)  # bytes from a drawing to the end of its run
    wrong: list[str] = field(default_factory=list)


def canvas_message(strokes: list[np.ndarray], width: float, pixels: np.ndarray) -> dict[str, Any]:
    """The state of the canvas component after these strokes, as its script sends it.

    Args:
        strokes: each [N, 2], pixels of the canvas.
        width: of the pen, in the same.
        pixels: [280, 280] how that looks, uint8.
    """
    paths = [
        {
            "type": "Path",
            "path": [["M", *stroke[0].tolist()], *(["L", *point.tolist()] for point in stroke[1:])],
            "fill": None,
            "stroke": INK,
            "strokeWidth": width,
            "strokeLineCap": "round",
            "strokeLineJoin": "round",
        }
        for stroke in strokes
    ]
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("RGBA").save(buffer, "PNG")
    picture = base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"drawing": {"raw": {"objects": paths}, "data": f"data:image/png;base64,{picture}"}}


def drawings() -> list[Drawing]:
    """The examples, each at several places, with the library's answers."""
    model = load_model(device="cpu")
    made = []
    for example in EXAMPLES:
        for shift in SHIFTS:
            moved = [np.round(PAD * (np.asarray(stroke) + shift), 2) for stroke in example.strokes]
            width = round(PAD * example.width, 2)
            strokes = tuple(tuple((x / PAD, y / PAD) for x, y in stroke.tolist()) for stroke in moved)
            pixels = render(strokes, width / PAD, PAD)
            try:
                lengths = model.trace(canvas_to_mnist(pixels, "light")).lengths[-1]
            except CapsvizError:
                continue  # moved out of the canvas
            none = verdict(lengths, model.card["unsure_below"]) == "no digit"
            answer = EN_DASH if none else str(int(lengths.argmax()))
            made.append(Drawing(canvas_message(moved, width, pixels), answer, tuple(lengths.tolist())))
    return made


class Session:
    """One person's page."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._pages: dict[str, str] = {}  # hash of each page's script, by its name in the address
        self._ids: dict[str, str] = {}  # of the widgets, by their key
        self._revision = 0  # of what the canvas was told to show
        self._state: dict[str, Any] | None = None  # of the canvas
        self.page = ""
        self.card = ""  # the answer's HTML
        self.answered = 0.0  # when it came
        self.bytes = 0  # of the last run

    async def run(self, pressed: str = "") -> None:
        """Have the script run, as after a press of a button or a change of the canvas, and read what it sends."""
        message = BackMsg()
        client = message.rerun_script
        client.query_string = ""
        client.page_script_hash = self._pages.get(self.page, "")
        if self._state is not None:
            widget = client.widget_states.widgets.add()
            widget.id, widget.json_value = self._ids["canvas"], json.dumps(self._state)
        if pressed:
            widget = client.widget_states.widgets.add()
            widget.id, widget.trigger_value = self._ids[pressed], True
        self.card, self.bytes = "", 0
        await self._socket.send(message.SerializeToString())
        while not await self._receive():
            pass

    async def draw(self, drawing: Drawing) -> None:
        """Draw on an empty canvas."""
        raw = drawing.message["drawing"]["raw"]
        tag = {"type": "Rect", "width": self._revision, "height": 0, "visible": False}
        self._state = {
            "drawing": {**drawing.message["drawing"], "raw": {**raw, "objects": [tag, *raw["objects"]]}}
        }
        await self.run()

    async def _receive(self) -> bool:
        """Take in one message; whether the run has ended."""
        data = await asyncio.wait_for(self._socket.recv(), PATIENCE)
        assert isinstance(data, bytes)
        self.bytes += len(data)
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self._pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
        elif kind == "delta":
            element = message.delta.new_element
            match element.WhichOneof("type"):
                case "html" if "cv-reading" in element.html.body:
                    self.card, self.answered = element.html.body, time.perf_counter()
                case "button":
                    self._ids[element.button.id.rpartition("-")[2]] = element.button.id
                case "bidi_component" if element.bidi_component.id.endswith("-canvas"):
                    self._ids["canvas"] = element.bidi_component.id
                    told = json.loads(element.bidi_component.json)["initialDrawing"]["objects"]
                    self._revision = told[0]["width"]
                case "exception":
                    raise RuntimeError(element.exception.message)
        return kind == "script_finished"


def wrong(card: str, drawing: Drawing) -> str:
    """What differs in an answer from the library's; "" if nothing does."""
    answer, lengths = ANSWER.search(card), dict(LENGTH.findall(card))
    if answer is None or answer[1] != drawing.answer:
        return f"answered {answer[1] if answer else 'nothing'} instead of {drawing.answer}"
    for digit, length in enumerate(drawing.lengths):
        if abs(float(lengths.get(str(digit), "nan")) - length) <= 0.0015:  # it comes with three decimals
            continue
        return f"length of {digit} is {lengths.get(str(digit))} instead of {length:.3f}"
    return ""


def connected(url: str) -> connect:
    """A websocket to the app at ``url``, as a page of it would open one."""
    stream = f"ws://{urlsplit(url).netloc}/_stcore/stream"
    return connect(stream, subprotocols=[Subprotocol("streamlit")], origin=Origin(url), max_size=None)


async def person(
    url: str,
    page: str,
    chosen: list[Drawing],
    seconds: float,
    counts: Counts,
    ready: asyncio.Barrier,
    seed: int,
) -> None:
    """Open the app, wait for the others, then draw until it is time to leave."""
    rng = random.Random(seed)
    async with connected(url) as socket:
        session = Session(socket)
        await session.run()
        if page:
            session.page = page
            await session.run()
        await ready.wait()
        await ready.wait()  # memory is read in between
        end = time.perf_counter() + seconds
        await asyncio.sleep(rng.uniform(0, min(EVERY, seconds)))
        while time.perf_counter() < end:
            drawing = rng.choice(chosen)
            await session.run("clear")
            began = time.perf_counter()
            await session.draw(drawing)
            counts.waits.append(session.answered - began)
            counts.sent.append(session.bytes)
            if problem := wrong(session.card, drawing):
                counts.wrong.append(problem)
            await asyncio.sleep(rng.expovariate(1 / EVERY))
        await ready.wait()


class Server:
    """What the system says of a process."""

    def __init__(self, pid: int | None) -> None:
        self._folder = Path(f"/proc/{pid}") if pid else None

    def seconds(self) -> float:
        """Processor time so far."""
        if self._folder is None:
            return float("nan")
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Memory that it has now."""
        if self._folder is None:
            return float("nan")
        found = re.search(r"VmRSS:\s+(\d+)", (self._folder / "status").read_text())
        return int(found[1]) / 1024 if found else float("nan")


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

    async def watch() -> tuple[float, float, float]:
        await ready.wait()
        opened, began = server.megabytes(), server.seconds()
        await ready.wait()
        await ready.wait()
        return opened, server.megabytes(), server.seconds() - began

    opened, after, spent = (await asyncio.gather(watch(), people))[0]
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
    print(f"sent for an answer: {np.mean(counts.sent) / 1000:.0f} kB")
    print(
        f"memory: {before:.0f} MB before, {(opened - before) / sessions:.1f} MB a session when opened, "
        f"{(after - before) / sessions:.1f} MB after drawing; {server.megabytes():.0f} MB {rest:g} s after they left"
    )
    for problem in counts.wrong[:5]:
        print(f"wrong: {problem}", file=sys.stderr)
    return len(counts.wrong)


@contextmanager
def served(url: str | None) -> Iterator[tuple[str, Server]]:
    """The server that was named, or one of its own."""
    if url:
        yield url, Server(None)
        return
    with serve("app.py") as own:
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
    options = parser.parse_args()
    with served(options.url) as (url, server):
        page = "" if options.page == "draw" else options.page
        return int(asyncio.run(load(url, server, options.sessions, options.seconds, page, options.rest)) > 0)


if __name__ == "__main__":
    sys.exit(main())
