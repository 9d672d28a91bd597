"""What the Routing views show, read from the screen, is what the library computes: numbers, marks and colours.

The votes are made up so that every capsule, digit and iteration has numbers of its own: what is taken from a
neighbour of the right place differs. No server is needed: the page is that of ``routing_html``, with the view in
reach as ``explorer``.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from capsviz.figures import theme
from capsviz.figures.bundle import browser_assets
from capsviz.figures.packing import pack
from capsviz.figures.routing import (
    SCALES,
    routing_frames,
    routing_payload,
    scale_limits,
    scale_values,
    transforms_payload,
    vote_cloud,
)
from capsviz.traces.routing import RoutingTrace
from capsviz.traces.surgery import reroute
from tests.e2e.looking import serve_scripts, without_errors
from tests.reference import PAPER

CHOSEN = (7 * 6 + 1) * 6 + 4  # type 7, row 1, column 4
FOR, AGAINST = np.array(theme.FOR_COLOUR), np.array(theme.AGAINST_COLOUR)
R = 3
FRAMES = routing_frames(R)
ADDRESS = "http://capsviz.test/routing"
MODULES = ("address", "clock", "drawing", "explorer", "packing", "routing", "texts")


def made_up(seed: int = 3, iterations: int = R) -> RoutingTrace:
    """A trace in which digit 6 wins before digit 2, and every number is another."""
    rng = np.random.default_rng(seed)
    W = rng.normal(0, 0.05, (1152, 10, 16, 8)).astype(np.float16).astype(np.float32)
    u = rng.normal(0, 0.25, (1152, 8)).astype(np.float32)
    towards = rng.normal(0, 1, (10, 16))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    lean = 0.001 * np.arange(10) + [0, 0, 0.015, 0, 0, 0, 0.02, 0, 0, 0]
    gain = rng.normal(lean, 0.13, (1152, 10))
    # The first component of u carries what no random matrix would give: votes that agree.
    u[:, 0] = 0.5
    W[..., 0] = (2 * gain[..., None] * towards).astype(np.float16)
    u_hat = np.einsum("ijdk,ik->ijd", W, u)
    routed = reroute(u_hat, iterations)
    image = np.clip(rng.normal(0.3, 0.25, (28, 28)), 0, 1)
    image[:9] *= 0.3  # above and below, left and right differ
    image[:, 18:] *= 0.5
    return RoutingTrace(
        image=image,
        features=np.zeros((256, 20, 20)),
        u=u,
        u_hat=u_hat,
        b=routed.b,
        c=routed.c,
        s=routed.s,
        v=routed.v,
        shape=PAPER,
    )


def drawings_of(iterations: int) -> np.ndarray:
    """[R, 10, 28, 28] a grey of its own for each, brighter to the right and darker below."""
    own = (np.arange(iterations * 10).reshape(iterations, 10, 1, 1) + 10) / (iterations * 10 + 40)
    slope = np.linspace(-0.1, 0.1, 28)
    return own + slope[None, :] - 0.3 * slope[:, None]


def shown(value: float, digits: int = 4) -> str:
    text = f"{abs(value):.{digits}f}"
    return "−" + text if value < 0 and float(text) else text


def signed(value: float, digits: int = 4) -> str:
    text = shown(value, digits)
    return text if text.startswith("−") or float(text) == 0 else "+" + text


def document(script: str = "") -> str:
    _, style = browser_assets("explorer", "routing")
    imports = "\n".join(f'import * as ${name} from "/browser/{name}.js";' for name in MODULES)
    return f"""<!doctype html><html lang="en"><meta charset="utf-8">
    <meta name="viewport" content="width=device-width"><style>body {{ margin: 16px }} {style}</style>
    <body><div id="root"></div><script type="module">{imports}
    window.lab = {{ {", ".join(f"...${name}" for name in MODULES)} }};
    window.bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    window.floats = (text) => new Float32Array(bytes(text).buffer);
    window.apart = (found, text) => {{
        const expected = floats(text);
        if (expected.length !== found.length) return Infinity;
        return found.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at])), 0);
    }};
    window.sent = [];
    window.open_view = () => {{ window.explorer = undefined; }};
    window.load = (text) => {{
        const payload = lab.unpack(bytes(text));
        lab.speak(payload.texts);
        window.explorer ??= new lab.Explorer(document.getElementById("root"), payload, (...what) => sent.push(what));
        explorer.load(payload);
    }};
    window.at = (frame) => {{
        explorer.clock.stop();
        explorer.clock.position = explorer.clock.target = frame;
        explorer.draw();
    }};
    window.pixels = (canvas, points) => {{
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return points.map(([x, y]) => {{
            const first = 4 * (Math.floor(y) * data.width + Math.floor(x));
            return [...data.data.slice(first, first + 4)];
        }});
    }};
    {script}
    </script>"""


def text_of(array: np.ndarray, kind: Any = np.float32) -> str:
    return base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode()


def load(page: Page, trace: RoutingTrace, transforms: str | None = None) -> None:
    payload = routing_payload(trace, drawings_of(trace.iterations), transforms)
    page.evaluate("load", base64.b64encode(payload).decode())


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Without motion: a step is there at once."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, reduced_motion="reduce")
    serve_scripts(context, document)
    yield context
    context.close()


@pytest.fixture(scope="module")
def trace() -> RoutingTrace:
    return made_up()


@pytest.fixture(scope="module")
def opened(context: BrowserContext, trace: RoutingTrace) -> Iterator[Page]:
    with without_errors(context.new_page()) as page:
        page.goto(ADDRESS)
        page.evaluate("open_view()")
        load(page, trace)
        yield page


@pytest.fixture
def view(opened: Page) -> Page:
    """At the last step, capsule ``CHOSEN`` and digit 6 chosen, on the first scale."""
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


# Pure functions


def test_all_half_precision_numbers_are_widened_exactly(view: Page) -> None:
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    found = view.evaluate(
        "(text) => { const { arrays } = lab.unpack(bytes(text)); return [arrays.halves.constructor.name, "
        "[...arrays.halves].map((x) => Number.isNaN(x) ? 'nan' : Object.is(x, -0) ? '-0' : String(x))] }",
        base64.b64encode(pack({"before": np.zeros(3, np.uint8), "halves": halves}, {})).decode(),
    )
    assert found[0] == "Float32Array"
    for text, half in zip(found[1], halves.astype(np.float64), strict=True):
        if np.isnan(half):
            assert text == "nan"
        elif half == 0:
            assert text == ("-0" if np.signbit(half) else "0")
        else:
            assert float(text) == half


def test_arrays_of_every_type_are_unpacked_wherever_their_bytes_begin(view: Page) -> None:
    arrays = {
        "bytes": np.array([[1, 2, 255]], np.uint8),
        "whole": np.array([-(2**31), 7, 2**31 - 1], np.int32),
        "single": np.array([[0.1, -1e-40], [3e38, 2]], np.float32),
    }
    found = view.evaluate(
        """(text) => {
            const packed = bytes(text);
            const shifted = new Uint8Array(packed.length + 9).fill(77);
            shifted.set(packed, 3);
            const { arrays, name } = lab.unpack(shifted.subarray(3, 3 + packed.length));
            return [name, Object.entries(arrays).map(([key, a]) => [key, a.constructor.name, [...a]])];
        }""",
        base64.b64encode(pack(arrays, {"name": "û"})).decode(),
    )
    assert found[0] == "û"
    kinds = {"bytes": "Uint8Array", "whole": "Int32Array", "single": "Float32Array"}
    assert found[1] == [[key, kinds[key], array.ravel().tolist()] for key, array in arrays.items()]


def test_votes_made_in_the_browser_are_the_trace_s(view: Page) -> None:
    rng = np.random.default_rng(1)
    W = rng.normal(0, 1, (36, 10, 16, 8)).astype(np.float16)
    u = rng.normal(0, 1, (36, 8)).astype(np.float32)
    expected = np.einsum("ijdk,ik->ijd", W.astype(np.float64), u)
    found = view.evaluate(
        "([W, u, expected]) => apart(lab.predictions(lab.unpack(bytes(W)).arrays.W, floats(u), 36), expected)",
        [
            base64.b64encode(transforms_payload(W.astype(np.float32), "x")).decode(),
            text_of(u),
            text_of(expected),
        ],
    )
    assert found < 1e-5


def test_vectors_are_projected_on_each_digit_s_axes(view: Page, trace: RoutingTrace) -> None:
    clouds = [vote_cloud(trace, j) for j in range(10)]
    axes = np.stack([cloud.axes for cloud in clouds])
    for vectors, points in (("u_hat", "votes"), ("s", "s"), ("v", "v")):
        expected = np.stack([getattr(cloud, points) for cloud in clouds])
        assert (
            view.evaluate(
                "([vectors, axes, expected]) => apart(lab.projected(floats(vectors), floats(axes), 10), expected)",
                [text_of(getattr(trace, vectors)), text_of(axes), text_of(expected)],
            )
            < 1e-5
        )


def test_sums_of_procedure_1_are_the_trace_s(view: Page, trace: RoutingTrace) -> None:
    for name in ("b", "c", "agreement", "share"):
        for r in range(R):
            expected = text_of(getattr(trace, name)[r])
            assert view.evaluate(f"(text) => apart(explorer.routing.{name}[{r}], text)", expected) < 2e-5
    following = trace.b[-1] + trace.agreement[-1]
    assert view.evaluate("(text) => apart(explorer.routing.b[3], text)", text_of(following)) < 2e-5


@pytest.mark.parametrize("level", ["capsule", "place", "type"])
@pytest.mark.parametrize("scale", SCALES)
def test_scales_are_python_s(view: Page, trace: RoutingTrace, scale: str, level: str) -> None:
    expected = scale_values(trace, scale, level)
    call = f"lab.scaleValues(explorer.payload, explorer.routing, '{scale}', R, '{level}')"
    for r in range(R):
        found = view.evaluate(f"(text) => apart({call.replace('R', str(r), 1)}, text)", text_of(expected[r]))
        assert found < 5e-5


def test_a_vote_that_nobody_has_counted_yet_has_no_share(view: Page) -> None:
    for level, count in (("capsule", 11520), ("place", 360), ("type", 320)):
        found = view.evaluate(
            f"[...lab.scaleValues(explorer.payload, explorer.routing, 'share', -1, '{level}')]"
        )
        assert found == [0] * count


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("fixed(1.005, 2)", "1.00"),
        ("fixed(-0.126)", "−0.13"),
        ("fixed(-0.004)", "0.00"),
        ("fixed(-0.006)", "−0.01"),
        ("fixed(2, 0)", "2"),
        ("signedText(0.126)", "+0.13"),
        ("signedText(-0.126)", "−0.13"),
        ("signedText(0.004)", "0.00"),
        ("signedText(-0.004)", "0.00"),
        ("percent(0.5)", "50%"),
        ("percent(0.0994)", "9.9%"),
        ("percent(0.0996)", "10%"),
        ("percent(-0.031)", "−3.1%"),
        ("scaleReach('c', 9, 10).map((x) => x.toFixed(4)).join()", "9.0000,3.3219"),
        ("scaleReach('c', 2, 10).join()", "2,2"),
        ("scaleReach('uniform', 0.5, 10).join()", "0.1,0.5"),
        ("scaleReach('uniform', 0.95, 10).join()", "0.1,0.9"),
        ("scaleReach('uniform', 0.05, 10).join()", "0.05,0.05"),
        ("scaleReach('last', 0.5, 10).join()", "0.5,0.5"),
        ("scaleReach('share', 3, 10).join()", "3,3"),
        ("quoted('a'.repeat(20))", "aaaaaaaaaaaaaaaaaaaa"),
        ("quoted('a'.repeat(5000))", "aaaaaaaaaaaaaaaaaaaa…"),
        ("quoted('<b>x</b>[](//y)')", "?b?x??b??????y?"),
        ("quoted('-3 .,+٣')", "-3 .,+?"),
        ("wholeOfText('0', 0, 9)", 0),
        ("wholeOfText('9', 0, 9)", 9),
        ("wholeOfText('10', 0, 9)", None),
        ("wholeOfText('07', 0, 9)", None),
        ("wholeOfText('1151', 0, 1151)", 1151),
        ("wholeOfText('0412', 0, 1151)", 412),
        ("wholeOfText('1152', 0, 1151)", None),
        ("wholeOfText('00412', 0, 1151)", None),
        ("wholeOfText('٣', 0, 9)", None),
        ("wholeOfText('', 0, 9)", None),
        ("wholeOfText('-1', 0, 1151)", None),
        ("wholeOfText('1e2', 0, 1151)", None),
        ("wholeOfText(' 1', 0, 1151)", None),
        ("wholeOfText('1.0', 0, 1151)", None),
        ("wholeOfText('4', 5, 12)", None),
        ("wholeOfText('05', 5, 12)", 5),
        ("wholeOfText('12', 5, 12)", 12),
        ("wholeOfText('13', 5, 12)", None),
        ("linkWith('http://x/routing?R=5&digit=1&step=3', { digit: 0, capsule: 7, step: undefined })",
         "http://x/routing?R=5&digit=0&capsule=7"),
    ],
)  # fmt: skip
def test_small_functions_by_hand(view: Page, call: str, expected: object) -> None:
    assert view.evaluate(f"lab.{call}") == expected


def test_colours_of_the_diverging_scale_by_hand(view: Page) -> None:
    found = view.evaluate(
        """() => { const colours = new lab.Diverging({ forColour: [1, 2, 3], againstColour: [4, 5, 6] });
        return [0, 1, -1, 7, -7, 0.5, -0.25, 0.01, 0.02].map((value) => colours.at(value)); }"""
    )
    assert found == [
        "rgb(1 2 3 / 0.000)",
        "rgb(1 2 3 / 1.000)",
        "rgb(4 5 6 / 1.000)",
        "rgb(1 2 3 / 1.000)",
        "rgb(4 5 6 / 1.000)",
        "rgb(1 2 3 / 0.500)",
        "rgb(4 5 6 / 0.250)",
        "rgb(1 2 3 / 0.000)",
        "rgb(1 2 3 / 0.031)",
    ]


def test_where_a_capsule_sits(view: Page) -> None:
    for i in (0, 5, 6, 35, 36, CHOSEN, 1151):
        kind, row, column = np.unravel_index(i, (32, 6, 6))
        assert view.evaluate(f"lab.capsuleAt(explorer.payload, {i})") == {
            "type": kind,
            "place": row * 6 + column,
            "row": row,
            "column": column,
        }


# The clock


def clock(page: Page, actions: str) -> Any:
    """A clock of 12 frames whose time stands still but for ``tick(milliseconds)``, and for timers for ``ring()``."""
    return page.evaluate(
        f"""() => {{
            const real = [window.requestAnimationFrame, window.setTimeout];
            let frames = [], now = 1000;
            const timers = [];
            window.requestAnimationFrame = (call) => frames.push(call);
            window.setTimeout = (call, wait) => timers.push([call, wait]);
            const tick = (by) => {{ now += by; const due = frames; frames = []; due.forEach((call) => call(now)); }};
            const ring = () => {{ const [call, wait] = timers.pop(); call(); return wait; }};
            try {{
                let changes = 0;
                const clock = new lab.Clock(() => changes++);
                clock.still = {{ matches: false }};
                clock.setFrames(12, 4);
                const seen = [];
                {actions}
                return seen;
            }} finally {{ [window.requestAnimationFrame, window.setTimeout] = real; }}
        }}"""
    )


def test_a_step_takes_300_milliseconds_and_eases(view: Page) -> None:
    seen = clock(
        view,
        "clock.step(1); tick(0); seen.push(clock.position, clock.moving);"
        "for (const by of [75, 75, 75, 74]) { tick(by); seen.push(clock.position); }"
        "tick(1); seen.push(clock.position, clock.moving); tick(50); seen.push(clock.position)",
    )
    assert seen[:2] == [4, True]
    eased = [3 * t**2 - 2 * t**3 for t in (0.25, 0.5, 0.75, 299 / 300)]
    assert seen[2:6] == pytest.approx([4 + t for t in eased])
    assert seen[6:] == [5, False, 5]


def test_a_clock_at_a_higher_speed_is_quicker_but_never_slower_than_300_milliseconds(view: Page) -> None:
    seen = clock(
        view,
        "for (const speed of [0.5, 4]) { clock.speed = speed; clock.go(clock.target + 2); tick(0); tick(75); "
        "seen.push(clock.position); tick(225); seen.push(clock.position); }",
    )
    assert seen == pytest.approx([4 + 2 * 0.15625, 6, 8, 8])


def test_a_clock_stops_at_both_ends(view: Page) -> None:
    seen = clock(
        view,
        "for (const by of [-9, -1, 0, 30, -1, 1, 1]) { clock.step(by); seen.push(clock.target, clock.atEnd); }",
    )
    assert seen == [0, False, 0, False, 0, False, 11, True, 10, False, 11, True, 11, True]


def test_playing_rests_at_every_frame_and_stops_at_the_last(view: Page) -> None:
    seen = clock(
        view,
        "clock.go(9); tick(0); tick(300); clock.toggle(); seen.push(clock.playing, ring());"
        "tick(0); tick(300); seen.push(clock.position, clock.playing); clock.speed = 2; seen.push(ring());"
        "tick(0); tick(150); seen.push(clock.position, ring(), clock.playing, clock.target);"
        "clock.play(); seen.push(clock.position, clock.target); clock.pause(); seen.push(clock.playing)",
    )
    assert seen == [True, 350, 10, True, 700, 11, 350, False, 11, 0, 0, False]


def test_another_trace_keeps_the_frame_where_it_exists(view: Page) -> None:
    seen = clock(
        view,
        "for (const [count, frame] of [[40, 11], [12, 39], [12, 0], [20, null], [4, undefined], [40, 39]])"
        "{ clock.setFrames(count, frame); seen.push(clock.position, clock.target, clock.last); }",
    )
    assert seen == [11, 11, 39, 11, 11, 11, 0, 0, 11, 19, 19, 19, 3, 3, 3, 39, 39, 39]


def test_between_two_frames_numbers_lie_between(view: Page, trace: RoutingTrace) -> None:
    view.evaluate("explorer.clock.position = 5.25; explorer.clock.target = 6; explorer.draw()")
    # Frame 6 squashes what frame 5 has summed: v is a quarter on its way, c and s stand.
    found = view.evaluate("[...explorer.blend('v', explorer.lengths)]")
    np.testing.assert_allclose(found, 0.75 * trace.lengths[0] + 0.25 * trace.lengths[1], atol=1e-6)
    found = view.evaluate("[...explorer.blend('s', explorer.sumLengths)]")
    np.testing.assert_allclose(found, np.linalg.norm(trace.s[1], axis=1), atol=1e-4)
    assert view.get_by_test_id("where").inner_text() == "iteration 2 of 3, squash: v"


# The stage


def test_lengths_of_every_frame_beside_their_bars(view: Page, trace: RoutingTrace) -> None:
    for number, frame in enumerate(FRAMES):
        view.evaluate("at", number)
        rows = view.locator(".stage-digit").evaluate_all(
            """(buttons) => buttons.map((button) => [
                button.querySelector(".value").textContent,
                button.querySelector(".fill").getBoundingClientRect().width,
                button.querySelector(".track").clientWidth,
                button.classList.contains("longest"),
                button.getAttribute("aria-label"),
            ])"""
        )
        for digit, (value, width, track, longest, label) in enumerate(rows):
            length = 0 if frame.v < 0 else trace.lengths[frame.v, digit]
            assert value == ("–" if frame.v < 0 else shown(length, 2))
            assert width == pytest.approx(max(track * length, 2), abs=0.3)
            assert longest == (frame.v >= 0 and digit == trace.lengths[frame.v].argmax())
            said = "no length yet" if frame.v < 0 else f"length {shown(length, 2)}"
            assert label == f"Digit capsule {digit}, {said}: keep only its links"


def links_of(trace: RoutingTrace, digit: int) -> np.ndarray:
    """Capsules of the sixty links to a digit with the largest share in any iteration."""
    return np.argsort(-np.abs(trace.share[..., digit]).max(axis=0), kind="stable")[:60]


@pytest.mark.parametrize("digit", [6, 1])
def test_what_the_strongest_links_add_and_take(view: Page, trace: RoutingTrace, digit: int) -> None:
    view.evaluate("(digit) => explorer.choose({ digit })", digit)
    for number, frame in enumerate(FRAMES):
        view.evaluate("at", number)
        text = view.get_by_test_id("links").inner_text()
        if frame.s < 0:
            assert text == "No votes are counted yet: in the first step every coefficient is exactly 1/10."
            continue
        shares = trace.share[frame.s, links_of(trace, digit), digit]
        whole = np.linalg.norm(trace.s[frame.s, digit])
        assert f"Digit {digit} has |s| = {shown(whole, 2)}. To it the 60 of its 1152 links" in text
        assert (
            f"add {shown(shares[shares > 0].sum(), 2)} and take {shown(-shares[shares < 0].sum(), 2)} away"
            in text
        )


def stage(page: Page) -> tuple[float, np.ndarray]:
    """Side of a pixel of the drawing, and the stage's pixels [height, width, 3]."""
    side, text, shape = page.evaluate(
        """() => {
            const canvas = document.querySelector(".stage-picture");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let text = "";
            for (let n = 0; n < data.length; n += 8192) text += String.fromCharCode(...data.subarray(n, n + 8192));
            return [explorer.stage.box.clientHeight / 28, btoa(text), [canvas.height, canvas.width, 4]];
        }"""
    )
    return side, np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)[..., :3].astype(int)


