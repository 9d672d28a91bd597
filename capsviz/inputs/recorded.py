"""Drawings that people made, read from a file of strokes."""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from capsviz.errors import DataError
from capsviz.inputs.own import LONGEST_NAME, in_order
from capsviz.inputs.strokes import Drawing, Strokes, fit

DIGITS = tuple("0123456789")

FAR = 1e9  # no coordinate in a file is that large; the numbers would run out of digits
# In a file, unpacked: eight times what 25,000 people's digits and letters take. A small file can unpack to any size.
MOST_BYTES, MOST_LINE = 128_000_000, 1_000_000
MOST_LINES, MOST_DRAWINGS, MOST_POINTS = 400_000, 200_000, 8_000_000


def read_strokes(path: str | Path, classes: Sequence[str] = DIGITS) -> list[Drawing]:
    """Read drawings from a file with one JSON object a line: ``label``, ``strokes``, perhaps ``writer``.

    Args:
        path: a .jsonl file, or a .jsonl.gz. ``label`` is the name of a class, or its number where the names are numbers;
            ``strokes`` a list of polylines ``[[x, y], ...]``, x right and y down, in any unit.
        classes: names of the classes; a drawing's label becomes its place among them.

    Returns:
        The drawings in the file's order, each fit into a box whose larger side is 1.

    Raises:
        DataError: if the file cannot be read, holds nothing or too much, or a line is not of that form.
    """
    drawings: list[Drawing] = []
    points = 0
    places = {name: place for place, name in enumerate(classes)}
    for number, line in _lines_of(Path(path)):
        if line:
            where = f"Line {number} of {path}"
            name, strokes, writer = _drawing(line, where)
            if name not in places:
                raise DataError(f"{where} has the label {_named(name)[:20]}: give {_wanted(classes)}.")
            drawings.append(Drawing(places[name], strokes, writer))
            points += sum(map(len, drawings[-1].strokes))
        if len(drawings) > MOST_DRAWINGS or points > MOST_POINTS:
            raise DataError(
                f"{path} holds more than {MOST_DRAWINGS:,} drawings or {MOST_POINTS:,} points: give it in parts."
            )
    if not drawings:
        raise DataError(f"{path} holds no drawings: give a file with one JSON object a line.")
    return drawings


def labels_of(path: str | Path) -> tuple[str, ...]:
    """Names of the classes in a file of strokes, in order: numbers by their size, then texts by their letters.

    Raises:
        DataError: if the file cannot be read, or a line is not of its form.
    """
    names = {_drawing(line, f"Line {number} of {path}")[0] for number, line in _lines_of(Path(path)) if line}
    return tuple(in_order(names))


def _named(name: str) -> str:
    return name if name.removeprefix("-").isdecimal() else repr(name)


def _wanted(classes: Sequence[str]) -> str:
    if tuple(classes) == DIGITS:
        return "a whole number from 0 to 9"
    return f"one of {', '.join(classes)}"


def _lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file, perhaps a compressed one, with their numbers from 1; in memory is one of them at a time."""
    left = MOST_BYTES
    try:
        with path.open("rb") as raw:
            file = gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == b"\x1f\x8b" else raw
            for number, line in enumerate(iter(lambda: file.readline(MOST_LINE + 1), b""), 1):
                left -= len(line)
                if len(line) > MOST_LINE or left < 0 or number > MOST_LINES:
                    raise DataError(
                        f"{path} has more than {MOST_BYTES:,} bytes or {MOST_LINES:,} lines, or one of more than "
                        f"{MOST_LINE:,} bytes: give it in parts, with one drawing a line."
                    )
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read ({error}): give a .jsonl or .jsonl.gz file of strokes."
        ) from error


def _drawing(line: str, where: str) -> tuple[str, Strokes, str]:
    """Label, strokes that ``fit`` has moved, and writer of a line; "" for one that is not named."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON ({error}): write one object a line.") from error
    if not isinstance(entry, dict):
        raise DataError(f'{where} is not an object: write {{"label": ..., "strokes": ...}}.')
    label, strokes = entry.get("label"), entry.get("strokes")
    if label is None:
        raise DataError(f"{where} has no label: give the name of its class, or its number.")
    if type(label) not in (int, str) or not str(label).strip() or len(str(label)) > LONGEST_NAME:
        raise DataError(f"{where} has the label {repr(label)[:20]}: give a whole number, or a short text.")
    if not isinstance(strokes, list) or not strokes:
        raise DataError(f"{where} has no strokes: give a list of polylines.")
    drawn = [_stroke(stroke, where) for stroke in strokes]
    if not np.ptp(np.concatenate(drawn), axis=0).any():
        raise DataError(f"{where} is but a single point: leave it out.")
    return str(label), fit(drawn), str(entry.get("writer", ""))


def _stroke(points: object, where: str) -> np.ndarray:
    try:
        numbers = np.array(points)
        # Texts and truth values would pass for numbers.
        fine = (
            numbers.dtype.kind in "iufO" and numbers.ndim == 2 and numbers.shape[1] == 2 and len(numbers) > 0
        )
        stroke = numbers.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        fine = False
    if not fine:
        raise DataError(f"{where} has a stroke that is no list of points: write [[x, y], ...].")
    if not (np.abs(stroke) < FAR).all():  # nor is anything that is no number
        raise DataError(f"{where} has a point that is no finite number, or beyond a billion: leave it out.")
    return stroke
