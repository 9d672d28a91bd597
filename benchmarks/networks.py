"""What it takes to let another network answer, measured in Chromium."""

from functools import cache

from benchmarks.browser import WATCH, opened
from benchmarks.trace import Quantiles, quantiles
from capsviz.models.weights import available
from capsviz.networks.base import DEFAULT, find

ROUNDS = 4


def first_use() -> Quantiles:
    """From the choice in the menu to the answer, of networks that the server has not used before."""
    return quantiles(_chosen()[0])


def next_use() -> Quantiles:
    """The same of networks that the server has loaded."""
    return quantiles(_chosen()[1])


@cache
def _chosen() -> tuple[list[float], list[float]]:
    """Milliseconds of each network's first use, and of all later ones."""
    others = [name for name in available() if name != DEFAULT]
    order = others * (1 + ROUNDS)
    with opened("app.py") as page:
        page.wait_for_timeout(1000)
        page.evaluate(WATCH)
        for at, name in enumerate(order):
            page.locator(".st-key-networks button").click()
            page.get_by_role("menuitem", name=find(name).title).click()
            page.wait_for_function(f"window.waits.length > {at}")
            page.wait_for_timeout(300)
        waits: list[float] = page.evaluate("window.waits")
    return waits[: len(others)], waits[len(others) :]
