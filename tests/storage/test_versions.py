"""Files of every format: older ones open as they were meant, newer ones as far as they can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.compiler.analyze import analyze
from engine.compiler.trust import is_trusted
from engine.errors import FileError
from engine.graph.document import Document
from engine.layers.formula import Formula
from engine.storage import format as formats
from engine.storage.document_file import load_document, read_document, read_json, save_document, to_json
from engine.storage.format import MIGRATIONS, VERSION
from presets import preset

FOLDER = Path(__file__).parent / "formats"


def test_every_older_format_has_a_migration_and_a_file_here():
    assert list(MIGRATIONS) == list(range(1, VERSION))
    assert {int(path.stem) for path in FOLDER.iterdir()} == set(MIGRATIONS)


@pytest.mark.parametrize("version", MIGRATIONS)
def test_a_file_of_an_older_format_opens_and_is_saved_in_this_one(version, tmp_path):
    loaded = read_document(FOLDER / f"{version}.netwright")
    assert loaded.read_only == ""
    document = loaded.document
    assert document.nodes["third"].share.node == "second"
    assert document.nodes["second"].name == "The second – «2»"
    assert document.nodes["halved1"].params["by"] == 4
    assert document.blocks["Head"].nodes["first"].params["out_features"] == Formula("features")
    assert (document.training.epochs, document.training.batch_size) == (7, 16)
    if version == 2:  # it named one loss, and an empty text meant every loss
        assert [dict(each.losses) for each in document.training.objectives] == [{"scores": 1.0}, {}]
    save_document(document, tmp_path / "new.netwright")
    assert json.loads((tmp_path / "new.netwright").read_text("utf-8"))["netwright"] == VERSION
    assert load_document(tmp_path / "new.netwright") == document


def test_migrations_are_applied_in_their_order(monkeypatch):
    monkeypatch.setattr(formats, "VERSION", 4)
    steps = {
        1: lambda raw: {**raw, "name": raw["name"] + " one"},
        2: lambda raw: {**raw, "name": raw["name"] + " two"},
        3: lambda raw: {**raw, "name": raw["name"] + " three"},
    }
    monkeypatch.setattr(formats, "MIGRATIONS", steps)
    assert read_json('{"netwright": 1, "name": "from"}').document.name == "from one two three"
    assert read_json('{"netwright": 3, "name": "from"}').document.name == "from three"


# Files of a newer format.


def newer(**more: Any) -> str:
    raw = json.loads(to_json(preset("spirals").document()))
    raw["netwright"] = VERSION + 1
    return json.dumps({**raw, **more})


def test_what_is_new_is_passed_over_and_the_rest_is_there():
    raw = json.loads(newer(weather="sunny"))
    raw["nodes"][1]["glow"] = 0.5
    raw["training"]["mood"] = 3
    loaded = read_json(json.dumps(raw))
    assert loaded.document == preset("spirals").document()
    assert "newer Netwright" in loaded.read_only
    assert f"format {VERSION + 1}" in loaded.read_only
    assert loaded.left_out == ()


def test_what_cannot_be_read_is_left_out_and_told():
    raw = json.loads(newer())
    raw["nodes"][1]["position"] = {"x": 1}
    raw["nodes"].append({"id": "again", "type": "Linear", "share": {"node": "nowhere"}})
    raw["nodes"].append({"id": "third dimension", "type": "Linear"})
    raw["edges"].append(["again.y", "again.z"])
    loaded = read_json(json.dumps(raw))
    assert raw["nodes"][1]["id"] not in loaded.document.nodes
    assert loaded.document.nodes["again"].share is None
    assert "4 of its parts could not be read" in loaded.read_only
    assert len(loaded.left_out) == 4
    analyze(loaded.document)


def test_a_cycle_in_a_newer_file_leaves_its_graph_without_edges():
    nodes = [{"id": "a", "type": "ReLU"}, {"id": "b", "type": "ReLU"}]
    loaded = read_json(newer(nodes=nodes, edges=[["a.y", "b.x"], ["b.y", "a.x"]]))
    assert list(loaded.document.nodes) == ["a", "b"]
    assert not loaded.document.edges
    assert any("form a cycle" in each for each in loaded.left_out)


def test_where_nobody_looks_a_newer_file_is_refused(tmp_path):
    path = tmp_path / "tomorrow.netwright"
    path.write_text(newer(), encoding="utf-8")
    with pytest.raises(FileError, match=r"tomorrow\.netwright: it was written by a newer Netwright"):
        load_document(path)
    assert read_document(path).document.nodes


def test_a_file_of_the_far_future_is_read_with_what_is_left():
    loaded = read_json('{"netwright": 999999, "nodes": {"now": "an object"}, "edges": 7}')
    assert loaded.document == Document(name="")
    assert loaded.read_only


def test_a_custom_layer_of_a_newer_file_is_not_trusted():
    source = "def twice(x: Tensor) -> Tensor:\n    return 2 * x\n"
    loaded = read_json(newer(customs=[{"name": "twice", "source": source, "license": "MIT"}]))
    assert loaded.document.customs["twice"].source == source
    assert not is_trusted(source)


def test_the_switch_of_tables_became_a_choice():
    for before, after in ((False, "none"), (True, "standardize")):
        node = {"id": "t", "type": "CSV", "params": {"path": "t.csv", "standardize": before}}
        raw = formats.parsed(json.dumps({"netwright": 2, "nodes": [node]}))
        assert raw["nodes"][0]["params"] == {"path": "t.csv", "normalize": after}
