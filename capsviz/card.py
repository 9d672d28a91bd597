"""The model card: what the files beside the weights say of their training and of what was measured, in words.

Nothing here is known but from those two: a card cannot say more or other than them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

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
    parts += ["## Known limits", known]
    files = f"`{card['name']}.json`" + (f" and `{card['name']}.evaluation.json`" if evaluation else "")
    parts.append(f"All facts, with the log of every epoch, are in {files}.")
    return "\n\n".join(parts) + "\n"


def measured_tables(evaluation: Mapping[str, Any]) -> str:
    """What ``evaluate.evaluate`` found, as Markdown tables."""
    doubt = evaluation["unsure"]
    rows = {
        "MNIST, test error": f"{_percent(evaluation['error_rate'], evaluation['interval'])}: "
        f"{evaluation['wrong']} of {evaluation['images']:,}",
        "Length as a probability": f"{evaluation['calibration']['ece']:.3f} away from the share of right answers, "
        "on average (expected calibration error)",
        "Called unsure wrongly": f"{doubt['digits']['below']:.1%} of {doubt['digits']['images']:,} digits held out "
        f"of training, at a length below {doubt['threshold']:.2f}",
        **{
            f"Called unsure, {kind['kind']}": f"{kind['below']:.1%} of {kind['images']:,}"
            for kind in doubt["kinds"]
        },
    }
    for key, name in (("drawings", "People’s drawings"), ("made_up", "Made-up drawings")):
        for row in evaluation.get(key, {}).get("widths", []):
            rows[f"{name}, pen of {row['width']} pixels"] = (
                f"{_percent(row['rate'], row['interval'])} read rightly: {row['right']:,} of {row['drawings']:,}"
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


def _percent(rate: float, interval: Sequence[float]) -> str:
    return f"{rate:.2%} (95 % interval {interval[0]:.2%} to {interval[1]:.2%})"


def _table(rows: Mapping[str, Any]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def limits(card: Mapping[str, Any], evaluation: Mapping[str, Any] | None = None) -> list[str]:
    """What these weights are known not to do, in sentences; from what they were trained on and what was measured."""
    settings = card["settings"]  # which in cards of older versions lack what was added since
    if settings.get("others"):
        other = (
            "It knows ten digits and was shown letters, symbols and scribbles as none of them: most leave all "
            "ten capsules short, but what it was shown nothing like may still be read as some digit."
        )
    else:
        other = (
            "It knows ten digits and nothing else: a letter or a scribble is still read as some digit, often "
            "with a capsule as long as a real digit’s."
        )
    if settings.get("synthetic"):
        styles = (
            "Its digits are MNIST’s, by American census clerks and students around 1990, and made-up ones in "
            "styles that are rare there, such as slashed zeros: a style in neither is misread more often."
        )
    else:
        styles = (
            "It was trained on MNIST alone, the hands of American census clerks and students around 1990. Zeros "
            "with a slash, ones with a flag and foot, and open fours are rare there and are misread more often."
        )
    seen = "15 degrees or so" if settings.get("augment") else "a hand’s slant"
    turned = f"It has never seen digits rotated by more than {seen}, and does not generalise to them"
    if evaluation:
        points = {p["amount"]: p["error_rate"] for p in evaluation["curves"]["rotated"]["points"]}
        turned += f": it misreads {(points[-45] + points[45]) / 2:.0%} of those turned by 45 degrees"
    return [
        other,
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
        added.append("made-up drawings beside MNIST's;")
    return " ".join(
        [
            "It departs from the paper, or where the paper is silent from its authors’ code, in this: 55,000 images of "
            "MNIST instead of 60,000, the rest held out for every choice;",
            *added,
            f"{settings['epochs']} epochs instead of hundreds; a learning rate that warms up and follows a cosine; no "
            "gradient through û but in the last routing iteration; W drawn with deviation 0.05 instead of 0.1.",
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
        "Unsure": f"where the longest capsule is below {card['unsure_below']:.2f}, as that of at most 1% of the images "
        "held out",
        "Epochs": settings["epochs"],
        "Batch size": settings["batch_size"],
        "Seed": settings["seed"],
        "Augmentation": _augmentation(settings),
        "Optimiser": f"Adam, {settings['learning_rate']:g} after {settings['warmup_steps']} steps of warm-up, "
        f"cosine to {settings['final_learning_rate']:g}",
        "Command": f"`{card['command']}`",
        "Commit": f"`{card['commit']}`",
        "Trained on": f"{card['device']}, PyTorch {card['torch']}",
        "SHA-256": f"`{card['sha256']}`",
        "On disk": "half precision; computed in single",
    }
    if settings.get("start_from"):
        rows["Started from"] = f"weights with the SHA-256 `{settings['start_from']}`"
    return _table(rows)


def _augmentation(settings: Mapping[str, Any]) -> str:
    shifts = f"shifts of up to {settings['shift']} pixels"
    if not settings.get("augment"):  # cards of older versions do not say
        return shifts
    return f"turned, scaled, sheared and bent a little, thicker and thinner strokes, {shifts}"
