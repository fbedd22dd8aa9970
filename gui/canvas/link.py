"""Drawing a wire from a port to another: the magnet, the dimmed ports, the reason in a bubble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from engine.errors import EngineError
from engine.graph import edits
from engine.graph.blocks import layer_of
from engine.graph.document import Slot
from engine.graph.rules import check_connect
from engine.layers.declaration import Layer
from gui.canvas import fitting
from gui.canvas.bubble import paint_bubble
from gui.canvas.face import PORT
from gui.canvas.gestures import Gesture, blocked_by_cycle
from gui.canvas.hits import MAGNET, near_port, node_at
from gui.canvas.node_item import NodeItem
from gui.canvas.port_strip import paint_strip, strip_of
from gui.canvas.wire_item import WIDTH

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView


class Link(Gesture):
    """A wire that hangs on the pointer.

    It starts at an output (``forward``) or at an open input; at a connected input the wire comes off there
    and hangs on its output: dropped on another input it is re-routed, in the open it is gone.
    """

    scrolls = True

    def __init__(self, view: CanvasView, at: QPointF, slot: Slot, is_input: bool):
        super().__init__(view, at)
        document = view.bench.store.document
        self.off: Slot | None = slot if is_input and slot in document.edges else None
        """The input that the wire was taken from."""
        self.forward = not is_input or self.off is not None
        self.fixed: Slot = document.edges[slot] if self.off is not None else slot
        self._at = view.map_to_canvas(at)
        self._target: Slot | None = None
        self._reason = ""
        self._hint = ""
        self._gives = ""
        """What the node would give with the wire, as the bubble says it."""
        self._tried: dict[Slot, tuple[str, str]] = {}
        self._analysis = view.bench.analysis
        self._lit: NodeItem | None = None
        self._box = QRectF()
        self._started = False
        self._port = False
        """Whether it would become a new port of the block around."""

    def _begin(self) -> None:
        self._started = True
        view = self.view
        view.graph.clear_hover()
        if self.off is not None:
            view.graph.wires[self.off].setVisible(False)
            view.update_canvas(view.graph.wires[self.off].label_box)
        if view.bench.store.scope:
            view.viewport().update()  # the strip for a new port appears
        refused = blocked_by_cycle(view, self.fixed.node, self.forward)
        for id, item in view.graph.nodes.items():
            wrong = item.face.outputs if self.forward else item.face.inputs
            right = item.face.inputs if self.forward else item.face.outputs
            dimmed = {(spot.name, spot.is_input) for spot in wrong}
            unfit = right if id in refused else [spot for spot in right if self._unfit(Slot(id, spot.name))]
            dimmed |= {(spot.name, spot.is_input) for spot in unfit}
            dimmed.discard((self.fixed.port, not self.forward) if id == self.fixed.node else None)
            item.set_mood(dimmed=frozenset(dimmed))

    def move(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        if not self._started:
            if not self.far_enough(at):
                return
            self._begin()
        self._aim(self.view.map_to_canvas(at))
        before = self._port
        self._port = self._target is None and strip_of(self.view, self.forward).contains(at)
        if self._port:
            self._reason, self._hint, self._gives = "", "", ""
        if self._port != before:
            self.view.viewport().update()
        box = self._extent()
        self.view.update_canvas(box.united(self._box))
        self._box = box

    def _aim(self, at: QPointF) -> None:
        """Snap to a port within the magnet's reach, or to the open port of the node under the pointer."""
        graph = self.view.graph
        reach = MAGNET / self.view.zoom
        found = near_port(graph, at, reach, self.forward)
        slot, item = found.slot, found.node
        self._target, self._reason, self._hint, self._gives, self._at = None, "", "", "", at
        if slot is None and (item := node_at(graph, at)) is not None and item.face.id != self.fixed.node:
            slot = self._open_port(item.face.id)
            if slot is None:
                self._reason = self._closed(item.face.id)
        if slot is not None:
            self._reason = self.refusal(slot)
            if not self._reason:
                self._target = slot
                self._at = graph.slot_at(slot, self.forward) or at
                self._hint, self._gives = self._told(slot)
        self._light(item if self._target is not None else None)

    def _closed(self, id: str) -> str:
        """Return why a wire that is dropped on a node's body finds no port there."""
        face, end = self.view.graph.nodes[id].face, "input" if self.forward else "output"
        some = face.inputs if self.forward else face.outputs
        return f"{face.title} has no {'open ' * bool(some)}{end}."

    def _open_port(self, id: str) -> Slot | None:
        document, analysis = self.view.bench.store.document, self.view.bench.analysis
        if self.forward:
            source = fitting.port_of(document, self.fixed, False)
            port = fitting.free_input(document, id, analysis.types.get(self.fixed), source)
        else:
            outputs = self.view.graph.nodes[id].face.outputs
            port = outputs[0].name if outputs else None
        return Slot(id, port) if port is not None else None

    def _ends(self, other: Slot) -> tuple[Slot, Slot]:
        return (self.fixed, other) if self.forward else (other, self.fixed)

    def refusal(self, other: Slot) -> str:
        """Return why the wire cannot end here, or an empty text."""
        if other == self.off:
            return ""
        try:
            check_connect(self.view.bench.store.document, *self._ends(other))
        except EngineError as error:
            return error.message
        return ""

    def _unfit(self, other: Slot) -> bool:
        """Return whether a port's own rule refuses the tensor; the wire may be drawn, but must be mended."""
        source, target = self._ends(other)
        tensor = self.view.bench.analysis.types.get(source)
        port = fitting.port_of(self.view.bench.store.document, target, True)
        return tensor is not None and port is not None and port.refuse(tensor) is not None

    def _told(self, other: Slot) -> tuple[str, str]:
        """Return what will have to be mended after connecting, and what the node will give; remembered."""
        if self._analysis is not self.view.bench.analysis:
            self._analysis, self._tried = self.view.bench.analysis, {}
        if other not in self._tried:
            self._tried[other] = self._try(*self._ends(other))
        return self._tried[other]

    def _try(self, source: Slot, target: Slot) -> tuple[str, str]:
        document, analysis = self.view.bench.store.document, self._analysis
        title, tensor = document.nodes[target.node].title, analysis.types.get(source)
        if tensor is None:
            return "", ""
        port = fitting.port_of(document, target, True)
        before = layer_of(document, document.nodes[source.node].type)
        if port is not None and (reason := port.refuse(tensor)):
            return f"{title} {reason}.", ""
        if port is not None and before.type in port.inside:
            return f"{title} applies {before.label} itself: it should receive the scores before it.", ""
        if analysis.resolution is None:
            return "", ""
        # Imported when something has been analyzed: it needs torch, which loads beside the window.
        from engine.compiler.trial import try_node

        document = fitting.connect(document, source, target, self.off)
        trial = try_node(document, target.node, analysis.resolution)
        shapes = ", ".join(each.sample for each in trial.types[:3])
        if trial.reason or not shapes:
            return trial.reason, ""
        return "", f"{title} gives {shapes}"

    def _light(self, item: NodeItem | None) -> None:
        if self._lit is not None and self._lit is not item:
            self._lit.set_mood(lit=None)
        self._lit = item
        if item is not None:
            item.set_mood(lit=(self._target.port, self.forward))

    def release(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        view = self.view
        target, reason, over = self._target, self._reason, node_at(view.graph, view.map_to_canvas(at))
        started, to_port = self._started, self._port
        self.cancel()
        if not started:
            return
        off = self.off
        if target is not None:
            source, target = self._ends(target)
            if off != target:
                text = "Re-route" if off is not None else "Connect"
                view.edit(text, lambda d: fitting.connect(d, source, target, off))
        elif to_port:
            view.commands.new_port(self.fixed, self.forward, off, self._at.y())
        elif reason:
            view.bench.message.emit(reason)
        elif off is not None:
            view.edit("Disconnect", lambda d: edits.disconnect(d, [off]))
        elif over is None:
            view.open_quick_add(at, self)

    def cancel(self) -> None:
        view = self.view
        self._light(None)
        for item in view.graph.nodes.values():
            item.set_mood(dimmed=frozenset())
        if self.off is not None and self.off in view.graph.wires:
            view.graph.wires[self.off].setVisible(True)
        self._started = False
        view.update_canvas(self._box)
        view.viewport().update()

    # -- a link that was dropped on the empty canvas ------------------------------------------------------

    def fits(self, layer: Layer) -> bool:
        """Return whether a new node of a layer could take the loose end."""
        document = self.view.bench.store.document
        if self.forward:
            tensor = self.view.bench.analysis.types.get(self.fixed)
            return fitting.fits_behind(layer, tensor, fitting.port_of(document, self.fixed, False))
        port = fitting.port_of(document, self.fixed, True)
        return port is not None and fitting.fits_before(layer, port)

    def title(self) -> str:
        """Return what the palette is asked for."""
        tensor = self.view.bench.analysis.types.get(self.fixed) if self.forward else None
        name = self.view.bench.store.document.nodes[self.fixed.node].title
        if not self.forward:
            return f"Add what feeds {name}"
        return f"Add what reads {name}" + (f" ({tensor.sample})" if tensor else "")

    # -- painting ----------------------------------------------------------------------------------------

    def _extent(self) -> QRectF:
        start = self.view.graph.slot_at(self.fixed, not self.forward) or self._at
        box = QRectF(start, self._at).normalized()
        room = max(120.0, box.width() / 2)
        box.adjust(-room, -40, room, 40)
        if self._reason or self._hint or self._gives:
            wide = 320 / self.view.zoom
            box = box.united(QRectF(self._at.x() - wide, self._at.y() - 120, 2 * wide, 280))
        return box

    def paint(self, painter: QPainter) -> None:
        if not self._started:
            return
        view, theme = self.view, self.view.bench.theme
        paint_strip(painter, view, self.forward, self._port)
        fixed = view.graph.slot_at(self.fixed, not self.forward)
        if fixed is None:
            return
        start, end = (fixed, self._at) if self.forward else (self._at, fixed)
        reach = min(max(abs(end.x() - start.x()) / 2, 40), 120)
        path = QPainterPath(start)
        path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end)
        color = theme.color("error" if self._reason else "accent")
        painter.setPen(QPen(color, WIDTH, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for end_at in (start, end):
            painter.drawEllipse(end_at, PORT / 2 - 1, PORT / 2 - 1)
        if self._reason:
            paint_bubble(painter, self._at, self._reason, theme, "error")
        elif self._hint:
            paint_bubble(painter, self._at, self._hint, theme, "warning")
        elif self._gives:
            paint_bubble(painter, self._at, self._gives, theme, "line")
