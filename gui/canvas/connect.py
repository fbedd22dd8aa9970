"""Connecting from the keyboard: a list of the wires that could be drawn, with the chosen one as a preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QListWidgetItem, QStyleOptionViewItem, QWidget

from engine.graph.blocks import layer_of
from gui.canvas import fitting, fonts
from gui.canvas.face import PORT
from gui.canvas.wire_item import WIDTH
from gui.canvas.wires import Wire, wires_at
from gui.theme import CAPTION_PX, CATEGORY
from gui.widgets.search_popup import PopupRows, SearchPopup

if TYPE_CHECKING:
    from gui.canvas.editor import Editor

_WIRE = Qt.ItemDataRole.UserRole
_COLOR, _RIGHT, _BELOW = (_WIRE + n for n in range(1, 4))
MOST = 60
"""Rows at most: who looks for another port types its name."""


class ConnectPopup(SearchPopup):
    """Lists where a node's wires could go; the arrow keys show each, Enter draws it."""

    def __init__(self, view: Editor):
        super().__init__(view, "Search nodes", "Wires that can be drawn", _Rows())
        self._view = view
        self._wires: list[Wire] = []
        self._preview = Preview(view)
        self.list.currentItemChanged.connect(self._show)
        self.setFixedWidth(_Rows.wide)
        self.closed.connect(self._preview.clear)
        view.bench.store.changed.connect(lambda _: self.close_palette())

    def open(self, id: str) -> bool:
        """Ask where a wire of a node should go; return whether there is anything to choose."""
        bench = self._view.bench
        self._wires = wires_at(bench.store.document, bench.analysis.types, id)
        if not self._wires:
            return False
        body = self._view.graph.nodes[id].body()
        at = self._view.to_view(body.bottomLeft() + QPointF(0, 10))
        self.open_at(at, f"Connect {bench.store.document.nodes[id].title}")
        self._uncover(self._view.viewportTransform().mapRect(body).toAlignedRect())
        return True

    def _uncover(self, node: QRect) -> None:
        """Stand above the node where there is no room below it, or else in the corner farther away."""
        if not self.geometry().intersects(node):
            return
        room = self.parentWidget().rect().adjusted(4, 4, -4, -4)
        above = node.top() - 10 - self.height()
        left = node.center().x() > room.center().x()
        x = room.left() if left else room.right() - self.width()
        self.move(self.x(), above) if above >= room.top() else self.move(x, self.y())

    def wires(self) -> list[Wire]:
        """Return the wires in the list, as they stand."""
        return [self.list.item(row).data(_WIRE) for row in range(self.list.count())]

    def fill(self, text: str) -> str:
        document, words = self._view.bench.store.document, text.lower().split()
        for wire in self._wires:
            if self.list.count() == MOST:
                break
            if all(word in self._words(wire).lower() for word in words):
                node = document.nodes[wire.other.node]
                layer = layer_of(document, node.type)
                item = QListWidgetItem(f"{node.title} · {wire.other.port}", self.list)
                item.setData(_WIRE, wire)
                item.setData(_COLOR, CATEGORY.get(layer.category, CATEGORY["Shape"]))
                item.setData(_RIGHT, layer.label)
                item.setData(_BELOW, self._about(wire))
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}, {self._about(wire)}")
        return f"No port answers to “{text}”."

    def _words(self, wire: Wire) -> str:
        document = self._view.bench.store.document
        node = document.nodes[wire.other.node]
        own = wire.source if wire.forward else wire.target
        label = layer_of(document, node.type).label
        return f"{node.title} {wire.other.port} {label} {own.port}"

    def _about(self, wire: Wire) -> str:
        """Say which port of the own node it is, and what arrives or would be wrong."""
        if wire.mismatch:
            return wire.mismatch
        own = wire.source if wire.forward else wire.target
        tensor = self._view.bench.analysis.types.get(wire.source)
        shape = f" ({tensor.sample})" if tensor is not None else ""
        return f"from {own.port}{shape}" if wire.forward else f"into {own.port}{shape}"

    def take(self, item: QListWidgetItem) -> None:
        wire: Wire = item.data(_WIRE)
        self._preview.clear()
        self.give_back_focus()
        self._view.edit("Connect", lambda d: fitting.connect(d, wire.source, wire.target))

    def _show(self, item: QListWidgetItem | None, _before: object = None) -> None:
        self._preview.show_wire(item.data(_WIRE) if item is not None else None)


class Preview(QWidget):
    """The wire that Enter would draw, over the canvas; it lets the pointer through."""

    def __init__(self, view: Editor):
        super().__init__(view.viewport())
        self._view = view
        self.wire: Wire | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_wire(self, wire: Wire | None) -> None:
        """Show another wire, or none; its far end is lit and brought into view."""
        self.clear()
        graph = self._view.graph
        if wire is None or wire.other.node not in graph.nodes:
            return
        self.wire = wire
        graph.nodes[wire.other.node].set_mood(lit=(wire.other.port, wire.forward))
        self.setGeometry(self._view.viewport().rect())
        self.show()

    def clear(self) -> None:
        """Show no wire."""
        wire, self.wire = self.wire, None
        if wire is not None and (item := self._view.graph.nodes.get(wire.other.node)) is not None:
            item.set_mood(lit=None)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._view.paint_safely("preview of a wire", self._paint)

    def _paint(self) -> None:
        ends = self.wire and (
            self._view.graph.slot_at(self.wire.source, False),
            self._view.graph.slot_at(self.wire.target, True),
        )
        if not ends or None in ends:
            return
        start, end = (self._view.viewportTransform().map(each) for each in ends)
        reach = min(max(abs(end.x() - start.x()) / 2, 40), 120)
        path = QPainterPath(start)
        path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end)
        color = self._view.bench.theme.color("warning" if self.wire.mismatch else "accent")
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color, WIDTH, Qt.PenStyle.DashLine, Qt.PenCapStyle.RoundCap))
        painter.drawPath(path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for at in (start, end):
            painter.drawEllipse(at, PORT / 2 - 1, PORT / 2 - 1)
        painter.end()


class _Rows(PopupRows):
    """A dot, the node and its port, the type at the right, and below what the wire would carry."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        theme, box, wire = self.theme, QRectF(option.rect), index.data(_WIRE)
        painter.save()
        self.paint_ground(painter, option)
        painter.setBrush(QColor(index.data(_COLOR)))
        painter.drawRoundedRect(QRectF(box.left() + 9, box.top() + 8, 9, 9), 2.5, 2.5)
        words = box.adjusted(27, 4, -9, -4)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        painter.setFont(fonts.text(weight=500))
        painter.setPen(theme.color("text"))
        painter.drawText(words, left | Qt.AlignmentFlag.AlignTop, index.data())
        painter.setFont(fonts.caption())
        painter.setPen(theme.color("muted"))
        painter.drawText(words.adjusted(0, 2, 0, 0), right | Qt.AlignmentFlag.AlignTop, index.data(_RIGHT))
        painter.setPen(theme.color("warning" if wire.mismatch else "muted"))
        metrics = fonts.text_metrics(CAPTION_PX)
        below = metrics.elidedText(index.data(_BELOW), Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, left | Qt.AlignmentFlag.AlignBottom, below)
        painter.restore()
