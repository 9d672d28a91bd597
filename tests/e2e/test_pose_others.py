"""The Pose page of a network of another shape, of two networks after one another, and in another language."""

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from capsviz import texts
from capsviz.figures import decoder_payload, pose_payload
from capsviz.figures.bundle import browser_assets
from capsviz.measures.poses import (
    PROPERTIES,
    Component,
    DigitPoses,
    Effect,
    PoseMeasurements,
    Range,
    Settings,
)
from capsviz.traces.base import CapsuleGrid, Shape
from capsviz.traces.routing import RoutingTrace
from tests.e2e import test_pose_numbers as digits
from tests.e2e.looking import failing_no_script
from tests.e2e.native import ADDRESS, importing, offer
from tests.e2e.test_pose_numbers import MOUNT, pixels, settle

CLASSES = ("kite", "ring", "zigzag")
GRID = CapsuleGrid(types=1, rows=5, columns=5, field=11, stride=2)
SHAPE = Shape(
    size=20, classes=CLASSES, kind="shape", grid=GRID, components=4, pose=5, routing="dynamic", trained=2
)
RING, NAME = 1, "ring-weights"

rng = np.random.default_rng(11)
LAYERS = [
    tuple(
        rng.normal(0, 0.8, size).astype(np.float16).astype(np.float32)
        for size in ((outputs, inputs), (outputs,))
    )
    for inputs, outputs in ((15, 9), (9, 400))
]
V = np.array([[0.1, 0, -0.1, 0, 0.05], [0.5, -0.4, 0.3, -0.2, 0.1], [0.02, 0.03, 0, -0.2, 0.1]], np.float32)
MEASURED = PoseMeasurements(
    "5" * 64,
    Settings("hands", 20, 300),
    tuple(
        DigitPoses(
            Range(0.9, 0.1, 0.5, 0.99),
            dict.fromkeys(PROPERTIES, 1.0),
            tuple(
                Component(
                    0.25 * index,
                    0.05,
                    float(V[capsule, index]) - 0.1,
                    float(V[capsule, index]) + 0.2,
                    (index * 2 % 5 + 1) / 100,  # strongest are 2, 4, 1, 3, 0
                    dict.fromkeys(PROPERTIES, Effect(0.0, 0.0, 0.0, 0.0))
                    | {"slant": Effect(-3.0 - index, 0.5, -2.0, 1.0)},
                    "stored",
                )
                for index in range(5)
            ),
        )
        for capsule in range(3)
    ),
)


def decoded(inputs: np.ndarray) -> np.ndarray:
    """Grey levels [20, 20] of inputs [3, 5]: a layer with ReLU, one with a sigmoid."""
    (first, bias), (second, other) = LAYERS
    hidden = np.maximum(first.astype(float) @ np.asarray(inputs, float).reshape(15) + bias, 0)
    return (255 / (1 + np.exp(-(second.astype(float) @ hidden + other)))).reshape(20, 20)


def alone(pose: np.ndarray, capsule: int = RING) -> np.ndarray:
    fed = np.zeros((3, 5))
    fed[capsule] = pose
    return decoded(fed)


def payload(v: np.ndarray = V, measured: PoseMeasurements | None = MEASURED, **other: Any) -> dict[str, Any]:
    steps = v[None]
    trace = RoutingTrace(
        image=np.zeros((20, 20)),
        features=np.zeros((6, 14, 14)),
        u=np.zeros((25, 4)),
        u_hat=np.zeros((25, 3, 5)),
        b=np.zeros((1, 25, 3)),
        c=np.full((1, 25, 3), 1 / 3),
        s=steps,
        v=steps,
        shape=SHAPE,
    )
    example = {"name": "“a kite”", "digit": 0, "pose": [0.1, 0.2, 0.3, 0.4, -0.1]}
    data = pose_payload(trace, np.zeros((20, 20)), example, measured, NAME)
    return {**data, "megabytes": 0.01, **other}


PACKED = base64.b64encode(decoder_payload(LAYERS, NAME)).decode()


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.set_default_timeout(10_000)
    _, style = browser_assets("pose", "pose")
    given = importing(
        {
            "pose": "default as mount, posingIn",
            "decoder": "Decoder",
            "packing": "unpack",
            "pad": "default as mountPad",
            "picture": "default as mountPicture",
        }
    )
    offer(
        page,
        f'<!doctype html><meta charset="utf-8"><style>{style}</style>'
        f'<div id="root"></div><script type="module">{given}</script>',
    )
    yield page
    context.close()


