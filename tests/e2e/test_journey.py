"""What a person does, with a real mouse in a real browser."""

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from capsviz.inputs.examples import EXAMPLES, render
from tests.e2e.serving import serve

SEVEN = [(70, 60), (210, 60), (130, 230)]
FIRST = str(EXAMPLES[0].digit)


def draw(page: Page, points: list[tuple[float, float]]) -> None:
    """Draw one stroke through points given in pixels of the canvas."""
    box = page.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    x, y = points[0]
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.down()
    for (x0, y0), (x1, y1) in pairwise(points):
        for t in np.linspace(0, 1, 15)[1:]:
            page.mouse.move(box["x"] + x0 + t * (x1 - x0), box["y"] + y0 + t * (y1 - y0))
    page.mouse.up()


def answer(page: Page, digit: str) -> None:
    expect(page.get_by_test_id("answer")).to_have_text(digit, timeout=20_000)


def choose(page: Page, name: str) -> None:
    page.get_by_role("button", name="Examples").click()
    page.get_by_role("menuitem", name=name, exact=True).click()


def clear(page: Page) -> None:
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_test_id("waiting")).to_contain_text("draw a digit")
    page.wait_for_timeout(300)  # the canvas empties itself once the answer has come


def canvas_ink(page: Page) -> int:
    """How many pixels of the canvas in the browser are inked."""
    return page.locator("canvas.dc-canvas.lower-canvas").evaluate(
        """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
            .data.filter((value, i) => i % 4 == 0 && value > 127).length"""
    )


def inked(page: Page, expected: int, rel: float) -> None:
    """Wait until as many pixels of the canvas are inked."""
    for _ in range(100):
        if canvas_ink(page) == pytest.approx(expected, rel=rel):
            return
        page.wait_for_timeout(100)
    assert canvas_ink(page) == pytest.approx(expected, rel=rel)


def test_draws_a_seven_and_reads_seven(page: Page) -> None:
    answer(page, FIRST)
    clear(page)
    draw(page, SEVEN)
    answer(page, "7")
    length = float(page.get_by_test_id("length").inner_text())
    assert 0.5 < length < 1
    expect(page.get_by_test_id("waiting")).to_have_count(0)


def test_the_answer_stays_until_the_next_one_has_come(page: Page) -> None:
    page.evaluate(
        """() => {
            window.missing = 0;
            const look = () => {
                if (!document.querySelector("[data-testid=answer]")) window.missing += 1;
                requestAnimationFrame(look);
            };
            requestAnimationFrame(look);
        }"""
    )
    before = page.locator(".cv-reading").inner_html()
    draw(page, [(40, 40), (60, 240)])
    page.wait_for_function(
        "(before) => document.querySelector('.cv-reading')?.innerHTML !== before", arg=before
    )
    page.wait_for_timeout(300)
    assert page.evaluate("window.missing") == 0


def test_chooses_an_example_draws_on_and_undoes_all_of_it(page: Page) -> None:
    undo = page.get_by_role("button", name="Undo")  # one only: the canvas's own is gone
    other = next(example for example in EXAMPLES if example.digit not in (EXAMPLES[0].digit, 7))
    before = canvas_ink(page)
    choose(page, other.name)
    answer(page, str(other.digit))
    ink = int((render(other.strokes, other.width) > 127).sum())
    inked(page, ink, rel=0.03)

    draw(page, [(20, 262), (260, 262)])
    inked(page, ink + stroke_ink([(20, 262), (260, 262)]), rel=0.05)
    page.wait_for_timeout(1000)  # until it has been sent
    undo.click()
    answer(page, str(other.digit))
    inked(page, ink, rel=0.03)
    undo.click()
    answer(page, FIRST)
    inked(page, before, rel=0.01)
    expect(undo).to_be_disabled()


