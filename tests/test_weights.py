"""Weights come back as they were saved, or one sentence says what is wrong with them."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import reference
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from capsviz.errors import WeightsError
from capsviz.layers.capsules import CapsNet
from capsviz.models import weights
from capsviz.models.weights import load_weights, pack, save_weights, write_atomically

FACTS = reference.CARD


@pytest.fixture(scope="module")
def net() -> CapsNet:
    torch.manual_seed(0)
    return CapsNet(reference.PAPER)


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


def assert_refused(path: Path | str, *mentioned: object) -> None:
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
        "# dynamic.mnist",
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
    (path.parent / "dynamic.mnist").mkdir()
    for before, after in (("net.safetensors", "weights.safetensors"), ("net.json", "card.json")):
        path.with_name(before).rename(path.parent / "dynamic.mnist" / after)
    assert (
        load_weights("dynamic.mnist").card
        == load_weights("capsnet-mnist").card
        == load_weights(weights.DEFAULT).card
    )
    assert_refused("other", path.parent / "other" / "weights.safetensors", "in weights/: dynamic.mnist")


def test_a_card_that_names_its_network_by_an_old_name(path: Path):
    card = path.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text("utf-8")) | {"name": "capsnet-mnist"}))
    assert load_weights(path).spec.name == "dynamic.mnist"


@pytest.mark.parametrize("where", ["name", "network"])
def test_a_card_of_a_network_that_is_not_here(path: Path, where: str):
    card = path.with_suffix(".json")
    facts = json.loads(card.read_text("utf-8"))
    (facts if where == "name" else facts["settings"])[where] = "attention.moon"
    card.write_text(json.dumps(facts))
    assert_refused(path, card, "'attention.moon'", "dynamic.mnist", "add its file")


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
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"sha256": NaN}',
        b'{"sha256": ' + b"1" * 5000 + b"}",
        b'{"sha256": "", "name": "net"}',
        b'{"sha256": "',
        b"[]",
        b"null",
        b"{}",
        b'{"sha256": 7}',
        b"\xff\xfe\x00",
        b'{"sha256": "x"}\n}',
    ],
    ids=lambda card: repr(card[:12]),
)
def test_damaged_card(path: Path, card: bytes):
    path.with_suffix(".json").write_bytes(card)
    assert_refused(path, path.with_suffix(".json"), "damaged")


@pytest.mark.parametrize(
    ("name", "value"),
    [("sha256", 5), ("unsure_below", "x"), ("unsure_below", None), ("log", [7]), ("settings", {"epochs": 1})],
)
def test_card_with_a_fact_of_another_form(path: Path, name: str, value: object):
    card = json.loads(path.with_suffix(".json").read_text("utf-8"))
    path.with_suffix(".json").write_text(json.dumps(card | {name: value}))
    assert_refused(path, path.with_suffix(".json"), "damaged", name)


def test_a_card_of_a_size_that_none_has(path: Path):
    card = path.with_suffix(".json")
    whole = card.read_bytes()
    card.write_bytes(whole.ljust(2**24))
    load_weights(path)
    card.write_bytes(whole.ljust(2**24 + 1))
    assert_refused(path, card, "more than 16 MB")


@pytest.mark.parametrize("place", [0, 31, 63])
def test_a_checksum_of_which_one_digit_is_another(path: Path, place: int):
    card = json.loads(path.with_suffix(".json").read_text("utf-8"))
    digits = list(card["sha256"])
    digits[place] = "1" if digits[place] == "0" else "0"
    path.with_suffix(".json").write_text(json.dumps(card | {"sha256": "".join(digits)}))
    assert_refused(path, path, "not the file its card describes")


def test_where_whole_files_come_from(path: Path, monkeypatch: pytest.MonkeyPatch):
    """Only what is shipped is in the repository."""
    path.with_suffix(".json").write_bytes(b"{}")
    assert_refused(path, "copy both once more")
    monkeypatch.setattr(weights, "DIRECTORY", path.parent)
    assert_refused(path, "git checkout -- weights")


def with_tensor(path: Path, packed: bytes, name: str, tensor: torch.Tensor) -> None:
    """Write weights of which one tensor is another, with a card that has their checksum."""
    save_weights(path, save_tensors(load_tensors(packed) | {name: tensor}), FACTS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("whole", [True, False])
def test_numbers_that_are_not_finite(path: Path, packed: bytes, value: float, whole: bool):
    bias = torch.full((784,), value) if whole else torch.zeros(784).index_fill(0, torch.tensor([783]), value)
    with_tensor(path, packed, "decoder.4.bias", bias)
    assert_refused(path, path, "decoder.4.bias", "not finite")


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.int64, torch.uint8, torch.bool, torch.float8_e4m3fn, torch.complex64]
)
def test_numbers_of_another_kind(path: Path, packed: bytes, dtype: torch.dtype):
    with_tensor(path, packed, "conv1.bias", torch.zeros(256).to(dtype))
    kind = str(dtype).removeprefix("torch.")
    assert_refused(path, path, f"conv1.bias as {kind}", "float16, bfloat16, float32")


@pytest.mark.parametrize(
    ("dtype", "exact"),
    [
        # 2^-24 and 2^-14 - 2^-24 are half precision's smallest and largest subnormal, 65504 its largest number.
        (torch.float16, [2**-24, 2**-14 - 2**-24, -65504, 1 + 2**-10]),
        (torch.bfloat16, [2**-133, 2**127, 1 + 2**-7]),
        (torch.float32, [2**-149, 2**127, 1 + 2**-23]),
    ],
)
def test_every_kind_of_number_is_read_exactly(
    path: Path, packed: bytes, dtype: torch.dtype, exact: list[float]
):
    bias = torch.zeros(256, dtype=torch.float64)
    bias[: len(exact)] = torch.tensor(exact, dtype=torch.float64)
    with_tensor(path, packed, "conv1.bias", bias.to(dtype))
    found = load_weights(path).net.conv1.bias
    assert found.dtype == torch.float32
    assert found.double().tolist() == bias.tolist()


def test_weights_are_rounded_to_the_nearest_half(net: CapsNet):
    """Halfway goes to the even one; what is below half precision's smallest number rounds to it or to 0."""
    values = [1 + 2**-11, 1 + 3 * 2**-11, 0.6 * 2**-24, 0.4 * 2**-24, -3.7 * 2**-24]
    before = net.conv1.bias.detach().clone()
    with torch.no_grad():
        net.conv1.bias[:5] = torch.tensor(values)
        kept = load_tensors(pack(net))["conv1.bias"][:5].double().tolist()
        net.conv1.bias.copy_(before)
    assert kept == [1, 1 + 2**-9, 2**-24, 0, -4 * 2**-24]


