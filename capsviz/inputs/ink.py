"""Which of what stands out from a picture's background is the digit's ink.

A drawing is simple: its ground is even, and all that stands out is the digit, but for dust. In a photo or a scan other
things stand out too: the edge of a shadow, rulings, the desk, a frame, neighbours; nearly all of them reach the border
of the picture. There a first look at few pixels chooses: the background is what strokes are too thin to hide; lines
that cross the picture are cut out; of the connected parts the one is taken that is large, strong and in the middle,
with what lies near it. A second look at all pixels measures the ink by that choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from capsviz.errors import ImageError
from capsviz.inputs.parts import Point, box_of, dilate, find_parts, stroke_width, without_lines
from capsviz.texts import drawn, say

SAMPLES = 40  # a side, of the pixels by which an even ground is known
EVEN = 0.002  # half a grey level of 256: a ground that deviates by less is even
FIRST_LOOK = 200  # pixels a side, at most

MIN_CONTRAST = 0.08  # of ink against an even ground, of 1 between black and white
FAINT = 0.045  # the same on paper, where it must also stand out from the grain
NOISE_SIGMAS = 5.0  # what stands out by less is noise
DARKEST = 0.25  # of paper, when ink is measured as a share of its light
INK_LEVEL = 0.3  # of full ink: from here on a pixel belongs to a part
RULED_LEVEL = 0.45  # the same where there are lines, which are often fainter than the ink
STRONG = 0.6  # of the strongest ink: by this level what is fainter falls off
SPECK_AREA = 0.05  # of the main part's: what is smaller is dust
MAX_COMPONENTS = 4

BROAD, NARROW = 0.3, 0.13  # of the shorter side: strokes are thinner than the first, most than the second
STROKES = 4  # widths of the digit's own stroke, for the second look
PALE = 0.02  # of its weight is left to ink that looks like what surrounds it
COVERED = 0.58  # of the picture, at most, by such ink: a sheet on a desk covers more
FILLED = 0.45  # of the border, by the ink of a digit to which a picture was cut
TWO_TONE = 0.25  # of the way from dark to light: most of a two-tone picture lies within it of either
FAR = 0.55  # from the middle, of half a side: where a part counts half
BAND = 0.12  # of half the shorter side: what lies nearer to the border on average runs along it
ALONG = 0.02  # of the plausibility of a part inside the picture: what has less runs along the border
GAP = 0.3  # of its own size is a gap broad, and no stroke
LITTLE, FEW = 0.05, 0.2  # of the picture, by a tap, and by a stroke, that leave no doubt which the ground is
ALL_OVER = 0.25  # of the picture
SOLID = 0.55  # of the square around it: no stroke covers so much
NEAR = 0.35  # of the main part's size: what lies farther away is another thing
MANY = 6  # parts that could each be the digit: text
LINED = 0.8  # of its worth is left to a choice for which lines were cut out


@dataclass(frozen=True, eq=False)
class Ink:
    """The digit's ink in a picture [H, W]."""

    amount: np.ndarray  # float32 [H, W], about 1 in the digit's ink, 0 elsewhere
    kept: np.ndarray  # bool [H, W]
    left_out: np.ndarray  # bool [H, W], stands out as well
    polarity: str  # "light" or "dark"
    doubts: tuple[str, ...] = ()


def find_ink(grey: np.ndarray, ink: str, without: Sequence[Point] = ()) -> Ink:
    """Find the digit's ink.

    Args:
        grey: float32 [H, W] in 0..1.
        ink: "light", "dark" or "auto".
        without: points (x, y), as fractions of this picture, on what is no ink.

    Raises:
        ImageError: if there is none, or it is all over, or falls into more pieces than a digit does.
    """
    ground, even = _ground(grey)
    if even:
        plain = _plain(grey, ground, ink, without)
        if plain is not None:
            return plain
    return _choose(grey, ink, ground if even else None, without)


