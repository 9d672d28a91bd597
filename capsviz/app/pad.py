"""The pad on the left of every page, and the drawing that a session works on: canvas, tools, examples, pictures.

The canvas holds what a person drew last; the session's history holds all that undo can go back to; the browser's
tab keeps the last drawing (``pad.js``), so that reloading the page, or a server that has started again, gives it back.
"""

import contextlib
import html
import secrets
import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from capsviz import figures
from capsviz.app import assets
from capsviz.app.follow import follows, run_parts
from capsviz.app.messages import Framing, Kept, Tag, parse_canvas, parse_framing, parse_kept, tag_object
from capsviz.app.prepared import locked, sign
from capsviz.checks import one_line
from capsviz.errors import CapsvizError, ImageError, MessageError
from capsviz.inputs import drawings
from capsviz.inputs.drawings import GRID, PAD, WIDTH, WIDTHS, Drawing, Stroke
from capsviz.inputs.examples import EXAMPLES, Example, examples_for
from capsviz.inputs.images import ENDINGS, read_image
from capsviz.inputs.preprocess import Preparation, luminance, prepare
from capsviz.texts import noun, say

HISTORY = 30  # drawings that undo can go back through
FILLED = 3.5  # a drawing not as many times as large as its pen is wide has hardly a hole left
INK = "#ffffff"
NAMED = 60  # characters of an uploaded file's name in a sentence about it
SHOWN_SIDE = 640  # pixels of an uploaded picture, as its dialog shows it

# Keys of the session's state.
HISTORY_KEY = "drawings"  # list[Drawing], the current one last
CANVAS_KEY = "canvas"  # the canvas component
SHOWN_KEY = "canvas_shown"  # Shown: what the canvas was last told to show
TELLERS_KEY = "tellers"  # set[int]: first numbers of this session's tags, and of those it took over from
FRESH_KEY = "fresh"  # True until a person does something: what the browser kept may still come
LINKED_KEY = (
    "linked"  # whether the session began with the drawing of a link: it goes before what the tab kept
)
RETURNED_KEY = (
    "returned"  # what a page says of itself whose server has started again, still to be followed: its address
)
CHANGED_KEY = "changed"  # True while something has changed that the page has not been run for
SETTLED_KEY = "settled"  # True once a session has had a run that was not cut off
KEEPER_KEY = "pad"  # the component beside the canvas; its state: "kept", "asked"
PROBLEM_KEY = "problem"  # one sentence about what could not be used; shown once
UPLOAD_KEY = "upload"
UPLOADS_KEY = "uploads"  # files taken so far; part of the uploader's key, which empties it
PICTURE_KEY = "picture"  # Picture: the file uploaded last
FRAMING_KEY = "framing"  # the component in which it is cropped; with the number of the file
INVERT_KEY = "invert"  # the switch beside it; likewise
WIDTH_KEY = "stroke_width"
KIND_KEY = "kind"  # of what the network reads, as its shape has it

# A faint word in the canvas as long as nothing is drawn, and below an example.
HINT = """<style>.st-key-canvas::after {
    content: "%s"; position: absolute; inset: 0; display: grid; place-content: center;
    color: #8b8f96; font-size: 20px; pointer-events: none; z-index: 30;
}</style>"""
EXAMPLE_HINT = """<style>.st-key-canvas::after {
    content: "%s"; position: absolute; inset: auto 0 4px; text-align: center;
    color: #b9bec6; font-size: 16px; pointer-events: none; z-index: 30;
}</style>"""
NO_HINT = "<style>.st-key-canvas::after { content: none; }</style>"

_keeper = assets.component("capsviz_pad", "pad")
_framing = assets.component("capsviz_picture", "picture")


@dataclass(frozen=True, eq=False)
class Shown:
    """What the canvas was told to show: a drawing, and the tag by which its messages tell that they follow it."""

    drawing: Drawing
    tag: Tag
    objects: list[dict[str, Any]]  # in the canvas's own format (Fabric.js)


WHOLE = Framing()


@dataclass(frozen=True, eq=False)
class Picture:
    """An uploaded picture, for as long as the drawing made of it is the current one or is being looked for."""

    name: str
    grey: bytes  # uint8 [H, W], deflated
    shape: tuple[int, int]
    framing: Framing = WHOLE  # that the drawing was made with
    inverted: bool = False
    open: bool = False  # in its dialog
    drawing: Drawing | None = None  # made of it
    doubts: tuple[str, ...] = ()  # about that

    def pixels(self) -> np.ndarray:
        """uint8 [H, W] its luminance."""
        return np.frombuffer(zlib.decompress(self.grey), np.uint8).reshape(self.shape)


