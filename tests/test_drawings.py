"""Drawings: strokes on a grid of half pixels, what the network sees of them, and their text."""

import base64
import math
import zlib
from itertools import pairwise

import numpy as np
import pytest
from reference import assert_one_sentence

from capsviz.errors import MessageError
from capsviz.inputs import drawings
from capsviz.inputs.drawings import Drawing, Stroke, decode, encode, render_stroke, simplify, stroke_of
from capsviz.inputs.examples import EXAMPLES, render


def same(a: Drawing, b: Drawing) -> bool:
    return (
        (a.example, len(a.strokes)) == (b.example, len(b.strokes))
        and all(
            p.width == q.width and np.array_equal(p.points, q.points)
            for p, q in zip(a.strokes, b.strokes, strict=True)
        )
        and (a.picture is None) == (b.picture is None)
        and (a.picture is None or np.array_equal(a.picture, b.picture))
    )


def text_of(*body: int, version: int = 1) -> str:
    """A drawing's text from the numbers of its body, written out by hand."""
    deflate = zlib.compressobj(wbits=-15)
    packed = bytes([version]) + deflate.compress(bytes(body)) + deflate.flush()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


# --- strokes --------------------------------------------------------------------------------------------


def distance(point: np.ndarray, line: np.ndarray) -> float:
    """Of a point from a polyline, by trying many places on it."""
    t = np.linspace(0, 1, 200)[:, None]
    if len(line) == 1:
        return float(np.hypot(*(point - line[0])))
    return min(float(np.hypot(*(point - (a + t * (b - a))).T).min()) for a, b in pairwise(line))


def test_simplifying_leaves_out_what_lies_on_the_way_and_keeps_corners() -> None:
    square = np.array([[0, 0], [5, 0], [10, 0], [10, 4], [10, 10], [0, 10.0]])
    np.testing.assert_array_equal(simplify(square, 0.5), [[0, 0], [10, 0], [10, 10], [0, 10]])
    bent = np.array([[0, 0], [5, 0.5], [10, 0.0]])
    np.testing.assert_array_equal(simplify(bent, 0.5), bent[[0, 2]])  # exactly as far as is allowed
    np.testing.assert_array_equal(simplify(bent, 0.49), bent)


def test_a_pen_that_goes_back_on_its_way_has_gone_there() -> None:
    there_and_back = np.array([[0, 0], [30, 0], [10, 0.0]])
    np.testing.assert_array_equal(simplify(there_and_back, 0.5), there_and_back)
    closed = np.array([[0, 0], [9, 0], [9, 9], [0, 0.0]])
    np.testing.assert_array_equal(simplify(closed, 0.5), closed)


def test_no_point_is_farther_from_the_simplified_line_than_is_allowed() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        line = np.cumsum(rng.normal(size=(60, 2)), axis=0)
        for tolerance in (0.3, 2.0):
            simple = simplify(line, tolerance)
            assert max(distance(point, simple) for point in line) <= tolerance + 0.02
            assert len(simple) < len(line)


def douglas_and_peucker(line: list[tuple[float, float]], tolerance: float) -> list[tuple[float, float]]:
    """As they wrote it down, one span after the other; distances are those to the segment."""

    def away(point: tuple[float, float]) -> float:
        (x0, y0), (x1, y1) = line[0], line[-1]
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        t = 0.0
        if length:
            t = min(max(((point[0] - x0) * (x1 - x0) + (point[1] - y0) * (y1 - y0)) / length, 0), 1)
        return math.hypot(point[0] - x0 - t * (x1 - x0), point[1] - y0 - t * (y1 - y0))

    if len(line) < 3:
        return line
    farthest = max(range(1, len(line) - 1), key=lambda place: away(line[place]))  # the first of those as far
    if away(line[farthest]) <= tolerance:
        return [line[0], line[-1]]
    before, after = line[: farthest + 1], line[farthest:]
    return douglas_and_peucker(before, tolerance)[:-1] + douglas_and_peucker(after, tolerance)


def test_simplifying_is_that_of_douglas_and_peucker() -> None:
    rng = np.random.default_rng(5)
    for count in (1, 2, 3, 7, 40, 90):
        for tolerance in (0.5, 3.0):
            # On a coarse grid many points coincide, and many are as far.
            line = np.rint(np.cumsum(rng.normal(0, 2, (count, 2)), axis=0)) * (0.3 if tolerance < 1 else 1)
            expected = douglas_and_peucker(list(map(tuple, line.tolist())), tolerance)
            np.testing.assert_array_equal(simplify(line, tolerance), expected)


