"""A talk by page down alone, its type measured; black, reset, the speaker's window, reloading; a talk of pasted links."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from capsviz.app.lessons import shelf
from capsviz.inputs.drawings import GRID, PAD, decode
from tests.e2e.looking import failing_no_script, opened, still
from tests.e2e.serving import Server
from tests.e2e.test_journey import draw

# The smallest type on the screen, in the window's pixels, and what of it is cut off; read through shadow roots.
TYPE = """() => {
    const found = [];
    const walk = (root) => {
        for (const node of root.childNodes) {
            if (node.nodeType === Node.ELEMENT_NODE) {
                if (node.shadowRoot) walk(node.shadowRoot);
                walk(node);
                continue;
            }
            const text = node.nodeType === Node.TEXT_NODE ? node.textContent.trim() : "";
            const around = node.parentElement;
            if (!text || !around?.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
            if (around.matches("style, script, option")) continue;
            const range = document.createRange();
            range.selectNode(node);
            const { width, height, left, top, right, bottom } = range.getBoundingClientRect();
            if (width < 2 || height < 2) continue;
            const beyond = left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1;
            found.push({ size: parseFloat(getComputedStyle(around).fontSize) * around.currentCSSZoom, text, beyond });
        }
    };
    walk(document.body);
    return found.filter(({ size, beyond }) => beyond || size < LEAST).map(({ size, text, beyond }) => `${text}: ${size} ${beyond}`);
}"""
WHY = shelf().lessons["why-did-it-win"]


def at(page: Page, stop: int, lesson: str = "why-did-it-win") -> None:
    expect(page).to_have_url(
        re.compile(rf"present=.*lesson={lesson}&stop={stop}\b|lesson={lesson}&stop={stop}\b.*present=")
    )
    still(page)
    page.wait_for_timeout(300)


def alone(page: Page, here: Locator, *others: Locator) -> None:
    expect(here).to_be_visible()
    frame = (
        page.locator(".st-key-controls button"),
        page.locator('[data-testid="stHeader"]'),
        page.locator(".tour"),
    )
    for other in (*others, *frame):
        expect(other.first).not_to_be_visible()


def test_what_a_step_asks_for_is_at_hand(talk: Page) -> None:
    """Where it is to be drawn and looked at, the pad beside the view; where a network is to be chosen, the menu."""
    page = talk
    base = page.url.partition("/lessons")[0]
    page.goto(f"{base}/?present=1&lesson=is-c-learned&stop=2")
    at(page, 2, "is-c-learned")
    expect(page.locator(".algorithm")).to_be_visible()
    expect(page.locator(".st-key-networks button")).not_to_be_visible()
    view, pad = page.locator(".algorithm").bounding_box(), page.locator(".st-key-canvas").bounding_box()
    assert view is not None
    assert pad is not None
    assert view["x"] > pad["x"] + pad["width"] > 400
    large(page, 28)
    draw(page, [(80.0, 70.0), (200.0, 70.0), (130.0, 220.0)])
    expect(page).not_to_have_url(re.compile(shelf().lessons["is-c-learned"].steps[0].address["drawing"]))
    page.goto(f"{base}/?present=1&lesson=three-networks&stop=4")
    at(page, 4, "three-networks")
    menu = page.locator(".st-key-networks button")
    before = menu.inner_text()
    menu.click()
    page.get_by_role("menuitem", name="attention").first.click()
    expect(menu).not_to_have_text(before)
    large(page, 28)


def large(page: Page, least: float) -> None:
    """All that is to be read is large enough for the last row, and on the screen."""
    assert page.evaluate(TYPE.replace("LEAST", f"{least - 1e-5}")) == []


@pytest.fixture
def talk(browser: Browser, url: str) -> Iterator[Page]:
    """The Lessons page of a wide screen."""
    with opened(browser, url, "lessons", size=(1920, 1080)) as page, failing_no_script(page):
        yield page


def test_a_talk_by_page_down_alone(talk: Page) -> None:
    page = talk
    page.locator(".st-key-present_why-did-it-win button").click()
    lengths, picture, clouds = (
        page.locator(".cv-wide"),
        page.locator(".stage-picture"),
        page.locator(".cloud"),
    )
    for stop, (view, other) in enumerate(((lengths, picture), (picture, clouds), (clouds.first, picture)), 1):
        at(page, stop)
        alone(page, view, other)
        large(page, 28)
        if stop == 2:  # Python is told nothing of this press, as it may be while pages change
            page.evaluate(
                "() => { const t = window.capsvizTalk, tell = t.report; t.report = () => { t.report = tell; }; }"
            )
        page.keyboard.press("PageDown")
    at(page, 4)
    alone(page, page.locator(".st-key-canvas"), page.locator(".st-key-page"))
    expect(page.locator(".talk .ask")).to_have_text(WHY.steps[3].ask["en"])
    large(page, 28)
    page.keyboard.press("PageDown")  # the last one

    # On the enlarged pad a stroke lies where the pen was: a bar through the stem.
    box = page.locator(".st-key-canvas").bounding_box()
    assert box is not None
    assert box["height"] > 800
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.6 * box["height"], steps=8)
    page.mouse.up()
    expect(page).not_to_have_url(re.compile(WHY.steps[0].address["drawing"]))
    (bar,) = decode(parse_qs(page.url.partition("?")[2])["drawing"][0]).strokes
    np.testing.assert_allclose(
        bar.points[[0, -1]] / GRID, [[0.2 * PAD, 0.6 * PAD], [0.8 * PAD, 0.6 * PAD]], atol=1
    )

    # Black, until any key is pressed, which does nothing else; then everything as it began.
    at(page, 4)
    page.keyboard.press("b")
    expect(page.locator(".talk .black")).to_be_visible()
    page.keyboard.press("PageUp")
    expect(page.locator(".talk .black")).not_to_be_visible()
    at(page, 4)
    page.keyboard.press(".")
    at(page, 1)
    alone(page, lengths)
    assert "drawing=" + WHY.steps[0].address["drawing"] in page.url

    # The sign of the place goes with the mouse; Escape leaves all as it was.
    page.mouse.move(200, 200)
    expect(page.locator(".stage-bar .place")).to_have_text("1/4")
    expect(page.locator(".stage-bar")).not_to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-controls .start")).to_be_visible()
    expect(page.locator(".tour")).to_be_visible()
    expect(page).not_to_have_url(re.compile("present="))


def test_the_speaker_s_window_follows_drives_and_outlives_a_reload(browser: Browser, url: str) -> None:
    with opened(browser, url, "?lesson=why-did-it-win&stop=2&present=1", size=(1280, 720)) as page:
        at(page, 2)
        large(page, 28 * 720 / 1080)
        with page.expect_popup() as opening:
            page.keyboard.press("s")
        speaker = opening.value
        expect(speaker.locator(".note")).to_have_text(re.sub(r"\*\*", "", WHY.steps[1].text["en"]))
        expect(speaker.locator("aside")).to_contain_text(WHY.steps[2].text["en"][:20])
        expect(speaker.locator(".place")).to_have_text("2/4")
        expect(speaker.locator(".elapsed")).to_have_text("0:00")
        speaker.keyboard.press("PageDown")
        at(page, 3)
        expect(speaker.locator(".place")).to_have_text("3/4")
        expect(speaker.locator(".elapsed")).not_to_have_text("0:00")
        speaker.locator(".blank").click()
        expect(page.locator(".talk .black")).to_be_visible()
        page.keyboard.press("x")
        expect(speaker.locator(".blank")).to_have_attribute("aria-pressed", "false")

        page.reload()  # in mid-talk
        at(page, 3)
        alone(page, page.locator(".cloud").first, page.locator(".stage-picture"))
        page.keyboard.press("PageUp")
        at(page, 2)
        expect(speaker.locator(".place")).to_have_text("2/4")
        expect(speaker.locator(".gone")).not_to_be_visible()
        speaker.keyboard.press("F5")  # which asks no server
        speaker.reload()
        expect(speaker.locator(".place")).to_have_text("2/4")

        # A copy of the tab is a talk of its own, and so is its list of links; only this one is the speaker's.
        with page.expect_popup() as copying:
            page.evaluate("window.open(location.href)")
        copy = copying.value
        at(copy, 2)
        copy.keyboard.press("PageDown")
        at(copy, 3)
        expect(speaker.locator(".place")).to_have_text("2/4")
        copy.close()
        page.bring_to_front()
        page.evaluate("window.open = () => null")  # as a browser that lets no page open windows
        page.keyboard.press("s")
        expect(page.locator(".talk .said")).to_contain_text(
            "allow this page to open windows, then press S again"
        )

        # Beside: a tip and a click hit what lies under the pointer, and a slider that has the focus keeps its keys.
        page.locator(".stage-picture").hover(position={"x": 200, "y": 200})
        expect(page.locator(".routing .tip")).to_be_visible()
        page.goto("about:blank")
        expect(speaker.locator(".gone")).to_be_visible()


def pasted(page: Page, lines: list[str]) -> None:
    """Begin a talk of links, on the Lessons page."""
    page.locator(".st-key-page summary").first.click()
    field = page.locator(".st-key-page textarea")
    field.fill("\n".join(lines))
    page.keyboard.press("p")  # a letter, while somebody types
    field.fill("\n".join(lines))
    expect(page.locator(".talk.on")).to_have_count(0)
    page.locator(".st-key-present_links button").click()


def test_a_talk_outlives_a_restart_of_the_server(browser: Browser, server: Server) -> None:
    """Its list, place and drawing stand, in each of two tabs its own; what was pressed meanwhile is done."""
    url = server.start()
    with opened(browser, url, "lessons", size=(1280, 720)) as page:
        pasted(page, [f"{url}/pose", f"{url}/routing?step=2&present=picture Two.", f"{url}/?present=pad"])
        for stop in (1, 2):
            at(page, stop, "links")
            page.keyboard.press("PageDown")
        at(page, 3, "links")
        assert "drawing=" not in page.url  # the first example
        draw(page, [(80.0, 70.0), (200.0, 70.0), (130.0, 220.0)])
        expect(page).to_have_url(re.compile("drawing=AW.{20}"))
        drawn = parse_qs(page.url.partition("?")[2])["drawing"]
        with page.expect_popup() as opening:
            page.keyboard.press("s")
        speaker = opening.value
        other = page.context.new_page()
        other.goto(f"{url}/lessons")
        pasted(other, [f"{url}/model", f"{url}/routing"])
        at(other, 1, "links")
        page.bring_to_front()
        server.kill()
        expect(page.get_by_text("The connection is lost")).to_be_visible()
        page.keyboard.press("PageUp")
        server.start()
        at(page, 2, "links")
        alone(page, page.locator(".stage-picture"))
        expect(speaker.locator(".note")).to_have_text("Two.")
        expect(page.locator(".stage-bar .place")).to_have_text("2/3")  # a list of three: its own
        page.keyboard.press("PageDown")
        at(page, 3, "links")
        expect(speaker.locator(".place")).to_have_text("3/3")
        assert parse_qs(page.url.partition("?")[2])["drawing"] == drawn
        page.keyboard.press(".")
        at(page, 1, "links")
        assert "drawing=" not in page.url


def test_a_talk_of_pasted_links_leaves_out_the_one_that_is_none(talk: Page) -> None:
    page = talk
    base = page.url.rpartition("/")[0]
    lines = [
        f"{base}/pose?drawing=AWPkZwAA&present=sliders Bend it.",
        f"{base}/nowhere",
        f"{base}/routing?drawing=AWPkZwAA&step=2&present=picture",
    ]
    pasted(page, lines)
    at(page, 1, "links")
    slider = page.locator(".slider input").first
    expect(slider).to_be_visible()
    large(page, 28)
    before = slider.input_value()
    slider.focus()
    page.keyboard.press("PageDown")
    expect(slider).not_to_have_value(before)
    at(page, 1, "links")
    slider.blur()
    page.keyboard.press("PageDown")
    at(page, 2, "links")
    expect(page).to_have_url(re.compile(r"step=2\b"))
    page.reload()
    at(page, 2, "links")
    alone(page, page.locator(".stage-picture"))
    page.keyboard.press("p")
    page.get_by_role("link", name="Lessons").click()
    page.locator(".cv-lesson").first.wait_for()
    expect(page.get_by_test_id("fault").first).to_have_text(re.compile("^Link 2 is left out"))
