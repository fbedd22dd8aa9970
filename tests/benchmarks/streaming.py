"""Data larger than memory: what a streamed Parquet table costs in memory and in time.

``python -m tests.benchmarks.streaming [--json] [--quick]`` writes a table of 5 GB (0.5 GB with ``--quick``)
into the folder for temporary files, looks at it, trains one epoch on it, and deletes it. Growth is the most
memory that the process held beyond what it held before the table was looked at, against 500 MB. Speed is
compared with the same epoch on a table in memory, and with a loop by hand that takes the file as it comes,
without an order, a split or scaling.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import torch.nn.functional as F
from torch import nn

from engine.graph.build import Builder
from engine.graph.document import Document
from engine.training.loop import train
from engine.training.setup import prepare
from tests.benchmarks.rows import Row, interleaved, report

COLUMNS, GROUP, BATCH = 50, 1_000_000, 4096
"""Columns of numbers beside the label, rows of a row group (what pandas writes), rows of a step."""
MOST = 500e6
"""Bytes that may be held at any moment beyond those before."""


def write_table(path: Path, size: float, group: int = GROUP) -> int:
    """Write a table of about so many bytes and return its rows."""
    rng = np.random.default_rng(0)
    schema = pa.schema([*((f"c{n}", pa.float32()) for n in range(COLUMNS)), ("label", pa.int32())])
    rows = int(size / (4 * (COLUMNS + 1)))
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, rows, group):
            x = rng.standard_normal((COLUMNS, min(group, rows - start)), np.float32)
            label = (x[0] * x[1] + x[2] > 0).astype(np.int32)
            writer.write_table(pa.table([*x, label], schema=schema), row_group_size=group)
    return rows


def network(path: Path, reading: str) -> Document:
    """50-64-2, one epoch."""
    b = Builder("Table")
    data = b.add("Parquet", path=str(path), reading=reading, validation=0.1)
    x = b.add("ReLU", b.add("Linear", data, out_features=64))
    b.add("CrossEntropyLoss", b.add("Linear", x, out_features=2), data["target"])
    b.train("Adam", lr=0.001, epochs=1, batch_size=BATCH)
    return b.document()


class _Silent:
    """Listens to a run and lets it go on."""

    def stepped(self, loss: object) -> bool:
        return True

    def evaluated(self, metrics: object) -> None:
        pass


def most_held(work: Callable[[], object]) -> float:
    """Return the most bytes that the process holds during some work beyond those before."""
    process, ended = psutil.Process(), threading.Event()
    before = most = process.memory_info().rss

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.01):
            most = max(most, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        ended.set()
        watcher.join()
    return most - before


def run(path: Path, reading: str) -> None:
    """Train one epoch."""
    train(prepare(network(path, reading), "cpu"), _Silent())


def memory(folder: Path, size: float) -> Row:
    """How much memory an epoch on a table needs that is far larger."""
    path = folder / "large.parquet"
    rows = write_table(path, size)
    written = path.stat().st_size
    began = perf_counter()
    growth = most_held(lambda: run(path, "stream"))
    took = perf_counter() - began
    path.unlink()
    detail = f"{growth / 1e6:.0f} MB for {written / 1e9:.1f} GB, {rows:,} rows read twice in {took:.0f} s"
    return Row("memory of a streamed epoch", growth / MOST, 1.0, "lower", detail)


def by_hand(path: Path) -> None:
    """An epoch as one writes it by hand, in the order of the file."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(COLUMNS, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
    for batch in pq.ParquetFile(path).iter_batches(BATCH):
        x = torch.from_numpy(np.stack([batch.column(n).to_numpy() for n in range(COLUMNS)], 1))
        y = torch.from_numpy(batch.column(COLUMNS).to_numpy().astype(np.int64))
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


def speed(folder: Path, quick: bool) -> list[Row]:
    """How fast an epoch is beside one in memory and one by hand; the data is looked at before."""
    path = folder / "small.parquet"
    write_table(path, 50e6 if quick else 200e6, 50_000)
    rounds = 2 if quick else 5
    streamed, whole = (lambda reading=reading: run(path, reading) for reading in ("stream", "memory"))
    beside, _ = interleaved(streamed, whole, rounds)
    hand, _ = interleaved(streamed, lambda: by_hand(path), rounds)
    cores = f"{os.cpu_count()} cores"
    return [
        Row("streamed beside in memory", beside, 0.25, "higher", f"epochs per second, 50-64-2, {cores}"),
        Row(
            "streamed beside a loop by hand",
            hand,
            0.5,
            "higher",
            f"which neither shuffles nor scales, {cores}",
        ),
    ]


def suite(quick: bool) -> list[Row]:
    """Return all rows."""
    with tempfile.TemporaryDirectory() as folder:
        return [memory(Path(folder), 0.5e9 if quick else 5e9), *speed(Path(folder), quick)]


if __name__ == "__main__":
    raise SystemExit(report(__doc__, [suite]))
