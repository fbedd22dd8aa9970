"""One of two networks that are compared: it is moved over, not edited, and shows what differs in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFont, QMouseEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QWidget

from engine.compiler.analysis import Analysis
from engine.graph.compare import ADDED, CHANGED, REMOVED
from engine.graph.document import Document, Slot
from gui.bench import Bench
from gui.canvas import fonts
from gui.canvas.hits import node_at
from gui.canvas.navigation import Navigator
from gui.session import Place
from gui.store import Store
from gui.theme import NODE_RADIUS, Theme

TONES = {ADDED: "ok", REMOVED: "error", CHANGED: "warning"}
"""The color of each sign."""
SHOWN = {ADDED: "+", REMOVED: "−", CHANGED: "~"}
"""Each sign as it is written."""
_BADGE = 20.0
_CLICK = 4


class ComparePane(Navigator):
    """A network with a ring and a sign at every node that differs.

    ``looked`` says that one has moved over it, ``picked`` carries the node that was clicked.
    """

    looked = Signal()
    picked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None):
        bench = Bench(Store())
        bench.theme = theme
        self.signs: Mapping[str, str] = {}
        self.links: Collection[Slot] = ()
        self._link_sign, self._focus = ADDED, ""
        self._pressed: QPointF | None = None
        self._last = QPointF()
        super().__init__(bench, parent)
        bench.setParent(self)

    def show_document(
        self, document: Document, signs: Mapping[str, str], links: Collection[Slot], link_sign: str
    ) -> None:
        """Show a network with what differs in it: nodes by their signs, links of one sign."""
        self.signs, self.links, self._link_sign, self._focus = signs, links, link_sign, ""
        self.bench.store.open(document)
        self.bench.analysis = Analysis(Document())
        self.graph.rebuild()
        self.show_all()

    def show_analysis(self, analysis: Analysis) -> None:
        """Show shapes and costs."""
        self.bench.analysis = analysis
        self.graph.show_analysis()

    def set_theme(self, theme: Theme) -> None:
        """Take other colors."""
        self.bench.theme = theme
        self.graph.show_theme()
        self.viewport().update()

    def focus(self, id: str, glide: bool = True) -> None:
        """Point at a node, and bring it to the middle."""
        self._focus = id
        if glide and id in self.graph.nodes:
            self._fit(self.graph.bounds([id]).adjusted(-260, -160, 260, 160), eased=True)
        self.viewport().update()

    def moved(self) -> None:
        super().moved()
        self.looked.emit()

    def follow(self, place: Place, shift: QPointF) -> None:
        """Look at the same place as another pane, whose network stands a bit away; at all where it does."""
        self.go_to(Place(place.zoom, place.middle + shift, place.whole))

    # -- the pointer -------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pressed = self._last = event.position()
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None:
            by, self._last = event.position() - self._last, event.position()
            self.pan(by)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and (event.position() - self._pressed).manhattanLength() < _CLICK:
            item = node_at(self.graph, self.map_to_canvas(event.position()))
            if item is not None:
                self.picked.emit(item.face.id)
        self._pressed = None
        self.viewport().unsetCursor()

    # -- what differs ------------------------------------------------------------------------------------

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        self.paint_safely("differences", lambda: self._paint_signs(painter))

    def _paint_far(self, painter: QPainter, exposed: object) -> None:
        super()._paint_far(painter, exposed)
        painter.setTransform(self.viewportTransform())
        self._paint_signs(painter)

    def _paint_signs(self, painter: QPainter) -> None:
        theme, seen = self.bench.theme, self.visible_rect()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        less = 1 / max(self.zoom, 0.02)
        pen = QPen(theme.color(TONES[self._link_sign]), 3)
        pen.setStyle(Qt.PenStyle.DashLine if self._link_sign == REMOVED else Qt.PenStyle.SolidLine)
        for slot in self.links:
            wire = self.graph.wires.get(slot)
            if wire is not None and wire.isVisible():
                painter.strokePath(wire.path(), pen)
        for id, sign in self.signs.items():
            item = self.graph.nodes.get(id)
            if item is None or not seen.intersects(item.body().adjusted(-30, -30, 30, 30)):
                continue
            color, box = theme.color(TONES[sign]), item.body().adjusted(-2, -2, 2, 2)
            path = QPainterPath()
            path.addRoundedRect(box, NODE_RADIUS + 2, NODE_RADIUS + 2)
            painter.setPen(QPen(color, max(2.5 if id != self._focus else 5.0, 1.5 * less)))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(path)
            size = max(_BADGE, 13 * less) if self.zoom > 0.1 else 0
            if size:
                badge = QRectF(0, 0, size, size)
                badge.moveCenter(box.topLeft() + QPointF(6, 4))
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color)
                painter.drawEllipse(badge)
                font = QFont(fonts.text(weight=600))  # a copy: everyone draws with the one that is remembered
                font.setPixelSize(round(size * 0.75))
                painter.setFont(font)
                painter.setPen(theme.color("on_accent"))
                painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, SHOWN[sign])
