"""Muted and bypassed nodes: what is left of a graph, as pure values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import EditError, FileError
from engine.graph import edits
from engine.graph.blocks import group, inside, outside
from engine.graph.build import Builder
from engine.graph.document import BYPASSED, MUTED, Share, Slot
from engine.graph.modes import active, left_out, set_collapsed, set_mode, stands_for
from engine.storage.document_file import from_json, to_json
from gui.canvas import clipboard


def chain():
    """Image, two convolutions, a join with the first, and a head."""
    g = Builder("Chain")
    image = g.add("Input", id="image", shape=(4, 8, 8))
    one = g.add("Conv2d", image, id="one", out_channels=4, padding=1)
    two = g.add("Conv2d", one, id="two", out_channels=4, padding=1)
    both = g.add("Add", two, one, id="both")
    g.add("Output", both, id="out")
    return g.document()


def test_a_document_without_modes_is_returned_as_it_is():
    document = chain()
    assert active(document) is document
    assert active(set_collapsed(document, ["one"], True)).nodes["one"].collapsed
    assert left_out(document) == frozenset()


def test_what_depends_on_a_muted_node_is_left_out():
    document = set_mode(chain(), ["two"], MUTED)
    assert left_out(document) == {"two", "both", "out"}
    assert set(active(document).nodes) == {"image", "one"}
    assert set(active(document).edges) == {Slot("one", "x")}
    assert active(document) == active(document)


def test_what_enters_a_bypassed_node_goes_on_to_its_readers():
    document = set_mode(chain(), ["one", "two"], BYPASSED)
    left = active(document)
    assert set(left.nodes) == {"image", "both", "out"}
    assert left.edges[Slot("both", "xs.0")] == left.edges[Slot("both", "xs.1")] == Slot("image", "y")
    assert stands_for(document) == {
        Slot("one", "y"): Slot("image", "y"),
        Slot("two", "y"): Slot("image", "y"),
    }


def test_a_bypassed_node_that_reads_nothing_passes_nothing():
    document = edits.disconnect(set_mode(chain(), ["one"], BYPASSED), [Slot("one", "x")])
    assert set(active(document).edges) == {Slot("both", "xs.0"), Slot("out", "x")}


def test_a_variadic_node_passes_its_first_input():
    document = set_mode(chain(), ["both"], BYPASSED)
    assert active(document).edges[Slot("out", "x")] == Slot("two", "y")


def test_nodes_that_pass_nothing_on_cannot_be_bypassed():
    g = Builder()
    a = g.add("Input", id="a", shape=(4,))
    g.add("MSELoss", a, a, id="loss")
    for id in ("a", "loss"):
        with pytest.raises(EditError, match="cannot be bypassed"):
            set_mode(g.document(), [id], BYPASSED)
        assert left_out(set_mode(g.document(), [id], MUTED)) >= {id}


def test_who_shared_the_weights_of_a_muted_node_has_them_now():
    document = edits.share(chain(), "two", "one")
    left = active(set_mode(document, ["one"], BYPASSED))
    assert left.nodes["two"].share is None
    assert document.nodes["two"].share == Share("one")


def test_a_block_that_loses_its_output_is_left_out_with_its_readers():
    document, id = group(chain(), ["one", "two"], "Pair")
    inner = inside(document, "Pair")
    document = outside(document, "Pair", set_mode(inner, ["two"], MUTED))
    assert left_out(document) == {"both", "out"}, "the block gives its other output still"
    assert set(active(document).nodes) == {"image", id}
    document = outside(document, "Pair", set_mode(inner, ["one"], MUTED))
    assert left_out(document) == {id, "both", "out"}
    bypassed = outside(document, "Pair", set_mode(inner, ["two"], BYPASSED))
    assert set(active(bypassed).blocks["Pair"].nodes) == set(inner.nodes) - {"two"}
    assert left_out(bypassed) == frozenset()
    assert active(bypassed).blocks is active(bypassed.with_(name="Other")).blocks, "what is remembered holds"


def test_an_input_of_a_block_stays_its_port_even_if_it_is_muted():
    document, id = group(chain(), ["one"], "Single")
    inner = inside(document, "Single")
    port = next(each for each, node in inner.nodes.items() if node.type == "Input")
    document = outside(document, "Single", set_mode(inner, [port], MUTED))
    assert set(active(document).blocks["Single"].nodes) == {port}
    assert id in left_out(document)


def test_modes_and_collapsed_survive_the_file_and_the_clipboard():
    document = set_collapsed(set_mode(set_mode(chain(), ["one"], MUTED), ["two"], BYPASSED), ["two"], True)
    assert from_json(to_json(document)) == document
    assert '"mode"' not in to_json(chain())
    assert "collapsed" not in to_json(chain())
    pasted, ids = clipboard.paste(document, clipboard.to_text(document, ["one", "two"]), (0, 0))
    assert [(pasted.nodes[id].mode, pasted.nodes[id].collapsed) for id in ids] == [
        (MUTED, False),
        (BYPASSED, True),
    ]


def test_a_file_with_a_mode_that_does_not_exist_is_refused_by_name():
    document = chain().with_(nodes={**chain().nodes, "one": replace(chain().nodes["one"], mode="asleep")})
    with pytest.raises(FileError, match="asleep"):
        from_json(to_json(document))
    with pytest.raises(FileError, match="true or false"):
        from_json(to_json(chain()).replace('"type": "Conv2d"', '"type": "Conv2d", "collapsed": 1'))
