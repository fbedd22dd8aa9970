"""Data that is larger than memory: read in pieces, shuffled in windows, split and scaled as it passes.

A file has *blocks* (row groups of Parquet, parts of an array, handfuls of images) that can be read in any
order; a block has *pieces* that follow each other. An epoch draws an order of the blocks, reads several side
by side, and shuffles what comes in windows of a fixed size. All of it follows from a seed and the number of
the epoch, and how many rows each piece gives is known: so any row of any epoch is found again without reading
what lies before its window.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from engine.data import patience
from engine.data.balance import balanced
from engine.data.hold_out import HELD, TRAINS, HoldOut
from engine.data.source import Arrays, Field, filled
from engine.data.tally import Tally

PIECE = 2_000_000
"""Bytes of numbers in a piece, about."""

WINDOW = 32_000_000
"""Bytes of rows that are shuffled together, about; two windows are in memory at a time."""

LANES = 8
"""Blocks that are read side by side."""

THREADS = min(4, os.cpu_count() or 1)
"""Threads that read them, each several lanes."""


class Piece(NamedTuple):
    """Rows of a piece: ``rows`` says which of it they are, ``reasons`` why others are no use.

    ``by`` is the split column, ``missing`` counts what the columns of the first field lack.
    """

    arrays: Arrays
    rows: np.ndarray
    reasons: Mapping[int, str] = {}
    by: np.ndarray | None = None
    missing: np.ndarray | None = None


class Blocks(Protocol):
    """Where the rows come from; used by several threads at once."""

    sizes: Sequence[int]
    """Rows of each block."""
    piece: int
    """Rows of a piece; the last one of a block may have fewer."""
    sure: bool
    """Whether every row can be used."""

    def read(self, block: int, place: int, wanted: Sequence[np.ndarray] | None) -> Iterator[Piece]:
        """Give the pieces of a block from one on; if it is told which rows are wanted, perhaps only those."""

    def splitting(self) -> np.ndarray | None:
        """Return the split column, if there is one: of a few million rows at most, spread evenly."""

    def where(self, block: int, row: int) -> str:
        """Return in words where a row of a block stands."""


class Spot(NamedTuple):
    """A piece of a block, and the lane in which it is read."""

    lane: int
    block: int
    place: int


@dataclass(frozen=True)
class Stream:
    """A data set that is read while it is used; it answers to the same names as ``Dataset``.

    ``fields`` hold the first training rows, to show what the data is like. ``counts`` (pieces, 2) are the
    training and held-out rows of each piece. ``tallies`` of training rows fill what is missing; ``kept`` are
    the held-out rows where they are few enough for memory.
    """

    fields: Mapping[str, Field]
    origin: Blocks
    hold_out: HoldOut
    counts: np.ndarray
    skipped: tuple[str, ...] = ()
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    kept: Arrays | None = None

    def __len__(self) -> int:
        return self.rows + self.held

    @property
    def rows(self) -> int:
        """How many rows train."""
        return int(self.counts[:, TRAINS].sum())

    @property
    def held(self) -> int:
        """How many rows are held out."""
        return int(self.counts[:, HELD].sum())

    def first(self, count: int, held: bool = False) -> Arrays:
        """Return the first training rows, or the first that are held out."""
        if held and self.kept is not None:
            return {name: values[:count] for name, values in self.kept.items()}
        found: list[Arrays] = []
        for block in range(len(self.origin.sizes)):
            with closing(self.read(block, held=held)) as pieces:
                for piece in pieces:
                    found.append(piece)
                    if sum(map(length, found)) >= count:
                        return {name: values[:count] for name, values in joined(found).items()}
        return joined(found)

    def blocks(self, held: bool = False) -> Iterator[Arrays]:
        """Give all training rows, or all that are held out, some at a time, always in the same order."""
        if held and self.kept is not None:
            yield self.kept
            return
        spots = self._spots(range(len(self.origin.sizes)), held)
        with _Lanes(self, held) as lanes:
            windows = self._windows(spots, held)
            yield from _ahead(windows, lambda numbered: joined(lanes.take(numbered[1])), lanes.stop)

    def epoch(self, seed: int, number: int, start: int = 0, balance: str = "") -> Iterator[Arrays]:
        """Give every training row once, in an order that only the seed and the number decide, in windows.

        It begins with row ``start`` of that order; what lies before its window is not read. With ``balance``,
        the name of a field of classes, each window draws its rows so that its classes occur equally often.
        """
        order = np.random.default_rng((seed, number)).permutation(len(self.origin.sizes))
        windows = self._windows(self._spots(order.tolist(), held=False), held=False)
        passed = 0

        def rest() -> Iterator[tuple[int, list[Spot]]]:
            nonlocal passed
            for window, spots in windows:
                rows = sum(self._count(spot, held=False) for spot in spots)
                if passed + rows > start:
                    yield window, spots
                    yield from windows
                    return
                passed += rows

        def make(numbered: tuple[int, list[Spot]]) -> Arrays:
            window, spots = numbered
            return _shuffled(lanes.take(spots), np.random.default_rng((seed, number, window)), balance)

        with _Lanes(self, held=False) as lanes:
            first = True
            for arrays in _ahead(rest(), make, lanes.stop):
                cut, first = (start - passed, False) if first else (0, False)
                yield {name: values[cut:] for name, values in arrays.items()} if cut else arrays

    def read(self, block: int, place: int = 0, held: bool = False) -> Iterator[Arrays]:
        """Give the training rows, or those held out, of the pieces of a block from one on."""
        numbers = range(self.hold_out.first(block) + place, self.hold_out.first(block + 1))
        wanted = None
        if self.hold_out.is_known:
            wanted = [self.hold_out.known(number) == int(held) for number in numbers]
        for number, piece in zip(numbers, self.origin.read(block, place, wanted), strict=True):
            chosen = self.hold_out.part(number, piece) == int(held)
            yield self.finished({name: values[chosen] for name, values in piece.arrays.items()})

    def finished(self, arrays: Arrays) -> Arrays:
        """Return rows filled and scaled."""
        done = {}
        for name, values in arrays.items():
            scale = self.fields[name].scale
            values = filled(values, self.tallies[name]) if name in self.tallies else values
            done[name] = scale.apply(values) if scale else values
        return done

    def _count(self, spot: Spot, held: bool) -> int:
        return int(self.counts[self.hold_out.first(spot.block) + spot.place, int(held)])

    def _spots(self, order: Iterable[int], held: bool) -> Iterator[Spot]:
        """Give the pieces of all blocks: each lane goes through one block, then takes the next that waits."""
        waiting = iter(order)

        def lane(number: int) -> Iterator[Spot]:
            for block in waiting:
                first, end = self.hold_out.first(block), self.hold_out.first(block + 1)
                if self.counts[first:end, int(held)].any():
                    yield from (Spot(number, block, place) for place in range(end - first))

        lanes = [lane(number) for number in range(LANES)]
        while lanes:
            for each in tuple(lanes):
                spot = next(each, None)
                if spot is None:
                    lanes.remove(each)
                else:
                    yield spot

    def _windows(self, spots: Iterable[Spot], held: bool) -> Iterator[tuple[int, list[Spot]]]:
        """Give the pieces that are shuffled together, with the number of their window."""
        size = sum(each.values[:1].nbytes for each in self.fields.values())
        most, number, rows = max(WINDOW // max(size, 1), 1), 0, 0
        window: list[Spot] = []
        for spot in spots:
            window.append(spot)
            rows += self._count(spot, held)
            if rows >= most:
                yield number, window
                number, window, rows = number + 1, [], 0
        if rows:
            yield number, window


def length(arrays: Arrays) -> int:
    """Return how many rows there are."""
    return len(next(iter(arrays.values())))


def joined(parts: Sequence[Arrays]) -> Arrays:
    """Return rows one after the other."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _shuffled(parts: list[Arrays], rng: np.random.Generator, balance: str) -> Arrays:
    """Return rows in random order; each part is let go as soon as its rows are in their places."""
    rows = sum(map(length, parts))
    places = rng.permutation(rows)
    done = {name: np.empty((rows, *values.shape[1:]), values.dtype) for name, values in parts[0].items()}
    parts.reverse()
    at = 0
    while parts:
        part = parts.pop()
        here = places[at : at + length(part)]
        for name, values in part.items():
            done[name][here] = values
        at += len(here)
    if balance:
        chosen = balanced(done[balance], rng)
        return {name: values[chosen] for name, values in done.items()}
    return done


