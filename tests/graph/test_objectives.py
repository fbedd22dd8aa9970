"""Several objectives, what each moves, and what becomes of them where nodes go."""

from dataclasses import replace

import pytest

from engine.errors import EditError, ParameterError
from engine.graph.build import Builder
from engine.graph.document import Objective
from engine.graph.edits import delete
from engine.graph.objectives import (
    add_objective,
    loss_nodes,
    moved_by,
    name_objective,
    remove_objective,
    set_losses,
    set_moved,
    title_of,
)
from engine.graph.settings import set_by_name, set_learning, set_rule
from engine.storage.document_file import from_json, to_json


def two_heads():
    """A trunk with two heads, each with its loss."""
    g = Builder("Two heads")
    data = g.add("Digits", size=8)
    trunk = g.add("Linear", g.add("Flatten", data), out_features=16, id="trunk")
    scores = g.add("Linear", trunk, out_features=10, id="scores")
    again = g.add("Linear", trunk, out_features=64, id="again")
    g.add("CrossEntropyLoss", scores, data["label"], id="right")
    g.add("MSELoss", g.add("Reshape", again, shape=(1, 8, 8)), data, id="alike")
    return g.document()


def test_an_objective_moves_what_its_losses_need():
    document = set_losses(two_heads(), 0, {"right": 2.0})
    assert loss_nodes(document) == ("right", "alike")
    assert {"trunk", "scores"} <= moved_by(document, 0)
    assert "again" not in moved_by(document, 0)
    assert "trunk" not in moved_by(set_learning(document, ["trunk"], frozen=True), 0)
    assert moved_by(set_moved(document, 0, ["again", "scores"]), 0) == {"again", "scores"}
    assert title_of(document, 0) == "Minimize right"
    assert title_of(name_objective(document, 0, " Play "), 0) == "Play"


def test_an_objective_that_named_only_what_is_gone_goes_too():
    document = set_losses(add_objective(two_heads()), 1, {"alike": 1.0})
    assert len(delete(document, ["alike"]).training.objectives) == 1
    assert delete(document, ["again"]).training is document.training
    both = set_losses(document, 1, {"alike": 1.0, "right": 0.5})
    assert dict(delete(both, ["alike"]).training.objectives[1].losses) == {"right": 0.5}
    alone = set_losses(two_heads(), 0, {"alike": 1.0})
    assert alone.training.objectives[0].losses
    assert not delete(alone, ["alike"]).training.objectives[0].losses


def test_what_is_wrong_is_refused_with_words():
    document = two_heads()
    with pytest.raises(EditError, match="'trunk' is no loss; there are right, alike"):
        set_losses(document, 0, {"trunk": 1.0})
    with pytest.raises(EditError, match="The last objective cannot be removed"):
        remove_objective(document, 0)
    with pytest.raises(ParameterError, match="Clip the norm takes a number of at least 0"):
        set_rule(document, clip_norm=-1.0)
    with pytest.raises(EditError, match="no objective 2; this document has 1"):
        set_by_name(document, "objective2.l1", "0.1")


def test_a_script_names_every_setting():
    document = add_objective(two_heads())
    for name, text, read in [
        ("clip_norm", "0.5", lambda d: d.training.objectives[0].clip_norm == 0.5),
        ("objective2.optimizer", "SGD", lambda d: d.training.objectives[1].optimizer == "SGD"),
        ("objective2.optimizer.lr", "0.25", lambda d: d.training.objectives[1].options["lr"] == 0.25),
        ("trunk.frozen", "yes", lambda d: d.nodes["trunk"].learning.frozen),
        ("trunk.rate", "0.1", lambda d: d.nodes["trunk"].learning.rate == 0.1),
        ("precision", "bfloat16", lambda d: d.training.precision == "bfloat16"),
    ]:
        document = set_by_name(document, name, text)
        assert read(document), name


def test_files_keep_objectives_and_how_nodes_learn():
    document = set_learning(two_heads(), ["scores"], rate=0.5, frozen=True)
    objective = Objective(
        {"right": 1.0, "alike": 0.25}, "SGD", {"lr": 0.5}, "Both", ("trunk",), warmup=5, every=2, l1=1e-3
    )
    document = document.with_(
        training=replace(document.training, objectives=(objective, Objective()), average=0.99, patience=4)
    )
    assert from_json(to_json(document)) == document
