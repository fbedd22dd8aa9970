"""The same stages as in VGG16 with one more convolution in each of the last three.

Compare the two: three more layers cost 5.3 million parameters and a quarter more multiply-adds, and gained
next to nothing. Depth alone had come to its end until shortcuts were found.

Source: K. Simonyan, A. Zisserman, Very deep convolutional networks for large-scale image recognition (2014),
configuration E.
"""

from __future__ import annotations

from engine.graph.build import Builder
from presets._vgg import draw_vgg

TITLE = "VGG19"
SUBTITLE = "three layers more"
SHELF = "Architectures"
ROWS = ["C6"]
TIME = ""


def build(g: Builder) -> None:
    """Draw the network in its full size."""
    image = g.add("Input", id="image", shape=(3, 224, 224))
    g.add("Output", draw_vgg(g, image, (2, 2, 4, 4, 4)), id="scores")
