"""Texts: every one that is asked for is there, with what it asks for; languages, plural forms, marks."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel import Locale
from reference import assert_one_sentence

from capsviz import texts
from capsviz.errors import TextError
from capsviz.networks.base import find
from capsviz.texts import numbers
from capsviz.traces.base import INDEPENDENT, LENGTH, PROBABILITY

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "capsviz" / "figures" / "browser"
FUNCTIONS = {"say", "markup"}  # of Python and of the scripts


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of languages of one's own."""
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    for cached in (texts.languages, texts.texts, texts._for_script):
        cached.cache_clear()
    yield tmp_path
    texts.speak("")
    for cached in (texts.languages, texts.texts, texts._for_script):
        cached.cache_clear()


def write(folder: Path, language: str, content: str) -> None:
    (folder / f"{language}.toml").write_text(content, "utf-8")


def test_a_text_has_put_into_it_what_it_asks_for(folder: Path) -> None:
    write(folder, "en", '[rail]\nseen = "{name} of {size}, {name}"\n')
    assert texts.say("rail.seen", name="a {size}", size=3) == "a {size} of 3, a {size}"
    with pytest.raises(TextError) as caught:
        texts.say("rail.seen", name="a")
    assert_one_sentence(caught.value, "rail.seen", "size")
    with pytest.raises(TextError) as caught:
        texts.say("rail.lost")
    assert_one_sentence(caught.value, "rail.lost", "en.toml")


@pytest.mark.parametrize(
    ("language", "count", "form"),
    [
        ("en", 0, "other"),
        ("en", 1, "one"),
        ("en", -1, "one"),
        ("en", 2, "other"),
        ("fr", 0, "one"),
        ("pl", 1, "one"),
        ("pl", 3, "few"),
        ("pl", 5, "many"),
        ("pl", 22, "few"),
        ("zz", 1, "one"),  # which nobody speaks: as the first language
    ],
)
def test_the_language_s_rules_choose_the_form(folder: Path, language: str, count: int, form: str) -> None:
    """The categories are those of the CLDR's tables for these languages."""
    forms = "".join(f'steps.{name} = "{{count}} {name}"\n' for name in ("one", "few", "many", "other"))
    write(folder, "en", forms)
    write(folder, language, forms)
    texts.speak(language)
    assert texts.say("steps", count=count) == f"{count} {form}"


def test_forms_need_a_number(folder: Path) -> None:
    write(folder, "en", 'steps.one = "a"\nsteps.other = "b"\n')
    with pytest.raises(TextError, match="needs a number, count"):
        texts.say("steps")


def test_a_language_lacks_what_it_lacks_and_has_no_more(folder: Path) -> None:
    write(folder, "en", 'a = "A {x}"\nb = "B"\n')
    write(folder, "de", 'a = "Ä {x}"\n')
    texts.speak("de")
    assert (texts.say("a", x=1), texts.say("b")) == ("Ä 1", "B")
    assert texts.languages() == ("en", "de")
    texts.speak("fr")  # which is not there
    assert texts.language() == "en"
    write(folder, "nl", 'c = "C"\n')
    with pytest.raises(TextError) as caught:
        texts.texts("nl")
    assert_one_sentence(caught.value, "nl.toml", "c", "en.toml")
    write(folder, "sv", 'b = "{x}"\n')
    with pytest.raises(TextError) as caught:
        texts.texts("sv")
    assert_one_sentence(caught.value, "sv.toml", "b", "x")


@pytest.mark.parametrize("content", ["a = ", "a = 1\n", "a = [1]\n", "[a]\nb.one = 1\nb.other = 'x'\n"])
def test_a_file_that_is_no_file_of_texts_is_named(folder: Path, content: str) -> None:
    write(folder, "en", content)
    with pytest.raises(TextError) as caught:
        texts.texts("en")
    assert_one_sentence(caught.value, "en.toml", "restore it")


