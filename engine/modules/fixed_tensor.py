"""Numbers that come with the weights and do not learn."""

import torch
from torch import Tensor, nn


class FixedTensor(nn.Module):
    """A buffer of any shape: zeros until weights are loaded."""

    def __init__(self, shape: tuple[int, ...], dtype: str = "float") -> None:
        super().__init__()
        kind = torch.bool if dtype == "bool" else torch.int64 if dtype == "int" else torch.float32
        self.register_buffer("value", torch.zeros(shape, dtype=kind))

    def forward(self) -> Tensor:
        return self.value
