"""What is under the pointer."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

from PySide6.QtCore import QPointF, QRectF

from engine.graph.document import Slot
from gui.canvas.face import Spot
from gui.canvas.frame_item import EDGE, CommentItem, FrameItem
from gui.canvas.mark import MarkItem
from gui.canvas.node_item import NodeItem
from gui.canvas.node_paint import TEXT_FROM
from gui.canvas.scene import CanvasScene
from gui.canvas.wire_item import WireItem

REACH = 10.0
"""How near a port the pointer must be, in pixels and at least in units."""
MAGNET = 24.0
"""How near a port a dragged wire must come to snap to it, in pixels."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A port, the button of a mend, a node's body, a comment or a dot, a wire, or nothing.

    ``edges`` are those of the comment that are near: letters of ``lrtb``.
    """

    spot: Spot | None = None
    fix: bool = False
    node: NodeItem | None = None
    wire: WireItem | None = None
    path: tuple[str, ...] = ()
    """The node, and where it is expanded those inside of it that are here, outermost first."""
    chip: str = ""
    """The chip of the last of them that is here."""
    mark: MarkItem | None = None
    edges: str = ""

    @property
    def slot(self) -> Slot | None:
        """The port's slot."""
        return Slot(self.node.face.id, self.spot.name) if self.spot is not None else None

    @property
    def empty(self) -> bool:
        """Whether the bare canvas is here."""
        return self.node is None and self.wire is None and self.mark is None

    @property
    def id(self) -> str:
        """The id of the node or the mark, or an empty text."""
        return self.node.face.id if self.node is not None else self.mark.id if self.mark is not None else ""


def hit(scene: CanvasScene, at: QPointF, scale: float) -> Hit:
    """Return what is at a place of the canvas when a unit has ``scale`` pixels."""
    reach = min(max(REACH, REACH / scale), 16.0)
    found = near_port(scene, at, reach)
    if found.spot is not None:
        return found
    items = scene.items(at)
    nodes = [item for item in items if isinstance(item, NodeItem)]
    for node in nodes:
        note = node.face.note
        if note is not None and note.fix is not None and note.button.contains(at - node.pos()):
            return Hit(fix=True, node=node)
    for node in nodes:
        if node.body().contains(at):
            path, chip = node.part_at(at - node.pos())
            return Hit(node=node, path=path, chip=chip if scale >= TEXT_FROM else "")
    wire = next((item for item in items if isinstance(item, WireItem)), None)
    mark = scene.marks.hit(at, scale)
    if mark is None or (wire is not None and isinstance(mark, FrameItem)):
        return Hit(wire=wire)
    if not isinstance(mark, CommentItem):
        return Hit(mark=mark)
    edges = mark.edge_at(at, EDGE / min(scale, 1.0))
    return Hit(mark=mark, edges="".join(each for each in edges if each in mark.movable))


def near_port(scene: CanvasScene, at: QPointF, reach: float, is_input: bool | None = None) -> Hit:
    """Return the nearest port within ``reach`` units, or an empty hit."""
    area = QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach)
    best, least = Hit(), reach
    for item in scene.items(area):
        if not isinstance(item, NodeItem):
            continue
        face = item.face
        spots = (
            (*face.inputs, *face.outputs) if is_input is None else face.inputs if is_input else face.outputs
        )
        for spot in spots:
            place = item.place(spot) - at
            distance = hypot(place.x(), place.y())
            if distance < least:
                best, least = Hit(spot=spot, node=item), distance
    return best


def node_at(scene: CanvasScene, at: QPointF) -> NodeItem | None:
    """Return the topmost node whose body is here."""
    return next((i for i in scene.items(at) if isinstance(i, NodeItem) and i.body().contains(at)), None)


def wire_at(scene: CanvasScene, area: QRectF) -> WireItem | None:
    """Return a wire that runs through an area."""
    return next((i for i in scene.items(area) if isinstance(i, WireItem)), None)


def replaceable(
    scene: CanvasScene, at: QPointF, besides: NodeItem | None = None, middle: bool = False
) -> str:
    """Return the node that something dropped here would replace, or an empty text.

    A block that shows its inside is none; with ``middle`` only its inner half counts.
    """
    for item in scene.items(at):
        if isinstance(item, NodeItem) and item is not besides and scene.can_replace(item.face.id):
            body = item.body()
            if middle:
                x, y = body.width() / 4, body.height() / 4
                body = body.adjusted(x, y, -x, -y)
            if body.contains(at):
                return item.face.id
    return ""
