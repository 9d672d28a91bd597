"""Data of one's own: a folder of class folders of pictures, or a file of strokes, as a data set."""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from capsviz.checks import listed, one_line
from capsviz.errors import DataError
from capsviz.inputs.data import DataSet, Digits
from capsviz.inputs.drawn import by_writer, pictures
from capsviz.inputs.own import LONGEST_LABEL, PICTURES, STROKES, Own, plain, trouble
from capsviz.inputs.pictures import FEWEST_PICTURES, digests, find_pictures, prepared
from capsviz.inputs.recorded import labels_of, read_strokes
from capsviz.inputs.strokes import Drawing

if TYPE_CHECKING:
    from torch import Tensor

PARTS = ("train", "choose", "test")
TEST, CHOOSE = 5, 8  # of a class, every fifth is to test on, and of the others every eighth to choose by
_TOLD = 100  # unreadable pictures that are told of one by one


class _Read(NamedTuple):
    own: Own
    halves: "dict[str, Digits]"
    tested: Sequence[Drawing] = ()  # what "test" has a picture of for each width of the pen; of pictures none


def source_of(path: Path, data: DataSet) -> str:
    """What is at a path: ``PICTURES``, ``STROKES``, or "" for a network's own ``data``."""
    if data.holds(path):
        return ""
    return PICTURES if path.is_dir() else STROKES


def find_own(path: Path, source: str, skip: bool = False, say: Callable[[str], None] = print) -> Own:
    """Read and prepare all that is at a path, so that training begins with what is whole.

    Args:
        path: folder or file.
        source: ``source_of`` it.
        skip: whether pictures that cannot be read are left out; else they are an error.
        say: called with each line to show.

    Raises:
        DataError: if classes or pictures cannot be used; the unreadable ones have been said, line by line.
    """
    own = _read(path, source, skip, say).own
    what = "a folder of pictures" if source == PICTURES else "a file of strokes"
    say(f"{path} is {what}: {own.summary}")
    return own


def data_set(own: Own) -> DataSet:
    """The data set of which ``own`` is known: it is loaded from a path that holds the same."""
    return DataSet(
        name=own.name,
        classes=own.classes,
        sizes={"train": own.train, "test": own.test},
        held_out=own.choose,
        made_up=False,
        load=partial(_load, own),
        unlike=partial(_unlike, own),
        kind=own.kind,
        last=True,
        drawings=partial(_drawings, own) if own.source == STROKES else None,
    )


def _load(own: Own, path: str | Path, half: str) -> Digits:
    """One half of the data."""
    return _known(own, path).halves[half]


def _drawings(own: Own, path: str | Path) -> list[Drawing]:
    """The drawings that "test" is made of."""
    return list(_known(own, path).tested)


def _known(own: Own, path: str | Path) -> _Read:
    """All of the data.

    Raises:
        DataError: if what is at the path is not what ``own`` is known of, in classes or sizes.
    """
    read = _read(Path(path), own.source, own.skip)
    if read.own.classes != own.classes:
        raise DataError(
            f"{path} has the classes {listed(read.own.classes)}, not {listed(own.classes)}: give the data that the "
            "network was trained on."
        )
    found, known = ((one.train - one.choose, one.choose, one.test) for one in (read.own, own))
    if found != known:
        raise DataError(
            f"{path} has {' + '.join(map(str, found))} images to train on, to choose by and to test on, not "
            f"{' + '.join(map(str, known))}: give the data that the network was trained on."
        )
    return read


def _unlike(own: Own, path: str | Path, half: str) -> str:
    """Whether there are others than those that ``own`` is known of, though as many, in words; "" if not."""
    same = _read(Path(path), own.source, own.skip).own.sha256 == own.sha256
    return "" if same else f"{one_line(Path(path).name)}: as many images, but not the same ones"


