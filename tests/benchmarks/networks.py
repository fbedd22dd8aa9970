"""Networks as one writes them by hand, to compare with."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MLP(nn.Module):
    """2-100-3."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 100)
        self.fc2 = nn.Linear(100, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.relu(self.fc1(x)))


class LeNet5(nn.Module):
    """LeNet-5 on images of 28 × 28 pixels."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.avg_pool2d(torch.tanh(self.conv1(x)), 2)
        x = F.avg_pool2d(torch.tanh(self.conv2(x)), 2)
        x = torch.tanh(self.fc1(torch.flatten(x, 1)))
        return self.fc3(torch.tanh(self.fc2(x)))


class CharLSTM(nn.Module):
    """Scores (N, characters, length) of the next character at each place of a text."""

    def __init__(self, characters: int = 65, width: int = 64, units: int = 128):
        super().__init__()
        self.table = nn.Embedding(characters, width)
        self.lstm = nn.LSTM(width, units, batch_first=True)
        self.fc = nn.Linear(units, characters)

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.lstm(self.table(x))
        return self.fc(x).transpose(1, 2)


class BasicBlock(nn.Module):
    """Two convolutions beside a shortcut."""

    widening = 1

    def __init__(self, inputs: int, channels: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = projection(inputs, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + (self.shortcut(x) if self.shortcut else x))


class Bottleneck(nn.Module):
    """Three convolutions, the first and the last of size 1, beside a shortcut."""

    widening = 4

    def __init__(self, inputs: int, channels: int, stride: int = 1):
        super().__init__()
        wide = channels * self.widening
        self.conv1 = nn.Conv2d(inputs, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, wide, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(wide)
        self.shortcut = projection(inputs, wide, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + (self.shortcut(x) if self.shortcut else x))


def projection(inputs: int, outputs: int, stride: int) -> nn.Module | None:
    """Return what brings a shortcut to the size of its block, None where it has it."""
    if inputs == outputs and stride == 1:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class ResNet(nn.Module):
    """A residual network of four stages, the first of them ``width`` channels wide."""

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: tuple[int, ...],
        channels: int = 3,
        width: int = 64,
        classes: int = 1000,
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        blocks, inputs = [], width
        for stage, depth in enumerate(depths):
            for place in range(depth):
                blocks.append(block(inputs, width * 2**stage, 2 if stage and not place else 1))
                inputs = width * 2**stage * block.widening
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.blocks(x)
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


def resnet18() -> ResNet:
    """Return ResNet-18."""
    return ResNet(BasicBlock, (2, 2, 2, 2))


def small_resnet18() -> ResNet:
    """Return ResNet-18 at an eighth of its width, for gray pictures of ten kinds."""
    return ResNet(BasicBlock, (2, 2, 2, 2), channels=1, width=8, classes=10)


def resnet152() -> ResNet:
    """Return ResNet-152."""
    return ResNet(Bottleneck, (3, 8, 36, 3))
