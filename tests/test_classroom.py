"""A class from its opening to its end: what is accepted is kept, once; what is refused says why."""

import csv
import io
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from classes import DIGITS, ONE, SEVEN, Quick, Ticking, classroom, mark, sent
from postgres import database
from reference import assert_one_sentence
from sqlalchemy import create_engine, inspect, update
from sqlalchemy import text as sql

from capsviz.classroom import limits, names, schema
from capsviz.classroom.limits import Buckets, Clock
from capsviz.classroom.names import SIGNS, Tokens, new_code, new_nickname, plain_code
from capsviz.classroom.records import Opened, Phone, Rules, Standing
from capsviz.classroom.refusals import Busy, NotAllowed, NotThere, Over, TooOften, Waits
from capsviz.classroom.rooms import Classroom
from capsviz.classroom.schema import rooms
from capsviz.classroom.settings import Settings, data_folder, from_environment
from capsviz.errors import CapsvizError, ImageError, MessageError
from capsviz.inputs.drawings import encode
from capsviz.inputs.recorded import read_strokes
from capsviz.models.model import Model
from capsviz.texts import languages

OLD = Path(__file__).with_name("class_v1.sql")
DAY = 24 * 3600


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def room(tmp_path: Path, clock: Ticking) -> Iterator[Classroom]:
    made = classroom(tmp_path, clock)
    yield made
    made.close()


def joined(room: Classroom, opened: Opened) -> Phone:
    return room.phone(room.join(opened.code).token)


# --- drawings --------------------------------------------------------------------------------------------


def test_a_drawing_is_read_as_the_library_reads_it(tmp_path: Path, model: Model) -> None:
    room = classroom(tmp_path, network=model)
    opened = room.open()
    tile = room.send(joined(room, opened), sent(SEVEN, said="1"))
    image = tile.drawing.image()
    lengths = model.trace(image).lengths[-1]
    assert tile.scores == pytest.approx(lengths, abs=1e-6)
    assert (tile.read, tile.verdict, tile.fooled) == (str(lengths.argmax()), "digit", True)
    assert (tile.seen == np.rint(255 * image)).all()
    # Half a pixel of the pad is the grid: a line's own points stay where they were.
    assert (tile.drawing.strokes[0].points == 2 * np.array(SEVEN[0]).reshape(-1, 2)).all()
    room.close()


def test_a_drawing_that_is_sent_twice_is_there_once_with_the_first_answer(tmp_path: Path) -> None:
    network = Quick()
    room = classroom(tmp_path, network=network)
    opened = room.open()
    one, other = joined(room, opened), joined(room, opened)
    name = mark()
    first = room.send(one, sent(SEVEN, name=name))
    again = room.send(one, sent(ONE, name=name))
    assert (again.id, again.read, again.strokes, network.asked) == (first.id, "7", first.strokes, 1)
    assert room.send(other, sent(ONE, name=name)).read == "1"  # marks are each phone's own
    assert len(room.presenter(opened.secret).wall().tiles) == 2
    room.close()


def test_what_a_phone_is_answered_is_what_is_kept(room: Classroom) -> None:
    opened = room.open(rules=Rules(let_through=True, guess_first=True))
    room.presenter(opened.secret).set_task("a 1")
    answer = room.send(joined(room, opened), sent(SEVEN, "1"))
    (kept,) = room.presenter(opened.secret).wall().tiles
    assert (kept.standing, kept.covered, kept.task, kept.said) == (Standing.WAITING, True, 1, "1")
    for name, value in vars(kept).items():
        np.testing.assert_array_equal(getattr(answer, name), value, err_msg=name)


def test_what_is_refused_counts_as_no_change(tmp_path: Path) -> None:
    class Ending(Quick):
        def predict(self, images: np.ndarray) -> np.ndarray:
            change()
            return super().predict(images)

    room = classroom(tmp_path, network=Ending())
    opened = room.open()
    presenter = room.presenter(opened.secret)
    guests = [room.join(opened.code) for _ in range(2)]
    first, second = (room.phone(guest.token) for guest in guests)
    # Sent away, ended, gone while the network computes.
    for change, phone in (
        (lambda: presenter.dismiss(guests[0].nickname), first),
        (presenter.close, second),
        (presenter.delete, second),
    ):
        if change == presenter.delete:
            with room._store.writing() as connection:
                connection.execute(update(rooms).values(closed=False))
        revision = presenter.room().revision
        with pytest.raises(Over):
            room.send(phone, sent())
        if change != presenter.delete:
            wall = presenter.wall()
            assert wall.tiles == ()
            assert wall.revision - revision <= 2  # of the presenter's own change
    room.close()


