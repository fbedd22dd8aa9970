"""Data that a function of the document makes: read from its text, run only where that is trusted."""

from __future__ import annotations

import numpy as np
import pytest

from engine.compiler.analyze import analyze
from engine.compiler.data import load_node, types_of
from engine.compiler.trust import distrust, trust_source
from engine.data.source import Source
from engine.errors import EngineError
from engine.graph import edits
from engine.graph.blocks import layer_of
from engine.graph.build import Builder
from engine.graph.custom import DATA_TEMPLATE, add_custom, set_custom
from engine.graph.document import Document, Slot
from engine.graph.signature import SourceError, read_signature
from engine.storage.document_file import load_document, save_document
from main import main

RINGS = DATA_TEMPLATE.format(name="Rings")


def document_of(source: str, **params) -> Document:
    """Return a document with one node of a data function."""
    document, type_ = add_custom(Document(), source)
    return edits.add_node(document, type_, params, id="data")[0]


def load(source: str, trusted: bool = True, **params):
    if trusted:
        trust_source(source)
    document = document_of(source, **params)
    node = document.nodes["data"]
    layer = layer_of(document, node.type)
    data, types = load_node(node, layer), types_of(node, layer)
    for field, promised in zip(data.fields.values(), types, strict=True):
        assert field.values.shape[1:] == promised.shape[1:]
        assert len(field.classes) == promised.classes
    return data


def returning(text: str) -> str:
    return f"import numpy as np\nimport torch\n\ndef Made() -> dict:\n    return {text}\n"


def test_ports_and_settings_are_read_without_running_anything():
    layer = read_signature(RINGS)
    assert isinstance(layer, Source)
    assert layer.role == "data"
    assert [port.name for port in layer.outputs_of({})] == ["point", "label"]
    assert [param.name for param in layer.params[:3]] == ["samples", "noise", "seed"]
    assert [param.name for param in layer.params].count("seed") == 1
    assert "validation" in [param.name for param in layer.params]
    assert layer.doc == "Points on two rings."


def test_what_it_returns_becomes_fields():
    data = load(RINGS, samples=40, noise=0.0)
    point, label = data.fields["point"], data.fields["label"]
    assert label.classes == ("inner", "outer")
    assert np.allclose(np.hypot(*point.values.T), 1 + label.values)
    assert point.values.dtype == np.float32
    assert (data.rows, data.held) == (32, 8)
    assert load(RINGS, samples=40, noise=0.0) is data
    assert load(RINGS, samples=41, noise=0.0) is not data


@pytest.mark.parametrize(
    ("text", "shape", "dtype", "classes"),
    [
        ("{'x': np.zeros((5, 3))}", (5, 3), np.float32, ()),
        ("{'x': [1.5, 2.5]}", (2, 1), np.float32, ()),
        ("dict(x=torch.ones(4, 2))", (4, 2), np.float32, ()),
        ("{'x': np.array([0, 2, 1])}", (3,), np.int64, ("0", "1", "2")),
        ("{'x': ['cat', 'dog', 'cat']}", (3,), np.int64, ("cat", "dog")),
        ("{'x': np.array([[1, 7], [2, 3]])}", (2, 2), np.int64, ()),
        ("{'x': [True, False]}", (2,), np.int64, ("0", "1")),
        ("{'x': (np.array([[0, 1], [1, 2]]), 'abc')}", (2, 2), np.int64, ("a", "b", "c")),
    ],
)
def test_every_kind_of_array(text, shape, dtype, classes):
    field = load(returning(text)).fields["x"]
    assert (field.values.shape, field.values.dtype.type, field.classes) == (shape, dtype, classes)


def test_rows_that_are_not_finite_are_left_out_and_told():
    data = load(returning("{'x': [1.0, float('nan'), 3.0], 'y': [0, 1, 0]}"), validation=0)
    assert data.fields["x"].values.tolist() == [[1], [3]]
    assert data.skipped == ("1 samples hold numbers that are not finite: 2.",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{'x': [1, 2], 'y': [1]}", "every field needs the same number of samples; 'x' has 2, 'y' has 1"),
        ("{'x': 3.0}", "expected samples first"),
        ("{'x': [[1], [1, 2]]}", "rows of different lengths"),
        ("{'x': np.array([None, None])}", "expected numbers or words"),
        ("{'x': (np.array([0, 5]), ['a'])}", "names 1 classes, but its numbers reach from 0 to 5"),
        ("{'x': 1 / 0}", "Made, line 5: ZeroDivisionError"),
        ("{'x': [1.0]}", "fewer than two samples"),
    ],
)
def test_what_cannot_be_used_is_told_with_the_node(text, said):
    with pytest.raises(EngineError, match=said) as caught:
        load(returning(text))
    assert caught.value.node == "data"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f() -> dict:\n    return made()\n", "line 2: return a dict whose names can be read"),
        ("def f() -> dict:\n    return {}\n", "line 2: return a dict"),
        ("def f() -> dict:\n    pass\n", "it returns no data"),
        ("def f() -> dict:\n    return {'a b': 1}\n", "'a b' is no name for a field"),
        ("def f(x: Tensor) -> dict:\n    return {'a': x}\n", "no value for x"),
    ],
)
def test_code_that_says_too_little_is_refused(source, said):
    with pytest.raises(SourceError, match=said):
        read_signature(source)


def test_nothing_runs_before_it_is_trusted(tmp_path):
    source = (
        "from pathlib import Path\n\n\ndef Evil() -> dict:\n"
        f"    Path({str(tmp_path / 'ran')!r}).touch()\n    return {{'x': [1.0, 2.0]}}\n"
    )
    document = document_of(source)
    with pytest.raises(EngineError, match="off until you trust this file"):
        load(source, trusted=False)
    assert any("off until you trust" in each.message for each in analyze(document).problems)
    assert not (tmp_path / "ran").exists()
    trust_source(source)
    assert not any("trust" in each.message for each in analyze(document).problems)
    assert (tmp_path / "ran").exists()


def test_a_layer_may_become_data_and_keeps_its_edges():
    trust_source(RINGS)
    document = document_of(RINGS)
    document, _ = edits.add_node(document, "Linear", id="fc")
    document = edits.connect(document, Slot("data", "point"), Slot("fc", "x"))
    other = RINGS.replace("samples: int = 500", "samples: int = 300")
    document, name = set_custom(document, "Rings", other)
    assert name == "Rings"
    assert document.edges
    assert layer_of(document, "Rings").values(document.nodes["data"].params)["samples"] == 300


def network() -> Document:
    document, type_ = add_custom(Document(name="Rings"), RINGS)
    g = Builder("Rings")
    g._document = document
    data = g.add(type_, id="data", samples=100)
    g.add("CrossEntropyLoss", g.add("Linear", data, out_features=2), data["label"])
    return g.document()


def test_it_trains_from_a_file_that_is_trusted(tmp_path, capsys):
    path = tmp_path / "rings.netwright"
    save_document(network(), path)
    assert load_document(path).customs["Rings"].source == RINGS
    from engine.compiler.trust import digest

    distrust([digest(RINGS)])
    assert main(["train", str(path), "--epochs", "2", "--out", str(tmp_path / "off")]) != 0
    assert "--trust" in capsys.readouterr().err
    assert main(["train", str(path), "--epochs", "2", "--trust", "--out", str(tmp_path / "on")]) == 0
