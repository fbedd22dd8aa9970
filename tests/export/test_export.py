"""The table of exports: what each ending means, and what happens where nothing can be written."""

from __future__ import annotations

import pkgutil

import pytest
import torch

from engine.compiler.module import compile_document
from engine.errors import CompileError, FileError
from engine.export import EXPORTERS, Weights, export, exporter_for
from engine.graph import edits
from engine.graph.build import Builder
from engine.graph.document import Document
from engine.storage.document_file import load_document
from engine.training.checkpoint import load_weights, read_weights
from presets import preset

NAMES = list(EXPORTERS)


def to(folder, name):
    return folder / f"net{EXPORTERS[name].suffix}"


@pytest.mark.parametrize("name", NAMES)
def test_an_export_is_written_and_says_so(name, tmp_path):
    document = preset("spirals").document()
    path = to(tmp_path, name)
    assert export(document, path, name).startswith(f"Wrote {path.name}")
    assert path.stat().st_size > 0
    beside = {"script": {"net_data.pt"}, "slurm": {"net.netwright"}}.get(name, set())
    assert {each.name for each in tmp_path.iterdir()} == {path.name} | beside
    assert callable(pkgutil.resolve_name(EXPORTERS[name].writer))
    assert EXPORTERS[name].doc.endswith(".")


def test_an_ending_means_the_first_of_its_kind(tmp_path):
    assert exporter_for(tmp_path / "x.PY").name == "module"
    assert exporter_for(tmp_path / "x.py", "script").name == "script"
    for exporter in EXPORTERS.values():
        assert exporter_for(tmp_path / f"x{exporter.suffix}").suffix == exporter.suffix


@pytest.mark.parametrize(
    ("file", "name", "words"),
    [
        ("x.doc", "", r"should end in \.py, .* or \.yaml to tell what to export"),
        ("x", "", "should end in"),
        ("x.py", "modul", "Did you mean 'module'"),
        ("x.py", "onnx", r"should end in \.onnx"),
        ("x.pdf", "", "netwright picture"),
    ],
)
def test_a_wrong_ending_or_name_says_what_there_is(file, name, words, tmp_path):
    with pytest.raises(FileError, match=words):
        export(preset("spirals").document(), tmp_path / file, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(name, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = to(tmp_path, name)
    path.write_text("before")
    monkeypatch.setattr("engine.storage.atomic._sync", full)
    with pytest.raises(FileError, match=r"net\.\w+ (could not|cannot) be written: "):
        export(preset("spirals").document(), path, name)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "before"


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_is_none_is_told(name, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="written"):
        export(preset("spirals").document(), to(tmp_path / "file", name), name)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "document"])
def test_a_half_drawn_network_names_its_node(name, tmp_path):
    document = edits.delete(preset("lenet5").document(), ["tanh1"])
    with pytest.raises(CompileError, match="Nothing is connected") as caught:
        export(document, to(tmp_path, name), name)
    assert caught.value.node == "pool1"
    with pytest.raises(CompileError):
        export(Document(), to(tmp_path, name), name)
    assert list(tmp_path.iterdir()) == []


def test_weights_are_those_that_were_given_or_fresh_by_the_seed(tmp_path):
    document = preset("spirals").document()
    path = tmp_path / "w.safetensors"
    torch.manual_seed(3)
    other = compile_document(document).model
    export(document, path, weights=Weights(other.state_dict(), "weights of a run"))
    assert all(other.state_dict()[name].equal(value) for name, value in read_weights(path).items())
    before = torch.get_rng_state()
    export(document, path)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(document.training.seed)
    fresh = compile_document(document).model.state_dict()
    assert all(fresh[name].equal(value) for name, value in read_weights(path).items())
    assert len(load_weights(other, path).loaded) == 4


def test_weights_of_another_network_are_refused_and_told(tmp_path):
    g = Builder()
    g.add("Linear", g.add("Input", shape=(3,)), out_features=2, id="other")
    weights = Weights(compile_document(g.document()).model.state_dict(), "weights of w.safetensors")
    with pytest.raises(CompileError, match="safetensors are those of another network: 0 of 4"):
        export(preset("spirals").document(), tmp_path / "x.pt2", weights=weights)
    with pytest.raises(FileError, match="no weights are written"):
        export(preset("spirals").document(), tmp_path / "x.py", weights=weights)
    assert list(tmp_path.iterdir()) == []


def test_a_document_is_the_same_again(tmp_path):
    document = preset("resnet18-small").document()
    export(document, tmp_path / "x.netwright")
    assert load_document(tmp_path / "x.netwright") == document
