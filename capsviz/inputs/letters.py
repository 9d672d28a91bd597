"""Capital letters that people drew with a pen: UNIPEN's category 1b (Guyon et al., ICPR 1994), as a data set."""

from pathlib import Path
from typing import TYPE_CHECKING

from capsviz.errors import DataError
from capsviz.inputs.data import DataSet

if TYPE_CHECKING:
    from capsviz.inputs.data import Digits
    from capsviz.inputs.strokes import Drawing

FILE = "letters.jsonl.gz"


def load_letters(directory: str | Path, half: str) -> "Digits":
    """Pictures of the letters: to "train" on, those to choose by last; or to "test" on, of writers not in the first.

    Args:
        directory: the file of strokes, or the folder that letters.jsonl.gz is in.
        half: "train" or "test".

    Raises:
        DataError: if there is no such file, or it holds other letters.
    """
    from capsviz.inputs.drawn import pictures

    parts = _parts(directory)
    return pictures(parts["test"] if half == "test" else parts["train"] + parts["choose"], half)


def letters_drawn(directory: str | Path) -> "list[Drawing]":
    """The drawings that ``load_letters`` makes its "test" of: a picture of each with each of ``drawn.WIDTHS``."""
    return _parts(directory)["test"]


def _parts(directory: str | Path) -> "dict[str, list[Drawing]]":
    from capsviz.inputs.drawn import COPIES, WIDTHS, by_writer  # with NumPy and Pillow
    from capsviz.inputs.recorded import read_strokes

    path = Path(directory)
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise DataError(f"There is no {path}: give the file of strokes, or the folder that {FILE} is in.")
    parts = by_writer(read_strokes(path, LETTERS.classes))
    chosen = len(parts["train"] + parts["choose"])
    found = {"train": COPIES * chosen, "test": len(WIDTHS) * len(parts["test"])}
    if (found, COPIES * len(parts["choose"])) != (LETTERS.sizes, LETTERS.held_out):
        raise DataError(f"{path} does not hold the letters that this network is for: give the original file.")
    return parts


def holds_letters(path: Path) -> bool:
    """Whether a path is the letters' file, by its name, or a folder that it is in."""
    return path.name == FILE or (path / FILE).exists() or not path.exists()


# 22,171 letters by 204 people. Three pictures of each of 18,160 to train on, those of 1,705 of these to choose by; four,
# one for each of four pens, of each of 4,011, which 40 others drew, to test on.
LETTERS = DataSet(
    "UNIPEN",
    tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    {"train": 3 * 18_160, "test": 4 * 4_011},
    3 * 1_705,
    made_up=False,
    load=load_letters,
    unlike=lambda directory, half: "",
    kind="letter",
    last=True,
    holds=holds_letters,
    drawings=letters_drawn,
    credit="UNIPEN train_r01_v07, category 1b (I. Guyon, L. Schomaker, R. Plamondon, M. Liberman, S. Janet, ICPR 1994; "
    "Zenodo record 1195803, CC BY 4.0)",
)