def test_a_language_in_the_making_stands_in_a_folder_of_its_own(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = tmp_path_factory.mktemp("more")
    write(folder, "en", 'a = "A"\n')
    write(more, "it", 'a = "À"\n')
    monkeypatch.setenv("CAPSVIZ_TEXTS", str(more))
    texts.speak("it")
    assert texts.languages() == ("en", "it")
    assert texts.say("a") == "À"


def test_marks_become_elements_and_values_do_not(folder: Path) -> None:
    write(folder, "en", 'a = "**{x}** is ++for++, --against-- 2 - 1 -- 0"\n')
    assert texts.markup("a", x="<i>") == (
        '<b>&lt;i&gt;</b> is <b class="cv-for">for</b>, <b class="cv-against">against</b> 2 - 1 -- 0'
    )


def test_numbers_have_words_as_far_as_the_language_has_them(folder: Path) -> None:
    write(folder, "en", '[common.number]\n10 = "ten"\n[common.kind.digit]\none = "digit"\nother = "digits"\n')
    assert [texts.spelled(count) for count in (10, 11, 1152)] == ["ten", "11", "1,152"]
    assert [texts.noun("digit"), texts.noun("digit", 2), texts.capital("ten left")] == [
        "digit",
        "digits",
        "Ten left",
    ]


def test_a_script_is_sent_the_tables_it_asks_for(folder: Path) -> None:
    write(folder, "en", '[pose]\na = "A"\n[posed]\nb = "B"\n[common]\nc.one = "C"\nc.other = "D"\n')
    assert texts.for_script("pose", "common") == {
        "language": "en",
        "texts": {"pose.a": "A", "common.c": {"one": "C", "other": "D"}},
    }


def test_whoever_knows_is_asked_for_the_language_of_a_context_in_which_nobody_spoke(folder: Path) -> None:
    write(folder, "en", 'a = "A"\n')
    write(folder, "de", 'a = "Ä"\n')
    before = texts._asked
    try:
        texts.ask(lambda: "de")
        assert texts.say("a") == "Ä"
        texts.speak("en")
        assert texts.say("a") == "A"
        texts.speak("")
        texts.ask(lambda: "nonsense")
        assert texts.say("a") == "A"
    finally:
        texts.ask(before)


def test_a_word_is_put_in_in_the_form_that_is_asked_for(folder: Path) -> None:
    """As German declines its nouns; a word without that form stands as it is."""
    write(folder, "en", 'a = "a {kind}, {kind}"\n')
    forms = '[form.Ziffer]\neinen = "eine Ziffer"\n[form.Buchstabe]\neinen = "einen Buchstaben"\n'
    write(folder, "de", 'a = "{kind.einen}, {kind}"\n' + forms)
    texts.speak("de")
    assert texts.say("a", kind="Ziffer") == "eine Ziffer, Ziffer"
    assert texts.say("a", kind="Buchstabe") == "einen Buchstaben, Buchstabe"
    assert texts.say("a", kind="Klecks") == "Klecks, Klecks"
    assert texts.markup("a", kind="<b>") == "&lt;b&gt;, &lt;b&gt;"
    assert texts.for_script("b")["texts"].keys() == {"form.Ziffer.einen", "form.Buchstabe.einen"}


# --- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", ["−1,234.57", "0.00", "0", "1,152", "−12.35%", "0.0%", "0.25", "1e-06", "0.9", ".,", "%"]),
        ("de", ["−1.234,57", "0,00", "0", "1.152", "−12,35~%", "0,0~%", "0,25", "1e-06", "0,9", ",.", "~%"]),
        ("zz", ["−1,234.57", "0.00", "0", "1,152", "−12.35%", "0.0%", "0.25", "1e-06", "0.9", ".,", "%"]),
    ],
)  # fmt: skip
def test_numbers_are_written_as_the_language_writes_them(
    folder: Path, language: str, written: list[str]
) -> None:
    """German and English by the usage of their typography, not by Babel's tables."""
    for code in {"en", language}:
        write(folder, code, 'a = "{x}"\n')
    texts.speak(language)
    assert [
        numbers.number(-1234.567),
        numbers.number(-0.0049),
        numbers.number(-0.4, 0),
        numbers.grouped(1152),
        numbers.per_cent(-0.12345),
        numbers.per_cent(-0.0004, 1),
        numbers.short(0.25),
        numbers.short(1e-6),
        texts.say("a", x=0.9),
        numbers.separators(),
        numbers.percent_sign(),
    ] == [text.replace("~", "\N{NO-BREAK SPACE}") for text in written]


# --- the texts that there are ------------------------------------------------------------------------------


@cache
def asked_in_python() -> list[tuple[str, str, set[str] | None]]:
    return list(_asked_in_python())


