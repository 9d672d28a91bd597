"""A network of another shape, with names for classes, on every page: nothing of the first one's is left on the screen."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from capsviz.models.model import Model, load_model
from capsviz.traces.routing import RoutingTrace
from tests import tiny
from tests.e2e.looking import opened
from tests.e2e.serving import ROOT, serve
from tests.e2e.test_journey import draw

RING = [(140 + 78 * np.sin(t), 140 - 78 * np.cos(t)) for t in np.linspace(0, 2 * np.pi, 40)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of both networks."""
    folder = tmp_path_factory.mktemp("weights")
    with tiny.registered():
        tiny.train(folder)
    (folder / "dynamic.mnist").symlink_to(ROOT / "weights" / "dynamic.mnist")
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serve("tests/e2e/tiny_app.py", TINY_WEIGHTS=str(folder)) as url:
        yield url


@pytest.fixture(scope="module")
def model(folder: Path) -> Iterator[Model]:
    with tiny.registered():
        yield load_model(folder / tiny.SPEC.name, "cpu")


def answer(page: Page) -> str:
    return page.get_by_test_id("answer").inner_text()


@pytest.mark.parametrize("path", ["", "routing", "pose", "model", "lessons"])
def test_every_page_shows_it(browser: Browser, address: str, path: str) -> None:
    with opened(browser, address, f"{path}?network={tiny.SPEC.name}") as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        assert answer(page) in (*tiny.CLASSES, "–")
        text = page.locator(".st-key-page").inner_text()
        # The first network's sizes: capsules, types, places, fields, components, inputs, pixels.
        assert not re.search(
            r"(?<![\d,.])(1152|36 places|32 capsule|17 × 17|sixteen|160|784|28 × 28|MNIST’s 10,000)\b", text
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 1366
        assert not errors


def test_a_drawing_goes_the_whole_way(browser: Browser, address: str, model: Model) -> None:
    with opened(browser, address, f"?network={tiny.SPEC.name}") as page:
        page.get_by_role("button", name="Clear").click()
        draw(page, RING)
        expect(page.get_by_test_id("answer")).to_have_text(re.compile("kite|ring|zigzag"))
        bars = page.locator(".cv-bar")
        assert bars.locator(".cv-numeral").all_inner_texts() == list(tiny.CLASSES)
        assert page.get_by_text("60 pixels").count() == 0
        expect(page.locator(".cv-strip")).to_contain_text("100: 4 at each of 5 × 5 places")
        page.get_by_role("link", name="Routing", exact=True).first.click()
        page.locator("canvas.stage-picture").wait_for()
        expect(page).to_have_url(re.compile(f"network={tiny.SPEC.name}"))
        assert page.locator(".stage-digit b").all_inner_texts() == list(tiny.CLASSES)
        expect(page.locator(".procedure")).to_be_visible()
        expect(page.locator(".toggles").first.locator("button")).to_have_count(25)
        expect(page.locator(".toggles").nth(1).locator("button")).to_have_count(4)
        page.get_by_role("link", name="Pose", exact=True).first.click()
        page.locator(".slider").first.wait_for()
        expect(page.locator(".slider")).to_have_count(5)
        expect(page.locator(".capsules button")).to_have_count(3)
        assert page.locator("canvas.clay").evaluate("(canvas) => [canvas.width, canvas.height]") == [20, 20]


def test_the_list_of_networks_changes_who_answers_and_back(browser: Browser, address: str) -> None:
    with opened(browser, address, "") as page:
        assert answer(page) == "2"
        page.get_by_role("button", name="CapsNet, dynamic routing, digits").click()
        page.get_by_role("menuitem", name=tiny.SPEC.title).click()
        expect(page.get_by_test_id("answer")).to_have_text(re.compile("kite|ring|zigzag|–"))
        expect(page).to_have_url(re.compile(f"network={tiny.SPEC.name}"))
        page.reload()
        expect(page.get_by_test_id("answer")).to_have_text(re.compile("kite|ring|zigzag|–"))
        page.get_by_role("button", name=tiny.SPEC.title).click()
        page.get_by_role("menuitem", name="CapsNet, dynamic routing, digits").click()
        expect(page.get_by_test_id("answer")).to_have_text("2")


def test_what_the_screen_says_is_the_trace_s(browser: Browser, address: str, model: Model) -> None:
    """The example that the app opens with, read by the tiny network at its own size."""
    from capsviz.inputs.drawings import Drawing

    trace: RoutingTrace = model.trace(Drawing(example=0).image(tiny.SIZE))
    with opened(browser, address, f"?network={tiny.SPEC.name}") as page:
        shown = [float(text) for text in page.locator(".cv-bar .cv-value").all_inner_texts()]
        np.testing.assert_allclose(shown, trace.lengths[-1], atol=0.0051)
        assert page.locator(".cv-ten figcaption b").all_inner_texts() == list(tiny.CLASSES)
