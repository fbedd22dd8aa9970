"""The rows of a set of the hub as blocks that are read while they are used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod

import numpy as np

from engine.data.arrow_rows import ArrowRows
from engine.data.features import Reader
from engine.data.hub_cache import Record
from engine.data.stream import PIECE, Piece

PIECES = 16
"""Pieces of a block."""

DTYPES = {"float": np.float32, "int": np.int64}


def row_bytes(readers: Mapping[str, Reader]) -> int:
    """Return the bytes of a row as numbers."""
    types = [reader.type for reader in readers.values()]
    return sum(prod(type_.shape[1:]) * DTYPES[type_.dtype]().nbytes for type_ in types)


class HubBlocks:
    """Parts of a set, one behind the other, in blocks; ``readers`` are by the names of the fields."""

    def __init__(
        self,
        record: Record,
        parts: Mapping[str, str],
        most: int | None,
        columns: Mapping[str, str],
        readers: Mapping[str, Reader],
    ):
        """``parts`` says of each part whether it is ``train`` or ``validation``, ``columns`` are by field."""
        self._record, self._parts, self._columns, self._readers = record, parts, columns, readers
        self.piece = max(PIECE // row_bytes(readers), 16)
        self.sure = all(reader.sure for reader in readers.values())
        self._blocks: list[tuple[str, int, int]] = []
        for part in parts:
            rows = record.parts[part].rows
            rows = rows if most is None else min(rows, most)
            step = self.piece * PIECES
            self._blocks += [(part, start, min(step, rows - start)) for start in range(0, rows, step)]
        self.sizes = [count for _, _, count in self._blocks]

    def read(self, block: int, place: int = 0, wanted: Sequence[np.ndarray] | None = None) -> Iterator[Piece]:
        """Give the pieces of a block from one on."""
        part, start, count = self._blocks[block]
        table = ArrowRows(self._record.parts[part].files)
        for offset in range(place * self.piece, count, self.piece):
            rows = table.read(start + offset, min(self.piece, count - offset))
            good, values, reasons = read_rows(self._readers, self._columns, rows)
            by = np.full(int(good.sum()), self._parts[part]) if len(self._parts) > 1 else None
            arrays = {name: each[good] for name, each in values.items()}
            yield Piece(arrays, np.flatnonzero(good), reasons, by)

    def splitting(self) -> np.ndarray | None:
        """Return which parts train and which are held out."""
        return np.array(list(self._parts.values())) if len(self._parts) > 1 else None

    def where(self, block: int, row: int) -> str:
        """Return the part and the number of a row in it."""
        part, start, _ = self._blocks[block]
        return f"{part}, row {start + row + 1:,}"


def read_rows(
    readers: Mapping[str, Reader], columns: Mapping[str, str], rows: object
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[int, str]]:
    """Return which rows of a table can be used, the values of all by field, and why the others cannot."""
    good, values, reasons = np.ones(len(rows), bool), {}, {}
    for name, reader in readers.items():
        values[name], bad = reader.read(rows[columns[name]])
        for row, why in bad.items():
            reasons.setdefault(row, f"{columns[name]}: {why}")
        good[list(bad)] = False
    return good, values, reasons
