"""A block's interface edited: names, order, ports and parameters, and every use follows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.compiler.analyze import analyze
from engine.errors import EditError, EngineError, FileError
from engine.graph import blocks, edits
from engine.graph.build import Builder
from engine.graph.document import About, Document, Slot
from engine.graph.interface import (
    add_parameter,
    add_port,
    describe,
    link_count,
    move_parameter,
    move_port,
    ports_of,
    remove_parameter,
    remove_port,
    rename_parameter,
    rename_port,
    set_default,
    ways_to,
)
from engine.layers.formula import Formula
from engine.storage.document_file import from_json, to_json


def network() -> Document:
    """Two uses of a block with two inputs and two outputs, one of them in another block."""
    g = Builder("Net")
    with g.block("Cell", channels=4, scale=2) as b:
        x, y = b.input("x"), b.input("y")
        both = b.add(
            "Add", b.add("Conv2d", x, id="conv", out_channels=b["channels"], padding="same"), y, id="both"
        )
        wide = b.add("Conv2d", both, id="wide", out_channels=b["channels"] * b["scale"], kernel_size=1)
        b.output(both, "same")
        b.output(wide, "wider")
    with g.block("Stage", width=4) as b:
        x = b.input()
        cell = b.add("Cell", x, x, id="cell", channels=b["width"])
        b.output(b.add("Concatenate", cell, cell["wider"], id="joined"))
    image = g.add("Input", id="image", shape=(4, 8, 8))
    cell = g.add("Cell", image, image, id="first", channels=4, scale=3)
    g.add("Output", cell["wider"], id="wide_out")
    g.add("Output", g.add("Stage", cell, id="stage"), id="maps")
    return g.document()


def types_of(document: Document) -> dict[Slot, object]:
    analysis = analyze(document)
    assert not analysis.problems
    return dict(analysis.types)


def test_renaming_a_port_keeps_every_link_to_it():
    before = network()
    after = rename_port(before, "Cell", "x", "image")
    after = rename_port(after, "Cell", "wider", "features")
    assert after.incoming("first") == {"image": Slot("image", "y"), "y": Slot("image", "y")}
    assert after.edges[Slot("wide_out", "x")] == Slot("first", "features")
    assert after.blocks["Stage"].edges[Slot("joined", "xs.1")] == Slot("cell", "features")
    assert after.blocks["Cell"].edges[Slot("conv", "x")] == Slot("image", "y")
    assert link_count(after) == link_count(before)
    code = analyze(after).source.text
    assert "def forward(self, image: Tensor, y: Tensor)" in code
    assert "features" in code
    assert [id for id in after.blocks["Cell"].nodes][:2] == ["image", "y"]


def test_moving_a_port_changes_the_order_of_the_arguments_and_nothing_else():
    before = network()
    after = move_port(before, "Cell", "y", 0)
    after = move_port(after, "Cell", "wider", 0)
    assert ports_of(after.blocks["Cell"], "Input") == ["y", "x"]
    assert [port.name for port in blocks.layer_of(after, "Cell").outputs] == ["wider", "same"]
    assert after != before, "mappings do not compare their order, documents do"
    assert after.edges == before.edges
    assert "def forward(self, y: Tensor, x: Tensor)" in analyze(after).source.text
    assert types_of(after) == types_of(before)
    assert from_json(to_json(after)) == after


def test_removing_a_port_drops_its_links_everywhere_and_closes_the_gaps():
    before = network()
    after = remove_port(before, "Cell", "same")
    assert link_count(before) - link_count(after) == 3
    assert {t: s for t, s in after.blocks["Stage"].edges.items() if t.node == "joined"} == {
        Slot("joined", "xs.0"): Slot("cell", "wider")
    }
    assert from_json(to_json(after)) == after


def test_deleting_a_port_s_node_inside_drops_the_links_outside_too():
    """A file would otherwise name ports that are not there, and could not be opened again."""
    before = network()
    after = blocks.outside(before, "Cell", edits.delete(blocks.inside(before, "Cell"), ["x"]))
    assert after.incoming("first") == {"y": Slot("image", "y")}
    assert from_json(to_json(after)) == after


def test_a_new_port_stands_below_the_last_and_may_have_a_name():
    document, name = add_port(network(), "Cell", "Input")
    assert name == "input"
    document, second = add_port(document, "Cell", "Input")
    assert second == "input2"
    graph = document.blocks["Cell"]
    assert ports_of(graph, "Input") == ["x", "y", "input", "input2"]
    assert graph.nodes["y"].position[1] < graph.nodes["input"].position[1] < graph.nodes["input2"].position[1]
    document, name = add_port(document, "Cell", "Output", "scores")
    assert ports_of(document.blocks["Cell"], "Output") == ["same", "wider", "scores"]


@pytest.mark.parametrize("name", ["", "a b", "class", "self", "1x", "nn", "conv", "y", "both", "ä"])
def test_a_port_needs_a_free_identifier(name):
    with pytest.raises(EditError, match=r"cannot name a port|already"):
        rename_port(network(), "Cell", "x", name)


def test_renaming_a_parameter_is_followed_by_formulas_and_uses():
    before = network()
    after = rename_parameter(before, "Cell", "channels", "scale_of_it")
    after = rename_parameter(after, "Cell", "scale", "channels")
    graph = after.blocks["Cell"]
    assert list(graph.params) == ["scale_of_it", "channels"]
    assert graph.nodes["wide"].params["out_channels"] == Formula("scale_of_it * channels")
    assert dict(after.nodes["first"].params) == {"channels": 3}
    assert dict(after.blocks["Stage"].nodes["cell"].params) == {"scale_of_it": Formula("width")}
    assert "scale_of_it" in analyze(after).source.text
    assert types_of(after) == types_of(before)


@pytest.mark.parametrize("name", ["", "a b", "class", "repeat", "range", "scale"])
def test_a_parameter_needs_a_free_identifier(name):
    with pytest.raises(EditError, match=r"cannot name a parameter|already"):
        rename_parameter(network(), "Cell", "channels", name)


def test_a_parameter_that_goes_leaves_its_default():
    after = remove_parameter(network(), "Cell", "scale")
    graph = after.blocks["Cell"]
    assert graph.nodes["wide"].params["out_channels"] == Formula("channels * 2")
    assert dict(after.nodes["first"].params) == {}
    after = remove_parameter(after, "Cell", "channels")
    assert after.blocks["Cell"].nodes["wide"].params["out_channels"] == 8
    assert dict(after.blocks["Stage"].nodes["cell"].params) == {}
    assert not analyze(after).problems


def test_a_parameter_without_a_default_cannot_go_while_something_depends_on_it():
    document = set_default(network(), "Cell", "channels", None)
    with pytest.raises(EditError, match="conv depends on channels, which has no default"):
        remove_parameter(document, "Cell", "channels")


def test_a_default_that_nothing_can_be_made_with_cannot_stand_there():
    document = set_default(network(), "Cell", "scale", 0)
    document = remove_parameter(set_default(document, "Cell", "channels", 1), "Cell", "channels")
    with pytest.raises(EditError, match="wide needs scale"):
        remove_parameter(document, "Cell", "scale")


def test_a_use_that_gave_what_is_the_default_now_follows_it():
    document = set_default(network(), "Cell", "scale", 3)
    assert dict(document.nodes["first"].params) == {}
    assert from_json(to_json(document)) == document


def test_a_range_is_kept_by_default_and_uses_and_travels_in_the_file():
    document = describe(network(), "Cell", "scale", min=1, max=3, doc="How much wider.")
    param = blocks.layer_of(document, "Cell").param("scale")
    assert (param.min, param.max, param.doc) == (1, 3, "How much wider.")
    assert from_json(to_json(document)) == document
    with pytest.raises(EngineError, match="from 1 to 3, not 4"):
        edits.set_params(document, "first", scale=4)
    with pytest.raises(EditError, match="first gives scale 3, outside of its range up to 2"):
        describe(network(), "Cell", "scale", max=2)
    with pytest.raises(EditError, match="The default of scale is 2, outside"):
        describe(network(), "Cell", "scale", min=3)
    with pytest.raises(EditError, match="before it begins"):
        describe(document, "Cell", "scale", min=4)
    with pytest.raises(EditError, match="outside"):
        set_default(document, "Cell", "scale", 9)
    cleared = describe(document, "Cell", "scale", min=None, max=None, doc="")
    assert cleared == network()
    moved = rename_parameter(document, "Cell", "scale", "factor")
    assert moved.blocks["Cell"].about == {"factor": About("How much wider.", 1, 3)}
    assert remove_parameter(document, "Cell", "scale").blocks["Cell"].about == {}


def test_moving_a_parameter_changes_the_order_of_the_constructor():
    after = move_parameter(network(), "Cell", "scale", 0)
    assert list(after.blocks["Cell"].params) == ["scale", "channels"]
    assert after != network()
    source = analyze(after).source.text
    assert source.index("scale: int") < source.index("channels: int")


def test_every_way_to_a_use_is_told():
    assert ways_to(network(), "Cell") == [(("first", 0),), (("stage", 0), ("cell", 0))]
    assert ways_to(network(), "Stage") == [(("stage", 0),)]


@st.composite
def edited(draw: st.DrawFn) -> Document:
    """Draw the network after some edits of its interfaces that remove nothing."""
    document = network()
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(["Cell", "Stage"]))
        block = document.blocks[name]
        kind = draw(st.sampled_from(["port", "move port", "param", "move param", "new param"]))
        word = draw(st.sampled_from(["alpha", "beta", "gamma", "delta", "x", "channels", "input"]))
        place = draw(st.integers(-1, 4))
        try:
            if kind == "port":
                document = rename_port(document, name, draw(st.sampled_from(block.ports)), word)
            elif kind == "move port":
                document = move_port(document, name, draw(st.sampled_from(block.ports)), place)
            elif kind == "param":
                document = rename_parameter(document, name, draw(st.sampled_from(list(block.params))), word)
            elif kind == "move param":
                document = move_parameter(document, name, draw(st.sampled_from(list(block.params))), place)
            elif kind == "new param":
                document = add_parameter(document, name, word, place)
        except EditError:
            continue
    return document


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(after=edited())
def test_whatever_is_renamed_and_reordered_the_network_stays_the_same(after: Document):
    before = network()
    assert link_count(after) == link_count(before)
    found = types_of(after)
    for id in ("wide_out", "maps"):
        assert found[after.edges[Slot(id, "x")]] == types_of(before)[before.edges[Slot(id, "x")]]
    analysis = analyze(after)
    assert analysis.total_parameters == analyze(before).total_parameters
    back = from_json(to_json(after))
    assert back == after
    for name, block in after.blocks.items():
        assert f"class {name}(nn.Module)" in analysis.source.text
        assert [port.name for port in blocks.layer_of(back, name).inputs] == ports_of(block, "Input")


def test_a_formula_that_leaves_the_range_is_told_at_the_use():
    document = set_default(describe(network(), "Cell", "channels", max=8), "Stage", "width", 9)
    (problem,) = analyze(document).problems
    assert problem.node == "stage"
    assert "Cell takes channels up to 8, not 9" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"min": 1', '"min": true', "whole numbers"),
        ('"min": 1', '"min": 3', "outside of its range"),
        ('"min": 1', '"least": 1', "no part of it"),
        ('"about": {"scale"', '"about": {"size"', "no parameter"),
        ('"expanded": [340, 0, 0]', '"expanded": [340, 0]', "three numbers"),
        ('"expanded": [340, 0, 0]', '"expanded": ["a", 0, 0]', "three numbers"),
        ('"expanded": [340, 0, 0]', '"expanded": [-1, 0, 0]', "three numbers"),
    ],
)
def test_a_file_with_a_wrong_range_or_size_is_refused_with_the_reason(old, new, words):
    document = describe(network(), "Cell", "scale", min=1)
    first = replace(document.nodes["first"], expanded=(340, 0, 0))
    document = document.with_(nodes={**document.nodes, "first": first})
    text = to_json(document)
    assert text.count(old) == 1
    with pytest.raises(FileError) as told:
        from_json(text.replace(old, new))
    assert words in told.value.message
