"""Problems while one draws, and the buttons that mend them: pressed, nothing is wrong any more."""

from __future__ import annotations

import pytest

from engine.compiler.analyze import analyze
from engine.graph import edits
from engine.graph.blocks import inside, outside
from engine.graph.build import Builder
from engine.graph.document import Document, Slot
from engine.graph.settings import set_training
from engine.layers.declaration import TensorType


def image(shape: tuple[int, ...], *layers: tuple[str, dict]) -> Document:
    """Layers in a row after an input; the last is called ``tested``."""
    g = Builder()
    x = g.add("Input", id="x", shape=shape)
    for place, (type_, params) in enumerate(layers):
        x = g.add(type_, x, id="tested" if place == len(layers) - 1 else "", **params)
    g.add("Output", x)
    return g.document()


def press(document: Document, title: str) -> Document:
    """Press the only button there is, which has to be called so."""
    (problem,) = analyze(document).problems
    assert problem.fix is not None, problem.message
    assert problem.fix.title == title
    after = problem.fix.edit(document)
    assert analyze(after).problems == ()
    return after


def skip(narrow: dict, wide: dict, type_: str = "Add") -> Document:
    """Two convolutions of one image, added."""
    g = Builder()
    x = g.add("Input", shape=(3, 16, 16))
    a, b = (g.add("Conv2d", x, id=id, kernel_size=3, **p) for id, p in (("a", narrow), ("b", wide)))
    g.add("Output", g.add(type_, a, b, id="sum"))
    return g.document()


@pytest.mark.parametrize("type_", ["Add", "Multiply", "Subtract", "Divide"])
def test_a_1x1_convolution_widens_the_narrower_side(type_):
    document = skip({"out_channels": 8, "padding": 1}, {"out_channels": 24, "padding": 1}, type_)
    after = press(document, "Insert 1×1 convolution")
    (new,) = after.nodes.keys() - document.nodes.keys()
    assert after.incoming(new) == {"x": Slot("a", "y")}
    assert after.nodes[new].params == {"out_channels": 24, "kernel_size": 1}
    assert analyze(after).types[Slot("sum", "y")] == TensorType(("N", 24, 16, 16))


def test_a_stride_halves_the_larger_side():
    """As in the first block of each stage of a ResNet."""
    document = skip({"out_channels": 8, "padding": 1}, {"out_channels": 16, "padding": 1, "stride": 2})
    after = press(document, "Insert 1×1 convolution, stride 2")
    assert analyze(after).types[Slot("sum", "y")] == TensorType(("N", 16, 8, 8))


def test_sizes_that_no_stride_makes_equal_have_no_button():
    document = skip({"out_channels": 8}, {"out_channels": 8, "padding": 1})
    (problem,) = analyze(document).problems
    assert problem.fix is None
    assert "N×8×14×14" in problem.message


def test_vectors_are_made_equal_by_a_linear():
    g = Builder()
    x = g.add("Input", shape=(5,))
    wide = g.add("Linear", x, out_features=12)
    g.add("Output", g.add("Add", wide, x, id="sum"))
    after = press(g.document(), "Insert Linear to 12")
    assert analyze(after).types[Slot("sum", "y")] == TensorType(("N", 12))


@pytest.mark.parametrize(
    ("shape", "layer", "params", "title"),
    [
        ((6, 8, 8), "GroupNorm", {"num_groups": 4}, "Set groups to 3"),
        ((6, 8, 8), "Conv2d", {"groups": 4, "out_channels": 12}, "Set groups to 3"),
        ((1, 5, 5), "Conv2d", {"kernel_size": 7}, "Set kernel size to 5"),
        ((1, 3, 3), "MaxPool2d", {"kernel_size": 4}, "Set kernel size to 3"),
        ((10, 30), "MultiheadAttention", {"num_heads": 4}, "Set heads to 3"),
        ((10, 30), "TransformerEncoderLayer", {"nhead": 4}, "Set heads to 3"),
        ((30,), "LayerNorm", {"dims": 2}, "Set dimensions to 1"),
        ((32,), "Reshape", {"shape": (2, 4, 5)}, "Set shape to 2, 4, 4"),
        ((32,), "Unflatten", {"sizes": (4, 4)}, "Set sizes to 4, 8"),
        ((12,), "Chunk", {"chunks": 5}, "Set parts to 4"),
        ((12,), "Split", {"sizes": (5, 5)}, "Set sizes to 5, 7"),
    ],
)
def test_a_size_is_set_to_what_fits(shape, layer, params, title):
    g = Builder()
    x = g.add("Input", shape=shape)
    node = g.add(layer, x, id="tested", **params)
    for slot in [each for each in analyze(g.document()).types if each.node == "tested"] or [node]:
        g.add("Output", slot)
    document = g.document()
    problem = next(each for each in analyze(document).problems if each.node == "tested")
    assert problem.fix is not None, problem.message
    assert problem.fix.title == title
    assert not [each for each in analyze(problem.fix.edit(document)).problems if each.severity == "error"]


