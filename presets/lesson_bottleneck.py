"""What passes through two numbers has to be what matters: an autoencoder finds it without any labels.

Press Run and open Samples: above what came in, below what was drawn again from two numbers. Give the code
more units and watch the drawings become sharp.

Source: G. Hinton, R. Salakhutdinov, Reducing the dimensionality of data with neural networks (2006).
"""

from __future__ import annotations

from engine.graph.build import Builder

TITLE = "The bottleneck"
SUBTITLE = "a digit in two numbers"
SHELF = "Lessons"
ROWS = ["A4"]
TIME = "3 s"


def build(g: Builder) -> None:
    """Draw the network with its notes."""
    images = g.add("Digits", id="images", size=8)
    flat = g.add("Flatten", images["image"])
    encode = g.add("Linear", flat, id="encode", out_features=64)
    x = g.add("ReLU", encode)
    code = g.add("Linear", x, id="code", out_features=2)
    decode = g.add("Linear", code, id="decode", out_features=64)
    x = g.add("ReLU", decode)
    pixels = g.add("Linear", x, id="pixels", out_features=64)
    x = g.add("Sigmoid", pixels)
    x = g.add("Reshape", x, id="rebuilt", shape=(1, 8, 8))
    g.add("MSELoss", x, images["image"], id="loss")
    g.train("Adam", lr=0.003, epochs=60, batch_size=32)
    g.note(
        "## What you see\n"
        "64 pixels go in, **two numbers** pass through the middle, 64 pixels are drawn again. The loss "
        "compares the drawing with the picture itself: nobody tells it which digit it is."
    )
    g.note(
        "## Try\n"
        "- Press **Run** and open *Samples*.\n"
        "- Give **code** 1, 4, 8, 32 units and compare the losses.\n"
        "- Take both ReLUs out: what is left is principal component analysis.",
        color="amber",
    )
    g.note(
        "## Watch for\n"
        "With two numbers 0, 4 and 6 come out well, 5 and 8 melt into others: what they share is kept, what "
        "tells them apart is lost.",
        color="teal",
    )
    g.frame("Two numbers", code, text="All that is left of a picture", color="amber")
