"""Several networks side by side along one change of the picture, packed for the browser (browser/compare.js)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from capsviz import texts
from capsviz.figures.packing import pack
from capsviz.figures.theme import class_colours, ink
from capsviz.inputs.changes import CHANGES, Changes
from capsviz.measures.along import Course
from capsviz.texts import noun, say
from capsviz.texts.numbers import number, per_cent
from capsviz.traces.rules import SOURCES
from capsviz.traces.surgery import COUPLINGS


@dataclass(frozen=True, eq=False)
class Column:
    """One network of a comparison.

    Attributes:
        name: of the network.
        title: what people call it.
        course: its answers along the change.
        means: what ``measures.changes.means`` gives for the change; None if nobody has measured.
        rule: what ``measures.rules.row_of`` gives for its coupling.
        unsure_below: the highest score below which its answer is unsure.
        iterations: of its routing.
    """

    name: str
    title: str
    course: Course
    means: Mapping[str, Any] | None
    rule: Mapping[str, Any] | None
    unsure_below: float
    iterations: int


def axes(poses: np.ndarray) -> tuple[int, int]:
    """The two of the D numbers of poses [P, D] that move most along a course, by their spread; the larger first."""
    first, second = np.argsort(-poses.std(axis=0), kind="stable")[:2].tolist()
    return first, second


def worded(name: str, value: float) -> str:
    """A change's value in words."""
    if name == "occlusion":
        return per_cent(value, 1)
    decimals = len(f"{CHANGES[name].step:g}".partition(".")[2])
    return say(f"compare.unit.{name}", value=number(value, decimals))


def failing(course: Course, true: int) -> str:
    """Where the answer is first another than a class, as one sentence."""
    kind, (below, above) = CHANGES[course.name], course.first_wrong(true)
    if 0 in (below, above):
        return say("compare.failsAlways", name=course.shape.classes[true])
    low = "" if below is None else worded(course.name, kind.at(below))
    high = "" if above is None else worded(course.name, kind.at(above))
    if not low and not high:
        return say("compare.failsNever")
    if kind.first == 0:
        return say("compare.failsOne", high=high)
    if not low:
        return say("compare.failsAbove", high=high)
    return say("compare.fails", low=low, high=high) if high else say("compare.failsBelow", low=low)


def compare_table(columns: Sequence[Column]) -> tuple[list[str], list[list[Any]]]:
    """A row for each network and value of the change: the answer, and the score of each class."""
    classes = columns[0].course.shape.classes
    name = columns[0].course.name
    rows: list[list[Any]] = [
        [column.name, value, classes[answer], column.course.shape.score, *map(float, scores)]
        for column in columns
        for value, answer, scores in zip(
            CHANGES[name].values, column.course.answers, column.course.scores, strict=True
        )
    ]
    return ["network", name, "answer", "score is", *(f"score of {each}" for each in classes)], rows


def compare_json(columns: Sequence[Column], changes: Changes, facts: Mapping[str, Any]) -> bytes:
    """The same for people, with the changes that stay and the poses of the answer's path; ``facts`` are of the origin."""
    course = columns[0].course
    content = {
        "origin": dict(facts),
        "classes": list(course.shape.classes),
        "change": course.name,
        "values": list(CHANGES[course.name].values),
        "changes": {name: value for name, value in vars(changes).items() if name != course.name},
        "networks": [
            {
                "name": column.name,
                "score": column.course.shape.score,
                "scores": np.round(column.course.scores.astype(float), 7).tolist(),
                "poses": None
                if column.course.poses is None
                else np.round(column.course.poses.astype(float), 7).tolist(),
                "firstWrong": [
                    column.course.first_wrong(place) for place in range(len(course.shape.classes))
                ],
            }
            for column in columns
        ],
    }
    return json.dumps(content, ensure_ascii=False).encode("utf-8")


def compare_payload(
    columns: Sequence[Column],
    change: str,
    steps: Mapping[str, int],
    true: int,
    *,
    image: np.ndarray,
    asked: Mapping[str, Any],
    offered: Mapping[str, str],
    chosen: bool,
    link: Mapping[str, Any],
) -> bytes:
    """Everything that the view draws, packed.

    Args:
        columns: the networks, the session's first.
        change: of ``CHANGES``, along which they answer.
        steps: of each change, how far from none the picture is.
        true: place of the class that the session's network answers without any change.
        image: [S, S] the drawing before any change: a chosen class is kept as long as it stays.
        asked: what was asked for beyond that, and its number, for the script.
        offered: titles of all networks that can stand beside, by name.
        chosen: whether those that do were chosen.
        link: the parameters that the script reads of the address.
    """
    # The pictures as the session's network sees them: those that are shown.
    arrays = {"images": ink(columns[0].course.images)} if columns else {}
    shown = []
    for at, column in enumerate(columns):
        course = column.course
        arrays[f"scores{at}"] = course.scores
        if course.poses is not None:
            arrays[f"poses{at}"] = course.poses
        sizes, whole = course.shape, bool(course.known.all())
        shown.append(
            {
                "name": column.name,
                "title": column.title,
                "size": sizes.size,
                "score": sizes.score,
                "iterates": sizes.iterates,
                "pose": sizes.pose,
                "whole": whole,
                "axes": []
                if course.poses is None or not whole
                else [axes(course.poses[:, j]) for j in range(len(sizes.classes))],
                "means": column.means,
                "rule": column.rule,
                "grid": None if sizes.grid is None else asdict(sizes.grid),
                "iterations": column.iterations,
                "unsureBelow": column.unsure_below,
                "firstWrong": [course.first_wrong(j) for j in range(len(sizes.classes))] if whole else None,
            }
        )
    shape = columns[0].course.shape if columns else None
    header = {
        "change": change,
        "changes": {
            name: {"first": kind.first, "last": kind.last, "step": kind.step, "same": kind.same}
            for name, kind in CHANGES.items()
        },
        "steps": dict(steps),
        "true": true,
        "columns": shown,
        "classes": shape.classes if shape else (),
        "kind": noun(shape.kind) if shape else "",
        "kindName": shape.kind if shape else "",
        "digitColours": class_colours(len(shape.classes) if shape else 0),
        "couplings": {name: SOURCES[name] for name in COUPLINGS},
        "asked": dict(asked),
        "offered": dict(offered),
        "beside": [column.name for column in columns[1:]],
        "chosen": chosen,
        "drawing": hashlib.sha256(image.tobytes()).hexdigest()[:16],
        "link": dict(link),
        "texts": texts.for_script("common", "address", "compare", "coupling", "surgery"),
    }
    return pack(arrays, header)
