"""One harness over the whole catalogue: rendered, built, run forward and backward, saved and loaded."""

from __future__ import annotations

import inspect
import json

import pytest
import torch
from torch import nn

from engine import catalogue
from engine.compiler.analyze import analyze
from engine.compiler.meta import NAMESPACE
from engine.compiler.module import compile_document
from engine.graph.document import Document, Slot
from engine.graph.names import is_id
from engine.layers.declaration import CATEGORIES
from engine.storage.document_file import from_json, to_json
from engine.training.checkpoint import load_weights, save_weights
from tests.layers.harness import around, cases

BATCH = 3


def tensors(document: Document) -> dict[str, torch.Tensor]:
    """Return random fields for a document's inputs; whole numbers stay below every number of classes here."""
    torch.manual_seed(1)
    fields = {}
    for node in document.nodes.values():
        if node.type == "Input":
            values = catalogue.layer("Input").values(node.params)
            shape = (BATCH, *values["shape"])
            whole = values["dtype"] == "int"
            fields[node.id] = torch.randint(0, 6, shape) if whole else torch.randn(shape)
    return fields


@pytest.mark.parametrize(("type_", "params", "options"), list(cases()), ids=json.dumps)
def test_layer(type_, params, options, tmp_path):
    document = around(type_, params, options)
    analysis = analyze(document)
    assert [problem.message for problem in analysis.problems] == []
    assert "tested" in analysis.source.lines

    torch.manual_seed(0)
    built = compile_document(document)
    fields = tensors(document)
    seen = dict(built.steps(built.model, fields))
    for port, value in seen["tested"].items():
        told = analysis.types[Slot("tested", port)]
        assert tuple(value.shape) == tuple(BATCH if size == "N" else size for size in told.shape)
        assert value.dtype == {"float": torch.float32, "int": torch.int64, "bool": torch.bool}[told.dtype]
    own = getattr(built.model, "tested", None)
    count = sum(parameter.numel() for parameter in own.parameters()) if isinstance(own, nn.Module) else 0
    assert analysis.parameters["tested"] == count

    torch.manual_seed(2)
    result = built.evaluate(built.model, fields).get("loss")
    if result is None:
        result = sum(output.float().sum() for output in built.outputs(built.model, fields))
    if result.requires_grad:
        result.backward()
        used = [p for p in built.model.parameters() if p.grad is not None]
        assert used
        assert all(torch.isfinite(parameter.grad).all() for parameter in used)
    else:
        assert not list(built.model.parameters())

    again = compile_document(from_json(to_json(document)))
    save_weights(built.model, tmp_path / "weights.safetensors")
    report = load_weights(again.model, tmp_path / "weights.safetensors")
    assert [*report.missing, *report.unexpected, *report.mismatched] == []
    built.model.eval()
    again.model.eval()
    with torch.no_grad():
        pairs = zip(built.outputs(built.model, fields), again.outputs(again.model, fields), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("layer", list(catalogue.layers().values()), ids=lambda layer: layer.type)
def test_declaration_is_complete(layer):
    assert layer.category in CATEGORIES
    assert layer.doc.endswith(".")
    assert all(param.doc for param in layer.params), "a parameter without a tooltip"
    assert is_id(f"{layer.prefix or layer.type.lower()}1")
    assert all(param.check(param.default) == param.default for param in layer.params)
    assert all(param.parse(param.text(param.default)) == param.default for param in layer.params)
    assert isinstance(layer.summary(layer.values({})), str)
    names = [each.name for each in (*layer.params, *layer.inputs)]
    assert len(set(names)) == len(names), "a template could not tell them apart"
    optional = [*(port.optional for port in layer.inputs), *(param.code for param in layer.params)]
    assert ("{options}" in layer.call) == any(optional)
    assert layer.init.startswith(f"{layer.type}(" if layer.module else ("nn.", "")[not layer.init])


@pytest.mark.parametrize(
    "layer", [each for each in catalogue.layers().values() if each.init], ids=lambda layer: layer.type
)
def test_defaults_are_those_of_torch(layer):
    """A parameter at its default is left out of the code, so it must be torch's default too."""
    made = getattr(nn, layer.type) if not layer.module else NAMESPACE[layer.type]
    signature: dict[str, inspect.Parameter] = {}
    for each in reversed(made.__mro__):  # LSTM passes its arguments on to RNNBase, MaskedConv2d to Conv2d
        if "__init__" in vars(each):
            signature |= inspect.signature(each).parameters
    for param in layer.params:
        if f"{{{param.name}}}" not in layer.init and param.name in signature:
            default = signature[param.name].default  # a function stands for its name: F.relu for "relu"
            assert getattr(default, "__name__", default) == param.default, param.name


def test_reserved_words_are_the_attributes_of_a_module():
    # Other libraries hang functions of their own on torch's class once they are imported.
    names = [
        name
        for name in dir(nn.Module())
        if not name.startswith("_")
        and getattr(getattr(nn.Module, name, None), "__module__", "torch").startswith("torch")
    ]
    assert len(names) > 40
    assert [name for name in names if is_id(name)] == []
