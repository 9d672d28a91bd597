"""The menu of networks, and what a page says that its network cannot fill."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest
from test_pages import ROOT, shown

from capsviz.app import menu, session
from capsviz.errors import WeightsError
from capsviz.inputs.drawings import Drawing
from capsviz.models import weights
from capsviz.networks.base import DEFAULT, find, networks
from tests import untrained

NAMES = [DEFAULT, "attention.letters", "cnn.mnist", "cnn.decoder.mnist"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    (folder / DEFAULT).symlink_to(weights.DIRECTORY / DEFAULT)
    for name in NAMES[1:]:
        untrained.write(folder, name)
    return folder


@pytest.fixture
def folder(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights that a server has."""
    monkeypatch.setattr(weights, "DIRECTORY", kept)
    for name in NAMES[1:]:
        session._loaded.pop(name, None)
    return kept


def opened(page: str = "draw", network: str = DEFAULT) -> AppTest:
    """The app on a page, as a link opens it with a network."""
    app = AppTest.from_file(str(ROOT / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.query_params["network"] = network
    app.run()
    if page != "draw":
        app.switch_page(f"../../pages/{page}.py").run()
    assert not app.exception
    return app


def test_an_entry_says_what_a_network_is_and_what_its_card_says(folder: Path) -> None:
    entry = menu.entry(find("cnn.mnist"), answers=False)
    assert re.fullmatch(
        r"\*\*Plain CNN, digits\*\* No capsules.* \*90\.00% of test digits misread · 142,474 parameters\*",
        entry,
    )
    assert menu.entry(find("attention.letters"), answers=True).startswith("**:material/check: CapsNet")
    assert "26 letters" in menu.entry(find("attention.letters"), answers=False)
    for spec in networks().values():  # also of a kind of its own
        assert spec.title in menu.entry(spec, answers=False)
    assert "it draws from 16 numbers for each of 10 digits" in menu.entry(
        find("cnn.decoder.mnist"), answers=False
    )
    card = folder / "cnn.decoder.mnist" / "card.json"
    whole = card.read_text("utf-8")
    try:
        card.write_text(json.dumps(json.loads(whole) | {"test_error": 0.125}), "utf-8")
        assert "*12.50% of test digits misread · " in menu.entry(find("cnn.decoder.mnist"), answers=False)
        card.write_text(json.dumps(json.loads(whole) | {"test_error": 2}), "utf-8")
        assert menu.entry(find("cnn.decoder.mnist"), answers=False).endswith("*its card cannot be read*")
    finally:
        card.write_text(whole, "utf-8")


def test_a_title_is_no_markup() -> None:
    title = "*my* [own](https://x) :red[net] $x$ `y` <b> 1_2 \\"
    assert re.sub(r"\\(.)", r"\1", menu.plain(title)) == title
    assert not re.search(r"(?<!\\)(?:\\\\)*[*\[\]()`:$<>_]", menu.plain(title))


def test_the_menu_has_every_network_that_is_here_and_nothing_where_there_is_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened()
    first = app.get("menu_button")[0].proto
    assert first.label == f"*Network:* {find(DEFAULT).title}"
    titles = re.findall(r"\*\*(?::material/check: )?(.*?)\*\*", "\n".join(first.options))
    assert titles == [find(name).title for name in NAMES]
    monkeypatch.setattr(menu, "available", lambda: [DEFAULT])
    app.run()
    labels = [element.proto.label for element in app.get("menu_button")]
    assert not any(label.startswith("Network") for label in labels)


def test_the_list_of_languages_has_each_by_its_own_name_and_nothing_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = opened()
    found = next(element for element in app.get("menu_button") if "English" in element.proto.label)
    assert list(found.proto.options) == [":material/check: English", "Deutsch"]
    app.query_params["lang"] = "de"
    app.run()
    found = next(element for element in app.get("menu_button") if "Deutsch" in element.proto.label)
    assert list(found.proto.options) == ["English", ":material/check: Deutsch"]
    monkeypatch.setattr("capsviz.app.languages.languages", lambda: ("en",))
    app.run()
    assert not any("Deutsch" in element.proto.label for element in app.get("menu_button"))


def test_a_page_offers_the_networks_that_can_those_of_the_same_drawings_first(folder: Path) -> None:
    app = opened("pose", "cnn.mnist")
    assert 'data-testid="waiting">“Plain CNN, digits” has no poses to bend' in shown(app)
    offered = [button.key for button in app.button if (button.key or "").startswith("choose_")]
    assert offered == [f"choose_{name}" for name in (DEFAULT, "cnn.decoder.mnist", "attention.letters")]
    assert [link.proto.label for link in app.get("page_link")] == ["Draw shows what “Plain CNN, digits” has"]
    app.button(key="choose_cnn.decoder.mnist").click().run()
    assert 'data-testid="waiting">' not in shown(app)
    assert app.session_state[session.NETWORK_KEY] == "cnn.decoder.mnist"


def test_letters_are_asked_for_where_letters_are_read(folder: Path) -> None:
    app = opened(network="attention.letters")
    app.button(key="clear").click().run()
    assert "draw a letter, or choose a picture of one." in shown(app)
    app.session_state[session.NETWORK_KEY] = DEFAULT
    app.query_params["network"] = DEFAULT
    app.run()
    assert "draw a digit, or choose a picture of one." in shown(app)


def test_doors_lead_to_pages_that_show_something(folder: Path) -> None:
    def doors(app: AppTest) -> list[str]:
        return [link.proto.label for link in app.get("page_link")]

    last = ["Does it help?"]
    assert doors(opened()) == ["Why this digit?", "What its numbers mean", *last]
    assert doors(opened(network="cnn.mnist")) == last
    assert doors(opened(network="cnn.decoder.mnist")) == ["What its numbers mean", *last]


def test_what_is_seen_is_as_large_as_the_network_s_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of a drawing that a network of another size has seen before."""
    monkeypatch.setattr(session.st, "session_state", {})
    drawing = Drawing(example=0)
    monkeypatch.setattr(session.pad, "current", lambda: drawing)
    spec = find(DEFAULT)
    for size in (28, 32):
        shape = replace(spec.shape, size=size, grid=None, components=0, pose=0, routing="", trained=1)
        monkeypatch.setattr(
            session, "spec", lambda shape=shape: replace(spec, shape=shape, offers=frozenset())
        )
        image = session._seen().image
        assert image is not None
        assert image.shape == (size, size)
        assert session._seen().image is image  # made once


def test_of_several_networks_the_one_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.st, "session_state", {})
    for names, said in (
        ([DEFAULT], "The network on this server cannot be loaded"),
        ([DEFAULT, "cnn.mnist"], find(DEFAULT).title),
    ):
        monkeypatch.setattr(session, "available", lambda names=names: names)
        assert said in session.without_network(WeightsError("the file is gone"))


def test_the_iterations_of_training_are_those_of_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once they are loaded; until then, those of the network as it was published."""
    monkeypatch.setattr(session.st, "session_state", {})
    monkeypatch.delitem(session._loaded, DEFAULT, raising=False)
    assert session.trained() == 3
    monkeypatch.setitem(
        session._loaded, DEFAULT, SimpleNamespace(shape=replace(find(DEFAULT).shape, trained=5))
    )
    assert (session.trained(), session.iterations()) == (5, 5)