def test_the_drawing_outlasts_a_change_of_page(page: Page) -> None:
    clear(page)
    draw(page, SEVEN)
    answer(page, "7")
    ink = canvas_ink(page)
    length = page.get_by_test_id("length").inner_text()
    page.get_by_role("link", name="Model").click()
    expect(page.get_by_text("What is this network")).to_be_visible()
    answer(page, "7")
    assert page.get_by_test_id("length").inner_text() == length
    # The first charts of a server keep it and the browser busy, with which a stroke has nothing to do.
    expect(page.get_by_text("test digits were read as which")).to_be_visible(timeout=20_000)
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=20_000)
    # Drawn on there, it is the same drawing here.
    seen = page.locator(".cv-seen").get_attribute("src") or ""
    draw(page, [(100, 150), (190, 150)])
    expect(page.locator(".cv-seen")).not_to_have_attribute("src", seen)
    page.get_by_role("link", name="Draw").click()
    expect(page.get_by_text("What does it see")).to_be_visible()
    answer(page, "7")
    assert canvas_ink(page) > ink


def test_a_link_to_the_model_may_be_the_first_thing_a_server_is_asked_for(browser: Browser) -> None:
    with serve("app.py") as fresh:
        page = browser.new_page()
        page.goto(f"{fresh}/model")
        expect(page.get_by_text("How good it is")).to_be_visible(timeout=30_000)
        answer(page, FIRST)
        expect(page.get_by_text("Page not found")).to_have_count(0)
        page.close()


def test_the_model_page_shows_each_measurement(page: Page) -> None:
    page.get_by_role("link", name="Model", exact=True).click()
    expect(page.get_by_text("test digits were read as which")).to_be_visible(timeout=20_000)
    expect(page.locator(".js-plotly-plot").get_by_text("width of the pen")).to_be_visible(timeout=20_000)
    for title, axis in (
        ("Unsure", "shorter than that"),
        ("Turned", "rotated, degrees"),
        ("Noise", "noised, standard deviation"),
    ):
        page.get_by_role("tab", name=title, exact=True).click()
        expect(page.locator(".js-plotly-plot").get_by_text(axis)).to_be_visible()


def test_a_dot_and_a_scribble_are_answered_with_what_to_do(page: Page) -> None:
    clear(page)
    draw(page, [(140, 140), (141, 141)])
    expect(page.get_by_test_id("waiting")).to_contain_text("dot")
    clear(page)
    draw(page, [(x, 5 + 270 * (i % 2)) for i, x in enumerate(range(4, 280, 8))])
    expect(page.get_by_test_id("waiting")).to_contain_text("covers")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_test_id("waiting")).to_contain_text("draw a digit")


def test_two_quick_clicks_on_undo_take_two_strokes_back(page: Page) -> None:
    clear(page)
    for stroke in (SEVEN, [(90, 150), (190, 150)], [(20, 262), (260, 262)]):
        draw(page, stroke)
        page.wait_for_timeout(800)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_timeout(150)
    page.get_by_role("button", name="Undo").click()
    inked(page, stroke_ink(SEVEN), rel=0.05)
    answer(page, "7")


