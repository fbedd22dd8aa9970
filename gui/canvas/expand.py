"""The inside of a block drawn in place: what its frame holds, as one of its uses shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import count

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPaintEngine, QPainter

from engine.compiler.analysis import ERROR, Analysis, Problem
from engine.errors import EngineError
from engine.graph import expansion
from engine.graph.blocks import evaluated, inside, layer_of, outside
from engine.graph.document import Document, Edge, Node, Slot, frozen
from gui.canvas import fonts
from gui.canvas.chips import chips_of
from gui.canvas.face import PAD, PORT_TOP, TITLE_LEFT, Face, Places, Spot, elided, face_of, places_of
from gui.canvas.node_paint import TEXT_FROM, Mood, paint_node
from gui.canvas.placing import label_boxes, tag
from gui.canvas.routing import Route, Router, box_of
from gui.canvas.stills import STILLS
from gui.canvas.wire_item import label_color, label_of, pen_of
from gui.style import mix
from gui.theme import CAPTION_PX, Theme

SCALE = 0.7
"""How large the inside is drawn; deeper ones are as much smaller again."""
GUTTER, HEAD, FOOT = 46.0, 56.0, 20.0
"""Space at both sides for the wires from the ports, for the title, and below, in units of the frame."""
PORT_GAP = 16.0
"""Ports of a frame are at least so far from each other."""
LEAST = 208.0
"""The least width of a frame."""


def node_face(
    document: Document,
    id: str,
    analysis: Analysis,
    places: Places,
    shows: bool = False,
    problem: Problem | None = None,
) -> Face:
    """Return what a node shows, its inside where it is expanded; see ``face_of``."""
    node = document.nodes[id]
    if node.expanded is None or node.collapsed or node.type not in document.blocks:
        return face_of(document, id, analysis, places, shows, problem)
    return _frame(document, node, face_of(document, id, analysis, places, False, problem), analysis)


def toggled(document: Document, id: str, analysis: Analysis) -> Document:
    """Return the document with a block expanded in place, or closed again; its neighbors follow."""
    places = places_of(document)
    sizes = {each: _size(node_face(document, each, analysis, places)) for each in document.nodes}
    node = document.nodes[id]
    other = replace(node, expanded=(0.0, 0.0, 0.0) if node.expanded is None else None, collapsed=False)
    changed = document.with_(nodes={**document.nodes, id: other})
    face = node_face(changed, id, analysis, places)
    if node.expanded is not None:
        return expansion.closed(document, id, sizes, _size(face))
    if node.collapsed:  # it is shown in full first, and the frame begins from there
        document = document.with_(nodes={**document.nodes, id: replace(node, collapsed=False)})
        sizes[id] = _size(face_of(document, id, analysis, places))
    small = face_of(document, id, analysis, places)
    rise = face.inputs[0].at.y() - small.inputs[0].at.y() if face.inputs else 0.0
    return expansion.expanded(document, id, sizes, _size(face), rise)


def toggled_at(document: Document, path: tuple[str, ...], analysis: Analysis) -> Document:
    """Return the document with a block inside of others expanded or closed; ``path`` leads to its node.

    The frames around it take another size, and their neighbors follow.
    """
    if len(path) == 1:
        return toggled(document, path[0], analysis)
    node = document.nodes[path[0]]
    inner = inner_of(document, node, analysis)
    frames = [id for id, each in document.nodes.items() if each.expanded is not None and not each.collapsed]
    for id in reversed(frames):
        document = toggled(document, id, analysis)
    changed = toggled_at(inside(document, node.type), path[1:], inner.analysis)
    document = outside(document, node.type, changed)
    for id in frames:
        document = toggled(document, id, analysis)
    return document


def inner_of(document: Document, node: Node, analysis: Analysis) -> Inner:
    """Return the drawing of a block's inside for one of its uses; the same one while nothing changes it."""
    row = analysis.resolution.blocks.get(node.id, ()) if analysis.resolution else ()
    known = row[0] if row else analysis.blocks.get(node.type)
    return _drawn(_Key(document, node.type, known))


_NUMBERS = count()


