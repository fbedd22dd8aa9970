"""Inception blocks look with filters of several sizes at once; two side heads help them learn.

Open an inception block: 1×1 convolutions narrow what the large filters see, so that 22 layers need a ninth
of AlexNet's parameters. Delete head4a and head4d, as one does after training, and 6.6 of the 13 million
parameters remain. This is the form with batch normalization and without biases, whose third branch has 3×3
filters in the published weights; set the kernel of its conv5x5 to 5 for the paper's.

Source: C. Szegedy et al., Going deeper with convolutions (2014); S. Ioffe, C. Szegedy, Batch normalization
(2015).
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.graph.build import Builder, Ref
from engine.graph.document import Slot
from presets._googlenet import draw_convolution, draw_head, draw_inception

TITLE = "GoogLeNet"
SUBTITLE = "inception with side heads"
SHELF = "Architectures"
ROWS = ["C7"]
TIME = ""
SMALL_TIME = "5 s"

INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""The paper's table: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection."""


def build(g: Builder) -> None:
    """Draw the network in its full size."""
    draw_convolution(g)
    draw_inception(g, largest=3)
    draw_head(g, channels=128, hidden=1024, classes=1000)
    x = g.add("Input", id="image", shape=(3, 224, 224))
    x = g.add("ConvNormReLU", x, id="conv1", channels=64, kernel=7, stride=2)
    x = _half(g, x)
    x = g.add("ConvNormReLU", x, id="conv2", channels=64)
    x = g.add("ConvNormReLU", x, id="conv3", channels=192, kernel=3)
    scores, *side = _draw_inceptions(g, _half(g, x), classes=1000)
    g.add("Output", scores, id="scores")
    for head in side:
        g.add("Output", head, id=head.node.replace("head", "scores"))


def build_small(g: Builder) -> None:
    """Five of its nine inception blocks, a sixteenth as wide, on handwritten digits of 40 × 40 pixels.

    Each head has a loss of its own, which counts 0.3 as in the paper: does the early one learn first?
    """
    draw_convolution(g)
    draw_inception(g, largest=3)
    draw_head(g, channels=16, hidden=64, classes=10)
    images = g.add("Digits", id="images", size=40)
    x = g.add("ConvNormReLU", images["image"], id="conv1", channels=8, kernel=7, stride=2)
    names = ("3a", "3b", "4a", "4d", "5b")
    digit, *side = _draw_inceptions(g, _half(g, x), classes=10, names=names, divisor=16)
    g.add("CrossEntropyLoss", digit, images["label"], id="loss")
    for head in side:
        loss = g.add("CrossEntropyLoss", head, images["label"], id=head.node.replace("head", "loss"))
        g.add("Scale", loss, scale=0.3)
    g.train("Adam", lr=0.004, epochs=6, batch_size=32)
    g.schedule("CosineAnnealingLR", per="step")


def _half(g: Builder, x: Slot) -> Ref:
    return g.add("MaxPool2d", x, kernel_size=3, stride=2, padding=1)


def _draw_inceptions(
    g: Builder, x: Slot, classes: int, names: Iterable[str] = INCEPTIONS, divisor: int = 1
) -> list[Ref]:
    """Draw these inception blocks and what classifies behind them; return the scores, the heads' last."""
    places = {}
    for name in names:
        n1, reduce3, n3, reduce5, n5, pool = (width // divisor for width in INCEPTIONS[name])
        x = g.add(
            "Inception",
            x,
            id=f"mixed{name}",
            n1=n1,
            reduce3=reduce3,
            n3=n3,
            reduce5=reduce5,
            n5=n5,
            pool=pool,
        )
        places[name] = x
        if name in ("3b", "4e"):
            x = _half(g, x)
    x = g.add("AdaptiveAvgPool2d", x)
    x = g.add("Flatten", x)
    x = g.add("Dropout", x, p=0.4)
    scores = g.add("Linear", x, id="fc", out_features=classes)
    return [
        scores,
        *(g.add("Head", places[name], id=f"head{name}") for name in ("4a", "4d") if name in places),
    ]