def test_a_finger_draws_everywhere_on_the_canvas(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(url)
    answer(page, FIRST)
    page.wait_for_timeout(1000)
    clear(page)
    before = page.evaluate("scrollY")
    # Down the right side, where the canvas's own toolbar would lie in the way.
    touch(page, [(250, 8), (250, 260)])
    inked(page, stroke_ink([(250, 8), (250, 260)]), rel=0.1)
    answer(page, "1")
    assert page.evaluate("scrollY") == before
    # Held across: every page a tap away, pad and answer always in sight, nothing wider than the screen.
    page.set_viewport_size({"width": 844, "height": 390})
    clear(page)
    touch(page, [(140, 8), (140, 260)])
    answer(page, "1")
    main = page.locator(".stMain")
    assert main.evaluate("(main) => main.scrollTop") == 0
    for name in ("Routing", "Pose", "Model", "Lessons", "Draw"):
        page.get_by_role("link", name=name, exact=True).first.tap()
        page.wait_for_url(re.compile(rf":\d+/{name.lower() if name != 'Draw' else ''}(\?.*)?$"))
        # A page begins at its top, however far down the one before was.
        page.wait_for_function("document.querySelector('.stMain').scrollTop === 0")
        expect(page.get_by_role("heading", level=1)).to_be_in_viewport(ratio=1)
        page.locator(".stApp[data-test-script-state=notRunning]").wait_for()
        for down in (0, 200):
            main.evaluate("(main, down) => main.scrollTo(0, down)", down)
            for part in (page.locator("canvas.upper-canvas"), page.get_by_test_id("answer")):
                expect(part).to_be_in_viewport(ratio=1)
        assert main.evaluate("(main) => main.scrollWidth") == 844, name
    # On the smallest one too no control lies over a page's name.
    page.set_viewport_size({"width": 568, "height": 320})
    main.evaluate("(main) => main.scrollTo(0, 0)")
    covered = """() => [...document.querySelectorAll(".stSidebar a, .st-key-controls button")].filter((node) => {
        const { left, right, top, bottom } = node.getBoundingClientRect();
        const y = (top + bottom) / 2;
        return left < right && [left + 3, right - 3].some((x) => !node.contains(document.elementFromPoint(x, y)));
    }).map((node) => node.textContent)"""
    page.wait_for_timeout(300)
    assert page.evaluate(covered) == []
    context.close()


def touch(page: Page, points: list[tuple[float, float]]) -> None:
    """Draw one stroke with a finger."""
    session = page.context.new_cdp_session(page)
    box = page.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    (x0, y0), (x1, y1) = points
    for step, t in enumerate(np.linspace(0, 1, 20)):
        point = {"x": box["x"] + x0 + t * (x1 - x0), "y": box["y"] + y0 + t * (y1 - y0)}
        kind = "touchMove" if step else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def stroke_ink(points: list[tuple[float, float]]) -> int:
    """How many pixels a stroke of the usual width inks on the canvas."""
    return int((render((tuple((x / 280, y / 280) for x, y in points),), 18 / 280) > 127).sum())


def test_uploads_a_picture_and_refuses_a_text(page: Page, tmp_path: Path) -> None:
    from PIL import Image

    four = next(example for example in EXAMPLES if example.digit == 4)
    Image.fromarray(255 - render(four.strokes, four.width)).save(tmp_path / "four.png")
    (tmp_path / "essay.png").write_text("Once upon a time")
    page.get_by_role("button", name="Image").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "essay.png")
    expect(page.get_by_role("alert")).to_contain_text("essay.png")
    answer(page, FIRST)
    expect(page.locator("input[type=file]")).to_have_count(0)  # closed, out of the way of what it says
    page.get_by_role("button", name="Image").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "four.png")
    answer(page, "4")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_phone_shows_which_page_it_has_opened(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(page.url.rstrip("/") + "/routing")
    page.get_by_test_id("answer").wait_for()
    expect(page.get_by_text("Why did this capsule win?")).to_be_in_viewport(ratio=1)


def test_a_stroke_may_begin_below_where_a_button_was_just_clicked(page: Page) -> None:
    """A tooltip that opened over the canvas would swallow it."""
    clear(page)
    box = page.get_by_role("button", name="Clear").bounding_box()
    pad = page.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    assert pad is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 5)
    page.wait_for_timeout(800)  # longer than a tooltip waits
    x = box["x"] + box["width"] / 2 - pad["x"]
    draw(page, [(x, 270), (x, 30)])
    inked(page, stroke_ink([(x, 270), (x, 30)]), rel=0.1)
    answer(page, "1")


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768), (390, 844)])
@pytest.mark.parametrize("path", ["", "/routing", "/pose", "/model"])
def test_nothing_sticks_out_sideways(page: Page, size: tuple[int, int], path: str) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(page.url.rstrip("/") + path)
    page.get_by_test_id("answer").wait_for()
    page.wait_for_timeout(500)
    widest = page.evaluate(
        """() => {
            const within = (root) => [...root.querySelectorAll('*')]
                .flatMap((e) => [e, ...(e.shadowRoot ? within(e.shadowRoot) : [])]);
            return Math.max(...within(document.querySelector('.stMain'))
                .filter((e) => e.checkVisibility() && !e.closest(".film > *, .katex *")) // scrolled sideways on a phone
                .map((e) => e.getBoundingClientRect().right));
        }"""
    )
    assert widest <= size[0]
