"""Finding, checking, loading and saving weights.

A set of weights is a folder: ``weights.safetensors`` (half precision, computed in single) and ``card.json``, the facts
of its training with the SHA-256 of the first. Beside them stand what was measured of it (``evaluation.json`` and
``poses.json``, made by ``python -m capsviz evaluate --save`` and ``poses``) and ``card.md``, the card for people, made
of these. Of weights in a file of another name, NAME.safetensors, the others are NAME.json, NAME.evaluation.json and so on.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capsviz.checks import listed, one_line, shown
from capsviz.errors import DataError, NetworkError, WeightsError
from capsviz.models import own
from capsviz.models.card import FORMAT, card_markdown
from capsviz.models.facts import parse_card, parse_evaluation, sha256
from capsviz.networks.base import DEFAULT, Spec, find, networks
from capsviz.traces.base import POSES

if TYPE_CHECKING:
    from torch import Tensor, nn

DIRECTORY = Path(__file__).resolve().parents[2] / "weights"
FILE = "weights.safetensors"
CHECKPOINT = "checkpoint.safetensors"  # of a training, in the folder that the weights will be in
# Bytes of a file of weights, and of one beside them: far more than any has.
LARGEST, LARGEST_FACTS = 2**26, 2**24
# Files of the weights of networks that are not in DIRECTORY, by the names that ``own_networks.add`` gave them.
places: dict[str, Path] = {}
# The types that weights may be kept in: single precision holds each exactly.
DTYPES = ("float16", "bfloat16", "float32")


@dataclass(frozen=True)
class Weights:
    """A network with the facts of its training."""

    net: Any  # the module that the spec builds
    spec: Spec
    card: dict[str, Any]
    sha256: str


def locate(name: str | Path) -> Path:
    """The safetensors file of a network's name, of a folder with weights, or of a path that ends in .safetensors."""
    path = Path(name)
    if path.suffix == ".safetensors":
        return path
    # A path to a folder stays a path: it must not turn into the shipped weights of that name.
    if path.name != str(name):
        return path / FILE
    networks()  # a file of a network that cannot be used is said, not passed over
    if str(name) in places:
        return places[str(name)]
    with suppress(NetworkError):
        return DIRECTORY / find(str(name)).name / FILE
    return (
        path / FILE if os.path.isdir(path) else DIRECTORY / path / FILE
    )  # of a name that no file can have: False


def beside(path: Path, name: str) -> Path:
    """The file ``name``, "card.json" say, that belongs to the weights at ``path``."""
    if path.name == FILE:
        return path.with_name(name)
    return path.with_suffix({"card.json": ".json", "card.md": ".md"}.get(name, f".{name}"))


def available() -> list[str]:
    """Names of the networks whose weights are here, in their order."""
    return [name for name in networks() if locate(name).is_file()]


def list_networks() -> dict[str, Spec]:
    """The networks whose weights are here, by their names; PyTorch is not imported."""
    return {name: find(name) for name in available()}


def read_facts(path: Path) -> Any:
    """The JSON of a file beside weights, not yet held to any form.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no JSON, too large or nested too deeply, or has a number that is not finite.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST_FACTS + 1)
    if len(content) > LARGEST_FACTS:
        raise ValueError(f"it has more than {LARGEST_FACTS / 2**20:.0f} MB")
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(constant: str) -> float:
    raise ValueError(f"it holds {constant}")


def load_card(path: Path) -> dict[str, Any]:
    """The facts beside the weights file ``path``.

    Raises:
        WeightsError: if the card is missing, or is not of the form that ``facts.parse_card`` holds it to.
    """
    card_path = beside(path, "card.json")
    try:
        facts = read_facts(card_path)
        if _version(facts) == own.FORMAT:
            return parse_card(facts)
    except FileNotFoundError as error:
        raise WeightsError(
            f"{card_path} is missing, and with it the checksum of the weights: {_whole_ones(path)}."
        ) from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{card_path} is damaged ({_reason(error)}): {_whole_ones(path)}.") from error
    raise WeightsError(
        f"{card_path} was written by another version of capsviz: use that version, or train the network anew with this "
        "one."
    )


def _version(facts: object) -> object:
    """The version in which a card tells of data of one's own; the present one where it does not."""
    told = facts.get("own") if isinstance(facts, dict) else None
    return told.get("format", own.FORMAT) if isinstance(told, dict) else own.FORMAT


