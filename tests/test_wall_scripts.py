"""The wall's scripts, run by Node: orders, ranks, counts and sizes against values worked out by hand; what a browser keeps."""

import json
from pathlib import Path
from typing import Any

import pytest
from scripting import evaluate, write

# Six drawings; what each is stands beside it.
TILES = """
const tile = (id, more) => ({ id, phone: "P" + id, said: "", guess: "", network: "n", read: "1", reads: [(more && more.read) || "1"], verdict: "digit",
    scores: [0, 0, 0], task: 0, covered: false, fooled: false, disputed: 0, others: [], ...more });
const tiles = [
    tile(1, { read: "0", scores: [0.9, 0.2, 0.1], said: "0", task: 1 }),
    tile(2, { read: "1", scores: [0.1, 0.6, 0.3], said: "0", fooled: true, task: 1, disputed: 1 }),
    tile(3, { read: "1", scores: [0.1, 0.8, 0.3], said: "0", fooled: true, task: 1 }),
    tile(4, { read: "2", scores: [0.1, 0.0, 0.2], verdict: "no digit", said: "0", task: 1, disputed: 2 }),
    tile(5, { read: "1", scores: [0.1, 0.95, 0.3], said: "1", task: 1 }),
    tile(6, { read: "2", scores: [0.0, 0.0, 0.99], said: "2", fooled: false, covered: true, disputed: 3, task: 1 }),
    tile(7, { read: "0", scores: [0.9, 0.0, 0.0], verdict: "unsure" }),
];
const room = (task) => ({ task, classesOf: () => ["0", "1", "2"] });
const task = { number: 1, text: "", drawn: "0", read: "1" };
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs the body of a function in which ``order``, ``kept`` and ``tile_`` are the modules."""
    folder = write(tmp_path_factory.mktemp("scripts"), "wall_order", "wall_kept", "wall_tile")
    page = f"""import * as order from "./wall_order.mjs";
        import * as kept from "./wall_kept.mjs";
        import * as tile_ from "./wall_tile.mjs";
        {TILES}"""
    return lambda script: evaluate(folder, page, script)


# --- orders -------------------------------------------------------------------------------------------------------


def test_tiles_are_sorted_by_what_is_asked_for_and_the_later_first(node: Any) -> None:
    found = node(
        "return Object.fromEntries(order.ORDERS.map((by) => [by, order.ordered(tiles, by, room(task)).map(({ id }) => id)]));"
    )
    assert found == {
        "newest": [7, 6, 5, 4, 3, 2, 1],
        "certain": [5, 7, 1, 3, 2, 4, 6],  # 0.95, 0.9 twice, 0.8, 0.6, 0.2, unknown
        "unsure": [4, 2, 3, 7, 1, 5, 6],
        "disputed": [4, 2, 5, 7, 1, 3, 6],  # two networks, one, none; the covered one tells nothing yet
        "fooled": [3, 2, 7, 6, 5, 4, 1],
        "digit": [7, 1, 5, 3, 2, 4, 6],  # 0, 0, 1, 1, 1, then what is no digit
        "task": [3, 2, 5, 1, 4, 7, 6],  # met: 0.8, 0.6; not: 0.95, 0.2, 0.0; of no task
    }


def test_a_task_is_met_by_what_was_meant_and_read_as_asked(node: Any) -> None:
    script = """
        const of = (id, task) => order.measured(tiles[id - 1], task, ["0", "1", "2"]);
        return [of(2, task), of(5, task), of(4, task), of(6, task), of(7, task), of(1, null),
            of(1, { ...task, read: "" }), of(2, { ...task, read: "" }), of(2, { ...task, drawn: "", read: "" }), of(4, { ...task, drawn: "0", read: "2" })];
    """
    assert node(script) == [
        {"met": True, "score": 0.6},
        {"met": False, "score": 0.95},  # meant to be another
        {"met": False, "score": 0.0},  # read as none
        None,  # still covered
        None,  # drawn for no task
        None,
        {"met": True, "score": 0.9},  # the most certain 0
        {"met": False, "score": 0.1},
        {"met": True, "score": 0.6},  # anything: the surest
        {"met": False, "score": 0.2},
    ]
    ranked = node("return [...order.ranks(tiles, room(task))];")
    assert ranked == [[3, 1], [2, 2]]


