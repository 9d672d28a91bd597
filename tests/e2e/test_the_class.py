"""A class as its presenter sees it: opened by one click, drawn for by phones, asked, hidden, moved, exported, deleted."""

import json
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.serving import Server
from tests.e2e.test_phones import ONE, SEVEN, answered, draw, nickname, phone, press

LATE = 60_000  # milliseconds: networks are loaded, on a machine that does much else


def presenting(browser: Browser) -> Page:
    """A browser of a presenter, whose scripts may not fail."""
    page = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-US").new_page()
    page.set_default_timeout(LATE)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    return page


def click(page: Page, name: str) -> None:
    page.locator(".wall").get_by_role("button", name=name, exact=True).click()


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['target']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def send(page: Page, strokes: list[list[tuple[int, int]]], digit: str) -> None:
    draw(page, strokes)
    press(page, "Send")
    answered(page, digit)


def saved(page: Page, name: str) -> str:
    """What is in the file that a button gives."""
    with page.expect_download() as waited:
        page.locator(".exporting").get_by_role("button", name=name, exact=True).click()
    return Path(waited.value.path()).read_text("utf-8")


def test_a_class_from_its_opening_to_its_end(browser: Browser, server: Server) -> None:
    url = server.start()
    wall = presenting(browser)
    phones = [phone(browser, 390, 844, locale="en-US") for _ in range(3)]
    try:
        journey(url, wall, phones, server)
    finally:
        for page in (wall, *phones):
            page.context.close()


