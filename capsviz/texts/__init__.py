"""Every word of the screen, from one file for each language: ``en.toml`` is the language that has all of them.

A text has an id, "routing.question" say: the table it stands in, a dot, its name there. ``{name}`` in it is put in by who
asks for it. Where a number decides between forms, the text is a table with a form for each of the language's plural
categories (Babel's, of the CLDR), chosen by ``count``. In texts, ``**`` sets off strong words, ``++`` and ``--`` words
about what counts for and against (in orange and blue), and ``[[term|what it means]]`` a term with its explanation.

Python and scripts read the same file: a script is sent the tables that it needs (``tables``).
"""

import html
import re
import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from capsviz.errors import TextError

FOLDER = Path(__file__).parent
FIRST = "en"  # the language that has every text
Text = str | Mapping[str, str]

_language: ContextVar[str] = ContextVar("language", default=FIRST)
_PLACE = re.compile(r"\{([a-zA-Z]+)\}")
_MARKS = {"**": ("<b>", "</b>"), "++": ('<b class="cv-for">', "</b>"), "--": ('<b class="cv-against">', "</b>")}
_MARKED = re.compile(r"(\*\*|\+\+|--)(?=\S)(.+?)(?<=\S)\1")


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages that there are, the first one first."""
    found = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return (FIRST, *(code for code in found if code != FIRST))


@cache
def texts(language: str) -> Mapping[str, Text]:
    """All texts of a language by their ids; what it lacks is the first language's.

    Raises:
        TextError: naming the file and what is wrong with it.
    """
    path = FOLDER / f"{language}.toml"
    try:
        found = dict(_flat(tomllib.loads(path.read_text("utf-8")), ""))
    except (OSError, ValueError) as error:
        raise TextError(f"{path} cannot be read ({error}): mend it, or restore it from the repository.") from error
    if language == FIRST:
        return found
    known = texts(FIRST)
    for name, text in found.items():
        if name not in known:
            raise TextError(f"{path} has a text {name}, which {FIRST}.toml has not: take it out, or add it there.")
        if places(text) - places(known[name]):
            raise TextError(f"{path}: {name} asks for {', '.join(sorted(places(text) - places(known[name])))}.")
    return {**known, **found}


def _flat(table: Mapping[str, Any], prefix: str) -> list[tuple[str, Text]]:
    out: list[tuple[str, Text]] = []
    for name, value in table.items():
        whole = f"{prefix}{name}"
        if isinstance(value, str):
            out.append((whole, value))
        elif isinstance(value, dict) and "other" in value and all(isinstance(form, str) for form in value.values()):
            out.append((whole, value))
        elif isinstance(value, dict):
            out += _flat(value, f"{whole}.")
        else:
            raise ValueError(f"{whole} is neither a text nor the forms of one")
    return out


def places(text: Text) -> set[str]:
    """Names of what is put into a text."""
    forms = [text] if isinstance(text, str) else text.values()
    return {name for form in forms for name in _PLACE.findall(form)}


def language() -> str:
    """Code of the language that is spoken now."""
    return _language.get()


def speak(code: str) -> None:
    """Speak another language from now on, in this thread."""
    _language.set(code if code in languages() else FIRST)


def say(name: str, **values: object) -> str:
    """A text, with what is put into it.

    Args:
        name: its id.
        values: for each of its places; ``count``, a number, also chooses the form.

    Raises:
        TextError: if there is no such text, or a value is missing.
    """
    spoken = language()
    text = texts(spoken).get(name)
    if text is None:
        raise TextError(f"There is no text {name}: add it to {FOLDER / FIRST}.toml.")
    if not isinstance(text, str):
        count = values.get("count")
        if not isinstance(count, int | float):
            raise TextError(f"The text {name} needs a number, count, to choose its form by.")
        text = text.get(_rules(spoken)(abs(count)), text["other"])
    try:
        return _PLACE.sub(lambda place: str(values[place[1]]), text)
    except KeyError as error:
        raise TextError(f"The text {name} needs {error.args[0]}.") from error


def markup(name: str, **values: object) -> str:
    """A text as HTML: its marks turned into elements, and what is put into it escaped."""
    return marked(say(name, **{key: _kept(value) for key, value in values.items()}))


def marked(text: str) -> str:
    """HTML of a text with marks."""
    return _MARKED.sub(lambda part: _MARKS[part[1]][0] + part[2] + _MARKS[part[1]][1], text)


def _kept(value: object) -> object:
    return html.escape(value) if isinstance(value, str) else value


def for_script(*tables: str) -> dict[str, Any]:
    """What a script is sent to speak with (texts.js): the "language" of now, and the "texts" of some tables."""
    return _for_script(language(), tables)


@lru_cache(maxsize=64)
def _for_script(code: str, tables: tuple[str, ...]) -> dict[str, Any]:
    chosen = tuple(f"{name}." for name in tables)
    found = {name: text for name, text in texts(code).items() if name.startswith(chosen)}
    return {"language": code, "texts": found}


@cache
def _rules(language: str) -> Any:
    """The plural rule of a language: number to "one", "other", ..."""
    from babel import Locale  # takes a moment, and what is looked up for --help has no numbers

    try:
        return Locale.parse(language.replace("-", "_")).plural_form
    except (LookupError, ValueError):  # a language that nobody speaks, such as a test's
        return Locale.parse(FIRST).plural_form
