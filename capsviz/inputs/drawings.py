"""A drawing as a person makes it: strokes of a pen on a square pad, on nothing, on an example or on a picture.

Strokes are simplified as they come and kept on a grid of half pixels: a drawing, its text (for a browser to keep, or a
link) and the drawing read back from that are the same to the last bit, and so is all that the network makes of them.
"""

import base64
import binascii
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from PIL import Image

from capsviz.errors import MessageError
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.preprocess import FIELD, canvas_to_mnist
from capsviz.texts import drawn, say
from capsviz.texts.numbers import grouped

PAD = 280  # side of the pad in pixels
WIDTHS, WIDTH = (6, 30), 18  # pixels: of a person's pen, and of the one that a session begins with
GRID = 2  # places of a stroke's points in a pixel, each way
TOLERANCE = 0.5  # pixels by which simplifying may move a line

# Of one drawing. A digit has 1 to 4 strokes of some 20 points each; these let a person scribble for minutes.
MOST_STROKES, MOST_POINTS = 200, 5_000
WIDEST = 40  # pixels of a pen
FARTHEST = 8_000  # pixels from the pad's corner: a pen may leave the pad and come back

# Of its text: bytes of zlib's, and what they may grow to. All points at their farthest take about half of it.
MOST_TEXT, MOST_BYTES = 48_000, 65_536
_VERSION = 1
_NOTHING, _EXAMPLE, _PICTURE = range(3)  # what the strokes lie on


class Stroke(NamedTuple):
    """One way of the pen.

    Attributes:
        points: int16 [N, 2] x to the right and y down, in half pixels of the pad; read-only. One alone is a dot.
        width: of the pen in half pixels.
    """

    points: np.ndarray
    width: int


@dataclass(frozen=True, eq=False)
class Drawing:
    """What is on the pad.

    Attributes:
        strokes: of the person's pen, in the order in which they were drawn.
        example: index in ``EXAMPLES`` of the one below the strokes; None without.
        picture: uint8 [28, 28] an uploaded picture as MNIST's makers would have made it, white on black; None without.
    """

    strokes: tuple[Stroke, ...] = ()
    example: int | None = None
    picture: np.ndarray | None = None

    def image(self, size: int = FIELD, digits: int = 1) -> np.ndarray:
        """[size, size] in 0..1, as a network for pictures of that size, with so many digits in each, is to see it.

        Raises:
            ImageError: if no digit can be made out.
        """
        if self.picture is not None and not self.strokes:
            seen = self.picture
            if size != FIELD:
                seen = np.asarray(Image.fromarray(seen).resize((size, size), Image.Resampling.HAMMING))
            return seen.astype(np.float32) / np.float32(255)
        return canvas_to_mnist(self.pixels(), "light", size, digits)

    def pixels(self) -> np.ndarray:
        """uint8 [280, 280] the pad, white ink on black."""
        layers = self.layers()
        return np.maximum.reduce(layers) if layers else np.zeros((PAD, PAD), np.uint8)

    def layers(self) -> list[np.ndarray]:
        """uint8 [280, 280] each: what lies below the strokes, if anything does, and each stroke."""
        layers = []
        if self.example is not None:
            layers.append(render(EXAMPLES[self.example].strokes, EXAMPLES[self.example].width, PAD))
        if self.picture is not None:
            scaled = Image.fromarray(self.picture).resize((PAD, PAD), Image.Resampling.BILINEAR)
            layers.append(np.asarray(scaled))
        return layers + [render_stroke(stroke) for stroke in self.strokes]

    @property
    def blank(self) -> bool:
        """Whether there is nothing on the pad."""
        return not self.strokes and self.example is None and self.picture is None


def render_stroke(stroke: Stroke) -> np.ndarray:
    """uint8 [280, 280] one stroke, as a canvas with round caps and joins would draw it."""
    scale = GRID * PAD
    return render(
        (tuple((x / scale, y / scale) for x, y in stroke.points.tolist()),), stroke.width / scale, PAD
    )


def stroke_of(points: np.ndarray, width: float) -> Stroke:
    """Simplify a polyline and put it on the grid.

    Args:
        points: [N, 2] x and y in pixels of the pad, N at least 1.
        width: of the pen in pixels.

    Returns:
        A stroke that lies within ``TOLERANCE`` and half a step of the grid of the polyline.
    """
    places = np.rint(simplify(np.asarray(points, np.float64), TOLERANCE) * GRID).astype(np.int16)
    moved = np.ones(len(places), bool)
    moved[1:] = (places[1:] != places[:-1]).any(axis=1)
    places = places[moved]
    places.flags.writeable = False
    return Stroke(places, round(width * GRID))


