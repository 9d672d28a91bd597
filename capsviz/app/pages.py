"""The pages as data: each file in pages/ says where it stands, what it needs of a network, and where it leads to."""

import importlib.util
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from capsviz.errors import PageError
from capsviz.models.weights import available
from capsviz.networks.base import DEFAULT, find
from capsviz.texts import FIRST, texts
from capsviz.texts import FOLDER as TEXTS
from capsviz.traces.base import OFFERS

FOLDER = Path(__file__).resolve().parents[2] / "pages"


@dataclass(frozen=True)
class Page:
    """One page; its words are texts: NAME.title, NAME.question, NAME.door.OTHER and, where it needs something, NAME.lacks.

    Attributes:
        place: among the pages, from 0; the first one is what the app opens with.
        doors: names of pages that say more, in the order in which they are offered.
        needs: of ``traces.base.OFFERS``: what a network must have for this page.
        tells: whether nearly all of it tells the answer: it is covered where the answer is.
        under: name of the page in the bar to which it belongs, where it does not stand there itself.
        name: of its file; given by it.
    """

    place: int
    doors: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    tells: bool = False
    under: str = ""
    name: str = ""


@cache
def pages() -> tuple[Page, ...]:
    """All pages, in their order.

    Raises:
        PageError: naming the file that describes no page, or none that can be shown.
    """
    found = {path.stem: _read(path) for path in sorted(FOLDER.glob("*.py"))}
    places = [page.place for page in found.values()]
    known = texts(FIRST)
    for name, page in found.items():
        path = FOLDER / f"{name}.py"
        if places.count(page.place) > 1:
            raise PageError(f"{path}: another page has the place {page.place}: give this one another.")
        wrong = [door for door in page.doors if door not in found]
        if wrong:
            raise PageError(f"{path}: there is no page {wrong[0]}: choose one of {', '.join(found)}.")
        if page.under and (page.under not in found or found[page.under].under):
            raise PageError(f"{path}: no page {page.under} stands in the bar: put it under another one.")
        unknown = page.needs - set(OFFERS)
        if unknown:
            raise PageError(f"{path} needs {min(unknown)}: choose of {', '.join(OFFERS)}.")
        wanted = [f"{name}.title", f"{name}.question", *(f"{name}.door.{door}" for door in page.doors)]
        wanted += [f"{name}.lacks"] if page.needs else []
        missing = [text for text in wanted if text not in known]
        if missing:
            raise PageError(f"{path}: its text {missing[0]} is missing: add it to {TEXTS / FIRST}.toml.")
    return tuple(sorted(found.values(), key=lambda page: page.place))


def offered() -> tuple[Page, ...]:
    """The pages for which a network is here that has what they need, in their order."""
    # The default one's stay without its weights, to say that they are missing.
    able = [find(name).offers for name in {DEFAULT, *available()}]
    return tuple(page for page in pages() if any(page.needs <= offers for offers in able))


def _read(path: Path) -> Page:
    spec = importlib.util.spec_from_file_location(f"capsviz_page_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page, show = getattr(module, "PAGE", None), getattr(module, "show", None)
    if not isinstance(page, Page) or not callable(show):
        raise PageError(f"{path} is no page: it needs PAGE, a capsviz.app.pages.Page, and a function show().")
    return replace(page, name=path.stem)