def _read(path: Path, source: str, skip: bool, say: Callable[[str], None] = lambda line: None) -> _Read:
    name = one_line(path.resolve().name)[:LONGEST_LABEL] or "data"
    if source == PICTURES:
        return _read_pictures(path, name, skip, say)
    try:
        changed = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): give a folder or a file.") from error
    return _read_strokes(path, name.partition(".")[0] or name, (changed.st_size, changed.st_mtime_ns))


# --- pictures ---------------------------------------------------------------------------------------------


def _read_pictures(path: Path, name: str, skip: bool, say: Callable[[str], None]) -> _Read:
    found = find_pictures(path)
    contents = digests(found.files)
    made = prepared(found.files, tuple(contents))
    if made.problems:
        _tell(path, made.problems, skip, say)
    if found.left_out:
        say(f"{path} has {found.left_out:,} other files and folders, which are left out")
    kept = [
        _Picture(content, label, half, image, file)
        for content, label, half, image, file in zip(
            contents, found.labels, found.halves, made.images, found.files, strict=True
        )
        if image is not None
    ]
    _check_contents(path, kept, found.classes)
    tested = {one.content for one in kept if one.half == "test"}
    copies = [one for one in kept if one.half == "train" and one.content in tested]
    if copies:
        say(
            f"{len(copies):,} pictures to train on are copies of such to test on, and are left out "
            f"({listed([one.file for one in copies])})"
        )
        kept = [one for one in kept if one.half == "test" or one.content not in tested]
        _check_contents(path, kept, found.classes)
    parts = parts_by_content([one for one in kept if one.half != "test"], test="test" not in found.halves)
    chosen = {
        part: [one for one in kept if (one.half if one.half == "test" else parts[one.content]) == part]
        for part in PARTS
    }
    halves = {part: _stacked([(one.image, one.label) for one in chosen[part]]) for part in PARTS}
    left_out = skip and bool(made.problems)
    contents = [f"{one.content} {one.label}" for one in kept]
    return _whole(PICTURES, name, found.classes, halves, left_out, contents)


class _Picture(NamedTuple):
    content: str  # SHA-256 of its file
    label: int
    half: str  # "train", "test", or "" where there are no such folders
    image: np.ndarray
    file: Path


def _tell(path: Path, problems: Sequence[tuple[Path, str]], skip: bool, say: Callable[[str], None]) -> None:
    """Say which pictures cannot be read.

    Raises:
        DataError: if they are not to be skipped.
    """
    for file, reason in problems[:_TOLD]:
        say(f"{file}: {reason}")
    if len(problems) > _TOLD:
        say(f"and {len(problems) - _TOLD:,} more")
    if not skip:
        files = listed([file.relative_to(path) for file, _ in problems], 3)
        raise DataError(
            f"{len(problems):,} of the pictures in {path} cannot be read ({files}): mend or take them away, or add "
            "--skip-unreadable."
        )
    say(f"{len(problems):,} pictures are left out")


def _check_contents(path: Path, kept: Sequence[_Picture], classes: Sequence[str]) -> None:
    """Raise a ``DataError`` if a class has too few pictures, or a picture more than one class."""
    first: dict[str, _Picture] = {}
    for one in kept:
        other = first.setdefault(one.content, one)
        if other.label != one.label:
            raise DataError(
                f"{other.file} and {one.file} are the same picture in two classes: take it out of one of them."
            )
    for label, name in enumerate(classes):
        many = len({one.content for one in kept if one.label == label and one.half != "test"})
        if many < FEWEST_PICTURES:
            raise DataError(
                f"{path} has {many} different picture{'' if many == 1 else 's'} of the class {name} to train on: give "
                f"{FEWEST_PICTURES} or more, or take the class away."
            )
        if any(one.half for one in kept) and not any(
            one.label == label and one.half == "test" for one in kept
        ):
            raise DataError(
                f"{path / 'test'} has no picture of the class {name} that can be read: put one there."
            )


