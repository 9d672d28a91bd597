"""The pad in a browser: what was drawn is still there after a reload, a cut connection, a server that restarted."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

from capsviz.inputs.drawings import Drawing, decode, stroke_of
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.preprocess import prepare
from capsviz.models.model import Model
from tests.e2e.looking import without_errors
from tests.e2e.serving import ROOT, free_port, serve, until_healthy
from tests.e2e.test_journey import FIRST, SEVEN, answer, canvas_ink, choose, clear, draw, inked, stroke_ink

BAR = [(90.0, 150.0), (190.0, 150.0)]


def kept(page: Page) -> Drawing:
    """The drawing that the browser's tab keeps."""
    return decode(json.loads(page.evaluate("sessionStorage.getItem('capsviz-drawing')"))["drawing"])


def strokes(page: Page, count: int) -> None:
    """Wait until so many strokes have been sent, answered and kept."""
    page.wait_for_function("sessionStorage.getItem('capsviz-drawing') !== null")
    for _ in range(100):
        if len(kept(page).strokes) == count:
            return
        page.wait_for_timeout(100)
    assert len(kept(page).strokes) == count


def length(page: Page) -> str:
    """As it is shown; a page that waits for what its tab has kept shows nothing yet."""
    expect(page.get_by_test_id("length")).to_be_visible()
    return page.get_by_test_id("length").inner_text()


def drawn_seven(page: Page) -> str:
    clear(page)
    draw(page, SEVEN)
    answer(page, "7")
    strokes(page, 1)
    return length(page)


def hinted(page: Page, content: str) -> None:
    """Wait for a faint word in the canvas, as a style sheet quotes it."""
    page.wait_for_function(
        "content => getComputedStyle(document.querySelector('.st-key-canvas'), '::after').content === content",
        arg=content,
    )


def test_the_strokes_are_where_the_pen_was_and_the_answer_is_the_library_s(page: Page, model: Model) -> None:
    said = drawn_seven(page)
    hinted(page, "none")
    (stroke,) = kept(page).strokes
    assert stroke.width == 36
    for point in SEVEN:
        assert np.hypot(*(stroke.points / 2 - point).T).min() <= 4  # the canvas rounds corners
    assert said == f"{model.trace(kept(page).image()).lengths[-1].max():.2f}"
    straight = Drawing((stroke_of(np.array(SEVEN), 18),)).image()
    assert float(said) == pytest.approx(model.trace(straight).lengths[-1].max(), abs=0.02)


def test_reloading_and_typing_an_address_keep_the_drawing_and_the_pen(page: Page, url: str) -> None:
    page.get_by_role("slider", name="Stroke width").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("stSliderThumbValue")).to_have_text("22")
    said = drawn_seven(page)
    ink = canvas_ink(page)
    before = page.evaluate("sessionStorage.getItem('capsviz-drawing')")
    assert (kept(page).strokes[0].width, json.loads(before)["width"]) == (44, 22)
    page.reload()
    answer(page, "7")
    inked(page, ink, rel=0.02)
    assert length(page) == said
    expect(page.get_by_test_id("stSliderThumbValue")).to_have_text("22")
    page.goto(f"{url}/routing")
    answer(page, "7")
    assert length(page) == said
    assert (
        json.loads(page.evaluate("sessionStorage.getItem('capsviz-drawing')"))["drawing"]
        == json.loads(before)["drawing"]
    )
    draw(page, BAR)  # and it goes on from there
    strokes(page, 2)


def test_a_reload_is_answered_when_what_was_kept_comes_while_the_canvas_is_made(
    browser: Browser, tmp_path: Path
) -> None:
    """On a busy machine: the run that shows the example is cut off once its canvas has been told of it."""
    slow, script = tmp_path / "slow.py", tmp_path / "busy.py"
    script.write_text(
        "import streamlit as st\n"
        "from capsviz.app.fetched import asset_routes\n"
        f"app = st.App({str(slow)!r}, routes=asset_routes())\n"
    )
    slow.write_text(
        "import runpy, time\n"
        "from capsviz.app import pad as ui_pad\n"
        "hint = getattr(ui_pad, 'unhurried', ui_pad._hint)\n"
        "ui_pad.unhurried = hint\n"
        "ui_pad._hint = lambda: (time.sleep(0.7), hint())[1]\n"
        f"runpy.run_path({str(ROOT / 'capsviz' / 'app' / 'main.py')!r})\n"
    )
    with serve(str(script)) as busy, without_errors(browser.new_page()) as page:
        page.goto(busy)
        answer(page, FIRST)
        said = drawn_seven(page)
        for _ in range(2):
            page.reload()
            answer(page, "7")
            assert length(page) == said
            expect(page.get_by_role("button", name="Clear")).to_be_visible()
            assert len(kept(page).strokes) == 1
        draw(page, BAR)
        strokes(page, 2)


