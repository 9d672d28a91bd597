"""The rows of the experiments that ship with the package, as ``ablate`` and ``generalise`` wrote them."""

from functools import cache
from pathlib import Path

from capsviz.errors import DataError
from capsviz.measures.runs import Ablation, Few, Placed, Row, Timing, read

FOLDER = Path(__file__).parent / "rows"
FILES: dict[type, str] = {
    Ablation: "ablations.csv",
    Timing: "times.csv",
    Placed: "placed.csv",
    Few: "few.csv",
}


@cache
def found(kind: type[Row], folder: Path = FOLDER) -> tuple[Row, ...]:
    """The rows of a kind; none where the experiment was not done.

    Raises:
        DataError: if a file is there and is damaged.
    """
    path = folder / FILES[kind]
    return tuple(read(path, kind)) if path.is_file() else ()


def check(folder: Path) -> None:
    """Raise a ``DataError`` if a folder has no rows of any experiment."""
    if not any((folder / name).is_file() for name in FILES.values()):
        raise DataError(
            f"{folder} has none of {', '.join(FILES.values())}: give the --out of ablate or generalise."
        )