def parts_by_content(items: "Sequence[_Picture | _Drawn]", test: bool) -> dict[str, str]:
    """The part of ``PARTS`` that each content goes to: of each class the first ones in the order of their hashes.

    Hashes are as good as drawn by lot, the same each time, and copies have the same: they are never in two parts.

    Args:
        items: with the "content", a hash, and the "label" of each.
        test: whether some are held out to test on; else only to choose by.
    """
    parts: dict[str, str] = {}
    for label in sorted({item.label for item in items}):
        contents = sorted({item.content for item in items if item.label == label})
        tested = -(-len(contents) // TEST) if test else 0
        chosen = max(1, round((len(contents) - tested) / CHOOSE))
        for place, content in enumerate(contents):
            parts[content] = "test" if place < tested else "choose" if place < tested + chosen else "train"
    return parts


# --- strokes ----------------------------------------------------------------------------------------------


class _Drawn(NamedTuple):
    content: str
    label: int
    drawing: Drawing


@lru_cache(maxsize=1)
def _read_strokes(path: Path, name: str, changed: tuple[int, int]) -> _Read:
    """``changed`` is the file's size and time: of the same ones, what was made of it is given again."""
    names = labels_of(path)
    problem = trouble(names)
    if problem:
        raise DataError(f"{path} {problem}.")
    drawings = read_strokes(path, names)
    classes = tuple(map(plain, names))
    drawn = [_Drawn(_hash(drawing), drawing.label, drawing) for drawing in drawings]
    for label, of_class in enumerate(classes):
        many = len({one.content for one in drawn if one.label == label})
        if many < FEWEST_PICTURES:
            raise DataError(
                f"{path} has {many} different drawing{'' if many == 1 else 's'} of the class {of_class}: give "
                f"{FEWEST_PICTURES} or more, or take the class away."
            )
    parts = by_writer(drawings) if all(drawing.writer for drawing in drawings) else {}
    if not parts or any(len({one.label for one in part}) < len(classes) for part in parts.values()):
        # Too few writers, or unnamed ones: the same hand is in all parts.
        by_content = parts_by_content(drawn, test=True)
        parts = {part: [one.drawing for one in drawn if by_content[one.content] == part] for part in PARTS}
    halves = {part: pictures(parts[part], "test" if part == "test" else "train") for part in PARTS}
    for part in ("train", "choose"):
        lacking = [of_class for label, of_class in enumerate(classes) if label not in halves[part].labels]
        if lacking:
            raise DataError(
                f"{path} has only dots, or ink all over, of {listed(lacking)} to {part} by: give more drawings of it."
            )
    contents = [f"{one.content} {one.label}" for one in drawn]
    return _whole(STROKES, name, classes, halves, False, contents)._replace(tested=parts["test"])


def _hash(drawing: Drawing) -> str:
    digest = hashlib.sha256()
    for stroke in drawing.strokes:
        digest.update(np.ascontiguousarray(stroke, np.float64).tobytes() + b"|")
    return digest.hexdigest()


# --- both -------------------------------------------------------------------------------------------------


def _whole(
    source: str,
    name: str,
    classes: tuple[str, ...],
    parts: "dict[str, Digits]",
    skip: bool,
    contents: Sequence[str],
) -> _Read:
    own = Own(
        source=source,
        name=name,
        classes=classes,
        train=len(parts["train"].labels) + len(parts["choose"].labels),
        choose=len(parts["choose"].labels),
        test=len(parts["test"].labels),
        skip=skip,
        sha256=hashlib.sha256("\n".join(sorted(contents)).encode()).hexdigest(),
    )
    return _Read(own, {"train": _joined(parts["train"], parts["choose"]), "test": parts["test"]})


def _stacked(pictures: "Sequence[tuple[np.ndarray, int]]") -> Digits:
    import torch

    images = torch.from_numpy(np.array([image for image, _ in pictures]))
    return Digits(images, torch.tensor([label for _, label in pictures], dtype=torch.int64))


def _joined(*parts: Digits) -> Digits:
    import torch

    def cat(tensors: "list[Tensor]") -> "Tensor":
        return torch.cat(tensors)

    return Digits(cat([part.images for part in parts]), cat([part.labels for part in parts]))
