"""Weights come back as they were saved, or one sentence says what is wrong with them."""

import errno
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import reference
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from capsviz import weights
from capsviz.capsules import CapsNet
from capsviz.errors import WeightsError
from capsviz.weights import load_weights, pack, save_weights, write_atomically

FACTS = reference.CARD


@pytest.fixture(scope="module")
def net() -> CapsNet:
    torch.manual_seed(0)
    return CapsNet()


@pytest.fixture(scope="module")
def packed(net: CapsNet) -> bytes:
    return pack(net)


@pytest.fixture
def path(packed: bytes) -> Iterator[Path]:
    """Good weights and their card, in a folder that does not outlive the test (16 MB each)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        save_weights(path, packed, FACTS)
        yield path


def assert_refused(path: Path, *mentioned: object) -> None:
    """Loading fails with one sentence that names the file and what to do."""
    with pytest.raises(WeightsError) as caught:
        load_weights(path)
    reference.assert_one_sentence(caught.value, *mentioned)
    assert "restore" in str(caught.value) or "give" in str(caught.value)


def test_round_trip(net: CapsNet, packed: bytes, path: Path):
    loaded = load_weights(path)
    assert loaded.card == {**FACTS, "sha256": loaded.sha256}
    expected, found = net.state_dict(), loaded.net.state_dict()
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor.half().float()), name
    image = torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        np.testing.assert_allclose(loaded.net(image).v, net(image).v, atol=1e-3)


def test_half_precision_on_disk_single_in_memory_and_frozen(path: Path):
    assert {tensor.dtype for tensor in load_tensors(path.read_bytes()).values()} == {torch.float16}
    net = load_weights(path).net
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float32}
    assert not any(parameter.requires_grad for parameter in net.parameters())
    assert not any(module.training for module in net.modules())


def test_card_for_people_states_the_facts(path: Path):
    text = path.with_suffix(".md").read_text("utf-8")
    for fact in (
        "# net",
        "0.41%",
        "0.50%",
        "8,215,568",
        "55,000 images",
        "0123abc",
        load_weights(path).sha256,
    ):
        assert fact in text
    assert len([line for line in text.splitlines() if line.startswith("- ")]) >= 3  # known limits


def test_found_by_name(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(weights, "DIRECTORY", path.parent)
    assert load_weights("net").card["name"] == "net"
    assert_refused("other", path.parent / "other.safetensors", "in weights/: net")


def test_missing_file(tmp_path: Path):
    assert_refused(tmp_path / "none.safetensors", tmp_path / "none.safetensors")


def test_folder_in_place_of_the_file(tmp_path: Path):
    (tmp_path / "net.safetensors").mkdir()
    assert_refused(tmp_path / "net.safetensors", tmp_path / "net.safetensors")


@pytest.mark.parametrize("share", [0, 0.5, 0.99999])
def test_truncated_file(path: Path, packed: bytes, share: float):
    path.write_bytes(packed[: int(share * len(packed))])
    assert_refused(path, path, "cut short")


@pytest.mark.parametrize("place", [0.01, 0.5, 0.99])
def test_one_flipped_bit(path: Path, packed: bytes, place: float):
    data = bytearray(packed)
    data[int(place * len(data))] ^= 0b0100
    path.write_bytes(data)
    assert_refused(path, path, "changed")


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n" + bytes(100), b"{}\n" * 50], ids=["empty", "png", "text"]
)
def test_not_safetensors(tmp_path: Path, data: bytes):
    path = tmp_path / "net.safetensors"
    save_weights(path, data, FACTS)
    assert_refused(path, path, "not a safetensors file")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: t.pop("digits.W"), "digits.W is missing"),
        (lambda t: t.update({"routing.b": torch.zeros(1152, 10)}), "routing.b is not part of it"),
        (lambda t: t.update({"conv1.weight": torch.zeros(128, 1, 9, 9)}), "conv1.weight is [128, 1, 9, 9]"),
        (lambda t: t.clear(), "conv1.weight is missing"),
    ],
    ids=["without W", "trained priors", "fewer filters", "nothing"],
)
def test_another_architecture(path: Path, packed: bytes, change: Callable, named: str):
    tensors = load_tensors(packed)
    change(tensors)
    save_weights(path, save_tensors(tensors), FACTS)
    assert_refused(path, path, "another network", named)


def test_missing_card(path: Path):
    card = path.with_suffix(".json")
    card.unlink()
    assert_refused(path, card, "missing")


@pytest.mark.parametrize(
    "card",
    [
        b"",
        b'{"sha256": "", "name": "net"}',
        b'{"sha256": "',
        b"[]",
        b"null",
        b"{}",
        b'{"sha256": 7}',
        b"\xff\xfe\x00",
        b'{"sha256": "x"}\n}',
    ],
)
def test_damaged_card(path: Path, card: bytes):
    path.with_suffix(".json").write_bytes(card)
    assert_refused(path, path.with_suffix(".json"), "damaged")


def test_card_of_other_weights(path: Path):
    path.with_suffix(".json").write_text(json.dumps({**FACTS, "sha256": "0" * 64}))
    assert_refused(path, path, "not the file its card describes")


# --- writing --------------------------------------------------------------------------------------------


def disk_full(path: Path, data: bytes) -> int:
    """Stands in for ``Path.write_bytes``: half of the data, then no space is left."""
    with path.open("wb") as file:
        file.write(data[: len(data) // 2])
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_write_replaces_the_file(tmp_path: Path):
    path = tmp_path / "file"
    for data in (b"old", b"new"):
        write_atomically(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(Path, "write_bytes", disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new data")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_failed_rename_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(target))

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(weights.os, "replace", refuse)
    with pytest.raises(PermissionError):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_no_weights_without_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A disk that fills up at the card must not leave weights that look like a finished run."""
    write, written = Path.write_bytes, []

    def second_write_fails(path: Path, data: bytes) -> int:
        written.append(path)
        return (disk_full if len(written) == 2 else write)(path, data)

    monkeypatch.setattr(Path, "write_bytes", second_write_fails)
    with pytest.raises(OSError, match="No space left"):
        save_weights(tmp_path / "net.safetensors", b"data", FACTS)
    assert not (tmp_path / "net.safetensors").exists()


def test_all_weights_together_are_small_enough_to_be_kept_in_git():
    assert sum(file.stat().st_size for file in weights.DIRECTORY.iterdir()) < 40e6
