"""Some rows of Arrow stream files, read from the disk into memory that is free again afterwards.

A file that is mapped into memory counts as memory of this process as far as it has been read, once for every
mapping. So what is streamed does not map: it knows where each record batch stands, and reads those it needs.
The layout of a message is that of the Arrow format, version 1: ``Message.fbs`` in flatbuffers.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_MARK = 0xFFFFFFFF
_SCHEMA, _BATCH = 1, 3
_HEADER_TYPE, _HEADER, _BODY = 1, 2, 3


class ArrowRows:
    """The rows of files one behind the other, read by one thread at a time."""

    def __init__(self, files: Sequence[str]):
        """Raises DataError for a file that is damaged or cannot be read."""
        self._batches: list[tuple[str, int]] = []
        self._last: tuple[int, pa.RecordBatch] | None = None
        counts: list[int] = []
        for file in files:
            for offset, rows in _index(file, Path(file).stat().st_mtime_ns):
                self._batches.append((file, offset))
                counts.append(rows)
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, start: int, count: int) -> pa.Table:
        """Return so many rows from one on. Raises DataError."""
        import pyarrow as pa

        first = int(np.searchsorted(self._starts, start, "right")) - 1
        last = int(np.searchsorted(self._starts, start + count, "left"))
        try:
            batches = [self._batch(number) for number in range(first, last)]
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{Path(self._batches[first][0]).name} cannot be read: {error}.") from None
        return pa.Table.from_batches(batches).slice(start - int(self._starts[first]), count)

    def _batch(self, number: int) -> pa.RecordBatch:
        if self._last is None or self._last[0] != number:
            self._last = None  # no two are in memory
            self._last = number, _read(*self._batches[number])
        return self._last[1]


def _read(file: str, offset: int) -> pa.RecordBatch:
    import pyarrow as pa

    with pa.OSFile(file) as source:
        schema = pa.ipc.read_schema(source)
        source.seek(offset)
        return pa.ipc.read_record_batch(pa.ipc.read_message(source), schema)


@lru_cache(maxsize=64)
def _index(file: str, changed: int) -> tuple[tuple[int, int], ...]:
    """Where each record batch of a file begins, and its rows: only heads of messages are read."""
    found: list[tuple[int, int]] = []
    size = Path(file).stat().st_size
    try:
        with open(file, "rb") as source:
            while prefix := source.read(8):
                offset = source.tell() - 8
                mark, length = struct.unpack("<II", prefix)
                if mark == _MARK and length == 0:
                    break  # the end that a writer sets
                head = source.read(length)
                message = struct.unpack_from("<I", head, 0)[0]
                kind = _field(head, message, _HEADER_TYPE, "<B")
                if mark != _MARK or kind not in (_SCHEMA, _BATCH):
                    raise ValueError(f"an unknown message at byte {offset:,}")
                if kind == _BATCH:
                    place = _place(head, message, _HEADER)
                    place += struct.unpack_from("<I", head, place)[0]
                    found.append((offset, _field(head, place, 0, "<q")))
                body = _field(head, message, _BODY, "<q")
                if source.tell() + body > size:
                    raise ValueError("it ends early")
                source.seek(body, 1)
    except (OSError, ValueError, struct.error) as error:
        raise DataError(f"{Path(file).name} is damaged ({error}); download it again.") from None
    return tuple(found)


def _place(head: bytes, table: int, number: int) -> int:
    """Where a field of a table of flatbuffers stands, 0 where it is left at its default."""
    fields = table - struct.unpack_from("<i", head, table)[0]
    if 4 + 2 * number >= struct.unpack_from("<H", head, fields)[0]:
        return 0
    offset = struct.unpack_from("<H", head, fields + 4 + 2 * number)[0]
    return table + offset if offset else 0


def _field(head: bytes, table: int, number: int, kind: str) -> int:
    place = _place(head, table, number)
    return struct.unpack_from(kind, head, place)[0] if place else 0
