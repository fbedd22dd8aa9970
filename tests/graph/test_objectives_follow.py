"""Objectives follow their nodes: into blocks and out of them, to what stands in their place, with a copy."""

from dataclasses import replace

import pytest

from engine.errors import EditError
from engine.graph.blocks import group, inside, outside, ungroup
from engine.graph.build import Builder
from engine.graph.document import Learning, Objective, frozen
from engine.graph.edits import add_node, delete, paste
from engine.graph.likeness import like, use_instead
from engine.graph.settings import set_learning
from engine.graph.swap import swap, take_place


def adversaries():
    """A generator and a discriminator, each with its objective."""
    g = Builder("Adversaries")
    data = g.add("Spirals", id="data")
    first = g.add("Linear", data, out_features=8, id="g1")
    made = g.add("Linear", g.add("ReLU", first, id="g2"), out_features=2, id="g3")
    judged = g.add("Linear", made, out_features=8, id="d1")
    score = g.add("Linear", g.add("ReLU", judged, id="d2"), out_features=3, id="d3")
    g.add("CrossEntropyLoss", score, data["label"], id="judge")
    g.add("MSELoss", made, data, id="forge")
    document = g.document()
    objectives = (
        Objective(name="Generator", losses=frozen({"forge": 1.0}), nodes=("g1", "g3")),
        Objective(name="Discriminator", losses=frozen({"judge": 2.0}), nodes=("d1", "d3")),
    )
    return document.with_(training=replace(document.training, objectives=objectives))


def nodes_of(document):
    return [each.nodes for each in document.training.objectives]


def test_an_objective_moves_the_block_that_its_nodes_went_into():
    document, id = group(adversaries(), ["g1", "g2", "g3"], "Generator")
    assert nodes_of(document) == [(id,), ("d1", "d3")]


def test_what_comes_out_of_a_block_is_moved_by_who_moved_the_block():
    grouped, id = group(adversaries(), ["g1", "g2", "g3"], "Generator")
    document = ungroup(grouped, id)
    moved = nodes_of(document)[0]
    assert {document.nodes[each].type for each in moved} == {"Linear", "ReLU"}
    assert len(moved) == 3
    assert id not in moved
    assert nodes_of(document)[1] == ("d1", "d3")


def test_nodes_of_different_objectives_do_not_go_into_one_block():
    with pytest.raises(EditError, match="Different objectives move g3 and d1"):
        group(adversaries(), ["g3", "d1"], "Both")


def test_what_is_done_inside_of_a_block_leaves_objectives_alone():
    document, id = group(adversaries(), ["g1", "g2", "g3"], "Generator")
    named = replace(document.training.objectives[1], nodes=("g1",))  # an id that the inside has too
    document = document.with_(
        training=replace(document.training, objectives=(document.training.objectives[0], named)),
        nodes={**document.nodes, "g1": replace(document.nodes["d1"], id="g1")},
    )
    inner = delete(inside(document, "Generator"), ["g1"])
    assert nodes_of(outside(document, "Generator", inner)) == [(id,), ("g1",)]


def test_a_block_hands_on_how_it_learned_when_it_is_unpacked():
    document, id = group(adversaries(), ["g1", "g2", "g3"], "Generator")
    inner = set_learning(inside(document, "Generator"), ["g1"], rate=3.0)
    document = outside(document, "Generator", inner)
    document = set_learning(document, [id], frozen=True, rate=0.5, checkpoint=True)
    unpacked = ungroup(document, id)
    assert unpacked.nodes["g1"].learning == Learning(frozen=True, rate=1.5)
    assert unpacked.nodes["g3"].learning == Learning(frozen=True, rate=0.5)


def test_another_layer_in_a_nodes_place_learns_as_it_did():
    document = set_learning(adversaries(), ["g1"], frozen=True)
    swapped = swap(document, "g1", "Bilinear").document
    assert swapped.nodes["g1"].learning.frozen
    assert nodes_of(swapped)[0] == ("g1", "g3")


def test_a_loss_that_becomes_a_layer_is_minimized_no_more():
    swapped = swap(adversaries(), "forge", "Add").document
    assert [each.name for each in swapped.training.objectives] == ["Discriminator"]


def test_a_node_that_takes_anothers_place_takes_over_its_objective():
    document = set_learning(adversaries(), ["d1"], rate=2.0)
    document, new = add_node(document, "Linear", {"out_features": 16}, (0, 0))
    document = take_place(document, new, "d1").document
    assert nodes_of(document)[1] == (new, "d3")
    assert document.nodes[new].learning.rate == 2.0


def test_a_loss_in_the_place_of_another_is_minimized_with_its_weight():
    document, new = add_node(adversaries(), "L1Loss", {}, (0, 0))
    document = take_place(document, new, "forge").document
    assert document.training.objectives[0].losses == {new: 1.0}


def test_copies_learn_as_their_originals():
    document = set_learning(adversaries(), ["g1"], frozen=True, rate=0.1)
    pasted, (copy,) = paste(document, [document.nodes["g1"]], [], (10, 10))
    assert pasted.nodes[copy].learning == Learning(frozen=True, rate=0.1)


def test_the_use_of_a_block_in_place_of_what_is_like_it_is_moved_as_that_was():
    document, _ = group(adversaries(), ["g1", "g2", "g3"], "Part")
    match = like(document, ["d1", "d2", "d3"])[0]
    document, id = use_instead(document, ["d1", "d2", "d3"], match)
    assert nodes_of(document)[1] == (id,)
