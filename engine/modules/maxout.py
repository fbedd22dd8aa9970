"""The activation that learns its own shape."""

from torch import Tensor, nn


class Maxout(nn.Module):
    """y_i = max_j (w_ij . x + b_ij), over ``pieces`` weighted sums for each of ``out_features`` units.

    Goodfellow et al., "Maxout Networks", 2013, section 2.
    """

    def __init__(self, in_features: int, out_features: int, pieces: int = 2, bias: bool = True) -> None:
        super().__init__()
        self.pieces = pieces
        self.sums = nn.Linear(in_features, out_features * pieces, bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.sums(x).unflatten(-1, (-1, self.pieces)).amax(-1)
