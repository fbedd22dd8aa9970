"""The canvas' commands for frames, notes and the dots of wires."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from engine.graph.layout import SIZE
from engine.layers.declaration import Layer
from gui.bench import Bench
from gui.canvas import fonts
from gui.canvas.block_editor import BlockEditor
from gui.canvas.comment_paint import HEAD, PAD, text_box
from gui.canvas.frame_item import CommentItem, FrameItem
from gui.canvas.mark import MarkItem
from gui.canvas.node_item import NodeItem
from gui.canvas.node_paint import TEXT_FROM
from gui.canvas.note_field import NoteField
from gui.canvas.routing import place_of
from gui.canvas.wire_item import WireItem

_LINKS = ("http", "https", "mailto")
"""What may be opened by a click in a note; a file or a program may not."""


NOTE = Layer(
    "a note",  # no type of a node holds a space
    category="Canvas",
    doc="A card of text, in Markdown.",
    inputs=(),
    outputs=(),
    title="Note",
    synonyms=("comment", "text", "markdown", "remark"),
)
"""The note as the palette lists it."""


class CommentEditor(BlockEditor):
    """A canvas that one can write on."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(bench, parent)
        self.note_field = NoteField(self)
        self.note_field.edited.connect(self.commands.write)
        self.quick_add.others = (NOTE,)
        bench.store.marks_changed.connect(self._show_marks)

    def forget_pointer(self) -> None:
        if hasattr(self, "note_field"):  # the base class follows the document while it is being made
            self.note_field.keep()
        super().forget_pointer()

    def moved(self) -> None:
        super().moved()
        if hasattr(self, "note_field"):
            self.note_field.keep()  # it would not move along

    def _show_marks(self) -> None:
        self.graph.marks.show_selection(self.bench.store.marks)
        if self.bench.store.marks:
            self.choose_wire(None)
        if self.far():
            self.viewport().update()

    # -- adding ------------------------------------------------------------------------------------------

    def _add_chosen(self, type_: str) -> None:
        if type_ == NOTE.type:
            self.add_note(self.viewportTransform().map(self._adding_at))
        else:
            super()._add_chosen(type_)

    def add_frame(self) -> None:
        """Put a frame around what is selected, or an empty one at the pointer, and ask for its title."""
        chosen = sorted(self.bench.store.chosen)
        boxes = [self._room_of(item) for id in chosen if (item := self.graph.item(id)) is not None]
        at = self._pointer() or QRectF(self.viewport().rect()).center()
        id = self.commands.add_frame(boxes, self.map_to_canvas(at))
        if id:
            self.rename(id)

    def _room_of(self, item: NodeItem | MarkItem) -> QRectF:
        """Return what an item covers; a node also with what it will show while it learns."""
        body = item.body()
        if isinstance(item, NodeItem):
            body.setHeight(max(body.height(), SIZE[1]))
        return body

    def add_note(self, at: QPointF | None = None) -> None:
        """Put a note at a point of the viewport, at the pointer or in the middle, and begin to write."""
        at = at or self._pointer() or QRectF(self.viewport().rect()).center()
        id = self.commands.add_note(self.map_to_canvas(at))
        if id:
            self.write(id)

    def add_dot(self, wire: WireItem, at: QPointF) -> None:
        """Put a dot into a wire at a point of the viewport."""
        ends = self.graph.ends_of(wire.edge)
        if ends is not None:
            slot, place = wire.edge.target, self.map_to_canvas(at)
            points = [ends[0], *self.graph.marks.points(slot), ends[1]]
            self.commands.add_dot(slot, place_of(points, place), place)

    # -- changing ----------------------------------------------------------------------------------------

    def edit_comment(self, item: CommentItem, at: QPointF) -> None:
        """Edit what was double-clicked: a frame's title or the text below it, or a note."""
        frame = isinstance(item, FrameItem)
        on_text = frame and item.comment.text and text_box(item.comment).contains(at - item.pos())
        if frame and not on_text:
            self.rename(item.id)
        else:
            self.write(item.id)

    def write(self, id: str) -> None:
        """Edit the text of a comment in place."""
        item = self.graph.item(id)
        if not isinstance(item, CommentItem):
            return
        self._come_near(item)
        box = item.body()
        if isinstance(item, FrameItem):
            box = QRectF(box.left() + PAD - 8, box.top() + HEAD, box.width() - 2 * PAD + 16, 72)
        else:
            box.setHeight(max(box.height(), 132))
        size = self.viewportTransform().mapRect(box)
        size.setWidth(max(size.width(), 200))
        self.note_field.open(id, item.comment.text, size, self.bench.theme)

    def rename(self, id: str) -> None:
        item = self.graph.item(id)
        if not isinstance(item, FrameItem):
            super().rename(id)
            return
        self._come_near(item)
        box = self.viewportTransform().mapRect(item.title_box().adjusted(PAD - 6, 5, -PAD, -5))
        box.setHeight(28)
        box.setWidth(min(max(box.width(), 120.0), 320.0))
        self.title_field.open(id, item.comment.title, box, self.bench.theme)
        self.title_field.setFont(fonts.text(14, 600))

    def rename_selected(self) -> None:
        chosen = self.bench.store.chosen
        item = self.graph.item(next(iter(chosen))) if len(chosen) == 1 else None
        if isinstance(item, FrameItem):
            self.rename(item.id)
        elif isinstance(item, CommentItem):
            self.write(item.id)
        else:
            super().rename_selected()

    def _come_near(self, item: MarkItem) -> None:
        """Zoom in where words cannot be read, because one is about to write some."""
        if self.zoom < TEXT_FROM:
            self.zoom_to(1.0, self.viewportTransform().map(item.body().topLeft()))

    def select_in_frame(self, id: str) -> None:
        """Select what stands in a frame."""
        self.bench.store.select(self.graph.marks.carried([id]) - {id})

    def open_link(self, address: str) -> None:
        """Open the address of a link in the browser; what is no address of the web is only told."""
        url = QUrl(address)
        if url.scheme() in _LINKS:
            QDesktopServices.openUrl(url)
        else:
            self.bench.message.emit(f"{address[:80]} is no address of the web.")
