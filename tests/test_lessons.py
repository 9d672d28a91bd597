"""Lessons: each file is one or is named with file and line; what the shipped ones ask for is there; what is noticed."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from capsviz.app import lessons, pad, session, talk, tour
from capsviz.app.conditions import CONDITIONS
from capsviz.app.lesson_file import MOST_SAID, Fault, Lesson, line_of, parse
from capsviz.app.panels import PANELS
from capsviz.figures.bundle import FOLDER as SCRIPTS
from capsviz.figures.bundle import bundle
from capsviz.inputs.drawings import Drawing, encode
from capsviz.networks.base import find

ROOT = Path(__file__).resolve().parent.parent
GOOD = """minutes = 5
sources = ["arXiv:1710.09829"]
[title]
en = "One"
[questions]
en = ["Which?"]
[notice]
en = "That."

[[steps]]
page = "draw"
lit = "pad"
[steps.text]
en = "First."

[[steps]]
page = "routing"
address = { step = 3, digit = 7 }
lit = "clock"
do = { step = 11, capsule = true }
[steps.text]
en = "Second  one,
it goes on."
de = "Zweiter."
[steps.ask]
en = "Go."
""".replace('"Second  one,\nit goes on."', '"""Second  one,\nit goes on."""')


def lesson(source: str) -> Lesson:
    found = parse("one", source)
    assert isinstance(found, Lesson), found
    return found


def fault(source: str, name: str = "one") -> Fault:
    found = parse(name, source)
    assert isinstance(found, Fault)
    return found


def test_a_file_is_a_lesson() -> None:
    found = lesson(GOOD)
    assert (found.name, found.minutes, found.networks) == ("one", 5, ("dynamic.mnist",))
    first, second = found.steps
    assert (first.page, first.lit, dict(first.address), dict(first.do)) == ("draw", "pad", {}, {})
    assert dict(second.address) == {"step": "3", "digit": "7"}
    assert dict(second.do) == {"step": 11, "capsule": True}
    assert second.text == {"en": "Second one, it goes on.", "de": "Zweiter."}


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("minutes = 5", "minutes = 0", 1, "from 1 to 180"),
        ("minutes = 5", "minutes = true", 1, "from 1 to 180"),
        ("minutes = 5", "minutes = 5\nminute = 5", 2, "minute"),
        ("minutes = 5", 'minutes = 5\nnetwork = "dynamo"', 2, "dynamo"),
        ('en = "One"', 'de = "Eins"', 3, "title is missing"),
        ('en = "One"', 'en = ""', 4, "1 to 150 characters"),
        ('en = "One"', 'en = "One"\nDE = "x"', 5, "DE is no language"),
        ('en = ["Which?"]', 'en = "Which?"', 6, "list"),
        ('sources = ["arXiv:1710.09829"]', "sources = [3]", 2, "characters"),
        ('page = "draw"', 'page = "drow"', 11, "page cannot be drow"),
        ('lit = "pad"', 'lit = "clock"', 12, "lit cannot be clock"),
        ('lit = "pad"', 'lit = "pad', 12, "not TOML"),
        ('lit = "pad"', 'lot = "pad"', 12, "no key lot"),
        ("step = 3,", "step = 12,", 18, "from 0 to 11"),
        ("step = 3,", "step = 3.5,", 18, "step is a text or a whole number"),
        ("step = 3,", "steps = 3,", 18, "address cannot be steps"),
        ("step = 3,", 'step = 3, lesson = "two",', 18, "address cannot be lesson"),
        ("step = 3,", 'step = 3, drawing = "?",', 18, "drawing"),
        ("step = 3,", 'step = 3, network = "cnn.mnist",', 17, "nothing to show on the page routing"),
        ("step = 11,", "steps = 11,", 20, "do cannot be steps"),
        ("step = 11,", "step = 40,", 20, "from 0 to 39"),
        ("capsule = true", "capsule = 7", 20, "only be true"),
        ("capsule = true", 'class = "eleven"', 20, "no eleven"),
        ("capsule = true", "longest = [0.5]", 20, "two numbers"),
        ("capsule = true", "slider = 0.1", 20, "do cannot be slider"),
        ('[steps.ask]\nen = "Go."\n', "", 20, "what is noticed must be asked for"),
        ('en = "First."', f'en = "{"x" * (MOST_SAID + 1)}"', 14, f"1 to {MOST_SAID} characters"),
        ('en = "First."', 'de = "Erst."', 13, "text is missing"),
    ],
)
def test_a_fault_is_named_with_its_line(old: str, new: str, line: int, says: str) -> None:
    assert GOOD.count(old) == 1
    found = fault(GOOD.replace(old, new))
    assert (found.file, found.line) == ("one.toml", line)
    assert says in found.problem
    assert found.sentence.startswith(f"one.toml is left out, for what stands in line {line}: ")
    assert found.sentence.endswith(".")
    assert found.sentence.isprintable()


def test_a_fault_of_the_whole_is_named_too() -> None:
    head = GOOD[: GOOD.index("[[steps]]")]
    assert "1 to 40 steps" in fault(head).problem
    step = '[[steps]]\npage = "draw"\ntext.en = "x"\n'
    assert len(lesson(head + 40 * step).steps) == 40
    assert "1 to 40 steps" in fault(head + 41 * step).problem
    assert "not TOML" in fault("x = " + 5000 * "[").problem
    for name in ("Two", "a b", "", "a" * 41, "../x"):
        assert "small letters" in fault(GOOD, name).problem


def test_pages_networks_and_iterations_limit_what_can_be_asked_for() -> None:
    """5 iterations are 20 steps; the CNN has no poses, and its probabilities always sum to 1."""
    more = GOOD.replace("step = 3,", "step = 19, R = 5,")
    assert lesson(more).steps[1].address["step"] == "19"
    assert "from 0 to 15" in fault(more.replace("R = 5", "R = 4")).problem
    first = 'page = "draw"\nlit = "pad"'
    cnn = GOOD.replace(first, 'page = "draw"\naddress.network = "cnn.mnist"\nlit = "LIT"')
    assert "lit cannot be redrawn" in fault(cnn.replace("LIT", "redrawn")).problem
    assert lesson(cnn.replace("LIT", "lengths")).networks == ("cnn.mnist", "dynamic.mnist")
    summed = cnn.replace("LIT", 'lengths"\nask.en = "Do."\ndo.sum = [1, 2]\n#"')
    assert "do cannot be sum" in fault(summed).problem
    assert lesson(summed.replace("cnn.mnist", "attention.mnist")).steps[0].do == {"sum": (1, 2)}
    attention = GOOD.replace("step = 3,", 'network = "attention.mnist", step = 3,')
    assert "lit cannot be clock" in fault(attention).problem


def test_the_line_of_a_key_is_found_however_it_is_written() -> None:
    source = '[[steps]]\ndo.a = 1\n[[steps]]\n"page" = 1\n[steps.address]\nstep = 1\n'
    assert [line_of(source, way) for way in (("steps", 0, "do", "a"), ("steps", 1, "page"))] == [2, 4]
    assert line_of(source, ("steps", 1, "address", "step")) == 6
    assert line_of(source, ("steps", 1, "lit")) == 3
    assert line_of("steps = [{}, 3]", ("steps", 1)) == 1


@pytest.fixture
def more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Writes a file into the folder that the environment names."""
    monkeypatch.setenv("CAPSVIZ_LESSONS", str(tmp_path))
    return lambda name, content: (tmp_path / name).write_text(content, "utf-8") and None


