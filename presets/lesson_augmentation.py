"""A digit that is moved, turned and zoomed a little is still that digit: the network may see all of them.

A tenth of the digits trains, the rest is held out. Each time a digit comes by it looks a little different, so
that it cannot be learned by heart. Press Run, then run again without that layer and compare.

Source: P. Simard, D. Steinkraus, J. Platt, Best practices for convolutional neural networks applied to visual
document analysis (2003).
"""

from __future__ import annotations

from engine.graph.build import Builder

TITLE = "Never the same twice"
SUBTITLE = "augmentation, where examples are few"
SHELF = "Lessons"
ROWS = ["T14"]
TIME = "6 s"


def build(g: Builder) -> None:
    """Draw the network with its notes."""
    digits = g.add("Digits", id="digits", size=12, validation=0.9)
    moved = g.add("RandomAffine", digits, id="move")
    x = g.add("Conv2d", moved, id="conv1", out_channels=24, kernel_size=3, padding=1)
    x = g.add("MaxPool2d", g.add("ReLU", x))
    x = g.add("Conv2d", x, id="conv2", out_channels=48, kernel_size=3, padding=1)
    x = g.add("MaxPool2d", g.add("ReLU", x))
    x = g.add("Linear", g.add("Flatten", x), id="digit", out_features=10)
    g.add("CrossEntropyLoss", x, digits["label"], id="loss")
    g.train("Adam", lr=0.003, epochs=60, batch_size=16)
    g.note(
        "## What you see\n"
        "180 digits train, 1,617 are held out. **move** turns, shifts and zooms each of them by an amount of "
        "its own, every time it comes by. When the network is measured or used, it passes everything on.\n\n"
        "Open *Data* below the canvas: each digit, and under it what training sees."
    )
    g.note(
        "## Try\n"
        "- Press **Run** and remember the dashed curve at its end.\n"
        "- Select **move**, bypass it (right-click), and run again.\n"
        "- Give **move** 90 degrees: is a six still a six?\n"
        "- Put *Random erasing* or *Random blur* behind it.",
        color="amber",
    )
    g.note(
        "## Watch for\n"
        "Without **move** the training loss is soon near zero and the dashed curve turns and rises. With it "
        "training stays harder, and the held-out loss ends lower by a third or more.\n\nOnly vary what does "
        "not matter: a mirrored 3 is no digit.",
        color="teal",
    )
    g.frame("While training only", moved, color="green")
