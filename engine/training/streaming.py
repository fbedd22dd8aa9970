"""Batches of data that is larger than memory: read ahead in threads, copied while the device computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from math import ceil

import numpy as np
import torch
from torch import Tensor

from engine.data.source import Arrays
from engine.data.stream import Stream, length
from engine.training.batches import Fields, end_of


class Streamed:
    """Batches of a stream, with the face of ``Batches``.

    ``names`` says which field of the stream each field of the model is. ``balance`` names the field whose
    classes are to occur equally often, in each window that is shuffled.
    """

    def __init__(
        self,
        stream: Stream,
        names: Mapping[str, str],
        size: int,
        seed: int,
        device: torch.device,
        balance: str = "",
        layout: Callable[[Tensor], Tensor] | None = None,
    ):
        self._stream, self._names, self._device = stream, dict(names), device
        self._seed, self._balance, self._layout = seed, balance, layout
        self._count = stream.rows
        self.size = size
        self.row = 0
        """Rows of the present epoch that were given so far."""

    @property
    def size(self) -> int:
        """Rows of a batch; never more than there are."""
        return self._size

    @size.setter
    def size(self, size: int) -> None:
        self._size = min(size, self._count)

    @property
    def rows(self) -> int:
        """Rows that an epoch uses."""
        return end_of(self._count, 0, self._size)

    @property
    def steps(self) -> int:
        """Batches of an epoch, the last one perhaps smaller."""
        return self.steps_after(0)

    def steps_after(self, row: int) -> int:
        """Return how many batches are left of an epoch after so many rows."""
        return ceil((end_of(self._count, row, self._size) - row) / self._size)

    def epoch(self, number: int, start: int = 0) -> Iterator[Fields]:
        """Give the rows of an epoch in its order, from the row ``start`` on."""
        self.row = start
        with closing(self._stream.epoch(self._seed, number, start, self._balance)) as windows:
            for batch in self._cut(windows):
                if length(batch) > 1 or self._size == 1 or self._count == 1:
                    self.row += length(batch)
                    yield self._given(batch)

    def held(self, rows: int) -> Iterator[Fields]:
        """Give all rows that are held out, so many at a time."""
        for block in self._stream.blocks(held=True):
            for start in range(0, length(block), rows):
                yield self._given({name: values[start : start + rows] for name, values in block.items()})

    def first(self, count: int, held: bool = False) -> Fields:
        """Return the first training rows, or the first that are held out, as a batch."""
        return self._given(self._stream.first(count, held))

    def _cut(self, windows: Iterable[Arrays]) -> Iterator[Arrays]:
        """Give batches; what is left of a window begins the first batch of the next."""
        left: Arrays = {}
        for window in windows:
            at = 0
            if left:
                at = max(self.size - length(left), 0)
                left = {name: np.concatenate([values, window[name][:at]]) for name, values in left.items()}
            while left and length(left) >= (size := self.size):
                yield _rows(left, 0, size)
                left = _rows(left, size, length(left)) if length(left) > size else {}
            while not left and at + (size := self.size) <= length(window):
                yield _rows(window, at, at + size)
                at += size
            if not left and at < length(window):
                # A copy, so that the window can go.
                left = {name: values.copy() for name, values in _rows(window, at, None).items()}
        if left:
            yield left

    def _given(self, batch: Arrays) -> Fields:
        """Return a batch on the device; from pinned memory it is copied while the device computes."""
        fields = {}
        for name, port in self._names.items():
            value = torch.from_numpy(batch[port])
            if self._device.type == "cuda":
                value = value.pin_memory().to(self._device, non_blocking=True)
            elif self._device.type != "cpu":
                value = value.to(self._device)
            fields[name] = self._layout(value) if self._layout else value
        return fields


def _rows(arrays: Arrays, start: int, end: int | None) -> Arrays:
    return {name: values[start:end] for name, values in arrays.items()}
