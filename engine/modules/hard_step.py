"""The activation of the first perceptrons."""

from torch import Tensor, nn


class HardStep(nn.Module):
    """y = 1 for x >= 0, else 0.

    Its own gradient is zero everywhere, so the backward pass takes that of the ramp which rises from 0 to 1
    between -width and width: the straight-through estimator, Bengio et al., "Estimating or Propagating
    Gradients Through Stochastic Neurons", 2013.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        ramp = x.clamp(-self.width, self.width) / (2 * self.width)
        return (x >= 0).to(x.dtype) + (ramp - ramp.detach())
