"""A hidden layer bends space until straight lines can part three spirals.

Press Run and watch the regions: the borders begin straight and curl up along the arms. Delete the ReLU to
see what a linear model is able to do here.

Source: spiral data as in the deep-learning course of Y. LeCun and A. Canziani, New York University (2020).
"""

from __future__ import annotations

from engine.graph.build import Builder

TITLE = "Spirals"
SUBTITLE = "three arms, regions live"
SHELF = "Start here"
ROWS = ["F5"]
TIME = "5 s"


def build(g: Builder) -> None:
    """Draw the network."""
    points = g.add("Spirals", id="points", samples=1000, arms=3, noise=0.02)
    hidden = g.add("Linear", points["point"], id="hidden", out_features=100)
    bent = g.add("ReLU", hidden)
    arm = g.add("Linear", bent, id="arm", out_features=3)
    g.add("CrossEntropyLoss", arm, points["label"], id="loss")
    g.train("Adam", lr=0.003, epochs=400, batch_size=64)
