"""Images turned, moved, zoomed and slanted while training."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RandomAffine(nn.Module):
    """Turns, moves, zooms and slants each image by amounts of its own while training, y = x when evaluating.

    ``degrees`` and ``shear`` bound the angles, ``translate`` the way as a share of the image's size, and
    ``zoom`` the factor: from 1 / (1 + zoom) to 1 + zoom, evenly on a logarithmic scale. What lies between
    pixels is bilinear, what comes from outside is as ``border`` says.

    A ``mask`` (N, H, W) or (N, C, H, W) beside it goes where its image goes and takes the nearest pixel.
    """

    def __init__(
        self,
        degrees: float = 10.0,
        translate: float = 0.1,
        zoom: float = 0.1,
        shear: float = 0.0,
        border: str = "zeros",
        with_mask: bool = False,
    ) -> None:
        super().__init__()
        self.degrees = degrees
        self.translate = translate
        self.zoom = zoom
        self.shear = shear
        self.border = border
        self.with_mask = with_mask

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        if self.training:
            height, width = x.shape[2:]
            drawn = 2 * torch.rand(5, len(x), 1, 1, dtype=x.dtype, device=x.device) - 1
            angle, slant = torch.deg2rad(self.degrees * drawn[0]), torch.deg2rad(self.shear * drawn[1])
            right, down, zoom = self.translate * drawn[2], self.translate * drawn[3], drawn[4]
            rows = torch.arange(height, dtype=x.dtype, device=x.device).view(-1, 1) - (height - 1) / 2
            columns = torch.arange(width, dtype=x.dtype, device=x.device) - (width - 1) / 2
            columns = columns + slant.tan() * rows
            nearer = (1 + self.zoom) ** -zoom
            across = nearer * (angle.cos() * columns - angle.sin() * rows) / width + right
            along = nearer * (angle.sin() * columns + angle.cos() * rows) / height + down
            grid = torch.stack([2 * across, 2 * along], 3)  # from -1 to 1
            if self.with_mask:
                flat = mask.reshape(len(x), -1, height, width).to(x.dtype)
                mask = self.sample(flat, grid, "nearest").to(mask.dtype).view(mask.shape)
            x = self.sample(x, grid)
        return (x, mask) if self.with_mask else x

    def sample(self, x: Tensor, grid: Tensor, mode: str = "bilinear") -> Tensor:
        """Return what images have at the places of a grid."""
        return F.grid_sample(x, grid, mode, self.border, align_corners=False)
