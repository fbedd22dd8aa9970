"""Blocks in code: one class for all uses, as a person would have written it, and the same numbers."""

from __future__ import annotations

import json

import pytest
import torch

from engine.compiler.analyze import analysis_inside, analyze
from engine.compiler.module import compile_document
from engine.errors import FileError
from engine.graph import blocks, edits
from engine.graph.build import Builder
from engine.graph.document import Document, Slot
from engine.layers.formula import Formula
from engine.storage.document_file import from_json, to_json


def bottlenecks() -> Document:
    g = Builder("Stack")
    with g.block("Bottleneck", "Narrow, look, widen.", channels=None, stride=1) as b:
        c, start = b["channels"], b.input("x")
        x = b.add("Conv2d", start, id="reduce", out_channels=c, kernel_size=1)
        x = b.add("ReLU", x)
        x = b.add("Conv2d", x, id="look", out_channels=c, stride=b["stride"], padding=1)
        x = b.add("Conv2d", x, id="widen", out_channels=c * 4, kernel_size=1)
        b.output(x)
    x = g.add("Input", id="image", shape=(3, 16, 16))
    x = g.add("Bottleneck", x, id="first", channels=4)
    x = g.add("Bottleneck", x, id="second", channels=6, stride=2, repeat=3)
    g.add("Output", x, id="maps")
    return g.document()


def test_one_class_serves_every_use():
    source = analyze(bottlenecks()).source.text
    assert source.count("class Bottleneck(nn.Module):") == 1
    assert '"""Narrow, look, widen."""' in source
    assert "def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:" in source
    assert "self.reduce = nn.Conv2d(in_channels, channels, 1)" in source
    assert "self.look = nn.Conv2d(channels, channels, 3, stride=stride, padding=1)" in source
    assert "self.widen = nn.Conv2d(channels, channels * 4, 1)" in source
    assert "self.first = Bottleneck(3, 4)" in source
    assert (
        "self.second = nn.Sequential(\n            Bottleneck(16, 6, stride=2), "
        "*(Bottleneck(24, 6, stride=2) for _ in range(2))\n        )\n" in source
    )


def test_the_module_has_the_parameters_and_shapes_that_were_told():
    analysis = analyze(bottlenecks())
    built = compile_document(bottlenecks())
    assert sum(p.numel() for p in built.model.parameters()) == analysis.total_parameters
    result = built.model(torch.zeros(2, 3, 16, 16))
    assert tuple(result.shape) == (2, 24, 2, 2)
    (told,) = (t for s, t in analysis.types.items() if s.node == "second")
    assert told.shape == ("N", 24, 2, 2)


def test_stepping_equals_the_module():
    built = compile_document(bottlenecks())
    image = torch.rand(2, 3, 16, 16)
    values = dict(built.steps(built.model, {"image": image}))
    assert torch.equal(values["second"]["output"], built.model(image))


def test_an_error_inside_leads_to_its_node():
    built = compile_document(bottlenecks())
    with pytest.raises(RuntimeError) as caught:
        built.model(torch.zeros(2, 5, 16, 16))
    assert built.locate(caught.value) in ("first", "Bottleneck/reduce")


def test_a_number_that_is_the_same_everywhere_stays_a_number():
    g = Builder("Same")
    with g.block("Pair") as b:
        b.output(b.add("Linear", b.add("Linear", b.input(), id="a", out_features=7), id="b", out_features=5))
    x = g.add("Pair", g.add("Input", shape=(5,)))
    g.add("Output", g.add("Pair", x, repeat=2))
    source = analyze(g.document()).source.text
    assert "nn.Linear(5, 7)" in source
    assert "def __init__(self) -> None:" in source
    assert "nn.Sequential(*(Pair() for _ in range(2)))" in source


def test_a_document_named_like_its_block_gets_another_class():
    source = analyze(bottlenecks().with_(name="Bottleneck")).source.text
    assert "class Bottleneck(nn.Module):" in source
    assert "class NetBottleneck(nn.Module):" in source


