"""The app in a server of its own, and a Chromium to use it with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.e2e.serving import find_chromium, launch_chromium, serve

expect.set_options(timeout=15_000)  # two cores, two workers, and a browser and a server for each


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("e2e")
            # A browser on two busy cores may miss a moment. What is tried again is named in the report.
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Address of the app, served as ``make app`` serves it."""
    with serve("app.py") as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        if find_chromium(playwright) is None:
            pytest.skip("no Chromium is installed: `make test` says how it looks for one")
        with launch_chromium(playwright) as started:
            yield started


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The app's first page, answered, with every host but its own out of reach."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    foreign: list[str] = []

    def only_the_app(route: Route) -> None:
        if route.request.url.startswith((url, "data:", "blob:")):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

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
