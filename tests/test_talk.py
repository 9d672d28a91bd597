"""A talk: what a list of links makes of it, and its scripts, run by Node on the modules that a page loads."""

import json
from pathlib import Path
from typing import Any

import pytest
import scripting

from capsviz.app import panels, talk_links
from capsviz.app.keys import KEYS, for_script
from capsviz.app.lessons import shelf
from capsviz.errors import MessageError
from capsviz.networks.base import find

APP = "http://10.0.0.7:8501"
SEVEN = "AWPkZwAA"  # an example

# --- links ------------------------------------------------------------------------------------------------


def test_links_make_a_talk_of_what_each_says_and_of_what_is_to_be_said() -> None:
    text = f"""
        {APP}/routing?drawing={SEVEN}&R=5&step=3&digit=7&present=clouds   Look   where it leans.

        {APP}/?network=cnn.mnist&present=1
        {APP}/pose?digit=7&ask=What+changes%3F&lang=de
    """
    links = talk_links.parse(text)
    assert links.faults == ()
    assert links.text == text
    assert links.lesson is not None
    first, second, third = links.lesson.steps
    assert (first.page, first.network, first.lit) == ("routing", "dynamic.mnist", "clouds")
    assert dict(first.address) == {"drawing": SEVEN, "R": "5", "step": "3", "digit": "7"}
    assert dict(first.text) == {"en": "Look where it leans."}
    assert (second.page, second.network, second.lit, dict(second.address)) == ("draw", "cnn.mnist", "", {})
    assert (third.page, dict(third.ask), dict(third.address)) == (
        "pose",
        {"en": "What changes?"},
        {"digit": "7"},
    )


def test_a_link_to_a_lesson_s_step_is_that_step_and_goes_before_it() -> None:
    step = shelf().lessons["why-did-it-win"].steps[1]
    links = talk_links.parse(f"{APP}/routing?lesson=why-did-it-win&stop=2&digit=1\n")
    assert links.lesson is not None
    found = links.lesson.steps[0]
    assert (found.page, found.text, found.ask, found.lit) == (step.page, step.text, step.ask, step.lit)
    assert dict(found.address) == {**step.address, "digit": "1"}
    assert found.do == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("https://example.org/routing?search=1", "no link"),
        ("javascript:alert(1)", "no link"),
        ("good morning", "no link"),
        (f"{APP}/rooting?R=3", "no page of this app: choose one of draw, routing"),
        (f"{APP}/routing?R=99", "1 to 10"),
        (f"{APP}/routing?step=12", "0 to 11"),
        (f"{APP}/routing?network=cnn.mnist", "nothing to show on the page routing"),
        (f"{APP}/routing?network=resnet", "resnet"),
        (f"{APP}/?drawing=AAAA", "drawing"),
        (f"{APP}/?lesson=none-such", "none-such"),
        (f"{APP}/ {'long ' * 80}", "1 to 340 characters"),
    ],
)
def test_what_is_no_link_is_left_out_with_its_number(line: str, said: str) -> None:
    links = talk_links.parse(f"{APP}/pose\n{line}\n{APP}/model")
    assert links.lesson is not None
    assert [step.page for step in links.lesson.steps] == ["pose", "model"]
    (fault,) = links.faults
    assert fault.startswith("Link 2 is left out. ")
    assert said in fault
    assert "<" not in fault


def test_a_list_is_bounded() -> None:
    links = talk_links.parse(f"{APP}/\n" * 41)
    assert links.lesson is not None
    assert len(links.lesson.steps) == 40
    assert links.faults == ("Beyond 40 links nothing is taken: make two talks of it.",)
    assert talk_links.parse("").lesson is None
    for bad in ("x" * 100_001, None, ["a"]):
        with pytest.raises(MessageError, match="no list of links"):
            talk_links.parse(bad)


def test_each_page_has_a_view_of_its_own_and_none_fills_a_screen_with_a_control() -> None:
    paper, plain = find("dynamic.mnist"), find("cnn.mnist")
    first = {page: panels.views_of(page, paper)[0] for page in ("draw", "routing", "pose", "model")}
    assert first == {"draw": "strip", "routing": "picture", "pose": "sliders", "model": "networks"}
    assert set(panels.views_of("lessons", paper)) == {"pad", "answer"}
    assert not {"clock", "iterations", "network", "doors"} & set(panels.views_of("routing", paper))
    assert "redrawn" not in panels.views_of("draw", plain)