def journey(url: str, wall: Page, phones: list[Page], server: Server) -> None:
    one, two, three = phones
    wall.goto(f"{url}/class")
    click(wall, "Open a class")
    letters = wall.locator(".letters")
    expect(letters).to_be_visible()
    code = letters.inner_text()
    expect(wall.get_by_role("img", name="QR code")).to_be_visible()
    assert "127.0.0.1" not in wall.locator(".joining .address").inner_text()

    # Three phones come and draw; the wall shows each, and its script alone does: nothing of the page runs again.
    for page in phones:
        page.goto(f"{url}/c/{code}")
    names = [nickname(page) for page in phones]
    one.get_by_label("It is meant to be").select_option("1")
    wall.evaluate("window.capsvizUntouched = document.querySelector('.st-key-wall')")
    send(one, SEVEN, "7")
    send(two, ONE, "1")
    tiles = wall.locator(".tiles li")
    expect(tiles).to_have_count(2)
    first = tiles.get_by_role("button").first
    expect(first).to_have_accessible_name(re.compile(rf"^{names[1]}: it reads 1, 0\.\d\d\.$"))
    fooled = wall.get_by_role("button", name=re.compile(f"^{names[0]}: it reads 7"))
    expect(fooled).to_have_accessible_name(re.compile("Meant to be 1"))
    assert wall.evaluate("window.capsvizUntouched === document.querySelector('.st-key-wall')")
    assert code in wall.locator(".strip").inner_text()
    # One was meant to be a 1 and is read as 7; of what nobody meant, the table has no row but the last, of all.
    rows = [row.split() for row in wall.locator(".counts tbody tr").all_inner_texts()]
    assert rows == [["1", *7 * "·", "1", "·", "·"], ["all", "read", "0", "1", *5 * "0", "1", "0", "0"]]

    # By what fooled it; the arrow keys go from tile to tile, and one opens in full.
    wall.get_by_label("Order").select_option("fooled")
    expect(tiles.first).to_have_class("fooled")
    fooled.focus()
    wall.keyboard.press("ArrowRight")
    expect(tiles.get_by_role("button").nth(1)).to_be_focused()
    fooled.press("Enter")
    box = wall.get_by_role("dialog")
    expect(box.get_by_role("heading", level=2)).to_have_text(names[0])
    expect(box.locator(".scores .best")).to_contain_text("7")
    link = box.get_by_role("link", name="Open in Routing").get_attribute("href")
    assert link is not None
    assert link.startswith("routing?network=dynamic.mnist&drawing=")
    expect(box.get_by_role("link", name="Open in Pose")).to_be_visible()
    assert serious(wall) == []
    wall.keyboard.press("Escape")
    expect(fooled).to_be_focused()

    # A task: the phones show it, and the wall ranks what meets it.
    click(wall, "Task")
    expect(box.get_by_label("What the phones show")).to_have_value("Draw 7 so that it is read as 1.")
    box.get_by_label("What the phones show").fill("Draw <b>7</b>!")
    click(wall, "Ask the class")
    expect(three.locator(".task p")).to_have_text("Draw <b>7</b>!")
    send(three, ONE, "1")  # meant to be a 7, as the task has it
    click(wall, "1 new: sort again")
    expect(tiles.first.locator(".rank")).to_have_text("1")
    expect(tiles.first.get_by_role("button")).to_have_accessible_name(
        re.compile(f"^{names[2]}.*Meant to be 7")
    )

    # A question: its votes as they come, then the truth.
    click(wall, "Question")
    box.get_by_label("The right one").select_option("1")
    click(wall, "Ask the class")
    for page, choice in ((one, "7"), (two, "1"), (three, "1")):
        page.locator(".poll").get_by_role("button", name=choice, exact=True).tap()
    counts = wall.locator(".tally .count")
    expect(counts.nth(1)).to_have_text("2")
    expect(counts.nth(7)).to_have_text("1")
    assert wall.locator(".tally .right").count() == one.locator(".choice").count() == 0
    click(wall, "Tell the phones")
    expect(wall.locator(".tally .right")).to_have_text(re.compile("^1 ✓"))
    expect(one.locator(".choice.right")).to_contain_text("2 votes")
    click(wall, "Take it away")
    expect(one.locator(".poll")).to_be_empty()

    # One is hidden; in the dark too, all of it can be read by everybody.
    fooled.click()
    click(wall, "Hide it")
    expect(tiles).to_have_count(2)
    expect(one.locator(".standing")).to_have_text("It has been taken off the wall.")
    wall.emulate_media(color_scheme="dark")
    wall.wait_for_timeout(300)
    assert serious(wall) == []

    # Another machine and another tab run the same class; the secret is not left in an address.
    click(wall, "More")
    click(wall, "Copy the presenter’s link")
    secret = wall.locator(".elsewhere input").input_value().partition("#presents=")[2]
    wall.keyboard.press("Escape")
    assert len(secret) == 32
    other = wall.context.new_page()
    other.goto(f"{url}/class")
    expect(other.locator(".strip .code")).to_have_text(code)
    other.evaluate("localStorage.clear(); sessionStorage.clear()")
    other.goto("about:blank")
    other.goto(f"{url}/class#presents={secret}")
    expect(other.locator(".strip .code")).to_have_text(code)
    expect(other.locator(".tiles li")).to_have_count(2)
    assert secret not in other.url

    # The server is killed and comes back: what a phone sent meanwhile arrives, on both walls.
    server.kill()
    press(two, "Draw the next one")
    draw(two, SEVEN)
    press(two, "Send")
    expect(wall.locator(".state")).to_contain_text("No connection")
    server.start()
    answered(two, "7")
    for page in (wall, other):
        expect(page.locator(".tiles li")).to_have_count(3, timeout=LATE)
    # By then other networks have been asked about all of them.
    wall.get_by_role("button", name=re.compile(f"^{names[1]}: it reads 7")).click()
    expect(box.locator(".others li")).to_have_count(3, timeout=LATE)
    wall.keyboard.press("Escape")

    wall.get_by_role("button", name="Export", exact=True).click()
    page = saved(wall, "Page (HTML)")
    assert page.count("<figure") == 3
    assert "Draw &lt;b&gt;7&lt;/b&gt;!" in page
    assert saved(wall, "Table (CSV)").count("\n") == 5
    assert [json.loads(line)["label"] for line in saved(wall, "Strokes").splitlines()] == ["1", "7", "7"]

    # A phone that is sent away.
    wall.keyboard.press("Escape")
    wall.get_by_role("button", name=re.compile(f"^{names[2]}")).click()
    click(wall, f"Send {names[2]} away")
    click(wall, f"Send {names[2]} away")
    expect(tiles).to_have_count(2)
    expect(three.locator(".notice")).to_contain_text("takes nothing more from this phone")
    expect(three.locator("canvas.pad")).not_to_be_visible()

    # Deleted for good, for everybody.
    click(wall, "More")
    click(wall, "Delete for good")
    click(wall, "Delete for good")
    expect(wall.get_by_role("button", name="Open a class")).to_be_visible()
    expect(other.locator(".wall > .said")).to_contain_text("This class is gone")
    expect(two.locator(".notice")).to_contain_text("The class has ended")
    assert secret not in wall.evaluate("JSON.stringify(localStorage)")
