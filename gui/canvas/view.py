"""The canvas: the document as a graph that one can see, touch and hear."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
)
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from gui.bench import Bench
from gui.canvas import carry, fonts, hits
from gui.canvas.autoscroll import AutoScroll
from gui.canvas.chip_gesture import PressChip
from gui.canvas.chips import EXPAND, REPEAT
from gui.canvas.comment_editor import CommentEditor
from gui.canvas.dot_item import DotItem
from gui.canvas.frame_item import CommentItem
from gui.canvas.gestures import BoxSelect, Gesture, MoveNodes, Pan, Place, PressFix
from gui.canvas.hits import Hit
from gui.canvas.keys import CanvasKeys
from gui.canvas.knife import Knife
from gui.canvas.layer_drop import LayerDrop
from gui.canvas.link import Link
from gui.canvas.menus import mark_menu, node_menu, wire_menu
from gui.canvas.node_paint import STRIP_FROM, TEXT_FROM
from gui.canvas.note_item import NoteItem
from gui.canvas.resize import CURSORS, Resize
from gui.canvas.tips import paint_port_name, port_name, tip_of
from gui.canvas.walk import next_node
from gui.canvas.wire_item import WireItem, label_color

_ALT, _SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
_CONTROL = Qt.KeyboardModifier.ControlModifier


class CanvasView(CommentEditor):
    """Shows the document of a bench and edits it; every edit is one step of undo.

    ``node_activated`` carries the id of a node that was double-clicked or entered.
    """

    node_activated = Signal(str)

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        self._gesture: Gesture | None = None
        self._space = False
        self._since_space = QElapsedTimer()
        """Runs from the press of Space until the hand is used."""
        self._hovered = Hit()
        self._lit: WireItem | None = None
        self.snaps = True
        """Whether dragged nodes fall in line with their neighbors; Alt suppresses it."""
        self.carried: tuple | None = None
        """The nodes that are being dragged to elsewhere, with the document and the block they are from."""
        self.leads_away: Callable[[QPoint], bool] = lambda at: False
        """Whether nodes that are dragged to a place of the screen leave this document."""
        self._walked = ""
        """The node that the keyboard walked to last: the selection may grow on the way."""
        super().__init__(bench, parent)
        self._keys = CanvasKeys(self)
        self.layer_drop = LayerDrop(self)
        self._scroll = AutoScroll(self)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def forget_pointer(self) -> None:
        super().forget_pointer()
        gesture = self._let_go()
        if gesture is not None:
            gesture.cancel()
        self.choose_wire(None)
        self.light_wire(None)
        self._hover(Hit())

    def _let_go(self) -> Gesture | None:
        """End the gesture and return it, or None."""
        gesture, self._gesture = self._gesture, None
        self._scroll.stop()
        return gesture

    # -- the pointer -------------------------------------------------------------------------------------

    def hit(self, at: QPointF) -> Hit:
        """Return what is at a point of the viewport."""
        return hits.hit(self.graph, self.map_to_canvas(at), self.zoom)

    def link_at(self, at: QPointF) -> str:
        """Return the address of the link of a note at a point of the viewport, or an empty text."""
        mark = self.hit(at).mark if self.graph.marks.items else None
        return mark.link_at(self.map_to_canvas(at)) if isinstance(mark, NoteItem) else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()
        if self._gesture is not None:
            if self._gesture.hangs:
                self._let_go().release(event.position(), event.modifiers())
            return
        at, button = event.position(), event.button()
        if button == Qt.MouseButton.MiddleButton or (button == Qt.MouseButton.LeftButton and self._space):
            self._gesture = Pan(self, at)
            self._since_space.invalidate()
        elif button == Qt.MouseButton.LeftButton:
            self._press(at, event.modifiers())
        elif button == Qt.MouseButton.RightButton and event.modifiers() & _CONTROL:
            self._gesture = Knife(self, at)
        event.accept()

    def hang(self, id: str, at: QPointF, merge: str) -> None:
        self._gesture = Place(self, self.viewportTransform().map(at), id, merge)

    def _press(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        hit, store = self.hit(at), self.bench.store
        self.choose_wire(hit.wire)
        if hit.spot is not None:
            self._gesture = Link(self, at, hit.slot, hit.spot.is_input)
        elif hit.fix:
            self._gesture = PressFix(self, at, hit.node)
        elif hit.chip and not modifiers:
            self._gesture = PressChip(self, at, hit)
        elif id := hit.id:
            click_selects = False
            if modifiers & _CONTROL:
                store.select(store.chosen ^ {id})
            elif modifiers & _SHIFT:
                store.select(store.chosen | {id})
            elif id in store.chosen:
                click_selects = True
            else:
                store.select({id})
            if hit.edges and not modifiers:
                self._gesture = Resize(self, at, hit.mark, hit.edges)
            elif id in store.chosen:
                self._gesture = MoveNodes(self, at, id, click_selects)
        elif hit.wire is None:
            self._gesture = BoxSelect(self, at, modifiers)
        else:
            store.select(())
            self.choose_wire(hit.wire)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._gesture is not None:
            self._gesture.move(event.position(), event.modifiers())
            self._scroll.follow(self._gesture, event.position(), event.modifiers())
            if not self.viewport().rect().contains(event.position().toPoint()):
                self._lead_away(event.globalPosition().toPoint())
        else:
            self._hover(self.hit(event.position()) if not self.far() else Hit())
        event.accept()

    def _lead_away(self, at: QPoint) -> None:
        """Let nodes that are dragged out of this document go on as a copy; they stay where they were."""
        carries = isinstance(self._gesture, MoveNodes) and not self._gesture.hangs
        if carries and self.bench.store.selection and self.leads_away(at):
            self._let_go().cancel()
            carry.carry(self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        gesture = self._gesture
        if gesture is not None and not gesture.hangs:
            self._let_go().release(event.position(), event.modifiers())
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        hit = self.hit(event.position())
        if event.button() != Qt.MouseButton.LeftButton:
            self.mousePressEvent(event)
        elif hit.chip == REPEAT:
            self.edit_repeat(hit.path[0])
        elif hit.node is not None and hit.spot is None and not hit.fix and not hit.chip:
            depth = len(self.bench.store.scope)
            self.node_activated.emit(hit.path[0])
            if len(self.bench.store.scope) > depth:
                self.enter_path(hit.path[1:])
        elif hit.wire is not None:
            self.add_dot(hit.wire, event.position())
        elif hit.empty:
            self.open_quick_add(event.position())
        elif isinstance(hit.mark, CommentItem):
            self.edit_comment(hit.mark, self.map_to_canvas(event.position()))
        else:
            self.mousePressEvent(event)
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.accept()
        by_knife = event.modifiers() & _CONTROL and event.reason() == QContextMenuEvent.Reason.Mouse
        if by_knife or self._gesture is not None:
            return
        at = QPointF(event.pos())
        hit = self.hit(at)
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        if by_key and (chosen := next(iter(self.bench.store.selection), "")):
            at = self.viewportTransform().map(self.graph.nodes[chosen].body().center())
            node_menu(self, chosen).popup(self.viewport().mapToGlobal(at.toPoint()))
        elif hit.node is not None:
            if hit.node.face.id not in self.bench.store.selection:
                self.bench.store.select({hit.node.face.id})
            node_menu(self, hit.node.face.id).popup(event.globalPos())
        elif hit.wire is not None:
            self.choose_wire(hit.wire)
            wire_menu(self, hit.wire, at).popup(event.globalPos())
        elif hit.mark is not None:
            if hit.mark.id not in self.bench.store.marks:
                self.bench.store.select({hit.mark.id})
            mark_menu(self, hit.mark).popup(event.globalPos())
        else:
            self.open_quick_add(at)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(Hit())
        super().leaveEvent(event)

    def _hover(self, hit: Hit) -> None:
        before = self._hovered
        if hit == before:
            return
        if before.node is not None and before.node.scene() is not None:
            before.node.set_mood(hovered=False, lit=None, chip="")
        if hit.node is not None:
            lit = (hit.spot.name, hit.spot.is_input) if hit.spot is not None else None
            hit.node.set_mood(hovered=True, lit=lit, chip=hit.chip * (len(hit.path) == 1))
        for old_or_new in (before, hit):
            if old_or_new.spot is not None and old_or_new.node.scene() is not None:
                self.update_canvas(port_name(self.bench, old_or_new)[0])
        self._hovered = hit
        self.light_wire(hit.wire)
        self.show_cursor()

    def show_cursor(self) -> None:
        """Choose the cursor for what is under the pointer."""
        hit, shape = self._hovered, Qt.CursorShape.ArrowCursor
        if self._space:
            shape = Qt.CursorShape.OpenHandCursor
        elif hit.spot is not None:
            shape = Qt.CursorShape.CrossCursor
        elif hit.fix or hit.chip == EXPAND:
            shape = Qt.CursorShape.PointingHandCursor
        elif hit.chip:
            shape = Qt.CursorShape.SizeHorCursor
        elif hit.edges:
            shape = CURSORS[hit.edges]
        elif isinstance(hit.mark, DotItem):
            shape = Qt.CursorShape.SizeAllCursor
        self.viewport().setCursor(shape)

    def light_wire(self, wire: WireItem | None) -> None:
        """Light up the wire under the pointer, or the one that something would be dropped into; no other."""
        for each in {self._lit, wire} - {None}:
            if each.scene() is not None:
                each.lit = each is wire or each.edge.target == self._chosen_wire
                each.set_theme(self.bench.theme)
        self._lit = wire
        self.graph.labels.look()

    # -- the keyboard ------------------------------------------------------------------------------------

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Keep Tab for what it does here; Shift+Tab leaves the canvas."""
        return not (forward and self._keys.takes("Tab")) and super().focusNextPrevChild(forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._keys.press(event):
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not self._keys.release(event):
            event.ignore()

    @property
    def wire_is_chosen(self) -> bool:
        """Whether a wire was clicked, so that Delete means it."""
        return self._chosen_wire is not None

    def hold_hand(self, held: bool) -> None:
        """Let the left button pan, or no longer."""
        self._space = held
        if held:
            self._since_space.start()
        self.show_cursor()

    def tap_hand(self) -> None:
        """Open the add palette, if the hand was neither used nor held for long."""
        long = QApplication.styleHints().mousePressAndHoldInterval()
        if self._since_space.isValid() and not self._since_space.hasExpired(long):
            self.open_quick_add()

    def activate(self) -> None:
        """Do with the selected node what a double-click does."""
        self.node_activated.emit(next(iter(self.bench.store.selection)))

    def go_back(self) -> None:
        """Cancel the gesture, else end the search, else deselect, else leave the block."""
        store = self.bench.store
        if (gesture := self._let_go()) is not None:
            gesture.cancel()
        elif self.arranger.cancel():
            self.bench.message.emit("The layout was cancelled.")
        elif self.find_bar.isVisible():
            self.find_bar.leave()
        elif store.chosen or self._chosen_wire is not None or not store.scope:
            store.select(())
            self.choose_wire(None)
        else:
            store.leave()

    def walk(self, dx: int, dy: int, adding: bool = False) -> None:
        """Select the neighbor at a side, or add it to the selection."""
        chosen = self.bench.store.selection
        id = next_node(self.graph, chosen & {self._walked} or chosen, dx, dy)
        if id:
            self._walked = id
            self.show_node(id)
            if adding:
                self.bench.store.select(chosen | {id})

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._keys.forget()
        super().focusOutEvent(event)

    # -- dropping layers ---------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragMoveEvent) -> None:
        self.layer_drop.consider(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self.layer_drop.consider(event)

    def dragLeaveEvent(self, event: QEvent) -> None:
        self.layer_drop.leave()

    def dropEvent(self, event: QDropEvent) -> None:
        self.layer_drop.drop(event)

    # -- painting over the canvas ------------------------------------------------------------------------

    def update_canvas(self, box: QRectF) -> None:
        """Repaint a part of the canvas and what is painted over it."""
        self.viewport().update(self.viewportTransform().mapRect(box).toAlignedRect().adjusted(-8, -8, 8, 8))

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        self.paint_safely("foreground", lambda: self._paint_over(painter, rect))

    def _paint_over(self, painter: QPainter, rect: QRectF) -> None:
        if self.zoom >= TEXT_FROM:
            self._paint_labels(painter, rect)
        if self._hovered.spot is not None and self._gesture is None and self.zoom >= STRIP_FROM:
            paint_port_name(painter, self.bench, self._hovered)
        if self.find_bar.marks:
            self.find_bar.paint_marks(painter, rect)
        if self._gesture is not None:
            self._gesture.paint(painter)

    def _paint_far(self, painter: QPainter, exposed: object) -> None:
        super()._paint_far(painter, exposed)
        if self.find_bar.marks:
            self.find_bar.paint_far_marks(painter)

    def _paint_labels(self, painter: QPainter, rect: QRectF) -> None:
        theme = self.bench.theme
        ground, frames = theme.color("canvas"), self.graph.marks
        plain, wrong = theme.color(label_color(theme)), theme.color("error")
        painter.setFont(fonts.mono())
        for wire in self.graph.labels_in(rect):
            if frames.items:
                ground = theme.color(frames.ground(wire.label_box))
            painter.fillRect(wire.label_box, ground)
            painter.setPen(wrong if wire.failing else plain)
            painter.drawText(wire.label_box, Qt.AlignmentFlag.AlignCenter, wire.label)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            tip = tip_of(self.bench, self.hit(QPointF(event.pos())))
            QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().viewportEvent(event)
