"""Region pooling of Fast R-CNN."""

import torch
from torch import Tensor, nn


class RoIPool(nn.Module):
    """The maximum of each part of each box.

    ``features`` (N, C, H, W) and ``boxes`` (N, R, 4), as x1 y1 x2 y2 in pixels of the image, give (N, R, C,
    rows, columns). A box is rounded to pixels, both ends included; part i of n covers floor(i size / n) to
    ceil((i + 1) size / n); an empty part gives 0. Girshick, "Fast R-CNN", 2015, section 2.1.
    """

    def __init__(self, output_size: int | tuple[int, int], spatial_scale: float = 1.0) -> None:
        super().__init__()
        self.output_size = (output_size, output_size) if isinstance(output_size, int) else output_size
        self.spatial_scale = spatial_scale

    def forward(self, features: Tensor, boxes: Tensor) -> Tensor:
        x1, y1, x2, y2 = torch.floor(boxes * self.spatial_scale + 0.5).unbind(-1)
        rows = self.parts(y1, y2, self.output_size[0], features.shape[2])
        columns = self.parts(x1, x2, self.output_size[1], features.shape[3])
        result = []
        for row in rows.unbind(2):  # one row of parts at a time: N x R x C x H x W numbers are in memory
            inside = row[:, :, None, :, None]
            lines = features[:, None].masked_fill(~inside, -torch.inf).amax(3)
            cells = [lines.masked_fill(~part[:, :, None], -torch.inf).amax(3) for part in columns.unbind(2)]
            result.append(torch.stack(cells, -1))
        pooled = torch.stack(result, -2)
        return pooled.masked_fill(pooled == -torch.inf, 0.0)

    def parts(self, start: Tensor, end: Tensor, count: int, size: int) -> Tensor:
        """Return which of ``size`` pixels belong to each of ``count`` parts, as (N, R, count, size)."""
        length = (end - start + 1).clamp(min=1)[..., None] / count
        index = torch.arange(count, device=start.device)
        first = torch.floor(index * length) + start[..., None]
        last = torch.ceil((index + 1) * length) + start[..., None]
        pixel = torch.arange(size, device=start.device)
        return (pixel >= first[..., None]) & (pixel < last[..., None])