def _whole_ones(path: Path) -> str:
    """Where a file comes from that should be there in place of ``path``."""
    if path.is_relative_to(DIRECTORY):
        return "restore it from the repository (git checkout -- weights)"
    return "give weights with their card as capsviz wrote both, or copy both once more"


def _reason(error: Exception) -> str:
    return str(error).rstrip(".")


def load_weights(name: str | Path = DEFAULT) -> Weights:
    """Load a network on the CPU, in single precision and ready for inference.

    Args:
        name: of a network, of a folder with weights and their card, or of a .safetensors file with its card beside it.

    Raises:
        WeightsError: if the file is missing, is not the one its card describes (cut short, changed), or
            holds another network, or numbers of another kind or that are not finite.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load as load_tensors

    from capsviz.traces.routing import (
        MOST_ITERATIONS,  # with NumPy, which shipped networks are listed without
    )

    path = locate(name)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # a ValueError for a name that no file can have
        if isinstance(error, FileNotFoundError) and path.with_name(CHECKPOINT).exists():
            raise WeightsError(
                f"{path.parent} holds a training that has not ended: go on with it, by its command and --resume."
            ) from error
        raise WeightsError(
            f"There are no weights at {path} (in weights/: {', '.join(available()) or 'none'}): give one of these "
            "names, a folder with weights, or the path of a .safetensors file."
        ) from error
    card = load_card(path)
    spec = network_of(card, path)
    found = hashlib.sha256(data).hexdigest()
    if found != card["sha256"]:
        raise WeightsError(
            f"{path} is not the file its card describes (it is cut short or was changed: SHA-256 {found[:12]}… "
            f"instead of {card['sha256'][:12]}…): {_whole_ones(path)}."
        )
    try:
        tensors = load_tensors(data)
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a safetensors file ({error}): give another one.") from error
    with torch.device("meta"):  # no time spent on initial values that are replaced at once
        net = spec.build(spec)
    advice = "give weights made by python -m capsviz train"
    check_architecture(net, spec, tensors, path, advice)
    for key, tensor in tensors.items():
        kind = str(tensor.dtype).removeprefix("torch.")
        if kind not in DTYPES:
            raise WeightsError(f"{path} holds {key} as {kind}, not as one of {', '.join(DTYPES)}: {advice}.")
        if not tensor.isfinite().all():
            raise WeightsError(f"{path} holds numbers in {key} that are not finite: {advice}.")
    classes = _classes_in(data)
    if classes not in (None, list(spec.shape.classes)):
        raise WeightsError(
            f"{beside(path, 'card.json')} names other classes than the weights were trained for ({_few(classes)}): "
            f"{_whole_ones(path)}."
        )
    count = sum(p.numel() for p in net.parameters())
    if card["parameters"] != count:
        raise WeightsError(
            f"{beside(path, 'card.json')} tells of {card['parameters']:,} parameters, and the weights have {count:,}: "
            f"{_whole_ones(path)}."
        )
    most, told = MOST_ITERATIONS if spec.shape.iterates else 1, card["settings"]["iterations"]
    if told > most:
        raise WeightsError(
            f"{beside(path, 'card.json')} tells of {told:,} routing iterations, and {spec.name} takes at most {most}: "
            f"{_whole_ones(path)}."
        )
    net.load_state_dict({key: tensor.float() for key, tensor in tensors.items()}, assign=True)
    return Weights(net.eval().requires_grad_(False), spec, card, found)


def _classes_in(data: bytes) -> Any:
    """The names of classes that ``pack`` wrote into weights; None in those of older versions."""
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return json.loads(header["__metadata__"]["classes"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _few(names: object) -> str:
    return listed([one_line(str(name))[:20] for name in names]) if isinstance(names, list) else shown(names)


def network_of(card: Mapping[str, Any], path: Path) -> Spec:
    """The network that the card beside ``path`` says it is of; cards of older versions name it by an alias.

    Raises:
        WeightsError: if there is no such network here.
    """
    file = beside(path, "card.json")
    try:
        spec = own.spec_of(card)
    except NetworkError as error:
        name = card["own"]["base"] if "own" in card else card["settings"].get("network", card["name"])
        raise WeightsError(
            f"{file} is of {shown(name)}, and there is no such network here ({', '.join(networks())}): "
            "give other weights, or add its file to capsviz/networks."
        ) from error
    except DataError as error:
        raise WeightsError(f"{file} is damaged ({_reason(error)}): {_whole_ones(path)}.") from error
    spec = as_trained(spec, card)
    name = next((name for name, place in places.items() if place == path), "")
    if not name:
        return spec
    known = find(name)
    if known.shape != spec.shape:
        raise WeightsError(f"{file} is of another network than when the app began: start the app again.")
    return replace(spec, name=name, title=known.title, aliases=())


def as_trained(spec: Spec, card: Mapping[str, Any]) -> Spec:
    """A network with these weights: no poses can be bent where the decoder was never trained, and draws noise."""
    untrained = card["settings"].get("reconstruction") == 0
    return replace(spec, offers=spec.offers - {POSES}) if untrained else spec


def check_architecture(
    net: "nn.Module", spec: Spec, tensors: "dict[str, Tensor]", path: Path, advice: str
) -> None:
    """Raise a ``WeightsError`` that ends with ``advice`` if ``tensors``, read from ``path``, are not those of ``net``."""
    expected = {key: tuple(tensor.shape) for key, tensor in net.state_dict().items()}
    found = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    wrong = [
        f"{key} is {list(found[key]) if key in found else 'missing'} instead of {list(shape)}"
        for key, shape in expected.items()
        if found.get(key) != shape
    ] + [f"{key} is not part of it" for key in found if key not in expected]
    if wrong:
        raise WeightsError(f"{path} holds another network than {spec.name} ({wrong[0]}): {advice}.")


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and then rename it: a failure leaves the old one whole.

    The temporary name is always the same: what a process leaves that is killed meanwhile, the next one writes over.
    A device or a pipe is written to as it is: renaming would put a file in its place.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    temporary = path.with_name(f"{path.name}.part")
    try:
        temporary.write_bytes(data)
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())  # else a power cut could leave the new name with nothing behind it
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def pack(net: Any) -> bytes:
    """The network's parameters as a safetensors file in half precision, with the names of its classes."""
    import torch
    from safetensors.torch import save as save_tensors

    tensors = {key: t.detach().to("cpu", torch.float16) for key, t in net.state_dict().items()}
    return save_tensors(tensors, {"classes": json.dumps(net.shape.classes)})