def begin(kind: str = "digit", linked: Drawing | None = None) -> bool:
    """Give a new session its first drawing; whether this is its first run, or all before were cut off.

    Args:
        kind: what the network reads that answers first, as ``Shape.kind``.
        linked: the drawing that a link asks for; a session that has one of its own takes it as another.
    """
    state = st.session_state
    if HISTORY_KEY not in state:
        state[HISTORY_KEY] = []
        state[TELLERS_KEY] = set()
        state[WIDTH_KEY] = WIDTH
        _show(linked or _first(kind))
        state[FRESH_KEY] = True
        state[LINKED_KEY] = linked is not None
    elif linked is not None:
        _show(linked)
    return SETTLED_KEY not in state


def untouched(kind: str) -> bool:
    """Whether the drawing is the one that a session begins with whose network reads this ``kind``."""
    now = current()
    return now.example == _first(kind).example and not now.strokes


def _first(kind: str) -> Drawing:
    return Drawing(example=EXAMPLES.index(examples_for(kind)[0]))


def width() -> int:
    """Of the pen, in pixels."""
    pixels: int = st.session_state[WIDTH_KEY]
    return pixels


def current() -> Drawing:
    """The drawing that every page reads."""
    drawing: Drawing = st.session_state[HISTORY_KEY][-1]
    return drawing


def show(drawing: Drawing) -> None:
    """Put a drawing on the pad, unless it is there already; undo goes back to the one before."""
    if drawings.encode(drawing) != drawings.encode(current()):
        _show(drawing)


def pad(first: bool, kind: str) -> None:
    """The canvas and what stands around it.

    Args:
        first: whether this is the session's first run: what a person did on a page that a former session left
            behind then comes without the calls that Streamlit makes of a known control.
        kind: what the network reads, ``Shape.kind``.
    """
    st.session_state[KIND_KEY] = kind
    _keep()
    changed()  # for which the page is run now
    _canvas(first)
    if RETURNED_KEY in st.session_state:  # once the canvas has been asked what came after
        st.rerun()
    now = current()
    # Without help: its tooltips would lie over the canvas, in the pen's way.
    with st.container(horizontal=True, gap="xsmall", key="tools"):
        lone = len(st.session_state[HISTORY_KEY]) < 2
        own = sign("drawing", ":material/undo:")
        own["disabled"] |= lone
        undo = st.button(say("pad.undo"), key="undo", on_click=_undo, **own)
        own = sign("drawing", ":material/delete:")
        clear = st.button(say("pad.clear"), key="clear", on_click=_clear, **own)
        chosen = st.menu_button(
            say("pad.examples"),
            list(_examples()),
            key="example",
            on_click=_choose_example,
            **sign("drawing"),
        )
    with st.container(horizontal=True, gap="xsmall", key="inputs"):
        fixed = locked("drawing")
        st.slider(say("pad.width"), *WIDTHS, key=WIDTH_KEY, persist_state="session", disabled=fixed)
        taken, limit = st.session_state.get(UPLOADS_KEY, 0), st.get_option("server.maxUploadSize")
        # Another key is another popover: a closed one, out of the picture's way.
        own = sign("drawing", ":material/upload:")
        with st.popover(say("pad.image"), key=f"image{taken}", **own):
            st.file_uploader(
                say("pad.upload", kind=_kind(), limit=limit),
                type=list(ENDINGS),
                key=f"{UPLOAD_KEY}{taken}",
                on_change=_upload,
            )
    picture: Picture | None = st.session_state.get(PICTURE_KEY)
    if picture is not None and picture.drawing is not None and picture.drawing.picture is now.picture:
        for doubt in picture.doubts:
            st.caption(doubt)
        own = sign("drawing", ":material/crop:")
        st.button(say("pad.taken"), key="crop", on_click=_open_picture, **own)
    if picture is not None and picture.open and not fixed:
        st.dialog(say("picture.title"), width="medium", on_dismiss=_close_picture)(_picture_dialog)()
    st.session_state[SETTLED_KEY] = True
    if first and (undo or clear or chosen):
        if clear:
            _clear()
        elif undo:
            _undo()
        else:
            _choose_example()
        st.rerun()


