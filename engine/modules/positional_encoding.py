"""Where in the sequence, as waves."""

import torch
from torch import Tensor, nn


class PositionalEncoding(nn.Module):
    """y_t = x_t + p_t with p_t,2k = sin(t / 10000^(2k / d)) and p_t,2k+1 = cos(t / 10000^(2k / d)).

    Vaswani et al., "Attention Is All You Need", 2017, section 3.5.
    """

    def __init__(self, width: int, max_len: int = 5000) -> None:
        super().__init__()
        position = torch.arange(max_len)[:, None]
        rate = 10000.0 ** (-torch.arange(0, width, 2) / width)
        waves = torch.stack([torch.sin(position * rate), torch.cos(position * rate)], 2).flatten(1)
        self.register_buffer("waves", waves[:, :width], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.waves[: x.shape[1]]
