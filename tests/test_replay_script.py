"""What replay_frame.js computes, run by Node: its numbers by hand, and where it puts things."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from capsviz import texts
from capsviz.figures.bundle import bundle

# Two classes in five moments of a way of 100 pixels; in the first nothing can be made out. A line, then a hook.
REPLAY = {
    "moments": 5,
    "classes": ["a", "b"],
    "kind": "letter",
    "size": 2,
    "side": 280,
    "decided": 3,
    "changes": 2,
    "named": [0, 1],
    "ticks": [0, 0.5, 1],
    "unsureBelow": 0.6,
    "digitColours": ["#6f6ad1", "#dbb500"],
    "arrays": {
        "ways": [0, 20, 50, 70, 100],
        "scores": [0, 0, 0.9, 0.1, 0.45, 0.55, 0.7, 0.3, 0.8, 0.2],
        "answers": [-1, 0, 1, 0, 0],
        "claims": [-1, 0, 1, 0, 0],
        "points": [10, 10, 60, 10, 20, 40, 20, 70, 40, 70],
        "starts": [0, 2],
        "widths": [18, 12],
        "counts": [1, 2, 2, 4, 5],
        "tips": [10, 10, 30, 10, 60, 10, 20, 60, 40, 70],
        "seen": [0] * 20,
    },
}

# A canvas that keeps what is written, and how wide: 8 pixels a letter.
PAPER = """
class Paper {
  said = [];
  constructor() {
    return new Proxy(this, { get: (own, name) => own[name] ?? (() => {}) });
  }
  measureText(text) { return { width: 8 * text.length }; }
  fillText(text, x, y) { this.said.push([text, x, y]); }
}
globalThis.document = { createElement: () => {
  const pixels = { data: { buffer: new ArrayBuffer(16) } };
  return { width: 2, height: 2, setAttribute() {}, append() {}, getContext: () => ({ createImageData: () => pixels, putImageData() {} }) };
} };
"""


@pytest.fixture(scope="module")
def frame() -> Any:
    """Evaluates an expression in which ``frame`` is the module and ``replay`` the one above."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node is installed, which would run the script")
    script = bundle("replay_frame")

    def evaluate(*expressions: str) -> Any:
        program = f"""{script}
            const [frame, replay] = [$replay_frame, {json.dumps(REPLAY)}];
            for (const [name, values] of Object.entries(replay.arrays)) {{
              replay.arrays[name] = name === "seen" ? Uint8Array.from(values) : Float64Array.from(values);
            }}
            $texts.speak({json.dumps(texts.for_script("common", "replay"))});
            {PAPER}
            console.log(JSON.stringify([{", ".join(expressions)}]));"""
        command = [node, "--input-type=module", "--eval", program]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return evaluate


def test_moments_stretches_and_the_order_of_classes(frame: Any) -> None:
    found = frame(
        "[0, 1, 2, 3, 4].map((m) => frame.shareOf(replay, m))",
        "[-1, 0.09, 0.1, 0.11, 0.35, 0.36, 0.86, 7].map((share) => frame.nearest(replay, share))",
        "[0, 1, 2].map((m) => frame.ranked(replay, m))",
        "frame.stretches(replay)",
        "[...frame.scoresAt(replay, 2)]",
    )
    assert found == [
        [0, 0.2, 0.5, 0.7, 1],
        [0, 0, 0, 1, 1, 2, 4, 4],
        [[], [0, 1], [1, 0]],
        [
            {"answer": -1, "from": 0, "to": 1},
            {"answer": 0, "from": 1, "to": 2},
            {"answer": 1, "from": 2, "to": 3},
            {"answer": 0, "from": 3, "to": 5},
        ],
        [0.45, 0.55],
    ]


def test_the_lines_of_the_pen_end_where_it_is(frame: Any) -> None:
    assert frame("[0, 1, 2, 3, 4].map((m) => frame.linesAt(replay, m))")[0] == [
        [{"width": 18, "line": [10, 10]}],
        [{"width": 18, "line": [10, 10, 30, 10]}],
        [{"width": 18, "line": [10, 10, 60, 10]}],
        [{"width": 18, "line": [10, 10, 60, 10]}, {"width": 12, "line": [20, 40, 20, 60]}],
        [{"width": 18, "line": [10, 10, 60, 10]}, {"width": 12, "line": [20, 40, 20, 70, 40, 70]}],
    ]