def test_two_requests_with_the_same_drawing_at_once_are_one(tmp_path: Path) -> None:
    class Meeting(Quick):
        """Lets nobody on until both are here."""

        barrier = threading.Barrier(2)

        def predict(self, images: np.ndarray) -> np.ndarray:
            self.barrier.wait(timeout=20)
            return super().predict(images)

    room = classroom(tmp_path, network=Meeting())
    opened = room.open()
    phone, drawing = joined(room, opened), sent()
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(room.send(phone, drawing).id)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(set(found)) == 1
    room.close()


def test_what_is_no_drawing_is_refused_and_not_kept(room: Classroom) -> None:
    opened = room.open()
    phone = joined(room, opened)
    with pytest.raises(ImageError) as caught:
        room.send(phone, sent([[140.0, 140]]))
    assert_one_sentence(caught.value, "dot")
    assert room.presenter(opened.secret).wall().tiles == ()


def test_a_phone_sends_no_more_than_a_class_takes(
    room: Classroom, clock: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capsviz.classroom.sending.MOST_DRAWINGS", 4)
    opened = room.open()
    phone = joined(room, opened)
    for _ in range(4):
        room.send(phone, sent())
    with pytest.raises(TooOften) as caught:
        room.send(phone, sent())
    assert_one_sentence(caught.value, "4")
    assert caught.value.retry is None
    assert room.send(joined(room, opened), sent()).read == "7"  # another phone may


def test_a_phone_that_sends_a_thousand_at_once_waits(room: Classroom) -> None:
    opened = room.open()
    phone = joined(room, opened)
    waits: list[float] = []
    for _ in range(1000):
        try:
            room.send(phone, sent())
        except TooOften as error:
            waits.append(error.retry or 0)
    kept = len(room.presenter(opened.secret).wall().tiles)
    assert (kept + len(waits), kept < 30) == (1000, True)
    assert all(0 < wait <= 2 for wait in waits)


# --- phones ------------------------------------------------------------------------------------------------


def test_codes_are_read_as_people_type_them(room: Classroom) -> None:
    opened = room.open()
    for text in (opened.code, opened.code.lower(), f" {opened.code[:3]} {opened.code[3:]}", f"{opened.code[:2]}-{opened.code[2:]}"):  # fmt: skip
        assert room.phone(room.join(text).token).room
    assert len({new_code() for _ in range(200)}) > 195
    assert set("".join(new_code() for _ in range(200))) == set(SIGNS)
    assert not set(SIGNS) & set("AEIOU01258BGILOQSVZ6UYD")
    assert [plain_code(text) for text in ("", "FFF", "F" * 7, "O" * 6, "F" * 100, "<b>FFF")] == [None] * 6


def test_a_flood_of_wrong_codes_is_held_up_for_a_while(room: Classroom) -> None:
    opened = room.open()
    codes = ("".join(signs) for signs in itertools.product(SIGNS, repeat=6))
    wrong, waits = 0, []
    for code in itertools.islice(codes, 500):
        try:
            room.join(code, "attacker")
        except NotThere:
            wrong += 1
        except TooOften as error:
            waits.append(error.retry)
    assert (wrong, wrong + len(waits), all(waits)) == (40, 500, True)
    with pytest.raises(TooOften):  # nor does the right one tell itself apart then
        room.join(opened.code, "attacker")
    assert room.join(opened.code, "somebody else").nickname
    # From many places at once.
    for place in range(400):
        with pytest.raises((NotThere, TooOften)):
            room.join("F" * 6, place)
    with pytest.raises(TooOften) as caught:
        room.join("F" * 6, "one more")
    assert_one_sentence(caught.value, "codes")


@pytest.mark.parametrize("language", languages())
def test_nicknames_are_two_words_and_nobody_s_twice(language: str) -> None:
    taken: set[str] = set()
    for _ in range(500):
        name = new_nickname(language, taken)
        assert len(name.split()) == 2
        assert name not in taken
        taken.add(name)
    assert limits.MOST_PHONES <= 65 * 65 // 2  # so that drawing by lot finds a free one


def test_a_class_takes_a_thousand_phones_and_not_any_number(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limits.MOST_PHONES >= 1000
    monkeypatch.setattr("capsviz.classroom.rooms.MOST_PHONES", 30)
    opened = room.open(language="de")
    nicknames = {room.join(opened.code).nickname for _ in range(30)}
    assert len(nicknames) == 30
    with pytest.raises(TooOften):
        room.join(opened.code)


def test_tokens_are_this_server_s_and_of_one_phone(room: Classroom, tmp_path: Path) -> None:
    opened = room.open()
    token = room.join(opened.code).token
    phone = room.phone(token)
    forged = Tokens("another key").token(phone.room, phone.id)
    for wrong in (forged, "", token[:-1], token + "A", "x" * 10_000, opened.secret):
        with pytest.raises(NotAllowed) as caught:
            room.phone(wrong)
        assert_one_sentence(caught.value, "join")
    with pytest.raises(Over):  # signed, but of no phone that there is
        room.send(Phone(phone.room, phone.id + 1), sent())
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "classes.sqlite").stat().st_mode & 0o077 == 0


def test_nothing_personal_is_kept(room: Classroom) -> None:
    columns = {column.name for table in schema.tables.sorted_tables for column in table.columns}
    assert not columns & {"address", "ip", "agent", "user_agent", "name", "email"}
    assert {column.name for column in schema.phones.columns} == {"id", "room", "nickname", "dismissed"}


# --- a restart, a day, a clock ------------------------------------------------------------------------------


def test_a_restart_keeps_phones_drawings_and_rights(tmp_path: Path, clock: Ticking) -> None:
    before = classroom(tmp_path, clock)
    opened = before.open()
    given = before.join(opened.code)
    drawing = sent(SEVEN, said="7")
    first = before.send(before.phone(given.token), drawing)
    before.presenter(opened.secret).set_task("Draw a 4")
    before.close()
    after = classroom(tmp_path, clock)
    phone = after.phone(given.token)
    told, own = after.told(phone)
    assert (own["nickname"], told.task and told.task.text) == (given.nickname, "Draw a 4")
    assert own["last"] == {"mark": drawing.mark, "standing": "shown"}
    assert after.send(phone, drawing).id == first.id
    (tile,) = after.presenter(opened.secret).wall().tiles
    assert (tile.strokes, tile.scores.tolist()) == (first.strokes, first.scores.tolist())
    after.close()


def test_a_server_that_is_killed_has_lost_nothing_that_it_accepted(tmp_path: Path) -> None:
    """It says a mark as soon as the drawing is accepted, and goes on; killed at any moment, all that it said are there."""
    program = """
import sys
from pathlib import Path
from classes import classroom, sent
from capsviz.classroom import rooms
rooms.Buckets.take = lambda self, key: 0
room = classroom(Path(sys.argv[1]))
opened = room.open()
phone = room.phone(room.join(opened.code).token)
print(opened.secret, flush=True)
while True:
    print(room.send(phone, sent()).mark, flush=True)
"""
    tests = Path(__file__).parent
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"},
    )
    assert process.stdout is not None
    secret, *said = (process.stdout.readline().strip() for _ in range(8))
    process.send_signal(signal.SIGKILL)
    said += process.stdout.read().split()
    process.wait()
    process.stdout.close()
    room = classroom(tmp_path)
    kept = [tile.mark for tile in room.presenter(secret).wall(most=1000).tiles]
    assert len(set(kept)) == len(kept)
    assert set(said) <= set(kept)
    assert len(kept) <= len(said) + 1  # one may have been kept and not yet said
    room.close()