def test_a_page_whose_run_never_comes_to_its_end_asks_for_another(browser: Browser, url: str) -> None:
    page = browser.new_page()
    lost = [0]

    def lossy(socket: WebSocketRoute) -> None:
        """Of what the server says first, nothing comes after the canvas; what it says once it is asked does."""
        server = socket.connect_to_server()
        asked, cut = [0], [False]

        def to_server(message: str | bytes) -> None:
            asked[0] += 1
            server.send(message)

        def to_page(message: str | bytes) -> None:
            if asked[0] == 1 and cut[0]:
                lost[0] += 1
                return
            cut[0] |= (
                b"drawable" in bytes(message, "utf8") if isinstance(message, str) else b"drawable" in message
            )
            socket.send(message)

        socket.on_message(to_server)
        server.on_message(to_page)

    page.route_web_socket("**/_stcore/stream", lossy)
    page.goto(url)
    page.locator("canvas.upper-canvas").wait_for()
    assert lost[0]
    expect(page.get_by_test_id("answer")).to_have_count(0)
    answer(page, FIRST)
    expect(page.get_by_role("button", name="Clear")).to_be_visible()
    expect(page.get_by_text("What does it see")).to_be_visible()
    page.close()


def test_an_example_and_what_was_drawn_on_it_outlast_a_reload(page: Page) -> None:
    at = next(at for at, example in enumerate(EXAMPLES) if example.digit == 4)
    choose(page, EXAMPLES[at].name)
    answer(page, "4")
    draw(page, [(20, 262), (260, 262)])
    strokes(page, 1)
    ink = canvas_ink(page)
    page.reload()
    page.get_by_test_id("answer").wait_for()
    inked(page, ink, rel=0.02)
    assert (kept(page).example, len(kept(page).strokes)) == (at, 1)


def test_an_empty_pad_stays_empty(page: Page) -> None:
    clear(page)
    page.reload()
    expect(page.get_by_test_id("waiting")).to_contain_text("draw a digit")
    hinted(page, '"draw a digit"')
    inked(page, 0, rel=0)


def test_another_tab_begins_with_the_example_and_with_the_drawing_where_its_address_has_one(
    page: Page, url: str
) -> None:
    drawn_seven(page)
    other = page.context.new_page()
    other.goto(url)
    answer(other, FIRST)
    other.goto(page.url)
    answer(other, "7")
    page.reload()
    answer(page, "7")


def test_what_a_tab_keeps_may_be_nonsense(page: Page) -> None:
    for nonsense in ("nonsense", "{}", '{"drawing": "AAAA", "tag": [1, 1], "width": 18}', "7", '"x"'):
        page.evaluate("(text) => sessionStorage.setItem('capsviz-drawing', text)", nonsense)
        page.reload()
        answer(page, FIRST)
    said = drawn_seven(page)
    page.reload()
    answer(page, "7")
    assert length(page) == said


def test_keys_undo_and_clear(page: Page) -> None:
    drawn_seven(page)
    draw(page, BAR)
    strokes(page, 2)
    page.keyboard.press("Control+z")
    strokes(page, 1)
    inked(page, stroke_ink(SEVEN), rel=0.05)
    page.get_by_role("button", name="Examples").focus()  # after a stroke, the canvas has it
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("z")
    page.keyboard.press("Delete")  # while something else has the focus
    page.wait_for_timeout(500)
    assert len(kept(page).strokes) == 1
    page.locator("canvas.upper-canvas").focus()
    page.keyboard.press("Delete")
    expect(page.get_by_test_id("waiting")).to_contain_text("draw a digit")


def test_the_canvas_has_a_name_and_says_what_needs_no_pen(page: Page) -> None:
    pad = page.get_by_role("img", name="Drawing pad")
    expect(pad).to_have_count(1)
    expect(pad).to_have_accessible_name(
        "Drawing pad: draw a digit with mouse, finger or pen. Without one, choose under Examples or Image. Delete clears, Control Z takes the last stroke back."
    )
    page.keyboard.press("Home")
    page.locator("canvas.upper-canvas").focus()
    expect(page.locator("canvas.upper-canvas")).to_be_focused()


