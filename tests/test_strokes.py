"""Drawings as strokes: rendered like a canvas's, made up in every style, read from files."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import reference
from numpy.random import default_rng

from capsviz.errors import DataError
from capsviz.inputs import recorded, strokes
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.inputs.recorded import labels_of, read_strokes
from capsviz.inputs.skeletons import DIGIT_STYLES, OTHER_STYLES, UNSEEN_STYLES, Style, styles
from capsviz.inputs.strokes import (
    Drawing,
    draw,
    fit,
    make_image,
    random_digit,
    random_other,
    render,
)
from capsviz.models.model import load_model

ALL_STYLES = pytest.mark.parametrize(
    "style",
    styles(DIGIT_STYLES) + styles(OTHER_STYLES) + styles(UNSEEN_STYLES),
    ids=lambda style: f"{style.what}-{style.name}",
)


def line(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, float)


def way(stroke: np.ndarray) -> float:
    return np.hypot(*np.diff(stroke, axis=0).T).sum()


# --- rendering ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [6, 8, 18, 26.5])
def test_a_line_is_as_wide_and_as_long_as_asked_for(width: float):
    ink = render([line((0, 0), (1, 0))], width, size=150, offset=(40, 90)) / 255
    # Across its middle: as much ink as the pen is wide, around row edge 90. Along it: both caps more.
    assert ink[:, 115].sum() == pytest.approx(width, abs=0.3)
    assert (ink[:, 115] * (np.arange(280) + 0.5)).sum() / ink[:, 115].sum() == pytest.approx(90, abs=0.3)
    assert ink[90].sum() == pytest.approx(150 + width, abs=1)
    assert ink.sum() == pytest.approx(150 * width + np.pi * width**2 / 4, rel=0.04)


def test_lines_are_placed_where_they_were_asked_for():
    ink = render([line((0, 0), (0, 1)), line((0.5, 0.5))], 10, size=100, offset=(60, 20), canvas=200)
    assert ink.shape == (200, 200)
    assert ink.dtype == np.uint8
    rows, columns = np.nonzero(ink > 127)
    assert (rows.min(), rows.max()) == (15, 124)  # from 20 to 120, and half a pen's width beyond
    assert (columns.min(), columns.max()) == (55, 114)  # the line at 60, the dot at 60 + 50


@pytest.mark.parametrize("width", [8, 26])
@pytest.mark.parametrize("size", [90, 200, 400])
def test_drawings_are_placed_all_over_the_canvas_and_never_cut_off(width: float, size: float):
    rng = default_rng(0)
    places = []
    for _ in range(30):
        ink = strokes.render_anywhere([line((0, 0), (0.6, 1))], width, size, rng)
        assert not ink[[0, -1]].any()
        assert not ink[:, [0, -1]].any()
        rows, columns = np.nonzero(ink > 127)
        places.append((rows.min(), columns.min()))
        height = rows.max() + 1 - rows.min()
        assert height == pytest.approx(min(size, 280 - 2 * (width / 2 + 5.6)) + width, abs=2)
    assert size == 400 or np.ptp(places, axis=0).min() > 30


def test_fit_keeps_proportions_and_what_has_no_extent():
    a, b = fit([line((10, 20), (10, 60)), line((20, 40))])
    np.testing.assert_allclose(a, [[0, 0], [0, 1]])
    np.testing.assert_allclose(b, [[0.25, 0.5]])
    (dot,) = fit([line((3, 4))])
    np.testing.assert_allclose(dot, [[0, 0]])


# --- a hand ---------------------------------------------------------------------------------------------

CAREFUL = strokes.Hand(
    jitter=0, warp=0, slant=0, turn=0, aspect=1, rounding=0.001, tremor=0, reach=0, stray=0, pace=0.01
)


def drawn(hand: strokes.Hand, seed: int = 0) -> list[np.ndarray]:
    """An L: a line down and, with a corner, one to the right."""
    el = Style("letter", "L", 1, (((0, 0, False), (0, 1, True), (0.5, 1, False)),))
    return draw(el, default_rng(seed), hand)


def test_a_careful_hand_draws_the_skeleton(monkeypatch: pytest.MonkeyPatch):
    # What is left of chance are a stroke's own turn and size.
    monkeypatch.setattr(strokes, "_turned", lambda angle: np.eye(2))
    (stroke,) = drawn(CAREFUL)
    np.testing.assert_allclose(stroke[[0, -1]], [[0, 0], [0.5, 1]], atol=0.01)
    assert way(stroke) == pytest.approx(1.5, abs=0.01)
    assert np.hypot(*np.diff(stroke, axis=0).T).max() < 0.02
    assert np.abs(stroke - (0, 1)).sum(1).min() < 0.01  # the corner was not cut


def test_slant_leans_to_the_right_and_aspect_widens(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(strokes, "_turned", lambda angle: np.eye(2))
    (stroke,) = drawn(CAREFUL._replace(slant=0.3))
    corner = stroke[np.argmax(stroke[:, 1] - stroke[:, 0])]
    np.testing.assert_allclose(stroke[0] - corner, [0.3, -1], atol=0.02)  # the top lies to the right
    (wide,) = drawn(CAREFUL._replace(aspect=1.6))
    assert np.ptp(wide[:, 0]) / np.ptp(wide[:, 1]) == pytest.approx(0.8, abs=0.01)


def test_rounding_cuts_corners_and_keeps_ends():
    sharp, round_ = drawn(CAREFUL)[0], drawn(CAREFUL._replace(rounding=0.08))[0]
    for a, b in zip(sharp[[0, -1]], round_[[0, -1]], strict=True):
        assert np.hypot(*(a - b)) < 0.08
    assert way(round_) < way(sharp) - 0.03


@pytest.mark.parametrize(("reach", "grown"), [((0.05, 0.03), 0.08), ((-0.05, 0), -0.05), ((0, -0.1), -0.1)])
def test_ends_reach_too_far_or_not_far_enough(reach: tuple[float, float], grown: float):
    stroke = line(*((0, y / 100) for y in range(101)))
    made = strokes._with_ends(stroke, np.array(reach))
    assert way(made) == pytest.approx(1 + grown, abs=1e-9)
    assert made[0, 1] == pytest.approx(-reach[1], abs=1e-9)  # both ends, and the direction stays
    assert made[-1, 1] == pytest.approx(1 + reach[0], abs=1e-9)


def test_ends_reach_no_further_than_a_tenth():
    made = strokes._with_ends(line((0, 0), (0, 0.5), (0, 1)), np.array([0.5, 0.3]))
    np.testing.assert_allclose(made[[0, -1]], [[0, -0.1], [0, 1.1]], atol=1e-9)


def test_how_far_ends_reach_depends_on_the_hand(monkeypatch: pytest.MonkeyPatch):
    asked: list[np.ndarray] = []
    monkeypatch.setattr(strokes, "_with_ends", lambda stroke, reach: asked.append(reach) or stroke)
    for seed in range(200):
        drawn(CAREFUL._replace(reach=0.05), seed)
    assert np.std(asked) == pytest.approx(0.05, rel=0.15)


@pytest.mark.parametrize("points", [1, 2, 3, 7])
def test_a_stroke_that_ends_early_keeps_two_points(points: int):
    stroke = line(*((0, y / 100) for y in range(points)))
    assert len(strokes._with_ends(stroke, np.array([-0.5, -0.5]))) >= min(points, 2)


def test_the_same_way_in_even_steps():
    """Three right and four down, in steps of one; of a way shorter than half a step both ends are left."""
    made = strokes._even(line((0, 0), (0.5, 0), (3, 0), (3, 4)), 1)
    np.testing.assert_allclose(made, line(*((x, 0) for x in range(4)), *((3, y) for y in range(1, 5))))
    short = line((0, 0), (0.3, 0))
    np.testing.assert_allclose(strokes._even(short, 1), short)


def test_smoothing_leaves_a_straight_line_alone():
    stroke = line(*((y / 50, y / 100) for y in range(60)))
    np.testing.assert_allclose(strokes._low_pass(stroke, 5), stroke, atol=1e-12)


def test_a_hasty_hand_differs_more_from_drawing_to_drawing():
    def spread(hand: strokes.Hand) -> float:
        ends = np.array([drawn(hand, seed)[0][[0, -1]] for seed in range(20)])
        return ends.std(0).mean()

    assert spread(CAREFUL) < 0.05 < spread(CAREFUL._replace(jitter=0.1, warp=0.05))


def test_tremor_is_slow_and_as_large_as_asked():
    """A straight line between two places is, on average, the root of 2/3 as far out; smoothing takes some more."""
    noise = np.concatenate([strokes._tremor(3000, 0.1, default_rng(seed)) for seed in range(4)])
    assert 0.06 < noise.std() < 0.1 * (2 / 3) ** 0.5
    assert np.diff(noise[:3000], axis=0).std() < 0.015


def test_a_warp_is_smooth():
    """Of 0.05 it moves by about that, and stretches by about 0.05 times a wave number of 2.2 times a root of three."""
    points = default_rng(0).random((200, 2))
    warps = [strokes._warp(default_rng(seed), 0.05) for seed in range(40)]
    assert 0.02 < np.mean([(warp(points) - points).std() for warp in warps]) < 0.1
    step = np.array([1e-4, 0])
    stretched = [(warp(points + step) - warp(points) - step) / 1e-4 for warp in warps]
    assert 0.1 < np.std(stretched) < 0.3


@pytest.mark.parametrize(("upright", "slant", "aspect"), [(True, 0.4, 1.2), (False, 0.7, 1.6)])
def test_hands_slant_and_widen_so_far_and_no_further(upright: bool, slant: float, aspect: float):
    rng = default_rng(0)
    hands = [strokes.Hand.random(rng, upright) for _ in range(3000)]
    for values, low, high in (
        ([hand.slant for hand in hands], -0.4, slant),
        ([hand.aspect for hand in hands], 0.62, aspect),
    ):
        assert (min(values), max(values)) == (low, high)


def test_a_one_is_drawn_upright(monkeypatch: pytest.MonkeyPatch):
    asked: list[bool] = []
    monkeypatch.setattr(strokes.Hand, "random", lambda rng, upright: asked.append(upright) or CAREFUL)
    for what in ("0", "1", "7", "letter"):
        draw(Style(what, "L", 1, (((0, 0, False), (0, 1, False)),)), default_rng(0))
    assert asked == [False, True, False, False]


# --- digits and what is none ----------------------------------------------------------------------------


@ALL_STYLES
def test_every_style_can_be_read(style: Style):
    """Drawn by three hands, rendered and prepared, none is blank, refused every time, or out of range."""
    image, label = make_image(lambda rng: Drawing(5, draw(style, rng)), default_rng(1), (8, 20))
    assert label == 5
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert image.max() == 255
    assert 15 < (image > 127).sum() < 350
    for seed in range(3):
        made = draw(style, default_rng(seed))
        points = np.concatenate(made)
        np.testing.assert_allclose(points.min(0), 0, atol=1e-9)
        assert np.ptp(points, axis=0).max() == pytest.approx(1)
        assert len(made) == len(style.strokes)


def test_the_network_reads_every_style_of_a_digit():
    """Drawn by a careful hand in the middle of the canvas, all of them: so no line of the table has slipped."""
    drawings = [draw(style, default_rng(0), CAREFUL) for style in styles(DIGIT_STYLES)]
    corners = [140 - 90 * np.concatenate(drawing).max(0) for drawing in drawings]
    images = [
        canvas_to_mnist(render(drawing, 18, 180, tuple(corner)))
        for drawing, corner in zip(drawings, corners, strict=True)
    ]
    lengths = load_model(device="cpu").predict(np.stack(images))
    misread = [
        f"{style.what} {style.name} as {one.argmax()}"
        for style, one in zip(styles(DIGIT_STYLES), lengths, strict=True)
        if str(one.argmax()) != style.what
    ]
    assert misread == []


def test_there_are_many_styles_of_every_digit():
    counts = {digit: sum(style.what == str(digit) for style in styles()) for digit in range(10)}
    assert min(counts.values()) >= 10
    assert len({(style.what, style.name) for style in styles()}) == len(styles())
    assert {style.what for style in styles(OTHER_STYLES)} == {"letter", "symbol"}


def test_a_line_of_the_table():
    (style,) = styles("7 bar 2.5 | 20,3* 80,3* 40,100 / 30,-5 70,50\n")
    assert style[:3] == ("7", "bar", 2.5)
    assert style.strokes[0] == ((0.2, 0.03, True), (0.8, 0.03, True), (0.4, 1.0, False))
    assert style.strokes[1] == ((0.3, -0.05, False), (0.7, 0.5, False))


@pytest.mark.parametrize("make", [random_digit, random_other])
def test_the_seed_decides(make):
    one, same, other = (make_image(make, default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one[0], same[0])
    assert one[1] == same[1]
    assert not np.array_equal(one[0], other[0])


def test_digits_are_labelled_and_all_of_them_are_drawn():
    rng = default_rng(0)
    assert {random_digit(rng).label for _ in range(100)} == set(range(10))
    assert {random_digit(rng, 7).label for _ in range(10)} == {7}


@pytest.mark.parametrize("make", strokes.OTHERS, ids=lambda make: make.__name__)
def test_what_is_no_digit_can_be_drawn_and_read(make, monkeypatch: pytest.MonkeyPatch):
    shares = np.array([float(other is make) for other in strokes.OTHERS])
    monkeypatch.setattr(strokes, "OTHER_SHARES", shares)
    rng = default_rng(0)
    for _ in range(3):
        image, label = make_image(random_other, rng)
        assert label == strokes.NO_CLASS == -1
        assert image.max() == 255


@pytest.mark.parametrize("kind", strokes.OTHER_KINDS)
def test_each_kind_to_measure_unsure_with_can_be_drawn_and_read(kind: str):
    rng = default_rng(0)
    images = [make_image(strokes.other_of_kind(kind), rng) for _ in range(4)]
    assert {label for _, label in images} == {strokes.NO_CLASS}
    assert len({image.tobytes() for image, _ in images}) == 4


def test_a_digit_is_drawn_in_a_style_of_its_own(monkeypatch: pytest.MonkeyPatch):
    offered: list[set[str]] = []
    choose = strokes._choose

    def spy(among: list[Style], rng: np.random.Generator) -> Style:
        offered.append({style.what for style in among})
        return choose(among, rng)

    monkeypatch.setattr(strokes, "_choose", spy)
    labels = [random_digit(default_rng(seed)).label for seed in range(20)]
    assert offered == [{str(label)} for label in labels]


@pytest.mark.parametrize(
    ("make", "kinds"),
    [
        (strokes._letter, {"letter"}),
        (strokes._symbol, {"symbol"}),
        (strokes._unseen, {style.what for style in styles(UNSEEN_STYLES)}),
    ],
)
def test_letters_are_drawn_of_letters(make, kinds: set[str], monkeypatch: pytest.MonkeyPatch):
    offered: list[list[Style]] = []
    monkeypatch.setattr(strokes, "_choose", lambda among, rng: offered.append(among) or among[0])
    make(default_rng(0))
    assert {style.what for style in offered[0]} == kinds


def test_styles_are_drawn_by_their_weights():
    never, often = (Style("7", name, weight, ()) for name, weight in (("never", 0), ("often", 3)))
    rng = default_rng(0)
    assert {strokes._choose([never, often, never], rng).name for _ in range(30)} == {"often"}


HOOK = line((0, 0), (0.25, 0), (0.25, 1))  # down, its short end to the left at the top


def test_what_is_made_of_digits(monkeypatch: pytest.MonkeyPatch):
    """A mirrored one, one on its side, two side by side."""
    monkeypatch.setattr(strokes, "random_digit", lambda rng, digit=None: Drawing(7, [HOOK]))
    (mirrored,) = strokes._mirrored(default_rng(0))
    np.testing.assert_allclose(mirrored, line((0, 0), (-0.25, 0), (-0.25, 1)))
    sides = set()
    for seed in range(20):
        (lying,) = strokes._lying(default_rng(seed))
        way_down = lying[2] - lying[1]
        assert abs(way_down[0]) > 0.9 > 0.4 > abs(way_down[1])
        sides.add(way_down[0] > 0)
        first, second = strokes._pair(default_rng(seed))
        np.testing.assert_allclose(first, HOOK)
        assert 0.1 < second[:, 0].min() - first[:, 0].max() < 0.4
    assert sides == {True, False}


def test_only_digits_that_become_none_are_mirrored_laid_down_or_halved(monkeypatch: pytest.MonkeyPatch):
    asked: set[int] = set()
    monkeypatch.setattr(
        strokes, "random_digit", lambda rng, digit: asked.add(digit) or Drawing(digit, [HOOK])
    )
    for make, digits in (
        (strokes._mirrored, {3, 4, 7}),
        (strokes._lying, {3, 4, 5}),
        (strokes._half, {4, 5}),
    ):
        asked.clear()
        for seed in range(30):
            make(default_rng(seed))
        assert asked == digits


def test_scribbles_are_longer_than_any_digit():
    """A 3 x 3 grid's lines are half a side long at least; a spiral turns two or three times."""
    glyphs = [stroke for seed in range(40) for stroke in strokes._glyph(default_rng(seed))]
    assert min(map(way, glyphs)) > 0.4
    straight = [way(stroke) < 1.000001 * np.hypot(*(stroke[-1] - stroke[0])) for stroke in glyphs]
    assert np.mean(straight) == pytest.approx(0.6, abs=0.1)
    for seed in range(40):
        rng = default_rng(seed)
        assert way(strokes._scribble(rng)[0]) > 4
        assert way(fit(strokes._polyline(rng))[0]) > 3.3  # its corners are cut
        (spiral,) = strokes._spiral(rng)
        angles = np.unwrap(np.arctan2(spiral[20:, 1], spiral[20:, 0]))  # a warp moves the middle
        assert 1.5 < abs(angles[-1] - angles[0]) / (2 * np.pi) < 3.5


