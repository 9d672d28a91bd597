"""MNIST, whole and checked, through torchvision."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from capsviz.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

SIZES = {"train": 60_000, "test": 10_000}
VALIDATION_SIZE = 5_000

_FILES = [f"{split}-{kind}-ubyte" for split in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


class Digits(NamedTuple):
    """Images [N, 28, 28], uint8, white ink on black, and their labels [N], int64."""

    images: "Tensor"
    labels: "Tensor"

    def take(self, index: "Tensor | slice") -> "Digits":
        """The digits chosen by a tensor of positions or a slice."""
        return Digits(self.images[index], self.labels[index])


def load_mnist(directory: str | Path, split: str) -> Digits:
    """Load one half of MNIST, downloading all of it first where ``directory`` holds none of it.

    Args:
        directory: folder with ``MNIST/raw`` in it, as torchvision lays it out; may be empty or new.
        split: "train" (60,000 images) or "test" (10,000).

    Raises:
        DataError: if ``directory`` is a file, only some files are there, one is damaged, or the download fails.
    """
    from torchvision.datasets import MNIST  # takes a second to import, and only training needs it

    if Path(directory).is_file():
        raise DataError(f"{directory} is a file: give the folder that MNIST is in, or is to be put in.")
    raw = Path(directory) / "MNIST" / "raw"
    missing = [name for name in _FILES if not (raw / name).is_file()]
    packed = [name for name in missing if (raw / f"{name}.gz").is_file()]
    absent = [name for name in missing if name not in packed]
    if absent and len(absent) < len(_FILES):
        raise DataError(
            f"{raw} holds only part of MNIST ({', '.join(absent)} missing): add what is missing, or give "
            "an empty folder to have all of it downloaded."
        )
    new = [folder for folder in (raw, *raw.parents) if not folder.exists()]
    try:
        dataset = MNIST(str(directory), train=split == "train", download=bool(missing))
    except Exception as raised:  # torchvision raises anything from AssertionError to URLError here
        error = " ".join(str(raised).split())
        if missing:
            with suppress(OSError):  # as soon as one is not empty
                for folder in new:
                    folder.rmdir()
            raise DataError(
                f"MNIST could not be downloaded to {directory}: check the network, or copy its four files into "
                f"{raw} ({error})."
            ) from raised
        raise DataError(
            f"MNIST in {raw} is damaged ({error or 'a file is cut short'}): delete that folder to have it "
            "downloaded again."
        ) from raised
    images, labels = dataset.data, dataset.targets
    expected = (SIZES[split], 28, 28)
    if tuple(images.shape) != expected or tuple(labels.shape) != expected[:1] or labels.max() > 9:
        raise DataError(
            f"The {split} files in {raw} are not MNIST ({' x '.join(map(str, images.shape))} pixels and "
            f"{len(labels):,} labels up to {int(labels.max())}, instead of {' x '.join(map(str, expected))} and "
            f"{SIZES[split]:,} up to 9): delete that folder to have it downloaded again."
        )
    return Digits(images, labels.long())


def split_validation(digits: Digits) -> tuple[Digits, Digits]:
    """Hold 5,000 training images out: the same ones whatever the training seed, so that runs compare.

    Returns:
        The digits to train on and the digits to choose by.
    """
    import torch

    order = torch.randperm(len(digits.labels), generator=torch.Generator().manual_seed(2017))
    return digits.take(order[VALIDATION_SIZE:]), digits.take(order[:VALIDATION_SIZE])
