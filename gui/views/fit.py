"""The curve of a model of one number, drawn live through the data, beside the closed solution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QToolTip, QWidget

from engine.training.events import Curve, Snapshot
from gui.bench import Bench
from gui.views.base import PaintedView
from gui.views.text import Part, draw_parts, font, heading, metrics, number, short

_MARGIN = 0.1
"""Of the data's height, above and below it."""
_LINE = 16
"""Height of a line of the legend."""


def formula(slope: float, intercept: float) -> str:
    """Return a straight line in words: y = 0.98 x − 0.02."""
    sign = "−" if intercept < 0 else "+"
    return f"y = {number(slope)} x {sign} {number(abs(intercept))}"


def straight(curve: Curve) -> tuple[float, float] | None:
    """Return slope and intercept of a model that draws a straight line, else None."""
    x, y = np.asarray(curve.x, float), np.asarray(curve.y, float)
    if not np.isfinite(y).all():
        return None
    slope = (y[-1] - y[0]) / (x[-1] - x[0])
    line = y[0] + slope * (x - x[0])
    close = np.abs(y - line).max() <= 1e-4 * max(1.0, float(np.abs(y).max()))
    return (float(slope), float(y[0] - slope * x[0])) if close else None


class FitView(PaintedView):
    """Data as points, the model's function through them, and dashed the line that least squares gives."""

    title = "Fit"
    wants = "wants_regions"

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(bench, parent)
        self._curve: Curve | None = None
        self.legend: list[list[Part]] = []
        self._box = QRectF()
        if bench.snapshot is not None:
            self.on_snapshot(bench.snapshot)
        self.refresh()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.curve is not None:
            self._curve = snapshot.curve
            self.throttle.request()

    def clear(self) -> None:
        self._curve = None
        super().clear()

    def prepare(self) -> None:
        curve = self._curve
        if curve is None or not len(curve.points):
            self.heading, self.legend = [], []
            self.note = f"The curve of a network that turns one number into one appears here {self.soon}."
            return
        self.note = ""
        held = int(np.sum(curve.held_out))
        rest = f"{len(curve.points):,} points" + (f", {held:,} held out" if held else "")
        self.heading = heading("Fit", rest)
        line = straight(curve)
        self.legend = [[Part("the network ", "text", 500, "accent")]]
        if line is not None:
            self.legend[0].append(Part(formula(*line), "text"))
        if curve.closed is not None:
            self.legend.append([Part("least squares ", "muted", 500, "muted"), Part(formula(*curve.closed))])

    def sizeHint(self) -> QSize:
        return QSize(260, 270)

    def _extent(self) -> tuple[float, float, float, float]:
        """Return (x0, x1, y0, y1); of the data alone, so that the axes stand still while the curve moves."""
        y = self._curve.points[:, 1]
        low, high = float(np.min(y)), float(np.max(y))
        margin = max(high - low, 1e-6) * _MARGIN
        return float(self._curve.x[0]), float(self._curve.x[-1]), low - margin, high + margin

    def draw(self, painter: QPainter, area: QRectF) -> None:
        if self._curve is None:
            return
        top = area.top() - 4
        for parts in self.legend:
            if sum(part.width() for part in parts) > area.width():  # the color alone tells whose it is
                parts = [replace(parts[-1], swatch=parts[0].swatch)]
            draw_parts(painter, QRectF(area.left(), top, area.width(), _LINE), parts, self.theme)
            top += _LINE
        x0, x1, y0, y1 = self._extent()
        gutter = max(metrics().horizontalAdvance(short(y)) for y in (y0, y1)) + 6
        self._box = box = QRectF(
            area.left() + gutter, top + 6, area.width() - gutter, area.bottom() - top - 24
        )
        if box.height() < 20 or box.width() < 20:
            return
        self._draw_axes(painter, box)
        painter.save()
        painter.setClipRect(box)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_points(painter, box)
        self._draw_line(painter, box, QPen(self.theme.color("accent"), 2.2), self._curve.x, self._curve.y)
        if self._curve.closed is not None:  # above the network's line, which ends up under it
            slope, intercept = self._curve.closed
            pen = QPen(self.theme.color("text"), 1.3)
            pen.setDashPattern([5, 4])
            self._draw_line(painter, box, pen, np.array([x0, x1]), slope * np.array([x0, x1]) + intercept)
        painter.restore()

    def _places(self, box: QRectF, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x0, x1, y0, y1 = self._extent()
        across = box.left() + (np.asarray(x, float) - x0) / ((x1 - x0) or 1) * box.width()
        down = box.bottom() - (np.asarray(y, float) - y0) / ((y1 - y0) or 1) * box.height()
        # a curve that runs away is cut before a painter's integers overflow
        return across, np.clip(down, box.top() - 1e4, box.bottom() + 1e4)

    def _draw_line(self, painter: QPainter, box: QRectF, pen: QPen, x: np.ndarray, y: np.ndarray) -> None:
        across, down = self._places(box, x, y)
        finite = np.isfinite(down)
        painter.setPen(pen)
        points = zip(across[finite].tolist(), down[finite].tolist(), strict=True)
        painter.drawPolyline(QPolygonF([QPointF(*point) for point in points]))

    def _draw_points(self, painter: QPainter, box: QRectF) -> None:
        across, down = self._places(box, *np.asarray(self._curve.points).T)
        color = self.theme.color("muted", 170)
        for x, y, held in zip(across.tolist(), down.tolist(), self._curve.held_out.tolist(), strict=True):
            painter.setPen(QPen(color, 1.2) if held else Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.color("panel") if held else color)
            radius = 2.2 if held else 2.6
            painter.drawEllipse(QPointF(x, y), radius, radius)

    def _draw_axes(self, painter: QPainter, box: QRectF) -> None:
        x0, x1, y0, y1 = self._extent()
        painter.setPen(QPen(self.theme.color("grid" if self.theme.dark else "line"), 1))
        for share in (0, 0.25, 0.5, 0.75, 1):
            y = box.top() + share * box.height()
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        painter.setFont(font())
        painter.setPen(self.theme.color("muted"))
        line = QRectF(box.left(), box.bottom() + 3, box.width(), 14)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, short(x0))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, short(x1))
        side = QRectF(box.left() - 100, box.top() - 2, 94, box.height() + 4)
        painter.drawText(side, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, short(y1))
        painter.drawText(side, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, short(y0))

    # hands

    def tip(self, x: float, y: float) -> str:
        """Return what the network answers below a point of the view, or ""."""
        if self._curve is None or not self._box.contains(x, y):
            return ""
        x0, x1, *_ = self._extent()
        at = x0 + (x - self._box.left()) / self._box.width() * (x1 - x0)
        said = (
            f"x {number(at)}: the network says {number(float(np.interp(at, self._curve.x, self._curve.y)))}"
        )
        if self._curve.closed is None:
            return said
        return f"{said}, least squares {number(self._curve.closed[0] * at + self._curve.closed[1])}"

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip(event.pos().x(), event.pos().y()), self)
            return True
        return super().event(event)