def test_a_scribble_no_longer_than_a_digit_is_drawn_anew(monkeypatch: pytest.MonkeyPatch):
    """Hardly any digit is four sides long."""
    lengths = iter([3.9, 4.1])
    monkeypatch.setattr(strokes, "_length", lambda stroke: next(lengths))
    monkeypatch.setattr(strokes, "_is_broad", lambda drawn: True)
    assert len(strokes._scribble(default_rng(0))) == 1
    assert next(lengths, None) is None


def test_a_zigzag_goes_up_and_down():
    for seed in range(20):
        (stroke,) = strokes._zigzag(default_rng(seed))
        across = stroke @ np.linalg.svd(stroke - stroke.mean(0))[2][1]
        assert (np.diff(np.sign(np.diff(across[:: len(across) // 60 or 1]))) != 0).sum() >= 3


def test_a_zigzag_goes_from_one_side_to_the_other():
    made = [strokes._zigzag(default_rng(seed))[0] for seed in range(20)]
    assert np.mean([np.corrcoef(stroke[:, 0], np.arange(len(stroke)))[0, 1] for stroke in made]) > 0.7


def test_glyphs_stay_around_their_grid_and_dots_apart():
    for seed in range(40):
        for stroke in strokes._glyph(default_rng(seed)):
            assert np.abs(2 * stroke[[0, -1]] - np.rint(2 * stroke[[0, -1]])).max() < 0.6
            assert np.abs(stroke[[0, -1]] - 0.5).max() < 0.8
        dots = [stroke[0] for stroke in strokes._dots(default_rng(seed))]
        assert 2 <= len(dots) <= 4
        assert min(np.hypot(*(a - b)) for k, a in enumerate(dots) for b in dots[:k]) > 0.25


def test_a_stick_is_not_broad():
    for height, broad in ((0.45, False), (0.55, True)):
        assert strokes._is_broad([line((0, 0), (1, height))]) is broad
        assert strokes._is_broad([line((0, 0), (height, 1))]) is broad


def test_images_are_rounded_of_drawings_in_all_widths_and_sizes(monkeypatch: pytest.MonkeyPatch):
    """Grey level 200.7 is 201."""
    asked: list[tuple[float, float]] = []
    monkeypatch.setattr(
        strokes, "render_anywhere", lambda drawn, width, size, rng: asked.append((width, size))
    )
    monkeypatch.setattr(
        strokes, "canvas_to_mnist", lambda pixels, ink, size: np.full((size, size), 200.7 / 255)
    )
    rng = default_rng(0)
    for _ in range(400):
        assert (make_image(lambda rng: Drawing(3, [HOOK]), rng)[0] == 201).all()
    low, high = np.min(asked, axis=0), np.max(asked, axis=0)
    np.testing.assert_allclose([low, high], [[6, 85], [28, 230]], rtol=0.06)
    assert (low >= [6, 85]).all()
    assert (high <= [28, 230]).all()


def test_nothing_unseen_is_drawn_in_training():
    trained = {style.strokes for style in styles(DIGIT_STYLES) + styles(OTHER_STYLES)}
    assert len(styles(UNSEEN_STYLES)) >= 30
    assert not trained & {style.strokes for style in styles(UNSEEN_STYLES)}


def test_half_a_digit_is_half_as_long(monkeypatch: pytest.MonkeyPatch):
    """An upright of length 1 and a bar of length 0.5: the first 0.75 of the upright remain."""
    upright, bar = np.linspace([0.5, 0], [0.5, 1], 101), np.linspace([0.25, 0.5], [0.75, 0.5], 51)
    monkeypatch.setattr(strokes, "random_digit", lambda rng, digit: Drawing(digit, [upright, bar]))
    (rest,) = strokes.OTHER_KINDS["half-drawn 4s and 5s"](default_rng(0))
    np.testing.assert_allclose(rest, upright[:76])
    bar = bar[[0, -1]]
    monkeypatch.setattr(strokes, "random_digit", lambda rng, digit: Drawing(digit, [bar, upright]))
    first, second = strokes.OTHER_KINDS["half-drawn 4s and 5s"](default_rng(0))
    np.testing.assert_allclose(first, bar)
    np.testing.assert_allclose(second, upright[:26])


def test_shares_of_what_is_no_digit_sum_to_1():
    assert strokes.OTHER_SHARES.sum() == pytest.approx(1)
    assert len(strokes.OTHER_SHARES) == len(strokes.OTHERS)


def test_what_is_no_digit_is_drawn_as_often_as_its_share_says(monkeypatch: pytest.MonkeyPatch):
    names: list[str] = []
    makers = [
        lambda rng, name=make.__name__: names.append(name) or [line((0, 0), (0, 1))]
        for make in strokes.OTHERS
    ]
    monkeypatch.setattr(strokes, "OTHERS", makers)
    rng = default_rng(0)
    for _ in range(2000):
        random_other(rng)
    for name, share in {
        "_letter": 0.34,
        "_symbol": 0.18,
        "_glyph": 0.09,
        "_pair": 0.05,
        "_dots": 0.02,
    }.items():
        assert names.count(name) / 2000 == pytest.approx(share, abs=0.015), name


def test_what_the_canvas_would_refuse_is_drawn_anew():
    """The first drawing is a scribble all over, of which the app says so; the second is a line."""
    scribble = line(*((k % 2, k / 20) for k in range(21)))
    given = iter([Drawing(1, [scribble]), Drawing(1, [line((0, 0), (0, 1))])])
    image, _ = make_image(lambda rng: next(given), default_rng(0))
    assert next(given, None) is None
    assert (image.max(1) > 127).sum() == pytest.approx(20, abs=1)


# --- files ----------------------------------------------------------------------------------------------


def write(path: Path, *lines: object) -> Path:
    text = "\n".join(entry if isinstance(entry, str) else json.dumps(entry) for entry in lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


SEVEN = {"label": 7, "writer": 12, "strokes": [[[0, 0], [40, 0], [20, 80]], [[10, 40], [30, 40]]]}


@pytest.mark.parametrize("name", ["some.jsonl", "some.jsonl.gz"])
def test_drawings_are_read_and_fit(tmp_path: Path, name: str):
    one = {"label": 1, "strokes": [[[5, 5], [5, 9]]]}
    seven, stick = read_strokes(write(tmp_path / name, SEVEN, "", one))
    assert (seven.label, seven.writer, stick.label, stick.writer) == (7, "12", 1, "")
    np.testing.assert_allclose(seven.strokes[0], [[0, 0], [0.5, 0], [0.25, 1]])
    np.testing.assert_allclose(seven.strokes[1], [[0.125, 0.5], [0.375, 0.5]])
    np.testing.assert_allclose(stick.strokes[0], [[0, 0], [0, 1]])
    assert canvas_to_mnist(render(seven.strokes, 12, 200, (40, 40))).max() == 1


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("{", "not JSON"),
        ("[1, 2]", "not an object"),
        ({"strokes": SEVEN["strokes"]}, "no label"),
        ({**SEVEN, "label": 10}, "label 10"),
        ({**SEVEN, "label": -1}, "label -1"),
        ({**SEVEN, "label": True}, "label True"),
        ({**SEVEN, "label": 7.0}, "label 7.0"),
        ({"label": 7}, "no strokes"),
        ({**SEVEN, "strokes": []}, "no strokes"),
        ({**SEVEN, "strokes": {"a": 1}}, "no strokes"),
        ({**SEVEN, "strokes": [[]]}, "no list of points"),
        ({**SEVEN, "strokes": [[[1, 2], [3]]]}, "no list of points"),
        ({**SEVEN, "strokes": [[[1, 2, 3]]]}, "no list of points"),
        ({**SEVEN, "strokes": [[1, 2]]}, "no list of points"),
        ({**SEVEN, "strokes": [[["a", "b"]]]}, "no list of points"),
        ({**SEVEN, "strokes": [None]}, "no list of points"),
        ({**SEVEN, "strokes": [[["1", "2"], ["3", "4"]]]}, "no list of points"),
        ({**SEVEN, "strokes": [[[True, False], [True, True]]]}, "no list of points"),
        ({**SEVEN, "strokes": [[[10**400, 0], [1, 1]]]}, "no list of points"),
        pytest.param("[" * 100_000, "is not JSON", id="deeply nested"),
        ({**SEVEN, "label": "seven" * 1000}, "has the label 'sevenseven"),
        ('{"label": 7, "strokes": [[[1, NaN], [2, 3]]]}', "no finite number"),
        ('{"label": 7, "strokes": [[[1, 1e999], [2, 3]]]}', "no finite number"),
        ('{"label": 7, "strokes": [[[1, -1e300], [2, 1e300]]]}', "beyond a billion"),
        ('{"label": 7, "strokes": [[[1, -1e10], [2, 3]]]}', "beyond a billion"),
        ('{"label": 7, "strokes": [[[1e9, 0], [2, 3]]]}', "beyond a billion"),
        ({**SEVEN, "strokes": [[[4, 5]], [[4, 5], [4, 5]]]}, "a single point"),
    ],
)
def test_a_line_that_is_no_drawing(tmp_path: Path, entry: object, named: str):
    path = write(tmp_path / "some.jsonl", SEVEN, entry)
    with pytest.raises(DataError) as caught:
        read_strokes(path)
    reference.assert_one_sentence(caught.value, f"Line 2 of {path}", named)


# named: gzip's bytes hold the time, and two workers must collect the same tests
@pytest.mark.parametrize(
    "content", [b"", b"\n\n", gzip.compress(b"")], ids=["empty", "blank lines", "gzip of nothing"]
)
def test_a_file_without_drawings(tmp_path: Path, content: bytes):
    (tmp_path / "some.jsonl").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_strokes(tmp_path / "some.jsonl")
    reference.assert_one_sentence(caught.value, tmp_path, "holds no drawings")


def packed(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content, mtime=0))
    return path


def test_a_small_file_that_unpacks_to_more_than_memory_holds(tmp_path: Path):
    """140 MB of one line, of blank lines and of drawings, each packed into a few hundred kB."""
    drawing = json.dumps(SEVEN).encode() + b" " * 9000 + b"\n"
    for content in (b" " * 140_000_000, b"\n" * 1_000_000, drawing * 15_000):
        path = packed(tmp_path / "bomb.jsonl.gz", content)
        assert path.stat().st_size < 1_000_000
        with pytest.raises(DataError) as caught:
            read_strokes(path)
        reference.assert_one_sentence(caught.value, path, "more than", "in parts")


def test_the_edges_of_a_file_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Exactly as many bytes, lines, drawings and points as there may be, then one less."""
    text = json.dumps(SEVEN).encode() + b"\n"
    path = packed(tmp_path / "some.jsonl.gz", 3 * text)
    for limit, exact in (
        ("MOST_BYTES", 3 * len(text)),
        ("MOST_LINE", len(text)),
        ("MOST_LINES", 3),
        ("MOST_DRAWINGS", 3),
        ("MOST_POINTS", 15),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(recorded, limit, exact)
            assert len(read_strokes(path)) == 3, limit
            patch.setattr(recorded, limit, exact - 1)
            with pytest.raises(DataError) as caught:
                read_strokes(path)
            reference.assert_one_sentence(caught.value, path, f"{exact - 1:,}", "in parts")


def test_a_mark_at_the_beginning_is_no_part_of_the_drawing(tmp_path: Path):
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(SEVEN).encode() + b"\r\n" + json.dumps(SEVEN).encode())
    assert [drawing.label for drawing in read_strokes(path)] == [7, 7]


def test_a_label_is_a_number_or_a_name(tmp_path: Path):
    path = tmp_path / "some.jsonl"
    path.write_text("\n".join(json.dumps({**SEVEN, "label": label}) for label in ("7", 7, "3")))
    assert [drawing.label for drawing in read_strokes(path)] == [7, 7, 3]
    assert [drawing.label for drawing in read_strokes(path, ("3", "7"))] == [1, 1, 0]
    path.write_text(json.dumps({**SEVEN, "label": "x" * 40}))
    assert labels_of(path) == ("x" * 40,)
    path.write_text(json.dumps({**SEVEN, "label": "x" * 41}))
    with pytest.raises(DataError) as caught:
        labels_of(path)
    reference.assert_one_sentence(caught.value, "Line 1", "short text")


def test_a_file_that_cannot_be_read(tmp_path: Path):
    whole = gzip.compress(json.dumps(SEVEN).encode())
    flipped = whole[:20] + bytes([whole[20] ^ 0xFF]) + whole[21:]
    for number, content in enumerate((b"\xff\xfe\x00", whole[:20], flipped, whole[:2], None)):
        path = tmp_path / f"{number}.jsonl"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError) as caught:
            read_strokes(path)
        reference.assert_one_sentence(caught.value, path, "cannot be read")
