"""What exporting.js and taking.js compute, run by Node."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from capsviz.figures.bundle import bundle


def evaluated(*expressions: str) -> list[Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node is installed, which would run the script")
    program = f"""{bundle("exporting")}
        globalThis.window = new EventTarget();
        const [exporting, taking] = [$exporting, $taking];
        const wish = {{ number: 5, thing: "page", kind: "png", dark: true }};
        console.log(JSON.stringify([{", ".join(expressions)}]));"""
    command = [node, "--input-type=module", "--eval", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


WISH = {"number": 5, "thing": "page", "kind": "png", "dark": True}


def test_routing_asks_for_the_class_of_the_address() -> None:
    searches = ("?digit=7&step=3", "?step=3", "?digit=10", "?digit=-1", "?digit=7.0", "?digit=007", "?digit=")
    page = '{ page: "routing", classes: 10 }'
    found = evaluated(*(f'exporting.requestOf(wish, {page}, "{search}", {{}})' for search in searches))
    assert [request.pop("digit") for request in found] == [7, None, None, None, None, None, None]
    assert all(request == WISH for request in found)
    assert evaluated('exporting.requestOf(wish, { page: "routing", classes: 26 }, "?digit=25", {})') == [
        WISH | {"digit": 25}
    ]


def test_what_a_view_tells_of_the_thing_is_asked_for() -> None:
    told = '{ page: { digit: 3, pose: "1,2" }, sweep: { digit: 3, motion: { span: 1 } } }'
    pose = '{ page: "pose", classes: 10 }'
    assert evaluated(
        f'exporting.requestOf(wish, {pose}, "?digit=9&pose=4", {told})',
        f'exporting.requestOf({{ ...wish, thing: "sweep" }}, {pose}, "", {told})',
        f'exporting.requestOf(wish, {pose}, "?digit=9", {{}})',
        'exporting.requestOf(wish, { page: "draw", classes: 10 }, "?digit=9", {})',
    ) == [
        WISH | {"digit": 3, "pose": "1,2"},
        WISH | {"thing": "sweep", "digit": 3, "motion": {"span": 1}},
        WISH,
        WISH,
    ]


def test_views_tell_until_they_are_silenced() -> None:
    assert evaluated(
        "taking.toldNow()",
        "(() => { window.first = taking.tells(() => ({ page: { digit: 1 } })); return taking.toldNow(); })()",
        "(() => { taking.tells(() => ({ sweep: 2 })); return taking.toldNow(); })()",
        "(() => { window.first(); return taking.toldNow(); })()",
    ) == [{}, {"page": {"digit": 1}}, {"page": {"digit": 1}, "sweep": 2}, {"sweep": 2}]


def test_a_dark_paper_is_told_from_a_light_one() -> None:
    colours = (
        "#101317",
        "#fdfdfb",
        " #00f",
        "rgb(16, 19, 23)",
        "rgb(250 250 250 / 0.5)",
        "",
        "#0000ff",
        "#00ff00",
        "#ff9000",
    )
    found = evaluated(*(f'exporting.isDark("{colour}")' for colour in colours))
    assert found == [True, False, False, True, False, False, True, False, False]
