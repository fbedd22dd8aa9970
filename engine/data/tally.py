"""Counting, mean, deviation, lowest and highest of columns, taken block by block; and scaling by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

NORMALIZATIONS = ("none", "standardize", "min-max")
"""What may be done to numbers before they enter a network."""

AT_ONCE = 2**17
"""Numbers that are summed up or scaled at once: a megabyte, which stays in the processor's cache."""


def parts(values: np.ndarray) -> Iterator[slice]:
    """Give the rows of an array, some at a time."""
    rows = max(AT_ONCE // max(prod(values.shape[1:]), 1), 1)
    return (slice(start, start + rows) for start in range(0, len(values), rows))


def by_column(values: np.ndarray) -> np.ndarray:
    """Return samples as (m, columns): the channels of images (n, c, h, w), the columns of a table (n, d).

    Samples of any other shape have one column, which holds all their numbers.
    """
    if values.ndim == 4:
        return np.moveaxis(values, 1, -1).reshape(-1, values.shape[1])
    return values if values.ndim == 2 else values.reshape(-1, 1)


class Tally:
    """Sums over blocks of samples, each column on its own; what is no finite number counts as missing.

    Means and squared deviations are merged as Chan, Golub and LeVeque (1979) do, so that no block's size
    matters.
    """

    def __init__(self, columns: int):
        self.count = np.zeros(columns, np.int64)
        self.missing = np.zeros(columns, np.int64)
        self.mean = np.zeros(columns)
        self.squares = np.zeros(columns)
        self.low = np.full(columns, np.inf)
        self.high = np.full(columns, -np.inf)

    def add(self, values: np.ndarray) -> None:
        """Take a block of samples."""
        for part in parts(values):
            self._add(by_column(values[part]).astype(np.float64))

    def _add(self, block: np.ndarray) -> None:
        good = np.isfinite(block)
        count = good.sum(0)
        known = np.where(good, block, 0.0)
        mean = known.sum(0) / np.maximum(count, 1)
        squares = (np.where(good, block - mean, 0.0) ** 2).sum(0)
        self.low = np.minimum(self.low, np.where(good, block, np.inf).min(0))
        self.high = np.maximum(self.high, np.where(good, block, -np.inf).max(0))
        self.missing += len(block) - count
        self._merge(count, mean, squares)

    def merge(self, other: Tally) -> None:
        """Take what another one has counted."""
        self.low, self.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        self.missing += other.missing
        self._merge(other.count, other.mean, other.squares)

    def _merge(self, count: np.ndarray, mean: np.ndarray, squares: np.ndarray) -> None:
        total = self.count + count
        share = count / np.maximum(total, 1)
        apart = mean - self.mean
        self.squares += squares + apart**2 * self.count * share
        self.mean += apart * share
        self.count = total

    @property
    def deviation(self) -> np.ndarray:
        """The standard deviation of each column, over all of it."""
        return np.sqrt(self.squares / np.maximum(self.count, 1))


@dataclass(frozen=True)
class Scale:
    """How numbers were scaled: (number - ``shift``) / ``size``, for each column or channel."""

    shift: np.ndarray
    size: np.ndarray

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return samples scaled, as 32-bit floats."""
        shift, size = self._like(values)
        scaled = np.empty(values.shape, np.float32)
        for part in parts(values):
            scaled[part] = (values[part] - shift) / size
        return scaled

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Return scaled samples as they were."""
        shift, size = self._like(values)
        return values * size + shift

    def _like(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shape = (-1, 1, 1) if values.ndim == 4 else (-1,)
        return self.shift.reshape(shape), self.size.reshape(shape)


def scale_of(tally: Tally, how: str) -> Scale | None:
    """Return the scale that makes mean 0 and deviation 1 (``standardize``) or 0 to 1 (``min-max``).

    A constant column becomes 0. None for ``none``.
    """
    if how == "none":
        return None
    found = tally.count > 0
    low, high = np.where(found, tally.low, 0), np.where(found, tally.high, 0)
    shift, size = (tally.mean, tally.deviation) if how == "standardize" else (low, high - low)
    # The deviation of equal numbers is not quite 0, because their mean is rounded.
    return Scale(shift, np.where(high > low, size, 1.0))
