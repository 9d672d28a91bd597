"""The Training page in Chromium: a network learns, waits, is left and found again, and a checkpoint of it answers."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.looking import failing_no_script, opened

WHILE = 60_000  # milliseconds for what a busy machine takes its time for

# JavaScript, true once the form has as much above as below it.
CENTRED = """() => {
  const box = document.querySelector(".st-key-training").getBoundingClientRect();
  return Math.abs(box.top - (768 - box.bottom)) < 30;
}"""
# JavaScript, true once both charts are as wide as a stage, the titles of their axes on it, and the names above the curves.
WHOLE = """() => {
  const boxes = (name) =>
    [...document.querySelectorAll(`.stPlotlyChart ${name}`)].map((node) => node.getBoundingClientRect());
  const [titles, charts, names] = [boxes(".xtitle"), boxes(".nsewdrag"), boxes(".legend")];
  return (
    titles.length === 2 &&
    charts.length === 2 &&
    names.length === 2 &&
    names.every((box, chart) => box.height > 0 && box.bottom <= charts[chart].top) &&
    titles.every((box) => box.width > 0 && box.right < 1366 && box.bottom < 768) &&
    charts.every((box) => box.width > 0.8 * 1366 && box.width < 1366)
  );
}"""
# JavaScript: how much larger a stage is than a desk, and the least it may be.
SIZES = """() => ["--stage", "--stage-least"].map(
  (name) => parseFloat(getComputedStyle(document.documentElement).getPropertyValue(name))
)"""


@pytest.mark.usefixtures("untrained")
def test_a_network_learns_waits_and_answers_from_a_checkpoint(browser: Browser, url: str) -> None:
    with (
        opened(browser, url, "training?training=attention_types.4_rate.0.001") as page,
        failing_no_script(page),
    ):
        state, button = page.get_by_test_id("training-state"), page.get_by_role
        expect(page.get_by_role("slider", name="Capsule types")).to_have_attribute("aria-valuetext", "4")
        # On a stage, what is not yet a view stands in the middle.
        page.keyboard.press("p")
        page.wait_for_function(CENTRED)
        page.keyboard.press("p")
        button("button", name=re.compile("^Start")).press("Enter")
        expect(state).to_have_attribute("data-state", "running", timeout=WHILE)
        expect(page.locator(".cv-forming img")).to_have_count(
            4, timeout=WHILE
        )  # two classes, seen and drawn again
        expect(state).to_contain_text(
            re.compile(r"bars, 56 to train on.* of 8 held-out images misread: .*95% interval", re.S)
        )
        expect(state).to_contain_text("Reads your drawing: CapsNet, dynamic routing, digits")
        expect(page.locator(".st-key-training_losses .js-line").first).to_be_visible()
        expect(page).to_have_url(re.compile("training=attention_types.4_rate.0.001"))
        button("button", name="Pause").press("Enter")
        expect(state).to_have_attribute("data-state", "paused", timeout=WHILE)
        step = int(state.get_attribute("data-step") or 0)
        assert step > 0

        page.get_by_role("link", name="Every network in numbers").click()
        page.locator(".cv-headline").wait_for()
        page.get_by_role("link", name="Watch one learn").click()
        expect(state).to_have_attribute("data-step", str(step))
        back = page.get_by_role("slider", name="Step back")
        back.press("ArrowLeft")
        expect(button("button", name="Go on from here")).to_be_visible()
        first = page.locator(".cv-filters img").get_attribute("alt")
        assert first
        chosen = re.search(r"after ([\d,]+) steps", first)
        assert chosen
        assert 0 < int(chosen[1].replace(",", "")) <= step
        looked = re.compile(rf"checkpoint=r\d+\.s{chosen[1].replace(',', '')}\b")
        expect(page).to_have_url(looked)
        page.reload()
        expect(button("button", name="Go on from here")).to_be_visible(timeout=WHILE)
        assert page.locator(".cv-filters img").get_attribute("alt") == first
        expect(page).to_have_url(looked)

        button("button", name="Open in Routing").click()
        name = rf"network=live\.r\d+\.s{chosen[1].replace(',', '')}\b"
        expect(page).to_have_url(re.compile(f"/routing.*{name}"), timeout=WHILE)
        page.locator(".attention canvas").first.wait_for()
        page.get_by_role("link", name="Pose", exact=True).first.click()
        page.locator('.posing[data-busy="false"]').wait_for()
        expect(page).to_have_url(re.compile(f"/pose.*{name}"))

        page.goto(f"{url}/training")
        button("button", name="End", exact=True).press("Enter")
        expect(state).to_have_attribute("data-state", "ended", timeout=WHILE)
        expect(page.get_by_text("Ended")).to_have_count(1)
        button("button", name="Read my drawing").click()
        expect(state).to_contain_text("Reads your drawing: this one, at step")
        expect(page).to_have_url(re.compile(r"/training.*network=live\.r"))
        expect(button("button", name="Go on", exact=True)).to_be_visible()
        losses = (
            page.locator(".st-key-training_curves details")
            .first.locator("tbody tr td:nth-child(2)")
            .all_text_contents()
        )
        assert float(losses[-1]) < 0.5 * float(losses[0])

        # On a stage, both charts are seen whole.
        page.goto(f"{url}/training?present=curves&lang=de")
        page.wait_for_function(WHOLE)
        # Nor is their type as large as their headings alone could be: drawn in what that leaves, they stayed small.
        page.add_style_tag(content=".stElementContainer:has(.stPlotlyChart) { display: none !important }")
        page.wait_for_timeout(1000)
        sizes = page.evaluate(SIZES)
        assert sizes[0] == sizes[1] > 1
