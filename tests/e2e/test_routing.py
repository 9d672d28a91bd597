"""The Routing page: one clock for every view, numbers that are the trace's, and surgery."""

import base64
import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from capsviz import canvas_to_mnist
from capsviz.figures import routing_html, routing_payload
from capsviz.figures.routing import SCALES, scale_values
from capsviz.inputs.examples import EXAMPLES, Example, render
from capsviz.models.model import Model
from capsviz.traces.routing import RoutingTrace
from capsviz.traces.surgery import reroute, silence
from tests.e2e.looking import serve_scripts
from tests.e2e.serving import serve
from tests.e2e.test_journey import SEVEN, answer, choose, clear, draw


def trace_of(model: Model, name: str, iterations: int = 3) -> RoutingTrace:
    example = next(example for example in EXAMPLES if example.name == name)
    return model.trace(canvas_to_mnist(render(example.strokes, example.width), "light"), iterations)


@pytest.fixture(scope="module")
def trace(model: Model) -> RoutingTrace:
    """Of the drawing that the app opens with."""
    return trace_of(model, EXAMPLES[0].name)


@pytest.fixture
def routing(page: Page) -> Page:
    """The Routing page, reached as a person does."""
    page.get_by_role("link", name="Routing", exact=True).click()
    expect(where(page)).to_have_text("iteration 3 of 3, agreement: b")
    return page


def where(page: Page) -> Locator:
    return page.get_by_test_id("where")


def point_of(page: Page, capsule: int) -> tuple[float, float]:
    """Where on the screen the stage shows a capsule: its field's centre, and its type's slot in the cell."""
    box = page.locator("canvas.stage-picture").bounding_box()
    assert box is not None
    kind, place = divmod(capsule, 36)
    row, column = divmod(place, 6)
    side = box["height"] / 28  # of one pixel of the drawing: on a wide screen the drawing fills the height
    x = 2 * column + 7.5 + 2 * (kind % 6 + 0.5) / 6
    y = 2 * row + 7.5 + 2 * (kind // 6 + 0.5) / 6
    return box["x"] + x * side, box["y"] + y * side


def shown(value: float, digits: int = 4) -> str:
    text = f"{abs(value):.{digits}f}"
    return "−" + text if value < 0 and float(text) else text


@pytest.fixture(scope="module")
def laboratory(browser: Browser) -> Iterator[Page]:
    """An empty page with the functions of the live view in reach."""
    page = browser.new_page()
    script = """
        import { unpack } from "/browser/packing.js";
        import { deriveRouting, scaleValues } from "/browser/routing.js";
        window.lab = { unpack, deriveRouting, scaleValues };"""
    serve_scripts(page, lambda: f'<script type="module">{script}</script>')
    page.goto("http://capsviz.test/")
    page.wait_for_function("window.lab")
    page.evaluate(
        """() => {
            const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            window.load = (text) => {
                window.payload = lab.unpack(bytes(text));
                window.derived = lab.deriveRouting(window.payload);
            };
            window.farthest = (found, text) => {
                const expected = new Float32Array(bytes(text).buffer);
                if (expected.length !== found.length) return Infinity;
                return found.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at])), 0);
            };
        }"""
    )
    yield page
    page.close()


def packed(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array, np.float32).tobytes()).decode()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_what_the_browser_derives_is_the_trace(laboratory: Page, model: Model, example: Example) -> None:
    trace = trace_of(model, example.name, iterations=10)
    payload = routing_payload(trace, model.reconstructions(trace))
    laboratory.evaluate("load", base64.b64encode(payload).decode())
    for name, expected in (
        ("b", trace.b),
        ("c", trace.c),
        ("agreement", trace.agreement),
        ("share", trace.share),
    ):
        for r in range(trace.iterations):
            apart = laboratory.evaluate(f"(text) => farthest(derived.{name}[{r}], text)", packed(expected[r]))
            assert apart < 1e-4, f"{name} of iteration {r + 1}"


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("level", ["capsule", "place", "type"])
def test_the_browser_s_scales_are_python_s(
    laboratory: Page, model: Model, trace: RoutingTrace, scale: str, level: str
) -> None:
    payload = routing_payload(trace, model.reconstructions(trace))
    laboratory.evaluate("load", base64.b64encode(payload).decode())
    expected = scale_values(trace, scale, level)
    for r in range(trace.iterations):
        apart = laboratory.evaluate(
            f"(text) => farthest(lab.scaleValues(payload, derived, '{scale}', {r}, '{level}'), text)",
            packed(expected[r]),
        )
        assert apart < 1e-4


