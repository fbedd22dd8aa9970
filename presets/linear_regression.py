"""A straight line through noisy points, found by gradient descent.

Press Run and watch the line turn into the dashed one: that is the closed solution, (XᵀX)⁻¹Xᵀy, which needs no
training at all.

Source: A.-M. Legendre, Nouvelles méthodes pour la détermination des orbites des comètes (1805).
"""

from __future__ import annotations

from engine.graph.build import Builder

TITLE = "Linear regression"
SUBTITLE = "gradient descent on a line"
SHELF = "Foundations"
ROWS = ["F1"]
TIME = "1 s"


def build(g: Builder) -> None:
    """Draw the network."""
    data = g.add("Line", id="data", samples=200, features=1, noise=0.1)
    line = g.add("Linear", data["x"], id="line", out_features=1)
    g.add("MSELoss", line, data["y"], id="loss")
    g.train("SGD", lr=0.1, epochs=100, batch_size=160)
