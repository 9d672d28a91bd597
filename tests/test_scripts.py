"""The scripts of the live views are checked by TypeScript's compiler, in the version that ``scripts/package.json`` pins."""

import contextlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from capsviz.figures.bundle import FOLDER

SCRIPTS = Path(__file__).parent / "scripts"


@pytest.fixture(scope="session")
def compiler() -> list[str]:
    """The command of the pinned compiler, installed beside its list if it is not yet; else of one that is there."""
    own = SCRIPTS / "node_modules" / "typescript" / "bin" / "tsc"
    if not own.exists() and shutil.which("npm"):
        install = ["npm", "ci", "--prefix", str(SCRIPTS), "--no-audit", "--no-fund", "--ignore-scripts"]
        with contextlib.suppress(subprocess.TimeoutExpired):  # from a registry that is out of reach
            subprocess.run(install, capture_output=True, timeout=120)
    if own.exists() and (node := shutil.which("node")):
        return [node, str(own)]
    if tsc := shutil.which("tsc"):
        return [tsc]
    pytest.skip(
        "no TypeScript is here, nor could npm fetch one: install Node to have the scripts' types checked"
    )


def test_scripts_pass_the_check_of_their_types_and_faults_are_found(
    compiler: list[str], tmp_path: Path
) -> None:
    """In one run, with faults beside the scripts: the check cannot pass because nothing is looked at."""
    faulty = {
        "argument": 'import { say } from "./texts.js";\nsay(3);\n',
        "name": 'import { sya } from "./texts.js";\nsya("a");\n',
        "shape": 'import { capsuleAt } from "./routing.js";\ncapsuleAt({ grid: { rows: 1 } }, 0);\n',
        "element": 'import { element } from "./drawing.js";\nelement("select", {}).value = 3;\n',
        "unused": "export function unused() {\n  const left = 1;\n}\n",
        "window": "window.elsewhere = 1;\n",
    }
    project = tmp_path / "browser"
    shutil.copytree(FOLDER, project)
    for name, script in faulty.items():
        (project / f"{name}_fault.js").write_text(script, "utf-8")
    result = subprocess.run(
        [*compiler, "--project", str(project)], capture_output=True, text=True, timeout=120
    )
    said = result.stdout + result.stderr
    assert set(re.findall(r"(\w+)\.js\(\d+,\d+\): error TS", said)) == {f"{name}_fault" for name in faulty}, (
        said
    )
    # A fault in something else, a setting say, has no such line.
    assert not [line for line in said.splitlines() if line[:1].strip() and "_fault.js(" not in line], said
