"""The blocks of GoogLeNet with batch normalization: its convolution, inception in both forms, a side head."""

from __future__ import annotations

from engine.graph.build import BlockBuilder, Builder, Ref
from engine.graph.document import Slot
from engine.layers.formula import Formula


def draw_convolution(g: Builder) -> None:
    """Draw the block ``ConvNormReLU``, of which the others consist."""
    notes = "A convolution that keeps the size, batch normalization and a rectifier."
    with g.block("ConvNormReLU", notes, channels=None, kernel=1, stride=1) as b:
        x = b.input("x")
        x = b.add(
            "Conv2d",
            x,
            id="conv",
            out_channels=b["channels"],
            kernel_size=b["kernel"],
            stride=b["stride"],
            padding=b["kernel"] // 2,
            bias=False,
        )
        x = b.add("BatchNorm2d", x, id="bn")
        b.output(b.add("ReLU", x))


def draw_naive_inception(g: Builder) -> None:
    """Draw the block ``NaiveInception``: every size of filter looks at all channels."""
    notes = "Filters of three sizes and pooling side by side."
    with g.block("NaiveInception", notes, n1=None, n3=None, n5=None) as b:
        x = b.input("x")
        ones = _convolution(b, x, "conv1x1", b["n1"])
        threes = _convolution(b, x, "conv3x3", b["n3"], 3)
        fives = _convolution(b, x, "conv5x5", b["n5"], 5)
        pooled = b.add("MaxPool2d", x, kernel_size=3, stride=1, padding=1)
        b.output(b.add("Concatenate", ones, threes, fives, pooled))


def draw_inception(g: Builder, largest: int) -> None:
    """Draw the block ``Inception``, named as in the paper's table; ``largest`` is the kernel of conv5x5."""
    widths = dict.fromkeys(["n1", "reduce3", "n3", "reduce5", "n5", "pool"])
    notes = "Filters of three sizes and pooling side by side, narrowed by 1×1 convolutions."
    with g.block("Inception", notes, **widths) as b:
        x = b.input("x")
        ones = _convolution(b, x, "conv1x1", b["n1"])
        threes = _convolution(b, x, "reduce3x3", b["reduce3"])
        threes = _convolution(b, threes, "conv3x3", b["n3"], 3)
        fives = _convolution(b, x, "reduce5x5", b["reduce5"])
        fives = _convolution(b, fives, "conv5x5", b["n5"], largest)
        pooled = b.add("MaxPool2d", x, kernel_size=3, stride=1, padding=1)
        pooled = _convolution(b, pooled, "project", b["pool"])
        b.output(b.add("Concatenate", ones, threes, fives, pooled))


def draw_head(g: Builder, channels: int, hidden: int, classes: int) -> None:
    """Draw the block ``Head``: a small classifier at the side, which brings gradients to early layers."""
    with g.block("Head", "A classifier at the side.") as b:
        x = b.input("x")
        x = b.add("AvgPool2d", x, kernel_size=5, stride=3)
        x = _convolution(b, x, "reduce", channels)
        x = b.add("Flatten", x)
        x = b.add("Linear", x, out_features=hidden)
        x = b.add("ReLU", x)
        x = b.add("Dropout", x, p=0.7)
        b.output(b.add("Linear", x, out_features=classes))


def _convolution(b: BlockBuilder, x: Slot, id: str, channels: Formula | int, kernel: int = 1) -> Ref:
    return b.add("ConvNormReLU", x, id=id, channels=channels, kernel=kernel)
