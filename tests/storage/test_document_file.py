"""Documents survive a round trip; bad and hostile files end in a list of problems and execute nothing."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import FileError
from engine.graph.build import Builder
from engine.graph.edits import rename
from engine.storage.document_file import from_json, load_document, save_document, to_json
from engine.storage.format import VERSION
from presets import presets


@pytest.mark.parametrize("name", presets())
def test_round_trip(name, tmp_path):
    document = presets()[name].document()
    document = rename(document, next(iter(document.nodes)), "How wrong – «schlecht» 🙂")
    path = tmp_path / "a network.netwright"
    save_document(document, path)
    assert load_document(path) == document
    save_document(load_document(path), path)
    assert path.read_text(encoding="utf-8") == to_json(document)


def test_one_node_is_one_line():
    text = to_json(presets()["lenet5"].document())
    assert sum('"Conv2d"' in line for line in text.splitlines()) == 2
    assert json.loads(text)["netwright"] == VERSION


def test_all_problems_are_told_at_once():
    raw = {
        "netwright": 1,
        "name": 3,
        "surprise": 1,
        "nodes": [
            {"id": "a", "type": "nn.Linear"},
            {"id": "__class__", "type": "Linear"},
            {"id": "b", "type": "Linear", "params": {"out_features": "__import__('os').system('true')"}},
            {"id": "c", "type": "Linear", "position": [1e400, "x"]},
            {"id": "d", "type": "ReLU", "evil": 1},
            {"id": "e", "type": "ReLU"},
            {"id": "e", "type": "ReLU"},
            17,
        ],
        "edges": [["a.y", "e.x"], ["e.y", "e.q"], ["nowhere.y", "e.x"], "no edge", [1, 2]],
        "training": {"epochs": 0, "objectives": [{"optimizer": "Adm"}, {"options": {"lr": "fast"}}]},
    }
    with pytest.raises(FileError) as caught:
        from_json(json.dumps(raw).replace("Infinity", "1e999"))
    told = "\n".join(caught.value.problems)
    for words in (
        "'surprise' is not a part",
        "name should be a text",
        "Did you mean 'Linear'?",
        "'__class__' cannot name a node",
        "Units takes a whole number",
        "position should be two numbers",
        "'evil' is no part of it",
        "there are two of it",
        "node 8",
        "has no input 'q'",
        "There is no node 'nowhere'",
        "edge 4",
        "edge 5",
        "Epochs takes",
        "Did you mean 'Adam'?",
        "Learning rate takes",
    ):
        assert words in told
    assert "e.x" not in told, "an edge of a refused node is not a problem of its own"


def hostile() -> dict[str, bytes]:
    class Evil:
        def __reduce__(self):
            return os.mkdir, ("executed",)

    document = to_json(presets()["spirals"].document())
    return {
        "empty": b"",
        "truncated": document[: len(document) // 2].encode(),
        "pickle": pickle.dumps(Evil()),
        "not text": bytes(range(256)) * 10,
        "deep list": b"[" * 1_000_000,
        "deep object": b'{"a":' * 100_000,
        "huge number": b'{"netwright": ' + b"9" * 100_000 + b"}",
        "nan": b'{"netwright": 1, "name": NaN}',
        "version of a bool": b'{"netwright": true}',
        "newer": b'{"netwright": 99}',
        "list": b"[1, 2]",
        "code as type": document.replace('"ReLU"', "\"__import__('os').mkdir('executed')\"").encode(),
        "code as id": document.replace("hidden", "x=__import__('os').mkdir('executed')").encode(),
        "cycle": document.replace('"hidden.y", "relu1.x"', '"arm.y", "relu1.x"').encode(),
        "unknown layer": document.replace('"ReLU"', '"nn.ReLU6"').encode(),
        "infinite position": document.replace("[0.0, 0.0]", "[1e999, 0]").encode(),
        "wrong types": b'{"netwright": 1, "nodes": {}, "edges": 3, "training": [], "name": {}}',
        "huge id": ('{"netwright": 1, "nodes": [{"id": "' + "a" * 10**6 + '", "type": "ReLU"}]}').encode(),
    }


@pytest.mark.parametrize("name", hostile())
def test_hostile_files_execute_nothing_and_say_why(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.netwright"
    path.write_bytes(hostile()[name])
    with pytest.raises(FileError) as caught:
        load_document(path)
    assert caught.value.message.startswith("bad.netwright")
    assert all(problem.strip() and len(problem) < 400 for problem in caught.value.problems)
    assert [each.name for each in tmp_path.iterdir()] == ["bad.netwright"]


def test_a_hundred_megabytes_of_brackets_are_refused_unread(tmp_path):
    path = tmp_path / "big.netwright"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b"[" * 2**20)
    tracemalloc.start()
    with pytest.raises(FileError, match="100 MB; a document has at most 32 MB"):
        load_document(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * 2**20


def test_a_file_that_is_not_there_or_cannot_be_written(tmp_path):
    with pytest.raises(FileError, match="could not be read"):
        load_document(tmp_path / "none.netwright")
    with pytest.raises(FileError, match="could not be read"):
        load_document(tmp_path)
    with pytest.raises(FileError, match="could not be written"):
        save_document(presets()["spirals"].document(), tmp_path / "no folder" / "x.netwright")


def test_a_failed_save_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.netwright"
    save_document(presets()["spirals"].document(), path)
    before = path.read_bytes()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FileError, match="No space left on device"):
        save_document(presets()["lenet5"].document(), path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a.netwright"]


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 6))
def test_mutated_documents_open_or_are_refused_with_a_sentence(seed, count):
    chance = random.Random(seed)
    raw = json.loads(to_json(presets()["spirals"].document()))
    for _ in range(count):
        place, key = raw, None
        while isinstance(place, dict | list) and place and (key is None or chance.random() < 0.7):
            parent, key = place, chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
            place = parent[key]
        parent[key] = chance.choice([None, -1, 1e308, 2**70, "", "x.y", [], {}, True, "Linear", [[]], place])
    try:
        document = from_json(json.dumps(raw))
    except FileError:
        return  # refused with a sentence; any other exception fails the test
    assert from_json(to_json(document)) == document


def test_reading_many_bad_edges_stays_quick():
    """Every edge of a refused node is passed over at once, whatever their number."""
    raw = {"netwright": 1, "nodes": [{"id": f"n{i}", "type": "no layer"} for i in range(3000)]}
    raw["edges"] = [[f"n{i}.y", f"n{i + 1}.x"] for i in range(2999)]
    with pytest.raises(FileError) as caught:
        from_json(json.dumps(raw))
    assert len(caught.value.problems) == 50
    assert "2999 more problems" in caught.value.message


def test_a_builder_document_equals_its_file():
    g = Builder("Joined")
    x = g.add("Input", shape=(3,))
    g.add("Output", g.add("Concatenate", x, x, x))
    assert from_json(to_json(g.document())) == g.document()
    assert io.StringIO(to_json(g.document())).readline() == "{\n"
