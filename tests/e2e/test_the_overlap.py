"""Two digits drawn over each other, taken apart in the browser."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from capsviz.models import weights
from tests.e2e.looking import failing_no_script, opened, pixels
from tests.e2e.serving import serve
from tests.e2e.test_journey import clear, draw

NAME = "overlap.mnist"
THREE = [
    (78, 68),
    (95, 50),
    (125, 48),
    (145, 65),
    (140, 95),
    (110, 112),
    (138, 120),
    (152, 150),
    (140, 185),
    (110, 200),
]
SEVEN = [(115, 75), (215, 72), (200, 110), (175, 160), (160, 225)]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that has weights of the network."""
    folder = tmp_path_factory.mktemp("weights")
    (folder / "dynamic.mnist").symlink_to(weights.DIRECTORY / "dynamic.mnist")
    (folder / NAME).symlink_to(weights.DIRECTORY / NAME)
    with serve("tests/e2e/tiny_app.py", TINY_WEIGHTS=str(folder)) as url:
        yield url


def picture(page: Page, name: str) -> np.ndarray:
    """[H, W, 3] colours of a picture, without its round corners."""
    return pixels(page.get_by_test_id(name))[8:-8, 8:-8].astype(int)


def places(page: Page) -> list[float]:
    """How far down the page's parts stand."""
    parts = [page.get_by_test_id(name) for name in ("composite", "seen", "first", "length-0")]
    return [part.evaluate("node => node.getBoundingClientRect().top") for part in parts]


def in_order(page: Page, names: str) -> None:
    """Both are named as they were drawn, wherever they stand: of these, the longest is but once the first."""
    both = " + ".join(names)
    expect(page.locator("figure.composite figcaption")).to_have_text(both)
    first, second = (page.get_by_test_id(f"length-{name}").first.inner_text() for name in names)
    expect(page.get_by_test_id("sees")).to_contain_text(
        re.compile(rf"{names[0]} \({first}\).*{names[1]} \({second}\)")
    )
    expect(page.locator(".voters .look")).to_contain_text(
        re.compile(rf"{names[0]}: \d+ capsules? · {names[1]}: ")
    )
    rail = page.locator(".cv-reading")
    spots = rail.locator(".cv-digit span, .cv-two b").evaluate_all(
        "nodes => nodes.map(node => [node.textContent, node.getBoundingClientRect()]).map(([text, box]) => [text, box.x, box.y])"
    )
    assert [text for text, x, _ in sorted(spots[:2], key=lambda spot: spot[1])] == list(names)
    assert [text for text, _, y in sorted(spots[2:], key=lambda spot: spot[2])] == [first, second]


def answered(page: Page, number: int) -> None:
    page.locator(f'.overlap[data-answered="{number}"]').wait_for()


def test_two_are_drawn_slid_between_and_reassigned_and_the_link_says_so(
    browser: Browser, address: str
) -> None:
    with opened(browser, address, f"overlap?network={NAME}") as page, failing_no_script(page):
        # Two are seen at once, and it is said that one is an example, until somebody draws.
        expect(page.get_by_test_id("suggested")).to_be_visible()
        over = page.get_by_test_id("over")
        assert over.input_value()
        page.wait_for_function("location.search.includes('over=')")
        clear(page)
        draw(page, THREE)
        expect(over).to_have_value("")
        expect(page.get_by_test_id("suggested")).to_be_hidden()
        page.wait_for_function("!location.search.includes('over=')")
        expect(page.get_by_test_id("stroke-0")).to_have_count(0)  # of one stroke there is nothing to be said
        expect(page.get_by_test_id("sees")).not_to_be_empty()
        expect(page.get_by_test_id("truth")).to_be_hidden()
        one = places(page)
        page.wait_for_timeout(1300)  # the pause
        draw(page, SEVEN)
        second = page.get_by_test_id("stroke-1")
        expect(second).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_test_id("secondOwn")).to_be_visible()
        assert places(page) == one  # nothing jumps while one draws
        expect(page.get_by_test_id("stroke-0")).to_have_attribute("aria-pressed", "false")
        page.wait_for_function("location.search.includes('second=2')")
        expect(page.get_by_test_id("sees")).not_to_be_empty()

        both = picture(page, "composite")
        alone = []
        for end in (0, 100):
            page.get_by_test_id("between").fill(str(end))
            page.wait_for_function(f"location.search.includes('between={end}')")
            alone.append(picture(page, "composite"))
        # Each in its colour, added: what both show is the sum of what each shows alone, at most white.
        np.testing.assert_allclose(both, np.minimum(255, alone[0] + alone[1]), atol=4)
        assert alone[0].max() > 20
        assert (alone[0] != alone[1]).any()

        page.get_by_test_id("between").fill("30")
        second.click()  # both strokes are of the first digit now: there is no second one to compare with
        expect(page.get_by_test_id("secondOwn")).to_be_hidden()
        second.click()
        expect(page.get_by_test_id("secondOwn")).to_be_visible()
        page.get_by_test_id("length-5").click()
        expect(page.get_by_test_id("asked")).to_be_visible()
        page.wait_for_function(
            "location.search.includes('digit=5') && location.search.includes('between=30')"
        )
        page.wait_for_function("location.search.includes('drawing=')")
        link, said = page.url, page.get_by_test_id("sees").inner_text()
        own = pixels(page.get_by_test_id("secondOwn"))
    with (
        opened(browser, address, link.removeprefix(f"{address}/")) as elsewhere,
        failing_no_script(elsewhere),
    ):
        elsewhere.evaluate("window.capsvizPens = []")  # nobody saw it being drawn
        expect(elsewhere.get_by_test_id("sees")).to_have_text(said)
        expect(elsewhere.get_by_test_id("between")).to_have_value("30")
        expect(elsewhere.get_by_test_id("asked")).to_be_visible()
        expect(elsewhere.get_by_test_id("stroke-1")).to_have_attribute("aria-pressed", "true")
        np.testing.assert_array_equal(pixels(elsewhere.get_by_test_id("secondOwn")), own)