@pytest.fixture
def shapes(tab: Page) -> Iterator[Page]:
    with failing_no_script(tab):
        opened(tab)
        yield tab


def opened(page: Page, query: str = "", data: dict[str, Any] | None = None) -> None:
    page.goto(f"{ADDRESS}?{query}")
    page.wait_for_function("window.lab")
    mount(page, data or payload(), PACKED)


def mount(page: Page, data: dict[str, Any], decoder: str | None = None) -> None:
    page.evaluate(MOUNT, [data, decoder])
    settle(page)


def clay(page: Page) -> np.ndarray:
    return pixels(page.get_by_test_id("clay"))[..., 0]


def numbers(page: Page, capsule: int = RING) -> np.ndarray:
    return np.array(page.evaluate(f"Array.from(posing.poses[{capsule}])"))


# --- another shape ----------------------------------------------------------------------------------------


def test_a_network_of_three_classes_with_names_has_their_names_and_its_own_counts(shapes: Page) -> None:
    assert clay(shapes).shape == (20, 20)
    assert np.abs(clay(shapes) - alone(V[RING])).max() <= 0.51
    assert (
        shapes.get_by_test_id("pose-status").inner_text() == f"capsule ring, |v| = {np.linalg.norm(V[1]):.3f}"
    )
    assert shapes.locator(".slider b").all_inner_texts() == ["2", "4", "1", "3", "0"]
    assert shapes.locator(".slider-caption").first.inner_text() == "leans left (−5°)"
    expect(shapes.locator(".sliders")).to_have_attribute("aria-label", "Five pose dimensions")
    assert shapes.locator(".sliders").evaluate("(node) => node.style.getPropertyValue('--rows')") == "3"
    assert [text.split()[0] for text in shapes.locator(".capsules button").all_inner_texts()] == list(CLASSES)
    assert shapes.locator(".choice span").all_inner_texts() == [
        "winner",
        "chosen by hand",
        "all three, unmasked",
    ]
    tips = [node.get_attribute("data-tip") or "" for node in shapes.locator(".choice").all()]
    assert "The other two poses are fed as 0." in tips[0]
    assert "the true shape’s capsule" in tips[1]
    assert tips[2].startswith("All 15 numbers at once.")
    expect(shapes.get_by_test_id("fed")).to_have_attribute("aria-label", "The 15 inputs of the decoder")
    looks = " ".join(shapes.locator(".look").all_inner_texts())
    for said in (
        "Drag: the shape follows.",
        "15 inputs: a row for each shape capsule’s 5 numbers.",
        "tells the decoder which shape to draw",
        "each row moves one of the 5 numbers",
        "All 15 inputs move in a straight line. Between two different shapes both",
    ):
        assert said in looks
    assert not re.search(r"digit|sixteen|\b16\b|\b160\b|\bten\b", shapes.locator(".posing").inner_text())
    expect(shapes.get_by_role("button", name="mean ring")).to_be_visible()
    captions = shapes.locator(".morph figcaption").all_inner_texts()
    assert captions == ["A: this pose, a ring", "50% of the way", "B: “a kite”, a kite"]


def test_its_capsules_are_decoded_one_by_one_or_all(shapes: Page) -> None:
    shapes.get_by_test_id("capsule-2").click()
    settle(shapes)
    assert np.abs(clay(shapes) - alone(V[2], 2)).max() <= 0.51
    assert "capsule zigzag" in shapes.get_by_test_id("pose-status").inner_text()
    shapes.locator(".choice", has_text="all three, unmasked").click()
    settle(shapes)
    assert np.abs(clay(shapes) - decoded(V)).max() <= 0.51
    assert (
        shapes.get_by_test_id("pose-status")
        .inner_text()
        .startswith("all three; the sliders move capsule zigzag")
    )
    fed = shapes.get_by_test_id("fed")
    assert fed.evaluate("(node) => node.clientHeight") == 20 + 3 * 18
    picture = pixels(fed)
    left = shapes.evaluate(
        """() => {
            const context = document.createElement("canvas").getContext("2d");
            context.font = `bold 14px ${getComputedStyle(document.querySelector(".posing")).fontFamily}`;
            return Math.max(20, context.measureText("zigzag").width + 8);
        }"""
    )
    cell = (picture.shape[1] - left) / 5
    for capsule in range(3):
        for d in range(5):
            red, _, blue = picture[int(20 + (capsule + 0.5) * 18), int(left + (d + 0.5) * cell)]
            value = V[capsule, d]
            assert (red > blue) == (value > 0) or abs(value) < 0.02, (capsule, d)
            assert (blue > red) == (value < 0) or abs(value) < 0.02, (capsule, d)


