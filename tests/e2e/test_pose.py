"""The Pose page: a decoder in the browser that draws what PyTorch's does, and sliders that it follows."""

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from capsviz import canvas_to_mnist
from capsviz.figures import decoder_payload
from capsviz.inputs.examples import EXAMPLES, Example, render
from capsviz.measures.poses import load_poses
from capsviz.measures.sweeps import sweep
from capsviz.models.model import Model
from capsviz.traces.routing import RoutingTrace
from tests.e2e.native import ADDRESS, importing, offer
from tests.e2e.serving import serve
from tests.e2e.test_journey import SEVEN, answer, choose, clear, draw

LEVEL = 1 / 255


def trace_of(model: Model, example: Example) -> RoutingTrace:
    return model.trace(canvas_to_mnist(render(example.strokes, example.width), "light"))


@pytest.fixture(scope="module")
def trace(model: Model) -> RoutingTrace:
    """Of the drawing that the app opens with."""
    return trace_of(model, EXAMPLES[0])


@pytest.fixture
def pose(page: Page) -> Page:
    """The Pose page, reached as a person does, all of it drawn."""
    page.get_by_role("link", name="Pose", exact=True).click()
    settled(page)
    return page


def settled(page: Page) -> None:
    """Until the decoder has come and every picture is drawn."""
    expect(page.locator('.posing[data-busy="false"]')).to_have_count(1, timeout=30_000)


def pixels(canvas: Locator) -> np.ndarray:
    """Grey levels of a canvas, [H, W] in 0..255."""
    size, text = canvas.evaluate(
        """(canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            let grey = "";
            for (let at = 0; at < data.length; at += 4) grey += String.fromCharCode(data[at]);
            return [[height, width], btoa(grey)];
        }"""
    )
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(size).astype(int)


def clay(page: Page) -> np.ndarray:
    return pixels(page.get_by_test_id("clay"))


def slider(page: Page, dimension: int) -> Locator:
    return page.get_by_test_id(f"slider-{dimension}")


def shown(page: Page) -> np.ndarray:
    """The sixteen numbers as the sliders have them, in thousandths."""
    return np.array([float(slider(page, d).input_value()) for d in range(16)])


def values(page: Page) -> np.ndarray:
    """The sixteen numbers of the pose, exactly, as an exported file carries them."""
    pose: str = page.evaluate(
        """() => { const detail = {};
            window.dispatchEvent(new CustomEvent("capsviz-taking", { detail }));
            return detail.page.pose; }"""
    )
    return np.array([float(text) for text in pose.split(",")])


def pull(page: Page, dimension: int, share: float) -> None:
    """Set a slider's thumb, as a hand would, to a share of its track; the button stays down."""
    box = slider(page, dimension).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 9 + share * (box["width"] - 18), box["y"] + box["height"] / 2)


# --- the decoder ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def laboratory(browser: Browser, model: Model) -> Iterator[Page]:
    """An empty page with the decoder in it, unpacked from what the app sends."""
    page = browser.new_page()
    given = importing({"packing": "unpack", "decoder": "Decoder"})
    offer(page, f'<!doctype html><script type="module">{given}</script>')
    page.goto(ADDRESS)
    page.wait_for_function("window.lab")
    page.evaluate(
        """(text) => {
            const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            window.decoder = new lab.Decoder(lab.unpack(bytes(text)));
            // Largest difference to the expected images of [N, 160] inputs.
            window.farthest = ([inputs, images]) => {
                const [fed, wanted] = [inputs, images].map((text) => new Float32Array(bytes(text).buffer));
                let most = 0;
                for (let n = 0; n < fed.length / 160; n++) {
                    const drawn = decoder.decode(fed.subarray(160 * n, 160 * (n + 1)));
                    for (let p = 0; p < 784; p++) {
                        const apart = Math.abs(drawn[p] - wanted[784 * n + p]);
                        if (!(apart <= most)) most = apart;  // NaN too
                    }
                }
                return most;
            };
        }""",
        base64.b64encode(decoder_payload(model.decoder_layers(), "test")).decode(),
    )
    yield page
    page.close()


def apart(laboratory: Page, model: Model, inputs: np.ndarray) -> float:
    """How far the browser's images of inputs [N, 10, 16] are from PyTorch's at most, 0..1."""
    packed = [
        base64.b64encode(np.ascontiguousarray(array, np.float32).tobytes()).decode()
        for array in (inputs, model.decode(inputs))
    ]
    farthest: float = laboratory.evaluate("(both) => farthest(both)", packed)
    return farthest


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_browser_decodes_every_capsule_of_a_preset_as_pytorch_does(
    laboratory: Page, model: Model, example: Example
) -> None:
    v = trace_of(model, example).v[-1]
    masked = v * np.eye(10, dtype=np.float32)[:, :, None]
    assert apart(laboratory, model, np.concatenate([masked, v[None]])) <= LEVEL


