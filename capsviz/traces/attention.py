"""What a network with self-attention routing made of one image."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from capsviz.traces.routing import RoutingTrace, frozen


@dataclass(frozen=True, eq=False)
class AttentionTrace(RoutingTrace):
    """One image's way through a network that routes in one pass (Mazzia et al. 2021, arXiv:2101.12491).

    The arrays are those of ``RoutingTrace`` with R = 1 and these meanings; sizes in brackets are the published network's:

    Attributes:
        u: [I, K] primary capsules (16 with 8 components, each of which sees the whole image).
        b: [1, I, J] scores: for each class, the attention of all votes to this one, summed (Eq. 5); not 0.
        c: [1, I, J] softmax of ``b`` over the J classes.
        prior: [I, J] learnt, and the same for every image; added to ``c``.
    """

    prior: np.ndarray

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.v) != 1:
            raise ValueError(f"attention routes in one pass, not in {len(self.v)} iterations.")
        prior = np.array(self.prior, np.float32)
        if prior.shape != self.c.shape[1:]:
            raise ValueError(f"prior has the shape {prior.shape} instead of {self.c.shape[1:]}.")
        object.__setattr__(self, "prior", frozen(prior))

    @cached_property
    def weight(self) -> np.ndarray:
        """[1, I, J] what the votes count in the sum: ``c + prior``. Not a share: it may be negative or above 1."""
        return frozen(self.c + self.prior)

    @cached_property
    def attention(self) -> np.ndarray:
        """[J, I, I] how much the votes for each class attend to each other: u_hat_i . u_hat_k / sqrt(D) (Eq. 5)."""
        products = np.einsum("ijd,kjd->jik", self.u_hat, self.u_hat, optimize=True)
        return frozen((products / np.sqrt(self.shape.pose)).astype(np.float32))
