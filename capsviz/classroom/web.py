"""A class on the web: the phone's page, and what phones and presenters ask and send, as Starlette's routes.

All addresses lie below ``/c``. The page is ``/c/CODE``; it asks for what it needs by addresses relative to its own, so
that it works below any prefix. Tokens and secrets come in the header Authorization (``Bearer ...``). What is refused is
answered with ``{"problem": sentence, "retry": seconds or null}`` and a status of HTTP.
"""

import gzip
import os
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from capsviz.classroom.assets import assets, page
from capsviz.classroom.desk import Desk
from capsviz.classroom.guard import answer, bearer, body_of, guarded
from capsviz.classroom.messages import parse_mark, parse_sent
from capsviz.classroom.payloads import answered, told
from capsviz.classroom.presenter_web import PresenterWeb
from capsviz.classroom.records import Glance, Phone, Room, Tile
from capsviz.classroom.refusals import Busy, NotThere
from capsviz.classroom.rooms import Classroom
from capsviz.classroom.streams import BEATING, Watcher, message
from capsviz.errors import CapsvizError
from capsviz.texts import say

T = TypeVar("T")
ROOT = "c"
MOST_DRAWING = 160_000  # bytes of a drawing's body: all its points, with their decimals
QUEUE = 120  # drawings that wait; on two cores a second of work
LIGHT = 1_000  # other wishes that wait
FOR_EVER = "public, max-age=31536000, immutable"


class Web:
    """What the routes share.

    Args:
        classroom: gives the classroom; asked in a thread, at the first wish.
        address: at which the server is reached from outside, if it is known.
    """

    def __init__(self, classroom: Callable[[], Classroom], address: str = "") -> None:
        self._classroom = classroom
        self._address = address
        self._reading = Desk(max(1, os.cpu_count() or 1), QUEUE)
        self._light = Desk(4, LIGHT)
        self.watcher = Watcher(self._glance)
        self._told: dict[int, tuple[int, dict[str, Any], dict[int, dict[str, Any]]]] = {}

    async def do(self, job: Callable[[Classroom], T]) -> T:
        """What a job returns, run beside the event loop.

        Raises:
            Busy: if too many wait, or there is no database.
        """
        return await self._light.run(lambda: job(self._there()))

    def _there(self) -> Classroom:
        try:
            return self._classroom()
        except CapsvizError as error:  # what it says is for who runs the server
            print(f"capsviz: {error}", flush=True)
            raise Busy(say("class.refused.database"), 10) from error

    async def _glance(self, room: int) -> Glance:
        return await self.do(lambda classroom: classroom.glance(room))

    # --- the page -----------------------------------------------------------------------------------------

    async def to_folder(self, request: Request) -> Response:
        """Of an address without its last slash."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{ROOT}/{query}", 307)

    async def page(self, request: Request) -> Response:
        """The phone's page."""
        body = page().encode()
        headers = {"Vary": "Accept-Language, Accept-Encoding"}
        return _packed(request, body, gzip.compress(body, 6), "text/html; charset=utf-8", headers)

    async def asset(self, request: Request) -> Response:
        """A file of the page."""
        found = assets().get(request.path_params["name"])
        if found is None:
            raise NotThere(say("class.refused.address"))
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        return _packed(request, found.content, found.packed, found.type, headers)

    # --- phones -------------------------------------------------------------------------------------------

    async def join(self, request: Request) -> Response:
        """{"code"}: a token and a nickname, and what a phone is told."""
        code = (await body_of(request)).get("code")
        who = request.client.host if request.client else None

        def job(classroom: Classroom) -> dict[str, Any]:
            joined = classroom.join(code if isinstance(code, str) else "", who)
            return {"token": joined.token} | told(*classroom.told(classroom.phone(joined.token)))

        return answer(await self.do(job))

    async def state(self, request: Request) -> Response:
        """What a phone is told."""
        token = bearer(request)
        return answer(await self.do(lambda classroom: told(*classroom.told(classroom.phone(token)))))

    async def stream(self, request: Request) -> Response:
        """The same, and again whenever it changes."""
        token = bearer(request)
        phone, (room, own) = await self.do(
            lambda classroom: ((phone := classroom.phone(token)), classroom.told(phone))
        )
        return self.watcher.response(self._tell(phone, room, own))

    async def _tell(self, phone: Phone, room: Room, own: dict[str, Any]) -> AsyncIterator[str]:
        yield message(told(room, own))
        said = room.state
        async for glance in self.watcher.changes(phone.room):
            if glance is None:
                yield BEATING
            elif glance.over:
                yield message({"over": True})
            elif glance.state != said:
                said = glance.state
                common, of_phones = await self._common(phone.room, said)
                yield message(common | {"own": own | of_phones.get(phone.id, {})})

    async def _common(self, number: int, state: int) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
        """What all phones of a class are told, and each of itself: read once for all of them."""
        kept = self._told.get(number)
        if kept is None or kept[0] != state:
            room, own = await self.do(lambda classroom: classroom.everybody(number))
            if len(self._told) > 200:  # classes that have ended meanwhile
                self._told.clear()
            kept = self._told[number] = (state, told(room, {}), own)
        return kept[1], kept[2]

    async def send(self, request: Request) -> Response:
        """A drawing, as ``parse_sent`` has it: the answer, or that a guess comes first."""
        token, value = bearer(request), await body_of(request, MOST_DRAWING)

        def job() -> Tile:
            classroom = self._there()
            phone = classroom.phone(token)
            return classroom.send(phone, parse_sent(value))

        return answer(answered(await self._reading.run(job)))

    async def guess(self, request: Request) -> Response:
        """{"mark", "guess"}: the answer."""
        token, value = bearer(request), await body_of(request)
        mark, said = parse_mark(value), value.get("guess", "")
        tile = await self.do(lambda classroom: classroom.guess(classroom.phone(token), mark, said))
        return answer(answered(tile))

    async def vote(self, request: Request) -> Response:
        """{"poll": number, "choice": place}."""
        token, value = bearer(request), await body_of(request)
        number, choice = value.get("poll"), value.get("choice")
        place = await self.do(lambda classroom: classroom.vote(classroom.phone(token), number, choice))
        return answer({"vote": place})


def _packed(request: Request, content: bytes, packed: bytes, kind: str, headers: dict[str, str]) -> Response:
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, 200, headers | {"Content-Encoding": "gzip"}, kind)
    return Response(content, 200, headers, kind)


def routes(web: Web, prefix: str = "", address: str = "") -> list[BaseRoute]:
    """The routes, for a server.

    Args:
        web: what they share.
        prefix: below which the server's addresses lie, as Streamlit's ``server.baseUrlPath``.
        address: at which the server is reached from outside, if it is known.
    """
    root = f"/{prefix.strip('/')}/{ROOT}".replace("//", "/")
    presenting = PresenterWeb(web.do, web.watcher)
    plain = {
        "": ("GET", web.to_folder),
        "/assets/{name}": ("GET", web.asset),
        "/api/join": ("POST", web.join),
        "/api/state": ("GET", web.state),
        "/api/stream": ("GET", web.stream),
        "/api/send": ("POST", web.send),
        "/api/guess": ("POST", web.guess),
        "/api/vote": ("POST", web.vote),
        **presenting.routes(),
        "/": ("GET", web.page),
        "/{code}": ("GET", web.page),
    }
    return [
        Route(f"{root}{path}", guarded(handler, address), methods=[method])
        for path, (method, handler) in plain.items()
    ]
