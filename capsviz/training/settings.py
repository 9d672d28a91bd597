"""What decides the outcome of a training; without PyTorch, since the command line shows it."""

from dataclasses import dataclass

from capsviz.networks.base import DEFAULT
from capsviz.traces.base import RECONSTRUCTION_WEIGHT

FEW_EPOCHS = 60  # at most so many where nobody says, for the fewest images
_ENOUGH = 100_000  # images seen in all, for which epochs are added


def sensible(images: int, most: int = 128) -> tuple[int, int]:
    """Epochs and images a step for ``images`` to train on, where nobody says: of few images more epochs of smaller steps.

    With 1,024 images or more a step has the usual 128; below, an eighth of them, in powers of two, but 8 if there are
    as many.
    """
    epochs = min(max(Settings.epochs, _ENOUGH // max(1, images)), FEW_EPOCHS)
    batch = 1
    while 2 * batch <= min(most, max(8, images // 8), images):
        batch *= 2
    return epochs, batch


@dataclass(frozen=True)
class Settings:
    """What decides the outcome of a run; a run is resumed only with the same settings."""

    epochs: int = 14
    batch_size: int = 128
    seed: int = 0
    learning_rate: float = 1e-3  # Adam's default, as in the paper
    final_learning_rate: float = 1e-5
    warmup_steps: int = 200
    shift: int = 2  # pixels, in each direction (section 5)
    iterations: int = 3  # routing iterations (section 5)
    augment: bool = False  # turn, scale, shear, bend, change the pen; without it images are only shifted
    noise: float = 0.0  # largest deviation of the noise on some images' pixels, of 1 between black and white
    synthetic: float = 0.0  # share of made-up digits in a batch
    others: float = 0.0  # share of what is no digit
    pool: int = 48_000  # made-up images, drawn once at the start
    start_from: str = ""  # SHA-256 of the weights to start from; "" for new ones
    average_start: bool = False  # end with the mean of the weights started from and those trained to
    network: str = DEFAULT  # name of what is trained
    mixed_precision: bool = False  # multiply in bfloat16 in the large convolutions
    reconstruction: float = RECONSTRUCTION_WEIGHT  # of the decoder's loss; with 0 it is not trained

    @property
    def batch(self) -> tuple[int, int, int]:
        """Images of the data set, made-up digits and other things in a batch."""
        synthetic, others = round(self.synthetic * self.batch_size), round(self.others * self.batch_size)
        return self.batch_size - synthetic - others, synthetic, others

    @property
    def pool_sizes(self) -> tuple[int, int]:
        """Made-up digits and other things in the pool: in proportion to their shares of a batch."""
        _, synthetic, others = self.batch
        digits = round(self.pool * synthetic / max(1, synthetic + others))
        return digits, self.pool - digits if others else 0
