"""Convolutions find strokes, pooling lets them shift, linear layers name the digit.

Select conv1 and watch its six filters form; the feature maps on the nodes show what each of them answers to.

Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition
(1998).
"""

from __future__ import annotations

from engine.graph.build import Builder

TITLE = "LeNet-5"
SUBTITLE = "read handwritten digits"
SHELF = "Start here"
ROWS = ["C2"]
TIME = "5 s"


def build(g: Builder) -> None:
    """Draw the network."""
    images = g.add("Digits", id="images", size=28)
    x = g.add("Conv2d", images["image"], out_channels=6, kernel_size=5, padding=2)
    x = g.add("Tanh", x)
    x = g.add("AvgPool2d", x)
    x = g.add("Conv2d", x, out_channels=16, kernel_size=5)
    x = g.add("Tanh", x)
    x = g.add("AvgPool2d", x)
    x = g.add("Flatten", x)
    x = g.add("Linear", x, out_features=120)
    x = g.add("Tanh", x)
    x = g.add("Linear", x, out_features=84)
    x = g.add("Tanh", x)
    digit = g.add("Linear", x, id="digit", out_features=10)
    g.add("CrossEntropyLoss", digit, images["label"], id="loss")
    g.train("Adam", lr=0.002, epochs=20, batch_size=32)
