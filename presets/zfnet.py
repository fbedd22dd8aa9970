"""Seen from inside, the first layer was too coarse: 7×7 with stride 2 replaces 11×11 with 4.

Watch the sizes: the map behind the first layer is 110 × 110 where AlexNet's is 55 × 55, so fine structure
reaches the second layer. It is the network whose features the authors drew by deconvolution.

Source: M. Zeiler, R. Fergus, Visualizing and understanding convolutional networks (2013).
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.graph.build import Builder, Ref
from engine.graph.document import Slot
from presets._alexnet import NORMALIZATION, draw_classifier, draw_last_convolutions

TITLE = "ZFNet"
SUBTITLE = "a finer first layer"
SHELF = "Architectures"
ROWS = ["C4"]
TIME = ""
SMALL_TIME = "5 s"


def build(g: Builder) -> None:
    """Draw the network in its full size."""
    image = g.add("Input", id="image", shape=(3, 224, 224))
    g.add("Output", _draw(g, image, (96, 256, 384, 384, 256), hidden=4096, classes=1000), id="scores")


def build_small(g: Builder) -> None:
    """Far narrower, on handwritten digits of 64 × 64 pixels.

    The strides of the first layers leave a map of 3 × 3 for the last three convolutions.
    """
    images = g.add("Digits", id="images", size=64)
    digit = _draw(g, images["image"], (8, 24, 32, 32, 64), hidden=128, classes=10)
    g.add("CrossEntropyLoss", digit, images["label"], id="loss")
    g.train("Adam", lr=0.0015, epochs=10, batch_size=20)


def _draw(g: Builder, x: Slot, widths: Sequence[int], hidden: int, classes: int) -> Ref:
    first, second, *rest = widths
    x = g.add("Conv2d", x, out_channels=first, kernel_size=7, stride=2, padding=1)
    x = g.add("ReLU", x)
    x = g.add("MaxPool2d", x, kernel_size=3, stride=2, ceil_mode=True)
    x = g.add("LocalResponseNorm", x, **NORMALIZATION)
    x = g.add("Conv2d", x, out_channels=second, kernel_size=5, stride=2)
    x = g.add("ReLU", x)
    x = g.add("MaxPool2d", x, kernel_size=3, stride=2, ceil_mode=True)
    x = g.add("LocalResponseNorm", x, **NORMALIZATION)
    return draw_classifier(g, draw_last_convolutions(g, x, rest, ceil_mode=True), hidden, classes)
