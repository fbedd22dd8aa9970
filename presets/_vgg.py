"""What the VGG networks share: stages of 3×3 convolutions, and three linear layers."""

from __future__ import annotations

from collections.abc import Sequence

from engine.graph.build import Builder, Ref
from engine.graph.document import Slot


def draw_vgg(
    g: Builder,
    image: Slot,
    depths: Sequence[int],
    widths: Sequence[int] = (64, 128, 256, 512, 512),
    hidden: int = 4096,
    classes: int = 1000,
) -> Ref:
    """Draw a stage for each of ``depths`` and the classifier, and return its scores."""
    with g.block("ConvReLU", "A 3×3 convolution that keeps the size, and a rectifier.", channels=None) as b:
        x = b.input("x")
        x = b.add("Conv2d", x, id="conv", out_channels=b["channels"], kernel_size=3, padding=1)
        b.output(b.add("ReLU", x))
    with g.block("Stage", "Convolutions in a row, then half the size.", channels=None, depth=None) as b:
        x = b.input("x")
        x = b.add("ConvReLU", x, id="convs", channels=b["channels"], repeat=b["depth"])
        b.output(b.add("MaxPool2d", x))
    x = image
    for depth, channels in zip(depths, widths, strict=True):
        x = g.add("Stage", x, channels=channels, depth=depth)
    x = g.add("Flatten", x)
    for _ in range(2):
        x = g.add("Linear", x, out_features=hidden)
        x = g.add("ReLU", x)
        x = g.add("Dropout", x)
    return g.add("Linear", x, id="fc3", out_features=classes)
