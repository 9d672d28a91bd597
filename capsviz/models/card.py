"""The model card: what the files beside the weights say of their training and of what was measured, in words.

Every number of a result comes from those two; what the sentences add is what the training code always does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from capsviz.inputs import data
from capsviz.networks.base import DEFAULT

TEST_SET = "MNIST test set"  # what an evaluation says of its data, where they are the originals
FORMAT = 3  # of an evaluation: one more whenever what it holds changes
# Of the digits held out, called unsure. The aim is 1% of any: what is set on 5,000 is off by a fifth of that elsewhere.
SHARE_UNSURE = 0.008
ABSENT = 0.1  # m- of Eq. 4; where all ten capsules are as short, the app says "no digit"
# Standard deviations at which ``limits`` says how much is misread: of weights trained without noise, and with some.
NOISE, STRONG_NOISE = 0.2, 0.5

# Eq. 4 and section 4.1, as Markdown with TeX.
LOSS = r"""The loss is the paper’s: for each of the ten digits k

$$\begin{aligned} L_k = \; & T_k \max(0,\; 0.9 - \|v_k\|)^2 \\ & + 0.5\,(1 - T_k) \max(0,\; \|v_k\| - 0.1)^2 \end{aligned}$$

where T is 1 for the digit that is there and 0 for the others (Eq. 4), and 0.0005 times the squared error of the
reconstruction, summed over its 784 pixels."""


def card_markdown(card: Mapping[str, Any], evaluation: Mapping[str, Any] | None = None) -> str:
    """The model card for people, of the facts of training and, once there is one, of the evaluation."""
    known = "\n".join(f"- {limit}" for limit in limits(card, evaluation))
    parts = [f"# {card['name']}", card_table(card)]
    if evaluation:
        parts += ["## What was measured", measured_tables(evaluation)]
    parts += ["## Known limits", known, "## Training, and the paper", LOSS, departures(card)]
    files = f"`{card['name']}.json`" + (f" and `{card['name']}.evaluation.json`" if evaluation else "")
    parts.append(f"All facts, with the log of every epoch, are in {files}.")
    return "\n\n".join(parts) + "\n"


def measured_tables(evaluation: Mapping[str, Any]) -> str:
    """What ``evaluate.evaluate`` found, as Markdown tables."""
    doubt, calibration = evaluation["unsure"], evaluation["calibration"]
    on = evaluation["data"]
    rows = {
        "MNIST, test error"
        if on == TEST_SET
        else f"{on}, error": f"{percent(evaluation['error_rate'], evaluation['interval'])}: "
        f"{evaluation['wrong']} of {evaluation['images']:,}",
        "Calibration of the longest length": f"{calibration['length']:.3f} on average, with "
        f"{calibration['accuracy']:.2%} correct; expected calibration error {calibration['ece']:.3f}",
        f"Unsure, below {doubt['threshold']:.2f}: test digits": unsure_digits(doubt["digits"]),
        f"No digit, all below {ABSENT}: test digits and drawings of no digit": " and ".join(
            f"{doubt['below'][key][doubt['below']['length'].index(ABSENT)]:.1%}"
            for key in ("digits", "others")
        ),
        **{
            f"Unsure: {kind['kind']}": f"{kind['below']:.1%} of {kind['images']:,}" for kind in doubt["kinds"]
        },
    }
    for key, name in (("drawings", "Recorded drawings"), ("made_up", "Made-up drawings")):
        if key not in evaluation:
            continue
        drawn = evaluation[key]
        rows[name] = f"{drawn['drawings']:,}, each rendered with pens of four widths"
        if drawn["writers"]:
            rows[name] += f", by {drawn['writers']} writers"
        rows[name] += (
            f" (intervals by a bootstrap over {'these' if drawn['writers'] else 'drawings'}, at least Wilson’s)"
        )
        if "file" in drawn:
            rows[name] += f"; `{drawn['file']}`, SHA-256 `{drawn['file_sha256']}`"
        rows |= {
            f"{name}, pen of {row['width']} pixels": f"{percent(row['rate'], row['interval'])} correct"
            for row in drawn["widths"]
        }
        rows[f"{name}, all pens"] = (
            f"{percent(drawn['rate'], drawn['interval'])} correct, {drawn['unsure']:.1%} called unsure"
        )
    tables = [_table(rows.items(), "Measured")]
    routing = evaluation["iterations"]["rows"]
    cells = {
        "Error": [f"{row['error_rate']:.2%}" for row in routing],
        "Same answer as trained": [_share(row["same"]) for row in routing],
        "Longest capsule": [f"{row['winner']:.3f}" for row in routing],
        "Second longest": [f"{row['runner_up']:.3f}" for row in routing],
    }
    tables.append(
        f"{routing[0]['images']:,} test digits, by routing iterations:\n\n"
        f"| | {' | '.join(str(row['iterations']) for row in routing)} |\n|---|{'---:|' * len(routing)}\n"
        + "\n".join(f"| {name} | {' | '.join(values)} |" for name, values in cells.items())
    )
    for kind, curve in evaluation["curves"].items():
        amounts = " | ".join(f"{point['amount']:g}" for point in curve["points"])
        errors = " | ".join(f"{point['error_rate']:.1%}" for point in curve["points"])
        count = curve["points"][0]["images"]
        tables.append(
            f"{count:,} test digits {kind}, by {curve['unit']}:\n\n"
            f"| | {amounts} |\n|---|{'---:|' * len(curve['points'])}\n| Error | {errors} |"
        )
    return "\n\n".join(tables)


def routing_measured(evaluation: Mapping[str, Any] | None) -> str:
    """What routing changes of the answers, as one sentence with its numbers; "" where it was not measured.

    It compares one iteration, all coupling coefficients alike, with the iterations of training.
    """
    if not evaluation or "iterations" not in evaluation:
        return ""
    trained, rows = evaluation["iterations"]["trained"], evaluation["iterations"]["rows"]
    first, last = rows[0], rows[trained - 1]
    return (
        f"Of {first['images']:,} test digits {_share(first['same'])} get the same answer with 1 iteration as with "
        f"{trained}; the longest capsule grows from {first['winner']:.2f} to {last['winner']:.2f} on average, the "
        f"second from {first['runner_up']:.2f} to {last['runner_up']:.2f}."
    )


def _share(share: float) -> str:
    """A share with two decimals, that is 100% only of all."""
    return f"{min(share, 1 if share == 1 else 0.9999):.2%}"


def unsure_digits(digits: Mapping[str, Any]) -> str:
    """How many digits were called unsure, and how many of these were misread."""
    count = round(digits["below"] * digits["images"])
    return f"{digits['below']:.1%} of {digits['images']:,} ({digits['misread']} of these {count:,} misread)"


def percent(rate: float, interval: Sequence[float]) -> str:
    """A rate (0..1) with its 95% interval."""
    return f"{rate:.2%} (95% interval {interval[0]:.2%} to {interval[1]:.2%})"


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
    if _most(card, "others"):
        other = (
            "It knows ten digits and was shown letters, symbols and scribbles as none of them: most leave all "
            "ten capsules short, but what it was shown nothing like may still be read as some digit"
        )
    else:
        other = "It knows ten digits and nothing else: a letter or a scribble is still read as some digit"
    if evaluation:
        others = evaluation["unsure"]["others"]
        other += (
            f". Of all that were tried (letters, symbols and scribbles of the kinds that are made up for training, and scripts, "
            f"pictures and halves of digits that are not), {1 - others['below']:.0%} had a capsule long enough to be "
            "answered. These leave out what looks like a digit: a B, an S or a square may be read as 8, 5 or 0"
        )
    if _most(card, "synthetic"):
        styles = (
            "Its digits are MNIST’s, by American census clerks and high-school students around 1990, and made-up "
            "ones in styles that are rare there, such as slashed zeros: a style in neither is misread more often."
        )
    else:
        styles = (
            "It was trained on MNIST alone, the hands of American census clerks and high-school students around "
            "1990. Zeros with a slash and ones with a flag and foot are rare there and are misread more often."
        )
    seen = "15 degrees or so" if _most(card, "augment") else "a hand’s slant"
    turned = f"It has never seen digits rotated by more than {seen}, and does not generalise to them"
    deviation = _most(card, "noise")
    amount = STRONG_NOISE if deviation else NOISE
    if deviation:
        noise = f"It was trained with noise on at most a quarter of the pictures, of a deviation of up to {deviation:g}"
    else:
        noise = "It was trained on clean pictures"
    if evaluation:
        points = {p["amount"]: p["error_rate"] for p in evaluation["curves"]["rotated"]["points"]}
        if -45 in points and 45 in points:
            turned += f": it misreads {(points[-45] + points[45]) / 2:.0%} of those turned by 45 degrees"
        noisy = [p for p in evaluation["curves"]["noised"]["points"] if p["amount"] == amount]
        noise += "".join(
            f": it misreads {p['error_rate']:.0%} of digits with noise of deviation {amount}, black being 0 and white 1"
            for p in noisy
        )
    return [
        f"{other}.",
        styles,
        "It reads one digit at a time, upright, cropped and centred the way MNIST was made.",
        f"{turned}.",
        f"{noise}.",
    ]


def departures(card: Mapping[str, Any]) -> str:
    """Where the training of these weights departs from the paper or its authors' code, as a Markdown table."""
    settings = card["settings"]  # which in cards of older versions lack what was added since
    epochs = [str(run["epochs"]) for run in [*card.get("started_from", []), settings]]
    rows = [
        (
            f"{data.SIZES['train']:,} images of MNIST",
            f"{data.SIZES['train'] - data.VALIDATION_SIZE:,}: the rest is held out, so that nothing is chosen on the "
            "test set",
        ),
    ]
    if settings.get("augment"):
        rows.append(
            ("images shifted by up to 2 pixels", "turned, scaled, sheared, bent, another pen as well")
        )
    if settings.get("noise"):
        rows.append(("clean images", "noise on a quarter of them, which the decoder is not to draw"))
    if settings.get("synthetic") or settings.get("others"):
        rows.append(("nothing but MNIST", "made-up drawings beside MNIST’s, of digits and of what is none"))
    if settings.get("start_from"):
        rows.append(("one training", f"{len(epochs)}, each from the weights of the one before"))
    if settings.get("average_start"):
        rows.append(
            ("the weights after the last step", "their mean with those that the last training began with")
        )
    if settings.get("averaged"):
        rows.append(("the weights of one training", f"the mean of those of {len(settings['averaged'])}"))
    if settings.get("mixed_precision"):
        rows.append(("single precision", "products of the large convolutions in bfloat16"))
    rows += [
        ("number of epochs not given", " + ".join(epochs)),
        ("learning rate that decays exponentially", "one that warms up, then follows a cosine"),
        ("gradient through every routing iteration", "through û in the last one only"),
        ("W drawn with deviation 0.1", "with 0.05; convolutions and decoder as PyTorch draws them"),
        ("primary capsules divided by 32 before they are squashed", "squashed as they are (Eq. 1)"),
        ("digit capsules with biases", "without (Eq. 2)"),
    ]
    lines = "\n".join(f"| {theirs} | {ours} |" for theirs, ours in rows)
    return f"| The paper, or where it is silent its authors’ code | Here |\n|---|---|\n{lines}"


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
    if "mixed_precision" in settings:
        words.append("--mixed-precision" if settings["mixed_precision"] else "--no-mixed-precision")
    words += ["--start-from WEIGHTS"] if settings.get("start_from") else []
    words += ["--average-start"] if settings.get("average_start") else []
    return " ".join(words)


