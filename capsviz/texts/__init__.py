"""Every word of the screen, from one file for each language: ``en.toml`` is the language that has all of them.

A text has an id, "routing.question" say: the table it stands in, a dot, its name there. ``{name}`` in it is put in by who
asks for it. Where a number decides between forms, the text is a table with a form for each of the language's plural
categories (Babel's, of the CLDR), chosen by ``count``. In texts, ``**`` sets off strong words, ``++`` and ``--`` words
about what counts for and against (in orange and blue), and ``[[term|what it means]]`` a term with its explanation.

A language that declines its nouns has a table of their forms, ``[form.WORD]``, and asks for one behind the place's name:
with ``[form.letter] some = "some letters"``, ``{kind.some}`` is "some letters" where "letter" is put in.

Python and scripts read the same file: a script is sent the tables that it needs (``for_script``). Languages are also
looked for in the folder that the environment names by ``CAPSVIZ_TEXTS``, for who is making one.
"""

import html
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from capsviz.errors import TextError

FOLDER = Path(__file__).parent
FIRST = "en"  # the language that has every text
Text = str | Mapping[str, str]
MINUS = "\N{MINUS SIGN}"

_language: ContextVar[str] = ContextVar("language", default="")
_asked: Callable[[], str] = (
    str  # who knows the language where nobody has spoken in this context; "" for the first one
)
_FORMS = {"zero", "one", "two", "few", "many", "other"}  # plural categories
_PLACE = re.compile(
    r"\{([a-zA-Z][a-zA-Z0-9]*)(?:\.(\w+))?\}"
)  # its name, and the form of the word that is put in
_OF_WORDS = "form."  # how the ids of such forms begin
_MARKS = {
    "**": ("<b>", "</b>"),
    "++": ('<b class="cv-for">', "</b>"),
    "--": ('<b class="cv-against">', "</b>"),
}
_MARKED = re.compile(r"(\*\*|\+\+|--)(?=\S)(.+?)(?<=\S)\1")


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages that there are, the first one first."""
    found = sorted({path.stem for folder in _folders() for path in folder.glob("*.toml")})
    return (FIRST, *(code for code in found if code != FIRST))


def _folders() -> list[Path]:
    more = os.environ.get("CAPSVIZ_TEXTS")
    return [FOLDER, Path(more)] if more else [FOLDER]


@cache
def texts(language: str) -> Mapping[str, Text]:
    """All texts of a language by their ids; what it lacks is the first language's.

    Raises:
        TextError: naming the file and what is wrong with it.
    """
    paths = [folder / f"{language}.toml" for folder in _folders()]
    path = next((path for path in paths if path.is_file()), paths[0])
    try:
        found = dict(_flat(tomllib.loads(path.read_text("utf-8")), ""))
    except (OSError, ValueError) as error:
        raise TextError(
            f"{path} cannot be read ({error}): mend it, or restore it from the repository."
        ) from error
    if language == FIRST:
        return found
    known = texts(FIRST)
    for name, text in found.items():
        if name.startswith(_OF_WORDS):
            continue
        if name not in known:
            raise TextError(
                f"{path} has a text {name}, which {FIRST}.toml has not: take it out, or add it there."
            )
        if places(text) - places(known[name]):
            raise TextError(
                f"{path}: {name} asks for {', '.join(sorted(places(text) - places(known[name])))}."
            )
    return {**known, **found}


def _flat(table: Mapping[str, Any], prefix: str) -> list[tuple[str, Text]]:
    out: list[tuple[str, Text]] = []
    for name, value in table.items():
        whole = f"{prefix}{name}"
        if isinstance(value, str) or (
            isinstance(value, dict)
            and "other" in value
            and _FORMS.issuperset(value)
            and all(isinstance(form, str) for form in value.values())
        ):
            out.append((whole, value))
        elif isinstance(value, dict):
            out += _flat(value, f"{whole}.")
        else:
            raise ValueError(f"{whole} is neither a text nor the forms of one")
    return out


def places(text: Text) -> set[str]:
    """Names of what is put into a text."""
    forms = [text] if isinstance(text, str) else text.values()
    return {name for form in forms for name, _ in _PLACE.findall(form)}


def language() -> str:
    """Code of the language that is spoken now."""
    code = _language.get() or _asked()
    return code if code in languages() else FIRST


def name_of(code: str) -> str:
    """What a language calls itself."""
    name = texts(code)["frame.language"]
    return name if isinstance(name, str) else code


def speak(code: str) -> None:
    """Speak a language from now on, in this context; what is no language's code for whatever is asked for otherwise."""
    _language.set(code if code in languages() else "")


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak a language for a while: who else would be asked for every text is not asked."""
    token = _language.set(code)
    try:
        yield
    finally:
        _language.reset(token)


def ask(who: Callable[[], str]) -> None:
    """Have ``who`` say which language to speak where nobody has chosen one with ``speak``: a server asks the session."""
    global _asked
    _asked = who


def say(name: str, /, **values: object) -> str:
    """A text, with what is put into it.

    Args:
        name: its id.
        values: for each of its places; ``count``, a number, also chooses the form. A float has the language's decimal
            sign; what is to be rounded or grouped is given in words (numbers.py).

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
        text = text.get(_rules(spoken)(count), text["other"])
    try:
        return _PLACE.sub(lambda place: _put(values[place[1]], place[2]), text)
    except KeyError as error:
        raise TextError(f"The text {name} needs {error.args[0]}.") from error


