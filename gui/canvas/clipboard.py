"""Nodes as text, for the clipboard: it works between windows and in a chat.

The format is JSON: ``{"netwright-nodes": 1, "nodes": [...], "edges": [...]}``. A node is
what a file holds of it; an edge is ``[[node, output], [node, input]]``. ``customs`` are the
sources of the custom layers among the nodes; pasting them does not trust them. ``missing`` are
the ports of layers that are not installed, as ``[type, inputs, outputs]``; ``blocks``
are documents of no nodes, one for each block that a node is of. ``comments`` are
what a file holds of frames and notes, ``bends`` the dots of edges: ``[[node, input], [[x, y]]]``.
``entering`` are the edges from nodes that were not copied.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from engine.errors import EditError, EngineError
from engine.graph import edits, marks
from engine.graph.custom import add_custom
from engine.graph.document import Comment, Document, Edge, Missing, Node, Point, Slot, frozen
from engine.graph.missing import check_foreign, is_known, merged, with_missing
from engine.graph.rules import can_connect
from engine.storage.parts import comment_from, param_value, share_from
from engine.storage.writing import comment_json, node_json
from gui.canvas import travel

KEY, VERSION = "netwright-nodes", 1
LONGEST, MOST = 4_000_000, 2_000
"""Characters and nodes that a text may hold: a chat's worth, not an attack's."""
ENTERING = "entering"
_NO_NODES = "The clipboard holds no nodes."


def to_text(document: Document, ids: Iterable[str]) -> str:
    """Return nodes, the edges among them and comments as text."""
    chosen = set(ids)
    nodes = [node_json(node) for node in document.nodes.values() if node.id in chosen]
    edges = [
        [list(source), list(target)]
        for target, source in document.edges.items()
        if source.node in chosen and target.node in chosen
    ]
    types = {node.type for node in document.nodes.values() if node.id in chosen}
    customs = [[name, each.source] for name, each in document.customs.items() if name in types]
    missing = [[name, each.inputs, each.outputs] for name, each in document.missing.items() if name in types]
    parts = {"nodes": nodes, "edges": edges}
    parts |= ({"customs": customs} if customs else {}) | ({"missing": missing} if missing else {})
    parts |= travel.blocks_of(document, types)
    comments = [comment_json(each) for each in document.comments.values() if each.id in chosen]
    inner = {slot for slot in document.bends if {slot.node, document.edges[slot].node} <= chosen}
    bends = [[list(slot), [list(at) for at in document.bends[slot]]] for slot in sorted(inner)]
    parts |= {key: rows for key, rows in (("comments", comments), ("bends", bends)) if rows}
    entering = [
        [list(source), list(target)]
        for target, source in document.edges.items()
        if target.node in chosen and source.node not in chosen
    ]
    parts |= {ENTERING: entering} if entering else {}
    return json.dumps({KEY: VERSION} | parts, ensure_ascii=False)


def from_text(text: str) -> tuple[list[Node], list[Edge]]:
    """Return the nodes and edges that a text holds; what their types and values mean is checked by the edit.

    Raises EditError with a sentence for a text that is not of this form.
    """
    nodes, edges, _, _ = _read(text)
    return nodes, edges


def _read(text: str) -> tuple[list[Node], list[Edge], list[list[str]], list[Missing]]:
    """Return nodes, edges, the names and sources of custom layers, and the layers that were not there."""
    if len(text) > LONGEST:
        raise EditError("The clipboard holds too much text to be nodes.")
    try:
        data = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise EditError(_NO_NODES) from None
    if not isinstance(data, dict) or KEY not in data:
        raise EditError(_NO_NODES)
    if data[KEY] != VERSION:
        raise EditError("The nodes on the clipboard come from another version of the program.")
    nodes, edges, customs = data.get("nodes"), data.get("edges", []), data.get("customs", [])
    if not all(isinstance(part, list) for part in (nodes, edges, customs)) or not (
        nodes or data.get("comments")
    ):
        raise EditError(_NO_NODES)
    if len(nodes) > MOST or len(edges) > 4 * MOST or len(customs) > MOST:
        raise EditError(f"The clipboard holds more than {MOST:,} nodes.")
    if not all(isinstance(each, list) and [type(part) for part in each] == [str, str] for each in customs):
        raise _bad("a custom layer is not a name and a source")
    read = [_node(each) for each in nodes]
    if len({node.id for node in read}) < len(read):
        raise EditError("Two nodes on the clipboard have the same name.")
    missing = [_missing(each) for each in _list(data.get("missing", []))]
    return read, [_edge(each) for each in edges], customs, missing


def paste(document: Document, text: str, offset: Point, keep: bool = False) -> tuple[Document, list[str]]:
    """Return the document with the nodes of a text, moved by ``offset``, and their ids.

    With ``keep`` the copies read what their originals read, where that is here too.
    Raises EngineError for a text of another form or nodes that cannot be.
    """
    nodes, edges, customs, missing = _read(text)
    for name, source in customs:
        document, _ = add_custom(document, source, name)
    document = merged(document, missing)
    document, nodes = travel.with_blocks(document, text, nodes)
    for node in nodes:
        if not is_known(document, node.type):
            inputs = [target.port for _, target in edges if target.node == node.id]
            outputs = [source.port for source, _ in edges if source.node == node.id]
            document = with_missing(document, node.type, inputs, outputs)
    new = [node.id for node in nodes]
    document, ids = edits.paste(document, nodes, edges, offset)
    comments, bends = _beside(text)
    copies = dict(zip(new, ids, strict=True))
    document, made = marks.copies(document, comments, bends, copies, offset)
    if keep:
        document = _rejoined(document, text, copies)
    # a copy may have lost the first places of a variadic port: close them up
    return edits.disconnect(document, ()), [*ids, *made]


def _rejoined(document: Document, text: str, copies: Mapping[str, str]) -> Document:
    """Return the document with the edges that entered the originals from outside entering the copies."""
    rows = json.loads(text).get(ENTERING, [])
    if not isinstance(rows, list) or len(rows) > 4 * MOST:
        raise _bad("what enters the nodes cannot be read")
    for source, target in map(_edge, rows):
        copy = Slot(copies.get(target.node, ""), target.port)
        if can_connect(document, source, copy):
            document = edits.connect(document, source, copy)
    return document


def area_of(text: str, size: Point) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of what a text holds; ``size`` is that of a node.

    Raises EditError for a text of another form.
    """
    nodes, _ = from_text(text)
    boxes = [(*node.position, *size) for node in nodes] + [each.box for each in _beside(text)[0]]
    lefts, tops, widths, heights = zip(*boxes, strict=True)
    right = max(left + width for left, width in zip(lefts, widths, strict=True))
    bottom = max(top + height for top, height in zip(tops, heights, strict=True))
    return min(lefts), min(tops), right, bottom


