"""What holds for every page: what assistive technology is told of it, what fits on which screen, and on paper.

The tests of a page look at the same one, which is opened once, and leave it as it was.
"""

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.looking import PATHS, PLAIN, accessibility_tree, opened, pixels, still

CONTROLS = {
    "button",
    "checkbox",
    "combobox",
    "link",
    "menuitem",
    "radio",
    "slider",
    "spinbutton",
    "switch",
    "tab",
    "textbox",
    "DisclosureTriangle",
}
PICTURES = {"image", "img", "Canvas", "SvgRoot", "graphics-document"}
# A screen of each kind: full HD, laptop, projector, laptop at 150 % and at 200 %, tablets, phones.
SIZES = [(1920, 1080), (1366, 768), (1280, 720), (911, 512), (683, 384), (820, 1180), (320, 640)]
WIDTHS = [*range(1400, 320, -120), 1025, 1024, 901, 900, 769, 768, 641, 640, 320]
TOUCHED = [(1180, 820), (390, 844)]
SHADOWS = "const within = (root) => [...root.querySelectorAll('*')].flatMap((e) => [e, ...(e.shadowRoot ? within(e.shadowRoot) : [])]);"


@pytest.fixture(scope="module", params=PATHS)
def path(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def kept(browser: Browser, url: str, path: str) -> Iterator[Page]:
    with opened(browser, url, path) as page:
        yield page


@pytest.fixture
def shown(kept: Page) -> Page:
    """The page on a laptop, with no wish of its reader's."""
    kept.emulate_media(**PLAIN)
    kept.set_viewport_size({"width": 1366, "height": 768})
    redrawn(kept)
    return kept


def too_wide(page: Page) -> int:
    """By how many pixels the page can be scrolled sideways."""
    return int(
        page.evaluate(
            """() => Math.max(...[document.documentElement, document.querySelector(".stMain")]
                .map((e) => e.scrollWidth - e.clientWidth))"""
        )
    )


def redrawn(page: Page) -> None:
    """Wait until charts are as wide as what they stand in, and the page has been laid out for its new size."""
    page.wait_for_function(
        """() => [...document.querySelectorAll(".js-plotly-plot")].every((chart) => !chart.checkVisibility()
            || chart._fullLayout.width <= chart.parentElement.clientWidth + 1)"""
    )
    page.wait_for_timeout(100)


def too_small(page: Page) -> list[str]:
    """Texts below 12 pixels; KaTeX's spaces of no width are none."""
    found: list[str] = page.evaluate(
        f"""() => {{
            {SHADOWS}
            return within(document.body)
                .filter((e) => !["STYLE", "SCRIPT"].includes(e.tagName) && e.checkVisibility())
                .filter((e) => [...e.childNodes].some((n) => n.nodeType == 3 && n.data.replace(/[\\s\\u200b]/g, "")))
                .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 12)
                .map((e) => e.outerHTML.slice(0, 100));
        }}"""
    )
    return found


def test_axe_finds_nothing_serious(shown: Page) -> None:
    for width in (1366, 390):
        shown.set_viewport_size({"width": width, "height": 844})
        for scheme in ("light", "dark"):
            shown.emulate_media(**PLAIN | {"color_scheme": scheme})
            still(shown)
            violations = Axe().run(shown).response["violations"]
            serious = [
                f"{rule['id']}: {node['target']}"
                for rule in violations
                if rule["impact"] in ("serious", "critical")
                for node in rule["nodes"]
            ]
            assert not serious, f"{scheme}, {width} pixels wide"


def test_every_control_and_every_picture_has_a_name_of_its_own(shown: Page) -> None:
    tree = accessibility_tree(shown)
    controls = [(node["role"], node["name"]) for node in tree if node["role"] in CONTROLS]
    assert len(controls) >= 8
    assert not [control for control, count in Counter(controls).items() if count > 1]
    assert not [role for role, name in controls if not name]
    assert not [node for node in tree if node["role"] in PICTURES and not node["name"]]


def test_headings_go_down_by_one(shown: Page, path: str) -> None:
    levels = shown.get_by_role("heading").evaluate_all(
        "(found) => found.map((heading) => Number(heading.getAttribute('aria-level') ?? heading.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert len(levels) > (0 if path == "class" else 2)  # as long as no class is open
    assert max(np.diff([0, *levels])) <= 1, levels


def test_no_page_is_wider_than_its_screen_nor_too_small_to_read(shown: Page) -> None:
    for width, height in SIZES:
        shown.set_viewport_size({"width": width, "height": height})
        redrawn(shown)
        assert too_wide(shown) <= 0, (width, height)
        assert not too_small(shown), (width, height)
    wide = {}
    for width in WIDTHS:
        shown.set_viewport_size({"width": width, "height": 700})
        redrawn(shown)
        wide[width] = too_wide(shown)
    assert max(wide.values()) <= 0, wide


def test_nor_under_a_finger(browser: Browser, url: str, path: str) -> None:
    with opened(browser, url, path, TOUCHED[0], touched=True) as page:
        for width, height in TOUCHED:
            page.set_viewport_size({"width": width, "height": height})
            redrawn(page)
            assert too_wide(page) <= 0, (width, height)
            assert not too_small(page), (width, height)


def test_no_key_puts_a_frame_around_the_page(shown: Page) -> None:
    left = shown.locator(".stMain")
    shown.wait_for_timeout(200)
    edge = pixels(left)[80:, :6]
    shown.mouse.click(1355, 500)
    for key in ("End", "Home"):
        shown.keyboard.press(key)
        shown.wait_for_timeout(200)
    np.testing.assert_array_equal(pixels(left)[80:, :6], edge)


LAST = {
    "": "near 0 the decoder draws nearly the same grey shape",
    "model": "free to use, in courses too, under the MIT licence",
}


def test_paper_has_all_of_a_page_light_and_without_what_can_be_pressed(shown: Page, path: str) -> None:
    shown.emulate_media(**PLAIN | {"color_scheme": "dark"})
    pages = {
        format_: len(re.findall(rb"/Type\s*/Page\b", shown.pdf(format=format_)))
        for format_ in ("A4", "Letter")
    }
    stage = shown.locator(".stage-box")
    seen = stage.bounding_box() if path == "routing" else None
    shown.emulate_media(media="print")
    shown.set_viewport_size({"width": 703, "height": 1032})  # what A4 leaves between its margins
    shown.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for gone in ("Undo", "Clear", "Examples", "Image"):
        expect(shown.get_by_role("button", name=gone, exact=True)).not_to_be_visible()
    expect(shown.get_by_role("navigation")).not_to_be_visible()
    for stays in (".st-key-canvas", ".cv-seen", ".cv-digit", ".cv-minis", ".cv-question"):
        expect(shown.locator(stays)).to_be_visible()
    # All of it is on the paper: nothing ends at the window's lower edge or the paper's right one.
    assert shown.evaluate(
        "[document.querySelector('.stMain'), document.documentElement].every((e) => e.scrollWidth <= 703)"
    )
    assert (
        shown.locator(".cv-question").evaluate(
            """(e) => { for (; e; e = e.parentElement) if (getComputedStyle(e).overflowY != "visible") return e.className;
            return ""; }"""
        )
        == ""
    )
    for gone in (
        ".stPopover",
        ".st-key-versus_choice",
        ".pose-tools",
        ".lesson-link .ways",
        ".compare :is(input, button.reset)",
    ):  # which a page may have
        expect(shown.locator(gone).locator("visible=true")).to_have_count(0)
    if path == "pose":  # so that no row is cut in two
        sweep = shown.locator(".sweep").bounding_box()
        assert sweep is not None
        assert 0 < sweep["height"] < 1000
    if path == "compare":
        values = shown.locator(".compare-row .slider-value")
        assert values.count() == shown.locator(".compare-row").locator("visible=true").count() > 5
        assert all(re.search(r"\d", value) for value in values.all_inner_texts())
        assert set(pages.values()) == {1}
    if path in LAST:
        expect(shown.get_by_text(LAST[path])).to_be_visible()
    if seen is not None:  # the picture as on the screen, smaller: no script draws it anew for paper
        printed = stage.bounding_box()
        assert printed is not None
        assert printed["width"] / printed["height"] == pytest.approx(seen["width"] / seen["height"], rel=0.01)
        assert 0.4 * 703 < printed["width"] < 0.8 * 703
    for scheme in ("dark", "light"):
        shown.emulate_media(media="print", color_scheme=scheme)
        colours = shown.locator(".cv-question").evaluate(
            "(e) => [getComputedStyle(e).color, getComputedStyle(document.querySelector('.stMain')).backgroundColor]"
        )
        assert colours == ["rgb(23, 25, 29)", "rgb(255, 255, 255)"], scheme
        edge = pixels(shown.locator(".cv-question"))
        assert (edge[-1] == 255).all(), scheme
    assert pages["A4"] == {"": 1}.get(path, pages["A4"])
    assert all(1 <= count <= 8 for count in pages.values()), pages
    if path == "model":
        assert all(count >= 3 for count in pages.values()), pages
