"""Devices that are there are chosen, others refused in one sentence; a GPU answers as the CPU does."""

import ctypes
import platform
from pathlib import Path

import pytest
import reference
import torch

from capsviz import devices
from capsviz.__main__ import main
from capsviz.devices import choose_device, keep_large_blocks
from capsviz.errors import DeviceError


def pretend(monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool) -> None:
    """Let PyTorch see ``cuda`` CUDA devices and an Apple GPU or none."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"), [(1, True, "cuda"), (1, False, "cuda"), (0, True, "mps"), (0, False, "cpu")]
)
def test_auto_takes_cuda_then_mps_then_cpu(
    monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool, chosen: str
):
    pretend(monkeypatch, cuda, mps)
    assert choose_device("auto") == choose_device() == torch.device(chosen)


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1", "mps"])
def test_a_device_that_is_there(monkeypatch: pytest.MonkeyPatch, name: str):
    pretend(monkeypatch, cuda=2, mps=True)
    assert choose_device(name) == torch.device(name)


@pytest.mark.parametrize(
    ("name", "cuda"), [("cuda", 0), ("cuda:0", 0), ("cuda:1", 1), ("cuda:7", 2), ("mps", 1)]
)
def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch, name: str, cuda: int):
    pretend(monkeypatch, cuda, mps=False)
    with pytest.raises(DeviceError) as caught:
        choose_device(name)
    reference.assert_one_sentence(caught.value, name, "--device cpu")


@pytest.mark.parametrize("name", ["gpu", "tpu", "", "cuda:x", "meta", "Cuda 0", "xpu"])
def test_an_unknown_device(name: str):
    with pytest.raises(DeviceError) as caught:
        choose_device(name)
    reference.assert_one_sentence(caught.value, repr(name), "auto, cpu, cuda or mps")


def test_command_line_without_cuda(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    pretend(monkeypatch, cuda=0, mps=False)
    monkeypatch.setattr(devices, "keep_large_blocks", lambda: None)
    out = tmp_path / "out"
    assert main(["train", "--data", str(tmp_path), "--out", str(out), "--device", "cuda"]) == 2
    reference.assert_one_sentence(capsys.readouterr().err.removesuffix("\n"), "capsviz: ", "cuda")
    assert not out.exists()


@pytest.mark.parametrize(
    ("library", "calls"), [("glibc", {(-4, 0), (-1, 2**31 - 1)}), ("", set())], ids=["glibc", "another"]
)
def test_only_glibc_is_asked_to_keep_blocks(
    monkeypatch: pytest.MonkeyPatch, library: str, calls: set[tuple[int, int]]
):
    """M_MMAP_MAX is -4 and M_TRIM_THRESHOLD -1 in glibc's malloc.h."""
    made = set()

    class Library:
        def __init__(self, name: str | None) -> None:
            assert name is None  # the C library already loaded

        def mallopt(self, option: int, value: int) -> int:
            made.add((option, value))
            return 1

    monkeypatch.setattr(platform, "libc_ver", lambda: (library, ""))
    monkeypatch.setattr(ctypes, "CDLL", Library)
    keep_large_blocks()
    assert made == calls