def test_more_iterations_are_said_on_every_page_and_can_be_taken_back(page: Page, url: str) -> None:
    back = page.get_by_role("button", name="back to 3, as trained")
    expect(back).to_have_count(0)
    page.goto(f"{url}/?R=10")
    answer(page, FIRST)
    for name in ("Pose", "Draw"):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(back).to_have_count(1)
        expect(back).to_contain_text("R = 10")
        expect(page).to_have_url(re.compile(r"R=10\b"))
    page.reload()
    back.click()
    expect(back).to_have_count(0)
    expect(page.get_by_test_id("device")).not_to_contain_text("R =")


@pytest.mark.parametrize(
    "asked", ["9" * 5000, "![](//a.b/c)", "<img src=x onerror=alert(1)>", "٣", "x" * 3000, "%00"]
)
def test_a_hostile_number_in_a_link_is_one_short_sentence(page: Page, url: str, asked: str) -> None:
    for path in ("/", "/routing"):
        page.goto(f"{url}{path}?R={asked}")
        answer(page, FIRST)
        alert = page.get_by_role("alert").filter(has_text="Routing iterations")
        expect(alert).to_contain_text("1 to 10")
        assert len(alert.inner_text()) < 180
        expect(alert.locator("img, a, script")).to_have_count(0)


# --- a server that stops and starts ---------------------------------------------------------------------


class Server:
    """The app on one port, to be stopped and started again."""

    def __init__(self, log: Path) -> None:
        self.port, self._log = free_port(), log
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        options = [f"--server.port={self.port}", "--server.headless=true"]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", *options],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        until_healthy(self.url, self._process)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path / "log")
    yield found
    found.stop()
    assert "Traceback" not in (tmp_path / "log").read_text()