def evaluation_path(name: str | Path = DEFAULT) -> Path:
    """Where what was measured of the weights ``name`` is kept."""
    return beside(locate(name), "evaluation.json")


def load_evaluation(name: str | Path, card: Mapping[str, Any]) -> dict[str, Any]:
    """What ``evaluate.evaluate`` has found of the weights ``name`` whose card is given.

    Raises:
        WeightsError: if it is missing, damaged, or of other weights.
    """
    path = evaluation_path(name)
    again = f"measure them with python -m capsviz evaluate --data DIR --strokes FILE --save --network {name}"
    try:
        evaluation = read_facts(path)
        measured = sha256(evaluation["sha256"], "sha256")
        if measured == card["sha256"]:
            if evaluation.get("format") != FORMAT:
                raise ValueError("another version of capsviz wrote it")
            return parse_evaluation(evaluation, network_of(card, path))
    except FileNotFoundError as error:
        raise WeightsError(f"These weights have not been measured ({path} is missing): {again}.") from error
    except (KeyError, TypeError) as error:
        raise WeightsError(f"{path} is damaged (it lacks sha256): {again}.") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} is damaged ({_reason(error)}): {again}.") from error
    raise WeightsError(f"{path} was measured on other weights: {again}.")


def save_evaluation(name: str | Path, card: Mapping[str, Any], evaluation: Mapping[str, Any]) -> Path:
    """Write what was measured beside the weights, and the card for people anew; returns the first's path.

    Without drawings of people, those stay that were measured of the same weights before.
    """
    if "drawings" not in evaluation:
        try:
            before = load_evaluation(name, card)
        except WeightsError:
            before = {}
        evaluation = {**evaluation, **{key: before[key] for key in ("drawings",) if key in before}}
    path, text = evaluation_path(name), card_markdown(card, evaluation)
    write_atomically(path, (json.dumps(evaluation) + "\n").encode())
    write_atomically(beside(locate(name), "card.md"), text.encode())
    return path


def save_weights(path: Path, data: bytes, facts: dict[str, Any]) -> None:
    """Write packed weights and, beside them, their card with their SHA-256."""
    card = {"sha256": hashlib.sha256(data).hexdigest(), **facts}
    write_atomically(beside(path, "card.json"), (json.dumps(card, indent=2) + "\n").encode())
    write_atomically(beside(path, "card.md"), card_markdown(card).encode())
    write_atomically(path, data)  # last: where the weights are, their card is too
