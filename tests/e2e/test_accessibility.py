"""Who cannot see the screen, or not its colours: what a browser tells assistive technology of each page."""

from collections import Counter

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from capsviz.figures.theme import CLASS_COLOURS
from tests.e2e.looking import accessibility_tree, opened, pixels


def test_a_chart_is_one_picture_with_a_name_and_a_table(browser: Browser, url: str) -> None:
    with opened(browser, url, "model") as page:
        chart = page.get_by_role("img", name="MNIST: a row for each digit, a column for each it was read as")
        expect(chart).to_be_visible()
        assert not [node for node in accessibility_tree(page) if node["name"] == "1,133"]  # a part of it
        page.get_by_text("MNIST in numbers").click()
        table = page.get_by_role("region", name="MNIST, table").get_by_role("table")
        expect(table.get_by_role("columnheader")).to_have_text(["digit ↓, read as →", *"0123456789"])
        # 1,135 ones are in the test set; this network reads 1,133 of them.
        expect(table.get_by_role("row", name="1").nth(0)).to_be_visible()
        cells = table.locator("tbody tr").nth(1).get_by_role("cell")
        assert sum(int(cell.replace(",", "")) for cell in cells.all_inner_texts()) == 1_135


def colours(locator: Locator) -> Counter[tuple[int, ...]]:
    """How many pixels of what is shown have which colour."""
    return Counter(map(tuple, pixels(locator).reshape(-1, 3).tolist()))


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_bars_and_signs_apart(browser: Browser, url: str, scheme: str) -> None:
    with opened(browser, url, "", color_scheme=scheme, forced_colors="active") as page:
        digit = int(page.get_by_test_id("answer").inner_text())
        longest, shortest = (
            colours(page.locator(f".cv-bar:has(.cv-numeral:text-is('{d}')) .cv-track"))[rgb(CLASS_COLOURS[d])]
            for d in (digit, (digit + 1) % 10)
        )
        assert longest > 20 * shortest
        assert colours(page.locator(".cv-mini").nth(digit))[rgb(CLASS_COLOURS[digit])] > 200
        assert colours(page.locator(".cv-for").first)[240, 138, 36] > 50
        assert colours(page.locator(".cv-against").first)[58, 134, 224] > 50
        # The slider's track and thumb are backgrounds; its borders are not.
        assert len(colours(page.locator(".stSlider [role=group]"))) > 2
        here, other = (
            page.get_by_role("navigation").get_by_role("link", name=name) for name in ("Draw", "Pose")
        )
        assert border(here) == "solid 3px"
        assert border(other) != "solid 3px"


def border(locator: Locator) -> str:
    return str(
        locator.evaluate(
            "(e) => getComputedStyle(e).borderBottomStyle + ' ' + getComputedStyle(e).borderBottomWidth"
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_charts_legible(browser: Browser, url: str, scheme: str) -> None:
    with opened(browser, url, "model", color_scheme=scheme, forced_colors="active") as page:
        chart = page.locator(".stPlotlyChart >> visible=true").first
        shades = colours(chart)
        paper = (255, 255, 255) if scheme == "light" else (0, 0, 0)
        assert paper in [shade for shade, _ in shades.most_common(2)]  # beside that of the empty cells
        ink = chart.locator(".xtick text").first.evaluate("(e) => getComputedStyle(e).fill")
        assert ink == ("rgb(0, 0, 0)" if scheme == "light" else "rgb(255, 255, 255)")
        assert len(shades) > 20  # the cells of mistakes, in orange
        chosen, other = (
            page.get_by_role("tab", name=name, exact=True) for name in ("Pen width", "Calibration")
        )
        assert border(chosen) == "solid 3px"
        assert border(other) != "solid 3px"


def test_more_contrast_is_given_to_who_asks_for_it(browser: Browser, url: str) -> None:
    def contrast(page: Page, selector: str) -> float:
        """Of the darkest and the lightest pixel (WCAG 2)."""
        linear = (
            np.array([0.2126, 0.7152, 0.0722])
            @ ((pixels(page.locator(selector).first).reshape(-1, 3) / 255) ** 2.2).T
        )
        return float((linear.max() + 0.05) / (linear.min() + 0.05))

    quiet = [".cv-device", ".cv-station figcaption", ".cv-length"]
    with opened(browser, url, "") as page:
        usual = [contrast(page, selector) for selector in quiet]
        page.emulate_media(contrast="more")
        more = [contrast(page, selector) for selector in quiet]
    assert min(usual) >= 4.5
    assert all(b > 1.5 * a for a, b in zip(usual[:2], more[:2], strict=True)), (usual, more)
    assert min(more) > 12