def test_its_mean_its_sweep_and_its_morph(shapes: Page) -> None:
    shapes.get_by_role("button", name="mean ring").click()
    settle(shapes)
    np.testing.assert_allclose(numbers(shapes), 0.25 * np.arange(5), atol=1e-7)
    shapes.get_by_role("button", name="reset all").first.click()
    settle(shapes)
    grid = pixels(shapes.get_by_test_id("sweep"))[..., 0]
    assert grid.shape == (5 * 22, 11 * 22)
    for dimension in range(5):
        for step in range(11):
            moved = V[RING].astype(float)
            moved[dimension] += 0.05 * (step - 5)
            cell = grid[22 * dimension + 1 : 22 * dimension + 21, 22 * step + 1 : 22 * step + 21]
            assert np.abs(cell - alone(moved)).max() <= 1, (dimension, step)
    canvas = shapes.get_by_test_id("sweep")
    tops = [
        label.evaluate("(node) => node.getBoundingClientRect().top")
        for label in shapes.locator(".sweep-labels span").all()
    ]
    high = canvas.evaluate("(node) => node.clientHeight")
    assert np.diff(tops) == pytest.approx([high / 5] * 4, abs=0.6)  # a label beside each row
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": 10.5 / 11 * box["width"], "y": 4.5 / 5 * box["height"]})
    assert numbers(shapes)[4] == pytest.approx(V[RING, 4] + 0.25, abs=1e-6)
    shapes.get_by_role("button", name="reset all").first.click()
    shapes.get_by_label("From A to B").fill("0.25")
    fed = np.zeros((3, 5))
    fed[RING], fed[0] = 0.75 * V[RING], 0.25 * np.array([0.1, 0.2, 0.3, 0.4, -0.1])
    assert np.abs(pixels(shapes.get_by_test_id("morph"))[..., 0] - decoded(fed)).max() <= 0.51


def test_its_files_and_its_links(shapes: Page) -> None:
    found = digits.told(shapes)
    assert found["page"] == {"digit": 1, "pose": ",".join(str(float(value)) for value in V[1])}
    shapes.locator(".choice", has_text="all three, unmasked").click()
    np.testing.assert_array_equal(np.float32(digits.told(shapes)["sweep"]["motion"]["pose"]), V)
    every = np.round(np.linspace(-1, 1, 15), 3)
    opened(shapes, f"digit=2&pose={','.join(map(str, every))}")
    assert np.abs(clay(shapes) - decoded(every)).max() <= 0.51
    opened(shapes, "digit=7&pose=" + ",".join(["0.1"] * 16))
    assert shapes.locator(".notice").inner_text() == (
        "The link’s digit “7” is none of 0 to 2, and its pose holds more than 15 instead of 5 numbers "
        "(or 15 for all capsules): the drawing’s own pose is shown instead."
    )
    np.testing.assert_array_equal(np.float32(numbers(shapes)), V[RING])


@pytest.mark.parametrize(
    ("names", "abreast"), [("abcdefg", "7"), ("abcdefghijkl", "10"), (["quarter"] * 7, "5")]
)
def test_names_of_several_letters_have_more_room(shapes: Page, names: Any, abreast: str) -> None:
    classes = [f"{name}{at}" if len(name) > 1 else name for at, name in enumerate(names)]
    count = len(classes)
    other = {
        **{"classes": classes, "poses": [[0.1] * 5] * count, "scores": [0.2] * count, "measured": None},
        **{"digitColours": ["#123456"] * count, "decoder": "has not come", "drawing": "another"},
    }
    mount(shapes, payload(**other))
    found = shapes.locator(".capsules").evaluate("(node) => node.style.getPropertyValue('--abreast')")
    assert found == abreast
    assert shapes.locator(".capsules b").all_inner_texts() == classes


# --- two networks -----------------------------------------------------------------------------------------


