"""Edits are pure, refuse with a reason, and leave the document they began with as it was."""

from __future__ import annotations

import pytest

from engine.errors import ConnectError, EditError, EngineError, ParameterError
from engine.graph import edits
from engine.graph.build import Builder
from engine.graph.diff import diff
from engine.graph.document import Document, Edge, Slot
from engine.graph.rules import can_connect
from engine.graph.settings import set_by_name
from engine.graph.view import graph_of, order_of


@pytest.fixture
def small() -> Document:
    g = Builder("Small")
    points = g.add("Spirals", id="points")
    hidden = g.add("Linear", points, id="hidden", out_features=8)
    bent = g.add("ReLU", hidden, id="bent")
    both = g.add("Concatenate", hidden, bent, hidden, id="both")
    g.add("Linear", both, id="arm", out_features=3)
    return g.document()


def test_edits_leave_the_document_before_as_it_was(small):
    before = dict(small.nodes), dict(small.edges)
    edits.delete(small, ["bent"])
    edits.set_params(small, "hidden", out_features=3)
    edits.move(small, {"hidden": (9, 9)})
    assert (dict(small.nodes), dict(small.edges)) == before
    with pytest.raises(TypeError):
        small.nodes["new"] = small.nodes["bent"]


def test_only_what_differs_from_the_default_is_kept(small):
    assert dict(small.nodes["hidden"].params) == {"out_features": 8}
    back = edits.set_params(small, "hidden", out_features=64)
    assert dict(back.nodes["hidden"].params) == {}


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        (("arm", "y"), ("hidden", "x"), "close a cycle"),
        (("bent", "y"), ("bent", "x"), "cannot feed itself"),
        (("bent", "z"), ("arm", "x"), "has no output 'z'; it has y"),
        (("bent", "y"), ("arm", "q"), "has no input 'q'; it has x"),
        (("bent", "y"), ("both", "xs"), "has no input 'xs'"),
        (("bent", "y"), ("both", "xs.٣"), "has no input"),
        (("benr", "y"), ("arm", "x"), "Did you mean 'bent'?"),
        (("bent", "y"), ("points", "x"), "it has none"),
    ],
)
def test_a_forbidden_edge_is_refused_with_its_reason(small, source, target, reason):
    with pytest.raises(ConnectError, match=reason):
        edits.connect(small, Slot(*source), Slot(*target))
    assert not can_connect(small, Slot(*source), Slot(*target))


def test_a_new_edge_takes_the_place_of_the_old_one(small):
    after = edits.connect(small, Slot("hidden", "y"), Slot("arm", "x"))
    assert after.edges[Slot("arm", "x")] == Slot("hidden", "y")
    assert len(after.edges) == len(small.edges)


def test_two_edges_may_join_the_same_pair(small):
    assert graph_of(small).number_of_edges("hidden", "both") == 2
    assert order_of(small) == ["points", "hidden", "bent", "both", "arm"]


def test_places_of_a_variadic_port_close_up(small):
    after = edits.disconnect(small, [Slot("both", "xs.0")])
    assert after.incoming("both") == {"xs.0": Slot("bent", "y"), "xs.1": Slot("hidden", "y")}
    assert edits.delete(small, ["bent"]).incoming("both") == {
        "xs.0": Slot("hidden", "y"),
        "xs.1": Slot("hidden", "y"),
    }


def test_deleting_heals_the_link_when_asked(small):
    assert "x" not in edits.delete(small, ["both"]).incoming("arm")
    healed = edits.delete(small, ["both", "bent"], heal=True)
    assert healed.edges[Slot("arm", "x")] == Slot("hidden", "y")


def test_inserting_into_an_edge(small):
    after, id = edits.insert(small, "Tanh", Edge(Slot("both", "y"), Slot("arm", "x")))
    assert after.incoming(id) == {"x": Slot("both", "y")}
    assert after.incoming("arm") == {"x": Slot(id, "y")}


def test_pasting_brings_the_edges_among_the_copies(small):
    copies = [small.nodes["hidden"], small.nodes["bent"]]
    edge = Edge(Slot("hidden", "y"), Slot("bent", "x"))
    after, ids = edits.paste(small, copies, [edge], (20, 30))
    assert len(ids) == 2
    assert not set(ids) & small.nodes.keys()
    assert after.incoming(ids[1]) == {"x": Slot(ids[0], "y")}
    assert after.nodes[ids[0]].params == small.nodes["hidden"].params


@pytest.mark.parametrize(
    "id", ["", "1st", "a b", "self", "forward", "class", "é", "x" * 65, "__init__", "train", None, 3]
)
def test_an_id_that_would_not_do_in_code_is_refused(id):
    assert not edits.is_id(id)
    with pytest.raises(EditError):
        edits.checked_node("ReLU", id)


@pytest.mark.parametrize(
    "value", [0, -1, 2.5, "8", None, True, [8], float("nan"), 10**30, "__import__('os')"]
)
def test_a_value_of_another_kind_is_refused(small, value):
    with pytest.raises(ParameterError) as caught:
        edits.set_params(small, "hidden", out_features=value)
    assert caught.value.node == "hidden"
    assert "whole number of at least 1" in caught.value.message


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("epochs", "7", lambda d: d.training.epochs),
        ("optimizer.lr", "0.5", lambda d: d.training.objectives[0].options["lr"]),
        ("hidden.out_features", "5", lambda d: d.nodes["hidden"].params["out_features"]),
        ("hidden.bias", "no", lambda d: d.nodes["hidden"].params["bias"]),
    ],
)
def test_settings_by_name(small, name, text, read):
    assert str(read(set_by_name(small, name, text))) == {"no": "False"}.get(text, text)


@pytest.mark.parametrize("name", ["epoch", "optimizer.rate", "hidden.units", "nobody.bias", "optimizer.", ""])
def test_a_wrong_name_is_told_what_there_is(small, name):
    with pytest.raises(EngineError):
        set_by_name(small, name, "1")


def test_diff_tells_what_changed(small):
    moved = edits.move(small, {"arm": (1, 2)})
    assert diff(small, moved).changed == {"arm"}
    assert not diff(small, moved).meaning
    cut = edits.delete(small, ["bent"])
    change = diff(small, cut)
    assert change.removed == {"bent"}
    assert change.meaning
    assert {slot.node for slot in change.edges_removed} == {"bent", "both"}
    assert not diff(small, small)