def test_one_s_own_lessons_stand_after_ours_and_a_fault_leaves_one_out(
    more: Callable[[str, str], None],
) -> None:
    ours = list(lessons.shelf().lessons)
    more("own.toml", GOOD)
    more("short.toml", GOOD.replace("minutes = 5", "minutes = 1"))
    more("tour.toml", GOOD)
    more("wrong.toml", GOOD.replace("minutes = 5", "minutes = 500"))
    more("large.toml", GOOD + "#" * 70_000)
    more("notes.txt", "no lesson")
    found = lessons.shelf()
    assert list(found.lessons) == [*ours, "short", "own"]
    assert {(one.file, one.line) for one in found.faults} == {
        ("tour.toml", 1),
        ("wrong.toml", 1),
        ("large.toml", 1),
    }
    assert len(found.lessons["tour"].steps) > 2  # ours
    more("wrong.toml", GOOD)  # mended
    assert "wrong" in lessons.shelf().lessons


def test_a_folder_that_is_not_there_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPSVIZ_LESSONS", "/nowhere/lessons")
    assert "there is no such folder" in lessons.shelf().faults[0].problem


# --- those that are shipped -------------------------------------------------------------------------------------


def test_shipped_lessons_are_whole() -> None:
    found = lessons.shelf()
    assert not found.faults
    shipped = list(found.lessons.values())
    assert shipped[0].name == "tour"
    assert len(shipped) >= 13
    minutes = [one.minutes for one in shipped[1:]]
    assert minutes == sorted(minutes)
    assert 9 <= len(found.lessons["tour"].steps) <= 11
    for one in shipped:
        assert 3 <= len(one.steps) <= 11, one.name
        assert one.sources, one.name
        said = [one.title, one.notice, one.questions, *(step.text for step in one.steps)]
        said += [step.ask for step in one.steps if step.ask]
        for words in said:
            assert set(words) == {"en", "de"}, f"{one.name}: {words}"
        assert any(step.do for step in one.steps), one.name
        for text in (text for words in said for text in words.values() if isinstance(text, str)):
            assert not re.search(r"\s-\s|\"|'", text), f"{one.name}: {text}"


