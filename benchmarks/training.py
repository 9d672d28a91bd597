"""What an epoch of training takes on the GPU, where there is one."""

import time

import torch

from benchmarks.trace import Quantiles, quantiles
from capsviz.inputs.data import Digits
from capsviz.training.settings import Settings
from capsviz.training.trainer import Trainer

IMAGES = 55_000
EPOCHS = 4


def gpu_epoch() -> Quantiles:
    """Seconds of an epoch with augmentation and in mixed precision, without measuring on the validation digits at its end."""
    grey = torch.randint(256, (IMAGES, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    training = Digits(grey, torch.arange(IMAGES) % 10)
    trainer = Trainer(
        Settings(epochs=EPOCHS, augment=True, mixed_precision=True), training, torch.device("cuda")
    )
    seconds = []
    for _ in range(EPOCHS):
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in trainer.run_epoch():
            pass
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return quantiles(seconds[1:])  # in the first, kernels are loaded and chosen


ROWS = (
    [("An epoch of training on the GPU, in seconds", gpu_epoch, "6 s")] if torch.cuda.is_available() else []
)
