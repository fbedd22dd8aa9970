"""Shared weights in code: one attribute, called where it is linked; copies that follow."""

from __future__ import annotations

import pytest
import torch

from engine.compiler.analyze import analyze
from engine.compiler.module import compile_document
from engine.graph import edits
from engine.graph.build import Builder
from engine.graph.document import Document, Slot
from engine.training.checkpoint import load_weights, save_weights
from engine.training.loop import train
from engine.training.setup import prepare


def twins(follow: str = "", amount: float | None = None) -> Document:
    g = Builder("Twins")
    left, right = g.add("Input", id="left", shape=(4,)), g.add("Input", id="right", shape=(4,))
    q = g.add("Linear", left, id="q", out_features=3)
    g.add("Output", g.add("Subtract", q, g.again(q, right, id="twin", follow=follow, amount=amount)))
    return g.document()


def learner(follow: str, amount: float) -> Document:
    """A linear layer that learns, and a copy that follows it."""
    g = Builder("Learner")
    data = g.add("Spirals", id="data")
    q = g.add("Linear", data, id="q", out_features=3)
    copy = g.again(q, data, id="copy", follow=follow, amount=amount)
    g.add("CrossEntropyLoss", g.add("Add", q, copy), data["label"])
    g.train("SGD", lr=0.1, epochs=1, batch_size=64)
    return g.document()


def test_a_linked_call_is_one_attribute_in_two_lines_and_counted_once():
    analysis = analyze(twins())
    assert not analysis.problems
    assert analysis.source.text.count("self.q = nn.Linear(4, 3)") == 1
    assert "self.q(left)" in analysis.source.text
    assert "self.q(right)" in analysis.source.text
    assert analysis.total_parameters == 15
    assert analysis.macs["q"] == analysis.macs["twin"] == 12
    model = compile_document(twins()).model
    assert list(model.state_dict()) == ["q.weight", "q.bias"]
    x = torch.randn(2, 4)
    assert not model(x, x).any()


@pytest.mark.parametrize("follow", ["", "frozen", "average", "copy"])
def test_stepping_equals_the_module_bit_for_bit(follow):
    built = compile_document(twins(follow))
    fields = {"left": torch.randn(2, 4), "right": torch.randn(2, 4)}
    steps = dict(built.steps(built.model, fields))
    assert torch.equal(steps["sub1"]["y"], built.model(**fields))


def test_shared_weights_learn_from_every_call():
    model = compile_document(twins()).model
    left, right = torch.randn(5, 4), torch.randn(5, 4)
    model(left, right).sum().backward()
    assert torch.allclose(model.q.weight.grad, (left - right).sum(0).expand(3, 4), atol=1e-5)
    assert torch.equal(model.q.bias.grad, torch.zeros(3))


def test_a_copy_learns_nothing_and_is_saved_beside_its_source(tmp_path):
    document = twins("average")
    model = compile_document(document).model
    assert list(model.state_dict()) == ["q.weight", "q.bias", "twin.layer.weight", "twin.layer.bias"]
    assert analyze(document).total_parameters == 15
    assert [name for name, each in model.named_parameters() if each.requires_grad] == ["q.weight", "q.bias"]
    with torch.no_grad():
        model.twin.layer.weight += 1
    save_weights(model, tmp_path / "twins.safetensors")
    other = compile_document(document).model
    load_weights(other, tmp_path / "twins.safetensors")
    assert torch.equal(other.twin.layer.weight, model.twin.layer.weight)
    assert not torch.equal(other.twin.layer.weight, other.q.weight)


class Record:
    """Keeps the weights after each step."""

    def __init__(self, setup):
        self.setup, self.learned, self.copied = setup, [], []

    def stepped(self, loss):
        self.learned.append(self.setup.model.q.weight.detach().clone())
        self.copied.append(self.setup.model.copy.layer.weight.detach().clone())
        return len(self.learned) < 7

    def evaluated(self, metrics):
        """Nothing to keep."""


