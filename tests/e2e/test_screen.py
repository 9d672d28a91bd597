"""What fits on which screen, on a phone's under one thumb, and on paper."""

import tomllib
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.e2e.looking import as_new, failing_no_script, opened, pixels, still, swipe
from tests.e2e.serving import ROOT, serve

QUESTIONS = {
    "Draw": "What does it see, and how sure is it?",
    "Routing": "Why did this capsule win?",
    "Pose": "What do the sixteen numbers mean?",
    "Overlap": "Which ink belongs to which digit?",
    "Model": "What is this network, and how good is it?",
    "Lessons": "What do you have time for?",
}
PHONE: dict[str, Any] = {"size": (390, 844), "touched": True}


def tops(found: Locator) -> set[float]:
    """Where each of several elements begins, from above."""
    return {round(box["y"]) for box in (one.bounding_box() for one in found.all()) if box}


@pytest.mark.parametrize("size", [(1366, 768), (1280, 720), (1180, 820), (1024, 768)])
def test_no_door_stands_alone(browser: Browser, url: str, size: tuple[int, int]) -> None:
    with opened(browser, url, "", size) as page:
        doors = page.locator(".st-key-question a")
        assert doors.count() == 3
        assert len(tops(doors)) == 1
        if size[0] >= 1180:  # beside the question
            (top,) = tops(doors)
            (above,) = tops(page.locator(".cv-question"))
            assert abs(top - above) < 10
        if size == (1280, 720):
            strip_on_a_stage(page)
        # In German the middle one of three names is longer than its picture.
        names = page.locator(".cv-row").first.locator("figcaption")
        names.nth(1).evaluate("(name) => { name.textContent = 'neu gezeichnet: 2'; }")
        assert len({name.evaluate("(name) => name.offsetHeight") for name in names.all()}) == 1


def strip_on_a_stage(page: Page) -> None:
    """Its pictures use the height: there are two rows, and all is on the screen."""
    page.keyboard.press("p")
    page.locator(".stage-bar select").select_option("strip")
    still(page)
    pictures = page.locator(".cv-strip .cv-station:not(.cv-wide) > :is(img, svg, div)")
    boxes = [one.bounding_box() for one in (*pictures.all(), *page.locator(".cv-strip .cv-bar").all())]
    assert len(boxes) == 4 + 10
    assert all(box and box["y"] > 0 and box["y"] + box["height"] < 720 for box in boxes), boxes
    assert all(box and box["width"] > 240 and box["height"] > 240 for box in boxes[:4]), boxes
    assert len(tops(pictures)) == 2
    page.keyboard.press("p")
    still(page)


def test_on_a_projector_the_model_page_has_doors_and_networks_together(browser: Browser, url: str) -> None:
    with opened(browser, url, "model?lang=de", (1280, 720)) as page:
        doors, table = page.locator(".st-key-question a"), page.locator(".cv-frame:has(> .cv-networks)")
        assert doors.count() == 4
        for width in (1366, 1280, 1180):
            page.set_viewport_size({"width": width, "height": 720})
            assert len(tops(doors)) == 1
            assert table.evaluate("(e) => e.scrollWidth - e.clientWidth") == 0
        page.set_viewport_size({"width": 1280, "height": 720})
        page.keyboard.press("p")
        expect(table).to_be_in_viewport(ratio=1)
        still(page)
        assert page.locator(".stMain").evaluate("(e) => e.scrollHeight - e.clientHeight") == 0
        page.keyboard.press("p")


@pytest.mark.parametrize("size", [(1366, 768), (1280, 720), (390, 844)])
def test_counts_of_the_confusion_matrix_stay_in_their_cells(
    browser: Browser, url: str, size: tuple[int, int]
) -> None:
    with opened(browser, url, "model", size) as page:
        chart = page.locator(".js-plotly-plot").first
        cell = chart.evaluate("(chart) => chart._fullLayout.xaxis._length / 10")
        widths = chart.evaluate(
            "(chart) => [...chart.querySelectorAll('.annotation-text')].map((text) => text.getBBox().width)"
        )
        assert len(widths) > 10
        assert max(widths) < cell


def test_no_tab_stands_alone_and_the_layers_keep_their_columns_names(browser: Browser, url: str) -> None:
    heads = ["Layer", "What it does", "Output", "For this drawing", "Parameters", "Multiply-adds"]
    with opened(browser, url, "model", (1280, 720)) as page:
        tabs = (
            page.get_by_role("tablist").filter(has=page.get_by_role("tab", name="Noise")).get_by_role("tab")
        )
        assert tabs.count() == 7
        assert len(tops(tabs)) == 1
        page.set_viewport_size({"width": 1180, "height": 820})
        expect(page.locator("[data-testid=layers] thead th")).to_have_text(heads)
        expect(page.locator("[data-testid=layers] thead")).to_be_visible()
        assert page.locator("[data-testid=layers] tbody td").first.evaluate(
            "(cell) => getComputedStyle(cell, '::before').content"
        ) in ("none", "normal")
        page.set_viewport_size({"width": 390, "height": 844})
        expect(page.locator("[data-testid=layers] thead")).not_to_be_visible()
        named = page.locator("[data-testid=layers] tbody tr").first.locator("td")
        said = named.evaluate_all(
            "(cells) => cells.map((cell) => getComputedStyle(cell, '::before').content)"
        )
        assert [word.strip('"') for word in said] == heads[1:]


