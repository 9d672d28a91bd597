"""Deploying: what a container would hold, and two servers behind a proxy, run as plain processes.

No engine for containers is needed. The tree that the Dockerfile would copy is laid out in a folder, and its own command,
health check and settings run there; the proxies have the configurations that are published.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from classes import SEVEN, body
from postgres import database
from websockets import Origin, Subprotocol
from websockets.asyncio.client import connect

from capsviz.classroom.records import Opened
from capsviz.classroom.rooms import Classroom
from capsviz.classroom.settings import Settings
from tests.e2e.protocol import Session, Wire, run
from tests.e2e.serving import ROOT, free_port

PREFIX, KEY = "/capsviz", "k" * 40
PATIENCE = 60.0  # seconds
EXAMPLE = {"type": "Path", "path": [["M", 60, 60], ["L", 200, 60], ["L", 130, 230]], "strokeWidth": 18}


# --- the image ------------------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in their order, each in one line."""
    lines = [
        line for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if not line.startswith("#")
    ]
    text = "\n".join(lines).replace("\\\n", "")
    return [
        (name, rest.strip()) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)
    ]


def only(name: str) -> str:
    """What the one instruction of a name says."""
    (found,) = (rest for kind, rest in instructions() if kind == name)
    return found


def health_check() -> list[str]:
    command: list[str] = json.loads(only("HEALTHCHECK").partition("CMD ")[2])
    return [sys.executable if part == "python" else part for part in command]


def settings_of_image() -> dict[str, str]:
    return dict(part.split("=", 1) for part in only("ENV").split())


def sent_to_the_engine(path: str) -> bool:
    """Whether .dockerignore leaves a file in, by the last of its lines that fits."""
    left_in = True
    within = [path, *map(str, Path(path).parents)]
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            names = Path(path).parts if "**/" in line else within
            pattern = line.removeprefix("!").removeprefix("**/")
            left_in = line.startswith("!") if any(fnmatch(name, pattern) for name in names) else left_in
    return left_in


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the image would have as /app."""
    folder = tmp_path_factory.mktemp("image")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [path for path in tracked.splitlines() if (ROOT / path).is_file() and sent_to_the_engine(path)]
    for name, rest in instructions():
        if name != "COPY":
            continue
        *sources, target = rest.split()
        for source in sources:
            copied = [path for path in files if path == source or path.startswith(f"{source}/")]
            assert copied, f"{source} is not sent to the engine"
            for path in copied:
                inside = path.removeprefix(f"{source}/") if path != source else Path(path).name
                if target.endswith("/") and path != source:
                    raise AssertionError(f"COPY {rest} would put what is in {source} beside each other")
                place = (
                    folder / target / inside if path != source or target.endswith("/") else folder / target
                )
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / path, place)
    return folder


def test_an_image_holds_what_was_tested_together_and_runs_as_nobody_in_particular() -> None:
    names = [name for name, _ in instructions()]
    (install,) = (rest for name, rest in instructions() if name == "RUN" and "pip install" in rest)
    assert all(part in install.split() for part in ("--no-cache-dir", "constraints.txt", "requirements.txt"))
    assert only("USER") not in ("root", "0")
    assert names.index("USER") < names.index("CMD")
    assert names.index("USER") > max(place for place, name in enumerate(names) if name in ("RUN", "COPY"))
    # Layers: what changes seldom comes first.
    copied = [rest.split()[0] for name, rest in instructions() if name == "COPY"]
    assert (copied[0], copied[-1]) == ("requirements.txt", "capsviz")
    assert settings_of_image()["CAPSVIZ_DATA"] == only("VOLUME")
    for path, there in (
        ("weights/dynamic.mnist/weights.safetensors", True),
        ("docs/logo.svg", True),
        ("docs/draw.png", False),
        ("capsviz/app/__pycache__/main.cpython-311.pyc", False),
        (".git/config", False),
        (".env", False),
        ("tests/test_deploying.py", False),
    ):
        assert sent_to_the_engine(path) == there, path


def test_the_compose_file_names_what_there_is() -> None:
    """Its variables are those that the servers and the proxy read, and all but the optional ones stop it when missing."""
    text = (ROOT / "compose.yaml").read_text("utf-8")
    page = (ROOT / "docs/deploying.md").read_text("utf-8")
    for mounted in re.findall(r"- \./(\S+?):", text):
        assert (ROOT / mounted).is_file()
    known = (ROOT / "docs/classes.md").read_text("utf-8") + (ROOT / "docs/deploying/Caddyfile").read_text(
        "utf-8"
    )
    for name in set(re.findall(r"\bCAPSVIZ_\w+", text)):
        assert name in known, name
        assert name in page or name == "CAPSVIZ_DATABASE" or name == "CAPSVIZ_REPLICAS", name
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    assert asked == {"CAPSVIZ_KEY", "CAPSVIZ_ADDRESS", "DATABASE_PASSWORD"}
    for name in re.findall(r"\$\{(\w+)\}", text):
        assert name in asked, name  # those without a default are asked for once


# --- servers ----------------------------------------------------------------------------------------------------


class Server:
    """A server as the image would run it, in the tree of the image."""

    def __init__(self, image: Path, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.folder = folder
        self._environment = (
            os.environ
            | settings_of_image()
            | {"CAPSVIZ_DATA": str(folder), "STREAMLIT_SERVER_PORT": str(self.port)}
            | environment
        )
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", *json.loads(only("CMD"))]
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=image, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )

    def healthy(self) -> bool:
        """What the image's health check says."""
        check = subprocess.run(health_check(), env=self._environment, capture_output=True)
        return check.returncode == 0

    def until_healthy(self) -> None:
        end = time.monotonic() + PATIENCE
        while not self.healthy():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.2)

    def said(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=20)
            assert "Traceback" not in self.said(), self.said()