class Inner:
    """The nodes and wires inside of a block, in their own coordinates, and how they stand in its frame."""

    def __init__(self, document: Document, analysis: Analysis):
        self.document, self.analysis = document, analysis
        self.serial = next(_NUMBERS)
        places = places_of(document)
        self._ends = {id: n for id, n in document.nodes.items() if n.type in ("Input", "Output")}
        self.faces: dict[str, Face] = {}
        self._at: dict[str, QPointF] = {}
        for id, node in document.nodes.items():
            if id not in self._ends:
                self.faces[id] = replace(node_face(document, id, analysis, places), note=None, flat=True)
                self._at[id] = QPointF(*node.position)
        bodies = [self.body(id) for id in self.faces]
        self._box = QRectF(0, 0, 160, 48) if not bodies else QRectF()
        for body in bodies:
            self._box = self._box.united(body)
        self._router = Router(map(box_of, bodies))
        self._labels = {edge: label_of(edge, analysis) for edge in self._edges()}
        self._failing = {(p.node, p.port) for p in analysis.problems if p.severity == ERROR and p.port}
        self.wires: list[tuple[Edge, Route]] = []
        self._lay()

    def _edges(self) -> list[Edge]:
        return [Edge(source, target) for target, source in self.document.edges.items()]

    def _lay(self) -> None:
        """Send the wires, those of the ports from the sides of the frame; keep what all of it covers."""
        left, right = self._box.left() - GUTTER / SCALE, self._box.right() + GUTTER / SCALE
        right = max(right, left + LEAST / SCALE)
        self._ports = {
            Slot(id, "y" if node.type == "Input" else "x"): QPointF(
                left if node.type == "Input" else right, y
            )
            for id, node, y in self._heights()
        }
        area = QRectF(left, self._box.top(), right - left, self._box.height())
        for edge in self._edges():
            start, end = self._place(edge.source, False), self._place(edge.target, True)
            if start is not None and end is not None:
                route = self._router.route(start, end)
                self.wires.append((edge, route))
                box = route.path.boundingRect()
                area.setTop(min(area.top(), box.top()))
                area.setBottom(max(area.bottom(), box.bottom()))
        self.words = self._place_labels(area)
        for box, _ in self.words:
            area.setTop(min(area.top(), box.top()))
            area.setBottom(max(area.bottom(), box.bottom()))
        self.area = area

    def _place_labels(self, area: QRectF) -> list[tuple[QRectF, str]]:
        """Return the labels for which there is room between the sides of the frame."""
        told = [(edge, route) for edge, route in self.wires if self._labels[edge].label]
        tags = [
            tag(self._labels[edge].label, route, edge.source, self._fails(edge), self._labels[edge].dashed)
            for edge, route in told
        ]
        beyond = area.adjusted(0, -area.height(), 0, area.height())
        sides = (beyond.translated(area.width(), 0), beyond.translated(-area.width(), 0))
        boxes = label_boxes(tags, map(box_of, (*sides, *map(self.body, self.faces))))
        return [
            (box, self._labels[edge].label)
            for (edge, _), box in zip(told, boxes, strict=True)
            if box is not None
        ]

    def _fails(self, edge: Edge) -> bool:
        return tuple(edge.target) in self._failing

    def _heights(self) -> list[tuple[str, Node, float]]:
        """Return the height of each port: that of its node inside, apart from the others on its side."""
        found: list[tuple[str, Node, float]] = []
        for kind in ("Input", "Output"):
            last = -1e9
            ends = [(id, n) for id, n in self._ends.items() if n.type == kind]
            for id, node in sorted(ends, key=lambda pair: pair[1].position[1]):
                y = min(max(node.position[1] + PORT_TOP, self._box.top()), self._box.bottom())
                last = max(y, last + PORT_GAP / SCALE)
                found.append((id, node, last))
        return found

    def _place(self, slot: Slot, is_input: bool) -> QPointF | None:
        if slot.node in self._ends:
            return self._ports[slot]
        spot = self.faces[slot.node].spot(slot.port, is_input)
        return spot.at + self._at[slot.node] if spot is not None else None

    def body(self, id: str) -> QRectF:
        """Return the card of a node in the block's coordinates."""
        return self.faces[id].body.translated(self._at[id])

    # -- in the frame ------------------------------------------------------------------------------------

    @property
    def width(self) -> float:
        """The width of the frame that holds it."""
        return self.area.width() * SCALE

    @property
    def height(self) -> float:
        """The height of the frame that holds it."""
        return HEAD + self.area.height() * SCALE + FOOT

    def to_frame(self, at: QPointF) -> QPointF:
        """Return where a place of the block is in the frame."""
        return (at - self.area.topLeft()) * SCALE + QPointF(0, HEAD)

    def from_frame(self, at: QPointF) -> QPointF:
        """Return the block's place at a place of the frame."""
        return (at - QPointF(0, HEAD)) / SCALE + self.area.topLeft()

    def port_height(self, port: str) -> float:
        """Return how far down a port of the frame is."""
        slot = Slot(port, "y") if Slot(port, "y") in self._ports else Slot(port, "x")
        return self.to_frame(self._ports[slot]).y()

    def boxes(self) -> list[tuple[QRectF, Face]]:
        """Return the cards as they stand in the frame, those of inner frames before what they hold."""
        found: list[tuple[QRectF, Face]] = []
        for id, face in self.faces.items():
            corner = self.to_frame(self._at[id])
            found.append((QRectF(corner, face.body.size() * SCALE), face))
            for box, inner in face.inner.boxes() if face.inner is not None else ():
                found.append((QRectF(corner + box.topLeft() * SCALE, box.size() * SCALE), inner))
        return found

    def path_at(self, at: QPointF) -> tuple[tuple[str, ...], str]:
        """Return the nodes at a place of the frame, outermost first, and the chip of the last, if any."""
        place = self.from_frame(at)
        for id in reversed(self.faces):
            face, local = self.faces[id], place - self._at[id]
            if not face.body.contains(local):
                continue
            chip = next((each.name for each in face.chips if each.box.contains(local)), "")
            if not chip and face.inner is not None:
                path, chip = face.inner.path_at(local)
                return (id, *path), chip
            return (id,), chip
        return (), ""

    def ground(self, theme: Theme, color: str) -> str:
        """Return the color of the frame."""
        return mix(theme.canvas, color, 0.08 if theme.dark else 0.06)

    def paint(self, painter: QPainter, theme: Theme, scale: float, ground: str) -> None:
        """Paint it in its frame; ``scale`` is pixels per unit of the frame and decides on the detail.

        What stands still on a screen is painted once and then copied: only a zoom paints it again.
        """
        at = painter.worldTransform()
        still = painter.paintEngine().type() == QPaintEngine.Type.Raster and not at.isRotating()
        if not still or not STILLS.paint(self, painter, theme, ground):
            self.paint_on(painter, theme, scale, ground)

    def paint_on(self, painter: QPainter, theme: Theme, scale: float, ground: str) -> None:
        """Paint every part of it in its frame."""
        painter.save()
        painter.translate(self.to_frame(QPointF(0, 0)))
        painter.scale(SCALE, SCALE)
        self._paint(painter, theme, scale * SCALE, ground)
        painter.restore()

    def _paint(self, painter: QPainter, theme: Theme, scale: float, ground: str) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for edge, route in self.wires:
            carried = self._labels[edge]
            painter.setPen(pen_of(theme, carried.dashed, self._fails(edge), width=carried.width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(route.path)
        for id, face in self.faces.items():
            painter.save()
            painter.translate(self._at[id])
            paint_node(painter, face, Mood(), theme, scale)
            painter.restore()
        if scale < TEXT_FROM:
            return
        painter.setFont(fonts.mono())
        for box, label in self.words:
            painter.fillRect(box, theme.color(ground))
            painter.setPen(theme.color(label_color(theme)))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, label)


class _Key:
    """What the inside of a block depends on, compared by identity: none of it is ever changed."""

    def __init__(self, document: Document, name: str, known: object):
        self.document, self.name, self.known = document, name, known
        self._parts = (document.blocks, document.customs, document.missing, known)

    def __hash__(self) -> int:
        return hash((self.name, *map(id, self._parts)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Key)
            and self.name == other.name
            and all(a is b for a, b in zip(self._parts, other._parts, strict=True))
        )


@lru_cache(maxsize=256)
def _drawn(key: _Key) -> Inner:
    inner, known = inside(key.document, key.name), key.known
    if known is None:
        return Inner(inner, Analysis(inner))
    if isinstance(known, Analysis):
        return Inner(inner, known)
    values = dict(known.values)
    inner = inner.with_(nodes={id: _with_values(node, values) for id, node in inner.nodes.items()})
    parts: Mapping[str, Mapping] = {
        name: frozen(getattr(known, name)) for name in ("types", "parameters", "macs")
    }
    return Inner(inner, Analysis(inner, tuple(known.problems), **parts, resolution=known))


def _with_values(node: Node, values: Mapping[str, int]) -> Node:
    """Return a node with the numbers that its formulas stand for in one use."""
    try:
        return replace(node, params=frozen(evaluated(node.params, values)))
    except EngineError:
        return node


def _frame(document: Document, node: Node, face: Face, analysis: Analysis) -> Face:
    """Return the face of a block with its inside: as large as that, its ports where the wires inside end."""
    inner = inner_of(document, node, analysis)
    width, height = inner.width, inner.height
    layer = layer_of(document, node.type)
    room = width - TITLE_LEFT - PAD
    label_width = fonts.text_metrics(CAPTION_PX).horizontalAdvance(layer.label)
    words = [layer.summary(layer.values(node.params)), face.foot]
    note = face.note
    if note is not None:
        by = height - face.height
        note = replace(note, rect=note.rect.translated(0, by), button=note.button.translated(0, by))
    return replace(
        face,
        title=elided(node.title, room - label_width - 8),
        label=layer.label,
        summary=elided(" · ".join(filter(None, words)), room - 80, caption=True),
        width=width,
        height=height,
        inputs=tuple(Spot(s.name, QPointF(0, inner.port_height(s.name)), True) for s in face.inputs),
        outputs=tuple(Spot(s.name, QPointF(width, inner.port_height(s.name)), False) for s in face.outputs),
        strip=None,
        has_foot=False,
        foot="",
        note=note,
        stacked=False,
        chips=chips_of(node, layer, width),
        inner=inner,
    )


def _size(face: Face) -> tuple[float, float]:
    return (face.width, face.height)
