"""The numbers of a replay, to take along: the pen's points, the scores at each moment, the moment of decision."""

import json
from typing import Any

import numpy as np

from capsviz.figures.export import Origin, Table, archive, rounded, script
from capsviz.inputs.drawings import GRID
from capsviz.inputs.replay import strokes_of
from capsviz.measures.replay import NONE, Replay
from capsviz.traces.base import LENGTH

_RECOMPUTE = """scores, answers = data["scores"], data["answers"]  # [M, J], and -1 where nothing could be made out
seen = answers >= 0
known = scores[seen].argmax(axis=1)
claims = data["claims"]  # -1 also where every capsule is as short as those of absent classes
others = np.flatnonzero(claims != claims[-1])
decided = others[-1] + 1 if len(others) else 0
strokes = np.split(data["points"], data["starts"][1:])
longs = [np.hypot(*np.diff(points, axis=0).T).sum() for points in strokes]
whole = sum(long or width for long, width in zip(longs, data["widths"]))  # a dot is as long as the pen is wide
difference = np.abs(known - answers[seen]).max() + abs(decided - data["decided"]) + abs(whole / data["ways"][-1] - 1)"""


def replay_arrays(replay: Replay) -> dict[str, np.ndarray]:
    """Of M moments, P points of the pen in N strokes, and J classes.

    Returns:
        "ways" [M] pixels that the pen had gone; "scores" [M, J], NaN where nothing could be made out; "answers" [M] places
        of the highest, or -1; "claims" [M] the same, -1 also where every capsule is as short as absent ones; "decided" the moment of decision, from 0; "images" [M, S, S] in 0..1 what was seen; "points"
        [P, 2] x and y in pixels of the pad; "starts" [N] the first point of each stroke; "widths" [N] pixels of its pen.
    """
    strokes = strokes_of(replay.moments[-1].drawing)
    return {
        "ways": np.array([moment.way for moment in replay.moments]),
        "scores": replay.scores,
        "answers": replay.answers,
        "claims": replay.claims,
        "decided": np.array(replay.decided),
        "images": replay.images,
        "points": np.concatenate([stroke.points for stroke in strokes]) / GRID,
        "starts": np.cumsum([0, *(len(stroke.points) for stroke in strokes[:-1])]),
        "widths": np.array([stroke.width / GRID for stroke in strokes]),
    }


def replay_npz(replay: Replay, origin: Origin) -> bytes:
    """``replay_arrays`` as NumPy's file, with "classes", "origin" (JSON) and ``recompute.py``."""
    what = "the answers, the moment of decision and the way of the pen"
    return archive(replay_arrays(replay), replay.shape.classes, origin, script(what, _RECOMPUTE))


def replay_json(replay: Replay, origin: Origin) -> bytes:
    """The same for people, without the images; each stroke with its points, null where nothing could be made out."""
    arrays, classes = replay_arrays(replay), replay.shape.classes
    strokes = np.split(arrays["points"], arrays["starts"][1:])
    content = {
        "origin": origin.facts(),
        "classes": list(classes),
        "strokes": [
            {"width": float(width), "points": points.tolist()}
            for width, points in zip(arrays["widths"], strokes, strict=True)
        ],
        "decided": {"moment": replay.decided, "way": replay.moments[replay.decided].way},
        "changes": replay.changes,
        "moments": [
            {
                "way": moment.way,
                "answer": None if claim == NONE else classes[claim],
                "scores": None if np.isnan(scores[0]) else rounded(scores),
            }
            for moment, claim, scores in zip(replay.moments, replay.claims, replay.scores, strict=True)
        ],
    }
    return json.dumps(content, ensure_ascii=False).encode("utf-8")


def replay_table(replay: Replay) -> Table:
    """A row for each moment: the pen's way, the answer, whether it stays, and the score of each class."""
    score = "length" if replay.shape.score == LENGTH else "probability"
    classes = replay.shape.classes
    rows: list[list[Any]] = []
    for at, (moment, claim) in enumerate(zip(replay.moments, replay.claims, strict=True)):
        scores = (
            [""] * len(classes) if np.isnan(replay.scores[at, 0]) else list(map(float, replay.scores[at]))
        )
        name = "" if claim == NONE else classes[claim]
        rows.append([at, moment.way, name, int(at >= replay.decided), *scores])
    return ["moment", "way", "answer", "decided", *(f"{score} of {name}" for name in classes)], rows
