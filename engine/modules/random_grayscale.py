"""Images that lose their color while training."""

import torch
from torch import Tensor, nn


class RandomGrayscale(nn.Module):
    """Takes the color of each image with probability ``p`` while training, gives y = x when evaluating.

    The gray is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601), in all three channels.
    """

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        gray = 0.299 * x[:, :1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:]
        return torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < self.p, gray, x)