# --- keys -------------------------------------------------------------------------------------------------

PAGE = """
const said = [];
class Element {
  constructor(...selectors) { this.selectors = selectors; }
  matches(selector) { return selector.split(", ").some((one) => this.selectors.includes(one)); }
  closest(selector) { return selector.includes(this.selectors[0]) ? this : null; }
}
Object.assign(globalThis, { Element, window: globalThis, HTMLElement: Element });
const pressed = (key, held = {}, ...path) => ({ key, shiftKey: false, ...held, composedPath: () => [...path, new Element("body")] });
const lab = { ...await import("./keys.mjs"), ...await import("./talk.mjs"), ...await import("./enlarged.mjs"), ...await import("./speaker.mjs"), ...await import("./tour.mjs"), ...await import("./talk_kept.mjs") };
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scripting.write(
        tmp_path_factory.mktemp("scripts"), "keys", "talk", "enlarged", "speaker", "tour", "talk_kept"
    )


def run(folder: Path, script: str) -> Any:
    """What a script makes of the modules, ``lab``."""
    return scripting.evaluate(folder, PAGE, script)


def test_a_clicker_s_keys_are_the_talk_s_unless_somebody_types_or_slides(folder: Path) -> None:
    keys = json.dumps(for_script(key for key in KEYS if key.talk))
    found = run(
        folder,
        f"""
        const keys = {keys};
        const talk = (key, held, ...path) => lab.talkKey(pressed(key, held, ...path), keys, true);
        const range = new Element("input[type=range]"), field = new Element("textarea"), button = new Element("button");
        return {{
          plain: ["PageDown", "PageUp", "b", ".", "v", "s", "p", "Escape"].map((key) => talk(key)),
          capital: [talk("B", {{ shiftKey: true }}), talk("V", {{ shiftKey: true }}), talk("B")],
          others: ["Pagedown", "x", "n", "?", "ArrowRight", " "].map((key) => talk(key)),
          off: ["PageDown", "PageUp", "b", ".", "v", "s", "Escape", "p"].map((key) => lab.talkKey(pressed(key), keys, false)),
          typing: ["PageDown", "b", ".", "p"].map((key) => talk(key, {{}}, field)),
          sliding: ["PageDown", "PageUp", "b", "p"].map((key) => talk(key, {{}}, range)),
          slider: talk("PageDown", {{}}, new Element("[role=slider]")),
          beside: talk("PageDown", {{}}, button, range),
          listed: ["Escape", "b"].map((key) => talk(key, {{}}, button, new Element("dialog[open]"))),
          closed: talk("b", {{}}, button, new Element("dialog")),
          held: ["ctrlKey", "metaKey", "altKey", "repeat", "defaultPrevented"].map((name) => talk("PageDown", {{ [name]: true }})),
        }};""",
    )
    assert found == {
        "plain": ["forward", "backward", "blank", "again", "view", "speaker", "present", "leave"],
        "capital": [None, "viewBack", "blank"],  # the last with caps lock
        "others": [None] * 6,
        "off": [None] * 7 + ["present"],
        "typing": [None] * 4,
        "sliding": [None, None, "blank", "present"],
        "slider": None,
        "beside": "forward",
        "listed": [None, None],
        "closed": "blank",
        "held": [None] * 5,
    }


def test_no_two_keys_of_the_table_are_in_each_other_s_way() -> None:
    """A key that a view listens to by itself, as Escape, comes after presenter mode's."""
    pressed = [(name, key.shift) for key in KEYS if key.talk for name in key.keys]
    assert len(set(pressed)) == len(pressed)
    others = {(name, key.shift) for key in KEYS if not key.talk for name in key.keys}
    assert others & set(pressed) == {("Escape", False)}


# --- size -------------------------------------------------------------------------------------------------


