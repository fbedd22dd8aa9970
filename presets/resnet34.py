"""The deeper of the two networks of basic blocks: thirty-four layers.

The paper's own comparison: 34 plain layers are worse than 18, 34 with shortcuts are better. Only the repeats
of the stages differ from ResNet-18; change them on the nodes.

Source: K. He, X. Zhang, S. Ren, J. Sun, Deep residual learning for image recognition (2015).
"""

from __future__ import annotations

from engine.graph.build import Builder
from presets._resnet import BASIC, draw_resnet

TITLE = "ResNet-34"
SUBTITLE = "34 layers with shortcuts"
SHELF = "Architectures"
ROWS = ["C8"]
TIME = ""


def build(g: Builder) -> None:
    """Draw the network in its full size."""
    image = g.add("Input", id="image", shape=(3, 224, 224))
    g.add("Output", draw_resnet(g, image, BASIC, (3, 4, 6, 3)), id="scores")
