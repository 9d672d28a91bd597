"""The checkpoint of a run: one file, whose checksum covers everything that a resumed run goes on from.

A safetensors file with the network's parameters and Adam's moments, and the rest of the run's state as JSON in its
metadata.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from capsviz.errors import WeightsError
from capsviz.models import facts
from capsviz.models.weights import write_atomically

FORMAT = 3  # one more whenever a run goes on in another way from the same state

_state = facts.form(
    {
        "settings": facts.form({**facts.SETTINGS, **facts.LATER_SETTINGS}),
        "images": facts.several,
        "pool_sha256": facts.origin,
        "step": facts.count,
        "log": facts.LOG,
        "sums": facts.listed(facts.amount, 3, 3),
        "seconds": facts.amount,
        "machine": facts.form(
            {"device": facts.text, "threads": facts.count, "processes": facts.several, "torch": facts.text}
        ),
    },
    {"classes": facts.listed(facts.text)},
)


def write(path: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Write a checkpoint; never leaves a half-written file behind.

    Raises:
        OSError: if the file cannot be written; the one before it is kept.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps({"format": FORMAT, **state})
    write_atomically(path, save_tensors(tensors, {"state": text, "sha256": checksum(text, tensors)}))


def parse(content: bytes, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the state that ``write`` wrote, of the file's bytes.

    Raises:
        WeightsError: if they are damaged, were changed, or were written by another version.
    """
    try:
        tensors = load_tensors(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        state = json.loads(header["state"])
        version = state.get("format", 1)
        if version == FORMAT:
            if header["sha256"] != checksum(header["state"], tensors):
                raise ValueError("its checksum is another")
            return tensors, _state(state, "")
    except (SafetensorError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise not_resumable(path, error) from error
    raise WeightsError(
        f"{path} was written by another version of capsviz, which trains in another way: end the run with that "
        "version, or give another folder to --out."
    )


def mixed_precision(path: Path) -> bool | None:
    """Whether the run at ``path`` is in mixed precision; None where there is none, or none that can be resumed."""
    try:
        with safe_open(path, "pt") as file:
            state = json.loads((file.metadata() or {})["state"])
        return facts.truth(state["settings"]["mixed_precision"], "")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError):
        return None


def checksum(state: str, tensors: dict[str, Tensor]) -> str:
    """SHA-256 of a state, and of the tensors' names, types, shapes and values in the order of their names."""
    digest = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\n{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def not_resumable(path: Path, reason: object) -> WeightsError:
    """The error that ``path`` is no checkpoint to go on from."""
    return WeightsError(
        f"{path} cannot be resumed from ({str(reason).rstrip('.')}): give the folder of another run to --out."
    )
