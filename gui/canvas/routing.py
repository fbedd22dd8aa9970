"""Where wires run: straight where they can, around the nodes along a corridor where they must."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, inf

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

OUT = 24.0
"""How far a wire leaves a port before it turns."""
RADIUS = 22.0
CLEAR = 14.0
"""Free space between a corridor and a node."""
LANE = 9.0
"""Distance between two wires in one corridor."""
_WEIGHTS = tuple(
    ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
    for t in (0.08 + 0.06 * n for n in range(15))
)
"""What each control point of a cubic counts for at some places along it."""
_WINDOW = 500.0
"""How far above and below a corridor is looked for."""
_CELL = 512.0
_CIRCLE = 0.4477
"""Where the control points of a quarter circle are, counted from the corner."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom of a node."""


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

    def __init__(self, boxes: Iterable[Box]):
        self._boxes = list(boxes)
        self._moving: list[Box] = []
        self._cells: dict[tuple[int, int], list[Box]] = {}
        for box in self._boxes:
            for cell in _cells(*box):
                self._cells.setdefault(cell, []).append(box)
        self._taken: dict[int, list[tuple[float, float, float]]] = {}

    def begin(self, moving: Iterable[Box]) -> None:
        """Start again with some more boxes, those of the nodes that are being dragged."""
        self._moving = list(moving)
        self._taken = {}

    def route(self, start: QPointF, end: QPointF, dots: Sequence[QPointF] = ()) -> Route:
        """Return the way from an output to an input, through the dots that people have put into it."""
        if dots:
            return _through([start, *dots, end])
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
            return False  # a gap between two columns: there is no room for a node
        y = start.y()
        return bool(self._within(start.x() + 4, y - 0.1, end.x() - 4, y + 0.1))

    def _hits_curve(self, start: QPointF, end: QPointF, reach: float) -> bool:
        (xa, ya), (xb, yb) = start.toTuple(), end.toTuple()
        near = self._within(xa + 1, min(ya, yb) + 1, xb - 1, max(ya, yb) - 1)
        if not near:
            return False
        for a, b, c, d in _WEIGHTS:
            x = (a + b) * xa + (c + d) * xb + (b - c) * reach
            y = (a + b) * ya + (c + d) * yb
            if any(x0 + 1 < x < x1 - 1 and y0 + 1 < y < y1 - 1 for x0, y0, x1, y1 in near):
                return True
        return False

    def _within(self, left: float, top: float, right: float, bottom: float) -> set[Box]:
        """Return the boxes that an area touches."""
        across, down = (right - left) / _CELL + 2, (bottom - top) / _CELL + 2
        if across * down < len(self._boxes):
            cells = _cells(left, top, right, bottom)
            found = {box for cell in cells for box in self._cells.get(cell, ())}
            found.update(self._moving)
        else:
            found = {*self._boxes, *self._moving}
        return {box for box in found if box[0] < right and box[2] > left and box[1] < bottom and box[3] > top}

    def _around(self, start: QPointF, end: QPointF) -> Route:
        """Out to the right, up or down, along a corridor between the nodes, and in from the left."""
        left, right = sorted((start.x() + OUT, end.x() - OUT))
        y, lane = self._corridor(start, end, left - 6, right + 6)
        x_out, x_in = start.x() + OUT + lane * 5, end.x() - OUT - lane * 5
        (sx, sy), (tx, ty) = start.toTuple(), end.toTuple()
        points = [(sx, sy), (x_out, sy), (x_out, y), (x_in, y), (x_in, ty), (tx, ty)]
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
        if low > wish - 40 and high < inf:  # near the upper row, but in the middle of a narrow gap
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
        near = sorted(
            (top - CLEAR, bottom + CLEAR)
            for _, top, _, bottom in self._within(left, wish - _WINDOW, right, wish + _WINDOW)
        )
        best, away, low = (-inf, inf), inf, -inf
        for top, bottom in (*near, (inf, inf)):
            if top > low and (distance := max(low - wish, wish - top, 0.0)) < away:
                best, away = (low, top), distance
            low = max(low, bottom)
        return best


def _through(points: list[QPointF]) -> Route:
    """Return a smooth way through points: level at both ports, at a dot as the points beside it lie."""
    level = QPointF(1, 0)
    slopes = [level, *(_unit(after - before) for before, _, after in _triples(points)), level]
    path = QPainterPath(points[0])
    label, room = points[0], -1.0
    for (a, b), (from_, to) in zip(pairwise(points), pairwise(slopes), strict=True):
        length = _apart(a, b)
        reach = length * 0.38
        path.cubicTo(a + from_ * reach, b - to * reach, b)
        if length > room:  # between two dots that are far apart, where it covers neither
            label, room = (a + b) / 2 + (from_ - to) * reach * 0.375, length
    return Route(path, label, room, False)


def _triples(points: list[QPointF]) -> Iterable[tuple[QPointF, QPointF, QPointF]]:
    return zip(points, points[1:], points[2:], strict=False)


def _unit(way: QPointF) -> QPointF:
    length = hypot(way.x(), way.y())
    return way / length if length else QPointF(1, 0)


def place_of(points: Sequence[QPointF], at: QPointF) -> int:
    """Return which place a new dot takes among those of a wire: where the way grows least.

    ``points`` are the wire's ends with its dots between them.
    """

    def longer(pair: tuple[QPointF, QPointF]) -> float:
        return _apart(pair[0], at) + _apart(at, pair[1]) - _apart(*pair)

    grown = [longer(pair) for pair in pairwise(points)]
    return grown.index(min(grown))


def _apart(a: QPointF, b: QPointF) -> float:
    return hypot(a.x() - b.x(), a.y() - b.y())


def _rounded(points: list[tuple[float, float]]) -> QPainterPath:
    """Return a path of right angles whose corners are quarter circles as large as there is room.

    Plain numbers, because a large network has hundreds of corners to round.
    """
    path = QPainterPath()
    path.moveTo(*points[0])
    last = len(points) - 2
    for place, ((ax, ay), (x, y), (bx, by)) in enumerate(zip(points, points[1:], points[2:], strict=False)):
        ax, ay, bx, by = ax - x, ay - y, bx - x, by - y
        la, lb = abs(ax) + abs(ay), abs(bx) + abs(by)
        if la < 0.5 or lb < 0.5:
            path.lineTo(x, y)
            continue
        radius = min(RADIUS, la if place == 0 else la / 2, lb if place == last - 1 else lb / 2)
        ra, rb = radius / la, radius / lb
        ka, kb = ra * _CIRCLE, rb * _CIRCLE
        path.lineTo(x + ax * ra, y + ay * ra)
        path.cubicTo(x + ax * ka, y + ay * ka, x + bx * kb, y + by * kb, x + bx * rb, y + by * rb)
    path.lineTo(*points[-1])
    return path


def _cells(left: float, top: float, right: float, bottom: float) -> list[tuple[int, int]]:
    columns = range(int(left // _CELL), int(right // _CELL) + 1)
    return [(x, y) for x in columns for y in range(int(top // _CELL), int(bottom // _CELL) + 1)]


def box_of(rect: QRectF) -> Box:
    """Return a rectangle as left, top, right, bottom."""
    return rect.getCoords()
