"""What the network takes, without a browser."""

import time
from collections.abc import Callable

import numpy as np
import torch

from capsviz import canvas_to_mnist, load_model
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.models.weights import load_weights

Quantiles = tuple[float, float, float]


def quantiles(milliseconds: list[float]) -> Quantiles:
    low, median, high = np.quantile(milliseconds, [0.1, 0.5, 0.9])
    return float(low), float(median), float(high)


def timed(
    call: Callable[[], object],
    repeats: int = 200,
    before: int = 20,
    clock: Callable[[], float] = time.perf_counter,
) -> Quantiles:
    for _ in range(before):
        call()
    times = []
    for _ in range(repeats):
        began = clock()
        call()
        times.append(1000 * (clock() - began))
    return quantiles(times)


def canvas() -> np.ndarray:
    return render(EXAMPLES[0].strokes, EXAMPLES[0].width)


def one_trace() -> Quantiles:
    model, image = load_model(device="cpu"), canvas_to_mnist(canvas())
    return timed(lambda: model.trace(image))


def one_trace_alone() -> Quantiles:
    """Of the processor, by one of PyTorch's threads."""
    model, image = load_model(device="cpu"), canvas_to_mnist(canvas())
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return timed(lambda: model.trace(image), clock=time.thread_time)
    finally:
        torch.set_num_threads(threads)


def one_forward() -> Quantiles:
    net, image = load_weights().net, torch.tensor(canvas_to_mnist(canvas()))[None]
    with torch.inference_mode():
        return timed(lambda: net(image))


def one_canvas() -> Quantiles:
    pixels = canvas()
    return timed(lambda: canvas_to_mnist(pixels, ink="light"))


def one_photo() -> Quantiles:
    """A sheet of 1024 x 1024 pixels, with a dark desk at its left, a grain and softly uneven light."""
    sheet = np.kron(1 - 0.8 * canvas() / 255, np.ones((4, 4)))[:1024, :1024]
    sheet = sheet * np.linspace(0.95, 0.75, 1024) + np.random.default_rng(0).normal(0, 0.02, sheet.shape)
    sheet[:, :80] = 0.15
    pixels = np.repeat((255 * sheet).clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    return timed(lambda: canvas_to_mnist(pixels), repeats=50)
