"""Dragging the edges of a frame or a note."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

from engine.graph.document import Box
from engine.graph.marks import SMALLEST, change_comment
from gui.canvas.frame_item import CommentItem
from gui.canvas.gestures import Gesture

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

_GRID = 4
CURSORS = {
    "l": Qt.CursorShape.SizeHorCursor,
    "r": Qt.CursorShape.SizeHorCursor,
    "t": Qt.CursorShape.SizeVerCursor,
    "b": Qt.CursorShape.SizeVerCursor,
    "lt": Qt.CursorShape.SizeFDiagCursor,
    "rb": Qt.CursorShape.SizeFDiagCursor,
    "rt": Qt.CursorShape.SizeBDiagCursor,
    "lb": Qt.CursorShape.SizeBDiagCursor,
}
"""The cursor over each edge and corner."""


class Resize(Gesture):
    """Move one or two edges of a comment; the item follows, the document changes once, on release."""

    scrolls = True

    def __init__(self, view: CanvasView, at: QPointF, item: CommentItem, edges: str):
        super().__init__(view, at)
        self._origin = view.map_to_canvas(at)
        self._id = item.id
        self._comment = item.comment
        self._edges = edges
        self._moving = False

    def move(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        if not self._moving and not self.far_enough(at):
            return
        self._moving = True
        by = self.view.map_to_canvas(at) - self._origin
        self._show(self._resized(by))

    def _resized(self, by: QPointF) -> Box:
        left, top, width, height = self._comment.box
        right, bottom = left + width, top + height
        dx, dy = (round(each / _GRID) * _GRID for each in by.toTuple())
        if "l" in self._edges:
            left = min(left + dx, right - SMALLEST[0])
        if "r" in self._edges:
            right = max(right + dx, left + SMALLEST[0])
        if "t" in self._edges:
            top = min(top + dy, bottom - SMALLEST[1])
        if "b" in self._edges:
            bottom = max(bottom + dy, top + SMALLEST[1])
        return (left, top, right - left, bottom - top)

    def _show(self, box: Box) -> None:
        item = self.view.graph.item(self._id)
        if isinstance(item, CommentItem):
            item.set_comment(replace(item.comment, box=box))

    def release(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        item = self.view.graph.item(self._id)
        if not self._moving or not isinstance(item, CommentItem):
            return
        box = item.comment.box
        text = f"Resize the {item.comment.kind}"
        if not self.view.edit(text, lambda d: change_comment(d, self._id, box=box)):
            self.cancel()

    def cancel(self) -> None:
        self._show(self._comment.box)