def test_the_box_for_a_picture_says_in_one_line_what_it_takes(browser: Browser, url: str) -> None:
    limit = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["server"]["maxUploadSize"]
    with opened(browser, url, "", (1280, 720)) as page:
        page.get_by_role("button", name="Image").click()
        box = page.get_by_test_id("stFileUploader")
        expect(box).to_contain_text(f"PNG, JPEG or WebP, up to {limit} MB")
        expect(page.get_by_text("per file")).not_to_be_visible()


def test_a_phone_reaches_each_page_with_one_tap(browser: Browser, url: str) -> None:
    with opened(browser, url, "", **PHONE) as page:
        bar = page.get_by_role("navigation")
        expect(bar.get_by_role("link")).to_have_text([*QUESTIONS, "Class"])
        for name in ("Routing", "Model", "Pose", "Draw"):
            bar.get_by_role("link", name=name).tap()
            question = page.get_by_role("heading", level=1)
            expect(question).to_have_text(QUESTIONS[name])
            expect(question).to_be_in_viewport(ratio=1)
            expect(bar.locator("[aria-current=page]")).to_have_text(name)
            # Nothing lies over it, neither a menu nor the bar.
            assert question.evaluate(
                """(e) => { const { left, right, top, bottom } = e.getBoundingClientRect();
                    return [top + 2, bottom - 2].every((y) => e.contains(document.elementFromPoint(left + 5, y))); }"""
            )
            scrolled_away(page)
            if name == "Routing":
                clock(page, bar)
        # A finger on the stroke's width, too, scrolls; the thumb follows one that goes sideways.
        width, thumb = (
            page.get_by_role("slider", name="Stroke width"),
            page.get_by_test_id("stSliderThumbValue"),
        )
        for touched in (page.locator(".stSlider [role=group]"), thumb):
            assert swipe(page, touched, 0, -120, 0.5) > 60
        assert width.input_value() == "18"
        assert swipe(page, thumb, -40, 0, 0.5) == 0
        assert int(width.input_value()) < 18
        bar.get_by_role("link", name="Overlap").tap()
        door = page.locator(".st-key-lacks [data-testid=stPageLink-NavLink] p")
        expect(door).to_contain_text("CapsNet, dynamic routing, digits")
        assert door.evaluate(
            """(p) => { const text = document.createRange();
                text.selectNodeContents(p);
                return text.getBoundingClientRect().right <= p.closest("a").getBoundingClientRect().right; }"""
        )
        expect(page.get_by_test_id("stExpandSidebarButton")).not_to_be_visible()
        height = bar.bounding_box()
        assert height is not None
        assert height["height"] >= 44
        assert height["y"] + height["height"] == pytest.approx(844, abs=1)


def clock(page: Page, bar: Locator) -> None:
    """All that moves the clock is above the bar of pages, and a finger that scrolls does not move it."""
    page.locator(".stage-box").evaluate("(box) => box.scrollIntoView({ block: 'start' })")
    box, pages = page.get_by_role("toolbar", name="Clock").bounding_box(), bar.bounding_box()
    assert box is not None
    assert pages is not None
    assert box["y"] + box["height"] <= pages["y"] + 1
    slider = page.get_by_role("toolbar", name="Clock").get_by_role("slider")
    before = slider.input_value()
    assert swipe(page, slider, 0, -120) > 60
    assert slider.input_value() == before
    assert swipe(page, slider, -60, 4) == 0
    assert int(slider.input_value()) < int(before)
    page.locator(".stMain").evaluate("(main) => main.scrollTo(0, 0)")


def scrolled_away(page: Page) -> None:
    """However far down, digit, length and network are at the top, nothing has moved for it, and a tap leads back."""
    main, answer = page.locator(".stMain"), page.get_by_test_id("answer")
    parts = (answer, page.get_by_test_id("length"), page.locator(".st-key-networks button"))
    page.wait_for_function("document.querySelector('.stMain').scrollHeight > 1800")  # the views are there
    places = []
    for far in (0, 900):
        main.evaluate("(main, far) => main.scrollTo(0, far)", far)
        expect(answer).to_be_in_viewport(ratio=1)
        box = page.locator(".cv-question").bounding_box()
        assert box is not None
        places.append(box["y"] + far)
    assert places[0] == places[1]
    boxes = [part.bounding_box() for part in parts]
    assert all(box and box["y"] >= 0 and box["y"] + box["height"] <= 45 for box in boxes), boxes
    edges = [edge for box in boxes if box for edge in (box["x"], box["x"] + box["width"])]
    assert edges == sorted(edges)  # side by side
    for part in parts:
        assert part.evaluate(
            """(e) => { const { left, right, top, bottom } = e.getBoundingClientRect();
                return e.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2)); }"""
        )
    answer.tap()
    assert main.evaluate("(main) => main.scrollTop") == 0
    expect(page.locator(":root[data-away]")).to_have_count(0)


