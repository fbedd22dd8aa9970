"""Numbers that are learned and read no input."""

import torch
from torch import Tensor, nn


class LearnedTensor(nn.Module):
    """A parameter of any shape, at first zeros, ones, or normal with the deviation 0.02 of transformers."""

    def __init__(self, shape: tuple[int, ...], start: str = "zeros") -> None:
        super().__init__()
        value = torch.zeros(shape)
        if start == "ones":
            nn.init.ones_(value)
        elif start == "normal":
            nn.init.normal_(value, std=0.02)
        self.value = nn.Parameter(value)

    def forward(self) -> Tensor:
        return self.value