def test_a_stroke_lies_on_half_pixels_and_has_no_point_twice() -> None:
    stroke = stroke_of(np.array([[10.2, 20.3], [10.3, 20.2], [30.26, 20.24]]), 7.5)
    np.testing.assert_array_equal(stroke.points, [[20, 41], [61, 40]])
    assert stroke.points.dtype == np.int16
    assert stroke.width == 15
    assert not stroke.points.flags.writeable
    np.testing.assert_array_equal(stroke_of(np.array([[1, 2], [1.1, 2.1]]), 3).points, [[2, 4]])


def test_a_stroke_is_drawn_where_its_points_are_and_as_wide_as_its_pen() -> None:
    pixels = render_stroke(Stroke(np.array([[80, 200], [400, 200]], np.int16), 40))
    assert pixels.shape == (280, 280)
    rows, columns = np.nonzero(pixels > 127)
    assert (rows.min(), rows.max()) == (90, 109)  # 20 around y = 100
    assert (columns.min(), columns.max()) == (30, 209)  # 10 beyond both ends


# --- what is seen ---------------------------------------------------------------------------------------


def test_a_drawing_is_its_strokes_on_what_lies_below_them() -> None:
    line = stroke_of(np.array([[20, 260], [260, 260]]), 10)
    example = render(EXAMPLES[4].strokes, EXAMPLES[4].width)
    both = Drawing((line,), example=4).pixels()
    np.testing.assert_array_equal(both, np.maximum(example, render_stroke(line)))
    picture = np.zeros((28, 28), np.uint8)
    picture[3, 5] = 255
    scaled = Drawing(picture=picture).pixels()
    assert scaled[35, 55] > 200  # row 3, column 5, ten times as large
    assert scaled[55, 35] == 0
    assert not Drawing().pixels().any()


def test_a_picture_alone_is_seen_as_it_is() -> None:
    picture = np.arange(784, dtype=np.uint16).reshape(28, 28).astype(np.uint8)
    image = Drawing(picture=picture).image()
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, picture / 255, rtol=1e-6)


def test_blank_means_nothing_at_all() -> None:
    line = stroke_of(np.array([[20, 260], [260, 260]]), 10)
    assert Drawing().blank
    for drawing in (Drawing((line,)), Drawing(example=0), Drawing(picture=np.zeros((28, 28), np.uint8))):
        assert not drawing.blank


# --- text -----------------------------------------------------------------------------------------------


def test_the_text_is_what_its_description_says() -> None:
    """One stroke, 18 pixels wide, from (10, 20) to (8.5, 60): in half pixels 20, 40, then -3, +80; zigzag."""
    stroke = stroke_of(np.array([[10, 20], [8.5, 60]]), 18)
    body = [0, 1, 36, 2, 40, 80, 5, 160 & 127 | 128, 1]
    packed = base64.urlsafe_b64decode(encode(Drawing((stroke,))) + "==")
    assert packed[0] == 1
    assert list(zlib.decompress(packed[1:], -15)) == body
    assert same(decode(text_of(*body)), Drawing((stroke,)))


@pytest.mark.parametrize("example", [None, 0, len(EXAMPLES) - 1])
def test_a_drawing_read_back_is_the_same(example: int | None) -> None:
    rng = np.random.default_rng(5)
    for strokes in range(6):
        made = tuple(
            stroke_of(rng.uniform(-400, 700, (rng.integers(1, 40), 2)), rng.uniform(1, 40))
            for _ in range(strokes)
        )
        drawing = Drawing(made, example)
        text = encode(drawing)
        assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        assert same(decode(text), drawing)


def test_the_farthest_points_and_the_most_of_them_survive() -> None:
    far = drawings.FARTHEST
    signs = np.random.default_rng(2).choice([-1, 1], (drawings.MOST_POINTS, 2))
    stroke = Stroke((2 * far * signs).astype(np.int16), 2 * drawings.WIDEST)
    drawing = Drawing((stroke,), picture=np.full((28, 28), 255, np.uint8))
    assert len(encode(drawing)) <= drawings.MOST_TEXT
    assert same(decode(encode(drawing)), drawing)
    random = np.random.default_rng(1).integers(0, 256, (28, 28)).astype(np.uint8)
    assert same(decode(encode(Drawing(picture=random))), Drawing(picture=random))


