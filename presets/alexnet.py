"""Five convolutions and three linear layers: it won ImageNet in 2012 and began deep vision.

Compare the parameters on the nodes: 58.6 of its 61.1 million sit in the three linear layers, while nearly all
multiply-adds are in the convolutions. Pooling overlaps: windows of 3, steps of 2. The paper split the
network into two towers for two graphics cards; this is its author's later form with one.

Source: A. Krizhevsky, I. Sutskever, G. Hinton, ImageNet classification with deep convolutional neural
networks (2012); A. Krizhevsky, One weird trick for parallelizing convolutional neural networks (2014).
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.graph.build import Builder, Ref
from engine.graph.document import Slot
from presets._alexnet import NORMALIZATION, draw_classifier, draw_last_convolutions

TITLE = "AlexNet"
SUBTITLE = "8 layers, 61 million weights"
SHELF = "Architectures"
ROWS = ["C3"]
TIME = ""
SMALL_TIME = "5 s"


def build(g: Builder) -> None:
    """Draw the network in its full size."""
    image = g.add("Input", id="image", shape=(3, 224, 224))
    g.add("Output", _draw(g, image, (64, 192, 384, 256, 256), hidden=4096, classes=1000), id="scores")


def build_small(g: Builder) -> None:
    """An eighth of its width, on handwritten digits of 64 × 64 pixels.

    The strides of the first layers leave a map of 3 × 3 for the last three convolutions.
    """
    images = g.add("Digits", id="images", size=64)
    digit = _draw(g, images["image"], (8, 24, 48, 32, 32), hidden=128, classes=10)
    g.add("CrossEntropyLoss", digit, images["label"], id="loss")
    g.train("Adam", lr=0.002, epochs=12, batch_size=24)


def _draw(g: Builder, x: Slot, widths: Sequence[int], hidden: int, classes: int) -> Ref:
    first, second, *rest = widths
    x = g.add("Conv2d", x, out_channels=first, kernel_size=11, stride=4, padding=2)
    x = g.add("ReLU", x)
    x = g.add("LocalResponseNorm", x, **NORMALIZATION)
    x = g.add("MaxPool2d", x, kernel_size=3, stride=2)
    x = g.add("Conv2d", x, out_channels=second, kernel_size=5, padding=2)
    x = g.add("ReLU", x)
    x = g.add("LocalResponseNorm", x, **NORMALIZATION)
    x = g.add("MaxPool2d", x, kernel_size=3, stride=2)
    return draw_classifier(g, draw_last_convolutions(g, x, rest), hidden, classes)
