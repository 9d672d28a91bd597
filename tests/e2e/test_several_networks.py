"""Several networks side by side in Chromium: the menu keeps the drawing, every page adapts, and back are the same numbers.

The networks beside the shipped one are untrained: what they answer says nothing, but is the same each time.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from capsviz.inputs.drawings import Drawing
from capsviz.models.model import load_model
from capsviz.networks.base import DEFAULT, find
from tests import tiny, untrained
from tests.e2e.looking import failing_no_script, opened
from tests.e2e.serving import ROOT, serve
from tests.e2e.test_journey import draw

NAMES = ("attention.mnist", "attention.letters", "cnn.mnist", "cnn.decoder.mnist")
SEVEN = [(80.0, 70.0), (200.0, 70.0), (130.0, 220.0)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("weights")
    (folder / DEFAULT).symlink_to(ROOT / "weights" / DEFAULT)
    for name in NAMES:
        untrained.write(folder, name)
    with tiny.registered():  # of which there is nothing but the beginning of a file
        (folder / tiny.SPEC.name).mkdir()
        (folder / tiny.SPEC.name / "weights.safetensors").write_bytes(bytes(1000))
        yield folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serve("tests/e2e/tiny_app.py", TINY_WEIGHTS=str(folder)) as url:
        yield url


def choose(page: Page, name: str) -> None:
    """With the keyboard alone."""
    menu, title = page.locator(".st-key-networks button"), find(name).title
    menu.press("Enter")
    entry = page.get_by_role("menuitem", name=title)
    entry.focus()  # the arrows move the focus only once the menu has taken it
    page.keyboard.press("Enter")
    expect(menu).to_have_text(re.compile(re.escape(title)))
    if name == DEFAULT:  # which needs not be said
        expect(page).not_to_have_url(re.compile("network="))
    else:
        expect(page).to_have_url(re.compile(f"network={name}(&|$)"))


def go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.get_by_role("link", name=name, exact=True).first).to_have_attribute("aria-current", "page")


def numbers(page: Page) -> list[str]:
    """What the card says: the answer, its number, and every class's in the bars' tips."""
    page.get_by_test_id("answer").wait_for()
    tips = page.locator(".cv-mini").evaluate_all("(bars) => bars.map((bar) => bar.title)")
    return [page.get_by_test_id("answer").inner_text(), page.get_by_test_id("length").inner_text(), *tips]


def test_a_drawing_goes_from_network_to_network_and_back(browser: Browser, address: str) -> None:
    with opened(browser, address, "") as page, failing_no_script(page):
        page.get_by_role("button", name="Clear").click()
        draw(page, SEVEN)
        expect(page.get_by_test_id("answer")).to_have_text("7")
        first = numbers(page)

        choose(page, "cnn.mnist")
        expect(page.locator(".cv-reading")).to_contain_text("probability")
        plain = numbers(page)
        shares = [float(re.sub(r".* is ", "", tip)) for tip in plain[2:]]
        assert sum(shares) == pytest.approx(1, abs=0.01)
        strip = page.locator(".cv-strip")
        expect(strip).to_contain_text("128 numbers")
        expect(strip).not_to_contain_text("apsule")
        expect(page.get_by_text("redraws nothing")).to_be_visible()
        expect(page.get_by_role("link", name="Does it help?")).to_be_visible()
        assert page.get_by_role("link", name="Why this digit?").count() == 0

        # A page that it cannot fill says why, and offers who can; the drawing stays.
        go(page, "Pose")
        waiting = page.get_by_test_id("waiting")
        expect(waiting).to_have_text(
            re.compile("has no poses to bend: its last layer keeps one number for each digit")
        )
        assert numbers(page) == plain
        page.get_by_role("button", name=find("cnn.decoder.mnist").title).last.click()
        status = page.get_by_test_id("pose-status")
        expect(status).to_have_text(re.compile(r"digit \d: logit [+−\d.]+ \(their sum\), p = 0\.\d+"))
        expect(waiting).to_have_count(0)
        page.locator('.posing[data-busy="false"]').wait_for()
        said = status.inner_text()
        page.get_by_test_id("slider-3").press("End")
        expect(status).not_to_have_text(said)
        page.get_by_role("button", name="reset all").click()
        expect(status).to_have_text(said)
        page.reload()
        expect(status).to_have_text(said)

        go(page, "Routing")
        expect(waiting).to_have_text(re.compile("no routing to look at"))
        page.get_by_role("button", name=find(DEFAULT).title).last.click()
        page.locator("canvas.stage-picture").wait_for()
        assert numbers(page) == first

        go(page, "Draw")
        choose(page, "attention.letters")
        expect(page.get_by_text("26 lengths")).to_be_visible()
        page.get_by_role("button", name="Examples").click()
        expect(page.get_by_role("menuitem").first).to_have_text("A")
        page.keyboard.press("Escape")
        # On a phone the page's question, though it has two lines, stands above the bar of pages.
        size = page.viewport_size
        assert size is not None
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_function(
            """() => { const [question, bar] = ["h1", "nav, [data-testid=stSidebarNav]"].map((part) =>
                   [...document.querySelectorAll(part)].map((e) => e.getBoundingClientRect()).find((box) => box.height));
               return question?.height > 50 && question.bottom <= bar?.top; }"""
        )
        page.set_viewport_size(size)
        choose(page, "cnn.mnist")
        expect(page.locator(".cv-reading")).to_contain_text("probability")
        assert numbers(page) == plain
        choose(page, DEFAULT)
        expect(page.get_by_test_id("answer")).to_have_text("7")
        assert numbers(page) == first


def test_a_link_opens_its_network_with_the_numbers_that_it_computes(
    browser: Browser, address: str, folder: Path
) -> None:
    """In a fresh browser, of the example that the pad begins with, a letter for letters; on a phone."""
    for name in NAMES:
        example = 19 if name == "attention.letters" else 0
        scores = load_model(folder / name, "cpu").predict(Drawing(example=example).image(28)[None])[0]
        with opened(browser, address, f"?network={name}", (390, 844)) as page:
            tips = numbers(page)[2:]
            np.testing.assert_allclose([float(tip.rpartition(" ")[2]) for tip in tips], scores, atol=0.0006)
            bars = page.locator(".cv-bar .cv-value").all_inner_texts()
            np.testing.assert_allclose([float(text) for text in bars], scores, atol=0.0051)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_iterations_in_a_link_and_a_damaged_file_are_said_and_the_rest_is_shown(
    browser: Browser, address: str
) -> None:
    with opened(browser, address, "?R=5&network=cnn.mnist") as page:
        expect(page.locator(".st-key-problem")).to_contain_text("nothing iterates in this network")
        assert "R=" not in page.url
        assert page.get_by_role("button", name="as trained").count() == 0
        before = numbers(page)
        choose(page, tiny.SPEC.name)
        waiting = page.get_by_test_id("waiting")
        expect(waiting).to_have_text(re.compile("cannot be loaded: choose another network"))
        choose(page, "cnn.mnist")
        expect(waiting).to_have_count(0)
        assert numbers(page) == before
