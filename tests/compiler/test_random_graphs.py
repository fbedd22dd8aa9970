"""What every network must keep, tried on random ones of up to 60 nodes with blocks and shared weights."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import torch
from hypothesis import HealthCheck, given, settings, target
from torch import nn

from engine.compiler.analyze import analyze
from engine.compiler.module import Built, compile_document
from engine.compiler.read import read_source
from engine.graph.document import Document, Slot
from engine.storage.document_file import from_json, to_json
from tests.compiler.random_graphs import documents

ROWS = 3


def fields_of(built: Built) -> dict[str, torch.Tensor]:
    """Return random inputs for a model, by argument."""
    generator = torch.Generator().manual_seed(0)
    types = ((name, built.plan.types[slot]) for slot, name in built.plan.arguments.items())
    return {name: torch.randn((ROWS, *tensor.shape[1:]), generator=generator) for name, tensor in types}


def built_of(document: Document) -> Built:
    torch.manual_seed(0)
    built = compile_document(document)
    built.model.eval()
    return built


def given_by(model: nn.Module, fields: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    result = model(**fields)
    return result if isinstance(result, tuple) else (result,)


def same(mine: Iterable[torch.Tensor], theirs: Iterable[torch.Tensor]) -> bool:
    """Return whether tensors are equal bit for bit; what is no number equals itself here."""
    return all(
        a.dtype == b.dtype and torch.equal(torch.nan_to_num(a.float()), torch.nan_to_num(b.float()))
        for a, b in zip(mine, theirs, strict=True)
    )


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_random_networks_keep_every_promise(document):
    target(float(len(document.nodes)))
    analysis = analyze(document)
    assert not analysis.errors
    built = built_of(document)
    fields = fields_of(built)
    with torch.no_grad():
        result = given_by(built.model, fields)
        _is_stepped_bit_for_bit(built, fields, result)
        _survives_saving(document, built, fields, result)
        _survives_export(built, fields, result)
        _counts_its_weights_once(built, analysis)
        _is_read_back(document, built)


def _is_stepped_bit_for_bit(
    built: Built, fields: dict[str, torch.Tensor], result: tuple[torch.Tensor, ...]
) -> None:
    torch.manual_seed(1)
    steps = dict(built.steps(built.model, fields))
    assert same((steps[slot.node][slot.port] for slot in built.plan.outputs), result)
    for node, values in steps.items():
        for port, value in values.items():
            told = built.plan.types[Slot(node, port)].shape
            assert tuple(value.shape) == tuple(ROWS if size == "N" else size for size in told)


def _survives_saving(
    document: Document, built: Built, fields: dict[str, torch.Tensor], result: tuple[torch.Tensor, ...]
) -> None:
    again = from_json(to_json(document))
    assert again == document
    other = built_of(again)
    assert other.source.text == built.source.text
    assert same(given_by(other.model, fields), result)


def _survives_export(built: Built, fields: dict[str, torch.Tensor], result: tuple[torch.Tensor, ...]) -> None:
    """The text alone, executed with nothing but torch, makes the same network with the same weights."""
    alone: dict[str, object] = {"__name__": "exported"}
    exec(compile(built.source.text, "exported.py", "exec"), alone)
    torch.manual_seed(0)
    model = alone[built.plan.name]().eval()
    assert list(model.state_dict()) == list(built.model.state_dict())
    assert same(given_by(model, fields), result)


def _counts_its_weights_once(built: Built, analysis: object) -> None:
    used = {step.node for step in built.plan.model}
    told = sum(count for node, count in analysis.parameters.items() if node in used)
    learned = sum(parameter.numel() for parameter in built.model.parameters() if parameter.requires_grad)
    linked = {step.attribute for step in built.plan.model if not step.copies} - used
    assert told == learned or linked


def _is_read_back(document: Document, built: Built) -> None:
    """The text becomes the same drawing beside the old one, and alone a network that writes the same text."""
    assert read_source(built.source.text, document) == document
    alone = compile_document(read_source(built.source.text))
    assert alone.source.text == built.source.text
