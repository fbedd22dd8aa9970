"""Copies of layers that follow what those learn, such as the target network of Q-learning."""

from copy import deepcopy

import torch
from torch import nn


class Copy(nn.Module):
    """A copy of a layer that no gradient moves.

    After every training step it moves toward the layer's weights by the fraction ``average``, or takes them
    over after every so many steps; with neither it stays as it is.
    """

    def __init__(self, layer: nn.Module, average: float = 0.0, every: int = 0) -> None:
        super().__init__()
        self.layer = deepcopy(layer).requires_grad_(False)
        self.source = (layer,)  # in a tuple, because its weights are saved where they belong
        self.average = average
        self.every = every

    def forward(self, *inputs, **options):
        return self.layer(*inputs, **options)

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Take over what the layer has learned in training step ``step``, counted from 1."""
        theirs = self.source[0].state_dict()
        for name, mine in self.layer.state_dict().items():
            if self.average and mine.is_floating_point():
                mine.lerp_(theirs[name], self.average)
            elif self.average or (self.every and step % self.every == 0):
                mine.copy_(theirs[name])


def follow(model: nn.Module, step: int) -> None:
    """Let every copy in a model follow; called after each training step, counted from 1."""
    for module in model.modules():
        if isinstance(module, Copy):
            module.follow(step)