def test_a_moment_in_words(frame: Any) -> None:
    absent = "frame.describe({ ...replay, arrays: { ...replay.arrays, claims: [-1, -1, 1, 0, 0] } }, 1)"
    assert frame(absent) == ["20% of the pen’s way: no letter, the longest capsule has 0.90"]
    assert frame("[0, 1, 2].map((m) => frame.describe(replay, m))")[0] == [
        "0% of the pen’s way: no letter to be made out",
        "20% of the pen’s way: a, 0.90",
        "50% of the pen’s way: b, 0.55, unsure",
    ]


@pytest.mark.parametrize(("width", "height"), [(870, 620), (1880, 900), (640, 480), (358, 640), (320, 568)])
def test_nothing_lies_on_anything_else(frame: Any, width: int, height: int) -> None:
    boxes, wanted = frame(f"frame.layout({width}, {height}, 15)", f"frame.heightOf({width}, 15)")
    for name, box in boxes.items():
        assert min(box["width"], box["height"]) > 60, name
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 1e-6
        assert box["y"] + box["height"] <= height + 1e-6
        for other, its in boxes.items():
            apart = (
                box["x"] + box["width"] <= its["x"] + 1e-6
                or its["x"] + its["width"] <= box["x"] + 1e-6
                or box["y"] + box["height"] <= its["y"] + 1e-6
                or its["y"] + its["height"] <= box["y"] + 1e-6
            )
            assert other == name or apart, (name, other)
    assert boxes["pen"]["width"] == boxes["pen"]["height"] == boxes["seen"]["width"]
    curves = frame(f"frame.layout({width}, {wanted}, 15).curves.height")[0]
    assert curves >= 15 * 15


def test_a_place_among_the_curves_is_a_moment_and_back(frame: Any) -> None:
    at, moments, levels = frame(
        "[0, 1, 2, 3, 4].map(frame.scales(replay, { x: 0, y: 0, width: 500, height: 300 }, 15).at)",
        "[0, 1, 2, 3, 4].map((m) => { const s = frame.scales(replay, { x: 0, y: 0, width: 500, height: 300 }, 15); return s.moment(s.at(m) + 3); })",
        "[0, 0.5, 1].map(frame.scales(replay, { x: 0, y: 0, width: 500, height: 300 }, 15).level)",
    )
    assert at == pytest.approx([36, 36 + 0.2 * 449, 36 + 0.5 * 449, 36 + 0.7 * 449, 485])
    assert moments == [0, 1, 2, 3, 4]
    assert levels == pytest.approx([252, 153, 54])


def test_names_stand_at_the_highest_free_place(frame: Any) -> None:
    found = frame(
        """frame.placeNames([
            { name: "a", places: [[100, 50], [200, 80]] },
            { name: "b", places: [[104, 52], [112, 50], [110, 80], [150, 90]] },
            { name: "c", places: [[100, 50], [101, 51]] },
            { name: "d", places: [[300, 50], [400, 60]] },
        ], () => 8, 15, [{ x: 300, y: 45, half: 20 }])"""
    )[0]
    assert [(placed["name"], placed["at"]) for placed in found] == [("a", 0), ("b", 2), ("d", 1)]
    assert (found[1]["x"], found[1]["y"]) == (110, 80)


def test_long_names_are_shortened_and_read_on_their_colours(frame: Any) -> None:
    assert frame(
        '["seven", "seventeen"].map((name) => frame.shortened(new Paper(), name, 40))',
        '["#000000", "#ffffff", "#77557e", "#dbb500"].map(frame.isDark)',
    ) == [["seven", "seve…"], [True, False, True, False]]


def test_a_frame_says_what_there_is_at_its_moment(frame: Any) -> None:
    look = '{ text: "#000", page: "#fff", accent: "#00f", size: 15, font: "serif" }'
    early, late = frame(
        *(
            f"((paper) => {{ frame.drawFrame(paper, replay, {moment}, 870, 620, {look}); return paper.said; }})(new Paper())"
            for moment in (0, 3)
        )
    )
    assert "no letter to be made out" in [text for text, *_ in early]
    assert not {"0.70", "0.30"} & {text for text, *_ in early}
    said = [text for text, *_ in late]
    assert {"drawn so far", "seen: 2 × 2", "0.70", "0.30", "decided", "unsure below 0.60", "100%"} <= set(
        said
    )
    assert said.count("a") == 4  # its bar, its two stretches, its curve
    assert all(0 <= x <= 870 and 0 <= y <= 620 for _, x, y in late)
