"""MNIST is read whole or not at all, and the validation digits stay the same."""

import hashlib
import os
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import reference
import torch
from torchvision.datasets import MNIST

from capsviz.errors import DataError
from capsviz.inputs import data
from capsviz.inputs.data import Digits, load_mnist, split_validation, unlike_mnist

REAL = Path(__file__).resolve().parents[2] / "shared" / "data"
IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole MNIST of 20 and 10 digits, on a machine that reaches no network."""
    monkeypatch.setattr(data, "SIZES", {"train": 20, "test": 10})
    monkeypatch.setattr(MNIST, "download", no_network)
    reference.write_mnist(tmp_path, 20, 10)
    return tmp_path


def no_network(self: MNIST) -> None:
    """Fail as torchvision does: one line for each mirror."""
    lines = [f"Tried {mirror}, got:\n<urlopen error [Errno -2] Name or service not known>" for mirror in "ab"]
    raise RuntimeError("Error downloading train-images-idx3-ubyte.gz:\n" + "\n".join(lines))


@pytest.mark.parametrize(("split", "size"), [("train", 20), ("test", 10)])
def test_loads_what_the_files_hold(folder: Path, split: str, size: int):
    digits = load_mnist(folder, split)
    images, labels = reference.synthetic_digits(size)
    np.testing.assert_array_equal(digits.images, images)
    np.testing.assert_array_equal(digits.labels, labels)
    assert digits.images.dtype == torch.uint8
    assert digits.labels.dtype == torch.int64


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    "missing",
    [[IMAGES], [TEST_LABELS], [IMAGES, LABELS], [TEST_IMAGES, TEST_LABELS], [IMAGES, LABELS, TEST_LABELS]],
)
def test_half_of_mnist(folder: Path, missing: list[str], split: str):
    for name in missing:
        (folder / "MNIST" / "raw" / name).unlink()
    with pytest.raises(DataError) as caught:
        load_mnist(folder, split)
    reference.assert_one_sentence(caught.value, folder, "part of MNIST", *missing)


@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.parametrize("size", [0, 3, 8, 24])
def test_truncated_file(folder: Path, name: str, size: int):
    os.truncate(folder / "MNIST" / "raw" / name, size)
    with pytest.raises(DataError) as caught:
        load_mnist(folder, "train")
    reference.assert_one_sentence(caught.value, folder, "delete that folder")


def test_file_without_its_last_byte(folder: Path):
    path = folder / "MNIST" / "raw" / TEST_IMAGES
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(DataError) as caught:
        load_mnist(folder, "test")
    reference.assert_one_sentence(caught.value, folder, "delete that folder")


@pytest.mark.parametrize(("images", "labels"), [(19, 20), (20, 21), (10, 10)])
def test_wrong_count(folder: Path, images: int, labels: int):
    reference.write_idx(folder / "MNIST" / "raw" / IMAGES, np.zeros((images, 28, 28)))
    reference.write_idx(folder / "MNIST" / "raw" / LABELS, np.zeros(labels))
    with pytest.raises(DataError) as caught:
        load_mnist(folder, "train")
    reference.assert_one_sentence(caught.value, f"{images} x 28 x 28 pixels and {labels} labels", "20")


def test_a_label_that_is_no_digit(folder: Path):
    raw = folder / "MNIST" / "raw"
    reference.write_idx(raw / LABELS, np.array([9] * 20))
    assert load_mnist(folder, "train").labels.tolist() == [9] * 20
    reference.write_idx(raw / TEST_LABELS, np.array([0] * 9 + [10]))
    with pytest.raises(DataError) as caught:
        load_mnist(folder, "test")
    reference.assert_one_sentence(caught.value, "10 labels up to 10, instead of 10 x 28 x 28 and 10 up to 9")


def test_other_files_under_the_names(folder: Path):
    raw = folder / "MNIST" / "raw"
    (raw / LABELS).replace(raw / IMAGES)
    (raw / LABELS).write_text("not digits")
    with pytest.raises(DataError) as caught:
        load_mnist(folder, "train")
    reference.assert_one_sentence(caught.value, folder, "damaged")


def test_a_file_instead_of_a_folder(folder: Path):
    file = folder / "seven.png"
    file.write_bytes(b"")
    with pytest.raises(DataError) as caught:
        load_mnist(file, "train")
    reference.assert_one_sentence(caught.value, file, "is a file", "folder")


@pytest.mark.parametrize("exists", [True, False])
def test_empty_folder_without_network(folder: Path, tmp_path_factory: pytest.TempPathFactory, exists: bool):
    empty = tmp_path_factory.mktemp("empty") if exists else folder / "new"
    with pytest.raises(DataError) as caught:
        load_mnist(empty, "train")
    reference.assert_one_sentence(caught.value, empty, "could not be downloaded", "check the network")
    assert empty.exists() is exists  # and nothing was left in it
    assert not exists or not list(empty.iterdir())


@pytest.mark.parametrize(
    "error", [URLError("timed out"), ConnectionResetError(104, "reset"), OSError(28, "full")]
)
def test_download_breaks_off(folder: Path, error: Exception, monkeypatch: pytest.MonkeyPatch):
    def fail(self: MNIST) -> None:
        raise error

    monkeypatch.setattr(MNIST, "download", fail)
    with pytest.raises(DataError) as caught:
        load_mnist(folder / "new", "train")
    reference.assert_one_sentence(caught.value, str(error), "copy its four files")


def test_folders_made_for_a_download_that_failed_are_taken_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(self: MNIST) -> None:
        Path(self.raw_folder).mkdir(parents=True)
        raise URLError("timed out")

    monkeypatch.setattr(MNIST, "download", fail)
    with pytest.raises(DataError):
        load_mnist(folder / "new" / "inner", "train")
    assert not (folder / "new").exists()


def test_packed_files_are_unpacked_by_torchvision(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Some of them packed, some not: none is missing."""
    raw = folder / "MNIST" / "raw"
    (raw / IMAGES).replace(raw / f"{IMAGES}.gz")

    def unpack(self: MNIST) -> None:
        (raw / f"{IMAGES}.gz").replace(raw / IMAGES)

    monkeypatch.setattr(MNIST, "download", unpack)
    assert len(load_mnist(folder, "train").labels) == 20


