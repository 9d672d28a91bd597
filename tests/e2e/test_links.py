"""A link is copied on each page and opened in another browser; the address follows what is done, and outlasts the server."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Browser, Page, expect

from capsviz.app.address import LONGEST_DRAWING
from capsviz.inputs.drawings import decode
from capsviz.models.model import Model
from tests.e2e.looking import as_new, still
from tests.e2e.test_journey import SEVEN, answer, clear, draw
from tests.e2e.test_the_pad import BAR, connected, server

__all__ = ["server"]


@contextmanager
def elsewhere(browser: Browser, link: str, sent: list[Any] | None = None) -> Iterator[Page]:
    """A link opened where nobody has been before; what the page sends to its server is put into ``sent``."""
    if sent is None:  # Streamlit's scripts are known there, nothing else is
        page = as_new(browser, link.partition("/?")[0] if "/?" in link else link.rpartition("/")[0])
        page.set_viewport_size({"width": 1366, "height": 768})
        page.goto(link)
        page.get_by_test_id("answer").wait_for()
        yield page
        return
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    if sent is not None:
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.set_default_timeout(30_000)
    page.goto(link)
    page.get_by_test_id("answer").wait_for()
    yield page
    context.close()


def copied(page: Page) -> str:
    """The link that Copy link shows, with its code."""
    page.get_by_role("button", name="Copy link", exact=True).click()
    dialog = page.get_by_role("dialog", name="Link to what is shown")
    expect(dialog.get_by_role("img", name="QR code of the link")).to_be_visible()
    link = dialog.get_by_role("textbox", name="The link").input_value()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    return link


def shown(page: Page, *parts: str) -> list[str]:
    """What stands in these parts of the page, and which pixels their canvases have, once it changes no more."""
    page.locator(".stApp[data-test-script-state=notRunning]").wait_for()
    said: list[str] = []
    while True:
        before, said = said, now(page, *parts)
        if said == before:
            return said
        page.wait_for_timeout(250)


def now(page: Page, *parts: str) -> list[str]:
    said = []
    for part in (".st-key-rail .cv-reading", *parts):
        found = page.locator(part).first
        found.wait_for()
        is_canvas = found.evaluate("(node) => node instanceof HTMLCanvasElement")
        said.append(found.evaluate("(canvas) => canvas.toDataURL()") if is_canvas else found.inner_text())
    return said


def same(said: list[str], page: Page, *parts: str) -> None:
    """The same comes to stand there, as soon as all of the page is drawn."""
    for _ in range(120):
        if now(page, *parts) == said:
            return
        page.wait_for_timeout(100)
    assert now(page, *parts) == said


def test_a_link_copied_on_each_page_opens_the_same_numbers_elsewhere(
    browser: Browser, url: str, model: Model
) -> None:
    sent: list[Any] = []
    with elsewhere(browser, f"{url}/?R=5&pen=22", sent) as page:
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
        clear(page)
        draw(page, SEVEN)
        answer(page, "7")
        link = copied(page)
        found = parse_qs(urlsplit(link).query)
        assert set(found) == {"R", "pen", "drawing"}
        here = shown(page, ".cv-strip")
        with elsewhere(browser, link) as other:
            same(here, other, ".cv-strip")
            expect(other.get_by_test_id("stSliderThumbValue")).to_have_text("22")
        image = decode(found["drawing"][0]).image()
        np.testing.assert_allclose(
            float(page.get_by_test_id("length").inner_text()),
            model.trace(image, 5).lengths[-1].max(),
            atol=0.0051,
        )

        page.get_by_role("link", name="Routing", exact=True).first.click()
        page.locator("canvas.stage-picture").wait_for()
        page.locator(".surgery label.choice").nth(1).click()
        page.wait_for_url("**surgery=uniform**")
        assert sent  # a drawing is
        still(page)
        entries, sent[:] = page.evaluate("history.length"), []
        page.locator(".st-key-page").click(position={"x": 3, "y": 3})
        page.keyboard.press("8")
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        page.locator(".scale-bar label.choice").last.click()
        page.wait_for_url(re.compile("R=5.*digit=8.*step=1.*scale=share|digit=8.*step=1.*scale=share.*"))
        page.locator("canvas.stage-picture").click(position={"x": 120, "y": 120})
        page.wait_for_url("**capsule=**")
        page.mouse.move(0, 0)  # what lies under it is marked
        assert page.evaluate("history.length") == entries
        assert sent == []  # nothing of it is the server's to know
        parts = (".where", ".microscope", ".verdict", "canvas.stage-picture", ".paired")
        here, link = shown(page, *parts), copied(page)
        with elsewhere(browser, link) as other:
            same(here, other, *parts)
            assert copied(other) == link

        page.get_by_role("link", name="Pose", exact=True).first.click()
        page.locator('.posing[data-busy="false"]').wait_for()
        still(page)
        sent[:] = []
        page.locator(".sweep").click(position={"x": 20, "y": 100})
        page.wait_for_url("**pose=**")
        page.get_by_test_id("slider-6").press("PageUp")
        page.wait_for_timeout(500)
        assert sent == []
        page.locator('.posing[data-busy="false"]').wait_for()
        parts = (".pose-status", "canvas.clay", "canvas.sweep")
        here, link = shown(page, *parts), copied(page)
        with elsewhere(browser, link) as other:
            other.locator('.posing[data-busy="false"]').wait_for()
            same(here, other, *parts)
            assert copied(other) == link

        page.get_by_role("link", name="Model", exact=True).first.click()
        page.locator(".cv-headline").wait_for()
        page.locator(".st-key-networks button").click()
        page.get_by_role("menuitem", name="attention").first.click()
        page.wait_for_url("**network=attention**")
        here, link = shown(page, ".cv-headline"), copied(page)
        assert "drawing=" in link
        with elsewhere(browser, link) as other:
            same(here, other, ".cv-headline")


def test_a_link_is_selected_where_the_page_may_not_copy(page: Page, url: str) -> None:
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', { value: undefined }); document.execCommand = () => false"
    )
    page.get_by_role("button", name="Copy link", exact=True).click()
    dialog = page.get_by_role("dialog", name="Link to what is shown")
    expect(dialog.get_by_role("status")).to_contain_text("it is selected")
    field = dialog.get_by_role("textbox", name="The link")
    selected = field.evaluate("(field) => field.value.slice(field.selectionStart, field.selectionEnd)")
    assert selected == field.input_value() == f"{url}/?drawing=AWNkYAAA"
    expect(dialog).to_contain_text("opened as localhost")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Copy link", exact=True)).to_be_focused()


def test_the_history_has_an_entry_for_each_page_and_going_back_keeps_the_drawing(page: Page) -> None:
    before = page.evaluate("history.length")
    clear(page)
    draw(page, SEVEN)
    answer(page, "7")
    draw(page, BAR)
    page.wait_for_url("**drawing=**")
    page.get_by_role("link", name="Routing", exact=True).first.click()
    page.locator("canvas.stage-picture").wait_for()
    page.wait_for_url("**/routing?drawing=**")
    assert page.evaluate("history.length") == before + 1
    clear(page)
    expect(page.get_by_test_id("waiting")).to_contain_text("draw a digit")
    page.go_back()
    page.get_by_text("What does it see").wait_for()
    expect(page.get_by_test_id("waiting")).to_contain_text("draw a digit")
    page.wait_for_url("**/?drawing=AWNgAAA")


def drawings(link: str) -> list[str]:
    """The values of a link's ``drawing``."""
    return parse_qs(urlsplit(link).query).get("drawing", [])


