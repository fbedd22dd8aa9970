"""A network that is large for its data learns the points by heart, and knows less about new ones.

Press Run and watch the two curves part: the training loss goes on falling, the validation loss turns and
rises. That turning point is where one should have stopped.

Source: S. Geman, E. Bienenstock, R. Doursat, Neural networks and the bias/variance dilemma (1992).
"""

from __future__ import annotations

from engine.graph.build import Builder

TITLE = "Learning by heart"
SUBTITLE = "overfitting, and how to see it"
SHELF = "Lessons"
ROWS = ["T1"]
TIME = "4 s"


def build(g: Builder) -> None:
    """Draw the network with its notes."""
    points = g.add("Moons", id="points", samples=150, noise=0.4)
    x = g.add("Linear", points["point"], id="wide1", out_features=128)
    x = g.add("ReLU", x)
    second = g.add("Linear", x, id="wide2", out_features=128)
    x = g.add("ReLU", second)
    x = g.add("Linear", x, id="moon", out_features=2)
    g.add("CrossEntropyLoss", x, points["label"], id="loss")
    g.train("Adam", lr=0.001, epochs=300, batch_size=16)
    g.note(
        "## What you see\n"
        "About 17,000 weights for 150 noisy points. A part of the points is held out: the network never "
        "learns from them, they only measure it (*validation*, the dashed curve)."
    )
    g.note(
        "## Try\n"
        "- Press **Run**. At which step does the dashed curve turn?\n"
        "- Give **points** 1,000 samples.\n"
        "- Put *Dropout* behind **wide2**, or set *Weight decay* of the optimizer to 0.01.\n"
        "- Give both layers 8 units.",
        color="amber",
    )
    g.note(
        "## Watch for\n"
        "The border bends around single points: it has learned the noise. Training accuracy comes near "
        "100 %, validation accuracy does not.\n\nMore data helps most; a smaller or restrained network "
        "comes next.",
        color="teal",
    )
    g.frame("Far more than it needs", second, text="16,512 weights", color="rose")