def simplify(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Leave points out that lie within ``tolerance`` of the line between those that stay (Douglas and Peucker, 1973).

    Args:
        points: [N, 2].
        tolerance: in the units of the points.
    """
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    x, y = points.T
    first, last = np.array([0]), np.array([len(points) - 1])  # of all spans that are looked at together
    while (more := last - first > 1).any():
        first, last = first[more], last[more]
        counts = last - first - 1
        starts = counts.cumsum() - counts
        between = np.arange(counts.sum()) + (first + 1 - starts).repeat(counts)
        dx, dy = x[last] - x[first], y[last] - y[first]
        square = dx * dx + dy * dy
        square[square == 0] = 1  # both ends are one point: the way to it is 0 long
        px, py = x[between] - x[first].repeat(counts), y[between] - y[first].repeat(counts)
        dx, dy = dx.repeat(counts), dy.repeat(counts)
        # The nearest point of the segment, not of the line: a pen goes back on its own way too.
        along = np.minimum(np.maximum((px * dx + py * dy) / square.repeat(counts), 0), 1)
        away = np.hypot(px - along * dx, py - along * dy)
        farthest = np.maximum.reduceat(away, starts)
        apart = farthest > tolerance
        at = np.flatnonzero(away == farthest.repeat(counts))
        middle = between[at[at.searchsorted(starts)]][apart]  # the first of those that are as far
        keep[middle] = True
        first, last = np.concatenate([first[apart], middle]), np.concatenate([middle, last[apart]])
    return points[keep]


def check_size(strokes: Sequence[Stroke]) -> None:
    """See that strokes are few enough to be one drawing.

    Raises:
        MessageError: if they are not.
    """
    points = sum(len(stroke.points) for stroke in strokes)
    if len(strokes) > MOST_STROKES or points > MOST_POINTS:
        raise MessageError(
            say("image.tooMany", strokes=MOST_STROKES, points=grouped(MOST_POINTS), kind=drawn())
        )


# --- as text --------------------------------------------------------------------------------------------


def encode(drawing: Drawing) -> str:
    """A drawing as text of letters, digits, - and _: base64url of a version byte and deflated numbers.

    Points are differences from the last, zigzag and seven bits a byte: a usual digit takes 100 to 200 characters.
    """
    body = bytearray()
    if drawing.example is not None:
        body += bytes([_EXAMPLE]) + _number(drawing.example)
    elif drawing.picture is not None:
        body += bytes([_PICTURE]) + drawing.picture.tobytes()
    else:
        body.append(_NOTHING)
    body += _number(len(drawing.strokes))
    for points, width in drawing.strokes:
        body += _number(width) + _number(len(points))
        moves = np.diff(np.vstack([[0, 0], points.astype(np.int64)]), axis=0)
        for step in map(int, moves.flat):
            body += _number(2 * step if step >= 0 else -2 * step - 1)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)  # no header, no checksum: the frame around it has both
    packed = bytes([_VERSION]) + deflate.compress(bytes(body)) + deflate.flush()
    return base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def decode(text: str) -> Drawing:
    """The drawing that ``encode`` made a text of.

    Raises:
        MessageError: if this is no such text, or of a drawing larger than any that can be drawn.
    """
    try:
        body = _unpack(text)
        drawing = _read(iter(body))
    except (ValueError, LookupError, StopIteration, binascii.Error, zlib.error) as error:
        raise MessageError(say("image.unreadable")) from error
    return drawing


def _unpack(text: str) -> bytes:
    if not isinstance(text, str) or len(text) > MOST_TEXT or not text.isascii():
        raise ValueError("no text of a drawing")
    packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if packed[0] != _VERSION:
        raise ValueError("of another version")
    inflate = zlib.decompressobj(-15)
    body = inflate.decompress(packed[1:], MOST_BYTES)
    if not inflate.eof or inflate.unused_data:
        raise ValueError("too large, cut short, or followed by something else")
    return body


def _read(body: Iterator[int]) -> Drawing:
    kind = next(body)
    example, picture = None, None
    if kind == _EXAMPLE:
        example = _next_number(body, len(EXAMPLES) - 1)
    elif kind == _PICTURE:
        picture = np.frombuffer(bytes(islice(body, FIELD**2)), np.uint8).reshape(FIELD, FIELD)
    elif kind != _NOTHING:
        raise ValueError("on something unknown")
    strokes = []
    left = MOST_POINTS
    for _ in range(_next_number(body, MOST_STROKES)):
        width, count = _next_number(body, GRID * WIDEST), _next_number(body, left)
        if width < 1 or count < 1:
            raise ValueError("a stroke of nothing")
        left -= count
        steps = [_next_number(body, 4 * GRID * FARTHEST) for _ in range(2 * count)]
        signed = [step // 2 if step % 2 == 0 else -(step + 1) // 2 for step in steps]
        points = np.cumsum(np.array(signed).reshape(count, 2), axis=0)
        if np.abs(points).max() > GRID * FARTHEST:
            raise ValueError("a point far outside")
        points = points.astype(np.int16)
        points.flags.writeable = False
        strokes.append(Stroke(points, width))
    if next(body, None) is not None:
        raise ValueError("followed by something else")
    return Drawing(tuple(strokes), example, picture)


def _number(value: int) -> bytes:
    """A whole number from 0 up, seven bits a byte, the lowest first; the eighth bit says that more follow."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _next_number(body: Iterator[int], most: int) -> int:
    value = 0
    for shift in range(0, 28, 7):
        byte = next(body)
        value |= (byte & 127) << shift
        if byte < 128:
            if value > most:
                raise ValueError("a number too large")
            return value
    raise ValueError("a number too long")
