"""The Inside page in Chromium: its numbers are the trace's, what is chosen stays chosen, and leads on."""

import re
from itertools import combinations

import numpy as np
from playwright.sync_api import Browser, expect

from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.models.model import load_model
from tests.e2e.looking import failing_no_script, opened, pixels, still
from tests.e2e.test_journey import clear

OVER = 0.8  # of a colour that lies over the drawing (inside_atlas.js)


def test_a_map_and_a_capsule_are_chosen_and_stay(browser: Browser, url: str) -> None:
    image = canvas_to_mnist(render(EXAMPLES[0].strokes, EXAMPLES[0].width))
    trace = load_model(device="cpu").trace(image)
    with opened(browser, url, "inside?map=7&scope=layer") as page, failing_no_script(page):
        view = page.locator(".inside")
        maps, reckoned = page.get_by_test_id("maps"), page.get_by_test_id("reckoned")
        expect(reckoned).to_contain_text(f"the map has {trace.features[7].max():.4f} there")
        expect(page.get_by_label("each layer")).to_be_checked()
        # By keys: one row down of 16, one to the right.
        maps.press("ArrowDown")
        maps.press("ArrowRight")
        expect(view).to_have_attribute("data-map", "24")
        expect(reckoned).to_contain_text(f"the map has {max(trace.features[24].max(), 0):.4f} there")
        page.get_by_test_id("busiest").click()
        busiest = int(trace.features.mean((1, 2)).argmax())
        expect(page.get_by_test_id("map-number")).to_have_value(str(busiest))
        # The large map: a place of it is as bright as its value on the scale of the layer.
        drawn = pixels(page.get_by_test_id("map"))[..., 0].astype(float)
        cell = drawn.shape[0] / 20
        middles = ((np.arange(20) + 0.5) * cell).astype(int)
        expected = 240 * trace.features[busiest] / trace.features.max()
        off = np.abs(drawn[np.ix_(middles, middles)] - expected) > 8
        assert off.sum() <= 1  # the one that is framed

        # The strongest capsule for the answer, as on Routing; then another type at its place.
        strongest = int(trace.share[-1, :, trace.prediction].argmax())
        expect(view).to_have_attribute("data-capsule", str(strongest))
        box = page.get_by_test_id("types").bounding_box()
        assert box is not None
        page.get_by_test_id("types").click(position={"x": box["width"] / 16, "y": box["height"] / 8})
        capsule = strongest % 36
        expect(view).to_have_attribute("data-capsule", str(capsule))
        expect(page.get_by_test_id("capsule")).to_contain_text(f"Capsule {capsule}: type 0")
        length = float(np.linalg.norm(trace.u[capsule]))
        # The large type: where no ink lies below, a place is as bright as -log(1 - |u|) on the scale of the layer.
        lengths = np.linalg.norm(trace.u, axis=1)
        said = page.get_by_test_id("outputs-say")
        low, median, high = np.floor(1e4 * np.sort(lengths)[[0, len(lengths) // 2, -1]]) / 1e4
        expect(said).to_contain_text(f"from {low:.4f} to {high:.4f}, half are above {median:.4f}.")
        expect(page.locator(".inside-type figcaption")).to_contain_text(", by −log(1 − |u|)")
        places = -np.log(1 - lengths)
        bright = 240 * OVER * (places[:36] - places.min()) / (places.max() - places.min())
        drawn = pixels(page.get_by_test_id("type"))[..., 0].astype(float)
        centre = 8.5 + 2 * np.arange(
            6
        )  # of what a row or a column sees: its 17 pixels begin 2 after the one before
        spots = (centre * drawn.shape[0] / 28).astype(int)
        bare = image[np.ix_(*[centre.astype(int)] * 2)] == 0
        seen = drawn[np.ix_(spots, spots)]
        off = np.abs(seen - bright.reshape(6, 6))[bare] > 8
        assert bare.sum() > 6
        assert off.sum() <= 1  # the one that is framed
        expect(page.locator(".microscope .u-length")).to_have_text(f"|u| = {length:.3f}")
        coupling = trace.c[-1, capsule, trace.prediction]
        row = page.get_by_test_id(f"row-{trace.prediction}")
        expect(row.locator(".value")).to_have_text(f"{coupling:.4f}")
        expect(page.get_by_test_id("size-primary")).to_contain_text("5,308,672")
        expect(page).to_have_url(re.compile(f"map={busiest}&scope=layer&capsule={capsule}"))

        page.reload()
        expect(view).to_have_attribute("data-capsule", str(capsule))
        page.get_by_role("link", name="Where the votes go").click()
        page.locator(".stage-box").wait_for()
        page.get_by_role("link", name="What each layer sees").click()
        for name, value in (("map", busiest), ("capsule", capsule), ("scope", "layer")):
            expect(view).to_have_attribute(f"data-{name}", str(value))
        # On a stage, all five pictures of the first layer, none over another.
        page.set_viewport_size({"width": 1280, "height": 720})
        page.keyboard.press("p")
        expect(page.locator(":root[data-talk-view=kernels]")).to_have_count(1)
        still(page)
        page.wait_for_timeout(300)
        boxes = []
        for name in ("kernels", "kernel", "maps", "map", "fires"):
            expect(page.get_by_test_id(name)).to_be_in_viewport(ratio=1)
            boxes.append(page.get_by_test_id(name).bounding_box())
            assert boxes[-1] is not None
            assert boxes[-1]["y"] + boxes[-1]["height"] < 720 - 24  # and a line of caption
        for one, other in combinations(boxes, 2):
            apart = [
                other[at] >= one[at] + one[size] or one[at] >= other[at] + other[size]
                for at, size in (("x", "width"), ("y", "height"))
            ]
            assert any(apart), (one, other)
        page.keyboard.press("p")
        # Of a network without capsules, a number of those that its last layer reads.
        page.goto(f"{url}/inside?network=cnn.mnist&output=81")
        expect(view).to_have_attribute("data-capsule", "81")
        page.get_by_test_id("types").press("ArrowRight")
        expect(page).to_have_url(re.compile(r"/inside\?network=cnn.mnist&output=82$"))
        page.goto(f"{url}/inside?map=3")
        expect(view).to_have_attribute("data-map", "3")
        clear(page)
        expect(page.locator(".inside-waiting")).to_contain_text("draw a digit")
        expect(page.get_by_test_id("kernels")).to_be_visible()
        expect(page.get_by_test_id("maps")).to_be_hidden()
