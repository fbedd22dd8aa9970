"""Weights on disk: exact, atomic, and never executed."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch import nn

from engine.errors import FileError
from engine.storage import atomic
from engine.training.checkpoint import load_weights, save_weights


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 3)
        self.out = nn.Linear(3, 5, bias=False)
        self.out.weight = self.embed.weight


def test_round_trip_is_exact(tmp_path):
    path = tmp_path / "w.safetensors"
    first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).to(memory_format=torch.channels_last)
    second = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    save_weights(first, path)
    report = load_weights(second, path)
    assert set(report.loaded) == set(first.state_dict())
    assert str(report) == "7 of 7 loaded."
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
    assert list(tmp_path.iterdir()) == [path]


def test_tied_weights(tmp_path):
    first, second = Tied(), Tied()
    save_weights(first, tmp_path / "w.safetensors")
    load_weights(second, tmp_path / "w.safetensors")
    assert torch.equal(first.embed.weight, second.out.weight)
    assert second.out.weight is second.embed.weight


def test_what_does_not_fit_is_reported(tmp_path):
    save_weights(nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)}), tmp_path / "w")
    model = nn.ModuleDict({"a": nn.Linear(2, 3), "c": nn.Linear(2, 2)})
    before = model["c"].weight.clone()
    report = load_weights(model, tmp_path / "w")
    assert report.loaded == ()
    assert report.missing == ("c.weight", "c.bias")
    assert set(report.unexpected) == {"b.weight", "b.bias"}
    assert report.mismatched == ("a.weight", "a.bias")
    assert "not in the file: c.weight, c.bias" in str(report)
    assert torch.equal(model["c"].weight, before)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_are_refused_and_not_run(tmp_path, protocol):
    path = tmp_path / "evil.safetensors"
    path.write_bytes(pickle.dumps(Bomb(), protocol=protocol))
    with pytest.raises(FileError, match=r"evil\.safetensors is"):
        load_weights(nn.Linear(2, 2), path)


def test_torch_files_are_refused_with_the_mend(tmp_path):
    path = tmp_path / "model.safetensors"
    torch.save(nn.Linear(2, 2).state_dict(), path)
    with pytest.raises(FileError, match=r"pickle.*as safetensors instead"):
        load_weights(nn.Linear(2, 2), path)


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"\xff" * 64, b"\x09\0\0\0\0\0\0\0{}", b"text"])
def test_damaged_files(tmp_path, data):
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(FileError, match="damaged"):
        load_weights(nn.Linear(2, 2), path)


def test_truncated_file(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(nn.Linear(20, 20), path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(FileError, match="damaged"):
        load_weights(nn.Linear(20, 20), path)


def test_missing_file_and_missing_folder(tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        load_weights(nn.Linear(2, 2), tmp_path / "none")
    with pytest.raises(FileError, match="cannot be written"):
        save_weights(nn.Linear(2, 2), tmp_path / "none" / "w")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    atomic.write_text(path, "old")

    def crash() -> None:
        with atomic.replacing(path) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crash()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_keeps_the_rights_of_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o640)
    atomic.write_text(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