def test_the_bar_is_worked_by_keys(browser: Browser, url: str) -> None:
    with opened(browser, url, "", size=(390, 844)) as page:
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.innerText") == "Pose":
                break
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(QUESTIONS["Pose"])


@pytest.mark.parametrize("width", [1366, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_link_with_the_keyboards_focus_wears_a_ring(
    browser: Browser, url: str, width: int, scheme: str
) -> None:
    with opened(browser, url, "", size=(width, 844), color_scheme=scheme) as page:
        links = [
            page.get_by_role("navigation").get_by_role("link", name="Routing"),
            page.get_by_role("link", name="Why this digit?"),
        ]
        for link in links:
            plain = pixels(link)
            for _ in range(20):
                page.keyboard.press("Tab")
                if link.evaluate("(e) => e === document.activeElement"):
                    break
            page.wait_for_timeout(300)
            ringed = pixels(link)
            # Its upper edge is a line of another colour than before, 3 : 1 apart.
            before, after = (luminance(picture[1, 20:-20]).mean() for picture in (plain, ringed))
            assert (max(before, after) + 0.05) / (min(before, after) + 0.05) > 3


def luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance (WCAG 2) of uint8 colours [..., 3]."""
    share = colours / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722])


def test_a_finger_that_begins_on_a_chart_scrolls_the_page(browser: Browser, url: str) -> None:
    with opened(browser, url, "model", **PHONE) as page:
        page.locator(".stPlotlyChart").first.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        box = page.locator(".stPlotlyChart .nsewdrag").first.bounding_box()
        assert box is not None
        scrolled = "document.querySelector('.stMain').scrollTop"
        before = page.evaluate(scrolled)
        session = page.context.new_cdp_session(page)
        start = min(box["y"] + box["height"] - 20, 700)
        for step in range(15):
            point = {"x": box["x"] + 100, "y": start - 10 * step}
            kind = "touchMove" if step else "touchStart"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(500)
        assert page.evaluate(scrolled) > before + 80


def test_a_fresh_server_shows_no_other_list_of_pages(browser: Browser) -> None:
    with serve("app.py") as fresh:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.add_init_script(
            """window.lists = new Set();
            (function look() {
                document.querySelectorAll("nav").forEach((nav) => window.lists.add(nav.dataset.testid));
                if (document.querySelector(".stSidebar")) window.lists.add("a sidebar");
                requestAnimationFrame(look);
            })();"""
        )
        page.goto(f"{fresh}/pose")
        expect(page.get_by_role("heading", level=1)).to_have_text(QUESTIONS["Pose"], timeout=60_000)
        assert page.evaluate("[...window.lists]") == ["stTopNav"]
        page.close()


def test_a_printed_chart_is_as_wide_as_its_column_and_one_that_is_not_drawn_yet_in_numbers(
    browser: Browser, url: str
) -> None:
    held: list[Route] = []
    page = as_new(browser, url)
    page.route("**/PlotlyChart*", lambda route: held.append(route))
    with failing_no_script(page):
        page.set_viewport_size({"width": 1920, "height": 1080})
        page.goto(f"{url}/model")
        numbers, skeleton = page.locator(".cv-numbers td"), page.get_by_test_id("stSkeleton")
        numbers.first.wait_for(state="attached")
        skeleton.first.wait_for()
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 703, "height": 1032})
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        expect(numbers.first).to_have_text("979")  # zeros that are read as zeros, of MNIST's 980
        expect(numbers.first).to_be_visible()
        expect(skeleton.locator("visible=true")).to_have_count(0)
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        expect(numbers.first).not_to_be_visible()
        expect(skeleton.first).to_be_visible()
        for route in held:
            route.continue_()
        page.locator(".stPlotlyChart .main-svg >> visible=true").first.wait_for()
        still(page)
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        expect(numbers.first).not_to_be_visible()
        chart = page.locator(".stPlotlyChart >> visible=true").first
        frame, drawn = chart.bounding_box(), chart.locator(".main-svg").first.bounding_box()
        assert frame is not None
        assert drawn is not None
        assert drawn["width"] <= frame["width"] <= 703
        axis = chart.locator(".xtitle").bounding_box()
        assert axis is not None
        assert axis["y"] + axis["height"] <= frame["y"] + frame["height"] + 1
