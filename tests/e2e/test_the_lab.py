"""The Lab page in Chromium: a claim is run beside a live app, stopped, run through, and kept for whoever comes next."""

import re

from playwright.sync_api import Browser, expect

from tests.e2e.looking import failing_no_script, opened


def test_an_experiment_runs_beside_the_app_and_stays(browser: Browser, url: str) -> None:
    with opened(browser, url, "model") as page, failing_no_script(page):
        page.get_by_role("link", name="What capsules do not do").click()
        run = page.locator(".st-key-lab_run_polarises button")
        found = page.get_by_test_id("found-polarises")
        expect(run).to_have_text(re.compile("Run it here"))
        expect(found).to_have_count(0)

        run.press("Enter")
        stop = page.locator(".st-key-lab_stop_polarises button")
        expect(page.get_by_text(re.compile(r"^\d+% done$"))).to_be_visible()
        expect(page.locator(".st-key-lab_run_price button")).to_be_disabled()
        stop.click()
        expect(run).to_be_enabled()
        expect(found).to_have_count(0)

        run.click()
        # What else there is goes on meanwhile: another drawing is answered.
        page.get_by_role("button", name="Clear").click()
        expect(page.locator(".st-key-lab_stop_polarises")).to_be_visible()
        expect(found).to_contain_text(re.compile(r"entropy of c is 99\.\d% .*after 3 iterations"))
        expect(page.locator(".stPlotlyChart")).to_have_count(1)
    with opened(browser, url, "lab") as page:  # another session
        expect(page.get_by_test_id("found-polarises")).to_be_visible()
        page.get_by_role("link", name="Change a drawing").click()
        expect(page.get_by_test_id("compare")).to_be_visible()
