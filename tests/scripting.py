"""Browser scripts run in Node: each as a module of its own, with what a page would have around them."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from capsviz.figures.bundle import bundle


def write(folder: Path, *names: str) -> Path:
    """Put scripts into a folder, each with all that it imports; returns the folder."""
    for name in names:
        (folder / f"{name}.mjs").write_text(bundle(name), "utf-8")
    return folder


def evaluate(folder: Path, page: str, script: str) -> Any:
    """What the body of a function makes of what ``page`` has put around it, by way of JSON."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node is here to run the scripts with")
    (folder / "run.mjs").write_text(
        f"{page}\nconsole.log(JSON.stringify(await (async () => {{ {script} }})()));", "utf-8"
    )
    result = subprocess.run([node, "run.mjs"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
