"""Blocks: grouped, entered, edited once and followed everywhere, unpacked again; their formulas."""

from __future__ import annotations

import pytest

from engine.errors import EditError, EngineError, ParameterError
from engine.graph import blocks, edits
from engine.graph.build import Builder
from engine.graph.document import Block, Document, Slot
from engine.layers.formula import Formula


@pytest.fixture
def chain() -> Document:
    g = Builder("Chain")
    x = g.add("Input", id="image", shape=(4, 8, 8))
    x = g.add("Conv2d", x, id="conv1", out_channels=8, padding=1)
    x = g.add("ReLU", x, id="relu1")
    x = g.add("Conv2d", x, id="conv2", out_channels=8, padding=1)
    x = g.add("Add", x, Slot("relu1", "y"), id="sum")
    g.add("Output", x, id="maps")
    return g.document()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("channels * 4", 64),
        ("(channels + 2) // 3", 6),
        ("-channels + 20", 4),
        ("7", 7),
        ("channels*channels", 256),
    ],
)
def test_formulas_compute(text, value):
    assert Formula(text).evaluate({"channels": 16}) == value


def test_formulas_are_written_with_operators():
    c = Formula("c")
    assert str((c + 1) * 4) == "(c + 1) * 4"
    assert ((c + 1) * 4 // 2).evaluate({"c": 3}) == 8


@pytest.mark.parametrize(
    "text",
    [
        "", "a.b", "a()", "__import__('os')", "a if b else c", "a ** b", "a / b", "1.5", "'x'", "a[0]",
        "lambda: 1", "True", "a; b", "a = 1", "(" * 300, "9" * 20, None, 3, "a\nb",
    ],
)  # fmt: skip
def test_anything_else_is_no_formula(text):
    with pytest.raises(ParameterError):
        Formula(text)


@pytest.mark.parametrize(
    ("text", "words"), [("width * 2", "no parameter 'width'"), ("1 // (c - c)", "divides by zero")]
)
def test_a_formula_that_cannot_be_computed_says_why(text, words):
    with pytest.raises(ParameterError, match=words):
        Formula(text).evaluate({"c": 1})


def test_grouping_makes_ports_of_what_crosses_the_border(chain):
    document, id = blocks.group(chain, ["conv2", "sum"], "Residual")
    block = document.blocks["Residual"]
    assert {node.type for node in block.nodes.values()} == {"Conv2d", "Add", "Input", "Output"}
    assert document.incoming(id) == {"input": Slot("relu1", "y")}
    assert document.edges[Slot("maps", "x")] == Slot(id, "output")
    assert blocks.layer_of(document, "Residual").role == "block"
    assert set(document.nodes) == {"image", "conv1", "relu1", "maps", id}


def test_unpacking_gives_the_same_graph_back(chain):
    grouped, id = blocks.group(chain, ["conv2", "sum"], "Residual")
    back = blocks.ungroup(grouped, id)
    assert dict(back.edges) == dict(chain.edges)
    assert {n: (v.type, v.params) for n, v in back.nodes.items()} == {
        n: (v.type, v.params) for n, v in chain.nodes.items()
    }


def test_a_group_that_a_path_leaves_and_enters_again_is_refused(chain):
    with pytest.raises(EditError, match="comes back"):
        blocks.group(chain, ["conv1", "conv2"], "Torn")


@pytest.mark.parametrize("name", ["", "small", "Linear", "A b", "1A", "import", "None", "F", "Tensor"])
def test_a_block_needs_a_name_of_its_own(chain, name):
    with pytest.raises(EditError):
        blocks.group(chain, ["conv2"], name)


@pytest.mark.parametrize("name", ["nn", "F", "class", "self", "repeat", "range", "a b", "1", ""])
def test_a_parameter_cannot_take_a_word_of_the_code(chain, name):
    document, _ = blocks.group(chain, ["conv2", "sum"], "Residual")
    with pytest.raises(EditError, match="cannot name a parameter"):
        blocks.set_params(document, "Residual", {name: 1})


def test_removing_a_parameter_drops_the_values_that_were_given_to_it(chain):
    document, id = blocks.group(chain, ["conv2", "sum"], "Residual")
    document = blocks.set_params(document, "Residual", {"width": 4})
    document = edits.set_params(document, id, width=7)
    assert dict(blocks.set_params(document, "Residual", {}).nodes[id].params) == {}


def test_data_and_losses_stay_outside():
    g = Builder()
    points = g.add("Spirals", id="points")
    g.add("CrossEntropyLoss", g.add("Linear", points, out_features=3), points["label"], id="loss")
    for id in ("points", "loss"):
        with pytest.raises(EditError, match="stay outside"):
            blocks.group(g.document(), [id], "Wrong")


def test_an_edit_inside_is_followed_by_every_use(chain):
    document, id = blocks.group(chain, ["conv2", "sum"], "Residual")
    inner = edits.set_params(blocks.inside(document, "Residual"), "conv2", kernel_size=5, padding=2)
    document = blocks.outside(document, "Residual", inner)
    assert document.blocks["Residual"].nodes["conv2"].params["kernel_size"] == 5
    assert document.nodes.keys() >= {id}


def test_a_block_cannot_contain_itself(chain):
    document, _ = blocks.group(chain, ["conv2", "sum"], "Residual")
    inner, _ = edits.add_node(blocks.inside(document, "Residual"), "Residual")
    with pytest.raises(EditError, match="cannot contain itself"):
        blocks.outside(document, "Residual", inner)


def test_unpacking_evaluates_formulas_and_asks_for_a_single_one():
    g = Builder()
    with g.block("Wide", channels=4) as b:
        b.output(b.add("Conv2d", b.input(), id="conv", out_channels=b["channels"] * 2))
    x = g.add("Input", shape=(1, 9, 9))
    x = g.add("Wide", x, id="one", channels=5)
    g.add("Wide", x, id="two", repeat=3)
    document = blocks.ungroup(g.document(), "one")
    assert document.nodes["conv"].params["out_channels"] == 10
    with pytest.raises(EditError, match="3 in a row"):
        blocks.ungroup(g.document(), "two")
    with pytest.raises(EngineError):
        blocks.with_block(document, Block("linear"))


def test_what_is_unpacked_stands_where_it_stood_with_its_titles_links_and_sharing():
    g = Builder()
    x = g.add("Input", id="image", shape=(4, 8, 8), at=(0, 0))
    first = g.add("Conv2d", x, id="first", out_channels=4, padding=1, at=(210, 31))
    again = g.again(first, g.add("ReLU", first, id="act", at=(430, 17)), id="again")
    g.add("Output", g.add("Add", again, first, id="sum", at=(901, 44)), id="out", at=(1200, 0))
    document = edits.rename(g.document(), "first", "The first one")
    document = edits.move(document, {"again": (655, 99)})
    grouped, id = blocks.group(document, ["first", "act", "again", "sum"], "Part")
    back = blocks.ungroup(grouped, id)
    assert dict(back.nodes) == dict(document.nodes)
    assert dict(back.edges) == dict(document.edges)


def test_a_name_that_is_taken_outside_stays_as_the_title(chain):
    grouped, id = blocks.group(chain, ["conv2", "sum"], "Residual")
    grouped, _ = edits.add_node(grouped, "ReLU", id="conv2")
    back = blocks.ungroup(grouped, id)
    assert back.nodes["conv22"].title == "conv2"


def test_a_block_in_a_block_is_unpacked_with_formulas_over_the_one_around(chain):
    g = Builder()
    with g.block("Inner", channels=4) as b:
        b.output(b.add("Conv2d", b.input(), id="conv", out_channels=b["channels"] * 2, padding=1))
    with g.block("Outer", width=4) as b:
        x = b.add("Inner", b.input(), id="one", channels=b["width"])
        b.output(b.add("Inner", x, id="two", channels=b["width"] + 1))
    document = g.document()
    inner = blocks.ungroup(blocks.ungroup(blocks.inside(document, "Outer"), "one"), "two")
    assert inner.nodes["conv"].params["out_channels"] == Formula("width * 2")
    assert inner.nodes["conv2"].params["out_channels"] == Formula("(width + 1) * 2")


def test_an_input_that_nothing_enters_leaves_no_gap_when_it_is_unpacked():
    g = Builder()
    with g.block("Pair") as b:
        b.output(b.add("Concatenate", b.input("a"), b.input("b"), id="joined"))
    x = g.add("Input", id="image", shape=(4, 8, 8))
    g.add("Pair", x, x, id="pair")
    document = blocks.ungroup(edits.disconnect(g.document(), [Slot("pair", "a")]), "pair")
    assert document.incoming("joined") == {"xs.0": Slot("image", "y")}
