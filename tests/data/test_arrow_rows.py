"""Rows of Arrow files that are read without mapping them: the same as the library reads, damage told."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from engine.data.arrow_rows import ArrowRows
from engine.errors import DataError


@pytest.fixture
def files(tmp_path):
    """Two files whose batches have different lengths, with nothing, words and lists in them."""
    made, tables = [], []
    for name, counts in (("a", (3, 7, 1)), ("b", (5,))):
        rows = [
            pa.record_batch(
                {
                    "x": pa.array(np.arange(count) + 0.5),
                    "word": pa.array(
                        [None if n % 3 == 0 else f"{name}{n}" for n in range(count)], pa.string()
                    ),
                    "list": pa.array([[n] * n for n in range(count)], pa.list_(pa.int64())),
                }
            )
            for count in counts
        ]
        path = tmp_path / f"{name}.arrow"
        with pa.OSFile(str(path), "wb") as out, pa.ipc.new_stream(out, rows[0].schema) as writer:
            for batch in rows:
                writer.write_batch(batch)
        made.append(str(path))
        tables.append(pa.Table.from_batches(rows))
    return made, pa.concat_tables(tables)


def test_any_rows_are_those_that_the_library_reads(files):
    paths, whole = files
    rows = ArrowRows(paths)
    assert len(rows) == len(whole) == 16
    for start in range(16):
        for count in range(1, 17 - start):
            assert rows.read(start, count).to_pydict() == whole.slice(start, count).to_pydict()


def test_the_end_may_be_missing_but_nothing_else(files):
    paths, _ = files
    path = Path(paths[0])
    whole = path.read_bytes()
    told = []
    for length in range(8, len(whole), 40):
        path.write_bytes(whole[:length])
        os.utime(path, ns=(length, length))
        try:
            rows = ArrowRows(paths)
            assert rows.read(0, len(rows)).num_rows == len(rows)
        except DataError as error:
            told.append(error.message)
    assert len(told) > 10
    assert all("is damaged" in each for each in told)


def test_what_is_no_arrow_file_is_told(tmp_path):
    path = tmp_path / "x.arrow"
    for content in (b"PK\3\4 and more of it", b"\xff\xff\xff\xff\x10\0\0\0" + bytes(16), bytes(100)):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"x\.arrow is damaged"):
            ArrowRows([str(path)])