def is_colour(pixels: np.ndarray, colour: Any, within: int = 40) -> np.ndarray:
    close: np.ndarray = (np.abs(pixels - np.array(colour)) < within).all(axis=-1)
    return close


def centres(pixel: float) -> np.ndarray:
    """[1152, 2] x and y of the marks: the field's middle, and the slot of the type in the cell of 2 x 2 pixels."""
    kind, row, column = np.unravel_index(np.arange(1152), (32, 6, 6))
    x = 2 * column + 7.5 + 2 * (kind % 6 + 0.5) / 6
    y = 2 * row + 7.5 + 2 * (kind // 6 + 0.5) / 6
    return pixel * np.stack([x, y], axis=1)


@pytest.mark.parametrize(
    ("scale", "frame", "digit"), [("c", 11, 6), ("uniform", 4, 2), ("last", 4, 6), ("share", 5, 9)]
)
def test_marks_are_as_large_as_their_values(
    view: Page, trace: RoutingTrace, scale: str, frame: int, digit: int
) -> None:
    """Drawn again here, disc by disc, in the order of the stage: those against, then those for."""
    view.evaluate(
        """([scale, frame, digit]) => {
            Object.assign(explorer, { scale, digit });
            explorer.stage.drawLinks = () => {};
            at(frame);
        }""",
        [scale, frame, digit],
    )
    pixel, found = stage(view)
    view.evaluate("delete explorer.stage.drawLinks")
    r = FRAMES[frame].s if scale == "share" else FRAMES[frame].c
    values = scale_values(trace, scale)[r, :, digit] / scale_limits(trace)[scale]["capsule"]
    assert values.max() > 0.3
    assert values.min() < -0.3
    radii = 2 * pixel / 6 / 1.5 * np.sqrt(np.minimum(np.abs(values), 1))
    y, x = np.mgrid[: found.shape[0], : found.shape[1]] + 0.5
    drawn = np.zeros(found.shape[:2])
    for sign in (-1, 1):
        for (cx, cy), radius, value in zip(centres(pixel), radii, values, strict=True):
            if np.sign(value) == sign and radius >= 0.55:
                top, left = int(cy - radius), int(cx - radius)
                part = np.s_[top : top + int(2 * radius) + 3, left : left + int(2 * radius) + 3]
                drawn[part][np.hypot(x[part] - cx, y[part] - cy) < radius] = sign
    for sign, colour in ((1, FOR), (-1, AGAINST)):
        mine, theirs = drawn == sign, is_colour(found, colour, 70)
        overlap = (mine & theirs).sum() / (mine | theirs).sum()
        assert overlap > 0.68, f"{'for' if sign > 0 else 'against'}: {overlap:.2f}"


def test_the_field_of_the_chosen_capsule_is_framed(view: Page) -> None:
    pixel, found = stage(view)
    white = is_colour(found, (255, 255, 255), 60)
    row, column = 1, 4
    x, y, size = 2 * column * pixel, 2 * row * pixel, 17 * pixel
    inner = slice(int(size * 0.2), int(size * 0.8))
    for line in (white[int(y + 1), int(x) :][inner], white[int(y + size - 1), int(x) :][inner]):
        assert line.mean() > 0.9
    for line in (white[int(y) :, int(x + 1)][inner], white[int(y) :, int(x + size - 1)][inner]):
        assert line.mean() > 0.9


def test_the_drawing_lies_under_the_capsules(view: Page, trace: RoutingTrace) -> None:
    pixel, found = stage(view)
    for row, column in ((2, 3), (25, 8), (26, 25), (5, 20)):
        grey = found[int((row + 0.5) * pixel), int((column + 0.5) * pixel)]
        assert grey == pytest.approx([round(trace.image[row, column] * 0.55 * 255)] * 3, abs=1)


def test_links_end_at_their_digit_in_the_colour_of_their_sign(view: Page, trace: RoutingTrace) -> None:
    """A pointed capsule's ten links, just before the digits: width and colour of each."""
    capsule = int(np.argmax(np.sort(np.abs(trace.share[2]), axis=1)[:, 3]))  # one with several strong links
    for number in (11, 5, 1):
        view.evaluate(
            "([frame, capsule]) => { explorer.pointed = { capsule }; at(frame); }", [number, capsule]
        )
        _, found = stage(view)
        shares = trace.share[FRAMES[number].s, capsule]
        widest = np.abs(trace.share).max()
        thickest = max(5, view.evaluate("explorer.stage.side") / 44)
        for digit, (x, y) in enumerate(view.evaluate("explorer.stage.anchors")):
            width = thickest * abs(shares[digit]) / widest
            column = found[int(y - 12) : int(y + 12), int(x) - 6].astype(int)
            warm = (column[:, 0] - column[:, 2] > 20).sum()
            cold = (column[:, 2] - column[:, 0] > 20).sum()
            mine, other = (warm, cold) if shares[digit] > 0 else (cold, warm)
            assert other == 0
            if width > 1:
                assert mine == pytest.approx(width + 0.6, abs=1.6)  # its edges are mixed with what is below
    button = view.get_by_test_id("digit-3").bounding_box()
    box = view.locator(".stage-picture").bounding_box()
    assert button is not None
    assert box is not None
    middle = button["y"] + button["height"] / 2 - box["y"]
    assert view.evaluate("explorer.stage.anchors[3][1]") == pytest.approx(middle, abs=0.6)


def test_the_links_shown_are_the_strongest_of_all_or_of_one_digit(view: Page, trace: RoutingTrace) -> None:
    strength = np.abs(trace.share).max(axis=0).ravel()
    every = set(np.argsort(-strength, kind="stable")[:120].tolist())
    assert set(view.evaluate("[...explorer.stage.shownLinks()]")) == every
    view.get_by_test_id("digit-2").click()
    view.mouse.move(0, 0)
    assert view.get_by_test_id("digit-2").get_attribute("aria-pressed") == "true"
    mine = {int(i) * 10 + 2 for i in links_of(trace, 2)}
    assert set(view.evaluate("[...explorer.stage.shownLinks()]")) == mine
    view.get_by_test_id("digit-2").click()
    view.mouse.move(0, 0)
    assert view.get_by_test_id("digit-2").get_attribute("aria-pressed") == "false"
    assert set(view.evaluate("[...explorer.stage.shownLinks()]")) == every


def said_of(trace: RoutingTrace, capsule: int, digit: int, frame: int, to: bool) -> str:
    kind, row, column = np.unravel_index(capsule, (32, 6, 6))
    now = FRAMES[frame]
    c = shown(trace.c[now.c, capsule, digit])
    share = "" if now.s < 0 else f", share of |s| {signed(trace.share[now.s, capsule, digit])}"
    return f"type {kind}, row {row}, column {column}: c {f'to {digit} is ' if to else ''}{c}{share}"


def test_what_lies_under_a_resting_mouse_is_said_of_the_step_shown(view: Page, trace: RoutingTrace) -> None:
    capsule = (20 * 6 + 4) * 6 + 1
    pixel, _ = stage(view)
    box = view.locator(".stage-picture").bounding_box()
    assert box is not None
    x, y = centres(pixel)[capsule]
    view.mouse.move(box["x"] + x, box["y"] + y)
    tip = view.locator(".tip")
    expect(tip).to_have_text(said_of(trace, capsule, 6, 11, to=True))
    for key, frame in (("ArrowLeft", 10), ("Home", 0), ("ArrowRight", 1)):
        view.keyboard.press(key)
        expect(tip).to_have_text(said_of(trace, capsule, 6, frame, to=True))
    view.mouse.click(box["x"] + x, box["y"] + y)
    expect(view.get_by_test_id("capsule")).to_have_text(f"Capsule {capsule}: type 20, row 4, column 1")
    view.mouse.move(box["x"] + 1, box["y"] + 1)
    expect(tip).to_be_hidden()


# The algorithm


@pytest.mark.parametrize("digit", [6, 3])
def test_the_active_line_s_numbers_in_every_frame(view: Page, trace: RoutingTrace, digit: int) -> None:
    view.evaluate("(digit) => explorer.choose({ digit })", digit)
    expect(view.locator(".algorithm h3")).to_have_text(
        f"Here: digit j = {digit}, capsule i = {CHOSEN} (type 7, row 1, column 4)"
    )
    following = np.concatenate([trace.b[1:], (trace.b[-1] + trace.agreement[-1])[None]])
    for number, (r, step, *_) in enumerate(FRAMES):
        view.evaluate("at", number)
        text = view.get_by_test_id("numbers").text_content() or ""
        assert view.locator(".procedure .active").count() == 1
        assert view.locator(".procedure li").nth(3 + step).get_attribute("aria-current") == "step"
        b, c = trace.b[r, CHOSEN].astype(float), trace.c[r, CHOSEN, digit]
        length, agreement = np.linalg.norm(trace.s[r, digit]), trace.agreement[r, CHOSEN, digit]
        share = trace.share[r, CHOSEN, digit]
        if step == 0:
            assert f"= e{shown(b[digit], 3)} / {shown(np.exp(b).sum(), 3)} = {shown(c)}" in text
            assert ("b starts at 0" in text) == (r == 0)
        elif step == 1:
            assert f"|s{digit}| = {shown(length, 3)}" in text
            part = 100 * share / length
            assert f"= {shown(c)} × {shown(share / c)} = {signed(share)}, {shown(part, 1)}% of it" in text
        elif step == 2:
            squared = length**2
            assert (
                f"= {shown(squared, 3)} / {shown(1 + squared, 3)} = {shown(squared / (1 + squared))}" in text
            )
        else:
            sign = "−" if agreement < 0 else "+"
            assert (
                f"= {shown(b[digit], 5)} {sign} {shown(abs(agreement), 5)} = {shown(following[r, CHOSEN, digit])}"
                in text
            )
            assert ("Nothing reads this last b" in text) == (r == R - 1)


def test_a_line_of_the_algorithm_goes_to_its_step(view: Page) -> None:
    view.evaluate("at", 5)
    names = ("softmax: c", "weighted sum: s", "squash: v", "agreement: b")
    for line, name in enumerate(names):
        view.locator(".procedure button").nth(line).click()
        expect(view.get_by_test_id("where")).to_have_text(f"iteration 2 of 3, {name}")


# Maps


def on_black(values: np.ndarray, limit: float, under: np.ndarray | float = 0.0) -> np.ndarray:
    """Colours of values over grey levels: orange for, blue against, as strong as the value."""
    strength = np.round(32 * np.minimum(np.abs(values) / limit, 1))[..., None] / 32
    colour = np.where(values[..., None] < 0, AGAINST, FOR)
    return strength * colour + (1 - strength) * np.broadcast_to(under, values.shape)[..., None]


@pytest.mark.parametrize("frame", [11, 8, 5, 0])
@pytest.mark.parametrize("scale", SCALES)
def test_every_cell_of_the_maps_has_the_colour_of_its_value(
    view: Page, trace: RoutingTrace, scale: str, frame: int
) -> None:
    view.evaluate("([scale, frame]) => { explorer.scale = scale; at(frame); }", [scale, frame])
    limits = scale_limits(trace)[scale]
    r = FRAMES[frame].s if scale == "share" else FRAMES[frame].c
    quiet = np.zeros_like(trace.share[:1])
    of_r = (
        {"place": quiet[0, :36], "type": quiet[0, :32]}
        if r < 0
        else {level: scale_values(trace, scale, level)[r] for level in ("place", "type")}
    )
    place = np.arange(36)
    row, column = np.divmod(place, 6)
    under = np.round(trace.image[8 + 2 * row, 8 + 2 * column] * 0.45 * 255)
    for digit in range(10):
        found = view.evaluate(
            """(digit) => {
                const { canvas } = explorer.maps.pictures[digit].picture;
                const pixel = canvas.width / 20;
                const points = [];
                // A field's middle is that of pixel 8 + 2 row, 8 + 2 column; four pixels are cut off.
                for (let row = 0; row < 6; row++)
                    for (let column = 0; column < 6; column++)
                        points.push([(4.5 + 2 * column) * pixel, (4.5 + 2 * row) * pixel]);
                return pixels(canvas, points).map((p) => p.slice(0, 3));
            }""",
            digit,
        )
        expected = on_black(of_r["place"][:, digit], limits["place"], under)
        # A 32nd of a colour where a value lies between two of its steps.
        np.testing.assert_allclose(found, expected, atol=9)

    found = view.evaluate(
        """() => {
            const { canvas } = explorer.maps.matrix;
            const [width, height] = [(canvas.width - 22) / 32, (canvas.height - 22) / 10];
            const points = [];
            for (let type = 0; type < 32; type++)
                for (let digit = 0; digit < 10; digit++)
                    points.push([22 + (type + 0.5) * width, 22 + (digit + 0.5) * height]);
            return pixels(canvas, points).map((p) => p.slice(0, 3));
        }"""
    )
    np.testing.assert_allclose(found, on_black(of_r["type"], limits["type"]).reshape(320, 3), atol=9)


def test_the_chosen_place_type_and_digit_are_framed(view: Page) -> None:
    found = view.evaluate(
        """() => {
            const { canvas } = explorer.maps.matrix;
            const [width, height] = [(canvas.width - 22) / 32, (canvas.height - 22) / 10];
            const edge = (type, digit) => [22 + type * width, 22 + (digit + 0.5) * height];
            const map = explorer.maps.pictures[0].picture.canvas;
            const cell = map.width / 10;
            const left = (row, column) => [(3.5 / 2 + column) * cell, (3.5 / 2 + row + 0.5) * cell];
            return [
                pixels(canvas, [edge(7, 6), edge(6, 6), edge(7, 5)]),
                pixels(map, [left(1, 4), left(4, 1), left(1, 3)]),
            ].map((points) => points.map(([red, green, blue]) => Math.min(red, green, blue)));
        }"""
    )
    for chosen, *others in found:
        assert chosen > 110
        assert max(others) < 100


WRITTEN = """() => {
    const written = [];
    const { context } = explorer.maps.matrix;
    context.fillText = (text, x) => written.push([text, x, context.font.startsWith("bold")]);
    explorer.maps.drawTypes();
    delete context.fillText;
    return written;
}"""


def test_the_matrix_has_all_digits_and_every_eighth_type_beside_the_chosen_one(view: Page) -> None:
    written = view.evaluate(WRITTEN)
    assert [(text, bold) for text, _, bold in written[:10]] == [(str(j), j == 6) for j in range(10)]
    # Type 7 is chosen: 8 would touch it.
    assert [(text, bold) for text, _, bold in written[10:]] == [
        ("0", False),
        ("7", True),
        ("16", False),
        ("24", False),
    ]
    width = (view.evaluate("explorer.maps.matrix.canvas.clientWidth") - 22) / 32
    for text, x, _ in written[10:]:
        assert x == pytest.approx(22 + (int(text) + 0.5) * width)


def mean_c(trace: RoutingTrace, level: str) -> np.ndarray:
    c = trace.c.reshape(R, 32, 36, 10)
    return c.mean(axis=1 if level == "place" else 2)


def sum_of_shares(trace: RoutingTrace, level: str) -> np.ndarray:
    share = trace.share.reshape(R, 32, 36, 10)
    return share.sum(axis=1 if level == "place" else 2)


def test_a_cell_of_a_map_says_and_chooses_its_own(view: Page, trace: RoutingTrace) -> None:
    canvas = view.locator("canvas.map").nth(3)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    row, column, pixel = 4, 1, box["width"] / 20
    point = box["x"] + (4.5 + 2 * column) * pixel, box["y"] + (4.5 + 2 * row) * pixel
    view.mouse.move(*point)
    tip = view.locator(".tip")
    for number in (11, 7, 4, 0):
        view.evaluate("at", number)
        now = FRAMES[number]
        mean = mean_c(trace, "place")[now.c, 25, 3]
        share = 0 if now.s < 0 else sum_of_shares(trace, "place")[now.s, 25, 3]
        expect(tip).to_have_text(
            f"row 4, column 1 → 3: mean c {shown(mean)}, shares together {signed(share, 3)}"
        )
    view.mouse.click(*point)
    of_place = np.arange(32) * 36 + 25
    strongest = of_place[trace.share[-1, of_place, 3].argmax()]
    expect(view.get_by_test_id("capsule")).to_contain_text(f"Capsule {strongest}:")
    expect(view.locator(".algorithm h3")).to_contain_text("digit j = 3")


def test_a_cell_of_the_matrix_says_and_chooses_its_own(view: Page, trace: RoutingTrace) -> None:
    canvas = view.locator("canvas.matrix")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    point = (
        box["x"] + 22 + 12.5 * (box["width"] - 22) / 32,
        box["y"] + 22 + 8.5 * (box["height"] - 22) / 10,
    )
    view.mouse.move(*point)
    mean, share = mean_c(trace, "type")[2, 12, 8], sum_of_shares(trace, "type")[2, 12, 8]
    expect(view.locator(".tip")).to_have_text(
        f"type 12 → 8: mean c {shown(mean)}, shares together {signed(share, 3)}"
    )
    view.mouse.click(*point)
    of_type = 12 * 36 + np.arange(36)
    strongest = of_type[trace.share[-1, of_type, 8].argmax()]
    expect(view.get_by_test_id("capsule")).to_contain_text(f"Capsule {strongest}:")


def test_a_scale_s_ends_are_those_of_its_colours_and_can_be(view: Page, trace: RoutingTrace) -> None:
    for scale in SCALES:
        for contrast in (1, 4):
            view.evaluate(
                "([scale, contrast]) => { Object.assign(explorer, { scale, contrast }); explorer.draw(); }",
                [scale, contrast],
            )
            for level, limit in scale_limits(trace)[scale].items():
                limit /= contrast
                clipped = level == "capsule" or contrast > 1
                if scale == "c":
                    values = [0.1 * 2**-limit, 0.1, min(0.1 * 2**limit, 1)]
                    texts = [shown(value, 4 if value < 0.01 else 3) for value in values]
                    texts[1] += " = uniform"
                    impossible = [False, 0.1 * 2**limit > 1]
                else:
                    low, high = (min(limit, 0.1), min(limit, 0.9)) if scale == "uniform" else (limit, limit)
                    texts = [signed(value, 4 if limit < 0.01 else 3) for value in (-low, 0, high)]
                    impossible = [low < limit, high < limit]
                for end, sign in ((0, "≤ "), (2, "≥ ")):
                    if clipped and not impossible[end // 2]:
                        texts[end] = sign + texts[end]
                ends = view.get_by_test_id(f"legend-{level}").locator(".ends span")
                assert ends.all_inner_texts() == texts


def test_no_scale_of_ten_iterations_reads_what_c_cannot_be(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(ADDRESS)
    page.evaluate("open_view()")
    trace = made_up(iterations=10)
    assert scale_limits(trace)["c"]["capsule"] > np.log2(10)
    assert scale_limits(trace)["uniform"]["capsule"] > 0.1
    load(page, trace)
    legend = page.get_by_test_id("legend-capsule")
    expect(legend.locator("span").nth(2)).to_have_text("1.000")
    reach = legend.locator(".ramp").evaluate(
        "(ramp) => ['--low', '--high'].map((name) => ramp.style.getPropertyValue(name))"
    )
    limit = scale_limits(trace)["c"]["capsule"]
    assert [float(end) for end in reach] == pytest.approx([1, np.log2(10) / limit], abs=1e-4)
    page.locator(".choice", has_text="c − 1/10").click()
    expect(legend.locator("span").nth(0)).to_have_text("−0.100")
    page.close()


# Clouds


def cloud_box(page: Page, index: int) -> tuple[float, float, float]:
    canvas = page.locator("canvas.cloud").nth(index)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"]


def vote_points(trace: RoutingTrace, digit: int, side: float) -> tuple[np.ndarray, int]:
    """[1152, 2] where the votes for a digit are drawn, and how many lie beyond the edge and are drawn on it."""
    clouds = [vote_cloud(trace, j).votes for j in range(10)]
    lengths = np.sort(np.linalg.norm(np.stack(clouds), axis=2).ravel())
    reach = lengths[int(0.998 * (len(lengths) - 1))]
    votes = clouds[digit] / reach
    far = np.linalg.norm(votes, axis=1)
    votes = votes / np.maximum(far, 1)[:, None]
    points = side / 2 + (side / 2 - 6) * votes * [1, -1]
    return points, int((far > 1).sum())


@pytest.mark.parametrize(("index", "digit"), [(0, 6), (1, 2)])
def test_votes_lie_where_their_projections_do(
    view: Page, trace: RoutingTrace, index: int, digit: int
) -> None:
    x, y, side = cloud_box(view, index)
    points, beyond = vote_points(trace, digit, side)
    far = np.argsort(-np.linalg.norm(points - side / 2, axis=1))
    tip = view.locator(".tip")
    for capsule in far[[0, 3, 40, 200, 500]]:
        view.mouse.move(x + points[capsule, 0], y + points[capsule, 1])
        near = np.linalg.norm(points - points[capsule], axis=1).argsort()
        if np.linalg.norm(points[near[1]] - points[capsule]) > 1.5:  # no other under the pointer
            expect(tip).to_have_text(said_of(trace, int(capsule), digit, 11, to=False))
    view.mouse.move(0, 0)
    caption = view.get_by_test_id(f"cloud-{index}")
    for number in (11, 6, 1, 0):
        view.evaluate("at", number)
        now = FRAMES[number]
        v = "not yet" if now.v < 0 else shown(trace.lengths[now.v, digit], 2)
        s = "not yet" if now.s < 0 else shown(float(np.linalg.norm(trace.s[now.s, digit])), 2)
        kept = vote_cloud(trace, digit).kept
        text = f"|v| = {v}, |s| = {s}. The axes keep {round(100 * kept)}% of the votes’ variance."
        expect(caption).to_have_text(text + (f" {beyond} votes lie beyond the edge." if beyond else ""))


def test_arrows_of_v_and_s_point_as_far_as_they_are_long(view: Page, trace: RoutingTrace) -> None:
    longest = int(np.ceil(max(1, np.linalg.norm(trace.s, axis=2).max())))
    expect(view.locator(".clouds .look").first).to_contain_text(
        f"Thin arrow: s, the circle is length {longest}."
    )
    for index, digit in ((0, 6), (1, 2)):
        cloud = vote_cloud(trace, digit)
        for number in (11, 6, 3):
            view.evaluate("at", number)
            now = FRAMES[number]
            canvas = view.locator("canvas.cloud").nth(index)
            side = canvas.evaluate("(canvas) => canvas.width")
            middle, radius = side / 2, side / 2 - 6
            v, s = cloud.v[now.v] * [1, -1] * radius, cloud.s[now.s] * [1, -1] * radius / longest
            across = np.array([-v[1], v[0]]) / np.linalg.norm(v)
            unit = v / np.linalg.norm(v)
            points = [
                middle + 0.5 * v + 3 * across,  # beside the thin arrow, on the thick one
                middle + 0.5 * s,
                middle + v - 3 * unit,  # the tip of v, and just beyond it
                middle + v + 5 * unit,
            ]
            found = np.array(
                canvas.evaluate(
                    "(canvas, points) => pixels(canvas, points)", [list(point) for point in points]
                )
            )[:, :3]
            own = [int(theme.CLASS_COLOURS[digit][at : at + 2], 16) for at in (1, 3, 5)]
            assert is_colour(found[0], own, 30)
            assert is_colour(found[1], (255, 255, 255), 60)
            assert is_colour(found[2], own, 60) or np.linalg.norm(s) > 0.9 * np.linalg.norm(v)
            assert not is_colour(found[3], own, 30)


def test_dots_have_the_colour_of_their_share_and_the_size_of_their_c(view: Page, trace: RoutingTrace) -> None:
    view.evaluate("explorer.clouds.arrowOf = () => [0, 0]; explorer.draw()")
    canvas = view.locator("canvas.cloud").first
    side = canvas.evaluate("(canvas) => canvas.width")
    points, _ = vote_points(trace, 6, side)
    share = trace.share[-1, :, 6] / scale_limits(trace)["share"]["capsule"]
    spare = np.linalg.norm(points - points[CHOSEN], axis=1) > 12
    checked = 0
    for capsule in np.flatnonzero((np.abs(share) > 0.5) & spare):
        (found,) = canvas.evaluate("(canvas, points) => pixels(canvas, points)", [points[capsule].tolist()])
        red, _, blue, _ = found
        others = np.linalg.norm(points - points[capsule], axis=1) < 6
        if (
            np.sign(share[others & (np.abs(share) > 0.3)]).std() == 0
        ):  # no stronger one of the other sign on top
            assert (red > blue) == (share[capsule] > 0)
            checked += 1
    assert checked > 10
    lonely = [i for i in np.argsort(-np.linalg.norm(points - side / 2, axis=1)) if spare[i]
              and np.sort(np.linalg.norm(points - points[i], axis=1))[1] > 9
              and np.linalg.norm(points[i] - side / 2) < side / 2 - 16]  # fmt: skip
    sizes, expected = [], []  # while no arrow lies over them
    for capsule in lonely[:30]:
        data = canvas.evaluate(
            """(canvas, [x, y]) => [...canvas.getContext("2d").getImageData(x - 5, y - 5, 11, 11).data]""",
            [int(points[capsule, 0]), int(points[capsule, 1])],
        )
        pixels = np.array(data).reshape(121, 4)[:, :3].max(axis=1)
        sizes.append((pixels / max(pixels.max(), 1)).sum())
        expected.append(np.pi * 5.2**2 * trace.c[-1, capsule, 6])
    view.evaluate("delete explorer.clouds.arrowOf")
    np.testing.assert_allclose(np.mean(sizes), np.mean(expected), rtol=0.35)
    assert np.corrcoef(sizes, expected)[0, 1] > 0.5


def test_a_cloud_can_be_of_any_digit(view: Page, trace: RoutingTrace) -> None:
    options = view.get_by_label("First digit").locator("option").all_inner_texts()
    assert options == [
        f"{j}{' (longest)' if j == 6 else ' (runner-up)' if j == 2 else ''}" for j in range(10)
    ]
    view.get_by_label("Second digit").select_option("9")
    expect(view.get_by_test_id("cloud-1")).to_contain_text(f"|v| = {shown(trace.lengths[-1, 9], 2)}")
    view.keyboard.press("Escape")
    view.evaluate("explorer.choose({ digit: 4 })")
    expect(view.get_by_label("First digit")).to_have_value("6")
    expect(view.get_by_label("Second digit")).to_have_value("4")


# The filmstrip


def test_the_filmstrip_has_each_iteration_s_own(view: Page, trace: RoutingTrace) -> None:
    drawings = drawings_of(R)
    for digit in (6, 0):
        view.evaluate("(digit) => { explorer.choose({ digit }); explorer.draw(); }", digit)
        for r in range(R):
            cell = view.get_by_test_id(f"film-{r + 1}")
            captions = cell.locator(".film-caption").all_inner_texts()
            entropies = -(trace.c[r] * np.log(trace.c[r])).sum(axis=1)
            assert captions == [
                f"|v| of {digit} is {shown(trace.lengths[r, digit], 3)}",
                f"entropy {shown(float(entropies.mean(dtype=float)), 5)}, lowest {shown(float(entropies.min()), 4)}",
            ]
            found = cell.locator("canvas").evaluate(
                "(canvas) => pixels(canvas, [[3, 5], [20, 9], [27, 0], [0, 27]]).map((p) => p[0])"
            )
            expected = [round(drawings[r, digit, y, x] * 255) for x, y in ((3, 5), (20, 9), (27, 0), (0, 27))]
            assert found == pytest.approx(expected, abs=1)
            heights = cell.locator(".bars i").evaluate_all("(bars) => bars.map((bar) => bar.style.height)")
            assert [float(height.rstrip("%")) for height in heights] == pytest.approx(
                100 * trace.lengths[r], abs=0.06
            )
            marked = cell.locator(".bars .marked em").all_text_contents()
            assert marked == [str(digit)]
    expect(view.locator(".film-section .look")).to_contain_text("ln 10 = 2.3026")


def test_a_cell_of_the_filmstrip_goes_to_its_squash(view: Page) -> None:
    for r in range(R):
        view.get_by_test_id(f"film-{r + 1}").click()
        expect(view.get_by_test_id("where")).to_have_text(f"iteration {r + 1} of 3, squash: v")
        classes = [view.get_by_test_id(f"film-{n + 1}").get_attribute("class") or "" for n in range(R)]
        assert [("current" in own) for own in classes] == [n == r for n in range(R)]


# The microscope


def test_the_microscope_s_table_in_every_frame(view: Page, trace: RoutingTrace) -> None:
    following = np.concatenate([trace.b[1:], (trace.b[-1] + trace.agreement[-1])[None]])
    for number, (r, step, *_) in enumerate(FRAMES):
        view.evaluate("at", number)
        cells = view.locator(".microscope tbody tr").evaluate_all(
            "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"
        )
        for digit, row in enumerate(cells):
            assert row == [
                str(digit),
                "",
                shown(trace.b[r, CHOSEN, digit]),
                shown(trace.c[r, CHOSEN, digit]),
                "–" if step < 2 else signed(trace.agreement[r, CHOSEN, digit]),
                "–" if step < 3 else shown(following[r, CHOSEN, digit]),
            ]
        assert view.get_by_test_id("row-sum").inner_text() == "1.000"
        widths = view.locator(".coupling-bar i").evaluate_all("(bars) => bars.map((bar) => bar.style.width)")
        expected = 100 * trace.c[r, CHOSEN] / trace.c[:, CHOSEN].max()
        assert [float(width.rstrip("%")) for width in widths] == pytest.approx(expected, abs=0.01)


def test_the_capsule_s_own_numbers_and_votes(view: Page, trace: RoutingTrace) -> None:
    u = trace.u[CHOSEN]
    assert view.get_by_test_id("u").inner_text().split() == [shown(x, 2) for x in u]
    expect(view.locator(".u-length")).to_have_text(f"|u| = {shown(float(np.linalg.norm(u)), 3)}")
    bars = view.locator(".component-bar i").evaluate_all(
        "(bars) => bars.map((bar) => [bar.className, bar.style.height, bar.style.top, bar.style.bottom])"
    )
    for value, (sign, height, top, bottom) in zip(u, bars, strict=True):
        assert (sign, top, bottom) == (("against", "50%", "") if value < 0 else ("for", "", "50%"))
        assert float(height.rstrip("%")) == pytest.approx(50 * min(abs(value), 1), abs=0.01)
    for digit in (6, 4):
        view.evaluate("(digit) => { explorer.choose({ digit }); explorer.draw(); }", digit)
        vote = ", ".join(shown(x, 2) for x in trace.u_hat[CHOSEN, digit])
        expect(view.get_by_test_id("vote")).to_have_text(f"û to {digit} = ({vote})")
    # The strongest at the end, for a digit for which another was at first.
    first, last = trace.share[0].argmax(axis=0), trace.share[-1].argmax(axis=0)
    digit = int(np.flatnonzero(first != last)[0])
    view.evaluate("(digit) => { explorer.choose({ digit }); explorer.draw(); }", digit)
    expect(view.locator(".picker button")).to_have_text(f"strongest for {digit}")
    view.locator(".picker button").click()
    expect(view.get_by_test_id("capsule")).to_contain_text(f"Capsule {last[digit]}:")


def test_bars_of_votes_have_the_sign_and_size_of_their_components(view: Page, trace: RoutingTrace) -> None:
    tallest = np.abs(trace.u_hat[CHOSEN]).max()
    for digit in (6, 0, 9):
        columns = (
            view.locator(".vote")
            .nth(digit)
            .evaluate(
                """(canvas) => {
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                const [width, height] = [canvas.width, canvas.height];
                return Array.from({ length: 16 }, (_, d) => {
                    const x = Math.floor((d + 0.5) * width / 16);
                    let [warm, cold, above] = [0, 0, 0];
                    for (let y = 0; y < height; y++) {
                        const [red, , blue, alpha] = data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4);
                        if (alpha < 100 || Math.abs(red - blue) < 60) continue;
                        if (red > blue) warm++; else cold++;
                        if (y < height / 2 - 1) above++;
                    }
                    return [warm, cold, above];
                });
            }"""
            )
        )
        for value, (warm, cold, above) in zip(trace.u_hat[CHOSEN, digit], columns, strict=True):
            tall = 11 * abs(value) / tallest
            if tall < 1.6:
                continue
            assert (warm > 0, cold > 0) == (value > 0, value < 0)
            assert warm + cold == pytest.approx(tall, abs=1.3)
            assert (above > 0) == (value > 0)


def test_the_field_that_a_capsule_sees_is_bright(view: Page, trace: RoutingTrace) -> None:
    found = view.locator(".field").evaluate(
        """(canvas) => {
            const pixel = canvas.width / 28;
            return pixels(canvas, Array.from({ length: 784 }, (_, p) =>
                [(p % 28 + 0.5) * pixel, (Math.floor(p / 28) + 0.5) * pixel])).map((p) => p[0]);
        }"""
    )
    grey = np.round(trace.image * 0.9 * 255)
    row, column = 2 * 1, 2 * 4
    inside = np.zeros((28, 28), bool)
    inside[row + 1 : row + 16, column + 1 : column + 16] = True  # its edge is a white line
    outside = np.ones((28, 28), bool)
    outside[row : row + 17, column : column + 17] = False
    levels = np.array(found).reshape(28, 28)
    np.testing.assert_allclose(levels[inside], grey[inside], atol=1.1)
    np.testing.assert_allclose(levels[outside], grey[outside] * 0.45, atol=1.6)


def test_pickers_choose_type_row_and_column(view: Page) -> None:
    for name, value in (("type", "30"), ("row", "5"), ("column", "2")):
        view.get_by_label(f"Capsule {name}", exact=True).select_option(value)
    expect(view.get_by_test_id("capsule")).to_have_text("Capsule 1112: type 30, row 5, column 2")


# Keys, address, and what is kept


def test_keys_do_what_their_buttons_say(view: Page) -> None:
    where = view.get_by_test_id("where")
    view.mouse.click(3, 3)
    for key, text in (
        ("Home", "iteration 1 of 3, softmax: c"),
        ("ArrowRight", "iteration 1 of 3, weighted sum: s"),
        ("ArrowLeft", "iteration 1 of 3, softmax: c"),
        ("ArrowLeft", "iteration 1 of 3, softmax: c"),
        ("End", "iteration 3 of 3, agreement: b"),
        ("ArrowRight", "iteration 3 of 3, agreement: b"),
    ):
        view.keyboard.press(key)
        expect(where).to_have_text(text)
    for digit in range(10):
        view.keyboard.press(str(digit))
        expect(view.locator(".algorithm h3")).to_contain_text(f"digit j = {digit},")
    view.keyboard.press("Escape")
    expect(view.locator(".algorithm h3")).to_contain_text("digit j = 6,")
    view.get_by_label("Step of routing").focus()
    view.keyboard.press("ArrowLeft")  # the slider's own: one step, not two
    expect(where).to_have_text("iteration 3 of 3, squash: v")
    assert view.get_by_label("Step of routing").get_attribute("aria-valuetext") == where.inner_text()
    view.get_by_label("Speed").focus()
    view.keyboard.press("4")
    expect(view.locator(".algorithm h3")).to_contain_text("digit j = 6,")


def open_at(context: BrowserContext, query: str, trace: RoutingTrace) -> Page:
    page = context.new_page()
    page.goto(f"{ADDRESS}{query}")
    page.evaluate("open_view()")
    load(page, trace)
    return page


def test_a_link_opens_what_it_was_copied_from(context: BrowserContext, trace: RoutingTrace) -> None:
    page = open_at(context, "?R=3", trace)
    page.wait_for_timeout(400)
    assert page.url == f"{ADDRESS}?R=3"  # nothing was chosen
    page.keyboard.press("8")
    page.get_by_label("Capsule type", exact=True).select_option("31")
    page.keyboard.press("Home")
    for _ in range(4):
        page.get_by_role("button", name="Step forward").click()
    capsule = page.evaluate("explorer.capsule")
    page.wait_for_url(f"{ADDRESS}?R=3&digit=8&capsule={capsule}&step=4")
    again = open_at(context, page.url.removeprefix(ADDRESS), trace)
    expect(again.get_by_test_id("where")).to_have_text("iteration 2 of 3, softmax: c")
    expect(again.get_by_test_id("capsule")).to_contain_text(f"Capsule {capsule}: type 31")
    expect(again.locator(".algorithm h3")).to_contain_text("digit j = 8,")
    again.keyboard.press("End")
    again.wait_for_url(f"{ADDRESS}?R=3&digit=8&capsule={capsule}")
    again.keyboard.press("Escape")
    again.wait_for_url(f"{ADDRESS}?R=3")
    page.close()
    again.close()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("digit=10", "digit “10”, but they are counted from 0 to 9: the longest is shown instead."),
        ("digit=٣", "digit “?”, but they are counted from 0 to 9"),
        (
            "capsule=1152",
            "capsule “1152”, but they are counted from 0 to 1151: the strongest is shown instead.",
        ),
        ("step=12", "step “12”, but they are counted from 0 to 11: the last is shown instead."),
        ("step=-1", "step “-1”"),
        ("capsule=", "capsule “”"),
        ("digit=" + "9" * 5000, "digit “99999999999999999999…”, but"),
        ("digit=<img src=x>![](//a.b)", "digit “?img src?x???????a.b…”, but"),
    ],
)
def test_a_link_that_asks_for_what_is_not_there_is_told_in_one_plain_sentence(
    context: BrowserContext, trace: RoutingTrace, query: str, sentence: str
) -> None:
    page = open_at(context, f"?{query}", trace)
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text(sentence)
    assert len(notice.inner_text()) < 140
    assert notice.locator("*").count() == 0
    expect(page.get_by_test_id("where")).to_have_text("iteration 3 of 3, agreement: b")
    expect(page.locator(".algorithm h3")).to_contain_text("digit j = 6,")
    page.close()


def test_a_new_drawing_keeps_the_step_and_nothing_else(context: BrowserContext, trace: RoutingTrace) -> None:
    page = open_at(context, "?digit=3&capsule=5&step=9", trace)
    where = page.get_by_test_id("where")
    expect(where).to_have_text("iteration 3 of 3, weighted sum: s")
    other = made_up(seed=8)
    load(page, other)
    expect(where).to_have_text("iteration 3 of 3, weighted sum: s")
    page.wait_for_url(f"{ADDRESS}?step=9")
    longest = int(other.lengths[-1].argmax())
    expect(page.locator(".algorithm h3")).to_contain_text(
        f"digit j = {longest}, capsule i = {other.share[-1, :, longest].argmax()} "
    )
    # Another R of the same drawing keeps what was chosen; a step that there is no more becomes the last.
    page.keyboard.press("1")
    load(page, made_up(seed=8, iterations=2))
    expect(where).to_have_text("iteration 2 of 2, agreement: b")
    expect(page.locator(".algorithm h3")).to_contain_text("digit j = 1,")
    # The end stays the end.
    load(page, made_up(seed=5, iterations=5))
    expect(where).to_have_text("iteration 5 of 5, agreement: b")
    page.close()


def test_who_comes_back_finds_the_page_as_it_was_left(context: BrowserContext, trace: RoutingTrace) -> None:
    page = open_at(context, "?digit=3", trace)
    where = page.get_by_test_id("where")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("5")
    page.wait_for_url("**step=1")
    back = "explorer.unmount(); explorer.element.remove(); open_view()"
    page.evaluate(back)
    load(page, trace)
    expect(where).to_have_text("iteration 1 of 3, weighted sum: s")
    expect(page.locator(".algorithm h3")).to_contain_text("digit j = 5,")
    # After Clear another drawing: the step stays, what was chosen in the one before does not.
    page.evaluate(back)
    load(page, made_up(seed=8))
    expect(where).to_have_text("iteration 1 of 3, weighted sum: s")
    longest = int(made_up(seed=8).lengths[-1].argmax())
    assert longest != 5
    expect(page.locator(".algorithm h3")).to_contain_text(f"digit j = {longest},")
    page.keyboard.press("End")
    page.evaluate(back)
    load(page, made_up(seed=8, iterations=4))
    expect(where).to_have_text("iteration 4 of 4, agreement: b")
    page.close()


def test_a_browser_that_has_w_shows_the_same(context: BrowserContext, trace: RoutingTrace) -> None:
    rng = np.random.default_rng(12)
    W = rng.normal(0, 0.1, (1152, 10, 16, 8)).astype(np.float16).astype(np.float32)
    u_hat = np.einsum("ijdk,ik->ijd", W, trace.u)
    routed = reroute(u_hat, R)
    own = replace(trace, u_hat=u_hat, b=routed.b, c=routed.c, s=routed.s, v=routed.v)
    page = context.new_page()
    page.goto(ADDRESS)
    page.evaluate("open_view()")
    page.evaluate(
        "(text) => { window.capsvizTransforms = { W: lab.unpack(bytes(text)).arrays.W } }",
        base64.b64encode(transforms_payload(W, "x")).decode(),
    )
    load(page, own, "x")
    assert page.evaluate("(text) => apart(explorer.payload.arrays.u_hat, text)", text_of(u_hat)) < 1e-5
    page.evaluate("(capsule) => explorer.choose({ capsule, digit: 9 })", CHOSEN)
    vote = ", ".join(shown(x, 2) for x in u_hat[CHOSEN, 9])
    expect(page.get_by_test_id("vote")).to_have_text(f"û to 9 = ({vote})")
    page.close()


def test_iterations_are_asked_of_python(view: Page) -> None:
    view.evaluate("sent.length = 0")
    view.get_by_label("Routing iterations R").select_option("7")
    assert view.evaluate("sent") == [["iterations", 7]]
    view.get_by_label("Routing iterations R").select_option("3")


# Who cannot see, or sees otherwise


def test_headings_skip_no_level_and_everything_has_a_name(view: Page) -> None:
    levels = view.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1]))"
    )
    for before, after in zip([1, *levels], levels, strict=False):
        assert after <= before + 1
    nameless = view.evaluate(
        """[...document.querySelectorAll("canvas, button, input, select")].filter((node) => {
            const labels = node.labels ? [...node.labels].map((label) => label.textContent).join("") : "";
            return !(node.getAttribute("aria-label") || labels.trim() || node.textContent.trim());
        }).map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert view.locator("canvas:not([role=img])").count() == 0


def test_what_a_term_means_is_said_to_who_comes_by_the_keyboard(view: Page) -> None:
    line = view.locator(".procedure li").first
    line.focus()
    expect(view.locator(".tip")).to_contain_text("Procedure 1 of the paper")
    assert line.get_attribute("aria-describedby") == view.locator(".tip").get_attribute("id")
    view.locator(".term").first.focus()
    expect(view.locator(".tip")).not_to_contain_text("Procedure 1")
    assert line.get_attribute("aria-describedby") is None
    contrast = view.get_by_label("Contrast of the scale")
    contrast.fill("4")
    assert contrast.get_attribute("aria-valuetext") == "16.0 times"
    contrast.fill("0")


def test_a_phone_by_touch(browser: Browser, trace: RoutingTrace) -> None:
    with browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as context:
        serve_scripts(context, document)
        page = open_at(context, "", trace)
        where = page.get_by_test_id("where")
        page.get_by_role("button", name="First step").tap()
        expect(where).to_have_text("iteration 1 of 3, softmax: c")
        page.get_by_role("button", name="Play").tap()
        expect(where).to_have_text("iteration 1 of 3, squash: v")
        page.get_by_role("button", name="Pause").tap()
        page.get_by_test_id("digit-2").tap()
        expect(page.get_by_test_id("digit-2")).to_have_attribute("aria-pressed", "true")
        canvas = page.locator(".stage-picture")
        box = canvas.bounding_box()
        assert box is not None
        capsule = (20 * 6 + 4) * 6 + 1
        x, y = centres(box["width"] / 28)[capsule]
        canvas.tap(position={"x": x, "y": y})
        expect(page.get_by_test_id("capsule")).to_contain_text(f"Capsule {capsule}:")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        digits, stage_box = (
            page.locator(".stage-digits").bounding_box(),
            page.locator(".stage-box").bounding_box(),
        )
        assert digits is not None
        assert stage_box is not None
        assert digits["y"] > box["y"] + box["width"] - 1  # below the drawing
        assert digits["y"] + digits["height"] <= stage_box["y"] + stage_box["height"] + 1


def test_under_forced_colours_what_is_chosen_and_what_colours_mean_still_show(
    browser: Browser, trace: RoutingTrace
) -> None:
    with browser.new_context(forced_colors="active", viewport={"width": 1400, "height": 1000}) as context:
        serve_scripts(context, document)
        page = open_at(context, "", trace)
        chosen, other = (
            page.locator(".choice span")
            .nth(index)
            .evaluate("(span) => getComputedStyle(span).backgroundColor")
            for index in (0, 1)
        )
        assert chosen != other
        assert "gradient" in page.locator(".ramp").first.evaluate(
            "(ramp) => getComputedStyle(ramp).backgroundImage"
        )
        for selector in (".stage-digit .fill", ".coupling-bar i", ".bars i"):
            seen = page.locator(selector).evaluate_all(
                "(bars) => bars.map((bar) => getComputedStyle(bar).backgroundColor)"
            )
            own = [tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for colour in theme.CLASS_COLOURS]
            assert seen[:10] == [f"rgb({', '.join(map(str, colour))})" for colour in own]
        page.get_by_test_id("digit-6").click()
        page.mouse.move(0, 0)
        styles = [
            page.get_by_test_id(f"digit-{digit}").evaluate("(node) => getComputedStyle(node).outlineStyle")
            for digit in (6, 5)
        ]
        assert styles[0] != styles[1]
        borders = page.locator(".procedure li").evaluate_all(
            "(lines) => lines.map((line) => getComputedStyle(line).borderLeftColor)"
        )
        assert len(set(borders)) == 2
        assert re.match("rgb", borders[6])


def test_more_contrast_is_given_where_it_is_asked_for(browser: Browser, trace: RoutingTrace) -> None:
    colours = []
    for contrast in ("no-preference", "more"):
        with browser.new_context(contrast=contrast) as context:
            serve_scripts(context, document)
            page = open_at(context, "", trace)
            colours.append(page.locator(".look").first.evaluate("(text) => getComputedStyle(text).color"))
            if contrast == "more":
                assert colours[1] == page.locator(".routing").evaluate(
                    "(text) => getComputedStyle(text).color"
                )
    assert colours[0] != colours[1]
