"""A drawing as it grew, packed for the browser, which plays it (browser/replay.js)."""

import numpy as np

from capsviz import texts
from capsviz.figures.packing import pack
from capsviz.figures.theme import class_colours, ink
from capsviz.inputs.drawings import GRID, PAD
from capsviz.inputs.replay import strokes_of
from capsviz.measures.replay import NONE, Replay
from capsviz.texts import noun
from capsviz.traces.base import LENGTH, MARGIN_ABSENT, MARGIN_PRESENT

MOST_NAMED = 10  # classes with a colour and a bar
NEAR = 0.2  # a class that only came second has them if it was as high then


def named_classes(replay: Replay) -> list[int]:
    """The classes to be told apart, in their order: each that ever led, and that came second with 0.2 or more.

    Where these are more than ten, the final answer goes first, then those that led longest, then those that came second
    highest.
    """
    scores = replay.scores[replay.answers != NONE]
    order = np.argsort(-scores, axis=1, kind="stable")
    led = np.bincount(order[:, 0], minlength=scores.shape[1])
    led[order[-1, 0]] = len(scores)
    second, height = order[:, 1], np.zeros(scores.shape[1])
    np.maximum.at(height, second, scores[np.arange(len(scores)), second])
    wanted = [*np.lexsort((-height, -led))]
    return sorted(int(j) for j in wanted[:MOST_NAMED] if led[j] or height[j] >= NEAR)


def replay_payload(replay: Replay, *, key: str = "", unsure_below: float = 0.0) -> bytes:
    """Everything that the view of a replay draws, packed.

    Args:
        replay: of one drawing.
        key: what the browser knows this replay by.
        unsure_below: the highest score below which no class is claimed; 0 to say nothing of it.

    Returns:
        What ``pack`` makes of it. The drawing of moment m is the first ``counts[m]`` of its points, in the strokes that
        begin at ``starts``; but the last of these points lies at ``tips[m]``.
    """
    strokes, shape = strokes_of(replay.moments[-1].drawing), replay.shape
    points = np.concatenate([stroke.points for stroke in strokes])
    cuts = [strokes_of(moment.drawing) for moment in replay.moments]
    arrays = {
        "ways": np.array([moment.way for moment in replay.moments]),
        "scores": replay.scores,
        "seen": ink(replay.images),
        "answers": replay.answers.astype(np.int32),
        "claims": replay.claims.astype(np.int32),
        "points": points / GRID,
        "starts": np.cumsum([0, *(len(stroke.points) for stroke in strokes[:-1])]).astype(np.int32),
        "widths": np.array([stroke.width / GRID for stroke in strokes]),
        "counts": np.array([sum(len(stroke.points) for stroke in cut) for cut in cuts], np.int32),
        "tips": np.array([cut[-1].points[-1] / GRID for cut in cuts]),
    }
    picture = replay.moments[-1].drawing.picture
    if picture is not None:
        arrays["picture"] = picture
    header = {
        "key": key,
        "moments": len(replay.moments),
        "decided": replay.decided,
        "changes": replay.changes,
        "named": named_classes(replay),
        "classes": shape.classes,
        "kind": noun(shape.kind, sense="drawn"),
        "size": shape.size,
        "side": PAD,
        "score": shape.score,
        "ticks": [0, MARGIN_ABSENT, MARGIN_PRESENT] if shape.score == LENGTH else [0, 0.5, 1],
        "unsureBelow": unsure_below,
        "digitColours": class_colours(len(shape.classes)),
        "texts": texts.for_script("common", "replay"),
    }
    return pack(arrays, header)