def test_plays_pauses_and_steps_back(routing: Page) -> None:
    routing.get_by_role("button", name="First step").click()
    expect(where(routing)).to_have_text("iteration 1 of 3, softmax: c")
    expect(routing.get_by_test_id("digit-2")).to_contain_text("–")  # nothing is squashed yet
    routing.get_by_role("button", name="Play").click()
    expect(where(routing)).to_have_text("iteration 1 of 3, squash: v")
    routing.get_by_role("button", name="Pause").click()
    stopped = where(routing).inner_text()
    routing.wait_for_timeout(1300)
    assert where(routing).inner_text() == stopped
    routing.get_by_role("button", name="Step back").click()
    expect(where(routing)).not_to_have_text(stopped)
    routing.get_by_label("Speed").select_option("4")
    routing.get_by_role("button", name="Play").click()
    expect(where(routing)).to_have_text("iteration 3 of 3, agreement: b")
    expect(routing.get_by_role("button", name="Play")).to_be_visible()  # at the end it stops by itself


@pytest.mark.parametrize("size", [(1920, 1080), (390, 844)])
def test_the_clock_stays_where_it_is_while_it_runs(routing: Page, size: tuple[int, int]) -> None:
    routing.set_viewport_size({"width": size[0], "height": size[1]})
    routing.keyboard.press("Home")
    places = set()
    for _ in range(6):
        routing.wait_for_timeout(350)
        box = routing.locator(".transport").bounding_box()
        assert box is not None
        places.add(round(box["y"]))
        routing.keyboard.press("ArrowRight")
    assert len(places) == 1


def test_a_clicked_capsule_is_shown_with_the_trace_s_numbers(routing: Page, trace: RoutingTrace) -> None:
    capsule = (7 * 6 + 2) * 6 + 3
    routing.mouse.click(*point_of(routing, capsule))
    expect(routing.get_by_test_id("capsule")).to_have_text(f"Capsule {capsule}: type 7, row 2, column 3")
    expect(routing.get_by_test_id("row-sum")).to_have_text("1.000")
    for digit in range(10):
        cells = routing.get_by_test_id(f"row-{digit}").locator("td")
        b, c, agreement, following = (cells.nth(column).inner_text().strip() for column in (1, 2, 3, 4))
        assert b == shown(trace.b[2, capsule, digit])
        assert c == shown(trace.c[2, capsule, digit])
        assert agreement.lstrip("+") == shown(trace.agreement[2, capsule, digit])
        assert following == shown(trace.agreement[:, capsule, digit].sum())
    assert routing.get_by_test_id("u").inner_text().split() == [shown(x, 2) for x in trace.u[capsule]]
    vote = ", ".join(shown(x, 2) for x in trace.u_hat[capsule, trace.prediction])
    expect(routing.get_by_test_id("vote")).to_have_text(f"û to {trace.prediction} = ({vote})")

    # One iteration earlier, at its softmax: what that softmax made of the b of one iteration.
    routing.get_by_test_id("film-2").click()
    expect(where(routing)).to_have_text("iteration 2 of 3, squash: v")
    row = routing.get_by_test_id(f"row-{trace.prediction}").locator("td")
    expect(row.nth(1)).to_have_text(shown(trace.b[1, capsule, trace.prediction]))
    expect(row.nth(2)).to_have_text(shown(trace.c[1, capsule, trace.prediction]))
    expect(row.nth(4)).to_have_text("–")  # the agreement of this iteration is not added yet


def test_a_digit_chosen_in_one_view_is_marked_in_all(routing: Page) -> None:
    routing.get_by_role("button", name="Map of digit 5").click()
    for marked in ("digit-5", "row-5"):
        expect(routing.get_by_test_id(marked)).to_have_class(re.compile("marked"))
    expect(routing.get_by_test_id("film-1")).to_contain_text("|v| of 5")
    expect(routing.locator(".algorithm h3")).to_contain_text("digit j = 5")
    # Pointing at another marks that one, until the pointer leaves.
    routing.get_by_test_id("row-8").hover()
    expect(routing.get_by_test_id("digit-8")).to_have_class(re.compile("marked"))
    routing.mouse.move(5, 5)
    expect(routing.get_by_test_id("digit-5")).to_have_class(re.compile("marked"))


