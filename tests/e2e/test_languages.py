"""The whole app in a pseudo-language: a word that is not marked is not from the file of texts."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import pseudo
from tests.e2e.looking import PATHS, opened, still
from tests.e2e.serving import serve

# All that can be read on the page or be read out, shadow roots and closed parts included: [where, text].
WORDS = """() => {
    const found = [];
    const hidden = new Set(["SCRIPT", "STYLE", "CODE", "NOSCRIPT", "ANNOTATION", "MATH", "TITLE"]);
    const names = ["aria-label", "title", "alt", "placeholder", "data-tip", "aria-valuetext"];
    const walk = (node) => {
        if (node.nodeType === Node.TEXT_NODE) {
            if (node.textContent.trim()) found.push([node.parentElement?.tagName.toUpperCase() ?? "ROOT", node.textContent]);
            return;
        }
        if (node.nodeType === Node.ELEMENT_NODE) {
            if (hidden.has(node.tagName.toUpperCase()) || node.matches(SKIPPED)) return;
            for (const name of names) if (node.getAttribute(name)) found.push([name, node.getAttribute(name)]);
            if (node.shadowRoot) walk(node.shadowRoot);
        }
        for (const child of node.childNodes) walk(child);
    };
    walk(document.body);
    return found;
}"""
# Streamlit's own words (its menu, the uploader's and the sliders' parts), its icons, and what no language translates:
# the facts of a card as training wrote them, formulas.
SKIPPED = ", ".join(
    [
        "[data-testid=stStatusWidget]",
        "[data-testid=stMainMenu]",
        "[data-testid=stAppDeployButton]",
        "[data-testid=stToolbar] [role=menu]",
        "[data-testid=stFileUploaderDropzone]",
        "[data-testid=stIconMaterial]",
        "[data-testid=stExpanderIcon]",
        "[data-testid=stLogo]",
        "[data-testid=stElementToolbar]",
        ".dc-toolbar",  # of the canvas, which nobody sees
        ".katex",
        "[data-verbatim]",
    ]
)
STREAMLIT = {"Skip to main content", "Logo", "App pages", "Navigate to home page"}
LETTERS = re.compile(r"[^\W\d_]{2,}")
# Names, of languages by themselves too, and formulas.
KNOWN = re.compile(
    r"Help for|English|Deutsch|softmax|squash|MNIST|UNIPEN|CapsNet|PNG|GIF|JSON|Adam|arXiv|PyTorch|SHA|cpu|cuda|px|log|ln|Eq"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = pseudo.write(tmp_path_factory.mktemp("texts"))
    with serve("app.py", CAPSVIZ_TEXTS=str(folder)) as url:
        yield url


def unmarked(page: Page) -> list[str]:
    """What stands on the page outside of the marks, and is no number, name or formula."""
    left, depth = [], 0
    for where, text in page.evaluate(WORDS.replace("SKIPPED", repr(SKIPPED))):
        # A text with a strong word in it is several nodes: it opens in one and closes in another.
        inside = depth if where.isupper() else 0
        plain = ""
        for letter in text:
            inside += (letter == pseudo.OPEN) - (letter == pseudo.CLOSE)
            plain += letter if not inside and letter != pseudo.CLOSE else " "
        if where.isupper():
            depth = inside
        if LETTERS.search(KNOWN.sub("", plain)) and text not in STREAMLIT:
            left.append(f"{where}: {' '.join(text.split())[:80]}")
    return left


@pytest.mark.parametrize("path", PATHS)
def test_every_word_is_from_the_file_of_texts_and_twice_as_long_they_fit(
    browser: Browser, address: str, path: str
) -> None:
    with opened(browser, address, f"{path}?lang={pseudo.CODE}") as page:
        assert pseudo.OPEN in page.locator("h1").inner_text()
        assert unmarked(page) == []
        for width, height in ((1366, 768), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            still(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_list_of_languages_has_the_whole_page_speak_another(browser: Browser, address: str) -> None:
    """What has been drawn already too: the pad, the live view; the next page; numbers, and what is read out."""
    with opened(browser, address, "routing") as page:
        assert page.evaluate("document.documentElement.lang") == "en"
        choose(page, "Deutsch")
        expect(page.locator("h1")).to_have_text("Warum hat diese Kapsel gewonnen?")
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page).to_have_url(re.compile("lang=de"))
        expect(page.get_by_test_id("length")).to_have_text(re.compile(r"^0,\d\d$"))
        expect(page.get_by_role("img", name=re.compile("^Primärkapseln über der Zeichnung"))).to_be_visible()
        expect(page.get_by_role("button", name=re.compile(r"^Ziffernkapsel 2, Länge 0,\d\d"))).to_be_visible()
        expect(page.locator("canvas[aria-label^='Zeichenfläche: eine Ziffer mit Maus']")).to_be_visible()
        page.get_by_role("link", name="Pose").first.click()
        expect(page.locator("h1")).to_have_text("Was bedeuten die sechzehn Zahlen?")
        page.reload()
        expect(page.locator("h1")).to_have_text("Was bedeuten die sechzehn Zahlen?")
        choose(page, "English")
        expect(page.locator("h1")).to_have_text("What do the sixteen numbers mean?")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page).to_have_url(re.compile("lang=en"))


def choose(page: Page, name: str) -> None:
    """With the keyboard alone."""
    page.locator(".st-key-languages button").press("Enter")
    page.get_by_role("menuitem", name=re.compile(f"{name}$")).press("Enter")


def test_a_link_s_language_stays_from_page_to_page(browser: Browser, address: str) -> None:
    with opened(browser, address, f"?lang={pseudo.CODE}") as page:
        page.get_by_role("link", name="Pose").first.click()
        page.locator("h1", has_text="sixteen").wait_for()
        expect(page).to_have_url(
            re.compile(f"lang={pseudo.CODE}")
        )  # the script writes it once the page has come
        assert pseudo.OPEN in page.locator("h1").inner_text()
