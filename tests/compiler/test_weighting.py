"""Class weights: counted in the data, part of the code, and what the loss computes with them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from engine.compiler.analyze import analyze
from engine.compiler.data import load_node
from engine.compiler.module import compile_document
from engine.compiler.source import render
from engine.compiler.weighting import can_be_weighted, weights_by_rarity
from engine.errors import DataError
from engine.graph import edits
from engine.graph.build import Builder
from engine.graph.document import Document, Slot


def document(tmp_path, **params) -> Document:
    """Nine of ten rows are of one class."""
    path = tmp_path / "rare.csv"
    path.write_text("x,kind\n" + "".join(f"{n},{'rare' if n % 10 == 0 else 'common'}\n" for n in range(200)))
    b = Builder("Rare")
    data = b.add("CSV", path=str(path), split="stratified", id="data")
    b.add("CrossEntropyLoss", b.add("Linear", data, out_features=2), data["target"], id="loss", **params)
    b.train("Adam", lr=0.01, epochs=1, batch_size=32)
    return b.document()


def test_weights_are_counted_in_the_training_rows(tmp_path):
    plain = document(tmp_path)
    assert can_be_weighted(plain, "loss")
    assert weights_by_rarity(plain, "loss") == (0.5556, 5.0)


def test_the_loss_weighs(tmp_path):
    weights = (0.5, 5.0)
    weighted = edits.set_params(document(tmp_path), "loss", class_weights=weights)
    built = compile_document(weighted)
    rows = load_node(weighted.nodes["data"]).first(50)
    fields = {name: torch.from_numpy(values) for name, values in rows.items()}
    slots = {**built.plan.arguments, **built.plan.fields}
    given = {name: fields[slot.port] for slot, name in slots.items()}
    value = built.objectives[0](built.model, given)
    scores = built.model(fields["features"])
    expected = F.cross_entropy(scores, fields["target"], weight=torch.tensor(weights))
    assert torch.equal(value, expected)
    assert "new_tensor((0.5, 5.0))" in render(built.plan).text


def test_as_many_weights_as_classes(tmp_path):
    wrong = document(tmp_path, class_weights=(1.0, 2.0, 3.0))
    problems = analyze(wrong).problems_of("loss")
    assert "2 class weights, one for each class; it has 3" in problems[0].message


def test_what_cannot_be_weighted(tmp_path):
    b = Builder("Line")
    data = b.add("Line", id="data")
    b.add("CrossEntropyLoss", b.add("Linear", data, out_features=2), data["y"], id="loss")
    with pytest.raises(DataError, match="no classes that could be counted") as caught:
        weights_by_rarity(b.document(), "loss")
    assert caught.value.node == "loss"
    alone = edits.disconnect(document(tmp_path), [Slot("loss", "target")])
    with pytest.raises(DataError, match="Connect the target of this loss with data"):
        weights_by_rarity(alone, "loss")
