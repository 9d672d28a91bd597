"""The pad without a browser: what its canvas, its tools and its pictures do to the session's drawing."""

import io
import re
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reference import assert_one_sentence
from streamlit.testing.v1 import AppTest

from capsviz import texts
from capsviz.app import assets
from capsviz.app import pad as ui_pad
from capsviz.app.messages import Framing, tag_object
from capsviz.errors import MessageError
from capsviz.inputs import drawings
from capsviz.inputs.drawings import PAD, Drawing, stroke_of
from capsviz.inputs.examples import EXAMPLES, examples_for, render
from capsviz.inputs.preprocess import prepare

LINE = {"type": "Path", "path": [["M", 40, 50], ["L", 200, 50]], "strokeWidth": 18}
SLANT = {"type": "Path", "path": [["M", 200, 50], ["L", 100, 230]], "strokeWidth": 18}


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A session's state as it is after the first run."""
    fresh: dict[str, Any] = {}
    monkeypatch.setattr(ui_pad.st, "session_state", fresh)
    assert ui_pad.begin()
    first = ui_pad.current()
    assert ui_pad.begin()  # the first run was cut off
    assert ui_pad.current() is first
    fresh[ui_pad.KIND_KEY] = "digit"
    fresh[ui_pad.SETTLED_KEY] = True
    assert not ui_pad.begin()
    return fresh


def shown(state: dict[str, Any]) -> ui_pad.Shown:
    found: ui_pad.Shown = state[ui_pad.SHOWN_KEY]
    return found


def send(state: dict[str, Any], *objects: object, tag: tuple[int, int] | None = None) -> None:
    """What the canvas sends when it shows what it was told and then ``objects``."""
    raw = {"objects": [tag_object(tag or shown(state).tag), *shown(state).objects, *objects]}
    state[ui_pad.CANVAS_KEY] = {"drawing": {"raw": raw, "data": None}}
    ui_pad._drawn()


def test_the_examples_are_of_what_the_network_reads(state: dict[str, Any]) -> None:
    state[ui_pad.KIND_KEY] = "letter"
    assert list(ui_pad._examples()) == ["A", "B", "E", "K", "M", "R", "S"]
    state["example"] = "two"  # of a menu that was open while the network changed
    ui_pad._choose_example()
    assert ui_pad.current().example == 0
    state.clear()
    ui_pad.begin("letter")
    assert EXAMPLES[ui_pad.current().example or 0].shows == "A"
    state.clear()
    ui_pad.begin("shape")  # of which there are none: digits, as for every network before letters were
    assert ui_pad.current().example == 0


def test_a_session_begins_with_an_example_that_waits_for_what_the_browser_kept(state: dict[str, Any]) -> None:
    assert ui_pad.current().example == 0
    assert state[ui_pad.FRESH_KEY]
    ui_pad._clear()
    assert not state[ui_pad.FRESH_KEY]


def test_strokes_become_the_drawing_one_after_the_other(state: dict[str, Any]) -> None:
    ui_pad._clear()
    send(state, LINE)
    assert state[ui_pad.CHANGED_KEY]
    (stroke,) = ui_pad.current().strokes
    np.testing.assert_array_equal(stroke.points, [[80, 100], [400, 100]])
    assert stroke.width == 36
    send(state, LINE, SLANT)
    first, second = ui_pad.current().strokes
    assert first is stroke  # not kept twice
    np.testing.assert_array_equal(second.points, [[400, 100], [200, 460]])
    ui_pad._undo()
    assert ui_pad.current().strokes == (stroke,)
    ui_pad._undo()
    assert ui_pad.current().blank


def test_two_strokes_in_one_message_are_both_kept(state: dict[str, Any]) -> None:
    ui_pad._clear()
    send(state, LINE, SLANT)
    assert len(ui_pad.current().strokes) == 2


def test_a_stroke_after_undo_goes_on_from_what_is_shown(state: dict[str, Any]) -> None:
    ui_pad._clear()
    send(state, LINE)
    send(state, LINE, SLANT)
    ui_pad._undo()
    assert len(shown(state).objects) == 1
    send(state, {**SLANT, "strokeWidth": 8})
    assert [stroke.width for stroke in ui_pad.current().strokes] == [36, 16]


