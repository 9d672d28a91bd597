"""Export by hand in Chromium: the menu of each page, and files that hold what is on it."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from capsviz.models.model import Model
from tests.e2e.looking import failing_no_script, opened


def taken(page: Page, kind: str, thing: str = "page") -> bytes:
    """A file of the menu, which is open."""
    with page.expect_download(timeout=60_000) as coming:
        page.locator(f'[data-thing="{thing}"][data-kind="{kind.lower()}"]').click()
    expect(page.get_by_test_id("exported")).to_contain_text(coming.value.suggested_filename)
    return Path(coming.value.path()).read_bytes()


def test_the_files_of_a_page_hold_what_it_shows(browser: Browser, url: str, model: Model) -> None:
    with opened(browser, url, "routing?R=4") as page, failing_no_script(page):
        button = page.get_by_role("button", name="Export", exact=True)
        button.click()
        menu = page.get_by_role("dialog", name="Take this page along")
        files = menu.locator("[data-kind]").all_inner_texts()
        assert [kind for kind in files if kind != "MP4"] == [
            "PNG",
            "SVG",
            "GIF",
            "HTML",
            "NPZ",
            "JSON",
            "CSV",
        ]
        numbers = np.load(io.BytesIO(taken(page, "NPZ")))
        assert numbers["c"].shape == (4, 1152, 10)
        np.testing.assert_allclose(numbers["c"], model.trace(numbers["image"], 4).c, rtol=0, atol=1e-6)
        said = json.loads(taken(page, "JSON"))
        assert model.sha256 in json.dumps(said)
        menu.get_by_role("radio", name="dark").check()
        picture = Image.open(io.BytesIO(taken(page, "PNG")))
        assert picture.size == (1920, 1080)
        assert np.asarray(picture.convert("L"))[:20].max() < 128
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        expect(button).to_be_focused()

        # Pose: as the sliders stand; and while the answer is covered, nothing that would tell it.
        page.get_by_role("link", name="Pose", exact=True).first.click()
        page.locator('.posing[data-busy="false"]').wait_for()
        button.click()
        with zipfile.ZipFile(io.BytesIO(taken(page, "NPZ"))) as archive:
            assert "pose.npy" in archive.namelist()
        page.get_by_test_id("device").click()  # beside it
        expect(menu).to_be_hidden()
        page.keyboard.press("g")
        expect(page.locator(".st-key-guessing")).to_be_visible()
        button.click()
        expect(menu).to_contain_text("Covered until you have said")
        expect(menu.locator("[data-kind]")).to_have_count(0)


def test_a_replay_is_played_without_a_server(browser: Browser, url: str, tmp_path: Path) -> None:
    with opened(browser, url, "") as page, failing_no_script(page):
        length = page.get_by_test_id("length").inner_text()
        page.get_by_role("button", name="Export", exact=True).click()
        file = tmp_path / "replay.html"
        file.write_bytes(taken(page, "HTML", "replay"))
    context = browser.new_context(offline=True, reduced_motion="reduce")
    page = context.new_page()
    with failing_no_script(page):
        page.goto(file.as_uri())
        said = page.get_by_test_id("replay-said")
        expect(said).to_have_text(f"100% of the pen’s way: 2, {length}")
        expect(page.get_by_role("button")).to_have_count(1)
        page.get_by_role("slider", name="Moment of the drawing").press("Home")
        expect(said).to_contain_text("0% of the pen’s way")
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        assert page.get_by_test_id("replay-frame").evaluate("(canvas) => canvas.width") > 300
        expect(page.locator("footer")).to_contain_text("weights")
    context.close()
