"""What a hand on a pose slider sees, measured in Chromium, beside Streamlit's own sliders."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from playwright.async_api import async_playwright
from playwright.sync_api import Page

from benchmarks.browser import opened
from benchmarks.routing import INSIDE
from benchmarks.trace import Quantiles, quantiles
from capsviz.app.fetched import array_asset
from capsviz.networks.base import DEFAULT
from tests.e2e.serving import FLAGS, find_chromium, serve

SECONDS = 6  # of dragging
REPORTS = 125  # a second, of the mouse
CHANGES = 12  # of a slider of Streamlit's

# While a slider is dragged: for each frame of the screen, whether an image has been drawn since the one before;
# and for each new image the time since the first movement that is in it, counted from the movement itself.
WATCH_DRAG = """() => {
    const posing = inside('.posing');
    window.drawn = []; window.waits = [];
    let moved = null, before = posing.dataset.painted;
    inside('[data-testid=slider-15]').addEventListener('input', (event) => { moved ??= event.timeStamp; });
    const look = () => {
        window.drawn.push(posing.dataset.painted !== before);
        before = posing.dataset.painted;
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => window.waits.push(performance.now() - data);
    new MutationObserver(() => {
        // Told among the frame's callbacks; a message comes after the frame has been painted.
        if (moved !== null) port2.postMessage(moved);
        moved = null;
    }).observe(posing, { attributeFilter: ['data-painted'] });
}"""

# From a key on Streamlit's slider to the new image in the page.
WATCH_RERUN = """() => {
    window.waits = [];
    let pressed = null;
    document.addEventListener('keydown', () => { pressed = performance.now(); }, true);
    new MutationObserver(() => {
        if (pressed === null) return;
        const start = pressed;
        pressed = null;
        requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - start)));
    }).observe(document.querySelector('.st-key-page'), { subtree: true, childList: true, attributeFilter: ['src'] });
}"""


@contextmanager
def pose_page() -> Iterator[Page]:
    with opened("app.py") as page:
        page.wait_for_timeout(1000)
        page.get_by_role("link", name="Pose", exact=True).click()
        page.locator('.posing[data-busy="false"]').wait_for()
        page.wait_for_timeout(1000)
        page.evaluate(INSIDE)
        yield page


@cache
def _drag() -> tuple[list[bool], list[float]]:
    """What ``WATCH_DRAG`` sees while a slider goes to and fro."""
    return asyncio.run(_dragged())


async def _dragged() -> tuple[list[bool], list[float]]:
    # Asynchronous: a mouse does not wait for the page to answer.
    with serve("app.py") as url:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=find_chromium(playwright), args=FLAGS)
            page = await browser.new_page(viewport={"width": 1366, "height": 768})
            await page.goto(f"{url}/pose")
            await page.locator('.posing[data-busy="false"]').wait_for()
            await page.wait_for_timeout(2000)
            await page.evaluate(INSIDE)
            box = await page.get_by_test_id("slider-15").bounding_box()
            assert box is not None
            left, width, y = box["x"] + 12, box["width"] - 24, box["y"] + box["height"] / 2
            await page.mouse.move(left, y)
            await page.mouse.down()
            await page.evaluate(WATCH_DRAG)
            hand = await page.context.new_cdp_session(page)
            movements = []
            began = time.perf_counter()
            while (elapsed := time.perf_counter() - began) < SECONDS:
                x = left + width * abs(elapsed % 2 - 1)  # to and fro in two seconds
                movement = {"type": "mouseMoved", "x": x, "y": y, "button": "left", "buttons": 1}
                movements.append(asyncio.create_task(hand.send("Input.dispatchMouseEvent", movement)))
                await asyncio.sleep(1 / REPORTS)
            drawn: list[bool] = await page.evaluate("window.drawn")
            waits: list[float] = await page.evaluate("window.waits")
            await asyncio.gather(*movements)
            await browser.close()
    return drawn[10:-10], waits[5:]


def frames_with_a_new_image() -> Quantiles:
    """In percent (not a time)."""
    drawn, _ = _drag()
    return (100 * sum(drawn) / len(drawn),) * 3


def drag_to_paint() -> Quantiles:
    return quantiles(_drag()[1])


def streamlit_slider() -> Quantiles:
    """The same with a rerun for every change, as Streamlit's own slider does it."""
    with pose_page() as page:
        page.get_by_text("Plain sliders, decoded on the server").click()
        # Of Streamlit's own: until the page has run again, the live view's sliders are still there.
        slider = page.locator(".st-key-page").get_by_test_id("stSlider").first.get_by_role("slider")
        slider.focus()
        page.wait_for_timeout(1000)
        page.evaluate(WATCH_RERUN)
        for change in range(CHANGES):
            page.keyboard.press("ArrowRight")
            page.wait_for_function(f"window.waits.length > {change}")
            page.wait_for_timeout(300)
        waits: list[float] = page.evaluate("window.waits")
    return quantiles(waits)


def decoder_kilobytes() -> Quantiles:
    """What the browser fetches once to decode by itself, in kB (not a time)."""
    return (len(array_asset("decoder", DEFAULT).packed) / 1000,) * 3
