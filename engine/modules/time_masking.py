"""A hidden stretch of time while training."""

import torch
from torch import Tensor, nn


class TimeMasking(nn.Module):
    """Sets up to ``width`` steps in a row of each sequence (the last dimension) to 0 while training.

    y = x when evaluating. Park et al., "SpecAugment", 2019, section 2.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        steps = x.shape[-1]
        length, start = torch.rand(2, len(x), *[1] * (x.dim() - 1), device=x.device)
        length = (length * (min(self.width, steps) + 1)).floor()
        place = torch.arange(steps, device=x.device) - (start * (steps - length + 1)).floor()
        return x.masked_fill((place >= 0) & (place < length), 0.0)
