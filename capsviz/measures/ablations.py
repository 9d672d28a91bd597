"""Which parts of the capsule network are taken away, to see what they are good for (Table 1 of arXiv:1710.09829)."""

from dataclasses import dataclass

from capsviz.traces.base import RECONSTRUCTION_WEIGHT


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    One routing iteration is uniform c, in training and in use: the softmax of zeros. So these are one ablation.

    Attributes:
        name: for the command line and the rows.
        network: that is trained.
        iterations: of routing, in training and in use; 1 where nothing iterates.
        reconstruction: weight of the decoder's loss.
        published: test error in % of the paper's counterpart.
        deviation: of it over three trainings, in % of the images.
    """

    name: str
    network: str
    iterations: int
    reconstruction: float
    published: float
    deviation: float | None = None


VARIANTS = (
    Variant("r1", "dynamic.mnist", 1, 0.0, 0.34, 0.032),
    Variant("r1-reconstruction", "dynamic.mnist", 1, RECONSTRUCTION_WEIGHT, 0.29, 0.011),
    Variant("r3", "dynamic.mnist", 3, 0.0, 0.35, 0.036),
    Variant("r3-reconstruction", "dynamic.mnist", 3, RECONSTRUCTION_WEIGHT, 0.25, 0.005),
    Variant("cnn", "cnn.mnist", 1, 0.0, 0.39),
)
