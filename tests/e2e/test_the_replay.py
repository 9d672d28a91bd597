"""The replay of a drawing in a browser: asked for, played to its end, scrubbed, drawn on, closed."""

import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from capsviz.inputs.examples import render
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.models.model import Model
from tests.e2e.test_journey import SEVEN, answer, clear, draw
from tests.e2e.test_the_pad import kept, strokes


def height(page: Page) -> float:
    box = page.get_by_test_id("replay").bounding_box()
    assert box is not None
    return box["height"]


def test_a_drawing_is_replayed_to_the_rail_s_answer(page: Page, model: Model, tmp_path: Path) -> None:
    page.emulate_media(reduced_motion="reduce")  # it opens at its end and stands still
    clear(page)
    draw(page, SEVEN)
    answer(page, "7")
    strokes(page, 1)
    said, slider = (
        page.get_by_test_id("replay-said"),
        page.get_by_role("slider", name="Moment of the drawing"),
    )
    expect(slider).to_have_count(0)
    page.get_by_role("button", name="Replay", exact=True).click()
    length = page.get_by_test_id("length").inner_text()
    expect(said).to_have_text(f"100% of the pen’s way: 7, {length}", timeout=60_000)  # a server's first batch
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()

    # By keys to the 30th of 63 equal parts of the way: the library's answer to the stroke, cut there and drawn by hand.
    (stroke,) = kept(page).strokes
    points = stroke.points.astype(float)
    along = np.concatenate([[0], np.hypot(*np.diff(points, axis=0).T).cumsum()])
    at = along[-1] * 30 / 63
    tip = np.rint([np.interp(at, along, points[:, axis]) for axis in (0, 1)])
    cut = [*points[along < at].tolist(), tip.tolist()]
    ink = render((tuple((x / 560, y / 560) for x, y in cut),), stroke.width / 560)
    lengths = model.trace(canvas_to_mnist(ink, "light")).lengths[-1]
    slider.focus()
    page.keyboard.press("Home")
    expect(said).to_contain_text("no digit to be made out")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    unsure = ", unsure" if lengths.max() < model.card["unsure_below"] else ""
    expected = f"48% of the pen’s way: {lengths.argmax()}, {lengths.max():.2f}{unsure}"
    expect(said).to_have_text(expected)
    expect(slider).to_have_attribute("aria-valuetext", expected)
    expect(slider).to_have_attribute("aria-valuenow", "30")

    # The moment of decision is the first from which every later one says the same as the last.
    told = slider.evaluate(
        """async (slider) => {
            const told = [];
            for (let moment = 0; moment < 64; moment += 1) {
                slider.dispatchEvent(new KeyboardEvent("keydown", { key: moment ? "ArrowRight" : "Home", bubbles: true }));
                for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
                told.push(slider.getAttribute("aria-valuetext"));
            }
            return told;
        }"""
    )
    decided = max(moment for moment, words in enumerate(told) if ": 7, " not in words) + 1
    way = told[decided].partition(" of")[0]
    read = set(re.findall(r": (\d), ", " ".join(told)))
    expect(page.get_by_test_id("replay-decision")).to_contain_text(
        "The answer never changes" if len(read) == 1 else "The answer changes"
    )
    expect(page.get_by_test_id("replay-decision")).to_have_text(
        re.compile(rf"\b{way} of the pen’s way.* it is 7, to the end\.$")
    )

    # With the mouse to the end, and there it plays from the beginning.
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    expect(page.get_by_test_id("replay").get_by_role("tooltip")).to_contain_text("%: ")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 60)
    page.mouse.up()
    expect(slider).to_have_attribute("aria-valuenow", "63")
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Pause").click()
    assert int(slider.get_attribute("aria-valuenow") or 63) < 63

    # Another stroke: what was computed is not that drawing's, and nothing is computed until somebody asks.
    before = height(page)
    draw(page, [(90, 150), (190, 150)])
    strokes(page, 2)
    expect(page.get_by_text("The drawing has changed.")).to_be_visible()
    expect(said).to_be_hidden()
    assert abs(height(page) - before) < 1
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(said).to_contain_text("100% of the pen’s way: ", timeout=60_000)
    expect(said).to_contain_text(page.get_by_test_id("length").inner_text())

    # It is there for who comes back, until it is closed; a picture has none.
    page.get_by_role("link", name="Model", exact=True).click()
    expect(page.get_by_test_id("replay")).to_have_count(0)
    page.get_by_role("link", name="Draw", exact=True).click()
    expect(said).to_contain_text("100% of the pen’s way: ")
    page.get_by_role("button", name="Close the replay").click()
    expect(said).to_be_hidden()
    Image.fromarray(255 - ink).resize((300, 300)).save(tmp_path / "picture.png")
    page.get_by_role("button", name="Image").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "picture.png")
    expect(page.get_by_text("A picture has no strokes to replay").first).to_be_visible()
    expect(page.get_by_role("button", name="Replay", exact=True)).to_have_count(0)
