"""A page as someone has it before them, and what stands on it."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, Route

from capsviz.figures.bundle import FOLDER

PATHS = ["", "routing", "pose", "model"]


@contextmanager
def opened(
    browser: Browser, url: str, path: str, size: tuple[int, int] = (1366, 768), **options: Any
) -> Iterator[Page]:
    """A page that shows its answer and its live views, or its charts; ``options`` are of the browser's context."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{url}/{path}")
    page.get_by_test_id("answer").wait_for()
    name = path.partition("?")[0]
    if name == "model":
        page.locator(".stPlotlyChart .main-svg >> visible=true").first.wait_for()
    elif name:
        page.locator(".st-key-page canvas").first.wait_for()
    page.wait_for_timeout(1000)
    yield page
    context.close()


@contextmanager
def without_errors(page: Page) -> Iterator[Page]:
    """A page that is closed at the end, when no script of it may have failed."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert not errors, f"errors in the page: {errors}"
    page.close()


@contextmanager
def failing_no_script(page: Page) -> Iterator[Page]:
    """A page that lives on afterwards, in which no script may fail meanwhile."""
    errors: list[str] = []

    def keep(error: Error) -> None:
        errors.append(str(error))

    page.on("pageerror", keep)
    yield page
    page.remove_listener("pageerror", keep)
    assert not errors, f"errors in the page: {errors}"


def pixels(locator: Locator) -> np.ndarray:
    """[H, W, 3] uint8 colours of an element as it is shown."""
    return np.asarray(Image.open(io.BytesIO(locator.screenshot(animations="disabled"))).convert("RGB"))


def serve_scripts(
    target: Page | BrowserContext, html: Callable[[], str], address: str = "http://capsviz.test"
) -> None:
    """A page at every address below one, and the modules of the live views, as they are, in its folder browser."""

    def module(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        route.fulfill(body=(FOLDER / name).read_text("utf-8"), content_type="text/javascript")

    target.route(f"{address}/**", lambda route: route.fulfill(body=html(), content_type="text/html"))
    target.route(f"{address}/browser/*.js", module)
