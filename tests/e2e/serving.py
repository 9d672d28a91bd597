"""A server and a browser for it, for the browser tests and the benchmarks."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",  # no other host is in reach
]


def find_chromium(playwright: Playwright) -> Path | None:
    """A Chromium that is installed, or Playwright's own; None if there is neither."""
    installed = next(filter(None, map(shutil.which, CHROMIUM)), None)
    path = Path(installed or playwright.chromium.executable_path)
    return path if path.exists() else None


def launch_chromium(playwright: Playwright) -> AbstractContextManager[Browser]:
    """Start the Chromium that ``find_chromium`` finds."""
    return playwright.chromium.launch(executable_path=find_chromium(playwright), args=FLAGS)


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def until_healthy(url: str, server: "subprocess.Popen[bytes]") -> None:
    """Wait until a server answers.

    Raises:
        RuntimeError: if it stops instead.
    """
    while True:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
                return
        except OSError:
            if server.poll() is not None:
                raise RuntimeError("the server stopped") from None
            time.sleep(0.1)


@contextmanager
def serve(script: str, tracebacks: bool = False, port: int = 0, **environment: str) -> Iterator[str]:
    """Serve a Streamlit script on a port, or a free one; the address. A traceback in its log is an error, unless expected."""
    port = port or free_port()
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as log:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                script,
                f"--server.port={port}",
                "--server.headless=true",
            ],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )

        def said() -> str:
            log.seek(0)
            return log.read()

        try:
            try:
                until_healthy(f"http://127.0.0.1:{port}", server)
            except RuntimeError as error:
                raise RuntimeError(f"{error}: {said()}") from None
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)
        if not tracebacks and "Traceback" in said():
            raise RuntimeError(said())


class Server:
    """The app on one port, to be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.stack = ExitStack()

    def start(self) -> str:
        before = children()
        url = self.stack.enter_context(serve("app.py", port=self.port, CAPSVIZ_DATA=str(self.folder)))
        (self.pid,) = children() - before
        return url

    def kill(self) -> None:
        """As a power cut would."""
        os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        self.stack.close()


def children() -> set[int]:
    found = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for path in found for pid in path.read_text().split()}