def test_the_browser_decodes_random_poses_as_pytorch_does(laboratory: Page, model: Model) -> None:
    rng = np.random.default_rng(0)
    poses = rng.normal(0, 0.4, (200, 10, 16))
    poses[:100] *= np.eye(10)[rng.integers(10, size=100), :, None]  # half of them masked
    assert apart(laboratory, model, poses) <= LEVEL


def warning(v: np.ndarray, digit: int) -> str:
    """What the page should say of a pose v [16] of a digit."""
    components = load_poses().digits[digit].components
    beyond = [str(d) for d, known in enumerate(components) if not known.low <= v[d] <= known.high]
    where = f"{len(beyond)} dimensions" if len(beyond) > 3 else f"dimension {', '.join(beyond)}"
    return f"Outside the middle 99% of training images in {where}." if beyond else ""


# --- the page ---------------------------------------------------------------------------------------------


def test_opens_with_the_winner_s_pose_and_what_pytorch_draws_from_it(
    pose: Page, model: Model, trace: RoutingTrace
) -> None:
    digit = trace.prediction
    expect(pose.get_by_test_id("pose-status")).to_have_text(
        f"capsule {digit}, |v| = {trace.lengths[-1, digit]:.3f}"
    )
    expect(pose.get_by_test_id("pose-warning")).to_have_text(warning(trace.v[-1, digit], digit))
    np.testing.assert_allclose(values(pose), trace.v[-1, digit], atol=1e-6)
    assert np.abs(clay(pose) - 255 * model.decode(trace.v[-1, digit], digit)).max() <= 1
    # Strongest first, with the captions that were measured.
    components = load_poses().digits[digit].components
    order = sorted(range(16), key=lambda d: -components[d].strength)
    shown = pose.locator(".slider").evaluate_all(
        """(sliders) => sliders.map((node) => [node.querySelector("b").textContent,
            node.querySelector(".slider-caption").textContent.replaceAll("\\u00a0", " ")])"""
    )
    assert shown == [[str(d), components[d].caption] for d in order]
    pose.get_by_label("strongest effect first").uncheck()
    assert pose.locator(".slider b").all_inner_texts() == [str(d) for d in range(16)]


def test_the_image_follows_while_the_slider_is_dragged(pose: Page, model: Model, trace: RoutingTrace) -> None:
    digit, start = trace.prediction, clay(pose)
    first = int(pose.locator(".slider b").first.inner_text())
    pull(pose, first, 0.3)
    pose.mouse.down()
    seen = [start]
    for share in (0.4, 0.5, 0.6, 0.7, 0.8):
        pull(pose, first, share)
        pose.wait_for_timeout(60)
        moved = trace.v[-1, digit].copy()
        moved[first] = shown(pose)[first]
        assert not np.array_equal(clay(pose), seen[-1])  # the button is still down
        seen.append(clay(pose))
        assert np.abs(seen[-1] - 255 * model.decode(moved, digit)).max() <= 1
    expect(pose.get_by_test_id("pose-status")).to_contain_text(f"|v| = {np.linalg.norm(moved):.3f}")
    pose.mouse.up()
    others = np.delete(values(pose), first)
    np.testing.assert_allclose(others, np.delete(trace.v[-1, digit], first), atol=1e-6)

    high = load_poses().digits[digit].components[first].high
    pull(pose, first, 1.0)
    pose.mouse.down()
    pose.mouse.up()
    assert values(pose)[first] > high
    expect(pose.get_by_test_id("pose-warning")).to_contain_text(warning(values(pose), digit))

    slider(pose, first).dblclick()
    settled(pose)
    np.testing.assert_allclose(values(pose), trace.v[-1, digit], atol=1e-6)
    np.testing.assert_array_equal(clay(pose), start)


