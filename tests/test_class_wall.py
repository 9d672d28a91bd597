"""What a presenter sees of a class: other networks' answers, the page to take along, a phone that is sent away, addresses."""

import html.parser
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classes import ONE, SEVEN, Quick, Ticking, classroom, sent
from reference import assert_one_sentence
from sqlalchemy import update

from capsviz import texts
from capsviz.app import reach
from capsviz.classroom import comparing, handout
from capsviz.classroom.answers import Answers
from capsviz.classroom.ink import pen_of, svg_path
from capsviz.classroom.payloads import answered, tiled
from capsviz.classroom.records import Opened, Other, Phone, Rules, Standing
from capsviz.classroom.refusals import NotThere, Over
from capsviz.classroom.rooms import Classroom
from capsviz.classroom.schema import drawings
from capsviz.classroom.settings import Settings
from capsviz.errors import CapsvizError
from capsviz.inputs.drawings import Drawing, Stroke, stroke_of
from capsviz.networks.base import DEFAULT, find


class Sure(Quick):
    """Reads whatever it sees as one class, with a score."""

    def __init__(self, name: int, score: float) -> None:
        super().__init__()
        self.scores = np.full((1, 10), 0.01, np.float32)
        self.scores[0, name] = score

    def predict(self, images: np.ndarray) -> np.ndarray:
        self.asked += 1
        return self.scores.repeat(len(images), axis=0)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Classroom]:
    made = classroom(tmp_path)
    yield made
    made.close()


def joined(room: Classroom, opened: Opened) -> Phone:
    return room.phone(room.join(opened.code).token)


# --- other networks ---------------------------------------------------------------------------------------------


def test_other_networks_are_those_that_read_the_same_pictures_as_the_same_classes() -> None:
    found = comparing.others_of(DEFAULT)
    assert {"attention.mnist", "cnn.mnist"} <= set(found)
    assert not {DEFAULT, "attention.letters"} & set(found)
    assert len(found) <= 3
    assert comparing.others_of("attention.letters") == ()


def test_other_networks_are_asked_once_and_the_wall_is_told(tmp_path: Path) -> None:
    others = {"attention.mnist": Sure(1, 0.8), "cnn.mnist": Sure(7, 0.3)}

    def model_of(name: str) -> Any:
        if name == DEFAULT:
            return Quick()
        if name not in others:
            raise CapsvizError(f"no weights of {name}")
        return others[name]

    room = Classroom(Settings(tmp_path), model_of, Ticking())
    opened = room.open()
    presenter, phone = room.presenter(opened.secret), joined(room, opened)
    room.send(phone, sent(SEVEN))
    removed = room.send(phone, sent(SEVEN))
    presenter.place([removed.id], Standing.REMOVED)
    before = presenter.wall()
    assert (before.tiles[0].others, before.tiles[0].disputed) == (None, 0)
    assert (room.compare(), room.compare()) == (1, 0)
    assert [network.asked for network in others.values()] == [1, 1]
    (tile,) = presenter.wall(before.revision).tiles
    # The second one is below its limit of 0.5: it claims a 7 all the same, and so does not disagree.
    assert tile.others == (
        Other("attention.mnist", ("1",), "digit", pytest.approx(0.8)),
        Other("cnn.mnist", ("7",), "unsure", pytest.approx(0.3)),
    )
    assert tile.disputed == 1
    none = Other("cnn.mnist", ("7",), "no digit", 0.05)  # says that it is none, whatever it is nearest to
    assert replace(tile, others=(none, none)).disputed == 2
    assert replace(tile, verdict="no digit", others=(none, replace(none, reads=("3",)))).disputed == 0
    assert presenter.room().state == before.room.state  # phones are not told of it
    room.close()


