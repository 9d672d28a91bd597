"""The lessons that there are: the app's own, and those of a folder of one's own; the guided tour is one of them.

Each is a file (``lesson_file``). One with a fault is left out, with a sentence that names file and line; the others stay.
"""

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from capsviz.app.lesson_file import Fault, Lesson, parse
from capsviz.app.pages import offered
from capsviz.checks import one_line
from capsviz.texts import FIRST, language, say

FOLDER = Path(__file__).resolve().parents[1] / "lessons"
TOUR = "tour"  # the lesson that every page offers
MOST_BYTES, MOST_FILES = 65_536, 100  # of a lesson, of a folder


class Shelf(NamedTuple):
    """All lessons by their names, the shortest first and the tour before all, and the files that are none."""

    lessons: Mapping[str, Lesson]
    faults: tuple[Fault, ...]


def shelf() -> Shelf:
    """The lessons of the app, and of the folder that the environment names by CAPSVIZ_LESSONS.

    Those with a page for which no network is here are left out, as that is.
    """
    more = os.environ.get("CAPSVIZ_LESSONS", "").strip()
    own, faults = _folder(FOLDER)
    found = dict(sorted(own.items(), key=lambda entry: (entry[0] != TOUR, entry[1].minutes, entry[0])))
    if more:
        others, wrong = _folder(Path(more))
        faults += wrong
        for name, lesson in sorted(others.items(), key=lambda entry: (entry[1].minutes, entry[0])):
            if name in found:
                faults.append(Fault(f"{name}.toml", 1, say("lessons.fault.twice")))
            else:
                found[name] = lesson
    there = {page.name for page in offered()}
    able = {name: found[name] for name in found if all(step.page in there for step in found[name].steps)}
    return Shelf(MappingProxyType(able), tuple(faults))


def spoken(words: Mapping[str, Any]) -> Any:
    """A text in the language of now, or in English where it lacks that."""
    return words.get(language(), words.get(FIRST, ""))


def _folder(folder: Path) -> tuple[dict[str, Lesson], list[Fault]]:
    lessons: dict[str, Lesson] = {}
    faults: list[Fault] = []
    try:
        paths = sorted(folder.glob("*.toml"))
        if not folder.is_dir():
            raise OSError
    except OSError:
        return {}, [Fault(one_line(folder.name), 1, say("lessons.fault.folder"))]
    if len(paths) > MOST_FILES:
        faults.append(Fault(one_line(folder.name), 1, say("lessons.fault.files", most=MOST_FILES)))
    for path in paths[:MOST_FILES]:
        try:
            state = path.stat()
            found = _read(path, state.st_mtime_ns, state.st_size, language())
        except OSError:
            found = Fault(one_line(path.name), 1, say("lessons.fault.unreadable"))
        if isinstance(found, Fault):
            faults.append(found)
        else:
            lessons[found.name] = found
    return lessons, faults


@lru_cache(maxsize=4 * MOST_FILES)
def _read(path: Path, changed: int, size: int, spoken: str) -> Lesson | Fault:
    """A file's lesson, read again when it has ``changed``; ``spoken`` is the language of what may be said against it."""
    name = one_line(path.name)
    if size > MOST_BYTES:
        return Fault(name, 1, say("lessons.fault.large", most=MOST_BYTES // 1024))
    try:
        source = path.read_text("utf-8")
    except UnicodeDecodeError:
        return Fault(name, 1, say("lessons.fault.unreadable"))
    return parse(path.stem, source)
