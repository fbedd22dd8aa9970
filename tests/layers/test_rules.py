"""Rules that stand in for running a layer say what the run says: types and cost, on random sizes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from engine import catalogue
from engine.compiler.analyze import analyze
from engine.compiler.meta import NAMESPACE, build, measure
from engine.compiler.module import compile_document
from engine.compiler.resolve import Step, resolve
from engine.graph.build import Builder
from engine.graph.document import Document, Slot
from tests.layers.harness import around, cases

SMALL = st.integers(1, 5)
FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
STATES = {"RNN": 1, "GRU": 1, "LSTM": 2, "PeepholeLSTM": 2, "CoupledGateLSTM": 2}


def sequence(type_: str, length: int, width: int, params: dict, states: bool) -> Document:
    """A recurrent layer that begins with zeros, or with what another one of its kind ended with."""
    g = Builder("Sequence")
    x = g.add("Input", id="x", shape=(length, width))
    before = (
        [g.add(type_, x, **params)[port] for port in ("hidden", "cell")[: STATES[type_]]] if states else []
    )
    result = g.add(type_, x, *before, id="tested", **params)
    for port in ("output", "hidden", "cell")[: 1 + STATES[type_]]:
        g.add("Output", result[port])
    return g.document()


@pytest.mark.parametrize("type_", STATES)
@FEW
@given(st.data())
def test_recurrent_layers(type_, data):
    length, width, batch = data.draw(SMALL), data.draw(SMALL), data.draw(st.integers(2, 4))
    layer = catalogue.layer(type_)
    drawn = {"hidden_size": SMALL, "num_layers": st.integers(1, 3), "bidirectional": st.booleans(),
             "bias": st.booleans()}  # fmt: skip
    params = {name: data.draw(values, name) for name, values in drawn.items() if layer.param(name)}
    document = sequence(type_, length, width, params, data.draw(st.booleans(), "states"))
    told = analyze(document)
    assert told.problems == ()
    built = compile_document(document)
    seen = dict(built.steps(built.model, {"x": torch.randn(batch, length, width)}))["tested"]
    assert {port: tuple(value.shape) for port, value in seen.items()} == {
        port: tuple(batch if size == "N" else size for size in told.types[Slot("tested", port)].shape)
        for port in seen
    }
    step = resolve(document).steps["tested"]
    run = measure(step.init, step.call, tuple(told.types[slot] for slot in step.inputs))
    assert run.types == tuple(told.types[slot] for slot in step.outputs)
    assert told.macs["tested"] == run.macs
    assert told.parameters["tested"] == run.parameters


@pytest.mark.parametrize("type_", ["CTCLoss", "GaussianNLLLoss"])
@FEW
@given(length=st.integers(8, 12), classes=st.integers(2, 6), batch=st.integers(2, 4))
def test_losses_that_look_at_their_numbers(type_, length, classes, batch):
    g = Builder("Loss")
    scores = g.add("Linear", g.add("Input", id="x", shape=(length, classes)), out_features=classes)
    if type_ == "CTCLoss":
        ints = [g.add("Input", id=id, shape=shape, dtype="int") for id, shape in INTS.items()]
        g.add("CTCLoss", g.add("LogSoftmax", scores), *ints, id="tested")
    else:
        target = g.add("Input", id="target", shape=(length, classes))
        g.add("GaussianNLLLoss", scores, target, g.add("Exp", scores), id="tested")
    told = analyze(g.document())
    assert told.problems == ()
    built = compile_document(g.document())
    fields = {"x": torch.randn(batch, length, classes), "target": torch.randn(batch, length, classes)}
    if type_ == "CTCLoss":
        fields |= {"target": torch.ones(batch, 3, dtype=torch.int64), "steps": torch.full((batch,), length),
                   "letters": torch.full((batch,), 3)}  # fmt: skip
    (value,) = dict(built.steps(built.model, fields))["tested"].values()
    assert tuple(value.shape) == told.types[Slot("tested", "loss")].shape == ()
    assert torch.isfinite(value)


INTS = {"target": (3,), "steps": (), "letters": ()}


def test_every_rule_is_compared_here():
    ruled = {layer.type for layer in catalogue.layers().values() if layer.types and layer.role != "data"}
    assert ruled == {*STATES, "CTCLoss", "GaussianNLLLoss"}


def _macs(type_: str, *shapes: tuple[int, ...], **params: object) -> int:
    g = Builder("Cost")
    g.add(type_, *[g.add("Input", shape=shape) for shape in shapes], id="tested", **params)
    return analyze(g.document()).macs["tested"]


@pytest.mark.parametrize(
    ("macs", "expected"),
    [
        (lambda: _macs("Linear", (7, 5), out_features=3), 7 * 5 * 3),
        (lambda: _macs("Bilinear", (5,), (4,), out_features=3), 5 * 4 * 3),
        (lambda: _macs("Maxout", (5,), out_features=3, pieces=2), 5 * 3 * 2),
        (lambda: _macs("Conv1d", (4, 10), out_channels=6, kernel_size=3), 8 * 6 * 4 * 3),
        (
            lambda: _macs("Conv2d", (4, 10, 9), out_channels=6, kernel_size=3, groups=2, stride=(1, 2)),
            8 * 4 * 6 * 2 * 9,
        ),
        (lambda: _macs("Conv3d", (2, 5, 5, 5), out_channels=3, kernel_size=2), 64 * 3 * 2 * 8),
        (lambda: _macs("ConvTranspose2d", (4, 5, 5), out_channels=6, kernel_size=3), 25 * 6 * 4 * 9),
        (
            lambda: _macs("MaskedConv2d", (4, 8, 8), out_channels=6, kernel_size=3, padding="same"),
            64 * 6 * 4 * 9,
        ),
        (lambda: _macs("MatMul", (5, 6), (6, 7)), 5 * 6 * 7),
        (lambda: _macs("Einsum", (5, 6), (6, 7)), 5 * 6 * 7),
        (lambda: _macs("ScaledDotProductAttention", (5, 8)), 2 * 5 * 5 * 8),
        (lambda: _macs("MultiheadAttention", (5, 8), num_heads=2), 4 * 5 * 8 * 8 + 2 * 5 * 5 * 8),
        (
            lambda: _macs("TransformerEncoderLayer", (5, 8), nhead=2, dim_feedforward=16),
            4 * 5 * 8 * 8 + 2 * 5 * 5 * 8 + 2 * 5 * 8 * 16,
        ),
        (
            lambda: _macs("TransformerDecoderLayer", (5, 8), (6, 8), nhead=2, dim_feedforward=16),
            4 * 5 * 8 * 8 + 2 * 5 * 5 * 8 + (2 * 5 + 2 * 6) * 8 * 8 + 2 * 5 * 6 * 8 + 2 * 5 * 8 * 16,
        ),
        (lambda: _macs("LSTMCell", (5,), hidden_size=7), 4 * 7 * (5 + 7)),
        (lambda: _macs("GRUCell", (5,), hidden_size=7), 3 * 7 * (5 + 7)),
        (lambda: _macs("RNNCell", (5,), hidden_size=7), 7 * (5 + 7)),
        (lambda: _macs("ReLU", (5,)), 0),
    ],
)
def test_cost_in_closed_form(macs, expected):
    assert macs() == expected


def test_cost_is_that_of_one_sample():
    """Counted by torch on the meta device for a batch of two, layer by layer."""
    plain = {type_: (params, options) for type_, params, options in cases() if not params}
    for type_, (params, options) in plain.items():
        if (
            catalogue.layer(type_).macs
            or catalogue.layer(type_).types
            or catalogue.layer(type_).role == "loss"
        ):
            continue
        document = around(type_, params, options)
        resolution = resolve(document)
        step = resolution.steps["tested"]
        two = [
            torch.empty(
                [2 if size == "N" else size for size in resolution.types[slot].shape],
                dtype={"float": torch.float32, "int": torch.int64}[resolution.types[slot].dtype],
                device="meta",
            )
            for slot in step.inputs
        ]
        assert resolution.macs["tested"] == _counted(step, two) / 4, type_


def _counted(step: Step, inputs: list[torch.Tensor]) -> int:
    names = [f"a{place}" for place in range(len(inputs))]
    counter = FlopCounterMode(display=False)
    space = {
        **NAMESPACE,
        "layer": build(step.init) if step.init else None,
        **dict(zip(names, inputs, strict=True)),
    }
    with torch.no_grad(), counter:
        eval(step.call.format(*names, self="layer"), space)
    return counter.get_total_flops()