def test_other_networks_are_asked_about_many_drawings_in_one_pass(tmp_path: Path) -> None:
    asked = []

    class Other(Quick):
        def predict(self, images: np.ndarray) -> np.ndarray:
            asked.append(len(images))
            return super().predict(images)

    room = Classroom(Settings(tmp_path), lambda name: Quick() if name == DEFAULT else Other(), Ticking())
    opened = room.open()
    ways = [SEVEN, ONE, ONE, SEVEN, ONE]
    for strokes in ways:
        room.send(joined(room, opened), sent(strokes))
    assert (room.compare(), room.compare()) == (5, 0)
    assert asked == [5, 5, 5]
    tiles = sorted(room.presenter(opened.secret).wall().tiles, key=lambda tile: tile.id)
    read = [[other.reads for other in tile.others or ()] for tile in tiles]
    assert read == [3 * [("7",)] if strokes is SEVEN else 3 * [("1",)] for strokes in ways]
    room.close()


def test_a_drawing_is_prepared_once_for_all_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = []
    image = Drawing.image

    def counting(drawing: Drawing, size: int, digits: int) -> np.ndarray:
        prepared.append((len(drawing.strokes), size, digits))
        return image(drawing, size, digits)

    monkeypatch.setattr(Drawing, "image", counting)
    monkeypatch.setattr("capsviz.classroom.answers.MOST_IMAGES", 2)
    room = classroom(tmp_path)
    opened = room.open()
    room.send(joined(room, opened), sent(SEVEN))
    room.compare()
    assert prepared == [(1, 28, 1)]
    # Another pen, another stroke, another size of picture: another picture; and no more are kept than may be.
    answers, (points, width) = room._answers, sent(SEVEN).drawing.strokes[0]
    for strokes in (((points, width - 2),), ((points, width), (points[:2] + 9, width)), ((points, width),)):
        answers.read_all(DEFAULT, [Drawing(tuple(Stroke(*stroke) for stroke in strokes))])
    assert len(prepared) == 4
    answers.read_all(DEFAULT, [Drawing((Stroke(points, width),))])
    assert len(prepared) == 4
    answers.read_all("overlap.mnist", [Drawing((Stroke(points, width),))])
    assert prepared[-1] == (1, 36, 2)
    room.close()


def test_what_a_network_cannot_make_out_the_others_are_answered_without(tmp_path: Path) -> None:
    answers = Answers(lambda name: Quick())
    drawn = [sent(strokes).drawing for strokes in (SEVEN, [[50.0, 50]], ONE)]  # the second is a dot
    assert [read and read.names for read in answers.read_all(DEFAULT, drawn)] == [("7",), None, ("1",)]
    assert answers.read_all(DEFAULT, drawn[1:2]) == [None]


# --- a network that tells two digits ------------------------------------------------------------------------------


class Both(Quick):
    """In place of a network that tells two digits in one image: what it reads is given."""

    shape = find("overlap.mnist").shape

    def __init__(self, scores: dict[int, float]) -> None:
        super().__init__()
        self.scores = scores

    def predict(self, images: np.ndarray) -> np.ndarray:
        found = np.full((len(images), 10), 0.05, np.float32)
        for place, score in self.scores.items():
            found[:, place] = score
        return found


