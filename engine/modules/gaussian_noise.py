"""Noise while training."""

import torch
from torch import Tensor, nn


class GaussianNoise(nn.Module):
    """y = x + std e with e ~ N(0, 1) while training, y = x when evaluating.

    Bishop, "Training with Noise is Equivalent to Tikhonov Regularization", 1995.
    """

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * torch.randn_like(x) if self.training else x
