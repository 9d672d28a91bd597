"""The same network in three orders of operations: ours, what public versions do, and a plain einsum.

All compute the same numbers, which is checked before anything is timed; they take turns. Ours runs with freed
memory kept (``devices.keep_large_blocks``), the others as PyTorch runs when nothing is said: two processes.
"""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import torch
from torch import Tensor

from benchmarks.trace import Quantiles, quantiles
from capsviz.layers import fast
from capsviz.layers.capsules import (
    CapsNet,
    margin_loss,
    mask,
    reconstruction_loss,
    squash,
)
from capsviz.models.devices import keep_large_blocks
from capsviz.models.weights import load_weights
from capsviz.traces.base import RECONSTRUCTION_WEIGHT

BATCH = 128
ROUNDS = 5
ITERATIONS = 3
# Multiplications and additions of one image's forward pass, counted as the layers are defined.
FORWARD = 2 * (256 * 400 * 81 + 256 * 36 * 256 * 81 + 1152 * 160 * 8 + 1152 * 160 * (2 * ITERATIONS - 1))
# Those of our order of operations: the input's transform in two steps (1000 + 2680 for each of 4 x 256 channels), 148
# products of spectra, the transform back; and W applied anew in each sum and each agreement of routing.
DONE = 2 * (
    256 * 400 * 81
    + 1024 * (1000 + 2680)
    + 148 * (1024 * 256 + 36 * 256)
    + 1152 * 8 * 160 * (2 * ITERATIONS - 1)
)
# Images [B, 28, 28] to class capsules v [B, J, D]; "spectra" is what ours keeps where the weights do not change.
Formulation = Callable[[CapsNet, Tensor, fast.Spectra | None], Tensor]


def ours(net: CapsNet, images: Tensor, spectra: fast.Spectra | None) -> Tensor:
    return fast.class_capsules(net, images, ITERATIONS, spectra)


def public(net: CapsNet, images: Tensor, spectra: fast.Spectra | None) -> Tensor:
    """W spread out over the batch, logits [B, I, J] with the classes last, one multiplication at a time."""
    _, u = net.encode(images)
    W = net.digits.W.unsqueeze(0).repeat(len(images), 1, 1, 1, 1)  # [B, I, J, D, K]
    u_hat = (W @ u[:, :, None, :, None]).squeeze(-1)  # [B, I, J, D]
    constant = u_hat.detach()
    b = u_hat.new_zeros(u_hat.shape[:3])
    for r in range(ITERATIONS):
        last = r == ITERATIONS - 1
        votes = u_hat if last else constant
        v = squash((b.softmax(dim=2).unsqueeze(3) * votes).sum(dim=1))  # [B, J, D]
        if not last:
            b = b + (votes * v.unsqueeze(1)).sum(dim=3)
    return v


def einsum(net: CapsNet, images: Tensor, spectra: fast.Spectra | None) -> Tensor:
    """Every sum of the paper as one einsum."""
    _, u = net.encode(images)
    u_hat = torch.einsum("ijdk,bik->bijd", net.digits.W, u)
    constant = u_hat.detach()
    b = u_hat.new_zeros(u_hat.shape[:3])
    for r in range(ITERATIONS):
        last = r == ITERATIONS - 1
        votes = u_hat if last else constant
        v = squash(torch.einsum("bij,bijd->bjd", b.softmax(dim=2), votes))
        if not last:
            b = b + torch.einsum("bijd,bjd->bij", votes, v)
    return v


def mixed(net: CapsNet, images: Tensor, spectra: fast.Spectra | None) -> Tensor:
    """Ours with products in bfloat16, by whatever the processor has for them: not the same numbers, nor for inference."""
    return fast.class_capsules(net, images, ITERATIONS, mixed_precision=True)


FORMULATIONS: dict[str, Formulation] = {"ours": ours, "public": public, "einsum": einsum}


def _step(net: CapsNet, optimizer: torch.optim.Optimizer, capsules: Formulation, images: Tensor) -> None:
    labels = torch.arange(len(images)) % 10
    v = capsules(net, images, None)
    loss = margin_loss(v.norm(dim=-1), labels)
    loss = loss + RECONSTRUCTION_WEIGHT * reconstruction_loss(net.decoder(mask(v, labels)), images)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


# Where each is measured: ours with the C library told to keep freed memory, as all of capsviz runs; the others as
# they run where nobody has told it, and the einsum one also as if somebody had.
MEASURED = {"ours": True, "public": False, "einsum": False, "einsum kept": True}


class _Bench:
    """A network and images, in a process of its own: what the C library does with freed memory holds for all of it."""

    def __init__(self, keep: bool) -> None:
        if keep:
            keep_large_blocks()
        self.net = load_weights().net.requires_grad_()
        self.images = torch.rand(BATCH, 28, 28, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            self.spectra = fast.kernel_spectra(self.net)
        # A learning rate of 0: the network stays as it is.
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=0.0, fused=True)

    def check(self) -> None:
        """Raise a RuntimeError if the formulations give different capsules or gradients."""
        with torch.inference_mode():
            expected = self.net(self.images, ITERATIONS).v
            for name, capsules in FORMULATIONS.items():
                if not torch.allclose(capsules(self.net, self.images, self.spectra), expected, atol=1e-4):
                    raise RuntimeError(f"the formulation {name} computes something else")
        _compare_gradients(self.net, self.images[:8])

    def turn(self, name: str) -> dict[str, float]:
        """Milliseconds of one forward pass and one training step of the formulation ``name``."""
        capsules = FORMULATIONS[name.split()[0]]
        times = {"forward": self._time(lambda: capsules(self.net, self.images, self.spectra))}
        if name == "ours":
            times["forward anew"] = self._time(lambda: capsules(self.net, self.images, None))
        times["step"] = self._time_step(capsules)
        found = {f"{name} {what}": ms for what, ms in times.items()}
        return found | {"mixed step": self._time_step(mixed)} if name == "ours" else found

    def _time_step(self, capsules: Formulation) -> float:
        began = time.perf_counter()
        _step(self.net, self.optimizer, capsules, self.images)
        return 1000 * (time.perf_counter() - began)

    @staticmethod
    def _time(run: Callable[[], Tensor]) -> float:
        began = time.perf_counter()
        with torch.inference_mode():
            run()
        return 1000 * (time.perf_counter() - began)


