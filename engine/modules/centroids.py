"""Learned centers, as in k-means."""

import torch
from torch import Tensor, nn


class Centroids(nn.Module):
    """d_k = |x - c_k|², for ``count`` learned centers c_k.

    The mean of the smallest d_k over the data is what k-means minimizes. Lloyd, "Least Squares Quantization
    in PCM", 1982.
    """

    def __init__(self, in_features: int, count: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.randn(count, in_features))

    def forward(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(-2) - self.centers).square().sum(-1)
