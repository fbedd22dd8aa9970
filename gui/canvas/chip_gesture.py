"""A chip of a node under a pressed button: the triangle of a block, or the count of those in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from gui.canvas import fonts
from gui.canvas.chips import EXPAND
from gui.canvas.gestures import Gesture
from gui.canvas.hits import Hit
from gui.theme import CAPTION_PX

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

STEP = 9.0
"""Pixels of a drag for one more in the row."""


class PressChip(Gesture):
    """Click the triangle to expand a block or close it; drag the count sideways or up to change it."""

    def __init__(self, view: CanvasView, at: QPointF, hit: Hit):
        super().__init__(view, at)
        self._id, self._path, self._chip = hit.node.face.id, hit.path, hit.chip
        self._before = view.commands.repeat_of(self._id) if self._chip != EXPAND else None
        self._count = self._before
        view.bench.store.select({self._id})

    def move(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        if self._before is None or not (self.far_enough(at) or self._count != self._before):
            return
        way = at - self.start
        by = way.x() if abs(way.x()) > abs(way.y()) else -way.y()
        count = min(max(self._before + int(by / STEP), 1), 1000)
        if count != self._count:
            self._count = count
            self.view.update_canvas(self._box().adjusted(-30, -4, 30, 4))

    def release(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        view = self.view
        if self._chip == EXPAND:
            hit = view.hit(at)
            if hit.chip == EXPAND and hit.path == self._path:
                view.commands.toggle_expanded(self._path)
        elif self._count != self._before:
            view.commands.set_repeat(self._id, self._count)

    def paint(self, painter: QPainter) -> None:
        if self._count == self._before:
            return
        theme = self.view.bench.theme
        text = f"×{self._count}"
        box = self._box()
        wide = fonts.text_metrics(CAPTION_PX, 600).horizontalAdvance(text) + 14
        box = QRectF(box.right() - wide, box.top() - 1, wide, box.height() + 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(theme.color("on_accent"))
        painter.setFont(fonts.text(CAPTION_PX, 600))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _box(self) -> QRectF:
        """Return where the chip is on the canvas."""
        item = self.view.graph.nodes.get(self._id)
        chip = item.chip(self._chip) if item is not None else None
        return chip.box.translated(item.pos()) if chip is not None else QRectF()
