"""Data from the Hugging Face hub: the browser, and the node that it puts on the canvas or changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint

from engine.data.hub import hub as layer
from engine.graph import edits
from engine.graph.document import Document
from gui.canvas.face import HEADER, WIDTH

if TYPE_CHECKING:
    from gui.data.hub_dialog import HubDialog
    from gui.main_window import MainWindow


class Hub(QObject):
    """Opens the browser, for a new node or for one that is there."""

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self._window = window
        self.dialog: HubDialog | None = None
        """The browser while it is open."""

    def open(self, node: str = "") -> None:
        """Browse the hub; ``node`` takes what is chosen, else a new one stands on the canvas."""
        from gui.data.hub_dialog import HubDialog

        if self.dialog is not None:
            self.dialog.raise_()
            return
        found = self._window.bench.store.document.nodes.get(node)
        values = layer.values(found.params if found else {})
        use = "Use it" if found else "Add it to the canvas"
        self.dialog = HubDialog(self._window, use, values)
        self.dialog.chosen.connect(lambda params: self._take(node, params))
        self.dialog.finished.connect(self._closed)
        self.dialog.open()

    def close(self) -> None:
        """Close the browser; a download ends."""
        if self.dialog is not None:
            self.dialog.reject()

    def _take(self, node: str, params: dict[str, Any]) -> None:
        window, store, made = self._window, self._window.bench.store, [node]
        window.show_workbench()

        def edit(document: Document) -> Document:
            if node in document.nodes:
                return edits.set_params(document, node, **params)
            middle = window.canvas.map_to_canvas(_middle(window))
            place = (round(middle.x() - WIDTH / 2), round(middle.y() - HEADER / 2))
            document, made[0] = edits.add_node(document, layer.type, params=params, position=place)
            return document

        store.apply(f"Take {params['name']}", edit)
        store.select(made)
        window.bench.data_changed.emit()

    def _closed(self) -> None:
        self.dialog = None


def _middle(window: MainWindow) -> QPoint:
    return window.canvas.viewport().rect().center()
