"""What the views of attention show, read from the screen, is what the library computes; no server is needed."""

import base64
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from capsviz.app.experiments import Weighting
from capsviz.figures import attention_payload, attention_surgery_payload
from capsviz.figures.attention import SCALES, STEPS, attention_limits
from capsviz.figures.bundle import browser_assets
from capsviz.figures.routing import vote_cloud
from capsviz.traces.attention import AttentionTrace
from capsviz.traces.surgery import Attended, reattend
from tests import attending
from tests.e2e.looking import pixels, serve_scripts, without_errors
from tests.e2e.test_routing_numbers import on_black, shown, signed

ADDRESS = "http://capsviz.test/attention"
I, J, D = 5, 3, 4
QUANTITIES = {"score": 2, "prior": 3, "weight": 3, "share": 3}  # with a sign, and their decimals in the table


def document() -> str:
    _, style = browser_assets("attention", "routing", "attention", "surgery")
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><style>body {{ margin: 16px }} {style}</style>
    <body><div id="root"></div><div id="below"></div><script type="module">
    import {{ Attention }} from "/browser/attention.js";
    import {{ AttentionSurgery }} from "/browser/attention_surgery.js";
    import {{ unpack }} from "/browser/packing.js";
    import {{ speak }} from "/browser/texts.js";
    window.load = (text) => {{
        const payload = unpack(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
        speak(payload.texts);
        window.view ??= new Attention(document.getElementById("root"), payload, true);
        view.load(payload);
    }};
    window.sent = [];
    window.operate = (data) => {{
        speak(data.texts);
        window.surgery ??= new AttentionSurgery(document.getElementById("below"), data, (...what) => sent.push(what));
        surgery.load(data);
    }};
    window.ready = true;
    </script>"""


@pytest.fixture(scope="module")
def trace() -> AttentionTrace:
    return attending.made_up()


def packed(trace: AttentionTrace) -> str:
    drawings = np.linspace(0, 1, J)[None, :, None, None] * np.ones((1, J, 8, 8))
    link = {"digit": (0, J - 1), "capsule": (0, I - 1), "step": (0, len(STEPS) - 1)}
    return base64.b64encode(attention_payload(trace, drawings, link=link)).decode()


@pytest.fixture(scope="module")
def opened(browser: Browser, trace: AttentionTrace) -> Iterator[Page]:
    with without_errors(browser.new_page(viewport={"width": 1000, "height": 1000})) as page:
        serve_scripts(page, document)
        page.goto(ADDRESS)
        page.wait_for_function("window.ready")
        page.evaluate("load", packed(trace))
        yield page


@pytest.fixture
def view(opened: Page) -> Page:
    """As it opens: the longest class, the capsule with the largest share, the last step."""
    opened.mouse.move(0, 0)
    opened.evaluate(
        "() => { view.unchoose(); Object.assign(view, { scale: 'weight', contrast: 1, step: 6 }); view.leave(); view.draw(); }"
    )
    return opened


def norm(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector.astype(float)))


def bar(cell: Locator) -> tuple[float, float, str]:
    """Where a bar begins and ends, in percent of its track, and what its colour says."""
    left, width, name = cell.locator("i").evaluate(
        "(bar) => [parseFloat(bar.style.left), parseFloat(bar.style.width), bar.className]"
    )
    return left, left + width, name


@pytest.mark.parametrize("digit", [0, 1, 2])
def test_each_row_of_the_table_is_one_capsule(view: Page, trace: AttentionTrace, digit: int) -> None:
    view.get_by_test_id(f"class-{digit}").click()
    limits = attention_limits(trace)
    arrays = {"score": trace.b[0], "prior": trace.prior, "weight": trace.weight[0], "share": trace.share[0]}
    for capsule in range(I):
        u, score, c, *others = view.get_by_test_id(f"capsule-{capsule}").locator("td").all()
        expect(u.locator(".value")).to_have_text(shown(norm(trace.u[capsule]), 3))
        expect(c.locator(".value")).to_have_text(shown(trace.c[0, capsule, digit], 3))
        begin, end, _ = bar(c)
        assert (begin, end) == pytest.approx((0, 100 * trace.c[0, capsule, digit]), abs=0.01)
        for cell, (name, decimals) in zip([score, *others], QUANTITIES.items(), strict=True):
            value = float(arrays[name][capsule, digit])
            assert cell.locator(".value").inner_text() == signed(value, decimals)
            begin, end, colour = bar(cell)
            tip = 50 + 50 * value / limits[name]
            assert sorted((begin, end)) == pytest.approx(sorted((50, tip)), abs=0.01), name
            assert colour == ("against" if value < 0 else "for")
    whole = norm(trace.s[0, digit])
    expect(view.get_by_test_id("total")).to_have_text(
        f"sum of shares |s| = {shown(whole, 3)}, |v| = 1 − exp(−|s|) = {shown(1 - math.exp(-whole), 3)}"
    )


def cells(
    canvas: Locator, rows: int, columns: int, margin: tuple[float, float], size: tuple[float, float]
) -> np.ndarray:
    """[rows, columns, 3] the colours in the middle of a map's cells."""
    seen = pixels(canvas)
    y = [int(margin[1] + (row + 0.5) * size[1]) for row in range(rows)]
    x = [int(margin[0] + (column + 0.5) * size[0]) for column in range(columns)]
    return seen[np.ix_(y, x)].astype(float)


def test_the_map_is_the_attention_of_the_votes_and_before_that_the_votes(
    view: Page, trace: AttentionTrace
) -> None:
    canvas = view.get_by_test_id("attention")
    margin, side, limits = *view.evaluate("[view.picture.margin, view.picture.side]"), attention_limits(trace)
    view.get_by_test_id("class-2").click()
    found = cells(canvas, I, I, (margin, margin), (side, side))
    np.testing.assert_allclose(found, on_black(trace.attention[2], limits["attention"]), atol=3)
    rows = [view.get_by_test_id(f"capsule-{i}").bounding_box() for i in range(I)]
    box = canvas.bounding_box()
    assert box is not None
    for i, row in enumerate(rows):  # a row of the map beside its row of the table
        assert row is not None
        assert row["y"] + row["height"] / 2 == pytest.approx(box["y"] + margin + (i + 0.5) * side, abs=1)
    view.get_by_test_id("step-votes").click()
    expect(view.locator(".attention-picture h2")).to_have_text("U: the 5 votes for shape c, 4 numbers each")
    found = cells(canvas, I, D, (margin, margin), (side * I / D, side))
    np.testing.assert_allclose(found, on_black(trace.u_hat[:, 2], limits["votes"]), atol=3)
    expect(view.get_by_test_id("legend-attention")).to_have_text(
        signed(-limits["votes"], 3) + "0.000" + signed(limits["votes"], 3)
    )


def test_contrast_narrows_the_scales(view: Page, trace: AttentionTrace) -> None:
    view.get_by_label("Contrast of the scales").fill("2")
    limit = attention_limits(trace)["attention"] / 4
    expect(view.get_by_test_id("legend-attention")).to_have_text(
        f"≤ {signed(-limit, 3)}0.000≥ {signed(limit, 3)}"
    )
    margin, side = view.evaluate("[view.picture.margin, view.picture.side]")
    found = cells(view.get_by_test_id("attention"), I, I, (margin, margin), (side, side))
    np.testing.assert_allclose(found, on_black(trace.attention[1], limit), atol=3)


@pytest.mark.parametrize("scale", SCALES)
def test_the_map_of_all_classes_shows_what_is_chosen(view: Page, trace: AttentionTrace, scale: str) -> None:
    view.locator(f"input[value={scale}]").evaluate("(input) => input.click()")
    values = {
        "weight": trace.weight[0],
        "c": trace.c[0] - 1 / 3,
        "score": trace.b[0],
        "share": trace.share[0],
    }[scale]
    limit = attention_limits(trace)[scale]
    canvas = view.get_by_test_id("classes")
    grid = view.evaluate("() => { const m = view.views.find((v) => v.inputs); m.draw(); return m.grid; }")
    size = (grid["width"], grid["height"])
    np.testing.assert_allclose(cells(canvas, I, J, (grid["left"], 0), size), on_black(values, limit), atol=3)
    high = 1 / 3 + min(limit, 2 / 3) if scale == "c" else limit
    low = 1 / 3 - min(limit, 1 / 3) if scale == "c" else -limit
    middle = "0.333 = uniform" if scale == "c" else "0.000"
    expect(view.get_by_test_id("legend-classes")).to_have_text(f"{signed(low, 3)}{middle}{signed(high, 3)}")
    canvas.hover(position={"x": grid["left"] + 2.5 * size[0], "y": 1.5 * size[1]})
    expect(view.locator(".attention > .tip")).to_have_text(
        f"capsule 1 → c: c {shown(trace.c[0, 1, 2])}, weight {signed(trace.weight[0, 1, 2])}, "
        f"score {signed(trace.b[0, 1, 2])}, share {signed(trace.share[0, 1, 2])}"
    )
    canvas.click(position={"x": grid["left"] + 0.5 * size[0], "y": 3.5 * size[1]})
    assert view.evaluate("[view.digit, view.capsule]") == [0, 3]


def test_a_cell_is_opened_into_its_products(view: Page, trace: AttentionTrace) -> None:
    margin, side = view.evaluate("[view.picture.margin, view.picture.side]")
    canvas = view.get_by_test_id("attention")
    place = {"x": margin + 3.5 * side, "y": margin + 2.5 * side}
    canvas.hover(position=place)
    value = signed(trace.attention[1, 2, 3])
    expect(view.locator(".attention > .tip")).to_have_text(f"capsule 2 and capsule 3: A = {value}")
    canvas.click(position=place)
    expect(view.get_by_test_id("cell")).to_have_text("Votes of capsules 2 and 3 for shape b")
    own, other = trace.u_hat[2, 1].astype(float), trace.u_hat[3, 1].astype(float)
    most = np.abs(own * other).max()
    for d in range(D):
        first, second, product = view.get_by_test_id(f"product-{d}").locator("td").all()
        assert [first.inner_text(), second.inner_text()] == [signed(own[d], 3), signed(other[d], 3)]
        assert product.inner_text() == signed(own[d] * other[d])
        begin, end, colour = bar(product)
        tip = 50 + 50 * own[d] * other[d] / most
        assert sorted((begin, end)) == pytest.approx(sorted((50, tip)), abs=0.01)
        assert colour == ("against" if own[d] * other[d] < 0 else "for")
    assert view.get_by_test_id("product-sum").inner_text() == signed(own @ other)
    assert view.get_by_test_id("cell-result").inner_text() == f"A = {signed(own @ other)} / 2 = {value}"
    # By keys too, and no further than the map reaches.
    canvas.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        view.keyboard.press(key)
    expect(view.get_by_test_id("cell")).to_have_text("Votes of capsules 3 and 4 for shape b")
    assert f"A = {signed(trace.attention[1, 3, 4])}" in str(canvas.get_attribute("aria-label"))
    assert view.evaluate("view.step") == 6  # the arrows were the map's


def test_a_capsule_is_opened_into_its_classes(view: Page, trace: AttentionTrace) -> None:
    view.get_by_test_id("capsule-4").click()
    expect(view.get_by_label("Capsule", exact=True)).to_have_value("4")
    components = view.get_by_test_id("u").locator(".component").all_inner_texts()
    assert [text.strip() for text in components] == [shown(value, 2) for value in trace.u[4]]
    for j in range(J):
        row = view.get_by_test_id(f"row-{j}")
        assert row.locator("th").inner_text() == trace.classes[j]
        numbers = [trace.b[0], trace.c[0], trace.prior, trace.weight[0], trace.share[0]]
        score, c, *others = [float(array[4, j]) for array in numbers]
        assert row.locator("td").all_inner_texts()[1:] == [signed(score, 3), shown(c), *map(signed, others)]
        # Its vote as bars, orange upwards for what is positive.
        vote = trace.u_hat[4, j] / np.abs(trace.u_hat).max()
        seen = pixels(row.locator("canvas")).astype(int)
        height, width = seen.shape[:2]
        for d, value in enumerate(vote):
            if abs(value) > 0.25:
                red, _, blue = seen[int(height / 2 * (1 - value / 2)), int(width * (d + 0.5) / D)]
                assert abs(red - blue) > 50
                assert (red > blue) == (value > 0)
    assert view.get_by_test_id("sum-c").inner_text() == "1.000"
    assert view.get_by_test_id("sum-weight").inner_text() == shown(1 + trace.prior[4].sum(), 3)
    view.get_by_role("button", name="strongest for b").click()
    assert view.evaluate("view.capsule") == int(trace.share[0, :, 1].argmax())


def test_each_line_of_the_algorithm_has_its_numbers_and_hides_what_comes_later(
    view: Page, trace: AttentionTrace
) -> None:
    view.evaluate("view.choose({ digit: 2, capsule: 1, other: 3 })")
    i, j, k = 1, 2, 3
    row, share = trace.attention[j, i].astype(float), float(trace.share[0, i, j])
    whole = norm(trace.s[0, j])
    total = math.log(sum(math.exp(e) for e in trace.b[0, i]))
    weight, prior = float(trace.weight[0, i, j]), float(trace.prior[i, j])
    said = {
        "votes": f"|u| = {shown(norm(trace.u[i]), 3)}, |û| = |W u| = {shown(norm(trace.u_hat[i, j]), 3)}",
        "attention": f"û1 · û3 / √4 = {signed(2 * row[k])} / 2.000 = {signed(row[k])}",
        "score": f"Σk A1k = {shown(row[row > 0].sum())} − {shown(-row[row < 0].sum())} = {signed(row.sum())}",
        "softmax": f"exp({shown(trace.b[0, i, j])} {'+' if total < 0 else '−'} {shown(abs(total))}) = "
        f"{shown(trace.c[0, i, j])}",
        "prior": f"c + b = {shown(trace.c[0, i, j])} {'−' if prior < 0 else '+'} {shown(abs(prior))} = {signed(weight)}",
        "sum": f"{signed(weight)} × {signed(share / weight)} = {signed(share)}",
        "squash": f"1 − exp(−{shown(whole)}) = {shown(1 - math.exp(-whole))}",
    }
    made_at = [0, 2, 3, 4, 4, 5]
    view.locator(".attention-picture h2").click()  # the keys are the page's
    view.keyboard.press("Home")
    for step, name in enumerate(STEPS):
        expect(view.get_by_test_id(f"step-{name}").locator("xpath=..")).to_have_attribute(
            "aria-current", "step"
        )
        expect(view.get_by_test_id("numbers")).to_contain_text(said[name])
        marks = view.get_by_test_id("capsule-0").locator("td .value")
        for at, made in enumerate(made_at):
            if made <= step:
                expect(marks.nth(at)).to_be_visible()
            else:
                expect(marks.nth(at)).to_be_hidden()
        assert (view.get_by_test_id("total").inner_text() == "") == (step < 5)
        view.keyboard.press("ArrowRight")
    expect(view.locator("[aria-current=step]")).to_have_count(1)


def test_a_capsule_is_compared_with_the_one_that_it_attends_to_most(
    view: Page, trace: AttentionTrace
) -> None:
    for j in range(J):
        for i in range(I):
            others = sorted(set(range(I)) - {i}, key=lambda k: -abs(trace.attention[j, i, k]))
            assert (
                view.evaluate(
                    "([digit, capsule]) => { view.choose({ digit, capsule }); return view.other; }", [j, i]
                )
                == others[0]
            )


def test_the_classes_are_chosen_by_click_and_keys(view: Page, trace: AttentionTrace) -> None:
    for j in range(J):
        button = view.get_by_test_id(f"class-{j}")
        height = button.locator("i").evaluate("(bar) => parseFloat(bar.style.height)")
        assert height == pytest.approx(100 * trace.lengths[0, j], abs=0.01)
        assert button.locator(".value").inner_text() == shown(trace.lengths[0, j], 2)
        assert button.locator("b").inner_text() == trace.classes[j]
        expect(button).to_have_attribute("aria-pressed", "true" if j == trace.prediction else "false")
    view.get_by_test_id("class-1").focus()
    view.keyboard.press("ArrowRight")
    expect(view.get_by_test_id("class-2")).to_be_focused()
    expect(view.get_by_test_id("class-2")).to_have_attribute("aria-pressed", "true")
    expect(view.locator(".class-strip .longest b")).to_have_text([trace.classes[trace.prediction]])
    view.keyboard.press("ArrowRight")  # there are no more
    view.keyboard.press("0")
    assert view.evaluate("view.digit") == 0
    view.wait_for_function("location.search.includes('digit=0')")
    view.keyboard.press("Escape")
    assert view.evaluate("[view.digit, view.step]") == [trace.prediction, 6]
    view.wait_for_function("!location.search")


def test_votes_lie_where_their_two_axes_say(view: Page, trace: AttentionTrace) -> None:
    view.get_by_test_id("class-2").click()
    cloud = vote_cloud(trace, 2)
    points, width, height, reach = view.evaluate(
        "() => { const c = view.views.find((v) => v.reach); c.draw(); "
        "return [c.points, c.picture.canvas.clientWidth, c.picture.canvas.clientHeight, c.reach]; }"
    )
    all_votes = np.concatenate([vote_cloud(trace, j).votes for j in range(J)])
    assert reach == pytest.approx(max(1, np.linalg.norm(all_votes, axis=1).max()), rel=1e-5)
    scale = (min(width, height) / 2 - 12) / reach
    expected = np.array([width / 2, height / 2]) + scale * cloud.votes * [1, -1]
    np.testing.assert_allclose(points, expected, atol=0.01)
    seen = pixels(view.get_by_test_id("cloud")).astype(int)
    far = int(np.argmax(np.linalg.norm(cloud.votes, axis=1)))  # beside the arrows
    red, _, blue = seen[int(expected[far][1]), int(expected[far][0])]
    assert (red > blue) == (trace.share[0, far, 2] > 0)
    # The thin arrow is s, drawn as small as said: its length and half as much again beyond it.
    view.evaluate("() => { view.step = 5; view.draw(); }")
    seen = pixels(view.get_by_test_id("cloud")).astype(int)
    longest = math.ceil(max(norm(s) for s in trace.s[0]))
    tip = scale / longest * cloud.s[-1] * [1, -1]
    for part, white in ((0.6, True), (1.5, False)):
        x, y = (np.array([width / 2, height / 2]) + part * tip).astype(int)
        assert (seen[y, x].min() > 200) == white
    # Before there is a sum, no arrow lies over the votes: each but those that another one covers.
    for j in (2, 0):
        view.evaluate("(digit) => { view.choose({ digit }); view.step = 0; view.draw(); }", j)
        places = np.array([width / 2, height / 2]) + scale * vote_cloud(trace, j).votes * [1, -1]
        seen = pixels(view.get_by_test_id("cloud")).astype(int)
        for i, place in enumerate(places):
            if all(np.linalg.norm(place - later) > 16 for later in places[i + 1 :]):
                red, _, blue = seen[int(place[1]), int(place[0])]
                assert (red > blue) == (trace.share[0, i, j] > 0)
    view.evaluate("() => view.choose({ digit: 2 })")
    view.evaluate("() => { view.step = 6; view.draw(); }")
    view.get_by_test_id("cloud").hover(position={"x": expected[far][0], "y": expected[far][1]})
    expect(view.locator(".attention > .tip")).to_have_text(
        f"capsule {far}: weight {signed(trace.weight[0, far, 2])}, share of |s| {signed(trace.share[0, far, 2])}"
    )
    v, s = norm(trace.v[0, 2]), norm(trace.s[0, 2])
    expect(view.get_by_test_id("cloud-caption")).to_contain_text(
        f"|v| = {shown(v, 3)}; thin: |s| = {shown(s, 3)}"
    )


def test_a_link_opens_with_what_it_names_and_says_what_it_cannot(
    browser: Browser, trace: AttentionTrace
) -> None:
    with without_errors(browser.new_page()) as page:
        serve_scripts(page, document)
        page.goto(f"{ADDRESS}?digit=2&capsule=4&step=3")
        page.wait_for_function("window.ready")
        page.evaluate("load", packed(trace))
        assert page.evaluate("[view.digit, view.capsule, view.step]") == [2, 4, 3]
        page.goto(f"{ADDRESS}?digit=3&capsule=%3Cb%3E")
        page.wait_for_function("window.ready")
        page.evaluate("load", packed(trace))
        expect(page.get_by_role("alert")).to_contain_text("digit “3”, but they are counted from 0 to 2")
        expect(page.get_by_role("alert")).to_contain_text("capsule “?b?”")
        assert page.evaluate("view.digit") == trace.prediction
        # Not where another network was chosen on the page: then it says what was chosen there.
        page.goto(f"{ADDRESS}?capsule=506&step=11")
        page.wait_for_function("window.ready")
        page.evaluate("window.capsvizRouting = {}")
        page.evaluate("load", packed(trace))
        expect(page.get_by_role("alert")).to_be_hidden()
        page.wait_for_function("!location.search")
        # Another drawing keeps the line of the algorithm, and chooses anew.
        page.evaluate("view.go(2)")
        other = attending.made_up(seed=11)
        page.evaluate("load", packed(other))
        assert page.evaluate("[view.step, view.digit]") == [2, other.prediction]


# --- surgery --------------------------------------------------------------------------------------------------


def answer(trace: AttentionTrace, after: Attended, problem: str = "", **fields: Any) -> dict[str, Any]:
    before, redrawn = np.full((8, 8), 0.2), np.full((8, 8), 0.6)
    operation = {"number": 0, "coupling": "attention", "capsules": [], **fields}
    assert operation.keys() == Weighting.__dataclass_fields__.keys()
    data = attention_surgery_payload(trace, before, after, redrawn)
    return data | {"operation": operation, "problem": problem}


@pytest.fixture
def operating(browser: Browser) -> Iterator[Page]:
    """A page of its own: each live view has words of its own."""
    with without_errors(browser.new_page(viewport={"width": 1000, "height": 800})) as page:
        serve_scripts(page, document)
        page.goto(ADDRESS)
        page.wait_for_function("window.ready")
        yield page


def test_surgery_asks_for_what_is_clicked_and_shows_what_came_of_it(
    operating: Page, trace: AttentionTrace
) -> None:
    operating.evaluate("(data) => operate(data)", answer(trace, reattend(trace.u_hat, trace.prior)))
    surgery = operating.locator(".surgery")
    verdict = surgery.get_by_test_id("verdict")
    expect(verdict).to_have_text(f"Unchanged: b, length {shown(trace.lengths[0, 1], 3)}.")
    expect(surgery.get_by_role("button", name="Undo all surgery")).to_be_disabled()
    toggles = surgery.locator(".toggles button")
    shares = trace.share[0, :, trace.prediction]
    assert toggles.all_inner_texts() == [str(i) for i in range(I)]
    for i in range(I):
        expect(toggles.nth(i)).to_have_attribute(
            "data-tip", f"capsule {i}: share of |s| before {signed(shares[i], 3)}"
        )

    surgery.locator(".choice", has_text="prior alone").click()
    assert operating.evaluate("sent.at(-1)") == [
        "operation",
        {"coupling": "prior", "capsules": [], "number": 1},
    ]
    after = reattend(trace.u_hat, trace.prior, "prior", silenced=np.arange(I) == 0)
    operating.evaluate("(data) => operate(data)", answer(trace, after, number=1, coupling="prior"))
    toggles.nth(0).click()
    assert operating.evaluate("sent.at(-1)")[1] == {"coupling": "prior", "capsules": [0], "number": 2}
    operating.evaluate(
        "(data) => operate(data)", answer(trace, after, number=2, coupling="prior", capsules=[0])
    )
    expect(toggles.nth(0)).to_have_attribute("aria-pressed", "true")
    for j in range(J):
        row = surgery.locator(".paired > div").nth(j)
        assert row.locator(".is").evaluate("(bar) => parseFloat(bar.style.width)") == pytest.approx(
            100 * after.lengths[j], abs=0.01
        )
        assert row.locator(".was").evaluate("(bar) => parseFloat(bar.style.left)") == pytest.approx(
            100 * trace.lengths[0, j], abs=0.01
        )
    best = int(after.lengths.argmax())
    assert best != trace.prediction
    expect(verdict).to_have_text(
        f"No longer b ({shown(trace.lengths[0, 1], 3)} → {shown(after.lengths[1], 3)}) "
        f"but {trace.classes[best]} ({shown(after.lengths[best], 3)})."
    )
    sums = trace.prior.sum(axis=1)
    expect(surgery.get_by_test_id("row-sums")).to_have_text(
        f"Over the three shapes, a capsule’s weights sum to between {shown(sums.min(), 3)} and {shown(sums.max(), 3)}."
    )
    for low, high, said in ((0.5, 0.9, "between 0.500 and 0.900"), (0.7, 0.7004, "0.700")):
        data = answer(trace, after, number=2, coupling="prior", capsules=[0]) | {"rowSums": [low, high]}
        operating.evaluate("(data) => operate(data)", data)
        expect(surgery.get_by_test_id("row-sums")).to_contain_text(f"weights sum to {said}.")
    # Without any capsule there is no answer; then everything back.
    nothing = reattend(trace.u_hat, trace.prior, "prior", silenced=np.ones(I, bool))
    operating.evaluate("surgery.change({ capsules: [0, 1, 2, 3, 4] })")
    data = answer(trace, nothing, number=3, coupling="prior", capsules=list(range(I)))
    operating.evaluate("(data) => operate(data)", data)
    expect(verdict).to_contain_text("No capsule is left to vote")
    surgery.get_by_role("button", name="Undo all surgery").click()
    assert operating.evaluate("sent.at(-1)")[1] == {"coupling": "attention", "capsules": [], "number": 4}
    operating.evaluate("(data) => operate(data)", data | {"problem": "There is no experiment."})
    expect(verdict).to_have_text("There is no experiment.")
    expect(surgery.locator("input[value=prior]")).to_be_checked()
