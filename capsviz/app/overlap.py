"""The Overlap page's live view in Streamlit: the drawing as two digits, or with an example laid over it."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from capsviz.app import address, asked, assets, messages, pad, prepared, session
from capsviz.app.follow import follows
from capsviz.app.messages import Laid
from capsviz.app.parameters import MOST_PARTS
from capsviz.errors import CapsvizError
from capsviz.figures.overlap import Apart, apart, overlap_payload
from capsviz.figures.theme import added, class_colours
from capsviz.inputs.drawings import Drawing
from capsviz.inputs.examples import EXAMPLES, Example, examples_for, render
from capsviz.inputs.preprocess import canvas_to_mnist, separate
from capsviz.inputs.spread import placed
from capsviz.texts import say
from capsviz.traces.base import Shape
from capsviz.traces.routing import RoutingTrace

VIEW_KEY = "overlap"  # the component; its state: "laid", as overlap.js makes it
LAID_KEY = "laid"  # Laid: the last that could be read, which outlasts the page and its component

_view = assets.component("capsviz_overlap", "overlap")


class Picture(NamedTuple):
    """What the network is shown, and what it is made of."""

    parts: np.ndarray  # [N, S, S] in 0..1
    trace: RoutingTrace
    drawings: np.ndarray  # [J, S, S] in 0..1


@follows("overlap")
def overlap() -> None:
    """The picture taken apart; only this part runs again for an example that is laid over it."""
    now = session.reading()
    if now.answer is None:
        return  # the page has been left, or says what to do
    shape = now.answer.trace.shape
    laid, problem = _asked(shape)
    try:
        picture = pictured(now, laid)
    except (CapsvizError, RuntimeError) as error:
        problem = session.failure(error) if isinstance(error, RuntimeError) else str(error)
        laid, picture = Laid(number=laid.number), _drawn(now)
    data = overlap_payload(
        picture.trace,
        picture.drawings,
        picture.parts,
        below=laid.example is None and (now.drawing.example is not None or now.drawing.picture is not None),
        limit=float(session.model().card["unsure_below"]),
        laid=asdict(laid),
        suggested=laid.example is not None and LAID_KEY not in st.session_state,
        examples=[say(f"example.{example.name}") for example in _examples(shape)],
        link=address.for_script("overlap", shape, now.iterations),
        problem=problem,
    )
    _view(key=VIEW_KEY, data=data, on_laid_change=lambda: None)


def current() -> Laid | None:
    """What lies over the drawing, whatever the number of the request; None where nothing does."""
    laid = _last(session.spec().shape)
    return None if laid.example is None else replace(laid, number=0)


def pictured(now: session.Reading, laid: Laid) -> Picture:
    """The drawing, with what is laid over it.

    Raises:
        CapsvizError: if something is, and the drawing alone is none that can be read.
    """
    return _drawn(now) if laid.example is None else _overlaid(now, laid, now.trace.shape)


def told_apart(picture: Picture, second: int) -> Apart:
    """Which digit was drawn first, and how near each is drawn again; ``second`` as ``figures.overlap.apart`` has it."""
    return apart(picture.trace.lengths[-1], picture.drawings, picture.parts, second)


def settings_of(told: Apart, classes: Sequence[str]) -> dict[str, Any]:
    """The same for the files of Export."""
    errors = {} if told.errors is None else {"squared_errors": [round(error, 4) for error in told.errors]}
    return {"digits": [classes[place] for place in told.pair], **errors}


def _examples(shape: Shape) -> tuple[Example, ...]:
    """The drawings that can be laid over another."""
    return examples_for(shape.kind)


def _asked(shape: Shape) -> tuple[Laid, str]:
    """What is to be laid over the drawing, and why it is not what was just asked for, if it is not."""
    last = _last(shape)
    sent, count = asked.sent(VIEW_KEY, "laid"), len(_examples(shape))
    return asked.latest(sent, lambda sent: messages.parse_laid(sent, count), last, LAID_KEY, "drawing")


def _last(shape: Shape) -> Laid:
    """What was laid over it last. Before anybody has chosen or drawn anything: an example, so that two are seen at once."""
    kept: Laid | None = st.session_state.get(LAID_KEY)
    if kept is not None:
        return kept
    fixed = prepared.locked("drawing") or prepared.hidden("laid")
    if fixed or st.session_state.get(pad.LINKED_KEY) or not pad.untouched(shape.kind):
        return Laid()
    # Of those, one whose colour is easily told from the drawing's.
    colours = dict(zip(shape.classes, class_colours(len(shape.classes)), strict=True))
    shown = [added(np.ones((1, 1, 1)), [colours[one.shows]]) for one in _examples(shape)]
    gaps = [float(np.linalg.norm(colour - shown[0].astype(float))) for colour in shown]
    return Laid(int(np.argmax(gaps)))


def _drawn(now: session.Reading) -> Picture:
    """The drawing as it is."""
    assert now.reconstructions is not None  # the page needs poses
    shape = now.trace.shape
    return Picture(strokes_apart(now.drawing, shape, now.trace.image), now.trace, now.reconstructions[-1])


@lru_cache(maxsize=8)
def _apart(drawing: Drawing, size: int, digits: int) -> np.ndarray:
    layers = drawing.layers()
    if len(layers) > MOST_PARTS:
        layers[MOST_PARTS - 1 :] = [np.maximum.reduce(layers[MOST_PARTS - 1 :])]
    return separate(layers, size, digits)


def strokes_apart(drawing: Drawing, shape: Shape, image: np.ndarray) -> np.ndarray:
    """[N, S, S] in 0..1: what lies below the strokes, if anything does, and each stroke, as they are in the picture seen.

    Args:
        drawing: with at least one of these; of more than 12 the last ones are one.
        shape: of the network.
        image: [S, S] what it sees, which an uploaded picture without strokes is alone.
    """
    if drawing.picture is not None and not drawing.strokes:
        return image[None]
    return _apart(drawing, shape.size, shape.answers)


def _overlaid(now: session.Reading, laid: Laid, shape: Shape) -> Picture:
    """The drawing and an example over it, each as large as in training, added and at most white.

    Raises:
        CapsvizError: if the drawing alone is none that can be read.
    """
    assert laid.example is not None
    own = placed(now.drawing.image(), shape.size)
    example = _examples(shape)[laid.example]
    other = placed(_example(EXAMPLES.index(example)), shape.size, laid.right, laid.down)
    parts = np.stack([own, other])
    model = session.model()
    trace: RoutingTrace = model.trace(parts.sum(0).clip(max=1), now.iterations)
    poses = trace.v[-1][:, None] * np.eye(len(shape.classes), dtype=np.float32)[:, :, None]
    return Picture(parts, trace, model.decode(poses))


@lru_cache(maxsize=len(EXAMPLES))
def _example(place: int) -> np.ndarray:
    return canvas_to_mnist(render(EXAMPLES[place].strokes, EXAMPLES[place].width))
