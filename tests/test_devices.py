"""Devices that are there are chosen, others refused in one sentence; a GPU answers as the CPU does."""

import ctypes
import platform
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import reference
import torch

from capsviz.__main__ import main
from capsviz.errors import DeviceError
from capsviz.models import devices
from capsviz.models.devices import Workers, choose_device, keep_large_blocks


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


@pytest.mark.parametrize("name", [None, True, 3.5, [], -1, "x" * 5000, pytest.param(10**5000, id="huge")])
def test_what_is_no_name_of_a_device(name: Any):
    with pytest.raises(DeviceError) as caught:
        choose_device(name)
    reference.assert_one_sentence(caught.value, "auto, cpu, cuda or mps")
    assert len(str(caught.value)) < 200


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


# --- workers --------------------------------------------------------------------------------------------


@pytest.fixture
def own() -> Iterator[int]:
    """PyTorch's threads in this thread; what new ones get is put back."""
    count = torch.get_num_threads()
    yield count
    torch.set_num_threads(count)


def test_a_lone_computation_gets_all_cores_and_of_two_the_second_gets_one(own: int):
    workers, begun, go_on = Workers(3), threading.Event(), threading.Event()
    assert workers.cores == 3

    def hold() -> int:
        begun.set()
        go_on.wait(timeout=20)
        return torch.get_num_threads()

    assert workers.run(torch.get_num_threads) == 3
    assert workers.run(torch.get_num_threads, long=False) == 1  # over before a second thread would help
    with ThreadPoolExecutor(1) as caller:
        first = caller.submit(workers.run, hold)
        assert begun.wait(timeout=20)
        assert workers.run(torch.get_num_threads) == 1
        assert workers.run(torch.get_num_threads) == 1
        go_on.set()
        assert first.result(timeout=20) == 3
    assert workers.run(torch.get_num_threads) == 3  # alone again
    assert torch.get_num_threads() == own


def test_no_more_computations_run_at_once_than_there_are_cores():
    workers, lock, running, most = Workers(2), threading.Lock(), 0, 0
    two = threading.Barrier(2)

    def count() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        two.wait(timeout=20)  # both cores are busy at the same time
        with lock:
            running -= 1

    with ThreadPoolExecutor(10) as callers:
        for result in [callers.submit(workers.run, count) for _ in range(10)]:
            result.result(timeout=20)
    assert most == 2


def test_what_finds_all_cores_taken_waits_for_one_and_no_thread_is_added(own: int):
    workers, begun, go_on = Workers(1), threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go_on.wait(timeout=20)

    with ThreadPoolExecutor(3) as callers:
        first = callers.submit(workers.run, hold)
        assert begun.wait(timeout=20)
        rest = [callers.submit(workers.run, threading.current_thread) for _ in range(2)]
        go_on.set()
        first.result(timeout=20)
        assert len({result.result(timeout=20).ident for result in rest}) == 1  # the one worker


def test_an_error_comes_back_and_does_not_count_on(own: int):
    workers = Workers(2)

    def fail() -> None:
        raise DeviceError("no.")

    for _ in range(3):
        with pytest.raises(DeviceError, match="no"):
            workers.run(fail)
    assert workers.run(torch.get_num_threads) == 2


def test_there_are_as_many_workers_as_pytorch_has_threads(own: int):
    torch.set_num_threads(3)
    assert Workers().cores == 3
