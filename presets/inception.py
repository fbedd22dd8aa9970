"""The idea of GoogLeNet: the same filters with and without 1×1 convolutions before them.

Both blocks look at 192 channels with as many filters of each size. Compare their parameters, and the channels
that leave them: naive pooling passes all 192 on, so that each block would be wider than the one before. Open
both to see what differs.

Source: C. Szegedy et al., Going deeper with convolutions (2014), figure 2.
"""

from __future__ import annotations

from engine.graph.build import Builder
from presets._googlenet import draw_convolution, draw_inception, draw_naive_inception

TITLE = "Inception block"
SUBTITLE = "naive and reduced, side by side"
SHELF = "Architectures"
ROWS = ["C7"]
TIME = ""


def build(g: Builder) -> None:
    """Draw both forms at the place of inception 3a."""
    draw_convolution(g)
    draw_naive_inception(g)
    draw_inception(g, largest=5)
    x = g.add("Input", id="features", shape=(192, 28, 28))
    naive = g.add("NaiveInception", x, id="naive", n1=64, n3=128, n5=32)
    reduced = g.add(
        "Inception",
        x,
        id="reduced",
        n1=64,
        reduce3=96,
        n3=128,
        reduce5=16,
        n5=32,
        pool=32,
    )
    g.add("Output", naive, id="wide")
    g.add("Output", reduced, id="narrow")
