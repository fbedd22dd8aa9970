"""The curves of a run, read from its folder and brought up to date as it grows, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.runs.log import Tail, losses, metrics
from engine.training.events import Changed, Event
from engine.training.record import Record

POINTS = 600
"""Points that a drawn curve has at most."""


class Points(NamedTuple):
    """A curve: steps and values, (k,) each."""

    x: np.ndarray
    y: np.ndarray


class Curves:
    """What a run has told so far; ``read`` takes what is new."""

    def __init__(self, folder: Path | str):
        self._tail, self._record = Tail(folder), Record()

    def read(self) -> bool:
        """Take what came since the last time and return whether anything did. Raises FileError."""
        moved = False
        while new := self._tail.read():
            for event in new:
                self._record.add(event)
            moved = True
        return moved

    @property
    def events(self) -> tuple[Event, ...]:
        """What the run told, without what a resume took back; of very many losses the extremes."""
        return self._record.events

    @property
    def changes(self) -> list[Changed]:
        """Settings that were changed while it ran."""
        return [event for event in self.events if isinstance(event, Changed)]

    def lines(self, most: int = POINTS) -> dict[str, Points]:
        """Return every curve by its name, thinned; ``steps`` are the losses of single steps."""
        found = {name: Points(*pair) for name, pair in metrics(self.events).items()}
        single = Points(*losses(self.events))
        if len(single.x):
            found = {"steps": single, **found}
        return {name: thinned(points, most) for name, points in found.items()}


def thinned(points: Points, most: int) -> Points:
    """Return a curve with at most about so many points, each the mean of its neighbors that are numbers."""
    group = -(-len(points.x) // max(most, 1))
    if group < 2:
        return points
    edges = np.arange(0, len(points.x), group)
    finite = np.isfinite(points.y)
    counts = np.add.reduceat(finite, edges)
    sums = np.add.reduceat(np.where(finite, points.y, 0.0), edges)
    means = np.divide(sums, counts, out=np.full(len(edges), np.nan), where=counts > 0)
    return Points(points.x[np.append(edges[1:], len(points.x)) - 1], means)


def smoothed(points: Points, share: float = 0.02) -> Points:
    """Return the moving average over a share of the points to either side.

    It begins at the first value exactly; at the end, where no later ones are, it is over earlier ones alone.
    """
    window = round(share * len(points.x))
    if window < 1:
        return points
    finite = np.isfinite(points.y)
    index = np.arange(len(points.x))
    before = np.minimum(index, window)
    after = np.minimum(before, index[::-1])
    sums = np.concatenate([[0.0], np.cumsum(np.where(finite, points.y, 0.0))])
    counts = np.concatenate([[0], np.cumsum(finite)])
    total = counts[index + after + 1] - counts[index - before]
    mean = (sums[index + after + 1] - sums[index - before]) / np.maximum(total, 1)
    return Points(points.x, np.where(total > 0, mean, np.nan))


def quantities(lines: Mapping[str, object]) -> list[str]:
    """Return what there is to draw, training and held-out rows as one: ``loss``, ``accuracy`` ..."""
    names = dict.fromkeys("loss" if name == "steps" else name.removeprefix("val_") for name in lines)
    return sorted(names, key=lambda name: (name != "loss", name != "accuracy"))
