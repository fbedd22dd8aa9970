"""Nodes on their way to another document: a drag that leaves the canvas takes a copy along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPointF, QRectF, Qt
from PySide6.QtGui import QDrag, QPainter, QPixmap

from engine.graph import edits
from gui.canvas import clipboard, fonts

if TYPE_CHECKING:
    from PySide6.QtGui import QDropEvent

    from gui.canvas.view import CanvasView
    from gui.theme import Theme

MIME = "application/x-netwright-nodes"
"""What is dragged between documents: the text that copying would put on the clipboard, as UTF-8."""
_HIGH = 28


def carry(view: CanvasView) -> None:
    """Drag the selected nodes away from the canvas, until they are dropped somewhere."""
    store = view.bench.store
    ids = store.selection
    text = clipboard.to_text(store.document, ids)
    data = QMimeData()
    data.setData(MIME, text.encode())
    data.setText(text)  # a chat or an editor takes it as well
    drag = QDrag(view)
    drag.setMimeData(data)
    named = [node.title for id, node in store.document.nodes.items() if id in ids]
    drag.setPixmap(_label(named[0] if len(named) == 1 else f"{len(named)} nodes", view.bench.theme))
    view.carried = (store.session, store.scope, ids)
    try:
        drag.exec(Qt.DropAction.CopyAction)
    finally:
        view.carried = None


def holds(event: QDropEvent) -> bool:
    """Return whether nodes are being dragged."""
    return event.mimeData().hasFormat(MIME)


def take(view: CanvasView, event: QDropEvent) -> None:
    """Put a copy of the dragged nodes where they were dropped; those that come back are moved."""
    place = view.map_to_canvas(event.position())
    text = bytes(event.mimeData().data(MIME).data()).decode("utf-8", "replace")
    store = view.bench.store
    if view.carried is not None and view.carried[:2] == (store.session, store.scope):
        ids = [id for id in view.carried[2] if id in store.document.nodes]
        box = view.graph.bounds(ids)
        dx, dy = (round(by / 4) * 4 for by in (place - box.center()).toTuple())
        places = {id: store.document.nodes[id].position for id in ids}
        moved = {id: (x + dx, y + dy) for id, (x, y) in places.items()}
        view.edit(f"Move {len(ids)} nodes", lambda d: edits.move(d, moved))
    else:
        view.commands.paste(place, text)


def _label(text: str, theme: Theme) -> QPixmap:
    wide = fonts.text_metrics().horizontalAdvance(text) + 28
    pixmap = QPixmap(wide, _HIGH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(theme.color("accent"))
    painter.setBrush(theme.color("raised"))
    painter.drawRoundedRect(QRectF(0.5, 0.5, wide - 1, _HIGH - 1), 7, 7)
    painter.setFont(fonts.text())
    painter.setPen(theme.color("text"))
    painter.drawText(QRectF(QPointF(0, 0), pixmap.size()), Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return pixmap