def regression(units: int, target: tuple[int, ...], loss: str = "MSELoss") -> Document:
    g = Builder()
    x = g.add("Linear", g.add("Input", shape=(4,)), id="head", out_features=units)
    g.add(loss, g.add("ReLU", x), g.add("Input", id="y", shape=target), id="loss")
    return g.document()


def test_the_last_layer_gets_the_width_of_the_target():
    after = press(regression(10, (3,)), "Set units of head to 3")
    assert after.nodes["head"].params["out_features"] == 3


@pytest.mark.parametrize("loss", ["MSELoss", "L1Loss", "HuberLoss"])
def test_a_column_loses_its_dimension_before_a_loss_on_numbers(loss):
    after = press(regression(1, (), loss), "Insert Squeeze")
    assert "Squeeze" in {node.type for node in after.nodes.values()}


def test_a_part_that_nobody_reads():
    g = Builder()
    parts = g.add("Chunk", g.add("Input", shape=(12,)), id="parts", chunks=3)
    g.add("Output", g.add("Add", parts, parts["part3"]))
    (problem,) = analyze(g.document()).problems
    assert (problem.node, problem.severity, problem.message) == (
        "parts",
        "warning",
        "Nothing reads its output part2.",
    )


def test_the_state_of_an_lstm_may_stay_unread():
    g = Builder()
    g.add("Output", g.add("LSTM", g.add("Input", shape=(7, 3))))
    assert analyze(g.document()).problems == ()


def test_batch_norm_on_batches_of_one_sample():
    document = image((3, 8, 8), ("Conv2d", {}), ("BatchNorm2d", {}))
    assert analyze(document).problems == ()
    after = press(set_training(document, batch_size=1), "Set batch size to 32")
    assert after.training.batch_size == 32


def test_batch_norm_inside_a_block_on_batches_of_one_sample():
    g = Builder()
    with g.block("Block") as b:
        b.output(b.add("BatchNorm1d", b.input()))
    g.add("Output", g.add("Block", g.add("Input", shape=(4,)), id="tested"))
    (problem,) = analyze(set_training(g.document(), batch_size=1)).problems
    assert problem.node == "tested"


def test_instance_norm_of_single_places_is_told():
    document = image((3, 8, 8), ("AdaptiveAvgPool2d", {"output_size": 1}), ("InstanceNorm2d", {}))
    (problem,) = analyze(document).problems
    assert "N×3×1×1 arrives: one place" in problem.message
    assert "before the pooling" in problem.message
    moved = edits.delete(document, ["tested"], heal=True)
    assert analyze(moved).problems == ()


def test_a_problem_inside_a_block_is_shown_and_mended_where_it_is():
    """From outside the block names its node; inside stands the node with its button."""
    g = Builder()
    with g.block("Inner") as b:
        b.output(b.add("GroupNorm", b.add("Conv2d", b.input(), out_channels=6), id="norm", num_groups=4))
    with g.block("Outer") as b:
        b.output(b.add("Inner", b.input(), id="deep"))
    g.add("Output", g.add("Outer", g.add("Input", shape=(3, 8, 8)), id="outer"))
    document = g.document()
    told = analyze(document)
    problem = next(each for each in told.problems if each.node == "outer")
    assert problem.message.startswith("In Outer, deep: In Inner, norm: GroupNorm divides 6 channels")
    (inner,) = told.blocks["Inner"].problems
    assert (inner.node, inner.fix.title) == ("norm", "Set groups to 3")
    assert told.blocks["Outer"].problems[0].node == "deep"
    mended = outside(document, "Inner", inner.fix.edit(inside(document, "Inner")))
    assert analyze(mended, told).problems == ()


def test_a_batch_that_does_not_come_first_has_no_button():
    g = Builder()
    a, b = (g.add("Permute", g.add("Input", shape=(4, 5, n)), dims=(1, 0, 2, 3)) for n in (6, 12))
    g.add("Output", g.add("Add", a, b, id="sum"))
    (problem,) = analyze(g.document()).problems
    assert (problem.node, problem.fix) == ("sum", None)
