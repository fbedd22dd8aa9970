"""Images moved by a few pixels while training."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RandomCrop(nn.Module):
    """Pads each image by ``padding`` pixels and cuts a part of its old size out, anywhere, while training.

    y = x when evaluating. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, has the
    images; the crop of four padded pixels is that of He et al., "Deep Residual Learning", 2015, section 4.2.

    A ``mask`` (N, H, W) or (N, C, H, W) beside it is cut as its image is.
    """

    def __init__(self, padding: int, mode: str = "constant", with_mask: bool = False) -> None:
        super().__init__()
        self.padding = padding
        self.mode = mode
        self.with_mask = with_mask

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        if self.training:
            first = torch.randint(2 * self.padding + 1, (2, len(x), 1, 1, 1), device=x.device)
            if self.with_mask:
                flat = mask.reshape(len(x), -1, *x.shape[2:]).to(x.dtype)
                mask = self.cut(flat, first).to(mask.dtype).view(mask.shape)
            x = self.cut(x, first)
        return (x, mask) if self.with_mask else x

    def cut(self, x: Tensor, first: Tensor) -> Tensor:
        """Return the parts of the padded images that begin in row ``first[0]`` and column ``first[1]``."""
        channels, height, width = x.shape[1:]
        wide = F.pad(x, (self.padding,) * 4, self.mode)
        rows = first[0] + torch.arange(height, device=x.device).view(-1, 1)
        columns = first[1] + torch.arange(width, device=x.device)
        tall = wide.gather(2, rows.expand(-1, channels, -1, wide.shape[3]))
        return tall.gather(3, columns.expand(-1, channels, height, -1))