def test_a_class_ends_after_its_day_and_is_removed_for_good(
    room: Classroom, clock: Ticking, tmp_path: Path
) -> None:
    opened = room.open()
    phone = joined(room, opened)
    strokes = room.send(phone, sent()).strokes
    clock.now += DAY - 1
    assert room.sweep() == 0
    room.presenter(opened.secret)
    clock.now += 1
    for refused in (lambda: room.send(phone, sent()), lambda: room.told(phone), lambda: room.room(phone)):
        with pytest.raises(Over):
            refused()
    with pytest.raises(NotAllowed):
        room.presenter(opened.secret)
    with pytest.raises(NotThere):
        room.join(opened.code)
    assert room.glance(phone.room).over
    assert strokes.encode() in content(tmp_path)
    assert (room.sweep(), room.sweep()) == (1, 0)
    assert strokes.encode() not in content(tmp_path)
    assert opened.code.encode() not in content(tmp_path)


def content(folder: Path) -> bytes:
    """All that lies in a database's files."""
    return b"".join(path.read_bytes() for path in folder.glob("classes.sqlite*"))


def test_a_clock_that_is_set_ends_no_class() -> None:
    wall, steady = [5_000_000.0], [10.0]
    clock = Clock(lambda: wall[0], lambda: steady[0])
    assert clock() == 5_000_000
    wall[0] += 30 * DAY
    steady[0] += 60
    assert clock() == 5_000_060
    wall[0] -= 60 * DAY
    assert clock() == 5_000_060


