"""Images turned upside down while training."""

import torch
from torch import Tensor, nn


class RandomVerticalFlip(nn.Module):
    """Mirrors each image top to bottom with probability ``p`` while training, gives y = x when evaluating.

    A ``mask`` (N, H, W) or (N, C, H, W) beside it is mirrored where its image is.
    """

    def __init__(self, p: float = 0.5, with_mask: bool = False) -> None:
        super().__init__()
        self.p = p
        self.with_mask = with_mask

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        if self.training:
            chosen = torch.rand(len(x), 1, 1, 1, device=x.device) < self.p
            x = torch.where(chosen, x.flip(-2), x)
            if self.with_mask:
                mask = torch.where(chosen.view(-1, *[1] * (mask.dim() - 1)), mask.flip(-2), mask)
        return (x, mask) if self.with_mask else x
