"""Images turned by a few degrees while training."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RandomRotation(nn.Module):
    """Turns each image about its center by an angle from -``degrees`` to ``degrees`` while training.

    What lies between pixels is bilinear, what comes from outside is as ``border`` says: zeros, the border's
    own pixels, or the reflection. y = x when evaluating.

    A ``mask`` (N, H, W) or (N, C, H, W) beside it goes where its image goes and takes the nearest pixel.
    """

    def __init__(self, degrees: float, border: str = "zeros", with_mask: bool = False) -> None:
        super().__init__()
        self.degrees = degrees
        self.border = border
        self.with_mask = with_mask

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        if self.training:
            height, width = x.shape[2:]
            angle = 2 * torch.rand(len(x), 1, 1, dtype=x.dtype, device=x.device) - 1
            angle = torch.deg2rad(self.degrees * angle)
            rows = torch.arange(height, dtype=x.dtype, device=x.device).view(-1, 1) - (height - 1) / 2
            columns = torch.arange(width, dtype=x.dtype, device=x.device) - (width - 1) / 2
            across = angle.cos() * columns - angle.sin() * rows
            along = angle.sin() * columns + angle.cos() * rows
            grid = torch.stack([across * (2 / width), along * (2 / height)], 3)  # from -1 to 1
            if self.with_mask:
                flat = mask.reshape(len(x), -1, height, width).to(x.dtype)
                mask = self.sample(flat, grid, "nearest").to(mask.dtype).view(mask.shape)
            x = self.sample(x, grid)
        return (x, mask) if self.with_mask else x

    def sample(self, x: Tensor, grid: Tensor, mode: str = "bilinear") -> Tensor:
        """Return what images have at the places of a grid."""
        return F.grid_sample(x, grid, mode, self.border, align_corners=False)
