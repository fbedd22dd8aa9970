"""Region pooling of Mask R-CNN."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RoIAlign(nn.Module):
    """The mean of bilinear samples in each part of each box.

    ``features`` (N, C, H, W) and ``boxes`` (N, R, 4), as x1 y1 x2 y2 in pixels of the image, give (N, R, C,
    rows, columns). Nothing is rounded: each part is read at ``sampling_ratio`` squared points on a regular
    grid. A point more than one pixel outside reads 0, one nearer reads the border. ``aligned`` moves boxes by
    half a pixel, so that pixel centers stand at half numbers. He et al., "Mask R-CNN", 2017, section 3.
    """

    def __init__(
        self,
        output_size: int | tuple[int, int],
        spatial_scale: float = 1.0,
        sampling_ratio: int = 2,
        aligned: bool = True,
    ) -> None:
        super().__init__()
        self.output_size = (output_size, output_size) if isinstance(output_size, int) else output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, features: Tensor, boxes: Tensor) -> Tensor:
        batch, _, height, width = features.shape
        regions = boxes.shape[1]
        x1, y1, x2, y2 = (boxes * self.spatial_scale - 0.5 * self.aligned).unbind(-1)
        y, y_inside = self.points(y1, y2, self.output_size[0], height)
        x, x_inside = self.points(x1, x2, self.output_size[1], width)
        grid = torch.stack(
            [
                x[:, :, None, :].expand(batch, regions, y.shape[2], x.shape[2]),
                y[:, :, :, None].expand(batch, regions, y.shape[2], x.shape[2]),
            ],
            -1,
        )
        samples = F.grid_sample(features, grid.flatten(1, 2), padding_mode="border", align_corners=True)
        samples = samples.unflatten(2, (regions, y.shape[2]))
        samples = samples * (y_inside[:, :, :, None] & x_inside[:, :, None, :])[:, None]
        samples = samples.unflatten(4, (-1, self.sampling_ratio)).unflatten(3, (-1, self.sampling_ratio))
        return samples.mean((4, 6)).transpose(1, 2)

    def points(self, start: Tensor, end: Tensor, parts: int, size: int) -> tuple[Tensor, Tensor]:
        """Return where each box is read along one axis, from -1 to 1, and which points count."""
        length = end - start if self.aligned else (end - start).clamp(min=1)
        count = parts * self.sampling_ratio
        steps = (torch.arange(count, dtype=start.dtype, device=start.device) + 0.5) / count
        position = start[..., None] + steps * length[..., None]
        inside = (position >= -1) & (position <= size)
        return position.clamp(0, size - 1) * 2 / max(size - 1, 1) - 1, inside
