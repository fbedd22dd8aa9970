"""Laying out a document, or a part of it: nodes, and what is drawn around them and beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from engine.graph import edits, marks
from engine.graph.document import Box, Document, Point
from engine.graph.layout import BETWEEN, SIZE, Size, layout


def arranged(
    document: Document,
    chosen: Collection[str] = (),
    sizes: Mapping[str, Size] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Document:
    """Return the document with the chosen nodes, or all where less than two are chosen, laid out.

    A part keeps its top left corner; what would lie below it gives way. Frames go around what they held,
    notes that would lie on nodes stand above all, wires among the nodes lose their dots. ``sizes`` are the
    nodes' widths and heights. Raises Cancelled as soon as ``cancelled`` returns true.
    """
    sizes = {id: (sizes or {}).get(id, SIZE) for id in document.nodes}
    part = set(chosen) & document.nodes.keys() if len(chosen) > 1 else set(document.nodes)
    if not part:
        return document
    graph = document.with_(
        nodes={id: node for id, node in document.nodes.items() if id in part},
        edges={t: s for t, s in document.edges.items() if t.node in part and s.node in part},
    )
    places = layout(graph, sizes, cancelled)
    if len(part) < len(document.nodes):
        old = [document.nodes[id].position for id in places]
        dx, dy = (min(each[axis] for each in old) for axis in (0, 1))
        left, top = (min(each[axis] for each in places.values()) for axis in (0, 1))
        places = {id: (x + dx - left, y + dy - top) for id, (x, y) in places.items()}
        places |= _aside(document, places, sizes)
    result = marks.straightened(edits.move(document, places), part)
    return _beside(document, result, sizes)


def _boxes(document: Document, sizes: Mapping[str, Size]) -> dict[str, Box]:
    return {id: (*node.position, *sizes[id]) for id, node in document.nodes.items()}


def _aside(document: Document, places: Mapping[str, Point], sizes: Mapping[str, Size]) -> dict[str, Point]:
    """Return where the other nodes go so that the placed ones overlap none: down, all that stand as low."""
    group = [(*at, *sizes[id]) for id, at in places.items()]
    others = {id: box for id, box in _boxes(document, sizes).items() if id not in places}
    hit = [box for box in others.values() if any(_overlap(box, each) for each in group)]
    if not hit:
        return {}
    top = min(box[1] for box in hit)
    down = max(y + height for _, y, _, height in group) + BETWEEN - top
    return {id: (box[0], box[1] + down) for id, box in others.items() if box[1] >= top}


def _beside(before: Document, after: Document, sizes: Mapping[str, Size]) -> Document:
    """Return the document with its frames around what they held before, and no note on a node."""
    was, now = _boxes(before, sizes), _boxes(after, sizes)
    moved = {id for id in was if was[id] != now[id]}
    comments = dict(after.comments)
    for id, comment in before.comments.items():
        held = (
            [each for each, box in was.items() if _within(box, comment.box)]
            if comment.kind == "frame"
            else []
        )
        if moved.intersection(held):
            box = marks.around((now[each] for each in held), comment.text)
            after = marks.change_comment(after, id, box=box)
    top = min((box[1] for box in (*now.values(), *_frames(after))), default=0.0)
    for id, comment in comments.items():
        box = comment.box
        if comment.kind == "note" and moved and any(_overlap(box, each) for each in now.values()):
            after = marks.change_comment(after, id, box=(box[0], top - box[3] - marks.PAD, *box[2:]))
            top -= box[3] + marks.PAD
    return after


def _frames(document: Document) -> list[Box]:
    return [each.box for each in document.comments.values() if each.kind == "frame"]


def _within(box: Box, frame: Box) -> bool:
    """Return whether the middle of a box is in a frame."""
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return frame[0] <= x <= frame[0] + frame[2] and frame[1] <= y <= frame[1] + frame[3]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