def test_any_capsule_can_be_decoded_and_all_of_them(pose: Page, model: Model, trace: RoutingTrace) -> None:
    v = trace.v[-1]
    pose.get_by_test_id("capsule-7").click()
    settled(pose)
    expect(pose.get_by_test_id("pose-status")).to_contain_text("capsule 7")
    expect(pose.get_by_test_id("pose-warning")).to_contain_text("Nearly 0")
    assert np.abs(clay(pose) - 255 * model.decode(v[7], 7)).max() <= 1
    pose.get_by_role("button", name="mean 7").click()
    settled(pose)
    mean = [component.mean for component in load_poses().digits[7].components]
    np.testing.assert_allclose(values(pose), mean, atol=1e-6)
    pose.get_by_role("button", name="reset all").first.click()
    pose.locator(".choice", has_text="all ten, unmasked").click()
    settled(pose)
    assert np.abs(clay(pose) - 255 * model.decode(v)).max() <= 1
    fed = pixels(pose.get_by_test_id("fed"))
    # The row of the second longest capsule, below and beside the numerals.
    second, row = int(trace.lengths[-1].argsort()[-2]), (len(fed) - 20) / 10
    row_of_second = np.s_[int(20 + second * row) + 2 : int(20 + (second + 1) * row) - 2, 40:]
    assert (fed[row_of_second] > 0).any()
    pose.locator(".choice", has_text="winner").click()
    settled(pose)
    expect(pose.get_by_test_id("capsule-2")).to_have_attribute("aria-pressed", "true")
    assert not (pixels(pose.get_by_test_id("fed"))[row_of_second] > 0).any()

    # A new drawing brings its winner, unless a digit was asked to stay.
    pose.get_by_test_id("capsule-3").click()
    choose(pose, "seven, crossed")
    expect(pose.get_by_test_id("pose-status")).to_contain_text("capsule 7")
    pose.get_by_test_id("capsule-3").click()
    pose.locator(".choice", has_text="chosen by hand").click()
    choose(pose, "nine")
    answer(pose, "9")
    expect(pose.get_by_test_id("capsule-9")).to_contain_text("0.9")
    expect(pose.get_by_test_id("pose-status")).to_contain_text("capsule 3")


def test_a_new_drawing_after_clear_brings_its_own_pose(pose: Page) -> None:
    slider(pose, 6).focus()
    pose.keyboard.press("PageUp")  # the address now has this pose
    clear(pose)
    draw(pose, SEVEN)
    answer(pose, "7")
    expect(pose.get_by_test_id("pose-status")).to_contain_text("capsule 7")
    settled(pose)
    lengths = float(pose.get_by_test_id("pose-status").inner_text().split("= ")[1])
    assert "pose=" not in pose.evaluate("location.href")
    assert np.linalg.norm(values(pose)) == pytest.approx(lengths, abs=1e-3)


def test_a_bent_pose_outlasts_a_change_of_page(pose: Page) -> None:
    slider(pose, 6).focus()
    for _ in range(3):
        pose.keyboard.press("PageUp")
    settled(pose)
    bent, image = values(pose), clay(pose)
    pose.get_by_role("link", name="Draw", exact=True).click()
    pose.locator(".cv-strip").wait_for()
    pose.get_by_role("link", name="Pose", exact=True).click()
    settled(pose)
    np.testing.assert_allclose(values(pose), bent, atol=1e-7)  # kept in single precision
    np.testing.assert_array_equal(clay(pose), image)


def test_the_sweep_grid_is_figure_4_and_its_cells_can_be_taken(
    pose: Page, model: Model, trace: RoutingTrace
) -> None:
    digit = trace.prediction
    expected = 255 * sweep(model, trace.v[-1, digit], digit)
    grid = pixels(pose.get_by_test_id("sweep"))
    for d in range(16):
        for step in range(11):
            cell = grid[30 * d + 1 : 30 * d + 29, 30 * step + 1 : 30 * step + 29]
            assert np.abs(cell - expected[d, step]).max() <= 1
    box = pose.get_by_test_id("sweep").bounding_box()
    assert box is not None
    pose.get_by_test_id("sweep").click(position={"x": 9.5 / 11 * box["width"], "y": 5.5 / 16 * box["height"]})
    settled(pose)
    assert values(pose)[5] == pytest.approx(trace.v[-1, digit, 5] + 0.2, abs=1e-5)
    assert np.abs(clay(pose) - expected[5, 9]).max() <= 1
    pose.get_by_label("Range of the sweep").fill("0.5")
    settled(pose)
    wider = 255 * sweep(model, values(pose), digit, 0.5)
    cell = pixels(pose.get_by_test_id("sweep"))[1:29, 1:29]
    assert np.abs(cell - wider[0, 0]).max() <= 1
    # The row that was clicked stays where it was: a second click on the same cell takes the same pose.
    pose.get_by_label("Range of the sweep").fill("0.25")
    taken = values(pose)
    pose.get_by_test_id("sweep").click(position={"x": 9.5 / 11 * box["width"], "y": 5.5 / 16 * box["height"]})
    settled(pose)
    np.testing.assert_allclose(values(pose), taken, atol=1e-5)


