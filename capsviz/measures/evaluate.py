"""Measuring a trained network: on its test set, on drawings, on what is no digit, and how far it can be pushed.

Everything is seeded and comes back as plain numbers, fit for JSON and for ``figures.evaluation``.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import default_rng

from capsviz.checks import one_line, shown, whole_number
from capsviz.errors import CapsvizError
from capsviz.inputs.data import NO_CLASS
from capsviz.inputs.drawn import WIDTHS
from capsviz.inputs.recorded import read_strokes
from capsviz.measures.changes import MEANS, curves, means
from capsviz.measures.drawings import OTHERS, by_width, made_up_digits, others, read_drawings
from capsviz.measures.pairs import (
    SPREAD,
    by_itself,
    made_up_for_pairs,
    read_drawn_pairs,
    read_pairs,
    read_spread,
)
from capsviz.measures.rules import IMAGES, rules
from capsviz.measures.statistics import calibration, confusion, error, iterations
from capsviz.measures.unsure import unsure
from capsviz.models.card import FORMAT, TEST_SET, percent, routing_measured, unsure_digits
from capsviz.models.model import Model
from capsviz.texts import noun
from capsviz.traces.base import LENGTH

CURVE_IMAGES = 1_000
MADE_UP = 500
ITERATIONS = 10  # of routing: with 1 to so many


def evaluate(
    model: Model,
    data: Path,
    strokes: Path | None = None,
    limit: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measure everything there is to measure.

    Args:
        model: the network.
        data: folder with the images that its network is measured on; MNIST is downloaded if it is empty.
        strokes: file of drawings by people, as strokes, if there is one.
        limit: at most so many images, drawings and other things of each kind, evenly spaced.
        say: called with a line before each part.

    Returns:
        A dictionary for JSON: its "format"; "data", "device" and "sha256" of the weights; the "kind" and names of
        their "classes", and what a "score" is; "images", "wrong", "error_rate" and
        "interval" on the test set and which of its images were "misread" (their places there, from 0);
        "confusion", "calibration", "curves", "unsure" (on the test set, with the threshold of the weights' card), and
        "iterations" and "rules" (``measures.rules``) of a network that iterates; "changes" (``measures.changes.means``). Where drawings can be made up, also "made_up" (what ``read_drawings``
        gives for made-up digits). With ``strokes`` "drawings" (likewise, with the "file" and its "file_sha256"). Where
        the test set is made of drawings, "interval" is by their writers, and without ``strokes`` "drawings" is of these.
        Of a network of two digits at once all these are of digits alone, and "pairs" (``measures.pairs``) of its test set.

    Raises:
        DataError: if the images or the strokes are missing, incomplete or damaged.
        CapsvizError: if ``limit`` is no whole number from 1 up.
    """
    if limit is not None and (whole_number(limit) or 0) < 1:
        raise CapsvizError(f"A limit is a whole number from 1, not {shown(limit)}.")
    spec, shape = model.spec, model.shape
    drawings = read_strokes(strokes, shape.classes) if strokes else None
    threshold = float(model.card["unsure_below"])
    say(f"{spec.data.name}{TEST_SET}")
    test = spec.data.load(data, "test")
    unlike = spec.data.unlike(data, "test")
    if unlike:
        say(unlike)
    drawn = spec.data.drawings(data) if spec.data.drawings else []
    chosen = _spaced(len(drawn), limit and max(1, limit // len(WIDTHS)))
    # Of drawings, all pictures or none.
    pictures = chosen[:, None] * len(WIDTHS) + np.arange(len(WIDTHS))
    places = pictures.ravel() if drawn else _spaced(len(test.labels), limit)
    images, labels = test.images.numpy()[places] / np.float32(255), test.labels.numpy()[places]
    scores = model.predict(images)
    answers = scores.argmax(1)
    result = {
        "format": FORMAT,
        **error(scores, labels),
        "data": f"{spec.data.name}{TEST_SET}" + (f" ({unlike})" if unlike else ""),
        "device": model.device,
        "sha256": model.sha256,
        "kind": shape.kind,
        "classes": list(shape.classes),
        "score": shape.score,
        "misread": places[answers != labels].tolist(),
        "confusion": confusion(labels, answers, len(shape.classes)),
        "calibration": calibration(scores, labels),
    }
    if drawn:
        blank = ~images.any(axis=(1, 2))  # in which the app would find nothing
        found = by_width(
            np.where(blank, NO_CLASS, answers).reshape(pictures.shape).T,
            scores.max(1).reshape(pictures.shape).T,
            [drawn[k] for k in chosen],
            len(shape.classes),
            threshold,
        )
        del found["confusion"]  # which is the test set's
        low, high = found["interval"]
        result |= {"drawings": found, "interval": (1 - high, 1 - low)}
    if shape.iterates:
        say(f"routing with 1 to {ITERATIONS} iterations")
        by_iteration = model.lengths_by_iteration(images, ITERATIONS)
        result["iterations"] = iterations(by_iteration, labels, shape.trained)
    say(f"{spec.data.name} turned, moved, scaled, noisy")
    few = _spaced(len(labels), min(limit or CURVE_IMAGES, CURVE_IMAGES))
    result["curves"] = curves(model.predict, images[few], labels[few])
    result |= found_lately(model, data, images, labels, limit, say)
    none = None
    if spec.data.made_up:
        say("what is no digit")
        none = others(min(limit or OTHERS, OTHERS), size=shape.size)
    result["unsure"] = unsure(model.predict, images, labels, threshold, none)
    if spec.data.made_up:
        say("made-up digits")
        made_up = made_up_digits(min(limit or MADE_UP, MADE_UP))
        result["made_up"] = read_drawings(model.predict, made_up, threshold, size=shape.size)
    if shape.answers > 1:
        say("pairs")
        result["pairs"] = read_pairs(model.predict, test, threshold, limit)
        result["pairs"]["alone"] = by_itself(scores, labels, threshold)
        if spec.data.made_up:
            count = min(limit or SPREAD, SPREAD)
            images, digits = made_up_for_pairs(min(MADE_UP, 20 + count), default_rng(MADE_UP))
            result["pairs"]["made_up"] = read_spread(model.predict, images, digits, count, shape.size)
        if drawings:
            some = [drawings[k] for k in _spaced(len(drawings), limit)]
            result["pairs"]["drawings"] = read_drawn_pairs(model.predict, some, shape.size)
    if strokes and drawings:
        say("drawings")
        some = [drawings[k] for k in _spaced(len(drawings), limit)]
        result["drawings"] = {
            "file": one_line(strokes.name),
            "file_sha256": hashlib.sha256(strokes.read_bytes()).hexdigest(),
            **read_drawings(model.predict, some, threshold, size=shape.size),
        }
    return result


def found_lately(
    model: Model,
    data: Path,
    images: np.ndarray,
    labels: np.ndarray,
    limit: int | None,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The parts of an evaluation that older ones lack: "changes" and, of a network that iterates, "rules".

    Args:
        images: [N, S, S] of the test set, and their ``labels`` [N]; the others as of ``evaluate``.
    """
    say("changes, step by step")
    some = _spaced(len(labels), min(limit or MEANS, MEANS))
    found = {"changes": means(model.predict, images[some], labels[some])}
    if model.shape.iterates:
        say("other rules of routing")
        some = _spaced(len(labels), min(limit or IMAGES, IMAGES))
        train = model.spec.data.load(data, "train").images
        shown = train[_spaced(len(train), min(limit or IMAGES, IMAGES))].numpy() / np.float32(255)
        found["rules"] = rules(model, shown, images[some], labels[some])
    return found


def _spaced(total: int, count: int | None) -> np.ndarray:
    """``count`` of ``total`` positions, evenly spaced; all of them if there are not more."""
    return np.arange(total) if not count or count >= total else np.arange(count) * total // count


def pairs_summary(found: dict[str, Any]) -> list[str]:
    """What was found of pairs, a line each."""
    lines = [
        f"{found['wrong']} of {found['images']:,} pairs wrong, error rate "
        + percent(found["error_rate"], found["interval"])
        + f", {found['found']:.2%} of their digits found; pairs with the seed {found['seed']}, moved by up to "
        f"{found['shift']} pixels",
        *(
            f"of {some['images']:,} {what}: longest is right in {some['right']:.2%}, and the only one above the limit "
            f"in {some['only']:.2%}"
            for what, some in (("alone", found["alone"]), ("over one of the same class", found["alike"]))
        ),
    ]
    if "drawings" in found:
        drawn = found["drawings"]
        lines.append(
            f"drawings over each other, all pens: both right in {percent(drawn['rate'], drawn['interval'])} of "
            f"{drawn['pairs']:,}, {drawn['found']:.2%} of the digits found"
        )
    return [*lines, "each alone:"]


def summary(result: dict[str, Any]) -> str:
    """What ``evaluate`` found, in words and tables."""
    doubt, found, score = result["unsure"], result["calibration"], result["score"]
    best = "the longest length" if score == LENGTH else "the highest probability"
    several, names = noun(result["kind"], 2), result["classes"]
    wide = max(map(len, names))
    lines = [
        *(pairs_summary(result["pairs"]) if "pairs" in result else ()),
        f"{result['wrong']} of {result['images']:,} wrong, error rate "
        + percent(result["error_rate"], result["interval"]),
        f"{several} (rows) read as {several} (columns):",
        " " * (wide + 1) + "".join(f"{name:>{wide + 5}}" for name in names),
        *(
            f"{name:{wide}} " + "".join(f"{n:{wide + 5}}" for n in row)
            for name, row in zip(names, result["confusion"], strict=True)
        ),
        f"calibration: {best} is {found['length']:.3f} on average, {found['accuracy']:.2%} are right; "
        f"expected calibration error {found['ece']:.3f}",
        *(
            f"- {score} {row['low']:.2f} to {row['high']:.2f}: {row['accuracy']:.1%} of {row['images']:,} right"
            for row in found["bins"]
        ),
    ]
    if "iterations" in result:
        lines.append(routing_measured(result))
        lines += [
            f"- {row['iterations']:2} iterations: {row['wrong']} wrong, {row['same']:.2%} as trained, longest "
            f"{row['winner']:.3f}, next {row['runner_up']:.3f}"
            for row in result["iterations"]["rows"]
        ]
    line = f"unsure below {doubt['threshold']:.2f}: of test {several} {unsure_digits(doubt['digits'])}"
    if "others" in doubt:
        none = doubt["others"]
        line += f", of drawings of no {result['kind']} {none['below']:.1%} of {none['images']:,}"
    lines.append(line)
    lines += [
        f"- of {kind['images']:,} {kind['kind']}: {kind['below']:.1%}" for kind in doubt.get("kinds", [])
    ]
    for kind, curve in result["curves"].items():
        points = ", ".join(f"{p['amount']:g}: {p['error_rate']:.1%}" for p in curve["points"])
        lines.append(f"error when {kind} ({curve['unit']}): {points}")
    for kind, curve in result.get("changes", {}).items():
        points = ", ".join(f"{p['amount']:g}: {p['mean']:.2f}" for p in curve["points"])
        lines.append(f"mean {score} of the true {result['kind']} by {kind}: {points}")
    for row in result.get("rules", {}).get("rows", ()):
        bias = f", bias {row['bias']:g}" if row["bias"] else ""
        lines.append(
            f"routing {row['coupling']}{bias}, {row['iterations']:2} iterations: {row['wrong']} of {row['images']:,} wrong, "
            f"{row['same']:.1%} as trained, entropy of c {row['entropy']:.1%} of the most there can be"
        )
    for key, name in (("made_up", "made-up digits"), ("drawings", "drawings")):
        if key in result:
            drawn = result[key]
            lines += [
                f"{name}, pen of {row['width']} pixels: correct {percent(row['rate'], row['interval'])}"
                for row in drawn["widths"]
            ]
            lines.append(
                f"{name}, all pens: correct {percent(drawn['rate'], drawn['interval'])}, "
                f"unsure {drawn['unsure']:.1%}"
            )
    return "\n".join(lines)