def test_of_two_digits_both_are_told(tmp_path: Path) -> None:
    networks = {"overlap.mnist": Both({3: 0.8, 7: 0.9}), "cnn.overlap": Both({3: 0.9, 7: 0.8})}
    room = Classroom(Settings(tmp_path), networks.__getitem__, Ticking())
    opened = room.open("overlap.mnist")
    presenter, phone = room.presenter(opened.secret), joined(room, opened)
    said = [room.send(phone, sent(SEVEN, said)) for said in ("3", "7", "1")]
    # What was meant is there, if it is either of the two.
    assert [(tile.read, tile.reads, tile.fooled) for tile in said] == [
        ("7", ("7", "3"), False),
        ("7", ("7", "3"), False),
        ("7", ("7", "3"), True),
    ]
    assert answered(said[0])["reads"] == ("7", "3")
    room.compare()
    tiles = presenter.wall().tiles
    assert [tile.reads for tile in tiles] == 3 * [("7", "3")]
    # The other network reads the same two, the other one more surely: that is no dispute.
    other = Other("cnn.overlap", ("3", "7"), "digit", pytest.approx(0.9))
    assert [(tile.others, tile.disputed) for tile in tiles] == 3 * [((other,), 0)]
    networks["cnn.overlap"].scores = {3: 0.9}
    again = room.send(phone, sent(ONE))
    room.compare()
    assert [tile.disputed for tile in presenter.wall().tiles if tile.id == again.id] == [1]
    assert [line.split(",")[6] for line in presenter.table().splitlines()] == ["read", *4 * ["7 + 3"]]
    # In the table each drawing counts once, under what was meant if that is there; below it each digit that was read.
    page = presenter.page()
    rows = [re.findall(r"<td[^>]*>(\d+|·)</td>", row) for row in re.findall(r"<tr>.*?</tr>", page)[1:]]
    there = {
        (row, column): cell
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
        if cell not in "·0"
    }
    assert there == {(3, 3): "1", (7, 7): "1", (1, 7): "1", (10, 3): "4", (10, 7): "4"}
    assert page.count("<b>7 + 3</b>") == 4
    room.close()


def test_more_digits_than_can_be_there_are_unsure(tmp_path: Path) -> None:
    # As the app's card has it: three reach the limit of 0.5, and two are named.
    room = classroom(tmp_path, network=Both({2: 0.6, 3: 0.9, 7: 0.8}))
    opened = room.open("overlap.mnist")
    tile = room.send(joined(room, opened), sent(SEVEN))
    assert (tile.reads, tile.verdict) == (("3", "7"), "unsure")
    # Below the limit only the surest is named; and what an older server kept of other networks is read.
    alone = classroom(tmp_path / "alone", network=Both({3: 0.4, 7: 0.3}))
    opened = alone.open("overlap.mnist")
    assert alone.send(joined(alone, opened), sent(SEVEN)).reads == ("3",)
    with alone._store.writing() as connection:
        connection.execute(update(drawings).values(others='[["cnn.overlap", "3", "unsure", 0.4]]'))
    (tile,) = alone.presenter(opened.secret).wall().tiles
    assert tile.others == (Other("cnn.overlap", ("3",), "unsure", 0.4),)
    room.close()
    alone.close()


def test_a_drawing_of_a_network_that_is_gone_is_still_on_the_wall(tmp_path: Path) -> None:
    room = classroom(tmp_path)
    opened = room.open()
    room.send(joined(room, opened), sent(SEVEN))
    with room._store.writing() as connection:
        connection.execute(update(drawings).values(network="mine.gone"))
    assert [tile.reads for tile in room.presenter(opened.secret).wall().tiles] == [("7",)]
    room.close()


def test_a_drawing_that_is_removed_while_others_are_asked_stays_empty(tmp_path: Path) -> None:
    class Slow(Sure):
        def predict(self, images: np.ndarray) -> np.ndarray:
            presenter.clear()
            return super().predict(images)

    room = Classroom(Settings(tmp_path), lambda name: Quick() if name == DEFAULT else Slow(1, 0.9), Ticking())
    opened = room.open()
    presenter = room.presenter(opened.secret)
    room.send(joined(room, opened), sent())
    seen = presenter.wall().revision
    assert room.compare() == 1
    (tile,) = presenter.wall(seen).tiles
    assert (tile.standing, tile.others, tile.strokes) == (Standing.REMOVED, (), "")
    room.close()


def test_whoever_waits_for_an_answer_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "PATIENCE", 60.0)
    asked = threading.Event()

    class Other(Sure):
        def predict(self, images: np.ndarray) -> np.ndarray:
            asked.set()
            return super().predict(images)

    room = Classroom(
        Settings(tmp_path), lambda name: Quick() if name == DEFAULT else Other(1, 0.9), Ticking()
    )
    room.send(joined(room, room.open()), sent())
    with room._comparing.answering():
        thread = threading.Thread(target=room.compare)
        thread.start()
        assert not asked.wait(0.3)
    thread.join(30)
    assert asked.is_set()
    room.close()


