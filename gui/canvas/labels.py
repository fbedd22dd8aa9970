"""The labels of a scene's wires: placed when wires change, looked up when the canvas is painted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF

from engine.graph.document import Slot
from gui.canvas.frame_item import CommentItem
from gui.canvas.node_item import NodeItem
from gui.canvas.placing import NO_BOXES, arrange, array_of, overlaps, reveal, within, words_of
from gui.canvas.routing import Box, box_of
from gui.canvas.wire_item import WireItem

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene

REACH = 160.0
"""How far from a wire its label may reach."""


class Labels:
    """Holds the place of each label; those without room are shown while one looks at their wire or node."""

    def __init__(self, scene: CanvasScene):
        self._scene = scene
        self._wires: list[WireItem] = []
        self._boxes = NO_BOXES
        self._taken = NO_BOXES
        self._placed = self._shown = self._crowded = np.zeros(0, bool)
        self._forget()

    def _forget(self) -> None:
        self._looked: list[int] = []
        self._drag: _Drag | None = None

    def place(self, bodies: list[Box] | None = None) -> None:
        """Place every label anew among the nodes, comments and dots as they stand now.

        ``bodies`` are the boxes of all nodes where they are known.
        """
        before, boxes, shown = self._wires, self._boxes, self._shown
        self._wires = [w for w in self._scene.wires.values() if w.label and w.route and w.isVisible()]
        self._forget()
        if not before and not self._wires:
            return
        self._taken = self._around(bodies)
        found = arrange([wire.tag() for wire in self._wires], self._taken)
        self._boxes, self._crowded = found.boxes, found.crowded
        self._placed, self._shown = found.shown, found.shown.copy()
        if before == self._wires:
            rows = np.flatnonzero((found.shown != shown) | (found.shown & (found.boxes != boxes).any(1)))
        else:
            for wire in set(before) - set(self._wires):
                self._put(wire, QRectF())
            for row, wire in enumerate(self._wires):
                wire.row = row
            rows = np.arange(len(self._wires))
        for row, visible, box in zip(
            rows.tolist(), found.shown[rows].tolist(), found.boxes[rows].tolist(), strict=True
        ):
            self._put(self._wires[row], _rect(box) if visible else QRectF())
        self.look()

    def _put(self, wire: WireItem, box: QRectF) -> None:
        """Show a label at another place, or hide it with an empty one."""
        if wire.label_box != box:
            for each in (wire.label_box, box):
                if not each.isEmpty():  # an empty one would mean everything
                    self._scene.update(each)
            wire.label_box = box

    def within(self, area: QRectF) -> list[WireItem]:
        """Return the wires whose labels are shown and touch an area."""
        left, top, right, bottom = area.getCoords()
        boxes = self._boxes
        inside = (boxes[:, 0] < right) & (boxes[:, 2] > left) & (boxes[:, 1] < bottom) & (boxes[:, 3] > top)
        return [self._wires[row] for row in np.flatnonzero(inside & self._shown).tolist()]

    def look(self) -> None:
        """Show the labels without room of what one looks at; others that they would cover give way."""
        if self._drag is not None:
            return
        looked = self._at_sight()
        if looked == self._looked:
            return
        self._looked = looked
        shown = self._placed.copy()
        if looked:
            boxes = array_of(reveal([self._wires[row].tag() for row in looked], self._taken))
            self._boxes[looked] = boxes
            shown[overlaps(boxes, self._boxes)[1]] = False
            kept: list[int] = []
            for number, row in enumerate(looked):  # of two that cover each other the first is shown
                if not len(overlaps(boxes[number : number + 1], boxes[kept])[0]):
                    kept.append(number)
                    shown[row] = True
        self._show(shown, looked)

    def _at_sight(self) -> list[int]:
        """Return the rows of labels that are hidden, and whose wire or node one points at or has selected."""
        found: list[int] = []
        for row in np.flatnonzero(~self._placed).tolist():
            wire = self._wires[row]
            source, target = wire.edge
            if wire.lit or (self._crowded[row] and (self._seen(source) or self._seen(target))):
                found.append(row)
        return found

    def _seen(self, slot: Slot) -> bool:
        item = self._scene.nodes.get(slot.node)
        return item is not None and (item.mood.hovered or item.mood.selected)

    # -- while something is dragged --------------------------------------------------------------------

    def follow_drag(self, ids: list[str], wires: list[WireItem]) -> None:
        """Place the labels of moved wires only; those under what is dragged give way until it has gone."""
        if not len(self._boxes):
            return
        drag = self._drag
        if drag is None or drag.ids != ids:
            drag = self._drag = self._begin(ids, wires)
        moving = array_of(box for id in ids for box in self._covered(id))
        shown = drag.still.copy()
        shown[overlaps(moving, self._boxes)[1]] = False
        if drag.rows:
            ways = [self._wires[row].route.path.boundingRect() for row in drag.rows]
            area = array_of(box_of(way.adjusted(-REACH, -REACH, REACH, REACH)) for way in ways)
            labels = self._boxes[shown & within(self._boxes, area)]
            around = np.concatenate((drag.taken[within(drag.taken, area)], moving, labels))
            found = arrange([self._wires[row].tag() for row in drag.rows], around)
            self._boxes[drag.rows] = found.boxes
            shown[drag.rows] = found.shown
        self._show(shown, drag.rows)

    def _begin(self, ids: list[str], wires: list[WireItem]) -> _Drag:
        moving, rows = set(ids), [wire.row for wire in wires if self._holds(wire)]
        resting = (id for id in (*self._scene.nodes, *self._scene.marks.items) if id not in moving)
        still = self._placed.copy()
        still[rows] = False
        told = {self._wires[row].edge.source for row in np.flatnonzero(still).tolist()}
        free = [row for row in rows if self._wires[row].edge.source not in told]
        return _Drag(ids, array_of(box for id in resting for box in self._covered(id)), still, free)

    def _holds(self, wire: WireItem) -> bool:
        return wire.row < len(self._wires) and self._wires[wire.row] is wire

    def rest(self) -> None:
        """Place all labels anew where a drag changed nothing, and so nobody else did."""
        if self._drag is not None:
            self.place()

    def _show(self, shown: np.ndarray, moved: Iterable[int] = ()) -> None:
        for row in {*np.flatnonzero(shown != self._shown).tolist(), *moved}:
            self._put(self._wires[row], _rect(self._boxes[row].tolist()) if shown[row] else QRectF())
        self._shown = shown

    # -- what is where ---------------------------------------------------------------------------------

    def _around(self, bodies: list[Box] | None) -> np.ndarray:
        """Return the boxes (n, 4) where no label may stand."""
        scene = self._scene
        boxes = [box_of(item.body()) for item in scene.nodes.values()] if bodies is None else list(bodies)
        for id, item in scene.nodes.items():
            if item.face.note is not None:
                boxes += self._covered(id)
        for id in scene.marks.items:
            boxes += self._covered(id)
        return array_of(boxes)

    def _covered(self, id: str) -> list[Box]:
        """Return what a node, a comment or a dot covers so that no label may stand there."""
        item = self._scene.item(id)
        if isinstance(item, NodeItem):
            body, note = box_of(item.body()), item.face.note
            return [body] if note is None else [body, box_of(note.rect.translated(item.pos()))]
        if isinstance(item, CommentItem):
            return [box_of(box) for box in words_of(item.comment, item.pos())]
        return [box_of(item.body())] if item is not None else []


@dataclass(frozen=True, slots=True)
class _Drag:
    """What stays as it is during a drag, found once when it begins."""

    ids: list[str]
    taken: np.ndarray
    """Boxes of all that rests."""
    still: np.ndarray
    """Which labels of resting wires are shown, by row."""
    rows: list[int]
    """Of the moved wires those whose shape no resting one tells."""


def _rect(box: Iterable[float]) -> QRectF:
    left, top, right, bottom = box
    return QRectF(left, top, right - left, bottom - top)