def test_the_image_s_command_serves_the_app_and_its_health_check_tells(image: Path, tmp_path: Path) -> None:
    server = Server(image, tmp_path / "data")
    try:
        assert not server.healthy()  # it has just begun
        server.until_healthy()
        reply = request(f"http://127.0.0.1:{server.port}", "GET", "/c/")
        assert (reply.status, b"<html" in reply.body) == (200, True)
        assert run(drawn(f"http://127.0.0.1:{server.port}")).card
    finally:
        server.stop()
    assert not server.healthy()


# --- asking -------------------------------------------------------------------------------------------------------


@dataclass
class Reply:
    status: int
    body: bytes
    cookie: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connection(url: str, trusted: Path | None = None) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=str(trusted))
        return http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=PATIENCE, context=context
        )
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)


def request(
    url: str, method: str, path: str, value: Any = None, headers: Any = None, trusted: Path | None = None
) -> Reply:
    """One request of its own; the cookie is what the proxy gives."""
    asking = connection(url, trusted)
    kind = {} if value is None else {"Content-Type": "application/json"}
    asking.request(
        method,
        urlsplit(url).path + path,
        None if value is None else json.dumps(value),
        kind | (headers or {}),
    )
    reply = asking.getresponse()
    cookie = (reply.getheader("Set-Cookie") or "").partition(";")[0]
    found = Reply(reply.status, reply.read(), cookie if cookie.startswith("capsviz=") else "")
    asking.close()
    return found


@contextlib.contextmanager
def listening(url: str, path: str, headers: dict[str, str], told: Callable[[Any], None], trusted: Path | None = None) -> Iterator[None]:  # fmt: skip
    """Messages of a stream, each given to ``told``."""
    asking = connection(url, trusted)
    asking.request("GET", urlsplit(url).path + path, headers=headers)
    reply = asking.getresponse()
    assert reply.status == 200

    def follow() -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while line := reply.readline():
                if line.startswith(b"data: "):
                    told(json.loads(line[6:]))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    yield
    with contextlib.suppress(OSError):
        asking.sock.shutdown(2)
    thread.join(timeout=10)
    reply.close()
    asking.close()


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether a proxy has begun, and a server behind it."""
    try:
        return request(url, "GET", "/_stcore/health").status == 200
    except OSError:
        return False


class Phone:
    """Sends as the phone's page does: where no answer comes it sends the same again."""

    def __init__(
        self, url: str, code: str, headers: dict[str, str] | None = None, trusted: Path | None = None
    ) -> None:
        self.url, self.trusted, self.headers = url, trusted, headers or {}
        self.cookie = ""
        self.again = 0
        reply = self._ask("POST", "/c/api/join", {"code": code})
        assert reply.status == 200, reply.body
        self.headers |= {"Authorization": f"Bearer {reply.json['token']}"}

    def _ask(self, method: str, path: str, value: Any = None) -> Reply:
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        reply = request(self.url, method, path, value, self.headers | cookie, self.trusted)
        self.cookie = reply.cookie or self.cookie
        return reply

    def send(self) -> str:
        """Its mark, once it is accepted."""
        value = body(SEVEN)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                reply = self._ask("POST", "/c/api/send", value)
            except (OSError, http.client.HTTPException):
                reply = None
            if reply is not None and reply.status == 200:
                assert reply.json["mark"] == value["mark"]
                return str(value["mark"])
            assert reply is None or reply.status in (429, 502, 503), reply.body
            self.again += 1
            time.sleep(0.3)
        raise AssertionError("it is not accepted")


