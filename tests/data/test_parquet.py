"""Tables in Parquet: what each kind of column becomes, in memory and streamed alike."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.compiler.data import load_node, types_of
from engine.data.scan import memory
from engine.data.source import Dataset
from engine.data.statistics import statistics
from engine.data.stream import Stream, joined
from engine.errors import DataError
from engine.graph.document import Node


@pytest.fixture
def write(tmp_path):
    """Write columns and return the node that reads them."""

    def make(columns: dict, rows: int = 1 << 20, **params) -> Node:
        path = tmp_path / "table.parquet"
        pq.write_table(pa.table(columns), path, row_group_size=rows)
        return Node("data", "Parquet", params={"path": str(path), "normalize": "none", **params})

    return make


def everything(data: Dataset | Stream) -> dict[str, np.ndarray]:
    """All rows, in the order of their first feature."""
    rows = joined([*data.blocks(), *data.blocks(held=True)])
    order = np.argsort(rows["features"][:, 0], kind="stable")
    return {name: values[order] for name, values in rows.items()}


def table(count: int = 5000) -> dict:
    rng = np.random.default_rng(0)
    return {
        "n": np.arange(count, dtype=np.float32),
        "x": rng.normal(3, 2, count),
        "kind": rng.choice(["cat", "dog", "eel"], count, p=[0.8, 0.15, 0.05]),
        "flag": rng.integers(0, 2, count).astype(bool),
        "label": rng.choice(["no", "yes"], count, p=[0.9, 0.1]),
    }


BOTH = pytest.mark.parametrize("reading", ["memory", "stream"])


@BOTH
def test_kinds_of_columns(write, reading):
    count = 40
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    columns = {
        "n": np.arange(count),
        "half": pa.array(np.arange(count) / 2, pa.float16()),
        "when": pa.array([start + datetime.timedelta(days=n) for n in range(count)]),
        "day": pa.array([datetime.date(2020, 1, 1) + datetime.timedelta(days=n) for n in range(count)]),
        "word": pa.array(["ab"[n % 2] for n in range(count)]).dictionary_encode(),
        "vector": pa.array([[float(n), 1.0, 2.0] for n in range(count)], pa.list_(pa.float32(), 3)),
        "list": [[n, -n] for n in range(count)],
        "object": [{"a": n} for n in range(count)],
        "raw": [b"x"] * count,
        "y": np.arange(count) % 3,
    }
    node = write(columns, 16, reading=reading)
    data = load_node(node)
    assert isinstance(data, Stream if reading == "stream" else Dataset)
    names = data.fields["features"].columns
    assert names == (
        *("n", "half", "when", "day", "word = a", "word = b"),
        *("vector 0", "vector 1", "vector 2", "list 0", "list 1"),
    )
    assert [type_.shape for type_ in types_of(node)] == [("N", len(names)), ("N",)]
    row = dict(zip(names, everything(data)["features"][7].tolist(), strict=True))
    assert (row["half"], row["word = a"], row["word = b"]) == (3.5, 0, 1)
    assert (row["vector 0"], row["list 0"], row["list 1"]) == (7, 7, -7)
    assert row["when"] == row["day"] == np.float32(1577836800 + 7 * 86400)
    assert data.fields["target"].classes == ("0", "1", "2")
    assert "Column 'object' was left out: it holds struct" in "\n".join(data.skipped)
    assert "Column 'raw' was left out: it holds binary" in "\n".join(data.skipped)


@BOTH
def test_bad_rows_are_left_out_and_listed(write, reading):
    columns = {
        "x": pa.array([1.0, None, np.nan, np.inf] + [2.0] * 36),
        "list": pa.array([[1, 2]] * 4 + [[1], None] + [[3, 4]] * 34),
        "y": pa.array([0.5] * 10 + [None] + [1.5] * 29),
    }
    data = load_node(write(columns, 8, reading=reading, validation=0.25))
    assert len(data) == 34
    text = "\n".join(data.skipped)
    for said in (
        "Row 2: 'x' expects a number, it is empty.",
        "Row 4: 'x' expects a number, 'inf' came.",
        "Row 5: 'list' expects a number, '[1]' came.",
        "Row 11: 'y' expects a number, it is empty.",
    ):
        assert said in text
    assert len(data.skipped) == 6


@BOTH
def test_missing_numbers_are_filled(write, reading):
    x = np.arange(1000.0)
    x[::10] = np.nan
    data = load_node(write({"x": x, "y": x * 0}, 100, reading=reading, missing="mean", task="number"))
    assert len(data) == 900  # what lacks a target is no use
    y = np.arange(1000.0)
    data = load_node(write({"x": x, "y": y}, 100, reading=reading, missing="mean"))
    assert len(data) == 1000
    assert data.fields["features"].missing == (100,)
    train = np.concatenate([block["features"] for block in data.blocks()])
    filled = np.unique(train[train != train.round()])
    assert len(filled) <= 1
    assert abs(float(filled[0] if len(filled) else 500) - 500) < 30


@pytest.mark.parametrize("how", ["standardize", "min-max"])
def test_a_stream_gives_what_memory_gives(write, how):
    rows = {}
    for reading in ("memory", "stream"):
        node = write(table(), 700, reading=reading, normalize=how, split="last")
        data = load_node(node)
        rows[reading] = [everything(data), data.first(5), data.first(5, held=True), data.rows, data.held]
        summary = statistics(data)
        rows[reading].append([(each.name, each.count, each.missing) for each in summary.fields[0].columns])
        rows[reading].append([(each.name, each.rows, each.held) for each in summary.fields[1].classes])
        assert np.isclose(summary.fields[0].columns[1].mean, table()["x"][:4000].mean(), atol=1e-3)
    for one, other in zip(rows["memory"], rows["stream"], strict=True):
        if isinstance(one, dict):
            assert all(np.allclose(one[name], other[name], atol=1e-6) for name in one)
        else:
            assert one == other


@pytest.mark.parametrize("split", ["random", "stratified", "last"])
def test_the_split_of_a_stream(write, split):
    data = load_node(write(table(), 700, reading="stream", split=split, validation=0.3, seed=2))
    assert (data.rows, data.held) == (3500, 1500)
    train, held = (np.concatenate([b["features"][:, 0] for b in data.blocks(part)]) for part in (False, True))
    assert np.array_equal(np.sort(np.concatenate([train, held])), np.arange(5000))
    if split == "last":
        assert held.min() == 3500
    if split == "stratified":
        labels = np.concatenate([block["target"] for block in data.blocks(held=True)])
        assert abs(labels.mean() - (table()["label"] == "yes").mean()) < 0.003


@BOTH
def test_split_by_a_column(write, reading):
    columns = table()
    columns["part"] = np.array(["train", "val", "test", "train"])[np.arange(5000) % 4]
    columns["when"] = np.random.default_rng(1).permutation(5000)
    data = load_node(
        write(columns, 700, reading=reading, split="column", split_column="part", target="label")
    )
    assert (data.rows, data.held) == (2500, 1250)
    assert any("1,250 rows were set aside for a test" in each for each in data.skipped)
    data = load_node(write(columns, 700, reading=reading, split="last", split_column="when", target="label"))
    held = np.concatenate([block["features"][:, 0] for block in data.blocks(held=True)]).astype(int)
    assert columns["when"][held].min() == 4000
    assert "when" not in data.fields["features"].columns


def test_words_that_occur_late_are_known(write, monkeypatch):
    monkeypatch.setattr("engine.data.parquet.SAMPLE", 0)
    count = 20_000
    words = np.where(np.arange(count) < count - 3, "usual", "late")
    node = write({"x": np.arange(count), "w": words, "y": np.arange(count) % 2}, 500, reading="stream")
    assert load_node(node).fields["features"].columns == ("x", "w = late", "w = usual")
    node = write({"x": np.arange(count), "y": words}, 500, reading="stream")
    assert types_of(node)[1].classes == 2
    node = write({"x": np.arange(count), "y": np.arange(count) // 100}, 500, reading="stream")
    assert types_of(node)[1].dtype == "float"  # many whole numbers are no classes


def test_chosen_by_the_memory_that_is_free(write, monkeypatch):
    node = write(table(), 700)
    assert isinstance(load_node(node), Dataset)
    monkeypatch.setattr("engine.data.scan.SHARE", 0)
    assert isinstance(load_node(write(table(), 700, seed=1)), Stream)


def test_a_container_has_the_memory_that_it_may_take(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr("engine.data.scan.LIMIT", limit)
    whole = memory()
    limit.write_text("max\n")
    assert memory() == whole
    limit.write_text("1000000\n")
    assert memory() == 1_000_000


def test_useless_files(tmp_path, write):
    path = tmp_path / "table.parquet"
    path.write_bytes(b"PAR1 and no more")
    node = Node("data", "Parquet", params={"path": str(path)})
    with pytest.raises(DataError, match=r"table.parquet is no Parquet file, or it is damaged") as caught:
        types_of(node)
    assert caught.value.node == "data"
    for columns, reason in (
        ({"x": [1.0, 2.0]}, "has one column"),
        ({"x": [], "y": []}, "holds no row"),
        ({"x": [[1], [2]], "y": [{"a": 1}, {"a": 2}]}, "'y' cannot be the target: it holds struct"),
    ):
        with pytest.raises(DataError, match=reason):
            load_node(write(columns))


def test_damage_in_the_middle_is_told_while_it_is_read(tmp_path, write):
    node = write(table(20_000), 2000, reading="stream")
    path = tmp_path / "table.parquet"
    data = load_node(node)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 3 : len(whole) // 2] = bytes(len(whole) // 2 - len(whole) // 3)
    path.write_bytes(bytes(whole))
    with pytest.raises(DataError, match=r"table.parquet cannot be read|row"):
        for _ in data.epoch(0, 1):
            pass


def test_the_files_of_a_folder_are_one_table(tmp_path, write):
    whole = table()
    for part in range(4):
        rows = {name: values[part * 1250 : (part + 1) * 1250] for name, values in whole.items()}
        pq.write_table(pa.table(rows), tmp_path / f"train-0000{part}-of-00004.parquet", row_group_size=300)
    params = {"path": str(tmp_path / "train-00002-of-00004.parquet"), "normalize": "none", "split": "last"}
    assert len(load_node(Node("data", "Parquet", params=params))) == 1250
    for reading in ("memory", "stream"):
        node = Node("data", "Parquet", params={**params, "together": True, "reading": reading})
        data = load_node(node)
        assert np.array_equal(everything(data)["features"][:, 0], np.arange(5000))
        assert data.first(1, held=True)["features"][0, 0] == 4000
    bad = {name: values[:50] for name, values in whole.items()}
    bad["x"] = [None, *bad["x"][1:]]
    path = tmp_path / "train-00001-of-00004.parquet"
    pq.write_table(pa.table(bad), path)
    data = load_node(node)  # a change of a file beside the one that was chosen is noticed
    assert len(data) == 3 * 1250 + 49
    assert data.skipped == ("train-00001-of-00004.parquet, row 1: 'x' expects a number, it is empty.",)
    del bad["x"]
    pq.write_table(pa.table(bad), path)
    with pytest.raises(
        DataError, match=r"train-00001-of-00004.parquet and train-00000-of-00004.parquet differ in x"
    ):
        load_node(node)
