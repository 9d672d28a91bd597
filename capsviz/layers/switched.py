"""A network with attention routing whose attention can be switched off while it trains."""

from typing import Any

import torch
from torch import Tensor, nn

from capsviz.layers.attention import Attention, AttentionNet, attention_routing, squash

MOMENTUM = 0.1  # of the batch normalisation: a training of some hundred steps has no time for a slower mean


class Switched(AttentionNet):
    """``AttentionNet``, with all coupling coefficients alike where ``routed`` is false: c = 1/J, whatever the votes say.

    The learnt prior is added all the same. The switch is no parameter: weights do not hold it.
    """

    routed = True

    def __init__(self, *sizes: Any, **named: Any) -> None:
        super().__init__(*sizes, **named)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = MOMENTUM

    def route(self, u: Tensor) -> tuple[Tensor, Attention]:
        """Primary capsules [B, I, K] to their votes [B, J, I, D] and what attention, or its absence, makes of these."""
        u_hat = self.capsules(u)
        if self.routed:
            return u_hat, attention_routing(u_hat, self.capsules.prior)
        score = u_hat.new_zeros(u_hat.shape[:3])
        c = score.softmax(dim=1)
        weight = c + self.capsules.prior
        s = (weight.unsqueeze(2) @ u_hat).squeeze(2)
        return u_hat, Attention(score, c, weight, s, squash(s))


def coefficients(net: Any, images: Tensor, iterations: int) -> Tensor:
    """[B, I, J] coupling coefficients of the last iteration for images [B, S, S], of either kind of routing."""
    with torch.no_grad():
        if isinstance(net, AttentionNet):
            c = net.route(net.encode(images)[1])[1].c
        else:
            c = net(images, iterations).steps[-1].c
    return c.transpose(1, 2)