def test_the_smallest_type_has_28_pixels_on_a_window_of_1920(folder: Path) -> None:
    found = run(
        folder,
        """return {
          scale: [[1920, 1080], [1280, 720], [3840, 2160], [1920, 540], [800, 600]].map(([w, h]) => 14 * lab.scaleOf(w, h)),
          largest: [lab.largest(1, 2, () => true), lab.largest(1, 2, () => false), lab.largest(1, 9, (size) => size < 1.5)],
          view: [
            lab.viewOf({ chosen: "", lit: "clouds", views: ["picture", "clouds"] }),
            lab.viewOf({ chosen: "film", lit: "clouds", views: ["picture", "clouds", "film"] }),
            lab.viewOf({ chosen: "film", lit: "clock", views: ["picture", "clouds"] }),
            lab.viewOf({ chosen: "", lit: "", views: [] }),
          ],
        };""",
    )
    assert found["scale"] == pytest.approx([28, 18.667, 56, 14, 14], abs=1e-3)
    most, least, between = found["largest"]
    assert 1.88 < most <= 2  # the next one is 6% larger
    assert least == 1
    assert 1.41 < between < 1.5
    assert found["view"] == ["clouds", "film", "picture", ""]


def test_what_is_asked_for_is_awaited_and_asked_for_again_of_a_server_that_was_away(folder: Path) -> None:
    found = run(
        folder,
        """
        const way = new lab.Way();
        const said = [];
        const settle = (stop, stops) => said.push([way.settle({ stop, stops }), way.stop, way.awaited]);
        const ask = (by) => { const stop = way.ahead(by, 4); if (stop) way.ask({ stop, again: false }); return stop; };
        settle(1, 4);
        const ends = [way.ahead(-1, 4), way.ahead(3, 4), way.ahead(4, 4)];
        const quick = [ask(1), ask(1)];
        settle(2, 4);  // the first of two
        const third = ask(1);
        settle(4, 4);
        settle(2, 4);  // by the strip
        ask(1);
        way.rejoined = true;
        settle(2, 4);
        settle(2, 4);  // asked again, and not yet there
        settle(3, 4);
        ask(1);
        settle(0, 0);  // left
        way.rejoined = true;
        settle(3, 4);
        return { ends, quick, third, said, rejoined: way.rejoined };""",
    )
    to = [{"stop": stop, "again": False} for stop in range(5)]
    assert (found["ends"], found["quick"], found["third"]) == ([0, 4, 0], [2, 3], 4)
    assert found["rejoined"] is False
    assert found["said"] == [
        [None, 1, None],
        [None, 3, to[3]],
        [None, 4, None],
        [None, 2, None],
        [to[3], 3, to[3]],
        [None, 3, to[3]],
        [None, 3, None],
        [None, 0, None],
        [None, 3, None],
    ]


def test_the_drawing_of_a_talk_s_beginning_outlasts_a_server_that_forgets_it(folder: Path) -> None:
    found = run(
        folder,
        """
        const kept = { title: "A", drawing: "x" };
        return [[null, "A", "x"], [kept, "A", "y"], [kept, "A", null], [kept, "", null], [kept, "B", null], [null, "A", null]].map(
          ([before, title, opening]) => lab.openingOf(before, { title, opening }));""",
    )
    kept = {"title": "A", "drawing": "x"}
    assert found == [kept, {"title": "A", "drawing": "y"}, kept, kept, None, None]


# --- the speaker's window ---------------------------------------------------------------------------------


def test_what_comes_over_the_channel_is_checked(folder: Path) -> None:
    found = run(
        folder,
        """
        const place = { title: "T", page: "Draw", note: "n", ask: "" };
        const state = { kind: "state", stop: 2, stops: 3, now: place, next: null, blank: false, began: 0 };
        const not = [
          null, undefined, 3, "state", [], {}, { ...state, kind: "go" }, { ...state, stop: 4 }, { ...state, stop: -1 }, { ...state, stop: 1.5 },
          { ...state, stops: "3" }, { ...state, stops: 1e9, stop: 1e9 }, { ...state, now: null }, { ...state, now: { ...place, note: 3 } },
          { ...state, now: { ...place, note: "x".repeat(2001) } }, { ...state, next: undefined }, { ...state, next: "x" },
          { ...state, next: { ...place, ask: null } }, { ...state, blank: 1 }, { ...state, began: -1 }, { ...state, began: NaN },
        ];
        return {
          yes: [state, { ...state, next: place, began: 1764000000000 }].map((sent) => lab.stateOf(sent) === sent),
          not: not.map((sent) => lab.stateOf(sent)),
          orders: [...["hello", "next", "back", "blank", "start", "clock"].map((kind) => lab.orderOf({ kind })),
            ...[{ kind: "go" }, { kind: "constructor" }, null, undefined, "next", 3, {}].map((sent) => lab.orderOf(sent))],
          clock: [0, 59999, 60000, 3599999, 3661000, -5].map(lab.clockText),
        };""",
    )
    assert found["yes"] == [True, True]
    assert found["not"] == [None] * 21
    assert found["orders"] == ["hello", "next", "back", "blank", "start", "clock", *[None] * 7]
    assert found["clock"] == ["0:00", "0:59", "1:00", "59:59", "1:01:01", "0:00"]


