"""How a batch is shared out: every row once, and the mean over the processes is the mean over all rows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.distributed.group import Place, share
from engine.errors import TrainingError
from engine.training.events import Failed
from engine.training.runner import Runner
from tests.training.documents import spirals


@given(st.integers(1, 300), st.integers(1, 16))
def test_the_mean_over_the_processes_is_the_mean_over_all_rows(count: int, size: int) -> None:
    values = torch.rand(count, dtype=torch.float64)
    parts = [share(count, rank, size) for rank in range(size)]
    means = [values[rows].mean() * (1 if weight is None else weight) for rows, weight in parts]
    assert torch.allclose(torch.stack(means).mean(), values.mean())
    if count >= 2 * size:
        assert torch.equal(torch.cat([values[rows] for rows, _ in parts]), values)
        lengths = [len(values[rows]) for rows, _ in parts]
        assert max(lengths) - min(lengths) <= 1
        assert min(lengths) >= 2


def environment(monkeypatch: pytest.MonkeyPatch, **values: int) -> None:
    names = {"RANK": 0, "WORLD_SIZE": 4, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 4} | values
    for name, value in {**names, "TORCHELASTIC_RESTART_COUNT": 2}.items():
        monkeypatch.setenv(name, str(value))


def test_a_process_finds_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, RANK=5, WORLD_SIZE=8, LOCAL_RANK=1)
    place = Place.of_environment()
    assert (place.rank, place.size, place.local, place.local_size, place.attempt) == (5, 8, 1, 4, 2)
    monkeypatch.delenv("RANK")
    with pytest.raises(TrainingError, match="torchrun did not say"):
        Place.of_environment()


@pytest.mark.parametrize(
    ("wanted", "gpus", "device"),
    [
        ("auto", 4, "cuda:3"),
        ("auto", 0, "cpu"),
        ("auto", 2, "cpu"),
        ("cpu", 4, "cpu"),
        ("cuda:0", 4, "cuda:3"),
        ("cuda", 8, "cuda:3"),
    ],
)
def test_every_process_has_a_device_of_its_own(
    monkeypatch: pytest.MonkeyPatch, wanted: str, gpus: int, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert Place(3, 4, 3, 4).device(wanted) == device


@pytest.mark.parametrize(
    ("wanted", "gpus", "words"),
    [("cuda", 2, "start one process for each GPU"), ("mps", 0, "not on 'mps'")],
)
def test_a_device_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, wanted: str, gpus: int, words: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with pytest.raises(TrainingError, match=words):
        Place(3, 4, 3, 4).device(wanted)


def test_shared_weights_do_not_go_on_in_one_process(tmp_path: Path) -> None:
    runner = Runner(spirals(epochs=1), out=tmp_path / "run")
    runner.start()
    assert runner.join(60)
    for each in (tmp_path / "run" / "moments").iterdir():
        each.rename(each.with_suffix(".shares"))
    runner = Runner.resumed(tmp_path / "run")
    runner.start()
    assert runner.join(60)
    (failed,) = (event for event in runner.events.drain() if isinstance(event, Failed))
    assert "goes on under torchrun" in failed.message