def test_a_scale_keeps_its_ends_while_the_clock_runs(routing: Page) -> None:
    ends = routing.get_by_test_id("legend-place")
    for name in ("c − 1/10", "change since last iteration", "share of |s|"):
        routing.locator(".choice", has_text=name).click()
        # What is chosen is drawn with the screen's next frame.
        routing.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        at_the_end = ends.inner_text()
        routing.keyboard.press("Home")
        expect(where(routing)).to_have_text("iteration 1 of 3, softmax: c")
        assert ends.inner_text() == at_the_end
        routing.keyboard.press("End")
        expect(where(routing)).to_have_text("iteration 3 of 3, agreement: b")


def test_the_keyboard_alone_is_enough(routing: Page, trace: RoutingTrace) -> None:
    press = routing.keyboard.press
    press("Home")
    expect(where(routing)).to_have_text("iteration 1 of 3, softmax: c")
    for step in ("weighted sum: s", "squash: v", "agreement: b"):
        press("ArrowRight")
        expect(where(routing)).to_have_text(f"iteration 1 of 3, {step}")
    press("ArrowLeft")
    press("ArrowLeft")
    expect(where(routing)).to_have_text("iteration 1 of 3, weighted sum: s")
    press(" ")
    expect(where(routing)).to_have_text("iteration 1 of 3, squash: v")
    press(" ")
    press("End")
    press("4")
    expect(routing.get_by_test_id("digit-4")).to_have_class(re.compile("marked"))
    for name, value in (("type", "31"), ("row", "5"), ("column", "0")):
        routing.get_by_label(f"Capsule {name}", exact=True).focus()
        routing.keyboard.type(value)
    expect(routing.get_by_test_id("capsule")).to_have_text("Capsule 1146: type 31, row 5, column 0")
    expect(routing.get_by_test_id("row-4").locator("td").nth(2)).to_have_text(shown(trace.c[2, 1146, 4]))

    routing.locator(".over-drawing button").first.focus()
    press("ArrowRight")
    press(" ")
    silenced = silence(trace.grid, places=(1,))
    expect_after(routing, reroute(trace.u_hat, 3, silenced=silenced).lengths)
    expect(where(routing)).to_have_text("iteration 3 of 3, agreement: b")


def expect_after(page: Page, lengths: np.ndarray) -> None:
    """Wait until surgery shows these ten lengths."""
    for digit, length in enumerate(lengths):
        digits = 5 if 0 < length < 0.001 else 3
        expect(page.get_by_test_id(f"after-{digit}")).to_have_text(f"{length:.{digits}f}")


def at_rest(target: Locator) -> FloatRect:
    """Its place once the page has done scrolling and laying out."""
    before = None
    for _ in range(50):
        if (box := target.bounding_box()) is not None and box == before:
            return box
        before = box
        target.page.wait_for_timeout(100)
    raise AssertionError(f"it never comes to rest: {before}")


def test_silencing_a_painted_region_changes_the_lengths(routing: Page, trace: RoutingTrace) -> None:
    expect_after(routing, trace.lengths[-1])
    grid = routing.locator(".over-drawing")
    cells = grid.locator("button")
    cells.nth(14).scroll_into_view_if_needed()
    first, last = (at_rest(cells.nth(place)) for place in (14, 16))
    routing.mouse.move(first["x"] + 5, first["y"] + 5)
    routing.mouse.down()
    routing.mouse.move(last["x"] + 5, last["y"] + 5, steps=12)
    routing.mouse.up()
    after = reroute(trace.u_hat, 3, silenced=silence(trace.grid, places=(14, 15, 16)))
    expect_after(routing, after.lengths)
    assert not np.allclose(after.lengths, trace.lengths[-1], atol=1e-3)
    routing.get_by_role("button", name="Undo all surgery").click()
    expect_after(routing, trace.lengths[-1])


def test_every_experiment_answers_with_what_the_library_computes(
    routing: Page, model: Model, trace: RoutingTrace
) -> None:
    surgery = routing.locator(".surgery")
    verdict = routing.get_by_test_id("verdict")

    surgery.locator(".choice", has_text="c uniform").click()
    expect_after(routing, trace.lengths[0])
    expect(verdict).to_contain_text("Still 2")

    surgery.locator(".choice", has_text="wrong axis").click()
    expect_after(routing, reroute(trace.u_hat, 3, "children").lengths)
    expect(routing.get_by_test_id("row-sums")).to_contain_text("0.009")

    surgery.locator(".choice", has_text="c random").click()
    expect_after(routing, reroute(trace.u_hat, 3, "random", seed=1).lengths)
    surgery.get_by_role("button", name="draw again").click()
    expect_after(routing, reroute(trace.u_hat, 3, "random", seed=2).lengths)

    surgery.locator(".choice", has_text="b not reset").click()
    surgery.get_by_label("Drawing whose b is kept").select_option("seven")
    seven = trace_of(model, "seven")
    left = seven.b[-1] + seven.agreement[-1]
    expect_after(routing, reroute(trace.u_hat, 3, start=left).lengths)

    surgery.locator(".choice", has_text=re.compile("^routing$")).click()
    routing.get_by_label("Routing iterations of the experiment").fill("7")
    expect_after(routing, reroute(trace.u_hat, 7).lengths)


