"""Drawings as strokes: digits and other things made up at random, and rendering.

MNIST lacks styles that people write all over the world: zeros with a slash, sevens with a bar, ones with a
flag and a foot. They are made here from the skeletons of ``skeletons.py``, with a hand's irregularity.
A drawing is a list of strokes; a stroke is a float array [N, 2] of (x, y), x right and y down, and the
larger side of a drawing's bounding box is 1.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from capsviz.errors import ImageError
from capsviz.inputs import examples
from capsviz.inputs.data import NO_CLASS
from capsviz.inputs.preprocess import FIELD, canvas_to_mnist
from capsviz.inputs.skeletons import DIGIT_STYLES, OTHER_STYLES, UNSEEN_STYLES, Point, Style, styles

CANVAS = 280  # pixels a side, as the app's
STEP = 0.01  # between two points of a stroke while it is made, in heights of the drawing
ROOM = 0.02  # of the canvas, kept free around a drawing that is placed at random

Strokes = list[np.ndarray]


class Drawing(NamedTuple):
    """What somebody drew, and which digit it is meant to be (``NO_CLASS`` for none)."""

    label: int
    strokes: Strokes
    writer: str = ""


# --- rendering ------------------------------------------------------------------------------------------


def render(
    strokes: Sequence[np.ndarray],
    width: float,
    size: float,
    offset: tuple[float, float],
    canvas: int = CANVAS,
) -> np.ndarray:
    """Draw strokes as the app's canvas does: white lines with round caps and joins on black, antialiased.

    Args:
        strokes: polylines [N, 2] of (x, y) in units of ``size``.
        width: of the pen, in pixels.
        size: pixels for one unit.
        offset: (x, y) of the strokes' origin, in pixels from the canvas's upper left corner.
        canvas: its side in pixels.

    Returns:
        uint8 [canvas, canvas], 0 for the canvas and 255 for ink.
    """
    placed = [(np.asarray(stroke) * size + offset) / canvas for stroke in strokes]
    return examples.render(
        tuple(tuple((x, y) for x, y in stroke.tolist()) for stroke in placed), width / canvas, canvas
    )


def fit(strokes: Sequence[np.ndarray]) -> Strokes:
    """Move and scale strokes so that their bounding box begins at (0, 0) and its larger side is 1."""
    points = np.concatenate(strokes)
    low, side = points.min(0), np.ptp(points, axis=0).max()
    return [(stroke - low) / (side or 1) for stroke in strokes]


def render_anywhere(strokes: Sequence[np.ndarray], width: float, size: float, rng: Generator) -> np.ndarray:
    """Draw strokes that ``fit`` made at a random place where all of the pen's trace is on the canvas.

    Args:
        strokes: the drawing, its larger side 1.
        width: of the pen, in pixels.
        size: of the drawing's larger side, in pixels; made smaller where the canvas has no room for it.
        rng: where the place comes from.

    Returns:
        uint8 [280, 280], 0 for the canvas and 255 for ink.
    """
    edge = width / 2 + ROOM * CANVAS
    size = min(size, CANVAS - 2 * edge)
    free = CANVAS - 2 * edge - np.concatenate(strokes).max(0) * size
    x, y = edge + rng.random(2) * free
    return render(strokes, width, size, (x, y))


# --- a hand ---------------------------------------------------------------------------------------------


class Hand(NamedTuple):
    """How somebody draws; lengths in heights of the drawing, angles in radians."""

    jitter: float  # of the control points, standard deviation
    warp: float  # of the whole drawing
    slant: float
    turn: float
    aspect: float
    rounding: float  # length over which a pen in a hurry cuts corners
    tremor: float
    reach: float  # by how much strokes end too early or too late, standard deviation
    stray: float  # of whole strokes, standard deviation
    pace: float  # between two points that the canvas hears of

    @classmethod
    def random(cls, rng: Generator, upright: bool = False) -> "Hand":
        """Some hand, from careful to hasty; an upright one neither widens what it draws nor slants it too much."""
        haste = rng.beta(1.3, 2.0)
        return cls(
            jitter=0.010 + 0.080 * haste * rng.random(),
            warp=0.02 + 0.08 * haste * rng.random(),
            slant=float(np.clip(rng.normal(0.08, 0.20), -0.4, 0.4 if upright else 0.7)),
            turn=rng.normal(0, 0.07),
            aspect=float(np.clip(math.exp(rng.normal(0, 0.24)), 0.62, 1.2 if upright else 1.6)),
            rounding=0.005 + 0.05 * haste * rng.random(),
            tremor=0.012 * rng.random() ** 2,
            reach=0.01 + 0.06 * haste,
            stray=0.008 + 0.05 * haste * rng.random(),
            pace=rng.uniform(0.01, 0.03 + 0.07 * haste),
        )


def draw(style: Style, rng: Generator, hand: Hand | None = None) -> Strokes:
    """Draw a style once, by a random hand unless one is given.

    Returns:
        Polylines [N, 2] fit into a box whose larger side is 1.
    """
    # Of a 1 that is widened or slanted much nobody could say that it is no 7 and no 2.
    hand = hand or Hand.random(rng, upright=style.what == "1")
    warp = _warp(rng, hand.warp)
    turn = _turned(hand.turn) @ np.array([[1, -hand.slant], [0, 1]]) @ np.diag([hand.aspect, 1])
    strokes = []
    for skeleton in style.strokes:
        stroke = _even(_curve(skeleton, hand.jitter, rng), STEP)
        stroke = _with_ends(stroke, rng.normal(0, hand.reach, 2))
        stroke = _low_pass(stroke, hand.rounding / STEP) + _tremor(len(stroke), hand.tremor, rng)
        middle = stroke.mean(0)
        own = _turned(rng.normal(0, 0.06)) * (1 + rng.normal(0, 0.06))
        stroke = (stroke - middle) @ own.T + middle + rng.normal(0, hand.stray, 2)
        strokes.append(_even(warp(stroke) @ turn.T, hand.pace))
    return fit(strokes)


def _curve(skeleton: Sequence[Point], jitter: float, rng: Generator) -> np.ndarray:
    """A polyline through the control points, each moved a little."""
    points: list[list[float]] = []
    for (x, y, corner), moved in zip(skeleton, rng.normal(0, jitter, (len(skeleton), 2)), strict=True):
        # Twice the same point is how ``smooth`` is told of a corner.
        points += [[x + moved[0], y + moved[1]]] * (2 if corner else 1)
    return np.array(examples.smooth(points))


def _even(stroke: np.ndarray, step: float) -> np.ndarray:
    """The same way in points that lie ``step`` apart; at least two."""
    way = np.concatenate([[0], np.hypot(*np.diff(stroke, axis=0).T).cumsum()])
    at = np.linspace(0, way[-1], max(2, round(way[-1] / step) + 1))
    return np.stack([np.interp(at, way, stroke[:, k]) for k in range(2)], axis=1)


def _with_ends(stroke: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Draw both ends on by ``reach`` (or, where it is negative, stop short of them)."""
    for amount in reach:
        most = min(math.ceil(len(stroke) / 6), max(0, len(stroke) - 2))  # to leave away: two points stay
        points = int(np.clip(round(amount / STEP), -most, 10))
        if points < 0:
            stroke = stroke[:points]
        elif points > 0:
            straight = stroke[-1] - stroke[-min(4, len(stroke))]
            straight = straight / (np.hypot(*straight) or 1) * STEP
            stroke = np.concatenate([stroke, stroke[-1] + straight * np.arange(1, points + 1)[:, None]])
        stroke = stroke[::-1]  # first the end, then the beginning; turned twice, it is as it was
    return stroke