def test_drawings_of_lessons_are_read_as_they_say() -> None:
    """The comment behind each drawing names the example that it is."""
    from capsviz.inputs.examples import EXAMPLES
    from capsviz.texts import say

    for path in lessons.FOLDER.glob("*.toml"):
        for text, name in re.findall(
            r'drawing = "([^"]+)" # (?:the example “(.+?)”|an empty pad)', path.read_text("utf-8")
        ):
            names = [say(f"example.{example.name}") for example in EXAMPLES]
            drawing = Drawing(example=names.index(name)) if name else Drawing()
            assert encode(drawing) == text, f"{path.name}: {name}"


def test_the_document_s_example_is_a_lesson() -> None:
    written = (ROOT / "docs" / "lessons.md").read_text("utf-8")
    found = parse("own", re.search(r"```toml\n(.*?)```", written, re.S)[1])  # type: ignore[index]
    assert isinstance(found, Lesson), found
    for name in (*(panel.name for panel in PANELS), *CONDITIONS):
        assert f"`{name}`" in written, f"docs/lessons.md does not name {name}"


# --- the scripts ------------------------------------------------------------------------------------------------


def test_every_name_that_can_be_lit_is_declared_by_a_view() -> None:
    declared = [panel.name for panel in PANELS if panel.selector]
    for name in (
        "explorer",
        "attention",
        "experiment",
        "pose",
        "overlap",
        "compare",
        "versus",
        "inside",
        "wall",
    ):
        script = (SCRIPTS / f"{name}.js").read_text("utf-8")
        body = re.search(r"new Part\(\s*\{(.*?)\n? *\}", script, re.S)
        assert body, name
        declared += re.findall(r"(\w+): \(\) =>", body[1])
    assert set(declared) == {panel.name for panel in PANELS}


