"""A hidden band of frequencies while training."""

import torch
from torch import Tensor, nn


class FrequencyMasking(nn.Module):
    """Sets up to ``width`` rows beside each other of each spectrogram to 0 while training.

    The rows are the last dimension but one. y = x when evaluating. Park et al., "SpecAugment", 2019,
    section 2.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        rows = x.shape[-2]
        length, start = torch.rand(2, len(x), *[1] * (x.dim() - 1), device=x.device)
        length = (length * (min(self.width, rows) + 1)).floor()
        place = torch.arange(rows, device=x.device).view(-1, 1) - (start * (rows - length + 1)).floor()
        return x.masked_fill((place >= 0) & (place < length), 0.0)
