"""The surgery view shows what it is given, and asks for what is clicked, painted or typed; no server is needed."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from capsviz.app.experiments import Operation
from capsviz.figures import surgery_payload, theme
from capsviz.figures.bundle import browser_assets
from capsviz.traces.routing import RoutingTrace
from capsviz.traces.surgery import Routing
from tests.e2e.looking import serve_scripts, without_errors
from tests.e2e.test_routing_numbers import made_up, on_black, shown, signed


@pytest.fixture(scope="module")
def trace() -> RoutingTrace:
    return made_up()


def document() -> str:
    _, style = browser_assets("surgery", "surgery")
    return f"""<!doctype html><meta charset="utf-8"><style>{style}</style><div id="root"></div>
        <script type="module">
        import {{ Surgery }} from "/browser/surgery.js";
        import {{ speak }} from "/browser/texts.js";
        window.open_view = () => {{
            window.view?.unmount();
            window.view?.element.remove();
            window.sent = [];
            window.view = undefined;
        }};
        window.load = (data) => {{
            speak(data.texts);
            window.view ??= new Surgery(document.getElementById("root"), data, (...what) => sent.push(what));
            view.load(data);
        }};
        </script>"""


@pytest.fixture(scope="module")
def opened(browser: Browser) -> Iterator[Page]:
    with without_errors(browser.new_page(viewport={"width": 1300, "height": 900})) as page:
        serve_scripts(page, document)
        page.goto("http://capsviz.test/")
        page.wait_for_function("Boolean(window.open_view)")
        yield page


@pytest.fixture
def view(opened: Page) -> Page:
    opened.mouse.move(0, 0)
    opened.evaluate("open_view()")
    return opened


def answer(trace: RoutingTrace, lengths: Any = None, rows: Any = None, **fields: Any) -> dict[str, Any]:
    """What Python answers: an operation after which the ten digit capsules have these lengths."""
    lengths = trace.lengths[-1] if lengths is None else np.asarray(lengths, float)
    v = np.zeros((2, 10, 16), np.float32)
    v[1, :, 3] = lengths
    c = np.full((2, 1152, 10), 0.1, np.float32)
    if rows is not None:
        c[1, :576], c[1, 576:] = rows[0] / 10, rows[1] / 10
    after = Routing(b=np.zeros_like(c), c=c, s=v, v=v)
    drawing = np.linspace(0, 1, 784).reshape(28, 28)
    data = surgery_payload(trace, drawing, after, drawing[::-1])
    data["after"]["lengths"] = [float(length) for length in lengths]  # 0.1 itself, not the nearest single
    operation = Operation(**fields)
    return data | {"operation": asdict(operation), "problem": "", "examples": ["two", "seven"]}


def load(page: Page, data: dict[str, Any]) -> None:
    page.evaluate("(data) => load(data)", data)


def last_sent(page: Page) -> dict[str, Any]:
    (name, operation) = page.evaluate("sent.at(-1)")
    assert name == "operation"
    assert isinstance(operation, dict)
    return operation


def test_bars_stand_for_the_lengths_before_and_after(view: Page, trace: RoutingTrace) -> None:
    lengths = np.array([0.0004, 0.31, 0.02, 0.87, 0.5, 0.0011, 0, 0.6, 0.25, 0.1])
    load(view, answer(trace, lengths))
    for digit, length in enumerate(lengths):
        before = trace.lengths[-1, digit]
        row = view.locator(".paired > div").nth(digit)
        assert row.locator("b").inner_text() == str(digit)
        bar, line = row.locator(".is"), row.locator(".was")
        assert float(bar.evaluate("(bar) => parseFloat(bar.style.width)")) == pytest.approx(
            100 * length, abs=1e-3
        )
        assert float(line.evaluate("(bar) => parseFloat(bar.style.left)")) == pytest.approx(
            100 * before, abs=1e-3
        )
        colour = [int(theme.CLASS_COLOURS[digit][at : at + 2], 16) for at in (1, 3, 5)]
        assert bar.evaluate("(bar) => bar.style.background") == f"rgb({', '.join(map(str, colour))})"
        text = shown(length, 5 if 0 < length < 0.001 else 3)
        expect(view.get_by_test_id(f"after-{digit}")).to_have_text(text)
        assert ("marked" in (row.get_attribute("class") or "")) == (digit == 3)
        assert row.get_attribute("data-tip") == (
            f"length of {digit}: {shown(before)} before (line), {shown(length)} after"
        )


def test_drawings_before_and_after_stand_side_by_side(view: Page, trace: RoutingTrace) -> None:
    data = answer(trace, np.linspace(0.1, 0.9, 10))
    load(view, data)
    for index, (part, digit) in enumerate((("before", 6), ("after", 9))):
        figure = view.locator(".outcome figure").nth(index)
        assert figure.locator("b").inner_text() == part
        assert figure.locator("figcaption").inner_text() == f"by capsule {digit}"
        found = figure.locator("canvas").evaluate(
            "(canvas) => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, at) => at % 4 === 0)"
        )
        assert found == data[part]["drawing"]


@pytest.mark.parametrize(
    ("fields", "change", "verdict"),
    [
        ({}, {}, "Unchanged: 6, length {six}."),
        ({"iterations": 3}, {}, "Unchanged: 6, length {six}."),
        ({"iterations": 2}, {}, "Still 6, length {six} → {six}."),
        ({"coupling": "uniform"}, {6: 0.981}, "Still 6, length {six} → 0.981."),
        ({"types": (3,)}, {6: 0.1, 2: 0.2}, "No longer 6 ({six} → 0.100) but 2 (0.200)."),
        ({"places": (3,)}, {6: 0.005, 8: 0.0102}, "No longer 6 ({six} → 0.00500) but 8 (0.010)."),
        ({"places": (3,)}, {6: 0.099}, "Nothing is left: still 6, length {six} → 0.099."),
        ({"places": (3,)}, {6: 0.1}, "Still 6, length {six} → 0.100."),
        (
            {"places": tuple(range(36))},
            {6: 0},
            "No capsule is left to vote: every length is 0, there is no answer.",
        ),
        (
            {"types": tuple(range(32))},
            {6: 0},
            "No capsule is left to vote: every length is 0, there is no answer.",
        ),
    ],
)
def test_the_verdict_says_what_has_become_of_the_answer(
    view: Page, trace: RoutingTrace, fields: dict[str, Any], change: dict[int, float], verdict: str
) -> None:
    lengths = np.where(np.arange(10) == 6, trace.lengths[-1, 6], 0) if not change else np.zeros(10)
    for digit, length in change.items():
        lengths[digit] = length
    load(view, answer(trace, lengths, **fields))
    said = view.get_by_test_id("verdict")
    expect(said).to_have_text(verdict.format(six=shown(trace.lengths[-1, 6], 3)))
    changed = "No longer" in verdict or "No capsule" in verdict
    assert ("changed" in (said.get_attribute("class") or "")) == changed
    untouched = verdict.startswith("Unchanged")
    expect(view.get_by_role("button", name="Undo all surgery")).to_be_enabled(enabled=not untouched)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ((1, 1), "every capsule’s c sums to 1.000."),
        ((0.8684, 0.8692), "every capsule’s c sums to about 0.869."),
        ((0.9, 1.1), "a capsule’s c sums to between 0.9000 and 1.1000, not to 1."),
        ((0.99, 0.9915), "a capsule’s c sums to between 0.9900 and 0.9915, not to 1."),
    ],
)
def test_what_the_ten_coefficients_sum_to(
    view: Page, trace: RoutingTrace, rows: tuple[float, float], text: str
) -> None:
    load(view, answer(trace, rows=rows))
    expect(view.get_by_test_id("row-sums")).to_have_text(f"Over the ten digits, {text}")


def test_tints_are_the_shares_of_places_and_types(view: Page, trace: RoutingTrace) -> None:
    load(view, answer(trace))
    share = trace.share[-1, :, 6].reshape(32, 36)
    for index, (axis, count, name) in enumerate(
        ((0, 36, lambda n: f"row {n // 6}, column {n % 6}"), (1, 32, lambda n: f"type {n}"))
    ):
        shares = share.sum(axis=axis)
        buttons = view.locator(".toggles").nth(index).locator("button")
        assert buttons.count() == count
        tints = buttons.evaluate_all(
            """(buttons) => buttons.map((button) => button.style.getPropertyValue("--tint").match(/[0-9.]+/g).map(Number))"""
        )
        found = np.array(tints)
        expected = on_black(shares, np.abs(shares).max())
        np.testing.assert_allclose(found[:, :3] * found[:, 3:], expected, atol=8)
        labels = buttons.evaluate_all(
            "(buttons) => buttons.map((b) => [b.getAttribute('aria-label'), b.dataset.tip])"
        )
        assert labels == [
            [f"{name(n)}, share {signed(value, 3)}", f"{name(n)}: share of |s| before {signed(value, 3)}"]
            for n, value in enumerate(shares)
        ]


def test_each_experiment_is_asked_for_and_described(view: Page, trace: RoutingTrace) -> None:
    load(view, answer(trace))
    for number, (name, coupling, described) in enumerate(
        (
            ("c uniform", "uniform", "the same as R = 1"),
            ("c random", "random", "drawn at random"),
            ("softmax over the wrong axis", "children", "10/1152"),
            ("c frozen", "mean", "on average"),
            ("max-min", "maxmin", "arXiv:1903.09662"),
            ("b not reset", "carried", "another drawing left behind"),
        ),
        start=1,
    ):
        view.locator(".choice", has_text=name).click()
        assert last_sent(view) == {
            "coupling": coupling, "iterations": None, "seed": 1, "example": "seven", "types": [], "places": [],
            "bias": False, "number": number,
        }  # fmt: skip
        expect(view.locator(".what")).to_contain_text(described)
        kept = coupling in ("uniform", "random", "mean")
        expect(view.get_by_label("Routing iterations of the experiment")).to_be_enabled(enabled=not kept)
        expect(view.locator(".rounds output")).to_have_text(
            "no effect: c is kept" if kept else "3 iterations"
        )
        expect(view.get_by_role("button", name="draw again")).to_be_visible(visible=coupling == "random")
        expect(view.get_by_label("Drawing whose b is kept")).to_be_visible(visible=coupling == "carried")
        load(view, answer(trace, coupling=coupling, number=number))
    view.get_by_label("Drawing whose b is kept").select_option("two")
    assert last_sent(view)["example"] == "two"


def test_iterations_and_seeds_are_asked_for(view: Page, trace: RoutingTrace) -> None:
    load(view, answer(trace, number=8))
    rounds = view.get_by_label("Routing iterations of the experiment")
    expect(rounds).to_have_value("3")
    rounds.fill("1")
    assert (last_sent(view)["iterations"], last_sent(view)["number"]) == (1, 9)
    expect(view.locator(".rounds output")).to_have_text("1 iteration (uniform c)")
    load(view, answer(trace, number=9, iterations=1))
    view.locator(".choice", has_text="c random").click()
    load(view, answer(trace, number=10, iterations=1, coupling="random"))
    view.get_by_role("button", name="draw again").click()
    assert (last_sent(view)["seed"], last_sent(view)["number"]) == (2, 11)
    expect(view.locator(".extra output").first).to_have_text("seed 2")
    load(view, answer(trace, number=11, iterations=1, coupling="random", seed=2))
    view.get_by_role("button", name="Undo all surgery").click()
    assert last_sent(view) == {
        "coupling": "routing", "iterations": None, "seed": 2, "example": "seven", "types": [], "places": [],
        "bias": False, "number": 12,
    }  # fmt: skip


def test_the_latest_change_waits_for_the_answer_to_the_one_before(view: Page, trace: RoutingTrace) -> None:
    load(view, answer(trace))
    rounds = view.get_by_label("Routing iterations of the experiment")
    for value in ("4", "5", "6"):
        rounds.fill(value)
    assert [operation["iterations"] for _, operation in view.evaluate("sent")] == [4]
    load(view, answer(trace, number=0))  # of before: the drawing has changed, say
    assert len(view.evaluate("sent")) == 1
    load(view, answer(trace, number=1, iterations=4))
    assert [operation["iterations"] for _, operation in view.evaluate("sent")] == [4, 6]
    load(view, answer(trace, number=2, iterations=6))
    assert len(view.evaluate("sent")) == 2
    expect(rounds).to_have_value("6")


def test_a_region_is_silenced_by_painting_and_given_back_by_painting_again(
    view: Page, trace: RoutingTrace
) -> None:
    load(view, answer(trace))
    cells = view.locator(".over-drawing button")

    def paint(first: int, last: int) -> None:
        boxes = [cells.nth(place).bounding_box() for place in (first, last)]
        (x0, y0), (x1, y1) = [
            (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes if box is not None
        ]
        view.mouse.move(x0, y0)
        view.mouse.down()
        view.mouse.move(x1, y1, steps=15)
        view.mouse.up()

    paint(8, 10)
    view.evaluate("view.questions.asked = null; view.questions.ask()")
    assert last_sent(view)["places"] == [8, 9, 10]
    pressed = cells.evaluate_all(
        "(cells) => cells.map((cell) => cell.getAttribute('aria-pressed') === 'true')"
    )
    assert [place for place, on in enumerate(pressed) if on] == [8, 9, 10]
    view.mouse.move(0, 0)  # painting has ended
    paint(9, 27)
    view.evaluate("view.questions.asked = null; view.questions.ask()")
    assert last_sent(view)["places"] == [8, 10]


def test_silencing_by_keys_alone(view: Page, trace: RoutingTrace) -> None:
    load(view, answer(trace))
    types = view.get_by_role("group", name="Silenced by capsule type")
    types.locator("button").first.focus()
    for key in (
        "ArrowUp",
        "ArrowLeft",
        "ArrowRight",
        "ArrowDown",
        "ArrowDown",
        "ArrowDown",
        "ArrowDown",
        "ArrowLeft",
    ):
        view.keyboard.press(key)
    view.keyboard.press(" ")
    assert last_sent(view)["types"] == [24]
    view.evaluate("view.questions.asked = null")
    view.keyboard.press("ArrowUp")
    view.keyboard.press("Enter")
    assert last_sent(view)["types"] == [16, 24]
    view.evaluate("view.questions.asked = null")
    view.keyboard.press("Enter")
    assert last_sent(view)["types"] == [24]
    places = view.get_by_role("group", name="Silenced by place")
    places.locator("button").first.focus()
    for key in ("ArrowDown", "ArrowRight"):
        view.keyboard.press(key)
    view.evaluate("view.questions.asked = null")
    view.keyboard.press(" ")
    assert last_sent(view)["places"] == [7]
    assert (
        places.locator("button").evaluate_all(
            "(all) => all.map((b) => b.tabIndex).filter((t) => t === 0).length"
        )
        == 1
    )


def test_a_new_view_shows_the_operation_that_python_still_has(view: Page, trace: RoutingTrace) -> None:
    load(
        view,
        answer(trace, number=6, coupling="carried", iterations=7, example="two", types=(4,), places=(1, 2)),
    )
    assert view.locator(".choice input").evaluate_all(
        "(all) => all.filter((i) => i.checked).map((i) => i.value)"
    ) == ["carried"]
    expect(view.locator(".rounds output")).to_have_text("7 iterations")
    expect(view.get_by_label("Drawing whose b is kept")).to_have_value("two")
    view.get_by_label("Routing iterations of the experiment").fill("8")
    assert last_sent(view) == {
        "coupling": "carried", "iterations": 8, "seed": 1, "example": "two", "types": [4], "places": [1, 2], "bias": False,
        "number": 7,
    }  # fmt: skip


def test_what_python_could_not_do_is_said_and_the_view_goes_back(view: Page, trace: RoutingTrace) -> None:
    load(view, answer(trace, number=3, iterations=5))
    rounds = view.get_by_label("Routing iterations of the experiment")
    rounds.evaluate("(input) => { input.max = 5000; }")
    rounds.fill("2000")
    refused = answer(trace, number=3, iterations=5) | {"problem": "One sentence."}
    load(view, refused)
    expect(view.get_by_test_id("verdict")).to_have_text("One sentence.")
    expect(view.locator(".rounds output")).to_have_text("5 iterations")
    rounds.fill("4")
    assert last_sent(view)["iterations"] == 4
