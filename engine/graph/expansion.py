"""Room for a block whose inside is shown in place: its neighbors give way, and come back when it closes.

A larger node grows to the right and down. It rises as far as there is room, so that its first input stays at
its height. All that stands below moves down as far as the node grew, all beside it to the right: the drawing
keeps its order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, inf

from engine.graph.document import Comment, Document, Node, Point, Slot

Size = tuple[float, float]
CLEAR = 48.0
"""Free space that is left to the nodes above: wires run there."""


def expanded(document: Document, id: str, sizes: Mapping[str, Size], large: Size, rise: float) -> Document:
    """Return the document with a block's node shown as large as its inside, its neighbors out of its way.

    ``sizes`` are those of the nodes as they are now; ``rise`` is how much lower the first input of the large
    one is than now.
    """
    node = document.nodes[id]
    width, height = sizes[id]
    x, y = node.position
    rise = float(max(round(min(rise, _free_above(document, id, sizes, large[0]) - CLEAR)), 0))
    right = float(max(ceil(large[0] - width), 0))
    down = float(max(ceil(large[1] - rise - height), 0))
    shift = _Shift(x + width, y + height, y - rise, right, down)
    document = _shifted(document, id, sizes, shift)
    return _with(document, replace(document.nodes[id], position=(x, y - rise), expanded=(right, down, rise)))


def _free_above(document: Document, id: str, sizes: Mapping[str, Size], width: float) -> float:
    """Return how high the free space above a node is, were it so wide."""
    x, y = document.nodes[id].position
    gaps = [inf]
    for each, node in document.nodes.items():
        (left, top), (wide, high) = node.position, sizes.get(each, (0.0, 0.0))
        if top + high <= y and left < x + width and left + wide > x:
            gaps.append(y - top - high)
    return min(gaps)


def closed(document: Document, id: str, sizes: Mapping[str, Size], small: Size) -> Document:
    """Return the document with a block's node as small as before, and its neighbors back.

    ``small`` is its size then, ``sizes`` are those of the nodes as they are now.
    """
    node = document.nodes[id]
    right, down, rise = node.expanded or (0.0, 0.0, 0.0)
    x, y = node.position[0], node.position[1] + rise
    shift = _Shift(x + small[0] + right, y + small[1] + down, y - rise, -right, -down)
    document = _shifted(document, id, sizes, shift)
    return _with(document, replace(document.nodes[id], position=(x, y), expanded=None))


@dataclass(frozen=True)
class _Shift:
    """What is lower than ``below`` moves down; what is beyond ``beyond`` and not above ``top``, right."""

    beyond: float
    below: float
    top: float
    right: float
    down: float

    def of(self, x: float, y: float, bottom: float) -> Point:
        if y >= self.below:
            return (0.0, self.down)
        return (self.right, 0.0) if x >= self.beyond and bottom > self.top else (0.0, 0.0)

    def moved(self, x: float, y: float, height: float = 0.0) -> Point:
        dx, dy = self.of(x, y, y + height)
        return (round(x + dx, 2), round(y + dy, 2))


def _shifted(document: Document, id: str, sizes: Mapping[str, Size], shift: _Shift) -> Document:
    nodes = {
        each: node
        if each == id
        else replace(node, position=shift.moved(*node.position, sizes.get(each, (0.0, 0.0))[1]))
        for each, node in document.nodes.items()
    }
    comments = {
        each: _comment(comment, document.nodes[id], shift) for each, comment in document.comments.items()
    }
    bends: dict[Slot, tuple[Point, ...]] = {
        slot: tuple(shift.moved(*point) for point in points) for slot, points in document.bends.items()
    }
    return document.with_(nodes=nodes, comments=comments, bends=bends)


def _comment(comment: Comment, node: Node, shift: _Shift) -> Comment:
    """Move a comment as nodes are moved; a frame around the node grows with it."""
    left, top, width, height = comment.box
    x, y = node.position
    if left <= x <= left + width and top <= y <= top + height:
        return replace(comment, box=(left, top, width + shift.right, height + shift.down))
    return replace(comment, box=(*shift.moved(left, top, height), width, height))


def _with(document: Document, node: Node) -> Document:
    return document.with_(nodes={**document.nodes, node.id: node})
