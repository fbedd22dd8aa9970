"""Brightness, contrast and saturation of images that vary while training."""

import torch
from torch import Tensor, nn


class ColorJitter(nn.Module):
    """Changes brightness, contrast and saturation of each image while training, y = x when evaluating.

    Each factor lies between 1 - amount and 1 + amount: of all numbers, of their distance from the image's
    mean, of their distance from the pixel's gray (where there are three channels). Nothing is clipped, so
    that images of any range can be taken. Howard, "Some Improvements on Deep Convolutional Neural Network
    Based Image Classification", 2013.
    """

    def __init__(self, brightness: float = 0.2, contrast: float = 0.2, saturation: float = 0.2) -> None:
        super().__init__()
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        spread = 2 * torch.rand(3, len(x), 1, 1, 1, dtype=x.dtype, device=x.device) - 1
        x = x * (1 + self.brightness * spread[0])
        mean = x.mean((1, 2, 3), keepdim=True)
        x = mean + (x - mean) * (1 + self.contrast * spread[1])
        if x.shape[1] != 3:
            return x
        gray = 0.299 * x[:, :1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:]
        return gray + (x - gray) * (1 + self.saturation * spread[2])
