"""The deepest of its family, still cheaper than VGG19: it won ImageNet in 2015.

Fifty blocks stand in eight nodes: select stage3, which repeats one bottleneck thirty-five times, and look at
the code. Compare the multiply-adds with VGG19's: 11.5 against 19.6 thousand million.

Source: K. He, X. Zhang, S. Ren, J. Sun, Deep residual learning for image recognition (2015).
"""

from __future__ import annotations

from engine.graph.build import Builder
from presets._resnet import BOTTLENECK, draw_resnet

TITLE = "ResNet-152"
SUBTITLE = "bottlenecks, 152 layers"
SHELF = "Architectures"
ROWS = ["C8"]
TIME = ""


def build(g: Builder) -> None:
    """Draw the network in its full size."""
    image = g.add("Input", id="image", shape=(3, 224, 224))
    g.add("Output", draw_resnet(g, image, BOTTLENECK, (3, 8, 36, 3)), id="scores")