def test_a_new_drawing_moves_every_view(routing: Page) -> None:
    clear(routing)
    draw(routing, SEVEN)
    answer(routing, "7")
    expect(routing.get_by_test_id("digit-7")).to_have_class(re.compile("longest"))
    expect(routing.locator(".algorithm h3")).to_contain_text("digit j = 7")
    expect(routing.get_by_test_id("verdict")).to_contain_text("Unchanged: 7")
    length = routing.get_by_test_id("length").inner_text()
    expect(routing.get_by_test_id("digit-7")).to_contain_text(length)
    choose(routing, "zero")
    expect(routing.get_by_test_id("digit-0")).to_have_class(re.compile("longest"))


def test_ten_iterations_hold_on_every_page_and_in_the_link(routing: Page, model: Model) -> None:
    routing.get_by_label("Routing iterations R").select_option("10")
    expect(where(routing)).to_have_text("iteration 10 of 10, agreement: b")
    trace = trace_of(model, EXAMPLES[0].name, 10)
    expect(routing.get_by_test_id("film-10")).to_contain_text(f"{trace.lengths[-1].max():.3f}")
    expect(routing).to_have_url(re.compile(r"[?&]R=10\b"))
    routing.get_by_role("link", name="Draw", exact=True).click()
    expect(routing.get_by_test_id("device")).to_contain_text("R = 10")
    routing.get_by_role("link", name="Routing", exact=True).click()
    expect(where(routing)).to_have_text("iteration 10 of 10, agreement: b")