def earlier_epochs(card: Mapping[str, Any]) -> int:
    """How many epochs the weights had been trained for that this training started from."""
    return sum(run["epochs"] for run in card.get("started_from", []))


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
    rows: list[tuple[str, Any]] = [
        (
            "Network",
            f"CapsNet of {card['paper']}, {card['parameters']:,} parameters, routing with {settings['iterations']} iterations",
        ),
        ("Data", card["data"]),
        ("Test error", f"{card['test_error']:.2%}, read after the last epoch; nothing was chosen by it"),
        ("Validation error", _validation(card)),
        (
            "Unsure",
            f"where the longest capsule is below {card['unsure_below']:.2f}, set so that this holds for at most "
            f"{SHARE_UNSURE:.1%} of the images held out",
        ),
    ]
    if parts:
        rows.append(("Weights", f"the mean of {len(parts)}, the last of them trained as said below"))
        rows += [(f"Part {number}", _part(part)) for number, part in enumerate(parts, 1)]
        errors = [part["test_error"] for part in parts]
        rows.append(
            ("Parts, test error", f"{mean(errors):.2%} on average, standard deviation {stdev(errors):.2%}")
        )
    elif settings.get("average_start"):
        rows.append(("Weights", "the mean of those started from and those trained to"))
    rows += [
        ("Epochs", settings["epochs"]),
        ("Batch size", _batch(settings)),
        ("Seed", settings["seed"]),
        ("Augmentation", _augmentation(settings)),
        (
            "Optimiser",
            f"Adam, {settings['learning_rate']:g} after {settings['warmup_steps']} steps of warm-up (a tenth of a short run), "
            f"cosine to {settings['final_learning_rate']:g}",
        ),
        *([("Precision", _precision(settings))] if "mixed_precision" in settings else []),
        ("Command", f"`{card['command']}`" + (f"; the last part by `{command(settings)}`" if parts else "")),
        ("Commit", f"`{card['commit']}`"),
        ("Trained on", f"{card['device']}, PyTorch {card['torch']}"),
        ("SHA-256", f"`{card['sha256']}`"),
        ("On disk", "half precision; computed in single"),
    ]
    later, earlier = settings, list(card.get("started_from", []))
    name = "Started from"
    while later.get("start_from"):
        origin = f"weights with the SHA-256 `{later['start_from']}`"
        later = earlier.pop() if earlier else {}
        rows.append((name, f"{origin}, {_made(later)}" if later else origin))
        name = "Before that"
    return _table(rows, "Training")


