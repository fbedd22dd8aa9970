"""Images turned upside down while training."""

import torch
from torch import Tensor, nn


class RandomVerticalFlip(nn.Module):
    """Mirrors each image top to bottom with probability ``p`` while training, gives y = x when evaluating."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        chosen = torch.rand(len(x), 1, 1, 1, device=x.device) < self.p
        return torch.where(chosen, x.flip(-2), x)
