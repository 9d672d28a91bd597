"""The tour by doing what it asks, in both languages; a lesson by its link; leaving, coming back, reloading."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from capsviz.app.lessons import shelf
from capsviz.texts import languages
from tests.e2e.looking import failing_no_script, opened, still
from tests.e2e.test_journey import SEVEN, draw

FOUR = [[(100, 50), (70, 150), (200, 150)], [(100, 50), (180, 60), (180, 240)]]
# Where an element stands that is lit, in the page or in a shadow root; null if none is.
LIT = """() => {
    const find = (root) => {
        const here = root.querySelector("[data-lit]");
        if (here) return here;
        for (const node of root.querySelectorAll("*")) {
            const inner = node.shadowRoot && find(node.shadowRoot);
            if (inner) return inner;
        }
        return null;
    };
    const rule = [...document.head.querySelectorAll("style")].map((s) => s.textContent).find((t) => t.includes("var(--lit)"));
    const node = find(document) ?? (rule ? document.querySelector(rule.split(" { outline")[0]) : null);
    const box = node?.getBoundingClientRect();
    return box && { top: box.top, bottom: box.bottom, height: box.height };
}"""


def at(page: Page, stop: int) -> None:
    """Wait until the strip is at a stop and what it speaks of is seen."""
    expect(page.locator(".tour-count")).to_have_text(re.compile(rf"^{stop}\D"))
    still(page)
    for _ in range(50):
        box = page.evaluate(LIT)
        strip = page.locator(".tour").bounding_box()
        assert strip is not None
        # Below the bar of pages, or a control within it.
        if (
            box
            and box["top"] < strip["y"] - min(40, box["height"] / 2)
            and (box["bottom"] > 60 or box["top"] > 0)
        ):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"stop {stop}: {box} under {strip}")


def noticed(page: Page) -> None:
    expect(page.locator(".tour")).to_have_class(re.compile("done"))


def slide(page: Page) -> None:
    first = page.locator(".slider input").first
    first.focus()
    for key, times in (("PageUp", 3), ("PageDown", 6)):  # 0.05 each; the one end or the other may be near
        for _ in range(times):
            page.keyboard.press(key)
        page.wait_for_timeout(300)


def silence(page: Page) -> None:
    for place in range(6):
        page.locator(".toggles").first.locator("button").nth(place).click()


def choose_attention(page: Page) -> None:
    page.locator(".st-key-networks button").click()
    page.get_by_role("menuitem", name=re.compile("self-attention, digits")).click()


@pytest.mark.parametrize("language", [code for code in ("en", "de") if code in languages()])
def test_the_tour_notices_all_that_it_asks_for(browser: Browser, url: str, language: str) -> None:
    steps = shelf().lessons["tour"].steps
    with opened(browser, url, f"?lang={language}", size=(1280, 720)) as page, failing_no_script(page):
        page.locator(".st-key-start button").click()
        doing = {
            1: lambda: [(draw(page, stroke), page.wait_for_timeout(400)) for stroke in FOUR],
            3: lambda: page.locator("canvas.stage-picture").click(position={"x": 150, "y": 150}),
            4: lambda: page.keyboard.press("7"),
            5: lambda: [page.keyboard.press("ArrowRight") for _ in range(3)],
            6: lambda: page.keyboard.press("End"),
            7: lambda: (page.locator(".st-key-clear button").click(), still(page), draw(page, SEVEN)),
            8: lambda: slide(page),
            9: lambda: silence(page),
            10: lambda: choose_attention(page),
        }
        for stop, step in enumerate(steps, 1):
            at(page, stop)
            assert f"lesson=tour&stop={stop}" in page.url
            plain = re.sub(r"\*\*", "", step.text[language])
            expect(page.locator(".tour-text")).to_have_text(plain)
            if step.do:
                expect(page.locator(".tour")).not_to_have_class(re.compile("done"))
                doing[stop]()
                noticed(page)
            page.locator(".tour-next").click()
        expect(page.locator(".tour")).to_have_count(0)
        expect(page).not_to_have_url(re.compile("lesson="))


def test_a_lesson_is_opened_by_its_link_kept_left_and_taken_up_again(browser: Browser, url: str) -> None:
    with opened(browser, url, "?lesson=tour&stop=5", size=(390, 844), touched=True) as page:
        at(page, 5)
        assert "/routing?" in page.url
        assert "step=0" in page.url
        strip = page.locator(".tour").bounding_box()
        assert strip is not None
        assert strip["height"] <= 844 / 2
        page.goto(page.url.replace("step=0", "step=3"))  # as it was left, reloaded
        at(page, 5)
        page.wait_for_timeout(500)  # until what a view says has been written
        assert "step=3" in page.url
        page.locator(".tour-back").click()
        at(page, 4)
        page.locator(".tour-leave").click()
        expect(page.locator(".tour")).to_have_count(0)
        expect(page).not_to_have_url(re.compile("lesson="))
        page.locator(".st-key-start button").click()
        at(page, 4)
    with opened(browser, url, "?lesson=nothing") as page:
        expect(page.get_by_role("alert")).to_contain_text("There is no lesson")
        expect(page.locator(".tour")).to_have_count(0)