def recorded(follow: str, amount: float) -> tuple[torch.Tensor, Record]:
    setup = prepare(learner(follow, amount), "cpu")
    start, record = setup.model.q.weight.detach().clone(), Record(setup)
    train(setup, record)
    assert not torch.equal(record.learned[-1], start)
    return start, record


def test_a_frozen_copy_stays_as_it_was_made():
    start, record = recorded("frozen", 0)
    assert all(torch.equal(each, start) for each in record.copied)


def test_an_average_moves_by_its_fraction_after_every_step():
    expected, record = recorded("average", 0.25)
    for learned, copied in zip(record.learned, record.copied, strict=True):
        expected = expected + 0.25 * (learned - expected)
        assert torch.allclose(copied, expected, atol=1e-6)


def test_a_renewed_copy_is_made_anew_every_so_many_steps():
    start, record = recorded("copy", 3)
    for step, copied in enumerate(record.copied, start=1):
        assert torch.equal(copied, record.learned[step // 3 * 3 - 1] if step >= 3 else start)


def test_linked_blocks_are_one_attribute_and_a_copy_may_stand_in_a_block():
    g = Builder("Pair")
    with g.block("Tower", width=None) as b:
        x = b.add("Linear", b.input(), id="fc", out_features=b["width"])
        b.output(b.add("Add", x, b.again(x, Slot("input", "y"), id="slow", follow="copy", amount=2)))
    left, right = g.add("Input", id="left", shape=(4,)), g.add("Input", id="right", shape=(4,))
    tower = g.add("Tower", left, id="tower", width=6)
    g.add("Output", g.add("Subtract", tower, g.again(tower, right, id="twin")))
    built = compile_document(g.document())
    assert built.source.text.count("self.tower = Tower(6)") == 1
    assert "Copy(self.fc, every=2)" in built.source.text
    assert set(built.model.state_dict()) == {
        f"tower.{name}.{kind}" for name in ("fc", "slow.layer") for kind in ("weight", "bias")
    }
    with torch.no_grad():
        built.model.tower.fc.weight.zero_()
    built.follow(built.model, 1)
    assert built.model.tower.slow.layer.weight.any()
    built.follow(built.model, 2)
    assert not built.model.tower.slow.layer.weight.any()


def test_a_link_that_would_need_another_layer_is_a_problem_on_its_node():
    document = edits.set_params(twins(), "right", shape=(5,))
    (problem,) = [each for each in analyze(document).errors if each.node == "twin"]
    assert "shares the weights of q, which is nn.Linear(4, 3)" in problem.message
    assert "nn.Linear(5, 3)" in problem.message


def test_linked_blocks_that_would_need_other_classes_are_a_problem():
    g = Builder("Pair")
    with g.block("Tower") as b:
        b.output(b.add("Linear", b.input(), id="fc", out_features=6))
    left, right = g.add("Input", id="left", shape=(4,)), g.add("Input", id="right", shape=(5,))
    tower = g.add("Tower", left, id="tower")
    g.add("Output", g.add("Subtract", tower, g.again(tower, right, id="twin")))
    assert any("shares the weights of tower" in each.message for each in analyze(g.document()).problems)


def test_a_copy_whose_source_is_not_in_the_model_says_so():
    document = edits.disconnect(twins("frozen"), [Slot("q", "x"), Slot("sub1", "a")])
    document = edits.connect(document, Slot("twin", "y"), Slot("sub1", "a"))
    assert any(
        "follows q, which is no part of the model" in each.message for each in analyze(document).problems
    )


def test_a_linked_call_goes_on_where_its_owner_is_left_out():
    document = edits.disconnect(twins(), [Slot("q", "x"), Slot("sub1", "a")])
    document = edits.connect(document, Slot("twin", "y"), Slot("sub1", "a"))
    model = compile_document(document).model
    assert list(model.state_dict()) == ["q.weight", "q.bias"]
