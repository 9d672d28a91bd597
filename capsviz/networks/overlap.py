"""CapsNet for two digits that lie over each other, of "Dynamic Routing Between Capsules", section 6."""

from dataclasses import replace

from capsviz.inputs.pairs import PAIRS, SIZE
from capsviz.networks.dynamic import SOURCE, dynamic

NETWORKS = (
    replace(
        dynamic("overlap.mnist", "CapsNet, overlapping digits", PAIRS, ("overlap",), SIZE, answers=2),
        source=replace(SOURCE, accuracy="94.8%", of="pairs"),
    ),
)
