"""A neuron weighs its inputs and adds a number: where two neurons agree, a straight line runs.

Press Run and watch the border of the regions turn and shift until it parts the two clouds. Select the layer
to read its weights: they are the direction of the line, the bias is where it lies.

Source: F. Rosenblatt, The perceptron: a probabilistic model for information storage (1958).
"""

from __future__ import annotations

from engine.graph.build import Builder

TITLE = "A neuron and its line"
SUBTITLE = "weights turn it, the bias shifts it"
SHELF = "Lessons"
ROWS = ["F2"]
TIME = "1 s"


def build(g: Builder) -> None:
    """Draw the network with its notes."""
    points = g.add("Gaussians", id="points", samples=400, clusters=2)
    neurons = g.add("Linear", points["point"], id="neurons", out_features=2)
    g.add("CrossEntropyLoss", neurons, points["label"], id="loss")
    g.train("SGD", lr=0.05, epochs=40, batch_size=16)
    g.note(
        "## What you see\n"
        "Each of two neurons computes **w · x + b**: it weighs the two coordinates of a point and adds its "
        "bias. The larger score names the cloud.\n\n"
        "Where both scores are equal runs a *straight line*. More a single layer cannot draw."
    )
    g.note(
        "## Try\n"
        "- Press **Run** and open *Regions and fit* below.\n"
        "- Select **neurons**, switch *Bias* off, run again: the line has to pass through the middle.\n"
        "- Give **points** three clusters and **neurons** three units.",
        color="amber",
    )
    g.note(
        "## Watch for\n"
        "The line turns quickly at first, then slowly: the fewer points are wrong, the smaller the gradient "
        "that moves it.\n\nPoints near the line keep pale colors: the network is not sure of them.",
        color="teal",
    )
    g.frame("Six numbers", neurons, color="blue")
