"""What a plot consists of: a curve and an axis, each painted in a few calls.

pyqtgraph's own items ask about levels, units, hit shapes and bounds at every repaint; a picture of a run that
learns is repainted several times a second, while Python's lock keeps the run waiting.
"""

from __future__ import annotations

from math import log10

import numpy as np
import pyqtgraph as pg
from pyqtgraph.functions import arrayToQPolygonF
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from gui.theme import CAPTION_PX
from gui.views.ranges import nice_step
from gui.views.text import font, short

_EVERYWHERE = QRectF(-1e9, -1e9, 2e9, 2e9)
_LABEL, _GAP = 80.0, 6.0
"""Width that the words of a step may take, and the room between an axis and its words."""


class Curve(QGraphicsItem):
    """A line through points; one point alone is a dot. Holds still unless it is given other points."""

    def __init__(self, tone: str, pen_width: float, alpha: int = 255, dashed: bool = False):
        super().__init__()
        self.tone, self.pen_width, self.alpha, self.dashed = tone, pen_width, alpha, dashed
        self.pen = QPen()
        self._x = self._y = np.empty(0)
        self._runs: list[slice] = []

    def getData(self) -> tuple[np.ndarray, np.ndarray]:
        """Return its points as they are drawn."""
        return self._x, self._y

    def setData(self, x: np.ndarray, y: np.ndarray) -> None:
        """Take other points; where y is not finite the line is interrupted."""
        self._x, self._y = np.asarray(x, float), np.asarray(y, float)
        finite = np.isfinite(self._y)
        ends = np.flatnonzero(np.diff(np.concatenate([[False], finite, [False]]))) if len(finite) else ()
        self._runs = [slice(*pair) for pair in np.reshape(ends, (-1, 2)).astype(int)]
        self.update()

    def setPen(self, pen: QPen) -> None:
        """Take another color, width and dashes; the width counts in pixels."""
        self.pen = pen
        self.update()

    def boundingRect(self) -> QRectF:
        return _EVERYWHERE

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        to_screen = painter.transform()
        x = self._x * to_screen.m11() + to_screen.dx()
        y = self._y * to_screen.m22() + to_screen.dy()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.pen)
        for run in self._runs:
            if run.stop - run.start > 1:
                painter.drawPolyline(arrayToQPolygonF(x[run], y[run]))
        if len(self._runs) == 1 and self._runs[0].stop - self._runs[0].start == 1 and self.pen_width > 1:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.pen.color())
            painter.drawEllipse(QPointF(x[self._runs[0]][0], y[self._runs[0]][0]), 2.5, 2.5)
        painter.setTransform(to_screen)


class Axis(pg.AxisItem):
    """Ticks at round places, as many as there is room for, in muted caption type; ``log``: powers of ten."""

    log = False
    share = False

    def boundingRect(self) -> QRectF:
        # the label of the lowest tick reaches beyond the axis
        return super().boundingRect().adjusted(-12, -8, 12, 8)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        if high <= low:
            return []
        per_tick = 60 if self.orientation == "bottom" else 24
        ticks = min(6, max(1, int(size / per_tick)))
        if self.log and high - low > 1:
            step = max(1.0, float(np.ceil((high - low) / ticks)))
        else:
            step = nice_step(high - low, ticks)
        if self.orientation == "bottom":
            step = max(step, 1.0)
        first, last = int(np.ceil(low / step - 1e-6)), int(np.floor(high / step + 1e-6))
        return [(step, [k * step for k in range(first, last + 1)])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        if self.orientation == "bottom":
            return [_steps(v) for v in values]
        if self.log:
            return [short(10.0**v) for v in values]
        if self.share:
            return [f"{100 * v:.{0 if spacing >= 0.01 else 1}f} %" for v in values]
        decimals = max(0, int(np.ceil(-log10(spacing) - 1e-6)) + (round(spacing * 4, 9) in (1.0, 0.1)))
        return [f"{v:.{min(decimals, 6)}f}".replace("-", "−") for v in values]

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        view = self.linkedView()
        area, own = view.mapRectToItem(self, view.boundingRect()), self.mapRectFromParent(self.geometry())
        (low, high), across = self.range, self.orientation == "bottom"
        size = area.width() if across else area.height()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setFont(font(CAPTION_PX))
        for step, values in self.tickValues(low, high, size):
            places = [(value - low) / (high - low) * size for value in values]
            if not across:
                painter.setPen(self.tickPen())
                for place in places:
                    y = area.bottom() - place
                    painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(self.textPen())
            for place, word in zip(places, self.tickStrings(values, 1.0, step), strict=True):
                if across:
                    spot = QRectF(area.left() + place - _LABEL / 2, own.top() + 2, _LABEL, own.height() - 2)
                    painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, word)
                else:
                    spot = QRectF(own.left() - 12, area.bottom() - place - 10, own.width() + 12 - _GAP, 20)
                    painter.drawText(spot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, word)


def _steps(value: float) -> str:
    """A count of steps: 250, 12 k, 1.5 M."""
    for size, unit in ((1e6, " M"), (1e4, " k")):
        if abs(value) >= size:
            divided = value / (1e6 if unit == " M" else 1e3)
            return f"{divided:g}{unit}"
    return f"{value:.0f}"
