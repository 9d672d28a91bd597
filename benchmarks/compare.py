"""What the Compare page takes from a hand on a change to the answers of three networks, measured in Chromium."""

from functools import cache

from playwright.sync_api import Page

from benchmarks.browser import opened
from benchmarks.routing import INSIDE
from benchmarks.trace import Quantiles, quantiles

TURNS = (0, 5, -7, 11)  # steps of rotation at which the other changes are moved
ALONG = 12  # values of each curve, once it is measured

# One step of a change, to the frame painted after the answers at its value are there.
STEP = """async ([name, steps]) => {
    const view = inside('.compare'), slider = inside(`[data-testid=change-${name}]`);
    const began = performance.now();
    slider.value = String(steps);
    slider.dispatchEvent(new Event('input'));
    if (view.dataset.known !== 'true') await new Promise((done) => {
        const seen = new MutationObserver(() => view.dataset.known === 'true' && (seen.disconnect(), done()));
        seen.observe(view, { attributeFilter: ['data-known'] });
    });
    await new Promise(requestAnimationFrame);
    await new Promise((after) => setTimeout(after));
    return performance.now() - began;
}"""
CHANGES = (
    "[...inside('.compare-sliders').querySelectorAll('input')].map(({ dataset }) => dataset.testid.slice(7))"
)


def _whole(page: Page) -> None:
    """The curve is measured to its ends, and what was asked is answered."""
    page.locator(".compare[data-known=true][data-whole=true]").wait_for()
    page.wait_for_timeout(300)


@cache
def _moved() -> tuple[Quantiles, Quantiles]:
    first: list[float] = []
    along: list[float] = []
    with opened("app.py") as page:
        page.goto(f"{page.url.rstrip('/')}/compare")
        page.locator(".compare").wait_for()
        page.evaluate(INSIDE)
        _whole(page)
        turned, *others = page.evaluate(CHANGES)
        for turn in TURNS:
            page.evaluate(STEP, [turned, turn])
            _whole(page)
            for name in others:
                first.append(page.evaluate(STEP, [name, 1]))
                _whole(page)
                along += [page.evaluate(STEP, [name, 2 + step]) for step in range(ALONG)]
                page.evaluate(STEP, [name, 0])
                _whole(page)
    return quantiles(first), quantiles(along)


def first_value() -> Quantiles:
    """At the first value of a change that no pointer has come near, so that nothing was asked for ahead."""
    return _moved()[0]


def along() -> Quantiles:
    """At the next values, which are measured by then."""
    return _moved()[1]