def changed() -> bool:
    """Whether something has changed that the page has not been run for; once."""
    return bool(st.session_state.pop(CHANGED_KEY, False))


def advice() -> str:
    """What to do about a drawing on an example, or so small that its own lines fill it; "" about any other.

    Of one that came as it is, by a link, nobody here began on the example without meaning to.
    """
    now = current()
    if now.example is not None and now.strokes:
        bare = (one.example == now.example and not one.strokes for one in st.session_state[HISTORY_KEY])
        return say("pad.on-example") if any(bare) else ""
    if now.example is not None and EXAMPLES[now.example].kind != st.session_state[KIND_KEY]:
        shows, reads = (noun(kind, 2) for kind in (EXAMPLES[now.example].kind, st.session_state[KIND_KEY]))
        return say("pad.other-kind", shows=shows, reads=reads)
    if now.picture is not None or not now.strokes:
        return ""
    pen = max(stroke.width for stroke in now.strokes)
    low = np.min([stroke.points.min(axis=0) - stroke.width / 2 for stroke in now.strokes], axis=0)
    high = np.max([stroke.points.max(axis=0) + stroke.width / 2 for stroke in now.strokes], axis=0)
    if (high - low).max() >= FILLED * pen:
        return ""
    return say("pad.small")


# --- canvas and browser ---------------------------------------------------------------------------------


@follows("keeper")
def _keep() -> None:
    """Have the browser keep the drawing, or take the one that it kept; and the word in the canvas.

    The part of the canvas itself does not run for what was drawn there.
    """
    state = st.session_state
    shown: Shown = state[SHOWN_KEY]
    data = {
        "drawing": drawings.encode(current()),
        "told": drawings.encode(shown.drawing),
        "tag": list(shown.tag),
        "width": state[WIDTH_KEY],
        "fresh": state[FRESH_KEY] and not state[LINKED_KEY],
        "kind": _kind(),
        "strokes": len(current().strokes),
        "texts": assets.words("pad"),
    }
    kept = _keeper(
        key=KEEPER_KEY,
        data=data,
        on_kept_change=st.rerun,  # of the whole page
        on_asked_change=_asked,
        height=1,
    ).get("kept")
    if kept is not None and state[FRESH_KEY]:
        _consider(kept)
    st.html(_hint())


def _consider(kept: object) -> None:
    """Take what a browser kept, for a session that has no drawing of its own."""
    state = st.session_state
    try:
        found = parse_kept(kept, WIDTHS)
    except MessageError as error:
        state[PROBLEM_KEY] = str(error)
        state[FRESH_KEY] = False
        return
    if (
        state[LINKED_KEY] and not found.live
    ):  # sent long ago, and again with the first message to another server
        return
    problem = state.get(PROBLEM_KEY)  # of the link with which the page was opened
    if locked("drawing"):
        state[FRESH_KEY] = False
    else:
        _take_kept(found)
    if problem:
        state[PROBLEM_KEY] = problem
    if found.live and found.search:
        state[RETURNED_KEY] = found.search


def _take_kept(found: Kept) -> None:
    state = st.session_state
    state[HISTORY_KEY].clear()
    state[WIDTH_KEY] = found.width
    if found.live:  # the canvas shows it already: told so anew, it would drop a stroke that is being drawn
        _push(found.drawing)
        state[SHOWN_KEY] = Shown(found.told, found.tag, _objects(found.told))
        state[TELLERS_KEY].add(found.tag[0])
    else:
        _show(found.drawing)


@follows(CANVAS_KEY)
def _canvas(first: bool) -> None:
    """The canvas; only a message that changes the drawing lets the whole page run again."""
    # Its component can only be declared while an app runs; imported at the top, this module could not be
    # imported anywhere else.
    from streamlit_drawable_canvas import st_canvas

    state = st.session_state
    shown: Shown = state[SHOWN_KEY]
    sent: Any = None
    # What fails is its own reading of a message that no canvas sends; _drawn has refused it.
    with contextlib.suppress(AttributeError, KeyError, TypeError):
        sent = st_canvas(
            stroke_width=state[WIDTH_KEY],
            stroke_color=INK,
            background_color="#000000",
            width=PAD,
            height=PAD,
            initial_drawing={"objects": [tag_object(shown.tag), *shown.objects]},
            key=CANVAS_KEY,
            on_change=_drawn,
        ).json_data
    # A press of a button that comes with a message of the canvas may be dealt with in a run of this part alone.
    if (first and _left_behind(sent)) or changed():
        st.rerun()