def test_the_speaker_s_window_says_where_the_talk_is_and_asks_it_to_move(folder: Path) -> None:
    found = run(
        folder,
        """
        const node = (tag) => ({
          tag, nodes: [], heard: {}, said: {}, textContent: "", hidden: false,
          appendChild(one) { this.nodes.push(one); },
          setAttribute(name, value) { this.said[name] = value; },
          addEventListener(name, act) { this.heard[name] = act; },
        });
        const page = { ...node("document"), body: node("body"), createElement: node };
        const all = (one) => [one, ...one.nodes.flatMap(all)];
        const named = (name) => all(page.body).find((one) => one.className === name);
        const [sent, channels] = [[], []];
        globalThis.BroadcastChannel = class {
          constructor(name) { channels.push(this); this.name = name; }
          postMessage({ kind }) { sent.push(kind); }
        };
        globalThis.setInterval = () => 0;
        const say = new Proxy({}, { get: (_, name) => `<${String(name)}>` });
        lab.speaker(page, "talk-1", say);
        const place = (note) => ({ title: "T", page: `on ${note}`, note, ask: `${note}?` });
        const hear = (data) => channels[0].onmessage({ data });
        const state = { kind: "state", stop: 1, stops: 2, now: place("one"), next: place("two"), blank: false, began: 0 };
        const shown = () => [named("place").textContent, named("note").textContent, named("elapsed").textContent, named("gone").hidden, named("back").disabled, named("next").disabled];
        const aside = all(page.body).find((one) => one.tag === "aside");
        hear(state);
        const first = shown();
        const told = [named("title"), named("ask"), ...aside.nodes].map((one) => one.textContent);
        hear({ ...state, stop: 2, now: place(""), next: null, began: Date.now() - 61000 });
        const last = shown();
        hear({ ...state, stop: 3 });  // none
        hear({ kind: "gone" });
        const gone = [...shown(), named("gone").textContent];
        const begun = sent.splice(0);
        let kept = 0;
        const press = (key, held = {}) => page.heard.keydown({ key, ...held, preventDefault: () => (kept += 1) });
        for (const key of ["PageDown", "ArrowRight", "PageUp", "ArrowLeft", "b", ".", "x", "F5"]) press(key);
        press("r", { ctrlKey: true });
        press("b", { ctrlKey: true });
        press("PageDown", { repeat: true });
        named("clock").heard.click();
        return { first, told, last, gone, begun, sent, kept, name: channels[0].name };""",
    )
    assert found["name"] == "talk-1"
    assert found["begun"] == ["hello"]
    assert found["first"] == ["1/2", "one", "0:00", True, True, False]
    assert found["told"] == ["T · on one", "one?", "<ahead> on two", "two?", "two"]
    assert found["last"] == ["2/2", "<noteless>", "1:01", True, False, True]
    assert found["gone"] == [*found["last"][:3], False, False, True, "<gone>"]
    assert found["sent"] == ["next", "next", "back", "back", "blank", "start", "hello", "hello", "clock"]
    assert found["kept"] == 8


# --- the strip --------------------------------------------------------------------------------------------


def test_what_an_address_says_goes_before_what_its_stop_says(folder: Path) -> None:
    found = run(
        folder,
        """return [
          lab.searchOf("?step=2&digit=7", null),
          ...["?step=5&lesson=x&stop=2", "", "?"].map((address) => [...new URLSearchParams(lab.searchOf("?step=2&digit=7", address))]),
        ];""",
    )
    assert found == [
        "?step=2&digit=7",
        [["step", "5"], ["digit", "7"], ["lesson", "x"], ["stop", "2"]],
        [["step", "2"], ["digit", "7"]],
        [["step", "2"], ["digit", "7"]],
    ]
