"""Two linear layers in a row are one linear layer: without a bend between them depth adds nothing.

Press Run: with a hundred hidden units the borders stay straight and more than a third of the points are
wrong. Then put a ReLU into the wire between the layers.

Source: M. Minsky, S. Papert, Perceptrons: an introduction to computational geometry (1969).
"""

from __future__ import annotations

from engine.graph.build import Builder

TITLE = "Why layers need a bend"
SUBTITLE = "spirals, with and without ReLU"
SHELF = "Lessons"
ROWS = ["F5"]
TIME = "3 s"


def build(g: Builder) -> None:
    """Draw the network with its notes."""
    points = g.add("Spirals", id="points", samples=1000, arms=3, noise=0.02)
    hidden = g.add("Linear", points["point"], id="hidden", out_features=100)
    arm = g.add("Linear", hidden, id="arm", out_features=3)
    g.add("CrossEntropyLoss", arm, points["label"], id="loss")
    g.train("Adam", lr=0.003, epochs=200, batch_size=64)
    g.note(
        "## What you see\n"
        "A network of two layers and 603 weights that cannot learn three spirals. The second layer weighs "
        "what the first has weighed: **B(Ax) = (BA)x**, and that is *one* layer again.\n\n"
        "Its borders are straight lines, however long it trains."
    )
    g.note(
        "## Try\n"
        "- Press **Run** and keep the accuracy in mind.\n"
        "- Double-click the wire between **hidden** and **arm**, type *relu*, press Enter. Run again.\n"
        "- Replace ReLU by *Tanh*, then by *Identity*.",
        color="amber",
    )
    g.note(
        "## Watch for\n"
        "With the bend the regions curl up along the arms. Each unit of **hidden** now folds the plane along "
        "its own line; a hundred folds make a spiral.",
        color="teal",
    )
    g.frame("One layer in disguise", hidden, arm, text="Nothing bends between them", color="rose")
