"""Moments of shared weights: what their index may name, and which of them are whole."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
import torch.distributed.checkpoint as dcp

from engine.distributed.sharded import _Reader
from engine.distributed.shares import SUFFIX, shared_moments
from engine.errors import FileError

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")


class Harm:
    """Something whose unpickling would run a program."""

    def __init__(self, mark: Path):
        self._mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self._mark,))


def test_an_index_of_torchs_own_is_read(tmp_path: Path) -> None:
    tensors = {"a": torch.ones(3), "b": torch.zeros(2, 2, dtype=torch.bfloat16), "c": torch.tensor(7)}
    dcp.save(tensors, checkpoint_id=tmp_path / "moment", no_dist=True)
    known = _Reader(tmp_path / "moment").read_metadata().state_dict_metadata
    assert {name: tuple(about.size) for name, about in known.items()} == {"a": (3,), "b": (2, 2), "c": ()}
    into = {name: torch.empty_like(value) for name, value in tensors.items()}
    dcp.load(into, storage_reader=_Reader(tmp_path / "moment"), no_dist=True)
    assert all(into[name].equal(value) for name, value in tensors.items())


def test_an_index_that_would_run_something_is_refused(tmp_path: Path) -> None:
    dcp.save({"a": torch.ones(3)}, checkpoint_id=tmp_path / "moment", no_dist=True)
    mark = tmp_path / "harm"
    (tmp_path / "moment" / ".metadata").write_bytes(pickle.dumps(Harm(mark)))
    with pytest.raises(FileError, match="which has no place in one"):
        _Reader(tmp_path / "moment").read_metadata()
    assert not mark.exists()


def test_a_half_written_moment_does_not_count(tmp_path: Path) -> None:
    for name in (f"000000004{SUFFIX}", f"000000012{SUFFIX}", f".000000020{SUFFIX}.tmp", f"notes{SUFFIX}"):
        (tmp_path / name).mkdir()
    assert [each.name for each in shared_moments(tmp_path)] == [f"000000004{SUFFIX}", f"000000012{SUFFIX}"]
    assert shared_moments(tmp_path / "nowhere") == []