def test_a_usual_digit_is_a_short_text() -> None:
    for example in EXAMPLES:
        strokes = tuple(stroke_of(280 * np.array(s), 280 * example.width) for s in example.strokes)
        assert len(encode(Drawing(strokes))) <= 300


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "=",
        "nonsense",
        "%00",
        "é",
        None,
        7,
        b"AQ",
        text_of(),
        text_of(0, 0, version=2),
        text_of(3, 0),  # on something unknown
        text_of(1, len(EXAMPLES), 0),  # no such example
        text_of(0, 0, 0),  # something after the end
        text_of(0, 1, 36, 2, 40, 80, 5),  # cut short
        text_of(2, *range(100)),  # a picture cut short
        text_of(0, 1, 0, 1, 0, 0),  # a pen of no width
        text_of(0, 1, 81, 1, 0, 0),  # a pen too wide
        text_of(0, 1, 36, 0),  # a stroke of no point
        text_of(0, 128 | 73, 1),  # 201 strokes
        text_of(0, 1, 36, 1, 255, 255, 255, 255, 255, 1, 0),  # a number without end
        text_of(0, 1, 36, 2, *[0x80, 0xFA, 0x01] * 2, *[0x80, 0xFA, 0x01] * 2),  # twice as far as is allowed
        text_of(0, 1, 36, 1, 0x81, 0xFA, 0x01, 0),  # half a pixel too far on the left
        text_of(0, 2, 36, 0xC5, 0x13, *[0] * 5002, 36, 0xC5, 0x13, *[0] * 5002),  # twice 2501 points
        encode(Drawing(example=1)) + "AAAA",
        "A" * (drawings.MOST_TEXT + 1),
    ],
)
def test_what_is_no_drawing_is_refused_with_one_sentence(text: object) -> None:
    with pytest.raises(MessageError) as refused:
        decode(text)  # type: ignore[arg-type]
    assert_one_sentence(str(refused.value), "draw it again")


def test_limits_are_reached_before_they_are_passed() -> None:
    """The last numbers that are allowed, beside those above that are not."""
    assert decode(text_of(1, len(EXAMPLES) - 1, 0)).example == len(EXAMPLES) - 1
    assert decode(text_of(0, 1, 80, 1, 0, 0)).strokes[0].width == 80
    # 16,000 half pixels: zigzag 32,000, seven bits at a time.
    assert decode(text_of(0, 1, 36, 1, 0x80, 0xFA, 0x01, 0)).strokes[0].points.tolist() == [[16_000, 0]]


def test_a_bomb_is_not_inflated() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"\x01" + bomb.compress(bytes(20_000_000)) + bomb.flush()
    text = base64.urlsafe_b64encode(packed).decode()
    assert len(text) < drawings.MOST_TEXT
    with pytest.raises(MessageError):
        decode(text)


def test_ten_thousand_mangled_texts_are_drawings_or_refused() -> None:
    rng = np.random.default_rng(0)
    alphabet = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", np.uint8)
    line = stroke_of(np.array([[10, 20], [200, 60], [100, 250]]), 18)
    good = np.frombuffer(encode(Drawing((line, line), example=2)).encode(), np.uint8)
    read = 0
    for _ in range(10_000):
        letters = good.copy()[: rng.integers(1, len(good) + 1)]
        letters[rng.integers(0, len(letters), 2)] = rng.choice(alphabet, 2)
        try:
            drawing = decode(letters.tobytes().decode())
        except MessageError:
            continue
        read += 1
        assert all(np.abs(stroke.points).max() <= 2 * drawings.FARTHEST for stroke in drawing.strokes)
    assert read < 5_000


def test_size_is_checked_to_the_stroke_and_the_point() -> None:
    dot = Stroke(np.array([[0, 0]], np.int16), 36)
    drawings.check_size([dot] * drawings.MOST_STROKES)
    with pytest.raises(MessageError) as refused:
        drawings.check_size([dot] * (drawings.MOST_STROKES + 1))
    assert_one_sentence(str(refused.value), "Clear begins anew")
    half = Stroke(np.zeros((drawings.MOST_POINTS // 2, 2), np.int16), 36)
    drawings.check_size([half, half])
    with pytest.raises(MessageError):
        drawings.check_size([half, half, dot])
