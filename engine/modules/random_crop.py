"""Images moved by a few pixels while training."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RandomCrop(nn.Module):
    """Pads each image by ``padding`` pixels and cuts a part of its old size out, anywhere, while training.

    y = x when evaluating. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, has the
    images; the crop of four padded pixels is that of He et al., "Deep Residual Learning", 2015, section 4.2.
    """

    def __init__(self, padding: int, mode: str = "constant") -> None:
        super().__init__()
        self.padding = padding
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        channels, height, width = x.shape[1:]
        wide = F.pad(x, (self.padding,) * 4, self.mode)
        first = torch.randint(2 * self.padding + 1, (2, len(x), 1, 1, 1), device=x.device)
        rows = first[0] + torch.arange(height, device=x.device).view(-1, 1)
        columns = first[1] + torch.arange(width, device=x.device)
        tall = wide.gather(2, rows.expand(-1, channels, -1, wide.shape[3]))
        return tall.gather(3, columns.expand(-1, channels, height, -1))
