"""What trainings of an experiment measured, as rows of a CSV file: each is written as soon as it is there.

So a series that was cut off goes on where it was, and several processes can share one: each writes whole lines.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from capsviz.checks import one_line, shown
from capsviz.errors import DataError

Row = TypeVar("Row")
CPU = "cpu"  # begins the name of a device that is none of its own
_LONGEST = 100  # characters of a text
_MOST = 10**12


@dataclass(frozen=True)
class Ablation:
    """One training of one variant.

    Attributes:
        variant: of ``ablations.VARIANTS``, by its name.
        held_out, held_out_wrong: images that were held out of the training set, and how many of them are misread.
        images, wrong: the same of the test set.
        seconds: of training alone, whatever ran beside it.
        mixed_precision: 1 if the large convolutions multiplied in bfloat16.
        parameters: that were trained.
        multiply_adds: of one answer.
    """

    variant: str
    seed: int
    epochs: int
    held_out: int
    held_out_wrong: int
    images: int
    wrong: int
    seconds: float
    device: str
    mixed_precision: int
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Timing:
    """How many milliseconds a variant takes on a device for an answer to one image: the least of many, whatever ran beside."""

    variant: str
    device: str
    answer: float


@dataclass(frozen=True)
class Placed:
    """One look at a network that learns from digits placed anywhere in 40 x 40 pixels.

    Attributes:
        step, steps: how many steps it had taken, and would in all.
        held_out, held_out_wrong: placed images that were held out of the training set, and how many are misread.
        images: of the test set, once placed and once changed affinely.
        placed_wrong, affine_wrong: how many of them are misread.
        seconds: of training so far.
    """

    network: str
    seed: int
    step: int
    steps: int
    held_out: int
    held_out_wrong: int
    images: int
    placed_wrong: int
    affine_wrong: int
    seconds: float
    device: str
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Few:
    """One training on ``examples`` images of each class, of so many ``steps`` of ``batch`` images."""

    network: str
    examples: int
    seed: int
    steps: int
    batch: int
    images: int
    wrong: int
    seconds: float
    device: str


def begin(path: Path, kind: type[Row]) -> list[Row]:
    """The rows of a file, which is made with its head if it is not there.

    Raises:
        DataError: if it cannot be made, or as ``read``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_line(field.name for field in fields(kind)))  # type: ignore[arg-type]
    except FileExistsError:
        return read(path, kind)
    except OSError as error:
        raise DataError(
            f"{path} cannot be written to ({error.strerror or error}): give another --out."
        ) from error
    return []


def append(path: Path, row: Any) -> None:
    """Write one more row.

    Raises:
        DataError: if it cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(_line(asdict(row).values()))
    except OSError as error:
        raise DataError(
            f"{path} cannot be written to ({error.strerror or error}): make room, and go on with the same command."
        ) from error


def read(path: Path, kind: type[Row]) -> list[Row]:
    """The rows of a file.

    Raises:
        DataError: if it is not there, or is not of such rows, naming the line.
    """
    columns = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path} cannot be read ({error}): give a folder with the rows of runs.") from error
    if not lines or lines[0] != list(columns):
        raise DataError(f"{path} does not begin with {','.join(columns)}: give another folder.")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            values = {
                name: _READ[wanted](text) for (name, wanted), text in zip(columns.items(), line, strict=True)
            }
        except ValueError as error:
            raise DataError(f"{path}, line {number}, is no row ({error}): take it out.") from error
        rows.append(kind(**values))
    return rows


def _line(values: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


def _text(text: str) -> str:
    if not text or len(text) > _LONGEST or text != one_line(text):
        raise ValueError(f"{shown(text)} is no name")
    return text


def _number(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        number = kind(text)
        if not 0 <= number <= _MOST:
            raise ValueError(f"{number} is out of range")
        return number

    return read


_READ: dict[Any, Callable[[str], Any]] = {str: _text, int: _number(int), float: _number(float)}
