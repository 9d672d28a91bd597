"""The replay of a drawing as a film: the pen, what is seen of it, the scores, and where among their curves it is."""

from collections.abc import Iterator

import numpy as np

from capsviz.figures.reading import EN_DASH
from capsviz.figures.replay import named_classes
from capsviz.figures.slides.base import MARGIN, RIGHT, SMALL, Slide, spread, width_of
from capsviz.figures.theme import class_colours, ink
from capsviz.measures.replay import NONE, Replay
from capsviz.texts import noun, say
from capsviz.texts.numbers import number, per_cent
from capsviz.traces.base import LENGTH, MARGIN_ABSENT, MARGIN_PRESENT

TOP, SIDE, GAP = 206, 306, 40
RIBBON, CHART, HIGH = 604, 660, 260  # top of the answers and of the curves, and how high these are
LEFT, END = MARGIN + 60, RIGHT - 230  # of the curves; their names have the rest
NAMED = 3  # curves with a name
HEIGHT = 720  # pixels of the film's images


def replay_film(
    replay: Replay, *, unsure_below: float = 0.0, dark: bool = False, origin: str = ""
) -> Iterator[np.ndarray]:
    """An image uint8 [720, 1280, 3] for each moment of a drawing.

    Args:
        replay: of it.
        unsure_below: the highest score below which no class is claimed.
        dark: whether it is light on dark.
        origin: a line for the bottom.
    """
    slide = Slide(say("replay.title"), dark, origin)
    slide.text(MARGIN, TOP + SIDE + 12, say("replay.drawn"), soft=True, width=SIDE)
    seen = say("replay.seen", size=replay.shape.size)
    slide.text(MARGIN + SIDE + GAP, TOP + SIDE + 12, seen, soft=True, width=SIDE)
    _axes(slide, replay)
    _answers(slide, replay)
    for column in replay.scores.T:
        slide.curve(_x(replay), _y(column), thick=2)
    _decision(slide, replay)
    told = named_classes(replay)
    count = len(replay.moments)
    return slide.film(lambda moment: _moment(slide, replay, moment, told, unsure_below), count, HEIGHT)


def _x(replay: Replay) -> np.ndarray:
    """[M] where each moment stands among the curves."""
    ways = np.array([moment.way for moment in replay.moments])
    return LEFT + (END - LEFT) * ways / ways[-1]


def _y(scores: np.ndarray) -> np.ndarray:
    return CHART + HIGH * (1 - scores)


def _axes(slide: Slide, replay: Replay) -> None:
    ticks = (0, MARGIN_ABSENT, MARGIN_PRESENT) if replay.shape.score == LENGTH else (0, 0.5, 1)
    for tick in ticks:
        y = float(_y(np.array(tick)))
        slide.curve((LEFT, END), (y, y))
        slide.text(LEFT - 14, y - SMALL / 2, number(tick, 1 if tick else 0), align="right", soft=True)
    for share, align in ((0, "left"), (0.5, "center"), (1, "right")):
        said = per_cent(share, 0) if share else "0"
        slide.text(LEFT + share * (END - LEFT), CHART + HIGH + 14, said, align=align, soft=True)
    middle = (LEFT + END) / 2
    slide.text(middle, CHART + HIGH + 46, say("replay.axis"), align="center", soft=True, width=END - LEFT)


def _answers(slide: Slide, replay: Replay) -> None:
    """A ribbon of the answers, each as long as it lasts, with its name where there is room."""
    answers, x, colours = replay.claims, _x(replay), class_colours(len(replay.shape.classes))
    first = 0
    for at in range(1, len(answers) + 1):
        if at < len(answers) and answers[at] == answers[first]:
            continue
        if answers[first] != NONE:
            end = x[at] if at < len(answers) else END + 12
            name = replay.shape.classes[answers[first]]
            slide.box(x[first], RIBBON, end - x[first] - 2, 14, colours[answers[first]])
            if width_of(name, SMALL, bold=True) <= end - x[first]:
                slide.text((x[first] + end) / 2, RIBBON - 30, name, align="center", bold=True)
        first = at


def _decision(slide: Slide, replay: Replay) -> None:
    x = float(_x(replay)[replay.decided])
    slide.curve((x, x), (RIBBON, CHART + HIGH), slide.look.ink, dashed=True)
    right = x < (LEFT + END) / 2
    where = x + 10 if right else x - 10
    slide.text(where, RIBBON + 24, say("replay.decision"), align="left" if right else "right", bold=True)


def _moment(slide: Slide, replay: Replay, moment: int, told: list[int], unsure_below: float) -> None:
    """What is another one from moment to moment; the curves of the classes to be ``told`` apart have colours."""
    way, drawing = replay.moments[moment]
    x, scores, answer = _x(replay)[: moment + 1], replay.scores[: moment + 1], int(replay.answers[moment])
    slide.picture(drawing.pixels(), MARGIN, TOP, SIDE, SIDE)
    slide.picture(ink(replay.images[moment]), MARGIN + SIDE + GAP, TOP, SIDE, SIDE)
    slide.curve((x[-1], x[-1]), (RIBBON, CHART + HIGH), slide.look.ink, 3)
    said = {"way": per_cent(way / replay.moments[-1].way, 0), "kind": noun(replay.shape.kind, sense="drawn")}
    if answer == NONE:
        slide.answer(EN_DASH, say("replay.momentNothing", **said))
        return
    now, classes, colours = scores[-1], replay.shape.classes, class_colours(len(replay.shape.classes))
    claimed = replay.claims[moment] != NONE
    which = "Absent" if not claimed else "Unsure" if now[answer] < unsure_below else ""
    said |= {"score": number(float(now[answer]))} | ({"name": classes[answer]} if claimed else {})
    slide.answer(classes[answer] if claimed else EN_DASH, say(f"replay.moment{which}", **said))
    left = MARGIN + 2 * (SIDE + GAP) + 24
    slide.scores(now, replay.shape, left, TOP, RIGHT - left, SIDE + 40)
    order = sorted(told, key=lambda place: -now[place])
    for place in reversed(order):  # the longest lies on top
        slide.curve(x, _y(scores[:, place]), colours[place], 6 if place == answer else 3)
        slide.dots(x[-1:], _y(scores[-1:, place]), np.array([200.0]), [colours[place]])
    order = order[:NAMED]
    ends = spread([float(_y(now)[place]) for place in order], SMALL * 1.25, CHART, CHART + HIGH - SMALL)
    for place, y in zip(order, ends, strict=True):
        text = f"{classes[place]}  {number(float(now[place]))}"
        slide.text(x[-1] + 22, y - SMALL / 2, text, bold=bool(place == answer), width=RIGHT - x[-1] - 22)
