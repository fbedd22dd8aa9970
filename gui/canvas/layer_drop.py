"""A layer that is dragged over the canvas: where it would go, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QDragMoveEvent, QDropEvent

from engine.errors import EngineError
from gui.canvas import carry, fitting, hits
from gui.canvas.wire_item import WireItem

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

MIME = "application/x-netwright-layer"
"""What is dragged: the type of a layer as UTF-8."""
_ALT = Qt.KeyboardModifier.AltModifier
_REACH = 14.0
"""How near a wire has to be."""


class LayerDrop:
    """Replaces the node or splits the wire that a layer is dropped on; Alt drops it beside."""

    def __init__(self, view: CanvasView):
        self._view = view
        self._aimed = ""

    def consider(self, event: QDragMoveEvent) -> None:
        """Show what a drop would do here, and take the drag or leave it to the window."""
        if carry.holds(event):
            event.acceptProposedAction()
            return
        type_ = self._layer_in(event)
        if not type_:
            event.ignore()  # files are the window's
            return
        self._view.light_wire(self._wire_under(event, type_))
        self.aim(self._node_under(event))
        event.acceptProposedAction()

    def leave(self) -> None:
        """Show nothing more: the drag went elsewhere."""
        self._view.light_wire(None)
        self.aim("")

    def drop(self, event: QDropEvent) -> None:
        """Do what was shown."""
        view = self._view
        type_ = "" if carry.holds(event) else self._layer_in(event)
        if carry.holds(event):
            carry.take(view, event)
        elif not type_:
            event.ignore()
            return
        else:
            wire, node = self._wire_under(event, type_), self._node_under(event)
            self.leave()
            at = view.map_to_canvas(event.position())
            if node:
                view.commands.replace([node], type_)
            elif wire is not None:
                view.commands.insert(type_, wire.edge, at)
            else:
                view.commands.add(type_, at)
        event.acceptProposedAction()
        view.setFocus()

    def aim(self, id: str) -> None:
        """Ring the node that what is dropped now would replace; an empty text for none."""
        nodes = self._view.graph.nodes
        for each in {self._aimed, id} - {""}:
            if each in nodes:
                nodes[each].set_mood(target=each == id)
        self._aimed = id

    def _node_under(self, event: QDropEvent) -> str:
        """Return the node that a layer dropped here would replace."""
        view = self._view
        id = hits.replaceable(view.graph, view.map_to_canvas(event.position()))
        return "" if event.modifiers() & _ALT else id

    def _wire_under(self, event: QDropEvent, type_: str) -> WireItem | None:
        view = self._view
        layer = view.bench.library.layer_of(view.bench.store.document, type_)
        if event.modifiers() & _ALT or not fitting.fits_between(layer):
            return None
        at = view.map_to_canvas(event.position())
        if hits.node_at(view.graph, at) is not None:
            return None
        return hits.wire_at(view.graph, QRectF(at.x() - _REACH, at.y() - _REACH, 2 * _REACH, 2 * _REACH))

    def _layer_in(self, event: QDropEvent) -> str:
        """Return the type of the layer or block that is dragged, or an empty text."""
        if not event.mimeData().hasFormat(MIME):
            return ""
        type_ = bytes(event.mimeData().data(MIME).data()).decode("utf-8", "replace")
        try:
            self._view.bench.library.layer_of(self._view.bench.store.document, type_)
        except EngineError:
            return ""
        return type_
