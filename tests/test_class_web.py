"""A class on the web: what is asked of each request, what each answer carries, streams."""

import asyncio
import gzip
import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asgi import Reply, ask, listening
from classes import SEVEN, Quick, Ticking, body, classroom, sent
from reference import assert_one_sentence
from starlette.applications import Starlette

from capsviz.classroom import web
from capsviz.classroom.assets import assets
from capsviz.classroom.desk import Desk
from capsviz.classroom.presenter_web import CHANGES
from capsviz.classroom.records import Glance, Opened
from capsviz.classroom.refusals import Busy
from capsviz.classroom.rooms import Classroom
from capsviz.classroom.streams import Watcher
from capsviz.errors import CapsvizError
from capsviz.texts import texts
from tests.e2e.protocol import run

PREFIX = "/base"
PHONES = {"join": "POST", "state": "GET", "stream": "GET", "send": "POST", "guess": "POST", "vote": "POST"}


class Served:
    """A class on the web."""

    def __init__(self, folder: Path, network: Any = None) -> None:
        self.room: Classroom = classroom(folder, Ticking(), network)
        self.web = web.Web(lambda: self.room)
        self.app = Starlette(routes=web.routes(self.web, PREFIX, "https://class.example/base"))
        self.opened: Opened = self.room.open()
        self.secret = {"authorization": f"Bearer {self.opened.secret}"}

    def ask(self, method: str, path: str, headers: Any = None, value: Any = None, **more: Any) -> Reply:
        return ask(self.app, method, f"{PREFIX}/c/{path}", headers, value, **more)

    def phone(self) -> dict[str, str]:
        """The header of one that has joined."""
        return {"authorization": f"Bearer {self.room.join(self.opened.code).token}"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.room.close()


def refused(reply: Reply, status: int, *words: str) -> None:
    assert reply.status == status, reply.body
    assert_one_sentence(CapsvizError(reply.json["problem"]), *words)


# --- the page -------------------------------------------------------------------------------------------------


def test_the_page_and_all_that_it_loads_are_small_and_its_own(served: Served) -> None:
    page = served.ask("GET", served.opened.code)
    text = page.body.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    size = len(page.body)
    for address in loaded:
        reply = served.ask("GET", address)
        assert reply.status == 200
        assert "immutable" in reply.headers["cache-control"]
        assert re.search(r"-[0-9a-f]{16}\.", address)
        size += len(reply.body)
        packed = served.ask("GET", address, {"accept-encoding": "br, gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == reply.body
    assert len(loaded) == 3
    assert size <= 60_000  # before it is packed
    everything = text + "".join(asset.content.decode() for asset in assets().values())
    assert set(re.findall(r"https?://[^\s\"')]+", everything)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script(?![^>]*(src=|application/json))", text)
    assert not re.search(r"\son[a-z]+=|style=", text)
    moved = served.ask("GET", "")
    assert moved.status == 200
    assert ask(served.app, "GET", f"{PREFIX}/c").headers["location"] == "c/"


def test_the_page_speaks_the_browser_s_language(served: Served) -> None:
    wanted = {
        "de-CH,de;q=0.9,en;q=0.8": "de",
        "fr;q=0.9,de;q=0.5,en;q=0.4": "de",
        "en;q=0.1,de;q=0.7": "de",
        "": "en",
        "fr": "en",
        "de;q=x": "en",
    }
    for asked, language in wanted.items():
        reply = served.ask("GET", served.opened.code, {"accept-language": asked})
        assert f'<html lang="{language}">' in reply.body.decode()
        assert str(texts(language)["class.phone.title"]) in reply.body.decode()
    assert '<html lang="de">' in served.ask("GET", "?lang=de").body.decode()
    assert '<html lang="en">' in served.ask("GET", "?lang=<script>").body.decode()
    problem = served.ask("POST", "api/join", {"accept-language": "de"}, {"code": "FFFFFF"}).json["problem"]
    assert problem == texts("de")["class.refused.code"]


def test_every_answer_carries_what_keeps_others_out(served: Served) -> None:
    replies = [
        served.ask("GET", served.opened.code),
        served.ask("GET", f"assets/{next(iter(assets()))}"),
        served.ask("GET", "assets/nothing.js"),
        served.ask("GET", "api/state"),
        served.ask("GET", "api/state", served.phone()),
        served.ask("POST", "api/join", value={"code": ""}),
        served.ask("GET", "api/class/table", served.secret),
    ]
    assert [reply.status for reply in replies] == [200, 200, 404, 403, 200, 404, 200]
    for reply in replies:
        policy = dict(part.split(" ", 1) for part in reply.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        if reply is not replies[1]:
            assert reply.headers["cache-control"] == "no-store"


# --- who may what -----------------------------------------------------------------------------------------------


def test_what_another_site_has_the_browser_send_is_refused(served: Served) -> None:
    value = {"code": served.opened.code}
    for headers in (
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "http://class.test.evil.test"},
        {"origin": "http://[bad"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        refused(served.ask("POST", "api/join", headers, value), 403, "site")
    for headers in (
        {},
        {"origin": "http://class.test"},
        {"origin": "https://class.example"},
        {"sec-fetch-site": "same-origin"},
    ):
        assert served.ask("POST", "api/join", headers, value).status == 200


def test_another_site_changes_nothing_even_with_the_presenter_s_secret(served: Served) -> None:
    value = {"paused": True}
    for headers in ({"origin": "https://evil.test"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        refused(served.ask("POST", "api/class/rules", served.secret | headers, value), 403, "site")
        refused(served.ask("POST", "api/class/delete", served.secret | headers, {}), 403, "site")
        form = (
            served.secret | headers | {"content-type": "text/plain"}
        )  # which a page may send without asking first
        refused(served.ask("POST", "api/class/delete", form, chunks=[b"{}"]), 403, "site")
    assert served.ask("GET", "api/class", served.secret).json["paused"] is False


def test_a_student_has_none_of_the_presenter_s_rights(served: Served) -> None:
    phone = served.phone()
    drawn = served.ask("POST", "api/send", phone, body()).json
    for path in ("", "/wall", "/stream", "/strokes", "/table", "/page"):
        refused(served.ask("GET", f"api/class{path}", phone), 403, "presenter")
        refused(served.ask("GET", f"api/class{path}"), 403, "join")
        assert served.ask("GET", f"api/class{path}?secret={served.opened.secret}").status == 403
    for change in CHANGES:
        refused(served.ask("POST", f"api/class/{change}", phone, {"ids": [1], "standing": "removed"}), 403)
    assert served.ask("GET", "api/class/wall", served.secret).json["tiles"][0]["strokes"]
    assert drawn["read"] == "7"
    for path, method in PHONES.items():
        if path != "join":
            value = None if method == "GET" else {"mark": "m" * 32}
            refused(served.ask(method, f"api/{path}", served.secret, value), 403)


def test_a_presenter_can_do_on_the_web_what_it_can_do_in_python(served: Served) -> None:
    phone = served.phone()

    def change(name: str, **value: Any) -> dict[str, Any]:
        reply = served.ask("POST", f"api/class/{name}", served.secret, value)
        assert reply.status == 200, reply.body
        found: dict[str, Any] = reply.json
        return found

    def told() -> dict[str, Any]:
        found: dict[str, Any] = served.ask("GET", "api/state", phone).json
        return found

    change("rules", letThrough=True, guessFirst=True)
    assert (told()["letThrough"], told()["guessFirst"], told()["paused"]) == (True, True, False)
    drawing = body(SEVEN, said="1")
    covered = served.ask("POST", "api/send", phone, drawing).json
    assert covered.keys() == {"mark", "standing", "covered", "said", "seen"}
    assert "scores" not in served.ask("POST", "api/send", phone, drawing).json
    answer = served.ask("POST", "api/guess", phone, {"mark": drawing["mark"], "guess": "7"}).json
    assert (answer["read"], answer["guess"], answer["standing"]) == ("7", "7", "waiting")
    assert answer["scores"] == pytest.approx([0.05] * 7 + [0.9] + [0.05] * 2, abs=1e-6)
    change("let-all-through")
    assert told()["own"]["last"] == {"mark": drawing["mark"], "standing": "shown"}
    (tile,) = served.ask("GET", "api/class/wall", served.secret).json["tiles"]
    assert (tile["said"], tile["read"], tile["fooled"], tile["guess"]) == ("1", "7", True, "7")
    change("place", ids=[tile["id"]], standing="hidden")
    assert told()["own"]["last"]["standing"] == "hidden"
    change("task", text="Draw <b>one</b>", drawn="1", read="")
    assert told()["task"] == {"number": 1, "text": "Draw <b>one</b>", "drawn": "1", "read": ""}
    change("poll", question="Which?", choices=["1", "7"], truth=1)
    assert served.ask("POST", "api/vote", phone, {"poll": 1, "choice": 0}).json == {"vote": 0}
    assert (told()["poll"]["tally"], told()["poll"]["truth"]) == (None, None)
    assert change("end-poll", told=False)["poll"]["tally"] == [1, 0]
    assert told()["poll"]["truth"] is None
    change("end-poll", told=True)
    assert (told()["poll"]["tally"], told()["poll"]["truth"]) == ([1, 0], 1)
    change("drop-poll")
    change("network", network="dynamic.mnist")
    assert json.loads(served.ask("GET", "api/class/strokes", served.secret).body)["label"] == "1"
    assert served.ask("GET", "api/class/table", served.secret).body.decode().count("\n") == 2
    page = served.ask("GET", "api/class/page?lang=de", served.secret)
    assert "Klasse" in page.body.decode()
    assert page.headers["content-disposition"] == 'attachment; filename="class.html"'
    change("clear")
    change("dismiss", nickname=told()["own"]["nickname"])
    refused(served.ask("POST", "api/send", phone, body()), 410, "phone")
    assert (told()["own"]["dismissed"], told()["closed"]) == (True, False)
    phone |= served.phone()
    change("close")
    refused(served.ask("POST", "api/send", phone, body()), 410, "ended")
    assert change("delete") == {}
    refused(served.ask("GET", "api/state", phone), 410, "over")
    refused(served.ask("GET", "api/class", served.secret), 403)
    refused(served.ask("POST", "api/class/nonsense", served.secret, {}), 404)


def test_changes_that_cannot_be_read_are_refused(served: Served) -> None:
    for change, value in (
        ("rules", {"paused": 1}),
        ("place", {"ids": [], "standing": "shown"}),
        ("dismiss", {"nickname": ""}),
        ("dismiss", {"nickname": "n" * 81}),
        ("dismiss", {}),
        ("place", {"ids": [1], "standing": "waiting"}),
        ("place", {"ids": [1], "standing": {}}),
        ("place", {"ids": ["1"], "standing": "shown"}),
        ("place", {"ids": [1] * 1001, "standing": "shown"}),
        ("poll", {"question": "", "choices": ["a", "b"]}),
        ("poll", {"question": "?", "choices": {"a": 1}}),
        ("poll", {"question": "?", "choices": ["a", "b"], "truth": 2}),
        ("task", {"text": ["x"]}),
        ("task", {"text": "x", "drawn": 7}),
        ("network", {"network": "../../etc"}),
        ("end-poll", {}),
    ):
        reply = served.ask("POST", f"api/class/{change}", served.secret, value)
        assert reply.status in (400, 404, 409, 422), (change, value)
        assert reply.json["problem"]


# --- what is sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"strokes": []}, 400),
        ({"strokes": [[]]}, 400),
        ({"strokes": [[1, 2, 3]]}, 400),
        ({"strokes": "7"}, 400),
        ({"strokes": [[1e300, 5]]}, 422),
        ({"strokes": [[8001, 5]]}, 422),
        ({"strokes": [[60, 60, 200, 60, 130, 230, 5, -8001]]}, 422),
        ({"strokes": [[10**400, 5]]}, 422),
        ({"strokes": [[None, 5]]}, 422),
        ({"strokes": [["<script>", 5]]}, 422),
        ({"strokes": [[True, 5]]}, 422),
        ({"strokes": [[1, 1, 200, 200]] * 201}, 422),
        ({"strokes": [[float(n % 280) for n in range(20_002)]]}, 422),
        ({"width": 0}, 422),
        ({"width": 1e9}, 422),
        ({"width": "18"}, 422),
        ({"said": "12"}, 422),
        ({"said": ["7"]}, 400),
        ({"said": "<img src=x>"}, 422),
        ({"mark": "short"}, 400),
        ({"mark": "x" * 41}, 400),
        ({"mark": "<script>alert(1)</script>"}, 400),
        ({"mark": 5}, 400),
    ],
)
def test_what_is_no_drawing_is_refused_in_one_sentence(
    served: Served, changes: dict[str, Any], status: int
) -> None:
    reply = served.ask("POST", "api/send", served.phone(), body() | changes)
    refused(reply, status)
    assert "<" not in reply.json["problem"]
    assert served.ask("GET", "api/class/wall", served.secret).json["tiles"] == []


def test_ten_thousand_points_are_a_drawing_and_are_simplified(served: Served) -> None:
    """A line back and forth: what is left of it are its ends."""
    line = [float(value) for n in range(10_000) for value in (140, 40 + n / 50)]
    reply = served.ask("POST", "api/send", served.phone(), body([line]))
    assert reply.status == 200
    (tile,) = served.room.presenter(served.opened.secret).wall().tiles
    assert tile.drawing.strokes[0].points.tolist() == [[280, 80], [280, 480]]


def test_bodies_are_bounded_before_they_are_read(served: Served) -> None:
    phone = served.phone()
    huge = served.ask("POST", "api/send", {**phone, "content-type": "application/json"}, chunks=[b"x"] * 3)
    refused(huge, 415)
    told = {**phone, "content-type": "application/json", "content-length": "10000000"}
    reply = served.ask("POST", "api/send", told, chunks=[b" " * 1000] * 10)
    refused(reply, 413, "large")
    assert reply.read == 0
    untold = served.ask(
        "POST", "api/send", {**phone, "content-type": "application/json"}, chunks=[b" " * 50_000] * 200
    )
    refused(untold, 413, "large")
    assert untold.read <= 4  # of 200 chunks, 10 MB
    for lie in ("-5", "1e9", "9" * 400):
        headers = {**phone, "content-type": "application/json", "content-length": lie}
        assert served.ask("POST", "api/guess", headers, chunks=[b"{}"]).status == 413


def test_bodies_of_another_kind_are_refused(served: Served) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        headers = {"content-type": kind}
        refused(served.ask("POST", "api/join", headers, chunks=[b'{"code":"x"}']), 415, "read")
    for content in (b"", b"[]", b"7", b"{", b"\xff\xfe", b"[" * 3000, b'{"code": NaN}'):
        reply = served.ask("POST", "api/join", {"content-type": "application/json"}, chunks=[content])
        assert reply.status in (404, 415)
        assert reply.json["problem"]
    assert served.ask("POST", "api/join", value={"code": {"a": 1}}).status == 404
    for method, path in (("GET", "api/send"), ("POST", "api/state"), ("PUT", "api/join")):
        assert served.ask(method, path).status == 405
    for token in ("", "Bearer", "Bearer ", "Basic abc", f"Bearer {'x' * 500}", "Bearer \xff"):
        refused(served.ask("GET", "api/state", {"authorization": token}), 403)


def test_nothing_of_a_secret_is_written_to_the_log(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    phone = served.phone()
    served.ask("POST", "api/send", phone, body())
    served.ask("GET", "api/class", served.secret)
    served.room._store._file.unlink()  # type: ignore[union-attr]
    refused(served.ask("POST", "api/send", phone, body()), 503, "start it again")
    said = "".join(capfd.readouterr())
    assert served.opened.secret not in said
    assert phone["authorization"].split()[1] not in said


def test_without_a_database_phones_are_asked_to_wait(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Classroom:
        raise CapsvizError("The file /secret/place cannot be opened.")

    app = Starlette(routes=web.routes(web.Web(broken)))
    reply = ask(app, "POST", "/c/api/join", value={"code": "FFFFFF"})
    refused(reply, 503)
    assert int(reply.headers["retry-after"]) > 0
    assert "/secret/place" not in reply.body.decode()
    assert "/secret/place" in capfd.readouterr().out


def test_a_network_that_fails_is_asked_again(tmp_path: Path) -> None:
    class Broken(Quick):
        def predict(self, images: np.ndarray) -> np.ndarray:
            raise RuntimeError("CUDA error: <device> lost")

    served = Served(tmp_path, Broken())
    reply = served.ask("POST", "api/send", served.phone(), body())
    refused(reply, 503, "network")
    assert served.ask("GET", "api/class/wall", served.secret).json["tiles"] == []
    served.room.close()


# --- the queue ------------------------------------------------------------------------------------------------------


def test_a_full_queue_says_so_at_once_and_goes_on() -> None:
    async def fill() -> list[Any]:
        gate = asyncio.Event()
        loop = asyncio.get_running_loop()
        desk = Desk(2, 5, retry=3)

        def job(number: int) -> int:
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()
            return number

        def of(number: int) -> Callable[[], int]:
            return lambda: job(number)

        waiting = [asyncio.create_task(desk.run(of(number))) for number in range(8)]
        await asyncio.sleep(0.1)
        early = [task.exception() for task in waiting if task.done()]
        gate.set()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        after = await desk.run(lambda: 8)
        desk.close()
        return [early, found, after]

    early, found, after = run(fill())
    assert [type(error) for error in early] == [Busy] * 3
    assert early[0].retry == 3
    assert found[:5] == [0, 1, 2, 3, 4]
    assert after == 8


def test_who_is_refused_is_told_a_turn_of_its_own_as_fast_as_work_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a clock that only jobs move on: each takes half a second, and so do turns."""
    now = [1000.0]
    monkeypatch.setattr("capsviz.classroom.desk.monotonic", lambda: now[0])

    async def ask() -> list[float]:
        desk, gate, loop = Desk(1, 60, retry=2), threading.Event(), asyncio.get_running_loop()

        async def tick() -> None:
            now[0] += 0.5

        def work() -> None:
            asyncio.run_coroutine_threadsafe(tick(), loop).result()

        def refused() -> float:
            with pytest.raises(Busy) as caught:
                desk.run(work).send(None)
            return float(caught.value.retry or 0)

        await asyncio.gather(*(desk.run(work) for _ in range(60)))
        assert await desk.run(lambda: "a desk that was idle") == "a desk that was idle"
        now[0] += 3600  # which was no time of work
        waiting = [asyncio.create_task(desk.run(gate.wait)) for _ in range(60)]
        await asyncio.sleep(0)
        found = [refused() for _ in range(4)] + [max(refused() for _ in range(300))]
        now[0] += 3600
        found.append(refused())
        gate.set()
        await asyncio.gather(*waiting)
        desk.close()
        return found

    *turns, latest, later = run(ask())
    assert turns == pytest.approx([2.5, 3, 3.5, 4], abs=0.15)
    assert latest == 60
    assert later == turns[0]


# --- streams ------------------------------------------------------------------------------------------------------


def test_a_phone_is_told_of_what_changes_and_of_no_drawing_of_others(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capsviz.classroom.streams.BEAT", 1000.0)  # it is woken, and does not look by itself
    phone, other = served.phone(), served.room.phone(served.room.join(served.opened.code).token)
    presenter = served.room.presenter(served.opened.secret)

    async def listen() -> list[Any]:
        async with listening(served.app, f"{PREFIX}/c/api/stream", phone) as following:
            first = await following()
            presenter.rule(paused=True)
            paused = await following()
            presenter.rule(paused=False)
            await following()

            served.room.send(other, sent())
            presenter.set_task("Draw a 4")
            task = await following()
            headers = following.reply.headers
            presenter.delete()
            return [first, paused, task, await following(), await following(), headers]

    first, paused, task, over, end, headers = run(listen())
    assert (first["paused"], paused["paused"]) == (False, True)
    assert len(first["own"]["nickname"].split()) == 2
    assert paused["own"] == first["own"]
    assert task["task"]["text"] == "Draw a 4"  # and no message for the drawing before
    assert (over, end) == ({"over": True}, None)
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["x-accel-buffering"] == "no"
    assert served.web.watcher.streams == 0


def test_the_wall_is_told_of_drawings_within_a_second(served: Served) -> None:

    one = served.room.phone(served.room.join(served.opened.code).token)

    async def listen() -> list[Any]:
        address = f"{PREFIX}/c/api/class/stream?since=0"
        async with listening(served.app, address, served.secret) as following:
            first = await following()
            served.room.send(one, sent())
            drawn = await asyncio.wait_for(following(), 20)
            served.web.watcher.close()  # the server stops
            return [first, drawn, await following()]

    first, drawn, end = run(listen())
    assert (first["tiles"], first["room"]["phones"]) == ([], 1)
    assert [tile["read"] for tile in drawn["tiles"]] == ["7"]
    assert drawn["revision"] > first["revision"]
    assert end is None


def test_a_stream_without_news_says_that_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("capsviz.classroom.streams.BEAT", 0.3)
    now = Glance(1, 1, False)

    async def look(room: int) -> Glance:
        return now

    async def follow() -> list[Glance | None]:
        watcher = Watcher(look)
        changes = watcher.changes(5)
        found = [await asyncio.wait_for(anext(changes), 20) for _ in range(3)]
        watcher.close()
        assert [glance async for glance in changes] == []
        return found

    assert run(follow()) == [now, None, None]


def test_there_are_not_any_number_of_streams(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("capsviz.classroom.streams.MOST_STREAMS", 0)
    refused(served.ask("GET", "api/stream", served.phone()), 429)
