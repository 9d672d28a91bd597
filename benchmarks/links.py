"""What a full link costs over a plain address, measured in Chromium; and what writing the address costs the server."""

import time
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.trace import Quantiles
from capsviz.inputs.drawings import PAD, Drawing, encode, stroke_of
from capsviz.inputs.examples import EXAMPLES
from tests.e2e.serving import launch_chromium, serve

ROUNDS = 8  # pairs of openings; the first is not counted
# What is there once a page has drawn all of its views.
LAST = {"": ".cv-strip", "routing": ".verdict", "pose": '.posing[data-busy="false"]'}


def _drawn() -> str:
    """A drawing by hand, as a link has it: the strokes of the first example, moved a little."""
    example = EXAMPLES[0]
    strokes = (stroke_of(PAD * (np.array(points) + 0.02), PAD * example.width) for points in example.strokes)
    return f"drawing={encode(Drawing(tuple(strokes)))}&pen=22"


def _link(page: str) -> str:
    pose = ",".join(f"{0.05 * (at % 5):g}" for at in range(16))
    more = {
        "routing": "&digit=7&capsule=412&step=5&scale=share&contrast=3",
        "pose": f"&digit=7&pose={pose}&dimension=4",
    }
    return f"{page}?{_drawn()}{more.get(page, '')}"


def _opening(browser: Browser, address: str, last: str) -> float:
    """Milliseconds in a browser that has never been there."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address)
    page.get_by_test_id("answer").wait_for()
    page.locator(last).first.wait_for()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    elapsed = 1000 * (time.perf_counter() - began)
    context.close()
    return elapsed


def _openings(page: str) -> Quantiles:
    """Of a full link in turn with a plain address: their medians' quotient, and the quotients' spread, in per cent."""
    times = []
    with serve("app.py") as url, sync_playwright() as playwright, launch_chromium(playwright) as browser:
        for _ in range(ROUNDS):
            times.append([_opening(browser, f"{url}/{path}", LAST[page]) for path in (page, _link(page))])
    plain, full = np.array(times[1:]).T
    low, high = 100 * np.quantile(full / plain, [0.1, 0.9])
    return float(low), float(100 * np.median(full) / np.median(plain)), float(high)


def draw() -> Quantiles:
    return _openings("")


def routing() -> Quantiles:
    return _openings("routing")


def pose() -> Quantiles:
    return _openings("pose")


def reruns() -> Quantiles:
    """Messages to the server (not a time) while the address follows steps, a class, a capsule, a scale and a slider."""
    sent: list[Any] = []
    with serve("app.py") as url, sync_playwright() as playwright, launch_chromium(playwright) as browser:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
        for name, change in (("routing", _routed), ("pose", _posed)):
            page.goto(f"{url}/{name}?{_drawn()}")
            page.locator(LAST[name]).wait_for()
            page.wait_for_timeout(2000)
            assert sent, "nothing was heard"
            sent.clear()
            before = page.url
            change(page)
            page.wait_for_timeout(1000)
            assert page.url != before, "the address has not followed"
            count = float(len(sent))
            if count:
                break
    return (count,) * 3


def _routed(page: Page) -> None:
    page.locator(".st-key-page").click(position={"x": 3, "y": 3})
    for key in ("8", "Home", *["ArrowRight"] * 6):
        page.keyboard.press(key)
    page.locator("canvas.stage-picture").click(position={"x": 120, "y": 120})
    page.locator(".scale-bar label.choice").last.click()


def _posed(page: Page) -> None:
    slider = page.get_by_test_id("slider-6")
    for _ in range(5):
        slider.press("PageUp")
    page.locator(".sweep").click(position={"x": 20, "y": 100})