def test_a_bucket_fills_again_and_as_many_are_kept_as_are_allowed() -> None:
    now = [0.0]
    buckets = Buckets(2, 0.5, lambda: now[0], keys=3)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 2]
    now[0] = 1.5
    assert buckets.wait("a") == pytest.approx(0.5)
    now[0] = 2
    assert [buckets.take("a"), buckets.take("a")] == [0, 2]
    now[0] = 100
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 2]
    for key in "bcde":
        buckets.take(key)
    assert len(buckets._left) == 3


def test_there_are_not_any_number_of_classes(
    room: Classroom, clock: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capsviz.classroom.rooms.MOST_ROOMS", 3)
    opened = [room.open() for _ in range(3)]
    assert len({one.code for one in opened}) == len({one.secret for one in opened}) == 3
    with pytest.raises(TooOften):
        room.open()
    clock.now += DAY  # all are over: they make room
    room.open()


# --- the presenter ------------------------------------------------------------------------------------------


def test_two_classes_know_nothing_of_each_other(room: Classroom) -> None:
    first, second = room.open(), room.open()
    one, two = joined(room, first), joined(room, second)
    tile = room.send(one, sent())
    here, there = room.presenter(first.secret), room.presenter(second.secret)
    there.set_task("Another")
    there.rule(paused=True)
    assert there.place([tile.id], Standing.REMOVED) == 0
    assert there.clear() == 0
    assert there.wall().tiles == ()
    there.delete()
    assert [tile.standing for tile in here.wall().tiles] == [Standing.SHOWN]
    assert here.room().task is None
    with pytest.raises(Over):
        room.told(two)
    with pytest.raises(Over):
        there.room()


def test_the_wall_is_told_of_each_change_once(room: Classroom) -> None:
    opened = room.open(rules=Rules(let_through=True))
    presenter = room.presenter(opened.secret)
    phones = [joined(room, opened) for _ in range(3)]
    ids = [room.send(phone, sent()).id for phone in phones]
    wall = presenter.wall()
    assert [(tile.id, tile.standing) for tile in wall.tiles] == [(one, "waiting") for one in ids]
    assert presenter.wall(wall.revision).tiles == ()
    presenter.place(ids[:1], Standing.SHOWN)
    wall = presenter.wall(wall.revision)
    assert [(tile.id, tile.standing) for tile in wall.tiles] == [(ids[0], "shown")]
    assert presenter.let_all_through() == 2
    wall = presenter.wall(wall.revision)
    assert {tile.id for tile in wall.tiles} == set(ids[1:])
    presenter.place(ids[1:2], Standing.REMOVED)
    wall = presenter.wall(wall.revision)
    (gone,) = wall.tiles
    assert (gone.id, gone.standing, gone.strokes, len(gone.scores)) == (ids[1], "removed", "", 0)
    assert gone.drawing.blank
    assert presenter.place(ids[1:2], Standing.SHOWN) == 0  # for good
    assert {tile.id for tile in presenter.wall().tiles} == {ids[0], ids[2]}
    assert room.told(phones[1])[1]["last"]["standing"] == "removed"


def test_a_wall_comes_in_parts_that_leave_nothing_out(room: Classroom) -> None:
    opened = room.open(rules=Rules(let_through=True))
    presenter = room.presenter(opened.secret)
    for _ in range(5):
        phone = joined(room, opened)
        room.send(phone, sent())
        room.send(phone, sent())
    presenter.place([1, 2, 3, 4], Standing.SHOWN)  # all in one revision, and more than a part
    seen: list[int] = []
    since, more = 0, True
    while more:
        wall = presenter.wall(since, most=3)
        seen += [tile.id for tile in wall.tiles]
        assert wall.revision > since
        since, more = wall.revision, wall.more
    assert sorted(seen) == list(range(1, 11))


def test_while_it_pauses_or_after_its_end_nothing_is_taken(room: Classroom) -> None:
    opened = room.open()
    phone, presenter = joined(room, opened), room.presenter(opened.secret)
    kept = sent()
    room.send(phone, kept)
    presenter.rule(paused=True)
    with pytest.raises(Waits) as caught:
        room.send(phone, sent())
    assert caught.value.retry
    assert room.send(phone, kept).read == "7"  # which was accepted before
    presenter.rule(paused=False)
    room.send(phone, sent())
    presenter.close()
    for refused in (lambda: room.send(phone, sent()), lambda: room.join(opened.code)):
        with pytest.raises(Over):
            refused()
    assert len(presenter.wall().tiles) == 2  # for as long as its day lasts


def test_a_class_that_pauses_while_a_drawing_is_read_takes_it_no_more(tmp_path: Path) -> None:
    class Slow(Quick):
        def predict(self, images: np.ndarray) -> np.ndarray:
            presenter.rule(paused=True)
            return super().predict(images)

    room = classroom(tmp_path, network=Slow())
    opened = room.open()
    presenter = room.presenter(opened.secret)
    with pytest.raises(Waits):
        room.send(joined(room, opened), sent())
    assert presenter.wall().tiles == ()
    room.close()


def test_a_guess_comes_before_the_answer_and_the_first_one_counts(room: Classroom) -> None:
    opened = room.open(rules=Rules(guess_first=True))
    phone = joined(room, opened)
    drawing = sent()
    assert room.send(phone, drawing).covered
    with pytest.raises(MessageError) as caught:
        room.guess(phone, drawing.mark, "12")
    assert_one_sentence(caught.value, "12")
    assert room.send(phone, drawing).covered
    assert not room.guess(phone, drawing.mark, "3").covered
    assert room.guess(phone, drawing.mark, "7").guess == "3"
    with pytest.raises(NotThere):
        room.guess(joined(room, opened), drawing.mark, "7")


def test_a_task_is_one_line_of_known_classes(room: Classroom) -> None:
    opened = room.open()
    presenter, phone = room.presenter(opened.secret), joined(room, opened)
    presenter.set_task("  Draw\na <b>7</b>\u202e\x00 ", "7", "1")
    task = room.told(phone)[0].task
    assert task is not None
    assert (task.number, task.text, task.drawn, task.read) == (1, "Draw a <b>7</b>", "7", "1")
    assert room.send(phone, sent()).task == 1
    for text, drawn in (("x" * 201, ""), ("x", "12"), ("x", "<script>")):
        with pytest.raises(MessageError) as caught:
            presenter.set_task(text, drawn)
        assert_one_sentence(caught.value, "200" if not drawn else "choose")
    assert presenter.set_task("") is None
    assert room.told(phone)[0].task is None
    assert [task.text for task in presenter.tasks()] == ["Draw a <b>7</b>"]


def test_a_poll_counts_each_phone_once_and_tells_when_it_is_told_to(room: Classroom) -> None:
    opened = room.open()
    presenter = room.presenter(opened.secret)
    one, two = joined(room, opened), joined(room, opened)
    presenter.ask("Which wins?", ["1", "7"], truth=1)
    assert [room.vote(one, 1, 0), room.vote(one, 1, 1), room.vote(two, 1, 1)] == [0, 1, 1]
    poll = presenter.room().poll
    assert poll is not None
    assert poll.tally == (0, 2)
    assert room.told(one)[1]["vote"] == 1
    for choice in (2, -1, "1", None, True, 10**30):
        with pytest.raises(MessageError):
            room.vote(one, 1, choice)
    with pytest.raises(Waits):
        room.vote(one, 2, 0)
    presenter.end_poll(told=True)
    with pytest.raises(Waits):
        room.vote(one, 1, 0)
    poll = room.told(one)[0].poll
    assert poll is not None
    assert (poll.told, poll.open, poll.tally, poll.truth) == (True, False, (0, 2), 1)
    presenter.ask("And now?", ["yes", "no"])
    assert room.told(one)[1]["vote"] is None
    presenter.drop_poll()
    assert room.told(one)[0].poll is None
    for choices in ([], ["a"], ["a", "a"], ["a", ""], ["x" * 61, "b"], [str(n) for n in range(13)], "ab"):
        with pytest.raises(MessageError):
            presenter.ask("?", choices)


def test_what_is_taken_along_can_be_read_again(room: Classroom, tmp_path: Path) -> None:
    opened = room.open()
    phone, presenter = joined(room, opened), room.presenter(opened.secret)
    presenter.set_task("=HYPERLINK(1)", "7")
    drawn = room.send(phone, sent(SEVEN, said="7"))
    room.send(phone, sent(ONE))
    removed = room.send(phone, sent(ONE, said="1"))
    presenter.place([removed.id], Standing.REMOVED)
    path = tmp_path / "strokes.jsonl"
    path.write_text(presenter.strokes_file(), "utf-8")
    (read,) = read_strokes(path)  # of the one of which somebody said what it is
    assert read.label == 7
    assert json.loads(path.read_text("utf-8"))["strokes"] == [[[60, 60], [200, 60], [130, 230]]]
    lines = list(csv.DictReader(io.StringIO(presenter.table())))
    assert [(line["said"], line["read"], line["verdict"], line["standing"]) for line in lines] == [
        ("7", "7", "digit", "shown"),
        ("", "1", "digit", "shown"),
    ]
    assert lines[0]["sent"] == "1970-01-12T13:46:40.000+00:00"
    assert lines[0]["task"] == "'=HYPERLINK(1)"
    assert [float(lines[0][f"score {name}"]) for name in DIGITS] == pytest.approx(drawn.scores.tolist())
    assert lines[0]["strokes"].lstrip("'") == encode(drawn.drawing)


# --- the database ---------------------------------------------------------------------------------------------


def test_a_locked_database_is_waited_for_and_then_refused_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capsviz.classroom.store.PATIENCE", 0.05)
    room = classroom(tmp_path)
    opened = room.open()
    phone, drawing = joined(room, opened), sent()
    other = sqlite3.connect(tmp_path / "classes.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy) as caught:
        room.send(phone, drawing)
    assert_one_sentence(caught.value, "sent again by itself")
    assert caught.value.retry
    assert room.presenter(opened.secret).wall().tiles == ()  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    assert room.send(phone, drawing).read == "7"
    room.close()


def test_a_full_disk_is_said_and_nothing_is_half_kept(tmp_path: Path) -> None:
    room = classroom(tmp_path)
    opened = room.open()
    phone = joined(room, opened)
    room.send(phone, sent())
    with room._store._engine.connect() as connection:  # as many pages as there are, and no more
        (pages,) = connection.exec_driver_sql("PRAGMA page_count").one()
    held = [room._store._engine.connect() for _ in range(8)]
    for connection in held:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        connection.close()
    refused = None
    room._sending._pace = Buckets(1000, 1)
    for _ in range(200):
        try:
            room.send(phone, sent())
        except Busy as error:
            refused = error
            break
    assert isinstance(refused, Busy)
    presenter = room.presenter(opened.secret)
    before = [tile.mark for tile in presenter.wall(most=1000).tiles]
    room.close()
    room = classroom(tmp_path)  # there is room again
    assert [tile.mark for tile in room.presenter(opened.secret).wall(most=1000).tiles] == before
    assert room.send(phone, sent()).read == "7"
    room.close()


@pytest.mark.parametrize("loss", ["deleted", "replaced"])
def test_a_lost_database_takes_nothing_that_would_be_lost_with_it(tmp_path: Path, loss: str) -> None:
    room = classroom(tmp_path)
    opened = room.open()
    phone = joined(room, opened)
    file = tmp_path / "classes.sqlite"
    if loss == "replaced":
        shutil.copy(file, tmp_path / "copy")
    file.unlink()
    if loss == "replaced":
        (tmp_path / "copy").rename(file)
    with pytest.raises(Busy) as caught:
        room.send(phone, sent())
    assert_one_sentence(caught.value, "start it again")
    room.close()


def test_a_database_or_a_key_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "classes.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(CapsvizError) as caught:
        classroom(tmp_path)
    assert_one_sentence(caught.value, "classes.sqlite", "CAPSVIZ_DATABASE")
    (tmp_path / "classes.sqlite").unlink()
    (tmp_path / "key").write_text("short")
    with pytest.raises(CapsvizError) as caught:
        classroom(tmp_path)
    assert_one_sentence(caught.value, "key", "delete it")
    for url in ("nonsense", "nosuch://host/name"):
        with pytest.raises(CapsvizError) as caught:
            classroom(tmp_path, database=url, key="k" * 40)
        assert_one_sentence(caught.value, "CAPSVIZ_DATABASE")
    with pytest.raises(CapsvizError) as caught:
        classroom(tmp_path, database="postgresql+psycopg://someone:secret@127.0.0.1:1/x", key="k" * 40)
    assert "secret" not in str(caught.value)


def test_an_older_database_is_taken_along_and_a_later_one_left_alone(tmp_path: Path, clock: Ticking) -> None:
    old = sqlite3.connect(tmp_path / "classes.sqlite")
    old.executescript(OLD.read_text("utf-8"))
    old.close()
    room = classroom(tmp_path, clock)
    presenter = room.presenter("the secret of version 1")
    (tile,) = presenter.wall().tiles
    assert (tile.phone, tile.read, tile.guess, tile.covered) == ("Brave Otter", "7", "", False)
    assert not tile.drawing.blank
    presenter.ask("New?", ["yes", "no"])
    assert room.vote(joined(room, Opened("FFFHHH", "", 0)), 1, 0) == 0
    room.close()
    classroom(tmp_path / "new", clock).close()
    made = [columns(folder / "classes.sqlite") for folder in (tmp_path, tmp_path / "new")]
    assert made[0] == made[1]
    later = sqlite3.connect(tmp_path / "classes.sqlite")
    later.execute("UPDATE schema_version SET version = 99")
    later.commit()
    later.close()
    with pytest.raises(CapsvizError) as caught:
        classroom(tmp_path, clock)
    assert_one_sentence(caught.value, "99", "later capsviz")


def columns(path: Path) -> dict[str, dict[str, tuple[str, bool]]]:
    engine = create_engine(f"sqlite:///{path}")
    found = inspect(engine)
    tables = {
        table: {
            column["name"]: (str(column["type"]), column["nullable"]) for column in found.get_columns(table)
        }
        for table in found.get_table_names()
    }
    engine.dispose()
    return tables


# --- settings -------------------------------------------------------------------------------------------------


def test_settings_come_from_the_environment() -> None:
    found = from_environment(
        {"CAPSVIZ_DATA": "/d", "CAPSVIZ_CLASS_HOURS": "2", "CAPSVIZ_ADDRESS": "https://x.test/a/"}
    )
    assert found == Settings(Path("/d"), "", 2.0, "", "https://x.test/a")
    assert found.url == "sqlite:////d/classes.sqlite"
    assert from_environment({"XDG_DATA_HOME": "/x"}).folder == data_folder({"XDG_DATA_HOME": "/x"})
    assert data_folder({"XDG_DATA_HOME": "/x"}, "linux") == Path("/x/capsviz")
    assert data_folder({"XDG_DATA_HOME": "relative"}, "linux") == Path.home() / ".local/share/capsviz"
    assert data_folder({"LOCALAPPDATA": "/l"}, "win32") == Path("/l/capsviz")
    assert data_folder({}, "darwin").parts[-3:] == ("Library", "Application Support", "capsviz")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAPSVIZ_CLASS_HOURS", "0"),
        ("CAPSVIZ_CLASS_HOURS", "nan"),
        ("CAPSVIZ_CLASS_HOURS", "1e9"),
        ("CAPSVIZ_CLASS_HOURS", "a day"),
        ("CAPSVIZ_ADDRESS", "class.test"),
    ],
)
def test_settings_that_cannot_be_used_are_named(name: str, value: str) -> None:
    with pytest.raises(CapsvizError) as caught:
        from_environment({name: value})
    assert_one_sentence(caught.value, name)


