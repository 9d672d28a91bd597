"""Pages as data: each file describes its page, or is named with what to do about it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reference import assert_one_sentence

from capsviz.app import pages
from capsviz.errors import PageError
from capsviz.traces.base import COUPLING, POSES, SEVERAL

GOOD = "from capsviz.app.pages import Page\nPAGE = Page({})\ndef show(): raise AssertionError('shown')\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Writes a file into a folder of pages of one's own."""
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    pages.pages.cache_clear()
    yield lambda name, content: (tmp_path / f"{name}.py").write_text(content, "utf-8")
    pages.pages.cache_clear()


def test_the_pages_of_the_app_stand_in_their_order() -> None:
    assert [page.name for page in pages.pages()] == [
        "draw",
        "routing",
        "pose",
        "overlap",
        "model",
        "lessons",
        "compare",
        "class",
        "lesson",
        "inside",
        "lab",
        "training",
    ]
    assert {page.name: page.under for page in pages.pages() if page.under} == {
        "compare": "model",
        "lesson": "lessons",
        "inside": "model",
        "lab": "model",
        "training": "model",
    }
    needs = {page.name: page.needs for page in pages.pages()}
    assert needs == {
        "draw": set(),
        "routing": {COUPLING},
        "pose": {POSES},
        "overlap": {COUPLING, SEVERAL},
        "model": set(),
        "lessons": set(),
        "compare": set(),
        "class": set(),
        "lesson": set(),
        "inside": set(),
        "lab": set(),
        "training": set(),
    }


def test_a_page_is_its_file(write: Callable[[str, str], None]) -> None:
    write("model", GOOD.format("7"))
    write("pose", GOOD.format("2, doors=()"))
    assert [(page.name, page.place) for page in pages.pages()] == [("pose", 2), ("model", 7)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x = 1\n", "PAGE"),
        ("PAGE = 3\ndef show(): pass\n", "PAGE"),
        ("from capsviz.app.pages import Page\nPAGE = Page(5)\n", "show()"),
        (GOOD.format("5, doors=('nowhere',)"), "nowhere"),
        (GOOD.format("5, needs=frozenset({'magic'})"), "magic"),
        (GOOD.format("3"), "place 3"),
        (GOOD.format("5, under='nowhere'"), "nowhere"),
        (GOOD.format("5, under='pose'"), "pose"),
    ],
)
def test_a_file_that_is_no_page_is_named(content: str, says: str, write: Callable[[str, str], None]) -> None:
    write("model", GOOD.format("3"))
    write("pose", content)
    with pytest.raises(PageError) as caught:
        pages.pages()
    assert says in str(caught.value)
    assert ".py" in str(caught.value)


def test_a_page_without_its_words_is_named(write: Callable[[str, str], None]) -> None:
    write("unheard", GOOD.format("0"))
    with pytest.raises(PageError) as caught:
        pages.pages()
    assert_one_sentence(caught.value, "unheard.title", "en.toml")
