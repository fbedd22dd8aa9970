"""Where wires run: straight where they can, around the nodes along a corridor where they must."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

OUT = 24.0
"""How far a wire leaves a port before it turns."""
RADIUS = 22.0
CLEAR = 14.0
"""Free space between a corridor and a node."""
LANE = 9.0
"""Distance between two wires in one corridor."""
_T = np.linspace(0.08, 0.92, 15)[:, None]
_WEIGHTS = np.hstack([(1 - _T) ** 3, 3 * (1 - _T) ** 2 * _T, 3 * (1 - _T) * _T**2, _T**3])
"""What each control point of a cubic counts for at some places along it."""
_WINDOW = 800.0
"""How far above and below a corridor may be looked for."""


@dataclass(frozen=True, slots=True)
class Route:
    """A wire's way: its path, and the place of its label, above the line or on it."""

    path: QPainterPath
    label: QPointF
    room: float
    """How wide a label may be here."""
    above: bool


class Router:
    """Finds ways among the boxes of the nodes, and keeps wires in one corridor apart."""

    def __init__(self, boxes: np.ndarray):
        """``boxes`` is (n, 4): left, top, right, bottom; see ``boxes_of``."""
        self._boxes = boxes
        self._taken: dict[int, list[tuple[float, float, float]]] = {}

    def route(self, start: QPointF, end: QPointF) -> Route:
        """Return the way from an output to an input."""
        dx, dy = end.x() - start.x(), end.y() - start.y()
        if dx >= 20 and abs(dy) < 0.75 and not self._hits_line(start, end):
            path = QPainterPath(start)
            path.lineTo(end)
            return Route(path, QPointF(start.x() + dx / 2, start.y()), dx - 8, True)
        reach = min(max(dx / 2, 24.0), 120.0)
        if dx >= 36 and abs(dy) < 6 * dx and not self._hits_curve(start, end, reach):
            path = QPainterPath(start)
            path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end)
            middle = path.pointAtPercent(0.5)
            return Route(path, middle, dx - 8, abs(dy) < 12)
        return self._around(start, end)

    def _hits_line(self, start: QPointF, end: QPointF) -> bool:
        if end.x() - start.x() < 100:
            return False
        x0, y0, x1, y1 = self._boxes.T
        y = start.y()
        return bool(np.any((x0 < end.x() - 4) & (x1 > start.x() + 4) & (y0 < y) & (y1 > y)))

    def _hits_curve(self, start: QPointF, end: QPointF, reach: float) -> bool:
        xs, ys = (np.array(v) for v in zip(start.toTuple(), end.toTuple(), strict=True))
        near = self._within(xs[0] + 1, xs[1] - 1, ys.min() + 1, ys.max() - 1)
        if not len(near):
            return False
        px = (_WEIGHTS @ np.array([xs[0], xs[0] + reach, xs[1] - reach, xs[1]]))[:, None]
        py = (_WEIGHTS @ np.array([ys[0], ys[0], ys[1], ys[1]]))[:, None]
        x0, y0, x1, y1 = near.T
        return bool(np.any((px > x0 + 1) & (px < x1 - 1) & (py > y0 + 1) & (py < y1 - 1)))

    def _within(self, left: float, right: float, top: float, bottom: float) -> np.ndarray:
        x0, y0, x1, y1 = self._boxes.T
        return self._boxes[(x0 < right) & (x1 > left) & (y0 < bottom) & (y1 > top)]

    def _around(self, start: QPointF, end: QPointF) -> Route:
        """Out to the right, up or down, along a corridor between the nodes, and in from the left."""
        left, right = sorted((start.x() + OUT, end.x() - OUT))
        y, lane = self._corridor(start, end, left - 6, right + 6)
        x_out, x_in = start.x() + OUT + lane * 5, end.x() - OUT - lane * 5
        points = [
            start,
            QPointF(x_out, start.y()),
            QPointF(x_out, y),
            QPointF(x_in, y),
            QPointF(x_in, end.y()),
            end,
        ]
        return Route(_rounded(points), QPointF((x_out + x_in) / 2, y), abs(x_out - x_in), False)

    def _corridor(self, start: QPointF, end: QPointF, left: float, right: float) -> tuple[float, int]:
        """Return the free height nearest to where the eye expects the wire, and its lane there."""
        sy, ty = start.y(), end.y()
        if abs(ty - sy) < 60:
            wish = min(sy, ty) - 45
        elif end.x() < start.x():
            wish = sy + (92 if ty > sy else -45)
        else:
            wish = ty + (-45 if ty > sy else 90)
        low, high = self._gap(wish, left, right)
        base = min(max(wish, low), high)
        if low > wish - 40 and high < np.inf:  # near the upper row, but in the middle of a narrow gap
            base = min(base, max(low, (low + high) / 2))
        for lane in range(8):
            y = base + LANE * lane
            row = round(y / LANE)
            rivals = [each for near in (row - 1, row, row + 1) for each in self._taken.get(near, ())]
            if not any(abs(y - at) < LANE - 1 and a < right and b > left for at, a, b in rivals):
                break
        self._taken.setdefault(row, []).append((y, left, right))
        return y, lane

    def _gap(self, wish: float, left: float, right: float) -> tuple[float, float]:
        """Return the free heights nearest to ``wish`` where nothing stands between ``left`` and ``right``."""
        near = self._within(left, right, wish - _WINDOW, wish + _WINDOW)
        if not len(near):
            return -np.inf, np.inf
        order = np.argsort(near[:, 1])
        lows = near[order, 1] - CLEAR
        highs = np.maximum.accumulate(near[order, 3] + CLEAR)
        starts = np.concatenate(([-np.inf], highs))
        ends = np.concatenate((lows, [np.inf]))
        free = ends > starts
        starts, ends = starts[free], ends[free]
        place = int(np.argmin(np.abs(np.clip(wish, starts, ends) - wish)))
        return float(starts[place]), float(ends[place])


def _rounded(points: list[QPointF]) -> QPainterPath:
    """Return a path of right angles whose corners are quarter circles as large as there is room."""
    path = QPainterPath(points[0])
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        a, b = before - corner, after - corner
        la, lb = abs(a.x()) + abs(a.y()), abs(b.x()) + abs(b.y())
        if la < 0.5 or lb < 0.5:
            path.lineTo(corner)
            continue
        first, last = before == points[0], after == points[-1]
        radius = min(RADIUS, la if first else la / 2, lb if last else lb / 2)
        p, q = corner + a * (radius / la), corner + b * (radius / lb)
        path.lineTo(p)
        k = 0.4477  # the control point of a quarter circle, counted from the corner
        path.cubicTo(corner + (p - corner) * k, corner + (q - corner) * k, q)
    path.lineTo(points[-1])
    return path


def boxes_of(boxes: Iterable[QRectF]) -> np.ndarray:
    """Return boxes as an (n, 4) array of left, top, right, bottom."""
    return np.array([box.getCoords() for box in boxes], dtype=np.float64).reshape(-1, 4)
