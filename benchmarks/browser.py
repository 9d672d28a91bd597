"""What a person waits for, measured in the page in Chromium."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from benchmarks.trace import Quantiles, quantiles
from tests.e2e.serving import launch_chromium, serve

STROKES = 20

# From the pointer's release to the frame painted after the answer has changed.
WATCH = """() => {
    const text = () => document.querySelector('.cv-reading')?.innerHTML;
    window.released = null; window.waits = [];
    let before = text();
    document.addEventListener('pointerup', () => { window.released = performance.now(); }, true);
    document.addEventListener('mouseup', () => { window.released = performance.now(); }, true);
    new MutationObserver(() => {
        const now = text();
        if (now && now !== before) {
            before = now;
            if (window.released !== null) {
                const released = window.released;
                window.released = null;
                requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - released)));
            }
        }
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


@contextmanager
def opened(script: str, **environment: str) -> Iterator[Page]:
    with (
        serve(script, **environment) as url,
        sync_playwright() as playwright,
        launch_chromium(playwright) as browser,
    ):
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(url)
        page.get_by_test_id("answer").wait_for()
        yield page


def _pen_up(script: str) -> Quantiles:
    """Draw short strokes one after the other into the same canvas, waiting for each to be answered."""
    with opened(script) as page:
        page.wait_for_timeout(1000)
        page.evaluate(WATCH)
        box = page.locator("canvas.upper-canvas").bounding_box()
        assert box is not None
        for stroke in range(STROKES):
            x, y = box["x"] + 20 + 12 * stroke, box["y"] + 40 + 9 * stroke
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + 30, y + 20, steps=5)
            page.mouse.up()
            page.wait_for_function(f"window.waits.length > {stroke}")
            page.wait_for_timeout(300)
        return quantiles(page.evaluate("window.waits")[2:])


def pen_up_floor() -> Quantiles:
    return _pen_up("benchmarks/echo_app.py")


def pen_up() -> Quantiles:
    return _pen_up("app.py")


def import_torch(repeats: int = 3) -> Quantiles:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import torch"], check=True)
        times.append(1000 * (time.perf_counter() - began))
    return quantiles(times)


def _first_answers(repeats: int, warm: bool) -> Quantiles:
    """From opening the page to the answer; Streamlit imports the app when a first page asks for it."""
    times = []
    with sync_playwright() as playwright, launch_chromium(playwright) as browser:
        for _ in range(repeats):
            with serve("app.py") as url:
                for _ in range(2 if warm else 1):
                    page = browser.new_page(viewport={"width": 1366, "height": 768})
                    began = time.perf_counter()
                    page.goto(url)
                    page.get_by_test_id("answer").wait_for()
                    elapsed = 1000 * (time.perf_counter() - began)
                    page.close()
                times.append(elapsed)
    return quantiles(times)


def first_answer() -> Quantiles:
    return _first_answers(3, warm=False)


def next_answer() -> Quantiles:
    return _first_answers(3, warm=True)
