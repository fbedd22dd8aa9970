"""What a node would give with a wire that is not drawn yet."""

from __future__ import annotations

from engine.compiler.resolve import resolve
from engine.compiler.trial import try_node
from engine.graph import edits
from engine.graph.blocks import group, inside
from engine.graph.build import Builder
from engine.graph.document import Slot


def network():
    g = Builder("Trial")
    image = g.add("Input", id="image", shape=(3, 16, 16))
    conv = g.add("Conv2d", image, id="conv", out_channels=8, padding=1)
    g.add("ReLU", conv, id="relu")
    g.add("Linear", id="fc", out_features=4)
    g.add("Add", id="add")
    g.add("BatchNorm2d", id="norm")
    return g.document()


def tried(document, source, target):
    found = resolve(document)
    after = edits.connect(document, Slot(*source), Slot(*target))
    trial = try_node(after, target[0], found)
    whole = resolve(after)
    return trial, whole


def test_it_says_what_resolving_the_whole_would_say():
    for source, target in (
        (("relu", "y"), ("norm", "x")),
        (("image", "y"), ("relu", "x")),
        (("relu", "y"), ("fc", "x")),
        (("conv", "y"), ("add", "xs.0")),
    ):
        trial, whole = tried(network(), source, target)
        known = [whole.types[slot] for slot in whole.types if slot.node == target[0]]
        problems = [each.message for each in whole.problems if each.node == target[0]]
        assert list(trial.types) == known
        assert trial.reason == (problems[0] if problems else "")
        assert bool(trial.types) != bool(trial.reason)


def test_what_is_still_open_is_no_reason():
    g = Builder()
    a = g.add("Input", id="a", shape=(4,))
    g.add("CrossEntropyLoss", id="loss")
    document = g.document()
    trial, _ = tried(document, ("a", a.port), ("loss", "logits"))
    assert not trial.types
    assert trial.reason == ""


def test_nothing_is_told_where_the_source_is_not_known():
    trial, _ = tried(network(), ("fc", "y"), ("norm", "x"))
    assert not trial.types
    assert not trial.reason


def test_inside_of_a_block_its_parameters_hold():
    document, _ = group(network(), ["conv", "relu"], "Pair")
    found = resolve(document)
    inner = inside(document, "Pair")
    (use,) = next(iter(found.blocks.values()))
    after = edits.connect(inner, Slot("input", "y"), Slot("relu", "x"))
    assert str(try_node(after, "relu", use).types[0]) == "N×3×16×16"
