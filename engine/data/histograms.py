"""How the numbers of each column are spread, over all rows and over those of each class."""

from __future__ import annotations

import numpy as np

from engine.data.source import Dataset
from engine.data.statistics import Statistics
from engine.data.tally import by_column

BINS = 24
COLUMNS = 64
"""Columns of a field that are counted, at most."""

NUMBERS = 4_000_000
"""Numbers of a field that are looked at, about: the first training rows stand for the others."""


def histograms(data: Dataset, told: Statistics) -> dict[str, np.ndarray]:
    """Return counts (groups, columns, BINS) by field, between the lowest and highest value of each column.

    The first group is all rows, the others are the classes of the last field that has some. Fields whose
    whole numbers have names are left out: those are no amounts.
    """
    widths = [int(np.prod(each.shape, dtype=np.int64)) for each in told.fields]
    rows = data.first(max(256, NUMBERS // max(1, sum(widths))))
    labels, classes = _groups(data, rows)
    found: dict[str, np.ndarray] = {}
    for each in told.fields:
        field = data.fields[each.name]
        if field.classes:
            continue
        values = rows[each.name]
        values = field.scale.undo(values) if field.scale else values
        per_row = len(by_column(values[:1]))
        flat = by_column(values)[:, :COLUMNS]
        groups = None if labels is None else np.repeat(labels, per_row)
        counts = np.zeros((1 + classes, flat.shape[1], BINS), np.int64)
        for place, column in enumerate(each.columns[:COLUMNS]):
            bins = _bins(flat[:, place], column.low, column.high)
            for group in range(1 + classes):
                mine = bins if group == 0 else bins[groups == group - 1]
                counts[group, place] = np.bincount(mine[mine >= 0], minlength=BINS)
        found[each.name] = counts
    return found


def tokens(data: Dataset, name: str, most: int = 30) -> list[tuple[str, int]]:
    """Return the most frequent names of a field of several per row, such as words, in the first rows."""
    field = data.fields[name]
    width = max(1, int(np.prod(field.values.shape[1:], dtype=np.int64)))
    values = data.first(max(256, NUMBERS // width))[name]
    counts = np.bincount(values.ravel(), minlength=len(field.classes))
    order = np.argsort(-counts, kind="stable")[:most]
    return [(field.classes[place], int(counts[place])) for place in order if counts[place]]


def _groups(data: Dataset, rows: dict[str, np.ndarray]) -> tuple[np.ndarray | None, int]:
    """The class of each row, and how many classes there are."""
    for name in reversed(data.fields):
        field = data.fields[name]
        if field.classes and field.values.ndim == 1 and len(field.classes) <= 100:
            return rows[name], len(field.classes)
    return None, 0


def _bins(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """The bin of each number, -1 for what is none."""
    good = np.isfinite(values)
    span = high - low if high > low else 1.0
    places = np.where(good, (np.where(good, values, low) - low) * (BINS / span), -1)
    return np.where(good, np.clip(places, 0, BINS - 1), -1).astype(np.int64)