def noticed(cases: list[tuple[dict, dict, dict]]) -> list[bool]:
    """What conditions.js makes of (wanted, facts now, facts then)."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node is here to run the script with")
    script = bundle("conditions") + (
        "const cases = JSON.parse(process.argv[1]);"
        "console.log(JSON.stringify([Object.keys(CONDITIONS), cases.map((one) => done(...one))]));"
    )
    run = subprocess.run(
        [node, "--input-type=module", "-e", script, json.dumps(cases)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert not run.stderr
    names, found = json.loads(run.stdout)
    assert set(names) == set(CONDITIONS)
    return found  # type: ignore[no-any-return]


def moved(capsule: int, by: list[float], strongest: int = 1) -> dict:
    return {"moved": {"capsule": capsule, "by": by, "strongest": strongest}}


def test_what_is_noticed() -> None:
    yes = [
        ({"drawn": True}, {"strokes": 1, "drawing": 5}, {"strokes": 0, "drawing": 4}),
        ({"answer": ["4", "9"]}, {"answer": "9"}, {}),
        ({"changed": True}, {"answer": "9"}, {"answer": "4"}),
        ({"longest": [0.5, 1]}, {"longest": 0.5}, {}),
        ({"sum": [1.2, 2]}, {"sum": 1.48}, {}),
        ({"network": ["a", "b"]}, {"network": "b"}, {"network": "b"}),
        ({"iterations": 1}, {"iterations": 1}, {}),
        ({"step": 3}, {"step": 4}, {"step": 0}),
        ({"capsule": True}, {"capsule": 0}, {"capsule": 5}),
        ({"class": ["7"]}, {"class": "7"}, {}),
        ({"experiment": ["uniform"]}, {"experiment": "uniform"}, {}),
        ({"silenced": 6}, {"silenced": 6}, {}),
        ({"broken": True}, {"broken": True}, {}),
        ({"slider": 0.1}, moved(4, [0, -0.1, 0]), moved(4, [0, 0, 0])),
        ({"strongest": 0.1}, moved(4, [0, 0.1, 0]), moved(4, [0, 0, 0])),
        ({"dimension": 2}, moved(4, [0, 0.05, 0.06]), moved(4, [0, 0, 0])),
        (
            {"slider": 0.1},
            moved(3, [0.2, 0, 0]),
            moved(4, [0.2, 0, 0]),
        ),  # another capsule begins at its own pose
        ({"step": 3, "capsule": True}, {"step": 3, "capsule": 1}, {"step": 0, "capsule": 2}),
    ]
    no = [
        ({"drawn": True}, {"strokes": 1, "drawing": 4}, {"strokes": 1, "drawing": 4}),  # of before
        ({"drawn": True}, {"strokes": 0, "drawing": 5}, {"strokes": 1, "drawing": 4}),  # cleared
        ({"answer": ["4", "9"]}, {"answer": "7"}, {}),
        ({"changed": True}, {"answer": ""}, {"answer": "4"}),  # nothing is no other answer
        ({"changed": True}, {"answer": "4"}, {"answer": "4"}),
        ({"longest": [0, 0.5]}, {"longest": 0.51}, {}),
        ({"longest": [0, 0.5]}, {}, {}),
        ({"sum": [1.2, 2]}, {"sum": 1.1}, {}),
        ({"network": ["a"]}, {"network": "b"}, {}),
        ({"iterations": 1}, {"iterations": 3}, {}),
        ({"step": 3}, {"step": 2}, {"step": 0}),
        ({"step": 0}, {}, {}),
        ({"capsule": True}, {"capsule": 5}, {"capsule": 5}),
        ({"capsule": True}, {}, {}),
        ({"class": ["7"]}, {"class": "1"}, {}),
        ({"experiment": ["uniform"]}, {"experiment": "routing"}, {}),
        ({"silenced": 6}, {"silenced": 5}, {}),
        ({"silenced": 1}, {}, {}),
        ({"broken": True}, {"broken": False}, {}),
        ({"slider": 0.1}, moved(4, [0.3, 0.09, 0]), moved(4, [0.3, 0, 0])),  # since the step began
        ({"slider": 0.1}, {}, {}),
        ({"strongest": 0.1}, moved(4, [0.5, 0.05, 0]), moved(4, [0, 0, 0])),
        ({"dimension": 2}, moved(4, [0, 0.07, 0.06]), moved(4, [0, 0, 0])),
        ({"dimension": 2}, moved(4, [0, 0, 0.04]), moved(4, [0, 0, 0])),
        ({"step": 3, "capsule": True}, {"step": 3, "capsule": 2}, {"step": 0, "capsule": 2}),
    ]
    assert noticed(yes + no) == [True] * len(yes) + [False] * len(no)


def test_classes_are_those_of_the_step_s_network() -> None:
    """A letter is an answer of the network for letters alone."""
    letters = GOOD.replace("capsule = true", 'answer = "Q"')
    assert "There is no Q" in fault(letters).problem
    with_letters = letters.replace("minutes = 5", 'minutes = 5\nnetwork = "attention.letters"').replace(
        'lit = "clock"', ""
    )
    assert "from 0 to 6" in fault(with_letters).problem  # attention has seven steps
    assert lesson(with_letters.replace("step = 11", "step = 6")).steps[1].do["answer"] == ("Q",)
    assert "Q" in find("attention.letters").shape.classes


def test_a_link_to_a_stop_has_on_the_pad_what_the_stops_before_it_put_there() -> None:
    """And what the link itself brings goes before that; an empty pad, which was to be drawn on, is no drawing."""
    four, three = "AWPkZAAA", "AWNkYwAA"  # the examples "four, closed" and "three"
    for query, expected in (
        ({"lesson": "agreement", "stop": "3"}, four),
        ({"lesson": "agreement", "stop": "3", "drawing": three}, three),
        ({"lesson": "what-it-really-sees", "stop": "2"}, three),
    ):
        app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert encode(app.session_state[pad.HISTORY_KEY][-1]) == expected


def test_an_address_opens_a_lesson_at_its_stop_and_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the last stop but two of four, whose iterations are 10; what presenter mode is told of it and of the next."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(talk, "_talk", lambda data, **_: sent.append(data) or {})
    steps = lessons.shelf().lessons["does-routing-help"].steps
    for stop, said in ((2, {"R": "2", "present": "picture"}), (4, {"present": "1"})):
        app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
        for name, value in {"lesson": "does-routing-help", "stop": str(stop), **said}.items():
            app.query_params[name] = value
        app.run()
        assert pad.PROBLEM_KEY not in app.session_state
        assert app.session_state[session.STOP_KEY] == ("does-routing-help", stop)
        assert app.session_state[tour.LINKED_KEY] is True
        told = sent[-1]
        assert (told["stop"], told["stops"]) == (stop, 4)
        assert told["view"] == {2: "picture", 4: ""}[stop]
        assert told["now"]["note"] == steps[stop - 1].text["en"]
        assert (told["next"] or {}).get("note") == (steps[2].text["en"] if stop == 2 else None)
        if stop == 2:
            assert app.session_state[session.ITERATIONS_KEY] == {"dynamic.mnist": 2}


def test_what_is_to_be_drawn_or_chosen_is_at_hand_and_a_lesson_that_is_over_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = lessons.shelf().lessons["tour"].steps[0]
    hands = {
        ("drawn",): "pad",
        ("answer", "network"): "pad network",
        ("network",): "network",
        ("step",): "",
        (): "",
    }
    for done, at_hand in hands.items():
        assert talk._hands(replace(step, do=dict.fromkeys(done, "x"))) == at_hand
    state: dict[str, Any] = {}
    monkeypatch.setattr(tour.st, "session_state", state)
    for over, place in ((False, 3), (True, 1)):
        state[session.STOP_KEY] = ("tour", 3)
        tour.leave(over=over)
        assert session.STOP_KEY not in state
        assert tour.place("tour") == place