def _ground(grey: np.ndarray) -> tuple[float, bool]:
    """What most of a picture is like, and whether it is that evenly."""
    step = -(-max(grey.shape) // SAMPLES)
    samples = grey[::step, ::step].astype(np.float64)
    middle = np.median(samples)
    return float(middle), bool(1.4826 * np.median(np.abs(samples - middle)) < EVEN)


def _full_ink(seen: np.ndarray) -> float:
    """How far full ink stands out, from all that does."""
    return float(np.percentile(seen[seen > INK_LEVEL * seen.mean()], 75))


def _amount(excess: np.ndarray, noise: float, full: float) -> np.ndarray:
    return np.where(excess > noise, np.minimum(excess / np.float32(full), 1), 0).astype(np.float32)


# --- drawings -------------------------------------------------------------------------------------------


def _plain(grey: np.ndarray, ground: float, ink: str, without: Sequence[Point]) -> Ink | None:
    """The ink on an even ground; None where something else may be in the picture.

    Raises:
        ImageError: if there is no ink or it is all over.
    """
    difference = grey - np.float32(ground)
    box = box_of(np.abs(difference) > MIN_CONTRAST)  # all else is ground
    difference = difference[box]
    light, dark = difference[difference > MIN_CONTRAST], -difference[difference < -MIN_CONTRAST]
    polarity = ink if ink != "auto" else "light" if light.sum() > dark.sum() else "dark"
    seen, opposite = (light, dark) if polarity == "light" else (dark, light)
    if seen.size == 0:
        # What most of a picture is made of passes for its ground. If we were told what ink looks like,
        # and it looks like that, then ink is what most of this picture is.
        inked = opposite.size > 0 or (ground > 0.75 if ink == "light" else ground < 0.25)
        raise ImageError(
            say("image.scribble", kind=drawn())
            if ink != "auto" and inked
            else say("image.blank", kind=drawn())
        )
    excess = difference if polarity == "light" else -difference
    amount = _amount(excess, MIN_CONTRAST, _full_ink(seen))
    parts = find_parts(amount, INK_LEVEL, grey.shape, (box[0].start, box[1].start))
    area = np.where(parts.allowed(without), parts.area, 0)
    if not area.any():
        raise ImageError(say("image.blank", kind=drawn()))
    large = area >= SPECK_AREA * area.max()
    seen_parts = parts.area >= SPECK_AREA / 5 * area.max()
    # All of the ink is one part, and there is no other reading of it: a stroke or a dot, even over the border.
    main = int(area.argmax())
    h, w = parts.labels.shape
    within = parts.height()[main] < h and parts.width()[main] < w and parts.cover()[main] <= SOLID
    little = area[main] < LITTLE * grey.size
    alone = seen_parts.sum() == 1 and (ink != "auto" or little or (within and area[main] < FEW * grey.size))
    if not alone and (
        (parts.at_border & seen_parts).any()
        or ((parts.is_frame() & large).any() and large.sum() > 1)
        or (ink == "auto" and parts.cover()[main] > SOLID)
    ):
        return None
    if large.sum() > MAX_COMPONENTS:
        raise ImageError(say("image.scribble", kind=drawn()))
    # One cell more all around: the antialiased edge may lie in the next one.
    keep = parts.pixels(dilate(parts.select(large), square=True), grey.shape)[box]
    chosen, kept, left_out = np.zeros_like(grey), np.zeros(grey.shape, bool), np.zeros(grey.shape, bool)
    chosen[box] = np.where(keep, amount, np.float32(0))
    kept[box] = chosen[box] >= INK_LEVEL
    left_out[box] = (amount >= INK_LEVEL) & ~kept[box]
    return Ink(chosen, kept, left_out, polarity)


# --- what stands out on paper ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class View:
    """One way to look at a picture: what the ground is, and which side of it ink lies on."""

    polarity: str
    ground: float | None  # the same everywhere; None: what strokes are too thin to hide
    excess: np.ndarray  # float32 [H, W], how far each pixel stands out
    noise: float  # what stands out by less does not


def _from_ground(grey: np.ndarray, polarity: str, ground: float, noise: float) -> View:
    excess = grey - np.float32(ground) if polarity == "light" else np.float32(ground) - grey
    return View(polarity, ground, excess, noise)


def _from_paper(soft: np.ndarray, polarity: str, stroke: float) -> View:
    """What stands out from its surroundings and is narrower than ``stroke`` pixels: the top-hat of a picture."""
    size = 2 * round(stroke / 2) + 1
    dark = polarity == "dark"
    ground = _slide(_slide(soft, size, largest=dark), size, largest=not dark)
    excess = (ground - soft) / np.maximum(ground, DARKEST) if dark else soft - ground
    step = -(-max(soft.shape) // (2 * SAMPLES))
    samples = excess[::step, ::step]
    middle = np.median(samples)
    # Ink is all on one side: on the other one noise is alone.
    sigma = 1.4826 * float(np.median(middle - samples[samples <= middle]))
    return View(polarity, None, excess - middle, max(FAINT, NOISE_SIGMAS * sigma))


def _slide(image: np.ndarray, size: int, largest: bool) -> np.ndarray:
    """The largest or smallest value in a square of ``size`` pixels, an odd number, around each pixel."""
    pick, outside = (np.maximum, -np.inf) if largest else (np.minimum, np.inf)
    height, width = image.shape
    slid = np.full((height + size - 1, width + size - 1), outside, image.dtype)
    slid[size // 2 : size // 2 + height, size // 2 : size // 2 + width] = image
    reach = 1
    while reach < size:  # each value covers ``reach`` rows and columns
        step = min(reach, size - reach)
        slid = pick(slid[:-step], slid[step:])
        slid = pick(slid[:, :-step], slid[:, step:])
        reach += step
    return slid


def _soften(grey: np.ndarray) -> np.ndarray:
    """Average over 3x3 pixels, the middle counting most: paper has a grain."""
    wide = np.pad(grey, 1, mode="edge")
    rows = wide[:-2] + 2 * wide[1:-1] + wide[2:]
    return (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16


def _surroundings(grey: np.ndarray) -> np.ndarray:
    """The median of a third of the picture around each place, [H, W]; coarse."""
    height, width = grey.shape
    steps = [-(-size // SAMPLES) for size in grey.shape]
    samples = grey[:: steps[0], :: steps[1]]
    size = 2 * (min(samples.shape) // 6) + 1
    wide = np.pad(samples, size // 2, mode="reflect" if min(samples.shape) > size // 2 else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(wide, (size, size))[::2, ::2]
    medians = np.median(windows.reshape(*windows.shape[:2], -1), axis=2)
    return medians.repeat(2 * steps[0], axis=0).repeat(2 * steps[1], axis=1)[:height, :width]


def _views(grey: np.ndarray, polarities: Sequence[str], ground: float | None) -> list[tuple[View, float]]:
    """Ways to look at a picture, and how much in each looks like strokes near the middle."""
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    low, high = np.percentile(grey, (5, 95))
    between = TWO_TONE * (high - low)
    two_tone = high - low > 0.3 and ((grey < low + between) | (grey > high - between)).mean() > 0.7
    views = []
    for polarity in polarities:
        if ground is not None:
            levels = dict.fromkeys((ground, float(np.median(border))))
            views += [_from_ground(grey, polarity, level, MIN_CONTRAST) for level in levels]
            continue
        views.append(_from_paper(_soften(grey), polarity, BROAD * min(grey.shape)))
        if two_tone:  # a digit that fills its picture leaves no paper around itself
            views.append(_from_ground(grey, polarity, float(high if polarity == "dark" else low), between))
    height, width = grey.shape
    y, x = np.linspace(-1, 1, height, dtype=np.float32), np.linspace(-1, 1, width, dtype=np.float32)
    central = 1 / (1 + ((y * y)[:, None] + x * x) ** 2 / 0.09)
    around = _surroundings(grey)

    def stroke_like(view: View) -> float:
        inked = view.excess > view.noise
        if not inked.any():
            return 0.0
        rims = inked[0], inked[-1], inked[:, 0], inked[:, -1]
        rim = np.concatenate(rims).mean()
        # Ink differs from what most of its surroundings are like; what merely lies between ink does not. Only of a
        # picture that is cut to a digit ink may be the most: it reaches all sides, but not all along.
        filled = rim < FILLED and inked.mean() < COVERED and all(side.any() for side in rims)
        apart = around - grey if view.polarity == "dark" else grey - around
        worth = view.excess * central * np.where(filled | (apart > view.excess / 2), 1, PALE)
        outline = (inked[1:] != inked[:-1]).sum() + (inked[:, 1:] != inked[:, :-1]).sum()
        likely = 2 - rim
        if ground is None and view.ground is not None:
            likely *= 0.5 if filled else 0.05
        return float(likely * worth[inked].sum() * outline / inked.sum())

    return [(view, stroke_like(view)) for view in views]


# --- the choice -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Choice:
    """Which parts were taken for the digit."""

    amount: np.ndarray  # float32 [H, W], ink of these alone
    seen: np.ndarray  # bool [H, W], all that was inked
    kept: np.ndarray  # bool [H, W]
    lines: bool  # whether lines were cut out
    parts: int  # how many were taken
    count: int  # how many are no dust
    plausible: float  # 1 for a part inside the picture, less for one at its border
    strength: float  # how far its ink stands out
    worth: float
    rival: float  # worth of the best other part
    many: bool  # as many other parts as a text has
    at_border: bool


def _pick(
    excess: np.ndarray,
    noise: float,
    full: float,
    without: Sequence[Point],
    lines: bool,
) -> Choice | None:
    """Choose among the connected parts of what stands out by more than ``noise``, ``lines`` cut out if asked."""
    full = max(full, noise)
    seen = _amount(excess, noise, full)
    level = max(INK_LEVEL, noise / full)
    amount = without_lines(seen, level) if lines else seen
    parts = find_parts(amount, level)
    allowed = parts.allowed(without)
    if not allowed.any():
        return None

    plausible = np.where(
        parts.at_border,
        0.4 * ((parts.depth - BAND) / 0.2).clip(0.01, 1) * np.where(parts.cover() > SOLID, 0.1, 1),
        np.where(parts.is_frame(), 0.01, 1),
    )
    worth = parts.area * parts.strength * plausible / (1 + (parts.off_centre / FAR) ** 4)
    worth = np.where(allowed, worth, 0)
    main = int(worth.argmax())

    size = max(parts.height()[main], parts.width()[main])
    below = np.maximum(parts.top - parts.bottom[main], parts.top[main] - parts.bottom).clip(0)
    beside = np.maximum(parts.left - parts.right[main], parts.left[main] - parts.right).clip(0)
    rows = np.minimum(parts.bottom, parts.bottom[main]) - np.maximum(parts.top, parts.top[main]) + 1
    columns = np.minimum(parts.right, parts.right[main]) - np.maximum(parts.left, parts.left[main]) + 1
    within = (rows > 0.6 * parts.height()) & (columns > 0.6 * parts.width())
    keep = (
        (parts.area >= SPECK_AREA * parts.area[main])
        & (np.hypot(below, beside) <= NEAR * size)
        & (parts.strength > 0.5 * parts.strength[main])
        & (plausible > ALONG)
        & allowed
        & (~parts.at_border | within)
    )
    keep[main] = True
    taken = parts.select(keep)
    others = (parts.labels >= 0) & ~taken
    pixels = parts.pixels(dilate(taken, square=True) & ~others, excess.shape)
    chosen = np.where(pixels, amount, np.float32(0))
    kept = chosen >= level
    ink = float(np.median(excess[kept]))
    rest = np.where(keep, 0, worth)
    return Choice(
        amount=chosen,
        seen=seen >= level,
        kept=kept,
        lines=amount is not seen,
        parts=int(keep.sum()),
        plausible=float(plausible[main]),
        # To find the digit at a level that shows no lines is safer than to cut them out.
        worth=float(worth[main]) * ink * (LINED if amount is not seen else 1),
        rival=float(rest.max()) * ink,
        strength=ink,
        count=int((parts.area >= SPECK_AREA * parts.area[main]).sum()),
        many=int((rest > 0.15 * worth[main]).sum()) > (2 if parts.at_border[main] else MANY)
        or int((parts.area > 0.4 * parts.area[main]).sum()) > MANY,
        at_border=bool(parts.at_border[main]),
    )


def _choose(grey: np.ndarray, ink: str, ground: float | None, without: Sequence[Point]) -> Ink:
    """Find the ink in a picture that holds other things as well; ``ground`` if it is even."""
    factor = -(-max(grey.shape) // FIRST_LOOK)
    small = grey if factor == 1 else np.asarray(Image.fromarray(grey).reduce(factor))
    views = _views(small, ("dark", "light") if ink == "auto" else (ink,), ground)
    view, _ = max(views, key=lambda pair: pair[1])

    seen = view.excess[view.excess > view.noise]
    if not seen.size:
        raise ImageError(say("image.blank", kind=drawn()))
    full = _full_ink(seen)
    # With each: full ink, from which level on, and whether it cuts off what is fainter or broader.
    looks = [
        (view, full, INK_LEVEL * full, False),
        (view, full, STRONG * float(np.percentile(seen, 97)), True),
    ]
    if ground is None:
        if view.noise < INK_LEVEL * full:  # the digit may be far fainter than what full ink was measured on
            looks.append((view, view.noise / INK_LEVEL, view.noise, False))
        narrow = _from_paper(_soften(small), view.polarity, NARROW * min(small.shape))
        looks.append((narrow, full, INK_LEVEL * full, True))
    choices: list[tuple[Choice, bool]] = []
    for look, most, level, cut in looks:
        # Lines that this level does not show, no higher one does.
        lines = not cut or any(choice.lines for choice, _ in choices)
        choice = _pick(look.excess, max(look.noise, level), most, without, lines)
        if choice is not None:
            share = most / full  # strength is a share of full ink
            choices.append((replace(choice, worth=share * choice.worth, rival=share * choice.rival), cut))
    if not choices:
        raise ImageError(say("image.blank", kind=drawn()))
    first, cut = max(choices, key=lambda pair: pair[0].worth)
    final = _look_again(grey, view, first, cut, factor, without) or first
    side = max(np.ptp(places) + 1 for places in np.nonzero(final.kept))
    # Gaps that a scribble has left are taken for ink where most of the picture is inked: broad, and not the only ones.
    gap = final.seen.sum() > 2 * final.kept.sum() and stroke_width(final.kept) > GAP * side
    if (
        first.many
        or gap
        or (ground is not None and first.count > 2 * MAX_COMPONENTS - 1)
        or final.parts > MAX_COMPONENTS
    ):
        raise ImageError(say("image.scribble", kind=drawn()))
    if min(first.plausible, final.plausible) < ALONG:
        if first.seen.mean() > ALL_OVER:
            raise ImageError(say("image.scribble", kind=drawn()))
        raise ImageError(
            say("image.atBorder", kind=drawn())
            if first.strength > MIN_CONTRAST
            else say("image.blank", kind=drawn())
        )
    doubts = []
    if final.at_border and ground is None:
        doubts.append(say("image.reachesBorder", kind=drawn()))
    if first.rival > 0.6 * first.worth:
        doubts.append(say("image.another", kind=drawn()))
    return Ink(final.amount, final.kept, final.seen & ~final.kept, view.polarity, tuple(doubts))


def _look_again(
    grey: np.ndarray,
    view: View,
    first: Choice,
    cut: bool,
    factor: int,
    without: Sequence[Point],
) -> Choice | None:
    """Choose among all pixels, with the background and full ink as the first choice's stroke asks for."""
    kept = first.kept.repeat(factor, axis=0).repeat(factor, axis=1)[: grey.shape[0], : grey.shape[1]]
    width = factor * stroke_width(first.kept)
    if view.ground is None:
        broadest = min(BROAD * min(grey.shape), max(STROKES * width, 7))
        fine = _from_paper(_soften(grey), view.polarity, broadest)
    else:
        fine = _from_ground(grey, view.polarity, view.ground, view.noise)
    seen = fine.excess[kept & (fine.excess > fine.noise)]
    if not seen.size:
        return None
    excess = fine.excess
    if cut:  # what falls off by a higher level, or from a narrower stroke, must not come back
        region = kept
        for _ in range(int(np.ceil(0.35 * width)) + 2):
            region = dilate(region, square=False)
        excess = np.where(region, excess, np.float32(0))
    full = _full_ink(seen)
    level = (RULED_LEVEL if first.lines else INK_LEVEL) * full
    choice = _pick(excess, max(fine.noise, level), full, without, first.lines)
    return choice and replace(choice, seen=fine.excess >= max(fine.noise, level))
