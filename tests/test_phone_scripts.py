"""What the phone's scripts do, run by Node: sending over a bad network, the pen, streams; and what old browsers know."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from test_scripts import compiler  # noqa: F401 # a fixture

from capsviz import texts
from capsviz.figures.bundle import FOLDER, bundle, modules

# A server that answers as it is told, a clock that waits for nobody, and what both were asked.
LAB = """
const lab = (replies) => {
  const [sent, waited, failed] = [[], [], []];
  const post = async (item) => {
    sent.push(item);
    const reply = replies.shift();
    return typeof reply === "function" ? reply() : reply;
  };
  const wait = (ms) => { waited.push(ms); return { over: Promise.resolve(), end() {} }; };
  const outbox = new post_.Outbox(post, (reply) => failed.push(reply && reply.status), wait);
  return { outbox, sent, waited, failed };
};
"""


@pytest.fixture(scope="module")
def node() -> Any:
    """Evaluates async expressions in which ``post_``, ``pen``, ``stream``, ``page``, ``answer`` and ``memory`` are the modules."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no Node is installed, which would run the scripts")

    def evaluate(*expressions: str) -> Any:
        script = f"""{bundle("phone")}
            const [post_, pen, stream, page, answer, memory] = [$phone_post, $phone_pen, $phone_stream, $phone, $phone_answer, $phone_memory];
            $texts.speak({json.dumps(texts.for_script("common", "class.phone", "guess", "frame"))});
            {LAB}
            console.log(JSON.stringify(await Promise.all([{", ".join(f"(async () => {e})()" for e in expressions)}])));"""
        command = [program, "--input-type=module", "--eval", script]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return evaluate


def test_what_does_not_get_through_is_sent_again_the_same_until_it_is_answered(node: Any) -> None:
    (found,) = node(
        """{
        const l = lab([null, { status: 502, value: null }, { status: 503, value: { retry: 9 } }, { status: 409, value: {} },
                       { status: 429, value: {} }, { status: 200, value: "answer" }, { status: 200, value: "another" }]);
        const reply = await l.outbox.send("drawing");
        return { reply, ...l, outbox: null };
    }"""
    )
    assert found["reply"] == {"status": 200, "value": "answer"}
    assert found["sent"] == ["drawing"] * 6
    assert found["failed"] == [None, 502, 503, 409, 429]
    # A second, twice as long after each failure, a quarter more or less; and never before the server wants it.
    for wait, low, high in zip(
        found["waited"], (750, 1500, 9000, 6000, 12000), (1250, 2500, 9000, 10000, 20000), strict=True
    ):
        assert low <= wait <= high


def test_what_is_refused_for_good_is_not_sent_again(node: Any) -> None:
    found = node(
        *(
            f'{{ const l = lab([{{ status: {status}, value: {{}} }}]); return [(await l.outbox.send("x")).status, l.sent.length]; }}'
            for status in (200, 400, 403, 404, 410, 413, 415, 422)
        )
    )
    assert found == [[status, 1] for status in (200, 400, 403, 404, 410, 413, 415, 422)]


def test_a_drawing_that_is_taken_back_or_followed_by_another_is_given_up(node: Any) -> None:
    taken, followed = node(
        """{
        let l = lab([]);
        l.outbox.post = async () => { l.outbox.takeBack(); return { status: 200, value: "late" }; };
        return await l.outbox.send("x");
    }""",
        """{
        let open;
        const l = lab([() => new Promise((done) => { open = done; }), { status: 200, value: "two" }]);
        const first = l.outbox.send(1);
        const second = await l.outbox.send(2);
        open({ status: 200, value: "one" });
        return [await first, second.value, l.sent];
    }""",
    )
    assert taken is None
    assert followed == [None, "two", [1, 2]]


def test_pauses_grow_to_an_end_and_can_be_cut_short(node: Any) -> None:
    pauses, quick, marks = node(
        "[1, 2, 3, 4, 5, 6, 20].map((n) => post_.pause(n, 0.5))",
        "{ const s = post_.sleep(1e8); setTimeout(s.end, 0); await s.over; return true; }",
        "Array.from({ length: 50 }, post_.newMark)",
    )
    assert pauses == [1000, 2000, 4000, 8000, 16000, 20000, 20000]
    assert quick
    assert len(set(marks)) == 50
    assert all(re.fullmatch(r"[0-9a-f]{32}", mark) for mark in marks)


def test_a_way_of_the_pen_is_on_the_grid_and_leaves_out_where_it_hardly_moves(node: Any) -> None:
    (found,) = node(
        "{ const way = []; const took = [[10.2, 10.3], [10.6, 10.3], [11.3, 10.3], [11.3, 12.9], [11.3, 12.9]].map(([x, y]) => pen.extend(way, x, y)); return [way, took]; }"
    )
    assert found == [[10, 10.5, 11.5, 10.5, 11.5, 13], [True, False, True, True, False]]


def test_messages_are_taken_from_a_stream_as_they_become_whole(node: Any) -> None:
    assert node(
        r'stream.messages("data: {\"a\":1}\n\n: \n\ndata: {\"b\":2}\n\ndata: {\"c")', 'stream.messages("")'
    ) == [[[{"a": 1}, {"b": 2}], 'data: {"c'], [[], ""]]


