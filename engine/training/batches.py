"""Training rows as batches: taken by index from tensors on the device, in an order that the seed decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import ceil

import torch
from torch import Tensor

Fields = dict[str, Tensor]

CHUNK = 32
"""Batches that are gathered at once, if they are small: one call for many."""

AT_ONCE = 2**24
"""Numbers of one tensor that are computed or copied at once, where there is a choice: 64 MB."""


class Batches:
    """Every training row once in an epoch; ``size`` rows at a time, which may be changed at any moment.

    The order of an epoch is drawn from the seed and the epoch's number alone, so a place in the data is an
    epoch and a row. ``labels`` (n,) let every class come equally often; ``layout`` lays out what was
    gathered.
    """

    def __init__(
        self,
        fields: Mapping[str, Tensor],
        size: int,
        seed: int,
        labels: Tensor | None = None,
        layout: Callable[[Tensor], Tensor] | None = None,
    ):
        self._fields, self._seed, self._layout = dict(fields), seed, layout
        self.labels = labels
        self._count = len(next(iter(self._fields.values())))
        self._widest = max(value[0].numel() for value in self._fields.values())
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
        return self._end(0)

    @property
    def steps(self) -> int:
        """Batches of an epoch, the last one perhaps smaller."""
        return self.steps_after(0)

    def steps_after(self, row: int) -> int:
        """Return how many batches are left of an epoch after so many rows."""
        return ceil((self._end(row) - row) / self._size)

    def _end(self, row: int) -> int:
        return end_of(self._count, row, self._size)

    def order(self, epoch: int) -> Tensor:
        """Return the rows of an epoch in their order (n,)."""
        generator = torch.Generator().manual_seed(order_seed(self._seed, epoch))
        if self.labels is not None:
            return balanced(self.labels, generator)
        return torch.randperm(self._count, generator=generator)

    def epoch(self, number: int, start: int = 0) -> Iterator[Fields]:
        """Give the rows of an epoch in its order, from the row ``start`` on."""
        device = next(iter(self._fields.values())).device
        order = self.order(number).to(device)
        self.row = start
        while self.row < (end := self._end(self.row)):
            size = self._size
            chunk = max(1, min(CHUNK, AT_ONCE // (size * self._widest))) * size
            rows = order[self.row : min(self.row + chunk, end)]
            values = [value.index_select(0, rows) for value in self._fields.values()]
            if self._layout:
                values = [self._layout(value) for value in values]
            for batch in zip(*(value.split(size) for value in values), strict=True):
                self.row += len(batch[0])
                yield dict(zip(self._fields, batch, strict=True))
                if self._size != size:
                    break


def in_parts(fields: Fields, count: int, rows: int) -> Iterator[Fields]:
    """Give the first ``count`` rows, so many at a time."""
    for start in range(0, count, rows):
        yield {name: value[start : min(start + rows, count)] for name, value in fields.items()}


def end_of(count: int, row: int, size: int) -> int:
    """Return where an epoch ends that goes on after ``row``: a last batch of one row is left out.

    A batch norm could not take it.
    """
    alone = (count - row) % size == 1 and count > 1 and size > 1
    return count - alone


def order_seed(seed: int, epoch: int) -> int:
    """Return the seed of an epoch's order: the same for the same pair, another for another one."""
    return seed * 1_000_003 + epoch


def balanced(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Return as many rows as there are labels, drawn so that every class comes equally often.

    ``labels`` (n,) are whole numbers; rows of small classes come again and again.
    """
    _, codes, counts = labels.cpu().unique(return_inverse=True, return_counts=True)
    by_class, starts = codes.argsort(stable=True), counts.cumsum(0) - counts
    chosen = torch.randint(len(counts), (len(labels),), generator=generator)
    places = torch.rand(len(labels), generator=generator, dtype=torch.float64) * counts[chosen]
    return by_class[starts[chosen] + places.long()]
