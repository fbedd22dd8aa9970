"""Batches of data that is larger than memory: read ahead in threads, copied while the device computes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from engine.data.source import Arrays
from engine.data.stream import Stream, length

Fields = dict[str, Tensor]


class Streamed:
    """Batches of a stream, as ``Batches`` gives those of a data set in memory.

    ``names`` says which field of the stream each field of the model is. ``size`` are the rows of a batch; it
    may change while an epoch goes on. ``balance`` names the field of classes that are to occur equally often,
    in each window that is shuffled.
    """

    def __init__(
        self,
        stream: Stream,
        names: Mapping[str, str],
        size: int,
        seed: int,
        device: torch.device,
        balance: str = "",
        channels_last: bool = False,
    ):
        self.stream, self.names = stream, dict(names)
        self.size, self.seed, self.device = size, seed, device
        self.balance, self.channels_last = balance, channels_last

    @property
    def rows(self) -> int:
        """Training rows."""
        return self.stream.rows

    @property
    def held_rows(self) -> int:
        """Rows that are held out."""
        return self.stream.held

    def epoch(self, number: int, start: int = 0) -> Iterator[Fields]:
        """Give every training row once, from row ``start`` of an order that seed and number decide.

        A last batch of one row is left out, because a batch norm could not take it.
        """
        windows = self.stream.epoch(self.seed, number, start, self.balance)
        for batch in self._cut(windows):
            if length(batch) > 1 or self.size == 1 or self.rows == 1:
                yield self._given(batch)

    def held(self, rows: int) -> Iterator[Fields]:
        """Give all rows that are held out, so many at a time."""
        for block in self.stream.blocks(held=True):
            for start in range(0, length(block), rows):
                yield self._given({name: values[start : start + rows] for name, values in block.items()})

    def first(self, count: int, held: bool = False) -> Fields:
        """Return the first training rows, or the first that are held out, as a batch."""
        return self._given(self.stream.first(count, held))

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
        for name, port in self.names.items():
            value = torch.from_numpy(batch[port])
            if self.device.type == "cuda":
                value = value.pin_memory().to(self.device, non_blocking=True)
            elif self.device.type != "cpu":
                value = value.to(self.device)
            if self.channels_last and value.dim() == 4:
                value = value.contiguous(memory_format=torch.channels_last)
            fields[name] = value
        return fields


def _rows(arrays: Arrays, start: int, end: int | None) -> Arrays:
    return {name: values[start:end] for name, values in arrays.items()}
