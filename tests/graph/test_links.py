"""Nodes that share weights: linked, followed, changed together, deleted, pasted, grouped, saved."""

from __future__ import annotations

import pytest

from engine.errors import EditError, FileError
from engine.graph import blocks, edits
from engine.graph.build import Builder
from engine.graph.document import Document, Edge, Share, Slot
from engine.graph.links import family
from engine.storage.document_file import from_json, to_json


@pytest.fixture
def twins() -> Document:
    """One layer called twice, a copy that follows it on average, and a second call of that copy."""
    g = Builder("Twins")
    left, right = g.add("Input", id="left", shape=(4,)), g.add("Input", id="right", shape=(4,))
    q = g.add("Linear", left, id="q", out_features=3)
    twin = g.again(q, right, id="twin")
    target = g.again(q, right, id="target", follow="average")
    second = g.again(target, left, id="second")
    g.add("Output", g.add("Add", q, twin, target, second, id="sum"))
    return g.document()


def shares(document: Document) -> dict[str, Share]:
    return {id: node.share for id, node in document.nodes.items() if node.share}


def test_a_link_takes_the_others_parameters_and_they_change_together(twins):
    assert shares(twins) == {
        "twin": Share("q"),
        "target": Share("q", "average", 0.005),
        "second": Share("target"),
    }
    assert {twins.nodes[id].params["out_features"] for id in ("q", "twin", "target", "second")} == {3}
    changed = edits.set_params(twins, "second", out_features=7)
    assert {changed.nodes[id].params["out_features"] for id in family(twins, "q")} == {7}
    assert set(family(twins, "twin")) == {"q", "twin", "target", "second"}


def test_linking_an_owner_to_another_takes_its_callers_along(twins):
    document, other = edits.add_node(twins, "Linear", {"out_features": 5}, id="other")
    linked = edits.share(document, "q", other)
    assert shares(linked)["q"] == Share("other")
    assert shares(linked)["twin"] == Share("other")
    assert shares(linked)["target"].node == "other"
    assert linked.nodes["twin"].params["out_features"] == 5


def test_linking_to_a_linked_node_means_its_owner(twins):
    document, id = edits.add_node(twins, "Linear")
    assert shares(edits.share(document, id, "twin"))[id] == Share("q")


def test_unlinked_it_has_weights_and_parameters_of_its_own(twins):
    document = edits.set_params(edits.unshare(twins, "twin"), "twin", out_features=9)
    assert document.nodes["q"].params["out_features"] == 3
    assert "twin" not in shares(document)


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        (["q"], {"target": Share("twin", "average", 0.005), "second": Share("target")}),
        (["q", "twin"], {"second": Share("target")}),
        (["target"], {"twin": Share("q"), "second": Share("q", "average", 0.005)}),
        (["q", "twin", "target"], {}),
        (["twin"], {"target": Share("q", "average", 0.005), "second": Share("target")}),
    ],
)
def test_what_a_deleted_node_held_is_inherited(twins, gone, left):
    assert shares(edits.delete(twins, gone)) == left


def test_a_copy_stays_linked_and_copies_of_both_are_linked_to_each_other(twins):
    nodes = [twins.nodes["twin"]]
    alone, (copy,) = edits.paste(twins, nodes, [], (10, 10))
    assert shares(alone)[copy] == Share("q")
    both, (q, twin) = edits.paste(twins, [twins.nodes["q"], twins.nodes["twin"]], [], (10, 10))
    assert shares(both)[twin] == Share(q)
    foreign, (one,) = edits.paste(Document(), nodes, [Edge(Slot("a", "y"), Slot("twin", "x"))], (0, 0))
    assert foreign.nodes[one].share is None


def test_linked_nodes_are_grouped_together_or_not_at_all(twins):
    with pytest.raises(EditError, match="select both, or neither"):
        blocks.group(twins, ["q"], "Tower")
    grouped, id = blocks.group(twins, ["q", "twin", "target", "second", "sum"], "Towers")
    assert shares(blocks.inside(grouped, "Towers")) == shares(twins)
    assert shares(blocks.ungroup(grouped, id)) == shares(twins)


def test_a_block_that_is_called_twice_is_not_unpacked():
    g = Builder()
    with g.block("Tower") as b:
        b.output(b.add("Linear", b.input(), id="fc"))
    a = g.add("Tower", g.add("Input", shape=(4,)), id="a")
    g.again(a, g.add("Input", shape=(4,)), id="b")
    with pytest.raises(EditError, match="a and b share weights"):
        blocks.ungroup(g.document(), "a")


@pytest.mark.parametrize(
    ("id", "owner", "follow", "amount", "words"),
    [
        ("q", "q", "", None, "has its weights from q already"),
        ("q", "target", "", None, "has its weights from q already"),
        ("sum", "q", "", None, "Add has no weights"),
        ("conv", "q", "", None, "one type can share weights"),
        ("free", "q", "slowly", None, "'slowly'"),
        ("free", "q", "average", 2, "fraction from 0 to 1"),
        ("free", "q", "copy", 0.5, "every so many whole steps"),
        ("free", "q", "average", True, "True"),
    ],
)
def test_what_cannot_be_shared_is_refused(twins, id, owner, follow, amount, words):
    document = edits.add_node(edits.add_node(twins, "Conv2d", id="conv")[0], "Linear", id="free")[0]
    with pytest.raises(EditError, match=words):
        edits.share(document, id, owner, follow, amount)


def test_links_are_saved(twins):
    assert from_json(to_json(twins)) == twins


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ('"share": {"node": "q"}', '"share": {"node": "nowhere"}', "which is not there"),
        ('"share": {"node": "q"}', '"share": {"node": "twin"}', "already"),
        ('"share": {"node": "q"}', '"share": {"node": "sum"}', "one type"),
        ('"share": {"node": "q"}', '"share": {"node": 3}', "should be a text"),
        ('"share": {"node": "q"}', '"share": {"nodes": "q"}', "nodes"),
        ('"share": {"node": "q"}', '"share": {"node": "second"}', "is linked to target"),
        ('"amount": 0.005', '"amount": -1', "fraction"),
        ('"average"', '"never"', "'never'"),
        (
            '"id": "twin", "type": "Linear", "params": {"out_features": 3}',
            '"id": "twin", "type": "Linear", "params": {"out_features": 4}',
            "the same parameters",
        ),
    ],
)
def test_a_file_with_an_impossible_link_is_refused(twins, was, now, words):
    text = to_json(twins)
    assert was in text
    with pytest.raises(FileError) as error:
        from_json(text.replace(was, now, 1))
    assert any(words in problem for problem in error.value.problems)
