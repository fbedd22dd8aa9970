"""Inside of a block: the strip at the edge of the view where a wire that is dropped makes a new port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from gui.canvas import fonts
from gui.theme import CAPTION_PX

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

WIDE, INSET, TOP = 60.0, 8.0, 56.0


def strip_of(view: CanvasView, forward: bool) -> QRectF:
    """Return the strip in pixels of the viewport, at the right for a wire from an output; empty outside."""
    if not view.bench.store.scope:
        return QRectF()
    port = QRectF(view.viewport().rect())
    left = port.right() - WIDE - INSET if forward else port.left() + INSET
    return QRectF(left, TOP, WIDE, port.height() - 2 * TOP)


def paint_strip(painter: QPainter, view: CanvasView, forward: bool, over: bool) -> None:
    """Paint the strip over the canvas."""
    box, theme = strip_of(view, forward), view.bench.theme
    if box.isEmpty():
        return
    painter.save()
    painter.resetTransform()
    edge = theme.color("accent" if over else "muted")
    painter.setPen(QPen(edge, 1.4, Qt.PenStyle.SolidLine if over else Qt.PenStyle.DashLine))
    painter.setBrush(theme.color("accent", 40) if over else theme.color("canvas", 215))
    painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 8, 8)
    painter.setPen(theme.color("text" if over else "muted"))
    painter.setFont(fonts.text(CAPTION_PX, 500))
    words = "New\noutput" if forward else "New\ninput"
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
    painter.restore()
