"""Shortcuts let a signal pass every block unchanged, so that depth stops hurting: eighteen layers.

Open stage1: what enters a block is added to what its two convolutions make of it, so they learn the
difference alone. Where size or channels change, project2 to project4 send the shortcut through a 1×1
convolution.

Source: K. He, X. Zhang, S. Ren, J. Sun, Deep residual learning for image recognition (2015).
"""

from __future__ import annotations

from engine.graph.build import Builder
from presets._resnet import BASIC, draw_resnet

TITLE = "ResNet-18"
SUBTITLE = "18 layers with shortcuts"
SHELF = "Architectures"
ROWS = ["C8"]
TIME = ""
SMALL_TIME = "5 s"


def build(g: Builder) -> None:
    """Draw the network in its full size."""
    image = g.add("Input", id="image", shape=(3, 224, 224))
    g.add("Output", draw_resnet(g, image, BASIC, (2, 2, 2, 2)), id="scores")


def build_small(g: Builder) -> None:
    """All eighteen layers at an eighth of their width, on handwritten digits of 28 × 28 pixels.

    The paper's experiment: open a block, cut its shortcut and train again.
    """
    images = g.add("Digits", id="images", size=28)
    digit = draw_resnet(g, images["image"], BASIC, (2, 2, 2, 2), width=8, classes=10)
    g.add("CrossEntropyLoss", digit, images["label"], id="loss")
    g.train("Adam", lr=0.003, epochs=8, batch_size=32)
