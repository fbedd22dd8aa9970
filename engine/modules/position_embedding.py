"""Where in the sequence, learned."""

import torch
from torch import Tensor, nn


class PositionEmbedding(nn.Module):
    """y_t = x_t + p_t with a learned vector p_t for each of ``max_len`` places.

    Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018; deviation 0.02 at
    first.
    """

    def __init__(self, width: int, max_len: int = 512) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(max_len, width).normal_(std=0.02))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight[: x.shape[1]]