def test_a_stroke_on_an_example_keeps_it_below(state: dict[str, Any]) -> None:
    assert not ui_pad.advice()
    send(state, LINE)
    now = ui_pad.current()
    assert (now.example, len(now.strokes)) == (0, 1)
    assert ui_pad.advice().startswith("Drawn on top of the example: Clear")
    below = render(EXAMPLES[0].strokes, EXAMPLES[0].width, PAD)
    assert (now.pixels() >= below).all()
    assert now.pixels()[50, 60:180].min() == 255
    ui_pad._clear()
    assert not ui_pad.advice()
    # As it comes by a link, it is nobody's mishap.
    state[ui_pad.HISTORY_KEY].clear()
    ui_pad._show(now)
    assert not ui_pad.advice()
    # An example of what the network does not read says so.
    ui_pad._show(Drawing(example=0))
    assert not ui_pad.advice()
    state[ui_pad.KIND_KEY] = "letter"
    assert ui_pad.advice() == "One of the examples for digits: this network reads letters alone."


def test_undo_never_goes_beyond_the_first(state: dict[str, Any]) -> None:
    first = ui_pad.current()
    ui_pad._clear()
    before = shown(state).tag
    for _ in range(3):
        ui_pad._undo()
    assert state[ui_pad.HISTORY_KEY] == [first]
    assert shown(state).drawing is first
    assert shown(state).tag == (before[0], before[1] + 1)


def test_the_canvas_confirming_what_it_was_told_is_no_new_drawing(state: dict[str, Any]) -> None:
    ui_pad._clear()
    ui_pad._undo()
    current = ui_pad.current()
    state.pop(ui_pad.CHANGED_KEY, None)
    send(state)
    assert ui_pad.current() is current
    assert ui_pad.CHANGED_KEY not in state  # so that the page need not run again


def test_a_stroke_on_what_is_no_longer_shown_is_left_out(state: dict[str, Any]) -> None:
    before = shown(state).tag
    ui_pad._clear()
    for old in (before, (before[0] + 1, shown(state).tag[1])):
        send(state, LINE, tag=old)
        assert ui_pad.current().blank


def test_history_is_bounded_and_small(state: dict[str, Any]) -> None:
    for _ in range(2 * ui_pad.HISTORY):
        ui_pad._clear()
        send(state, LINE)
    assert len(state[ui_pad.HISTORY_KEY]) == ui_pad.HISTORY
    assert ui_pad.current().strokes


def test_a_drawing_of_too_many_strokes_keeps_those_it_had(state: dict[str, Any]) -> None:
    ui_pad._clear()
    send(state, *[LINE] * drawings.MOST_STROKES)
    full = ui_pad.current()
    assert len(full.strokes) == drawings.MOST_STROKES
    assert ui_pad.PROBLEM_KEY not in state
    send(state, *[LINE] * (drawings.MOST_STROKES + 1))
    assert ui_pad.current() is full
    assert_one_sentence(state[ui_pad.PROBLEM_KEY], "Clear begins anew")
    ui_pad._clear()
    send(state, LINE)
    assert len(ui_pad.current().strokes) == 1


@pytest.mark.parametrize(
    "sent", [None, {}, {"drawing": []}, {"drawing": {"raw": {"objects": [{"type": "Path"}]}}}]
)
def test_a_message_that_is_no_drawing_changes_nothing_and_the_next_is_read(
    state: dict[str, Any], sent: object
) -> None:
    ui_pad._clear()
    before = ui_pad.current()
    state[ui_pad.CANVAS_KEY] = sent
    ui_pad._drawn()
    assert ui_pad.current() is before
    assert_one_sentence(state.pop(ui_pad.PROBLEM_KEY), "draw the stroke again")
    send(state, LINE)
    assert len(ui_pad.current().strokes) == 1


