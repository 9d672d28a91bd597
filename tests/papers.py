"""Pictures of paper with a digit on it, drawn by program: what lies beside the digit is known, and so is the ink.

A picture is what a camera would have seen: paper of a colour and a grain, ink on it, light that falls unevenly, and
what else got in; then blur, noise, fewer pixels, and JPEG.
"""

import io
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

SIDE = 480  # pixels in which a scene is drawn, before it is reduced


@dataclass
class Scene:
    """A square sheet, layer by layer; all layers are float32 [SIDE, SIDE] in 0..1."""

    ink: np.ndarray  # how much ink covers each place
    paper: np.ndarray  # RGB
    pen: np.ndarray  # RGB
    light: np.ndarray = field(default_factory=lambda: np.ones((SIDE, SIDE), np.float32))
    # What lies on paper and ink, as (how much of it covers each place, its RGB).
    things: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    grain: float = 0.01
    blur: float = 1.0
    noise: float = 0.01

    def add(self, cover: np.ndarray, colour: np.ndarray | float) -> None:
        self.things.append((cover.astype(np.float32), np.broadcast_to(np.asarray(colour, np.float32), 3)))


def blurred(layer: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur of a layer, whose border is continued outwards."""
    margin = int(3 * sigma) + 1
    wide = np.pad(layer.astype(np.float32), margin, mode="edge")
    y, x = (np.fft.fftfreq(n) for n in wide.shape)
    falling = np.exp(-2 * (math.pi * sigma) ** 2 * (y[:, None] ** 2 + x[: wide.shape[1] // 2 + 1] ** 2))
    soft = np.fft.irfft2(np.fft.rfft2(wide) * falling, wide.shape)
    return soft[margin:-margin, margin:-margin].astype(np.float32)


def shape(draw: Callable[[ImageDraw.ImageDraw], object]) -> np.ndarray:
    """What ``draw`` fills with 255, antialiased, as a layer."""
    image = Image.new("L", (2 * SIDE, 2 * SIDE))
    draw(ImageDraw.Draw(image))
    return np.asarray(image.reduce(2), np.float32) / 255


def line(start: tuple[float, float], end: tuple[float, float], width: float) -> np.ndarray:
    """A straight line between places in 0..1 of the sheet, its width in pixels of the scene."""
    points = [(2 * SIDE * x, 2 * SIDE * y) for x, y in (start, end)]
    return shape(lambda d: d.line(points, 255, round(2 * width)))


def polygon(points: list[tuple[float, float]]) -> np.ndarray:
    return shape(lambda d: d.polygon([(2 * SIDE * x, 2 * SIDE * y) for x, y in points], 255))


def disc(x: float, y: float, radius: float) -> np.ndarray:
    box = [2 * SIDE * v for v in (x - radius, y - radius, x + radius, y + radius)]
    return shape(lambda d: d.ellipse(box, 255))


def drawn(strokes: list[np.ndarray], width: float) -> np.ndarray:
    """Strokes (x, y) in 0..1 of the sheet by a round pen, its width in pixels of the scene."""

    def draw(d: ImageDraw.ImageDraw) -> None:
        for stroke in strokes:
            points = [tuple(p) for p in 2 * SIDE * np.asarray(stroke)]
            d.line(points, 255, round(2 * width), joint="curve")
            for x, y in points:
                d.circle((x, y), width, 255)

    return shape(draw)


def placed(
    digit: np.ndarray | list[np.ndarray], rng: Generator, size: tuple[float, float], pen: float
) -> np.ndarray:
    """A digit (strokes in a box of side 1, or a picture of MNIST) as a layer of ink near the middle of the sheet."""
    side = rng.uniform(*size)
    if isinstance(digit, list):
        points = np.concatenate(digit)
        middle = (points.min(0) + points.max(0)) / 2
        room = max(0.0, (0.94 - side) / 2)
        at = 0.5 + rng.uniform(-1, 1, 2) * min(room, 0.12)
        return drawn([(s - middle) * side + at for s in digit], max(1.0, pen * side * SIDE))
    rows, columns = np.flatnonzero(digit.any(1)), np.flatnonzero(digit.any(0))
    cut = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    scale = side * SIDE / max(cut.shape)
    height, width = (max(1, round(n * scale)) for n in cut.shape)
    large = np.asarray(
        Image.fromarray(np.pad(cut, 2)).resize(
            (width, height), Image.Resampling.BICUBIC, box=(1.5, 1.5, cut.shape[1] + 2.5, cut.shape[0] + 2.5)
        )
    )
    large = ((large / 255 - 0.5) * 3 + 0.5).clip(0, 1)  # from a grey rim of a large pixel to a sharp one
    room = max(0.0, (0.94 - side) / 2)
    layer = np.zeros((SIDE, SIDE), np.float32)
    top, left = (round((SIDE - n) / 2 + SIDE * rng.uniform(-1, 1) * min(room, 0.12)) for n in (height, width))
    layer[top : top + height, left : left + width] = large
    return layer


# --- papers and pens ---


def scene(
    digit: np.ndarray | list[np.ndarray],
    rng: Generator,
    size: tuple[float, float] = (0.4, 0.7),
    pen: tuple[float, float] = (0.04, 0.14),
) -> Scene:
    """A sheet of some colour with a digit on it in softly uneven light."""
    paper = rng.uniform(0.72, 0.98) * (1 - rng.uniform(0, 0.2, 3) * (rng.random() < 0.5))
    colours = [
        (0.1, 0.1, 0.12),
        (0.1, 0.15, 0.5),
        (0.5, 0.08, 0.1),
        (0.05, 0.3, 0.12),
        (0.25, 0.24, 0.24),
        (0.45, 0.05, 0.5),
    ]
    made = Scene(
        placed(digit, rng, size, rng.uniform(*pen)),
        paper.astype(np.float32),
        np.array(colours[rng.integers(len(colours))], np.float32),
        grain=rng.uniform(0, 0.015),
        blur=rng.uniform(0, 2),
        noise=rng.uniform(0.002, 0.02),
    )
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    slope, angle = rng.uniform(0, 0.2), rng.uniform(0, 2 * math.pi)
    made.light = (
        1
        - slope * (1 + math.cos(angle) * x + math.sin(angle) * y) / 2
        - rng.uniform(0, 0.1) * (x * x + y * y)
    ).astype(np.float32)
    return made


def picture(made: Scene, rng: Generator, side: int, quality: int | None = None) -> np.ndarray:
    """What a camera sees of a scene: RGB uint8 [side, side, 3]."""
    grain = blurred(rng.normal(0, 1, (SIDE, SIDE)), 1.5) * 5 + blurred(rng.normal(0, 1, (SIDE, SIDE)), 6) * 12
    sheet = made.paper + (made.grain * grain)[:, :, None]
    ink = made.ink[:, :, None] * (1 - 0.1 * rng.random())
    seen = sheet * (1 - ink) + made.pen * ink
    for cover, colour in made.things:
        seen = seen * (1 - cover[:, :, None]) + colour * cover[:, :, None]
    seen = seen * made.light[:, :, None]
    image = Image.fromarray((seen.clip(0, 1) * 255).astype(np.uint8))
    if made.blur:
        image = image.filter(ImageFilter.GaussianBlur(made.blur))
    resampling = Image.Resampling.BICUBIC if side > SIDE else Image.Resampling.BOX
    noisy = np.asarray(image.resize((side, side), resampling), np.float32) / 255
    noisy = noisy + rng.normal(0, made.noise, (side, side, 1)) + rng.normal(0, made.noise / 3, noisy.shape)
    image = Image.fromarray((noisy.clip(0, 1) * 255).round().astype(np.uint8))
    if quality is not None:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        image = Image.open(file)
    return np.asarray(image)


# --- what else is in the picture ---


def half_plane(rng: Generator, soft: float, share: tuple[float, float] = (0.1, 0.5)) -> np.ndarray:
    """1 on one side of a straight edge that leaves ``share`` of the sheet on that side."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle = rng.uniform(0, 2 * math.pi)
    along = math.cos(angle) * x + math.sin(angle) * y
    limit = np.quantile(along, 1 - rng.uniform(*share))
    return blurred(along > limit, soft)


def shadow_edge(made: Scene, rng: Generator) -> None:
    made.light = made.light * (1 - rng.uniform(0.2, 0.7) * half_plane(rng, rng.uniform(1, 14)))


def hand_shadow(made: Scene, rng: Generator) -> None:
    x, y = rng.choice([-0.05, 1.05]), rng.uniform(0, 1)
    if rng.random() < 0.5:
        x, y = y, x
    blob = np.maximum(
        disc(x, y, rng.uniform(0.15, 0.35)), disc(x + rng.uniform(-0.1, 0.1), y + rng.uniform(-0.1, 0.1), 0.2)
    )
    made.light = made.light * (1 - rng.uniform(0.25, 0.7) * blurred(blob, rng.uniform(4, 20)))


def rulings(made: Scene, rng: Generator, both: bool, gap: tuple[float, float]) -> None:
    """Lines all over the sheet, printed below the ink, a little turned, perhaps a little bent."""
    spacing, turn, bend = rng.uniform(*gap), rng.normal(0, 0.04), rng.normal(0, 0.01)
    width = rng.uniform(1, 4) if both else rng.uniform(1.2, 5)
    colour = np.array(
        [(0.45, 0.6, 0.8), (0.55, 0.55, 0.55), (0.5, 0.75, 0.7), (0.35, 0.45, 0.75), (0.8, 0.5, 0.5)][
            rng.integers(5)
        ]
    )
    strokes = []
    t = np.linspace(-0.1, 1.1, 25)
    for k in np.arange(-0.3, 1.3, spacing) + rng.uniform(0, spacing):
        across = k + turn * (t - 0.5) + bend * np.sin(math.pi * t)
        strokes.append(np.stack([t, across], axis=1))
        if both:
            strokes.append(np.stack([k - turn * (t - 0.5) + bend * np.sin(math.pi * t), t], axis=1))
    lines = drawn(strokes, width) * rng.uniform(0.5, 1) * (1 - made.ink)
    made.add(lines, colour * made.paper)


def ruled(made: Scene, rng: Generator) -> None:
    rulings(made, rng, False, (0.12, 0.3))
    if rng.random() < 0.3:
        x = rng.uniform(0.05, 0.2)
        made.add(line((x, -0.1), (x + 0.02, 1.1), rng.uniform(1.5, 4)) * (1 - made.ink), (0.8, 0.35, 0.35))


def squared(made: Scene, rng: Generator) -> None:
    rulings(made, rng, True, (0.08, 0.25))


def on_a_desk(made: Scene, rng: Generator) -> None:
    """The sheet's edges are in the picture, on one side or on up to all four."""
    sides = rng.random(4) < 0.5
    sides[rng.integers(4)] = True
    a, b, c, d = (rng.uniform(0.02, 0.14) if s else -0.3 for s in sides)
    slant = rng.normal(0, 0.03, 8)
    corners = [(a, b), (1 - c, b), (1 - c, 1 - d), (a, 1 - d)]
    sheet = polygon([(x + slant[2 * k], y + slant[2 * k + 1]) for k, (x, y) in enumerate(corners)])
    made.add(
        (1 - sheet) * (1 - made.ink),
        rng.uniform(0.05, 0.35) * np.array([1, rng.uniform(0.7, 1), rng.uniform(0.5, 1)]),
    )


def turned_corners(made: Scene, rng: Generator) -> None:
    """A picture that was rotated, black where there was nothing."""
    angle = rng.choice([-1, 1]) * math.radians(rng.uniform(4, 40))
    corners = [
        (
            0.5 + (x * math.cos(angle) - y * math.sin(angle)) * 0.5,
            0.5 + (x * math.sin(angle) + y * math.cos(angle)) * 0.5,
        )
        for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    made.add((1 - polygon(corners)) * (1 - made.ink), 0.0)


def caption_bar(made: Scene, rng: Generator) -> None:
    height, colour = rng.uniform(0.05, 0.14), rng.uniform(0, 0.3)
    low = rng.random() < 0.7
    bar = (
        polygon([(0, 1 - height), (1, 1 - height), (1, 1), (0, 1)])
        if low
        else polygon([(0, 0), (1, 0), (1, height), (0, height)])
    )
    made.add(bar, colour)
    if rng.random() < 0.5:
        y = 1 - height / 2 if low else height / 2
        dashes = [
            line((x, y), (x + 0.03, y + rng.uniform(-0.01, 0.01)), 8)
            for x in np.arange(0.1, rng.uniform(0.3, 0.9), 0.05)
        ]
        made.add(sum(dashes), 0.95)


def neighbours(made: Scene, rng: Generator) -> None:
    """Other digits beside, cut off by the picture's border."""
    place = np.flatnonzero(made.ink.any(0))
    pen = max(3.0, 0.09 * (place[-1] - place[0]))
    sides = [(-1, 0), (1, 0)] if rng.random() < 0.8 else [(0, -1), (0, 1)]
    for dx, dy in sides[: rng.integers(1, 3)]:
        t = np.linspace(0, 2 * math.pi, 30)
        ring = np.stack([0.5 + 0.52 * dx + 0.14 * np.cos(t), 0.5 + 0.52 * dy + 0.2 * np.sin(t)], axis=1)
        bar = np.array(
            [
                (0.5 + 0.47 * dx - 0.1 * abs(dy), 0.5 + 0.47 * dy - 0.2 * abs(dx)),
                (0.5 + 0.47 * dx + 0.1 * abs(dy), 0.5 + 0.47 * dy + 0.2 * abs(dx)),
            ]
        )
        made.add(
            drawn([ring if rng.random() < 0.5 else bar], pen) * (blurred(made.ink > 0.1, 6) < 0.02), made.pen
        )


def cell_frame(made: Scene, rng: Generator) -> None:
    """The whole frame of the cell in which the digit stands."""
    inset, width, turn = rng.uniform(0.0, 0.08), rng.uniform(2, 9), rng.normal(0, 0.01)
    low, high = inset, 1 - inset
    corners = [
        (low - turn, low),
        (high, low + turn),
        (high + turn, high),
        (low, high - turn),
        (low - turn, low),
    ]
    frame = np.maximum.reduce([line(a, b, width) for a, b in itertools.pairwise(corners)])
    made.add(frame, rng.uniform(0.05, 0.5))


def cell_lines(made: Scene, rng: Generator) -> None:
    """Any bits of ruling along the border of a cut: some sides, slightly turned, perhaps only a part of a line."""
    sides = rng.random(4) < 0.45
    sides[rng.integers(4)] = True
    colour, width = rng.uniform(0.0, 0.5), rng.uniform(2, 12)
    for side in np.flatnonzero(sides):
        at, turn = rng.uniform(-0.01, 0.07), rng.normal(0, 0.015)
        first, last = (-0.1, 1.1) if rng.random() < 0.75 else tuple(np.sort(rng.uniform(-0.1, 1.1, 2)))
        a, b = (first, at - turn), (last, at + turn)
        if side >= 2:
            a, b = (a[0], 1 - a[1]), (b[0], 1 - b[1])
        if side % 2:
            a, b = a[::-1], b[::-1]
        made.add(line(a, b, width), colour)


def thin_border(made: Scene, rng: Generator) -> None:
    w = rng.uniform(0.004, 0.02)
    made.add(1 - polygon([(w, w), (1 - w, w), (1 - w, 1 - w), (w, 1 - w)]), rng.uniform(0, 0.3))


def underlined(made: Scene, rng: Generator) -> None:
    rows = np.flatnonzero(made.ink.any(1))
    y = min(0.97, rows[-1] / SIDE + rng.uniform(0.05, 0.12))
    made.add(
        line((-0.1, y + rng.normal(0, 0.01)), (1.1, y + rng.normal(0, 0.01)), rng.uniform(3, 8)), made.pen
    )


def dark_spot(made: Scene, rng: Generator) -> None:
    """The tip of something at the border."""
    x, y = rng.uniform(0, 1), rng.choice([0.0, 1.0])
    if rng.random() < 0.5:
        x, y = y, x
    made.add(blurred(disc(x, y, rng.uniform(0.03, 0.12)), rng.uniform(0, 3)), rng.uniform(0, 0.4))


def pencil(made: Scene, rng: Generator) -> None:
    """Soft pencil that hardly differs from the paper."""
    made.pen = made.paper * (1 - rng.uniform(0.09, 0.2))
    made.noise, made.grain = min(made.noise, 0.01), min(made.grain, 0.006)


def pencil_in_shadow(made: Scene, rng: Generator) -> None:
    pencil(made, rng)
    shadow_edge(made, rng)


def nothing_else(made: Scene, rng: Generator) -> None:
    pass


# Kinds that the choice of parts was not tuned on.


def round_card(made: Scene, rng: Generator) -> None:
    made.add(
        (1 - disc(0.5 + rng.normal(0, 0.02), 0.5 + rng.normal(0, 0.02), rng.uniform(0.46, 0.56)))
        * (1 - made.ink),
        rng.uniform(0.05, 0.3),
    )


def punched_holes(made: Scene, rng: Generator) -> None:
    holes = [
        disc(rng.uniform(0.02, 0.06), y, rng.uniform(0.02, 0.04))
        for y in np.arange(rng.uniform(0, 0.2), 1, rng.uniform(0.2, 0.4))
    ]
    made.add(np.maximum.reduce(holes), rng.uniform(0.05, 0.4))


def pen_beside(made: Scene, rng: Generator) -> None:
    """A pen lies at the side, in over the border."""
    at, slant, width = rng.uniform(0.03, 0.12), rng.normal(0, 0.03), rng.uniform(14, 40)
    ends = (-0.1 if rng.random() < 0.5 else rng.uniform(0.1, 0.4), 1.1)
    a, b = (at - slant, ends[0]), (at + slant, ends[1])
    if rng.random() < 0.5:
        a, b = (1 - a[0], a[1]), (1 - b[0], b[1])
    made.add(
        line(a, b, width) * (1 - made.ink), (rng.uniform(0, 0.6), rng.uniform(0, 0.3), rng.uniform(0, 0.6))
    )


def fold(made: Scene, rng: Generator) -> None:
    """Creased paper: one side of the fold is darker, the fold itself a little more."""
    x, slant = rng.uniform(0.2, 0.8), rng.uniform(-0.1, 0.1)
    right = polygon([(x - slant, -0.1), (1.2, -0.1), (1.2, 1.1), (x + slant, 1.1)])
    crease = blurred(line((x - slant, -0.1), (x + slant, 1.1), 4), 2)
    made.light = made.light * (1 - rng.uniform(0.05, 0.25) * right) * (1 - rng.uniform(0.05, 0.2) * crease)


def window_blinds(made: Scene, rng: Generator) -> None:
    """Two bars of shadow."""
    for k in (0.3, 0.75):
        x, w, slant = k + rng.normal(0, 0.05), rng.uniform(0.05, 0.12), rng.uniform(-0.2, 0.2)
        bar = polygon(
            [(x - w - slant, -0.1), (x + w - slant, -0.1), (x + w + slant, 1.1), (x - w + slant, 1.1)]
        )
        made.light = made.light * (1 - rng.uniform(0.15, 0.4) * blurred(bar, rng.uniform(5, 14)))


def gutter(made: Scene, rng: Generator) -> None:
    """A dark scan border on one side with a bright rim of the next page."""
    w = rng.uniform(0.03, 0.1)
    made.add(polygon([(0, 0), (w, 0), (w * rng.uniform(0.5, 1.5), 1), (0, 1)]), rng.uniform(0, 0.2))
    made.add(polygon([(0, 0), (w / 3, 0), (w / 3, 1), (0, 1)]), 0.85)


KINDS: dict[str, Callable[[Scene, Generator], None]] = {
    f.__name__: f
    for f in (
        *(nothing_else, shadow_edge, hand_shadow, ruled, squared, on_a_desk, turned_corners, caption_bar),
        *(neighbours, thin_border, underlined, dark_spot, pencil, pencil_in_shadow),
    )
}
CELLS: dict[str, Callable[[Scene, Generator], None]] = {f.__name__: f for f in (cell_frame, cell_lines)}
HELD_OUT: dict[str, Callable[[Scene, Generator], None]] = {
    f.__name__: f for f in (round_card, punched_holes, pen_beside, fold, window_blinds, gutter)
}
SIDES = (28, 48, 64, 100, 160, 240, 400, 700, 1000)


def paper(
    kind: Callable[[Scene, Generator], None],
    digit: np.ndarray | list[np.ndarray],
    rng: Generator,
    side: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """One picture of a kind: RGB uint8 [side, side, 3], and its ink alone, float32 [SIDE, SIDE] in 0..1."""
    cell = kind in CELLS.values()
    chosen = (
        int(rng.choice(SIDES[:6] if cell else SIDES[2:] if kind in (ruled, squared) else SIDES[1:]))
        if side is None
        else side
    )
    # The stroke must outlast the reduction.
    thinnest = 1.3 * SIDE / chosen / (0.45 * SIDE)
    made = scene(digit, rng, (0.45, 0.7) if cell else (0.4, 0.7), (max(0.04, thinnest), max(0.14, thinnest)))
    kind(made, rng)
    quality = None if rng.random() < 0.4 else int(rng.integers(60, 96))
    pixels = picture(made, rng, chosen, quality)
    if rng.random() < 0.12:
        pixels = 255 - pixels  # chalk on a board, in the same situations
    return pixels, made.ink
