"""Predict first and the shortcuts, with keys and mouse in Chromium."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.e2e.looking import failing_no_script, opened, still
from tests.e2e.test_journey import draw

SEVEN = [(80.0, 70.0), (200.0, 70.0), (130.0, 220.0)]


def choice(page: Page, name: str) -> None:
    page.locator(".st-key-guessing").get_by_role("radio", name=name, exact=True).click()


def test_predicted_uncovered_and_covered_again(browser: Browser, url: str) -> None:
    with opened(browser, url, "") as page, failing_no_script(page):
        page.get_by_role("button", name="Clear").click()
        draw(page, SEVEN)
        expect(page.get_by_test_id("answer")).to_have_text("7")

        # A letter that is typed is no shortcut.
        page.evaluate("document.body.append(Object.assign(document.createElement('input'), { id: 'typed' }))")
        page.locator("#typed").press("g")
        page.locator("#typed").press("?")
        assert page.locator("#typed").input_value() == "g?"
        page.evaluate("document.getElementById('typed').remove()")
        assert page.get_by_role("dialog").count() == 0
        page.keyboard.press("Control+g")
        still(page)
        expect(page.locator(".st-key-predict")).to_have_text(re.compile("Predict first"))
        page.keyboard.press("g")
        asked = page.locator(".st-key-guessing")
        expect(asked).to_contain_text("Which digit will it read?")
        expect(page.get_by_test_id("answer")).to_have_count(0)

        page.get_by_role("link", name="Routing", exact=True).first.click()
        expect(page.get_by_test_id("waiting")).to_contain_text("Covered until")
        assert page.locator(".st-key-page canvas").count() == 0
        choice(page, "1")
        expect(page.get_by_test_id("guess")).to_have_text(
            "You said 1; it reads 7. So far as predicted: 0 of 1."
        )
        expect(page.get_by_test_id("answer")).to_have_text("7")
        page.locator(".st-key-page canvas").first.wait_for()

        # The list names this page's keys; its own key opens and closes it, and no other does anything meanwhile.
        page.keyboard.press("?")
        listed = page.get_by_role("dialog", name="Keys")
        expect(listed).to_contain_text("One step of routing back, or on")
        page.keyboard.press("g")
        still(page)
        expect(page.locator(".st-key-predict")).to_have_text(re.compile("Uncover answers"))
        page.keyboard.press("?")
        expect(listed).to_be_hidden()
        page.keyboard.press("?")
        where = page.get_by_test_id("where").inner_text()
        page.keyboard.press("ArrowLeft")  # is the list's own as long as it is open
        page.keyboard.press("Escape")
        expect(listed).to_be_hidden()
        assert page.get_by_test_id("where").inner_text() == where
        page.keyboard.press("g")
        expect(page.locator(".st-key-predict")).to_have_text(re.compile("Predict first"))
        expect(page.get_by_test_id("guess")).to_have_count(0)