def test_nested_blocks_pass_their_arguments_down():
    g = Builder("Nested")
    with g.block("Unit", width=None) as b:
        b.output(b.add("ReLU", b.add("Linear", b.input(), id="fc", out_features=b["width"])))
    with g.block("Stage", width=8, depth=2) as b:
        b.output(b.add("Unit", b.input(), id="units", width=b["width"], repeat=b["depth"]))
    x = g.add("Stage", g.add("Input", shape=(3,)), id="narrow")
    x = g.add("Stage", x, id="wide", width=16, depth=3)
    g.add("Output", x)
    source = analyze(g.document()).source.text
    assert source.index("class Unit") < source.index("class Stage")
    assert (
        "nn.Sequential(Unit(in_features, width), *(Unit(width, width) for _ in range(depth - 1)))" in source
    )
    built = compile_document(g.document())
    assert built.model(torch.zeros(2, 3)).shape == (2, 16)
    assert sum(p.numel() for p in built.model.parameters()) == analyze(g.document()).total_parameters


def test_keys_of_the_weights_do_not_change_with_titles():
    document = bottlenecks()
    keys = list(compile_document(document).model.state_dict())
    assert "second.1.look.weight" in keys
    inner = edits.rename(blocks.inside(document, "Bottleneck"), "look", "The 3 × 3 convolution")
    document = edits.rename(blocks.outside(document, "Bottleneck", inner), "first", "Stem")
    assert list(compile_document(document).model.state_dict()) == keys


def test_grouping_keeps_the_numbers_and_ungrouping_the_code():
    g = Builder("Plain")
    x = g.add("Input", id="image", shape=(3, 8, 8))
    x = g.add("Conv2d", x, id="conv1", out_channels=4)
    x = g.add("ReLU", x, id="relu1")
    g.add("Output", g.add("Conv2d", x, id="conv2", out_channels=2), id="maps")
    plain = g.document()
    grouped, id = blocks.group(plain, ["conv1", "relu1"], "Stem")
    torch.manual_seed(0)
    a = compile_document(plain)
    torch.manual_seed(0)
    b = compile_document(grouped)
    image = torch.rand(2, 3, 8, 8)
    assert torch.equal(a.model(image), b.model(image))
    assert analyze(blocks.ungroup(grouped, id)).source.text == analyze(plain).source.text


def test_problems_inside_are_told_at_the_block():
    document = bottlenecks()
    inner = edits.set_params(blocks.inside(document, "Bottleneck"), "look", kernel_size=40)
    document = blocks.outside(document, "Bottleneck", inner)
    problem = analyze(document).errors[0]
    assert problem.node == "first"
    assert problem.message.startswith("In Bottleneck, look: Conv2d cannot take")
    missing = edits.set_params(bottlenecks(), "first", channels=None)
    assert analyze(missing).errors[0].message == "Bottleneck needs a value for channels."
    inner = edits.set_params(
        blocks.inside(bottlenecks(), "Bottleneck"), "look", out_channels=Formula("depth")
    )
    document = blocks.outside(bottlenecks(), "Bottleneck", inner)
    assert "no parameter 'depth'" in analyze(document).errors[0].message


def test_a_file_keeps_blocks_and_formulas():
    assert from_json(to_json(bottlenecks())) == bottlenecks()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"formula": "channels * 4"', '"formula": "__import__(1)"', "no formula"),
        ('"name": "Bottleneck"', '"name": "Linear"', "cannot name a block"),
        ('"channels": null', '"channels": "4"', "should be a whole number"),
        ('"channels": null', '"class": 3', "cannot name a parameter"),
        ('"type": "ReLU"', '"type": "Bottleneck"', "cannot contain itself"),
        ('"reduce.y", "relu1.x"', '"widen.y", "relu1.x"', "cycle"),
    ],
)
def test_a_file_with_a_wrong_block_is_refused(old, new, words):
    text = to_json(bottlenecks())
    assert old in text
    with pytest.raises(FileError) as caught:
        from_json(text.replace(old, new))
    assert words in "\n".join(caught.value.problems)


