"""Each digit is squeezed through eight numbers and drawn again.

Open Samples: the upper row is what came in, the lower what came out. Give the code fewer units and see which
digits begin to look alike.

Source: G. Hinton, R. Salakhutdinov, Reducing the dimensionality of data with neural networks (2006).
"""

from __future__ import annotations

from engine.graph.build import Builder

TITLE = "Autoencoder"
SUBTITLE = "squeeze and rebuild"
SHELF = "Start here"
ROWS = ["A4"]
TIME = "3 s"


def build(g: Builder) -> None:
    """Draw the network."""
    images = g.add("Digits", id="images", size=8)
    x = g.add("Flatten", images["image"])
    x = g.add("Linear", x, id="encode", out_features=64)
    x = g.add("ReLU", x)
    code = g.add("Linear", x, id="code", out_features=8)
    x = g.add("Linear", code, id="decode", out_features=64)
    x = g.add("ReLU", x)
    x = g.add("Linear", x, id="pixels", out_features=64)
    x = g.add("Sigmoid", x)
    x = g.add("Reshape", x, id="rebuilt", shape=(1, 8, 8))
    g.add("MSELoss", x, images["image"], id="loss")
    g.train("Adam", lr=0.003, epochs=60, batch_size=32)