# What the server says comes as late as the page's ``late`` says, in milliseconds, and in its order.
LATE = """
    window.late = 0;
    const waiting = [];
    const Socket = window.WebSocket;
    window.WebSocket = class extends Socket {
        addEventListener(kind, told, ...more) {
            const later = (event) => {
                waiting.push(() => told(event));
                setTimeout(() => waiting.shift()(), window.late);
            };
            super.addEventListener(kind, kind === "message" ? later : told, ...more);
        }
    };
"""


def test_a_stroke_drawn_while_the_next_page_is_on_its_way_is_answered_there(
    browser: Browser, url: str
) -> None:
    """It comes to the server as one on the page that was left, once the other has run."""
    with browser.new_context(viewport={"width": 1366, "height": 768}) as context:
        page = context.new_page()
        failed: list[str] = []
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.add_init_script(LATE)
        page.goto(url)
        page.get_by_test_id("answer").wait_for()
        clear(page)
        draw(page, SEVEN)
        answer(page, "7")
        page.evaluate("late = 800")
        page.get_by_role("link", name="Model", exact=True).first.click()
        draw(page, BAR)
        expect(page.locator("h1")).to_have_text("What is this network, and how good is it?")
        page.wait_for_url(lambda url: [len(decode(link).strokes) for link in drawings(url)] == [2])
        page.evaluate("late = 0")
        still(page)
        page.locator(".stPlotlyChart >> visible=true").first.wait_for()
        assert urlsplit(page.url).path == "/model"
        assert not failed


