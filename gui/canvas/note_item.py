"""A note on the canvas: a card of Markdown, painted without a widget."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter

from engine.graph.document import Comment
from gui.canvas.comment_paint import link_at, paint_note
from gui.canvas.frame_item import CommentItem
from gui.theme import Theme


class NoteItem(CommentItem):
    """A note over the wires and under the nodes; its height is that of its text."""

    movable = "lr"

    def __init__(self, comment: Comment, theme: Theme):
        super().__init__(comment, theme)
        self.setZValue(-0.4)

    def draw(self, painter: QPainter, scale: float) -> None:
        paint_note(painter, self.comment, self.theme, scale, self.selected)

    def link_at(self, at: QPointF) -> str:
        """Return the address of the link at a place of the canvas, or an empty text."""
        return link_at(self.comment, at - self.pos())