def _asked_in_python() -> Iterator[tuple[str, str, set[str] | None]]:
    """(file, id or a pattern of it, names of what is put in or None if that cannot be seen) of each call."""
    for path in [*(ROOT / "capsviz").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        tree = ast.parse(path.read_text("utf-8"))
        froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        ours = {name.name for node in froms if node.module == "capsviz.texts" for name in node.names}
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            if isinstance(node.func, ast.Attribute):  # texts.say
                owner = node.func.value
                if not (isinstance(owner, ast.Name) and owner.id == "texts" and node.func.attr in FUNCTIONS):
                    continue
            elif not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS & (
                ours or {"say"} if path.parent.name == "texts" else ours
            ):
                continue
            asked = node.args[0]
            for one in (asked.body, asked.orelse) if isinstance(asked, ast.IfExp) else (asked,):
                name = pattern(one)
                if name is not None:
                    seen = {keyword.arg for keyword in node.keywords if keyword.arg}
                    yield path.name, name, None if any(k.arg is None for k in node.keywords) else seen


def pattern(node: ast.expr) -> str | None:
    """A regular expression of the ids that an expression can be; None where it is somebody else's name."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (re.escape(p.value) if isinstance(p, ast.Constant) else r".*" for p in node.values)
        return "".join(parts)
    return None


ASKED = re.compile(r"""\b(?:say|markup)\(((?:"[^"]*"|`[^`]*`|[^,()"`])*)""")  # and its first argument


def asked_in_scripts() -> Iterator[tuple[str, str]]:
    for path in SCRIPTS.glob("*.js"):
        for argument in ASKED.findall(path.read_text("utf-8")):
            # One literal, or the two that a condition decides between.
            literals = argument if argument[:1] in ('"', "`") else argument.partition(" ? ")[2]
            for plain, template in re.findall(r'"([^"]*)"|`([^`]*)`', literals):
                yield path.name, ".+".join(map(re.escape, re.split(r"\$\{[^}]*\}", plain or template)))


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ('say("a.b", { c: "d" })', [r"a\.b"]),
        ("markup(`a.${b}.c`, d)", [r"a\..+\.c"]),
        ('setText(node, say(kind === "x" ? "a.b" : "a.c"))', [r"a\.b", r"a\.c"]),
        ('say(`a.${b < 0 ? "c" : "d"}`, e)', [r"a\..+"]),
        ('essay("a.b"); say(name, "a.b")', []),
    ],
)
def test_what_a_script_asks_for_is_seen(
    script: str, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.js").write_text(script, "utf-8")
    monkeypatch.setattr(f"{__name__}.SCRIPTS", tmp_path)
    assert list(asked_in_scripts()) == [("own.js", name) for name in names]


def test_every_text_that_is_asked_for_is_there_with_what_it_asks_for() -> None:
    known = texts.texts("en")
    for file, name, values in asked_in_python():
        whole = re.sub(r"\\(.)", r"\1", name)
        found = [whole] if whole in known else [text for text in known if re.fullmatch(name, text)]
        assert found, f"{file} asks for {name}: mend it, or add it to en.toml"
        if values is not None and re.escape(found[0]) == name:
            assert texts.places(known[found[0]]) <= values | {"count"}, f"{file}: {found[0]}"
    for file, name in asked_in_scripts():
        assert any(re.fullmatch(name, text) for text in known), (
            f"{file} asks for {name}: mend it, or add it to en.toml"
        )


def test_no_text_is_left_over() -> None:
    patterns = {name for _, name, _ in asked_in_python()} | {name for _, name in asked_in_scripts()}
    asked = re.compile("|".join(f"(?:{pattern})" for pattern in sorted(patterns)))
    source = "\n".join(
        path.read_text("utf-8")
        for folder, kind in ((ROOT / "capsviz", "*.py"), (ROOT / "pages", "*.py"), (SCRIPTS, "*.js"))
        for path in folder.rglob(kind)
    )
    left = [name for name in texts.texts("en") if not asked.fullmatch(name) and f'"{name}"' not in source]
    assert not left


# --- the languages that there are ---------------------------------------------------------------------------


def own(language: str) -> dict[str, texts.Text]:
    """The texts of a language's own file."""
    found = tomllib.loads((texts.FOLDER / f"{language}.toml").read_text("utf-8"))
    return dict(texts._flat(found, ""))


def of_screen(language: str) -> dict[str, texts.Text]:
    """The same without the forms of its nouns."""
    return {name: text for name, text in own(language).items() if not name.startswith("form.")}


OTHERS = [code for code in texts.languages() if code != texts.FIRST]


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_text(language: str) -> None:
    """What this lists is to be translated, or to be taken out."""
    first, other = own(texts.FIRST), of_screen(language)
    assert {
        "lacking": sorted(first.keys() - other.keys()),
        "left over": sorted(other.keys() - first.keys()),
    } == {
        "lacking": [],
        "left over": [],
    }


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_s_texts_ask_for_the_same_and_have_its_plural_forms(language: str) -> None:
    first, other = own(texts.FIRST), of_screen(language)
    forms = {*Locale.parse(language).plural_form.tags, "other"}
    for name in first.keys() & other.keys():
        assert texts.places(other[name]) == texts.places(first[name]), name
        assert isinstance(other[name], str) == isinstance(first[name], str), name
        if not isinstance(other[name], str):
            assert other[name].keys() == forms, name


@pytest.mark.parametrize("language", OTHERS)
def test_every_noun_has_the_forms_that_texts_ask_for(language: str) -> None:
    """Of a place for one class and of one for several, each kind's word; and no form is left over."""
    found = own(language)
    kinds = [text for name, text in found.items() if name.startswith("common.kind.")]
    words = {place: {kind[form] for kind in kinds} for place, form in (("kind", "one"), ("kinds", "other"))}
    words["Kind"] = words["kind"]
    drawn = {text["one"] for name, text in found.items() if name.startswith("common.drawn.")}
    words["kind"] |= drawn
    for name, text in found.items():
        if name.startswith("common.pictured."):  # in place of the kind's own word
            words["kinds"] = words["kinds"] - {found[name.replace("pictured", "kind")]["other"]} | {
                text["other"]
            }
    asked = set()
    for name, text in of_screen(language).items():
        for form in [text] if isinstance(text, str) else text.values():
            for place, declined in re.findall(r"\{(\w+)\.(\w+)\}", form):
                of = words.get(place, WORDS.get((language, place)))
                assert of, f"{name}: no words are known of {place}"
                capsules = declined in ("kapsel", "kapseln")  # which are of classes, not of what is drawn
                asked |= {f"form.{word}.{declined}" for word in of - (drawn if capsules else set())}
    assert asked == {name for name in found if name.startswith("form.")}


WORDS = {  # other words that have forms
    ("de", "hidden"): {"Eins"},
    ("de", "authors"): {find(name).source.authors for name in ("dynamic.mnist", "attention.mnist")},
    ("de", "data"): {find("overlap.mnist").data.name},
}


def test_german_is_set_as_german_is() -> None:
    for name, text in own("de").items():
        for form in [text] if isinstance(text, str) else text.values():
            assert not re.search(r"[\"”]|“\w", form), f"{name}: „so“"
            assert not re.search(r"\d\.\d(?!\d\d)", re.sub(r"arXiv:[\d.]+", "", form)), (
                f"{name}: decimal comma"
            )
            assert not re.search(r"(?<!\N{NO-BREAK SPACE})(?<!-)(?<!^)%", form), f"{name}: space before %"
            assert not re.search(r" - |(^|\s)-\d", form), f"{name}: minus, dash"
            assert not re.search(r"\(\{kinds?\}\)", form), f"{name}: a form of the noun, none in brackets"


def test_german_has_one_word_for_each_thing() -> None:
    """On the screen and in lessons: what the field calls squash and seed has these names alone."""
    said = {name: str(text) for name, text in own("de").items()}
    for path in (ROOT / "capsviz" / "lessons").glob("*.toml"):
        said[path.name] = "\n".join(re.findall(r"^(?:\w+\.)?de = (.*)$", path.read_text("utf-8"), re.M))
        assert said[path.name], path.name
        assert not re.search(r"\d\.\d(?!\d\d)", said[path.name]), f"{path.name}: decimal comma"
    for name, text in said.items():
        assert not re.search(r"[Gg]estaucht|[Ss]tauchen|Startwert|Einfaches CNN|Gleichmaß", text), name


@pytest.mark.parametrize("language", texts.languages())
@pytest.mark.parametrize("score", [LENGTH, PROBABILITY, INDEPENDENT])
def test_each_kind_of_score_has_every_text_that_is_named_after_it(score: str, language: str) -> None:
    """Of Python f"compare.{shape.score}", of the scripts `compare.${own.score}`."""
    found = {
        prefix
        for path in (*(ROOT / "capsviz").rglob("*.py"), *SCRIPTS.rglob("*.js"))
        for prefix in re.findall(
            r"""say\(\s*f?["`]([\w.]+)\.\$?\{(?:\w+\.)*score\}["`]""", path.read_text("utf-8")
        )
    }
    found.discard("model.all")  # its words are lengths and probabilities, no kinds
    assert {"compare", "frame", "class.wall.scores", "draw.each.tip"} <= found
    with texts.speaking(language):
        assert [prefix for prefix in sorted(found) if not texts.knows(f"{prefix}.{score}")] == []