def test_where_phones_send_without_a_pause_others_are_asked_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "PATIENCE", 0.1)
    room = Classroom(Settings(tmp_path), lambda name: Quick() if name == DEFAULT else Sure(1, 0.9), Ticking())
    room.send(joined(room, room.open()), sent())
    with room._comparing.answering():
        assert room.compare() == 1
    room.close()


# --- a phone that is sent away ----------------------------------------------------------------------------------


def test_a_phone_that_is_sent_away_leaves_nothing_and_sends_nothing_more(room: Classroom) -> None:
    opened = room.open()
    presenter = room.presenter(opened.secret)
    token = room.join(opened.code)
    one, two = room.phone(token.token), joined(room, opened)
    for phone in (one, one, two):
        room.send(phone, sent())
    presenter.ask("Which?", ["1", "7"])
    assert presenter.dismiss(token.nickname) == 2
    (left,) = presenter.wall().tiles
    assert left.phone != token.nickname
    for act in (lambda: room.send(one, sent()), lambda: room.vote(one, 1, 0)):
        with pytest.raises(Over) as caught:
            act()
        assert_one_sentence(caught.value, "this phone")
    told, others = room.told(one)[1], room.told(two)[1]
    assert (told["dismissed"], others["dismissed"]) == (True, False)
    assert room.everybody(one.room)[1][one.id]["dismissed"]
    room.send(two, sent())
    assert room.vote(two, 1, 0) == 0
    with pytest.raises(NotThere):
        presenter.dismiss("Nobody Here")
    other = room.presenter(room.open().secret)
    with pytest.raises(NotThere):  # of another class
        other.dismiss(left.phone)


# --- a drawing as a path ----------------------------------------------------------------------------------------


def test_a_drawing_is_a_path_of_its_points(room: Classroom) -> None:
    dot = Drawing((stroke_of(np.array([[5.0, 7.5]]), 20), stroke_of(np.array([[0.0, 0], [10, 0]]), 20)))
    assert (svg_path(dot), pen_of(dot)) == ("M5 7.5L5 7.5M0 0L10 0", 20)
    assert (svg_path(Drawing()), pen_of(Drawing())) == ("", 0)
    tile = room.send(joined(room, room.open()), sent(SEVEN))
    assert (tiled(tile)["path"], tiled(tile)["width"]) == ("M60 60L200 60 130 230", 18)


# --- the page to take along -------------------------------------------------------------------------------------


