"""The benchmark of streamed data still runs: a small table, a complete row, nothing timed."""

from __future__ import annotations

from tests.benchmarks import streaming


def test_rows_of_streamed_data(tmp_path):
    row = streaming.memory(tmp_path, 3e6)
    assert row.better == "lower"
    assert row.good, row.detail
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / "small.parquet"
    assert streaming.write_table(path, 1e6, 1000) == 4901
    streaming.by_hand(path)
    streaming.run(path, "stream")
