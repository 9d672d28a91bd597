"""The model card: what the files beside the weights say of their training and of what was measured, in words.

Every number of a result comes from those two; what the sentences add is what the training code always does.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from capsviz.inputs.data import MNIST, UNLIKE
from capsviz.inputs.pairs import ALIKE, ALONE, BOX, MIXED, shared
from capsviz.models.own import spec_of
from capsviz.models.rates import FEW, of_card
from capsviz.models.size import sizes, together
from capsviz.networks.base import DEFAULT, Spec, networks
from capsviz.texts import knows, noun, say, spelled
from capsviz.texts.numbers import grouped, number, per_cent, separators, short
from capsviz.traces.base import INDEPENDENT, LENGTH, MARGIN_ABSENT, PROBABILITY, RECONSTRUCTION_WEIGHT

TEST_SET = " test set"  # what an evaluation says of its data, after their name, where they are the originals
FORMAT = 4  # of an evaluation: one more whenever what it holds changes
# Of the digits held out, called unsure. The aim is 1% of any: what is set on 5,000 is off by a fifth of that elsewhere.
SHARE_UNSURE = 0.008
# Standard deviations at which ``limits`` says how much is misread: of weights trained without noise, and with some.
NOISE, STRONG_NOISE = 0.2, 0.5

# Eq. 4, as TeX.
_LOSS = r"""$$\begin{aligned} L_k = \; & T_k \max(0,\; 0.9 - \|v_k\|)^2 \\ & + 0.5\,(1 - T_k) \max(0,\; \|v_k\| - 0.1)^2 \end{aligned}$$"""

_BINARY = r"""$$L = -\sum_k T_k \log \sigma(z_k) + (1 - T_k) \log(1 - \sigma(z_k))$$"""

_CROSS_ENTROPY = r"""$$L = -\log \frac{e^{z_t}}{\sum_k e^{z_k}}$$"""


def by_score(name: str, score: str) -> str:
    """The id of a text about lengths, or of its fellow about probabilities; or, if there is one, about independent ones."""
    own = f"{name}Independent"
    if score == INDEPENDENT and knows(own):
        return own
    return name if score == LENGTH else f"{name}Probability"


def _words(spec: Spec) -> dict[str, str]:
    """What the classes of a network are called, for texts."""
    kind = spec.shape.kind
    classes = say("card.classes", spelled=spelled(len(spec.shape.classes)), kinds=noun(kind, 2))
    return {"kind": noun(kind), "kinds": noun(kind, 2, "pictured"), "classes": classes}


def _written(formula: str) -> str:
    """TeX with the decimal sign that is spoken: a comma in braces, or it would be one between two numbers."""
    sign = separators()[0].replace(",", "{,}")
    return re.sub(r"(?<=\d)\.(?=\d)", lambda _: sign, formula)


def loss(card: Mapping[str, Any]) -> str:
    """The loss that the network was trained with, as Markdown with TeX."""
    spec = spec_of(card)
    weight = card["settings"].get("reconstruction", RECONSTRUCTION_WEIGHT)  # which older cards lack
    words = {**_words(spec), "pixels": grouped(spec.shape.size**2), "weight": short(weight)}
    if spec.shape.score == LENGTH:
        own = spec.shape.routing == "dynamic"
        before = say(f"card.loss.{'before' if own else 'beforeOther'}", **words)
        last = "afterTwo" if spec.shape.answers > 1 else "after" if own else "afterOther"
        after = say(f"card.loss.{last}", **words)
        return f"{before}\n\n{_written(_LOSS)}\n\n{after}"
    if spec.shape.score == INDEPENDENT:
        parts = [say("card.loss.binary", **words), _BINARY, say("card.loss.sigmoid", **words)]
        return "\n\n".join([*parts, *([say("card.loss.none", **words)] if _most(card, "others") else [])])
    parts = [say("card.loss.crossEntropy", **words), _CROSS_ENTROPY, say("card.loss.probability", **words)]
    if spec.shape.pose:
        parts[-1] += say("card.loss.drawn", **words)
    if _most(card, "others"):
        parts.append(say("card.loss.equal", **words))
    return "\n\n".join(parts)


def card_markdown(card: Mapping[str, Any], evaluation: Mapping[str, Any] | None = None) -> str:
    """The model card for people, of the facts of training and, once there is one, of the evaluation."""
    known = "\n".join(f"- {limit}" for limit in limits(card, evaluation))
    parts = [f"# {card['name']}", card_table(card)]
    if evaluation:
        parts += [f"## {say('card.head.measured')}", measured_tables(evaluation)]
    parts += [f"## {say('card.head.limits')}", known]
    parts += [f"## {say('card.head.training')}", loss(card), departures(card)]
    parts.append(say("card.files"))
    return "\n\n".join(parts) + "\n"


def measured_tables(evaluation: Mapping[str, Any]) -> str:
    """What ``evaluate.evaluate`` found, as Markdown tables."""
    doubt, calibration = evaluation["unsure"], evaluation["calibration"]
    on, kind, score = evaluation["data"], evaluation["kind"], evaluation.get("score", LENGTH)
    words = {"kind": noun(kind), "kinds": noun(kind, 2, "pictured")}
    original = on.endswith(TEST_SET)
    pairs = evaluation.get("pairs")
    rows = {
        say(f"card.measured.{'test' if original else 'other'}", data=on.removesuffix(TEST_SET)): _error(pairs)
        if pairs
        else _error(evaluation),
        **(_pairs_rows(pairs, words, score) if pairs else {}),
        say(by_score("card.measured.calibration", score)): say(
            "card.measured.calibrated",
            length=number(calibration["length"], 3),
            accuracy=per_cent(calibration["accuracy"]),
            ece=number(calibration["ece"], 3),
        ),
        say("card.measured.unsure", threshold=number(doubt["threshold"]), **words): unsure_digits(
            doubt["digits"]
        ),
    }
    if score != PROBABILITY:  # probabilities of a softmax sum to 1: not all are that small
        small = {
            key: per_cent(shares[doubt["below"]["length"].index(MARGIN_ABSENT)], 1)
            for key, shares in doubt["below"].items()
            if key != "length"
        }
        both = "others" in doubt
        rows[say(f"card.measured.{'noneOfBoth' if both else 'none'}", absent=MARGIN_ABSENT, **words)] = say(
            f"card.measured.{'shortOfBoth' if both else 'short'}", **small
        )
    rows |= {
        say("card.measured.kind", what=other_kind(drawn["kind"])): say(
            "card.measured.below", below=per_cent(drawn["below"], 1), images=grouped(drawn["images"])
        )
        for drawn in doubt.get("kinds", [])
    }
    for key in ("drawings", "made_up"):
        if key in evaluation:
            rows |= _drawn_rows(evaluation[key], say(f"card.measured.{key}"))
    tables = [_table(rows.items(), say("card.head.measuredTable"))]
    if "iterations" in evaluation:
        tables.append(_by_iterations(evaluation["iterations"]["rows"], words))
    for change, curve in evaluation["curves"].items():
        amounts = " | ".join(short(point["amount"]) for point in curve["points"])
        errors = " | ".join(per_cent(point["error_rate"], 1) for point in curve["points"])
        count = curve["points"][0]["images"]
        tables.append(
            f"{say(f'card.measured.by.{change}', images=grouped(count), **words)}\n\n"
            f"| | {amounts} |\n|---|{'---:|' * len(curve['points'])}\n| {say('card.measured.errorRow')} | {errors} |"
        )
    return "\n\n".join(tables)


def _error(measured: Mapping[str, Any]) -> str:
    """How many images, or pairs of digits, were misread."""
    facts = {
        "rate": percent(measured["error_rate"], measured["interval"]),
        "wrong": measured["wrong"],
        "images": grouped(measured["images"]),
    }
    if "found" not in measured:
        return say("card.measured.error", **facts)
    pairs = {"found": per_cent(measured["found"]), "seed": measured["seed"], "shift": measured["shift"]}
    return say("card.measured.errorOfPairs", **facts, **pairs)


def _pairs_rows(pairs: Mapping[str, Any], words: Mapping[str, str], score: str) -> dict[str, str]:
    """What a network of two digits at once makes of other things than pairs of two classes, by what they are called."""
    rows = {
        say(f"card.measured.{name}", **words): say(
            by_score("card.measured.only", score),
            right=per_cent(some["right"]),
            only=per_cent(some["only"]),
            images=grouped(some["images"]),
        )
        for name, some in (("by_itself", pairs["alone"]), ("alike", pairs["alike"]))
    }
    if "drawings" in pairs:
        rate = percent(pairs["drawings"]["rate"], pairs["drawings"]["interval"])
        rows[say("card.measured.drawnPairs")] = say("card.drawn.correct", rate=rate)
    return rows


def _by_iterations(routing: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> str:
    """What more or fewer routing iterations do, as a table with a column for each number of them."""
    cells = {
        "errorRow": [per_cent(row["error_rate"]) for row in routing],
        "same": [_share(row["same"]) for row in routing],
        "longest": [number(row["winner"], 3) for row in routing],
        "second": [number(row["runner_up"], 3) for row in routing],
    }
    title = say("card.measured.byIterations", images=grouped(routing[0]["images"]), **words)
    return (
        f"{title}\n\n"
        f"| | {' | '.join(str(row['iterations']) for row in routing)} |\n|---|{'---:|' * len(routing)}\n"
        + "\n".join(
            f"| {say(f'card.measured.{name}')} | {' | '.join(values)} |" for name, values in cells.items()
        )
    )


def _drawn_rows(drawn: Mapping[str, Any], name: str) -> dict[str, str]:
    """The rows of one kind of drawings, by what they are called."""
    by = "people" if drawn["writers"] else "nobody"
    what = say(f"card.drawn.{by}", drawings=grouped(drawn["drawings"]), writers=drawn["writers"])
    if "file" in drawn:
        what = say("card.drawn.file", what=what, file=drawn["file"], sha256=drawn["file_sha256"])
    widths = {
        say("card.drawn.pen", name=name, width=row["width"]): say(
            "card.drawn.correct", rate=percent(row["rate"], row["interval"])
        )
        for row in drawn["widths"]
    }
    rate = percent(drawn["rate"], drawn["interval"])
    every = say("card.drawn.all", rate=rate, unsure=per_cent(drawn["unsure"], 1))
    return {name: what, **widths, say("card.drawn.pens", name=name): every}


def other_kind(kind: str) -> str:
    """What one of the kinds of drawings of no class is called, as ``strokes`` names it."""
    name = kind.replace(" ", "-")
    return say(f"card.others.{name}") if knows(f"card.others.{name}") else kind


def routing_measured(evaluation: Mapping[str, Any] | None) -> str:
    """What routing changes of the answers, as one sentence with its numbers; "" where it was not measured.

    It compares one iteration, all coupling coefficients alike, with the iterations of training.
    """
    if not evaluation or "iterations" not in evaluation:
        return ""
    trained, rows = evaluation["iterations"]["trained"], evaluation["iterations"]["rows"]
    first, last = rows[0], rows[trained - 1]
    return say(
        "card.routing",
        images=grouped(first["images"]),
        kinds=noun(evaluation["kind"], 2, "pictured"),
        same=_share(first["same"]),
        trained=trained,
        winnerBefore=number(first["winner"]),
        winner=number(last["winner"]),
        secondBefore=number(first["runner_up"]),
        second=number(last["runner_up"]),
    )


def _share(share: float) -> str:
    """A share with two decimals, that is 100% only of all."""
    return per_cent(min(share, 1 if share == 1 else 0.9999))


def unsure_digits(digits: Mapping[str, Any]) -> str:
    """How many digits were called unsure, and how many of these were misread."""
    count = round(digits["below"] * digits["images"])
    return say(
        "card.unsureDigits",
        below=per_cent(digits["below"], 1),
        images=grouped(digits["images"]),
        misread=digits["misread"],
        unsure=grouped(count),
    )


def percent(rate: float, interval: Sequence[float]) -> str:
    """A rate (0..1) with its 95% interval."""
    return say("card.percent", rate=per_cent(rate), low=per_cent(interval[0]), high=per_cent(interval[1]))


def _table(rows: Iterable[tuple[str, Any]], of: str) -> str:
    return "\n".join([f"| {of} | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _trainings(settings: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Settings, and those of the trainings that led to what they are a mean of."""
    for training in settings:
        yield training
        for part in training.get("averaged", []):
            yield from _trainings(part["trainings"])


