"""A filter slides over a picture and answers wherever it finds its pattern; learning finds the patterns.

Press Run, select the convolution and open Filters: eight small patterns form out of noise. The maps on the
node show where each of them answers on the digit that goes through.

Source: Y. LeCun and others, Backpropagation applied to handwritten zip code recognition (1989).
"""

from __future__ import annotations

from engine.graph.build import Builder

TITLE = "What a convolution sees"
SUBTITLE = "eight filters read digits"
SHELF = "Lessons"
ROWS = ["C1"]
TIME = "4 s"


def build(g: Builder) -> None:
    """Draw the network with its notes."""
    images = g.add("Digits", id="images", size=28)
    filters = g.add("Conv2d", images["image"], id="filters", out_channels=8, kernel_size=7)
    answers = g.add("ReLU", filters, id="answers")
    smaller = g.add("MaxPool2d", answers, id="smaller", kernel_size=2)
    flat = g.add("Flatten", smaller)
    digit = g.add("Linear", flat, id="digit", out_features=10)
    g.add("CrossEntropyLoss", digit, images["label"], id="loss")
    g.train("Adam", lr=0.002, epochs=10, batch_size=32)
    g.note(
        "## What you see\n"
        "**filters** holds eight patterns of 7 × 7 weights. Each slides over the whole picture and gives a "
        "map of *where* it fits: 8 maps of 22 × 22.\n\n"
        "The same 49 weights serve every place, so 400 numbers do what a full layer needs millions for."
    )
    g.note(
        "## Try\n"
        "- Press **Run**, select **filters**, open *Filters* and *Activations* below.\n"
        "- Step through the samples: which filter answers to upright strokes?\n"
        "- Give **filters** a *Kernel size* of 3, then of 15.\n"
        "- Take **smaller** out (Ctrl+Delete) and look at the parameters of **digit**.",
        color="amber",
    )
    g.note(
        "## Watch for\n"
        "Some filters become edges in one direction, some blobs, some stay noise: those are *dead* or not "
        "needed.\n\nAfter pooling the maps are coarse, yet the digit can still be read from them.",
        color="teal",
    )
    g.frame("Where is what", filters, answers, text="One map for each pattern", color="blue")