def _ahead(
    windows: Iterable[tuple[int, list[Spot]]],
    make: Callable[[tuple[int, list[Spot]]], Arrays],
    stop: threading.Event,
) -> Iterator[Arrays]:
    """Give what is made of each window, while the next one is being made; ``stop`` is set at the end."""
    with ThreadPoolExecutor(1, "window") as builder:
        try:
            before = None
            for window in windows:
                future = builder.submit(make, window)
                if before is not None:
                    yield before.result()
                before = future
            if before is not None:
                yield before.result()
        finally:
            stop.set()
            builder.shutdown(wait=True, cancel_futures=True)


class _Lanes:
    """Readers of blocks, which go on where they stopped; a lane is always read by the same thread."""

    def __init__(self, stream: Stream, held: bool):
        self._stream, self._held = stream, held
        self.stop = threading.Event()
        """Set when nobody wants the rows any more."""
        self._threads = [
            ThreadPoolExecutor(1, "lane", initializer=patience.heed, initargs=(self.stop, *patience.heeded()))
            for _ in range(THREADS)
        ]
        self._readers: list[tuple[int, int, Iterator[Arrays]] | None] = [None] * LANES

    def __enter__(self) -> _Lanes:
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.shutdown(wait=True, cancel_futures=True)
        self._readers.clear()

    def take(self, spots: Sequence[Spot]) -> list[Arrays]:
        """Return the rows of some pieces, in their order."""
        futures = [self._threads[spot.lane % THREADS].submit(self._read, spot) for spot in spots]
        return [future.result() for future in futures]

    def _read(self, spot: Spot) -> Arrays:
        reader = self._readers[spot.lane]
        if reader is None or reader[:2] != (spot.block, spot.place):
            pieces = self._stream.read(spot.block, spot.place, self._held)
        else:
            pieces = reader[2]
        arrays = next(pieces)
        self._readers[spot.lane] = (spot.block, spot.place + 1, pieces)
        return arrays