def _most(card: Mapping[str, Any], setting: str) -> float:
    """The largest value that a setting has had in any training behind these weights; 0 if it was never on."""
    trainings = _trainings([card["settings"], *card.get("started_from", [])])
    return max(training.get(setting, 0) for training in trainings)  # older cards lack what was added since


def limits(card: Mapping[str, Any], evaluation: Mapping[str, Any] | None = None) -> list[str]:
    """What these weights are known not to do, in sentences; from what they were trained on and what was measured."""
    spec = spec_of(card)
    words, score = _words(spec), spec.shape.score
    if not spec.data.made_up:
        known = say("card.limit.only", **words)
    else:
        known = say(
            by_score("card.limit.shown", score) if _most(card, "others") else "card.limit.notShown", **words
        )
    if evaluation and spec.data.made_up:
        answered = per_cent(1 - evaluation["unsure"]["others"]["below"], 0)
        known = f"{known} {say(by_score('card.limit.tried', score), answered=answered)}"
    if spec.data.drawings and "own" not in card:  # nobody said with what those were drawn
        styles = say("card.limit.drawn", data=spec.data.name, **words)
    elif not spec.data.made_up:
        styles = say("card.limit.alone", data=spec.data.name)
    else:
        styles = say(f"card.limit.{'styles' if _most(card, 'synthetic') else 'noStyles'}")
    deviation = _most(card, "noise")
    amount = STRONG_NOISE if deviation else NOISE
    seen = "turned" if _most(card, "augment") else "upright"
    clean = "noise" if deviation else "clean"
    turned = say(f"card.limit.{seen}", **words)
    noise = say(f"card.limit.{clean}", deviation=short(deviation))
    if evaluation:
        points = {p["amount"]: p["error_rate"] for p in evaluation["curves"]["rotated"]["points"]}
        if -45 in points and 45 in points:
            turned = say(
                f"card.limit.{seen}Measured",
                **words,
                rate=per_cent((points[-45] + points[45]) / 2, 0),
                degrees=45,
            )
        noisy = [p["error_rate"] for p in evaluation["curves"]["noised"]["points"] if p["amount"] == amount]
        if noisy:
            noise = say(
                f"card.limit.{clean}Measured",
                **words,
                deviation=short(deviation),
                rate=per_cent(noisy[0], 0),
                amount=amount,
            )
    words["kind"] = noun(spec.shape.kind, sense="drawn")
    counted = of_card(card)
    few = []
    if counted and counted[0] < FEW:
        wrong, (low, high) = round(card["test_error"] * counted[0]), map(per_cent, counted[1])
        few.append(say("card.limit.few", count=counted[0], wrong=wrong, low=low, high=high))
    undrawn = spec.shape.pose and card["settings"].get("reconstruction") == 0
    return [
        *few,
        *([say("card.limit.undrawn")] if undrawn else []),
        known,
        styles,
        say(f"card.limit.{'two' if spec.shape.answers > 1 else 'one'}", **words),
        turned,
        noise,
    ]


