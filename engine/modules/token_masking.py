"""Hidden tokens while training."""

import torch
from torch import Tensor, nn


class TokenMasking(nn.Module):
    """Puts ``token`` in the place of each token with probability ``p`` while training; y = x when evaluating.

    Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", 2015, drop
    words so; Devlin et al., "BERT", 2018, section 3.1, let a network guess them.
    """

    def __init__(self, token: int, p: float = 0.15) -> None:
        super().__init__()
        self.token = token
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x.masked_fill(torch.rand(x.shape, device=x.device) < self.p, self.token)