_bench: _Bench  # of a worker process


def _begin(keep: bool) -> None:
    global _bench
    _bench = _Bench(keep)
    _bench.check()


def _turn(name: str) -> dict[str, float]:
    return _bench.turn(name)


@cache
def _measured() -> dict[str, list[float]]:
    """Milliseconds by "ours forward", "ours step" and so on, and the "peak" in GFLOP/s; one number a turn."""
    spawn = get_context("spawn")
    times: dict[str, list[float]] = {}
    with (
        ProcessPoolExecutor(1, spawn, _begin, (True,)) as kept,
        ProcessPoolExecutor(1, spawn, _begin, (False,)) as plain,
    ):
        for turn in range(ROUNDS + 1):
            taken: dict[str, float] = {}
            for name, keep in MEASURED.items():  # one after another: each has the machine to itself
                taken |= (kept if keep else plain).submit(_turn, name).result()
            taken["peak"] = kept.submit(_peak).result()
            if turn:  # the first is to warm up
                for what, value in taken.items():
                    times.setdefault(what, []).append(value)
    return times


def _compare_gradients(net: CapsNet, images: Tensor) -> None:
    """Raise a RuntimeError if the formulations have different gradients."""
    parameters = [net.conv1.weight, net.primary.conv.weight, net.digits.W]
    expected, *others = (
        torch.autograd.grad(capsules(net, images, None).square().sum(), parameters)
        for capsules in FORMULATIONS.values()
    )
    for name, found in zip(list(FORMULATIONS)[1:], others, strict=True):
        for parameter, e, f in zip(parameters, expected, found, strict=True):
            if not torch.allclose(e, f, rtol=1e-3, atol=1e-4 * float(e.abs().max())):
                raise RuntimeError(f"the formulation {name} has another gradient, {list(parameter.shape)}")


def _peak(size: int = 2048) -> float:
    """GFLOP/s of the fastest of a few large matrix products in single precision."""
    a, b = torch.rand(2, size, size)
    times = []
    for _ in range(4):
        began = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - began)
    return 2 * size**3 / min(times) / 1e9


def _images_a_second(name: str) -> Callable[[], Quantiles]:
    def measure() -> Quantiles:
        return quantiles([1000 * BATCH / ms for ms in _measured()[name]])

    measure.__name__, measure.__module__ = name.replace(" ", "_"), __name__
    return measure


def _ratio(what: str, other: str = "einsum", one: str = "ours") -> Callable[[], Quantiles]:
    """The time of one in percent of another's, turn by turn."""

    def measure() -> Quantiles:
        times = _measured()
        pairs = zip(times[f"{one} {what}"], times[f"{other} {what}"], strict=True)
        return quantiles([100 * ours / others for ours, others in pairs])

    measure.__name__, measure.__module__ = f"ratio_{what}_{one}_{other}".replace(" ", "_"), __name__
    return measure


def _share_of_peak(operations: int, name: str) -> Callable[[], Quantiles]:
    """An image's ``operations`` per second of our forward pass, in percent of the peak."""

    def measure() -> Quantiles:
        pairs = zip(_measured()["ours forward"], _measured()["peak"], strict=True)
        return quantiles([100 * BATCH * operations / (1e6 * forward) / peak for forward, peak in pairs])

    measure.__name__, measure.__module__ = name, __name__
    return measure


ROWS = [
    (
        "Forward pass, batch of 128, images a second: ours, the kernel's spectra kept",
        _images_a_second("ours forward"),
        "",
    ),
    ("— ours, the kernel transformed as well", _images_a_second("ours forward anew"), ""),
    ("— W spread over the batch, as public versions do", _images_a_second("public forward"), ""),
    ("— plain einsum", _images_a_second("einsum forward"), ""),
    ("— time of ours in % of plain einsum's", _ratio("forward"), "30%"),
    ("— the same, with freed memory kept for einsum too", _ratio("forward", "einsum kept"), ""),
    ("Training step, batch of 128, images a second: ours", _images_a_second("ours step"), ""),
    ("— ours in mixed precision", _images_a_second("mixed step"), ""),
    ("— time of ours in mixed precision in % of single", _ratio("step", "ours", "mixed"), ""),
    ("— W spread over the batch, as public versions do", _images_a_second("public step"), ""),
    ("— plain einsum", _images_a_second("einsum step"), ""),
    ("— time of ours in % of plain einsum's", _ratio("step"), "35%"),
    ("— the same, with freed memory kept for einsum too", _ratio("step", "einsum kept"), ""),
    (
        "Our forward pass of 128, arithmetic really done, in % of the peak of matrix multiplication",
        _share_of_peak(DONE, "share_of_peak"),
        "",
    ),
    (
        "— the layers' arithmetic as it is defined (more than 100 can be: ours does with less)",
        _share_of_peak(FORWARD, "defined_share_of_peak"),
        "",
    ),
]
