"""Walking over the network with the keyboard."""

from __future__ import annotations

from gui.canvas.scene import CanvasScene


def next_node(scene: CanvasScene, selection: frozenset[str], dx: int, dy: int) -> str:
    """Return the node to walk to, or an empty text.

    Left and right follow the wires to what a node reads and what reads it, and where no wire leads go to the
    nearest node at that side; up and down go to the nearest node above or below; without a selection the walk
    begins at the first node.
    """
    if not scene.nodes:
        return ""
    here = next((id for id in scene.nodes if id in selection), "")
    if not here:
        return next(iter(scene.nodes))
    edges = [wire.edge for wire in scene.wires.values()]
    if dx > 0:
        found = [edge.target.node for edge in edges if edge.source.node == here]
    elif dx < 0:
        found = [edge.source.node for edge in edges if edge.target.node == here]
    else:
        y = scene.nodes[here].y()
        found = [id for id, item in scene.nodes.items() if (item.y() - y) * dy > 1]
    center = scene.nodes[here].body().center()
    if dx and not found:
        found = [id for id, item in scene.nodes.items() if (item.body().center().x() - center.x()) * dx > 1]

    def distance(id: str) -> float:
        way = scene.nodes[id].body().center() - center
        return abs(way.x()) + abs(way.y())

    return min(found, key=distance, default="")
