"""A data set in memory as pieces, for a device whose own memory is smaller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.data.hold_out import HELD, TRAINS, HoldOut
from engine.data.source import Dataset
from engine.data.stream import PIECE, Piece, Stream

ASIDE = 2


class MemoryBlocks:
    """Arrays in memory, in pieces of a few hundred rows, so that each window is a mixture of many."""

    sure = True

    def __init__(self, dataset: Dataset):
        self._fields = dataset.fields
        count = len(next(iter(dataset.fields.values())).values)
        row = sum(each.values[:1].nbytes for each in dataset.fields.values())
        self.piece = max(min(PIECE // max(row, 1), 256), 1)
        full, rest = divmod(count, self.piece)
        self.sizes = [self.piece] * full + [rest] * bool(rest)

    def read(self, block: int, place: int, wanted: Sequence[np.ndarray] | None) -> Iterator[Piece]:
        """Give the one piece that a block has."""
        rows = np.arange(self.sizes[block])
        rows = rows if wanted is None else rows[wanted[0]]
        here = rows + block * self.piece
        yield Piece({name: each.values[here] for name, each in self._fields.items()}, rows)

    def splitting(self) -> None:
        """There is no split column: it is split already."""

    def where(self, block: int, row: int) -> str:
        """Return the number of a row."""
        return f"Row {block * self.piece + row + 1:,}"


class Passed(Stream):
    """A stream of rows that are filled and scaled already."""

    def finished(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return rows as they are."""
        return arrays


def stream_of(dataset: Dataset) -> Stream:
    """Return a data set in memory as a stream, split as it is."""
    blocks = MemoryBlocks(dataset)
    given = np.full(sum(blocks.sizes), ASIDE, np.int8)
    given[dataset.train], given[dataset.validation] = TRAINS, HELD
    rule = {"split": "random", "validation": 0.0, "seed": 0}
    split = HoldOut.of(rule, blocks.sizes, blocks.piece, "", None, given)
    return Passed(dataset.fields, blocks, split, split.counts(), dataset.skipped)
