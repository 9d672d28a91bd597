"""The model card: what the files beside the weights say of their training and of what was measured, in words.

Every number of a result comes from those two; what the sentences add is what the training code always does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

FORMAT = 1  # of an evaluation: one more whenever what it holds changes

LOSS = (
    "The loss is the paper’s: for each digit T max(0, 0.9 − |v|)² + 0.5 (1 − T) max(0, |v| − 0.1)², T being 1 for the "
    "digit that is there and 0 for the others (Eq. 4), and 0.0005 times the reconstruction’s squared error, summed "
    "over 784 pixels."
)


def card_markdown(card: Mapping[str, Any], evaluation: Mapping[str, Any] | None = None) -> str:
    """The model card for people, of the facts of training and, once there is one, of the evaluation."""
    known = "\n".join(f"- {limit}" for limit in limits(card, evaluation))
    parts = [f"# {card['name']}", card_table(card)]
    if evaluation:
        parts += ["## What was measured", measured_tables(evaluation)]
    parts += ["## Known limits", known, "## Training, and the paper", f"{LOSS} {departures(card)}"]
    files = f"`{card['name']}.json`" + (f" and `{card['name']}.evaluation.json`" if evaluation else "")
    parts.append(f"All facts, with the log of every epoch, are in {files}.")
    return "\n\n".join(parts) + "\n"


def measured_tables(evaluation: Mapping[str, Any]) -> str:
    """What ``evaluate.evaluate`` found, as Markdown tables."""
    doubt, calibration = evaluation["unsure"], evaluation["calibration"]
    digits = doubt["digits"]
    rows = {
        "MNIST, test error": f"{percent(evaluation['error_rate'], evaluation['interval'])}: "
        f"{evaluation['wrong']} of {evaluation['images']:,}",
        "Calibration of the longest length": f"{calibration['length']:.3f} on average, with "
        f"{calibration['accuracy']:.2%} correct; expected calibration error {calibration['ece']:.3f}",
        f"Unsure, below {doubt['threshold']:.2f}: test digits": f"{digits['below']:.1%} of {digits['images']:,}, "
        f"{digits['misread']} of them misread",
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
            rows[name] += f", by {drawn['writers']} writers (intervals by a bootstrap over these)"
        if "file" in drawn:
            rows[name] += f"; `{drawn['file']}`, SHA-256 `{drawn['file_sha256']}`"
        rows |= {
            f"{name}, pen of {row['width']} pixels": f"{percent(row['rate'], row['interval'])} correct"
            for row in drawn["widths"]
        }
        rows[f"{name}, all pens"] = (
            f"{percent(drawn['rate'], drawn['interval'])} correct, {drawn['unsure']:.1%} called unsure"
        )
    tables = [_table(rows)]
    for kind, curve in evaluation["curves"].items():
        amounts = " | ".join(f"{point['amount']:g}" for point in curve["points"])
        errors = " | ".join(f"{point['error_rate']:.1%}" for point in curve["points"])
        count = curve["points"][0]["images"]
        tables.append(
            f"{count:,} test digits {kind}, by {curve['unit']}:\n\n"
            f"| | {amounts} |\n|---|{'---:|' * len(curve['points'])}\n| Error | {errors} |"
        )
    return "\n\n".join(tables)


def percent(rate: float, interval: Sequence[float]) -> str:
    """A rate (0..1) with its 95% interval."""
    return f"{rate:.2%} (95% interval {interval[0]:.2%} to {interval[1]:.2%})"


def _table(rows: Mapping[str, Any]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def _ever(card: Mapping[str, Any], setting: str) -> bool:
    """Whether a setting was on in this training or in that of the weights it started from."""
    runs = [
        card["settings"],
        *card.get("started_from", []),
    ]  # cards of older versions lack what was added since
    return any(run.get(setting) for run in runs)


def limits(card: Mapping[str, Any], evaluation: Mapping[str, Any] | None = None) -> list[str]:
    """What these weights are known not to do, in sentences; from what they were trained on and what was measured."""
    if _ever(card, "others"):
        other = (
            "It knows ten digits and was shown letters, symbols and scribbles as none of them: most leave all "
            "ten capsules short, but what it was shown nothing like may still be read as some digit"
        )
    else:
        other = "It knows ten digits and nothing else: a letter or a scribble is still read as some digit"
    if evaluation:
        others = evaluation["unsure"]["others"]
        other += (
            f". Of the letters, symbols, scribbles and the like that were tried, {1 - others['below']:.0%} had a capsule "
            "long enough to be answered"
        )
    if _ever(card, "synthetic"):
        styles = (
            "Its digits are MNIST’s, by American census clerks and high-school students around 1990, and made-up "
            "ones in styles that are rare there, such as slashed zeros: a style in neither is misread more often."
        )
    else:
        styles = (
            "It was trained on MNIST alone, the hands of American census clerks and high-school students around "
            "1990. Zeros with a slash and ones with a flag and foot are rare there and are misread more often."
        )
    seen = "15 degrees or so" if _ever(card, "augment") else "a hand’s slant"
    turned = f"It has never seen digits rotated by more than {seen}, and does not generalise to them"
    if evaluation:
        points = {p["amount"]: p["error_rate"] for p in evaluation["curves"]["rotated"]["points"]}
        if -45 in points and 45 in points:
            turned += f": it misreads {(points[-45] + points[45]) / 2:.0%} of those turned by 45 degrees"
    return [
        f"{other}.",
        styles,
        "It reads one digit at a time, upright, cropped and centred the way MNIST was made.",
        f"{turned}.",
    ]


def departures(card: Mapping[str, Any]) -> str:
    """Where the training of these weights departs from the paper or its authors' code, in a sentence."""
    settings = card["settings"]  # which in cards of older versions lack what was added since
    added = []
    if settings.get("augment"):
        added.append(
            "images that are turned, scaled, sheared, bent and drawn with another pen, not only shifted;"
        )
    if settings.get("synthetic") or settings.get("others"):
        added.append("made-up drawings beside MNIST’s;")
    earlier = card.get("started_from", [])
    epochs = " and ".join(str(run["epochs"]) for run in [*earlier, settings])
    start = "after the weights of an earlier training, " if settings.get("start_from") else ""
    return " ".join(
        [
            "It departs from the paper, or where the paper is silent from its authors’ code, chiefly in this: 55,000 "
            "images of MNIST instead of 60,000, the rest held out, so that nothing is chosen on the test set;",
            *added,
            f"{start}{epochs} epochs instead of hundreds; a learning rate that warms up and follows a cosine, instead "
            "of an exponential decay; no gradient through û but in the last routing iteration; initial weights and "
            "biases as PyTorch draws them, W with deviation 0.05 instead of 0.1; no factor of 1/32 before primary "
            "capsules are squashed, and no biases of digit capsules.",
        ]
    )