def _validation(card: Mapping[str, Any]) -> str:
    loss = f", margin loss {card['validation_loss']:.5f}" if "validation_loss" in card else ""
    return (
        f"{card['validation_error']:.2%}{loss}, {'of the mean' if _is_mean(card['settings']) else 'at the last epoch'}; "
        "no epoch was picked"
    )


def _part(part: Mapping[str, Any]) -> str:
    """What is said of one of the weights that were averaged."""
    made = f", {_made(part['trainings'][-1])}" if part["trainings"] else ""
    return (
        f"SHA-256 `{part['sha256']}`, validation error {part['validation_error']:.2%}, test error "
        f"{part['test_error']:.2%}{made}"
    )


def _made(settings: Mapping[str, Any]) -> str:
    sums = " and ".join(f"`{part['sha256']}`" for part in settings.get("averaged", []))
    made = f"made by `{command(settings)}`"
    return f"the mean of those with the SHA-256 {sums}, the last of them {made}" if sums else made


def _batch(settings: Mapping[str, Any]) -> str:
    parts = {
        "made-up digits": settings.get("synthetic", 0.0),
        "pictures of no digit": settings.get("others", 0.0),
    }
    counts = [f"{round(share * settings['batch_size'])} {name}" for name, share in parts.items() if share]
    return f"{settings['batch_size']}" + (f", of them {' and '.join(counts)}" if counts else "")


def _precision(settings: Mapping[str, Any]) -> str:
    if settings["mixed_precision"]:
        return "mixed: products of the large convolutions in bfloat16, all else in single precision"
    return "single"


def _augmentation(settings: Mapping[str, Any]) -> str:
    shifts = f"shifts of up to {settings['shift']} pixels"
    # Cards of older versions lack what was added since.
    hand = (
        "turned, scaled, sheared and bent a little, thicker and thinner strokes, "
        if settings.get("augment")
        else ""
    )
    noise = (
        f"; noise on a quarter, of a deviation of up to {settings['noise']:g}"
        if settings.get("noise")
        else ""
    )
    return f"{hand}{shifts}{noise}"