def test_a_link_opens_its_iterations_digit_and_capsule(page: Page, url: str) -> None:
    page.goto(f"{url}/routing?R=5&digit=4&capsule=412")
    expect(where(page)).to_have_text("iteration 5 of 5, agreement: b")
    expect(page.get_by_test_id("capsule")).to_contain_text("Capsule 412:")
    expect(page.get_by_test_id("digit-4")).to_have_class(re.compile("marked"))
    page.get_by_test_id("digit-6").click()
    expect(page).to_have_url(re.compile("digit=6"))
    page.reload()
    expect(page.get_by_test_id("digit-6")).to_have_class(re.compile("marked"))
    expect(page.get_by_test_id("capsule")).to_contain_text("Capsule 412:")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("R=0", "from 1 to 10"),
        ("R=eleven", "from 1 to 10"),
        ("capsule=1152", "counted from 0 to 1151"),
        ("digit=-1", "counted from 0 to 9"),
    ],
)
def test_a_link_that_asks_for_what_is_not_there_says_so(
    page: Page, url: str, query: str, sentence: str
) -> None:
    page.goto(f"{url}/routing?{query}")
    expect(page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
    expect(where(page)).to_have_text("iteration 3 of 3, agreement: b")


def test_impossible_messages_are_answered_with_one_sentence_and_the_next_good_one_works(
    routing: Page, trace: RoutingTrace
) -> None:
    rounds = routing.get_by_label("Routing iterations R")
    rounds.evaluate("(select) => select.append(new Option('2000'))")
    rounds.select_option("2000")
    expect(routing.get_by_role("alert").filter(has_text="from 1 to 10, not “2000”")).to_be_visible()
    expect(where(routing)).to_have_text("iteration 3 of 3, agreement: b")

    experiment = routing.get_by_label("Routing iterations of the experiment")
    experiment.evaluate("(input) => { input.max = 5000; }")
    experiment.fill("2000")
    expect(routing.get_by_test_id("verdict")).to_contain_text("from 1 to 50, not “2000”")
    experiment.fill("5")
    expect_after(routing, reroute(trace.u_hat, 5).lengths)
    rounds.select_option("4")
    expect(where(routing)).to_have_text("iteration 4 of 4, agreement: b")
    expect(routing.get_by_role("alert").filter(has_text="2000")).to_have_count(0)


def test_an_experiment_outlasts_its_page_and_goes_on_with_the_next_drawing(
    routing: Page, model: Model, trace: RoutingTrace
) -> None:
    routing.locator(".surgery .choice", has_text="wrong axis").click()
    expect_after(routing, reroute(trace.u_hat, 3, "children").lengths)
    routing.get_by_role("link", name="Draw", exact=True).click()
    expect(where(routing)).to_have_count(0)
    routing.get_by_role("link", name="Routing", exact=True).click()
    expect_after(routing, reroute(trace.u_hat, 3, "children").lengths)
    choose(routing, "zero")
    expect_after(routing, reroute(trace_of(model, "zero").u_hat, 3, "children").lengths)
    routing.get_by_role("button", name="Undo all surgery").click()
    expect_after(routing, trace_of(model, "zero").lengths[-1])


def test_the_step_is_in_the_link_and_stays_for_the_next_drawing(routing: Page, model: Model) -> None:
    routing.get_by_test_id("film-2").click()
    expect(routing).to_have_url(re.compile(r"[?&]step=6\b"))
    choose(routing, "zero")
    expect(routing.get_by_test_id("digit-0")).to_have_class(re.compile("longest"))
    expect(where(routing)).to_have_text("iteration 2 of 3, squash: v")
    # W has come by now: the votes are made of it in the browser, and are those of the network.
    zero = trace_of(model, "zero")
    capsule = int(zero.share[-1, :, 0].argmax())
    vote = ", ".join(shown(x, 2) for x in zero.u_hat[capsule, 0])
    expect(routing.get_by_test_id("vote")).to_have_text(f"û to 0 = ({vote})")
    routing.reload()
    expect(where(routing)).to_have_text("iteration 2 of 3, squash: v")


@pytest.mark.parametrize("size", [(1366, 768), (1280, 720), (1180, 820), (1024, 768)])
def test_the_stage_its_clock_and_the_algorithm_are_seen_without_scrolling(
    routing: Page, size: tuple[int, int]
) -> None:
    routing.set_viewport_size({"width": size[0], "height": size[1]})
    routing.wait_for_timeout(1000)
    boxes = {}
    for name in (".stage-box", ".bar[role=toolbar]", ".algorithm", ".routing", ".microscope table"):
        box = routing.locator(name).bounding_box()
        assert box is not None
        boxes[name] = box
    stage, bar, algorithm = boxes[".stage-box"], boxes[".bar[role=toolbar]"], boxes[".algorithm"]
    assert stage["y"] + stage["height"] <= bar["y"] + 1
    assert bar["y"] + bar["height"] <= size[1] + 1
    assert algorithm["x"] >= stage["x"] + stage["width"]
    assert algorithm["y"] < stage["y"] + 20
    whole = boxes[".routing"]
    for box in boxes.values():
        assert box["x"] + box["width"] <= whole["x"] + whole["width"] + 1


def test_at_150_percent_the_player_leaves_room_for_what_it_plays(routing: Page) -> None:
    routing.set_viewport_size({"width": 911, "height": 512})
    routing.wait_for_timeout(300)
    box = routing.get_by_role("toolbar").bounding_box()
    assert box is not None
    assert box["height"] <= 80


def test_a_blank_canvas_and_back(routing: Page) -> None:
    clear(routing)
    expect(where(routing)).to_have_count(0)
    routing.get_by_role("button", name="Undo").click()
    expect(where(routing)).to_have_text("iteration 3 of 3, agreement: b")
    routing.keyboard.press("Home")
    expect(where(routing)).to_have_text("iteration 1 of 3, softmax: c")


def test_without_motion_a_step_is_there_at_once(browser: Browser, model: Model, trace: RoutingTrace) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.set_content(routing_html(trace, model.reconstructions(trace)))
    page.keyboard.press("Home")
    expect(where(page)).to_have_text("iteration 1 of 3, softmax: c")
    seen = page.evaluate(
        """() => new Promise((done) => {
            const digit = document.querySelector('[data-testid="digit-2"] .value');
            const values = new Set();
            document.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
            document.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
            let frames = 0;
            const look = () => {
                values.add(digit.textContent);
                if (++frames < 30) requestAnimationFrame(look);
                else done([...values]);
            };
            requestAnimationFrame(look);
        })"""
    )
    assert set(seen) <= {"–", f"{trace.lengths[0, 2]:.2f}"}
    context.close()


def test_a_link_to_a_page_may_be_the_first_thing_a_server_is_asked_for(browser: Browser) -> None:
    with serve("app.py") as fresh:
        page = browser.new_page()
        page.goto(f"{fresh}/routing?digit=3")
        expect(where(page)).to_have_text("iteration 3 of 3, agreement: b", timeout=30_000)
        expect(page.get_by_test_id("digit-3")).to_have_class(re.compile("marked"))
        expect(page.get_by_role("link", name="Model", exact=True)).to_be_visible()
        page.close()