def test_a_reload_and_a_restart_keep_drawing_network_and_step(browser: Browser, server: Any) -> None:
    """In two tabs. Where the page was opened with an address, Streamlit goes on sending that one."""
    with elsewhere(browser, server.url, []) as page:
        tabs = [(page, *_reloaded(page))]
        linked = page.context.new_page()  # in front: the one behind draws nothing
        linked.goto(f"{server.url}/?drawing=AWNgUmG-wXKCcTrTDuYOFgYVphWsD5jZzzADAA&R=2")
        linked.get_by_test_id("answer").wait_for()
        tabs.append((linked, *_reloaded(linked)))
        server.stop()
        for tab, _, _ in tabs:
            connected(tab, False)
        server.start()
        for tab, here, address in tabs:
            tab.bring_to_front()
            connected(tab, True)
            expect(tab.get_by_text("The connection is lost")).to_have_count(0)
            still(tab)
            same(here, tab, ".attention-top")
            assert tab.url == address
            tab.reload()
            same(here, tab, ".attention-top")


def _reloaded(page: Page) -> tuple[list[str], str]:
    """Draw, choose network and step, reload, draw once more; what is to stand there from then on, and the address."""
    clear(page)
    draw(page, SEVEN)
    answer(page, "7")
    page.locator(".st-key-networks button").click()
    page.get_by_role("menuitem", name="attention").first.click()
    page.wait_for_url("**network=attention**")
    page.get_by_role("link", name="Routing", exact=True).first.click()
    page.locator(".attention").wait_for()
    page.keyboard.press("Home")
    page.wait_for_url("**step=0**")
    here, address = shown(page, ".attention-top"), page.url
    page.reload()
    same(here, page, ".attention-top")
    assert page.url == address
    draw(page, BAR)  # the address is now another than the one that the page was opened with
    page.wait_for_function(
        "(old) => new URL(location.href).searchParams.get('drawing') !== old",
        arg=drawings(address)[0],
    )
    return shown(page, ".attention-top"), page.url


HOSTILE = [
    "<script>window.hit=1</script>",
    "';window.hit=1//",
    "javascript:window.hit=1",
    "%00\n",
    "💥",
    "9" * 3_000,
    "A" * (LONGEST_DRAWING + 1),
]


def test_scripts_in_every_parameter_do_nothing(page: Page, url: str) -> None:
    names = [
        "network",
        "lang",
        "R",
        "drawing",
        "pen",
        "surgery",
        "digit",
        "scale",
        "clouds",
        "pose",
        "span",
        "hide",
        "lock",
        "ask",
        "on",
        "answer",
        "draft",
        "<img src=x onerror=window.hit=1>",
    ]
    for number, text in enumerate(HOSTILE):
        for path in ("routing",) if number % 2 else ("pose",):
            page.goto(f"{url}/{path}")
            page.evaluate(
                "([names, text]) => { location.search = new URLSearchParams(names.map((name) => [name, text])); }",
                [names, text],
            )
            page.get_by_role("alert").filter(has_text="The link:").wait_for()
            answer(page, "2")
            assert page.evaluate("window.hit") is None
            assert page.locator(".st-key-problem").locator("img, a, script").count() == 0
            page.wait_for_function("!location.search.includes('onerror')")
