"""A page is prepared for a class, opened by the link elsewhere, answered there; and messages that no page of ours sends."""

import re
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Browser, Page, expect

from capsviz.inputs.drawings import Drawing, encode
from capsviz.models.model import Model
from tests.e2e.looking import as_new, failing_no_script, opened, still
from tests.e2e.protocol import Session, connected, run
from tests.e2e.test_hostile import STROKE
from tests.e2e.test_journey import draw
from tests.e2e.test_predict import SEVEN, choice

FOCUSABLE = """() => {
    const found = [];
    const look = (root) => {
        for (const node of root.querySelectorAll("*")) {
            if (node.shadowRoot) look(node.shadowRoot);
            if (node.matches("select, input, button") && !node.disabled && node.checkVisibility()) {
                found.push(node.getAttribute("aria-label") ?? node.innerText);
            }
        }
    };
    look(document.querySelector(".st-key-page"));
    return found;
}"""


def tick(page: Page, name: str) -> None:
    """Press a box, and wait until the link follows."""
    page.locator(f".st-key-prepare_{name} label").click()
    still(page)


def link(page: Page) -> str:
    return page.locator(".handed input").input_value()


def says(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def test_a_page_is_prepared_and_a_class_sees_what_remains(browser: Browser, url: str) -> None:
    with opened(browser, url, "routing?R=2&step=3") as page, failing_no_script(page):
        page.get_by_role("button", name="Clear").click()
        draw(page, SEVEN)
        expect(page.get_by_test_id("answer")).to_have_text("7")
        still(page)
        page.get_by_role("button", name="Copy link", exact=True).click()
        page.get_by_role("button", name="Prepare for a class").click()
        expect(page.locator(".st-key-page h1")).to_contain_text("your class")
        before = page.evaluate("[history.length, sessionStorage.getItem('capsviz-drawing')]")
        tick(page, "shown_film")
        tick(page, "shown_surgery")
        tick(page, "fixed_iterations")
        page.get_by_label("Question in the heading").fill("Which places vote for it?")
        page.get_by_label("Question in the heading").press("Enter")
        still(page)
        tick(page, "covered")
        expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()
        handed = link(page)
        asked = says(handed)
        assert urlsplit(handed).path == "/routing"
        assert asked.pop("drawing") == says(page.url)["drawing"]
        assert asked == {
            **{"R": "2", "step": "3", "hide": "film.surgery", "lock": "iterations", "answer": "hidden"},
            "ask": "Which places vote for it?",
        }
        # What is framed is a page of its own, which takes nothing from the tab.
        framed = page.frame_locator(".glass iframe")
        expect(framed.locator("h1")).to_have_text("Which places vote for it?", timeout=30_000)
        expect(framed.locator(".st-key-controls")).to_be_hidden()
        framed.locator(".st-key-guessing").wait_for()
        assert page.evaluate("[history.length, sessionStorage.getItem('capsviz-drawing')]") == before
        assert page.evaluate("document.activeElement.tagName") != "IFRAME"
        page.reload()
        page.locator(".handed").wait_for()
        still(page)
        assert link(page) == handed
        # So it does if another page was read anew in between.
        page.get_by_role("link", name="Model", exact=True).first.click()
        expect(page.locator(".st-key-page h1")).not_to_contain_text("your class")
        expect(page).to_have_url(re.compile(r"model.*R=2\b"))
        page.reload()
        page.get_by_role("link", name="Lessons", exact=True).first.click()
        page.get_by_role("link", name="Prepare").first.click()
        expect(page.locator(".handed input")).to_have_value(handed)

    page = as_new(browser, url)
    with failing_no_script(page):
        page.goto(handed)
        expect(page.locator(".st-key-page h1")).to_have_text("Which places vote for it?")
        expect(page.get_by_test_id("answer")).to_have_count(0)
        choice(page, "7")
        expect(page.get_by_test_id("guess")).to_contain_text("You said 7")
        page.locator("canvas.stage-picture").wait_for()
        still(page)
        for gone in (".film", ".surgery"):
            assert page.locator(gone).locator("visible=true").count() == 0
        expect(page.get_by_label("Routing iterations R", exact=True)).to_be_disabled()
        expect(page.locator(".bar .fixed")).to_have_attribute("title", "Fixed by whoever prepared this page.")
        expect(page.get_by_test_id("where")).to_contain_text("1 of 2")  # the fourth step, of the first of two
        reached = page.evaluate(FOCUSABLE)
        assert "Contrast of the scale" in reached
        assert not {"Routing iterations R", "Routing iterations of the experiment"} & {*reached}
        page.reload()
        expect(page.locator(".st-key-page h1")).to_have_text("Which places vote for it?")
        page.get_by_role("link", name="Draw", exact=True).first.click()
        expect(page.locator(".st-key-page h1")).to_have_text("What does it see, and how sure is it?")
        page.get_by_role("link", name="Routing", exact=True).first.click()
        expect(page.locator(".st-key-page h1")).to_have_text("Which places vote for it?")
        page.get_by_role("button", name="Show everything").click()
        expect(page.locator(".st-key-page h1")).to_have_text("Why did this capsule win?")
        expect(page.locator(".film")).to_be_visible()
        expect(page.locator(".surgery")).to_be_visible()
        expect(page.get_by_label("Routing iterations R", exact=True)).to_be_enabled()
        page.wait_for_function("!/hide|lock|ask|answer/.test(location.search)")


def test_a_forged_message_moves_nothing_that_is_fixed(url: str, model: Model) -> None:
    length = model.trace(Drawing(example=3).image(), 2).lengths[-1].max()

    async def visit() -> None:
        async with connected(url) as socket:
            session = Session(socket)
            session.query = f"R=2&drawing={encode(Drawing(example=3))}&surgery=uniform&"
            session.query += "lock=drawing.iterations.surgery.network.language.predict"
            session.page = "routing"
            await session.run()
            await session.run()
            given = session.components["surgery"]
            assert given["operation"]["coupling"] == "uniform"
            await session.draw(STROKE)
            for pressed in ("clear", "undo", "trained", "predict"):
                await session.run(pressed)
            await session.tell("routing", '{"iterations": 7}')
            await session.tell("surgery", '{"operation": {"coupling": "random", "number": 1}}')
            await session.run()
            assert f'data-testid="length">{length:.2f}<' in session.card
            assert session.components["share"]["says"]["R"] == "2"
            assert session.components["surgery"]["operation"]["coupling"] == "uniform"
            assert session.components["pad"]["drawing"] == encode(Drawing(example=3))

    run(visit())