def test_a_second_network_finds_nothing_of_the_first(shapes: Page) -> None:
    shapes.get_by_role("button", name="keep this pose as B").click()
    shapes.evaluate("(pose) => posing.take(pose)", [0.1, 0.1, 0.1, 0.1, 0.1])
    assert "pose=" in shapes.evaluate("location.search")
    shapes.locator(".choice", has_text="chosen by hand").click()
    shapes.get_by_label("Range of the sweep").fill("0.5")
    mount(shapes, digits.payload())  # whose decoder has not come yet
    assert shapes.locator(".posing").count() == 1
    assert shapes.locator(".posing.waiting").count() == 1
    assert shapes.evaluate("location.search") == ""
    assert shapes.locator(".slider").count() == 16
    assert shapes.get_by_label("Range of the sweep").input_value() == "0.25"
    assert shapes.locator("[name=mask]").first.is_checked()
    assert shapes.locator(".morph figcaption").nth(2).inner_text() == "B: “eight”, an 8"
    mount(shapes, digits.payload(), digits.PACKED)
    shapes.evaluate("window.dispatchEvent(new Event('capsviz-decoder'))")
    settle(shapes)
    assert np.abs(clay(shapes) - digits.alone(digits.V[digits.WINNER])).max() <= 0.51
    mount(shapes, payload())  # the first one again: as it was left, with its own decoder
    assert np.abs(clay(shapes) - alone(np.full(5, 0.1))).max() <= 0.51
    assert shapes.locator(".morph figcaption").nth(2).inner_text() == "B: kept, a ring"
    assert shapes.get_by_label("Range of the sweep").input_value() == "0.5"
    assert shapes.locator(".slider").count() == 5


# --- another language -------------------------------------------------------------------------------------


def pseudo(text: texts.Text) -> texts.Text:
    """A text of a language that nobody speaks: the first one's between brackets."""
    return f"⟦{text}⟧" if isinstance(text, str) else {form: f"⟦{words}⟧" for form, words in text.items()}


@pytest.fixture
def brackets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = {name: pseudo(text) for name, text in texts.texts("en").items()}
    monkeypatch.setattr(texts, "texts", lambda code: known)
    texts._for_script.cache_clear()
    yield
    texts._for_script.cache_clear()


def test_another_language_is_spoken_at_once_and_nothing_is_lost(shapes: Page) -> None:
    bent = [0.1, 0.2, 0.3, 0.2, 0.1]
    shapes.evaluate("(pose) => posing.take(pose)", bent)
    address = shapes.evaluate("location.search")
    spoken = {name: pseudo(text) for name, text in texts.for_script("common", "pose")["texts"].items()}
    mount(shapes, payload(texts={"language": "xx", "texts": spoken}))
    assert shapes.locator(".posing").count() == 1
    assert shapes.locator("h2").first.inner_text().startswith("⟦")
    np.testing.assert_allclose(numbers(shapes), bent, atol=1e-7)
    assert shapes.evaluate("location.search") == address
    mount(shapes, payload())
    assert shapes.locator("h2").first.inner_text() == "Which capsule is decoded?"


# All texts and all that is read out or shown as a tip, without what stands between brackets and without ``but``.
BARE = """([root, but]) => {
    const found = [];
    const walk = (node) => {
        if (node.nodeType === Node.TEXT_NODE) found.push(node.textContent);
        if (node.nodeType !== Node.ELEMENT_NODE || ["STYLE", "SCRIPT"].includes(node.tagName)) return;
        for (const name of ["aria-label", "aria-valuetext", "title", "data-tip", "alt", "placeholder"]) {
            if (node.hasAttribute(name)) found.push(node.getAttribute(name));
        }
        if (node.querySelector(":scope > b[class]")) found.push(node.textContent); // one text, of which parts are coloured
        else for (const child of [...node.childNodes, ...(node.shadowRoot?.childNodes ?? [])]) walk(child);
    };
    walk(document.querySelector(root));
    const bare = (text) => {
        for (let before; before !== text; ) [before, text] = [text, text.replace(/⟦[^⟦⟧]*⟧/g, "")];
        return text;
    };
    const words = found.filter((text) => text.trim()).map(bare);
    return { all: found.length, bare: words.filter((text) => /\\p{L}{2}/u.test(text) && !but.includes(text.trim())) };
}"""


def bare(page: Page, root: str = "#root", *but: str) -> list[str]:
    """What of a view did not come from the texts."""
    found = page.evaluate(BARE, [root, but])
    assert found["all"] > 1
    words: list[str] = found["bare"]
    return words