class Elements(html.parser.HTMLParser):
    """What a page consists of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] in ("td", "th"):
            self.cells.append(data)


def test_the_page_has_what_is_on_the_wall_and_nothing_else(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = room.open(rules=Rules(guess_first=True))
    presenter, phone = room.presenter(opened.secret), joined(room, opened)
    drawn = [(SEVEN, "7"), (SEVEN, "1"), (ONE, "1"), (ONE, "1"), (ONE, ""), (SEVEN, "7"), (ONE, "1")]
    tiles = [room.send(phone, sent(strokes, said)) for strokes, said in drawn[:6]]
    for tile in tiles:
        room.guess(phone, tile.mark, "")
    presenter.place([tiles[5].id], Standing.HIDDEN)
    room.send(joined(room, opened), sent(*drawn[6]))  # whose phone has still to guess
    presenter.set_task("Draw <script>alert(1)</script>")
    presenter.ask('<img src="//elsewhere.test">?', ["<b>", "&"], truth=0)
    room.vote(phone, 1, 1)
    page = presenter.page()
    found = Elements(page)
    assert found.tags.count("figure") == 5
    assert not {"script", "link", "iframe", "b>", "a"} & set(found.tags)
    assert all(address.startswith("data:image/png;base64,") for address in found.addresses)
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;: 0 ✓ right" in page
    assert "&amp;: 1" in page
    # Of what was shown and said: one 7 and one 1 read as 7, two ones read as 1; the fifth said nothing.
    rows = [found.cells[at : at + 12] for at in range(0, len(found.cells), 12)]
    empty = ["·"] * 11
    assert rows[2] == ["1", "·", "2", *["·"] * 5, "1", "·", "·", "·"]
    assert rows[8] == ["7", *["·"] * 7, "1", "·", "·", "·"]
    assert [row[1:] for row in rows[1:11] if row[0] not in "17"] == [empty] * 8
    assert rows[11] == ["all read", "0", "3", *["0"] * 5, "2", "0", "0", "0"]
    assert "Of 4 drawings of which it was said what they are, 3 were read so: 75%." in page
    assert page.count("class=fooled") == 1
    monkeypatch.setattr(handout, "MOST", 2)
    short = presenter.page()
    assert Elements(short).tags.count("figure") == 2
    assert "The first 2 of 5 are shown." in short


def test_the_page_speaks_the_presenter_s_language(room: Classroom) -> None:
    opened = room.open()
    room.send(joined(room, opened), sent(SEVEN))
    texts.speak("de")
    try:
        page = room.presenter(opened.secret).page()
    finally:
        texts.speak("")
    assert '<html lang="de">' in page
    assert f"Klasse {opened.code}" in page
    assert re.search(r"</b> 0,90<", page)


# --- addresses ----------------------------------------------------------------------------------------------------

HOME, HOTSPOT, CONTAINER, PUBLIC = "192.168.0.7", "10.42.0.1", "172.17.0.1", "131.130.1.11"


@pytest.mark.parametrize(
    ("fixed", "opened_at", "bound", "own", "prefix", "expected"),
    [
        # What is set is all there is.
        ("https://class.example/x", "http://localhost:8501/class", None, [HOME], "", ["https://class.example/x"]),
        # The machine's own, those that phones are likelier to reach first; never what every machine calls itself.
        (
            "",
            "http://localhost:8501/class",
            None,
            ["127.0.1.1", PUBLIC, CONTAINER, HOME, HOTSPOT],
            "",
            [f"http://{host}:8501" for host in (HOME, HOTSPOT, CONTAINER, PUBLIC)],
        ),
        # By which the presenter came goes before them.
        ("", f"http://{HOTSPOT}:8501/class?x=1", "", [HOME, HOTSPOT], "", [f"http://{HOTSPOT}:8501", f"http://{HOME}:8501"]),
        ("", "https://capsviz.example/p/class", "0.0.0.0", [HOME], "p", ["https://capsviz.example/p", f"http://{HOME}:8501/p"]),
        # A server that listens on one address has no other.
        ("", "http://localhost:8501/class", HOME, [HOTSPOT], "", [f"http://{HOME}:8501"]),
        ("", "http://localhost:8501/class", "127.0.0.1", [HOME], "", ["http://localhost:8501"]),
        # In no network: this machine's own.
        ("", "http://127.0.0.1:8501/class", None, ["127.0.0.1"], "", ["http://127.0.0.1:8501"]),
        ("", "", None, [], "p", ["http://127.0.0.1:8501/p"]),
        ("", "http://[::1]:8501/class", "::", ["fd00::7"], "", ["http://[fd00::7]:8501"]),
    ],
)  # fmt: skip
def test_addresses_are_offered_the_likeliest_first(
    fixed: str, opened_at: str, bound: str | None, own: list[str], prefix: str, expected: list[str]
) -> None:
    assert reach.offered(fixed, opened_at, bound, own, "http://{host}:8501", prefix) == expected


def test_the_machine_s_own_addresses_are_addresses() -> None:
    assert all(re.fullmatch(r"[0-9.]+", address) for address in reach.own_addresses())
    assert (reach.is_local("http://localhost:1/c"), reach.is_local("http://127.3.0.1/c")) == (True, True)
    assert (reach.is_local(f"http://{HOME}/c"), reach.is_local("https://local.example/c")) == (False, False)
