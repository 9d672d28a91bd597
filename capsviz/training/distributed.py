"""Several processes that train one network together, started by PyTorch's ``torchrun``.

The first one reads and writes every file and sends the others what they need, so that only its machine has
to hold them. A process alone goes through the same calls, which then do nothing.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from capsviz.errors import DeviceError
from capsviz.models.devices import choose_device

T = TypeVar("T")

_PATIENCE = timedelta(hours=2)  # the others wait while the first downloads, draws the pool or measures


@dataclass(frozen=True)
class Team:
    """The processes of a run as one of them sees them; without arguments, a process alone."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that reads, writes and speaks."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """The part of ``count`` things that falls to this process; ``count`` is a multiple of ``size``."""
        part = count // self.size
        return slice(self.rank * part, (self.rank + 1) * part)

    def from_first(self, make: Callable[[], T]) -> T:
        """Call ``make`` in the first process alone and return what it made in all of them, once it is made."""
        if self.size == 1:
            return make()
        made: list[T | None] = [make() if self.first else None]
        dist.broadcast_object_list(made)
        return made[0]  # type: ignore[return-value]

    def sum(self, values: Tensor) -> Tensor:
        """The sum of every process's ``values``, in place and of any shape."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def average_gradients(self, module: nn.Module) -> nn.Module:
        """``module``, wrapped so that a backward pass leaves the mean of all processes' gradients."""
        return DistributedDataParallel(module) if self.size > 1 else module


ALONE = Team()


@contextmanager
def join(device: str = "auto") -> Iterator[tuple[Team, torch.device]]:
    """Meet the other processes of a ``torchrun``, if there are any, and part from them at the end.

    An error in one of them goes on from here; the others, which soon fail for want of the first, then leave
    with exit status 2 and without a word, so that one sentence is shown and not one for each process.

    Args:
        device: as for ``choose_device``; of several CUDA devices each process of a machine takes its own.

    Yields:
        The processes, and the device that this one computes on.

    Raises:
        DeviceError: if there is no such device for this process, or another process was lost.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield ALONE, choose_device(device)
        return
    # torchrun's key-value store; made before anything can fail, since it decides who speaks.
    try:
        store, rank, size = next(dist.rendezvous("env://", timeout=_PATIENCE))
    except ValueError as error:
        raise DeviceError(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}, but what else torchrun sets is missing or no number: start with "
            "torchrun, or unset WORLD_SIZE."
        ) from error
    try:
        # DistributedDataParallel imports it later, and then, as the value of an argument, it would keep the group: its
        # threads would outlive the group's end, and one that lets go of a tensor while Python ends aborts the process.
        import torch.distributed.nn  # noqa: F401

        chosen = _own_device(device)
        # Objects and messages go over the CPU, gradients on CUDA directly.
        backend = "cpu:gloo,cuda:nccl" if chosen.type == "cuda" else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_PATIENCE)
        yield Team(rank, size), chosen
    except BaseException as error:
        # The process group is left as it is: to take it down would be to wait for processes that may hang.
        if not _is_first_to_fail(store):
            raise SystemExit(2) from error
        if _is_lost_connection(error):
            raise DeviceError(
                "Another process of this run was lost: see what it or torchrun says of that, then go on with --resume."
            ) from error
        raise
    dist.destroy_process_group()


def _own_device(name: str) -> torch.device:
    """The device of this process among those of its machine."""
    device = choose_device(name)
    if device.type == "mps":
        if name != "auto":
            raise DeviceError(
                "Several processes cannot share the device mps: use --device cpu, or one process."
            )
        return torch.device("cpu")
    if device.type == "cpu":
        return device
    local = int(os.environ.get("LOCAL_RANK", 0))
    if device.index is not None or local >= torch.cuda.device_count():
        raise DeviceError(
            f"Process {local} of this machine has no device of its own (PyTorch sees {torch.cuda.device_count()} "
            f"CUDA devices, --device is {name}): give --device cuda and as many processes as there are devices."
        )
    device = torch.device("cuda", local)
    torch.cuda.set_device(device)
    return device


def _is_first_to_fail(store: dist.Store) -> bool:
    try:
        return store.add("capsviz/failed", 1) == 1
    except RuntimeError:  # the store was lost with its machine
        return True


def _is_lost_connection(error: BaseException) -> bool:
    # Gloo raises a bare RuntimeError that names its source file.
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))
