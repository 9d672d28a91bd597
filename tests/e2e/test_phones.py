"""Three phones in a class: joining, drawing with a finger, answers, a refresh, no network, a server that is killed."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from capsviz.classroom.presenter import Presenter
from capsviz.classroom.rooms import Classroom
from capsviz.classroom.settings import Settings
from capsviz.models.model import Model
from tests.e2e.serving import Server

SEVEN = [[(60, 70), (130, 66), (205, 64), (180, 120), (150, 180), (120, 235)]]
ONE = [[(140, 40), (138, 110), (140, 180), (141, 240)]]


def phone(browser: Browser, width: int, height: int, **more: Any) -> Page:
    """A browser of its own, under a finger; no script of its may fail."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=True, is_mobile=True, **more
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    return page


def draw(page: Page, strokes: list[list[tuple[int, int]]]) -> None:
    """With a finger."""
    box = page.locator("canvas.pad").bounding_box()
    assert box is not None
    finger = page.context.new_cdp_session(page)
    for stroke in strokes:
        for place, (x, y) in enumerate(stroke):
            point = {"x": box["x"] + x * box["width"] / 280, "y": box["y"] + y * box["height"] / 280}
            kind = "touchMove" if place else "touchStart"
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    finger.detach()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).tap()


def answered(page: Page, digit: str) -> None:
    expect(page.get_by_test_id("read")).to_have_text(digit, timeout=60_000)


def nickname(page: Page) -> str:
    page.locator("canvas.pad, .numeral").first.wait_for(state="attached")
    return page.locator("header b").inner_text()


def test_three_phones(browser: Browser, server: Server, model: Model) -> None:
    url = server.start()
    room = Classroom(Settings(server.folder), lambda name: model)
    opened = room.open()
    presenter = room.presenter(opened.secret)
    one = phone(browser, 390, 844, locale="de-DE")
    two = phone(browser, 360, 640, locale="en-US")
    three = phone(browser, 844, 390, locale="en-US", color_scheme="dark")
    try:
        journey(url, opened.code, presenter, one, two, three, server, model)
    finally:
        for page in (one, two, three):
            page.context.close()
        room.close()


def journey(
    url: str, code: str, presenter: Presenter, one: Page, two: Page, three: Page, server: Server, model: Model
) -> None:
    # The first by the link; its answer is the library's, of the strokes that the server has.
    one.goto(f"{url}/c/{code}")
    name = nickname(one)
    assert len(name.split()) == 2
    one.get_by_label("Es soll sein:").select_option("1")
    draw(one, SEVEN)
    assert one.evaluate("[scrollX, scrollY, document.body.scrollTop]") == [0, 0, 0]
    press(one, "Senden")
    answered(one, "7")
    (tile,) = presenter.wall().tiles
    lengths = model.trace(tile.drawing.image()).lengths[-1]
    expect(one.get_by_test_id("score")).to_have_text(f"{lengths.max():.2f}".replace(".", ","))
    assert [round(float(n.replace(",", ".")), 2) for n in one.locator(".value").all_inner_texts()] == [
        pytest.approx(length, abs=0.0051) for length in lengths.tolist()
    ]
    expect(one.locator(".sentence")).to_have_text("Gemeint war 1, gelesen wird 7: Du hast es getäuscht.")
    assert (tile.phone, tile.said, tile.fooled) == (name, "1", True)

    # The same phone after a refresh, with its answer.
    one.reload()
    answered(one, "7")
    assert nickname(one) == name

    # The second types the code; it has to guess before it is answered.
    presenter.rule(guess_first=True)
    two.goto(f"{url}/c/")
    two.get_by_label("The code on the wall").fill(f"{code[:3].lower()} {code[3:].lower()}")
    press(two, "Join")
    nickname(two)
    assert two.url.endswith(f"/c/{code}")
    draw(two, ONE)
    press(two, "Send")
    expect(two.get_by_role("heading", name="Which digit will it read?")).to_be_visible(timeout=60_000)
    assert two.get_by_test_id("read").count() == 0
    assert "scores" not in two.evaluate("JSON.stringify(localStorage)")
    press(two, "7")
    answered(two, "1")
    expect(two.locator(".sentence")).to_have_text("You said 7; it reads 1.")
    expect(two.locator(".dashed")).to_contain_text("unsure below 0.")
    presenter.rule(guess_first=False)

    # The third loses its network: the drawing is kept, and sent by itself, once, when there is one again.
    three.goto(f"{url}/c/{code}")
    third = nickname(three)
    three.context.set_offline(True)
    draw(three, SEVEN)
    press(three, "Send")
    expect(three.locator(".waits")).to_contain_text("sent again by itself")
    three.context.set_offline(False)
    answered(three, "7")

    # A task comes to all of them; the server is killed and starts again: the same phones, and what was sent meanwhile.
    presenter.set_task("Draw a <b>7</b> that it reads as 1", drawn="7", read="1")
    for page in (one, two, three):
        expect(page.locator(".task p")).to_have_text("Draw a <b>7</b> that it reads as 1")
    press(three, "Draw the next one")
    expect(three.get_by_label("It is meant to be")).to_have_value("7")
    draw(three, ONE)
    server.kill()
    press(three, "Send")
    expect(three.locator(".waits")).to_contain_text("sent again by itself")
    server.start()
    answered(three, "1")
    for page, expected in ((one, name), (three, third)):
        page.reload()
        assert nickname(page) == expected
    # While the class pauses a drawing waits, through a refresh too.
    presenter.rule(paused=True)
    press(one, "Noch eine zeichnen")
    expect(one.locator(".notice")).to_contain_text("macht Pause")
    draw(one, SEVEN)
    press(one, "Senden")
    expect(one.locator(".waits")).to_contain_text("sobald es weitergeht")
    one.reload()
    expect(one.locator(".waits")).to_be_visible()
    presenter.rule(paused=False)
    answered(one, "7")
    drawn = [(tile.read, tile.said, tile.task) for tile in presenter.wall().tiles]
    assert sorted(drawn) == [("1", "", 0), ("1", "7", 1), ("7", "", 0), ("7", "1", 0), ("7", "7", 1)]

    # One is let through no more, and the class is closed.
    last = max(tile.id for tile in presenter.wall().tiles if tile.phone == third)
    presenter.place([last], "hidden")  # type: ignore[arg-type] # as a word
    expect(three.locator(".standing")).to_have_text("It has been taken off the wall.")
    presenter.close()
    expect(three.locator(".notice")).to_contain_text("The class has ended")