def _beside(text: str) -> tuple[list[Comment], dict[Slot, list[Point]]]:
    """Return the comments of a text that was read before, and the bends of its edges."""
    data = json.loads(text)
    comments, rows = data.get("comments", []), data.get("bends", [])
    if not isinstance(comments, list) or not isinstance(rows, list) or len(comments) + len(rows) > MOST:
        raise _bad("its comments cannot be read")
    bends: dict[Slot, list[Point]] = {}
    for row in rows:
        slot, points = row if isinstance(row, list) and len(row) == 2 else (None, None)
        named = isinstance(slot, list) and [type(part) for part in slot] == [str, str]
        if not named or not isinstance(points, list) or len(points) > MOST:
            raise _bad("a dot cannot be read")
        bends[Slot(*slot)] = [_position(at) for at in points]
    return [comment_from(each) for each in comments], bends


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _bad(what: str) -> EngineError:
    return EditError(f"The nodes on the clipboard are damaged: {what}.")


def _node(data: Any) -> Node:
    if not isinstance(data, dict):
        raise _bad("a node is not an object")
    id, type_, name = data.get("id"), data.get("type"), data.get("name", "")
    if not all(isinstance(text, str) and len(text) <= 200 for text in (id, type_, name)) or not id:
        raise _bad("a node has no readable id, type or name")
    params = data.get("params", {})
    if not isinstance(params, dict):
        raise _bad(f"the parameters of {id[:40]!r} are not an object")
    params = frozen({name: param_value(value) for name, value in params.items()})
    check_foreign(params)
    share = data.get("share")
    if share is not None and not isinstance(share, dict):
        raise _bad(f"the link of {id[:40]!r} is not an object")
    link = share_from(share) if share else None
    mode, collapsed = data.get("mode", ""), data.get("collapsed", False)
    if not isinstance(mode, str) or not isinstance(collapsed, bool):
        raise _bad(f"what {id[:40]!r} is to the model cannot be read")
    return Node(id, type_, name, params, _position(data.get("position")), link, mode, collapsed)


def _position(data: Any) -> Point:
    if not isinstance(data, list) or len(data) != 2:
        return (0.0, 0.0)
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e6 for v in data):
        raise _bad("a position is not on the canvas")
    x, y = float(data[0]), float(data[1])
    if not (math.isfinite(x) and math.isfinite(y)):
        raise _bad("a position is not on the canvas")
    return (x, y)


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list) or len(data) > MOST:
        raise _bad("what should be a list is none")
    return data


def _missing(data: Any) -> Missing:
    parts = data if isinstance(data, list) and len(data) == 3 else ()
    if not parts or not isinstance(parts[0], str) or not all(isinstance(each, list) for each in parts[1:]):
        raise _bad("a layer that is not installed is not a name and its ports")
    if not all(isinstance(port, str) for ports in parts[1:] for port in ports):
        raise _bad("a port is not a name")
    return Missing(parts[0], tuple(parts[1]), tuple(parts[2]))


def _edge(data: Any) -> Edge:
    ends = data if isinstance(data, list) and len(data) == 2 else ()
    slots = [Slot(*end) for end in ends if isinstance(end, list) and len(end) == 2]
    if len(slots) != 2 or not all(isinstance(text, str) for slot in slots for text in slot):
        raise _bad("an edge does not join two ports")
    return Edge(*slots)