# What is told of every training, by the kind of routing: the ids of texts in [card.paper] and [card.here].
_ALWAYS = {
    "dynamic": ("epochs", "rate", "gradient", "W", "divided", "biases"),
    "attention": ("chosen", "batch", "epochs", "rate", "W", "decoder"),
    "": ("capsules", "size", "loss"),
}


def departures(card: Mapping[str, Any]) -> str:
    """Where these weights depart from the paper or its authors' code, as a Markdown table.

    A network without capsules is compared with the capsule network that it is the twin of.
    """
    settings, spec = card["settings"], spec_of(card)  # the settings of older cards lack what was added since
    routing = spec.shape.routing
    iterations = settings.get("iterations", spec.shape.trained) if spec.shape.iterates else 1
    ran = [*card.get("started_from", []), settings]
    ours = spec.data
    held = grouped(ours.sizes["train"] - ours.held_out)
    told = {
        "augment": bool(settings.get("augment")),
        "shifted": routing == "attention" and not settings.get("augment") and changed(card),
        "unshifted": not changed(card),
        "noise": bool(settings.get("noise")),
        "madeUp": bool(settings.get("synthetic") or settings.get("others")),
        "started": bool(settings.get("start_from")),
        "averageStart": bool(settings.get("average_start")),
        "averaged": bool(settings.get("averaged")),
        "precision": bool(settings.get("mixed_precision")),
        "pairs": spec.shape.answers > 1,
        "iterations": iterations != spec.shape.trained,
        "undrawn": settings.get("reconstruction") == 0,
        "reconstruction": settings.get("reconstruction", RECONSTRUCTION_WEIGHT)
        not in (0, RECONSTRUCTION_WEIGHT),
    }
    if not routing:
        told = {"numbers": bool(spec.shape.pose)}
        told["equal"] = spec.shape.score == PROBABILITY and bool(settings.get("others"))
    values: dict[str, Any] = {
        "trainings": len(list(_trainings(ran))),
        "parts": len(settings.get("averaged", [])),
        "epochs": " + ".join(map(_epochs, ran)),
        "batch": settings.get("batch_size"),
        "kinds": noun(spec.shape.kind, 2),
        "shift": settings.get("shift"),
        "iterations": iterations,
        "weight": short(settings.get("reconstruction", RECONSTRUCTION_WEIGHT)),
    }
    always, head = list(_ALWAYS[routing]), "head"
    if spec.shape.score == INDEPENDENT:
        always, head = [f"{name}Independent" for name in ("convolutions", *always)], "headIndependent"
        values |= _against(spec)
    first = next(iter(card.get("started_from", [])), settings).get("network", DEFAULT)
    smaller = networks().get(first)
    if smaller and smaller.shape.size < spec.shape.size:
        always[always.index("W")] = "enlarged"
        values["smaller"] = smaller.name
    if told.get("pairs"):
        side, area = shared(BOX, settings["shift"])
        values |= {"side": per_cent(side, 0), "area": per_cent(area, 1)}
        values |= {"alone": per_cent(ALONE, 0), "alike": per_cent(ALIKE, 0), "mixed": per_cent(MIXED, 0)}
    last = settings.get("final_learning_rate")
    stays = last is not None and last == settings.get("learning_rate")
    rows = []
    if routing:
        here = say(f"card.here.{'images' if ours is MNIST else 'imagesOf'}", images=held, data=ours.name)
        rows.append((say("card.paper.images", images=grouped(MNIST.sizes["train"])), here))
    if routing != "dynamic":
        values |= _parameters(spec)
    for name in (*(name for name, true in told.items() if true), *always):
        ours_name = "constant" if name == "rate" and stays else _started(ran) if name == "started" else name
        rows.append(
            (
                say(_of(routing, "card.paper", name), **values),
                say(_of(routing, "card.here", ours_name), **values),
            )
        )
    lines = "\n".join(f"| {theirs} | {here} |" for theirs, here in rows)
    return (
        f"| {say(_of(routing, 'card.paper', head), **values)} | {say('card.here.head')} |\n|---|---|\n{lines}"
    )