def _hint() -> str:
    now = current()
    if now.blank:
        return HINT % _in_style(say("pad.hint", kind=_kind()))
    return (
        EXAMPLE_HINT % _in_style(say("pad.example-hint"))
        if now.example is not None and not now.strokes
        else NO_HINT
    )


def _in_style(text: str) -> str:
    """A text as it may stand in quotes in a style sheet on a page."""
    return "".join(c if c.isalnum() or c in " .,:" else f"\\{ord(c):x} " for c in text)


def _kind() -> str:
    """What there is to be drawn, in a word."""
    return noun(st.session_state[KIND_KEY], sense="drawn")


def _drawn() -> None:
    """The canvas changed, by a stroke or because it was told to."""
    state = st.session_state
    shown: Shown = state[SHOWN_KEY]
    now = current()
    if locked("drawing"):
        _tell(now)  # in place of whatever the canvas has come to show
        return
    try:
        sent = parse_canvas(state[CANVAS_KEY], _known(shown, now))
        if sent.tag != shown.tag or not sent.strokes:
            # Sent before the canvas heard of its new content, or only to confirm it. Without this, a quick
            # second click on undo would bring back what the first one took away.
            return
        drawings.check_size(now.strokes + sent.strokes)
    except MessageError as error:
        state[PROBLEM_KEY] = str(error)
        state[CHANGED_KEY] = True
    else:
        before = _beside()
        _push(replace(now, strokes=now.strokes + sent.strokes))
        _run_for_drawing(before, CANVAS_KEY)


def _asked() -> None:
    """A page that stood without an answer, or whose server has started again, wants one more run.

    A stroke may have come before the canvas had its place in the new session, when nobody was called for it.
    """
    if CANVAS_KEY in st.session_state:
        _drawn()
    st.rerun()


def _left_behind(sent: Any) -> bool:
    """Take over what a canvas shows that a former session left behind; whether there was anything to take."""
    state = st.session_state
    if locked("drawing"):
        return False
    shown: Shown = state[SHOWN_KEY]
    now, message = current(), {"drawing": {"raw": sent}}
    try:
        seen = parse_canvas(message, None)
        if seen.tag is None:
            return False
        if seen.tag == shown.tag:  # what the browser kept is there: the strokes that came after
            strokes = parse_canvas(message, _known(shown, now)).strokes
            now = replace(now, strokes=now.strokes + strokes)
        elif seen.tag[0] in state[TELLERS_KEY]:
            # Told by this session itself, in a run that was cut off, or taken over by the last run already: the canvas
            # has not confirmed since. To take it (again) would let one run follow the other without end.
            return False
        else:
            strokes, now = seen.strokes, Drawing(seen.strokes)
        drawings.check_size(now.strokes)
    except MessageError:
        return False
    if not strokes:
        return False
    state[HISTORY_KEY].clear()
    if seen.tag == shown.tag:
        _push(now)
    else:
        state[TELLERS_KEY].add(seen.tag[0])
        _show(now)
    return True


def _known(shown: Shown, now: Drawing) -> int:
    """How many objects of a canvas that was told to show ``shown`` are in the drawing that it became."""
    return len(shown.objects) + len(now.strokes) - len(shown.drawing.strokes)


def _push(drawing: Drawing) -> None:
    history = st.session_state[HISTORY_KEY]
    history.append(drawing)
    del history[:-HISTORY]
    st.session_state.pop(PROBLEM_KEY, None)  # of what was done before
    st.session_state[FRESH_KEY] = False
    st.session_state[CHANGED_KEY] = True


def _beside() -> tuple[object, ...]:
    """What the pad shows beside the canvas, or the page, that may be other with another drawing."""
    state = st.session_state
    lone = len(state[HISTORY_KEY]) < 2
    return lone, id(current().picture), state.get(PROBLEM_KEY), state.get(CHANGED_KEY)


def _run_for_drawing(before: tuple[object, ...], without: str = "") -> None:
    """At the end of a callback: where but the drawing has changed, have no more run than what follows it."""
    state = st.session_state
    first = state.pop(CHANGED_KEY)
    if _beside() == before:
        run_parts(without)
    state[CHANGED_KEY] = first


