"""What a dragged node falls in line with: edges and middles of its neighbors, and equal gaps between them."""

from __future__ import annotations

import itertools
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QRectF

REACH = 6.0
"""How near a line must be to hold what is dragged, in pixels."""
_SHARES = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Snap:
    """How far to move on to be in line, along each axis where something holds, and the lines to show."""

    dx: float | None = None
    dy: float | None = None
    guides: tuple[QLineF, ...] = ()


class Snapper:
    """Boxes that rest while others are dragged; looked at once, when the drag begins."""

    def __init__(self, boxes: Iterable[QRectF]):
        rows = [box.getRect() for box in boxes]
        self._boxes = np.array(rows, dtype=np.float64).reshape(-1, 4)
        self._lines = [
            [sorted((self._boxes[:, a] + share * self._boxes[:, a + 2]).tolist()) for share in _SHARES]
            for a in (0, 1)
        ]

    def snap(self, box: QRectF, reach: float) -> Snap:
        """Return what holds a box within ``reach`` units: along each axis a line, else an equal gap."""
        if not len(self._boxes):
            return Snap()
        own = box.getRect()
        dx, across = self._along(own, 0, reach)
        moved = (own[0] + (dx or 0), own[1], own[2], own[3])
        dy, down = self._along(moved, 1, reach)
        guides = []
        final = (moved[0], moved[1] + (dy or 0), own[2], own[3])
        if dx is not None:
            guides += self._shown(final, 0, across)
        if dy is not None:
            guides += self._shown(final, 1, down)
        return Snap(dx, dy, tuple(guides))

    def _along(self, own: tuple, axis: int, reach: float) -> tuple[float | None, bool]:
        """Return how far it is to the nearest line along an axis, and whether an equal gap holds instead."""
        best: float | None = None
        for share, lines in zip(_SHARES, self._lines[axis], strict=True):
            place = own[axis] + share * own[axis + 2]
            at = bisect(lines, place)
            for line in lines[max(at - 1, 0) : at + 1]:
                if abs(line - place) <= (reach if best is None else min(reach, abs(best) - 1e-6)):
                    best = line - place
        if best is not None:
            return best, False
        return self._gap(own, axis, reach)

    def _gap(self, own: tuple, axis: int, reach: float) -> tuple[float | None, bool]:
        """Return how far it is to where the gaps to the neighbors in the same row are equal."""
        before, after = self._row(own, axis)
        size = own[axis + 2]
        places = []
        if len(before) and len(after):
            left, right = before[-1], after[0]
            places.append((left[1] + right[0] - size) / 2)
        if len(before) > 1:
            places.append(before[-1][1] + (before[-1][0] - before[-2][1]))
        if len(after) > 1:
            places.append(after[0][0] - (after[1][0] - after[0][1]) - size)
        ways = [place - own[axis] for place in places]
        best = min(ways, key=abs, default=None)
        return (best, True) if best is not None and abs(best) <= reach else (None, False)

    def _row(self, own: tuple, axis: int) -> tuple[np.ndarray, np.ndarray]:
        """Return start and end of those in the same row before and behind, in order."""
        other = 1 - axis
        boxes = self._boxes
        same = (boxes[:, other] < own[other] + own[other + 2]) & (
            boxes[:, other] + boxes[:, other + 2] > own[other]
        )
        spans = np.stack((boxes[same, axis], boxes[same, axis] + boxes[same, axis + 2]), axis=1)
        spans = spans[np.argsort(spans[:, 0])]
        middle = own[axis] + own[axis + 2] / 2
        centers = spans.mean(axis=1)
        before, after = spans[centers < middle], spans[centers >= middle]
        return before[before[:, 1] <= middle], after[after[:, 0] >= middle]

    def _shown(self, own: tuple, axis: int, gap: bool) -> list[QLineF]:
        """Return the lines that tell why it is held: through all that is in line, or along the equal gaps."""
        other = 1 - axis
        if gap:
            before, after = self._row(own, axis)
            level = own[other] + own[other + 2] / 2
            edges = [*before[-2:].tolist(), [own[axis], own[axis] + own[axis + 2]], *after[:2].tolist()]
            pairs = [(a[1], b[0]) for a, b in itertools.pairwise(edges)]
            place = len(before[-2:])
            beside = [high - low for low, high in pairs[max(place - 1, 0) : place + 1]]
            return [_line(axis, level, *pair) for pair in pairs if abs(pair[1] - pair[0] - beside[0]) < 0.5]
        lines = []
        starts, sizes = self._boxes[:, axis], self._boxes[:, axis + 2]
        for share in _SHARES:
            place = own[axis] + share * own[axis + 2]
            same = np.abs(starts + share * sizes - place) < 0.01
            if same.any():
                ends = self._boxes[same]
                low = min(ends[:, other].min(), own[other])
                high = max((ends[:, other] + ends[:, other + 2]).max(), own[other] + own[other + 2])
                lines.append(_line(other, place, float(low), float(high)))
        return lines


def _line(axis: int, level: float, low: float, high: float) -> QLineF:
    """Return a line along an axis at a level of the other one."""
    return QLineF(low, level, high, level) if axis == 0 else QLineF(level, low, level, high)
