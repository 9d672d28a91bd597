"""What a browser sends and what a link says, parsed into checked values or refused with one sentence.

Nothing from outside is used before a function of this module (of routing: of ``experiments``) has turned it into a frozen value: its type, its
size and its range are checked here and nowhere else. Sentences never quote more than a few characters, and nothing
that could be taken for markup.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from capsviz.checks import quoted, real, whole
from capsviz.errors import MessageError
from capsviz.figures.inside import MOST_MAPS, MOST_OUTPUTS, SCOPES
from capsviz.figures.pose import pose_limit
from capsviz.inputs.drawings import FARTHEST, MOST_POINTS, WIDEST, Drawing, Stroke, decode, stroke_of
from capsviz.inputs.pairs import FARTHEST as FARTHEST_MOVED
from capsviz.texts import drawn, noun, say, spelled
from capsviz.traces.base import Shape

SPAN_LIMIT = 0.5  # of a sweep, of the limit of a pose's numbers
LATE = "late"  # why a browser cannot decode: the weights did not arrive
UNSUPPORTED = (LATE,)
LARGEST = 2**31 - 1  # of a seed, and of a request's number


# --- the pad --------------------------------------------------------------------------------------------

MOST_TAG = 2**31
MOST_OBJECTS = 400  # on the canvas: an example's strokes, and those drawn on it
CURVE = 0.1  # pixels by which the polyline of a curve may leave it
MOST_PIECES = 16  # of one curve

# A session's own number and the number of a showing: what the canvas was last told to show.
Tag = tuple[int, int]


@dataclass(frozen=True)
class Canvas:
    """What the canvas says of itself.

    Attributes:
        tag: of the last showing that it knows of; None if it was never told any.
        objects: how many it holds, without the tag.
        strokes: those of them that were asked for.
    """

    tag: Tag | None
    objects: int
    strokes: tuple[Stroke, ...]


def parse_canvas(state: object, known: int | None) -> Canvas:
    """What the drawing canvas sends: the state of its component, with the drawing in the format of Fabric.js.

    Args:
        state: {"drawing": {"raw": {"objects": [...]}}}; the picture of it that may come along is never looked at.
        known: so many objects need not be read: the strokes of all later ones are. None to read only those that
            are strokes, wherever they are.

    Raises:
        MessageError: if it is anything else, or larger than a drawing can be.
    """
    objects = _entry(_entry(_entry(state, "drawing"), "raw"), "objects")
    if not isinstance(objects, list) or len(objects) > MOST_OBJECTS:
        raise _strange()
    tag = _tag_of(objects[0]) if objects else None
    drawn = objects if tag is None else objects[1:]
    paths = [shape for shape in drawn if isinstance(shape, Mapping) and shape.get("type") == "Path"]
    wanted = paths if known is None else drawn[known:]
    return Canvas(tag, len(drawn), tuple(map(_stroke, wanted)))


def tag_object(tag: Tag) -> dict[str, Any]:
    """An object that the canvas keeps and nobody sees: it tells which showing the other objects are of."""
    return {"type": "Rect", "width": tag[0], "height": tag[1], "visible": False}


def _strange() -> MessageError:
    return MessageError(say("message.strange"))


def _tag_of(shape: object) -> Tag | None:
    if not isinstance(shape, Mapping) or shape.get("type") != "Rect":
        return None
    return _tag(shape.get("width"), shape.get("height"))


def _tag(*parts: object) -> Tag:
    first, second = (whole(part, 0, MOST_TAG, say("message.showing")) for part in parts)
    return first, second


def _entry(value: object, name: str) -> object:
    if not isinstance(value, Mapping) or name not in value:
        raise _strange()
    return value[name]


def _stroke(shape: object) -> Stroke:
    """A path of Fabric.js: ["M", x, y] first, then ["L", x, y] and ["Q", x of the control point, y, x, y]."""
    path, width = _entry(shape, "path"), _entry(shape, "strokeWidth")
    if not isinstance(path, list) or not 0 < len(path) <= MOST_POINTS:
        raise _strange()
    points: list[tuple[float, float]] = []
    point = say("message.point")
    for at, command in enumerate(path):
        if not isinstance(command, list) or not command:
            raise _strange()
        letter, *values = command
        numbers = [real(value, -FARTHEST, FARTHEST, point) for value in values]
        match letter, numbers:
            case "M", [x, y] if at == 0:
                points.append((x, y))
            case "L", [x, y] if at > 0:
                points.append((x, y))
            case "Q", [cx, cy, x, y] if at > 0:
                points += _curve(points[-1], (cx, cy), (x, y))
            case _:
                raise _strange()
    if len(points) > 2 * MOST_POINTS:
        raise MessageError(say("message.longStroke", points=spelled(2 * MOST_POINTS), kind=drawn()))
    return stroke_of(np.array(points), real(width, 1, WIDEST, say("message.pen")))


def _curve(
    start: tuple[float, float], control: tuple[float, float], end: tuple[float, float]
) -> list[tuple[float, float]]:
    """Points on a quadratic Bezier curve after its start, close enough for the lines between them to be the curve."""
    (x0, y0), (x1, y1), (x2, y2) = start, control, end
    bend = math.hypot(x0 - 2 * x1 + x2, y0 - 2 * y1 + y2)
    # The chord of a piece 1/n long in t is off by bend / (4 n^2) at most.
    pieces = max(1, min(MOST_PIECES, math.ceil(math.sqrt(bend / (4 * CURVE)))))
    out = []
    for k in range(1, pieces + 1):
        t = k / pieces
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        out.append((a * x0 + b * x1 + c * x2, a * y0 + b * y1 + c * y2))
    return out


@dataclass(frozen=True)
class Kept:
    """What a browser has kept of its pad.

    Attributes:
        drawing: that was on it.
        told: what its canvas was last told to show: the same, but for the strokes drawn since.
        tag: of that showing.
        width: of the pen, in pixels.
        live: whether the canvas shows it now, and has only lost its server.
        search: of its page's address, from the question mark on.
    """

    drawing: Drawing
    told: Drawing
    tag: Tag
    width: int
    live: bool
    search: str


def parse_kept(value: object, widths: tuple[int, int]) -> Kept:
    """What pad.js sends of the drawing that it kept.

    Args:
        value: {"drawing": text, "told": text, "tag": [a, b], "width": pixels, "live": true or false, "search": text}.
        widths: the least and the most that the pen can have.

    Raises:
        MessageError: if it is anything else.
    """
    drawing, told = (decode(_entry(value, name)) for name in ("drawing", "told"))  # type: ignore[arg-type] # it checks
    tag, live, search = (_entry(value, name) for name in ("tag", "live", "search"))
    if (
        not isinstance(tag, list)
        or len(tag) != 2
        or not isinstance(live, bool)
        or not isinstance(search, str)
    ):
        raise _strange()
    width = whole(_entry(value, "width"), *widths, say("message.pen"))
    return Kept(drawing, told, _tag(*tag), width, live, search)


@dataclass(frozen=True)
class Framing:
    """How an uploaded picture is to be looked at.

    Attributes:
        crop: left, top, right, bottom of the part to look at, as fractions of the picture; None for all of it.
        without: points (x, y) on what is no ink, as fractions of the picture.
    """

    crop: tuple[float, float, float, float] | None = None
    without: tuple[tuple[float, float], ...] = ()


MOST_WITHOUT = 40  # parts of a picture that are no ink
LEAST_CROP = 0.02  # of a side


def parse_framing(value: object) -> Framing:
    """What picture.js sends: {"crop": [left, top, right, bottom] or null, "without": [[x, y], ...]}.

    Raises:
        MessageError: if it is anything else.
    """
    what = say("message.place")
    crop, without = _entry(value, "crop"), _entry(value, "without")
    if not isinstance(without, list) or len(without) > MOST_WITHOUT:
        raise MessageError(say("message.marks", most=MOST_WITHOUT))
    points = []
    for point in without:
        if not isinstance(point, list) or len(point) != 2:
            raise _strange()
        points.append((real(point[0], 0, 1, what), real(point[1], 0, 1, what)))
    if crop is None:
        return Framing(None, tuple(points))
    if not isinstance(crop, list) or len(crop) != 4:
        raise _strange()
    left, top, right, bottom = (real(side, 0, 1, what) for side in crop)
    if right - left < LEAST_CROP or bottom - top < LEAST_CROP:
        raise MessageError(say("message.crop", kind=drawn()))
    return Framing((left, top, right, bottom), tuple(points))


def parse_number(sent: object) -> int:
    """By which a page knows what it has asked for again.

    Raises:
        MessageError: if it is none.
    """
    return whole(sent, 0, LARGEST, say("message.showing"))


# --- Overlap ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Laid:
    """What is laid over the drawing on the Overlap page.

    Attributes:
        example: its place among the examples of what the network reads; None for nothing.
        right: pixels of the picture by which it is moved to the right.
        down: likewise.
        number: of the request, by which its answer is known.
    """

    example: int | None = None
    right: int = 0
    down: int = 0
    number: int = 0


def parse_laid(sent: object, examples: int) -> Laid:
    """What overlap.js sends: {"example": place or null, "right": pixels, "down": pixels, "number": n}.

    Args:
        sent: the message.
        examples: how many there are.

    Raises:
        MessageError: if it is anything else, or out of range.
    """
    if not isinstance(sent, Mapping) or not {"example", "right", "down", "number"} <= sent.keys():
        raise MessageError(say("message.overlay"))
    example = sent["example"]
    return Laid(
        None if example is None else whole(example, 0, examples - 1, say("message.laid")),
        whole(sent["right"], -FARTHEST_MOVED, FARTHEST_MOVED, say("message.moved")),
        whole(sent["down"], -FARTHEST_MOVED, FARTHEST_MOVED, say("message.moved")),
        whole(sent["number"], 0, LARGEST, say("message.request")),
    )


# --- Inside -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Looked:
    """What is looked at on the Inside page.

    Attributes:
        map: the kernel of the first layer and its map.
        capsule: the primary capsule; of a network without them one of the numbers that its last layer reads.
        scope: of the colour scale, of ``figures.inside.SCOPES``.
    """

    map: int = 0
    capsule: int = 0
    scope: str = SCOPES[0]


def parse_looked(sent: object, shape: Shape) -> Looked:
    """What inside.js tells: {"map": n, "capsule" or "output": n, "scope": one of three}.

    Raises:
        MessageError: if it is anything else, or out of range.
    """
    if not isinstance(sent, Mapping) or sent.get("scope") not in SCOPES:
        raise MessageError(say("export.request"))
    most = shape.grid.capsules if shape.grid else MOST_OUTPUTS
    return Looked(
        whole(sent.get("map"), 0, MOST_MAPS - 1, say("message.map")),
        whole(sent.get("capsule" if shape.grid else "output"), 0, most - 1, say("message.primary")),
        sent["scope"],
    )


# --- Pose ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sweep:
    """One dimension of a pose on the move."""

    digit: int
    pose: tuple[float, ...] | tuple[tuple[float, ...], ...]  # [16], or [10][16] to feed all capsules
    dimension: int
    span: float  # how far it moves, down and up


@dataclass(frozen=True)
class Morph:
    """The way from one pose [16] to another."""

    digits: tuple[int, int]
    poses: tuple[tuple[float, ...], tuple[float, ...]]


def parse_motion(sent: object, shape: Shape) -> Sweep | Morph:
    """What moves on the Pose page, as its view tells, of poses of a network's ``shape``.

    Raises:
        MessageError: if a field is missing, has a wrong type, or is out of range.
    """
    if not isinstance(sent, Mapping) or sent.get("kind") not in ("sweep", "morph"):
        raise MessageError(say("message.motion"))
    if sent["kind"] == "morph":
        first, second = sent.get("a"), sent.get("b")
        if not isinstance(first, Mapping) or not isinstance(second, Mapping):
            raise MessageError(say("message.morph"))
        return Morph(
            digits=(_capsule(first.get("digit"), shape), _capsule(second.get("digit"), shape)),
            poses=(_pose(first.get("pose"), shape), _pose(second.get("pose"), shape)),
        )
    pose = sent.get("pose")
    if (
        isinstance(pose, (list, tuple))
        and len(pose) == len(shape.classes)
        and not all(isinstance(value, int | float) for value in pose)
    ):
        poses: tuple[float, ...] | tuple[tuple[float, ...], ...] = tuple(_pose(own, shape) for own in pose)
    else:
        poses = _pose(pose, shape)
    return Sweep(
        digit=_capsule(sent.get("digit"), shape),
        pose=poses,
        dimension=whole(sent.get("dimension"), 0, shape.pose - 1, say("message.dimension")),
        span=real(sent.get("span"), 0.01, SPAN_LIMIT * pose_limit(shape), say("message.span")),
    )


def _capsule(sent: object, shape: Shape) -> int:
    return whole(sent, 0, len(shape.classes) - 1, say("message.capsule", kind=noun(shape.kind)))


def _pose(sent: object, shape: Shape) -> tuple[float, ...]:
    if not isinstance(sent, (list, tuple)) or len(sent) != shape.pose:
        raise MessageError(say("message.pose", count=shape.pose))
    limit = pose_limit(shape)
    return tuple(real(value, -limit, limit, say("message.poseNumber")) for value in sent)


def stored(sent: object, name: str) -> str:
    """The name of the weights whose decoder a browser says it has: those that it was sent.

    Raises:
        MessageError: if it names others, or none.
    """
    if sent != name:
        raise MessageError(say("message.kept", found=quoted(sent), name=name))
    return name


def unsupported(sent: object) -> str:
    """Why a browser cannot decode, in words.

    Raises:
        MessageError: if that is no reason that a view gives.
    """
    if not isinstance(sent, str) or sent not in UNSUPPORTED:
        raise MessageError(say("message.reason", found=quoted(sent)))
    return say(f"pose.unsupported.{sent}")
