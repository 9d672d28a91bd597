"""Nobody but the user's own machine is ever asked for anything."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.e2e.serving import ROOT, free_port, until_healthy


class Recorder:
    """A proxy that connects to nobody and remembers whom it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(1000).decode("latin-1").partition("\r\n")[0])

    def close(self) -> None:
        self._socket.close()

    def environment(self) -> dict[str, str]:
        names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        hidden = {"no_proxy", "NO_PROXY", "DISPLAY", "WAYLAND_DISPLAY"}
        kept = {name: value for name, value in os.environ.items() if name not in hidden}
        return {**kept, **dict.fromkeys(names, self.url)}


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    found = Recorder()
    yield found
    found.close()


def test_the_recorder_would_notice(recorder: Recorder) -> None:
    ask = "from streamlit import net_util; print(net_util.get_external_ip())"
    subprocess.run([sys.executable, "-c", ask], env=recorder.environment(), check=True, capture_output=True)
    assert any("checkip" in line for line in recorder.asked)


def test_no_start_and_no_visitor_lets_the_server_ask_an_outside_host(recorder: Recorder) -> None:
    """Started as on a machine without a display; then a page of another site knocks."""
    port = free_port()
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            f"--server.port={port}",
            "--server.headless=true",
        ],
        cwd=ROOT,
        env=recorder.environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until_healthy(f"http://127.0.0.1:{port}", server)
        with pytest.raises(InvalidStatus):
            connect(f"ws://127.0.0.1:{port}/_stcore/stream", origin="http://elsewhere.example", proxy=None)
        with connect(
            f"ws://127.0.0.1:{port}/_stcore/stream",
            origin=f"http://localhost:{port}",
            subprotocols=["streamlit"],
            proxy=None,
        ):
            pass  # of its own it lets in
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=20)
    assert recorder.asked == []
    assert "http://localhost:" in said


@pytest.mark.parametrize("command", ["--help", "predict nothing.png", "train --help"])
def test_no_command_asks_an_outside_host(recorder: Recorder, command: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "capsviz", *command.split()],
        cwd=ROOT,
        env=recorder.environment(),
        capture_output=True,
        check=False,
    )
    assert recorder.asked == []
