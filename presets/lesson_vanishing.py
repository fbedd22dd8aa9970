"""Each sigmoid passes on a quarter of the gradient at most: after eight layers nothing is left to learn from.

Two networks of the same depth learn the same points side by side. Press Run and compare the numbers on their
losses: the plain one does not move, the one with shortcuts learns.

Source: K. He, X. Zhang, S. Ren, J. Sun, Deep residual learning for image recognition (2015).
"""

from __future__ import annotations

from engine.graph.build import Builder, Ref

TITLE = "Vanishing gradients"
SUBTITLE = "eight layers, with and without shortcuts"
SHELF = "Lessons"
ROWS = ["T2"]
TIME = "5 s"
WIDTH, DEPTH = 16, 8


def build(g: Builder) -> None:
    """Draw both networks with their notes."""
    with g.block("Plain", "A layer as it was built for decades.") as b:
        x = b.add("Linear", b.input(), out_features=WIDTH)
        b.output(b.add("Sigmoid", x))
    with g.block("Shortcut", "The same layer, added to what enters it.") as b:
        entry = b.input()
        x = b.add("Linear", entry, out_features=WIDTH)
        b.output(b.add("Add", entry, b.add("Sigmoid", x)))
    points = g.add("Moons", id="points", at=(0, 0), samples=400, noise=0.1)
    plain = _network(g, points, "Plain", 0)
    shortcut = _network(g, points, "Shortcut", 264)
    g.train("SGD", lr=0.1, momentum=0.9, epochs=60, batch_size=32)
    g.note(
        "## What you see\n"
        "Two networks, eight layers deep, on the same points. Double-click **plain** and **shortcut** to "
        "look inside: they differ by one wire, past the layer and into a sum.\n\n"
        "A sigmoid is at most a quarter as steep as its input. Eight of them: **0.25⁸ = 0.000015**."
    )
    g.note(
        "## Try\n"
        "- Press **Run** and compare the two losses at the right.\n"
        "- Compare **|g|** on **first_plain** and **first_shortcut**: how much of the gradient arrives?\n"
        "- Open **plain** and replace Sigmoid by *ReLU*.\n"
        "- Set *Repeat* of both to 2, then to 20.",
        color="amber",
    )
    g.note(
        "## Watch for\n"
        "Through the sum the gradient passes unchanged, whatever the layer beside it does. That is why "
        "networks of a hundred layers can be trained at all.",
        color="teal",
    )
    g.frame("Nothing arrives", plain, color="rose")
    g.frame("A way past", shortcut, color="teal")


def _network(g: Builder, points: Ref, block: str, y: float) -> Ref:
    """Draw one of the two at a height, and return its deep part."""
    name = block.lower()
    x = g.add("Linear", points["point"], id=f"first_{name}", at=(256, y), out_features=WIDTH)
    deep = g.add(block, x, id=name, at=(512, y), repeat=DEPTH)
    scores = g.add("Linear", deep, id=f"moon_{name}", at=(768, y), out_features=2)
    g.add("CrossEntropyLoss", scores, points["label"], id=f"loss_{name}", at=(1024, y))
    return deep
