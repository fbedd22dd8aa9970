"""The canvas for screen readers: every node is a child that has a name, a place and a state.

Items of a graphics scene are no objects that Qt tells assistive technology about, so the canvas answers for
them. Nothing here is made before somebody asks.
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QObject, QPoint, QPointF, QRect
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface, QColor, QWindow
from PySide6.QtWidgets import QAccessibleWidget, QApplication

from engine.graph.blocks import layer_of
from gui.canvas.editor import Editor
from gui.canvas.hits import node_at
from gui.spoken import node_words


@cache
def install() -> None:
    """Let Qt ask here about canvases."""
    QAccessible.installFactory(_answer)


def _answer(_kind: str, asked: QObject | None) -> QAccessibleInterface | None:
    return CanvasInterface(asked) if isinstance(asked, Editor) else None


class CanvasInterface(QAccessibleWidget):
    """The canvas with its nodes as children, in the document's order."""

    def __init__(self, view: Editor):
        super().__init__(view, QAccessible.Role.Canvas)
        self.view = view
        view.spoken_for = self  # lives as long as the canvas: Qt keeps only its address
        self._nodes: dict[str, NodeInterface] = {}
        _Ear(self)
        for end in (view.destroyed, QApplication.instance().aboutToQuit):
            end.connect(lambda *_: self.forget(everything=True))

    def forget(self, everything: bool = False) -> None:
        """Give up the nodes that are gone."""
        there = () if everything else self.view.bench.store.document.nodes
        for id in [id for id in self._nodes if id not in there]:
            node = self._nodes.pop(id)  # held until Qt has let go of its address
            QAccessible.deleteAccessibleInterface(node.number)

    def tell(self, selection: frozenset[str]) -> None:
        """Say where the keyboard is: at the node that is selected."""
        ids = list(self.view.bench.store.document.nodes)
        if len(selection) == 1 and QAccessible.isActive() and (id := next(iter(selection))) in ids:
            event = QAccessibleEvent(self.view, QAccessible.Event.Focus)
            event.setChild(ids.index(id))
            QAccessible.updateAccessibility(event)

    def node(self, id: str) -> NodeInterface:
        """Return what speaks for a node."""
        if id not in self._nodes:
            self._nodes[id] = NodeInterface(self.view, id)
        return self._nodes[id]

    def childCount(self) -> int:
        return len(self.view.bench.store.document.nodes)

    def child(self, index: int) -> QAccessibleInterface | None:
        ids = list(self.view.bench.store.document.nodes)
        return self.node(ids[index]) if 0 <= index < len(ids) else None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:
        at = self.view.viewport().mapFromGlobal(QPoint(x, y))
        item = node_at(self.view.graph, self.view.map_to_canvas(QPointF(at)))
        return self.node(item.face.id) if item is not None else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        ids = list(self.view.bench.store.document.nodes)
        return ids.index(child.node) if isinstance(child, NodeInterface) and child.node in ids else -1

    def focusChild(self) -> QAccessibleInterface | None:
        chosen = self.view.bench.store.selection
        if len(chosen) == 1 and self.view.hasFocus() and (id := next(iter(chosen))) in self.view.graph.nodes:
            return self.node(id)
        return None


class _Ear(QObject):
    """Hears of the document for an interface, which is no object, for as long as the canvas lives."""

    def __init__(self, interface: CanvasInterface):
        super().__init__(interface.view)
        self._interface = interface
        store = interface.view.bench.store
        for signal in (store.changed, store.replaced, store.scope_changed):
            signal.connect(self._forget)
        store.selection_changed.connect(self._tell)

    def _forget(self, *_: object) -> None:
        self._interface.forget()

    def _tell(self, selection: frozenset[str]) -> None:
        self._interface.tell(selection)


class NodeInterface(QAccessibleInterface):
    """One node. Qt keeps its address under ``number`` until the canvas gives it up."""

    def __init__(self, view: Editor, node: str):
        super().__init__()
        self.view, self.node = view, node
        self.number = QAccessible.registerAccessibleInterface(self)

    def isValid(self) -> bool:
        return self.node in self.view.bench.store.document.nodes

    def object(self) -> QObject | None:
        return None

    def text(self, kind: QAccessible.Text) -> str:
        if not self.isValid():
            return ""
        if kind == QAccessible.Text.Name:
            return node_words(self.view.bench, self.node)
        if kind == QAccessible.Text.Description:
            bench = self.view.bench
            document = bench.store.document
            problems = " ".join(problem.message for problem in bench.analysis.problems_of(self.node))
            return problems or layer_of(document, document.nodes[self.node].type).doc
        return ""

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        if kind == QAccessible.Text.Name and self.isValid():
            self.view.commands.rename(self.node, text)

    def rect(self) -> QRect:
        if self.node not in self.view.graph.nodes:
            return QRect()
        box = self.view.viewportTransform().mapRect(self.view.graph.nodes[self.node].body()).toRect()
        return QRect(self.view.viewport().mapToGlobal(box.topLeft()), box.size())

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.ListItem

    def state(self) -> QAccessible.State:
        state, chosen = QAccessible.State(), self.view.bench.store.selection
        state.selectable = state.focusable = state.multiSelectable = True
        state.selected = self.node in chosen
        state.focused = chosen == {self.node} and self.view.hasFocus()
        state.invalid = not self.isValid()
        return state

    def childCount(self) -> int:
        return 0

    def child(self, index: int) -> QAccessibleInterface | None:
        return None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:
        return None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return -1

    def parent(self) -> QAccessibleInterface | None:
        return QAccessible.queryAccessibleInterface(self.view)

    def focusChild(self) -> QAccessibleInterface | None:
        return None

    def window(self) -> QWindow | None:
        return self.view.window().windowHandle()

    def foregroundColor(self) -> QColor:
        return self.view.bench.theme.color("text")

    def backgroundColor(self) -> QColor:
        return self.view.bench.theme.color("raised")
