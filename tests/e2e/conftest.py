"""The app in a server of its own, and a Chromium to use it with."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("e2e")


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the app, served by the command that ``make app`` runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as output:
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
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(300):
                try:
                    with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                        break
                except OSError:
                    assert server.poll() is None, log.read_text()
                    time.sleep(0.1)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=20)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium that is installed, or Playwright's own."""
    installed = next(filter(None, map(shutil.which, CHROMIUM)), None)
    path = installed or playwright.chromium.executable_path
    if not Path(path).exists():
        pytest.skip("no Chromium is installed: `make test` says how it looks for one")
    with playwright.chromium.launch(executable_path=path, args=FLAGS) as started:
        yield started


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The app's first page, answered, with every host but its own out of reach."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    foreign: list[str] = []

    def only_the_app(route: object) -> None:
        address = route.request.url  # type: ignore[attr-defined]
        if address.startswith((url, "data:", "blob:")):
            route.continue_()  # type: ignore[attr-defined]
        else:
            foreign.append(address)
            route.abort()  # type: ignore[attr-defined]

    context.route("**/*", only_the_app)
    page = context.new_page()
    page.set_default_timeout(30_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    page.get_by_test_id("answer").wait_for()
    yield page
    context.close()
    assert not foreign, f"loaded from elsewhere: {foreign}"
    assert not errors, f"errors in the page: {errors}"