def test_empty_folder_is_filled_by_torchvision(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(MNIST, "download", lambda self: reference.write_mnist(Path(self.root), 20, 10))
    assert len(load_mnist(folder / "new", "train").labels) == 20


@pytest.mark.parametrize(
    ("split", "files"), [("train", f"{IMAGES} and {LABELS}"), ("test", f"{TEST_IMAGES} and {TEST_LABELS}")]
)
def test_files_that_are_not_the_originals_are_named(folder: Path, split: str, files: str):
    assert unlike_mnist(folder, split) == f"{files}: of MNIST's form, but not its original bytes"


def test_a_single_file_that_is_not_the_original(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """One whose last bit is another."""
    raw = folder / "MNIST" / "raw"
    digests = {name: hashlib.sha256((raw / name).read_bytes()).hexdigest() for name in (IMAGES, LABELS)}
    monkeypatch.setitem(data.ORIGINALS, "train", digests)
    assert unlike_mnist(folder, "train") == ""
    almost = digests[IMAGES][:-1] + ("1" if digests[IMAGES][-1] == "0" else "0")
    monkeypatch.setitem(data.ORIGINALS, "train", digests | {IMAGES: almost})
    assert unlike_mnist(folder, "train").startswith(f"{IMAGES}: of MNIST's form")
    monkeypatch.setitem(data.ORIGINALS, "train", digests)
    content = bytearray((raw / LABELS).read_bytes())
    content[-1] ^= 1
    (raw / LABELS).write_bytes(content)
    assert unlike_mnist(folder, "train").startswith(f"{LABELS}: of MNIST's form")


def test_validation_digits_are_5000_others_and_always_the_same():
    numbers = torch.arange(60_000)
    splits = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        splits.append(split_validation(Digits(numbers[:, None, None], numbers)))
    training, validation = splits[0]
    assert len(validation.labels) == 5_000
    assert len(training.labels) == 55_000
    assert torch.equal(torch.cat([training.labels, validation.labels]).sort().values, numbers)
    assert torch.equal(validation.images.flatten(), validation.labels)  # images keep their labels
    assert torch.equal(validation.labels, splits[1][1].labels)
    assert torch.equal(training.labels, splits[1][0].labels)
    assert validation.labels[:5].tolist() == [
        23483,
        51402,
        51076,
        28011,
        29138,
    ]  # as all published weights were chosen by


@pytest.mark.skipif(not (REAL / "MNIST").is_dir(), reason="MNIST is not in ../shared/data")
def test_real_mnist():
    training, test = load_mnist(REAL, "train"), load_mnist(REAL, "test")
    assert training.images.shape == (60_000, 28, 28)
    assert test.images.shape == (10_000, 28, 28)
    assert training.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert test.labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert unlike_mnist(REAL, "test") == ""
    # There are copies whose training images have lost their grey level 1.
    lost = "" if (training.images == 1).any() else f"{IMAGES}: of MNIST's form, but not its original bytes"
    assert unlike_mnist(REAL, "train") == lost
    corners = test.images[:, ::27, ::27].float().mean()
    assert corners < 1 < test.images[:, 8:20, 8:20].float().mean()  # white ink on black
