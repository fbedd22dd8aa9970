"""Units that begin alike stay alike: a layer of 32 of them is worth a single one.

Two networks, the same but for the numbers that they begin with. Press Run and compare their losses: the one
whose weights begin as one number cannot part three arms, however long it learns.

Source: X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural
networks (2010).
"""

from __future__ import annotations

from engine.graph.build import Builder, Ref

TITLE = "Beginnings"
SUBTITLE = "why weights begin at random"
SHELF = "Lessons"
ROWS = ["T7"]
TIME = "4 s"
WIDTH = 32


def build(g: Builder) -> None:
    """Draw both networks with their notes."""
    points = g.add("Spirals", id="points", at=(0, 0), samples=600)
    alike = _network(g, points, "alike", 0)
    random = _network(g, points, "random", 264)
    g.begin("constant", *alike, val=0.1)
    g.begin("xavier_uniform", *random)
    g.train("Adam", lr=0.01, epochs=60, batch_size=32)
    g.note(
        "## What you see\n"
        "The same network twice. In the upper one every weight begins at 0.1, in the lower one each begins "
        "at a random number of a size that suits its layer (*Xavier*).\n\n"
        "Select **alike1** and look at *Learning* at the right: that is where it is said."
    )
    g.note(
        "## Try\n"
        "- Press **Run** and compare the two losses.\n"
        "- Select **alike1** and look at *Filters*: all rows are the same, and stay so.\n"
        "- Let the upper layers begin as *Normal* with a deviation of 0.00001, then of 1.\n"
        "- Let all begin at zero: what moves at all?",
        color="amber",
    )
    g.note(
        "## Watch for\n"
        "Units with the same weights get the same gradient, so they take the same step. Chance is what parts "
        "them.\n\nIts size matters too: too small, and every layer passes on less than it got; too large, "
        "and *Tanh* is at its ends, where it is flat.",
        color="teal",
    )
    g.frame("32 times the same unit", *alike[:2], color="rose")
    g.frame("32 different ones", *random[:2], color="teal")


def _network(g: Builder, points: Ref, name: str, y: float) -> tuple[Ref, Ref, Ref]:
    """Draw one of the two at a height, and return its layers with weights."""
    first = g.add("Linear", points["point"], id=f"{name}1", at=(256, y), out_features=WIDTH)
    x = g.add("Tanh", first, at=(512, y))
    second = g.add("Linear", x, id=f"{name}2", at=(768, y), out_features=WIDTH)
    x = g.add("Tanh", second, at=(1024, y))
    arm = g.add("Linear", x, id=f"arm_{name}", at=(1280, y), out_features=3)
    g.add("CrossEntropyLoss", arm, points["label"], id=f"loss_{name}", at=(1536, y))
    return first, second, arm
