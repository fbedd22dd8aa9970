"""Another layer in a node's place."""

from __future__ import annotations

import pytest

from engine.errors import EditError
from engine.graph import edits
from engine.graph.blocks import group, inside, outside
from engine.graph.build import Builder
from engine.graph.document import BYPASSED, Slot
from engine.graph.modes import set_mode
from engine.graph.swap import swap, take_place


def network():
    g = Builder("Swap")
    image = g.add("Input", id="image", shape=(4, 16, 16))
    conv = g.add("Conv2d", image, id="conv", out_channels=8, kernel_size=5, padding=2)
    act = g.add("ReLU", conv, id="act")
    g.add("Add", act, conv, id="join")
    return g.document()


def test_links_place_and_allowed_parameters_stay():
    before = edits.rename(network(), "conv", "Eyes")
    found = swap(before, "conv", "ConvTranspose2d")
    node = found.document.nodes["conv"]
    assert node.type == "ConvTranspose2d"
    assert (node.name, node.position) == ("Eyes", before.nodes["conv"].position)
    assert dict(node.params) == {"out_channels": 8, "kernel_size": 5, "padding": 2}
    assert found.document.edges == before.edges
    assert list(found.document.nodes) == list(before.nodes)
    assert found.lost == ()


def test_what_does_not_fit_is_told():
    found = swap(network(), "conv", "ReLU")
    assert not found.document.nodes["conv"].params
    assert found.lost == ("filters", "kernel size", "padding") or len(found.lost) == 3
    found = swap(network(), "join", "ReLU")
    assert found.document.incoming("join") == {"x": Slot("act", "y")}
    assert found.lost == ("the link from conv",)
    found = swap(network(), "act", "Input")
    assert found.document.incoming("act") == {}
    assert found.lost == ("the link from conv",)
    assert found.document.edges[Slot("join", "xs.0")] == Slot("act", "y")


def test_many_inputs_go_to_ports_in_their_order_and_back():
    one = swap(network(), "join", "Concatenate").document
    assert one.incoming("join") == {"xs.0": Slot("act", "y"), "xs.1": Slot("conv", "y")}
    two = swap(swap(one, "join", "MSELoss").document, "join", "Add").document
    assert two.incoming("join") == network().incoming("join")


def test_shared_weights_end_and_go_to_the_next():
    before = edits.add_node(network(), "Conv2d", {"out_channels": 8}, id="twin")[0]
    before = edits.share(before, "twin", "conv")
    after = swap(before, "conv", "MaxPool2d").document
    assert after.nodes["twin"].share is None
    found = swap(before, "twin", "MaxPool2d")
    assert found.document.nodes["twin"].share is None
    assert "its shared weights" in found.lost


def test_a_mode_that_cannot_be_does_not_stay():
    before = set_mode(network(), ["act"], BYPASSED)
    assert swap(before, "act", "Tanh").document.nodes["act"].mode == BYPASSED
    assert swap(before, "act", "Input").document.nodes["act"].mode == ""


def test_the_same_type_and_a_block_in_itself_are_refused():
    with pytest.raises(EditError, match="already"):
        swap(network(), "act", "ReLU")
    document, _ = group(network(), ["conv", "act"], "Pair")
    inner = inside(document, "Pair")
    with pytest.raises(EditError, match="contain itself"):
        outside(document, "Pair", swap(inner, "act", "Pair").document)


def test_a_free_node_takes_anothers_place_with_its_own_parameters():
    before, id = edits.add_node(network(), "Tanh", id="free", position=(900, 900))
    after = take_place(before, id, "act").document
    assert "act" not in after.nodes
    assert after.nodes["free"].position == before.nodes["act"].position
    assert after.edges[Slot("free", "x")] == Slot("conv", "y")
    assert after.edges[Slot("join", "xs.0")] == Slot("free", "y")
    with pytest.raises(EditError, match="links of its own"):
        take_place(before, "conv", "act")
