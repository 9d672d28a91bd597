"""Routing and surgery of a network of another shape: 20 pixels, three classes with names, a grid that is not square.

What is expected is computed here, from the trace or by hand. And no word of these views stands in a script: with every
text between ⟦ and ⟧, nothing that a person reads is outside of them.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from capsviz import texts
from capsviz.app.experiments import Operation
from capsviz.figures import surgery_payload, theme
from capsviz.figures.packing import pack
from capsviz.figures.routing import (
    SCALES,
    routing_payload,
    scale_limits,
    scale_values,
    strongest_links,
    transforms_payload,
    vote_cloud,
)
from capsviz.traces.base import CapsuleGrid, Shape
from capsviz.traces.routing import RoutingTrace
from capsviz.traces.surgery import reroute, silence
from tests.e2e import test_routing_numbers as routing_numbers
from tests.e2e import test_surgery_numbers as surgery_numbers
from tests.e2e.looking import serve_scripts, without_errors
from tests.e2e.test_routing_numbers import is_colour, on_black, shown, signed, text_of

TYPES, ROWS, COLUMNS, FIELD, STRIDE, SIZE = 4, 3, 5, 9, 2, 20
CAPSULES, PLACES, K, D, J, R = 60, 15, 4, 5, 3, 3
NAMES = ("cat", "long-eared owl", "<i>&")
CHOSEN = (2 * ROWS + 1) * COLUMNS + 4  # type 2, row 1, column 4
OTHER = Shape(
    size=SIZE,
    classes=NAMES,
    kind="animal",
    grid=CapsuleGrid(TYPES, ROWS, COLUMNS, FIELD, STRIDE),
    components=K,
    pose=D,
    routing="dynamic",
    trained=2,
)
FOR, AGAINST = np.array(theme.FOR_COLOUR), np.array(theme.AGAINST_COLOUR)


def made_up(seed: int = 4, shape: Shape = OTHER) -> RoutingTrace:
    """A trace in which the owl wins before the cat, and every number is another."""
    rng = np.random.default_rng(seed)
    towards = rng.normal(0, 1, (J, D))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    u_hat = rng.normal([0.05, 0.12, 0], 0.5, (CAPSULES, J))[..., None] * towards + rng.normal(
        0, 0.2, (CAPSULES, J, D)
    )
    routed = reroute(u_hat, R)
    image = np.clip(rng.normal(0.4, 0.25, (SIZE, SIZE)), 0, 1)
    return RoutingTrace(
        image=image,
        features=np.zeros((2, 6, 6)),
        u=rng.normal(0, 0.3, (CAPSULES, K)),
        u_hat=u_hat,
        b=routed.b,
        c=routed.c,
        s=routed.s,
        v=routed.v,
        shape=shape,
    )


def drawings() -> np.ndarray:
    """[R, J, 20, 20] a grey of its own for each, brighter to the right."""
    own = (np.arange(R * J).reshape(R, J, 1, 1) + 4) / 20
    return own + np.broadcast_to(np.linspace(0, 0.3, SIZE), (SIZE, SIZE))


def spot(capsule: int) -> tuple[int, int, int]:
    kind, row, column = np.unravel_index(capsule, (TYPES, ROWS, COLUMNS))
    return int(kind), int(row), int(column)


def payload_of(trace: RoutingTrace, transforms: str | None = None) -> str:
    return base64.b64encode(routing_payload(trace, drawings(), transforms)).decode()


@pytest.fixture(scope="module")
def trace() -> RoutingTrace:
    found = made_up()
    assert found.prediction == 1
    return found


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, reduced_motion="reduce")
    serve_scripts(context, routing_numbers.document)
    yield context
    context.close()


@pytest.fixture(scope="module")
def opened(context: BrowserContext, trace: RoutingTrace) -> Iterator[Page]:
    with without_errors(context.new_page()) as page:
        page.goto("http://capsviz.test/routing")
        page.evaluate("open_view()")
        page.evaluate("load", payload_of(trace))
        yield page


@pytest.fixture
def view(opened: Page) -> Page:
    opened.mouse.move(0, 0)
    opened.evaluate(
        """(capsule) => {
            explorer.unchoose();
            explorer.leave();
            Object.assign(explorer, { scale: "c", contrast: 1, capsule });
            at(explorer.clock.last);
        }""",
        CHOSEN,
    )
    return opened


# Functions of their own


def test_sums_are_the_trace_s(view: Page, trace: RoutingTrace) -> None:
    for name in ("b", "c", "agreement", "share"):
        for r in range(R):
            expected = text_of(getattr(trace, name)[r])
            assert view.evaluate(f"(text) => apart(explorer.routing.{name}[{r}], text)", expected) < 1e-5


@pytest.mark.parametrize("level", ["capsule", "place", "type"])
@pytest.mark.parametrize("scale", SCALES)
def test_scales_are_python_s(view: Page, trace: RoutingTrace, scale: str, level: str) -> None:
    call = f"lab.scaleValues(explorer.payload, explorer.routing, '{scale}', R, '{level}')"
    for r in range(R):
        expected = text_of(scale_values(trace, scale, level)[r])
        assert view.evaluate(f"(text) => apart({call.replace('R', str(r), 1)}, text)", expected) < 1e-5


def test_capsules_are_gathered_by_place_and_by_type(view: Page) -> None:
    values = np.random.default_rng(6).normal(0, 1, (CAPSULES, J)).astype(np.float32)
    by_place, by_type = np.zeros((PLACES, J)), np.zeros((TYPES, J))
    for i in range(CAPSULES):
        kind, row, column = spot(i)
        by_place[row * COLUMNS + column] += values[i]
        by_type[kind] += values[i]
    for level, sums, members in (("place", by_place, TYPES), ("type", by_type, PLACES)):
        for summed in (True, False):
            expected = sums if summed else sums / members
            call = f"lab.gathered(floats(values), explorer.payload, '{level}', {str(summed).lower()})"
            found = view.evaluate(
                f"([values, expected]) => apart({call}, expected)", [text_of(values), text_of(expected)]
            )
            assert found < 1e-5


def test_where_a_capsule_sits_and_which_sits_there(view: Page) -> None:
    for i in range(CAPSULES):
        kind, row, column = spot(i)
        found = view.evaluate(f"lab.capsuleAt(explorer.payload, {i})")
        assert found == {"type": kind, "place": row * COLUMNS + column, "row": row, "column": column}
        assert view.evaluate(f"lab.capsuleOf(explorer.payload, {kind}, {row}, {column})") == i


def test_votes_and_projections_of_any_size(view: Page, trace: RoutingTrace) -> None:
    W = np.random.default_rng(1).normal(0, 1, (CAPSULES, J, D, K)).astype(np.float16)
    votes = np.einsum("ijdk,ik->ijd", W.astype(float), trace.u)
    sent = [
        base64.b64encode(transforms_payload(W.astype(np.float32), "x")).decode(),
        text_of(trace.u),
        text_of(votes),
    ]
    call = "([W, u, votes]) => apart(lab.predictions(lab.unpack(bytes(W)).arrays.W, floats(u), 60), votes)"
    assert view.evaluate(call, sent) < 1e-5
    clouds = [vote_cloud(trace, j) for j in range(J)]
    axes, points = np.stack([cloud.axes for cloud in clouds]), np.stack([cloud.votes for cloud in clouds])
    call = "([vectors, axes, points]) => apart(lab.projected(floats(vectors), floats(axes), 3), points)"
    assert view.evaluate(call, [text_of(trace.u_hat), text_of(axes), text_of(points)]) < 1e-5


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        # The first field's middle is at 4.5 pixels, its cell begins one before; ten pixels of cells leave 6.5.
        ("mapFrame({ size: 20, grid: { rows: 3, columns: 5, field: 9, stride: 2 } })", {"crop": 2, "side": 16, "origin": 3.5}),
        ("mapFrame({ size: 20, grid: { rows: 5, columns: 3, field: 9, stride: 2 } })", {"crop": 2, "side": 16, "origin": 3.5}),
        ("mapFrame({ size: 28, grid: { rows: 6, columns: 6, field: 17, stride: 2 } })", {"crop": 4, "side": 20, "origin": 7.5}),
        ("mapFrame({ size: 20, grid: { rows: 9, columns: 1, field: 4, stride: 2 } })", {"crop": 1, "side": 18, "origin": 1}),
        ("mapFrame({ size: 10, grid: { rows: 2, columns: 2, field: 2, stride: 4 } })", {"crop": 0, "side": 10, "origin": -1}),
        ("scaleReach('c', 9, 3).map((x) => x.toFixed(4)).join()", "9.0000,1.5850"),
        ("scaleReach('uniform', 0.9, 4).join()", "0.25,0.75"),
        ("spelled(10)", "ten"),
        ("spelled(16)", "sixteen"),
        ("spelled(17)", "17"),
        ("spelled(0)", "0"),
        ("capital('fourteen')", "Fourteen"),
        ("capital('17')", "17"),
        ("kindWords('digit')", {"kind": "digit", "kinds": "digits", "Kind": "Digit"}),
        ("kindWords('animal')", {"kind": "class", "kinds": "classes", "Kind": "Class"}),
        ("shapeWords(explorer.payload).uniform", "1/3"),
        ("shapeWords(explorer.payload).given", "3/60"),
        ("shapeWords(explorer.payload).classes", "three"),
        ("shapeWords(explorer.payload).capsules", 60),
        ("shapeWords(explorer.payload).field", "9 × 9"),
        ("readLink('?digit=2&step=0', { digit: [0, 2], step: [0, 11] }).found", {"digit": 2, "step": 0}),
        ("readLink('?digit=3', { digit: [0, 2] }).problems", [
            "The link asks for digit “3”, but they are counted from 0 to 2: the longest is shown instead."
        ]),
        ("readLink('?step=1', { step: [2, 4] })", {"found": {}, "problems": [
            "The link asks for step “1”, but they are counted from 2 to 4: the last is shown instead."
        ]}),
        ("readLink('?other=1', { digit: [0, 2] })", {"found": {}, "problems": []}),
        ("words('a **b** [[c|d|e]] ++f++ --g-- 1 -- 2').map((n) => n.outerHTML ?? n)", [
            "a ", "<b>b</b>", " ", '<span class="term" tabindex="0" data-tip="d|e">c</span>', " ",
            '<b class="cv-for">f</b>', " ", '<b class="cv-against">g</b>', " 1 -- 2",
        ]),
        ("escaped('<i>&\"')", "&#60;i&#62;&#38;&#34;"),
    ],
)  # fmt: skip
def test_small_functions_by_hand(view: Page, call: str, expected: object) -> None:
    assert view.evaluate(f"lab.{call}") == expected


def test_what_is_said_has_its_values_and_the_form_that_a_number_asks_for(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("http://capsviz.test/words")
    sent = {
        "language": "en",
        "texts": {
            "plain": "{a} and {b}",
            "forms": {"one": "{count} vote", "other": "{count} votes"},
            "sign": "a < b: **{f}**",
        },
    }
    page.evaluate("(sent) => lab.speak(sent)", sent)
    say = lambda name, values: page.evaluate("([name, values]) => lab.say(name, values)", [name, values])  # noqa: E731
    assert say("plain", {"a": "{b}", "b": 2}) == "{b} and 2"
    assert [say("forms", {"count": n}) for n in (0, 1, 2, -1)] == ["0 votes", "1 vote", "2 votes", "-1 vote"]
    assert page.evaluate("lab.markup('sign', { f: 'c<sub>i</sub>' })") == "a &#60; b: <b>c<sub>i</sub></b>"
    page.evaluate("(sent) => lab.speak(sent)", sent | {"language": "xx-test"})  # as the first language
    assert say("forms", {"count": 1}) == "1 vote"
    page.evaluate("(sent) => lab.speak(sent)", sent | {"language": "fr"})
    assert say("forms", {"count": 0}) == "0 vote"  # French counts nothing in the singular
    for name, values, problem in (
        ("gone", {}, "there is no text gone"),
        ("plain", {"a": 1}, "the text plain needs b"),
    ):
        with pytest.raises(Exception, match=problem):
            say(name, values)
    page.close()


# Drawings: place, sign, class


def centres(pixel: float) -> np.ndarray:
    """[60, 2] the middle of each field, moved to the slot of the type: two by two in a cell of two pixels."""
    found = []
    for i in range(CAPSULES):
        kind, row, column = spot(i)
        found.append([4.5 + 2 * column - 1 + (kind % 2 + 0.5), 4.5 + 2 * row - 1 + (kind // 2 + 0.5)])
    return pixel * np.array(found)


def stage(page: Page) -> tuple[float, np.ndarray]:
    side, text, shape = page.evaluate(
        """() => {
            const canvas = document.querySelector(".stage-picture");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let text = "";
            for (let n = 0; n < data.length; n += 8192) text += String.fromCharCode(...data.subarray(n, n + 8192));
            return [explorer.stage.side / 20, btoa(text), [canvas.height, canvas.width, 4]];
        }"""
    )
    return side, np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)[..., :3].astype(int)


@pytest.mark.parametrize(("scale", "frame", "digit"), [("c", 11, 1), ("share", 5, 1), ("last", 8, 0)])
def test_marks_of_the_stage_have_their_place_and_sign(
    view: Page, trace: RoutingTrace, scale: str, frame: int, digit: int
) -> None:
    view.evaluate(
        """([scale, frame, digit]) => {
            Object.assign(explorer, { scale, digit });
            explorer.stage.drawLinks = explorer.stage.drawChosen = () => {};
            at(frame);
        }""",
        [scale, frame, digit],
    )
    pixel, found = stage(view)
    view.evaluate("delete explorer.stage.drawLinks; delete explorer.stage.drawChosen")
    r = frame // 4
    values = scale_values(trace, scale)[r, :, digit] / scale_limits(trace)[scale]["capsule"]
    strong = np.flatnonzero(np.abs(values) > 0.1)
    assert len(strong) > 10
    assert len(set(np.sign(values[strong]))) == 2
    for i in strong:
        x, y = centres(pixel)[i]
        assert is_colour(found[int(y), int(x)], FOR if values[i] > 0 else AGAINST, 30)


def test_the_stage_shows_drawing_grid_and_field(view: Page, trace: RoutingTrace) -> None:
    view.evaluate("explorer.stage.drawLinks = () => {}; explorer.draw()")
    pixel, found = stage(view)
    for row, column in ((1, 17), (18, 3), (15, 19)):
        grey = found[int((row + 0.5) * pixel), int((column + 0.5) * pixel)]
        assert grey == pytest.approx([round(trace.image[row, column] * 0.55 * 255)] * 3, abs=1)
    white = is_colour(found, (255, 255, 255), 60)
    _, row, column = spot(CHOSEN)
    x, y, size = 2 * column * pixel, 2 * row * pixel, 9 * pixel
    part = slice(int(size * 0.05), int(size * 0.95))
    assert white[int(y + 1), int(x) :][part].mean() > 0.9
    assert white[int(y + size - 1), int(x) :][part].mean() > 0.9
    assert white[int(y) :, int(x + size - 1)][part].mean() > 0.9
    view.evaluate("explorer.pointed = { place: 9 }; explorer.draw()")  # row 1, column 4
    _, found = stage(view)
    white = is_colour(found, (255, 255, 255), 60)
    x, y, cell = (3.5 + 2 * 4) * pixel, (3.5 + 2 * 1) * pixel, 2 * pixel
    for line in (white[int(y), int(x) : int(x + cell)], white[int(y) : int(y + cell), int(x + cell)]):
        assert line.mean() > 0.8
    view.evaluate("explorer.pointed = { type: 3 }; explorer.draw()")
    _, found = stage(view)
    view.evaluate("delete explorer.stage.drawLinks; explorer.pointed = {}")
    for i in range(CAPSULES):
        x, y = centres(pixel)[i]
        ring = found[int(y), int(x + 2 * pixel / 8)]
        if spot(i)[0] == 3:
            assert is_colour(ring, (255, 255, 255), 110)


def test_what_lies_under_the_mouse_on_the_stage(view: Page, trace: RoutingTrace) -> None:
    pixel, _ = stage(view)
    box = view.locator(".stage-picture").bounding_box()
    assert box is not None
    for capsule in (0, 4, 14, 15, 37, 59):
        kind, row, column = spot(capsule)
        x, y = centres(pixel)[capsule] + [box["x"], box["y"]]
        view.mouse.move(x, y)
        c, share = trace.c[2, capsule, 1], trace.share[2, capsule, 1]
        text = f"type {kind}, row {row}, column {column}: c to long-eared owl is {shown(c)}, share of |s| {signed(share)}"
        expect(view.locator(".tip")).to_have_text(text)
    view.mouse.click(x, y)
    expect(view.get_by_test_id("capsule")).to_have_text("Capsule 59: type 3, row 2, column 4")
    # Beside the grid lies none, though the drawing goes on: below its third row, and right of its fifth column.
    for x, y in ((4.5, 10), (14, 4.5), (4.5, 3), (3, 4.5)):
        view.mouse.move(box["x"] + x * pixel, box["y"] + y * pixel)
        expect(view.locator(".tip")).to_be_hidden()


def test_links_lead_to_their_class(view: Page, trace: RoutingTrace) -> None:
    assert view.evaluate("[...explorer.stage.shownLinks()]") == strongest_links(trace).tolist()
    view.get_by_test_id("digit-2").click()
    view.mouse.move(0, 0)
    assert view.evaluate("[...explorer.stage.shownLinks()]") == strongest_links(trace, 2).tolist()
    text = view.get_by_test_id("links").inner_text()
    share = trace.share[2, :, 2]
    assert "the middle of a field of 9 × 9 pixels" in text
    assert f"Class <i>& has |s| = {shown(float(np.linalg.norm(trace.s[2, 2])), 2)}." in text
    assert "To it the 60 of its 60 links" in text
    assert (
        f"add {shown(share[share > 0].sum(), 2)} and take {shown(-share[share < 0].sum(), 2)} away; a click on the class"
        in text
    )
    view.evaluate("at(0)")
    assert view.get_by_test_id("links").inner_text().endswith("every coefficient is exactly 1/3.")
    view.get_by_test_id("digit-2").click()
    view.mouse.move(0, 0)
    for digit, (_, y) in enumerate(view.evaluate("explorer.stage.anchors")):
        button, box = (
            view.get_by_test_id(f"digit-{digit}").bounding_box(),
            view.locator(".stage-picture").bounding_box(),
        )
        assert button is not None
        assert box is not None
        assert y == pytest.approx(button["y"] + button["height"] / 2 - box["y"], abs=0.6)


@pytest.mark.parametrize("scale", SCALES)
def test_cells_of_the_maps_have_their_colour(view: Page, trace: RoutingTrace, scale: str) -> None:
    view.evaluate("(scale) => { explorer.scale = scale; at(11); }", scale)
    limits = scale_limits(trace)[scale]
    of_place, of_type = (scale_values(trace, scale, level)[2] for level in ("place", "type"))
    rows, columns = np.divmod(np.arange(PLACES), COLUMNS)
    # A field's middle is that of pixel 4 + 2 row, 4 + 2 column; two pixels are cut off at each edge, 16 are left.
    under = np.round(trace.image[4 + 2 * rows, 4 + 2 * columns] * 0.45 * 255)
    for digit in range(J):
        found = view.evaluate(
            """([digit, places]) => {
                const { canvas } = explorer.maps.pictures[digit].picture;
                return pixels(canvas, places.map(([row, column]) =>
                    [(2.5 + 2 * column) * canvas.width / 16, (2.5 + 2 * row) * canvas.width / 16])).map((p) => p.slice(0, 3));
            }""",
            [digit, np.stack([rows, columns], axis=1).tolist()],
        )
        np.testing.assert_allclose(found, on_black(of_place[:, digit], limits["place"], under), atol=9)
    left = view.evaluate("explorer.maps.grid.left")
    assert left > 40  # room for names
    found = view.evaluate(
        """(left) => {
            const { canvas } = explorer.maps.matrix;
            const [width, height] = [(canvas.width - left) / 4, (canvas.height - 22) / 3];
            return pixels(canvas, Array.from({ length: 12 }, (_, n) =>
                [left + (Math.floor(n / 3) + 0.5) * width, 22 + (n % 3 + 0.5) * height])).map((p) => p.slice(0, 3));
        }""",
        left,
    )
    np.testing.assert_allclose(found, on_black(of_type, limits["type"]).reshape(12, 3), atol=9)


def test_the_matrix_has_all_names_and_types(view: Page) -> None:
    written = view.evaluate(routing_numbers.WRITTEN)
    assert [text for text, *_ in written] == [*NAMES, "0", "1", "2", "3"]
    assert [text for text, _, bold in written if bold] == ["long-eared owl", "2"]


def test_a_cell_says_and_chooses_its_own(view: Page, trace: RoutingTrace) -> None:
    canvas = view.locator("canvas.map").nth(0)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    pixel = box["width"] / 16
    point = box["x"] + (2.5 + 2 * 4) * pixel, box["y"] + (2.5 + 2 * 1) * pixel
    view.mouse.move(*point)
    of_place = np.arange(TYPES) * PLACES + 9
    mean, together = trace.c[2, of_place, 0].mean(), trace.share[2, of_place, 0].sum()
    expect(view.locator(".tip")).to_have_text(
        f"row 1, column 4 → cat: mean c {shown(mean)}, shares together {signed(together, 3)}"
    )
    view.mouse.click(*point)
    strongest = of_place[trace.share[2, of_place, 0].argmax()]
    expect(view.get_by_test_id("capsule")).to_contain_text(f"Capsule {strongest}:")
    view.mouse.move(box["x"] + (2.5 + 2 * 5) * pixel, box["y"] + (2.5 + 2 * 1) * pixel)  # no sixth column
    expect(view.locator(".tip")).to_be_hidden()
    view.mouse.move(box["x"] + 2.5 * pixel, box["y"] + (2.5 + 2 * 3) * pixel)  # no fourth row
    expect(view.locator(".tip")).to_be_hidden()


def test_clouds_show_the_votes_of_the_class(view: Page, trace: RoutingTrace) -> None:
    options = view.get_by_label("First class").locator("option").all_inner_texts()
    second = int(np.argsort(-trace.lengths[-1])[1])
    notes = {1: " (longest)", second: " (runner-up)"}
    assert options == [f"{name}{notes.get(j, '')}" for j, name in enumerate(NAMES)]
    side = view.locator("canvas.cloud").first.evaluate("(canvas) => canvas.clientWidth")
    clouds = [vote_cloud(trace, j).votes for j in range(J)]
    lengths = np.sort(np.linalg.norm(np.stack(clouds), axis=2).ravel())
    reach = lengths[int(0.998 * (len(lengths) - 1))]
    votes = clouds[1] / reach
    far = np.linalg.norm(votes, axis=1)
    expected = side / 2 + (side / 2 - 6) * votes / np.maximum(far, 1)[:, None] * [1, -1]
    found = view.evaluate("(side) => [...explorer.clouds.place(0, side, side)]", side)
    np.testing.assert_allclose(np.reshape(found, (CAPSULES, 2)), expected, atol=1e-3)
    text = view.locator(".clouds .look").nth(1).inner_text()
    assert "but 60 small votes" in text
    assert "Three of the five dimensions are not shown." in text


def test_the_filmstrip_draws_20_pixels_and_names(view: Page, trace: RoutingTrace) -> None:
    for r in range(R):
        cell = view.get_by_test_id(f"film-{r + 1}")
        picture = cell.locator("canvas")
        assert picture.evaluate("(canvas) => [canvas.width, canvas.height]") == [SIZE, SIZE]
        found = picture.evaluate("(canvas) => pixels(canvas, [[0, 19], [19, 0], [7, 3]]).map((p) => p[0])")
        assert found == pytest.approx(
            [round(drawings()[r, 1, y, x] * 255) for x, y in ((0, 19), (19, 0), (7, 3))], abs=1
        )
        assert (
            picture.get_attribute("aria-label")
            == f"what capsule long-eared owl draws after iteration {r + 1}"
        )
        assert (
            cell.locator(".film-caption").first.inner_text()
            == f"|v| of long-eared owl is {shown(trace.lengths[r, 1], 3)}"
        )
        assert cell.locator("em").all_text_contents() == list(NAMES)
        heights = cell.locator(".bars i").evaluate_all(
            "(bars) => bars.map((bar) => parseFloat(bar.style.height))"
        )
        assert heights == pytest.approx(100 * trace.lengths[r], abs=0.06)
    expect(view.locator(".film-section .look")).to_contain_text("ln 3 = 1.0986 (all three alike)")


def test_the_microscope_has_a_row_for_each_class_and_the_capsule_s_field(
    view: Page, trace: RoutingTrace
) -> None:
    rows = view.locator(".microscope tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"
    )
    following = trace.b[2, CHOSEN] + trace.agreement[2, CHOSEN]
    for digit, row in enumerate(rows):
        assert row == [
            NAMES[digit],
            "",
            shown(trace.b[2, CHOSEN, digit]),
            shown(trace.c[2, CHOSEN, digit]),
            signed(trace.agreement[2, CHOSEN, digit]),
            shown(following[digit]),
        ]
    assert len(rows) == J
    assert view.get_by_test_id("u").inner_text().split() == [shown(x, 2) for x in trace.u[CHOSEN]]
    numbers = ", ".join(shown(x, 2) for x in trace.u_hat[CHOSEN, 1])
    expect(view.get_by_test_id("vote")).to_have_text(f"û to long-eared owl = ({numbers})")
    expect(view.locator(".microscope tfoot th")).to_have_text("the three c sum to")
    assert view.locator(".u-line .term").get_attribute("data-tip") == (
        "Its own four numbers after squashing: direction is what it found, length how surely."
    )
    found = view.locator(".field").evaluate(
        """(canvas) => pixels(canvas, Array.from({ length: 400 }, (_, p) =>
            [(p % 20 + 0.5) * canvas.width / 20, (Math.floor(p / 20) + 0.5) * canvas.width / 20])).map((p) => p[0])"""
    )
    levels, grey = np.reshape(found, (SIZE, SIZE)), np.round(trace.image * 0.9 * 255)
    inside = np.zeros((SIZE, SIZE), bool)
    inside[3:10, 9:16] = True  # row 1, column 4: rows 2 to 10, columns 8 to 16, without the white line
    np.testing.assert_allclose(levels[inside], grey[inside], atol=1.1)
    outside = np.ones((SIZE, SIZE), bool)
    outside[2:11, 8:17] = False
    np.testing.assert_allclose(levels[outside], grey[outside] * 0.45, atol=1.6)
    for name, sizes in (("type", TYPES), ("row", ROWS), ("column", COLUMNS)):
        picker = view.get_by_label(f"Capsule {name}", exact=True)
        assert picker.locator("option").all_inner_texts() == [str(n) for n in range(sizes)]
    for name, value in (("type", "1"), ("row", "2"), ("column", "3")):
        view.get_by_label(f"Capsule {name}", exact=True).select_option(value)
    expect(view.get_by_test_id("capsule")).to_have_text("Capsule 28: type 1, row 2, column 3")


def test_the_algorithm_speaks_of_this_network(view: Page, trace: RoutingTrace) -> None:
    tips = view.locator(".procedure li").evaluate_all("(lines) => lines.map((line) => line.dataset.tip)")
    assert "(60 primary capsules) for capsules j in the next (three classes)" in tips[0]
    assert tips[2].startswith("The network was trained with 2.")
    assert tips[-1] == "Three vectors of 5 numbers; the longest is the answer."
    view.evaluate("explorer.choose({ digit: 2 }); at(9)")
    expect(view.locator(".algorithm h3")).to_have_text(
        f"Here: class j = <i>&, capsule i = {CHOSEN} (type 2, row 1, column 4)"
    )
    expect(view.get_by_test_id("numbers")).to_contain_text(
        f"|s<i>&| = {shown(float(np.linalg.norm(trace.s[2, 2])), 3)}"
    )
    view.evaluate("at(0)")
    expect(view.get_by_test_id("numbers")).to_contain_text("so all three are 1/3.")
    assert view.locator(".routing i >> text=&").count() == 0  # a name is text and not markup


def test_keys_choose_the_class_of_that_place(view: Page) -> None:
    heading = view.locator(".algorithm h3")
    for key, name in (
        ("0", "cat"),
        ("2", "<i>&"),
        ("1", "long-eared owl"),
        ("3", "long-eared owl"),
        ("9", "long-eared owl"),
    ):
        view.keyboard.press(key)
        expect(heading).to_contain_text(f"class j = {name},")


def test_the_ends_of_a_scale_are_those_of_three_classes(view: Page, trace: RoutingTrace) -> None:
    limit = scale_limits(trace)["c"]["place"]
    ends = view.get_by_test_id("legend-place").locator(".ends span").all_inner_texts()
    assert ends == [shown(2**-limit / 3, 3), "0.333 = uniform", shown(min(2**limit / 3, 1), 3)]
    names = view.locator(".scale-bar .choice").all_inner_texts()
    assert names[:2] == ["c, around 1/3", "c − 1/3"]


@pytest.mark.parametrize("width", [1400, 800, 390])
def test_names_have_room_and_break_nothing(context: BrowserContext, trace: RoutingTrace, width: int) -> None:
    with without_errors(context.new_page()) as page:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("http://capsviz.test/routing?digit=3")
        page.evaluate("open_view()")
        page.evaluate("load", payload_of(trace))
        expect(page.get_by_role("alert")).to_contain_text("counted from 0 to 2")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for digit, name in enumerate(NAMES):
            label = page.get_by_test_id(f"digit-{digit}").locator("b")
            assert label.inner_text() == name
            inside, button = label.bounding_box(), page.get_by_test_id(f"digit-{digit}").bounding_box()
            assert inside is not None
            assert button is not None
            assert button["x"] <= inside["x"]
            assert inside["x"] + inside["width"] <= button["x"] + button["width"] + 0.5
        if width == 1400:
            assert (
                page.get_by_test_id("digit-0").locator("b").evaluate("(b) => b.scrollWidth <= b.clientWidth")
            )
        assert (
            page.locator(".track").first.evaluate(
                "(track) => Math.max(track.clientWidth, track.clientHeight)"
            )
            > 20
        )


def test_what_a_link_may_ask_for_is_what_the_payload_declares(
    context: BrowserContext, trace: RoutingTrace
) -> None:
    with without_errors(context.new_page()) as page:
        page.goto("http://capsviz.test/routing?digit=0&capsule=17&step=4")
        page.evaluate(
            """(text) => {
                const payload = { ...lab.unpack(bytes(text)), link: { digit: [1, 2], step: [0, 11] } };
                lab.speak(payload.texts);
                new lab.Explorer(document.getElementById("root"), payload).load(payload);
            }""",
            payload_of(trace),
        )
        expect(page.get_by_role("alert")).to_have_text(
            "The link asks for digit “0”, but they are counted from 1 to 2: the longest is shown instead."
        )
        expect(page.get_by_test_id("capsule")).to_contain_text("Capsule 17:")
        expect(page.get_by_test_id("where")).to_have_text("iteration 2 of 3, softmax: c")


# One view, several networks


def test_another_network_in_the_same_place_is_shown_with_its_own_sizes(
    context: BrowserContext, trace: RoutingTrace
) -> None:
    digits = routing_numbers.made_up()
    packed = base64.b64encode(routing_payload(digits, routing_numbers.drawings_of(3))).decode()
    with without_errors(context.new_page()) as page:
        page.goto("http://capsviz.test/routing")
        mount = """async (text) => {
            const { default: mount } = await import("/browser/explorer.js");
            window.leave = mount({ data: bytes(text), parentElement: document.getElementById("root"), setStateValue() {} });
        }"""
        for text, classes, places in (
            (packed, list("0123456789"), "36"),
            (payload_of(trace), list(NAMES), "15"),
        ):
            page.evaluate(mount, text)
            assert page.locator(".routing").count() == 1
            assert page.locator(".stage-digit b").all_inner_texts() == classes
            expect(page.locator(".couplings .look").nth(1)).to_contain_text(f"over its {places} places")
        page.evaluate("window.kept = document.querySelector('.routing')")
        page.evaluate(mount, payload_of(made_up(9)))  # the same network: the view stays
        assert page.evaluate("window.kept === document.querySelector('.routing')")
        page.evaluate("leave()")
        assert page.locator(".routing").count() == 0
        assert page.evaluate("window.capsvizRouting.id")


# Surgery


@pytest.fixture(scope="module")
def operating(browser: Browser) -> Iterator[Page]:
    with without_errors(browser.new_page(viewport={"width": 1300, "height": 900})) as page:
        serve_scripts(page, surgery_numbers.document)
        page.goto("http://capsviz.test/")
        page.wait_for_function("Boolean(window.open_view)")
        yield page


@pytest.fixture
def surgery(operating: Page) -> Page:
    operating.mouse.move(0, 0)
    operating.evaluate("open_view()")
    return operating


def answer(trace: RoutingTrace, **fields: Any) -> dict[str, Any]:
    operation = Operation(**fields)
    silenced = silence(trace.grid, operation.types, operation.places)
    after = reroute(trace.u_hat, operation.iterations or R, silenced=silenced)
    ramp = np.linspace(0, 1, SIZE**2).reshape(SIZE, SIZE)
    data = surgery_payload(trace, ramp, after, ramp[::-1])
    return data | {"operation": asdict(operation), "problem": "", "examples": ["two", "seven"]}


def test_surgery_of_another_shape(surgery: Page, trace: RoutingTrace) -> None:
    data = answer(trace, types=(0, 3))
    surgery.evaluate("(data) => load(data)", data)
    after = reroute(trace.u_hat, R, silenced=silence(trace.grid, (0, 3))).lengths
    assert surgery.locator(".paired b").all_inner_texts() == list(NAMES)
    for digit, length in enumerate(after):
        expect(surgery.get_by_test_id(f"after-{digit}")).to_have_text(shown(length, 3))
    was, won = shown(trace.lengths[-1, 1], 3), int(after.argmax())
    expected = (
        f"Still long-eared owl, length {was} → {shown(after[1], 3)}."
        if won == 1
        else f"No longer long-eared owl ({was} → {shown(after[1], 3)}) but {NAMES[won]} ({shown(after[won], 3)})."
    )
    expect(surgery.get_by_test_id("verdict")).to_have_text(expected)
    expect(surgery.get_by_test_id("row-sums")).to_have_text(
        "Over the three classes, every capsule’s c sums to 1.000."
    )
    canvas = surgery.locator(".outcome canvas").first
    found = canvas.evaluate(
        "(c) => [...c.getContext('2d').getImageData(0, 0, 20, 20).data].filter((_, at) => at % 4 === 0)"
    )
    assert found == data["before"]["drawing"]
    share = trace.share[-1, :, 1].reshape(TYPES, PLACES)
    for name, shares in (("place", share.sum(axis=0)), ("capsule type", share.sum(axis=1))):
        buttons = surgery.get_by_role("group", name=f"Silenced by {name}").locator("button")
        labels = buttons.evaluate_all("(all) => all.map((b) => b.getAttribute('aria-label'))")
        where = [
            f"row {n // 5}, column {n % 5}" if name == "place" else f"type {n}" for n in range(len(shares))
        ]
        assert labels == [
            f"{text}, share {signed(value, 3)}" for text, value in zip(where, shares, strict=True)
        ]


def test_the_buttons_of_places_lie_where_the_fields_have_their_middle(
    surgery: Page, trace: RoutingTrace
) -> None:
    surgery.evaluate("(data) => load(data)", answer(trace))
    box = surgery.locator(".over-drawing").bounding_box()
    assert box is not None
    pixel = box["width"] / 16  # two of the 20 are cut off at each edge
    assert box["height"] == pytest.approx(box["width"], abs=0.5)
    for place in (0, 4, 5, 14):
        button = surgery.locator(".over-drawing button").nth(place).bounding_box()
        assert button is not None
        row, column = divmod(place, COLUMNS)
        assert button["x"] + button["width"] / 2 - box["x"] == pytest.approx(
            (2.5 + 2 * column) * pixel, abs=1
        )
        assert button["y"] + button["height"] / 2 - box["y"] == pytest.approx((2.5 + 2 * row) * pixel, abs=1)
    assert surgery.locator(".over-drawing").evaluate("(box) => box.style.backgroundSize") == "125% auto"


def test_places_are_silenced_by_keys_that_know_the_columns(surgery: Page, trace: RoutingTrace) -> None:
    surgery.evaluate("(data) => load(data)", answer(trace))
    surgery.locator(".over-drawing button").first.focus()
    for key in ("ArrowDown", "ArrowRight", " "):
        surgery.keyboard.press(key)
    assert surgery.evaluate("sent.at(-1)[1].places") == [6]
    surgery.evaluate("view.questions.asked = null")
    surgery.get_by_role("group", name="Silenced by capsule type").locator("button").first.focus()
    for key in ("ArrowDown", "ArrowRight", " "):  # one row of four: there is nothing below
        surgery.keyboard.press(key)
    assert surgery.evaluate("sent.at(-1)[1].types") == [1]
    surgery.evaluate("(data) => load(data)", answer(trace, types=(0, 1, 2, 3)))
    surgery.evaluate("view.operation.types = [0, 1, 2, 3]; view.show()")
    expect(surgery.get_by_test_id("verdict")).to_have_text(
        "No capsule is left to vote: every length is 0, there is no answer."
    )


def test_a_change_is_sent_although_the_answer_before_never_comes(surgery: Page, trace: RoutingTrace) -> None:
    surgery.evaluate("(data) => load(data)", answer(trace))
    rounds = surgery.get_by_label("Routing iterations of the experiment")
    for value in ("4", "5"):
        rounds.fill(value)
    assert [operation["iterations"] for _, operation in surgery.evaluate("sent")] == [4]
    surgery.wait_for_function("sent.length === 2", timeout=10_000)
    rounds.fill("6")  # and that one is waited for again
    assert [operation["iterations"] for _, operation in surgery.evaluate("sent")] == [4, 5]
    surgery.evaluate("(data) => load(data)", answer(trace, number=2, iterations=5))
    assert [operation["iterations"] for _, operation in surgery.evaluate("sent")] == [4, 5, 6]
    surgery.evaluate("(data) => load(data)", answer(trace, number=3, iterations=6))
    surgery.wait_for_timeout(2300)
    assert len(surgery.evaluate("sent")) == 3  # nothing is sent twice


def test_a_view_that_is_left_sends_nothing_more(surgery: Page, trace: RoutingTrace) -> None:
    surgery.evaluate("(data) => load(data)", answer(trace))
    rounds = surgery.get_by_label("Routing iterations of the experiment")
    for value in ("4", "5"):
        rounds.fill(value)
    surgery.evaluate("view.unmount()")
    surgery.wait_for_timeout(2300)
    assert len(surgery.evaluate("sent")) == 1


# Words


def pseudo(sent: dict[str, Any]) -> dict[str, Any]:
    """The texts, each between ⟦ and ⟧; a term with its meaning keeps its marks."""

    def wrap(text: str) -> str:
        return "⟦" + re.sub(r"\[\[(.+?)\|(.+?)\]\]", r"[[\1|⟦\2⟧]]", text) + "⟧"

    wrapped = {
        name: wrap(text) if isinstance(text, str) else {form: wrap(own) for form, own in text.items()}
        for name, text in sent["texts"].items()
    }
    return {"language": "xx", "texts": wrapped}


UNMARKED = """(names) => {
    // What a person reads or hears, in the order of the page: text by its blocks, and attributes one by one.
    const found = [];
    const formula = (node) => node.parentElement.closest("sub, sup");
    let open = 0;
    const look = (text, where) => {
        let depth = 0;
        let outside = "";
        for (const letter of text) {
            if (letter === "⟦") depth++;
            else if (letter === "⟧") depth--;
            else if (depth + open === 0) outside += letter;
        }
        if (where === "text") open += depth; // a text with marks goes over several nodes
        for (const name of names) outside = outside.replaceAll(name, "");
        outside = outside.replace(/\\bln\\b/g, "");
        if (/\\p{Letter}{2}/u.test(outside)) found.push(`${where}: ${text.slice(0, 80)}`);
    };
    const walk = document.createTreeWalker(document.getElementById("root"), NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        if (!formula(node)) look(node.data, "text");
    }
    if (open) found.push(`${open} texts do not end`);
    for (const node of document.querySelectorAll("#root *")) {
        for (const name of ["aria-label", "aria-valuetext", "aria-description", "title", "data-tip", "placeholder", "alt"]) {
            if (node.hasAttribute(name)) look(node.getAttribute(name), name);
        }
    }
    return found;
}"""


def test_every_word_of_routing_is_from_the_texts(context: BrowserContext, trace: RoutingTrace) -> None:
    sent = pseudo(texts.for_script("common", "routing", "address"))
    with without_errors(context.new_page()) as page:
        page.goto("http://capsviz.test/routing?digit=9&capsule=x&step=-1")
        page.evaluate("open_view()")
        page.evaluate(
            """([text, sent]) => {
                const payload = { ...lab.unpack(bytes(text)), texts: sent, measured: "⟦measured⟧" };
                lab.speak(sent);
                window.explorer = new lab.Explorer(document.getElementById("root"), payload, () => 0);
                explorer.load(payload);
            }""",
            [payload_of(trace), sent],
        )
        assert page.locator(".notice").inner_text().count("⟦") == 3
        for frame in range(4 * R):
            page.evaluate("at", frame)
            assert page.evaluate(UNMARKED, NAMES) == []
        page.evaluate("explorer.clock.play()")
        assert page.evaluate(UNMARKED, NAMES) == []
        page.evaluate("explorer.clock.pause(); at(0)")
        for frame in (0, 11):
            page.evaluate("at", frame)
            said = page.evaluate(
                """[explorer.stage.describe(7), explorer.clouds.describe(0, 7),
                    explorer.maps.describe("place", 3, 1), explorer.maps.describe("type", 3, 1)]"""
            )
            assert all(text.startswith("⟦") and text.endswith("⟧") for text in said)
        page.evaluate(
            "for (const scale of ['uniform', 'last', 'share']) { explorer.scale = scale; explorer.draw(); }"
        )
        assert page.evaluate(UNMARKED, NAMES) == []
        assert page.locator("text=⟦").count() > 40  # they are there


def test_every_word_of_surgery_is_from_the_texts(surgery: Page, trace: RoutingTrace) -> None:
    sent = pseudo(texts.for_script("common", "surgery", "coupling"))
    for fields in (
        {},
        {"coupling": "uniform"},
        {"coupling": "random"},
        {"coupling": "children"},
        {"coupling": "carried"},
        {"iterations": 1},
        {"types": (1,)},
        {"places": tuple(range(PLACES))},
    ):
        for rows, lengths in (([1, 1], None), ([0.8, 0.8], [0.01] * J), ([0.2, 1.4], [0.1, 0.2, 0.9])):
            surgery.evaluate("open_view()")
            data = answer(trace, **fields) | {"texts": sent, "measured": "⟦measured⟧", "rowSums": rows}
            if lengths:
                data["after"] |= {"lengths": lengths, "digit": int(np.argmax(lengths))}
            surgery.evaluate("(data) => load(data)", data)
            assert surgery.evaluate(UNMARKED, [*NAMES, "two", "seven"]) == []


def test_the_unmarked_is_found(surgery: Page, trace: RoutingTrace) -> None:
    sent = pseudo(texts.for_script("common", "surgery", "coupling"))
    surgery.evaluate("(data) => load(data)", answer(trace) | {"texts": sent})
    surgery.evaluate("document.querySelector('.surgery h2').append(' and more')")
    surgery.evaluate("document.querySelector('.surgery canvas').title = 'a drawing'")
    found = surgery.evaluate(UNMARKED, [*NAMES, "two", "seven"])
    assert found == ["text:  and more", "title: a drawing"]


def test_arrays_of_an_empty_kind_are_unpacked(view: Page) -> None:
    packed = pack({"none": np.zeros((0, 4), np.float32), "one": np.array([3], np.int32)}, {})
    found = view.evaluate(
        "(text) => Object.values(lab.unpack(bytes(text)).arrays).map((a) => [...a])",
        base64.b64encode(packed).decode(),
    )
    assert found == [[], [3]]


def test_a_trace_of_one_iteration_and_two_classes_is_shown(context: BrowserContext) -> None:
    shape = replace(OTHER, classes=("a", "b"), pose=2, grid=CapsuleGrid(1, 2, 1, 9, 2))
    votes = np.random.default_rng(0).normal(0, 1, (2, 2, 2))
    routed = reroute(votes, 1)
    own = {name: getattr(routed, name) for name in "bcsv"}
    trace = RoutingTrace(
        np.zeros((SIZE, SIZE)), np.zeros((2, 6, 6)), np.ones((2, K)) / 4, votes, **own, shape=shape
    )
    packed = base64.b64encode(routing_payload(trace, np.zeros((1, 2, SIZE, SIZE)))).decode()
    with without_errors(context.new_page()) as page:
        page.goto("http://capsviz.test/routing")
        page.evaluate("open_view()")
        page.evaluate("load", packed)
        expect(page.get_by_test_id("where")).to_have_text("iteration 1 of 1, agreement: b")
        assert "dimensions" not in page.locator(".clouds .look").nth(1).inner_text()
        expect(page.get_by_test_id("digit-0")).to_contain_text(shown(trace.lengths[0, 0], 2))