def test_a_key_of_two_servers_is_one(tmp_path: Path) -> None:
    keys: set[str] = set()
    threads = [threading.Thread(target=lambda: keys.add(names.key_of(Settings(tmp_path)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_two_presenters_at_once_on_two_servers_run_one_class(tmp_path: Path, clock: Ticking) -> None:
    """Each does everything as if alone: no change of either is lost, no number given twice."""
    servers = [classroom(tmp_path, clock), classroom(tmp_path, clock)]
    opened = servers[0].open()
    phones = [joined(servers[0], opened) for _ in range(20)]
    tiles = [servers[0].send(phone, sent()) for phone in phones]
    presenters = [server.presenter(opened.secret) for server in servers]

    def act(place: int) -> None:
        for number, tile in enumerate(tiles[place::2]):
            presenters[place].place([tile.id], Standing.HIDDEN if number % 2 else Standing.SHOWN)
            presenters[place].set_task(f"Task {number} of {place}")
            presenters[place].ask(f"Question {number} of {place}?", ["a", "b"])

    with ThreadPoolExecutor(2) as at_once:
        list(at_once.map(act, (0, 1)))
    one, other = (presenter.room() for presenter in presenters)
    assert one.task is not None
    assert one.poll is not None
    assert (one.task, one.poll) == (other.task, other.poll)
    assert (one.task.number, one.poll.number) == (20, 20)
    hidden = {tile.id for tile in presenters[0].wall().tiles if tile.standing == Standing.HIDDEN}
    assert hidden == {tile.id for place in (0, 1) for tile in tiles[place::2][1::2]}
    presenters[1].delete()
    for gone in (
        presenters[0].room,
        lambda: presenters[0].set_task("late"),
        lambda: servers[0].told(phones[0]),
    ):
        with pytest.raises((NotAllowed, Over)) as caught:
            gone()
        assert_one_sentence(caught.value)
    for server in servers:
        server.close()


# --- PostgreSQL -------------------------------------------------------------------------------------------------


@pytest.fixture
def postgres() -> Iterator[str]:
    """URL of a database."""
    with database() as url:
        yield url


def test_two_servers_on_one_postgresql_are_one_classroom(tmp_path: Path, postgres: str) -> None:
    common = {"database": postgres, "key": "k" * 40}
    with ThreadPoolExecutor(6) as starting:  # as an engine starts them: all at once on an empty database
        one, other, *others = starting.map(lambda n: classroom(tmp_path / str(n), **common), range(6))
    for each in others:
        each.close()
    opened = one.open(rules=Rules(guess_first=True))
    token = one.join(opened.code).token
    phone = other.phone(token)
    drawing = sent(SEVEN, said="1")
    first = other.send(phone, drawing)
    assert one.send(phone, drawing).id == first.id
    assert first.covered
    presenter = one.presenter(opened.secret)
    (tile,) = presenter.wall().tiles
    assert (tile.strokes, tile.scores.tolist(), tile.seen.shape) == (
        first.strokes,
        first.scores.tolist(),
        (28, 28),
    )
    before = other.glance(phone.room)
    one.guess(phone, drawing.mark, "7")
    presenter.ask("?", ["a", "b"])
    assert [one.vote(phone, 1, 0), other.vote(phone, 1, 1)] == [0, 1]
    after = other.glance(phone.room)
    assert (after.state > before.state, after.revision > before.revision) == (True, True)
    room = presenter.room()
    assert room.poll is not None
    assert (room.poll.tally, room.phones) == ((0, 1), 1)

    # Both write at once: every drawing is there, and a wall that asks meanwhile misses none.
    phones = [one.phone(one.join(opened.code).token) for _ in range(12)]
    seen: set[int] = set()

    def draw(server: Classroom, of: list[Phone]) -> None:
        for each in of:
            server.send(each, sent())

    threads = [
        threading.Thread(target=draw, args=(server, phones[part::2]))
        for part, server in enumerate((one, other))
    ]
    for thread in threads:
        thread.start()
    since = 0
    while any(thread.is_alive() for thread in threads) or len(seen) < 13:
        wall = presenter.wall(since)
        seen |= {tile.id for tile in wall.tiles}
        since = wall.revision
    assert len(seen) == 13
    presenter.delete()
    with pytest.raises(Over):
        other.told(phone)
    one.close()
    other.close()


def test_a_postgresql_that_is_lost_is_waited_for_and_nothing_is_lost(tmp_path: Path, postgres: str) -> None:
    room = classroom(tmp_path, database=postgres, key="k" * 40)
    opened = room.open()
    phone, drawing = joined(room, opened), sent()
    room.send(phone, drawing)
    beside = create_engine(postgres.replace("/postgres", "/template1"), isolation_level="AUTOCOMMIT")

    def allow(connections: str) -> None:
        with beside.connect() as connection:
            connection.execute(sql(f"ALTER DATABASE postgres ALLOW_CONNECTIONS {connections}"))
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'"
            connection.execute(sql(ended))

    allow("true")  # it was started again: connections that are kept have ended
    assert room.send(phone, sent()).read == "7"
    allow("false")  # it is away
    later = sent()
    for ask in (lambda: room.send(phone, later), lambda: room.told(phone), lambda: joined(room, opened)):
        with pytest.raises(Busy) as caught:
            ask()
        assert_one_sentence(caught.value)
    allow("true")
    room.send(phone, later)
    room.send(phone, drawing)
    assert len(room.presenter(opened.secret).wall().tiles) == 3
    beside.dispose()
    room.close()
