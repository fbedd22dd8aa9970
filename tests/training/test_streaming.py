"""Training on data that is streamed: the same as in memory, but for the order; resumed at any batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from engine.compiler.data import load_node
from engine.data.memory_blocks import stream_of
from engine.data.stream import Stream, joined
from engine.errors import TrainingError
from engine.export.script import write_script
from engine.graph.build import Builder
from engine.graph.document import Document, Node
from engine.graph.settings import set_training
from engine.training.feeding import fitting
from engine.training.loop import evaluation, train
from engine.training.setup import Setup, prepare
from engine.training.streaming import Streamed

ROWS = 3000


@pytest.fixture
def document(tmp_path, monkeypatch) -> Document:
    """A classifier of points in the plane, which lie in a Parquet file."""
    monkeypatch.setattr("engine.data.parquet.PIECE", 2000)
    monkeypatch.setattr("engine.data.stream.WINDOW", 8000)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 2)).astype(np.float32)
    columns = {"a": x[:, 0], "b": x[:, 1], "label": (x[:, 0] * x[:, 1] > 0.7).astype(int)}
    path = tmp_path / "points.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=500)
    b = Builder("Points")
    data = b.add("Parquet", path=str(path), reading="stream", split="last", id="data")
    hidden = b.add("Tanh", b.add("Linear", data, out_features=16))
    b.add("CrossEntropyLoss", b.add("Linear", hidden, out_features=2), data["target"])
    b.train("Adam", lr=0.01, epochs=3, batch_size=64)
    return b.document()


def in_memory(document: Document) -> Document:
    data = document.nodes["data"]
    node = replace(data, params={**data.params, "reading": "memory"})
    return replace(document, nodes={**document.nodes, "data": node})


class Losses:
    """Keeps what a run tells, and ends it after a step."""

    def __init__(self, last: int = 10**9):
        self.losses, self.metrics, self.last = [], [], last

    def stepped(self, loss) -> bool:
        self.losses.append(float(loss))
        return len(self.losses) < self.last

    def evaluated(self, metrics) -> None:
        self.metrics.append(dict(metrics))


def run(setup: Setup, last: int = 10**9) -> Losses:
    told = Losses(last)
    train(setup, told)
    return told


def test_a_run_on_a_stream_learns_as_one_in_memory_does(document):
    streamed, whole = prepare(document), prepare(in_memory(document))
    assert isinstance(streamed.dataset, Stream)
    assert isinstance(streamed.batches, Streamed)
    assert (streamed.rows, streamed.batches.steps) == (whole.rows, whole.batches.steps)
    before, expected = evaluation(streamed), evaluation(whole)
    assert before["val_loss"] == pytest.approx(expected["val_loss"], abs=1e-6)
    assert before["val_accuracy"] == pytest.approx(expected["val_accuracy"], abs=1e-6)
    one, other = run(streamed), run(whole)
    assert len(one.losses) == len(other.losses)
    assert one.metrics[-1]["val_loss"] == pytest.approx(other.metrics[-1]["val_loss"], rel=0.1)
    assert one.metrics[-1]["val_loss"] < before["val_loss"]


@pytest.mark.parametrize("step", [1, 37, 39, 60])
def test_a_resumed_run_is_the_uninterrupted_one(document, step):
    whole = run(prepare(document)).losses
    begun = prepare(document)
    losses = run(begun, last=step).losses
    resumed = prepare(document)
    resumed.load_state_dict(begun.state_dict())
    assert losses + run(resumed).losses == whole


def batches(document: Document, size: int, **options) -> Streamed:
    data = load_node(document.nodes["data"])
    names = {"x": "features", "y": "target"}
    return Streamed(data, names, size, 0, torch.device("cpu"), **options)


def rows(given: Iterator[dict]) -> torch.Tensor:
    return torch.cat([batch["x"] for batch in given])


@pytest.mark.parametrize("size", [1, 7, 64, 700, 10_000])
def test_every_batch_size_gives_the_same_rows(document, size):
    streamed = batches(document, size)
    found = list(streamed.epoch(1))
    assert [len(each["x"]) for each in found[:-1]] == [streamed.size] * (len(found) - 1)
    assert len(found) == streamed.steps
    assert streamed.row == streamed.rows
    assert torch.equal(rows(found), rows(batches(document, 3).epoch(1))[: streamed.rows])


def test_the_size_may_change_on_the_way(document):
    streamed = batches(document, 100)
    found, given = [], streamed.epoch(2)
    for size in (100, 100, 3, 500, 40, 40):
        streamed.size = size
        found.append(next(given))
    streamed.size = 64
    found += list(given)
    assert [len(each["x"]) for each in found[:7]] == [100, 100, 3, 500, 40, 40, 64]
    assert torch.equal(rows(found), rows(batches(document, 100).epoch(2)))


def test_an_epoch_from_a_row_on(document):
    whole = rows(batches(document, 50).epoch(1))
    streamed = batches(document, 50)
    assert torch.equal(rows(streamed.epoch(1, start=1234)), whole[1234:])
    assert streamed.row == 2400


def test_balanced_sampling(document):
    setup = prepare(set_training(document, balance="sampling"))
    labels = torch.cat([batch["target"] for batch in setup.batches.epoch(1)])
    assert 0.4 < labels.float().mean() < 0.6
    plain = torch.cat([batch["target"] for batch in prepare(document).batches.epoch(1)])
    assert plain.float().mean() < 0.25


def test_a_script_with_its_data_is_refused(document, tmp_path):
    with pytest.raises(TrainingError, match="set its reading to memory") as caught:
        write_script(document, tmp_path / "run.py")
    assert caught.value.node == "data"
    assert write_script(in_memory(document), tmp_path / "run.py")


def growth(path: Path) -> tuple[int, int]:
    """Return the most memory that an epoch of a file takes beyond the start, and the rows, in bytes."""
    b = Builder("Large")
    data = b.add("Parquet", path=str(path), reading="stream", id="data")
    b.add("CrossEntropyLoss", b.add("Linear", data, out_features=2), data["target"])
    process = psutil.Process()
    stream = load_node(b.document().nodes["data"])
    streamed = Streamed(stream, {"x": "features", "y": "target"}, 256, 0, torch.device("cpu"))
    before, most, count = process.memory_info().rss, 0, 0
    for number, batch in enumerate(streamed.epoch(1)):
        count += len(batch["x"])
        if number % 50 == 0:
            most = max(most, process.memory_info().rss - before)
    return most, count


def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.data.stream.WINDOW", 4_000_000)
    monkeypatch.setattr("engine.data.parquet.PIECE", 250_000)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 100_000)).astype(np.float32)
    columns = {**{f"c{place}": each for place, each in enumerate(x)}, "y": (x[0] > 0).astype(np.int32)}
    part = pa.table(columns)
    paths = [tmp_path / "small.parquet", tmp_path / "large.parquet"]
    for path, times in zip(paths, (1, 10), strict=True):
        with pq.ParquetWriter(path, part.schema, compression="none", use_dictionary=False) as writer:
            for _ in range(times):
                writer.write_table(part, row_group_size=20_000)
    assert paths[1].stat().st_size > 200_000_000
    growth(paths[0])  # what every first read takes
    most, count = growth(paths[1])
    assert count == 800_000
    assert most < 100_000_000  # what is read once and kept would be 160 MB, and as much again to shuffle it


def test_data_larger_than_the_memory_of_a_device_is_streamed_to_it(monkeypatch):
    data = load_node(Node("data", "Digits", params={"split": "stratified"}))
    device = torch.device("meta")  # stands for any that is not the processor
    monkeypatch.setattr("engine.training.feeding.memory_of", lambda device: 100_000_000)
    assert fitting(data, device) is data
    monkeypatch.setattr("engine.training.feeding.memory_of", lambda device: 1_000_000)
    stream = fitting(data, device)
    assert (stream.rows, stream.held) == (data.rows, data.held)
    for held in (False, True):
        whole, pieces = joined(list(data.blocks(held))), joined(list(stream.blocks(held)))
        orders = [np.lexsort(each["image"].reshape(len(each["label"]), -1).T) for each in (whole, pieces)]
        assert np.array_equal(whole["image"][orders[0]], pieces["image"][orders[1]])
        assert np.array_equal(whole["label"][orders[0]], pieces["label"][orders[1]])
    labels = next(iter(stream.epoch(0, 1)))["label"][:200]
    assert len(np.unique(labels)) == 10


def test_rows_that_are_set_aside_are_never_streamed(tmp_path):
    path = tmp_path / "parts.csv"
    path.write_text(
        "x,part,y\n" + "".join(f"{n},{['train', 'val', 'test'][n % 3]},{n}\n" for n in range(900))
    )
    params = {"path": str(path), "split": "column", "split_column": "part", "normalize": "none"}
    stream = stream_of(load_node(Node("data", "CSV", params={**params, "task": "number"})))
    assert (stream.rows, stream.held) == (300, 300)
    assert set(joined(list(stream.epoch(0, 1)))["features"][:, 0].astype(int) % 3) == {0}
    assert set(stream.first(50, held=True)["features"][:, 0].astype(int) % 3) == {1}
