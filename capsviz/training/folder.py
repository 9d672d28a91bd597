"""The folder that a run writes into: whose it is, and that what stands in it is whole."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from capsviz.errors import DataError
from capsviz.models.weights import CHECKPOINT, FILE

LOSSES = ("margin_loss", "cross_entropy")  # a log has one of these: of lengths, or of probabilities


def check_folder(out: Path, resume: bool) -> bool:
    """Whether ``out`` holds a run to go on with.

    Raises:
        DataError: if it is a file, holds a finished run, or an unfinished one and ``resume`` is not set.
    """
    if out.is_file():
        raise DataError(f"{out} is a file: give a folder to --out.")
    if (out / FILE).exists():
        raise DataError(f"{out} holds a finished run: give another folder to --out.")
    begun = (out / CHECKPOINT).exists()
    if begun and not resume:
        raise DataError(f"{out} holds an unfinished run: add --resume, or give another folder to --out.")
    return begun


def make_folder(out: Path, option: str = "--out") -> None:
    """Make ``out``, if it is not there; a ``DataError`` that names its ``option`` if it cannot be made."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"The folder {out} could not be made ({error.strerror or error}): give another to {option}."
        ) from error


@contextmanager
def saving(out: Path) -> Iterator[None]:
    """Say in a sentence that a file in ``out`` could not be written.

    Raises:
        DataError: for an OSError; ``write_atomically`` has left the file that was there before.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{out} could not be written to ({error.strerror or error}): what was saved there before is whole; "
            "make room and add --resume, or give another folder to --out."
        ) from error


def log_as_csv(log: list[dict[str, float]]) -> str:
    """The log as CSV, a line for each epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(log[0]) if log else [])
    writer.writeheader()
    writer.writerows(log)
    return text.getvalue()
