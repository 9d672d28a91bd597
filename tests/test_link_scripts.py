"""What scripts read in an address and write into it, run by Node on the modules that a page loads."""

import json
from pathlib import Path
from typing import Any

import pytest
import scripting

from capsviz.figures.bundle import bundle

PAGE = """
const said = [];
globalThis.window = Object.assign(new EventTarget(), {
  location: { href: "http://h/routing?R=5", search: "?R=5" },
  history: { state: { page: 1 }, replaceState: (state, title, href) => { said.push([state, href]); window.location.href = href; } },
});
const lab = { ...await import("./address.mjs"), ...await import("./experiment.mjs"), ...await import("./share.mjs"), ...await import("./sight.mjs") };
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scripting.write(tmp_path_factory.mktemp("scripts"), "address", "experiment", "share", "sight")


def run(folder: Path, script: str) -> Any:
    """What a script makes of the modules, ``lab``."""
    return scripting.evaluate(folder, PAGE, script)


def test_what_can_be_asked_for_is_read_and_nothing_else(folder: Path) -> None:
    link = {"digit": [0, 9], "clouds": [0, 9, 2], "scale": ["c", "share"], "step": [0, 11]}
    search = "?digit=7&clouds=7.8&scale=share&step=11&other=1"
    found = run(folder, f"return lab.readLink({json.dumps(search)}, {json.dumps(link)})")
    assert found == {"found": {"digit": 7, "clouds": [7, 8], "scale": "share", "step": 11}, "problems": []}
    bad = [
        "digit=10",
        "clouds=7",
        "clouds=7.8.9",
        "clouds=7.10",
        "clouds=7.",
        "clouds=7,8",
        "scale=C",
        "scale=",
        "scale=0",
        "step=12",
    ]
    for text in bad:
        # Without texts, what is said is the name of the text: only that one is said.
        script = f"try {{ return lab.readLink('?{text}', {json.dumps(link)}).found }} catch {{ return {{}} }}"
        assert run(folder, script) == {}, text


def test_an_address_is_the_same_but_for_what_is_said(folder: Path) -> None:
    says = run(
        folder, "return lab.linkWith('http://h/p?pose=1,2&digit=3&R=5', { digit: undefined, step: 0, R: 7 })"
    )
    assert says == "http://h/p?pose=1,2&R=7&step=0"
    same = "return [lab.partOf('?digit=1&R=2', ['digit']) === lab.partOf('?R=5&digit=1', ['digit']), "
    assert run(
        folder,
        same
        + "lab.partOf('?digit=1', ['digit', 'step']) === lab.partOf('?digit=1&step=0', ['digit', 'step'])]",
    ) == [True, False]


def test_what_a_view_says_is_written_once_it_rests_or_is_copied(folder: Path) -> None:
    script = """
    const writer = new lab.AddressWriter();
    for (const step of [1, 2, 3]) writer.say({ step, digit: undefined });
    const before = said.length;
    await new Promise((done) => setTimeout(done, 400));
    writer.say({ step: 3, digit: undefined });  // the same again
    writer.say({ step: 4, digit: 8 });
    lab.settleAddress();
    window.location.href = "http://h/pose";  // the page is being left
    lab.settleAddress();
    window.location.href = "http://h/routing?R=5&step=4&digit=8";
    const settled = said.length;
    writer.say({ step: 5, digit: 8 });
    writer.unmount();
    lab.settleAddress();
    await new Promise((done) => setTimeout(done, 400));
    return [before, settled, said];"""
    before, settled, said = run(folder, script)
    assert (before, settled) == (0, 2)
    assert said == [
        [{"page": 1}, "http://h/routing?R=5&step=3"],
        [{"page": 1}, "http://h/routing?R=5&step=4&digit=8"],
    ]


def test_an_experiment_is_written_as_it_is_read(folder: Path) -> None:
    script = """return [
      lab.experimentText("random", { R: false, seed: 3, of: false, types: [0, 7], places: [] }),
      lab.experimentText("carried", { R: 5, seed: false, of: 0, types: [], places: [14] }),
      lab.experimentText("routing", { R: false, types: [] }),
    ]"""
    assert run(folder, script) == ["random_seed.3_types.0.7", "carried_R.5_of.0_places.14", "routing"]


def test_the_session_s_word_is_written_and_what_nobody_knows_taken_out(folder: Path) -> None:
    data = {
        "says": {"network": "a", "drawing": "AB-_"},
        "written": ["network", "R", "drawing"],
        "known": ["network", "R", "drawing", "digit"],
        "others": ["embed", "utm_"],
        "drawing": "AWNgAAA",
    }
    address = "http://h/p?R=5&digit=3&Digit=4&utm_source=x&drawing=old"
    found = run(folder, f"return lab.addressOf({json.dumps(address)}, {json.dumps(data)})")
    assert found == "http://h/p?digit=3&utm_source=x&drawing=AB-_&network=a"
    link = run(folder, f"return lab.linkFor({json.dumps(found + '#part')}, {json.dumps(data)})")
    assert link == "http://h/p?digit=3&drawing=AWNgAAA&network=a"
    without = run(folder, f"return lab.linkFor({json.dumps(found)}, {json.dumps(data | {'drawing': None})})")
    assert without == "http://h/p?digit=3&network=a"


@pytest.mark.parametrize(
    ("link", "reach", "outside"),
    [
        ("http://localhost:8501/pose?R=5", "http://192.168.0.7:8501", "http://192.168.0.7:8501/pose?R=5"),
        ("http://127.0.0.1:8501/?R=5", "http://192.168.0.7:8501", "http://192.168.0.7:8501/?R=5"),
        ("http://[::1]:8501/", "http://192.168.0.7:8501", "http://192.168.0.7:8501/"),
        ("http://localhost:8501/pose", "", "http://localhost:8501/pose"),
        ("https://a.example/pose?R=5", "http://192.168.0.7:8501", "https://a.example/pose?R=5"),
    ],
)
def test_a_phone_is_led_to_the_machine_and_not_to_itself(
    folder: Path, link: str, reach: str, outside: str
) -> None:
    assert run(folder, f"return lab.linkFromOutside({json.dumps(link)}, {json.dumps(reach)})") == outside


def test_what_a_prepared_link_takes_away_and_fixes_is_read_on_the_document(folder: Path) -> None:
    (folder / "prepared.mjs").write_text(bundle("prepared"), "utf-8")
    (folder / "clock.mjs").write_text(bundle("clock"), "utf-8")
    script = """
    class Node {
      constructor(...children) { this.children = children; this.marks = new Set(); for (const child of children) child.parentElement = this; }
      hasAttribute(name) { return this.marks.has(name); }
      toggleAttribute(name, on) { if (on) this.marks.add(name); else this.marks.delete(name); }
    }
    globalThis.document = { documentElement: { dataset: { hide: "film clouds", lock: "step" } } };
    window.matchMedia = () => ({ matches: true });
    globalThis.cancelAnimationFrame = () => {};
    globalThis.requestAnimationFrame = (draw) => draw(0);
    const { hidden, hide, locked } = await import("./prepared.mjs");
    const { Clock } = await import("./clock.mjs");
    const said = ["film", "clouds", "fil", "step", ""].map((name) => [hidden(name), locked(name)]);
    const [film, clouds, notice] = [new Node(), new Node(), new Node()];
    const pair = new Node(film, clouds);
    const view = new Node(notice, pair);
    const gone = () => [film, clouds, pair, view].map((node) => node.hasAttribute("data-hidden"));
    const seen = [];
    hide([film, null], true); seen.push(gone());
    hide([clouds], true); seen.push(gone());
    hide([film], false); seen.push(gone());
    const clock = new Clock(() => {}, () => locked("step"));
    clock.setFrames(12, 3);
    clock.go(7); clock.step(1); clock.toggle();
    const kept = [clock.target, clock.playing];
    clock.lead(5);
    document.documentElement.dataset.lock = "";
    const led = clock.target;
    clock.go(7);
    return { said, seen, kept, led, free: clock.target };
    """
    found = run(folder, script)
    assert found["said"] == [[True, False], [True, False], [False, False], [False, True], [False, False]]
    assert found["seen"] == [
        [True, False, False, False],
        [True, True, True, False],  # what holds nothing else goes with it, the view stays
        [False, True, False, False],
    ]
    assert (found["kept"], found["led"], found["free"]) == ([3, False], 5, 7)


@pytest.mark.parametrize(
    ("top", "height", "edge", "gone"),
    [
        (100, 118, 48, False),
        (-11, 118, 48, False),
        (-12, 118, 48, True),
        (60, 118, 112, False),
        (0, 0, 48, False),
    ],
)
def test_an_answer_is_gone_once_its_middle_is(
    folder: Path, top: int, height: int, edge: int, gone: bool
) -> None:
    assert run(folder, f"return lab.gone({{ top: {top}, height: {height} }}, {edge})") is gone
