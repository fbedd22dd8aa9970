"""Numbers of other rows while training."""

import torch
from torch import Tensor, nn


class SwapNoise(nn.Module):
    """Gives each number, with probability ``p``, the value that another row of the batch has in its place.

    So every column keeps its own distribution. While training; y = x when evaluating. Bahri et al., "SCARF:
    Self-Supervised Contrastive Learning using Random Feature Corruption", 2021, section 3.
    """

    def __init__(self, p: float = 0.15) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        others = x.gather(0, torch.randint(len(x), x.shape, device=x.device))
        return torch.where(torch.rand(x.shape, device=x.device) < self.p, others, x)
