"""What the residual networks share: two kinds of residual blocks, and the network around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.graph.build import BlockBuilder, Builder, Ref
from engine.graph.document import Slot
from engine.layers.formula import Formula


@dataclass(frozen=True)
class Kind:
    """A residual block: the kernels of its convolutions, and how many times wider the last one is."""

    name: str
    kernels: tuple[int, ...]
    widening: int

    def wide(self, channels: Formula | int) -> Formula | int:
        """Return how many channels leave the block."""
        return channels if self.widening == 1 else channels * self.widening


BASIC = Kind("BasicBlock", (3, 3), widening=1)
BOTTLENECK = Kind("Bottleneck", (1, 3, 1), widening=4)


def draw_resnet(
    g: Builder, image: Slot, kind: Kind, depths: Sequence[int], width: int = 64, classes: int = 1000
) -> Ref:
    """Draw a residual network of four stages and return its scores; ``width`` doubles from stage to stage."""
    _draw_blocks(g, kind)
    x = g.add("Conv2d", image, out_channels=width, kernel_size=7, stride=2, padding=3, bias=False)
    x = g.add("BatchNorm2d", x)
    x = g.add("ReLU", x)
    x = g.add("MaxPool2d", x, kernel_size=3, stride=2, padding=1)
    arriving = width
    for stage, depth in enumerate(depths, start=1):
        channels, stride = width * 2 ** (stage - 1), 1 if stage == 1 else 2
        if arriving != kind.wide(channels):
            x = g.add("Projection", x, id=f"project{stage}", channels=channels, stride=stride)
            depth, arriving = depth - 1, kind.wide(channels)
        x = g.add(kind.name, x, id=f"stage{stage}", channels=channels, repeat=depth)
    x = g.add("AdaptiveAvgPool2d", x)
    x = g.add("Flatten", x)
    return g.add("Linear", x, id="fc", out_features=classes)


def _draw_blocks(g: Builder, kind: Kind) -> None:
    count = {2: "Two", 3: "Three"}[len(kind.kernels)]
    with g.block(kind.name, f"{count} convolutions beside an identity shortcut.", channels=None) as b:
        x = b.input("x")
        y = _branch(b, x, kind, 1)
        b.output(b.add("ReLU", b.add("Add", y, x)))
    notes = f"{count} convolutions beside a shortcut that projects to their size."
    with g.block("Projection", notes, channels=None, stride=2) as b:
        x = b.input("x")
        y = _branch(b, x, kind, b["stride"])
        wide = kind.wide(b["channels"])
        x = b.add(
            "Conv2d", x, id="shortcut", out_channels=wide, kernel_size=1, stride=b["stride"], bias=False
        )
        x = b.add("BatchNorm2d", x)
        b.output(b.add("ReLU", b.add("Add", y, x)))


def _branch(b: BlockBuilder, x: Slot, kind: Kind, stride: Formula | int) -> Ref:
    """Draw the convolutions of a block; the first 3×3 takes the stride, as in the published weights."""
    last = len(kind.kernels) - 1
    for place, kernel in enumerate(kind.kernels):
        channels = kind.wide(b["channels"]) if place == last else b["channels"]
        step = stride if place == kind.kernels.index(3) else 1
        x = b.add(
            "Conv2d",
            x,
            out_channels=channels,
            kernel_size=kernel,
            stride=step,
            padding=kernel // 2,
            bias=False,
        )
        x = b.add("BatchNorm2d", x)
        x = b.add("ReLU", x) if place < last else x
    return x
