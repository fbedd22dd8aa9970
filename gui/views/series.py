"""A curve that may grow forever and stays small: old points are merged two by two when the room is full."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Line(NamedTuple):
    """Points to draw: ``mean`` of each bucket of steps, and the ``low`` and ``high`` within it."""

    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray


class Series:
    """Numbers over steps in at most ``capacity`` buckets of ``stride`` points each.

    A bucket holds the step of its last point, the extremes and the mean of its finite numbers (NaN where
    there are none). Appending is O(new points); memory never grows after the first append.
    """

    def __init__(self, capacity: int = 4096):
        self.capacity = capacity
        self.clear()

    def clear(self) -> None:
        """Forget every point."""
        self.count = self.size = 0
        self.stride = 1
        self._buckets = np.full((4, self.capacity), np.nan)
        self._tail = np.empty((2, 0))

    @property
    def nbytes(self) -> int:
        """The memory that it holds."""
        return self._buckets.nbytes + self._tail.nbytes

    @property
    def last_step(self) -> float:
        """The newest step, or 0."""
        if self._tail.shape[1]:
            return float(self._tail[0, -1])
        return float(self._buckets[0, self.size - 1]) if self.size else 0.0

    def append(self, steps: np.ndarray, values: np.ndarray) -> None:
        """Append points in the order of their steps; infinities count as NaN."""
        points = np.array([np.ravel(steps), np.ravel(values)], float)
        points[1, ~np.isfinite(points[1])] = np.nan
        self.count += points.shape[1]
        points = np.concatenate([self._tail, points], 1)
        while points.shape[1] >= self.stride:
            if self.size == self.capacity:
                self._merge()
                continue
            taken = min(points.shape[1] // self.stride, self.capacity - self.size)
            used = taken * self.stride
            x, y = points[:, :used].reshape(2, taken, self.stride)
            self._buckets[:, self.size : self.size + taken] = _reduce(x, y, y, y)
            self.size += taken
            points = points[:, used:]
        self._tail = points.copy()

    def line(self, buckets: int, start: float = -np.inf, stop: float = np.inf) -> Line:
        """Return at most about ``buckets`` points that span the steps from ``start`` to ``stop``.

        The groups lie at fixed places, so that a growing curve keeps its form; one point beyond either end is
        included, so that a zoomed curve runs to the border.
        """
        data = self._buckets[:, : self.size]
        if self._tail.shape[1]:
            x, y = self._tail[:, None, :]
            data = np.concatenate([data, _reduce(x, y, y, y)], 1)
        if data.shape[1] and (start > data[0, 0] or stop < data[0, -1]):
            first, last = np.searchsorted(data[0], [start, stop])
            data = data[:, max(0, first - 1) : last + 1]
        group = -(-data.shape[1] // max(1, buckets))
        if group > 1:
            whole = data.shape[1] // group * group
            parts = [_reduce(*data[:, :whole].reshape(4, -1, group))]
            if whole < data.shape[1]:
                parts.append(_reduce(*data[:, None, whole:]))
            data = np.concatenate(parts, 1)
        return Line(*data)

    def _merge(self) -> None:
        half = self.size // 2
        merged = _reduce(*self._buckets[:, : 2 * half].reshape(4, half, 2))
        self._buckets[:, :half] = merged
        self.size = half
        self.stride *= 2


def _reduce(x: np.ndarray, low: np.ndarray, high: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Reduce (n, group) arrays over the groups to (4, n)."""
    finite = np.isfinite(mean)
    counts = finite.sum(1)
    means = np.where(finite, mean, 0).sum(1) / np.maximum(counts, 1)
    means[counts == 0] = np.nan
    return np.stack([x[:, -1], np.fmin.reduce(low, 1), np.fmax.reduce(high, 1), means])


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Return the moving average over about ``window`` points to either side, twice applied.

    It starts at the first value exactly and needs no future at the end: the window is cut off there. NaN is
    left out, and stays NaN where it was.
    """
    if window < 1 or len(values) < 3:
        return values
    finite = np.isfinite(values)
    smoothed = np.where(finite, values, 0.0)
    index = np.arange(len(values))
    half = np.minimum(index, window)
    ahead = np.minimum(index + half, len(values) - 1) + 1
    weights = np.concatenate([[0], np.cumsum(finite)])
    share = np.maximum(weights[ahead] - weights[index - half], 1)
    for _ in range(2):
        sums = np.concatenate([[0.0], np.cumsum(np.where(finite, smoothed, 0.0))])
        smoothed = (sums[ahead] - sums[index - half]) / share
    return np.where(finite, smoothed, np.nan)


def envelope(line: Line) -> tuple[np.ndarray, np.ndarray]:
    """Return the x and y of a polyline that touches the low and the high of every bucket."""
    if np.array_equal(line.low, line.high, equal_nan=True):
        return line.x, line.mean
    return np.repeat(line.x, 2), np.stack([line.low, line.high], 1).ravel()