def _put(value: object, form: str | None) -> str:
    """What is put into a text: a word in the form that is asked for, or as it is where it has none of that name."""
    if isinstance(value, float):
        return localised(str(value))
    word = str(value)
    declined = texts(language()).get(f"{_OF_WORDS}{word}.{form}") if form else None
    return declined if isinstance(declined, str) else word


def localised(figures: str) -> str:
    """A number as Python writes it, "-1,152.5%", with the signs of the language that is spoken."""
    return figures.translate(_signs(language()))


def knows(name: str) -> bool:
    """Whether there is such a text."""
    return name in texts(language())


def spelled(count: int) -> str:
    """A whole number in words, where the language has a word for it ("ten"), else in digits."""
    word = texts(language()).get(f"common.number.{count}")
    return word if isinstance(word, str) else localised(f"{count:,}")


def noun(kind: str, count: float = 1, sense: str = "kind") -> str:
    """The word for one or for several classes of a kind: "digit", "digits".

    Args:
        kind: as ``Shape.kind`` has it.
        count: of what there is.
        sense: "drawn" for what there is to be drawn and "pictured" for pictures of classes, where a kind has other words for
            these: nobody draws a class, or counts classes where pictures are meant.
    """
    own = f"common.{sense}.{kind}"
    return say(own if knows(own) else f"common.kind.{kind}", count=count)


def drawn() -> str:
    """The word for what there is to be drawn now."""
    return noun(_drawn.get() or (_reads() if _reads else "digit"), sense="drawn")


def speak_of(kind: str) -> None:
    """Have ``kind``, as ``Shape.kind``, drawn from now on, in this context; "" for what is to be drawn otherwise."""
    _drawn.set(kind)


_drawn: ContextVar[str] = ContextVar("drawn", default="")
_reads: Callable[[], str] | None = None  # who knows what there is to be drawn


def ask_kind(who: Callable[[], str]) -> None:
    """Have ``who`` say what kind of classes is to be drawn, as ``Shape.kind``: a server asks the session; else, digits."""
    global _reads
    _reads = who


def capital(text: str) -> str:
    """A text as the beginning of a line: what is put in first may be a word in small letters."""
    return text[:1].upper() + text[1:]


def markup(name: str, /, **values: object) -> str:
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
    found = {name: text for name, text in texts(code).items() if name.startswith((*chosen, _OF_WORDS))}
    return {"language": code, "texts": found}


@cache
def _rules(language: str) -> Any:
    """The plural rule of a language: number to "one", "other", ..."""
    return _locale(language).plural_form


@cache
def _signs(language: str) -> dict[int, str]:
    """What stands in a language for the signs that Python writes numbers with."""
    locale = _locale(language)
    symbols = locale.number_symbols["latn"]
    per_cent = locale.percent_formats[None].pattern.replace("#,##0", "")  # with its space, if it has one
    return str.maketrans({".": symbols["decimal"], ",": symbols["group"], "-": MINUS, "%": per_cent})


@cache
def _locale(language: str) -> Any:
    """What Babel knows of a language."""
    from babel import (  # which takes a while: a command's --help does not wait for it
        Locale,
        UnknownLocaleError,
    )

    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):  # a language that nobody speaks, such as a test's
        return Locale.parse(FIRST)
