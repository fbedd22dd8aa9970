"""Bottlenecks replace the pairs of convolutions: deeper than thirty-four layers at the same cost.

Open stage1: a 1×1 convolution narrows 256 channels to 64, the 3×3 works on these, another 1×1 widens them
again. Select a stage and compare its parameters with those of ResNet-34.

Source: K. He, X. Zhang, S. Ren, J. Sun, Deep residual learning for image recognition (2015).
"""

from __future__ import annotations

from engine.graph.build import Builder
from presets._resnet import BOTTLENECK, draw_resnet

TITLE = "ResNet-50"
SUBTITLE = "bottlenecks, 50 layers"
SHELF = "Architectures"
ROWS = ["C8"]
TIME = ""
SMALL_TIME = "5 s"


def build(g: Builder) -> None:
    """Draw the network in its full size."""
    image = g.add("Input", id="image", shape=(3, 224, 224))
    g.add("Output", draw_resnet(g, image, BOTTLENECK, (3, 4, 6, 3)), id="scores")


def build_small(g: Builder) -> None:
    """Two bottlenecks in each stage, a sixteenth as wide, on handwritten digits of 32 × 32 pixels.

    Raise the repeat of a stage and train again: more depth, and it still learns.
    """
    images = g.add("Digits", id="images", size=32)
    digit = draw_resnet(g, images["image"], BOTTLENECK, (2, 2, 2, 2), width=4, classes=10)
    g.add("CrossEntropyLoss", digit, images["label"], id="loss")
    g.train("Adam", lr=0.003, epochs=8, batch_size=32)
