"""What is seen inside blocks while they train, against forward hooks on the module."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.graph.build import Builder
from engine.graph.document import Document
from engine.training.events import Watch
from engine.training.probes import Probe
from engine.training.setup import prepare


def stacked() -> Document:
    g = Builder("Stacked")
    with g.block("Unit", channels=4) as b:
        x = b.add("Conv2d", b.input(), id="conv", out_channels=b["channels"], kernel_size=3, padding=1)
        x = b.add("BatchNorm2d", x, id="norm")
        x = b.add("Dropout", x, id="drop", p=0.5)
        b.output(b.add("ReLU", x, id="act"))
    with g.block("Stage", channels=4) as b:
        x = start = b.add("Unit", b.input(), id="first", channels=b["channels"])
        x = b.add("Unit", x, id="more", channels=b["channels"], repeat=2)
        b.output(b.add("Add", x, start, id="sum"))
    digits = g.add("Digits", id="digits")
    x = g.add("Stage", digits, id="stage", channels=3, repeat=3)
    x = g.add("AdaptiveAvgPool2d", x, id="pool")
    x = g.add("Linear", g.add("Flatten", x), id="fc", out_features=10)
    g.add("CrossEntropyLoss", x, digits["label"], id="loss")
    g.train(epochs=1, batch_size=64)
    return g.document()


@pytest.fixture
def setup():
    return prepare(stacked(), "cpu")


def hooked(setup, module: torch.nn.Module) -> list[torch.Tensor]:
    """Run the model once as a test may: with a hook on one of its modules."""
    seen: list[torch.Tensor] = []
    handle = module.register_forward_hook(lambda m, i, o: seen.append(o.detach().clone()))
    setup.model.eval()
    with torch.no_grad():
        setup.model(setup.held["image"][:64])
    handle.remove()
    return seen


@pytest.mark.parametrize("place", [0, 1, 2])
def test_values_in_a_block_are_those_of_a_hook_bit_for_bit(setup, place):
    way = (("stage", place), ("more", 1))
    watch = Watch(frozenset({"input", "conv", "norm", "act"}), "conv", sample=5, way=way)
    snapshot = Probe(setup).snapshot(watch, 1, 0)
    unit = setup.model.stage[place].more[1]
    (conv,) = hooked(setup, unit.conv)
    (norm,) = hooked(setup, unit.norm)
    assert snapshot.way == way
    assert snapshot.activations.keys() == {"input", "conv", "norm", "act"}
    assert np.array_equal(snapshot.activations["conv"].maps, conv[5])
    assert np.array_equal(snapshot.activations["norm"].maps, norm[5])
    assert np.array_equal(snapshot.activations["act"].maps, norm[5].relu())
    assert np.array_equal(snapshot.detail.maps, conv[5])
    assert np.array_equal(snapshot.weights.values, unit.conv.weight.detach())
    assert snapshot.losses == {}


def test_a_block_in_a_block_is_seen_as_a_node_of_it(setup):
    snapshot = Probe(setup).snapshot(Watch(frozenset({"first", "more", "sum"}), way=(("stage", 1),)), 1, 0)
    stage = setup.model.stage[1]
    (first,), (more,) = hooked(setup, stage.first), hooked(setup, stage.more)
    assert np.array_equal(snapshot.activations["first"].maps, first[0])
    assert np.array_equal(snapshot.activations["more"].maps, more[0])
    assert np.array_equal(snapshot.activations["sum"].maps, more[0] + first[0])


def test_gradients_and_moved_weights_are_those_of_the_block(setup):
    probe = Probe(setup)
    setup.model.train()
    setup.built.objectives[0](setup.model, {n: v[:64] for n, v in setup.train.items()}).backward()
    unit = setup.model.stage[2].more[0]
    with torch.no_grad():
        unit.conv.weight *= 2
    snapshot = probe.snapshot(
        Watch(frozenset({"conv", "act"}), "conv", way=(("stage", 2), ("more", 0))), 1, 0
    )
    norms = torch.stack([p.grad.norm() for p in unit.conv.parameters()])
    assert snapshot.gradients == {"conv": pytest.approx(float(norms.norm()))}
    assert snapshot.weights.moved == pytest.approx(1.0)


def test_looking_inside_leaves_no_trace_and_runs_nothing_twice(setup):
    calls = []
    for module in setup.model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda m, i, o: calls.append(m))
    before = {name: value.clone() for name, value in setup.model.state_dict().items()}
    state = torch.get_rng_state()
    Probe(setup).snapshot(Watch(frozenset({"conv"}), way=(("stage", 1), ("first", 0))), 1, 0)
    assert len(calls) == len(set(calls)) == 9
    assert torch.equal(torch.get_rng_state(), state)
    after = setup.model.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_way_that_the_run_does_not_have_shows_nothing(setup):
    for way in [(("gone", 0),), (("stage", 0), ("sum", 0)), (("fc", 0),)]:
        snapshot = Probe(setup).snapshot(Watch(frozenset({"conv"}), "conv", way=way), 1, 0)
        assert not snapshot.activations
        assert snapshot.weights is None
    far = Probe(setup).snapshot(Watch(frozenset({"first"}), way=(("stage", 99),)), 1, 0)
    (first,) = hooked(setup, setup.model.stage[2].first)
    assert np.array_equal(far.activations["first"].maps, first[0])
