"""Images turned by a few degrees while training."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RandomRotation(nn.Module):
    """Turns each image about its center by an angle from -``degrees`` to ``degrees`` while training.

    What lies between pixels is bilinear, what comes from outside is as ``border`` says: zeros, the border's
    own pixels, or the reflection. y = x when evaluating.
    """

    def __init__(self, degrees: float, border: str = "zeros") -> None:
        super().__init__()
        self.degrees = degrees
        self.border = border

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        height, width = x.shape[2:]
        angle = torch.deg2rad(self.degrees * (2 * torch.rand(len(x), dtype=x.dtype, device=x.device) - 1))
        sine, cosine, none = angle.sin(), angle.cos(), torch.zeros_like(angle)
        turn = [cosine, -sine * (height / width), none, sine * (width / height), cosine, none]
        grid = F.affine_grid(torch.stack(turn, 1).view(-1, 2, 3), x.shape, align_corners=False)
        return F.grid_sample(x, grid, padding_mode=self.border, align_corners=False)
