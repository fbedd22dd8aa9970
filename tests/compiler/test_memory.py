"""What training keeps in memory, told beforehand, beside what a real run on the CPU saves."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import catalogue
from engine.compiler.analyze import analyze
from engine.compiler.memory import footprint, memory_of
from engine.compiler.module import compile_document
from engine.compiler.resolve import resolve
from engine.graph.build import Builder, Ref
from engine.graph.document import Document
from engine.graph.edits import share
from engine.graph.objectives import set_moved
from engine.graph.settings import set_learning, set_optimizer, set_training
from engine.layers.declaration import TensorType
from presets import presets

BATCH = 16
FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def saved_by_a_run(document: Document, batch: int = BATCH) -> int:
    """Return the bytes that autograd keeps of a real forward with its losses, weights left out."""
    built = compile_document(document)
    names = {**built.plan.arguments, **built.plan.fields}
    fields = {name: _values(built.plan.types[slot], batch) for slot, name in names.items()}
    saved: dict[int, torch.UntypedStorage] = {}

    def save(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    built.model.train()
    with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor):
        if built.objectives:
            built.objectives[0](built.model, fields)
        else:
            built.outputs(built.model, fields)
    weights = [*built.model.parameters(), *built.model.buffers()]
    own = {each.untyped_storage().data_ptr() for each in weights}
    return sum(storage.nbytes() for key, storage in saved.items() if key not in own)


def _values(tensor: TensorType, batch: int) -> torch.Tensor:
    shape = [batch if isinstance(size, str) else size for size in tensor.shape]
    if tensor.dtype == "float":
        return torch.rand(shape)
    return torch.randint(0, tensor.classes or 2, shape)


REAL = {"spirals": 64, "linear_regression": 64, "lenet5": 16, "digits_mlp": 16, "autoencoder": 16}
REAL |= {"resnet18": 2, "googlenet": 1, "alexnet": 2}
"""Presets that are run, and the samples of their batch."""


@pytest.mark.parametrize("name", REAL)
def test_a_preset_keeps_what_is_told(name):
    document = presets()[name].document()
    told = analyze(document)
    assert not told.footprint.unknown
    assert told.footprint.sample * REAL[name] == pytest.approx(saved_by_a_run(document, REAL[name]), rel=0.02)


def test_a_tensor_is_counted_once_at_the_first_that_keeps_it():
    g = Builder()
    x = g.add("Input", id="x", shape=(8,))
    a = g.add("Linear", x, id="fc", out_features=16)
    b = g.add("ReLU", a, id="relu")
    g.add("Linear", g.add("Add", b, b, id="sum"), id="last", out_features=4)
    g.add("Output", g.add("Flatten", Ref("last", "y"), id="flat"))
    memory = analyze(g.document()).memory
    assert [(id, each.forward, each.kept) for id, each in memory.items()] == [
        ("fc", 64, 32),  # its input
        ("relu", 64, 64),  # its own output
        ("sum", 64, 0),
        ("last", 16, 64),
        ("flat", 0, 0),  # a view
    ]


def test_what_no_gradient_passes_is_not_kept():
    """A bend of the data itself has nothing to teach."""
    g = Builder()
    g.add("Output", g.add("Linear", g.add("Tanh", g.add("Input", shape=(8,)), id="tanh"), id="fc"))
    memory = analyze(g.document()).memory
    assert memory["tanh"].kept == 0
    assert memory["fc"].kept == 32


def test_a_block_keeps_what_stands_in_it_and_a_row_of_them_as_often():
    g = Builder()
    with g.block("Pair") as b:
        b.output(b.add("Tanh", b.add("Linear", b.input(), id="fc", out_features=8), id="tanh"))
    once = g.add("Pair", g.add("Input", shape=(8,)), id="once")
    g.add("Output", g.add("Pair", once, id="thrice", repeat=3))
    told = analyze(g.document())
    assert told.memory["once"].kept == 32 + 32  # the input and what tanh gives
    assert told.memory["thrice"].kept == 3 * 32  # what arrives is counted where it is made
    assert {id: each.kept for id, each in told.blocks["Pair"].memory.items()} == {"fc": 32, "tanh": 32}
    assert told.footprint.sample == saved_by_a_run(g.document(), 1)


STATES = {"RNN": 1, "GRU": 1, "LSTM": 2, "PeepholeLSTM": 2, "CoupledGateLSTM": 2}


@pytest.mark.parametrize("type_", STATES)
@FEW
@given(st.data())
def test_the_rule_of_a_recurrent_layer_says_what_a_run_keeps(type_, data):
    sizes = st.integers(1, 6)
    drawn = {"hidden_size": sizes, "num_layers": st.integers(1, 3), "bidirectional": st.booleans()}
    layer = catalogue.layer(type_)
    params = {name: data.draw(values, name) for name, values in drawn.items() if layer.param(name)}
    g = Builder()
    x = g.add(
        "Linear", g.add("Input", shape=(data.draw(st.integers(3, 9)), 4)), out_features=data.draw(sizes)
    )
    g.add("Output", g.add(type_, x, id="tested", **params))
    document = g.document()
    found = resolve(document)
    told = memory_of(document, found)["tested"].kept
    found.steps["tested"] = replace(found.steps["tested"], layer=replace(layer, types=None))
    assert told == pytest.approx(memory_of(document, found)["tested"].kept, rel=0.15)


def test_what_the_optimizer_remembers():
    document = presets()["spirals"].document()
    weights = analyze(document).footprint.weights
    rows = (("SGD", {}, 0), ("SGD", {"momentum": 0.9}, 1), ("AdamW", {}, 2), ("RMSprop", {}, 1))
    for name, options, times in rows:
        told = analyze(set_optimizer(document, name, **options)).footprint
        assert told.optimizer == times * weights
        assert told.gradients == weights
    bigger = analyze(set_training(document, batch_size=100)).footprint
    assert bigger.activations == 100 * bigger.sample
    assert bigger.total == bigger.fixed + bigger.activations


def test_losses_that_cannot_be_run_without_numbers():
    """Their rules, within a tenth of what a real run keeps."""
    g = Builder()
    x = g.add("Linear", g.add("Input", id="x", shape=(20,)), out_features=30)
    variance = g.add("Exp", g.add("Linear", x, out_features=30))
    g.add("GaussianNLLLoss", x, g.add("Input", id="y", shape=(30,)), variance)
    told = analyze(g.document()).footprint
    assert told.unknown == ()
    assert told.sample * BATCH == pytest.approx(saved_by_a_run(g.document()), rel=0.1)


def test_what_is_not_known_is_said_and_not_taken_for_nothing():
    g = Builder()
    x = g.add("LSTM", g.add("Linear", g.add("Input", shape=(5, 4)), out_features=4), id="lstm")
    g.add("Output", x)
    found = resolve(g.document())
    found.steps["lstm"] = replace(found.steps["lstm"], layer=replace(found.steps["lstm"].layer, kept=None))
    memory = memory_of(g.document(), found)
    assert memory["lstm"].kept is None
    assert memory["lstm"].forward > 0
    assert footprint(g.document(), found, memory).unknown == ("lstm",)


def test_copies_of_weights_take_room_but_learn_nothing():
    g = Builder()
    x = g.add("Input", shape=(10,))
    g.add("Output", g.add("Linear", x, id="fc", out_features=10))
    g.add("Output", g.add("Linear", x, id="slow", out_features=10))
    document = share(g.document(), "slow", "fc", "average")
    needs = analyze(document).footprint
    assert (needs.weights, needs.gradients) == (2 * 440, 440)


def test_what_no_objective_moves_needs_no_gradient_and_no_state():
    document = presets()["spirals"].document()
    frozen = set_learning(document, ["hidden"], frozen=True)
    all_, rest = analyze(document).footprint, analyze(frozen).footprint
    own = 4 * analyze(document).parameters["hidden"]
    assert rest.weights == all_.weights
    assert rest.gradients == all_.gradients - own
    assert rest.optimizer == all_.optimizer - 2 * own
    chosen = set_moved(document, 0, ["arm"])
    assert analyze(chosen).footprint.gradients == rest.gradients
