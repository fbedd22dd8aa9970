"""What the items of comments and dots have in common: an id, a place, whether they are selected."""

from __future__ import annotations

import logging

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from gui.theme import Theme

_log = logging.getLogger(__name__)


class MarkItem(QGraphicsItem):
    """An item beside the nodes, moved by its position as nodes are; it knows nothing of documents."""

    def __init__(self, id: str, theme: Theme):
        super().__init__()
        self.id = id
        self.theme = theme
        self.selected = False

    def set_selected(self, selected: bool) -> None:
        """Show whether it is selected."""
        if selected != self.selected:
            self.selected = selected
            self.update()

    def body(self) -> QRectF:
        """Return what it covers on the canvas."""
        raise NotImplementedError

    def draw(self, painter: QPainter, scale: float) -> None:
        """Paint it at its own origin; ``scale`` is pixels per unit."""
        raise NotImplementedError

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        try:
            self.draw(painter, painter.worldTransform().m11())
        except Exception:  # an exception that leaves paint() can end the process
            _log.exception("%s could not be painted", self.id)
