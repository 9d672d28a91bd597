"""Two drawings before one network, on one slide: their scores, what differs, which places voted, and the winners' poses."""

from typing import TYPE_CHECKING

import numpy as np

from capsviz.figures.slides.base import HEAD, LEADING, MARGIN, RIGHT, SMALL, TEXT, Slide
from capsviz.figures.theme import class_colours, ink, signed
from capsviz.figures.versus import SHARE, Versus, poses_of, rooted
from capsviz.texts import say
from capsviz.texts.numbers import number
from capsviz.traces.base import MARGIN_PRESENT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP, SEEN, ROW = 180, 290, 31  # where it begins, the side of a drawing, the height of a bar's row
SAID, BELOW = 546, 704  # where the sentences begin, and what stands below them
MAP, GAP = 190, 16
WHICH = ("first", "second")
MOST = 10  # bars
MOST_NUMBERS, STEP = 16, 29  # of a pose, and from one to the next
NUMBERS = 1010  # where they begin
# Of the first drawing and of the second, and their areas: where they lie on each other, both are seen.
MARKS = (("o", 260.0), ("D", 166.0))


def versus_slide(versus: Versus, *, dark: bool = False, origin: str = "") -> "Figure":
    """Both drawings with their scores after the last iteration, and what differs.

    Args:
        versus: both.
        dark: whether it is light on dark.
        origin: a line for the bottom.
    """
    slide = Slide(say("versus.question"), dark, origin)
    for at, (trace, x) in enumerate(zip(versus.traces, (MARGIN, RIGHT - SEEN), strict=True)):
        slide.text(x, TOP - LEADING * SMALL, say(f"versus.{WHICH[at]}"), SMALL, bold=True, width=SEEN)
        slide.picture(ink(trace.image), x, TOP, SEEN, SEEN)
        name, score = versus.sides[at].words(versus.sides[at].read())
        said = say("compare.answer", name=name, score=score)
        slide.text(x, TOP + SEEN + 14, said, HEAD * 0.75, bold=True, width=SEEN)
    _bars(slide, versus, MARGIN + SEEN + 40, RIGHT - SEEN - 40)
    y = slide.text(MARGIN, SAID, versus.said(), TEXT * 0.9, bold=True, width=RIGHT - MARGIN, lines=2)
    slide.text(MARGIN, y, versus.why(), SMALL, width=RIGHT - MARGIN, lines=3)
    if versus.voting is not None:
        _maps(slide, versus)
    if versus.shape.pose:
        _poses(slide, versus)
    return slide.figure


def _bars(slide: Slide, versus: Versus, left: float, right: float) -> None:
    """A row for each class, of many those that are highest in either: the first drawing's to the left, the other's to the right."""
    classes, colours = versus.shape.classes, class_colours(len(versus.shape.classes))
    places = np.sort(np.argsort(-np.maximum(*versus.scores), kind="stable")[:MOST])
    middle, names, figures = (left + right) / 2, 44.0, 86.0
    span = middle - names - figures - left
    for row, place in enumerate(places):
        y = TOP + row * ROW
        slide.text(middle, y + 2, classes[place], SMALL, bold=True, align="center", width=2 * names - 6)
        for at, way in enumerate((-1, 1)):
            score = float(versus.scores[at][place])
            inner = middle + way * names
            slide.box(min(inner, inner + way * span), y + 4, span, ROW - 10, slide.look.panel)
            slide.box(min(inner, inner + way * score * span), y + 4, score * span, ROW - 10, colours[place])
            edge, align = (inner + way * (span + 12)), "right" if way < 0 else "left"
            slide.text(edge, y + 2, number(score), align=align, bold=place in versus.sides[at].read())
    slide.text(
        middle, TOP + len(places) * ROW + 6, say(f"compare.{versus.shape.score}"), soft=True, align="center"
    )


def _maps(slide: Slide, versus: Versus) -> None:
    """Shares of |s| by place, of both classes in question and both drawings, in one colour scale."""
    assert versus.voting is not None
    assert versus.shape.grid is not None
    grid = versus.shape.grid
    columns = grid.columns if grid.places > 1 else int(np.ceil(np.sqrt(grid.types)))
    limit = max(float(np.abs(found[SHARE][-1]).max()) for found in versus.voting) or MARGIN_PRESENT
    scale = say("versus.scale", low=number(-limit), high=number(limit))
    slide.text(MARGIN, BELOW, say("versus.share"), SMALL, bold=True, width=NUMBERS - MARGIN - 40)
    slide.text(MARGIN, BELOW + LEADING * SMALL, scale, soft=True, width=NUMBERS - MARGIN - 40)
    y = BELOW + 2 * LEADING * SMALL + 6
    for at, klass in enumerate(versus.classes):
        x = MARGIN + at * (2 * (MAP + GAP) + 40)
        for side, found in enumerate(versus.voting):
            values = found[SHARE][-1][:, klass]
            full = np.zeros(-(-len(values) // columns) * columns)
            full[: len(values)] = rooted(values / limit)
            left = x + side * (MAP + GAP)
            slide.picture(signed(full.reshape(-1, columns), 1), left, y, MAP, MAP)
            said = say("versus.mapOf", which=say(f"versus.{WHICH[side]}"), name=versus.shape.classes[klass])
            slide.text(left, y + MAP + 6, said, width=MAP + GAP)


def _poses(slide: Slide, versus: Versus) -> None:
    """The numbers of both winners' poses: a disc for the first drawing, a diamond for the second, as the page has them."""
    poses = [poses_of(trace)[-1, trace.prediction] for trace in versus.traces]
    colours = class_colours(len(versus.shape.classes))
    limit = float(np.ceil(10 * max(np.abs(pose).max() for pose in poses)) / 10) or 1.0  # as it is written
    slide.text(NUMBERS, BELOW, say("versus.poses"), SMALL, bold=True, width=RIGHT - NUMBERS)
    said = say("versus.discs", limit=number(limit, 1))
    slide.text(NUMBERS, BELOW + LEADING * SMALL, said, soft=True, width=RIGHT - NUMBERS)
    count = min(len(poses[0]), MOST_NUMBERS)
    rows, top = -(-count // 2), BELOW + 2 * LEADING * SMALL + 4
    wide = (RIGHT - NUMBERS - 40) / 2
    for d in range(count):
        column, row = divmod(d, rows)
        x, y = NUMBERS + column * (wide + 40), top + row * STEP
        slide.text(x, y, f"v{d}", SMALL)
        middle, half = x + 64 + (wide - 64) / 2, (wide - 64) / 2
        at = [middle + half * float(pose[d]) / limit for pose in poses]
        slide.curve((middle, middle), (y - 2, y + 26))
        slide.curve(at, (y + 12, y + 12), slide.look.soft, 3)
        shades = [colours[trace.prediction] for trace in versus.traces]
        for place, shade, (mark, area) in zip(at, shades, MARKS, strict=True):
            slide.dots(np.array([place]), np.array([y + 12.0]), np.array([area]), [shade], mark)
