"""The convolution of PixelCNN."""

import torch
from torch import Tensor, nn


class MaskedConv2d(nn.Conv2d):
    """A convolution that reads the rows above and the pixels to the left.

    Mask A hides the pixel itself too, for the first layer; mask B shows it. van den Oord et al., "Pixel
    Recurrent Neural Networks", 2016, section 3.4, with all channels of a pixel treated alike.
    """

    def __init__(self, mask_type: str, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        rows, columns = self.kernel_size
        mask = torch.ones(rows, columns)
        mask[rows // 2, columns // 2 + (mask_type == "B") :] = 0
        mask[rows // 2 + 1 :] = 0
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight * self.mask, self.bias)
