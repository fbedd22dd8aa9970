"""Units that answer to what is near."""

import torch
from torch import Tensor, nn


class RadialBasis(nn.Module):
    """y_k = exp(-|x - c_k|² / s_k²), with learned centers c_k and widths s_k.

    Broomhead and Lowe, "Multivariable Functional Interpolation and Adaptive Networks", 1988.
    """

    def __init__(self, in_features: int, out_features: int, width: float = 1.0) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.randn(out_features, in_features))
        self.widths = nn.Parameter(torch.full((out_features,), width))

    def forward(self, x: Tensor) -> Tensor:
        distance = (x.unsqueeze(-2) - self.centers).square().sum(-1)
        return torch.exp(-distance / self.widths.square())