@pytest.mark.parametrize(("side", "width", "told"), [(40, 18, True), (70, 18, False), (40, 6, False)])
def test_a_drawing_filled_by_its_own_lines_is_told_so(
    state: dict[str, Any], side: int, width: int, told: bool
) -> None:
    ui_pad._push(Drawing((stroke_of(np.array([[20, 200], [20, 200 + side]]), width),)))
    assert ("draw it larger" in ui_pad.advice()) is told


def test_whether_a_drawing_is_small_is_measured_with_its_pen(state: dict[str, Any]) -> None:
    """A line 45 long with a pen of 18 covers 63 pixels: 3.5 times the pen, and no less."""
    for way, told in ((45, False), (44, True)):
        for points in ([[20, 20], [20 + way, 20]], [[20, 20 + way], [20, 20]]):
            ui_pad._push(Drawing((stroke_of(np.array(points), 18),)))
            assert bool(ui_pad.advice()) is told
    ui_pad._push(Drawing(picture=np.zeros((28, 28), np.uint8)))
    assert not ui_pad.advice()  # no pen


@pytest.mark.parametrize("example", range(len(EXAMPLES)), ids=[example.name for example in EXAMPLES])
def test_every_example_can_be_chosen(state: dict[str, Any], example: int) -> None:
    state["example"], state[ui_pad.KIND_KEY] = EXAMPLES[example].name, EXAMPLES[example].kind
    ui_pad._choose_example()
    assert len(shown(state).objects) == len(EXAMPLES[example].strokes)
    assert shown(state).objects[0]["strokeWidth"] == round(PAD * EXAMPLES[example].width, 2)
    np.testing.assert_array_equal(
        ui_pad.current().pixels(), render(EXAMPLES[example].strokes, EXAMPLES[example].width, PAD)
    )


def test_no_such_example_changes_nothing(state: dict[str, Any]) -> None:
    before = ui_pad.current()
    state["example"] = "nonsense"
    ui_pad._choose_example()
    assert ui_pad.current() is before


# --- a session that is new to a page which is not -------------------------------------------------------


def left_behind(tag: tuple[int, int], *objects: object) -> bool:
    return ui_pad._left_behind({"objects": [tag_object(tag), *objects]})


def test_strokes_that_a_former_session_left_on_the_canvas_are_taken_over(state: dict[str, Any]) -> None:
    assert left_behind((5, 5), LINE, SLANT)
    assert len(ui_pad.current().strokes) == 2
    assert len(state[ui_pad.HISTORY_KEY]) == 1
    assert len(shown(state).objects) == 2
    assert not left_behind(shown(state).tag, LINE, SLANT)  # its own
    assert not ui_pad._left_behind(None)
    assert not ui_pad._left_behind({"objects": []})


def test_strokes_drawn_after_the_browser_kept_the_drawing_are_added_to_it(state: dict[str, Any]) -> None:
    """The canvas was told of an example, has a stroke since that was answered, and one more that was not."""
    kept = Drawing((stroke_of(np.array([[40, 50], [200, 50]]), 18),), example=2)
    told = Drawing(example=2)
    state[ui_pad.HISTORY_KEY].clear()
    ui_pad._push(kept)
    state[ui_pad.SHOWN_KEY] = ui_pad.Shown(told, (5, 5), ui_pad._objects(told))
    assert not left_behind((5, 5), *shown(state).objects, LINE)  # nothing new
    assert left_behind((5, 5), *shown(state).objects, LINE, SLANT)
    now = ui_pad.current()
    assert (now.example, len(now.strokes)) == (2, 2)
    np.testing.assert_array_equal(now.strokes[1].points, [[400, 100], [200, 460]])
    assert shown(state).tag == (5, 5)  # the canvas is not told anew
    assert len(state[ui_pad.HISTORY_KEY]) == 1


def test_what_this_session_told_in_a_run_that_was_cut_off_is_not_left_behind(state: dict[str, Any]) -> None:
    """The canvas still has the example when the drawing that the browser kept has come: it goes on, and is not lost."""
    example = [tag_object(shown(state).tag), *shown(state).objects]
    ui_pad._show(Drawing((stroke_of(np.array([[40, 50], [200, 50]]), 18),)))
    now = ui_pad.current()
    assert not ui_pad._left_behind({"objects": example})
    assert ui_pad.current() is now


