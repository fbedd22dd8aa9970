"""Blocks taken from one document into another."""

from __future__ import annotations

import pytest

from engine.compiler.analyze import analyze
from engine.errors import EditError
from engine.graph.blocks import group, inside, outside
from engine.graph.build import Builder
from engine.graph.custom import TEMPLATE, add_custom
from engine.graph.document import Document, Slot
from engine.graph.edits import add_node, connect, move, set_params
from engine.graph.library import block_document, main_block, merge_block


def drawn(kernel: int = 3) -> Document:
    g = Builder("Drawn")
    with g.block("Unit", channels=8) as b:
        x = b.add("Conv2d", b.input(), id="conv", out_channels=b["channels"], kernel_size=kernel)
        b.output(b.add("ReLU", x, id="act"))
    with g.block("Stage", "Two units.") as b:
        x = b.add("Unit", b.input(), id="first", channels=4)
        b.output(b.add("Unit", x, id="second"))
    with g.block("Other") as b:
        b.output(b.add("ReLU", b.input(), id="act"))
    return g.document()


def types_in(document: Document, name: str) -> list[str]:
    return [
        node.type for node in document.blocks[name].nodes.values() if node.type not in ("Input", "Output")
    ]


def test_a_block_leaves_with_what_it_contains_and_nothing_else():
    alone = block_document(drawn(), "Stage")
    assert list(alone.blocks) == ["Unit", "Stage"]
    assert alone.name == "Stage"
    assert not alone.nodes
    assert main_block(alone) == "Stage"
    with pytest.raises(EditError, match="Did you mean 'Stage'"):
        block_document(drawn(), "Stag")


def test_the_block_of_a_file_is_the_one_of_its_name_or_the_outermost():
    both = drawn()
    assert main_block(both.with_(name="Unit")) == "Unit"
    assert main_block(block_document(both, "Stage").with_(name="A title")) == "Stage"
    with pytest.raises(EditError, match="no block"):
        main_block(Document("Empty"))


def test_a_merged_block_works_as_it_did():
    document, name = merge_block(Document(), block_document(drawn(), "Stage"), "Stage")
    document, source = add_node(document, "Input", {"shape": (3, 16, 16)})
    document, id = add_node(document, name)
    document = connect(document, Slot(source, "y"), Slot(id, "input"))
    assert str(analyze(document).types[Slot(id, "output")]) == "N×8×12×12"


def test_the_same_content_is_not_brought_twice():
    library = block_document(drawn(), "Stage")
    once, _ = merge_block(Document(), library, "Stage")
    again, name = merge_block(once, library, "Stage")
    assert (again, name) == (once, "Stage")
    moved = outside(once, "Unit", move(inside(once, "Unit"), {"conv": (900.0, 4.0)}))
    assert merge_block(moved, library, "Stage") == (moved, "Stage")


def test_other_content_gets_a_free_name_and_those_inside_follow():
    here, _ = merge_block(Document(), block_document(drawn(kernel=5), "Stage"), "Stage")
    document, name = merge_block(here, block_document(drawn(kernel=3), "Stage"), "Stage")
    assert name == "Stage2"
    assert types_in(document, "Stage") == ["Unit", "Unit"]
    assert types_in(document, "Stage2") == ["Unit2", "Unit2"]
    assert dict(document.blocks["Stage2"].nodes["first"].params) == {"channels": 4}
    again, name = merge_block(document, block_document(drawn(kernel=3), "Stage"), "Stage")
    assert (again, name) == (document, "Stage2")


def test_only_what_differs_inside_is_renamed():
    here = drawn()
    changed = outside(here, "Stage", set_params(inside(here, "Stage"), "first", channels=2))
    document, name = merge_block(here, block_document(changed, "Stage"), "Stage")
    assert name == "Stage2"
    assert types_in(document, "Stage2") == ["Unit", "Unit"]
    assert "Unit2" not in document.blocks


def test_a_block_is_not_put_into_itself():
    here = drawn()
    inner, name = merge_block(inside(here, "Unit"), block_document(here, "Stage"), "Stage")
    inner, _ = add_node(inner, name)
    with pytest.raises(EditError, match="cannot contain itself"):
        outside(here, "Unit", inner)


def test_custom_layers_come_along_and_must_agree():
    with_layer, name = add_custom(Document(), TEMPLATE.format(name="Mix"))
    with_layer, id = add_node(with_layer, name)
    with_layer, _ = group(with_layer, [id], "Mixed")
    library = block_document(with_layer, "Mixed")
    document, _ = merge_block(Document(), library, "Mixed")
    assert document.customs["Mix"].source == TEMPLATE.format(name="Mix")
    other, _ = add_custom(Document(), TEMPLATE.format(name="Mix").replace("0.5", "0.25"))
    with pytest.raises(EditError, match="another name"):
        merge_block(other, library, "Mixed")
