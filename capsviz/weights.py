"""Finding, checking, loading and saving weights.

A set of weights is two files: ``NAME.safetensors`` (half precision, computed in single) and
``NAME.json``, the facts of its training with the SHA-256 of the first. ``NAME.md`` is the same card for
people to read.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from capsviz.capsules import CapsNet
from capsviz.errors import WeightsError

DIRECTORY = Path(__file__).resolve().parent.parent / "weights"
DEFAULT = "capsnet-mnist"

# What a card must say; the pages and the card for people rely on it.
FACTS = {
    *("sha256", "name", "paper", "parameters", "data", "settings", "command", "commit", "device", "torch"),
    *("validation_error", "unsure_below", "test_error", "log"),
}


LOSS = (
    "The loss is the paper’s: for each digit T max(0, 0.9 − |v|)² + 0.5 (1 − T) max(0, |v| − 0.1)², T being 1 for the "
    "digit that is there and 0 for the others (Eq. 4), and 0.0005 times the reconstruction’s squared error, summed "
    "over 784 pixels."
)


@dataclass(frozen=True)
class Weights:
    """A network with the facts of its training."""

    net: CapsNet
    card: dict[str, Any]
    sha256: str


def locate(name: str | Path) -> Path:
    """The safetensors file of a name in ``weights/``, or of a path that ends in .safetensors."""
    path = Path(name)
    if path.suffix == ".safetensors":
        return path
    # A path without its ending stays a path: it must not turn into the shipped weights of that name.
    folder = DIRECTORY if path.name == str(name) else path.parent
    return folder / f"{path.name}.safetensors"


def load_card(path: Path) -> dict[str, Any]:
    """The facts beside the weights file ``path``.

    Raises:
        WeightsError: if the card is missing or cannot be read.
    """
    card_path = path.with_suffix(".json")
    try:
        card = json.loads(card_path.read_text("utf-8"))
        missing = FACTS - card.keys()
        if missing:
            raise ValueError(f"it lacks {min(missing)}")
    except FileNotFoundError as error:
        raise WeightsError(
            f"{card_path} is missing, and with it the checksum of the weights: restore it from the repository "
            "(git checkout -- weights)."
        ) from error
    except (OSError, ValueError, AttributeError) as error:
        raise WeightsError(
            f"{card_path} is damaged ({error}): restore it from the repository (git checkout -- weights)."
        ) from error
    return card


def load_weights(name: str | Path = DEFAULT) -> Weights:
    """Load a network on the CPU, in single precision and ready for inference.

    Args:
        name: a name in ``weights/``, or a path to a .safetensors file with its card beside it.

    Raises:
        WeightsError: if the file is missing, is not the one its card describes (cut short, changed), or
            holds another network.
    """
    path = locate(name)
    try:
        data = path.read_bytes()
    except OSError as error:
        known = ", ".join(sorted(p.stem for p in DIRECTORY.glob("*.safetensors"))) or "none"
        raise WeightsError(
            f"There are no weights at {path} (in weights/: {known}): give one of these names or the path "
            "of a .safetensors file."
        ) from error
    card = load_card(path)
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != card["sha256"]:
        raise WeightsError(
            f"{path} is not the file its card describes (it is cut short or was changed: SHA-256 {sha256[:12]}… "
            f"instead of {card['sha256'][:12]}…): restore it from the repository (git checkout -- weights)."
        )
    try:
        tensors = load_tensors(data)
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a safetensors file ({error}): give another one.") from error
    with torch.device("meta"):  # no time spent on initial values that are replaced at once
        net = CapsNet()
    check_architecture(net, tensors, path)
    net.load_state_dict({key: tensor.float() for key, tensor in tensors.items()}, assign=True)
    return Weights(net.eval().requires_grad_(False), card, sha256)


def check_architecture(net: CapsNet, tensors: dict[str, Tensor], path: Path) -> None:
    """Raise a ``WeightsError`` if ``tensors``, read from ``path``, are not those of ``net``."""
    expected = {key: tuple(tensor.shape) for key, tensor in net.state_dict().items()}
    found = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    wrong = [
        f"{key} is {list(found[key]) if key in found else 'missing'} instead of {list(shape)}"
        for key, shape in expected.items()
        if found.get(key) != shape
    ] + [f"{key} is not part of it" for key in found if key not in expected]
    if wrong:
        raise WeightsError(
            f"{path} holds another network than the 2017 CapsNet ({wrong[0]}): give weights made by "
            "python -m capsviz train."
        )


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and then rename it: a failure leaves the old one whole."""
    temporary = path.with_name(path.name + ".part")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def pack(net: CapsNet) -> bytes:
    """The network's parameters as a safetensors file in half precision."""
    return save_tensors({key: t.detach().to("cpu", torch.float16) for key, t in net.state_dict().items()})


def save_weights(path: Path, data: bytes, facts: dict[str, Any]) -> None:
    """Write packed weights and, beside them, their card with their SHA-256."""
    card = {"sha256": hashlib.sha256(data).hexdigest(), **facts}
    write_atomically(path.with_suffix(".json"), (json.dumps(card, indent=2) + "\n").encode())
    write_atomically(path.with_suffix(".md"), card_markdown(card).encode())
    write_atomically(path, data)  # last: where the weights are, their card is too


def card_markdown(card: dict[str, Any]) -> str:
    """The model card for people, made of nothing but the facts."""
    known = "\n".join(f"- {limit}" for limit in limits(card))
    return (
        f"# {card['name']}\n\n{card_table(card)}\n\n## Known limits\n\n{known}\n\n"
        f"All facts, with the log of every epoch, are in `{card['name']}.json`.\n"
    )


def limits(card: dict[str, Any]) -> list[str]:
    """What these weights are known not to do, in sentences; it follows from what they were trained on."""
    settings = card["settings"]  # which in cards of older versions lack what was added since
    if settings.get("others"):
        other = (
            "It knows ten digits and was shown letters, symbols and scribbles as none of them: most leave all "
            "ten capsules short, but what it was shown nothing like may still be read as some digit."
        )
    else:
        other = (
            "It knows ten digits and nothing else: a letter or a scribble is still read as some digit, often "
            "with a capsule as long as a real digit's."
        )
    if settings.get("synthetic"):
        styles = (
            "Its digits are MNIST's, by American census clerks and students around 1990, and made-up ones in "
            "styles that are rare there, such as slashed zeros: a style in neither is misread more often."
        )
    else:
        styles = (
            "It was trained on MNIST alone, the hands of American census clerks and students around 1990. Zeros "
            "with a slash, ones with a flag and foot, and open fours are rare there and are misread more often."
        )
    turned = "15 degrees or so" if settings.get("augment") else "a hand's slant"
    return [
        other,
        styles,
        "It reads one digit at a time, upright, cropped and centred the way MNIST was made.",
        f"It has never seen digits rotated by more than {turned}, and does not generalise to them.",
    ]


def departures(card: dict[str, Any]) -> str:
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


def card_table(card: dict[str, Any]) -> str:
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
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def _augmentation(settings: dict[str, Any]) -> str:
    shifts = f"shifts of up to {settings['shift']} pixels"
    if not settings.get("augment"):  # cards of older versions do not say
        return shifts
    return f"turned, scaled, sheared and bent a little, thicker and thinner strokes, {shifts}"
