"""Choosing a device, sharing out a processor's cores, and letting the C library serve large tensors well."""

import ctypes
import platform
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from capsviz.checks import shown
from capsviz.errors import DeviceError

T = TypeVar("T")
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's malloc.h


def choose_device(device: str = "auto") -> torch.device:
    """Turn "auto", "cpu", "cuda", "cuda:1" or "mps" into a device that is there.

    "auto" takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        DeviceError: if the device is unknown, or this machine or this PyTorch does not have it.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError, ValueError):
        chosen = None
    if chosen is None or chosen.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"There is no device named {shown(device)}: use auto, cpu, cuda or mps.")
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"The device {device} was asked for, but PyTorch sees {torch.cuda.device_count()} CUDA devices "
            "here: use --device cpu, or install the GPU's driver and a CUDA build of PyTorch."
        )
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError(
            "The device mps was asked for, but it needs an Apple GPU and a PyTorch built for it: use --device cpu."
        )
    return chosen


class Workers:
    """The threads in which a server of many people computes: one for each core, and no more than that at once.

    A long computation that is alone gets all cores. Of several each gets one, and so does any short one: PyTorch's
    threads would wait for each other, and spin while the one that they wait for waits for its core. The threads stay,
    since each new one would bring threads of PyTorch's and a heap of the C library's with it. For a process that does
    nothing else: how many threads PyTorch gives to threads that begin later changes with every computation.

    Attributes:
        cores: number of threads, and of PyTorch's threads that a long computation gets that is alone.
    """

    def __init__(self, cores: int | None = None) -> None:
        self.cores = cores or torch.get_num_threads()
        self._pool = ThreadPoolExecutor(self.cores, "capsviz")
        self._lock = threading.Lock()
        self._here = 0  # computations that run or wait

    def run(self, compute: Callable[[], T], long: bool = True) -> T:
        """What ``compute`` returns or raises, once it is its turn; ``long`` if it takes more than a few milliseconds."""
        with self._lock:
            self._here += 1
        try:
            return self._pool.submit(self._run, compute, long).result()
        finally:
            with self._lock:
                self._here -= 1

    def _run(self, compute: Callable[[], T], long: bool) -> T:
        torch.set_num_threads(
            self.cores if long and self._here == 1 else 1
        )  # of this thread, and of new ones
        return compute()


def keep_large_blocks() -> None:
    """Ask glibc to keep freed blocks of any size for the next tensor; elsewhere do nothing.

    By default blocks over 32 MB go back to the system at every ``free`` and their pages are cleared
    again at the next ``malloc``, which costs a third of a CPU training step.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
