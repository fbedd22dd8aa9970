"""A frame on the canvas: it lies behind nodes and wires and is taken by its title and its edges."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from engine.graph.document import Comment
from gui.canvas.comment_paint import HEAD, body_of, paint_frame
from gui.canvas.mark import MarkItem
from gui.theme import Theme

EDGE = 7.0
"""How near its edge the pointer must be to mean it."""


class CommentItem(MarkItem):
    """A comment at the corner of its box; ``movable`` are the edges that one can drag."""

    movable = "lrtb"

    def __init__(self, comment: Comment, theme: Theme):
        super().__init__(comment.id, theme)
        self.comment = comment
        self._box = body_of(comment)
        self.setPos(*comment.box[:2])

    def set_comment(self, comment: Comment) -> None:
        """Show another state of the comment."""
        self.prepareGeometryChange()
        self.comment = comment
        self._box = body_of(comment)
        self.setPos(*comment.box[:2])
        self.update()

    def body(self) -> QRectF:
        return self._box.translated(self.pos())

    def boundingRect(self) -> QRectF:
        return self._box.adjusted(-2, -2, 2, 2)

    def edge_at(self, at: QPointF, reach: float) -> str:
        """Return the edges that are near a place of the canvas: letters of ``lrtb``, empty for none."""
        box = self.body()
        if not box.adjusted(-reach, -reach, reach, reach).contains(at):
            return ""
        near = {
            "l": abs(at.x() - box.left()),
            "r": abs(at.x() - box.right()),
            "t": abs(at.y() - box.top()),
            "b": abs(at.y() - box.bottom()),
        }
        return "".join(side for side, away in near.items() if away <= reach)

    def holds(self, at: QPointF, reach: float) -> bool:
        """Return whether the pointer at a place of the canvas means this comment."""
        return self.body().contains(at)


class FrameItem(CommentItem):
    """A frame around nodes."""

    def __init__(self, comment: Comment, theme: Theme):
        super().__init__(comment, theme)
        self._lie()

    def set_comment(self, comment: Comment) -> None:
        super().set_comment(comment)
        self._lie()

    def _lie(self) -> None:
        """Lie behind everything, and behind the smaller frames."""
        box = self.body()
        self.setZValue(-3 + 1 / (1 + box.width() * box.height() / 1e6))

    def draw(self, painter: QPainter, scale: float) -> None:
        paint_frame(painter, self.comment, self.theme, scale, self.selected)

    def title_box(self) -> QRectF:
        """Return where the title stands on the canvas."""
        box = self.body()
        return QRectF(box.left(), box.top(), box.width(), min(HEAD + 6, box.height()))

    def holds(self, at: QPointF, reach: float) -> bool:
        return self.title_box().contains(at) or bool(self.edge_at(at, reach))
