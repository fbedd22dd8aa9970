"""Orders of a stream: every row once, the same for a seed, and found again from any row."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.compiler.data import load_node
from engine.data.balance import balanced, class_weights
from engine.data.stream import joined
from engine.graph.document import Node

ROWS = 9000


@pytest.fixture
def stream(tmp_path, monkeypatch):
    """A table in small pieces and windows, some of its rows unusable."""
    monkeypatch.setattr("engine.data.parquet.PIECE", 800)
    monkeypatch.setattr("engine.data.stream.WINDOW", 8000)
    x = np.arange(ROWS, dtype=np.float64)
    x[5::97] = np.nan
    label = (np.arange(ROWS) % 20 == 0).astype(int)
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"x": x, "z": x, "label": label}), path, row_group_size=700)
    params = {"path": str(path), "reading": "stream", "normalize": "none", "target": "label"}
    return load_node(Node("data", "Parquet", params=params))


def order(stream, *args, **options) -> np.ndarray:
    return joined(list(stream.epoch(*args, **options)))["features"][:, 0].astype(int)


def test_an_epoch_gives_every_training_row_once(stream):
    rows = order(stream, 0, 1)
    assert len(rows) == len(set(rows.tolist())) == stream.rows
    held = joined(list(stream.blocks(held=True)))["features"][:, 0].astype(int)
    usable = np.setdiff1d(np.arange(ROWS), np.arange(5, ROWS, 97))
    assert np.array_equal(np.sort(np.concatenate([rows, held])), usable)


def test_seed_and_number_decide_the_order(stream):
    first = order(stream, 0, 1)
    assert np.array_equal(order(stream, 0, 1), first)
    for seed, number in ((1, 1), (0, 2)):
        other = order(stream, seed, number)
        assert not np.array_equal(other, first)
        assert np.array_equal(np.sort(other), np.sort(first))


def test_rows_are_mixed_from_all_over_the_file(stream):
    window = next(iter(stream.epoch(0, 1)))["features"][:, 0]
    assert np.ptp(window) > ROWS / 2
    assert len(np.unique(window // 700)) >= 6
    assert abs(np.corrcoef(np.arange(len(window)), window)[0, 1]) < 0.2


def test_an_epoch_begins_at_any_row(stream):
    whole = order(stream, 3, 2)
    rng = np.random.default_rng(0)
    for start in (0, 1, *rng.integers(0, stream.rows, 8).tolist(), stream.rows - 1):
        assert np.array_equal(order(stream, 3, 2, start=start), whole[start:])
    assert list(stream.epoch(3, 2, start=stream.rows)) == []


def test_what_lies_before_is_not_read(stream, monkeypatch):
    read = []
    inner = type(stream.origin).read
    monkeypatch.setattr(
        type(stream.origin),
        "read",
        lambda self, block, *rest: (read.append(block), inner(self, block, *rest))[1],
    )
    order(stream, 0, 1)
    whole = len(read)
    read.clear()
    order(stream, 0, 1, start=stream.rows - 10)
    assert len(read) <= 8 < whole


def test_threads_end_with_the_epoch(stream):
    before = set(threading.enumerate())
    windows = stream.epoch(0, 1)
    next(windows)
    windows.close()
    assert not [each for each in set(threading.enumerate()) - before if each.is_alive()]


def test_a_balanced_epoch(stream):
    labels = joined(list(stream.epoch(0, 1, balance="target")))["target"]
    assert len(labels) == stream.rows
    assert 0.45 < labels.mean() < 0.55


def test_balanced_rows():
    labels = np.array([0] * 90 + [1] * 9 + [7])
    rows = balanced(labels, np.random.default_rng(0))
    assert len(rows) == 100
    counts = np.bincount(labels[rows])
    assert sorted(counts[[0, 1, 7]].tolist()) == [33, 33, 34]
    often = np.bincount(rows, minlength=100)
    assert often[:90].max() == 1
    assert set(often[90:99].tolist()) <= {3, 4}
    assert np.array_equal(balanced(labels, np.random.default_rng(0)), rows)


def test_class_weights():
    assert class_weights([50, 25, 25]) == pytest.approx((2 / 3, 4 / 3, 4 / 3))
    assert class_weights([10, 0, 30]) == pytest.approx((2, 0, 2 / 3))
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.array([0] * 7 + [1] * 3)
    assert class_weights([7, 3]) == pytest.approx(
        compute_class_weight("balanced", classes=np.array([0, 1]), y=labels)
    )