def test_tiles_keep_their_places_and_new_ones_come_in_front(node: Any) -> None:
    script = "return [order.placed([3, 1, 2], [1, 2, 3, 4, 5]), order.placed([3, 1, 2], [2, 3]), order.placed([], [1, 2]), order.placed([1], [])];"
    assert node(script) == [[5, 4, 3, 1, 2], [3, 2], [2, 1], []]


# --- counts -------------------------------------------------------------------------------------------------------


def test_the_table_counts_what_was_said_and_read(node: Any) -> None:
    found = node(
        'return [order.confusion(tiles, ["0", "1", "2"]), order.counts(tiles, ["0", "1", "2"]), order.confusion([], ["0"])];'
    )
    assert found[0] == {"table": [[1, 2, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]], "told": 5, "agreed": 2}
    assert found[1] == [2, 3, 0, 1]  # the covered one is none of them
    assert found[2] == {"table": [[0, 0]], "told": 0, "agreed": 0}


def test_of_several_digits_the_one_that_was_meant_counts(node: Any) -> None:
    script = """
        const two = [tile(1, { read: "1", reads: ["1", "0"], said: "0", task: 1 }), tile(2, { read: "1", reads: ["1", "0"], said: "2", task: 1, scores: [0.6, 0.9, 0.1] })];
        const names = ["0", "1", "2"];
        return [order.confusion(two, names).table, order.counts(two, names), order.measured(two[1], { ...task, drawn: "2", read: "0" }, names),
            tile_.sign({ verdict: "digit", reads: ["1", "0"] }),
            tile_.otherReads({ verdict: "digit", reads: ["1", "0"], others: [{ verdict: "unsure", reads: ["0", "1"] }, { verdict: "digit", reads: ["1"] }, { verdict: "digit", reads: ["2", "1"] }] })];"""
    assert node(script) == [
        [[1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]],
        [2, 2, 0, 0],
        {"met": True, "score": 0.6},
        "1 + 0",
        ["1", "1 + 2"],
    ]


# --- sizes --------------------------------------------------------------------------------------------------------


def test_tiles_are_as_large_as_all_of_them_have_room(node: Any) -> None:
    cases = [
        (1, 1500, 800, 60, 520),  # the largest there is
        (1, 870, 640, 60, 440),  # 440 + 158 + 22
        (1, 870, 480, 60, 320),  # 320 + 115 + 22, as high as there is room
        (2, 870, 700, 60, 380),  # of the next, 440, one is abreast
        # 5 abreast take 5 * 164 + 4 * 8 = 852 pixels; with the next size, 190, 4 are abreast, in two rows of 190 + 68 + 22.
        (5, 870, 480, 60, 164),
        # 13 abreast take 13 * 60 + 12 * 4 = 828, in 5 rows of 60 + 25 with 4 between: 441. Of the next, 70, 11 are: 6 rows.
        (60, 870, 480, 60, 60),
        # 200 on a stage: 25 abreast, 8 rows of 34 + 14 with 4 between: 412; of the next, 38, 22 are: 10 rows of 54: 576.
        (200, 950, 440, 30, 34),
        (5000, 870, 480, 60, 60),  # more than there is room for
        (3, 40, 480, 60, 60),
    ]
    script = f"return {json.dumps(cases)}.map(([count, width, height, least]) => order.sizeFor(count, width, height, least));"
    assert node(script) == [size for *_, size in cases]
    assert node(
        "return [60, 84, 106].map((size) => [order.below(size), order.gap(size), order.columnsOf(size, 870)]);"
    ) == [
        [25, 4, 13],
        [30, 8, 9],
        [60, 8, 7],  # with a name
    ]


# --- signs --------------------------------------------------------------------------------------------------------