@pytest.mark.parametrize("other", [False, True], ids=["digits", "shapes"])
@pytest.mark.usefixtures("brackets")
def test_every_word_of_the_pose_view_is_a_text(tab: Page, other: bool) -> None:
    send: Callable[..., dict[str, Any]] = payload if other else digits.payload
    packed, names = (PACKED, CLASSES) if other else (digits.PACKED, ())

    def assert_said() -> None:
        assert bare(tab, "#root", *names) == []

    tab.goto(ADDRESS)
    tab.wait_for_function("window.lab")
    mount(tab, send())
    assert_said()  # until the decoder has come
    opened_data = send()
    tab.evaluate(MOUNT, [opened_data, packed])
    tab.evaluate("window.dispatchEvent(new Event('capsviz-decoder'))")
    settle(tab)
    assert_said()
    tab.get_by_test_id("sweep").hover(position={"x": 20, "y": 20})
    assert tab.locator(".tip").inner_text().startswith("⟦")
    for mask in range(3):
        tab.locator(".choice").nth(mask).click()
        tab.evaluate("(length) => posing.take(Array(length).fill(0.9))", 5 if other else 16)
        settle(tab)
        assert_said()
        tab.evaluate("posing.take(posing.pose.map((_, d) => d === 1 ? 0.9 : 0))")
        settle(tab)
        assert_said()
        tab.evaluate("posing.take(posing.pose.map(() => 0.001))")
        settle(tab)
        assert_said()
    tab.locator(".morph button").nth(1).click()
    tab.locator(".morph button").nth(0).click()
    assert_said()
    tab.locator(".morph button").nth(0).click()
    tab.locator(".pose-left button").nth(1).click()  # play
    assert_said()
    tab.keyboard.press("Escape")
    v = (V if other else digits.V)[:, ::-1]
    mount(tab, send(v))
    assert_said()  # the drawing before
    mount(tab, send(measured=None, drawing="not measured"))
    assert_said()
    for query in (
        "digit=x",
        "pose=1",
        "digit=x&pose=",
        "pose=" + "9," * 4 + "9",
        f"pose={'0.1,' * 999}",
        "digit=1&pose=" + ",".join(["0.1"] * (5 if other else 16)),
    ):
        tab.goto(f"{ADDRESS}?{query}")
        tab.wait_for_function("window.lab")
        mount(tab, send(), packed)
        assert tab.locator(".notice").inner_text().startswith("⟦")
        assert_said()


@pytest.mark.usefixtures("brackets")
def test_every_word_of_the_picture_s_dialog_is_a_text(tab: Page) -> None:
    tab.goto(ADDRESS)
    tab.wait_for_function("window.lab")
    sent = {
        **{"name": "photo.png", "shape": [20, 30], "marks": "", "crop": None, "without": [[0.25, 0.5]]},
        **{
            "picture": "data:,",
            "kind": texts.noun("digit"),
            "texts": texts.for_script("common", "picture"),
        },
    }
    tab.evaluate("(data) => lab.mountPicture({ data, parentElement: root, setStateValue: () => {} })", sent)
    assert bare(tab) == []
    assert (
        tab.locator(".framing-point").get_attribute("aria-label")
        == "⟦No ink, 25% across and 50% down: unmark⟧"
    )
    assert tab.locator(".framing-handle").count() == 4
    tab.locator(".framing input").check()
    assert bare(tab) == []
    assert tab.locator(".framing p b").all_inner_texts() == ["Orange", "blue"]


@pytest.mark.usefixtures("brackets")
def test_every_word_of_the_pad_s_keeper_is_a_text(tab: Page) -> None:
    tab.goto(ADDRESS)
    tab.wait_for_function("window.lab")
    sent = {
        **{"drawing": "", "told": "", "tag": [1, 1], "width": 18, "fresh": False},
        **{"kind": texts.noun("digit"), "texts": texts.for_script("common", "pad")},
    }
    tab.evaluate(
        """(data) => {
            root.innerHTML = '<div data-test-connection-state="CONNECTED"></div><div class="st-key-canvas"><div></div></div>';
            const shadow = root.querySelector(".st-key-canvas div").attachShadow({ mode: "open" });
            shadow.innerHTML = '<canvas class="upper-canvas"></canvas><canvas></canvas>';
            window.leavePad = lab.mountPad({ data, parentElement: root, setStateValue: () => {} });
        }""",
        sent,
    )
    pad = tab.locator("canvas.upper-canvas")
    expect(pad).to_have_attribute("aria-label", re.compile("^⟦Drawing pad: draw a ⟦digit⟧ with"))
    tab.evaluate("root.firstChild.setAttribute('data-test-connection-state', 'DISCONNECTED')")
    expect(tab.locator(".cv-away")).to_have_text(re.compile("^⟦The connection is lost"))
    assert bare(tab, "body") == []
    tab.evaluate("leavePad()")
    expect(tab.locator(".cv-away")).to_have_count(0)
