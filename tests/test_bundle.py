"""Modules joined into one: each keeps a scope of its own, and what cannot be joined is refused with one sentence."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from capsviz.figures import bundle as joiner
from capsviz.figures.bundle import FOLDER, browser_assets, bundle, modules

ENTRIES = [path.stem for path in FOLDER.glob("*.js") if "export default" in path.read_text("utf-8")]
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Puts modules into a folder of their own, from which they are joined."""
    monkeypatch.setattr(joiner, "FOLDER", tmp_path)

    def put(**texts: str) -> Path:
        for name, text in texts.items():
            (tmp_path / f"{name}.js").write_text(text, "utf-8")
        return tmp_path

    return put


def run(source: str) -> object:
    """What Node's ``globalThis.said`` is after a module has run."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node is installed, which would run the joined script")
    program = f"{source}\nconsole.log(JSON.stringify(globalThis.said));"
    command = [node, "--input-type=module", "--eval", program]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_a_joined_script_does_what_its_modules_did(write: Write) -> None:
    write(
        base='const secret = "base";\nexport const LEAST = 2;\nexport function name() { return secret; }\n',
        shape=(
            'import { LEAST, name as baseName } from "./base.js";\n'
            'const secret = "shape";\n'
            "export class Shape {\n  names() { return [secret, baseName(), LEAST]; }\n}\n"
        ),
        entry=(
            'import {\n  Shape,\n} from "./shape.js";\nimport { name } from "./base.js";\n'
            "const secret = 1;\n"
            "export default function mount() { globalThis.said = [...new Shape().names(), name(), secret]; }\n"
            "export async function later() { return secret; }\n"
        ),
    )
    assert modules("entry") == ["base", "shape", "entry"]
    assert run(bundle("entry") + "$entry.default();") == ["shape", "base", 2, "base", 1]
    # And as a module of its own, which a page imports.
    assert bundle("entry").rstrip().endswith("export const later = $entry.later;")
    assert "export default $entry.default;" in bundle("entry")


def test_a_module_that_two_import_runs_once(write: Write) -> None:
    write(
        count="globalThis.said = (globalThis.said ?? 0) + 1;\nexport const one = 1;\n",
        left='import { one } from "./count.js";\nexport const two = one + 1;\n',
        right='import { one } from "./count.js";\nexport const three = one + 2;\n',
        entry='import { two } from "./left.js";\nimport { three } from "./right.js";\nexport const five = two + three;\n',
    )
    assert run(bundle("entry")) == 1


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"entry": 'import { a } from "./gone.js";\n'}, r"entry imports gone\.js, which is not there\."),
        ({}, r"Somebody imports entry\.js, which is not there\."),
        (
            {"entry": 'import { a, b } from "./other.js";\n', "other": "export const a = 1;\n"},
            r"entry\.js imports b from other\.js, which does not export it\.",
        ),
        (
            {"entry": 'import { a } from "./other.js";\n', "other": 'import { b } from "./entry.js";\n'},
            r"entry\.js imports itself, by way of entry, other\.",
        ),
        (
            {"entry": 'import all from "./other.js";\n', "other": "export const a = 1;\n"},
            r'entry\.js has a line that cannot be joined: import all from "\./other\.js";',
        ),
        ({"entry": "const a = 1;\nexport { a };\n"}, r"cannot be joined: export \{ a \};"),
        ({"entry": "export default class {}\n"}, r"cannot be joined: export default class"),
        ({"entry": 'import "./other.js";\n', "other": ""}, r'cannot be joined: import "\./other\.js";'),
        (
            {"entry": 'import { a } from "elsewhere";\n'},
            r'cannot be joined: import \{ a \} from "elsewhere";',
        ),
    ],
)
def test_what_cannot_be_joined_is_refused(write: Write, texts: dict[str, str], sentence: str) -> None:
    write(**texts)
    with pytest.raises(ValueError, match=sentence):
        bundle("entry")


def test_a_module_that_exports_nothing_is_joined_too(write: Write) -> None:
    write(entry="globalThis.said = 7;\n")
    assert run(bundle("entry")) == 7


def test_the_base_of_all_styles_comes_first_and_a_script_without_view_has_none() -> None:
    _, style = browser_assets("explorer", "routing")
    sheets = [(FOLDER / f"{name}.css").read_text("utf-8") for name in ("base", "routing", "onstage")]
    # All rules in their order; without comments, indentation and empty lines.
    plain = re.sub(r"/\*.*?\*/", "", "\n".join(sheets), flags=re.S)
    assert style.split() == plain.split()
    assert not re.search(r"/\*|^[ \n]", style, re.M)
    assert browser_assets("transforms")[1] == ""


def test_there_are_entries() -> None:
    assert {"explorer", "surgery", "transforms"} <= set(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_joined_script_can_stand_in_a_page(entry: str) -> None:
    """Nothing in it ends a script element early, loads anything, or leaves a name in the page but one a module."""
    source = bundle(entry)
    assert not re.search("</?script|<!--", source, re.IGNORECASE)
    assert not re.search(r"^\s*import\b|\bimport\s*\(", source.replace('import("./', ""), re.MULTILINE)
    declared = re.findall(r"^(?:const|let|var|class|function|async function) ([$\w]+)", source, re.M)
    inside = [name for name in declared if name.startswith("$")]
    assert inside == [f"${name}" for name in modules(entry)]
    assert len(set(inside)) == len(inside)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.css")), ids=lambda path: path.stem)
def test_a_style_sheet_can_stand_in_a_page(path: Path) -> None:
    style = path.read_text("utf-8")
    assert "</style" not in style.lower()
    assert style.count("{") == style.count("}")
    assert not re.search(r"@import|url\(", style)


def test_a_view_keeps_nothing_in_the_page_but_its_own_stores() -> None:
    """What is written to the window has the name of the package."""
    for path in FOLDER.glob("*.js"):
        written = re.findall(r"\bwindow\.(\w+)\s*(?:\?\?)?=[^=]", path.read_text("utf-8"))
        assert all(name.startswith("capsviz") for name in written), path.name
