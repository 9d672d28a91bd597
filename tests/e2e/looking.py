"""A page as someone has it before them, and what stands on it."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, Route

from capsviz.figures.bundle import FOLDER

PATHS = ["", "routing", "pose", "model", "lessons", "lesson", "compare", "class", "inside"]
# What is there when a page's views are: where it is no canvas.
SHOWN = {
    "model": ".stPlotlyChart .main-svg >> visible=true",
    "lessons": ".cv-lesson",
    "lesson": ".handed svg",
    "class": ".st-key-page .wall button",
    "training": ".st-key-training",
    "lab": ".st-key-section_price",
}

KEPT: dict[tuple[Browser, bool], Page] = {}
PLAIN = {"color_scheme": "light", "forced_colors": "none", "contrast": "no-preference", "media": "null"}


def as_new(browser: Browser, url: str, touched: bool = False) -> Page:
    """An empty page that remembers nothing of the app at ``url``, as if in a browser just opened.

    It is always the same one, under a finger or not: in another one, Streamlit's scripts would be read anew, which
    takes longer than most of what is tried on them. ``discard`` throws it away.
    """
    page = KEPT.get((browser, touched))
    if page is None or page.is_closed():
        context = browser.new_context(has_touch=touched, is_mobile=touched)
        page = KEPT[browser, touched] = context.new_page()
    for other in page.context.pages:
        if other is not page:
            other.close()
    page.unroute_all()
    page.set_default_timeout(30_000)
    page.emulate_media(**PLAIN)
    page.goto(f"{url}/_stcore/health")  # of the app's origin, without its scripts
    page.evaluate("sessionStorage.clear(); localStorage.clear()")
    page.mouse.move(0, 0)
    return page


def discard(page: Page) -> None:
    """Let nobody have this page again: who knows in what state a failed test leaves it."""
    for key in [key for key, kept in KEPT.items() if kept is page]:
        del KEPT[key]
    page.context.close()


def still(page: Page) -> None:
    """Wait until the script has run and what it shows has been drawn."""
    page.locator(".stApp[data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(200)  # of layout, and for bars and lines to have moved to where they belong


@contextmanager
def opened(
    browser: Browser,
    url: str,
    path: str,
    size: tuple[int, int] = (1366, 768),
    touched: bool = False,
    **emulated: Any,
) -> Iterator[Page]:
    """A page that shows its answer and its live views, or its charts; ``emulated`` are of ``Page.emulate_media``."""
    page = as_new(browser, url, touched)
    try:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(**emulated)
        page.goto(f"{url}/{path}")
        # On a stage, the answer may be out of sight.
        page.get_by_test_id("answer").wait_for(state="attached" if "present=" in path else "visible")
        name = path.partition("?")[0]
        if name:
            page.locator(SHOWN.get(name, ".st-key-page canvas")).first.wait_for()
        if name == "pose":
            page.locator('.posing[data-busy="false"]').wait_for()
        still(page)
        yield page
    except BaseException:
        discard(page)
        raise


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


def swipe(page: Page, on: Locator, across: float = 0, down: float = 0, share: float = 0.8) -> float:
    """Touch an element, such a share of its width from its left, move so many pixels, and let go.

    Returns:
        Pixels that the page was scrolled down by it.
    """
    place, steps = "document.querySelector('.stMain').scrollTop", 12
    on.evaluate("(node) => node.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(300)
    box, before = on.bounding_box(), page.evaluate(place)
    assert box is not None
    x, y = box["x"] + share * box["width"], box["y"] + box["height"] / 2
    finger = page.context.new_cdp_session(page)
    finger.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for step in range(steps + 1 if across or down else 1):
        point = {"x": x + across * step / steps, "y": y + down * step / steps}
        kind = "touchMove" if step else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        page.wait_for_timeout(16)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(300)
    finger.detach()
    return float(page.evaluate(place) - before)


def accessibility_tree(page: Page) -> list[dict[str, Any]]:
    """Every node that assistive technology meets: its "role" and "name"; parts of a picture are none."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return [
        {"role": node["role"]["value"], "name": node.get("name", {}).get("value", "").strip()}
        for node in nodes
        if not node["ignored"]
    ]


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
