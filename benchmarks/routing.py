"""What the Routing page takes, measured in Chromium; and what is sent for it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

from benchmarks.browser import opened
from benchmarks.trace import Quantiles, canvas, quantiles
from capsviz import canvas_to_mnist, load_model
from capsviz.app.assets import script_asset
from capsviz.figures import routing_payload, surgery_payload
from capsviz.traces.surgery import reroute

ROUNDS = 12

# What is inside the live views' shadow roots.
INSIDE = """window.inside = (name) => [...document.querySelectorAll('*')]
    .map((element) => element.shadowRoot?.querySelector(name)).find(Boolean)"""

# Each frame of the screen: its time, the clock's position, the stage's pixels as a checksum.
WATCH_PLAYBACK = """() => new Promise((done) => {
    const where = inside('.where'), play = inside('.transport button:nth-child(3)');
    const times = [], steps = new Set([where.textContent]);
    const look = (now) => {
        times.push(now);
        steps.add(where.textContent);
        if (times.length > 30 && play.dataset.state === 'false') done({ times, steps: steps.size });
        else requestAnimationFrame(look);
    };
    play.click();
    requestAnimationFrame(look);
})"""

# From a control's event to the frame painted after its answer has come.
WATCH_SURGERY = """() => {
    const surgery = inside('.surgery');
    window.waits = [];
    let began = null;
    for (const name of ['pointerdown', 'change', 'input']) {
        surgery.addEventListener(name, () => { began ??= performance.now(); }, true);
    }
    new MutationObserver(() => {
        if (began === null) return;
        const start = began;
        began = null;
        requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - start)));
    }).observe(surgery, { attributeFilter: ['data-answered'] });
}"""


@contextmanager
def routing_page() -> Iterator[Page]:
    with opened("app.py") as page:
        page.wait_for_timeout(1000)
        page.get_by_role("link", name="Routing", exact=True).click()
        page.get_by_test_id("verdict").wait_for()
        page.wait_for_timeout(1000)
        page.evaluate(INSIDE)
        yield page


def open_page() -> Quantiles:
    """From the click on the page's name, with a drawing there, to its last view painted."""
    times = []
    with opened("app.py") as page:
        page.wait_for_timeout(1000)
        for _ in range(ROUNDS):
            began = time.perf_counter()
            page.get_by_role("link", name="Routing", exact=True).click()
            page.get_by_test_id("verdict").wait_for()
            page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            times.append(1000 * (time.perf_counter() - began))
            page.get_by_role("link", name="Draw", exact=True).click()
            page.locator(".cv-strip").wait_for()
            page.wait_for_timeout(500)
    return quantiles(times)


def new_drawing() -> Quantiles:
    """From the pointer's release to the frame painted with the new drawing's routing."""
    with routing_page() as page:
        page.evaluate(
            """() => {
                window.waits = [];
                let released = null;
                document.addEventListener('pointerup', () => { released = performance.now(); }, true);
                new MutationObserver(() => {
                    if (released === null) return;
                    const start = released;
                    released = null;
                    requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - start)));
                }).observe(inside('.film'), { childList: true });
            }"""
        )
        box = page.locator("canvas.upper-canvas").bounding_box()
        assert box is not None
        for stroke in range(ROUNDS):
            x, y = box["x"] + 40 + 12 * stroke, box["y"] + 60 + 9 * stroke
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + 30, y + 20, steps=5)
            page.mouse.up()
            page.wait_for_function(f"window.waits.length > {stroke}")
            page.wait_for_timeout(400)
        waits: list[float] = page.evaluate("window.waits")
    return quantiles(waits)


def playback_frame() -> Quantiles:
    """Milliseconds from frame to frame while all steps are played, at the views that are drawn most."""
    intervals: list[float] = []
    with routing_page() as page:
        for view in ("section.stage", "section.couplings", "section.clouds"):
            page.locator(view).scroll_into_view_if_needed()
            page.keyboard.press("Home")
            page.wait_for_timeout(600)
            seen = page.evaluate(WATCH_PLAYBACK)
            assert seen["steps"] == 12, "a step was left out"
            intervals += [
                after - before for before, after in zip(seen["times"], seen["times"][1:], strict=False)
            ]
    return quantiles(intervals)


def surgery() -> Quantiles:
    """From a control to its answer on the screen, for every kind of experiment and a painted region."""
    with routing_page() as page:
        page.evaluate(WATCH_SURGERY)
        page.locator(".surgery").scroll_into_view_if_needed()
        controls = ("c uniform", "c random", "wrong axis", "b not reset")
        cells = page.locator(".over-drawing button")
        for turn in range(5 * ROUNDS):
            if turn % 6 < 4:
                page.locator(".surgery .choice", has_text=controls[turn % 6]).click()
            elif turn % 6 == 4:
                cells.nth(turn % 36).click()
            else:
                page.get_by_label("Routing iterations of the experiment").fill(str(turn % 9 + 1))
            page.wait_for_function(f"window.waits.length > {turn}")
            page.wait_for_timeout(250)
        waits: list[float] = page.evaluate("window.waits")
    return quantiles(waits)


def sent_kilobytes(iterations: int = 3) -> Quantiles:
    """Data and scripts of the page's two live views, in kB (not a time); a browser keeps the scripts, which come packed."""
    model = load_model(device="cpu")
    trace = model.trace(canvas_to_mnist(canvas()), iterations)
    drawings = model.reconstructions(trace)
    operated = surgery_payload(trace, drawings[-1, 0], reroute(trace.u_hat, iterations), drawings[-1, 0])
    scripts = sum(len(script_asset(name).packed) for name in ("explorer", "surgery"))
    return ((len(routing_payload(trace, drawings)) + len(repr(operated)) + scripts) / 1000,) * 3