def card_table(card: Mapping[str, Any]) -> str:
    """The facts of a card as a Markdown table."""
    settings = card["settings"]
    rows = {
        "Network": f"CapsNet of {card['paper']}, {card['parameters']:,} parameters, routing with "
        f"{settings['iterations']} iterations",
        "Data": card["data"],
        "Test error": f"{card['test_error']:.2%}, read once, after the last epoch",
        "Validation error": f"{card['validation_error']:.2%}, at the last epoch; no epoch was picked",
        "Unsure": f"where the longest capsule is below {card['unsure_below']:.2f}, set so that this holds for at most "
        "1% of the images held out",
        "Epochs": settings["epochs"],
        "Batch size": _batch(settings),
        "Seed": settings["seed"],
        "Augmentation": _augmentation(settings),
        "Optimiser": f"Adam, {settings['learning_rate']:g} after {settings['warmup_steps']} steps of warm-up (a tenth of a short run), "
        f"cosine to {settings['final_learning_rate']:g}",
        "Command": f"`{card['command']}`",
        "Commit": f"`{card['commit']}`",
        "Trained on": f"{card['device']}, PyTorch {card['torch']}",
        "SHA-256": f"`{card['sha256']}`",
        "On disk": "half precision; computed in single",
    }
    if settings.get("start_from"):
        epochs = "".join(f", trained for {run['epochs']} epochs" for run in card.get("started_from", []))
        rows["Started from"] = f"weights with the SHA-256 `{settings['start_from']}`{epochs}"
    return _table(rows)


def _batch(settings: Mapping[str, Any]) -> str:
    parts = {
        "made-up digits": settings.get("synthetic", 0.0),
        "pictures of no digit": settings.get("others", 0.0),
    }
    counts = [f"{round(share * settings['batch_size'])} {name}" for name, share in parts.items() if share]
    return f"{settings['batch_size']}" + (f", of them {' and '.join(counts)}" if counts else "")


def _augmentation(settings: Mapping[str, Any]) -> str:
    shifts = f"shifts of up to {settings['shift']} pixels"
    if not settings.get("augment"):  # cards of older versions do not say
        return shifts
    return f"turned, scaled, sheared and bent a little, thicker and thinner strokes, {shifts}"
