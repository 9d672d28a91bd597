"""The images of a training on the page: made-up digits, MNIST, or what whoever runs the server has put there."""

import io
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from capsviz.checks import one_line
from capsviz.errors import DataError
from capsviz.inputs.data import MNIST, Digits, split_validation
from capsviz.inputs.own import PICTURES
from capsviz.inputs.own_files import data_set, find_own, source_of
from capsviz.inputs.pictures import digests, find_pictures, prepare, prepared
from capsviz.inputs.preprocess import FIELD
from capsviz.models.facts import TEXT
from capsviz.texts import FIRST, languages, speaking
from capsviz.training.live_plan import KNOWN, MADE_UP, MOST_UNREAD, Plan, Told, Unread
from capsviz.training.pool import load_pool

HELD = 500  # images at most that are held out, and as many of the test half
MADE = (1_000, 200, 200)  # made-up digits for the three: a hundred a second are drawn


class Images(NamedTuple):
    """What a run trains on, and what it is measured on."""

    training: Digits
    held: Digits
    test: Digits
    told: Told


def images(plan: Plan, root: Path, source: Path) -> Images:
    """The images of a plan.

    Args:
        plan: says which.
        root: where made-up digits are kept once they are drawn.
        source: where MNIST or data of one's own are.

    Raises:
        DataError: if they are missing, damaged or cannot be downloaded.
    """
    if plan.data == MADE_UP:
        with redirect_stderr(io.StringIO()):  # whose bar nobody looks at
            drawn = load_pool(root / "digits.safetensors", sum(MADE), 0, 0, say=_silent).digits
        first, second = MADE[0], MADE[0] + MADE[1]
        parts = [drawn.take(slice(*ends)) for ends in ((0, first), (first, second), (second, None))]
        return _told(parts[0], parts[1], parts[2], "made-up digits", MNIST.classes, MNIST.kind)
    left_out, unread = 0, tuple[Unread, ...]()
    if plan.data == KNOWN:
        data, name = MNIST, "MNIST (in part)"
    else:
        kind = source_of(source, MNIST)
        if kind == PICTURES:
            left_out, unread = _unread(source)
        try:
            data = data_set(find_own(source, kind, skip=True, say=_silent))
        except DataError as error:
            if unread:
                raise DataError(
                    f"{error} Left out, since they cannot be read: {left_out:,}; the first is {unread[0].file}: "
                    f"{unread[0].why[FIRST]}"
                ) from error
            raise
        name = data.name
    training, held = split_validation(data.load(source, "train"), data.held_out, data.last)
    test = data.load(source, "test")
    alone = data.drawings is None  # of strokes, a drawing is there once for each width of the pen
    made = _told(training, _some(held), _some(test), name, data.classes, data.kind, alone)
    return made._replace(told=replace(made.told, left_out=left_out, unread=unread))


def _unread(folder: Path) -> tuple[int, tuple[Unread, ...]]:
    """How many pictures of a folder cannot be read, and of the first of them why not, in each language."""
    files = find_pictures(folder).files
    problems = prepared(files, tuple(digests(files))).problems  # kept: the data are made of the same ones
    found = []
    for file, reason in problems[:MOST_UNREAD]:
        why = dict.fromkeys(languages(), reason)
        for language in why:
            with speaking(language):
                again = prepare(file, FIELD)
            if isinstance(again, str):
                why[language] = again
        found.append(Unread(one_line(str(file.relative_to(folder)))[-TEXT:], why))
    return len(problems), tuple(found)


def _told(
    training: Digits,
    held: Digits,
    test: Digits,
    name: str,
    classes: tuple[str, ...],
    kind: str,
    alone: bool = True,
) -> Images:
    train, choose, tested = (len(part.labels) for part in (training, held, test))
    return Images(training, held, test, Told(name, classes, kind, train, choose, tested, alone))


def _some(digits: Digits) -> Digits:
    """At most ``HELD`` of them, from all over."""
    return digits.take(slice(None, None, -(-len(digits.labels) // HELD)))


def _silent(line: str) -> None:
    pass
