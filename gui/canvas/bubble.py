"""A sentence beside the pointer."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from gui.canvas import fonts
from gui.canvas.face import wrapped
from gui.theme import CAPTION_PX, RADIUS, Theme

WIDE = 240.0


def paint_bubble(painter: QPainter, at: QPointF, text: str, theme: Theme, tone: str) -> None:
    """Paint a sentence below a place of the canvas, as large as on the screen whatever the zoom."""
    painter.save()
    scale = painter.worldTransform().m11()
    painter.translate(at)
    painter.scale(1 / scale, 1 / scale)
    lines = wrapped(text, WIDE, 4)
    metrics = fonts.text_metrics(CAPTION_PX)
    step = metrics.lineSpacing()
    width = max(metrics.horizontalAdvance(line) for line in lines)
    box = QRectF(14, 14, width + 20, step * len(lines) + 12)
    painter.setPen(QPen(theme.color(tone), 1))
    painter.setBrush(theme.color("raised"))
    painter.drawRoundedRect(box, RADIUS, RADIUS)
    painter.setFont(fonts.caption())
    painter.setPen(theme.color("text"))
    for place, line in enumerate(lines):
        spot = QRectF(box.left() + 10, box.top() + 6 + place * step, width + 2, step)
        painter.drawText(spot, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line)
    painter.restore()
