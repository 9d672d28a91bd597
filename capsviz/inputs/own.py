"""What is known of data of one's own; ``own_files`` reads them."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from capsviz.checks import listed, one_line

FEWEST, MOST_CLASSES = 2, 62  # digits, capital and small letters are 62
LONGEST_NAME = 40  # characters of the name of a class
PICTURES, STROKES = "pictures", "strokes"
SOURCES = (PICTURES, STROKES)
LONGEST_LABEL = 60  # characters of the name of the data


@dataclass(frozen=True)
class Own:
    """What is known of data of one's own, enough to find their held-out part again.

    Attributes:
        source: of ``SOURCES``.
        name: of the folder or file, for people.
        classes: names of the labels 0, 1, ...
        train: images to train on and to choose by.
        choose: of these, the ones to choose by.
        test: images to test on.
        skip: whether pictures that cannot be read are left out.
        sha256: of what all of it is made of.
    """

    source: str
    name: str
    classes: tuple[str, ...]
    train: int
    choose: int
    test: int
    skip: bool
    sha256: str

    @property
    def kind(self) -> str:
        """What a class is: "digit" or "letter" where all names are such, else "class"."""
        return kind_of(self.classes)

    @property
    def summary(self) -> str:
        """What there is, in words."""
        return (
            f"{len(self.classes)} classes ({listed(self.classes, 10)}), {self.train - self.choose:,} images to train "
            f"on, {self.choose:,} to choose by, {self.test:,} to test on"
        )


def kind_of(classes: Sequence[str]) -> str:
    """What classes with these names are."""
    names = [name for name in classes if len(name) == 1 and name.isascii()]
    if len(names) == len(classes) and all(name.isdecimal() for name in names):
        return "digit"
    return "letter" if len(names) == len(classes) and all(name.isalpha() for name in names) else "class"


def plain(name: str) -> str:
    """A folder's name or a label as the name of a class: in Unicode's composed form, without spaces around it."""
    return unicodedata.normalize("NFC", name).strip()


def in_order(names: Iterable[str]) -> list[str]:
    """Names with numbers by their size first, then texts by their letters."""
    return sorted(names, key=lambda name: (not name.isdecimal(), len(name) * name.isdecimal(), name))


def trouble(names: Sequence[str]) -> str:
    """Why names cannot be those of classes, as the second half of a sentence with what to do; "" if they can.

    Names of more than one character must differ in more than capitals: "Cat" and "cat" are one class, "A" and "a" two.
    """
    if not FEWEST <= len(names) <= MOST_CLASSES:
        count = "no class" if not names else f"{len(names):,} class{'es' if len(names) > 1 else ''}"
        return f"has {count}: give {FEWEST} to {MOST_CLASSES} of them"
    known: dict[str, str] = {}
    for name in names:
        short = plain(name)
        if not short or not short.isprintable() or len(short) > LONGEST_NAME:
            return (
                f"has a class named {one_line(repr(name))[:60]}: give it a name of 1 to {LONGEST_NAME} characters "
                "that can be printed"
            )
        key = short if len(short) == 1 else short.casefold()
        if key in known:
            return (
                f"has classes named {known[key]!r} and {name!r}, which are hard to tell apart: give one of them "
                "another name, or put both together"
            )
        known[key] = name
    return ""
