"""The Train page in Chromium: a network is trained, its ten digits form, and a checkpoint of it answers on Routing."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.e2e.looking import failing_no_script, opened
from tests.e2e.serving import serve

WHILE = 90_000  # milliseconds for what a busy machine takes its time for


def test_a_network_learns_survives_a_reload_and_answers(browser: Browser, tmp_path: Path) -> None:
    folders = {"CAPSVIZ_TRAINING_FOLDER": str(tmp_path), "CAPSVIZ_TRAINING_DATA": str(tmp_path / "none")}
    with serve("app.py", **folders) as url, opened(browser, url, "training") as page, failing_no_script(page):
        state = page.get_by_test_id("training-state")
        page.get_by_role("button", name="Start", exact=True).click(timeout=WHILE)
        expect(state).to_have_attribute("data-state", "running", timeout=WHILE)
        expect(page.locator(".cv-forming img")).to_have_count(20, timeout=WHILE)
        expect(state).to_contain_text("made-up digits: 1,000 images to train on, 200 held out")

        page.reload()
        expect(state).to_have_attribute("data-state", "running", timeout=WHILE)
        page.get_by_role("button", name="Pause").click()
        expect(state).to_have_attribute("data-state", "paused", timeout=WHILE)
        step = int(state.get_attribute("data-step") or 0)
        assert step > 0

        page.get_by_role("button", name="Open in Routing").click()
        expect(page).to_have_url(re.compile(rf"/routing.*network=live\.r\d+\.s{step}"), timeout=WHILE)
        expect(page.get_by_role("button", name=re.compile(f"made-up digits, step {step}"))).to_be_visible()