def test_analysis_of_a_block_shows_its_first_use():
    analysis = analyze(bottlenecks()).blocks["Bottleneck"]
    (told,) = (t for s, t in analysis.types.items() if s.node == "widen")
    assert told.shape == ("N", 16, 16, 16)
    assert analysis.parameters["reduce"] == 3 * 4 + 4
    line = analysis.source.lines["widen"][0]
    assert "self.widen" in analysis.source.text.splitlines()[line - 1]


def test_many_uses_of_one_kind_are_resolved_once():
    g = Builder("Deep")
    with g.block("Unit") as b:
        b.output(b.add("Linear", b.input(), out_features=9))
    x = g.add("Input", shape=(9,))
    for _ in range(20):
        x = g.add("Unit", x, repeat=10)
    g.add("Output", x)
    analysis = analyze(g.document())
    assert analysis.total_parameters == 200 * 90
    assert json.dumps(analysis.source.text).count("class ") == 2


def test_what_a_call_needs_of_the_parameters_is_kept_on_the_module():
    g = Builder("Net")
    with g.block("Shrink", size=None) as b:
        x = b.add("AdaptiveAvgPool2d", b.input(), id="pool", output_size=b["size"] * 2)
        b.output(b.add("MaxPool2d", x, id="size", kernel_size=b["size"] // 2))
    x = g.add("Shrink", g.add("Input", id="image", shape=(3, 32, 32)), id="first", size=8)
    g.add("Output", g.add("Shrink", x, id="second", size=4), id="maps")
    built = compile_document(g.document())
    images = torch.randn(2, 3, 32, 32)
    pool = torch.nn.functional
    wanted = pool.max_pool2d(pool.adaptive_avg_pool2d(images, 16), 4)
    wanted = pool.max_pool2d(pool.adaptive_avg_pool2d(wanted, 8), 2)
    assert torch.equal(built.model(images), wanted)


def test_what_is_told_inside_a_block_is_told_of_the_use_that_was_entered():
    whole = analyze(bottlenecks())
    first = analysis_inside(whole, ("Bottleneck",), (("first", 0),))
    later = analysis_inside(whole, ("Bottleneck",), (("second", 2),))
    assert str(first.types[Slot("look", "y")]) == "N×4×16×16"
    assert str(later.types[Slot("look", "y")]) == "N×6×2×2"
    assert str(later.types[Slot("x", "y")]) == "N×24×4×4"
    gone = analysis_inside(whole, ("Bottleneck",), (("gone", 0),))
    assert gone.types == first.types


def test_outputs_come_in_the_order_of_their_ports_whatever_was_connected_first():
    g = Builder("Net")
    with g.block("Fork") as b:
        x = b.input()
        b.output(b.add("ReLU", x, id="act"), "positive")
        b.output(b.add("Tanh", x, id="tanh"), "bounded")
    x = g.add("Input", id="image", shape=(4,))
    fork = g.add("Fork", x, id="fork")
    g.add("Output", g.add("Subtract", fork, fork["bounded"], id="difference"))
    document = g.document()
    inner = blocks.inside(document, "Fork")
    inner = inner.with_(edges=dict(reversed(inner.edges.items())))
    images = torch.randn(2, 4)
    result = compile_document(blocks.outside(document, "Fork", inner)).model(images)
    assert torch.equal(result, images.relu() - images.tanh())


def test_two_outputs_of_one_tensor_are_refused():
    g = Builder("Net")
    with g.block("Twice") as b:
        x = b.add("ReLU", b.input(), id="act")
        b.output(x, "one")
        b.output(x, "other")
    x = g.add("Twice", g.add("Input", id="image", shape=(4,)), id="twice")
    g.add("Add", x, x["other"], id="sum")
    (problem,) = analyze(g.document()).errors
    assert (problem.node, "same tensor" in problem.message) == ("twice", True)