def _low_pass(values: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth [N, 2] along N with a Gaussian of ``sigma`` points; both ends stay where they are."""
    radius = min(math.ceil(2.5 * sigma), len(values) - 1)
    if radius < 1:
        return values
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    # Mirrored in their end points, so that a stroke does not shrink.
    before, after = 2 * values[0] - values[radius:0:-1], 2 * values[-1] - values[-2 : -radius - 2 : -1]
    padded = np.concatenate([before, values, after])
    return np.stack([np.convolve(padded[:, k], kernel / kernel.sum(), "valid") for k in range(2)], axis=1)


def _tremor(count: int, size: float, rng: Generator) -> np.ndarray:
    """Slow noise [count, 2], through random places of standard deviation ``size``."""
    slow = 12  # points over which it stays alike
    coarse = rng.normal(0, size, (math.ceil(count / slow) + 3, 2))
    at = np.arange(count) / slow + rng.random()
    noise = np.stack([np.interp(at, np.arange(len(coarse)), coarse[:, k]) for k in range(2)], axis=1)
    return _low_pass(noise, slow / 3)


def _turned(angle: float) -> np.ndarray:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _warp(rng: Generator, size: float) -> Callable[[np.ndarray], np.ndarray]:
    """A smooth bending of the whole plane, so that parts of a drawing grow at the cost of others."""
    waves = rng.normal(0, 2.2, (3, 2))
    phases, amounts = rng.uniform(0, 2 * np.pi, 3), rng.normal(0, size, (3, 2))
    return lambda points: points + np.sin(points @ waves.T + phases) @ amounts


# --- digits and what is none ----------------------------------------------------------------------------


def random_digit(rng: Generator, digit: int | None = None) -> Drawing:
    """A digit in a style of its own, from 0 to 9 alike often unless one is asked for."""
    label = int(rng.integers(10)) if digit is None else digit
    return Drawing(label, draw(_choose([s for s in styles(DIGIT_STYLES) if s.what == str(label)], rng), rng))


def random_other(rng: Generator) -> Drawing:
    """A drawing of no digit: a letter, a symbol, a scribble, two digits side by side, a digit lying down."""
    make = OTHERS[rng.choice(len(OTHERS), p=OTHER_SHARES)]
    return Drawing(NO_CLASS, fit(make(rng)))


def _choose(among: Sequence[Style], rng: Generator) -> Style:
    weights = np.array([style.weight for style in among])
    return among[rng.choice(len(among), p=weights / weights.sum())]


def _letter(rng: Generator) -> Strokes:
    return draw(_choose([s for s in styles(OTHER_STYLES) if s.what == "letter"], rng), rng)


def _symbol(rng: Generator) -> Strokes:
    return draw(_choose([s for s in styles(OTHER_STYLES) if s.what == "symbol"], rng), rng)


def _scribble(rng: Generator) -> Strokes:
    """A closed way of a few waves, longer than any digit's."""
    t = np.linspace(0, 2 * np.pi, 300)
    while True:
        waves = np.arange(2, int(rng.integers(5, 9)))
        phases = rng.uniform(0, 2 * np.pi, (2, len(waves), 1))
        sizes = rng.normal(0, 1, (2, len(waves), 1)) / np.sqrt(waves)[:, None]
        (stroke,) = fit([(sizes * np.sin(waves[:, None] * t + phases)).sum(1).T])
        if _length(stroke) > 4 and _is_broad([stroke]):
            return [stroke]


def _zigzag(rng: Generator) -> Strokes:
    """Up and down, from one side to the other, at some angle."""
    turns = int(rng.integers(4, 9))
    x = np.linspace(0, 1, turns + 1) + rng.normal(0, 0.3 / turns, turns + 1)
    y = 0.5 + rng.uniform(0.2, 0.5) * (-1) ** np.arange(turns + 1) * rng.uniform(0.6, 1, turns + 1)
    stroke = np.stack([x, y], axis=1) @ _turned(rng.uniform(-0.5, 0.5))
    return [_low_pass(_even(stroke, STEP), rng.uniform(0.1, 4))]


def _spiral(rng: Generator) -> Strokes:
    turns = rng.uniform(2.2, 3.6)
    t = np.linspace(0.05, 1, 200)
    angle = rng.uniform(0, 2 * np.pi) + rng.choice([-1, 1]) * 2 * np.pi * turns * t
    stroke = np.stack([t * np.cos(angle), t * np.sin(angle) * rng.uniform(0.7, 1.3)], axis=1)
    return [_warp(rng, 0.04)(stroke)]


def _polyline(rng: Generator) -> Strokes:
    """A few straight lines from one random place to another."""
    while True:
        stroke = rng.random((int(rng.integers(6, 10)), 2))
        if _length(fit([stroke])[0]) > 3.6 and _is_broad([stroke]):
            return [_low_pass(_even(stroke, STEP), rng.uniform(0.1, 6))]


def _lines(rng: Generator) -> Strokes:
    """Some separate straight lines."""
    while True:
        ends = rng.random((int(rng.integers(3, 6)), 1, 2)), rng.uniform(-0.5, 0.5, (5, 1, 2))
        made = [middle + way * [[-1], [1]] for middle, way in zip(*ends, strict=False)]
        if _is_broad(made):
            return made


def _glyph(rng: Generator) -> Strokes:
    """A character of no script: three or four lines and arcs between the places of a 3 x 3 grid."""
    while True:
        made = []
        for _ in range(int(rng.integers(3, 5))):
            start, end = rng.integers(0, 3, (2, 2)) / 2 + rng.normal(0, 0.06, (2, 2))
            bow = rng.normal(0, 0.5) * (rng.random() < 0.4) * np.array([end[1] - start[1], start[0] - end[0]])
            t = np.linspace(0, 1, 30)[:, None]
            made.append(start + (end - start) * t + bow * 4 * t * (1 - t))
        if min(map(_length, made)) > 0.4 and _is_broad(made):
            return made


def _dots(rng: Generator) -> Strokes:
    """Two to four separate dots."""
    while True:
        places = rng.random((int(rng.integers(2, 5)), 2))
        apart = np.hypot(*(places[:, None] - places).transpose(2, 0, 1)) + np.eye(len(places))
        if apart.min() > 0.45:
            return [place + rng.normal(0, 0.03, (4, 2)).cumsum(0) for place in places]


def _pair(rng: Generator) -> Strokes:
    """Two digits side by side: a number."""
    first, second = random_digit(rng).strokes, random_digit(rng).strokes
    beside = np.array([np.concatenate(first)[:, 0].max() + rng.uniform(0.12, 0.35), rng.normal(0, 0.06)])
    return [*first, *(stroke + beside for stroke in second)]


def _mirrored(rng: Generator) -> Strokes:
    """A digit whose mirror image is no digit."""
    return [stroke * (-1, 1) for stroke in random_digit(rng, int(rng.choice([3, 4, 7]))).strokes]


def _lying(rng: Generator) -> Strokes:
    """A digit on its side, where it is nothing else."""
    quarter = _turned(rng.choice([-1, 1]) * np.pi / 2 + rng.normal(0, 0.1))
    return [stroke @ quarter for stroke in random_digit(rng, int(rng.choice([3, 4, 5]))).strokes]


OTHERS = (
    *(_letter, _symbol, _scribble, _zigzag, _spiral, _polyline),
    *(_lines, _glyph, _dots, _pair, _mirrored, _lying),
)
OTHER_SHARES = np.array([34, 18, 8, 6, 4, 6, 4, 9, 2, 5, 2, 2]) / 100


def _any(*makers: Callable[[Generator], Strokes]) -> Callable[[Generator], Strokes]:
    return lambda rng: makers[int(rng.integers(len(makers)))](rng)


def _unseen(rng: Generator) -> Strokes:
    return draw(_choose(styles(UNSEEN_STYLES), rng), rng)


def _half(rng: Generator) -> Strokes:
    """The first half of a 4 or 5, by the length of its strokes: halves of other digits may be digits themselves."""
    strokes = random_digit(rng, int(rng.choice([4, 5]))).strokes
    left = sum(map(_length, strokes)) / 2
    made = []
    for stroke in strokes:
        steps = np.hypot(*np.diff(stroke, axis=0).T)
        within = int((steps.cumsum() <= left).sum())
        made.append(stroke[: within + 1])
        left -= _length(stroke)
    return [stroke for stroke in made if len(stroke) > 1]


# What to measure "unsure" with, kind by kind; the last two were never trained on.
OTHER_KINDS: dict[str, Callable[[Generator], Strokes]] = {
    "letters": _letter,
    "symbols": _symbol,
    "scribbles": _any(_scribble, _zigzag, _spiral, _polyline, _lines),
    "numbers of two digits": _pair,
    "other scripts and pictures": _unseen,
    "half-drawn 4s and 5s": _half,
}


def other_of_kind(kind: str) -> Callable[[Generator], Drawing]:
    """What draws one of ``OTHER_KINDS``."""
    make = OTHER_KINDS[kind]
    return lambda rng: Drawing(NO_CLASS, fit(make(rng)))


def _is_broad(strokes: Strokes) -> bool:
    """Whether it is no mere stick, which would be a one."""
    width, height = np.ptp(np.concatenate(strokes), axis=0)
    return bool(min(width, height) > 0.5 * max(width, height))


def _length(stroke: np.ndarray) -> float:
    return float(np.hypot(*np.diff(stroke, axis=0).T).sum())


# --- many of them ---------------------------------------------------------------------------------------


def make_image(
    make: Callable[[Generator], Drawing],
    rng: Generator,
    widths: tuple[float, float] = (6, 28),
    sizes: tuple[float, float] = (85, 230),
    size: int = FIELD,
) -> tuple[np.ndarray, int]:
    """Draw, render and prepare one drawing as if it had come from the app's canvas.

    Args:
        make: such as ``random_digit`` or ``random_other``; asked again where the app would refuse what it drew (too
            much ink, too many parts).
        rng: where everything comes from.
        widths: of the pen, smallest and largest, in pixels of the canvas.
        sizes: of the drawing's larger side, likewise.
        size: side of the picture to make, in pixels.

    Returns:
        uint8 [size, size], 255 for ink, and the label.
    """
    while True:
        drawing = make(rng)
        pixels = render_anywhere(drawing.strokes, rng.uniform(*widths), rng.uniform(*sizes), rng)
        try:
            return np.rint(canvas_to_mnist(pixels, "light", size) * 255).astype(np.uint8), drawing.label
        except ImageError:
            continue
