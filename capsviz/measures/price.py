"""What routing costs on this machine: time and memory of one layer of class capsules, by its sizes, beside the arithmetic."""

import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

FLOAT = 4  # bytes of a number in single precision
COMPONENTS = 8  # K of a primary capsule, as in the paper
REPEATS, SECONDS = (
    25,
    1.5,
)  # a time is the median of so many, or of as many as so many seconds allow, but of 3
LEAST = 3
WARM = 2  # passes before any is timed
MOST_VOTES = 2_000_000  # numbers in û of a layer that is measured
SPREAD = (0.1, 0.9)
SEED = 20171026
CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Sizes:
    """Those of a layer, and how it routes; what is not said is the paper's.

    Raises:
        ValueError: if one is below 1, or the votes are more than ``MOST_VOTES`` numbers.
    """

    iterations: int = 3
    primary: int = 1152
    classes: int = 10
    pose: int = 16

    def __post_init__(self) -> None:
        if min(asdict(self).values()) < 1 or self.votes > MOST_VOTES or self.iterations > 100:
            raise ValueError(f"there is no layer of {self} to be measured.")

    @property
    def votes(self) -> int:
        """Numbers in û, one vote of each primary capsule for each class."""
        return self.primary * self.classes * self.pose

    @property
    def weights(self) -> int:
        """Numbers in all W_ij: 1,474,560 in the paper's layer."""
        return self.votes * COMPONENTS

    @property
    def multiply_adds(self) -> int:
        """For one image: the votes (Eq. 2), a weighted sum of them in each iteration, and an agreement between two."""
        return self.weights + self.votes * (2 * self.iterations - 1)

    @property
    def bytes(self) -> int:
        """The least that routing holds at once, in single precision: the votes, b and c."""
        return FLOAT * (self.votes + 2 * self.primary * self.classes)


PAPER = Sizes()
# What is changed, each alone, from the least to the most.
AXES: dict[str, tuple[int, ...]] = {
    "iterations": (1, 2, 3, 5, 7, 10),
    "primary": (72, 288, 576, 1152, 2304, 4608),
    "classes": (2, 5, 10, 20, 50, 100),
    "pose": (2, 4, 8, 16, 32, 64),
}


class Cost(NamedTuple):
    """What one layer took for one image.

    Attributes:
        sizes: of the layer.
        seconds: median of ``repeats`` passes, votes and routing, on one core.
        made: bytes of all tensors that a pass made, be they kept or not.
        repeats: passes that were timed.
        low, high: their 10th and 90th percentile, in seconds.
    """

    sizes: Sizes
    seconds: float
    made: int
    repeats: int
    low: float
    high: float


def points() -> list[tuple[str, Sizes]]:
    """All that is measured: what is changed, and the sizes."""
    return [(axis, replace(PAPER, **{axis: size})) for axis, sizes in AXES.items() for size in sizes]


def price(told: Callable[[float], None] = lambda share: None) -> dict[str, list[Cost]]:
    """What each of ``points`` costs, by what is changed; on one core, so that the rest of a server goes on.

    Args:
        told: is told the share that is done, in 0..1; what it raises ends the measuring.
    """
    import torch

    found: dict[str, list[Cost]] = {axis: [] for axis in AXES}
    known: dict[Sizes, Cost] = {}
    wanted = points()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # of this thread, and of new ones
    try:
        for at, (axis, sizes) in enumerate(wanted):
            told(at / len(wanted))
            if sizes not in known:  # the paper's is on every axis
                known[sizes] = cost(sizes)
            found[axis].append(known[sizes])
    finally:
        torch.set_num_threads(threads)
    return found


def cost(sizes: Sizes, repeats: int = REPEATS, seconds: float = SECONDS) -> Cost:
    """Time and memory of one layer of random weights, for one image of random capsules.

    Args:
        sizes: of the layer.
        repeats: passes that are timed, at most.
        seconds: after which no further one is begun, but for ``LEAST``.
    """
    import torch

    from capsviz.layers.capsules import ClassCapsules, dynamic_routing, squash

    generator = torch.Generator().manual_seed(SEED)
    layer = ClassCapsules(sizes.primary, sizes.classes, sizes.pose, COMPONENTS)
    with torch.inference_mode():
        layer.W.normal_(std=0.05, generator=generator)
        u = squash(torch.randn(1, sizes.primary, COMPONENTS, generator=generator))

        def route() -> None:
            dynamic_routing(layer(u), sizes.iterations)

        times = _times(route, repeats, seconds)
        low, high = np.quantile(times, SPREAD).tolist()
        return Cost(sizes, median(times), bytes_made(route), len(times), low, high)


@cache
def machine() -> str:
    """What measures: the processor and PyTorch's version."""
    import torch

    return f"{processor()}, PyTorch {torch.__version__}"


def processor() -> str:
    """The processor as Linux names it, elsewhere its kind."""
    try:
        lines = CPUINFO.read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def bytes_made(compute: Callable[[], object]) -> int:
    """Bytes of all tensors that PyTorch makes while it computes; what is another view of one counts once."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    total = 0

    class Counting(TorchDispatchMode):
        """Adds up what each operation makes that is no part of what it was given."""

        def __torch_dispatch__(self, function, types, inputs=(), named=None):  # type: ignore[no-untyped-def]
            nonlocal total
            made = function(*inputs, **(named or {}))
            given = {_storage(one) for one in tree_leaves((inputs, named)) if isinstance(one, torch.Tensor)}
            fresh = {
                _storage(one): one.untyped_storage().nbytes()
                for one in tree_leaves(made)
                if isinstance(one, torch.Tensor) and _storage(one) not in given
            }
            total += sum(fresh.values())
            return made

    def _storage(tensor: torch.Tensor) -> int:
        return tensor.untyped_storage().data_ptr()

    with Counting():
        compute()
    return total


def _times(compute: Callable[[], None], repeats: int, seconds: float) -> list[float]:
    """Seconds of each pass."""
    for _ in range(WARM):
        compute()
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while len(taken) < LEAST or (len(taken) < repeats and time.perf_counter() < until):
        began = time.perf_counter()
        compute()
        taken.append(time.perf_counter() - began)
    return taken
