"""What networks are trained and measured on. MNIST through torchvision: whole, and known for the originals or said to be something else."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from capsviz.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

NO_CLASS = -1  # the label of a picture of something else
SIZES = {"train": 60_000, "test": 10_000}
VALIDATION_SIZE = 5_000

# The files of each half, unpacked, and the SHA-256 of those that MNIST was published with.
ORIGINALS = {
    "train": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    "test": {
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
}
UNLIKE = "of MNIST's form, but not its original bytes"  # what is said of other files, on cards too
_FILES = [name for half in ORIGINALS.values() for name in half]


class Digits(NamedTuple):
    """Images [N, S, S], uint8, white ink on black, and their labels [N], int64."""

    images: "Tensor"
    labels: "Tensor"

    def take(self, index: "Tensor | slice") -> "Digits":
        """The digits chosen by a tensor of positions or a slice."""
        return Digits(self.images[index], self.labels[index])


@dataclass(frozen=True)
class DataSet:
    """Labelled images of classes, in two halves.

    Attributes:
        name: for people.
        classes: names of the labels 0, 1, ...
        sizes: images of "train" and "test".
        held_out: images of "train" that are chosen by and not trained on.
        made_up: whether ``strokes`` can make up drawings of these classes, and of what is none of them.
        load: folder and "train" or "test" to that half; raises a ``DataError`` where it is not whole.
        unlike: folder and half to what its files differ in from the originals, in words; "" where they do not.
        kind: what a class is, "digit" say; the texts have a word for it.
        last: whether the last ones of "train" are held out, which belong together, and not any.
        holds: whether a path is where these data are, or are to be put; elsewhere are data of one's own.
        drawings: folder to the ``strokes.Drawing``s that "test" is made of, each of which has a picture there for each width of
            ``drawn.WIDTHS``; None where it is not made of drawings.
        credit: whom the data are owed to, and their licence, where that asks to be told.
    """

    name: str
    classes: tuple[str, ...]
    sizes: Mapping[str, int]
    held_out: int
    made_up: bool
    load: "Callable[[str | Path, str], Digits]"
    unlike: Callable[[str | Path, str], str]
    kind: str = "class"
    last: bool = False
    holds: Callable[[Path], bool] = lambda path: True
    drawings: "Callable[[str | Path], list[Any]] | None" = None
    credit: str = ""


def load_mnist(directory: str | Path, split: str) -> Digits:
    """Load one half of MNIST, downloading all of it first where ``directory`` holds none of it.

    Files of MNIST's form and sizes with other digits in them are loaded too: see ``unlike_mnist``.

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


def holds_mnist(path: Path) -> bool:
    """Whether MNIST is at a path, or can be put there: a folder that has it, an empty one, one still to be made."""
    if not path.exists():
        return not path.suffix
    return path.is_dir() and ((path / "MNIST").is_dir() or not any(path.iterdir()))


def unlike_mnist(directory: str | Path, split: str) -> str:
    """Which of one half's files are not, byte for byte, those that MNIST was published with, in words; "" if none.

    Args:
        directory: as for ``load_mnist``, which has loaded that half.
        split: "train" or "test".
    """
    raw = Path(directory) / "MNIST" / "raw"
    others = [
        name
        for name, digest in ORIGINALS[split].items()
        if hashlib.sha256((raw / name).read_bytes()).hexdigest() != digest
    ]
    return f"{' and '.join(others)}: {UNLIKE}" if others else ""


def split_validation(
    digits: Digits, held_out: int = VALIDATION_SIZE, last: bool = False
) -> tuple[Digits, Digits]:
    """Hold training images out: the same ones whatever the training seed, so that runs compare.

    Args:
        digits: all there are.
        held_out: how many to hold out.
        last: whether these are the last ones, or chosen at random.

    Returns:
        The digits to train on and the digits to choose by.
    """
    import torch

    if last:
        count = len(digits.labels) - held_out
        return digits.take(slice(count)), digits.take(slice(count, None))
    order = torch.randperm(len(digits.labels), generator=torch.Generator().manual_seed(2017))
    return digits.take(order[held_out:]), digits.take(order[:held_out])


MNIST = DataSet(
    "MNIST",
    tuple("0123456789"),
    SIZES,
    VALIDATION_SIZE,
    made_up=True,
    load=load_mnist,
    unlike=unlike_mnist,
    kind="digit",
    holds=holds_mnist,
)
