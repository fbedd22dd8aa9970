"""The knife: a line that is drawn across wires and cuts those that it crosses."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from engine.graph import edits
from engine.graph.document import Slot
from gui.canvas.gestures import Gesture
from gui.canvas.wire_item import WIDTH, WireItem

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView


class Knife(Gesture):
    """Cut every wire that a straight line crosses, as one step; they are lit until the button is released."""

    scrolls = True

    def __init__(self, view: CanvasView, at: QPointF):
        super().__init__(view, at)
        place = view.map_to_canvas(at)
        self._line = QLineF(place, place)
        self._crossed: dict[Slot, WireItem] = {}
        view.graph.clear_hover()
        view.viewport().setCursor(Qt.CursorShape.CrossCursor)

    def move(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        before = self._box()
        self._line.setP2(self.view.map_to_canvas(at))
        box = self._box()
        self.view.update_canvas(before.united(box))
        wires = (item for item in self.view.graph.items(box) if isinstance(item, WireItem))
        now = {wire.edge.target: wire for wire in wires if crosses(wire, self._line)}
        self._light({slot: wire for slot, wire in self._crossed.items() if slot not in now}, False)
        self._light({slot: wire for slot, wire in now.items() if slot not in self._crossed}, True)
        self._crossed = now

    def release(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        slots = list(self._crossed)
        self.cancel()
        if slots:
            text = "Cut a wire" if len(slots) == 1 else f"Cut {len(slots)} wires"
            self.view.edit(text, lambda d: edits.disconnect(d, slots))

    def cancel(self) -> None:
        self._light(self._crossed, False)
        self._crossed = {}
        self.view.update_canvas(self._box())
        self.view.show_cursor()

    def _light(self, wires: dict[Slot, WireItem], lit: bool) -> None:
        for slot, wire in wires.items():
            if self.view.graph.wires.get(slot) is wire:  # the document may have changed meanwhile
                wire.lit = lit
                wire.set_theme(self.view.bench.theme)

    def _box(self) -> QRectF:
        return QRectF(self._line.p1(), self._line.p2()).normalized().adjusted(-4, -4, 4, 4)

    def paint(self, painter: QPainter) -> None:
        color = self.view.bench.theme.color("error")
        pen = QPen(color, WIDTH, Qt.PenStyle.CustomDashLine, Qt.PenCapStyle.RoundCap)
        pen.setDashPattern([2.5, 2.5])
        painter.setPen(pen)
        painter.drawLine(self._line)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for end in (self._line.p1(), self._line.p2()):
            painter.drawEllipse(end, WIDTH + 0.6, WIDTH + 0.6)


def crosses(wire: WireItem, line: QLineF) -> bool:
    """Return whether a line crosses a wire."""
    if wire.route is None or not wire.isVisible():
        return False
    hit = QLineF.IntersectionType.BoundedIntersection
    for polygon in wire.route.path.toSubpathPolygons():
        points = polygon.toList()
        for start, end in itertools.pairwise(points):
            if QLineF(start, end).intersects(line)[0] == hit:
                return True
    return False
