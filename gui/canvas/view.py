"""The canvas widget (a first slice)."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from gui.bench import Bench
from gui.canvas import fonts
from gui.canvas.navigation import Navigator
from gui.canvas.node_paint import TEXT_FROM
from gui.canvas.wire_item import label_color


class CanvasView(Navigator):
    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(bench, parent)
        bench.store.changed.connect(self.graph.follow)
        bench.analyzed.connect(lambda _: self.graph.show_analysis())
        bench.snapshot_taken.connect(self.graph.show_snapshot)

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        self.paint_safely("labels", lambda: self._paint_labels(painter, rect))

    def _paint_labels(self, painter: QPainter, rect: QRectF) -> None:
        if self.zoom < TEXT_FROM:
            return
        theme = self.bench.theme
        painter.setFont(fonts.mono())
        for wire in self.graph.labels_in(rect):
            painter.fillRect(wire.label_box, theme.color("canvas"))
            painter.setPen(theme.color(label_color(theme)))
            painter.drawText(wire.label_box, Qt.AlignmentFlag.AlignCenter, wire.label)
