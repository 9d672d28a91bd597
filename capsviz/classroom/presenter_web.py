"""A presenter's rights on the web: what ``Presenter`` can do, for who has its secret in the header Authorization."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from capsviz.classroom.guard import answer, bearer, body_of
from capsviz.classroom.messages import parse_flag, parse_ids, parse_nickname, parse_standing
from capsviz.classroom.payloads import presented, walled
from capsviz.classroom.presenter import Presenter
from capsviz.classroom.refusals import NotThere
from capsviz.classroom.rooms import Classroom
from capsviz.classroom.streams import BEATING, Watcher, message
from capsviz.texts import say

MOST_BODY = 32_000  # bytes: a thousand numbers of drawings
FLAGS = {"letThrough": "let_through", "guessFirst": "guess_first", "paused": "paused"}
Change = Callable[[Presenter, Mapping[str, Any]], object]


class PresenterWeb:
    """The handlers of a presenter's routes."""

    def __init__(self, run: Callable[[Callable[[Classroom], Any]], Awaitable[Any]], watcher: Watcher) -> None:
        self._run, self._watcher = run, watcher

    def routes(self) -> dict[str, tuple[str, Callable[[Request], Awaitable[Response]]]]:
        """Method and handler of each address."""
        return {
            "/api/class": ("GET", self.room),
            "/api/class/wall": ("GET", self.wall),
            "/api/class/stream": ("GET", self.stream),
            "/api/class/strokes": ("GET", self.strokes),
            "/api/class/table": ("GET", self.table),
            "/api/class/page": ("GET", self.page),
            "/api/class/{change}": ("POST", self.change),
        }

    async def room(self, request: Request) -> Response:
        """The class."""
        return answer(presented(await self._do(request, Presenter.room)))

    async def wall(self, request: Request) -> Response:
        """The drawings that have changed since ?since=revision, a part of them at once."""
        since = _since(request)
        return answer(walled(await self._do(request, lambda presenter: presenter.wall(since))))

    async def stream(self, request: Request) -> Response:
        """The same, and again whenever something changes."""
        room = await self._do(request, Presenter.room)
        return self._watcher.response(self._tell(request, room.id, _since(request)))

    async def _tell(self, request: Request, room: int, since: int) -> AsyncIterator[str]:
        async for glance in self._watcher.changes(room, drawings=True):
            if glance is None:
                yield BEATING
            elif glance.over:
                yield message({"over": True})
            else:
                more = True
                while more:
                    at = since
                    wall = await self._do(request, partial(Presenter.wall, since=at))
                    since, more = wall.revision, wall.more
                    yield message(walled(wall))

    async def strokes(self, request: Request) -> Response:
        """A file of strokes, as ``evaluate --strokes`` reads it."""
        return _file(await self._do(request, Presenter.strokes_file), "strokes.jsonl", "application/jsonl")

    async def table(self, request: Request) -> Response:
        """All drawings as CSV."""
        return _file(await self._do(request, Presenter.table), "drawings.csv", "text/csv")

    async def page(self, request: Request) -> Response:
        """The wall as a page of its own."""
        return _file(await self._do(request, Presenter.page), "class.html", "text/html")

    async def change(self, request: Request) -> Response:
        """One of ``CHANGES``; the class as it is then."""
        change = CHANGES.get(request.path_params["change"])
        if change is None:
            raise NotThere(say("class.refused.address"))
        value = await body_of(request, MOST_BODY)

        def job(presenter: Presenter) -> dict[str, Any]:
            change(presenter, value)
            return {} if change is _delete else presented(presenter.room())

        return answer(await self._do(request, job))

    async def _do(self, request: Request, job: Callable[[Presenter], Any]) -> Any:
        secret = bearer(request)
        return await self._run(lambda classroom: job(classroom.presenter(secret)))


def _rule(presenter: Presenter, value: Mapping[str, Any]) -> None:
    presenter.rule(**{FLAGS[name]: parse_flag(flag) for name, flag in value.items() if name in FLAGS})


def _task(presenter: Presenter, value: Mapping[str, Any]) -> None:
    presenter.set_task(*(value.get(name, "") for name in ("text", "drawn", "read")))


def _poll(presenter: Presenter, value: Mapping[str, Any]) -> None:
    presenter.ask(*(value.get(name) for name in ("question", "choices", "truth")))  # type: ignore[arg-type] # it checks


def _delete(presenter: Presenter, value: Mapping[str, Any]) -> None:
    presenter.delete()


CHANGES: dict[str, Change] = {
    "rules": _rule,  # {"letThrough", "guessFirst", "paused": true or false}, some of them
    "network": lambda presenter, value: presenter.set_network(str(value.get("network", ""))),
    "task": _task,  # {"text", "drawn", "read"}; an empty text for none
    "poll": _poll,  # {"question", "choices", "truth": place or null}
    "end-poll": lambda presenter, value: presenter.end_poll(parse_flag(value.get("told", False))),
    "drop-poll": lambda presenter, value: presenter.drop_poll(),
    "place": lambda presenter, value: presenter.place(
        parse_ids(value.get("ids")), parse_standing(value.get("standing"))
    ),
    "dismiss": lambda presenter, value: presenter.dismiss(parse_nickname(value.get("nickname"))),
    "let-all-through": lambda presenter, value: presenter.let_all_through(),
    "clear": lambda presenter, value: presenter.clear(),
    "close": lambda presenter, value: presenter.close(),
    "delete": _delete,
}


def _since(request: Request) -> int:
    text = request.query_params.get("since", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _file(content: str, name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content.encode(), 200, headers, f"{kind}; charset=utf-8")
