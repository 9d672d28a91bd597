"""Several networks side by side along one change of the drawing, on one slide."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from capsviz.figures.compare import Column, failing, worded
from capsviz.figures.slides.base import HEAD, LEADING, MARGIN, RIGHT, SMALL, TEXT, Slide
from capsviz.figures.theme import class_colours, ink
from capsviz.inputs.changes import CHANGES, Changes
from capsviz.texts import say
from capsviz.texts.numbers import grouped, number
from capsviz.traces.base import LENGTH, MARGIN_ABSENT, MARGIN_PRESENT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEN, TOP, GAP = 340, 150, 56
BARS = 330  # height of all of them
CURVE, HIGH, STRIP = 684, 180, 24  # where a curve begins, its height, that of the answers below


def compare_slide(
    columns: Sequence[Column], changes: Changes, true: int, *, dark: bool = False, origin: str = ""
) -> "Figure":
    """The changed drawing and, of each network, its answer, a bar for each class and its curve along the change.

    Args:
        columns: the networks, at least one.
        changes: how the drawing is changed; of the change along which the networks answer, where it is now.
        true: place of the class whose score is drawn.
    """
    slide = Slide(say("compare.question"), dark, origin)
    course = columns[0].course
    kind = CHANGES[course.name]
    place = round((getattr(changes, course.name) - kind.same) / kind.step) + course.same
    slide.picture(ink(course.images[place]), MARGIN, TOP, SEEN, SEEN)
    y = TOP + SEEN + 24.0
    for name, each in CHANGES.items():
        value = getattr(changes, name)
        if value != each.same or name == course.name:
            said = f"{say(f'compare.{name}')}: {worded(name, value)}"
            y = slide.text(MARGIN, y, said, TEXT, bold=name == course.name, width=SEEN)
    measured = next((column.means for column in columns if column.means is not None), None)
    if measured is not None:
        said = say("compare.means", images=grouped(measured["images"]))
        slide.text(MARGIN, y + 12, said, soft=True, width=SEEN, lines=4)
    left = MARGIN + SEEN + GAP
    width = (RIGHT - left - GAP * (len(columns) - 1)) / len(columns)
    for at, column in enumerate(columns):
        _column(slide, column, place, true, left + at * (width + GAP), width)
    return slide.figure


def _column(slide: Slide, column: Column, place: int, true: int, x: float, width: float) -> None:
    course, y = column.course, float(TOP)
    shape, kind = course.shape, CHANGES[course.name]
    scores, answer = course.scores[place], int(course.answers[place])
    slide.text(x, y, column.title, SMALL, bold=True, width=width, lines=2)
    y += 2 * LEADING * SMALL + 4
    said = say("compare.answer", name=shape.classes[answer], score=number(float(scores[answer])))
    if scores[answer] < column.unsure_below:
        said += f" · {say('compare.unsure')}"
    slide.text(x, y, said, HEAD * 0.75, bold=True, width=width)
    y += LEADING * HEAD * 0.75
    slide.text(x, y, say(f"compare.{shape.score}"), SMALL, soft=True, width=width)
    slide.scores(scores, shape, x, y + LEADING * SMALL + 8, width, BARS)
    drawn = say("compare.scoreOf", name=shape.classes[true])
    slide.text(x, CURVE - LEADING * SMALL - 4, drawn, soft=True, width=width)
    colours, values = class_colours(len(shape.classes)), np.array(kind.values)

    def across(value: float | np.ndarray) -> np.ndarray:
        return np.asarray(x + 60 + (value - kind.low) / (kind.high - kind.low) * (width - 60))

    def up(score: float | np.ndarray) -> np.ndarray:
        return np.asarray(CURVE + HIGH * (1 - np.asarray(score)))

    for tick in (MARGIN_ABSENT, MARGIN_PRESENT) if shape.score == LENGTH else (0, 0.5, 1):
        slide.curve((float(across(kind.low)), x + width), (float(up(tick)),) * 2)
        slide.text(x + 52, float(up(tick)) - SMALL / 2, number(tick, 1), align="right", soft=True)
    if column.means is not None:
        points = column.means["points"]
        at = across(np.array([point["amount"] for point in points]))
        for name, thick in (("low", 1.5), ("high", 1.5), ("mean", 3)):
            slide.curve(
                at,
                up(np.array([point[name] for point in points])),
                slide.look.soft,
                thick,
                dashed=name == "mean",
            )
    line = up(course.scores[:, true])
    slide.curve(across(values), line, slide.look.ink, 6)
    slide.curve(across(values), line, colours[true], 3)
    now = float(across(values[place]))
    slide.curve((now, now), (CURVE, CURVE + HIGH + STRIP + 10), slide.look.ink, 3)
    half = float(across(values[1]) - across(values[0])) / 2
    for one, value in zip(course.answers, values, strict=True):
        middle = float(across(value))
        start, end = max(middle - half, x + 60), min(middle + half, x + width)
        slide.box(start, CURVE + HIGH + 10, end - start, STRIP, colours[int(one)])
    y = CURVE + HIGH + STRIP + 16
    slide.text(x + 60, y, worded(course.name, kind.low), soft=True)
    slide.text(x + width, y, worded(course.name, kind.high), align="right", soft=True)
    slide.text(x, y + LEADING * SMALL + 2, failing(course, true), SMALL, bold=True, width=width, lines=2)
