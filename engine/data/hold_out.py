"""Which rows of data in pieces are held out, decided for each piece on its own: no list of rows exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.data.split import check_labels, held_of_order, parts_of, share_of
from engine.errors import DataError
from engine.layers.params import Value

if TYPE_CHECKING:
    from engine.data.stream import Piece

TRAINS, HELD = 0, 1
"""What a row is for; anything else is set aside."""


@dataclass(frozen=True)
class HoldOut:
    """The split of a source of data that is read in pieces.

    ``starts`` are the first rows of the pieces, ``firsts`` the first pieces of the blocks, both with the end
    behind them. ``label`` names the field by which to stratify; rows with more than ``border`` in the split
    column are the last ones.
    """

    how: str
    validation: float
    seed: int
    starts: np.ndarray
    firsts: np.ndarray
    label: str = ""
    border: Any = None
    given: np.ndarray | None = None
    """What each row is for, where that is held in memory after all."""

    @classmethod
    def of(
        cls,
        p: Mapping[str, Value],
        sizes: Sequence[int],
        piece: int,
        label: str,
        by: np.ndarray | None,
        given: np.ndarray | None = None,
    ) -> HoldOut:
        """Return what the parameters of a source say about blocks of so many rows.

        ``by`` is the split column, ``given`` says what each row is for. Raises DataError where the
        split needs what there is not.
        """
        counts = [-(-size // piece) for size in sizes]
        firsts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        inside = np.arange(firsts[-1]) - np.repeat(firsts[:-1], counts)
        starts = np.concatenate([np.repeat(ends[:-1], counts) + inside * piece, ends[-1:]])
        how, border = p.get("split", "random"), None
        if given is not None:
            how = "given"
        if how == "stratified" and not label:
            check_labels(None)
        if how == "column" and by is None:
            parts_of(None)
        if how == "last" and by is not None:
            held = share_of(len(by), p["validation"])
            border = np.sort(by)[len(by) - held - 1]
        return cls(how, p["validation"], p["seed"], starts, firsts, label, border, given)

    @property
    def is_known(self) -> bool:
        """Whether no row has to be read to know what it is for."""
        return self.how in ("random", "given") or (self.how == "last" and self.border is None)

    def pieces(self, block: int) -> int:
        """Return how many pieces a block has."""
        return int(self.firsts[block + 1] - self.firsts[block])

    def first(self, block: int) -> int:
        """Return the number of a block's first piece."""
        return int(self.firsts[block])

    def counts(self) -> np.ndarray:
        """Return the training and held-out rows of each piece (pieces, 2), where no row has to be read."""
        if self.given is not None:
            before = [np.concatenate([[0], np.cumsum(self.given == part)]) for part in (TRAINS, HELD)]
            return np.stack([np.diff(each[self.starts]) for each in before], 1).astype(np.int32)
        if self.how == "last":
            total = int(self.starts[-1])
            before = np.maximum(self.starts - (total - share_of(total, self.validation)), 0)
        else:
            before = np.round(self.validation * self.starts)
        held = np.diff(before)
        return np.stack([np.diff(self.starts) - held, held], 1).astype(np.int32)

    def _held(self, piece: int) -> int:
        """How many rows of a piece are held out: over all pieces, the share that was asked for."""
        before, after = np.round(self.validation * self.starts[piece : piece + 2])
        return int(after - before)

    def known(self, piece: int) -> np.ndarray:
        """Return what each row of a piece is for, without having read it."""
        start, end = int(self.starts[piece]), int(self.starts[piece + 1])
        if self.given is not None:
            return self.given[start:end]
        parts = np.zeros(end - start, np.int8)
        if self.how == "last":
            total = int(self.starts[-1])
            parts[max(total - share_of(total, self.validation) - start, 0) :] = HELD
        else:
            order = np.random.default_rng((self.seed, piece)).permutation(end - start)
            parts[order[: self._held(piece)]] = HELD
        return parts

    def part(self, number: int, piece: Piece) -> np.ndarray:
        """Return what each usable row of a piece is for."""
        if self.is_known:
            return self.known(number)[piece.rows]
        if self.how == "column":
            return parts_of(piece.by)
        if self.how == "last":
            return (piece.by > self.border).astype(np.int8)
        labels = piece.arrays[self.label]
        if labels.ndim != 1:
            raise DataError("A stratified split needs one class for each sample; choose random.")
        order = np.random.default_rng((self.seed, number)).permutation(len(labels))
        parts = np.empty(len(labels), np.int8)
        parts[order] = held_of_order(labels[order], min(self._held(number), len(labels)))
        return parts
