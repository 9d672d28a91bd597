"""The Pose page as a slide: what a pose draws, and where its numbers stand."""

from typing import TYPE_CHECKING

import numpy as np

from capsviz.figures.pose import pose_unit
from capsviz.figures.slides.base import FOR, MARGIN, RIGHT, SMALL, TEXT, Slide, width_of
from capsviz.figures.theme import ink
from capsviz.measures.poses import DigitPoses, describe
from capsviz.texts import capital, noun, say, spelled
from capsviz.texts.numbers import number
from capsviz.traces.base import LENGTH
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import RoutingTrace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP, SIDE = 232, 616
LEFT = MARGIN + SIDE + 72
BEYOND = 0.1  # units of a slider, beyond what training showed and where the number stands
MOST = 24  # numbers that have a slider


def pose_slide(
    trace: RoutingTrace | PlainTrace,
    image: np.ndarray,
    pose: np.ndarray | None = None,
    digit: int | None = None,
    measured: DigitPoses | None = None,
    *,
    moved: int | None = None,
    dark: bool = False,
    origin: str = "",
) -> "Figure":
    """A pose, and what is drawn of it.

    Args:
        trace: of the drawing, with poses.
        image: [S, S] in 0..1 what the decoder draws.
        pose: [D] the numbers of the sliders; the encoded ones if not given.
        digit: the class whose numbers they are; the answer if not given.
        measured: what these numbers do.
        moved: number whose slider is set off, as one on the move.
        dark: whether it is light on dark.
        origin: a line for the bottom.
    """
    assert trace.v is not None
    place = trace.prediction if digit is None else digit
    encoded = trace.v[-1, place]
    now = encoded if pose is None else np.asarray(pose, np.float32)
    shape = trace.shape
    slide = Slide(say("pose.question", count=spelled(shape.pose)), dark, origin)
    if shape.score == LENGTH:
        said = say("export.pose.length", length=number(float(np.linalg.norm(now)), 3))
    else:
        said = say("export.pose.logit", logit=number(float(now.sum()), 2))
    slide.answer(trace.classes[place], said)
    side = shape.size * max(1, SIDE // shape.size)
    slide.picture(ink(image), MARGIN, TOP, side, side)
    same = np.array_equal(now, encoded)
    told = say("export.pose.encoded" if same else "export.pose.moved", kind=noun(shape.kind))
    slide.text(MARGIN, TOP + side + 18, told, soft=True, width=SIDE, lines=3)
    order = list(range(len(now)))
    if measured:
        order.sort(key=lambda dimension: -measured.components[dimension].strength)
    order = order[:MOST]
    slide.text(
        LEFT,
        TOP - 20,
        capital(say("pose.sliders.name", Numbers=capital(spelled(shape.pose)))),
        TEXT,
        bold=True,
    )
    rows = -(-len(order) // 2)
    step, wide = min(80.0, 640 / rows), (RIGHT - LEFT - 48) / 2
    for at, dimension in enumerate(order):
        column, row = divmod(at, rows)
        known = measured.components[dimension] if measured else None
        ends = (known.low, known.high) if known else (float(encoded[dimension]), float(encoded[dimension]))
        caption = describe(known.effects) if known else ""
        where = LEFT + column * (wide + 48), TOP + 36 + row * step, wide, step
        values = float(now[dimension]), float(encoded[dimension]), *ends
        _slider(slide, where, dimension, caption, values, BEYOND * pose_unit(trace), dimension == moved)
    said = say("export.pose.look")
    slide.text(LEFT, TOP + 36 + rows * step + 8, said, soft=True, width=RIGHT - LEFT, lines=2)
    return slide.figure


def _fitting(dimension: int, caption: str, width: float, bold: bool) -> str:
    """What stands above a slider: its effects, or where these have no room the first, or that without its amount."""
    first = caption.partition(", ")[0]
    for said in (caption, first, first.partition(" (")[0]):
        if width_of(f"{dimension}  {said}", SMALL, bold) <= width:
            break
    return f"{dimension}  {said}"


def _slider(
    slide: Slide,
    where: tuple[float, float, float, float],
    dimension: int,
    caption: str,
    values: tuple[float, float, float, float],
    beyond: float,
    moved: bool,
) -> None:
    """One slider in (left, top, width, height): values now, encoded, and the range of training."""
    left, top, width, height = where
    now, encoded, low, high = values
    first, last = min(values) - beyond, max(values) + beyond

    def at(value: float) -> float:
        return left + width * (value - first) / (last - first)

    slide.text(left, top, _fitting(dimension, caption, width - 100, moved), bold=moved, width=width - 100)
    slide.text(left + width, top, number(now), SMALL, bold=True, align="right")
    y = top + SMALL + min(20.0, 0.28 * height)
    slide.curve((left, left + width), (y, y), slide.look.line, 4)
    if high > low:
        slide.curve((at(low), at(high)), (y, y), slide.look.soft, 8)
    slide.curve((at(encoded), at(encoded)), (y - 13, y + 13), slide.look.ink, 3)
    slide.dots(np.array([at(now)]), np.array([y]), np.array([450.0 if moved else 320.0]), [FOR])