def test_what_is_kept_for_a_morph_outlasts_a_change_of_page(pose: Page) -> None:
    pose.get_by_role("button", name="keep this pose as A").click()
    choose(pose, "seven, crossed")
    expect(pose.get_by_test_id("pose-status")).to_contain_text("capsule 7")
    pose.get_by_role("link", name="Draw", exact=True).click()
    pose.locator(".cv-strip").wait_for()
    pose.get_by_role("link", name="Pose", exact=True).click()
    settled(pose)
    assert pose.locator(".morph figcaption").first.inner_text() == "A: kept, a 2"
    pose.get_by_role("button", name="let A go").click()
    assert pose.locator(".morph figcaption").first.inner_text() == "A: this pose, a 7"


def test_everything_can_be_taken_along(pose: Page, model: Model, trace: RoutingTrace) -> None:
    digit = trace.prediction
    pose.get_by_role("button", name="Export", exact=True).click()

    def taken(group: str, kind: str) -> bytes:
        with pose.expect_download(timeout=60_000) as download:
            pose.get_by_role("group", name=group).get_by_role("button", name=kind, exact=True).click()
        return Path(download.value.path()).read_bytes()

    numbers = json.loads(taken("Numbers", "JSON"))
    assert numbers["origin"]["settings"]["digit"] == digit
    np.testing.assert_allclose(numbers["pose"], trace.v[-1, digit], atol=1e-6)
    with Image.open(io.BytesIO(taken("Picture", "PNG"))) as slide:
        drawn = np.asarray(slide.convert("L")).astype(int)
    # 22 pixels for one of the network's, from (72, 232): their middles.
    assert np.abs(drawn[243 : 243 + 616 : 22, 83 : 83 + 616 : 22] - clay(pose)).max() <= 2
    chosen = int(pose.locator(".slider.selected b").inner_text())
    with Image.open(io.BytesIO(taken("Sweep of this pose", "GIF"))) as gif:
        assert gif.n_frames == 48  # there and back
        assert json.loads(gif.info["comment"])["settings"]["dimension"] == chosen
        first = np.asarray(gif.convert("L")).astype(int)
    low = 255 * model.decode(trace.v[-1, digit] - 0.25 * np.eye(16, dtype=np.float32)[chosen], digit)
    middles = np.rint((np.arange(28) + 0.5) * 22 * 2 / 3).astype(int)
    assert np.abs(first[155 + middles][:, 48 + middles] - low).mean() <= 4  # a palette's colours
    with Image.open(io.BytesIO(taken("From pose A to pose B", "GIF"))) as gif:
        assert gif.n_frames == 48


def test_picture_and_sliders_are_in_sight_as_the_page_opens(pose: Page) -> None:
    """On projectors, tablets held across, and a notebook's screen at 150 % zoom."""
    for width, height, least in ((1366, 768, 16), (1280, 720, 16), (1180, 820, 16), (911, 512, 4)):
        pose.set_viewport_size({"width": width, "height": height})
        pose.wait_for_timeout(300)
        boxes = [
            box.bounding_box() for box in (pose.get_by_test_id("clay"), *(slider(pose, d) for d in range(16)))
        ]
        inside = [box is not None and box["y"] >= 60 and box["y"] + box["height"] <= height for box in boxes]
        assert inside[0]
        assert sum(inside[1:]) >= least


# --- links and bad input ----------------------------------------------------------------------------------


def test_a_link_opens_the_same_pixels_in_a_fresh_browser(pose: Page, browser: Browser, url: str) -> None:
    choose(pose, "four, open")
    expect(pose.get_by_test_id("pose-status")).to_contain_text("capsule 4")
    pose.get_by_test_id("capsule-4").click()
    pose.locator(".choice", has_text="all ten, unmasked").click()
    settled(pose)
    slider(pose, 6).focus()
    for _ in range(3):
        pose.keyboard.press("PageUp")
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    fresh = context.new_page()
    fresh.goto(pose.url)
    settled(fresh)
    expect(fresh.get_by_test_id("pose-status")).to_contain_text("capsule 4")
    np.testing.assert_array_equal(clay(fresh), clay(pose))
    expect(fresh.locator(".notice")).to_contain_text("comes with the link")
    context.close()


