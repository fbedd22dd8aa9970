"""The items of comments and dots in a scene, kept in step with its document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPen

from engine.graph.diff import Diff
from engine.graph.document import Comment, Slot
from engine.graph.marks import dot_id, dot_of, dots
from gui.canvas.comment_paint import fill_of, ground_of, paint_title_far
from gui.canvas.dot_item import RADIUS, DotItem
from gui.canvas.frame_item import EDGE, CommentItem, FrameItem
from gui.canvas.mark import MarkItem
from gui.canvas.note_item import NoteItem
from gui.style import mix
from gui.theme import COMMENT

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene

ITEMS = {"frame": FrameItem, "note": NoteItem}
"""The item of each kind of comment."""


class Marks:
    """Holds the items by id; a scene without marks does nothing for them."""

    def __init__(self, scene: CanvasScene):
        self._scene = scene
        self.items: dict[str, MarkItem] = {}

    # -- following the document ------------------------------------------------------------------------

    def rebuild(self) -> None:
        """Show another document."""
        for item in self.items.values():
            self._scene.removeItem(item)
        self.items = {}
        document = self._scene.bench.store.document
        for comment in document.comments.values():
            self._show_comment(comment)
        for id, at in dots(document).items():
            self._add(DotItem(id, QPointF(*at), self._scene.bench.theme))

    def follow(self, change: Diff) -> None:
        """Take over one step of the document; the scene routes the wires whose dots changed."""
        document = self._scene.bench.store.document
        for id in change.comments:
            if id in document.comments:
                self._show_comment(document.comments[id])
            else:
                self._drop(id)
        for slot in change.bends:
            points = document.bends.get(slot, ())
            place = len(points)
            while dot_id(slot, place) in self.items:
                self._drop(dot_id(slot, place))
                place += 1
            for place, at in enumerate(points):
                item = self.items.get(dot_id(slot, place))
                if item is None:
                    self._add(DotItem(dot_id(slot, place), QPointF(*at), self._scene.bench.theme))
                else:
                    item.setPos(*at)

    def _show_comment(self, comment: Comment) -> None:
        item = self.items.get(comment.id)
        if isinstance(item, CommentItem):
            item.set_comment(comment)
        else:
            self._add(ITEMS[comment.kind](comment, self._scene.bench.theme))

    def _add(self, item: MarkItem) -> None:
        self.items[item.id] = item
        self._scene.addItem(item)

    def _drop(self, id: str) -> None:
        self._scene.removeItem(self.items.pop(id))

    def show_theme(self) -> None:
        """Repaint in other colors."""
        for item in self.items.values():
            item.theme = self._scene.bench.theme
            item.update()

    def show_selection(self, chosen: frozenset[str]) -> None:
        """Ring what is selected."""
        for id, item in self.items.items():
            item.set_selected(id in chosen)

    # -- places ----------------------------------------------------------------------------------------

    def points(self, slot: Slot) -> list[QPointF]:
        """Return where the dots of a wire are now, also while they are dragged."""
        found: list[QPointF] = []
        while self.items and (item := self.items.get(dot_id(slot, len(found)))) is not None:
            found.append(item.pos())
        return found

    def comments(self) -> list[CommentItem]:
        """Return the items of all comments."""
        return [item for item in self.items.values() if isinstance(item, CommentItem)]

    def wires(self, ids: Iterable[str]) -> set[Slot]:
        """Return the wires whose dots are among some ids."""
        return {dot[0] for id in ids if id in self.items and (dot := dot_of(id))}

    def carried(self, ids: Iterable[str]) -> set[str]:
        """Return what stands in the frames among some ids: nodes, comments and dots, also in frames there."""
        scene, found = self._scene, set(ids)
        frames = [item for id in found if isinstance(item := self.items.get(id), FrameItem)]
        for frame in frames:
            box = frame.body()
            for id, item in (*scene.nodes.items(), *self.items.items()):
                body = item.body()
                inside = box.contains(body) if isinstance(item, FrameItem) else box.contains(body.center())
                if inside and item is not frame:
                    found.add(id)
        return found

    def hit(self, at: QPointF, scale: float) -> MarkItem | None:
        """Return the mark that the pointer means at a place of the canvas: the topmost and smallest first."""
        if not self.items:
            return None
        reach = max(EDGE, EDGE / scale) if scale < 1 else EDGE
        area = QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach)
        found = [item for item in self._scene.items(area) if isinstance(item, MarkItem)]
        for item in found:
            if isinstance(item, DotItem) and (item.pos() - at).manhattanLength() <= RADIUS + reach:
                return item
        comments = [item for item in found if isinstance(item, CommentItem) and item.holds(at, reach)]
        return min(comments, key=lambda item: (isinstance(item, FrameItem), _area(item)), default=None)

    def within(self, box: QRectF) -> set[str]:
        """Return what a box selects: dots and notes that it touches, frames that it holds."""
        return {
            id
            for id, item in self.items.items()
            if (box.contains(item.body()) if isinstance(item, FrameItem) else box.intersects(item.body()))
        }

    def ground(self, label: QRectF) -> str:
        """Return the color that the label of a wire stands on."""
        return ground_of(label, (item.comment for item in self.comments()), self._scene.bench.theme)

    # -- from afar -------------------------------------------------------------------------------------

    def paint_far(self, painter: QPainter) -> None:
        """Paint plain boxes of the comments, the larger ones first."""
        theme = self._scene.bench.theme
        comments = sorted(self.comments(), key=CommentItem.zValue)
        for item in comments:
            color = "accent" if item.selected else mix(theme.canvas, COMMENT[item.comment.color], 0.5)
            pen = QPen(theme.color(color), 2 if item.selected else 1)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.setBrush(theme.color(fill_of(item.comment, theme)))
            painter.drawRect(item.body())
        painter.save()
        scale = painter.transform()
        painter.resetTransform()
        taken: list[QRectF] = []
        for item in comments:
            box = scale.mapRect(item.body())
            title = QRectF(box.left(), box.top() - 17, box.width(), 16)
            if not any(title.intersects(each) for each in taken):
                paint_title_far(painter, item.comment, title, theme)
                taken.append(title)
        painter.restore()


def _area(item: CommentItem) -> float:
    return item.body().width() * item.body().height()
