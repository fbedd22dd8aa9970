"""Images with a rectangle missing while training."""

import torch
from torch import Tensor, nn


class RandomErasing(nn.Module):
    """Fills a rectangle of each image with ``value``, with probability ``p`` while training; else y = x.

    Its area is from ``smallest`` to ``largest`` of the image, its sides' ratio from 0.3 to 3.3. Zhong et al.,
    "Random Erasing Data Augmentation", 2017; with squares alone it is DeVries and Taylor's Cutout.
    """

    def __init__(
        self, p: float = 0.5, smallest: float = 0.02, largest: float = 0.33, value: float = 0.0
    ) -> None:
        super().__init__()
        self.p = p
        self.smallest = smallest
        self.largest = largest
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        height, width = x.shape[2:]
        chance, area, ratio, top, left = torch.rand(5, len(x), 1, 1, 1, device=x.device)
        area = height * width * (self.smallest + (self.largest - self.smallest) * area)
        side = 3.3 ** (2 * ratio - 1)
        tall = (area * side).sqrt().round().clamp(max=height)
        broad = (area / side).sqrt().round().clamp(max=width)
        rows = torch.arange(height, device=x.device).view(-1, 1) - (top * (height - tall + 1)).floor()
        columns = torch.arange(width, device=x.device) - (left * (width - broad + 1)).floor()
        inside = (rows >= 0) & (rows < tall) & (columns >= 0) & (columns < broad)
        return x.masked_fill(inside & (chance < self.p), self.value)