def test_an_example_is_laid_over_it_moved_and_exchanged(browser: Browser, address: str) -> None:
    with (
        opened(browser, address, f"overlap?network={NAME}&over=3&moved=12.8") as page,
        failing_no_script(page),
    ):
        answered(page, 1)
        seen = pixels(page.get_by_test_id("seen"))
        expect(page.get_by_test_id("right")).to_have_value("4")
        page.get_by_test_id("right").fill("-4")
        answered(page, 2)
        page.wait_for_function("location.search.includes('moved=4.8')")
        moved = pixels(page.get_by_test_id("seen"))
        assert (moved != seen).any()
        page.get_by_test_id("over").select_option("7")
        answered(page, 3)
        page.wait_for_function("location.search.includes('over=7')")
        assert (pixels(page.get_by_test_id("seen")) != moved).any()
        page.get_by_test_id("over").select_option("")
        answered(page, 4)
        expect(page.get_by_test_id("right")).to_be_hidden()
        page.wait_for_function("!location.search.includes('over=')")


def test_a_3_and_a_7_are_named_and_told_apart(browser: Browser, address: str) -> None:
    with opened(browser, address, f"overlap?network={NAME}") as page:
        clear(page)
        draw(page, THREE)
        page.wait_for_timeout(1300)
        draw(page, SEVEN)
        expect(page.get_by_test_id("answer")).to_have_text(re.compile(r"3 \+ 7|7 \+ 3"))
        expect(page.get_by_test_id("sees")).to_contain_text(re.compile("third|third capsule|More than two"))
        in_order(page, "37")
        page.wait_for_function("location.search.includes('second=2')")
        page.get_by_test_id("stroke-0").click()  # a choice that Clear takes away, out of the address too
        page.get_by_test_id("stroke-1").click()
        page.wait_for_function("location.search.includes('second=1')")
        clear(page)
        draw(page, SEVEN)
        page.wait_for_timeout(1300)
        draw(page, THREE)
        in_order(page, "73")
        clear(page)
        draw(page, THREE)
        page.wait_for_timeout(1300)
        draw(page, SEVEN)
        expect(page.get_by_test_id("stroke-1")).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_test_id("stroke-0")).to_have_attribute("aria-pressed", "false")
        page.wait_for_function("location.search.includes('second=2')")
        for own, drawn in (("firstOwn", "first"), ("secondOwn", "second")):
            # Each is redrawn more like its own stroke than like the other's.
            other = "secondOwn" if own == "firstOwn" else "firstOwn"
            redrawn, right, wrong = (
                pixels(page.get_by_test_id(name)).mean(2) for name in (drawn, own, other)
            )
            assert np.square(redrawn - right).sum() < np.square(redrawn - wrong).sum()
        # On a phone, scrolled away, two lengths are at the top beside the menu of networks.
        page.set_viewport_size({"width": 390, "height": 844})
        page.locator(".stMain").evaluate("(main) => main.scrollTo(0, 1200)")
        expect(page.locator(":root[data-away]")).to_have_count(1)
        lengths, menu = page.locator(".cv-length b"), page.locator(".st-key-networks button").bounding_box()
        assert lengths.count() == 2
        assert menu is not None
        for length in lengths.all():
            box = length.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] + 8 <= menu["x"]
            assert 0 <= box["y"] < box["y"] + box["height"] <= 45
