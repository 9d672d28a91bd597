"""Dependencies point one way: pages -> ui -> inference -> {capsules, trace}; pages -> figures -> trace."""

import subprocess
import sys

import pytest


def loaded_after(statement: str) -> set[str]:
    """Top-level names in ``sys.modules`` of a fresh interpreter that ran ``statement``."""
    program = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import capsviz", {"torch", "streamlit", "plotly", "numpy"}),
        ("import capsviz.figures", {"torch", "streamlit", "plotly"}),
        (
            "import capsviz.traces.routing, capsviz.inputs.preprocess, capsviz.inputs.images",
            {"torch", "streamlit", "plotly"},
        ),
        ("import capsviz.inputs.strokes, capsviz.figures.evaluation", {"torch", "streamlit", "plotly"}),
        (
            "import capsviz.models.model, capsviz.training.train, capsviz.measures.evaluate",
            {"streamlit", "plotly", "torchvision"},
        ),
        ("import capsviz.app.ui", {"torch"}),
    ],
)
def test_a_module_does_not_load_what_it_does_not_need(statement: str, absent: set[str]) -> None:
    assert not loaded_after(statement) & absent


def test_the_library_is_used_through_five_names() -> None:
    import capsviz

    for name in capsviz.__all__:
        assert getattr(capsviz, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = capsviz.nonsense