def _against(spec: Spec) -> dict[str, Any]:
    """Of the capsule network that reads as many at once: the one that a network of independent probabilities is set against."""
    twin = next(
        one for one in networks().values() if one.shape.routing and one.shape.answers == spec.shape.answers
    )
    assert twin.shape.grid is not None
    return {
        "twin": twin.name,
        "capsules": grouped(twin.shape.grid.capsules),
        "components": twin.shape.components,
        "field": twin.layers[0].facts["kernel"],
        "size": grouped(together(sizes(twin), decoder=False).parameters),
        "paper": spec.source.paper,
    }


def changed(card: Mapping[str, Any]) -> bool:
    """Whether images were shifted or changed otherwise while it trained."""
    return bool(card["settings"].get("augment")) or card["settings"].get("shift") != 0


def _of(routing: str, table: str, name: str) -> str:
    """The id of a text in a table, or of the one there for networks of a kind of routing."""
    own = f"{table}.{routing or 'plain'}.{name}"
    return own if knows(own) else f"{table}.{name}"


def _parameters(spec: Spec) -> dict[str, str]:
    """How many parameters a network has, all of them, those of its decoder, and the rest."""
    parts = sizes(spec)
    every, rest = together(parts).parameters, together(parts, decoder=False).parameters
    return {"parameters": grouped(every), "decoder": grouped(every - rest), "rest": grouped(rest)}