@contextmanager
def opened(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(server.url)
    answer(page, FIRST)
    yield page
    context.close()


def connected(page: Page, state: bool) -> None:
    page.wait_for_function(
        "(state) => (document.querySelector('[data-test-connection-state]')"
        ".getAttribute('data-test-connection-state') === 'CONNECTED') === state",
        arg=state,
    )


def test_a_server_that_starts_again_answers_for_what_is_on_the_pad(browser: Browser, server: Server) -> None:
    with opened(browser, server) as page:
        said = drawn_seven(page)
        server.stop()
        connected(page, False)
        expect(page.get_by_text("The connection is lost")).to_be_visible()
        page.wait_for_timeout(2500)  # longer than Streamlit waits before it lays a dialog over the page
        draw(page, BAR)
        both = stroke_ink(SEVEN) + stroke_ink(BAR)
        assert canvas_ink(page) > 0.9 * stroke_ink(SEVEN) + 300
        server.start()
        connected(page, True)
        strokes(page, 2)
        expect(page.get_by_text("The connection is lost")).to_have_count(0)
        answer(page, "7")
        assert stroke_ink(SEVEN) < canvas_ink(page) < both
        page.get_by_role("button", name="Clear").click()
        expect(page.get_by_test_id("waiting")).to_contain_text("draw a digit")
        draw(page, SEVEN)
        answer(page, "7")
        assert length(page) == said


def test_the_first_act_after_a_restart_is_done_on_the_drawing_that_is_seen(
    browser: Browser, server: Server
) -> None:
    """In five tabs, each with an act of its own."""
    with opened(browser, server) as first:
        tabs, said = [first], drawn_seven(first)
        for _ in range(4):
            page = first.context.new_page()  # in front: those behind draw nothing
            page.goto(server.url)
            answer(page, FIRST)
            assert drawn_seven(page) == said
            tabs.append(page)
        server.stop()
        for page in tabs:
            connected(page, False)
        server.start()
        for page in tabs:
            connected(page, True)
        cleared, undone, chosen, drawn, left = tabs
        cleared.bring_to_front()
        cleared.get_by_role("button", name="Clear").click()
        expect(cleared.get_by_test_id("waiting")).to_contain_text("draw a digit")
        undone.bring_to_front()
        answer(undone, "7")  # a new session has nothing to go back to, and loses nothing
        chosen.bring_to_front()
        choose(chosen, "four, open")
        answer(chosen, "4")
        drawn.bring_to_front()
        draw(drawn, BAR)
        strokes(drawn, 2)
        left.bring_to_front()
        left.get_by_role("link", name="Model", exact=True).first.click()
        expect(left.get_by_text("What is this network")).to_be_visible()
        answer(left, "7")
        assert length(left) == said


# --- pictures -------------------------------------------------------------------------------------------


def neighbours(path: Path) -> np.ndarray:
    """A two between others, on paper; the whole is no digit."""
    two = next(example for example in EXAMPLES if example.digit == 2)
    paper = np.full((300, 900), 255, np.uint8)
    for left in (0, 300, 600):
        paper[10:290, left + 10 : left + 290] -= render(two.strokes, two.width)
    Image.fromarray(paper).save(path)
    return paper


def upload(page: Page, path: Path) -> None:
    page.get_by_role("button", name="Image").click()
    page.locator("input[type=file]").set_input_files(path)


def in_its_dialog(page: Page) -> tuple[Locator, Locator]:
    """See that the picture stands in its dialog, where it opens by itself if no digit was found; that, and the button."""
    dialog, open_ = page.get_by_test_id("stDialog"), page.get_by_role("button", name="What was taken")
    expect(dialog.or_(open_).first).to_be_visible()
    if not dialog.is_visible():
        open_.click()
    expect(page.locator(".framing-picture")).to_be_visible()
    return dialog, open_


def dragged(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over the picture in its dialog; places as fractions of it."""
    box = page.locator(".framing-stage").bounding_box()
    assert box is not None
    (x0, y0), (x1, y1) = (
        (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)
    )
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2, steps=5)
    page.mouse.move(x1, y1, steps=5)
    page.mouse.up()


def crop(page: Page) -> list[float]:
    """Left, top, right and bottom of the crop as it lies over the picture, as fractions of that."""
    page.locator(".framing-crop").wait_for()
    page.wait_for_timeout(200)
    found: list[float] = page.evaluate(
        """() => {
            const within = (root) => root.querySelector(".framing-stage") ?? [...root.querySelectorAll("*")]
                .map((node) => node.shadowRoot && within(node.shadowRoot)).find(Boolean);
            const stage = within(document);
            const [a, b] = [stage, stage.querySelector(".framing-crop")].map((node) => node.getBoundingClientRect());
            return [(b.left - a.left) / a.width, (b.top - a.top) / a.height,
                (b.right - a.left) / a.width, (b.bottom - a.top) / a.height];
        }"""
    )
    return found


def seen(page: Page) -> str:
    return page.locator(".cv-taken img").get_attribute("src") or ""


def test_a_picture_is_cropped_and_what_was_taken_is_shown(page: Page, tmp_path: Path, model: Model) -> None:
    paper = neighbours(tmp_path / "row.png")
    upload(page, tmp_path / "row.png")
    dialog, open_ = in_its_dialog(page)
    whole = seen(page)
    dragged(page, (0.35, 0.05), (0.65, 0.95))
    assert crop(page) == pytest.approx([0.35, 0.05, 0.65, 0.95], abs=0.01)
    expect(page.get_by_role("button", name="Use this")).to_be_enabled()
    expect(page.locator(".cv-taken img")).not_to_have_attribute("src", whole)
    # The marks lie over the digit: orange where the two has its ink, nothing on the paper.
    marks = page.locator(".framing-marks")
    levels = marks.evaluate(
        """async (image) => {
            await image.decode();
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            return [canvas.width, canvas.height, [...context.getImageData(0, 0, canvas.width, canvas.height).data]];
        }"""
    )
    shape = (levels[1], levels[0], 4)
    pixels = np.array(levels[2], np.uint8).reshape(shape)
    left, top, right, bottom = crop(page)
    part = paper[round(top * 300) : round(bottom * 300), round(left * 900) : round(right * 900)]
    inky = np.asarray(Image.fromarray(part).resize(shape[1::-1])) < 60
    assert (pixels[inky][:, 3] > 0).mean() > 0.9
    assert pixels[inky][0].tolist()[0] > 200  # orange
    assert (pixels[~inky][:, 3] > 0).mean() < 0.1

    page.get_by_role("button", name="Use this").click()
    answer(page, "2")
    expect(dialog).to_have_count(0)
    ours = prepare(paper, crop=(round(left, 4), round(top, 4), round(right, 4), round(bottom, 4))).image
    assert float(length(page)) == pytest.approx(model.trace(ours).lengths[-1].max(), abs=0.02)
    open_.click()  # it opens as it was left
    assert crop(page) == pytest.approx([left, top, right, bottom], abs=0.01)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.reload()
    answer(page, "2")


def test_a_crop_is_moved_by_its_corners_its_middle_and_by_keys(page: Page, tmp_path: Path) -> None:
    neighbours(tmp_path / "row.png")
    upload(page, tmp_path / "row.png")
    in_its_dialog(page)
    expect(page.locator(".framing-picture")).to_be_visible()
    dragged(page, (0.3, 0.2), (0.6, 0.8))
    assert crop(page) == pytest.approx([0.3, 0.2, 0.6, 0.8], abs=0.01)
    dragged(page, (0.45, 0.5), (0.55, 0.4))
    assert crop(page) == pytest.approx([0.4, 0.1, 0.7, 0.7], abs=0.01)
    dragged(page, (0.405, 0.12), (0.3, 0.3))  # top left
    assert crop(page) == pytest.approx([0.3, 0.3, 0.7, 0.7], abs=0.03)
    dragged(page, (0.695, 0.68), (0.9, 0.9))  # bottom right
    assert crop(page) == pytest.approx([0.3, 0.3, 0.9, 0.9], abs=0.03)
    before = crop(page)
    corner = page.get_by_role("button", name="Crop: top right corner")
    corner.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    after = [before[0], before[1] + 0.05, before[2] - 0.01, before[3]]
    assert crop(page) == pytest.approx(after, abs=0.004)
    dragged(page, (0.5, 0.6), (1.0, 0.6))  # no farther than the border
    assert crop(page)[2] == pytest.approx(1, abs=0.002)
    page.get_by_role("button", name="Whole picture").click()
    assert crop(page) == pytest.approx([0, 0, 1, 1], abs=0.002)


def test_what_is_no_ink_is_marked_with_mouse_and_keys_and_taken_back(page: Page, tmp_path: Path) -> None:
    four = next(example for example in EXAMPLES if example.digit == 4)
    paper = 255 - render(four.strokes, four.width)
    paper[246:262, 20:120] = 0  # a stroke that is not the four's
    Image.fromarray(paper).save(tmp_path / "four.png")
    upload(page, tmp_path / "four.png")
    in_its_dialog(page)
    expect(page.locator(".cv-taken img")).to_be_visible()
    with_stroke = seen(page)
    page.get_by_role("checkbox", name="Mark what is no ink").check()
    box = page.locator(".framing-stage").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 254 / 280 * box["height"])
    point = page.get_by_role("button", name="No ink, 25% across and 91% down")
    expect(point).to_be_visible()
    expect(page.locator(".cv-taken img")).not_to_have_attribute("src", with_stroke)
    without = seen(page)
    point.click()
    expect(point).to_have_count(0)
    expect(page.locator(".cv-taken img")).to_have_attribute("src", with_stroke)
    stage = page.locator(".framing-stage")  # the cross begins in the middle
    stage.focus()
    for _ in range(5):
        page.keyboard.press("Shift+ArrowLeft")
    for _ in range(8):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="No ink, 25% across and 91% down")).to_be_visible()
    expect(page.locator(".cv-taken img")).to_have_attribute("src", without)
    page.get_by_role("button", name="Unmark all").click()
    expect(page.locator(".cv-taken img")).to_have_attribute("src", with_stroke)


def test_a_finger_crops(browser: Browser, url: str, tmp_path: Path) -> None:
    neighbours(tmp_path / "row.png")
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(url)
    answer(page, FIRST)
    upload(page, tmp_path / "row.png")
    in_its_dialog(page)
    stage = page.locator(".framing-stage")
    expect(page.locator(".framing-picture")).to_be_visible()
    page.wait_for_timeout(500)
    box = stage.bounding_box()
    assert box is not None
    whole = seen(page)
    session = context.new_cdp_session(page)
    for step, t in enumerate(np.linspace(0, 1, 8)):
        place = {
            "x": box["x"] + (0.34 + 0.32 * t) * box["width"],
            "y": box["y"] + (0.1 + 0.8 * t) * box["height"],
        }
        kind = "touchMove" if step else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert crop(page) == pytest.approx([0.34, 0.1, 0.66, 0.9], abs=0.02)
    expect(page.locator(".cv-taken img")).not_to_have_attribute("src", whole)
    page.wait_for_timeout(700)  # so soon after a drag, a tap would be its second
    page.get_by_role("button", name="Use this").tap()
    answer(page, "2")
    context.close()


def test_the_ink_may_be_the_other_kind(page: Page, tmp_path: Path) -> None:
    """White on black, and a picture that says nothing of it: half of it is ink."""
    two = next(example for example in EXAMPLES if example.digit == 2)
    Image.fromarray(render(two.strokes, two.width)).save(tmp_path / "two.png")
    upload(page, tmp_path / "two.png")
    answer(page, "2")
    page.get_by_role("button", name="What was taken").click()
    expect(page.locator(".cv-taken img")).to_be_visible()
    page.get_by_text("Invert").click()
    expect(page.get_by_role("button", name="Use this")).to_be_disabled()  # black ink: there is none
    expect(page.get_by_test_id("stDialog").get_by_role("alert")).to_be_visible()
    page.get_by_text("Invert").click()
    expect(page.get_by_role("button", name="Use this")).to_be_enabled()
