"""A folder of class folders of pictures, as torchvision's ImageFolder has it, prepared as uploads are."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from capsviz.checks import listed
from capsviz.errors import DataError, ImageError
from capsviz.inputs.images import ENDINGS, MAX_BYTES, read_image
from capsviz.inputs.own import in_order, plain, trouble
from capsviz.inputs.preprocess import FIELD, canvas_to_mnist

FEWEST_PICTURES = 5  # of a class: one to test on, one to choose by, and some to train on
MOST_PICTURES = 100_000  # which take 80 MB once they are prepared
MOST_FILES = 200_000  # that are looked at, folders and what is no picture among them
HALVES = ("train", "test")
# Phones' pictures, which Pillow cannot read: they are told of, not passed over.
_PICTURES = {f".{ending}" for ending in (*ENDINGS, "heic", "heif", "avif")}
_MANY = 500  # from so many on, a bar says how long it will take


class Found(NamedTuple):
    """What is in a folder of class folders.

    Attributes:
        classes: names, in the order of the labels.
        files: in their order.
        labels: of each.
        halves: "train" or "test" where there are such folders, else "".
        left_out: files and folders that are no pictures and no classes.
    """

    classes: tuple[str, ...]
    files: tuple[Path, ...]
    labels: tuple[int, ...]
    halves: tuple[str, ...]
    left_out: int


class Prepared(NamedTuple):
    """Pictures as the network sees them.

    Attributes:
        images: of each file, uint8 [S, S]; None where it could not be read.
        problems: files that could not be read, with the reason for each.
    """

    images: list[np.ndarray | None]
    problems: list[tuple[Path, str]]


def find_pictures(folder: Path) -> Found:
    """List the pictures of a folder that has a folder for each class, or "train" and "test" with those in each.

    Hidden files and folders, and files without a picture's ending, are passed over. Links to folders are followed only
    to a class, so that none leads in a circle.

    Raises:
        DataError: if the classes cannot be used, a half lacks one, or there is too much.
    """
    left = MOST_FILES
    top = {path.name: path for path in _entries(folder, left) if path.is_dir()}
    split = set(HALVES) <= top.keys()
    if not split and "train" in top:
        raise DataError(
            f"{folder} has a folder train and none called test: name the other half test, or give {folder / 'train'}."
        )
    roots = {half: top[half] for half in HALVES} if split else {"": folder}
    files: dict[tuple[str, str], list[Path]] = {}
    left_out = len(top) - 2 if split else 0
    for half, root in roots.items():
        for entry in _entries(root, left):
            left -= 1
            if not entry.is_dir():
                left_out += 1
                continue
            found, others = _pictures_below(entry, left)
            left -= len(found) + others
            left_out += others
            files[half, entry.name] = found
    names = in_order({name for _, name in files})
    if not names:
        raise DataError(
            f"{folder} has no class: give a folder with a folder of pictures for each class, MNIST's folder, or a file "
            "of strokes."
        )
    problem = trouble(names)
    if problem:
        raise DataError(f"{folder} {problem}.")
    for half in roots:
        lacking = [name for name in names if not files.get((half, name))]
        if lacking:
            raise DataError(
                f"{roots[half]} has no pictures of {listed(lacking)}: put some there, or take the class away."
            )
    rows = [
        (path, label, half)
        for half in roots
        for label, name in enumerate(names)
        for path in files[half, name]
    ]
    if len(rows) > MOST_PICTURES:
        raise DataError(f"{folder} has {len(rows):,} pictures: give at most {MOST_PICTURES:,}.")
    paths, labels, halves = zip(*rows, strict=True)
    return Found(tuple(map(plain, names)), paths, labels, halves, left_out)


def _entries(folder: Path, most: int) -> list[Path]:
    """What is in a folder and not hidden, in the order of the names.

    Raises:
        DataError: if it cannot be read, or has more than ``most`` entries.
    """
    found: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(found) >= most:  # a folder of millions is not listed to its end
                    raise DataError(
                        f"{folder} has too many files, beyond {MOST_FILES:,} in all: give a smaller part."
                    )
                if not entry.name.startswith("."):
                    found.append(Path(entry.path))
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read ({error.strerror or error}): give another folder."
        ) from error
    return sorted(found)


def _pictures_below(folder: Path, most: int) -> tuple[list[Path], int]:
    """The pictures of a class, in folders of its folder too, and how many files are none."""
    pictures: list[Path] = []
    others, waiting = 0, [folder]
    while waiting:
        for path in _entries(waiting.pop(), most - len(pictures) - others):
            if path.is_dir():
                if not path.is_symlink():
                    waiting.append(path)
            elif path.suffix.lower() in _PICTURES:
                pictures.append(path)
            else:
                others += 1
    return sorted(pictures), others


def digests(files: Sequence[Path]) -> list[str]:
    """SHA-256 of what is in each file; "" of one that cannot be read."""
    return [_digest(path) for path in _watched(files, "reading pictures")]


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(_content(path)).hexdigest()
    except OSError:
        return ""


def _content(path: Path) -> bytes:
    """No more of a file than shows that it is too large.

    Raises:
        OSError: if it cannot be read, or is none: a pipe would have one wait for ever.
    """
    if not path.is_file():
        raise OSError(0, "it is no file")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


@lru_cache(maxsize=1)
def prepared(files: tuple[Path, ...], contents: tuple[str, ...], size: int = FIELD) -> Prepared:
    """The pictures as the network is to see them: each goes the way of an upload.

    Args:
        files: to read.
        contents: ``digests`` of them: of the same ones, the pictures before are given again.
        size: side of the pictures to make.
    """
    problems: list[tuple[Path, str]] = []
    images: list[np.ndarray | None] = []
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:  # Pillow and NumPy let others compute
        made = threads.map(lambda path: prepare(path, size), files)
        for path, image in zip(_watched(files, "preparing pictures"), made, strict=True):
            if isinstance(image, str):
                problems.append((path, image))
            images.append(None if isinstance(image, str) else image)
    return Prepared(images, problems)


def _watched(files: Sequence[Path], doing: str) -> Iterable[Path]:
    watched: Iterable[Path] = tqdm(files, desc=doing, mininterval=1.0, disable=len(files) < _MANY)
    return watched


def prepare(path: Path, size: int) -> np.ndarray | str:
    """The picture, or why there is none."""
    try:
        pixels = canvas_to_mnist(read_image(_content(path)), size=size)
    except (ImageError, OSError) as error:
        return str(error.strerror if isinstance(error, OSError) else error)
    return np.rint(255 * pixels).astype(np.uint8)
