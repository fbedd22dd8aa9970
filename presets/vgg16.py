"""Nothing but 3×3 convolutions, thirteen of them: two see as far as one 5×5, with fewer weights.

Open a stage to see its row of convolutions. Each stage halves the size and, up to 512, doubles the channels.
Compare fc1 with all the stages: it alone holds 102.8 of the 138.4 million parameters.

Source: K. Simonyan, A. Zisserman, Very deep convolutional networks for large-scale image recognition (2014),
configuration D.
"""

from __future__ import annotations

from engine.graph.build import Builder
from presets._vgg import draw_vgg

TITLE = "VGG16"
SUBTITLE = "deep, of 3×3 alone"
SHELF = "Architectures"
ROWS = ["C5"]
TIME = ""
SMALL_TIME = "5 s"


def build(g: Builder) -> None:
    """Draw the network in its full size."""
    image = g.add("Input", id="image", shape=(3, 224, 224))
    g.add("Output", draw_vgg(g, image, (2, 2, 3, 3, 3)), id="scores")


def build_small(g: Builder) -> None:
    """Three stages of two convolutions, on handwritten digits of 16 × 16 pixels.

    Thirteen would hardly begin to learn without normalization; the authors grew theirs from a shallow one.
    """
    images = g.add("Digits", id="images", size=16)
    digit = draw_vgg(g, images["image"], (2, 2, 2), widths=(8, 16, 32), hidden=64, classes=10)
    g.add("CrossEntropyLoss", digit, images["label"], id="loss")
    g.train("Adam", lr=0.0015, epochs=14, batch_size=32)