def command(settings: Mapping[str, Any]) -> str:
    """The command line of a training with ``settings``, which in cards of older versions lack what was added since."""
    words = ["python -m capsviz train --data DIR --out DIR"]
    words += [
        f"--{name.replace('_', '-')} {settings[name]}"
        for name in ("epochs", "batch_size", "seed", "learning_rate", "final_learning_rate")
    ]
    made_up = [name for name in ("synthetic", "others") if settings.get(name)]
    words += [f"--{name} {settings[name]}" for name in (*made_up, *(["pool"] if made_up else []))]
    words += ["--augment"] if settings.get("augment") else []
    words += [f"--noise {settings['noise']}"] if settings.get("noise") else []
    words += [f"--network {settings['network']}"] if settings.get("network", DEFAULT) != DEFAULT else []
    words += _ablated(settings)
    if "mixed_precision" in settings:
        words.append("--mixed-precision" if settings["mixed_precision"] else "--no-mixed-precision")
    words += ["--start-from WEIGHTS"] if settings.get("start_from") else []
    words += ["--average-start"] if settings.get("average_start") else []
    return " ".join(words)


def _ablated(settings: Mapping[str, Any]) -> list[str]:
    """The options of a training with other routing or another weight of the decoder than the network's own."""
    spec = networks().get(settings.get("network", DEFAULT))
    words = []
    iterations = settings.get("iterations")
    if spec and spec.shape.iterates and iterations not in (None, spec.shape.trained):
        words.append(f"--iterations {iterations}")
    if settings.get("reconstruction", RECONSTRUCTION_WEIGHT) != RECONSTRUCTION_WEIGHT:
        words.append(f"--reconstruction {settings['reconstruction']:g}")
    return words