async def drawn(
    url: str, cookie: str = "", known: str = "", draws: bool = True, trusted: Path | None = None
) -> Session:
    """A session of the app that has opened it, and has drawn; ``known`` is one that was there before."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    context = ssl.create_default_context(cafile=str(trusted)) if trusted else None
    async with connect(
        f"{scheme}://{parts.netloc}{parts.path}/_stcore/stream",
        subprotocols=[Subprotocol(name) for name in ("streamlit", *(("none", known) if known else ()))],
        origin=Origin(f"{parts.scheme}://{parts.netloc}"),
        additional_headers={"Cookie": cookie} if cookie else {},
        max_size=None,
        ssl=context,
        create_connection=Wire,
    ) as socket:
        session = Session(socket)
        await session.run()
        if draws:
            await session.run("clear")
            await session.draw(EXAMPLE)
        return session


# --- two servers, one class -----------------------------------------------------------------------------------------


@dataclass
class Two:
    """Two servers on one database below a prefix, and a proxy in front of them."""

    url: str
    servers: list[Server]
    room: Classroom
    trusted: Path
    nginx: str = ""


@pytest.fixture(scope="module")
def two(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    if shutil.which("caddy") is None or shutil.which("nginx") is None or shutil.which("openssl") is None:
        pytest.skip("no Caddy, nginx or openssl is installed (Debian's packages caddy, nginx, openssl)")
    folder = tmp_path_factory.mktemp("two")
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(database())
        common = {
            "CAPSVIZ_DATABASE": url,
            "CAPSVIZ_KEY": KEY,
            "STREAMLIT_SERVER_BASE_URL_PATH": PREFIX,
            "STREAMLIT_SERVER_COOKIE_SECRET": KEY,
        }
        servers = [Server(image, folder / name, **common) for name in ("one", "other")]
        for server in servers:
            stack.callback(server.stop)
        for server in servers:
            server.until_healthy()
        proxy = stack.enter_context(caddy(folder, servers))
        in_front, trusted = stack.enter_context(nginx(folder, servers[1]))
        room = Classroom(Settings(folder / "presenter", url, key=KEY), lambda name: None)  # type: ignore[arg-type, return-value]
        stack.callback(room.close)
        made = Two(f"{proxy}{PREFIX}", servers, room, trusted, f"{in_front}{PREFIX}")
        until(lambda: answers(made.url))
        yield made


@contextlib.contextmanager
def proxy(command: list[str], folder: Path, **environment: str) -> Iterator[None]:
    with (folder / f"{Path(command[0]).name}.log").open("w") as log:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)


@contextlib.contextmanager
def caddy(folder: Path, servers: list[Server]) -> Iterator[str]:
    """Caddy as compose.yaml starts it."""
    port = free_port()
    environment = {
        "CAPSVIZ_SITE": f":{port}",
        "CAPSVIZ_PREFIX": PREFIX,
        "CAPSVIZ_REPLICAS": " ".join(f"127.0.0.1:{server.port}" for server in servers),
        "CAPSVIZ_KEY": KEY,
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(ROOT / "docs/deploying/Caddyfile")]
    with proxy(command, folder, **environment):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def nginx(folder: Path, server: Server) -> Iterator[tuple[str, Path]]:
    """nginx in front of one server, with TLS; its certificate."""
    port, certificate = free_port(), folder / "certificate.pem"
    making = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [
            *making.split(),
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            "key.pem",
            "-out",
            certificate.name,
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    published = (ROOT / "docs/deploying/nginx.conf").read_text("utf-8")
    assert published.count("http://127.0.0.1:8501") == 1
    (folder / "capsviz.conf").write_text(published.replace(":8501", f":{server.port}"))
    stores = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
    (folder / "nginx.conf").write_text(
        f"""pid {folder}/nginx.pid; error_log stderr; events {{}}
        http {{ access_log off; {stores}
        server {{ listen 127.0.0.1:{port} ssl; server_name localhost;
        ssl_certificate {certificate}; ssl_certificate_key {folder}/key.pem; include {folder}/capsviz.conf; }} }}"""
    )
    user = f"user {os.environ.get('USER', 'root')};" if os.geteuid() == 0 else ""
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", f"daemon off; {user}"]
    with proxy(command, folder):
        yield f"https://localhost:{port}", certificate


def opened(two: Two) -> tuple[Opened, dict[str, str]]:
    made = two.room.open("cnn.mnist")
    return made, {"Authorization": f"Bearer {made.secret}"}


def test_nginx_passes_on_streams_drawings_and_pages_of_the_app_below_a_path(two: Two) -> None:
    made, secret = opened(two)
    seen: set[int] = set()

    def told(message: Any) -> None:
        seen.update(tile["id"] for tile in message["tiles"])

    site = {"Origin": two.nginx.removesuffix(PREFIX)}
    with listening(two.nginx, "/c/api/class/stream?since=0", secret, told, two.trusted):
        phone = Phone(two.nginx, made.code, site, two.trusted)
        phone.send()
        until(lambda: len(seen) == 1)
        assert run(drawn(two.nginx, trusted=two.trusted)).card
    moved = request(two.nginx.removesuffix(PREFIX), "GET", PREFIX, trusted=two.trusted)
    assert moved.status == 301
    two.room.presenter(made.secret).delete()


def test_a_class_goes_on_when_one_of_two_servers_is_killed(two: Two) -> None:
    made, secret = opened(two)
    presenter = two.room.presenter(made.secret)
    seen: set[int] = set()  # a tile comes again with what other networks make of it

    def told(message: Any) -> None:
        seen.update(tile["id"] for tile in message["tiles"])

    # Phones come to both, the wall listens to the other.
    phones = [Phone(two.url, made.code) for _ in range(6)]
    while len({phone.cookie for phone in phones}) < 2:
        assert len(phones) < 60
        phones.append(Phone(two.url, made.code))
    cookies = {phone.cookie for phone in phones}
    assert len(cookies) == 2
    one, other = two.servers
    with listening(f"http://127.0.0.1:{other.port}{PREFIX}", "/c/api/class/stream?since=0", secret, told):
        sent = [phone.send() for phone in phones]
        until(lambda: len(seen) == len(sent))

        # A page of the app finds its session again where its cookie leads, and nowhere else.
        cookie = phones[0].cookie
        session = run(drawn(two.url, cookie))
        assert session.card
        assert run(drawn(two.url, cookie, session.id, draws=False)).id == session.id
        (elsewhere,) = cookies - {cookie}
        assert run(drawn(two.url, elsewhere, session.id, draws=False)).id != session.id

        # One is killed while all send.
        stop = threading.Event()
        accepted: list[str] = []

        def draw(phone: Phone) -> None:
            while not stop.is_set():
                accepted.append(phone.send())
                time.sleep(0.4)

        threads = [threading.Thread(target=draw, args=(phone,)) for phone in phones]
        for thread in threads:
            thread.start()
        until(lambda: len(accepted) >= len(phones))
        one.stop(signal.SIGKILL)
        at = len(accepted)
        until(lambda: len(accepted) >= at + len(phones))
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
        accepted += [phone.send() for phone in phones]
        until(lambda: len(seen) >= len(sent + accepted))
    assert len({phone.cookie for phone in phones}) == 1  # all are at the other now
    kept = presenter.wall(most=10_000).tiles
    assert Counter(tile.mark for tile in kept) == Counter(
        sent + accepted
    )  # nothing lost, nothing there twice
    assert seen == {tile.id for tile in kept}  # and the wall has seen all of it
    assert run(drawn(two.url, phones[0].cookie)).card
    presenter.delete()
