"""Statistics of a data set: of every column and class, in the units of the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.source import Dataset, Field
from engine.data.stream import Stream
from engine.data.tally import Tally, by_column
from engine.errors import DataError

GROUPED = 100
"""Classes for which the columns are summed up one by one, at most."""

_COLORS = {1: ("gray",), 3: ("red", "green", "blue"), 4: ("red", "green", "blue", "alpha")}


@dataclass(frozen=True)
class Column:
    """A column of a table or a channel of images, over the training rows; ``missing`` of the whole file."""

    name: str
    count: int
    missing: int
    mean: float
    deviation: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassCount:
    """A class: how many training and held-out rows it has.

    ``columns`` are those of the first field of numbers over its training rows; none where there are more than
    GROUPED classes.
    """

    name: str
    rows: int
    held: int
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True)
class FieldStatistics:
    """A field: the shape of a sample, ``float`` or ``int``, its columns, or its classes."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    columns: tuple[Column, ...]
    classes: tuple[ClassCount, ...] = ()


@dataclass(frozen=True)
class Statistics:
    """A data set in numbers: training and held-out rows, and every field."""

    rows: int
    held: int
    fields: tuple[FieldStatistics, ...]

    def field(self, name: str) -> FieldStatistics:
        """Return a field by its name."""
        return next(each for each in self.fields if each.name == name)


def statistics(data: Dataset) -> Statistics:
    """Return the statistics of a data set, one that is streamed included: it is read once from end to end.

    Raises DataError for one that is read over a network, where that would be a download.
    """
    if isinstance(data, Stream) and getattr(data.origin, "far", False):
        raise DataError(
            "This set is read over the network, and counting it needs every row of it. Set its reading to"
            " memory or stream: it is downloaded once, and counted here."
        )
    first = {name: each.values[:1] for name, each in data.fields.items()}
    tallies = {name: Tally(_width(value)) for name, value in first.items()}
    classed = {name: each for name, each in data.fields.items() if _has_classes(each)}
    counts = {name: np.zeros((2, len(each.classes)), np.int64) for name, each in classed.items()}
    numbers = next((name for name, each in data.fields.items() if each.values.dtype.kind == "f"), "")
    groups = {
        name: [Tally(_width(first[numbers])) for _ in each.classes]
        for name, each in classed.items()
        if numbers and len(each.classes) <= GROUPED
    }
    for held in (False, True):
        for block in data.blocks(held):
            for name, each in classed.items():
                counts[name][int(held)] += np.bincount(block[name], minlength=len(each.classes))
            if held:
                continue
            raw = {
                name: data.fields[name].scale.undo(values) if data.fields[name].scale else values
                for name, values in block.items()
            }
            for name, tally in tallies.items():
                tally.add(raw[name])
            for name, inner in groups.items():
                for number in np.unique(block[name]):
                    inner[number].add(raw[numbers][block[name] == number])
    return Statistics(
        data.rows,
        data.held,
        tuple(
            FieldStatistics(
                name,
                each.values.shape[1:],
                "float" if each.values.dtype.kind == "f" else "int",
                _columns(each, tallies[name]),
                _classes(data.fields.get(numbers), each, counts.get(name), groups.get(name)),
            )
            for name, each in data.fields.items()
        ),
    )


def _has_classes(each: Field) -> bool:
    return bool(each.classes) and each.values.ndim == 1


def _width(value: np.ndarray) -> int:
    return by_column(value).shape[1]


def _names(each: Field, count: int) -> tuple[str, ...]:
    if len(each.columns) == count:
        return each.columns
    if each.values.ndim == 4:
        return _COLORS.get(count, tuple(f"channel {place}" for place in range(1, count + 1)))
    return tuple(str(place) for place in range(1, count + 1)) if count > 1 else ("",)


def _columns(each: Field, tally: Tally) -> tuple[Column, ...]:
    count = len(tally.count)
    missing = each.missing if len(each.missing) == count else tally.missing.tolist()
    found = tally.count > 0
    low, high = (np.where(found, values, np.nan) for values in (tally.low, tally.high))
    lists = (tally.count, missing, tally.mean, tally.deviation, low, high)
    values = zip(*(np.asarray(values).tolist() for values in lists), strict=True)
    return tuple(Column(name, *numbers) for name, numbers in zip(_names(each, count), values, strict=True))


def _classes(
    numbers: Field | None, each: Field, counts: np.ndarray | None, groups: list[Tally] | None
) -> tuple[ClassCount, ...]:
    if counts is None:
        return ()
    parts = [_columns(numbers, tally) for tally in groups] if groups else [()] * len(each.classes)
    rows, held = counts.tolist()
    return tuple(ClassCount(*values) for values in zip(each.classes, rows, held, parts, strict=True))