def _epochs(run: Mapping[str, Any]) -> str:
    """How long a training was; of a mean, each of those that it is of and that were not told before."""
    if not run.get("averaged"):
        return str(run["epochs"])
    each = [*(" + ".join(map(_epochs, part)) for part in _beside(run)), str(run["epochs"])]
    return say("card.epochsOfMean", epochs=say("card.and").join(each), parts=len(run["averaged"]))


def _beside(run: Mapping[str, Any]) -> list[Sequence[Mapping[str, Any]]]:
    """The trainings that led to each part of a mean, where they are not those that led to its last one."""
    return [part["trainings"] for part in run.get("averaged", []) if part["trainings"]]


def _started(ran: Iterable[Mapping[str, Any]]) -> str:
    """The id of what is said of where several trainings began."""
    beside = [(run, part[0]) for run in ran for part in _beside(run)]
    if not beside:
        return "started"
    same = all(part.get("start_from") == run.get("start_from") for run, part in beside)
    return "startedBeside" if same else "startedApart"


def side_by_side(card: Mapping[str, Any]) -> int:
    """How many trainings the last one was, with those beside it of whose weights and its own the mean is."""
    return 1 + len(_beside(card["settings"]))


def all_epochs(card: Mapping[str, Any]) -> int:
    """How many epochs led to the weights, in all trainings: one after another, and side by side."""
    return sum(run["epochs"] for run in _trainings([*card.get("started_from", []), card["settings"]]))


def earlier_epochs(card: Mapping[str, Any]) -> int:
    """How many of them had led to the weights that this training started from."""
    return sum(run["epochs"] for run in _trainings(card.get("started_from", [])))


def averaged_error(card: Mapping[str, Any]) -> float | None:
    """Validation error (0..1) of weights that are a mean, which no epoch of the log had; None of others."""
    error: float = card["validation_error"]
    return error if _is_mean(card["settings"]) else None


def _is_mean(settings: Mapping[str, Any]) -> bool:
    return bool(settings.get("average_start") or settings.get("averaged"))


