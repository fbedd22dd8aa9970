"""What a pressed button means while it is held: panning, a box, moving nodes, drawing a wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QApplication

from engine.graph import edits
from engine.graph.document import Document, Slot
from engine.graph.view import graph_of
from gui.canvas import fitting
from gui.canvas.hits import replaceable, wire_at
from gui.canvas.node_item import NodeItem
from gui.canvas.node_paint import STRIP_FROM
from gui.canvas.snapping import REACH, Snap, Snapper
from gui.canvas.wire_item import WireItem

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

SNAP = 7.0
"""How near a dragged node's port must come to the height of its neighbor's, in units."""
_GRID = 4


class Gesture:
    """One press; every place is in pixels of the viewport."""

    scrolls = False
    """Whether the canvas moves on at the edge of the view."""
    hangs = False
    """Whether it goes on without a button, until one is pressed."""

    def __init__(self, view: CanvasView, at: QPointF):
        self.view = view
        self.start = at

    def move(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """The pointer moved with the button held."""

    def release(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """The button was released: make the edit."""

    def cancel(self) -> None:
        """Escape: leave everything as it was."""

    def paint(self, painter: QPainter) -> None:
        """Paint over the canvas, in its units."""

    def far_enough(self, at: QPointF) -> bool:
        """Whether this is a drag and not a shaky click."""
        return (at - self.start).manhattanLength() >= QApplication.startDragDistance() / 2


class Pan(Gesture):
    """Move the canvas under the pointer."""

    def __init__(self, view: CanvasView, at: QPointF):
        super().__init__(view, at)
        self._last = at
        view.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def move(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        self.view.pan(at - self._last)
        self._last = at

    def release(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        self.view.show_cursor()

    def cancel(self) -> None:
        self.view.show_cursor()


class PressFix(Gesture):
    """Hold the button under a failing node; released on it, the mend is made."""

    def __init__(self, view: CanvasView, at: QPointF, node: NodeItem):
        super().__init__(view, at)
        self._id = node.face.id
        self._fix = node.face.note.fix
        node.set_mood(pressed=True)

    def release(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        self.cancel()
        hit = self.view.hit(at)
        if hit.fix and hit.node.face.id == self._id:
            self.view.edit(self._fix.title, self._fix.edit)

    def cancel(self) -> None:
        if self._id in self.view.graph.nodes:
            self.view.graph.nodes[self._id].set_mood(pressed=False)


class BoxSelect(Gesture):
    """Select what a box touches; Shift adds, Ctrl toggles."""

    scrolls = True

    def __init__(self, view: CanvasView, at: QPointF, modifiers: Qt.KeyboardModifier):
        super().__init__(view, at)
        self._origin = view.map_to_canvas(at)
        self._box = QRectF()
        kept = modifiers & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier)
        self._toggles = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        self._before = view.bench.store.chosen if kept else frozenset()
        view.bench.store.select(self._before)

    def move(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        before = self._box
        self._box = QRectF(self._origin, self.view.map_to_canvas(at)).normalized()
        self.view.update_canvas(before.united(self._box))
        inside = frozenset(
            item.face.id
            for item in self.view.graph.items(self._box)
            if isinstance(item, NodeItem) and self._box.intersects(item.body())
        ) | self.view.graph.marks.within(self._box)
        self.view.bench.store.select(self._before ^ inside if self._toggles else self._before | inside)

    def release(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        self.view.update_canvas(self._box)

    def cancel(self) -> None:
        self.view.bench.store.select(self._before)
        self.view.update_canvas(self._box)

    def paint(self, painter: QPainter) -> None:
        theme = self.view.bench.theme
        painter.setPen(QPen(theme.color("accent", 160), 0))
        painter.setBrush(theme.color("accent", 28))
        painter.drawRect(self._box)


class MoveNodes(Gesture):
    """Move what is selected: nodes, dots, notes, frames with all that stands in them.

    The items follow the pointer, the document changes once, on release.
    """

    scrolls = True

    def __init__(self, view: CanvasView, at: QPointF, pressed: str, click_selects: bool):
        super().__init__(view, at)
        self._origin = view.map_to_canvas(at)
        self._pressed = pressed
        self._click_selects = click_selects
        self._ids = sorted(view.graph.marks.carried(view.bench.store.chosen | {pressed}))
        self._from = {id: view.graph.item(id).pos().toTuple() for id in self._ids}
        alone = len(self._ids) == 1 and pressed in view.graph.nodes
        self._neighbors = self._joined() if alone else []
        self._free = alone and not self._neighbors
        self._moving = False
        self._link = view.link_at(at)
        self._wire: WireItem | None = None
        self._target = ""
        self._snapper: Snapper | None = None
        self._guides: tuple[QLineF, ...] = ()

    def _joined(self) -> list[tuple[Slot, Slot, bool]]:
        """The pairs of own and other port, and whether the own one is an input."""
        document = self.view.bench.store.document
        own = self._ids[0]
        into = [(Slot(own, port), source, True) for port, source in document.incoming(own).items()]
        return into + [(edge.source, edge.target, False) for edge in document.outgoing(own)]

    def move(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        if not self._moving and not self.far_enough(at):
            return
        self._moving = True
        graph = self.view.graph
        by = self.view.map_to_canvas(at) - self._origin
        before, self._guides = self._guides, ()
        by = self._snapped(by) if not modifiers & Qt.KeyboardModifier.AltModifier else by
        for id, (x, y) in self._from.items():
            graph.item(id).setPos(round(x + by.x(), 2), round(y + by.y(), 2))  # as documents keep places
        graph.follow_drag(self._ids)
        self._aim(modifiers)
        self._repaint((*before, *self._guides) if before != self._guides else ())

    def _repaint(self, guides: Iterable[QLineF]) -> None:
        for guide in guides:
            self.view.update_canvas(QRectF(guide.p1(), guide.p2()).normalized())

    def paint(self, painter: QPainter) -> None:
        if self._guides:
            pen = QPen(self.view.bench.theme.color("accent"), 1)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLines(list(self._guides))

    def _snapped(self, by: QPointF) -> QPointF:
        """Fall in line: a single node with a port that it is joined to, all with neighbors, else the grid."""
        x, y = self._from[self._pressed]
        place = QPointF(x + round(by.x() / _GRID) * _GRID, y + round(by.y() / _GRID) * _GRID)
        graph = self.view.graph
        held = self._held(by)
        if held.dx is not None:
            place.setX(x + by.x() + held.dx)
        if held.dy is not None:
            place.setY(y + by.y() + held.dy)
        for own, other, is_input in self._neighbors:
            spot = graph.nodes[own.node].face.spot(own.port, is_input)
            there = graph.slot_at(other, not is_input)
            if spot is not None and there is not None:
                straight = there.y() - spot.at.y()
                if abs(straight - (y + by.y())) < SNAP:
                    if place.y() != straight:  # a straight wire goes before the lines of neighbors
                        held = replace(held, guides=tuple(g for g in held.guides if g.dx() == 0))
                    place.setY(straight)
                    break
        self._guides = held.guides
        return place - QPointF(x, y)

    def _held(self, by: QPointF) -> Snap:
        """Return what holds the dragged nodes; the others in view are looked at once."""
        view = self.view
        if not view.snaps or view.zoom < STRIP_FROM or view.far():
            return Snap()
        if self._snapper is None:
            moving = set(self._ids)
            shown = view.graph.items(view.visible_rect())
            items = [item for item in shown if isinstance(item, NodeItem) and item.face.id not in moving]
            self._snapper = Snapper(item.body() for item in items)
            box = QRectF()
            for id, (x, y) in self._from.items():
                if id in view.graph.nodes:
                    box = box.united(view.graph.nodes[id].face.body.translated(x, y))
            self._box = box
        if self._box.isEmpty():
            return Snap()
        return self._snapper.snap(self._box.translated(by), REACH / view.zoom)

    def _aim(self, modifiers: Qt.KeyboardModifier) -> None:
        """Light the wire that the node would be inserted into, or ring the node that it would replace."""
        wire, target = None, ""
        item = self.view.graph.item(self._pressed)
        if self._free and not modifiers & Qt.KeyboardModifier.AltModifier:
            target = replaceable(self.view.graph, item.body().center(), item, middle=True)
            if not target and item.face.inputs and item.face.outputs:
                core = QRectF(0, 0, item.face.width * 0.5, 30)
                core.moveCenter(item.pos() + QPointF(item.face.width / 2, 25))
                wire = wire_at(self.view.graph, core)
        self.view.light_wire(wire)
        self.view.layer_drop.aim(target)
        self._wire, self._target = wire, target

    def release(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        view = self.view
        if self._moving:
            self._aim(modifiers)  # Alt may have been pressed since the last move
        view.light_wire(None)
        view.layer_drop.aim("")
        self._repaint(self._guides)
        if not self._moving:
            if self._click_selects:
                view.bench.store.select({self._pressed})
            if self._link and view.link_at(at) == self._link:
                view.open_link(self._link)
            return
        places = {id: view.graph.item(id).pos().toTuple() for id in self._ids}
        name = view.commands.named([self._pressed])
        if self._target:
            done = view.commands.take_place(self._pressed, self._target)
        elif self._wire is not None:
            edge, id, place = self._wire.edge, self._pressed, places[self._pressed]
            done = self._edit(f"Insert {name}", lambda d: fitting.insert_node(d, id, edge, place))
        else:
            several = view.commands.named(self._ids)
            text = f"Move {name if self._pressed in view.bench.store.marks else several}"
            done = self._edit(text, lambda d: edits.move(d, places))
        if not done:
            self._put_back()
        view.graph.labels.rest()

    def _edit(self, text: str, change: Callable[[Document], Document]) -> bool:
        return self.view.edit(text, change)

    def cancel(self) -> None:
        self.view.light_wire(None)
        self.view.layer_drop.aim("")
        self._repaint(self._guides)
        self._put_back()

    def _put_back(self) -> None:
        left = [id for id in self._ids if self.view.graph.item(id) is not None]
        for id in left:
            self.view.graph.item(id).setPos(*self._from[id])
        self.view.graph.follow_drag(left)
        self.view.graph.labels.rest()


class Place(MoveNodes):
    """Let a new node hang on the pointer until a button is pressed; one step of undo with its adding."""

    scrolls = False
    hangs = True

    def __init__(self, view: CanvasView, at: QPointF, id: str, merge: str):
        super().__init__(view, at, id, click_selects=False)
        self._merge = merge

    def _edit(self, text: str, change: Callable[[Document], Document]) -> bool:
        return self.view.commands.edit(text, change, self._merge)


def blocked_by_cycle(view: CanvasView, node: str, forward: bool) -> set[str]:
    """Return the nodes that a wire from a node (to it, if not ``forward``) would close a cycle with."""
    import networkx as nx

    graph = graph_of(view.bench.store.document)
    return {node} | (nx.ancestors(graph, node) if forward else nx.descendants(graph, node))