def test_what_a_former_session_left_behind_is_taken_over_once(state: dict[str, Any]) -> None:
    """Until the canvas confirms what it is told then, it still has the former session's tag."""
    assert left_behind((5, 5), LINE)
    tag = shown(state).tag
    assert not left_behind((5, 5), LINE)
    assert shown(state).tag == tag
    assert left_behind((6, 1), SLANT)  # of one more


def test_a_canvas_that_shows_a_kept_drawing_already_is_told_no_other(
    state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart: the example of the new session's first run does not take the place of what is seen."""
    example = [tag_object(shown(state).tag), *shown(state).objects]
    text = drawings.encode(Drawing(example=2))
    kept = {"drawing": text, "told": text, "tag": [5, 5], "width": 18, "live": True, "search": "?R=5"}
    monkeypatch.setattr(ui_pad, "_keeper", lambda **_: {"kept": kept})
    ui_pad._keep.__wrapped__()
    assert shown(state).tag == (5, 5)
    assert not ui_pad._left_behind({"objects": example})
    assert not left_behind((5, 4), LINE)  # of a showing before
    assert (ui_pad.current().example, shown(state).tag) == (2, (5, 5))


def test_a_linked_drawing_goes_before_what_the_tab_kept_but_not_before_what_it_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Kept are the drawing before the link was opened, and, of a server that starts again, a stroke after it."""
    state: dict[str, Any] = {}
    monkeypatch.setattr(ui_pad.st, "session_state", state)
    assert ui_pad.begin("digit", Drawing(example=7))
    state[ui_pad.KIND_KEY] = "digit"
    text = drawings.encode(Drawing(example=2))
    kept = {"drawing": text, "told": text, "tag": [5, 5], "width": 24, "live": False, "search": ""}
    monkeypatch.setattr(ui_pad, "_keeper", lambda **_: {"kept": kept})
    ui_pad._keep.__wrapped__()
    assert (ui_pad.current().example, ui_pad.width()) == (7, 18)
    kept |= {"live": True, "search": "?R=5"}
    ui_pad._keep.__wrapped__()
    assert (ui_pad.current().example, ui_pad.width()) == (2, 24)
    assert state[ui_pad.RETURNED_KEY] == "?R=5"
    kept["drawing"] = drawings.encode(Drawing(example=3))
    ui_pad._keep.__wrapped__()
    assert ui_pad.current().example == 2  # once
    ui_pad.begin("digit", Drawing(example=9))  # of an address that is followed later
    assert (ui_pad.current().example, len(state[ui_pad.HISTORY_KEY])) == (9, 2)


def test_what_is_seen_goes_before_what_was_kept_of_another_showing(state: dict[str, Any]) -> None:
    ui_pad._show(Drawing(example=3))
    assert left_behind((5, 5), LINE)
    assert (ui_pad.current().example, len(ui_pad.current().strokes)) == (None, 1)


# --- pictures -------------------------------------------------------------------------------------------


class File:
    """A file as the uploader hands it over."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self._data = name, data

    def getvalue(self) -> bytes:
        return self._data


def upload(state: dict[str, Any], name: str, data: bytes) -> None:
    state[f"{ui_pad.UPLOAD_KEY}{state.get(ui_pad.UPLOADS_KEY, 0)}"] = File(name, data)
    ui_pad._upload()


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


PAPER = 255 - render(EXAMPLES[1].strokes, 0.06, 600)


def test_an_uploaded_picture_becomes_what_the_network_sees_of_it(state: dict[str, Any]) -> None:
    upload(state, "photo.png", png(PAPER))
    assert state[ui_pad.UPLOADS_KEY] == 1
    picture = ui_pad.current().picture
    assert picture is not None
    np.testing.assert_array_equal(picture, np.rint(255 * prepare(PAPER).image))
    assert ui_pad.current().image().dtype == np.float32
    np.testing.assert_allclose(ui_pad.current().image(), picture / 255, atol=1e-7)
    (image,) = shown(state).objects
    assert (image["type"], image["scaleX"], image["scaleY"]) == ("Image", 10, 10)
    np.testing.assert_array_equal(state[ui_pad.PICTURE_KEY].pixels(), PAPER)
    assert not state[ui_pad.PICTURE_KEY].open


def test_a_stroke_on_a_picture_is_seen_with_it(state: dict[str, Any]) -> None:
    upload(state, "photo.png", png(PAPER))
    before = ui_pad.current().pixels()
    send(state, LINE)
    now = ui_pad.current()
    assert now.pixels()[50, 45:195].min() == 255
    np.testing.assert_array_equal(now.pixels()[100:], before[100:])


def test_a_picture_in_which_no_digit_is_found_opens_to_be_cropped_and_nothing_is_lost(
    state: dict[str, Any],
) -> None:
    before = ui_pad.current()
    upload(state, "wall.png", png(np.full((300, 200), 240, np.uint8)))
    assert ui_pad.current() is before
    assert state[ui_pad.PICTURE_KEY].open
    assert state[ui_pad.PICTURE_KEY].shape == (300, 200)
    assert ui_pad.PROBLEM_KEY not in state
    ui_pad._close_picture()
    assert not state[ui_pad.PICTURE_KEY].open
    ui_pad._open_picture()
    assert state[ui_pad.PICTURE_KEY].open


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7 not a picture", b"\x89PNG\r\n\x1a\n cut"])
def test_a_file_that_is_no_picture_loses_nothing(state: dict[str, Any], data: bytes) -> None:
    before = ui_pad.current()
    upload(state, "home`work.png", data)
    assert ui_pad.current() is before
    assert state[ui_pad.PROBLEM_KEY].startswith("`homework.png`: ")
    assert "\n" not in state[ui_pad.PROBLEM_KEY]


def test_inverting_takes_the_other_kind_of_ink() -> None:
    """A white digit on a black card on a white table: what stands out of the whole is the card."""
    both = np.full((200, 200), 128, np.uint8)
    both[40:160, 40:60] = 0
    both[40:60, 60:160] = 255
    plain = ui_pad._prepare(both, Framing(), inverted=False)
    other = ui_pad._prepare(both, Framing(), inverted=True)
    assert {plain.polarity, other.polarity} == {"light", "dark"}
    dark = plain if plain.polarity == "dark" else other
    assert dark.kept[100, 50]
    assert not dark.kept[50, 120]


def test_where_no_ink_is_found_the_paper_says_what_inverting_means() -> None:
    """Nearly black paper with a scribble all over: ink would be light; inverted it is dark, and there is none."""
    for level, ink in ((10, "dark"), (250, "light")):
        asked = []

        def note(
            pixels: np.ndarray, kind: str, crop: object, without: object, asked: list[str] = asked
        ) -> Any:
            asked.append(kind)
            if kind == "auto":
                raise ui_pad.ImageError("none.")

        ui_pad_prepare, ui_pad.prepare = ui_pad.prepare, note  # type: ignore[assignment]
        try:
            ui_pad._prepare(np.full((60, 60), level, np.uint8), Framing(), inverted=True)
        finally:
            ui_pad.prepare = ui_pad_prepare
        assert asked == ["auto", ink]


def test_marks_lie_on_what_was_taken_and_on_what_was_not() -> None:
    prepared = prepare(PAPER)
    marks = ui_pad._marks(prepared)
    assert marks.shape == (*prepared.kept.shape, 4)
    np.testing.assert_array_equal(marks[..., 3] > 0, prepared.kept | prepared.left_out)
    assert marks[prepared.kept][0].tolist() == [240, 138, 36, 190]


def test_a_large_picture_is_shown_smaller() -> None:
    large = np.arange(900 * 1200, dtype=np.uint32).reshape(900, 1200).astype(np.uint8)
    assert ui_pad._smaller(large).shape == (450, 600)
    assert ui_pad._smaller(large[:640, :640]).shape == (640, 640)


def test_a_picture_is_kept_deflated() -> None:
    packed = ui_pad.Picture("a.png", zlib.compress(PAPER.tobytes()), PAPER.shape)
    np.testing.assert_array_equal(packed.pixels(), PAPER)
    with pytest.raises(MessageError):
        drawings.decode("nonsense")


# --- its words ------------------------------------------------------------------------------------------


@pytest.fixture
def brackets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A language that nobody speaks: the first one's texts between brackets."""
    known = {
        name: f"⟦{text}⟧" if isinstance(text, str) else {form: f"⟦{words}⟧" for form, words in text.items()}
        for name, text in texts.texts("en").items()
    }
    monkeypatch.setattr(texts, "texts", lambda code: known)
    for cached in (texts._for_script, assets.words_asset):
        cached.cache_clear()
    yield
    for cached in (texts._for_script, assets.words_asset):
        cached.cache_clear()


def the_pad() -> None:
    """A page with nothing but the pad."""
    from capsviz.app import pad

    pad.pad(pad.begin(), "digit")


def words(app: AppTest) -> list[str]:
    """All that the page shows, but for style sheets, pictures and what the components say."""
    found = [element.label for element in (*app.button, *app.slider, *app.toggle)]
    found += [element.value for element in (*app.caption, *app.warning)]
    for element in app.get("menu_button"):
        found += [element.proto.label, *element.proto.options]
    found += [element.proto.label for element in app.get("file_uploader")]
    found += [block.proto.popover.label for block in app.get("popover")]
    found += [block.proto.dialog.title for block in app.get("dialog")]
    found += [app.get("toggle")[0].proto.help] if app.get("toggle") else []
    for html in app.get("html"):
        found += re.findall(r'content: "(.*?)"|alt="(.*?)"|<figcaption>(.*?)<', html.proto.body)
    return [word for part in found for word in (part if isinstance(part, tuple) else (part,)) if word]


@pytest.mark.usefixtures("brackets")
def test_every_word_of_the_pad_is_a_text() -> None:
    app = AppTest.from_function(the_pad, default_timeout=60)
    app.run()
    assert not app.exception
    found = words(app)
    # Undo, Clear, the pen, the menu with its examples, the file, the hint below the example.
    assert len(found) >= 6 + len(examples_for("digit"))
    escaped = r"\27e6 an example: Clear, then draw\27e7 "
    assert escaped in found
    assert [word for word in found if not word.startswith("⟦") and word != escaped] == []
    app.button(key="clear").click().run()
    assert r"\27e6 draw a \27e6 digit\27e7 \27e7 " in words(app)


@pytest.mark.usefixtures("brackets")
def test_every_word_of_the_picture_is_a_text(state: dict[str, Any]) -> None:
    upload(state, "photo.png", png(PAPER))
    app = AppTest.from_function(the_pad, default_timeout=60)
    for key, value in state.items():
        app.session_state[key] = value
    app.run()
    app.button(key="crop").click().run()
    assert not app.exception
    found = words(app)
    for word in (
        "⟦What was taken of the picture⟧",
        "⟦What the network would see⟧",
        "⟦The 28 by 28 pixels that the network would see⟧",
        "⟦Invert⟧",
        "⟦Use this⟧",
        "⟦Take light ink for dark, or dark for light.⟧",
    ):
        assert word in found
    assert [word for word in found if not word.startswith(("⟦", r"\27e6 "))] == []
    for at, advice in enumerate((ui_pad.advice, ui_pad.advice)):
        ui_pad._push(Drawing((stroke_of(np.array([[20, 200], [20, 220]]), 18),), example=0 if at else None))
        assert advice().startswith("⟦")
    upload(state, "home.png", b"%PDF-1.7")
    assert state[ui_pad.PROBLEM_KEY].startswith("⟦`home.png`: ")


def test_a_text_in_a_style_sheet_cannot_leave_it() -> None:
    assert ui_pad._in_style("draw a digit") == "draw a digit"
    assert ui_pad._in_style('"}</style>') == r"\22 \7d \3c \2f style\3e "