def test_codes_are_read_from_addresses_and_from_what_is_typed(node: Any) -> None:
    assert node(
        'page.codeOf("/pre/c/FFFHHH")',
        'page.codeOf("/c/")',
        'page.codeOf("/fff hhh")',
        'page.codeOf("/c/fff-hhh")',
        'page.codeOf("/c/%3Cb%3E%20123456789012345")',
    ) == ["FFFHHH", "", "FFFHHH", "FFFHHH", "<B>123456789"]


def test_the_answer_in_words(node: Any) -> None:
    words = '{ kind: "digit", kinds: "digits", Kind: "Digit" }'
    said = [
        f"answer.sentences({json.dumps(value)}, {words})"
        for value in (
            {"verdict": "digit", "read": "7", "reads": ["7"], "said": "1", "guess": "7"},
            {"verdict": "unsure", "read": "7", "reads": ["7"], "said": "7", "guess": "1"},
            {"verdict": "no digit", "read": "7", "reads": ["7"], "said": "1", "guess": "7"},
            {"verdict": "digit", "read": "7", "reads": ["7"], "said": "", "guess": ""},
            {"verdict": "digit", "read": "7", "reads": ["7", "3"], "said": "3", "guess": "3"},
            {"verdict": "digit", "read": "7", "reads": ["7", "3"], "said": "1", "guess": "1"},
        )
    ]
    assert node(*said) == [
        ["You said 7, and it reads 7.", "You meant 1, and it reads 7: you have fooled it."],
        ["You said 1; it reads 7.", "You meant 7, and it reads 7."],
        ["You said 7; it names no digit."],
        [],
        # Of several that are read, either is what was meant.
        ["You said 3, and it reads 3.", "You meant 3, and it reads 7 + 3."],
        ["You said 1; it reads 7 + 3.", "You meant 1, and it reads 7 + 3: you have fooled it."],
    ]


def test_what_a_phone_keeps_outlasts_the_page_and_may_fail(node: Any) -> None:
    store = "const kept = {}; const store = { getItem: (n) => kept[n] ?? null, setItem: (n, v) => { kept[n] = v; }, removeItem: (n) => { delete kept[n]; } };"
    broken = '{ getItem: () => { throw new Error("no"); }, setItem: () => { throw new Error("full"); }, removeItem: () => { throw new Error("no"); } }'
    assert node(
        f'{{ {store} const m = new memory.Memory("A", store); m.keep({{ token: 1 }}); m.keep({{ ways: [2] }}); const other = new memory.Memory("B", store).value; const again = new memory.Memory("A", store); const value = {{ ...again.value }}; again.forget(); return [value, other, kept]; }}',
        f'{{ const m = new memory.Memory("A", {broken}); m.keep({{ token: 1 }}); const v = m.value; m.forget(); return [v, m.value]; }}',
        '{ const m = new memory.Memory("A", { getItem: () => "{" }); return m.value; }',
        '{ const m = new memory.Memory("A", null); m.keep({ token: 1 }); return m.value; }',
    ) == [[{"token": 1, "ways": [2]}, {}, {}], [{"token": 1}, {}], {}, {"token": 1}]


# --- browsers of five years ago: Safari 14, Chrome 87 ---------------------------------------------------------


def test_scripts_use_no_function_that_old_browsers_lack(compiler: list[str], tmp_path: Path) -> None:  # noqa: F811
    """Of ECMAScript 2020; what TypeScript knows of the browser itself is of any age."""
    names = modules("phone")
    for name in names:
        shutil.copy(FOLDER / f"{name}.js", tmp_path)
    options = json.loads((FOLDER / "tsconfig.json").read_text("utf-8"))
    options["compilerOptions"]["lib"] = ["ES2020", "DOM", "DOM.Iterable"]
    (tmp_path / "tsconfig.json").write_text(json.dumps(options))
    (tmp_path / "late.js").write_text(
        "[1].at(0);\n"
    )  # so that the check cannot pass because nothing is looked at
    command = [*compiler, "--project", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    found = result.stdout + result.stderr
    assert set(re.findall(r"(\w+)\.js\(\d+,\d+\): error TS", found)) == {"late"}, found


def test_scripts_and_styles_have_nothing_that_old_browsers_cannot_read() -> None:
    script = "\n".join((FOLDER / f"{name}.js").read_text("utf-8") for name in modules("phone"))
    style = (FOLDER / "phone.css").read_text("utf-8")
    # Syntax of later years, and what needs a page served over TLS, which a laptop in a class has not.
    late = r"\(\?<[=!]|^\s*static |^\s*#\w|\|\|=|&&=|\?\?=|\d_\d|randomUUID|structuredClone|\.subtle|wakeLock|clipboard|await import"
    assert not re.findall(late, script, re.M)
    # aspect-ratio and inset are of 2021, gap of flex boxes too (of grids it is spelled grid-gap here).
    newer = r":is\(|:where\(|:has\(|color-mix|aspect-ratio|\binset:|(?<!grid-)\bgap:|\d[dsl]vh|@layer|@container|&"
    assert not re.findall(newer, style)
