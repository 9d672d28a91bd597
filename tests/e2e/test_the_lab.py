"""The Lab page in Chromium: a claim is run, and kept for whoever comes next."""

import re

from PIL import Image
from playwright.sync_api import Browser, expect

from tests.e2e.looking import failing_no_script, opened


def test_an_experiment_runs_and_stays_for_others(browser: Browser, url: str) -> None:
    with opened(browser, url, "model") as page, failing_no_script(page):
        page.get_by_role("link", name="What capsules do not do").click()
        run = page.locator(".st-key-lab_run_polarises button")
        found = page.get_by_test_id("found-polarises")
        run.press("Enter")
        expect(found).to_contain_text(re.compile(r"entropy of c is 99\.\d% .*after 3 iterations"))
        expect(found.locator(".cv-verdict[data-outcome=yes]")).to_contain_text(
            re.compile(r"^Borne out here .*after 50 iterations.*: −5\d\.\d% \(.*below 0%")
        )
        expect(page.locator(".st-key-claim_polarises .stPlotlyChart")).to_have_count(1)
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as taken:
            page.locator("button[data-thing=polarises][data-kind=png]").click()
        assert taken.value.suggested_filename == "capsviz-lab-polarises-dynamic.mnist.png"
        with Image.open(taken.value.path()) as picture:
            assert picture.size == (1920, 1080)
        page.keyboard.press("Escape")
        page.keyboard.press("p")  # the verdict and its chart, and nothing else
        expect(page.get_by_test_id("found-polarises")).to_be_hidden()
        page.goto(f"{url}/lab?present=polarises")
        expect(page.locator(".st-key-claim_polarises .cv-verdict")).to_be_in_viewport(ratio=1)
        expect(page.locator(".st-key-claim_polarises .main-svg").first).to_be_in_viewport(ratio=1)
        expect(page.locator(".st-key-claim_fewAnswers")).to_be_hidden()
    with opened(browser, url, "model") as page:  # another session
        page.get_by_role("link", name="What capsules do not do").click()
        expect(page.get_by_test_id("found-polarises")).to_be_visible()
        lit = """(links) => links.filter((one) => getComputedStyle(one.querySelector("p")).fontWeight === "600")
            .map((one) => one.textContent)"""
        bar = page.get_by_role("navigation").get_by_role("link")
        assert bar.evaluate_all(lit) == ["Model"]  # to which it belongs
        page.get_by_role("link", name="Change a drawing").click()
        expect(page.get_by_test_id("compare")).to_be_visible()
        assert bar.evaluate_all(lit) == ["Model"]
        bar.filter(has_text="Draw").click()
        expect(page.locator(".cv-strip")).to_be_visible()
        assert bar.evaluate_all(lit) == ["Draw"]
