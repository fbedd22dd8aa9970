"""The third stage grows from six bottlenecks to twenty-three: a hundred and one layers.

Set the repeat of stage3 and watch parameters and multiply-adds: each more adds 1.1 million. It became the
backbone of detection and segmentation networks.

Source: K. He, X. Zhang, S. Ren, J. Sun, Deep residual learning for image recognition (2015).
"""

from __future__ import annotations

from engine.graph.build import Builder
from presets._resnet import BOTTLENECK, draw_resnet

TITLE = "ResNet-101"
SUBTITLE = "bottlenecks, 101 layers"
SHELF = "Architectures"
ROWS = ["C8"]
TIME = ""


def build(g: Builder) -> None:
    """Draw the network in its full size."""
    image = g.add("Input", id="image", shape=(3, 224, 224))
    g.add("Output", draw_resnet(g, image, BOTTLENECK, (3, 4, 23, 3)), id="scores")
