"""What AlexNet and ZFNet share behind their first two convolutions."""

from __future__ import annotations

from collections.abc import Sequence

from engine.graph.build import Builder, Ref
from engine.graph.document import Slot

NORMALIZATION = {"size": 5, "alpha": 5e-4, "beta": 0.75, "k": 2.0}
"""The paper's constants; it sums over the five channels where torch averages, hence five times its alpha."""


def draw_last_convolutions(g: Builder, x: Slot, widths: Sequence[int], ceil_mode: bool = False) -> Ref:
    """Draw three 3×3 convolutions in a row and the last pooling."""
    for channels in widths:
        x = g.add("Conv2d", x, out_channels=channels, kernel_size=3, padding=1)
        x = g.add("ReLU", x)
    return g.add("MaxPool2d", x, kernel_size=3, stride=2, ceil_mode=ceil_mode)


def draw_classifier(g: Builder, x: Slot, hidden: int, classes: int) -> Ref:
    """Draw three linear layers with dropout before the first two, and return the scores."""
    x = g.add("Flatten", x)
    for _ in range(2):
        x = g.add("Dropout", x)
        x = g.add("Linear", x, out_features=hidden)
        x = g.add("ReLU", x)
    return g.add("Linear", x, id="fc3", out_features=classes)
