"""A dot that a wire passes through."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPen

from gui.canvas.mark import MarkItem
from gui.theme import Theme

RADIUS = 5.5


class DotItem(MarkItem):
    """A dot at a place of a wire, to be dragged."""

    def __init__(self, id: str, at: QPointF, theme: Theme):
        super().__init__(id, theme)
        self.setPos(at)
        self.setZValue(-0.3)

    def body(self) -> QRectF:
        return QRectF(-RADIUS, -RADIUS, 2 * RADIUS, 2 * RADIUS).translated(self.pos())

    def boundingRect(self) -> QRectF:
        return QRectF(-RADIUS - 2, -RADIUS - 2, 2 * RADIUS + 4, 2 * RADIUS + 4)

    def draw(self, painter: QPainter, scale: float) -> None:
        paint_dot(painter, self.theme, self.selected)


def paint_dot(painter: QPainter, theme: Theme, selected: bool = False) -> None:
    """Paint a dot around the origin."""
    painter.setPen(QPen(theme.color("accent" if selected else "wire"), 2.4 if selected else 2))
    painter.setBrush(theme.color("canvas"))
    painter.drawEllipse(QPointF(0, 0), RADIUS - 1, RADIUS - 1)
