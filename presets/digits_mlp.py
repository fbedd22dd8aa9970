"""Every pixel of a handwritten digit reaches every hidden unit.

Select the first layer and open Filters: each unit has drawn the strokes it looks for.

Source: D. Rumelhart, G. Hinton, R. Williams, Learning representations by back-propagating errors (1986).
"""

from __future__ import annotations

from engine.graph.build import Builder

TITLE = "Digits, fully connected"
SUBTITLE = "two hidden layers read digits"
SHELF = "Foundations"
ROWS = ["F6"]
TIME = "2 s"


def build(g: Builder) -> None:
    """Draw the network."""
    images = g.add("Digits", id="images", size=8)
    x = g.add("Flatten", images["image"])
    x = g.add("Linear", x, out_features=128)
    x = g.add("ReLU", x)
    x = g.add("Linear", x, out_features=64)
    x = g.add("ReLU", x)
    digit = g.add("Linear", x, id="digit", out_features=10)
    g.add("CrossEntropyLoss", digit, images["label"], id="loss")
    g.train("Adam", lr=0.002, epochs=30, batch_size=32)
