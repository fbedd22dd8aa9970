"""Blurred images while training."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class GaussianBlur(nn.Module):
    """Blurs each image with probability ``p`` while training, by a normal window of its own deviation.

    The deviation lies from ``sharpest`` to ``softest`` pixels, the window reaches over ``kernel_size`` of
    them, and the border is reflected. y = x when evaluating. Chen et al., "A Simple Framework for Contrastive
    Learning of Visual Representations", 2020, appendix A.
    """

    def __init__(self, kernel_size: int, sharpest: float = 0.1, softest: float = 2.0, p: float = 0.5) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.sharpest = sharpest
        self.softest = softest
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        count, channels = x.shape[:2]
        reach = self.kernel_size // 2
        spread = torch.rand(count, 1, dtype=x.dtype, device=x.device)
        deviation = self.sharpest + (self.softest - self.sharpest) * spread
        away = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
        window = torch.softmax(-((away / deviation) ** 2) / 2, 1).repeat_interleave(channels, 0)[:, None]
        wide = F.pad(x, (reach,) * 4, "reflect").flatten(0, 1)[None]
        blurred = F.conv2d(wide, window[:, :, None, :], groups=count * channels)
        blurred = F.conv2d(blurred, window[:, :, :, None], groups=count * channels).view(x.shape)
        return torch.where(torch.rand(count, 1, 1, 1, device=x.device) < self.p, blurred, x)
