"""The app in a server of its own, and a Chromium to use it with."""

import shutil
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, Request, expect, sync_playwright

from capsviz.training import live_process
from tests.bars import write_pictures
from tests.e2e.looking import as_new, discard
from tests.e2e.serving import Server, find_chromium, launch_chromium, serve

FAILED = pytest.StashKey[bool]()  # of a test whose setup or call has failed

expect.set_options(timeout=15_000)  # two cores, two workers, and a browser and a server for each


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("e2e")
            # A browser on two busy cores may miss a moment. What is tried again is named in the report.
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of trainings of the app at ``url``."""
    return tmp_path_factory.mktemp("trainings")


@pytest.fixture
def untrained(trainings: Path) -> Iterator[None]:
    """No training is there, nor afterwards: a journey that is tried again finds none of what it left before."""
    yield
    place = live_process.place(trainings)
    if live_process.going(trainings):
        place.write(replace(place.controls(), ended=True))
        for _ in range(600):  # a minute at most
            if not live_process.going(trainings):
                break
            time.sleep(0.1)
    shutil.rmtree(place.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def url(trainings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the app, served as ``make app`` serves it; a training there is of the tests, on few pictures."""
    bars = tmp_path_factory.mktemp("pictures") / "bars"
    write_pictures(bars)
    places = {"FOLDER": trainings, "DATA": bars}
    with serve(
        "app.py", **{f"CAPSVIZ_TRAINING_{name}": str(path) for name, path in places.items()}
    ) as address:
        yield address


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """The app in a server that can be killed, with data of its own."""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("no /proc is here, by which the server's process is found")
    made = Server(tmp_path)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        if find_chromium(playwright) is None:
            pytest.skip("no Chromium is installed: `make test` says how it looks for one")
        with launch_chromium(playwright) as started:
            yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def page(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The app's first page, answered; nothing is asked of another host."""
    page = as_new(browser, url)
    foreign: list[str] = []
    errors: list[str] = []

    def notice(asked: Request) -> None:
        if not asked.url.startswith((url, "data:", "blob:")):
            foreign.append(asked.url)

    def keep(error: Error) -> None:
        errors.append(str(error))

    page.context.on("request", notice)
    page.on("pageerror", keep)
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(url)
    page.get_by_test_id("answer").wait_for()
    yield page
    if request.node.stash.get(FAILED, False):
        discard(page)
    else:
        page.context.remove_listener("request", notice)
        page.remove_listener("pageerror", keep)
    assert not foreign, f"loaded from elsewhere: {foreign}"
    assert not errors, f"errors in the page: {errors}"