def test_a_bad_link_says_so_and_shows_the_drawing_s_own_pose(
    browser: Browser, url: str, trace: RoutingTrace
) -> None:
    """The parts of a link are tried in test_pose_numbers.py."""
    page = browser.new_page()
    page.goto(f"{url}/pose?digit=x&pose={','.join(['0.1'] * 16)}")
    settled(page)
    expect(page.locator(".notice")).to_have_text(
        "The link’s digit “x” is none of 0 to 9: the drawing’s own pose is shown instead."
    )
    np.testing.assert_allclose(shown(page), trace.v[-1, trace.prediction], atol=6e-4)
    page.close()


def test_a_request_that_cannot_be_is_refused_in_words_and_the_next_one_made(pose: Page) -> None:
    pose.get_by_role("button", name="Export", exact=True).click()
    make = pose.get_by_role("group", name="Sweep of this pose").get_by_role("button", name="PNG")
    said, span = pose.get_by_test_id("exported"), pose.get_by_label("Range of the sweep")
    span.evaluate("(input) => { input.max = 99; input.value = 99; }")
    make.click()
    expect(said).to_have_text("A sweep’s range must be a number from 0.01 to 1, not “99”.")
    span.evaluate("(input) => { input.max = 0.6; input.value = 0.25; }")
    pose.evaluate("() => { window.now = Date.now; Date.now = () => '<b>' + 'x'.repeat(5000); }")
    make.click()
    expect(said).to_contain_text("The number of the request must be a whole number")
    pose.evaluate("() => { Date.now = now; }")
    with pose.expect_download():
        make.click()
    pose.keyboard.press("Escape")
    choose(pose, "nine")
    answer(pose, "9")
    expect(pose.get_by_test_id("pose-status")).to_contain_text("capsule 9")


def test_on_a_slow_line_the_drawing_s_own_picture_is_there_first(
    browser: Browser, url: str, model: Model, trace: RoutingTrace
) -> None:
    page = browser.new_page()
    held: list[Route] = []  # of the decoder
    page.route("**/assets/decoder.*", lambda route: held.append(route))
    page.goto(f"{url}/pose")
    expect(page.get_by_test_id("pose-warning")).to_contain_text("on its way", timeout=30_000)
    while not held:
        page.wait_for_timeout(100)
    expect(page.get_by_test_id("pose-status")).to_contain_text("capsule 2, |v| = 0.9")
    drawn = 255 * model.reconstructions(trace)[-1, trace.prediction]
    assert np.abs(clay(page) - drawn).max() <= 1
    assert page.locator(".slider").count() == 16
    assert len(held) == 1
    held[0].continue_()
    settled(page)
    assert page.locator(".waiting").count() == 0
    page.close()


def test_a_finger_moves_a_slider_and_not_the_page(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{url}/pose")
    settled(page)
    thumb = page.locator(".slider input").nth(3)
    thumb.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    scrolled = "document.querySelector('.stMain').scrollTop"
    before, place, box = clay(page), page.evaluate(scrolled), thumb.bounding_box()
    assert box is not None
    touch = context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
    for kind, points in [
        ("touchStart", [(x, y)]),
        *(("touchMove", [(x + 10 * n, y - 8 * n)]) for n in range(1, 8)),
        ("touchEnd", []),
    ]:
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": px, "y": py} for px, py in points]},
        )
        page.wait_for_timeout(30)
    settled(page)
    assert page.evaluate(scrolled) == place
    assert not np.array_equal(clay(page), before)
    # The digit is in sight above the sliders.
    seen = page.get_by_test_id("clay").bounding_box()
    assert seen is not None
    assert 0 < seen["y"] < box["y"]
    context.close()


def test_without_the_decoder_streamlit_s_sliders_do_it(browser: Browser, url: str) -> None:
    """A browser that never gets the weights: here, because what they arrive with is broken."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'capsvizDecoder', { get: () => undefined, set: () => {} });"
    )
    page.clock.install()
    page.goto(f"{url}/pose")
    expect(page.get_by_test_id("pose-status")).to_be_attached(timeout=30_000)
    page.clock.run_for(70_000)
    expect(page.get_by_text("This browser cannot decode by itself")).to_be_visible(timeout=30_000)
    expect(page.get_by_text(re.compile(r"capsule 2, \|v\| = 0\.9"))).to_be_visible()
    expect(page.get_by_role("slider")).to_have_count(17)  # sixteen and the stroke's width
    context.close()


def test_a_link_to_the_page_may_be_the_first_thing_a_server_is_asked_for(browser: Browser) -> None:
    with serve("app.py") as fresh:
        page = browser.new_page()
        page.goto(f"{fresh}/pose?digit=3")
        settled(page)
        expect(page.get_by_test_id("pose-status")).to_contain_text("capsule 3")
        page.close()