def _show(drawing: Drawing) -> None:
    """Make a drawing the current one and have the canvas show it; it confirms that as if it had been drawn."""
    _push(drawing)
    _tell(drawing)


def _tell(drawing: Drawing) -> None:
    """Have the canvas show a drawing. The tag makes two showings of the same differ: it acts on a change only."""
    shown: Shown | None = st.session_state.get(SHOWN_KEY)
    session, number = shown.tag if shown else (secrets.randbelow(2**31), 0)
    st.session_state[TELLERS_KEY].add(session)
    st.session_state[SHOWN_KEY] = Shown(drawing, (session, number + 1), _objects(drawing))


def _objects(drawing: Drawing) -> list[dict[str, Any]]:
    """A drawing as the canvas keeps one."""
    below: list[dict[str, Any]] = []
    if drawing.example is not None:
        example = EXAMPLES[drawing.example]
        below = [_path(PAD * np.array(stroke), PAD * example.width) for stroke in example.strokes]
    elif drawing.picture is not None:
        below = [_image(drawing.picture)]
    return below + [_stroke_path(stroke) for stroke in drawing.strokes]


def _stroke_path(stroke: Stroke) -> dict[str, Any]:
    return _path(stroke.points / GRID, stroke.width / GRID)


def _path(points: np.ndarray, width: float) -> dict[str, Any]:
    (x, y), *rest = points.round(2).tolist()
    if not rest:
        rest = [(x + 0.01, y)]  # a way of no length would have no ends to be drawn round
    return {
        "type": "Path",
        "path": [["M", x, y], *(["L", *point] for point in rest)],
        "fill": None,
        "stroke": INK,
        "strokeWidth": round(width, 2),
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
    }


def _image(levels: np.ndarray) -> dict[str, Any]:
    """Grey levels as an object that fills the canvas."""
    return {
        "type": "Image",
        "src": figures.theme.data_uri(levels),
        "originX": "left",
        "originY": "top",
        "left": 0,
        "top": 0,
        "scaleX": PAD / levels.shape[1],
        "scaleY": PAD / levels.shape[0],
    }


# --- tools ----------------------------------------------------------------------------------------------


def _undo() -> None:
    history = st.session_state[HISTORY_KEY]
    if locked("drawing"):
        return
    if len(history) > 1:
        before = _beside()
        history.pop()
        _tell(history[-1])
        st.session_state[CHANGED_KEY] = True
        _run_for_drawing(before)


def _clear() -> None:
    _draw(Drawing())


def _draw(drawing: Drawing) -> None:
    """Show a drawing that a person asks for, unless it is fixed which one there is."""
    if not locked("drawing"):
        before = _beside()
        _show(drawing)
        _run_for_drawing(before)


def _choose_example() -> None:
    example = _examples().get(st.session_state["example"])
    if example is not None:
        _draw(Drawing(example=EXAMPLES.index(example)))


def _examples() -> dict[str, Example]:
    """The examples of what the network reads, by what they are called, in their order."""
    return {say(f"example.{example.name}"): example for example in examples_for(st.session_state[KIND_KEY])}


# --- pictures -------------------------------------------------------------------------------------------


def _upload() -> None:
    state = st.session_state
    taken = state.get(UPLOADS_KEY, 0)
    file = state[f"{UPLOAD_KEY}{taken}"]
    if file is None or locked("drawing"):
        return
    state[UPLOADS_KEY] = taken + 1
    try:
        grey = np.rint(255 * luminance(read_image(file.getvalue()))).astype(np.uint8)
    except CapsvizError as error:
        name = one_line(file.name).replace("`", "")[:NAMED]
        state[PROBLEM_KEY] = say("pad.refused", file=name, problem=error)
        return
    picture = Picture(file.name, zlib.compress(grey.tobytes(), 1), grey.shape)
    try:
        _use(picture, prepare(grey))
    except ImageError:
        _set_picture(replace(picture, open=True))  # which says what is wrong, and lets it be cropped


def _use(picture: Picture, prepared: Preparation) -> None:
    levels = np.rint(255 * prepared.image).astype(np.uint8)
    levels.flags.writeable = False
    drawing = Drawing(picture=levels)
    _set_picture(replace(picture, open=False, drawing=drawing, doubts=prepared.doubts))
    _draw(drawing)


