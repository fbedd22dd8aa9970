"""What other programs load: ONNX and torch.export, run and compared with the network."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from engine.compiler.module import compile_document
from engine.errors import CompileError, FileError
from engine.export import Weights, export
from engine.export.live import make_live
from engine.graph.build import Builder
from engine.graph.document import Document
from presets import preset
from tests.layers.harness import around


def tokens(kind: str) -> Document:
    """Words, a layer that reads them in order or by attention, and a class for each sentence."""
    g = Builder("Tokens")
    words = g.add("Input", shape=(12,), dtype="int", id="words")
    x = g.add("Embedding", words, num_embeddings=20, embedding_dim=8)
    if kind == "lstm":
        x = g.add("LSTM", x, hidden_size=16)
    elif kind == "attention":
        x = g.add("MultiheadAttention", x, num_heads=2)
        x = g.add("ScaledDotProductAttention", x, g.add("Linear", x, out_features=8), x)
    g.add("Linear", g.add("Flatten", x), out_features=4, id="scores")
    return g.document()


def heads() -> Document:
    g = Builder("Heads")
    left, right = (g.add("Input", shape=(6,), id=name) for name in ("left", "right"))
    x = g.add("Add", left, right)
    g.add("Output", g.add("Linear", x, out_features=3, id="scores"))
    g.add("Output", g.add("Tanh", x, id="bent"))
    return g.document()


NETWORKS = {
    "lenet5": lambda: preset("lenet5").document(),
    "resnet18-small": lambda: preset("resnet18-small").document(),
    "lstm": lambda: tokens("lstm"),
    "attention": lambda: tokens("attention"),
    "heads": heads,
}


def learned(document: Document) -> Weights:
    """Return other weights than those that a fresh model has."""
    torch.manual_seed(7)
    return Weights(compile_document(document).model.state_dict(), "weights of a run")


@pytest.mark.parametrize("name", NETWORKS)
def test_onnxruntime_gives_what_the_network_gives(name, tmp_path):
    """With the weights that were given, for any number of rows, under the names of the drawing."""
    document = NETWORKS[name]()
    weights = learned(document)
    said = export(document, tmp_path / "net.onnx", weights=weights)
    assert said.startswith("Wrote net.onnx: weights of a run; in onnxruntime it ")
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
    onnx.checker.check_model(tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    live = make_live(document, weights)
    plan = live.built.plan
    assert [each.name for each in session.get_inputs()] == list(plan.arguments.values())
    assert [each.name for each in session.get_outputs()] == list(plan.outputs.values())
    assert all(each.shape[0] == "batch" for each in session.get_inputs())
    for count in (1, 9):
        rows = dict(zip(plan.arguments.values(), live.rows(count), strict=True))
        with torch.no_grad():
            expected = live.built.outputs(live.model, rows)
        given = session.run(None, {key: value.numpy() for key, value in rows.items()})
        for ours, theirs in zip(expected, given, strict=True):
            np.testing.assert_allclose(theirs, ours.numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_program_is_loaded_without_its_python(name, tmp_path):
    document = NETWORKS[name]()
    weights = learned(document)
    said = export(document, tmp_path / "net.pt2", weights=weights)
    assert said == "Wrote net.pt2: weights of a run; loaded again, it gives the same numbers."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.load(tmp_path / "net.pt2")
    live = make_live(document, weights)
    assert program.state_dict.keys() == live.model.state_dict().keys()
    rows = live.rows(9)
    given = program.module()(*rows)
    expected = live.model(*rows)
    given = given if isinstance(given, tuple) else (given,)
    expected = expected if isinstance(expected, tuple) else (expected,)
    assert all(map(torch.equal, given, expected))


@pytest.mark.parametrize(
    "type_", ["RReLU", "DistanceMatrix", "CausalMask", "MaskedConv2d", "GroupNorm", "GRU"]
)
def test_layers_that_the_translator_does_not_know_are_written_with_others(type_, tmp_path):
    assert "in onnxruntime it" in export(around(type_, {}), tmp_path / "net.onnx")


def test_a_layer_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    """The operator that ONNX lacks is led back to the node that uses it, inside a block too."""
    monkeypatch.setattr("engine.export.onnx_model.OTHERWISE", {})
    g = Builder("Blocks")
    with g.block("Distances") as block:
        points = block.input()
        block.output(block.add("DistanceMatrix", points, points, id="far"))
    x = g.add("Linear", g.add("Input", shape=(5, 4)), out_features=3)
    g.add("Distances", x, id="inner")
    for document, node in ((around("RReLU", {}), "tested"), (g.document(), "Distances/far")):
        with pytest.raises(CompileError) as caught:
            export(document, tmp_path / "net.onnx")
        assert caught.value.node == node
        assert caught.value.message.startswith(f"{node} cannot be written as ONNX: ")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_computes_something_else_is_not_written(tmp_path, monkeypatch):
    def other(self, rows):
        return [torch.zeros(len(rows[0]), 10) + 1e-2]

    monkeypatch.setattr("engine.export.onnx_model._Session.run", other)
    with pytest.raises(CompileError, match="computes something else") as caught:
        export(preset("lenet5").document(), tmp_path / "net.onnx")
    assert caught.value.node == "digit"
    assert list(tmp_path.iterdir()) == []


def test_missing_packages_are_named_with_the_command(tmp_path, monkeypatch):
    def without(name):
        if name in ("onnxscript", "onnxruntime"):
            raise ImportError(name)
        return importlib.import_module(name)

    monkeypatch.setattr("engine.export.onnx_model.import_module", without)
    with pytest.raises(FileError, match="pip install onnxscript onnxruntime"):
        export(preset("lenet5").document(), tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_weights_beyond_what_a_file_holds_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.export.onnx_model.LARGEST", 1000)
    with pytest.raises(CompileError, match="at most 2 GB"):
        export(preset("lenet5").document(), tmp_path / "net.onnx")