def card_table(card: Mapping[str, Any]) -> str:
    """The facts of a card as a Markdown table."""
    settings = card["settings"]
    parts = settings.get("averaged", [])
    rows: list[tuple[str, Any]] = []

    def add(name: str, value: str = "", **values: object) -> None:
        rows.append((say(f"card.fact.{name}"), say(f"card.value.{value or name}", **values)))

    spec = spec_of(card)
    rows.append((say("card.fact.network"), _network(card, spec)))
    two = spec.shape.answers > 1
    add("data", "dataCopy" if two and UNLIKE in card["data"] else "", data=card["data"])
    if spec.data.credit:
        add("credit", credit=spec.data.credit)
    error, counted = card["test_error"], of_card(card)
    add("test", "testTwo" if two else "", rate=percent(error, counted[1]) if counted else per_cent(error))
    rows.append((say("card.fact.validation"), _validation(card)))
    limit, share = number(card["unsure_below"]), per_cent(SHARE_UNSURE, 1)
    of = by_score(f"card.value.unsure{'Two' if two else ''}", spec.shape.score)
    rows.append((say("card.fact.unsure"), say(of, limit=limit, share=share)))
    if parts:
        add("mean", parts=len(parts))
        rows += [(say("card.fact.part", number=number), _part(part)) for number, part in enumerate(parts, 1)]
        errors = [part["test_error"] for part in parts]
        add("parts", mean=per_cent(mean(errors)), deviation=per_cent(stdev(errors)))
    elif settings.get("average_start"):
        add("meanOfStart")
    rows += [
        (say("card.fact.epochs"), settings["epochs"]),
        (say("card.fact.batch"), _batch(settings)),
        (say("card.fact.seed"), settings["seed"]),
        (say("card.fact.augmentation"), _augmentation(settings)),
    ]
    rate, final = settings["learning_rate"], settings["final_learning_rate"]
    adam = {"rate": short(rate), "steps": settings["warmup_steps"]}
    if rate == final:
        add("optimiser", "optimiserStays", **adam)
    else:
        add("optimiser", final=short(final), **adam)
    if "mixed_precision" in settings:  # which cards of older versions lack
        rows.append(
            (
                say("card.fact.precision"),
                say(f"card.precision.{'mixed' if settings['mixed_precision'] else 'single'}"),
            )
        )
    ran = f"`{card['command']}`"
    last = say("card.lastPart", command=ran, last=f"`{command(settings)}`")
    rows.append((say("card.fact.command"), last if parts else ran))
    rows.append((say("card.fact.commit"), f"`{card['commit']}`"))
    add("device", device=card["device"], torch=card["torch"])
    rows.append((say("card.fact.sha256"), f"`{card['sha256']}`"))
    add("disk")
    later, earlier = settings, list(card.get("started_from", []))
    name = "started"
    while later.get("start_from"):
        sha256 = f"`{later['start_from']}`"
        later = earlier.pop() if earlier else {}
        origin = (
            say("card.originMade", sha256=sha256, made=_made(later))
            if later
            else say("card.origin", sha256=sha256)
        )
        rows.append((say(f"card.fact.{name}"), origin))
        name = "before"
    return _table(rows, say("card.head.trainingTable"))


def _network(card: Mapping[str, Any], spec: Spec) -> str:
    """What kind of network it is, and how large."""
    paper, parameters = card["paper"], grouped(card["parameters"])
    if spec.shape.iterates:
        count = card["settings"]["iterations"]
        return say("card.value.network", paper=paper, parameters=parameters, count=count)
    kind = "attention" if spec.shape.routing else "plainDecoder" if spec.shape.pose else "plain"
    kind += "Independent" if spec.shape.score == INDEPENDENT else ""
    return say(f"card.network.{kind}", **{**_parameters(spec), "paper": paper, "parameters": parameters})


def _validation(card: Mapping[str, Any]) -> str:
    which = "mean" if _is_mean(card["settings"]) else "last"
    rate = per_cent(card["validation_error"])
    if "validation_loss" not in card:
        return say(f"card.validation.{which}", rate=rate)
    name = by_score(f"card.validation.{which}Loss", spec_of(card).shape.score)
    return say(name, rate=rate, loss=number(card["validation_loss"], 5))


def _part(part: Mapping[str, Any]) -> str:
    """What is said of one of the weights that were averaged."""
    facts = {
        "sha256": f"`{part['sha256']}`",
        "validation": per_cent(part["validation_error"]),
        "test": per_cent(part["test_error"]),
    }
    if not part["trainings"]:
        return say("card.part", **facts)
    return say("card.partMade", **facts, made=_made(part["trainings"][-1]))


def _made(settings: Mapping[str, Any]) -> str:
    sums = say("card.and").join(f"`{part['sha256']}`" for part in settings.get("averaged", []))
    made = say("card.made", command=f"`{command(settings)}`")
    return say("card.madeMean", sums=sums, made=made) if sums else made


def _batch(settings: Mapping[str, Any]) -> str:
    size = settings["batch_size"]
    synthetic, others = (round(settings.get(name, 0.0) * size) for name in ("synthetic", "others"))
    which = "both" if synthetic and others else "synthetic" if synthetic else "others" if others else "real"
    return say(f"card.batch.{which}", size=size, synthetic=synthetic, others=others)


def _augmentation(settings: Mapping[str, Any]) -> str:
    # Cards of older versions lack what was added since.
    which = "hand" if settings.get("augment") else "shift"
    noise = settings.get("noise")
    return say(
        f"card.augmentation.{which}{'Noise' if noise else ''}",
        shift=settings["shift"],
        noise=short(noise) if noise else "",
    )
