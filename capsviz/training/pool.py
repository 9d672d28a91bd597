"""Made-up digits and other drawings for training, rendered once and kept beside the run's checkpoint."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as save_tensors
from tqdm import tqdm

from capsviz.errors import WeightsError
from capsviz.inputs import strokes
from capsviz.inputs.data import Digits
from capsviz.inputs.strokes import Drawing, make_image, random_digit, random_other
from capsviz.models.weights import write_atomically

TENSORS = ("digits.images", "digits.labels", "others.images", "others.labels")


class Pool(NamedTuple):
    """Everything that a run mixes into MNIST."""

    digits: Digits
    others: Digits  # labelled ``NO_CLASS``

    @classmethod
    def empty(cls) -> "Pool":
        """For a run on MNIST alone."""
        nothing = Digits(torch.empty(0, 28, 28, dtype=torch.uint8), torch.empty(0, dtype=torch.int64))
        return cls(nothing, nothing)

    @property
    def sha256(self) -> str:
        """Of all values; "" for an empty pool."""
        if not len(self.digits.labels) + len(self.others.labels):
            return ""
        digest = hashlib.sha256()
        for tensor in (*self.digits, *self.others):
            digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()


def load_pool(
    path: Path,
    digits: int,
    others: int,
    seed: int,
    begun: bool = False,
    say: Callable[[str], None] = tqdm.write,
    size: int = 28,
) -> Pool:
    """Read a pool from ``path``, or draw it and write it there.

    Args:
        path: a .safetensors file; a damaged one is replaced.
        digits: how many made-up digits.
        others: how many drawings of no digit.
        seed: decides all of them.
        begun: whether a run has trained with the pool at ``path``. Then it is kept, even if this version would
            draw another; else a pool that is not the one asked for, or that other code drew, is replaced.
        say: called with a line when drawing begins.
        size: pixels a side.

    Raises:
        WeightsError: if a run has begun with another pool than the one asked for.
    """
    if not digits + others:
        return Pool.empty()
    asked = json.dumps({"digits": digits, "others": others, "seed": seed})
    pool, facts = _read(path)
    if begun and pool is not None and facts["asked"] != asked:
        raise WeightsError(
            f"{path} was drawn for a run with other settings: resume with the same settings, or give another "
            "folder to --out."
        )
    if pool is None or facts["asked"] != asked or not (begun or facts.get("code") == _code()):
        say(f"drawing {digits:,} digits and {others:,} other things: some minutes, once")
        pool = Pool(
            _draw(random_digit, digits, size, [seed, 0]), _draw(random_other, others, size, [seed, 1])
        )
        tensors = dict(zip(TENSORS, (*pool.digits, *pool.others), strict=True))
        write_atomically(
            path, save_tensors(tensors, {"asked": asked, "sha256": pool.sha256, "code": _code()})
        )
    return pool


def _code() -> str:
    """SHA-256 of the code that draws a pool."""
    digest = hashlib.sha256()
    for name in ("skeletons.py", "strokes.py", "examples.py", "preprocess.py", "ink.py", "parts.py"):
        digest.update(Path(strokes.__file__).with_name(name).read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> tuple[Pool | None, dict[str, str]]:
    """The pool at ``path`` and the facts kept with it; None if there is none, or it is damaged."""
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata() or {}
        tensors = load_file(path)
        pool = Pool(*(Digits(*(tensors[name] for name in names)) for names in (TENSORS[:2], TENSORS[2:])))
    except (OSError, SafetensorError, KeyError):
        return None, {}
    return (pool if "asked" in facts and facts.get("sha256") == pool.sha256 else None), facts


def _draw(make: Callable[[np.random.Generator], Drawing], count: int, size: int, seed: list[int]) -> Digits:
    images, labels = torch.empty(count, size, size, dtype=torch.uint8), torch.empty(count, dtype=torch.int64)
    for k in tqdm(range(count), desc=make.__name__.replace("_", " "), mininterval=1.0, disable=count < 1000):
        # A generator for each: the thousandth does not depend on how often the ones before were drawn anew.
        image, label = make_image(make, np.random.default_rng([*seed, k]), size=size)
        images[k], labels[k] = torch.from_numpy(image), label
    return Digits(images, labels)
