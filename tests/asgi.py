"""Asking an ASGI application without a server or a network."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.protocol import run


@dataclass
class Reply:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    read: int = 0  # chunks of the request's body that were asked for

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    app: Any,
    method: str,
    address: str,
    headers: Mapping[str, str] | None = None,
    value: Any = None,
    chunks: Iterable[bytes] | None = None,
    client: str = "10.0.0.1",
) -> Reply:
    """One request and its whole answer; ``value`` is sent as JSON, ``chunks`` as they are, with no length told."""
    sending = list(chunks) if chunks is not None else [b"" if value is None else json.dumps(value).encode()]
    known = {"host": "class.test"} | ({} if value is None else {"content-type": "application/json"})
    if chunks is None:
        known["content-length"] = str(len(sending[0]))
    reply = Reply()

    async def request() -> None:
        left = iter(sending)
        more = len(sending)

        async def receive() -> dict[str, Any]:
            nonlocal more
            more -= 1
            reply.read += 1
            return {"type": "http.request", "body": next(left, b""), "more_body": more > 0}

        await app(scope(method, address, known | dict(headers or {}), client), receive, sender(reply))

    run(request())
    return reply


def scope(method: str, address: str, headers: Mapping[str, str], client: str = "10.0.0.1") -> dict[str, Any]:
    parts = urlsplit(address)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": (client, 1234),
        "server": ("class.test", 80),
    }


def sender(reply: Reply, told: Any = None) -> Any:
    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            reply.body += message.get("body", b"")
            if told is not None:
                told.set()

    return send


@asynccontextmanager
async def listening(app: Any, address: str, headers: Mapping[str, str]) -> AsyncIterator[Any]:
    """A stream: a function that waits for the next message of it. Leaving closes the connection."""
    reply, came, gone = Reply(), asyncio.Event(), asyncio.Event()
    taken = 0

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    task = asyncio.create_task(
        app(scope("GET", address, {"host": "class.test", **headers}), receive, sender(reply, came))
    )

    async def following() -> Any:
        nonlocal taken
        while True:
            parts = reply.body.decode().split("\n\n")[:-1]
            for part in parts[taken:]:
                taken += 1
                if part.startswith("data: "):
                    return json.loads(part[6:])
            if task.done():
                return None
            came.clear()
            waiting = asyncio.ensure_future(came.wait())
            done, _ = await asyncio.wait({task, waiting}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            assert done, "nothing comes"

    following.reply = reply  # type: ignore[attr-defined]
    yield following
    gone.set()
    await asyncio.wait({task}, timeout=20)