def _open_picture() -> None:
    _set_picture(replace(st.session_state[PICTURE_KEY], open=True))


def _close_picture() -> None:
    _set_picture(replace(st.session_state[PICTURE_KEY], open=False))


def _set_picture(picture: Picture) -> None:
    st.session_state[PICTURE_KEY] = picture
    st.session_state[CHANGED_KEY] = True


def _picture_dialog() -> None:
    """The picture with its ink marked, to crop it, to say that its ink is the other kind, or that something is none."""
    state = st.session_state
    if not state[PICTURE_KEY].open:
        st.rerun()  # it was used
    left, right = st.columns([5, 3], gap="medium")
    with right:
        seen = st.container(key="seen").empty()  # which keeps its place while the picture is looked at again
        key = f"{INVERT_KEY}{state[UPLOADS_KEY]}"
        inverted = state[PICTURE_KEY].inverted
        st.toggle(say("picture.invert.name"), inverted, key=key, help=say("picture.invert.tip"))
    picture, prepared, problem = _look()
    with left:
        data = {
            "name": picture.name,
            "picture": figures.theme.data_uri(_smaller(picture.pixels())),
            "shape": picture.shape,
            "marks": "" if prepared is None else figures.theme.data_uri(_marks(prepared)),
            "crop": picture.framing.crop,
            "without": picture.framing.without,
            "kind": _kind(),
            "texts": assets.words("picture"),
        }
        _framing(key=f"{FRAMING_KEY}{state[UPLOADS_KEY]}", data=data, on_framing_change=lambda: None)
    with right:
        if prepared is not None:
            source = figures.theme.data_uri(np.rint(255 * prepared.image).astype(np.uint8))
            height, width = prepared.image.shape
            alt = html.escape(say("picture.pixels", width=width, height=height))
            seen.html(
                f'<figure class="cv-taken"><img src="{source}" '
                f'alt="{alt}">'
                f"<figcaption>{html.escape(say('picture.seen'))}</figcaption></figure>"
            )
        for sentence in (problem,) if prepared is None else prepared.doubts:
            st.warning(sentence)
        st.button(say("picture.use"), type="primary", disabled=prepared is None, on_click=_use_this)


def _look() -> tuple[Picture, Preparation | None, str]:
    """The picture as it is framed now, what is taken of it so and, where that is nothing, why."""
    state = st.session_state
    picture: Picture = state[PICTURE_KEY]
    sent = state.get(f"{FRAMING_KEY}{state[UPLOADS_KEY]}", {}).get("framing")
    inverted = bool(state.get(f"{INVERT_KEY}{state[UPLOADS_KEY]}", picture.inverted))
    try:
        framing = picture.framing if sent is None else parse_framing(sent)
        picture = replace(picture, framing=framing, inverted=inverted)
        return picture, _prepare(picture.pixels(), framing, inverted), ""
    except (ImageError, MessageError) as error:
        return picture, None, str(error)


def _use_this() -> None:
    picture, prepared, _ = _look()
    if prepared is not None:
        _use(picture, prepared)


def _prepare(grey: np.ndarray, framing: Framing, inverted: bool) -> Preparation:
    """What is taken of the picture; ink is what stands out from the paper, or with ``inverted`` the other kind.

    Raises:
        ImageError: if that is no digit.
    """
    if not inverted:
        return prepare(grey, "auto", framing.crop, framing.without)
    try:
        found = prepare(grey, "auto", framing.crop, framing.without).polarity
    except ImageError:
        found = "dark" if np.median(grey) > 127 else "light"
    return prepare(grey, "light" if found == "dark" else "dark", framing.crop, framing.without)


def _smaller(grey: np.ndarray) -> np.ndarray:
    """A picture no larger than its dialog can show it."""
    factor = -(-max(grey.shape) // SHOWN_SIDE)
    return grey if factor == 1 else np.asarray(Image.fromarray(grey).reduce(factor))


def _marks(prepared: Preparation) -> np.ndarray:
    """uint8 [H, W, 4] a colour over what was taken for the digit, another over what was left out."""
    marks = np.zeros((*prepared.kept.shape, 4), np.uint8)
    marks[prepared.kept] = (*figures.theme.FOR_COLOUR, 190)
    marks[prepared.left_out] = (*figures.theme.AGAINST_COLOUR, 190)
    return marks
