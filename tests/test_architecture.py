"""Imports point one way, from the command line and the pages down to errors and checks; heavy libraries load where needed.

Read from the source, so that an import within a function, or for types alone, counts as any other.
"""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# From the lowest up. A room may use those before it, and itself.
FLOORS = (
    *("errors", "texts", "checks", "arrays", "traces", "inputs", "layers", "networks", "models"),
    *("measures", "figures", "training", "classroom", "app", "commands", "__main__"),
)
MOST_LINES = 400
LONGER = {  # and why
    "app/pad.py": "canvas, tools and the dialog of a picture change one state, each in its own way",
    "inputs/ink.py": "one algorithm, from grey levels to a digit's ink, whose steps read in their order",
    "inputs/strokes.py": "a hand, digits and what is none share the pen that draws them",
    "measures/poses.py": "what poses do is measured, kept and read in one form",
    "models/card.py": "all that the card and the Model page say of a network's facts, row by row",
}
# Which libraries a room may name at all, wherever in its source.
LIBRARIES = {
    "errors": set(),
    "checks": set(),
    "arrays": {"numpy"},
    "texts": {"babel"},
    "traces": {"numpy"},
    "networks": {"torch"},  # within the functions that build, and for types
    "figures": {"numpy", "PIL", "plotly", "matplotlib", "av"},
}


def modules() -> dict[str, Path]:
    """Every module of the package, the pages and the app's start by its dotted name."""
    paths = [*ROOT.glob("capsviz/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    return {name.removesuffix(".__init__"): path for name, path in named.items()}


MODULES = modules()


def imported(path: Path) -> set[str]:
    """What a module imports, at once or later: dotted names, of the package's those of modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in names}
    return found


IMPORTS = {name: imported(path) for name, path in MODULES.items()}


def room(module: str) -> str:
    """The folder, or the module beside the folders; "" of the package itself, the pages and the app's start."""
    first, *rest = module.split(".")
    return rest[0] if first == "capsviz" and rest else ""


def test_every_room_has_its_floor() -> None:
    assert {room(name) for name in MODULES} - {""} == set(FLOORS)


@pytest.mark.parametrize("name", [name for name in MODULES if room(name)])
def test_imports_point_down(name: str) -> None:
    own = FLOORS.index(room(name))
    above = [
        other
        for other in IMPORTS[name]
        if other in MODULES and room(other) and FLOORS.index(room(other)) > own
    ]
    assert not above
    assert not [other for other in IMPORTS[name] if other.split(".")[0] in ("pages", "app")]


def test_no_module_leads_back_to_itself() -> None:
    # Without the package itself, which loads what it names only when it is asked for.
    graph = {
        name: found & MODULES.keys() - {"capsviz"} for name, found in IMPORTS.items() if name != "capsviz"
    }
    TopologicalSorter(graph).prepare()  # raises a CycleError that names the way


def test_modules_are_short_enough_to_be_read() -> None:
    lines = {
        str(path.relative_to(ROOT / "capsviz")): len(path.read_text("utf-8").splitlines())
        for path in MODULES.values()
        if path.is_relative_to(ROOT / "capsviz")
    }
    assert {name for name, count in lines.items() if count > MOST_LINES} <= set(LONGER)
    assert set(LONGER) <= set(lines)


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) in LIBRARIES])
def test_a_room_names_no_other_libraries(name: str) -> None:
    others = {other.split(".")[0] for other in IMPORTS[name]} - {"capsviz"} - sys.stdlib_module_names
    assert others <= LIBRARIES[room(name)]


def loaded_after(statement: str) -> set[str]:
    """Top-level names in ``sys.modules`` of a fresh interpreter that ran ``statement``."""
    program = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(result.stdout.split())


def all_of(*rooms: str) -> str:
    """The statement that imports every module of some rooms."""
    return "import " + ", ".join(sorted(name for name in MODULES if room(name) in rooms))


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import capsviz", {"torch", "streamlit", "plotly", "numpy"}),
        ("import capsviz; capsviz.list_networks()", {"torch", "streamlit", "plotly", "numpy", "PIL"}),
        (
            "import capsviz.__main__; capsviz.__main__.build_parser()",
            {"torch", "streamlit", "plotly", "numpy"},
        ),
        (
            "from capsviz.networks.base import networks; networks()",
            {"torch", "streamlit", "plotly", "numpy", "PIL", "babel"},
        ),
        (all_of("traces"), {"torch", "streamlit", "plotly", "PIL", "babel"}),
        (all_of("texts", "figures"), {"torch", "streamlit", "plotly", "matplotlib", "av"}),
        ("import capsviz.inputs.preprocess, capsviz.inputs.images", {"torch", "streamlit", "plotly"}),
        ("import capsviz.inputs.strokes, capsviz.figures.evaluation", {"torch", "streamlit", "plotly"}),
        (
            all_of("inputs", "layers", "networks", "models", "measures", "training"),
            {"streamlit", "plotly", "torchvision"},
        ),
        (all_of("classroom"), {"torch", "streamlit"}),
        ("import capsviz.app.session, capsviz.app.frame, capsviz.app.pages", {"torch"}),
    ],
)
def test_a_module_does_not_load_what_it_does_not_need(statement: str, absent: set[str]) -> None:
    assert not loaded_after(statement) & absent


def test_the_library_is_used_through_six_names() -> None:
    import capsviz

    for name in capsviz.__all__:
        assert getattr(capsviz, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = capsviz.nonsense