def test_a_reading_is_a_sign(node: Any) -> None:
    script = """return [tile_.sign({ verdict: "digit", reads: ["7"] }), tile_.sign({ verdict: "unsure", reads: ["7"] }),
        tile_.sign({ verdict: "no digit", reads: ["7"] }), tile_.sign({ covered: true, verdict: "digit", reads: ["7"] }),
        tile_.otherReads({ verdict: "unsure", reads: ["7"], others: [{ verdict: "digit", reads: ["7"] }, { verdict: "no digit", reads: ["7"] }, { verdict: "unsure", reads: ["1"] }, { verdict: "digit", reads: ["1"] }] }),
        tile_.otherReads({ verdict: "no digit", reads: ["7"], others: [{ verdict: "no digit", reads: ["1"] }, { verdict: "digit", reads: ["7"] }] }),
        tile_.otherReads({ verdict: "digit", reads: ["7"], others: null })];"""
    assert node(script) == ["7", "7?", "–", "…", ["–", "1"], ["7"], []]


# --- what a browser keeps -----------------------------------------------------------------------------------------

SECRET, OTHER = "s" * 32, "t" * 32


def test_a_presenter_s_link_carries_its_secret_where_no_server_sees_it(node: Any) -> None:
    link = node(f'return kept.presenterLink("http://192.168.0.7:8501/p/class?drawing=abc#x", "{SECRET}");')
    assert link == f"http://192.168.0.7:8501/p/class#presents={SECRET}"
    hashes = [
        f"#presents={SECRET}",
        f"presents={SECRET}",
        "",
        "#",
        "#presents=short",
        f"#presents={SECRET}<b>",
        "#x",
    ]
    assert node(f"return {json.dumps(hashes)}.map(kept.secretOf);") == [SECRET, SECRET, "", "", "", "", ""]


def test_classes_are_kept_apart_and_each_tab_shows_its_own(node: Any) -> None:
    store = "const store = () => { const all = {}; return { getItem: (n) => all[n] ?? null, setItem: (n, v) => { all[n] = v; } }; };"
    found = node(
        f"""{store}
        const local = store();
        const tab = () => {{ const own = store(); return new kept.Presented(() => local, () => own); }};
        const [one, two] = [tab(), tab()];
        const nothing = one.here();
        one.keep({{ code: "FFFHHH", secret: "{SECRET}" }});
        one.show("FFFHHH");
        two.keep({{ code: "CCCHHH", secret: "{OTHER}" }});
        two.show("CCCHHH");
        two.keep({{ code: "CCCHHH", secret: "{OTHER}", opened: 5 }});
        const codes = [one.here().code, two.here().code, tab().here().code, one.all().length];
        two.show("");
        const none = two.here();
        one.forget("{SECRET}");
        return [nothing, codes, none, one.here(), one.all()];"""
    )
    last = {"code": "CCCHHH", "secret": OTHER, "opened": 5}
    assert found == [None, ["FFFHHH", "CCCHHH", "CCCHHH", 2], None, last, [last]]


def test_what_was_kept_is_checked_and_may_fail(node: Any) -> None:
    good = {"code": "FFFHHH", "secret": SECRET}
    bad = [{"code": "<b>", "secret": SECRET}, {"code": "FFFHHH", "secret": "x"}, None, 3, {}]
    texts = [json.dumps([good, *bad]), "{", "null", "3", json.dumps(good), json.dumps([good] * 50)]
    found = node(f"return {json.dumps(texts)}.map(kept.parseKept);")
    assert found == [[good], [], [], [], [], [good] * 20]
    broken = node(
        f"""const fail = () => {{ throw new Error("forbidden"); }};
        const own = new kept.Presented(fail, fail);
        own.keep({json.dumps(good)});
        return [own.here(), own.all()];"""
    )
    assert broken == [good, [good]]


def test_no_page_but_the_class_s_loads_the_wall(tmp_path: Path) -> None:
    from capsviz.figures.bundle import FOLDER, modules

    others = {name for path in FOLDER.glob("*.js") if not (name := path.stem).startswith("wall")}
    assert not [name for name in others if any(module.startswith("wall") for module in modules(name))]
