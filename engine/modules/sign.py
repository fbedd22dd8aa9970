"""The sign as an activation."""

from torch import Tensor, nn


class Sign(nn.Module):
    """y = -1 for x < 0, 0 for x = 0, 1 for x > 0.

    The backward pass takes the gradient of the ramp which rises from -1 to 1 between -width and width, as in
    Courbariaux et al., "Binarized Neural Networks", 2016, section 1.3.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        ramp = x.clamp(-self.width, self.width) / self.width
        return x.detach().sign() + (ramp - ramp.detach())
