"""Whether training multiplies in bfloat16 where nearly all of its arithmetic is: in the large convolutions.

A processor made for it does so several times faster than in single precision; one that merely can, or that has to
imitate it, takes longer. So this asks what the processor has, and then takes the time.
"""

import time
from pathlib import Path

import torch

PRODUCTS = (
    "amx_bf16",
    "avx512_bf16",
)  # x86's instructions that multiply bfloat16, as Linux and PyTorch name them
CPUINFO = Path("/proc/cpuinfo")
QUICKER = 0.8  # of single precision's time for a product: what is saved must also pay for changing the numbers' type
_TURNS = 15


def instructions() -> list[str]:
    """Those of ``PRODUCTS`` that this processor has; none where neither PyTorch nor Linux tells of it."""
    if hasattr(torch.cpu, "get_capabilities"):  # not in all versions that capsviz runs with
        has = torch.cpu.get_capabilities()
        return [name for name in PRODUCTS if has.get(name)]
    try:
        lines = CPUINFO.read_text("utf-8").splitlines()
    except OSError:
        return []
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return [name for name in PRODUCTS if name in flags]


def is_quicker(device: torch.device) -> bool:
    """Whether a training on ``device`` is quicker with products in bfloat16: on CUDA, and where that was measured."""
    if device.type == "cpu":
        return bool(instructions()) and share_of_time() < QUICKER
    return device.type == "cuda"


def share_of_time() -> float:
    """Time of one product in bfloat16 as a share of that in single precision, here and now; each the least of several.

    The product is that of a few spectra (``layers/fast.py``), of a batch of 128 images. One thread makes it: several
    wait for each other, and on a machine that is busy that is most of the time.
    """
    left, right = torch.ones(8, 128, 256), torch.ones(8, 256, 256)
    factors = {dtype: (left.to(dtype), right.to(dtype)) for dtype in (torch.float32, torch.bfloat16)}
    times: dict[torch.dtype, list[float]] = {dtype: [] for dtype in factors}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for _ in range(_TURNS):
        for dtype, (a, b) in factors.items():
            began = time.perf_counter()
            torch.bmm(a, b)
            times[dtype].append(time.perf_counter() - began)
    torch.set_num_threads(threads)
    return min(times[torch.bfloat16]) / min(times[torch.float32])
