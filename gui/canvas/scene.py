"""The scene: one item for each node and edge of the document, kept in step with it."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QLineF, QPointF, QRectF, Signal
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QGraphicsScene

from engine.compiler.analysis import Problem
from engine.graph.blocks import layer_of
from engine.graph.diff import Diff
from engine.graph.document import Document, Edge, Slot
from engine.graph.links import root_of
from engine.graph.modes import left_out
from engine.training.events import Activation, Snapshot
from gui.bench import Bench
from gui.canvas import strip as strips
from gui.canvas.expand import node_face
from gui.canvas.face import Face, has_strip, places_of
from gui.canvas.health import health_of
from gui.canvas.labels import Labels
from gui.canvas.mark import MarkItem
from gui.canvas.marks import Marks
from gui.canvas.node_item import NodeItem
from gui.canvas.node_paint import FAINT
from gui.canvas.routing import Box, Route, Router, box_of
from gui.canvas.strip import Strip
from gui.canvas.wire_item import WireItem, label_of
from gui.cost import heats, tint
from gui.objective_colors import marks as objective_marks

EASE = 0.35
"""Share of the way that the ends of a strip's colors go towards new ones at each snapshot."""
MARGIN = 400.0


class CanvasScene(QGraphicsScene):
    """Holds the items by id; follows the bench; knows the places of everything."""

    arranged = Signal()
    """Nodes or wires came, went or moved."""
    grown = Signal()
    """Nodes took room for what they see."""

    def __init__(self, bench: Bench, parent: object = None):
        super().__init__(parent)
        self.bench = bench
        self.nodes: dict[str, NodeItem] = {}
        self.wires: dict[Slot, WireItem] = {}
        self._document = Document()
        self._analysis = bench.analysis
        self._strips: dict[str, Strip | None] = {}
        self._ranges: dict[str, tuple[float, float]] = {}
        self._failed: Problem | None = None
        self._tinted = self._colored = False
        self._out: frozenset[str] = frozenset()
        self._dragged: _Dragged | None = None
        self._overview: tuple[dict[str, list[QRectF]], list[QLineF]] | None = None
        self.edition = 0
        """Counts the overviews, which change in place: a picture of one tells by it that it is old."""
        self.extent = QRectF()
        """The box around all nodes, kept with the overview."""
        self._boxes: dict[str, QRectF] = {}
        self._lines: dict[Slot, QLineF] = {}
        self.marks = Marks(self)
        self.labels = Labels(self)
        self.exposed: QRegion | None = None
        """What of the view is being painted, in its pixels, while it is."""
        self.rebuild()
        if self.bench.snapshot is not None:
            self.show_snapshot(self.bench.snapshot)

    # -- following the document ------------------------------------------------------------------------

    def rebuild(self) -> None:
        """Show another document: every item is made anew."""
        for item in (*self.nodes.values(), *self.wires.values()):
            self.removeItem(item)
        self.nodes, self.wires = {}, {}
        self._strips, self._ranges, self._failed = {}, {}, None
        document = self.bench.store.document
        self._document, self._out, self._analysis = document, left_out(document), self.bench.analysis
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        places = places_of(document)
        for id in document.nodes:
            self._add_node(id, places)
        for target, source in document.edges.items():
            self._add_wire(Edge(source, target))
        self.marks.rebuild()
        self._reroute()
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.BspTreeIndex)
        # A new index learns the scene's size only when that changes; without it every item is in one leaf.
        self.setSceneRect(self.sceneRect().adjusted(0, 0, 1, 1))
        self.show_selection(self.bench.store.selection)
        self.show_heat()
        self.show_objectives()

    def follow(self, change: Diff) -> None:
        """Take over one step of the document."""
        before, document = self._document, self.bench.store.document
        self._document = document
        turned: frozenset[str] = frozenset()
        if change.meaning:
            out = left_out(document)  # who depends on a muted node may be far from it
            turned, self._out = out ^ self._out, out
            if self._failed is not None:  # what it says of the old network is no longer true
                turned |= {self._failed.node}
                self._failed = None
            turned &= document.nodes.keys()
        for slot in change.edges_removed:
            wire = self.wires.pop(slot)
            self._repaint_label(wire.label_box)
            self.removeItem(wire)
        for id in change.removed:
            self.removeItem(self.nodes.pop(id))
            self._strips.pop(id, None)
            self._ranges.pop(id, None)
        places = places_of(document)
        for id in change.added:
            self._add_node(id, places)
        moved = set(change.added)
        for id in change.changed:
            node = document.nodes[id]
            if before.nodes[id].params != node.params and id in self._strips:
                self._strips[id] = None  # what it saw before the change is no longer true
                self._ranges.pop(id, None)
            self.nodes[id].setPos(*node.position)
            moved.add(id)
        for slot in change.edges_added:
            self._add_wire(Edge(document.edges[slot], slot))
        ends = {slot.node for slot in change.edges_added | change.edges_removed}
        faces = (moved | ends) & document.nodes.keys()
        self._refresh_faces((faces | turned) - change.added)
        if change.comments or change.bends:
            self.marks.follow(change)
        if moved or change.removed or change.edges_added or change.edges_removed or change.bends:
            self._reroute()
        elif change.comments:
            self._arranged()
        self.show_selection(self.bench.store.selection)

    def show_analysis(self) -> None:
        """Show shapes, parameters and problems as they are known now, where they differ from before."""
        before, self._analysis = self._analysis, self.bench.analysis
        changed = self._analysis.differing(before)
        stale = [id for id, item in self.nodes.items() if id in changed or item.face.inner is not None]
        resized = self._refresh_faces(stale)
        self.show_heat()
        self.show_objectives()
        if not (changed or stale):  # a tab was turned to, and its analysis was known already
            return
        for target, wire in self.wires.items():
            if wire.edge.source.node in changed or target.node in changed:
                self._label(wire)
        if resized:
            self._reroute()
        else:
            self._arranged()

    def show_failure(self, node: str, message: str) -> None:
        """Show an error of a run at its node, until the document changes or another run begins."""
        self._failed = Problem(message, node) if node in self.nodes else None
        self._refresh_faces(self.nodes)
        self._reroute()

    def show_heat(self) -> None:
        """Tint the nodes by the cost that is chosen now."""
        found = heats(self.bench)
        if not found and not self._tinted:
            return
        self._tinted = bool(found)
        for id, item in self.nodes.items():
            item.set_mood(heat=found.get(id))
        self._overview = None

    def show_objectives(self) -> bool:
        """Mark the nodes with the colors of the objectives that move them; return whether any is marked."""
        found = objective_marks(self.bench)
        before, self._colored = self._colored, bool(found)
        if not (found or before):
            return False
        for id, item in self.nodes.items():
            item.set_mood(objectives=found.get(id, ()))
        self._overview = None
        return True

    def show_theme(self) -> None:
        """Repaint in other colors."""
        for node in self.nodes.values():
            node.theme = self.bench.theme
        for wire in self.wires.values():
            wire.set_theme(self.bench.theme)
        self.marks.show_theme()
        self.update()

    def show_selection(self, selection: frozenset[str]) -> None:
        """Ring the selected nodes and bring them to the front."""
        nodes = self.bench.store.document.nodes
        roots = {root_of(nodes, id) for id in selection if id in nodes}
        for id, item in self.nodes.items():
            chosen = id in selection
            partner = not chosen and id in nodes and root_of(nodes, id) in roots
            if item.mood.partner != partner:
                item.set_mood(partner=partner)
            if item.mood.selected != chosen:
                item.set_mood(selected=chosen)
                item.setZValue(1 if chosen else 0)
        self.marks.show_selection(self.bench.store.marks)
        self.labels.look()

    def clear_hover(self) -> None:
        """Forget what the pointer was over."""
        for item in self.nodes.values():
            item.set_mood(hovered=False, lit=None)
        self.labels.look()

    # -- live values -----------------------------------------------------------------------------------

    def clear_live(self) -> None:
        """Empty the strips before a new run; the nodes keep their sizes."""
        self._strips = dict.fromkeys(self._strips)
        self._ranges = {}
        failed, self._failed = self._failed, None
        for item in self.nodes.values():
            item.set_live(None, "", False)
        if failed is not None and failed.node in self.nodes:
            self._refresh_faces([failed.node])
            self.arranged.emit()  # the reason below it may have gone

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show what the network looks like at a step; only the nodes in it are repainted."""
        fresh: list[str] = []
        for id in snapshot.activations.keys() | snapshot.losses.keys():
            item = self.nodes.get(id)
            if item is None:
                continue
            layer = layer_of(self._document, self._document.nodes[id].type)
            strip = None
            if id in snapshot.losses:
                strip = strips.of_loss(snapshot.losses[id])
            elif has_strip(layer):
                activation = snapshot.activations[id]
                strip = strips.of_activation(activation, layer, *self._range(id, activation))
            if strip is None:
                continue
            if id not in self._strips:
                fresh.append(id)
            self._strips[id] = strip
        if fresh:
            self._refresh_faces(fresh)
            self._reroute()
            self.grown.emit()
        for id in snapshot.activations.keys() | snapshot.losses.keys() | snapshot.gradients.keys():
            if id in self.nodes:
                self.nodes[id].set_live(self._strips.get(id), *health_of(snapshot, id))

    def _range(self, id: str, activation: Activation) -> tuple[float, float]:
        """Return the ends of a node's colors: held, and eased towards what came."""
        low, high = self._ranges.get(id, (activation.low, activation.high))
        low += EASE * (activation.low - low)
        high += EASE * (activation.high - high)
        self._ranges[id] = (low, high)
        return low, high

    # -- items -----------------------------------------------------------------------------------------

    def _face(self, id: str, places: dict) -> Face:
        failed = self._failed if self._failed is not None and self._failed.node == id else None
        return node_face(self._document, id, self._analysis, places, id in self._strips, failed)

    def _add_node(self, id: str, places: dict) -> None:
        item = NodeItem(self._face(id, places), self.bench.theme)
        item.setPos(*self._document.nodes[id].position)
        self.nodes[id] = item
        self.addItem(item)

    def _add_wire(self, edge: Edge) -> None:
        wire = WireItem(edge)
        self.wires[edge.target] = wire
        if self._out:
            self._fade(wire)
        self._label(wire)
        self.addItem(wire)

    def _label(self, wire: WireItem) -> None:
        wire.set_label(label_of(wire.edge, self._analysis), self._analysis.fails(wire.edge.target))
        self._repaint_label(wire.label_box)
        wire.set_theme(self.bench.theme)

    def _refresh_faces(self, ids: Iterable[str]) -> bool:
        """Show nodes as they are now; return whether one of them takes other room."""
        places, resized = places_of(self._document), False
        for id in ids:
            item, face = self.nodes[id], self._face(id, places)
            if face != item.face:
                resized |= _room(face) != _room(item.face)
                if face.out != item.face.out:
                    self._fade_wires(id)
                item.set_face(face)
            if item.mood.strip is not self._strips.get(id):
                item.set_live(self._strips.get(id), item.mood.health, item.mood.sick)
        return resized

    def _fade_wires(self, id: str) -> None:
        """Paint the wires at a node as faint as what they join."""
        for target, wire in self.wires.items():
            if id in (target.node, wire.edge.source.node):
                self._fade(wire)

    def _fade(self, wire: WireItem) -> None:
        faint = wire.edge.target.node in self._out or wire.edge.source.node in self._out
        wire.setOpacity(FAINT if faint else 1)

    # -- places ----------------------------------------------------------------------------------------

    def item(self, id: str) -> NodeItem | MarkItem | None:
        """Return the item of a node, a comment or a dot."""
        return self.nodes.get(id) or self.marks.items.get(id)

    def can_replace(self, id: str) -> bool:
        """Return whether another layer may be dropped on a node; not where a block shows its inside."""
        return self._document.nodes[id].expanded is None

    def slot_at(self, slot: Slot, is_input: bool) -> QPointF | None:
        """Return where a port is, or None if the node does not show it."""
        item = self.nodes.get(slot.node)
        spot = item.face.spot(slot.port, is_input) if item is not None else None
        return item.place(spot) if spot is not None else None

    def ends_of(self, edge: Edge) -> tuple[QPointF, QPointF] | None:
        """Return both ends of an edge, or None if a port is not shown."""
        start, end = self.slot_at(edge.source, False), self.slot_at(edge.target, True)
        return None if start is None or end is None else (start, end)

    def _reroute(self) -> None:
        """Send every wire its way among the nodes as they stand now."""
        self._dragged = None
        bodies = [box_of(item.body()) for item in self.nodes.values()]
        router = Router(bodies)
        for wire in self.wires.values():
            self._send(wire, router)
        self._arranged(bodies)

    def follow_drag(self, ids: Iterable[str]) -> None:
        """Re-route only the wires of nodes and dots that are being dragged; the rest waits for the drop."""
        ids = list(ids)
        if self._dragged is None or self._dragged.asked != ids:
            self._dragged = _Dragged(self, ids)
        drag = self._dragged
        drag.router.begin(box_of(self.nodes[id].body()) for id in drag.ids)
        for wire in drag.wires:
            self._send(wire, drag.router)
        self.labels.follow_drag(ids, drag.wires)
        self._shift_overview(drag)

    def _send(self, wire: WireItem, router: Router) -> None:
        ends = self.ends_of(wire.edge)
        wire.setVisible(ends is not None)
        if ends is not None:
            route: Route = router.route(*ends, self.marks.points(wire.edge.target))
            if wire.route is None or wire.route.path != route.path:
                wire.set_route(route)

    def _repaint_label(self, box: QRectF) -> None:
        if not box.isEmpty():  # an empty one would mean everything
            self.update(box)

    def _arranged(self, bodies: list[Box] | None = None) -> None:
        self._overview = None
        self.labels.place(bodies)
        bounds = self.bounds().adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
        if not self.sceneRect().contains(bounds):  # grow in big steps: each makes a new index
            self.setSceneRect(bounds.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN).united(self.sceneRect()))
        self.arranged.emit()

    def bounds(self, ids: Iterable[str] | None = None) -> QRectF:
        """Return the box around some nodes, or around everything with its wires."""
        box = QRectF()
        everything = (*self.nodes.values(), *self.marks.items.values())
        for item in everything if ids is None else map(self.item, ids):
            box = box.united(item.body())
            if isinstance(item, NodeItem) and item.face.note is not None:
                box = box.united(item.sceneBoundingRect())
        if ids is None:
            for wire in self.wires.values():
                box = box.united(
                    wire.path().boundingRect() if wire.route and not wire.route.above else QRectF()
                )
        return box

    def labels_in(self, rect: QRectF) -> list[WireItem]:
        """Return the wires whose labels are shown and touch a rectangle."""
        return [wire for wire in self.labels.within(rect) if wire.isVisible()]

    def overview(self) -> tuple[dict[str, list[QRectF]], list[QLineF]]:
        """Return the nodes' boxes by color and the wires as straight lines, for painting from afar."""
        if self._overview is None:
            frames: list[QRectF] = []
            boxes: dict[str, list[QRectF]] = {"grid": frames} if self._has_frames() else {}
            self._boxes = {id: item.body() for id, item in self.nodes.items()}
            for id, box in self._boxes.items():
                face = self.nodes[id].face
                heat = self.nodes[id].mood.heat
                if face.inner is not None and not heat:
                    frames.append(box)
                    for part, inner in face.inner.boxes():
                        if inner.inner is None:
                            boxes.setdefault(inner.color, []).append(part.translated(box.topLeft()))
                    continue
                movers = self.nodes[id].mood.objectives
                color = tint(self.bench.theme, heat.level) if heat else "line" if face.out else face.color
                color = movers[0] if movers and not heat else color
                boxes.setdefault("error" if face.failing else color, []).append(box)
            ends = {slot: self.ends_of(wire.edge) for slot, wire in self.wires.items()}
            self._lines = {slot: QLineF(*pair) for slot, pair in ends.items() if pair is not None}
            self._overview = boxes, list(self._lines.values())
            self.edition += 1
            self.extent = self.bounds(self.nodes)
        return self._overview

    def _has_frames(self) -> bool:
        return any(item.face.inner is not None for item in self.nodes.values())

    def _shift_overview(self, drag: _Dragged) -> None:
        """Move the boxes and lines of a drag where they are: the lists hold the same objects."""
        if self._overview is None:
            return
        if any(self.nodes[id].face.inner is not None for id in drag.ids):
            self._overview = None
            return
        self.edition += 1
        for id in drag.ids:
            self._boxes[id].moveTo(self.nodes[id].pos())
        for wire in drag.wires:
            ends = self.ends_of(wire.edge)
            if ends is not None and wire.edge.target in self._lines:
                self._lines[wire.edge.target].setPoints(*ends)


def _room(face: Face) -> tuple:
    """What of a node wires have to know."""
    return face.width, face.height, face.inputs, face.outputs


class _Dragged:
    """What a drag touches, found once when it begins: a router among the nodes that rest, and the wires."""

    def __init__(self, scene: CanvasScene, ids: list[str]):
        self.asked = ids
        self.ids = [id for id in ids if id in scene.nodes]
        moving, bent = set(self.ids), scene.marks.wires(ids)
        self.router = Router(box_of(item.body()) for id, item in scene.nodes.items() if id not in moving)
        self.wires = [
            wire
            for wire in scene.wires.values()
            if wire.edge.source.node in moving or wire.edge.target.node in moving or wire.edge.target in bent
        ]