def test_a_file_without_end(path: Path, monkeypatch: pytest.MonkeyPatch):
    """No more of it is read than any weights have."""
    path.unlink()
    path.symlink_to("/dev/zero")
    assert_refused(path, path, "not the file its card describes")


@pytest.mark.parametrize("name", ["a\0b", "a\0b.safetensors", "x" * 300, ""])
def test_a_name_that_no_file_can_have(name: str):
    assert_refused(name, "There are no weights")


def test_no_more_is_read_than_any_weights_have(path: Path):
    """64 MB and one byte, which show that there is more."""
    with path.open("wb") as file:
        file.truncate(2**26 + 2)
    card = path.with_suffix(".json")
    facts = json.loads(card.read_text("utf-8"))
    card.write_text(json.dumps({**facts, "sha256": hashlib.sha256(bytes(2**26 + 2)).hexdigest()}))
    assert_refused(path, "is not the file its card describes")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_facts_are_finite_wherever_they_stand(tmp_path: Path, constant: str):
    (tmp_path / "facts.json").write_text(f'{{"note": [{constant}]}}')
    with pytest.raises(ValueError, match=f"it holds {constant}"):
        weights.read_facts(tmp_path / "facts.json")


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


def test_what_a_killed_process_left_is_written_over(tmp_path: Path):
    path = tmp_path / "file"
    for _ in range(3):
        program = (
            "import os; from pathlib import Path; from capsviz.models import weights\n"
            "weights.os.replace = lambda *names: os._exit(9)\n"
            f"weights.write_atomically(Path({str(path)!r}), b'half')\n"
        )
        assert subprocess.run([sys.executable, "-c", program]).returncode == 9
    assert len(list(tmp_path.iterdir())) == 1
    write_atomically(path, b"whole")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"whole"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


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
    assert sum(file.stat().st_size for file in weights.DIRECTORY.rglob("*")) < 64e6
